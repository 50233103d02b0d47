"""Losses of one class among several."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import autograd as ag
from autograd.arrays import sums
from autograd.arrays.reductions import softmax
from autograd.graph import Node, Primitive
from autograd.operators import plain
from nn.losses.base import Array, Loss, as_data, as_input, mean, shared, weights
from nn.validation import integer, number, numbers


class ClassLoss(Loss):
    """A loss with integer labels, weights of the classes, and a label that does not count."""

    def __init__(self, weight: Any = None, *, ignore_index: int | None = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = weights(self, "weight", weight)
        if self.weight is not None and self.weight.ndim != 1:
            raise ValueError(f"{type(self).__name__} needs one weight a class, got shape {self.weight.shape}")
        self.ignore_index = ignore_index
        if ignore_index is not None:
            self.ignore_index = integer(type(self).__name__, "ignore_index", ignore_index)

    def labels(self, input: Any, target: Any) -> tuple[Array, Array | None]:
        """`target` as a new array of indices into the classes of `input`, checked; and where they count, if not
        everywhere. What does not count is 0."""
        name, shape = type(self).__name__, np.shape(plain(input))
        labels = numbers(name, "target", plain(target))
        if labels.dtype.kind not in "iu":
            raise TypeError(
                f"{name} needs class labels as integers, got {labels.dtype} of shape {labels.shape}: use y.astype(int)"
            )
        if not shape or labels.shape != (*shape[:1], *shape[2:])[len(shape) == 1 :]:
            raise ValueError(
                f"{name} needs input of shape (n, classes) and n labels, got shapes {shape} and {labels.shape}: "
                "reshape with logits.reshape(-1, classes) and y.ravel(), or move the classes to axis 1; of one-hot rows "
                "take y.argmax(-1)"
            )
        labels = labels.astype(np.intp)  # also a copy: what the caller does with theirs is no matter then
        classes = shape[_axis(shape)]
        counts = None
        if labels.size and labels.view(np.uintp).max() >= classes:  # as unsigned numbers, negative ones are large
            counts = labels != self.ignore_index
            labels[~counts] = 0
            if labels.view(np.uintp).max() >= classes:
                wrong = labels[(labels < 0) | (labels >= classes)].flat[0]
                raise ValueError(f"{name}: label {wrong} is not in 0..{classes - 1}: there are {classes} classes")
        elif self.ignore_index is not None and 0 <= self.ignore_index < classes:
            counts = labels != self.ignore_index
        return labels, counts

    def weight_of(self, input: Any, target: Any) -> float:
        """The sum of the weights of the labels that count."""
        labels = target if type(target) is np.ndarray else numbers(type(self).__name__, "target", plain(target))
        if self.weight is None:
            return float(labels.size if self.ignore_index is None else np.count_nonzero(labels != self.ignore_index))
        return float(self.weight[labels if self.ignore_index is None else labels[labels != self.ignore_index]].sum())

    def class_weights(self, input: Any) -> Array | None:
        """The weights in the dtype of `input`, in a shape that broadcasts against it."""
        if self.weight is None:
            return None
        x = np.asarray(plain(input))
        axis = _axis(x.shape)
        if self.weight.shape != (x.shape[axis],):
            raise ValueError(
                f"{type(self).__name__} needs one weight a class, got shape {self.weight.shape} for {x.shape[axis]} classes"
            )
        return self.weight.astype(x.dtype).reshape((-1,) + (1,) * (x.ndim - 1 - axis))

    def shares(self, input: Any, target: Any, smoothing: float = 0.0) -> tuple[Array, float]:
        """What each class of each row counts, in the shape of `input`, by integer labels; and the sum of the weights."""
        labels, counts = self.labels(input, target)
        x = np.asarray(plain(input))
        axis = _axis(x.shape)
        places = np.expand_dims(labels, axis)
        q = np.zeros(x.shape, x.dtype)
        np.put_along_axis(q, places, 1.0, axis)
        if smoothing:
            q *= 1.0 - smoothing
            q += smoothing / x.shape[axis]
        w = self.class_weights(input)
        if w is not None:
            q *= w
        if counts is not None:
            q *= np.expand_dims(counts, axis)
        if w is None:
            return q, float(labels.size if counts is None else counts.sum())
        of_labels = w.ravel()[labels]
        return q, float(sums.wide(of_labels if counts is None else of_labels * counts))


class CrossEntropyLoss(ClassLoss):
    """Minus the logarithm of the probability that softmax of the logits gives to the right class.

    `input` are logits of shape `(n, classes)`, `target` the n right classes as integers from 0; or `(classes,)` and
    one integer; or `(n, classes, d1, ...)` and integers of shape `(n, d1, ...)`. A `target` of floats in the shape of
    the input is a probability for each class, which may be a node. `weight` has one factor a class, by which the mean
    is weighted; labels equal to `ignore_index` do not count; `label_smoothing` spreads that share of the truth over
    all classes evenly (Szegedy et al., "Rethinking the Inception architecture", 2016).

    One graph node, which never overflows; its derivative is softmax minus the truth. Labels that are not integers are
    a TypeError; wrong shapes, and labels out of range, a ValueError.

    >>> CrossEntropyLoss()(ag.Tensor([[1e4, 0.0]]), [0]).item()
    0.0
    """

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.label_smoothing = float(number("CrossEntropyLoss", "label_smoothing", label_smoothing, least=0, most=1))

    def forward(self, input: ag.Tensor, target: Any) -> ag.Tensor:
        input = as_input(self, input)
        x = np.asarray(plain(input))
        if x.ndim and x.shape[_axis(x.shape)] == 1:
            raise ValueError(
                f"CrossEntropyLoss of one class is always 0, got logits of shape {x.shape}: for one logit a row, which says "
                "yes or no, use BCEWithLogitsLoss, or give the model an output for each class"
            )
        if isinstance(target, Node) or (np.shape(target) == x.shape and np.asarray(target).dtype.kind == "f"):
            q, total = self._probabilities(input, target, x)
        elif self.weight is None and not self.label_smoothing and x.ndim in (1, 2):
            labels, counts = self.labels(input, target)
            if counts is None:
                return _CROSS_ENTROPY[self.reduction](input, labels)
            q, total = self.shares(input, target)
        else:
            q, total = self.shares(input, target, self.label_smoothing)
        return _soft_cross_entropy(_axis(x.shape), self.reduction)(input, q, total)

    def weight_of(self, input: Any, target: Any) -> float:
        if type(target) is np.ndarray and target.dtype.kind in "iu":
            return super().weight_of(input, target)
        x = np.asarray(plain(input))
        if isinstance(target, Node) or (np.shape(target) == x.shape and np.asarray(target).dtype.kind == "f"):
            return x.size / x.shape[_axis(x.shape)] if x.size else 0.0
        return super().weight_of(input, target)

    def _probabilities(self, input: Any, target: Any, x: Array) -> tuple[Any, float]:
        shape = np.shape(plain(target))
        if not x.ndim or shape != x.shape:
            raise ValueError(
                f"CrossEntropyLoss needs class probabilities in the shape of the logits, {x.shape}, got {shape}"
            )
        q = as_data(self, input, target)
        if x.ndim == 1 and not isinstance(q, Node) and abs(float(q.sum()) - 1.0) > 1e-3:
            raise ValueError(
                f"CrossEntropyLoss takes shape {shape} as one example with a probability for each class, and these do not "
                "sum to 1: for a yes or no a row use BCEWithLogitsLoss, for several rows logits of shape (n, classes)"
            )
        if self.label_smoothing:
            q = q * (1.0 - self.label_smoothing) + self.label_smoothing / x.shape[_axis(x.shape)]
        w = self.class_weights(input)
        return (q if w is None else q * w), (x.size / x.shape[_axis(x.shape)] if x.size else 0.0)

    def extra_repr(self) -> str:
        smoothing = f"label_smoothing={self.label_smoothing}" if self.label_smoothing else ""
        return ", ".join(filter(None, [super().extra_repr(), smoothing]))


class NLLLoss(ClassLoss):
    """Minus the log-probability of the right class: `CrossEntropyLoss` after `ag.log_softmax(logits, 1)`.

    Shapes, weights, `ignore_index` and errors are those of `CrossEntropyLoss`.

    >>> NLLLoss()(ag.log_softmax(ag.Tensor([[1e4, 0.0]])), [1]).item()
    10000.0
    """

    def forward(self, input: ag.Tensor, target: Any) -> ag.Tensor:
        input = as_input(self, input)
        q, total = self.shares(input, target)
        return _nll(_axis(np.shape(plain(input))), self.reduction)(input, q, total)


def _axis(shape: tuple[int, ...]) -> int:
    """Which axis has the classes."""
    return 1 if len(shape) > 1 else 0


def _mean(total: Any) -> Any:
    return total or np.nan  # the mean of nothing is nan, as in NumPy and PyTorch


# ---- One integer label a row: the common case, written out


def _at(labels: Any) -> Any:
    """The key of each row's label."""
    return (np.arange(labels.size), labels) if labels.ndim else labels


