"""Adam and its kin: steps of about one size, whatever the size of the gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from nn.optim.elementwise import Array, ElementwiseOptimizer, decayed
from nn.optim.optimizer import Group, Optimizer, at_least_zero, flags, two_below_one


class Adam(ElementwiseOptimizer):
    """`p -= lr * m / (√v + eps)`, with running means `m` of the gradient and `v` of its square, both freed of their
    bias towards the zeros they start from.

    Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1. `betas` are the weights of the
    past in the two means; `weight_decay * p` is added to the gradient. With `amsgrad` the largest `v` so far takes the
    place of `v` (Reddi et al., "On the convergence of Adam and beyond", 2018).

    >>> from autograd import Tensor
    >>> x = Tensor(np.array([1.0, 200.0]))
    >>> optimizer = Adam([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.data.round(6).tolist()
    [0.5, 199.5]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad)

    def check(self, group: Group) -> None:
        _check(self, group)

    def arrays(self, group: Group) -> dict[str, float]:
        return _arrays(group)

    def update(self, p: Array, g: Array, state: dict[str, Array], group: Group, count: int, s: Array, t: Array) -> None:
        _move(p, decayed(p, g, group["weight_decay"], t), state, group, count, s)


class AdamW(ElementwiseOptimizer):
    """Adam, but weights decay by themselves, as `p *= 1 - lr * weight_decay`, and not by way of the gradient, whose
    size Adam would take out again.

    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019. Other settings as those of `Adam`.

    >>> from autograd import Tensor
    >>> x = Tensor(np.array([1.0, 200.0]))
    >>> optimizer = AdamW([x], lr=0.5, weight_decay=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.data.round(6).tolist()
    [0.45, 189.5]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad)

    def check(self, group: Group) -> None:
        _check(self, group)

    def arrays(self, group: Group) -> dict[str, float]:
        return _arrays(group)

    def update(self, p: Array, g: Array, state: dict[str, Array], group: Group, count: int, s: Array, t: Array) -> None:
        p *= 1.0 - group["lr"] * group["weight_decay"]
        _move(p, g, state, group, count, s)


def _check(owner: Optimizer, group: Group) -> None:
    at_least_zero(owner, group, "lr", "eps", "weight_decay")
    two_below_one(owner, group, "betas")
    flags(owner, group, "amsgrad")


def _arrays(group: Group) -> dict[str, float]:
    arrays = {"exp_avg": 0.0, "exp_avg_sq": 0.0}
    return {**arrays, "max_exp_avg_sq": 0.0} if group["amsgrad"] else arrays


def _move(p: Array, g: Array, state: dict[str, Array], group: Group, count: int, s: Array) -> None:
    m, v = state["exp_avg"], state["exp_avg_sq"]
    beta1, beta2 = group["betas"]
    m *= beta1
    m += np.multiply(g, 1.0 - beta1, out=s)
    v *= beta2
    np.multiply(g, g, out=s)
    s *= 1.0 - beta2
    v += s
    if group["amsgrad"]:
        v = np.maximum(state["max_exp_avg_sq"], v, out=state["max_exp_avg_sq"])
    # lr (m / c1) / (√(v / c2) + eps), with what does not vary taken out
    root = math.sqrt(1.0 - beta2**count)
    np.sqrt(v, out=s)
    s += group["eps"] * root
    np.divide(m, s, out=s)
    s *= group["lr"] * root / (1.0 - beta1**count)
    p -= s
