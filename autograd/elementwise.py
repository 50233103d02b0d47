"""The operations shared by scalars and arrays, each with its derivatives, once.

Conventions, where mathematics leaves a choice: `abs`, `relu` and `sign` have slope 0 at 0; `maximum` and `minimum`
split a tie evenly; `hypot` has slope 0 at the origin; `0**y` has slope 0 in y, or -inf where y < 0. Floats follow
IEEE 754 where Python would raise: `div(1.0, 0.0)` is inf, `log(0.0)` is -inf, `power(-8.0, 1/3)` is nan.

Where a slope is such a convention for want of a derivative (`hypot`, `atan2`, a norm or a standard deviation at the
origin), second derivatives are nan. Slopes keep their digits far out too, but for those of `tanh` and, on the positive
side, `sigmoid`: computed from the output as `1 - z * z` and `z * (1 - z)` they are exact to within a rounding of 1, and 0
where the output is 1.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.forks import importing
from autograd.graph import Primitive, Rule, opposite, same

ELEMENTWISE: dict[str, Primitive] = {}

LN2, LN10 = math.log(2.0), math.log(10.0)
TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)


def primitive(name: str, scalar: Callable[..., float], array: Callable[..., Any], *rules: Rule | None) -> Primitive:
    """Define an elementwise operation by its float forward, its array forward and one rule an argument."""
    ELEMENTWISE[name] = op = Primitive(name, scalar, array, *rules, elementwise=True)
    return op


def ieee(scalar: Callable[..., float], array: Callable[..., Any]) -> Callable[..., float]:
    """`scalar`, with IEEE's answer (which NumPy knows) in place of an exception or a complex number."""

    def forward(*args: float) -> float:
        try:
            return scalar(*args)
        except (ArithmeticError, ValueError):
            with np.errstate(all="ignore"):
                return float(array(*map(np.float64, args)))

    return forward


# ---- Forwards that neither math nor NumPy has in the form needed


def _of_scipy(name: str) -> Callable[[Any], Any]:
    def forward(x: Any) -> Any:
        try:
            with importing:
                import scipy.special as special
        except ImportError:  # NumPy has none: one call of math's an element
            return np.vectorize(getattr(math, name), otypes=[float])(x).astype(np.result_type(x, np.float16))[()]
        return getattr(special, name)(x)

    return forward


def _sigmoid(x: Any) -> Any:
    e = np.exp(np.copysign(x, -1.0))  # at most 1, so it never overflows; copysign refuses complex numbers
    return np.exp(np.minimum(x, 0.0)) / (1 + e)


def _sigmoid_float(x: float) -> float:
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def _softplus_float(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x))) if x == x else x


def _typed(comparison: Callable[..., Any]) -> Callable[..., Any]:
    """A comparison whose True and False are the operands' own 1 and 0."""

    def forward(*args: Any) -> Any:
        return comparison(*args).astype(np.result_type(*args, np.float16))

    return forward


def _power(x: Any, y: Any) -> Any:
    z = np.power(x, y)
    if np.ndim(y) == 0 and y == 0.5:  # for which NumPy takes the square root: not the power of -0 and -inf
        z = np.where(np.equal(x, -np.inf), np.asarray(np.inf, z.dtype), z + 0)[()]
    return z


