"""Overfitting: a network memorizes 200 digits, wrong labels included; three remedies are compared.

Of the 200 training digits every fifth has a wrong label. During training the training loss keeps falling, because a
network of this size can memorize all of them. The validation loss falls at first too; then it rises: from there on the
network learns these 200 images with their wrong labels, and no longer what digits look like. This U shape is the sign of
overfitting. Remedies:

- L2: a penalty on the squares of the weights, so that only patterns of many digits make them large;
- early stopping: training ends when no epoch has been better for a while, and goes back to the best one;
- dropout: at every step most of the neurons, chosen at random, are switched off, so that none can rely on another.

All start from the same weights and see the same batches. None of them is a cure: they delay or weaken the learning of wrong
labels, and all have a setting that has to be found (see the demo `search`).

Writes overfitting.png: both losses by epoch, with each remedy beside the bare model.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import nn
from demos.common.options import Options
from demos.common.pictures import BLUE, GREY, VERMILLION, panels, save
from demos.common.progress import progress
from demos.common.typing import Array

Pair = tuple[Array, Array]

SAMPLES, VALID = 200, 500


class Way(NamedTuple):
    """The settings by which one of the networks is trained."""

    name: str
    penalty: float = 0.0  # weighs half the squares of the weights against the loss
    dropout: float = 0.0  # the fraction of neurons that are switched off
    patience: int = 0  # in epochs; 0 goes on to the end


WAYS = [Way("bare"), Way("L2", penalty=0.02), Way("early stopping", patience=15), Way("dropout", dropout=0.6)]


def run(options: Options) -> None:
    epochs = 40 if options.quick else 150
    rng = np.random.default_rng(options.seed)
    images, labels = nn.digits()
    train, valid, test = nn.train_valid_test_split(
        images, labels, valid=VALID, test=len(labels) - VALID - SAMPLES, rng=rng
    )
    faults = np.arange(0, SAMPLES, 5)
    train[1][faults] = (train[1][faults] + rng.integers(1, 10, len(faults))) % 10
    print(f"{SAMPLES} digits to learn from, {len(faults)} of them with a wrong label; {len(test[1])} to be tested on\n")
    print("                 epochs   validation loss: least   at the end   test: loss   accuracy")

    histories, tests = {}, {}
    for way in progress(WAYS, "overfitting"):
        model, histories[way.name] = learn(way, train, valid, epochs, options.seed)
        tests[way.name] = found = nn.evaluate(model, test, nn.CrossEntropyLoss(), nn.accuracy)
        losses = histories[way.name].epochs["valid_loss"]
        print(
            f"{way.name:15} {len(losses):7} {min(losses):24.3f} {losses[-1]:12.3f} {found['loss']:12.3f} "
            f"{found['accuracy']:10.1%}"
        )

    bare = histories["bare"].epochs["valid_loss"]
    best = int(np.argmin(bare))
    print(
        f"\nFinding: the bare model's validation loss falls to {bare[best]:.2f} in epoch {best + 1} and rises to {bare[-1]:.2f}; "
        f"of the test digits it reads {tests['bare']['accuracy']:.0%}, with "
        + ", with ".join(f"{way.name} {tests[way.name]['accuracy']:.0%}" for way in WAYS[1:])
        + "."
    )
    draw(options, histories, tests)


def learn(way: Way, train: Pair, valid: Pair, epochs: int, seed: int) -> tuple[nn.Sequential, nn.History]:
    rng = np.random.default_rng(seed)
    layers: list[nn.Module] = []
    for inputs in (64, 128):
        layers += [nn.Linear(inputs, 128, rng=rng), nn.ReLU()]
        if way.dropout:  # with a generator of its own, so that all other random numbers are the same
            layers.append(nn.Dropout(way.dropout, rng=seed + inputs))
    model = nn.Sequential(*layers, nn.Linear(128, 10, rng=rng))
    history = nn.fit(
        model,
        train,
        valid,
        loss=nn.CrossEntropyLoss(),
        optimizer=nn.Adam(model.parameters(), lr=0.003, weight_decay=way.penalty),
        epochs=epochs,
        batch_size=25,
        callbacks=[nn.EarlyStopping(way.patience)] if way.patience else [],
        rng=rng,
    )
    return model, history


def draw(options: Options, histories: dict[str, nn.History], tests: dict[str, dict[str, float]]) -> None:
    """In each panel the bare model again, in grey, for comparison."""
    figure, places = panels(2, 2, height=8.4, sharex=True, sharey=True)
    bare = histories["bare"].epochs["valid_loss"]
    for axes, (name, history) in zip(places.flat, histories.items(), strict=True):
        train, valid = history.epochs["loss"], history.epochs["valid_loss"]
        last, best = len(valid), int(np.argmin(valid))
        if name != "bare":
            axes.plot(np.arange(1, len(bare) + 1), bare, color=GREY, linewidth=1.2)
            name_end(axes, len(bare), bare[-1], "bare", GREY)
        axes.plot(np.arange(1, last + 1), train, color=BLUE, linestyle="dashed")
        axes.plot(np.arange(1, last + 1), valid, color=VERMILLION)
        axes.plot(best + 1, valid[best], color=VERMILLION, marker="o", markersize=9)
        # Where training stopped, the bare model's line goes on upwards: names stand below.
        name_end(axes, last, valid[-1], "validation", VERMILLION, shift=5 if last == len(bare) else -11)
        name_end(axes, last, train[-1], "training", BLUE, shift=-5)
        axes.set(ylim=(-0.1, 2.4), title=f"{name}: {tests[name]['accuracy']:.0%} of the test digits")
    for axes in places[1]:
        axes.set_xlabel("epoch")
    for axes in places[:, 0]:
        axes.set_ylabel("loss")
    save(figure, options.out / "overfitting.png")


def name_end(axes: Any, x: float, y: float, name: str, colour: str, shift: int = 0) -> None:
    """Write `name` to the right of the end of a line, at (x, y), and a number of points higher."""
    axes.annotate(name, (x, y), xytext=(6, shift), textcoords="offset points", color=colour, va="center", weight="bold")
