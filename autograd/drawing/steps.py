"""Steps: a graph as the engine goes through it, one operation forwards and one edge backwards at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd.arguments import assignments
from autograd.drawing.derivatives import contributions, starts_from_zero
from autograd.drawing.summaries import TINY, quantity
from autograd.formulas import ANYTHING, ATOM, PRODUCT, Formula, TextFormula
from autograd.graph import Node, ancestors
from autograd.reverse_mode import cotangents
from autograd.variadic import dot_of

ARGUMENTS = 6  # of more, the first and the last are shown


class Forward(NamedTuple):
    """The value of `node` is computed."""

    node: Node


class Backward(NamedTuple):
    """The gradient of `node` goes to its input `place`: `before + local * upstream = after`.

    `local` is None where an operation on arrays has no slope, and the contribution comes from its pullback. Where the
    input was broadcast, `local` and `upstream` have the shape of the result, and the sum of their product is added. Of the
    output itself, whose gradient is 1 by definition, `place` is None.
    """

    node: Node
    place: int | None
    before: Any
    local: Any
    upstream: Any
    contribution: Any
    after: Any

    @property
    def target(self) -> Node:
        """The node whose gradient grows."""
        target: Node = self.node if self.place is None else self.node.inputs[self.place]
        return target


def steps(output: Node) -> tuple[list[Forward], list[Backward]]:
    """The steps that compute `output`, and those that compute the gradients, in the order in which the engine takes them.

    The last `after` of a node is what a `backward()` adds to its gradient. Nothing is stored in the graph: all begins at a gradient
    of 0. Data changed after the forward pass, where that matters, is the RuntimeError of `backward()`.

    >>> from autograd.value import Value
    >>> x = Value(3.0, "x")
    >>> forward, backward = steps(x * x + 1.0)
    >>> [step.node.op.name for step in forward]
    ['mul', 'add']
    """
    with np.errstate(all="ignore"):
        found = cotangents(output, np.ones_like(output._data) if output._priority else 1.0)
        nodes = ancestors(output)
        forward = [Forward(node) for node in nodes if node.op is not None]
        return forward, list(_backward(output, [node for node in reversed(nodes) if node in found]))


def _backward(output: Node, nodes: Iterable[Node]) -> Iterator[Backward]:
    zero = 0.0 * _ones(output)
    yield Backward(output, None, zero, None, None, _ones(output), _ones(output))
    grads: dict[Node, Any] = {output: _ones(output)}
    for node in nodes:
        op = node.op
        if op is None or node not in grads:  # a gradient of 0 reaches nodes that no rule leads to
            continue
        upstream = grads[node]
        given, local = contributions(node, upstream), _locals(node)
        places = [i for i, x in enumerate(node.inputs) if isinstance(x, Node) and (op.variadic or op.rules[i])]
        for i in (
            places if op.variadic else reversed(places)
        ):  # the engine's order, so that sums are its to the last bit
            x = node.inputs[i]
            contribution = x._unbroadcast(given[i] if type(given[i]) is float else np.asarray(given[i]))
            before = grads.get(x)
            grads[x] = contribution if before is None else before + contribution
            yield Backward(
                node, i, 0.0 * _ones(x) if before is None else before, local[i], upstream, contribution, grads[x]
            )


def _ones(node: Node) -> float | np.ndarray[Any, Any]:
    return np.ones_like(node._data) if node._priority else 1.0


def _locals(node: Node) -> list[Any]:
    """The derivative of `node` with respect to each input, None of an operation on arrays that does not go element by element."""
    assert node.op is not None
    if not node.op.elementwise and np.size(node._data) > 1:
        return [None] * len(node.inputs)
    found = contributions(node, _ones(node))
    if node.op.elementwise:
        return found
    pairs = zip(node.inputs, found, strict=True)
    return [x._unbroadcast(slope) if isinstance(x, Node) and slope is not None else None for x, slope in pairs]


# ---- Formulas, with the names of nodes or their numbers in the place of letters


def expression(node: Node, letters: Mapping[Node, Formula], digits: int) -> str:
    """The operation of `node`, in terms of `letters` for its inputs; all others are numbers.

    >>> from autograd.value import Value
    >>> x = Value(-3.0)
    >>> expression(x * x, {x: letter("x")}, 4), expression(x * x, {}, 4)
    ('x * x', '-3 * (-3)')
    """
    op = node.op
    assert op is not None
    pairs = zip(node.inputs, node._residuals(), strict=True)
    args = [letters[x] if isinstance(x, Node) and x in letters else numeral(read, digits) for x, read in pairs]
    if op.infix:
        return str(Formula.applied(op, args))
    if op is dot_of:
        start, args = args[0], args[1:]
        half = len(args) // 2
        terms = [str(Formula.joined("*", x, y)) for x, y in zip(args[:half], args[half:], strict=True)]
        return " + ".join(_few(terms if starts_from_zero(node) else [*terms, str(start)]))
    return f"{op.name}({', '.join([*_few([str(arg) for arg in args]), *assignments(op.settings)])})"


def letter(name: str) -> Formula:
    """A name in a formula: in parentheses where it is an expression itself."""
    simple = all(c.isalnum() or c in "_.%#[]" for c in name)
    return TextFormula(name, ATOM if simple else ANYTHING if any(map(str.isspace, name)) else PRODUCT)


def numeral(x: Any, digits: int) -> Formula:
    """A number in a formula, or a small array."""
    text = quantity(x, digits)
    return TextFormula(text, PRODUCT if text[0] == "-" else ANYTHING if np.size(x) > TINY else ATOM)


def _few(texts: list[str]) -> list[str]:
    return texts if len(texts) <= ARGUMENTS else [*texts[:3], f"… {len(texts) - 4} more", texts[-1]]
