"""`Parameter`, `Buffer` and `UninitializedParameter`: the arrays of a module's state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import Node, Tensor
from autograd.arguments import FAILURES, numbers, shown
from autograd.arrays.linalg import matmul
from autograd.graph import Primitive, value_of
from autograd.operators import Updates, is_plain


def float_dtype(dtype: Any) -> np.dtype[Any]:
    """`dtype` as NumPy's, or a TypeError if it is not one of real floating-point numbers."""
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except FAILURES:
        raise TypeError(f"parameters need a floating-point dtype, as np.float32, got {shown(dtype)}") from None
    if found.kind != "f":
        raise TypeError(f"parameters need a floating-point dtype, got {found}: use np.float32 or np.float64")
    return found


class Parameter(Updates, Tensor):
    """A tensor that is to be learned: a `Tensor` leaf that a `Module` finds among its attributes. It copies its array.

    `p -= 0.1 * p.grad` changes it in place under `ag.no_grad()`, as `p.data -= 0.1 * p.grad` does anywhere; where
    operations are recorded it is a TypeError. With a node on the right, `p + node` takes its name, as elsewhere.

    >>> import autograd as ag
    >>> p = Parameter([1.0, 2.0])
    >>> with ag.no_grad():
    ...     p *= 2
    >>> p.tolist()
    [2.0, 4.0]
    """

    __slots__ = ()

    def __init__(self, data: Any, label: str | None = None) -> None:
        super().__init__(data, label)
        self._own(self._data.copy())  # or a step would change the caller's array too

    def _is_parameter(self) -> bool:
        return True

    def _update(self, op: Primitive, other: Any) -> None:
        raw = self._data
        try:
            with np.errstate(all="ignore"):
                new = np.asarray(op.array(raw, other))
        except FAILURES as error:
            raise op.refused((raw, other), error) from None
        if new.shape != raw.shape:
            raise ValueError(
                f"{op.name} in place of a parameter of shape {raw.shape} gives shape {new.shape}: reduce or reshape "
                f"what is on the right, of shape {np.shape(other)}"
            )
        if raw.flags.writeable and not self._frozen:
            raw[...] = new  # whoever has it, as an optimizer, sees the new numbers
        else:  # a graph relies on the old ones
            self._own(new.astype(raw.dtype, copy=False))

    def __imatmul__(self, other: Any) -> Tensor:
        return self if self._updated(matmul, other) else self @ other


class Buffer:
    """An array that belongs to a model's state without being learned, such as a running mean; of any dtype.

    A `Module` finds it among its attributes: it is saved and loaded with the parameters. `data` is the array, a copy at first.

    >>> Buffer(np.zeros(2)).data.tolist()
    [0.0, 0.0]
    """

    def __init__(self, data: Any) -> None:
        self._data: np.ndarray[Any, Any] = np.array(numbers("Buffer", "data", data, "fiubcmMOSUV"))

    @property
    def data(self) -> np.ndarray[Any, Any]:
        """The array. It may be set anew, to one of its shape."""
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        array = np.asarray(value_of(data))
        if array.shape != self._data.shape or array.dtype == object:
            raise ValueError(
                f"the data of a buffer of shape {self._data.shape} keeps it, got {array.dtype} of shape {array.shape}: "
                "assign a new nn.Buffer in place of the buffer"
            )
        self._data = array

    def __repr__(self) -> str:
        return f"Buffer(shape {self.data.shape}, {self.data.dtype})"


class UninitializedParameter:
    """A placeholder for a parameter whose shape the first input tells: until then only its `dtype` is known."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = float_dtype(dtype)

    def __repr__(self) -> str:
        return f"UninitializedParameter({self.dtype})"


def check_assigned(owner: str, name: str, old: Any, held: Sequence[Any], value: Any) -> None:
    """Raise a TypeError if an attribute, `old`, with the parameters and buffers `held` is assigned a `value` of plain
    numbers or results, so that what is learned would be lost. None, modules and functions are deliberate."""
    if not held or not _loses(value, held):
        return
    found = value_of(value)
    given = f"{type(value).__name__} of shape {np.shape(found)}" if hasattr(found, "shape") else repr(value)
    if old is held[0]:
        kind = "Buffer" if isinstance(old, Buffer) else "Parameter"
        raise TypeError(
            f"{owner}.{name} is a {kind}, which would be lost if it were assigned a {given}: set its numbers with "
            f"`.{name}.data = ...`, or assign an nn.{kind}(...)"
        )
    raise TypeError(
        f"{owner}.{name} has parameters, which would be lost if it were assigned a {given}: set the numbers of each with "
        "`.data = ...`, or assign modules or nn.Parameter(...)"
    )


def _loses(value: Any, held: Sequence[Any]) -> bool:
    """Whether among `value` there are numbers or nodes that nobody learns."""
    if isinstance(value, (list, tuple, dict)):
        return any(_loses(member, held) for member in (value.values() if isinstance(value, dict) else value))
    if isinstance(value, Buffer):
        return any(not isinstance(part, Buffer) for part in held)
    if isinstance(value, Parameter):
        return False
    return isinstance(value, Node) or is_plain(value) or isinstance(value, np.ndarray)
