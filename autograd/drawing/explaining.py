"""`explain`: the chain rule for one graph, path by path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd.arguments import integer, shown
from autograd.drawing.explanation import Explanation, Part
from autograd.drawing.names import names as names_of
from autograd.drawing.names import paths_of
from autograd.drawing.paths import Graph, flows
from autograd.drawing.routes import Line, lines_of
from autograd.drawing.summaries import MOST_DIGITS, check_node
from autograd.drawing.tables import Names, backward, divided, ends_of, forward, gap, gradients, width_of
from autograd.graph import Node, ancestors
from autograd.pytrees import flatten
from autograd.reverse_mode import cotangents

PATHS = "Gradients, path by path: along a path derivatives multiply, and paths add up"
GROUPS = " (x ⇒ y: all paths from x to y)"
LEAST = 5  # lines for an input whose paths are shown, where not all can be


def explain(node: Node, *inputs: Any, max_lines: int = 60, digits: int = 4) -> Explanation:
    """The derivatives of `node` as sums over paths: the chain rule, with the formula and the number of each factor.

    Each path from an input to `node` is a product of local derivatives, and the derivative is the sum of all paths. Where they
    are more than `max_lines` (10 at least) has room for, those that end alike are one group, with its share of the sum; where
    all paths pass the same nodes, the derivative is a product of parts. Either way the sum is exact, however many paths there
    are. Of arrays it shows pullbacks as formulas, with shapes and norms, in place of paths.

    `inputs` are nodes, modules, or lists and dicts of them: then only their paths are shown. Else it is all leaves, and the
    computation before them, step by step forwards and backwards, if that fits. Nodes are called by their labels, or %1, %2, ...
    and out. Numbers have `digits` significant digits. `str()` of the result is the text; notebooks show it as tables, and
    `.latex()` are its equations. Nothing is stored in the graph: `.grad` stays as it is. A node of more than one element is a
    ValueError, anything but nodes a TypeError.

    >>> from autograd.value import Value
    >>> x = Value(3.0, "x")
    >>> y = x * x + 1.0
    >>> y.label = "y"
    >>> print(explain(y))
    Forward
      x  = 3
      %1 = x * x  = 9
      y  = %1 + 1 = 10
    <BLANKLINE>
    Backward, from dy/dy = 1: each input gets (gradient of the result) * (local derivative)
      y  = %1 + 1   dy/d%1 += 1 * 1 = 1   +: 1
      %1 = x * x    dy/dx  += 1 * 3 = 3   *: x
                    dy/dx  += 1 * 3 = 3   *: x
    <BLANKLINE>
    Gradients, path by path: along a path derivatives multiply, and paths add up
      dy/dx = 6
        x → %1 → y   x * 1 = 3 * 1 = 3
        x → %1 → y   x * 1 = 3 * 1 = 3
    """
    check_node("explain", node)
    digits = integer("explain", "digits", digits, least=1, most=MOST_DIGITS)
    max_lines = integer("explain", "max_lines", max_lines, least=10)
    if np.size(node.data) != 1:  # type: ignore[attr-defined]  # all kinds have it; a tracer refuses
        raise ValueError(f"explain needs a scalar, got shape {np.shape(node._data)}: reduce with .sum() or .mean()")
    chosen = _chosen(inputs)
    with np.errstate(all="ignore"):
        found = cotangents(node, np.ones_like(node._data) if node._priority else 1.0)
        nodes = ancestors(node, *chosen)
        names = Names(nodes, node, names_of(nodes) | {n: path for n, path in chosen.items() if path}, digits)
        ends = list(chosen) if inputs else [n for n in nodes if n.op is None and n in found]
        if all(n._priority == 0 or np.size(n._data) == 1 for n in found):
            return _of_numbers(nodes, ends, found, names, max_lines, whole=not inputs)
        return _of_arrays(nodes, ends, found, names, max_lines)


def _chosen(inputs: tuple[Any, ...]) -> dict[Node, str]:
    """The nodes in `inputs`, each with its path in the module or the structure that it was found in."""
    chosen: dict[Node, str] = {}
    for tree in inputs:
        for leaf in flatten(tree, name="explain: the inputs")[0]:
            if not isinstance(leaf, Node):
                wanted = "nodes, modules, or lists and dicts of them"
                raise TypeError(f"explain: inputs must be {wanted}, got {shown(leaf)}")
        chosen |= {leaf: path for leaf, path in paths_of(tree).items() if leaf not in chosen}
    return chosen


def _of_numbers(
    nodes: list[Node], ends: Sequence[Node], found: dict[Node, Any], names: Names, most: int, whole: bool
) -> Explanation:
    """Path by path, after the steps if there is room for them."""
    graph = Graph(names.output)
    sizes = [1 + min(graph.counts.get(end, 0), most) for end in ends]
    if sum(sizes) > most - 1:
        parts: list[Part] = []
        for lines in _fitted(graph, ends, found, names, (most * 3 // 5, most * 2 // 5, most - 1), whole):
            named = forward(_named(nodes, lines), names)._replace(title="Forward, the nodes named below")
            parts = [named, _paths_part(lines, PATHS + GROUPS)]
            if _length(parts) <= most:
                return Explanation(parts)
        return Explanation(parts[1:])
    lines = [line for end in ends for line in _paths(graph, end, found.get(end), [most], names)[0]]
    parts = [_paths_part(lines, PATHS)]
    before = nodes if whole else _named(nodes, lines, near=True)
    uses = [(n, i) for n in reversed(nodes) if whole and n in graph.uses for i, _ in flows(n)]
    if _length(parts) + len(before) + 2 <= most:
        parts = [forward(before, names), *parts]
        if uses and _length(parts) + len(uses) + 2 <= most:
            parts.insert(1, backward(uses, found, names, graph, single=True))
    return Explanation(parts)


def _paths(graph: Graph, end: Node, g: Any, rooms: Sequence[int], names: Names) -> list[list[Line]]:
    """The lines on the paths from one input, of gradient `g`, for each number of lines for which there may be room."""
    if end in graph.uses:
        paths = graph.between(end, None if g is None else float(np.asarray(g).item()))
        return [lines_of(paths, room, names) for room in rooms]
    left = rf"\frac{{\partial {names.letters[names.output]}}}{{\partial {names.letters[end]}}} &= 0"
    return [[Line(1, names.slope(names.output, end), "", "0", f": no path from {names[end]}", left, (end,))]] * len(
        rooms
    )


def _fitted(
    graph: Graph, ends: Sequence[Node], found: dict[Node, Any], names: Names, rooms: Sequence[int], whole: bool
) -> Iterator[list[Line]]:
    """The lines on as many inputs as there is room for, for each of these `rooms`: where not all of them fit, those with the
    largest gradients."""
    size = {end: abs(float(np.asarray(found[end]).item())) if end in found else -1.0 for end in ends}
    largest = sorted(ends, key=lambda end: -size[end] if size[end] == size[end] else -np.inf)
    plans = []
    for room in rooms:
        least = LEAST if whole else 1
        many = len(ends) if len(ends) * least <= room else max((room - 1) // least, 1)
        needed = {end: 1 + min(graph.counts.get(end, 0), room) for end in largest[:many]}
        given = divided([*needed.values()], room - (many < len(ends)))
        fair = zip(needed.items(), given, strict=True)
        plans.append({end: lines if lines > 2 or lines == need else 1 for (end, need), lines in fair})
    lines: dict[Node, list[list[Line]]] = {}  # of one input after the other, for its paths may fill much memory
    for end in dict.fromkeys(end for plan in plans for end in plan):
        lines[end] = _paths(graph, end, found.get(end), [plan.get(end, 1) for plan in plans], names)
    for i, plan in enumerate(plans):
        told = [line for end in ends if end in plan for line in lines[end][i]]
        if others := largest[len(plan) :]:
            text = f"... {len(others):,} more inputs, of derivatives up to {names.number(max(size[others[0]], 0.0))}"
            told.append(Line(1, text, "", "", "", "", ()))
        yield told


def _named(nodes: list[Node], lines: list[Line], near: bool = False) -> list[Node]:
    """The nodes that lines name, and those that are inputs of these if `near`, in order of creation."""
    named = {node for line in lines for node in line.mentioned}
    if near:
        named.update([x for node in named for x in node.parents])
    return [node for node in nodes if node in named]


def _paths_part(lines: list[Line], title: str) -> Part:
    width = width_of(line.path for line in lines if line.factors)
    rows = [(line.path, line.factors, line.value, line.note.strip(" :,")) for line in lines]
    equations = [line.equation for line in lines if line.equation]
    return Part(title, [line.text(width) for line in lines], ("path", "factors", "value", ""), rows, equations)


def _length(parts: list[Part]) -> int:
    return sum(len(part.lines) + 2 for part in parts) - 1


def _of_arrays(nodes: list[Node], ends: Sequence[Node], found: dict[Node, Any], names: Names, most: int) -> Explanation:
    """Pullback by pullback."""
    graph = Graph(names.output)
    between = set(graph.from_any(ends))
    near = between.union(x for n in between for x in n.parents) if len(between) < len(graph.nodes) else set(nodes)
    steps = [n for n in nodes if n in near]
    uses = [(n, i) for n in reversed(graph.nodes) for i, x in flows(n) if x in between]
    rooms = divided([len(steps), len(uses), len(ends)], most - (5 if uses else 3))  # titles, and empty lines between
    some, hidden = ends_of(steps, rooms[0])
    parts = [gap(forward(some, names), hidden)]
    if uses:
        places, hidden = ends_of(uses, rooms[1])
        parts.append(gap(backward(places, found, names, graph), hidden))
    leaves, hidden = ends_of(ends, rooms[2])
    parts.append(gap(gradients(leaves, found, names), hidden))
    return Explanation(parts)
