"""Learning rates that change with time: each schedule says, in closed form, what the rate is at a given epoch.

PyTorch's names, arguments and numbers. An "epoch" is what lies between two calls of `step()`, be it an epoch or a batch.
"""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from nn.optim.loading import check_alike, check_count, is_number, is_plain, mapping
from nn.optim.optimizer import Optimizer
from nn.restoring import load_all
from nn.validation import integer, number, sequence, shown


class OptimizerSchedule:
    """The optimizer whose rates a schedule changes, and the schedule's state: its settings and counts."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = checked(self, optimizer)

    def get_last_lr(self) -> list[float]:
        """The learning rate of every group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What to continue from: numbers, and lists of them."""
        return {name: value for name, value in vars(self).items() if name != "optimizer" and not callable(value)}

    def _check_names(self, state: Any) -> None:
        """Raise a ValueError unless `state` has the names of this schedule's, and numbers for its numbers."""
        own = OptimizerSchedule.state_dict(self)
        mapping(self, state, *(name for name, value in own.items() if is_plain(value)))
        for name, value in state.items():
            if name not in own:
                raise ValueError(f"a {type(self).__name__} has no {shown(name)}: nothing was loaded")
            check_alike(name, own[name], value)
        check_count("last_epoch", state["last_epoch"])


class LRScheduler(OptimizerSchedule, ABC):
    """Sets `lr` in every parameter group of an optimizer: at once to that of epoch 0, and at each `step()` to the next.

    What a group's rate starts from is its `lr` when its first schedule is made, which it keeps as `initial_lr`.
    `last_epoch` counts the steps. `state_dict()` has all but the optimizer, whose own state has the rates as they are.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        super().__init__(optimizer)
        self.base_lrs: list[float] = []
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
            self.base_lrs.append(group["initial_lr"])
        self.last_epoch = 0
        self.set()

    @abstractmethod
    def rate(self, epoch: int, base: float) -> float:
        """The learning rate at `epoch`, from 0, of a group that starts from `base`."""

    def step(self) -> None:
        """Go on to the next epoch."""
        self.last_epoch += 1
        self.set()

    def set(self) -> None:
        """Give the optimizer the rates of `last_epoch`."""
        for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=False):
            group["lr"] = self.rate(self.last_epoch, base)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict()` gave; load the optimizer's state too, for it has the rates. What does not fit is
        a ValueError that names it, and nothing is loaded."""
        self.check_state(state)
        vars(self).update(state)

    def check_state(self, state: Any) -> None:
        """Raise a ValueError unless `state` is one of such a schedule: the same names, numbers for numbers, and a rate to
        go on with."""
        self._check_names(state)
        bases, n = state["base_lrs"], len(self.optimizer.param_groups)
        if len(bases) != n:
            raise ValueError(f"base_lrs has {len(bases)} rates, and there are {n} groups: nothing was loaded")
        tried = copy.copy(self)
        vars(tried).update(state)
        try:
            rates = [tried.rate(state["last_epoch"], base) for base in bases]
        except Exception as error:
            raise ValueError(f"these settings give no rate ({error}): nothing was loaded") from error
        if not all(map(is_number, rates)):
            raise ValueError(f"these settings give the rates {shown(rates)}: nothing was loaded")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(last_epoch={self.last_epoch}, lr={self.get_last_lr()})"


class LambdaLR(LRScheduler):
    """`base * lr_lambda(epoch)`. The function is not part of the state."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]) -> None:
        if not callable(lr_lambda):
            raise TypeError(f"LambdaLR: lr_lambda must be a function of the epoch, got {shown(lr_lambda)}")
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def rate(self, epoch: int, base: float) -> float:
        return float(base * number("LambdaLR", f"lr_lambda({epoch})", self.lr_lambda(epoch), least=0))


class StepLR(LRScheduler):
    """`gamma` times the rate every `step_size` epochs.

    >>> from autograd import Tensor
    >>> from nn.optim.sgd import SGD
    >>> schedule = StepLR(SGD([Tensor([0.0])], lr=1.0), step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = integer("StepLR", "step_size", step_size, least=1)
        self.gamma = number("StepLR", "gamma", gamma, least=0)
        super().__init__(optimizer)

    def rate(self, epoch: int, base: float) -> float:
        return float(base * self.gamma ** (epoch // self.step_size))


class MultiStepLR(LRScheduler):
    """`gamma` times the rate at each of the `milestones`."""

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1) -> None:
        self.milestones = sorted(at_epochs("MultiStepLR", milestones))
        self.gamma = number("MultiStepLR", "gamma", gamma, least=0)
        super().__init__(optimizer)

    def rate(self, epoch: int, base: float) -> float:
        return float(base * self.gamma ** bisect_right(self.milestones, epoch))


class ExponentialLR(LRScheduler):
    """`gamma` times the rate every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = number("ExponentialLR", "gamma", gamma, least=0)
        super().__init__(optimizer)

    def rate(self, epoch: int, base: float) -> float:
        return float(base * self.gamma**epoch)


class ConstantLR(LRScheduler):
    """`factor` times the rate for `total_iters` epochs, and then the rate."""

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5) -> None:
        self.factor = number("ConstantLR", "factor", factor, least=0)
        self.total_iters = integer("ConstantLR", "total_iters", total_iters, least=0)
        super().__init__(optimizer)

    def rate(self, epoch: int, base: float) -> float:
        return base * self.factor if epoch < self.total_iters else base


class LinearLR(LRScheduler):
    """From `start_factor` to `end_factor` times the rate, evenly, in `total_iters` epochs: a warm-up.

    >>> from autograd import Tensor
    >>> from nn.optim.sgd import SGD
    >>> schedule = LinearLR(SGD([Tensor([0.0])], lr=1.0), start_factor=0.5, total_iters=2)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.75]
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
    ) -> None:
        self.start_factor = number("LinearLR", "start_factor", start_factor, above=0, most=1)
        self.end_factor = number("LinearLR", "end_factor", end_factor, least=0, most=1)
        self.total_iters = integer("LinearLR", "total_iters", total_iters, least=1)
        super().__init__(optimizer)

    def rate(self, epoch: int, base: float) -> float:
        done = min(epoch / self.total_iters, 1.0)
        return base * (self.start_factor + (self.end_factor - self.start_factor) * done)


