"""Windows that slide over images: convolution and pooling, of arrays `(batch, channels, height, width)`.

Within this room an image lies in memory with its batch last, `(channels, height, width, batch)`: a window's shift is then
a copy of long contiguous runs, whatever its size, and sums over the batch are parts of one matrix product. Results are
views of such arrays in the usual order of axes; elementwise operations keep the layout, so that it is changed once on
the way into a network and once on the way out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograd.arrays.linalg import matmul
from autograd.arrays.reductions import sum
from autograd.arrays.shaping import operand, reshape
from autograd.graph import Node, Primitive

Pair = tuple[int, int]
Array = np.ndarray[Any, Any]

BLOCK = 1 << 17  # elements of unfolded windows at a time, so that they stay in the cache


class Windows(NamedTuple):
    """Where windows lie; each field is a pair, for rows and for columns. `pads` are margins before and after."""

    kernel: Pair
    stride: Pair
    pads: tuple[Pair, Pair]
    dilation: Pair

    def counts(self, size: Pair) -> Pair:
        """How many windows fit, down and across, into images of `size`, or a ValueError if none do."""
        rows, columns = (
            (n + before + after - d * (k - 1) - 1) // s + 1
            for n, (before, after), k, s, d in zip(
                size, self.pads, self.kernel, self.stride, self.dilation, strict=True
            )
        )
        if rows < 1 or columns < 1:
            reach = tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))
            raise ValueError(
                f"no window of {reach[0]}x{reach[1]} fits into images of {size[0]}x{size[1]} with padding {self.pads}: "
                "use larger images, a smaller kernel or more padding"
            )
        return rows, columns

    def padded_size(self, size: Pair) -> Pair:
        (top, bottom), (left, right) = self.pads
        return size[0] + top + bottom, size[1] + left + right

    def inner(self, size: Pair) -> tuple[slice, slice]:
        """Where, in a padded image, the image of `size` is."""
        (top, _), (left, _) = self.pads
        return slice(top, top + size[0]), slice(left, left + size[1])

    def padded(self, x: Array, fill: float = 0.0) -> Array:
        """`x`, `(n, c, h, w)`, with the batch last and with its margins."""
        last = x.transpose(1, 2, 3, 0)
        if self.pads == ((0, 0), (0, 0)):
            return np.ascontiguousarray(last)
        channels, *size, n = last.shape
        out = np.full((channels, *self.padded_size((size[0], size[1])), n), fill, x.dtype)
        out[:, *self.inner((size[0], size[1]))] = last
        return out

    def view(self, image: Array, counts: Pair) -> Array:
        """The windows of a padded image with the batch last, as a view `(c, kernel rows, columns, rows, columns, n)`."""
        c, y, x, n = image.strides
        (sy, sx), (dy, dx) = self.stride, self.dilation
        return as_strided(
            image, (image.shape[0], *self.kernel, *counts, image.shape[3]), (c, y * dy, x * dx, y * sy, x * sx, n)
        )

    def shifts(self, image: Array, counts: Pair) -> Iterator[Array]:
        """For each place in a window, in order, a view of the elements that all windows have there."""
        view = self.view(image, counts)
        return (view[:, i, j] for i in range(self.kernel[0]) for j in range(self.kernel[1]))


def _batch_first(x: Array) -> Array:
    return x.transpose(3, 0, 1, 2)


def _batch_last(x: Array) -> Array:
    return np.ascontiguousarray(x.transpose(1, 2, 3, 0))


def _size(x: Any) -> Pair:
    return x.shape[2], x.shape[3]


class _Buffer:
    """Memory for one block after the other: fresh pages from the system would cost more than filling them."""

    def __init__(self, dtype: Any) -> None:
        self.flat: Array = np.empty(0, dtype)

    def of(self, *shape: int) -> Array:
        size = math.prod(shape)
        if self.flat.size < size:
            self.flat = np.empty(size, self.flat.dtype)
        return self.flat[:size].reshape(shape)


# ---- Convolution: linear in the image and in the weight, so that with its two transposes it is closed under derivatives


class Convolution(NamedTuple):
    """What is fixed in a convolution. The weight is `(outputs, channels / groups, *kernel)`."""

    windows: Windows
    groups: int

    def tiles(self, counts: Pair, per_window: int) -> Iterator[tuple[slice, slice]]:
        """The windows, as ranges of rows and of columns, so many at a time that their elements fit into a block."""
        rows, columns = counts
        across = min(columns, max(1, BLOCK // max(1, per_window)))
        down = max(1, BLOCK // max(1, per_window * columns)) if across == columns else 1
        for top in range(0, rows, down):
            for left in range(0, columns, across):
                yield slice(top, min(top + down, rows)), slice(left, min(left + across, columns))

    def grouped(self, x: Array) -> Array:
        """The first axis in groups, and the rest flat."""
        return x.reshape(self.groups, x.shape[0] // self.groups, math.prod(x.shape[1:]))

    def unfolded(self, x: Array, counts: Pair) -> Iterator[tuple[tuple[slice, slice], Array]]:
        """Ranges of windows of `x`, and their elements as matrices `(groups, elements of a window, windows)`, which are
        overwritten by the next."""
        view = self.windows.view(self.windows.padded(x), counts)
        elements = math.prod(view.shape[:3])
        buffer = _Buffer(x.dtype)
        for down, across in self.tiles(counts, elements * view.shape[-1]):
            part = view[:, :, :, down, across]
            unfolded = buffer.of(*part.shape)
            np.copyto(unfolded, part)
            yield (down, across), unfolded.reshape(self.groups, elements // self.groups, math.prod(part.shape[3:]))

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        counts = self.windows.counts(_size(x))
        out = np.empty((w.shape[0], *counts, x.shape[0]), np.result_type(x, w))
        weight = self.grouped(w)
        buffer = _Buffer(out.dtype)
        for (down, across), part in self.unfolded(x, counts):
            here = out[:, down, across]
            product = buffer.of(self.groups, weight.shape[1], part.shape[2])
            np.matmul(weight, part, out=product)
            np.add(product.reshape(here.shape), 0 if b is None else b[:, None, None, None], out=here)
        return _batch_first(out)

    def to_image(self, g: Array, w: Array, size: Pair) -> Array:
        """The transpose in the image."""
        last = _batch_last(g)
        _, rows, columns, n = last.shape
        channels = w.shape[1] * self.groups
        out = np.zeros((channels, *self.windows.padded_size(size), n), np.result_type(g, w))
        weight = np.swapaxes(self.grouped(w), 1, 2)
        view = self.windows.view(out, (rows, columns))
        buffer = _Buffer(out.dtype)
        ky, kx = self.windows.kernel
        for down, across in self.tiles((rows, columns), channels * ky * kx * n):
            here = last[:, down, across]
            product = buffer.of(self.groups, weight.shape[1], math.prod(here.shape[1:]))
            np.matmul(weight, self.grouped(here), out=product)
            part = product.reshape(channels, ky, kx, *here.shape[1:])
            for i in range(ky):
                for j in range(kx):
                    view[:, i, j, down, across] += part[:, i, j]
        return _batch_first(out[:, *self.windows.inner(size)])

    def to_weight(self, g: Array, x: Array) -> Array:
        """The transpose in the weight."""
        last = _batch_last(g)
        counts = (last.shape[1], last.shape[2])
        total: Any = 0
        for (down, across), part in self.unfolded(x, counts):
            total = total + np.matmul(self.grouped(last[:, down, across]), np.swapaxes(part, 1, 2))
        out: Array = total.reshape(last.shape[0], x.shape[1] // self.groups, *self.windows.kernel)
        return out


@cache
def _convolve(how: Convolution) -> Primitive:
    return Primitive(
        "conv2d",
        None,
        how.forward,
        lambda g, z, x, w: _to_image(how, _size(x))(g, w),
        lambda g, z, x, w: _to_weight(how)(g, x),
    )


@cache
def _convolve_and_add(how: Convolution) -> Primitive:
    return Primitive(
        "conv2d",
        None,
        how.forward,
        lambda g, z, x, w, b: _to_image(how, _size(x))(g, w),
        lambda g, z, x, w, b: _to_weight(how)(g, x),
        lambda g, z, x, w, b: sum(g, (0, 2, 3)),
    )


@cache
def _to_image(how: Convolution, size: Pair) -> Primitive:
    return Primitive(
        "conv2d_to_image",
        None,
        lambda g, w: how.to_image(g, w, size),
        lambda h, z, g, w: _convolve(how)(h, w),
        lambda h, z, g, w: _to_weight(how)(g, h),
    )


@cache
def _to_weight(how: Convolution) -> Primitive:
    return Primitive(
        "conv2d_to_weight",
        None,
        how.to_weight,
        lambda h, z, g, x: _convolve(how)(x, h),
        lambda h, z, g, x: _to_image(how, _size(x))(g, h),
    )


def conv2d(
    x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """The correlation of images `x`, `(n, c, h, w)`, with a weight `(outputs, c / groups, *kernel)`, plus a bias `(outputs,)`.

    `z[n, o, y, x] = Σ weight[o, c, i, j] · x[n, c, stride · y + dilation · i - padding, …]`, as in PyTorch, and as there
    an `x` of `(c, h, w)` is one image. Zeros surround the image. Each option is an integer, or a pair for rows and
    columns. Shapes that do not fit are a ValueError.

    >>> conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2))).tolist()
    [[[[4.0, 4.0], [4.0, 4.0]]]]
    """
    x, weight = operand(x), operand(weight)
    if len(x.shape) == 3:
        z = conv2d(reshape(x, (1, *x.shape)), weight, bias, stride, padding, dilation, groups)
        return reshape(z, z.shape[1:])
    if len(x.shape) != 4 or len(weight.shape) != 4:
        raise ValueError(
            f"conv2d needs images (n, channels, height, width) and a weight (outputs, channels / groups, height, width), "
            f"got shapes {x.shape} and {weight.shape}: reshape them"
        )
    outputs, channels, *kernel = weight.shape
    if groups < 1 or outputs % groups or x.shape[1] != channels * groups:
        raise ValueError(
            f"conv2d: a weight of shape {weight.shape} with groups={groups} takes images of {channels * groups} channels "
            f"to outputs that divide into {groups} groups, got images of shape {x.shape}"
        )
    if bias is not None and operand(bias).shape != (outputs,):
        raise ValueError(f"conv2d: a bias of shape {operand(bias).shape} does not fit {outputs} outputs")
    how = Convolution(windows_of("conv2d", kernel, stride, padding, dilation), groups)
    how.windows.counts(_size(x))
    return _convolve(how)(x, weight) if bias is None else _convolve_and_add(how)(x, weight, bias)


# ---- Pooling: a sum over some or all of the elements of each window, and its transpose


@cache
def _gather(windows: Windows) -> Primitive:
    return _gather_some(windows, None)


def _gather_some(windows: Windows, chosen: list[Array] | None) -> Primitive:
    """Each window's sum; of the elements that are `chosen`, one array of booleans for each place in a window."""

    def forward(x: Any) -> Any:
        out: Any = None
        for k, shift in enumerate(windows.shifts(windows.padded(x), windows.counts(_size(x)))):
            part = shift if chosen is None else shift * chosen[k]
            out = np.array(part) if out is None else np.add(out, part, out=out)
        return _batch_first(out)

    return Primitive("gather_windows", None, forward, lambda g, z, x: _spread(windows, _size(x), chosen)(g))


