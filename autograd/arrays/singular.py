"""Derivatives of matrix functions at singular matrices: cofactors, and inverses that may be nan."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.arrays.reductions import sum
from autograd.arrays.shaping import expand_dims, mT
from autograd.graph import Primitive

if TYPE_CHECKING:
    from autograd.typing import Array, Tensor


def or_nan(forward: Callable[..., Array]) -> Callable[..., Array]:
    """`forward`, a NumPy function of stacks of matrices, with nan for each singular one instead of an error.

    For derivatives: they have no value there, and the user could not see where an error came from."""

    def lenient(a: Array, *rest: Any) -> Array:
        try:
            return forward(a, *rest)
        except np.linalg.LinAlgError:
            if a.ndim == 2:
                return np.full_like(forward(np.eye(len(a), dtype=a.dtype), *rest), np.nan)
        stack = np.broadcast_shapes(a.shape[:-2], *(b.shape[:-2] for b in rest))
        given = [np.broadcast_to(x, (*stack, *x.shape[-2:])) for x in (a, *rest)]
        return np.array([lenient(*each) for each in zip(*given, strict=True)])

    return lenient


def _through_inverse(g: Tensor, z: Tensor, x: Tensor) -> Tensor:
    return -(mT(z) @ g @ mT(z))


# The inverse, or nan where there is none.
inverse: Primitive = Primitive("inv", None, or_nan(np.linalg.inv), _through_inverse)


def _well_inverse(x: Array) -> Array:
    y = or_nan(np.linalg.inv)(x)
    condition = np.linalg.norm(x, axis=(-2, -1)) * np.linalg.norm(y, axis=(-2, -1))
    certain = condition * condition * np.finfo(y.dtype).eps < 0.01
    return np.where(certain[..., None, None], y, np.asarray(np.nan, y.dtype))


# And nan where two products with it have lost their digits: the matrix is singular but for rounding.
_certain_inverse = Primitive("inv", None, _well_inverse, _through_inverse)


def _all_but(s: Array, *axes: int) -> Array:
    """`s`, repeated along the last of `axes`, with 1 in place of the element that each axis counts through."""
    n = s.shape[-1]
    s = np.broadcast_to(s.reshape(*s.shape[:-1], *(1,) * len(axes), n), (*s.shape[:-1], *(n,) * len(axes), n))
    left_out = np.zeros((n,) * (len(axes) + 1), bool)
    for axis in axes:
        left_out |= np.eye(n, dtype=bool).reshape([n if i in (axis, len(axes)) else 1 for i in range(len(axes) + 1)])
    return np.where(left_out, np.ones_like(s), s)


def _decomposed(x: Any) -> tuple[Any, Any, Any, Any]:
    """`u`, `s` and `v` with x = u s v, and the determinant of `u @ v`, 1 or -1; nan where `x` is not finite."""
    well = np.isfinite(x).all((-2, -1))
    u, s, v = np.linalg.svd(np.where(well[..., None, None], x, np.zeros_like(x)))
    s = np.where(well[..., None], s, np.asarray(np.nan, s.dtype))
    return u, s, v, np.linalg.det(u @ v).round()[..., None, None]


def _cofactors(x: Array) -> Array:
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    try:
        d = np.linalg.det(x)[..., None, None]
        z: Array = d * np.swapaxes(np.linalg.inv(x), -1, -2)
        if (np.abs(d) >= np.finfo(d.dtype).tiny).all() and np.isfinite(z).all():
            return z
    except np.linalg.LinAlgError:
        pass
    # With x = u s v they are u c v, where c has the products of all singular values but one: exact at every rank.
    u, s, v, sign = _decomposed(x)
    with np.errstate(under="ignore"):
        z = (sign * u * _all_but(s, 0).prod(-1)[..., None, :]) @ v
        return z


def _along(x: Array, g: Array) -> Array:
    u, s, v, sign = _decomposed(x)
    eye = np.eye(s.shape[-1], dtype=s.dtype)
    inner = np.swapaxes(u, -1, -2) @ g @ np.swapaxes(v, -1, -2)
    with np.errstate(under="ignore"):
        pairs = _all_but(s, 0, 1).prod(-1) * (1 - eye)
        middle = eye * (pairs @ np.diagonal(inner, 0, -2, -1)[..., None]) - pairs * np.swapaxes(inner, -1, -2)
        z: Array = sign * u @ middle @ v
        return z


def _third(g: Tensor, z: Tensor, x: Tensor, h: Tensor) -> Tensor:
    """The derivative of det(x) * (tr(yg) tr(yh) - tr(ygyh)), with the inverse y of x, which is that of z along `g`."""
    y = _certain_inverse(x)
    yg, yh = y @ g, y @ h
    a, b = _trace(yg), _trace(yh)
    both = yg @ yh
    total = (a * b - _trace(both)) * y - b * (yg @ y) - a * (yh @ y) + both @ y + yh @ yg @ y
    return mT(total) / expand_dims(det(y), (-2, -1))  # not times det(x): a factor of 0 would hide that y is nan


def _trace(x: Tensor) -> Tensor:
    return sum(x * np.eye(x.shape[-1], dtype=x.dtype), (-2, -1), True)


# The derivative of the determinant is right at every rank, and so is its own. A third is nan where `x` is singular.
det: Primitive = Primitive(
    "det",
    None,
    np.linalg.det,
    lambda g, z, x: expand_dims(g, (-2, -1)) * cofactors(x),
    doc="The determinant of a matrix, or of a stack of them; its derivatives hold for singular ones too.",
)
cofactors: Primitive = Primitive("cofactors", None, _cofactors, lambda g, z, x: _cofactors_along(x, g))
_along_rules = _third, lambda g, z, x, h: _cofactors_along(x, g)
_cofactors_along: Primitive = Primitive("cofactors_along", None, _along, *_along_rules)
