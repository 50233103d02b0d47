"""`Program`: straight-line code in single assignment, one instruction an operation; to be read, and to be run."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from autograd import elementwise as e
from autograd.frames import Line
from autograd.graph import Primitive

COMPARISONS = {e.equals, e.differs, e.greater, e.at_least}
FREE = {e.identity, e.where, *COMPARISONS}  # not counted as floating-point operations


class Instruction:
    """One line of a program: `op` of `args`, each an earlier instruction. It stands for a number or, if `op` compares
    two, for a truth.

    Without an `op` it is a constant (`value` is the float) or an input (`value` is None). `line` is where the user's
    code asked for it, `(file, number)`, and `derived` says that it belongs to a derivative of what stands there.
    """

    __slots__ = ("args", "derived", "example", "label", "line", "op", "value")
    example: float  # what it gave when it was recorded

    def __init__(
        self,
        op: Primitive | None,
        args: tuple[Instruction, ...] = (),
        value: float | None = None,
        label: str | None = None,
        line: Line | None = None,
        derived: bool = False,
    ) -> None:
        self.op = op
        self.args = args
        self.value = value
        self.label = label
        self.line = line
        self.derived = derived

    @property
    def type(self) -> str:
        """ "bool" of a comparison, "f64" of all else."""
        return "bool" if self.op in COMPARISONS else "f64"


@dataclass
class Guard:
    """A decision that the user's Python code took: a program holds only where it comes out the same."""

    condition: Instruction
    outcome: bool
    line: Line | None


@dataclass(repr=False)
class Program:
    """Instructions in order, of which some are results. `print` shows it, a line an instruction.

    `inputs` are its inputs in the order in which numbers are given to it; all other instructions are in `code`.
    """

    inputs: list[Instruction]
    code: list[Instruction]
    outputs: list[Instruction]
    guards: list[Guard] = field(default_factory=list)

    def __len__(self) -> int:
        """The number of operations."""
        return sum(instruction.op is not None for instruction in self.code)

    @property
    def flops(self) -> int:
        """Floating-point operations of one run; a transcendental function counts as one."""
        return sum(instruction.op is not None and instruction.op not in FREE for instruction in self.code)

    def __repr__(self) -> str:
        return f"<program of {len(self)} operations on {len(self.inputs)} inputs: print it>"

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def unvarying(program: Program, uniform: Sequence[bool]) -> dict[Instruction, bool]:
    """Whether each instruction gives the same in all lanes, given which inputs do."""
    same = dict(zip(program.inputs, uniform, strict=True))
    for instruction in program.code:
        same[instruction] = all(same[arg] for arg in instruction.args)
    return same


def key(value: float) -> bytes:
    """The bits of a float, which tell 0 from -0, and call a nan the same as itself."""
    return struct.pack("<d", value)


def number(value: float) -> str:
    """A constant, as short as it can be said exactly."""
    text = repr(value)
    return text.removesuffix(".0") if text.endswith(".0") and len(text) > 2 else text


def _lines(program: Program) -> Iterator[str]:
    names: dict[Instruction, str] = {}
    used: set[str] = set()
    taken = {instruction.label for instruction in program.inputs}
    count = 0
    for instruction in [*program.inputs, *program.code]:
        if instruction.op is None and instruction.value is not None:
            names[instruction] = number(instruction.value)
        elif instruction.op is None:
            name = " ".join((instruction.label or f"x{len(names)}").split())
            names[instruction] = name if name not in used else f"{name}_{len(names)}"
            used.add(names[instruction])
        else:
            while f"v{count}" in taken:
                count += 1
            names[instruction] = f"v{count}"
            count += 1
    if program.inputs:
        yield f"inputs: {', '.join(names[instruction] for instruction in program.inputs)}"
    for instruction in program.code:
        if instruction.op is None:
            continue
        text = f"{names[instruction]}: {instruction.type} = {instruction.op.name} " + ", ".join(
            names[arg] for arg in instruction.args
        )
        remark = _remark(instruction)
        yield f"{text:<44}  # {remark}" if remark else text
    for guard in program.guards:
        text = f"guard {names[guard.condition]} is {guard.outcome}"
        yield f"{text:<44}  # {_place(guard.line)}" if guard.line else text
    yield f"return {', '.join(names[instruction] for instruction in program.outputs)}"


def _remark(instruction: Instruction) -> str:
    place = f"{'∂ ' if instruction.derived else ''}{_place(instruction.line)}" if instruction.line else ""
    return ", ".join(filter(None, [" ".join((instruction.label or "").split()), place]))


def _place(line: Line | None) -> str:
    return f"{os.path.basename(line[0])}:{line[1]}" if line else ""
