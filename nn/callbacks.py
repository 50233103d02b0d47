"""What people add to training: bars, schedules, early stops, checkpoints, and a look at gradients."""

from __future__ import annotations

import contextlib
import errno
import math
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Node, detect_anomaly
from autograd.arguments import shown
from autograd.arrays import norms, sums
from autograd.files import file_path
from nn.checkpoint import resume, save
from nn.dependencies import optional
from nn.files import FolderLock
from nn.hooks import Callback, Training, check_schedule
from nn.module import Module, fitting
from nn.randomness import generators, set_state, state_of
from nn.validation import choice, flag, integer, number

HIGHER_IS_BETTER = ("accuracy", "top", "r2", "score", "precision", "recall", "f1", "auc")
LOWER_IS_BETTER = ("loss", "mse", "mae", "error", "perplexity")


class ProgressBar(Callback):
    """A bar on a terminal, with the loss of the last step and the figures of the last epoch; silent elsewhere."""

    def __init__(self) -> None:
        self.bar: Any = None

    def on_begin(self, training: Training) -> None:
        tqdm = optional("tqdm").tqdm
        batches = training.batches
        total = None if batches is None else batches * training.epochs
        self.bar = tqdm(total=total, initial=training.step, disable=None, unit="step")  # None: off unless on a terminal

    def on_step(self, training: Training) -> None:
        if not self.bar.disable:
            self.bar.set_description(f"epoch {training.epoch + 1}/{training.epochs}", refresh=False)
            self.bar.set_postfix_str(f"loss {training.value:.4g}{self._figures(training)}", refresh=False)
            self.bar.update()

    def on_end(self, training: Training) -> None:
        if self.bar is not None:
            self.bar.close()

    on_error = on_end

    @staticmethod
    def _figures(training: Training) -> str:
        shown = {name: x[-1] for name, x in training.history.epochs.items() if name not in ("loss", "lr", "seconds")}
        return "".join(f", {name} {x:.4g}" for name, x in shown.items())


class _Monitor(Callback):
    """Compares a figure of the epoch with the best so far. A figure that is nan is never the best."""

    def __init__(self, monitor: str | None, mode: str | None, min_delta: float = 0.0) -> None:
        name = type(self).__name__
        if not isinstance(monitor, str | None):
            raise TypeError(f"{name}: monitor must be the name of a figure, as 'valid_loss', got {shown(monitor)}")
        self.mode = None if mode is None else choice(name, "mode", mode, ("min", "max"))
        self.monitor, self.min_delta = monitor, number(name, "min_delta", min_delta, least=0)
        self.best: float | None = None
        self.best_epoch = 0  # counted from 1

    def better(self, training: Training) -> bool:
        """Whether this epoch is the best so far; if so, it is remembered."""
        name = self.monitor or ("loss" if training.validation is None else "valid_loss")
        figure = training.history.last(name)
        sign = 1.0 if (self.mode or _mode(name)) == "min" else -1.0
        found = not math.isnan(figure) and (self.best is None or sign * (self.best - figure) > self.min_delta)
        if found:
            self.best, self.best_epoch = figure, training.epoch
        return found

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "best_epoch": self.best_epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._check(state, "best", "best_epoch")
        self.best, self.best_epoch = state["best"], state["best_epoch"]

    def _check(self, state: Any, *names: str) -> None:
        """Raise a ValueError unless `state` has these names, a figure or None as the best, and its epoch."""
        if not isinstance(state, dict) or state.keys() != set(names):
            raise ValueError(f"{type(self).__name__} has the state {', '.join(names)}, got {shown(state)}")
        best, epoch = state["best"], state["best_epoch"]
        if not (best is None or isinstance(best, (float, int, np.floating))) or isinstance(best, bool) or best != best:
            raise ValueError(f"{type(self).__name__} has a figure or None as the best, got {shown(best)}")
        if type(epoch) is not int or epoch < 0:
            raise ValueError(f"{type(self).__name__} has the number of an epoch as best_epoch, got {shown(epoch)}")


