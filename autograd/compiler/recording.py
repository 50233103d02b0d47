"""`Tape` and `Recorded`: a function is run once, on values whose numbers are lines of a program."""

from __future__ import annotations

import linecache
import math
import os
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from autograd import elementwise as e
from autograd import graph
from autograd.compiler.program import Guard, Instruction, Program
from autograd.extending import UserPrimitive
from autograd.graph import Node, Primitive, birth
from autograd.many import MANY
from autograd.operators import UFUNCS, boxed
from autograd.value import Value

HERE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")
DERIVING = tuple(os.path.join(HERE, name) for name in ("backprop.py", "forward.py"))

MOST_INSTRUCTIONS = 3_000_000
MOST_DECISIONS = 10_000  # of one line of the user's code

_GATHERS = set(MANY.values())


class CompileError(TypeError):
    """What cannot be recorded: the message names the line, and the cure."""


class Recorded(Value):
    """A scalar of a program that is being recorded: `raw` is not a number but the instruction that will give it."""

    __slots__ = ()
    rank: ClassVar[int] = 9  # above arrays, which it cannot join

    def __init__(self, instruction: Instruction) -> None:
        self.raw = instruction
        self.op = None
        self.left = self.right = self.a = self.b = None
        self.birth = birth()
        self.grad = 0.0

    @property
    def label(self) -> str | None:  # kept by the instruction, which outlives this
        """Its name in the program."""
        return self.raw.label  # type: ignore[no-any-return]  # slots are Any

    @label.setter
    def label(self, label: str | None) -> None:
        self.raw.label = label

    @classmethod
    def record(cls, op: Primitive, args: tuple[Any, ...]) -> Any:
        if tracer := graph.tracer():
            return tracer.record(op, args)
        raise CompileError(
            f"{op.name} met a value that ag.compile recorded, after the recording ended: it never had a number. A "
            "function that is compiled must hand on what it computes by returning it"
        )

    def unary(self, op: Primitive) -> Any:
        return self.record(op, (self,))

    def binary(self, op: Primitive, other: Any) -> Any:
        return self._binary(op, self, other)

    # fmt: off
    def __add__(self, other: Any) -> Any: return self._binary(e.add, self, other)
    def __sub__(self, other: Any) -> Any: return self._binary(e.sub, self, other)
    def __mul__(self, other: Any) -> Any: return self._binary(e.mul, self, other)
    def __truediv__(self, other: Any) -> Any: return self._binary(e.div, self, other)
    # fmt: on

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs and ufunc in _UFUNCS:
            return np.frompyfunc(_UFUNCS[ufunc], len(inputs), 1)(*map(boxed, inputs))
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    # ---- What needs the number that is not there

    def _refuse(self, what: str, cure: str) -> CompileError:
        return CompileError(f"{describe_here()}: {what}, which has no number while ag.compile records; {cure}")

    @property
    def data(self) -> Any:
        """Not known."""
        raise self._refuse("this reads .data of a value", "compute with the value itself")

    @data.setter
    def data(self, data: Any) -> None:
        raise self._refuse("this sets .data of a value", "compute a new value instead")

    def item(self) -> Any:
        raise self._refuse("this asks for .item() of a value", "compute with the value itself")

    def detach(self) -> Any:
        """The same number, without its past."""
        return Recorded(self.raw)

    def backward(self, gradient: float = 1.0) -> None:
        raise self._refuse(
            "this calls .backward() of a value", "compile ag.value_and_grad of the function, or pass parameters="
        )

    def __bool__(self) -> bool:
        return _tape(self).decide(self if isinstance(self, Condition) else self != 0.0)

    def __float__(self) -> float:
        raise self._refuse(
            "float(), or a function of math, takes a value", "write ag.sin and its kin in place of math.sin"
        )

    def __int__(self) -> int:
        raise self._refuse("int() takes a value", "write ag.floor, or fix the integer: functools.partial(f, n=3)")

    def __index__(self) -> int:
        raise self._refuse(
            "a value counts or indexes", "fix the integer before compiling, with functools.partial or a closure"
        )

    def __complex__(self) -> complex:
        raise self._refuse("complex() takes a value", "compute with real numbers, which alone have rules here")

    def __format__(self, spec: str) -> str:
        raise self._refuse("this formats or prints a value", "return it, or give it a label and print kernel.program")

    def __repr__(self) -> str:
        name = self.raw.op.name if self.raw.op else "input"
        return f"<recorded {name}{f' {self.label!r}' if self.label else ''}>"

    def __reduce__(self) -> Any:
        raise self._refuse("this copies or pickles a value", "use it as it is")


