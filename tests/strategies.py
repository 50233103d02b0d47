"""Domains of the operations, and oracles for their values: one row an operation.

An oracle here is never ours: `math` for floats, NumPy for arrays. A domain keeps a margin from poles and kinks, which
have tests of their own (`test_conventions.py`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd as ag


def between(low: float, high: float) -> Any:
    """Floats of a grid, so that neither denormals nor huge ratios get in the way of finite differences."""
    return st.integers(math.ceil(low * 64), math.floor(high * 64)).map(lambda k: k / 64)


def apart(low: float, high: float) -> Any:
    """Floats of absolute value between `low` and `high`."""
    return between(low, high) | between(-high, -low)


@dataclass(frozen=True)
class Row:
    """An elementwise operation: by `math`, by NumPy, and the domain of each argument."""

    by_math: Callable[..., float]
    by_numpy: Callable[..., Any]
    domains: tuple[Any, ...]


EVERYWHERE = between(-3, 3)
POSITIVE = between(0.25, 4)
NONZERO = apart(0.25, 3)
INSIDE = between(-0.8, 0.8)
FRACTIONS = st.integers(-4, 4).map(lambda k: k / 2 + 0.1)  # of these two no pair is closer than 0.15
OTHER_FRACTIONS = st.integers(-4, 4).map(lambda k: k / 2 + 0.35)

ROWS = {
    # steps, whose derivative is zero
    "step": Row(lambda x: float(x > 0), lambda x: np.where(np.greater(x, 0), 1.0, 0.0), (NONZERO,)),
    "max_weight": Row(
        lambda x, y: float(x > y), lambda x, y: np.where(np.greater(x, y), 1.0, 0.0), (FRACTIONS, OTHER_FRACTIONS)
    ),
    "not_equal": Row(
        lambda x, y: float(x != y), lambda x, y: np.where(np.not_equal(x, y), 1.0, 0.0), (FRACTIONS, OTHER_FRACTIONS)
    ),
    "greater": Row(
        lambda x, y: float(x > y), lambda x, y: np.where(np.greater(x, y), 1.0, 0.0), (FRACTIONS, OTHER_FRACTIONS)
    ),
    "greater_equal": Row(
        lambda x, y: float(x >= y),
        lambda x, y: np.where(np.greater_equal(x, y), 1.0, 0.0),
        (FRACTIONS, OTHER_FRACTIONS),
    ),
    "equal": Row(
        lambda x, y: float(x == y), lambda x, y: np.where(np.equal(x, y), 1.0, 0.0), (FRACTIONS, OTHER_FRACTIONS)
    ),
    "isfinite": Row(lambda x: 1.0, lambda x: np.ones(np.shape(x)), (EVERYWHERE,)),
    "strong_mask": Row(
        lambda x, y: 1.0, lambda x, y: np.ones(np.broadcast_shapes(np.shape(x), np.shape(y))), (NONZERO, EVERYWHERE)
    ),
    "sign": Row(lambda x: math.copysign(1, x), np.sign, (NONZERO,)),
    "floor": Row(math.floor, np.floor, (FRACTIONS,)),
    "ceil": Row(math.ceil, np.ceil, (FRACTIONS,)),
    "floordiv": Row(lambda x, y: x // y, np.floor_divide, (between(3.2, 3.8), between(1.0, 1.05))),
    # arithmetic
    "where": Row(lambda c, x, y: x if c else y, np.where, (st.sampled_from([0.0, 1.0]), EVERYWHERE, EVERYWHERE)),
    "identity": Row(float, np.positive, (EVERYWHERE,)),
    "neg": Row(lambda x: -x, np.negative, (EVERYWHERE,)),
    "add": Row(lambda x, y: x + y, np.add, (EVERYWHERE, EVERYWHERE)),
    "sub": Row(lambda x, y: x - y, np.subtract, (EVERYWHERE, EVERYWHERE)),
    "mul": Row(lambda x, y: x * y, np.multiply, (EVERYWHERE, EVERYWHERE)),
    "div": Row(lambda x, y: x / y, np.divide, (EVERYWHERE, NONZERO)),
    "times": Row(lambda x, y: x * y, np.multiply, (EVERYWHERE, EVERYWHERE)),
    "quotient": Row(lambda x, y: x / y, np.divide, (EVERYWHERE, NONZERO)),
    "square": Row(lambda x: x**2, np.square, (EVERYWHERE,)),
    "power": Row(lambda x, y: x**y, np.power, (POSITIVE, EVERYWHERE)),
    "mod": Row(lambda x, y: x % y, np.mod, (between(3.2, 3.8) | between(-0.8, -0.2), between(1.0, 1.05))),
    "fmod": Row(math.fmod, np.fmod, (between(3.2, 3.8) | between(-3.8, -3.2), between(1.0, 1.05))),
    "abs": Row(math.fabs, np.fabs, (NONZERO,)),
    "maximum": Row(max, np.maximum, (FRACTIONS, OTHER_FRACTIONS)),
    "minimum": Row(min, np.minimum, (FRACTIONS, OTHER_FRACTIONS)),
    "ratio": Row(lambda x, y: x / y, np.divide, (EVERYWHERE, NONZERO)),
    "cosine": Row(lambda x, y: x / math.hypot(x, y), lambda x, y: x / np.hypot(x, y), (NONZERO, EVERYWHERE)),
    "cosquare": Row(lambda x: 1 - x * x, lambda x: 1 - x * x, (INSIDE,)),
    "hypot": Row(math.hypot, np.hypot, (NONZERO, EVERYWHERE)),
    # exponentials, logarithms, roots
    "exp": Row(math.exp, np.exp, (EVERYWHERE,)),
    "expm1": Row(math.expm1, np.expm1, (EVERYWHERE,)),
    "log": Row(math.log, np.log, (POSITIVE,)),
    "log1p": Row(math.log1p, np.log1p, (between(-0.7, 4),)),
    "log2": Row(math.log2, np.log2, (POSITIVE,)),
    "log10": Row(math.log10, np.log10, (POSITIVE,)),
    "sqrt": Row(math.sqrt, np.sqrt, (POSITIVE,)),
    "cbrt": Row(math.cbrt, np.cbrt, (NONZERO,)),
    # trigonometry and hyperbolic functions
    "sin": Row(math.sin, np.sin, (EVERYWHERE,)),
    "cos": Row(math.cos, np.cos, (EVERYWHERE,)),
    "tan": Row(math.tan, np.tan, (between(-1.2, 1.2),)),
    "asin": Row(math.asin, np.arcsin, (INSIDE,)),
    "acos": Row(math.acos, np.arccos, (INSIDE,)),
    "atan": Row(math.atan, np.arctan, (EVERYWHERE,)),
    "atan2": Row(math.atan2, np.arctan2, (NONZERO, POSITIVE)),
    "sinh": Row(math.sinh, np.sinh, (EVERYWHERE,)),
    "cosh": Row(math.cosh, np.cosh, (EVERYWHERE,)),
    "tanh": Row(math.tanh, np.tanh, (EVERYWHERE,)),
    "asinh": Row(math.asinh, np.arcsinh, (EVERYWHERE,)),
    "acosh": Row(math.acosh, np.arccosh, (between(1.4, 4),)),
    "atanh": Row(math.atanh, np.arctanh, (INSIDE,)),
    # functions of neural networks and statistics
    "sigmoid": Row(lambda x: 1 / (1 + math.exp(-x)), lambda x: 1 / (1 + np.exp(-x)), (EVERYWHERE,)),
    "softplus": Row(lambda x: math.log(1 + math.exp(x)), lambda x: np.log(1 + np.exp(x)), (EVERYWHERE,)),
    "relu": Row(lambda x: max(x, 0.0), lambda x: np.where(np.greater(x, 0), x, 0.0), (NONZERO,)),
    "erf": Row(math.erf, np.vectorize(math.erf, otypes=[float]), (EVERYWHERE,)),
    "erfc": Row(math.erfc, np.vectorize(math.erfc, otypes=[float]), (EVERYWHERE,)),
}

CONSTANT = {
    *("step", "max_weight", "equal", "not_equal", "greater", "greater_equal", "isfinite", "sign", "floor", "ceil"),
    *("floordiv", "strong_mask"),
}


def scalars(name: str) -> Any:
    """One float for each argument of the operation."""
    return st.tuples(*ROWS[name].domains)


def laid_out(x: np.ndarray, layout: str) -> np.ndarray:
    """`x`, equal element by element, but with another memory layout."""
    if not x.ndim:
        return x
    if layout == "fortran":
        return np.asfortranarray(x)
    if layout == "strided":
        return np.repeat(x, 2, axis=-1)[..., ::2]
    if layout == "reversed":
        return x[::-1].copy()[::-1]
    return x


@st.composite
def arrays(draw: Any, name: str, min_side: int = 0) -> tuple[np.ndarray, ...]:
    """One array for each argument of the operation: of shapes that broadcast, and of any memory layout."""
    domains = ROWS[name].domains
    shapes = draw(
        hnp.mutually_broadcastable_shapes(num_shapes=len(domains), max_dims=3, min_side=min_side, max_side=3)
    ).input_shapes
    layouts = st.sampled_from(["plain", "fortran", "strided", "reversed"])
    return tuple(
        laid_out(draw(hnp.arrays(float, shape, elements=domain)), draw(layouts))
        for shape, domain in zip(shapes, domains, strict=True)
    )


# ---- Whole expressions


SMOOTH = {  # name: (number of arguments, by ag, by math): tame enough to be put inside each other
    "add": (2, ag.add, lambda x, y: x + y),
    "sub": (2, ag.sub, lambda x, y: x - y),
    "mul": (2, ag.mul, lambda x, y: x * y),
    "div": (2, lambda x, y: x / (1.5 + ag.square(y)), lambda x, y: x / (1.5 + y * y)),
    "neg": (1, ag.neg, lambda x: -x),
    "sin": (1, ag.sin, math.sin),
    "cos": (1, ag.cos, math.cos),
    "tanh": (1, ag.tanh, math.tanh),
    "atan": (1, ag.atan, math.atan),
    "asinh": (1, ag.asinh, math.asinh),
    "sigmoid": (1, ag.sigmoid, lambda x: 1 / (1 + math.exp(-x))),
    "exp": (1, lambda x: ag.exp(ag.sin(x)), lambda x: math.exp(math.sin(x))),
    "log": (1, lambda x: ag.log(2.5 + ag.cos(x)), lambda x: math.log(2.5 + math.cos(x))),
    "sqrt": (1, lambda x: ag.sqrt(1.0 + x * x), lambda x: math.sqrt(1 + x * x)),
    "hypot": (2, lambda x, y: ag.hypot(x, 1.0 + y * y), lambda x, y: math.hypot(x, 1 + y * y)),
    "atan2": (2, lambda x, y: ag.atan2(x, 1.0 + y * y), lambda x, y: math.atan2(x, 1 + y * y)),
    "power": (2, lambda x, y: (1.5 + ag.sin(x)) ** ag.cos(y), lambda x, y: (1.5 + math.sin(x)) ** math.cos(y)),
    "erf": (1, ag.erf, math.erf),
    "erfc": (1, ag.erfc, math.erfc),
    "softplus": (1, ag.softplus, lambda x: math.log1p(math.exp(x))),
}


@dataclass(frozen=True)
class Expression:
    """A straight-line program: each step takes earlier results, so that they are shared, and the last is the output."""

    inputs: int
    steps: tuple[tuple[str, tuple[int, ...]], ...]
    by_math: bool = field(default=False)

    def __call__(self, *xs: Any) -> Any:
        results = list(xs)
        for name, places in self.steps:
            _, by_ag, by_math = SMOOTH[name]
            results.append((by_math if self.by_math else by_ag)(*(results[place] for place in places)))
        return results[-1]


@st.composite
def expressions(draw: Any, max_steps: int = 12) -> Expression:
    """Random expressions of two to four inputs, in which results are used more than once."""
    inputs = draw(st.integers(2, 4))
    steps = []
    for i in range(draw(st.integers(1, max_steps))):
        name = draw(st.sampled_from(sorted(SMOOTH)))
        known = st.integers(max(0, inputs + i - 5), inputs + i - 1)
        steps.append((name, tuple(draw(known) for _ in range(SMOOTH[name][0]))))
    return Expression(inputs, tuple(steps))


def points(n: int) -> Any:
    return st.tuples(*[between(-1.5, 1.5)] * n)
