"""Losses of an input and a target of one shape: one formula, element by element."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd as ag
from autograd.arrays import sums
from autograd.arrays.reductions import over
from autograd.graph import Primitive, Slope, value_of
from nn.losses.base import Loss, check_all, check_same_shape, mask_unused, weights
from nn.validation import flag, number

MIN_LOG = -100.0  # what BCELoss takes the logarithm of 0 to be, as PyTorch does


class MSELoss(Loss):
    """The squared difference of two arrays of one shape, averaged over all elements.

    Other shapes are a ValueError, even where they would broadcast: `(n,)` against `(n, 1)` would compare each with all.

    >>> MSELoss()(ag.Tensor([1.0, 2.0]), np.array([1.0, 4.0])).item()
    2.0
    """

    def forward(self, input: ag.Tensor, target: Any) -> ag.Tensor:
        x, y = check_same_shape(self, input, target)
        if self.reduction == "none":
            return ag.square(x - y)
        return _SUM_OF_SQUARES(x, y) if self.reduction == "sum" else _MEAN_OF_SQUARES(x, y)


class L1Loss(Loss):
    """The absolute difference of two arrays of one shape, averaged over all elements; its slope is 0 at 0.

    >>> L1Loss()(ag.Tensor([1.0, 2.0]), np.array([1.0, 4.0])).item()
    1.0
    """

    def formula(self, x: ag.Tensor, y: ag.Tensor) -> ag.Tensor:
        return ag.abs(x - y)


class HuberLoss(Loss):
    """Half the squared difference d of two arrays of one shape where |d| is at most `delta`; farther out it goes on as
    a straight line, `delta * (|d| - delta/2)`, so that outliers pull no harder.

    Huber, "Robust estimation of a location parameter", 1964. A `delta` that is not above 0 is a ValueError.

    >>> HuberLoss("none")(ag.Tensor([1.5, 2.0]), np.array([1.0, 5.0])).tolist()
    [0.125, 2.5]
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = float(number("HuberLoss", "delta", delta, above=0))

    def formula(self, x: ag.Tensor, y: ag.Tensor) -> ag.Tensor:
        d = x - y
        # d, clipped; beyond `delta`, and there too, its slope is 0, so that the second derivative is PyTorch's
        near = ag.where(ag.abs(d) < self.delta, d, self.delta * ag.sign(d))
        return near * (d - 0.5 * near)


class HingeLoss(Loss):
    """`max(0, 1 - y * x)`, elementwise, of scores `input` and labels `target`, -1 or 1, of one shape; slope 0 at the kink.

    Other labels are a ValueError. (The loss of support vector machines: Cortes and Vapnik, 1995; sklearn's `hinge_loss`.
    PyTorch's HingeEmbeddingLoss is another one.)

    >>> HingeLoss("none")(ag.Tensor([3.0, 0.5, 0.5]), np.array([1, 1, -1])).tolist()
    [0.0, 0.5, 1.5]
    """

    def formula(self, x: ag.Tensor, y: ag.Tensor) -> ag.Tensor:
        fault = "HingeLoss needs labels -1 and 1, got {}: write 2 * y - 1 for labels 0 and 1"
        check_all(y, np.abs(value_of(y)) == 1.0, fault)
        return ag.relu(1.0 - x * y)


