"""Summaries of numbers, arrays and names in few characters, for pictures and explanations."""

from __future__ import annotations

from reprlib import repr as shortened
from typing import Any

import numpy as np

from autograd.graph import NO_GRADIENT, Node

MOST_DIGITS = 17  # more than a float has
BARS = " ▁▂▃▄▅▆▇█"
TINY = 6  # arrays of up to this many elements are shown in full


def check_node(owner: str, node: object) -> None:
    """Raise a TypeError if what `owner` is given is no node."""
    if not isinstance(node, Node):
        kind = type(node).__name__
        raise TypeError(f"{owner} needs a Value or a Tensor, got {kind}: pass the result, such as the loss")


def number(x: float, digits: int = 4) -> str:
    """`x` in few characters: with `digits` significant ones, and without an exponent where it is easily read without.

    >>> number(0.1 + 0.2), number(12345.678), number(-3.0), number(1e-9)
    ('0.3', '12346', '-3', '1e-09')
    """
    x = float(x)
    return f"{x:.0f}" if 10.0**digits <= abs(x) < 1e6 else f"{x:.{digits}g}"


def quantity(x: Any, digits: int = 4) -> str:
    """A number, an array or any other constant on one line: tiny arrays in full, others by shape, dtype and extent.

    >>> quantity(np.array([1.0, 2.5])), quantity(np.arange(8.0))
    ('[1, 2.5]', '(8,) float64, 0 to 7')
    """
    array = np.asarray(x) if isinstance(x, (float, int, np.generic, np.ndarray)) else None
    if array is None or array.dtype.kind not in "fiub":
        return one_line(shortened(x.item() if isinstance(x, np.ndarray) and x.ndim == 0 else x))
    if array.size <= TINY:
        return _in_full(array.tolist(), digits) if array.size else f"{array.shape} {array.dtype}"
    return f"{array.shape} {array.dtype}, {extent(array, digits)}"


def extent(array: Any, digits: int = 4) -> str:
    """From the least to the greatest element, and how many are not finite.

    >>> extent(np.array([1.0, np.nan, 3.0]))
    '1 to 3, 1 not finite'
    """
    finite = array[np.isfinite(array)]
    odd = f"{array.size - finite.size} not finite"
    if not finite.size:
        return odd
    low, high = number(finite.min(), digits), number(finite.max(), digits)
    if finite.size < array.size:
        return f"{low} to {high}, {odd}"
    return f"all {low}" if low == high else f"{low} to {high}"


def label_line(text: str, most: int = 200) -> str:
    """A label on one line: as it is, but for tabs and line breaks, and cut where it is very long.

    >>> label_line("two\\nlines")
    'two lines'
    """
    line = "".join(" " if c in "\t\n\r" else c for c in text[: most + 1])
    return line if len(line) <= most else line[: most - 1] + "…"


def histogram(array: Any, bins: int = 8) -> str:
    """How the finite elements are spread from the least to the greatest, as a row of bars; nothing where all are equal.

    >>> histogram(np.array([0.0, 1.0, 1.0, 2.0]), bins=3)
    '▄█▄'
    """
    finite = array[np.isfinite(array)]
    if not finite.size or finite.min() == finite.max():
        return ""
    counts, _ = np.histogram(finite.astype(float), bins)
    levels = np.ceil(counts / counts.max() * (len(BARS) - 1)).astype(int)
    return "".join(BARS[level] for level in levels)


def one_line(text: object, most: int = 40) -> str:
    """`text` on one line of at most `most` printable characters.

    >>> one_line("two\\nlines"), one_line("a" * 100, most=5)
    ('two lines', 'aaaa…')
    """
    line = "".join(c if c.isprintable() else " " for c in str(text)[: most + 1])
    return line if len(line) <= most else line[: most - 1] + "…"


def printable(text: str) -> str:
    """`text` for a terminal: what does not print is written as Python writes it.

    >>> print(printable("a\\x1b[2J"))
    a\\x1b[2J
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def gradient(node: Node) -> float | np.ndarray[Any, Any] | None:
    """The gradient that a backward pass left in `node`, or None if there was none.

    >>> from autograd.value import Value
    >>> gradient(Value(1.0)) is None
    True
    """
    return None if node.grad is NO_GRADIENT else node.grad


def _in_full(x: Any, digits: int) -> str:
    return number(x, digits) if not isinstance(x, list) else f"[{', '.join(_in_full(v, digits) for v in x)}]"
