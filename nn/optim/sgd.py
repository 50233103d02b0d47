"""Gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from nn.optim.elementwise import Array, ElementwiseOptimizer, decayed
from nn.optim.optimizer import Group, at_least_zero, flags
from nn.validation import number


class SGD(ElementwiseOptimizer):
    """`p -= lr * v`, where `v = momentum * v + (1 - dampening) * g`, and `g` is the gradient plus `weight_decay * p`.

    The first `v` is `g`. With `nesterov`, `g + momentum * v` takes the place of `v` (Sutskever et al., "On the
    importance of initialization and momentum in deep learning", 2013, in PyTorch's form); that needs a momentum and no
    dampening.

    >>> from autograd import Tensor
    >>> x = Tensor(np.array([1.0, 2.0]))
    >>> optimizer = SGD([x], lr=0.25)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.tolist()
    [0.5, 1.0]
    """

    counts: ClassVar[bool] = False  # PyTorch's does not

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(
            params, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov
        )

    def check(self, group: Group) -> None:
        at_least_zero(self, group, "lr", "momentum", "weight_decay")
        flags(self, group, "nesterov")
        group["dampening"] = number("SGD", "dampening", group["dampening"])
        momentum, dampening = group["momentum"], group["dampening"]
        if group["nesterov"] and (not momentum or dampening):
            raise ValueError(
                f"nesterov needs a momentum and no dampening, got momentum={momentum!r} and dampening={dampening!r}"
            )

    def arrays(self, group: Group) -> dict[str, float]:
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def update(self, p: Array, g: Array, state: dict[str, Array], group: Group, count: int, s: Array, t: Array) -> None:
        g = decayed(p, g, group["weight_decay"], t)
        if state:
            v = state["momentum_buffer"]
            if count == 1:
                v[...] = g
            else:
                v *= group["momentum"]
                v += np.multiply(g, 1.0 - group["dampening"], out=s) if group["dampening"] else g
            if group["nesterov"]:
                np.multiply(v, group["momentum"], out=s)
                g = np.add(s, g, out=t)
            else:
                g = v
        p -= np.multiply(g, group["lr"], out=s)
