"""The perceptron rule of 1958 and one hidden layer: on xor, which the rule cannot learn, and on digits.

A perceptron takes the sign of a weighted sum of its inputs. Its rule learns from mistakes only: if an example of class +1
or -1 is on the wrong side, it is added, times its class, to the weights. That is one step of gradient descent on
relu(-class * score), which the demo checks. If a straight line separates the classes, the rule finds one; otherwise it
never stops changing the weights. For xor, where the class is whether the signs of two coordinates differ, no line does.

With a hidden layer the boundary is a curve: eight tanh neurons learn xor from the same two inputs. On digits, one weight
per pixel and digit gives most of the accuracy, and the hidden layer most of the rest.

The digits are MNIST's, which `nn.mnist()` downloads once and keeps; if it cannot, or with --quick, they are the small
ones that come with scikit-learn.

Writes perceptron.png: the classes that both assign on xor, and the test accuracy on digits after each pass.
"""

from __future__ import annotations

from collections.abc import Callable

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
    name_ends,
    panels,
    save,
)
from demos.common.progress import progress
from demos.common.typing import Array

Images = tuple[Array, Array]


def run(options: Options) -> None:
    rng = np.random.default_rng(options.seed)
    points, labels = nn.xor(200, noise=0.0, rng=rng)

    line, right, moves = perceptron(points, labels, passes=20 if options.quick else 100, rng=rng)
    print("xor, 200 points")
    print(f"  the rule is a step of gradient descent: they differ by {difference(points, labels):g}")
    best = max(right)
    print(f"  perceptron: {best:.1%} right after the best of {len(right)} passes, {right[-1]:.1%} after the last,")
    print(f"              which still made {moves} corrections")
    model = nn.Sequential(nn.Linear(2, 8, rng=rng), nn.Tanh(), nn.Linear(8, 2, rng=rng))
    learn(model, (points, labels), rate=0.03, epochs=20 if options.quick else 100, size=20, rng=rng)
    bent = nn.accuracy(predict(model, points), labels)
    print(f"  one hidden layer: {bent:.1%} right\n")

    name, train, test = images(options.quick, rng)
    passes = 4
    straight, deep = race(train, test, passes, rng)
    print(f"{name}: {len(train[1])} to learn from, {len(test[1])} to be tested on; right after each pass")
    print(f"  perceptron:       {' '.join(f'{x:.2%}' for x in straight)}")
    print(f"  one hidden layer: {' '.join(f'{x:.2%}' for x in deep)}")
    print(
        f"\nFinding: on xor the perceptron's best line gets {best:.1%} right, one hidden layer {bent:.1%}; "
        f"on {name} {straight[-1]:.1%} and {deep[-1]:.1%} of the test digits."
    )
    draw(options, points, labels, line, best, model, bent, name, straight, deep)


def perceptron(points: Array, labels: Array, passes: int, rng: np.random.Generator) -> tuple[Array, list[float], int]:
    """The best weights at the end of a pass, the accuracy after each pass, and the number of corrections in the last."""
    inputs = with_one(points)
    signs = np.where(labels == 1, 1.0, -1.0)
    weights = kept = np.zeros(inputs.shape[1])
    right: list[float] = []
    moves = 0
    for _ in range(passes):
        moves = 0
        for i in rng.permutation(len(inputs)):
            if signs[i] * (weights @ inputs[i]) <= 0.0:  # the wrong side, or just on the line
                weights = weights + signs[i] * inputs[i]
                moves += 1
        right.append(float(np.mean(signs * (inputs @ weights) > 0.0)))
        if right[-1] == max(right):
            kept = weights
    return kept, right, moves


def with_one(points: Array) -> Array:
    """A further input that is always 1: its weight is the bias."""
    return np.hstack([points, np.ones((len(points), 1))])


def difference(points: Array, labels: Array) -> float:
    """The largest difference between the rule's corrections and steps of gradient descent on relu(-class * score)."""
    weights = np.array([0.5, -1.0, 0.25])  # any
    most = 0.0
    for x, sign in zip(with_one(points), np.where(labels == 1, 1.0, -1.0), strict=True):
        slope = ag.grad(lambda w, x=x, sign=sign: ag.relu(-sign * (w @ x)))(weights)
        correction = sign * x if sign * (weights @ x) <= 0.0 else 0.0 * x
        most = max(most, float(np.abs(correction + slope).max()))
    return most


def learn(
    model: nn.Module, data: Images, rate: float, epochs: int, size: int, rng: np.random.Generator,
    after_each: Callable[[], None] | None = None,
) -> None:  # fmt: skip
    loss_of, optimizer = nn.CrossEntropyLoss(), nn.Adam(model.parameters(), lr=rate)
    batches = nn.batches(*data, size=size, rng=rng)
    for _ in progress(range(epochs), "hidden layer"):
        for inputs, labels in batches:
            optimizer.zero_grad()
            loss_of(model(inputs), labels).backward()
            optimizer.step()
        if after_each is not None:
            after_each()


