"""What every demo is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """`seed` decides all that is random; pictures go to the folder `out`; `quick` is for tests: little work, poor results."""

    seed: int = 0
    out: Path = Path("out")
    quick: bool = False