_over_last, _over_last_kept = sums.adder(-1), sums.adder(-1, True)


def _losses(x: Any, labels: Any) -> Any:
    shifted = x - x.max(-1, keepdims=True)
    chosen = shifted[_at(labels)]
    return np.log(_over_last(np.exp(shifted, out=shifted))) - chosen


def _softmax_less_one_hot(x: Any, labels: Any) -> Any:
    p = np.exp(x - x.max(-1, keepdims=True))
    p /= _over_last_kept(p)
    p[_at(labels)] -= 1.0
    return p


def _softmax_rule(g: Any, z: Any, x: Any, labels: Any) -> Any:
    p = softmax(x)
    return p * (g - ag.sum(g * p, -1, keepdims=True))


# The derivative of a row's loss by its logits. An operation of its own, so that it can be differentiated in turn.
_slope = Primitive("softmax_less_one_hot", None, _softmax_less_one_hot, _softmax_rule, None)


def _mean_slope(g: Any, x: Any, labels: Any) -> Any:
    if x.dtype == np.float16:  # which has few digits for a small g / n
        return shared(g * _slope(x, labels), labels.size)
    return shared(g, labels.size) * _slope(x, labels)


_CROSS_ENTROPY = {
    "none": Primitive("cross_entropy", None, _losses, lambda g, z, x, y: ag.expand_dims(g, -1) * _slope(x, y), None),
    "sum": Primitive(
        "cross_entropy", None, lambda x, y: sums.add(_losses(x, y)), lambda g, z, x, y: g * _slope(x, y), None
    ),
    "mean": Primitive(
        "cross_entropy",
        None,
        lambda x, y: mean(_losses(x, y)),
        lambda g, z, x, y: _mean_slope(g, x, y),
        None,
    ),
}

