"""`compile`: a function of scalars as a `Kernel`, which records it once a path and runs the record."""

from __future__ import annotations

import inspect
import os
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from typing import Any

import numpy as np

from autograd import graph
from autograd.backprop import cotangents
from autograd.compiler.batches import Arguments, Batch, Layout, Pattern, Results, as_array
from autograd.compiler.native import NativeCode, library
from autograd.compiler.numpy_backend import NumpyCode
from autograd.compiler.program import Instruction, Program, describe
from autograd.compiler.recording import CompileError, Tape
from autograd.compiler.signatures import Signature, parse
from autograd.compiler.simplify import MACHINE, launders, lower, simplify, with_guards
from autograd.compiler.sources import source
from autograd.graph import Node
from autograd.trees import leaves
from autograd.value import Value

MOST_PATHS = 64
MOST_LAYOUTS = 256  # kinds of arguments that are remembered


def compile(
    f: Callable[..., Any],
    *,
    signature: str | None = None,
    reduce: str | None = None,
    parameters: Sequence[Value] | None = None,
    backend: str = "auto",
    fast: bool = False,
    threads: int | None = None,
) -> Kernel:
    """A function of scalars, recorded once and run as a straight-line program: see `Kernel`.

    `f` is written with scalar arithmetic, `ag`'s functions, loops, lists and dicts, and may be a derivative
    (`ag.value_and_grad(g)`, `ag.hessian(g)`). The result is called like a NumPy ufunc: floats give floats, arrays
    broadcast, in float64 (float32 where all arrays are). Numbers that `f` reaches by itself are constants; the numbers
    of Values that it reaches are read at each call. Given nodes, the result runs `f` itself, so it can still be
    differentiated.

    An `if` on a recorded value is a guard: another outcome is recorded as another path, and in a batch each lane takes
    its own. `ag.where` chooses without one.

    signature: NumPy's, as "(p),(d),()->()": vectors arrive in `f` as object arrays.
    reduce: "mean" or "sum" of every result over the batch.
    parameters: Values (`model.parameters()`). `f` gives one loss; a call returns it and adds its gradient to each
        `.grad`, as `backward()` would.
    backend: "native" (LLVM; the extra `native`), "numpy", or "auto": native where it is installed.
    fast: lets the native back end reorder sums and fuse multiplications into them; without it, arithmetic gives the
        same bits as uncompiled code.
    threads: at most so many share a large batch; None for one a core.

    >>> import autograd as ag
    >>> slope = compile(ag.grad(lambda x: x * ag.sin(x)), backend="numpy")
    >>> slope(0.0)
    0.0
    >>> slope(np.array([0.0, np.pi])).round(3).tolist()
    [0.0, -3.142]
    """
    if not callable(f):
        raise TypeError(f"compile needs a function, got {f!r}")
    if reduce not in (None, "mean", "sum"):
        raise ValueError(f"reduce={reduce!r} is neither 'mean' nor 'sum', nor None")
    if backend not in ("auto", "numpy", "native"):
        raise ValueError(f"backend={backend!r} is none of 'auto', 'numpy' and 'native'")
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise ValueError(f"threads={threads!r} is not a number of threads: None is for one a core")
    if parameters is not None:
        parameters = list(parameters)
        for parameter in parameters:
            if not isinstance(parameter, Value) or parameter.op is not None:
                raise TypeError(f"parameters are Values that were not computed from others, not {parameter!r}")
        if len(set(map(id, parameters))) != len(parameters):
            raise ValueError("a parameter is there twice")
    return Kernel(
        f,
        None if signature is None else parse(signature),
        reduce,
        parameters,
        backend,
        _native(backend),
        fast,
        threads or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1),
    )


def _native(backend: str) -> bool:
    """Whether machine code is to be made; an ImportError if it must be and cannot."""
    if backend == "auto":
        try:
            library()
        except ImportError:
            _say_so()
            return False
    elif backend == "native":
        library()
    return backend != "numpy"


@cache
def _say_so() -> None:
    warnings.warn(
        "llvmlite is not installed, so ag.compile uses NumPy: pip install 'chainrule[native]' for machine code, or pass "
        "backend='numpy' to choose it",
        RuntimeWarning,
        stacklevel=4,
    )


