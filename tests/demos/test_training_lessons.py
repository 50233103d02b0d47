"""Findings of the lessons on optimizers, overfitting, search and MNIST, beyond what is asked of every demo."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import demos.__main__ as runner

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")
pytest.importorskip("tqdm")
ROOT = Path(runner.__file__).parents[1]


def found(name, tmp_path, capsys):
    assert runner.main([name, "--quick", "--out", str(tmp_path)]) == 0
    return re.search(r"^Finding: (.+)$", capsys.readouterr().out, re.MULTILINE)[1]


def test_three_and_seven_are_told_apart(tmp_path, capsys):
    assert float(re.match(r"([\d.]+)%", found("three_or_seven", tmp_path, capsys))[1]) > 95


def test_momentum_is_faster_than_none(tmp_path, capsys):
    assert re.search(r"(momentum|Nesterov|Adam) is first", found("optimizers", tmp_path, capsys))


def test_every_remedy_is_better_than_none(tmp_path, capsys):
    finding = found("overfitting", tmp_path, capsys)
    least, last = map(float, re.search(r"falls to (\S+) in .* rises to ([\d.]+);", finding).groups())
    assert last > 1.3 * least
    bare, *remedies = map(int, re.findall(r"(\d+)%", finding))
    assert len(remedies) == 3
    assert min(remedies) > bare


def test_images_are_moved_by_one_pixel_at_most():
    from demos.mnist import Moved

    image = np.zeros((1, 1, 5, 5), np.float32)
    image[0, 0, 2, 2] = 1
    batches = Moved(np.repeat(image, 300, axis=0), np.arange(300), np.random.default_rng(0))
    assert len(batches) == 3
    rows = list(batches)
    assert sorted(np.concatenate([labels for _, labels in rows])) == list(range(300))
    places = {tuple(np.argwhere(moved[0])[0].tolist()) for images, _ in rows for moved in images}
    assert places == {(y, x) for y in (1, 2, 3) for x in (1, 2, 3)}


@pytest.mark.parametrize("name", ["mnist", "three_or_seven"])
def test_without_mnist_the_ways_to_get_it_are_told(name, tmp_path, monkeypatch):
    def missing():
        raise OSError("MNIST is not in reach: there are three ways")

    monkeypatch.setattr("nn.mnist", missing)
    with pytest.raises(SystemExit) as stopped:
        runner.main([name, "--out", str(tmp_path)])
    assert stopped.value.code == "python -m demos: MNIST is not in reach: there are three ways"
    assert stopped.value.__suppress_context__


def test_without_dask_the_extra_is_named():
    code = (
        "import sys, runpy; sys.modules['distributed'] = None; sys.argv[1:] = ['--dask'];"
        "runpy.run_module('demos.search', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("pip install -e '.[demos,dask]'")
    assert "Traceback" not in done.stderr
