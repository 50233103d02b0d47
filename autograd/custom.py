"""`primitive`: operations defined by the user."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from autograd.arguments import flag, shown, wrong
from autograd.docstrings import OfObject
from autograd.forwards import ieee
from autograd.graph import Primitive, Pullback


class UserPrimitive(Primitive):
    """An operation whose rules may be added later, one for each argument, in order."""

    __slots__ = ("given",)
    given: int
    # Of one of them that of its function.
    __doc__: Any = OfObject(__doc__, lambda op: op.doc)
    __signature__ = OfObject(None, lambda op: inspect.signature(op.array))

    def rule(self, derivative: Pullback) -> Pullback:
        """Add the rule for the next argument: `(g, z, *arguments) -> cotangent`. Works as a decorator."""
        _check_rule(derivative, self.given)
        if self.given == len(self.rules):
            raise TypeError(f"{self.name} has {len(self.rules)} arguments, and a rule for each already")
        rules = list(self.rules)
        rules[self.given] = derivative
        self.given += 1
        self.set_rules(tuple(rules))
        return derivative

    def refused(self, args: Any, error: Exception) -> Exception:
        """The forward function's own error, unless an argument is not a number; NumPy's errors get the shapes added."""
        found = super().refused(args, error)
        return found if type(error) is ValueError or "must be real numbers" in str(found) else error


def primitive(forward: Callable[..., Any], *rules: Pullback | None, elementwise: bool = False) -> UserPrimitive:
    """Make `forward`, a function of numbers and arrays, an operation that can be differentiated.

    Each rule, `(g, z, *arguments) -> cotangent`, is the derivative for one argument: `g` is the cotangent of the
    output `z`, and None stands for a derivative of zero. Written with operators and `ag` functions it can be
    differentiated in turn, and serves forward mode too. Rules are given here, or added with `@name.rule`; what has
    none raises a NotImplementedError when it is needed.

    >>> import autograd as ag
    >>> @ag.primitive
    ... def cube(x):
    ...     return x * x * x
    >>> @cube.rule
    ... def _(g, z, x):
    ...     return g * 3 * x * x
    >>> ag.grad(cube)(2.0)
    12.0
    """
    if not callable(forward):
        raise TypeError(f"primitive needs the function that computes the operation, got {shown(forward)}")
    for i, given in enumerate(rules):
        _check_rule(given, i)
    elementwise = flag("primitive", "elementwise", elementwise)
    name = getattr(forward, "__name__", type(forward).__name__)
    n = max(len(rules), _count_arguments(forward))
    missing = (partial(_missing, name, i) for i in range(len(rules), n))
    scalar = ieee(lambda *xs: float(forward(*xs)), forward)
    op = UserPrimitive(name, scalar, forward, *rules, *missing, elementwise=elementwise, doc=inspect.getdoc(forward))
    op.given = len(rules)
    return op


def _check_rule(rule: Any, i: int) -> None:
    if rule is not None and not callable(rule):
        wanted = "a function (g, z, *arguments), or None"
        raise TypeError(wrong("primitive", f"the rule for argument {i}", wanted, rule))


def _missing(name: str, i: int, *_: Any) -> NoReturn:
    raise NotImplementedError(
        f"the primitive {name} has no derivative for argument {i}: add it with @{name}.rule, a function (g, z, *arguments)"
    )


def _count_arguments(forward: Callable[..., Any]) -> int:
    try:
        parameters = inspect.signature(forward).parameters.values()
    except (TypeError, ValueError):  # some of NumPy's functions have no signature
        return getattr(forward, "nin", 1)
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty for p in parameters)
