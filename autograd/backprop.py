"""Reverse mode: the one traversal that carries cotangents from an output to everything it was computed from.

Nodes wait in a heap, the youngest first. An input is always older than what was computed from it, so when a node's
turn comes, all of its cotangent has arrived: no recursion, no sorting pass, and a chain of millions is as good as a
tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import repeat
from typing import Any

import numpy as np

from autograd import graph
from autograd.elementwise import where
from autograd.graph import Node, Primitive, same

OLDEST = 1  # births are 0 and below


def cotangents(
    output: Node, seed: Any, keep_graph: bool = False, since: int = OLDEST, careful: bool = False
) -> dict[Node, Any]:
    """The derivative of `seed · output` with respect to every node it was computed from, as {node: cotangent}.

    Nothing is stored in the graph. With `keep_graph` the cotangents are nodes themselves, to be differentiated
    again. Nodes born before `since` are taken as leaves. `careful` keeps a cotangent of exactly zero at zero,
    whatever it is multiplied with; the traversal is repeated with it where a `nan` comes out, so that only those
    pay who need it. (For floats this is always so: there it saves work.)
    """
    found: dict[Node, Any] = {output: seed}
    frontier = [(output.birth, output)]
    arrays = []
    while frontier:
        birth, node = heappop(frontier)
        g = found[node]
        op = node.op
        if op is None or birth > since:
            if type(g) is not float:
                arrays.append(g)
            continue
        rule = op.dx
        if type(g) is float and rule is not None and not keep_graph:
            # One or two inputs and a float: the hot path, so its two halves are written out.
            left, right, other_rule = node.left, node.right, op.dy
            try:
                if other_rule is None:
                    share = g if rule is same or g == 0.0 else rule(g, node.raw, node.a)
                else:
                    if left is not None:
                        share = g if rule is same or g == 0.0 else rule(g, node.raw, node.a, node.b)
                    if right is not None:
                        other = g if other_rule is same or g == 0.0 else other_rule(g, node.raw, node.a, node.b)
            except ArithmeticError:
                pass  # the general path below knows IEEE's answer
            else:
                if left is not None:
                    if type(share) is not float:
                        share = left.fit(share)
                    if left in found:
                        found[left] += share
                    else:
                        found[left] = share
                        heappush(frontier, (left.birth, left))
                if right is not None:
                    if type(other) is not float:
                        other = right.fit(other)
                    if right in found:
                        found[right] += other
                    else:
                        found[right] = other
                        heappush(frontier, (right.birth, right))
                continue
        if op.many is not None and type(g) is float and not keep_graph and g != 0.0:
            pairs = zip(node.left, guarded(op.many, g, node.raw, node.a), strict=True)
        else:
            pairs = _shares(node, op, g, keep_graph, careful)
        for parent, share in pairs:
            if parent is None:
                continue
            if type(share) is not float or parent.rank:
                share = parent.fit(share)
            if parent in found:
                found[parent] = found[parent] + share  # never in place: `share` may be another node's too
            else:
                found[parent] = share
                heappush(frontier, (parent.birth, parent))
    if arrays and not careful and any(map(_has_nan, arrays)):
        return cotangents(output, seed, keep_graph, since, careful=True)
    if watcher := graph.watcher():
        watcher.differentiated(found)
    return found


def deposit(found: dict[Node, Any]) -> None:
    """Put cotangents where users look for them: added to `.grad` of leaves, and set in all other nodes."""
    for node, g in found.items():
        if node.op is None:
            node.accumulate(g)
        else:
            node.grad = g


def _shares(
    node: Node, op: Primitive, g: Any, keep_graph: bool, careful: bool
) -> Iterator[tuple[Node | None, Any]]:
    """The inputs of `node`, each with its share of the cotangent `g`: for any operation and kind of node."""
    read = node.read()
    z, inputs = (node, node.inputs) if keep_graph else (node.raw, read)
    parents = (node.left, node.right) if op.flat else node.left
    for parent, value in zip(parents, read, strict=False):
        if parent is not None and parent.op is None:
            parent.check_unchanged(node, value, keep_graph)
    if type(g) is float and g == 0.0 and not keep_graph:
        yield from zip(parents, repeat(0.0))
    elif op.many is not None:
        yield from zip(parents, guarded(op.many, g, z, inputs), strict=True)
    else:
        for parent, rule in zip(parents, op.rules, strict=False):
            if parent is not None and rule is not None:
                share = guarded(rule, g, z, inputs)
                yield parent, _unleaked(op, g, share) if careful else share


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
    return bool(np.isnan(np.vdot(g, g)))  # squares: infinities of both signs cannot make a nan between them


def _unleaked(op: Primitive, g: Any, share: Any) -> Any:
    """`share`, but zero where it is `0 * inf` or `0 * nan`: what is not selected does not leak."""
    zero = np.equal(_plain(g), 0.0)
    if not op.elementwise:
        return where(False, share, 0.0) if zero.all() else share
    leaked = np.logical_and(zero, np.isnan(_plain(share)))
    return where(np.logical_not(leaked), share, 0.0) if leaked.any() else share
