"""`Results`: what a function gave when it was recorded, as a structure to fill with the outputs of later runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import count
from operator import itemgetter
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from autograd.arguments import shown
from autograd.compiler.recorded import CompileError
from autograd.compiler.signatures import Signature
from autograd.trees import too_deep

Builder = Callable[[Any], Any]
MOST_NESTED = 100  # structures within each other


class Results:
    """The structure of what a function gave: where in it which output goes.

    `read` turns a number into an output, which is added to `outputs`, or gives None for what is none.
    """

    def __init__(
        self,
        name: str,
        signature: Signature | None,
        cores: Sequence[tuple[int, ...]],
        result: Any,
        read: Callable[[Any], Any],
        outputs: list[Any],
    ) -> None:
        shapes: list[tuple[int, ...]] = []

        def take(x: Any) -> Any:
            output = read(x)
            if output is None:
                raise CompileError(
                    f"{name} returned {type(x).__name__} {shown(x)}, which is not a number: a compiled function returns "
                    "numbers, or lists, tuples, dicts and object arrays of them"
                )
            outputs.append(output)
            return bool if output.type == "bool" or isinstance(x, (bool, np.bool_)) else float

        def walk(tree: Any, depth: int = 0) -> Any:
            if depth > MOST_NESTED:
                raise RecursionError
            if isinstance(tree, np.ndarray) and tree.ndim and (tree.dtype == object or tree.dtype.kind in "fiub"):
                kinds = {take(x) for x in tree.ravel().tolist()}
                shapes.append(tree.shape)
                return (np.ndarray, tree.shape, bool if kinds == {bool} else float)
            if isinstance(tree, dict):
                return (dict, *((key, walk(value, depth + 1)) for key, value in tree.items()))
            if isinstance(tree, (list, tuple)):
                return (type(tree), *(walk(value, depth + 1) for value in tree))
            if tree is None:
                return None
            shapes.append(())
            return take(tree)

        if result is None:
            raise CompileError(f"{name} returned None: a compiled function returns what it computes")
        try:
            structure = walk(result)
        except RecursionError:
            raise too_deep(f"what {name} returned", MOST_NESTED, result) from None
        self.structure = structure  # `float` and `bool` stand where numbers and truths stood
        self._builders: WeakKeyDictionary[Numbers, Builder] = WeakKeyDictionary()
        if signature:
            signature.check_outputs(name, cores, shapes)

    def build(self, values: Any, form: Numbers) -> Any:
        """The structure, filled with outputs in this form."""
        builder = self._builders.get(form)
        if builder is None:
            builder = self._builders[form] = _builder(self.structure, count().__next__, form)
        return builder(values)

    def of_floats(self) -> Builder:
        """A function that fills the structure with a list of floats as they are, in little time."""
        return _builder(self.structure, count().__next__, None)


def _builder(structure: Any, place: Callable[[], int], form: Numbers | None) -> Builder:
    """A function that fills `structure` from outputs; `place` counts them."""
    if structure in (float, bool):
        k = place()
        if form is None:
            return itemgetter(k) if structure is float else (lambda values: values[k] != 0.0)
        one = form.one
        return (lambda values: one(values[k])) if structure is float else (lambda values: one(values[k]) != 0.0)
    if structure is None:
        return lambda values: None
    kind, *inner = structure
    if kind is np.ndarray:
        places = [place() for _ in range(math.prod(inner[0]))]
        part = slice(places[0], places[-1] + 1) if places else slice(0)
        several = form.several if form else lambda values, shape: np.array(values).reshape(shape)
        if inner[1] is bool:
            return lambda values: several(values[part], inner[0]) != 0.0
        return lambda values: several(values[part], inner[0])
    if kind is dict:
        parts = {key: _builder(value, place, form) for key, value in inner}
        return lambda values: {key: part(values) for key, part in parts.items()}
    if form is None and inner and kind in (list, tuple) and all(part is float for part in inner):
        places = [place() for _ in inner]
        return lambda values: kind(values[places[0] : places[-1] + 1])
    builders = [_builder(part, place, form) for part in inner]
    if hasattr(kind, "_fields"):
        return lambda values: kind(*[builder(values) for builder in builders])
    return lambda values: kind([builder(values) for builder in builders])


class Numbers:
    """The form of results that are one number for the whole batch."""

    def __init__(self, dtype: Any) -> None:
        self._dtype = dtype
        self._double = dtype == np.float64

    def one(self, x: Any) -> Any:
        """A number."""
        return float(x) if self._double else self._dtype.type(x)

    def several(self, xs: Any, shape: tuple[int, ...]) -> Any:
        """An array of them."""
        return np.asarray(xs, self._dtype).reshape(shape)


class Repeated(Numbers):
    """The form of results that are one number a run: arrays that begin with the shape of the loop."""

    def __init__(self, dtype: Any, loop: tuple[int, ...]) -> None:
        super().__init__(dtype)
        self._loop = loop

    def one(self, x: Any) -> Any:
        if isinstance(x, np.ndarray):
            return x.reshape(self._loop).astype(self._dtype, copy=False)
        return np.full(self._loop, x, self._dtype)

    def several(self, xs: Any, shape: tuple[int, ...]) -> Any:
        result = np.empty((math.prod(self._loop), len(xs)), self._dtype)
        for k, x in enumerate(xs):
            result[:, k] = x
        return result.reshape(self._loop + shape)
