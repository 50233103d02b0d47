"""`Tracer`: the stand-in for a number in a function that is being traced."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from autograd import elementwise as e
from autograd import modes
from autograd.compiler.errors import CompileError
from autograd.frames import Line, format_line, user_line
from autograd.graph import Primitive, next_sequence_number
from autograd.numpy_protocol import CONSTANT_UFUNCS, PLAIN_FUNCTIONS, UFUNCS, as_object0d, call_of_objects
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.typing import Answer, Array, X


class _Unknown:
    """The stand-in for the number of a tracer: reading it raises, for it would freeze an example."""

    def _refuse(self, *_: Any) -> NoReturn:
        if modes.current_trace() is None:
            raise _ended("an operation")
        raise CompileError(
            f"{describe_here()}: this needs a number where there is none while ag.compile traces: write it with "
            "operators and ag's functions"
        )

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (float, int, np.ndarray, np.generic)):
            self._refuse()
        return NotImplemented

    __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __float__ = __int__ = __index__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __neg__ = _refuse
    __hash__ = None  # type: ignore[assignment]  # so that nothing is looked up by it


UNKNOWN: Any = _Unknown()


def _ended(what: str) -> CompileError:
    return CompileError(
        f"{what} met a value that ag.compile traced, after the trace ended: it never had a number. A function that is "
        "compiled must hand on what it computes by returning it"
    )


class Tracer(Value):
    """A scalar of a function that is being traced: a node like others, whose number is that of an example.

    The number, `example`, is for the trace alone; `examples` are the inputs' numbers. `line` is the user's that asked for
    it, and `derived` says that it belongs to a derivative of what stands there.
    """

    __slots__ = ("_derived", "_example", "_line")
    _priority: ClassVar[int] = 9  # above arrays, which it cannot join

    def __init__(
        self,
        op: Primitive | None,
        example: float,
        inputs: Sequence[Any] = (),
        examples: Sequence[float] = (),
        line: Line | None = None,
        derived: bool = False,
    ) -> None:
        self._data = UNKNOWN
        self.op = op
        self._left = self._right = self._x = self._y = None
        if op is not None and not op.at_most_binary:
            self._left, self._x = tuple(inputs), tuple(examples)
        elif inputs:
            x, y = inputs[0], inputs[-1]
            self._x, self._left = examples[0], x if isinstance(x, Value) else None
            if len(inputs) == 2:
                self._y, self._right = examples[1], y if isinstance(y, Value) else None
        self.label = None
        self._sequence = next_sequence_number()
        self._example, self._line, self._derived = example, line, derived

    @classmethod
    def _record(cls, op: Primitive, args: tuple[Any, ...]) -> Tracer:
        if trace := modes.current_trace():
            return trace.record(op, args)  # type: ignore[return-value]  # a tracer
        raise _ended(op.name)

    def _check_unchanged(self, reader: Any, value: Any, keep_graph: bool) -> None:
        """It has no number that could have changed."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Answer:
        if method == "__call__" and not kwargs and ufunc in _UFUNCS:
            return np.frompyfunc(_UFUNCS[ufunc], len(inputs), 1)(*map(as_object0d, inputs))  # type: ignore[no-any-return]  # an array of tracers
        if ufunc in CONSTANT_UFUNCS:
            raise self._refuse(f"np.{ufunc.__name__} takes", "write it with ag.floor, ag.where and comparisons")
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Answer:
        if function in PLAIN_FUNCTIONS or (function is np.where and not isinstance(args[0], Tracer)):
            return call_of_objects(function, args, kwargs)
        return super().__array_function__(function, types, args, kwargs)

    # ---- What needs the number that is not there

    def _refuse(self, what: str, cure: str) -> CompileError:
        return CompileError(f"{describe_here()}: {what} {self!r}, which has no number while ag.compile traces: {cure}")

    @property
    def data(self) -> float:
        """Not known."""
        raise self._refuse("this reads .data of", "compute with the value itself")

    @data.setter
    def data(self, data: Any) -> None:
        raise self._refuse("this sets .data of", "compute a new value instead")

    @property
    def grad(self) -> NoReturn:  # type: ignore[override]  # read-only
        """Not known."""
        raise self._refuse("this reads .grad of", "compile ag.value_and_grad of the function, or pass parameters=")

    # fmt: off
    def item(self) -> NoReturn: raise self._refuse("this asks for .item() of", "compute with the value itself")
    def numpy(self) -> NoReturn: raise self._refuse("this asks for .numpy() of", "compute with the value itself")
    # fmt: on

    def detach(self) -> Value:
        """The same number, without its past."""
        return e.stop_gradient(self)

    def conjugate(self) -> Tracer:
        """Itself, for NumPy's variance."""
        return self

    def backward(self, gradient: float = 1.0) -> None:
        raise self._refuse(
            "this calls .backward() of", "compile ag.value_and_grad of the function, or pass parameters="
        )

    def __bool__(self) -> bool:
        trace = modes.current_trace()
        if trace is None:
            raise _ended("bool()")
        return trace.decide(self if isinstance(self, Condition) else self != 0.0)

    def __float__(self) -> float:
        raise self._refuse(
            "float(), a function of math or an array of floats takes",
            "write ag.sin and its kin in place of math.sin, and make arrays with dtype=object",
        )

    def __int__(self) -> int:
        raise self._refuse("int() takes", "write ag.floor, or fix the integer: functools.partial(f, n=3)")

    def __index__(self) -> int:
        raise self._refuse("a count or an index is", "fix it before compiling, with functools.partial or a closure")

    def __round__(self, digits: int | None = None) -> NoReturn:
        raise self._refuse("round() takes", "write ag.floor(x + 0.5)")

    def __complex__(self) -> complex:
        raise self._refuse("complex() takes", "compute with real numbers, which alone have rules here")

    def __format__(self, spec: str) -> str:
        raise self._refuse("this formats", "return it, or give it a label and print kernel.program")

    # fmt: off
    def __reduce__(self) -> NoReturn: raise self._refuse("this copies or pickles", "use it as it is")
    def __len__(self) -> int: raise self._no_vector("len() takes")
    def __iter__(self) -> NoReturn: raise self._no_vector("this runs through")
    def __getitem__(self, index: Any) -> NoReturn: raise self._no_vector("this indexes")
    def __matmul__(self, other: Any) -> NoReturn: raise self._no_vector("@ takes")
    # fmt: on

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__") or hasattr(np.ndarray, name) is False:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise AttributeError(str(self._no_vector(f"this asks for .{name} of")))

    def _no_vector(self, what: str) -> CompileError:
        return CompileError(
            f"{describe_here()}: {what} {self!r}, which is one number: ag.compile calls the function for each element of "
            "an array; for whole vectors pass signature='(n)->()'"
        )

    def __repr__(self) -> str:
        name = self.op.name if self.op else "input"
        return f"<traced {name}{f' {self.label!r}' if self.label else ''}>"


