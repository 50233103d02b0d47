"""Reductions: large and empty arrays, infinities, and what has no rule."""

import math

import numpy as np
import pytest

import autograd as ag
from autograd.graph import ancestors


@pytest.mark.parametrize("shift", [0.0, 1e4, -1e4])
def test_the_softmax_family_neither_overflows_nor_underflows(shift):
    x = np.array([0.0, 1.0, 2.0])
    expected = np.exp(x) / np.exp(x).sum()
    np.testing.assert_allclose(ag.softmax(x + shift), expected, rtol=1e-9)
    np.testing.assert_allclose(ag.log_softmax(x + shift), np.log(expected), rtol=1e-9)
    np.testing.assert_allclose(ag.grad(ag.logsumexp)(x + shift), expected, rtol=1e-9)


def test_the_softmax_family_is_that_of_scipy():
    special = pytest.importorskip("scipy.special")
    x = np.random.default_rng(0).normal(size=(3, 4)) * 30
    np.testing.assert_allclose(ag.softmax(x, 0), special.softmax(x, 0), rtol=1e-13)
    np.testing.assert_allclose(ag.log_softmax(x), special.log_softmax(x, -1), rtol=1e-12)
    np.testing.assert_allclose(ag.logsumexp(x, 1), special.logsumexp(x, 1), rtol=1e-14)


def test_derivatives_of_the_softmax_family_are_those_of_torch():
    torch = pytest.importorskip("torch")
    x, w = np.random.default_rng(0).normal(size=(2, 3, 4))
    for ours, theirs in ((ag.softmax, torch.softmax), (ag.log_softmax, torch.log_softmax)):
        for axis in (0, 1):
            t = torch.tensor(x, requires_grad=True)
            (theirs(t, axis) * torch.tensor(w)).sum().backward()
            gradient = ag.grad(lambda x, axis=axis, ours=ours: ag.sum(ours(x, axis) * w))(x)
            np.testing.assert_allclose(gradient, t.grad.numpy(), rtol=1e-12, atol=1e-14)


def test_a_product_of_many_takes_few_nodes():
    t = ag.Tensor(np.linspace(0.9, 1.1, 1000))
    y = ag.prod(t)
    assert len(ancestors(y)) < 70
    y.backward()
    np.testing.assert_allclose(t.grad, y.item() / t.data, rtol=1e-10)


@pytest.mark.parametrize(
    ("elements", "dtype"),
    [
        ([1e200, 1e-200, 1e200, 1e-200], np.float64),
        ([1e200, 1e200, 1e-200, 1e-200], np.float64),
        ([1e-30, 1e30, 1e-30, 1e30, 2.0], np.float32),
        ([600.0, 600.0, 0.001], np.float16),
        ([60000.0, 60000.0, 0.0], np.float16),
        ([], np.float16),
    ],
)
def test_a_product_overflows_where_numpys_does(elements, dtype):
    x = np.array(elements, dtype)
    with np.errstate(over="ignore"):
        for f in (np.prod, ag.prod, lambda t: t.prod(), np.multiply.reduce):
            result = f(ag.Tensor(x))
            np.testing.assert_array_equal(result.data, np.prod(x))
            assert result.dtype == dtype
        if 1e-3 < np.prod(x) < 100.0:
            np.testing.assert_allclose(ag.grad(np.prod)(x) * x.astype(float), np.prod(x), rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (-1, 0), (), (1,)])
def test_derivatives_of_a_product_are_right_whatever_its_length(axis):
    rng = np.random.default_rng(0)
    for shape in ((2, 3, 4), (1, 1, 5), (7, 1, 2)):
        x = rng.normal(size=shape)
        x.reshape(-1)[::4] = 0.0
        ag.gradcheck(lambda x: ag.prod(x, axis=axis), x, order=2)  # called at once


