"""Stand-ins: a copy of a module with other nodes in place of its parameters; the module itself is not changed.

A function that is differentiated with respect to a module is given a copy of it: of the module, and of the modules,
lists, tuples and dicts within it that lead to a parameter. All else (buffers, generators, data) is shared. So two
threads may differentiate one module at the same time. Attributes that the function sets in the copy, such as a counter,
are set in the module itself afterwards.
"""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.elementwise import identity
from autograd.graph import Node
from autograd.modes import current_trace
from autograd.pytrees import is_module
from autograd.scalars import PARAMETER
from autograd.value import Value

_SIMPLE = (float, int, str, bool, type(None))


def stand_in(node: Node) -> Node:
    """A node of the same kind (a `Parameter`, for one), computed from `node` and equal to it."""
    return in_place_of(node, identity(node))


def in_place_of(node: Any, made: Node) -> Node:
    """The node `made` as one of the same kind as `node`, with its label and its gradient."""
    if current_trace() is not None:
        return made
    twin = made
    if type(made) is not type(node):
        twin = object.__new__(type(node))
        for name, value in {**_attributes(node), **_attributes(made)}.items():
            object.__setattr__(twin, name, value)
    twin.label, twin.grad = node.label, node.grad
    if isinstance(twin, Value) and node._is_parameter():
        twin._y = PARAMETER
    return twin


class Substitution:
    """`tree` with some objects replaced: `new` has the replacements, by the ids of the originals."""

    def __init__(self, tree: Any, new: dict[int, Any]) -> None:
        self._affected = _leading_to(tree, new)
        self._memo = dict(new)
        self._copies: list[tuple[Any, Any, dict[Any, Any]]] = []
        mutable = [x for x in self._affected.values() if not isinstance(x, tuple)]
        for x in mutable:  # they may contain each other, so all copies are made before one is filled
            if (twin := _empty(x)) is not None:
                self._memo[id(x)] = twin
        for x in mutable:
            if (twin := self._memo.get(id(x))) is not None:
                contents = {self._swap(key): self._swap(part) for key, part in _contents(x).items()}
                _put(twin, contents)
                self._copies.append((x, twin, contents))
        self.tree = self._swap(tree)

    def _swap(self, x: Any) -> Any:
        """The replacement of `x`, or `x`; a tuple is rebuilt of the replacements of its members."""
        if isinstance(x, tuple) and id(x) in self._affected and id(x) not in self._memo:
            self._memo[id(x)] = tuple.__new__(type(x), map(self._swap, x))
        return self._memo.get(id(x), x)

    def carry_over(self, back: dict[int, Any]) -> None:
        """Copy what was set in the copies to the originals; `back` has the originals of replacements, by their ids."""
        back = {**back, **{id(twin): original for original, twin, _ in self._copies}}
        for original, twin, before in self._copies:
            now = _contents(twin)
            if isinstance(twin, (list, dict, np.ndarray)):
                if list(map(id, now.values())) != list(map(id, before.values())) or now.keys() != before.keys():
                    _put(original, Substitution(now, back).tree)
                continue
            for name in before.keys() - now.keys():
                object.__delattr__(original, name)
            changed = {name: part for name, part in now.items() if name not in before or before[name] is not part}
            if changed:
                _put(original, Substitution(changed, back).tree)


def _leading_to(tree: Any, targets: dict[int, Any]) -> dict[int, Any]:
    """The modules, lists, tuples, dicts and object arrays in `tree` that contain one of the targets, by their ids."""
    seen: dict[int, Any] = {}
    holders: dict[int, list[int]] = {}
    rest = [tree]
    while rest:
        x = rest.pop()
        if id(x) in seen or not _is_holder(x):
            continue
        seen[id(x)] = x
        for part in [*x, *x.values()] if isinstance(x, dict) else _contents(x).values():
            if type(part) not in _SIMPLE:
                holders.setdefault(id(part), []).append(id(x))
                if id(part) not in targets:
                    rest.append(part)
    found: dict[int, Any] = {}
    ids = list(targets)
    while ids:
        for holder in holders.get(ids.pop(), ()):
            if holder not in found:
                found[holder] = seen[holder]
                ids.append(holder)
    return found


def _is_holder(x: Any) -> bool:
    return isinstance(x, (list, tuple, dict)) or (isinstance(x, np.ndarray) and x.dtype == object) or is_module(x)


def _contents(x: Any) -> dict[Any, Any]:
    """The contents of a holder, by keys, positions or names."""
    if isinstance(x, dict):
        return dict(x)
    if isinstance(x, (list, tuple)):
        return dict(enumerate(x))
    return dict(enumerate(x.ravel().tolist())) if isinstance(x, np.ndarray) else _attributes(x)


def _attributes(x: Any) -> dict[str, Any]:
    """The attributes of an object, including those in slots."""
    kind: Any = type(x)
    return {**{name: getattr(x, name) for name in _slots(kind) if hasattr(x, name)}, **getattr(x, "__dict__", {})}


@lru_cache
def _slots(kind: Any) -> list[str]:
    declared = [base.__dict__.get("__slots__", ()) for base in kind.__mro__]
    names = [name for slots in declared for name in ((slots,) if isinstance(slots, str) else slots)]
    return [name for name in names if name not in ("__dict__", "__weakref__")]


def _empty(x: Any) -> Any:
    """An empty copy, to be filled; None if such an object cannot be copied."""
    if isinstance(x, (list, dict, np.ndarray)):
        return copy.copy(x)
    try:
        return object.__new__(type(x))
    except TypeError:  # its class extends one written in C
        return None


def _put(x: Any, contents: dict[Any, Any]) -> None:
    if isinstance(x, dict):
        x.clear()
        x.update(contents)
    elif isinstance(x, list):
        x[:] = contents.values()
    elif isinstance(x, np.ndarray):
        for place, value in zip(np.ndindex(x.shape), contents.values(), strict=True):
            x[place] = value
    else:
        for name, value in contents.items():
            object.__setattr__(x, name, value)
