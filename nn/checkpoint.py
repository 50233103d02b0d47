"""Checkpoint files: all that a training depends on, in one safetensors file that is either whole or not there.

Arrays are tensors, named "model.0.weight", "optimizer.state.0.exp_avg" and so on; what is not an array is JSON in the
file's metadata, next to a checksum of each tensor. Nothing in a file is ever run.
"""

from __future__ import annotations

import json
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autograd.arguments import shown, wrong
from autograd.files import file_path
from nn.dependencies import optional
from nn.encoding import decode, encode, parse
from nn.files import write_whole
from nn.module import Module
from nn.randomness import KINDS, GeneratorStates, Getter, check_state, generators, set_state, state_of
from nn.restoring import load_all, text_of
from nn.typing import Array

FORMAT = 1  # goes up when a reader of this one could not read the next
PARTS = ("model", "generators", "optimizer", "schedule", "rng", "progress")

Generator = np.random.Generator


class CheckpointError(ValueError):
    """A file that is not a whole checkpoint, or does not fit what is to be loaded from it; then nothing has changed."""


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
    Several threads, or processes, may do so at the same time. What cannot be saved is a TypeError or a ValueError that
    says where it stands; what goes wrong with the file is an OSError.

    >>> import tempfile
    >>> from nn.layers.linear import Linear
    >>> path = tempfile.mkdtemp() + "/line.safetensors"
    >>> save(path, Linear(2, 1, rng=0), epoch=3)
    >>> load(path, Linear(2, 1, rng=1))
    {'epoch': 3}
    """
    path = _checked("save", path, model)
    tensors: dict[str, Array] = {}
    parts = {name: owner.state_dict() for name, owner in owners(model, optimizer, schedule, rng).items()}
    tree = {name: encode(parts.get(name), name, tensors) for name in PARTS[:-1]}
    tree["progress"] = encode(progress, "progress", tensors)
    content = json.dumps({"tree": tree, "checksums": {name: _checksum(array) for name, array in tensors.items()}})
    metadata = {"format": f"chainrule {FORMAT}", "content": content, "checksum": str(zlib.crc32(content.encode()))}
    write_whole(path, optional("safetensors.numpy").save(tensors, metadata))


def load(
    path: str | Path, model: Module, optimizer: Any = None, schedule: Any = None, rng: Generator | None = None
) -> dict[str, Any]:
    """Set all that is given to its state in `path`, and return the values that `save` was given by name.

    What is in the file and not asked for is left there, so that a model alone can be read too. A file that is not
    whole, not ours, or of another model, is a CheckpointError that says which tensor and what is wrong with it; then
    nothing has been changed.
    """
    path = _checked("load", path, model)
    to = owners(model, optimizer, schedule, rng)
    saved = read(path)
    _restore(path, saved, to)
    progress: dict[str, Any] = saved["progress"]
    return progress


def resume(path: Path, training: Any) -> None:
    """Continue a training that is about to begin from the file of a Checkpoint; one that does not fit is a CheckpointError."""
    saved = read(path)
    if "training" not in saved["progress"]:
        raise CheckpointError(f"{path} was written by nn.save and not by nn.Checkpoint: read it with nn.load")
    to = owners(training.model, training.optimizer) | {"training": training}
    _restore(path, saved | {"training": saved["progress"]["training"]}, to)


def _restore(path: Path, saved: dict[str, Any], to: dict[str, Any]) -> None:
    """Give each owner its part of what was saved: all of them, or, with a CheckpointError, none."""
    if missing := [name for name in to if saved.get(name) is None]:
        raise CheckpointError(f"{path} was saved without {' and '.join(missing)}, and nothing was loaded")
    try:
        load_all([(owner, saved[name]) for name, owner in to.items()])
    except Exception as error:
        raise CheckpointError(f"{path} does not fit, and nothing was loaded: {text_of(error)}") from error


def read(path: Path) -> dict[str, Any]:
    """The parts of a checkpoint, by name; what is not a whole one is a CheckpointError."""
    safetensors = optional("safetensors")
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(f"{path} is not a regular file, and no checkpoint")  # a pipe would be waited for
    with open(path, "rb"):  # a missing file is to say so in Python's own words
        pass
    try:
        with safetensors.safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in list(file.keys())}  # it is no dict
    except Exception as error:  # safetensors' own, and what NumPy says of dtypes that it does not know
        raise CheckpointError(f"{path} is not a whole safetensors file: {text_of(error)}; was it cut off?") from error
    found = metadata.get("format", "")
    if not found.startswith("chainrule "):
        raise CheckpointError(
            f"{path} is a safetensors file, but not one that nn.save wrote (it has {shown(sorted(tensors)[:5])}): read "
            "it with safetensors.numpy.load_file, and give its arrays to model.load_state_dict"
        )
    if found != f"chainrule {FORMAT}":
        raise CheckpointError(f"{path} has format {shown(found)}, this version 'chainrule {FORMAT}': upgrade chainrule")
    try:
        return _tree(metadata, tensors)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is corrupted: {text_of(error)}") from error


# ---- The parts of a training


class _GeneratorState:
    """The state of one generator, with `state_dict` and `load_state_dict`."""

    def __init__(self, generator: Any) -> None:
        self.generator = generator

    def state_dict(self) -> Any:
        return state_of(self.generator)

    def load_state_dict(self, state: Any) -> None:
        check_state(self.generator, state)
        set_state(self.generator, state)


def owners(model: Module, optimizer: Any = None, schedule: Any = None, rng: Any = None) -> dict[str, Any]:
    """The owners of states, by the names of their parts in a file."""
    for name, owner in (("optimizer", optimizer), ("schedule", schedule)):
        if owner is not None and not (hasattr(owner, "state_dict") and hasattr(owner, "load_state_dict")):
            raise TypeError(f"the {name} {shown(owner)} cannot be saved: it has no state_dict() and load_state_dict()")
    if rng is not None and not isinstance(rng, KINDS):
        raise TypeError(f"rng must be a NumPy generator, as np.random.default_rng(0), got {shown(rng)}")
    found = {"generators": model_generators(model), "model": model, "optimizer": optimizer, "schedule": schedule}
    found["rng"] = None if rng is None else _GeneratorState(rng)
    return {name: owner for name, owner in found.items() if owner is not None}


def model_generators(model: Module) -> GeneratorStates:
    """The random generators of a model. Files of version 0.1 have only those that are attributes of modules."""
    required: dict[str, Getter] = {}
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, np.random.Generator):
                required[f"{path}.{name}" if path else name] = partial(vars(module).get, name)
    others = generators(model, seen=[place() for place in required.values()])
    return GeneratorStates("the model", required, {f"{name} (within)": place for name, place in others.items()})


def _checked(function: str, path: Any, model: Any) -> Path:
    """`path`, when both it and the model are what they must be."""
    if isinstance(path, Module):
        raise TypeError(
            f"nn.{function} was given a {type(path).__name__} as the path, and {shown(model)} as the model: they are "
            f"swapped; write nn.{function}(path, model)"
        )
    found = file_path(f"nn.{function}", "path", path)
    if not isinstance(model, Module):
        raise TypeError(wrong(f"nn.{function}", "model", "an nn.Module", model))
    return found


# ---- Files


def _checksum(array: Array) -> int:
    return zlib.crc32(array.reshape(-1).view(np.uint8).data)


def _tree(metadata: dict[str, str], tensors: dict[str, Array]) -> dict[str, Any]:
    """The parts in a file, by name, if all is as `save` writes it, and a ValueError otherwise."""
    text = metadata.get("content", "")
    if str(zlib.crc32(text.encode())) != metadata.get("checksum"):
        raise ValueError("its description is not what was written")
    content = parse(text)
    if not isinstance(content, dict) or content.keys() != {"tree", "checksums"}:
        raise ValueError(f"its description is {shown(content)}, not a tree and checksums")
    tree, checksums = content["tree"], content["checksums"]
    if not isinstance(checksums, dict) or not isinstance(tree, dict) or tree.keys() != set(PARTS):
        raise ValueError(f"its description has {shown(tree)}, not the parts {', '.join(PARTS)}")
    for name in checksums | tensors:
        if name not in tensors:
            raise ValueError(f"the tensor {name} is missing")
        if _checksum(np.asarray(tensors[name], order="C")) != checksums.get(name):
            raise ValueError(f"the tensor {name} is not what was written")
    saved = {name: decode(tree[name], tensors) for name in PARTS}
    if tensors:
        raise ValueError(f"the tensors {shown(sorted(tensors)[:5])} belong to nothing")
    if not isinstance(saved["progress"], dict) or not all(isinstance(name, str) for name in saved["progress"]):
        raise ValueError(f"progress is {shown(saved['progress'])}, not values by name")
    return saved
