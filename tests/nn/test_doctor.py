"""Of healthy and ill trainings on three data sets, the doctor names every illness and accuses no healthy one.

With one seed, and with ten under `HYPOTHESIS_PROFILE=long`.
"""

import os
import time
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

import autograd as ag
import nn

SEEDS = range(10 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 1)
KINDS = {
    *("learning rate too high", "learning rate too low", "dead units", "saturated units", "no gradient", "exploding"),
    *("not learning", "overfitting"),
}

# ---- Data


@cache
def all_digits():
    X, y = nn.digits()
    return X, y


def digits(seed, n=600):
    X, y = all_digits()
    order = np.random.default_rng(seed).permutation(len(X))
    return (X[order[:n]], y[order[:n]]), (X[order[-300:]], y[order[-300:]])


def moons(seed, n=300, noise=0.1):
    return nn.moons(n, noise=noise, rng=seed), nn.moons(300, noise=noise, rng=seed + 1000)


def regression(seed, n=300, noise=0.1, scale=1.0):
    def drawn(rng, n):
        X = rng.uniform(-2, 2, (n, 3))
        y = np.sin(2 * X[:, :1]) + 0.5 * X[:, 1:2] * X[:, 2:] + noise * rng.normal(size=(n, 1))
        return X, scale * y

    return drawn(np.random.default_rng(seed), n), drawn(np.random.default_rng(seed + 1000), 300)


def noisy_line(seed):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2, 2, (600, 3))
    y = X @ np.array([[1.0], [-0.5], [0.3]]) + rng.normal(size=(600, 1))  # half of the variance is noise
    return (X[:300], y[:300]), (X[300:], y[300:])


def shuffled(data, seed):
    rng = np.random.default_rng(seed + 7)
    return tuple((X, rng.permutation(y)) for X, y in data)


def mislabelled(data, seed, classes, share=0.3):
    (X, y), valid = data
    rng = np.random.default_rng(seed + 3)
    return (X, np.where(rng.random(len(y)) < share, rng.integers(0, classes, len(y)), y)), valid


def changed(data, x=lambda x: x, y=lambda y: y):
    return tuple((x(X), y(Y)) for X, Y in data)


# ---- Models


def mlp(seed, *sizes, act=nn.ReLU, end=()):
    rng = np.random.default_rng(seed)
    layers = []
    for i, (a, b) in enumerate(pairwise(sizes)):
        layers += [nn.Linear(a, b, rng=rng)] + [act()] * (i < len(sizes) - 2)
    return nn.Sequential(*layers, *end)


def with_weights(model, factor=1.0, bias=None):
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.data[...] *= factor
        elif bias is not None:
            parameter.data[...] = bias
    return model


class Detached(nn.Module):
    def __init__(self, seed):
        self.body, self.head = mlp(seed, 2, 16, 16), nn.Linear(16, 2, rng=seed)

    def forward(self, x):
        return self.head(ag.relu(self.body(x)).detach())


class AsImage(nn.Module):
    def forward(self, x):
        return ag.reshape(x, (-1, 1, 8, 8))


def convolutional(seed):
    conv, head = nn.Conv2d(1, 8, 3, padding=1, rng=seed), nn.Linear(128, 10, rng=seed)
    return nn.Sequential(AsImage(), conv, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), head)


def with_layer(seed, layer):
    rng = np.random.default_rng(seed)
    return nn.Sequential(nn.Linear(64, 48, rng=rng), layer, nn.ReLU(), nn.Linear(48, 10, rng=rng))


# ---- Trainings: (model, data, optimizer, rate, epochs, further settings)

CE, MSE = nn.CrossEntropyLoss, nn.MSELoss
column = {"y": lambda y: y[:, None].astype(float)}
single = {"x": np.float32, "y": np.float32}

