"""Tables of an explanation: the names of nodes, the values forwards, and the gradients backwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any
from unicodedata import combining, normalize

import numpy as np

from autograd.arguments import assignments
from autograd.drawing.derivatives import contributions, local_derivatives, starts_from_zero
from autograd.drawing.explanation import Part
from autograd.drawing.paths import Graph
from autograd.drawing.pullbacks import local_formula, pullback_formula
from autograd.drawing.summaries import TINY, number, one_line, quantity
from autograd.formulas import Formula, LatexFormula, TextFormula
from autograd.graph import Node
from autograd.variadic import dot_of

ARGUMENTS = 8  # of more, the first and the last are shown
BAR = "\N{COMBINING MACRON}"
G = normalize("NFC", f"g{BAR}")  # the gradient of an operation's result, in pullbacks
PLUS = r"\mathrel{+}"


class _Lazily(dict[Node, Formula]):
    """Formulas of nodes, made when they are asked for: of a million nodes a few are."""

    def __init__(self, make: Callable[[Node], Formula]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, node: Node) -> Formula:
        self[node] = found = self.make(node)
        return found


class Names:
    """What nodes are called, in text and in formulas: by a label, numbered if two nodes have the same, or else %1, %2, ..., and
    out for the last; and how many digits their numbers have."""

    def __init__(self, nodes: Iterable[Node], output: Node, labels: Mapping[Node, str], digits: int) -> None:
        self.digits, self.output = digits, output
        self.words: dict[Node, str] = {}
        taken: set[str] = set()
        unnamed = count(1)
        numbered: dict[str, Iterator[int]] = {}  # so that a thousand nodes of one label take a thousand tries
        for n in nodes:
            label = one_line(n.label or "", most=20) or one_line(labels.get(n) or ("out" if n is output else ""))
            if label:
                again = (f"{label}#{i}" for i in numbered.setdefault(label, count(2)))
                candidates: Iterable[str] = again if label in taken else [label]
            else:
                candidates = (f"%{i}" for i in unnamed)
            self.words[n] = next(name for name in candidates if name not in taken)
            taken.add(self.words[n])
        self.plain: Mapping[Node, Formula] = _Lazily(lambda node: TextFormula(self.words[node]))
        self.letters: Mapping[Node, Formula] = _Lazily(self._letter)

    def __getitem__(self, node: Node) -> str:
        return self.words[node]

    def slope(self, of: Node, by: Node) -> str:
        """The derivative of one node by another, as a symbol."""
        return f"d{self.words[of]}/d{self.words[by]}"

    def number(self, x: float) -> str:
        return number(x + 0.0, self.digits)  # the sum has no minus zero

    def quantity(self, x: Any) -> str:
        return quantity(x, self.digits)

    def barred(self, node: Node) -> str:
        """The gradient with respect to a node, as one writes it in pullbacks: with a bar, if the name is a letter, with digits
        perhaps."""
        name = self.words[node]
        stem = name.rstrip("0123456789").rstrip("_")
        return normalize("NFC", f"{stem}{BAR}{name[1:]}") if len(stem) == 1 and stem.isalpha() else f"grad({name})"

    def _letter(self, node: Node) -> Formula:
        name = self.words[node]
        return LatexFormula.letter(f"v{name[1:]}" if name[0] == "%" and not node.label else name)


def forward(nodes: Sequence[Node], names: Names) -> Part:
    """The values of `nodes`, each with its operation."""
    width = width_of(names[n] for n in nodes)
    results = {n: f"{padded(names[n], width)} = {expression(n, names)}" for n in nodes if n.op is not None}
    span = width_of(results.values())
    firsts = [padded(results[n], span) if n.op is not None else padded(names[n], width) for n in nodes]
    values = [names.quantity(n._data) for n in nodes]
    lines = [f"  {first} = {value}".rstrip() for first, value in zip(firsts, values, strict=True)]
    rows = [(names[n], expression(n, names) if n.op else "", value) for n, value in zip(nodes, values, strict=True)]
    return Part("Forward", lines, ("node", "operation", "value"), rows)


def backward(
    uses: Sequence[tuple[Node, int]], found: Mapping[Node, Any], names: Names, graph: Graph, single: bool = False
) -> Part:
    """What each of the `uses` of a node (a result, and the number of its input) adds to that node's gradient, with the formula: the
    local derivative if all are `single` numbers, else the pullback."""
    top, rows, equations = f"d{names[names.output]}/d", [], []
    width = width_of(names[n] for n in dict.fromkeys(n for n, _ in uses))
    steps: dict[Node, tuple[list[Any], list[Any]]] = {}
    for n, place in uses:
        if n not in steps:
            steps[n] = contributions(n, found[n]), local_derivatives(n)
        contribution, local = (step[place] for step in steps[n])
        x = n.inputs[place]
        result = f"{padded(names[n], width)} = {expression(n, names)}"
        if contribution is None:
            rows.append((result, f"{top}{names[x]}", "", "unknown: its rule fails", ""))
            continue
        got = x._unbroadcast(np.asarray(contribution))
        shown = local is not None and np.size(local) <= TINY
        factors = f"{_factor(found[n], names)} * {_factor(local, names)}" if shown else ""
        if single:
            rows.append((result, f"{top}{names[x]}", factors, names.quantity(got), _local_rule(n, place, names)))
        else:
            equals = "=" if len(graph.uses.get(x, ())) < 2 else "+="
            value = f"{names.quantity(got) if np.size(got) <= TINY else np.shape(got)}, {norm(got, names)}"
            rows.append((result, f"{names.barred(x)} {equals} {_pullback(n, place, names)}", factors, value, ""))
            equations.append(_pullback_equation(n, place, names, equals))
    how = (
        "(gradient of the result) * (local derivative)"
        if single
        else f"its pullback of {G}, the gradient of the result"
    )
    title = f"Backward, from {top}{names[names.output]} = 1: each input gets {how}"
    columns = ("result", "adds to" if single else "pullback", "factors", "value", "local derivative" if single else "")
    return Part(title, list(_aligned(rows, single)), columns, rows, equations)


def _local_rule(node: Node, place: int, names: Names) -> str:
    op = node.op
    assert op is not None
    formula = local_formula(node, place, names.plain, TextFormula)
    sign = op.infix if op.infix and "{" not in op.infix else op.name
    return f"{sign}: {shortened(formula.text)}" if formula is not None else ""


def _pullback(node: Node, place: int, names: Names) -> str:
    formula = pullback_formula(node, place, names.plain, TextFormula(G), TextFormula)
    assert node.op is not None
    return shortened(formula.text) if formula is not None else f"the pullback of {node.op.name}"


def _pullback_equation(node: Node, place: int, names: Names, equals: str) -> str:
    x = node.inputs[place]
    bars = {n: rf"\bar{{{names.letters[n]}}}" for n in (node, x)}
    formula = pullback_formula(node, place, names.letters, LatexFormula(bars[node]), LatexFormula)
    if formula is None:
        jacobian = rf"\frac{{\partial {names.letters[node]}}}{{\partial {names.letters[x]}}}"
        formula = LatexFormula(rf"\left({jacobian}\right)^{{\top}} {bars[node]}")
    return f"{bars[x]} &{equals.replace('+', PLUS)} {formula}"


def gradients(ends: Sequence[Node], found: Mapping[Node, Any], names: Names) -> Part:
    """The gradients of the inputs `ends`, with their norms."""
    width = width_of(names[n] for n in ends)
    rows = [(f"d{names[names.output]}/d{padded(names[n], width)}", *_told(found.get(n), names)) for n in ends]
    lines = [f"  {name} = {', '.join(filter(None, rest))}" for name, *rest in rows]
    return Part("Gradients", lines, ("gradient", "value", ""), rows)


def _told(g: Any, names: Names) -> tuple[str, str]:
    return ("0", "no path") if g is None else (names.quantity(g), norm(g, names) if np.ndim(g) else "")


def divided(needed: Sequence[int], most: int) -> list[int]:
    """The number of lines, of `most`, for each part: as many as it needs, or an even division of the rest."""
    rooms = [0] * len(needed)
    for left, i in zip(range(len(needed), 0, -1), sorted(range(len(needed)), key=needed.__getitem__), strict=True):
        rooms[i] = min(needed[i], (most - sum(rooms)) // left)
    return rooms


def ends_of(items: Sequence[Any], room: int) -> tuple[Sequence[Any], int]:
    """The first and last `items`, and the number of those between them, which takes a line too."""
    if len(items) <= room:
        return items, 0
    first, last = room // 2, (room - 1) // 2
    return [*items[:first], *items[len(items) - last :]], len(items) - first - last


def gap(part: Part, hidden: int) -> Part:
    """The part, with a line in the middle that counts the hidden ones."""
    if not hidden:
        return part
    middle, text = (len(part.lines) + 1) // 2, f"... {hidden:,} lines left out"
    lines = [*part.lines[:middle], f"  {text}", *part.lines[middle:]]
    return part._replace(lines=lines, rows=[*part.rows[:middle], (text,), *part.rows[middle:]])


def norm(x: Any, names: Names) -> str:
    return f"norm {names.number(float(np.linalg.norm(np.asarray(x, np.float64))))}"


def shortened(text: str) -> str:
    return one_line(text, most=60)


def expression(node: Node, names: Names) -> str:
    """The operation, in terms of the names of its inputs."""
    assert node.op is not None
    op = node.op
    args = [
        names[x] if isinstance(x, Node) else names.quantity(read)
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


def _factor(x: Any, names: Names) -> str:
    return names.quantity(x) if np.ndim(x) else names.number(float(x))


def _aligned(rows: Sequence[tuple[str, ...]], single: bool) -> Iterator[str]:
    """The rows of the backward part in columns; the result is named once, however many inputs it has."""
    widths = [width_of(row[i] for row in rows) for i in range(4)]
    before = None
    for result, target, factors, got, rule in rows:
        name = "" if result == before else result
        before = result
        product = f"{padded(factors, widths[2] * single)} = " if factors else ""
        line = f"  {padded(name, widths[0])}   {padded(target, widths[1])}{' += ' if single else '   '}{product}"
        yield f"{line}{padded(got, widths[3])}   {rule}" if rule else f"{line}{got}"


def width_of(texts: Iterable[str]) -> int:
    """The width of a column: texts beyond 60 characters stick out and do not widen it."""
    return max((width for width in map(_width, texts) if width <= 60), default=0)


def padded(text: str, width: int) -> str:
    """`text`, with spaces up to a width."""
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    return len(text) - sum(map(bool, map(combining, text)))
