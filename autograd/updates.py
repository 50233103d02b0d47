"""Augmented assignments to what is learned: `p -= 0.1 * p.grad` changes the parameter itself, or raises.

With a node on the right they make a new node, as with any other node on the left: `out = layer.b; out += w * x`. With
plain numbers that would lose the update, for the name alone would be bound anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import elementwise as e
from autograd.graph import Node, Primitive
from autograd.modes import is_recording


def is_plain(x: Any) -> bool:
    """Whether `x` is a real number, or an array of such, and no node."""
    kinds = (np.ndarray, np.floating, np.integer, np.bool_)
    return isinstance(x, (float, int)) or (isinstance(x, kinds) and x.dtype.kind in "fiub")


class Updates(Node):
    """The augmented assignments of a kind of node of which some, or all, are parameters."""

    __slots__ = ()

    def _is_parameter(self) -> bool:
        """Whether this node is learned."""
        raise NotImplementedError

    def _update(self, op: Primitive, other: Any) -> None:
        """Become `op` of this and a plain `other`."""
        raise NotImplementedError

    def _updated(self, op: Primitive, other: Any) -> bool:
        """Whether an assignment of `op` and `other` concerns this node itself, and was carried out."""
        if not self._is_parameter() or not is_plain(other):
            return False
        if is_recording():
            raise TypeError(
                f"{op.name} in place of a parameter ({type(self).__name__}{' ' + repr(self.label) if self.label else ''}), "
                "where operations are recorded, would lose the update: write it under `with ag.no_grad():`, or to "
                "`p.data`, as in `p.data -= 0.1 * p.grad`, or leave it to an optimizer; for a new node write `q = p + 1`"
            )
        if self.op is not None:
            raise TypeError(
                "a parameter cannot be changed within a function that is being differentiated with respect to it: take "
                "the step outside of it"
            )
        self._update(op, other)
        return True

    # fmt: off  # one line each, so that the list of operators reads as a list
    def __iadd__(self, other: Any) -> Any:
        return self if self._updated(e.add, other) else self + other

    def __isub__(self, other: Any) -> Any:
        return self if self._updated(e.sub, other) else self - other

    def __imul__(self, other: Any) -> Any:
        return self if self._updated(e.mul, other) else self * other

    def __itruediv__(self, other: Any) -> Any:
        return self if self._updated(e.div, other) else self / other

    def __ifloordiv__(self, other: Any) -> Any:
        return self if self._updated(e.floordiv, other) else self // other

    def __imod__(self, other: Any) -> Any:
        return self if self._updated(e.mod, other) else self % other

    def __ipow__(self, other: Any) -> Any:
        return self if self._updated(e.power, other) else self**other

    # fmt: on
