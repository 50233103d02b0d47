"""LLVM's language: types, constants, and functions as they are written."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

import numpy as np

UNROLLED = 32  # steps of a loop that are written out


class Text:
    """A function's text as it is written, with names for what it computes and labels for where it branches."""

    def __init__(self, head: str) -> None:
        self.lines = [head + " {", "entry:"]
        self.label = "entry"
        self.count = 0

    def write(self, line: str) -> None:
        """A line."""
        self.lines.append("  " + line)

    def let(self, expression: str) -> str:
        """A line that gives a name to what it computes."""
        self.count += 1
        self.write(f"%x{self.count} = {expression}")
        return f"%x{self.count}"

    def at(self, kind: str, start: str, index: str) -> str:
        """Where in memory the `index`-th of a row is that begins at `start`."""
        return self.let(f"getelementptr {kind}, ptr {start}, i64 {index}")

    def load(self, kind: str, place: str, align: int = 8) -> str:
        """What is there."""
        return self.let(f"load {kind}, ptr {place}, align {align}")

    def store(self, kind: str, value: str, place: str, align: int = 8) -> None:
        """Put a value there."""
        self.write(f"store {kind} {value}, ptr {place}, align {align}")

    def splat(self, kind: str, value: str, width: int) -> str:
        """A value in every lane."""
        if width == 1:
            return value
        first = self.let(f"insertelement <{width} x {kind}> poison, {kind} {value}, i32 0")
        return self.let(
            f"shufflevector <{width} x {kind}> {first}, <{width} x {kind}> poison, <{width} x i32> zeroinitializer"
        )

    def begin(self, label: str) -> None:
        """Whatever follows can be branched to."""
        self.lines.append(f"{label}:")
        self.label = label

    def loop(self, start: str, stop: str, body: Callable[[str], object], step: int = 1) -> None:
        """`for k in range(start, stop, step): body(k)`."""
        self.count += 1
        n = self.count
        self.write(f"br label %head{n}")
        before = self.label
        self.begin(f"head{n}")
        self.write(f"%k{n} = phi i64 [ {start}, %{before} ], [ %next{n}, %last{n} ]")
        more = self.let(f"icmp slt i64 %k{n}, {stop}")
        self.write(f"br i1 {more}, label %body{n}, label %done{n}")
        self.begin(f"body{n}")
        body(f"%k{n}")
        self.write(f"br label %last{n}")
        self.begin(f"last{n}")
        self.write(f"%next{n} = add i64 %k{n}, {step}")
        self.write(f"br label %head{n}")
        self.begin(f"done{n}")

    def repeat(self, times: int, body: Callable[[str], object]) -> None:
        """`body(k)` for each k, written out where there are few."""
        if times > UNROLLED:
            self.loop("0", str(times), body)
        else:
            for k in range(times):
                body(str(k))

    def choose(self, condition: str, yes: Callable[[], None], no: Callable[[], None]) -> None:
        """`if condition: yes() else: no()`."""
        self.count += 1
        n = self.count
        self.write(f"br i1 {condition}, label %yes{n}, label %no{n}")
        for label, branch in ((f"yes{n}", yes), (f"no{n}", no)):
            self.begin(label)
            branch()
            self.write(f"br label %both{n}")
        self.begin(f"both{n}")

    def end(self) -> str:
        """The whole."""
        return "\n".join([*self.lines, "}"])


def types(width: int, kind: str = "double") -> tuple[str, str]:
    """Those of numbers and of truths, of so many lanes."""
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
    text = Text(f"define internal {number} {name}({', '.join(f'{number} %a{n}' for n in range(arity))}) #0")
    result = "poison"
    for lane in range(width):
        args = [text.let(f"extractelement {number} %a{n}, i32 {lane}") for n in range(arity)]
        operands = ", ".join(f"double {arg}" for arg in args)
        one = text.let(f"call double inttoptr (i64 {address} to ptr)({operands})")
        result = text.let(f"insertelement {number} {result}, double {one}, i32 {lane}")
    text.write(f"ret {number} {result}")
    return text.end()