@pytest.mark.parametrize("f", [ag.sum, ag.mean, ag.max, ag.prod, ag.norm, ag.logsumexp, ag.std])
def test_an_axis_that_is_not_there_is_an_error(f):
    with pytest.raises((ValueError, IndexError)):
        f(ag.Tensor(np.ones((2, 2))), axis=5)


@pytest.mark.parametrize("f", [ag.max, ag.min])
def test_the_maximum_of_nothing_is_an_error_that_names_it(f):
    with pytest.raises(ValueError, match=r"m(ax|in).*shape \(0,\)"):
        f(ag.Tensor(np.ones(0)))


def test_an_order_of_norm_without_a_rule_is_an_error():
    with pytest.raises(ValueError, match="norm has no rule for ord='nuc'"):
        ag.norm(ag.Tensor(np.ones((2, 2))), "nuc")


def test_norms_along_an_axis_with_a_row_of_zeros_have_slope_zero_there():
    t = ag.Tensor([[3.0, 4.0], [0.0, 0.0]])
    ag.norm(t, axis=1).sum().backward()
    np.testing.assert_allclose(t.grad, [[0.6, 0.8], [0.0, 0.0]])


def test_second_derivatives_of_a_norm():
    torch = pytest.importorskip("torch")
    x = np.array([1.0, 2.0, -2.0])
    expected = torch.autograd.functional.hessian(torch.linalg.norm, torch.tensor(x)).numpy()
    np.testing.assert_allclose(ag.hessian(ag.norm)(x), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("f", [ag.norm, ag.std, lambda x: ag.norm(x, 3.0)], ids=["norm", "std", "3-norm"])
@pytest.mark.filterwarnings("error")
def test_a_norm_of_complex_numbers_does_not_lose_a_part_in_silence(f):
    with pytest.raises(TypeError, match=r"real numbers.*complex128"):
        f(np.array([1.0 + 1.0j, 2.0]))
    assert f(np.array([3, 3], np.int8)) == f(np.array([3.0, 3.0]))


@pytest.mark.parametrize("p", [-3.5, -1.0, 0.5, 1.5, 2.5, 3.0])
def test_second_derivatives_of_norms_are_none_where_their_slopes_are_a_convention(p):
    for x in ([1.0, 0.0, -2.0], [0.0, 0.0, 0.0]):
        x = np.array(x)
        assert np.isfinite(ag.grad(lambda x: ag.norm(x, p))(x)).all()
        hessian = ag.hessian(lambda x: ag.norm(x, p))(x)
        kinks = x == 0.0 if p < 2.0 or not x.any() else np.zeros(3, bool)
        np.testing.assert_array_equal(np.isnan(np.diag(hessian)), kinks)
    ag.gradcheck(lambda x: ag.norm(x, p), np.array([1.0, 0.5, -2.0]), order=2)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_running_sums_are_as_exact_as_their_dtype(dtype):
    x = np.full(60_000, 0.1, dtype)
    exact = float(dtype(0.1)) * np.arange(1, len(x) + 1)
    np.testing.assert_allclose(ag.cumsum(x), exact, rtol=float(np.finfo(dtype).eps))
    assert ag.cumsum(np.full(3, 100, np.int8)).tolist() == ag.cumsum([100, 100, 100], 0).tolist() == [100, 200, 300]
    slope = ag.grad(lambda x: ag.mean(ag.cumsum(x)))(x)
    np.testing.assert_allclose(slope[: len(x) // 2], 1 - np.arange(len(x) // 2) / len(x), rtol=3e-3)


def test_means_over_a_mask_count_more_than_2048_in_float16():
    x = np.ones((5000, 2), np.float16)
    mask = np.ones((5000, 2), bool)
    assert np.mean(ag.Tensor(x), axis=0, where=mask).tolist() == [1.0, 1.0]
    assert ag.grad(lambda x: np.mean(x, axis=0, where=mask)[0])(x)[0, 0] == pytest.approx(1 / 5000, rel=1e-3)


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
