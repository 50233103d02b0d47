"""Data for training: batches, splits and standardization."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar, overload

import numpy as np

from autograd.arrays import sums
from autograd.graph import Node
from nn.typing import Array, Seed
from nn.validation import flag, generator, integer, number, numbers, real_array, shown

N = TypeVar("N", bound=Node)


class Batches:
    """Batches `(X[i], y[i])`, once through the data for each iteration over them; `len` is their number."""

    def __init__(self, X: Any, y: Any, size: int, shuffle: bool = True, rng: Seed = None) -> None:
        self.X, self.y = _pair(X, y)
        self.size = integer("batches", "size", size, least=1)
        self.shuffle = flag("batches", "shuffle", shuffle)
        self.rng = generator("batches", rng)

    def __len__(self) -> int:
        return -(-len(self.X) // self.size)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        n = len(self.X)
        order = self.rng.permutation(n) if self.shuffle else None
        for start in range(0, n, self.size):
            rows: Any = slice(start, start + self.size)
            rows = rows if order is None else order[rows]
            yield self.X[rows], self.y[rows]


def batches(X: Any, y: Any, size: int, shuffle: bool = True, rng: Seed = None) -> Batches:
    """The rows of `X` and `y`, `size` at a time (the last batch may be smaller), in a new random order each time round.

    `rng` is a NumPy generator or a seed. Without shuffling, batches are views. Different lengths are a ValueError.

    >>> loader = batches(np.arange(5), np.arange(5), size=2, shuffle=False)
    >>> len(loader), [x.tolist() for x, _ in loader]
    (3, [[0, 1], [2, 3], [4]])
    """
    return Batches(X, y, size, shuffle, rng)


class Split(NamedTuple):
    """Three parts of a data set, each a pair `(X, y)`."""

    train: tuple[Array, Array]
    valid: tuple[Array, Array]
    test: tuple[Array, Array]


def train_valid_test_split(
    X: Any, y: Any, valid: float = 0.15, test: float = 0.15, stratify: bool = True, rng: Seed = None
) -> Split:
    """The rows at random in three parts that do not overlap, as pairs `(X, y)`.

    `valid` and `test` are fractions of the rows, below 1, or numbers of rows. With `stratify` each part has the classes
    of the integer labels `y` in the proportions of the whole, to within a row or two.

    >>> (X, y), valid, test = train_valid_test_split(np.arange(20), np.arange(20) % 2, valid=4, test=0.3, rng=0)
    >>> len(y), len(valid[1]), test[1].tolist().count(1)
    (10, 4, 3)
    """
    X, y = _pair(X, y)
    n = len(X)
    counts = []
    for name, size in (("valid", valid), ("test", test)):
        number("train_valid_test_split", name, size, least=0)
        count = round(size * n) if size < 1 else size
        if count != int(count):
            raise ValueError(f"{name} must be a fraction from 0 to below 1, or a number of rows, got {size!r}")
        counts.append(int(count))
    if sum(counts) >= n:
        raise ValueError(f"valid={valid!r} and test={test!r} leave none of {n} rows to train on: make them smaller")
    rng = generator("train_valid_test_split", rng)
    order = rng.permutation(n)
    if flag("train_valid_test_split", "stratify", stratify):
        if y.ndim != 1 or y.dtype.kind == "f":
            raise ValueError(f"stratify needs class labels (n,), got {y.dtype} of shape {y.shape}: pass stratify=False")
        # Sorted by class, rows are taken at equal distances: as good as class by class, and exact in all.
        order = order[np.argsort(y[order], kind="stable")]
    parts = []
    for count in counts:
        taken = np.zeros(len(order), bool)
        taken[((np.arange(count) + rng.random()) * len(order) / max(count, 1)).astype(int)] = True
        parts.append(rng.permutation(order[taken]))
        order = order[~taken]
    parts.insert(0, rng.permutation(order))
    return Split(*((X[rows], y[rows]) for rows in parts))


class Standardizer(NamedTuple):
    """The mean and the scale of each column, as found in training data. Called, it standardizes other data by them."""

    mean: Array
    scale: Array

    @overload
    def __call__(self, X: N) -> N: ...
    @overload
    def __call__(self, X: Array | Sequence[Any]) -> Array: ...
    def __call__(self, X: Any) -> Any:
        mean, scale = (real_array("Standardizer", name, getattr(self, name)) for name in ("mean", "scale"))
        return (self._columns(X) - mean) / scale

    @overload
    def inverse(self, X: N) -> N: ...
    @overload
    def inverse(self, X: Array | Sequence[Any]) -> Array: ...
    def inverse(self, X: Any) -> Any:
        """The data that would give `X`."""
        return self._columns(X) * self.scale + self.mean

    def _columns(self, X: Any) -> Any:
        X = X if isinstance(X, Node) else real_array("standardize", "X", X)
        columns = np.shape(self.mean)
        if columns and X.shape[-len(columns) :] != columns:
            raise ValueError(f"this Standardizer was made for rows of shape {columns}, got data of shape {X.shape}")
        return X


@overload
def standardize(X: Any) -> tuple[Array, Standardizer]: ...
@overload
def standardize(X: Any, other: Any, /) -> tuple[Array, Array, Standardizer]: ...
@overload
def standardize(X: Any, other: Any, another: Any, /) -> tuple[Array, Array, Array, Standardizer]: ...
@overload
def standardize(X: Any, *others: Any) -> tuple[Any, ...]: ...
def standardize(X: Any, *others: Any) -> tuple[Any, ...]:
    """`X`, `(n, columns)`, with mean 0 and standard deviation 1 in each column; then `others` by the same mean and
    scale, so that nothing is learned from them; and last the `Standardizer`. Columns that do not vary become 0.

    >>> train, test, standardizer = standardize(np.array([[1.0], [3.0]]), np.array([[5.0]]))
    >>> train.tolist(), test.tolist(), standardizer.mean.tolist()
    ([[-1.0], [1.0]], [[3.0]], [2.0])
    """
    X = real_array("standardize", "X", X)
    if not X.ndim or not len(X):
        raise ValueError("standardize needs at least one row to find a mean, got none")
    if X.dtype.kind in "iub":
        X = X.astype(np.float64)
    scale = np.sqrt(sums.var(X, 0)).astype(X.dtype)
    constant = X.max(axis=0) == X.min(axis=0)  # exactly: rounding leaves a tiny deviation
    fitted = Standardizer(np.where(constant, X[0], sums.mean(X, 0)), np.where(constant, np.ones_like(scale), scale))
    return (*(fitted(x) for x in (X, *others)), fitted)


def is_pair(data: Any) -> bool:
    """Whether these are arrays `(X, y)`, and not batches: two batches would be a tuple of pairs."""
    return isinstance(data, tuple) and len(data) == 2 and not (isinstance(data[0], tuple) or isinstance(data[1], tuple))


def check_batches(data: Any) -> Iterable[Any]:
    """`data`, which can be iterated over for batches, or a TypeError. (Iterating may draw random numbers: not tried.)"""
    iterable = hasattr(data, "__iter__") or hasattr(data, "__getitem__")
    if not iterable or isinstance(data, (np.ndarray, Node, str, dict, type)):
        raise TypeError(f"data is a pair of arrays (X, y), or gives batches (x, y), got {shown(data)}: write (X, y)")
    return data  # type: ignore[no-any-return]  # what the user's indexing gives


def batch_pairs(data: Any) -> Iterator[Any]:
    """The batches, each of which must be a pair `(x, y)`."""
    return map(_checked_batch, iter(check_batches(data)))


def _checked_batch(batch: Any) -> Sequence[Any]:
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        raise TypeError(f"a batch is a pair (x, y), got {shown(batch)}: pass arrays as a tuple (X, y)")
    return batch


def _pair(X: Any, y: Any) -> tuple[Array, Array]:
    X, y = (numbers("batches of data", name, data, "fiubcmMOSUV") for name, data in (("X", X), ("y", y)))
    if X.ndim == 0 or y.ndim == 0 or len(X) != len(y):
        raise ValueError(f"X and y need one row each for every example, got shapes {X.shape} and {y.shape}")
    return X, y