def _spread(windows: Windows, size: Pair, chosen: list[Array] | None) -> Primitive:
    """The transpose: each window's number added to its elements, or to those that are `chosen`."""

    def forward(y: Any) -> Any:
        last = _batch_last(y)
        channels, *counts, n = last.shape
        image = np.zeros((channels, *windows.padded_size(size), n), y.dtype)
        apart = all(s > d * (k - 1) for k, s, d in zip(windows.kernel, windows.stride, windows.dilation, strict=True))
        for k, shift in enumerate(windows.shifts(image, (counts[0], counts[1]))):
            if chosen is None:
                shift += last
            elif apart:
                np.multiply(last, chosen[k], out=shift)
            else:
                shift += last * chosen[k]
        return _batch_first(image[:, *windows.inner(size)])

    return Primitive("spread_windows", None, forward, lambda g, z, y: _gather_some(windows, chosen)(g))


def _maxima(windows: Windows, x: Array) -> Array:
    first, *others = windows.shifts(windows.padded(x, -np.inf), windows.counts(_size(x)))
    out = np.array(first)
    for shift in others:
        np.maximum(out, shift, out=out)
    return _batch_first(out)


def _firsts(windows: Windows, z: Array, x: Array) -> list[Array]:
    """Which element of each window is the first of its largest; of a window with a nan, the first."""
    top = _batch_last(z)
    left = np.ones(top.shape, bool)
    chosen = []
    for shift in windows.shifts(windows.padded(x, -np.inf), windows.counts(_size(x))):
        here = np.less(shift, top)
        np.greater(left, here, out=here)  # left, and not less
        left ^= here
        chosen.append(here)
    return chosen


