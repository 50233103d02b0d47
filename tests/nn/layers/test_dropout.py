"""`Dropout` zeroes at random, from a generator of its own, whose state can be saved."""

import copy
import pickle

import numpy as np
import pytest

import autograd as ag
from nn import Dropout, Sequential


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_that_falls_is_p_and_the_mean_is_kept(p):
    x = ag.Tensor(np.ones(100_000, np.float32))
    y = Dropout(p, rng=0)(x)
    assert y.dtype == np.float32
    assert (y.data == 0).mean() == pytest.approx(p, abs=0.01)
    assert set(np.unique(y.data)) == {0.0, np.float32(1 / (1 - p))}
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, y.data)


def test_evaluation_and_p_0_leave_the_input_alone_and_p_1_nothing():
    x = ag.Tensor(np.ones(5))
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x
    assert Dropout(1.0)(x).tolist() == [0.0] * 5


def test_a_seed_repeats_all_and_no_global_state_is_touched():
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    x = np.ones(50)
    one, two = Dropout(rng=3), Dropout(rng=3)
    first, second = one(x), one(x)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal([two(x), two(x)], [first, second])
    assert np.array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["copy", "pickle"])
def test_a_saved_state_resumes_where_it_was(duplicate):
    model, x = Sequential(Dropout(rng=0)), np.ones(50)
    model(x)
    state = copy.deepcopy(model[0].rng.bit_generator.state)
    other = duplicate(model)
    after = model(x)
    np.testing.assert_array_equal(other(x), after)
    model[0].rng.bit_generator.state = state
    np.testing.assert_array_equal(model(x), after)


@pytest.mark.parametrize("p", [-0.1, 1.5])
def test_p_is_a_probability(p):
    with pytest.raises(ValueError, match="Dropout: p must be a number from 0 to 1, got"):
        Dropout(p)
