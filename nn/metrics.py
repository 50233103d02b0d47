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
