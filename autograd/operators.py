"""The Python operators and the elementwise methods, written out once, for both kinds of node."""

from __future__ import annotations

import operator
from collections.abc import Callable
from numbers import Number
from typing import Any

import numpy as np

from autograd import elementwise as e
from autograd import modes
from autograd.arguments import FAILURES, refused, wrong
from autograd.graph import Node, Primitive, Slope, value_of


def boxed(x: Any) -> Any:
    """A node as a 0-d object array, so that NumPy treats it as one element."""
    if not isinstance(x, Node):
        return x
    box = np.empty((), dtype=object)
    box[()] = x
    return box


def _logaddexp_slope(x: Any, y: Any) -> Any:
    """The part that `exp(x)` has in `exp(x) + exp(y)`: a half of two equal infinities."""
    apart = x - y
    infinite = e.not_equal(apart, apart) * e.equal(x, y)
    return e.sigmoid(e.where(infinite, 0.0, apart))


def _float(ufunc: Any) -> Callable[..., float]:
    def forward(*args: float) -> float:
        with np.errstate(all="ignore"):
            return float(ufunc(*args))

    return forward


# What no formula in other operations gives: exact values, and derivatives of any order at ties and at infinities.
_logaddexp = Primitive(
    "logaddexp",
    _float(np.logaddexp),
    np.logaddexp,
    Slope(lambda z, x, y: _logaddexp_slope(x, y)),
    Slope(lambda z, x, y: _logaddexp_slope(y, x)),
    elementwise=True,
)


_DEGREE = np.longdouble("3.14159265358979323846264338327950288") / 180


def _in_dtype_of(x: Any, constant: np.longdouble) -> Any:
    return constant if x.dtype == np.longdouble else float(constant)


def _heaviside(x: Any, y: Any) -> Any:
    jump = np.heaviside(value_of(x), value_of(y))
    return e.where(np.equal(value_of(x), 0.0), y, jump) if isinstance(y, Node) else jump


# Which operation each of NumPy's ufuncs is, and each of its reductions. The modules of arrays/ add theirs.
UFUNCS: dict[Any, Callable[..., Any]] = {
    op.array: op for op in e.ELEMENTWISE.values() if isinstance(op.array, np.ufunc)
}
UFUNCS |= {
    np.positive: e.identity,
    np.fabs: e.absolute,
    np.power: e.power,
    np.reciprocal: lambda x: 1.0 / x,
    np.fmod: e.fmod,
    np.conjugate: e.identity,
    np.fmax: lambda x, y: e.where(np.isnan(value_of(y)), x, e.where(np.isnan(value_of(x)), y, e.maximum(x, y))),
    np.fmin: lambda x, y: e.where(np.isnan(value_of(y)), x, e.where(np.isnan(value_of(x)), y, e.minimum(x, y))),
    np.heaviside: _heaviside,
    np.exp2: lambda x: e.power(2.0, x),
    np.logaddexp: _logaddexp,
    np.deg2rad: lambda x: x * _in_dtype_of(x, _DEGREE),
    np.radians: lambda x: x * _in_dtype_of(x, _DEGREE),
    np.rad2deg: lambda x: x * _in_dtype_of(x, 1 / _DEGREE),
    np.degrees: lambda x: x * _in_dtype_of(x, 1 / _DEGREE),
}
REDUCTIONS: dict[Any, Callable[..., Any]] = {}

# Results that do not vary with their inputs: computed and returned as plain arrays.
CONSTANT_UFUNCS = {
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.isnan, np.isinf, np.isfinite, np.signbit, np.rint, np.trunc, np.spacing,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
}  # fmt: skip


def _compared(compare: Callable[[Any, Any], Any], op: Primitive, x: Any, y: Any) -> Any:
    """A comparison: a plain truth, or a line of the program that is being made."""
    if trace := modes.current_trace():
        line = trace.compare(op, x, y)
        if line is not NotImplemented:
            return line
    try:
        return compare(value_of(x), value_of(y))
    except FAILURES as error:
        raise refused(op.name, (x, y), error) from None


def declined(op: Primitive, other: Any) -> Any:
    """NotImplemented, where the class of the other operand may know what to do, and otherwise a TypeError that says what
    operands there are."""
    kind = type(other)
    if hasattr(kind, "__radd__") and kind.__module__ != "builtins" and not isinstance(other, Number):
        return NotImplemented
    cure = ": use float(x)" if isinstance(other, Number) and not isinstance(other, complex) else ""
    raise TypeError(wrong(op.name, "the other operand", "a real number, an array or a node", other) + cure)


