"""Pictures of training and its results, drawn with matplotlib and written to files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograd.files import file_path
from nn.dependencies import optional
from nn.validation import integer, real_array, sequence, shown

# Colours of Okabe and Ito, "Color universal design", 2008, which people with any kind of colour vision tell apart.
BLUE, VERMILLION, GREEN, ORANGE, SKY, PURPLE = "#0072b2", "#d55e00", "#009e73", "#e69f00", "#56b4e9", "#cc79a7"
TIMES = ("seconds", "rows")


def learning_curves(columns: Mapping[str, Sequence[float]], path: str | Path) -> None:
    """One panel for each metric of `columns`, by epoch; "valid_loss" is drawn with "loss", and so on.

    The file's ending says the format: .png, .svg, .pdf. Nothing to draw is a ValueError; without matplotlib, an
    ImportError says what to install.
    """
    path = file_path("learning_curves", "path", path)
    if not isinstance(columns, Mapping) or not all(isinstance(x, str) and np.ndim(columns[x]) == 1 for x in columns):
        raise TypeError(f"learning_curves needs a dict of lists of numbers by name, got {shown(columns)}")
    names = dict.fromkeys(name.removeprefix("valid_") for name in columns if name not in TIMES and len(columns[name]))
    if not names:
        raise ValueError("there are no curves to draw: no epoch has ended")
    figure = new_figure(6.0, 2.6 * len(names))
    axes = figure.subplots(len(names), 1, squeeze=False)[:, 0]
    for axis, name in zip(axes, names, strict=True):
        for label, title, colour in ((name, "training", BLUE), (f"valid_{name}", "validation", VERMILLION)):
            if label in columns:
                x, y = np.arange(1, len(columns[label]) + 1), np.asarray(columns[label], float)
                axis.plot(x, y, color=colour, label=title, marker="." if len(x) < 40 else "")
        if f"valid_{name}" in columns:
            axis.legend()
        drawn = np.array([*columns.get(name, ()), *columns.get(f"valid_{name}", ())], float)
        drawn = drawn[np.isfinite(drawn)]
        if name == "loss" and len(drawn) and drawn.min() > 0 and drawn.max() > 10 * drawn.min():
            axis.set_yscale("log")
        axis.set_ylabel(name)
        axis.grid(alpha=0.3)
    axes[-1].set_xlabel("epoch")
    save_figure(figure, path)


def confusion(matrix: Any, path: str | Path, labels: Sequence[Any] | None = None) -> None:
    """The confusion matrix `(classes, classes)`, true classes down, as `nn.confusion_matrix` gives it, with its counts.

    Shades are fractions of a row, so that rare classes are seen too. Another shape is a ValueError.
    """
    path, matrix = file_path("confusion", "path", path), real_array("confusion", "matrix", matrix)
    n = len(matrix) if matrix.ndim else 0
    if matrix.shape != (n, n) or not n:
        raise ValueError(f"a confusion matrix is square, got shape {matrix.shape}: use nn.confusion_matrix")
    given = range(n) if labels is None else sequence("confusion", "labels", labels)
    names = [name if isinstance(name, str) else shown(name) for name in given]
    if len(names) != n:
        raise ValueError(f"there are {n} classes, but {len(names)} labels")
    fractions = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure = new_figure(2.0 + 0.45 * n, 1.5 + 0.45 * n)
    axis = figure.subplots()
    axis.imshow(fractions, cmap="Blues", vmin=0.0, vmax=1.0)
    for i, j in np.ndindex(n, n):
        if matrix[i, j]:
            axis.text(j, i, matrix[i, j], ha="center", va="center", color="white" if fractions[i, j] > 0.5 else "black")
    axis.set(xticks=range(n), yticks=range(n), xticklabels=names, yticklabels=names)
    axis.set(xlabel="taken for", ylabel="is")
    save_figure(figure, path)


def image_sheet(images: Any, path: str | Path, titles: Sequence[Any] | None = None, columns: int = 10) -> None:
    """Images `(n, h, w)`, `(n, h*h)` or `(n, 1, h, w)`, dark where they are large, in rows of `columns`, with a title each.

    Other shapes, and none at all, are a ValueError.
    """
    path, images = file_path("image_sheet", "path", path), real_array("image_sheet", "images", images)
    titles = titles if titles is None else sequence("image_sheet", "titles", titles)
    columns = integer("image_sheet", "columns", columns, least=1)
    if images.ndim == 4 and images.shape[1] == 1:
        images = images[:, 0]
    side = round(np.sqrt(images.shape[1])) if images.ndim == 2 else 0
    if side and side * side == images.shape[1]:
        images = images.reshape(-1, side, side)
    if images.ndim != 3 or not len(images):
        raise ValueError(f"a sheet needs images of shape (n, h, w), got {images.shape}")
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"there are {len(images)} images, but {len(titles)} titles")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure = new_figure(0.9 * columns, (1.15 if titles is not None else 0.9) * rows)
    low, high = float(images.min()), float(images.max())
    for i, axis in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axis.set_axis_off()
        if i < len(images):
            axis.imshow(images[i], cmap="Greys", vmin=low, vmax=high)
            if titles is not None:
                axis.set_title(str(titles[i]), fontsize=9)
    save_figure(figure, path)


def new_figure(width: float, height: float) -> Any:
    """A figure of matplotlib's, with its size in inches."""
    optional("matplotlib")
    # Not through pyplot, which would choose a window system and keep the figure.
    return optional("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure to a file, whose ending says the format."""
    figure.savefig(path, dpi=150)
