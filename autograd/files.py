"""File paths as arguments: a string or an `os.PathLike`, never a number, which Python would take as an open file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from autograd.arguments import wrong


def file_path(owner: str, name: str, path: Any) -> Path:
    """`path`, a non-empty string or an `os.PathLike` of one; anything else is a TypeError, an empty one a ValueError.
    The error names `owner` and `name`.

    `open` takes integers too, as descriptors: `open(1)` is standard output, and closes it.

    >>> file_path("render", "path", "out/graph.svg").name
    'graph.svg'
    """
    found = os.fspath(path) if isinstance(path, (str, os.PathLike)) else path
    if not isinstance(found, str):
        hint = ": pass its name" if hasattr(path, "read") or hasattr(path, "write") else ""
        hint = ": decode it, as with os.fsdecode" if isinstance(found, bytes) else hint
        raise TypeError(wrong(owner, name, "a path, a str or an os.PathLike", path) + hint)
    if not found or "\0" in found:
        raise ValueError(wrong(owner, name, "the name of a file or folder", path))
    return Path(found)
