"""Normalization layers: mean 0 and variance 1 over the batch, or over each example's features."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, ClassVar

import numpy as np

import autograd as ag
from autograd.arrays import sums
from autograd.arrays.shaping import cast
from autograd.graph import Primitive, value_of
from nn.module import Buffer, Module, Parameter, float_dtype
from nn.typing import Array
from nn.validation import as_input, flag, floating, integer, number


@cache
def _standardize(axes: tuple[int, ...], eps: float) -> Primitive:
    """`(x - mean) / √(variance + eps)` over `axes`. The rule is Ioffe and Szegedy's, 2015, section 3, collected."""

    def forward(x: Array) -> Array:
        z = x - sums.mean(x, axes, True)
        z /= np.sqrt(sums.mean(z * z, axes, True) + x.dtype.type(eps))
        return z

    def rule(g: Any, z: Any, x: Any) -> Any:
        if x.dtype == np.float16:  # whose squares overflow
            g, z, x = (cast(v, np.float32) for v in (g, z, x))
        inner = g - ag.mean(g, axes, keepdims=True) - z * ag.mean(g * z, axes, keepdims=True)
        return inner / ag.sqrt(ag.var(x, axes, keepdims=True) + eps)

    return Primitive("standardize", None, sums.in_single(forward), rule)


class _BatchNorm(Module):
    """Batch normalization, for inputs of certain numbers of axes."""

    _shown_settings = ("eps", "momentum", "affine", "track_running_stats")
    axes: ClassVar[dict[int, str]]  # shapes of inputs, by their number of axes

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: Any = np.float32,
    ) -> None:
        name = type(self).__name__
        dtype = float_dtype(dtype)
        self.num_features = num_features = integer(name, "num_features", num_features, least=1)
        self.eps = number(name, "eps", eps, least=0)
        self.momentum = None if momentum is None else number(name, "momentum", momentum, least=0, most=1)
        self.affine = flag(name, "affine", affine)
        self.track_running_stats = flag(name, "track_running_stats", track_running_stats)
        self.weight = Parameter(np.ones(num_features, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_features, dtype)) if affine else None
        self.running_mean = Buffer(np.zeros(num_features, dtype)) if track_running_stats else None
        self.running_var = Buffer(np.ones(num_features, dtype)) if track_running_stats else None
        self.num_batches_tracked = Buffer(np.array(0)) if track_running_stats else None

    def forward(self, x: Any) -> ag.Tensor:
        x = floating(type(self).__name__, x) if self.weight is None else as_input(type(self).__name__, x, self.weight)
        shape = np.shape(value_of(x))
        if len(shape) not in self.axes or shape[1] != self.num_features:
            takes = " or ".join(self.axes.values()).replace("c", str(self.num_features))
            raise ValueError(f"{self!r} takes {takes}, got shape {shape}: change num_features, or reshape the input")
        axes = (0, *range(2, len(shape)))
        along = (self.num_features, *(1 for _ in shape[2:]))  # so that a feature's number meets all of its elements
        if training := self.training:
            count = math.prod(shape) // self.num_features
            if count < 2:
                raise ValueError(
                    f"{self!r} cannot find a variance in training from one number a feature, got shape {shape}: use a "
                    "larger batch, or model.eval()"
                )
            self._track(value_of(x), axes, count)
        if training or self.running_mean is None or self.running_var is None:
            z: ag.Tensor = _standardize(axes, self.eps)(x)
        else:
            mean, var = self.running_mean.data, self.running_var.data
            z = (x - mean.reshape(along)) * (1 / np.sqrt(var + var.dtype.type(self.eps))).reshape(along)
        if self.weight is None or self.bias is None:
            return z
        return z * ag.reshape(self.weight, along) + ag.reshape(self.bias, along)

    def _track(self, x: Any, axes: tuple[int, ...], count: int) -> None:
        """Move the running statistics towards those of this batch; that of the variance is the unbiased one."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.data = self.num_batches_tracked.data + 1
        momentum = 1 / int(self.num_batches_tracked.data) if self.momentum is None else self.momentum
        for buffer, new in (
            (self.running_mean, sums.mean(sums.widened(x), axes)),
            (self.running_var, sums.var(x, axes) * (count / (count - 1))),
        ):
            buffer.data = ((1 - momentum) * buffer.data + momentum * new).astype(buffer.data.dtype)

    def extra_repr(self) -> str:
        return f"{self.num_features}, {super().extra_repr()}"


class BatchNorm1d(_BatchNorm):
    """Each of the c features of `(n, c)` or `(n, c, length)` with mean 0 and variance 1 over the batch, times `weight`
    plus `bias`, both `(c,)`, from 1 and 0 (None where `affine=False`).

    In training the batch's own mean and variance are used, and running ones follow them by `momentum` (None: their plain
    mean), to be used in evaluation; these are the buffers `running_mean`, `running_var` and `num_batches_tracked`.
    Without `track_running_stats` the batch's own are used always. Ioffe and Szegedy, "Batch normalization", 2015.
    Another number of features, or one number a feature in training, is a ValueError.

    >>> BatchNorm1d(1)(np.array([[1.0], [3.0]])).data.round(3).tolist()
    [[-1.0], [1.0]]
    """

    axes: ClassVar[dict[int, str]] = {2: "(n, c)", 3: "(n, c, length)"}


class BatchNorm2d(_BatchNorm):
    """The same as `BatchNorm1d` for images `(n, c, h, w)`: mean and variance are over batch, rows and columns.

    >>> BatchNorm2d(3)(np.ones((2, 3, 4, 4))).data.any()
    np.False_
    """

    axes: ClassVar[dict[int, str]] = {4: "(n, c, h, w)"}


class LayerNorm(Module):
    """The last axes, of shape `normalized_shape`, of each example with mean 0 and variance 1, times `weight` plus `bias`.

    Both have that shape, and start at 1 and 0; they are None where `elementwise_affine=False`, and `bias` alone is where
    `bias=False`. Ba, Kiros and Hinton, "Layer normalization", 2016. Other last axes are a ValueError.

    >>> LayerNorm(2)(np.array([[1.0, 3.0]])).data.round(3).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: Any = np.float32,
    ) -> None:
        lengths = list(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else [normalized_shape]
        if not lengths:
            raise ValueError("LayerNorm: normalized_shape must be a positive integer, or several, got none")
        shape = tuple(integer("LayerNorm", "normalized_shape", n, least=1) for n in lengths)
        self.normalized_shape, self.eps = shape, number("LayerNorm", "eps", eps, least=0)
        self.elementwise_affine = flag("LayerNorm", "elementwise_affine", elementwise_affine)
        bias = flag("LayerNorm", "bias", bias)
        dtype = float_dtype(dtype)
        self.weight = Parameter(np.ones(shape, dtype)) if elementwise_affine else None
        self.bias = Parameter(np.zeros(shape, dtype)) if elementwise_affine and bias else None

    def forward(self, x: Any) -> ag.Tensor:
        x = floating(type(self).__name__, x) if self.weight is None else as_input(type(self).__name__, x, self.weight)
        shape = np.shape(value_of(x))
        n = len(self.normalized_shape)
        if shape[-n:] != self.normalized_shape:
            raise ValueError(f"{self!r} takes last axes of shape {self.normalized_shape}, got shape {shape}")
        z: ag.Tensor = _standardize(tuple(range(-n, 0)), self.eps)(x)
        z = z if self.weight is None else z * self.weight
        return z if self.bias is None else z + self.bias

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
