"""Full-batch, mini-batch and stochastic gradient descent: steps by all examples, by a few, by one.

A line is fitted to 100,000 points, from the same start and with the same learning rate. The gradient of the loss is a
mean over the points; a mean over a few random points has about the same direction, and costs almost nothing.

Counted in steps, the full batch is best: its path is smooth and reaches the minimum. Counted in time, mini-batches come
near it much earlier. But with a constant rate they never come to rest: near the minimum the gradient is small, and its
estimate from a few examples is mostly noise. A single example is the noisiest; the mean of 64 has an eighth of its
standard deviation in not much more time, because the fixed cost of a step is the same, and arrays are fast.

Writes minibatch-paths.png: the three paths over the loss surface; minibatch-loss.png: the loss above its minimum, by
step and by time. Times differ from run to run; all else depends on --seed only.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np

import nn
from demos.common.options import Options
from demos.common.pictures import BLUE, GREY, HALO, INK, VERMILLION, name_ends, panels, save
from demos.common.progress import progress
from demos.common.typing import Array

RATE = 0.1
START = (-1.5, 3.5)  # slope and intercept
NEAR = 0.01  # near enough: this fraction above the lowest loss
STYLES = {
    "full batch": (INK, "solid", 2.2),
    "mini-batch": (BLUE, "dashed", 1.8),
    "one example": (VERMILLION, "solid", 1.0),
}
TITLES = {"full batch": "Full batch", "mini-batch": "Mini-batches of 64", "one example": "One example a step"}


class Surface:
    """The mean squared error over slope and intercept: a bowl, known from its lowest point and its curvature."""

    def __init__(self, x: Array, y: Array) -> None:
        columns = np.hstack([x, np.ones_like(x)])
        self.bottom = np.linalg.lstsq(columns, y)[0].ravel()
        self.lowest = float(np.mean((columns @ self.bottom - y.ravel()) ** 2))
        self.curvature = columns.T @ columns / len(x)

    def above(self, lines: Array) -> Array:
        """The distance of the loss of each line, `(..., 2)`, from the lowest: without a pass over all points."""
        away = lines - self.bottom
        return np.asarray(np.sum(away @ self.curvature * away, axis=-1))


def run(options: Options) -> None:
    n, steps = (5_000, 100) if options.quick else (100_000, 150)
    rng = np.random.default_rng(options.seed)
    x, y = nn.line(n, slope=2.0, intercept=1.0, noise=0.5, rng=rng)
    surface = Surface(x, y)
    near = NEAR * surface.lowest

    print(f"{n:,} points, {steps} steps with rate {RATE:g}; losses above the lowest there is, {surface.lowest:.4f}\n")
    print(f"                examples   loss after: step 10   step 50   the last 20   examples to within {NEAR:.0%}")
    paths: dict[str, Array] = {}
    seconds: dict[str, float] = {}
    costs: dict[str, str] = {}
    for name, size in zip(STYLES, (n, 64, 1), strict=True):
        paths[name], seconds[name] = descend(x, y, size, steps, rng)
        losses = surface.above(paths[name])
        # One lucky guess is not enough: the mean over this step and the next 19 must be near.
        arrived = np.flatnonzero(np.convolve(losses, np.full(20, 1 / 20), "valid") < near)
        costs[name] = f"{size * arrived[0]:,}" if len(arrived) else "never"
        print(
            f"{name:<12} {size:11,} {losses[10]:21.5f} {losses[50]:9.5f} {losses[-20:].mean():13.5f} {costs[name]:>23}"
        )

    print(
        f"\nFinding: to come within {NEAR:.0%} of the lowest loss and stay there, mini-batches of 64 look at "
        f"{costs['mini-batch']} examples, full batches at {costs['full batch']}; one at a time: {costs['one example']}."
    )
    draw_paths(options, surface, paths)
    draw_losses(options, surface, paths, seconds)


def descend(x: Array, y: Array, size: int, steps: int, rng: np.random.Generator) -> tuple[Array, float]:
    """Slope and intercept before the first and after each step, `(steps + 1, 2)`, and the seconds that a step takes."""
    model = nn.Linear(1, 1, dtype=np.float64)
    model.load_state_dict({"weight": [[START[0]]], "bias": [START[1]]})
    loss_of, optimizer = nn.MSELoss(), nn.SGD(model.parameters(), lr=RATE)
    path, seconds = [START], []
    for _ in progress(range(steps), f"{size} a step"):
        began = perf_counter()
        # Drawn anew each time, not dealt out in epochs: so every batch is an independent guess.
        rows = rng.integers(len(x), size=size) if size < len(x) else slice(None)
        loss = loss_of(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds.append(perf_counter() - began)
        path.append((model.weight.item(), model.bias.item()))
    # The median, for other programs interrupt some of the steps.
    return np.array(path), float(np.median(seconds))


def draw_paths(options: Options, surface: Surface, paths: dict[str, Array]) -> None:
    figure, places = panels(3, height=4.6, sharex=True, sharey=True)
    slope, intercept = np.meshgrid(np.linspace(-2.0, 3.5, 150), np.linspace(-0.6, 4.0, 150))
    height = surface.above(np.stack([slope, intercept], axis=-1))
    for axes, (name, path) in zip(places, paths.items(), strict=True):
        lines = axes.contour(
            slope, intercept, height, levels=[0.1, 0.5, 1.5, 3.0, 5.0, 8.0], colors=GREY, linewidths=0.8, alpha=0.7
        )
        # Written below the bowl's bottom, where no path leads.
        spots = [
            (surface.bottom[0], y) for y in surface.bottom[1] - np.sqrt(lines.levels[1:] / surface.curvature[1, 1])
        ]
        axes.clabel(lines, lines.levels[1:], manual=[spot for spot in spots if spot[1] > -0.6], fmt="%g", fontsize=11)
        colour = STYLES[name][0]
        axes.plot(*path.T, color=colour, linewidth=1.2, marker="o", markersize=3)
        axes.plot(*START, color=INK, marker="s", markersize=9)
        axes.annotate("start", START, xytext=(10, 0), textcoords="offset points", va="center", weight="bold")
        axes.plot(*surface.bottom, color="white", marker="*", markersize=17, markeredgecolor=INK, zorder=4)
        axes.annotate(
            "lowest", surface.bottom, xytext=(12, 0), textcoords="offset points", va="center", weight="bold",
            path_effects=HALO,
        )  # fmt: skip
        axes.set(title=TITLES[name], xlabel="slope")
    places[0].set_ylabel("intercept")
    figure.supxlabel("Grey: lines of equal loss, and by how much it is above the lowest", size=13, color=GREY)
    save(figure, options.out / "minibatch-paths.png")


def draw_losses(options: Options, surface: Surface, paths: dict[str, Array], seconds: dict[str, float]) -> None:
    figure, (by_step, by_time) = panels(2, sharey=True)
    ends = {}
    shifts = {
        "full batch": (4, 10),
        "mini-batch": (-6, -9),
        "one example": (-6, 9),
    }  # of names at the lines' beginnings
    for name, path in paths.items():
        colour, dashes, width = STYLES[name]
        losses = surface.above(path)
        steps = np.arange(len(losses))
        by_step.plot(steps, losses, color=colour, linestyle=dashes, linewidth=width)
        by_time.plot(1000 * seconds[name] * steps[1:], losses[1:], color=colour, linestyle=dashes, linewidth=width)
        by_time.annotate(
            name, (1000 * seconds[name], losses[1]), xytext=shifts[name], textcoords="offset points", color=colour,
            weight="bold", ha="right" if shifts[name][0] < 0 else "center", va="center",
        )  # fmt: skip
        ends[name] = (losses[-20:].mean(), colour)
    full, few, one = (1000 * seconds[name] for name in paths)
    for axes in (by_step, by_time):
        axes.set(yscale="log", ylim=(1e-5, 30.0))
        axes.axhline(NEAR * surface.lowest, color=GREY, linewidth=1.2, linestyle="dotted")
    _, colour = ends.pop("full batch")
    at = int(np.argmin(np.abs(np.log(surface.above(paths["full batch"]) / 1e-4))))  # below the others' noise
    by_step.annotate(
        "full batch", (at, 1e-4), xytext=(-8, 0), textcoords="offset points", color=colour, weight="bold", ha="right",
        va="center",
    )  # fmt: skip
    name_ends(by_step, len(paths["mini-batch"]) - 1, ends)
    by_step.text(0.0, 0.85 * NEAR * surface.lowest, f"within {NEAR:.0%}", color=GREY, va="top")
    by_step.set(title="Loss above the lowest, by step", xlabel="step")
    span = full * len(paths["full batch"]) / min(few, one)
    by_time.set(
        title="The same, by time", xscale="log", xlim=(min(few, one) / span**0.5, None),  # a third for the names
        xlabel=f"milliseconds ({full:.1f}, {few:.2f} and {one:.2f} a step)",
    )  # fmt: skip
    save(figure, options.out / "minibatch-loss.png")
