"""`simplify`: the same program in fewer instructions, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd import elementwise as e
from autograd.compiler.program import Guard, Instruction, Program, float_bits
from autograd.graph import Primitive

_NONE = Instruction(None)  # without a label and a line


class Builder:
    """The builder of a program: it folds constants, shares equal instructions and drops what no output needs."""

    def __init__(self, inputs: list[Instruction]) -> None:
        self.inputs = inputs
        self.code: list[Instruction] = []
        self._known: dict[Any, Instruction] = {}
        self._like = _NONE

    def constant(self, value: float) -> Instruction:
        """The constant `value`."""
        value = float(value)
        bits = float_bits(value)
        known = self._known.get(bits)
        if known is None:
            known = self._known[bits] = Instruction(None, value=value)
            self.code.append(known)
        return known

    def emit(self, op: Primitive, *args: Instruction | float, like: Instruction | None = None) -> Instruction:
        """`op` of `args`: a simpler equal, one that is there already, or a new one that stands for what `like` did."""
        like = self._like = like or self._like
        operands: list[Instruction] = []
        constants = []
        for arg in args:
            operand = arg if isinstance(arg, Instruction) else self.constant(arg)
            operands.append(operand)
            if operand.value is not None:
                constants.append(operand.value)
        if len(constants) == len(operands) and op.scalar is not None and op is not e.where:
            return self.constant(float(op.scalar(*constants)))
        simpler = None
        if constants and op.identity is not None:
            simpler = _without_identity(op, *operands)
        if simpler is None and (op.is_odd or op.is_even):
            simpler = _without_signs(self, op, operands)
        if simpler is None and (rule := RULES.get(op)):
            simpler = rule(self, *operands)
        if simpler is not None:
            if simpler.label is None and simpler.op is not None:
                simpler.label = like.label
            return simpler
        identity = (op, frozenset(operands) if op.commutes else tuple(operands))
        known = self._known.get(identity)
        if known is None:
            known = Instruction(op, tuple(operands), None, like.label, like.line, like.derived)
            self._known[identity] = known
            self.code.append(known)
        elif known.label is None:
            known.label = like.label
        return known

    def finish(self, outputs: list[Instruction], guards: list[Guard]) -> Program:
        """The program of what these outputs and guards need."""
        needed = {*outputs, *[guard.condition for guard in guards]}
        for instruction in reversed(self.code):
            if instruction in needed:
                needed.update(instruction.args)
        code = [instruction for instruction in self.code if instruction in needed]
        return Program(self.inputs, code, outputs, guards)


def simplify(program: Program) -> Program:
    """The same results, bit for bit, in fewer instructions: constants are folded, what is common is shared, what
    nobody needs goes, and so does algebra that changes nothing (x * 1, x - 0, x / 2 as x * 0.5, -(-x))."""
    builder = Builder(program.inputs)
    return rewrite(program, builder.emit, builder)


def rewrite(program: Program, each: Callable[..., Instruction], builder: Builder) -> Program:
    """The program with each operation as `each(op, *args, like=instruction)` makes it, in this builder."""
    new: dict[Instruction, Instruction] = {instruction: instruction for instruction in program.inputs}
    for instruction in program.code:
        if instruction.op is None:
            new[instruction] = builder.constant(instruction.value)
        else:
            new[instruction] = each(instruction.op, *map(new.__getitem__, instruction.args), like=instruction)
    guards = [
        Guard(new[guard.condition], guard.outcome, guard.line)
        for guard in program.guards
        if new[guard.condition].value is None
    ]
    return builder.finish([new[output] for output in program.outputs], guards)


# ---- Algebra that changes no bit (the sign and the payload of a nan apart)


def is_comparison(x: Instruction) -> bool:
    return x.op is not None and x.op.is_comparison


def _is(x: Instruction, value: Any) -> bool:
    """Whether it is this constant, of which the sign counts if it is zero."""
    return bool(x.value == value) and float_bits(x.value) == float_bits(value)


def _never_minus_zero(x: Instruction) -> bool:
    return _never_minus_zero_itself(x) or (x.op is e.add and any(map(_never_minus_zero_itself, x.args)))


def _never_minus_zero_itself(x: Instruction) -> bool:
    return x.value is not None and float_bits(x.value) != float_bits(-0.0) if x.op is None else x.op.never_minus_zero


def _without_identity(op: Primitive, x: Instruction, y: Instruction) -> Instruction | None:
    """The other operand, if one changes nothing."""
    if _is(y, op.identity):
        return x
    return y if op.commutes and _is(x, op.identity) else None


def _without_signs(b: Builder, op: Primitive, args: Sequence[Instruction]) -> Instruction | None:
    """An odd or even operation without a sign of an operand."""
    for i, x in enumerate(args):
        if x.op is e.neg:
            inner = b.emit(op, *args[:i], x.args[0], *args[i + 1 :])
            return inner if op.is_even else b.emit(e.neg, inner)
    return None


def _add(b: Builder, x: Instruction, y: Instruction) -> Instruction | None:
    for u, v in ((x, y), (y, x)):
        if u.value == 0.0 and _is(u, 0.0) and _never_minus_zero(v):
            return v
        if u.op is e.neg:
            return b.emit(e.sub, v, u.args[0])
    return None


def _sub(b: Builder, x: Instruction, y: Instruction) -> Instruction | None:
    if x.value == 0.0 and _is(x, -0.0):
        return b.emit(e.neg, y)
    return b.emit(e.add, x, y.args[0]) if y.op is e.neg else None


def _div(b: Builder, x: Instruction, y: Instruction) -> Instruction | None:
    if y.value and abs(math.frexp(y.value)[0]) == 0.5 and 2.0**-1000 < abs(y.value) < 2.0**1000:
        return b.emit(e.mul, x, 1.0 / y.value)  # exact, for a power of two
    return None


def _power(b: Builder, x: Instruction, y: Instruction) -> Instruction | None:
    if y.value == 2.0:
        return b.emit(e.mul, x, x)
    return x if y.value == 1.0 else b.constant(1.0) if y.value == 0.0 else None


def _where(b: Builder, condition: Instruction, x: Instruction, y: Instruction) -> Instruction | None:
    if condition.value is not None:
        return x if condition.value else y  # a nan is true, as in Python
    if x is y:
        return x
    if condition.op is e.not_equal and condition.args[1].value == 0.0 and is_comparison(condition.args[0]):
        return b.emit(e.where, condition.args[0], x, y)
    return None


def _differs(b: Builder, x: Instruction, y: Instruction) -> Instruction | None:
    """(x ? 1 : 0) != 0 is x."""
    for u, v in ((x, y), (y, x)):
        if v.value == 0.0:
            if is_comparison(u):
                return u
            if u.op is e.where and u.args[1].value == 1.0 and u.args[2].value == 0.0 and is_comparison(u.args[0]):
                return u.args[0]
    return None


def _times(b: Builder, x: Instruction, y: Instruction) -> Instruction | None:
    """A plain product, where neither can be infinite or nan while the outer factor is zero."""
    if x.value or (y.value is not None and math.isfinite(y.value)):
        return b.emit(e.mul, x, y)
    return None


RULES: dict[Primitive, Callable[..., Instruction | None]] = {
    e.identity: lambda b, x: x,
    e.stop_gradient: lambda b, x: x,
    e.square: lambda b, x: b.emit(e.mul, x, x),
    e.neg: lambda b, x: x.args[0] if x.op is e.neg else None,
    e.add: _add,
    e.sub: _sub,
    e.mul: lambda b, x, y: b.emit(e.neg, y) if x.value == -1.0 else b.emit(e.neg, x) if y.value == -1.0 else None,
    e.div: _div,
    e.power: _power,
    e.where: _where,
    e.not_equal: _differs,
    e.times: _times,
    e.quotient: lambda b, x, y: b.emit(e.div, x, y) if x.value or y.value else None,
}
