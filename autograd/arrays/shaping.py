"""The shape, the order and the dtype of an array's elements, changed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.arguments import Axis as Axis
from autograd.arguments import check_kind, integer, integers, numbers, shown, wrong
from autograd.graph import Node, Primitive

if TYPE_CHECKING:
    from autograd.typing import A, Array, X


def operand(x: X, owner: str = "this function", name: str = "x") -> X:
    """`x` as something with a shape: a node or an array as it is, lists and numbers as arrays. `owner` is the function
    whose argument `name` it is."""
    return x if isinstance(x, (Node, np.ndarray)) else numbers(owner, name, x, "fiubc")  # type: ignore[return-value]  # the check keeps the kind


def hashable(axis: Any, owner: str = "this function", name: str = "axis", optional: bool = True) -> Axis:
    """An axis or a shape in a form that can be a key: lists become tuples, NumPy's integers Python's."""
    return axis if axis is None and optional else integers(owner, name, axis, optional)


def flag(keepdims: Any) -> bool:
    """`keepdims` as a bool: a dtype in its place, as NumPy's order of arguments would have it, is a TypeError."""
    if keepdims is True or keepdims is False:
        return keepdims
    if isinstance(keepdims, (int, np.bool_, np.integer)):
        return bool(keepdims)
    raise TypeError(
        f"keepdims must be True or False, got {shown(keepdims)}: give dtype= and the like by name, to np.sum and kin"
    )


def fixed(what: str, x: Any) -> np.ndarray[Any, Any]:
    """`x`, which has no derivative, as an array: nodes and masks are a TypeError that starts with `what`."""
    if isinstance(x, Node):
        raise TypeError(
            f"{what} must be plain numbers, which no derivative goes through, not {shown(x)}: take its .numpy()"
        )
    if isinstance(x, np.ndarray):
        check_kind(x)
    owner, _, name = what.partition(": ")
    return x if isinstance(x, np.ndarray) else numbers(owner, name, x, "fiubcmMOSUV")


def axes_of(axis: Axis, ndim: int) -> tuple[int, ...]:
    """`axis` as a tuple of numbers from 0; all axes for None."""
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, int) else axis
    for a in axes:
        if not -ndim <= a < ndim:
            raise ValueError(f"axis {a} is out of bounds for an array of {ndim} dimension{'s' * (ndim != 1)}")
    return tuple(a % ndim for a in axes)


def settings_of(axis: Axis, keepdims: bool = False) -> dict[str, Any]:
    """An axis and `keepdims` as settings of an operation, without those that are as NumPy has them."""
    return ({} if axis is None else {"axis": axis}) | ({"keepdims": True} if keepdims else {})


@cache
def _reshape(shape: tuple[int, ...]) -> Primitive:
    settings, numpy = {"shape": shape}, "np.reshape({0}, {shape})"  # whose name for the shape has changed
    forward = lambda x: np.reshape(x, shape)
    return Primitive("reshape", None, forward, lambda g, z, x: reshape(g, x.shape), settings=settings, numpy=numpy)


def reshape(x: A, *shape: Any) -> A:
    """`x` with its elements, in their order, in another shape; one length may be -1.

    >>> reshape(np.arange(4.0), (2, 2)).tolist()
    [[0.0, 1.0], [2.0, 3.0]]
    """
    new = integers("reshape", "shape", shape[0] if len(shape) == 1 else shape)
    return _reshape(new if isinstance(new, tuple) else (new,))(x)


def ravel(x: A) -> A:
    """`x` in one dimension."""
    return reshape(x, -1)


def along(owner: str, x: Any, axis: int | None) -> tuple[Any, int]:
    """The argument `x` of `owner` and the number from 0 of its one `axis`; for None, all in one dimension, and 0."""
    x = operand(x, owner)
    if axis is None:
        return ravel(x), 0
    return x, axes_of(integer(owner, "axis", axis), len(x.shape))[0]


TRANSPOSED: dict[str, Any] = {"plain": "{0}ᵀ", "latex": r"{0}^{{\top}}"}


@cache
def _transpose(axes: tuple[int, ...] | None) -> Primitive:
    back = None if axes is None else tuple(int(a) for a in np.argsort([a % len(axes) for a in axes]))
    settings = {} if axes is None else {"axes": axes}
    forward, facts = lambda x: np.transpose(x, axes), {} if axes else TRANSPOSED
    return Primitive("transpose", None, forward, lambda g, z, x: transpose(g, back), settings=settings, **facts)


def _order(axes: Any) -> tuple[int, ...] | None:
    """The axes of a transpose, each of which occurs once."""
    order = hashable(axes, "transpose", "axes")
    if order is None or (isinstance(order, tuple) and sorted(a % len(order) for a in order) == [*range(len(order))]):
        return order
    raise ValueError(wrong("transpose", "axes", "all axes, each once, in another order", axes))


def transpose(x: A, axes: Sequence[int] | None = None) -> A:
    """`x` with its axes in the order `axes`, by default reversed."""
    return _transpose(_order(axes))(x)


@cache
def _swapaxes(axis1: int, axis2: int) -> Primitive:
    forward = lambda x: np.swapaxes(x, axis1, axis2)
    settings, facts = {"axis1": axis1, "axis2": axis2}, TRANSPOSED if {axis1, axis2} == {-1, -2} else {}
    return Primitive("swapaxes", None, forward, lambda g, z, x: swapaxes(g, axis1, axis2), settings=settings, **facts)


def one_axis(axis: Any, owner: str, name: str = "axis") -> int:
    """One axis, as an integer, which may be negative."""
    return axis if type(axis) is int else integer(owner, name, axis)


