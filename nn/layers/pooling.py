"""Pooling layers: the largest element, or the mean, of each window of an image."""

from __future__ import annotations

from autograd import Tensor
from autograd.arrays.pooling import adaptive_avg_pool2d, avg_pool2d, max_pool2d
from autograd.arrays.windows import windows_of
from nn.module import Module
from nn.validation import as_input, flag, integer, shown

Sizes = int | tuple[int, int]


class MaxPool2d(Module):
    """The largest element of each window of images `(..., h, w)`. The first of those that tie gets all the gradient.

    `stride` is `kernel_size` unless given. Margins of `padding`, at most half a kernel, never win.

    >>> MaxPool2d(2)([[[[1.0, 2.0], [4.0, 3.0]]]]).tolist()
    [[[[4.0]]]]
    """

    _shown_settings = ("kernel_size", "stride", "padding", "dilation")

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1
    ) -> None:
        windows_of("MaxPool2d", kernel_size, kernel_size if stride is None else stride, padding, dilation)
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation

    def forward(self, x: Tensor) -> Tensor:
        return max_pool2d(as_input("MaxPool2d", x), self.kernel_size, self.stride, self.padding, self.dilation)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, ceil_mode=False"


class AvgPool2d(Module):
    """The mean of each window of images `(..., h, w)`. Zeros in margins of `padding` count, unless told otherwise.

    `stride` is `kernel_size` unless given.

    >>> AvgPool2d(2)([[[[1.0, 2.0], [4.0, 3.0]]]]).tolist()
    [[[[2.5]]]]
    """

    _shown_settings = ("kernel_size", "stride", "padding")

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, count_include_pad: bool = True
    ) -> None:
        windows_of("AvgPool2d", kernel_size, kernel_size if stride is None else stride, padding, 1)
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding = padding
        self.count_include_pad = flag("AvgPool2d", "count_include_pad", count_include_pad)

    def forward(self, x: Tensor) -> Tensor:
        return avg_pool2d(as_input("AvgPool2d", x), self.kernel_size, self.stride, self.padding, self.count_include_pad)


class AdaptiveAvgPool2d(Module):
    """Means of stretches of images, as even as can be, so that the result is `(..., *output_size)` whatever comes in.

    A None in `output_size` keeps that length; 1 averages over whole images.

    >>> AdaptiveAvgPool2d(1)([[[[1.0, 2.0], [4.0, 3.0]]]]).tolist()
    [[[[2.5]]]]
    """

    _shown_settings = ("output_size",)

    def __init__(self, output_size: int | tuple[int | None, int | None] | None) -> None:
        lengths = list(output_size) if isinstance(output_size, (tuple, list)) else [output_size]
        if isinstance(output_size, (tuple, list)) and len(lengths) != 2:
            raise ValueError(f"AdaptiveAvgPool2d: output_size must be one integer or two, got {shown(output_size)}")
        for n in lengths:
            if n is not None:
                integer("AdaptiveAvgPool2d", "output_size", n, least=1)
        self.output_size = output_size

    def forward(self, x: Tensor) -> Tensor:
        return adaptive_avg_pool2d(as_input("AdaptiveAvgPool2d", x), self.output_size)
