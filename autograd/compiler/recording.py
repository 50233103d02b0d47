"""`Tape`: a function is run once, and every operation on scalars becomes a line of a program."""

from __future__ import annotations

import numbers
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd import graph
from autograd.arguments import as_float
from autograd.compiler.program import Guard, Instruction, Program
from autograd.compiler.recorded import CompileError, Condition, Recorded, describe_here
from autograd.extending import UserPrimitive
from autograd.frames import Line, user_line
from autograd.graph import Node, Primitive, birth
from autograd.many import MANY
from autograd.operators import boxed
from autograd.value import Value

MOST_INSTRUCTIONS = 3_000_000
MOST_DECISIONS = 10_000  # of one line of the user's code

_GATHERS = set(MANY.values())


class Tape:
    """What takes over operations on scalars while a function is recorded.

    `captured` are the Values that the function reached by itself, whose numbers are read at each call.
    """

    def __init__(self) -> None:
        self.inputs: list[Instruction] = []
        self.captured: dict[Value, Instruction] = {}
        self.code: list[Instruction] = []
        self.guards: list[Guard] = []
        self.since = birth()
        self._decisions: Counter[Line | None] = Counter()
        self._decided: set[Instruction] = set()
        self._deriving = False
        self._visited: Line | None = None

    def input(self, label: str, example: float) -> Recorded:
        """A new input, which was `example` when recorded."""
        instruction = Instruction(None, label=label)
        instruction.example = example
        self.inputs.append(instruction)
        return Recorded(instruction)

    def program(self, outputs: list[Instruction]) -> Program:
        """What was recorded, with the captured values as its last inputs."""
        constants = {
            arg: None
            for instruction in self.code
            for arg in instruction.args
            if arg.op is None and arg.value is not None
        } | {output: None for output in outputs if output.op is None and output.value is not None}
        return Program([*self.inputs, *self.captured.values()], [*constants, *self.code], outputs, self.guards)

    def output(self, x: Any) -> Instruction | None:
        """The instruction whose result `x` is; None if it is no scalar."""
        return self._read(x) if isinstance(x, (float, int, np.number, np.bool_, Value)) else None

    # ---- The tracer's part

    def record(self, op: Primitive, args: tuple[Any, ...]) -> Any:
        if any(isinstance(arg, np.ndarray) and arg.ndim for arg in args) and op.scalar is not None:
            return np.frompyfunc(lambda *xs: self.record(op, xs), len(args), 1)(*map(boxed, args))
        reads = [self._read(arg) for arg in args]
        if op.scalar is None or None in reads:
            kinds = ", ".join(type(arg).__name__ for arg in args)
            raise CompileError(
                f"{describe_here()}: {op.name} of {kinds} is an operation on arrays; ag.compile records scalars: "
                "write it with numbers, lists and object arrays (x[i], loops, w @ x, ag.sum, ag.dot)"
            )
        instruction = self._inlined(op, args) or self._emit(op, reads)  # type: ignore[arg-type]  # None was refused
        node = (Condition if instruction.type == "bool" else Recorded)(instruction)
        if graph.is_recording():
            node.op = op
            parents = [arg if isinstance(arg, Node) else None for arg in args]
            raws = [arg.raw if isinstance(arg, Node) else float(arg) for arg in args]
            if op.flat:
                node.left, node.right = parents if len(parents) == 2 else (parents[0], None)
                node.a, node.b = raws if len(raws) == 2 else (raws[0], None)
            else:
                node.left, node.a = args, tuple(raws)
        return node

    def compare(self, op: Primitive, x: Any, y: Any) -> Any:
        if any(isinstance(arg, np.ndarray) and arg.ndim for arg in (x, y)):
            return np.frompyfunc(lambda x, y: self.compare(op, x, y), 2, 1)(boxed(x), boxed(y))
        for arg in (x, y):
            if isinstance(arg, numbers.Number) and not isinstance(arg, (float, int, np.number, np.bool_)):
                raise CompileError(
                    f"{describe_here()}: a value is compared with the {type(arg).__name__} {arg!r}: write float({arg!r})"
                )
            if isinstance(arg, Node) and not isinstance(arg, Value):
                raise CompileError(f"{describe_here()}: a value is compared with {arg!r}: index its elements")
            if not isinstance(arg, (Value, float, int, np.number, np.bool_, np.ndarray)):
                return NotImplemented
        return Condition(self._emit(op, [self.known(x), self.known(y)]))

    @contextmanager
    def differentiating(self) -> Iterator[None]:
        outer = self._deriving, self._visited
        self._deriving, self._visited = True, None
        try:
            yield
        finally:
            self._deriving, self._visited = outer

    def visit(self, node: Node) -> None:
        self._visited = node.raw.line if isinstance(node, Recorded) else None

    def decide(self, condition: Recorded) -> bool:
        """What the condition was when recorded; from here on, the program holds only where it is the same."""
        instruction = condition.raw
        outcome = bool(instruction.example)
        if instruction not in self._decided:
            self._decided.add(instruction)
            line, _ = self._place()
            self._decisions[line] += 1
            if self._decisions[line] > MOST_DECISIONS:
                raise CompileError(
                    f"{describe_here()}: this was decided {MOST_DECISIONS:,} times in one recording: a `while` that "
                    "never settles? Bound it with `for`, or choose with ag.where"
                )
            self.guards.append(Guard(instruction, outcome, line))
        return outcome

    # ---- Instructions

    def _read(self, x: Any) -> Instruction | None:
        if isinstance(x, Recorded):
            return self._own(x)
        if isinstance(x, Value):
            if x.op is None and x.birth < self.since:  # made by the function, of a plain number
                return self._constant(x.raw)
            if x not in self.captured:
                self.captured[x] = instruction = Instruction(None, label=x.label or f"captured{len(self.captured)}")
                instruction.example = x.raw
            return self.captured[x]
        if isinstance(x, (float, int, np.number, np.bool_)) and not isinstance(x, np.complexfloating):
            return self._constant(as_float("a compiled function", x))
        if isinstance(x, np.ndarray) and x.ndim == 0:
            return self._read(x.item())
        return None

    def constant(self, value: float) -> Recorded:
        return Recorded(self._constant(float(value)))

    def known(self, x: Any) -> Instruction:
        """The instruction whose result `x`, a scalar, is."""
        instruction = self._read(x)
        assert instruction is not None
        return instruction

    def _own(self, x: Recorded) -> Instruction:
        if x.birth > self.since:
            raise CompileError(
                f"{describe_here()}: a value recorded in another run of ag.compile is used here: it has no number. A "
                "function that is compiled must hand on what it computes by returning it"
            )
        return x.raw  # type: ignore[no-any-return]  # slots are Any

    def _constant(self, value: float) -> Instruction:
        instruction = Instruction(None, value=value)
        instruction.example = value
        return instruction

    def _emit(self, op: Primitive, args: list[Instruction]) -> Instruction:
        if len(self.code) >= MOST_INSTRUCTIONS:
            raise CompileError(
                f"{describe_here()}: more than {MOST_INSTRUCTIONS:,} operations were recorded: a loop that never ends, "
                "or a program to write with arrays (ag.Tensor)"
            )
        line, derived = self._place()
        instruction = Instruction(op, tuple(args), None, None, line, derived)
        instruction.example = op.scalar(*[arg.example for arg in args])
        self.code.append(instruction)
        return instruction

    def _inlined(self, op: Primitive, args: tuple[Any, ...]) -> Instruction | None:
        """What an operation that is itself written in operations comes to, or None if it is not.

        The rules stay its own: nothing of the inside is differentiated.
        """
        if op not in _GATHERS and not isinstance(op, UserPrimitive):
            return None
        length = len(self.code)
        guards = len(self.guards)
        try:
            with graph.recording(False):
                return self.output(op.array(*args))
        except Exception:  # whatever a user's function raises: it calls a library, say, which takes numbers alone
            if op in _GATHERS:
                raise
        self._decided -= {guard.condition for guard in self.guards[guards:]}
        del self.code[length:], self.guards[guards:]
        return None

    def _place(self) -> tuple[Line | None, bool]:
        """The line of the user's code that is being run, or that of what is differentiated, and which of the two."""
        return (self._visited if self._deriving and self._visited else user_line()), self._deriving
