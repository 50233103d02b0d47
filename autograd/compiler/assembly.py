"""`Assembly`: a lowered program as LLVM's text.

All that a program holds between two of its blocks lies in one stretch of memory, `work`: first the numbers that are
the same for all lanes, then one vector a slot for inputs, outputs, sums, and values that a later block needs.

    once(work)                  what does not vary from lane to lane, before
    run(start, stop, frame)     for each group of lanes: fetch inputs, blocks, put outputs
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Sequence

from autograd import elementwise as e
from autograd.compiler.program import COMPARISONS, Instruction, Program
from autograd.compiler.simplify import fmod
from autograd.compiler.symbols import WIDTH, scalar_function, vector_function
from autograd.graph import Primitive

BLOCK = 250  # instructions of one function: LLVM's time for a function grows faster than its length
FLUSH = 64  # groups of lanes that are summed plainly before the sum is added to the compensated total

INFIX = {e.add: "fadd", e.sub: "fsub", e.mul: "fmul", e.div: "fdiv"}
COMPARE = {e.equals: "oeq", e.differs: "une", e.greater: "ogt", e.at_least: "oge"}
INTRINSICS = {e.absolute: "fabs", e.sqrt: "sqrt", e.floor: "floor", e.ceil: "ceil"}
LIBM = {
    e.exp: "exp", e.expm1: "expm1", e.log: "log", e.log1p: "log1p", e.log2: "log2", e.log10: "log10",
    e.cbrt: "cbrt", e.power: "pow", e.hypot: "hypot", fmod: "fmod", e.erf: "erf",
    e.sin: "sin", e.cos: "cos", e.tan: "tan", e.asin: "asin", e.acos: "acos", e.atan: "atan", e.atan2: "atan2",
    e.sinh: "sinh", e.cosh: "cosh", e.tanh: "tanh", e.asinh: "asinh", e.acosh: "acosh", e.atanh: "atanh",
}  # fmt: skip
NATIVE = {e.neg, e.where, *INFIX, *COMPARE, *INTRINSICS, *LIBM}


class Assembly:
    """LLVM's text of a program."""

    def __init__(self, program: Program, uniform: Sequence[bool], reduced: Sequence[bool], fast: bool) -> None:
        self.flags = "reassoc nsz arcp contract " if fast else ""
        self.helpers: dict[str, str] = {}
        same = dict(zip(program.inputs, uniform, strict=True))
        for instruction in program.code:
            same[instruction] = all(same[arg] for arg in instruction.args)
        self.same = same
        once = [i for i in program.code if i.op is not None and same[i]]
        each = [i for i in program.code if i.op is not None and not same[i]]
        self.operations = len(each)
        self.varying = [k for k, u in enumerate(uniform) if not u]

        # Numbers that do not vary: inputs, then results that are read from outside their own block.
        self.places: dict[Instruction, int] = {}
        for instruction in [*program.inputs, *program.outputs]:
            if same[instruction] and instruction not in self.places:
                self.places[instruction] = len(self.places)
        once_blocks = _blocks(once)
        home = {instruction: n for n, block in enumerate(once_blocks) for instruction in block}
        outside: set[Instruction] = set()
        for instruction in each:
            outside.update(arg for arg in instruction.args if same[arg])
        for instruction in once:
            outside.update(arg for arg in instruction.args if home.get(arg, -1) != home[instruction])
        for instruction in once:
            if instruction in outside and instruction not in self.places:
                self.places[instruction] = len(self.places)
        self.constants = [i for i in self.places if i.op is None and i.value is not None]

        # Vectors, one a slot.
        vectors = iter(range(-(-len(self.places) // WIDTH), 1 << 60))
        self.slots: dict[Instruction, int] = {
            instruction: next(vectors) for instruction in program.inputs if not same[instruction]
        }
        self.first_input = min(self.slots.values(), default=0)
        self.each_blocks = _blocks(each)
        outputs = dict.fromkeys(
            (output, fold) for output, fold in zip(program.outputs, reduced, strict=True) if not same[output]
        )
        self.put = {output: next(vectors) for output, fold in outputs if not fold}
        self.add = {output: next(vectors) for output, fold in outputs if fold}
        self.totals = [next(vectors) for _ in self.add]
        self.lost = [next(vectors) for _ in self.add]
        self.spare = next(vectors)
        self._spill(vectors)
        end = next(vectors)
        collected = {output: end * WIDTH + n for n, output in enumerate(self.add)}
        self.collected = end * WIDTH
        self.size = end * WIDTH + max(1, len(self.add))

        # Where the outputs are found: numbers in `work`, and lanes in one array for each of `put`.
        self.numbers: list[int] = []
        self.sums: list[int] = []  # which of the numbers are
        self.laned: list[int] = []
        order = {output: n for n, output in enumerate(self.put)}
        for output, fold in zip(program.outputs, reduced, strict=True):
            if same[output]:
                self.numbers.append(self.places[output])
            elif fold:
                self.sums.append(len(self.numbers))
                self.numbers.append(collected[output])
            else:
                self.laned.append(order[output])
        self.once_blocks = once_blocks

    def _spill(self, vectors: Iterator[int]) -> None:
        """Give a slot to each value that a later block reads; slots whose value is dead are used again."""
        home = {instruction: n for n, block in enumerate(self.each_blocks) for instruction in block}
        last: dict[Instruction, int] = {}
        for n, block in enumerate(self.each_blocks):
            for instruction in block:
                for arg in instruction.args:
                    if arg in home and home[arg] != n:
                        last[arg] = n
        free: list[int] = []
        ends: dict[int, list[int]] = {}
        for n, block in enumerate(self.each_blocks):
            for instruction in block:
                if instruction in last:
                    slot = self.slots[instruction] = free.pop() if free else next(vectors)
                    ends.setdefault(last[instruction], []).append(slot)
            free += ends.pop(n, [])

    def module(self) -> str:
        """The whole text."""
        once = [self._block(f"once{n}", block, 1) for n, block in enumerate(self.once_blocks)]
        each = [self._block(f"each{n}", block, WIDTH) for n, block in enumerate(self.each_blocks)]
        calls = "".join(f"  call void @once{n}(ptr %w)\n" for n in range(len(once)))
        stores = "".join(
            f"  %c{n} = getelementptr double, ptr %w, i64 {self.places[i]}\n"
            f"  store double {_constant(i.value)}, ptr %c{n}\n"  # type: ignore[arg-type]  # constants have a value
            for n, i in enumerate(self.constants)
        )
        start = f"define void @once(ptr %w) {{\n{stores}{calls}  ret void\n}}"
        attributes = "attributes #0 = { nounwind }"
        declarations = [
            f"declare {number} @llvm.{name}.{suffix}({number})"
            for name in INTRINSICS.values()
            for number, suffix in (("double", "f64"), (_types(WIDTH)[0], f"v{WIDTH}f64"))
        ]
        return "\n".join([*declarations, *once, *each, start, *self._driver(), *self.helpers.values(), attributes])

    def _block(self, name: str, code: list[Instruction], width: int) -> str:
        """A block as a function of its own, which finds all that it needs in `work` and leaves all there."""
        block = Block(self, width)
        if name == "each0":
            for instruction in self.slots:  # an input that is itself an output
                if instruction.op is None and (instruction in self.put or instruction in self.add):
                    block.keep(instruction, block.operand(instruction))
        for instruction in code:
            block.add(instruction)
        return block.end(name)

    def function(self, op: Primitive, width: int) -> str:
        """What to call for `op`: an intrinsic of LLVM, the vector library's, libm's, or libm's for each lane."""
        if op in INTRINSICS:
            return f"@llvm.{INTRINSICS[op]}.{'f64' if width == 1 else f'v{width}f64'}"
        name, arity = LIBM[op], len(op.rules)
        address = vector_function(name, arity, width) if width > 1 else scalar_function(name)
        if address is not None:
            return f"inttoptr (i64 {address} to ptr)"
        helper = f"@{name}_by_lanes"
        self.helpers[helper] = _by_lanes(helper, scalar_function(name), arity, width)
        return helper

    # ---- What goes round the blocks

    def _driver(self) -> Iterator[str]:
        number, _ = _types(WIDTH)
        inputs, outputs = len(self.varying), len(self.put)
        first_output = min(self.put.values(), default=0)
        text = Text("define i64 @run(i64 %start, i64 %stop, ptr %frame) #0")
        text.write("%w = load ptr, ptr %frame")
        text.write("%ins = getelementptr ptr, ptr %frame, i64 1")
        text.write(f"%strides = getelementptr ptr, ptr %frame, i64 {1 + inputs}")
        text.write(f"%outs = getelementptr ptr, ptr %frame, i64 {1 + 2 * inputs}")
        text.write("call void @once(ptr %w)")
        sums = bool(self.add)
        spare = text.let(f"getelementptr {number}, ptr %w, i64 {self.spare}")  # a nan, where one was put

        def clear(k: str) -> None:
            place = text.let(f"getelementptr {number}, ptr %w, i64 {k}")
            text.write(f"store {number} zeroinitializer, ptr {place}, align {8 * WIDTH}")

        text.loop(str(min(self.add.values(), default=self.spare)), str(self.spare + 1), "1", clear)

        def group(i: str) -> None:
            rest = text.let(f"sub i64 %stop, {i}")
            whole = text.let(f"icmp sge i64 {rest}, {WIDTH}")
            count = text.let(f"select i1 {whole}, i64 {WIDTH}, i64 {rest}")
            last = text.let(f"sub i64 {count}, 1")

            def fetch(k: str) -> None:
                source = text.let("load ptr, ptr " + text.let(f"getelementptr ptr, ptr %ins, i64 {k}"))
                stride = text.let("load i64, ptr " + text.let(f"getelementptr i64, ptr %strides, i64 {k}"))
                begin = text.let(f"getelementptr i8, ptr {source}, i64 " + text.let(f"mul i64 {i}, {stride}"))
                slot = text.let(f"add i64 {k}, {self.first_input}")
                target = text.let(f"getelementptr {number}, ptr %w, i64 {slot}")
                dense = text.let(f"and i1 {whole}, " + text.let(f"icmp eq i64 {stride}, 8"))

                def vector() -> None:
                    loaded = text.let(f"load {number}, ptr {begin}, align 8")
                    text.write(f"store {number} {loaded}, ptr {target}, align {8 * WIDTH}")

                def singly() -> None:
                    for lane in range(WIDTH):
                        inside = text.let(f"icmp slt i64 {lane}, {count}")
                        index = text.let(f"select i1 {inside}, i64 {lane}, i64 {last}")  # the last lane, once more
                        offset = text.let(f"mul i64 {index}, {stride}")
                        loaded = text.let(
                            "load double, ptr " + text.let(f"getelementptr i8, ptr {begin}, i64 {offset}") + ", align 8"
                        )
                        place = text.let(f"getelementptr double, ptr {target}, i64 {lane}")
                        text.write(f"store double {loaded}, ptr {place}")

                text.choose(dense, vector, singly)

            def put(k: str) -> None:
                into = text.let("load ptr, ptr " + text.let(f"getelementptr ptr, ptr %outs, i64 {k}"))
                begin = text.let(f"getelementptr double, ptr {into}, i64 {i}")
                slot = text.let(f"add i64 {k}, {first_output}")
                source = text.let(f"getelementptr {number}, ptr %w, i64 {slot}")

                loaded = text.let(f"load {number}, ptr {source}, align {8 * WIDTH}")
                odd = text.let(f"fcmp uno {number} {loaded}, {loaded}")
                flag = text.let(f"load {number}, ptr {spare}, align {8 * WIDTH}")
                flag = text.let(f"select <{WIDTH} x i1> {odd}, {number} {loaded}, {number} {flag}")
                text.write(f"store {number} {flag}, ptr {spare}, align {8 * WIDTH}")

                def vector() -> None:
                    text.write(f"store {number} {loaded}, ptr {begin}, align 8")

                def singly() -> None:
                    def one(lane: str) -> None:
                        loaded = text.let(
                            "load double, ptr " + text.let(f"getelementptr double, ptr {source}, i64 {lane}")
                        )
                        place = text.let(f"getelementptr double, ptr {begin}, i64 {lane}")
                        text.write(f"store double {loaded}, ptr {place}")

                    text.loop("0", count, "1", one)

                text.choose(whole, vector, singly)

            if inputs:
                text.loop("0", str(inputs), "1", fetch)
            if sums:
                text.choose(whole, lambda: None, lambda: text.write("call void @flush(ptr %w)"))
            for n in range(len(self.each_blocks)):
                text.write(f"call void @each{n}(ptr %w)")
            if sums:

                def partial() -> None:
                    text.write(f"call void @trim(ptr %w, i64 {count})")
                    text.write("call void @flush(ptr %w)")

                text.choose(whole, lambda: None, partial)
                groups = text.let(f"sdiv i64 {i}, {WIDTH}")
                left = text.let(f"srem i64 {groups}, {FLUSH}")
                text.choose(
                    text.let(f"icmp eq i64 {left}, 0"), lambda: text.write("call void @flush(ptr %w)"), lambda: None
                )
            if outputs:
                text.loop("0", str(outputs), "1", put)

        text.loop("%start", "%stop", str(WIDTH), group)
        if sums:
            text.write("call void @flush(ptr %w)")
            text.write("call void @collect(ptr %w)")
        flag = text.let(f"load {number}, ptr {spare}, align {8 * WIDTH}")
        odd = text.let(f"bitcast <{WIDTH} x i1> " + text.let(f"fcmp uno {number} {flag}, {flag}") + f" to i{WIDTH}")
        text.write("ret i64 " + text.let(f"zext i{WIDTH} {odd} to i64"))
        yield text.end()
        if sums:
            yield from self._sums()

    def _sums(self) -> Iterator[str]:
        number, _ = _types(WIDTH)
        count, align = str(len(self.add)), f"align {8 * WIDTH}"
        add, total, lost = min(self.add.values()), self.totals[0], self.lost[0]

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
            at = collect.let(f"add i64 {k}, {self.collected}")
            collect.write(f"store double {result}, ptr " + collect.let(f"getelementptr double, ptr %w, i64 {at}"))

        collect.loop("0", count, "1", gather)
        collect.write("ret void")
        yield collect.end()


class Block:
    """The text of a block while it is written."""

    def __init__(self, assembly: Assembly, width: int) -> None:
        self.assembly = assembly
        self.width = width
        self.number, self.truth = _types(width)
        self.align = f"align {8 * width}"
        self.here: dict[Instruction, str] = {}
        self.lines: list[str] = []
        self.kept = {*assembly.slots, *assembly.put, *assembly.add} if width > 1 else set(assembly.places)

    def end(self, name: str) -> str:
        """The whole function."""
        return "\n".join([f"define internal void @{name}(ptr noalias %w) #0 {{", *self.lines, "  ret void\n}"])

    def add(self, instruction: Instruction) -> None:
        """Compute `instruction`, and keep what is needed elsewhere."""
        op, number, flags = instruction.op, self.number, self.assembly.flags
        assert op is not None
        args = [self.operand(arg) for arg in instruction.args]
        out = self.here[instruction] = f"%v{len(self.lines)}"
        if op in INFIX:
            text = f"{INFIX[op]} {flags}{number} {args[0]}, {args[1]}"
        elif op is e.where:
            text = f"select {self.truth} {args[0]}, {number} {args[1]}, {number} {args[2]}"
        elif op in COMPARE:
            text = f"fcmp {COMPARE[op]} {number} {args[0]}, {args[1]}"
        elif op is e.neg:
            text = f"fneg {flags}{number} {args[0]}"
        else:
            operands = ", ".join(f"{number} {arg}" for arg in args)
            text = f"call {number} {self.assembly.function(op, self.width)}({operands})"
        self.lines.append(f"  {out} = {text}")
        if instruction in self.kept:
            self.keep(instruction, out)

    def operand(self, arg: Instruction) -> str:
        """The name of what `arg` gave: here, or before, when it is fetched."""
        name = self.here.get(arg)
        if name is not None:
            return name
        if arg.op is None and arg.value is not None:
            name = _constant(arg.value, self.width)
        elif self.width == 1:
            name = self._let(f"load double, ptr {self._at(self.assembly.places[arg])}")
        elif self.assembly.same[arg]:
            one = self._let(f"load double, ptr {self._at(self.assembly.places[arg])}")
            first = self._let(f"insertelement {self.number} poison, double {one}, i32 0")
            name = self._let(
                f"shufflevector {self.number} {first}, {self.number} poison, <{self.width} x i32> zeroinitializer"
            )
        else:
            name = self._load(self.assembly.slots[arg])
        if arg.op in COMPARISONS:
            name = self._let(f"fcmp une {self.number} {name}, {_constant(0.0, self.width)}")
        self.here[arg] = name
        return name

    def keep(self, instruction: Instruction, name: str) -> None:
        """Put it where others look for it: a truth as 1 or 0."""
        assembly = self.assembly
        if instruction.op in COMPARISONS:
            one, zero = _constant(1.0, self.width), _constant(0.0, self.width)
            name = self._let(f"select {self.truth} {name}, {self.number} {one}, {self.number} {zero}")
        if self.width == 1:
            self.lines.append(f"  store double {name}, ptr {self._at(assembly.places[instruction])}")
            return
        if instruction in assembly.slots and instruction.op is not None:
            self._store(name, assembly.slots[instruction])
        if instruction in assembly.put:
            self._store(name, assembly.put[instruction])
        if instruction in assembly.add:
            slot = assembly.add[instruction]
            self._store(self._let(f"fadd {self.number} {self._load(slot)}, {name}"), slot)

    def _let(self, expression: str) -> str:
        name = f"%v{len(self.lines)}"
        self.lines.append(f"  {name} = {expression}")
        return name

    def _at(self, place: int) -> str:
        return self._let(f"getelementptr double, ptr %w, i64 {place}")

    def _load(self, slot: int) -> str:
        return self._let(f"load {self.number}, ptr {self._at(slot * self.width)}, {self.align}")

    def _store(self, name: str, slot: int) -> None:
        self.lines.append(f"  store {self.number} {name}, ptr {self._at(slot * self.width)}, {self.align}")


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

    def begin(self, label: str) -> None:
        """Whatever follows can be branched to."""
        self.lines.append(f"{label}:")
        self.label = label

    def loop(self, start: str, stop: str, step: str, body: Callable[[str], None]) -> None:
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


def _blocks(code: list[Instruction]) -> list[list[Instruction]]:
    return [code[k : k + BLOCK] for k in range(0, len(code), BLOCK)]


def _types(width: int) -> tuple[str, str]:
    return ("double", "i1") if width == 1 else (f"<{width} x double>", f"<{width} x i1>")


def _constant(value: float, width: int = 1) -> str:
    text = f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
    if math.isnan(value):
        text = "0x7FF8000000000000"
    return text if width == 1 else f"<{', '.join([f'double {text}'] * width)}>"


def _by_lanes(name: str, address: int | None, arity: int, width: int) -> str:
    number, _ = _types(width)
    text = Text(f"define internal {number} {name}({', '.join(f'{number} %a{n}' for n in range(arity))}) #0")
    result = "poison"
    for lane in range(width):
        args = [text.let(f"extractelement {number} %a{n}, i32 {lane}") for n in range(arity)]
        operands = ", ".join(f"double {arg}" for arg in args)
        one = text.let(f"call double inttoptr (i64 {address} to ptr)({operands})")
        result = text.let(f"insertelement {number} {result}, double {one}, i32 {lane}")
    text.write(f"ret {number} {result}")
    return text.end()
