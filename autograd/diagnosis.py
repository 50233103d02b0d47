"""Diagnosis of single operations from their records: kinks, edges of domains, closed and saturated elements."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd.chain_rule import pull, with_ieee
from autograd.graph import Primitive, Slope

if TYPE_CHECKING:
    from autograd.typing import Array

# A jump is larger than what a smooth slope does beside it by this factor: of evenly spaced points the middle interval is
# as long as the two outer ones together, so that the differences of a smooth function are in the ratio 1.
JUMP = 20.0
LEAST_JUMP = 1e-3  # of the slopes themselves: what is less is no kink that anybody would notice
FAR = 1e3  # where a function that saturates has done so
FLAT = 1e-5  # of its largest slope, and far above that of atan there, 1e-6


class Surroundings(NamedTuple):
    """What an operation does around a point, element by element, as it is seen from one of its inputs.

    `kink` is true where the slope jumps, `jump` where the value does, `edge` where the value or the slope is not finite at
    the point or beside it. `left` and `right` are the slopes on both sides, `here` is the one that the rule gives.
    """

    kink: Array
    jump: Array
    edge: Array
    left: Array
    here: Array
    right: Array


def slope(op: Primitive, i: int, z: Any, inputs: Any) -> Array:
    """The derivative of an elementwise operation in its input `i`, at `inputs`, where its output is `z`.

    >>> from autograd.elementwise import relu
    >>> slope(relu, 0, np.array([0.0, 2.0]), [np.array([-1.0, 2.0])]).tolist()
    [0.0, 1.0]
    """
    rule = op.rules[i]
    if rule is None:
        return np.zeros_like(z)
    return np.asarray(pull(rule, 1.0 if isinstance(rule, Slope) else np.ones_like(z), z, tuple(inputs), strong=True))


@cache
def is_linear(op: Primitive) -> bool:
    """Whether the record says that all slopes are the same everywhere.

    >>> from autograd.elementwise import add, mod, relu
    >>> is_linear(add), is_linear(mod), is_linear(relu)
    (True, False, False)
    """
    return all(isinstance(rule, Slope) and rule.constant is not None for rule in op.rules)


def surroundings(op: Primitive, i: int, inputs: Any, near: float) -> Surroundings:
    """What an elementwise operation does within `near` of `inputs`, arrays of float64, along input `i`.

    It is found by trying: the operation's functions of arrays, and its rules, are run on both sides.

    >>> from autograd.elementwise import relu
    >>> around = surroundings(relu, 0, [np.array([0.0, 1e-9, 1.0])], 1e-6)
    >>> around.kink.tolist(), around.left.tolist(), around.here.tolist(), around.right.tolist()
    ([True, True, False], [0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0])
    """
    x = np.asarray(inputs[i], np.float64)
    step = np.maximum(near, 8.0 * np.spacing(np.abs(x)))

    def at(point: Any) -> tuple[Any, Any]:
        moved = [point if k == i else other for k, other in enumerate(inputs)]
        z = np.asarray(with_ieee(op.array, *moved), np.float64)
        return z, np.broadcast_to(np.asarray(slope(op, i, z, moved), np.float64), z.shape)

    with np.errstate(all="ignore"):
        points = [at(x + k * step) for k in (-2.0, -1.0, 0.0, 1.0, 2.0)]
        # The points where functions end or have poles are whole numbers as a rule: such a one nearby is tried itself.
        whole = np.round(x)
        apart = np.abs(whole - x) <= step
        z, s = at(np.where(apart, whole, x))
        finite = np.isfinite(z) & np.isfinite(s)
        for z, s in points[1:4]:
            finite = finite & np.isfinite(z) & np.isfinite(s)
        kink = finite & jumps([s for _, s in points])
        jump = finite & jumps([z for z, _ in points])
    (_, left), (_, here), (_, right) = points[1:4]
    return Surroundings(kink & ~jump, jump, ~finite, left, here, right)


def jumps(points: Any) -> Array:
    """Whether values at five evenly spaced points jump between the second and the fourth.

    >>> bool(jumps([0.0, 0.0, 0.0, 1.0, 1.0])), bool(jumps([0.0, 1.0, 2.0, 3.0, 4.0]))
    (True, False)
    """
    far_left, left, _, right, far_right = points
    beside = np.abs(left - far_left) + np.abs(far_right - right)
    apart = np.abs(right - left)
    least = LEAST_JUMP * np.maximum(np.abs(left), np.abs(right))
    return np.asarray((apart > JUMP * np.nan_to_num(beside, nan=np.inf)) & (apart > least))


def closed(op: Primitive, z: Any, inputs: Any, at: Collection[int]) -> Array | None:
    """Where the masks of an elementwise operation let nothing through to its inputs `at`; None if it has no such masks.

    >>> from autograd.elementwise import relu, tanh
    >>> closed(relu, np.array([0.0, 2.0]), [np.array([-1.0, 2.0])], [0]).tolist()
    [True, False]
    >>> closed(tanh, np.array([1.0]), [np.array([30.0])], [0])
    """
    rules = [rule for i in at if isinstance(rule := op.rules[i], Slope) and rule.kind == "mask"]
    if not rules or len(rules) < len(at):
        return None
    shut: Any = True
    for rule in rules:
        shut = shut & (np.asarray(rule.function(z, *inputs)) == 0)
    return np.broadcast_to(shut, np.shape(z))


@cache
def peak(op: Primitive) -> float | None:
    """The largest slope of a function of one number that saturates on both sides, as tanh and the sigmoid; None of others.

    The record does not name such functions: the slope is tried at 0 and far from it.

    >>> from autograd.elementwise import relu, sigmoid, tanh
    >>> peak(tanh), peak(sigmoid), peak(relu)
    (1.0, 0.25, None)
    """
    if not op.elementwise or len(op.rules) != 1 or is_linear(op):
        return None
    x = np.array([-FAR, 0.0, FAR])
    with np.errstate(all="ignore"):
        try:
            z = op.array(x)
            low, middle, high = np.abs(np.broadcast_to(slope(op, 0, z, [x]), 3)).tolist()
        except Exception:  # a function of the user's that wants other numbers
            return None
    flat = np.isfinite(z).all() and z[0] != z[2] and max(low, high) < FLAT * middle < np.inf
    return middle if flat else None


def saturation(op: Primitive, z: Any, x: Any) -> Array | None:
    """The slopes of a function that saturates, relative to its largest; None of any other operation.

    >>> from autograd.elementwise import tanh
    >>> saturation(tanh, np.array([0.0, 0.99]), np.array([0.0, 2.65])).round(2).tolist()
    [1.0, 0.02]
    """
    most = peak(op)
    return None if most is None else np.abs(slope(op, 0, z, [x])) / most


def per_unit(flags: Array) -> Array:
    """Whether flags hold of all that a unit computes: of (rows, units), (rows, channels, height, width), or else of the
    last axis; those of one row are all units.

    >>> per_unit(np.array([[True, False], [True, True]])).tolist()
    [True, False]
    """
    if flags.ndim < 2:
        return flags.reshape(-1)
    axis = 1 if flags.ndim == 4 else flags.ndim - 1
    return np.asarray(flags.all(axis=tuple(k for k in range(flags.ndim) if k != axis)))
