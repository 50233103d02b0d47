"""Data sets have the shapes they say, and the moons their geometry."""

import numpy as np
import pytest

from nn.datasets import blobs, circles, line, moons, spirals, xor

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_moons_lie_on_two_half_circles(n):
    X, y = moons(n, noise=0.0, rng=0)
    assert X.shape == (n, 2)
    assert np.bincount(y, minlength=2).tolist() == [n // 2, n - n // 2]
    centres = np.array([[0.0, 0.0], [1.0, 0.5]])[y]
    np.testing.assert_allclose(np.hypot(*(X - centres).T), 1.0)
    assert ((X - centres)[:, 1] * np.where(y, -1, 1) >= -1e-12).all()


def test_moons_are_scikit_learns_but_for_order():
    make_moons = pytest.importorskip("sklearn.datasets").make_moons
    (X, y), (A, b) = moons(50, noise=0.0), make_moons(50)
    rows = lambda X, y: sorted(map(tuple, np.c_[X, y].round(12) + 0.0))
    assert rows(X, y) == rows(A, b)


def test_noise_has_the_deviation_asked_for():
    clean, noisy = moons(5000, noise=0.0, rng=1)[0], moons(5000, noise=0.2, rng=1)[0]
    assert (noisy - clean).std() == pytest.approx(0.2, rel=0.05)
    assert np.array_equal(moons(10, rng=1)[0], moons(10, rng=1)[0])


def test_moons_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="n must be a positive integer, got 0"):
        moons(0)
    with pytest.raises(ValueError, match="noise must be a number from 0, got -1"):
        moons(5, noise=-1)


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_circles_have_their_radii(n):
    X, y = circles(n, noise=0.0, inner=0.3, rng=0)
    assert (X.shape, y.sum()) == ((n, 2), n - n // 2)
    np.testing.assert_allclose(np.hypot(*X.T), np.where(y, 0.3, 1.0))


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_spirals_are_one_arm_turned_about_the_centre(classes):
    X, y = spirals(20 * classes, noise=0.0, classes=classes, rng=0)
    arms = [X[y == k] for k in range(classes)]
    arms = [arm[np.argsort(np.hypot(*arm.T))] for arm in arms]
    assert np.hypot(*arms[0].T).max() == pytest.approx(1.0)
    for k, arm in enumerate(arms):
        turned = (arms[0][:, 0] + 1j * arms[0][:, 1]) * np.exp(2j * np.pi * k / classes)
        np.testing.assert_allclose(arm, np.stack([turned.real, turned.imag], axis=1), atol=1e-12)


def test_blobs_lie_about_their_centres():
    centers = RNG.normal(size=(4, 3)) * 10
    X, y = blobs(4000, centers, noise=0.5, rng=0)
    assert np.bincount(y).tolist() == [1000] * 4
    assert (X - centers[y]).std() == pytest.approx(0.5, rel=0.05)
    with pytest.raises(ValueError, match=r"centers of shape \(classes, d\), got an array of shape \(2,\)"):
        blobs(5, [1.0, 2.0])


def test_xor_no_straight_line_can_tell():
    X, y = xor(4000, noise=0.0, rng=0)
    np.testing.assert_array_equal(y, X.prod(axis=1) < 0)
    assert abs(np.corrcoef(np.c_[X, y].T)[2, :2]).max() < 0.05


def test_a_line_is_found_by_least_squares():
    x, y = line(2000, slope=-3.0, intercept=0.5, noise=0.1, rng=0)
    (slope, intercept), *_ = np.linalg.lstsq(np.c_[x, np.ones(2000)], y[:, 0])
    assert (slope, intercept) == (pytest.approx(-3.0, abs=0.02), pytest.approx(0.5, abs=0.02))


@pytest.mark.parametrize("make", [moons, circles, spirals, blobs, xor, line])
def test_a_seed_repeats_all_and_nonsense_is_refused(make):
    for a, b in zip(make(9, rng=1), make(9, rng=1), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(make(9, rng=1)[0], make(9, rng=2)[0])
    with pytest.raises(ValueError, match=f"{make.__name__}: n must be a positive integer, got 0"):
        make(0)
    with pytest.raises(ValueError, match="noise must be a number from 0, got -1"):
        make(5, noise=-1)
