"""Timings. They are told on lines that begin `Timing: `: all other lines are the same at each run of one seed."""

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
    """A number to the two digits that measuring again would confirm."""
    return f"{float(f'{number:.2g}'):,g}"


def say_timing(text: str) -> None:
    """Print a line that tests do not compare."""
    print(f"Timing: {text}")
