"""`Codegen`: the LLVM IR of the blocks of a lowered program.

Between two blocks of a program its values lie in one stretch of memory, `work`: first the uniform numbers, then slots of
one vector each, for varying inputs and outputs, sums, and values that a later block reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from autograd import elementwise as e
from autograd.compiler.libm import WIDTH, scalar_function, vector_function
from autograd.compiler.llvm_ir import IRBuilder, by_lanes, constant, types
from autograd.compiler.program import Instruction, Program, uniform_instructions
from autograd.compiler.simplify import is_comparison
from autograd.graph import Primitive

BLOCK = 250  # instructions of one function: LLVM's time for a function grows faster than its length

# LLVM's instructions for C's operators, and those of C's functions that are intrinsic to it.
OPERATORS = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}
COMPARE = {"==": "oeq", "!=": "une", ">": "ogt", ">=": "oge"}
INTRINSICS = ("fabs", "sqrt", "floor", "ceil")


class Codegen:
    """The blocks of a program, and its memory layout: slots are counted in vectors.

    The slots of `varying` inputs follow each other from `first_input`; `stores` are varying outputs. `accumulators` are
    sums of a few groups of lanes, `totals` of all, and `compensation` is what these lost to rounding; the sums of all
    lanes are put where `collected` counts in numbers.
    """

    def __init__(self, program: Program, uniform: Sequence[bool], reduced: Sequence[bool], fast: bool) -> None:
        self.flags = "reassoc nsz arcp contract " if fast else ""
        self.helpers: dict[str, str] = {}
        self.uniform = is_uniform = uniform_instructions(program, uniform)
        prologue = [i for i in program.code if i.op is not None and is_uniform[i]]
        body = [i for i in program.code if i.op is not None and not is_uniform[i]]
        self.operations = len(body)
        self.varying = [k for k, u in enumerate(uniform) if not u]

        # Uniform numbers: inputs, then results that are read from outside their own block.
        self.places: dict[Instruction, int] = {}
        for instruction in [*program.inputs, *program.outputs]:
            if is_uniform[instruction]:
                self.places.setdefault(instruction, len(self.places))
        self.prologue_blocks = _blocks(prologue)
        home = {instruction: n for n, block in enumerate(self.prologue_blocks) for instruction in block}
        outside = {arg for instruction in body for arg in instruction.args if is_uniform[arg]}
        outside |= {arg for i in prologue for arg in i.args if home.get(arg, -1) != home[i]}
        for instruction in prologue:
            if instruction in outside:
                self.places.setdefault(instruction, len(self.places))
        self.constants = [i for i in self.places if i.op is None and i.value is not None]

        # Vectors, one a slot.
        vectors = count(-(-len(self.places) // WIDTH))
        self.slots = {instruction: next(vectors) for instruction in program.inputs if not is_uniform[instruction]}
        self.first_input = min(self.slots.values(), default=0)
        self.body_blocks = _blocks(body) or [[]]  # one at least, which outputs that are inputs are copied in
        outputs = dict.fromkeys(x for x in zip(program.outputs, reduced, strict=True) if not is_uniform[x[0]])
        self.stores = {output: next(vectors) for output, fold in outputs if not fold}
        self.accumulators = {output: next(vectors) for output, fold in outputs if fold}
        self.totals = [next(vectors) for _ in self.accumulators]
        self.compensation = [next(vectors) for _ in self.accumulators]
        self.spare = next(vectors)
        self._spill(vectors)
        end = next(vectors)
        collected = {output: end * WIDTH + n for n, output in enumerate(self.accumulators)}
        self.collected = end * WIDTH
        self.size = end * WIDTH + max(1, len(self.accumulators))

        # Where the outputs are found: numbers in `work`, and lanes in one array for each of `stores`.
        self.numbers: list[int] = []
        self.sums: list[int] = []  # which of the numbers are
        self.laned: list[int] = []
        order = {output: n for n, output in enumerate(self.stores)}
        for output, fold in zip(program.outputs, reduced, strict=True):
            if is_uniform[output]:
                self.numbers.append(self.places[output])
            elif fold:
                self.sums.append(len(self.numbers))
                self.numbers.append(collected[output])
            else:
                self.laned.append(order[output])
        self.kept = {*self.places, *self.slots, *self.stores, *self.accumulators}

    def _spill(self, vectors: Iterator[int]) -> None:
        """Give a slot to each value that a later block reads; slots whose value is dead are used again."""
        home = {instruction: n for n, block in enumerate(self.body_blocks) for instruction in block}
        last = {arg: n for instruction, n in home.items() for arg in instruction.args if home.get(arg, n) != n}
        free: list[int] = []
        ends: dict[int, list[int]] = {}
        for n, block in enumerate(self.body_blocks):
            for instruction in block:
                if instruction in last:
                    slot = self.slots[instruction] = free.pop() if free else next(vectors)
                    ends.setdefault(last[instruction], []).append(slot)
            free += ends.pop(n, [])

    def block(self, name: str, code: list[Instruction], width: int) -> str:
        """A block as a function of its own, which finds all that it needs in `work` and leaves all there."""
        block = Block(self, name, width)
        if name == "body0":
            for instruction in self.slots:  # an input that is itself an output
                if instruction.op is None and (instruction in self.stores or instruction in self.accumulators):
                    block.keep(instruction)
        for instruction in code:
            block.add(instruction)
        block.write("ret void")
        return block.end()

    def function(self, op: Primitive, width: int) -> str:
        """The function to call for `op`: the vector library's, libm's, or libm's for each lane."""
        name, arity = op.c, len(op.rules)
        address = vector_function(name, arity, width) if width > 1 else scalar_function(name)
        if address is not None:
            return f"inttoptr (i64 {address} to ptr)"
        helper = f"@{name}_by_lanes"
        self.helpers[helper] = by_lanes(helper, scalar_function(name), arity, width)
        return helper


