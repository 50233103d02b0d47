"""What training shows of itself to those who look on: its state, and the hooks at its turning points."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import ExitStack
from functools import cached_property
from typing import Any

import numpy as np

from nn.evaluation import Metrics, by_name
from nn.history import History
from nn.module import Module, known_parameters
from nn.randomness import SHARED, generators, set_states, state_of
from nn.resuming import SavedTraining
from nn.validation import sequence, shown

HOOKS = ("on_begin", "on_epoch_begin", "on_batch", "on_backward", "on_step", "on_epoch_end", "on_end", "on_error")


class Callback:
    """What is called at the turning points of a training, with the `Training` as it stands: override what is needed.

    `runs_last` is for those that must see what all others have done. `state_dict` gives what is to be saved with a
    training, of numbers, strings, arrays, lists and dicts, and `load_state_dict` takes it back.

    >>> class Shout(Callback):
    ...     def on_epoch_end(self, training):
    ...         print(f"epoch {training.epoch}!")
    """

    runs_last: bool = False

    def on_begin(self, training: Training) -> None:
        """Training starts."""

    def on_epoch_begin(self, training: Training) -> None:
        """An epoch starts; one that is resumed in its middle does not start again."""

    def on_batch(self, training: Training) -> None:
        """`training.x` and `training.y` are about to be used."""

    def on_backward(self, training: Training) -> None:
        """`training.value` is the loss, and gradients are there; after `training.stop()` no step is taken with them."""

    def on_step(self, training: Training) -> None:
        """A step was taken, and is in the history."""

    def on_epoch_end(self, training: Training) -> None:
        """An epoch, with its validation, is over and in the history; `training.epoch` counts it."""

    def on_end(self, training: Training) -> None:
        """Training is over: all epochs are done, or it was stopped."""

    def on_error(self, training: Training) -> None:
        """Training is over, for an exception, which goes on to the caller."""

    def state_dict(self) -> dict[str, Any]:
        """What this callback has to remember."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict()` gave; by an error, raised before anything is changed, if it does not fit."""
        if state:
            raise ValueError(f"{type(self).__name__} has no load_state_dict() to load its state with: define one")


class Training:
    """A training as it stands, as callbacks see it.

    `model`, `loss`, `optimizer`, `train`, `validation`, `metrics`, `epochs`, `callbacks` and `history` are what fit was
    given or made. `epoch` is the number of epochs done, `batch` that of batches done in this one, `step` that of all
    steps. `x`, `y`, `prediction` and `value` (the loss, a float) are of the last batch. `interrupted` is whether Ctrl-C
    was pressed.
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
        self.metrics = by_name(metrics)
        self.history = History()
        self.epoch = self.batch = self.step = 0
        self.interrupted = False
        self.x: Any = None
        self.y: Any = None
        self.prediction: Any = None
        self.value = float("nan")
        # Those that the batches are drawn with: from their state when an epoch began, its batches can be drawn again.
        self.generators = generators(train)
        self.drawn_from: list[Any] = []  # states of those that all share, and of these
        self.cleanup = ExitStack()  # what is to happen when fit is left, however it is
        self._hooks = {name: [getattr(c, name) for c in self.callbacks if _overrides(c, name)] for name in HOOKS}

    def stop(self, reason: str) -> None:
        """End training after this step, and say why in `history.stopped`; the first reason counts."""
        self.history.stopped = self.history.stopped or reason

    def stopping(self) -> bool:
        """Whether somebody has asked to stop."""
        return self.history.stopped is not None

    @property
    def batches(self) -> int | None:
        """How many batches an epoch has, where that is known."""
        return len(self.train) if isinstance(self.train, Sized) else None

    def call(self, name: str) -> None:
        """Call one hook of all callbacks."""
        for hook in self._hooks[name]:
            hook(self)

    def hooks(self, name: str) -> list[Callable[[Training], None]]:
        """The methods that do something at this hook."""
        return self._hooks[name]

    def draw(self) -> Iterator[Any]:
        """This epoch's batches that are still to come."""
        found = [*SHARED.values(), *(place() for place in self.generators.values())]
        now = [state_of(generator) for generator in found]
        if not self.batch:
            self.drawn_from = now
            return iter(self.train)
        set_states(found, self.drawn_from)
        batches = iter(self.train)
        for i in range(self.batch):
            if next(batches, self) is self:
                raise ValueError(f"the training data gave {i} batches, when it was saved it had given {self.batch}")
        set_states(found, now)
        return batches

    # ---- Saved, resumed

    @cached_property
    def saved(self) -> SavedTraining:
        """What of this training, besides model and optimizer, is saved and loaded; found when it is first asked for."""
        return SavedTraining(self)

    def state_dict(self) -> dict[str, Any]:
        """All that the rest of the training depends on, besides model and optimizer."""
        return self.saved.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict()` gave, mid-epoch too. What does not fit is a ValueError, and nothing is set."""
        self.saved.load_state_dict(state)


def _overrides(callback: Callback, name: str) -> bool:
    return getattr(type(callback), name) is not getattr(Callback, name)


def check_optimizer(owner: str, optimizer: Any, model: Module, loss: Any) -> None:
    """Raise a ValueError if an optimizer has parameters that neither `model` nor a `loss` that is a module has, and not
    all of the model's: it was made for another model, or before a layer was replaced. One that has all of the model's may
    have others, as of a loss that is a plain function; and it need not have all of them, so that some stay as they are.
    """
    known = known_parameters(model)
    own = {id(parameter) for parameter in (*known, *known_parameters(loss))}
    given = [parameter for group in getattr(optimizer, "param_groups", ()) for parameter in group["params"]]
    foreign = [parameter for parameter in given if id(parameter) not in own]
    missing = {id(parameter) for parameter in known} - {id(parameter) for parameter in given}
    if foreign and (missing or len(foreign) == len(given)):
        raise ValueError(
            f"{owner}: {len(foreign)} of the optimizer's {len(given)} parameters are not the model's, and would not be "
            f"trained (the first has shape {np.shape(foreign[0].raw)}): make the optimizer from model.parameters(), after "
            "the last change of the model's layers; a loss with parameters of its own is to be an nn.Module that has them"
        )


def check_schedule(optimizer: Any, training: Training) -> None:
    """Raise a ValueError if a schedule sets the rate of an `optimizer` that takes no step in this training: another one
    for the parameters that fit's has too, or one of another model. A second one for other parameters is a callback's."""
    if optimizer is training.optimizer or not hasattr(optimizer, "param_groups"):
        return
    own = {id(parameter) for part in (training.model, training.loss) for parameter in known_parameters(part)}
    stepped, second = (
        {id(parameter) for group in getattr(each, "param_groups", ()) for parameter in group["params"]}
        for each in (training.optimizer, optimizer)
    )
    if second & stepped or not second & own:
        raise ValueError(
            "Schedule: it sets the rate of another optimizer than the one that fit was given: make it from the same (or, "
            "if a callback steps a second one for another model, call scheduler.step() there)"
        )