class CosineAnnealingLR(LRScheduler):
    """From the rate to `eta_min` in `T_max` epochs, along half a cosine; then back, and so on.

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, equation 5.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = integer("CosineAnnealingLR", "T_max", T_max, least=1)
        self.eta_min = number("CosineAnnealingLR", "eta_min", eta_min, least=0)
        super().__init__(optimizer)

    def rate(self, epoch: int, base: float) -> float:
        return self.eta_min + (base - self.eta_min) * (1.0 + math.cos(math.pi * epoch / self.T_max)) / 2.0


class SequentialLR(LRScheduler):
    """One schedule after the other: the next one, from its epoch 0, at each of the `milestones`.

    >>> from autograd import Tensor
    >>> from nn.optim.sgd import SGD
    >>> optimizer = SGD([Tensor([0.0])], lr=1.0)
    >>> warm_up = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> schedule = SequentialLR(optimizer, [warm_up, ExponentialLR(optimizer, gamma=0.5)], milestones=[2])
    >>> for _ in range(4):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]) -> None:
        schedulers = sequence("SequentialLR", "schedulers", schedulers)
        milestones = at_epochs("SequentialLR", milestones)
        for scheduler in schedulers:
            if not isinstance(scheduler, LRScheduler):
                raise TypeError(f"SequentialLR takes schedules such as nn.LinearLR(optimizer), got {shown(scheduler)}")
        if milestones != sorted(milestones):
            raise ValueError(f"SequentialLR: milestones must grow, got {milestones}")
        if len(schedulers) != len(milestones) + 1:
            raise ValueError(
                f"SequentialLR needs a milestone between each two schedules, got {len(schedulers)} schedules and "
                f"{len(milestones)} milestones"
            )
        if any(scheduler.optimizer is not optimizer for scheduler in schedulers):
            raise ValueError("SequentialLR needs schedules of its own optimizer, got one of another")
        self.schedulers: list[LRScheduler] = schedulers
        self.milestones = milestones
        super().__init__(optimizer)

    def set(self) -> None:
        k = bisect_right(self.milestones, self.last_epoch)
        scheduler = self.schedulers[k]
        scheduler.last_epoch = self.last_epoch - (self.milestones[k - 1] if k else 0)
        scheduler.set()

    def rate(self, epoch: int, base: float) -> float:
        k = bisect_right(self.milestones, epoch)
        return self.schedulers[k].rate(epoch - (self.milestones[k - 1] if k else 0), base)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "schedulers": [scheduler.state_dict() for scheduler in self.schedulers]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        parts, n = mapping(self, state, "schedulers")["schedulers"], len(self.schedulers)
        if not isinstance(parts, (list, tuple)) or len(parts) != n:
            raise ValueError(f"schedulers are {shown(parts)}, not the states of {n} schedules: nothing was loaded")
        own = {name: value for name, value in state.items() if name != "schedulers"}
        self.check_state(own)
        if len(own["milestones"]) != n - 1:
            raise ValueError(f"milestones are {shown(own['milestones'])} for {n} schedules: nothing was loaded")
        load_all(zip(self.schedulers, parts, strict=True))
        super().load_state_dict(own)


def checked(schedule: Any, optimizer: Any) -> Optimizer:
    """`optimizer`, or a TypeError if it is none."""
    if not isinstance(optimizer, Optimizer):
        owner = type(schedule).__name__
        raise TypeError(f"{owner} needs an optimizer, as nn.SGD(model.parameters()), got {shown(optimizer)}")
    return optimizer


def at_epochs(owner: str, milestones: Any) -> list[int]:
    """`milestones` as a list of epochs, integers from 0."""
    return [integer(owner, "each of milestones", n, least=0) for n in sequence(owner, "milestones", milestones)]


def a_group(schedule: Any, name: str, value: Any, groups: int) -> list[float]:
    """One number from 0 for each group, from one, or from a list of them."""
    owner = type(schedule).__name__
    values = list(value) if isinstance(value, (list, tuple)) else [value] * groups
    if len(values) != groups:
        raise ValueError(f"{owner} needs one {name} a group, got {len(values)} for {groups} groups")
    return [float(number(owner, name, x, least=0)) for x in values]
