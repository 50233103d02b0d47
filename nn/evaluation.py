"""Predictions, loss and metrics of a model as it stands, without training it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import no_grad
from autograd.graph import value_of
from nn.aggregation import Metrics, batch_weight, epoch_loss, loss_value, named_metrics, prediction_array
from nn.data import Batches, batch_pairs, is_pair
from nn.modes import evaluating
from nn.module import Module
from nn.typing import Array
from nn.validation import check_callable, integer, real_array


def evaluate(model: Module, data: Any, loss: Callable[..., Any], metrics: Metrics = None) -> dict[str, float]:
    """The loss and the metrics of `model` on `data`, `(X, y)` or batches of them, in eval mode and without a graph.

    The loss is that over all the data: of an `nn.Loss` the mean over batches, weighed by what each of them counts (labels
    that are ignored do not), or their sum; a loss of another kind is taken for a mean over rows. The metrics are of all
    predictions together. The model is not changed, so that threads may share it.
    """
    model, loss, named = check_callable("evaluate", model), check_callable("loss", loss), named_metrics(metrics)
    losses, weights, predictions, targets = [], [], [], []
    with evaluating(), no_grad():
        for x, y in batch_pairs(Batches(data[0], data[1], 1024, shuffle=False) if is_pair(data) else data):
            prediction = model(x)
            losses.append(loss_value(loss(prediction, y), graph=False))
            weights.append(batch_weight(loss, prediction, x, y))
            if named:
                predictions.append(prediction_array(prediction))
                targets.append(np.asarray(value_of(y)))
    if not losses:
        raise ValueError("there is not one batch to evaluate on: the data is empty, or used up")
    results = {"loss": epoch_loss(loss, losses, weights)}
    if named:
        predicted, target = np.concatenate(predictions), np.concatenate(targets)
        results |= {name: float(metric(predicted, target)) for name, metric in named.items()}
    return results


def predict(model: Module, X: Any, batch_size: int = 1024) -> Array:
    """The predictions of `model` for the rows of `X`, as an array, computed in eval mode and without a graph.

    The model is not changed, so that threads may share it, one that trains it among them.

    >>> from nn.layers.activation import ReLU
    >>> predict(ReLU(), np.array([[-1.0], [2.0]])).tolist()
    [[0.0], [2.0]]
    """
    model, X = check_callable("predict", model), real_array("predict", "X", X)
    size = integer("predict", "batch_size", batch_size, least=1)
    if not X.ndim:
        raise ValueError("predict needs an array of rows, got one number: put it into an array, as [[x]]")
    with evaluating(), no_grad():
        parts = [prediction_array(model(X[start : start + size])) for start in range(0, max(len(X), 1), size)]
    return np.concatenate(parts)
