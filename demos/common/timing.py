"""Timings, on lines that begin with `Timing: `: all other lines are the same in each run with the same seed."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any


def seconds(action: Callable[[], Any], times: int = 5) -> float:
    """The median of the times of several calls."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return median(taken)


def in_words(duration: float) -> str:
    """A duration in seconds, to two digits: "1.2 ms"."""
    for unit, factor in (("µs", 1e6), ("ms", 1e3)):
        if duration * factor < 995:
            return f"{two_digits(duration * factor)} {unit}"
    return f"{two_digits(duration)} s"


def two_digits(number: float) -> str:
    """A number with two significant digits, as more would differ in the next measurement."""
    return f"{float(f'{number:.2g}'):,g}"


def say_timing(text: str) -> None:
    """Print a line that tests do not compare."""
    print(f"Timing: {text}")
