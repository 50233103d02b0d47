"""What a notebook shows of nodes: the rooms of drawing, imported when the first is shown."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_LINES = 200  # of a text, that a notebook shows


def drawn(node: Any) -> dict[str, str] | None:
    """The drawing of the graph of `node`, and its repr as text; None, for its repr alone, if it has no graph or nothing can
    lay it out. It never raises."""
    if node.op is None:
        return None
    try:
        picture = import_module("autograd.drawing.dot").draw(node)
        found: dict[str, str] = picture._repr_mimebundle_()
        return {**found, "text/plain": repr(node) if "image/svg+xml" in found else f"{node!r}\n{found['text/plain']}"}
    except Exception:  # a picture is no reason to lose the cell: faulty rules and reprs are looked at in notebooks
        return None


def beginning(text: str) -> dict[str, str]:
    """The beginning of a long text, as a notebook shows it.

    >>> beginning("one")
    {'text/plain': 'one'}
    """
    lines = text.splitlines()
    more = [f"... {len(lines) - _LINES:,} more lines: print it"] if len(lines) > _LINES else []
    return {"text/plain": "\n".join(lines[:_LINES] + more)}
