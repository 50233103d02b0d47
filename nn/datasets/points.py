"""Toy data sets: points in the plane, and on a line, drawn on the spot."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.typing import Array, Seed
from nn.validation import generator, integer, number, real_array, shown


def moons(n: int = 100, noise: float = 0.1, rng: Seed = None) -> tuple[Array, Array]:
    """Two half circles of radius 1 that reach into each other: points `(n, 2)`, float64, and labels 0 and 1.

    The upper one, class 0, is about (0, 0), the lower one about (1, 0.5). Points lie evenly along them, are moved by
    normal noise of standard deviation `noise`, and come in random order; of an odd number, class 1 has one more.

    >>> X, y = moons(100, noise=0.0, rng=0)
    >>> X.shape, y.sum().item()
    ((100, 2), 50)
    """
    rng = _checked("moons", n, noise, rng)
    upper, lower = np.linspace(0.0, np.pi, n // 2), np.linspace(0.0, np.pi, n - n // 2)
    x = np.concatenate([np.cos(upper), 1.0 - np.cos(lower)])
    y = np.concatenate([np.sin(upper), 0.5 - np.sin(lower)])
    return _mixed(x, y, np.repeat([0, 1], [len(upper), len(lower)]), noise, rng)


def circles(n: int = 100, noise: float = 0.1, inner: float = 0.5, rng: Seed = None) -> tuple[Array, Array]:
    """A circle of radius 1, class 0, and one of radius `inner` within it, class 1: points `(n, 2)`, and labels.

    >>> X, y = circles(100, noise=0.0, rng=0)
    >>> np.hypot(*X[y == 1].T).round(6).max().item()
    0.5
    """
    rng = _checked("circles", n, noise, rng)
    inner = number("circles", "inner", inner, least=0)
    labels = np.repeat([0, 1], [n // 2, n - n // 2])
    angle = np.concatenate([np.linspace(0.0, 2 * np.pi, m, endpoint=False) for m in (n // 2, n - n // 2)])
    radius = np.where(labels == 0, 1.0, inner)
    return _mixed(radius * np.cos(angle), radius * np.sin(angle), labels, noise, rng)


def spirals(
    n: int = 100, noise: float = 0.02, classes: int = 2, turns: float = 1.0, rng: Seed = None
) -> tuple[Array, Array]:
    """Arms that wind out of one centre to radius 1, one for each class: points `(n, 2)`, and labels from 0.

    >>> X, y = spirals(90, classes=3, rng=0)
    >>> X.shape, np.bincount(y).tolist()
    ((90, 2), [30, 30, 30])
    """
    rng = _checked("spirals", n, noise, rng)
    classes, turns = integer("spirals", "classes", classes, least=1), number("spirals", "turns", turns)
    labels = np.arange(n) % classes
    along = np.sqrt((np.arange(n) // classes + 1) / -(-n // classes))  # the root, so that they lie evenly
    angle = 2 * np.pi * (turns * along + labels / classes)
    return _mixed(along * np.cos(angle), along * np.sin(angle), labels, noise, rng)


def blobs(
    n: int = 100, centers: Any = ((-1.0, -1.0), (1.0, 1.0)), noise: float = 0.5, rng: Seed = None
) -> tuple[Array, Array]:
    """Clouds of normally distributed points about `centers` `(classes, d)`: points `(n, d)`, and labels from 0.

    >>> X, y = blobs(9, centers=np.eye(3), noise=0.0, rng=0)
    >>> X.shape, np.array_equal(X, np.eye(3)[y])
    ((9, 3), True)
    """
    rng = _checked("blobs", n, noise, rng)
    centers = real_array("blobs", "centers", centers, np.float64)
    if centers.ndim != 2 or not centers.size or not np.isfinite(centers).all():
        raise ValueError(f"blobs needs finite centers of shape (classes, d), got {shown(centers)}")
    labels = rng.permutation(np.arange(n) % len(centers))
    return centers[labels] + rng.normal(0.0, noise, (n, centers.shape[1])), labels


def xor(n: int = 100, noise: float = 0.1, rng: Seed = None) -> tuple[Array, Array]:
    """Points `(n, 2)` uniform in the square from -1 to 1, and labels: 1 where their signs differ, before the noise.

    >>> X, y = xor(50, noise=0.0, rng=0)
    >>> np.array_equal(y, (X[:, 0] * X[:, 1] < 0).astype(int))
    True
    """
    rng = _checked("xor", n, noise, rng)
    points = rng.uniform(-1.0, 1.0, (n, 2))
    labels = (points[:, 0] * points[:, 1] < 0).astype(int)
    return points + rng.normal(0.0, noise, points.shape), labels


def line(
    n: int = 100, slope: float = 2.0, intercept: float = 1.0, noise: float = 0.1, rng: Seed = None
) -> tuple[Array, Array]:
    """Points on a straight line, for regression: x `(n, 1)`, uniform from -1 to 1, and y `(n, 1)`, with normal noise.

    >>> x, y = line(5, noise=0.0, rng=0)
    >>> np.allclose(y, 2.0 * x + 1.0)
    True
    """
    rng = _checked("line", n, noise, rng)
    slope, intercept = number("line", "slope", slope), number("line", "intercept", intercept)
    x = rng.uniform(-1.0, 1.0, (n, 1))
    return x, slope * x + intercept + rng.normal(0.0, noise, (n, 1))


def _checked(name: str, n: int, noise: float, rng: Seed) -> np.random.Generator:
    """The generator to draw with, when the settings that all have are what they must be."""
    integer(name, "n", n, least=1)
    number(name, "noise", noise, least=0)
    return generator(name, rng)


def _mixed(x: Array, y: Array, labels: Array, noise: float, rng: np.random.Generator) -> tuple[Array, Array]:
    order = rng.permutation(len(labels))
    points = np.stack([x, y], axis=1)[order]
    return points + rng.normal(0.0, noise, points.shape), labels[order]