HEALTHY = {
    "moons, relu, sgd": lambda s: (mlp(s, 2, 16, 16, 2), moons(s), nn.SGD, 0.3, 30, {}),
    "moons, tanh, adam": lambda s: (mlp(s, 2, 16, 2, act=nn.Tanh), moons(s), nn.Adam, 0.02, 30, {}),
    "moons, sigmoid, adam": lambda s: (mlp(s, 2, 16, 2, act=nn.Sigmoid), moons(s), nn.Adam, 0.05, 30, {}),
    "moons, five layers": lambda s: (mlp(s, 2, 16, 16, 16, 16, 2), moons(s), nn.Adam, 0.01, 30, {}),
    "moons, leaky relu, momentum": lambda s: (
        *(mlp(s, 2, 16, 2, act=nn.LeakyReLU), moons(s), nn.SGD, 0.1, 30),
        {"momentum": 0.9},
    ),
    "moons, sigmoid at the end": lambda s: (
        *(mlp(s, 2, 16, 1, act=nn.Tanh, end=[nn.Sigmoid()]), changed(moons(s), **column), nn.Adam, 0.03, 30),
        {"loss": nn.BCELoss()},
    ),
    "moons, one batch": lambda s: (mlp(s, 2, 16, 2), moons(s), nn.Adam, 0.05, 100, {"batch_size": 300}),
    "digits, relu, adam": lambda s: (mlp(s, 64, 32, 10), digits(s), nn.Adam, 0.003, 12, {}),
    "digits, relu, sgd": lambda s: (mlp(s, 64, 32, 32, 10), digits(s), nn.SGD, 0.2, 15, {}),
    "digits, logistic": lambda s: (mlp(s, 64, 10), digits(s), nn.Adam, 0.01, 15, {}),
    "digits, tanh, adam": lambda s: (mlp(s, 64, 48, 10, act=nn.Tanh), digits(s), nn.Adam, 0.003, 12, {}),
    "digits, dropout": lambda s: (with_layer(s, nn.Dropout(0.3, rng=s)), digits(s), nn.Adam, 0.005, 15, {}),
    "digits, batch norm": lambda s: (with_layer(s, nn.BatchNorm1d(48)), digits(s), nn.Adam, 0.005, 12, {}),
    "digits, convolution": lambda s: (convolutional(s), digits(s), nn.Adam, 0.005, 5, {}),
    "regression, relu, adam": lambda s: (mlp(s, 3, 32, 32, 1), regression(s), nn.Adam, 0.005, 30, {}),
    "regression, tanh, sgd": lambda s: (mlp(s, 3, 32, 1, act=nn.Tanh), regression(s), nn.SGD, 0.05, 40, {}),
    "regression, noisy line": lambda s: (mlp(s, 3, 1), noisy_line(s), nn.Adam, 0.03, 30, {}),
    "regression, huber": lambda s: (mlp(s, 3, 32, 1), regression(s), nn.Adam, 0.01, 30, {"loss": nn.HuberLoss()}),
    "regression, float32": lambda s: (
        *(mlp(s, 3, 32, 1, act=nn.GELU).to(np.float32), changed(regression(s), **single), nn.Adam, 0.01, 30),
        {},
    ),
    "regression, large targets": lambda s: (mlp(s, 3, 32, 1), regression(s, scale=10.0), nn.Adam, 0.02, 60, {}),
}
TANH = {"act": nn.Tanh}
ILL = {
    "learning rate too high": {
        "moons": lambda s: (mlp(s, 2, 16, 16, 2), moons(s), nn.SGD, 300.0, 20, {}),
        "digits": lambda s: (mlp(s, 64, 32, 10), digits(s), nn.Adam, 3.0, 8, {}),
        "regression": lambda s: (mlp(s, 3, 32, 1, **TANH), regression(s), nn.SGD, 3.0, 20, {}),
    },
    "learning rate too low": {
        "moons": lambda s: (mlp(s, 2, 16, 2), moons(s), nn.SGD, 1e-4, 20, {}),
        "digits": lambda s: (mlp(s, 64, 32, 10), digits(s), nn.Adam, 1e-6, 8, {}),
        "regression": lambda s: (mlp(s, 3, 32, 1, **TANH), regression(s), nn.SGD, 1e-5, 20, {}),
    },
    "dead units": {
        "moons": lambda s: (with_weights(mlp(s, 2, 16, 16, 2), bias=-3.0), moons(s), nn.Adam, 0.01, 20, {}),
        "digits": lambda s: (with_weights(mlp(s, 64, 32, 32, 10), bias=-3.0), digits(s), nn.Adam, 0.003, 8, {}),
        "regression": lambda s: (with_weights(mlp(s, 3, 32, 1), bias=-8.0), regression(s), nn.Adam, 0.01, 20, {}),
    },
    "saturated units": {
        "moons": lambda s: (with_weights(mlp(s, 2, 16, 16, 2, **TANH), 30.0), moons(s), nn.Adam, 0.01, 20, {}),
        "digits": lambda s: (
            *(mlp(s, 64, 32, 10, act=nn.Sigmoid), changed(digits(s), x=lambda x: 200 * x), nn.Adam, 0.003, 8),
            {},
        ),
        "regression": lambda s: (
            *(mlp(s, 3, 32, 1, **TANH), changed(regression(s), x=lambda x: 300 * x), nn.SGD, 0.01, 20),
            {},
        ),
    },
    "no gradient": {
        "moons, detached": lambda s: (Detached(s), moons(s), nn.Adam, 0.01, 20, {}),
        "digits, nine sigmoids": lambda s: (
            *(mlp(s, 64, *[32] * 8, 10, act=nn.Sigmoid), digits(s), nn.SGD, 0.1, 8),
            {},
        ),
        "regression, zeros": lambda s: (
            *(with_weights(mlp(s, 3, 32, 1, **TANH), 0.0, 0.0), regression(s), nn.Adam, 0.01, 20),
            {},
        ),
    },
    "exploding": {
        "digits": lambda s: (with_weights(mlp(s, 64, *[32] * 6, 10), 8.0), digits(s), nn.Adam, 0.001, 6, {}),
        "regression": lambda s: (with_weights(mlp(s, 3, *[32] * 6, 1), 8.0), regression(s), nn.SGD, 0.01, 6, {}),
    },
    "not learning": {
        "moons": lambda s: (mlp(s, 2, 4, 2, **TANH), shuffled(moons(s, 600), s), nn.Adam, 0.01, 20, {}),
        "digits": lambda s: (mlp(s, 64, 32, 10), changed(digits(s), x=lambda x: 0 * x + 0.5), nn.Adam, 0.003, 8, {}),
        "regression": lambda s: (mlp(s, 3, 4, 1, **TANH), shuffled(regression(s, 600), s), nn.Adam, 0.01, 20, {}),
    },
    "overfitting": {
        "moons": lambda s: (
            *(mlp(s, 2, 64, 64, 2), moons(s, 30, noise=0.4), nn.Adam, 0.02, 150),
            {"batch_size": 20},
        ),
        "digits": lambda s: (mlp(s, 64, 64, 10), mislabelled(digits(s, 120), s, 10), nn.Adam, 0.01, 60, {}),
        "regression": lambda s: (
            *(mlp(s, 3, 64, 64, 1), regression(s, 30, noise=0.7), nn.Adam, 0.01, 150),
            {"batch_size": 10},
        ),
    },
}