def predict(model: nn.Module, inputs: Array) -> Array:
    """The likelier class of each input."""
    with ag.no_grad():
        return np.asarray(model(inputs).data.argmax(axis=1))


def images(quick: bool, rng: np.random.Generator) -> tuple[str, Images, Images]:
    """The name of the digits, those to learn from and those to be tested on: a row of pixels each, and labels."""
    if not quick:
        try:
            (x, y), (x_test, y_test) = nn.mnist()
            return "MNIST", (x.reshape(len(x), -1), y), (x_test.reshape(len(x_test), -1), y_test)
        except OSError as error:  # it says what can be done
            print(f"The small digits of scikit-learn take the place of MNIST's. {error}\n")
    train, _, test = nn.train_valid_test_split(*nn.digits(), valid=0, test=0.3, rng=rng)
    return "8 × 8 digits", train, test


def race(train: Images, test: Images, passes: int, rng: np.random.Generator) -> tuple[list[float], list[float]]:
    """The accuracies on `test` after each pass through `train`: of perceptrons, and of a network with a hidden layer.

    Ten perceptrons, one a digit, and the largest score counts. After a mistake the image is added to the weights
    of the digit that it is, and subtracted from those of the digit that it was taken for.
    """
    inputs, labels = with_one(train[0]).astype(np.float32), train[1].tolist()
    weights = np.zeros((10, inputs.shape[1]), np.float32)
    straight = []
    for _ in progress(range(passes), "perceptron"):
        for i in rng.permutation(len(inputs)).tolist():
            x, label = inputs[i], labels[i]
            said = int((weights @ x).argmax())
            if said != label:
                weights[label] += x
                weights[said] -= x
        straight.append(nn.accuracy(with_one(test[0]).astype(np.float32) @ weights.T, test[1]))

    deep: list[float] = []
    model = nn.Sequential(nn.Linear(inputs.shape[1] - 1, 100, rng=rng), nn.ReLU(), nn.Linear(100, 10, rng=rng))
    learn(
        model, train, rate=0.003, epochs=passes, size=20 if len(inputs) < 10_000 else 200, rng=rng,
        after_each=lambda: deep.append(nn.accuracy(predict(model, test[0]), test[1])),
    )  # fmt: skip
    return straight, deep


def draw(
    options: Options, points: Array, labels: Array, line: Array, right: float, model: nn.Module, bent: float,
    name: str, straight: list[float], deep: list[float],
) -> None:  # fmt: skip
    figure, (left, middle, curve) = panels(3, height=3.7)
    x, y = np.meshgrid(np.linspace(-1.1, 1.1, 200), np.linspace(-1.1, 1.1, 200))
    grid = np.stack([x.ravel(), y.ravel()], axis=1)
    sides = {
        f"Perceptron: {right:.0%} right": (left, with_one(grid) @ line > 0.0),
        f"One hidden layer: {bent:.0%}": (middle, predict(model, grid) == 1),
    }
    for title, (axes, side) in sides.items():
        axes.contourf(x, y, side.reshape(x.shape), levels=[-0.5, 0.5, 1.5], colors=[PALE_BLUE, PALE_ORANGE])
        axes.contour(x, y, side.reshape(x.shape), levels=[0.5], colors=INK, linewidths=2.0)
        for label, marker, colour in ((0, "o", BLUE), (1, "^", VERMILLION)):
            chosen = points[labels == label]
            axes.scatter(*chosen.T, s=32, c=colour, marker=marker, edgecolors="white", linewidths=0.6, zorder=3)
        axes.set(title=title, xticks=[-1, 0, 1], yticks=[-1, 0, 1], xlabel="● signs equal   ▲ signs differ")
        axes.set_box_aspect(1)
    passes = np.arange(1, len(straight) + 1)
    curve.plot(passes, 100 * np.array(straight), color=VERMILLION, linestyle="dashed", marker="^", markersize=7)
    curve.plot(passes, 100 * np.array(deep), color=BLUE, marker="o", markersize=7)
    curve.set(title=f"{name}: % right", xlabel="passes", xticks=passes)
    curve.set_box_aspect(1)
    for what, right_digits, colour in (("perceptron", straight, VERMILLION), ("hidden\nlayer", deep, BLUE)):
        name_ends(curve, passes[-1], {what: (100 * right_digits[-1], colour)})
    curve.grid(axis="y", color=GREY, alpha=0.25)
    save(figure, options.out / "perceptron.png")
