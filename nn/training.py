"""`fit`: the training loop, with hooks for callbacks."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np

from nn.aggregation import Metrics, batch_weight, epoch_loss, loss_value, prediction_array, row_count, weighted_mean
from nn.callbacks import Callback
from nn.data import Batches, batch_pairs, check_batches, is_pair
from nn.evaluation import evaluate
from nn.history import History
from nn.module import Module
from nn.training_state import Training
from nn.typing import Seed
from nn.validation import check_callable, integer, shown


def fit(
    model: Module,
    train: Any,
    validation: Any = None,
    *,
    loss: Callable[..., Any],
    optimizer: Any,
    epochs: int,
    batch_size: int = 32,
    shuffle: bool = True,
    callbacks: Iterable[Callback] = (),
    metrics: Metrics = None,
    rng: Seed = None,
) -> History:
    """Train `model` and return the history of the training.

    `train` is a pair of arrays `(X, y)`, taken `batch_size` rows at a time in an order drawn from `rng` (a NumPy generator
    or a seed), or anything that gives batches `(x, y)` each time it is iterated over; so is `validation`, which is
    measured after each epoch. `loss(model(x), y)` is one number; that of an epoch is weighed as by `nn.evaluate`. `metrics` are functions of predictions and targets, as
    `nn.accuracy`: one, a list, or a dict by name. Ctrl-C ends training after the step in hand; `History.stopped` says so.
    The model is left in eval mode.

    >>> from nn.layers.linear import Linear
    >>> from nn.losses import MSELoss
    >>> from nn.optim.sgd import SGD
    >>> X = np.linspace(-1.0, 1.0, 20)[:, None]
    >>> line = Linear(1, 1, rng=0)
    >>> history = fit(line, (X, 2 * X), loss=MSELoss(), optimizer=SGD(line.parameters(), lr=0.3), epochs=30, rng=0)
    >>> len(history), round(line.weight.item(), 2)
    (30, 2.0)
    """
    epochs = integer("fit", "epochs", epochs, least=0)
    _check(model, loss, optimizer, callbacks)
    check_batches(train)
    if validation is not None:
        check_batches(validation)
    batch_size = integer("fit", "batch_size", batch_size, least=1)
    if is_pair(train):
        train = Batches(train[0], train[1], batch_size, shuffle, rng)
    if epochs > 1 and isinstance(train, Iterator):
        raise TypeError(
            f"fit goes {epochs} times through the batches, and a {type(train).__name__} is used up after one: pass a list, "
            "or an object whose __iter__ starts anew, as nn.batches gives"
        )
    training = Training(model, train, validation, loss, optimizer, epochs, callbacks, metrics)
    with training.cleanup:
        with _interrupts(training):
            try:
                training._call("on_begin")
                while training.epoch < training.epochs and not training.stopping():
                    _run_epoch(training)
            except KeyboardInterrupt:  # raised all the same: by a second Ctrl-C, in another thread, or in a notebook
                training.interrupted = True
                training.stop(_interruption(training))
            except BaseException:
                training._call("on_error")
                raise
        training._call("on_end")
    model.eval()
    return training.history


def _check(model: Any, loss: Any, optimizer: Any, callbacks: Any) -> None:
    if isinstance(model, type) or not isinstance(model, Module):
        raise TypeError(f"fit trains an nn.Module, got {shown(model)}: make one, as with nn.Sequential(...)")
    check_callable("loss", loss)
    if isinstance(optimizer, type) or not (hasattr(optimizer, "step") and hasattr(optimizer, "zero_grad")):
        raise TypeError(f"fit needs an optimizer, got {shown(optimizer)}: make one, as nn.Adam(model.parameters())")
    if isinstance(callbacks, Callback) or not isinstance(callbacks, Iterable):
        raise TypeError(f"fit takes callbacks as a list of nn.Callback, got {shown(callbacks)}: write [callback]")


def _run_epoch(training: Training) -> None:
    model, loss_of, optimizer, metrics = training.model, training.loss, training.optimizer, training.metrics
    history, steps = training.history, training.history.steps
    for name in metrics:
        steps.setdefault(name, [])
    losses, weights, numbers, rates, seconds = map(steps.__getitem__, ("loss", "weight", "rows", "lr", "seconds"))
    on_batch, on_backward, on_step = map(training._hooks.__getitem__, ("on_batch", "on_backward", "on_step"))
    began = perf_counter()
    model.train()
    if not training.batch:
        training._call("on_epoch_begin")
    start = perf_counter()
    draw = training._draw()
    for x, y in draw if isinstance(training.train, Batches) else batch_pairs(draw):
        training.x, training.y = x, y
        for hook in on_batch:
            hook(training)
        optimizer.zero_grad()
        training.prediction = prediction = model(x)
        loss = loss_of(prediction, y)
        training.value = value = loss_value(loss)
        loss.backward()
        for hook in on_backward:
            hook(training)
        if training.stopping():
            return
        rate = getattr(optimizer, "lr", np.nan)  # that of this step, not what a callback sets for the next
        optimizer.step()
        training.batch += 1
        training.step += 1
        losses.append(value)
        weights.append(batch_weight(loss_of, prediction, x, y))
        numbers.append(len(y) if type(y) is np.ndarray and y.ndim else row_count(x, y))
        rates.append(rate)
        for name, metric in metrics.items():
            steps[name].append(float(metric(prediction_array(prediction), y)))
        seconds.append(-start + (start := perf_counter()))
        if training.interrupted:
            training.stop(_interruption(training))
        for hook in on_step:
            hook(training)
        if training.stopping():
            return
    if not training.batch:
        raise ValueError("there is not one batch to train on: the training data is empty, or used up")
    # From the history, and not summed on the way: so an epoch that was resumed comes to the same.
    n = training.batch
    results = {"loss": epoch_loss(loss_of, losses[-n:], weights[-n:])}
    results |= {name: weighted_mean(steps[name][-n:], numbers[-n:]) for name in metrics}
    if training.validation is not None:
        results |= {f"valid_{name}": x for name, x in evaluate(model, training.validation, loss_of, metrics).items()}
    results |= {"lr": float(getattr(optimizer, "lr", np.nan)), "seconds": perf_counter() - began}
    for name, result in results.items():
        history.epochs.setdefault(name, []).append(result)
    training.epoch += 1
    training.batch = 0
    training._call("on_epoch_end")


def _interruption(training: Training) -> str:
    return f"interrupted by Ctrl-C in epoch {training.epoch + 1}, after step {training.step}"


@contextmanager
def _interrupts(training: Training) -> Iterator[None]:
    """Let Ctrl-C wait until the step in hand is whole; pressed again, it does not wait."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def wait(number: int, frame: Any) -> None:
        if training.interrupted:
            raise KeyboardInterrupt
        training.interrupted = True

    signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
