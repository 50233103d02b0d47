"""Reductions: sums, means, extremes, norms, and the softmax family."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from autograd.arguments import number
from autograd.arrays import norms, sums
from autograd.arrays.joining import concatenate, stack
from autograd.arrays.shaping import Axis, axes_of, broadcast_to, cast, flag, flip, hashable, moveaxis, operand, reshape
from autograd.elementwise import equal, exp, isfinite, not_equal, ratio, sign, where
from autograd.graph import Primitive


def _kept(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """`shape` with 1 for the axes that a reduction removes."""
    gone = axes_of(axis, len(shape)) if shape else ()  # NumPy lets a number be reduced over axis 0
    return tuple(1 if i in gone else n for i, n in enumerate(shape))


def _back(g: Any, x: Any, axis: Axis) -> Any:
    """The result of a reduction of `x`, or its cotangent, in a shape that broadcasts against `x`."""
    return g if axis is None else reshape(g, _kept(x.shape, axis))


def _count(shape: tuple[int, ...], axis: Axis) -> int:
    return math.prod(shape[a] for a in axes_of(axis, len(shape)))


def _settings(axis: Axis, keepdims: bool = False) -> dict[str, Any]:
    return ({} if axis is None else {"axis": axis}) | ({"keepdims": True} if keepdims else {})


@cache
def _sum(axis: Axis, keepdims: bool) -> Primitive:
    return Primitive(
        "sum",
        None,
        sums.adder(axis, keepdims),
        lambda g, z, x: broadcast_to(_back(g, x, axis), x.shape),
        settings=_settings(axis, keepdims),
        sign="Σ",
    )


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum of the elements, over `axis` or all."""
    return _sum(hashable(axis, "sum"), flag(keepdims))(x)


@cache
def _mean(axis: Axis, keepdims: bool) -> Primitive:
    add = sums.adder(axis, keepdims)
    return Primitive(
        "mean",
        None,
        lambda x: add(x) / _count(x.shape, axis) if x.itemsize > 2 else sums.mean(x, axis, keepdims),
        lambda g, z, x: broadcast_to(_back(over(g, _count(x.shape, axis)), x, axis), x.shape),
        settings=_settings(axis, keepdims),
    )


