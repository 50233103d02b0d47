"""`Trace`: one run of a function on tracers, which leaves the graph that is its program."""

from __future__ import annotations

import numbers
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from autograd import modes
from autograd.arguments import as_float
from autograd.compiler.errors import CompileError
from autograd.compiler.program import Guard, Program, instructions
from autograd.compiler.tracer import Condition, Tracer, describe_here
from autograd.custom import UserPrimitive
from autograd.elementwise import stop_gradient
from autograd.frames import Line, user_line
from autograd.graph import Node, Primitive, next_sequence_number
from autograd.numpy_protocol import as_object0d
from autograd.value import Value

MAX_OPERATIONS = 3_000_000
MAX_DECISIONS = 10_000  # of one line of the user's code


class Trace:
    """The interpreter of operations on scalars while a function is traced.

    `captured` are the Values that the function captures, whose numbers are read at each call; `count` is the number of
    operations.
    """

    def __init__(self) -> None:
        self.inputs: list[Tracer] = []
        self.captured: dict[Value, None] = {}
        self.guards: list[tuple[Tracer, bool, Line | None]] = []
        self.since = next_sequence_number()
        self.count = 0
        self._decisions: Counter[Line | None] = Counter()
        self._decided: set[Tracer] = set()
        self._differentiating = False
        self._visited: Line | None = None  # what is differentiated

    def input(self, label: str, example: float) -> Tracer:
        """A new input, whose number is `example` while the function is traced."""
        tracer = Tracer(None, example)
        tracer.label = label
        self.inputs.append(tracer)
        return tracer

    def program(self, outputs: Sequence[Any]) -> Program:
        """The program of these scalars, with the captured Values as its last inputs."""
        found = [x if isinstance(x, Node) else Value(x) for x in outputs]
        inputs = [*self.inputs, *self.captured]
        made, code = instructions([*found, *(condition for condition, _, _ in self.guards)], inputs, self.since)
        return Program(
            [made[node] for node in inputs],
            code,
            [made[node] for node in found],
            [Guard(made[condition], outcome, line) for condition, outcome, line in self.guards],
        )

    def output(self, x: Any) -> Value | float | None:
        """`x` as what `program` takes for an output; None if it is no scalar."""
        return self._operand(x) if isinstance(x, (float, int, np.number, np.bool_, Value)) else None

    # ---- Called by the engine (see `autograd.modes.Trace`)

    def record(self, op: Primitive, args: tuple[Any, ...]) -> Node | np.ndarray[Any, Any]:
        operands = []
        for arg in args:
            operand = arg if type(arg) is float else self._operand(arg)
            if operand is None or op.scalar is None:
                return self._record_arrays(op, args)
            operands.append(operand)
        if isinstance(op, UserPrimitive) and (inlined := self._inlined(op, operands)) is not None:
            return self._apply(_call_of(op), [inlined, *operands])
        return self._apply(op, operands)

    def _record_arrays(self, op: Primitive, args: tuple[Any, ...]) -> np.ndarray[Any, Any]:
        """`op` of each element; a CompileError if these are no arrays of scalars."""
        if op.scalar is not None and any(isinstance(arg, np.ndarray) and arg.ndim for arg in args):
            return np.frompyfunc(lambda *xs: self.record(op, xs), len(args), 1)(*map(as_object0d, args))  # type: ignore[no-any-return]  # an array of tracers
        kinds = ", ".join(type(arg).__name__ for arg in args)
        raise CompileError(
            f"{describe_here()}: {op.name} of {kinds} is an operation on arrays; ag.compile traces scalars: "
            "write it with numbers, lists and object arrays (x[i], loops, w @ x, ag.sum, ag.dot)"
        )

    def compare(self, op: Primitive, x: Any, y: Any) -> Node | np.ndarray[Any, Any]:
        if any(isinstance(arg, np.ndarray) and arg.ndim for arg in (x, y)):
            return np.frompyfunc(lambda x, y: self.compare(op, x, y), 2, 1)(as_object0d(x), as_object0d(y))  # type: ignore[no-any-return]  # an array of tracers
        for arg in (x, y):
            if isinstance(arg, numbers.Number) and not isinstance(arg, (float, int, np.number, np.bool_)):
                raise CompileError(
                    f"{describe_here()}: a value is compared with the {type(arg).__name__} {arg!r}: write float({arg!r})"
                )
            if isinstance(arg, Node) and not isinstance(arg, Value):
                raise CompileError(f"{describe_here()}: a value is compared with {arg!r}: index its elements")
            if not isinstance(arg, (Value, float, int, np.number, np.bool_, np.ndarray)):
                return NotImplemented  # type: ignore[no-any-return]  # which Python takes for no result
        return self._apply(op, [self._operand(x), self._operand(y)])

    def constant(self, value: float) -> Value:
        return Value(value)  # one that the function makes

    @contextmanager
    def differentiating(self) -> Iterator[None]:
        before = self._differentiating, self._visited
        self._differentiating, self._visited = True, None
        try:
            yield
        finally:
            self._differentiating, self._visited = before

    def visit(self, node: Node) -> None:
        self._visited = node._line if isinstance(node, Tracer) else None

    def decide(self, condition: Tracer) -> bool:
        """The outcome of a condition for the example. It becomes a guard: the program holds only where it is the same."""
        outcome = bool(condition._example)
        if condition not in self._decided:
            self._decided.add(condition)
            line = (self._differentiating and self._visited) or user_line()
            self._decisions[line] += 1
            if self._decisions[line] > MAX_DECISIONS:
                raise CompileError(
                    f"{describe_here()}: this was decided {MAX_DECISIONS:,} times in one trace: a `while` that "
                    "never settles? Bound it with `for`, or choose with ag.where"
                )
            self.guards.append((condition, outcome, line))
        return outcome

    # ---- Nodes

    def _operand(self, x: Any) -> Value | float | None:
        """`x`, a scalar, as an input of a tracer: a tracer, a float, or a Value from outside; else None."""
        if isinstance(x, Tracer):
            if x._sequence < self.since:
                raise CompileError(
                    f"{describe_here()}: a value traced in another run of ag.compile is used here: it has no number. "
                    "A function that is compiled must hand on what it computes by returning it"
                )
            return x
        if isinstance(x, Value):
            if x.op is not None or x._sequence < self.since:  # not made by the function, of a plain number
                self.captured.setdefault(x)
            return x
        if isinstance(x, (float, int, np.number, np.bool_)) and not isinstance(x, np.complexfloating):
            return as_float("a compiled function", x)
        if isinstance(x, np.ndarray) and x.ndim == 0:
            return self._operand(x.item())
        return None

    def _apply(self, op: Primitive, operands: list[Any]) -> Tracer:
        """The tracer of `op`, which a derivative sees unless nothing is recorded."""
        self.count += 1
        if self.count > MAX_OPERATIONS:
            raise CompileError(
                f"{describe_here()}: more than {MAX_OPERATIONS:,} operations were traced: a loop that never ends, "
                "or a program to write with arrays (ag.Tensor)"
            )
        kind = Condition if op.is_comparison else Tracer
        derived = self._differentiating
        line = (derived and self._visited) or user_line()
        examples = [x._example if isinstance(x, Tracer) else x._data if isinstance(x, Value) else x for x in operands]
        node = kind(op, op.scalar(*examples), operands, examples, line, derived)
        if modes.is_recording():
            return node
        return kind(stop_gradient, node._example, [node], [node._example], line, derived)

    def _inlined(self, op: UserPrimitive, args: list[Any]) -> Value | float | None:
        """The result of a user's operation whose forward function takes tracers; None if it takes numbers alone."""
        decided, guards, count = self._decided.copy(), len(self.guards), self.count
        try:
            return self.output(op.array(*args))
        except Exception:  # whatever a user's function raises: it calls a library, say, which takes numbers alone
            self._decided, self.count = decided, count
            del self.guards[guards:]
            return None


@cache
def _call_of(op: UserPrimitive) -> Primitive:
    """`op` with one more input before its own: its result, from which nothing is differentiated."""
    return Primitive(
        op.name,
        lambda result, *_: result,
        lambda result, *_: result,
        None,
        *(lambda g, z, _, *xs, i=i: op.rules[i](g, z, *xs) for i in range(len(op.rules))),
        elementwise=op.elementwise,
        body=lambda result, *_: result,
        is_free=True,
    )
