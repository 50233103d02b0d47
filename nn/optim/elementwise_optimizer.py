"""`ElementwiseOptimizer`: an optimizer given by a formula on numbers, which changes each element by its own gradient."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from autograd.arguments import shown
from autograd.forks import importing
from nn.optim.flat_buffers import Bucket, buckets_of
from nn.optim.optimizer import Group, Optimizer, called
from nn.typing import Array, R

if TYPE_CHECKING:
    from autograd.compiler.inplace import InPlaceKernel

_is_number = Real.__instancecheck__  # flags are, too


class ElementwiseOptimizer(Optimizer):
    """An optimizer that says in `initial_state` what it remembers of each element, and in `update` how it changes them.

    A subclass is a constructor, which declares the settings, and the formula:

    >>> from autograd import Tensor, sign
    >>> class SignSGD(ElementwiseOptimizer):
    ...     def __init__(self, params, lr=1e-3):
    ...         super().__init__(params, lr=lr)
    ...     @staticmethod
    ...     def update(p, g, t, *, lr):
    ...         return (p - lr * sign(g),)
    >>> x = Tensor([1.0, -200.0])
    >>> optimizer = SignSGD([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.tolist()
    [0.5, -199.5]
    """

    _counts_steps: ClassVar[bool] = True  # whether a state must say how many steps were taken
    _kernels: ClassVar[dict[Any, InPlaceKernel]]  # of a class, by what the formula may branch on

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._kernels = {}

    def __init__(self, params: Any, **defaults: Any) -> None:
        self._buckets: list[list[Bucket]] = []  # of each group
        self._plans: list[tuple[Any, Any, list[float]]] = []  # of each group: its settings, their kernel, their numbers
        super().__init__(params, **defaults)

    def initial_state(self, group: Group) -> dict[str, float | None]:
        """What is remembered of each element, by its name in checkpoints, as it is at first; None is for what these
        settings do not need."""
        return {}

    @staticmethod
    @abstractmethod
    def update(*numbers: Any, **settings: Any) -> tuple[float, ...]:
        """The formula of a step: `update(p, g, *state, t, **settings)` gives the new parameter and state.

        `p` is an element, `g` its gradient, `t` the number of the step, from 1. The state is in the order of
        `initial_state`, and None where that says None. The settings are keyword arguments. What is branched on must
        depend on settings and `t` alone; elements are chosen between by `ag.where`. It is compiled: see `InPlaceKernel`.
        """

    def add_param_group(self, group: Group) -> None:
        first = len(self.parameters)
        super().add_param_group(group)
        group = self.param_groups[-1]
        self._buckets.append(buckets_of(group["params"], first))
        self._plans.append((None, None, []))
        for bucket in self._buckets[-1]:
            bucket.allocate_state(self.initial_state(group))

    def step(self, closure: Callable[[], R] | None = None) -> R | None:
        loss = None if closure is None else called(closure)
        # All are gathered and compiled before the first is changed, for this may raise.
        gathered = [[bucket.gather() for bucket in buckets] for buckets in self._buckets]
        if not any(map(any, gathered)):
            raise ValueError(
                f"{type(self).__name__}: no parameter has a gradient, so that a step would change nothing: call "
                "backward() of a loss that depends on them before step()"
            )
        work: list[tuple[Bucket, list[Any]]] = []
        for k, buckets in enumerate(self._buckets):
            kernel, numbers = self._prepared(k)
            for bucket, segments in zip(buckets, gathered[k], strict=True):
                parts = [(part, *kernel.code(bucket.dtype, (part.time, *numbers))) for part in segments]
                work.append((bucket, parts))
        for bucket, parts in work:
            bucket.step(parts)
        return loss

    def _prepared(self, k: int) -> tuple[InPlaceKernel, list[float]]:
        """The kernel for the settings of group `k`, and the numbers among them, with state allocated for them."""
        group = self.param_groups[k]
        settings = [*map(group.__getitem__, self.defaults)]
        if settings != self._plans[k][0]:
            kept = [tuple(x) if isinstance(x, list) else x for x in settings]  # a list may change
            state = self.initial_state(group)
            for bucket in self._buckets[k]:
                bucket.allocate_state(state)
            used = [start is not None for start in state.values()]
            numbers: list[float] = []
            rest: list[Any] = []  # of the settings: what the formula is given as it is, such as a name
            for setting in kept:
                several = setting if isinstance(setting, tuple) else (setting,)
                if all(map(_is_number, several)):
                    numbers += map(float, several)
                    setting = (len(several),)
                rest.append(setting)
            key = (*used, *rest)
            if key not in self._kernels:
                self._kernels[key] = self._kernel(used, dict(zip(self.defaults, kept, strict=True)))
            self._plans[k] = kept, self._kernels[key], numbers
        return self._plans[k][1:]

    def _kernel(self, used: Sequence[bool], settings: dict[str, Any]) -> InPlaceKernel:
        """That of `update` as a function `(p, g, *state in use, t, *numbers)`."""
        with importing:
            from autograd.compiler.inplace import InPlaceKernel  # with the compiler, when first needed
        update = self.update

        def formula(p: float, g: float, *rest: float) -> list[Any]:
            given = iter(rest)
            state = [next(given) if use else None for use in used]
            t = next(given)
            values = dict(settings)
            for name, setting in settings.items():
                if _is_number(setting):
                    values[name] = next(given)
                elif isinstance(setting, tuple) and all(map(_is_number, setting)):
                    values[name] = tuple(itertools.islice(given, len(setting)))
            new, *states = update(p, g, *state, t, **values)
            return [new, *itertools.compress(states, used)]

        return InPlaceKernel(formula, 2 + sum(used), [0, *range(2, 2 + sum(used))])

    # ---- Saved, loaded

    def _parameter_states(self) -> dict[int, dict[str, Any]]:
        states = {}
        for bucket in itertools.chain(*self._buckets):
            for k, i in enumerate(bucket.positions):
                if bucket.counts[k]:
                    parts = {name: bucket.part(array, k).copy() for name, array in bucket.state.items()}
                    states[i] = {"step": bucket.counts[k], **parts}
        return dict(sorted(states.items()))

    def _load_parameter_states(self, states: dict[int, dict[str, Any]], groups: list[Group]) -> None:
        loaded = {}
        for group, buckets in zip(groups, self._buckets, strict=True):
            for bucket in buckets:
                for k, i in enumerate(bucket.positions):
                    # PyTorch's SGD has an empty state for no momentum.
                    if i in states and (states[i] or self._counts_steps):
                        loaded[i] = self._checked(bucket, k, states[i], group)
        for group, buckets in zip(groups, self._buckets, strict=True):
            starts = self.initial_state(group)
            for bucket in buckets:
                bucket.allocate_state(starts)
                for k, i in enumerate(bucket.positions):
                    bucket.counts[k], parts = loaded.get(i, (0, starts))
                    for name, array in bucket.state.items():
                        bucket.part(array, k)[...] = parts[name]

    def _checked(self, bucket: Bucket, k: int, parts: Mapping[str, Any], group: Group) -> tuple[int, dict[str, Any]]:
        """The number of steps of a bucket's `k`-th parameter, and its arrays, if they are what the settings need."""
        i, shape, arrays = bucket.positions[k], bucket.shapes[k], {}
        starts = {name: start for name, start in self.initial_state(group).items() if start is not None}
        for name in starts:
            array = _real(parts.get(name))
            if array is None or array.shape != shape:
                found = "missing" if array is None else f"of shape {array.shape}"
                raise ValueError(
                    f"{name} of parameter {i} is {found}, the parameter has shape {shape}: nothing was loaded; load the "
                    f"state of a {type(self).__name__} for the same model"
                )
            with np.errstate(all="ignore"):
                arrays[name] = array.astype(bucket.dtype)
        for name, part in parts.items():
            if name not in arrays and name != "step" and part is not None:
                raise ValueError(
                    f"parameter {i} has {name!r}, which {type(self).__name__} does not remember with these settings: "
                    "nothing was loaded"
                )
        if "step" not in parts and self._counts_steps:
            raise ValueError(f"the number of steps of parameter {i} is missing: nothing was loaded")
        step = _real(parts.get("step", 1))
        if step is None or step.shape or not 0 <= step < 1 << 53 or step != int(step):
            raise ValueError(f"the number of steps of parameter {i} is {shown(parts['step'])}: nothing was loaded")
        if not step and any((arrays[name] != start).any() for name, start in starts.items()):
            raise ValueError(f"parameter {i} has a past and took no steps: nothing was loaded")
        return int(step), arrays


def _real(data: Any) -> Array | None:
    """`data` as an array of real numbers, if it is one."""
    try:
        array = np.asarray(data)
    except (TypeError, ValueError):
        return None
    return array if array.dtype.kind in "fiu" else None


def with_decay(g: float, p: float, weight_decay: float) -> float:
    """The gradient with that of the penalty `½ weight_decay p²`."""
    return weight_decay * p + g if weight_decay else g
