"""Adagrad, RMSprop and Lion: the gradient divided by its usual size, or its sign alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import autograd as ag
from nn.optim.elementwise_optimizer import ElementwiseOptimizer, with_decay
from nn.optim.optimizer import Group
from nn.optim.settings import BelowOne, Flag, NonNegative, TwoBelowOne, declared


class Adagrad(ElementwiseOptimizer):
    """`p -= lr * g / (√(sum of all g²) + eps)`: what has moved much slows down.

    Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011. In
    step k, from 0, `lr / (1 + k * lr_decay)` takes the place of `lr`; `weight_decay * p` is added to the gradient.

    >>> from autograd import Tensor
    >>> x = Tensor([1.0, 200.0])
    >>> optimizer = Adagrad([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.data.round(6).tolist()
    [0.5, 199.5]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: NonNegative = 1e-2,
        lr_decay: NonNegative = 0.0,
        weight_decay: NonNegative = 0.0,
        initial_accumulator_value: NonNegative = 0.0,
        eps: NonNegative = 1e-10,
    ) -> None:
        super().__init__(params, **declared(locals()))

    def initial_state(self, group: Group) -> dict[str, float | None]:
        return {"sum": group["initial_accumulator_value"]}

    @staticmethod
    def update(
        p: float, g: float, total: float, t: int,
        *, lr: float, lr_decay: float, weight_decay: float, eps: float, **_: float,
    ) -> tuple[float, ...]:  # fmt: skip
        g = with_decay(g, p, weight_decay)
        total = total + g**2
        return p - lr / (1 + (t - 1) * lr_decay) * (g / (ag.sqrt(total) + eps)), total


class RMSprop(ElementwiseOptimizer):
    """`p -= lr * g / (√v + eps)`, with a running mean `v` of `g²`, in which the past has the weight `alpha`.

    Tieleman and Hinton, "Lecture 6.5: RMSprop", 2012. `centered` subtracts the square of the running mean of `g` from
    `v` (Graves, "Generating sequences with recurrent neural networks", 2013). With a momentum, the quotients are summed
    as in `SGD`. `weight_decay * p` is added to the gradient.

    >>> from autograd import Tensor
    >>> x = Tensor([1.0, 200.0])
    >>> optimizer = RMSprop([x], lr=0.5, alpha=0.75)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.data.round(6).tolist()
    [0.0, 199.0]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: NonNegative = 1e-2,
        alpha: BelowOne = 0.99,
        eps: NonNegative = 1e-8,
        weight_decay: NonNegative = 0.0,
        momentum: NonNegative = 0.0,
        centered: Flag = False,
    ) -> None:
        super().__init__(params, **declared(locals()))

    def initial_state(self, group: Group) -> dict[str, float | None]:
        velocity, mean = (0.0 if group[name] else None for name in ("momentum", "centered"))
        return {"square_avg": 0.0, "momentum_buffer": velocity, "grad_avg": mean}

    @staticmethod
    def update(
        p: float, g: float, v: float, velocity: float, mean: float, t: int,
        *, lr: float, alpha: float, eps: float, weight_decay: float, momentum: float, centered: bool,
    ) -> tuple[float, ...]:  # fmt: skip
        g = with_decay(g, p, weight_decay)
        v = alpha * v + (1 - alpha) * g**2
        if centered:
            mean = alpha * mean + (1 - alpha) * g
        quotient = g / (ag.sqrt(v - mean**2 if centered else v) + eps)
        if momentum:
            quotient = velocity = momentum * velocity + quotient
        return p - lr * quotient, v, velocity, mean


class Lion(ElementwiseOptimizer):
    """`p -= lr * sign(β₁ m + (1 - β₁) g)`, then `m = β₂ m + (1 - β₂) g`: every element moves by the same amount.

    Chen et al., "Symbolic discovery of optimization algorithms", 2023, algorithm 2. Before, weights decay as
    `p *= 1 - lr * weight_decay`. The learning rate is best 3 to 10 times smaller than Adam's, the decay larger.

    >>> from autograd import Tensor
    >>> x = Tensor([1.0, -200.0])
    >>> optimizer = Lion([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.tolist()
    [0.5, -199.5]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: NonNegative = 1e-4,
        betas: TwoBelowOne = (0.9, 0.99),
        weight_decay: NonNegative = 0.0,
    ) -> None:
        super().__init__(params, **declared(locals()))

    def initial_state(self, group: Group) -> dict[str, float | None]:
        return {"exp_avg": 0.0}

    @staticmethod
    def update(
        p: float, g: float, m: float, t: int, *, lr: float, betas: tuple[float, float], weight_decay: float
    ) -> tuple[float, ...]:
        beta1, beta2 = betas
        if weight_decay:
            p = p * (1 - lr * weight_decay)
        return p - lr * ag.sign(beta1 * m + (1 - beta1) * g), beta2 * m + (1 - beta2) * g
