"""State of a training besides its model and its optimizer: saved, checked, and loaded into another one."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from autograd.arguments import shown
from nn.history import History
from nn.module import Module
from nn.randomness import SHARED, GeneratorStates, Getter, check_states, generators, same_state, set_states, state_of
from nn.restoring import load_all

if TYPE_CHECKING:
    from nn.training_state import Training

NAMES = ("epoch", "batch", "step", "batches", "generators", "drawn_from", "stopped", "history", "callbacks")
LATER = ("draws", "shared", "beside")  # what version 0.1 did not save


class SavedTraining:
    """A training's place among its steps, history and callbacks, and all that it draws from; found when this is made.

    Random generators are looked for in the data, the loss, the metrics and the callbacks. Those that NumPy and Python
    share among all are saved where somebody has drawn from them since. A loss, a metric and validation data that have
    `state_dict` and `load_state_dict` are saved too.
    """

    def __init__(self, training: Training) -> None:
        self.training = training
        parts = {name: getattr(training, name) for name in ("validation", "loss", "metrics", "callbacks")}
        drawn = [place() for places in (generators(training.model), training._generators) for place in places.values()]
        found = generators(parts, seen=[training.model, training.train, *drawn])
        self.draws = GeneratorStates("the training", found, {})
        self.shared = {name: state_of(generator) for name, generator in SHARED.items()}
        self.others = dict(_other_owners(training))

    def state_dict(self) -> dict[str, Any]:
        training = self.training
        drawn_from = training._drawn_from or [None] * len(SHARED)
        states = zip(SHARED, map(state_of, SHARED.values()), drawn_from, strict=False)
        shared = {name: [now, began] for name, now, began in states if not same_state(now, self.shared[name])}
        return {name: getattr(training, name) for name in ("epoch", "batch", "step", "batches")} | {
            "generators": [state_of(place()) for place in training._generators.values()],
            "drawn_from": drawn_from[len(SHARED) :],
            "stopped": None if training.interrupted else training.history.stopped,
            "history": training.history.state_dict(),
            "callbacks": [[type(callback).__name__, callback.state_dict()] for callback in training.callbacks],
            "draws": self.draws.state_dict(),
            "shared": shared,
            "beside": {name: owner.state_dict() for name, owner in self.others.items()},
        }

    def load_state_dict(self, state: Any) -> None:
        """Continue from what `state_dict()` gave. What does not fit is a ValueError, and nothing is loaded."""
        training = self.training
        if not isinstance(state, dict) or set(NAMES) - state.keys() or state.keys() - {*NAMES, *LATER}:
            raise ValueError(f"this is not the state of a training: {shown(state)}")
        self._check_place(state)
        self._check_callbacks(state["callbacks"])
        found, now, drawn_from = self._check_generators(state)
        load_all([*self._parts(state), (training.history, state["history"])])
        set_states(found, now)
        training._generators, training._drawn_from = self._places(state), drawn_from
        training.epoch, training.batch, training.step = state["epoch"], state["batch"], state["step"]
        training.history.stopped = state["stopped"]

    def _parts(self, state: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
        """The owners of states, each with the state that it is to load."""
        for callback, (_, own) in zip(self.training.callbacks, state["callbacks"], strict=True):
            yield callback, own
        if "draws" in state:
            yield self.draws, state["draws"]
        elif unsaved := [*self.training._generators.keys() - self._places(state).keys(), *self.draws.places]:
            warnings.warn(
                f"version 0.1 did not save the random generators {', '.join(unsaved)}: what is drawn from them will not be "
                "what it would have been",
                RuntimeWarning,
                stacklevel=2,
            )
        beside = state.get("beside", {name: owner.state_dict() for name, owner in self.others.items()})
        if not isinstance(beside, dict) or beside.keys() != self.others.keys():
            raise ValueError(f"this training has states of {sorted(self.others)} too, the saved one {shown(beside)}")
        for name, owner in self.others.items():
            yield owner, beside[name]

    def _check_place(self, state: dict[str, Any]) -> None:
        for name in ("epoch", "batch", "step"):
            n = state[name]
            if type(n) is not int or not 0 <= n < 1 << 53:
                raise ValueError(f"the training's {name} is {shown(n)}, which is no number of them")
        if state["batch"] > state["step"]:
            raise ValueError(f"{state['batch']} batches of an epoch cannot be done after {state['step']} steps")
        if state["stopped"] is not None and not isinstance(state["stopped"], str):
            raise ValueError(f"the training's reason to stop is {shown(state['stopped'])}, which is no text")
        if (n := self.training.batches) != state["batches"]:
            raise ValueError(f"an epoch has {n} batches, in the saved training it had {shown(state['batches'])}")
        if n is not None and state["batch"] > n:
            raise ValueError(f"{state['batch']} batches of an epoch of {n} cannot be done")
        history = History()
        history.load_state_dict(state["history"])
        epochs, steps = len(history.epochs.get("loss", ())), len(history.steps["loss"])
        epoch, step = state["epoch"], state["step"]
        if (epochs, steps) != (epoch, step):
            raise ValueError(f"the history has {epochs} epochs and {steps} steps, the training {epoch} and {step}")
        for name in self.training.metrics:
            if state["step"] and len(history.steps.get(name, ())) != state["step"]:
                raise ValueError(f"the metric {name} was not measured in the training that was saved: leave it out")

    def _check_callbacks(self, saved: Any) -> None:
        if not isinstance(saved, list) or not all(isinstance(entry, list) and len(entry) == 2 for entry in saved):
            raise ValueError(f"the states of callbacks are {shown(saved)}, not names and states")
        names = [type(callback).__name__ for callback in self.training.callbacks]
        if names != [name for name, _ in saved]:
            raise ValueError(f"this training has the callbacks {names}, the saved one {[name for name, _ in saved]}")

    def _places(self, state: dict[str, Any]) -> dict[str, Getter]:
        """The places of those that the batches were drawn with, when they were saved."""
        places = self.training._generators
        if "draws" in state:
            return places
        own = getattr(self.training.train, "__dict__", {})  # version 0.1 saved those that are attributes of the data
        return {name: place for name, place in places.items() if name in own}

    def _check_generators(self, state: dict[str, Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """The generators that batches may be drawn with, their states, and those at the start of the epoch."""
        places, now, drawn_from = self._places(state), state["generators"], state["drawn_from"]
        shared = state.get("shared", {})
        whole = isinstance(shared, dict) and all(isinstance(two, list) and len(two) == 2 for two in shared.values())
        if not whole or shared.keys() - SHARED.keys():
            raise ValueError(f"the shared generators are {', '.join(SHARED)}, got {shown(shared)}")
        if not isinstance(now, list) or len(now) != len(places):
            raise ValueError("the training data was drawn with another number of random generators when it was saved")
        if not isinstance(drawn_from, list) or len(drawn_from) != (len(places) if state["batch"] else len(drawn_from)):
            raise ValueError(f"the epoch's batches were drawn from {shown(drawn_from)}, not from one state a generator")
        names, found = [*SHARED, *places], [*SHARED.values(), *(place() for place in places.values())]
        current = [state_of(generator) for generator in SHARED.values()]
        now = [*(shared.get(name, [own])[0] for name, own in zip(SHARED, current, strict=True)), *now]
        check_states(found, now, names)
        if drawn_from or state["batch"]:
            began = [shared.get(name, [own, own])[1] for name, own in zip(SHARED, current, strict=True)]
            drawn_from = [*began, *drawn_from]
            check_states(found, drawn_from, names)
        return found, now, drawn_from


class _OwnState:
    """A module's parameters and buffers that are not the model's."""

    def __init__(self, module: Module, model: Module) -> None:
        known = {id(part) for part in (*model.parameters(), *model.buffers())}
        self.module = module
        own = (*module.named_parameters(), *module.named_buffers())
        self.names = [name for name, part in own if id(part) not in known]

    def state_dict(self) -> dict[str, Any]:
        state = self.module.state_dict()
        return {name: state[name] for name in self.names}

    def load_state_dict(self, state: Any) -> None:
        if not isinstance(state, dict) or state.keys() != set(self.names):
            raise ValueError(f"{type(self.module).__name__} has the arrays {self.names}, got {shown(state)}")
        self.module.load_state_dict(state, strict=False)


def _other_owners(training: Training) -> Iterator[tuple[str, Any]]:
    """The owners of states besides model, optimizer and callbacks, by name."""
    parts = {"validation": training.validation, "loss": training.loss}
    seen = {id(part) for part in (training.model, training.optimizer, training.train, *training.callbacks)}
    for name, part in (parts | {f"metric {name}": metric for name, metric in training.metrics.items()}).items():
        owner = getattr(part, "__self__", part)  # a bound method's
        if id(owner) in seen or isinstance(owner, type):
            continue
        seen.add(id(owner))
        if isinstance(owner, Module):
            if (rest := _OwnState(owner, training.model)).names:
                yield name, rest
        elif hasattr(owner, "state_dict") and hasattr(owner, "load_state_dict"):
            yield name, owner
