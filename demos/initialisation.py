"""Random initial weights and their scale: equal weights stay equal, wrong scales vanish or explode.

Neurons that start equal get equal gradients and stay equal: a layer of them is one neuron, written many times. So
initial weights are random. Their scale matters: a layer multiplies the scale of its inputs by some factor, 24 layers by
its 24th power, so the factor should be 1. The same holds for gradients on the way back.

Where a layer has n inputs and n outputs, a standard deviation of 1/√n keeps the scale if the activation's slope is
about 1, as that of tanh near 0 (√(2 / (inputs + outputs)): Glorot and Bengio, 2010, known as Xavier). ReLU sets half
of its inputs to zero, which √(2/n) compensates (He et al., 2015, known as Kaiming). Each scale is compared with a third
of it and with three times as much.

Writes initialisation-equal.png: the paths of the weights of eight neurons, from an equal and from a random start;
initialisation-scales.png: the scales of activations and gradients, layer by layer; initialisation-training.png: the
losses of such networks, trained on digits.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

import nn
from demos.common.options import Options
from demos.common.pictures import BLUE, INK, VERMILLION, name_ends, panels, save
from demos.common.progress import progress
from demos.common.typing import Array
from nn import init

DEPTH, WIDTH = 24, 64
RATE = 0.02
ACTIVATIONS: dict[str, tuple[Any, Any, str]] = {
    "tanh": (nn.Tanh, init.xavier_normal_, "Xavier"),
    "ReLU": (nn.ReLU, init.kaiming_normal_, "Kaiming"),
}
FACTORS = {"3 ×": (3.0, VERMILLION, "dashed"), "1 ×": (1.0, INK, "solid"), "⅓ ×": (1.0 / 3.0, BLUE, "dotted")}


def run(options: Options) -> None:
    rng = np.random.default_rng(options.seed)
    equal, random = part(options, rng)

    images, labels = nn.digits()
    images = (images - images.mean()) / images.std()  # scale 1, as the rules suppose
    print(f"\n{DEPTH} layers of {WIDTH}: scale (root mean square) at the last hidden layer, of gradients at the first;")
    print("the loss, which is 2.30 for one who knows nothing, in training on digits:\n")
    print("weights          activations   gradients   loss: first   last")
    scales, losses = {}, {}
    for name, (_, _, rule) in ACTIVATIONS.items():
        for factor in FACTORS:
            model = deep(name, factor, rng)
            forward, backward = scales[name, factor] = measure(model, images[:64], labels[:64])
            losses[name, factor] = train(model, images, labels, 12 if options.quick else 400, rng)
            last = ended(losses[name, factor])
            end = f"{last:7.3f}" if np.isfinite(last) else f"overflow at step {len(losses[name, factor]) - 1}"
            print(
                f"{f'{factor} {rule}, {name}':<18} {forward[-1]:9.1e} {backward[0]:11.1e} "
                f"{losses[name, factor][0]:13.3g} {end}"
            )

    learned = sum(ended(of) < 2.2 for (_, factor), of in losses.items() if factor != "1 ×")
    kept = [ended(losses[name, "1 ×"]) for name in ACTIVATIONS]
    print(
        f"\nFinding: neurons that began equal differ by {gap(equal[-1]):g} after training; {DEPTH} layers with "
        f"Xavier's and Kaiming's weights come to losses of {kept[0]:.2f} and {kept[1]:.2f}; of four networks "
        f"with a third of them or three times as much, {learned or 'none'} learned anything."
    )
    draw_equal(options, equal, random)
    draw_scales(options, scales)
    draw_training(options, losses)


def part(options: Options, rng: np.random.Generator) -> tuple[Array, Array]:
    """The weights of eight neurons with two inputs before, in and after training, `(steps + 1, 8, 2)`: once from equal
    weights, once from random ones."""
    points, labels = nn.moons(200, noise=0.1, rng=rng)
    paths = []
    for start in ("equal", "random"):
        model = nn.Sequential(
            nn.Linear(2, 8, rng=rng, dtype=np.float64), nn.Tanh(), nn.Linear(8, 2, rng=rng, dtype=np.float64)
        )
        if start == "equal":
            for parameter in model.parameters():
                init.constant_(parameter, 0.3)
        loss_of, optimizer = nn.CrossEntropyLoss(), nn.Adam(model.parameters(), lr=0.03)
        path = [model[0].weight.data.copy()]
        for _ in range(30 if options.quick else 400):
            loss = loss_of(model(points), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            path.append(model[0].weight.data.copy())
        logits = model(points).data
        print(
            f"{start:>6} start: 8 neurons, whose weights differ by up to {gap(path[-1]):.3g} after training; "
            f"loss {loss.item():.3f}, {nn.accuracy(logits, labels):.1%} right"
        )
        paths.append(np.array(path))
    return paths[0], paths[1]


def gap(weights: Array) -> float:
    """The largest distance between weights of two neurons."""
    return float(np.ptp(weights, axis=0).max())


def deep(name: str, factor: str, rng: np.random.Generator) -> nn.Sequential:
    """A deep network whose weights begin with `factor` times the scale that suits the activation."""
    activation, rule, _ = ACTIVATIONS[name]
    layers: list[Any] = []
    for inputs, outputs in pairwise([64, *[WIDTH] * (DEPTH - 1), 10]):
        layer = nn.Linear(inputs, outputs)
        rule(layer.weight, rng=rng)
        layer.weight.data *= np.float32(FACTORS[factor][0])
        init.zeros_(layer.bias)
        layers += [layer, activation()]
    return nn.Sequential(*layers[:-1])  # logits come as they are


def measure(model: nn.Sequential, images: Array, labels: Array) -> tuple[Array, Array]:
    """The root mean squares of the activations of each hidden layer, and of the loss's gradients there."""
    hidden, x = [], images
    for layer in model:
        x = layer(x)
        if not isinstance(layer, nn.Linear):
            hidden.append(x)
    nn.CrossEntropyLoss(reduction="sum")(x, labels).backward()
    return np.array([rms(h.data) for h in hidden]), np.array([rms(h.grad) for h in hidden])