def swapaxes(x: A, axis1: int, axis2: int) -> A:
    """`x` with two axes exchanged."""
    return _swapaxes(one_axis(axis1, "swapaxes", "axis1"), one_axis(axis2, "swapaxes", "axis2"))(x)


def mT(x: A) -> A:
    """`x` with its last two axes exchanged."""
    return swapaxes(x, -1, -2)


@cache
def _moveaxis(source: Axis, destination: Axis) -> Primitive:
    forward = lambda x: np.moveaxis(x, source, destination)  # type: ignore[arg-type]  # None is caught by NumPy
    settings = {"source": source, "destination": destination}
    return Primitive("moveaxis", None, forward, lambda g, z, x: moveaxis(g, destination, source), settings=settings)


def moveaxis(x: A, source: Axis, destination: Axis) -> A:
    """`x` with the axes `source` moved to `destination`."""
    return _moveaxis(integers("moveaxis", "source", source), integers("moveaxis", "destination", destination))(x)


@cache
def _expand_dims(axis: int | tuple[int, ...]) -> Primitive:
    forward = lambda x: np.expand_dims(x, axis)
    return Primitive("expand_dims", None, forward, lambda g, z, x: reshape(g, x.shape), settings={"axis": axis})


def expand_dims(x: A, axis: int | Sequence[int]) -> A:
    """`x` with new axes of length 1."""
    return _expand_dims(integers("expand_dims", "axis", axis))(x)


@cache
def _squeeze(axis: Axis) -> Primitive:
    forward = lambda x: np.squeeze(x, axis)
    return Primitive("squeeze", None, forward, lambda g, z, x: reshape(g, x.shape), settings=settings_of(axis))


def squeeze(x: A, axis: Axis = None) -> A:
    """`x` without its axes of length 1."""
    return _squeeze(hashable(axis, "squeeze"))(x)


def _broadcast(x: Array, shape: tuple[int, ...]) -> Array:
    x = np.asarray(x)
    if x.ndim == 0:  # the most common case, ten times as fast this way
        return np.ndarray(shape, x.dtype, x, strides=(0,) * len(shape))
    return np.broadcast_to(x, shape)


@cache
def _broadcast_to(shape: tuple[int, ...]) -> Primitive:
    # The whole derivative is a sum to the input's shape, which the traversal does with every cotangent.
    forward = lambda x: _broadcast(x, shape)
    return Primitive("broadcast_to", None, forward, lambda g, z, x: g, reads=False, settings={"shape": shape})


def broadcast_to(x: A, shape: Any) -> A:
    """`x` repeated, without a copy, along new axes and those of length 1."""
    shape = integers("broadcast_to", "shape", shape)
    return _broadcast_to(shape if isinstance(shape, tuple) else (shape,))(x)


@cache
def _flip(axis: Axis) -> Primitive:
    forward = lambda x: np.flip(x, axis)
    return Primitive("flip", None, forward, lambda g, z, x: flip(g, axis), settings=settings_of(axis))


def flip(x: A, axis: Axis = None) -> A:
    """`x` in reverse order along `axis`, by default along all."""
    return _flip(hashable(axis, "flip"))(x)


@cache
def _roll(shift: int | tuple[int, ...], axis: Axis) -> Primitive:
    back = tuple(-s for s in shift) if isinstance(shift, tuple) else -shift
    forward, settings = lambda x: np.roll(x, shift, axis), {"shift": shift} | settings_of(axis)
    return Primitive("roll", None, forward, lambda g, z, x: roll(g, back, axis), settings=settings)


def roll(x: A, shift: int | Sequence[int], axis: Axis = None) -> A:
    """`x` shifted cyclically along `axis`; along the flattened array for None."""
    return _roll(integers("roll", "shift", shift), hashable(axis, "roll"))(x)


def tile(x: A, reps: int | Sequence[int]) -> A:
    """`x` laid side by side, `reps` times along each axis."""
    x = operand(x, "tile")
    given: Any = integers("tile", "reps", reps)
    times: tuple[int, ...] = (given,) if isinstance(given, int) else given
    shape = (1,) * (len(times) - len(x.shape)) + x.shape
    times = (1,) * (len(shape) - len(times)) + times
    apart = reshape(x, [n for length in shape for n in (1, length)])
    wide = broadcast_to(apart, [n for rep, length in zip(times, shape, strict=True) for n in (rep, length)])
    return reshape(wide, [rep * length for rep, length in zip(times, shape, strict=True)])


@cache
def _cast(dtype: np.dtype[Any]) -> Primitive:
    forward, settings, numpy = lambda x: np.asarray(x, dtype), {"dtype": dtype}, "{0}.astype({dtype})"
    return Primitive("cast", None, forward, lambda g, z, x: g, reads=False, settings=settings, numpy=numpy)


def cast(x: A, dtype: Any) -> A:
    """`x` in another floating-point dtype; the cotangent comes back in the dtype of `x`."""
    try:
        dtype = np.dtype(dtype)
    except (TypeError, ValueError, RecursionError):
        raise TypeError(wrong("cast", "dtype", "a floating-point dtype, as np.float32", dtype)) from None
    if dtype.kind != "f":
        raise TypeError(f"a cast to {dtype} would detach from the graph: take .numpy().astype({dtype})")
    if np.iscomplexobj(x._data if isinstance(x, Node) else x):
        raise TypeError(f"a cast of complex numbers to {dtype} would lose their imaginary parts: take .real or .imag")
    return _cast(dtype)(x)
