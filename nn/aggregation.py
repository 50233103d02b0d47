"""Losses and metrics of single batches, and their aggregation over an epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Node, Tensor
from autograd.graph import value_of
from nn.losses.base import Loss
from nn.typing import Array
from nn.validation import shown

Metrics = Mapping[str, Callable[..., float]] | Sequence[Callable[..., float]] | Callable[..., float] | None


def named_metrics(metrics: Metrics) -> dict[str, Callable[..., float]]:
    """The metrics, given as one function, a list, or a dict, by name; anything else is a TypeError."""
    given: Any = [metrics] if callable(metrics) else metrics if metrics is not None else []
    if not isinstance(given, (Mapping, Sequence)) or isinstance(given, (str, bytes)):
        raise TypeError(f"metrics are functions, as nn.accuracy: one, a list, or a dict by name, got {shown(metrics)}")
    named = dict(given) if isinstance(given, Mapping) else {_name(metric): metric for metric in given}
    for metric in named.values():
        if not callable(metric):
            raise TypeError(f"a metric is a function of predictions and targets, as nn.accuracy, got {shown(metric)}")
    return named


def _name(metric: Any) -> str:
    function = getattr(metric, "func", metric)  # a functools.partial has none of its own
    return str(getattr(function, "__name__", type(metric).__name__))


def loss_value(loss: Any, graph: bool = True) -> float:
    """The value of a loss, which must be one number, and a node where a `graph` is needed; else a ValueError."""
    if isinstance(loss, Node) and not np.ndim(loss._data):
        return float(loss._data)
    if graph or isinstance(loss, Node) or not isinstance(loss, (float, int, np.floating, np.integer)):
        shape = np.shape(loss._data) if isinstance(loss, Node) else None
        found = f"shape {shape}" if shape else f"a {type(loss).__name__}"
        with_graph = " with a graph" if graph else ""
        raise ValueError(f"the loss must be one number{with_graph}, got {found}: use reduction='mean', or .mean()")
    return float(loss)


def prediction_array(prediction: Any) -> Array:
    """A prediction without its graph; one of a leaf is a view too, so that reading it costs no copy."""
    array = prediction._data if isinstance(prediction, Tensor) else np.asarray(value_of(prediction))
    if isinstance(prediction, (tuple, list, dict)) or array.dtype == object or not array.ndim:
        raise TypeError(f"a model must give one array with a row for each of its inputs, got {shown(prediction)}")
    return array


def batch_weight(loss: Any, prediction: Any, x: Any, y: Any) -> float:
    """The weight of the loss of a batch among those of others."""
    return float(loss.weight_of(prediction, y)) if isinstance(loss, Loss) else row_count(x, y)


def row_count(x: Any, y: Any) -> int:
    """The number of rows of a batch; one without an axis of them is one row."""
    for part in (y, x):
        while isinstance(part, (tuple, dict)) and part:  # several targets
            part = next(iter(part.values() if isinstance(part, dict) else part))
        if part is not None:
            return len(part) if np.ndim(value_of(part)) else 1
    return 1


def epoch_loss(loss: Any, losses: Sequence[float], weights: Sequence[float]) -> float:
    """The loss over all batches, from the loss of each."""
    if isinstance(loss, Loss) and loss.reduction == "sum":
        return float(np.sum(losses))
    return weighted_mean(losses, weights)


def weighted_mean(values: Sequence[float], weights: Sequence[float]) -> float:
    """The weighted mean, to which a value of weight 0, were it nan, contributes nothing."""
    counted = np.asarray(weights, np.float64)
    with np.errstate(all="ignore"):
        return float(np.dot(np.where(counted > 0.0, values, 0.0), counted) / np.sum(counted))
