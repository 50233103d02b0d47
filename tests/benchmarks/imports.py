"""What `import autograd` costs beyond `import numpy`."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

from tests.benchmarks.harness import Row

# With byte code written, as it is for whoever installed the package.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
PROGRAM = "import numpy, time; t = time.perf_counter(); import autograd; print(time.perf_counter() - t)"


def import_time() -> Row:
    """In fresh interpreters, NumPy imported before the clock starts."""
    times = [
        float(
            subprocess.run(
                [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=ENVIRONMENT
            ).stdout
        )
        for _ in range(11)
    ]
    row = Row("`import autograd` beyond `import numpy`", "ms", median(times) * 1e3, target="≤ 15 ms")
    row.reached, row.verdict = row.ours <= 15, "—"
    return row
