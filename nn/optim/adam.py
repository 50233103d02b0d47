"""Adam: steps of about one size, whatever the size of the gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from nn.optim.optimizer import Array, Optimizer, at_least_zero


class Adam(Optimizer):
    """`p -= lr * m / (√v + eps)`, with running means `m` of the gradient and `v` of its square, both freed of their
    bias towards the zeros they start from.

    Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1. `betas` are the weights of the
    past in the two means; `weight_decay * p` is added to the gradient.

    >>> from autograd import Tensor
    >>> x = Tensor(np.array([1.0, 200.0]))
    >>> optimizer = Adam([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.data.round(6).tolist()
    [0.5, 199.5]
    """

    settings = ("lr", "betas", "eps", "weight_decay")
    arrays = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        for beta in betas:
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"betas must be from 0 to below 1, got {betas!r}")
        self.betas = (betas[0], betas[1])
        self.eps = at_least_zero("eps", eps)
        self.weight_decay = at_least_zero("weight_decay", weight_decay)
        super().__init__(params, lr)

    def update(self, p: Array, g: Array, state: dict[str, Array], count: int, s: Array, t: Array) -> None:
        m, v = state["exp_avg"], state["exp_avg_sq"]
        beta1, beta2 = self.betas
        if self.weight_decay:
            np.multiply(p, self.weight_decay, out=t)
            g = np.add(t, g, out=t)
        m *= beta1
        m += np.multiply(g, 1.0 - beta1, out=s)
        v *= beta2
        np.multiply(g, g, out=s)
        s *= 1.0 - beta2
        v += s
        # lr (m / c1) / (√(v / c2) + eps), with what does not vary taken out
        root = math.sqrt(1.0 - beta2**count)
        np.sqrt(v, out=s)
        s += self.eps * root
        np.divide(m, s, out=s)
        s *= self.lr * root / (1.0 - beta1**count)
        p -= s
