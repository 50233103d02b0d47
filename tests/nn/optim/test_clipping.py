"""Gradients are clipped in place; that the numbers are PyTorch's is tested in test_against_torch.py."""

import math

import numpy as np
import pytest

from autograd import Tensor, Value
from nn.optim import clip_grad_norm_, clip_grad_value_


def with_gradient(g):
    x = Tensor(np.zeros(np.shape(g)))
    x.grad = np.array(g)
    return x


def test_all_gradients_count_as_one_vector():
    x, y, none = with_gradient([3.0]), Value(0.0), Tensor([1.0])
    y.grad = 4.0
    assert clip_grad_norm_((p for p in (x, y, none)), 1.0) == 5.0
    assert x.grad[0] == pytest.approx(0.6, rel=1e-6)
    assert y.grad == pytest.approx(0.8, rel=1e-6)
    assert none.grad is None


def test_small_gradients_are_left_as_they_are():
    x = with_gradient([3.0, 4.0])
    assert clip_grad_norm_(x, 100.0) == 5.0
    assert x.grad.tolist() == [3.0, 4.0]
    assert clip_grad_norm_([Tensor([1.0])], 1.0) == 0.0


@pytest.mark.parametrize("g", [math.nan, math.inf])
def test_a_norm_that_is_not_finite(g):
    x = with_gradient([1.0, g])
    with pytest.raises(ValueError, match=f"the norm of the gradients is {g}.*detect_anomaly"):
        clip_grad_norm_(x, 1.0, error_if_nonfinite=True)
    assert not math.isfinite(clip_grad_norm_(x, 1.0))
    assert np.isnan(x.grad[1])


def test_values_are_brought_within_bounds():
    x, y = with_gradient([-3.0, 0.5, 2.0]), Value(0.0)
    y.grad = -9.0
    clip_grad_value_([x, y], 1.0)
    assert x.grad.tolist() == [-1.0, 0.5, 1.0]
    assert y.grad == -1.0
