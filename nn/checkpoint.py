"""Training on disk: all that it depends on, in one safetensors file that is either whole or not there.

Arrays are tensors, named "model.0.weight", "optimizer.state.0.exp_avg" and so on; what is not an array is JSON in the
file's metadata, next to a checksum of each tensor. Nothing in a file is ever run.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nn.dependencies import optional
from nn.module import Module

FORMAT = 1  # goes up when a reader of this one could not read the next
DTYPES = [
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
    "complex64",
]

Array = np.ndarray[Any, Any]
Generator = np.random.Generator


def save(
    path: str | Path,
    model: Module,
    optimizer: Any = None,
    schedule: Any = None,
    rng: Generator | None = None,
    **progress: Any,
) -> None:
    """Write the whole state of a training to `path`: weights and buffers, optimizer, schedule, the random generators
    among the attributes of the modules (as Dropout's), `rng`, and whatever else is given by name: numbers, strings,
    arrays, and lists, tuples and dicts of them.

    The file is replaced in one step: whoever reads it, and whenever the machine stops, finds the old one or the new one.
    One process writes to a path at a time. What cannot be written is a TypeError that says where it stands.

    >>> import tempfile
    >>> from nn.layers.linear import Linear
    >>> path = os.path.join(tempfile.mkdtemp(), "line.safetensors")
    >>> save(path, Linear(2, 1, rng=0), epoch=3)
    >>> load(path, Linear(2, 1, rng=1))
    {'epoch': 3}
    """
    tensors: dict[str, Array] = {}
    parts = _state(model, optimizer, schedule, rng) | {"progress": progress}
    tree = {name: _without_arrays(part, name, tensors) for name, part in parts.items()}
    content = json.dumps({"tree": tree, "checksums": {name: _checksum(array) for name, array in tensors.items()}})
    metadata = {"format": f"chainrule {FORMAT}", "content": content, "checksum": str(zlib.crc32(content.encode()))}
    path = Path(path)
    beside = path.with_name(f".{path.name}.tmp")  # of one name, so that those who are killed leave no heap of them
    optional("safetensors.numpy").save_file(tensors, beside, metadata)
    with open(beside, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(beside, path)
    if os.name == "posix":  # the new name itself is to outlast a power cut
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def load(
    path: str | Path, model: Module, optimizer: Any = None, schedule: Any = None, rng: Generator | None = None
) -> dict[str, Any]:
    """Set all that is given to what `path` says, and return what `save` was given by name.

    What is in the file and not asked for is left there, so that a model alone can be read too. A file that is not
    whole, not ours, or of another model, is a ValueError that says which tensor and what is wrong with it; then nothing
    has been changed.
    """
    tree, tensors = _read(path)
    saved = {name: _with_arrays(part, tensors) for name, part in tree.items()}
    given = {"optimizer": optimizer, "schedule": schedule, "rng": rng}
    if missing := [name for name, owner in given.items() if owner is not None and saved.get(name) is None]:
        raise ValueError(f"{path} was saved without {' and '.join(missing)}, and nothing was loaded")
    before = _state(model, optimizer, schedule, rng)
    try:
        _set_state(saved, model, optimizer, schedule, rng)
    except Exception as error:
        _set_state(before, model, optimizer, schedule, rng)
        raise ValueError(f"{path} does not fit, and nothing was loaded: {error}") from error
    progress: dict[str, Any] = saved["progress"]
    return progress


# ---- The parts of a training


def _state(model: Module, optimizer: Any, schedule: Any, rng: Generator | None) -> dict[str, Any]:
    for name, owner in (("optimizer", optimizer), ("schedule", schedule)):
        if owner is not None and not hasattr(owner, "state_dict"):
            raise TypeError(f"the {name} {owner!r} cannot be saved: it has no state_dict()")
    return {
        "model": model.state_dict(),
        "generators": {name: generator.bit_generator.state for name, generator in _generators(model)},
        "optimizer": None if optimizer is None else optimizer.state_dict(),
        "schedule": None if schedule is None else schedule.state_dict(),
        "rng": None if rng is None else rng.bit_generator.state,
    }


def _set_state(state: dict[str, Any], model: Module, optimizer: Any, schedule: Any, rng: Generator | None) -> None:
    own = dict(_generators(model))
    if own.keys() != state["generators"].keys():
        raise ValueError(
            f"the model draws with {sorted(own)}, the one that was saved with {sorted(state['generators'])}"
        )
    model.load_state_dict(state["model"])
    for name, generator in own.items():
        generator.bit_generator.state = state["generators"][name]
    if optimizer is not None:
        optimizer.load_state_dict(state["optimizer"])
    if schedule is not None:
        schedule.load_state_dict(state["schedule"])
    if rng is not None:
        rng.bit_generator.state = state["rng"]


def _generators(model: Module) -> Iterator[tuple[str, Generator]]:
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, Generator):
                yield f"{path}.{name}" if path else name, value


# ---- Trees of arrays and JSON


def _without_arrays(part: Any, name: str, tensors: dict[str, Array]) -> Any:
    """`part` as JSON has it; arrays go to `tensors`, and leave their names."""
    if part is None or isinstance(part, (bool, int, float, str)):
        return part
    if isinstance(part, (np.ndarray, np.generic)):
        if part.dtype.name not in DTYPES:
            raise TypeError(f"{name} is an array of {part.dtype}, which safetensors cannot hold: convert it first")
        # In order and in the machine's own byte order: safetensors 0.8.0 writes others wrong, without a word.
        tensors[name] = np.asarray(part, part.dtype.newbyteorder("="), order="C")
        return {"array": name} if isinstance(part, np.ndarray) else {"number": name}
    if isinstance(part, (list, tuple)):
        kind = "list" if isinstance(part, list) else "tuple"
        return {kind: [_without_arrays(member, f"{name}.{i}", tensors) for i, member in enumerate(part)]}
    if isinstance(part, dict):
        for key in part:
            if not isinstance(key, (str, int)):
                raise TypeError(f"{name} has the key {key!r}: only strings and integers can be saved as keys")
        return {"dict": [[key, _without_arrays(member, f"{name}.{key}", tensors)] for key, member in part.items()]}
    raise TypeError(
        f"{name} is a {type(part).__name__}: numbers, strings, arrays, lists, tuples and dicts can be saved"
    )


def _with_arrays(part: Any, tensors: dict[str, Array]) -> Any:
    if not isinstance(part, dict):
        return part
    ((kind, content),) = part.items()
    if kind == "array":
        return tensors[content]
    if kind == "number":
        return tensors[content][()]
    if kind == "dict":
        return {key: _with_arrays(member, tensors) for key, member in content}
    members = [_with_arrays(member, tensors) for member in content]
    return tuple(members) if kind == "tuple" else members


# ---- Files


def _checksum(array: Array) -> int:
    return zlib.crc32(array.reshape(-1).view(np.uint8).data)


def _read(path: str | Path) -> tuple[dict[str, Any], dict[str, Array]]:
    safetensors = optional("safetensors")
    with open(path, "rb"):  # a missing file is to say so in Python's own words
        pass
    try:
        with safetensors.safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in list(file.keys())}  # it is no dict
    except (safetensors.SafetensorError, ValueError, TypeError, OSError) as error:
        raise ValueError(
            f"{path} is not a whole safetensors file: {error}; it was cut off, or is another file"
        ) from error
    found = metadata.get("format", "")
    if not found.startswith("chainrule "):
        raise ValueError(
            f"{path} is a safetensors file, but not one that nn.save wrote (it has {', '.join(sorted(tensors)[:5])}): read "
            "it with safetensors.numpy.load_file, and give its arrays to model.load_state_dict"
        )
    if found != f"chainrule {FORMAT}":
        raise ValueError(
            f"{path} has the format {found!r}, and this version reads 'chainrule {FORMAT}': upgrade chainrule"
        )
    text = metadata.get("content", "")
    if str(zlib.crc32(text.encode())) != metadata.get("checksum"):
        raise ValueError(f"{path} is corrupted: its description is not what was written")
    content = json.loads(text)
    checksums = content["checksums"]
    for name in checksums | tensors:
        if name not in tensors:
            raise ValueError(f"{path} is corrupted: the tensor {name} is missing")
        if _checksum(np.asarray(tensors[name], order="C")) != checksums.get(name):
            raise ValueError(f"{path} is corrupted: the tensor {name} is not what was written")
    tree: dict[str, Any] = content["tree"]
    return tree, tensors
