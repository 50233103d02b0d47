"""`stepper`: a page on which a graph is computed and differentiated before one's eyes, step by step."""

from __future__ import annotations

import linecache
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np

from autograd.arguments import integer
from autograd.drawing.boxes import minus
from autograd.drawing.derivatives import starts_from_zero
from autograd.drawing.html import Page, asset, html_page, page_path
from autograd.drawing.names import names, paths_of
from autograd.drawing.pullbacks import local_formula, pullback_formula
from autograd.drawing.steps import Backward, expression, letter, numeral, steps
from autograd.drawing.summaries import MOST_DIGITS, TINY, check_node, quantity
from autograd.drawing.tables import Names
from autograd.drawing.texts import sign
from autograd.formulas import Formula, TextFormula
from autograd.frames import line_of
from autograd.graph import Node, ancestors

CONSTANTS = 6  # of more, one box counts them
SCRIPTS = "dagre.js", "stepper_steps.js", "stepper_picture.js", "stepper_quiz.js", "stepper.js"
HEIGHT = 800  # in a notebook
LONGEST = 90  # a formula of more characters explains nothing
G = TextFormula("ḡ")  # the gradient of an operation's result


def stepper(
    output: Node, path: str | Path | None = None, *, inputs: Any = None, max_nodes: int = 150, digits: int = 4
) -> Page:
    """A page that goes through the computation of `output` and of its gradients: one file of HTML, which needs no network.

    It draws the graph, and takes a step at a key, a slider or by itself: first each operation forwards, then each edge
    backwards, as `before + local * upstream = after`. In its quiz the reader computes `after`. Under `trace_names()` it has names from
    the code, and shows the lines that made the nodes, by the name of their file, without its folder. With `inputs`, a node, a
    module, or lists, tuples and dicts of them, it goes along the paths from those alone; all else is constant. With a `path`,
    which must end in .html, the page is written there; a notebook shows what is returned. Nothing is stored in the graph.

    A ValueError says that `output` is no single number or was computed from none of `inputs`, or that there are more than
    `max_nodes` nodes; a FileNotFoundError that the path's folder is missing.

    >>> import tempfile
    >>> from autograd.value import Value
    >>> x = Value(3.0, "x")
    >>> stepper(x * x + 1.0, Path(tempfile.mkdtemp()) / "square.html").path.name
    'square.html'
    """
    check_node("stepper", output)
    written = None if path is None else page_path("stepper", path)
    max_nodes = integer("stepper", "max_nodes", max_nodes, least=1)
    digits = integer("stepper", "digits", digits, least=1, most=MOST_DIGITS)
    if np.size(output.data) != 1:  # type: ignore[attr-defined]  # all kinds have it; a tracer refuses
        raise ValueError(f"stepper needs a scalar, got shape {np.shape(output._data)}: reduce with .sum() or .mean()")
    nodes = _nodes(output, inputs)
    if len(nodes) > max_nodes:
        raise ValueError(
            f"stepper goes through at most max_nodes = {max_nodes:,} nodes, got {len(nodes):,}: step through one example, or through "
            "a part of it, such as one neuron or the paths from a few `inputs`; ag.draw shows graphs of any size, folded"
        )
    data = story(output, nodes, names(output, inputs), digits)
    title = f"Backpropagation of {data['boxes'][-1]['name']}, step by step"
    script = "".join(map(asset, SCRIPTS))
    page = Page(html_page(title, asset("stepper.html"), asset("stepper.css"), script, data), written, HEIGHT)
    if written is not None:
        written.write_text(page.html, encoding="utf-8")
    return page


def _nodes(output: Node, inputs: Any) -> list[Node]:
    """The nodes that `output` was computed from, of those that were computed from `inputs`, in order of creation."""
    nodes = ancestors(output)
    if inputs is None:
        return nodes
    reached = dict.fromkeys(paths_of(inputs))
    if output in reached:
        return [output]
    for node in nodes:
        if any(parent in reached for parent in node.parents):
            reached[node] = None
    if output not in reached:
        raise ValueError("stepper: the output was computed from none of `inputs`: give nodes or modules of its graph")
    return [node for node in nodes if node in reached]


