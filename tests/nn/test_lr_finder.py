"""The search for a learning rate finds one that learns, and leaves everything as it was."""

import sys

import numpy as np
import pytest

import nn
from nn import find_lr

X, Y = nn.moons(100, rng=0)


def parts(kind=nn.Adam, dropout=False):
    extra = [nn.Dropout(0.1, rng=3)] if dropout else []
    model = nn.Sequential(nn.Linear(2, 16, rng=0), nn.ReLU(), *extra, nn.Linear(16, 2, rng=1))
    return model, nn.batches(X, Y, 20, rng=0), nn.CrossEntropyLoss(), kind(model.parameters())


def train(model, batches, loss, optimizer, steps):
    for _, (x, y) in zip(range(steps), batches, strict=False):
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()
    return [p.data.copy() for p in model.parameters()]


@pytest.mark.parametrize("kind", [nn.SGD, nn.Adam])
def test_a_model_learns_with_the_suggestion(kind):
    model, batches, loss, optimizer = parts(kind)
    found = find_lr(model, batches, loss, optimizer)
    before = loss(model(X), Y).item()
    optimizer.lr = found.suggestion
    for _ in range(5):
        train(model, batches, loss, optimizer, 5)
    assert loss(model(X), Y).item() < 0.7 * before


def test_model_and_optimizer_go_on_as_if_nothing_had_been():
    one, other = parts(dropout=True), parts(dropout=True)
    train(*one, steps=3)
    train(*other, steps=3)
    one[0].eval()
    other[0].eval()
    kept = [p.grad for p in one[0].parameters()]
    data = [p._data for p in one[0].parameters()]
    find_lr(one[0], [(X, Y)], *one[2:], steps=20)
    assert all(p.grad is g for p, g in zip(one[0].parameters(), kept, strict=True))
    assert all(p._data is a for p, a in zip(one[0].parameters(), data, strict=True))
    assert not one[0].training
    assert one[3].lr == other[3].lr
    one[0].train()
    other[0].train()
    for a, b in zip(train(*one, steps=5), train(*other, steps=5), strict=True):
        np.testing.assert_array_equal(a, b)


def test_nothing_is_touched_where_the_loss_raises():
    model, batches, _, optimizer = parts()
    before = model.state_dict()
    with pytest.raises(ZeroDivisionError):
        find_lr(model, batches, lambda x, y: 1 / 0, optimizer)
    assert all(np.array_equal(before[name], array) for name, array in model.state_dict().items())
    assert optimizer.lr == 1e-3


def test_rates_grow_by_equal_factors_and_each_has_its_loss():
    model, batches, loss, optimizer = parts()
    found = find_lr(model, batches, loss, optimizer, start_lr=1e-6, end_lr=1e-2, steps=9)
    np.testing.assert_allclose(found.lrs, np.geomspace(1e-6, 1e-2, 9))
    assert found.losses.shape == found.smoothed.shape == (9,)


def test_it_stops_where_the_loss_diverges():
    model, batches, _, optimizer = parts(nn.SGD)
    found = find_lr(model, batches, lambda z, y: (z * z).sum(), optimizer, end_lr=1e4)
    assert len(found.losses) < 100
    assert found.suggestion in found.lrs


def test_there_is_no_suggestion_where_the_loss_never_falls():
    model, batches, _, optimizer = parts()
    assert find_lr(model, batches, lambda z, y: (z * 0.0).sum() + 1.0, optimizer).suggestion is None


def test_an_iterator_may_end_it():
    model, batches, loss, optimizer = parts()
    assert len(find_lr(model, iter(batches), loss, optimizer).losses) == 5
    with pytest.raises(ValueError, match="at least one batch, got none"):
        find_lr(model, [], loss, optimizer)


@pytest.mark.parametrize("settings", [{"start_lr": 0.0}, {"end_lr": 1e-9}, {"steps": 1}, {"smoothing": 1.0}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match=r"start_lr must be|end_lr must be|steps must be|smoothing must be"):
        find_lr(*parts(), **settings)


def test_the_name_of_the_result_in_version_0_1_is_known():
    assert nn.RateSearch is nn.LRFinderResult


def test_the_plot_is_written(tmp_path):
    pytest.importorskip("matplotlib")
    path = find_lr(*parts()).plot(tmp_path / "rates.svg")
    assert "<svg" in path.read_text(encoding="utf-8")


def test_a_missing_matplotlib_is_named_with_its_cure(tmp_path, monkeypatch):
    found = find_lr(*parts(), steps=5)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"needs matplotlib.*: pip install matplotlib$"):
        found.plot(tmp_path / "rates.png")
