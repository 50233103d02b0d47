"""Several arrays to one, and one to several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from itertools import accumulate, pairwise
from operator import index as index_of
from typing import Any

import numpy as np

from autograd.arrays.indexing import index
from autograd.arrays.shaping import axes_of, fixed, operand, ravel
from autograd.graph import Primitive


@cache
def _concatenate(axis: int, n: int) -> Primitive:
    def rule(i: int, g: Any, z: Any, *xs: Any) -> Any:
        start = sum(x.shape[axis] for x in xs[:i])
        part = slice(start, start + xs[i].shape[axis])
        return index(g, (slice(None),) * (axis % len(z.shape)) + (part,))

    return Primitive(
        "concatenate", None, lambda *xs: np.concatenate(xs, axis), *(partial(rule, i) for i in range(n)), reads=False
    )


def concatenate(xs: Sequence[Any], axis: int | None = 0) -> Any:
    """The arrays `xs` one after the other along `axis`; flattened first for None."""
    xs = [operand(x, "concatenate") for x in xs]
    if axis is None:
        xs, axis = [ravel(x) for x in xs], 0
    return _concatenate(index_of(axis), len(xs))(*xs)


@cache
def _stack(axis: int, n: int) -> Primitive:
    def rule(i: int, g: Any, z: Any, *xs: Any) -> Any:
        return index(g, (slice(None),) * (axis % len(z.shape)) + (i,))

    return Primitive("stack", None, lambda *xs: np.stack(xs, axis), *(partial(rule, i) for i in range(n)), reads=False)


def stack(xs: Sequence[Any], axis: int = 0) -> Any:
    """The arrays (or scalars) `xs`, all of one shape, as the slices of a new axis."""
    return _stack(index_of(axis), len(xs))(*(operand(x, "stack") for x in xs))


def split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """`x` cut along `axis` into equal sections, or at the given places."""
    x = operand(x, "split")
    [axis] = axes_of(index_of(axis), len(x.shape))
    n = x.shape[axis]
    if np.ndim(fixed("split: indices_or_sections", indices_or_sections)) == 0:
        sections = index_of(indices_or_sections)  # type: ignore[arg-type]  # of no dimension: an integer
        if sections < 1 or n % sections:
            raise ValueError(f"split: an axis of length {n} does not divide into {sections} equal sections")
        places = list(accumulate([n // sections] * (sections - 1)))
    else:
        places = list(map(index_of, indices_or_sections))  # type: ignore[arg-type]  # no integer: a sequence
    before = (slice(None),) * axis
    return [index(x, (*before, slice(start, stop))) for start, stop in pairwise([0, *places, n])]