def over(g: Any, count: float) -> Any:
    """`g / count`, also where float16 has no such number as `count`."""
    if count <= 65504:
        return g / count
    root = 2.0 ** (int(count).bit_length() // 2)
    return g / root / (count / root)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The arithmetic mean, over `axis` or all."""
    x = operand(x, "mean")
    return _mean(hashable(axis, "mean"), flag(keepdims))(x)


def freedom(count: int, ddof: float) -> float:
    """The divisor of a sum of squared deviations: at least 0, so that the result is inf or nan, as NumPy's is."""
    return count - ddof if count > ddof else 0.0


def var(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The variance: squared deviations from the mean, summed and divided by `n - ddof`."""
    x, ddof = operand(x, "var"), number("var", "ddof", ddof, infinite=True, nan=True)
    if x.dtype == np.float16:
        return cast(var(cast(x, np.float32), axis, ddof, keepdims), np.float16)
    deviations = x - mean(x, axis, keepdims=True)
    return sum(deviations * deviations, axis, keepdims) / freedom(_count(x.shape, hashable(axis, "var")), ddof)


def std(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The standard deviation; its slope is 0 where all elements are equal."""
    x, ddof = operand(x, "std"), number("std", "ddof", ddof, infinite=True, nan=True)
    if x.dtype == np.float16:
        return cast(std(cast(x, np.float32), axis, ddof, keepdims), np.float16)
    count = _count(x.shape, hashable(axis, "std"))
    apart = x - mean(x, axis, keepdims=True)
    # The deviation of one number is 0 everywhere, and so smooth.
    deviations = sum(apart, axis, keepdims) if count == 1 else norm(apart, axis=axis, keepdims=keepdims)
    less = freedom(count, ddof)
    return deviations / (np.sqrt(np.longdouble(less)) if x.dtype == np.longdouble else math.sqrt(less))


def _extreme(name: str, array: Any, axis: Axis, keepdims: bool) -> Primitive:
    def rule(g: Any, z: Any, x: Any) -> Any:
        tied = equal(x, _back(z, x, axis))
        return _back(g, x, axis) * (tied / sums.wide(tied, axis, True))

    return Primitive(
        name, None, lambda x: array(x, axis=axis, keepdims=keepdims), rule, settings=_settings(axis, keepdims)
    )


@cache
def _max(axis: Axis, keepdims: bool) -> Primitive:
    return _extreme("max", np.max, axis, keepdims)


@cache
def _min(axis: Axis, keepdims: bool) -> Primitive:
    return _extreme("min", np.min, axis, keepdims)


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element; its cotangent is split evenly between equal ones."""
    return _max(hashable(axis, "max"), flag(keepdims))(x)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element; its cotangent is split evenly between equal ones."""
    return _min(hashable(axis, "min"), flag(keepdims))(x)


@cache
def _prod(axis: Axis, keepdims: bool) -> Primitive:
    return Primitive(
        "prod",
        None,
        sums.in_single(lambda x: np.prod(x, axis=axis, keepdims=keepdims)),
        lambda g, z, x: _back(g, x, axis) * _others(x, axis),
        settings=_settings(axis, keepdims),
        sign="Π",
    )


def _others(x: Any, axis: Axis) -> Any:
    """For each element, the product of the others over `axis`: exact also where elements are zero."""
    if x.dtype == np.float16:
        return cast(_others(cast(x, np.float32), axis), np.float16)
    axes = axes_of(axis, len(x.shape)) if x.shape else ()
    first = tuple(range(len(axes)))
    moved = moveaxis(x, axes, first)
    rows = reshape(moved, (_count(x.shape, axes), *moved.shape[len(axes) :]))
    return moveaxis(reshape(_other_rows(rows), moved.shape), first, axes)


def _other_rows(x: Any) -> Any:
    n = x.shape[0]
    if n < 2:
        return np.ones(x.shape, x.dtype)
    left, right = x[: n - 1 : 2], x[1::2]
    beside = left * right
    beside = _other_rows(concatenate([beside, x[n - 1 :]]) if n % 2 else beside)
    pairs = reshape(stack([right * beside[: n // 2], left * beside[: n // 2]], 1), (n - n % 2, *x.shape[1:]))
    return concatenate([pairs, beside[n // 2 :]]) if n % 2 else pairs


def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product of the elements, over `axis` or all; its derivatives, of any order, are exact also where elements are
    zero."""
    return _prod(hashable(axis, "prod"), flag(keepdims))(operand(x, "prod"))


def _cumulated(x: Any, axis: int) -> Any:
    x = np.asarray(x)
    if x.dtype.kind != "f" or x.itemsize > 4:
        return np.cumsum(x, axis)
    return np.cumsum(x, axis, np.float64).astype(x.dtype)  # NumPy adds float16 one after another in float16


@cache
def _cumsum(axis: int) -> Primitive:
    return Primitive(
        "cumsum",
        None,
        lambda x: _cumulated(x, axis),
        lambda g, z, x: flip(_cumsum(axis)(flip(g, axis)), axis),
        settings=_settings(axis),
    )


def cumsum(x: Any, axis: int | None = None) -> Any:
    """Running sums along `axis`; of the flattened array for None."""
    axis = hashable(axis, "cumsum")
    return _cumsum(0)(reshape(x, -1)) if axis is None or (axis in (0, -1) and not np.ndim(x)) else _cumsum(axis)(x)


@cache
def _norm(axis: Axis, keepdims: bool) -> Primitive:
    return Primitive(
        "norm",
        None,
        lambda x: norms.euclidean(x, axis, keepdims),
        lambda g, z, x: _back(g, x, axis) * ratio(x, _back(z, x, axis)),
        settings=_settings(axis, keepdims),
    )


@cache
def _p_norm(p: float, axis: Axis, keepdims: bool) -> Primitive:
    def rule(g: Any, z: Any, x: Any) -> Any:
        # An element of 0 has slope 0, also where mathematics has an infinite one, for p below 1. The slope of that slope
        # is nan where there is none: below 2 at every 0, and otherwise at the origin.
        z = _back(z, x, axis)
        smooth = not_equal(x if p < 2.0 else z, 0.0)
        direction = where(smooth, sign(x), ratio(x, smooth))
        share = where(x, abs(ratio(x, z)), 1.0) ** (p - 1.0)
        return _back(g, x, axis) * (direction * where(z, share, equal(x, 0.0)))

    settings = {"ord": float(f"{p:g}"), **_settings(axis, keepdims)}
    return Primitive("norm", None, lambda x: norms.p_norm(x, p, axis, keepdims), rule, settings=settings)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The Euclidean (of a matrix: Frobenius) norm, with slope 0 at 0; of vectors also `ord` 1, inf and other p.

    Where a slope is 0 by convention, second derivatives are nan: at the origin, and where p < 2 at every 0.
    """
    x = operand(x, "norm")
    axis = hashable(axis, "norm")
    if ord is not None and not isinstance(ord, str):
        ord = number("norm", "ord", ord, infinite=True)
    one_axis = len(axes_of(axis, len(x.shape))) == 1
    if ord is None or (ord == 2 and one_axis) or (ord == "fro" and not one_axis):
        return _norm(axis, flag(keepdims))(x)
    if one_axis and ord == np.inf:
        return max(abs(x), axis, keepdims)
    if one_axis and ord == -np.inf:
        return min(abs(x), axis, keepdims)
    if one_axis and ord == 1:
        return sum(abs(x), axis, keepdims)
    if one_axis and isinstance(ord, (int, float)) and ord == ord != 0:
        return _p_norm(float(ord), axis, flag(keepdims))(x)
    raise ValueError(f"norm has no rule for ord={ord!r} of an array of shape {x.shape} over axis={axis}")


@cache
def _logsumexp(axis: Axis, keepdims: bool) -> Primitive:
    total = sums.adder(axis, True)

    def forward(x: Any) -> Any:
        top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
        top = np.where(np.isfinite(top), top, np.zeros_like(top))
        with np.errstate(divide="ignore"):
            z = np.log(total(np.exp(x - top))) + top
        gone = axes_of(axis, x.ndim)
        return z if keepdims else z.reshape([n for i, n in enumerate(x.shape) if i not in gone])

    def rule(g: Any, z: Any, x: Any) -> Any:
        z = _back(z, x, axis)
        e = exp(x - z)
        # The weights sum to 1 also where z has no digits left for the logarithm; those of infinities are nan.
        return e * (_back(g, x, axis) / where(isfinite(z), sum(e, axis, True), 1.0))

    return Primitive(
        "logsumexp", None, lambda x: sums.in_single(forward)(np.asarray(x)), rule, settings=_settings(axis, keepdims)
    )


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`log(sum(exp(x)))`, without overflow."""
    return _logsumexp(hashable(axis, "logsumexp"), flag(keepdims))(x)


@cache
def _softmax(axis: Axis) -> Primitive:
    total = sums.adder(axis, True)

    def forward(x: Any) -> Any:
        e = np.exp(x - np.max(x, axis=axis, keepdims=True))
        e /= total(e)
        return e

    return Primitive(
        "softmax",
        None,
        sums.in_single(forward),
        lambda g, z, x: z * (g - sum(g * z, axis, keepdims=True)),
        settings=_settings(axis),
    )


def softmax(x: Any, axis: Any = -1) -> Any:
    """Exponentials divided by their sum along `axis`, without overflow."""
    return _softmax(hashable(axis, "softmax"))(x)


@cache
def _log_softmax(axis: Axis) -> Primitive:
    total = sums.adder(axis, True)

    def forward(x: Any) -> Any:
        shifted = x - np.max(x, axis=axis, keepdims=True)
        shifted -= np.log(total(np.exp(shifted)))
        return shifted

    return Primitive(
        "log_softmax",
        None,
        sums.in_single(forward),
        lambda g, z, x: g - exp(z) * sum(g, axis, keepdims=True),
        settings=_settings(axis),
    )


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """The logarithm of softmax along `axis`, without overflow."""
    return _log_softmax(hashable(axis, "log_softmax"))(x)
