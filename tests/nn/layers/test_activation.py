"""Activations are the engine's functions, as modules."""

import math

import numpy as np
import pytest

import autograd as ag
from nn import ELU, GELU, ReLU, Sigmoid, SiLU, Softplus, Tanh


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


# ---- Far out: (value, slope, second derivative) at x, exactly


def gelu(x):
    """By the continued fraction of Mills' ratio, for x of -4 and less; on the other side by symmetry."""
    far, ratio = abs(x), 0.0
    for k in range(200, 0, -1):
        ratio = k / (far + ratio)
    density = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    below = density / (far + ratio)
    if x > 0:
        below = 1 - below
    return x * below, below + x * density, (2 - x * x) * density


def gelu_by_tanh(x):
    a, b = math.sqrt(8 / math.pi), 0.044715
    t, slope, curve = a * (x + b * x**3), a * (1 + 3 * b * x * x), a * 6 * b * x
    e = math.exp(-abs(t))
    s, both = (e if t < 0 else 1) / (1 + e), e / (1 + e) ** 2
    less = (1 - e) / (1 + e) * (1 if t < 0 else -1)  # 1 - 2s
    return x * s, s + x * both * slope, both * (2 * slope + x * (slope * slope * less + curve))


def silu(x):
    e = math.exp(-abs(x))
    s, both, less = (e if x < 0 else 1) / (1 + e), e / (1 + e) ** 2, (1 - e) / (1 + e) * (1 if x < 0 else -1)
    return x * s, s + x * both, both * (2 + x * less)


def softplus(x):
    e = math.exp(-abs(x))
    return max(x, 0) + math.log1p(e), (e if x < 0 else 1) / (1 + e), e / (1 + e) ** 2


def elu(x):
    return (math.expm1(x), math.exp(x), math.exp(x)) if x < 0 else (x, 1.0, 0.0)


TAILS = {
    "GELU": (GELU(), gelu),
    "GELU by tanh": (GELU("tanh"), gelu_by_tanh),
    "SiLU": (SiLU(), silu),
    "softplus": (ag.softplus, softplus),
    "Softplus": (Softplus(threshold=np.inf), softplus),
    "ELU": (ELU(), elu),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TAILS)
def test_tails_keep_their_digits(name, dtype):
    f, exact = TAILS[name]
    x = np.array([-12.0, -8.0, -5.5, -4.0, 4.0, 8.0, 12.0], dtype)
    if name == "GELU by tanh":
        x = np.array([-7.0, -5.5, -4.0, -2.0, 2.0, 4.0, 5.5, 7.0], dtype)
    total = lambda x: f(x).sum()
    got = f(ag.Tensor(x)).data, ag.grad(total)(x), np.diag(ag.hessian(total)(x))
    eps = float(np.finfo(dtype).eps)
    for order, (ours, theirs) in enumerate(zip(got, zip(*map(exact, x.tolist()), strict=True), strict=True)):
        # exponents are rounded before exponentials are taken; right of 0 second derivatives are differences from 1
        np.testing.assert_allclose(ours, theirs, rtol=400 * eps, atol=0 if order < 2 else 1000 * eps)
        assert ours.dtype == dtype
        left = x < 0
        np.testing.assert_allclose(ours[left], np.array(theirs)[left], rtol=400 * eps)


@pytest.mark.parametrize("name", TAILS)
def test_far_out_activations_are_flat_or_the_identity(name):
    f = TAILS[name][0]
    for x in (np.array([1e3, 1e12]), np.array([1e3, 1e12], np.float32)):
        for derivative in (f, ag.grad(lambda x: f(x).sum())):
            values = derivative(x), derivative(-x)
            assert np.isfinite(values).all()
        assert values[0].tolist() == [1.0, 1.0]
        assert values[1].tolist() == [0.0, 0.0]
        assert np.isfinite(ag.hessian(lambda x: f(x).sum())(np.concatenate([x, -x]))).all()
