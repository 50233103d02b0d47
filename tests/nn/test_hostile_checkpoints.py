"""Checkpoints with the right checksums and odd content: each loads exactly as it says, or is one kind of error, and then
not one bit of the model, the optimizer, the history, the callbacks or a generator has changed.

Every value in the description of a checkpoint is put in place of by values of every kind, left out, and doubled; every
tensor changes its shape, dtype, name and numbers. A campaign, from a fixed seed.
"""

import json
import random
import zlib

import numpy as np
import pytest

import nn
from nn import checkpoint
from nn.encoding import decode, encode
from nn.training_state import Training

pytest.importorskip("safetensors")
from safetensors.numpy import load_file, save

X, Y = nn.moons(12, rng=0)


class Remember(nn.Callback):
    """A callback as users write them, which takes what it is given."""

    def __init__(self):
        self.seen = {"pair": (1, 2.0), "names": ["a", None]}
        self.rng = np.random.default_rng(3)

    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state):
        self.seen = state["seen"]


class Careless(nn.Callback):
    """One that has changed by half when it fails."""

    def __init__(self):
        self.count, self.log = 0, []

    def on_step(self, training):
        self.count += 1
        self.log.append(self.count)

    def state_dict(self):
        return {"count": self.count, "log": self.log}

    def load_state_dict(self, state):
        self.log.clear()
        self.log.extend(state["log"])
        self.count = state["count"] + 0


class StopAt(nn.Callback):
    def __init__(self, step):
        self.step = step

    def on_step(self, training):
        if training.step == self.step:
            training.interrupted = True
            training.stop("now")


class Aside:
    """A schedule of something else than the rate of the training's optimizer."""

    def __init__(self, schedule):
        self.step, self.state_dict, self.load_state_dict = schedule.step, schedule.state_dict, schedule.load_state_dict


def make(folder, seed, epochs=3, resume=True):
    model = nn.Sequential(
        nn.Linear(2, 3, rng=seed), nn.BatchNorm1d(3), nn.Dropout(0.3, rng=seed), nn.Linear(3, 2, rng=seed)
    )
    optimizer = nn.Adam([{"params": list(model[0].parameters())}, {"params": list(model.parameters())[2:]}], lr=0.02)
    warm_up = nn.SequentialLR(
        optimizer, [nn.LinearLR(optimizer, total_iters=2), nn.StepLR(optimizer, step_size=2)], milestones=[2]
    )
    callbacks = [
        Careless(),
        Remember(),
        nn.EarlyStopping(20),
        nn.Schedule(warm_up, every="step"),
        nn.Schedule(
            Aside(nn.OneCycleLR(nn.SGD([nn.Parameter([0.0])], momentum=0.5), max_lr=1.0, total_steps=30)), every="step"
        ),
        nn.Schedule(Aside(nn.ReduceLROnPlateau(nn.SGD([nn.Parameter([0.0])]))), monitor="valid_loss"),
        nn.GradientNorms(),
        nn.Checkpoint(folder, every=1, resume=resume),
    ]
    train, valid = nn.batches(X, Y, 5, rng=seed), nn.batches(X, Y, 6, rng=seed)
    return model, optimizer, train, valid, callbacks


def run(folder, seed, stop=7):
    model, optimizer, train, valid, callbacks = make(folder, seed)
    callbacks.append(StopAt(stop))
    settings = {"loss": nn.CrossEntropyLoss(), "optimizer": optimizer, "epochs": 3, "metrics": nn.accuracy}
    nn.fit(model, train, valid, callbacks=callbacks, **settings)


def training_for(folder, seed):
    """A training that is about to begin, with something in its history, and its callbacks as `run` has them."""
    model, optimizer, train, valid, callbacks = make(folder, seed)
    callbacks.append(StopAt(None))
    return Training(model, train, valid, nn.CrossEntropyLoss(), optimizer, 3, callbacks, nn.accuracy)


def resume(training):
    """As `fit` begins, from the file; but for the lock, which a file system takes longer for than for all the rest."""
    checkpoint.resume(training.callbacks[-1].last, training)


