"""What a model is worth as it stands: its predictions, loss and metrics, without training it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Node, Tensor, no_grad
from autograd.operators import plain
from nn.data import Batches
from nn.losses.base import Loss
from nn.modes import evaluating
from nn.module import Module
from nn.typing import Array
from nn.validation import integer, real_array, shown

Metrics = Mapping[str, Callable[..., float]] | Sequence[Callable[..., float]] | Callable[..., float] | None


def evaluate(model: Module, data: Any, loss: Callable[..., Any], metrics: Metrics = None) -> dict[str, float]:
    """The loss and the metrics of `model` on `data`, `(X, y)` or batches of them, in eval mode and without a graph.

    The loss is that over all the data: of an `nn.Loss` the mean over batches, weighed by what each of them counts (labels
    that are ignored do not), or their sum; a loss of another kind is taken for a mean over rows. The metrics are of all
    predictions together. The model is not changed, so that threads may share it.
    """
    model, loss, named = called("evaluate", model), called("loss", loss), by_name(metrics)
    losses, weights, predictions, truths = [], [], [], []
    with evaluating(), no_grad():
        for x, y in pairs(Batches(data[0], data[1], 1024, shuffle=False) if is_pair(data) else data):
            prediction = model(x)
            losses.append(number(loss(prediction, y), graph=False))
            weights.append(weight(loss, prediction, x, y))
            if named:
                predictions.append(array_of(prediction))
                truths.append(np.asarray(plain(y)))
    if not losses:
        raise ValueError("there is not one batch to evaluate on: the data is empty, or used up")
    figures = {"loss": over_all(loss, losses, weights)}
    if named:
        predicted, truth = np.concatenate(predictions), np.concatenate(truths)
        figures |= {name: float(metric(predicted, truth)) for name, metric in named.items()}
    return figures


def predict(model: Module, X: Any, batch_size: int = 1024) -> Array:
    """What `model` gives for the rows of `X`, as an array, computed in eval mode and without a graph.

    The model is not changed, so that threads may share it, one that trains it among them.

    >>> from nn.layers.activation import ReLU
    >>> predict(ReLU(), np.array([[-1.0], [2.0]])).tolist()
    [[0.0], [2.0]]
    """
    model, X = called("predict", model), real_array("predict", "X", X)
    size = integer("predict", "batch_size", batch_size, least=1)
    if not X.ndim:
        raise ValueError("predict needs an array of rows, got one number: put it into an array, as [[x]]")
    with evaluating(), no_grad():
        parts = [array_of(model(X[start : start + size])) for start in range(0, max(len(X), 1), size)]
    return np.concatenate(parts)


def called(name: str, function: Any) -> Any:
    """`function`, a model or a loss, or a TypeError where it cannot be called, or is a class."""
    if isinstance(function, type):
        raise TypeError(f"{name} needs an instance, got the class {function.__name__}: write {function.__name__}(...)")
    if not callable(function):
        raise TypeError(f"{name} needs a module or a function, as nn.MSELoss() is one, got {shown(function)}")
    return function


def is_pair(data: Any) -> bool:
    """Whether these are arrays `(X, y)`, and not batches: two batches would be a tuple of pairs."""
    return isinstance(data, tuple) and len(data) == 2 and not any(isinstance(part, tuple) for part in data)


def pairs(data: Any) -> Iterator[Any]:
    """The batches, each of which must be a pair `(x, y)`."""
    return map(_pair, iter(batched(data)))


def batched(data: Any) -> Any:
    """`data`, which can be iterated over for batches, or a TypeError. (Iterating may draw random numbers: not tried.)"""
    iterable = hasattr(data, "__iter__") or hasattr(data, "__getitem__")
    if not iterable or isinstance(data, (np.ndarray, Node, str, dict, type)):
        raise TypeError(f"data is a pair of arrays (X, y), or gives batches (x, y), got {shown(data)}: write (X, y)")
    return data


def _pair(batch: Any) -> Any:
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        raise TypeError(f"a batch is a pair (x, y), got {shown(batch)}: pass arrays as a tuple (X, y)")
    return batch


def number(loss: Any, graph: bool = True) -> float:
    """The value of a loss, which must be one number, and a node where a `graph` is needed."""
    if isinstance(loss, Node) and not np.ndim(loss.raw):
        return float(loss.raw)
    if graph or isinstance(loss, Node) or not isinstance(loss, (float, int, np.floating, np.integer)):
        shape = np.shape(loss.raw) if isinstance(loss, Node) else None
        found = f"shape {shape}" if shape else f"a {type(loss).__name__}"
        with_graph = " with a graph" if graph else ""
        raise ValueError(f"the loss must be one number{with_graph}, got {found}: use reduction='mean', or .mean()")
    return float(loss)


def array_of(prediction: Any) -> Array:
    """A prediction without its graph; one of a leaf is a view too, so that reading it costs no copy."""
    array = prediction.raw if isinstance(prediction, Tensor) else np.asarray(plain(prediction))
    if isinstance(prediction, (tuple, list, dict)) or array.dtype == object or not array.ndim:
        raise TypeError(f"a model must give one array with a row for each of its inputs, got {shown(prediction)}")
    return array


def weight(loss: Any, prediction: Any, x: Any, y: Any) -> float:
    """What the loss of a batch counts among those of others."""
    return float(loss.weight_of(prediction, y)) if isinstance(loss, Loss) else rows(x, y)


def rows(x: Any, y: Any) -> int:
    """How many rows a batch has; one without an axis of them is one row."""
    for part in (y, x):
        while isinstance(part, (tuple, dict)) and part:  # several targets
            part = next(iter(part.values() if isinstance(part, dict) else part))
        if part is not None:
            return len(part) if np.ndim(plain(part)) else 1
    return 1


def over_all(loss: Any, losses: Sequence[float], weights: Sequence[float]) -> float:
    """The loss over all batches, of that of each."""
    if isinstance(loss, Loss) and loss.reduction == "sum":
        return float(np.sum(losses))
    return mean(losses, weights)


def mean(values: Sequence[float], weights: Sequence[float]) -> float:
    """The weighted mean, to which a value of weight 0, were it nan, contributes nothing."""
    counted = np.asarray(weights, np.float64)
    with np.errstate(all="ignore"):
        return float(np.dot(np.where(counted > 0.0, values, 0.0), counted) / np.sum(counted))


def by_name(metrics: Metrics) -> dict[str, Callable[..., float]]:
    if metrics is None:
        return {}
    if callable(metrics):
        metrics = [metrics]
    given: Any = metrics
    if not isinstance(given, (Mapping, Sequence)) or isinstance(given, (str, bytes)):
        raise TypeError(f"metrics are functions, as nn.accuracy: one, a list, or a dict by name, got {shown(metrics)}")
    named = dict(metrics) if isinstance(metrics, Mapping) else {_name(metric): metric for metric in metrics}
    for metric in named.values():
        if not callable(metric):
            raise TypeError(f"a metric is a function of predictions and truth, as nn.accuracy, got {shown(metric)}")
    return named


def _name(metric: Any) -> str:
    function = getattr(metric, "func", metric)  # a functools.partial has none of its own
    return str(getattr(function, "__name__", type(metric).__name__))
