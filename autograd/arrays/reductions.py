"""Many elements to few: sums, means, extremes, norms, and the softmax family."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from autograd.arguments import number
from autograd.arrays.indexing import index
from autograd.arrays.joining import concatenate
from autograd.arrays.shaping import Axis, axes_of, broadcast_to, flag, flip, hashable, moveaxis, operand, reshape
from autograd.elementwise import equals, exp, finite, nonzero, where
from autograd.graph import Primitive


def _kept(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """`shape` with 1 for the axes that a reduction takes away."""
    gone = axes_of(axis, len(shape)) if shape else ()  # NumPy lets a number be reduced over axis 0
    return tuple(1 if i in gone else n for i, n in enumerate(shape))


def _back(g: Any, x: Any, axis: Axis) -> Any:
    """The result of a reduction of `x`, or its cotangent, in a shape that broadcasts against `x`."""
    return g if axis is None else reshape(g, _kept(x.shape, axis))


def _count(shape: tuple[int, ...], axis: Axis) -> int:
    return math.prod(shape[a] for a in axes_of(axis, len(shape)))


def _name(name: str, axis: Axis) -> str:
    return name if axis is None else f"{name}(axis={axis})"


_add: Any = np.add.reduce  # np.sum less its wrappers, which take longer than a small sum


@cache
def _sum(axis: Axis, keepdims: bool) -> Primitive:
    return Primitive(
        _name("sum", axis),
        None,
        lambda x: _add(x, axis, None, None, keepdims),
        lambda g, z, x: broadcast_to(_back(g, x, axis), x.shape),
    )


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum of the elements, over `axis` or all."""
    return _sum(hashable(axis, "sum"), flag(keepdims))(x)


@cache
def _mean(axis: Axis, keepdims: bool) -> Primitive:
    return Primitive(
        _name("mean", axis),
        None,
        lambda x: _add(x, axis, None, None, keepdims) / _count(x.shape, axis),
        lambda g, z, x: broadcast_to(_back(g / _count(x.shape, axis), x, axis), x.shape),
    )


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The arithmetic mean, over `axis` or all."""
    x = operand(x, "mean")
    return _mean(hashable(axis, "mean"), flag(keepdims))(x)


def freedom(count: int, ddof: float) -> float:
    """What a sum of squared deviations is divided by: not below 0, where NumPy gives infinity or nan."""
    return count - ddof if count > ddof else 0.0


def var(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The variance: squared deviations from the mean, summed and divided by `n - ddof`."""
    x, ddof = operand(x, "var"), number("var", "ddof", ddof, infinite=True, nan=True)
    deviations = x - mean(x, axis, keepdims=True)
    return sum(deviations * deviations, axis, keepdims) / freedom(_count(x.shape, hashable(axis, "var")), ddof)


