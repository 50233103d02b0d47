"""What an operation is, and what one use of it leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from itertools import count
from typing import Any, ClassVar, Protocol

import numpy as np

from autograd.arguments import FAILURES, refused, shown
from autograd.forks import in_child

Rule = Callable[..., Any]

# Births run downwards, so that a heap, which gives back the smallest, gives back the youngest.
birth = count(0, -1).__next__


OLDEST = 1  # older than any node


def same(g: Any, *_: Any) -> Any:
    """The derivative of an input that passes straight through. The traversal knows it by name and skips the call."""
    return g


def opposite(g: Any, *_: Any) -> Any:
    """The derivative of what is subtracted."""
    return -g


_UNREADING: frozenset[Rule | None] = frozenset((None, same, opposite))


class Primitive:
    """An operation: what it computes, and one derivative for each argument.

    A derivative is a rule `(g, z, *inputs) -> cotangent of its input`, where `g` is the cotangent of the output
    `z`. It is plain arithmetic: given numbers it computes them, given nodes it records them. `None` in place of a
    rule says that the derivative is zero. An operation on any number of inputs gives one rule for all of them,
    `many(g, z, *inputs) -> cotangents in order`. `elementwise` says that a rule, given a tangent in place of `g`,
    is also the forward-mode derivative. `scalar` is None for what arrays alone have. `reads` says whether a rule looks
    at its inputs' elements, so that constants must stay as they are: where it does not, or at their shapes alone, False.
    """

    __slots__ = (
        "__weakref__",
        "array",
        "constant",
        "dx",
        "dy",
        "elementwise",
        "flat",
        "many",
        "name",
        "reads",
        "rules",
        "scalar",
    )

    def __init__(
        self,
        name: str,
        scalar: Any,
        array: Callable[..., Any],
        *rules: Rule | None,
        many: Rule | None = None,
        elementwise: bool = False,
        reads: bool = True,
    ) -> None:
        self.name = name
        self.scalar = scalar
        self.array = array
        self.many = many
        self.elementwise = elementwise
        self.rules = rules
        self.bind(rules)
        if not reads:
            self.reads = False

    def bind(self, rules: tuple[Rule | None, ...]) -> None:
        """Take `rules` as the derivatives, one an argument."""
        self.rules = rules
        try:
            self.constant = self.many is None and not any(rules)
        except (TypeError, ValueError):
            raise TypeError(
                f"the rules of {self.name} are functions (g, z, *inputs) or None, got {shown(rules)}"
            ) from None
        self.reads = self.many is not None or not _UNREADING.issuperset(rules)
        self.flat = self.many is None and len(rules) <= 2  # a node keeps its inputs in flat slots, not in tuples
        # The rules of the commonest operations, of one input or of two that both count, are ready to hand.
        self.dx: Any
        self.dy: Any
        self.dx, self.dy = (
            (*rules, None) if len(rules) == 1 else rules if len(rules) == 2 and all(rules) else (None, None)
        )

    def __call__(self, *args: Any) -> Any:
        if len(args) == 1 and isinstance(args[0], Node):
            return args[0].unary(self)
        if self.elementwise and len(args) > len(self.rules) and type(self) is Primitive:
            # NumPy's would take one more for the array to write into
            raise TypeError(
                f"{self.name} takes {len(self.rules)} argument{'s' * (len(self.rules) > 1)}, got {len(args)}"
            )
        kind = None
        for arg in args:
            if isinstance(arg, Node) and (kind is None or arg.rank > kind.rank):
                kind = type(arg)
        if kind is not None:
            return kind.record(self, args)
        if self.scalar is not None:
            for arg in args:
                if not isinstance(arg, (float, int)):
                    break
            else:
                try:
                    return self.scalar(*args)
                except FAILURES as error:
                    raise self.refused(args, error) from None
            if any(isinstance(arg, np.ndarray) and arg.dtype == object for arg in args):  # of nodes: one at a time
                return np.frompyfunc(self, len(args), 1)(*args)
        try:
            return self.array(*args)
        except FAILURES as error:
            raise self.refused(args, error) from None

    def refused(self, args: Any, error: Exception) -> Exception:
        """What to raise where a forward computation on `args` raised `error`."""
        return refused(self.name, args, error)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


def check_kind(array: np.ndarray[Any, Any]) -> None:
    """Raise a TypeError for a subclass of ndarray whose meaning (a mask, a matrix's product, units) would be lost."""
    kind = type(array)
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(
            "masks of np.ma have no rules here, and would be dropped: fill the array with .filled(...), or choose with "
            "np.where(mask, ..., ...)"
        )
    if kind not in (np.ndarray, np.memmap) and kind.__module__.partition(".")[0] != __name__.partition(".")[0]:
        raise TypeError(
            f"a {kind.__name__} is an array with a meaning of its own, which has no rules here: pass np.asarray(array)"
        )


class Node:
    """A value in a graph, with the operation and the inputs that made it.

    `raw` is the value; `op` is None for a leaf. `left` and `right` are the input nodes, None where an input is a
    constant, and `a` and `b` are what the operation read from them: the rules see these, whatever becomes of the
    inputs later. An operation of more inputs has them all, nodes and constants, as a tuple in `left`, and what it read
    as another in `a`. No tuple otherwise, for the collector counts containers, and one a node is half the cost of three.
    """

    __slots__ = ("__weakref__", "a", "b", "birth", "grad", "label", "left", "op", "raw", "right")

    rank: ClassVar[int] = 0  # where kinds of node meet, the higher takes the result
    arrays: ClassVar[type[Node]]  # the kind that takes over where an ndarray meets a node

    raw: Any
    op: Primitive | None
    left: Any
    right: Node | None
    a: Any
    b: Any
    birth: int
    grad: Any
    label: str | None

    @classmethod
    def record(cls, op: Primitive, args: tuple[Any, ...]) -> Any:
        """Compute `op` on `args` and return a node of this kind that remembers it."""
        raise NotImplementedError

    def unary(self, op: Primitive) -> Any:
        """`op` of this node: what `record` does, by the shortest way."""
        raise NotImplementedError

    def fit(self, share: Any) -> Any:
        """A share of this node's cotangent, brought to the node's own form, shape and dtype."""
        raise NotImplementedError

    def check_unchanged(self, reader: Node, value: Any, keep_graph: bool) -> None:
        """Raise if this leaf no longer is the `value` that `reader` read, where that matters."""
        raise NotImplementedError

    def accumulate(self, g: Any) -> None:
        """Add `g` to the gradient of this leaf."""
        raise NotImplementedError

    overwritten: int = OLDEST  # for a leaf: when its value was last changed in place

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What the operation was given: nodes, and constants as they are."""
        if self.op is None:
            return ()
        if not self.op.flat:
            return tuple(self.left)
        left = self.a if self.left is None else self.left
        if len(self.op.rules) == 1:
            return (left,)
        return (left, self.b if self.right is None else self.right)

    @property
    def parents(self) -> tuple[Node, ...]:
        """The inputs that are nodes, each as often as it was used."""
        return tuple(arg for arg in self.inputs if isinstance(arg, Node))

    def read(self) -> tuple[Any, ...]:
        """What the operation read: the inputs' values at that time."""
        if self.op is None:
            return ()
        if not self.op.flat:
            return tuple(self.a)
        return (self.a,) if len(self.op.rules) == 1 else (self.a, self.b)


def ancestors(*outputs: Node, since: int | None = None) -> list[Node]:
    """`outputs` and all that they were computed from (of what was born after `since`), the oldest first."""
    found = dict.fromkeys(outputs)
    stack = list(found)
    while stack:
        for node in stack.pop().parents:
            if node not in found and (since is None or node.birth < since):
                found[node] = None
                stack.append(node)
    return sorted(found, key=lambda node: node.birth, reverse=True)


# ---- Modes: whether to record, and who watches. Each thread, and each task, has its own.


class Watcher(Protocol):
    """Who is shown what is computed."""

    def recorded(self, node: Node) -> None:
        """An operation left `node` behind."""

    def differentiated(self, found: dict[Node, Any]) -> None:
        """A traversal found these cotangents."""


class Tracer(Protocol):
    """Who takes over operations on scalars, to make a program of them."""

    def record(self, op: Primitive, args: tuple[Any, ...]) -> Any:
        """`op` of `args`, as a line of the program."""

    def compare(self, op: Primitive, x: Any, y: Any) -> Any:
        """The comparison `op` of `x` and `y`, as a line of the program; NotImplemented if it concerns no scalars."""

    def decide(self, condition: Any) -> bool:
        """What a condition comes out as, where Python's own code branches on it."""

    def constant(self, value: float) -> Any:
        """A number, as what the program computes with."""

    def differentiating(self) -> AbstractContextManager[None]:
        """A context, that of a traversal, in which whatever is recorded belongs to a derivative."""

    def visit(self, node: Node) -> None:
        """The traversal has come to `node`: what follows belongs to its derivative."""


_recording: ContextVar[bool] = ContextVar("recording", default=True)
_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)
_tracer: ContextVar[Tracer | None] = ContextVar("tracer", default=None)
_lock = threading.Lock()
modes_in_use = 0  # how many contexts, in any thread, are in force: while none is, recording need not ask


