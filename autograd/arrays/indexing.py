"""Indexing: elements taken out of an array, and put into one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from autograd.arguments import integer, numbers, shown, wrong
from autograd.arrays import scattering
from autograd.arrays.shaping import along, axes_of, fixed, hashable, moveaxis, operand, ravel
from autograd.elementwise import where
from autograd.graph import Node, Primitive

if TYPE_CHECKING:
    from autograd.typing import A, Array, Constant, Operand, Tensor

COPYING = ("edge", "reflect", "symmetric", "wrap")  # the modes of pad that take elements as they are
_COMPUTING = ("empty", "linear_ramp", "maximum", "mean", "median", "minimum")  # and NumPy's others


def _is_basic(key: Any) -> bool:
    """Whether `x[key]` is a view in NumPy. In a view no element occurs twice."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(part is None or part is Ellipsis or isinstance(part, (int, np.integer, slice)) for part in parts)


def _checked(key: Any) -> Any:
    """A copy of `key` whose arrays the caller cannot change. A node in it is a TypeError."""
    if isinstance(key, tuple):
        return tuple(map(_checked, key))
    if isinstance(key, Node):
        raise TypeError(
            f"an index must be integers, booleans or slices, not {shown(key)}: take its .numpy().astype(int)"
        )
    if isinstance(key, (np.ndarray, list)):
        array = np.array(fixed("an index: key", key))
        return array if array.size or array.dtype != float else array.astype(int)  # an empty list, as NumPy has it
    return key


def _index(key: Any) -> Primitive:
    rule, settings = lambda g, z, x: _scatter(key, x.shape)(g), {"key": key}
    return Primitive("index", None, lambda x: x[key], rule, settings=settings, numpy="{0}[{key}]")


def _scatter(key: Any, shape: tuple[int, ...]) -> Primitive:
    """The transpose of an index: zeros with `y` added at `key`, more than once where `key` repeats an element."""

    def forward(y: Array) -> Array:
        out = np.zeros(shape, np.result_type(y, np.float16))
        if _is_basic(key):
            out[key] = y
            return out
        return scattering.add_at(out, key, y)

    return Primitive("scatter", None, forward, lambda g, z, y: _index(key)(g), settings={"key": key, "shape": shape})


def index(x: A, key: Any) -> A:
    """`x[key]`, for basic and advanced keys; elements read more than once accumulate their cotangents."""
    return _index(_checked(key))(x)


@overload
def index_update(x: Array, key: Any, y: Constant) -> Array: ...
@overload
def index_update(x: Array | Tensor, key: Any, y: Operand) -> Tensor: ...
def index_update(x: Any, key: Any, y: Any) -> Any:
    """A copy of `x` in which `copy[key]` is `y`: what `x[key] = y` would do, differentiable in `x` and in `y`.

    Where `key` names an element twice, the last value wins, as in NumPy, and it alone gets the cotangent.

    >>> index_update(np.zeros(3), 1, 5.0).tolist()
    [0.0, 5.0, 0.0]
    """
    key = _checked(key)

    def forward(x: Array, y: Array) -> Array:
        out = np.array(x, np.result_type(x, y, np.float16))
        out[key] = y
        return out

    def to_y(g: A, z: A, x: A, y: A) -> A:
        picked = index(g, key)
        if _is_basic(key):
            return picked
        order = np.arange(picked.size).reshape(picked.shape)
        last = np.zeros(x.shape, int)
        last[key] = order
        mine: Array = last[key] == order
        return where(mine, picked, 0.0)

    to_x = lambda g, z, x, y: index_update(g, key, 0.0)
    return Primitive("index_update", None, forward, to_x, to_y, reads=False, settings={"key": key})(x, y)


def take(x: A, indices: Any, axis: int | None = None) -> A:
    """The elements (or the slices along `axis`) of `x` at `indices`."""
    x = operand(x, "take")
    x, axis = along("take", x if x.shape else ravel(x), axis)
    places = fixed("take: indices", indices)
    if places.dtype.kind not in "iub" and (places.size or isinstance(indices, np.ndarray)):
        raise TypeError(f"take: indices must be integers, got {places.dtype}: use .astype(int)")
    return index(x, (slice(None),) * axis + (places.astype(int),))


def repeat(x: A, repeats: Any, axis: int | None = None) -> A:
    """`x` with each element repeated `repeats` times, along `axis` or in the flattened array."""
    x, axis = along("repeat", x, axis)
    times = fixed("repeat: repeats", repeats)
    try:
        places = np.repeat(np.arange(x.shape[axis]), times)
    except (TypeError, ValueError):
        wanted = f"an integer from 0, or {x.shape[axis]} of them, one for each element along the axis"
        raise ValueError(wrong("repeat", "repeats", wanted, repeats)) from None
    return take(x, places, axis)


