"""What all losses have in common: a reduction, checked arguments, and one node of the graph each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

import autograd as ag
from autograd.graph import Node, Primitive, Rule
from autograd.operators import plain
from nn.module import Module

REDUCTIONS = ("mean", "sum", "none")

Array = np.ndarray[Any, Any]


class Loss(Module):
    """A measure of error, brought to one number by `reduction`: "mean", "sum", or "none" to leave it as it is."""

    reductions: ClassVar[tuple[str, ...]] = REDUCTIONS

    def __init__(self, reduction: str = "mean") -> None:
        if reduction not in self.reductions:
            raise ValueError(f"reduction is one of {', '.join(map(repr, self.reductions))}, got {reduction!r}")
        self.reduction = reduction

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
        "sum": Primitive(name, None, lambda *args: np.sum(forward(*args)), *rules(lambda g, x: g)),
        "mean": Primitive(
            f"mean_{name}",
            None,
            lambda *args: np.sum(forward(*args)) / (np.size(args[0]) or np.nan),  # the mean of nothing is nan
            *rules(lambda g, x: g / x.size),
        ),
    }


def _rule(scale: Callable[[Any, Any], Any], slope: Callable[..., Any]) -> Rule:
    return lambda g, z, *args: scale(g, args[0]) * slope(*args)


def of_one_shape(loss: Loss, input: Any, target: Any) -> Any:
    """`target`, in the dtype of `input` where it is data, or a ValueError if the shapes differ."""
    shape, wanted = np.shape(plain(input)), np.shape(plain(target))
    if shape != wanted:
        raise ValueError(
            f"{type(loss).__name__} compares arrays of one shape, got {shape} and {wanted}: reshape one, as with "
            f"y.reshape({shape})"
        )
    return as_data(input, target)


def as_data(input: Any, target: Any) -> Any:
    """`target`, in the dtype of `input`: data does not decide on the dtype of a gradient. Nodes stay as they are."""
    if isinstance(target, Node):
        return target
    if isinstance(input, ag.Tensor):
        return np.asarray(target, input.dtype)
    return np.asarray(target, np.result_type(np.asarray(plain(input)), np.float16))


def weights(loss: Loss, name: str, weight: Any) -> Array | None:
    """`weight` as an array of numbers from 0, or None; what is not is a TypeError or a ValueError."""
    if weight is None:
        return None
    if isinstance(weight, str):
        raise TypeError(f"{type(loss).__name__} takes {name} as an array, got {weight!r}: write reduction={weight!r}")
    array = np.asarray(plain(weight), np.float64)
    if not (array >= 0.0).all():
        raise ValueError(f"{type(loss).__name__} needs {name} of numbers from 0, got {array[~(array >= 0.0)].flat[0]}")
    return array
