"""What the demos' pictures must be to a stranger: nothing unnamed, nothing that runs out or lies over something else."""

import itertools
import re

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")
pytest.importorskip("tqdm")
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import demos.__main__ as runner
import nn
from demos import digits, inspect, minibatch, mnist, optimizers, search, three_or_seven
from demos.common.options import Options
from demos.common.pictures import TWO_SIDED, panels

pytestmark = pytest.mark.once


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """A function that runs a demo in a hurry and gives its figures by the names of their files."""
    figures = {}
    save = Figure.savefig

    def keep(self, path, *args, **kwargs):
        save(self, path, *args, **kwargs)
        figures[getattr(path, "name", "")] = self

    monkeypatch.setattr(Figure, "savefig", keep)

    def run(name, *arguments):
        assert runner.main([name, "--quick", "--out", str(tmp_path), *arguments]) == 0
        return figures

    return run


def texts(axes):
    return {text.get_text() for text in axes.texts}


def overlaps(a, b):
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1


def renderer_of(figure):
    """What says how large texts are, after a layout of all."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return canvas.get_renderer()


def check_titles(figure):
    """Titles and labels of axes lie within the figure, and titles not over one another."""
    renderer, whole = renderer_of(figure), figure.bbox
    titles = []
    for axes in figure.axes:
        named = [axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
        boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in named if text.get_text()]
        for text, box in boxes:
            assert box.x0 > -1, text
            assert box.x1 < whole.x1 + 1, text
        titles += [pair for pair in boxes if pair[0] in (axes.title.get_text(), axes._left_title.get_text())]
    for (one, a), (other, b) in itertools.combinations(titles, 2):
        assert not overlaps(a, b), f"{one!r} and {other!r}"


def test_bars_stand_between_their_names_and_numbers():
    figure, axes = panels(4, 2, height=5.2)
    metrics = {"SGD": np.inf, "momentum": 55.0, "Nesterov": 52.0, "RMSprop": 139.0, "AdamW": 147.0}
    optimizers.compare(axes[1, 3], "Steps", metrics, "{:.0f}")
    renderer = renderer_of(figure)
    bars = [patch.get_window_extent(renderer) for patch in axes[1, 3].patches if patch.get_width()]
    written = {text.get_text(): text.get_window_extent(renderer) for text in axes[1, 3].texts}
    assert len(bars) == 4
    assert {"momentum", "55", "not in time"} <= set(written)
    for text, box in written.items():
        assert not any(overlaps(box, bar) for bar in bars), text
        assert box.x1 < figure.bbox.x1
    for (one, a), (other, b) in itertools.combinations(written.items(), 2):
        assert not overlaps(a, b), f"{one} and {other}"


def test_optimizers_have_aligned_panels_with_start_and_goal(drawn):
    figures = drawn("optimizers")
    ravine = figures["optimizers-ravine.png"]
    assert all({"start", "goal"} <= texts(axes) for axes in ravine.axes[:7])
    for figure in (ravine, figures["optimizers-digits.png"]):
        check_titles(figure)
        tops = [round(axes.get_position().y1, 3) for axes in figure.axes]
        assert len(set(tops)) == 2


def test_greeks_have_titles_that_do_not_run_out(drawn):
    figure = drawn("greeks")["greeks.png"]
    check_titles(figure)
    assert sum(bool(axes.get_title(loc="left")) for axes in figure.axes) == 7


def test_search_tells_30_from_82_percent(tmp_path, monkeypatch, capsys):
    kept = []
    monkeypatch.setattr(search, "save", lambda figure, path: kept.append(figure))
    rates = [0.001, 0.01, 0.1]
    found = dict(zip(itertools.product([(4,), (16,)], rates), (0.306, 0.822, 0.88, 0.95, 0.975, 0.98), strict=True))
    search.draw(Options(out=tmp_path), [(4,), (16,)], rates, found, ((16,), 0.1), 0.97)
    [image] = kept[0].axes[0].images
    colours = image.cmap(image.norm(image.get_array())).reshape(-1, 4)[:, :3]
    assert np.abs(np.diff(colours, axis=0)).max(axis=1).min() > 0.01  # all differ
    assert np.abs(colours[0] - colours[1]).max() > 0.2
    runner.main(["search", "--quick", "--out", str(tmp_path)])
    assert not re.search(r" \n", capsys.readouterr().out)


def test_three_or_seven_has_a_two_sided_scale(drawn):
    figure = drawn("three_or_seven")["three_or_seven.png"]
    [picture] = [axes for axes in figure.axes if "Weights" in axes.get_title(loc="left")]
    [image] = picture.images
    assert image.cmap is TWO_SIDED
    assert image.norm.vmin == -image.norm.vmax
    low, middle, high = (np.array(image.cmap(x)[:3]) for x in (0.0, 0.5, 1.0))
    assert middle.min() > 0.98
    assert low[2] > low[0]  # blue
    assert high[0] > high[2]  # red
    assert three_or_seven.TWO_SIDED is TWO_SIDED


def test_every_line_of_minibatch_is_named(drawn):
    figures = drawn("minibatch")
    for axes in figures["minibatch-loss.png"].axes:
        assert set(minibatch.STYLES) <= texts(axes)
    for axes in figures["minibatch-paths.png"].axes:
        assert {"start", "lowest", "0.5"} <= texts(axes)
    check_titles(figures["minibatch-loss.png"])


def test_every_line_of_initialisation_is_named(drawn):
    figures = drawn("initialisation")
    for axes in figures["initialisation-scales.png"].axes:
        [rule] = [rule for rule in ("Xavier", "Kaiming") if any(rule in text for text in texts(axes))]
        assert texts(axes) == {f"{factor} × {rule}" for factor in ("3", "1", "⅓")}
    assert all("start" in axes.get_xlabel() or {"start", "end"} <= texts(axes)
               for axes in figures["initialisation-equal.png"].axes)  # fmt: skip
    for figure in figures.values():
        check_titles(figure)


def test_every_flight_and_place_of_orbit_is_named(drawn):
    figures = drawn("orbit")
    space, curve = figures["orbit.png"].axes
    assert {"0", "1", "2", "3", "5", "8", "sun", "start", "target"} <= texts(space)
    assert {"descent", "momentum", "Newton"} <= texts(curve)
    for axes in figures["orbit-map.png"].axes:
        assert {"start", "goal"} <= texts(axes)
    for figure in figures.values():
        check_titles(figure)


# ---- What is printed


def test_digits_prints_a_dozen_rows_of_sixty(monkeypatch, tmp_path, capsys):
    images, labels = nn.digits()
    monkeypatch.setattr(digits.nn, "digits", lambda: (images[:100], labels[:100]))
    for draw in ("draw_curves", "draw_mistakes", "draw_loss"):
        monkeypatch.setattr(digits, draw, lambda *args: None)
    digits.run(Options(out=tmp_path))
    rows = [int(row) for row in re.findall(r"^ +(\d+) ", capsys.readouterr().out, re.MULTILINE)]
    assert rows == [0, 1, 2, 3, 4, 5, 10, 20, 30, 40, 50, 60]


def test_mnist_says_beforehand_how_long_it_takes(tmp_path, capsys, monkeypatch):
    def learn(*args):
        raise KeyboardInterrupt  # what follows is tested with all demos

    monkeypatch.setattr(mnist, "learn", learn)
    runner.main(["mnist", "--quick", "--out", str(tmp_path)])
    before, told, _ = re.split(r"^(Timing: training will take about \S+ \w+, .+)$", capsys.readouterr().out, flags=re.M)
    assert told
    assert "epoch" not in before


def test_moons_prints_what_happens(tmp_path, capsys):
    runner.main(["moons", "--quick", "--out", str(tmp_path)])
    rows = re.findall(r"^ +(\d+) +([\d.]+) +(\d+)%$", capsys.readouterr().out, re.MULTILINE)
    assert [int(step) for step, _, _ in rows] == [0, 1, 2, 5, 10, 15]
    losses, right = [float(loss) for _, loss, _ in rows], [int(right) for _, _, right in rows]
    assert losses[-1] < losses[0] / 2
    assert right[-1] > right[0]


# ---- Inspect


@pytest.mark.parametrize("seed", ["0", "1"])
def test_inspect_opens_the_prediction_that_the_arrays_made(drawn, seed, capsys):
    figures = drawn("inspect", "--seed", seed)
    said = capsys.readouterr().out
    off, before, after = re.search(
        r"network's by (\S+) at most; .* from (\S+) to (\S+)\.$", said, re.MULTILINE
    ).groups()
    assert float(off) < 1e-12
    moon, score = re.search(r"of moon (\d): its score is (\S+)\.$", said, re.MULTILINE).groups()
    assert float(before) == pytest.approx(float(score), abs=1e-3)
    assert (float(after) > float(before)) == (moon == "1")
    added = [float(row.split()[-1]) for row in re.findall(r"^ +(?:\d|bias) .*$", said, re.MULTILINE)]
    assert len(added) == inspect.NEURONS + 1
    assert sum(added) == pytest.approx(float(score), abs=1e-3)
    assert "dscore/dx = " in said
    [axes] = figures["inspect-moons.png"].axes
    assert sorted(int(k) for text in texts(axes) for k in re.findall(r"\d", text)) == [1, 2, 3, 4]
    check_titles(figures["inspect-moons.png"])
