"""Diagrams as plain text, for terminals: a line for each box, with what it was computed from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from autograd.drawing.boxes import minus
from autograd.drawing.diagram import Diagram, Edge, groups_around
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
    by_id = {box.id: box for box in boxes}
    parents = {box.parent for box in boxes}
    incoming: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        incoming[edge.target].append(edge)
    numbers: dict[str, str] = {}
    for box in boxes:
        if box.name:
            numbers[box.id] = printable(box.name)
        elif box.kind != "hidden":
            numbers[box.id] = f"%{len(numbers) + 1}"
    for box in boxes:
        indent = "  " * sum(1 for _ in groups_around(box, by_id))
        if box.id in parents:
            yield f"{indent}{numbers.get(box.id, '')} {box.title}:".replace(" :", ":")
            continue
        words = printable(words_of(box, ", "))
        name = numbers.get(box.id, "")
        yield f"{indent}{words if box.name or not name else f'{name}: {words}'}"
        for edge in incoming[box.id]:
            yield f"{indent}    {_use(edge, numbers, digits)}"
    if diagram.note:
        yield f"({diagram.note})"


def _use(edge: Edge, numbers: dict[str, str], digits: int) -> str:
    if edge.source is None:
        return f"from {printable(minus(edge.constant or ''))}"
    times = f" × {edge.count:,}" if edge.count > 1 else ""
    local = f", local {minus(edge.text)}" if edge.text else ""
    flow = "" if edge.contribution is None else f", ← {minus(number(edge.contribution, digits))}"
    return f"from {numbers.get(edge.source, 'what is left out')}{times}{local}{flow}"
