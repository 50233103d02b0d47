"""What stands in a program beside its results: guards, and marks where a cotangent of zero might meet infinity."""

from __future__ import annotations

from collections.abc import Sequence

from autograd import elementwise as e
from autograd.backprop import unleaked
from autograd.compiler.lowering import KNOWN
from autograd.compiler.program import COMPARISONS, Instruction, Program
from autograd.compiler.simplify import Builder, rewrite
from autograd.graph import Primitive


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

    return rewrite(program, each)


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