@cache
def _max_pool(windows: Windows) -> Primitive:
    def rule(g: Any, z: Any, x: Any) -> Any:
        raw = x.raw if isinstance(x, Node) else x
        return _spread(windows, _size(x), _firsts(windows, z.raw if isinstance(z, Node) else z, raw))(g)

    return Primitive("max_pool2d", None, lambda x: _maxima(windows, x), rule)


def max_pool2d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1) -> Any:
    """The largest element of each window of images `(..., h, w)`; the first of those that tie gets all the cotangent.

    That is PyTorch's choice; `ag.max` shares it evenly. `stride` is the kernel's size unless given; margins never win.

    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2).tolist()
    [[[[5.0, 7.0], [13.0, 15.0]]]]
    """
    return _pool("max_pool2d", _max_pool, x, kernel_size, stride, padding, dilation)


def avg_pool2d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, count_include_pad: bool = True) -> Any:
    """The mean of each window of images `(..., h, w)`; zeros in the margins count, unless told otherwise.

    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2).tolist()
    [[[[2.5, 4.5], [10.5, 12.5]]]]
    """
    x = operand(x)
    sums = _pool("avg_pool2d", _gather, x, kernel_size, stride, padding, 1)
    if count_include_pad:
        return sums * (1.0 / math.prod(_pair("kernel_size", kernel_size)))
    counts = _pool("avg_pool2d", _gather, np.ones((1, *_size_of(x)), x.dtype), kernel_size, stride, padding, 1)
    return sums / counts[0]


