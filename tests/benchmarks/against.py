"""This checkout against another one: the same rows, without peers, in processes of their own, in turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

HERE = Path(__file__).parents[2]

# The packages of the first folder, timed by the benchmarks of the second.
PROGRAM = """
import importlib, json, sys, threading
packages, benchmarks, *names = sys.argv[1:]
sys.path.insert(0, packages)
for name in ("autograd", "nn"):
    assert importlib.import_module(name).__file__.startswith(packages)
sys.path.insert(0, benchmarks)
from tests.benchmarks import harness, rows
harness.alone = True
def main():
    print(json.dumps({name: rows.BENCHMARKS[name]().ours for name in names}))
sys.setrecursionlimit(1_000_000)
threading.stack_size(512 * 1024 * 1024)
thread = threading.Thread(target=main)
thread.start()
thread.join()
"""


def compare(other: str, names: Sequence[str], rounds: int = 9) -> str:
    """A Markdown table: the medians of `other` and of this checkout, their ratio, and that of `other` against itself,
    which says how much of a ratio is noise."""
    sides = {"old": Path(other).resolve(), "new": HERE, "old again": Path(other).resolve()}
    figures: dict[str, dict[str, list[float]]] = {side: {name: [] for name in names} for side in sides}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds} ...", file=sys.stderr, flush=True)
        for side, folder in sides.items():
            for name, figure in _measured(folder, names).items():
                figures[side][name].append(figure)
    lines = ["| row | old | new | new / old | old / old |", "|---|---|---|---|---|"]
    for name in names:
        old, new, again = (median(figures[side][name]) for side in sides)
        lines.append(f"| {name} | {old:.4g} | {new:.4g} | {new / old:.3f} | {again / old:.3f} |")
    return "\n".join(lines)


def _measured(folder: Path, names: Sequence[str]) -> dict[str, float]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", PROGRAM, str(folder), str(HERE), *names]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout:
        raise RuntimeError(f"the benchmarks failed on {folder}:\n{done.stderr}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result
