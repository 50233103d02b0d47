"""How far predictions are from the truth: the functions that training makes small."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from autograd.arrays.reductions import softmax
from autograd.graph import Node, Primitive
from autograd.operators import plain
from nn.module import Module

REDUCTIONS = ("mean", "sum", "none")


class Loss(Module):
    """A measure of error, brought to one number by `reduction`: "mean", "sum", or "none" to leave it as it is."""

    def __init__(self, reduction: str = "mean") -> None:
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction is one of {', '.join(map(repr, REDUCTIONS))}, got {reduction!r}")
        self.reduction = reduction

    def extra_repr(self) -> str:
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"


class MSELoss(Loss):
    """The squared difference of two arrays of one shape, averaged over all elements.

    Other shapes are a ValueError, even where they would broadcast: `(n,)` against `(n, 1)` would compare each with all.

    >>> MSELoss()(ag.Tensor([1.0, 2.0]), np.array([1.0, 4.0])).item()
    2.0
    """

    def forward(self, input: Any, target: Any) -> Any:
        shape, wanted = np.shape(plain(input)), np.shape(plain(target))
        if shape != wanted:
            raise ValueError(
                f"MSELoss compares arrays of one shape, got {shape} and {wanted}: reshape one, as with y.reshape({shape})"
            )
        if isinstance(input, ag.Tensor) and not isinstance(target, Node):
            target = np.asarray(target, input.dtype)  # data does not decide on the dtype of a gradient
        return _SQUARED_ERROR[self.reduction](input, target)


def _sum_of_squares(x: Any, y: Any) -> Any:
    difference = np.subtract(x, y)
    return np.vdot(difference, difference)


_SQUARED_ERROR = {
    "none": Primitive(
        "squared_error",
        None,
        lambda x, y: np.square(np.subtract(x, y)),
        lambda g, z, x, y: g * (2.0 * (x - y)),
        lambda g, z, x, y: g * (2.0 * (y - x)),
        elementwise=True,
    ),
    "sum": Primitive(
        "squared_error",
        None,
        _sum_of_squares,
        lambda g, z, x, y: (2.0 * g) * (x - y),
        lambda g, z, x, y: (2.0 * g) * (y - x),
    ),
    "mean": Primitive(
        "mean_squared_error",
        None,
        lambda x, y: _sum_of_squares(x, y) / (np.size(x) or np.nan),
        lambda g, z, x, y: (g * (2.0 / x.size)) * (x - y),
        lambda g, z, x, y: (g * (2.0 / x.size)) * (y - x),
    ),
}


class CrossEntropyLoss(Loss):
    """Minus the logarithm of the probability that softmax of the logits gives to the right class.

    `input` are logits of shape `(n, classes)`, `target` the n right classes as integers from 0; or `(classes,)` and
    one integer. One graph node, which never overflows; its derivative is softmax minus the one-hot target. Labels that
    are not integers are a TypeError; wrong shapes, and labels out of range, a ValueError.

    >>> CrossEntropyLoss()(ag.Tensor([[1e4, 0.0]]), [0]).item()
    0.0
    """

    def forward(self, input: Any, target: Any) -> Any:
        return _CROSS_ENTROPY[self.reduction](input, _labels(input, target))


def _labels(logits: Any, target: Any) -> np.ndarray[Any, Any]:
    """`target` as a new array of indices into the last axis of `logits`, checked."""
    shape = np.shape(plain(logits))
    labels = np.asarray(plain(target))
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"CrossEntropyLoss needs class labels as integers, got {labels.dtype} of shape {labels.shape}: use "
            "y.astype(int), or y.argmax(-1) of one-hot rows"
        )
    if not 1 <= len(shape) <= 2 or labels.shape != shape[:-1]:
        raise ValueError(
            f"CrossEntropyLoss needs logits of shape (n, classes) and n labels, got shapes {shape} and {labels.shape}: "
            "reshape with logits.reshape(-1, classes) and y.ravel()"
        )
    labels = labels.astype(np.intp)  # also a copy: what the caller does with theirs is no matter then
    classes = shape[-1]
    if labels.size and labels.view(np.uintp).max() >= classes:  # as unsigned numbers, negative ones are large
        wrong = labels[(labels < 0) | (labels >= classes)].flat[0]
        raise ValueError(
            f"CrossEntropyLoss: label {wrong} is not in 0..{classes - 1}: there are {classes} logits a row"
        )
    return labels


def _at(labels: Any) -> Any:
    """The key of each row's label."""
    return (np.arange(labels.size), labels) if labels.ndim else labels


def _losses(x: Any, labels: Any) -> Any:
    shifted = x - x.max(-1, keepdims=True)
    chosen = shifted[_at(labels)]
    return np.log(np.exp(shifted, out=shifted).sum(-1)) - chosen


def _softmax_less_one_hot(x: Any, labels: Any) -> Any:
    p = np.exp(x - x.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    p[_at(labels)] -= 1.0
    return p


def _softmax_rule(g: Any, z: Any, x: Any, labels: Any) -> Any:
    p = softmax(x)
    return p * (g - ag.sum(g * p, -1, keepdims=True))


# The derivative of a row's loss by its logits. An operation of its own, so that it can be differentiated in turn.
_slope = Primitive("softmax_less_one_hot", None, _softmax_less_one_hot, _softmax_rule, None)


def _count(labels: Any) -> Any:
    return labels.size or np.nan  # the mean of nothing is nan, as in NumPy and PyTorch


_CROSS_ENTROPY = {
    "none": Primitive("cross_entropy", None, _losses, lambda g, z, x, y: ag.expand_dims(g, -1) * _slope(x, y), None),
    "sum": Primitive(
        "cross_entropy", None, lambda x, y: _losses(x, y).sum(), lambda g, z, x, y: g * _slope(x, y), None
    ),
    "mean": Primitive(
        "cross_entropy",
        None,
        lambda x, y: _losses(x, y).sum() / x.dtype.type(_count(y)),
        lambda g, z, x, y: (g / _count(y)) * _slope(x, y),
        None,
    ),
}
