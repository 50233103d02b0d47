"""The native back end of formulas that change arrays: one loop over groups of lanes, which loads, computes and stores."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd.compiler.codegen import declarations, exact
from autograd.compiler.libm import WIDTH
from autograd.compiler.llvm_ir import ATTRIBUTES, IRBuilder, constant, types
from autograd.compiler.native import load
from autograd.compiler.program import Instruction, Program

Array = np.ndarray[Any, Any]

KINDS = {np.dtype(np.float64): ("double", 8), np.dtype(np.float32): ("float", 4)}  # LLVM's names, and bytes


class NativeInPlace:
    """A formula as machine code.

    `body`, lowered, computes from elements of `arity` arrays and from coefficients new elements of the arrays at
    `targets`. What is not rounded correctly by every machine, and other dtypes, are a NotImplementedError; an
    ImportError says that llvmlite is missing.
    """

    def __init__(self, body: Program, arity: int, targets: Sequence[int], dtype: np.dtype[Any]) -> None:
        if dtype not in KINDS:
            raise NotImplementedError(f"machine code of {dtype}")
        loop = Loop(body, arity, targets, *KINDS[dtype])
        address, size = ctypes.c_void_p, ctypes.c_int64
        self._module = load(loop.module())  # keeps the code in memory
        self._run = self._module.function("run", None, size, size, address)
        self._arity = arity
        self._layout = f"{len(body.inputs) - arity}d"

    def bind(self, arrays: Sequence[Array]) -> Callable[[int, int, Sequence[float]], None]:
        """See `InPlaceCode.bind`."""
        addresses = [x.__array_interface__["data"][0] for x in arrays]
        frame = bytearray(struct.pack(f"{len(addresses)}q", *addresses) + bytes(struct.calcsize(self._layout)))
        place = ctypes.addressof(ctypes.c_char.from_buffer(frame))
        write = partial(struct.pack_into, self._layout, frame, 8 * self._arity)

        def run(start: int, stop: int, coefficients: Sequence[float], held: Any = (self, arrays)) -> None:
            write(*coefficients)
            self._run(start, stop, place)

        return run


class Loop(IRBuilder):
    """`run(start, stop, frame)`: the body on elements from `start` to `stop`.

    `frame` holds the arrays' addresses, then the coefficients, as doubles.
    """

    def __init__(self, body: Program, arity: int, targets: Sequence[int], kind: str, size: int) -> None:
        super().__init__("define void @run(i64 %start, i64 %stop, ptr %frame) #0")
        self.body, self.arity, self.targets, self.kind, self.size = body, arity, targets, kind, size
        self.lanes = WIDTH * 8 // size
        self.arrays = [self.load("ptr", self.at("i64", "%frame", str(k))) for k in range(arity)]
        shared = [self.load("double", self.at("i64", "%frame", str(k))) for k in range(arity, len(body.inputs))]
        if kind == "float":
            shared = [self.assign(f"fptrunc double {x} to float") for x in shared]
        names = {
            lanes: dict(zip(body.inputs[arity:], [self.splat(kind, x, lanes) for x in shared], strict=True))
            for lanes in (1, self.lanes)
        }
        count = self.assign("sub i64 %stop, %start")
        rest = self.assign(f"srem i64 {count}, {self.lanes}")
        middle = self.assign(f"sub i64 %stop, {rest}")
        self.loop("%start", middle, lambda i: self._group(i, self.lanes, names[self.lanes]), step=self.lanes)
        self.loop(middle, "%stop", lambda i: self._group(i, 1, names[1]))
        self.write("ret void")

    def module(self) -> str:
        """The whole text."""
        return "\n".join([*declarations(1, self.lanes, kind=self.kind), self.end(), ATTRIBUTES])

    def _group(self, i: str, lanes: int, names: dict[Instruction, str]) -> None:
        """The elements of one group of lanes, from element `i`."""
        body, number = self.body, types(lanes, self.kind)[0]
        places = [self.at(self.kind, array, i) for array in self.arrays]
        names = names | {x: self.load(number, place, self.size) for x, place in zip(body.inputs, places, strict=False)}
        for x in body.code:
            if x.op is None:
                names[x] = constant(x.value or 0.0, lanes, self.kind)  # all have one, which is no None
            elif text := exact(x.op, [names[arg] for arg in x.args], lanes, self.kind):
                names[x] = self.assign(text)
            else:
                raise NotImplementedError(f"{x.op.name}, rounded as everywhere")
        for k, output in zip(self.targets, body.outputs, strict=True):
            self.store(number, names[output], places[k], self.size)
