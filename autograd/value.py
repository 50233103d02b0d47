"""`Value`: a number that remembers what it was computed from."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from autograd import elementwise as e
from autograd import modes
from autograd.arguments import as_float, number, shown
from autograd.graph import NO_GRADIENT, Node, Primitive, next_sequence_number
from autograd.operators import declined
from autograd.reverse_mode import accumulate_grads, cotangents
from autograd.scalars import PARAMETER, Operation, Scalar
from autograd.tensor import Tensor

_new = object.__new__


@cache
def _operator(op: Primitive, augmented: bool = False) -> Operation:
    """The method of `Value` that records `op` of itself and one other operand, as a fast path; the `augmented` one
    changes a parameter in place."""
    scalar, no_gradient = op.scalar, NO_GRADIENT  # a variable of the closure is read faster than a global one

    def method(self: Value, other: Any) -> Value:
        node = _new(Value)
        if type(other) is Value:
            node._right = other
            node._y = b = other._data
        elif type(other) is float:
            if augmented and (self.op is None or self._y is PARAMETER) and self._updated(op, other):
                return self
            node._right = None
            node._y = b = other
        else:
            return self if augmented and self._updated(op, other) else self._record_binary(op, self, other)
        if modes.in_use:
            return self._record_binary(op, self, other)
        node._left = self
        node._x = a = self._data
        node._data = scalar(a, b)
        node.op = op
        node._sequence = next_sequence_number()
        node.grad = no_gradient
        node.label = None
        return node

    return method  # type: ignore[return-value]  # bound, as an attribute of the class


class Value(Scalar):
    """A float in a graph.

    `data` is the number, `grad` the derivative of the last `backward()` with respect to it: accumulated over calls
    on a leaf, of the last call elsewhere. `label` names it in drawings. Anything but a real number is a TypeError.

    >>> x = Value(3.0)
    >>> y = x * x + 2
    >>> y.backward()
    >>> y.data, x.grad
    (11.0, 6.0)
    """

    __slots__ = ()

    def __init__(self, data: float, label: str | None = None) -> None:
        self._data = data if type(data) is float else _number(data)
        self.op = self._left = self._right = self._x = self._y = None
        self.label = label
        self._sequence = next_sequence_number()
        self.grad = NO_GRADIENT

    @property
    def data(self) -> float:
        """The number. That of a leaf may be set; nodes computed before keep the value that they read."""
        return self._data

    @data.setter
    def data(self, data: float) -> None:
        if self.op is not None:
            raise TypeError(f"the data of a result ({self.op!r}) cannot be set: set a leaf's, or .detach() it first")
        self._data = data if type(data) is float else _number(data)

    def _unary(self, op: Primitive) -> Value:
        if modes.in_use or op.dx is None:
            return self._record(op, (self,))
        node = _new(Value)
        node._left = self
        node._right = node._y = None
        node._x = a = self._data
        node._data = op.scalar(a)
        node.op = op
        node._sequence = next_sequence_number()
        node.grad = NO_GRADIENT
        node.label = None
        return node

    def _binary(self, op: Primitive, other: Any) -> Value:
        return self._record_binary(op, self, other) if op.nondifferentiable else _operator(op)(self, other)  # type: ignore[call-overload]

    # The most common operators of scalar programs are functions of their own, to save a look-up.
    __add__: Operation = _operator(e.add)
    __sub__: Operation = _operator(e.sub)
    __mul__: Operation = _operator(e.mul)
    __truediv__: Operation = _operator(e.div)
    __iadd__: Operation = _operator(e.add, augmented=True)
    __isub__: Operation = _operator(e.sub, augmented=True)
    __imul__: Operation = _operator(e.mul, augmented=True)
    __itruediv__: Operation = _operator(e.div, augmented=True)

    def _reflected(self, op: Primitive, other: Any) -> Value:
        return self._record_binary(op, other, self)

    def _record_binary(self, op: Primitive, x: Any, y: Any) -> Value:
        """The rarer cases of `_binary`: another number type, an array, a node of higher priority, a mode in force."""
        other = y if x is self else x
        if isinstance(other, np.ndarray) and other.dtype == object:
            return op.array(*(np.array([v], dtype=object) if v is self else v for v in (x, y)))  # type: ignore[no-any-return]  # an array of nodes
        if isinstance(other, (float, int, Node, np.ndarray, np.generic)) and not isinstance(other, np.complexfloating):
            return op(x, y)  # type: ignore[no-any-return]  # of Any: Any
        return declined(op, other)

    @classmethod
    def _record(cls, op: Primitive, args: tuple[Any, ...]) -> Value:
        if trace := modes.current_trace():
            return trace.record(op, args)  # type: ignore[return-value]  # a tracer
        if op.scalar is None:
            return Tensor._record(op, args)  # type: ignore[return-value]  # where an array is among them
        reads = []
        for arg in args:
            if isinstance(arg, Value):
                reads.append(arg._data)
            elif type(arg) is float:
                reads.append(arg)
            elif isinstance(arg, (float, int, np.floating, np.integer, np.bool_)):
                reads.append(as_float(op.name, arg))
            elif isinstance(arg, np.ndarray) and arg.ndim == 0 and arg.dtype.kind in "fiub":
                return cls._record(op, tuple(x[()] if isinstance(x, np.ndarray) and x.ndim == 0 else x for x in args))
            else:
                return Tensor._record(op, args)  # type: ignore[return-value]  # where an array is among them
        data = op.scalar(*reads)
        if op.nondifferentiable:
            return data  # type: ignore[no-any-return]  # no node, for it has no derivative
        node = _new(cls)
        node._data = data
        node._sequence = next_sequence_number()
        node.grad = NO_GRADIENT
        node.label = None
        node.op = node._left = node._right = node._x = node._y = None
        if modes.is_recording():
            node.op = op
            parents = [arg if isinstance(arg, Node) else None for arg in args]
            if op.at_most_binary:
                node._left, node._right = parents if len(parents) == 2 else (parents[0], None)
                node._x, node._y = reads if len(reads) == 2 else (reads[0], None)
            else:
                node._left, node._x = args, tuple(reads)
            if observer := modes.observer():
                observer.recorded(node)
        return node

    def _unbroadcast(self, contribution: Any) -> float | Node:
        """A contribution to the cotangent, converted to a float, or to a node where it is to be recorded."""
        if type(contribution) is float:
            return contribution
        if isinstance(contribution, Node):
            return contribution.sum() if isinstance(contribution, Tensor) and contribution.ndim else contribution
        if np.iscomplexobj(contribution):
            raise TypeError(f"a derivative came out as {contribution!r}: complex numbers have no rules here")
        return float(np.sum(contribution, dtype=np.float64))

    def _check_unchanged(self, reader: Node, value: float, keep_graph: bool) -> None:
        if keep_graph and self._data != value and self._data == self._data:
            raise RuntimeError(
                f"the data of {self!r} was changed, from {value!r}, after it was used in {reader.op!r}; a derivative "
                "that is to be differentiated again needs it as it was: run the forward computation again"
            )

    def backward(self, gradient: float = 1.0) -> None:
        """Add the derivative of `gradient * self` to `.grad` of every leaf, and set it in all other nodes."""
        accumulate_grads(cotangents(self, float(number("backward", "gradient", gradient, infinite=True, nan=True))))

    def _accumulate(self, g: Any) -> None:
        self.grad = self.grad + g

    def detach(self) -> Value:
        """The same number as a new leaf, without its graph."""
        if modes.current_trace():  # the program reads the number at each run
            return e.stop_gradient(self)
        return Value(self._data, self.label)


def _number(data: Any) -> float:
    if isinstance(data, Node):
        raise TypeError(f"Value() of {data!r} would detach it from its graph: use it as it is, or .detach() it")
    if isinstance(data, (float, int, np.floating, np.integer, np.bool_)):
        return as_float("Value", data)
    if isinstance(data, np.ndarray) and data.ndim == 0 and data.dtype.kind in "fiub":
        return float(data)
    hint = ": use ag.Tensor for arrays" if isinstance(data, (np.ndarray, list, tuple)) else ""
    raise TypeError(f"Value needs a real number, got {type(data).__name__} {shown(data)}{hint}")
