"""`ReduceLROnPlateau`: a smaller learning rate when a metric has stopped improving."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.arguments import as_float
from autograd.graph import value_of
from nn.optim.loading import check_count
from nn.optim.optimizer import Optimizer
from nn.optim.schedules import OptimizerSchedule, a_group
from nn.validation import choice, integer, number, shown


class ReduceLROnPlateau(OptimizerSchedule):
    """`factor` times the rate, of every group, after more than `patience` epochs without a better metric.

    Better is smaller for `mode` "min", larger for "max": by the share `threshold` of the best one for `threshold_mode`
    "rel", by `threshold` itself for "abs". After a reduction `cooldown` epochs do not count. The rate never falls below
    `min_lr`, one number or one a group; a change of less than `eps` is not made. PyTorch's numbers.

    >>> from autograd import Tensor
    >>> from nn.optim.sgd import SGD
    >>> schedule = ReduceLROnPlateau(SGD([Tensor([0.0])], lr=1.0), factor=0.5, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        name = "ReduceLROnPlateau"
        super().__init__(optimizer)
        self.mode = choice(name, "mode", mode, ("min", "max"))
        self.threshold_mode = choice(name, "threshold_mode", threshold_mode, ("rel", "abs"))
        self.factor = number(name, "factor", factor, least=0, below=1)
        self.patience = integer(name, "patience", patience, least=0)
        self.cooldown = integer(name, "cooldown", cooldown, least=0)
        self.threshold = number(name, "threshold", threshold, least=0)
        self.eps = number(name, "eps", eps, least=0)
        self.min_lrs = a_group(self, "min_lr", min_lr, len(optimizer.param_groups))
        self.best = math.inf if mode == "min" else -math.inf
        self.bad_epochs = self.cooling = self.last_epoch = 0

    def step(self, metrics: Any) -> None:
        """An epoch is over, with this metric, a number or a Tensor of one."""
        current = metrics.item() if hasattr(metrics, "item") and np.size(value_of(metrics)) == 1 else metrics
        if not isinstance(current, (int, float)) or isinstance(current, bool):
            raise TypeError(f"ReduceLROnPlateau: step takes the metric of an epoch, one number, got {shown(metrics)}")
        current = as_float("ReduceLROnPlateau", current)
        self.last_epoch += 1
        if self._improves(current):
            self.best, self.bad_epochs = current, 0
        else:
            self.bad_epochs += 1
        if self.cooling:
            self.cooling -= 1
            self.bad_epochs = 0
        if self.bad_epochs > self.patience:
            for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                lr = max(group["lr"] * self.factor, least)
                if group["lr"] - lr > self.eps:
                    group["lr"] = lr
            self.cooling, self.bad_epochs = self.cooldown, 0

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict()` gave; load the optimizer's state too, for it has the rates. What does not fit is
        a ValueError that names it, and nothing is loaded."""
        self._check_names(state)
        for name in ("bad_epochs", "cooling"):
            check_count(name, state[name])
        choice(type(self).__name__, "mode", state["mode"], ("min", "max"))
        choice(type(self).__name__, "threshold_mode", state["threshold_mode"], ("rel", "abs"))
        if len(state["min_lrs"]) != len(self.min_lrs):
            raise ValueError(f"min_lrs are {shown(state['min_lrs'])}, not one of each group: nothing was loaded")
        vars(self).update(state)

    def _improves(self, current: float) -> bool:
        sign = 1.0 if self.mode == "min" else -1.0
        # PyTorch's "rel" compares with best * (1 ∓ threshold), whatever the sign of the best one
        margin = sign * self.threshold
        bound = self.best * (1.0 - margin) if self.threshold_mode == "rel" else self.best - margin
        return sign * current < sign * bound
