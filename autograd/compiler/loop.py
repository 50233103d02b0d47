"""The LLVM IR of a program: the loop over groups of lanes, around its blocks, and sums over all lanes.

prologue(work)              computes what is uniform
run(start, stop, frame)     for each group of lanes: loads inputs, computes the blocks, stores outputs
"""

from __future__ import annotations

import math

from autograd.compiler.codegen import Codegen, declarations
from autograd.compiler.libm import WIDTH
from autograd.compiler.llvm_ir import ATTRIBUTES, UNROLLED, IRBuilder, constant, types

FLUSH = 64  # groups of lanes that are summed plainly before the sum is added to the compensated total

NUMBERS, BOOLEANS = types(WIDTH)


def module(layout: Codegen) -> str:
    """The whole text of a program."""
    prologue = [layout.block(f"prologue{n}", block, 1) for n, block in enumerate(layout.prologue_blocks)]
    body = [layout.block(f"body{n}", block, WIDTH) for n, block in enumerate(layout.body_blocks)]
    calls = "".join(f"  call void @prologue{n}(ptr %w)\n" for n in range(len(prologue)))
    stores = "".join(
        f"  %c{n} = getelementptr double, ptr %w, i64 {layout.places[i]}\n  store double {constant(i.value)}, ptr %c{n}\n"
        for n, i in enumerate(layout.constants)
    )
    start = f"define void @prologue(ptr %w) {{\n{stores}{calls}  ret void\n}}"
    loop = [Loop(layout).text.end(), *([_flush(layout)] if layout.accumulators else ())]
    functions = [*prologue, *body, start, *loop, *layout.helpers.values()]
    return "\n".join([*declarations(1, WIDTH), *functions, ATTRIBUTES])


class Loop:
    """`run(start, stop, frame)`: the program on lanes from `start` to `stop`; 1 if a nan was among the outputs.

    `frame` holds the address of `work`, those of the inputs, the inputs' strides in bytes, the outputs' addresses, and
    whether the inputs are dense: in all of them a group of lanes is a vector in memory.
    """

    def __init__(self, layout: Codegen) -> None:
        self.layout = layout
        self.inputs, self.outputs = len(layout.varying), len(layout.stores)
        self.first_output = min(layout.stores.values(), default=0)
        text = self.text = IRBuilder("define i64 @run(i64 %start, i64 %stop, ptr %frame) #0")
        text.write("%w = load ptr, ptr %frame")
        for name, first in (("ins", 1), ("strides", 1 + self.inputs), ("outs", 1 + 2 * self.inputs)):
            text.write(f"%{name} = getelementptr ptr, ptr %frame, i64 {first}")
        text.write("call void @prologue(ptr %w)")
        self.nans = text.at(NUMBERS, "%w", str(layout.spare))  # a nan in each lane that had one
        first = min(layout.accumulators.values(), default=layout.spare)
        text.loop(str(first), str(layout.spare + 1), lambda k: text.store(NUMBERS, _ZERO, text.at(NUMBERS, "%w", k)))
        dense = text.load("i64", text.at("i64", "%frame", str(1 + 2 * self.inputs + self.outputs)))
        dense = text.assign(f"icmp ne i64 {dense}, 0")

        def group(i: str) -> None:
            rest = text.assign(f"sub i64 %stop, {i}")
            whole = text.assign(f"icmp sge i64 {rest}, {WIDTH}")
            count = text.assign(f"select i1 {whole}, i64 {WIDTH}, i64 {rest}")
            full = text.assign(f"and i1 {whole}, {dense}")
            text.if_else(full, lambda: self._main_loop(i), lambda: self._remainder(i, count))

        text.loop("%start", "%stop", group, step=WIDTH)
        if layout.accumulators:
            text.write("call void @flush(ptr %w)")
            text.loop("0", str(len(layout.accumulators)), self._collect)
        seen = text.load(NUMBERS, self.nans)
        odd = text.assign(f"bitcast {BOOLEANS} " + text.assign(f"fcmp uno {NUMBERS} {seen}, {seen}") + f" to i{WIDTH}")
        text.write("ret i64 " + text.assign(f"zext i{WIDTH} {odd} to i64"))

    def _main_loop(self, i: str) -> None:
        """A whole group of dense lanes, from lane `i`."""
        text, layout = self.text, self.layout

        def fetch(k: str) -> None:
            source = text.at("double", text.load("ptr", text.at("ptr", "%ins", k)), i)
            text.copy(NUMBERS, source, self._slot(k, layout.first_input))

        def store(k: str) -> str:
            found = text.load(NUMBERS, self._slot(k, self.first_output))
            text.store(NUMBERS, found, self._target(k, i))
            return text.assign(f"fcmp uno {NUMBERS} {found}, {found}")

        text.repeat(self.inputs, fetch)
        self._blocks()
        if self.outputs > UNROLLED:
            text.loop("0", str(self.outputs), lambda k: self._flag(store(k)))
        elif self.outputs:
            odd = store("0")
            for k in range(1, self.outputs):
                odd = text.assign(f"or {BOOLEANS} {odd}, {store(str(k))}")
            self._flag(odd)
        if layout.accumulators:
            group = text.assign(f"srem i64 {text.assign(f'sdiv i64 {i}, {WIDTH}')}, {FLUSH}")
            last = text.assign(f"icmp eq i64 {group}, {FLUSH - 1}")
            text.if_else(last, lambda: text.write("call void @flush(ptr %w)"), lambda: None)

    def _remainder(self, i: str, count: str) -> None:
        """`count` lanes of any stride, from lane `i`; the others of the group repeat the last."""
        text, layout = self.text, self.layout
        last = text.assign(f"sub i64 {count}, 1")

        def fetch(k: str) -> None:
            stride = text.load("i64", text.at("i64", "%strides", k))
            source = text.at("i8", text.load("ptr", text.at("ptr", "%ins", k)), text.assign(f"mul i64 {i}, {stride}"))
            target = self._slot(k, layout.first_input)
            for lane in range(WIDTH):
                inside = text.assign(f"icmp slt i64 {lane}, {count}")
                index = text.assign(f"select i1 {inside}, i64 {lane}, i64 {last}")
                place = text.at("i8", source, text.assign(f"mul i64 {index}, {stride}"))
                text.copy("double", place, text.at("double", target, str(lane)))

        def store(k: str) -> None:
            source, target = self._slot(k, self.first_output), self._target(k, i)
            found = text.load(NUMBERS, source)
            self._flag(text.assign(f"fcmp uno {NUMBERS} {found}, {found}"))

            def one(lane: str) -> None:
                text.copy("double", text.at("double", source, lane), text.at("double", target, lane))

            text.loop("0", count, one)

        def trim(k: str) -> None:
            """Clear the sums of lanes from `count` on, which only repeated the last."""
            at = self._slot(k, min(layout.accumulators.values()))
            text.loop(count, str(WIDTH), lambda lane: text.store("double", "0.0", text.at("double", at, lane)))

        if layout.accumulators:
            text.write("call void @flush(ptr %w)")
        text.loop("0", str(self.inputs), fetch)
        self._blocks()
        if layout.accumulators:
            text.loop("0", str(len(layout.accumulators)), trim)
            text.write("call void @flush(ptr %w)")
        text.loop("0", str(self.outputs), store)

    def _blocks(self) -> None:
        for n in range(len(self.layout.body_blocks)):
            self.text.write(f"call void @body{n}(ptr %w)")

    def _collect(self, k: str) -> None:
        """Add up the lanes of a total, and of what it lost."""
        text, halves = self.text, []
        for first in (self.layout.totals[0], self.layout.compensation[0]):
            vector = text.load(NUMBERS, self._slot(k, first))
            parts = [text.assign(f"extractelement {NUMBERS} {vector}, i32 {lane}") for lane in range(WIDTH)]
            while len(parts) > 1:
                parts = [text.assign(f"fadd double {a}, {b}") for a, b in zip(parts[::2], parts[1::2], strict=True)]
            halves += parts
        target = text.at("double", "%w", text.assign(f"add i64 {k}, {self.layout.collected}"))
        text.store("double", text.assign(f"fadd double {halves[0]}, {halves[1]}"), target)

    def _slot(self, k: str, first: int) -> str:
        return self.text.at(NUMBERS, "%w", self.text.assign(f"add i64 {k}, {first}"))

    def _target(self, k: str, i: str) -> str:
        return self.text.at("double", self.text.load("ptr", self.text.at("ptr", "%outs", k)), i)

    def _flag(self, odd: str) -> None:
        before = self.text.load(NUMBERS, self.nans)
        after = self.text.assign(f"select {BOOLEANS} {odd}, {NUMBERS} {constant(math.nan, WIDTH)}, {NUMBERS} {before}")
        self.text.store(NUMBERS, after, self.nans)


