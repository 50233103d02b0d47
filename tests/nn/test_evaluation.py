"""Predictions and losses of a model as it stands: in eval mode, over all the data, whatever else goes on."""

import threading
from functools import partial

import numpy as np
import pytest

import autograd as ag
import nn

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(50, 3)), RNG.integers(0, 4, 50)
HALF = np.where(RNG.random(50) < 0.5, Y, -100)


def net(**kwargs):
    return nn.Sequential(nn.Linear(3, 4, dtype=float, rng=0, **kwargs), nn.Dropout(0.5, rng=1))


def uneven(y):
    """Batches of 1, 2, 3, ... rows."""
    cuts = np.cumsum(range(1, 9))
    return list(zip(np.split(X, cuts), np.split(y, cuts), strict=True))


# ---- Modes


class Gate(nn.Module):
    """Waits within `forward`, so that threads meet there."""

    def __init__(self):
        self.barrier = threading.Barrier(2, timeout=10)
        self.seen = []

    def forward(self, x):
        self.barrier.wait()
        self.seen.append(self.training)
        self.barrier.wait()
        return x


def test_two_threads_that_predict_leave_the_mode_as_it_was():
    model = nn.Sequential(Gate(), nn.Dropout(0.5))
    model[1].eval()
    threads = [threading.Thread(target=nn.predict, args=(model, X)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert model[0].seen == [False, False]
    assert [module.training for module in model.modules()] == [True, True, False]


def test_one_thread_trains_while_another_predicts():
    model = nn.Sequential(Gate())
    other = threading.Thread(target=nn.predict, args=(model, X))
    other.start()
    model(X)
    other.join()
    assert sorted(model[0].seen) == [False, True]


def test_modes_are_as_they_were_after_an_exception_and_within_one_another():
    model = net()

    def failing(prediction, y):
        assert not model.training
        assert nn.predict(model, X).shape == (50, 4)
        assert not model.training
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        nn.evaluate(model, (X, Y), failing)
    assert [module.training for module in model.modules()] == [True] * 3


def test_predicting_writes_nothing_to_the_model():
    model = net()
    before = [dict(vars(module)) for module in model.modules()]
    nn.predict(model, X)
    nn.evaluate(model, (X, Y), nn.CrossEntropyLoss())
    assert [dict(vars(module)) for module in model.modules()] == before


# ---- The loss over all the data

LOSSES = {
    "cross entropy": (nn.CrossEntropyLoss(), Y),
    "ignored": (nn.CrossEntropyLoss(), HALF),
    "ignored class": (nn.CrossEntropyLoss(ignore_index=2), Y),
    "weighted": (nn.CrossEntropyLoss([1.0, 2.0, 0.0, 5.0]), Y),
    "weighted, ignored, smoothed": (nn.CrossEntropyLoss([1.0, 2.0, 0.5, 5.0], label_smoothing=0.2), HALF),
    "probabilities": (nn.CrossEntropyLoss([1.0, 2.0, 0.5, 5.0]), np.eye(4)[Y]),
    "nll": (nn.NLLLoss([1.0, 2.0, 0.5, 5.0]), HALF),
    "margins": (nn.MultiMarginLoss(weight=[1.0, 2.0, 0.5, 5.0]), Y),
    "squares": (nn.MSELoss(), X @ RNG.normal(size=(3, 4))),
    "binary": (nn.BCEWithLogitsLoss(weight=[1.0, 2.0, 0.5, 5.0]), np.eye(4)[Y]),
    "divergence": (nn.KLDivLoss("batchmean"), np.eye(4)[Y]),
    "sum": (nn.CrossEntropyLoss(reduction="sum"), HALF),
    "sum of squares": (nn.MSELoss("sum"), X @ RNG.normal(size=(3, 4))),
}


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_over_batches_is_that_over_all_the_data(name):
    loss, y = LOSSES[name]
    model = net().eval()
    expected = loss(model(X), y).item()
    assert nn.evaluate(model, uneven(y), loss)["loss"] == pytest.approx(expected, rel=1e-12)
    still = nn.SGD(model.parameters(), lr=0.0)
    model[1].p = 0.0
    history = nn.fit(model, uneven(y), uneven(y), loss=loss, optimizer=still, epochs=1)
    assert history.epochs["loss"] == [pytest.approx(expected, rel=1e-12)]
    assert history.epochs["valid_loss"] == [pytest.approx(expected, rel=1e-12)]


def test_sequences_of_different_lengths_count_by_their_elements():
    batches = [(RNG.normal(size=(2, t, 3)), RNG.normal(size=(2, t, 3))) for t in (1, 5, 9)]
    expected = np.mean(np.concatenate([(x - y).ravel() for x, y in batches]) ** 2)
    assert nn.evaluate(nn.Sequential(), batches, nn.MSELoss())["loss"] == pytest.approx(expected)


def test_a_batch_in_which_no_label_counts_moves_nothing():
    model, loss = nn.Linear(3, 4, dtype=float, rng=0), nn.CrossEntropyLoss()
    none = (X[:5], np.full(5, -100))
    before = model.state_dict()
    nn.fit(model, [none], loss=loss, optimizer=nn.Adam(model.parameters()), epochs=2)
    for name, array in before.items():
        np.testing.assert_array_equal(model.state_dict()[name], array)
    history = nn.fit(model, [none, (X, Y)], loss=loss, optimizer=nn.SGD(model.parameters(), lr=0.0), epochs=1)
    assert np.isnan(history.steps["loss"][0])
    assert history.epochs["loss"] == [pytest.approx(loss(model(X), Y).item())]


def test_targets_of_any_structure_have_rows():
    heads = lambda z, y: ((z - y[0]) ** 2).mean() + ((z - y[1]) ** 2).mean()
    batches = [(X[:10], (X[:10], X[:10])), (X[10:], (X[10:], X[10:]))]
    model = nn.Sequential(nn.Linear(3, 3, dtype=float, rng=0))
    assert nn.evaluate(model, batches, heads)["loss"] == pytest.approx(heads(model(X), (X, X)).item())
    nothing = lambda z, y: (z**2).mean()
    both = [(X[:10], None), (X[10:], None)]
    assert nn.evaluate(model, both, nothing)["loss"] == pytest.approx(nothing(model(X), None).item())


# ---- What is given wrong


@pytest.mark.parametrize(
    ("call", "kind", "match"),
    [
        (lambda m: nn.predict(nn.Linear, X), TypeError, r"the class Linear: write Linear\("),
        (lambda m: nn.predict(None, X), TypeError, "predict needs a module or a function"),
        (lambda m: nn.predict(m, X + 1j), TypeError, r"predict: X must be .* real .* take \.real"),
        (lambda m: nn.predict(m, 3.0), ValueError, r"needs an array of rows.*\[\[x\]\]"),
        (lambda m: nn.predict(m, X, batch_size=0), ValueError, "batch_size must be a positive integer, got 0"),
        (lambda m: nn.predict(m, X, batch_size=2.5), ValueError, r"batch_size must be a positive integer, got 2\.5"),
        (lambda m: nn.predict(lambda x: (x, x), X), TypeError, "must give one array"),
        (lambda m: nn.evaluate(m, X, nn.CrossEntropyLoss()), TypeError, r"write \(X, y\)"),
        (
            lambda m: nn.evaluate(m, [X, Y], nn.CrossEntropyLoss()),
            TypeError,
            r"a batch is a pair .* as a tuple \(X, y\)",
        ),
        (lambda m: nn.evaluate(m, 0.2, nn.CrossEntropyLoss()), TypeError, r"data is a pair .* got 0\.2"),
        (lambda m: nn.evaluate(m, (X, Y), nn.CrossEntropyLoss), TypeError, r"the class CrossEntropyLoss: write"),
        (lambda m: nn.evaluate(m, (X, Y), "mse"), TypeError, "loss needs a module or a function.*got 'mse'"),
        (lambda m: nn.evaluate(m, (X, Y), nn.CrossEntropyLoss(), "accuracy"), TypeError, "metrics are functions"),
        (lambda m: nn.evaluate(m, (X, Y), nn.CrossEntropyLoss(), ["accuracy"]), TypeError, "a metric is a function"),
        (lambda m: nn.evaluate(m, (X, Y[:9]), nn.CrossEntropyLoss()), ValueError, r"shapes \(50, 3\) and \(9,\)"),
        (lambda m: nn.evaluate(m, [], nn.CrossEntropyLoss()), ValueError, "not one batch"),
    ],
)
def test_what_is_given_wrong_is_named(call, kind, match):
    with pytest.raises(kind, match=match):
        call(net())


def test_a_metric_made_by_partial_has_its_function_s_name():
    found = nn.evaluate(nn.Sequential(), (X[:, :1], Y % 2), lambda z, y: 0.0, [partial(nn.accuracy, threshold=0.0)])
    assert found["accuracy"] == np.mean((X[:, 0] > 0) == Y % 2)


def test_plain_functions_may_stand_for_model_and_loss():
    found = nn.evaluate(lambda x: x, (X, X + 1), lambda z, y: float(np.mean((z - y) ** 2)))
    assert found["loss"] == pytest.approx(1.0)
    assert ag.Tensor(nn.predict(lambda x: x, X)).shape == (50, 3)
