"""A space probe, aimed at a target by the gradient through its whole flight around the sun.

The probe leaves the Earth's orbit, falls freely, and should be at a given place at a given time. No closed formula gives
the initial velocity; a loop over small time steps gives the arrival: half a step straight on, the sun's pull, half a step
straight on ("leapfrog"). The loop is ordinary arithmetic, so the chain rule goes through all of its steps, and gives the
gradient of the squared miss with respect to the initial velocity.

A loop of floats is slow in Python, and its graph is slower. `ag.compile` traces it once, with its derivatives, and makes
straight-line machine code of it; given arrays, it computes thousands of flights at once, which the map shows.

Three methods start from the Earth's own velocity: gradient descent, which is slow along the floor of a narrow valley;
descent with momentum, which accelerates along it; and Newton's method, which linearizes the arrival by its Jacobian and
takes the velocity that would then hit the target. Near the target the Jacobian hardly changes, so that each correction
doubles the number of correct digits.

Distances are in astronomical units, velocities in units of the Earth's. --seed chooses the target.

Writes orbit.png: flights of the descent with momentum, and the miss after each correction; orbit-map.png: the miss of all
velocities nearby, and the paths of the three methods.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd as ag
from demos.common.options import Options
from demos.common.pictures import BLUE, GREEN, GREY, HALO, INK, ORANGE, VERMILLION, name_point, panels, save
from demos.common.progress import progress
from demos.common.timing import in_words, say_timing, seconds
from demos.common.typing import Array

START = (0.0, 1.0)  # the velocity of the Earth, at (1, 0)
RATE, MOMENTUM = 0.003, 0.8
NEAR = 1e-12  # 15 cm
LOOKS = {"descent": (VERMILLION, "-", "s"), "momentum": (GREEN, "--", "o"), "Newton": (BLUE, "-", "D")}


@dataclass(frozen=True)
class Task:
    """A flight: the place to be at, the time until then, and the number of steps in which it is computed."""

    x: float
    y: float
    time: float
    steps: int


def run(options: Options) -> None:
    task = draw_task(options)
    corrections = 60 if options.quick else 100
    aim = ag.compile(ag.value_and_grad(lambda vx, vy: missed(vx, vy, task), argnums=(0, 1)))
    turn = ag.compile(ag.jacobian(lambda velocity: list(flight(*velocity, task)[-1])))
    print(f"Target ({task.x:.3f}, {task.y:.3f}) after {task.time:.3f}: {task.steps} steps of time")

    ways = {
        "descent": descend(aim, corrections, momentum=0.0),
        "momentum": descend(aim, corrections, momentum=MOMENTUM),
        "Newton": newton(aim, turn, task),
    }
    misses = {name: [math.sqrt(aim(*velocity)[0]) for velocity in way] for name, way in ways.items()}
    for name, way in ways.items():
        vx, vy = way[-1]
        print(f"  {name:9}{len(way) - 1:4} corrections: velocity ({vx:.6f}, {vy:.6f}) misses by {misses[name][-1]:.0e}")
    say_timings(aim, task, options.quick)
    print(
        f"Finding: aimed by the gradient through {task.steps} steps of flight, the probe misses by "
        f"{misses['descent'][-1]:.0e} after {corrections} corrections by plain descent, by {misses['momentum'][-1]:.0e} "
        f"with momentum, and by {misses['Newton'][-1]:.0e} after {len(ways['Newton']) - 1} by Newton's method."
    )
    draw_flights(options, task, ways["momentum"], misses)
    draw_map(options, aim, ways)


def draw_task(options: Options) -> Task:
    """A target beyond the Earth's orbit, about on the other side of the sun.

    There is as much time as the most frugal flight to the other side takes, half an ellipse (Hohmann's).
    """
    rng = np.random.default_rng(options.seed)
    angle, far = math.radians(rng.uniform(130, 230)), rng.uniform(1.3, 1.8)
    time = math.pi * ((1.0 + far) / 2.0) ** 1.5
    return Task(far * math.cos(angle), far * math.sin(angle), time, 100 if options.quick else 500)


# ---- The flight, and how far it is from the target


def flight(vx: Any, vy: Any, task: Task) -> list[tuple[Any, Any]]:
    """The positions of the probe, for floats, arrays, and the nodes of `ag`."""
    step = task.time / task.steps
    x, y = 1.0, 0.0
    places = [(x, y)]
    for _ in range(task.steps):
        x, y = x + 0.5 * step * vx, y + 0.5 * step * vy
        square = x * x + y * y
        pull = step / (square * ag.sqrt(square))
        vx, vy = vx - pull * x, vy - pull * y
        x, y = x + 0.5 * step * vx, y + 0.5 * step * vy
        places.append((x, y))
    return places


def missed(vx: Any, vy: Any, task: Task) -> Any:
    """The square of the distance from the target at the end."""
    x, y = flight(vx, vy, task)[-1]
    return (x - task.x) ** 2 + (y - task.y) ** 2


# ---- Methods: each gives the velocity at the start and after each correction


def descend(aim: ag.Kernel, corrections: int, momentum: float) -> list[Array]:
    velocity, change = np.array(START), np.zeros(2)
    way = [velocity]
    for _ in progress(range(corrections), "orbit"):
        _, slope = aim(*velocity)
        change = momentum * change - RATE * np.array(slope)
        velocity = velocity + change
        way.append(velocity)
    return way


def newton(aim: ag.Kernel, turn: ag.Kernel, task: Task) -> list[Array]:
    """Newton's method until the probe is near enough; a correction that would increase the miss is halved."""
    velocity = np.array(START)
    way = [velocity]
    while (miss := aim(*velocity)[0]) > NEAR**2 and len(way) <= 30:
        x, y = flight(*velocity, task)[-1]
        change = np.linalg.solve(np.array(turn(list(velocity))), [task.x - x, task.y - y])
        while not aim(*(velocity + change))[0] < miss and np.abs(change).max() > NEAR:
            change /= 2
        velocity = velocity + change
        way.append(velocity)
    return way


# ---- Timings and pictures


def say_timings(aim: ag.Kernel, task: Task, quick: bool) -> None:
    eagerly = ag.value_and_grad(lambda vx, vy: missed(vx, vy, task), argnums=(0, 1))
    eager, compiled = seconds(lambda: eagerly(*START), 3), seconds(lambda: aim(*START), 20)
    made = aim.stats["recording"] + aim.stats["compiling"]
    n = 1_000 if quick else 10_000
    many = np.linspace(-0.1, 0.1, n), np.linspace(0.9, 1.1, n)
    aim(*many)  # compiles anew: for arrays
    say_timing(
        f"one gradient through {task.steps} steps takes {in_words(eager)} eagerly, {in_words(compiled)} compiled (which "
        f"took {in_words(made)}), and {in_words(seconds(lambda: aim(*many)) / n)} each, {n:,} at once."
    )


def draw_flights(options: Options, task: Task, way: list[Array], misses: dict[str, list[float]]) -> None:
    figure, (space, curve) = panels(2, width_ratios=[5, 4])
    for k in (0, 1, 2, 3, 5, 8):
        x, y = np.array(flight(*way[k], task)).T
        look = {"alpha": 0.3 + 0.05 * k} if k else {"linestyle": "dotted"}
        space.plot(x, y, color=GREEN, linewidth=1.5, **look)
        space.plot(x[-1], y[-1], color=GREEN, marker="o", markersize=6)
        # Its number stands outside, or, as later flights lie close together, where it would go on.
        away = np.array([x[-1], y[-1]]) if k <= 3 else np.array([x[-1] - x[-2], y[-1] - y[-2]])
        space.annotate(str(k), (x[-1], y[-1]), xytext=13 * away / np.hypot(*away), textcoords="offset points",
            color=GREEN, ha="center", va="center", weight="bold", path_effects=HALO,
        )  # fmt: skip
    x, y = np.array(flight(*way[-1], task)).T
    space.plot(x, y, color=INK, linewidth=2.4)
    space.plot(0.0, 0.0, color=ORANGE, marker="o", markersize=18)
    space.text(0.0, -0.17, "sun", ha="center", va="top")
    space.plot(1.0, 0.0, color=INK, marker="s", markersize=9)
    space.text(0.92, 0.0, "start", ha="right", va="center")
    space.plot(task.x, task.y, color=VERMILLION, marker="*", markersize=18, markeredgecolor="white", zorder=4)
    space.annotate("target", (task.x, task.y), xytext=(0.45 * task.x, 0.45 * task.y), color=VERMILLION, weight="bold",
        ha="center", va="center", arrowprops={"arrowstyle": "-", "color": VERMILLION, "shrinkB": 8},
    )  # fmt: skip
    space.set(title=f"Momentum: flights by correction (black: {len(way) - 1})", aspect="equal", xticks=[], yticks=[])
    space.spines[:].set_visible(False)

    for name, miss in misses.items():
        colour, dashes, marker = LOOKS[name]
        curve.plot(range(len(miss)), miss, color=colour, linestyle=dashes)
        curve.plot(len(miss) - 1, miss[-1], color=colour, marker=marker, markersize=8)
    for name, shift, side in (
        ("descent", (0, 9), "right"),
        ("momentum", (0, -24), "right"),
        ("Newton", (10, 0), "left"),
    ):
        end = (len(misses[name]) - 1, misses[name][-1])
        curve.annotate(
            name, end, xytext=shift, textcoords="offset points", color=LOOKS[name][0], ha=side, weight="bold"
        )
    curve.set(title="How far the probe misses", xlabel="correction", yscale="log")
    save(figure, options.out / "orbit.png")


def draw_map(options: Options, aim: ag.Kernel, ways: dict[str, list[Array]]) -> None:
    figure, places = panels(3, height=4.2, sharex=True, sharey=True)
    seen = np.concatenate([np.array(way) for way in ways.values()])
    middle, reach = (seen.max(axis=0) + seen.min(axis=0)) / 2, 0.65 * np.ptp(seen, axis=0)
    n = 40 if options.quick else 200
    x, y = np.meshgrid(*np.linspace(middle - reach, middle + reach, n).T)
    miss = np.sqrt(aim(x, y)[0])  # all of them in one call
    for axes, (name, way) in zip(places, ways.items(), strict=True):
        colour, _, marker = LOOKS[name]
        axes.contourf(
            x, y, miss, levels=[0.0, 0.1, 0.3, 1.0, np.inf], colors=["#ffffff", "#ececec", "#d6d6d6", "#bdbdbd"]
        )
        edges = axes.contour(x, y, miss, levels=[0.1, 0.3, 1.0], colors=GREY, linewidths=0.6)
        if name == "Newton":  # whose path leaves them legible
            axes.clabel(edges, fmt="%g", fontsize=11)
        axes.plot(*np.array(way).T, color=colour, marker=marker, markersize=4, linewidth=1.4)
        axes.plot(*START, color=INK, marker="s", markersize=9)
        axes.annotate("start", START, xytext=(9, 0), textcoords="offset points", va="center", weight="bold")
        name_point(axes, *ways["Newton"][-1], "goal", INK)
        axes.plot(*ways["Newton"][-1], color=VERMILLION, marker="*", markersize=16, markeredgecolor="white", zorder=4)
        axes.set(title=f"{name.capitalize()}: {len(way) - 1} corrections", xlabel="velocity away from the sun")
    places[0].set_ylabel("velocity along the orbit")
    figure.supxlabel("Grey: lines of equal miss; the darker, the farther from the target", size=13)
    save(figure, options.out / "orbit-map.png")
