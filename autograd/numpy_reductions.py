"""NumPy's reductions, with all of NumPy's arguments, in terms of ours: for `np.sum(tensor, where=...)` and kin.

Each function has the name and the signature of NumPy's. `out` is refused before they are called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from autograd import elementwise as e
from autograd.arrays import indexing, joining, reductions, shaping
from autograd.arrays.shaping import axes_of, fixed, hashable, operand
from autograd.graph import value_of

if TYPE_CHECKING:
    from autograd.typing import Array, Tensor

Rule: TypeAlias = "Callable[..., Tensor]"


def real(name: str, dtype: Any) -> np.dtype[Any]:
    """The floating-point dtype given as an argument; any other dtype is a TypeError."""
    kind: np.dtype[Any] = np.dtype(dtype)
    if kind.kind != "f":
        raise TypeError(f"{name} with dtype={kind} would detach from the graph: take the .numpy() of its arguments")
    return kind


def in_dtype(name: str, reduce: Callable[[Tensor], Tensor], x: Tensor, dtype: Any, half: bool = False) -> Tensor:
    """`reduce(x)` in `dtype`, computed in no lower precision than that of `x`; with `half`, float16 in float32."""
    dtype = x.dtype if dtype is None else real(name, dtype)
    wide = np.promote_types(x.dtype, dtype) if x.dtype.kind == "f" else dtype
    if half and wide == np.float16:
        wide = np.dtype(np.float32)
    y = reduce(x if x.dtype == wide else shaping.cast(x, wide))
    return y if y.dtype == dtype else shaping.cast(y, dtype)


def _mask(name: str, x: Tensor, where: Any) -> Array:
    """`where` as booleans of the shape of `x`."""
    mask = fixed(f"{name}: where", where)
    if mask.dtype.kind not in "biuf":
        raise TypeError(f"{name}: where must be booleans, got {mask.dtype}")
    try:
        return np.broadcast_to(mask.astype(bool), x.shape)
    except ValueError:
        raise ValueError(f"{name}: where has shape {mask.shape}, which does not broadcast to {x.shape}") from None


def _initial(name: str, initial: Any, dtype: Any) -> Array:
    start = fixed(f"{name}: initial", initial)
    if start.ndim or start.dtype.kind not in "biuf":
        raise TypeError(f"{name}: initial must be one number, got {initial!r}")
    number: Array = start.astype(dtype)[()]
    return number


def _total(name: str, fold: Rule, neutral: float, join: Rule) -> Rule:
    """NumPy's sum or product: a `fold` of which `neutral` changes nothing, and to which `join` adds another element."""

    def total(
        a: Tensor,
        axis: Any = None,
        dtype: Any = None,
        out: None = None,
        keepdims: Any = False,
        initial: Any = None,
        where: Any = True,
    ) -> Tensor:
        if dtype is None and initial is None and where is True:
            return fold(a, axis, keepdims)

        def reduce(x: Tensor) -> Tensor:
            y = fold(x if where is True else e.where(_mask(name, x, where), x, neutral), axis, keepdims)
            return y if initial is None else join(y, _initial(name, initial, x.dtype))

        return in_dtype(name, reduce, operand(a), dtype)

    return total


sum = _total("np.sum", reductions.sum, 0.0, e.add)
prod = _total("np.prod", reductions.prod, 1.0, e.mul)


def _extreme(name: str, fold: Rule, join: Rule) -> Rule:
    """NumPy's maximum or minimum."""

    def extreme(
        a: Tensor, axis: Any = None, out: None = None, keepdims: Any = False, initial: Any = None, where: Any = True
    ) -> Tensor:
        if initial is None:
            if where is not True:
                raise ValueError(f"{name} with where= needs initial=, for where nothing is chosen")
            return fold(a, axis, keepdims)
        a = operand(a)
        start = _initial(name, initial, a.dtype)
        if 0 in a.shape:
            return reductions.sum(a, axis, keepdims) + start
        return join(fold(a if where is True else e.where(_mask(name, a, where), a, start), axis, keepdims), start)

    return extreme


