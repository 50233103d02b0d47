"""Constants of a graph: arrays that belong to the caller, and must not change before the backward pass.

A rule must see what the forward pass saw. A small array is copied, so the caller may change it at will. A large one is
not copied: some of its elements are remembered, and a traversal that reaches it raises an error if they have changed.
Reading all elements twice would cost as much as an operation. The caller's array is not locked: changing it is an error
only if a derivative still needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from weakref import ref

import numpy as np

from autograd.graph import Node

SMALL = 1 << 16  # bytes up to which an array is copied
# Of a larger array the first and last ENDS elements are remembered, and one in STRIDE of the rest, so that a change of
# STRIDE elements in a row is always noticed. There are at most about SAMPLES of the latter, to bound the cost.
ENDS = 1 << 8
STRIDE = 127
SAMPLES = 1 << 12

Array = np.ndarray[Any, Any]


class _Watch(ref[Node]):
    """A node with its large constants and samples of them, removed when the node dies."""

    __slots__ = ("constants", "key")
    key: int
    constants: list[tuple[Array, bytes]]


watched: dict[int, _Watch] = {}  # by the node's id; nearly always empty, so that a traversal checks one truth value


def own(array: Array) -> Array:
    """The array that a graph keeps: a copy of a small one, or a large one itself (see `watch`)."""
    return array.copy("K") if array.nbytes <= SMALL else array


def watch(node: Node, constants: Sequence[Any]) -> None:
    """Remember samples of the large arrays among the `constants` of `node`."""
    entry = _Watch(node, _forget)
    large = [x for x in constants if isinstance(x, np.ndarray) and x.nbytes > SMALL and x.dtype != object]
    entry.key, entry.constants = id(node), [(array, _samples(array)) for array in large]
    watched[entry.key] = entry


def check(nodes: Iterable[Node], since: int) -> None:
    """Raise a RuntimeError if a constant of an operation among `nodes` that was made after `since` has changed."""
    seen: dict[int, bytes] = {}
    for node in nodes:
        entry = watched.get(id(node))
        if entry is None or (node.op is not None and node._sequence <= since):
            continue
        for array, before in entry.constants:
            now = seen.get(id(array))
            if now is None:
                now = seen[id(array)] = _samples(array)
            if now != before:
                reader = "that was given as an argument" if node.op is None else f"that met a node in {node.op.name}"
                raise RuntimeError(
                    f"an array of shape {array.shape}, {array.dtype}, {reader}, was changed in place after the forward "
                    "pass, so that its derivative would be wrong: run the forward pass again before backward(), or "
                    "give it array.copy()"
                )


def _forget(entry: _Watch) -> None:
    watched.pop(entry.key, None)


def _samples(array: Array) -> bytes:
    """Some of the elements, as bytes."""
    turned = array if array.flags.c_contiguous else array.T
    flat = turned.reshape(-1) if turned.flags.c_contiguous else array.flat
    stride = max(STRIDE, array.size // SAMPLES)
    samples: bytes = flat[:ENDS].tobytes() + flat[::stride].tobytes() + flat[-ENDS:].tobytes()
    return samples
