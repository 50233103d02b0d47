"""Checkpoints of earlier versions load, now and after every later change.

The folder `checkpoints/version-0.1` was written by `write` below, run with the code of that version. A folder of another
version stands beside it where the format changes; none is ever written anew.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import nn

pytest.importorskip("safetensors")

SAVED = Path(__file__).parent / "checkpoints" / "version-0.1"
STOPPED, EPOCHS = 13, 4  # the training was stopped after this step, which is in the middle of its second epoch

rng = np.random.default_rng(0)
IMAGES = rng.normal(size=(40, 2, 6, 6)).astype(np.float32)
WORDS = rng.integers(0, 7, size=(40, 3))
LABELS = rng.integers(0, 3, size=40)
ROWS = np.arange(40)


class Net(nn.Module):
    """Layers of every kind that has a state: of images and words, to three classes."""

    def __init__(self, seed):
        self.words = nn.Embedding(7, 4, rng=seed)
        self.images = nn.Sequential(
            nn.Conv2d(2, 3, 3, rng=seed), nn.BatchNorm2d(3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten()
        )
        self.norm = nn.LayerNorm(24)
        self.head = nn.Sequential(nn.Dropout(0.25, rng=seed), nn.Linear(24, 8, rng=seed), nn.BatchNorm1d(8), nn.Tanh())
        self.last = {"classes": nn.Linear(8, 3, rng=seed)}
        self.scale = nn.Parameter(np.float64(1.5))
        self.seen = nn.Buffer(np.int64(7))

    def forward(self, rows):
        words = self.words(WORDS[rows]).reshape(len(rows), 12)
        pictures = self.images(IMAGES[rows])
        return self.last["classes"](self.head(self.norm(np.concatenate([words, pictures], axis=1)))) * self.scale


class StopAt(nn.Callback):
    """Stops as Ctrl-C does, and remembers values of every kind."""

    def __init__(self, step):
        self.step = step
        self.seen = None

    def on_step(self, training):
        self.seen = {"tuple": (1, 2.5), 3: [None, True, "naïve"], "number": np.float32(0.1), "array": np.arange(3)}
        if training.step == self.step:
            training.interrupted = True
            training.stop("pulled the plug")

    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state):
        self.seen = state["seen"]


class Aside:
    """A schedule of something else than the rate of the training's optimizer."""

    def __init__(self, schedule):
        self.step, self.state_dict, self.load_state_dict = schedule.step, schedule.state_dict, schedule.load_state_dict


def train(folder, seed, stop_at=None, epochs=EPOCHS):
    """The training whose checkpoints are kept: its weights start from `seed`, its batches do not."""
    model = Net(seed)
    optimizer = nn.Adam(
        [{"params": [model.words.weight]}, {"params": list(model.parameters())[1:], "lr": 0.02}], lr=0.05, amsgrad=True
    )
    cycle = nn.OneCycleLR(optimizer, max_lr=[0.05, 0.02], total_steps=50)
    plateau = Aside(nn.ReduceLROnPlateau(nn.SGD([nn.Parameter([0.0])], lr=0.1), patience=0))
    callbacks = [
        nn.Checkpoint(folder, every=1, resume=True),
        StopAt(stop_at),
        nn.EarlyStopping(20),
        nn.EarlyStopping(30, monitor="valid_accuracy", restore=False),
        nn.Schedule(cycle, every="step"),
        nn.Schedule(plateau, monitor="valid_loss"),
        nn.GradientNorms(each=True),
        nn.StopOnNonFinite(),
        nn.ProgressBar(),
    ]
    batches = nn.batches(ROWS, LABELS, 4, rng=1)
    settings = {"loss": nn.CrossEntropyLoss(), "optimizer": optimizer, "epochs": epochs, "metrics": nn.accuracy}
    history = nn.fit(model, batches, (ROWS, LABELS), callbacks=callbacks, **settings)
    return model, history, callbacks


