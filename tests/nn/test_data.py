"""Batches and splits lose no row and repeat none; standardizing learns from training data alone."""

import numpy as np
import pytest

from nn import batches, standardize, train_valid_test_split

X, Y = np.arange(22).reshape(11, 2), np.arange(11)


@pytest.mark.parametrize("size", [1, 3, 11, 20])
@pytest.mark.parametrize("shuffle", [True, False])
def test_each_row_comes_once_with_its_label(size, shuffle):
    loader = batches(X, Y, size, shuffle=shuffle, rng=0)
    for _ in range(2):  # again
        pairs = list(loader)
        assert len(pairs) == len(loader)
        assert all(len(x) == size for x, _ in pairs[:-1])
        x, y = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        assert sorted(y) == Y.tolist()
        np.testing.assert_array_equal(x, X[y])
        assert shuffle or y.tolist() == Y.tolist()


def test_each_time_round_is_in_another_order_and_a_seed_repeats_all():
    order = lambda loader: np.concatenate([y for _, y in loader]).tolist()
    one, two = batches(X, Y, 2, rng=3), batches(X, Y, 2, rng=3)
    first, second = order(one), order(one)
    assert first != second
    assert [order(two), order(two)] == [first, second]


def test_two_iterations_at_a_time_do_not_disturb_each_other():
    loader = batches(X, Y, 2, rng=0)
    pairs = [(a[1].tolist(), b[1].tolist()) for a, b in zip(loader, loader, strict=True)]
    for side in (0, 1):
        assert sorted(label for pair in pairs for label in pair[side]) == Y.tolist()


def test_batches_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match=r"shapes \(11, 2\) and \(10,\)"):
        batches(X, Y[:10], 2)
    with pytest.raises(ValueError, match="size must be a positive integer, got 0"):
        batches(X, Y, 0)


@pytest.mark.parametrize("stratify", [True, False])
@pytest.mark.parametrize(("valid", "test", "sizes"), [(0.2, 0.1, (70, 20, 10)), (7, 0, (93, 7, 0)), (1, 1, (98, 1, 1))])
def test_a_split_loses_nothing_and_has_the_sizes_asked_for(valid, test, sizes, stratify):
    y = np.arange(100) % 3
    parts = train_valid_test_split(np.arange(100), y, valid=valid, test=test, stratify=stratify, rng=0)
    assert tuple(len(x) for x, _ in parts) == sizes
    rows = np.concatenate([x for x, _ in parts])
    assert sorted(rows) == list(range(100))
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in parts]), y[rows])


@pytest.mark.parametrize("seed", range(20))
def test_stratified_parts_have_the_proportions_of_the_whole(seed):
    rng = np.random.default_rng(seed)
    y = rng.choice(4, size=200, p=[0.1, 0.2, 0.3, 0.4])
    parts = train_valid_test_split(np.arange(200), y, valid=0.25, test=0.15, rng=seed)
    for share, (_, labels) in zip((0.6, 0.25, 0.15), parts, strict=True):
        assert np.abs(np.bincount(labels, minlength=4) - share * np.bincount(y)).max() <= 2


def test_a_seed_repeats_a_split_and_every_row_can_be_anywhere():
    split = lambda seed: train_valid_test_split(Y, Y % 2, valid=2, test=2, rng=seed)
    assert split(1).test[0].tolist() == split(1).test[0].tolist()
    assert set(np.concatenate([split(seed).test[0] for seed in range(60)])) == set(Y)
    assert set(np.concatenate([split(seed).valid[0] for seed in range(60)])) == set(Y)


def test_splits_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="leave none of 11 rows"):
        train_valid_test_split(X, Y, valid=6, test=5)
    with pytest.raises(ValueError, match=r"test must be a fraction .* got 1\.5"):
        train_valid_test_split(X, Y, test=1.5)
    with pytest.raises(ValueError, match="pass stratify=False"):
        train_valid_test_split(X, Y / 2)


def test_standardizing_gives_mean_0_and_deviation_1():
    train = np.random.default_rng(0).normal(5.0, 3.0, (50, 3)).astype(np.float32)
    new, other, standardizer = standardize(train, train + 1)
    assert new.dtype == np.float32
    np.testing.assert_allclose(new.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(new.std(0), 1, atol=1e-5)
    np.testing.assert_allclose(other, new + 1 / standardizer.scale, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(standardizer.inverse(new), train, rtol=1e-5)
    np.testing.assert_array_equal(standardizer(train), new)


@pytest.mark.parametrize("value", [0, 0.1, 1e9])
def test_a_column_that_does_not_vary_becomes_zero(value):
    new, _ = standardize(np.full((7, 1), value))
    assert new.tolist() == [[0.0]] * 7


def test_nothing_cannot_be_standardized():
    with pytest.raises(ValueError, match="at least one row"):
        standardize(np.zeros((0, 2)))