def std(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The standard deviation; its slope is 0 where all elements are equal."""
    x, ddof = operand(x, "std"), number("std", "ddof", ddof, infinite=True, nan=True)
    deviations = norm(x - mean(x, axis, keepdims=True), axis=axis, keepdims=keepdims)
    less = freedom(_count(x.shape, hashable(axis, "std")), ddof)
    return deviations / (np.sqrt(np.longdouble(less)) if x.dtype == np.longdouble else math.sqrt(less))


def _extreme(name: str, array: Any, axis: Axis, keepdims: bool) -> Primitive:
    def rule(g: Any, z: Any, x: Any) -> Any:
        tied = equals(x, _back(z, x, axis))
        return _back(g, x, axis) * (tied / np.sum(tied, axis=axis, keepdims=True))

    return Primitive(_name(name, axis), None, lambda x: array(x, axis=axis, keepdims=keepdims), rule)


@cache
def _max(axis: Axis, keepdims: bool) -> Primitive:
    return _extreme("max", np.max, axis, keepdims)


@cache
def _min(axis: Axis, keepdims: bool) -> Primitive:
    return _extreme("min", np.min, axis, keepdims)


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element; elements that tie share its cotangent evenly."""
    return _max(hashable(axis, "max"), flag(keepdims))(x)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element; elements that tie share its cotangent evenly."""
    return _min(hashable(axis, "min"), flag(keepdims))(x)


def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product of the elements: halves are multiplied until one is left, so its derivatives, of any order, are
    exact also where elements are zero."""
    x = operand(x, "prod")
    shape, keepdims = x.shape, flag(keepdims)
    axes = axes_of(
        hashable(axis, "prod") if shape or not (isinstance(axis, int) and axis in (0, -1)) else None, len(shape)
    )
    if len(set(axes)) < len(axes):
        raise ValueError(f"prod: axis={axis} names an axis twice")
    rest = [n for i, n in enumerate(shape) if i not in axes]
    x = reshape(moveaxis(x, axes, tuple(range(len(axes)))), [math.prod(shape[a] for a in axes), *rest])
    if x.shape[0] == 0:
        x = concatenate([x, np.ones((1, *rest), x.dtype)])
    while (n := x.shape[0]) > 1:
        half = index(x, slice(n // 2)) * index(x, slice(n // 2, 2 * (n // 2)))
        x = concatenate([half, index(x, slice(n - 1, n))]) if n % 2 else half
    return reshape(x, _kept(shape, hashable(axis, "prod")) if keepdims else rest)


@cache
def _cumsum(axis: int) -> Primitive:
    return Primitive(
        _name("cumsum", axis),
        None,
        lambda x: np.cumsum(x, axis=axis),
        lambda g, z, x: flip(_cumsum(axis)(flip(g, axis)), axis),
    )


def cumsum(x: Any, axis: int | None = None) -> Any:
    """Running sums along `axis`; of the flattened array for None."""
    axis = hashable(axis, "cumsum")
    return _cumsum(0)(reshape(x, -1)) if axis is None or (axis in (0, -1) and not np.ndim(x)) else _cumsum(axis)(x)


@cache
def _norm(axis: Axis, keepdims: bool) -> Primitive:
    return Primitive(
        _name("norm", axis),
        None,
        lambda x: np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims)),
        lambda g, z, x: _back(g, x, axis) * (x / nonzero(_back(z, x, axis))),
    )


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The Euclidean (of a matrix: Frobenius) norm, with slope 0 at 0; of vectors also `ord` 1, inf and other p."""
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
    if one_axis and isinstance(ord, (int, float)) and ord != 0:
        powers = sum(abs(x) ** ord, axis, keepdims)
        return powers if ord == 1 else powers ** (x.dtype.type(1) / ord if x.dtype == np.longdouble else 1.0 / ord)
    raise ValueError(f"norm has no rule for ord={ord!r} of an array of shape {x.shape} over axis={axis}")


def _logsumexp_forward(x: Any, axis: Axis, keepdims: bool) -> Any:
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, np.zeros_like(top))
    with np.errstate(divide="ignore"):
        z = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return z if keepdims else z.reshape(tuple(n for n, k in zip(x.shape, _is_kept(x.shape, axis), strict=True) if k))


def _is_kept(shape: tuple[int, ...], axis: Axis) -> list[bool]:
    gone = axes_of(axis, len(shape))
    return [i not in gone for i in range(len(shape))]


@cache
def _logsumexp(axis: Axis, keepdims: bool) -> Primitive:
    def rule(g: Any, z: Any, x: Any) -> Any:
        z = _back(z, x, axis)
        return _back(g, x, axis) * exp(x - where(finite(z), z, 0.0))

    return Primitive(_name("logsumexp", axis), None, lambda x: _logsumexp_forward(np.asarray(x), axis, keepdims), rule)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`log(sum(exp(x)))`, without overflow."""
    return _logsumexp(hashable(axis, "logsumexp"), flag(keepdims))(x)


def _softmax_forward(x: Any, axis: Axis) -> Any:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    e /= np.sum(e, axis=axis, keepdims=True)
    return e


@cache
def _softmax(axis: Axis) -> Primitive:
    return Primitive(
        _name("softmax", axis),
        None,
        lambda x: _softmax_forward(x, axis),
        lambda g, z, x: z * (g - sum(g * z, axis, keepdims=True)),
    )


def softmax(x: Any, axis: Any = -1) -> Any:
    """Exponentials divided by their sum along `axis`, without overflow."""
    return _softmax(hashable(axis, "softmax"))(x)


def _log_softmax_forward(x: Any, axis: Axis) -> Any:
    shifted = x - np.max(x, axis=axis, keepdims=True)
    shifted -= np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))
    return shifted


@cache
def _log_softmax(axis: Axis) -> Primitive:
    return Primitive(
        _name("log_softmax", axis),
        None,
        lambda x: _log_softmax_forward(x, axis),
        lambda g, z, x: g - exp(z) * sum(g, axis, keepdims=True),
    )


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """The logarithm of softmax along `axis`, without overflow."""
    return _log_softmax(hashable(axis, "log_softmax"))(x)