class Kernel:
    """A compiled function. Call it as the function; `print(kernel.program)`, `kernel.stats` and `kernel.source("c")`
    show what it became at its last new kind of call."""

    def __init__(
        self,
        function: Callable[..., Any],
        signature: Signature | None,
        reduce: str | None,
        parameters: list[Value] | None,
        backend: str,
        native: bool,
        fast: bool,
        threads: int,
    ) -> None:
        self.function = function
        self.signature = signature
        self.reduce = reduce
        self.parameters = parameters
        self.backend = backend
        self.fast = fast
        self.threads = threads
        self.native = native
        self.name = getattr(function, "__name__", type(function).__name__)
        self.__wrapped__ = function
        self._families: dict[Any, Family] = {}
        self._layouts: dict[Any, tuple[Family, Layout]] = {}
        self._patterns: dict[Any, Pattern] = {}
        self._latest: Family | None = None
        self._shortcut: tuple[tuple[type, ...], Any, Any] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        shortcut = self._shortcut
        if shortcut is not None and not kwargs and tuple(map(type, args)) == shortcut[0]:  # floats alone, once more
            outputs = shortcut[1](args)
            total = sum(outputs)
            if total == total:
                return shortcut[2](outputs)
        kinds = None if kwargs else tuple([(x.shape, x.dtype.char) if type(x) is np.ndarray else type(x) for x in args])
        known = self._layouts.get(kinds)
        if known is not None:
            family, layout = known
            return family.call(layout, layout.batch([as_array(self.name, x) for x in args]))
        if any(isinstance(leaf, Node) for leaf in leaves((args, kwargs))):
            return self.function(*args, **kwargs)
        given = Arguments(self.name, self.signature, args, kwargs)
        layout = given.layout(self._patterns)
        batch = layout.batch(given.arrays)
        family = self._families.get(given.key)
        if family is None:
            family = Family(self, given, batch)
            self._latest = self._families[given.key] = family  # kept only if a first path could be recorded
        plain = all(kind in (float, int) or (isinstance(kind, tuple) and kind[1] != "O") for kind in kinds or ())
        if kinds is not None and plain:
            if len(self._layouts) == MOST_LAYOUTS:
                self._layouts.clear()
            self._layouts[kinds] = family, layout
        if all(type(x) is float for x in args) and not kwargs:
            self._offer_shortcut(family, layout)
        return family.call(layout, batch)

    def _offer_shortcut(self, family: Family, layout: Layout) -> None:
        """From now on, a call with floats alone goes the shortest way, where nothing stands against it."""
        recording = family.paths[0].plain
        if not (recording.captured or recording.guarded or self.signature or self.parameters):
            once = recording.code(layout.pattern).once
            self._shortcut = (float,) * len(layout.pattern.uniform), once, family.results.shortcut()

    @property
    def program(self) -> Program:
        """What was recorded, simplified: the first path, where there are several."""
        return self.programs[0]

    @property
    def programs(self) -> list[Program]:
        """What was recorded, simplified, of every path."""
        return [path.plain.program for path in self._family().paths]

    @property
    def stats(self) -> dict[str, Any]:
        """What there is: `recorded` and `instructions` (before and after simplification) and `flops` of the longest
        path, the `backend`, how many `paths`, and the seconds spent on `recording` and `compiling` in all."""
        family = self._family()
        longest = max((path.plain for path in family.paths), key=lambda recording: recording.recorded)
        recordings = {r for path in family.paths for r in (path.plain, path.careful) if r is not None}
        return {
            "recorded": longest.recorded,
            "instructions": len(longest.program),
            "flops": longest.lowered.flops,
            "backend": longest.backend,
            "paths": len(family.paths),
            "recording": sum(recording.recording for recording in recordings),
            "compiling": sum(recording.compiling for recording in recordings),
        }

    def source(self, language: str) -> str:
        """Standalone text in "python", "numpy" or "c", which needs nothing of this package.

        The function takes the numbers that `program.inputs` lists, and gives the outputs in order. Of several paths it
        takes the one that fits; what was not recorded it refuses.
        """
        family = self._family()
        return source(language, [family.careful(path).lowered for path in family.paths])

    def _family(self) -> Family:
        if self._latest is None or not self._latest.paths:
            raise RuntimeError(f"{self.name} is recorded at its first call, with numbers: call it first")
        return self._latest

    def __repr__(self) -> str:
        paths = sum(len(family.paths) for family in self._families.values())
        return f"<compiled {self.name}: {paths} path{'s' * (paths != 1)}>"