def train(case, seed, doctor, **changes):
    model, (data, valid), optimizer, lr, epochs, more = case(seed)
    loss = more.get("loss") or (CE() if np.ndim(data[1]) == 1 else MSE())
    options = {name: more[name] for name in ("momentum",) if name in more}
    settings = {"loss": loss, "epochs": epochs, "batch_size": more.get("batch_size", 32), "rng": seed} | changes
    with np.errstate(all="ignore"):
        optimizer = optimizer(list(model.parameters()), lr=lr, **options)
        return nn.fit(model, data, valid, optimizer=optimizer, callbacks=[doctor], **settings)


@pytest.mark.once
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", HEALTHY)
def test_no_healthy_training_is_accused(name, seed, capsys):
    doctor = nn.Doctor()
    history = train(HEALTHY[name], seed, doctor)
    assert doctor.findings == []
    assert capsys.readouterr().out == ""
    targets = HEALTHY[name](seed)[1][1][1]
    classes = len(np.unique(targets))
    constant = np.log(classes) if classes <= 10 else np.var(targets)  # the loss of one prediction for all rows
    assert history.last("valid_loss") < 0.6 * constant  # it is healthy indeed


@pytest.mark.once
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, cases in ILL.items() for name in cases])
def test_every_illness_is_named(kind, name, seed, capsys):
    doctor = nn.Doctor()
    train(ILL[kind][name], seed, doctor)
    kinds = [finding.kind for finding in doctor.findings]
    assert kind in kinds
    assert len(kinds) == len(set(kinds))
    said = capsys.readouterr().out.splitlines()
    assert said == [f"Doctor, epoch {finding.epoch}: {finding.text}" for finding in doctor.findings]
    for finding in doctor.findings:
        assert finding.figures
        assert any(char.isdigit() for char in finding.text)


