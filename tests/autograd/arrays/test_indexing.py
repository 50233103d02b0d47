"""Indices: repeated ones, ones that fall on each other, and what is no index."""

import numpy as np
import pytest

import autograd as ag

X = np.arange(6.0).reshape(2, 3)


def test_elements_read_more_than_once_accumulate():
    t = ag.Tensor([1.0, 2.0, 3.0])
    (t[[0, 0, 2]] * np.array([1.0, 10.0, 100.0])).sum().backward()
    assert t.grad.tolist() == [11.0, 0.0, 100.0]


def test_an_embedding_is_a_gather():
    table, words = ag.Tensor(np.arange(8.0).reshape(4, 2)), np.array([[0, 3], [3, 3]])
    ag.take(table, words, 0).sum().backward()
    assert table.grad.tolist() == [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [3.0, 3.0]]


def test_where_an_update_names_an_element_twice_the_last_one_wins_and_gets_the_cotangent():
    x, y = ag.Tensor(np.zeros(3)), ag.Tensor([1.0, 2.0])
    z = ag.index_update(x, [1, 1], y)
    assert z.tolist() == [0.0, 2.0, 0.0]
    z.sum().backward()
    assert x.grad.tolist() == [1.0, 0.0, 1.0]
    assert y.grad.tolist() == [0.0, 1.0]


def test_an_update_leaves_its_input_alone():
    x = np.zeros(3)
    t = ag.Tensor(x)
    ag.index_update(t, 0, 5.0)
    assert x.tolist() == [0.0, 0.0, 0.0]


def test_an_update_of_float32_by_a_number_stays_float32():
    assert ag.index_update(ag.Tensor(np.zeros(3, np.float32)), 0, 5.0).dtype == np.float32


def test_sorting_sends_each_cotangent_home():
    t = ag.Tensor([3.0, 1.0, 2.0])
    (ag.sort(t) * np.array([1.0, 10.0, 100.0])).sum().backward()
    assert t.grad.tolist() == [100.0, 1.0, 10.0]


def test_what_triangles_leave_out_gets_nothing():
    t = ag.Tensor(np.full((2, 2), np.inf))
    ag.tril(t).sum().backward()
    assert t.grad.tolist() == [[1.0, 0.0], [1.0, 1.0]]


@pytest.mark.parametrize("key", [7, (0, 0, 0), "a", 1.5, np.array([0.5]), [0, 9]])
def test_what_is_no_index_of_it_is_an_index_error(key):
    with pytest.raises((IndexError, TypeError, ValueError)):
        ag.Tensor(X)[key]


@pytest.mark.parametrize("key", [ag.Value(1.0), (0, ag.Value(1.0)), ag.Tensor([1.0])])
def test_a_node_is_no_index(key):
    with pytest.raises(TypeError, match="an index must be integers, booleans or slices"):
        ag.index(X, key)
    with pytest.raises(TypeError, match="an index must be integers, booleans or slices"):
        ag.index_update(X, key, 0.0)


def test_an_unknown_mode_of_padding_is_an_error():
    with pytest.raises(ValueError, match="nonsense"):
        ag.pad(ag.Tensor(X), 1, mode="nonsense")
