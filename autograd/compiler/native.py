"""The native back end: a lowered program as machine code, with lanes in SIMD registers and chunks of a batch in threads."""

from __future__ import annotations

import ctypes
import hashlib
import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from autograd.compiler.codegen import Codegen
from autograd.compiler.libm import CPU, WIDTH
from autograd.compiler.loop import module
from autograd.compiler.program import Program
from autograd.forks import importing, using_llvm

OPERATIONS_PER_THREAD = 4_000_000  # which is worth starting one
HUGE = 1 << 18  # numbers in a huge page of memory
SMALL = 512  # lanes that are copied into place, which costs less than to find out where they are


class NativeCode:
    """A program as machine code, for inputs of which those that are `uniform` are one number for all lanes, and for
    outputs of which those `reduced` are wanted summed over the lanes. `fast` lets LLVM reorder sums and fuse
    multiplications into them.

    Raises an ImportError where llvmlite is missing.
    """

    def __init__(self, program: Program, uniform: Sequence[bool], reduced: Sequence[bool], fast: bool) -> None:
        text = Codegen(program, uniform, reduced, fast)
        self._size = text.size
        self._numbers: Any = text.numbers
        if text.numbers and text.numbers == [*range(text.numbers[0], text.numbers[0] + len(text.numbers))]:
            self._numbers = slice(text.numbers[0], text.numbers[0] + len(text.numbers))
        self._sums = text.sums
        self._lanes = len(text.varying)
        self._outputs = len(text.stores)
        first = {k: n for n, k in reversed([*enumerate(text.laned)])}
        self._laned = [(k, first[k] != n) for n, k in enumerate(text.laned)]  # and whether it was there before
        self._operations = max(1, text.operations)
        self._module = load(module(text))
        address, size = ctypes.c_void_p, ctypes.c_int64
        self._once = self._module.function("prologue", None, address)
        self._run = self._module.function("run", size, size, size, address)
        self._array = ctypes.c_double * max(1, len(text.places))
        self._idle: list[Workspace] = []  # of earlier calls; more than one where threads call at once

    def once(self, numbers: Sequence[float]) -> list[float]:
        """The outputs where no input varies."""
        work = self._array(*numbers)
        self._once(work)
        places = self._numbers
        return work[places] if type(places) is slice else [work[place] for place in places]

    def run(self, numbers: Any, lanes: list[Any], count: int, threads: int) -> tuple[Any, list[Any], bool]:
        """The outputs that are one number, sums among them; those that have one a lane, of `count` lanes; and whether
        a nan is among the latter.

        `numbers` are the uniform inputs, `lanes` the others: arrays of `count` float64 each, with any stride.
        """
        try:
            place = self._idle.pop()
        except IndexError:
            place = Workspace(self._size, self._lanes, self._outputs)
        place.work[: len(numbers)] = numbers
        threads = min(threads, 1 + count * self._operations // OPERATIONS_PER_THREAD)
        if count <= place.room:
            for target, lane in zip(place.inputs, lanes, strict=True):
                target[:count] = lane
            has_nan = self._run(0, count, place.address) != 0
            outputs = [place.outputs[k][:count].copy() for k, _ in self._laned]
            row = place.work[self._numbers].copy()
        else:
            fresh = [_fresh(count) for _ in range(self._outputs)]
            frame = place.frame_of(lanes, fresh)
            if threads == 1:
                has_nan = self._run(0, count, frame.ctypes.data) != 0
                row = place.work[self._numbers].copy()
            else:
                row, has_nan = self._threaded(place, frame, count, threads, (*lanes, *fresh))
            outputs = [fresh[k].copy() if again else fresh[k] for k, again in self._laned]
        self._idle.append(place)
        return row, outputs, has_nan

    def _threaded(
        self, place: Workspace, frame: Any, count: int, threads: int, arrays: tuple[Any, ...]
    ) -> tuple[Any, bool]:
        """`run` over several threads, each with memory of its own; their sums are added up."""
        chunk = -(-count // (threads * WIDTH)) * WIDTH
        starts = range(0, count, chunk)
        works, frames = [place.work], [frame]
        for _ in starts[1:]:
            works.append(_aligned(np.zeros(self._size + 8), 8))
            works[-1][:] = place.work
            frames.append(frame.copy())
            frames[-1][0] = works[-1].ctypes.data
        flags = [0] * len(starts)

        def run(n: int) -> None:
            flags[n] = self._run(starts[n], min(starts[n] + chunk, count), frames[n].ctypes.data)

        # A thread holds what it writes to: it may outlive this call, if that is interrupted.
        others = [
            threading.Thread(target=lambda n, *held: run(n), args=(n, frames, works, *arrays))
            for n in range(1, len(starts))
        ]
        own = [0]
        for n, other in enumerate(others, 1):
            try:
                other.start()
            except RuntimeError:  # there are too many threads already
                own.append(n)
        for n in own:
            run(n)
        for other in others:
            if other.ident is not None:
                other.join()
        row = place.work[self._numbers].copy()
        with np.errstate(invalid="ignore"):
            for work in works[1:]:
                row[self._sums] += work[self._numbers][self._sums]
        return row, any(flags)


class NativeBackend:
    """Machine code by LLVM, of llvmlite."""

    name = "native"
    runs_opaque = False
    compile = NativeCode


class Workspace:
    """Memory for one run at a time: `work`, and room for the inputs and outputs of a small batch. `frame` tells machine
    code where all this is: the addresses of work and inputs, the inputs' strides in bytes, the outputs' addresses, and
    whether all inputs are dense."""

    def __init__(self, size: int, lanes: int, outputs: int) -> None:
        self.work = _aligned(np.zeros(size + 8), 8)
        self.room = min(SMALL, (1 << 20) // max(1, lanes + outputs))
        room = np.empty((lanes + outputs, self.room))
        self.inputs = list(room[:lanes])
        self.outputs = list(room[lanes:])
        self.frame = self.frame_of(self.inputs, self.outputs)
        self.address = self.frame.ctypes.data

    def frame_of(self, inputs: list[Any], outputs: list[Any]) -> np.ndarray[Any, Any]:
        """The frame where the arrays are these."""
        addresses = [x.__array_interface__["data"][0] for x in (self.work, *inputs)]
        strides = [x.strides[0] for x in inputs]
        targets = [x.__array_interface__["data"][0] for x in outputs]
        return np.array([*addresses, *strides, *targets, {*strides} <= {8}], np.int64)


class CompiledModule:
    """Machine code in memory; freed when dropped."""

    def __init__(self, text: str) -> None:
        llvm = library()
        cpu, features = CPU, ""
        if not cpu:
            cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
        target = llvm.Target.from_default_triple().create_target_machine(cpu=cpu, features=features, opt=1)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(text), target)
        self._engine.finalize_object()

    def function(self, name: str, result: Any, *arguments: Any) -> Callable[..., int]:
        """One of its functions, with the types of what it gives and takes, as ctypes calls it."""
        with using_llvm:
            address = self._engine.get_function_address(name)
        return ctypes.CFUNCTYPE(result, *arguments)(address)

    def __del__(self) -> None:
        with using_llvm:
            self.__dict__.pop("_engine", None)


_loaded: WeakValueDictionary[bytes, CompiledModule] = WeakValueDictionary()


def load(text: str) -> CompiledModule:
    """The machine code of LLVM's `text`: what is in use already is not compiled again."""
    name = hashlib.sha256(text.encode()).digest()
    found = _loaded.get(name)
    if found is None:
        with using_llvm:  # all that LLVM made on the way is dropped within
            found = _loaded[name] = CompiledModule(text)
    return found


def library() -> ModuleType:
    """LLVM's binding, set up for this machine; an ImportError where it is missing."""
    try:
        with importing:
            import llvmlite.binding as llvm
    except ImportError as error:
        raise ImportError(
            "the native back end of ag.compile needs llvmlite, which is not installed: pip install llvmlite, "
            "or use backend='numpy'"
        ) from error
    with using_llvm:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
    return llvm  # type: ignore[no-any-return]  # it has no types


def _fresh(count: int) -> np.ndarray[Any, Any]:
    """Room for `count` numbers; a large one begins where a huge page does, which costs half as much to get."""
    return np.empty(count) if count < HUGE else _aligned(np.empty(count + HUGE), HUGE)


def _aligned(room: np.ndarray[Any, Any], unit: int) -> np.ndarray[Any, Any]:
    """The part of `room`, by `unit` shorter, that begins at a multiple of so many numbers in memory."""
    start = -(room.ctypes.data // 8) % unit
    return room[start : start + len(room) - unit]
