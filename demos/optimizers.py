"""Seven optimizers compared in a ravine, and on a network that reads digits.

An optimizer knows the gradient at its current point only. They differ in their use of the gradients so far:

- SGD: none; each step goes straight down;
- momentum: steps in the same direction add up, and opposite ones cancel;
- Nesterov: momentum that reacts earlier when it overshoots;
- Adagrad: each coordinate has its own rate, which decreases with the sum of its squared gradients;
- RMSprop: the same with a moving average, so that rates do not decrease forever;
- Adam: RMSprop with momentum;
- AdamW: Adam that also shrinks all weights a little at every step.

The ravine is 50 times as steep across as along, and oblique to the coordinates: a rate small enough not to bounce between
its walls is too small to make progress along it. Each optimizer gets the best of the same learning rates: the one with
which it first stays within 0.1 of the minimum; on digits, the one with the smallest loss on images held out.

Writes optimizers-ravine.png: the paths; optimizers-digits.png: the training loss by step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import autograd as ag
import nn
from demos.common.options import Options
from demos.common.pictures import BLUE, GREY, INK, SKY, VERMILLION, log_scale, name_point, panels, save
from demos.common.progress import progress
from demos.common.typing import Array

Make = Callable[..., nn.Optimizer]

OPTIMIZERS: dict[str, Make] = {
    "SGD": nn.SGD,
    "momentum": partial(nn.SGD, momentum=0.9),
    "Nesterov": partial(nn.SGD, momentum=0.9, nesterov=True),
    "Adagrad": nn.Adagrad,
    "RMSprop": nn.RMSprop,
    "Adam": nn.Adam,
    "AdamW": nn.AdamW,
}
TILT = math.radians(25)
ALONG = np.array([math.cos(TILT), math.sin(TILT)])
ACROSS = np.array([-math.sin(TILT), math.cos(TILT)])
LOWEST = np.array([2.0, 1.0])  # not 0, towards which AdamW draws by itself
START = LOWEST - 5.0 * ALONG + 1.2 * ACROSS
NEAR = 0.1


def run(options: Options) -> None:
    paths = race(steps=120 if options.quick else 250, per_decade=3 if options.quick else 8)
    steps, losses = teach(options.seed, epochs=2 if options.quick else 8, per_decade=1 if options.quick else 3)
    first = min(paths, key=lambda name: arrival(paths[name]))
    best = min(losses, key=lambda name: losses[name])
    print(
        f"\nFinding: down the ravine {first} is first, with {steps_in_words(paths[first])} steps, where SGD takes "
        f"{steps_in_words(paths['SGD'])}; on digits held out {best} has the smallest loss, {losses[best]:.3f}, and SGD "
        f"{losses['SGD']:.3f}."
    )
    draw_paths(options, paths)
    draw_losses(options, steps, losses)


# ---- The ravine


def height(place: Any) -> Any:
    """The height of one place `(2,)`, or of many `(..., 2)`."""
    away = place - LOWEST
    return 0.5 * (away @ ALONG) ** 2 + 25.0 * (away @ ACROSS) ** 2


def race(steps: int, per_decade: int) -> dict[str, Array]:
    """The path of each optimizer with its best rate: the places `(steps + 1, 2)`."""
    rates = np.logspace(-3, 0.5, int(3.5 * per_decade) + 1)
    print(f"Ravine: steps to stay within {NEAR} of the lowest point, of {steps}")
    paths = {}
    for name, make in progress(OPTIMIZERS.items(), "ravine"):
        tried = {rate: descend(make, rate, steps) for rate in rates.tolist()}
        rate = min(tried, key=lambda rate: arrival(tried[rate]))
        paths[name] = tried[rate]
        print(f"  {name:10} {steps_in_words(paths[name]):>13}   (rate {rate:.2g})")
    return paths


def descend(make: Make, rate: float, steps: int) -> Array:
    place = ag.Tensor(START.copy())
    optimizer = make([place], lr=rate)
    path = [START]
    for _ in range(steps):
        optimizer.zero_grad()
        height(place).backward()
        optimizer.step()
        path.append(place.data.copy())
        if np.abs(path[-1]).max() > 1e3:  # the rate is too large
            break
    return np.array(path)


def arrival(path: Array) -> float:
    """The number of steps after which a path stays near the lowest point; infinite if it never does."""
    far = np.flatnonzero(np.linalg.norm(path - LOWEST, axis=1) > NEAR)
    return math.inf if far[-1] == len(path) - 1 else float(far[-1] + 1)


def steps_in_words(path: Array) -> str:
    return f"{arrival(path):.0f}" if arrival(path) < math.inf else f"more than {len(path) - 1}"


# ---- The digits


def teach(seed: int, epochs: int, per_decade: int) -> tuple[dict[str, Array], dict[str, float]]:
    """The training loss at each step of each optimizer with its best rate, and the loss on digits held out, at the end."""
    train, valid, _ = nn.train_valid_test_split(*nn.digits(), valid=0.3, test=0, rng=seed)
    rates = np.logspace(-3, 0, 3 * per_decade + 1)
    print(f"\nDigits: loss and accuracy on digits held out, after {epochs} epochs")
    steps: dict[str, Array] = {}
    losses: dict[str, float] = {}
    for name, make in progress(OPTIMIZERS.items(), "digits"):
        tried = {rate: learn(make, rate, train, valid, epochs, seed) for rate in rates.tolist()}
        rate = min(tried, key=lambda rate: held_out(tried[rate]))
        steps[name], losses[name] = np.array(tried[rate].steps["loss"]), held_out(tried[rate])
        print(f"  {name:10} {losses[name]:7.4f} {tried[rate].last('valid_accuracy'):8.1%}   (rate {rate:.2g})")
    return steps, losses


def held_out(history: nn.History) -> float:
    """The loss on the digits held out: the mean after the last three epochs, as that of one epoch varies a lot."""
    return float(np.mean(history.epochs["valid_loss"][-3:]))


def learn(make: Make, rate: float, train: Any, valid: Any, epochs: int, seed: int) -> nn.History:
    rng = np.random.default_rng(seed)  # the same weights and the same batches for all
    model = nn.Sequential(nn.Linear(64, 64, rng=rng), nn.ReLU(), nn.Linear(64, 10, rng=rng))
    return nn.fit(
        model,
        train,
        valid,
        loss=nn.CrossEntropyLoss(),
        optimizer=make(model.parameters(), lr=rate),
        epochs=epochs,
        metrics=nn.accuracy,
        rng=rng,
    )


# ---- The pictures: a panel for each, and one to compare


def draw_paths(options: Options, paths: dict[str, Array]) -> None:
    figure, places = panels(4, 2, height=5.2)
    x, y = np.meshgrid(np.linspace(-4.2, 3.8, 80), np.linspace(-2.6, 3.2, 80))
    heights = height(np.stack([x, y], axis=-1))
    for axes, (name, path) in zip(places.flat, paths.items(), strict=False):
        axes.contour(x, y, heights, levels=[0.3, 2, 6, 15, 35, 70], colors=GREY, linewidths=0.6)
        axes.plot(*path.T, color=BLUE, marker="o", markersize=3.0, linewidth=1.0)
        axes.plot(*START, color=VERMILLION, marker="s", markersize=8)
        axes.plot(*LOWEST, color=VERMILLION, marker="*", markersize=15, markeredgecolor="white")
        name_point(axes, START[0], START[1], "start", INK)
        name_point(axes, LOWEST[0], LOWEST[1], "goal", INK)
        axes.set(title=name, xticks=[], yticks=[], xlim=(-4.2, 3.8), ylim=(-2.6, 3.2))
        axes.set_box_aspect(5.8 / 8.0)  # the scales of both axes are the same
        axes.spines[:].set(visible=True, linewidth=0.6)
    places.flat[-1].set_box_aspect(5.8 / 8.0)
    compare(places.flat[-1], "Steps to the goal", {name: arrival(path) for name, path in paths.items()}, "{:.0f}")
    save(figure, options.out / "optimizers-ravine.png")


def draw_losses(options: Options, steps: dict[str, Array], losses: dict[str, float]) -> None:
    """Running means over 20 steps, in each panel also those of the others, pale."""
    figure, places = panels(4, 2, height=6.6, sharex=True, sharey=True)
    means = {name: np.convolve(loss, np.ones(20) / 20, mode="valid") for name, loss in steps.items()}
    for axes, name in zip(places.flat, means, strict=False):
        for other, mean in means.items():
            look = {"color": BLUE} if other == name else {"color": GREY, "alpha": 0.35, "linewidth": 1.0, "zorder": 1}
            axes.plot(np.arange(len(mean)) + 20, mean, **look)
        log_scale(axes)
        axes.set_title(name)
    for axes in places[1, :-1]:
        axes.set_xlabel("step")
    places[0, -1].tick_params(labelbottom=True)  # the lowest of its column
    figure.suptitle("Loss in training, mean of 20 steps (grey: the other optimizers)", x=0.01, ha="left", size=14)
    places[1, -1].remove()  # its axes are those of the others
    compare(figure.add_subplot(places[1, -1].get_subplotspec()), "Loss, held out", losses, "{:.3f}")
    save(figure, options.out / "optimizers-digits.png")


def compare(axes: Any, title: str, metrics: dict[str, float], form: str) -> None:
    """Bars, the best on top, each between its name and its number."""
    names = sorted(metrics, key=lambda name: -metrics[name])
    most = max((figure for figure in metrics.values() if figure < math.inf), default=1.0)
    for row, name in enumerate(names):
        length = metrics[name] if metrics[name] < math.inf else 0.0
        axes.barh(row, length, color=SKY)
        axes.text(-1.3 * most, row, name, va="center", size=12)
        text = form.format(length) if length else "not in time"
        axes.text(length + 0.04 * most, row, text, va="center", size=12)
    axes.set(title=title, xticks=[], yticks=[], xlim=(-1.3 * most, 1.45 * most))
    axes.spines[:].set_visible(False)
