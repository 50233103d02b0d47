"""Forks: locks that a fork waits for, and state that the child renews, where other threads no longer run."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

FORKS = hasattr(os, "register_at_fork")  # Windows does not


def in_child(renew: Callable[[], Any]) -> None:
    """Call `renew` at the start of every forked process."""
    if FORKS:
        os.register_at_fork(after_in_child=renew)


def _undivided() -> AbstractContextManager[Any]:
    """A lock that a fork waits for: the child cannot continue what another thread had half done."""
    lock = threading.RLock()
    if FORKS:
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


# Both are made at import, before there can be threads: a lock made during a fork would be released without being held.
importing = _undivided()  # for late imports: a fork during one would leave Python's module lock held in the child
using_llvm = _undivided()  # for every call of LLVM, which has locks of its own
