"""Checks of loaded states of optimizers and schedules against their own, before anything is set."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from autograd.arguments import shown


def mapping(owner: Any, state: Any, *keys: str) -> Mapping[Any, Any]:
    """`state`, if it is a dict that has these keys, and a TypeError or ValueError otherwise."""
    if not isinstance(state, Mapping):
        raise TypeError(f"{type(owner).__name__} loads the dict that state_dict() gave, got {shown(state)}")
    if missing := [key for key in keys if key not in state]:
        raise ValueError(f"this state of a {type(owner).__name__} has no {missing[0]!r}: nothing was loaded")
    return state


def check_alike(name: str, own: Any, value: Any) -> None:
    """Raise a ValueError unless `value` can stand where `own` does: a number for a number, as many for a tuple, any number
    of such for a list. Lists and tuples count as the same, for JSON has only one of them."""
    fits = is_plain(value)
    if isinstance(own, (bool, str)):
        fits = isinstance(value, type(own))
    elif isinstance(own, Real):
        fits = is_number(value)
    elif isinstance(own, (list, tuple)):
        fits = isinstance(value, (list, tuple)) and (isinstance(own, list) or len(own) == len(value))
        if fits:
            for i, member in enumerate(value):
                check_alike(f"{name}[{i}]", own[min(i, len(own) - 1)] if own else 0.0, member)
    if not fits:
        raise ValueError(f"{name} is {shown(value)}, where there was {shown(own)}: nothing was loaded")


def is_number(value: Any) -> bool:
    """Whether this is a real number that a float can hold, and no nan."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return float(value) == float(value)
    except OverflowError:
        return False


def check_count(name: str, value: Any) -> None:
    """Raise a ValueError unless `value` is an integer from 0 that steps can have counted up to."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value < 1 << 53:
        raise ValueError(f"{name} is {shown(value)}, which is no number of steps: nothing was loaded")


def is_plain(value: Any) -> bool:
    """Whether `value` is None, a number, a string, or a list or tuple of such."""
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (bool, str, Real))
