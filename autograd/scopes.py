"""Scopes: named parts of a computation, each an interval of sequence numbers, so that nothing is stored in nodes."""

from __future__ import annotations

import math
import threading
from bisect import bisect_right
from contextlib import ContextDecorator
from operator import attrgetter
from types import TracebackType
from typing import Protocol, Self

from autograd.arguments import wrong
from autograd.graph import Node, next_sequence_number

LIMIT = 1 << 16  # so many scopes are kept for each thread, the latest: training loops may have no end


class Scope:
    """A call of a module or of a function, or the body of a `with ag.scope(...)`.

    Nodes with the sequence numbers from `first` to `last` belong to it, if the thread that recorded them is the one that
    was in the scope. `path` says of a module where it is within the outermost module that was called (whose path is ""),
    as "layers.0"; None where that is not known.
    """

    __slots__ = ("first", "kind", "last", "name", "parent", "path")

    def __init__(self, name: str, kind: str, parent: Scope | None, first: int, path: str | None = None) -> None:
        self.name = name
        self.kind = kind  # "module" or "function"
        self.parent = parent
        self.first, self.last = first, math.inf
        self.path = path

    def __repr__(self) -> str:
        return f"<scope {self.name}{f' at {self.path!r}' if self.path is not None else ''}>"


class Watcher(Protocol):
    """An object that opens scopes of its own, for calls that it finds on the stack."""

    def catch_up(self) -> None:
        """Open and close scopes as the stack is now."""

    def failing(self, error: BaseException, at: TracebackType | None) -> None:
        """An error leaves a scope that is still open."""


class _Own(threading.local):
    def __init__(self) -> None:
        self.log: list[Scope] = []  # by their first numbers
        self.open: list[Scope] = []  # outermost first
        self.watcher: Watcher | None = None


own = _Own()


def enter(name: str, kind: str, first: int, path: str | None = None) -> Scope:
    """Open a scope within those that are open."""
    found = Scope(name, kind, own.open[-1] if own.open else None, first, path)
    own.open.append(found)
    own.log.append(found)
    if len(own.log) > 2 * LIMIT:
        del own.log[:LIMIT]
    return found


def leave(scope: Scope, last: int) -> None:
    """Close a scope, and those opened within it. One that recorded nothing, or but one node, is not kept."""
    while scope in own.open:
        found = own.open.pop()
        found.last = last
        if found.first >= last and found.kind == "function" and own.log and own.log[-1] is found:
            own.log.pop()


def scopes_of(node: Node) -> tuple[Scope, ...]:
    """The scopes in which this thread recorded `node`, outermost first.

    >>> import autograd as ag
    >>> x = ag.Value(2.0)
    >>> with ag.scope("cube"):
    ...     y = x * x * x
    >>> scopes_of(y), scopes_of(y + 1.0)
    ((<scope cube>,), ())
    """
    place = bisect_right(own.log, node._sequence, key=attrgetter("first"))
    scope = own.log[place - 1] if place else None
    found = []
    while scope is not None:
        if scope.last >= node._sequence:
            found.append(scope)
        scope = scope.parent
    return tuple(reversed(found))


class NamedScope(ContextDecorator):
    """The context and decorator that `scope` makes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._entered: list[Scope] = []

    def _recreate_cm(self) -> Self:
        return type(self)(self.name)  # each call of a decorated function has a scope of its own

    def __enter__(self) -> None:
        if own.watcher is not None:
            own.watcher.catch_up()
        self._entered.append(enter(self.name, "function", next_sequence_number()))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if own.watcher is not None:
            if error is not None:
                own.watcher.failing(error, at)
            own.watcher.catch_up()
        leave(self._entered.pop(), next_sequence_number())


def scope(name: str) -> NamedScope:
    """A context, or a decorator of functions, in which all that is recorded belongs together: pictures show it as one box
    of this name, which can be opened.

    The graph is the same as without it. A name that is no string is a TypeError.

    >>> import autograd as ag
    >>> @ag.scope("neuron")
    ... def neuron(x, w, b):
    ...     return ag.tanh(x * w + b)
    >>> neuron(ag.Value(1.0), 0.5, -0.5).data
    0.0
    """
    if not isinstance(name, str):
        raise TypeError(wrong("scope", "name", "a string", name))
    return NamedScope(name)