def _ratio(x: Any, y: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.where(np.equal(y, 0), np.zeros((), np.result_type(x, y)), np.true_divide(x, y))[()]


def _step(x: Any) -> Any:
    x = np.asarray(x)
    return np.greater(x, 0).astype(x.dtype if x.dtype.kind == "f" else np.float64)


def _whole(rounding: Callable[[float], int]) -> Callable[[float], float]:
    return lambda x: math.copysign(float(rounding(x)), x)


def _where_float(condition: float, x: float, y: float) -> float:
    return float(x if condition else y)


# ---- Comparisons and steps: derivative zero. Rules use these, so that a recorded rule never freezes a branch.

step = primitive("step", lambda x: 1.0 if x > 0.0 else 0.0, _step, None)
wins = primitive(
    "wins",  # the share that x has in max(x, y): 1, 1/2 or 0
    lambda x, y: 1.0 if x > y else 0.5 if x == y else 0.0,
    lambda x, y: (_typed(np.greater)(x, y) + _typed(np.greater_equal)(x, y)) / 2,
    None,
    None,
)
where: Primitive = primitive(
    "where",
    _where_float,
    np.where,
    None,
    lambda g, z, c, x, y: where(c, g, 0.0),
    lambda g, z, c, x, y: where(c, 0.0, g),
)
equals = primitive("equals", lambda x, y: 1.0 if x == y else 0.0, _typed(np.equal), None, None)
differs = primitive("differs", lambda x, y: 1.0 if x != y else 0.0, _typed(np.not_equal), None, None)
greater = primitive("greater", lambda x, y: 1.0 if x > y else 0.0, _typed(np.greater), None, None)
at_least = primitive("at_least", lambda x, y: 1.0 if x >= y else 0.0, _typed(np.greater_equal), None, None)
finite = primitive("finite", lambda x: 1.0 if math.isfinite(x) else 0.0, _typed(np.isfinite), None)
sign = primitive("sign", lambda x: 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 if x == x else x, np.sign, None)
floor = primitive("floor", ieee(_whole(math.floor), np.floor), np.floor, None)
ceil = primitive("ceil", ieee(_whole(math.ceil), np.ceil), np.ceil, None)


def nonzero(x: Any) -> Any:
    """`x`, with 1 in the place of 0, to divide by."""
    return where(x, x, 1.0)


# ---- Arithmetic

identity = primitive("identity", lambda x: x, lambda x: x, same)
neg = primitive("neg", operator.neg, np.negative, lambda g, z, x: -g)
add = primitive("add", operator.add, np.add, same, same)
sub = primitive("sub", operator.sub, np.subtract, same, opposite)
mul = primitive("mul", operator.mul, np.multiply, lambda g, z, x, y: g * y, lambda g, z, x, y: g * x)
div = primitive(
    "div",
    ieee(operator.truediv, np.true_divide),
    np.true_divide,
    lambda g, z, x, y: g / y,
    lambda g, z, x, y: -g * z / y,
)
# A slope at a kink: 0 where y is 0, and so too its own derivative is nan there, for it has none.
ratio: Primitive = primitive(
    "ratio",
    lambda x, y: x / y if y != 0.0 else 0.0,
    lambda x, y: _ratio(x, y),
    lambda g, z, x, y: g / where(y, y, math.nan),
    lambda g, z, x, y: -g * z / where(y, y, math.nan),
)
# x / hypot(x, y), the cosine of the angle of (x, y), with derivatives from which nothing is cancelled
cosine: Primitive = primitive(
    "cosine",
    lambda x, y: ratio(x, math.hypot(x, y)),
    lambda x, y: _ratio(x, np.hypot(x, y)),
    lambda g, z, x, y: g * cosine(y, x) * cosine(y, x) / where(hypot(x, y), hypot(x, y), math.nan),
    lambda g, z, x, y: -g * z * cosine(y, x) / where(hypot(x, y), hypot(x, y), math.nan),
)
square = primitive("square", lambda x: x * x, np.square, lambda g, z, x: g * (2.0 * x))
power: Primitive = primitive(
    "power",
    ieee(lambda x, y: x * x if y == 2.0 else math.pow(x, y), np.power),
    _power,
    lambda g, z, x, y: g * y * power(where(y, x, nonzero(x)), y - 1.0),
    lambda g, z, x, y: g * z * log(where(x, x, at_least(y, 0.0))),
)
floordiv = primitive("floordiv", ieee(operator.floordiv, np.floor_divide), np.floor_divide, None, None)
mod = primitive("mod", ieee(operator.mod, np.remainder), np.remainder, same, lambda g, z, x, y: -g * floordiv(x, y))
fmod = Primitive(  # NumPy's and C's, which a user meets as np.fmod alone: no member of the table
    "fmod",
    ieee(math.fmod, np.fmod),
    np.fmod,
    same,
    lambda g, z, x, y: -g * (sign(x / y) * floor(abs(x / y))),
    elementwise=True,
)
absolute = primitive("abs", abs, np.abs, lambda g, z, x: g * sign(x))
maximum = primitive(
    "maximum",
    lambda x, y: x if x >= y or x != x else y,
    np.maximum,
    lambda g, z, x, y: g * wins(x, y),
    lambda g, z, x, y: g * wins(y, x),
)
minimum = primitive(
    "minimum",
    lambda x, y: x if x <= y or x != x else y,
    np.minimum,
    lambda g, z, x, y: g * wins(y, x),
    lambda g, z, x, y: g * wins(x, y),
)
hypot: Primitive = primitive(
    "hypot",
    lambda x, y: math.hypot(x, y),  # of two: that of math takes any number
    np.hypot,
    lambda g, z, x, y: g * cosine(x, y),
    lambda g, z, x, y: g * cosine(y, x),
)

# ---- Exponentials, logarithms, roots

exp = primitive("exp", ieee(math.exp, np.exp), np.exp, lambda g, z, x: g * z)
expm1 = primitive("expm1", ieee(math.expm1, np.expm1), np.expm1, lambda g, z, x: g * exp(x))
log: Primitive = primitive("log", ieee(math.log, np.log), np.log, lambda g, z, x: g / x)
log1p = primitive("log1p", ieee(math.log1p, np.log1p), np.log1p, lambda g, z, x: g / (1.0 + x))
log2 = primitive("log2", ieee(math.log2, np.log2), np.log2, lambda g, z, x: g / LN2 / x)
log10 = primitive("log10", ieee(math.log10, np.log10), np.log10, lambda g, z, x: g / LN10 / x)
sqrt = primitive("sqrt", ieee(math.sqrt, np.sqrt), np.sqrt, lambda g, z, x: g * 0.5 / z)
cbrt = primitive("cbrt", math.cbrt, np.cbrt, lambda g, z, x: g / (3.0 * z * z))

# ---- Trigonometry

sin = primitive("sin", ieee(math.sin, np.sin), np.sin, lambda g, z, x: g * cos(x))
cos: Primitive = primitive("cos", ieee(math.cos, np.cos), np.cos, lambda g, z, x: -g * sin(x))
tan = primitive("tan", ieee(math.tan, np.tan), np.tan, lambda g, z, x: g * (1.0 + z * z))
cosquare = primitive(  # 1 - x², exact where it is small, as its derivative is where x is
    "cosquare", lambda x: (1.0 - x) * (1.0 + x), lambda x: (1.0 - x) * (1.0 + x), lambda g, z, x: g * (-2.0 * x)
)
asin = primitive("asin", ieee(math.asin, np.arcsin), np.arcsin, lambda g, z, x: g / sqrt(cosquare(x)))
acos = primitive("acos", ieee(math.acos, np.arccos), np.arccos, lambda g, z, x: -g / sqrt(cosquare(x)))
atan = primitive("atan", math.atan, np.arctan, lambda g, z, x: g / (1.0 + x * x))
atan2 = primitive(
    "atan2",
    math.atan2,
    np.arctan2,
    lambda g, z, y, x: g * ratio(cosine(x, y), hypot(x, y)),
    lambda g, z, y, x: -g * ratio(cosine(y, x), hypot(x, y)),
)

# ---- Hyperbolic functions

sinh = primitive("sinh", ieee(math.sinh, np.sinh), np.sinh, lambda g, z, x: g * cosh(x))
cosh: Primitive = primitive("cosh", ieee(math.cosh, np.cosh), np.cosh, lambda g, z, x: g * sinh(x))
tanh = primitive("tanh", math.tanh, np.tanh, lambda g, z, x: g * (1.0 - z * z))
asinh = primitive("asinh", math.asinh, np.arcsinh, lambda g, z, x: g / hypot(x, 1.0))
acosh = primitive(
    "acosh", ieee(math.acosh, np.arccosh), np.arccosh, lambda g, z, x: g / (sqrt(x - 1.0) * sqrt(x + 1.0))
)
atanh = primitive("atanh", ieee(math.atanh, np.arctanh), np.arctanh, lambda g, z, x: g / cosquare(x))

# ---- Functions of neural networks and statistics

sigmoid = primitive("sigmoid", _sigmoid_float, _sigmoid, lambda g, z, x: g * z * (1.0 - z))
softplus = primitive(
    "softplus",
    _softplus_float,
    lambda x: np.maximum(x, 0.0) + np.log1p(np.exp(np.copysign(x, -1.0))),  # in a sixth of the time of np.logaddexp
    lambda g, z, x: g * sigmoid(x),
)
relu = primitive(
    "relu", lambda x: x if x > 0.0 or x != x else 0.0, lambda x: np.maximum(x, 0.0), lambda g, z, x: g * step(x)
)
erf = primitive("erf", math.erf, _of_scipy("erf"), lambda g, z, x: g * TWO_OVER_ROOT_PI * exp(-x * x))
erfc = primitive("erfc", math.erfc, _of_scipy("erfc"), lambda g, z, x: -g * TWO_OVER_ROOT_PI * exp(-x * x))


WEAK = (float, int, bool)  # Python's numbers, which take the dtype of what they meet; NumPy's have their own


def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """`x`, kept between `low` and `high`, each of which may be None.

    >>> clip(3.0, 0.0, 1.0)
    1.0
    """
    if low is not None:
        if high is not None and type(high) not in WEAK and type(low) in WEAK:
            low = _strong(low, x, high)  # in the dtype of the result, as NumPy's is
        x = maximum(x, low)
    return x if high is None else minimum(x, high)


def _strong(low: Any, x: Any, high: Any) -> Any:
    dtypes = [v.dtype for v in (x, high) if hasattr(v, "dtype")]
    return np.result_type(*dtypes).type(low) if len(dtypes) == 2 and dtypes[0] != dtypes[1] else low
