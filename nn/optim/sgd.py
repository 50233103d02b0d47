"""Gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from nn.optim.elementwise_optimizer import ElementwiseOptimizer, with_decay
from nn.optim.optimizer import Group
from nn.optim.settings import Flag, NonNegative, Real, declared


class SGD(ElementwiseOptimizer):
    """`p -= lr * v`, where `v = momentum * v + (1 - dampening) * g`, and `g` is the gradient plus `weight_decay * p`.

    The first `v` is `g`. With `nesterov`, `g + momentum * v` takes the place of `v` (Sutskever et al., "On the
    importance of initialization and momentum in deep learning", 2013, in PyTorch's form); that needs a momentum and no
    dampening.

    >>> from autograd import Tensor
    >>> x = Tensor([1.0, 2.0])
    >>> optimizer = SGD([x], lr=0.25)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.tolist()
    [0.5, 1.0]
    """

    _counts_steps: ClassVar[bool] = False  # PyTorch's does not

    def __init__(
        self,
        params: Iterable[Any],
        lr: NonNegative = 1e-3,
        momentum: NonNegative = 0.0,
        dampening: Real = 0.0,
        weight_decay: NonNegative = 0.0,
        nesterov: Flag = False,
    ) -> None:
        super().__init__(params, **declared(locals()))

    def _check(self, group: Group) -> None:
        super()._check(group)
        momentum, dampening = group["momentum"], group["dampening"]
        if group["nesterov"] and (not momentum or dampening):
            raise ValueError(f"nesterov needs a momentum and no dampening, got {momentum=} and {dampening=}")

    def initial_state(self, group: Group) -> dict[str, float | None]:
        return {"momentum_buffer": 0.0 if group["momentum"] else None}

    @staticmethod
    def update(
        p: float, g: float, v: float, t: int,
        *, lr: float, momentum: float, dampening: float, weight_decay: float, nesterov: bool,
    ) -> tuple[float, ...]:  # fmt: skip
        g = with_decay(g, p, weight_decay)
        if momentum:
            v = g if t == 1 else momentum * v + ((1 - dampening) * g if dampening else g)
            g = momentum * v + g if nesterov else v
        return p - lr * g, v
