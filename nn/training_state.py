"""`Training`: the state of a training, as callbacks see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import ExitStack
from functools import cached_property
from typing import Any

import numpy as np

from nn.aggregation import Metrics, named_metrics
from nn.callbacks import Callback
from nn.history import History
from nn.module import Module
from nn.module_tree import initialized_parameters
from nn.randomness import SHARED, Getter, generators, set_states, state_of
from nn.resuming import SavedTraining
from nn.validation import sequence, shown


class Training:
    """The state of a training, as callbacks see it.

    `model`, `loss`, `optimizer`, `train`, `validation`, `metrics`, `epochs`, `callbacks` and `history` are what fit was
    given or made. `epoch` is the number of epochs done, `batch` that of batches done in this one, `step` that of all
    steps. `x`, `y`, `prediction` and `value` (the loss, a float) are of the last batch. `interrupted` is whether Ctrl-C
    was pressed. `cleanup` is an `ExitStack` that is closed when fit is left, however it is.
    """

    def __init__(
        self,
        model: Module,
        train: Iterable[Any],
        validation: Any,
        loss: Callable[..., Any],
        optimizer: Any,
        epochs: int,
        callbacks: Iterable[Callback],
        metrics: Metrics,
    ) -> None:
        self.model, self.train, self.validation = model, train, validation
        self.loss, self.optimizer, self.epochs = loss, optimizer, epochs
        for callback in (callbacks := sequence("fit", "callbacks", callbacks)):
            if not isinstance(callback, Callback):
                raise TypeError(f"fit takes callbacks that are nn.Callback, got {shown(callback)}")
        check_optimizer("fit", optimizer, model, loss)
        self.callbacks = sorted(callbacks, key=lambda callback: callback.runs_last)
        self.metrics = named_metrics(metrics)
        self.history = History()
        self.epoch = self.batch = self.step = 0
        self.interrupted = False
        self.x: Any = None
        self.y: Any = None
        self.prediction: Any = None
        self.value = float("nan")
        self.cleanup = ExitStack()
        self._hooks = {  # the methods of callbacks that do something
            name: [getattr(callback, name) for callback in self.callbacks if getattr(type(callback), name) is not own]
            for name, own in vars(Callback).items()
            if name.startswith("on_")
        }
        # The states, when the epoch began, of the generators that all share, and of those that its batches are drawn with:
        # from there they can be drawn again.
        self._drawn_from: list[Any] = []

    def stop(self, reason: str) -> None:
        """End training after this step, and say why in `history.stopped`; the first reason counts."""
        self.history.stopped = self.history.stopped or reason

    def stopping(self) -> bool:
        """Whether training is to end after this step."""
        return self.history.stopped is not None

    @property
    def batches(self) -> int | None:
        """The number of batches of an epoch, where it is known."""
        return len(self.train) if isinstance(self.train, Sized) else None

    def _call(self, name: str) -> None:
        """Call a hook of all callbacks."""
        for hook in self._hooks[name]:
            hook(self)

    def _draw(self) -> Iterator[Any]:
        """The batches of this epoch that are still to come."""
        if not self.callbacks:  # and so nobody who could ask for a state
            return iter(self.train)
        found = [*SHARED.values(), *(place() for place in self._generators.values())]
        now = [state_of(generator) for generator in found]
        if not self.batch:
            self._drawn_from = now
            return iter(self.train)
        set_states(found, self._drawn_from)
        batches = iter(self.train)
        for i in range(self.batch):
            if next(batches, self) is self:
                raise ValueError(f"the training data gave {i} batches, when it was saved it had given {self.batch}")
        set_states(found, now)
        return batches

    # ---- Saved, resumed

    @cached_property
    def _generators(self) -> dict[str, Getter]:
        """The generators that the batches are drawn with."""
        return generators(self.train)

    @cached_property
    def _saved(self) -> SavedTraining:
        """The state of this training besides model and optimizer; looked for when it is first asked for."""
        return SavedTraining(self)

    def state_dict(self) -> dict[str, Any]:
        """The state of this training besides model and optimizer: all that the rest of it depends on."""
        return self._saved.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict()` gave, mid-epoch too. What does not fit is a ValueError, and nothing is set."""
        self._saved.load_state_dict(state)


def check_optimizer(owner: str, optimizer: Any, model: Module, loss: Any) -> None:
    """Raise a ValueError if an optimizer has parameters that neither `model` nor a `loss` that is a module has, and not
    all of the model's: it was made for another model, or before a layer was replaced. One that has all of the model's may
    have others, as of a loss that is a plain function; and it need not have all of them, so that some stay as they are.
    """
    known = initialized_parameters(model)
    own = {id(parameter) for parameter in (*known, *initialized_parameters(loss))}
    given = [parameter for group in getattr(optimizer, "param_groups", ()) for parameter in group["params"]]
    foreign = [parameter for parameter in given if id(parameter) not in own]
    missing = {id(parameter) for parameter in known} - {id(parameter) for parameter in given}
    if foreign and (missing or len(foreign) == len(given)):
        raise ValueError(
            f"{owner}: {len(foreign)} of the optimizer's {len(given)} parameters are not the model's, and would not be "
            f"trained (the first has shape {np.shape(foreign[0]._data)}): make the optimizer from model.parameters(), after "
            "the last change of the model's layers; a loss with parameters of its own is to be an nn.Module that has them"
        )
