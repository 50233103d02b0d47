"""Which of NumPy's functions have a rule here (`FUNCTIONS`), and which do not vary with their input (`PLAIN_FUNCTIONS`).

Each rule has NumPy's own signature, so that an argument given by position, too, is taken for what it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import elementwise as e
from autograd import numpy_reductions as folds
from autograd import numpy_shaping as shapes
from autograd.arrays import indexing, joining, linalg, shaping
from autograd.arrays.shaping import fixed, operand
from autograd.graph import Node, value_of
from autograd.operators import REDUCTIONS, UFUNCS, boxed, no_rule


def _float_power(x: Any, y: Any) -> Any:
    dtype = np.result_type(*(getattr(v, "dtype", v) for v in (x, y)), np.float64)
    return e.power(*(shaping.cast(v, dtype) if getattr(v, "dtype", dtype) != dtype else v for v in (x, y)))


UFUNCS |= {np.matmul: linalg.matmul, np.float_power: _float_power}
REDUCTIONS |= {np.add: folds.sum, np.multiply: folds.prod, np.maximum: folds.max, np.minimum: folds.min}


def _allowed(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """`function`, which has NumPy's signature, by NumPy's `name`: without `out`, and with defaults for what is not set."""

    code = function.__code__
    names = code.co_varnames
    place = names.index("out") if "out" in names[: code.co_argcount] else sys.maxsize
    unset = np._NoValue

    def call(*args: Any, **kwargs: Any) -> Any:
        for arg in args:
            if arg is unset:
                kwargs |= zip(names, args, strict=False)
                args = ()
                break
        if kwargs:
            for value in kwargs.values():
                if value is unset:
                    kwargs = {key: value for key, value in kwargs.items() if value is not unset}
                    break
        out = kwargs.pop("out", None) if kwargs else None
        if out is not None or (len(args) > place and args[place] is not None):
            raise TypeError(
                f"{name} with out= cannot write a node into an existing array, which would detach it from its graph: "
                "leave it out, and use what is returned"
            )
        if not args and names[0] == "x":  # ours; NumPy's go by many names
            kwargs = {"x" if key in ("a", "m", "v", "ary") else key: value for key, value in kwargs.items()}
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            if f"{function.__name__}() " in str(error):
                raise TypeError(f"{name} of a Tensor: {error}".replace(f"{function.__name__}()", "its rule")) from None
            raise

    return call


def where(condition: Any, *branches: Any) -> Any:
    if len(branches) == 2:
        return e.where(condition, *map(_listed, branches))
    if branches:
        raise ValueError("np.where: either both or neither of x and y should be given")
    return np.where(value_of(condition))


def _listed(x: Any) -> Any:
    return operand(x) if isinstance(x, (list, tuple)) else x


def clip(a: Any, a_min: Any = None, a_max: Any = None, out: None = None, *, min: Any = None, max: Any = None) -> Any:
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise ValueError(
            "np.clip: Passing `min` or `max` keyword argument when `a_min` and `a_max` are provided is forbidden."
        )
    low, high = (_listed(min if a_min is None else a_min), _listed(max if a_max is None else a_max))
    return e.clip(_listed(a), low, high)


def nan_to_num(x: Any, copy: Any = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    if not copy:
        raise TypeError("np.nan_to_num with copy=False has no rule here: leave it out, and use what is returned")
    limits = np.finfo(x.dtype)
    for bad, replacement in (
        (e.not_equal(x, x), nan),
        (e.equal(x, np.inf), limits.max if posinf is None else posinf),
        (e.equal(x, -np.inf), limits.min if neginf is None else neginf),
    ):
        number = fixed("np.nan_to_num: what is put in", replacement)
        if number.dtype.kind not in "biuf":
            raise TypeError(f"np.nan_to_num: what is put in must be real numbers, got {replacement!r}")
        number = number.astype(x.dtype)
        x = e.where(bad, number.item() if x.shape == number.shape == () else number, x)
    return x


# ---- Linear algebra


def dot(a: Any, b: Any, out: None = None) -> Any:
    return linalg.dot(a, b)


def vdot(a: Any, b: Any) -> Any:
    return linalg.dot(shaping.ravel(operand(a)), shaping.ravel(operand(b)))


def inner(a: Any, b: Any) -> Any:
    a, b = operand(a), operand(b)
    return linalg.tensordot(a, b, ([-1], [-1])) if len(a.shape) and len(b.shape) else a * b


def outer(a: Any, b: Any, out: None = None) -> Any:
    return linalg.outer(operand(a), operand(b))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    return linalg.tensordot(a, b, axes)


def einsum(*operands: Any, out: None = None, optimize: Any = False, **kwargs: Any) -> Any:
    if kwargs.pop("order", "K") not in ("K", "A", "C", "F") or kwargs:
        raise TypeError(f"np.einsum with {', '.join(kwargs) or 'this order'} has no rule here: leave it out")
    return linalg.einsum(*operands)


def inv(a: Any) -> Any:
    return linalg.inv(a)


def solve(a: Any, b: Any) -> Any:
    return linalg.solve(operand(a), operand(b))


def det(a: Any) -> Any:
    return linalg.det(a)


def slogdet(a: Any) -> Any:
    sign, logarithm = linalg.slogdet(a)
    return type(np.linalg.slogdet(np.eye(1)))(sign, logarithm)


def cholesky(a: Any, *, upper: Any = False) -> Any:
    return linalg.mT(linalg.cholesky(linalg.mT(a))) if upper else linalg.cholesky(a)


_RULES: dict[Any, Callable[..., Any]] = {
    np.sum: folds.sum,
    np.mean: folds.mean,
    np.average: folds.average,
    np.var: folds.var,
    np.std: folds.std,
    np.max: folds.max,
    np.amax: folds.max,
    np.min: folds.min,
    np.amin: folds.min,
    np.prod: folds.prod,
    np.cumsum: folds.cumsum,
    np.diff: folds.diff,
    np.ptp: folds.ptp,
    np.trace: folds.trace,
    np.linalg.norm: folds.norm,
    np.clip: clip,
    np.where: where,
    np.nan_to_num: nan_to_num,
    np.reshape: shapes.reshape,
    np.ravel: shapes.ravel,
    np.transpose: shaping.transpose,
    np.swapaxes: shaping.swapaxes,
    np.moveaxis: shaping.moveaxis,
    np.expand_dims: shaping.expand_dims,
    np.squeeze: shaping.squeeze,
    np.broadcast_to: shapes.broadcast_to,
    np.atleast_1d: shapes.atleast(1),
    np.atleast_2d: shapes.atleast(2),
    np.atleast_3d: shapes.atleast(3),
    np.flip: shaping.flip,
    np.flipud: shapes.flipud,
    np.fliplr: shapes.fliplr,
    np.roll: shaping.roll,
    np.tile: shapes.tile,
    np.copy: shapes.copy,
    np.repeat: indexing.repeat,
    np.take: shapes.take,
    np.take_along_axis: shapes.take_along_axis,
    np.sort: shapes.sort,
    np.pad: shapes.pad,
    np.diag: indexing.diag,
    np.diagonal: indexing.diagonal,
    np.triu: indexing.triu,
    np.tril: indexing.tril,
    np.concatenate: shapes.concatenate,
    np.stack: shapes.stack,
    np.vstack: shapes.vstack,
    np.hstack: shapes.hstack,
    np.column_stack: shapes.column_stack,
    np.split: joining.split,
    np.array_split: shapes.array_split,
    np.dot: dot,
    np.vdot: vdot,
    np.inner: inner,
    np.outer: outer,
    np.tensordot: tensordot,
    np.einsum: einsum,
    np.linalg.inv: inv,
    np.linalg.solve: solve,
    np.linalg.det: det,
    np.linalg.slogdet: slogdet,
    np.linalg.cholesky: cholesky,
}
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    function: _allowed(rule, f"{function.__module__.replace('numpy', 'np')}.{function.__name__}")
    for function, rule in _RULES.items()
}

PLAIN_FUNCTIONS = {
    np.shape, np.ndim, np.size, np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.argpartition,
    np.searchsorted, np.digitize, np.nonzero, np.flatnonzero, np.argwhere, np.count_nonzero, np.all, np.any,
    np.isclose, np.allclose, np.array_equal, np.array_equiv, np.round, np.around, np.fix, np.isposinf, np.isneginf,
    np.zeros_like, np.ones_like, np.empty_like, np.result_type, np.can_cast, np.min_scalar_type,
    np.iscomplexobj, np.isrealobj, np.array2string, np.array_repr, np.array_str, np.shares_memory,
    np.may_share_memory, np.isin, np.linalg.matrix_rank,
}  # fmt: skip

# What of a single number is a single number.
_OF_NUMBERS = {
    np.sum, np.mean, np.average, np.var, np.std, np.max, np.amax, np.min, np.amin, np.prod, np.ptp, np.linalg.norm,
    np.clip, np.where, np.nan_to_num, np.copy,
}  # fmt: skip
_SAME_OF_ONE = {np.sum, np.mean, np.average, np.max, np.amax, np.min, np.amin, np.prod, np.copy}


def call(function: Any, args: Any, kwargs: Any) -> Any:
    """`function`, one of NumPy's, of tensors among other things."""
    if rule := FUNCTIONS.get(function):
        return rule(*args, **kwargs)
    if function not in PLAIN_FUNCTIONS:
        raise no_rule(f"{function.__module__.replace('numpy', 'np')}.{function.__name__}")
    try:
        return function(*_all_plain(args), **{key: _all_plain(arg) for key, arg in kwargs.items()})
    except ValueError as error:
        if "read-only" in str(error):
            raise TypeError(f"np.{function.__name__} cannot write into a Tensor: give it an array as out=") from None
        raise


