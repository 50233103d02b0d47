"""Callbacks that follow a metric of the epochs: early stopping, and checkpoints of the last and the best state."""

from __future__ import annotations

import contextlib
import errno
import math
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from autograd.files import file_path
from nn.callbacks import Callback
from nn.checkpoint import resume, save
from nn.files import FolderLock
from nn.module import Module, matching_state
from nn.training_state import Training
from nn.validation import choice, flag, integer, number, shown

HIGHER_IS_BETTER = ("accuracy", "top", "r2", "score", "precision", "recall", "f1", "auc")
LOWER_IS_BETTER = ("loss", "mse", "mae", "error", "perplexity")


class _Monitor(Callback):
    """Comparison of a metric of the epoch with the best so far. A nan is never the best."""

    _saved: ClassVar[tuple[str, ...]] = ("best", "best_epoch")

    def __init__(self, monitor: str | None, mode: str | None, min_delta: float = 0.0) -> None:
        name = type(self).__name__
        if not isinstance(monitor, str | None):
            raise TypeError(f"{name}: monitor must be the name of a metric, as 'valid_loss', got {shown(monitor)}")
        self.mode = None if mode is None else choice(name, "mode", mode, ("min", "max"))
        self.monitor, self.min_delta = monitor, number(name, "min_delta", min_delta, least=0)
        self.best: float | None = None
        self.best_epoch = 0  # counted from 1

    def improved(self, training: Training) -> bool:
        """Whether this epoch is the best so far; if so, it is remembered."""
        name = self.monitor or ("loss" if training.validation is None else "valid_loss")
        value = training.history.last(name)
        sign = 1.0 if (self.mode or _mode(name)) == "min" else -1.0
        found = not math.isnan(value) and (self.best is None or sign * (self.best - value) > self.min_delta)
        if found:
            self.best, self.best_epoch = value, training.epoch
        return found

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._saved}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._check(state)
        vars(self).update(state)

    def _check(self, state: Any) -> None:
        """Raise a ValueError unless `state` has the names of this one's, a number or None as the best, and its epoch."""
        if not isinstance(state, dict) or state.keys() != set(self._saved):
            raise ValueError(f"{type(self).__name__} has the state {', '.join(self._saved)}, got {shown(state)}")
        best, epoch = state["best"], state["best_epoch"]
        if not (best is None or isinstance(best, (float, int, np.floating))) or isinstance(best, bool) or best != best:
            raise ValueError(f"{type(self).__name__} has a number or None as the best, got {shown(best)}")
        if type(epoch) is not int or epoch < 0:
            raise ValueError(f"{type(self).__name__} has the number of an epoch as best_epoch, got {shown(epoch)}")


class EarlyStopping(_Monitor):
    """Stop when `monitor` has not improved, by more than `min_delta`, for `patience` epochs, and go back to the
    weights of the best epoch (also where training ends for another reason), unless `restore` is False.

    `monitor` is a metric of the history's epochs, by default "valid_loss", or "loss" without validation. `mode` says
    whether it is to be "min" or "max"; by default its name tells. `best` and `best_epoch` (from 1) are there to read.
    """

    _saved = ("best", "best_epoch", "weights")

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
        if self.improved(training):
            self.weights = training.model.state_dict() if self.restore else None
        elif training.epoch - self.best_epoch >= self.patience:
            name = self.monitor or "the loss"
            training.stop(f"{name} has not improved since epoch {self.best_epoch}")

    def on_end(self, training: Training) -> None:
        if self.weights is not None:
            training.model.load_state_dict(self.weights)

    def _check(self, state: Any) -> None:
        super()._check(state)
        if state["weights"] is not None and self._model is not None:
            matching_state(self._model, state["weights"])


class Checkpoint(_Monitor):
    """Write `last.safetensors` to `folder` after each epoch (and every `every` steps, if that is given), and
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
            text = "Checkpoint writes into a folder, and this is a file"
            raise NotADirectoryError(errno.ENOTDIR, text, str(self.folder)) from error
        self._lock = FolderLock(self.folder)
        training.cleanup.callback(self._lock.release)
        training._saved  # noqa: B018  # what there is to save is found now, as it will be when this training is resumed
        if self.resume and self.last.exists():
            resume(self.last, training)

    def on_step(self, training: Training) -> None:
        if training.stopping() or (self.every and training.step % self.every == 0):
            self._write(self.last, training)

    def on_epoch_end(self, training: Training) -> None:
        if self.improved(training):
            self._write(self.best_file, training)
        self._write(self.last, training)

    def _write(self, path: Path, training: Training) -> None:
        if self._lock is not None:
            with contextlib.suppress(FileNotFoundError):  # the folder is gone: save says more of that
                self._lock.keep()
        save(path, training.model, training.optimizer, training=training.state_dict())


def _mode(name: str) -> str:
    for mode, parts in (("max", HIGHER_IS_BETTER), ("min", LOWER_IS_BETTER)):
        if any(part in name for part in parts):
            return mode
    raise ValueError(f"whether {name!r} is to be small or large, its name does not tell: say mode='min' or mode='max'")
