"""`Program`: straight-line code in single assignment, one instruction an operation; to be read, and to be run."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd.frames import Line, line_of
from autograd.graph import Node, Primitive, ancestors


class Instruction:
    """One line of a program: `op` of `args`, each an earlier instruction.

    It stands for a number or an array of `dtype` and `shape`; a comparison's is a boolean. Without an `op` it is a
    constant (`value` is its number or array) or an input (`value` is None). `line` is where the user's code asked for
    it, `(file, number)`, and `derived` says that it belongs to a derivative of what stands there.
    """

    __slots__ = ("args", "derived", "dtype", "label", "line", "op", "shape", "value")

    def __init__(
        self,
        op: Primitive | None,
        args: tuple[Instruction, ...] = (),
        value: Any = None,
        label: str | None = None,
        line: Line | None = None,
        derived: bool = False,
        dtype: str = "f64",
        shape: tuple[int, ...] = (),
    ) -> None:
        self.op = op
        self.args = args
        self.value = value
        self.label = label
        self.line = line
        self.derived = derived
        self.dtype = "bool" if op is not None and op.is_comparison else dtype
        self.shape = shape

    @property
    def type(self) -> str:
        """The dtype and the shape: "f64", "bool", "f32[3,2]"."""
        return self.dtype + (f"[{','.join(map(str, self.shape))}]" if self.shape else "")


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
        return len([instruction for instruction in self.code if instruction.op is not None])

    @property
    def flops(self) -> int:
        """Floating-point operations of one run; a transcendental function counts as one."""
        return sum(instruction.op is not None and not instruction.op.is_free for instruction in self.code)

    def __repr__(self) -> str:
        return f"<program of {len(self)} operations on {len(self.inputs)} inputs: print it>"

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def instructions(
    outputs: Sequence[Node], inputs: Sequence[Node] = (), since: int = 0
) -> tuple[dict[Node, Instruction], list[Instruction]]:
    """The instruction of each node that `outputs` were computed from, and those of them that are no inputs, in order.

    Inputs are the `inputs` and, unless `since` is given, all leaves. Of nodes that were made after the sequence number
    `since` other leaves are constants.
    """
    made = {node: _instruction(node) for node in inputs}
    code: list[Instruction] = []
    for node in ancestors(*outputs, since=since):
        if node in made:
            continue
        args = []
        for arg, read in zip(node.inputs, node._residuals(), strict=True):
            if not isinstance(arg, Node):
                code.append(Instruction(None, value=read))
            args.append(made[arg] if isinstance(arg, Node) else code[-1])
        made[node] = _instruction(node, node._data if node.op is None and since else None, tuple(args))
        if node.op is not None or since:
            code.append(made[node])
    return made, code


def _instruction(node: Node, value: Any = None, args: tuple[Instruction, ...] = ()) -> Instruction:
    dtype, shape = "f64", ()
    if isinstance(node._data, np.ndarray):
        dtype, shape = f"f{8 * node._data.itemsize}", node._data.shape
    line = getattr(node, "_line", None) or line_of(node)
    return Instruction(
        node.op if args else None, args, value, node.label, line, getattr(node, "_derived", False), dtype, shape
    )


def uniform_instructions(program: Program, inputs: Sequence[bool]) -> dict[Instruction, bool]:
    """Whether each instruction is uniform, the same in all lanes of a batch, given which inputs are."""
    uniform = dict(zip(program.inputs, inputs, strict=True))
    for instruction in program.code:
        uniform[instruction] = all(map(uniform.__getitem__, instruction.args))
    return uniform


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
