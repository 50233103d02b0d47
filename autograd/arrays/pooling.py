"""Pooling: a sum over some or all of the elements of each window, and its transpose."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.arguments import flag, shown
from autograd.arrays.linalg import matmul
from autograd.arrays.scattering import FEW_WIDE
from autograd.arrays.shaping import cast, operand, reshape
from autograd.arrays.sums import FEW
from autograd.arrays.windows import Pair, Windows, batch_first, batch_last, pair, size_of, windows_of
from autograd.elementwise import div, mul
from autograd.graph import Primitive, value_of

if TYPE_CHECKING:
    from autograd.typing import A, Array, DType


def _gather_some(windows: Windows, chosen: list[Array] | None) -> Primitive:
    """Each window's sum; of the elements that are `chosen`, one array of booleans for each place in a window."""

    def forward(x: Array) -> Array:
        out: Any = None
        for k, shift in enumerate(windows.shifts(windows.padded(x), windows.counts(size_of(x)))):
            part = shift if chosen is None else shift * chosen[k]
            out = part.astype(_accumulator(windows, x.dtype)) if out is None else np.add(out, part, out=out)
        return batch_first(out.astype(x.dtype, copy=False))

    return Primitive("gather_windows", None, forward, lambda g, z, x: _spread(windows, size_of(x), chosen)(g))


_gather = cache(partial(_gather_some, chosen=None))


def _accumulator(windows: Windows, dtype: DType) -> DType | type[np.float64]:
    """The dtype in which the elements of a window are added one by one: a wider one for large windows."""
    few = FEW_WIDE if dtype.itemsize > 2 else FEW
    return np.float64 if dtype.itemsize < 8 and math.prod(windows.kernel) > few else dtype


def _spread(windows: Windows, size: Pair, chosen: list[Array] | None) -> Primitive:
    """The transpose: each window's number added to its elements, or to those that are `chosen`."""

    def forward(y: Array) -> Array:
        last = batch_last(y)
        channels, *counts, n = last.shape
        image = np.zeros((channels, *windows.padded_size(size), n), _accumulator(windows, y.dtype))
        apart = all(s > d * (k - 1) for k, s, d in zip(windows.kernel, windows.stride, windows.dilation, strict=True))
        for k, shift in enumerate(windows.shifts(image, (counts[0], counts[1]))):
            if chosen is None:
                shift += last
            elif apart:
                np.multiply(last, chosen[k], out=shift)
            else:
                shift += last * chosen[k]
        return batch_first(image[:, *windows.inner(size)].astype(y.dtype, copy=False))

    return Primitive("spread_windows", None, forward, lambda g, z, y: _gather_some(windows, chosen)(g))


def _maxima(windows: Windows, x: Array) -> Array:
    first, *others = windows.shifts(windows.padded(x, -np.inf), windows.counts(size_of(x)))
    out = np.array(first)
    for shift in others:
        np.maximum(out, shift, out=out)
    return batch_first(out)


def _firsts(windows: Windows, z: Array, x: Array) -> list[Array]:
    """Masks of the first largest element of each window; of a window with a nan, of its first element."""
    top = batch_last(z)
    left = np.ones(top.shape, bool)
    chosen = []
    for shift in windows.shifts(windows.padded(x, -np.inf), windows.counts(size_of(x))):
        here = np.less(shift, top)
        np.greater(left, here, out=here)  # still unchosen, and at least as large
        left ^= here
        chosen.append(here)
    return chosen


@cache
def _max_pool(windows: Windows) -> Primitive:
    def rule(g: A, z: A, x: A) -> A:
        return _spread(windows, size_of(x), _firsts(windows, value_of(z), value_of(x)))(g)

    return Primitive("max_pool2d", None, lambda x: _maxima(windows, x), rule)