class Condition(Recorded):
    """A recorded comparison. As a Python truth it becomes a guard; `&`, `|`, `^` and `~` are recorded too."""

    __slots__ = ()

    def __and__(self, other: Any) -> Any:
        return e.where(self, _truth(other), 0.0) != 0.0

    def __or__(self, other: Any) -> Any:
        return e.where(self, 1.0, _truth(other)) != 0.0

    def __xor__(self, other: Any) -> Any:
        return self != _truth(other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __invert__(self) -> Any:
        return self == 0.0


def _truth(x: Any) -> Any:
    """A condition as it is, and Python's truths, also those that `~` made integers, as 1 and 0."""
    return x if isinstance(x, Recorded) else float(x & 1)


_UFUNCS: dict[Any, Callable[..., Any]] = {
    np.equal: lambda x, y: x == y,
    np.not_equal: lambda x, y: x != y,
    np.less: lambda x, y: x < y,
    np.less_equal: lambda x, y: x <= y,
    np.greater: lambda x, y: x > y,
    np.greater_equal: lambda x, y: x >= y,
    np.isnan: lambda x: x != x,
    np.isinf: lambda x: abs(x) == math.inf,
    np.isfinite: lambda x: abs(x) < math.inf,
    np.logical_and: lambda x, y: (x != 0.0) & (y != 0.0),
    np.logical_or: lambda x, y: (x != 0.0) | (y != 0.0),
    np.logical_not: lambda x: x == 0.0,
    np.fmax: lambda x, y: e.where(y != y, x, e.where(x != x, y, e.maximum(x, y))),
    np.fmin: lambda x, y: e.where(y != y, x, e.where(x != x, y, e.minimum(x, y))),
    np.heaviside: lambda x, y: e.where(x == 0.0, y, e.where(x != x, x, e.step(x))),
    np.trunc: lambda x: e.where(x < 0.0, e.ceil(x), e.floor(x)),
}


class Vector(np.ndarray[Any, Any]):
    """An object array of recorded values: NumPy's functions of it are recorded too, comparisons among them."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        plain = [x.view(np.ndarray) if isinstance(x, Vector) else x for x in inputs]
        function = _UFUNCS.get(ufunc) or UFUNCS.get(ufunc)
        if method == "__call__" and function is not None and ufunc.signature is None and not kwargs:
            return _vector(np.frompyfunc(function, len(inputs), 1)(*map(boxed, plain)))
        return _vector(getattr(ufunc, method)(*plain, **kwargs))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.where and len(args) == 3:
            plain = [x.view(np.ndarray) if isinstance(x, Vector) else x for x in args]
            return _vector(np.frompyfunc(e.where, 3, 1)(*map(boxed, plain)))
        return super().__array_function__(function, types, args, kwargs)


def _vector(x: Any) -> Any:
    return x.view(Vector) if isinstance(x, np.ndarray) and x.dtype == object else x


class Tape:
    """What takes over operations on scalars while a function is recorded.

    With `careful`, cotangents are recorded so that one of exactly zero stays zero whatever it meets; `captured` are
    the Values that the function reached by itself, whose numbers are read at each call.
    """

    def __init__(self, careful: bool) -> None:
        self.careful = careful
        self.inputs: list[Instruction] = []
        self.captured: dict[Value, Instruction] = {}
        self.code: list[Instruction] = []
        self.guards: list[Guard] = []
        self.since = birth()
        self._decisions: Counter[tuple[str, int] | None] = Counter()
        self._decided: set[Instruction] = set()
        self._visited: tuple[str, int] | None = None

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
        for arg in (x, y):
            if not isinstance(arg, (Value, float, int, np.number, np.bool_)):
                return NotImplemented
        return Condition(self._emit(op, [self.known(x), self.known(y)]))

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
            return self._constant(float(x))
        if isinstance(x, np.ndarray) and x.ndim == 0:
            return self._read(x.item())
        return None

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
        del self.code[length:], self.guards[guards:]
        return None

    def _place(self) -> tuple[tuple[str, int] | None, bool]:
        """The line of the user's code that is being run, and whether it is for its derivative."""
        frame = sys._getframe(2)
        derived = False
        while frame is not None:
            name = frame.f_code.co_filename
            if not name.startswith(HERE):
                break
            derived = derived or name in DERIVING
            frame = frame.f_back  # type: ignore[assignment]  # None ends the loop
        if derived and self._visited:
            return self._visited, True
        return ((name, frame.f_lineno) if frame else None), derived


def describe_here() -> str:
    """The user's line that is being run, with its text: for messages."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(HERE):
        frame = frame.f_back
    text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return f"{frame.f_code.co_filename}:{frame.f_lineno}: `{text}`" if text else f"line {frame.f_lineno}"


def _tape(value: Recorded) -> Tape:
    tracer = graph.tracer()
    if not isinstance(tracer, Tape):
        raise CompileError(
            "a value that ag.compile recorded was asked for its truth after the recording ended: it never had a number"
        )
    return tracer
