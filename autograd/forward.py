"""Forward mode: tangents carried through a recorded graph, from the inputs on, by the same rules as cotangents."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np

from autograd import constants, graph
from autograd.backprop import cotangents, guarded
from autograd.graph import OLDEST, Node, birth, recording
from autograd.tensor import Tensor


def push(moving: dict[Node, Any], nodes: list[Node], keep_graph: bool) -> None:
    """Add to `moving`, the tangents of some nodes, those of the `nodes` (the oldest first) that depend on them.

    With `keep_graph` they are nodes themselves, to be differentiated again.
    """
    tracer = graph.tracer()
    differentiating = tracer.differentiating() if tracer else nullcontext()
    with np.errstate(all="ignore"), recording(True), differentiating:
        for node in nodes:
            if node not in moving and any(parent in moving for parent in node.parents):
                moving[node] = _tangent(node, moving, keep_graph)
    if constants.watched:
        constants.check(moving, OLDEST)


def _tangent(node: Node, moving: dict[Node, Any], keep_graph: bool) -> Any:
    """The tangent of `node`, given those of its inputs."""
    op = node.op
    assert op is not None
    given, read = node.inputs, node.read()
    for arg, value in zip(given, read, strict=True):
        if isinstance(arg, Node) and arg.op is None and (keep_graph or arg.overwritten < node.birth):
            arg.check_unchanged(node, value, keep_graph)
    z, inputs = (node, given) if keep_graph else (node.raw, read)
    if tracer := graph.tracer():
        tracer.visit(node)
    pairs = [(i, moving[arg]) for i, arg in enumerate(given) if isinstance(arg, Node) and arg in moving]
    total: Any = 0.0
    if op.many is not None:
        partials = op.many(1.0, z, *inputs)
        for i, tangent in pairs:
            total = total + tangent * partials[i]
        return node.fit(total)
    for i, tangent in pairs:
        rule = op.rules[i]
        if rule is not None:
            pushed = (
                guarded(rule, tangent, z, inputs) if op.elementwise else _transposed(rule, tangent, node, z, inputs)
            )
            total = total + pushed
    return node.fit(total)


def _transposed(rule: Any, tangent: Any, node: Node, z: Any, inputs: tuple[Any, ...]) -> Any:
    """The forward-mode derivative that belongs to a reverse-mode rule: the rule is linear in the cotangent, so its own
    derivative with respect to that, pulled back, is its transpose."""
    since = birth()
    cotangent = Tensor(np.zeros_like(node.raw))
    share = rule(cotangent, z, *inputs)
    if not isinstance(share, Node):
        return 0.0
    return cotangents(share, share.fit(tangent), any(isinstance(x, Node) for x in (z, tangent)), since).get(
        cotangent, 0.0
    )
