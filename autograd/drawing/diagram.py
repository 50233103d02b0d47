"""The diagram: what a picture of a graph shows, as boxes and edges, whoever draws it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from autograd.graph import Node

ELEMENTS = 100  # arrays of up to this many elements are given in full to a page


class Row(NamedTuple):
    """A line in a box; its `role` is "value", "shape", "extent", "histogram", "grad" or "note"."""

    text: str
    role: str


@dataclass(eq=False, slots=True, kw_only=True)
class Box:
    """A box, or a group of boxes, which name it as their `parent`; a `closed` group is drawn as one box.

    `kind` is "leaf", "operation", "sum" (several, folded), "repeat" (`count` nodes of the same signature), "module",
    "function", "hidden" (what is left out) or "failed". `title` is the operation's sign, or the kind of a module; `name`
    what the user calls it. `slots` is the number of inputs that cannot be swapped, `last` marks the result.
    """

    id: str
    kind: str
    title: str = ""
    name: str = ""
    rows: list[Row] = field(default_factory=list)
    count: int = 1
    parent: str | None = None
    closed: bool = False
    slots: int = 0
    last: bool = False
    nodes: list[Node] = field(default_factory=list)
    formula: str | None = None
    line: str | None = None
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    value: Any = None
    grad: Any = None


@dataclass(eq=False, slots=True, kw_only=True)
class Edge:
    """A use of `source` in `target`, by their ids, or of a `constant`, which has no box; `slot` is its place
    among the inputs, if that matters.

    `local` is the local derivative and `contribution` what flowed back here in the last backward pass: the number, or of an
    array the Euclidean norm; those of several uses are added up. `text` is the local derivative as it is written on the
    edge, `count` the number of uses.
    """

    source: str | None
    target: str
    slot: int | None = None
    local: Any = None
    text: str = ""
    contribution: float | None = None
    is_norm: bool = False
    constant: str | None = None
    count: int = 1


@dataclass(eq=False, slots=True)
class Diagram:
    """Boxes, each group before its members, and edges between the innermost ones, with a `note` of what was left out.

    >>> from autograd.value import Value
    >>> from autograd.drawing.building import diagram_of
    >>> diagram = diagram_of(Value(3.0, "x") * 2.0)
    >>> [(box.title, box.name) for box in diagram.boxes], diagram.edges[1].constant
    ([('', 'x'), ('×', '')], '2')
    """

    boxes: list[Box]
    edges: list[Edge]
    output: str
    note: str = ""

    def visible(self) -> tuple[list[Box], list[Edge]]:
        """The boxes that are not in a closed group, open groups among them, and the edges between them.

        Edges of closed groups are added up; those within one group are left out.
        """
        by_id = {box.id: box for box in self.boxes}
        seen: dict[str, str] = {}  # the id of a box, or that of the outermost closed group that it is in
        for box in self.boxes:  # parents first
            around = seen[box.parent] if box.parent is not None else box.id
            seen[box.id] = around if box.parent is not None and by_id[around].closed else box.id
        boxes = [box for box in self.boxes if seen[box.id] == box.id]
        edges: list[Edge] = []
        lifted: dict[Any, Edge] = {}
        constants: dict[str, list[Edge]] = {}
        for edge in self.edges:
            source = None if edge.source is None else seen[edge.source]
            target = seen[edge.target]
            if source == edge.source and target == edge.target:
                edges.append(edge)
            elif source != target and source is not None:
                known = lifted.get((source, target))
                if known is None:
                    known = lifted[source, target] = Edge(source=source, target=target, count=0)
                    edges.append(known)
                known.count += edge.count
                known.is_norm |= edge.is_norm
                if edge.contribution is not None:
                    known.contribution = (known.contribution or 0.0) + edge.contribution
            elif source is None:
                constants.setdefault(target, []).append(edge)
        targets = {edge.target for edge in edges}
        for target, found in constants.items():
            if target not in targets:  # nothing else says what a closed group reads
                texts = {edge.constant for edge in found}
                count = sum(edge.count for edge in found)
                text = texts.pop() if len(texts) == 1 else f"{count:,} constants"
                edges.append(Edge(source=None, target=target, constant=text, count=count))
        return boxes, edges

    def to_json(self) -> dict[str, Any]:
        """The diagram as JSON's dicts and lists: numbers that are not finite are strings, arrays lists or left out.

        `source` of a constant's edge is None.
        """
        return {
            "boxes": [
                {
                    "id": box.id,
                    "parent": box.parent,
                    "kind": box.kind,
                    "title": box.title,
                    "name": box.name,
                    "rows": [{"text": text, "role": role} for text, role in box.rows],
                    "count": box.count,
                    "closed": box.closed,
                    "formula": box.formula,
                    "line": box.line,
                    "shape": None if box.shape is None else list(box.shape),
                    "dtype": box.dtype,
                    "value": json_number(box.value),
                    "grad": json_number(box.grad),
                }
                for box in self.boxes
            ],
            "edges": [
                {
                    "source": edge.source,
                    "target": edge.target,
                    "slot": edge.slot,
                    "local": json_number(edge.local),
                    "text": edge.text,
                    "contribution": json_number(edge.contribution),
                    "norm": edge.is_norm,
                    "constant": edge.constant,
                    "count": edge.count,
                }
                for edge in self.edges
            ],
            "note": self.note,
            "output": self.output,
        }


def json_number(x: Any) -> float | str | list[Any] | None:
    """A number or a small array as JSON has it; what is not finite as a string, and None for what is too large.

    >>> json_number(np.array([1.0, np.inf])), json_number(np.zeros(1000))
    ([1.0, 'inf'], None)
    """
    if isinstance(x, np.ndarray):
        return None if x.size > ELEMENTS else json_number(x.tolist())
    if isinstance(x, list):
        return [json_number(item) for item in x]
    if isinstance(x, (float, np.floating)):
        return float(x) if math.isfinite(x) else str(float(x))
    return x if x is None or isinstance(x, (int, str)) else str(x)
