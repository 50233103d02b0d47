"""Norms of arrays without overflow or underflow: where squares would leave the range, numbers are scaled first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.arrays import sums

if TYPE_CHECKING:
    from autograd.typing import Array

# By dtype: between these bounds a sum of squares is exact enough, as only numbers below the least normal one are lost.
_SAFE = {
    np.dtype(kind): (float(np.finfo(kind).tiny) / float(np.finfo(kind).eps) ** 2, float(np.finfo(kind).max))
    for kind in (np.float32, np.float64)
}


def euclidean(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """The square root of the sum of squares over `axis`."""
    if x.dtype not in _SAFE:
        return p_norm(x, 2.0, axis, keepdims)
    low, high = _SAFE[x.dtype]
    with np.errstate(over="ignore", under="ignore"):
        squares = sums.add(np.square(x), axis, keepdims)
    if squares.ndim == 0:
        safe = bool(low < squares < high)
    else:
        safe = bool(np.logical_and(np.greater(squares, low), np.less(squares, high)).all())
    return np.sqrt(squares) if safe else p_norm(x, 2.0, axis, keepdims)


def p_norm(x: Array, p: float, axis: Any = None, keepdims: bool = False) -> Array:
    """`sum(abs(x)**p)**(1/p)` over `axis`, for a finite `p` other than 0; 0 for a negative one where an element is 0."""
    kind = x.dtype
    if kind.kind not in "fiub":
        raise TypeError(f"a norm of {kind} has no rule")  # its caller says of which argument
    x = np.abs(sums.widened(x) if kind.kind == "f" else x.astype(np.float64))
    # The dominant element is scaled into [1/2, 1] by a power of two, which is exact.
    top = x.max(axis, keepdims=True, initial=0.0) if p > 0 else x.min(axis, keepdims=True, initial=np.inf)
    exponent = np.where(np.isfinite(top) & (top > 0), np.frexp(top)[1], 0)
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        scaled = np.ldexp(x, -exponent)
        total = sums.wide(np.square(scaled) if p == 2.0 else scaled**p, axis, True)
        z = np.ldexp(np.sqrt(total) if p == 2.0 else total ** (total.dtype.type(1) / p), exponent)
        z = z if keepdims else z.reshape([n for i, n in enumerate(z.shape) if i not in sums.axes_of(axis, z.ndim)])
        return z.astype(kind)[()] if kind.kind == "f" else z[()]
