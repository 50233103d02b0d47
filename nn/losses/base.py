"""Base class of the losses: checked arguments, one formula, one reduction."""

from __future__ import annotations

import math
from inspect import signature
from typing import Any, ClassVar

import numpy as np

import autograd as ag
from autograd.arrays.shaping import cast
from autograd.graph import Node, value_of
from nn.module import Module
from nn.typing import Array
from nn.validation import choice, floating, real_array, shown

REDUCTIONS = ("mean", "sum", "none")


class Loss(Module):
    """A measure of error, brought to one number by `reduction`: "mean", "sum", or "none" to leave it as it is.

    A subclass gives a `formula` of two arrays of one shape, in operations that have derivatives; or a `forward`, if its
    input and target are something else, which ends in `reduce`.

    >>> class Quantile(Loss):
    ...     def formula(self, x, y):
    ...         return ag.maximum(0.9 * (y - x), 0.1 * (x - y))
    >>> Quantile("sum")(ag.Tensor([1.0, 2.0]), np.array([2.0, 1.0])).item()
    1.0
    """

    reductions: ClassVar[tuple[str, ...]] = REDUCTIONS

    def __init__(self, reduction: str = "mean") -> None:
        if not isinstance(reduction, str):
            raise TypeError(
                f"{type(self).__name__} takes reduction as one of {', '.join(map(repr, self.reductions))}, got "
                f"{shown(reduction)}: make the loss first, as in nn.{type(self).__name__}()(prediction, target)"
            )
        self.reduction = choice(type(self).__name__, "reduction", reduction, self.reductions)

    def forward(self, input: ag.Tensor, target: Any) -> ag.Tensor:
        x, y = check_same_shape(self, input, target)
        return self.reduce(self.formula(x, y), self.weight_of(x, y))

    def formula(self, x: ag.Tensor, y: ag.Tensor) -> ag.Tensor:
        """The loss of each element, for input `x` and target `y`, which have one shape."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say what it computes: define its method formula(self, x, y)"
        )

    def reduce(self, losses: ag.Tensor, total: float) -> ag.Tensor:
        """`losses` as `reduction` says; a mean is their sum divided by `total`, which is `weight_of` the batch."""
        if self.reduction == "none":
            return losses
        return ag.sum(losses) if self.reduction == "sum" else mean(losses, total)

    def weight_of(self, input: Any, target: Any) -> float:
        """What the mean over this batch is divided by, and so its weight in a mean over several: the elements."""
        return float(np.size(value_of(input)))

    def extra_repr(self) -> str:
        defaults = {name: parameter.default for name, parameter in signature(type(self)).parameters.items()}
        settings = {name: getattr(self, name, default) for name, default in defaults.items()}
        changed = [name for name, x in settings.items() if isinstance(x, (str, int, float)) and x != defaults[name]]
        return ", ".join(f"{name}={settings[name]!r}" for name in changed)


def mean(losses: ag.Tensor, total: float) -> ag.Tensor:
    """The sum of `losses` divided by `total`. The mean of nothing is nan, but its gradient 0: it moves nothing."""
    half = losses.dtype == np.float16  # whose sums overflow, and in which a large total is infinite
    whole = ag.sum(cast(losses, np.float32) if half else losses)
    result = whole / total if total else 0.0 * whole + math.nan
    return cast(result, np.float16)[()] if half else result


def check_same_shape(loss: Loss, input: Any, target: Any) -> tuple[ag.Tensor, ag.Tensor]:
    """`input`, and `target` in its dtype where it is data; a ValueError if the shapes differ."""
    if type(target) is np.ndarray and isinstance(input, ag.Tensor):  # the common case, in which all is well, at once
        raw = input._data
        if target.dtype == raw.dtype and target.shape == raw.shape:
            return input, target  # type: ignore[return-value]  # a constant
    input = floating(type(loss).__name__, input, "input")
    target = cast_target(loss, input, target)
    shape, wanted = np.shape(value_of(input)), np.shape(value_of(target))
    if shape != wanted:
        cure = f"reshape one, as with y.reshape({shape})"
        if np.size(value_of(input)) != np.size(value_of(target)):
            cure = "the model must give as many numbers a row as the targets have"
        raise ValueError(f"{type(loss).__name__} compares arrays of one shape, got {shape} and {wanted}: {cure}")
    return input, target


def cast_target(loss: Loss, input: Any, target: Any) -> Any:
    """`target`, in the dtype of `input`: data does not decide on the dtype of a gradient. Nodes stay as they are."""
    if isinstance(target, Node):
        return target
    return real_array(type(loss).__name__, "target", target, np.asarray(value_of(input)).dtype)


def check_all(values: Any, good: Any, fault: str) -> None:
    """A ValueError `fault`, which names the first of the `values` that is not `good`."""
    if not np.all(good):
        raise ValueError(fault.format(np.asarray(value_of(values))[~np.asarray(good)].flat[0]))


def mask_unused(p: Any, x: ag.Tensor) -> ag.Tensor:
    """`x`, but 0 where it is infinite or nan and `p` is 0, so that it counts for nothing in `p * x`."""
    finite = np.isfinite(value_of(x))
    return x if finite.all() else ag.where(finite | (value_of(p) != 0.0), x, 0.0)


def weights(loss: Loss, name: str, weight: Any) -> Array | None:
    """`weight` as a new array of finite numbers from 0, or None; what is not is a TypeError or a ValueError."""
    if weight is None:
        return None
    if isinstance(weight, str):
        raise TypeError(f"{type(loss).__name__} takes {name} as an array, got {weight!r}: write reduction={weight!r}")
    array = real_array(type(loss).__name__, name, weight).astype(np.float64)
    fault = f"{type(loss).__name__} needs {name} of numbers from 0, got {{}}"
    check_all(array, (array >= 0.0) & (array < np.inf), fault)
    return array
