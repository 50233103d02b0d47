"""`explain`: the chain rule for one graph, step by step, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, count, groupby
from typing import Any

import numpy as np

from autograd.arguments import assignments, integer
from autograd.drawing.derivatives import contributions, local_derivatives, starts_from_zero
from autograd.drawing.summaries import MOST_DIGITS, TINY, check_node, number, one_line, quantity
from autograd.formulas import Formula
from autograd.graph import Node, ancestors
from autograd.reverse_mode import cotangents
from autograd.variadic import dot_of

ARGUMENTS = 8  # of more, the first and the last are shown


def explain(node: Node, *, max_lines: int = 20_000, digits: int = 4) -> str:
    """The computation of `node` and of its derivative as text: each operation forwards, then backwards.

    Nodes are called by their labels, or %1, %2, ... and out. A line of the backward part adds to the gradient of one input:
    the gradient of the result times the local derivative. Of more than `max_lines` lines (10 at least) each part shows its
    first and its last, and says how many there are between them. Numbers have `digits` significant digits. Nothing is stored in
    the graph: `.grad` stays as it is. A node of more than one element is a ValueError, anything but a node a TypeError.

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
      y  = %1 + 1   dy/d%1 += 1 * 1 = 1
      %1 = x * x    dy/dx  += 1 * 3 = 3
                    dy/dx  += 1 * 3 = 3
    <BLANKLINE>
    Gradients
      dy/dx = 6
    """
    check_node("explain", node)
    digits = integer("explain", "digits", digits, least=1, most=MOST_DIGITS)
    max_lines = integer("explain", "max_lines", max_lines, least=10)
    if np.size(node.data) != 1:  # type: ignore[attr-defined]  # all kinds have it; a tracer refuses
        raise ValueError(f"explain needs a scalar, got shape {np.shape(node._data)}: reduce with .sum() or .mean()")
    with np.errstate(all="ignore"):
        found = cotangents(node, np.ones_like(node._data) if node._priority else 1.0)
    nodes = ancestors(node)
    names = _names(nodes, node)
    top = f"d{names[node]}/d"
    edges = [(n, i) for n in reversed(nodes) if n in found for i, x in enumerate(n.inputs) if isinstance(x, Node)]
    leaves = [n for n in nodes if n.op is None and n in found]
    fixed = 5 if node.op is not None else 3  # titles, and empty lines between the parts
    rooms = _rooms([len(nodes), len(edges), len(leaves)], max_lines - fixed)

    shown, hidden = _ends(nodes, rooms[0])
    known, unshown = _ends(edges, rooms[1])
    operations = dict.fromkeys(n for n in chain(shown, (n for n, _ in known)) if n.op is not None)
    width = _width(names[n] for n in chain(shown, operations))
    results = {n: f"{names[n]:<{width}} = {_expression(n, names, digits)}" for n in operations}
    span = _width(results[n] for n in shown if n.op is not None)
    firsts = [f"{names[n]:<{width}}" if n.op is None else f"{results[n]:<{span}}" for n in shown]
    forward = [f"  {first} = {quantity(n._data, digits)}" for first, n in zip(firsts, shown, strict=True)]
    lines = ["Forward", *_gap(forward, hidden)]
    if node.op is not None:
        lines += [
            "",
            f"Backward, from {top}{names[node]} = 1: each input gets (gradient of the result) * (local derivative)",
        ]
        steps: list[Line] = []
        for _, uses in groupby(known, key=lambda edge: edge[0]._sequence):
            places = list(uses)
            n = places[0][0]
            steps += [(results[n], *step) for step in _steps(n, found[n], {i for _, i in places}, names, top, digits)]
        lines += _gap(list(_table(steps)), unshown)
    lines += ["", "Gradients"]
    some, others = _ends(leaves, rooms[2])
    width = _width(names[n] for n in some)
    lines += _gap([f"  {top}{names[n]:<{width}} = {quantity(found[n], digits)}" for n in some], others)
    return "\n".join(line.rstrip() for line in lines)


def _rooms(needed: list[int], most: int) -> list[int]:
    """The number of lines, of `most`, for each part: as many as it needs, or an even division of the rest."""
    rooms = [0] * len(needed)
    for left, i in zip(range(len(needed), 0, -1), sorted(range(len(needed)), key=needed.__getitem__), strict=True):
        rooms[i] = min(needed[i], (most - sum(rooms)) // left)
    return rooms


def _ends(items: list[Any], room: int) -> tuple[list[Any], int]:
    """The first and last `items`, and the number of those between them, which takes a line too."""
    if len(items) <= room:
        return items, 0
    first, last = room // 2, (room - 1) // 2
    return items[:first] + items[len(items) - last :], len(items) - first - last


def _gap(lines: list[str], hidden: int) -> list[str]:
    """The lines, with one in the middle that counts the hidden ones."""
    middle = (len(lines) + 1) // 2
    return [*lines[:middle], f"  ... {hidden:,} lines left out", *lines[middle:]] if hidden else lines


def _names(nodes: Iterable[Node], output: Node) -> dict[Node, str]:
    """A name for each node: its label, numbered if two nodes have the same, or else %1, %2, ..., and out for the last."""
    names: dict[Node, str] = {}
    taken: set[str] = set()
    unnamed = count(1)
    numbered: dict[str, Iterator[int]] = {}  # so that a thousand nodes of one label take a thousand tries
    for n in nodes:
        if n.label or n is output:
            label = one_line(n.label or "out", most=20)
            again = (f"{label}#{i}" for i in numbered.setdefault(label, count(2)))
            candidates: Iterable[str] = again if label in taken else [label]
        else:
            candidates = (f"%{i}" for i in unnamed)
        names[n] = next(name for name in candidates if name not in taken)
        taken.add(names[n])
    return names


def _expression(node: Node, names: dict[Node, str], digits: int) -> str:
    """The operation, in terms of the names of its inputs."""
    assert node.op is not None
    op = node.op
    args = [
        names[x] if isinstance(x, Node) else quantity(read, digits)
        for x, read in zip(node.inputs, node._residuals(), strict=True)
    ]
    if op.infix:
        return str(Formula.applied(op, [Formula(arg) for arg in args]))
    if op is dot_of:
        start, *args = args
        half = len(args) // 2
        product = f"dot([{_list(args[:half])}], [{_list(args[half:])}])"
        return product if starts_from_zero(node) else f"{product} + {start}"
    return f"{op.name}({', '.join([_list(args), *assignments(op.settings)])})"


def _list(args: list[str]) -> str:
    return ", ".join(args if len(args) <= ARGUMENTS else [*args[:3], f"... {len(args) - 4} more", args[-1]])


Step = tuple[str, str, str]
Line = tuple[str, str, str, str]


def _steps(node: Node, g: Any, at: set[int], names: dict[Node, str], top: str, digits: int) -> Iterator[Step]:
    """What the inputs of `node` at these places get of its gradient `g`: whose gradient it adds to, the product, and its
    value."""
    for i, (x, contribution, local) in enumerate(
        zip(node.inputs, contributions(node, g), local_derivatives(node), strict=True)
    ):
        if i in at and isinstance(x, Node) and contribution is not None:
            contribution = np.asarray(contribution)
            got = quantity(x._unbroadcast(contribution), digits)
            shown = local is not None and np.size(local) <= TINY
            product = f"{_factor(g, digits)} * {_factor(local, digits)}" if shown else ""
            yield f"{top}{names[x]}", product, got


def _factor(x: Any, digits: int) -> str:
    return quantity(x, digits) if np.ndim(x) else number(float(x), digits)


def _table(steps: list[Line]) -> Iterator[str]:
    """The steps in columns; the result is named once, however many inputs it has."""
    widths = [_width(step[i] for step in steps) for i in range(3)]
    before = None
    for result, target, product, got in steps:
        name = "" if result is before else result
        before = result
        product = f"{product:<{widths[2]}} = " if product else ""
        yield f"  {name:<{widths[0]}}   {target:<{widths[1]}} += {product}{got}"


def _width(texts: Iterable[str]) -> int:
    """The width of a column: texts beyond 60 characters stick out and do not widen it."""
    return max((len(text) for text in texts if len(text) <= 60), default=0)
