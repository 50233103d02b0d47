"""Shapes: what the table of cases does not say."""

import numpy as np
import pytest

import autograd as ag
from autograd.arrays.shaping import axes_of, hashable

X = np.arange(6.0).reshape(2, 3)


def test_shapes_may_be_given_in_any_form():
    for result in (ag.reshape(X, 3, 2), ag.reshape(X, (3, 2)), ag.reshape(X, [3, -1]), ag.reshape(X, np.array([3, 2]))):
        assert result.shape == (3, 2)


def test_axes_are_counted_from_either_end():
    assert axes_of(None, 3) == (0, 1, 2)
    assert axes_of(-1, 3) == (2,)
    assert axes_of((0, -1), 3) == (0, 2)
    assert hashable([np.int64(1), 2]) == (1, 2)
    assert hashable(np.int64(3)) == 3


def test_a_broadcast_costs_no_memory_and_its_gradient_is_summed():
    t = ag.Tensor([1.0, 2.0])
    wide = ag.broadcast_to(t, (1000, 2))
    assert wide.data.strides[0] == 0
    wide.sum().backward()
    assert t.grad.tolist() == [1000.0, 1000.0]


def test_the_gradient_of_a_view_is_not_a_view_of_the_seed():
    t = ag.Tensor(X)
    seed = np.ones((3, 2))
    t.T.backward(seed)
    t.grad[:] = 7.0
    assert seed.tolist() == np.ones((3, 2)).tolist()


@pytest.mark.parametrize("dtype", [int, bool, complex, "U1"])
def test_a_cast_to_what_has_no_derivatives_is_refused(dtype):
    with pytest.raises(TypeError, match="would detach from the graph"):
        ag.cast(X, dtype)


def test_a_cast_is_differentiable_through_float32():
    gradient = ag.grad(lambda x: ag.sum(ag.cast(x, np.float32) * 3.0))(X)
    assert gradient.dtype == float
    assert gradient.tolist() == np.full((2, 3), 3.0).tolist()


@pytest.mark.parametrize(
    "f",
    [
        lambda x: ag.take(x, [0], 5),
        lambda x: ag.tensordot(x, x, (5, 5)),
        lambda x: ag.prod(x, 2),
        lambda x: ag.prod(x, -3),
        lambda x: ag.var(x, 2),
        lambda x: ag.flip(x, 2),
        lambda x: ag.swapaxes(x, 0, 2),
        lambda x: ag.repeat(x, 2, 2),
        lambda x: ag.split(x, 1, 2),
        lambda x: ag.sort(x, 2),
        lambda x: ag.cumsum(x, 2),
        lambda x: np.diff(x, axis=2),
    ],
)
def test_no_operation_wraps_an_axis_that_is_not_there(f):
    with pytest.raises((ValueError, IndexError)):
        f(ag.Tensor(X))
