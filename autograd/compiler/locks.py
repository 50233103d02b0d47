"""`Locked`: an object with a lock that outlives a fork."""

from __future__ import annotations

import threading
from weakref import WeakSet

from autograd.forks import in_child


class Locked:
    """An object guarded by `_lock`. A forked process gets a new lock, for the thread that held the old one may not be
    there; the object is whole at any time, for it changes by single assignments only."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        _all.add(self)


_all: WeakSet[Locked] = WeakSet()


def _renew() -> None:
    for owner in _all:
        owner._lock = threading.RLock()


in_child(_renew)
