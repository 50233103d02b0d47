"""Fully connected networks with the interface of scikit-learn, for pipelines, cross-validation and searches.

Searches run in parallel processes, and on a Dask cluster, as those of any estimator:

    splits = list(StratifiedKFold(5).split(X, y))
    client.amm.stop()
    with joblib.parallel_backend("dask", scatter=[X, y, *itertools.chain(*splits)]):
        GridSearchCV(NetClassifier(), {"lr": [1e-3, 1e-2]}, cv=splits).fit(X, y)

(`scatter` gives every worker a copy of these arrays, so that the search survives the loss of a worker; Dask's active
memory manager, `amm`, would drop all copies but one within seconds.)
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from numbers import Integral
from typing import Any, Self

import numpy as np

from autograd import softmax
from autograd.arrays import sums
from nn.data import train_valid_test_split
from nn.dependencies import missing
from nn.evaluation import predict
from nn.layers.activation import ReLU, Sigmoid, Tanh
from nn.layers.containers import Sequential
from nn.layers.dropout import Dropout
from nn.layers.linear import Linear
from nn.losses import CrossEntropyLoss, MSELoss
from nn.monitors import EarlyStopping
from nn.optim.adam import Adam
from nn.training import fit
from nn.typing import Array

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise missing("sklearn") from error


ACTIVATIONS = {"relu": ReLU, "tanh": Tanh, "sigmoid": Sigmoid}


class _Net(BaseEstimator):  # type: ignore[misc]  # scikit-learn carries no types
    """The base of both estimators: parameters, the network, training.

    `hidden_layer_sizes` are the numbers of neurons, with `activation` ("relu", "tanh" or "sigmoid") and `dropout` behind
    each layer. Training is by Adam with `lr` and `weight_decay`, `epochs` times through the data in batches of `batch_size`.
    With `early_stopping`, `validation_fraction` of the rows are held out, and training ends when their loss has not
    improved for `patience` epochs; the best weights are kept. `dtype` is "float64" or, twice as fast, "float32".
    `random_state` is None, a seed or a NumPy RandomState.
    """

    def __init__(
        self,
        hidden_layer_sizes: Iterable[int] = (64,),
        activation: str = "relu",
        lr: float = 0.003,
        epochs: int = 100,
        batch_size: int = 32,
        weight_decay: float = 0.0,
        dropout: float = 0.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        dtype: str = "float64",
        random_state: Any = None,
    ) -> None:
        self.hidden_layer_sizes, self.activation, self.dropout = hidden_layer_sizes, activation, dropout
        self.lr, self.weight_decay, self.epochs, self.batch_size = lr, weight_decay, epochs, batch_size
        self.early_stopping, self.validation_fraction = early_stopping, validation_fraction
        self.patience, self.dtype, self.random_state = patience, dtype, random_state

    def _train(self, X: Array, y: Array, outputs: int, loss: Any, stratify: bool) -> None:
        """Make the network and train it; sets `model_`, `history_` and `n_iter_`, the number of epochs."""
        sizes = [X.shape[1], *self._checked_sizes()]
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        layers: list[Any] = []
        for n, m in itertools.pairwise(sizes):
            layers += [Linear(n, m, dtype=self.dtype, rng=rng), ACTIVATIONS[self.activation]()]
            if self.dropout:
                layers.append(Dropout(self.dropout, rng=rng))
        last = Linear(sizes[-1], outputs, dtype=self.dtype, rng=rng)
        self.model_ = Sequential(*layers, last)
        train, valid, callbacks = (X, y), None, []
        if self.early_stopping:
            try:
                split = train_valid_test_split(X, y, valid=self.validation_fraction, test=0, stratify=stratify, rng=rng)
            except ValueError as error:
                raise ValueError(f"early_stopping cannot hold out rows: {error}") from error
            if not len(split.valid[1]):
                raise ValueError(f"early_stopping holds out {self.validation_fraction} of {len(X)} rows, which is none")
            train, valid, callbacks = split.train, split.valid, [EarlyStopping(self.patience)]
        self.history_ = fit(
            self.model_,
            train,
            valid,
            loss=loss,
            optimizer=Adam(self.model_.parameters(), lr=self.lr, weight_decay=self.weight_decay),
            epochs=self.epochs,
            batch_size=self.batch_size,
            callbacks=callbacks,
            rng=rng,
        )
        self.n_iter_ = len(self.history_)

    def _checked_sizes(self) -> list[int]:
        """The sizes of the hidden layers, when all parameters are what they must be."""
        sizes: list[Any] = np.atleast_1d(np.asarray(self.hidden_layer_sizes)).tolist()
        counts = [*(("hidden_layer_sizes", n) for n in sizes), ("epochs", self.epochs), ("batch_size", self.batch_size)]
        for name, count in counts:
            if not isinstance(count, Integral) or count < 1:
                raise ValueError(f"{name} needs integers from 1, got {count!r}")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout is a fraction from 0 to below 1, got {self.dropout!r}")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation is one of {', '.join(map(repr, ACTIVATIONS))}, got {self.activation!r}")
        if self.dtype not in ("float32", "float64"):
            raise ValueError(f"dtype is 'float32' or 'float64', got {self.dtype!r}")
        return sizes

    def _outputs(self, X: Any) -> Array:
        """The outputs of the network for the rows of `X`."""
        check_is_fitted(self)
        return predict(self.model_, validate_data(self, X, dtype=self.dtype, reset=False))


class NetClassifier(ClassifierMixin, _Net):  # type: ignore[misc]  # scikit-learn carries no types
    __doc__ = f"""A classifier with the cross-entropy of softmax as its loss, for two classes or more.

    {(_Net.__doc__ or "").partition("training.")[2].strip()}

    `X` is `(n, features)`, `y` `(n,)` labels of any kind; scikit-learn's own errors say what it cannot take. Afterwards
    `classes_`, `model_`, `history_` and `n_iter_` are there.

    >>> from nn.datasets.points import moons
    >>> X, y = moons(200, rng=0)
    >>> bool(NetClassifier(epochs=60, random_state=0).fit(X, y).score(X, y) > 0.95)
    True
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Learn to tell the classes of the rows of `X`."""
        X, y = validate_data(self, X, y, dtype=self.dtype)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"a classifier needs rows of two classes or more, got one class: {self.classes_[0]!r}")
        self._train(X, labels, len(self.classes_), CrossEntropyLoss(), stratify=True)
        return self

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class: `(n, classes)`, in the order of `classes_`."""
        return np.asarray(softmax(self._outputs(X), -1))

    def predict(self, X: Any) -> Array:
        """The most probable class of each row."""
        outputs = self._outputs(X)
        return np.asarray(self.classes_[outputs.argmax(axis=1)])


