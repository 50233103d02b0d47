"""Reverse mode: cotangents, carried from an output to everything that it was computed from.

Nodes wait in a heap, the one that was made last on top. An input was made before all that was computed from it, so when
a node is taken from the heap, its cotangent is complete: no recursion, no sorting pass, and a chain may be millions of
nodes long.
"""

from __future__ import annotations

from contextlib import nullcontext
from heapq import heappop, heappush, heappushpop
from typing import Any

import numpy as np

from autograd import constants, modes
from autograd.chain_rule import array_contributions, contributions, float_contributions, float_product, pull
from autograd.graph import ONE, Node, value_of

_ndarray = np.ndarray


def cotangents(output: Node, seed: Any, keep_graph: bool = False, since: int = 0) -> dict[Node, Any]:
    """The derivative of `seed · output` with respect to every node it was computed from, as {node: cotangent}.

    Nothing is stored in the graph. With `keep_graph` the cotangents are nodes themselves, to be differentiated
    again. Nodes up to the sequence number `since` are taken as leaves.

    A cotangent of exactly zero stays zero whatever it is multiplied with. With floats that costs nothing. With arrays the
    traversal is repeated with strong products only if a nan comes out, so that other traversals do not pay for it.
    """
    if type(seed) is float and not keep_graph:
        found = _float_cotangents(output, seed, since)
    else:
        trace = modes.current_trace()
        with trace.differentiating() if trace else nullcontext():
            # in a trace a nan cannot be known yet, so all products are strong
            found, leaves = _general_cotangents(output, seed, since, keep_graph, strong=trace is not None)
        if constants.watched:
            constants.check(found, since)
        if trace is None and any(has_nan(found[leaf]) for leaf in leaves):
            found, _ = _general_cotangents(output, seed, since, keep_graph, strong=True)
    if modes.in_use and (observer := modes.observer()) and not modes.current_trace():
        observer.differentiated(found)
    return found


def _general_cotangents(
    output: Node, seed: Any, since: int, keep_graph: bool, strong: bool
) -> tuple[dict[Node, Any], list[Node]]:
    """The traversal for any kind of node and cotangent; returns the leaves too."""
    found: dict[Node, Any] = {output: seed}
    frontier = [(-output._sequence, output)]
    leaves = []
    plain = not (keep_graph or strong)
    while frontier:
        _, node = heappop(frontier)
        op, g = node.op, found[node]
        if op is None or node._sequence <= since:
            leaves.append(node)
            continue
        if plain and type(g) is _ndarray:
            pairs = array_contributions(node, op, g)
        else:
            pairs = contributions(node, g, keep_graph, strong)
        for parent, contribution in pairs:
            if parent.op is None and parent._overwritten > node._sequence:
                parent._check_unchanged(node, None, keep_graph)
            if (
                type(contribution) is not _ndarray
                or type(data := parent._data) is not _ndarray
                or contribution.shape != data.shape
                or contribution.dtype is not data.dtype
            ):
                contribution = parent._unbroadcast(contribution)
            if parent in found:
                found[parent] = found[parent] + contribution  # never in place: `contribution` may be another node's too
            else:
                found[parent] = contribution
                if parent.op is None:
                    leaves.append(parent)
                else:
                    heappush(frontier, (-parent._sequence, parent))
    return found, leaves


def _float_cotangents(output: Node, seed: float, since: int) -> dict[Node, Any]:
    """The traversal of floats: a float node was computed from float nodes only.

    The hot spot of scalar programs: the code for each input is written out, and one heap operation pushes and pops.
    """
    found: dict[Node, Any] = {output: seed}
    frontier: list[tuple[int, Node]] = []
    key, node, g, kind, limit = -output._sequence, output, seed, type(output), -since
    while True:
        op = node.op
        if op is not None and key < limit:  # a leaf is never in the heap, but may be the output
            dx, left = op.dx, node._left
            if dx is None:
                inputs, products = float_contributions(node, op, g, found)
                for parent, contribution in zip(inputs, products, strict=False):
                    if type(parent) is kind or isinstance(parent, Node):  # the cheaper test first
                        if parent in found:
                            found[parent] += contribution
                        else:
                            found[parent] = contribution
                            if parent.op is not None:
                                heappush(frontier, (-parent._sequence, parent))
                left = None
            elif (right := node._right) is not None:
                dy = op.dy
                if dy is ONE or not g:
                    contribution = g
                else:
                    try:
                        slope = dy(node._data, node._x, node._y)
                        contribution = g * slope if op.dy_kind is None else float_product(g, slope, op.dy_kind)
                    except ArithmeticError:
                        contribution = float(pull(op.rules[1], g, node._data, node._residuals()))
                if right in found:
                    found[right] += contribution
                else:
                    found[right] = contribution
                    if right.op is not None:
                        heappush(frontier, (-right._sequence, right))
            if left is not None:
                if dx is ONE or not g:
                    contribution = g
                else:
                    try:
                        slope = dx(node._data, node._x, node._y) if op.dy else dx(node._data, node._x)
                        contribution = g * slope if op.dx_kind is None else float_product(g, slope, op.dx_kind)
                    except ArithmeticError:
                        contribution = float(pull(op.rules[0], g, node._data, node._residuals()))
                if left in found:
                    found[left] += contribution
                else:
                    found[left] = contribution
                    if left.op is not None:
                        key, node = heappushpop(frontier, (-left._sequence, left))
                        g = contribution if node is left else found[node]
                        continue
        if not frontier:
            return found
        key, node = heappop(frontier)
        g = found[node]


def accumulate_grads(found: dict[Node, Any]) -> None:
    """Store cotangents in `.grad`: added to that of leaves, and set in all other nodes."""
    for node, g in found.items():
        if node.op is None:
            node._accumulate(g)
        else:
            node.grad = g


def has_nan(g: Any) -> bool:
    g = value_of(g)
    square = np.vdot(g, g)  # a sum of squares, in which inf and -inf do not cancel to nan
    return bool(square != square)
