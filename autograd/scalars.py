"""The number in a `Value`: NumPy's view of it, formatting, copies, and updates of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeVar, cast, overload

import numpy as np

from autograd import elementwise as e
from autograd import modes
from autograd.graph import NO_GRADIENT, Primitive
from autograd.numpy_protocol import call_of_numbers
from autograd.operators import Operators, Updates
from autograd.tensor import Tensor

if TYPE_CHECKING:
    from autograd.typing import Answer, Array, Number, Value, X

S = TypeVar("S", bound="Scalar")
PARAMETER = object()  # in the slot of the first input, which a leaf does not use, it marks the leaf as a parameter


class _Float64:
    """The dtype float64, except that its `type` leaves everything as it is: NumPy's mean of an object array calls that,
    and would otherwise ask a Value for a plain float."""

    dtype = np.dtype(float)

    def type(self, x: X) -> X:
        return x

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dtype, name)

    def __eq__(self, other: object) -> bool:
        return bool(self.dtype == other)

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return repr(self.dtype)


class Operation(Protocol):
    """An operator of a Value: with numbers and Values it gives a Value, with arrays and Tensors a Tensor."""

    @overload
    def __call__(self, other: Array | Tensor, /) -> Tensor: ...
    @overload
    def __call__(self, other: Number | Value, /) -> Value: ...


class Scalar(Updates, Operators["Number | Value", "Value", float, bool]):
    """The part of `Value` that knows nothing of recording."""

    __slots__ = ()
    _data: float
    grad: float
    shape: ClassVar[tuple[()]] = ()  # for operations on arrays, to which a Value is one of shape ()
    ndim: ClassVar[int] = 0
    size: ClassVar[int] = 1
    dtype: ClassVar[np.dtype[Any]] = cast("Any", _Float64())

    # What type checkers are to know of the operators that meet arrays too.
    __radd__: Operation
    __rsub__: Operation
    __rmul__: Operation
    __rtruediv__: Operation
    __mod__: Operation
    __rmod__: Operation
    __pow__: Operation
    __rpow__: Operation

    def _is_parameter(self) -> bool:
        return self._left is PARAMETER or self._y is PARAMETER  # the latter marks a stand-in for a parameter

    def _update(self, op: Primitive, other: Any) -> None:
        if np.shape(other) != ():
            raise ValueError(f"{op.name} in place of a Value needs one number, got an array of shape {np.shape(other)}")
        self._data = float(op.scalar(self._data, float(other)))

    def zero_grad(self) -> None:
        """Set `.grad` to zero, as it was before the first backward pass."""
        self.grad = NO_GRADIENT

    def item(self) -> float:
        """The number as a float: detached, so that no derivative goes through computations with it."""
        return self._data

    def numpy(self) -> Array:
        """The number as an array of shape (): detached, like `item()`."""
        return np.array(self._data)

    @property
    def T(self) -> Self:
        """Itself."""
        return self

    def __round__(self, digits: int | None = None) -> float:
        number: float = e.identity(self) if modes.current_trace() else self._data  # type: ignore[assignment]  # a tracer
        return round(number, digits)

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else str(self)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Answer:
        if any(issubclass(kind, Tensor) for kind in types):
            return NotImplemented  # type: ignore[no-any-return]  # which Python takes for no result
        return call_of_numbers(function, args, kwargs)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label is not None else ""
        return f"{type(self).__name__}(data={self._data!r}, grad={self.grad!r}{label})"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.op is not None:
            raise TypeError(
                "a Value with a graph cannot be copied or pickled: use .detach(), or .item() for the number"
            )
        grad = None if self.grad is NO_GRADIENT else self.grad  # a pickle would make it an ordinary zero
        return (type(self), (self._data, self.label), {"grad": grad, "parameter": self._is_parameter()})

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.grad = NO_GRADIENT if state["grad"] is None else state["grad"]
        if state.get("parameter"):
            self._left = PARAMETER


def learned(value: S) -> S:
    """`value`, marked as a parameter: an augmented assignment changes it in place (under `no_grad`), or raises."""
    value._left = PARAMETER
    return value
