"""Sums as exact as a pairwise sum, in every dtype and along every axis.

NumPy's own sum is pairwise along the innermost axis in memory only: along any other it adds one element after another.
A float32 mean of two million rows then loses its second digit, and a float16 sum of ones stops at 2048. Here such an
axis is cut into blocks of `BLOCK` elements, whose sums are summed in turn, and float16 is added in float32.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

if TYPE_CHECKING:
    from autograd.typing import Array

FEW = 32  # up to this many elements are added one after another
BLOCK = 32  # elements of a block, where there are more
STRETCH = 256  # elements that an inner loop is to run over
SMALL = BLOCK * STRETCH  # elements that BLAS sums without threads

Step: TypeAlias = "Callable[[Array], Array]"

_add: Callable[..., Array] = np.add.reduce  # np.sum without its wrappers, which take longer than a small sum
_half = np.dtype(np.float16)
_blas = {np.dtype(np.float32), np.dtype(np.float64)}


@cache
def adder(axis: Any = None, keepdims: bool = False) -> Step:
    """The function that sums an array over `axis` (None, a number or a tuple of them), in the dtype that NumPy gives."""

    plans: dict[Any, Step] = {}

    def of_all(x: Array) -> Array:
        try:
            if not x.flags.forc:
                return other(x)
        except AttributeError:
            pass  # a number or a list, which NumPy makes an array of
        return _add(x, None, None, None, True) if keepdims else _add(x, None)

    def along_one(x: Array) -> Array:
        try:
            if x.shape[axis] <= FEW and x.itemsize > 2:
                return _add(x, axis, None, None, True) if keepdims else _add(x, axis)
        except (AttributeError, IndexError):
            return _add(x, axis, None, None, keepdims)  # or NumPy raises its own error
        return other(x)

    def other(x: Array) -> Array:
        try:
            return plans[x.shape, x.strides, x.dtype](x)
        except (KeyError, AttributeError):
            pass
        x = np.asarray(x)
        if len(plans) > 1000:
            plans.clear()
        plan = plans[x.shape, x.strides, x.dtype] = _plan(x.shape, x.strides, x.dtype, axis, keepdims)
        return plan(x)

    return of_all if axis is None else along_one if type(axis) is int else other


def _plan(shape: tuple[int, ...], strides: tuple[int, ...], dtype: Any, axis: Any, keepdims: bool) -> Step:
    """The function that sums an array of this form: `adder` keeps it."""
    pairwise = type(axis) is int and shape and strides[axis] == dtype.itemsize > 2 and 0 not in strides
    if pairwise or dtype.kind != "f" or not shape:  # whose axis 0 NumPy takes for no axis
        return lambda x: _add(x, axis, None, None, keepdims)
    steps = _steps(shape, strides, dtype, axis)
    if keepdims:
        steps += (operator.methodcaller("reshape", kept(shape, axis)),)
    if dtype == _half:
        steps += (lambda z: z.astype(_half),)
    if len(steps) == 1:
        return steps[0]

    def of_steps(x: Array) -> Array:
        for step in steps:
            x = step(x)
        return x

    return of_steps


def add(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """The sum of the array `x` over `axis`, in the dtype that NumPy gives it."""
    return adder(axis, keepdims)(x)


def wide(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """`add` in the dtype in which it is computed: float32 for float16, where a sum overflows from 65520."""
    if not x.ndim:  # whose axis 0 NumPy takes for no axis
        return _add(x, axis, None, None, keepdims)
    z = x
    for step in _steps(x.shape, x.strides, x.dtype, axis):
        z = step(z)
    return z.reshape(kept(x.shape, axis)) if keepdims else z


def mean(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """The mean of the array `x`, as exact as its sum; of float16 it does not overflow on the way."""
    if x.dtype == _half:
        return (wide(x, axis, keepdims) / count(x.shape, axis)).astype(_half)
    return add(x, axis, keepdims) / count(x.shape, axis)


def var(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """The variance of the array `x`; of float16 in float32."""
    x = widened(x)
    deviations = x - mean(x, axis, True)
    return mean(deviations * deviations, axis, keepdims)


def count(shape: tuple[int, ...], axis: Any = None) -> int:
    """The number of elements that are added into one."""
    return math.prod(shape[a] for a in axes_of(axis, len(shape)))


def widened(x: Array) -> Array:
    """The array `x`, in float32 if it is float16: for computations with squares or many steps."""
    return x.astype(np.float32) if x.dtype == _half else x


def in_single(forward: Step) -> Step:
    """`forward`, computed in float32 where its argument is of float16."""
    return lambda x: forward(x) if x.itemsize > 2 or x.dtype != _half else forward(widened(x)).astype(_half)


def sum_of_squares(x: Array) -> Array:
    """The sum of the squares of all elements of the array `x`; of float16 in float32."""
    if x.size <= STRETCH and x.itemsize > 2:  # which BLAS adds in as many sums as a register has elements, or more
        x = x.reshape(-1)
        return cast("Array", x.dot(x))
    x = np.ravel(widened(x), "K")
    whole = x.size - x.size % ROW
    if not whole:
        return _add(x * x)
    rows = x[:whole].reshape(-1, ROW)
    z = _add(np.vecdot(rows, rows))
    return z if whole == x.size else z + sum_of_squares(x[whole:])


ROW = 128  # squares that BLAS adds at a time


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    return tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)


def kept(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """`shape` with 1 for the axes that a reduction removes."""
    gone = axes_of(axis, len(shape)) if shape else ()  # NumPy lets a number be reduced over axis 0
    return tuple(1 if i in gone else n for i, n in enumerate(shape))


@lru_cache(1024)
def _steps(shape: tuple[int, ...], strides: tuple[int, ...], dtype: Any, axis: Any) -> tuple[Step, ...]:
    """The steps that sum an array of this form, each a call of NumPy."""
    axes = axes_of(axis, len(shape))
    accumulator = np.dtype(np.float32) if dtype == _half else dtype
    if not math.prod(shape) or (dtype != _half and count(shape, axis) <= FEW):
        return (_reduction(axis, accumulator),)
    steps: list[Step] = []
    # Along an axis of stride 0, as a broadcast array has, all elements are one.
    repeated = [i for i, stride in enumerate(strides) if stride == 0 or shape[i] == 1]
    if repeated:
        steps.append(operator.itemgetter(tuple(0 if i in repeated else slice(None) for i in range(len(shape)))))
    # The axes from the longest to the shortest stride, so that neighbours in memory are neighbouring axes.
    order = sorted((i for i in range(len(shape)) if i not in repeated), key=lambda i: -abs(strides[i]))
    steps.extend(_transposition([sorted(order).index(i) for i in order]))
    dense = all(strides[i] == strides[j] * shape[j] for i, j in itertools.pairwise(order))
    # NumPy adds pairwise along the innermost axes that its loop runs over as one.
    inner = len(order)
    while inner and order[inner - 1] in axes:
        i = order[inner - 1]
        if inner < len(order) and strides[i] != strides[order[inner]] * shape[order[inner]]:
            break
        inner -= 1
    kind = dtype
    if inner < len(order):
        steps.append(_reduction(tuple(range(inner, len(order))), accumulator))
        kind, dense = accumulator, True
    del order[inner:]
    for place in reversed(range(inner)):
        if order[place] in axes:
            _down(steps, tuple(shape[i] for i in order), place, kind, accumulator, dense)
            del order[place]
            kind, dense = accumulator, True
    steps.extend(_transposition([order.index(i) for i in sorted(order)]))
    if (times := math.prod(shape[i] for i in repeated if i in axes)) > 1:
        steps.append(partial(operator.mul, accumulator.type(times)))
    if any(i not in axes for i in repeated):
        left = [i for i in range(len(shape)) if i not in axes]
        steps.append(_broadcast([1 if i in repeated else shape[i] for i in left], [shape[i] for i in left]))
    return tuple(steps)


# ---- The steps


def _transposition(order: list[int]) -> list[Step]:
    return [] if order == sorted(order) else [lambda x: x.transpose(order)]


def _reduction(axes: Any, dtype: Any) -> Step:
    return lambda x: _add(x, axes, dtype)


def _broadcast(ones: list[int], shape: list[int]) -> Step:
    return lambda x: np.array(np.broadcast_to(np.reshape(x, ones), shape))


def _down(steps: list[Step], shape: tuple[int, ...], place: int, kind: Any, accumulator: Any, dense: bool) -> None:
    """Add to `steps` those that sum axis `place`, block by block: the sums of the blocks, and their sums, and so on."""
    lead, n, rest = shape[:place], shape[place], shape[place + 1 :]
    inner = math.prod(rest)
    dense = dense and kind in _blas
    block = BLOCK
    while n > FEW:
        if dense and not lead and n * inner <= SMALL:
            steps.append(_small(n, rest, accumulator))
            return
        if n <= BLOCK * BLOCK:  # a block that divides exactly, if there is one
            block = next((b for b in range(BLOCK, round(math.sqrt(n)) - 1, -1) if n % b == 0), block)
        # In memory: groups times block times across rows. Rows that lie `across` apart are added, as one long row.
        across = max(1, min(n // block, STRETCH // max(inner, 1)))
        cut = (n // (block * across), block, across)
        steps.append(_blocks(lead, cut, rest, n - math.prod(cut), dense, accumulator))
        n, dense = cut[0] * across, accumulator in _blas
        block = 4
    steps.append(_reduction(place, accumulator))


def _small(n: int, rest: tuple[int, ...], dtype: Any) -> Step:
    """The sum of `n` rows by products with ones, which take BLAS a third of the time of a reduction."""
    root, inner = math.isqrt(n), math.prod(rest)
    # As few rows as possible are left over: a single one need not be summed.
    cuts = itertools.product((n, n - 1, n - 2), range(max(2, root - 4), min(2 * root, FEW) + 1))
    head, block = max((cut for cut in cuts if cut[0] % cut[1] == 0), default=(n - n % root, root))
    rows = head // block
    across = rows * inner
    ones, few = np.ones(block, dtype), np.ones(n - head, dtype)
    last = _small(rows, rest, dtype) if rows > FEW else np.ones(rows, dtype).dot
    shape = (rows, inner) if rows <= FEW else (rows, *rest)
    flat = len(rest) == 1

    def step(x: Array) -> Array:
        z: Array = last(ones.dot(x.reshape(block, across)).reshape(shape))
        return z if flat else z.reshape(rest)

    if head == n:
        return step
    if head == n - 1:
        return lambda x: step(x[:head]) + x[head]
    return lambda x: step(x[:head]) + few.dot(x[head:].reshape(-1, inner)).reshape(rest)


def _blocks(
    lead: tuple[int, ...], cut: tuple[int, int, int], rest: tuple[int, ...], tail: int, dense: bool, dtype: Any
) -> Step:
    groups, block, across = cut
    place, head = len(lead), math.prod(cut)
    every: tuple[Any, ...] = (slice(None),) * place
    heads, tails, first = (*every, slice(head)), (*every, slice(head, None)), (*every, 0)
    split, joined = (*lead, *cut, *rest), (*lead, groups * across, *rest)
    ones = np.ones(block, dtype)
    inner = across * math.prod(rest)
    pieces = next((p for p in range(-(-inner // STRETCH), inner // 64 + 1) if inner % p == 0), 1)
    rows = (*lead, groups, block, pieces, inner // pieces)
    if dense and not tail and pieces == 1:
        flat = (*lead, groups, block, inner)
        return lambda x: np.matmul(ones, x.reshape(flat)).reshape(joined)

    def step(x: Array) -> Array:
        z: Array
        body = x[heads] if tail else x
        if dense:
            z = np.matmul(ones, body.reshape(rows).swapaxes(-3, -2)).reshape(joined)
        else:
            z = _add(body.reshape(split), place + 1, dtype).reshape(joined)
        if tail:
            top = z[first]
            np.add(top, _add(x[tails], place, dtype) if tail <= FEW else wide(x[tails], place), out=top)
        return z

    return step
