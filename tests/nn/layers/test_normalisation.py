"""Normalization gives mean 0 and variance 1, and what it remembers is part of the state."""

import numpy as np
import pytest

import autograd as ag
from nn import BatchNorm1d, BatchNorm2d, LayerNorm, Sequential

X = np.random.default_rng(0).normal(3.0, 2.0, (8, 4, 5, 6))


def test_each_feature_has_mean_0_and_variance_1_over_the_batch():
    y = BatchNorm2d(4, eps=0.0).to(np.float64)(X).data
    np.testing.assert_allclose(y.mean((0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var((0, 2, 3)), 1)
    y = LayerNorm(6, eps=0.0).to(np.float64)(X).data
    np.testing.assert_allclose(y.mean(-1), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(-1), 1)


def test_statistics_are_buffers_which_are_saved_and_converted():
    layer = BatchNorm1d(4)
    layer(X[:, :, 0, 0])
    state = layer.state_dict()
    assert list(state) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert state["num_batches_tracked"] == 1
    assert state["num_batches_tracked"].dtype == np.int64
    np.testing.assert_allclose(state["running_mean"], 0.1 * X[:, :, 0, 0].mean(0), rtol=1e-5)
    np.testing.assert_allclose(state["running_var"], 0.9 + 0.1 * X[:, :, 0, 0].var(0, ddof=1), rtol=1e-5)
    other = BatchNorm1d(4)
    other.load_state_dict(state)
    x = X[:, :, 1, 1]
    np.testing.assert_array_equal(layer.eval()(x).data, other.eval()(x).data)
    assert [b.data.dtype for b in other.to(np.float64).buffers()] == [np.float64, np.float64, np.int64]


def test_evaluation_changes_nothing_and_looks_at_one_example_at_a_time():
    layer = BatchNorm2d(4)
    layer(X)
    before = layer.eval().state_dict()
    y = layer(X).data
    np.testing.assert_allclose(layer(X[:1]).data, y[:1], rtol=1e-6)
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_the_state_of_a_batch_is_a_copy():
    layer = BatchNorm1d(4)
    before = layer.state_dict()
    layer(X[:, :, 0, 0])
    assert before["num_batches_tracked"] == 0
    assert (before["running_mean"] == 0).all()


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: BatchNorm1d(3)(X[..., 0, 0]), r"takes \(n, 3\) or \(n, 3, length\), got shape \(8, 4\)"),
        (lambda: BatchNorm2d(4)(X[0]), r"takes \(n, 4, h, w\), got shape \(4, 5, 6\)"),
        (lambda: BatchNorm1d(4)(X[:1, :, 0, 0]), r"one number a feature, got shape \(1, 4\): use a larger batch"),
        (lambda: LayerNorm((5, 5))(X), r"last axes of shape \(5, 5\), got shape \(8, 4, 5, 6\)"),
        (lambda: LayerNorm(()), "normalized_shape"),
        (lambda: BatchNorm1d(0), "num_features"),
    ],
)
def test_what_does_not_fit_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_transforms_see_through_a_model_with_buffers():
    model = Sequential(BatchNorm1d(2)).to(np.float64)
    gradient = ag.grad(lambda model: (model(np.array([[1.0, 2.0], [3.0, 5.0]])) ** 2).sum())(model)
    assert list(gradient) == ["0.weight", "0.bias"]
