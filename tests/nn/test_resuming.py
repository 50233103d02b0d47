"""A training that is killed at any moment and resumed ends with the same bits as one that was not."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nn

pytest.importorskip("safetensors")

ROOT = Path(__file__).parents[2]
X, Y = nn.moons(60, rng=0)


class Decay:
    """A scheduler with a state."""

    def __init__(self, optimizer):
        self.optimizer, self.count = optimizer, 0

    def step(self):
        self.count += 1
        self.optimizer.lr = 0.02 / self.count

    def state_dict(self):
        return {"count": self.count}

    def load_state_dict(self, state):
        self.count = state["count"]


class StopAt(nn.Callback):
    def __init__(self, step):
        self.step = step

    def on_step(self, training):
        if training.step == self.step:
            training.interrupted = True
            training.stop("pulled the plug")


def run(folder, stop_at=None, shared=False, epochs=6, loader=None, patience=50):
    """All that could be forgotten: dropout, batch norm, momentum, a schedule, early stopping, the order of batches."""
    rng = np.random.default_rng(1)
    drop = nn.Dropout(0.3, rng=rng if shared else 2)
    model = nn.Sequential(nn.Linear(2, 16, rng=0), nn.BatchNorm1d(16), nn.Tanh(), drop, nn.Linear(16, 2, rng=0))
    optimizer = nn.Adam(model.parameters(), lr=0.02)
    history = nn.fit(
        model,
        (X, Y) if loader is None else loader(),
        (X, Y),
        loss=nn.CrossEntropyLoss(),
        optimizer=optimizer,
        epochs=epochs,
        batch_size=8,
        metrics=nn.accuracy,
        rng=rng,
        callbacks=[
            nn.Checkpoint(folder, every=1, resume=True),
            StopAt(stop_at),
            nn.EarlyStopping(patience),
            nn.Schedule(Decay(optimizer), every="step"),
            nn.GradientNorms(),
        ],
    )
    return model, history


def outcome(model, history):
    arrays = {name: array.tobytes() for name, array in model.state_dict().items()}
    columns = {of: dict(getattr(history, of)) for of in ("steps", "epochs")}
    for table in columns.values():
        table.pop("seconds", None)
    return arrays, columns


@pytest.mark.parametrize("shared", [False, True], ids=["own generators", "one generator for all"])
@pytest.mark.parametrize("stops", [[1], [8], [9], [5, 13, 14, 40], [48]])
def test_resumed_after_any_step_it_ends_with_the_same_bits(tmp_path, stops, shared):
    expected = outcome(*run(tmp_path / "whole", shared=shared))
    for stop in stops:
        run(tmp_path / "parts", stop_at=stop, shared=shared)
    assert outcome(*run(tmp_path / "parts", shared=shared)) == expected


def test_batches_of_the_user_s_own_resume_too(tmp_path):
    class Noisy:
        def __init__(self):
            self.rng = np.random.default_rng(9)

        def __iter__(self):
            for _ in range(5):
                rows = self.rng.integers(0, len(X), 7)
                yield X[rows] + self.rng.normal(size=(7, 2)), Y[rows]

    expected = outcome(*run(tmp_path / "whole", loader=Noisy))
    run(tmp_path / "parts", stop_at=8, loader=Noisy)
    assert outcome(*run(tmp_path / "parts", loader=Noisy)) == expected


def test_more_epochs_go_on_where_it_ended(tmp_path):
    expected = outcome(*run(tmp_path / "whole", epochs=6))
    run(tmp_path / "parts", epochs=4)
    # All but the weights that early stopping restored at the first end, which are not the last ones.
    assert outcome(*run(tmp_path / "parts", epochs=6)) == expected


def test_a_training_that_had_stopped_early_stays_so(tmp_path):
    first = run(tmp_path, patience=1, epochs=60)
    again = run(tmp_path, patience=1, epochs=60)
    assert first[1].stopped is not None
    assert again[1].stopped == first[1].stopped
    assert outcome(*again) == outcome(*first)


def test_the_best_is_kept_beside_the_last(tmp_path):
    _, history = run(tmp_path)
    model, _ = run(tmp_path / "other", epochs=0)
    nn.load(tmp_path / "best.safetensors", model)
    found = nn.evaluate(model, (X, Y), nn.CrossEntropyLoss())["loss"]
    assert found == min(history.epochs["valid_loss"])
    with pytest.raises(ValueError, match="every must be a positive integer, got 0"):
        nn.Checkpoint(tmp_path, every=0)


def test_what_does_not_fit_the_saved_training_is_refused(tmp_path):
    run(tmp_path, stop_at=3)
    model, _ = run(tmp_path / "other", epochs=0)
    settings = {"loss": nn.CrossEntropyLoss(), "optimizer": nn.Adam(model.parameters()), "epochs": 1}
    with pytest.raises(ValueError, match="has the callbacks"):
        nn.fit(model, (X, Y), callbacks=[nn.Checkpoint(tmp_path, resume=True)], batch_size=8, **settings)
    others = [StopAt(0), nn.EarlyStopping(), nn.Schedule(Decay(settings["optimizer"])), nn.GradientNorms()]
    with pytest.raises(ValueError, match=r"an epoch has 6 batches, .* it had 8"):
        nn.fit(model, (X, Y), callbacks=[*others, nn.Checkpoint(tmp_path, resume=True)], batch_size=10, **settings)


PROGRAM = """
import sys, time
sys.path[:0] = [{root!r}, {here!r}]
import nn, test_resuming as t
print("ready", flush=True)
model, history = t.run({folder!r}, epochs=20)
import hashlib
print(hashlib.sha256(repr(t.outcome(model, history)).encode()).hexdigest(), flush=True)
"""


@pytest.mark.once
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_killed_at_random_moments_and_resumed_it_ends_with_the_same_bits(tmp_path):
    def start(folder):
        program = PROGRAM.format(root=str(ROOT), here=str(Path(__file__).parent), folder=str(tmp_path / folder))
        return subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    process = start("whole")
    assert process.stdout.readline() == "ready\n"
    began = time.monotonic()
    expected, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    seconds = time.monotonic() - began

    moments = random.Random(0)
    kills = 0
    for _ in range(4):
        process = start("parts")
        assert process.stdout.readline() == "ready\n"
        time.sleep(moments.uniform(0.0, 0.4) * seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
    assert kills > 0
    process = start("parts")
    found, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert found.split() == ["ready", expected.strip()]
