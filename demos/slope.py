"""The slope of a parabola, its tangent, and the way down with steps too small, right and too large.

f(x) = x**2 is a plain Python function; `ag.grad(f)` is the function that gives its slope. At 3 that is 6. Secants,
lines through two points of the curve, approach the same slope as the points approach each other: that is its definition.

Where the slope is positive, down is to the left, so descent steps against it: x becomes x - rate * slope. On this
curve, where the slope is 2 * x, each step multiplies x by 1 - 2 * rate. This factor decides: just below 1 descent is
slow, near 0 it arrives at once, and below -1 each step ends farther from the minimum than the one before.

Writes slope-tangent.png: the curve, a secant and the tangent; slope-descent.png: the same eight steps at three rates.
Nothing here is random, so --seed changes nothing, and it is quick without --quick.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from demos.common.options import Options
from demos.common.pictures import BLUE, GREEN, GREY, INK, VERMILLION, panels, save

START = 3.0
FAR = 5.0  # the other point of the secant in the picture
STEPS = 8
RATES = {"Too low": 0.02, "Good": 0.3, "Too high": 1.05}


def f(x: Any) -> Any:
    """The parabola, for floats, arrays, and the nodes of `ag.grad`."""
    return x**2


slope_at = ag.grad(f)


def run(options: Options) -> None:
    slope = slope_at(START)
    print(f"f(x) = x**2, so f({START:g}) = {f(START):g}; ag.grad(f)({START:g}) = {slope:g}\n")
    print(f"    h   slope of the secant from {START:g} to {START:g} + h")
    for h in (2.0, 1.0, 0.1, 0.001):
        print(f"{h:5g} {secant(h):9.6g}")

    paths = {name: descend(rate) for name, rate in RATES.items()}
    print(f"\nDescent from {START:g}, x after each step:")
    for name, path in paths.items():
        print(f"  {f'{name}, {RATES[name]:g}:':<15} {' '.join(f'{x:7.3f}' for x in path)}")
    low, good, high = (path[-1] for path in paths.values())
    print(
        f"\nFinding: the slope of x**2 at {START:g} is {slope:g}; {STEPS} steps against the slope end at {good:.3f} "
        f"with a good rate, at {low:.2f} with one too low, and at {high:.2f}, beyond the start, with one too high."
    )
    draw_tangent(options, slope)
    draw_descents(options, paths)


def secant(h: float) -> float:
    """The slope of the line through the curve's points at START and h further on."""
    return float(f(START + h) - f(START)) / h


def descend(rate: float) -> list[float]:
    """The points of the descent from START."""
    path = [START]
    for _ in range(STEPS):
        path.append(path[-1] - rate * slope_at(path[-1]))
    return path


def draw_tangent(options: Options, slope: float) -> None:
    figure, axes = panels(1, width=8.0, height=5.2)
    x = np.linspace(-2.5, 5.4, 200)
    axes.plot(x, f(x), color=BLUE)
    axes.text(5.15, 26.6, "f(x) = x² ", color=BLUE, weight="bold", ha="right", va="bottom")
    ends = np.array([1.7, FAR])
    axes.plot(ends, f(START) + secant(FAR - START) * (ends - START), color=GREY, linewidth=1.6, linestyle="dashed")
    axes.plot(FAR, f(FAR), color=GREY, marker="s", markersize=8)
    axes.text(
        4.0, 18.0, f"secant through 3 and {FAR:g},\nslope {secant(FAR - START):g}", color=GREY, ha="right", va="bottom"
    )
    ends = np.array([1.2, 4.6])
    axes.plot(ends, f(START) + slope * (ends - START), color=VERMILLION, linewidth=2.5)
    axes.text(4.68, 18.2, f"tangent at {START:g},\nslope {slope:g}", color=VERMILLION, weight="bold", va="center")
    # The slope as one measures it: so far up for one step to the right.
    axes.plot([1.5, 2.5, 2.5], [0.0, 0.0, 6.0], color=INK, linewidth=1.2)
    axes.text(2.0, -0.3, "1", ha="center", va="top")
    axes.text(2.58, 2.7, f"{slope:g}", va="center")
    axes.plot(START, f(START), color=VERMILLION, marker="o", markersize=10)
    axes.set(
        title="A secant, and the tangent that it becomes as its points meet",
        xlabel="x",
        xlim=(-2.6, 6.2),
        ylim=(-1.6, 29.0),
    )
    save(figure, options.out / "slope-tangent.png")


def draw_descents(options: Options, paths: dict[str, list[float]]) -> None:
    figure, places = panels(3, sharex=True, sharey=True)
    x = np.linspace(-7.2, 7.2, 200)
    for axes, (name, path), colour in zip(places, paths.items(), (BLUE, GREEN, VERMILLION), strict=True):
        axes.plot(x, f(x), color=GREY, linewidth=1.2)
        points = np.array(path)
        axes.plot(points, f(points), color=colour, linewidth=1.6, marker="o", markersize=6)
        axes.plot(START, f(START), color=INK, marker="s", markersize=9)
        axes.annotate(
            "start", (START, f(START)), xytext=(10, -3), textcoords="offset points", va="center", weight="bold"
        )
        axes.text(0.5, 0.9, f"after {STEPS} steps:\nx = {path[-1]:.3f}", transform=axes.transAxes, ha="center",
            color=colour, weight="bold", va="top",
        )  # fmt: skip
        axes.set(title=f"{name}: rate {RATES[name]:g}", xlabel="x")
    places[0].set_ylabel("x²")
    save(figure, options.out / "slope-descent.png")
