"""Pytrees: nested lists, tuples, dicts and modules of numbers, arrays and nodes, flattened, paired and built anew.

`flatten` gives the leaves, in order, and the tree's definition (JAX's terms). The definition builds a tree of other leaves
(`TreeDef.unflatten`), and finds the leaves of another tree that pair with its own (`TreeDef.flatten_up_to`): by key, and
only where keys and nesting are the same. A module (anything with `named_parameters()`) is the dict of its parameters by
name, an object array the list of its elements; None has no leaves. Nothing recurses, so trees may be as deep as memory
allows.
"""

from __future__ import annotations

import math
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from autograd.graph import Node

_DICTS = (OrderedDict, defaultdict)  # the subclasses of dict that are kept when a tree is built
_LEAVES = (float, int, Node, np.generic)  # the most common leaves
_PLAIN = frozenset((list, tuple, dict))
_NUMBERS = frozenset((float, int))
_NONE = (type(None),)


class Parameters(dict[str, Any]):
    """The kind of a module: in its place a dict of parameters by name is built."""


class Container(NamedTuple):
    """A part of a tree that holds others: its kind, the keys of its children, and what else is needed to build it.

    A static part (None, and the kinds in `static` of `flatten`) is a container without children.
    """

    kind: type
    keys: Sequence[Any]
    extra: Any = None  # the shape of an object array, the factory of a defaultdict, or the static part itself

    def spell(self, key: Any) -> str:
        """The path to a child, as errors show it."""
        if self.kind is Parameters or hasattr(self.kind, "_fields"):
            return f".{key}"
        if issubclass(self.kind, np.ndarray):
            return f"[{','.join(map(str, np.unravel_index(key, self.extra)))}]"
        return f"[{key!r}]"

    def build(self, children: list[Any]) -> Any:
        """The container with these children; for a module, the dict by name."""
        kind, keys, extra = self
        if kind is list or kind is tuple:
            return kind(children)
        if issubclass(kind, dict):
            items = zip(keys, children, strict=True)
            if kind is defaultdict:
                return defaultdict(extra, items)
            return OrderedDict(items) if kind is OrderedDict else dict(items)
        if issubclass(kind, (list, tuple)):
            return kind(*children) if hasattr(kind, "_fields") else kind(children)
        if not issubclass(kind, np.ndarray):
            return extra
        if kind is np.ndarray and not any(isinstance(child, Node) for child in children):
            shapes = {np.shape(child) for child in children} or {()}
            if len(shapes) == 1:
                return np.array(children, None if children else float).reshape(extra + shapes.pop())
        array = np.empty(len(children), object)
        for i, child in enumerate(children):
            array[i] = child
        return array.reshape(extra).view(kind)

    def pair(self, tree: Any) -> list[Any] | str:
        """The children of another tree that pair with these, in the same order; or a text that says what is wrong."""
        kind, keys, extra = self
        if issubclass(kind, dict):
            if is_module(tree):
                tree = named_parameters(tree)
            if not isinstance(tree, dict):
                return f"is {_a(tree)}, where a dict with the keys {_listed(keys)} belongs"
            if missing := [key for key in keys if key not in tree]:
                return f"has no {_listed(missing)}: its keys are {_listed(tree)}"
            if len(tree) > len(keys):
                known = set(keys)
                return f"has {_listed([key for key in tree if key not in known])}, where there is no such key"
            return [tree[key] for key in keys]
        if issubclass(kind, np.ndarray):
            array = tree if isinstance(tree, np.ndarray) else np.asarray(tree, dtype=object)
            shape = array.shape[: len(extra)]
            if isinstance(tree, dict) or is_module(tree) or shape != extra:
                return f"is {_a(tree)}, where an array of shape {extra} belongs"
            return list(array.reshape(len(keys), *array.shape[len(shape) :]))
        if not issubclass(kind, (list, tuple)):
            return [] if tree is extra else f"is {_a(tree)}, where {extra} belongs"
        if isinstance(tree, np.ndarray) and tree.dtype == object and tree.ndim == 1:
            tree = tree.tolist()
        if not isinstance(tree, (list, tuple)):
            return f"is {_a(tree)}, where a {kind.__name__} of {len(keys)} belongs"
        if len(tree) != len(keys):
            return f"has {len(tree)} part{'s' * (len(tree) != 1)}, where there are {len(keys)}"
        fields = getattr(type(tree), "_fields", keys)
        if hasattr(kind, "_fields") and fields != keys:
            return f"has the fields {_listed(fields)}, where {_listed(keys)} belong"
        return list(tree)


