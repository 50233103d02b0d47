"""`Arguments`: what a kernel was called with, as numbers and lanes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.arguments import FAILURES, check_unmasked, shown
from autograd.compiler.recorded import CompileError, Vector
from autograd.compiler.results import MOST_NESTED, Numbers, Repeated
from autograd.compiler.signatures import Signature
from autograd.graph import Node
from autograd.trees import is_module, too_deep

_FLOAT64 = np.dtype(np.float64)


class Pattern:
    """Which inputs of a program are the same in all runs of a batch: `uniform`. Equal only to itself."""

    def __init__(self, uniform: tuple[bool, ...]) -> None:
        self.uniform = uniform


@dataclass
class Batch:
    """The inputs of `count` runs of a program: the numbers that are the same in all, in order, then the others' lanes
    (one float64 a run, of any stride)."""

    pattern: Pattern
    numbers: Any
    lanes: list[Any]
    count: int

    def take(self, chosen: Any) -> Batch:
        """Of the runs, the `chosen` ones: indices, or truths."""
        lanes = [lane[chosen] for lane in self.lanes]
        return Batch(self.pattern, self.numbers, lanes, len(lanes[0]) if lanes else self.count)

    def example(self) -> list[float]:
        """The inputs of the first run (where there is none, ones)."""
        numbers, lanes = iter(self.numbers), iter(self.lanes)
        return [
            float(next(numbers)) if same else float(next(lanes)[0]) if self.count else 1.0
            for same in self.pattern.uniform
        ]


class Layout:
    """How arrays of certain shapes become a batch, repeated over the shape `loop`, and its outputs results: `numbers`
    where they are one for the whole, `repeated` where they are one a run."""

    def __init__(
        self, arrays: list[Any], cores: Sequence[tuple[int, ...]], dtype: Any, patterns: dict[Any, Pattern]
    ) -> None:
        loops = {x.shape[: x.ndim - len(core)] for x, core in zip(arrays, cores, strict=True)}
        try:
            self.loop: tuple[int, ...] = loops.pop() if len(loops) == 1 else np.broadcast_shapes(*loops)
        except ValueError:
            shapes = ", ".join(str(x.shape[: x.ndim - len(core)]) for x, core in zip(arrays, cores, strict=True))
            raise ValueError(
                f"the arguments' batch shapes do not broadcast: they are, in order, {shapes}. The function is written for "
                "single numbers, and arrays are batches of them: give arrays that broadcast, or, for a function that "
                "is given whole vectors, a signature such as '(n),(n)->()'"
            ) from None
        self.count = math.prod(self.loop)
        self.numbers = Numbers(dtype)
        self.repeated = Repeated(dtype, self.loop) if self.loop else self.numbers
        self._parts = []
        uniform: list[bool] = []
        for x, core in zip(arrays, cores, strict=True):
            same = x.ndim == len(core)
            size = math.prod(core)
            uniform += [same] * size
            spread = not same and x.shape[: x.ndim - len(core)] != self.loop
            flat = None if same or (len(self.loop) == 1 and len(core) < 2) else (self.count, *([size] if core else []))
            self._parts.append((same, size if core else None, self.loop + core if spread else None, flat))
        key = tuple(uniform)
        self.pattern = patterns.setdefault(key, Pattern(key))

    def batch(self, given: Sequence[Any]) -> Batch:
        """What was given, numbers and arrays of these shapes, as numbers and lanes."""
        numbers: list[Any] = []
        lanes: list[Any] = []
        for x, (same, size, spread, flat) in zip(given, self._parts, strict=True):
            if type(x) is not np.ndarray or x.dtype is not _FLOAT64:
                x = np.asarray(x, _FLOAT64)
            if same:
                numbers.append(x.ravel())
                continue
            if spread is not None:
                x = np.broadcast_to(x, spread)
            if flat is not None:
                x = x.reshape(flat)
            if size is None:
                lanes.append(x)
            else:
                lanes += [x[:, k] for k in range(size)]
        together = numbers[0] if len(numbers) == 1 else np.concatenate(numbers) if numbers else ()
        return Batch(self.pattern, together, lanes, self.count)


@dataclass(frozen=True)
class Structure:
    """The structure of arguments: calls of the same one share what was recorded.

    `tree` is that of lists, tuples and dicts, positional arguments and keyword ones, with `float` where numbers stood
    (None where a signature says it all), and `cores` are the shapes of what belongs to a single run.
    """

    tree: Any
    cores: tuple[tuple[int, ...], ...]

    @property
    def arity(self) -> int:
        """How many positional arguments there are."""
        return len(self.cores) if self.tree is None else len(self.tree[0]) - 1

    def filled(self, values: Iterator[Any]) -> tuple[Any, dict[str, Any]]:
        """Arguments with `values` for numbers."""
        if self.tree is not None:
            args, kwargs = self.tree
            return _filled(args, values), _filled(kwargs, values)
        vectors = []
        for core in self.cores:
            vector = np.empty(core, object).view(Vector)
            for place in np.ndindex(core):
                vector[place] = next(values)
            vectors.append(vector if core else vector[()])
        return vectors, {}

    def labels(self, names: list[str]) -> list[str]:
        """A name for every number, given those of the arguments."""
        if self.tree is not None:
            args, kwargs = self.tree
            pairs = [*zip(names, args[1:], strict=True), *kwargs[1:]]
            return [label for name, part in pairs for label in _labels(name, part)]
        return [
            name + (f"[{','.join(map(str, place))}]" if core else "")
            for name, core in zip(names, self.cores, strict=True)
            for place in np.ndindex(core)
        ]


class Arguments:
    """A call's arguments, read as float64 `arrays`. `nodes` tells that there are nodes among them: then nothing is read."""

    def __init__(self, name: str, signature: Signature | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.given: list[Any] = []
        try:
            tree = self._read(args), self._read(kwargs)
        except RecursionError:
            raise too_deep(f"what {name} is given", MOST_NESTED, args, kwargs) from None
        self.nodes = any(isinstance(x, Node) for x in self.given)
        if self.nodes:
            return
        if signature is None:
            self.arrays = [as_array(name, x) for x in self.given]
            self.structure = Structure(tree, ((),) * len(self.arrays))
        else:
            if kwargs:
                raise TypeError(f"{name} with signature {signature.text!r} takes no keyword arguments, got {[*kwargs]}")
            self.given = list(args)
            self.arrays = [as_array(name, x) for x in args]
            self.structure = Structure(None, tuple(signature.core_shapes(name, [x.shape for x in self.arrays])))

    def layout(self, patterns: dict[Any, Pattern]) -> Layout:
        """What is done with arrays of these shapes."""
        return Layout(self.arrays, self.structure.cores, _result_type(self.given), patterns)

    def _read(self, tree: Any, depth: int = 0) -> Any:
        """The structure of a tree whose leaves are taken into `given`, in order."""
        if depth > MOST_NESTED:
            raise RecursionError
        depth += 1
        if isinstance(tree, (tuple, list)):
            return (type(tree), *(self._read(value, depth) for value in tree))
        if isinstance(tree, dict):
            return (dict, *((key, self._read(value, depth)) for key, value in tree.items()))
        if tree is None or isinstance(tree, (str, bool)):
            return tree
        if isinstance(tree, np.ndarray) and tree.dtype == object:
            return (np.ndarray, tree.shape, *(self._read(value, depth) for value in tree.ravel().tolist()))
        if is_module(tree):
            raise CompileError(
                f"a {type(tree).__name__} is not a number: let the function reach it by itself, and pass "
                "parameters=model.parameters()"
            )
        self.given.append(tree)
        return float


def _filled(tree: Any, values: Iterator[Any]) -> Any:
    if tree is float:
        return next(values)
    if not isinstance(tree, tuple):
        return tree
    kind, *parts = tree
    if kind is dict:
        return {key: _filled(part, values) for key, part in parts}
    if kind is np.ndarray:
        array = np.empty(math.prod(parts[0]), object)
        for k, part in enumerate(parts[1:]):
            array[k] = _filled(part, values)
        return array.reshape(parts[0]).view(Vector)
    inner = [_filled(part, values) for part in parts]
    return kind(*inner) if hasattr(kind, "_fields") else kind(inner)


def _labels(name: str, tree: Any) -> Iterator[str]:
    if tree is float:
        yield name
    elif isinstance(tree, tuple):
        kind, *parts = tree
        if kind is np.ndarray:
            places = [",".join(map(str, place)) for place in np.ndindex(parts.pop(0))]
        else:
            places = [repr(key) for key, _ in parts] if kind is dict else [*map(str, range(len(parts)))]
        for place, part in zip(places, parts, strict=True):
            yield from _labels(f"{name}[{place}]", part[1] if kind is dict else part)


def as_array(name: str, x: Any) -> Any:
    """A number or an array of them as a float64 array; a TypeError for anything else."""
    if isinstance(x, (float, int)) and abs(x) < 2**1023:
        return np.array(float(x))
    check_unmasked(name, "an argument", x)
    try:
        array = np.asarray(x)
    except FAILURES:
        array = np.array(None)
    if array.dtype is _FLOAT64:
        return array
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"{name} is compiled for real numbers and arrays of them, got {type(x).__name__}"
            f"{f' of {array.dtype}' if isinstance(x, np.ndarray) else ''} {shown(x)}"
        )
    return array.astype(np.float64)


def _result_type(given: list[Any]) -> Any:
    """float64, unless all arrays are of a smaller float."""
    kinds = {x.dtype for x in given if isinstance(x, (np.ndarray, np.generic))}
    if not kinds or np.dtype(np.float64) in kinds:
        return np.dtype(np.float64)
    kind = np.result_type(*kinds)
    return kind if kind.kind == "f" and kind.itemsize < 8 else np.dtype(np.float64)
