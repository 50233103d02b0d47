"""Runs of every kind, stopped and killed at every kind of moment: resumed, they end with the bits of one that was not.

A kind is whatever a run may draw random numbers from or keep a state in: batches, wrapped and of the user's, validation
data, dropout, losses, metrics, callbacks, schedules; generators of NumPy's and of Python's, and those that all share.
"""

import contextlib
import random
from functools import partial

import numpy as np
import pytest

import nn

pytest.importorskip("safetensors")

X, Y = nn.moons(20, rng=0)
X = X.astype(np.float64)
ROWS = 5  # a batch: an epoch has 4
MODULE_RNG = np.random.default_rng(0)


class Killed(BaseException):
    pass


class Stop(nn.Callback):
    """Stops as Ctrl-C does, at the end of a step; or is killed, and the checkpoint is of some steps before."""

    def __init__(self, step, kill):
        self.step, self.kill = step, kill

    def on_step(self, training):
        if training.step == self.step:
            if self.kill:
                raise Killed
            training.interrupted = True
            training.stop("Ctrl-C")


class Wrapped:
    """Batches of batches, with noise."""

    def __init__(self, inner, rng):
        self.inner, self.noise = inner, {"rng": [rng]}

    def __len__(self):
        return len(self.inner)

    def __iter__(self):
        for x, y in self.inner:
            yield x + 0.1 * self.noise["rng"][0].normal(size=x.shape), y


class Calls:
    """Batches that a function draws each time."""

    def __init__(self, draw):
        self.draw = draw

    def __iter__(self):
        for _ in range(4):
            rows = [self.draw() for _ in range(ROWS)]
            yield X[rows], Y[rows]


class Augment(nn.Callback):
    def __init__(self, draw):
        self.draw = draw

    def on_batch(self, training):
        training.x *= 1.0 + 0.1 * self.draw()


class NoisyLoss(nn.Loss):
    """A loss that draws, and learns a parameter of its own."""

    def __init__(self):
        super().__init__()
        self.inner, self.rng = nn.CrossEntropyLoss(), np.random.default_rng(8)
        self.drop = nn.Dropout(0.2, rng=9)
        self.scale = nn.Parameter(np.array(1.0))

    def forward(self, prediction, y):
        return self.inner(self.drop(prediction), y) * (self.scale + 0.1 * self.rng.random())


class Tracker:
    """A metric with a state."""

    def __init__(self):
        self.total, self.rng = 0.0, random.Random(5)

    def __call__(self, prediction, y):
        self.total = 0.9 * self.total + nn.accuracy(prediction, y) + self.rng.random()
        return self.total

    def state_dict(self):
        return {"total": self.total}

    def load_state_dict(self, state):
        self.total = state["total"]


class Forgetful(nn.Module):
    """Layers whose generators are not attributes of modules, but in a list, and in another object."""

    def __init__(self):
        self.rngs = [np.random.default_rng(1), np.random.RandomState(2)]
        self.helper = partial(np.random.Generator(np.random.MT19937(3)).normal, size=2)

    def forward(self, x):
        if not self.training:
            return x
        return x + 0.1 * self.rngs[0].random() + 0.1 * self.rngs[1].rand() + 0.1 * self.helper()


def from_module():
    return MODULE_RNG.random()


