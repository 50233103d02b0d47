"""Listings: the program of any graph, and of a function's graph; and its exported texts."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, overload

import numpy as np

from autograd.arguments import shown
from autograd.compiler.errors import CompileError
from autograd.compiler.export import write
from autograd.compiler.latex import latex
from autograd.compiler.lowering import lower
from autograd.compiler.program import Program, has_arrays, program_of
from autograd.compiler.simplify import simplify
from autograd.compiler.trace import Trace
from autograd.frames import note_line, user_line
from autograd.graph import Node, value_of
from autograd.lifting import Lifted, argument_names
from autograd.modes import observing, recording, tracing
from autograd.pytrees import TreeDef, flatten, is_module, unflatten_each

P = ParamSpec("P")


@overload
def program(of: Node | Sequence[Any] | Mapping[str, Any]) -> Program: ...
@overload
def program(of: Callable[P, Any]) -> Callable[P, Program]: ...
def program(of: Any) -> Program | Callable[..., Program]:
    """The straight-line program of a graph, or of a function: print it.

    Of a result, a Value or a Tensor (or a list, tuple or dict of them): the operations that it was computed from, as they
    were recorded, with labels, dtypes and shapes. Its inputs are the leaves. What was recorded under `detect_anomaly()` has
    the lines of the user's code too.

    Of a function: a function of the same arguments. A call of it runs the function once, on leaves that are made of the
    positional arguments and bear the names of its parameters, and gives the program of what it returned, with lines. So
    `program(grad(f))(x)` is the program of the derivative. Arguments by keyword are handed on as they are.

    Of single numbers it is what `compile` makes: simplified, to the last bit the same; comparisons are recorded, and an `if`
    on one is a guard. Of arrays it is what is recorded for these: what has no derivative, as a comparison, `floor` and the
    masks that derivatives of `relu` and `maximum` make, is a constant in it, and an `if` is taken as it comes out.

    A TypeError says what is neither a node nor a function, and of which argument no leaf can be made.

    >>> import autograd as ag
    >>> x = ag.Value(3.0, "x")
    >>> print(program(x * x + 1.0))
    inputs: x
    v0: f64 = mul x, x
    v1: f64 = add v0, 1
    return v1
    >>> print(program(ag.grad(lambda w: ag.sum(ag.tanh(w))))(ag.Tensor([0.0, 0.0, 0.0])))
    inputs: w: f64[3]
    v0: f64[3] = tanh w
    v1: f64[3] = mul v0, v0
    v2: f64[3] = sub 1, v1
    v3: f64[3] = mul f64[3], v2
    return v3
    """
    if callable(of) and not isinstance(of, Node):
        return _program_of_call(of)
    leaves, treedef = flatten(of, name="what program is given")
    others = [place for place, leaf in enumerate(leaves) if not isinstance(leaf, Node)]
    if others or not leaves:
        found = f"{treedef.paths()[others[0]]} is {shown(leaves[others[0]])}" if others else f" is {shown(of)}"
        raise TypeError(
            f"program needs what was computed with Values or Tensors, or a function: what it is given{found}"
        )
    return program_of(leaves)


def source(of: Any, language: str, name: str = "f") -> str:
    """A graph, or a `Program`, as a text that needs nothing of this package: in "python", "numpy", "c", "javascript" or
    "latex".

    The text has a function `name` of the leaves, by their labels in the order in which they were made, that gives what the graph gives.
    Python, C and JavaScript compute with single numbers, NumPy also with arrays, of shapes like those here. LaTeX has the formula of the
    result, or, where that is long, one equation a step.

    A CompileError names an operation that the language has no word for, and arrays where it takes numbers; a ValueError
    another language.

    >>> import autograd as ag
    >>> x, y = ag.Value(3.0, "x"), ag.Value(2.0, "y")
    >>> print(source(ag.exp(-x * y) / (x + 1.0), "latex"))
    \\frac{e^{-x y}}{x + 1}
    >>> print(source(x * ag.tanh(y), "python", name="area"))
    # area: 2 operations, recorded and written out by chainrule.
    # Of floats, as IEEE 754 has them: inf or nan where Python's math would raise.
    # Inputs: x, y
    # Outputs: 0
    import math
    <BLANKLINE>
    <BLANKLINE>
    def area(x, y):
        v0 = math.tanh(y)
        v1 = x * v0
        return v1
    <BLANKLINE>
    """
    found: Any = of if isinstance(of, Program) else program(of)
    if not isinstance(found, Program):
        raise TypeError(
            "source needs a result, or a program: call ag.program(f) with arguments, and give it what that returns"
        )
    if isinstance(language, str) and language == "latex":
        return latex([found])
    arrays = has_arrays(found)
    if arrays and language in ("python", "c", "javascript"):
        example = next(x for x in (*found.inputs, *found.code) if x.shape)
        raise CompileError(
            f"source writes {language!r} for single numbers, and here is an array, {example.type}: take 'numpy' or 'latex'"
        )
    return write(language, [lower(found, arrays=arrays)], name)


def _program_of_call(f: Callable[..., Any]) -> Callable[..., Program]:
    @functools.wraps(f, updated=())
    def listing(*args: Any, **kwargs: Any) -> Program:
        names = argument_names(f, len(args))
        parts = [flatten(arg, is_module, name=f"argument {n}") for n, arg in enumerate(args)]
        labels = [name + path for name, (_, treedef) in zip(names, parts, strict=True) for path in treedef.paths()]
        leaves = [value_of(leaf) for leaves, _ in parts for leaf in leaves]
        if all(isinstance(leaf, (float, int)) for leaf in leaves):
            try:
                return _traced(f, labels, leaves, [treedef for _, treedef in parts], kwargs)
            except CompileError:  # it computes with arrays
                pass
        return _recorded(f, names, unflatten_each([treedef for _, treedef in parts], leaves), kwargs)

    return listing


def _traced(f: Any, labels: list[str], leaves: list[Any], treedefs: list[TreeDef], kwargs: dict[str, Any]) -> Program:
    trace = Trace()
    inputs = [trace.input(label, float(leaf)) for label, leaf in zip(labels, leaves, strict=True)]
    with recording(True), tracing(trace), np.errstate(all="ignore"):
        results, _ = flatten(f(*unflatten_each(treedefs, inputs), **kwargs), name="what the function returned")
        outputs = [trace.output(x) for x in results]
    if any(output is None for output in outputs):
        raise CompileError("the function gave an array")
    return simplify(trace.program(outputs))


def _recorded(f: Any, names: list[str], args: list[Any], kwargs: dict[str, Any]) -> Program:
    with recording(True), observing(_Lines()):
        lifted = Lifted(args, kwargs, range(len(args)), copy=True)
        inputs = iter(lifted.inputs)
        for name, treedef in zip(names, lifted.treedefs, strict=True):
            for path in treedef.paths():
                next(inputs).label = name + path
        outputs, _ = flatten(lifted.call(f), name="what the function returned")
    return program_of(outputs, lifted.inputs)


class _Lines:
    """Notes the user's line of each node, other than that where the program was asked for."""

    def __init__(self) -> None:
        self.here = user_line()

    def recorded(self, node: Node) -> None:
        if user_line() != self.here:
            note_line(node)

    def differentiated(self, found: dict[Node, Any]) -> None:
        """Of no concern."""
