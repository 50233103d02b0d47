"""One cycle: the learning rate up and down again, and the momentum against it."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from nn.optim.optimizer import Optimizer
from nn.optim.schedules import LRScheduler, a_group, checked
from nn.validation import choice, flag, integer, number


class OneCycleLR(LRScheduler):
    """From `max_lr / div_factor` up to `max_lr` in the share `pct_start` of all steps, and then down to
    `max_lr / div_factor / final_div_factor`; while the momentum (or the first of Adam's betas) goes from `max_momentum`
    down to `base_momentum` and back.

    Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates", 2018; with
    `three_phase` as there: up, down as fast, and then to the end. `step()` belongs after every batch, of which there are
    `total_steps`, or `epochs * steps_per_epoch`. `max_lr` is one number, or one a group. The way is along half a cosine
    with `anneal_strategy` "cos", straight with "linear". Stepping on after the end is a ValueError.

    >>> from autograd import Tensor
    >>> from nn.optim.sgd import SGD
    >>> schedule = OneCycleLR(SGD([Tensor([0.0])], momentum=0.9), max_lr=1.0, total_steps=10)
    >>> for _ in range(2):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        name = "OneCycleLR"
        groups = checked(self, optimizer).param_groups
        for setting, steps in (("total_steps", total_steps), ("epochs", epochs), ("steps_per_epoch", steps_per_epoch)):
            if steps is not None:
                integer(name, setting, steps, least=1)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR needs to know its end: pass total_steps, or epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        pct_start = number(name, "pct_start", pct_start, least=0, most=1)
        base_momentum = number(name, "base_momentum", base_momentum, least=0, below=1)
        max_momentum = number(name, "max_momentum", max_momentum, least=0, below=1)
        div_factor = number(name, "div_factor", div_factor, above=0)
        final_div_factor = number(name, "final_div_factor", final_div_factor, above=0)
        cycle_momentum = flag(name, "cycle_momentum", cycle_momentum)
        three_phase = flag(name, "three_phase", three_phase)
        peaks = a_group(self, "max_lr", max_lr, len(groups))
        if cycle_momentum and not all("momentum" in group or "betas" in group for group in groups):
            raise ValueError(f"{type(optimizer).__name__} has no momentum to change: pass cycle_momentum=False")
        self.total_steps = int(total_steps)
        self.anneal_strategy = choice(name, "anneal_strategy", anneal_strategy, ("cos", "linear"))
        self.cycle_momentum = cycle_momentum
        top = pct_start * total_steps - 1.0
        # The corners of the path: (step, rate by the first one, momentum).
        back = [(2.0 * top, 1.0, max_momentum)] if three_phase else []
        end = (total_steps - 1.0, 1.0 / final_div_factor, max_momentum)
        self.corners = [(0.0, 1.0, max_momentum), (top, div_factor, base_momentum), *back, end]
        for group, peak in zip(groups, peaks, strict=True):
            group["initial_lr"] = peak / div_factor
        super().__init__(optimizer)

    def rate(self, epoch: int, base: float) -> float:
        return base * self._way(epoch, 1)

    def set(self) -> None:
        step, last = self.last_epoch, self.total_steps
        if step > last:
            raise ValueError(f"OneCycleLR has {last} steps, and this is step {step}: make it longer")
        super().set()
        if self.cycle_momentum:
            momentum = self._way(step, 2)
            for group in self.optimizer.param_groups:
                if "betas" in group:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum

    def _way(self, epoch: int, coordinate: int) -> float:
        """The rate (1), by the first one, or the momentum (2) at a step."""
        phases: list[Any] = list(pairwise(self.corners))
        start, end = next((phase for phase in phases if epoch <= phase[1][0]), phases[-1])
        done = (epoch - start[0]) / (end[0] - start[0]) if end[0] != start[0] else 1.0
        a, b = start[coordinate], end[coordinate]
        if self.anneal_strategy == "linear":
            return float(a + (b - a) * done)
        return float(b + (a - b) / 2.0 * (1.0 + math.cos(math.pi * done)))