def max_pool2d(x: A, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1) -> A:
    """The largest element of each window of images `(..., h, w)`; the first of equal ones gets the whole cotangent.

    That is PyTorch's choice; `ag.max` splits it evenly. `stride` is the kernel's size unless given; margins never win.

    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2).tolist()
    [[[[5.0, 7.0], [13.0, 15.0]]]]
    """
    return _pool("max_pool2d", _max_pool, x, kernel_size, stride, padding, dilation)


def avg_pool2d(x: A, kernel_size: Any, stride: Any = None, padding: Any = 0, count_include_pad: bool = True) -> A:
    """The mean of each window of images `(..., h, w)`; zeros in the margins count, unless told otherwise.

    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2).tolist()
    [[[[2.5, 4.5], [10.5, 12.5]]]]
    """
    x = operand(x, "avg_pool2d")
    if x.dtype == np.float16:  # in which sums overflow
        return cast(avg_pool2d(cast(x, np.float32), kernel_size, stride, padding, count_include_pad), np.float16)
    sums = _pool("avg_pool2d", _gather, x, kernel_size, stride, padding, 1)
    if flag("avg_pool2d", "count_include_pad", count_include_pad):
        return mul(sums, 1.0 / math.prod(pair("avg_pool2d: kernel_size", kernel_size)))
    ones = np.ones((1, *size_of(x)), x.dtype)
    counts: Array = _pool("avg_pool2d", _gather, ones, kernel_size, stride, padding, 1)[0]
    return div(sums, counts)


def _pool(
    name: str, make: Callable[[Windows], Primitive], x: A, kernel_size: Any, stride: Any, padding: Any, dilation: Any
) -> A:
    x = operand(x, name)
    kernel = pair(f"{name}: kernel_size", kernel_size)
    windows = windows_of(name, kernel, kernel if stride is None else stride, padding, dilation)
    if len(x.shape) not in (3, 4):
        raise ValueError(f"{name} needs images (n, channels, height, width), got shape {x.shape}: reshape them")
    for (before, after), k in zip(windows.pads, kernel, strict=True):
        if 2 * max(before, after) > k:
            raise ValueError(f"{name}: padding {shown(padding)} is more than half of kernel_size {shown(kernel_size)}")
    windows.counts(size_of(x))
    if len(x.shape) == 4:
        return make(windows)(x)
    z = make(windows)(reshape(x, (1, *x.shape)))
    return reshape(z, z.shape[1:])


@cache
def _bins(n: int, parts: int) -> Array:
    """A matrix that maps `n` numbers to the means of `parts` segments of nearly equal length."""
    out = np.zeros((parts, n))
    for i in range(parts):
        start, stop = i * n // parts, -(-(i + 1) * n // parts)
        out[i, start:stop] = 1.0 / (stop - start)
    return out


def adaptive_avg_pool2d(x: A, output_size: Any) -> A:
    """Means over a grid of nearly equal parts of images `(..., h, w)`; the result has shape `(..., *output_size)`.

    A None in `output_size` keeps that length. Stretch `i` of `k` runs from `⌊i n / k⌋` to `⌈(i + 1) n / k⌉`, as in PyTorch.

    >>> adaptive_avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 1).tolist()
    [[[[7.5]]]]
    """
    x = operand(x, "adaptive_avg_pool2d")
    if len(x.shape) < 2 or 0 in size_of(x):
        raise ValueError(
            f"adaptive_avg_pool2d needs images (..., height, width) that are not empty, got shape {x.shape}: reshape them"
        )
    wanted = output_size if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    if len(wanted) == 2:  # None keeps the current length
        wanted = [n if parts is None else parts for n, parts in zip(size_of(x), wanted, strict=True)]
    sizes = pair("adaptive_avg_pool2d: output_size", wanted)
    bins: list[Array] = [_bins(n, parts).astype(x.dtype) for n, parts in zip(size_of(x), sizes, strict=True)]
    return matmul(matmul(bins[0], x), bins[1].T)
