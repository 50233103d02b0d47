"""Callback protocol, and callbacks that show, steer or watch a training: bar, schedule, gradient norms, non-finite losses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Node, detect_anomaly
from autograd.arrays import norms, sums
from nn.dependencies import optional
from nn.module_tree import initialized_parameters
from nn.randomness import generators, set_states, state_of
from nn.validation import choice, flag, shown

if TYPE_CHECKING:
    from nn.training_state import Training


class Callback:
    """Hooks at the turning points of a training, each called with the `Training` as it stands: override what is needed.

    `runs_last` is for those that must see what all others have done. `state_dict` gives the state that is saved with a
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
        """The state of this callback, to be saved with the training."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from the state that `state_dict()` gave; one that does not fit is an error, raised before any change."""
        if state:
            raise ValueError(f"{type(self).__name__} has no load_state_dict() to load its state with: define one")


class ProgressBar(Callback):
    """A bar on a terminal, with the loss of the last step and the metrics of the last epoch; silent elsewhere."""

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
            last = {name: x[-1] for name, x in training.history.epochs.items() if name not in ("loss", "lr", "seconds")}
            metrics = "".join(f", {name} {x:.4g}" for name, x in last.items())
            self.bar.set_postfix_str(f"loss {training.value:.4g}{metrics}", refresh=False)
            self.bar.update()

    def on_end(self, training: Training) -> None:
        if self.bar is not None:
            self.bar.close()

    on_error = on_end


class Schedule(Callback):
    """Call `scheduler.step()` after each epoch, or after each step with `every="step"`; with `monitor`, give it that
    metric of the epoch: `scheduler.step(valid_loss)`."""

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
        set_states(self._generators, self._states)
        try:
            with detect_anomaly(), np.errstate(all="ignore"):
                training.loss(training.model(training.x), training.y).backward()
        except FloatingPointError as error:
            return str(error)
        return "the batch, run again, gave no such number"


def _finite(data: Any) -> bool:
    array = np.asarray(data)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def check_schedule(optimizer: Any, training: Training) -> None:
    """Raise a ValueError if a schedule sets the rate of an `optimizer` that takes no step in this training: another one
    for the parameters that fit's has too, or one of another model. A second one for other parameters is a callback's."""
    if optimizer is training.optimizer or not hasattr(optimizer, "param_groups"):
        return
    own = {id(parameter) for part in (training.model, training.loss) for parameter in initialized_parameters(part)}
    stepped, second = (
        {id(parameter) for group in getattr(each, "param_groups", ()) for parameter in group["params"]}
        for each in (training.optimizer, optimizer)
    )
    if second & stepped or not second & own:
        raise ValueError(
            "Schedule: it sets the rate of another optimizer than the one that fit was given: make it from the same (or, "
            "if a callback steps a second one for another model, call scheduler.step() there)"
        )
