"""Errors that were mended in checkpoints, files and paths, put back one at a time."""

import errno
import tempfile
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd.files import file_path
from nn import checkpoint, encoding, files, restoring, resuming, state_dicts
from nn.optim.optimizer import Optimizer
from nn.optim.schedules import OptimizerSchedule
from tests.mutation import Mutant, check
from tests.nn import test_checkpoint, test_files, test_paths, test_resuming_kinds

pytest.importorskip("safetensors")


def resumes(kind):
    def test():
        with tempfile.TemporaryDirectory() as folder:
            expected = test_resuming_kinds.run(Path(folder) / "whole", kind)
            test_resuming_kinds.run(Path(folder) / "parts", kind, stop=6, every=1)
            assert test_resuming_kinds.run(Path(folder) / "parts", kind, every=1) == expected

    return test


def in_folder(test, *args):
    def run():
        with tempfile.TemporaryDirectory() as folder:
            test(Path(folder), *args)

    return run


def refuses_numbers():
    for path in (1, True):
        with pytest.raises(TypeError):
            file_path("nn.load", "path", path)


def refuses_swapped():
    with tempfile.TemporaryDirectory() as folder:
        test_paths.test_swapped_arguments_are_named(nn.save, Path(folder))


def keeps_what_was_there_when_a_part_does_not_fit():
    model, optimizer = test_checkpoint.make()
    test_checkpoint.learn(model, optimizer)
    state = optimizer.state_dict()
    state["param_groups"][0]["lr"] = "fast"
    before = test_checkpoint.bits(model, optimizer)
    with pytest.raises((TypeError, ValueError)):
        optimizer.load_state_dict(state)
    del state["param_groups"][0]["lr"]
    with pytest.raises(ValueError, match="has no lr"):
        optimizer.load_state_dict(state)
    assert test_checkpoint.bits(model, optimizer) == before


def takes_back():
    """A model that fits, from a file whose optimizer does not."""
    with tempfile.TemporaryDirectory() as folder:
        model, optimizer = test_checkpoint.make()
        test_checkpoint.learn(model, optimizer)
        nn.save(Path(folder) / "a", model, optimizer)
        other, _ = test_checkpoint.make(seed=1)
        another = nn.Adam([other[0].weight])
        before = test_checkpoint.bits(other, another)
        with pytest.raises(nn.CheckpointError, match="nothing was loaded"):
            nn.load(Path(folder) / "a", other, another)
        assert test_checkpoint.bits(other, another) == before


def refuses_a_schedule_of_another_kind():
    optimizer = nn.SGD([nn.Parameter([0.0])])
    schedule = nn.StepLR(optimizer, 2)
    with pytest.raises(ValueError, match="has no"):
        schedule.load_state_dict({**schedule.state_dict(), "optimizer": None})


def refuses_numbers_that_do_not_fit():
    class Counts(nn.Module):
        def __init__(self):
            self.count, self.weight = nn.Buffer(np.int64(3)), nn.Parameter(np.ones(1, np.float16))

    for state in ({"count": 1.5, "weight": [1.0]}, {"count": 1, "weight": [1e30]}):
        with pytest.raises(ValueError, match="cannot hold"):
            Counts().load_state_dict(state)


def refuses_deep_and_endless_structures():
    endless = []
    endless.append(endless)
    with pytest.raises(ValueError, match="contains itself"):
        encoding.encode(endless, "progress", {})
    part = {"list": []}
    for _ in range(200):
        part = {"list": [part]}
    with pytest.raises(ValueError, match="deep"):
        encoding.decode(part, {})
    with pytest.raises(ValueError, match="deep"):
        encoding.parse("[" * 100_000)


def cleans_up(number):
    def test():
        with pytest.MonkeyPatch.context() as monkeypatch, tempfile.TemporaryDirectory() as folder:
            test_files.test_whatever_fails_leaves_the_last_file_and_no_other(Path(folder), monkeypatch, "fsync", number)

    return test


MUTANTS = [
    Mutant("integers are paths", file_path, "isinstance(path, (str, os.PathLike)) else path", "isinstance(path, (str, os.PathLike)) else str(path)", refuses_numbers),
    Mutant("swapped arguments are not named", checkpoint._checked, "isinstance(path, Module)", "False", refuses_swapped),
    Mutant("validation's generator is not saved", resuming.SavedTraining.__init__, '"validation", ', "", resumes("shuffled validation")),
    Mutant("a loss's generators are not saved", resuming.SavedTraining.__init__, '"loss", ', "", resumes("a loss that closes over a generator")),
    Mutant("callbacks' generators are not saved", resuming.SavedTraining.__init__, ', "callbacks"', "", resumes("augmentation")),
    Mutant("a metric's state is not saved", resuming._other_owners, 'elif hasattr(owner, "state_dict") and', "elif False and", resumes("a metric with a state")),
    Mutant("a loss's parameters are not saved", resuming._other_owners, "yield name, rest", "pass", resumes("a loss that draws and learns")),
    Mutant("generators of objects within modules are not found", checkpoint.model_generators, "others = generators(model", "others = {} and generators(model", resumes("a model that hides its generators")),
    Mutant("no lock", nn.Checkpoint.on_begin, "self._lock = FolderLock(self.folder)", "self._lock = FolderLock(Path(__import__('tempfile').mkdtemp()))", in_folder(test_files.test_two_checkpoints_of_one_training_need_two_folders)),
    Mutant("a killed trainer's child still has the lock", files.FolderLock._take, "_is_gone(process)", "False", in_folder(test_files.test_another_process_is_named_and_when_it_is_killed_its_folder_is_free, "os.fork() or (os.close(1), os.close(2))")),
    Mutant("a failed save leaves its file", files._write, "os.unlink(beside)", "pass", cleans_up(errno.ENOSPC)),
    Mutant("an error of the disk in its own words", files._unwritten, "the last good file of", "a file of", cleans_up(errno.EIO)),
    Mutant("a link is replaced", files.write_whole, "Path(os.path.realpath(path))", "path", in_folder(test_files.test_a_link_goes_on_pointing_to_the_file)),
    Mutant("settings are not checked", Optimizer.load_state_dict, "self._check_settings(i, groups[-1])", "pass", keeps_what_was_there_when_a_part_does_not_fit),
    Mutant("settings may be missing", Optimizer.load_state_dict, "if name not in loaded]", "if False]", keeps_what_was_there_when_a_part_does_not_fit),
    Mutant("nothing is taken back", restoring.load_all, "_roll_back(owner, before, attributes)", "pass", takes_back),
    Mutant("a schedule takes any name", OptimizerSchedule._check_names, "if name not in own:", "if False:", refuses_a_schedule_of_another_kind),
    Mutant("integers are cut off, floats become infinite", state_dicts._converted, "if converted.dtype != array.dtype and", "if False and", refuses_numbers_that_do_not_fit),
    Mutant("endless recursion in what is saved", lambda monkeypatch: monkeypatch.setattr(encoding, "MAX_DEPTH", 10**9), "", "", refuses_deep_and_endless_structures),
    Mutant("endless recursion in a file", encoding.parse, "except RecursionError:", "except KeyError:", refuses_deep_and_endless_structures),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_error_put_back_is_seen(mutant):
    check(mutant)