class EarlyStopping(_Monitor):
    """Stop when `monitor` has not become better, by more than `min_delta`, for `patience` epochs, and go back to the
    weights of the best epoch (also where training ends for another reason), unless `restore` is False.

    `monitor` is a figure of the history's epochs, by default "valid_loss", or "loss" without validation. `mode` says
    whether it is to be "min" or "max"; by default its name tells. `best` and `best_epoch` (from 1) are there to read.
    """

    def __init__(
        self,
        patience: int = 10,
        min_delta: float = 0.0,
        monitor: str | None = None,
        mode: str | None = None,
        restore: bool = True,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = integer("EarlyStopping", "patience", patience, least=1)
        self.restore = flag("EarlyStopping", "restore", restore)
        self.weights: dict[str, Any] | None = None
        self._model: Module | None = None  # that of the training, which the weights have to fit

    def on_begin(self, training: Training) -> None:
        self._model = training.model

    def on_epoch_end(self, training: Training) -> None:
        if self.better(training):
            self.weights = training.model.state_dict() if self.restore else None
        elif training.epoch - self.best_epoch >= self.patience:
            name = self.monitor or "the loss"
            training.stop(f"{name} has not become better since epoch {self.best_epoch}")

    def on_end(self, training: Training) -> None:
        if self.weights is not None:
            training.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._check(state, "best", "best_epoch", "weights")
        weights = state["weights"]
        if weights is not None and self._model is not None:
            fitting(self._model, weights)
        self.best, self.best_epoch, self.weights = state["best"], state["best_epoch"], weights


class Checkpoint(_Monitor):
    """Write `last.safetensors` to `folder` after each epoch (and every so many steps, with `every`), and
    `best.safetensors` after each that is the best so far by `monitor`, as for EarlyStopping. `nn.load` reads both.

    With `resume`, a training that finds its `last` there goes on from it, mid-epoch too, and ends with the same bits as
    one that was never stopped. Give fit the same data, model, optimizer, callbacks and seeds as before. Random
    generators, NumPy's and Python's, are saved where they can be found: in data, model, loss, metrics and callbacks, their
    attributes, what these refer to, and what their functions close over. A state of other kinds is saved of callbacks,
    losses, metrics and validation data that have `state_dict` and `load_state_dict`.

    One training at a time works in a folder: another one raises a BlockingIOError before it changes anything.
    """

    runs_last = True

    def __init__(
        self,
        folder: str | Path,
        every: int | None = None,
        monitor: str | None = None,
        mode: str | None = None,
        resume: bool = False,
    ) -> None:
        every = None if every is None else integer("Checkpoint", "every", every, least=1)
        super().__init__(monitor, mode)
        self.folder = file_path("Checkpoint", "folder", folder).absolute()  # wherever the process goes from here
        self.every, self.resume = every, flag("Checkpoint", "resume", resume)
        self._lock: FolderLock | None = None

    @property
    def last(self) -> Path:
        """The file of the last state."""
        return self.folder / "last.safetensors"

    @property
    def best_file(self) -> Path:
        """The file of the best epoch."""
        return self.folder / "best.safetensors"

    def on_begin(self, training: Training) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise NotADirectoryError(
                errno.ENOTDIR, "Checkpoint writes into a folder, and this is a file", str(self.folder)
            ) from error
        self._lock = FolderLock(self.folder)
        training.cleanup.callback(self._lock.release)
        training.saved  # noqa: B018  # what there is to save is found now, as it will be when this training is resumed
        if self.resume and self.last.exists():
            resume(self.last, training)

    def on_step(self, training: Training) -> None:
        if training.stopping() or (self.every and training.step % self.every == 0):
            self._write(self.last, training)

    def on_epoch_end(self, training: Training) -> None:
        better = self.better(training)
        if better:
            self._write(self.best_file, training)
        self._write(self.last, training)

    def _write(self, path: Path, training: Training) -> None:
        if self._lock is not None:
            with contextlib.suppress(FileNotFoundError):  # the folder is gone: save says more of that
                self._lock.keep()
        save(path, training.model, training.optimizer, training=training.state_dict())


class Schedule(Callback):
    """Call `scheduler.step()` after each epoch, or after each step with `every="step"`; with `monitor`, give it that
    figure of the epoch: `scheduler.step(valid_loss)`."""

    def __init__(self, scheduler: Any, every: str = "epoch", monitor: str | None = None) -> None:
        if choice("Schedule", "every", every, ("epoch", "step")) == "step" and monitor:
            raise ValueError(f"every is 'epoch' or 'step', and a monitor needs 'epoch', got {every!r} and {monitor!r}")
        self.scheduler, self.every, self.monitor = scheduler, every, monitor

    def on_begin(self, training: Training) -> None:
        check_schedule(getattr(self.scheduler, "optimizer", None), training)

    def on_step(self, training: Training) -> None:
        if self.every == "step":
            self.scheduler.step()

    def on_epoch_end(self, training: Training) -> None:
        if self.monitor:
            self.scheduler.step(training.history.last(self.monitor))
        elif self.every == "epoch":
            self.scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        if not hasattr(self.scheduler, "state_dict"):
            raise TypeError(f"{self.scheduler!r} has no state_dict(), and a training with it cannot be saved")
        return {"scheduler": self.scheduler.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if not isinstance(state, dict) or state.keys() != {"scheduler"}:
            raise ValueError(f"Schedule has the state of its scheduler, got {shown(state)}")
        self.scheduler.load_state_dict(state["scheduler"])


class GradientNorms(Callback):
    """Record the Euclidean norm of all gradients together in the history's steps, as "gradient_norm"; with `each`, also
    that of each parameter, as "gradient_norm.0.weight"."""

    def __init__(self, each: bool = False) -> None:
        self.each = flag("GradientNorms", "each", each)

    def on_step(self, training: Training) -> None:
        norms_of = {
            name: 0.0 if parameter.grad is None else float(norms.euclidean(sums.widened(np.asarray(parameter.grad))))
            for name, parameter in training.model.named_parameters()
        }
        steps = training.history.steps
        steps.setdefault("gradient_norm", []).append(math.hypot(*norms_of.values()))
        for name, norm in norms_of.items() if self.each else ():
            steps.setdefault(f"gradient_norm.{name}", []).append(norm)


class StopOnNonFinite(Callback):
    """Stop at a loss that is nan or infinite, before the step that would carry it into the weights, and say in
    `History.stopped` which operation gave the first such number: the batch is run again to find it."""

    def __init__(self) -> None:
        self._generators: list[Any] = []
        self._states: list[Any] = []

    def on_begin(self, training: Training) -> None:
        self._generators = [place() for place in generators(training.model).values()]

    def on_batch(self, training: Training) -> None:
        self._states = [state_of(generator) for generator in self._generators]

    def on_backward(self, training: Training) -> None:
        if not math.isfinite(training.value):
            training.stop(f"the loss is {training.value} at step {training.step + 1}: {self._cause(training)}")

    def _cause(self, training: Training) -> str:
        for name, data in (("x", training.x), ("y", training.y)):
            if not isinstance(data, Node) and not _finite(data):
                return f"the batch's {name} has numbers that are not finite"
        for name, array in training.model.state_dict().items():
            if not _finite(array):
                return f"{name} has become infinite or nan: lower the learning rate"
        for generator, state in zip(self._generators, self._states, strict=True):
            set_state(generator, state)
        try:
            with detect_anomaly(), np.errstate(all="ignore"):
                training.loss(training.model(training.x), training.y).backward()
        except FloatingPointError as error:
            return str(error)
        return "the batch, run again, gave no such number"


def _mode(name: str) -> str:
    for part in HIGHER_IS_BETTER:
        if part in name:
            return "max"
    for part in LOWER_IS_BETTER:
        if part in name:
            return "min"
    raise ValueError(f"whether {name!r} is to be small or large, its name does not tell: say mode='min' or mode='max'")


def _finite(data: Any) -> bool:
    array = np.asarray(data)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
