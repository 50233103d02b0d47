"""`Embedding` looks up rows and adds their gradients."""

import numpy as np
import pytest

import autograd as ag
from nn import Embedding


def test_rows_that_are_read_twice_get_both_gradients():
    layer = Embedding(4, 2, rng=0)
    y = layer([1, 3, 1])
    np.testing.assert_array_equal(y.data, layer.weight.data[[1, 3, 1]])
    y.backward(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    assert layer.weight.grad.tolist() == [[0, 0], [6, 8], [0, 0], [3, 4]]


def test_the_padding_row_is_zero_and_stays_so():
    layer = Embedding(4, 2, padding_idx=-3, rng=0)
    assert layer.padding_idx == 1
    layer([0, 1, 1]).sum().backward()
    assert layer.weight.data[1].tolist() == [0.0, 0.0]
    assert layer.weight.grad.tolist() == [[1, 1], [0, 0], [0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("rows", "kind", "match"),
    [
        ([0.0], TypeError, "takes integers, got float64"),
        ([4], ValueError, r"4 is not in 0\.\.3"),
        ([-1], ValueError, r"-1 is not in 0\.\.3"),
    ],
)
def test_rows_that_are_not_there_are_refused(rows, kind, match):
    with pytest.raises(kind, match=match):
        Embedding(4, 2)(rows)
    with pytest.raises(ValueError, match="padding_idx=4 is not one of 4 rows"):
        Embedding(4, 2, padding_idx=4)


def test_it_starts_standard_normal():
    weight = Embedding(300, 200, rng=0).weight.data
    assert weight.std() == pytest.approx(1, abs=0.02)
    assert abs(weight.mean()) < 0.02
    assert isinstance(Embedding(3, 2)([0]), ag.Tensor)