max = _extreme("np.max", reductions.max, e.maximum)
min = _extreme("np.min", reductions.min, e.minimum)


def ptp(a: Tensor, axis: Any = None, out: None = None, keepdims: Any = False) -> Tensor:
    return reductions.max(a, axis, keepdims) - reductions.min(a, axis, keepdims)


def mean(
    a: Tensor, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = False, *, where: Any = True
) -> Tensor:
    if where is True and dtype is None and a.dtype != np.float16:
        return reductions.mean(a, axis, keepdims)

    def reduce(x: Tensor) -> Tensor:
        if where is True:
            return reductions.mean(x, axis, keepdims)
        mask = _mask("np.mean", x, where)
        count: Array = np.sum(mask, axis=hashable(axis, "mean"), keepdims=keepdims).astype(x.dtype)
        return reductions.sum(e.where(mask, x, 0.0), axis, keepdims) / count

    return in_dtype("np.mean", reduce, operand(a), dtype, half=True)


def _spread(name: str, x: Any, axis: Any, ddof: Any, keepdims: Any, where: Any, center: Any) -> tuple[Any, Any]:
    """Deviations from the mean, zero where elements are not counted, and the divisor of their squares' sum."""
    mask = np.broadcast_to(True, x.shape) if where is True else _mask(name, x, where)
    count = np.sum(mask, axis=hashable(axis, name), keepdims=True).astype(x.dtype)
    if center is None:
        center = reductions.sum(e.where(mask, x, 0.0), axis, True) / count
    less = np.maximum(count - x.dtype.type(ddof), 0)
    return e.where(mask, x - center, 0.0), less if keepdims else np.squeeze(less, axis)


def _ddof(ddof: float, correction: float | None) -> float:
    if correction is None:
        return ddof
    if ddof != 0:
        raise ValueError("ddof and correction can't be provided simultaneously.")
    return correction


def _squares(deviations: Tensor, less: Array, axis: Any, keepdims: Any, where: Any) -> Tensor:
    return reductions.sum(deviations * deviations, axis, keepdims) / less


def _lengths(deviations: Tensor, less: Array, axis: Any, keepdims: Any, where: Any) -> Tensor:
    alone: Array = np.sum(np.broadcast_to(where, deviations.shape), axis=axis, keepdims=True) <= 1
    # Of one number it is the deviation, which without a `mean` is 0 everywhere: no norm at a kink.
    lengths = reductions.norm(deviations + alone.astype(deviations.dtype), axis=axis, keepdims=keepdims)
    one = reductions.sum(abs(deviations), axis, keepdims)
    return e.where(alone.reshape(lengths.shape), one, lengths) / np.sqrt(less)


def _variation(name: str, fold: Rule, of_deviations: Rule) -> Rule:
    """NumPy's variance or standard deviation, which are `of_deviations` where not all count, or their mean is given."""

    def variation(
        a: Tensor,
        axis: Any = None,
        dtype: Any = None,
        out: None = None,
        ddof: Any = 0,
        keepdims: Any = False,
        *,
        where: Any = True,
        mean: Any = None,
        correction: Any = None,
    ) -> Tensor:
        if mean is not None and dtype is None:  # which may have another one than the data
            dtype = np.result_type(value_of(a), value_of(mean))
        ddof = _ddof(ddof, correction)

        def reduce(x: Tensor) -> Tensor:
            if where is True and mean is None:
                return fold(x, axis, ddof, keepdims)
            return of_deviations(*_spread(name, x, axis, ddof, keepdims, where, mean), axis, keepdims, where)

        return in_dtype(name, reduce, operand(a), dtype, half=True)

    return variation


var = _variation("np.var", reductions.var, _squares)
std = _variation("np.std", reductions.std, _lengths)