_ZERO = "zeroinitializer"


def _flush(layout: Codegen) -> str:
    """Add the sums to the totals, and begin again. Neumaier's summation: what a total loses to rounding is summed
    beside it."""
    text = IRBuilder("define internal void @flush(ptr %w) #0")
    add, total, lost = min(layout.accumulators.values()), layout.totals[0], layout.compensation[0]

    def one(k: str) -> None:
        x_at, t_at, c_at = (text.at(NUMBERS, "%w", text.assign(f"add i64 {k}, {n}")) for n in (add, total, lost))
        x, t, c = (text.load(NUMBERS, at) for at in (x_at, t_at, c_at))
        new = text.assign(f"fadd {NUMBERS} {t}, {x}")
        abs_x, abs_t = (text.assign(f"call {NUMBERS} @llvm.fabs.v{WIDTH}f64({NUMBERS} {y})") for y in (x, t))
        larger = text.assign(f"fcmp oge {NUMBERS} {abs_t}, {abs_x}")
        big = text.assign(f"select {BOOLEANS} {larger}, {NUMBERS} {t}, {NUMBERS} {x}")
        small = text.assign(f"select {BOOLEANS} {larger}, {NUMBERS} {x}, {NUMBERS} {t}")
        rest = text.assign(f"fadd {NUMBERS} {text.assign(f'fsub {NUMBERS} {big}, {new}')}, {small}")
        sound = text.assign(f"fcmp ord {NUMBERS} {rest}, {rest}")  # not where the sum is infinite
        rest = text.assign(f"select {BOOLEANS} {sound}, {NUMBERS} {rest}, {NUMBERS} {_ZERO}")
        text.store(NUMBERS, text.assign(f"fadd {NUMBERS} {c}, {rest}"), c_at)
        text.store(NUMBERS, new, t_at)
        text.store(NUMBERS, _ZERO, x_at)

    text.loop("0", str(len(layout.accumulators)), one)
    text.write("ret void")
    return text.end()
