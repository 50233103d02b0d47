"""`Recording`: what a tape holds, and the code that runs it over a batch."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd.compiler.batches import Batch, Pattern
from autograd.compiler.native import NativeCode
from autograd.compiler.numpy_backend import NumpyCode
from autograd.compiler.program import Instruction, unvarying
from autograd.compiler.recording import Tape
from autograd.compiler.signatures import Signature
from autograd.compiler.simplify import MACHINE, launders, lower, simplify, with_guards
from autograd.value import Value


@dataclass(frozen=True)
class Options:
    """What a kernel was asked for: see `compile`. `native` asks for machine code, and `strict` for nothing else."""

    name: str
    signature: Signature | None
    reduce: str | None
    parameters: list[Value] | None
    strict: bool
    native: bool
    fast: bool
    threads: int


@dataclass
class Run:
    """What came of a batch: `values`, an array if all outputs are numbers and else a list of numbers and lanes;
    whether each `varies`; where the path `holds` (True for everywhere); and whether a nan may be among the values."""

    values: Any
    varies: Any
    all_vary: bool
    holds: Any
    suspicious: bool


class Recording:
    """A program and its machine code: one for each choice of inputs that are the same in all lanes."""

    def __init__(self, tape: Tape, outputs: list[Instruction], options: Options, seconds: float) -> None:
        recorded = tape.program(outputs)
        self.options = options
        self.recorded = len(recorded)
        self.derived = any(instruction.derived for instruction in recorded.code)
        self.launders = self.derived and launders(recorded)
        self.outcomes = [guard.outcome for guard in recorded.guards]  # which tell its path from others
        self.captured = list(tape.captured)
        start = time.perf_counter()
        self.program = simplify(recorded)
        self.lowered = lower(self.program)
        self.guarded = bool(self.lowered.guards)
        self.foreign = next((i.op.name for i in self.lowered.code if i.op is not None and i.op not in MACHINE), None)
        self.recording = seconds
        self.compiling = time.perf_counter() - start
        self._folded = [options.reduce is not None] * len(outputs)
        self._codes: dict[tuple[Pattern, bool], tuple[Any, Any, bool]] = {}
        self._lock = threading.Lock()

    @property
    def backend(self) -> str:
        """The back end that runs it."""
        return "native" if self.options.native and not self.foreign else "numpy"

    def code(self, pattern: Pattern, guarded: bool) -> tuple[Any, Any, bool]:
        """What runs it where these inputs are the same in all lanes; which outputs vary over the lanes then, and
        whether all do. If `guarded`, one more output tells where the guards hold."""
        found = self._codes.get((pattern, guarded))
        if found is None:
            with self._lock:
                found = self._codes.get((pattern, guarded))
                if found is None:
                    start = time.perf_counter()
                    backend = NativeCode if self.backend == "native" else NumpyCode
                    whole = with_guards(self.lowered, self._folded) if guarded else replace(self.lowered, guards=[])
                    same = (*pattern.uniform, *[True] * len(self.captured))
                    folded = self._folded + [False] * guarded
                    code = backend(whole, same, folded, self.options.fast)
                    fixed = unvarying(whole, same)
                    varies = np.array([not fixed[output] for output in whole.outputs[: len(self._folded)]])
                    found = self._codes[pattern, guarded] = code, varies, bool(varies.all())
                    self.compiling += time.perf_counter() - start
        return found

    def run(self, batch: Batch, guarded: bool = True) -> Run:
        """The outputs of the whole batch, and where the guards hold (`guarded=False`: everywhere, they say)."""
        guarded = guarded and self.guarded
        code, varies, all_vary = self.code(batch.pattern, guarded)
        numbers = batch.numbers
        if self.captured:
            numbers = np.concatenate([numbers, [value.raw for value in self.captured]])
        holds: Any = True
        if not batch.lanes:
            values = code.once(numbers)
            if guarded:
                holds = bool(values.pop())
            total = sum(values)
            return Run(values, varies, all_vary, holds, total != total)
        row, laned, suspicious = code.run(numbers, batch.lanes, batch.count, self.options.threads)
        if guarded and len(row) == np.count_nonzero(~varies | self._folded):
            where = laned.pop() != 0.0
            holds = True if where.all() else where
        elif guarded:
            holds, row = bool(row[-1]), row[:-1]
        if not laned:
            total = np.add.reduce(row)
            return Run(row, varies, all_vary, holds, bool(total != total))
        places, lanes = iter(row.tolist()), iter(laned)
        return Run([next(lanes) if v else next(places) for v in varies], varies, all_vary, holds, suspicious)
