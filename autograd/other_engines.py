"""Names that other engines have for parts of a graph, answered with ours.

They are attributes of nodes that only raise. A `__getattr__` would say the same, but with one in their class Python 3.11
reads all attributes of nodes four times as slowly.
"""

from __future__ import annotations

from typing import Any, NoReturn, Self

_GRADIENTS = "every node that a backward pass reaches has a gradient, unless it is detached or made under ag.no_grad()"

# Names with the engine that has them, what is written for `x` instead (if anything is), and what is to be known of it.
NAMES = {
    "_prev": ("micrograd", "x.parents", "a tuple, with a node for each use of it"),
    "_op": ("micrograd", "str(x.op or '')", "x.op is the operation itself, None for a leaf"),
    "_backward": ("micrograd", "x.backward()", "once, for the output alone: it takes all steps, in order"),
    "_ctx": ("tinygrad", "x.op", "the operation, None for a leaf; x.parents are the nodes that it was given"),
    "grad_fn": ("PyTorch", "x.op", "the operation, None for a leaf; x.parents are the nodes that it was given"),
    "is_leaf": ("PyTorch", "x.op is None", "a node that no operation made"),
    "requires_grad": ("PyTorch", "", _GRADIENTS),
    "requires_grad_": ("PyTorch", "", _GRADIENTS),
    "retain_grad": ("PyTorch", "", _GRADIENTS),
    "_value": ("HIPS autograd", "x.data", "the number or the array"),
    "_node": ("HIPS autograd", "x", "a Value or a Tensor is a node itself"),
}


class Elsewhere:
    """An attribute that says what another engine's name is called here.

    >>> import autograd as ag
    >>> ag.Value(1.0)._prev
    Traceback (most recent call last):
    AttributeError: a Value has no _prev, as in micrograd: write `x.parents` (a tuple, with a node for each use of it)
    """

    def __init__(self, name: str) -> None:
        self.name = name
        engine, ours, why = NAMES[name]
        cure = f"write `{ours}` ({why})" if ours else f"leave it out ({why})"
        self.message = f"has no {name}, as in {engine}: {cure}"
        self.__doc__ = f"Not an attribute, as in {engine}: {cure}."

    def __get__(self, node: Any, kind: type) -> Self:
        if node is None:
            return self
        raise AttributeError(f"a {kind.__name__} {self.message}")

    def __set__(self, node: Any, value: Any) -> NoReturn:
        raise AttributeError(f"a {type(node).__name__} {self.message}")
