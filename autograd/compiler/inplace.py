"""`InPlaceKernel`: a formula on numbers that changes arrays in place, as an optimizer's step changes parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from autograd import modes
from autograd.compiler.errors import CompileError
from autograd.compiler.export import function_of, write
from autograd.compiler.inplace_native import NativeInPlace
from autograd.compiler.inplace_numpy import NumpyInPlace
from autograd.compiler.locks import Locked
from autograd.compiler.lowering import lower
from autograd.compiler.program import Instruction, Program, uniform_instructions
from autograd.compiler.simplify import simplify
from autograd.compiler.trace import Trace
from autograd.compiler.tracer import Condition
from autograd.elementwise import where

Array = np.ndarray[Any, Any]
Run = Callable[[int, int, Sequence[float]], None]


class InPlaceCode(Protocol):
    """A formula by one of the back ends, for arrays of one dtype."""

    def bind(self, arrays: Sequence[Array]) -> Run:
        """`run(start, stop, coefficients)`, which changes the elements from `start` to `stop` of these arrays: flat,
        contiguous, of one length, and not to be moved."""


class InPlaceKernel(Locked):
    """`formula` compiled to change arrays in place: by machine code, or by NumPy where llvmlite is missing.

    `formula(*elements, *settings)` is given an element of each of `arity` arrays and numbers that all elements share, and
    returns new elements of the arrays whose places are `targets`. It is traced. What depends on settings alone is
    computed once a call, as Python computes it, so that a setting may change at any time; an `if` that asks for settings
    is a path of its own, one that asks for elements is a CompileError.

    Both back ends compute in the dtype of the arrays, to which coefficients are rounded, and give the same bits: an
    operation that is not rounded correctly by every machine is left to NumPy, and so are dtypes other than float32 and
    float64.
    """

    def __init__(self, formula: Callable[..., Sequence[Any]], arity: int, targets: Sequence[int]) -> None:
        super().__init__()
        self.formula, self.arity, self.targets = formula, arity, list(targets)
        self._paths: list[Path] = []

    def code(self, dtype: np.dtype[Any], settings: Sequence[float]) -> tuple[InPlaceCode, Sequence[float]]:
        """What runs the formula with these settings over arrays of `dtype`, and the coefficients to run it with."""
        for path in self._paths:
            coefficients = path.coefficients(settings)
            if coefficients is not None:
                return path.codes.get(dtype) or self._compiled(path, dtype), coefficients
        path = Path(self._traced(settings), self.arity)
        self._paths.append(path)
        return self._compiled(path, dtype), path.coefficients(settings) or ()

    def _traced(self, settings: Sequence[float]) -> Program:
        trace = Trace()
        elements = [trace.input(f"x{n}", 1.0) for n in range(self.arity)]
        numbers = [trace.input(f"setting{n}", setting) for n, setting in enumerate(settings)]
        with modes.recording(True), modes.tracing(trace), np.errstate(all="ignore"):
            results = self.formula(*elements, *numbers)
            outputs = [where(y, 1.0, 0.0) if isinstance(y, Condition) else y for y in results]
        program = trace.program(outputs)
        if trace.captured:
            raise CompileError(
                "a formula that changes arrays computes with its arguments and plain numbers, not with Values"
            )
        return simplify(program)

    def _compiled(self, path: Path, dtype: np.dtype[Any]) -> InPlaceCode:
        with self._lock:
            if dtype not in path.codes:
                try:
                    path.codes[dtype] = NativeInPlace(lower(path.body), self.arity, self.targets, dtype)
                except (ImportError, NotImplementedError):
                    path.codes[dtype] = NumpyInPlace(path.body, self.arity, self.targets, dtype)
            return path.codes[dtype]


class Path:
    """One way through a formula: what depends on settings alone, apart from what is done with each element."""

    def __init__(self, program: Program, arity: int) -> None:
        self.codes: dict[np.dtype[Any], InPlaceCode] = {}
        uniform = uniform_instructions(program, [k >= arity for k in range(len(program.inputs))])
        new = dict(zip(program.inputs[:arity], program.inputs, strict=False))
        shared: dict[Instruction, Instruction] = {}  # what the elements' part reads of the other

        def read(x: Instruction) -> Instruction:
            if not uniform[x]:
                return new[x]
            if x.op is None and x.value is not None:
                return x
            return shared.setdefault(x, Instruction(None, label=f"coefficient{len(shared)}"))

        for x in program.code:
            if not uniform[x]:
                new[x] = Instruction(x.op, tuple(map(read, x.args)), None, x.label, x.line)
        outputs = [read(output) for output in program.outputs]
        code = [new.get(x, x) for x in program.code if not uniform[x] or x.op is None]
        self.body = Program([*program.inputs[:arity], *shared.values()], code, outputs)
        if any(not uniform[guard.condition] for guard in program.guards):
            raise CompileError("a formula for all elements cannot branch on one: choose with ag.where(condition, x, y)")
        self._outcomes = [guard.outcome for guard in program.guards]
        conditions = [guard.condition for guard in program.guards]
        settings = [x for x in program.code if uniform[x]]
        prologue = lower(Program(program.inputs[arity:], settings, [*conditions, *shared]))
        self._prologue = function_of(write("python", [prologue], "prologue"), "prologue", {"__name__": __name__})

    def coefficients(self, settings: Sequence[float]) -> Sequence[float] | None:
        """What the elements' part computes with; None where these settings take another path."""
        outputs = self._prologue(*settings)
        if type(outputs) is not tuple:
            outputs = (outputs,)
        count = len(self._outcomes)
        return outputs[count:] if [*map(bool, outputs[:count])] == self._outcomes else None
