"""Scatter-add: the oracle adds in long double."""

import numpy as np
import pytest

import autograd as ag
import nn

RNG = np.random.default_rng(0)
KEYS = {
    "one place": ((3,), np.zeros(100_000, int)),
    "few rows": ((5, 4), RNG.integers(-5, 5, 20_000)),
    "few of many rows": ((50_000, 4), RNG.integers(0, 3, 20_000)),
    "many rows": ((50, 4), RNG.integers(0, 50, (40, 50))),
    "a column": ((7, 6), (slice(None), RNG.integers(0, 6, 1000))),
    "pairs": ((7, 6), (RNG.integers(-7, 7, 1000), RNG.integers(0, 6, 1000))),
    "a mask": ((7, 60), RNG.random((7, 60)) > 0.5),
    "a place and places": ((4, 3, 2), (1, RNG.integers(0, 3, (50, 4)))),
    "numbers": ((9,), RNG.integers(0, 9, 5000)),
    "numbers from the end": ((9,), RNG.integers(-9, 9, 5000)),
    "empty rows": ((4, 0), np.zeros(500, int)),
    "nothing": ((9,), np.zeros((0,), int)),
}


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", KEYS)
def test_what_falls_into_one_place_is_added_as_exactly_as_pairwise(name, dtype):
    shape, key = KEYS[name]
    y = RNG.random(np.zeros(shape)[key].shape) * 0.1
    y = y.astype(dtype)
    exact = np.zeros(shape, np.longdouble)
    np.add.at(exact, key, y.astype(np.longdouble))
    [slope] = ag.vjp(lambda x: ag.index(x, key), np.zeros(shape, dtype))[1](y)
    assert slope.dtype == dtype
    np.testing.assert_allclose(slope, exact, rtol=4 * float(np.finfo(dtype).eps))


def test_infinities_fall_into_their_places():
    key = np.arange(1000) % 3
    for value in (np.inf, np.nan, 1e305):
        y = np.ones(1000)
        y[0] = value
        [slope] = ag.vjp(lambda x: ag.index(x, key), np.zeros(3))[1](y)
        np.testing.assert_allclose(slope, [value + 333, 333, 333])


def test_the_gradient_of_a_frequent_word_is_exact():
    layer = nn.Embedding(3, 2)
    layer(np.zeros(300_000, int)).backward(np.full((300_000, 2), 0.1, np.float32))
    np.testing.assert_allclose(layer.weight.grad[0], 300_000 * float(np.float32(0.1)), rtol=1e-6)
    [slope] = ag.vjp(lambda x: ag.take_along_axis(x, np.zeros((2, 100_000), int), 1), np.zeros((2, 3), np.float32))[1](
        np.full((2, 100_000), 0.1, np.float32)
    )
    np.testing.assert_allclose(slope[:, 0], 100_000 * float(np.float32(0.1)), rtol=1e-6)
