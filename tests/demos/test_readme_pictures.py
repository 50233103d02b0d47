"""README's pictures are what their command draws: the same texts, boxes and arrows. Coordinates differ between
versions of Graphviz."""

import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

import autograd as ag
import demos.pictures.__main__ as pictures

ROOT = Path(pictures.__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SVG = "{http://www.w3.org/2000/svg}"


def shown(path):
    """The texts of each kind of element of a picture: of boxes, arrows and groups, and of what is beside them."""
    found = Counter()
    root = ElementTree.parse(path).getroot()
    for element in root.iter(f"{SVG}g"):
        written = tuple("".join(text.itertext()).strip() for text in element.findall(f".//{SVG}text"))
        if element.get("class") != "graph":
            found[element.get("class"), written] += 1
    return found


@pytest.mark.once
@pytest.mark.parametrize("name", pictures.PICTURES)
def test_a_picture_is_what_its_command_draws(name, tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "FOLDER", tmp_path)
    try:
        assert pictures.main([name]) == 0
    except ag.GraphvizError as error:
        pytest.skip(f"nothing lays out graphs: {error}")
    kept, new = shown(ROOT / "demos" / "pictures" / f"{name}.svg"), shown(tmp_path / f"{name}.svg")
    assert new == kept, f"python -m demos.pictures {name} draws it anew: look at it"
    boxes = [kind for kind, _ in kept.elements()].count("node")
    assert 2 <= boxes <= 60


def test_readme_shows_all_pictures_and_says_how_they_are_made():
    assert re.findall(r"!\[[^]]+\]\(demos/pictures/(\w+)\.svg\)", README) == [*pictures.PICTURES]
    assert "python -m demos.pictures" in README
    files = sorted(path.stem for path in (ROOT / "demos" / "pictures").glob("*.svg"))
    assert files == sorted(pictures.PICTURES)


def test_a_picture_that_there_is_not_is_named(capsys):
    assert pictures.main(["newron"]) == 2
    assert "there is no picture 'newron'; there are: neuron, moons, mistake" in capsys.readouterr().err


def test_readme_counts_what_is_folded_as_the_picture_does():
    drawn = (ROOT / "demos" / "pictures" / "moons.svg").read_text(encoding="utf-8")
    nodes, boxes = re.search(r"([\d,]+) nodes in (\d+) boxes", drawn).groups()
    assert f"{nodes} nodes" in README
    assert boxes == "8"
    assert "is eight boxes" in README
