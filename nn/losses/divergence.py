"""How far one distribution is from another."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from autograd.operators import plain
from nn.losses.base import Loss, fused, of_one_shape
from nn.validation import flag


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

    def forward(self, input: ag.Tensor, target: Any) -> ag.Tensor:
        input, target = of_one_shape(self, input, target)
        loss = _KL_DIV_LOG if self.log_target else _KL_DIV
        if self.reduction != "batchmean":
            return loss[self.reduction](input, target)
        rows = self.weight_of(input, target)
        return loss["sum"](input, target) / (rows or np.nan)

    def weight_of(self, input: Any, target: Any) -> float:
        shape = np.shape(plain(input))
        return float(shape[0] if shape else 1) if self.reduction == "batchmean" else super().weight_of(input, target)

    def extra_repr(self) -> str:
        return ", ".join(filter(None, [super().extra_repr(), "log_target=True" if self.log_target else ""]))


def _kl_div(x: Any, y: Any) -> Any:
    positive = np.where(y, y, np.ones_like(y))
    return y * np.log(positive) - y * np.where(y, x, np.zeros_like(x))


def _log_or_zero(y: Any) -> Any:
    return ag.log(ag.where(y, y, 1.0))


_KL_DIV = fused("kl_div", _kl_div, lambda x, y: -y, lambda x, y: _log_or_zero(y) + 1.0 - x)


def _kl_div_log(x: Any, y: Any) -> Any:
    share = np.exp(y)
    with np.errstate(invalid="ignore"):
        return np.where(share, share * np.subtract(y, x), np.zeros_like(share))


_KL_DIV_LOG = fused(
    "kl_div",
    _kl_div_log,
    lambda x, y: -ag.exp(y),
    lambda x, y: ag.exp(y) * ag.where(ag.exp(y), y - x + 1.0, 0.0),
)
