"""The chain rule at one operation: cotangents and tangents, times slopes.

All products are here: of floats, of arrays and of nodes; ordinary ones, and strong ones, in which an outer factor of zero
gives zero. The outer factor is the cotangent in reverse mode, the slope in forward mode, and a mask in both.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from itertools import repeat
from math import isfinite
from typing import Any

import numpy as np

from autograd import modes
from autograd.elementwise import not_equal, quotient, strong_mask, times
from autograd.graph import ONE, Node, Primitive, Slope, value_of

_ndarray = np.ndarray
LARGE = 1 << 15  # bytes from which reusing memory pays


def contributions(node: Node, g: Any, keep_graph: bool = False, strong: bool = False) -> list[tuple[Node, Any]]:
    """The inputs of `node` that are nodes, each with its contribution from the cotangent `g`: for any operation."""
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
            contribution = product(g, rule, "factor", strong) if op.variadic else pull(rule, g, z, inputs, strong)
            if strong and not isinstance(rule, Slope) and not op.variadic:
                contribution = times(
                    not_equal(g, 0.0) if op.elementwise or not getattr(g, "ndim", 0) else float(np.any(value_of(g))),
                    contribution,
                )
            pairs.append((parent, contribution))
    return pairs[::-1]  # the second input first, as with floats, so that sums are the same to the last bit


def pull(rule: Any, g: Any, z: Any, inputs: tuple[Any, ...], strong: bool = False) -> Any:
    """The contribution that a rule, a slope or a pullback, gives for the cotangent `g` of the output `z`."""
    if isinstance(rule, Slope):
        if rule.constant == 1.0:
            return g
        return product(g, with_ieee(rule.function, z, *inputs), rule.kind, strong or type(g) is float)
    return with_ieee(rule, g, z, *inputs)


def product(outer: Any, slope: Any, kind: str, strong: bool) -> Any:
    """A cotangent times a slope's value, be they numbers, arrays or nodes; with a strong zero if `strong`."""
    if kind == "factor":
        if type(slope) is float and isfinite(slope):
            return outer if slope == 1.0 else -outer if slope == -1.0 else outer * slope
        return times(outer, slope) if strong and not _is_nonzero(outer) else outer * slope
    if kind == "mask":
        return times(slope, outer) if strong else outer * slope
    factors, divisor = (
        (slope, None) if kind == "factors" else (slope[:-1], slope[-1]) if kind == "fraction" else ((), slope)
    )
    for factor in factors:
        outer = product(outer, factor, "factor", strong)
    if divisor is None:
        return outer
    if strong and not _is_nonzero(outer):
        return quotient(outer, divisor)
    return with_ieee(_divided, outer, divisor)


def tangent_product(tangent: Any, slope: Any, kind: str, strong: bool) -> Any:
    """A slope's value times a tangent; the slope is the outer factor, also where it is given as a divisor."""
    if not strong:
        return product(tangent, slope, kind, strong)
    if kind == "factor" or kind == "mask":
        return product(slope, tangent, "factor", strong)
    plain = product(tangent, slope, kind, strong=False)
    return times(strong_mask(product(1.0, slope, kind, strong=True), plain), plain)


def _is_nonzero(x: Any) -> bool:
    return type(x) is float and x != 0.0


def _divided(x: Any, y: Any) -> Any:
    return x / y


# ---- Fast paths, for arrays only and for floats only


def array_contributions(node: Node, op: Primitive, g: Any) -> list[tuple[Node, Any]]:
    """The fast path of `contributions`, for an operation on one or two arrays."""
    left, right, z, x, y = node._left, node._right, node._data, node._x, node._y
    pairs: list[tuple[Node, Any]] = []
    dx, dy = op.dx, op.dy
    if dx is not None:
        if left is not None:
            contribution = g if dx is ONE else _array_product(g, dx(z, x, y) if dy else dx(z, x), op.dx_kind, z, x, y)
            pairs.append((left, contribution))
        if right is not None:
            pairs.append((right, g if dy is ONE else _array_product(g, dy(z, x, y), op.dy_kind, z, x, y)))
    elif op.pull_x is not None:
        if left is not None:
            pairs.append((left, op.pull_x(g, z, x, y) if op.pull_y else op.pull_x(g, z, x)))
        if right is not None:
            pairs.append((right, op.pull_y(g, z, x, y)))
    else:
        return contributions(node, g)
    return pairs


def _array_product(g: Any, slope: Any, kind: str | None, z: Any, x: Any, y: Any) -> Any:
    """The cotangent `g` of an array times a slope's value; if that is a large new array, in its memory."""
    if type(slope) is _ndarray and slope.nbytes > LARGE and slope.shape == g.shape:
        if slope.dtype.char == "?":
            slope = slope.astype(g.dtype)
        if slope.dtype is g.dtype and slope is not z and slope is not x and slope is not y:
            return (np.true_divide if kind == "divisor" else np.multiply)(g, slope, slope)
    if kind is None or kind == "mask":
        return g * slope
    return g / slope if kind == "divisor" else product(g, slope, kind, strong=False)


def float_product(g: float, slope: Any, kind: str) -> float:
    """A cotangent, other than zero, times a slope that is no factor."""
    if kind == "mask":
        return g * slope if slope else 0.0
    if kind == "divisor":
        return g / slope  # type: ignore[no-any-return]  # slopes are Any
    return float(product(g, slope, kind, strong=True))


def float_contributions(
    node: Node, op: Primitive, g: float, found: Container[Any]
) -> tuple[Sequence[Any], Iterable[float]]:
    """What `contributions` gives, of any operation on floats: inputs, constants among them, and what each gets. Of a zero,
    only those that are not yet `found`: it adds nothing to the others."""
    if op.variadic is None:
        pairs = contributions(node, g)
        return [parent for parent, _ in pairs], [float(contribution) for _, contribution in pairs]
    if not g:
        return [x for x in node._left if x not in found], repeat(0.0)
    try:
        slopes = op.variadic(node._data, *node._x)
    except ArithmeticError:
        slopes = with_ieee(op.variadic, node._data, *node._x)
    return node._left, [g * slope for slope in slopes]


def with_ieee(f: Callable[..., Any], *args: Any) -> Any:
    """`f(*args)`; where Python's arithmetic raises, the result of IEEE's, which NumPy computes."""
    try:
        return f(*args)
    except ArithmeticError:
        with np.errstate(all="ignore"):
            if any(isinstance(x, (Node, np.ndarray)) for x in args):
                return f(*(np.float64(x) if isinstance(x, (float, int)) else x for x in args))
            result = f(*(np.array([x]) for x in args))
            return tuple(np.ravel(x).item() for x in result) if type(result) is tuple else np.ravel(result).item()
