"""A third back end: an interpreter of lowered programs, on Python's floats, one lane at a time."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiler.program import Instruction, Program
from autograd.graph import Primitive


def is_machine_operation(op: Primitive) -> bool:
    """Whether every back end has it: arithmetic, comparisons, choice, and the functions of C's libm."""
    return op.body is None and bool(op.c or op.infix)


class Interpreter:
    """The back end: `ag.compile(f, backend=Interpreter())`. `stats` of a kernel names it."""

    name = "interpreter"
    runs_opaque = True

    def compile(self, program: Program, uniform: Sequence[bool], reduced: Sequence[bool], fast: bool) -> "Interpreted":
        """A program to interpret; `fast` changes nothing."""
        return Interpreted(program, uniform, reduced)


class Interpreted:
    """A program, and which of its inputs and outputs are one number for all lanes."""

    def __init__(self, program: Program, uniform: Sequence[bool], reduced: Sequence[bool]) -> None:
        self.program, self.uniform, self.reduced = program, uniform, reduced
        varying = {x for x, same in zip(program.inputs, uniform, strict=True) if not same}
        for x in program.code:
            if not varying.isdisjoint(x.args):
                varying.add(x)
        self.varying = [output in varying for output in program.outputs]

    def once(self, numbers: Sequence[float]) -> list[float]:
        """The outputs for these inputs."""
        values: dict[Instruction, Any] = dict(zip(self.program.inputs, map(float, numbers), strict=True))
        for x in self.program.code:
            values[x] = x.value if x.op is None else x.op.scalar(*[values[arg] for arg in x.args])
        return [float(values[output]) for output in self.program.outputs]

    def run(self, numbers: Any, lanes: list[Any], count: int, threads: int) -> tuple[Any, list[Any], bool]:
        """The numbers among the outputs, the lanes among them, and whether a nan is in these."""
        rows = []
        for n in range(max(count, 1)):
            given, moving = iter(numbers), iter(lanes)
            run = [next(given) if same else next(moving)[n] if count else 1.0 for same in self.uniform]
            rows.append(self.once(run))
        columns = [np.array(column)[:count] for column in zip(*rows, strict=True)]
        row, laned = [], []
        for column, first, varies, reduced in zip(columns, rows[0], self.varying, self.reduced, strict=True):
            if varies and not reduced:
                laned.append(column)
            else:
                row.append(_sum(column) if varies else first)
        return np.array(row), laned, any(np.isnan(column).any() for column in laned)


def _sum(column: Any) -> float:
    return math.fsum(column) if np.isfinite(column).all() else float(np.sum(column))
