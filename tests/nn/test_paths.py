"""Every function of both packages that takes a path takes a path alone, and says so before it does anything."""

import os

import numpy as np
import pytest

import autograd as ag
import nn
from tests.autograd.test_files import NO_PATHS

HISTORY = nn.History()
HISTORY.epochs = {"loss": [1.0, 0.5]}
SEARCH = nn.LRFinderResult(np.ones(2), np.ones(2), np.ones(2), None)

TAKE_A_PATH = {
    "nn.save": lambda path: nn.save(path, nn.Tanh()),
    "nn.load": lambda path: nn.load(path, nn.Tanh()),
    "nn.Checkpoint": lambda path: nn.Checkpoint(path),
    "History.to_csv": HISTORY.to_csv,
    "History.plot": HISTORY.plot,
    "LRFinderResult.plot": SEARCH.plot,
    "learning_curves": lambda path: nn.plots.learning_curves(HISTORY.epochs, path),
    "confusion": lambda path: nn.plots.confusion(np.eye(2), path),
    "image_sheet": lambda path: nn.plots.image_sheet(np.ones((2, 3, 3)), path),
    "nn.mnist": lambda path: nn.mnist(path),
    "nn.mnist(cache)": lambda path: nn.mnist("folder", cache=path),
    "read_idx": lambda path: nn.datasets.idx.read_idx(path),
    "ag.render": lambda path: ag.render(ag.Value(1.0) * 2.0, path),
    "ag.show": lambda path: ag.show(ag.Value(1.0) * 2.0, path),
}


@pytest.mark.parametrize("take", TAKE_A_PATH)
@pytest.mark.parametrize("path", [*NO_PATHS, ""], ids=lambda path: type(path).__name__)
def test_what_is_no_path_is_refused_and_standard_output_stays_open(take, path):
    if path is None and take in ("nn.mnist", "nn.mnist(cache)", "ag.show"):
        return  # None is their default
    with pytest.raises((TypeError, ValueError), match=r"(path|folder|cache) must be (a path|the name)|swapped"):
        TAKE_A_PATH[take](path)
    for descriptor in (0, 1, 2):
        os.fstat(descriptor)


@pytest.mark.parametrize("call", [nn.save, nn.load])
def test_swapped_arguments_are_named(call, tmp_path):
    with pytest.raises(TypeError, match=r"swapped.*write nn\.(save|load)\(path, model\)"):
        call(nn.Linear(1, 1), tmp_path / "a")
    with pytest.raises(TypeError, match=r"model.* must be an nn\.Module, got"):
        call(tmp_path / "a", [nn.Linear(1, 1)])
    assert os.listdir(tmp_path) == []
