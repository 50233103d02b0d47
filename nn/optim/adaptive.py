"""Adagrad, RMSprop and Lion: the gradient divided by its usual size, or its sign alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nn.optim.elementwise import Array, ElementwiseOptimizer, decayed
from nn.optim.optimizer import Group, at_least_zero, below_one, flags, two_below_one


class Adagrad(ElementwiseOptimizer):
    """`p -= lr * g / (√(sum of all g²) + eps)`: what has moved much slows down.

    Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011. In
    step k, from 0, `lr / (1 + k * lr_decay)` takes the place of `lr`; `weight_decay * p` is added to the gradient.

    >>> from autograd import Tensor
    >>> x = Tensor(np.array([1.0, 200.0]))
    >>> optimizer = Adagrad([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.data.round(6).tolist()
    [0.5, 199.5]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )

    def check(self, group: Group) -> None:
        at_least_zero(self, group, "lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")

    def arrays(self, group: Group) -> dict[str, float]:
        return {"sum": group["initial_accumulator_value"]}

    def update(self, p: Array, g: Array, state: dict[str, Array], group: Group, count: int, s: Array, t: Array) -> None:
        g = decayed(p, g, group["weight_decay"], t)
        total = state["sum"]
        total += np.multiply(g, g, out=s)
        np.sqrt(total, out=s)
        s += group["eps"]
        np.divide(g, s, out=s)
        s *= group["lr"] / (1.0 + (count - 1) * group["lr_decay"])
        p -= s


class RMSprop(ElementwiseOptimizer):
    """`p -= lr * g / (√v + eps)`, with a running mean `v` of `g²`, in which the past has the weight `alpha`.

    Tieleman and Hinton, "Lecture 6.5: RMSprop", 2012. `centered` subtracts the square of the running mean of `g` from
    `v` (Graves, "Generating sequences with recurrent neural networks", 2013). With a momentum, the quotients are summed
    as in `SGD`. `weight_decay * p` is added to the gradient.

    >>> from autograd import Tensor
    >>> x = Tensor(np.array([1.0, 200.0]))
    >>> optimizer = RMSprop([x], lr=0.5, alpha=0.75)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.data.round(6).tolist()
    [0.0, 199.0]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(
            params, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum, centered=centered
        )

    def check(self, group: Group) -> None:
        at_least_zero(self, group, "lr", "eps", "weight_decay", "momentum")
        below_one(self, group, "alpha")
        flags(self, group, "centered")

    def arrays(self, group: Group) -> dict[str, float]:
        names = ["square_avg"] + ["momentum_buffer"] * bool(group["momentum"]) + ["grad_avg"] * bool(group["centered"])
        return dict.fromkeys(names, 0.0)

    def update(self, p: Array, g: Array, state: dict[str, Array], group: Group, count: int, s: Array, t: Array) -> None:
        alpha = group["alpha"]
        g = decayed(p, g, group["weight_decay"], t)
        v = state["square_avg"]
        v *= alpha
        np.multiply(g, g, out=s)
        s *= 1.0 - alpha
        v += s
        if group["centered"]:
            mean = state["grad_avg"]
            mean *= alpha
            mean += np.multiply(g, 1.0 - alpha, out=s)
            np.multiply(mean, mean, out=s)
            np.subtract(v, s, out=s)
            np.sqrt(s, out=s)
        else:
            np.sqrt(v, out=s)
        s += group["eps"]
        np.divide(g, s, out=s)
        if group["momentum"]:
            buffer = state["momentum_buffer"]
            buffer *= group["momentum"]
            buffer += s
            np.multiply(buffer, group["lr"], out=s)
        else:
            s *= group["lr"]
        p -= s


class Lion(ElementwiseOptimizer):
    """`p -= lr * sign(β₁ m + (1 - β₁) g)`, then `m = β₂ m + (1 - β₂) g`: every element moves by the same amount.

    Chen et al., "Symbolic discovery of optimization algorithms", 2023, algorithm 2. Before, weights decay as
    `p *= 1 - lr * weight_decay`. The learning rate is best 3 to 10 times smaller than Adam's, the decay larger.

    >>> from autograd import Tensor
    >>> x = Tensor(np.array([1.0, -200.0]))
    >>> optimizer = Lion([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.tolist()
    [0.5, -199.5]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, weight_decay=weight_decay)

    def check(self, group: Group) -> None:
        at_least_zero(self, group, "lr", "weight_decay")
        two_below_one(self, group, "betas")

    def arrays(self, group: Group) -> dict[str, float]:
        return {"exp_avg": 0.0}

    def update(self, p: Array, g: Array, state: dict[str, Array], group: Group, count: int, s: Array, t: Array) -> None:
        m = state["exp_avg"]
        beta1, beta2 = group["betas"]
        if group["weight_decay"]:
            p *= 1.0 - group["lr"] * group["weight_decay"]
        np.multiply(m, beta1, out=s)
        s += np.multiply(g, 1.0 - beta1, out=t)
        np.sign(s, out=s)
        s *= group["lr"]
        p -= s
        m *= beta2
        m += np.multiply(g, 1.0 - beta2, out=s)
