"""Reshaping layer."""

from __future__ import annotations

import math

import numpy as np

import autograd as ag
from autograd.graph import value_of
from nn.module import Module
from nn.validation import as_input, integer


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` as one: by default all but the first, which is the batch.

    >>> Flatten()(ag.Tensor(np.ones((5, 2, 3)))).shape
    (5, 6)
    """

    _shown_settings = ("start_dim", "end_dim")

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim = integer("Flatten", "start_dim", start_dim)
        self.end_dim = integer("Flatten", "end_dim", end_dim)

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        shape = np.shape(value_of(as_input("Flatten", x)))
        n = len(shape)
        if not (-n <= self.start_dim < n and -n <= self.end_dim < n and self.start_dim % n <= self.end_dim % n):
            raise ValueError(f"{self!r} cannot flatten shape {shape}: choose axes that it has, the first one first")
        start, stop = self.start_dim % n, self.end_dim % n + 1
        return ag.reshape(x, (*shape[:start], math.prod(shape[start:stop]), *shape[stop:]))
