"""Python's operators and the elementwise methods, written out once for both kinds of node."""

from __future__ import annotations

import operator
from collections.abc import Callable
from numbers import Number
from types import FunctionType
from typing import Any, Generic, NoReturn, Self, TypeVar, cast

import numpy as np

from autograd import elementwise as e
from autograd import numpy_algebra as algebra
from autograd import other_engines
from autograd.arguments import FAILURES, refused, wrong
from autograd.graph import Node, Primitive, value_of
from autograd.modes import current_trace, is_recording
from autograd.notebooks import drawn
from autograd.numpy_protocol import array_ufunc

Other = TypeVar("Other")  # what the other operand may be
Result = TypeVar("Result", bound=Node)  # the kind of node that then results
Plain = TypeVar("Plain")  # a result without a derivative: a float, or an array
Mask = TypeVar("Mask")  # the result of a comparison: a bool, or an array of them


def declined(op: Primitive, other: Any) -> NoReturn:
    """NotImplemented, if the class of the other operand has operators too; otherwise a TypeError that says which operands
    are accepted."""
    kind = type(other)
    if hasattr(kind, "__radd__") and kind.__module__ != "builtins" and not isinstance(other, Number):
        return NotImplemented  # type: ignore[misc]  # which Python takes for no result
    cure = ": use float(x)" if isinstance(other, Number) and not isinstance(other, complex) else ""
    raise TypeError(wrong(op.name, "the other operand", "a real number, an array or a node", other) + cure)


def is_plain(x: Any) -> bool:
    """Whether `x` is a real number or an array of real numbers, and not a node."""
    kinds = (np.ndarray, np.floating, np.integer, np.bool_)
    return isinstance(x, (float, int)) or (isinstance(x, kinds) and x.dtype.kind in "fiub")