class Operators(Node):
    """Arithmetic on nodes. A kind of node says how it records one operand, two, and two the other way round."""

    __slots__ = ()

    def _binary(self, op: Primitive, other: Any) -> Any:
        raise NotImplementedError

    def _reflected(self, op: Primitive, other: Any) -> Any:
        raise NotImplementedError

    # fmt: off  # one line each, so that the list of operators reads as a list
    def __pos__(self) -> Any:
        return self

    def __neg__(self) -> Any:
        return self._unary(e.neg)

    def __abs__(self) -> Any:
        return self._unary(e.absolute)

    def __add__(self, other: Any) -> Any:
        return self._binary(e.add, other)

    def __radd__(self, other: Any) -> Any:
        return self._reflected(e.add, other)

    def __sub__(self, other: Any) -> Any:
        return self._binary(e.sub, other)

    def __rsub__(self, other: Any) -> Any:
        return self._reflected(e.sub, other)

    def __mul__(self, other: Any) -> Any:
        return self._binary(e.mul, other)

    def __rmul__(self, other: Any) -> Any:
        return self._reflected(e.mul, other)

    def __truediv__(self, other: Any) -> Any:
        return self._binary(e.div, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._reflected(e.div, other)

    def __floordiv__(self, other: Any) -> Any:
        return self._binary(e.floordiv, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._reflected(e.floordiv, other)

    def __mod__(self, other: Any) -> Any:
        return self._binary(e.mod, other)

    def __rmod__(self, other: Any) -> Any:
        return self._reflected(e.mod, other)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __rpow__(self, other: Any) -> Any:
        return self._reflected(e.power, other)

    # fmt: on
    def __pow__(self, other: Any) -> Any:
        if (type(other) is int or type(other) is float) and other == 2:  # NumPy's numbers have a dtype of their own
            return self._unary(e.square)
        return self._binary(e.power, other)

    # fmt: off
    def exp(self) -> Any: return self._unary(e.exp)
    def expm1(self) -> Any: return self._unary(e.expm1)
    def log(self) -> Any: return self._unary(e.log)
    def log1p(self) -> Any: return self._unary(e.log1p)
    def log2(self) -> Any: return self._unary(e.log2)
    def log10(self) -> Any: return self._unary(e.log10)
    def sqrt(self) -> Any: return self._unary(e.sqrt)
    def cbrt(self) -> Any: return self._unary(e.cbrt)
    def square(self) -> Any: return self._unary(e.square)
    def abs(self) -> Any: return self._unary(e.absolute)
    def sin(self) -> Any: return self._unary(e.sin)
    def cos(self) -> Any: return self._unary(e.cos)
    def tan(self) -> Any: return self._unary(e.tan)
    def asin(self) -> Any: return self._unary(e.asin)
    def acos(self) -> Any: return self._unary(e.acos)
    def atan(self) -> Any: return self._unary(e.atan)
    def atan2(self, x: Any) -> Any: return self._binary(e.atan2, x)
    def sinh(self) -> Any: return self._unary(e.sinh)
    def cosh(self) -> Any: return self._unary(e.cosh)
    def tanh(self) -> Any: return self._unary(e.tanh)
    def asinh(self) -> Any: return self._unary(e.asinh)
    def acosh(self) -> Any: return self._unary(e.acosh)
    def atanh(self) -> Any: return self._unary(e.atanh)
    def sigmoid(self) -> Any: return self._unary(e.sigmoid)
    def softplus(self) -> Any: return self._unary(e.softplus)
    def relu(self) -> Any: return self._unary(e.relu)
    def erf(self) -> Any: return self._unary(e.erf)
    def erfc(self) -> Any: return self._unary(e.erfc)
    def sign(self) -> Any: return self._unary(e.sign)
    def floor(self) -> Any: return self._unary(e.floor)
    def ceil(self) -> Any: return self._unary(e.ceil)
    def hypot(self, other: Any) -> Any: return self._binary(e.hypot, other)
    def maximum(self, other: Any) -> Any: return self._binary(e.maximum, other)
    def minimum(self, other: Any) -> Any: return self._binary(e.minimum, other)
    def clip(self, low: Any = None, high: Any = None) -> Any: return e.clip(self, low, high)
    def where(self, condition: Any, other: Any) -> Any: return e.where(condition, self, other)

    def __eq__(self, other: Any) -> Any: return _compared(operator.eq, e.equal, self, other)
    def __ne__(self, other: Any) -> Any: return _compared(operator.ne, e.not_equal, self, other)
    def __lt__(self, other: Any) -> Any: return _compared(operator.gt, e.greater, other, self)
    def __le__(self, other: Any) -> Any: return _compared(operator.ge, e.greater_equal, other, self)
    def __gt__(self, other: Any) -> Any: return _compared(operator.gt, e.greater, self, other)
    def __ge__(self, other: Any) -> Any: return _compared(operator.ge, e.greater_equal, self, other)
    # By these names NumPy's functions of object arrays look for what to do with each element.
    def arcsin(self) -> Any: return self._unary(e.asin)
    def arccos(self) -> Any: return self._unary(e.acos)
    def arctan(self) -> Any: return self._unary(e.atan)
    def arctan2(self, x: Any) -> Any: return self._binary(e.atan2, x)
    def arcsinh(self) -> Any: return self._unary(e.asinh)
    def arccosh(self) -> Any: return self._unary(e.acosh)
    def arctanh(self) -> Any: return self._unary(e.atanh)
    def fmod(self, other: Any) -> Any: return self._binary(e.fmod, other)
    def exp2(self) -> Any: return np.exp2(self)
    def fabs(self) -> Any: return self._unary(e.absolute)
    def rint(self) -> Any: return np.rint(self)
    def degrees(self) -> Any: return np.degrees(self)
    def radians(self) -> Any: return np.radians(self)
    def conjugate(self) -> Any: return self
    def logical_xor(self, other: Any) -> Any: return bool(self) != bool(other)
    # fmt: on
    rad2deg, deg2rad = degrees, radians
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

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs and ufunc in UFUNCS:
            for x in inputs:
                if isinstance(x, (list, tuple)) or (isinstance(x, np.ndarray) and x.dtype.char == "O"):
                    break
            else:
                return UFUNCS[ufunc](*inputs)
        return _rarer_call(ufunc, method, inputs, kwargs)


def _rarer_call(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A ufunc of nodes: of lists or objects too, with further arguments, by another method, or of plain results."""
    kwargs = {key: value for key, value in kwargs.items() if not _is_default(key, value)}
    name = _name(ufunc) + ("" if method == "__call__" else f".{method}")
    inputs = tuple(np.asarray(x) if isinstance(x, (list, tuple)) else x for x in inputs)
    if method == "__call__" and not kwargs:
        if any(isinstance(x, np.ndarray) and x.dtype == object for x in inputs):
            if any(isinstance(x, Node) and np.ndim(x._data) for x in inputs):
                raise TypeError(f"{name} of a Tensor and an array of objects: make it a Tensor too, with ag.stack")
            return ufunc(*map(boxed, inputs))
        if ufunc in UFUNCS:
            return UFUNCS[ufunc](*inputs)
        if ufunc is np.divmod:
            return e.floordiv(*inputs), e.mod(*inputs)
    elif method == "reduce" and ufunc in REDUCTIONS and not kwargs.get("out"):
        return REDUCTIONS[ufunc](*inputs, **({"axis": 0} | kwargs))
    out = kwargs.get("out", ())
    into_objects = out and all(isinstance(x, np.ndarray) and x.dtype == object for x in out)
    if into_objects and not any(isinstance(x, Node) and np.ndim(x._data) for x in inputs):
        return getattr(ufunc, method)(*map(boxed, inputs), **kwargs)
    if ufunc in CONSTANT_UFUNCS and method != "at" and not any(isinstance(x, Node) for x in out):
        return getattr(ufunc, method)(*map(value_of, inputs), **kwargs)
    if out:
        raise TypeError(
            f"{name} cannot write a node into an existing array, which would detach it from its graph: "
            "write `a = a + t` in place of `a += t`, and leave out `out=`"
        )
    raise no_rule(name, kwargs if method == "__call__" else ())


_DEFAULTS = {"out": None, "where": True, "dtype": None, "casting": "same_kind", "order": "K", "subok": True}


def _is_default(key: str, value: Any) -> bool:
    return value is np._NoValue or (
        key in _DEFAULTS and isinstance(value, (bool, str, type(None))) and value == _DEFAULTS[key]
    )


def _name(ufunc: Any) -> str:
    """What a ufunc is called: those of SciPy and others are not NumPy's."""
    name: str = ufunc.__name__
    return f"np.{name}" if getattr(np, name, None) is ufunc else f"the ufunc {name}, which is not NumPy's,"


# What is ours of the ufuncs of scipy.special, where it goes by another name or is a formula.
_OURS = {
    "expit": "ag.sigmoid",
    "log_expit": "-ag.softplus(-x)",
    "ndtr": "ag.erfc(-x / 2**0.5) / 2",
    "logit": "ag.log(x / (1 - x))",
    "exp10": "10.0**x",
    "exp2": "2.0**x",
    "xlogy": "x * ag.log(y)",
    "xlog1py": "x * ag.log1p(y)",
}


def no_rule(name: str, kwargs: Any = ()) -> TypeError:
    """The error for what NumPy, or another library, has and we have not; with the arguments that make the difference."""
    what = f"{name} with {', '.join(kwargs)}" if kwargs else name
    ours = name.removeprefix("the ufunc ").removesuffix(", which is not NumPy's,")
    if name != ours and (ours in e.ELEMENTWISE or ours in _OURS):
        return TypeError(f"{what} has no rule here: use {_OURS.get(ours) or f'ag.{ours}'}")
    return TypeError(
        f"{what} has no rule here: write it with functions that have one, or define an @ag.primitive (its .numpy() would "
        "detach: no derivative goes through what is computed with that, and gradients would be zero in silence)"
    )
