"""Arrays that meet nodes as constants: a graph relies on them until its backward pass, but they are the caller's.

A rule must see what the forward pass saw. A small array is copied, so the caller may change it at will. A large one is
not: its fingerprint is taken, and the traversal that comes to it takes another and raises where they differ. Nothing of
the caller's is locked, so whoever changes an array of which no derivative is asked again goes on undisturbed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from weakref import ref

import numpy as np

from autograd.arguments import numbers
from autograd.graph import Node

SMALL = 1 << 14  # bytes up to which a copy costs less than two fingerprints, and little memory
EXACT = 1 << 20  # bytes up to which every byte counts in a fingerprint: beyond, reading them all twice is felt
STRIDE = 127  # of larger arrays one element in so many is looked at, and so any run of as many that changes is noticed
_COLUMNS = 1021  # a prime, so that rows of an array that change places do not fall on the same sums

Array = np.ndarray[Any, Any]


class _Watch(ref[Node]):
    """A node with its large constants and their fingerprints; forgotten together with the node."""

    __slots__ = ("constants", "key")
    key: int
    constants: list[tuple[Array, bytes]]


watched: dict[int, _Watch] = {}  # by the node's id; nearly always empty, which costs a traversal one look


def own(constant: Any) -> Any:
    """What a graph keeps of a constant: a copy of a small array or of a list, and a large array itself (see `watch`)."""
    if isinstance(constant, np.ndarray):
        return constant.copy("K") if constant.nbytes <= SMALL and constant.dtype != object else constant
    return numbers("an operation", "a list", constant) if isinstance(constant, (list, tuple)) else constant


def watch(node: Node, constants: Sequence[Any]) -> None:
    """Remember what the large arrays among `constants`, which `node` relies on, are now."""
    large = [x for x in constants if isinstance(x, np.ndarray) and x.nbytes > SMALL and x.dtype != object]
    if large:
        entry = _Watch(node, _forget)
        entry.key, entry.constants = id(node), [(array, _fingerprint(array)) for array in large]
        watched[entry.key] = entry


def check(nodes: Iterable[Node], since: int) -> None:
    """Raise a RuntimeError if a constant that an operation among `nodes`, of those born after `since`, read has changed."""
    seen: dict[int, bytes] = {}
    for node in nodes:
        entry = watched.get(id(node))
        if entry is None or (node.op is not None and node.birth > since):
            continue
        for array, before in entry.constants:
            now = seen.get(id(array))
            if now is None:
                now = seen[id(array)] = _fingerprint(array)
            if now != before:
                reader = "that was given as an argument" if node.op is None else f"that met a node in {node.op.name}"
                raise RuntimeError(
                    f"an array of shape {array.shape}, {array.dtype}, {reader}, was changed in place after the forward "
                    "pass, so that its derivative would be wrong: run the forward pass again before backward(), or "
                    "give it array.copy()"
                )


def _forget(entry: _Watch) -> None:
    watched.pop(entry.key, None)


def _fingerprint(array: Array) -> bytes:
    """Bytes that a change of the array changes too: sums of its words, and some of its elements."""
    if array.nbytes > EXACT:
        contiguous = array if array.flags.c_contiguous else array.T
        flat = contiguous.reshape(-1) if contiguous.flags.c_contiguous else array.flat
        samples: bytes = flat[::STRIDE].tobytes() + flat[-1:].tobytes()
        return samples
    octets = array.ravel("K").view(np.uint8)
    whole = octets.size - octets.size % (8 * _COLUMNS)
    words = octets[:whole].view(np.uint64)
    sums: Array = np.add.reduce(words.reshape(-1, _COLUMNS), 0)
    # An even number of changed signs may leave a sum as it was: of all elements, say, which the samples notice.
    return sums.tobytes() + words[::STRIDE].tobytes() + octets[whole:].tobytes()