def rms(array: Array) -> float:
    """In float64: squares of what has vanished are below the smallest float32."""
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))


def train(model: nn.Sequential, images: Array, labels: Array, steps: int, rng: np.random.Generator) -> list[float]:
    """The loss at every step, up to the first nan."""
    loss_of, optimizer = nn.CrossEntropyLoss(), nn.SGD(model.parameters(), lr=RATE)
    losses: list[float] = []
    with np.errstate(over="ignore", invalid="ignore"):  # that numbers overflow is one of the findings
        for _ in progress(range(steps), "training"):
            rows = rng.integers(len(images), size=64)
            loss = loss_of(model(images[rows]), labels[rows])
            losses.append(loss.item())
            if not np.isfinite(losses[-1]):
                break
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return losses


def ended(losses: list[float]) -> float:
    """The mean of the last 10 losses, or nan."""
    return float(np.mean(losses[-10:])) if np.isfinite(losses[-1]) else np.nan


def draw_equal(options: Options, equal: Array, random: Array) -> None:
    figure, places = panels(2, height=4.8)
    titles = ("Equal start: eight neurons, one path", "Random start: each goes its own way")
    for axes, path, title in zip(places, (equal, random), titles, strict=True):
        for neuron in range(path.shape[1]):
            axes.plot(*path[:, neuron].T, color=BLUE, linewidth=1.4)
        axes.plot(*path[0].T, "s", color=INK, markersize=6)
        axes.plot(*path[-1].T, "o", color=VERMILLION, markersize=10, markeredgecolor="white", zorder=3)
        axes.set(title=title, xlabel="a neuron's first weight")
    places[0].set_ylabel("its second weight")
    places[1].set_xlabel("a neuron's first weight (■ at the start, ● at the end)")
    places[0].margins(0.3, 0.1)
    for point, text, colour in ((equal[0, 0], "start", INK), (equal[-1, 0], "end", VERMILLION)):
        places[0].annotate(
            text,
            point,
            xytext=(-12, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            weight="bold",
            color=colour,
        )
    save(figure, options.out / "initialisation-equal.png")


def draw_scales(options: Options, scales: dict[tuple[str, str], tuple[Array, Array]]) -> None:
    """Panels are read from left to right: activations go from the first layer to the last, gradients the other way."""
    figure, rows = panels(2, 2, height=7.6, sharex="col")
    for (name, (_, _, rule)), row in zip(ACTIVATIONS.items(), rows, strict=True):
        for axes, what, i in zip(row, ("activations", "gradients"), (0, 1), strict=True):
            ends = {}
            for factor, (_, colour, dashes) in FACTORS.items():
                values = scales[name, factor][i]
                layers = np.arange(1, len(values) + 1)
                axes.plot(layers, values, color=colour, linestyle=dashes)
                ends[f"{factor} {rule}"] = (values[-1] if what == "activations" else values[0], colour)
            axes.set_yscale("log")
            axes.set_title(f"{name}: scale of {what}")
            axes.set_xticks([1, *range(5, DEPTH, 5), DEPTH - 1])
            name_lines(axes, layers[-1] if what == "activations" else 1, ends)
    for axes in rows[:, 1]:
        axes.set_xlim(DEPTH, 0)
    rows[-1, 0].set_xlabel("hidden layer, on the way forward")
    rows[-1, 1].set_xlabel("hidden layer, on the way back")
    save(figure, options.out / "initialisation-scales.png")


def draw_training(options: Options, losses: dict[tuple[str, str], list[float]]) -> None:
    """Means of ten steps, for each batch has a loss of its own."""
    figure, places = panels(2, sharey=True)
    for axes, (name, (_, _, rule)) in zip(places, ACTIVATIONS.items(), strict=True):
        axes.set(title=f"{name}: loss in training, mean of 10 steps", xlabel="step", ylim=(0.0, 5.0))
        steps = max(len(losses[name, factor]) for factor in FACTORS)
        ends, overflows = {}, []
        for factor, (_, colour, dashes) in FACTORS.items():
            values = np.array(losses[name, factor])
            if np.isfinite(values[-1]):
                means = np.convolve(values, np.full(10, 0.1), "valid")
                axes.plot(np.arange(9, steps), means, color=colour, linestyle=dashes)
                ends[f"{factor} {rule}"] = (means[-1], colour)
            else:
                overflows.append((f"{factor} {rule}: overflow at step {len(values) - 1}", colour))
        for i, (text, colour) in enumerate(overflows):
            axes.text(0.5, 0.9 - 0.08 * i, text, transform=axes.transAxes, color=colour, weight="bold", ha="center")
        name_lines(axes, steps - 1, ends)
    save(figure, options.out / "initialisation-training.png")


def name_lines(axes: Any, x: float, ends: dict[str, tuple[float, str]]) -> None:
    """Like `name_ends`, but only names that would overlap are moved: the others are exactly at the ends of their lines."""
    axes.get_ylim()  # settles the scale
    groups: list[dict[str, tuple[float, str]]] = []
    below = -np.inf
    for name, end in sorted(ends.items(), key=lambda item: item[1][0]):
        height = axes.transAxes.inverted().transform(axes.transData.transform((x, end[0])))[1]
        if height - below > 0.08:
            groups.append({})
        groups[-1][name] = end
        below = height
    for group in groups:
        name_ends(axes, x, group)
