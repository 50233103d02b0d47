"""Sliding windows over images: their positions, and the memory layout of the images.

Convolution and pooling keep an image with its batch last, `(channels, height, width, batch)`: a window's shift is then a
copy of long contiguous runs, whatever its size, and sums over the batch are parts of one matrix product. Results are
views of such arrays in the usual order of axes; elementwise operations keep the layout, so that it is changed once on
the way into a network and once on the way out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograd.arguments import WORD, shown

if TYPE_CHECKING:
    from autograd.typing import Array

Pair = tuple[int, int]


class Windows(NamedTuple):
    """The positions of windows; each field is a pair, for rows and for columns. `pads` are margins before and after."""

    kernel: Pair
    stride: Pair
    pads: tuple[Pair, Pair]
    dilation: Pair

    def counts(self, size: Pair) -> Pair:
        """The number of windows, down and across, that fit into images of `size`; a ValueError if none do."""
        reach = [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)]
        lengths = self.padded_size(size)
        rows, columns = ((n - r) // s + 1 for n, r, s in zip(lengths, reach, self.stride, strict=True))
        if rows < 1 or columns < 1:
            raise ValueError(
                f"no window of {reach[0]}x{reach[1]} fits into images of {size[0]}x{size[1]} with padding {self.pads}: "
                "use larger images, a smaller kernel or more padding"
            )
        return rows, columns

    def padded_size(self, size: Pair) -> Pair:
        (top, bottom), (left, right) = self.pads
        return size[0] + top + bottom, size[1] + left + right

    def inner(self, size: Pair) -> tuple[slice, slice]:
        """The index of the image of `size` in its padded image."""
        (top, _), (left, _) = self.pads
        return slice(top, top + size[0]), slice(left, left + size[1])

    def padded(self, x: Array, fill: float = 0.0) -> Array:
        """`x`, `(n, c, h, w)`, with the batch last and with its margins."""
        last = x.transpose(1, 2, 3, 0)
        if self.pads == ((0, 0), (0, 0)):
            return np.ascontiguousarray(last)
        size = size_of(x)
        out = np.full((x.shape[1], *self.padded_size(size), x.shape[0]), fill, x.dtype)
        out[:, *self.inner(size)] = last
        return out

    def view(self, image: Array, counts: Pair) -> Array:
        """The windows of a padded image with the batch last, as a view `(c, kernel rows, columns, rows, columns, n)`."""
        c, y, x, n = image.strides
        (sy, sx), (dy, dx) = self.stride, self.dilation
        return as_strided(
            image, (image.shape[0], *self.kernel, *counts, image.shape[3]), (c, y * dy, x * dx, y * sy, x * sx, n)
        )

    def shifts(self, image: Array, counts: Pair) -> Iterator[Array]:
        """For each position in a window, in order, a view of the elements that all windows have there."""
        view = self.view(image, counts)
        return (view[:, i, j] for i in range(self.kernel[0]) for j in range(self.kernel[1]))


def batch_first(x: Array) -> Array:
    """`(channels, height, width, batch)` as a view `(batch, channels, height, width)`."""
    return x.transpose(3, 0, 1, 2)


def batch_last(x: Array) -> Array:
    """`(batch, channels, height, width)` as contiguous `(channels, height, width, batch)`."""
    return np.ascontiguousarray(x.transpose(1, 2, 3, 0))


def size_of(x: Any) -> Pair:
    """Height and width."""
    return x.shape[-2], x.shape[-1]


class Buffer:
    """Memory that all blocks use in turn: fresh pages from the system would cost more than filling them."""

    def __init__(self, dtype: Any) -> None:
        self.flat: Array = np.empty(0, dtype)

    def of(self, *shape: int) -> Array:
        size = math.prod(shape)
        if self.flat.size < size:
            self.flat = np.empty(size, self.flat.dtype)
        return self.flat[:size].reshape(shape)


def pair(name: str, value: Any, least: int = 1) -> Pair:
    """An integer, or two, as a pair."""
    two = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in two)
    if len(two) != 2 or not whole or min(two) < least or max(two) >= WORD:
        raise ValueError(f"{name} is an integer of at least {least}, or a pair of them, got {shown(value)}")
    return int(two[0]), int(two[1])


def windows_of(name: str, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Windows:
    """The windows given by integers, pairs, or a padding of "valid" or "same"; a ValueError that starts with `name`."""
    kernel, stride = pair(f"{name}: kernel_size", kernel), pair(f"{name}: stride", stride)
    dilation = pair(f"{name}: dilation", dilation)
    if isinstance(padding, str) and padding == "same":
        if stride != (1, 1):
            raise ValueError(f'{name}: padding="same" needs stride 1, got {stride}: give the padding as integers')
        reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return Windows(kernel, stride, (_halves(reach[0]), _halves(reach[1])), dilation)
    if isinstance(padding, str) and padding != "valid":
        raise ValueError(f'{name}: padding is an integer, a pair, "valid" or "same", got {padding!r}')
    rows, columns = pair(f"{name}: padding", 0 if isinstance(padding, str) else padding, 0)
    return Windows(kernel, stride, ((rows, rows), (columns, columns)), dilation)


def _halves(n: int) -> Pair:
    return n // 2, n - n // 2
