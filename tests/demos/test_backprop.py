"""The lesson of one neuron: its numbers are the lecture's, and its page shows them step by step, with its own code."""

import re
from pathlib import Path

import pytest

import demos.__main__ as runner
import demos.backprop as lesson
from tests.browser import LOOKS, check_looks, screenshot

GRADIENTS = {"x1": "−1.5", "x2": "0.5", "w1": "1", "w2": "0", "b": "0.5", "x1w1": "0.5", "x2w2": "0.5", "total": "0.5", "n": "0.5", "o": "1"}  # fmt: skip


@pytest.fixture
def written(tmp_path, capsys):
    assert runner.main(["backprop", "--out", str(tmp_path)]) == 0
    return tmp_path / "backprop.html", capsys.readouterr().out


def test_gradients_are_the_lecture_s_and_say_what_small_changes_do(written):
    _, said = written
    rows = {
        row[0]: [float(x) for x in row[1:]]
        for line in said.splitlines()
        if (row := line.split())[:1] and row[0] in lesson.NUMBERS
    }
    assert {name: row[1] for name, row in rows.items()} == {"x1": -1.5, "x2": 0.5, "w1": 1.0, "w2": 0.0, "b": 0.5}
    assert all(abs(row[2] - row[3]) < 4e-4 for row in rows.values())
    assert re.search(r"^Finding: one pass back gives all 5 gradients", said, re.MULTILINE)


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_goes_through_the_neuron_with_the_lesson_s_own_lines(written, open_page, width, scheme):
    page = open_page(written[0], width=width, scheme=scheme, reduced_motion="reduce")
    lines = Path(lesson.__file__).read_text(encoding="utf-8").splitlines()
    shown = []
    for k in range(16):
        assert page.input_value("#slider") == str(k)
        for line in page.locator("#code [aria-current]").all():
            number, text = (part.text_content() for part in line.locator("span").all())
            assert lines[int(number) - 1].strip() == text.strip()
            shown.append(text.strip())
        page.keyboard.press("ArrowRight")
    assert page.locator("#code h3").all_text_contents() == ["backprop.py"]
    assert [line.partition(" ")[0] for line in shown] == [
        "x1w1", "x2w2", "total", "n", "o", "o", "o", "n", "n", "total", "total", "x2w2", "x2w2", "x1w1", "x1w1"
    ]  # fmt: skip
    found = page.evaluate("boxesDrawn.map(box => ['.name', '.grad'].map(part => box.querySelector(part).textContent))")
    assert {name: grad.removeprefix("grad ") for name, grad in found} == GRADIENTS
    check_looks(page)
    screenshot(page, "backprop")
