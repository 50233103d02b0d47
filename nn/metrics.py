"""Metrics of predictions: accuracy, confusion matrix, errors and explained variance."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arguments import check_unmasked
from autograd.arrays import sums
from autograd.graph import value_of
from nn.typing import Array
from nn.validation import integer, number, real_array


def accuracy(
    predictions: Any, labels: Any, *, threshold: float | None = None, ignore_index: int | None = None
) -> float:
    """The fraction of predictions that are right.

    `predictions` are class labels `(n,)`, or logits or probabilities `(n, classes)`, of which the largest counts;
    `labels` are `(n,)`, and both may be one column `(n, 1)`. One number a row for classes 0 and 1 needs a `threshold`,
    above which it means 1: 0 for logits, 0.5 for probabilities; without, it is a ValueError, for the two cannot be told
    apart. A row with a nan is never right. Labels equal to `ignore_index` do not count; where none does, it is nan. Other
    shapes, no rows, and labels that are not among the classes are a ValueError.

    >>> accuracy([[0.1, 0.9], [0.8, 0.2]], [1, 1])
    0.5
    >>> accuracy([2.0, -1.0], [1, 1], threshold=0.0)
    0.5
    """
    predicted, known, labels = _classes("accuracy", predictions, labels, threshold, ignore_index)
    return float(np.mean(known & (predicted == labels))) if labels.size else float("nan")


def confusion_matrix(
    predictions: Any, labels: Any, classes: int | None = None, *, threshold: float | None = None
) -> Array:
    """Counts of how often class i (row) was taken for class j (column): integers, `(classes, classes)`.

    `predictions`, `labels` and `threshold` as for `accuracy`, classes from 0; a nan among the predictions is a ValueError.
    `classes` is by default as many as occur or have logits.

    >>> confusion_matrix([0, 1, 1], [0, 0, 1]).tolist()
    [[1, 1], [0, 1]]
    """
    predicted, known, labels = _classes("confusion_matrix", predictions, labels, threshold, None)
    shape = np.shape(value_of(predictions))
    for name, found in (("predictions", predicted), ("labels", labels)):
        if found.dtype.kind not in "iub":
            raise TypeError(f"confusion_matrix needs integer classes, got {name} of {found.dtype}: use .astype(int)")
    if not known.all():
        raise ValueError(f"confusion_matrix: row {int(np.argmin(known))} of the predictions has a nan, and so no class")
    low, high = min(int(predicted.min()), int(labels.min())), max(int(predicted.max()), int(labels.max()))
    if classes is None:
        classes = max(high + 1, shape[1] if len(shape) == 2 and shape[1] > 1 else 2 if threshold is not None else 0)
        if high >= 10_000:
            raise ValueError(f"confusion_matrix: there is a label {high}; if there are that many classes, pass them")
    classes = integer("confusion_matrix", "classes", classes, least=1)
    if classes > MAX_CLASSES:
        raise ValueError(f"confusion_matrix: classes must be at most {MAX_CLASSES:,}, got {classes:,}")
    if low < 0 or high >= classes:
        raise ValueError(f"confusion_matrix of {classes} classes: there are labels from {low} to {high}")
    flat = labels.astype(np.intp) * classes + predicted.astype(np.intp)
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)


MAX_CLASSES = 100_000  # of a matrix that fits into memory


def top_k(scores: Any, labels: Any, k: int = 5) -> float:
    """The fraction of rows whose right class is among the `k` with the largest scores. Of equal ones, the first count.

    `scores` are `(n, classes)`, `labels` `(n,)` integers. A row with a nan is never right. Other shapes, a `k` below 1,
    and labels that are not among the classes are a ValueError.

    >>> top_k([[0.1, 0.6, 0.3], [0.8, 0.1, 0.1]], [2, 1], k=2)
    1.0
    """
    scores, labels = real_array("top_k", "scores", scores), real_array("top_k", "labels", labels)
    k = integer("top_k", "k", k)
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not scores.size or k < 1:
        raise ValueError(
            f"top_k needs scores (n, classes), labels (n,) and k from 1, got shapes {scores.shape} and {labels.shape}, k={k!r}"
        )
    labels = _among("top_k", labels, scores.shape[1])
    # From the last class to the first, so that of equal scores the first comes out best; unsigned ones have no minus.
    best = scores.shape[1] - 1 - np.argsort(scores[:, ::-1], axis=1, kind="stable")[:, ::-1][:, :k]
    return float(np.mean((best == labels[:, None]).any(axis=1) & ~np.isnan(scores).any(axis=1)))


def mse(predictions: Any, targets: Any) -> float:
    """The mean squared error of arrays of one shape; `(n,)` and `(n, 1)` may meet. With a nan, it is nan.

    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    predicted, targets = _numbers("mse", predictions, targets)
    with np.errstate(all="ignore"):
        return float(sums.mean((predicted - targets) ** 2))


