"""Activations are the engine's functions, as modules."""

import numpy as np
import pytest

import autograd as ag
from nn import ReLU, Sigmoid, Tanh


@pytest.mark.parametrize("kind", [ReLU, Tanh, Sigmoid])
def test_values_and_gradients_are_torchs(kind):
    torch = pytest.importorskip("torch")
    x = np.array([-1e4, -2.0, -0.5, 0.0, 0.5, 2.0, 1e4], np.float32)
    mine, theirs = ag.Tensor(x), torch.tensor(x, requires_grad=True)
    y, z = kind()(mine), getattr(torch.nn, kind.__name__)()(theirs)
    y.sum().backward()
    z.sum().backward()
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-6)
    np.testing.assert_allclose(mine.grad, theirs.grad.numpy(), rtol=1e-5)
    assert y.dtype == np.float32
    assert not list(kind().parameters())
    assert repr(kind()) == f"{kind.__name__}()"
