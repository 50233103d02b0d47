"""A small convolutional network against torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import nn
from tests.benchmarks.harness import Row, in_turn, optional


def cnn(kernel: int = 3) -> Row:
    """Two convolutions with ReLU and pooling, two linear layers, 28x28 images, batch 128, float32: forward, backward, Adam."""
    rng = np.random.default_rng(0)
    X, y = rng.random((128, 1, 28, 28), np.float32), rng.integers(0, 10, 128)

    def step_of(library: Any, inputs: Any, targets: Any, optimizers: Any) -> Callable[[], None]:
        model = network(library, kernel)
        loss_of, optimizer = library.CrossEntropyLoss(), optimizers.Adam(model.parameters())

        def step() -> None:
            optimizer.zero_grad()
            loss_of(model(inputs), targets).backward()
            optimizer.step()

        return step

    rivals = {"chainrule": step_of(nn, X, y, nn)}
    if torch := optional("torch"):
        rivals["torch"] = step_of(torch.nn, torch.tensor(X), torch.tensor(y), torch.optim)
    times = {peer: 1e3 * t for peer, t in in_turn(rivals).items()}
    row = Row(
        f"CNN conv16-pool-conv32-pool-128-10, {kernel}x{kernel}, 28x28, batch 128, float32, forward, backward and Adam",
        "ms",
        times.pop("chainrule"),
        times,
        "≤ 1.5× torch",
    )
    if "torch" in times:
        ratio = row.ours / times["torch"]
        row.reached, row.verdict = ratio <= 1.5, f"{ratio:.2f}× the time of torch"
    return row


def network(library: Any, kernel: int) -> Any:
    """The same network of ours or of torch's layers."""
    side = ((28 - kernel + 1) // 2 - kernel + 1) // 2
    return library.Sequential(
        library.Conv2d(1, 16, kernel),
        library.ReLU(),
        library.MaxPool2d(2),
        library.Conv2d(16, 32, kernel),
        library.ReLU(),
        library.MaxPool2d(2),
        library.Flatten(),
        library.Linear(32 * side * side, 128),
        library.ReLU(),
        library.Linear(128, 10),
    )


def cnn5() -> Row:
    """The same with 5x5 windows."""
    return cnn(5)
