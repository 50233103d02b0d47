"""Gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nn.optim.optimizer import Array, Optimizer, at_least_zero


class SGD(Optimizer):
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

    settings = ("lr", "momentum", "dampening", "weight_decay", "nesterov")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        self.momentum = at_least_zero("momentum", momentum)
        self.dampening = dampening
        self.weight_decay = at_least_zero("weight_decay", weight_decay)
        self.nesterov = nesterov
        if nesterov and (not momentum or dampening):
            raise ValueError(
                f"nesterov needs a momentum and no dampening, got momentum={momentum!r} and dampening={dampening!r}"
            )
        self.arrays = ("momentum_buffer",) if momentum else ()
        super().__init__(params, lr)

    def update(self, p: Array, g: Array, state: dict[str, Array], count: int, s: Array, t: Array) -> None:
        if self.weight_decay:
            np.multiply(p, self.weight_decay, out=t)
            g = np.add(t, g, out=t)
        if state:
            v = state["momentum_buffer"]
            if count == 1:
                v[...] = g
            else:
                v *= self.momentum
                v += np.multiply(g, 1.0 - self.dampening, out=s) if self.dampening else g
            if self.nesterov:
                np.multiply(v, self.momentum, out=s)
                g = np.add(s, g, out=t)
            else:
                g = v
        p -= np.multiply(g, self.lr, out=s)
