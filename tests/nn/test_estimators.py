"""The estimators are scikit-learn's in every respect that it checks, and work where its own do."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingRandomSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import nn
from nn.estimators import NetClassifier, NetRegressor

X, Y = nn.moons(120, noise=0.1, rng=0)


@pytest.mark.parametrize("kind", [NetClassifier, NetRegressor])
def test_scikit_learn_s_own_checks_pass_without_exception(kind):
    results = check_estimator(kind(), on_fail=None, on_skip=None)
    assert len(results) > 40
    assert [result["check_name"] for result in results if result["status"] not in ("passed", "skipped")] == []
    # What it skips by itself needs something else installed.
    skipped = {result["check_name"]: str(result["exception"]) for result in results if result["status"] == "skipped"}
    assert all("not installed" in why or "SCIPY_ARRAY_API" in why for why in skipped.values()), skipped
    assert not any(result["expected_to_fail"] for result in results)


def test_a_pipeline_is_cross_validated():
    model = make_pipeline(StandardScaler(), NetClassifier(epochs=40, lr=0.01, random_state=0))
    assert cross_val_score(model, X, Y, cv=3).min() > 0.9


def test_a_grid_is_searched_and_the_better_setting_found():
    search = GridSearchCV(NetClassifier(epochs=30, random_state=0), {"lr": [1e-6, 1e-2]}, cv=3).fit(X, Y)
    assert search.best_params_ == {"lr": 1e-2}
    assert search.score(X, Y) > 0.9


def test_halving_gives_more_epochs_to_what_promises_more():
    search = HalvingRandomSearchCV(
        NetClassifier(random_state=0),
        {"lr": [1e-6, 1e-4, 1e-2], "hidden_layer_sizes": [(8,), (16, 16)]},
        resource="epochs",
        max_resources=24,
        min_resources=4,
        cv=3,
        random_state=0,
    ).fit(X, Y)
    assert search.best_params_["lr"] == 1e-2
    assert search.n_resources_[-1] > search.n_resources_[0]


def test_labels_of_any_kind_and_probabilities():
    names = np.array(["upper", "lower"])[Y]
    model = NetClassifier(epochs=60, lr=0.01, random_state=0).fit(X, names)
    assert model.classes_.tolist() == ["lower", "upper"]
    assert np.mean(model.predict(X) == names) > 0.9
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    np.testing.assert_array_equal(model.classes_[probabilities.argmax(axis=1)], model.predict(X))


def test_one_target_or_several_of_any_scale():
    x, y = nn.datasets.line(200, slope=5e4, intercept=1e6, noise=100.0, rng=0)
    assert NetRegressor(random_state=0).fit(x, y[:, 0]).predict(x).shape == (200,)
    both = np.hstack([y, -y / 1e6])
    model = NetRegressor(random_state=0).fit(x, both)
    assert model.predict(x).shape == (200, 2)
    assert model.score(x, both) > 0.95
    assert NetRegressor(random_state=0, epochs=2).fit(x, np.full(200, 7.0)).predict(x) == pytest.approx(7.0, abs=2.0)


def test_a_seed_repeats_all_and_a_clone_is_unfitted():
    model = NetClassifier(epochs=3, dropout=0.2, random_state=3).fit(X, Y)
    again = clone(model)
    with pytest.raises(NotFittedError):
        again.predict(X)
    np.testing.assert_array_equal(again.fit(X, Y).predict_proba(X), model.predict_proba(X))
    other = clone(model).set_params(random_state=4).fit(X, Y)
    assert not np.array_equal(other.predict_proba(X), model.predict_proba(X))


def test_early_stopping_ends_before_the_last_epoch():
    model = NetClassifier(epochs=500, lr=0.05, early_stopping=True, patience=3, validation_fraction=0.2, random_state=0)
    model.fit(X, Y)
    assert 3 < model.n_iter_ < 500
    assert "valid_loss" in model.history_.epochs
    with pytest.raises(ValueError, match="early_stopping holds out"):
        model.set_params(validation_fraction=0.001).fit(X, Y)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"activation": "step"}, "activation is one of 'relu', 'tanh', 'sigmoid', got 'step'"),
        ({"hidden_layer_sizes": (8, 0)}, "hidden_layer_sizes needs integers from 1, got 0"),
        ({"batch_size": 0.5}, r"batch_size needs integers from 1, got 0\.5"),
        ({"dropout": 1.0}, r"dropout is a fraction from 0 to below 1, got 1\.0"),
        ({"dtype": "int64"}, "dtype is 'float32' or 'float64', got 'int64'"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_by_fit(wrong, message):
    with pytest.raises(ValueError, match=message):
        NetClassifier(**wrong).fit(X, Y)


@pytest.mark.parametrize("sizes", [(), 5, [4, 4]])
def test_layers_may_be_none_one_or_several(sizes):
    model = NetClassifier(sizes, epochs=1, dtype="float32").fit(X, Y)
    assert model.predict(X).shape == Y.shape
    assert model.model_[0].weight.dtype == np.float32


def test_without_scikit_learn_the_extra_is_named():
    program = "import sys; sys.modules['sklearn'] = None; import nn.estimators"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True
    )
    assert "ImportError: this needs scikit-learn" in done.stderr
    assert "pip install scikit-learn" in done.stderr
