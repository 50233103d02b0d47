"""The loss of support vector machines for several classes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import autograd as ag
from autograd.arrays import sums
from autograd.graph import Primitive
from autograd.operators import plain
from nn.losses.base import as_input
from nn.losses.classification import ClassLoss, reduced
from nn.validation import integer, number


class MultiMarginLoss(ClassLoss):
    """`sum over j ≠ y of max(0, margin - x[y] + x[j])**p / classes`, a row: the right class should win by `margin`.

    `input` are scores of shape `(n, classes)`, `target` the n right classes as integers from 0; or `(classes,)` and one
    integer. `p` is 1 or 2; `weight` has one factor a class, for rows of that class. The mean is over rows (Crammer and
    Singer, "On the algorithmic implementation of multiclass kernel-based vector machines", 2001, in PyTorch's form).

    >>> MultiMarginLoss()(ag.Tensor([[0.5, 0.0, 2.0]]), [0]).item()
    1.0
    """

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(weight, ignore_index=None, reduction=reduction)
        if integer("MultiMarginLoss", "p", p) not in (1, 2):
            raise ValueError(f"MultiMarginLoss needs p as 1 or 2, got {p!r}")
        self.p, self.margin = int(p), float(number("MultiMarginLoss", "margin", margin))

    def forward(self, input: ag.Tensor, target: Any) -> ag.Tensor:
        input = as_input(self, input)
        shape = np.shape(plain(input))
        if len(shape) > 2:
            raise ValueError(f"MultiMarginLoss needs scores of shape (n, classes), got {shape}: reshape them")
        q, _ = self.shares(input, target)
        rows = 1.0 if len(shape) == 1 else float(shape[0])
        return _multi_margin(self.p, self.margin, self.reduction)(input, q, rows)

    def weight_of(self, input: Any, target: Any) -> float:
        return float(np.size(plain(target)))

    def extra_repr(self) -> str:
        margin = f"margin={self.margin}" if self.margin != 1.0 else ""
        return ", ".join(filter(None, [f"p={self.p}" if self.p != 1 else "", margin, super().extra_repr()]))


def _margins(x: Any, q: Any, margin: float) -> tuple[Any, Any, Any]:
    """By how much each class falls short, which are the wrong ones, with the row's weight, and which the right one."""
    right = np.where(q, np.ones_like(q), np.zeros_like(q))
    wrong = (1.0 - right) * sums.add(q, -1, True)
    return margin - ag.sum(right * x, -1, keepdims=True) + x, wrong, right


@cache
def _multi_margin(p: int, margin: float, reduction: str) -> Primitive:
    def forward(x: Any, q: Any) -> Any:
        m, wrong, _ = _margins(np.asarray(x), q, margin)
        return sums.add(wrong * np.maximum(m, 0.0) ** p, -1) / q.shape[-1]

    def slope(x: Any, q: Any) -> Any:
        m, wrong, right = _margins(x, q, margin)
        s = wrong * (ag.step(m) if p == 1 else 2.0 * ag.relu(m)) / q.shape[-1]
        return s - right * ag.sum(s, -1, keepdims=True)

    return reduced("multi_margin", -1, reduction, forward, slope, None)
