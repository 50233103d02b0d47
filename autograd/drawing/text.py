"""Diagrams as plain text, for terminals: a line for each box, with what it was computed from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from autograd.drawing.boxes import minus
from autograd.drawing.diagram import Box, Diagram, Edge
from autograd.drawing.mermaid import words_of
from autograd.drawing.summaries import number, printable

WIDTH = 48  # a column that is wider sticks out


def text(diagram: Diagram, digits: int = 4) -> str:
    """The boxes in order, each with its inputs: the local derivative, and what flowed back.

    >>> from autograd.value import Value
    >>> from autograd.drawing.building import diagram_of
    >>> x = Value(3.0, "x")
    >>> y = x * 2.0
    >>> y.backward()
    >>> print(text(diagram_of(y)))
    x = 3, grad 2
    %2: × 6, grad 1
        from x, local 2, ← 2
        from 2
    """
    return "\n".join(_lines(diagram, digits))


def _lines(diagram: Diagram, digits: int) -> Iterator[str]:
    boxes, edges = diagram.visible()
    inside: dict[str | None, list[Box]] = defaultdict(list)
    incoming: dict[str, list[Edge]] = defaultdict(list)
    numbers: dict[str, str] = {}
    for box in boxes:
        inside[box.parent].append(box)
    for edge in edges:
        incoming[edge.target].append(edge)
    for box in boxes:
        if box.kind != "hidden" and box.id not in inside:
            name = printable(box.name)
            around = f"{numbers[box.parent]}." if box.parent is not None and numbers[box.parent] else ""
            numbers[box.id] = f"{around if box.kind == 'leaf' else ''}{name}" if name else f"%{len(numbers) + 1}"
        else:
            numbers[box.id] = printable(box.name) or ("" if box.kind != "hidden" else "what is left out")

    def lines(parent: str | None, indent: str) -> Iterator[str]:
        for box in inside[parent]:
            if box.id in inside:
                yield f"{indent}{printable(f'{box.name} {box.title}'.strip())}:"
                yield from lines(box.id, indent + "  ")
                continue
            words = printable(words_of(box, ", "))
            yield f"{indent}{words if box.name or box.kind == 'hidden' else f'{numbers[box.id]}: {words}'}"
            for edge in incoming[box.id]:
                yield f"{indent}    {_use(edge, numbers, digits)}"

    yield from lines(None, "")
    if diagram.note:
        yield f"({diagram.note})"


def _use(edge: Edge, numbers: dict[str, str], digits: int) -> str:
    if edge.source is None:
        return f"from {printable(minus(edge.constant or ''))}"
    times = f" × {edge.count:,}" if edge.count > 1 else ""
    local = f", local {minus(edge.text)}" if edge.text else ""
    flow = "" if edge.contribution is None else f", ← {minus(number(edge.contribution, digits))}"
    return f"from {numbers[edge.source]}{times}{local}{flow}"
