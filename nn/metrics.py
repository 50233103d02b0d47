"""How good predictions are, in numbers for people."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.operators import plain

Array = np.ndarray[Any, Any]


def accuracy(predictions: Any, labels: Any) -> float:
    """The share of predictions that are right.

    `predictions` are class labels `(n,)`, or logits or probabilities `(n, classes)`, of which the largest counts;
    `labels` are `(n,)`. Other shapes, and none at all, are a ValueError.

    >>> accuracy([[0.1, 0.9], [0.8, 0.2]], [1, 1])
    0.5
    """
    predicted, labels = _classes("accuracy", predictions, labels)
    return float(np.mean(predicted == labels))


def confusion_matrix(predictions: Any, labels: Any, classes: int | None = None) -> Array:
    """How often class i (row) was taken for class j (column): integers, `(classes, classes)`.

    `predictions` and `labels` as for `accuracy`, from 0. `classes` is by default as many as occur or have logits.

    >>> confusion_matrix([0, 1, 1], [0, 0, 1]).tolist()
    [[1, 1], [0, 1]]
    """
    predicted, labels = _classes("confusion_matrix", predictions, labels)
    for name, found in (("predictions", predicted), ("labels", labels)):
        if found.dtype.kind not in "iu":
            raise TypeError(f"confusion_matrix needs integer classes, got {name} of {found.dtype}: use .astype(int)")
    if classes is None:
        shape = np.shape(plain(predictions))
        classes = max(int(predicted.max()) + 1, int(labels.max()) + 1, shape[1] if len(shape) == 2 else 0)
    low, high = min(predicted.min(), labels.min()), max(predicted.max(), labels.max())
    if low < 0 or high >= classes:
        raise ValueError(f"confusion_matrix of {classes} classes: there are labels from {low} to {high}")
    flat = labels.astype(np.intp) * classes + predicted
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)


def top_k(scores: Any, labels: Any, k: int = 5) -> float:
    """The share of rows whose right class is among the `k` with the largest scores. Of equal ones, the first count.

    `scores` are `(n, classes)`, `labels` `(n,)` integers. Other shapes, and a `k` below 1, are a ValueError.

    >>> top_k([[0.1, 0.6, 0.3], [0.8, 0.1, 0.1]], [2, 1], k=2)
    1.0
    """
    scores, labels = np.asarray(plain(scores)), np.asarray(plain(labels))
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not labels.size or k < 1:
        raise ValueError(
            f"top_k needs scores (n, classes), labels (n,) and k from 1, got shapes {scores.shape} and {labels.shape}, k={k!r}"
        )
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float(np.mean((best == labels[:, None]).any(axis=1)))


def mse(predictions: Any, targets: Any) -> float:
    """The mean squared error of arrays of one shape; `(n,)` and `(n, 1)` may meet.

    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    predicted, targets = _numbers("mse", predictions, targets)
    return float(np.mean((predicted - targets) ** 2))


def r2(predictions: Any, targets: Any) -> float:
    """The share of the targets' variance that is explained: 1 is perfect, 0 no better than their mean.

    Several columns count as one mean over columns. Where targets do not vary, it is 1 if all are met, else 0.

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), r2([2.0, 2.0, 2.0], [1.0, 2.0, 3.0])
    (1.0, 0.0)
    """
    predicted, targets = _numbers("r2", predictions, targets)
    rest = ((predicted - targets) ** 2).sum(axis=0)
    total = ((targets - targets.mean(axis=0)) ** 2).sum(axis=0)
    explained = np.where(total > 0, 1.0 - rest / np.where(total > 0, total, 1.0), rest == 0)
    return float(explained.mean())


def _numbers(name: str, predictions: Any, targets: Any) -> tuple[Array, Array]:
    """Both as float64 `(n, columns)`."""
    predicted, targets = np.asarray(plain(predictions), np.float64), np.asarray(plain(targets), np.float64)
    shapes = predicted.shape, targets.shape
    predicted, targets = (x[:, None] if x.ndim == 1 else x for x in (predicted, targets))
    if predicted.shape != targets.shape or predicted.ndim != 2 or not predicted.size:
        raise ValueError(f"{name} needs predictions and targets of one shape, got {shapes[0]} and {shapes[1]}")
    return predicted, targets


def _classes(name: str, predictions: Any, labels: Any) -> tuple[Array, Array]:
    predicted, labels = np.asarray(plain(predictions)), np.asarray(plain(labels))
    if predicted.ndim == 2:
        predicted = predicted.argmax(axis=1) if predicted.shape[1] else predicted
    if predicted.shape != labels.shape or labels.ndim != 1 or not labels.size:
        raise ValueError(
            f"{name} needs predictions (n,) or (n, classes) and labels (n,), with n from 1, got shapes "
            f"{np.shape(plain(predictions))} and {labels.shape}: ravel one, or take argmax(-1) of one-hot labels"
        )
    return predicted, labels
