"""`Element`: a `Value` whose number is one element of a parameter's array, so that networks of both kinds share weights."""

from __future__ import annotations

from typing import Any

from autograd import Tensor, Value
from autograd.graph import NO_GRADIENT, Primitive, next_sequence_number
from autograd.scalars import PARAMETER


class Element(Value):
    """Element `index` of the array of `parameter`, as a Value of its own gradient: a leaf, to be learned.

    It has no number of its own: reading it reads the array, setting it sets the array, in the array's dtype. A graph
    that has read it keeps the number that it read.

    >>> weight = Tensor([1.0, 2.0])
    >>> second = Element(weight, (1,))
    >>> weight.data[1] = 5.0
    >>> second.data
    5.0
    >>> second.data = 7.0
    >>> weight.tolist()
    [1.0, 7.0]
    """

    __slots__ = ("_index", "_parameter")

    def __init__(self, parameter: Tensor, index: tuple[int, ...]) -> None:
        self._parameter, self._index = parameter, index
        self.op = self._right = self._x = self._y = None
        self._left = PARAMETER
        self.label = None
        self._sequence = next_sequence_number()
        self.grad = NO_GRADIENT

    @property
    def _data(self) -> float:
        return float(self._parameter._data[self._index])

    @_data.setter
    def _data(self, number: float) -> None:
        self._parameter.data[self._index] = number  # not of `_data`, on which a graph may rely

    @classmethod
    def _record(cls, op: Primitive, args: tuple[Any, ...]) -> Value:
        return Value._record(op, args)  # what is computed is no element

    def __reduce__(self) -> tuple[Any, ...]:
        _, _, state = super().__reduce__()
        return type(self), (self._parameter, self._index), {**state, "label": self.label}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.label = state["label"]
