"""Pullbacks as formulas: the rule of an operation, run once on Tensors, leaves a graph, and that is printed.

So `x @ w` says `w̄ = xᵀ ḡ` without a second list of derivatives: what is shown is what the engine computes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd.arguments import spelled
from autograd.chain_rule import product, pull, with_ieee
from autograd.formulas import Formula, slope_formula
from autograd.graph import Node, Slope, ancestors
from autograd.modes import recording
from autograd.tensor import Tensor

LONGEST = 12  # operations in a formula; rules of more are named by their operation
WIDEST = 1000  # operands of one operation, of which slopes are written out


def local_formula(node: Node, place: int, names: Mapping[Node, Any], kind: type[Formula]) -> Formula | None:
    """The local derivative of a number by its input at `place`, in terms of `names`, which are formulas of that `kind`.

    None where there is no formula, or a long one.

    >>> from autograd.formulas import TextFormula
    >>> from autograd.value import Value
    >>> x = Value(2.0)
    >>> y = x.tanh()
    >>> print(local_formula(y, 0, {x: TextFormula("x"), y: TextFormula("y")}, TextFormula))
    1 - y²
    """
    op = node.op
    assert op is not None
    reads = [names[x] if isinstance(x, Node) else x for x in node.inputs]
    try:
        if op.variadic is not None:
            return kind.of(op.variadic(names[node], *reads)[place]) if len(reads) <= WIDEST else None
        rule = op.rules[place]
        return slope_formula(rule, [names[node], *reads], kind) if rule is None or isinstance(rule, Slope) else None
    except Exception:  # a rule of the user's may do with formulas what it likes
        return None


def pullback_formula(node: Node, place: int, names: Mapping[Node, Any], g: Any, kind: type[Formula]) -> Formula | None:
    """What the input of `node` at `place` gets of the cotangent `g`, in terms of `names`: formulas of that `kind`.

    None where there is no formula, or one of more than `LONGEST` operations.

    >>> from autograd.formulas import TextFormula
    >>> x, w = Tensor([[1.0, 2.0]]), Tensor([[3.0], [4.0]])
    >>> y = x @ w
    >>> names = {x: TextFormula("x"), w: TextFormula("w"), y: TextFormula("y")}
    >>> print(pullback_formula(y, 1, names, TextFormula("g"), TextFormula))
    xᵀ g
    """
    op, x = node.op, node.inputs[place]
    assert op is not None
    rule, reads = None if op.variadic else op.rules[place], node._residuals()
    cotangent, z = Tensor(np.ones_like(node._data)), Tensor(node._data)
    leaves: dict[Node, Any] = {cotangent: g, z: names[node]}
    inputs: list[Any] = []
    for argument, read in zip(node.inputs, reads, strict=True):
        is_array = isinstance(argument, Node) or (np.ndim(read) > 0 and read.dtype.kind == "f")
        inputs.append(Tensor(read) if is_array else read)
        if is_array:
            leaves[inputs[-1]] = names[argument] if isinstance(argument, Node) else _constant(read, kind)
    try:
        with recording(True), np.errstate(all="ignore"):
            if op.variadic is not None:
                made = product(cotangent, with_ieee(op.variadic, z, *inputs)[place], "factor", strong=False)
            elif isinstance(
                rule, Slope
            ):  # whose masks are arrays when they are recorded, and formulas when run on some
                made = cotangent * Tensor(np.ones_like(node._data))
                named = [
                    leaves[v] if isinstance(v, Node) else float(v) if np.ndim(v) == 0 else _constant(v, kind)
                    for v in inputs
                ]
                leaves[made] = kind.of(_times(g, rule, [names[node], *named]))
            else:
                made = pull(rule, cotangent, z, tuple(inputs))
            made = x._unbroadcast(made)
        return _printed(made, leaves, kind)
    except Exception:  # a rule of the user's may fail, and is none the less to be explained
        return None


def _times(g: Formula, rule: Slope, names: Sequence[Any]) -> Formula:
    """The cotangent `g` times a slope of `names`, as the engine multiplies."""
    if rule.constant == 1.0:
        return g
    multiplied: Formula = product(g, rule.function(*names), rule.kind, strong=False)
    return multiplied


def _printed(output: Any, leaves: Mapping[Node, Any], kind: type[Formula]) -> Formula | None:
    """The graph between `leaves`, which have formulas, and `output`, as a formula."""
    found: dict[Node, Formula] = {}
    count = 0
    for node in _between(output, leaves):
        if node in leaves:
            found[node] = leaves[node]
        elif node.op is None:
            found[node] = _constant(node._data, kind)
        else:
            count += 1
            if count > LONGEST:
                return None
            args = [
                found[x] if isinstance(x, Node) else _constant(read, kind)
                for x, read in zip(node.inputs, node._residuals(), strict=True)
            ]
            found[node] = kind.applied(node.op, args)
    return found[output]


def _between(output: Node, leaves: Mapping[Node, Any]) -> list[Node]:
    """`output` and what it was computed from, as far as the leaves, in order of creation."""
    since = min(leaf._sequence for leaf in leaves) - 1
    nodes, needed = ancestors(output, since=since), {output}
    for node in reversed(nodes):
        if node in needed and node not in leaves:
            needed.update(node.parents)
    return [node for node in nodes if node in needed]


def _constant(x: Any, kind: type[Formula]) -> Formula:
    """A constant in a formula: a number, or the kind and shape of an array."""
    if np.ndim(x) == 0 and isinstance(x, (float, int, np.generic, np.ndarray)):
        return kind.of(float(x))
    array = np.asarray(x)
    return kind("mask" if array.dtype.kind == "b" else spelled(array))
