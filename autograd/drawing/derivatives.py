"""The numbers on the edges of a graph: contributions to cotangents, and local derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.chain_rule import product, pull, with_ieee
from autograd.graph import Node
from autograd.variadic import dot_of


def contributions(node: Node, g: Any) -> list[Any]:
    """What each input of `node` receives of the cotangent `g`, before it is fitted to the input's shape.

    None stands for a constant, and for a rule that fails: pictures of a graph with a faulty rule are much wanted.

    >>> from autograd.value import Value
    >>> contributions(Value(3.0) * Value(2.0), 1.0)
    [2.0, 3.0]
    """
    op, inputs, read = node.op, node.inputs, node._residuals()
    if op is None or not any(isinstance(x, Node) for x in inputs):
        return [None] * len(inputs)
    with np.errstate(all="ignore"):
        if op.variadic is not None:
            slopes = _attempt(with_ieee, op.variadic, node._data, *read)
            return [
                None if slopes is None or not isinstance(x, Node) else product(g, slope, "factor", strong=True)
                for x, slope in zip(inputs, slopes or inputs, strict=True)
            ]
        rules = (*op.rules, *[None] * len(inputs))
        return [
            None
            if not isinstance(x, Node)
            else 0.0
            if rule is None
            else _attempt(pull, rule, g, node._data, read, True)
            for x, rule in zip(inputs, rules, strict=False)
        ]


def local_derivatives(node: Node) -> list[Any]:
    """The derivative of `node` with respect to each input: a float, or an array where all goes element by element.

    None stands for what is neither. Inputs that are used twice have two.

    >>> from autograd.value import Value
    >>> x = Value(3.0)
    >>> local_derivatives(x * x)
    [3.0, 3.0]
    """
    if node._priority == 0:  # all are numbers
        slopes = contributions(node, 1.0)
        return [None if slope is None else float(slope) for slope in slopes]
    shape, op = np.shape(node._data), node.op
    single = np.size(node._data) == 1
    each = op is not None and op.elementwise
    fits = [
        isinstance(x, Node) and ((single and np.size(x._data) == 1) or (each and np.shape(x._data) == shape))
        for x in node.inputs
    ]
    if not any(fits):
        return [None] * len(fits)
    found = contributions(node, np.ones_like(node._data) if node._priority else 1.0)
    return [
        None if slope is None or not wanted else np.asarray(slope).item() if single else np.broadcast_to(slope, shape)
        for slope, wanted in zip(found, fits, strict=True)
    ]


def starts_from_zero(node: Node) -> bool:
    """Whether the first input of `node` is the zero that a `dot` of scalars adds to, unless told otherwise.

    >>> from autograd.variadic import dot
    >>> from autograd.value import Value
    >>> starts_from_zero(dot([Value(1.0)], [2.0])), starts_from_zero(dot([Value(1.0)], [2.0], start=3.0))
    (True, False)
    """
    return node.op is dot_of and not isinstance(node.inputs[0], Node) and bool(node._residuals()[0] == 0.0)


def _attempt(f: Any, *args: Any) -> Any:
    try:
        return f(*args)
    except Exception:
        return None
