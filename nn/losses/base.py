"""What all losses have in common: a reduction, checked arguments, and one node of the graph each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from autograd import Tensor
from autograd.arrays import sums
from autograd.arrays.reductions import over
from autograd.graph import Node, Primitive, Rule
from autograd.operators import plain
from nn.module import Module
from nn.validation import choice, real_array, shown

REDUCTIONS = ("mean", "sum", "none")

Array = np.ndarray[Any, Any]


class Loss(Module):
    """A measure of error, brought to one number by `reduction`: "mean", "sum", or "none" to leave it as it is."""

    reductions: ClassVar[tuple[str, ...]] = REDUCTIONS

    def __init__(self, reduction: str = "mean") -> None:
        if not isinstance(reduction, str):
            raise TypeError(
                f"{type(self).__name__} takes reduction as one of {', '.join(map(repr, self.reductions))}, got "
                f"{shown(reduction)}: make the loss first, as in nn.{type(self).__name__}()(prediction, target)"
            )
        self.reduction = choice(type(self).__name__, "reduction", reduction, self.reductions)

    def weight_of(self, input: Any, target: Any) -> float:
        """What the mean over this batch is divided by, and so its weight in a mean over several: the elements."""
        return float(np.size(plain(input)))

    def extra_repr(self) -> str:
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"


def fused(name: str, forward: Callable[..., Any], *slopes: Callable[..., Any] | None) -> dict[str, Primitive]:
    """For each reduction, one operation that computes the elementwise loss `forward(*args)` and reduces it.

    `slopes` are its derivatives by each argument, written in arithmetic that can be differentiated in turn; None for
    an argument that is no variable. The first argument is the input: it has the shape of the loss.
    """

    def rules(scale: Callable[[Any, Any], Any]) -> list[Rule | None]:
        return [slope and _rule(scale, slope) for slope in slopes]

    return {
        "none": Primitive(name, None, forward, *rules(lambda g, x: g), elementwise=True),
        "sum": Primitive(name, None, lambda *args: sums.add(forward(*args)), *rules(lambda g, x: g)),
        "mean": Primitive(
            f"mean_{name}",
            None,
            lambda *args: mean(forward(*args)),
            *rules(lambda g, x: shared(g, x.size)),
        ),
    }


_sum = sums.adder()


def mean(losses: Any, total: Any = None) -> Any:
    """The sum of `losses` divided by `total`, or by their number, as exact as a pairwise sum; of nothing it is nan."""
    count = float((losses.size if total is None else total) or np.nan)
    return _sum(losses) / count if losses.itemsize > 2 else (sums.wide(losses) / count).astype(losses.dtype)


def shared(g: Any, count: float) -> Any:
    """The cotangent `g` of a mean, for each of so many. The mean of nothing is nan, but its gradient 0: it moves nothing."""
    return over(g, count) if count else 0.0


def _rule(scale: Callable[[Any, Any], Any], slope: Callable[..., Any]) -> Rule:
    return lambda g, z, *args: scale(g, args[0]) * slope(*args)


def of_one_shape(loss: Loss, input: Any, target: Any) -> tuple[Any, Any]:
    """`input`, and `target` in its dtype where it is data; a ValueError if the shapes differ."""
    if type(target) is np.ndarray and isinstance(input, Tensor):  # the common case, in which all is well, at once
        raw = input.raw
        if target.dtype == raw.dtype and target.shape == raw.shape:
            return input, target
    input = as_input(loss, input)
    target = as_data(loss, input, target)
    shape, wanted = np.shape(plain(input)), np.shape(plain(target))
    if shape != wanted:
        cure = f"reshape one, as with y.reshape({shape})"
        if np.size(plain(input)) != np.size(plain(target)):
            cure = "the model must give as many numbers a row as the targets have"
        raise ValueError(f"{type(loss).__name__} compares arrays of one shape, got {shape} and {wanted}: {cure}")
    return input, target


def as_input(loss: Loss, input: Any) -> Any:
    """A node as it is; data as an array of real floating-point numbers, so that no difference wraps around."""
    if isinstance(input, Node):
        return input
    array = real_array(type(loss).__name__, "input", input)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def as_data(loss: Loss, input: Any, target: Any) -> Any:
    """`target`, in the dtype of `input`: data does not decide on the dtype of a gradient. Nodes stay as they are."""
    if isinstance(target, Node):
        return target
    return real_array(type(loss).__name__, "target", target, np.asarray(plain(input)).dtype)


def weights(loss: Loss, name: str, weight: Any) -> Array | None:
    """`weight` as a new array of finite numbers from 0, or None; what is not is a TypeError or a ValueError."""
    if weight is None:
        return None
    if isinstance(weight, str):
        raise TypeError(f"{type(loss).__name__} takes {name} as an array, got {weight!r}: write reduction={weight!r}")
    array = real_array(type(loss).__name__, name, weight).astype(np.float64)
    if not ((array >= 0.0) & (array < np.inf)).all():
        wrong = array[~((array >= 0.0) & (array < np.inf))].flat[0]
        raise ValueError(f"{type(loss).__name__} needs {name} of numbers from 0, got {wrong}")
    return array
