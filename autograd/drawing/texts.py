"""What boxes and edges say of nodes: numbers, shapes, histograms, formulas and lines of the user's code."""

from __future__ import annotations

import linecache
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd.arguments import assignments
from autograd.drawing.diagram import Row
from autograd.drawing.summaries import TINY, extent, gradient, histogram, one_line, quantity
from autograd.formulas import Formula, parameters, slopes
from autograd.frames import Line, line_of
from autograd.graph import Node, Primitive

MOST_ELEMENTS = 5_000_000  # of arrays whose elements are taken together


class Texts:
    """Texts with numbers of so many `digits`."""

    def __init__(self, digits: int) -> None:
        self.digits = digits

    def of_nodes(self, nodes: Sequence[Node], values: bool, grads: bool) -> list[Row]:
        """The rows of a box that stands for these nodes, of one shape."""
        node, digits = nodes[0], self.digits
        many = len(nodes) > 1
        data: Any = together([n._data for n in nodes]) if many else node._data
        rows = []
        if data is None:
            rows.append(Row(f"{np.shape(node._data)} {node._data.dtype}", "shape"))
        elif np.size(data) <= TINY:
            if values:
                rows.append(Row(quantity(data, digits), "value"))
            if np.ndim(node._data):
                rows.append(Row(f"{np.shape(node._data)} {node._data.dtype}", "shape"))
        else:
            if np.ndim(node._data):
                rows.append(Row(f"{np.shape(node._data)} {node._data.dtype}", "shape"))
            if values:
                rows.append(Row(extent(data, digits), "extent"))
                if bars := histogram(data):
                    rows.append(Row(bars, "histogram"))
        found = [gradient(n) for n in nodes] if grads else []
        if found and all(g is not None for g in found):
            rows.append(self._of_gradients(found))
        return rows

    def _of_gradients(self, found: Sequence[Any]) -> Row:
        g = together(found) if len(found) > 1 else found[0]
        if g is None:
            return Row("grad known", "grad")
        text = quantity(g, self.digits) if np.size(g) <= TINY else extent(g, self.digits)
        return Row(f"grad {text}", "grad")

    def of_group(
        self, leaves: Sequence[Node], results: Sequence[Node], names: Mapping[Node, str], values: bool, grads: bool
    ) -> list[Row]:
        """The rows of a closed group with these parameters and results."""
        rows = []
        shapes = {np.shape(n._data) for n in results}
        if len(shapes) == 1 and np.ndim(results[0]._data):
            rows.append(Row(f"{np.shape(results[0]._data)} {results[0]._data.dtype}", "shape"))
        data = together([n._data for n in results]) if values and results else None
        if data is not None:
            if np.size(data) == 1:
                rows.insert(0, Row(quantity(data.item(), self.digits), "value"))
            else:
                rows.append(Row(extent(data, self.digits), "extent"))
            if bars := histogram(data):
                rows.append(Row(bars, "histogram"))
        if leaves:
            arrays = [
                f"{names.get(n, '').rpartition('.')[2]} {np.shape(n._data)}".strip() for n in leaves if np.ndim(n._data)
            ]
            some = ", ".join(arrays) if arrays and len(arrays) <= 3 else ""
            rows.append(Row(some or f"{len(leaves):,} parameter{'s' * (len(leaves) > 1)}", "note"))
        found = [g for n in leaves or results if (g := gradient(n)) is not None] if grads else []
        if found and (g := together(found)) is not None:
            text = quantity(g.item(), self.digits) if np.size(g) == 1 else extent(g, self.digits)
            rows.append(Row(f"grad {text}", "grad"))
        return rows

    def of_slope(self, node: Node, x: Node, local: Any) -> str:
        """What is written on the edge from `x` to `node`."""
        if local is not None and np.size(local) <= TINY:
            return quantity(local, self.digits)
        if node.op is not None and node.op.elementwise and np.shape(x._data) != np.shape(node._data):
            return f"Σ {np.shape(node._data)} → {np.shape(x._data)}"  # was broadcast, so its cotangent is summed
        return ""

    def of_constants(self, values: Sequence[Any]) -> str:
        """One constant, or those of many nodes at the same place."""
        if len(values) == 1:
            return quantity(values[0], self.digits)
        data = together(values)
        return f"{len(values):,} constants" if data is None else extent(data, self.digits).removeprefix("all ")


