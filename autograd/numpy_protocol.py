"""NumPy's protocols: the ufuncs and functions that have a rule here, and the dispatch of their calls.

A rule for a function has NumPy's own signature, so that arguments given by position are understood too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import elementwise as e
from autograd import modes
from autograd import numpy_algebra as algebra
from autograd import numpy_reductions as folds
from autograd import numpy_shaping as shapes
from autograd.arrays import indexing, joining, linalg, shaping
from autograd.graph import Node, value_of

if TYPE_CHECKING:
    from autograd.typing import Answer, X


def as_object0d(x: X) -> X | np.ndarray[Any, Any]:
    """A node as a 0-d object array, so that NumPy treats it as one element."""
    if not isinstance(x, Node):
        return x
    box = np.empty((), dtype=object)
    box[()] = x
    return box


# ---- Ufuncs

# The operation for each of NumPy's ufuncs, and for each of its reductions.
UFUNCS: dict[Any, Callable[..., Answer]] = {
    **{op.array: op for op in e.ELEMENTWISE.values() if isinstance(op.array, np.ufunc)},
    np.positive: e.identity,
    np.fabs: e.absolute,
    np.power: e.power,
    np.float_power: algebra.float_power,
    np.reciprocal: lambda x: 1.0 / x,
    np.fmod: e.fmod,
    np.conjugate: e.identity,
    np.fmax: algebra.fmax,
    np.fmin: algebra.fmin,
    np.heaviside: algebra.heaviside,
    np.exp2: lambda x: e.power(2.0, x),
    np.logaddexp: algebra.logaddexp,
    np.deg2rad: algebra.radians,
    np.radians: algebra.radians,
    np.rad2deg: algebra.degrees,
    np.degrees: algebra.degrees,
    np.matmul: linalg.matmul,
}
REDUCTIONS: dict[Any, Callable[..., Answer]] = {
    np.add: folds.sum,
    np.multiply: folds.prod,
    np.maximum: folds.max,
    np.minimum: folds.min,
}

# Results that do not vary with their inputs: computed and returned as plain arrays.
CONSTANT_UFUNCS = {
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.isnan, np.isinf, np.isfinite, np.signbit, np.rint, np.trunc, np.spacing,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
}  # fmt: skip


def array_ufunc(self: Node, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Answer:
    """NumPy's protocol: a method of a ufunc, called with at least one node."""
    if modes.in_use and modes.current_trace():  # whose program reads Values at each run
        traced = [e.identity(x) if isinstance(x, Node) and type(x._data) is float else x for x in inputs]
        if any(x is not y for x, y in zip(traced, inputs, strict=True)):
            return getattr(ufunc, method)(*traced, **kwargs)  # type: ignore[no-any-return]  # NumPy's is Any
    if method == "__call__" and not kwargs and ufunc in UFUNCS:
        for x in inputs:
            if isinstance(x, (list, tuple)) or (isinstance(x, np.ndarray) and x.dtype.char == "O"):
                break
        else:
            return UFUNCS[ufunc](*inputs)
    return _rarer_call(ufunc, method, inputs, kwargs)