def _take_along(indices: Any, axis: int) -> Primitive:
    def rule(g: A, z: A, x: A) -> A:
        key = list(np.ogrid[tuple(slice(n) for n in x.shape)])  # the indices broadcast against the other axes
        key[axis] = indices
        return _scatter(tuple(key), x.shape)(g)

    forward = lambda x: np.take_along_axis(x, indices, axis)
    return Primitive("take_along_axis", None, forward, rule, settings={"indices": indices, "axis": axis})


def take_along_axis(x: A, indices: Any, axis: int | None) -> A:
    """The elements of `x` at `indices` along `axis`, matched with it along the other axes."""
    x, axis = along("take_along_axis", x, axis)
    places = fixed("take_along_axis: indices", indices)
    return _take_along(np.array(places), axis)(x)


def sort(x: A, axis: int | None = -1) -> A:
    """`x` in ascending order along `axis`; each cotangent goes back to where its element came from."""
    x, axis = along("sort", x, axis)
    if not isinstance(x, Node):
        return np.sort(x, axis)
    return take_along_axis(x, np.argsort(x._data, axis, kind="stable"), axis)


def diagonal(x: A, offset: int = 0, axis1: int = 0, axis2: int = 1) -> A:
    """The diagonal of the matrices in `axis1` and `axis2`, as the last axis."""
    x = operand(x, "diagonal")
    offset = integer("diagonal", "offset", offset)
    axis1, axis2 = axes_of((integer("diagonal", "axis1", axis1), integer("diagonal", "axis2", axis2)), len(x.shape))
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = x.shape[-2:]
    n = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    i = np.arange(n)
    return index(x, (Ellipsis, i - min(offset, 0), i + max(offset, 0)))


def diag(x: A, k: int = 0) -> A:
    """The `k`-th diagonal of a matrix, or the matrix that has the vector `x` there and zeros elsewhere."""
    x, k = operand(x, "diag"), integer("diag", "k", k)
    if len(x.shape) == 2:
        return diagonal(x, k)
    if len(x.shape) != 1:
        raise ValueError(f"diag needs a vector or a matrix, got shape {x.shape}: use diagonal for stacks of matrices")
    n = x.shape[0] + abs(k)
    i = np.arange(x.shape[0])
    return index_update(np.zeros((n, n), x.dtype), (i - min(k, 0), i + max(k, 0)), x)


def _triangle(owner: str, mask: Callable[[Array, int], Array], x: A, k: int) -> A:
    """Matrices `x`, with zeros where `mask` leaves elements out."""
    x, k = operand(x, owner), integer(owner, "k", k)
    if not x.shape:
        raise ValueError(f"{owner} needs matrices (..., rows, columns), got a number: reshape it")
    return where(mask(np.ones(x.shape[-2:], bool), k), x, 0.0)


def triu(x: A, k: int = 0) -> A:
    """`x` with zeros below the `k`-th diagonal."""
    return _triangle("triu", np.triu, x, k)


def tril(x: A, k: int = 0) -> A:
    """`x` with zeros above the `k`-th diagonal."""
    return _triangle("tril", np.tril, x, k)


def _pad(widths: tuple[tuple[int, int], ...], value: Any) -> Primitive:
    def rule(g: A, z: A, x: A) -> A:
        return index(g, tuple(slice(low, low + n) for (low, _), n in zip(widths, x.shape, strict=True)))

    settings = {"pad_width": widths, "constant_values": value}
    return Primitive("pad", None, lambda x: np.pad(x, widths, constant_values=value), rule, settings=settings)


def pad(x: A, pad_width: Any, mode: str = "constant", constant_values: Any = 0.0) -> A:
    """`x` with margins, of constants or (`mode` "edge", "reflect", "symmetric", "wrap") of its own elements.

    `constant_values` is one number, a pair (before, after), or a pair for each axis.
    """
    x = operand(x, "pad")
    if not isinstance(mode, str) or mode not in ("constant", *COPYING):
        kind = TypeError if not isinstance(mode, str) or mode in _COMPUTING else ValueError
        raise kind(f"np.pad has no rule for mode={shown(mode)} here: use one of {', '.join(('constant', *COPYING))}")
    pad_width = fixed("pad: pad_width", pad_width)
    if pad_width.dtype.kind not in "iu" and pad_width.size:
        raise TypeError(wrong("pad", "pad_width", "integers", pad_width.tolist()))
    try:
        pairs = np.broadcast_to(pad_width, (len(x.shape), 2))
    except ValueError:
        wanted = f"one integer, a pair, or {len(x.shape)} pairs"
        raise ValueError(wrong("pad", "pad_width", wanted, pad_width)) from None
    if (pairs < 0).any():
        raise ValueError(wrong("pad", "pad_width", "integers from 0", pad_width.tolist()))
    widths: Any = tuple(hashable(pair) for pair in pairs)
    if mode == "constant":
        values = numbers("pad", "constant_values", fixed("pad: constant_values", constant_values))
        return _pad(widths, values)(x)
    for axis, (pair, n) in enumerate(zip(widths, x.shape, strict=True)):
        x = take(x, np.pad(np.arange(n), pair, mode=mode), axis)  # type: ignore[call-overload]  # mode is NumPy's to check
    return x
