"""Modes: recording on or off, the observer, and the trace; each thread and each task has its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from autograd.forks import in_child
from autograd.graph import Node, Primitive

if TYPE_CHECKING:
    from autograd.typing import Array


class Observer(Protocol):
    """An object that is told of each recorded operation and each traversal."""

    def recorded(self, node: Node) -> None:
        """An operation was recorded as `node`."""

    def differentiated(self, found: dict[Node, Any]) -> None:
        """A traversal has computed these cotangents."""


class Trace(Protocol):
    """An object that records operations on scalars in place of the engine, to make a program of them."""

    def record(self, op: Primitive, args: tuple[Any, ...]) -> Node | Array:
        """The result of `op` on `args`, as an instruction of the program."""

    def compare(self, op: Primitive, x: Any, y: Any) -> Node | Array:
        """The comparison `op` of `x` and `y`, as an instruction of the program; NotImplemented if neither is a scalar."""

    def decide(self, condition: Any) -> bool:
        """The outcome of a condition on which Python code branches."""

    def constant(self, value: float) -> float | Node:
        """A number as a constant of the program."""

    def differentiating(self) -> AbstractContextManager[None]:
        """A context, around a traversal, in which all that is recorded belongs to a derivative."""

    def visit(self, node: Node) -> None:
        """The traversal has reached `node`: what is recorded next belongs to its derivative."""


_recording: ContextVar[bool] = ContextVar("recording", default=True)
_observer: ContextVar[Observer | None] = ContextVar("observer", default=None)
_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)
_lock = threading.Lock()
in_use = 0  # the number of contexts in force, in all threads: at 0 no mode has to be looked up


class _Own(threading.local):
    modes = 0  # the number of contexts that this thread is in


_own = _Own()


def _fork() -> None:
    """Renew the lock: in a forked process the thread that held it may be gone."""
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


def recording(on: bool) -> AbstractContextManager[None]:
    """A context that turns the recording of operations on or off."""
    return _mode(_recording, on)


def observing(observer: Observer) -> AbstractContextManager[None]:
    """A context in which `observer` is told of each recorded node and of each traversal."""
    return _mode(_observer, observer)


def tracing(trace: Trace) -> AbstractContextManager[None]:
    """A context in which `trace` records all operations on scalars."""
    return _mode(_trace, trace)


def is_recording() -> bool:
    """Whether operations on nodes are being recorded."""
    return not in_use or _recording.get()


def observer() -> Observer | None:
    """The observer in force, or None."""
    return _observer.get() if in_use else None


def current_trace() -> Trace | None:
    """The trace in force, or None."""
    return _trace.get() if in_use else None


def no_grad() -> AbstractContextManager[None]:
    """A context, for this thread or task only, in which operations are not recorded, and so cost less.

    >>> import autograd as ag
    >>> x = ag.Value(2.0)
    >>> with ag.no_grad():
    ...     y = x * x
    >>> y.op is None
    True
    """
    return recording(False)
