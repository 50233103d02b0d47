"""One prediction of a trained network, opened neuron by neuron: drawn, stepped through, explained.

A network of Tensors (2 inputs, 4 tanh neurons, 1 score) learns to tell two moons apart, a batch at a time. That is fast, and
tells nothing of a single neuron. `nn.scalar.twin` gives the same network on Values, one for every weight. Both have the
same weights, not copies: the twin's are elements of the arrays.

The point of which the network is least certain goes through the twin. Each neuron multiplies the coordinates by its
weights and adds them up with its bias; that is 0 on a straight line, and tanh makes it a smooth step across that line. The score
is a weighted sum of the four steps. `backward()` then gives the slope of the score by everything that it was computed
from: by the coordinates, it says in which direction the boundary lies, and about how far away. A neuron far from its line is
saturated: hardly any gradient passes it.

At last the twin takes a step of gradient descent on this one point, and the network's score of it changes.

Writes inspect.svg and inspect.png: the graph of the score, with all gradients; inspect.html: the same, to drag, zoom and
ask; inspect-steps.html: forwards and backwards, step by step; inspect-moons.png: the four lines and the boundary.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
import nn
from demos.common.graphs import draw_graph
from demos.common.options import Options
from demos.common.pictures import BLUE, GREY, INK, PALE_BLUE, PALE_ORANGE, VERMILLION, name_point, panels, save
from demos.common.progress import progress
from demos.common.typing import Array

NEURONS = 4
RATE = 0.02  # of the twin's step


def run(options: Options) -> None:
    rng = np.random.default_rng(options.seed)
    points, labels = nn.moons(200, noise=0.1, rng=rng)
    model = nn.Sequential(
        nn.Linear(2, NEURONS, dtype=np.float64, rng=rng), nn.Tanh(), nn.Linear(NEURONS, 1, dtype=np.float64, rng=rng)
    )
    train(model, points, labels, epochs=20 if options.quick else 60, rng=rng)
    scores = predict(model, points)
    right = nn.accuracy((scores > 0).astype(int), labels)
    least = int(np.argmin(np.abs(scores)))
    a, b = points[least].tolist()
    print(f"Trained with Tensors: {right:.1%} of {len(points)} points are on the right side.")
    print(f"The least certain is ({a:.4f}, {b:.4f}), of moon {labels[least]}: its score is {scores[least]:.4f}.\n")

    # The same network on Values; each of its layers takes a list of them.
    small = nn.scalar.twin(model)
    name(small)
    first, activation, last = small.layers
    x, y = ag.Value(a, "x"), ag.Value(b, "y")
    with ag.trace_names():  # so that the pages can show the line of each step
        sums = first([x, y])
        hidden = activation(sums)
        score = last(hidden)
    for k, (before, after) in enumerate(zip(sums, hidden, strict=True), 1):
        before.label, after.label = f"s{k}", f"h{k}"
    score.label = "score"
    score.backward()

    print("neuron   weighted sum     tanh   its slope   weight in the score   adds to it")
    for k, (before, after, weight) in enumerate(zip(sums, hidden, last.neurons[0].w, strict=True), 1):
        slope = 1.0 - after.data**2
        print(
            f"{k:6} {before.data:14.4f} {after.data:8.4f} {slope:11.2g} {weight.data:21.4f} "
            f"{weight.data * after.data:12.4f}"
        )
    print(f"{'bias':>6} {last.neurons[0].b.data:70.4f}")
    print(f"{'score':>6} {score.data:70.4f}\n")
    print(ag.explain(score, x, y))

    point, grad = ag.Tensor(points[least]), np.array([x.grad, y.grad])
    model(point).sum().backward()
    off = max(abs(score.data - scores[least]), *np.abs(grad - point.grad))
    steepness = np.hypot(*grad)
    distance = abs(score.data) / steepness
    beyond = predict(model, points[least] - score.data / steepness**2 * grad).item()
    print(f"\nIf these slopes went on, the score would be 0 at a distance of {distance:.4f}; there it is {beyond:.4f}.")
    draw_graph(score, options.out / "inspect.svg", options.out / "inspect.png")
    for path, write in ((options.out / "inspect.html", ag.show), (options.out / "inspect-steps.html", ag.stepper)):
        write(score, path)
        print(f"Page: {path}")
    draw(options, model, points, labels, points[least], grad)

    before, after = learn(model, small, points[least], int(labels[least]))
    print(
        f"Finding: score and slopes of the twin differ from the network's by {off:.0e} at most; a step of the twin changes the "
        f"network's score of this point from {before:.3f} to {after:.3f}."
    )


def train(model: nn.Module, points: Array, labels: Array, epochs: int, rng: np.random.Generator) -> None:
    loss_of, optimizer = nn.BCEWithLogitsLoss(), nn.Adam(model.parameters(), lr=0.1)
    for _ in progress(range(epochs), "inspect"):
        for inputs, targets in nn.batches(points, labels, size=20, rng=rng):
            optimizer.zero_grad()
            loss_of(model(inputs)[:, 0], targets).backward()
            optimizer.step()


def predict(model: nn.Module, points: Array) -> Array:
    """The scores of points `(..., 2)`: above 0 for moon 1."""
    with ag.no_grad():
        return np.asarray(model(points).data[..., 0])


def name(small: nn.scalar.Twin) -> None:
    """Label the weights: w3y is that of neuron 3 for y, v3 that of the score for neuron 3, b3 and c are biases."""
    first, _, last = small.layers
    for k, neuron in enumerate(first.neurons, 1):
        neuron.w[0].label, neuron.w[1].label, neuron.b.label = f"w{k}x", f"w{k}y", f"b{k}"
    for k, weight in enumerate(last.neurons[0].w, 1):
        weight.label = f"v{k}"
    last.neurons[0].b.label = "c"


def learn(model: nn.Module, small: Any, point: Array, label: int) -> tuple[float, float]:
    """The score that the model gives to a point before and after a step of gradient descent on the twin's loss for it."""
    before = predict(model, point).item()
    score = small(point)
    loss = ag.softplus(score) - label * score
    small.zero_grad()
    loss.backward()
    nn.SGD(small.parameters(), lr=RATE).step()
    return before, predict(model, point).item()


