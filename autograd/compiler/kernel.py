"""`compile`: a function of scalars as a `Kernel`, which traces it once a path and runs the program."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from typing import Any, NoReturn, TypedDict, Unpack, overload

import numpy as np

from autograd import modes
from autograd.arguments import flag, sequence, shown
from autograd.compiler.backend import Backend
from autograd.compiler.batching import Layout
from autograd.compiler.calling import Arguments, InputSpec
from autograd.compiler.executable import Options
from autograd.compiler.export import write
from autograd.compiler.latex import latex
from autograd.compiler.locks import Locked
from autograd.compiler.native import NativeBackend, library
from autograd.compiler.numpy_backend import NumpyBackend
from autograd.compiler.program import Program
from autograd.compiler.signatures import parse
from autograd.compiler.trace_cache import TraceCache
from autograd.value import Value

MAX_LAYOUTS = 256  # kinds of arguments that are remembered
NATIVE, NUMPY = NativeBackend(), NumpyBackend()


class Settings(TypedDict, total=False):
    """The options of `compile`, for type checkers."""

    signature: str | None
    reduce: str | None
    parameters: Sequence[Value] | None
    backend: str | Backend
    fast: bool
    threads: int | None


@overload
def compile(f: Callable[..., Any], **settings: Unpack[Settings]) -> Kernel: ...
@overload
def compile(f: None = None, **settings: Unpack[Settings]) -> Callable[[Callable[..., Any]], Kernel]: ...
def compile(
    f: Callable[..., Any] | None = None,
    *,
    signature: str | None = None,
    reduce: str | None = None,
    parameters: Sequence[Value] | None = None,
    backend: str | Backend = "auto",
    fast: bool = False,
    threads: int | None = None,
) -> Any:
    """A function of scalars as a `Kernel`: traced once, with its derivatives, and run as a straight-line program.

    `f` is written for single numbers: arithmetic, `ag`'s functions, loops (which are unrolled), lists and dicts; or it
    is a derivative (`ag.value_and_grad(g)`, `ag.hessian(g)`). The kernel is called like a NumPy ufunc: floats give
    floats, and arrays are batches, which broadcast; it computes in float64, and gives float32 or float16 if all arrays
    have that dtype. Arithmetic is IEEE's: 1/0 is inf, log(-1) nan. Called with nodes it runs `f` itself, so that it can
    still be differentiated.

    Numbers and arrays that `f` captures are constants from the first call on; the numbers of Values that it captures are
    read at each call (but a call with numbers gives numbers, without a graph to the Values). An `if` on a traced value is
    a guard: another outcome is traced as another path, of which there may be 64, and in a batch each lane takes its own.
    `ag.where` selects within one path.

    signature: NumPy's, as "(p),(d),()->()": a vector of p numbers, one of d and a number give a number. Vectors arrive
        in `f` as object arrays (`p[k]`, `w @ x`, `ag.sum`, `np.exp` work); axes before them are the batch.
    reduce: "mean" or "sum" of every result, derivatives too, over the batch.
    parameters: Values (`model.parameters()`). `f` gives one loss; a call returns it and adds its gradient to each
        `.grad`, as `backward()` would.
    backend: "native" (LLVM, by the package llvmlite), "numpy", or "auto": native where it is installed. Or an object
        that is a back end: see `autograd.compiler.backend`.
    fast: lets the native back end reorder sums and fuse multiplications into them; without it, arithmetic gives the
        same bits as uncompiled code.
    threads: the greatest number of threads for a large batch; None for one per core.

    As a decorator it may be given options: `@ag.compile(backend="numpy")`.

    >>> import autograd as ag
    >>> slope = ag.compile(ag.grad(lambda x: x * ag.sin(x)))
    >>> slope(0.0)
    0.0
    >>> slope(np.array([0.0, np.pi])).round(3).tolist()
    [0.0, -3.142]
    """
    if f is None:
        return partial(
            compile,
            signature=signature,
            reduce=reduce,
            parameters=parameters,
            backend=backend,
            fast=fast,
            threads=threads,
        )
    if not callable(f):
        raise TypeError(f"compile needs a function, got {shown(f)}")
    if not (reduce is None or (isinstance(reduce, str) and reduce in ("mean", "sum"))):
        raise ValueError(f"reduce={shown(reduce)} is neither 'mean' nor 'sum', nor None")
    if threads is not None and (not isinstance(threads, int) or isinstance(threads, bool) or threads < 1):
        raise ValueError(f"threads={shown(threads)} is not a number of threads: None is for one a core")
    if parameters is not None:
        if isinstance(parameters, Value):
            raise TypeError("parameters is one Value: pass a list, [v]")
        parameters = sequence("compile", "parameters", parameters)
        for parameter in parameters:
            if not isinstance(parameter, Value) or parameter.op is not None:
                raise TypeError(
                    f"parameters are Values that were not computed from others, as nn.scalar's, not {shown(parameter)}: "
                    "code of Tensors needs no compiling"
                )
        if len(set(map(id, parameters))) != len(parameters):
            raise ValueError("a parameter is given twice: give each once")
    fast = flag("compile", "fast", fast)
    return Kernel(
        f,
        Options(
            name=getattr(f, "__name__", type(f).__name__),
            signature=None if signature is None else parse(signature),
            reduce=reduce,
            parameters=parameters,
            backends=_backends(backend),
            fast=fast,
            threads=threads
            or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1),
        ),
    )


def _backends(backend: str | Backend) -> tuple[Backend, ...]:
    """The back ends to choose from, the best first; an ImportError if machine code must be made and cannot."""
    if isinstance(backend, Backend):
        return (backend,)
    if not isinstance(backend, str) or backend not in ("auto", "numpy", "native"):
        raise ValueError(f"backend={shown(backend)} is none of 'auto', 'numpy' and 'native', and no back end")
    if backend != "numpy":
        try:
            library()
        except ImportError:
            if backend == "native":
                raise
            _warn_without_llvmlite()
            backend = "numpy"
    return {"auto": (NATIVE, NUMPY), "native": (NATIVE,), "numpy": (NUMPY,)}[backend]


@functools.cache
def _warn_without_llvmlite() -> None:
    warnings.warn(
        "llvmlite is not installed, so ag.compile uses NumPy: pip install llvmlite for machine code, or pass "
        "backend='numpy' to choose it",
        RuntimeWarning,
        stacklevel=4,
    )


class Kernel(Locked):
    """A compiled function. Call it as the function; `print(kernel.program)`, `kernel.stats` and `kernel.source("c")`
    show the program of its last new kind of call."""

    def __init__(self, function: Callable[..., Any], options: Options) -> None:
        super().__init__()
        self._function, self._options = function, options
        update_wrapper(self, function, updated=())
        self._trace_caches: dict[InputSpec, TraceCache] = {}
        self._layouts: dict[Any, tuple[TraceCache, Layout]] = {}
        self._latest: TraceCache | None = None
        self._fast_path: tuple[tuple[type, ...], Any, Any] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if modes.in_use and (trace := modes.current_trace()) and not (kwargs or self._nondefault_options()):
            numbers = all(type(x) in (float, int) for x in args)
            if numbers:  # within a trace, which is to see what it is made of
                return self._function(*map(trace.constant, args))
        fast_path = self._fast_path
        if fast_path is not None and not kwargs and tuple(map(type, args)) == fast_path[0]:  # floats alone, once more
            outputs = fast_path[1](args)
            total = sum(outputs)
            if total == total:
                return fast_path[2](outputs)
        kinds = None if kwargs else tuple([(x.shape, x.dtype.char) if type(x) is np.ndarray else type(x) for x in args])
        known = self._layouts.get(kinds)
        if known is not None:
            cache, layout = known
            return cache.call(layout, layout.batch(args))
        return self._slow_call(args, kwargs, kinds)

    # fmt: off
    def __copy__(self) -> Kernel: return self  # as functions are, with what they close over
    def __deepcopy__(self, memo: Any) -> Kernel: return self
    # fmt: on

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} cannot be pickled: pickle the function that it was made from, and compile that again"
        )

    def _slow_call(self, args: tuple[Any, ...], kwargs: dict[str, Any], kinds: Any) -> Any:
        """A call with arguments of new kinds: their layout and the cache of traces are kept for the next one."""
        given = Arguments(self._options.name, self._options.signature, args, kwargs)
        if given.nodes:
            if changed := self._nondefault_options():
                raise TypeError(
                    f"{self._options.name} was given a node, which would run the function itself, without its "
                    f"{' and '.join(changed)}: pass numbers and arrays (x.data), or compile the derivative"
                )
            return self._function(*args, **kwargs)
        layout = given.layout()
        batch = layout.batch(given.arrays)
        with self._lock:
            if given.spec not in self._trace_caches:
                cache = TraceCache(self._function, self._options, given.spec, batch)
                if len(self._trace_caches) == MAX_LAYOUTS:
                    self._trace_caches.clear()
                self._latest = self._trace_caches[given.spec] = cache  # kept only if a first path could be traced
            cache = self._trace_caches[given.spec]
        if kinds is not None and all(k in (float, int) or (type(k) is tuple and k[1] != "O") for k in kinds):
            if len(self._layouts) == MAX_LAYOUTS:
                self._layouts.clear()
            self._layouts[kinds] = cache, layout
        if kinds is not None and {*kinds} <= {float}:
            self._install_fast_path(cache, layout)
        return cache.call(layout, batch)

    def _nondefault_options(self) -> list[str]:
        """The options with which a call is not one of the function itself."""
        return [name for name in ("signature", "reduce", "parameters") if getattr(self._options, name) is not None]

    def _install_fast_path(self, cache: TraceCache, layout: Layout) -> None:
        """Let calls with floats alone skip the layout, unless the program has guards or reads Values."""
        executable = cache.paths[0].fast
        if not (executable.captured or executable.guarded or self._options.signature or self._options.parameters):
            once = executable.code(layout.mask, guarded=False)[0].once
            self._fast_path = (float,) * len(layout.mask.uniform), once, cache.results.of_floats(layout.reduced)

    @property
    def program(self) -> Program:
        """The program of the first path, simplified.

        Where a derivative gives nan, a second program decides, in which a cotangent of zero stays zero whatever it
        meets: `source` writes that one.
        """
        return self.programs[0]

    @property
    def programs(self) -> list[Program]:
        """The programs of all paths, simplified."""
        return [path.fast.program for path in self._newest().paths]

    @property
    def stats(self) -> dict[str, Any]:
        """Figures: the operations of the longest path as `recorded`, its `instructions` (what simplification leaves of
        them) and `flops`, the `backend`, the number of `paths`, and the seconds of `recording` (tracing) and `compiling`
        in all."""
        cache = self._newest()
        longest = max(cache.paths, key=lambda path: path.operations)
        executables = {executable for path in cache.paths for executable in (path.fast, path.exact)}
        return {
            "recorded": longest.operations,
            "instructions": len(longest.fast.program),
            "flops": longest.fast.lowered.flops,
            "backend": longest.backends[0].name,
            "paths": len(cache.paths),
            "recording": sum(path.tracing for path in cache.paths),
            "compiling": sum(path.simplifying for path in cache.paths) + sum(x.compiling for x in executables),
        }

    def source(self, language: str) -> str:
        """Standalone text in "python", "numpy", "c" or "javascript", which needs nothing of this package; or formulas,
        in "latex".

        The function takes the numbers that `program.inputs` lists, and gives the outputs in order. Of several paths it
        takes the one that fits; what was not traced it refuses.
        """
        return latex(self.programs) if language == "latex" else write(language, self._newest().exported())

    def _newest(self) -> TraceCache:
        if self._latest is None or not self._latest.paths:
            raise RuntimeError(f"{self._options.name} is traced at its first call, with numbers: call it first")
        return self._latest

    def __repr__(self) -> str:
        paths = sum(len(cache.paths) for cache in self._trace_caches.values())
        return f"<compiled {self._options.name}: {paths} path{'s' * (paths != 1)}>"
