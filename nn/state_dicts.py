"""State dicts checked against a model: arrays by name in the model's shapes and dtypes, or all that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd.arguments import shown
from autograd.graph import value_of
from nn.parameters import Buffer, Parameter
from nn.typing import Array


class IncompatibleKeys(NamedTuple):
    """The names that `load_state_dict` did not find, and those that it did not know."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def array_of(part: Parameter | Buffer) -> Array:
    """The array of a parameter or a buffer, as it is read."""
    return part.data if isinstance(part, Buffer) else value_of(part)


def matching_arrays(
    owner: str, own: dict[str, Parameter | Buffer], state: Any, strict: bool
) -> tuple[dict[str, Array], IncompatibleKeys]:
    """The arrays of `state`, by name, in the dtypes of `own`, and the names that only one of both has.

    What is no dict is a TypeError. If names, shapes or numbers do not fit, a ValueError lists all that is wrong.
    """
    if not isinstance(state, Mapping):
        raise TypeError(f"load_state_dict takes a dict of arrays, as state_dict() gives, got {shown(state)}")
    if strange := [name for name in state if not isinstance(name, str)]:
        raise ValueError(f"this state does not fit, and nothing was loaded: names are strings, got {shown(strange[0])}")
    keys = IncompatibleKeys([name for name in own if name not in state], [name for name in state if name not in own])
    if own and state and not strict and len(keys.unexpected_keys) == len(state):
        raise ValueError(
            f"none of the names of this state ({', '.join(map(str, keys.unexpected_keys[:3]))}, ...) is one of the model's "
            f"({', '.join(keys.missing_keys[:3])}, ...), so that nothing would be loaded: rename them"
        )
    faults = []
    if strict:
        faults += [f"{name} is missing" for name in keys.missing_keys]
        faults += [f"{name} is not a parameter or buffer of this model" for name in keys.unexpected_keys]
    arrays: dict[str, Any] = {}
    first_names: dict[int, str] = {}
    for name, part in own.items():
        if name not in state:
            continue
        arrays[name], fault = _converted(state[name], array_of(part))
        first = name if fault else first_names.setdefault(id(part), name)
        if first != name and not np.array_equal(arrays[first], arrays[name], equal_nan=True):
            fault = f"is the same as {first}, and they have different numbers"
        if fault:
            faults.append(f"{name} {fault}")
    if faults:
        raise ValueError(
            f"this state does not fit {owner}, and nothing was loaded: {'; '.join(faults)}. Build the "
            "model as the one that was saved" + (", or pass strict=False to load what fits" if strict else "")
        )
    return arrays, keys


def _converted(data: Any, own: Array) -> tuple[Any, str]:
    """A copy of `data` in the shape and dtype of `own`, and what is wrong with it."""
    if np.ma.is_masked(data):
        return None, "has masked elements, which would count"
    try:
        array = np.asarray(value_of(data))
    except ValueError:
        return None, "is no array, but a ragged list"
    if array.shape != own.shape:
        return array, f"has shape {array.shape}, the model's has {own.shape}"
    if array.dtype.kind not in "fiub" and array.dtype != own.dtype:
        return array, f"has dtype {array.dtype}, which is not of real numbers"
    with np.errstate(all="ignore"):
        converted = array.astype(own.dtype)
    # A float may be rounded, but not become infinite; an integer may not change.
    exact = np.isfinite if own.dtype.kind in "fc" else np.asarray
    if converted.dtype != array.dtype and not np.array_equal(exact(converted), exact(array)):
        return array, f"has numbers, of {array.dtype}, that the model's {own.dtype} cannot hold"
    return converted, ""
