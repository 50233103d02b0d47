"""Metrics are counts, checked against scikit-learn's and by hand."""

import numpy as np
import pytest

import autograd as ag
from nn import accuracy, confusion_matrix, mse, r2, top_k

RNG = np.random.default_rng(0)
LOGITS, LABELS = RNG.normal(size=(40, 5)), RNG.integers(0, 5, 40)


def test_accuracy_is_the_share_that_is_right():
    assert accuracy([0, 1, 2, 2], [0, 1, 1, 2]) == 0.75
    assert accuracy(LOGITS, LABELS) == np.mean(LOGITS.argmax(1) == LABELS)
    assert accuracy(ag.Tensor(LOGITS), LABELS) == accuracy(LOGITS, LABELS)


def test_the_confusion_matrix_is_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    predicted = LOGITS.argmax(1)
    expected = metrics.confusion_matrix(LABELS, predicted, labels=range(5))
    np.testing.assert_array_equal(confusion_matrix(predicted, LABELS), expected)
    np.testing.assert_array_equal(confusion_matrix(LOGITS, LABELS), expected)
    assert confusion_matrix(LOGITS, LABELS).trace() / 40 == accuracy(LOGITS, LABELS)
    assert confusion_matrix([0], [1], classes=3).shape == (3, 3)


@pytest.mark.parametrize("metric", [accuracy, confusion_matrix])
@pytest.mark.parametrize("shapes", [((3,), (4,)), ((3, 2), (3, 1)), ((3, 2, 2), (3,)), ((0,), (0,)), ((3, 0), (3,))])
def test_shapes_that_do_not_fit_are_refused(metric, shapes):
    predictions, labels = (np.zeros(shape, int) for shape in shapes)
    with pytest.raises(ValueError, match=f"{metric.__name__} needs predictions .* got shapes") as error:
        metric(predictions, labels)
    assert all(str(shape) in str(error.value) for shape in shapes)


def test_classes_out_of_range_are_refused():
    with pytest.raises(ValueError, match="of 2 classes: there are labels from 0 to 2"):
        confusion_matrix([0, 2], [0, 1], classes=2)
    with pytest.raises(ValueError, match="from -1"):
        confusion_matrix([0, -1], [0, 1])
    with pytest.raises(TypeError, match=r"got labels of float64: use \.astype\(int\)"):
        confusion_matrix([0, 1], [0.0, 1.0])


@pytest.mark.parametrize("k", [1, 2, 4])
def test_top_k_is_scikit_learns(k):
    metrics = pytest.importorskip("sklearn.metrics")
    assert top_k(LOGITS, LABELS, k) == pytest.approx(metrics.top_k_accuracy_score(LABELS, LOGITS, k=k, labels=range(5)))
    assert top_k(ag.Tensor(LOGITS), LABELS, 1) == accuracy(LOGITS, LABELS)


def test_figures_of_regression_are_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    predicted, targets = RNG.normal(size=(30, 3)), RNG.normal(size=(30, 3)) + 5
    assert mse(predicted, targets) == pytest.approx(metrics.mean_squared_error(targets, predicted))
    assert r2(predicted, targets) == pytest.approx(metrics.r2_score(targets, predicted))
    assert r2(predicted[:, :1], targets[:, 0]) == pytest.approx(metrics.r2_score(targets[:, 0], predicted[:, 0]))
    assert (r2([1.0, 1.0], [1.0, 1.0]), r2([1.0, 2.0], [1.0, 1.0])) == (1.0, 0.0)


def test_figures_of_what_does_not_belong_together_are_refused():
    for metric in (mse, r2):
        with pytest.raises(ValueError, match=r"got \(3,\) and \(4,\)"):
            metric(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match=r"k from 1, got shapes \(3, 2\) and \(3,\), k=0"):
        top_k(np.zeros((3, 2)), np.zeros(3, int), 0)
