"""Variadic operations on scalars, so that a neuron is a few nodes and not forty; on arrays, the reductions."""

from __future__ import annotations

import math
import sys
from builtins import sum as _builtin_sum
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import accumulate
from operator import add, mul
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from autograd import modes
from autograd.arguments import numbers, sequence
from autograd.arrays import linalg, reductions
from autograd.arrays.joining import stack
from autograd.elementwise import add as add_up
from autograd.elementwise import exp, hypot, isfinite, log, maximum, ratio, where
from autograd.graph import NO_GRADIENT, Node, Primitive, next_sequence_number
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.typing import A, Array, Constant, Operand, Tensor, X

_new = object.__new__

# From Python 3.12 on its sum of floats is compensated, and would not be that of compiled code.
_sum: Any = _builtin_sum if sys.version_info < (3, 12) else lambda xs, start=0: reduce(add, xs, start)


# ---- The primitives. `*xs` are the scalars; `variadic` gives all slopes, in order.


def _dot_body(start: Any, *xs: Any) -> Any:
    n = len(xs) // 2
    return _sum(map(mul, xs[:n], xs[n:]), start)


def _dot_slopes(z: Any, start: Any, *xs: Any) -> tuple[Any, ...]:
    n = len(xs) // 2
    return (1.0, *xs[n:], *xs[:n])


def _prod_slopes(z: Any, *xs: Any) -> list[Any]:
    # Each has the product of those before it and of those behind it, exact also where some are zero.
    before = accumulate(xs[:-1], mul, initial=1.0)
    behind = [*accumulate(reversed(xs[1:]), mul, initial=1.0)][::-1]
    return [b * a for b, a in zip(before, behind, strict=True)]


def _logsumexp_float(*xs: float) -> float:
    top = max(xs)
    if not math.isfinite(top):
        return next((x for x in xs if x != x), top)
    return top + math.log(_sum(math.exp(x - top) for x in xs))


def _logsumexp_body(*xs: Any) -> Any:
    top = reduce(maximum, xs)
    base = where(isfinite(top), top, 0.0)
    return where(isfinite(top), base + log(_sum(exp(x - base) for x in xs)), top)


def _logsumexp_slopes(z: Any, *xs: Any) -> list[Any]:
    es = [exp(x - z) for x in xs]
    # They sum to 1 also where z has no digits left for the logarithm; those of infinities are nan.
    total = where(isfinite(z), _sum(es), 1.0)
    return [e / total for e in es]


_sum_body = lambda *xs: _sum(xs)
_prod_body = lambda *xs: math.prod(xs)
_norm_body = lambda *xs: reduce(hypot, xs, 0.0)
sum_of = Primitive("sum", _sum_body, _sum_body, variadic=lambda z, *xs: [1.0] * len(xs), body=_sum_body, sign="Σ")
dot_of = Primitive("dot", _dot_body, _dot_body, variadic=_dot_slopes, body=_dot_body)
prod_of = Primitive("prod", _prod_body, _prod_body, variadic=_prod_slopes, body=_prod_body, sign="Π")
logsumexp_of = Primitive(
    "logsumexp",
    _logsumexp_float,
    _logsumexp_body,
    variadic=_logsumexp_slopes,
    body=_logsumexp_body,
    latex=r"\operatorname{{logsumexp}}\left({0}\right)",
)
norm_of = Primitive(
    "norm",
    math.hypot,
    _norm_body,
    variadic=lambda z, *xs: [ratio(x, z) for x in xs],
    body=_norm_body,
    latex=r"\left\lVert {0} \right\rVert",
)
VARIADIC = {op.name: op for op in (sum_of, dot_of, prod_of, logsumexp_of, norm_of)}


# ---- The public functions: a list of scalars goes to the primitives above, anything else to the arrays'.


_SCALARS = {Value, float, int}
_NUMBERS = (float, int, np.floating, np.integer, np.bool_)


def _listed(x: X) -> X | list[Any]:
    """`x`, as a list where it is an iterator, or another collection without an order of its own to index."""
    if isinstance(x, (list, tuple, Node, np.ndarray, str, dict)) or not isinstance(x, Iterable):
        return x
    return x if hasattr(x, "__array__") else sequence("a sum or a product", "x", x)


