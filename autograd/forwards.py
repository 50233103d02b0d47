"""Forward functions, of floats and of arrays, that neither `math` nor NumPy has in the form needed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.forks import importing

if TYPE_CHECKING:
    from autograd.typing import Array


def ieee(scalar: Callable[..., float], array: Callable[..., Any]) -> Callable[..., float]:
    """`scalar`, with IEEE's answer (which NumPy knows) in place of an exception or a complex number."""

    def forward(*args: float) -> float:
        try:
            return scalar(*args)
        except (ArithmeticError, ValueError):
            with np.errstate(all="ignore"):
                return float(array(*map(np.float64, args)))

    return forward


def of_scipy(name: str) -> Callable[[Any], Array]:
    def forward(x: Any) -> Array:
        try:
            with importing:
                import scipy.special as special
        except ImportError:  # NumPy has no erf: call that of `math` for each element
            return np.vectorize(getattr(math, name), otypes=[float])(x).astype(np.result_type(x, np.float16))[()]  # type: ignore[no-any-return]  # NumPy's is Any
        return getattr(special, name)(x)  # type: ignore[no-any-return]  # SciPy's is Any

    return forward


def sigmoid_array(x: Any) -> Array:
    e = np.exp(np.copysign(x, -1.0))  # at most 1, so it never overflows; copysign refuses complex numbers
    z: Array = np.exp(np.minimum(x, 0.0)) / (1 + e)
    return z


def softplus_array(x: Array) -> Array:
    return np.maximum(x, 0.0) + np.log1p(np.exp(np.copysign(x, -1.0)))  # in a sixth of the time of np.logaddexp


def sigmoid_float(x: float) -> float:
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def softplus_float(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x))) if x == x else x


def typed(comparison: Callable[..., Array]) -> Callable[..., Array]:
    """A comparison that gives 1 and 0 in the dtype of the operands."""

    def forward(*args: Any) -> Array:
        return comparison(*args).astype(np.result_type(*args, np.float16))

    return forward


def power_array(x: Array, y: Array) -> Array:
    z = np.power(x, y)
    if np.ndim(y) == 0 and y == 0.5:  # for which NumPy takes the square root, which differs at -0 and -inf
        z = np.where(np.equal(x, -np.inf), np.asarray(np.inf, z.dtype), z + 0)[()]
    return z


def ratio_array(x: Array, y: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.where(np.equal(y, 0), np.zeros((), np.result_type(x, y)), np.true_divide(x, y))[()]


def step_array(x: Array) -> Array:
    x = np.asarray(x)
    return np.greater(x, 0).astype(x.dtype if x.dtype.kind == "f" else np.float64)  # type: ignore[no-any-return]  # NumPy's is Any


def whole(rounding: Callable[[float], int]) -> Callable[[float], float]:
    return lambda x: math.copysign(float(rounding(x)), x)


def where_float(condition: float, x: float, y: float) -> float:
    return float(x if condition else y)
