"""Reductions: sums, means, extremes, norms, and the softmax family."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.arguments import number
from autograd.arrays import norms, shaping, sums
from autograd.arrays.joining import concatenate, stack
from autograd.arrays.shaping import Axis, axes_of, broadcast_to, cast, flag, flip, hashable, moveaxis, operand, reshape
from autograd.arrays.sums import count, kept
from autograd.elementwise import equal, exp, isfinite, not_equal, ratio, sign, where
from autograd.graph import Primitive, Pullback

if TYPE_CHECKING:
    from autograd.typing import A, Array, Tensor


def _back(g: Tensor, x: Tensor, axis: Axis) -> Tensor:
    """The result of a reduction of `x`, or its cotangent, in a shape that broadcasts against `x`."""
    return g if axis is None else reshape(g, kept(x.shape, axis))


def _along(name: str, forward: Any, rule: Any, sign: str | None = None) -> Callable[..., Primitive]:
    """The operations `name`, one for each axis (and `keepdims`), which are made when first needed, and kept.

    `forward(axis, keepdims)` gives the function of arrays, `rule(axis)` its pullback.
    """

    @cache
    def operation(axis: Axis, keepdims: bool = False) -> Primitive:
        settings = shaping.settings_of(axis, keepdims)
        return Primitive(name, None, forward(axis, keepdims), rule(axis), settings=settings, sign=sign)

    return operation


_sum = _along("sum", sums.adder, lambda axis: lambda g, z, x: broadcast_to(_back(g, x, axis), x.shape), sign="Σ")


def sum(x: A, axis: Any = None, keepdims: bool = False) -> A:
    """The sum of the elements, over `axis` or all."""
    return _sum(hashable(axis, "sum"), flag(keepdims))(x)


def _mean_forward(axis: Axis, keepdims: bool) -> Callable[[Any], Any]:
    add = sums.adder(axis, keepdims)
    return lambda x: add(x) / count(x.shape, axis) if x.itemsize > 2 else sums.mean(x, axis, keepdims)


def _mean_rule(axis: Axis) -> Pullback:
    return lambda g, z, x: broadcast_to(_back(over(g, count(x.shape, axis)), x, axis), x.shape)


_mean = _along("mean", _mean_forward, _mean_rule)


def over(g: Tensor, n: float) -> Tensor:
    """`g / n`, also where float16 has no such number as `n`."""
    if n <= 65504:
        return g / n
    root = 2.0 ** (int(n).bit_length() // 2)
    return g / root / (n / root)


def mean(x: A, axis: Any = None, keepdims: bool = False) -> A:
    """The arithmetic mean, over `axis` or all."""
    x = operand(x, "mean")
    return _mean(hashable(axis, "mean"), flag(keepdims))(x)


def freedom(n: int, ddof: float) -> float:
    """The divisor of a sum of squared deviations: at least 0, so that the result is inf or nan, as NumPy's is."""
    return n - ddof if n > ddof else 0.0