class Operators(Node, Generic[Other, Result, Plain, Mask]):
    """Arithmetic on nodes. Each kind of node defines `_unary`, `_binary` and `_reflected`."""

    __slots__ = ()

    def _unary(self, op: Primitive) -> Result:
        raise NotImplementedError

    def _binary(self, op: Primitive, other: Other) -> Result:
        raise NotImplementedError

    def _reflected(self, op: Primitive, other: Other) -> Result:
        raise NotImplementedError

    def _compared(self, compare: Callable[[Any, Any], Any], op: Primitive, x: Any, y: Any) -> Mask:
        """A comparison: a bool or a mask, or a tracer where a program is traced."""
        if trace := current_trace():
            line: Mask = trace.compare(op, x, y)  # type: ignore[assignment]  # a tracer
            if line is not NotImplemented:
                return line
        try:
            mask: Mask = compare(value_of(x), value_of(y))
            return mask
        except FAILURES as error:
            raise refused(op.name, (x, y), error) from None

    # fmt: off
    def __pos__(self) -> Result: return cast("Result", self)
    def __neg__(self) -> Result: return self._unary(e.neg)
    def __abs__(self) -> Result: return self._unary(e.absolute)
    def __add__(self, other: Other) -> Result: return self._binary(e.add, other)
    def __radd__(self, other: Other) -> Result: return self._reflected(e.add, other)
    def __sub__(self, other: Other) -> Result: return self._binary(e.sub, other)
    def __rsub__(self, other: Other) -> Result: return self._reflected(e.sub, other)
    def __mul__(self, other: Other) -> Result: return self._binary(e.mul, other)
    def __rmul__(self, other: Other) -> Result: return self._reflected(e.mul, other)
    def __truediv__(self, other: Other) -> Result: return self._binary(e.div, other)
    def __rtruediv__(self, other: Other) -> Result: return self._reflected(e.div, other)
    def __floordiv__(self, other: Other) -> Plain: return cast("Plain", self._binary(e.floordiv, other))
    def __rfloordiv__(self, other: Other) -> Plain: return cast("Plain", self._reflected(e.floordiv, other))
    def __mod__(self, other: Other) -> Result: return self._binary(e.mod, other)
    def __rmod__(self, other: Other) -> Result: return self._reflected(e.mod, other)
    def __divmod__(self, other: Other) -> tuple[Plain, Result]: return self // other, self % other
    def __rdivmod__(self, other: Other) -> tuple[Plain, Result]: return other // self, other % self
    def __rpow__(self, other: Other) -> Result: return self._reflected(e.power, other)
    # fmt: on
    def __pow__(self, other: Other) -> Result:
        if (type(other) is int or type(other) is float) and other == 2:  # NumPy's numbers have a dtype of their own
            return self._unary(e.square)
        return self._binary(e.power, other)

    def clip(self, low: Any = None, high: Any = None) -> Result:
        """`x`, limited to the range from `low` to `high`, each of which may be None."""
        return cast("Result", e.clip(cast("Any", self), low, high))

    # fmt: off
    def exp(self) -> Result: return self._unary(e.exp)
    def expm1(self) -> Result: return self._unary(e.expm1)
    def log(self) -> Result: return self._unary(e.log)
    def log1p(self) -> Result: return self._unary(e.log1p)
    def log2(self) -> Result: return self._unary(e.log2)
    def log10(self) -> Result: return self._unary(e.log10)
    def sqrt(self) -> Result: return self._unary(e.sqrt)
    def cbrt(self) -> Result: return self._unary(e.cbrt)
    def square(self) -> Result: return self._unary(e.square)
    def abs(self) -> Result: return self._unary(e.absolute)
    def sin(self) -> Result: return self._unary(e.sin)
    def cos(self) -> Result: return self._unary(e.cos)
    def tan(self) -> Result: return self._unary(e.tan)
    def asin(self) -> Result: return self._unary(e.asin)
    def acos(self) -> Result: return self._unary(e.acos)
    def atan(self) -> Result: return self._unary(e.atan)
    def atan2(self, x: Other) -> Result: return self._binary(e.atan2, x)
    def sinh(self) -> Result: return self._unary(e.sinh)
    def cosh(self) -> Result: return self._unary(e.cosh)
    def tanh(self) -> Result: return self._unary(e.tanh)
    def asinh(self) -> Result: return self._unary(e.asinh)
    def acosh(self) -> Result: return self._unary(e.acosh)
    def atanh(self) -> Result: return self._unary(e.atanh)
    def sigmoid(self) -> Result: return self._unary(e.sigmoid)
    def softplus(self) -> Result: return self._unary(e.softplus)
    def relu(self) -> Result: return self._unary(e.relu)
    def erf(self) -> Result: return self._unary(e.erf)
    def erfc(self) -> Result: return self._unary(e.erfc)
    def sign(self) -> Plain: return cast("Plain", self._unary(e.sign))
    def floor(self) -> Plain: return cast("Plain", self._unary(e.floor))
    def ceil(self) -> Plain: return cast("Plain", self._unary(e.ceil))
    def hypot(self, other: Other) -> Result: return self._binary(e.hypot, other)
    def maximum(self, other: Other) -> Result: return self._binary(e.maximum, other)
    def minimum(self, other: Other) -> Result: return self._binary(e.minimum, other)
    def where(self, condition: Any, other: Other) -> Result: return cast("Result", e.where(condition, self, cast("Any", other)))

    def __eq__(self, other: object) -> Mask: return self._compared(operator.eq, e.equal, self, other)  # type: ignore[override]  # of arrays: an array
    def __ne__(self, other: object) -> Mask: return self._compared(operator.ne, e.not_equal, self, other)  # type: ignore[override]  # of arrays: an array
    def __lt__(self, other: Other) -> Mask: return self._compared(operator.gt, e.greater, other, self)
    def __le__(self, other: Other) -> Mask: return self._compared(operator.ge, e.greater_equal, other, self)
    def __gt__(self, other: Other) -> Mask: return self._compared(operator.gt, e.greater, self, other)
    def __ge__(self, other: Other) -> Mask: return self._compared(operator.ge, e.greater_equal, self, other)
    # NumPy's functions of object arrays call these methods of each element.
    def fmod(self, other: Other) -> Result: return self._binary(e.fmod, other)
    def exp2(self) -> Result: return self._reflected(e.power, cast("Other", 2.0))
    def rint(self) -> Plain: return cast("Plain", np.rint(self))
    def degrees(self) -> Result: return cast("Result", algebra.degrees(self))
    def radians(self) -> Result: return cast("Result", algebra.radians(self))
    def conjugate(self) -> Result: return cast("Result", self)
    def logical_xor(self, other: Other) -> bool: return bool(self) != bool(other)
    # fmt: on
    arcsin, arccos, arctan, arctan2, arcsinh, arccosh, arctanh = asin, acos, atan, atan2, asinh, acosh, atanh
    fabs, rad2deg, deg2rad = abs, degrees, radians
    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self._data)

    def __float__(self) -> float:
        raise TypeError(
            f"float() or a function of math would detach this {type(self).__name__} from its graph: use .item() for "
            "the number, or ag.sin and its kin, which differentiate, in place of math.sin"
        )

    def __int__(self) -> int:
        raise TypeError(f"int() would detach this {type(self).__name__} from its graph: use int(x.item()), or ag.floor")

    __trunc__ = __int__

    def __index__(self) -> int:
        raise TypeError(
            f"a count or an index must be an integer, and a {type(self).__name__} is a float in a graph: use "
            "int(x.item()), or x.numpy().astype(int) for an array of indices"
        )

    def __complex__(self) -> complex:
        raise TypeError(f"a {type(self).__name__} is real: complex numbers have no rules here")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str] | None:
        """What a notebook shows: the drawing of the graph."""
        return drawn(self)

    __array_ufunc__ = array_ufunc

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in other_engines.NAMES]