PROGRESS = {
    "numbers": [1, -2.5, 0.1 + 0.2, 2**127, True, None, float("inf")],
    "pair": (0.9, 0.999),
    "names": {"a": {}, "b": [], 3: "three", "array": "no array"},
    "words": "naïve ∂",
    "arrays": {kind: np.arange(3).astype(kind) for kind in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u8", "?")},
    "scalar": np.float32(0.1),
}


def parts(seed):
    """What was saved by hand: a model and an SGD with a momentum, and its schedule."""
    model = Net(seed)
    optimizer = nn.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return model, optimizer, nn.StepLR(optimizer, step_size=2, gamma=0.5)


def learn(model, optimizer, schedule, steps):
    for step in range(steps):
        optimizer.zero_grad()
        nn.CrossEntropyLoss()(model(ROWS[step::4]), LABELS[step::4]).backward()
        optimizer.step()
        schedule.step()


def value_of(array):
    return np.asarray(array, np.float64).tolist()


def outputs(model):
    model.eval()
    return value_of(model(ROWS).data)


def write(folder):
    """What made the files that are kept."""
    train(folder / "training", 0, STOPPED)
    (folder / "training" / "best.safetensors").unlink()
    model, history, _ = train(folder / "whole", 0)
    shutil.rmtree(folder / "whole")
    expected = {
        "outputs": outputs(model),
        "losses": history.steps["loss"],
        "valid_loss": history.epochs["valid_loss"],
    }
    model, optimizer, schedule = parts(0)
    learn(model, optimizer, schedule, 3)
    random = np.random.default_rng(5)
    random.normal(size=3)
    nn.save(folder / "by-hand.safetensors", model, optimizer, schedule, random, **PROGRESS)
    expected["by hand"] = {"model": {name: value_of(array) for name, array in model.state_dict().items()}}
    expected["by hand"]["momentum"] = value_of(optimizer.state_dict()["state"][1]["momentum_buffer"])
    expected["by hand"]["lr"] = optimizer.lr
    expected["by hand"]["draw"] = random.normal()
    expected["by hand"]["outputs"] = outputs(model)
    (folder / "expected.json").write_text(json.dumps(expected))


# ---- The tests


EXPECTED = json.loads((SAVED / "expected.json").read_text())


def bits(*states):
    """Nested state dicts, flat and to the bit."""
    if isinstance(states[0], dict):
        return {f"{key}.{name}": x for key, member in states[0].items() for name, x in bits(member).items()}
    if isinstance(states[0], (list, tuple)):
        return {f"{i}.{name}": x for i, member in enumerate(states[0]) for name, x in bits(member).items()}
    array = np.asarray(states[0])
    return {"": (array.tobytes() if array.dtype.kind != "O" else states[0], array.dtype.str, array.shape)}


@pytest.mark.parametrize("part", ["training/last.safetensors", "by-hand.safetensors"])
def test_every_tensor_comes_back_to_the_bit(part):
    """As another library reads them: the weights in the model, the moments in the optimizer."""
    from safetensors.numpy import load_file

    tensors = load_file(SAVED / part)
    model, optimizer, schedule = parts(1)
    if "training" in part:
        optimizer = nn.Adam([{"params": [model.words.weight]}, {"params": list(model.parameters())[1:]}])
        nn.load(SAVED / part, model, optimizer)
    else:
        nn.load(SAVED / part, model, optimizer, schedule)
    own = {f"model.{name}": array for name, array in model.state_dict().items()}
    for i, moments in optimizer.state_dict()["state"].items():
        own |= {f"optimizer.state.{i}.{name}": array for name, array in moments.items() if name != "step"}
    assert len(own) > 30
    for name, array in own.items():
        assert tensors[name].dtype == array.dtype
        assert tensors[name].tobytes() == array.tobytes(), name


def test_a_training_of_an_earlier_version_goes_on(tmp_path):
    shutil.copy(SAVED / "training" / "last.safetensors", tmp_path)
    model, history, callbacks = train(tmp_path, seed=1)
    losses, expected = history.steps["loss"], EXPECTED["losses"]
    np.testing.assert_array_equal(losses[:STOPPED], expected[:STOPPED])
    np.testing.assert_allclose(losses[STOPPED : STOPPED + 2], expected[STOPPED : STOPPED + 2], rtol=1e-4)
    # Another processor rounds otherwise in the last bit, which Adam makes a whole step of where a gradient is all but 0:
    # without AVX the losses end up 0.2 % from those on the processor where they were written down.
    np.testing.assert_allclose(losses, expected, rtol=0.02)
    np.testing.assert_allclose(history.epochs["valid_loss"], EXPECTED["valid_loss"], rtol=0.01)
    np.testing.assert_allclose(outputs(model), EXPECTED["outputs"], rtol=0.05, atol=0.02)
    assert len(history.steps["gradient_norm.last.classes.bias"]) == 40
    assert callbacks[1].seen["tuple"] == (1, 2.5)


def test_it_goes_on_with_the_same_bits_when_it_is_stopped_again_and_saved_by_this_version(tmp_path):
    results = []
    for name, stops in (("once", []), ("twice", [STOPPED + 1, STOPPED + 9])):
        (tmp_path / name).mkdir()
        shutil.copy(SAVED / "training" / "last.safetensors", tmp_path / name)
        for stop in stops:
            train(tmp_path / name, 2, stop)
        model, history, _ = train(tmp_path / name, seed=1)
        figures = [of[name] for of in (history.steps, history.epochs) for name in of if name != "seconds"]
        results.append((bits(model.state_dict()), figures))
    assert results[0] == results[1]


def test_what_was_saved_by_hand_comes_back():
    model, optimizer, schedule = parts(1)
    random = np.random.default_rng(0)
    progress = nn.load(SAVED / "by-hand.safetensors", model, optimizer, schedule, random)
    assert bits(progress) == bits(PROGRESS)
    assert type(progress["pair"]) is tuple
    expected = EXPECTED["by hand"]
    assert {name: value_of(array) for name, array in model.state_dict().items()} == expected["model"]
    assert value_of(optimizer.state_dict()["state"][1]["momentum_buffer"]) == expected["momentum"]
    assert optimizer.lr == expected["lr"]
    assert schedule.last_epoch == 3
    assert random.normal() == expected["draw"]
    np.testing.assert_allclose(outputs(model), expected["outputs"], rtol=1e-4, atol=1e-5)


def test_what_was_saved_by_hand_trains_on_with_the_bits_of_one_that_was_saved_now(tmp_path):
    results = []
    model, optimizer, schedule = parts(1)
    nn.load(SAVED / "by-hand.safetensors", model, optimizer, schedule)
    nn.save(tmp_path / "now", model, optimizer, schedule)
    for path in (SAVED / "by-hand.safetensors", tmp_path / "now"):
        model, optimizer, schedule = parts(2)
        nn.load(path, model, optimizer, schedule)
        learn(model, optimizer, schedule, 4)
        results.append(bits([model.state_dict(), optimizer.state_dict(), schedule.state_dict()]))
    assert results[0] == results[1]