class TreeDef(NamedTuple):
    """The structure of a tree: its containers, and None for every leaf, each before its children. It is hashable."""

    parts: tuple[Container | None, ...]

    @property
    def num_leaves(self) -> int:
        return self.parts.count(None)

    def unflatten(self, leaves: Iterable[Any], build: Callable[[Container, list[Any]], Any] = Container.build) -> Any:
        """The tree with these leaves, in order; `build` makes a container of its record and its children."""
        parts, rest = self.parts, list(leaves)
        if len(rest) == len(parts):  # a single leaf
            return rest[0]
        if len(rest) == len(parts) - 1 and parts[0]:  # a single container
            return build(parts[0], rest)
        built: list[Any] = []  # from the last part to the first: a container takes its children from the end
        for part in reversed(parts):
            if part is None:
                built.append(rest.pop())
                continue
            n = len(part.keys)
            children = built[: -n - 1 : -1]
            del built[len(built) - n :]
            built.append(build(part, children))
        return built[0]

    def flatten_up_to(self, tree: Any, name: str) -> list[Any]:
        """The leaves of another tree of this structure, in the order of this one's.

        Dicts and modules are paired by key, lists and tuples by position; in place of an array, lists of numbers are
        accepted. A ValueError says where the structures differ; it calls the tree `name`.
        """
        found = []
        rest = [tree]
        for i, part in enumerate(self.parts):
            tree = rest.pop()
            if part is not None:
                children = part.pair(tree)
                if isinstance(children, str):
                    raise ValueError(f"{name}{self._path(i)} {children}")
                rest += reversed(children)
                continue
            if isinstance(tree, (list, tuple)):
                tree = _as_numbers(tree)
            if tree is None or (not isinstance(tree, _LEAVES) and _opened(tree)):
                raise ValueError(f"{name}{self._path(i)} is {_a(tree)}, where a number or an array belongs")
            found.append(tree)
        return found

    def paths(self) -> list[str]:
        """The path to every leaf, such as "['layers'][0].weight"."""
        if self.parts == (None,):
            return [""]
        return [path for part, path in zip(self.parts, self._paths(), strict=True) if part is None]

    def _path(self, place: int) -> str:
        return next(islice(self._paths(), place, None))

    def _paths(self) -> Iterator[str]:
        """The path to every container and leaf."""
        around: list[list[Any]] = []  # the enclosing containers, each with the number of its children so far
        for part in self.parts:
            while around and around[-1][1] == len(around[-1][0].keys):
                around.pop()
            if around:
                around[-1][1] += 1
            way = around if len(around) <= 12 else [*around[:6], None, *around[-3:]]
            yield "".join("…" if step is None else step[0].spell(step[0].keys[step[1] - 1]) for step in way)
            if part is not None:
                around.append([part, 0])


LEAF = TreeDef((None,))
_END = object()


