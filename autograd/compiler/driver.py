"""What goes round the blocks of a program: a loop over groups of lanes, and sums over all lanes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Protocol

from autograd.compiler.ir import UNROLLED, Text, constant, types
from autograd.compiler.symbols import WIDTH

FLUSH = 64  # groups of lanes that are summed plainly before the sum is added to the compensated total

NUMBERS, TRUTHS = types(WIDTH)


class Places(Protocol):
    """Where in `work` things are: slots are counted in vectors."""

    varying: list[int]  # inputs that are lanes: their slots follow each other from `first_input`
    first_input: int
    put: dict[Any, int]  # outputs that are lanes
    add: dict[Any, int]  # sums of up to FLUSH groups, then the totals, and what these lost to rounding
    totals: list[int]
    lost: list[int]
    spare: int
    collected: int  # where, counted in numbers, the sums of all lanes are put
    each_blocks: list[Any]


def driver(layout: Places) -> Iterator[str]:
    """The functions that take the blocks over all lanes: `run`, and those that sum."""
    yield Loop(layout).text.end()
    if layout.add:
        yield from (_flush(layout), _trim(layout), _collect(layout))


class Loop:
    """`run(start, stop, frame)`: the program on lanes from `start` to `stop`; 1 if a nan was among the outputs.

    `frame` holds the address of `work`, those of the inputs, the inputs' strides in bytes, and the outputs' addresses.
    """

    def __init__(self, layout: Places) -> None:
        self.layout = layout
        self.inputs, self.outputs = len(layout.varying), len(layout.put)
        self.first_output = min(layout.put.values(), default=0)
        text = self.text = Text("define i64 @run(i64 %start, i64 %stop, ptr %frame) #0")
        text.write("%w = load ptr, ptr %frame")
        for name, first in (("ins", 1), ("strides", 1 + self.inputs), ("outs", 1 + 2 * self.inputs)):
            text.write(f"%{name} = getelementptr ptr, ptr %frame, i64 {first}")
        text.write("call void @once(ptr %w)")
        self.nans = text.at(NUMBERS, "%w", str(layout.spare))  # a nan in each lane that had one
        first = min(layout.add.values(), default=layout.spare)
        text.loop(str(first), str(layout.spare + 1), lambda k: text.store(NUMBERS, _ZERO, text.at(NUMBERS, "%w", k)))
        dense = self._are_dense()

        def group(i: str) -> None:
            rest = text.let(f"sub i64 %stop, {i}")
            whole = text.let(f"icmp sge i64 {rest}, {WIDTH}")
            count = text.let(f"select i1 {whole}, i64 {WIDTH}, i64 {rest}")
            easy = text.let(f"and i1 {whole}, {dense}")
            text.choose(easy, lambda: self._easy(i), lambda: self._general(i, count))

        text.loop("%start", "%stop", group, step=WIDTH)
        if layout.add:
            text.write("call void @flush(ptr %w)")
            text.write("call void @collect(ptr %w)")
        seen = text.load(NUMBERS, self.nans)
        odd = text.let(f"bitcast {TRUTHS} " + text.let(f"fcmp uno {NUMBERS} {seen}, {seen}") + f" to i{WIDTH}")
        text.write("ret i64 " + text.let(f"zext i{WIDTH} {odd} to i64"))

    def _are_dense(self) -> str:
        """Whether in all inputs a group of lanes is a vector in memory."""
        text = self.text
        text.write("%gaps = alloca i64")
        text.store("i64", "0", "%gaps")

        def one(k: str) -> None:
            gap = text.let(f"xor i64 8, {text.load('i64', text.at('i64', '%strides', k))}")
            text.store("i64", text.let(f"or i64 {gap}, {text.load('i64', '%gaps')}"), "%gaps")

        text.loop("0", str(self.inputs), one)
        return text.let(f"icmp eq i64 0, {text.load('i64', '%gaps')}")

    def _easy(self, i: str) -> None:
        """A whole group of dense lanes, from lane `i`."""
        text, layout = self.text, self.layout

        def fetch(k: str) -> None:
            source = text.at("double", text.load("ptr", text.at("ptr", "%ins", k)), i)
            text.store(NUMBERS, text.load(NUMBERS, source), self._slot(k, layout.first_input))

        def put(k: str) -> str:
            found = text.load(NUMBERS, self._slot(k, self.first_output))
            text.store(NUMBERS, found, self._target(k, i))
            return text.let(f"fcmp uno {NUMBERS} {found}, {found}")

        text.repeat(self.inputs, fetch)
        self._blocks()
        if self.outputs > UNROLLED:
            text.loop("0", str(self.outputs), lambda k: self._flag(put(k)))
        elif self.outputs:
            odd = put("0")
            for k in range(1, self.outputs):
                odd = text.let(f"or {TRUTHS} {odd}, {put(str(k))}")
            self._flag(odd)
        if layout.add:
            group = text.let(f"srem i64 {text.let(f'sdiv i64 {i}, {WIDTH}')}, {FLUSH}")
            last = text.let(f"icmp eq i64 {group}, {FLUSH - 1}")
            text.choose(last, lambda: text.write("call void @flush(ptr %w)"), lambda: None)

    def _general(self, i: str, count: str) -> None:
        """`count` lanes of any stride, from lane `i`; the others of the group repeat the last."""
        text, layout = self.text, self.layout
        last = text.let(f"sub i64 {count}, 1")

        def fetch(k: str) -> None:
            stride = text.load("i64", text.at("i64", "%strides", k))
            source = text.at("i8", text.load("ptr", text.at("ptr", "%ins", k)), text.let(f"mul i64 {i}, {stride}"))
            target = self._slot(k, layout.first_input)
            for lane in range(WIDTH):
                inside = text.let(f"icmp slt i64 {lane}, {count}")
                index = text.let(f"select i1 {inside}, i64 {lane}, i64 {last}")
                found = text.load("double", text.at("i8", source, text.let(f"mul i64 {index}, {stride}")))
                text.store("double", found, text.at("double", target, str(lane)))

        def put(k: str) -> None:
            source, target = self._slot(k, self.first_output), self._target(k, i)
            found = text.load(NUMBERS, source)
            self._flag(text.let(f"fcmp uno {NUMBERS} {found}, {found}"))

            def one(lane: str) -> None:
                text.store(
                    "double", text.load("double", text.at("double", source, lane)), text.at("double", target, lane)
                )

            text.loop("0", count, one)

        if layout.add:
            text.write("call void @flush(ptr %w)")
        text.loop("0", str(self.inputs), fetch)
        self._blocks()
        if layout.add:
            text.write(f"call void @trim(ptr %w, i64 {count})")
            text.write("call void @flush(ptr %w)")
        text.loop("0", str(self.outputs), put)

    def _blocks(self) -> None:
        for n in range(len(self.layout.each_blocks)):
            self.text.write(f"call void @each{n}(ptr %w)")

    def _slot(self, k: str, first: int) -> str:
        return self.text.at(NUMBERS, "%w", self.text.let(f"add i64 {k}, {first}"))

    def _target(self, k: str, i: str) -> str:
        return self.text.at("double", self.text.load("ptr", self.text.at("ptr", "%outs", k)), i)

    def _flag(self, odd: str) -> None:
        before = self.text.load(NUMBERS, self.nans)
        after = self.text.let(f"select {TRUTHS} {odd}, {NUMBERS} {constant(math.nan, WIDTH)}, {NUMBERS} {before}")
        self.text.store(NUMBERS, after, self.nans)


_ZERO = "zeroinitializer"


def _flush(layout: Places) -> str:
    """Add the sums to the totals, and begin again. Neumaier's summation: what a total loses to rounding is summed
    beside it."""
    text = Text("define internal void @flush(ptr %w) #0")
    add, total, lost = min(layout.add.values()), layout.totals[0], layout.lost[0]

    def one(k: str) -> None:
        x_at, t_at, c_at = (text.at(NUMBERS, "%w", text.let(f"add i64 {k}, {n}")) for n in (add, total, lost))
        x, t, c = (text.load(NUMBERS, at) for at in (x_at, t_at, c_at))
        new = text.let(f"fadd {NUMBERS} {t}, {x}")
        abs_x, abs_t = (text.let(f"call {NUMBERS} @llvm.fabs.v{WIDTH}f64({NUMBERS} {y})") for y in (x, t))
        larger = text.let(f"fcmp oge {NUMBERS} {abs_t}, {abs_x}")
        big = text.let(f"select {TRUTHS} {larger}, {NUMBERS} {t}, {NUMBERS} {x}")
        small = text.let(f"select {TRUTHS} {larger}, {NUMBERS} {x}, {NUMBERS} {t}")
        rest = text.let(f"fadd {NUMBERS} {text.let(f'fsub {NUMBERS} {big}, {new}')}, {small}")
        sound = text.let(f"fcmp ord {NUMBERS} {rest}, {rest}")  # not where the sum is infinite
        rest = text.let(f"select {TRUTHS} {sound}, {NUMBERS} {rest}, {NUMBERS} {_ZERO}")
        text.store(NUMBERS, text.let(f"fadd {NUMBERS} {c}, {rest}"), c_at)
        text.store(NUMBERS, new, t_at)
        text.store(NUMBERS, _ZERO, x_at)

    text.loop("0", str(len(layout.add)), one)
    text.write("ret void")
    return text.end()


def _trim(layout: Places) -> str:
    """Clear the sums of lanes from `count` on, which only repeated the last."""
    text = Text("define internal void @trim(ptr %w, i64 %count) #0")

    def one(k: str) -> None:
        at = text.at(NUMBERS, "%w", text.let(f"add i64 {k}, {min(layout.add.values())}"))
        text.loop("%count", str(WIDTH), lambda lane: text.store("double", "0.0", text.at("double", at, lane)))

    text.loop("0", str(len(layout.add)), one)
    text.write("ret void")
    return text.end()


def _collect(layout: Places) -> str:
    """Add up the lanes of each total, and of what it lost."""
    text = Text("define internal void @collect(ptr %w) #0")

    def one(k: str) -> None:
        halves = []
        for first in (layout.totals[0], layout.lost[0]):
            vector = text.load(NUMBERS, text.at(NUMBERS, "%w", text.let(f"add i64 {k}, {first}")))
            parts = [text.let(f"extractelement {NUMBERS} {vector}, i32 {lane}") for lane in range(WIDTH)]
            while len(parts) > 1:
                parts = [text.let(f"fadd double {a}, {b}") for a, b in zip(parts[::2], parts[1::2], strict=True)]
            halves += parts
        target = text.at("double", "%w", text.let(f"add i64 {k}, {layout.collected}"))
        text.store("double", text.let(f"fadd double {halves[0]}, {halves[1]}"), target)

    text.loop("0", str(len(layout.add)), one)
    text.write("ret void")
    return text.end()