def _scalars(x: Any, beside_values: bool = False) -> list[Any] | None:
    """The elements of a collection of floats and Values, or None if `x` is something else.

    NumPy's numbers and arrays among Values, or `beside_values`, are taken for what they hold, so that Values stay Values.
    """
    if type(x) not in (list, tuple):
        if not isinstance(x, np.ndarray):
            return None
        if x.dtype != object:
            return x.tolist() if beside_values and x.ndim == 1 and x.dtype.kind in "fiub" else None
        x = x.ravel().tolist()
    kinds = set(map(type, x))
    if kinds <= _SCALARS:
        return list(x)
    if beside_values or not all(issubclass(kind, (float, int)) for kind in kinds):
        try:
            found = _flat(x)
        except RecursionError:
            raise TypeError("a list of scalars is nested too deeply, or contains itself") from None
        return found[1] if found and (beside_values or any(isinstance(v, Value) for v in found[1])) else None
    return list(x)


def _flat(x: Any) -> tuple[tuple[int, ...], list[Any]] | None:
    """The shape of nested lists and arrays of scalars, and these one after the other; None for anything else."""
    if isinstance(x, Value):
        return (), [x]
    if isinstance(x, _NUMBERS):
        return (), [float(x)]
    if isinstance(x, np.ndarray):
        if x.dtype.kind in "fiub":
            return x.shape, [float(v) for v in x.ravel()]
        x = x.tolist()
        if isinstance(x, Value):
            return _flat(x)
    if not isinstance(x, (list, tuple)):
        return None
    parts = [_flat(v) for v in x]
    known = [part for part in parts if part is not None]
    shapes = {shape for shape, _ in known}
    if len(known) < len(parts) or len(shapes) > 1:
        return None
    return (len(x), *(shapes.pop() if shapes else ())), [v for _, part in known for v in part]


def _is_row(x: Any) -> bool:
    """Whether these are scalars, and not lists of such."""
    if isinstance(x, np.ndarray):
        return x.ndim == 1
    return isinstance(x, (list, tuple)) and not any(isinstance(v, (list, tuple, np.ndarray)) for v in x)


def operand(x: Any, owner: str = "stack", name: str = "x") -> Any:
    """`x` as something with a shape: lists become arrays, and lists of nodes are stacked."""
    if isinstance(x, (Node, np.ndarray)):
        return x
    if isinstance(x, (list, tuple)) and any(isinstance(v, (Node, list, tuple)) for v in x):
        try:
            return stack([operand(v, owner, name) for v in x])
        except RecursionError:
            raise TypeError(f"{owner}: {name} is nested too deeply, or contains itself") from None
    return numbers(owner, name, x, "fiubc")


def _node(op: Primitive, data: Any, args: list[Any], reads: list[Any]) -> Value | None:
    """The node of an operation on any number of scalars that gave `data`; None if that is not for sure.

    What the arguments were is seen from the result: only floats (and ints) make a float.
    """
    if type(data) is not float or modes.in_use:
        return None
    node = _new(Value)
    node._data = data
    node._sequence = next_sequence_number()
    node.grad = NO_GRADIENT
    node.label = None
    node.op = op
    node._left = args
    node._x = reads
    node._right = node._y = None
    return node


def _apply(op: Primitive, xs: list[Any]) -> Any:
    if any(isinstance(x, Value) for x in xs):
        reads = [x._data if type(x) is Value else x for x in xs]
        node = None if any(isinstance(x, Node) for x in reads) else _node(op, op.scalar(*reads), xs, reads)
        return op(*xs) if node is None else node
    return op.scalar(*xs)


@overload
def sum(x: A, axis: Any = None, keepdims: bool = False) -> A: ...
@overload
def sum(x: Iterable[float], axis: Any = None, keepdims: bool = False) -> float: ...
@overload
def sum(x: Iterable[float | Value], axis: Any = None, keepdims: bool = False) -> Value: ...
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum of scalars, as one node, or of an array over `axis` or all.

    Scalars are added from the first to the last, as compiled code adds them, to the same bits; an array's elements as
    exactly as in pairs, so that of a million numbers more digits are right.

    >>> sum([1.0, Value(2.0)]).data
    3.0
    """
    x = _listed(x)
    if axis is None and (xs := _scalars(x)) is not None:
        return _apply(sum_of, xs)
    return reductions.sum(operand(x, "sum"), axis, keepdims)


@overload
def mean(x: A, axis: Any = None, keepdims: bool = False) -> A: ...
@overload
def mean(x: Iterable[float], axis: Any = None, keepdims: bool = False) -> float: ...
@overload
def mean(x: Iterable[float | Value], axis: Any = None, keepdims: bool = False) -> Value: ...
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The arithmetic mean of scalars, or of an array over `axis` or all.

    >>> mean([1.0, Value(2.0)]).data
    1.5
    """
    x = _listed(x)
    if axis is None and (xs := _scalars(x)) and any(isinstance(v, Value) for v in xs):
        return _apply(sum_of, xs) / len(xs)
    return reductions.mean(operand(x), axis, keepdims)


