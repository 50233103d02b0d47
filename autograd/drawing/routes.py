"""Paths of an explanation: each with its factors, as formulas and as numbers, and its product."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from operator import mul
from typing import NamedTuple

from autograd.chain_rule import product
from autograd.drawing.paths import MOST, Edge, Paths, Route, total_of
from autograd.drawing.pullbacks import local_formula
from autograd.drawing.tables import Names, padded
from autograd.formulas import PRODUCT, SIGN, Formula, LatexFormula, TextFormula
from autograd.graph import Node

SCREEN = 120  # characters of a line, if it can be helped: a longer path is shown by its ends
GROUPS, PARTS = 12, 24  # lines for groups of paths, and for parts, even where there is room for more
WIDE = 32  # characters of a local derivative's formula; a longer one is shown as a symbol


class Line(NamedTuple):
    """A line on a path, on a group of them, or on what they add up to; `equation` is the same in LaTeX."""

    level: int  # of indentation
    path: str
    factors: str
    value: str
    note: str
    equation: str
    mentioned: tuple[Node, ...]

    def text(self, width: int) -> str:
        middle = f"{padded(self.path, width)}   {self.factors}" if self.factors else self.path
        return f"{'  ' * self.level}{' = '.join(filter(None, (middle, self.value)))}{self.note}"


def lines_of(paths: Paths, room: int, names: Names, level: int = 1) -> list[Line]:
    """The paths from one input, in at most `room` lines (1 at least): the derivative, and the paths that add up to it; in groups
    where they are too many; or, where all of them pass the same nodes, part by part."""
    value, grouped = paths.derivative, paths.count > room - 1
    parts = paths.stages() if grouped and room > 3 else []
    note, total = f": {_counted(paths.count, 'path')}" if grouped else "", _latex_number(value, names)
    left = _fraction(paths.target, paths.source, names)
    inner: list[Line] = []
    if len(parts) > 1:
        note += f", all by way of {len(parts) - 1:,} nodes, between which the derivatives multiply"
        inner = _parts(parts, min(room - 1, max(PARTS, room // 3)), names, level + 1)
        factors = [_fraction(part.target, part.source, names) for part in parts[:3]]
        factors += [r"\cdots"] * (len(parts) > 3)
        product = r" \cdot ".join(factors)
        equation = rf"{left} &= {product} = {total}"
    elif room > 1 and paths.into:
        inner = _sum(paths, min(room - 1, max(GROUPS, room // 5)) if grouped else room - 1, names, level + 1, grouped)
        terms = " \\\\\n  &\\quad + ".join(line.equation for line in inner)
        equation = f"{left} &= {terms}" + (f" \\\\\n  &= {total}" if len(inner) > 1 else "")
        inner = [line._replace(equation="") for line in inner]
    else:
        equation = f"{left} &= {total}"
    symbol = names.slope(paths.target, paths.source)
    return [Line(level, symbol, "", names.number(value), note, equation, (paths.source, paths.target)), *inner]


def _sum(paths: Paths, room: int, names: Names, level: int, grouped: bool) -> list[Line]:
    """The paths that add up to a derivative, or groups of them."""
    groups, rest = paths.routes(room)
    if not grouped:
        groups.sort(key=lambda route: [edge.target._sequence for edge in route.edges])
    lines = [_route(route, paths, names, level, grouped) for route in groups]
    if rest:
        value = total_of(route.value for route in rest)
        path = f"... {_counted(len(rest), 'more group')}" if groups else "all"
        note = f"   {_counted(sum(route.many for route in rest), 'path')}{_share(value, paths)}"
        lines.append(
            Line(
                level,
                path,
                "",
                names.number(value),
                note,
                rf"\underbrace{{\cdots}}_{{{_latex_number(value, names)}}}",
                (),
            )
        )
    return lines


def _parts(parts: Sequence[Paths], room: int, names: Names, level: int) -> list[Line]:
    """Parts that all paths pass, one after the other; those in the middle are left out where there is no room."""
    needed = [1 + min(part.count, 5) for part in parts]
    first, last = len(parts), len(parts)
    if sum(needed) > room:
        spent, first = 1, 0
        while spent + needed[i := first if first <= len(parts) - last else last - 1] <= room:
            spent += needed[i]
            first, last = (first + 1, last) if i == first else (first, last - 1)
    lines = [line for i in range(first) for line in lines_of(parts[i], needed[i], names, level)]
    if hidden := parts[first:last]:
        value = reduce(mul, (part.derivative for part in reversed(hidden)), 1.0)
        lines.append(
            Line(level, f"... {_counted(len(hidden), 'more part')}, whose product", "", names.number(value), "", "", ())
        )
    return lines + [line for i in range(last, len(parts)) for line in lines_of(parts[i], needed[i], names, level)]


def _route(route: Route, paths: Paths, names: Names, level: int, grouped: bool) -> Line:
    """A path, or a group of them, on one line: of a long one the ends."""
    n = len(route.edges)
    for keep in (4, 3, 2, 1):
        hidden = route.edges[keep : n - keep] if n > 2 * keep + 2 else []
        line = _written(route, paths, names, level, grouped, hidden)
        if len(line.text(0)) <= SCREEN:
            break
    return line


def _written(route: Route, paths: Paths, names: Names, level: int, grouped: bool, hidden: list[Edge]) -> Line:
    """The line on a path of which the edges `hidden` are left out."""
    keep = (len(route.edges) - len(hidden)) // 2
    factors: list[tuple[str, float]] = []
    letters: list[tuple[Formula, float]] = []
    shown: list[Edge | None] = [*route.edges]
    if hidden:
        shown[keep : keep + len(hidden)] = [None]
    stops, mentioned = [names[route.start]], [route.start]
    if route.start is not paths.source:
        stops[0] = f"{names[paths.source]} ⇒ {stops[0]}"
        factors.append((names.slope(route.start, paths.source), route.inner))
        letters.append((LatexFormula(_fraction(route.start, paths.source, names)), route.inner))
    for edge in shown:
        if edge is None:
            along = _along(hidden)
            stops += [f"… {len(hidden) - 1:,} more …", names[hidden[-1].target]]
            mentioned.append(hidden[-1].target)
            factors.append(("…", along))
            letters.append((LatexFormula(r"\cdots"), along))
        else:
            stops.append(names[edge.target])
            mentioned.append(edge.target)
            factors.append((_formula(edge, names), edge.local))
            letters.append((_letters(edge, names), edge.local))
    if len(factors) == 1 and factors[0][0][0] == "(":
        factors = [(factors[0][0][1:-1], factors[0][1])]
    value = names.number(route.value)
    texts = [" * ".join(formula for formula, _ in factors), " * ".join(names.number(x) for _, x in factors)]
    text = " = ".join(dict.fromkeys(texts if len(factors) > 1 else texts[:1]))
    note = f"   {_counted(route.many, 'path')}{_share(route.value, paths)}" if grouped else ""
    equation = _term([pair for pair in letters if pair[0].text != "1"], route.value, names)
    return Line(level, " → ".join(stops), "" if text == value else text, value, note, equation, tuple(mentioned))


def _formula(edge: Edge, names: Names) -> str:
    formula = local_formula(edge.target, edge.place, names.plain, TextFormula)
    if formula is None or len(formula.text) > WIDE:
        return names.slope(edge.target, edge.source)
    return formula.within(SIGN)


def _along(edges: Sequence[Edge]) -> float:
    """The product of the local derivatives on edges, as the engine multiplies, from the last."""
    outer = 1.0
    for edge in reversed(edges):
        outer = float(product(outer, edge.slope, edge.kind, strong=True))
    return outer


def _counted(n: int, what: str) -> str:
    many = f"{n:,}" if n < 10**18 else f"{float(n):.3g}" if n < MOST else f"over {float(MOST):.0e}"
    return f"{many} {what}{'s' * (n != 1)}"


def _share(value: float, paths: Paths) -> str:
    share = 100.0 * value / paths.derivative if paths.derivative else math.nan
    return f", {share:.3g}%" if math.isfinite(share) else ""


# ---- LaTeX


def _letters(edge: Edge, names: Names) -> Formula:
    formula = local_formula(edge.target, edge.place, names.letters, LatexFormula)
    if formula is None or len(formula.text) > 3 * WIDE:
        return LatexFormula(_fraction(edge.target, edge.source, names))
    return formula


def _term(factors: Sequence[tuple[Formula, float]], value: float, names: Names) -> str:
    """A product as an underbrace: the formulas above, the numbers below."""
    symbols = _multiplied([formula.within(PRODUCT) for formula, _ in factors]) or "1"
    numbers = _multiplied([_latex_number(x, names) for _, x in factors]) if len(factors) > 1 else ""
    below = [*filter(None, [numbers]), _latex_number(value, names)]
    return symbols if below == [symbols] else rf"\underbrace{{{symbols}}}_{{{' = '.join(below)}}}"


def _multiplied(factors: Sequence[str]) -> str:
    """Factors with dots between them; but for the first, negative ones are in parentheses."""
    return r" \cdot ".join(rf"\left({x}\right)" if i and x[0] == "-" else x for i, x in enumerate(factors))


def _fraction(of: Node, by: Node, names: Names) -> str:
    return rf"\frac{{\partial {names.letters[of]}}}{{\partial {names.letters[by]}}}"


def _latex_number(x: float, names: Names) -> str:
    return LatexFormula.number(float(names.number(x))).within(PRODUCT)
