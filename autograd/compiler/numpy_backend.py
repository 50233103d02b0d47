"""The NumPy back end: a lowered program as Python text, one NumPy call an instruction. Nothing to install, and the
reference that machine code is checked against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiler.export import function_of, write
from autograd.compiler.lowering import is_opaque
from autograd.compiler.program import Program, uniform_instructions
from autograd.graph import Primitive

ELEMENTS = 4_000_000  # numbers that are in memory at a time


class NumpyCode:
    """A program by NumPy: the same in use as `NativeCode`, but for `fast` and threads, which change nothing here."""

    def __init__(self, program: Program, uniform: Sequence[bool], reduced: Sequence[bool], fast: bool) -> None:
        self._uniform = list(uniform)
        is_uniform = uniform_instructions(program, uniform)
        varies = [not is_uniform[output] for output in program.outputs]
        self._laned = [k for k, fold in enumerate(reduced) if varies[k] and not fold]
        self._sums = [k for k, fold in enumerate(reduced) if varies[k] and fold]
        self._fixed = [k for k, v in enumerate(varies) if not v]
        self._numbers = sorted(self._sums + self._fixed)
        self._chunk = max(64, ELEMENTS // max(1, len(program)))
        operations = {i.op: None for i in program.code if i.op is not None}
        calls = {op: f"user{n}" for n, op in enumerate(filter(is_opaque, operations))}
        namespace = {name: _of_arrays(op) for op, name in calls.items()}
        self._function = function_of(write("numpy", [program], "kernel", calls), "kernel", namespace)
        self._single = len(program.outputs) == 1

    def once(self, numbers: Sequence[float]) -> list[float]:
        """The outputs where no input varies."""
        return [float(output) for output in self._outputs(numbers)]

    def run(self, numbers: Any, lanes: list[Any], count: int, threads: int) -> tuple[Any, list[Any], bool]:
        """See `NativeCode.run`."""
        with np.errstate(all="ignore"):
            return self._run(numbers, lanes, count)

    def _run(self, numbers: Any, lanes: list[Any], count: int) -> tuple[Any, list[Any], bool]:
        laned = [np.empty(count) for _ in self._laned]
        sums = np.zeros(len(self._sums))
        row = np.zeros(len(self._laned) + len(self._numbers))
        for start in range(0, max(count, 1), self._chunk):
            part = slice(start, min(start + self._chunk, count))
            given, moving = iter(numbers), iter(lanes)
            outputs = self._outputs([next(given) if uniform else next(moving)[part] for uniform in self._uniform])
            for target, k in zip(laned, self._laned, strict=True):
                target[part] = outputs[k]
            table = np.empty((len(self._sums), part.stop - start))
            for target, k in zip(table, self._sums, strict=True):
                target[:] = outputs[k]
            sums += table.sum(axis=1)
            row[self._fixed] = [outputs[k] for k in self._fixed]
        row[self._sums] = sums
        return row[self._numbers], laned, any(np.isnan(x).any() for x in laned)

    def _outputs(self, inputs: Any) -> tuple[Any, ...]:
        outputs = self._function(*inputs)
        return (outputs,) if self._single else outputs


class NumpyBackend:
    """NumPy calls, with nothing to install."""

    name = "numpy"
    runs_opaque = True
    compile = NumpyCode


def _of_arrays(op: Primitive) -> Callable[..., np.ndarray[Any, Any]]:
    """A user's operation, called for one number at a time where it takes no array."""

    def call(*args: Any) -> Any:
        try:
            return op.array(*args)
        except (TypeError, ValueError):
            return np.vectorize(op.scalar, otypes=[float])(*args)

    return call
