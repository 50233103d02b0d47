"""Encoding of states for files: one tree of JSON, whose arrays stand beside it under names. Nothing in it is ever run."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from autograd.arguments import check_unmasked, shown
from nn.typing import Array

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64"]
DTYPES += ["uint8", "uint16", "uint32", "uint64", "bool", "complex64"]
MAX_DEPTH = 64  # levels of lists and dicts: none needs more, and a list that contains itself has more than any number
MAX_INTEGER = 1 << 13000  # integers below have no more digits than Python reads from a text, which are 4300


def encode(part: Any, name: str, tensors: dict[str, Array], depth: int = 0) -> Any:
    """`part` as JSON has it; arrays go to `tensors`, and leave their names. What cannot be saved is a TypeError, and what
    is nested too deep a ValueError, that says where it stands."""
    if depth > MAX_DEPTH:
        raise ValueError(f"{name[:80]} … is nested more than {MAX_DEPTH} deep, or contains itself, and cannot be saved")
    if isinstance(part, int) and abs(part) >= MAX_INTEGER:
        raise ValueError(f"{name} is an integer of more than 13,000 bits, and cannot be saved: save it as a string")
    if isinstance(part, (np.ndarray, np.generic)) and not isinstance(part, str):
        check_unmasked("a checkpoint", name, part)
        if part.dtype.name not in DTYPES:
            raise TypeError(f"{name} is an array of {part.dtype}, which safetensors cannot hold: convert it first")
        unique = name
        while unique in tensors:  # "a.b" may be a key, or "b" one in "a"
            unique += "'"
        # In order and in the machine's own byte order: safetensors 0.8.0 writes others wrong, without a word.
        tensors[unique] = np.asarray(part, part.dtype.newbyteorder("="), order="C")
        return {"array": unique} if isinstance(part, np.ndarray) else {"number": unique}
    if part is None or isinstance(part, (bool, int, float, str)):
        return part
    if isinstance(part, (list, tuple)):
        kind = "list" if isinstance(part, list) else "tuple"
        return {kind: [encode(member, f"{name}.{i}", tensors, depth + 1) for i, member in enumerate(part)]}
    if isinstance(part, dict):
        for key in part:
            if not isinstance(key, (str, int)) or (isinstance(key, int) and abs(key) >= MAX_INTEGER):
                raise TypeError(f"{name} has the key {shown(key)}: only strings and integers can be saved as keys")
        members = ([key, encode(member, f"{name}.{key}", tensors, depth + 1)] for key, member in part.items())
        return {"dict": list(members)}
    raise TypeError(f"{name} is a {type(part).__name__}: numbers, strings, arrays, lists, tuples and dicts are saved")


def decode(part: Any, tensors: dict[str, Array], depth: int = 0) -> Any:
    """The value that `encode` was given. Each array is taken out of `tensors`. A `part` that it never gives is a ValueError."""
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
    if part is None or isinstance(part, (bool, int, float, str)):
        return part
    if not isinstance(part, dict) or len(part) != 1:
        raise ValueError(f"it has {shown(part)} where one value should be")
    ((kind, content),) = part.items()
    if kind in ("array", "number"):
        if not isinstance(content, str) or content not in tensors:
            raise ValueError(f"the tensor {shown(content)} is missing or a duplicate")
        array = tensors.pop(content)
        if kind == "number" and array.ndim:
            raise ValueError(f"the tensor {content} of shape {array.shape} stands for one number")
        return array if kind == "array" else array[()]
    if kind not in ("list", "tuple", "dict") or not isinstance(content, list):
        raise ValueError(f"it has {shown(part)} where one value should be")
    if kind == "dict":
        found: dict[Any, Any] = {}
        for entry in content:
            if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[0], (str, int)):
                raise ValueError(f"it has {shown(entry)} where a key and a value should be")
            if entry[0] in found:
                raise ValueError(f"it has the key {shown(entry[0])} twice")
            found[entry[0]] = decode(entry[1], tensors, depth + 1)
        return found
    members = [decode(member, tensors, depth + 1) for member in content]
    return tuple(members) if kind == "tuple" else members


def parse(text: str) -> Any:
    """The JSON in `text`; what is none, or is nested so deep that Python gives up, is a ValueError."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("its description is nested too deep") from None
