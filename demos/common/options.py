"""Options of every demo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """`seed` decides all that is random; pictures go to the folder `out`; `quick` is for tests: little work, poor results.

    `own` has the names of those options that were given of the demo's own, which its file declares, with their help:
    OPTIONS = {"compiled": "train with compiled steps"} is `--compiled`, and `"compiled" in options.own`.
    """

    seed: int = 0
    out: Path = Path("out")
    quick: bool = False
    own: frozenset[str] = frozenset()
