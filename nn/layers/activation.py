"""Activation layers: functions of one element at a time, and softmax."""

from __future__ import annotations

import math

import autograd as ag
from nn.module import Module
from nn.validation import as_input, choice, integer, number

# Klambauer et al., "Self-normalizing neural networks", 2017, where they are derived to this precision.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


class ReLU(Module):
    """`max(x, 0)`, with slope 0 at 0; for any shape.

    >>> ReLU()(ag.Tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        return ag.relu(as_input("ReLU", x))


class LeakyReLU(Module):
    """`x` where it is positive, and `negative_slope * x` elsewhere; for any shape.

    >>> LeakyReLU(0.1)(ag.Tensor([-1.0, 2.0])).tolist()
    [-0.1, 2.0]
    """

    _shown_settings = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = number("LeakyReLU", "negative_slope", negative_slope)

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        x = as_input("LeakyReLU", x)
        return ag.where(ag.step(x), x, self.negative_slope * x)


class ELU(Module):
    """`x` where it is positive, and `alpha * (exp(x) - 1)` elsewhere; for any shape.

    Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by exponential linear units", 2016.

    >>> ELU()(ag.Tensor([-1e3, 2.0])).tolist()
    [-1.0, 2.0]
    """

    _shown_settings = ("alpha",)

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = number("ELU", "alpha", alpha)

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        return _elu(as_input("ELU", x), self.alpha)


class SELU(Module):
    """`ELU` with the one `alpha`, and times the one scale, that keep mean 0 and variance 1 through many layers.

    >>> SELU()(ag.Tensor([0.0, 1.0])).data.round(4).tolist()
    [0.0, 1.0507]
    """

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        return SELU_SCALE * _elu(as_input("SELU", x), SELU_ALPHA)


def _elu(x: ag.Tensor, alpha: float) -> ag.Tensor:
    positive = ag.step(x)
    # What is positive is taken out before the exponential, which would overflow.
    return ag.where(positive, x, alpha * ag.expm1(ag.where(positive, 0.0, x)))


class GELU(Module):
    """`x` times the probability that a standard normal number is below it; for any shape.

    `approximate="tanh"` is faster, and less than 0.001 away. Hendrycks and Gimpel, "Gaussian error linear units", 2016.

    >>> GELU()(ag.Tensor([-1.0, 0.0, 1.0])).data.round(4).tolist()
    [-0.1587, 0.0, 0.8413]
    """

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = choice("GELU", "approximate", approximate, ("none", "tanh"))

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        x = as_input("GELU", x)
        if self.approximate == "tanh":
            # (1 + tanh(u)) / 2, with the digits that 1 + tanh(u) loses where u is far below 0
            return x * ag.sigmoid(math.sqrt(8.0 / math.pi) * (x + 0.044715 * (x * x * x)))
        return 0.5 * x * ag.erfc(x * -math.sqrt(0.5))

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """`x * sigmoid(x)`, also called swish; for any shape.

    >>> SiLU()(ag.Tensor([0.0, 1.0])).data.round(4).tolist()
    [0.0, 0.7311]
    """

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        x = as_input("SiLU", x)
        return x * ag.sigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent, between -1 and 1; for any shape.

    >>> Tanh()(ag.Tensor([0.0])).tolist()
    [0.0]
    """

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        return ag.tanh(as_input("Tanh", x))


class Sigmoid(Module):
    """`1 / (1 + exp(-x))`, between 0 and 1; for any shape.

    >>> Sigmoid()(ag.Tensor([0.0])).tolist()
    [0.5]
    """

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        return ag.sigmoid(as_input("Sigmoid", x))


class Softplus(Module):
    """`log(1 + exp(beta * x)) / beta`, a smooth ReLU; `x` itself where `beta * x` is above `threshold`; for any shape.

    >>> Softplus()(ag.Tensor([0.0, 100.0])).data.round(4).tolist()
    [0.6931, 100.0]
    """

    _shown_settings = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta = number("Softplus", "beta", beta, above=0)
        self.threshold = number("Softplus", "threshold", threshold, infinite=True)

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        x = as_input("Softplus", x)
        scaled = self.beta * x
        return ag.where(ag.step(scaled - self.threshold), x, ag.softplus(scaled) * (1.0 / self.beta))


class _AlongAxis(Module):
    """A function of all elements along one axis."""

    _shown_settings = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        self.dim = integer(type(self).__name__, "dim", dim)


class Softmax(_AlongAxis):
    """Exponentials divided by their sum along axis `dim`: probabilities. Before `CrossEntropyLoss` it is not wanted.

    >>> Softmax()(ag.Tensor([0.0, 0.0])).tolist()
    [0.5, 0.5]
    """

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        return ag.softmax(as_input("Softmax", x), self.dim)


class LogSoftmax(_AlongAxis):
    """The logarithm of `Softmax`, without overflow.

    >>> LogSoftmax()(ag.Tensor([0.0, 0.0])).data.round(4).tolist()
    [-0.6931, -0.6931]
    """

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        return ag.log_softmax(as_input("LogSoftmax", x), self.dim)
