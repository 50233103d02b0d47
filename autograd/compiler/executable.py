"""`Executable`: a program with the code that runs it over a batch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd import modes
from autograd.compiler.backend import Backend, Code
from autograd.compiler.batching import Batch, UniformMask
from autograd.compiler.errors import CompileError
from autograd.compiler.locks import Locked
from autograd.compiler.lowering import lower, with_guards, with_plain_products
from autograd.compiler.program import Program, uniform_instructions
from autograd.compiler.signatures import Signature
from autograd.value import Value


@dataclass(frozen=True)
class Options:
    """The options of a kernel: see `compile`. Of its back ends the first that can run a program does."""

    name: str
    signature: Signature | None
    reduce: str | None
    parameters: list[Value] | None
    backends: tuple[Backend, ...]
    fast: bool
    threads: int


@dataclass
class BatchResult:
    """The outputs of a batch: `values`, an array if all outputs are numbers and else a list of numbers and lanes; whether
    each is `varying`; a mask of the lanes where the path `holds` (True for all); and whether the values may have a nan."""

    values: Sequence[Any] | np.ndarray[Any, Any]
    varying: Any
    all_varying: bool
    holds: Any
    may_have_nan: bool


class Executable(Locked):
    """A program and the code that runs it: one for each choice of inputs that are uniform.

    The last of its inputs are the numbers of the `captured` Values.
    """

    def __init__(
        self, program: Program, captured: list[Value], options: Options, backends: Sequence[Backend], exact: bool
    ) -> None:
        super().__init__()
        self.captured, self.options, self.backends, self.exact = captured, options, backends, exact
        self.guarded = bool(program.guards)
        self.compiling = 0.0  # seconds
        self._reduced = [options.reduce is not None] * len(program.outputs)
        self._codes: dict[tuple[UniformMask, bool], tuple[Code, Any, bool]] = {}
        self._traced = program
        self._program: Program | None = program if exact else None
        self._lowered: Program | None = None

    # What is made when it is first asked for: no cached_property, whose lock (in Python 3.11) would not outlive a fork

    @property
    def program(self) -> Program:
        """The program, simplified."""
        if self._program is None:
            self._program = with_plain_products(self._traced)
        return self._program

    @property
    def lowered(self) -> Program:
        """The program in the operations of machines."""
        if self._lowered is None:
            self._lowered = lower(self._traced, self.exact)
        return self._lowered

    def code(self, mask: UniformMask, guarded: bool) -> tuple[Code, Any, bool]:
        """The code for this mask of uniform inputs, a mask of the varying outputs, and whether all vary. If `guarded`, one
        more output tells where the guards hold."""
        found = self._codes.get((mask, guarded))
        if found is None:
            with self._lock:
                found = self._codes.get((mask, guarded))
                if found is None:
                    start = time.perf_counter()
                    whole = with_guards(self.lowered, self._reduced) if guarded else replace(self.lowered, guards=[])
                    uniform = (*mask.uniform, *[True] * len(self.captured))
                    reduced = self._reduced + [False] * guarded
                    code = self._compiled(whole, uniform, reduced)
                    is_uniform = uniform_instructions(whole, uniform)
                    varying = np.array([not is_uniform[output] for output in whole.outputs[: len(self._reduced)]], bool)
                    found = self._codes[mask, guarded] = code, varying, bool(varying.all())
                    self.compiling += time.perf_counter() - start
        return found

    def _compiled(self, program: Program, uniform: Sequence[bool], reduced: Sequence[bool]) -> Code:
        *others, last = self.backends
        for backend in others:
            with suppress(OSError):  # this machine lacks a function that the program calls
                return backend.compile(program, uniform, reduced, self.options.fast)
        return last.compile(program, uniform, reduced, self.options.fast)

    def run(self, batch: Batch, guarded: bool = True) -> BatchResult:
        """The outputs of the whole batch, and where the guards hold (with `guarded=False`: everywhere)."""
        guarded = guarded and self.guarded
        code, varying, all_varying = self.code(batch.mask, guarded)
        numbers = batch.numbers
        if self.captured:
            if modes.current_trace():
                raise CompileError(
                    f"{self.options.name}, which reads Values, was given arrays within another trace, where what it "
                    "gives would be frozen: give it numbers, or call the function that it was made of"
                )
            numbers = np.concatenate([numbers, [value._data for value in self.captured]])
        holds: Any = True
        if not batch.lanes:
            values = code.once(numbers)
            if guarded:
                holds = bool(values.pop())
            total = sum(values)
            return BatchResult(values, varying, all_varying, holds, total != total)
        row, laned, may_have_nan = code.run(numbers, batch.lanes, batch.count, self.options.threads)
        if guarded and len(row) == np.count_nonzero(~varying | np.array(self._reduced, bool)):
            where = laned.pop() != 0.0
            holds = True if where.all() else where
        elif guarded:
            holds, row = bool(row[-1]), row[:-1]
        if not laned:
            return BatchResult(row, varying, all_varying, holds, _has_nan(row))
        may_have_nan = may_have_nan or _has_nan(row)
        places, lanes = iter(row.tolist()), iter(laned)
        return BatchResult(
            [next(lanes) if v else next(places) for v in varying], varying, all_varying, holds, may_have_nan
        )


def _has_nan(row: Any) -> bool:
    largest = np.maximum.reduce(row, initial=0.0)
    return bool(largest != largest)
