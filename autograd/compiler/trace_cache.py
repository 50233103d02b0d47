"""`TraceCache`: the traced paths of a function, and the dispatch of a batch's lanes to them."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd import modes
from autograd.arguments import shown
from autograd.compiler.batching import Batch, Layout
from autograd.compiler.calling import InputSpec, read_results
from autograd.compiler.errors import CompileError
from autograd.compiler.executable import BatchResult, Executable, Options
from autograd.compiler.locks import Locked
from autograd.compiler.lowering import hides_nan, is_opaque, is_strong
from autograd.compiler.program import Instruction, Program
from autograd.compiler.simplify import simplify
from autograd.compiler.trace import Trace
from autograd.frames import format_line, is_inside
from autograd.graph import Node
from autograd.lifting import argument_names
from autograd.reverse_mode import cotangents

MAX_PATHS = 64


class TraceCache(Locked):
    """The traced paths of a function, for one structure of its arguments."""

    def __init__(self, function: Callable[..., Any], options: Options, spec: InputSpec, batch: Batch) -> None:
        super().__init__()
        self.function, self.options, self.spec = function, options, spec
        self.paths: list[TracedPath] = []
        self.trace(batch)

    # ---- Tracing

    def trace(self, batch: Batch) -> TracedPath:
        """The path that the first lane of the batch takes: a new one, or one that is there."""
        path = self._traced(batch.example())
        for known in self.paths:
            if known.outcomes == path.outcomes:
                return known
        if len(self.paths) == MAX_PATHS:
            guards = [guard for path in self.paths for guard in path.fast.program.guards]
            places = {format_line(guard.line): None for guard in guards if guard.line}
            raise CompileError(
                f"{self.options.name} takes more than {MAX_PATHS} paths; they part at {', '.join([*places][:3])}; "
                "choose with ag.where(condition, x, y) there, which takes none"
            )
        if not path.backends:
            raise CompileError(
                f"the {self.options.backends[0].name} back end cannot call the primitive {path.opaque[0].name}, which is not "
                "written in other operations: write it with operators and ag's functions, or use backend='numpy'"
            )
        self.paths.append(path)
        return path

    def _traced(self, example: list[float]) -> TracedPath:
        start = time.perf_counter()
        options, spec = self.options, self.spec
        trace = Trace()
        labels = spec.labels(argument_names(self.function, spec.arity))
        inputs = [trace.input(label, number) for label, number in zip(labels, example, strict=True)]
        args, kwargs = spec.unflatten(inputs)
        try:
            with modes.recording(True), modes.tracing(trace), np.errstate(all="ignore"):
                result = self.function(*args, **kwargs)
                results, outputs = read_results(options.name, options.signature, spec.cores, result, trace.output)
                if options.parameters is not None:
                    outputs += self._gradient(result)
        except Exception as error:
            if not isinstance(error, CompileError):  # which tells the line itself
                _note_line(error, options.name)
            raise
        if not self.paths:
            self.results = results
        elif self.results != results:
            raise CompileError(
                f"{options.name} gives results of different structures on different paths: "
                f"{self.results} and {results}: let all branches return the same kind"
            )
        return TracedPath(trace, outputs, options, time.perf_counter() - start)

    def _gradient(self, loss: Any) -> list[Any]:
        if not isinstance(loss, (Node, float, int)):
            raise CompileError(f"with parameters, {self.options.name} must give one loss, not {shown(loss)}")
        found = cotangents(loss, 1.0, keep_graph=True) if isinstance(loss, Node) else {}
        return [found.get(parameter, 0.0) for parameter in self.options.parameters or ()]

    def exported(self) -> list[Program]:
        """The lowered programs of all paths, of the same inputs: the arguments' numbers, then captured values'."""
        executables = [path.exact for path in self.paths]
        captured = list(dict.fromkeys(value for executable in executables for value in executable.captured))
        programs = []
        for executable in executables:
            program = executable.lowered
            own = len(program.inputs) - len(executable.captured)
            found = dict(zip(executable.captured, program.inputs[own:], strict=True))
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
        return results.unflatten(values, layout.reduced if options.reduce else layout.batched)

    def _values(self, batch: Batch) -> Sequence[Any] | np.ndarray[Any, Any]:
        """Every output: a number, or an array of one a lane. All are numbers where the result is an array itself."""
        run = self._run(self.paths[0], batch)
        if run.holds is not True:
            return self._routed(batch, run)
        if self.options.reduce is None:
            return run.values
        values = np.asarray(run.values)
        if self.options.reduce == "sum":
            return values if run.all_varying else values * np.where(run.varying, 1.0, batch.count)
        if not batch.count:
            return np.full(len(values), np.nan)
        return values / (batch.count if run.all_varying else np.where(run.varying, batch.count, 1.0))

    def _run(self, path: TracedPath, batch: Batch, guarded: bool = True) -> BatchResult:
        """The outputs along a path, and where it holds. Lanes in which the fast program gives nan take the exact one."""
        run = path.fast.run(batch, guarded)
        if not run.may_have_nan or path.exact is path.fast:
            return run
        moving = [x for x in run.values if isinstance(x, np.ndarray)]
        if not moving or any(x != x for x in run.values if isinstance(x, float)):
            return path.exact.run(batch, guarded)
        bad = np.logical_or.reduce([np.isnan(x) for x in moving]) & run.holds
        again = path.exact.run(batch.take(bad), guarded=False)
        for old, new in zip(run.values, again.values, strict=True):
            if isinstance(old, np.ndarray):
                old[bad] = new
        return run

    def _routed(self, batch: Batch, run: BatchResult) -> Sequence[Any] | np.ndarray[Any, Any]:
        """Every output, where not all lanes take the first path: each lane takes its own."""
        reduce, total, several = self.options.reduce, batch.count, bool(batch.lanes)
        outputs: list[Any] = [0.0 if reduce else np.empty(total) for _ in run.values]
        lanes, tried = np.arange(total), 1
        while True:
            chosen = np.broadcast_to(run.holds, len(lanes))
            for n, value in enumerate(run.values):
                if reduce is None:
                    outputs[n][lanes[chosen]] = np.broadcast_to(value, len(lanes))[chosen]
                else:
                    outputs[n] += value if run.varying[n] else value * np.count_nonzero(chosen)
            if chosen.all():
                break
            lanes, batch = lanes[~chosen], batch.take(~chosen)
            with self._lock:
                path = self.paths[tried] if tried < len(self.paths) else self.trace(batch)
            if tried < len(self.paths):
                run = self._run(path, batch)
                tried += 1
            else:  # the path was tried: a condition came out otherwise there, by a last bit that the back end rounds so
                first = np.arange(len(lanes)) == 0
                run = replace(self._run(path, batch.take(first), guarded=False), holds=first)
        if reduce:
            return np.array(outputs) / (total if reduce == "mean" else 1)
        return outputs if several else [float(output[0]) for output in outputs]


class TracedPath:
    """One path through a function. Where it has derivatives, it has two programs: `exact`, in which a cotangent of zero
    stays zero whatever it meets, and `fast`, which gives nan there."""

    def __init__(self, trace: Trace, outputs: list[Any], options: Options, seconds: float) -> None:
        start = time.perf_counter()
        program = simplify(trace.program(outputs))
        self.operations, self.tracing = trace.count, seconds
        self.outcomes = [outcome for _, outcome, _ in trace.guards]  # which tell it from others
        operations = {i.op: None for i in program.code if i.op is not None}
        self.opaque = [op for op in operations if is_opaque(op)]
        self.backends = [backend for backend in options.backends if backend.runs_opaque or not self.opaque]
        captured = list(trace.captured)
        self.exact = self.fast = Executable(program, captured, options, self.backends, exact=True)
        if is_strong(operations) and not hides_nan(program):
            self.fast = Executable(program, captured, options, self.backends, exact=False)
        self.simplifying = time.perf_counter() - start


def _note_line(error: Exception, name: str) -> None:
    """Add a note of the user's line to an error, which may come from a library."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [frame for frame in frames if not is_inside(frame[0])]
    error.add_note(f"while ag.compile traced {name}" + (f", at {format_line(own[-1])}" if own else ""))
