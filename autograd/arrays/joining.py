"""Joining and splitting: several arrays to one, and one to several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from autograd.arguments import integer, integers, sequence
from autograd.arrays.indexing import index
from autograd.arrays.shaping import along, fixed, one_axis, operand, ravel
from autograd.graph import Node, Primitive

if TYPE_CHECKING:
    from autograd.typing import A, Array, Constant, Operand, Tensor


def _several(owner: str, xs: Any) -> list[Any]:
    """The arrays of a list or another iterable, which must not be empty."""
    found = xs if type(xs) is list else sequence(owner, "xs", xs)
    if not found:
        raise ValueError(f"{owner} needs at least one array, got none")
    return [x if isinstance(x, Node) else operand(x, owner, f"xs[{i}]") for i, x in enumerate(found)]


@cache
def _concatenate(axis: int, n: int) -> Primitive:
    def rule(i: int, g: A, z: A, *xs: A) -> A:
        start = sum(x.shape[axis] for x in xs[:i])
        part = slice(start, start + xs[i].shape[axis])
        return index(g, (slice(None),) * (axis % len(z.shape)) + (part,))

    rules = (partial(rule, i) for i in range(n))
    forward, numpy = lambda *xs: np.concatenate(xs, axis), "np.concatenate(({args},), {axis})"
    return Primitive("concatenate", None, forward, *rules, reads=False, settings={"axis": axis}, numpy=numpy)


@overload
def concatenate(xs: Sequence[Constant], axis: int | None = 0) -> Array: ...
@overload
def concatenate(xs: Sequence[Operand], axis: int | None = 0) -> Tensor: ...
def concatenate(xs: Sequence[Any], axis: int | None = 0) -> Any:
    """The arrays `xs` one after the other along `axis`; flattened first for None."""
    xs = _several("concatenate", xs)
    if axis is None:
        xs, axis = [ravel(x) for x in xs], 0
    return _concatenate(one_axis(axis, "concatenate"), len(xs))(*xs)


@cache
def _stack(axis: int, n: int) -> Primitive:
    def rule(i: int, g: A, z: A, *xs: A) -> A:
        return index(g, (slice(None),) * (axis % len(z.shape)) + (i,))

    rules, numpy = (partial(rule, i) for i in range(n)), "np.stack(({args},), {axis})"
    forward = lambda *xs: np.stack(xs, axis)
    return Primitive("stack", None, forward, *rules, reads=False, settings={"axis": axis}, numpy=numpy)


@overload
def stack(xs: Sequence[Constant], axis: int = 0) -> Array: ...
@overload
def stack(xs: Sequence[Operand], axis: int = 0) -> Tensor: ...
def stack(xs: Sequence[Any], axis: int = 0) -> Any:
    """The arrays (or scalars) `xs`, all of one shape, as the slices of a new axis."""
    xs = _several("stack", xs)
    return _stack(one_axis(axis, "stack"), len(xs))(*xs)


def split(x: A, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[A]:
    """`x` cut along `axis` into equal sections, or at the given places."""
    x, axis = along("split", x, axis)
    n = x.shape[axis]
    if np.ndim(fixed("split: indices_or_sections", indices_or_sections)) == 0:
        sections = integer("split", "indices_or_sections", indices_or_sections, least=1)
        if n % sections:
            raise ValueError(f"split: an axis of length {n} does not divide into {sections} equal sections")
        places: list[int] = list(accumulate([n // sections] * (sections - 1)))
    else:
        places = list(integers("split", "indices_or_sections", indices_or_sections))  # type: ignore[arg-type]  # checked there
    before: tuple[slice, ...] = (slice(None),) * axis
    return [index(x, (*before, slice(start, stop))) for start, stop in pairwise([0, *places, n])]
