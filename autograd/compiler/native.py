"""The native back end: a lowered program as machine code, its lanes in SIMD registers, a batch shared over threads."""

from __future__ import annotations

import ctypes
import hashlib
import threading
from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from autograd.compiler.assembly import Assembly
from autograd.compiler.program import Program
from autograd.compiler.symbols import WIDTH

SHARE = 4_000_000  # operations that are worth a thread of their own


class NativeCode:
    """A program as machine code, for inputs of which those that are `uniform` are one number for all lanes, and for
    outputs of which those `reduced` are wanted summed over the lanes. `fast` lets LLVM reorder sums and fuse
    multiplications into them.

    Raises an ImportError that names the extra where llvmlite is missing.
    """

    def __init__(self, program: Program, uniform: Sequence[bool], reduced: Sequence[bool], fast: bool) -> None:
        text = Assembly(program, uniform, reduced, fast)
        self._size = text.size
        self._numbers: Any = text.numbers
        if text.numbers and text.numbers == [*range(text.numbers[0], text.numbers[0] + len(text.numbers))]:
            self._numbers = slice(text.numbers[0], text.numbers[0] + len(text.numbers))
        self._sums = text.sums
        self._arrays = len(text.put)
        self._laned = text.laned
        self._distinct = text.laned == [*range(len(text.put))]
        self._operations = max(1, text.operations)
        self._machine = load(text.module())

    def once(self, numbers: Sequence[float]) -> list[float]:
        """The outputs where no input varies."""
        work = (ctypes.c_double * self._size)(*numbers)
        self._machine.once(work)
        places = self._numbers
        return work[places] if type(places) is slice else [work[place] for place in places]

    def run(self, numbers: Any, lanes: list[Any], count: int, threads: int) -> tuple[Any, list[Any], bool]:
        """The outputs that are one number, sums among them; those that have one a lane, of `count` lanes; and whether
        a nan is among the latter.

        `numbers` are the uniform inputs, `lanes` the others: arrays of `count` float64 each, with any stride.
        """
        work = _aligned(self._size)
        work[: len(numbers)] = numbers
        address = work.ctypes.data
        machine = self._machine
        machine.once(address)
        outputs = [np.empty(count) for _ in range(self._arrays)]
        table = np.array(
            [x.__array_interface__["data"][0] for x in (*lanes, *outputs)] + [x.strides[0] for x in lanes], np.intp
        )
        inputs = table.ctypes.data
        tables = (inputs, inputs + 8 * (len(lanes) + len(outputs)), inputs + 8 * len(lanes))
        threads = min(threads, 1 + count * self._operations // SHARE)
        if threads == 1:
            suspicious = machine.run(0, count, address, *tables) != 0
            row = work[self._numbers]
        else:
            row, suspicious = self._shared(work, count, threads, tables)
        if self._distinct:
            return row, outputs, suspicious
        return (
            row,
            [outputs[k] if k not in self._laned[:n] else outputs[k].copy() for n, k in enumerate(self._laned)],
            suspicious,
        )

    def _shared(self, work: Any, count: int, threads: int, tables: tuple[int, ...]) -> tuple[Any, bool]:
        """`run` over several threads, each with memory of its own; their sums are added up."""
        share = -(-count // (threads * WIDTH)) * WIDTH
        starts = range(0, count, share)
        works = [work]
        for _ in starts[1:]:
            works.append(_aligned(self._size))
            works[-1][:] = work
        run = self._machine.run
        calls = [
            (start, min(start + share, count), own.ctypes.data, *tables)
            for start, own in zip(starts, works, strict=True)
        ]
        flags: list[int] = []
        others = [threading.Thread(target=lambda call: flags.append(run(*call)), args=(call,)) for call in calls[1:]]
        for other in others:
            other.start()
        flags.append(run(*calls[0]))
        for other in others:
            other.join()
        row = work[self._numbers]
        for own in works[1:]:
            row[self._sums] += own[self._numbers][self._sums]
        return row, any(flags)


class Machine:
    """Machine code in memory, with its two functions; freed when dropped."""

    def __init__(self, text: str) -> None:
        llvm = library()
        target = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=2
        )
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(text), target)
        self._engine.finalize_object()
        address, size = ctypes.c_void_p, ctypes.c_int64
        self.once = ctypes.CFUNCTYPE(None, address)(self._engine.get_function_address("once"))
        run = ctypes.CFUNCTYPE(size, size, size, address, address, address, address)
        self.run = run(self._engine.get_function_address("run"))


_loaded: WeakValueDictionary[bytes, Machine] = WeakValueDictionary()


def load(text: str) -> Machine:
    """The machine code of LLVM's `text`: what is in use already is not compiled again."""
    name = hashlib.sha256(text.encode()).digest()
    found = _loaded.get(name)
    if found is None:
        found = _loaded[name] = Machine(text)
    return found


def library() -> Any:
    """LLVM's binding, set up for this machine; an ImportError that names the extra where it is missing."""
    try:
        import llvmlite.binding as llvm
    except ImportError as error:
        raise ImportError(
            "the native back end of ag.compile needs llvmlite, which is not installed: pip install 'chainrule[native]', "
            "or use backend='numpy'"
        ) from error
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


def _aligned(size: int) -> Any:
    """Zeros that begin where a vector may."""
    room = np.zeros(size + 8)
    start = -(room.ctypes.data // 8) % 8
    return room[start : start + size]
