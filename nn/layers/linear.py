"""Linear layer, fully connected."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor
from autograd.arrays.linalg import linear
from nn.layers.parameters import initialize, uninitialized
from nn.module import Module, Parameter
from nn.typing import Seed
from nn.validation import as_input, integer


class Linear(Module):
    """`x @ weight.T + bias`: from `(..., in_features)` to `(..., out_features)`.

    `weight` has shape `(out_features, in_features)`, `bias` `(out_features,)`, or is None where `bias=False`. Both
    start uniform in ±1/√in_features, as in PyTorch (He et al., "Delving deep into rectifiers", 2015, equation 10,
    with a = √5), drawn from `rng`: a NumPy generator, or a seed; give several layers one generator, since from one
    seed layers of one shape start equal. The dtype is float32 by default: half the memory and twice the speed of
    float64, at a precision that training does not miss; pass `dtype=np.float64` for what is to be checked.

    With `in_features=None` the first input tells it (PyTorch's LazyLinear); until then there are no parameters.

    An `x` that is not a node is data: it is taken in the layer's dtype. A last axis of another length is a ValueError.

    >>> layer = Linear(3, 2, rng=0)
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)
    >>> layer(np.ones((5, 3))).shape
    (5, 2)
    """

    weight: Parameter  # uninitialized until the first input, if that is to tell the shape
    bias: Parameter | None

    def __init__(
        self, in_features: int | None, out_features: int, bias: bool = True, dtype: Any = np.float32, rng: Seed = None
    ) -> None:
        self.in_features = None if in_features is None else integer("Linear", "in_features", in_features, least=1)
        self.out_features = integer("Linear", "out_features", out_features, least=1)
        uninitialized(self, bias, dtype, rng)
        if self.in_features is not None:
            self._initialize_parameters(self.in_features)

    def _initialize_parameters(self, in_features: int) -> None:
        """Make the parameters, for inputs of this number of features."""
        self.in_features = in_features
        initialize(self, (self.out_features, in_features))

    def forward(self, x: Any) -> Tensor:
        x = as_input("Linear", x, self.weight)
        shape = x._data.shape if isinstance(x, Tensor) else np.shape(x)
        if not shape or shape[-1] != self.in_features:
            if self.in_features is not None or not shape or not shape[-1]:
                raise ValueError(
                    f"{self!r} takes a last axis of length {self.in_features}, got shape {shape}: "
                    "change in_features, or transpose or reshape the input"
                )
            self._initialize_parameters(shape[-1])
        y: Tensor = x @ self.weight.T if self.bias is None else linear(x, self.weight, self.bias)
        return y

    def extra_repr(self) -> str:
        bias = self.bias is not None
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={bias}"
