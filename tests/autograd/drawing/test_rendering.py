"""Pictures as files: by `dot`, by pygraphviz, or an error that helps."""

import importlib.util
import os
import shutil
import stat
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import autograd as ag
from autograd.drawing import layout
from autograd.drawing.dot import draw
from autograd.drawing.layout import GraphvizError
from autograd.drawing.rendering import render

posix = pytest.mark.skipif(os.name != "posix", reason="the fake `dot` is a script")


@pytest.fixture
def loss():
    x = ag.Value(3.0, "weight <x>")
    y = x * x - 1.0
    y.backward()
    return y


@pytest.fixture
def no_dot(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)


@pytest.fixture
def no_graphviz(no_dot, monkeypatch):
    monkeypatch.setattr(layout, "find_spec", lambda name: None)


@pytest.fixture
def fake_dot(tmp_path_factory, monkeypatch):
    """Put a Python script in the place of `dot`."""

    def install(script):
        folder = tmp_path_factory.mktemp("bin")
        path = folder / "dot"
        path.write_text(f"#!{sys.executable}\nimport sys, time\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(folder))

    return install


pygraphviz = pytest.mark.skipif(not importlib.util.find_spec("pygraphviz"), reason="pygraphviz is not installed")


@pygraphviz
def test_svg_is_xml_that_shows_labels_values_and_gradients(loss, tmp_path, no_dot):
    path = render(loss, tmp_path / "loss.svg")
    texts = [t.text for t in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")]
    assert {"weight <x>", "grad 6", "×", "−", "9", "8"} <= set(map(str.strip, texts))


@pygraphviz
@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG\r\n\x1a\n"), ("a.pdf", b"%PDF-"), ("A.PNG", b"\x89PNG")]
)
def test_the_suffix_says_the_format(loss, tmp_path, no_dot, name, start):
    assert render(loss, tmp_path / name).read_bytes().startswith(start)


@pygraphviz
def test_the_path_is_returned_and_nothing_else_left_behind(loss, tmp_path, no_dot):
    path = render(loss, str(tmp_path / "loss.svg"))
    assert path == tmp_path / "loss.svg"
    assert list(tmp_path.iterdir()) == [path]


@pygraphviz
def test_what_draw_made_is_rendered_as_it_is(loss, tmp_path, no_dot):
    picture = draw(loss)
    picture.attr(label="my caption")
    assert "my caption" in render(picture, tmp_path / "loss.svg").read_text(encoding="utf-8")


def test_the_dot_text_is_written_without_any_graphviz(loss, tmp_path, no_graphviz):
    assert render(loss, tmp_path / "loss.dot").read_text(encoding="utf-8") == draw(loss).source


@posix
def test_dot_is_used_where_it_is_on_the_path(loss, tmp_path, fake_dot):
    fake_dot("print(sys.argv[1:], sys.stdin.buffer.read().decode())")
    text = render(loss, tmp_path / "loss.svg").read_text(encoding="utf-8")
    assert text.startswith("['-Tsvg'] digraph {")
    assert "weight &lt;x&gt;" in text


@posix
def test_a_failure_of_graphviz_is_told_in_its_own_words_and_the_dot_text_saved(loss, tmp_path, fake_dot):
    fake_dot("sys.exit('libfoo is missing')")
    with pytest.raises(GraphvizError, match=r"exit status 1: libfoo is missing\n.*loss\.dot"):
        render(loss, tmp_path / "loss.pdf")
    assert (tmp_path / "loss.dot").read_text(encoding="utf-8") == draw(loss).source
    assert not (tmp_path / "loss.pdf").exists()


@posix
def test_a_layout_that_takes_too_long_is_stopped(loss, tmp_path, fake_dot):
    fake_dot("time.sleep(600)")
    with pytest.raises(GraphvizError, match=r"longer than 0\.2 s .*max_nodes"):
        render(loss, tmp_path / "loss.svg", seconds=0.2)
    assert [p.name for p in tmp_path.iterdir()] == ["loss.dot"]


def test_without_graphviz_the_error_names_both_cures_and_the_saved_text(loss, tmp_path, no_graphviz):
    with pytest.raises(GraphvizError) as error:
        render(loss, tmp_path / "loss.svg")
    message = str(error.value)
    assert "`dot` is on PATH" in message
    assert "pip install pygraphviz" in message
    assert str(tmp_path / "loss.dot") in message
    assert (tmp_path / "loss.dot").read_text(encoding="utf-8") == draw(loss).source


@pytest.mark.parametrize("name", ["loss.jpeg", "loss", "svg", ".svg"])
def test_another_suffix_is_refused(loss, tmp_path, name):
    with pytest.raises(ValueError, match=r"must end in one of \.svg, \.png, \.pdf, \.dot"):
        render(loss, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_named(loss, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere.*: create it"):
        render(loss, tmp_path / "nowhere" / "loss.svg")


def test_what_is_no_graph_is_refused(tmp_path):
    with pytest.raises(TypeError, match="needs a Value, a Tensor or what draw\\(\\) made, got int"):
        render(3, tmp_path / "loss.svg")


@pygraphviz
def test_a_picture_is_rendered_from_any_folder(loss, tmp_path, no_dot, monkeypatch):
    (tmp_path / "pygraphviz.py").write_text("raise SystemExit('the wrong one')")  # must not be imported
    monkeypatch.chdir(tmp_path)
    assert render(loss, Path("loss.svg")).stat().st_size > 0
