"""Checks of arguments, and their errors: what an argument must be, what it was, and the cure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from numbers import Real
from operator import index
from reprlib import Repr
from types import EllipsisType
from typing import Any

import numpy as np

Axis = int | tuple[int, ...] | None

# The exceptions of NumPy and Python when a computation is given something other than numbers.
FAILURES = (TypeError, ValueError, OverflowError, ZeroDivisionError, AttributeError, LookupError, RecursionError)

WORD = 2**63  # integers from -WORD to below it are counts, sizes and places
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def number(
    owner: str,
    name: str,
    value: Any,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
    infinite: bool = False,
    nan: bool = False,
) -> float:
    """`value`, a real number within bounds; `infinite` allows ±inf, `nan` nan. The error names `owner` and `name`.

    A bool, a string, a complex number or anything else that is not a real number is a TypeError; nan, and a number out
    of bounds, is a ValueError.

    >>> number("SGD", "lr", np.float32(0.5), least=0)
    0.5
    >>> number("SGD", "lr", float("nan"), least=0)
    Traceback (most recent call last):
    ValueError: SGD: lr must be a number from 0, got nan
    """
    found = _scalar(value)
    if real := _is_real(found):
        try:
            x = float(found)
            if (nan if x != x else infinite or not math.isinf(x)) and not _is_outside(x, least, above, most, below):
                return found if type(found) is int else x  # an integer stays one, for the repr
        except OverflowError:
            pass
    wanted = _range("a number", least, above, most, below)
    raise (ValueError if real else TypeError)(wrong(owner, name, wanted, value))


def integer(owner: str, name: str, value: Any, *, least: int | None = None, most: int | None = None) -> int:
    """`value`, an integer within bounds. Not a number: a TypeError; 2.5, nan or out of bounds: a ValueError.

    >>> integer("batches", "size", 0, least=1)
    Traceback (most recent call last):
    ValueError: batches: size must be a positive integer, got 0
    """
    wanted = "a positive integer" if (least, most) == (1, None) else _range("an integer", least, None, most, None)
    found = _scalar(value)
    if isinstance(found, (int, np.integer)) and _is_real(found) and not _is_outside(found, least, None, most, None):
        if -WORD <= found < WORD:
            return int(found)
        wanted += " that fits into 64 bits"
    raise (ValueError if _is_real(found) else TypeError)(wrong(owner, name, wanted, value))


def flag(owner: str, name: str, value: Any) -> bool:
    """`value`, True or False; anything else is a TypeError: "no" would be true, and a dtype may be given by mistake."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(wrong(owner, name, "True or False", value))
    return bool(value)


def choice(owner: str, name: str, value: Any, choices: Collection[str]) -> str:
    """`value`, one of `choices`. Another string is a ValueError, anything else a TypeError."""
    if not isinstance(value, str) or value not in choices:
        kind = ValueError if isinstance(value, str) else TypeError
        raise kind(wrong(owner, name, f"one of {', '.join(map(repr, choices))}", value))
    return value


def sequence(owner: str, name: str, value: Any) -> list[Any]:
    """The members of a list, tuple, array or other iterable. A string or a dict is a TypeError."""
    try:
        if isinstance(value, (str, bytes, bytearray, dict)) or getattr(_value_of(value), "shape", None) == ():
            raise TypeError
        members = iter(value)
    except TypeError:
        raise TypeError(wrong(owner, name, "a list", value)) from None
    return list(members)


def integers(owner: str, name: str, value: Any, optional: bool = False) -> Axis:
    """An axis, a length or a shift, or several of them, as a hashable key: lists become tuples, NumPy's integers
    Python's. None is allowed where it is `optional`; anything else is a TypeError.

    >>> integers("sum", "axis", [0, np.int64(1)])
    (0, 1)
    """
    if type(value) is int or (value is None and optional):
        return value
    several = isinstance(value, (list, tuple, range)) or (isinstance(value, np.ndarray) and value.ndim == 1)
    members = list(value) if several else [value]
    try:
        found = tuple(map(index, members))
        if any(isinstance(n, (bool, np.bool_)) for n in members) or not all(-WORD <= n < WORD for n in found):
            raise TypeError
    except TypeError:
        what = "None, an integer or a tuple of integers" if optional else "an integer or a tuple of integers"
        raise TypeError(wrong(owner, name, what, value)) from None
    return found if several else found[0]


def numbers(owner: str, name: str, data: Any, kinds: str = "fiub") -> np.ndarray[Any, Any]:
    """`data` as an array with a dtype of these `kinds`, by default real numbers; anything else, ragged lists too, is a
    TypeError."""
    if type(data) is np.ndarray and data.dtype.kind in kinds:
        return data
    check_unmasked(owner, name, data)
    try:
        array = np.asarray(data)
    except FAILURES:
        array = None
    if array is None or array.dtype.kind not in kinds:
        hint = ""
        if array is not None and array.dtype == object and any(map(_is_node, array.flat)):
            hint = ": use ag.stack for a list of nodes"
        raise TypeError(wrong(owner, name, "real numbers or an array of them", data) + hint)
    return array