class BCEWithLogitsLoss(Loss):
    """Minus the logarithm of the probability that sigmoid of the logits gives to the target, elementwise.

    `input` are logits and `target` what is true, 0 or 1 or a probability, of one shape. `weight` multiplies the loss,
    `pos_weight` that of what is true; both broadcast against the input. The loss never overflows:
    `y * pos_weight * softplus(-x) + (1 - y) * softplus(x)`.

    >>> BCEWithLogitsLoss("none")(ag.Tensor([1e4, 1e4]), np.array([1, 0])).tolist()
    [0.0, 10000.0]
    """

    def __init__(self, reduction: str = "mean", *, weight: Any = None, pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.weight = weights(self, "weight", weight)
        self.pos_weight = weights(self, "pos_weight", pos_weight)

    def formula(self, x: ag.Tensor, y: ag.Tensor) -> ag.Tensor:
        _check_probabilities(self, y)
        w, p = _weight(self, "weight", x), _weight(self, "pos_weight", x)
        return w * p * y * ag.softplus(-x) + w * (1.0 - y) * ag.softplus(x)  # type: ignore[no-any-return]  # of Any: Any


class BCELoss(Loss):
    """Minus the logarithm of the probability given to the target: `-(y log x + (1 - y) log(1 - x))`, elementwise.

    `input` are probabilities and `target` what is true, 0 or 1 or a probability, of one shape; `weight` multiplies the
    loss. As in PyTorch a logarithm counts as at least -100, and the slope at 0 and 1 is finite. A probability that is
    not between 0 and 1 is a ValueError. `BCEWithLogitsLoss` is the more exact one.

    >>> BCELoss("none")(ag.Tensor([1.0, 1.0]), np.array([1, 0])).tolist()
    [0.0, 100.0]
    """

    def __init__(self, reduction: str = "mean", *, weight: Any = None) -> None:
        super().__init__(reduction)
        self.weight = weights(self, "weight", weight)

    def formula(self, x: ag.Tensor, y: ag.Tensor) -> ag.Tensor:
        _check_probabilities(self, y)
        check_all(
            x,
            (value_of(x) >= 0.0) & (value_of(x) <= 1.0),
            "BCELoss needs probabilities from 0 to 1, got {}: pass logits to BCEWithLogitsLoss, or apply ag.sigmoid first",
        )
        losses = _BINARY_CROSS_ENTROPY(x, y)
        return losses if self.weight is None else _weight(self, "weight", x) * losses


class KLDivLoss(Loss):
    """The relative entropy `y * (log y - x)`, elementwise, of a distribution y = `target` to one with the logarithms
    x = `input`, of one shape (Kullback and Leibler, "On information and sufficiency", 1951).

    With `log_target` the target holds logarithms too. `reduction` may also be "batchmean": the sum, divided by the
    length of axis 0, which is the divergence a row. ("mean" divides by the number of elements, as PyTorch's does.) A
    target of 0, whose logarithm is -inf, costs nothing, be `input` what it may.

    >>> x = ag.log_softmax(ag.Tensor([[0.0, 0.0]]))
    >>> round(KLDivLoss("batchmean")(x, np.array([[1.0, 0.0]])).item(), 6)
    0.693147
    """

    reductions = ("mean", "sum", "none", "batchmean")

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = flag("KLDivLoss", "log_target", log_target)

    def formula(self, x: ag.Tensor, y: ag.Tensor) -> ag.Tensor:
        # The derivative by y is log y + 1 - x. Where y is 0, log e in place of log 0 leaves 1 - x of it.
        p, log_p = (ag.exp(y), y) if self.log_target else (y, ag.log(ag.where(y, y, math.e)))
        return p * (mask_unused(p, log_p) - mask_unused(p, x))

    def weight_of(self, input: Any, target: Any) -> float:
        shape = np.shape(value_of(input))
        return float(shape[0] if shape else 1) if self.reduction == "batchmean" else super().weight_of(input, target)


def _check_probabilities(loss: Loss, y: Any) -> None:
    """Refuse what says neither yes nor no: with labels -1 and 1 the loss would have no lower bound."""
    check_all(
        y,
        (value_of(y) >= 0.0) & (value_of(y) <= 1.0),
        f"{type(loss).__name__} needs labels 0 and 1, or probabilities, got {{}}: write (y + 1) / 2 for labels -1 and 1, and "
        "use CrossEntropyLoss for more than two classes",
    )


def _weight(loss: Loss, name: str, x: Any) -> Any:
    """The weights `name` in the dtype of `x`, whose shape must not grow by them; 1 if there are none."""
    weight = getattr(loss, name)
    if weight is None:
        return 1.0
    data = np.asarray(value_of(x))
    try:
        fits = np.broadcast_shapes(weight.shape, data.shape) == data.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{type(loss).__name__}: {name} of shape {weight.shape} does not broadcast to {data.shape}")
    return weight.astype(np.result_type(data, np.float16))


# ---- Two that are fused


def _bce(x: Any, y: Any) -> Any:
    with np.errstate(divide="ignore"):
        yes, no = np.minimum(-np.log(x), -MIN_LOG), np.minimum(-np.log1p(np.negative(x)), -MIN_LOG)
    return y * yes + (1.0 - y) * no


# The slope that PyTorch gives it where x is 0 or 1 is no derivative of its value there: no formula would lead to both.
_BINARY_CROSS_ENTROPY = Primitive(
    "bce",
    None,
    _bce,
    Slope(lambda z, x, y: (x - y) / ag.maximum(x * (1.0 - x), 1e-12)),
    Slope(lambda z, x, y: ag.maximum(ag.log1p(-x), MIN_LOG) - ag.maximum(ag.log(x), MIN_LOG)),
    elementwise=True,
)


def _squared_error(name: str, count: Callable[[Any], float]) -> Primitive:
    """The sum of squared differences divided by `count(x)`: measured, it takes half the time of its parts."""

    def forward(x: Any, y: Any) -> Any:
        differences = np.subtract(x, y)
        z = sums.sum_of_squares(differences) / (count(x) or np.nan)  # the mean of nothing is nan
        return z if differences.itemsize > 2 else z.astype(differences.dtype)

    def slope(g: Any, x: Any, y: Any) -> Any:
        n = count(x) or 1
        if x.dtype == np.float16 and n > 1:  # in which a small g / n has few digits: it is multiplied last
            return over((2.0 * (x - y)) * g, n)
        return over(2.0 * g, n) * (x - y)

    return Primitive(name, None, forward, lambda g, z, x, y: slope(g, x, y), lambda g, z, x, y: slope(g, y, x))


_SUM_OF_SQUARES = _squared_error("squared_error", lambda x: 1)
_MEAN_OF_SQUARES = _squared_error("mean_squared_error", lambda x: x.size)
