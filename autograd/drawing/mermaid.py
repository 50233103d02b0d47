"""Diagrams in Mermaid's language, which GitHub, GitLab and many editors draw."""

from __future__ import annotations

from collections.abc import Iterator

from autograd.drawing.boxes import allowed, minus
from autograd.drawing.diagram import Box, Diagram, Edge
from autograd.drawing.summaries import number

NUMBERS = ("value", "extent", "grad")  # the roles of rows in which a hyphen is a minus


def mermaid(diagram: Diagram, digits: int = 4, direction: str = "LR") -> str:
    """The text of a flowchart.

    >>> from autograd.value import Value
    >>> from autograd.drawing.building import diagram_of
    >>> print(mermaid(diagram_of(Value(3.0, "x") * 2.0)))
    flowchart LR
        n0("x = 3")
        n1["#215; 6"]
        n0 -->|"2"| n1
        c1["2"]:::constant -.-> n1
        classDef constant fill:none,stroke:none
    """
    return "\n".join(_lines(diagram, digits, direction))


def _lines(diagram: Diagram, digits: int, direction: str) -> Iterator[str]:
    boxes, edges = diagram.visible()
    ids = {box.id for box in boxes}
    parents = {box.parent for box in boxes}
    inside: dict[str | None, list[Box]] = {}
    for box in boxes:
        inside.setdefault(box.parent, []).append(box)
    yield f"flowchart {direction}"
    yield from _boxes(inside, None, parents, 1)
    for i, edge in enumerate(edges):
        if edge.source is None:
            yield f'    c{i}["{_quoted(edge.constant or "")}"]:::constant -.-> {edge.target}'
        elif edge.source in ids:
            words = _words(edge, digits)
            yield f"    {edge.source} -->{f'|{_marked(words)}|' if words else ''} {edge.target}"
    if any(edge.source is None for edge in edges):
        yield "    classDef constant fill:none,stroke:none"


def _boxes(
    inside: dict[str | None, list[Box]], parent: str | None, parents: set[str | None], level: int
) -> Iterator[str]:
    indent = "    " * level
    for box in inside.get(parent, ()):
        if box.id in parents:
            yield f"{indent}subgraph {box.id} [{_marked(f'{box.name} {box.title}'.strip())}]"
            yield from _boxes(inside, box.id, parents, level + 1)
            yield f"{indent}end"
            continue
        first, last = ("(", ")") if box.kind == "leaf" else ("[[", "]]") if box.closed else ("[", "]")
        yield f"{indent}{box.id}{first}{_marked(words_of(box))}{last}"


def words_of(box: Box, separator: str = "\n") -> str:
    """What is written in a box, line by line.

    >>> from autograd.drawing.diagram import Row
    >>> words_of(Box(id="n0", kind="leaf", name="x", rows=[Row("3", "value"), Row("grad 6", "grad")]))
    'x = 3\\ngrad 6'
    """
    rows = [minus(row.text) if row.role in NUMBERS else row.text for row in box.rows]
    name = box.name
    if rows and box.rows[0].role == "value":
        name = f"{name} = {rows.pop(0)}" if name else rows.pop(0)
    count = f"[× {box.count:,}]" if box.count > 1 and box.kind != "hidden" else ""
    return separator.join([" ".join(filter(None, [box.title, name, count])), *rows])


def _words(edge: Edge, digits: int) -> str:
    flow = "" if edge.contribution is None else f"← {minus(number(edge.contribution, digits))}"
    return "\n".join(filter(None, [minus(edge.text), flow]))


def _marked(text: str) -> str:
    return f'"{_quoted(text)}"'


def _quoted(text: str) -> str:
    """`text` within quotes: whatever has a meaning to Mermaid, Markdown or HTML is written by its number."""
    lines = allowed(text).split("\n")
    return "<br/>".join("".join(c if c.isalnum() or c in " .,=" else f"#{ord(c)};" for c in line) for line in lines)
