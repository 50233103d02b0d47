"""`Program`: straight-line code in single assignment, one instruction an operation; to be read, and to be run."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, filterfalse
from typing import Any

import numpy as np

from autograd.arguments import assignments
from autograd.elementwise import identity
from autograd.frames import Line, line_of
from autograd.graph import Node, Primitive, ancestors
from autograd.notebooks import beginning


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
        self.op, self.args, self.value, self.label = op, args, value, label
        self.line, self.derived, self.shape = line, derived, shape
        self.dtype = "bool" if op is not None and op.is_comparison else dtype

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

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the instructions."""
        return beginning(str(self))


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
        if node.op is identity and not since and node.label is None:  # stands in for its input
            made[node] = made[node.parents[0]]
            continue
        args = []
        for arg, read in zip(node.inputs, node._residuals(), strict=True):
            if not isinstance(arg, Node):
                code.append(Instruction(None, (), read) if type(read) is float else _constant(read))
            args.append(made[arg] if isinstance(arg, Node) else code[-1])
        made[node] = _instruction(node, node._data if node.op is None and since else None, tuple(args))
        if node.op is not None or since:
            code.append(made[node])
    return made, code


def _instruction(node: Node, value: Any = None, args: tuple[Instruction, ...] = ()) -> Instruction:
    data = node._data
    dtype, shape = _type_of(data) if isinstance(data, np.ndarray) else ("f64", ())
    line = getattr(node, "_line", None) or line_of(node)
    return Instruction(
        node.op if args else None, args, value, node.label, line, getattr(node, "_derived", False), dtype, shape
    )


def _constant(value: Any) -> Instruction:
    value = np.asarray(value) if isinstance(value, np.generic) else value
    dtype, shape = _type_of(value)
    return Instruction(None, value=value, dtype=dtype, shape=shape)


def _type_of(x: Any) -> tuple[str, tuple[int, ...]]:
    if not isinstance(x, np.ndarray):
        return "f64", ()
    return "bool" if x.dtype.kind == "b" else f"{x.dtype.kind}{8 * x.itemsize}", x.shape


# ---- The program of a graph


def program_of(outputs: Sequence[Any], inputs: Sequence[Node] = ()) -> Program:
    """The program of these outputs, nodes and constants; all `inputs` are its inputs, and other leaves that it needs."""
    made, code = instructions([x for x in outputs if isinstance(x, Node)], inputs)
    found = [made[x] if isinstance(x, Node) else _constant(x) for x in outputs]
    needed = set(found)
    for instruction in reversed(code):
        if instruction in needed:
            needed.update(instruction.args)
    given = set(inputs)
    leaves = [x for node, x in made.items() if node in given or (node.op is None and x in needed)]
    constants = [x for x in found if x.op is None and x.value is not None]
    return Program(leaves, constants + [x for x in code if x in needed], found)


def has_arrays(program: Program) -> bool:
    """Whether anything in it is an array, and not a single number."""
    return any(x.shape or isinstance(x.value, np.ndarray) for x in (*program.inputs, *program.code))


def uniform_instructions(program: Program, inputs: Sequence[bool]) -> dict[Instruction, bool]:
    """Whether each instruction is uniform, the same in all lanes of a batch, given which inputs are."""
    uniform = dict(zip(program.inputs, inputs, strict=True))
    for instruction in program.code:
        uniform[instruction] = all(map(uniform.__getitem__, instruction.args))
    return uniform


def float_bits(value: float) -> bytes:
    """The bits of a float, which tell 0 from -0, and call a nan the same as itself."""
    return struct.pack("<d", value)


def number(value: Any) -> str:
    """A constant, as short as it can be said exactly; an array by its dtype and shape."""
    if isinstance(value, np.ndarray):
        if value.ndim:
            dtype, shape = _type_of(value)
            return f"{dtype}[{','.join(map(str, shape))}]"
        value = value.item()
    text = repr(value)
    return text.removesuffix(".0") if text.endswith(".0") and len(text) > 2 else text


def _lines(program: Program) -> Iterator[str]:
    names: dict[Instruction, str] = {}
    used: set[str] = set()
    taken = {instruction.label for instruction in program.inputs}
    fresh = filterfalse(taken.__contains__, map("v{}".format, count()))
    for instruction in [*program.inputs, *program.code]:
        if instruction.op is None and instruction.value is not None:
            names[instruction] = number(instruction.value)
        elif instruction.op is None:
            name = " ".join((instruction.label or f"x{len(names)}").split())
            names[instruction] = name if name not in used else f"{name}_{len(names)}"
            used.add(names[instruction])
        else:
            names[instruction] = next(fresh)
    if program.inputs:
        types = {x: "" if x.type == "f64" else f": {x.type}" for x in program.inputs}
        yield f"inputs: {', '.join(names[x] + types[x] for x in program.inputs)}"
    for instruction in program.code:
        if instruction.op is None:
            continue
        text = f"{names[instruction]}: {instruction.type} = {instruction.op.name} " + ", ".join(
            [*(names[arg] for arg in instruction.args), *assignments(instruction.op.settings)]
        )
        remark = _remark(instruction)
        yield f"{text:<44}  # {remark}" if remark else text
    for guard in program.guards:
        text = f"guard {names[guard.condition]} is {guard.outcome}"
        yield f"{text:<44}  # {short_line(guard.line)}" if guard.line else text
    yield f"return {', '.join(names[instruction] for instruction in program.outputs)}"


def _remark(instruction: Instruction) -> str:
    origin = f"{'∂ ' if instruction.derived else ''}{short_line(instruction.line)}" if instruction.line else ""
    return ", ".join(filter(None, [" ".join((instruction.label or "").split()), origin]))


def short_line(line: Line | None) -> str:
    """A line of the user's code in few characters."""
    return f"{os.path.basename(line[0])}:{line[1]}" if line else ""
