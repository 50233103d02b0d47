"""Forward mode: tangents, carried through a recorded graph from its inputs, by the same rules as cotangents."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np

from autograd import constants, modes
from autograd.chain_rule import tangent_product, with_ieee
from autograd.graph import Node, Slope, next_sequence_number
from autograd.modes import recording
from autograd.reverse_mode import cotangents, has_nan
from autograd.tensor import Tensor


def pushforward(tangents: dict[Node, Any], nodes: list[Node], outputs: list[Node], keep_graph: bool) -> None:
    """Add to `tangents` the tangents of those `nodes` (in the order they were made) that depend on nodes already in it.

    With `keep_graph` they are nodes themselves, to be differentiated again. A slope of exactly zero gives a tangent of
    zero: if a nan comes out at the `outputs`, all is computed again with strong products.
    """
    trace = modes.current_trace()
    differentiating = trace.differentiating() if trace else nullcontext()
    given = dict(tangents)
    with np.errstate(all="ignore"), recording(True), differentiating:
        _push(tangents, nodes, keep_graph, strong=trace is not None)
        if trace is None and any(has_nan(tangents[output]) for output in outputs if output in tangents):
            for node in tangents.keys() - given.keys():
                del tangents[node]
            _push(tangents, nodes, keep_graph, strong=True)
    if constants.watched:
        constants.check(tangents, 0)


def _push(tangents: dict[Node, Any], nodes: list[Node], keep_graph: bool, strong: bool) -> None:
    for node in nodes:
        if node not in tangents and any(parent in tangents for parent in node.parents):
            tangents[node] = _tangent(node, tangents, keep_graph, strong)


def _tangent(node: Node, tangents: dict[Node, Any], keep_graph: bool, strong: bool) -> Any:
    """The tangent of `node`, given those of its inputs."""
    op = node.op
    assert op is not None
    given, read = node.inputs, node._residuals()
    for arg, value in zip(given, read, strict=True):
        if isinstance(arg, Node) and arg.op is None and (keep_graph or arg._overwritten > node._sequence):
            arg._check_unchanged(node, value, keep_graph)
    z, inputs = (node, given) if keep_graph else (node._data, read)
    if trace := modes.current_trace():
        trace.visit(node)
    rules = op.rules if op.variadic is None else with_ieee(op.variadic, z, *inputs)
    total: Any = 0.0
    for arg, rule in zip(given, rules, strict=True):
        if not isinstance(arg, Node) or arg not in tangents or rule is None:
            continue
        tangent = tangents[arg]
        if op.variadic is not None:
            total = total + tangent_product(tangent, rule, "factor", strong)
        elif isinstance(rule, Slope):
            slope = rule.constant or with_ieee(rule.function, z, *inputs)
            total = total + tangent_product(tangent, slope, rule.kind, strong)
        elif op.elementwise:
            total = total + with_ieee(rule, tangent, z, *inputs)
        else:
            total = total + _transposed(rule, tangent, node, z, inputs)
    return node._unbroadcast(total)


def _transposed(rule: Any, tangent: Any, node: Node, z: Any, inputs: tuple[Any, ...]) -> Any:
    """The forward-mode derivative that belongs to a pullback. The pullback is linear in the cotangent, so that its own
    pullback with respect to the cotangent is its transpose."""
    since = next_sequence_number()
    cotangent = Tensor(np.zeros_like(node._data))
    pulled = rule(cotangent, z, *inputs)
    if not isinstance(pulled, Node):
        return 0.0
    return cotangents(pulled, pulled._unbroadcast(tangent), any(isinstance(x, Node) for x in (z, tangent)), since).get(
        cotangent, 0.0
    )
