"""How the benchmarks measure: rivals in turn, medians, ratios."""

from __future__ import annotations

import gc
import importlib
import math
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Row:
    """One line of the table: our figure, the peers', and what must be reached."""

    name: str
    unit: str
    ours: float
    peers: dict[str, float] = field(default_factory=dict)
    target: str = ""
    reached: bool | None = None
    verdict: str = ""


alone = False  # whether no peers are measured: then their times are nan


def optional(name: str) -> Any:
    """The module of a peer, or None where it is not installed, or peers are not measured."""
    if alone:
        return None
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def in_turn(rivals: dict[str, Callable[[], Any]], rounds: int = 9, seconds: float = 0.05) -> dict[str, float]:
    """The median time of a call of each rival, in seconds; they take turns, so that the machine's moods hit all.

    A turn lasts at least `seconds`. The collector is on, but starts every turn with nothing to do.
    """
    measured = {name: call for name, call in rivals.items() if name == "chainrule"} if alone else rivals
    repeats = {}
    for name, call in measured.items():
        call()
        start = time.perf_counter()
        call()
        repeats[name] = max(1, int(seconds / (time.perf_counter() - start)))
    times: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(rounds):
        for name, call in measured.items():
            gc.collect()
            start = time.perf_counter()
            for _ in range(repeats[name]):
                call()
            times[name].append((time.perf_counter() - start) / repeats[name])
    return {name: statistics.median(times.get(name, [math.nan])) for name in rivals}


def machine() -> str:
    """What this ran on, in a line."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    versions = ", ".join(
        f"{module.__name__} {getattr(module, '__version__', '')}".strip()
        for module in map(optional, ("numpy", "torch", "jax", "mygrad", "micrograd", "casadi", "llvmlite"))
        if module is not None
    )
    return f"{os.cpu_count()} cores of {model}, {platform.system()}, Python {platform.python_version()}, {versions}"


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| benchmark | chainrule | peers | ratio | must reach |", "|---|---|---|---|---|"]
    for row in rows:
        peers = ", ".join(f"{name} {_number(value)}" for name, value in row.peers.items())
        mark = "" if row.reached is None else "" if row.reached else " (missed)"
        lines.append(f"| {row.name} | {_number(row.ours)} {row.unit} | {peers} | {row.verdict}{mark} | {row.target} |")
    return "\n".join(lines)


def _number(x: float) -> str:
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"
