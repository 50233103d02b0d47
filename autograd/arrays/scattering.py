"""Scatter-add: sums at repeated indices, as exact as a pairwise sum, be it a million rows of one word."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.arrays.sums import FEW

if TYPE_CHECKING:
    from autograd.typing import Array

FEW_WIDE = 128  # up to this many float32 or float64 are added one by one, as in a block of NumPy's pairwise sum
AT_ONCE = 1 << 16  # numbers whose places are written out at a time
SPLIT = 2.0**27 + 1.0  # Dekker's factor: leaves the upper half of a float64's digits


def add_at(out: Array, key: Any, y: Array) -> Array:
    """`out`, an array of zeros, with `y` added at `key`, more than once where `key` repeats an element."""
    one_axis = type(key) is np.ndarray and key.dtype.kind in "iu"
    few = FEW_WIDE if y.itemsize > 2 else FEW
    if (key.size if one_axis else y.size) <= few or not y.size or out.itemsize > 8:
        np.add.at(out, key, y)
        return out
    shape = out.shape
    if one_axis and out.ndim == key.ndim == 1 and key.min() >= 0:  # the common case, at once
        if out.itemsize < 8:
            return np.asarray(np.bincount(key, y, len(out)), out.dtype)
        if np.bincount(key).max() <= few:
            np.add.at(out, key, y)
            return out
    if one_axis:
        rows = key.ravel()
        if rows.min() < 0:
            rows = np.where(rows < 0, rows + shape[0], rows)
        out = out.reshape(shape[0], -1)
    else:
        rows = np.arange(prod(shape)).reshape(shape)[key].ravel()
        out = out.reshape(-1, 1)
    y = y.reshape(rows.size, -1)
    if (len(out) > rows.size or y.itemsize == 8) and np.bincount(rows).max() <= few:
        np.add.at(out, rows, y)
    elif len(out) <= rows.size:
        _grouped(out, rows, y)
    else:  # most of it stays zero
        places, rows = np.unique(rows, return_inverse=True)
        some = np.empty((places.size, y.shape[1]), out.dtype)
        _grouped(some, rows, y)
        out[places] = some
    return out.reshape(shape)


def _grouped(out: Any, rows: Any, y: Any) -> None:
    """Set row i of `out` to the sum, in float64, of the rows of `y` for which `rows` is i."""
    n, width = out.shape
    columns = max(1, min(width, 16 * AT_ONCE // rows.size))
    for start in range(0, width, columns):
        part = y[:, start : start + columns]
        wide = part.shape[1]
        at_once = max(AT_ONCE, n * wide) // wide
        total = _one_group(rows[:at_once], part[:at_once], n)
        for first in range(at_once, rows.size, at_once):
            total += _one_group(rows[first : first + at_once], part[first : first + at_once], n)
        out[:, start : start + columns] = total


def _one_group(rows: Any, y: Array, n: int) -> Array:
    width = y.shape[1]
    places = rows if width == 1 else (rows[:, None] * width + np.arange(width)).ravel()
    values = y.ravel()
    if y.dtype != np.float64 or rows.size <= FEW_WIDE:
        return np.bincount(places, values, n * width).reshape(n, width)
    # The upper halves of numbers of similar size add up without rounding, the lower halves with hardly any.
    with np.errstate(all="ignore"):
        upper = values * SPLIT
        lower = upper - values
        np.subtract(upper, lower, out=upper)
        np.subtract(values, upper, out=lower)
        z = np.bincount(places, upper, n * width)
        z += np.bincount(places, lower, n * width)
        if not np.isfinite(z).all():
            z = np.bincount(places, values, n * width)
    return z.reshape(n, width)
