"""Findings of the lessons on slopes, lines, perceptrons, batches and initialization, beyond what is asked of every demo."""

import re
from itertools import pairwise

import numpy as np
import pytest

matplotlib_image = pytest.importorskip("matplotlib.image")
pytest.importorskip("tqdm")

import demos.__main__ as runner  # noqa: E402


@pytest.fixture
def quick(tmp_path, capsys):
    """The finding of a demo run in a hurry, all that it said, and the folder of its pictures."""

    def run(name, *arguments):
        assert runner.main([name, "--quick", "--out", str(tmp_path), *arguments]) == 0
        said = capsys.readouterr().out
        return re.search(r"^Finding: (.+)$", said, re.MULTILINE)[1], said, tmp_path

    return run


def test_slope_is_six_and_only_the_good_rate_arrives(quick):
    finding, said, out = quick("slope")
    assert "ag.grad(f)(3) = 6\n" in said
    good, low, high = map(float, re.findall(r"at (\d\.\d+)", finding))
    assert good < 0.01 < 1 < low < 3 < high
    assert sorted(path.name for path in out.iterdir()) == ["slope-descent.png", "slope-tangent.png"]


def test_line_moves_in_its_film_and_comes_near_least_squares(quick):
    pillow = pytest.importorskip("PIL.Image")
    finding, _, out = quick("line")
    assert float(re.search(r"within (\S+) of", finding)[1]) <= 0.2
    with pillow.open(out / "line.gif") as film:
        frames = []
        for i in range(film.n_frames):
            film.seek(i)
            frames.append(np.asarray(film.convert("L"), float))
    assert len(frames) == 5
    assert all(np.abs(after - before).mean() > 0.1 for before, after in pairwise(frames))


@pytest.mark.parametrize("seed", ["0", "1"])
def test_perceptron_fails_on_xor_and_a_hidden_layer_does_not(quick, seed):
    finding, said, _ = quick("perceptron", "--seed", seed)
    line, bent, straight, deep = map(float, re.findall(r"([\d.]+)%", finding))
    assert line <= 80
    assert bent >= 90
    assert 80 <= straight < deep
    assert "they differ by 0\n" in said


def test_perceptron_without_mnist_says_what_to_do(monkeypatch, capsys):
    import demos.perceptron as lesson

    def unreachable():
        raise OSError("There are three ways: a, b and c")

    monkeypatch.setattr("nn.mnist", unreachable)
    name, (images, labels), test = lesson.images(quick=False, rng=np.random.default_rng(0))
    assert "three ways" in capsys.readouterr().out
    assert name == "8 × 8 digits"
    assert images.shape == (len(labels), 64)
    assert len(labels) + len(test[1]) == 1797


def test_mini_batches_arrive_with_the_fewest_examples(quick):
    finding, _, _ = quick("minibatch")
    few, full, one = re.search(r"look at ([\d,]+) .* at ([\d,]+); one at a time: (\S+)\.$", finding).groups()
    assert one == "never"
    assert 10 * int(few.replace(",", "")) < int(full.replace(",", ""))


def test_the_loss_surface_is_the_loss():
    from demos.minibatch import Surface

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 1)), rng.normal(size=(50, 1))
    surface, line = Surface(x, y), np.array([0.3, -0.7])
    assert np.isclose(surface.lowest + surface.above(line), np.mean((0.3 * x - 0.7 - y) ** 2))


def test_equal_weights_stay_equal_and_only_the_right_scales_last(quick):
    _, said, _ = quick("initialisation")
    spreads = re.findall(r"differ by up to (\S+) after", said)
    assert float(spreads[0]) < 1e-9 < 0.1 < float(spreads[1])
    rows = re.findall(r"^(\S) × \w+, \w+ +(\S+) +(\S+)", said, re.MULTILINE)
    assert len(rows) == 6
    for factor, forward, backward in rows:
        if factor == "1":
            assert 0.05 < float(forward) < 5
            assert 0.01 < float(backward) < 5
        elif factor == "3":
            assert float(backward) > 10
        else:
            assert float(forward) < 1e-9
            assert float(backward) < 1e-9