def var(x: A, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> A:
    """The variance: squared deviations from the mean, summed and divided by `n - ddof`."""
    x, ddof = operand(x, "var"), number("var", "ddof", ddof, infinite=True, nan=True)
    if x.dtype == np.float16:
        return cast(var(cast(x, np.float32), axis, ddof, keepdims), np.float16)
    deviations = x - mean(x, axis, keepdims=True)
    z: A = sum(deviations * deviations, axis, keepdims) / freedom(count(x.shape, hashable(axis, "var")), ddof)
    return z


def std(x: A, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> A:
    """The standard deviation; its slope is 0 where all elements are equal."""
    x, ddof = operand(x, "std"), number("std", "ddof", ddof, infinite=True, nan=True)
    if x.dtype == np.float16:
        return cast(std(cast(x, np.float32), axis, ddof, keepdims), np.float16)
    apart = x - mean(x, axis, keepdims=True)
    n = count(x.shape, hashable(axis, "std"))
    # The deviation of one number is 0 everywhere, and so smooth.
    deviations = sum(apart, axis, keepdims) if n == 1 else norm(apart, axis=axis, keepdims=keepdims)
    less = freedom(n, ddof)
    return deviations / (np.sqrt(np.longdouble(less)) if x.dtype == np.longdouble else math.sqrt(less))


def _extreme_rule(axis: Axis) -> Pullback:
    def rule(g: Tensor, z: Tensor, x: Tensor) -> Tensor:
        tied: Any = equal(x, _back(z, x, axis))
        weight: Array = tied / sums.wide(tied, axis, True)
        return _back(g, x, axis) * weight

    return rule


_max = _along("max", lambda axis, keepdims: partial(np.max, axis=axis, keepdims=keepdims), _extreme_rule)
_min = _along("min", lambda axis, keepdims: partial(np.min, axis=axis, keepdims=keepdims), _extreme_rule)


def max(x: A, axis: Any = None, keepdims: bool = False) -> A:
    """The largest element; its cotangent is split evenly between equal ones."""
    return _max(hashable(axis, "max"), flag(keepdims))(x)


def min(x: A, axis: Any = None, keepdims: bool = False) -> A:
    """The smallest element; its cotangent is split evenly between equal ones."""
    return _min(hashable(axis, "min"), flag(keepdims))(x)


def _prod_forward(axis: Axis, keepdims: bool) -> Callable[[Any], Any]:
    return sums.in_single(lambda x: np.prod(x, axis=axis, keepdims=keepdims))


_prod = _along("prod", _prod_forward, lambda axis: lambda g, z, x: _back(g, x, axis) * _others(x, axis), sign="Π")


def _others(x: Tensor, axis: Axis) -> Tensor:
    """For each element, the product of the others over `axis`: exact also where elements are zero."""
    if x.dtype == np.float16:
        return cast(_others(cast(x, np.float32), axis), np.float16)
    axes = axes_of(axis, len(x.shape)) if x.shape else ()
    first = tuple(range(len(axes)))
    moved = moveaxis(x, axes, first)
    rows = reshape(moved, (count(x.shape, axes), *moved.shape[len(axes) :]))
    return moveaxis(reshape(_other_rows(rows), moved.shape), first, axes)


def _other_rows(x: Tensor) -> Tensor:
    n = x.shape[0]
    if n < 2:
        return np.ones(x.shape, x.dtype)  # type: ignore[return-value]  # a constant
    left, right = x[: n - 1 : 2], x[1::2]
    beside = left * right
    beside = _other_rows(concatenate([beside, x[n - 1 :]]) if n % 2 else beside)
    pairs = reshape(stack([right * beside[: n // 2], left * beside[: n // 2]], 1), (n - n % 2, *x.shape[1:]))
    return concatenate([pairs, beside[n // 2 :]]) if n % 2 else pairs


def prod(x: A, axis: Any = None, keepdims: bool = False) -> A:
    """The product of the elements, over `axis` or all; its derivatives, of any order, are exact also where elements are
    zero."""
    return _prod(hashable(axis, "prod"), flag(keepdims))(operand(x, "prod"))


def _cumulated(x: Array, axis: int) -> Array:
    x = np.asarray(x)
    if x.dtype.kind != "f" or x.itemsize > 4:
        return np.cumsum(x, axis)
    return np.cumsum(x, axis, np.float64).astype(x.dtype)  # NumPy adds float16 one after another in float16


def _cumsum_rule(axis: int) -> Pullback:
    return lambda g, z, x: flip(_cumsum(axis)(flip(g, axis)), axis)


_cumsum = _along("cumsum", lambda axis, _: partial(_cumulated, axis=axis), _cumsum_rule)


def cumsum(x: A, axis: int | None = None) -> A:
    """Running sums along `axis`; of the flattened array for None."""
    place = hashable(axis, "cumsum")
    return _cumsum(0)(reshape(x, -1)) if place is None or (place in (0, -1) and not np.ndim(x)) else _cumsum(place)(x)


def _norm_rule(axis: Axis) -> Pullback:
    return lambda g, z, x: _back(g, x, axis) * ratio(x, _back(z, x, axis))


_norm = _along("norm", lambda axis, keepdims: lambda x: norms.euclidean(x, axis, keepdims), _norm_rule)


@cache
def _p_norm(p: float, axis: Axis, keepdims: bool) -> Primitive:
    def rule(g: Tensor, z: Tensor, x: Tensor) -> Tensor:
        # An element of 0 has slope 0, also where mathematics has an infinite one, for p below 1. The slope of that slope
        # is nan where there is none: below 2 at every 0, and otherwise at the origin.
        z = _back(z, x, axis)
        smooth = not_equal(x if p < 2.0 else z, 0.0)
        direction = where(smooth, sign(x), ratio(x, smooth))
        weight = where(x, abs(ratio(x, z)), 1.0) ** (p - 1.0)
        return _back(g, x, axis) * (direction * where(z, weight, equal(x, 0.0)))

    settings = {"ord": float(f"{p:g}"), **shaping.settings_of(axis, keepdims)}
    return Primitive("norm", None, lambda x: norms.p_norm(x, p, axis, keepdims), rule, settings=settings)


_NORMS: dict[Any, Callable[..., Any]] = {np.inf: max, -np.inf: min, 1: sum}  # of absolute values


def norm(x: A, ord: Any = None, axis: Any = None, keepdims: bool = False) -> A:
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
    if one_axis and ord in _NORMS:
        z: A = _NORMS[ord](abs(x), axis, keepdims)
        return z
    if one_axis and isinstance(ord, (int, float)) and ord == ord != 0:
        return _p_norm(float(ord), axis, flag(keepdims))(x)
    raise ValueError(f"norm has no rule for ord={ord!r} of an array of shape {x.shape} over axis={axis}")


def _logsumexp_forward(axis: Axis, keepdims: bool) -> Callable[[Any], Any]:
    total = sums.adder(axis, True)

    def forward(x: Array) -> Array:
        z: Array
        top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
        top = np.where(np.isfinite(top), top, np.zeros_like(top))
        with np.errstate(divide="ignore"):
            z = np.log(total(np.exp(x - top))) + top
        return z if keepdims else z.squeeze(axis)

    return lambda x: sums.in_single(forward)(np.asarray(x))


def _logsumexp_rule(axis: Axis) -> Pullback:
    def rule(g: Tensor, z: Tensor, x: Tensor) -> Tensor:
        z = _back(z, x, axis)
        e = exp(x - z)
        # The weights sum to 1 also where z has no digits left for the logarithm; those of infinities are nan.
        return e * (_back(g, x, axis) / where(isfinite(z), sum(e, axis, True), 1.0))

    return rule


_logsumexp = _along("logsumexp", _logsumexp_forward, _logsumexp_rule)


def logsumexp(x: A, axis: Any = None, keepdims: bool = False) -> A:
    """`log(sum(exp(x)))`, without overflow."""
    return _logsumexp(hashable(axis, "logsumexp"), flag(keepdims))(x)


def _softmax_forward(axis: Axis, _: bool) -> Callable[[Any], Any]:
    total = sums.adder(axis, True)

    def forward(x: Array) -> Array:
        e: Array = np.exp(x - np.max(x, axis=axis, keepdims=True))
        e /= total(e)
        return e

    return sums.in_single(forward)


_softmax = _along("softmax", _softmax_forward, lambda axis: lambda g, z, x: z * (g - sum(g * z, axis, keepdims=True)))


def softmax(x: A, axis: Any = -1) -> A:
    """Exponentials divided by their sum along `axis`, without overflow."""
    return _softmax(hashable(axis, "softmax"))(x)


def _log_softmax_forward(axis: Axis, _: bool) -> Callable[[Any], Any]:
    total = sums.adder(axis, True)

    def forward(x: Array) -> Array:
        shifted: Array = x - np.max(x, axis=axis, keepdims=True)
        shifted -= np.log(total(np.exp(shifted)))
        return shifted

    return sums.in_single(forward)


def _log_softmax_rule(axis: Axis) -> Pullback:
    return lambda g, z, x: g - exp(z) * sum(g, axis, keepdims=True)


_log_softmax = _along("log_softmax", _log_softmax_forward, _log_softmax_rule)


def log_softmax(x: A, axis: Any = -1) -> A:
    """The logarithm of softmax along `axis`, without overflow."""
    return _log_softmax(hashable(axis, "log_softmax"))(x)
