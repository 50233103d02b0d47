"""`Value` and `nn.scalar` against micrograd."""

from __future__ import annotations

import gc
import random
import time
import tracemalloc
from statistics import median
from typing import Any

import numpy as np

import autograd as ag
from nn import scalar
from tests.benchmarks.harness import Row, in_turn, optional

LENGTH = 20_000


def chain() -> Row:
    """x = x*y + 0.5, recorded and differentiated, the collector on."""

    def run(kind: Any) -> Any:
        def step() -> None:
            x, y = kind(1.0), kind(0.5)
            z = x
            for _ in range(LENGTH):
                z = z * y + 0.5
            z.backward()

        return step

    rivals = {"chainrule": run(ag.Value)}
    if micrograd := optional("micrograd.engine"):
        rivals["micrograd"] = run(micrograd.Value)
    per_operation = {name: t / (2 * LENGTH) * 1e9 for name, t in in_turn(rivals).items()}
    row = Row(
        "scalar chain of 40,000 operations, recorded and differentiated",
        "ns an operation",
        per_operation.pop("chainrule"),
    )
    row.peers, row.target = per_operation, "≥ 12× micrograd"
    return _against(row, "micrograd", 12)


def moons() -> Row:
    """One full-batch step on 100 points of the moons: hinge loss and L2, forward, backward, descent."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, np.pi, 100)
    side = np.repeat([0, 1], 50)
    X = np.stack([np.cos(angle) * (1 - 2 * side) + side, np.sin(angle) * (1 - 2 * side) + 0.5 * side], 1)
    points, labels = X.tolist(), (2 * side - 1).tolist()

    def run(mlp: Any, total: Any) -> Any:
        random.seed(1337)
        model = mlp(2, [16, 16, 1])

        def step() -> None:
            scores = [model(point) for point in points]
            losses = [(1 + -label * score).relu() for label, score in zip(labels, scores, strict=True)]
            parameters = model.parameters()
            loss = total(losses) * (1.0 / len(losses)) + 1e-4 * total([p * p for p in parameters])
            model.zero_grad()
            loss.backward()
            for p in parameters:
                p.data -= 0.1 * p.grad

        return step

    rivals = {"chainrule": run(scalar.MLP, ag.sum)}
    if micrograd := optional("micrograd.nn"):
        rivals["micrograd"] = run(micrograd.MLP, sum)
    times = {name: t * 1e3 for name, t in in_turn(rivals, rounds=5).items()}
    row = Row("moons, 100 points, MLP 2-16-16-1 of scalars, one full-batch step", "ms", times.pop("chainrule"))
    row.peers, row.target = times, "≥ 60× micrograd"
    return _against(row, "micrograd", 60)


def memory() -> Row:
    """What one recorded operation keeps."""
    x, y = ag.Value(1.0), ag.Value(0.5)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    z = x
    for _ in range(10_000):
        z = z * y
    bytes_each = (tracemalloc.get_traced_memory()[0] - before) / 10_000
    tracemalloc.stop()
    row = Row("memory of a recorded scalar operation", "bytes", bytes_each, target="≤ 250 bytes")
    row.reached, row.verdict = bytes_each <= 250, "—"
    return row


def gradient_ratio() -> Row:
    """The gradient of a function of 10,000 scalar operations, by the time of recording them."""
    ratios, gradients = [], []
    for _ in range(15):
        gc.collect()
        x, y = ag.Value(1.0), ag.Value(0.5)
        start = time.perf_counter()
        z = x
        for _ in range(2_500):
            z = ag.sin(z * y + 0.5) - y
        recorded = time.perf_counter()
        z.backward()
        gradients.append(time.perf_counter() - recorded)
        ratios.append(gradients[-1] / (recorded - start))
    row = Row("gradient of a function of 10,000 scalar operations", "ms", median(gradients) * 1e3)
    row.target, row.reached = "≤ 1.5× its recording", median(ratios) <= 1.5
    row.verdict = f"{median(ratios):.2f}× its recording"
    return row


def _against(row: Row, peer: str, factor: float) -> Row:
    if peer in row.peers:
        ratio = row.peers[peer] / row.ours
        row.reached, row.verdict = ratio >= factor, f"{ratio:.1f}× faster than {peer}"
    return row
