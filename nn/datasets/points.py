"""Small data sets to learn on."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.dependencies import optional

Array = np.ndarray[Any, Any]
Seed = np.random.Generator | int | None


def moons(n: int = 100, noise: float = 0.1, rng: Seed = None) -> tuple[Array, Array]:
    """Two half circles of radius 1 that reach into each other: points `(n, 2)`, float64, and labels 0 and 1.

    The upper one, class 0, is about (0, 0), the lower one about (1, 0.5). Points lie evenly along them, are moved by
    normal noise of standard deviation `noise`, and come in random order; of an odd number, class 1 has one more.

    >>> X, y = moons(100, noise=0.0, rng=0)
    >>> X.shape, y.sum().item()
    ((100, 2), 50)
    """
    if n < 1 or noise < 0:
        raise ValueError(f"moons needs n of at least 1 and noise from 0, got n={n!r} and noise={noise!r}")
    rng = np.random.default_rng(rng)
    upper, lower = np.linspace(0.0, np.pi, n // 2), np.linspace(0.0, np.pi, n - n // 2)
    x = np.concatenate([np.cos(upper), 1.0 - np.cos(lower)])
    y = np.concatenate([np.sin(upper), 0.5 - np.sin(lower)])
    labels = np.repeat([0, 1], [len(upper), len(lower)])
    order = rng.permutation(n)
    points = np.stack([x, y], axis=1)[order]
    return points + rng.normal(0.0, noise, points.shape), labels[order]


def digits() -> tuple[Array, Array]:
    """The 1,797 handwritten digits that come with scikit-learn: images `(1797, 64)`, rows of 8 × 8 pixels from 0 (white)
    to 1, float64, and labels 0 to 9. Without scikit-learn, an ImportError says what to install.

    Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning Repository, 1998.
    """
    data = optional("sklearn.datasets", extra="sklearn").load_digits()
    return data.data / 16.0, data.target
