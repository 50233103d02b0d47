"""Adam and AdamW: steps of about one size, whatever the size of the gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import autograd as ag
from nn.optim.elementwise_optimizer import ElementwiseOptimizer, with_decay
from nn.optim.optimizer import Group
from nn.optim.settings import Flag, NonNegative, TwoBelowOne, declared


class _Adam(ElementwiseOptimizer):
    """The formula of both, which differ in how weights decay."""

    _decoupled: ClassVar[bool]

    def initial_state(self, group: Group) -> dict[str, float | None]:
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0, "max_exp_avg_sq": 0.0 if group["amsgrad"] else None}

    @classmethod
    def update(
        cls, p: float, g: float, m: float, v: float, v_max: float, t: int,
        *, lr: float, betas: tuple[float, float], eps: float, weight_decay: float, amsgrad: bool,
    ) -> tuple[float, ...]:  # fmt: skip
        beta1, beta2 = betas
        if cls._decoupled:
            p = p * (1 - lr * weight_decay)
        else:
            g = with_decay(g, p, weight_decay)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        if amsgrad:
            v_max = ag.maximum(v_max, v)
        # The biases are corrected by the size of the step, as at the end of the paper's section 2.
        root = ag.sqrt(1 - beta2**t)
        quotient = m / (ag.sqrt(v_max if amsgrad else v) + eps * root)
        return p - lr * root / (1 - beta1**t) * quotient, m, v, v_max


class Adam(_Adam):
    """`p -= lr * m / (√v + eps)`, with running means `m` of the gradient and `v` of its square, both freed of their
    bias towards the zeros they start from.

    Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1. `betas` are the weights of the
    past in the two means; `weight_decay * p` is added to the gradient. With `amsgrad` the largest `v` so far takes the
    place of `v` (Reddi et al., "On the convergence of Adam and beyond", 2018).

    >>> from autograd import Tensor
    >>> x = Tensor([1.0, 200.0])
    >>> optimizer = Adam([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.data.round(6).tolist()
    [0.5, 199.5]
    """

    _decoupled = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: NonNegative = 1e-3,
        betas: TwoBelowOne = (0.9, 0.999),
        eps: NonNegative = 1e-8,
        weight_decay: NonNegative = 0.0,
        amsgrad: Flag = False,
    ) -> None:
        super().__init__(params, **declared(locals()))


class AdamW(_Adam):
    """Adam, but weights decay by themselves, as `p *= 1 - lr * weight_decay`, and not by way of the gradient, whose
    size Adam would take out again.

    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019. Other settings as those of `Adam`.

    >>> from autograd import Tensor
    >>> x = Tensor([1.0, 200.0])
    >>> optimizer = AdamW([x], lr=0.5, weight_decay=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.data.round(6).tolist()
    [0.45, 189.5]
    """

    _decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: NonNegative = 1e-3,
        betas: TwoBelowOne = (0.9, 0.999),
        eps: NonNegative = 1e-8,
        weight_decay: NonNegative = 1e-2,
        amsgrad: Flag = False,
    ) -> None:
        super().__init__(params, **declared(locals()))
