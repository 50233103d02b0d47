"""README's pictures, each drawn by the code that one would write."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

import autograd as ag
import nn


def neuron() -> Any:
    """A neuron of the famous lecture, with all gradients: that of w2 is 0, for x2 is."""
    x1, x2, w1, w2, b = map(ag.Value, (2.0, 0.0, -3.0, 1.0, 6.8813735870195432))
    with ag.trace_names():  # the names of variables
        n = x1 * w1 + x2 * w2 + b
        o = ag.tanh(n)
    o.backward()
    return ag.draw(o)


def moons() -> Any:
    """A network of scalars and its loss of 100 points: thousands of nodes, folded until they fit a screen."""
    points, labels = nn.moons(100, noise=0.1, rng=0)
    model = nn.scalar.MLP(2, [16, 16, 1], rng=0)
    with ag.trace_names():
        hinges = [ag.relu(1.0 - side * model(point)) for point, side in zip(points, 2.0 * labels - 1.0, strict=True)]
        loss = ag.sum(hinges) / len(hinges)
    loss.backward()
    return ag.draw(loss, direction="TB")


def mistake() -> Any:
    """A forward pass that raised: the layer whose input does not fit is red."""
    images = np.ones((5, 8, 8), np.float32)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32, rng=0), nn.ReLU(), nn.Linear(16, 10, rng=1))
    with contextlib.suppress(ValueError), ag.trace_names() as seen:
        model(images)
    return ag.draw(seen)


PICTURES = {picture.__name__: picture for picture in (neuron, moons, mistake)}