def test_there_are_twenty_of_each_on_three_data_sets():
    assert set(ILL) == KINDS
    ill = [name for cases in ILL.values() for name in cases]
    assert len(HEALTHY) >= 20
    assert len(ill) >= 20
    for names in (HEALTHY, ill):
        assert {name.partition(",")[0] for name in names} == {"moons", "digits", "regression"}


# ---- As a callback


LOW = ILL["learning rate too low"]["moons"]


def test_findings_are_data_and_printed_unless_told_otherwise(capsys):
    doctor = nn.Doctor(verbose=False)
    train(LOW, 0, doctor)
    (finding,) = doctor.findings
    assert finding.kind == "learning rate too low"
    assert finding.figures["path"] < 0.05
    assert (finding.epoch, finding.step) == (5, 50)
    assert capsys.readouterr().out == ""


def test_a_training_that_is_looked_into_ends_with_the_same_bits():
    def loss(prediction, y):  # which draws: a look into it must not be seen
        return ag.mean((prediction - y) ** 2) * (1.0 + 0.1 * noise.normal())

    def case(seed):
        return mlp(seed, 3, 8, 1), regression(seed), nn.Adam, 0.01, 6, {}

    histories = []
    for callback in (nn.Callback(), nn.Doctor()):
        noise = np.random.default_rng(0)
        histories.append(train(case, 0, callback, loss=loss))
    assert histories[0].steps["loss"] == histories[1].steps["loss"]


class Stop(nn.Callback):
    def __init__(self, step):
        self.step = step

    def on_step(self, training):
        if training.step == self.step:
            training.interrupted = True
            training.stop("for a test")


@pytest.mark.parametrize("step", [7, 35, 80])
def test_resumed_it_finds_what_it_would_have_found(tmp_path, step):
    whole, first, second = (nn.Doctor(verbose=False) for _ in range(3))
    case = ILL["dead units"]["moons"]
    for doctor, folder, rest in (
        (whole, "whole", []),
        (first, "parts", [Stop(step)]),
        (second, "parts", [Stop(0)]),
    ):
        model, (data, _), optimizer, lr, epochs, _ = case(0)
        callbacks = [doctor, *rest, nn.Checkpoint(tmp_path / folder, resume=True)]
        settings = {"loss": CE(), "optimizer": optimizer(model.parameters(), lr=lr), "epochs": epochs, "rng": 0}
        if not rest:
            callbacks.insert(1, Stop(0))
        nn.fit(model, data, callbacks=callbacks, **settings)
    assert whole.findings
    assert second.findings == whole.findings


@pytest.mark.parametrize("state", [None, {}, {"findings": 3}, {"findings": [{"kind": 1}]}])
def test_what_is_no_state_is_refused(state):
    doctor = nn.Doctor()
    with pytest.raises(ValueError, match="Doctor has findings"):
        doctor.load_state_dict(state)
    assert doctor.findings == []


def test_it_begins_anew_with_each_training():
    doctor = nn.Doctor(verbose=False)
    train(LOW, 0, doctor)
    train(HEALTHY["regression, noisy line"], 0, doctor)
    assert doctor.findings == []