def flatten(
    tree: Any,
    is_leaf: Callable[[Any], bool] | None = None,
    *,
    static: tuple[type, ...] = _NONE,
    max_depth: int | None = None,
    name: str = "the structure",
) -> tuple[list[Any], TreeDef]:
    """The leaves of a tree, in order, and its definition.

    `is_leaf` says what else is a leaf (it is not asked about lists, tuples and dicts), and `static` which kinds of leaf
    are part of the definition. A tree that contains itself, or is nested more than `max_depth` deep, is a ValueError;
    it calls the tree `name`.
    """
    if (isinstance(tree, _LEAVES) or (type(tree) is np.ndarray and tree.dtype != object)) and (
        not isinstance(tree, static)
    ):
        return [tree], LEAF
    leaves: list[Any] = []
    parts: list[Container | None] = []
    around: dict[int, None] = {}  # the ids of the containers around the place
    rest = [tree]
    while rest:
        tree = rest.pop()
        if tree is _END:
            around.popitem()
            continue
        if isinstance(tree, static):
            parts.append(Container(type(tree), (), tree))
            continue
        found = isinstance(tree, _LEAVES) or (is_leaf is not None and type(tree) not in _PLAIN and is_leaf(tree))
        if found or (opened := _opened(tree)) is None:
            leaves.append(tree)
            parts.append(None)
            continue
        if id(tree) in around:
            way = TreeDef((*parts, None)).paths()[-1]
            raise ValueError(f"{name} contains itself: {name}{way} is {_a(tree)} that it is in")
        if len(around) == max_depth:
            raise ValueError(
                f"{name}: there are more than {max_depth} lists, tuples and dicts within each other: make it flatter"
            )
        container, children = opened
        parts.append(container)
        if container.kind is Parameters or _NUMBERS.issuperset(map(type, children)):
            leaves += children
            parts += [None] * len(children)
        else:
            around[id(tree)] = None
            rest += _END, *reversed(children)
    return leaves, TreeDef(tuple(parts))


def unflatten_each(treedefs: Iterable[TreeDef], leaves: Iterable[Any]) -> list[Any]:
    """The trees of several definitions, of all their leaves in order."""
    rest = iter(leaves)
    return [treedef.unflatten(islice(rest, treedef.num_leaves)) for treedef in treedefs]


@lru_cache
def array_def(kind: type, shape: tuple[int, ...]) -> TreeDef:
    """The structure of an object array of this class and shape; with no axes, that of one leaf."""
    size = math.prod(shape)
    return TreeDef((Container(kind, range(size), shape), *[None] * size)) if shape else LEAF


def leaves(tree: Any) -> list[Any]:
    """The leaves of the tree, in order."""
    return flatten(tree)[0]


def map_leaves(f: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with `f(leaf)` in place of every leaf; for a module, the dict by name."""
    found, treedef = flatten(tree)
    return treedef.unflatten(map(f, found))


def is_module(tree: Any) -> bool:
    """Whether `tree` has named parameters."""
    return hasattr(tree, "named_parameters") and not isinstance(tree, type)


def named_parameters(module: Any) -> dict[str, Any]:
    """The parameters of a module by name; a parameter with several names has its first."""
    named: dict[int, tuple[str, Any]] = {}
    for name, parameter in module.named_parameters():
        named.setdefault(id(parameter), (name, parameter))
    return dict(named.values())


def _opened(tree: Any) -> tuple[Container, Sequence[Any]] | None:
    """The record of a container, and its children; None for a leaf."""
    kind = type(tree)
    if kind is list or kind is tuple:
        return Container(kind, range(len(tree))), tree
    if isinstance(tree, np.ndarray):
        if tree.dtype != object:
            return None
        return Container(kind, range(tree.size), tree.shape), tree.ravel().tolist()
    if kind is not dict and is_module(tree):
        named = named_parameters(tree)
        return Container(Parameters, tuple(named)), [*named.values()]
    if isinstance(tree, dict):
        kind = next((known for known in _DICTS if isinstance(tree, known)), dict)
        return Container(kind, tuple(tree), getattr(tree, "default_factory", None)), [*tree.values()]
    if not isinstance(tree, (list, tuple)):
        return None
    return Container(kind, getattr(kind, "_fields", range(len(tree)))), tree


def _as_numbers(tree: list[Any] | tuple[Any, ...]) -> list[Any] | tuple[Any, ...] | np.ndarray[Any, Any]:
    """A list of real numbers as an array; any other list as it is."""
    try:
        array = np.asarray(tree)
    except (TypeError, ValueError):
        return tree
    return array if array.dtype.kind in "fiub" else tree


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