def state(training):
    """All that a resumed training is to take from its file."""
    return {
        "model": training.model.state_dict(),
        "generators": [module.rng.bit_generator.state for module in training.model.modules() if hasattr(module, "rng")],
        "optimizer": training.optimizer.state_dict(),
        "training": training.state_dict(),
    }


def bits_of(part):
    """A state, to the bit."""
    tensors = {}
    text = json.dumps(encode(part, "", tensors))
    return text, {name: (array.tobytes(), array.dtype, array.shape) for name, array in tensors.items()}


def parts(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return json.loads(header["__metadata__"]["content"]), load_file(path)


def write(path, content, tensors, text=None):
    if text is None:
        checksums = {name: zlib.crc32(np.ascontiguousarray(array).tobytes()) for name, array in tensors.items()}
        text = json.dumps(content | {"checksums": checksums} if isinstance(content, dict) else content)
    metadata = {"format": "chainrule 1", "content": text, "checksum": str(zlib.crc32(text.encode()))}
    path.write_bytes(save(tensors, metadata))


# ---- What is put into a file


def deep(n):
    part = {"list": []}
    for _ in range(n):
        part = {"list": [part]}
    return part


SURPRISES = [
    None, True, False, -1, 0, 1, 7, 1.5, -2.5, float("nan"), float("inf"), 2**70, -(2**64), 10**400, "", "text", "0",
    [], {}, [1, 2], {"list": []}, {"tuple": []}, {"dict": []}, {"dict": [[1, 2]]}, {"dict": [["a", 1], ["a", 2]]},
    {"dict": [[1]]}, {"dict": [[None, 1]]}, {"array": "nope"}, {"array": 3}, {"number": "model.0.weight"},
    {"array": "model.0.weight"}, {"list": 3}, {"what": []}, {"list": [], "dict": []}, deep(30), deep(200),
    {"list": [1, "a", None]}, {"dict": [["state", {"dict": []}]]},
]  # fmt: skip


def places(part, path=()):
    """The paths of all values in JSON."""
    yield path
    for key in range(len(part)) if isinstance(part, list) else part if isinstance(part, dict) else ():
        yield from places(part[key], (*path, key))


def at(part, path):
    for key in path:
        part = part[key]
    return part


def changed(text, path, change):
    content = json.loads(text)
    change(at(content, path[:-1]), path[-1])
    return content


def odd_contents(content, rng):
    """Contents in which one value is replaced, missing or duplicated."""
    text = json.dumps(content)
    everywhere = [path for path in places(content["tree"], ("tree",)) if len(path) > 1]
    for path in everywhere:
        for surprise in rng.sample(SURPRISES, 1):
            yield changed(text, path, lambda owner, key, surprise=surprise: owner.__setitem__(key, surprise))
        kind = rng.randrange(4)
        if kind == 0:
            yield changed(text, path, lambda owner, key: owner.pop(key))
        elif isinstance(path[-1], int):
            yield changed(text, path, lambda owner, key: owner.insert(key, owner[key]))
        elif kind == 1:
            yield changed(text, path, lambda owner, key: owner.update({key + "x": owner.pop(key)}))
    for path in rng.sample([p for p in everywhere if isinstance(at(content, p), (int, float, str))], 40):
        for surprise in rng.sample([s for s in SURPRISES if isinstance(s, (int, float, str))], 3):
            yield changed(text, path, lambda owner, key, surprise=surprise: owner.__setitem__(key, surprise))


def odd_tensors(content, tensors):
    """Contents and tensors in which one tensor has another shape, dtype, name or numbers."""
    changes = [
        lambda a: a.astype(np.float64),
        lambda a: a.astype(np.float16),
        lambda a: a.astype(np.int64) if np.isfinite(a).all() else a[:0],
        lambda a: a.astype(np.complex64),
        lambda a: np.asarray(a != 0),
        lambda a: a[..., None],
        lambda a: a.ravel()[:-1],
        lambda a: a.ravel()[:0],
        lambda a: np.concatenate([a.ravel(), a.ravel()]),
        lambda a: np.full_like(a, -3),
        lambda a: np.full(a.shape, np.nan),
        lambda a: np.full(a.shape, 1e300),
    ]
    for name, array in tensors.items():
        for change in changes:
            with np.errstate(all="ignore"):
                yield content, tensors | {name: change(array)}
        rest = {other: a for other, a in tensors.items() if other != name}
        yield content, rest
        yield content, rest | {name + "x": array}
        renamed = json.loads(json.dumps(content).replace(json.dumps(name), json.dumps(name + "x")))
        yield renamed, rest | {name + "x": array}  # which is no change
    yield content, tensors | {"more": np.ones(2)}


def odd_texts(text, rng):
    """Descriptions that a few wrong characters have got into."""
    for _ in range(120):
        i = rng.randrange(len(text))
        yield text[:i] + rng.choice('0123456789.-eEnN"[]{},: ') + text[i + rng.randrange(3) :]
    for i in range(0, len(text), len(text) // 20):
        yield text[:i]
    for n in (1000, 100_000):
        yield "[" * n + "]" * n
        yield '{"tree": ' * n + "1" + "}" * n
    yield text.replace('"epoch", ', '"epoch", ' + "9" * 5000, 1)


def files(content, tensors):
    rng = random.Random(0)
    text = json.dumps(content)
    for odd in odd_contents(content, rng):
        yield odd, tensors, None
    for odd, some in odd_tensors(content, tensors):
        yield odd, some, None
    for odd in odd_texts(text, rng):
        yield content, tensors, odd
    for odd in ([], 1, None, {"tree": content["tree"]}, {"checksums": {}}, {**content, "more": 1}):
        yield odd, tensors, json.dumps(odd)
    for checksums in ([], 1, None, {}, dict.fromkeys(tensors, "1"), dict.fromkeys(tensors)):
        yield content, tensors, json.dumps({**content, "checksums": checksums})


# ---- What comes of it


def agree(saved, loaded, path=""):
    """Whether what was loaded is what was saved: a list for a tuple, and an array in the dtype of the model's, are."""
    if isinstance(loaded, (list, tuple)):
        assert isinstance(saved, (list, tuple)), path
        assert len(saved) == len(loaded), path
        for i, (a, b) in enumerate(zip(saved, loaded, strict=True)):
            agree(a, b, f"{path}.{i}")
    elif isinstance(loaded, dict):
        assert saved.keys() == loaded.keys(), path
        for key in loaded:
            agree(saved[key], loaded[key], f"{path}.{key}")
    elif isinstance(loaded, np.ndarray):
        np.testing.assert_array_equal(np.asarray(saved).astype(loaded.dtype), loaded, err_msg=path)
    else:
        assert saved == loaded or (saved != saved and loaded != loaded), path


def test_odd_content_is_loaded_exactly_or_is_refused_and_changes_nothing(tmp_path):
    run(tmp_path / "saved", seed=0)
    content, tensors = parts(tmp_path / "saved" / "last.safetensors")
    run(tmp_path / "own", seed=1, stop=2)  # so that there is something to lose
    own = parts(tmp_path / "own" / "last.safetensors")
    folder = tmp_path / "folder"
    folder.mkdir()
    training, path = training_for(folder, seed=1), folder / "last.safetensors"
    write(path, *own)
    resume(training)
    before = bits_of(state(training))
    outcomes = {"loaded": 0, "refused": 0}
    for odd, some, text in files(content, tensors):
        write(path, odd, some, text)
        try:
            resume(training)
            error = None
        except nn.CheckpointError as refusal:
            error = str(refusal)
        outcomes["refused" if error else "loaded"] += 1
        if error:
            assert len(error) < 2000
            assert bits_of(state(training)) == before, error
        else:
            tree = json.loads(text)["tree"] if text else odd["tree"]
            left = dict(some)
            saved = {name: decode(part, left) for name, part in tree.items()}
            loaded = state(training)
            agree(saved["model"], loaded["model"], "model")
            agree(list(saved["generators"].values()), loaded["generators"], "generators")
            agree(saved["optimizer"], loaded["optimizer"], "optimizer")
            agree(saved["progress"]["training"], loaded["training"], "training")
            write(path, *own)
            resume(training)
            assert bits_of(state(training)) == before

    assert sum(outcomes.values()) >= 2000
    assert outcomes["loaded"] >= 100
