"""Nested lists, tuples and dicts of numbers, arrays and nodes: their leaves, in order, and maps over them.

A module (anything with `named_parameters()`) is the dict of its parameters by name, and an object array is the list
of its elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def is_module(tree: Any) -> bool:
    """Whether `tree` has named parameters."""
    return hasattr(tree, "named_parameters")


def leaves(tree: Any) -> Iterator[Any]:
    """What is in the tree that is not itself a tree, in order."""
    if is_module(tree):
        for _, parameter in tree.named_parameters():
            yield parameter
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from leaves(value)
    elif isinstance(tree, (list, tuple)) or (isinstance(tree, np.ndarray) and tree.dtype == object):
        for value in tree.ravel().tolist() if isinstance(tree, np.ndarray) else tree:
            yield from leaves(value)
    elif tree is not None:
        yield tree


def map_leaves(f: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with `f(leaf)` in the place of every leaf; of a module, the dict by name."""
    if is_module(tree):
        return {name: f(parameter) for name, parameter in tree.named_parameters()}
    if isinstance(tree, dict):
        return {key: map_leaves(f, value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        values = [map_leaves(f, value) for value in tree]
        if isinstance(tree, list):
            return values
        return type(tree)(*values) if hasattr(tree, "_fields") else tuple(values)
    if isinstance(tree, np.ndarray) and tree.dtype == object:
        mapped = np.empty_like(tree)
        for i, value in np.ndenumerate(tree):
            mapped[i] = map_leaves(f, value)
        return mapped if any(hasattr(v, "op") for v in mapped.flat) else np.array(mapped.tolist())
    return None if tree is None else f(tree)


def refill(tree: Any, values: Iterator[Any]) -> Any:
    """The tree with `values`, in order, in the place of its leaves."""
    return map_leaves(lambda leaf: next(values), tree)
