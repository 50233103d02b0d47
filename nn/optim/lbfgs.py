"""L-BFGS: steps by an estimate of the curvature, for losses that are computed on all data at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd import Tensor
from nn.dependencies import optional
from nn.optim.optimizer import Group, Optimizer
from nn.optim.settings import Count, NonNegative, Positive, PositiveOrNone, declared
from nn.typing import Array, R


class LBFGS(Optimizer):
    """Up to `max_iter` iterations of limited-memory BFGS with a line search a step, by scipy's L-BFGS-B.

    Byrd, Lu, Nocedal and Zhu, "A limited memory algorithm for bound constrained optimization", 1995. `closure` must
    clear the gradients, compute the loss, call `backward()` and return the loss; `step` returns the first loss. It
    stops early at `max_eval` closures (1.25 max_iter where None), where no derivative is above `tolerance_grad`, or
    where the loss falls by less than `tolerance_change`, relative to its size. `history_size` past steps make the
    estimate, which begins anew in every step: few steps of many iterations do best. The line search finds the rate.
    Needs scipy, which may have to be installed; one group of parameters; all are computed with in float64.

    >>> x = Tensor(np.array([1.0, 2.0]))
    >>> optimizer = LBFGS([x])
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((x - 3.0) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item(), x.data.round(6).tolist()
    (5.0, [3.0, 3.0])
    """

    def __init__(
        self,
        params: Iterable[Any],
        max_iter: Count = 20,
        max_eval: PositiveOrNone = None,
        tolerance_grad: NonNegative = 1e-7,
        tolerance_change: NonNegative = 1e-9,
        history_size: Positive = 100,
    ) -> None:
        super().__init__(params, **declared(locals()))

    def add_param_group(self, group: Group) -> None:
        if self.param_groups:
            raise ValueError("LBFGS takes one group of parameters, for it has one estimate of the curvature: join them")
        super().add_param_group(group)

    def step(self, closure: Callable[[], R] | None = None) -> R:
        if closure is None:
            raise TypeError("LBFGS computes the loss several times a step: pass step(closure), see its docstring")
        minimize = optional("scipy.optimize").minimize
        (group,) = self.param_groups
        parameters = group["params"]
        first: Any = None

        def loss_and_gradient(x: Array) -> tuple[float, Array]:
            nonlocal first
            _set(parameters, x)
            loss: Any = closure()
            first = loss if first is None else first
            grads = [np.zeros(np.size(p._data)) if p.grad is None else np.ravel(p.grad) for p in parameters]
            value = float(loss.item() if hasattr(loss, "item") else loss)
            return value, np.concatenate(grads, dtype=np.float64)

        start = np.concatenate([np.ravel(parameter._data) for parameter in parameters], dtype=np.float64)
        max_iter, max_eval = group["max_iter"], group["max_eval"]
        options = {
            "maxiter": max_iter,
            "maxfun": max_iter * 5 // 4 if max_eval is None else max_eval,
            "gtol": group["tolerance_grad"],
            "ftol": group["tolerance_change"],
            "maxcor": group["history_size"],
        }
        found = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", options=options)
        _set(parameters, found.x)
        return first  # type: ignore[no-any-return]  # the closure's

    def _parameter_states(self) -> dict[int, dict[str, Any]]:
        return {}

    def _load_parameter_states(self, states: dict[int, dict[str, Any]], groups: list[Group]) -> None:
        return


def _set(parameters: list[Any], x: Array) -> None:
    end = 0
    for parameter in parameters:
        start, end = end, end + np.size(parameter._data)
        if isinstance(parameter, Tensor):
            parameter.data[...] = x[start:end].reshape(parameter.shape)
        else:
            parameter.data = float(x[start])