def kinds():
    """For each kind, made anew, what differs from the plain run."""
    generator = np.random.default_rng(11)
    closed_over = random.Random(12)
    batches = partial(nn.batches, X, Y, ROWS)
    philox = np.random.Generator(np.random.Philox(4))
    return {
        "shuffled validation": {"valid": batches(rng=3)},
        "validation, batches and dropout by one generator": {
            "train": batches(rng=generator), "valid": batches(rng=generator), "drop": nn.Dropout(0.3, rng=generator),
        },
        "wrapped batches": {"train": Wrapped(batches(rng=1), np.random.default_rng(2))},
        "wrapped validation": {"valid": Wrapped(batches(rng=1), np.random.default_rng(2))},
        "batches by Python's generator": {"train": Calls(partial(random.Random(7).randrange, 20))},
        "batches by what all share": {"train": Calls(lambda: random.randrange(20))},
        "batches by NumPy's RandomState": {"train": Calls(partial(np.random.RandomState(7).randint, 20))},
        "a loss that draws and learns": {"loss": NoisyLoss()},
        "a loss that closes over a generator": {
            "loss": lambda p, y: nn.CrossEntropyLoss()(p, y) * (1.0 + 0.1 * closed_over.random())
        },
        "a metric with a state": {"metrics": {"tracker": Tracker()}},
        "a metric's method": {"metrics": {"tracker": Tracker().__call__}},
        "augmentation": {"callbacks": [Augment(np.random.default_rng(4).random)]},
        "augmentation by SFC64": {"callbacks": [Augment(np.random.Generator(np.random.SFC64(4)).random)]},
        "augmentation by Philox": {"callbacks": [Augment(lambda: philox.random())]},
        "augmentation by what all share": {"callbacks": [Augment(np.random.random), Augment(random.random)]},
        "augmentation by a generator of the module": {"callbacks": [Augment(from_module)]},
        "a model that hides its generators": {"drop": Forgetful()},
        "several callbacks of one kind": {
            "callbacks": [nn.EarlyStopping(9), nn.EarlyStopping(9, monitor="accuracy"), nn.GradientNorms(), Augment(philox.normal)]
        },
        "early stopping": {"callbacks": [nn.EarlyStopping(1, min_delta=0.5)], "epochs": 9},
        "schedules": {"schedules": True},
        "momentum and Values of scalars": {"optimizer": partial(nn.SGD, momentum=0.9, nesterov=True)},
        "RMSprop": {"optimizer": partial(nn.RMSprop, centered=True, momentum=0.5)},
        "Lion": {"optimizer": nn.Lion},
        "Adagrad": {"optimizer": partial(nn.Adagrad, lr_decay=0.1)},
        "amsgrad": {"optimizer": partial(nn.AdamW, amsgrad=True)},
    }  # fmt: skip


def run(folder, kind, stop=None, kill=False, every=2):
    """One call of fit, in a program that is started anew."""
    global MODULE_RNG
    MODULE_RNG = np.random.default_rng(6)
    np.random.seed(0)
    random.seed(0)
    own = kinds()[kind]
    model = nn.Sequential(
        nn.Linear(2, 4, rng=0, dtype=float),
        nn.BatchNorm1d(4, dtype=float),
        nn.Tanh(),
        nn.Linear(4, 2, rng=0, dtype=float),
    )
    model.layers.insert(0, own.get("drop", nn.Dropout(0.3, rng=2)))
    loss = own.get("loss", nn.CrossEntropyLoss())
    learned = [*model.parameters(), *(loss.parameters() if isinstance(loss, nn.Module) else ())]
    optimizer = own.get("optimizer", nn.Adam)(learned, lr=0.02)
    callbacks = [*own.get("callbacks", ()), Stop(stop, kill), nn.Checkpoint(folder, every=every, resume=True)]
    if own.get("schedules"):
        callbacks[:0] = [
            nn.Schedule(nn.OneCycleLR(optimizer, max_lr=0.1, total_steps=40), every="step"),
            nn.Schedule(nn.ReduceLROnPlateau(optimizer, patience=0), monitor="valid_loss"),
        ]
    history = nn.fit(
        model,
        own.get("train", nn.batches(X, Y, ROWS, rng=1)),
        own.get("valid", (X, Y)),
        loss=loss,
        optimizer=optimizer,
        epochs=own.get("epochs", 3),
        metrics=own.get("metrics", nn.accuracy),
        callbacks=callbacks,
    )
    arrays = [array.tobytes() for array in model.state_dict().values()]
    arrays += [parameter.data.tobytes() for parameter in learned]
    columns = [{k: v for k, v in table.items() if k != "seconds"} for table in (history.steps, history.epochs)]
    return arrays, columns, history.stopped


@pytest.mark.parametrize("kind", kinds())
def test_stopped_or_killed_and_resumed_it_ends_with_the_same_bits(tmp_path, kind):
    expected = run(tmp_path / "whole", kind)
    for name, stops, every in (
        ("stopped", [(1, False), (4, False), (6, False)], 1),
        ("killed", [(3, True), (8, True)], 2),
    ):
        for stop, kill in stops:
            with contextlib.suppress(Killed):
                run(tmp_path / name, kind, stop, kill, every)
        assert run(tmp_path / name, kind, every=every) == expected
        assert run(tmp_path / name, kind, every=every)[0] == expected[0]  # once more, when there is nothing left to do


def test_a_run_that_draws_otherwise_than_when_it_was_saved_is_refused(tmp_path):
    run(tmp_path, "shuffled validation", stop=3)
    with pytest.raises(
        nn.CheckpointError, match=r"draws with \['validation.inner.rng', .*was saved with \['validation.rng'\]"
    ):
        run(tmp_path, "wrapped validation")


def test_a_generator_that_all_share_is_left_alone_where_nobody_drew_from_it(tmp_path):
    run(tmp_path, "shuffled validation", stop=3)
    saved = nn.checkpoint.read(tmp_path / "last.safetensors")
    assert saved["progress"]["training"]["shared"] == {}
