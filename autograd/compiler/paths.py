"""`Family`: the paths that were recorded through a function, and which of them each lane of a batch takes."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from autograd import graph
from autograd.backprop import cotangents
from autograd.compiler.batches import Arguments, Batch, Layout, Pattern, Results
from autograd.compiler.native import NativeCode
from autograd.compiler.numpy_backend import NumpyCode
from autograd.compiler.program import Instruction, Program, describe
from autograd.compiler.recording import CompileError, Tape
from autograd.compiler.signatures import Signature
from autograd.compiler.simplify import MACHINE, launders, lower, simplify, with_guards
from autograd.graph import Node
from autograd.value import Value

MOST_PATHS = 64


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


class Family:
    """What a kernel recorded for one structure of its arguments: paths through the function, and how each is run."""

    def __init__(self, function: Callable[..., Any], options: Options, given: Arguments, batch: Batch) -> None:
        self.function = function
        self.options = options
        self.given = given  # as an example of the structure
        self.paths: list[Path] = []
        self._lock = threading.RLock()
        self.record(batch)

    # ---- Recording

    def record(self, batch: Batch) -> Path:
        """A new path: the one that the first lane of the batch takes."""
        example = batch.example()
        if len(self.paths) == MOST_PATHS:
            places = {describe(guard.line): None for path in self.paths for guard in path.plain.program.guards}
            raise CompileError(
                f"{self.options.name} takes more than {MOST_PATHS} paths; they part at {', '.join([*places][:3])}: "
                "choose with ag.where(condition, x, y) there, which takes none"
            )
        path = Path(example, self._recording(example, careful=False))
        if path.plain.derived and (path.plain.program.guards or path.plain.launders):
            path.plain = path.careful = self._recording(example, careful=True)
        elif not path.plain.derived:
            path.careful = path.plain
        self.paths.append(path)
        return path

    def careful(self, path: Path) -> Recording:
        """The path with derivatives that are right also where zero meets infinity."""
        if path.careful is None:
            path.careful = self._recording(path.example, careful=True)
        return path.careful

    def _recording(self, example: list[float], careful: bool) -> Recording:
        start = time.perf_counter()
        options = self.options
        tape = Tape(careful)
        labels = self.given.labels(_names(self.function, len(self.given.args)))
        inputs = [tape.input(label, number) for label, number in zip(labels, example, strict=True)]
        args, kwargs = self.given.rebuilt(iter(inputs))
        with graph.recording(True), graph.tracing(tape), np.errstate(all="ignore"):
            result = self.function(*args, **kwargs)
            results = Results(options.name, options.signature, result, tape.output)
            gradient = self._gradient(result) if options.parameters is not None else []
            outputs = results.outputs + [tape.known(g) for g in gradient]
        if not self.paths:
            self.results = results
        elif self.results.structure != results.structure:
            raise CompileError(
                f"{options.name} gives results of different structures on different paths: "
                f"{self.results.structure} and {results.structure}"
            )
        recording = Recording(tape, outputs, options, time.perf_counter() - start)
        if recording.foreign and options.strict:
            raise CompileError(
                f"the native back end cannot call the primitive {recording.foreign}, which is not written in other "
                "operations: write it with operators and ag's functions, or use backend='numpy'"
            )
        return recording

    def _gradient(self, loss: Any) -> list[Any]:
        if not isinstance(loss, (Node, float, int)):
            raise CompileError(
                f"with parameters, {self.options.name} must give one loss, not {type(loss).__name__} {loss!r}"
            )
        found = cotangents(loss, 1.0, keep_graph=True) if isinstance(loss, Node) else {}
        return [found.get(parameter, 0.0) for parameter in self.options.parameters or ()]

    def exported(self) -> list[Program]:
        """The lowered programs of all paths, of the same inputs: the arguments' numbers, then captured values'."""
        recordings = [self.careful(path) for path in self.paths]
        captured = list(dict.fromkeys(value for recording in recordings for value in recording.captured))
        programs = []
        for recording in recordings:
            program = recording.lowered
            own = len(program.inputs) - len(recording.captured)
            found = dict(zip(recording.captured, program.inputs[own:], strict=True))
            extra = [found.get(value) or Instruction(None, label=value.label) for value in captured]
            programs.append(Program(program.inputs[:own] + extra, program.code, program.outputs, program.guards))
        return programs

    # ---- Running

    def call(self, layout: Layout, batch: Batch) -> Any:
        """The results for these arguments."""
        options, results = self.options, self.results
        if options.parameters is not None and options.reduce is None and layout.loop:
            raise ValueError(f"{options.name} has one loss for each lane of the batch: pass reduce='mean' or 'sum'")
        values = self._values(batch)
        if options.parameters is not None:
            values, gradient = values[:1], values[1:]
            for parameter, g in zip(options.parameters, np.asarray(gradient).tolist(), strict=True):
                parameter.grad += g
        return results.build(values, layout.number if options.reduce else layout.repeated)

    def _values(self, batch: Batch) -> Any:
        """Every output: a number, or an array of one a lane. All are numbers where the result is an array itself."""
        path = self.paths[0]
        values, holds = self._run(path, batch)
        if holds is not True:
            return self._routed(batch, values, holds)
        if not batch.lanes or self.options.reduce is None:
            return values
        varies, all_vary = path.plain.varies(batch.pattern)
        if self.options.reduce == "mean":
            return values / (batch.count if all_vary else np.where(varies, batch.count, 1.0))
        return values if all_vary else values * np.where(varies, 1.0, batch.count)

    def _run(self, path: Path, batch: Batch) -> tuple[Any, Any]:
        """The outputs along a path, and where it holds. Where a nan came out of a derivative, with care."""
        values, holds, suspicious = path.plain.run(batch)
        if not suspicious or path.careful is path.plain:
            return values, holds
        careful = self.careful(path)
        if isinstance(values, np.ndarray) or not batch.lanes or any(x != x for x in values if isinstance(x, float)):
            return careful.run(batch)[:2]
        bad = np.logical_or.reduce([np.isnan(x) for x in values if isinstance(x, np.ndarray)])
        again, _, _ = careful.run(batch.take(bad))
        for old, new in zip(values, again, strict=True):
            if isinstance(old, np.ndarray):
                old[bad] = new
        return values, holds

    def _routed(self, batch: Batch, values: Any, holds: Any) -> Any:
        """Every output, where not all lanes take the first path: each lane by its own."""
        reduce, total = self.options.reduce, batch.count
        if not batch.lanes:  # all lanes are the same
            for k in count(1):
                path = self._path(k, batch)
                values, holds = self._run(path, batch)
                if holds is True:
                    return values
        outputs: list[Any] = [0.0 if reduce else np.empty(total) for _ in values]
        where = np.arange(total)
        for k in count(1):
            chosen = np.broadcast_to(holds, len(where))
            varies, _ = self.paths[k - 1].plain.varies(batch.pattern)
            for n, value in enumerate(values):
                if reduce is None:
                    outputs[n][where[chosen]] = value[chosen] if isinstance(value, np.ndarray) else value
                elif varies[n]:
                    outputs[n] += value
                else:
                    outputs[n] += value * np.count_nonzero(chosen)
            if chosen.all():
                return np.array(outputs) / (total if reduce == "mean" else 1) if reduce else outputs
            where = where[~chosen]
            batch = batch.take(~chosen)
            values, holds = self._run(self._path(k, batch), batch)
        raise AssertionError

    def _path(self, k: int, batch: Batch) -> Path:
        with self._lock:
            return self.paths[k] if k < len(self.paths) else self.record(batch)


class Path:
    """One way through a function: recorded from `example`, and where needed again with care about zeros."""

    def __init__(self, example: list[float], plain: Recording) -> None:
        self.example = example
        self.plain = plain
        self.careful: Recording | None = None


class Recording:
    """A program and its machine code: one for each choice of inputs that are the same in all lanes."""

    def __init__(self, tape: Tape, outputs: list[Instruction], options: Options, seconds: float) -> None:
        recorded = tape.program(outputs)
        self.options = options
        self.recorded = len(recorded)
        self.derived = any(instruction.derived for instruction in recorded.code)
        self.launders = self.derived and launders(recorded)
        self.captured = list(tape.captured)
        start = time.perf_counter()
        self.program = simplify(recorded)
        self.lowered = lower(self.program)
        self.guarded = bool(self.lowered.guards)
        self.foreign = next((i.op.name for i in self.lowered.code if i.op is not None and i.op not in MACHINE), None)
        self.recording = seconds
        self.compiling = time.perf_counter() - start
        self._folded = [options.reduce is not None] * len(outputs)
        self._whole = with_guards(self.lowered, self._folded) if self.guarded else self.lowered
        self._codes: dict[Pattern, Any] = {}
        self._varies: dict[Pattern, tuple[Any, bool]] = {}
        self._lock = threading.Lock()

    @property
    def backend(self) -> str:
        """The back end that runs it."""
        return "native" if self.options.native and not self.foreign else "numpy"

    def code(self, pattern: Pattern) -> Any:
        """What runs it where these inputs are the same in all lanes."""
        found = self._codes.get(pattern)
        if found is None:
            with self._lock:
                found = self._codes.get(pattern)
                if found is None:
                    start = time.perf_counter()
                    backend = NativeCode if self.backend == "native" else NumpyCode
                    same = (*pattern.uniform, *[True] * len(self.captured))
                    folded = self._folded + [False] * self.guarded
                    found = self._codes[pattern] = backend(self._whole, same, folded, self.options.fast)
                    self.compiling += time.perf_counter() - start
        return found

    def varies(self, pattern: Pattern) -> tuple[Any, bool]:
        """Which outputs depend on inputs that are not the same in all lanes, and whether all do."""
        found = self._varies.get(pattern)
        if found is None:
            same = dict.fromkeys(self.lowered.inputs, True)
            same.update(zip(self.lowered.inputs, pattern.uniform, strict=False))
            for instruction in self._whole.code:
                same[instruction] = all(same[arg] for arg in instruction.args)
            varies = np.array([not same[output] for output in self._whole.outputs[: len(self._folded)]])
            found = self._varies[pattern] = varies, bool(varies.all())
        return found

    def run(self, batch: Batch) -> tuple[Any, Any, bool]:
        """The outputs, where the guards hold (True for everywhere), and whether a nan is among the outputs.

        The outputs are an array if all are numbers, and else a list of numbers and lanes.
        """
        code = self.code(batch.pattern)
        numbers = batch.numbers
        if self.captured:
            numbers = np.concatenate([numbers, [value.raw for value in self.captured]])
        holds: Any = True
        if not batch.lanes:
            values = code.once(numbers)
            if self.guarded:
                holds = bool(values.pop())
            total = sum(values)
            return values, holds, total != total
        row, laned, suspicious = code.run(numbers, batch.lanes, batch.count, self.options.threads)
        if self.guarded:
            varies, _ = self.varies(batch.pattern)
            if len(laned) > (0 if self._folded and self._folded[0] else int(varies.sum())):
                whole = laned.pop() != 0.0
                holds = True if whole.all() else whole
            else:
                holds, row = bool(row[-1]), row[:-1]
        if not laned:
            total = np.add.reduce(row)
            return row, holds, bool(total != total)
        places, lanes = iter(row.tolist()), iter(laned)
        varies, _ = self.varies(batch.pattern)
        return [next(lanes) if v else next(places) for v in varies], holds, suspicious


def _names(function: Any, count: int) -> list[str]:
    """Names for the positional arguments."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [f"x{n}" for n in range(count)]
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    return names + [f"x{n}" for n in range(len(names), count)]
