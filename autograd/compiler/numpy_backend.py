"""The NumPy back end: a lowered program as Python text, one NumPy call an instruction. Nothing to install, and the
reference that machine code is checked against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiler.program import Program
from autograd.compiler.simplify import MACHINE
from autograd.compiler.sources import source

ELEMENTS = 4_000_000  # numbers that are in memory at a time


class NumpyCode:
    """A program by NumPy: the same in use as `NativeCode`, but for `fast` and threads, which change nothing here."""

    def __init__(self, program: Program, uniform: Sequence[bool], reduced: Sequence[bool], fast: bool) -> None:
        same = dict(zip(program.inputs, uniform, strict=True))
        for instruction in program.code:
            same[instruction] = all(same[arg] for arg in instruction.args)
        self._uniform = list(uniform)
        self._varies = [not same[output] for output in program.outputs]
        self._reduced = list(reduced)
        self._chunk = max(64, ELEMENTS // max(1, len(program)))
        foreign = {i.op for i in program.code if i.op is not None and i.op not in MACHINE}
        calls = {op: f"user{n}" for n, op in enumerate(sorted(foreign, key=lambda op: op.name))}
        namespace: dict[str, Any] = {name: op.array for op, name in calls.items()}
        # The text is our own, made of the program: nothing of the caller's gets into it but names made harmless.
        exec(compile(source("numpy", [program], "kernel", calls), "<ag.compile>", "exec"), namespace)
        self._function = namespace["kernel"]
        self._single = len(program.outputs) == 1

    def once(self, numbers: Sequence[float]) -> list[float]:
        """The outputs where no input varies."""
        return [float(output) for output in self._outputs(numbers)]

    def run(self, numbers: Any, lanes: list[Any], count: int, threads: int) -> tuple[Any, list[Any], bool]:
        """See `NativeCode.run`."""
        kinds = [*zip(self._varies, self._reduced, strict=True)]
        laned = [np.empty(count) for varies, fold in kinds if varies and not fold]
        rows = []
        for start in range(0, max(count, 1), self._chunk):
            part = slice(start, min(start + self._chunk, count))
            given, moving = iter(numbers), iter(lanes)
            outputs = self._outputs([next(given) if same else next(moving)[part] for same in self._uniform])
            into = iter(laned)
            folded = [
                np.broadcast_to(x, part.stop - start)
                for x, (varies, fold) in zip(outputs, kinds, strict=True)
                if varies and fold
            ]
            sums = iter(np.stack(folded).sum(axis=1) if folded else ())
            row = []
            for x, (varies, fold) in zip(outputs, kinds, strict=True):
                if varies and not fold:
                    next(into)[part] = x
                else:
                    row.append(next(sums) if varies else x)
            rows.append(row)
        total = np.array(rows, float)
        row = total[0]
        summed = [k for k, (varies, fold) in enumerate(k for k in kinds if not k[0] or k[1]) if varies]
        row[summed] = total[:, summed].sum(axis=0)
        return row, laned, any(np.isnan(x).any() for x in laned)

    def _outputs(self, inputs: Any) -> Any:
        outputs = self._function(*inputs)
        return (outputs,) if self._single else outputs