class Condition(Tracer):
    """A traced comparison. As a condition of Python's it becomes a guard; `&`, `|`, `^` and `~` are traced too."""

    __slots__ = ()

    # fmt: off
    def __and__(self, other: Any) -> bool: return e.where(self, _as_condition(other), 0.0) != 0.0
    def __or__(self, other: Any) -> bool: return e.where(self, 1.0, _as_condition(other)) != 0.0
    def __xor__(self, other: Any) -> bool: return self != _as_condition(other)
    def __invert__(self) -> bool: return self == 0.0
    # fmt: on
    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__


def _as_condition(x: Any) -> float | Tracer:
    """A condition as it is, and booleans, also those that `~` made integers, as 1 and 0."""
    return x if isinstance(x, Tracer) else float(x & 1)


def _logaddexp(x: Value, y: Value) -> Value:
    z = e.where(x > y, x + e.softplus(y - x), y + e.softplus(x - y))
    return e.where((x == y) & (abs(x) == math.inf), (x + y) / 2.0, z)


_UFUNCS: dict[Any, Callable[..., Any]] = {
    np.equal: lambda x, y: x == y,
    np.not_equal: lambda x, y: x != y,
    np.less: lambda x, y: x < y,
    np.less_equal: lambda x, y: x <= y,
    np.greater: lambda x, y: x > y,
    np.greater_equal: lambda x, y: x >= y,
    np.isnan: lambda x: x != x,
    np.isinf: lambda x: abs(x) == math.inf,
    np.isfinite: lambda x: abs(x) < math.inf,
    np.logical_and: lambda x, y: (x != 0.0) & (y != 0.0),
    np.logical_or: lambda x, y: (x != 0.0) | (y != 0.0),
    np.logical_not: lambda x: x == 0.0,
    np.fmax: lambda x, y: e.where(y != y, x, e.where(x != x, y, e.maximum(x, y))),
    np.fmin: lambda x, y: e.where(y != y, x, e.where(x != x, y, e.minimum(x, y))),
    np.heaviside: lambda x, y: e.where(x == 0.0, y, e.where(x != x, x, e.step(x))),
    np.logaddexp: _logaddexp,
    np.trunc: lambda x: e.where(x < 0.0, e.ceil(x), e.floor(x)),
}


class Vector(np.ndarray[Any, Any]):
    """An object array of traced values: NumPy's functions of it are traced too, comparisons among them."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Answer:
        arrays = [_as_ndarray(x) for x in inputs]
        function = _UFUNCS.get(ufunc) or UFUNCS.get(ufunc)
        if method == "__call__" and function is not None and ufunc.signature is None and not kwargs:
            return _vector(np.frompyfunc(function, len(inputs), 1)(*map(as_object0d, arrays)))
        if "out" in kwargs:
            kwargs["out"] = tuple(map(_as_ndarray, kwargs["out"]))
        return _vector(getattr(ufunc, method)(*arrays, **kwargs))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Answer:
        if function is np.where and len(args) == 3:
            return _vector(np.frompyfunc(e.where, 3, 1)(*(as_object0d(_as_ndarray(x)) for x in args)))
        return super().__array_function__(function, types, args, kwargs)  # type: ignore[no-any-return]  # NumPy's is Any


def _as_ndarray(x: X) -> X | Array:
    return x.view(np.ndarray) if isinstance(x, Vector) else x


def _vector(x: X) -> X | Vector:
    return x.view(Vector) if isinstance(x, np.ndarray) and x.dtype == object else x


def describe_here() -> str:
    """The user's line that is being run, with its text: for messages."""
    return format_line(user_line())
