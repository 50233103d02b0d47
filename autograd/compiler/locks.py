"""`Locked`: an object with a lock that outlives a fork."""

from __future__ import annotations

import threading
from weakref import WeakSet

from autograd.forks import in_child


class Locked:
    """What is guarded by `_lock`, a lock of its own. A forked process gets it anew, for the thread that held it may not
    be there; what it guards is whole at any time, for it changes by single assignments only."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        _all.add(self)


_all: WeakSet[Locked] = WeakSet()


def _renew() -> None:
    for owner in _all:
        owner._lock = threading.RLock()


in_child(_renew)
