"""A classifier of the digits 3 and 7, built in the seven steps of all training.

1. initialise: a weight for every pixel, at first 0, so that no pixel says anything;
2. predict: the pixels times their weights, summed up, are a score: above 0 it is taken for a 7, below 0 for a 3;
3. loss: one number that says how wrong the scores are, and that changes a little whenever a weight does;
4. gradient: how the loss changes with each weight, found by going back through the computation;
5. step: change each weight a little, against its gradient;
6. repeat: from step 2, with the next few images;
7. stop: when images that were kept out of training are no longer read better.

Accuracy cannot replace the loss: most small changes of a weight do not change it at all, so that its gradient would be 0.
It is for the reader; the loss is for the optimizer.

The images are the 3s and 7s of MNIST (28 × 28 pixels); with --quick those of the small digits of scikit-learn (8 × 8).

Writes three_or_seven.png: the loss by epoch, the weights as an image, and the most confident mistakes.
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import autograd as ag
import nn
from demos.common.options import Options
from demos.common.pictures import BLUE, GREY, INK, TWO_SIDED, VERMILLION, log_scale, name_ends, save
from demos.common.progress import progress
from demos.common.typing import Array

Pair = tuple[Array, Array]

RATE = 0.1
PATIENCE = 5  # epochs without a better validation loss, before it is called enough


def run(options: Options) -> None:
    rng = np.random.default_rng(options.seed)
    train, valid, test = threes_and_sevens(options.quick, rng)
    print(f"{len(train[1])} images to learn from, {len(valid[1])} to stop by, {len(test[1])} to be tested on")

    # 1. Initialise. In a single layer all weights may start at 0: each has its own pixel, and so its own gradient.
    weights = ag.Tensor(np.zeros(train[0].shape[1]))
    bias = ag.Tensor(0.0)

    # 2. Predict.
    def predict(images: Array) -> Any:
        return images @ weights + bias

    # 3. Loss. The sigmoid of the score is taken as the probability of a 7; the loss is minus the logarithm of the
    # probability given to what is right, which comes to log(1 + exp(score)), less the score where it is a 7.
    def loss_of(scores: Any, sevens: Array) -> Any:
        return ag.mean(ag.softplus(scores) - sevens * scores)

    def measure(images: Array, sevens: Array) -> tuple[float, float]:
        with ag.no_grad():
            scores = predict(images)
            return loss_of(scores, sevens).item(), float(np.mean((scores.data > 0) != sevens))

    print("\nepoch   loss: train    valid   mistakes: train    valid   (* the best so far)")
    history = [(*measure(*train), *measure(*valid))]
    best, kept = 0, (weights.data, bias.data)
    bar = progress(range(1, 5 if options.quick else 101), "three_or_seven")
    for epoch in bar:
        # 6. Repeat: for all images, a few at a time, in a new order every time.
        for images, sevens in nn.batches(*train, size=64, rng=rng):
            loss = loss_of(predict(images), sevens)

            # 4. Gradient.
            weights.zero_grad()
            bias.zero_grad()
            loss.backward()

            # 5. Step.
            weights.data = weights.data - RATE * weights.grad
            bias.data = bias.data - RATE * bias.grad

        history.append((*measure(*train), *measure(*valid)))
        if history[epoch][2] < history[best][2]:
            best, kept = epoch, (weights.data, bias.data)
        if epoch <= 5 or epoch % 5 == 0 or best == epoch - PATIENCE:
            row = history[epoch]
            mark = "   *" if best == epoch else ""
            bar.write(f"{epoch:5} {row[0]:13.4f} {row[2]:8.4f} {row[1]:17.2%} {row[3]:8.2%}{mark}")

        # 7. Stop.
        if best == epoch - PATIENCE:
            break

    weights.data, bias.data = kept
    with ag.no_grad():
        scores = predict(test[0]).data
    right = float(np.mean((scores > 0) == test[1]))
    print(f"\nThe weights of epoch {best} are kept.")
    print(f"Finding: {right:.2%} of the {len(scores)} test images are told apart by one weighted sum of their pixels.")
    draw(options, np.array(history), best, weights.data, test, scores)


def threes_and_sevens(quick: bool, rng: np.random.Generator) -> tuple[Pair, Pair, Pair]:
    """Images as rows of pixels from 0 (white) to 1, and whether each is a 7: to learn from, to stop by, to test on."""
    if quick:
        parts: Any = nn.train_valid_test_split(*nn.digits(), valid=0.2, test=0.2, rng=rng)
    else:
        try:
            images = nn.mnist()
        except OSError as error:  # it lists the ways to get them
            raise SystemExit(f"python -m demos: {error}") from None
        train, valid, _ = nn.train_valid_test_split(*images.train, valid=1 / 6, test=0, rng=rng)
        parts = train, valid, images.test
    chosen = [((labels == 3) | (labels == 7), images, labels) for images, labels in parts]
    train, valid, test = ((images[rows].reshape(rows.sum(), -1), labels[rows] == 7) for rows, images, labels in chosen)
    return train, valid, test


def draw(options: Options, history: Array, best: int, weights: Array, test: Pair, scores: Array) -> None:
    side = round(len(weights) ** 0.5)
    figure: Any = plt.figure(figsize=(11.0, 7.2))
    upper, lower = figure.subfigures(2, 1, height_ratios=[4.5, 2.7])
    curves, picture = upper.subplots(1, 2, width_ratios=[6, 4])

    epochs = np.arange(len(history))
    curves.axvline(best, color=GREY, linewidth=1.2)
    curves.plot(epochs, history[:, 0], color=BLUE, linestyle="dashed")
    curves.plot(epochs, history[:, 2], color=VERMILLION)
    log_scale(curves)
    curves.xaxis.get_major_locator().set_params(integer=True)
    curves.set(title="Loss", xlabel="epoch")
    name_ends(curves, epochs[-1], {"train": (history[-1, 0], BLUE), "validation": (history[-1, 2], VERMILLION)})
    curves.annotate(
        f"kept: epoch {best}", (best, 0.97), xycoords=("data", "axes fraction"), xytext=(-6, 0),
        textcoords="offset points", ha="right", va="top", color=GREY,
    )  # fmt: skip

    limit = np.abs(weights).max()
    shown = picture.imshow(weights.reshape(side, side), cmap=TWO_SIDED, vmin=-limit, vmax=limit)
    picture.set(title="Weights: what ink speaks for", xticks=[], yticks=[], anchor="NW")
    picture.spines[:].set(visible=True, linewidth=0.6)
    bar = upper.colorbar(shown, ax=picture, ticks=[-limit, 0.0, limit], shrink=0.85)
    for text, colour in zip(bar.ax.set_yticklabels(["a 3", "neither", "a 7"]), (BLUE, INK, VERMILLION), strict=True):
        text.set(color=colour, weight="bold" if colour != INK else "normal")

    wrong = np.flatnonzero((scores > 0) != test[1])
    order = wrong[np.argsort(-np.abs(scores[wrong]), kind="stable")]
    title = f"Taken for the other digit: {len(wrong)} of {len(scores)} test images; first those with the surest scores"
    if not len(wrong):
        order = np.argsort(np.abs(scores), kind="stable")
        title = f"None of {len(scores)} test images is taken for the other digit; these have the least sure scores"
    lower.suptitle(title, x=0.01, ha="left", size=14)
    places = lower.subplots(1, 7)
    for axes in places:
        axes.set_axis_off()
    for axes, i in zip(places, order, strict=False):
        axes.imshow(test[0][i].reshape(side, side), cmap="gray_r", vmin=0.0, vmax=1.0)
        axes.set_title(f"a {7 if test[1][i] else 3}\nscore {scores[i]:+.1f}".replace("-", "−"), loc="center")
    save(figure, options.out / "three_or_seven.png")