def draw(options: Options, model: nn.Sequential, points: Array, labels: Array, point: Array, grad: Array) -> None:
    figure, axes = panels(1, width=8.0, height=5.4)
    low, high = points.min(axis=0) - 0.4, points.max(axis=0) + 0.4
    x, y = np.meshgrid(np.linspace(low[0], high[0], 200), np.linspace(low[1], high[1], 200))
    grid = np.stack([x, y], axis=-1)
    axes.contourf(x, y, predict(model, grid), levels=[-np.inf, 0.0, np.inf], colors=[PALE_BLUE, PALE_ORANGE])
    axes.contour(x, y, predict(model, grid), levels=[0.0], colors=INK, linewidths=2.5)
    sums = grid @ model[0].weight.data.T + model[0].bias.data
    named: dict[tuple[float, float], list[int]] = {}  # by where lines leave the picture: two may lie together
    for k in range(NEURONS):
        axes.contour(x, y, sums[..., k], levels=[0.0], colors=GREY, linewidths=1.4, linestyles="dashed")
        for edge in (np.s_[-1], np.s_[0], np.s_[:, 5]):  # above, below, or at the left
            crossings = np.flatnonzero(np.diff(np.sign(sums[..., k][edge])))
            if len(crossings):
                place = (round(x[edge][crossings[0]], 1), round(y[edge][crossings[0]], 1))
                named.setdefault(place, []).append(k + 1)
                break
    for place, neurons in named.items():
        text = f"neuron{'s' * (len(neurons) > 1)} {' and '.join(map(str, neurons))}"
        name_point(axes, *place, text, GREY, above=place[1] < high[1] - 0.2)
    for label, marker, colour in ((0, "o", BLUE), (1, "^", VERMILLION)):
        chosen = points[labels == label]
        axes.scatter(*chosen.T, s=36, c=colour, marker=marker, edgecolors="white", linewidths=0.6, zorder=3)
    tip = point + 0.4 * grad / np.hypot(*grad)
    axes.annotate("", tip, point, arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 2.0}, zorder=4)
    axes.plot(*point, color=INK, marker="D", markersize=9, markeredgecolor="white", zorder=5)
    name_point(axes, *point, "least certain", INK, above=bool(grad[1] < 0))
    axes.set(title="Thick: the boundary, score 0; dashed: where a neuron's sum is 0", ylabel="y")
    axes.set_xlabel("x (the arrow: where the score grows fastest)")
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    save(figure, options.out / "inspect-moons.png")