def _rarer_call(ufunc: Callable[..., Answer], method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Answer:
    """The rarer calls of a ufunc: with lists or objects, with more arguments, by another method, or without derivatives."""
    kwargs = {key: value for key, value in kwargs.items() if not _is_default(key, value)}
    name = _name(ufunc) + ("" if method == "__call__" else f".{method}")
    inputs = tuple(np.asarray(x) if isinstance(x, (list, tuple)) else x for x in inputs)
    if method == "__call__" and not kwargs:
        if any(isinstance(x, np.ndarray) and x.dtype == object for x in inputs):
            if any(isinstance(x, Node) and np.ndim(x._data) for x in inputs):
                raise TypeError(f"{name} of a Tensor and an array of objects: make it a Tensor too, with ag.stack")
            return ufunc(*map(as_object0d, inputs))
        if ufunc in UFUNCS:
            return UFUNCS[ufunc](*inputs)
        if ufunc is np.divmod:
            return e.floordiv(*inputs), e.mod(*inputs)
    elif method == "reduce" and ufunc in REDUCTIONS and not kwargs.get("out"):
        return REDUCTIONS[ufunc](*inputs, **({"axis": 0} | kwargs))
    out = kwargs.get("out", ())
    plain: Callable[..., Answer] = getattr(ufunc, method)
    into_objects = out and all(isinstance(x, np.ndarray) and x.dtype == object for x in out)
    if into_objects and not any(isinstance(x, Node) and np.ndim(x._data) for x in inputs):
        return plain(*map(as_object0d, inputs), **kwargs)
    if ufunc in CONSTANT_UFUNCS and method != "at" and not any(isinstance(x, Node) for x in out):
        return plain(*map(value_of, inputs), **kwargs)
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
    """The name of a ufunc in errors: those of SciPy and others are not NumPy's."""
    name: str = ufunc.__name__
    return f"np.{name}" if getattr(np, name, None) is ufunc else f"the ufunc {name}, which is not NumPy's,"


# Our functions for ufuncs of scipy.special, where the name differs or a formula is needed.
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
    """The error for a function of NumPy or another library that has no rule here, with the arguments that have none."""
    what = f"{name} with {', '.join(kwargs)}" if kwargs else name
    ours = name.removeprefix("the ufunc ").removesuffix(", which is not NumPy's,")
    if name != ours and (ours in e.ELEMENTWISE or ours in _OURS):
        return TypeError(f"{what} has no rule here: use {_OURS.get(ours) or f'ag.{ours}'}")
    return TypeError(
        f"{what} has no rule here: write it with functions that have one, or define an @ag.primitive (its .numpy() would "
        "detach: no derivative goes through what is computed with that, and gradients would be zero in silence)"
    )


# ---- Functions


def _allowed(function: Callable[..., X], name: str) -> Callable[..., X]:
    """`function`, which has NumPy's signature, under NumPy's `name`: `out` is refused, and unset arguments get defaults."""

    code = function.__code__
    names = code.co_varnames
    place = names.index("out") if "out" in names[: code.co_argcount] else sys.maxsize
    unset = np._NoValue

    def call(*args: Any, **kwargs: Any) -> X:
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
        if not args and names[0] == "x":  # our name of the first argument; NumPy has many
            kwargs = {"x" if key in ("a", "m", "v", "ary") else key: value for key, value in kwargs.items()}
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            if f"{function.__qualname__}() " in str(error):
                text = str(error).replace(f"{function.__qualname__}()", "its rule")
                raise TypeError(f"{name} of a Tensor: {text}") from None
            raise

    return call


# The rules that bear the name of NumPy's function, by the room where they are.
_NAMESAKES = {
    folds: "sum mean average var std max min prod cumsum diff ptp trace",
    algebra: "clip where nan_to_num dot vdot inner outer tensordot einsum",
    shapes: (
        "reshape ravel broadcast_to flipud fliplr tile copy take take_along_axis sort pad "
        "concatenate stack vstack hstack column_stack array_split"
    ),
    shaping: "transpose swapaxes moveaxis expand_dims squeeze flip roll",
    indexing: "repeat diag diagonal triu tril",
    joining: "split",
}
_RULES: dict[Any, Callable[..., Answer]] = {
    getattr(np, name): getattr(room, name) for room, names in _NAMESAKES.items() for name in names.split()
}
_RULES |= {getattr(np.linalg, name): getattr(algebra, name) for name in ("inv", "solve", "det", "slogdet", "cholesky")}
_RULES |= {getattr(np, f"atleast_{n}d"): shapes.atleast(n) for n in (1, 2, 3)}
_RULES |= {np.amax: folds.max, np.amin: folds.min, np.linalg.norm: folds.norm}
FUNCTIONS: dict[Any, Callable[..., Answer]] = {
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

# The functions that give a number for a number, and those of them that give the same one.
_SAME_OF_ONE = {np.sum, np.mean, np.average, np.max, np.amax, np.min, np.amin, np.prod, np.copy}
_OF_NUMBERS = {*_SAME_OF_ONE, np.var, np.std, np.ptp, np.linalg.norm, np.clip, np.where, np.nan_to_num}


def call(function: Callable[..., Answer], args: Any, kwargs: Any) -> Answer:
    """NumPy's protocol: `function`, called with at least one tensor."""
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


def call_of_numbers(function: Callable[..., Answer], args: Any, kwargs: Any) -> Answer:
    """NumPy's `function` of Values and no tensors. Where it gives arrays, they are object arrays of Values."""
    given = [*args, *kwargs.values()]
    if not any(isinstance(x, np.ndarray) and x.dtype == object for x in given):
        if function in _SAME_OF_ONE and len(given) == 1 and isinstance(given[0], Node):
            return given[0]
        if function in _OF_NUMBERS:
            return FUNCTIONS[function](*args, **kwargs)
        if function in PLAIN_FUNCTIONS and not modes.current_trace():  # a program reads Values at each run
            return call(function, args, kwargs)
    return call_of_objects(function, args, kwargs)


def call_of_objects(function: Callable[..., Answer], args: Any, kwargs: Any) -> Answer:
    """NumPy's own code of `function`, without the protocol: it takes Values as objects of any kind."""
    kwargs = {key: as_object0d(arg) for key, arg in kwargs.items()}
    return np.empty(0).__array_function__(function, (), tuple(map(as_object0d, args)), kwargs)  # type: ignore[no-any-return]  # NumPy's is Any


def _all_plain(x: Any) -> Any:
    """`x`, with nodes, in its lists and tuples too, replaced by their values."""
    if type(x) in (list, tuple):
        return type(x)(map(_all_plain, x))
    return _read_only(x) if isinstance(x, Node) else x


def _read_only(x: Node) -> np.ndarray[Any, Any]:
    """The value of a node as a read-only array."""
    view = np.asarray(x._data).view()
    view.flags.writeable = False
    return view
