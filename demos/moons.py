"""A network of scalars separates two moons: every weight, sum and product is a Value of its own.

100 points lie in two interlocking half circles, which no straight line separates. The network (2 inputs, two layers of 16
ReLU neurons, 1 output) gives each point a score, above 0 for one moon and below 0 for the other. The hinge loss is zero for
scores beyond +1 or -1. A small penalty on the squares of the weights keeps the boundary smooth. The training is gradient
descent on all points, with decreasing steps.

With --compiled the same code is traced once and becomes a kernel: machine code for the loss of one point and its
gradient, which takes all points at once. The losses stay the same.

Writes moons.png: the boundary that was learned, and the loss at every step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
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
from demos.common.timing import in_words, say_timing, seconds, two_digits
from demos.common.typing import Array
from nn.scalar import MLP

OPTIONS = {"compiled": "train with compiled steps, and compare them with eager ones"}

Step = Callable[[Array, Array], float]

PENALTY = 1e-4  # weighs the squares of the parameters against the hinge loss
FIRST_RATE, LAST_RATE = 0.7, 0.07
SHOWN = (0, 1, 2, 5, 10, 20, 50, 100)  # steps before which the loss is printed


def run(options: Options) -> None:
    steps = 15 if options.quick else 150
    compiled = "compiled" in options.own
    rng = np.random.default_rng(options.seed)
    points, labels = nn.moons(100, noise=0.1, rng=rng)
    signs = np.where(labels == 1, 1.0, -1.0)
    model = MLP(2, [16, 16, 1], rng=rng)
    print(f"{len(points)} points, {len(model.parameters())} parameters, {steps} steps")

    if compiled:
        compare(model, points, signs)
    step = compiled_step(model) if compiled else eager_step(model)
    score = ag.compile(model, signature="(2)->()") if compiled else eager_score(model)

    def accuracy() -> float:
        return nn.accuracy((score(points) > 0).astype(int), labels)

    print("\nstep     loss   on the right side")
    bar = progress(range(steps), "moons")
    losses = []
    for k, loss in zip(bar, training(model, step, points, signs, steps), strict=True):
        losses.append(loss)
        if k in SHOWN:
            bar.write(f"{k:4} {loss:8.3f} {accuracy():10.0%}")
    right = accuracy()
    print(f"{steps:4} {step(points, signs):8.3f} {right:10.0%}\n")
    print(f"Finding: {right:.0%} of the points are on the right side of the boundary after {steps} steps.")
    draw(options, score, points, labels, losses, right)


def training(model: MLP, step: Step, points: Array, signs: Array, steps: int) -> Iterator[float]:
    """The loss before each step, which is taken when the next is asked for. A `step` returns the loss and leaves its
    gradient in the parameters."""
    optimizer = nn.SGD(model.parameters())
    for k in range(steps):
        yield step(points, signs)
        optimizer.lr = FIRST_RATE + (LAST_RATE - FIRST_RATE) * k / steps
        optimizer.step()
        optimizer.zero_grad()


def hinge(model: MLP, point: Any, sign: Any) -> Any:
    """The hinge loss of one point: zero for a score beyond +1 or -1."""
    return ag.relu(1.0 - sign * model(point))


def penalty(model: MLP) -> Any:
    return PENALTY * ag.sum([p * p for p in model.parameters()])


def eager_step(model: MLP) -> Step:
    """A step by `backward()` through one graph for all points."""

    def step(points: Array, signs: Array) -> float:
        hinges = [hinge(model, point, sign) for point, sign in zip(points.tolist(), signs.tolist(), strict=True)]
        loss = ag.sum(hinges) / len(hinges) + penalty(model)
        loss.backward()
        return float(loss.data)

    return step


def compiled_step(model: MLP) -> Step:
    """A kernel for the loss of one point; called with all of them, it gives the mean, and the mean gradient."""
    return ag.compile(
        lambda point, sign: hinge(model, point, sign) + penalty(model),
        parameters=model.parameters(), signature="(2),()->()", reduce="mean",
    )  # fmt: skip


def eager_score(model: MLP) -> Callable[[Array], Array]:
    """The scores of many points as numbers, without a graph."""

    def score(points: Array) -> Array:
        with ag.no_grad():
            return np.array([model(point).data for point in points.tolist()])

    return score


def compare(model: MLP, points: Array, signs: Array) -> None:
    """Train two copies for some steps; print the difference of their losses, and the time of a step."""
    steps = {}
    losses = []
    for make in (eager_step, compiled_step):
        copy = deepcopy(model)
        step = steps[make] = make(copy)
        losses.append(list(training(copy, step, points, signs, 10)))
    difference = np.abs(np.subtract(*losses)).max()
    print(f"Of the first 10 losses, no compiled one differs from the eager one by more than {difference:.0e}")
    eager = seconds(lambda: steps[eager_step](points, signs), 5)
    compiled = seconds(lambda: steps[compiled_step](points, signs), 50)
    stats = steps[compiled_step].stats
    say_timing(
        f"loss and gradient take {in_words(eager)} eagerly and {in_words(compiled)} compiled, "
        f"{two_digits(eager / compiled)} times less; to compile took {in_words(stats['recording'] + stats['compiling'])}."
    )


def draw(
    options: Options, score: Callable[[Array], Array], points: Array, labels: Array, losses: list[float], right: float
) -> None:
    figure, (plane, curve) = panels(2, width_ratios=[3, 2])

    # One neuron at a time is slow, so the grid is coarse: between its points the contours are interpolated.
    n = 40 if options.quick else 90
    low, high = points.min(axis=0) - 0.35, points.max(axis=0) + 0.35
    x, y = np.meshgrid(np.linspace(low[0], high[0], n), np.linspace(low[1], high[1], n))
    scores = score(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape)
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
