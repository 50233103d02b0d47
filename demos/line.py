"""Linear regression by gradient descent, with a film of the line moving to the points.

Linear regression is the smallest model that learns: two parameters, slope and intercept. The loss is the mean squared
error, the mean square of the vertical distances from the points to the line. Gradient descent starts from a line that
has nothing to do with the points and moves it step by step; it uses no formula for the solution.

But for this loss there is one: the least squares solution, from one system of equations. So here one can check that
descent arrives at the best line.

Writes line.gif: the fit as a film; line.png: some of its steps in one picture, and the loss at every step.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import PillowWriter

import nn
from demos.common.options import Options
from demos.common.pictures import BLUE, GREY, INK, VERMILLION, log_scale, panels, save
from demos.common.progress import progress
from demos.common.typing import Array

RATE = 0.2
SHOWN = (0, 2, 5, 15)  # the steps in the still picture, besides the last
SPAN = np.array([-1.1, 1.1])  # lines are drawn over this stretch of x


def run(options: Options) -> None:
    steps = 20 if options.quick else 100
    rng = np.random.default_rng(options.seed)
    x, y = nn.line(40, slope=2.0, intercept=1.0, noise=0.3, rng=rng)
    model = nn.Linear(1, 1, dtype=np.float64)
    model.load_state_dict({"weight": [[-1.5]], "bias": [-1.0]})  # a poor start shows more of the way
    loss_of = nn.MSELoss()
    optimizer = nn.SGD(model.parameters(), lr=RATE)

    losses, lines = [], []  # before each step, and after the last
    print("step     loss    slope   intercept")
    for step in range(steps + 1):
        loss = loss_of(model(x), y)
        losses.append(loss.item())
        lines.append((model.weight.item(), model.bias.item()))
        if step in SHOWN or step == steps:
            print(f"{step:4} {losses[step]:8.4f} {lines[step][0]:8.4f} {lines[step][1]:11.4f}")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    best, lowest = least_squares(x, y)
    print(f"best {lowest:8.4f} {best[0]:8.4f} {best[1]:11.4f}   (least squares, in closed form)\n")
    gap = max(abs(found - wanted) for found, wanted in zip(lines[-1], best, strict=True))
    print(
        f"Finding: after {steps} steps slope and intercept are within {gap:.0e} of the least squares solution: "
        f"y = {best[0]:.3f} x {'-' if best[1] < 0 else '+'} {abs(best[1]):.3f}."
    )
    draw(options, x, y, lines, losses, best, lowest)
    film(options, x, y, lines, losses, best, lowest)


def least_squares(x: Array, y: Array) -> tuple[tuple[float, float], float]:
    """The slope and intercept with the smallest possible mean squared error, and that error."""
    columns = np.hstack([x, np.ones_like(x)])
    solution, squares, *_ = np.linalg.lstsq(columns, y)
    slope, intercept = solution.ravel().tolist()
    return (slope, intercept), squares.item() / len(x)


def stage(x: Array, y: Array, losses: list[float], best: tuple[float, float], lowest: float) -> Any:
    """The parts that are in the still picture and in every frame of the film."""
    figure, (plane, curve) = panels(2, width_ratios=[3, 2])
    plane.scatter(x, y, s=40, c=BLUE, edgecolors="white", linewidths=0.8, zorder=3)
    plane.plot(SPAN, best[0] * SPAN + best[1], color=INK, linewidth=8.0, alpha=0.3)
    top = max(y.max(), best[0] * SPAN[1] + best[1]) + 0.3
    plane.set(xlabel="x", ylabel="y", xlim=(-1.15, 1.55), ylim=(-3.0, top))
    curve.axhline(lowest, color=GREY, linewidth=1.2, linestyle="dashed")
    curve.annotate(
        f"least squares: {lowest:.3f}", (0.98, lowest), xycoords=("axes fraction", "data"), xytext=(0, -5),
        textcoords="offset points", color=GREY, ha="right", va="top",
    )  # fmt: skip
    curve.set(xlabel="step", xlim=(-0.02 * len(losses), 1.02 * len(losses)), ylim=(0.6 * lowest, 1.3 * losses[0]))
    log_scale(curve)
    return figure, plane, curve


def draw(
    options: Options, x: Array, y: Array, lines: list[tuple[float, float]], losses: list[float],
    best: tuple[float, float], lowest: float,
) -> None:  # fmt: skip
    figure, plane, curve = stage(x, y, losses, best, lowest)
    for step in (*SHOWN, len(lines) - 1):
        slope, intercept = lines[step]
        last = step == len(lines) - 1
        plane.plot(SPAN, slope * SPAN + intercept, color=VERMILLION, linewidth=2.2 if last else 1.2)
        plane.annotate(
            f"step {step}", (SPAN[1], slope * SPAN[1] + intercept), xytext=(6, 0), textcoords="offset points",
            color=VERMILLION, va="center", weight="bold" if last else "normal",
        )  # fmt: skip
    plane.set_title("The line at some steps (wide, grey: least squares)")
    curve.plot(range(len(losses)), losses, color=VERMILLION)
    curve.set_title("Mean squared error")
    save(figure, options.out / "line.png")


def film(
    options: Options, x: Array, y: Array, lines: list[tuple[float, float]], losses: list[float],
    best: tuple[float, float], lowest: float,
) -> None:  # fmt: skip
    """A frame for each step at first, later, when little moves, for fewer and fewer; the last frame stays for a while."""
    figure, plane, curve = stage(x, y, losses, best, lowest)
    figure.set_size_inches(9.0, 4.2)
    (line,) = plane.plot([], [], color=VERMILLION, linewidth=3.0)
    distances = plane.vlines(x.ravel(), y.ravel(), y.ravel(), color=GREY, linewidth=1.0)
    (trail,) = curve.plot([], [], color=VERMILLION)
    (head,) = curve.plot([], [], color=VERMILLION, marker="o", markersize=9)
    curve.set_title("Mean squared error")
    plane.set_title("Step 0")
    plane.text(-1.1, 3.3, "wide, grey: least squares", color=GREY, va="center")
    figure.canvas.draw()
    figure.set_layout_engine("none")  # keep this layout, so that frames do not shift

    last = len(lines) - 1
    frames = list(range(0, 21, 5)) if options.quick else [*range(20), *range(20, last, 5), *[last] * 12]
    writer = PillowWriter(fps=6)
    path: Path = options.out / "line.gif"
    with writer.saving(figure, str(path), dpi=80):
        for step in progress(frames, "line"):
            slope, intercept = lines[step]
            line.set_data(SPAN, slope * SPAN + intercept)
            distances.set_segments([[(a, b), (a, slope * a + intercept)] for a, b in zip(x.flat, y.flat, strict=True)])
            trail.set_data(range(step + 1), losses[: step + 1])
            head.set_data([step], [losses[step]])
            plane.set_title(f"Step {step}: y = {slope:.2f} x {'−' if intercept < 0 else '+'} {abs(intercept):.2f}")
            writer.grab_frame()
    plt.close(figure)
    print(f"Picture: {path}")
