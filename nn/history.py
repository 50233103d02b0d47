"""`History`: the record of a training, step by step and epoch by epoch."""

from __future__ import annotations

import csv
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from autograd.arguments import shown
from autograd.files import file_path
from nn.dependencies import optional

Columns = dict[str, list[float]]


class History:
    """The record of a training: `steps` and `epochs`, each a dict of columns, which are lists of floats.

    `steps` has "loss", "rows" (of the batch), "weight" (what its loss counts in that of the epoch), "lr" and "seconds",
    and each metric, of the batch as it was predicted in training. `epochs` has the loss over all the data of the epoch,
    metrics as means over its rows, "seconds" with validation, in all, "lr" at its end, and "valid_loss" and "valid_" with each metric where there is validation data. Callbacks add columns of
    their own. `stopped` says why training ended before its last epoch, and is None where it did not.

    >>> history = History()
    >>> history.epochs = {"loss": [0.5, 0.25], "lr": [0.1, 0.1]}
    >>> history
    History(2 epochs, 0 steps: loss 0.25, lr 0.1)
    """

    def __init__(self) -> None:
        self.steps: Columns = {"loss": [], "rows": [], "weight": [], "lr": [], "seconds": []}
        self.epochs: Columns = {}
        self.stopped: str | None = None

    def __len__(self) -> int:
        return max(map(len, self.epochs.values()), default=0)

    def last(self, name: str) -> float:
        """The value of a metric in the last epoch; an unknown name is a KeyError that lists those there are."""
        if not isinstance(name, str):
            raise TypeError(f"the name of a metric is a string, as 'loss', got {shown(name)}")
        if not self.epochs.get(name):
            raise KeyError(
                f"no {name!r} is recorded for epochs: there are {', '.join(self.epochs) or 'none yet'}; names that "
                "begin with valid_ need validation data, metrics must be given to fit"
            )
        return self.epochs[name][-1]

    def to_csv(self, path: str | Path, of: str = "epochs") -> None:
        """Write the epochs, or the steps with `of="steps"`, as a table with one line each, counted from 1."""
        path, columns = file_path("History.to_csv", "path", path), self._columns(of)
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([of.removesuffix("s"), *columns])
            for i, cells in enumerate(zip_longest(*columns.values(), fillvalue=""), 1):
                writer.writerow([i, *cells])

    def plot(self, path: str | Path) -> None:
        """Draw the curves of losses, metrics and learning rate by epoch to a file, as `nn.plots.learning_curves`."""
        # Found when it is asked for: training, which makes histories, knows nothing of plots.
        optional("nn.plots").learning_curves(self.epochs, path)

    def state_dict(self) -> dict[str, Any]:
        """All columns as arrays, to be saved."""
        return {of: {name: np.array(x) for name, x in self._columns(of).items()} for of in ("steps", "epochs")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict()` gave. What is no such state is a ValueError, and nothing is loaded."""
        loaded = {of: _columns(state, of) for of in ("steps", "epochs")}
        if "rows" in loaded["steps"]:  # version 0.1 saved no weights
            loaded["steps"].setdefault("weight", list(loaded["steps"]["rows"]))
        core = [len(loaded["steps"].get(name, ())) for name in History().steps]
        if core != [max(map(len, loaded["steps"].values()), default=0)] * len(core):
            raise ValueError(f"the history's columns {', '.join(self.steps)} have lengths {core}: nothing was loaded")
        for of, columns in loaded.items():
            own = self._columns(of)
            own.clear()
            own.update(columns)

    def __repr__(self) -> str:
        metrics = ", ".join(f"{name} {column[-1]:.4g}" for name, column in self.epochs.items() if column)
        steps = len(self.steps["loss"])
        stopped = f"; stopped: {self.stopped}" if self.stopped else ""
        return f"History({len(self)} epochs, {steps} steps: {metrics or 'nothing yet'}{stopped})"

    def _columns(self, of: str) -> Columns:
        if not isinstance(of, str) or of not in ("steps", "epochs"):
            raise ValueError(f"a history has 'steps' and 'epochs', not {shown(of)}")
        return self.steps if of == "steps" else self.epochs


def _columns(state: Any, of: str) -> Columns:
    """The columns of a saved history, if they are such."""
    columns = state.get(of) if isinstance(state, dict) else None
    if not isinstance(columns, dict):
        raise ValueError(f"a history has columns of {of}, got {shown(columns)}: nothing was loaded")
    for name, column in columns.items():
        whole = isinstance(column, np.ndarray) and column.ndim == 1 and column.dtype.kind in "fiub"
        if not isinstance(name, str) or not whole:
            raise ValueError(f"the history's {of} have {shown(name)} as {shown(column)}: nothing was loaded")
    return {name: column.tolist() for name, column in columns.items()}