class Family:
    """What a kernel recorded for one structure of its arguments: paths through the function, and how each is run."""

    def __init__(self, kernel: Kernel, given: Arguments, batch: Batch) -> None:
        self.kernel = kernel
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
                f"{self.kernel.name} takes more than {MOST_PATHS} paths; they part at {', '.join([*places][:3])}: "
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
        kernel = self.kernel
        tape = Tape(careful)
        labels = self.given.labels(_names(kernel.function, len(self.given.args)))
        inputs = [tape.input(label, number) for label, number in zip(labels, example, strict=True)]
        args, kwargs = self.given.rebuilt(iter(inputs))
        with graph.recording(True), graph.tracing(tape), np.errstate(all="ignore"):
            result = kernel.function(*args, **kwargs)
            results = Results(kernel.name, kernel.signature, result, tape.output)
            gradient = self._gradient(result) if kernel.parameters is not None else []
            outputs = results.outputs + [tape.known(g) for g in gradient]
        if not self.paths:
            self.results = results
        elif self.results.structure != results.structure:
            raise CompileError(
                f"{kernel.name} gives results of different structures on different paths: "
                f"{self.results.structure} and {results.structure}"
            )
        recording = Recording(tape, outputs, kernel, time.perf_counter() - start)
        if recording.foreign and kernel.backend == "native":
            raise CompileError(
                f"the native back end cannot call the primitive {recording.foreign}, which is not written in other "
                "operations: write it with operators and ag's functions, or use backend='numpy'"
            )
        return recording

    def _gradient(self, loss: Any) -> list[Any]:
        kernel = self.kernel
        if not isinstance(loss, (Node, float, int)):
            raise CompileError(f"with parameters, {kernel.name} must give one loss, not {type(loss).__name__} {loss!r}")
        found = cotangents(loss, 1.0, keep_graph=True) if isinstance(loss, Node) else {}
        return [found.get(parameter, 0.0) for parameter in kernel.parameters or ()]

    # ---- Running

    def call(self, layout: Layout, batch: Batch) -> Any:
        """The results for these arguments."""
        kernel, results = self.kernel, self.results
        if kernel.parameters is not None and kernel.reduce is None and layout.loop:
            raise ValueError(f"{kernel.name} has one loss for each lane of the batch: pass reduce='mean' or 'sum'")
        values = self._values(batch)
        if kernel.parameters is not None:
            values, gradient = values[:1], values[1:]
            for parameter, g in zip(kernel.parameters, np.asarray(gradient).tolist(), strict=True):
                parameter.grad += g
        return results.build(values, layout.number if kernel.reduce else layout.repeated)

    def _values(self, batch: Batch) -> Any:
        """Every output: a number, or an array of one a lane. All are numbers where the result is an array itself."""
        path = self.paths[0]
        values, holds = self._run(path, batch)
        if holds is not True:
            return self._routed(batch, values, holds)
        if not batch.lanes or self.kernel.reduce is None:
            return values
        varies, all_vary = path.plain.varies(batch.pattern)
        if self.kernel.reduce == "mean":
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
        reduce, total = self.kernel.reduce, batch.count
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

    def __init__(self, tape: Tape, outputs: list[Instruction], kernel: Kernel, seconds: float) -> None:
        recorded = tape.program(outputs)
        self.kernel = kernel
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
        self._folded = [kernel.reduce is not None] * len(outputs)
        self._whole = with_guards(self.lowered, self._folded) if self.guarded else self.lowered
        self._codes: dict[Pattern, Any] = {}
        self._varies: dict[Pattern, tuple[Any, bool]] = {}
        self._lock = threading.Lock()

    @property
    def backend(self) -> str:
        """The back end that runs it."""
        return "numpy" if self.foreign else "native" if self.kernel.native else "numpy"

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
                    found = self._codes[pattern] = backend(self._whole, same, folded, self.kernel.fast)
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
        row, laned, suspicious = code.run(numbers, batch.lanes, batch.count, self.kernel.threads)
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
        parameters = ()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    return names + [f"x{n}" for n in range(len(names), count)]