def test_a_loss_that_is_nan_from_the_start_is_no_matter_of_the_rate():
    doctor = nn.Doctor(verbose=False)
    X = np.full((20, 2), np.nan)
    model = nn.Linear(2, 1, rng=0)
    with np.errstate(all="ignore"):
        optimizer = nn.SGD(model.parameters(), lr=0.1)
        nn.fit(model, (X, X[:, :1]), loss=nn.MSELoss(), optimizer=optimizer, epochs=3, callbacks=[doctor])
    assert [finding.kind for finding in doctor.findings] == ["exploding"]
    assert "the loss is nan before the first step" in doctor.findings[0].text


class Twice(nn.Module):
    def __init__(self):
        self.a, self.b = nn.Linear(2, 1, rng=0), nn.Linear(2, 1, rng=1)

    def forward(self, x):
        return self.a(x), self.b(x)


def test_models_and_losses_of_other_kinds_are_no_obstacle():
    X = np.random.default_rng(0).normal(size=(64, 2))
    model = Twice()
    doctor = nn.Doctor(verbose=False)
    loss = lambda prediction, y: ag.mean((prediction[0] - y) ** 2) + ag.mean((prediction[1] - y) ** 2)
    optimizer = nn.Adam(model.parameters(), lr=0.1)
    nn.fit(model, (X, X[:, :1]), loss=loss, optimizer=optimizer, epochs=40, callbacks=[doctor])
    assert doctor.findings == []
    factor = nn.Linear(1, 1, rng=0)
    only_nodes = lambda prediction, y: ((prediction - y) ** 2).mean() if isinstance(prediction, ag.Node) else 1 / 0
    optimizer = nn.Adam(factor.parameters(), lr=0.1)
    nn.fit(factor, (X[:, :1], 2 * X[:, :1]), loss=only_nodes, optimizer=optimizer, epochs=40, callbacks=[doctor])
    assert doctor.findings == []


def test_who_begins_with_a_good_model_may_take_small_steps():
    model, (data, valid), *_ = HEALTHY["digits, relu, adam"](0)
    settings = {"loss": CE(), "rng": 0}
    nn.fit(model, data, optimizer=nn.Adam(model.parameters(), lr=0.003), epochs=20, **settings)
    doctor = nn.Doctor(verbose=False)
    optimizer = nn.Adam(model.parameters(), lr=1e-6)
    nn.fit(model, data, valid, optimizer=optimizer, epochs=10, callbacks=[doctor], **settings)
    assert doctor.findings == []


def test_a_rate_that_is_warming_up_is_not_too_low():
    model, (data, valid), *_ = HEALTHY["digits, relu, adam"](0)
    optimizer = nn.Adam(model.parameters(), lr=1e-9)

    class WarmUp(nn.Callback):
        def on_epoch_begin(self, training):
            optimizer.lr = 1e-9 * 10.0 ** min(6, training.epoch)

    doctor = nn.Doctor(verbose=False)
    nn.fit(model, data, valid, loss=CE(), optimizer=optimizer, epochs=20, rng=0, callbacks=[WarmUp(), doctor])
    assert doctor.findings == []


def test_a_look_costs_little(monkeypatch):
    spent = [0.0]

    def timed(hook):
        def run(self, training):
            start = time.thread_time()
            hook(self, training)
            spent[0] += time.thread_time() - start

        return run

    for name in ("on_begin", "on_backward", "on_step", "on_epoch_end", "on_end"):
        monkeypatch.setattr(nn.Doctor, name, timed(getattr(nn.Doctor, name)))
    X, y = nn.moons(2000, noise=0.1, rng=0)  # a small model, whose steps are cheapest
    shares = []
    for _ in range(5):
        model = mlp(0, 2, 16, 16, 2)
        spent[0], start = 0.0, time.thread_time()
        optimizer = nn.Adam(model.parameters())
        nn.fit(model, (X, y), loss=CE(), optimizer=optimizer, epochs=4, batch_size=20, rng=0, callbacks=[nn.Doctor()])
        shares.append(spent[0] / (time.thread_time() - start))
    assert min(shares) < 0.1, shares