def exact(op: Primitive, args: list[str], width: int, kind: str = "double", flags: str = "") -> str | None:
    """The operations that are rounded correctly, by every machine: arithmetic, comparisons, choice. None for others."""
    number, boolean = types(width, kind)
    if op.infix in OPERATORS:
        return f"{OPERATORS[op.infix]} {flags}{number} {args[0]}, {args[1]}"
    if op is e.where:
        return f"select {boolean} {args[0]}, {number} {args[1]}, {number} {args[2]}"
    if op.infix in COMPARE:
        return f"fcmp {COMPARE[op.infix]} {number} {args[0]}, {args[1]}"
    if op is e.neg:
        return f"fneg {flags}{number} {args[0]}"
    if op.c in INTRINSICS:
        return f"call {number} {_intrinsic(op.c, width, kind)}({number} {args[0]})"
    return None


def declarations(*widths: int, kind: str = "double") -> list[str]:
    """The declarations of LLVM's intrinsic functions for these numbers of lanes."""
    numbers = [(width, types(width, kind)[0]) for width in widths]
    return [f"declare {x} {_intrinsic(name, width, kind)}({x})" for name in INTRINSICS for width, x in numbers]


def _intrinsic(name: str, width: int, kind: str) -> str:
    return f"@llvm.{name}.{'' if width == 1 else f'v{width}'}{'f64' if kind == 'double' else 'f32'}"


class Block(IRBuilder):
    """The builder of a block's function."""

    def __init__(self, codegen: Codegen, name: str, width: int) -> None:
        super().__init__(f"define internal void @{name}(ptr noalias %w) #0")
        self.codegen, self.width = codegen, width
        self.number, self.boolean = types(width)
        self.here: dict[Instruction, str] = {}

    def add(self, instruction: Instruction) -> None:
        """Compute `instruction`, and keep what is needed elsewhere."""
        op = instruction.op
        assert op is not None
        args = [self.operand(arg) for arg in instruction.args]
        text = exact(op, args, self.width, flags=self.codegen.flags)
        if text is None:
            operands = ", ".join(f"{self.number} {arg}" for arg in args)
            text = f"call {self.number} {self.codegen.function(op, self.width)}({operands})"
        self.here[instruction] = self.assign(text)
        if instruction in self.codegen.kept:
            self.keep(instruction)

    def operand(self, arg: Instruction) -> str:
        """The name of `arg`'s value, which is loaded unless it was computed in this block."""
        name = self.here.get(arg)
        if name is not None:
            return name
        codegen, number, width = self.codegen, self.number, self.width
        if arg.op is None and arg.value is not None:
            name = constant(arg.value, width)
        elif codegen.uniform[arg]:
            name = self.splat("double", self.load("double", self._place(codegen.places[arg])), width)
        else:
            name = self.load(number, self._place(codegen.slots[arg] * width))
        if is_comparison(arg):
            name = self.assign(f"fcmp une {number} {name}, {constant(0.0, width)}")
        self.here[arg] = name
        return name

    def keep(self, instruction: Instruction) -> None:
        """Store it where other blocks and the loop read it: a boolean as 1 or 0."""
        codegen, number, width = self.codegen, self.number, self.width
        name = self.operand(instruction)
        if is_comparison(instruction):
            one, zero = constant(1.0, width), constant(0.0, width)
            name = self.assign(f"select {self.boolean} {name}, {number} {one}, {number} {zero}")
        if width == 1:
            self.store(number, name, self._place(codegen.places[instruction]))
            return
        for slots in (codegen.slots if instruction.op is not None else {}, codegen.stores):
            if instruction in slots:
                self.store(number, name, self._place(slots[instruction] * width))
        if instruction in codegen.accumulators:
            place = self._place(codegen.accumulators[instruction] * width)
            self.store(number, self.assign(f"fadd {number} {self.load(number, place)}, {name}"), place)

    def _place(self, index: int) -> str:
        return self.at("double", "%w", str(index))


def _blocks(code: list[Instruction]) -> list[list[Instruction]]:
    return [code[k : k + BLOCK] for k in range(0, len(code), BLOCK)]