def _size_of(x: Any) -> Pair:
    return x.shape[-2], x.shape[-1]


def _pool(name: str, make: Any, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    x = operand(x)
    kernel = _pair("kernel_size", kernel_size)
    windows = windows_of(name, kernel, kernel if stride is None else stride, padding, dilation)
    if len(x.shape) not in (3, 4):
        raise ValueError(f"{name} needs images (n, channels, height, width), got shape {x.shape}: reshape them")
    for (before, after), k in zip(windows.pads, kernel, strict=True):
        if 2 * max(before, after) > k:
            raise ValueError(f"{name}: padding {padding!r} is more than half of kernel_size {kernel_size!r}")
    windows.counts(_size_of(x))
    if len(x.shape) == 4:
        return make(windows)(x)
    z = make(windows)(reshape(x, (1, *x.shape)))
    return reshape(z, z.shape[1:])


@cache
def _bins(n: int, parts: int) -> Array:
    """A matrix that takes `n` numbers to the means of `parts` stretches, of lengths as even as can be."""
    out = np.zeros((parts, n))
    for i in range(parts):
        start, stop = i * n // parts, -(-(i + 1) * n // parts)
        out[i, start:stop] = 1.0 / (stop - start)
    return out


def adaptive_avg_pool2d(x: Any, output_size: Any) -> Any:
    """Means of stretches of images `(..., h, w)`, as even as can be, so that the result is `(..., *output_size)`.

    A None in `output_size` keeps that length. Stretch `i` of `k` runs from `⌊i n / k⌋` to `⌈(i + 1) n / k⌉`, as in PyTorch.

    >>> adaptive_avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 1).tolist()
    [[[[7.5]]]]
    """
    x = operand(x)
    if len(x.shape) < 2:
        raise ValueError(f"adaptive_avg_pool2d needs images (..., height, width), got shape {x.shape}: reshape them")
    wanted = output_size if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    rows, columns = (
        _bins(n, n if parts is None else parts).astype(x.dtype) for n, parts in zip(_size_of(x), wanted, strict=True)
    )
    return matmul(matmul(rows, x), columns.T)


# ---- What users write


def _pair(name: str, value: Any, least: int = 1) -> Pair:
    """An integer, or two, as a pair."""
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2 or not all(isinstance(n, (int, np.integer)) and n >= least for n in pair):
        raise ValueError(f"{name} is an integer of at least {least}, or a pair of them, got {value!r}")
    return int(pair[0]), int(pair[1])


def windows_of(name: str, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Windows:
    """The windows that integers, pairs, or a padding of "valid" or "same" speak of, or a ValueError that starts with `name`."""
    kernel, stride = _pair(f"{name}: kernel_size", kernel), _pair(f"{name}: stride", stride)
    dilation = _pair(f"{name}: dilation", dilation)
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(f'{name}: padding="same" needs stride 1, got {stride}: give the padding as integers')
        reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return Windows(kernel, stride, (_halves(reach[0]), _halves(reach[1])), dilation)
    if isinstance(padding, str) and padding != "valid":
        raise ValueError(f'{name}: padding is an integer, a pair, "valid" or "same", got {padding!r}')
    rows, columns = _pair(f"{name}: padding", 0 if padding == "valid" else padding, 0)
    return Windows(kernel, stride, ((rows, rows), (columns, columns)), dilation)


def _halves(n: int) -> Pair:
    return n // 2, n - n // 2
