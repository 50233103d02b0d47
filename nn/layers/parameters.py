"""Initialization of the weight and the bias of linear layers."""

from __future__ import annotations

import math
from typing import Any

from nn.module import Parameter, UninitializedParameter
from nn.typing import Seed
from nn.validation import flag, generator


def uninitialized(layer: Any, bias: bool, dtype: Any, rng: Seed) -> None:
    """Give `layer` placeholders of its weight and, if it has one, its bias, and the generator that they will be drawn from."""
    name = type(layer).__name__
    layer.weight = UninitializedParameter(dtype)
    layer.bias = UninitializedParameter(dtype) if flag(name, "bias", bias) else None
    layer.rng = generator(name, rng)


def initialize(layer: Any, shape: tuple[int, ...]) -> None:
    """Make the weight of `layer`, of this shape, `(outputs, ...)`, and its bias, if it has one, from its generator.

    Both are uniform in ±1/√k, where k is the number of weights that an output has, as in PyTorch (He et al., "Delving
    deep into rectifiers", 2015, equation 10, with a = √5).
    """
    bound, dtype = 1.0 / math.sqrt(math.prod(shape[1:])), layer.weight.dtype
    layer.weight = Parameter(layer.rng.uniform(-bound, bound, shape).astype(dtype))
    if layer.bias is not None:
        layer.bias = Parameter(layer.rng.uniform(-bound, bound, shape[:1]).astype(dtype))
    del layer.rng
