"""Learning-rate finder: a copy is trained with a rate that grows, to see where the loss falls fastest."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograd.files import file_path
from nn.data import batch_pairs, check_batches
from nn.module import Module, recursion_error
from nn.optim.optimizer import Optimizer
from nn.plots import BLUE, VERMILLION, new_figure, save_figure
from nn.training_state import check_optimizer
from nn.typing import Array
from nn.validation import check_callable, integer, number, shown


@dataclass(frozen=True)
class LRFinderResult:
    """The learning rates that were tried, each with the loss before its step and that loss smoothed, and the suggested one."""

    lrs: Array
    losses: Array
    smoothed: Array
    suggestion: float | None  # None where the loss never fell

    def plot(self, path: str | Path) -> Path:
        """Draw losses over learning rates to a file, whose ending says the format, and return its path. Needs matplotlib."""
        path = file_path("LRFinderResult.plot", "path", path)
        figure = new_figure(6.0, 4.0)
        axes = figure.subplots()
        axes.plot(self.lrs, self.losses, color="0.75", linewidth=1, label="loss")
        axes.plot(self.lrs, self.smoothed, color=BLUE, label="smoothed")
        if self.suggestion is not None:
            axes.axvline(self.suggestion, color=VERMILLION, linestyle="--", label=f"suggestion {self.suggestion:.2g}")
        axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
        axes.legend()
        save_figure(figure, path)
        return path


RateSearch = LRFinderResult  # its name in version 0.1


def find_lr(
    model: Module,
    batches: Iterable[tuple[Any, Any]],
    loss: Callable[[Any, Any], Any],
    optimizer: Optimizer,
    *,
    start_lr: float = 1e-7,
    end_lr: float = 10.0,
    steps: int = 100,
    smoothing: float = 0.9,
    diverged: float = 4.0,
) -> LRFinderResult:
    """Train with a learning rate that grows from `start_lr` to `end_lr` by equal factors, and suggest one.

    Smith, "Cyclical learning rates for training neural networks", 2017, section 3.3. The suggestion is where the loss,
    smoothed by a running mean with the weight `smoothing` of the past, falls fastest over the logarithm of the rate. It
    ends early where that mean is above `diverged` times its smallest, or not finite. `batches` are gone through as often
    as needed; an iterator, which cannot be, may end it too.

    `model`, `optimizer` and a `loss` that is a module are copied and not touched, random generators within them included;
    only `batches` may go on. No batch at all, and settings out of range, are a ValueError.

    >>> import nn
    >>> X, y = nn.moons(100, rng=0)
    >>> model = nn.Sequential(nn.Linear(2, 16, rng=0), nn.ReLU(), nn.Linear(16, 2, rng=1))
    >>> found = find_lr(model, nn.batches(X, y, 20, rng=0), nn.CrossEntropyLoss(), nn.Adam(model.parameters()))
    >>> 1e-3 < found.suggestion < 1
    True
    """
    start_lr = number("find_lr", "start_lr", start_lr, above=0)
    end_lr = number("find_lr", "end_lr", end_lr, above=start_lr)
    steps = integer("find_lr", "steps", steps, least=2)
    smoothing = number("find_lr", "smoothing", smoothing, least=0, below=1)
    diverged = number("find_lr", "diverged", diverged, above=1, infinite=True)
    if not isinstance(model, Module) or not isinstance(optimizer, Optimizer):
        raise TypeError(f"find_lr needs a Module and an Optimizer, got {shown(model)} and {shown(optimizer)}")
    check_callable("loss", loss)
    check_batches(batches)
    check_optimizer("find_lr", optimizer, model, loss)
    try:
        model, optimizer, loss = copy.deepcopy((model, optimizer, loss))  # together, so that they stay together
    except RecursionError:
        raise recursion_error(model) from None
    model.train()
    rates = np.geomspace(start_lr, end_lr, steps)
    losses: list[float] = []
    smoothed: list[float] = []
    mean = 0.0
    for lr, (x, y) in zip(rates.tolist(), _around(batches), strict=False):
        optimizer.lr = lr
        optimizer.zero_grad()
        value = loss(model(x), y)
        losses.append(float(value.item()))
        mean = smoothing * mean + (1.0 - smoothing) * losses[-1]
        smoothed.append(mean / (1.0 - smoothing ** len(losses)))
        if not math.isfinite(mean) or smoothed[-1] > diverged * min(smoothed):
            break
        value.backward()
        optimizer.step()
    if not losses:
        raise ValueError("find_lr needs at least one batch, got none: pass a list, or a new iterator")
    lrs, curve = rates[: len(losses)], np.array(smoothed)
    return LRFinderResult(lrs, np.array(losses), curve, _steepest(lrs, curve))


def _around(batches: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """`batches` again and again, as long as there are any."""
    some = True
    while some:
        some = False
        for batch in batch_pairs(batches):
            some = True
            yield batch


def _steepest(lrs: Array, curve: Array) -> float | None:
    """The rate at which the curve falls fastest, on its way to its lowest point."""
    lowest = int(np.argmin(np.where(np.isfinite(curve), curve, np.inf)))
    if lowest < 2 or curve[0] - curve[lowest] <= 1e-6 * abs(curve[0]):  # no more than rounding does
        return None
    slope = np.gradient(curve[: lowest + 1], np.log(lrs[: lowest + 1]))
    return float(lrs[int(np.argmin(slope))])
