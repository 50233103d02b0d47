"""Atomic replacement of files, and locks of folders in which one training works at a time.

Locks are the operating system's, on open files: they end with their process, however it ends, and a forked child, which
would go on holding them, lets go at once.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import shutil
import sys
import threading
import time
import warnings
from pathlib import Path

from autograd.forks import in_child

FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
BUSY = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)
FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)

_saving = threading.Lock()  # threads take turns even where a file system has no locks
_locked: set[int] = set()  # descriptors of this process that hold a lock

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, wait: bool) -> None:
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # behind what is written, which others are to be able to read
        msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(descriptor: int, wait: bool) -> None:
        # Not fcntl.lockf, whose locks are gone as soon as anybody in this process has read the file and closed it.
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def _in_child() -> None:
    global _saving
    _saving = threading.Lock()  # whoever held it is not there
    while _locked:
        os.close(_locked.pop())


in_child(_in_child)


def write_whole(path: Path, content: bytes) -> None:
    """Replace the file `path` by one with this content, in one step: whoever reads it, and whenever the machine stops,
    finds the old one or the new one. Several threads, or processes, may do it at the same time.

    What is not finished stands beside it under one name, ".name.tmp", until the next call. What goes wrong is an OSError
    that says what with.
    """
    path = Path(os.path.realpath(path))  # through a link, to the file that it names
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "this is a folder, and a file is to be written: name one", str(path))
    try:
        with _saving:
            _write(path, content)
    except OSError as error:
        raise OSError(error.errno, _unwritten(path, len(content), error), str(path)) from error
    if os.name == "posix":
        # the new name itself is to outlast a power cut; where folders cannot be synced, it is in place
        with contextlib.suppress(OSError):
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.tmp")
    descriptor, _ = _open_locked(beside, wait=True)
    try:
        os.ftruncate(descriptor, 0)  # one that a killed process has left
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
        if sys.platform == "win32":  # where an open file cannot be renamed
            _close(descriptor)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    finally:
        _close(descriptor)


def _unwritten(path: Path, size: int, error: OSError) -> str:
    reason = f"{error.strerror or error}: {size:,} bytes could not be written"
    if not path.parent.is_dir():
        return f"{reason}, for there is no folder {path.parent} (any more); what was in it is where it went"
    if error.errno in FULL:
        with contextlib.suppress(OSError):
            reason += f" ({shutil.disk_usage(path.parent).free:,} are free)"
    if path.exists():
        return f"{reason}; the last good file of this name stands, whole and unchanged"
    return f"{reason}; nothing was left"


class FolderLock:
    """The right to train in a folder, from when this is made until `release()`, or until the process is gone.

    Somebody else who has it is a BlockingIOError that says who. Where the file system has no locks, a warning says so.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / ".lock"
        self.process = os.getpid()
        self._take()

    def keep(self) -> None:
        """Take it again if the file that was locked is gone, as when somebody has emptied the folder."""
        if self.process == os.getpid() and not _same(self.descriptor, self.path):
            _close(self.descriptor)
            self._take()

    def release(self) -> None:
        """Let others in. A forked child, which does not have the lock, leaves it alone."""
        if self.process != os.getpid() or self.descriptor not in _locked:
            return
        with contextlib.suppress(OSError):
            if os.name == "posix" and _same(self.descriptor, self.path):
                os.unlink(self.path)  # while it is locked, so that nobody's is taken away
        _close(self.descriptor)

    def _take(self) -> None:
        patience = time.monotonic() + 10  # for a child of one that was killed, forked a moment ago, to let go
        while True:
            try:
                self.descriptor, locked = _open_locked(self.path, wait=False)
                break
            except BlockingIOError:
                process, host = self._holder()
                if host == platform.node() and _is_gone(process) and time.monotonic() < patience:
                    time.sleep(0.01)
                    continue
                if not process:
                    holder = "another process"
                elif process == str(os.getpid()) and host == platform.node():
                    holder = "this process, in another call of fit,"
                else:
                    holder = f"process {process} of {host}"
                raise BlockingIOError(
                    errno.EWOULDBLOCK,
                    f"{holder} is training in this folder, and two would overwrite each other's checkpoints: wait for it, "
                    "or train in a folder of your own",
                    str(self.path.parent),
                ) from None
        if not locked:
            warnings.warn(
                f"the file system of {self.path.parent} has no locks: see to it yourself that one process at a time trains "
                "there",
                RuntimeWarning,
                stacklevel=2,
            )
        os.ftruncate(self.descriptor, 0)
        os.write(self.descriptor, f"{self.process} {platform.node()}".encode())

    def _holder(self) -> tuple[str, str]:
        with contextlib.suppress(OSError, ValueError):
            process, _, host = self.path.read_text(encoding="utf-8").partition(" ")
            return process, host
        return "", ""


def _is_gone(process: str) -> bool:
    """Whether there is no such process on this machine, as far as can be told."""
    if os.name != "posix" or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)  # asks, and sends nothing
    except (OSError, OverflowError) as error:
        return isinstance(error, ProcessLookupError)
    return False


def _open_locked(path: Path, wait: bool) -> tuple[int, bool]:
    """A descriptor of the file `path`, made if need be, that nobody else has, and whether that could be made sure of."""
    while True:
        descriptor = os.open(path, FLAGS, 0o666)  # the umask takes from it
        _locked.add(descriptor)
        try:
            _lock(descriptor, wait)
        except OSError as error:
            if error.errno in BUSY:
                _close(descriptor)
                raise BlockingIOError(errno.EWOULDBLOCK, "somebody has locked it", str(path)) from None
            return descriptor, False
        except BaseException:
            _close(descriptor)
            raise
        if _same(descriptor, path):  # while this waited, the other may have renamed it, or taken it away
            return descriptor, True
        _close(descriptor)


def _same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False


def _close(descriptor: int) -> None:
    if descriptor in _locked:
        _locked.discard(descriptor)
        os.close(descriptor)
