"""`lower`: a program in the few operations that every back end has."""

from __future__ import annotations

from collections.abc import Callable

from autograd import elementwise as e
from autograd.backprop import unleaked
from autograd.compiler.program import COMPARISONS, Instruction, Program
from autograd.compiler.simplify import Builder, rewrite
from autograd.graph import Primitive

fmod = e.fmod

# What every back end has: arithmetic, comparisons, choice, and the functions of C's libm.
MACHINE = {
    e.neg, e.add, e.sub, e.mul, e.div, e.absolute, e.sqrt, e.floor, e.ceil, e.where, *COMPARISONS,
    e.exp, e.expm1, e.log, e.log1p, e.log2, e.log10, e.cbrt, e.power, e.hypot, fmod, e.erf, e.erfc,
    e.sin, e.cos, e.tan, e.asin, e.acos, e.atan, e.atan2,
    e.sinh, e.cosh, e.tanh, e.asinh, e.acosh, e.atanh,
}  # fmt: skip


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

    return rewrite(program, each)


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


def _cosine(f: Emit, x: Instruction, y: Instruction) -> Instruction:
    length = f(e.hypot, x, y)
    return f(e.where, f(e.differs, length, 0.0), f(e.div, x, length), 0.0)


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
    e.ratio: lambda f, x, y: f(e.where, f(e.differs, y, 0.0), f(e.div, x, y), 0.0),
    e.cosine: _cosine,
    e.cosquare: lambda f, x: f(e.mul, f(e.sub, 1.0, x), f(e.add, 1.0, x)),
    e.step: lambda f, x: f(e.where, f(e.greater, x, 0.0), 1.0, 0.0),
    e.finite: lambda f, x: f(e.where, f(e.equals, f(e.sub, x, x), 0.0), 1.0, 0.0),
    unleaked: lambda f, g, share, x: f(e.where, f(e.equals, g, 0.0), f(e.where, f(e.differs, share, share), 0.0, x), x),
}

KNOWN = MACHINE | set(LOWERED) | {e.identity, e.square}  # what is not a user's own
