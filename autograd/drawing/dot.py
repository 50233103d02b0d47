"""`draw`: a graph as a picture, by Graphviz.

Inputs are at the left, the result at the right. The number on an edge is the local derivative: the factor of the
gradient on its way back. A constant has no box and a dashed edge, because no gradient flows to it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.arguments import integer
from autograd.drawing.boxes import DERIVATIVE, GREY, INK, LINE, box, escaped, is_ordered, minus
from autograd.drawing.derivatives import local_derivatives, starts_from_zero
from autograd.drawing.layout import lay_out
from autograd.drawing.summaries import MOST_DIGITS, TINY, check_node, quantity
from autograd.graph import Node

if TYPE_CHECKING:
    import graphviz

FONT = "Helvetica"
GRAPH = {
    "rankdir": "LR", "nodesep": "0.22", "ranksep": "0.45", "pad": "0.1",
    "labeljust": "l", "fontname": f"{FONT}-Oblique", "fontsize": "10", "fontcolor": DERIVATIVE,
}  # fmt: skip
NODE = {"shape": "plain", "fontname": FONT, "fontsize": "13", "fontcolor": INK}
EDGE = {
    "fontname": f"{FONT}-Oblique", "fontsize": "11", "fontcolor": DERIVATIVE, "color": LINE, "arrowsize": "0.6",
}  # fmt: skip
TEXT = {"shape": "plaintext", "width": "0", "height": "0", "margin": "0.05,0.03", "fontcolor": GREY}
CONSTANTS = 6  # up to this many constants of one operation are shown one by one


def draw(node: Node, *, max_nodes: int = 200, digits: int = 4) -> graphviz.Digraph:
    """The graph that `node` was computed from, from left to right, as a picture: Jupyter shows it as it is.

    Every node is shown once, with its label, its value, and its gradient if a backward pass left one; every use is an
    edge, with the local derivative on it where it is a number. Of more than `max_nodes` nodes, those nearest to `node`
    are shown, and the others counted. Numbers have `digits` significant digits.

    >>> from autograd.value import Value
    >>> x = Value(3.0, "x")
    >>> draw(x * x).source.count("n0 -> n1")
    2
    """
    check_node("draw", node)
    max_nodes = integer("draw", "max_nodes", max_nodes, least=1)
    digits = integer("draw", "digits", digits, least=1, most=MOST_DIGITS)
    shown, folded = _nearest(node, max_nodes)
    names = {n: f"n{i}" for i, n in enumerate(shown)}
    graph = _digraph()(graph_attr=GRAPH, node_attr=NODE, edge_attr=EDGE)
    if folded:
        graph.node("folded", f"… {folded:,} more", **TEXT)
    told = False
    for n, name in names.items():
        graph.node(name, box(n, digits, last=n is node))
        told = _connect(graph, n, names, digits) or told
    if told:
        graph.attr(label="on an edge: the local derivative")
    return graph


def _nearest(output: Node, most: int) -> tuple[list[Node], int]:
    """The `most` nodes nearest to `output`, in order of creation, and the number of the others."""
    found = {output: None}
    queue = [output]
    for node in queue:  # which grows meanwhile
        for parent in node.parents:
            if parent not in found:
                found[parent] = None
                queue.append(parent)
    return sorted(queue[:most], key=lambda node: node._sequence), max(len(queue) - most, 0)


def _connect(graph: Any, node: Node, names: dict[Node, str], digits: int) -> bool:
    """Draw the edges to `node`, and its constants; return whether local derivatives were shown."""
    name, inputs, reads = names[node], node.inputs, node._residuals()
    constants = sum(not isinstance(x, Node) for x in inputs) - starts_from_zero(node)
    if constants > CONSTANTS:
        graph.node(f"{name}c", f"{constants:,} constants", **TEXT)
        graph.edge(f"{name}c", name, style="dashed")
    folded = told = False
    for i, (x, local) in enumerate(zip(inputs, local_derivatives(node), strict=True)):
        head = f"{name}:{i}:w" if is_ordered(node) else name
        if isinstance(x, Node) and x in names:
            text = _edge_text(node, x, local, digits)
            graph.edge(names[x], head, label=text)
            told = told or text is not None
        elif isinstance(x, Node):
            if not folded:
                graph.edge("folded", name, style="dotted")
            folded = True
        elif constants <= CONSTANTS and not (i == 0 and starts_from_zero(node)):
            graph.node(f"{name}c{i}", f"<{escaped(minus(quantity(reads[i], digits)))}>", **TEXT)
            graph.edge(f"{name}c{i}", head, style="dashed")
    return told


def _edge_text(node: Node, x: Node, local: Any, digits: int) -> str | None:
    if local is not None and np.size(local) <= TINY:
        return f" {minus(quantity(local, digits))} "
    if node.op is not None and node.op.elementwise and np.shape(x._data) != np.shape(node._data):
        return f" Σ {np.shape(node._data)} → {np.shape(x._data)} "  # was broadcast, so its cotangent is summed
    return None


@cache
def _digraph() -> type[graphviz.Digraph]:
    """graphviz.Digraph, imported when the first picture is drawn, and shown by our layout: Jupyter needs no `dot`."""
    import graphviz

    class Picture(graphviz.Digraph):  # type: ignore[misc]  # graphviz carries no types
        def _repr_image_svg_xml(self) -> str:
            return lay_out(self.source, "svg").decode()

    return Picture
