"""Joining and splitting."""

import numpy as np
import pytest

import autograd as ag


def test_scalars_of_every_kind_stack():
    v, t = ag.Value(2.0), ag.Tensor(3.0)
    y = ag.stack([v, 1.0, t, np.float64(4.0)])
    assert y.tolist() == [2.0, 1.0, 3.0, 4.0]
    (y * np.array([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert v.grad == 1.0
    assert t.grad == 3.0


def test_stacks_of_many_are_one_node():
    parts = [ag.Tensor([float(k)]) for k in range(500)]
    y = ag.concatenate(parts)
    assert len(y.parents) == 500
    y.sum().backward()
    assert all(part.grad.tolist() == [1.0] for part in parts)


def test_one_tensor_twice():
    t = ag.Tensor([1.0, 2.0])
    (ag.concatenate([t, t]) * np.array([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert t.grad.tolist() == [4.0, 6.0]


def test_parts_of_a_split_join_again():
    t = ag.Tensor(np.arange(12.0).reshape(3, 4))
    for parts, axis in ((ag.split(t, 2, 1), 1), (ag.split(t, [1], 0), 0), (ag.split(t, [0, 2, 2], 0), 0)):
        np.testing.assert_array_equal(ag.concatenate(parts, axis).data, t.data)


def test_an_uneven_split_says_so():
    with pytest.raises(ValueError, match="split: an axis of length 5 does not divide into 2 equal sections"):
        ag.split(np.zeros(5), 2)


def test_mixed_dtypes_give_each_part_a_gradient_of_its_own():
    x, y = ag.Tensor(np.float32([1.0])), ag.Tensor([2.0])
    ag.concatenate([x, y]).sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)