class _Own(threading.local):
    modes = 0  # how many of them this thread is in


_own = _Own()


def _fork() -> None:
    """A forked process has one thread, and none that could let go of the lock."""
    global _lock, modes_in_use
    _lock = threading.Lock()
    modes_in_use = _own.modes or int(not _recording.get() or _watcher.get() is not None or _tracer.get() is not None)


in_child(_fork)


@contextmanager
def _mode(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    global modes_in_use
    token = variable.set(value)
    with _lock:
        modes_in_use += 1
        _own.modes += 1
    try:
        yield
    finally:
        with _lock:
            modes_in_use -= 1
            _own.modes -= 1
        variable.reset(token)


def recording(on: bool) -> Any:
    """A context in which operations on nodes are recorded, or are not."""
    return _mode(_recording, on)


def watching(watcher: Watcher) -> Any:
    """A context in which `watcher` is shown each node as it is recorded, and each traversal."""
    return _mode(_watcher, watcher)


def tracing(tracer: Tracer) -> Any:
    """A context in which `tracer` takes over all operations on scalars."""
    return _mode(_tracer, tracer)


def is_recording() -> bool:
    """Whether operations on nodes are recorded here and now."""
    return not modes_in_use or _recording.get()


def watcher() -> Watcher | None:
    """Who is watching here and now, if anybody."""
    return _watcher.get() if modes_in_use else None


def tracer() -> Tracer | None:
    """Who takes over operations on scalars here and now, if anybody."""
    return _tracer.get() if modes_in_use else None


def no_grad() -> Any:
    """A context, for this thread or task alone, in which results remember nothing and so cost less.

    >>> import autograd as ag
    >>> x = ag.Value(2.0)
    >>> with ag.no_grad():
    ...     y = x * x
    >>> y.op is None
    True
    """
    return recording(False)
