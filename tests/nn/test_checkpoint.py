"""A checkpoint is whole or not there, comes back to the bit, and a file that is not right changes nothing."""

import json
import os
import struct

import numpy as np
import pytest

import nn

pytest.importorskip("safetensors")


def make(seed=0, hidden=4):
    model = nn.Sequential(nn.Linear(3, hidden, rng=seed), nn.BatchNorm1d(hidden), nn.Dropout(0.5, rng=seed))
    model.layers.append(nn.Linear(hidden, 2, rng=seed))
    return model, nn.Adam(model.parameters(), lr=0.01)


def learn(model, optimizer, steps=3, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.MSELoss()(model(rng.normal(size=(5, 3)).astype(np.float32)), np.ones((5, 2))).backward()
        optimizer.step()


def bits(model, optimizer):
    states = {f"model.{name}": array for name, array in model.state_dict().items()}
    for i, parts in optimizer.state_dict()["state"].items():
        states |= {f"{i}.{name}": np.asarray(part) for name, part in parts.items()}
    return {name: (array.tobytes(), array.shape, array.dtype) for name, array in states.items()}


@pytest.fixture
def saved(tmp_path):
    model, optimizer = make()
    learn(model, optimizer)
    path = tmp_path / "state.safetensors"
    nn.save(path, model, optimizer, rng=np.random.default_rng(5), epoch=2)
    return path, model, optimizer


def test_training_goes_on_from_a_file_as_if_it_had_not_been_away(saved):
    path, model, optimizer = saved
    other, another = make(seed=1)
    rng = np.random.default_rng(0)
    assert nn.load(path, other, another, rng=rng) == {"epoch": 2}
    assert bits(other, another) == bits(model, optimizer)
    assert rng.random() == np.random.default_rng(5).random()
    learn(model, optimizer, seed=7)
    learn(other, another, seed=7)  # with what Dropout draws, and what BatchNorm remembers
    assert bits(other, another) == bits(model, optimizer)


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1),
        np.arange(10.0)[::-2],
        np.arange(12, dtype=np.float32).reshape(3, 4)[:, 1:3],
        np.broadcast_to(np.arange(3), (4, 3)),
        np.arange(3, dtype=">f8"),
        np.array(3.5),
        np.zeros((0, 4)),
        np.array([True, False]),
        np.array([np.nan, -0.0, np.inf, 5e-324]),
        np.float16([1.5]),
        np.uint64([2**64 - 1]),
    ],
    ids=lambda array: f"{array.dtype.str}{array.shape}{array.strides}",
)
def test_arrays_of_every_layout_come_back_to_the_bit(tmp_path, array):
    nn.save(tmp_path / "a", nn.Tanh(), array=array)
    found = nn.load(tmp_path / "a", nn.Tanh())["array"]
    assert found.dtype == array.dtype.newbyteorder("=")
    assert found.shape == array.shape
    assert found.tobytes() == array.astype(found.dtype).tobytes()


def test_what_is_not_an_array_comes_back_as_it_was(tmp_path):
    progress = {
        "numbers": [1, -2.5, 0.1 + 0.2, 2**127, True, None],
        "tuple": (0.9, 0.999),
        "names": {"a": {}, "b": [], 3: "three", "array": "no array", "dict": {"list": []}},
        "scalar": np.float32(0.1),
        "words": "naïve ∂",
    }
    nn.save(tmp_path / "a", nn.Tanh(), **progress)
    found = nn.load(tmp_path / "a", nn.Tanh())
    assert found == progress
    assert type(found["scalar"]) is np.float32
    assert type(found["numbers"][4]) is bool


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), r"progress\.best\.1 is a object"),
        (np.array(["a"]), r"progress\.best\.1 is an array of <U1"),
        ({1.5: 2}, r"progress\.best\.1 has the key 1\.5"),
    ],
)
def test_what_cannot_be_saved_is_named_and_leaves_the_old_file(tmp_path, value, message):
    path = tmp_path / "a"
    nn.save(path, nn.Tanh(), epoch=1)
    with pytest.raises(TypeError, match=message):
        nn.save(path, nn.Tanh(), best=[0, value])
    assert nn.load(path, nn.Tanh()) == {"epoch": 1}
    assert os.listdir(tmp_path) == ["a"]


def test_a_schedule_is_saved_by_its_state_dict(tmp_path):
    class Schedule:
        def __init__(self, count):
            self.count = count

        def state_dict(self):
            return {"count": self.count}

        def load_state_dict(self, state):
            self.count = state["count"]

    path = tmp_path / "a"
    nn.save(path, nn.Tanh(), schedule=Schedule(7))
    schedule = Schedule(0)
    nn.load(path, nn.Tanh(), schedule=schedule)
    assert schedule.count == 7
    with pytest.raises(TypeError, match="no state_dict"):
        nn.save(path, nn.Tanh(), schedule=object())


def test_a_model_alone_may_be_read_but_not_what_was_not_saved(saved, tmp_path):
    path, model, _ = saved
    other, optimizer = make(seed=1)
    nn.load(path, other)
    np.testing.assert_array_equal(other[0].weight.data, model[0].weight.data)
    nn.save(tmp_path / "b", other)
    with pytest.raises(ValueError, match="saved without optimizer and rng, and nothing was loaded"):
        nn.load(tmp_path / "b", other, optimizer, rng=np.random.default_rng(0))


# ---- Files that are not right


def parts(path):
    content = path.read_bytes()
    n = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + n]), content[8 + n :]