def check_unmasked(owner: str, name: str, data: Any) -> None:
    """Raise a TypeError if elements of `data` are masked: without the mask they would count as any others."""
    if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        raise TypeError(
            f"{owner}: {name} has masked elements, which would count: use .filled(value), or leave them out"
        )


def check_kind(array: np.ndarray[Any, Any]) -> None:
    """Raise a TypeError for a subclass of ndarray whose meaning (a mask, a matrix's product, units) would be lost."""
    kind = type(array)
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(
            "masks of np.ma have no rules here, and would be dropped: fill the array with .filled(...), or choose with "
            "np.where(mask, ..., ...)"
        )
    if kind not in (np.ndarray, np.memmap) and kind.__module__.partition(".")[0] != __name__.partition(".")[0]:
        raise TypeError(
            f"a {kind.__name__} is an array with a meaning of its own, which has no rules here: pass np.asarray(array)"
        )


def as_float(owner: str, x: Any) -> float:
    """A number as a float; an integer that is too large for one is a ValueError."""
    try:
        return float(x)
    except OverflowError:
        raise ValueError(f"{owner} computes with floats, and {shown(x)} is too large for one") from None


def refused(owner: str, args: Any, error: Exception) -> Exception:
    """The exception to raise for the `error` of `owner(*args)`: it names the argument that is not a number, or all shapes."""
    for i, arg in enumerate(args):
        try:
            numbers(owner, f"argument {i}" if len(args) > 1 else "its argument", _value_of(arg))
        except TypeError as found:
            return found
    shapes = " and ".join(f"shape {np.shape(_value_of(arg))}" for arg in args)
    kind: Any = type(error)
    if kind not in (TypeError, ValueError, IndexError, np.linalg.LinAlgError):  # some of NumPy's need more than a text
        kind = TypeError if isinstance(error, TypeError) else ValueError
    misfit: Exception = kind(f"{owner}: {shapes}: {error}")
    return misfit


def shown(value: Any) -> str:
    """`value` in an error message: its repr on at most one line, or its type if that fails."""
    data = _value_of(value)
    if isinstance(data, np.ndarray) and data.ndim:
        kind = "an array" if data is value else f"a {type(value).__name__}"
        return f"{kind} of {'' if data.dtype.kind in 'fiub' else f'{data.dtype} of '}shape {data.shape}"
    try:
        return _SHORT.repr(value) if isinstance(value, (str, bytes, list, tuple, dict, set)) else repr(value)[:160]
    except Exception:
        return f"a {type(value).__name__}"


def assignments(settings: Mapping[str, Any]) -> list[str]:
    """Settings as one writes them in a call.

    >>> assignments({"axis": 0, "keepdims": True})
    ['axis=0', 'keepdims=True']
    """
    return [f"{name}={spelled(value)}" for name, value in settings.items()]


def spelled(x: Any) -> str:
    """A setting as one writes it: slices as in an index, arrays by dtype and shape.

    >>> spelled((slice(None, 3), ..., 0)), spelled(np.zeros(2)), spelled((2, 3))
    ('[:3, ..., 0]', 'float64[2]', '(2, 3)')
    """
    if isinstance(x, np.ndarray):
        return f"{x.dtype}{[*x.shape]}" if x.ndim else repr(x.item())
    if isinstance(x, slice):
        start, stop, step = ("" if part is None else str(part) for part in (x.start, x.stop, x.step))
        return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"
    if isinstance(x, tuple) and any(part is None or isinstance(part, (slice, np.ndarray, EllipsisType)) for part in x):
        return f"[{', '.join(map(spelled, x))}]"
    return "..." if x is Ellipsis else str(x)


def wrong(owner: str, name: str, wanted: str, value: Any) -> str:
    """The text of an error: what `name` of `owner` must be, and what it was."""
    hint = ": pass .item() of it" if _is_node(value) and not np.ndim(_value_of(value)) else ""
    return f"{owner}: {name} must be {wanted}, got {shown(value)}{hint}"


def _is_node(x: Any) -> bool:
    return hasattr(type(x), "_data")  # this module is below graph.py and cannot import Node


def _value_of(x: Any) -> Any:
    return x._data if _is_node(x) else x


def _scalar(value: Any) -> Any:
    """The number in a NumPy scalar or a 0-d array; anything else as it is."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.ndim):
        return value.item() if value.dtype.kind in "fiubc" else value
    return value


def _is_real(x: Any) -> bool:
    return isinstance(x, Real) and not isinstance(x, (bool, np.timedelta64))  # which NumPy calls an integer


def _is_outside(x: Any, least: float | None, above: float | None, most: float | None, below: float | None) -> bool:
    low = (least is not None and x < least) or (above is not None and x <= above)
    return low or (most is not None and x > most) or (below is not None and x >= below)


def _range(kind: str, least: float | None, above: float | None, most: float | None, below: float | None) -> str:
    low = f" from {least}" if least is not None else f" above {above}" if above is not None else ""
    high = f" to {most}" if most is not None else f" to below {below}" if below is not None else ""
    return f"{kind}{low}{high}" if low or high else kind.replace("a number", "a finite number")
