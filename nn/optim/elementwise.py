"""Optimizers that change each element by its own gradient and past: a step is a few operations on flat arrays."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from autograd.arguments import shown
from nn.optim.flat import Flat, flatten
from nn.optim.optimizer import Group, Optimizer, called
from nn.typing import R

CHUNK = 1 << 18  # elements updated at a time, so that scratch stays small and, of a large model, in the cache

Array = np.ndarray[Any, Any]


class Stretch:
    """Parameters of one group and dtype, with the optimizer's arrays for them and two of scratch."""

    def __init__(self, flat: Flat) -> None:
        self.flat = flat
        self.state: dict[str, Array] = {}
        self.s, self.t = np.empty((2, min(CHUNK, flat.size)), flat.dtype)

    def allot(self, arrays: dict[str, float]) -> None:
        """Have these arrays, and no others; new ones start filled with their value."""
        if self.state.keys() != arrays.keys():
            flat = self.flat
            self.state = {
                name: self.state.get(name, np.full(flat.size, start, flat.dtype)) for name, start in arrays.items()
            }


class ElementwiseOptimizer(Optimizer):
    """An optimizer that says in `arrays` what it remembers, and in `update` how one stretch of parameters is changed."""

    counts: ClassVar[bool] = True  # whether a state must say how many steps were taken

    def __init__(self, params: Any, **defaults: Any) -> None:
        self._stretches: list[list[Stretch]] = []  # of each group
        super().__init__(params, **defaults)

    def arrays(self, group: Group) -> dict[str, float]:
        """The arrays, as large as the parameters, that these settings need, by name, and what fills them at first."""
        return {}

    @abstractmethod
    def update(self, p: Array, g: Array, state: dict[str, Array], group: Group, count: int, s: Array, t: Array) -> None:
        """Change the values `p` in place, by their gradients `g`, which are only read, and `state`, the stretches of
        the optimizer's arrays, which are changed too. `group` are the settings, `count` is the number of this step,
        from 1. `s` and `t` are scratch. All are flat, of one length and dtype."""

    def add_param_group(self, group: Group) -> None:
        first = len(self.parameters)
        super().add_param_group(group)
        group = self.param_groups[-1]
        stretches = [Stretch(flat) for flat in flatten(group["params"], first)]
        for stretch in stretches:
            stretch.allot(self.arrays(group))
        self._stretches.append(stretches)

    def step(self, closure: Callable[[], R] | None = None) -> R | None:
        loss = None if closure is None else called(closure)
        work = [
            (stretch, group)
            for group, stretches in zip(self.param_groups, self._stretches, strict=True)
            for stretch in stretches
        ]
        with np.errstate(all="ignore"):  # what has diverged shows in the values
            gathered = [
                stretch.flat.gather() for stretch, _ in work
            ]  # all, before the first is changed: this may raise
            if not any(gathered):
                raise ValueError(
                    f"{type(self).__name__}: no parameter has a gradient, so that a step would change nothing: call "
                    "backward() of a loss that depends on them before step()"
                )
            for (stretch, group), runs in zip(work, gathered, strict=True):
                flat = stretch.flat
                stretch.allot(self.arrays(group))
                flat.begin()
                for start, stop, count, grad in runs:
                    for a in range(start, stop, CHUNK):
                        b = min(a + CHUNK, stop)
                        state = {name: array[a:b] for name, array in stretch.state.items()}
                        g, n = grad[a - start : b - start], b - a
                        self.update(flat.data[a:b], g, state, group, count, stretch.s[:n], stretch.t[:n])
                flat.scatter()
        return loss

    # ---- Saved, loaded

    def parameter_states(self) -> dict[int, dict[str, Any]]:
        states = {}
        for stretch in itertools.chain(*self._stretches):
            flat = stretch.flat
            for k, i in enumerate(flat.positions):
                if flat.counts[k]:
                    parts = {name: flat.part(array, k).copy() for name, array in stretch.state.items()}
                    states[i] = {"step": flat.counts[k], **parts}
        return dict(sorted(states.items()))

    def load_parameter_states(self, states: dict[int, dict[str, Any]], groups: list[Group]) -> None:
        loaded = {}
        for group, stretches in zip(groups, self._stretches, strict=True):
            for flat in (stretch.flat for stretch in stretches):
                for i, shape in zip(flat.positions, flat.shapes, strict=True):
                    if i in states and (states[i] or self.counts):  # PyTorch's SGD has an empty one for no momentum
                        loaded[i] = self._checked(i, shape, flat.dtype, states[i], group)
        for group, stretches in zip(groups, self._stretches, strict=True):
            starts = self.arrays(group)
            for stretch in stretches:
                flat = stretch.flat
                stretch.allot(starts)
                for k, i in enumerate(flat.positions):
                    flat.counts[k], parts = loaded.get(i, (0, starts))
                    for name, array in stretch.state.items():
                        flat.part(array, k)[...] = parts[name]

    def _checked(
        self, i: int, shape: tuple[int, ...], dtype: Any, parts: Mapping[str, Any], group: Group
    ) -> tuple[int, dict[str, Any]]:
        """The number of steps of parameter `i`, and its arrays, if they are what these settings need."""
        arrays = {}
        for name in self.arrays(group):
            array = _real(parts.get(name))
            if array is None or array.shape != shape:
                found = "missing" if array is None else f"of shape {array.shape}"
                raise ValueError(
                    f"{name} of parameter {i} is {found}, the parameter has shape {shape}: nothing was loaded; load the "
                    f"state of a {type(self).__name__} for the same model"
                )
            with np.errstate(all="ignore"):
                arrays[name] = array.astype(dtype)
        for name, part in parts.items():
            if name not in arrays and name != "step" and part is not None:
                raise ValueError(
                    f"parameter {i} has {name!r}, which {type(self).__name__} does not remember with these settings: "
                    "nothing was loaded"
                )
        if "step" not in parts and self.counts:
            raise ValueError(f"the number of steps of parameter {i} is missing: nothing was loaded")
        step = _real(parts.get("step", 1))
        if step is None or step.shape or not 0 <= step < 1 << 53 or step != int(step):
            raise ValueError(f"the number of steps of parameter {i} is {shown(parts['step'])}: nothing was loaded")
        if not step and any((arrays[name] != start).any() for name, start in self.arrays(group).items()):
            raise ValueError(f"parameter {i} has a past and took no steps: nothing was loaded")
        return int(step), arrays


def _real(data: Any) -> Array | None:
    """`data` as an array of real numbers, if it is one."""
    try:
        array = np.asarray(data)
    except (TypeError, ValueError):
        return None
    return array if array.dtype.kind in "fiu" else None


def decayed(p: Array, g: Array, weight_decay: float, t: Array) -> Array:
    """`g + weight_decay * p`, the gradient with the penalty ½ weight_decay |p|²; in `t` where that makes a difference."""
    if not weight_decay:
        return g
    np.multiply(p, weight_decay, out=t)
    return np.add(t, g, out=t)
