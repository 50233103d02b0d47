"""A page that trains networks in the browser, by functions that the engine wrote as JavaScript.

Choose points, a network of up to three layers of eight neurons, an activation, an optimizer and its settings, and see
the boundary, every neuron's own, the weights and the loss change from step to step. The page is one file, which needs no
network and no server: share a choice by its address.

Nothing in the page computes a forward pass, a derivative or an update but the texts of `ag.source`: of a neuron and
its pullback for each number of inputs and each activation, of the loss of a point and its slope, and of nn's optimizers.

Writes playground.html: the page, complete in itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import autograd as ag
import nn
from autograd.drawing.html import html_page
from demos.common.options import Options

ASSETS = Path(__file__).parent / "common" / "playground"
MOST_INPUTS = 8  # of a neuron
POINTS = 100  # to train on, and as many to test with
CELLS = 40  # of the grid that boundaries are drawn on, each way
ORDERS = 20  # of the training points, an epoch each, and then once more
SEEDS = 5  # of initial weights
MOST_PARAMETERS = (2 + 1) * 8 + 2 * (8 + 1) * 8 + (8 + 1)

DATA_SETS: dict[str, Callable[..., Any]] = {
    "moons": nn.moons,
    "circles": nn.circles,
    "spirals": nn.spirals,
    "xor": nn.xor,
    "blobs": nn.blobs,
}
ACTIVATIONS: dict[str, tuple[Callable[[Any], Any], float]] = {  # with the gain of their weights
    "tanh": (ag.tanh, nn.init.calculate_gain("tanh")),
    "relu": (ag.relu, nn.init.calculate_gain("relu")),
    "sigmoid": (ag.sigmoid, nn.init.calculate_gain("sigmoid")),
    "sin": (ag.sin, nn.init.calculate_gain("linear")),
    "linear": (lambda x: x, nn.init.calculate_gain("linear")),
}
OPTIMIZERS: dict[str, tuple[Any, dict[str, float]]] = {
    "SGD": (nn.SGD, {}),
    "momentum": (nn.SGD, {"momentum": 0.9}),
    "RMSprop": (nn.RMSprop, {}),
    "Adam": (nn.Adam, {}),
}
# What can be chosen: its name in the page, its values, and that at first. An address is read by this table too.
SETTINGS: dict[str, tuple[str, list[Any], Any]] = {
    "data": ("Points", [*DATA_SETS], "moons"),
    "noise": ("Noise", [0, 0.05, 0.1, 0.2, 0.3, 0.5], 0.1),
    "layer1": ("Size of layer 1", [*range(1, 9)], 8),
    "layer2": ("Size of layer 2", [*range(9)], 8),
    "layer3": ("Size of layer 3", [*range(9)], 0),
    "activation": ("Activation", [*ACTIVATIONS], "tanh"),
    "optimizer": ("Optimizer", [*OPTIMIZERS], "Adam"),
    "rate": ("Learning rate", [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3], 0.03),
    "batch": ("Batch size", [1, 5, 10, 20, 50, 100], 20),
    "l2": ("L2 penalty", [0, 0.0001, 0.001, 0.01, 0.1], 0),
    "seed": ("Initial weights", [*range(SEEDS)], 0),
    "speed": ("Steps per picture", [1, 5, 20], 1),
}


def run(options: Options) -> None:
    texts = functions()
    page = write_page(texts, options.seed)
    path = options.out / "playground.html"
    path.write_text(page, encoding="utf-8")
    recorded = sum(map(len, texts.values()))
    print(f"Page: {path}")
    print(
        f"Finding: all that the page computes are {len(texts)} functions that the engine wrote, {recorded / 1000:.0f} of "
        f"its {len(page) / 1000:.0f} kB."
    )


# ---- What is recorded


def neuron(activation: str, x: Any, w: Any, b: Any) -> Any:
    return ACTIVATIONS[activation][0](ag.dot(w, x, start=b))


def pullback(activation: str, x: Any, w: Any, b: Any, g: Any, gx: Any, gw: Any, gb: Any) -> list[Any]:
    """The gradients of the inputs, the weights and the bias, to which are added those of a point."""
    _, pull = ag.vjp(lambda x, w, b: neuron(activation, x, w, b), x, w, b)
    of_x, of_w, of_b = pull(g)
    return [before + more for before, more in zip([*gx, *gw, gb], [*of_x, *of_w, of_b], strict=True)]


def point_loss(score: Any, label: Any) -> Any:
    """The binary cross-entropy of a point, as `nn.BCEWithLogitsLoss` has it."""
    return ag.softplus(score) - label * score


def loss(score: Any, label: Any, count: Any, total: Any) -> list[Any]:
    """The mean loss, to which is added that of a point, and its slope in the score."""
    value, slope = ag.value_and_grad(lambda score: point_loss(score, label) / count)(score)
    return [total + value, slope]


def accuracy(score: Any, label: Any, count: Any, share: Any) -> Any:
    """The share of points on their side of the boundary, to which is added that of a point."""
    return share + ag.where(score > 0.0, label, 1.0 - label) / count


def initial(drawn: Any, inputs: Any, gain: Any) -> Any:
    """A weight, as `nn.init.kaiming_uniform_` has it, of a number between -1 and 1."""
    return drawn * (gain * ag.sqrt(3.0 / inputs))


def moved(place: Any, noise: Any, by: Any) -> Any:
    return place + noise * by


def functions() -> dict[str, str]:
    """The texts of all functions of the page, by name."""
    found = {}
    for n in range(1, MOST_INPUTS + 1):
        x, w = [0.5] * n, [0.25] * n
        for name in ACTIVATIONS:
            found[f"neuron_{n}_{name}"] = ag.program(partial(neuron, name))(x, w, 0.1)
            found[f"pullback_{n}_{name}"] = ag.program(partial(pullback, name))(x, w, 0.1, 1.0, x, w, 0.0)
    found["loss"] = ag.program(loss)(0.5, 1.0, 10.0, 0.0)
    found["accuracy"] = ag.program(accuracy)(0.5, 1.0, 10.0, 0.0)
    found["initial"] = ag.program(initial)(0.5, 2.0, 1.0)
    found["moved"] = ag.program(moved)(0.5, 0.1, 1.0)
    texts = {name: ag.source(program, "javascript", name) for name, program in found.items()}
    return texts | {f"update_{name}": update_text(*made) for name, made in OPTIMIZERS.items()}


def update_text(kind: Any, settings: dict[str, float]) -> str:
    """The text of an optimizer's formula, as a function of a parameter, its gradient, what is remembered of it, the
    number of the step, the learning rate and the penalty."""
    optimizer = kind([ag.Tensor(0.0)], **settings)
    given = {name: value for name, value in optimizer.param_groups[0].items() if name != "params"}
    state = optimizer.initial_state(given)

    def update(p: Any, g: Any, remembered: Any, t: Any, lr: Any, weight_decay: Any) -> list[Any]:
        used = iter(remembered)
        before = [None if start is None else next(used) for start in state.values()]
        new, *after = kind.update(p, g, *before, t, **given | {"lr": lr, "weight_decay": weight_decay})
        return [new, *(x for x, start in zip(after, state.values(), strict=False) if start is not None)]

    kernel = ag.compile(update, backend="numpy")
    remembered = [start for start in state.values() if start is not None]
    for t in (1.0, 2.0):  # a formula may branch on the first step, and on whether there is a penalty
        for decay in (0.0, 0.1):
            kernel(1.0, 0.5, remembered, t, 0.1, decay)
    return str(kernel.source("javascript"))


# ---- The page


def write_page(texts: dict[str, str], seed: int) -> str:
    parts = [f"{name}: (() => {{\n{text}return {_name(name)}_batch;\n}})()," for name, text in texts.items()]
    engine = "\n".join(["const engine = {", *parts, "};"])
    script = "\n".join([engine, *(_asset(name) for name in ("training.js", "drawing.js", "controls.js"))])
    return html_page("Playground", _asset("body.html"), _asset("style.css"), script, page_data(seed))


def _name(function: str) -> str:
    return "kernel" if function.startswith("update_") else function


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def page_data(seed: int) -> dict[str, Any]:
    """All that the page has of numbers and choices."""
    rng = np.random.default_rng(seed)
    return {
        "settings": {
            name: {"title": title, "values": values, "start": start}
            for name, (title, values, start) in SETTINGS.items()
        },
        "sets": {name: points(make, seed) for name, make in DATA_SETS.items()},
        "gains": {name: gain for name, (_, gain) in ACTIVATIONS.items()},
        "remembered": {name: remembered(*made) for name, made in OPTIMIZERS.items()},
        "orders": [rng.permutation(POINTS).tolist() for _ in range(ORDERS)],
        "drawn": [np.random.default_rng([seed, k]).uniform(-1, 1, MOST_PARAMETERS).tolist() for k in range(SEEDS)],
    }


def remembered(kind: Any, settings: dict[str, float]) -> int:
    """How many numbers an optimizer remembers of a parameter."""
    optimizer = kind([ag.Tensor(0.0)], **settings)
    return sum(start is not None for start in optimizer.initial_state(optimizer.param_groups[0]).values())


def points(make: Callable[..., Any], seed: int) -> dict[str, Any]:
    """Points without noise, and how noise of 1 moves them; their labels; and the axes of the grid about them."""
    places, labels = make(2 * POINTS, noise=0.0, rng=seed)
    moves = make(2 * POINTS, noise=1.0, rng=seed)[0] - places
    low, high = places.min(axis=0), places.max(axis=0)
    reach = max(high - low) / 2 + 0.5
    axes = [np.linspace(middle - reach, middle + reach, CELLS).tolist() for middle in (low + high) / 2]
    return {"places": places.T.tolist(), "moves": moves.T.tolist(), "labels": labels.tolist(), "axes": axes}
