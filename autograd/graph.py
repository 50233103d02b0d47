"""The record of an operation, and the node: one use of it in a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np

from autograd.arguments import FAILURES, assignments, refused, shown
from autograd.docstrings import OfObject, described

if TYPE_CHECKING:
    from autograd.typing import Array, Constant, Number, Numeric, Operand, Tensor, Value

Pullback = Callable[..., "Numeric"]  # (g, z, *inputs) -> the cotangent of one input

NO_GRADIENT = float("0")  # the `.grad` of a Value that no backward pass has reached: equal to 0.0, told from it by `is`
next_sequence_number = count(1).__next__  # a node has a greater one than all nodes that it was computed from


class Slope:
    """A local derivative of an elementwise operation in terms of its output and inputs: `function(z, *inputs)`.

    `kind` says how its value is applied: as a "factor"; a "divisor", so that one division stays one; "factors", whose
    product might overflow; a "fraction", factors followed by a divisor; or a "mask", which selects: 1, 0, or a number
    between for ties. A slope that is the same everywhere is the factor `constant`.
    """

    __slots__ = ("constant", "function", "kind")

    def __init__(self, function: Callable[..., Any], kind: str = "factor", constant: float | None = None) -> None:
        self.function = function
        self.kind = kind
        self.constant = constant


def over(function: Callable[..., Any]) -> Slope:
    """The slope `1 / function(z, *inputs)`."""
    return Slope(function, "divisor")


def fraction(function: Callable[..., Any]) -> Slope:
    """The slope `a * b * ... / d`, where `function` returns the tuple `(a, b, ..., d)`."""
    return Slope(function, "fraction")


def factors(function: Callable[..., Any]) -> Slope:
    """The slope `a * b * ...`, where `function` returns the tuple `(a, b, ...)`."""
    return Slope(function, "factors")


def mask(function: Callable[..., Any]) -> Slope:
    """The slope of an input that is selected where `function` gives 1."""
    return Slope(function, "mask")


def ONE(*_: Any) -> float:
    """The slope 1. The traversals recognize this function and skip the call."""
    return 1.0


class Primitive:
    """The record of an operation: what it computes, its derivatives, and everything else that is known of it.

    There is one rule for each argument. Of an elementwise operation of the table it is a `Slope`. Elsewhere it is a
    pullback `(g, z, *inputs) -> cotangent of that input`, where `g` is the cotangent of the output `z`; if the operation
    is `elementwise`, a tangent may stand for `g`. None is a derivative of zero. An operation on any number of scalars has
    `variadic(z, *inputs) -> slopes`. All are plain arithmetic: given numbers they compute them, given nodes they record
    them.

    `scalar` computes floats (None for an operation on arrays only), `array` arrays. `body` computes the same by other
    operations, and is what the compiler uses. `reads` says whether a rule reads the elements of its inputs, so that
    constants must not change. `settings` are its further arguments, such as an axis.
    """

    __doc__: Any = OfObject(__doc__, lambda op: described(op)[0] if type(op) is Primitive else op.doc)
    __signature__ = OfObject(None, lambda op: described(op)[1] if type(op) is Primitive else None)
    __slots__ = (
        "__weakref__", "array", "at_most_binary", "body", "c", "commutes", "doc", "dx", "dx_kind", "dy", "dy_kind", "elementwise",
        "hides_nan", "hint", "identity", "infix", "is_comparison", "is_even", "is_free", "is_odd", "javascript", "latex", "name",
        "never_minus_zero", "nondifferentiable", "numpy", "otherwise", "plain", "pull_x", "pull_y", "python", "reads", "rules",
        "scalar", "settings", "sign", "variadic",
    )  # fmt: skip

    reads: bool

    def __init__(
        self,
        name: str,
        scalar: Any,
        array: Callable[..., Any],
        *rules: Slope | Pullback | None,
        variadic: Callable[..., Any] | None = None,
        elementwise: bool = False,
        reads: bool = True,
        body: Callable[..., Any] | None = None,
        settings: Mapping[str, Any] = MappingProxyType({}),
        # How it is spelled: names of functions, or expressions of {0} and {1}.
        infix: str | None = None,  # Python's operator, or an expression of it
        python: str | None = None,  # unless given that of the operator, or math's `c`
        otherwise: str | None = None,  # what Python's text gives where its function raises, of x and y
        numpy: str | None = None,  # unless given that of the operator, or of the array forward
        c: str | None = None,  # unless given that of the operator; without either, or a body, no machine has it
        javascript: str | None = None,  # unless given that of the operator, or Math's `c`
        latex: str | None = None,  # an expression, or a function's name
        sign: str | None = None,  # in pictures
        plain: str | None = None,  # in explanations, an expression of {0} and {1}; unless given Python's
        doc: str | None = None,  # what it is, in words
        hint: str = "a lower learning rate, scaled inputs or gradient clipping usually keep the numbers small",
        # Algebra that is exact for it.
        commutes: bool = False,
        identity: float | None = None,  # a right operand (or either, if it commutes) that changes no bit of the other
        is_odd: bool = False,  # in each argument
        is_even: bool = False,
        never_minus_zero: bool = False,
        hides_nan: bool = False,  # it may give a number for a nan
        is_comparison: bool = False,  # its results are booleans, as numbers 1 and 0
        is_free: bool = False,  # no floating-point operation
    ) -> None:
        self.name, self.scalar, self.array, self.variadic, self.body = name, scalar, array, variadic, body
        self.elementwise, self.settings = elementwise, settings
        self.infix, self.python, self.otherwise, self.numpy, self.c = infix, python, otherwise, numpy, c
        self.javascript, self.latex, self.sign, self.plain = javascript, latex, sign, plain
        self.hint, self.doc, self.commutes, self.identity = hint, doc, commutes, identity
        self.is_odd, self.is_even, self.never_minus_zero, self.hides_nan = is_odd, is_even, never_minus_zero, hides_nan
        self.is_comparison, self.is_free = is_comparison, is_free
        self.set_rules(rules)
        self.reads = self.reads and reads

    def set_rules(self, rules: tuple[Slope | Pullback | None, ...]) -> None:
        """Take `rules` as the derivatives, one an argument."""
        self.rules = rules
        if not all(rule is None or isinstance(rule, Slope) or callable(rule) for rule in rules):
            raise TypeError(f"the rules of {self.name} are functions (g, z, *inputs) or None, got {shown(rules)}")
        self.nondifferentiable = self.variadic is None and not any(rules)
        self.reads = bool(self.variadic) or any(r and getattr(r, "constant", None) is None for r in rules)
        self.at_most_binary = self.variadic is None and len(rules) <= 2  # a node keeps inputs in slots, not in tuples
        # The rules of the most common operations, of one input or of two with a rule each, have attributes of their own.
        none: Any = None
        self.dx = self.dy = self.dx_kind = self.dy_kind = self.pull_x = self.pull_y = none
        x, y = (*rules, None)[:2] if self.at_most_binary and rules and all(rules) else (None, None)
        if isinstance(x, Slope):
            self.dx, self.dx_kind = x.function, None if x.kind == "factor" else x.kind
            if isinstance(y, Slope):
                self.dy, self.dy_kind = y.function, None if y.kind == "factor" else y.kind
        else:
            self.pull_x, self.pull_y = x, y

    @overload  # type checkers take the first that fits; if an array fits several, they know nothing
    def __call__(self, *args: float) -> float: ...
    @overload
    def __call__(self, *args: Constant) -> Array: ...
    @overload
    def __call__(self, *args: Number | Value) -> Value: ...
    @overload
    def __call__(self, x: Tensor, /) -> Tensor: ...
    @overload
    def __call__(self, x: Operand, y: Operand, /, *args: Operand) -> Tensor: ...
    @overload
    def __call__(self, x: Node, /, *args: Constant | Node) -> Node: ...
    def __call__(self, *args: Any) -> Any:
        if len(args) == 1 and isinstance(args[0], Node):
            return args[0]._unary(self)
        if self.elementwise and len(args) > len(self.rules) and type(self) is Primitive:
            # NumPy's ufunc would take one more as `out`
            raise TypeError(
                f"{self.name} takes {len(self.rules)} argument{'s' * (len(self.rules) > 1)}, got {len(args)}"
            )
        kind = None
        for arg in args:
            if isinstance(arg, Node) and (kind is None or arg._priority > kind._priority):
                kind = type(arg)
        if kind is not None:
            return kind._record(self, args)
        if self.scalar is not None:
            for arg in args:
                if not isinstance(arg, (float, int)):
                    break
            else:
                try:
                    return self.scalar(*args)
                except FAILURES as error:
                    raise self.refused(args, error) from None
            if any(isinstance(arg, np.ndarray) and arg.dtype == object for arg in args):  # nodes: one at a time
                return np.frompyfunc(self, len(args), 1)(*args)
        try:
            return self.array(*args)
        except FAILURES as error:
            raise self.refused(args, error) from None

    def refused(self, args: Any, error: Exception) -> Exception:
        """The exception to raise where the forward computation on `args` raised `error`."""
        return refused(str(self), args, error)

    def __str__(self) -> str:
        """The name, with the settings."""
        return f"{self.name}({', '.join(assignments(self.settings))})" if self.settings else self.name

    def __repr__(self) -> str:
        return f"<primitive {self}>"


class Node:
    """A value in a graph, with the operation and the inputs that made it.

    `_data` is the value; `op` is None for a leaf. `_left` and `_right` are the input nodes, None where an input is a
    constant; `_x` and `_y` are the inputs' values when the operation was recorded: rules see these, even if the inputs
    change later. An operation of more inputs has all of them, nodes and constants, as a tuple in `_left`, and their
    values as another in `_x`. Otherwise there is no tuple: each would be one more object for the garbage collector.
    """

    __slots__ = dict.fromkeys(("__weakref__", "_data", "_left", "_right", "_sequence", "_x", "_y")) | {
        "grad": "The derivative.", "label": "The name, in pictures.", "op": "The operation; None for a leaf.",
    }  # fmt: skip

    _priority: ClassVar[int] = 0  # of several kinds of node, the result is of the kind with the highest
    _overwritten: int = 0  # of a leaf: the sequence number at which its value was last changed in place

    _data: Any
    op: Primitive | None
    _left: Any
    _right: Node | None
    _x: Any
    _y: Any
    _sequence: int
    grad: Any
    label: str | None

    @classmethod
    def _record(cls, op: Primitive, args: tuple[Any, ...]) -> Node:
        """Compute `op` on `args` and return a node of this kind that remembers it."""
        raise NotImplementedError

    def _unary(self, op: Primitive) -> Node:
        """`op` of this node: the fast path of `_record`."""
        raise NotImplementedError

    def _unbroadcast(self, contribution: Any) -> Numeric:
        """A contribution to this node's cotangent, converted to the node's type, shape and dtype."""
        raise NotImplementedError

    def _check_unchanged(self, reader: Node, value: Any, keep_graph: bool) -> None:
        """Raise if this leaf has changed since `reader` read `value`, and the derivative needs it."""
        raise NotImplementedError

    def _accumulate(self, g: Any) -> None:
        """Add `g` to the gradient of this leaf."""
        raise NotImplementedError

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The arguments of the operation: nodes, and constants as they are."""
        if self.op is None:
            return ()
        if not self.op.at_most_binary:
            return tuple(self._left)
        left = self._x if self._left is None else self._left
        if len(self.op.rules) == 1:
            return (left,)
        return (left, self._y if self._right is None else self._right)

    @property
    def parents(self) -> tuple[Node, ...]:
        """The inputs that are nodes, each as often as it was used."""
        return tuple([arg for arg in self.inputs if isinstance(arg, Node)])

    def _residuals(self) -> tuple[Any, ...]:
        """The inputs' values when the operation was recorded (JAX's word)."""
        if self.op is None:
            return ()
        if not self.op.at_most_binary:
            return tuple(self._x)
        return (self._x,) if len(self.op.rules) == 1 else (self._x, self._y)


def value_of(x: Any) -> Any:
    """The value of a node, and anything else as it is."""
    return x._data if isinstance(x, Node) else x


def ancestors(*outputs: Node, since: int = 0) -> list[Node]:
    """`outputs` and all nodes that they were computed from and that were made after `since`, in order of creation."""
    found = dict.fromkeys(outputs)
    stack = list(found)
    while stack:
        for node in stack.pop().parents:
            if node not in found and node._sequence > since:
                found[node] = None
                stack.append(node)
    return sorted(found, key=attrgetter("_sequence"))
