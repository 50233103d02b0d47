"""`python -m tests.benchmarks [NAME ...]`: time chainrule and its peers side by side and print a table;
with `--against FOLDER` compare this checkout with another one."""

from __future__ import annotations

import argparse
import sys
import threading

from tests.benchmarks.against import compare
from tests.benchmarks.harness import machine, optional, table
from tests.benchmarks.rows import BENCHMARKS, QUICK


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which to run, of: {', '.join(BENCHMARKS)} (default: all)"
    )
    parser.add_argument("--against", metavar="FOLDER", help="another checkout, to compare this one with, without peers")
    parser.add_argument("--rounds", type=int, default=9, help="with --against: how often each is run (default: 9)")
    given = parser.parse_args()
    names = given.names or (QUICK if given.against else list(BENCHMARKS))
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {', '.join(unknown)}: there are {', '.join(BENCHMARKS)}")
    if given.against:
        print(f"Measured on {machine()}.\n\n{compare(given.against, names, given.rounds)}")
        return
    for peer in ("micrograd", "mygrad", "torch", "jax", "casadi"):
        if optional(peer) is None:
            print(f"{peer} is not installed and left out: pip install -e '.[bench]'", file=sys.stderr)
    if torch := optional("torch"):
        torch.set_num_threads(2)
    rows = []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows.append(BENCHMARKS[name]())
    print(f"Measured on {machine()}.\n\n{table(rows)}")


# micrograd recurses once a node, and needs the stack for it.
sys.setrecursionlimit(1_000_000)
threading.stack_size(512 * 1024 * 1024)
thread = threading.Thread(target=main)
thread.start()
thread.join()
