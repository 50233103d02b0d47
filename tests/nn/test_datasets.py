"""Data sets have the shapes they say, and the moons their geometry."""

import sys

import numpy as np
import pytest

from nn import digits, moons


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
    with pytest.raises(ValueError, match="n=0"):
        moons(0)
    with pytest.raises(ValueError, match="noise=-1"):
        moons(5, noise=-1)


def test_digits():
    pytest.importorskip("sklearn")
    X, y = digits()
    assert X.shape == (1797, 64)
    assert (X.min(), X.max()) == (0.0, 1.0)
    assert set(y) == set(range(10))


def test_without_scikit_learn_digits_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"needs sklearn.*chainrule\[sklearn\]"):
        digits()
