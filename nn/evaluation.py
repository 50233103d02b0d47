"""What a model is worth as it stands: its predictions, loss and metrics, without training it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd import Node, Tensor, no_grad
from nn.data import Batches
from nn.module import Module

Array = np.ndarray[Any, Any]
Metrics = Mapping[str, Callable[..., float]] | Sequence[Callable[..., float]] | Callable[..., float] | None


def evaluate(model: Module, data: Any, loss: Callable[..., Any], metrics: Metrics = None) -> dict[str, float]:
    """The loss and the metrics of `model` on `data`, `(X, y)` or batches of them, in eval mode and without a graph.

    The loss is the mean over batches, weighed by their rows; the metrics are of all predictions together.
    """
    named = by_name(metrics)
    losses, rows, predictions, truths = [], [], [], []
    with _in_eval_mode(model), no_grad():
        for x, y in Batches(data[0], data[1], 1024, shuffle=False) if is_pair(data) else data:
            prediction = model(x)
            losses.append(number(loss(prediction, y)))
            rows.append(len(y))
            if named:
                predictions.append(array_of(prediction))
                truths.append(np.asarray(y))
    if not rows:
        raise ValueError("there is not one batch to evaluate on: the data is empty, or used up")
    figures = {"loss": mean(losses, rows)}
    if named:
        predicted, truth = np.concatenate(predictions), np.concatenate(truths)
        figures |= {name: float(metric(predicted, truth)) for name, metric in named.items()}
    return figures


def predict(model: Module, X: Any, batch_size: int = 1024) -> Array:
    """What `model` gives for the rows of `X`, as an array, computed in eval mode and without a graph.

    >>> from nn.layers.activation import ReLU
    >>> predict(ReLU(), np.array([[-1.0], [2.0]])).tolist()
    [[0.0], [2.0]]
    """
    X = np.asarray(X)
    with _in_eval_mode(model), no_grad():
        parts = [array_of(model(X[start : start + batch_size])) for start in range(0, max(len(X), 1), batch_size)]
    return np.concatenate(parts)


def is_pair(data: Any) -> bool:
    """Whether these are arrays `(X, y)`, and not batches: two batches would be a tuple of pairs."""
    return isinstance(data, tuple) and len(data) == 2 and not any(isinstance(part, tuple) for part in data)


def number(loss: Any) -> float:
    if not isinstance(loss, Node) or np.ndim(loss.raw):
        shape = np.shape(loss.raw) if isinstance(loss, Node) else None
        found = f"shape {shape}" if shape else f"a {type(loss).__name__}"
        raise ValueError(f"the loss must be one number with a graph, got {found}: use reduction='mean', or .mean()")
    return float(loss.raw)


def array_of(prediction: Any) -> Array:
    """A prediction without its graph; one of a leaf is a view too, so that reading it costs no copy."""
    return prediction.raw if isinstance(prediction, Tensor) else np.asarray(prediction)


def mean(values: Sequence[float], rows: Sequence[float]) -> float:
    with np.errstate(all="ignore"):
        return float(np.dot(values, rows) / np.sum(rows))


def by_name(metrics: Metrics) -> dict[str, Callable[..., float]]:
    if metrics is None:
        return {}
    if callable(metrics):
        metrics = [metrics]
    if isinstance(metrics, Mapping):
        return dict(metrics)
    return {getattr(metric, "__name__", type(metric).__name__): metric for metric in metrics}


@contextmanager
def _in_eval_mode(model: Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
