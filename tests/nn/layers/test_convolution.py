"""`Conv2d` starts from PyTorch's distribution, and refuses what does not fit."""

import numpy as np
import pytest

import autograd as ag
from nn import AvgPool2d, Conv2d, MaxPool2d


def test_starting_values_are_uniform_within_one_over_root_k():
    layer = Conv2d(8, 500, (3, 5), groups=2, rng=0)
    bound = 1 / np.sqrt(4 * 15)
    assert layer.weight.shape == (500, 4, 3, 5)
    for values in (layer.weight.data, layer.bias.data):
        assert 0.98 * bound < np.abs(values).max() <= bound
        assert values.std() == pytest.approx(bound / np.sqrt(3), rel=0.06)
    assert np.array_equal(Conv2d(1, 2, 3, rng=7).weight.data, Conv2d(1, 2, 3, rng=7).weight.data)


def test_float32_is_the_default_and_data_is_taken_in_it():
    layer = Conv2d(1, 2, 3)
    y = layer(np.ones((1, 1, 4, 4)))
    assert y.dtype == np.float32
    y.sum().backward()
    assert layer.weight.grad.dtype == np.float32


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Conv2d(3, 4, 3, groups=2), "groups=2 does not divide in_channels=3"),
        (lambda: Conv2d(4, 5, 3, groups=2), "groups=2 does not divide out_channels=5"),
        (lambda: Conv2d(0, 4, 3), "in_channels must be a positive integer, got 0"),
        (lambda: Conv2d(1, 4, 0), "Conv2d: kernel_size is an integer of at least 1"),
        (lambda: Conv2d(1, 4, 3, padding="full"), "got 'full'"),
        (lambda: MaxPool2d((1, 2, 3)), "MaxPool2d: kernel_size"),
        (lambda: AvgPool2d(2, stride=0), "AvgPool2d: stride .* got 0"),
        (
            lambda: Conv2d(3, 4, 3)(np.ones((2, 5, 5, 3))),
            r"Conv2d\(3, 4.* of 3 channels, got shape \(2, 5, 5, 3\): .*transpose",
        ),
        (lambda: Conv2d(3, 4, 3)(np.ones((5, 5))), r"got shape \(5, 5\)"),
        (lambda: Conv2d(3, 4, 3)(np.ones((1, 3, 2, 5))), "no window of 3x3 fits into images of 2x5"),
    ],
)
def test_what_does_not_fit_is_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_one_graph_node():
    layer = Conv2d(1, 2, 3)
    assert layer(np.ones((1, 1, 4, 4))).inputs[1:] == (layer.weight, layer.bias)


def test_averaging_all_is_a_mean():
    x = ag.Tensor(np.random.default_rng(0).normal(size=(2, 3, 4, 4)))
    np.testing.assert_allclose(AvgPool2d(4)(x).data[..., 0, 0], x.data.mean((2, 3)))