def call_of_numbers(function: Any, args: Any, kwargs: Any) -> Any:
    """`function`, one of NumPy's, of Values and no tensors. What gives arrays gives object arrays of Values."""
    given = [*args, *kwargs.values()]
    if not any(isinstance(x, np.ndarray) and x.dtype == object for x in given):
        if function in _SAME_OF_ONE and len(given) == 1 and isinstance(given[0], Node):
            return given[0]
        if function in _OF_NUMBERS:
            return FUNCTIONS[function](*args, **kwargs)
        if function in PLAIN_FUNCTIONS:
            return call(function, args, kwargs)
    return call_of_objects(function, args, kwargs)


def call_of_objects(function: Any, args: Any, kwargs: Any) -> Any:
    """`function`, one of NumPy's, which takes Values for any objects: its own code, past the protocol that led here."""
    kwargs = {key: boxed(arg) for key, arg in kwargs.items()}
    return np.empty(0).__array_function__(function, (), tuple(map(boxed, args)), kwargs)


def _all_plain(x: Any) -> Any:
    """`x`, and what lies in its lists and tuples, without nodes."""
    if type(x) in (list, tuple):
        return type(x)(map(_all_plain, x))
    return _read_only(x) if isinstance(x, Node) else x


def _read_only(x: Node) -> Any:
    """The value of a node as an array that cannot be written to."""
    view = np.asarray(x._data).view()
    view.flags.writeable = False
    return view
