"""Modes: whether operations are recorded, who observes them, and who traces them. Each thread, and each task, has its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from autograd.forks import in_child
from autograd.graph import Node, Primitive


class Observer(Protocol):
    """Who is shown what is computed."""

    def recorded(self, node: Node) -> None:
        """An operation left `node` behind."""

    def differentiated(self, found: dict[Node, Any]) -> None:
        """A traversal found these cotangents."""


class Trace(Protocol):
    """Who takes over operations on scalars, to make a program of them."""

    def record(self, op: Primitive, args: tuple[Any, ...]) -> Any:
        """`op` of `args`, as a line of the program."""

    def compare(self, op: Primitive, x: Any, y: Any) -> Any:
        """The comparison `op` of `x` and `y`, as a line of the program; NotImplemented if it concerns no scalars."""

    def decide(self, condition: Any) -> bool:
        """What a condition comes out as, where Python's own code branches on it."""

    def constant(self, value: float) -> Any:
        """A number, as what the program computes with."""

    def differentiating(self) -> AbstractContextManager[None]:
        """A context, that of a traversal, in which whatever is recorded belongs to a derivative."""

    def visit(self, node: Node) -> None:
        """The traversal has come to `node`: what follows belongs to its derivative."""


_recording: ContextVar[bool] = ContextVar("recording", default=True)
_observer: ContextVar[Observer | None] = ContextVar("observer", default=None)
_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)
_lock = threading.Lock()
in_use = 0  # how many contexts, in any thread, are in force: while none is, recording need not ask


class _Own(threading.local):
    modes = 0  # how many of them this thread is in


_own = _Own()


def _fork() -> None:
    """A forked process has one thread, and none that could let go of the lock."""
    global _lock, in_use
    _lock = threading.Lock()
    in_use = _own.modes or int(not _recording.get() or _observer.get() is not None or _trace.get() is not None)


in_child(_fork)


@contextmanager
def _mode(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    global in_use
    token = variable.set(value)
    with _lock:
        in_use += 1
        _own.modes += 1
    try:
        yield
    finally:
        with _lock:
            in_use -= 1
            _own.modes -= 1
        variable.reset(token)


def recording(on: bool) -> Any:
    """A context in which operations on nodes are recorded, or are not."""
    return _mode(_recording, on)


def observing(observer: Observer) -> Any:
    """A context in which `observer` is shown each node as it is recorded, and each traversal."""
    return _mode(_observer, observer)


def tracing(trace: Trace) -> Any:
    """A context in which `trace` takes over all operations on scalars."""
    return _mode(_trace, trace)


def is_recording() -> bool:
    """Whether operations on nodes are recorded here and now."""
    return not in_use or _recording.get()


def observer() -> Observer | None:
    """Who is watching here and now, if anybody."""
    return _observer.get() if in_use else None


def current_trace() -> Trace | None:
    """Who takes over operations on scalars here and now, if anybody."""
    return _trace.get() if in_use else None


def no_grad() -> Any:
    """A context, for this thread or task alone, in which results remember nothing and so cost less.

    >>> import autograd as ag
    >>> x = ag.Value(2.0)
    >>> with ag.no_grad():
    ...     y = x * x
    >>> y.op is None
    True
    """
    return recording(False)
