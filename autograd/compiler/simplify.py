"""`simplify`: the same program in fewer instructions, to the last bit; `lower`: in the few operations of a machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import elementwise as e
from autograd.backprop import unleaked
from autograd.compiler.program import COMPARISONS, Guard, Instruction, Program, key
from autograd.graph import Primitive

COMMUTATIVE = {e.add, e.mul, e.equals, e.differs}
NEVER_MINUS_ZERO = {e.absolute, e.square, e.exp, e.sigmoid, e.softplus, e.relu, e.cosh, e.step, e.wins, e.finite,
                    e.hypot, *COMPARISONS}  # fmt: skip

fmod = Primitive("fmod", e.ieee(math.fmod, np.fmod), np.fmod, None, None)

# What every back end has: arithmetic, comparisons, choice, and the functions of C's libm.
MACHINE = {
    e.neg, e.add, e.sub, e.mul, e.div, e.absolute, e.sqrt, e.floor, e.ceil, e.where, *COMPARISONS,
    e.exp, e.expm1, e.log, e.log1p, e.log2, e.log10, e.cbrt, e.power, e.hypot, fmod, e.erf,
    e.sin, e.cos, e.tan, e.asin, e.acos, e.atan, e.atan2,
    e.sinh, e.cosh, e.tanh, e.asinh, e.acosh, e.atanh,
}  # fmt: skip


class Builder:
    """Makes a program in which no instruction is there twice, none without need, and constants are folded."""

    def __init__(self, inputs: list[Instruction]) -> None:
        self.inputs = inputs
        self.code: list[Instruction] = []
        self._known: dict[Any, Instruction] = {}
        self._like: Instruction | None = None

    def constant(self, value: float) -> Instruction:
        """The constant `value`."""
        known = self._known.get(key(value))
        if known is None:
            known = self._known[key(value)] = Instruction(None, value=value)
            self.code.append(known)
        return known

    def emit(self, op: Primitive, *args: Instruction | float, like: Instruction | None = None) -> Instruction:
        """`op` of `args`: a simpler equal, one that is there already, or a new one that stands for what `like` did."""
        like = self._like = like or self._like
        operands = tuple(arg if isinstance(arg, Instruction) else self.constant(arg) for arg in args)
        if op.scalar is not None and op is not e.where and all(arg.value is not None for arg in operands):
            return self.constant(float(op.scalar(*(arg.value for arg in operands))))
        if rule := RULES.get(op):
            simpler = rule(self, *operands)
            if simpler is not None:
                if like is not None and simpler.label is None and simpler.op is not None:
                    simpler.label = like.label
                return simpler
        identity: Any = (op, *operands)
        if op in COMMUTATIVE:
            identity = (op, frozenset(operands))
        known = self._known.get(identity)
        if known is None:
            known = Instruction(op, operands)
            if like is not None:
                known.label, known.line, known.derived = like.label, like.line, like.derived
            self._known[identity] = known
            self.code.append(known)
        elif like is not None and known.label is None:
            known.label = like.label
        return known

    def finish(self, outputs: list[Instruction], guards: list[Guard]) -> Program:
        """The program of what these need."""
        needed = {*outputs, *(guard.condition for guard in guards)}
        for instruction in reversed(self.code):
            if instruction in needed:
                needed.update(instruction.args)
        code = [instruction for instruction in self.code if instruction in needed]
        return Program(self.inputs, code, outputs, guards)


def simplify(program: Program) -> Program:
    """The same results, bit for bit, in fewer instructions: constants are folded, what is common is shared, what
    nobody needs goes, and so does algebra that changes nothing (x * 1, x - 0, x / 2 as x * 0.5, -(-x))."""
    return _rewrite(program, lambda builder, op, args, like: builder.emit(op, *args, like=like))


def lower(program: Program) -> Program:
    """The same program in operations of `MACHINE` (and the user's own), with numbers and truths told apart: only
    `where` and guards take a truth, and nothing else does."""

    def number(builder: Builder, x: Instruction) -> Instruction:
        return builder.emit(e.where, x, 1.0, 0.0) if x.op in COMPARISONS else x

    def each(builder: Builder, op: Primitive, args: tuple[Instruction, ...], like: Instruction) -> Instruction:
        if op is e.where:
            condition, x, y = args
            if condition.op not in COMPARISONS:
                condition = builder.emit(e.differs, condition, 0.0)
            x, y = number(builder, x), number(builder, y)
            return builder.emit(e.where, condition, x, y, like=like)
        args = tuple(number(builder, arg) for arg in args)
        if op in LOWERED:
            return LOWERED[op](lambda op, *xs: builder.emit(op, *xs, like=like), *args)
        return builder.emit(op, *args, like=like)

    return _rewrite(program, each)


def _rewrite(program: Program, each: Callable[[Builder, Primitive, Any, Instruction], Instruction]) -> Program:
    builder = Builder(program.inputs)
    new: dict[Instruction, Instruction] = {instruction: instruction for instruction in program.inputs}
    for instruction in program.code:
        if instruction.op is None:
            new[instruction] = builder.constant(instruction.value)  # type: ignore[arg-type]  # inputs are not in code
        else:
            new[instruction] = each(builder, instruction.op, tuple(new[arg] for arg in instruction.args), instruction)
    guards = [
        Guard(new[guard.condition], guard.outcome, guard.line)
        for guard in program.guards
        if new[guard.condition].value is None
    ]
    return builder.finish([new[output] for output in program.outputs], guards)


# ---- Algebra that changes no bit (the sign and the payload of a nan apart)


def _is(x: Instruction, value: float) -> bool:
    return x.value is not None and key(x.value) == key(value)


def _never_minus_zero(x: Instruction) -> bool:
    if x.value is not None:
        return key(x.value) != key(-0.0)
    return x.op in NEVER_MINUS_ZERO or (x.op is e.add and any(map(_never_minus_zero_leaf, x.args)))


def _never_minus_zero_leaf(x: Instruction) -> bool:
    return key(x.value) != key(-0.0) if x.value is not None else x.op in NEVER_MINUS_ZERO


def _add(b: Builder, x: Instruction, y: Instruction) -> Instruction | None:
    for u, v in ((x, y), (y, x)):
        if _is(u, -0.0) or (_is(u, 0.0) and _never_minus_zero(v)):
            return v
        if u.op is e.neg:
            return b.emit(e.sub, v, u.args[0])
    return None


def _sub(b: Builder, x: Instruction, y: Instruction) -> Instruction | None:
    if _is(y, 0.0):
        return x
    if _is(x, -0.0):
        return b.emit(e.neg, y)
    return b.emit(e.add, x, y.args[0]) if y.op is e.neg else None


def _mul(b: Builder, x: Instruction, y: Instruction) -> Instruction | None:
    for u, v in ((x, y), (y, x)):
        if _is(u, 1.0):
            return v
        if _is(u, -1.0):
            return b.emit(e.neg, v)
        if u.op is e.neg:
            return b.emit(e.neg, b.emit(e.mul, u.args[0], v))
    return None


def _div(b: Builder, x: Instruction, y: Instruction) -> Instruction | None:
    if (
        y.value is not None
        and y.value
        and math.frexp(y.value)[0] in (0.5, -0.5)
        and 2.0**-1000 < abs(y.value) < 2.0**1000
    ):
        return b.emit(e.mul, x, 1.0 / y.value)  # exact, for a power of two
    for u, other in ((x, y), (y, x)):
        if u.op is e.neg:
            inner = (u.args[0], other) if u is x else (other, u.args[0])
            return b.emit(e.neg, b.emit(e.div, *inner))
    return None


def _power(b: Builder, x: Instruction, y: Instruction) -> Instruction | None:
    if _is(y, 2.0):
        return b.emit(e.mul, x, x)
    return x if _is(y, 1.0) else b.constant(1.0) if y.value == 0.0 else None


def _where(b: Builder, condition: Instruction, x: Instruction, y: Instruction) -> Instruction | None:
    if condition.value is not None:
        return x if condition.value else y  # a nan is true, as in Python
    if x is y:
        return x
    if condition.op is e.differs and _is(condition.args[1], 0.0) and condition.args[0].op in COMPARISONS:
        return b.emit(e.where, condition.args[0], x, y)
    return None


def _differs(b: Builder, x: Instruction, y: Instruction) -> Instruction | None:
    """(x ? 1 : 0) != 0 is x."""
    for u, v in ((x, y), (y, x)):
        if _is(v, 0.0):
            if u.op in COMPARISONS:
                return u
            if u.op is e.where and _is(u.args[1], 1.0) and _is(u.args[2], 0.0) and u.args[0].op in COMPARISONS:
                return u.args[0]
    return None


def _unleaked(b: Builder, g: Instruction, share: Instruction, x: Instruction) -> Instruction | None:
    """x itself, where `share` cannot be 0 * inf: g alone, or times a finite number, or chosen, or what is marked so."""
    finite = share.value is not None and math.isfinite(share.value)
    if g.value or finite or share is g:
        return x
    args = share.args
    times = share.op is e.mul and any(args[k] is g and math.isfinite(args[1 - k].value or math.inf) for k in (0, 1))
    chosen = share.op is e.where and all(arg is g or arg.value == 0.0 for arg in args[1:])
    marked = share.op is unleaked and args[2] is g
    return x if times or chosen or marked or (share.op is e.neg and args[0] is g) else None


RULES: dict[Primitive, Callable[..., Instruction | None]] = {
    e.identity: lambda b, x: x,
    e.square: lambda b, x: b.emit(e.mul, x, x),
    e.neg: lambda b, x: x.args[0] if x.op is e.neg else None,
    e.absolute: lambda b, x: b.emit(e.absolute, x.args[0]) if x.op is e.neg else None,
    e.add: _add,
    e.sub: _sub,
    e.mul: _mul,
    e.div: _div,
    e.power: _power,
    e.where: _where,
    e.differs: _differs,
    unleaked: _unleaked,
}


# ---- What is not in MACHINE, in terms of it: `f(op, ...)` is an instruction. Each is what the float forward computes.

Emit = Callable[..., Instruction]


def _sigmoid(f: Emit, x: Instruction) -> Instruction:
    small = f(e.exp, f(e.neg, f(e.absolute, x)))
    return f(e.div, f(e.where, f(e.at_least, x, 0.0), 1.0, small), f(e.add, 1.0, small))


def _softplus(f: Emit, x: Instruction) -> Instruction:
    return f(e.add, _relu(f, x), f(e.log1p, f(e.exp, f(e.neg, f(e.absolute, x)))))


def _relu(f: Emit, x: Instruction) -> Instruction:
    return f(e.where, f(e.at_least, 0.0, x), 0.0, x)


def _sign(f: Emit, x: Instruction) -> Instruction:
    below = f(e.where, f(e.greater, 0.0, x), -1.0, f(e.where, f(e.equals, x, 0.0), 0.0, x))
    return f(e.where, f(e.greater, x, 0.0), 1.0, below)


def _maximum(f: Emit, x: Instruction, y: Instruction) -> Instruction:
    return f(e.where, f(e.at_least, x, y), x, f(e.where, f(e.differs, x, x), x, y))


def _minimum(f: Emit, x: Instruction, y: Instruction) -> Instruction:
    return f(e.where, f(e.at_least, y, x), x, f(e.where, f(e.differs, x, x), x, y))


def _wins(f: Emit, x: Instruction, y: Instruction) -> Instruction:
    return f(e.where, f(e.greater, x, y), 1.0, f(e.where, f(e.equals, x, y), 0.5, 0.0))


def _mod(f: Emit, x: Instruction, y: Instruction) -> Instruction:
    """C's remainder has the sign of x; Python's has that of y."""
    rest = f(fmod, x, y)
    zero = f(e.where, f(e.greater, 0.0, y), -0.0, 0.0)
    return f(e.where, f(e.differs, rest, 0.0), f(e.where, _opposed(f, rest, y), f(e.add, rest, y), rest), zero)


def _floordiv(f: Emit, x: Instruction, y: Instruction) -> Instruction:
    """As Python has it: from the remainder, so that x == y * (x // y) + x % y as nearly as can be."""
    rest = f(fmod, x, y)
    exact = f(e.div, f(e.sub, x, rest), y)
    exact = f(e.where, _opposed(f, rest, y), f(e.sub, exact, 1.0), exact)
    down = f(e.floor, exact)
    down = f(e.where, f(e.greater, f(e.sub, exact, down), 0.5), f(e.add, down, 1.0), down)
    ratio = f(e.div, x, y)
    zero = f(e.where, f(e.equals, ratio, 0.0), ratio, f(e.where, f(e.greater, 0.0, ratio), -0.0, 0.0))
    down = f(e.where, f(e.differs, exact, 0.0), down, zero)
    return f(e.where, f(e.equals, y, 0.0), ratio, down)


def _opposed(f: Emit, rest: Instruction, y: Instruction) -> Instruction:
    """Whether `rest`, where it is not zero, has another sign than y."""
    one = f(e.where, f(e.greater, 0.0, rest), 1.0, 0.0)
    other = f(e.where, f(e.greater, 0.0, y), 1.0, 0.0)
    rest_counts = f(e.where, f(e.differs, rest, 0.0), one, other)
    return f(e.differs, rest_counts, other)


LOWERED: dict[Primitive, Callable[..., Instruction]] = {
    e.sigmoid: _sigmoid,
    e.softplus: _softplus,
    e.relu: _relu,
    e.sign: _sign,
    e.maximum: _maximum,
    e.minimum: _minimum,
    e.wins: _wins,
    e.mod: _mod,
    e.floordiv: _floordiv,
    e.step: lambda f, x: f(e.where, f(e.greater, x, 0.0), 1.0, 0.0),
    e.finite: lambda f, x: f(e.where, f(e.equals, f(e.sub, x, x), 0.0), 1.0, 0.0),
    unleaked: lambda f, g, share, x: f(e.where, f(e.equals, g, 0.0), f(e.where, f(e.differs, share, share), 0.0, x), x),
}


# ---- Guards and leaks


def is_marked(program: Program) -> bool:
    """Whether it tells where a cotangent of zero might meet infinity."""
    return any(instruction.op is unleaked for instruction in program.code)


def unmarked(program: Program) -> Program:
    """The program without these marks: it is faster, and its derivatives are nan where there is such a meeting."""

    def each(builder: Builder, op: Primitive, args: tuple[Instruction, ...], like: Instruction) -> Instruction:
        if op is not unleaked:
            return builder.emit(op, *args, like=like)
        _, share, x = args
        if share is x:
            return x
        return builder.emit(e.where, builder.emit(e.equals, share, share), x, share, like=like)  # nan where share is

    return _rewrite(program, each)


def with_guards(program: Program, folded: Sequence[bool]) -> Program:
    """The program with one more output in place of its guards: 1 where they all hold, else 0. Where they do not, the
    `folded` outputs, which are to be summed, are zero."""
    builder = Builder(program.inputs)
    builder.code += program.code
    holds: Instruction | None = None
    for guard in program.guards:
        truth = builder.emit(e.differs, guard.condition, 0.0)
        number = builder.emit(e.where, truth, *((1.0, 0.0) if guard.outcome else (0.0, 1.0)))
        holds = number if holds is None else builder.emit(e.where, builder.emit(e.differs, holds, 0.0), number, 0.0)
    if holds is None:
        return program
    truth = builder.emit(e.differs, holds, 0.0)
    outputs = [
        builder.emit(e.where, truth, output, 0.0) if fold else output
        for output, fold in zip(program.outputs, folded, strict=True)
    ]
    return builder.finish([*outputs, holds], [])


KNOWN = MACHINE | set(LOWERED) | {e.identity, e.square}
LAUNDERS = {e.step, e.wins, e.finite, e.power, e.hypot, *COMPARISONS}  # of a nan they make a number


def launders(program: Program) -> bool:
    """Whether a nan that is there only for want of marks (0 * inf) could be turned into a number, and go unnoticed."""
    tainted: set[Instruction] = set()
    for instruction in program.code:
        if instruction.op is unleaked:
            tainted.add(instruction)
        elif not tainted.isdisjoint(instruction.args):
            tainted.add(instruction)
            if instruction.op is e.where:
                if instruction.args[0] in tainted:
                    return True
            elif instruction.op in LAUNDERS or instruction.op not in KNOWN:
                return True
    return False
