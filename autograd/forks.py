"""What a fork waits for, and what the new process then makes anew: other threads are not there to finish or let go."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

FORKS = hasattr(os, "register_at_fork")  # Windows does not


def in_child(renew: Callable[[], Any]) -> None:
    """Have `renew` called at the start of every forked process."""
    if FORKS:
        os.register_at_fork(after_in_child=renew)


def _undivided() -> AbstractContextManager[Any]:
    """A lock that a fork waits for: for what cannot be taken up by halves."""
    lock = threading.RLock()
    if FORKS:
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


# Both are made here, before there can be threads: a lock that was made while a fork waits would be released, but not held.
importing = _undivided()  # imports made when first needed: a fork amidst would leave Python's lock of a module held
using_llvm = _undivided()  # every call of LLVM, which has locks of its own
