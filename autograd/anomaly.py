"""`detect_anomaly`: the first value that is not finite, the line it came from, and a hint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd.frames import format_line, line_of, note_line
from autograd.graph import Node, value_of
from autograd.modes import observer, observing


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """A context in which the first operation whose result, or whose derivative, is not finite raises a
    FloatingPointError that names the operation, its operands, the line that called it, and a hint.

    Results are checked as they arise, so the first in forward order is found. For debugging: it is slow.

    >>> import autograd as ag
    >>> with ag.detect_anomaly():
    ...     y = ag.log(ag.Value(0.0))
    Traceback (most recent call last):
        ...
    FloatingPointError: log gave -inf
      operands: Value 0.0
      ...
    """
    with observing(_Detector()):
        yield


class _Detector:
    def __init__(self) -> None:
        self.beyond = observer()  # that of the context around, as of names

    def recorded(self, node: Node) -> None:
        if self.beyond is not None:
            self.beyond.recorded(node)
        note_line(node)
        if not np.isfinite(node._data).all():
            raise FloatingPointError(_message(node, f"gave {_what(node._data)}"))

    def differentiated(self, found: dict[Node, Any]) -> None:
        if self.beyond is not None:
            self.beyond.differentiated(found)
        bad = {node for node, g in found.items() if not np.isfinite(value_of(g)).all()}
        # The operation recorded last whose own gradient is finite, but not an input's: its rule made the first bad one.
        for node in sorted(found, key=lambda node: -node._sequence):
            for parent in node.parents if node not in bad else ():
                if parent in bad:
                    what = f"gave {_what(node._data)}, but its derivative is {_what(value_of(found[parent]))}"
                    raise FloatingPointError(_message(node, what))


def _message(node: Node, what: str) -> str:
    assert node.op is not None
    operands = ", ".join(
        f"{type(arg).__name__} {arg.label + ' ' if isinstance(arg, Node) and arg.label else ''}{_what(value)}"
        for arg, value in zip(node.inputs, node._residuals(), strict=True)
    )
    place = format_line(line) if (line := line_of(node)) else "(not recorded here)"
    return f"{node.op} {what}\n  operands: {operands}\n  {place}\n  hint: {node.op.hint}"


def _what(x: Any) -> str:
    x = np.asarray(x)
    if x.size == 1:
        return repr(x.item())
    bad = x.size - np.count_nonzero(np.isfinite(x))
    extent = f"from {np.nanmin(x):.6g} to {np.nanmax(x):.6g}, " if not np.isnan(x).all() else ""
    return f"an array of shape {x.shape} ({extent}{bad} of {x.size} not finite)"