def average(
    a: Any, axis: Any = None, weights: Any = None, returned: Any = False, *, keepdims: Any = False
) -> Tensor | tuple[Tensor, Tensor]:
    a = operand(a)
    axis = None if axis is None else axes_of(hashable(axis, "average"), len(a.shape))
    if weights is None:
        result = mean(a, axis, keepdims=keepdims)
        scale: Any = np.asarray(a.size / np.maximum(result.size, 1), result.dtype)
    else:
        weights = _weights(a, axis, operand(weights))
        dtype = np.result_type(a.dtype, weights.dtype, *([] if a.dtype.kind == "f" else [np.float64]))
        wide = np.dtype(np.float32) if dtype == np.float16 else dtype
        a, weights = shaping.cast(a, wide), shaping.cast(weights, wide)
        scale = reductions.sum(shaping.broadcast_to(weights, a.shape), axis, keepdims)
        if np.any(value_of(scale) == 0.0):
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        result = shaping.cast(reductions.sum(a * weights, axis, keepdims) / scale, dtype)
    return (result, shaping.broadcast_to(shaping.cast(scale, result.dtype), result.shape)) if returned else result


def _weights(a: Tensor, axis: tuple[int, ...] | None, weights: Tensor) -> Tensor:
    """The weights of an average, in a shape that broadcasts against `a`."""
    if weights.shape == a.shape:
        return weights
    if axis is None:
        raise TypeError("np.average: Axis must be specified when shapes of a and weights differ.")
    if weights.shape != tuple(a.shape[i] for i in axis):
        raise ValueError(
            f"np.average: Shape of weights must be consistent with shape of a along specified axis, got {weights.shape} "
            f"for shape {a.shape} along {axis}"
        )
    weights = shaping.transpose(weights, tuple(int(i) for i in np.argsort(axis)))
    return shaping.reshape(weights, tuple(n if i in axis else 1 for i, n in enumerate(a.shape)))


def cumsum(a: Tensor, axis: Any = None, dtype: Any = None, out: None = None) -> Tensor:
    return in_dtype("np.cumsum", lambda x: reductions.cumsum(x, axis), operand(a), dtype)


def trace(a: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None) -> Tensor:
    return in_dtype("np.trace", lambda x: reductions.sum(indexing.diagonal(x, offset, axis1, axis2), -1), a, dtype)


def diff(a: Tensor, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    a = operand(a)
    if n < 0:
        raise ValueError(f"np.diff: order must be non-negative, got {n}")
    if n == 0:
        return a
    if not a.shape:
        raise ValueError("np.diff: diff requires input that is at least one dimensional")
    [axis] = axes_of(hashable(axis, "diff"), len(a.shape))
    parts = [prepend, a, append]
    for place in (0, 2):
        if parts[place] is not None and not operand(parts[place]).shape:
            shape = tuple(1 if i == axis else length for i, length in enumerate(a.shape))
            parts[place] = shaping.broadcast_to(parts[place], shape)
    parts = [part for part in parts if part is not None]
    x = joining.concatenate(parts, axis) if len(parts) > 1 else a
    before = (slice(None),) * axis
    for _ in range(n):
        x = indexing.index(x, (*before, slice(1, None))) - indexing.index(x, (*before, slice(None, -1)))
    return x


def norm(x: Tensor, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Tensor:
    x = operand(x)
    axes = axes_of(hashable(axis, "norm"), len(x.shape))
    if (axis is not None or ord is not None) and len(axes) not in (1, 2):
        raise ValueError("Improper number of dimensions to norm.")
    if ord == "fro" and len(axes) == 1:
        raise ValueError("Invalid norm order 'fro' for vectors")
    try:
        return reductions.norm(x, ord, axis, keepdims)
    except ValueError as error:
        if "no rule" in str(error):
            raise TypeError(f"np.linalg.norm: {error}") from None
        raise
