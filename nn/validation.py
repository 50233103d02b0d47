"""Settings and data are checked where they are given: what each must be, what it was, and the cure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from numbers import Real
from reprlib import Repr
from typing import Any

import numpy as np

from autograd.graph import Node
from autograd.operators import plain

Array = np.ndarray[Any, Any]
Seed = np.random.Generator | int | None

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
) -> float:
    """`value`, a real number within bounds; `infinite` allows ±inf. `owner` and `name` say in the error whose it is.

    A bool, a string, a complex number or anything else that is no real number is a TypeError; nan, and what is out of
    bounds, a ValueError.

    >>> number("SGD", "lr", np.float32(0.5), least=0)
    0.5
    >>> number("SGD", "lr", float("nan"), least=0)
    Traceback (most recent call last):
    ValueError: SGD: lr must be a number from 0, got nan
    """
    found = _scalar(value)
    if not _is_real(found):
        raise TypeError(_wrong(owner, name, _range("a number", least, above, most, below), value))
    try:
        x = float(found)
    except OverflowError:
        x = math.nan
    if (
        math.isnan(x)
        or (math.isinf(x) and not infinite)
        or (least is not None and x < least)
        or (above is not None and x <= above)
        or (most is not None and x > most)
        or (below is not None and x >= below)
    ):
        raise ValueError(_wrong(owner, name, _range("a number", least, above, most, below), value))
    return found if type(found) is int else x  # an integer stays one, as people read it in a repr


def integer(owner: str, name: str, value: Any, *, least: int | None = None, most: int | None = None) -> int:
    """`value`, an integer within bounds. What is no number is a TypeError; 2.5, nan and what is out of bounds a ValueError.

    >>> integer("batches", "size", 0, least=1)
    Traceback (most recent call last):
    ValueError: batches: size must be a positive integer, got 0
    """
    wanted = "a positive integer" if (least, most) == (1, None) else _range("an integer", least, None, most, None)
    found = _scalar(value)
    if not _is_real(found):
        raise TypeError(_wrong(owner, name, wanted, value))
    if (
        not isinstance(found, (int, np.integer))
        or (least is not None and found < least)
        or (most is not None and found > most)
    ):
        raise ValueError(_wrong(owner, name, wanted, value))
    return int(found)


def flag(owner: str, name: str, value: Any) -> bool:
    """`value`, True or False; anything else is a TypeError, for "no" is true, and a dtype may have slipped in here."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(_wrong(owner, name, "True or False", value))
    return bool(value)


def choice(owner: str, name: str, value: Any, choices: Collection[str]) -> str:
    """`value`, one of `choices`. Another string is a ValueError, what is no string a TypeError."""
    if not isinstance(value, str) or value not in choices:
        kind = ValueError if isinstance(value, str) else TypeError
        raise kind(_wrong(owner, name, f"one of {', '.join(map(repr, choices))}", value))
    return value


def sequence(owner: str, name: str, value: Any) -> list[Any]:
    """The members of a list, tuple, array or other iterable, but of no string or dict: those are a TypeError."""
    if isinstance(value, (str, bytes, dict)) or not isinstance(value, Iterable) or np.ndim(plain(value)) == 0:
        raise TypeError(_wrong(owner, name, "a list", value))
    return list(value)


def generator(owner: str, rng: Any, name: str = "rng") -> np.random.Generator:
    """The NumPy generator `rng`, or one made from a seed: an integer from 0, a sequence of them, or None for a new one."""
    if isinstance(rng, np.random.Generator):
        return rng
    wanted = "a NumPy generator, as np.random.default_rng(0), or a seed, an integer from 0"
    if isinstance(rng, (bool, np.bool_, str, bytes, float, Node)):
        raise TypeError(_wrong(owner, name, wanted, rng))
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise type(error)(_wrong(owner, name, wanted, rng)) from None


def real_array(owner: str, name: str, data: Any, dtype: Any = None) -> Array:
    """`data`, or the value of a node, as an array of real numbers or bools, in `dtype` if that is given.

    Complex numbers, whose imaginary part would be lost, strings, objects and ragged lists are a TypeError.
    """
    data = plain(data)
    if type(data) is not np.ndarray:
        try:
            data = np.asarray(data)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{owner}: {name} must be an array of real numbers, got {shown(data)}: {error}") from None
    if data.dtype.kind not in "fiub":
        cure = ""
        if data.dtype.kind == "c":
            cure = ": take .real, .imag or abs() of it, or both parts as columns"
        elif data.dtype.kind == "O":
            cure = ": make it one array of numbers first, as with np.asarray(data, float)"
        raise TypeError(
            f"{owner}: {name} must be an array of real numbers, got {data.dtype} of shape {data.shape}{cure}"
        )
    array: Array = data
    return array if dtype is None or array.dtype == dtype else array.astype(dtype)


def shown(value: Any) -> str:
    """`value` in an error message: its repr in at most a line, or its type where it has none."""
    if isinstance(value, (np.ndarray, Node)) and (shape := np.shape(plain(value))):
        return f"{'an array' if isinstance(value, np.ndarray) else f'a {type(value).__name__}'} of shape {shape}"
    try:
        return _SHORT.repr(value) if isinstance(value, (str, bytes, list, tuple, dict, set)) else repr(value)[:160]
    except Exception:
        return f"a {type(value).__name__}"


def _scalar(value: Any) -> Any:
    """The number in a NumPy scalar or an array of no axes, and anything else as it is."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.ndim):
        return value.item() if value.dtype.kind in "fiubc" else value
    return value


def _is_real(x: Any) -> bool:
    return isinstance(x, Real) and not isinstance(x, bool)


def _range(kind: str, least: float | None, above: float | None, most: float | None, below: float | None) -> str:
    low = f" from {least}" if least is not None else f" above {above}" if above is not None else ""
    high = f" to {most}" if most is not None else f" to below {below}" if below is not None else ""
    return f"{kind}{low}{high}" if low or high else kind.replace("a number", "a finite number")


def _wrong(owner: str, name: str, wanted: str, value: Any) -> str:
    hint = ": pass .item() of it" if isinstance(value, Node) and not np.ndim(plain(value)) else ""
    return f"{owner}: {name} must be {wanted}, got {shown(value)}{hint}"
