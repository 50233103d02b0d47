"""NumPy's arithmetic and linear algebra beyond our single operations, with all of NumPy's arguments.

Each function has the name and the signature of NumPy's. `out` is refused before they are called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import elementwise as e
from autograd.arrays import linalg, shaping
from autograd.arrays.shaping import fixed, operand
from autograd.graph import Node, Primitive, Slope, value_of

if TYPE_CHECKING:
    from autograd.typing import Array, Numeric, Tensor, X


def _logaddexp_slope(x: Tensor, y: Tensor) -> Tensor:
    """The part that `exp(x)` has in `exp(x) + exp(y)`: a half of two equal infinities."""
    apart = x - y
    infinite = e.not_equal(apart, apart) * e.equal(x, y)
    return e.sigmoid(e.where(infinite, 0.0, apart))


def _float(ufunc: Any) -> Callable[..., float]:
    def forward(*args: float) -> float:
        with np.errstate(all="ignore"):
            return float(ufunc(*args))

    return forward


# Formulas in other operations would lose exact values, and derivatives of any order at ties and at infinities.
logaddexp = Primitive(
    "logaddexp",
    _float(np.logaddexp),
    np.logaddexp,
    Slope(lambda z, x, y: _logaddexp_slope(x, y)),
    Slope(lambda z, x, y: _logaddexp_slope(y, x)),
    elementwise=True,
)


_DEGREE = np.longdouble("3.14159265358979323846264338327950288") / 180


def _in_dtype_of(x: Any, constant: np.longdouble) -> np.longdouble | float:
    return constant if x.dtype == np.longdouble else float(constant)


def radians(x: Any) -> Any:
    return x * _in_dtype_of(x, _DEGREE)


def degrees(x: Any) -> Any:
    return x * _in_dtype_of(x, 1 / _DEGREE)


def fmax(x: Any, y: Any) -> Any:
    return e.where(np.isnan(value_of(y)), x, e.where(np.isnan(value_of(x)), y, e.maximum(x, y)))


def fmin(x: Any, y: Any) -> Any:
    return e.where(np.isnan(value_of(y)), x, e.where(np.isnan(value_of(x)), y, e.minimum(x, y)))


def heaviside(x: Any, y: Any) -> Numeric:
    jump = np.heaviside(value_of(x), value_of(y))
    return e.where(np.equal(value_of(x), 0.0), y, jump) if isinstance(y, Node) else jump


def float_power(x: Tensor, y: Tensor) -> Tensor:
    dtype = np.result_type(*(getattr(v, "dtype", v) for v in (x, y)), np.float64)
    return e.power(*(shaping.cast(v, dtype) if getattr(v, "dtype", dtype) != dtype else v for v in (x, y)))


def where(condition: Any, *branches: Any) -> Any:
    if len(branches) == 2:
        return e.where(condition, *map(_listed, branches))
    if branches:
        raise ValueError("np.where: either both or neither of x and y should be given")
    return np.where(value_of(condition))


def _listed(x: X) -> X:
    return operand(x) if isinstance(x, (list, tuple)) else x


def clip(
    a: Tensor, a_min: Any = None, a_max: Any = None, out: None = None, *, min: Any = None, max: Any = None
) -> Tensor:
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise ValueError(
            "np.clip: Passing `min` or `max` keyword argument when `a_min` and `a_max` are provided is forbidden."
        )
    low, high = (_listed(min if a_min is None else a_min), _listed(max if a_max is None else a_max))
    return e.clip(_listed(a), low, high)


def nan_to_num(x: Tensor, copy: Any = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    if not copy:
        raise TypeError("np.nan_to_num with copy=False has no rule here: leave it out, and use what is returned")
    limits = np.finfo(x.dtype)
    for bad, replacement in (
        (e.not_equal(x, x), nan),
        (e.equal(x, np.inf), limits.max if posinf is None else posinf),
        (e.equal(x, -np.inf), limits.min if neginf is None else neginf),
    ):
        number = fixed("np.nan_to_num: what is put in", replacement)
        if number.dtype.kind not in "biuf":
            raise TypeError(f"np.nan_to_num: what is put in must be real numbers, got {replacement!r}")
        number = number.astype(x.dtype)
        x = e.where(bad, number.item() if x.shape == number.shape == () else number, x)
    return x


# ---- Linear algebra


def dot(a: Tensor, b: Tensor, out: None = None) -> Tensor:
    return linalg.dot(a, b)


def vdot(a: Tensor, b: Tensor) -> Tensor:
    return linalg.dot(shaping.ravel(operand(a)), shaping.ravel(operand(b)))


def inner(a: Tensor, b: Tensor) -> Tensor:
    a, b = operand(a), operand(b)
    return linalg.tensordot(a, b, ([-1], [-1])) if len(a.shape) and len(b.shape) else a * b


def outer(a: Tensor, b: Tensor, out: None = None) -> Tensor:
    return linalg.outer(operand(a), operand(b))


def tensordot(a: Tensor, b: Tensor, axes: Any = 2) -> Tensor:
    return linalg.tensordot(a, b, axes)


def einsum(*operands: Any, out: None = None, optimize: Any = False, **kwargs: Any) -> Any:
    if kwargs.pop("order", "K") not in ("K", "A", "C", "F") or kwargs:
        raise TypeError(f"np.einsum with {', '.join(kwargs) or 'this order'} has no rule here: leave it out")
    return linalg.einsum(*operands)


def inv(a: Tensor) -> Tensor:
    return linalg.inv(a)


def solve(a: Tensor, b: Tensor) -> Tensor:
    return linalg.solve(operand(a), operand(b))


def det(a: Tensor) -> Tensor:
    return linalg.det(a)


def slogdet(a: Tensor) -> tuple[Array, Tensor]:
    sign, logarithm = linalg.slogdet(a)
    return type(np.linalg.slogdet(np.eye(1)))(sign, logarithm)


def cholesky(a: Tensor, *, upper: Any = False) -> Tensor:
    return linalg.mT(linalg.cholesky(linalg.mT(a))) if upper else linalg.cholesky(a)
