"""Norms over all floats: scaled ones, and NumPy's, as oracles."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.arrays import norms


def test_the_norm_of_gradients_neither_overflows_nor_adds_naively():
    for dtype, value in ((np.float16, 300.0), (np.float32, 1e30), (np.float64, 1e200), (np.float64, 1e-200)):
        p = ag.Tensor(np.zeros(40_000, dtype))
        p.grad = np.full(40_000, value, dtype)
        assert nn.clip_grad_norm_([p], 1.0) == pytest.approx(200 * float(p.dtype.type(value)), rel=1e-5)
        assert float(norms.euclidean(p.grad.astype(float))) == pytest.approx(min(1.0, 200 * value), rel=1e-2)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1.0, 1e160, 1e300])
@pytest.mark.parametrize("p", [None, 1, 0.5, 1.5, 3, -1, -2.5, np.inf, -np.inf])
def test_norms_and_their_slopes_know_no_scale(p, scale):
    x = np.array([[3.0, -4.0, 1.5], [1.0, 2.0, -2.0]])
    np.testing.assert_allclose(ag.norm(x * scale, p, -1) / scale, np.linalg.norm(x, p, -1), rtol=1e-14)
    slopes = ag.jacobian(lambda x: ag.norm(x, p, -1))
    np.testing.assert_allclose(slopes(x * scale), slopes(x), rtol=1e-13)


@pytest.mark.parametrize("p", [2, 1, 0.5, 1.5, 3, -1, np.inf])
def test_the_slope_of_a_norm_is_0_at_0(p):
    assert ag.grad(lambda x: ag.norm(x, p))(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]
    assert np.isfinite(ag.grad(lambda x: ag.norm(x, p))(np.array([0.0, 1.0]))).all()