def write(path, header, data):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def truncated(path):
    path.write_bytes(path.read_bytes()[:-20])


def headless(path):
    path.write_bytes(path.read_bytes()[:100])


def empty(path):
    path.write_bytes(b"")


def foreign(path):
    path.write_bytes(b"PK\x03\x04" + bytes(500))


def flipped(path):
    header, data = parts(path)
    at = header["model.0.weight"]["data_offsets"][0]
    write(path, header, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


def renamed(path):
    header, data = parts(path)
    header["model.0.mass"] = header.pop("model.0.weight")
    write(path, header, data)


def reshaped(path):
    header, data = parts(path)
    header["model.0.weight"]["shape"] = [7, 7]
    write(path, header, data)


def rewritten(path):
    header, data = parts(path)
    header["__metadata__"]["content"] = header["__metadata__"]["content"].replace("0.01", "0.02")
    write(path, header, data)


def newer(path):
    header, data = parts(path)
    header["__metadata__"]["format"] = "chainrule 99"
    write(path, header, data)


def plain(path):
    header, data = parts(path)
    del header["__metadata__"]
    write(path, header, data)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (truncated, "not a whole safetensors file"),
        (headless, "not a whole safetensors file"),
        (empty, "not a whole safetensors file"),
        (foreign, "not a whole safetensors file"),
        (flipped, "corrupted: the tensor model.0.weight is not what was written"),
        (renamed, "corrupted: the tensor model.0.weight is missing"),
        (reshaped, "not a whole safetensors file"),
        (rewritten, "corrupted: its description"),
        (newer, "has format 'chainrule 99'.*upgrade"),
        (plain, r"not one that nn\.save wrote"),
    ],
)
def test_a_file_that_is_not_right_is_refused_and_nothing_changes(saved, spoil, message):
    path, _, _ = saved
    spoil(path)
    model, optimizer = make(seed=1)
    learn(model, optimizer)
    before = bits(model, optimizer)
    with pytest.raises(ValueError, match=message):
        nn.load(path, model, optimizer)
    assert bits(model, optimizer) == before


def test_every_cut_and_every_flipped_byte_is_noticed(tmp_path):
    path = tmp_path / "a"
    nn.save(path, nn.Linear(2, 2, rng=0), epoch=1)
    whole = path.read_bytes()
    model = nn.Linear(2, 2, rng=1)
    before = model.state_dict()
    for i in range(0, len(whole), 7):
        for spoiled in (whole[:i], whole[:i] + bytes([whole[i] ^ 0x10]) + whole[i + 1 :]):
            path.write_bytes(spoiled)
            with pytest.raises(ValueError, match=r"safetensors|corrupted|format"):
                nn.load(path, model)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_another_model_is_refused_by_tensor_and_nothing_changes(saved):
    path, _, _ = saved
    model, optimizer = make(seed=1, hidden=5)
    before = bits(model, optimizer)
    with pytest.raises(ValueError, match=r"0\.weight has shape \(4, 3\), the model's has \(5, 3\)"):
        nn.load(path, model, optimizer)
    assert bits(model, optimizer) == before
    with pytest.raises(ValueError, match=r"\['2\.rng'\]"):
        nn.load(path, nn.Linear(3, 4))


def test_an_optimizer_that_does_not_fit_leaves_the_model_as_it_was(saved):
    path, _, _ = saved
    model, _ = make(seed=1)
    optimizer = nn.Adam([model[0].weight])
    before = bits(model, optimizer)
    with pytest.raises(ValueError, match="nothing was loaded"):
        nn.load(path, model, optimizer)
    assert bits(model, optimizer) == before


def test_a_missing_file_is_python_s_own_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "none", nn.Tanh())


def test_two_arrays_whose_names_are_spelled_alike_stay_two(tmp_path):
    progress = {"names": {"a.b": np.zeros(1), "a": {"b": np.ones(1)}, 1: np.full(1, 2.0), "1": np.full(1, 3.0)}}
    nn.save(tmp_path / "a", nn.Tanh(), **progress)
    assert nn.load(tmp_path / "a", nn.Tanh()) == progress


@pytest.mark.parametrize("value", [10**5000, {10**5000: 1}, {(1, 2): 3}], ids=["integer", "key", "tuple"])
def test_integers_and_keys_that_no_file_can_hold_are_refused(tmp_path, value):
    with pytest.raises((TypeError, ValueError), match=r"progress\.x (is an integer of more|has the key)"):
        nn.save(tmp_path / "a", nn.Tanh(), x=value)
    assert os.listdir(tmp_path) == []


def test_a_list_that_contains_itself_is_refused(tmp_path):
    endless = []
    endless.append(endless)
    with pytest.raises(ValueError, match="contains itself"):
        nn.save(tmp_path / "a", nn.Tanh(), x=endless)


def test_every_error_of_a_file_is_of_one_kind(saved):
    path, _, _ = saved
    model, optimizer = make(seed=1)
    with pytest.raises(nn.CheckpointError):
        nn.load(path, nn.Tanh())
    path.rename(path.with_name("last.safetensors"))
    data = [(np.ones((2, 3)), np.ones((2, 2)))]
    settings = {"loss": nn.MSELoss(), "optimizer": optimizer, "epochs": 1}
    with pytest.raises(nn.CheckpointError, match=r"written by nn\.save and not by nn\.Checkpoint"):
        nn.fit(model, data, callbacks=[nn.Checkpoint(path.parent, resume=True)], **settings)
    assert issubclass(nn.CheckpointError, ValueError)