def r2(predictions: Any, targets: Any) -> float:
    """The fraction of the targets' variance that is explained: 1 is perfect, 0 no better than their mean.

    Several columns count as one mean over columns. Where targets do not vary, it is 1 if all are met, else 0. With a
    nan, it is nan.

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), r2([2.0, 2.0, 2.0], [1.0, 2.0, 3.0])
    (1.0, 0.0)
    """
    predicted, targets = _numbers("r2", predictions, targets)
    with np.errstate(all="ignore"):
        constant = (targets == targets[0]).all(axis=0)  # exactly: rounding leaves a tiny variance
        about = targets - sums.mean(targets, 0)
        scale = np.where(constant, 1.0, np.abs(about).max(axis=0))  # so that the squares do not over- or underflow
        rest, total = (sums.add((x / scale) ** 2, 0) for x in (predicted - targets, about))
        met = np.where(np.isnan(rest), rest, rest == 0)
        explained = np.where(constant, met, 1.0 - rest / np.where(constant, 1.0, total))
    return float(explained.mean())


def _numbers(name: str, predictions: Any, targets: Any) -> tuple[Array, Array]:
    """Both as float64 `(n, columns)`."""
    predicted = real_array(name, "predictions", predictions, np.float64)
    targets = real_array(name, "targets", targets, np.float64)
    shapes = predicted.shape, targets.shape
    predicted, targets = (x[:, None] if x.ndim == 1 else x for x in (predicted, targets))
    if predicted.shape != targets.shape or predicted.ndim != 2 or not predicted.size:
        raise ValueError(f"{name} needs predictions and targets of one shape, got {shapes[0]} and {shapes[1]}")
    return predicted, targets


def _classes(
    name: str, predictions: Any, labels: Any, threshold: float | None, ignore_index: int | None
) -> tuple[Array, Array, Array]:
    """The class that each row is predicted to be, whether it is known, for a nan is not, and which is right."""
    predicted, labels = _named(name, "predictions", predictions), _named(name, "labels", labels)
    shapes = predicted.shape, labels.shape
    threshold = None if threshold is None else number(name, "threshold", threshold)
    if predicted.ndim == 2 and predicted.shape[1] == 1:  # one column: as one number a row
        predicted = predicted[:, 0]
        labels = labels[:, 0] if labels.shape == shapes[0] else labels
    if predicted.ndim not in (1, 2) or not predicted.size or labels.shape != predicted.shape[:1]:
        raise ValueError(
            f"{name} needs predictions (n,) or (n, classes) and labels (n,), with n from 1, got shapes "
            f"{shapes[0]} and {shapes[1]}: ravel one, or take argmax(-1) of one-hot labels"
        )
    if (predicted.dtype.kind == "U") != (labels.dtype.kind == "U"):
        raise TypeError(f"{name} compares {predicted.dtype} with {labels.dtype}: pass labels of one kind")
    if ignore_index is not None:
        counts = labels != integer(name, "ignore_index", ignore_index)
        predicted, labels = predicted[counts], labels[counts]
    known = ~np.isnan(predicted) if predicted.dtype.kind == "f" else np.ones(predicted.shape, bool)
    if predicted.ndim == 2:
        if threshold is not None:
            raise ValueError(f"{name}: a threshold is for one number a row, got predictions of shape {shapes[0]}")
        labels = _among(name, labels, predicted.shape[1])
        return predicted.argmax(axis=1), np.all(known, axis=1), labels
    if labels.dtype.kind != "U":
        _whole(name, labels)
    if threshold is not None:
        return predicted > threshold, known, _among(name, labels, 2)
    if predicted.dtype.kind == "f" and not _are_classes(predicted[known], labels):
        raise ValueError(
            f"{name} got one number a row, {float(predicted[known][0]):.4g} and so on, that is no class label: pass "
            "threshold=0.0 if they are logits, threshold=0.5 if they are probabilities"
        )
    return predicted, known, labels


def _are_classes(predicted: Array, labels: Array) -> bool:
    """Whether floats can be nothing but labels: whole, and not logits of two classes, whose sign would count."""
    whole = not predicted.size or bool((predicted == np.floor(predicted)).all())
    two = bool(((labels == 0) | (labels == 1)).all())
    return whole and (not two or bool(((predicted == 0) | (predicted == 1)).all()))


def _among(name: str, labels: Array, classes: int) -> Array:
    """`labels`, which must be whole numbers from 0 to below `classes`."""
    if labels.dtype.kind == "U":
        raise TypeError(f"{name} needs integers as labels, got {labels.dtype}: np.unique(y, return_inverse=True)")
    wrong = labels[~((labels >= 0) & (labels < classes))]
    if wrong.size:
        raise ValueError(
            f"{name}: label {wrong.flat[0]} is not in 0..{classes - 1}: leave such rows out, as with scores[y >= 0], or "
            "number the classes from 0"
        )
    return _whole(name, labels)


def _whole(name: str, labels: Array) -> Array:
    if labels.dtype.kind == "f" and (wrong := labels[labels != np.floor(labels)]).size:
        raise ValueError(f"{name} needs class labels, whole numbers, got {wrong[0]}: of one-hot rows take argmax(-1)")
    return labels


def _named(name: str, which: str, x: Any) -> Array:
    """Numbers, or the names of classes."""
    check_unmasked(name, which, x)
    try:
        x = np.asarray(value_of(x))
    except (TypeError, ValueError):
        return real_array(name, which, x)  # which says what is wrong
    if x.dtype.kind == "O" and x.size and all(isinstance(member, str) for member in x.flat):
        x = x.astype(str)
    return x if x.dtype.kind == "U" else real_array(name, which, x)
