"""Convolution layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor
from autograd.arrays.convolution import conv2d
from autograd.arrays.windows import windows_of
from nn.layers.parameters import initialize, uninitialized
from nn.module import Module, Parameter
from nn.typing import Seed
from nn.validation import as_input, integer


class Conv2d(Module):
    """The correlation of images `(n, in_channels, h, w)`, or one `(in_channels, h, w)`, with `out_channels` kernels.

    `weight` has shape `(out_channels, in_channels / groups, *kernel_size)`, `bias` `(out_channels,)`, or is None where
    `bias=False`. Both start uniform in ±1/√k, where k is the number of weights that an output has, as in PyTorch (He et
    al., "Delving deep into rectifiers", 2015, equation 10, with a = √5), drawn from `rng`: a generator or a seed.
    `kernel_size`, `stride`, `padding` and `dilation` are integers, or pairs for rows and columns; `padding` may be
    "valid" (none) or, with stride 1, "same". The result is `(n, out_channels, ⌊(h + 2 padding - dilation (kernel - 1) -
    1) / stride⌋ + 1, …)`. float32 is the default. With `in_channels=None` the first input tells it (PyTorch's
    LazyConv2d); until then there are no parameters.

    Groups that do not divide both numbers of channels, other channels than `in_channels`, and images smaller than the
    kernel are a ValueError.

    >>> layer = Conv2d(1, 8, 3, padding=1, rng=0)
    >>> layer
    Conv2d(1, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    >>> layer(np.ones((5, 1, 28, 28))).shape
    (5, 8, 28, 28)
    """

    weight: Parameter  # uninitialized until the first input, if that is to tell the shape
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int | None,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        dtype: Any = np.float32,
        rng: Seed = None,
    ) -> None:
        in_channels = None if in_channels is None else integer("Conv2d", "in_channels", in_channels, least=1)
        out_channels = integer("Conv2d", "out_channels", out_channels, least=1)
        groups = integer("Conv2d", "groups", groups, least=1)
        for name, n in (("in_channels", in_channels), ("out_channels", out_channels)):
            if n is not None and n % groups:
                raise ValueError(f"Conv2d: groups={groups} does not divide {name}={n}: use a divisor of both")
        windows = windows_of("Conv2d", kernel_size, stride, padding, dilation)
        self.kernel_size, self.stride, self.dilation = windows.kernel, windows.stride, windows.dilation
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.padding = padding if isinstance(padding, str) else (windows.pads[0][0], windows.pads[1][0])
        uninitialized(self, bias, dtype, rng)
        if in_channels is not None:
            self._initialize_parameters(in_channels)

    def _initialize_parameters(self, in_channels: int) -> None:
        """Make the parameters, for images of this number of channels."""
        self.in_channels = in_channels
        initialize(self, (self.out_channels, in_channels // self.groups, *self.kernel_size))

    def forward(self, x: Any) -> Tensor:
        x = as_input("Conv2d", x, self.weight)
        if len(x.shape) not in (3, 4):
            raise ValueError(f"{self!r} takes images (n, channels, height, width), got shape {x.shape}: reshape them")
        channels = x.shape[-3]
        if self.in_channels is None:
            if not channels or channels % self.groups:
                raise ValueError(f"{self!r}: groups={self.groups} does not divide the {channels} channels of its input")
            self._initialize_parameters(channels)
        if channels != self.in_channels:
            axis = "give images without an axis of channels one, as with x[:, None]; " if len(x.shape) == 3 else ""
            raise ValueError(
                f"{self!r} takes images of {self.in_channels} channels, got shape {x.shape}: {axis}change in_channels, or "
                "move the axis of channels before height and width, as with x.transpose(0, 3, 1, 2)"
            )
        return conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        for name, default in (("padding", (0, 0)), ("dilation", (1, 1)), ("groups", 1)):
            if (setting := getattr(self, name)) != default:
                parts.append(f"{name}={setting}")
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join(parts)
