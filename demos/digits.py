"""A network learns to read 1,797 scanned digits, and is tested on ones that it has never seen.

The images, 8 × 8 pixels, are split into three sets, each with every digit in the same proportion. Most are training
images. The validation images choose the weights: those with the smallest loss on them are kept. The test images are used
only once, at the end, as only images that had no influence tell how well unknown digits are read.

A network of this size could memorize 1,257 images. So it never sees the same one twice: new noise is added each time.
(Set NOISE to 0: all training images are soon memorized, and on average more than twice as many test digits are misread.)

Writes digits-curves.png: loss and accuracy by epoch; digits-mistakes.png: the misread test digits, and what they were
taken for; digits-graph.svg and .png: the last layer and the loss as a graph, with the gradients of one batch.
"""

from __future__ import annotations

import numpy as np

import autograd as ag
import nn
from demos.common.graphs import draw_graph
from demos.common.options import Options
from demos.common.pictures import BLUE, GREY, VERMILLION, log_scale, name_ends, panels, save
from demos.common.progress import progress
from demos.common.typing import Array

NOISE = 0.25  # standard deviation, where white is 0 and black 1
RATE = 0.003  # of Adam at first; it falls to 0 in a straight line


def run(options: Options) -> None:
    epochs = 4 if options.quick else 60
    rng = np.random.default_rng(options.seed)
    train, valid, test = nn.train_valid_test_split(*nn.digits(), valid=0.15, test=0.15, rng=rng)
    model = nn.Sequential(
        nn.Linear(64, 256, rng=rng),
        nn.ReLU(),
        nn.Linear(256, 128, rng=rng),
        nn.ReLU(),
        nn.Linear(128, 10, rng=rng),
    )
    loss_of = nn.CrossEntropyLoss()
    optimizer = nn.Adam(model.parameters(), lr=RATE)
    batches = nn.batches(*train, size=32, rng=rng)

    def measure(images: Array, labels: Array) -> tuple[float, float]:
        """The current loss and accuracy."""
        with ag.no_grad():
            logits = model(images)
            return loss_of(logits, labels).item(), nn.accuracy(logits, labels)

    print(f"{len(train[1])} digits to learn from, {len(valid[1])} to choose by, {len(test[1])} to be tested on\n")
    print("epoch   loss: train    valid   accuracy: train    valid   (* the best so far)")
    history, best, kept = [], 0, model.state_dict()
    bar = progress(range(epochs + 1), "digits")
    for epoch in bar:
        if epoch > 0:  # epoch 0 only measures the starting point
            optimizer.lr = RATE * (1 - (epoch - 1) / epochs)
            for images, labels in batches:
                noisy = images + rng.normal(0.0, NOISE, images.shape)
                loss = loss_of(model(noisy), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

        history.append((*measure(*train), *measure(*valid)))
        if history[epoch][2] <= history[best][2]:
            best, kept = epoch, model.state_dict()
        train_loss, train_right, valid_loss, valid_right = history[epoch]
        if epoch <= 5 or epoch % 10 == 0:  # most happens at first
            bar.write(
                f"{epoch:5} {train_loss:13.4f} {valid_loss:8.4f} {train_right:17.2%} {valid_right:8.2%}"
                f"{'   *' if best == epoch else ''}"
            )

    model.load_state_dict(kept)
    with ag.no_grad():
        probabilities = ag.softmax(model(test[0])).data
    right = nn.accuracy(probabilities, test[1])
    mistakes = np.flatnonzero(probabilities.argmax(axis=1) != test[1])
    print(
        f"\nFinding: with the weights of epoch {best}, {right:.2%} of the test digits are read correctly "
        f"(misread: {len(mistakes)} of {len(test[1])})."
    )
    draw_curves(options, np.array(history), best)
    draw_mistakes(options, *test, probabilities, mistakes)
    draw_loss(options, model, *train)


def draw_curves(options: Options, history: Array, best: int) -> None:
    """The curves from epoch 1 on: beside the values at the start, all later ones would look alike."""
    figure, (losses, accuracies) = panels(2)
    epochs = np.arange(1, len(history))
    for axes, train, valid in (
        (losses, history[:, 0], history[:, 2]),
        (accuracies, 100 * history[:, 1], 100 * history[:, 3]),
    ):
        axes.axvline(best, color=GREY, linewidth=1.2)
        axes.plot(epochs, train[1:], color=BLUE, linestyle="dashed")
        axes.plot(epochs, valid[1:], color=VERMILLION)
        axes.plot(best, valid[best], color=VERMILLION, marker="o", markersize=9)
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        name_ends(axes, epochs[-1], {"train": (train[-1], BLUE), "validation": (valid[-1], VERMILLION)})
    losses.set_title("Loss")
    log_scale(losses)
    accuracies.set_title("Accuracy, %")
    # Curves fall in the one and rise in the other panel, which leaves this corner free.
    for axes, height, side in ((losses, 0.97, "top"), (accuracies, 0.03, "bottom")):
        ha, shift = ("right", -6) if best > len(history) / 2 else ("left", 6)
        axes.annotate(
            f"kept: epoch {best}", (best, height), xycoords=("data", "axes fraction"), xytext=(shift, 0),
            textcoords="offset points", ha=ha, va=side, color=GREY,
        )  # fmt: skip
    save(figure, options.out / "digits-curves.png")


def draw_mistakes(options: Options, images: Array, labels: Array, probabilities: Array, mistakes: Array) -> None:
    """The misread digits, the network's most confident mistakes first; if there are none, the least certain digits."""
    sure = probabilities.max(axis=1)
    if len(mistakes):
        title = f"Misread: {len(mistakes)} of {len(labels)} test digits, the surest first"
        chosen = mistakes[np.argsort(-sure[mistakes], kind="stable")]
    else:
        title = f"None of {len(labels)} test digits is misread; the least sure first"
        chosen = np.argsort(sure, kind="stable")[:6]
    chosen = chosen[:24]  # a page full
    columns = min(6, max(4, len(chosen)))
    rows = -(-len(chosen) // columns)
    figure, places = panels(columns, rows, width=1.9 * columns, height=0.55 + 2.35 * rows, squeeze=False)
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    figure.get_layout_engine().set(h_pad=0.1)
    for axes in places.flat[len(chosen) :]:
        axes.set_axis_off()
    for axes, i in zip(places.flat, chosen, strict=False):
        axes.imshow(images[i].reshape(8, 8), cmap="gray_r", vmin=0.0, vmax=1.0)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(True)
        axes.set_title(f"{labels[i]} read as {probabilities[i].argmax()}\n{sure[i]:.0%} sure", loc="center")
    save(figure, options.out / "digits-mistakes.png")


def draw_loss(options: Options, model: nn.Sequential, images: Array, labels: Array) -> None:
    """The graph of the last layer and the loss of four images: one box for an operation on any number of elements."""
    *_, last = model
    hidden = model[:-1](images[:4]).detach()
    hidden.label, last.weight.label, last.bias.label = "hidden", "weight", "bias"
    model.zero_grad()
    loss = nn.CrossEntropyLoss()(last(hidden), labels[:4])
    loss.label = "loss"
    loss.backward()
    draw_graph(loss, options.out / "digits-graph.svg", options.out / "digits-graph.png")
