"""MNIST's handwritten digits, read by a fully connected and by a convolutional network.

To the fully connected network an image is a list of 784 pixels, in any order. The convolutional network applies the same
small windows, 5 × 5 pixels, everywhere, keeps the strongest answer of every 2 × 2, applies windows to these answers again,
and then classifies. A stroke is the same to it wherever it is, so it needs fewer weights and misreads fewer digits.

Both are trained in the same way: with Adam; with a learning rate that rises and falls in one cycle (Smith and Topin,
2018), because a large rate is stable only after the first steps, and the last steps must be small; and on images that are
shifted at random by up to one pixel, so that the network never sees the same image twice. 5,000 of the 60,000 training
images are held out for validation. The 10,000 test images are used once, at the end.

With --quick, the small digits of scikit-learn take the place of MNIST, scaled up.

Writes mnist-curves.png: loss and accuracy at every step; mnist-confusion.png: what the convolutional network takes for what;
mnist-mistakes.png: its worst mistakes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from copy import deepcopy

import numpy as np

import autograd as ag
import nn
from demos.common.options import Options
from demos.common.pictures import BLUE, GREY, INK, VERMILLION, log_scale, panels, save
from demos.common.timing import in_words, say_timing, seconds
from demos.common.typing import Array

Pair = tuple[Array, Array]

BATCH = 128
GOAL = 0.99


def run(options: Options) -> None:
    rng = np.random.default_rng(options.seed)
    train, valid, test = small_digits(rng) if options.quick else all_digits(rng)
    print(f"{len(train[1])} digits to learn from, {len(valid[1])} to watch, {len(test[1])} to be tested on")

    epochs = 2 if options.quick else 6
    networks = {  # with the largest rate of the cycle
        "connected": (connected(rng), 0.003),
        "convolutional": (convolutional(rng), 0.005),
    }
    needed = sum(seconds_needed(model, epochs, train, valid) for model, _ in networks.values())
    needed_in_words = in_words(needed) if needed < 100 else f"{needed / 60:.0f} minutes"
    say_timing(f"training will take about {needed_in_words}, reckoned from a few steps of each network.")
    histories, right = {}, {}
    for name, (model, rate) in networks.items():
        weights = sum(parameter.size for parameter in model.parameters())
        print(f"\n{name}: {weights} weights\nepoch   loss: train    valid   accuracy: train    valid")
        histories[name] = learn(model, rate, epochs, train, valid, rng)
        if not options.quick:  # times differ from run to run
            print(time_to_goal(histories[name]))
        logits = nn.predict(model, test[0])  # after the loop, those of the convolutional network
        right[name] = nn.accuracy(logits, test[1])
    print(
        f"\nFinding: of the test digits the convolutional network reads {right['convolutional']:.2%} correctly, the "
        f"connected one {right['connected']:.2%}."
    )

    probabilities = ag.softmax(logits)
    draw_curves(options, histories)
    draw_confusion(options, nn.confusion_matrix(probabilities, test[1], classes=10))
    draw_mistakes(options, *test, probabilities)


def connected(rng: np.random.Generator) -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 256, rng=rng),
        nn.ReLU(),
        nn.Linear(256, 128, rng=rng),
        nn.ReLU(),
        nn.Linear(128, 10, rng=rng),
    )


def convolutional(rng: np.random.Generator) -> nn.Sequential:
    """From 28 × 28 pixels to 16 maps of 12 × 12, to 32 of 4 × 4, to 10 logits.

    The maxima are taken before the normalization and not after it, as it has only a quarter of the work then. No bias:
    the normalization would subtract it.
    """
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, bias=False, rng=rng),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 5, bias=False, rng=rng),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(512, 10, rng=rng),
    )


class Moved:
    """Batches of images, each image moved by up to one pixel, at random, down or up and to one side."""

    def __init__(self, images: Array, labels: Array, rng: np.random.Generator) -> None:
        padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
        height, width = images.shape[2:]
        # Axes 2 and 3 now say by how much, from 0 to 2; nothing is copied before it is asked for.
        self.views = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(2, 3))
        self.labels, self.rng = labels, rng

    def __len__(self) -> int:
        return -(-len(self.labels) // BATCH)

    def __iter__(self) -> Iterator[Pair]:
        order = self.rng.permutation(len(self.labels))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            down, right = self.rng.integers(0, 3, (2, len(rows)))
            yield self.views[rows, :, down, right], self.labels[rows]


class Table(nn.Callback):
    """Prints a line after each epoch."""

    def on_epoch_end(self, training: nn.Training) -> None:
        last = training.history.last
        print(
            f"{training.epoch:5} {last('loss'):13.4f} {last('valid_loss'):8.4f} {last('accuracy'):17.2%} "
            f"{last('valid_accuracy'):8.2%}",
            flush=True,
        )


def learn(
    model: nn.Sequential, rate: float, epochs: int, train: Pair, valid: Pair, rng: np.random.Generator
) -> nn.History:
    batches = Moved(*train, rng)
    optimizer = nn.Adam(model.parameters())
    cycle = nn.optim.OneCycleLR(optimizer, max_lr=rate, epochs=epochs, steps_per_epoch=len(batches))
    return nn.fit(
        model,
        batches,
        valid,
        loss=nn.CrossEntropyLoss(),
        optimizer=optimizer,
        epochs=epochs,
        metrics=nn.accuracy,
        callbacks=[nn.Schedule(cycle, every="step"), nn.ProgressBar(), Table()],
    )


def seconds_needed(model: nn.Sequential, epochs: int, train: Pair, valid: Pair) -> float:
    """The time that `learn` will take: that of a step, for each step, and that of the validation, for each epoch."""
    copy = deepcopy(model)
    optimizer, loss_of = nn.Adam(copy.parameters(), lr=0.0), nn.CrossEntropyLoss()
    batches = itertools.cycle(Moved(*train, np.random.default_rng(0)))

    def step() -> None:
        images, labels = next(batches)
        optimizer.zero_grad()
        loss_of(copy(images), labels).backward()
        optimizer.step()

    step()  # the first is slower
    watched = valid[0][: 4 * BATCH]
    look = seconds(lambda: nn.predict(copy, watched), 1) * len(valid[1]) / len(watched)
    return epochs * (-(-len(train[1]) // BATCH) * seconds(step, 3) + look)


def time_to_goal(history: nn.History) -> str:
    """A text that says when the accuracy on the images held out reached the goal."""
    seconds = list(itertools.accumulate(history.epochs["seconds"]))
    for epoch, (accuracy, passed) in enumerate(zip(history.epochs["valid_accuracy"], seconds, strict=True), 1):
        if accuracy >= GOAL:
            return (
                f"{GOAL:.0%} after {passed:.0f} s, in epoch {epoch}; all {len(seconds)} epochs took {seconds[-1]:.0f} s"
            )
    return f"{GOAL:.0%} was not reached; all {len(seconds)} epochs took {seconds[-1]:.0f} s"


def all_digits(rng: np.random.Generator) -> tuple[Pair, Pair, Pair]:
    """MNIST as images `(n, 1, 28, 28)` from 0 to 1: to learn from, to watch, to test on."""
    try:
        images = nn.mnist()
    except OSError as error:  # it lists the ways to get them
        raise SystemExit(f"python -m demos: {error}") from None
    train, valid, _ = nn.train_valid_test_split(*images.train, valid=5000, test=0, rng=rng)
    (a, b), (c, d), (e, f) = train, valid, images.test
    return (a[:, None], b), (c[:, None], d), (e[:, None], f)


def small_digits(rng: np.random.Generator) -> tuple[Pair, Pair, Pair]:
    """The digits of scikit-learn, every pixel of which becomes 3 × 3, with a margin: as large as those of MNIST."""
    images, labels = nn.digits()
    large = np.kron(images.reshape(-1, 1, 8, 8), np.ones((3, 3))).astype(np.float32)
    split = nn.train_valid_test_split(np.pad(large, ((0, 0), (0, 0), (2, 2), (2, 2))), labels, rng=rng)
    return split.train, split.valid, split.test


def draw_curves(options: Options, histories: dict[str, nn.History]) -> None:
    """Every step, pale; their running mean; and the images held out, as points at the end of each epoch."""
    figure, (losses, accuracies) = panels(2, height=5.4)
    looks = {"connected": (BLUE, "dashed", "s", 9), "convolutional": (VERMILLION, "solid", "o", -9)}
    for name, (colour, dashes, marker, shift) in looks.items():
        history = histories[name]
        n = len(history.steps["loss"])
        epochs = np.arange(1, len(history) + 1) * n / len(history)
        width = min(100, n // 3)
        # An error rate of 0 has no place on a logarithmic scale: half a mistake in 128 images is drawn instead.
        wrong = np.maximum(100 - 100 * np.array(history.steps["accuracy"]), 50 / BATCH)
        wrong_valid = np.maximum(100 - 100 * np.array(history.epochs["valid_accuracy"]), 0.05)
        for axes, train, valid, up in (
            (losses, np.array(history.steps["loss"]), np.array(history.epochs["valid_loss"]), shift),
            (accuracies, wrong, wrong_valid, -shift),
        ):
            smooth = np.convolve(train, np.ones(width) / width, mode="valid")
            axes.plot(np.arange(1, n + 1), train, color=colour, alpha=0.12, linewidth=0.6)
            axes.plot(np.arange(len(smooth)) + (width + 1) / 2, smooth, color=colour, linestyle=dashes)
            axes.plot(epochs, valid, color=colour, marker=marker, markersize=9, linestyle="none", markeredgecolor="w")
            axes.annotate(
                name, (n, smooth[-1]), xytext=(8, up), textcoords="offset points", color=colour, va="center", weight="bold"
            )  # fmt: skip
    for axes in (losses, accuracies):
        log_scale(axes)
        axes.set_xlabel("step")
    losses.set_title("Loss (lines: training, points: held out)")
    accuracies.set_title("Accuracy, %")
    accuracies.invert_yaxis()
    ticks = [0.2, 0.5, 1, 2, 5, 10, 20, 50]
    accuracies.set_yticks(ticks, [f"{100 - tick:g}" for tick in ticks])
    save(figure, options.out / "mnist-curves.png")


def draw_confusion(options: Options, matrix: Array) -> None:
    """Counts, with shades for the mistakes only: next to the correct ones all mistakes would be white."""
    mistakes = matrix - np.diag(np.diag(matrix))
    most = max(mistakes.max(), 1)
    figure, axes = panels(1, width=7.6, height=7.4)
    axes.imshow(mistakes, cmap="Greys", vmin=0, vmax=most)
    for i, j in np.ndindex(matrix.shape):
        if matrix[i, j]:
            colour = BLUE if i == j else "white" if mistakes[i, j] > most / 2 else INK
            axes.text(j, i, matrix[i, j], ha="center", va="center", color=colour, weight="bold" if i != j else "normal")
    axes.set(xticks=range(10), yticks=range(10), xlabel="was read as", ylabel="is a")
    axes.set_title(f"{mistakes.sum()} of {matrix.sum()} test digits are misread")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(True)
    save(figure, options.out / "mnist-confusion.png")


def draw_mistakes(options: Options, images: Array, labels: Array, probabilities: Array) -> None:
    """The misread digits with the least probability of the right class; if there are none, the least certain digits."""
    believed = probabilities[np.arange(len(labels)), labels]
    order = np.argsort(believed, kind="stable")
    wrong = order[probabilities[order].argmax(axis=1) != labels[order]]
    chosen = wrong[:24] if len(wrong) else order[:8]
    title = f"The worst of {len(wrong)} mistakes" if len(wrong) else "None is misread; the least sure"
    columns = 8
    rows = -(-len(chosen) // columns)
    figure, places = panels(columns, rows, width=11.0, height=0.7 + 15.0 / columns * rows, squeeze=False)
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    figure.get_layout_engine().set(h_pad=0.08)
    for axes in places.flat:
        axes.set_axis_off()
    for axes, i in zip(places.flat, chosen, strict=False):
        axes.imshow(images[i, 0], cmap="gray_r", vmin=0.0, vmax=1.0)
        read = probabilities[i].argmax()
        axes.set_title(f"{labels[i]} as {read}\n{probabilities[i, read]:.0%} sure", loc="center", size=12)
        axes.set_axis_on()
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color=GREY)
    save(figure, options.out / "mnist-mistakes.png")
