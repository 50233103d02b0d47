"""Reverse mode: the one traversal that carries cotangents from an output to everything it was computed from.

Nodes wait in a heap, the youngest first. An input is always older than what was computed from it, so when a node's
turn comes, all of its cotangent has arrived: no recursion, no sorting pass, and a chain of millions is as good as a
tree.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from heapq import heappop, heappush, heappushpop
from typing import Any

import numpy as np

from autograd import constants, graph
from autograd.elementwise import where
from autograd.graph import OLDEST, Node, Primitive, same

_ndarray = np.ndarray

# x, but zero where `share` is 0 * inf, a nan that the zero `g` was multiplied with. Left in recorded programs, where it
# is not known whether it matters.
unleaked: Primitive = Primitive(
    "unleaked",
    lambda g, share, x: 0.0 if g == 0.0 and share != share else x,
    lambda g, share, x: np.where(np.logical_and(np.equal(g, 0.0), np.isnan(share)), 0.0, x),
    None,
    None,
    lambda h, z, g, share, x: unleaked(g, share, h),
    elementwise=True,
)


def cotangents(output: Node, seed: Any, keep_graph: bool = False, since: int = OLDEST) -> dict[Node, Any]:
    """The derivative of `seed · output` with respect to every node it was computed from, as {node: cotangent}.

    Nothing is stored in the graph. With `keep_graph` the cotangents are nodes themselves, to be differentiated
    again. Nodes born before `since` are taken as leaves.

    A cotangent of exactly zero stays zero whatever it is multiplied with, also with inf or nan. Floats get that for
    nothing; with arrays the traversal is repeated, with care, where a nan comes out, so that only those pay who need it.
    """
    if type(seed) is float and not keep_graph:
        found = _float_cotangents(output, seed, since)
    else:
        tracer = graph.tracer()
        with tracer.differentiating() if tracer else nullcontext():
            # traced, a nan is not known yet, and where it would leak is marked
            found, leaves = _general_cotangents(output, seed, keep_graph, since, careful=tracer is not None)
        if constants.watched:
            constants.check(found, since)
        if tracer is None and any(_has_nan(found[leaf]) for leaf in leaves):
            found, _ = _general_cotangents(output, seed, keep_graph, since, careful=True)
    if (watcher := graph.watcher()) and not graph.tracer():
        watcher.differentiated(found)
    return found


def _float_cotangents(output: Node, seed: float, since: int) -> dict[Node, Any]:
    """The traversal where all is floats: a float node was computed from float nodes alone.

    This is the hot spot of every scalar program, so its two halves, for the first and the second input, are written
    out; and what is next in the heap is taken while the first input is put there.
    """
    found: dict[Node, Any] = {output: seed}
    frontier: list[tuple[int, Node]] = []
    birth, node, g = output.birth, output, seed
    while True:
        op = node.op
        if op is not None and birth <= since:  # a leaf never waits, but may be the output
            rule = op.dx
            if op.many is not None:
                kind = type(node)
                if g:
                    for parent, share in zip(node.left, guarded(op.many, g, node.raw, node.a), strict=True):
                        if type(parent) is kind or isinstance(parent, Node):
                            if parent in found:
                                found[parent] += share
                            else:
                                found[parent] = share
                                if parent.op is not None:
                                    heappush(frontier, (parent.birth, parent))
                else:
                    for parent in node.left:
                        if (type(parent) is kind or isinstance(parent, Node)) and parent not in found:
                            found[parent] = 0.0
                            if parent.op is not None:
                                heappush(frontier, (parent.birth, parent))
            elif rule is None:
                for parent, share in _shares(node, op, g, keep_graph=False, careful=False):
                    share = float(share)
                    if parent in found:
                        found[parent] += share
                    else:
                        found[parent] = share
                        if parent.op is not None:
                            heappush(frontier, (parent.birth, parent))
            else:
                right = node.right
                if right is not None:
                    other = op.dy
                    if other is same or not g:
                        share = g
                    else:
                        try:
                            share = other(g, node.raw, node.a, node.b)
                        except ArithmeticError:
                            share = float(_ieee(other, g, node.raw, node.a, node.b))
                    if right in found:
                        found[right] += share
                    else:
                        found[right] = share
                        if right.op is not None:
                            heappush(frontier, (right.birth, right))
                left = node.left
                if left is not None:
                    if rule is same or not g:
                        share = g
                    else:
                        try:
                            share = rule(g, node.raw, node.a, node.b) if op.dy else rule(g, node.raw, node.a)
                        except ArithmeticError:
                            share = float(_ieee(rule, g, node.raw, *node.read()))
                    if left in found:
                        found[left] += share
                    else:
                        found[left] = share
                        if left.op is not None:
                            birth, node = heappushpop(frontier, (left.birth, left))
                            g = share if node is left else found[node]
                            continue
        if not frontier:
            return found
        birth, node = heappop(frontier)
        g = found[node]


def _general_cotangents(
    output: Node, seed: Any, keep_graph: bool, since: int, careful: bool
) -> tuple[dict[Node, Any], list[Node]]:
    """The traversal for arrays, and for cotangents that are nodes; with the leaves that it came to."""
    found: dict[Node, Any] = {output: seed}
    frontier = [(output.birth, output)]
    leaves = []
    while frontier:
        birth, node = heappop(frontier)
        op = node.op
        if op is None or birth > since:
            leaves.append(node)
            continue
        g = found[node]
        rule = op.dx
        if rule is None or keep_graph or careful or type(g) is float:
            pairs = _shares(node, op, g, keep_graph, careful)
        else:  # one or two inputs and plain arrays, the common case
            left, right, z, a = node.left, node.right, node.raw, node.a
            pairs = []
            try:
                if left is not None:
                    share = g if rule is same else rule(g, z, a, node.b) if op.dy else rule(g, z, a)
                    pairs.append((left, share))
                if right is not None:
                    rule = op.dy
                    pairs.append((right, g if rule is same else rule(g, z, a, node.b)))
            except ArithmeticError:
                pairs = _shares(node, op, g, keep_graph, careful)
        for parent, share in pairs:
            if parent.op is None and parent.overwritten < birth:
                parent.check_unchanged(node, None, keep_graph)
            raw = parent.raw
            if (
                type(share) is not _ndarray
                or type(raw) is not _ndarray
                or share.shape != raw.shape
                or share.dtype is not raw.dtype
            ):
                share = parent.fit(share)
            if parent in found:
                found[parent] = found[parent] + share  # never in place: `share` may be another node's too
            else:
                found[parent] = share
                if parent.op is not None:
                    heappush(frontier, (parent.birth, parent))
                    continue
                leaves.append(parent)
    return found, leaves


def deposit(found: dict[Node, Any]) -> None:
    """Put cotangents where users look for them: added to `.grad` of leaves, and set in all other nodes."""
    for node, g in found.items():
        if node.op is None:
            node.accumulate(g)
        else:
            node.grad = g


def _shares(node: Node, op: Primitive, g: Any, keep_graph: bool, careful: bool) -> list[tuple[Node, Any]]:
    """The inputs of `node`, each with its share of the cotangent `g`: for any operation and kind of node."""
    if op.flat:
        parents: tuple[Any, ...] = (node.left, node.right)
        inputs: tuple[Any, ...] = (node.a,) if len(op.rules) == 1 else (node.a, node.b)
    else:
        parents, inputs = node.left, node.a
    for parent, read in zip(parents, inputs, strict=False):
        if isinstance(parent, Node) and parent.op is None and (keep_graph or parent.overwritten < node.birth):
            parent.check_unchanged(node, read, keep_graph)
    z: Any = node.raw
    if keep_graph:
        z, inputs = node, node.inputs
        if tracer := graph.tracer():
            tracer.visit(node)
    elif type(g) is float and g == 0.0:
        return [(parent, 0.0) for parent in parents if isinstance(parent, Node)]
    if op.many is not None:
        shares = guarded(op.many, g, z, inputs)
        if careful:
            shares = [_unleaked(op, g, share) for share in shares]
        return [(parent, share) for parent, share in zip(parents, shares, strict=True) if isinstance(parent, Node)]
    pairs = []
    for parent, rule in zip(parents, op.rules, strict=False):
        if rule is same and isinstance(parent, Node):
            pairs.append((parent, g))
        elif rule is not None and isinstance(parent, Node):
            share = guarded(rule, g, z, inputs)
            pairs.append((parent, _unleaked(op, g, share) if careful else share))
    return pairs[::-1]  # the second input first, as with floats, so that sums are the same to the last bit


def guarded(rule: Callable[..., Any], g: Any, z: Any, inputs: tuple[Any, ...]) -> Any:
    """`rule(g, z, *inputs)`, by IEEE's arithmetic."""
    try:
        return rule(g, z, *inputs)
    except ArithmeticError:
        return _ieee(rule, g, z, *inputs)


def _ieee(rule: Callable[..., Any], *floats: Any) -> Any:
    """`rule` where Python's floats raise: NumPy's give IEEE's answer."""
    with np.errstate(all="ignore"):
        return rule(*(np.float64(x) if isinstance(x, (float, int)) else x for x in floats))


def _plain(x: Any) -> Any:
    return x.raw if isinstance(x, Node) else x


def _has_nan(g: Any) -> bool:
    g = _plain(g)
    square = np.vdot(g, g)  # of squares, so that infinities of both signs cannot make a nan between them
    return bool(square != square)


def _unleaked(op: Primitive, g: Any, share: Any) -> Any:
    """`share`, but zero where it is `0 * inf` or `0 * nan`: what is not selected does not leak."""
    if graph.tracer() and not isinstance(_plain(g), np.ndarray):
        return unleaked(g, share, share)
    zero = np.equal(_plain(g), 0.0)
    if not op.elementwise:
        return where(False, share, 0.0) if zero.all() else share
    leaked = np.logical_and(zero, np.isnan(_plain(share)))
    return where(np.logical_not(leaked), share, 0.0) if leaked.any() else share
