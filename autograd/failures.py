"""The operation that an error came from, with its operands, as the frames of the traceback have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from autograd.frames import Line, is_inside
from autograd.graph import Node, Primitive, value_of
from autograd.scopes import Scope


@dataclass(frozen=True, eq=False)
class Failure:
    """An operation that raised an error: its name (of a layer that refused its input, its kind; the error's, where the
    user's own code raised it), its operands, the user's line, the error's text, and the scopes in which it was."""

    operation: str
    operands: tuple[Any, ...]
    line: Line | None
    message: str
    scopes: tuple[Scope, ...] = ()

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of the operands."""
        return tuple(np.shape(value_of(x)) for x in self.operands)

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The operands that are nodes."""
        return tuple(x for x in self.operands if isinstance(x, Node))


def failure_of(error: BaseException, at: TracebackType | None, scopes: Sequence[Scope]) -> Failure:
    """The failure for an error that was raised within `scopes`, with its traceback.

    >>> import contextlib
    >>> import autograd as ag
    >>> with contextlib.suppress(ValueError), ag.trace_names() as seen:
    ...     y = ag.Tensor([1.0, 2.0]) @ ag.Tensor([1.0, 2.0, 3.0])
    >>> seen.failed.operation, seen.failed.shapes
    ('matmul', ((2,), (3,)))
    """
    line, inner = None, []
    while at is not None:  # after the user's last line come the frames of the library
        inner.append(at.tb_frame)
        if not is_inside(at.tb_frame.f_code.co_filename):
            line, inner = (at.tb_frame.f_code.co_filename, at.tb_lineno), []
        at = at.tb_next
    called = next(filter(None, map(_operation, reversed(inner))), None)
    if called is None:
        calls = [frame for frame in inner if frame.f_code.co_name == "__call__"]
        called = _call(calls[-1] if calls else inner[0]) if inner else (type(error).__name__, ())
    return Failure(called[0], tuple(called[1]), line, str(error), tuple(scopes))


def _operation(frame: FrameType) -> tuple[str, Iterable[Any]] | None:
    """The operation, with its operands, that a frame of the engine was to record."""
    names = dict(frame.f_locals)
    op, args = names.get("op"), names.get("args", names.get("xs"))
    if not isinstance(op, Primitive):
        op = names.get("self")
    if not isinstance(op, Primitive):
        return None
    if not isinstance(args, (tuple, list)):
        x, y = (
            ("x", "y")
            if "x" in names
            else ("other", "self")
            if "reflected" in frame.f_code.co_name
            else ("self", "other")
        )
        if not ({x, y} <= names.keys() or frame.f_code.co_name == "_unary"):
            return None
        args = [names[name] for name in (x, y) if name in names]
    return op.name, args


def _call(frame: FrameType) -> tuple[str, Iterable[Any]]:
    """The function or module that a frame is of, and the arrays and nodes that it was given."""
    code, names = frame.f_code, dict(frame.f_locals)
    given = [
        names.get(name)
        for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4)]
    ]
    name = type(given[0]).__name__ if code.co_name == "__call__" and given else code.co_name.strip("_")
    return name, _operands(given)


def _operands(given: Iterable[Any]) -> Iterator[Any]:
    for x in given:
        if isinstance(x, (Node, np.ndarray)):
            yield x
        elif isinstance(x, (list, tuple)):
            yield from _operands(x)
