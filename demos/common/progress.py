"""A progress bar for demos."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress(steps: Iterable[Any], name: str) -> Any:
    """`steps`, with a bar on a terminal, and without one elsewhere. Its `write` prints a line above the bar."""
    return tqdm(steps, desc=name, disable=None, leave=False)  # None asks whether stderr is a terminal
