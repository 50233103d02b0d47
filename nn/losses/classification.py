"""Losses of one class among several."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from autograd.arrays import sums
from autograd.arrays.reductions import over, softmax
from autograd.graph import Node, Primitive, value_of
from nn.losses.base import Loss, cast_target, mask_unused, weights
from nn.typing import Array
from nn.validation import floating, integer, number, numbers


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

    def _labels(self, input: Any, target: Any) -> tuple[Array, Array | None]:
        """`target` as a new array of indices into the classes of `input`, checked; and where they count, if not
        everywhere. What does not count is 0."""
        name, shape = type(self).__name__, np.shape(value_of(input))
        labels = numbers(name, "target", value_of(target))
        if labels.dtype.kind not in "iu":
            found = f"{labels.dtype} of shape {labels.shape}"
            raise TypeError(f"{name} needs class labels as integers, got {found}: use y.astype(int)")
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
        labels = target if type(target) is np.ndarray else numbers(type(self).__name__, "target", value_of(target))
        if self.weight is None:
            return float(labels.size if self.ignore_index is None else np.count_nonzero(labels != self.ignore_index))
        return float(self.weight[labels if self.ignore_index is None else labels[labels != self.ignore_index]].sum())

    def _target_distribution(self, input: Any, labels: Array, counts: Array | None, smoothing: float = 0.0) -> Any:
        """What each class of each row counts, in the shape of `input`: its probability by the checked `labels`, times its
        weight; 0 in a row that does not count."""
        x = np.asarray(value_of(input))
        axis = _axis(x.shape)
        q = np.zeros(x.shape, x.dtype)
        np.put_along_axis(q, np.expand_dims(labels, axis), 1.0, axis)
        q = self._weighed(_smoothed(q, smoothing, axis))
        return q if counts is None else q * np.expand_dims(counts, axis)

    def _weighed(self, q: Any) -> Any:
        """The target distribution `q` times the weights of the classes."""
        if self.weight is None:
            return q
        name, shape, axis = type(self).__name__, self.weight.shape, _axis(q.shape)
        if shape != (q.shape[axis],):
            raise ValueError(f"{name} needs one weight a class, got shape {shape} for {q.shape[axis]} classes")
        return q * self.weight.astype(q.dtype).reshape((-1,) + (1,) * (len(q.shape) - 1 - axis))


class CrossEntropyLoss(ClassLoss):
    """Minus the logarithm of the probability that softmax of the logits gives to the right class.

    `input` are logits of shape `(n, classes)`, `target` the n right classes as integers from 0; or `(classes,)` and
    one integer; or `(n, classes, d1, ...)` and integers of shape `(n, d1, ...)`. A `target` of floats in the shape of
    the input is a probability for each class, which may be a node. `weight` has one factor a class, by which the mean
    is weighted; labels equal to `ignore_index` do not count; `label_smoothing` spreads that much of the probability
    over all classes evenly (Szegedy et al., "Rethinking the Inception architecture", 2016).

    It never overflows; its derivative is softmax minus the target. One graph node where each row has an integer label,
    and no weights. Labels that are not integers are a TypeError; wrong shapes, and labels out of range, a ValueError.

    >>> CrossEntropyLoss()(ag.Tensor([[1e4, 0.0]]), [0]).item()
    0.0
    """

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.label_smoothing = float(number("CrossEntropyLoss", "label_smoothing", label_smoothing, least=0, most=1))

    def forward(self, input: ag.Tensor, target: Any) -> ag.Tensor:
        input = floating(type(self).__name__, input, "input")
        x = np.asarray(value_of(input))
        axis = _axis(x.shape)
        if x.ndim and x.shape[axis] == 1:
            raise ValueError(
                f"CrossEntropyLoss of one class is always 0, got logits of shape {x.shape}: for one logit a row, which says "
                "yes or no, use BCEWithLogitsLoss, or give the model an output for each class"
            )
        if _is_distribution(target, x):
            q = self._probabilities(input, target, x)
        else:
            labels, counts = self._labels(input, target)
            if counts is None and self.weight is None and not self.label_smoothing and x.ndim < 3:
                if self.reduction == "mean":
                    return _MEAN_CROSS_ENTROPY(input, labels)
                return self.reduce(_CROSS_ENTROPY(input, labels), labels.size)
            q = self._target_distribution(input, labels, counts, self.label_smoothing)
        # A row that does not count costs nothing, be its logits what they may.
        input = mask_unused(np.any(value_of(q), axis, keepdims=True), input)
        return self.reduce(_cross_entropy(q, _log_softmax(input, axis), axis), self.weight_of(input, target))

    def weight_of(self, input: Any, target: Any) -> float:
        # The common case at once, as it is asked for each batch.
        if type(target) is np.ndarray and target.dtype.kind in "iu":
            return super().weight_of(input, target)
        x = np.asarray(value_of(input))
        if not _is_distribution(target, x):
            return super().weight_of(input, target)
        return x.size / x.shape[_axis(x.shape)] if x.size else 0.0

    def _probabilities(self, input: Any, target: Any, x: Array) -> Any:
        """What each class of each row counts: the probability that floats `target` give it, times its weight."""
        shape = np.shape(value_of(target))
        if not x.ndim or shape != x.shape:
            raise ValueError(
                f"CrossEntropyLoss needs class probabilities in the shape of the logits, {x.shape}, got {shape}"
            )
        q = cast_target(self, input, target)
        if x.ndim == 1 and not isinstance(q, Node) and abs(float(q.sum()) - 1.0) > 1e-3:
            raise ValueError(
                f"CrossEntropyLoss takes shape {shape} as one example with a probability for each class, and these do not "
                "sum to 1: for a yes or no a row use BCEWithLogitsLoss, for several rows logits of shape (n, classes)"
            )
        return self._weighed(_smoothed(q, self.label_smoothing, _axis(shape)))


class NLLLoss(ClassLoss):
    """Minus the log-probability of the right class: `CrossEntropyLoss` after `ag.log_softmax(logits, 1)`.

    Shapes, weights, `ignore_index` and errors are those of `CrossEntropyLoss`.

    >>> NLLLoss()(ag.log_softmax(ag.Tensor([[1e4, 0.0]])), [1]).item()
    10000.0
    """

    def forward(self, input: ag.Tensor, target: Any) -> ag.Tensor:
        input = floating(type(self).__name__, input, "input")
        q = self._target_distribution(input, *self._labels(input, target))
        return self.reduce(_cross_entropy(q, input, _axis(q.shape)), self.weight_of(input, target))


class MultiMarginLoss(ClassLoss):
    """`sum over j ≠ y of max(0, margin - x[y] + x[j])**p / classes`, a row: the right class should win by `margin`.

    `input` are scores of shape `(n, classes)`, `target` the n right classes as integers from 0; or `(classes,)` and one
    integer. `p` is 1 or 2; `weight` has one factor a class, for rows of that class. The mean is over rows (Crammer and
    Singer, "On the algorithmic implementation of multiclass kernel-based vector machines", 2001, in PyTorch's form).

    >>> MultiMarginLoss()(ag.Tensor([[0.5, 0.0, 2.0]]), [0]).item()
    1.0
    """

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(weight, ignore_index=None, reduction=reduction)
        if integer("MultiMarginLoss", "p", p) not in (1, 2):
            raise ValueError(f"MultiMarginLoss needs p as 1 or 2, got {p!r}")
        self.p, self.margin = int(p), float(number("MultiMarginLoss", "margin", margin))

    def forward(self, input: ag.Tensor, target: Any) -> ag.Tensor:
        x = floating(type(self).__name__, input, "input")
        shape = np.shape(value_of(x))
        if len(shape) > 2:
            raise ValueError(f"MultiMarginLoss needs scores of shape (n, classes), got {shape}: reshape them")
        q = self._target_distribution(x, *self._labels(x, target))
        wrong = np.where(q, 0.0, q.sum(-1, keepdims=True))  # with the weight of the row
        right = ag.sum(ag.where(q, x, 0.0), -1, keepdims=True)
        short = ag.relu(self.margin - right + x)
        losses = ag.sum(wrong * (short if self.p == 1 else short**2), -1) / shape[-1]
        return self.reduce(losses, self.weight_of(x, target))

    def weight_of(self, input: Any, target: Any) -> float:
        return float(np.size(value_of(target)))


def _axis(shape: tuple[int, ...]) -> int:
    """Which axis has the classes."""
    return 1 if len(shape) > 1 else 0


def _is_distribution(target: Any, x: Array) -> bool:
    """Whether `target` is a probability for each class."""
    return isinstance(target, Node) or (np.shape(target) == x.shape and np.asarray(target).dtype.kind == "f")


def _smoothed(q: Any, smoothing: float, axis: int) -> Any:
    """The distributions `q`, mixed with that much of the uniform one."""
    return q * (1.0 - smoothing) + smoothing / q.shape[axis] if smoothing else q


def _cross_entropy(q: Any, log_p: Any, axis: int) -> Any:
    """`-Σ q log p` along `axis`."""
    return -ag.sum(q * mask_unused(q, log_p), axis)


def _log_softmax(x: Any, axis: int) -> Any:
    """`ag.log_softmax` from its parts, so that slopes keep their digits where a probability is 1e-300 too."""
    shifted = x - np.max(value_of(x), axis, keepdims=True)
    return shifted - ag.log(ag.sum(ag.exp(shifted), axis, keepdims=True))


# ---- One integer label a row: the common case, written out


def _at(labels: Any) -> Any:
    """The key of each row's label."""
    return (np.arange(labels.size), labels) if labels.ndim else labels


_over_all, _over_last, _over_last_kept = sums.adder(), sums.adder(-1), sums.adder(-1, True)


def _losses(x: Any, labels: Any) -> Any:
    shifted = x - x.max(-1, keepdims=True)
    chosen = shifted[_at(labels)]
    return np.log(_over_last(np.exp(shifted, out=shifted))) - chosen


def _mean_losses(x: Any, labels: Any) -> Any:
    losses = _losses(x, labels)
    count = losses.size or np.nan  # the mean of nothing is nan
    return _over_all(losses) / count if losses.itemsize > 2 else (sums.wide(losses) / count).astype(losses.dtype)


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


def _mean_rule(g: Any, z: Any, x: Any, labels: Any) -> Any:
    n = labels.size or 1
    if x.dtype == np.float16:  # in which a small g / n has few digits
        return over(g * _slope(x, labels), n)
    return over(g, n) * _slope(x, labels)


_CROSS_ENTROPY = Primitive(
    "cross_entropy", None, _losses, lambda g, z, x, y: ag.expand_dims(g, -1) * _slope(x, y), None
)
_MEAN_CROSS_ENTROPY = Primitive("cross_entropy", None, _mean_losses, _mean_rule, None)
