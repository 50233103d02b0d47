"""`draw`: a graph as a picture, by Graphviz.

Inputs are at the left, the result at the right. The number on an edge is the local derivative: the factor of the
gradient on its way back. A constant has no box and a dashed edge, because no gradient flows to it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from autograd.arguments import choice, flag, integer, sequence
from autograd.drawing.boxes import DERIVATIVE, GREY, INK, LINE, escaped, html, minus
from autograd.drawing.building import SHOW, diagram_of
from autograd.drawing.diagram import Box, Diagram, Edge
from autograd.drawing.layout import GraphvizError, laid_out
from autograd.drawing.mermaid import mermaid
from autograd.drawing.summaries import MOST_DIGITS, check_node, number
from autograd.drawing.text import text
from autograd.graph import Node
from autograd.name_trace import NameTrace

if TYPE_CHECKING:
    import graphviz

FONT = "Helvetica"
GRAPH = {
    "nodesep": "0.22", "ranksep": "0.45", "pad": "0.1",
    "labeljust": "l", "fontname": f"{FONT}-Oblique", "fontsize": "10", "fontcolor": DERIVATIVE,
}  # fmt: skip
NODE = {"shape": "plain", "fontname": FONT, "fontsize": "13", "fontcolor": INK}
EDGE = {
    "fontname": f"{FONT}-Oblique", "fontsize": "11", "fontcolor": DERIVATIVE, "color": LINE, "arrowsize": "0.6",
}  # fmt: skip
TEXT = {"shape": "plaintext", "width": "0", "height": "0", "margin": "0.05,0.03", "fontcolor": GREY}
CLUSTER = {"style": "rounded", "color": LINE, "fontname": FONT, "fontsize": "11", "fontcolor": GREY, "margin": "10"}
DIRECTIONS = ("LR", "TB", "RL", "BT")
LABELLED = 80  # of more edges only the widths are shown
ROW, LONG = 5, 8  # boxes in a row of a folded picture, if there are more than 8
SECONDS = 20.0  # that a notebook waits for a layout
WIDEST = 4.0  # points, of the edge with the largest contribution


def draw(
    node: Node | NameTrace,
    *,
    inputs: Any = None,
    depth: int | None = None,
    fold: bool = True,
    show: Any = SHOW,
    max_nodes: int = 200,
    digits: int = 4,
    direction: str = "LR",
) -> graphviz.Digraph:
    """The graph that `node` was computed from, from left to right, as a picture: Jupyter shows it as it is.

    Every node is shown once, with its label, its value, and its gradient if a backward pass left one; every use is an
    edge, with the local derivative on it where it is a number and, after a backward pass, the contribution to the gradient,
    whose size is the edge's width. With `inputs`, nodes or any structure of them, as a module, only the paths from these to
    `node` are shown, and they are called by their places in it, as "layers.0.w". `show` says what is shown of "value", "grad"
    and "local".

    Graphs of more than 60 nodes are folded: a chain of sums is one box; so are all nodes that are computed in the same way,
    marked × and their number; modules are closed, the innermost first, until 60 boxes are left or, with `depth`, all that are
    within so many others. With `fold=False` nothing is. Of more than `max_nodes` boxes, those nearest to `node` are shown, and
    the other nodes counted. Numbers have `digits` significant digits; `direction` is Graphviz's rankdir.

    Of what `ag.trace_names()` gave, as in `with ag.trace_names() as seen`, all that was recorded is shown and, if an error
    ended it, the operation that raised it, in red, with the shapes of its operands.

    `str()` of the picture is a text for terminals, `.mermaid` Mermaid's, `.source` Graphviz's, and `.diagram` what all of them show.

    >>> from autograd.value import Value
    >>> x = Value(3.0, "x")
    >>> draw(x * x).source.count("n0 -> n1")
    2
    """
    if not isinstance(node, NameTrace):
        check_node("draw", node)
    max_nodes = integer("draw", "max_nodes", max_nodes, least=1)
    digits = integer("draw", "digits", digits, least=1, most=MOST_DIGITS)
    depth = None if depth is None else integer("draw", "depth", depth, least=0)
    fold = flag("draw", "fold", fold)
    shown = [choice("draw", "each of show", what, SHOW) for what in sequence("draw", "show", show)]
    direction = choice("draw", "direction", direction, DIRECTIONS)

    def diagram(screen: int | None = None) -> Diagram:
        limit = {} if screen is None else {"screen": screen}
        return diagram_of(node, inputs, depth, fold, shown, max_nodes, digits, **limit)

    return picture_of(diagram(), digits, direction, diagram if fold and depth is None else None)


def picture_of(
    diagram: Diagram, digits: int = 4, direction: str = "LR", again: Callable[[int], Diagram] | None = None
) -> graphviz.Digraph:
    """The picture of a diagram; `again` makes a diagram of fewer boxes, for the case that the layout takes too long."""
    graph = _digraph()(graph_attr={"rankdir": direction, **GRAPH}, node_attr=NODE, edge_attr=EDGE)
    graph.diagram, graph.digits, graph.direction, graph.again = diagram, digits, direction, again
    boxes, edges = diagram.visible()
    inside: dict[str | None, list[Box]] = {}
    for box in boxes:
        inside.setdefault(box.parent, []).append(box)
    groups = {
        box.id for box in diagram.boxes if box.kind in ("module", "function") and not box.closed and box.id in inside
    }
    by_id = {box.id: box for box in boxes}
    turns = row_ends(boxes, edges) if diagram.note and direction in ("LR", "RL") else frozenset()
    if turns:
        first = next(box.id for box in boxes if box.title and box.id not in groups and box.kind != "hidden")
        starts = [first, *(edge.target for edge in edges if edge in turns)]
        for start in starts:
            parent = by_id[start].parent
            while parent is not None:
                groups.discard(parent)
                parent = by_id[parent].parent
        with graph.subgraph(graph_attr={"rank": "same"}) as row:
            for above, below in pairwise(starts):
                row.edge(above, below, style="invis")
    _put(graph, inside, None, groups)
    flows = [abs(edge.contribution) for edge in edges if edge.contribution is not None]
    largest = max((flow for flow in flows if flow < float("inf")), default=0.0)
    told, labelled = False, len(edges) <= LABELLED
    for edge in edges:
        head = edge.target
        if edge.slot is not None and by_id[head].slots:
            head = f"{head}:{edge.slot}" + (":w" if direction == "LR" else "")
        if edge.source is None:
            name = f"{edge.target}c{'' if edge.slot is None else edge.slot}"
            graph.node(name, f"<{escaped(minus(edge.constant or ''))}>", **TEXT)
            graph.edge(name, head, style="dashed")
        elif edge.source == "folded":
            graph.edge("folded", head, style="dotted")
        else:
            label = _label(edge, digits) if labelled else None
            told = told or (labelled and bool(edge.text))
            graph.edge(
                edge.source,
                head,
                label=label,
                **_width(edge, largest),
                **({"constraint": "false"} if edge in turns else {}),
            )
    notes = ["on an edge: the local derivative"] if told else []
    if flows:
        notes.append(
            "← what flows back along it; its width: how much" if labelled else "width of an edge: how much flows back"
        )
    if diagram.note:
        notes.append(diagram.note)
    if notes:
        graph.attr(label="; ".join(notes))
    return graph


def _put(graph: Any, inside: dict[str | None, list[Box]], parent: str | None, groups: set[str]) -> None:
    """Draw the boxes in a group, or those in none."""
    for box in inside.get(parent, ()):
        if box.id in groups:
            with graph.subgraph(name=f"cluster_{box.id}") as cluster:
                cluster.attr(label=f"<{escaped(f'{box.name} {box.title}'.strip())}>", **CLUSTER)
                _put(cluster, inside, box.id, groups)
        elif box.id in inside:  # its frame would not let rows go one below the other
            _put(graph, inside, box.id, groups)
        elif box.kind == "hidden":
            graph.node(box.id, box.title, **TEXT)
        else:
            graph.node(box.id, html(box))


def row_ends(boxes: list[Box], edges: list[Edge]) -> frozenset[Edge]:
    """The edges at which a long picture goes on in a new row: each the only one from what is before to what is after."""
    before: dict[str, set[str]] = {box.id: set() for box in boxes}
    for edge in edges:
        if edge.source is not None:
            before[edge.target].add(edge.source)
    ranks: dict[str, int] = {}
    waiting = [box.id for box in reversed(boxes)]
    while waiting:  # each after those before it
        name = waiting[-1]
        left = [x for x in before[name] if x not in ranks]
        waiting += left
        if not left:
            ranks[waiting.pop()] = max((ranks[x] + 1 for x in before[name]), default=0)
    nearest: dict[str, int] = {}
    for edge in edges:
        if edge.source is not None:
            nearest[edge.source] = min(nearest.get(edge.source, len(ranks)), ranks[edge.target] - 1)
    spans = [
        (nearest[x] if not before[x] else ranks[x], ranks[edge.target], edge)
        for edge in edges
        if (x := edge.source) is not None
    ]
    last = max(ranks.values(), default=0)
    row = -(-(last + 1) // -(-(last + 1) // ROW))  # rows of about the same length
    ends: list[Edge] = []
    start = 0
    for place in range(1, last + 1) if last + 1 > LONG else ():
        crossing = [edge for low, high, edge in spans if low < place <= high]
        if len(crossing) == 1 and place - start >= row:
            ends.append(crossing[0])
            start = place
    return frozenset(ends)


def _label(edge: Edge, digits: int) -> str | None:
    local = f" {minus(edge.text)} " if edge.text else None
    if edge.contribution is None:
        return local
    flow = f" ← {minus(number(edge.contribution, digits))} "
    return flow if local is None else f"{local}\\n{flow}"


def _width(edge: Edge, largest: float) -> dict[str, str]:
    if edge.contribution is None:
        return {}
    size = abs(edge.contribution)
    share = (size / largest) ** 0.5 if largest and size <= largest else float(size > 0.0)
    return {"penwidth": f"{0.5 + (WIDEST - 0.5) * share:.2f}", "color": DERIVATIVE if size else LINE}


@cache
def _digraph() -> type[graphviz.Digraph]:
    """graphviz.Digraph, imported when the first picture is drawn, and shown by our layout: Jupyter needs no `dot`."""
    import graphviz

    class Picture(graphviz.Digraph):  # type: ignore[misc]  # graphviz carries no types
        diagram: Diagram
        digits = 4
        direction = "LR"
        again: Callable[[int], Diagram] | None = None

        def coarser(self) -> Picture | None:
            """A picture of a third as many boxes, or None if there is none."""
            before = len(self.diagram.visible()[0])
            if self.again is None or before < 6:
                return None
            diagram = self.again(before // 3)
            if len(diagram.visible()[0]) >= before:
                return None
            diagram.note = f"coarser, because the layout of {before} boxes took too long; {diagram.note}".rstrip("; ")
            return picture_of(diagram, self.digits, self.direction, self.again)  # type: ignore[no-any-return]  # graphviz carries no types

        @property
        def text(self) -> str:
            """The picture for a terminal."""
            return text(self.diagram, self.digits)

        @property
        def mermaid(self) -> str:
            """The picture in Mermaid's language, which GitHub and many editors draw."""
            return mermaid(self.diagram, self.digits, self.direction)

        def __str__(self) -> str:
            return self.text

        def _repr_image_svg_xml(self) -> str:
            return laid_out(self, "svg", SECONDS).decode()

        def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, str]:
            bundle = {"text/plain": self.text}
            try:
                bundle["image/svg+xml"] = self._repr_image_svg_xml()
            except (GraphvizError, OSError) as error:
                bundle["text/plain"] += f"\n\n(not drawn: {error})"
            wanted = bundle.keys() if include is None else set(include)
            return {kind: found for kind, found in bundle.items() if kind in wanted and kind not in set(exclude or ())}

    return Picture