class NetRegressor(RegressorMixin, _Net):  # type: ignore[misc]  # scikit-learn carries no types
    __doc__ = f"""A regressor with the mean squared error as its loss, for one target or several.

    {(_Net.__doc__ or "").partition("training.")[2].strip()}

    `X` is `(n, features)`, `y` `(n,)` or `(n, targets)`. Targets are standardized within, features are not: put a
    StandardScaler before. Afterwards `model_`, `history_` and `n_iter_` are there.

    >>> from nn.datasets.points import line
    >>> X, y = line(100, rng=0)
    >>> bool(NetRegressor(random_state=0).fit(X, y).score(X, y) > 0.95)
    True
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Learn to predict `y` from the rows of `X`."""
        X, y = validate_data(self, X, y, dtype=self.dtype, multi_output=True, y_numeric=True)
        self._one_target = y.ndim == 1
        targets = y.reshape(len(y), -1).astype(self.dtype)
        self.target_mean_, scale = sums.mean(targets, 0), np.sqrt(sums.var(targets, 0))
        self.target_scale_ = np.where(scale > 0, scale, np.ones_like(scale))
        targets = (targets - self.target_mean_) / self.target_scale_
        self._train(X, targets, targets.shape[1], MSELoss(), stratify=False)
        return self

    def predict(self, X: Any) -> Array:
        """The targets of each row, in the shape that `y` had."""
        outputs = self._outputs(X) * self.target_scale_ + self.target_mean_
        return np.asarray(outputs[:, 0] if self._one_target else outputs)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
