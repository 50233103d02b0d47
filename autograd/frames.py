"""The user's line: the one finder of the code that asked for what is computed."""

from __future__ import annotations

import linecache
import os
import re
import sys
from functools import cache
from typing import Any, Generic, TypeVar
from weakref import ref

import numpy as np

Line = tuple[str, int]  # a file's name and a line number
Note = TypeVar("Note")

# Files whose lines are never the user's: this package and nn, NumPy, frozen modules, generated code.
_HERE = os.path.dirname(__file__)
_FOLDERS = _HERE, os.path.join(os.path.dirname(_HERE), "nn"), os.path.dirname(np.__file__)
_OWN = *(os.path.join(folder, "") for folder in _FOLDERS), "<frozen ", "<ag."
# So is the standard library, except for the packages installed in a folder of it: they may be the user's own code. Of
# these only the libraries named here are not the user's: they just call the functions they are given.
_PYTHON = os.path.join(os.path.dirname(os.__file__), "")
_INSTALLED = re.compile(r"[\\/](?:site|dist)-packages[\\/](?:(sklearn|scipy|joblib|dask|distributed|tqdm)[\\/])?")


@cache  # recording asks for every frame under every operation
def is_inside(filename: str) -> bool:
    """Whether a file is part of this library, NumPy, Python or a library such as scikit-learn, and so not the user's."""
    installed = _INSTALLED.search(filename)
    return filename.startswith(_OWN) or (bool(installed[1]) if installed else filename.startswith(_PYTHON))


def user_line() -> Line | None:
    """The innermost line of the user's code on this thread's stack; None if there is none."""
    frame = sys._getframe(1)
    while is_inside(frame.f_code.co_filename):
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def format_line(line: Line | None) -> str:
    """A line of the user's code with its text, for messages."""
    if line is None:
        return "(no line outside the library)"
    text = linecache.getline(*line).strip()
    return f"{line[0]}:{line[1]}{f': `{text}`' if text else ''}"


# ---- The lines where nodes were recorded, of those nodes for which it was noted


class Notes(Generic[Note]):
    """What is noted of nodes, as long as they live; by identity, for nodes compare by their numbers."""

    __slots__ = ("by_id",)

    def __init__(self) -> None:
        self.by_id: dict[int, tuple[ref[Any], Note]] = {}

    def __len__(self) -> int:
        return len(self.by_id)

    def __setitem__(self, node: Any, note: Note) -> None:
        def forget(_: ref[Any], key: int = id(node), pop: Any = self.by_id.pop) -> None:
            pop(key, None)

        self.by_id[id(node)] = ref(node, forget), note

    def get(self, node: Any) -> Note | None:
        """What was noted of `node`, or None."""
        found = self.by_id.get(id(node))
        return found and found[1]

    def nodes(self) -> list[Any]:
        """The nodes that live, in the order in which they were noted first."""
        return [node for mark, _ in list(self.by_id.values()) if (node := mark()) is not None]


_lines: Notes[Line | None] = Notes()


def note_line(node: Any, line: Line | None = None) -> None:
    """Note a line of the user's code, the current one unless given, as the one where `node` was recorded."""
    _lines[node] = line or user_line()


def noted_nodes() -> list[Any]:
    """The nodes whose lines were noted, of those that live."""
    return _lines.nodes()


def line_of(node: Any) -> Line | None:
    """The user's line where `node` was recorded; None unless it was noted, as under `detect_anomaly()`.

    >>> import autograd as ag
    >>> with ag.detect_anomaly():
    ...     y = ag.exp(ag.Value(1.0))
    >>> line_of(y)[1]
    2
    >>> line_of(ag.exp(ag.Value(1.0)))
    """
    found = _lines.by_id.get(id(node))
    return found and found[1]
