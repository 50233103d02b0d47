"""Sums as exact as a pairwise sum: the oracle adds in long double, or with math.fsum."""

import itertools
import math

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.arrays import norms, sums

RNG = np.random.default_rng(0)
LAYOUTS = {
    "C": lambda x: x,
    "F": np.asfortranarray,
    "transposed": lambda x: x.T,
    "reversed": lambda x: x[::-1],
    "every second": lambda x: np.repeat(x, 2, -1)[..., ::2],
    "broadcast": lambda x: np.broadcast_to(x, (37, *x.shape)),
    "broadcast inside": lambda x: np.broadcast_to(x[..., None], (*x.shape, 50)),
}


def ulps(z, exact):
    """How far `z` is from `exact`, at the most, in units of its dtype's precision."""
    exact = np.asarray(exact)
    return float(np.max(np.abs(z - exact) / np.abs(exact)) / np.finfo(z.dtype).eps) if exact.size else 0.0


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(7,), (1000,), (3000, 3), (3, 3000), (5, 257, 3), (97, 2, 40), (0, 40), (1, 100)])
def test_every_sum_is_as_exact_as_a_pairwise_one(shape, dtype, layout):
    x = LAYOUTS[layout]((RNG.random(shape) * (0.01 if dtype == np.float16 else 1) + 0.001).astype(dtype))
    for r in range(x.ndim + 1):
        for axes in itertools.combinations(range(x.ndim), r):
            axis = axes[0] - x.ndim if r == 1 else None if r == x.ndim else axes
            for keepdims in (False, True):
                z, theirs = sums.add(x, axis, keepdims), np.sum(x, axis, keepdims=keepdims)
                assert (z.shape, z.dtype) == (theirs.shape, theirs.dtype)
                exact = np.sum(np.ascontiguousarray(x, np.longdouble), axis, keepdims=keepdims)
                with np.errstate(invalid="ignore"):
                    assert not ulps(z, exact) > 6.0


def test_ten_million_equal_numbers_have_their_mean():
    x = np.full((1_000_000, 10), 100.3, np.float32)
    assert ulps(ag.mean(x, 0), np.full(10, np.float32(100.3), np.float64)) < 8
    assert ulps(sums.mean(np.full((100_000, 3), 0.1)), 0.1) < 8


def test_infinities_and_nans_add_up_as_everywhere():
    x = np.ones((100, 3))
    x[5], x[70] = (np.inf, np.nan, np.inf), (1, 1, -np.inf)
    with np.errstate(invalid="ignore"):  # inf less inf, of which NumPy's sum warns too
        assert np.array_equal(sums.add(x, 0), [np.inf, np.nan, np.nan], equal_nan=True)


def test_the_gradient_of_a_bias_over_many_rows_is_exact():
    b = ag.Tensor(np.zeros(3, np.float32))
    (b + np.zeros((300_000, 3), np.float32)).backward(np.full((300_000, 3), 0.1, np.float32))
    assert ulps(b.grad, np.full(3, 300_000 * float(np.float32(0.1)))) < 8


def test_float16_neither_stands_still_nor_overflows_on_the_way():
    x = np.ones((100_000, 2), np.float16)
    assert ag.mean(x, 0).tolist() == [1.0, 1.0]
    assert ag.sum(x[:5000], 0).tolist() == [5000.0, 5000.0]
    assert ag.var(np.array([-200, 200] * 1000, np.float16)).tolist() == 40000.0
    assert ag.norm(np.full(10_000, 300, np.float16)).tolist() == 30000.0
    assert ag.grad(ag.mean)(x).max() > 0.0
    assert ag.softmax(np.zeros(70_000, np.float16)).min() > 0.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_sums_inside_losses_and_layers_are_exact(dtype):
    n = 200_000
    x = np.full(n, 1.1, dtype)
    for loss, each in ((nn.MSELoss(), 1.21), (nn.L1Loss(), 1.1), (nn.HuberLoss(), 0.6)):
        got = loss(ag.Tensor(x), np.zeros(n, dtype))
        assert got.dtype == dtype
        assert float(got.data) == pytest.approx(each, rel=8 * float(np.finfo(dtype).eps))
    columns = (100.3 + (np.arange(n) % 2)).astype(dtype)[:, None] * np.ones(3, dtype)
    assert abs(nn.BatchNorm1d(3, affine=False, dtype=dtype)(ag.Tensor(columns)).data.astype(float).mean()) < 1e-2
    _, standardizer = nn.standardize(columns)
    assert ulps(standardizer.mean, columns.astype(np.longdouble).mean(0)) < 8
    assert ulps(standardizer.scale, columns.astype(np.longdouble).std(0)) < 1000  # which a mean so far away conditions


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


@pytest.mark.parametrize("f", [ag.norm, ag.std, lambda x: ag.hypot(x[0], x[1]), lambda x: ag.atan2(x[0], x[1])])
def test_where_the_slope_is_a_convention_there_is_no_second_derivative(f):
    assert ag.grad(f)(np.zeros(2)).tolist() == [0.0, 0.0]
    assert np.isnan(np.diag(ag.hessian(f)(np.zeros(2)))).all()


@pytest.mark.parametrize("x", [[1e16, 1e16], [1e300, 0.0, 1e300], [3.0, 4.0], [-1e20, -1e20]])
def test_slopes_of_logsumexp_add_up_to_1(x):
    for slopes in (
        ag.grad(ag.logsumexp)(np.array(x)),
        ag.grad(lambda *xs: ag.logsumexp(list(xs)), argnums=tuple(range(len(x))))(*x),
    ):
        assert math.fsum(slopes) == pytest.approx(1.0, abs=1e-15)


def test_slopes_of_logsumexp_are_nan_where_they_have_no_value():
    for x in ([np.inf, 0.0], [np.nan, 0.0]):
        assert np.isnan(ag.grad(ag.logsumexp)(np.array(x))[0])
        assert np.isnan(ag.grad(lambda a, b: ag.logsumexp([a, b]))(*x))
    assert ag.grad(ag.logsumexp)(np.array([np.inf, 0.0]))[1] == 0.0


# ---- Far out, where a difference of nearly equal numbers would be left: (function, its first two derivatives), exactly

TAILS = {
    "asin": (ag.asin, 1e-20, (1.0, 1e-20)),
    "acos": (ag.acos, 1e-20, (-1.0, -1e-20)),
    "atanh": (ag.atanh, 1e-20, (1.0, 2e-20)),
    "acosh": (ag.acosh, 1e200, (1e-200, 0.0)),
    "expm1": (ag.expm1, -40.0, (math.exp(-40), math.exp(-40))),
    "elu": (nn.ELU(), -40.0, (math.exp(-40), math.exp(-40))),
    "hypot": (lambda x: ag.hypot(x, 1e-10), 1.0, (1.0, 1e-20)),
    "hypot of much": (lambda x: ag.hypot(x, 1e200), 1e200, (0.5**0.5, 8**-0.5 * 1e-200)),
    "atan2": (lambda y: ag.atan2(y, 1e-150), 1e-150, (5e149, -5e299)),
}


@pytest.mark.parametrize("name", TAILS)
def test_second_derivatives_in_the_tails(name):
    f, x, (first, second) = TAILS[name]
    assert ag.grad(f)(x) == pytest.approx(first, rel=1e-14, abs=0)
    assert ag.grad(ag.grad(f))(x) == pytest.approx(second, rel=1e-14, abs=0)
