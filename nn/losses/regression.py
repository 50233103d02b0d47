"""Losses that compare numbers with numbers."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import autograd as ag
from autograd.arrays import sums
from autograd.graph import Primitive
from nn.losses.base import Loss, fused, of_one_shape, shared
from nn.validation import number


class MSELoss(Loss):
    """The squared difference of two arrays of one shape, averaged over all elements.

    Other shapes are a ValueError, even where they would broadcast: `(n,)` against `(n, 1)` would compare each with all.

    >>> MSELoss()(ag.Tensor([1.0, 2.0]), np.array([1.0, 4.0])).item()
    2.0
    """

    def forward(self, input: ag.Tensor, target: Any) -> ag.Tensor:
        return _SQUARED_ERROR[self.reduction](*of_one_shape(self, input, target))


class L1Loss(Loss):
    """The absolute difference of two arrays of one shape, averaged over all elements; its slope is 0 at 0.

    >>> L1Loss()(ag.Tensor([1.0, 2.0]), np.array([1.0, 4.0])).item()
    1.0
    """

    def forward(self, input: ag.Tensor, target: Any) -> ag.Tensor:
        return _ABSOLUTE_ERROR[self.reduction](*of_one_shape(self, input, target))


class HuberLoss(Loss):
    """Half the squared difference d of two arrays of one shape where |d| is at most `delta`; farther out it goes on as
    a straight line, `delta * (|d| - delta/2)`, so that outliers pull no harder.

    Huber, "Robust estimation of a location parameter", 1964. A `delta` that is not above 0 is a ValueError.

    >>> HuberLoss("none")(ag.Tensor([1.5, 2.0]), np.array([1.0, 5.0])).tolist()
    [0.125, 2.5]
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = float(number("HuberLoss", "delta", delta, above=0))

    def forward(self, input: ag.Tensor, target: Any) -> ag.Tensor:
        return _huber(self.delta)[self.reduction](*of_one_shape(self, input, target))

    def extra_repr(self) -> str:
        return ", ".join(filter(None, [super().extra_repr(), f"delta={self.delta}" if self.delta != 1.0 else ""]))


def _sum_of_squares(x: Any, y: Any, count: float = 1.0) -> Any:
    """The sum of squared differences, divided by `count`, in the dtype of a difference."""
    differences = np.subtract(x, y)
    z = sums.sum_of_squares(differences) / count
    return z if differences.itemsize > 2 else z.astype(differences.dtype)


def _slope(g: Any, x: Any, y: Any) -> Any:
    """The derivative of the mean by x. In float16 a small `g / n` has few digits, so it is multiplied last."""
    if x.dtype == np.float16:
        return shared((2.0 * (x - y)) * g, x.size)
    return shared(2.0 * g, x.size) * (x - y)


_SQUARED_ERROR = {
    "none": Primitive(
        "squared_error",
        None,
        lambda x, y: np.square(np.subtract(x, y)),
        lambda g, z, x, y: g * (2.0 * (x - y)),
        lambda g, z, x, y: g * (2.0 * (y - x)),
        elementwise=True,
    ),
    "sum": Primitive(
        "squared_error",
        None,
        _sum_of_squares,
        lambda g, z, x, y: (2.0 * g) * (x - y),
        lambda g, z, x, y: (2.0 * g) * (y - x),
    ),
    "mean": Primitive(
        "mean_squared_error",
        None,
        lambda x, y: _sum_of_squares(x, y, x.size or np.nan),
        lambda g, z, x, y: _slope(g, x, y),
        lambda g, z, x, y: _slope(g, y, x),
    ),
}

_ABSOLUTE_ERROR = fused(
    "absolute_error",
    lambda x, y: np.abs(np.subtract(x, y)),
    lambda x, y: ag.sign(x - y),
    lambda x, y: ag.sign(y - x),
)


def _huber_forward(x: Any, y: Any, delta: float) -> Any:
    far = np.abs(np.subtract(x, y))
    near = np.minimum(far, delta)
    return near * (far - 0.5 * near)


@cache
def _huber(delta: float) -> dict[str, Primitive]:
    return fused(
        "huber",
        lambda x, y: _huber_forward(x, y, delta),
        lambda x, y: ag.clip(x - y, -delta, delta),
        lambda x, y: ag.clip(y - x, -delta, delta),
    )
