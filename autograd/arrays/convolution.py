"""Convolution: linear in the image and in the weight, so that it and its two transposes are closed under derivatives."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np

from autograd.arguments import integer
from autograd.arrays.reductions import sum
from autograd.arrays.shaping import operand, reshape
from autograd.arrays.windows import Buffer, Pair, Windows, batch_first, batch_last, size_of, windows_of
from autograd.graph import Primitive

if TYPE_CHECKING:
    from autograd.typing import Array, Tensor

BLOCK = 1 << 17  # elements of unfolded windows at a time, so that they stay in the cache


class Convolution(NamedTuple):
    """The fixed settings of a convolution. The weight is `(outputs, channels / groups, *kernel)`."""

    windows: Windows
    groups: int

    def tiles(self, counts: Pair, per_window: int) -> Iterator[tuple[slice, slice]]:
        """The windows, as ranges of rows and of columns; the elements of each range fit into a block."""
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
        buffer = Buffer(x.dtype)
        for down, across in self.tiles(counts, elements * view.shape[-1]):
            part = view[:, :, :, down, across]
            unfolded = buffer.of(*part.shape)
            np.copyto(unfolded, part)
            yield (down, across), unfolded.reshape(self.groups, elements // self.groups, math.prod(part.shape[3:]))

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        counts = self.windows.counts(size_of(x))
        out = np.empty((w.shape[0], *counts, x.shape[0]), np.result_type(x, w))
        weight = self.grouped(w)
        buffer = Buffer(out.dtype)
        for (down, across), part in self.unfolded(x, counts):
            here = out[:, down, across]
            product = buffer.of(self.groups, weight.shape[1], part.shape[2])
            np.matmul(weight, part, out=product)
            np.add(product.reshape(here.shape), 0 if b is None else b[:, None, None, None], out=here)
        return batch_first(out)

    def to_image(self, g: Array, w: Array, size: Pair) -> Array:
        """The transpose in the image."""
        last = batch_last(g)
        _, rows, columns, n = last.shape
        channels = w.shape[1] * self.groups
        out = np.zeros((channels, *self.windows.padded_size(size), n), np.result_type(g, w))
        weight = np.swapaxes(self.grouped(w), 1, 2)
        view = self.windows.view(out, (rows, columns))
        buffer = Buffer(out.dtype)
        ky, kx = self.windows.kernel
        for down, across in self.tiles((rows, columns), channels * ky * kx * n):
            here = last[:, down, across]
            product = buffer.of(self.groups, weight.shape[1], math.prod(here.shape[1:]))
            np.matmul(weight, self.grouped(here), out=product)
            part = product.reshape(channels, ky, kx, *here.shape[1:])
            for i in range(ky):
                for j in range(kx):
                    view[:, i, j, down, across] += part[:, i, j]
        return batch_first(out[:, *self.windows.inner(size)])

    def to_weight(self, g: Array, x: Array) -> Array:
        """The transpose in the weight."""
        last = batch_last(g)
        counts = (last.shape[1], last.shape[2])
        total: Any = 0
        for (down, across), part in self.unfolded(x, counts):
            total = total + np.matmul(self.grouped(last[:, down, across]), np.swapaxes(part, 1, 2))
        out: Array = total.reshape(last.shape[0], x.shape[1] // self.groups, *self.windows.kernel)
        return out


@cache
def _convolve(how: Convolution, biased: bool = False) -> Primitive:
    to_image = lambda g, z, x, w, *b: _to_image(how, size_of(x))(g, w)
    to_weight = lambda g, z, x, w, *b: _to_weight(how)(g, x)
    to_bias = lambda g, z, x, w, b: sum(g, (0, 2, 3))
    return Primitive("conv2d", None, how.forward, to_image, to_weight, *[to_bias] * biased)


@cache
def _to_image(how: Convolution, size: Pair) -> Primitive:
    forward = lambda g, w: how.to_image(g, w, size)
    to_weight = lambda h, z, g, w: _to_weight(how)(g, h)
    return Primitive("conv2d_to_image", None, forward, lambda h, z, g, w: _convolve(how)(h, w), to_weight)


@cache
def _to_weight(how: Convolution) -> Primitive:
    to_image = lambda h, z, g, x: _to_image(how, size_of(x))(g, h)
    return Primitive("conv2d_to_weight", None, how.to_weight, lambda h, z, g, x: _convolve(how)(x, h), to_image)


@overload
def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array: ...
@overload
def conv2d(
    x: Array | Tensor,
    weight: Array | Tensor,
    bias: Array | Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor: ...
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
    x, weight = operand(x, "conv2d"), operand(weight, "conv2d", "weight")
    bias = None if bias is None else operand(bias, "conv2d", "bias")
    if len(x.shape) == 3:
        z = conv2d(reshape(x, (1, *x.shape)), weight, bias, stride, padding, dilation, groups)
        return reshape(z, z.shape[1:])
    if len(x.shape) != 4 or len(weight.shape) != 4:
        raise ValueError(
            f"conv2d needs images (n, channels, height, width) and a weight (outputs, channels / groups, height, width), "
            f"got shapes {x.shape} and {weight.shape}: reshape them"
        )
    outputs, channels, *kernel = weight.shape
    groups = integer("conv2d", "groups", groups, least=1)
    if outputs % groups or x.shape[1] != channels * groups:
        raise ValueError(
            f"conv2d: a weight of shape {weight.shape} with groups={groups} takes images of {channels * groups} channels "
            f"to outputs that divide into {groups} groups, got images of shape {x.shape}"
        )
    if bias is not None and bias.shape != (outputs,):
        raise ValueError(f"conv2d: a bias of shape {bias.shape} does not fit {outputs} outputs")
    how = Convolution(windows_of("conv2d", kernel, stride, padding, dilation), groups)
    how.windows.counts(size_of(x))
    return _convolve(how)(x, weight) if bias is None else _convolve(how, True)(x, weight, bias)
