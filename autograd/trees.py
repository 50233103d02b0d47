"""Trees: nested lists, tuples, dicts and modules of numbers, arrays and nodes, taken apart, paired and put together.

`flatten` gives the leaves, in order, and the tree's definition, which puts others in their place (`unflatten`) and finds
the leaves of another tree that belong to its own (`match`): by key, and only where keys and nesting are the same. A
module (anything with `named_parameters()`) is the dict of its parameters by name, an object array the list of its
elements; None holds nothing. Nothing recurses, so trees may be as deep as memory allows.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

_DICTS = (OrderedDict, defaultdict)  # the kinds of dict that are built anew as what they were


def is_module(tree: Any) -> bool:
    """Whether `tree` has named parameters."""
    return hasattr(tree, "named_parameters") and not isinstance(tree, type)


class Branch(NamedTuple):
    """A tree's node that is no leaf: what kind it is of, the keys of its parts, and what else it takes to build it."""

    kind: Any  # a class of containers, NoneType, or `is_module`
    keys: Sequence[Any]
    extra: Any = None  # of an object array the shape, of a defaultdict the factory

    def spell(self, key: Any) -> str:
        """The way to a part, as it stands in an error."""
        if self.kind is is_module:
            return f".{key}"
        if hasattr(self.kind, "_fields"):
            return f".{self.kind._fields[key]}"
        if isinstance(self.extra, tuple):
            return f"[{', '.join(map(str, key))}]"
        return f"[{key!r}]"

    def build(self, parts: list[Any]) -> Any:
        """What it is of these parts; of a module, the dict by name."""
        kind = self.kind
        if kind is type(None):
            return None
        if kind is list:
            return parts
        if kind is tuple:
            return tuple(parts)
        if kind is defaultdict:
            return defaultdict(self.extra, zip(self.keys, parts, strict=True))
        if kind is is_module or issubclass(kind, dict):
            return (OrderedDict if kind is OrderedDict else dict)(zip(self.keys, parts, strict=True))
        if issubclass(kind, tuple):
            return kind(*parts)
        array = np.empty(len(parts), object)
        for i, part in enumerate(parts):
            array[i] = part
        if any(hasattr(part, "op") for part in parts) or len({np.shape(part) for part in parts}) > 1:
            return array.reshape(self.extra).view(kind)
        return np.array(parts, None if parts else float).reshape(self.extra + np.shape(parts[0] if parts else ()))

    def take(self, tree: Any) -> list[Any] | str:
        """The parts of another tree that belong to this one's, in this one's order; or what is wrong with it."""
        if self.kind is type(None):
            return [] if tree is None else f"is {_a(tree)}, where None belongs"
        if self.kind is is_module or issubclass(self.kind, dict):
            if is_module(tree):
                tree = dict(_parameters(tree))
            if not isinstance(tree, dict):
                return f"is {_a(tree)}, where a dict with the keys {_listed(self.keys)} belongs"
            if missing := [key for key in self.keys if key not in tree]:
                return f"has no {_listed(missing)}: its keys are {_listed(tree)}"
            if len(tree) > len(self.keys):
                known = set(self.keys)
                return f"has {_listed([key for key in tree if key not in known])}, where there is no such key"
            return [tree[key] for key in self.keys]
        if self.kind is not list and issubclass(self.kind, np.ndarray):
            array = tree if isinstance(tree, np.ndarray) else np.asarray(tree, dtype=object)
            shape = array.shape[: len(self.extra)]
            if isinstance(tree, dict) or is_module(tree) or shape != self.extra:
                return f"is {_a(tree)}, where an array of shape {self.extra} belongs"
            return list(array.reshape(len(self.keys), *array.shape[len(shape) :]))
        if isinstance(tree, np.ndarray) and tree.dtype == object and tree.ndim == 1:
            tree = tree.tolist()
        if not isinstance(tree, (list, tuple)):
            return f"is {_a(tree)}, where a {self.kind.__name__} of {len(self.keys)} belongs"
        if len(tree) != len(self.keys):
            return f"has {len(tree)} part{'s' * (len(tree) != 1)}, where there are {len(self.keys)}"
        own, other = (getattr(kind, "_fields", None) for kind in (self.kind, type(tree)))
        if own and other and own != other:
            return f"has the fields {_listed(other)}, where {_listed(own)} belong"
        return list(tree)


class Definition(NamedTuple):
    """The structure of a tree: its branches, and None for every leaf, each before its parts. Can be a key of a dict."""

    parts: tuple[Branch | None, ...]

    def unflatten(self, values: Iterable[Any]) -> Any:
        """The tree with `values`, in order, for leaves: the parts of a branch are those last built before it, in reverse."""
        values = list(values)
        if len(self.parts) == 1 and self.parts[0] is None:
            return values[0]
        built: list[Any] = []
        for part in reversed(self.parts):
            if part is None:
                built.append(values.pop())
            elif n := len(part.keys):
                inner = built[: -n - 1 : -1]
                del built[-n:]
                built.append(part.build(inner))
            else:
                built.append(part.build([]))
        return built[0]

    def match(self, tree: Any, name: str) -> list[Any]:
        """The leaves of another tree of this structure, in the order of this one's. Dicts and modules are paired by key,
        lists and tuples by position; for an array, lists of numbers will do. A ValueError says where the structures part; there the tree is called `name`."""
        found = []
        rest = [tree]
        for i, part in enumerate(self.parts):
            tree = rest.pop()
            if part is None:
                if isinstance(tree, (list, tuple)):
                    tree = _as_numbers(tree)
                if not _is_leaf(tree):
                    raise ValueError(f"{name}{self.path(i)} is {_a(tree)}, where a number or an array belongs")
                found.append(tree)
                continue
            inner = part.take(tree)
            if isinstance(inner, str):
                raise ValueError(f"{name}{self.path(i)} {inner}")
            rest += reversed(inner)
        return found

    def path(self, place: int) -> str:
        """The way to the branch or leaf at `place` among the parts, as "['layers'][0].weight"."""
        around: list[list[Any]] = []  # the branches around the place, each with how many of its parts were begun
        for part in self.parts[:place]:
            _begin(around)
            if part is not None:
                around.append([part, 0])
        _begin(around)
        way = [branch.spell(branch.keys[begun - 1]) for branch, begun in around]
        return "".join(way if len(way) <= 12 else [*way[:6], "…", *way[-3:]])

    def leaf_path(self, n: int) -> str:
        """The way to leaf `n`."""
        return self.path([i for i, part in enumerate(self.parts) if part is None][n])


