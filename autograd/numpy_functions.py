"""Which of NumPy's functions have a rule here (`FUNCTIONS`), and which do not vary with their input (`PLAIN_FUNCTIONS`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import elementwise as e
from autograd.arrays import indexing, joining, linalg, reductions, shaping
from autograd.operators import REDUCTIONS, UFUNCS, plain

UFUNCS[np.matmul] = linalg.matmul
REDUCTIONS |= {
    np.add: reductions.sum,
    np.multiply: reductions.prod,
    np.maximum: reductions.max,
    np.minimum: reductions.min,
}


def _allowed(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """`function`, which takes what NumPy's does except `out`, `dtype` and the like: those must be left at None."""

    def call(*args: Any, **kwargs: Any) -> Any:
        unset = [key for key, value in kwargs.items() if value is np._NoValue or (value is None and key != "axis")]
        for key in unset:
            del kwargs[key]
        if "a" in kwargs:
            args = (kwargs.pop("a"), *args)
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            if "unexpected keyword" in str(error) or "positional argument" in str(error):
                raise TypeError(
                    f"np.{name} of a Tensor: {error}".replace(function.__name__ + "()", "its rule")
                ) from None
            raise

    return call


def _where(condition: Any, *branches: Any) -> Any:
    if branches:
        return e.where(condition, *branches)
    return np.where(plain(condition))


def _average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    return (
        reductions.mean(x, axis)
        if weights is None
        else (reductions.sum(x * weights, axis) / reductions.sum(weights + 0 * plain(x), axis))
    )


def _diff(x: Any, n: int = 1, axis: int = -1) -> Any:
    before = (slice(None),) * shaping.axes_of(axis, len(x.shape))[0]
    for _ in range(n):
        x = indexing.index(x, (*before, slice(1, None))) - indexing.index(x, (*before, slice(None, -1)))
    return x


def _array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    if isinstance(indices_or_sections, int):
        parts = np.array_split(np.arange(x.shape[axis]), indices_or_sections)
        indices_or_sections = np.cumsum([len(part) for part in parts[:-1]]).tolist()
    return joining.split(x, indices_or_sections, axis)


def _atleast(n: int) -> Callable[..., Any]:
    def function(x: Any) -> Any:
        while len(x.shape) < n:
            x = shaping.expand_dims(x, 0 if len(x.shape) < 2 else 2)
        return x

    return function


def _vstack(xs: Any) -> Any:
    return joining.concatenate([_atleast(2)(x) for x in xs], 0)


def _hstack(xs: Any) -> Any:
    xs = [_atleast(1)(x) for x in xs]
    return joining.concatenate(xs, 0 if len(xs[0].shape) == 1 else 1)


def _column_stack(xs: Any) -> Any:
    return joining.concatenate([shaping.reshape(x, (-1, 1)) if len(x.shape) < 2 else x for x in xs], 1)


_RULES: dict[Any, Callable[..., Any]] = {
    np.sum: reductions.sum,
    np.mean: reductions.mean,
    np.average: _average,
    np.var: reductions.var,
    np.std: reductions.std,
    np.max: reductions.max,
    np.amax: reductions.max,
    np.min: reductions.min,
    np.amin: reductions.min,
    np.prod: reductions.prod,
    np.cumsum: reductions.cumsum,
    np.diff: _diff,
    np.ptp: lambda a, axis=None, keepdims=False: reductions.max(a, axis, keepdims) - reductions.min(a, axis, keepdims),
    np.linalg.norm: reductions.norm,
    np.clip: lambda a, a_min=None, a_max=None, min=None, max=None: e.clip(
        a, min if a_min is None else a_min, max if a_max is None else a_max
    ),
    np.where: _where,
    np.nan_to_num: lambda x, nan=0.0: e.where(np.isnan(plain(x)), nan, x),
    np.reshape: shaping.reshape,
    np.ravel: shaping.ravel,
    np.transpose: shaping.transpose,
    np.swapaxes: shaping.swapaxes,
    np.moveaxis: shaping.moveaxis,
    np.expand_dims: shaping.expand_dims,
    np.squeeze: shaping.squeeze,
    np.broadcast_to: shaping.broadcast_to,
    np.atleast_1d: _atleast(1),
    np.atleast_2d: _atleast(2),
    np.atleast_3d: _atleast(3),
    np.flip: shaping.flip,
    np.flipud: lambda m: shaping.flip(m, 0),
    np.fliplr: lambda m: shaping.flip(m, 1),
    np.roll: shaping.roll,
    np.tile: shaping.tile,
    np.copy: e.identity,
    np.repeat: indexing.repeat,
    np.take: indexing.take,
    np.take_along_axis: indexing.take_along_axis,
    np.sort: indexing.sort,
    np.pad: indexing.pad,
    np.diag: indexing.diag,
    np.diagonal: indexing.diagonal,
    np.triu: indexing.triu,
    np.tril: indexing.tril,
    np.concatenate: joining.concatenate,
    np.stack: joining.stack,
    np.vstack: _vstack,
    np.hstack: _hstack,
    np.column_stack: _column_stack,
    np.split: joining.split,
    np.array_split: _array_split,
    np.dot: linalg.dot,
    np.vdot: lambda a, b: linalg.dot(shaping.ravel(a), shaping.ravel(b)),
    np.inner: lambda a, b: linalg.tensordot(a, b, ([-1], [-1])) if len(a.shape) and len(b.shape) else a * b,
    np.outer: linalg.outer,
    np.tensordot: linalg.tensordot,
    np.einsum: linalg.einsum,
    np.trace: linalg.trace,
    np.linalg.inv: linalg.inv,
    np.linalg.solve: linalg.solve,
    np.linalg.det: linalg.det,
    np.linalg.slogdet: linalg.slogdet,
    np.linalg.cholesky: linalg.cholesky,
}
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    function: _allowed(rule, function.__name__) for function, rule in _RULES.items()
}

PLAIN_FUNCTIONS = {
    np.shape, np.ndim, np.size, np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.argpartition,
    np.searchsorted, np.digitize, np.nonzero, np.flatnonzero, np.argwhere, np.count_nonzero, np.all, np.any,
    np.isclose, np.allclose, np.array_equal, np.array_equiv, np.round, np.around, np.fix, np.isposinf, np.isneginf,
    np.zeros_like, np.ones_like, np.empty_like, np.result_type, np.can_cast, np.min_scalar_type,
    np.iscomplexobj, np.isrealobj, np.array2string, np.array_repr, np.array_str, np.shares_memory,
    np.may_share_memory, np.isin, np.linalg.matrix_rank,
}  # fmt: skip
