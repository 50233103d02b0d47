"""The table of elementwise operations: one record each, with its slopes, for floats, arrays and nodes alike.

The engine multiplies with a slope in one place, `times(outer, inner)`: an outer factor of exactly zero gives zero, also
times infinity and nan. The outer factor is the cotangent in reverse mode and the slope in forward mode; a mask, which
selects, is always the outer factor. So an infinity or nan that is not selected does not leak.

Conventions, where mathematics leaves a choice: `abs`, `relu` and `sign` have slope 0 at 0; `maximum` and `minimum`
split a tie evenly; `hypot` has slope 0 at the origin; `0**y` has slope 0 in y, or -inf where y < 0. Floats follow
IEEE 754 where Python would raise: `div(1.0, 0.0)` is inf, `log(0.0)` is -inf, `power(-8.0, 1/3)` is nan.

Where a slope is a convention because there is no derivative (`hypot`, `atan2`, a norm or a standard deviation at the
origin), second derivatives are nan. Slopes keep their digits also far from the origin, except those of `tanh` and, on
the positive side, `sigmoid`: computed from the output as `1 - z * z` and `z * (1 - z)`, they are exact to within a
rounding of 1, and 0 where the output is 1.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import forwards
from autograd.graph import ONE, Primitive, Slope, factors, fraction, mask, over

if TYPE_CHECKING:
    from autograd.typing import N, Value

ELEMENTWISE: dict[str, Primitive] = {}

LOG2_E, LOG10_E = 1.0 / math.log(2.0), 1.0 / math.log(10.0)
TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)


def op(name: str, scalar: Callable[..., float], array: Callable[..., Any], *slopes: Any, **facts: Any) -> Primitive:
    """Define an elementwise operation by its forward functions, of floats and of arrays, and a slope for each argument.

    A slope is a number, a function `(z, *inputs)` of the output and the inputs, or one of `over`, `fraction`, `factors` and `mask`;
    its result is an input, the output, or a new array. Where `scalar` raises, as the functions of math do, give
    `otherwise`: then the result is IEEE's. `facts` are the further arguments of `Primitive`.

    >>> from autograd.transforms import grad
    >>> softsign = op("softsign", lambda x: x / (1 + abs(x)), lambda x: x / (1 + np.abs(x)),
    ...               lambda z, x: (1.0 - abs(z)) ** 2, body=lambda x: x / (1.0 + abs(x)))
    >>> grad(softsign)(1.0)
    0.25
    >>> del ELEMENTWISE["softsign"]
    """
    if "otherwise" in facts:
        scalar = forwards.ieee(scalar, array)
    ELEMENTWISE[name] = made = Primitive(name, scalar, array, *map(_slope, slopes), elementwise=True, **facts)
    return made


def _slope(slope: Any) -> Slope | None:
    if isinstance(slope, Slope):
        return slope
    if callable(slope):
        return Slope(slope)
    return Slope(ONE if slope == 1.0 else lambda *_: slope, constant=slope) if slope else None


def _base(x: Any, y: Any) -> Any:
    """`x` with 1 in place of 0 where `y` is zero too, so that the slope of `x**0` is 0 there."""
    return x if type(y) is float and y else where(y, x, where(x, x, 1.0))


# ---- Bodies of more than a line


def _opposed(rest: Value, y: Value) -> bool:
    """Whether `rest` is not zero and has another sign than y."""
    return where(rest != 0.0, rest < 0.0, y < 0.0) != where(y < 0.0, 1.0, 0.0)


def _mod(x: Value, y: Value) -> Value:
    """From C's remainder, which has the sign of x. Python's has that of y."""
    rest = fmod(x, y)
    return where(rest != 0.0, where(_opposed(rest, y), rest + y, rest), where(y < 0.0, -0.0, 0.0))


def _floordiv(x: Value, y: Value) -> Value:
    """As Python has it: from the remainder, so that x == y * (x // y) + x % y as nearly as can be."""
    rest = fmod(x, y)
    exact = (x - rest) / y
    exact = where(_opposed(rest, y), exact - 1.0, exact)
    down = floor(exact)
    down = where(exact - down > 0.5, down + 1.0, down)
    quotient = x / y
    zero = where(quotient == 0.0, quotient, where(quotient < 0.0, -0.0, 0.0))
    return where(y == 0.0, quotient, where(exact != 0.0, down, zero))


# fmt: off

COMPARISON = {"is_comparison": True, "is_free": True, "hides_nan": True, "never_minus_zero": True}
STEP = {"hides_nan": True, "never_minus_zero": True}

# ---- Comparisons and steps: slope 0. Rules use these, so that a traced rule never freezes a branch.

equal = op("equal", lambda x, y: 1.0 if x == y else 0.0, forwards.typed(np.equal), 0.0, 0.0, infix="==", commutes=True, **COMPARISON, doc="1 where x is y, else 0")
not_equal = op("not_equal", lambda x, y: 1.0 if x != y else 0.0, forwards.typed(np.not_equal), 0.0, 0.0, infix="!=", commutes=True, latex=r"\ne", **COMPARISON, doc="1 where x is not y, else 0")
greater = op("greater", lambda x, y: 1.0 if x > y else 0.0, forwards.typed(np.greater), 0.0, 0.0, infix=">", **COMPARISON, doc="1 where x is greater, else 0")
greater_equal = op("greater_equal", lambda x, y: 1.0 if x >= y else 0.0, forwards.typed(np.greater_equal), 0.0, 0.0, infix=">=", latex=r"\ge", **COMPARISON, doc="1 where x is not less, else 0")
where: Primitive = op("where", forwards.where_float, np.where, 0.0, mask(lambda z, c, x, y: c != 0), mask(lambda z, c, x, y: c == 0),
                      python="{1} if {0} else {2}", c="{0} ? {1} : {2}", numpy="np.where", is_free=True, latex=r"\begin{{cases}} {1} & \text{{if }} {0} \\ {2} & \text{{otherwise}} \end{{cases}}", doc="x where c is true (not 0), else y")
step = op("step", lambda x: 1.0 if x > 0.0 else 0.0, forwards.step_array, 0.0, body=lambda x: where(x > 0.0, 1.0, 0.0), **STEP, doc="1 where x is positive, else 0")
isfinite = op("isfinite", lambda x: 1.0 if math.isfinite(x) else 0.0, forwards.typed(np.isfinite), 0.0, body=lambda x: where(x - x == 0.0, 1.0, 0.0), **STEP)
max_weight = op("max_weight",  # of x in max(x, y): 1, 1/2 or 0
                lambda x, y: 1.0 if x > y else 0.5 if x == y else 0.0, lambda x, y: (forwards.typed(np.greater)(x, y) + forwards.typed(np.greater_equal)(x, y)) / 2, 0.0, 0.0,
                body=lambda x, y: where(x > y, 1.0, where(x == y, 0.5, 0.0)), **STEP, doc="1 where x is greater, 1/2 where they are equal, 0 where y is")
sign = op("sign", lambda x: 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 if x == x else x, np.sign, 0.0,
          body=lambda x: where(x > 0.0, 1.0, where(x < 0.0, -1.0, where(x == 0.0, 0.0, x))), doc="1, 0 or -1, as x is positive, zero or negative")
floor = op("floor", forwards.whole(math.floor), np.floor, 0.0, c="floor", python="math.copysign(float(math.floor({0})), {0})", otherwise="x", latex=r"\lfloor {0} \rfloor", doc="the greatest integer that is not above x")
ceil = op("ceil", forwards.whole(math.ceil), np.ceil, 0.0, c="ceil", python="math.copysign(float(math.ceil({0})), {0})", otherwise="x", latex=r"\lceil {0} \rceil", doc="the least integer that is not below x")

# ---- Arithmetic

identity = op("identity", lambda x: x, lambda x: x, 1.0, body=lambda x: x, is_free=True)
stop_gradient = Primitive("stop_gradient", lambda x: x, lambda x: x, None, elementwise=True, body=lambda x: x, is_free=True)  # of programs alone
neg = op("neg", operator.neg, np.negative, -1.0, infix="-{0}", sign="−", doc="the negative")
add = op("add", operator.add, np.add, 1.0, 1.0, infix="+", commutes=True, identity=-0.0, doc="the sum")
sub = op("sub", operator.sub, np.subtract, 1.0, -1.0, infix="-", identity=0.0, sign="−", doc="the difference")
mul = op("mul", operator.mul, np.multiply, lambda z, x, y: y, lambda z, x, y: x, infix="*", commutes=True, identity=1.0, is_odd=True, sign="×", doc="the product")
div = op("div", operator.truediv, np.true_divide, over(lambda z, x, y: y), fraction(lambda z, x, y: (-z, y)),
         infix="/", is_odd=True, identity=1.0, otherwise="x * math.copysign(math.inf, y)", latex=r"\frac{{{0}}}{{{1}}}", sign="÷",
         hint="keep the divisor away from 0: x / (y + 1e-12), or choose with ag.where before dividing", doc="the quotient")
# The products of the chain rule, in which an outer factor of zero gives zero (a strong zero); and a mask that is 0 where
# it suppressed an infinity or a nan.
strong_mask = op("strong_mask", lambda x, y: 0.0 if x == 0.0 and y - y != 0.0 else 1.0, forwards.typed(lambda x, y: np.not_equal(x, 0) | np.isfinite(y)), 0.0, 0.0,
                 body=lambda x, y: where(x == 0.0, where(y - y == 0.0, 1.0, 0.0), 1.0), **STEP)
times: Primitive = op("times", lambda x, y: x * y if x else float(x), lambda x, y: np.where(np.equal(x, 0), x, x * y)[()],
                      lambda z, x, y: times(strong_mask(x, y), y), lambda z, x, y: x, body=lambda x, y: where(x == 0.0, x, x * y), sign="×")
quotient = op("quotient", lambda x, y: div.scalar(x, y) if x else float(x), lambda x, y: np.where(np.equal(x, 0), x, x / y)[()],
              fraction(lambda z, x, y: (strong_mask(x, 1.0 / y), y)), fraction(lambda z, x, y: (-z, y)), body=lambda x, y: where(x == 0.0, x, x / y), sign="÷")
# A slope with a kink: 0 where y is 0. It has no derivative there, so that is nan.
ratio: Primitive = op("ratio", lambda x, y: x / y if y != 0.0 else 0.0, forwards.ratio_array,
                      over(lambda z, x, y: where(y, y, math.nan)), fraction(lambda z, x, y: (where(y, -z, math.nan), y)),
                      body=lambda x, y: where(y != 0.0, x / y, 0.0), doc="x / y, and 0 where y is 0")
# x / hypot(x, y), the cosine of the angle of (x, y), with derivatives from which nothing is cancelled
cosine: Primitive = op("cosine", lambda x, y: ratio(x, math.hypot(x, y)), lambda x, y: forwards.ratio_array(x, np.hypot(x, y)),
                       fraction(lambda z, x, y: (where(hypot(x, y), cosine(y, x), math.nan), cosine(y, x), hypot(x, y))),
                       fraction(lambda z, x, y: (where(hypot(x, y), -z, math.nan), cosine(y, x), hypot(x, y))),
                       body=lambda x, y: ratio(x, hypot(x, y)), doc="x / hypot(x, y)")
square = op("square", lambda x: x * x, np.square, lambda z, x: 2.0 * x, body=lambda x: x * x, infix="{0}**2", latex="{0}^2", sign="x²", plain="{0}²", never_minus_zero=True, doc="the square")
power: Primitive = op("power", lambda x, y: x * x if y == 2.0 else math.pow(x, y), forwards.power_array,
                      factors(lambda z, x, y: (y, power(_base(x, y), y - 1.0))), factors(lambda z, x, y: (where(x < 0.0, math.nan, z), log(where(x, x, greater_equal(y, 0.0))))),
                      c="pow", infix="**", javascript="_power", numpy="np.float_power",  # for np.power takes sqrt for a constant 0.5, which differs at -inf and -0
                      python="{0} * {0} if {1} == 2.0 else math.pow({0}, {1})", hides_nan=True, latex="{0}^{{{1}}}", sign="xʸ",
                      otherwise="math.nan if x < 0.0 and math.fmod(y, 1.0) else math.copysign(math.inf, x) if abs(math.fmod(y, 2.0)) == 1.0 else math.inf",
                      hint="keep the base above 0: ag.maximum(x, 1e-12) ** y", doc="the power, of real numbers")
fmod = op("fmod", math.fmod, np.fmod, 1.0, lambda z, x, y: -(sign(x / y) * floor(abs(x / y))), c="fmod", javascript="{0} % {1}", otherwise="math.nan")
floordiv = op("floordiv", operator.floordiv, np.floor_divide, 0.0, 0.0, body=_floordiv, otherwise="math.nan", infix="//")
mod = op("mod", operator.mod, np.remainder, 1.0, lambda z, x, y: -floordiv(x, y), body=_mod, otherwise="math.nan", infix="%", latex=r"{0} \bmod {1}", doc="the remainder, with the sign of y")
absolute = op("abs", abs, np.abs, lambda z, x: sign(x), c="fabs", python="abs", javascript="Math.abs", latex=r"\left|{0}\right|", sign="|x|", never_minus_zero=True, is_even=True, doc="the absolute value")
maximum = op("maximum", lambda x, y: x if x >= y or x != x else y, np.maximum, mask(lambda z, x, y: max_weight(x, y)), mask(lambda z, x, y: max_weight(y, x)),
             body=lambda x, y: where(x >= y, x, where(x != x, x, y)), latex=r"\max", sign="max", doc="the greater of two")
minimum = op("minimum", lambda x, y: x if x <= y or x != x else y, np.minimum, mask(lambda z, x, y: max_weight(y, x)), mask(lambda z, x, y: max_weight(x, y)),
             body=lambda x, y: where(y >= x, x, where(x != x, x, y)), latex=r"\min", sign="min", doc="the lesser of two")
hypot: Primitive = op("hypot", lambda x, y: math.hypot(x, y),  # of two: that of math takes any number
                      np.hypot, lambda z, x, y: cosine(x, y), lambda z, x, y: cosine(y, x), c="hypot", hides_nan=True, never_minus_zero=True,
                      latex=r"\sqrt{{{0}^2 + {1}^2}}", doc="the length of the vector (x, y)")

# ---- Exponentials, logarithms, roots

exp = op("exp", math.exp, np.exp, lambda z, x: z, c="exp", otherwise="math.inf", latex="e^{{{0}}}", never_minus_zero=True,
         hint="subtract the largest exponent first, or use ag.softmax or ag.logsumexp", doc="the exponential")
expm1 = op("expm1", math.expm1, np.expm1, lambda z, x: exp(x), c="expm1", otherwise="math.inf", latex="e^{{{0}}} - 1", hint="keep the argument below 709", doc="exp(x) - 1, exact where it is small")
log: Primitive = op("log", math.log, np.log, over(lambda z, x: x), c="log", otherwise="-math.inf if x == 0.0 else math.nan", latex=r"\log",
                    hint="keep the argument above 0: ag.log(ag.maximum(x, 1e-12)), or use ag.log_softmax or ag.logsumexp", doc="the natural logarithm")
log1p = op("log1p", math.log1p, np.log1p, over(lambda z, x: 1.0 + x), c="log1p", otherwise="-math.inf if x == -1.0 else math.nan",
           latex=r"\log\left(1 + {0}\right)", hint="keep the argument above -1", doc="log(1 + x), exact where x is small")
log2 = op("log2", math.log2, np.log2, fraction(lambda z, x: (LOG2_E, x)), c="log2", otherwise="-math.inf if x == 0.0 else math.nan", latex=r"\log_2", hint=log.hint, doc="the logarithm to base 2")
log10 = op("log10", math.log10, np.log10, fraction(lambda z, x: (LOG10_E, x)), c="log10", otherwise="-math.inf if x == 0.0 else math.nan", latex=r"\log_{{10}}", hint=log.hint, doc="the logarithm to base 10")
sqrt = op("sqrt", math.sqrt, np.sqrt, over(lambda z, x: 2.0 * z), c="sqrt", otherwise="math.nan", latex=r"\sqrt{{{0}}}", sign="√",
          hint="keep the argument above 0, where the slope is infinite: ag.sqrt(x + 1e-12), or use ag.norm", doc="the square root")
cbrt = op("cbrt", math.cbrt, np.cbrt, over(lambda z, x: 3.0 * z * z), c="cbrt", latex=r"\sqrt[3]{{{0}}}",
          hint="keep the argument away from 0, where the slope is infinite", doc="the cube root")

# ---- Trigonometry

INSIDE = "keep the argument strictly between -1 and 1: ag.clip(x, -1 + 1e-7, 1 - 1e-7)"

sin = op("sin", math.sin, np.sin, lambda z, x: cos(x), c="sin", otherwise="math.nan", latex=r"\sin", doc="the sine")
cos: Primitive = op("cos", math.cos, np.cos, lambda z, x: -sin(x), c="cos", otherwise="math.nan", latex=r"\cos", doc="the cosine")
tan = op("tan", math.tan, np.tan, lambda z, x: 1.0 + z * z, c="tan", otherwise="math.nan", latex=r"\tan", doc="the tangent")
cosquare = op("cosquare",  # 1 - x², exact where it is small, as its derivative is where x is
              lambda x: (1.0 - x) * (1.0 + x), lambda x: (1.0 - x) * (1.0 + x), lambda z, x: -2.0 * x, body=lambda x: (1.0 - x) * (1.0 + x), latex="1 - {0}^2", doc="1 - x², exact where it is small")
asin = op("asin", math.asin, np.arcsin, over(lambda z, x: sqrt(cosquare(x))), c="asin", otherwise="math.nan", latex=r"\arcsin", hint=INSIDE, doc="the inverse sine, between -π/2 and π/2")
acos = op("acos", math.acos, np.arccos, over(lambda z, x: -sqrt(cosquare(x))), c="acos", otherwise="math.nan", latex=r"\arccos", hint=INSIDE, doc="the inverse cosine, between 0 and π")
atan = op("atan", math.atan, np.arctan, over(lambda z, x: 1.0 + x * x), c="atan", latex=r"\arctan", doc="the inverse tangent, between -π/2 and π/2")
atan2 = op("atan2", math.atan2, np.arctan2, lambda z, y, x: ratio(cosine(x, y), hypot(x, y)), lambda z, y, x: -ratio(cosine(y, x), hypot(x, y)), c="atan2", doc="the angle of the point (x, y), between -π and π")

# ---- Hyperbolic functions

sinh = op("sinh", math.sinh, np.sinh, lambda z, x: cosh(x), c="sinh", otherwise="math.copysign(math.inf, x)", latex=r"\sinh", doc="the hyperbolic sine")
cosh: Primitive = op("cosh", math.cosh, np.cosh, lambda z, x: sinh(x), c="cosh", otherwise="math.inf", latex=r"\cosh", never_minus_zero=True, doc="the hyperbolic cosine")
tanh = op("tanh", math.tanh, np.tanh, lambda z, x: 1.0 - z * z, c="tanh", latex=r"\tanh", doc="the hyperbolic tangent")
asinh = op("asinh", math.asinh, np.arcsinh, over(lambda z, x: hypot(x, 1.0)), c="asinh", doc="the inverse hyperbolic sine")
acosh = op("acosh", math.acosh, np.arccosh, over(lambda z, x: sqrt(x - 1.0) * sqrt(x + 1.0)), c="acosh", otherwise="math.nan", hint="keep the argument above 1", doc="the inverse hyperbolic cosine")
atanh = op("atanh", math.atanh, np.arctanh, over(lambda z, x: cosquare(x)), c="atanh",
           otherwise="math.copysign(math.inf, x) if abs(x) == 1.0 else math.nan", hint=INSIDE, doc="the inverse hyperbolic tangent")

# ---- Functions of neural networks and statistics

sigmoid = op("sigmoid", forwards.sigmoid_float, forwards.sigmoid_array, lambda z, x: z * (1.0 - z), latex=r"\sigma", never_minus_zero=True,
             body=lambda x: where(x >= 0.0, 1.0, exp(-abs(x))) / (1.0 + exp(-abs(x))), doc="1 / (1 + exp(-x)), the logistic function")
softplus = op("softplus", forwards.softplus_float, forwards.softplus_array, lambda z, x: sigmoid(x), never_minus_zero=True,
              body=lambda x: relu(x) + log1p(exp(-abs(x))), doc="a smooth relu: the logarithm of 1 + exp(x)")
relu: Primitive = op("relu", lambda x: x if x > 0.0 or x != x else 0.0, lambda x: np.maximum(x, 0.0), mask(lambda z, x: x > 0.0), never_minus_zero=True,
                     body=lambda x: where(x <= 0.0, 0.0, x), doc="x where it is positive, else 0")
erf = op("erf", math.erf, forwards.of_scipy("erf"), factors(lambda z, x: (TWO_OVER_ROOT_PI, exp(-x * x))), c="erf", javascript="_erf", numpy="scipy.special.erf", doc="the error function")
erfc = op("erfc", math.erfc, forwards.of_scipy("erfc"), factors(lambda z, x: (-TWO_OVER_ROOT_PI, exp(-x * x))), c="erfc", javascript="_erfc", numpy="scipy.special.erfc", doc="1 - erf(x), exact where it is small")

# fmt: on


WEAK = (float, int, bool)  # Python's numbers take the dtype of the other operand; NumPy's scalars have their own


def clip(x: N, low: Any = None, high: Any = None) -> N:
    """`x`, limited to the range from `low` to `high`, each of which may be None.

    >>> clip(3.0, 0.0, 1.0)
    1.0
    """
    if low is not None:
        if high is not None and type(high) not in WEAK and type(low) in WEAK:
            low = _common(low, x, high)  # in the dtype of the result, as NumPy's is
        x = maximum(x, low)
    return x if high is None else minimum(x, high)


def _common(low: Any, x: Any, high: Any) -> Any:
    dtypes = [v.dtype for v in (x, high) if hasattr(v, "dtype")]
    return np.result_type(*dtypes).type(low) if len(dtypes) == 2 and dtypes[0] != dtypes[1] else low
