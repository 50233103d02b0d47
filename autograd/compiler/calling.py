"""Arguments and results of a kernel: pytrees on both sides, with numbers and arrays for leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from autograd.arguments import FAILURES, check_unmasked, shown
from autograd.compiler.batching import Form, Layout
from autograd.compiler.errors import CompileError
from autograd.compiler.signatures import Signature
from autograd.compiler.tracer import Condition, Vector
from autograd.graph import Node
from autograd.pytrees import LEAF, Container, TreeDef, array_def, flatten, is_module, unflatten_each

MAX_NESTED = 100  # structures within each other

_FLOAT64 = np.dtype(np.float64)
_STATIC = (str, bool, type(None))  # arguments that choose another program
_BOOLEANS = {Condition, bool, np.bool_}


class InputSpec(NamedTuple):
    """The structure of positional and keyword arguments: calls with the same one use the same traces.

    A leaf is one number of a run; `cores` are the shapes in which the numbers were given: of an array of the signature,
    or of a number.
    """

    treedefs: tuple[TreeDef, ...]
    keywords: tuple[str, ...]
    cores: tuple[tuple[int, ...], ...]

    @property
    def arity(self) -> int:
        """How many positional arguments there are."""
        return len(self.treedefs) - len(self.keywords)

    def unflatten(self, values: Iterable[Any]) -> tuple[list[Any], dict[str, Any]]:
        """Arguments with `values` for numbers."""
        treedefs = [treedef if treedef is LEAF else _with_vectors(treedef) for treedef in self.treedefs]
        trees, n = unflatten_each(treedefs, values), self.arity
        return trees[:n], dict(zip(self.keywords, trees[n:], strict=True))

    def labels(self, names: Sequence[str]) -> list[str]:
        """A name for every number, given those of the positional arguments."""
        named = zip([*names, *self.keywords], self.treedefs, strict=True)
        return [name + path for name, treedef in named for path in treedef.paths()]


class Arguments:
    """The arguments of a call, read as float64 `arrays`. With `nodes` among them nothing is read."""

    def __init__(self, name: str, signature: Signature | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        leaves: list[Any] = []
        treedefs = []
        whole = f"what {name} is given"
        for tree in (*args, *kwargs.values()):
            found, treedef = flatten(tree, _refuse_modules, static=_STATIC, max_depth=MAX_NESTED, name=whole)
            leaves += found
            treedefs.append(treedef)
        self.nodes = any(isinstance(x, Node) for x in leaves)
        if self.nodes:
            return
        self.given = leaves if signature is None else args
        self.arrays = [as_array(name, x) for x in self.given]
        cores: list[tuple[int, ...]] = [()] * len(leaves)
        if signature is not None:
            if kwargs:
                raise TypeError(f"{name} with signature {signature.text!r} takes no keyword arguments, got {[*kwargs]}")
            cores = signature.core_shapes(name, [x.shape for x in self.arrays])
            treedefs = [array_def(Vector, core) for core in cores]
        self.spec = InputSpec(tuple(treedefs), tuple(kwargs), tuple(cores))

    def layout(self) -> Layout:
        """What is done with arrays of these shapes."""
        return Layout(self.arrays, self.spec.cores, _result_type(self.given))


class Leaf(NamedTuple):
    """A leaf of results: a number with the place of its output, or an array with its shape and the slice of its outputs."""

    place: int | slice
    shape: tuple[int, ...] | None
    boolean: bool


class OutputSpec(NamedTuple):
    """The structure of results, into which the outputs of every run are put."""

    treedef: TreeDef
    leaves: tuple[Leaf, ...]

    def unflatten(self, values: Any, form: Form) -> Any:
        """The results, of outputs in this form."""
        number = form.number
        leaves = []
        for place, shape, boolean in self.leaves:
            leaf = number(values[place]) if shape is None else form.array(values[place], shape)
            leaves.append(leaf != 0.0 if boolean else leaf)
        return self.treedef.unflatten(leaves)

    def of_floats(self, form: Form) -> Callable[[list[float]], Any]:
        """A function that gives the results of outputs that are floats, in little time."""
        if {(leaf.shape, leaf.boolean) for leaf in self.leaves} <= {(None, False)}:
            fill: Any = self.treedef.unflatten(range(len(self.leaves)), _filler)
            return fill or itemgetter(0)  # the place of the only leaf
        return lambda values: self.unflatten(values, form)

    def __str__(self) -> str:
        kinds = [("bool" if leaf.boolean else "number", *(leaf.shape or ())) for leaf in self.leaves]
        return str(self.treedef.unflatten(kinds))


def read_results(
    name: str,
    signature: Signature | None,
    cores: Sequence[tuple[int, ...]],
    results: Any,
    read: Callable[[Any], Any],
) -> tuple[OutputSpec, list[Any]]:
    """The structure of a function's results, and their outputs: what `read` makes of each number (None if it is none)."""
    if results is None:
        raise CompileError(f"{name} returned None: a compiled function returns what it computes")
    found, treedef = flatten(results, _is_result, max_depth=MAX_NESTED, name=f"what {name} returned")
    outputs: list[Any] = []
    leaves = []
    for leaf in found:
        is_array = isinstance(leaf, np.ndarray) and leaf.ndim > 0
        start, elements = len(outputs), leaf.ravel().tolist() if is_array else [leaf]
        for x in elements:
            output = read(x)
            if output is None:
                raise CompileError(
                    f"{name} returned {type(x).__name__} {shown(x)}, which is not a number: a compiled function returns "
                    "numbers, or lists, tuples, dicts and object arrays of them"
                )
            outputs.append(output)
        boolean = bool(elements) and {*map(type, elements)} <= _BOOLEANS
        place = slice(start, len(outputs)) if is_array else start
        leaves.append(Leaf(place, leaf.shape if is_array else None, boolean))
    if signature:
        signature.check_outputs(name, cores, [leaf.shape or () for leaf in leaves])
    return OutputSpec(treedef, tuple(leaves)), outputs


def _filler(container: Container, children: list[Any]) -> Callable[[list[float]], Any]:
    """A function of a list of floats that builds a container. A child is a place in the list, or such a function."""
    kind, keys, _ = container
    if kind in (list, tuple) and children and all(type(child) is int for child in children):
        part = slice(children[0], children[-1] + 1)
        return lambda values: kind(values[part])
    fills = [itemgetter(child) if type(child) is int else child for child in children]
    if kind is dict:
        items = [*zip(keys, fills, strict=True)]
        return lambda values: {key: fill(values) for key, fill in items}
    return lambda values: container.build([fill(values) for fill in fills])


def _with_vectors(treedef: TreeDef) -> TreeDef:
    """A structure with Vectors for its object arrays."""
    parts = [part._replace(kind=Vector) if part and part.kind is np.ndarray else part for part in treedef.parts]
    return TreeDef(tuple(parts))


def _is_result(x: Any) -> bool:
    return isinstance(x, np.ndarray) or is_module(x)


def _refuse_modules(x: Any) -> bool:
    if is_module(x):
        raise CompileError(
            f"a {type(x).__name__} is not a number: let the function capture it, and pass parameters=model.parameters()"
        )
    return False


def as_array(name: str, x: Any) -> np.ndarray[Any, Any]:
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


def _result_type(given: Sequence[Any]) -> np.dtype[Any]:
    """float64, unless all arrays are of a smaller float."""
    kinds = {x.dtype for x in given if isinstance(x, (np.ndarray, np.generic))}
    kind = np.result_type(*kinds) if kinds else _FLOAT64
    return kind if kind.kind == "f" and kind.itemsize < 8 else _FLOAT64
