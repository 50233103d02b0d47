"""A network of scalars learns to part two moons: every weight, sum and product is a Value of its own.

100 points lie in two half circles that reach into each other, so that no straight line parts them. The network (2
inputs, two layers of 16 ReLU neurons, 1 output) gives each point a score, above 0 for the one moon and below 0 for the
other. The hinge loss asks for scores beyond +1 and -1; beyond that it asks for nothing more. A small penalty on
the squares of the weights keeps the boundary smooth. Plain gradient descent on all points, with steps that become smaller.

Writes moons.png: the boundary that was learned, and the loss at every step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
import nn
from demos.common.options import Options
from demos.common.pictures import (
    BLUE,
    GREY,
    INK,
    PALE_BLUE,
    PALE_ORANGE,
    VERMILLION,
    log_scale,
    name_point,
    panels,
    save,
)
from demos.common.progress import progress
from nn.scalar import MLP

Array = np.ndarray[Any, Any]

PENALTY = 1e-4  # weighs the squares of the parameters against the hinge loss
FIRST_RATE, LAST_RATE = 0.7, 0.07


def run(options: Options) -> None:
    steps = 15 if options.quick else 150
    rng = np.random.default_rng(options.seed)
    points, labels = nn.moons(100, noise=0.1, rng=rng)
    signs = np.where(labels == 1, 1.0, -1.0)
    model = MLP(2, [16, 16, 1], rng=rng)
    parameters = model.parameters()
    optimizer = nn.SGD(parameters)
    print(f"{len(points)} points, {len(parameters)} parameters, {steps} steps")

    losses = []
    for step in progress(range(steps), "moons"):
        scores = [model(point) for point in points.tolist()]
        hinges = [ag.relu(1.0 - sign * score) for sign, score in zip(signs.tolist(), scores, strict=True)]
        loss = ag.sum(hinges) / len(hinges) + PENALTY * ag.sum([p * p for p in parameters])

        optimizer.zero_grad()
        loss.backward()
        optimizer.lr = FIRST_RATE + (LAST_RATE - FIRST_RATE) * step / steps
        optimizer.step()
        losses.append(loss.data)

    right = nn.accuracy((scores_of(model, points) > 0).astype(int), labels)
    print(f"loss {losses[0]:.3f} before the first step, {losses[-1]:.3f} before the last")
    print(f"Finding: {right:.0%} of the points are on the right side of the boundary after {steps} steps.")
    draw(options, model, points, labels, losses, right)


def scores_of(model: MLP, points: Array) -> Array:
    """The scores as numbers: without a graph, which nobody wants to go back through."""
    with ag.no_grad():
        return np.array([model(point).data for point in points.tolist()])


def draw(options: Options, model: MLP, points: Array, labels: Array, losses: list[float], right: float) -> None:
    figure, (plane, curve) = panels(2, width_ratios=[3, 2])

    # One neuron at a time is slow, so the grid is coarse: between its points the contours are interpolated.
    n = 40 if options.quick else 90
    low, high = points.min(axis=0) - 0.35, points.max(axis=0) + 0.35
    x, y = np.meshgrid(np.linspace(low[0], high[0], n), np.linspace(low[1], high[1], n))
    scores = scores_of(model, np.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape)
    plane.contourf(x, y, scores, levels=[-np.inf, 0.0, np.inf], colors=[PALE_BLUE, PALE_ORANGE])
    plane.contour(x, y, scores, levels=[-1.0, 1.0], colors=GREY, linewidths=1.2, linestyles="dashed")
    plane.contour(x, y, scores, levels=[0.0], colors=INK, linewidths=2.5)
    for label, marker, colour in ((0, "o", BLUE), (1, "^", VERMILLION)):
        chosen = points[labels == label]
        plane.scatter(*chosen.T, s=55, c=colour, marker=marker, edgecolors="white", linewidths=0.8, zorder=3)
    # Outside of the two arcs: there is no point there, whatever the seed.
    plane.text(0.0, high[1] - 0.08, "score below 0", color=BLUE, weight="bold", ha="center", va="top")
    plane.text(1.0, low[1] + 0.08, "score above 0", color=VERMILLION, weight="bold", ha="center", va="bottom")
    plane.set(title=f"{right:.0%} are on the right side (dashed: scores −1 and +1)", xlabel="x", ylabel="y")

    curve.plot(range(len(losses)), losses, color=BLUE)
    curve.set(title="Loss before each step", xlabel="step")
    log_scale(curve)
    name_point(curve, len(losses) - 1, losses[-1], f"{losses[-1]:.3f}", BLUE)
    save(figure, options.out / "moons.png")
