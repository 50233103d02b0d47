"""Reverse mode: cotangents, carried from an output to everything that it was computed from.

Nodes wait in a heap, the one that was made last first. An input was made before what was computed from it, so when a
node's turn comes, all of its cotangent has arrived: no recursion, no sorting pass, and a chain of millions is as good as
a tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from heapq import heappop, heappush, heappushpop
from itertools import repeat
from math import isfinite
from typing import Any

import numpy as np

from autograd import constants, modes
from autograd.elementwise import not_equal, quotient, times
from autograd.graph import ONE, Node, Primitive, Slope, value_of

_ndarray = np.ndarray
LARGE = 1 << 15  # bytes from which memory is worth to be used again


def cotangents(output: Node, seed: Any, keep_graph: bool = False, since: int = 0) -> dict[Node, Any]:
    """The derivative of `seed · output` with respect to every node it was computed from, as {node: cotangent}.

    Nothing is stored in the graph. With `keep_graph` the cotangents are nodes themselves, to be differentiated
    again. Nodes up to the sequence number `since` are taken as leaves.

    A cotangent of exactly zero stays zero whatever it is multiplied with. Floats get that for nothing. With arrays the
    traversal is repeated with strong products where a nan comes out, so that only those pay who need it.
    """
    if type(seed) is float and not keep_graph:
        found = _float_cotangents(output, seed, since)
    else:
        trace = modes.current_trace()
        with trace.differentiating() if trace else nullcontext():
            # traced, a nan is not known yet, and all products are strong
            found, leaves = _general_cotangents(output, seed, since, keep_graph, strong=trace is not None)
        if constants.watched:
            constants.check(found, since)
        if trace is None and any(has_nan(found[leaf]) for leaf in leaves):
            found, _ = _general_cotangents(output, seed, since, keep_graph, strong=True)
    if (observer := modes.observer()) and not modes.current_trace():
        observer.differentiated(found)
    return found


def _general_cotangents(
    output: Node, seed: Any, since: int, keep_graph: bool, strong: bool
) -> tuple[dict[Node, Any], list[Node]]:
    """The traversal for any kind of node and cotangent; with the leaves that it came to."""
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
            pairs = _array_contributions(node, op, g)
        else:
            pairs = contributions(node, g, keep_graph, strong)
        for parent, share in pairs:
            if parent.op is None and parent._overwritten > node._sequence:
                parent._check_unchanged(node, None, keep_graph)
            if (
                type(share) is not _ndarray
                or type(data := parent._data) is not _ndarray
                or share.shape != data.shape
                or share.dtype is not data.dtype
            ):
                share = parent._unbroadcast(share)
            if parent in found:
                found[parent] = found[parent] + share  # never in place: `share` may be another node's too
            else:
                found[parent] = share
                if parent.op is None:
                    leaves.append(parent)
                else:
                    heappush(frontier, (-parent._sequence, parent))
    return found, leaves


def _array_contributions(node: Node, op: Primitive, g: Any) -> list[tuple[Node, Any]]:
    """What `contributions` gives, by the shortest way: of an operation on one or two arrays."""
    left, right, z, x, y = node._left, node._right, node._data, node._x, node._y
    pairs: list[tuple[Node, Any]] = []
    dx, dy = op.dx, op.dy
    if dx is not None:
        if left is not None:
            share = g if dx is ONE else _product(g, dx(z, x, y) if dy else dx(z, x), op.dx_kind, z, x, y)
            pairs.append((left, share))
        if right is not None:
            pairs.append((right, g if dy is ONE else _product(g, dy(z, x, y), op.dy_kind, z, x, y)))
    elif op.pull_x is not None:
        if left is not None:
            pairs.append((left, op.pull_x(g, z, x, y) if op.pull_y else op.pull_x(g, z, x)))
        if right is not None:
            pairs.append((right, op.pull_y(g, z, x, y)))
    else:
        return contributions(node, g)
    return pairs


def _product(g: Any, slope: Any, kind: str | None, z: Any, x: Any, y: Any) -> Any:
    """The cotangent `g` of an array times a slope's value; of a large one in the slope's own memory where that is new."""
    if type(slope) is _ndarray and slope.nbytes > LARGE and slope.shape == g.shape:
        if slope.dtype.char == "?":
            slope = slope.astype(g.dtype)
        if slope.dtype is g.dtype and slope is not z and slope is not x and slope is not y:
            return (np.true_divide if kind == "divisor" else np.multiply)(g, slope, slope)
    if kind is None or kind == "mask":
        return g * slope
    return g / slope if kind == "divisor" else product(g, slope, kind, strong=False)


def contributions(node: Node, g: Any, keep_graph: bool = False, strong: bool = False) -> list[tuple[Node, Any]]:
    """The inputs of `node` that are nodes, each with what it gets of the cotangent `g`: for any operation."""
    op = node.op
    assert op is not None
    parents: Any = (node._left, node._right) if op.at_most_binary else node._left
    z: Any = node
    inputs = node._residuals()
    for parent, read in zip(parents, inputs, strict=False):
        if isinstance(parent, Node) and parent.op is None and (keep_graph or parent._overwritten > node._sequence):
            parent._check_unchanged(node, read, keep_graph)
    if not keep_graph:
        z = node._data
        if type(g) is float and g == 0.0:
            return [(parent, 0.0) for parent in parents if isinstance(parent, Node)]
    else:
        inputs = node.inputs
        if trace := modes.current_trace():
            trace.visit(node)
    rules = op.rules if op.variadic is None else with_ieee(op.variadic, z, *inputs)
    pairs = []
    for parent, rule in zip(parents, rules, strict=False):
        if isinstance(parent, Node) and rule is not None:
            share = product(g, rule, "factor", strong) if op.variadic else pull(rule, g, z, inputs, strong)
            if strong and not isinstance(rule, Slope) and not op.variadic:
                share = times(
                    not_equal(g, 0.0) if op.elementwise or not getattr(g, "ndim", 0) else float(np.any(value_of(g))),
                    share,
                )
            pairs.append((parent, share))
    return pairs[::-1]  # the second input first, as with floats, so that sums are the same to the last bit


def pull(rule: Any, g: Any, z: Any, inputs: tuple[Any, ...], strong: bool = False) -> Any:
    """What a rule, a slope or a pullback, makes of the cotangent `g` of the output `z`."""
    if isinstance(rule, Slope):
        if rule.constant == 1.0:
            return g
        return product(g, with_ieee(rule.function, z, *inputs), rule.kind, strong)
    return with_ieee(rule, g, z, *inputs)


def product(outer: Any, slope: Any, kind: str, strong: bool) -> Any:
    """A cotangent times a slope's value, numbers, arrays or nodes; with a strong zero, if asked for."""
    if kind == "factor":
        if type(slope) is float and isfinite(slope):
            return outer if slope == 1.0 else -outer if slope == -1.0 else outer * slope
        return times(outer, slope) if strong else outer * slope
    if kind == "mask":
        return times(slope, outer) if strong or type(outer) is float else outer * slope
    factors, divisor = (
        (slope, None) if kind == "factors" else (slope[:-1], slope[-1]) if kind == "fraction" else ((), slope)
    )
    for factor in factors:
        outer = product(outer, factor, "factor", strong)
    if divisor is None:
        return outer
    if strong or (type(outer) is float and not outer):
        return quotient(outer, divisor)
    return with_ieee(_divided, outer, divisor)


