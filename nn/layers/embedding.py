"""Embedding layer: a vector for each integer."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from autograd.graph import value_of
from nn.module import Module, Parameter, float_dtype
from nn.typing import Seed
from nn.validation import generator, integer, numbers


class Embedding(Module):
    """Row `i` of `weight`, `(num_embeddings, embedding_dim)`, for each integer `i` of an array of any shape `s`: gives
    `(*s, embedding_dim)`.

    The weight starts standard normal, drawn from `rng`, a NumPy generator or a seed. Row `padding_idx` (a negative one
    counts from the end) starts at 0 and gets no gradient. What is not an integer is a TypeError, one out of range a
    ValueError.

    >>> Embedding(10, 3, rng=0)(np.array([[1, 2], [4, 1]])).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        dtype: Any = np.float32,
        rng: Seed = None,
    ) -> None:
        num_embeddings = integer("Embedding", "num_embeddings", num_embeddings, least=1)
        embedding_dim = integer("Embedding", "embedding_dim", embedding_dim, least=1)
        if (
            padding_idx is not None
            and not -num_embeddings <= integer("Embedding", "padding_idx", padding_idx) < num_embeddings
        ):
            raise ValueError(f"Embedding: padding_idx={padding_idx} is not one of {num_embeddings} rows")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else int(padding_idx) % num_embeddings
        weight = generator("Embedding", rng).normal(size=(num_embeddings, embedding_dim)).astype(float_dtype(dtype))
        if self.padding_idx is not None:
            weight[self.padding_idx] = 0.0
        self.weight = Parameter(weight)

    def forward(self, x: Any) -> ag.Tensor:
        rows = numbers("Embedding", "x", value_of(x))
        if rows.dtype.kind not in "iu":
            raise TypeError(f"{self!r} takes integers, got {rows.dtype} of shape {rows.shape}: use x.astype(int)")
        rows = rows.astype(np.intp)
        if rows.size and not 0 <= rows.min() <= rows.max() < self.num_embeddings:
            wrong = rows[(rows < 0) | (rows >= self.num_embeddings)].flat[0]
            raise ValueError(f"{self!r}: {wrong} is not in 0..{self.num_embeddings - 1}: make num_embeddings larger")
        vectors = ag.index(self.weight, rows)
        if self.padding_idx is not None:
            padding = self.weight._data[self.padding_idx].copy()
            vectors = ag.where((rows == self.padding_idx)[..., None], padding, vectors)
        return vectors

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
