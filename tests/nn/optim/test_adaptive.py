"""Lion takes the steps of its paper; PyTorch, against which the others are tested, has none."""

import numpy as np
import pytest

from autograd import Tensor
from nn import Lion


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_lion_is_algorithm_2_of_chen_et_al(dtype, weight_decay, rng):
    lr, beta1, beta2 = 0.01, 0.8, 0.95
    start, target = rng.normal(size=(2, 5)).astype(dtype)
    x, theta, m = Tensor(start.copy()), start.copy(), np.zeros(5, dtype)
    optimizer = Lion([x], lr, (beta1, beta2), weight_decay)
    for _ in range(10):
        optimizer.zero_grad()
        ((x - target) ** 2).sum().backward()
        optimizer.step()
        g = 2 * (theta - target)
        update = np.sign(beta1 * m + (1 - beta1) * g)
        theta = theta - lr * (update + weight_decay * theta)
        m = beta2 * m + (1 - beta2) * g
        np.testing.assert_allclose(x.data, theta, rtol=1e-12 if dtype == np.float64 else 1e-6)


def test_lion_leaves_alone_what_has_no_slope():
    x = Tensor([1.0, 2.0])
    optimizer = Lion([x], lr=0.5)
    x.grad = np.array([0.0, 1e-30])
    optimizer.step()
    assert x.tolist() == [1.0, 1.5]
