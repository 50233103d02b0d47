"""NumPy's functions that reshape, index and join, with all of NumPy's arguments, in terms of ours.

Each function has the name and the signature of NumPy's. `out` is refused before they are called.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import elementwise as e
from autograd.arrays import indexing, joining, shaping
from autograd.arrays.shaping import fixed, operand
from autograd.graph import Node, value_of
from autograd.numpy_reductions import real

if TYPE_CHECKING:
    from autograd.typing import Tensor


def _in_order(name: str, x: Tensor, order: Any) -> Tensor:
    """`x` with its axes exchanged, so that an operation in C's order does what NumPy does in `order`."""
    if order == "C":
        return x
    if order == "F":
        return shaping.transpose(x)
    if order not in ("A", "K"):
        raise ValueError(f"{name}: order must be one of 'C', 'F', 'A', or 'K', got {order!r}")
    if isinstance(x, Node) and x.op is not None:  # its memory layout may differ from that of NumPy's result
        raise TypeError(f"{name} with order={order!r} has no rule here for a result: use 'C' or 'F'")
    array = np.asarray(value_of(x))
    if order == "A":
        return shaping.transpose(x) if array.flags.f_contiguous and not array.flags.c_contiguous else x
    return shaping.transpose(x, sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis])))


def reshape(a: Tensor, shape: Any = None, order: Any = "C", *, newshape: Any = None, copy: Any = None) -> Tensor:
    if copy is not None and not copy:
        raise TypeError("np.reshape with copy=False has no rule here: leave it out")
    shape = newshape if shape is None else shape
    if order == "K":
        raise ValueError("np.reshape: order 'K' is not permitted for reshaping")
    turned = _in_order("np.reshape", a, order)
    if turned is a:
        return shaping.reshape(a, shape)
    lengths = shaping.hashable(shape)
    return shaping.transpose(shaping.reshape(turned, lengths[::-1] if isinstance(lengths, tuple) else lengths))


def ravel(a: Tensor, order: Any = "C") -> Tensor:
    return shaping.ravel(_in_order("np.ravel", a, order))


def broadcast_to(array: Tensor, shape: Any, subok: Any = False) -> Tensor:
    return shaping.broadcast_to(array, shape)


def copy(a: Tensor, order: Any = "K", subok: Any = False) -> Tensor:
    if order not in ("K", "A", "C", "F"):
        raise ValueError(f"np.copy: order must be one of 'C', 'F', 'A', or 'K', got {order!r}")
    return e.identity(a)


def atleast(n: int) -> Callable[..., Tensor]:
    def one(x: Tensor) -> Tensor:
        x = operand(x)
        while len(x.shape) < n:
            x = shaping.expand_dims(x, 0 if len(x.shape) < 2 else 2)
        return x

    def function(*arys: Any) -> Tensor | tuple[Tensor, ...]:
        return one(arys[0]) if len(arys) == 1 else tuple(map(one, arys))

    return function  # type: ignore[return-value]  # of one array


def flipud(m: Tensor) -> Tensor:
    if not m.shape:
        raise ValueError("np.flipud: Input must be >= 1-d.")
    return shaping.flip(m, 0)


def fliplr(m: Tensor) -> Tensor:
    if len(m.shape) < 2:
        raise ValueError("np.fliplr: Input must be >= 2-d.")
    return shaping.flip(m, 1)


def tile(A: Tensor, reps: Any) -> Tensor:
    reps = fixed("np.tile: reps", reps)
    return shaping.tile(A, [operator.index(n) for n in np.atleast_1d(reps).tolist()])


def take(a: Tensor, indices: Any, axis: Any = None, out: None = None, mode: Any = "raise") -> Tensor:
    if mode != "raise":
        n = a.shape[axis] if axis is not None and a.shape else a.size
        places = fixed("np.take: indices", indices)
        if mode not in ("wrap", "clip"):
            raise ValueError(f"np.take: mode must be 'raise', 'wrap' or 'clip', got {mode!r}")
        indices = places % n if mode == "wrap" else np.clip(places, 0, n - 1)
    return indexing.take(a, indices, axis)


def take_along_axis(arr: Tensor, indices: Any, axis: Any = -1) -> Tensor:
    return indexing.take_along_axis(arr, indices, axis)


def sort(
    a: Tensor, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None, descending: Any = None
) -> Tensor:
    if order is not None:
        raise TypeError("np.sort with order= has no rule here: it is for structured arrays")
    if kind is not None and kind not in ("quicksort", "heapsort", "mergesort", "stable"):
        raise ValueError(f"np.sort: sort kind must be one of 'quick', 'heap', or 'stable' (got {kind!r})")
    return -indexing.sort(-a, axis) if descending else indexing.sort(a, axis)  # nan comes last either way


def pad(array: Tensor, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Tensor:
    if kwargs.pop("reflect_type", "even") != "even":
        raise TypeError("np.pad with reflect_type='odd' has no rule here: use 'even'")
    if extra := [key for key in kwargs if key != "constant_values" or mode != "constant"]:
        raise TypeError(f"np.pad has no rule for {', '.join(extra)} with mode={mode!r} here: leave it out")
    if isinstance(pad_width, dict):
        raise TypeError("np.pad with a dict of widths has no rule here: give a pair for each axis")
    return indexing.pad(array, pad_width, mode, **kwargs)


# ---- Joining


def _joined(name: str, arrays: Any, dtype: Any, casting: Any) -> list[Tensor]:
    xs = [operand(x, name) for x in arrays]
    if dtype is None:
        return xs
    dtype = real(name, dtype)
    for x in xs:
        if not np.can_cast(x.dtype, dtype, casting):
            raise TypeError(f"{name}: cannot cast {x.dtype} to {dtype} with casting={casting!r}")
    return [shaping.cast(x, dtype) for x in xs]


def concatenate(
    arrays: Any, axis: Any = 0, out: None = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> Tensor:
    return joining.concatenate(_joined("np.concatenate", arrays, dtype, casting), axis)


def stack(arrays: Any, axis: Any = 0, out: None = None, *, dtype: Any = None, casting: Any = "same_kind") -> Tensor:
    return joining.stack(_joined("np.stack", arrays, dtype, casting), axis)


def vstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Tensor:
    return joining.concatenate([atleast(2)(x) for x in _joined("np.vstack", tup, dtype, casting)], 0)


def hstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Tensor:
    xs = [atleast(1)(x) for x in _joined("np.hstack", tup, dtype, casting)]
    return joining.concatenate(xs, 0 if len(xs[0].shape) == 1 else 1)


def column_stack(tup: Any) -> Tensor:
    xs: Iterator[Tensor] = map(operand, tup)
    return joining.concatenate([shaping.reshape(x, (-1, 1)) if len(x.shape) < 2 else x for x in xs], 1)


def array_split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> list[Any]:
    if np.ndim(fixed("np.array_split: indices_or_sections", indices_or_sections)) == 0:
        parts = np.array_split(np.arange(ary.shape[axis]), operator.index(indices_or_sections))
        indices_or_sections = np.cumsum([len(part) for part in parts[:-1]], dtype=int).tolist()
    return joining.split(ary, indices_or_sections, axis)