# ---- A share of the truth for each class: probabilities, smoothed labels, weights, and labels that do not count


def reduced(name: str, axis: int, reduction: str, forward: Any, by_x: Any, by_q: Any) -> Primitive:
    """An operation `(x, q, total)` with a loss a row, of which the mean is the sum divided by `total`."""

    def spread(g: Any, total: Any) -> Any:
        return ag.expand_dims(g, axis) if reduction == "none" else shared(g, total) if reduction == "mean" else g

    def reduce(losses: Any, total: Any) -> Any:
        if reduction == "none":
            return losses
        return mean(losses, total) if reduction == "mean" else sums.add(losses)

    return Primitive(
        name,
        None,
        lambda x, q, total: reduce(forward(x, q), total),
        lambda g, z, x, q, total: spread(g, total) * by_x(x, q),
        by_q and (lambda g, z, x, q, total: spread(g, total) * by_q(x, q)),
        None,
    )


def _dot(q: Any, x: Any, axis: int) -> Any:
    """`sum(q * x)` along `axis`, where a class of share 0 may have the log-probability -inf."""
    return sums.add(q * np.where(q, x, np.zeros_like(x)), axis)


@cache
def _soft_cross_entropy(axis: int, reduction: str) -> Primitive:
    def forward(x: Any, q: Any) -> Any:
        rows = sums.add(q, axis)
        if not rows.all():  # a row that does not count is 0, be its logits what they may
            x = np.where(np.expand_dims(rows, axis), x, np.zeros_like(x))
        shifted = x - x.max(axis, keepdims=True)
        return np.log(sums.add(np.exp(shifted), axis)) * rows - _dot(q, shifted, axis)

    def slope(x: Any, q: Any) -> Any:
        rows = ag.sum(q, axis, keepdims=True)
        return ag.where(rows, ag.softmax(x, axis) * rows, 0.0) - q

    return reduced(
        "cross_entropy",
        axis,
        reduction,
        forward,
        slope,
        lambda x, q: -ag.log_softmax(x, axis),
    )


@cache
def _nll(axis: int, reduction: str) -> Primitive:
    return reduced("nll", axis, reduction, lambda x, q: -_dot(q, np.asarray(x), axis), lambda x, q: -q, lambda x, q: -x)
