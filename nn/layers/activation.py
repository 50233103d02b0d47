"""Functions of one element at a time, as layers."""

from __future__ import annotations

from typing import Any

import autograd as ag
from nn.module import Module


class ReLU(Module):
    """`max(x, 0)`, with slope 0 at 0; for any shape.

    >>> ReLU()(ag.Tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def forward(self, x: Any) -> Any:
        return ag.relu(x)


class Tanh(Module):
    """The hyperbolic tangent, between -1 and 1; for any shape.

    >>> Tanh()(ag.Tensor([0.0])).tolist()
    [0.0]
    """

    def forward(self, x: Any) -> Any:
        return ag.tanh(x)


class Sigmoid(Module):
    """`1 / (1 + exp(-x))`, between 0 and 1; for any shape.

    >>> Sigmoid()(ag.Tensor([0.0])).tolist()
    [0.5]
    """

    def forward(self, x: Any) -> Any:
        return ag.sigmoid(x)