@overload
def prod(x: A, axis: Any = None, keepdims: bool = False) -> A: ...
@overload
def prod(x: Iterable[float], axis: Any = None, keepdims: bool = False) -> float: ...
@overload
def prod(x: Iterable[float | Value], axis: Any = None, keepdims: bool = False) -> Value: ...
def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product of scalars, as one node, or of an array; its derivatives are exact also where there are zeros."""
    x = _listed(x)
    if axis is None and (xs := _scalars(x)) is not None:
        return _apply(prod_of, xs)
    return reductions.prod(operand(x, "prod"), axis, keepdims)


@overload
def logsumexp(x: A, axis: Any = None, keepdims: bool = False) -> A: ...
@overload
def logsumexp(x: Iterable[float], axis: Any = None, keepdims: bool = False) -> float: ...
@overload
def logsumexp(x: Iterable[float | Value], axis: Any = None, keepdims: bool = False) -> Value: ...
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`log(sum(exp(x)))` of scalars, as one node, or of an array, without overflow."""
    x = _listed(x)
    if axis is None and (xs := _scalars(x)):
        return _apply(logsumexp_of, xs)
    return reductions.logsumexp(operand(x, "logsumexp"), axis, keepdims)


@overload
def norm(x: A, ord: Any = None, axis: Any = None, keepdims: bool = False) -> A: ...
@overload
def norm(x: Iterable[float], ord: Any = None, axis: Any = None, keepdims: bool = False) -> float: ...
@overload
def norm(x: Iterable[float | Value], ord: Any = None, axis: Any = None, keepdims: bool = False) -> Value: ...
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The Euclidean norm of scalars, as one node, or of an array (where other orders exist), with slope 0 at 0."""
    x = _listed(x)
    if axis is None and (ord is None or (ord == 2 and _is_row(x))) and (xs := _scalars(x)) is not None:
        return _apply(norm_of, xs)
    return reductions.norm(operand(x, "norm"), ord, axis, keepdims)


@overload
def dot(x: Sequence[float], y: Sequence[float], start: float = 0.0) -> float: ...
@overload
def dot(x: Sequence[float | Value], y: Sequence[float | Value], start: float | Value = 0.0) -> Value: ...
@overload
def dot(x: Constant, y: Constant, start: Constant = 0.0) -> Array: ...
@overload
def dot(x: Operand, y: Operand, start: Operand = 0.0) -> Tensor: ...
def dot(x: Any, y: Any, start: Any = 0.0) -> Any:
    """The inner product of two lists of scalars (plus `start`), as one node, or NumPy's dot of two arrays.

    >>> dot([1.0, 2.0], [Value(3.0), 4.0], start=0.5).data
    11.5
    """
    if type(x) is list and type(y) is list and len(x) == len(y) > 0 and type(x[0]) is Value and not modes.in_use:
        # The fast path of a neuron: recognized by its first weight and by its result, as a check of every element would
        # double the cost.
        try:
            xs = [v._data for v in x]
            ys = [v._data for v in y] if type(y[0]) is Value else [v._data if type(v) is Value else v for v in y]
            first = start._data if type(start) is Value else start
            node = _node(dot_of, _sum(map(mul, xs, ys), first), [start, *x, *y], [first, *xs, *ys])
        except (AttributeError, TypeError):
            node = None
        if node is not None:
            return node
    x, y = _listed(x), _listed(y)
    left, right = _scalars(x), _scalars(y)
    if (left is None) != (right is None) and any(isinstance(v, Value) for v in left or right or ()):
        left, right = _scalars(x, True), _scalars(y, True)
    if left is not None and right is not None:
        if len(left) != len(right):
            raise ValueError(f"dot: {len(left)} and {len(right)} scalars do not pair up")
        return _apply(dot_of, [start, *left, *right])
    product = linalg.dot(operand(x, "dot"), operand(y, "dot", "y"))
    return product if type(start) is float and start == 0.0 else add_up(product, start)
