"""Callbacks stop when they should, go back to the best, and change nothing when they only look."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn

X, Y = nn.moons(60, rng=0)


def make(lr=0.01):
    model = nn.Sequential(nn.Linear(2, 8, rng=0), nn.Tanh(), nn.Linear(8, 2, rng=0))
    return model, {"loss": nn.CrossEntropyLoss(), "optimizer": nn.Adam(model.parameters(), lr=lr), "rng": 0}


class Feign(nn.Callback):
    """Puts values of its own into the history."""

    def __init__(self, name, metrics):
        self.name, self.metrics, self.seen = name, metrics, []

    def on_epoch_end(self, training):
        training.history.epochs.setdefault(self.name, [])
        training.history.epochs[self.name].append(self.metrics[training.epoch - 1])
        self.seen.append(training.model.state_dict())


@pytest.mark.parametrize(
    ("name", "metrics", "settings", "epochs", "best"),
    [
        ("valid_loss", [5, 4, 3, 3, 3, 3, 1], {"patience": 2}, 5, 3),
        ("valid_loss", [5, 4, 3.9, 3.8, 3.7, 1], {"patience": 2, "min_delta": 0.5}, 4, 2),
        ("valid_accuracy", [0.1, 0.5, 0.4, 0.3, 0.9], {"patience": 2}, 4, 2),
        ("valid_loss", [np.nan, 4, np.nan, np.nan, 1], {"patience": 2}, 4, 2),
        ("height", [1, 2, 1, 1, 5], {"patience": 2, "mode": "max"}, 4, 2),
        ("height", [3, 2, 1, 0, -1], {"patience": 2, "mode": "min"}, 5, 5),
    ],
)
def test_early_stopping_ends_when_patience_does_and_restores_the_best(name, metrics, settings, epochs, best):
    model, rest = make()
    feign, stopper = Feign(name, metrics), nn.EarlyStopping(monitor=name, **settings)
    history = nn.fit(model, (X, Y), epochs=len(metrics), callbacks=[feign, stopper], **rest)
    assert len(history) == epochs
    assert stopper.best_epoch == best
    assert stopper.best == metrics[best - 1]
    assert (history.stopped is not None) == (epochs < len(metrics))
    for key, array in model.state_dict().items():
        np.testing.assert_array_equal(array, feign.seen[best - 1][key])


def test_early_stopping_without_restoring_keeps_the_last_weights():
    model, rest = make()
    feign, stopper = Feign("loss", [1, 2, 3]), nn.EarlyStopping(patience=1, monitor="height", mode="min", restore=False)
    feign.name = "height"
    nn.fit(model, (X, Y), epochs=3, callbacks=[feign, stopper], **rest)
    np.testing.assert_array_equal(model.state_dict()["0.weight"], feign.seen[-1]["0.weight"])


def test_a_metric_that_is_not_there_or_has_no_direction_is_named():
    model, rest = make()
    with pytest.raises(KeyError, match=r"no 'valid_loss' is recorded.*there are loss, lr, seconds"):
        nn.fit(model, (X, Y), epochs=1, callbacks=[nn.EarlyStopping(monitor="valid_loss")], **rest)
    with pytest.raises(ValueError, match="say mode='min' or mode='max'"):
        nn.fit(model, (X, Y), epochs=1, callbacks=[nn.EarlyStopping(monitor="lr")], **rest)
    with pytest.raises(ValueError, match="got 'least'"):
        nn.EarlyStopping(mode="least")


class Halving:
    """A scheduler as any: it has a step, and perhaps looks at a metric."""

    def __init__(self, optimizer):
        self.optimizer, self.seen = optimizer, []

    def step(self, metric=None):
        self.optimizer.lr /= 2
        self.seen.append(metric)


@pytest.mark.parametrize(("every", "rates"), [("epoch", [8, 8, 4, 4, 2, 2]), ("step", [8, 4, 2, 1, 0.5, 0.25])])
def test_a_schedule_steps_by_epoch_or_by_step(every, rates):
    model, rest = make(lr=8.0)
    schedule = nn.Schedule(Halving(rest["optimizer"]), every=every)
    history = nn.fit(model, (X, Y), epochs=3, batch_size=30, callbacks=[schedule], **rest)
    assert history.steps["lr"] == rates


def test_a_schedule_may_look_at_a_metric():
    model, rest = make()
    halving = Halving(rest["optimizer"])
    history = nn.fit(model, (X, Y), epochs=2, callbacks=[nn.Schedule(halving, monitor="loss")], **rest)
    assert halving.seen == history.epochs["loss"]
    with pytest.raises(ValueError, match="a monitor needs 'epoch'"):
        nn.Schedule(halving, every="step", monitor="loss")


def test_gradient_norms_are_recorded_for_every_step():
    model, rest = make()
    norms = []

    class Look(nn.Callback):
        def on_backward(self, training):
            norms.append(np.sqrt(sum((p.grad**2).sum() for p in training.model.parameters())))

    history = nn.fit(model, (X, Y), epochs=2, callbacks=[nn.GradientNorms(each=True), Look()], **rest)
    np.testing.assert_allclose(history.steps["gradient_norm"], norms, rtol=1e-5)
    squares = sum(np.square(history.steps[f"gradient_norm.{name}"]) for name, _ in model.named_parameters())
    np.testing.assert_allclose(np.sqrt(squares), norms, rtol=1e-5)


class LogOf(nn.Module):
    def forward(self, x):
        return ag.log(x)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's own
def test_a_loss_that_is_not_finite_stops_before_the_step_and_names_the_operation():
    model, rest = make()
    model.layers.insert(0, LogOf())
    inputs = np.full((40, 2), 0.5)
    inputs[35] = 0.0
    x = ag.Tensor(inputs)
    batches = [(x[:20], np.zeros(20, int)), (x[20:], np.zeros(20, int))]
    history = nn.fit(model, batches, epochs=3, callbacks=[nn.GradientNorms(), nn.StopOnNonFinite()], **rest)
    assert len(history.steps["loss"]) == len(history.steps["gradient_norm"]) == 1
    assert history.stopped.startswith("the loss is nan at step 2: log gave an array of shape (20, 2)")
    assert "test_callbacks.py" in history.stopped
    assert all(np.isfinite(array).all() for array in model.state_dict().values())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's own
def test_data_or_weights_that_are_not_finite_are_named_as_such():
    model, rest = make()
    bad = X.copy()
    bad[3, 1] = np.nan
    history = nn.fit(model, (bad, Y), epochs=3, batch_size=60, callbacks=[nn.StopOnNonFinite()], **rest)
    assert history.stopped.endswith("the batch's x has numbers that are not finite")
    model[2].weight.data[0, 0] = np.inf
    history = nn.fit(model, (X, Y), epochs=3, batch_size=60, callbacks=[nn.StopOnNonFinite()], **rest)
    assert "2.weight has become infinite or nan" in history.stopped


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's own
def test_running_a_batch_again_draws_what_was_drawn_before():
    class Risky(nn.Module):
        """Divides by zero for one drawing in a few."""

        def __init__(self):
            self.rng = np.random.default_rng(3)

        def forward(self, x):
            return x / self.rng.integers(0, 6)

    model, rest = make()
    model.layers.append(Risky())
    history = nn.fit(model, (X, Y), epochs=50, callbacks=[nn.StopOnNonFinite()], **rest)
    assert "div gave" in history.stopped


def test_looking_on_changes_nothing(tmp_path):
    results = []
    for callbacks in ([], [nn.ProgressBar(), nn.GradientNorms(), nn.StopOnNonFinite(), nn.Checkpoint(tmp_path)]):
        model, rest = make()
        nn.fit(model, (X, Y), epochs=2, callbacks=callbacks, **rest)
        results.append(model.state_dict()["0.weight"])
    np.testing.assert_array_equal(*results)


PROGRAM = """
import nn
X, y = nn.moons(100, rng=0)
model = nn.Linear(2, 2, rng=0)
nn.fit(model, (X, y), (X, y), loss=nn.CrossEntropyLoss(), optimizer=nn.SGD(model.parameters()), epochs=3,
       metrics=nn.accuracy, callbacks=[nn.ProgressBar()])
"""


@pytest.mark.parametrize("terminal", [True, False])
def test_the_bar_shows_on_a_terminal_only(terminal):
    pytest.importorskip("tqdm")
    pretend = "import sys; sys.stderr.isatty = lambda: True\n" if terminal else ""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", pretend + PROGRAM], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if terminal:
        assert "epoch 3/3" in done.stderr
        assert "valid_accuracy" in done.stderr
    else:
        assert done.stderr == ""
