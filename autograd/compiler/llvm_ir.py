"""LLVM IR: types, constants, and the builder of a function."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

import numpy as np

UNROLLED = 32  # steps of a loop that are written out
ATTRIBUTES = "attributes #0 = { nounwind }"  # of the functions marked #0


class IRBuilder:
    """The builder of a function's text: it names results and labels blocks."""

    def __init__(self, head: str) -> None:
        self.lines = [head + " {", "entry:"]
        self.label = "entry"
        self.count = 0

    def write(self, line: str) -> None:
        """Write a line."""
        self.lines.append("  " + line)

    def assign(self, expression: str) -> str:
        """Write an instruction with a new name for its result, and return the name."""
        self.count += 1
        self.write(f"%x{self.count} = {expression}")
        return f"%x{self.count}"

    def at(self, kind: str, start: str, index: str) -> str:
        """The address of element `index` of the array at `start`."""
        return self.assign(f"getelementptr {kind}, ptr {start}, i64 {index}")

    def load(self, kind: str, place: str, align: int = 8) -> str:
        """The value at an address."""
        return self.assign(f"load {kind}, ptr {place}, align {align}")

    def store(self, kind: str, value: str, place: str, align: int = 8) -> None:
        """Write a value to an address."""
        self.write(f"store {kind} {value}, ptr {place}, align {align}")

    def copy(self, kind: str, source: str, target: str) -> None:
        """Write the value at one address to another."""
        self.store(kind, self.load(kind, source), target)

    def splat(self, kind: str, value: str, width: int) -> str:
        """A value in every lane."""
        if width == 1:
            return value
        first = self.assign(f"insertelement <{width} x {kind}> poison, {kind} {value}, i32 0")
        return self.assign(
            f"shufflevector <{width} x {kind}> {first}, <{width} x {kind}> poison, <{width} x i32> zeroinitializer"
        )

    def block(self, label: str) -> None:
        """Begin a block, to which branches may jump."""
        self.lines.append(f"{label}:")
        self.label = label

    def loop(self, start: str, stop: str, body: Callable[[str], object], step: int = 1) -> None:
        """`for k in range(start, stop, step): body(k)`."""
        self.count += 1
        n = self.count
        self.write(f"br label %head{n}")
        before = self.label
        self.block(f"head{n}")
        self.write(f"%k{n} = phi i64 [ {start}, %{before} ], [ %next{n}, %last{n} ]")
        more = self.assign(f"icmp slt i64 %k{n}, {stop}")
        self.write(f"br i1 {more}, label %body{n}, label %done{n}")
        self.block(f"body{n}")
        body(f"%k{n}")
        self.write(f"br label %last{n}")
        self.block(f"last{n}")
        self.write(f"%next{n} = add i64 %k{n}, {step}")
        self.write(f"br label %head{n}")
        self.block(f"done{n}")

    def repeat(self, times: int, body: Callable[[str], object]) -> None:
        """`body(k)` for each k, written out where there are few."""
        if times > UNROLLED:
            self.loop("0", str(times), body)
        else:
            for k in range(times):
                body(str(k))

    def if_else(self, condition: str, yes: Callable[[], None], no: Callable[[], None]) -> None:
        """`if condition: yes() else: no()`."""
        self.count += 1
        n = self.count
        self.write(f"br i1 {condition}, label %yes{n}, label %no{n}")
        for label, branch in ((f"yes{n}", yes), (f"no{n}", no)):
            self.block(label)
            branch()
            self.write(f"br label %both{n}")
        self.block(f"both{n}")

    def end(self) -> str:
        """The whole text."""
        return "\n".join([*self.lines, "}"])


def types(width: int, kind: str = "double") -> tuple[str, str]:
    """The types of numbers and of booleans, of `width` lanes each."""
    return (kind, "i1") if width == 1 else (f"<{width} x {kind}>", f"<{width} x i1>")


def constant(value: float, width: int = 1, kind: str = "double") -> str:
    """A number, the same in all lanes, by the bits that it has as a double; a float is rounded first."""
    if kind == "float":
        with np.errstate(over="ignore"):
            value = float(np.float32(value))
    text = f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
    if math.isnan(value):
        text = "0x7FF8000000000000"
    return text if width == 1 else f"<{', '.join([f'{kind} {text}'] * width)}>"


def by_lanes(name: str, address: int | None, arity: int, width: int) -> str:
    """A function of vectors that calls one of numbers, at `address`, for each lane."""
    number, _ = types(width)
    text = IRBuilder(f"define internal {number} {name}({', '.join(f'{number} %a{n}' for n in range(arity))}) #0")
    result = "poison"
    for lane in range(width):
        args = [text.assign(f"extractelement {number} %a{n}, i32 {lane}") for n in range(arity)]
        operands = ", ".join(f"double {arg}" for arg in args)
        one = text.assign(f"call double inttoptr (i64 {address} to ptr)({operands})")
        result = text.assign(f"insertelement {number} {result}, double {one}, i32 {lane}")
    text.write(f"ret {number} {result}")
    return text.end()