def story(output: Node, nodes: Sequence[Node], known: Mapping[Node, str], digits: int) -> dict[str, Any]:
    """What the page shows, as JSON: `boxes`, the output last; `edges`, by the places of their boxes; `steps`; `lines` of code."""
    words = Names(dict.fromkeys([*nodes, *known]), output, known, digits).words
    letters = {node: letter(word) for node, word in words.items()}
    lines = _Lines(nodes)
    inner = set(nodes)
    # A leaf is shown as it was when it was used, whatever it has been set to since.
    uses = [use for node in nodes for use in zip(node.inputs, node._residuals(), strict=True)]
    read = {x: value for x, value in uses if isinstance(x, Node)}
    boxes: list[dict[str, Any]] = []
    edges: list[dict[str, Any]] = []
    at: dict[Node, int] = {}
    places: dict[tuple[Node, int], int] = {}
    for node in nodes:
        sources = []
        flows = [isinstance(x, Node) and x in inner for x in node.inputs]
        fixed = [i for i, inside in enumerate(flows) if not inside][starts_from_zero(node) :]
        if len(fixed) > CONSTANTS:
            sources.append(_add(boxes, kind="constant", value=f"{len(fixed):,} constants"))
        for i, (x, value) in enumerate(zip(node.inputs, node._residuals(), strict=True)):
            if flows[i]:
                places[node, i] = len(edges) + len(sources)
                sources.append(at[x])
            elif i in fixed and len(fixed) <= CONSTANTS:
                name = f"{words[x]} = " if isinstance(x, Node) and x in words else ""
                sources.append(_add(boxes, kind="constant", value=name + _text(value, digits)))
        at[node] = _add(
            boxes,
            kind="leaf" if node.op is None else "operation",
            name=words[node],
            label=known.get(node, words[node]),
            sign=sign(node.op) if node.op else "",
            value=_text(read.get(node, node._data), digits),
            shape=f"{np.shape(node._data)} {node._data.dtype}" if np.ndim(node._data) else "",
        )
        edges += [{"source": source, "target": at[node]} for source in sources]
    forward, backward = steps(output)
    forward = [step for step in forward if step.node in inner]
    backward = [step for step in backward if step.node in inner and step.target in inner]
    told: list[dict[str, Any]] = [{"phase": "start", "line": None}]
    for (node,) in forward:
        told.append(
            {
                "phase": "forward",
                "box": at[node],
                "formula": expression(node, letters, digits),
                "numbers": _arithmetic(expression(node, {}, digits)),
                "line": lines.place(node),
            }
        )
    to_come: dict[Node, int] = {}
    for step in backward:
        to_come[step.target] = to_come.get(step.target, 0) + 1
    for step in backward:
        to_come[step.target] -= 1
        told.append(
            _told(step, letters, digits)
            | {
                "box": at[step.node],
                "target": at[step.target],
                "edge": None if step.place is None else places[step.node, step.place],
                "to_come": to_come[step.target],
                "line": lines.place(step.node),
            }
        )
    return {"boxes": boxes, "edges": edges, "steps": told, "lines": lines.shown}


def _told(step: Backward, letters: Mapping[Node, Formula], digits: int) -> dict[str, Any]:
    """A backward step in words and numbers."""
    node, place = step.node, step.place
    if place is None:
        return {"phase": "seed", "after": _text(step.after, digits), "size": 1.0}
    local, single = step.local, step.local is not None
    pairs = [(node, node._data), *zip(node.inputs, node._residuals(), strict=True)]
    numbers = {x: numeral(read, digits) for x, read in pairs if isinstance(x, Node)}
    names = {x: letters.get(x, number) for x, number in numbers.items()}
    rule = (
        local_formula(node, place, names, TextFormula)
        if single
        else pullback_formula(node, place, names, G, TextFormula)
    )
    product = np.broadcast_shapes(np.shape(local), np.shape(step.upstream)) if single else ()
    return {
        "phase": "backward",
        "rule": _short(rule),
        "rule_numbers": _arithmetic(_short(local_formula(node, place, numbers, TextFormula))) if single else "",
        "before": _text(step.before, digits),
        "local": _text(local, digits) if single else None,
        "upstream": _text(step.upstream, digits),
        "contribution": _text(step.contribution, digits),
        "after": _text(step.after, digits),
        "exact": _exact(step.after),
        "summed": single and np.size(step.after) < math.prod(product),
        "size": float(np.max(np.abs(np.nan_to_num(step.contribution)), initial=0.0)),
    }


def _short(formula: Formula | None) -> str:
    """The text of a formula that is not too long to explain anything."""
    return "" if formula is None or len(formula.text) > LONGEST else formula.text


def _arithmetic(text: str) -> str:
    """A formula of numbers in their own signs."""
    return minus(text).replace(" * ", " × ")


def _add(boxes: list[dict[str, Any]], **box: Any) -> int:
    boxes.append(box)
    return len(boxes) - 1


def _text(x: Any, digits: int) -> str:
    return minus(quantity(x, digits))


def _exact(x: Any) -> list[float | str] | None:
    """The numbers that the reader is asked for; None of an array of too many."""
    if np.size(x) > TINY:
        return None
    return [v if np.isfinite(v) else repr(v) for v in np.ravel(x).astype(float).tolist()]


class _Lines:
    """The lines of the user's code that made nodes, as far as they were noted and can be read, in the order of the files."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        lines = sorted({line for node in nodes if (line := line_of(node)) is not None})
        found = {line: text for line in lines if (text := linecache.getline(*line).rstrip())}
        self._places = {line: place for place, line in enumerate(found)}
        texts = dedent("\n".join(found.values())).split("\n")
        self.shown = [
            {"file": os.path.basename(file), "number": number, "text": text}
            for (file, number), text in zip(found, texts, strict=False)  # no lines make one text
        ]

    def place(self, node: Node) -> int | None:
        line = line_of(node)
        return None if line is None else self._places.get(line)
