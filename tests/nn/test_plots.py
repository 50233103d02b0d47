"""Pictures are written in the format that the file's name says, and nonsense is refused before any is."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nn import plots

pytest.importorskip("matplotlib")

CURVES = {"loss": [1.0, 0.1, 0.01], "valid_loss": [1.0, np.nan, 0.2], "accuracy": [0.5, 0.7, 0.9], "seconds": [1, 1, 1]}


def text(path):
    return path.read_text(encoding="utf-8")


def test_learning_curves_have_a_panel_a_metric_and_validation_beside_training(tmp_path):
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none"}):
        plots.learning_curves(CURVES, tmp_path / "a.svg")
    drawn = text(tmp_path / "a.svg")
    for words in ("loss", "accuracy", "training", "validation", "epoch"):
        assert f">{words}<" in drawn
    assert ">seconds<" not in drawn
    plots.learning_curves({"loss": [1.0]}, tmp_path / "b.png")
    assert (tmp_path / "b.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(ValueError, match="no epoch has ended"):
        plots.learning_curves({"loss": []}, tmp_path / "c.png")


def test_a_confusion_matrix_shows_its_counts_and_labels(tmp_path):
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none"}):
        plots.confusion([[17, 3], [0, 29]], tmp_path / "a.svg", labels=["cat", "dog"])
    drawn = text(tmp_path / "a.svg")
    assert all(f">{words}<" in drawn for words in ("17", "3", "29", "cat", "dog", "taken for"))
    with pytest.raises(ValueError, match=r"is square, got shape \(2, 3\)"):
        plots.confusion(np.zeros((2, 3)), tmp_path / "b.svg")
    with pytest.raises(ValueError, match="2 classes, but 1 labels"):
        plots.confusion(np.eye(2), tmp_path / "b.svg", labels=["a"])


@pytest.mark.parametrize("shape", [(1, 4, 6), (23, 8, 8), (5, 49), (3, 1, 8, 8)])
def test_images_of_usual_shapes_are_laid_out(tmp_path, shape):
    plots.image_sheet(np.random.default_rng(0).random(shape), tmp_path / "a.png", titles=range(shape[0]))
    assert (tmp_path / "a.png").stat().st_size > 500


def test_what_is_no_sheet_is_refused(tmp_path):
    for shape in [(5,), (0, 8, 8), (5, 50), (5, 3, 8, 8)]:
        with pytest.raises(ValueError, match=r"images of shape \(n, h, w\)"):
            plots.image_sheet(np.zeros(shape), tmp_path / "a.png")
    with pytest.raises(ValueError, match="2 images, but 1 titles"):
        plots.image_sheet(np.zeros((2, 8, 8)), tmp_path / "a.png", titles=["x"])


def test_without_matplotlib_the_extra_is_named():
    program = (
        "import sys; sys.modules['matplotlib'] = None; import nn; nn.plots.learning_curves({'loss': [1]}, 'a.png')"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True)
    assert "needs matplotlib" in done.stderr
    assert "pip install matplotlib" in done.stderr
