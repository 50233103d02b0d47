"""`nn.fit` against the loop it saves, and an epoch of MNIST, all included, against the same in torch."""

from __future__ import annotations

import itertools
import sys
import time
from typing import Any

import numpy as np

import nn
from nn.datasets.sources import cache_folder, from_cache
from tests.benchmarks.harness import Row, in_turn, optional

SIZES = [784, 256, 128, 10]
BATCH = 128


def fit_overhead() -> Row:
    """One epoch of the digits in batches of 32, MLP 64-64-10, Adam: by `nn.fit`, and by a bare loop that keeps its losses."""
    rng = np.random.default_rng(0)
    X, y = rng.random((1792, 64), np.float32), rng.integers(0, 10, 1792)

    def parts() -> tuple[Any, Any, Any]:
        model = nn.Sequential(nn.Linear(64, 64, rng=0), nn.ReLU(), nn.Linear(64, 10, rng=0))
        return model, nn.CrossEntropyLoss(), nn.Adam(model.parameters())

    model, loss_of, optimizer = parts()
    loader = nn.batches(X, y, 32, rng=0)
    losses: list[float] = []

    def bare() -> None:
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = loss_of(model(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())

    other, other_loss, other_optimizer = parts()
    other_loader = nn.batches(X, y, 32, rng=0)

    def fitted() -> None:
        nn.fit(other, other_loader, loss=other_loss, optimizer=other_optimizer, epochs=1)

    times = {name: t * 1e3 for name, t in in_turn({"chainrule": fitted, "bare loop": bare}, rounds=41).items()}
    row = Row("nn.fit, an epoch of 56 batches of 32, MLP 64-64-10", "ms", times.pop("chainrule"), times)
    overhead = row.ours / row.peers["bare loop"] - 1.0
    row.target, row.verdict, row.reached = "≤ 5 % over a bare loop", f"{overhead:+.1%}", overhead <= 0.05
    return row


def mnist() -> Row:
    """One epoch of MNIST's 60,000 images in batches of 128, MLP 784-256-128-10, Adam: shuffling, batches, and losses too."""
    row = Row("MNIST, one epoch of 60,000, MLP 784-256-128-10, batch 128, by nn.fit", "s", float("nan"))
    row.target = "≥ 1× torch"
    if from_cache(cache_folder() / "mnist") is None:
        print('MNIST is not cached and left out: python -c "import nn; nn.mnist()"', file=sys.stderr)
        row.verdict = "not cached"
        return row
    (X, y), (X_test, y_test) = ((images.reshape(len(images), -1), labels) for images, labels in nn.mnist())
    right: dict[str, float] = {}

    def ours() -> float:
        layers: list[Any] = []
        for n, m in itertools.pairwise(SIZES):
            layers += [nn.Linear(n, m, rng=len(layers)), nn.ReLU()]
        model = nn.Sequential(*layers[:-1])
        optimizer = nn.Adam(model.parameters())
        start = time.perf_counter()
        nn.fit(model, (X, y), loss=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=1, batch_size=BATCH, rng=0)
        seconds = time.perf_counter() - start
        right["chainrule"] = nn.accuracy(nn.predict(model, X_test), y_test)
        return seconds

    def torch_epoch(torch: Any) -> float:
        layers: list[Any] = []
        for n, m in itertools.pairwise(SIZES):
            layers += [torch.nn.Linear(n, m), torch.nn.ReLU()]
        model = torch.nn.Sequential(*layers[:-1])
        loss_of, optimizer = torch.nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters())
        inputs, targets = torch.from_numpy(X), torch.from_numpy(y)
        losses = []
        start = time.perf_counter()
        order = torch.randperm(len(inputs))
        for rows in order.split(BATCH):
            optimizer.zero_grad()
            loss = loss_of(model(inputs[rows]), targets[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        seconds = time.perf_counter() - start
        with torch.no_grad():
            right["torch"] = nn.accuracy(model(torch.from_numpy(X_test)).numpy(), y_test)
        return seconds

    torch = optional("torch")
    times: dict[str, list[float]] = {"chainrule": [], "torch": []}
    for _ in range(3):  # in turn; the first is for warming up
        times["chainrule"].append(ours())
        if torch:
            times["torch"].append(torch_epoch(torch))
    row.ours = float(np.median(times["chainrule"][1:]))
    row.verdict = f"{right['chainrule']:.1%} of the test images right"
    if torch:
        row.peers["torch"] = float(np.median(times["torch"][1:]))
        faster = row.peers["torch"] / row.ours
        row.reached = faster >= 1.0
        row.verdict = f"{faster:.1f}× faster than torch, {right['chainrule']:.1%} right (torch {right['torch']:.1%})"
    return row
