"""`detect_anomaly`: the first value that is not finite, where it arose, and what usually cures it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd.frames import format_line, line_of, note_line
from autograd.graph import Node, watching
from autograd.operators import plain

CURES = {
    "log": "keep the argument above 0: ag.log(ag.maximum(x, 1e-12)), or use ag.log_softmax or ag.logsumexp",
    "log1p": "keep the argument above -1",
    "exp": "subtract the largest exponent first, or use ag.softmax or ag.logsumexp",
    "expm1": "keep the argument below 709",
    "div": "keep the divisor away from 0: x / (y + 1e-12), or choose with ag.where before dividing",
    "sqrt": "keep the argument above 0, where the slope is infinite: ag.sqrt(x + 1e-12), or use ag.norm",
    "cbrt": "keep the argument away from 0, where the slope is infinite",
    "power": "keep the base above 0: ag.maximum(x, 1e-12) ** y",
    "acosh": "keep the argument above 1",
    "asin": "keep the argument strictly between -1 and 1: ag.clip(x, -1 + 1e-7, 1 - 1e-7)",
    "acos": "keep the argument strictly between -1 and 1: ag.clip(x, -1 + 1e-7, 1 - 1e-7)",
    "atanh": "keep the argument strictly between -1 and 1: ag.clip(x, -1 + 1e-7, 1 - 1e-7)",
}
OTHERWISE = "a lower learning rate, scaled inputs or gradient clipping usually keep the numbers small"


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """A context in which the first operation whose result, or whose derivative, is not finite raises a
    FloatingPointError that names the operation, its operands, the line that called it, and the usual cure.

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
    with watching(_Detector()):
        yield


class _Detector:
    def recorded(self, node: Node) -> None:
        note_line(node)
        if not np.isfinite(node.raw).all():
            raise FloatingPointError(_message(node, f"gave {_what(node.raw)}"))

    def differentiated(self, found: dict[Node, Any]) -> None:
        bad = {node for node, g in found.items() if not np.isfinite(plain(g)).all()}
        # The youngest that is sound, but has an input that is not: there it arose.
        for node in sorted(found, key=lambda node: node.birth):
            for parent in node.parents if node not in bad else ():
                if parent in bad:
                    what = f"gave {_what(node.raw)}, but its derivative is {_what(plain(found[parent]))}"
                    raise FloatingPointError(_message(node, what))


def _message(node: Node, what: str) -> str:
    assert node.op is not None
    operands = ", ".join(
        f"{type(arg).__name__} {arg.label + ' ' if isinstance(arg, Node) and arg.label else ''}{_what(value)}"
        for arg, value in zip(node.inputs, node.read(), strict=True)
    )
    cure = CURES.get(node.op.name.partition("(")[0], OTHERWISE)
    place = format_line(line) if (line := line_of(node)) else "(not recorded here)"
    return f"{node.op.name} {what}\n  operands: {operands}\n  {place}\n  usual cure: {cure}"


def _what(x: Any) -> str:
    x = np.asarray(x)
    if x.size == 1:
        return repr(x.item())
    bad = x.size - np.count_nonzero(np.isfinite(x))
    extent = f"from {np.nanmin(x):.6g} to {np.nanmax(x):.6g}, " if not np.isnan(x).all() else ""
    return f"an array of shape {x.shape} ({extent}{bad} of {x.size} not finite)"
