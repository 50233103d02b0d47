"""`report`: what may go wrong with the gradient of one graph, as an object that shows itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import numpy as np

from autograd.arguments import integer, number
from autograd.drawing.findings import Finder, Finding, counted, uses_of
from autograd.drawing.names import names
from autograd.drawing.summaries import MOST_DIGITS, check_node, quantity
from autograd.graph import Node, ancestors
from autograd.reverse_mode import cotangents

MOST_NAMED = 20_000  # nodes whose names are looked for: of a larger graph those of its first leaves
TITLES = {
    "kink": "Kinks: the slope jumps, and a convention is applied",
    "jump": "Jumps: the value jumps, which no gradient shows",
    "edge": "Edges of domains: the value or its slope is not finite, here or nearby",
    "no gradient": "No gradient",
    "vanishing": "Vanishing gradients",
    "exploding": "Exploding gradients",
    "dead": "Dead units: no gradient passes",
    "saturated": "Saturated units: hardly any gradient passes",
    "largest": "Largest contributions to the gradients of leaves",
}


class Report:
    """What `report` found: `findings` as data, `str()` of it as text, and Markdown in a notebook."""

    def __init__(self, summary: str, findings: tuple[Finding, ...]) -> None:
        self.summary, self.findings = summary, findings

    def __str__(self) -> str:
        lines = [self.summary]
        for title, texts in self._sections():
            lines += ["", title, *(f"  {text}" for text in texts)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        lines = [_markdown(self.summary)]
        for title, texts in self._sections():
            lines += ["", f"**{title}**", "", *(f"- {_markdown(text)}" for text in texts)]
        return "\n".join(lines)

    def _sections(self) -> Iterator[tuple[str, list[str]]]:
        for kind, found in groupby(self.findings, lambda finding: finding.kind):
            yield TITLES[kind], [finding.text for finding in found]


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", text)


def report(output: Node, *, inputs: Any = None, near: float = 1e-6, digits: int = 4) -> Report:
    """What may go wrong with the gradient of `output` at this point, as an object that shows itself.

    Kinks within `near` of the point (of relu, abs, maximum, norms, maxima of arrays: whatever has one by its record's rules,
    which are tried on both sides), with both slopes and the one that is used by convention; jumps; edges of domains, with
    their cure; leaves without a gradient, with a vanishing or an exploding one; units whose masks let nothing through for any
    row, and saturated ones, whose slope is below 1% of the largest; and the largest contributions. A choice by `where` is
    taken as made. Each of `findings` has `kind`, `text`, `nodes`, `count` and `figures`, such as the slopes. Nodes are called
    as `ag.draw` calls them: `inputs` (nodes, a module, or lists and dicts of them) gives names.

    The point is that of the forward pass. Of an `output` of several elements, the gradient is that of their sum. Nothing is
    stored in the graph: `.grad` stays as it is. What is no node is a TypeError.

    >>> from autograd.elementwise import relu, sqrt
    >>> from autograd.value import Value
    >>> x = Value(0.0, "x")
    >>> print(report(relu(x) + sqrt(x)))
    3 operations, 1 leaf: the output is 0
    <BLANKLINE>
    Kinks: the slope jumps, and a convention is applied
      relu at x = 0: slope 0 on the left, 1 on the right, 0 is used
    <BLANKLINE>
    Edges of domains: the value or its slope is not finite, here or nearby
      sqrt at x = 0: the slope is inf here; keep the argument above 0, where the slope is infinite: ag.sqrt(x + 1e-12), or use ag.norm
    <BLANKLINE>
    Exploding gradients
      x has the gradient inf
    <BLANKLINE>
    Dead units: no gradient passes
      relu: 1 of 1 unit (with x); 100% of its results are closed
    <BLANKLINE>
    Largest contributions to the gradients of leaves
      inf to x, by sqrt(x)
    """
    check_node("report", output)
    near = number("report", "near", near, above=0)
    digits = integer("report", "digits", digits, least=1, most=MOST_DIGITS)
    with np.errstate(all="ignore"):
        found = cotangents(output, np.ones_like(output._data) if output._priority else 1.0)
        nodes = ancestors(output)
        leaves = [n for n in nodes if n.op is None]
        uses = list(uses_of(nodes, found))
        finder = Finder(near, digits, names(nodes if len(nodes) <= MOST_NAMED else leaves[:MOST_NAMED], inputs))
        findings = [
            *(f for use in uses for f in _attempt(finder.surroundings, use)),
            *finder.leaves(leaves, found),
            *(f for use in uses for f in _attempt(finder.units, use)),
            *finder.largest(uses),
        ]
    findings.sort(key=lambda finding: [*TITLES].index(finding.kind))  # stable: within a kind, in order of creation
    summary = f"{counted(len(nodes) - len(leaves), 'operation')}, {counted(len(leaves), 'leaf', 'leaves')}"
    clean = "" if any(f.kind != "largest" for f in findings) else "; nothing is found that may go wrong"
    return Report(f"{summary}: the output is {quantity(output._data, digits)}{clean}", tuple(findings))


def _attempt(f: Callable[..., Any], *args: Any) -> list[Finding]:
    """What `f` finds; nothing if a rule or a function of the user's fails: that is not what a report is on."""
    try:
        return list(f(*args))
    except Exception:
        return []