def _divided(x: Any, y: Any) -> Any:
    return x / y


def _float_cotangents(output: Node, seed: float, since: int) -> dict[Node, Any]:
    """The traversal where all is floats: a float node was computed from float nodes alone.

    The hot spot of scalar programs: its halves, for either input, are written out, and the heap gives while it takes.
    """
    found: dict[Node, Any] = {output: seed}
    frontier: list[tuple[int, Node]] = []
    key, node, g, kind, limit = -output._sequence, output, seed, type(output), -since
    while True:
        op = node.op
        if op is not None and key < limit:  # a leaf never waits, but may be the output
            dx, left = op.dx, node._left
            if dx is None:
                inputs, slopes, factor = _float_slopes(node, op, g)
                for parent, slope in zip(inputs, slopes, strict=False):
                    if type(parent) is kind or isinstance(parent, Node):  # asked first what costs less
                        if parent in found:
                            found[parent] += factor * slope
                        else:
                            found[parent] = factor * slope
                            if parent.op is not None:
                                heappush(frontier, (-parent._sequence, parent))
                left = None
            elif (right := node._right) is not None:
                dy = op.dy
                if dy is ONE or not g:
                    share = g
                else:
                    try:
                        slope = dy(node._data, node._x, node._y)
                        share = g * slope if op.dy_kind is None else _float_product(g, slope, op.dy_kind)
                    except ArithmeticError:
                        share = float(pull(op.rules[1], g, node._data, node._residuals()))
                if right in found:
                    found[right] += share
                else:
                    found[right] = share
                    if right.op is not None:
                        heappush(frontier, (-right._sequence, right))
            if left is not None:
                if dx is ONE or not g:
                    share = g
                else:
                    try:
                        slope = dx(node._data, node._x, node._y) if op.dy else dx(node._data, node._x)
                        share = g * slope if op.dx_kind is None else _float_product(g, slope, op.dx_kind)
                    except ArithmeticError:
                        share = float(pull(op.rules[0], g, node._data, node._residuals()))
                if left in found:
                    found[left] += share
                else:
                    found[left] = share
                    if left.op is not None:
                        key, node = heappushpop(frontier, (-left._sequence, left))
                        g = share if node is left else found[node]
                        continue
        if not frontier:
            return found
        key, node = heappop(frontier)
        g = found[node]


