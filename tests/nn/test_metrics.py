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


def test_metrics_of_regression_are_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    predicted, targets = RNG.normal(size=(30, 3)), RNG.normal(size=(30, 3)) + 5
    assert mse(predicted, targets) == pytest.approx(metrics.mean_squared_error(targets, predicted))
    assert r2(predicted, targets) == pytest.approx(metrics.r2_score(targets, predicted))
    assert r2(predicted[:, :1], targets[:, 0]) == pytest.approx(metrics.r2_score(targets[:, 0], predicted[:, 0]))
    assert (r2([1.0, 1.0], [1.0, 1.0]), r2([1.0, 2.0], [1.0, 1.0])) == (1.0, 0.0)


def test_metrics_of_what_does_not_belong_together_are_refused():
    for metric in (mse, r2):
        with pytest.raises(ValueError, match=r"got \(3,\) and \(4,\)"):
            metric(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match=r"k from 1, got shapes \(3, 2\) and \(3,\), k=0"):
        top_k(np.zeros((3, 2)), np.zeros(3, int), 0)


NAN = float("nan")


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
@pytest.mark.parametrize("metric", [accuracy, confusion_matrix])
def test_one_number_a_row_needs_a_threshold(metric, shape):
    logits, labels = np.array([2.0, -1.0, 0.3, -0.2]).reshape(shape), np.array([1, 0, 0, 0])
    with pytest.raises(ValueError, match=r"threshold=0\.0 if they are logits, threshold=0\.5 if they are prob"):
        metric(logits, labels)
    expected = metric(np.array([1, 0, 1, 0]), labels)
    np.testing.assert_array_equal(metric(logits, labels, threshold=0.0), expected)
    np.testing.assert_array_equal(metric(1 / (1 + np.exp(-logits)), labels, threshold=0.5), expected)
    np.testing.assert_array_equal(metric(logits > 0, labels), expected)


def test_columns_of_one_meet_columns_and_rows():
    column = np.array([[1], [0], [1]])
    assert accuracy(column, [1, 0, 0]) == accuracy(column, np.array([[1], [0], [0]])) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="ravel one"):
        accuracy([1, 0, 1], column)


def test_whole_floats_are_labels_where_they_can_be_nothing_else():
    assert accuracy([0.0, 1.0, 1.0], [0, 1, 0]) == pytest.approx(2 / 3)
    assert accuracy([0.0, 3.0, 1.0], [0.0, 3.0, 2.0]) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="threshold"):
        accuracy([2.0, -1.0], [1, 0])  # logits that happen to be whole
    with pytest.raises(ValueError, match="a threshold is for one number a row"):
        accuracy(LOGITS, LABELS, threshold=0.5)


def test_a_nan_is_never_right():
    assert accuracy([[NAN, 0.0], [0.0, NAN], [0.0, 1.0]], [0, 1, 1]) == pytest.approx(1 / 3)
    assert accuracy([NAN, 0.7], [0, 1], threshold=0.5) == 0.5
    assert accuracy([NAN, 1.0], [0, 1]) == 0.5
    assert top_k([[NAN, 0.0], [0.0, 1.0]], [0, 1], k=2) == 0.5
    with pytest.raises(ValueError, match="row 1 of the predictions has a nan"):
        confusion_matrix([[0.0, 1.0], [NAN, 0.0]], [0, 1])
    for metric in (mse, r2):
        assert np.isnan(metric([1.0, NAN], [1.0, 2.0]))
        assert np.isnan(metric([1.0, 2.0], [1.0, NAN]))
        assert np.isnan(metric([NAN, 2.0], [2.0, 2.0]))


@pytest.mark.parametrize("label", [-1, 5, -100, 1.5, NAN])
def test_labels_that_are_no_class_are_refused(label):
    labels = np.array([*LABELS[:-1], label])
    for metric in (accuracy, top_k):
        with pytest.raises(ValueError, match=r"label .* is not in 0\.\.4|whole numbers, got 1\.5"):
            metric(LOGITS, labels)


def test_labels_to_ignore_do_not_count():
    labels = np.where(np.arange(40) % 3, LABELS, -100)
    counts = labels != -100
    assert accuracy(LOGITS, labels, ignore_index=-100) == accuracy(LOGITS[counts], LABELS[counts])
    assert np.isnan(accuracy(LOGITS[:2], [-100, -100], ignore_index=-100))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint64, bool, np.float16])
def test_small_and_unsigned_integers_do_not_overflow(dtype):
    scores = np.array([[0, 1], [1, 0], [1, 1]]).astype(dtype)
    assert top_k(scores, [1, 0, 0], k=1) == 1.0
    if dtype != np.float16:
        assert confusion_matrix(np.ones(300, dtype), np.ones(300, dtype)).tolist() == [[0, 0], [0, 300]]
    if np.dtype(dtype).kind == "u":
        big = np.full(3, 200, dtype)
        assert confusion_matrix(big, big)[200, 200] == 3
        assert mse(np.zeros(1, dtype), np.full(1, 200, dtype)) == 40000.0


def test_names_of_classes_are_compared_as_they_are():
    assert accuracy(["cat", "dog"], ["cat", "cat"]) == 0.5
    assert accuracy(np.array(["cat", "dog"], object), ["cat", "dog"]) == 1.0
    with pytest.raises(TypeError, match="labels of one kind"):
        accuracy(["1", "0"], [1, 0])


@pytest.mark.parametrize("metric", [accuracy, confusion_matrix, top_k, mse, r2])
def test_what_are_no_real_numbers_is_refused(metric):
    for wrong in (LOGITS + 1j, [[None, 1.0]] * 40, [[1.0], [1.0, 2.0]]):
        with pytest.raises(TypeError, match=f"{metric.__name__}: .* must be an array of real numbers"):
            metric(wrong, LABELS)


def test_the_share_explained_is_right_at_any_size():
    predicted, targets = RNG.normal(size=30), RNG.normal(size=30)
    for scale in (1e200, 1e-200):
        assert r2(predicted * scale, targets * scale) == pytest.approx(r2(predicted, targets))
