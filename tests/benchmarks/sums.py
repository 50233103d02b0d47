"""Sums and means of float16, float32 and float64 along each axis, small and large."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from tests.benchmarks.harness import Row, in_turn

# (dtype, shape, axis): what a layer's bias, a batch's statistics and a data set's means sum over.
CASES: list[tuple[Any, tuple[int, ...], Any]] = [
    (np.float32, (128, 10), 0),
    (np.float32, (128, 256), 0),
    (np.float32, (128, 256), 1),
    (np.float32, (128, 16, 24, 24), (0, 2, 3)),
    (np.float32, (100_000, 3), 0),
    (np.float32, (100_000, 64), 0),
    (np.float32, (1_000, 1_000), None),
    (np.float64, (128, 256), 0),
    (np.float64, (100_000, 3), 0),
    (np.float16, (1_000, 100), 0),
]


def sums() -> Row:
    """The sum and the mean of each."""
    rng = np.random.default_rng(0)
    given = [(ag.Tensor(rng.random(shape).astype(dtype)), axis) for dtype, shape, axis in CASES]

    def ours() -> None:
        with ag.no_grad():
            for x, axis in given:
                ag.sum(x, axis)
                ag.mean(x, axis)

    def numpy() -> None:
        for x, axis in given:
            np.add.reduce(x.data, axis)
            np.add.reduce(x.data, axis) / 2

    times = {name: 1e3 * t for name, t in in_turn({"chainrule": ours, "NumPy": numpy}).items()}
    row = Row("sums and means of ten arrays, float16 to float64, small and large", "ms", times.pop("chainrule"), times)
    row.target, row.verdict = "", f"{row.ours / row.peers['NumPy']:.2f}× NumPy's, which lose digits"
    return row