def _float_product(g: float, slope: Any, kind: str) -> float:
    """A cotangent, other than zero, times a slope that is no factor."""
    if kind == "divisor":
        return g / slope  # type: ignore[no-any-return]  # slopes are Any
    if kind == "mask":
        share: float = g * slope
        return share if share == share or slope else 0.0
    return float(product(g, slope, kind, strong=False))


def _float_slopes(node: Node, op: Primitive, g: float) -> tuple[Iterable[Any], Iterable[float], float]:
    """The inputs of `node`, with their slopes, and what these are to be multiplied with: for any operation on floats."""
    if op.variadic is None:
        pairs = contributions(node, g)
        return [parent for parent, _ in pairs], [float(share) for _, share in pairs], 1.0
    return node._left, with_ieee(op.variadic, node._data, *node._x) if g else repeat(0.0), g


def accumulate_grads(found: dict[Node, Any]) -> None:
    """Put cotangents where users look for them: added to `.grad` of leaves, and set in all other nodes."""
    for node, g in found.items():
        if node.op is None:
            node._accumulate(g)
        else:
            node.grad = g


def with_ieee(f: Callable[..., Any], *args: Any) -> Any:
    """`f(*args)` by IEEE's arithmetic, where Python's raises: by that of NumPy."""
    try:
        return f(*args)
    except ArithmeticError:
        with np.errstate(all="ignore"):
            if any(isinstance(x, (Node, np.ndarray)) for x in args):
                return f(*(np.float64(x) if isinstance(x, (float, int)) else x for x in args))
            result = f(*(np.array([x]) for x in args))
            return tuple(np.ravel(x).item() for x in result) if type(result) is tuple else np.ravel(result).item()


def has_nan(g: Any) -> bool:
    g = value_of(g)
    square = np.vdot(g, g)  # of squares, so that infinities of both signs cannot make a nan between them
    return bool(square != square)
