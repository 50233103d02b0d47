"""What goes round the blocks of a program: a loop over groups of lanes, and sums over all lanes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Protocol

from autograd.compiler.ir import UNROLLED, Text, constant, types
from autograd.compiler.symbols import WIDTH

FLUSH = 64  # groups of lanes that are summed plainly before the sum is added to the compensated total


class Layout(Protocol):
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


def driver(layout: Layout) -> Iterator[str]:
    """The functions that take the blocks over all lanes: `run`, and those that sum."""
    number, _ = types(WIDTH)
    inputs, outputs = len(layout.varying), len(layout.put)
    first_output = min(layout.put.values(), default=0)
    text = Text("define i64 @run(i64 %start, i64 %stop, ptr %frame) #0")
    text.write("%w = load ptr, ptr %frame")
    text.write("%ins = getelementptr ptr, ptr %frame, i64 1")
    text.write(f"%strides = getelementptr ptr, ptr %frame, i64 {1 + inputs}")
    text.write(f"%outs = getelementptr ptr, ptr %frame, i64 {1 + 2 * inputs}")
    text.write("call void @once(ptr %w)")
    sums, align = bool(layout.add), f"align {8 * WIDTH}"
    spare = text.let(f"getelementptr {number}, ptr %w, i64 {layout.spare}")  # a nan, where one was put

    def clear(k: str) -> None:
        place = text.let(f"getelementptr {number}, ptr %w, i64 {k}")
        text.write(f"store {number} zeroinitializer, ptr {place}, {align}")

    text.loop(str(min(layout.add.values(), default=layout.spare)), str(layout.spare + 1), "1", clear)

    # Whether all inputs are dense, so that a group of lanes is a vector in memory.
    text.write("%gaps = alloca i64")
    text.write("store i64 0, ptr %gaps")

    def gap(k: str) -> None:
        stride = text.let("load i64, ptr " + text.let(f"getelementptr i64, ptr %strides, i64 {k}"))
        gaps = text.let("or i64 " + text.let("load i64, ptr %gaps") + ", " + text.let(f"xor i64 {stride}, 8"))
        text.write(f"store i64 {gaps}, ptr %gaps")

    text.loop("0", str(inputs), "1", gap)
    dense = text.let("icmp eq i64 0, " + text.let("load i64, ptr %gaps"))

    def blocks() -> None:
        for n in range(len(layout.each_blocks)):
            text.write(f"call void @each{n}(ptr %w)")

    def slot(k: str, first: int) -> str:
        return text.let(f"getelementptr {number}, ptr %w, i64 " + text.let(f"add i64 {k}, {first}"))

    def into(k: str, i: str) -> str:
        start = text.let("load ptr, ptr " + text.let(f"getelementptr ptr, ptr %outs, i64 {k}"))
        return text.let(f"getelementptr double, ptr {start}, i64 {i}")

    def flag(odd: str) -> None:
        """Remember that there was a nan, where `odd`."""
        before = text.let(f"load {number}, ptr {spare}, {align}")
        after = text.let(f"select <{WIDTH} x i1> {odd}, {number} {constant(math.nan, WIDTH)}, {number} {before}")
        text.write(f"store {number} {after}, ptr {spare}, {align}")

    def easy(i: str) -> None:
        """A whole group of dense lanes."""

        def fetch(k: str) -> None:
            source = text.let("load ptr, ptr " + text.let(f"getelementptr ptr, ptr %ins, i64 {k}"))
            loaded = text.let(
                f"load {number}, ptr " + text.let(f"getelementptr double, ptr {source}, i64 {i}") + ", align 8"
            )
            text.write(f"store {number} {loaded}, ptr {slot(k, layout.first_input)}, {align}")

        def put(k: str) -> str:
            loaded = text.let(f"load {number}, ptr {slot(k, first_output)}, {align}")
            text.write(f"store {number} {loaded}, ptr {into(k, i)}, align 8")
            return text.let(f"fcmp uno {number} {loaded}, {loaded}")

        text.repeat(inputs, fetch)
        blocks()
        if outputs <= UNROLLED:
            odd = "zeroinitializer"
            for k in range(outputs):
                odd = text.let(f"or <{WIDTH} x i1> {odd}, {put(str(k))}")
            if outputs:
                flag(odd)
        else:
            text.loop("0", str(outputs), "1", lambda k: flag(put(k)))
        if sums:
            groups = text.let("srem i64 " + text.let(f"sdiv i64 {i}, {WIDTH}") + f", {FLUSH}")
            text.choose(
                text.let(f"icmp eq i64 {groups}, {FLUSH - 1}"),
                lambda: text.write("call void @flush(ptr %w)"),
                lambda: None,
            )

    def general(i: str, count: str) -> None:
        """`count` lanes of any stride; the others of the group repeat the last."""
        last = text.let(f"sub i64 {count}, 1")

        def fetch(k: str) -> None:
            source = text.let("load ptr, ptr " + text.let(f"getelementptr ptr, ptr %ins, i64 {k}"))
            stride = text.let("load i64, ptr " + text.let(f"getelementptr i64, ptr %strides, i64 {k}"))
            begin = text.let(f"getelementptr i8, ptr {source}, i64 " + text.let(f"mul i64 {i}, {stride}"))
            target = slot(k, layout.first_input)
            for lane in range(WIDTH):
                inside = text.let(f"icmp slt i64 {lane}, {count}")
                index = text.let(f"select i1 {inside}, i64 {lane}, i64 {last}")
                place = text.let(f"getelementptr i8, ptr {begin}, i64 " + text.let(f"mul i64 {index}, {stride}"))
                loaded = text.let(f"load double, ptr {place}, align 8")
                text.write(f"store double {loaded}, ptr " + text.let(f"getelementptr double, ptr {target}, i64 {lane}"))

        def put(k: str) -> None:
            source, target = slot(k, first_output), into(k, i)
            loaded = text.let(f"load {number}, ptr {source}, {align}")
            flag(text.let(f"fcmp uno {number} {loaded}, {loaded}"))

            def one(lane: str) -> None:
                loaded = text.let("load double, ptr " + text.let(f"getelementptr double, ptr {source}, i64 {lane}"))
                text.write(f"store double {loaded}, ptr " + text.let(f"getelementptr double, ptr {target}, i64 {lane}"))

            text.loop("0", count, "1", one)

        if sums:
            text.write("call void @flush(ptr %w)")
        text.loop("0", str(inputs), "1", fetch)
        blocks()
        if sums:
            text.write(f"call void @trim(ptr %w, i64 {count})")
            text.write("call void @flush(ptr %w)")
        text.loop("0", str(outputs), "1", put)

    def group(i: str) -> None:
        rest = text.let(f"sub i64 %stop, {i}")
        whole = text.let(f"icmp sge i64 {rest}, {WIDTH}")
        count = text.let(f"select i1 {whole}, i64 {WIDTH}, i64 {rest}")
        text.choose(text.let(f"and i1 {whole}, {dense}"), lambda: easy(i), lambda: general(i, count))

    text.loop("%start", "%stop", str(WIDTH), group)
    if sums:
        text.write("call void @flush(ptr %w)")
        text.write("call void @collect(ptr %w)")
    seen = text.let(f"load {number}, ptr {spare}, {align}")
    odd = text.let(f"bitcast <{WIDTH} x i1> " + text.let(f"fcmp uno {number} {seen}, {seen}") + f" to i{WIDTH}")
    text.write("ret i64 " + text.let(f"zext i{WIDTH} {odd} to i64"))
    yield text.end()
    if sums:
        yield from _sums(layout)


def _sums(layout: Layout) -> Iterator[str]:
    number, _ = types(WIDTH)
    count, align = str(len(layout.add)), f"align {8 * WIDTH}"
    add, total, lost = min(layout.add.values()), layout.totals[0], layout.lost[0]

    def vector(text: Text, k: str, base: int) -> tuple[str, str]:
        place = text.let(f"getelementptr {number}, ptr %w, i64 " + text.let(f"add i64 {k}, {base}"))
        return place, text.let(f"load {number}, ptr {place}, {align}")

    # Neumaier's summation: what a sum loses to rounding is summed beside it.
    flush = Text("define internal void @flush(ptr %w) #0")

    def one(k: str) -> None:
        x_at, x = vector(flush, k, add)
        t_at, t = vector(flush, k, total)
        c_at, c = vector(flush, k, lost)
        new = flush.let(f"fadd {number} {t}, {x}")
        abs_t = flush.let(f"call {number} @llvm.fabs.v{WIDTH}f64({number} {t})")
        abs_x = flush.let(f"call {number} @llvm.fabs.v{WIDTH}f64({number} {x})")
        larger = flush.let(f"fcmp oge {number} {abs_t}, {abs_x}")
        big = flush.let(f"select <{WIDTH} x i1> {larger}, {number} {t}, {number} {x}")
        small = flush.let(f"select <{WIDTH} x i1> {larger}, {number} {x}, {number} {t}")
        rest = flush.let(f"fadd {number} " + flush.let(f"fsub {number} {big}, {new}") + f", {small}")
        sound = flush.let(f"fcmp ord {number} {rest}, {rest}")  # not where the sum is infinite
        rest = flush.let(f"select <{WIDTH} x i1> {sound}, {number} {rest}, {number} zeroinitializer")
        more = flush.let(f"fadd {number} {c}, {rest}")
        flush.write(f"store {number} {more}, ptr {c_at}, {align}")
        flush.write(f"store {number} {new}, ptr {t_at}, {align}")
        flush.write(f"store {number} zeroinitializer, ptr {x_at}, {align}")

    flush.loop("0", count, "1", one)
    flush.write("ret void")
    yield flush.end()

    trim = Text("define internal void @trim(ptr %w, i64 %count) #0")

    def cut(k: str) -> None:
        x_at, _ = vector(trim, k, add)

        def clear(lane: str) -> None:
            place = trim.let(f"getelementptr double, ptr {x_at}, i64 {lane}")
            trim.write(f"store double 0.0, ptr {place}")

        trim.loop("%count", str(WIDTH), "1", clear)

    trim.loop("0", count, "1", cut)
    trim.write("ret void")
    yield trim.end()

    collect = Text("define internal void @collect(ptr %w) #0")

    def gather(k: str) -> None:
        _, t = vector(collect, k, total)
        _, c = vector(collect, k, lost)
        both = []
        for x in (t, c):
            parts = [collect.let(f"extractelement {number} {x}, i32 {lane}") for lane in range(WIDTH)]
            while len(parts) > 1:
                parts = [collect.let(f"fadd double {a}, {b}") for a, b in zip(parts[::2], parts[1::2], strict=True)]
            both.append(parts[0])
        result = collect.let(f"fadd double {both[0]}, {both[1]}")
        at = collect.let(f"add i64 {k}, {layout.collected}")
        collect.write(f"store double {result}, ptr " + collect.let(f"getelementptr double, ptr %w, i64 {at}"))

    collect.loop("0", count, "1", gather)
    collect.write("ret void")
    yield collect.end()
