"""Sums as exact as a pairwise sum: the oracle adds in long double, or with math.fsum."""

import itertools

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.arrays import sums

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