_LEAF = Definition((None,))


def flatten(tree: Any, open_modules: bool = True, name: str = "the structure") -> tuple[list[Any], Definition]:
    """The leaves of a tree, in order, and its definition. With `open_modules=False` a module is a leaf.

    What contains itself is a ValueError, which calls the tree `name`.
    """
    if _is_leaf(tree):
        return [tree], _LEAF
    leaves: list[Any] = []
    parts: list[Branch | None] = []
    around: dict[int, None] = {}  # the ids of the branches around the place
    rest = [tree]
    while rest:
        tree = rest.pop()
        if tree is _END:
            around.popitem()
        elif _is_leaf(tree) or (not open_modules and is_module(tree)):
            leaves.append(tree)
            parts.append(None)
        elif id(tree) in around:
            raise ValueError(
                f"{name} contains itself: {name}{Definition(tuple(parts)).path(len(parts))} is {_a(tree)} that it is in"
            )
        else:
            branch, inner = opened(tree)
            parts.append(branch)
            if branch.kind is is_module:
                leaves += inner
                parts += [None] * len(inner)
            elif inner:
                around[id(tree)] = None
                rest.append(_END)
                rest += reversed(inner)
    return leaves, Definition(tuple(parts))


def too_deep(name: str, most: int, *trees: Any) -> ValueError:
    """The error for trees of which one contains itself, or is nested more than `most` deep."""
    for tree in trees:
        try:
            flatten(tree, name=name)
        except ValueError as error:
            return error.with_traceback(None)
    return ValueError(f"{name}: there are more than {most} lists, tuples and dicts within each other: make it flatter")


def leaves(tree: Any) -> list[Any]:
    """What is in the tree that is not itself a tree, in order."""
    return flatten(tree)[0]


def map_leaves(f: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with `f(leaf)` in the place of every leaf; of a module, the dict by name."""
    found, definition = flatten(tree)
    return definition.unflatten(map(f, found))


_END = object()


def _is_leaf(tree: Any) -> bool:
    kind = type(tree)
    if kind is float or kind is int or (kind is np.ndarray and tree.dtype.char != "O"):
        return True
    if tree is None or isinstance(tree, (list, tuple, dict)):
        return False
    return not (isinstance(tree, np.ndarray) and tree.dtype == object) and not is_module(tree)


def opened(tree: Any) -> tuple[Branch, list[Any]]:
    """What is no leaf as a branch, and its parts: of a module, its parameters."""
    if tree is None:
        return Branch(type(None), ()), []
    if is_module(tree):
        named = _parameters(tree)
        return Branch(is_module, tuple(name for name, _ in named)), [parameter for _, parameter in named]
    if isinstance(tree, dict):
        known = next((known for known in _DICTS if isinstance(tree, known)), dict)
        return Branch(known, tuple(tree), getattr(tree, "default_factory", None)), list(tree.values())
    if isinstance(tree, np.ndarray):
        return Branch(type(tree), tuple(np.ndindex(tree.shape)), tree.shape), tree.ravel().tolist()
    kind = list if isinstance(tree, list) else type(tree) if hasattr(tree, "_fields") else tuple
    return Branch(kind, range(len(tree))), list(tree)


def _as_numbers(tree: Any) -> Any:
    """A list of real numbers as an array, and any other as it is."""
    try:
        array = np.asarray(tree)
    except (TypeError, ValueError):
        return tree
    return array if array.dtype.kind in "fiub" else tree


def _parameters(module: Any) -> list[tuple[str, Any]]:
    """The named parameters; one that has several names, under its first."""
    named: dict[int, tuple[str, Any]] = {}
    for name, parameter in module.named_parameters():
        named.setdefault(id(parameter), (name, parameter))
    return list(named.values())


def _begin(around: list[list[Any]]) -> None:
    """Of the branches around a place, leave those that are done, and begin the next part of the innermost that is not."""
    while around and around[-1][1] == len(around[-1][0].keys):
        around.pop()
    if around:
        around[-1][1] += 1


def _a(tree: Any) -> str:
    """A few words on what is wrong, for errors."""
    if tree is None:
        return "None"
    if isinstance(tree, np.ndarray):
        return f"an array of shape {tree.shape}"
    if isinstance(tree, (list, tuple, dict)):
        return f"a {type(tree).__name__} of {len(tree)}"
    name = type(tree).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _listed(keys: Iterable[Any]) -> str:
    names = [repr(key) for key in islice(keys, 9)]
    return ", ".join(names if len(names) < 9 else [*names[:8], "…"]) or "no keys"
