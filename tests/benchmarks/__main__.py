"""`python -m tests.benchmarks [NAME ...]`: time chainrule and its peers side by side and print a table."""

from __future__ import annotations

import argparse
import sys
import threading

from tests.benchmarks import arrays, compiled, compiled_moons, convolution, imports, optimizers, scalars, training
from tests.benchmarks.harness import machine, optional, table

BENCHMARKS = {
    "compiled-moons": compiled_moons.moons,
    "compiled-captured": compiled_moons.captured,
    "compiled-options": compiled.options,
    "compiled-numpy": compiled_moons.numpy_backend,
    "compiled-time": compiled.compile_time,
    "compiled-orbit": compiled.orbit,
    "compiled-call": compiled.call_overhead,
    "chain": scalars.chain,
    "moons-scalar": scalars.moons,
    "moons-tensor": arrays.moons,
    "mlp": arrays.mlp,
    "adam": optimizers.adam,
    "cnn": convolution.cnn,
    "cnn5": convolution.cnn5,
    "mnist99": convolution.seconds_to_99,
    "fit": training.fit_overhead,
    "mnist": training.mnist,
    "memory": scalars.memory,
    "gradient": scalars.gradient_ratio,
    "import": imports.import_time,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which to run, of: {', '.join(BENCHMARKS)} (default: all)"
    )
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {', '.join(unknown)}: there are {', '.join(BENCHMARKS)}")
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