def together(values: Sequence[Any]) -> np.ndarray[Any, Any] | None:
    """All numbers in `values`, in one array; None if they are too many, or no numbers."""
    if not all(isinstance(x, (float, int, np.ndarray, np.generic)) for x in values):
        return None
    arrays = [np.ravel(x) for x in values] if any(np.ndim(x) for x in values) else [np.array(values)]
    if sum(array.size for array in arrays) > MOST_ELEMENTS or any(array.dtype.kind not in "fiub" for array in arrays):
        return None
    joined = np.concatenate(arrays)
    return joined if joined.size else None


def total(flows: Sequence[Any], inputs: Sequence[Node]) -> tuple[float, bool]:
    """The sum of contributions to these inputs, and whether it is one of arrays' Euclidean norms."""
    if all(type(flow) is float for flow in flows):
        return math.fsum(flows) if all(map(math.isfinite, flows)) else sum(flows), False
    arrays = [np.asarray(x._unbroadcast(np.asarray(flow))) for flow, x in zip(flows, inputs, strict=True)]
    is_norm = any(array.size > 1 for array in arrays)
    with np.errstate(all="ignore"):
        return float(np.sum([np.linalg.norm(array) if is_norm else array.sum() for array in arrays])), is_norm


def is_zero(x: Any) -> bool:
    """Whether `x` is the number 0."""
    return isinstance(x, (float, int)) and x == 0


def is_parameter(node: Node) -> bool:
    """Whether `node` was marked as a parameter, as those of modules are."""
    asked = getattr(node, "_is_parameter", None)
    return asked is not None and bool(asked())


def is_ordered(node: Node) -> bool:
    """Whether each input has a port of its own at the box, the first at the top: `x - y` is not `y - x`.

    >>> from autograd.value import Value
    >>> is_ordered(Value(3.0) - 1.0), is_ordered(Value(3.0) + 1.0)
    (True, False)
    """
    op = node.op
    return op is not None and op.variadic is None and len(node.inputs) > 1 and not op.commutes


def sign(op: Primitive) -> str:
    """The sign of an operation, or its name, with its settings."""
    text, settings = op.sign or op.infix or op.name, ", ".join(assignments(op.settings))
    return one_line(f"{text}({settings})" if settings else text)


def formula(op: Primitive, inputs: int) -> str | None:
    """An operation in letters and, if it goes element by element, its slopes.

    >>> from autograd.elementwise import tanh
    >>> formula(tanh, 1)
    'z = tanh(x); dz/dx = 1 - z * z'
    """
    if op.variadic is not None or inputs != len(op.rules):
        return None
    try:
        if not op.elementwise:
            return f"z = {op}"
        names = parameters(op)
        text = f"z = {Formula.applied(op, [Formula(name) for name in names])}"
        return "; ".join([text, *(f"dz/d{name} = {slope}" for name, slope in zip(names, slopes(op), strict=True))])
    except Exception:  # a user's rule may not work on letters
        return None


def user_line(node: Node) -> str | None:
    """The line of the user's code where `node` was recorded, with its text, and its file's name without the folder."""
    line = line_of(node)
    return None if line is None else line_text(line)


def line_text(line: Line) -> str:
    """A line of code after its file's name, without the folder, and its number."""
    text = linecache.getline(*line).strip()
    return f"{os.path.basename(line[0])}:{line[1]}{f': {text}' if text else ''}"
