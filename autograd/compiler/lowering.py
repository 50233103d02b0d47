"""Lowering: a program in the few operations that every back end has."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from typing import Any

import numpy as np

from autograd import elementwise as e
from autograd import modes
from autograd.compiler.program import Instruction, Program
from autograd.compiler.simplify import Builder, is_comparison, rewrite
from autograd.compiler.tracer import Tracer
from autograd.graph import Primitive


def is_opaque(op: Primitive) -> bool:
    """Whether no back end can make it of what it has: an operation of the user's own on plain numbers."""
    return op.body is None and not op.c and not op.infix


def lower(program: Program, exact: bool = True, arrays: bool = False) -> Program:
    """The same program in operations of machines (and opaque ones), with numbers and booleans told apart: only `where`
    and guards take a boolean, and nothing else does. Unless `exact`, with plain products. One of `arrays` keeps what
    NumPy has a function for."""
    lowering = _Lowering(_Verbatim(program.inputs) if arrays else Builder(program.inputs), exact, arrays)
    with modes.recording(True):  # for operators to ask the operands' kind
        return rewrite(program, lowering.each, lowering.builder)


class _Operand(Tracer):
    """An instruction, as a body computes with it: each operation becomes an instruction."""

    __slots__ = ("instruction", "lowering")

    def __init__(self, instruction: Instruction, lowering: _Lowering) -> None:
        super().__init__(None, 0.0)
        self.instruction, self.lowering = instruction, lowering

    @classmethod
    def _record(cls, op: Primitive, args: Any) -> _Operand:
        return next(x for x in args if isinstance(x, cls)).lowering.record(op, args)

    def _compared(self, compare: Any, op: Primitive, x: Any, y: Any) -> Any:
        return self.lowering.record(op, (x, y))

    def __bool__(self) -> bool:
        raise TypeError("the body of an operation branches on a number: choose with ag.where")


class _Verbatim(Builder):
    """Makes a program as it is told to: of arrays, nothing is reduced or shared."""

    def constant(self, value: Any) -> Instruction:
        self.code.append(Instruction(None, value=value))
        return self.code[-1]

    def emit(self, op: Primitive, *args: Instruction | float, like: Instruction | None = None) -> Instruction:
        like = self._like = like or self._like
        operands = tuple(arg if isinstance(arg, Instruction) else self.constant(arg) for arg in args)
        made = Instruction(op, operands, None, like.label, like.line, like.derived, like.dtype, like.shape)
        self.code.append(made)
        return made


class _Lowering:
    """The lowering of one operation after the other, by their bodies."""

    def __init__(self, builder: Builder, exact: bool, arrays: bool) -> None:
        self.builder, self.arrays = builder, arrays
        self.replaced = {} if exact else PLAIN
        self.like: Instruction | None = None

    def each(self, op: Primitive, *args: Instruction, like: Instruction | None) -> Instruction:
        """`op` of `args`, lowered; it stands for what `like` did."""
        builder, self.like = self.builder, like
        op = self.replaced.get(op, op)
        if op.body is not None and not (self.arrays and isinstance(op.array, np.ufunc)):
            return self._instruction(op.body(*[_Operand(arg, self) for arg in args]))
        numbers = [builder.emit(e.where, x, 1.0, 0.0) if is_comparison(x) else x for x in args]
        if op is e.where:
            condition = args[0] if is_comparison(args[0]) else builder.emit(e.not_equal, args[0], 0.0)
            return builder.emit(e.where, condition, *numbers[1:], like=like)
        return builder.emit(op, *numbers, like=like)

    def record(self, op: Primitive, args: Any) -> _Operand:
        return _Operand(self.each(op, *map(self._instruction, args), like=self.like), self)

    def _instruction(self, x: Any) -> Instruction:
        return x.instruction if isinstance(x, _Operand) else self.builder.constant(x)


# ---- Products of the chain rule, in which an outer factor of zero gives zero


def is_strong(operations: Container[Primitive]) -> bool:
    """Whether there are products in which a cotangent of zero might meet infinity."""
    return e.times in operations or e.quotient in operations


# A mask that leaves the nan to be seen, in place of one that knows what zero has won.
nan_mask = Primitive(
    "nan_mask",
    lambda x, y: 1.0 if x * y == x * y else math.nan,
    lambda x, y: np.where(np.isnan(x * y), np.nan, 1.0),
    None,
    None,
    elementwise=True,
    body=lambda x, y: e.where(x * y == x * y, 1.0, x * y),
)
MASKS = (e.strong_mask, nan_mask)  # 1 where products are as in mathematics
PLAIN = {e.times: e.mul, e.quotient: e.div, e.strong_mask: nan_mask}


def with_plain_products(program: Program) -> Program:
    """The program with plain products: it is faster, and gives nan where a zero meets infinity."""
    builder = Builder(program.inputs)
    return rewrite(program, lambda op, *args, like: builder.emit(PLAIN.get(op, op), *args, like=like), builder)


def hides_nan(program: Program) -> bool:
    """Whether a nan that a plain product gives in place of zero could become a number, and go unnoticed."""
    tainted: set[Instruction] = set()
    for instruction in program.code:
        op, reached = instruction.op, not tainted.isdisjoint(instruction.args)
        if op is None or not (reached or op is e.times or op is e.quotient):
            continue
        selects = op is e.strong_mask or (op is e.where and instruction.args[0] not in tainted)
        if reached and not selects and (op is e.where or op.hides_nan or is_opaque(op)):
            return True
        tainted.add(instruction)
    return False


def with_guards(program: Program, reduced: Sequence[bool]) -> Program:
    """The program with one more output in place of its guards: 1 where they all hold, else 0. Where they do not, the
    `reduced` outputs, which are to be summed, are zero."""
    if not program.guards:
        return program
    builder = Builder(program.inputs)
    builder.code += program.code
    holds = builder.constant(1.0)
    for guard in program.guards:
        boolean = builder.emit(e.not_equal, guard.condition, 0.0)
        holds = builder.emit(e.where, boolean, *((holds, 0.0) if guard.outcome else (0.0, holds)))
    boolean = builder.emit(e.not_equal, holds, 0.0)
    outputs = [
        builder.emit(e.where, boolean, output, 0.0) if reduce else output
        for output, reduce in zip(program.outputs, reduced, strict=True)
    ]
    return builder.finish([*outputs, holds], [])
