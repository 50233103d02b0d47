"""Dropout layer."""

from __future__ import annotations

import numpy as np

from autograd import Tensor
from autograd.graph import value_of
from nn.module import Module
from nn.typing import Seed
from nn.validation import as_input, generator, number


class Dropout(Module):
    """In training, each element 0 with probability `p`, and the others divided by `1 - p`; in evaluation, `x` itself.

    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014, scaled in training, as
    in PyTorch. What falls is drawn from `rng`, a NumPy generator or a seed: no global state is read or changed. Its
    state can be saved and set, as `layer.rng.bit_generator.state`. A `p` that is no probability is a ValueError.

    >>> layer = Dropout(0.5, rng=0)
    >>> layer(np.ones(6)).tolist()
    [2.0, 2.0, 2.0, 0.0, 0.0, 0.0]
    >>> layer.eval()(np.ones(2)).tolist()
    [1.0, 1.0]
    """

    _shown_settings = ("p",)

    def __init__(self, p: float = 0.5, rng: Seed = None) -> None:
        self.p = number("Dropout", "p", p, least=0, most=1)
        self.rng = generator("Dropout", rng)

    def forward(self, x: Tensor) -> Tensor:
        x = as_input("Dropout", x)
        if not self.training or self.p == 0.0:
            return x
        value = np.asarray(value_of(x))
        kept = self.rng.random(value.shape, np.float32) >= self.p
        dtype = value.dtype if value.dtype.kind == "f" else np.dtype(np.float64)
        return x * np.multiply(kept, 1.0 / (1.0 - self.p) if self.p < 1.0 else 0.0, dtype=dtype)