for _name, _method in vars(Operators).items():  # the docstrings of the methods of one line
    if _name[0] != "_" and isinstance(_method, FunctionType) and not _method.__doc__:
        _method.__doc__ = f"`{_name}`, elementwise." if _name in e.ELEMENTWISE else f"NumPy's `{_name}`, elementwise."


for _name in other_engines.NAMES:
    setattr(Operators, _name, other_engines.Elsewhere(_name))


class Updates(Node):
    """Augmented assignments to parameters: `p -= 0.1 * p.grad` changes the parameter itself, or raises.

    With a node on the right they make a new node, as with any other node on the left: `out = layer.b; out += w * x`.
    With numbers or arrays on the right that would lose the update: only the name would be bound to the new node.
    """

    __slots__ = ()

    def _is_parameter(self) -> bool:
        """Whether this node is a parameter."""
        raise NotImplementedError

    def _update(self, op: Primitive, other: Any) -> None:
        """Set the data to `op` of it and `other`, a number or an array."""
        raise NotImplementedError

    def _updated(self, op: Primitive, other: Any) -> bool:
        """Update this node by `op` and `other` if it is a parameter, and return whether it was done."""
        if not self._is_parameter() or not is_plain(other):
            return False
        if is_recording():
            raise TypeError(
                f"{op.name} in place of a parameter ({type(self).__name__}{' ' + repr(self.label) if self.label else ''}), "
                "where operations are recorded, would lose the update: write it under `with ag.no_grad():`, or to "
                "`p.data`, as in `p.data -= 0.1 * p.grad`, or leave it to an optimizer; for a new node write `q = p + 1`"
            )
        if self.op is not None:
            raise TypeError(
                "a parameter cannot be changed within a function that is being differentiated with respect to it: take "
                "the step outside of it"
            )
        self._update(op, other)
        return True

    def _assigned(self, op: Primitive, compute: Callable[[Any, Any], Any], other: Any) -> Self:
        return self if self._updated(op, other) else compute(self, other)

    # fmt: off
    def __iadd__(self, other: Any) -> Self: return self._assigned(e.add, operator.add, other)
    def __isub__(self, other: Any) -> Self: return self._assigned(e.sub, operator.sub, other)
    def __imul__(self, other: Any) -> Self: return self._assigned(e.mul, operator.mul, other)
    def __itruediv__(self, other: Any) -> Self: return self._assigned(e.div, operator.truediv, other)
    def __ifloordiv__(self, other: Any) -> Self: return self._assigned(e.floordiv, operator.floordiv, other)
    def __imod__(self, other: Any) -> Self: return self._assigned(e.mod, operator.mod, other)
    def __ipow__(self, other: Any) -> Self: return self._assigned(e.power, operator.pow, other)
