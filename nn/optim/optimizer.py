"""What all optimizers have in common: parameters, steps, and a state that can be saved."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from autograd import Tensor, Value
from nn.optim.flat import flatten

CHUNK = 1 << 18  # elements updated at a time, so that scratch stays small and, of a large model, in the cache

Array = np.ndarray[Any, Any]


class Optimizer(ABC):
    """Changes parameters by their gradients, one `step()` at a time.

    `params` are leaves: Parameters, Tensors or Values, of any dtypes; None is a gradient that has not been computed, and
    its parameter is left alone. A graph that was recorded before a step cannot be differentiated after it: that raises.
    No parameters, results in place of leaves, and settings out of range are a ValueError, other things a TypeError.

    A kind of optimizer names its settings and its arrays, and says in `update` how one stretch of the parameters is
    changed. Settings, such as `lr`, may be changed between steps.
    """

    settings: ClassVar[tuple[str, ...]] = ("lr",)
    arrays: tuple[str, ...] = ()  # as large as the parameters, zero at first
    lr: float

    def __init__(self, params: Iterable[Any], lr: float) -> None:
        self.parameters = _checked(params)
        self.lr = at_least_zero("lr", lr)
        self._groups = [
            (flat, {name: np.zeros(flat.size, flat.dtype) for name in self.arrays}) for flat in flatten(self.parameters)
        ]
        self._scratch = [np.empty((2, min(CHUNK, flat.size)), flat.dtype) for flat, _ in self._groups]

    @abstractmethod
    def update(self, p: Array, g: Array, state: dict[str, Array], count: int, s: Array, t: Array) -> None:
        """Change the values `p` in place, by their gradients `g`, which are only read, and `state`, the stretches of
        the optimizer's arrays, which are changed too. This is the `count`-th step, from 1. `s` and `t` are scratch."""

    def step(self) -> None:
        """Change every parameter that has a gradient."""
        with np.errstate(all="ignore"):  # what has diverged shows in the values
            gathered = [flat.gather() for flat, _ in self._groups]  # all, before the first is changed: this may raise
            for (flat, state), (s, t), runs in zip(self._groups, self._scratch, gathered, strict=True):
                for start, stop, count, grad in runs:
                    for a in range(start, stop, CHUNK):
                        b = min(a + CHUNK, stop)
                        part = {name: array[a:b] for name, array in state.items()}
                        self.update(flat.data[a:b], grad[a - start : b - start], part, count, s[: b - a], t[: b - a])
                flat.scatter()

    def zero_grad(self) -> None:
        """Forget the gradient of every parameter."""
        for parameter in self.parameters:
            parameter.zero_grad()

    # ---- Saved, loaded, copied

    def state_dict(self) -> dict[str, Any]:
        """Copies of all that a step depends on besides parameters and gradients, laid out as PyTorch's."""
        state = {}
        for flat, arrays in self._groups:
            for k, i in enumerate(flat.positions):
                if flat.counts[k]:
                    parts = {name: flat.part(array, k).copy() for name, array in arrays.items()}
                    state[i] = {"step": flat.counts[k], **parts}
        group = {name: getattr(self, name) for name in self.settings}
        return {
            "state": dict(sorted(state.items())),
            "param_groups": [{**group, "params": list(range(len(self.parameters)))}],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict()` gave. If it does not fit, a ValueError says where, and nothing is loaded."""
        (group,) = state["param_groups"]
        n = len(self.parameters)
        if len(group["params"]) != n:
            raise ValueError(
                f"this state is of {len(group['params'])} parameters, the optimizer has {n}: nothing was loaded"
            )
        for i, parts in state["state"].items():
            shape = np.shape(self.parameters[i].raw)
            for name in self.arrays:
                if name not in parts or np.shape(parts[name]) != shape:
                    found = f"of shape {np.shape(parts[name])}" if name in parts else "missing"
                    raise ValueError(
                        f"{name} of parameter {i} is {found}, the parameter has shape {shape}: nothing was loaded; load the "
                        f"state of a {type(self).__name__} for the same model"
                    )
        for name in self.settings:
            setattr(self, name, group[name])
        for flat, arrays in self._groups:
            for k, i in enumerate(flat.positions):
                parts = state["state"].get(i)
                flat.counts[k] = int(parts["step"]) if parts else 0
                for name, array in arrays.items():
                    flat.part(array, k)[...] = parts[name] if parts else 0.0

    def __reduce__(self) -> Any:
        # Views of one buffer would be copied as arrays of their own: a copy is made anew, from the copied parameters.
        settings = {name: getattr(self, name) for name in self.settings}
        return _rebuilt, (type(self), self.parameters, settings, self.state_dict())

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.settings)
        return f"{type(self).__name__}({len(self.parameters)} parameters, {settings})"


def _rebuilt(kind: Any, parameters: list[Any], settings: dict[str, Any], state: dict[str, Any]) -> Optimizer:
    optimizer: Optimizer = kind(parameters, **settings)
    optimizer.load_state_dict(state)
    return optimizer


def at_least_zero(name: str, value: float) -> float:
    """`value`, or a ValueError if it is negative or not finite."""
    if not 0.0 <= value < math.inf:
        raise ValueError(f"{name} must be a number from 0, got {value!r}")
    return value


def _checked(params: Iterable[Any]) -> list[Any]:
    if isinstance(params, (Tensor, Value)):
        raise TypeError("an optimizer takes a list of parameters, not one: write [parameter]")
    if not isinstance(params, Iterable):
        raise TypeError(
            f"an optimizer takes a list of parameters, got a {type(params).__name__}: pass .parameters() of it"
        )
    parameters = list(params)
    if not parameters:
        raise ValueError(
            "an optimizer needs at least one parameter, got none: if a generator was used up, make a new one"
        )
    for i, parameter in enumerate(parameters):
        if not isinstance(parameter, (Tensor, Value)):
            raise TypeError(
                f"parameter {i} is a {type(parameter).__name__}, not a Parameter, Tensor or Value: for groups with settings "
                "of their own, make an optimizer for each"
            )
        if parameter.op is not None:
            raise ValueError(
                f"parameter {i} is the result of {parameter.op.name}, and would be computed anew: pass the leaves, or "
                ".detach() it"
            )
    return list(dict.fromkeys(parameters))
