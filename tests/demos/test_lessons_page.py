"""`python -m demos all` runs every demo, and its page shows what each said and drew."""

import base64
import html.parser
import re
import subprocess
import sys
from pathlib import Path

import pytest

import demos.__main__ as runner
from demos.common import lessons
from demos.common.lessons import Lesson, coloured, lessons_page, paragraphs
from demos.common.options import Options
from tests.browser import LOOKS, check_looks, screenshot

pytest.importorskip("matplotlib")
pytest.importorskip("tqdm")
ROOT = Path(runner.__file__).parents[1]
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SOURCE = '''"""A text, `with code`.

Why:

- one;
- two,
  and more.

Writes a.png: the <loss> by epoch; b.svg and
.png: the graph.
"""

x = "</pre><script>document.title = 'taken'</script>"  # <b>
'''


class Read(html.parser.HTMLParser):
    """The texts of a page by the tag around them, the attributes of its tags, and whether all tags are closed."""

    def __init__(self, text):
        super().__init__()
        self.texts, self.tags, self.open = {}, {}, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.setdefault(tag, []).append(dict(attrs))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        for tag in set(self.open):
            self.texts[tag] = self.texts.get(tag, "") + data


@pytest.fixture
def written(tmp_path):
    """A lesson with pictures of all kinds and a page of its own."""
    files = [tmp_path / "out" / name for name in ("a.png", "b.png", "b.svg", "c.gif", "page of its own.html")]
    files[0].parent.mkdir()
    for file in files:
        file.write_bytes(b'<svg xmlns="http://www.w3.org/2000/svg"/>' if file.suffix == ".svg" else PIXEL)
    printed = f"1 < 2\nPicture: {files[0]}\nFinding: it is so.\n"
    return Lesson("first", SOURCE, printed, files=tuple(files))


def test_a_lesson_is_its_text_code_output_and_pictures(written, tmp_path):
    page = Read(lessons_page([written], tmp_path))
    assert page.open == []
    assert page.texts["h2"] == "first"
    assert "A text, with code." in page.texts["p"]
    assert page.texts["li"] == "firstone;two, and more."
    assert SOURCE.splitlines()[-1] in page.texts["pre"]
    assert "A text, " not in page.texts["pre"]
    assert "1 < 2\nFinding: it is so." in page.texts["pre"]
    assert "Picture:" not in page.texts["pre"]
    sources = [image["src"] for image in page.tags["img"]]
    assert [source.partition(";")[0] for source in sources] == [
        "data:image/png",
        "data:image/svg+xml",
        "data:image/gif",
    ]
    assert base64.b64decode(sources[0].partition(",")[2]) == PIXEL
    assert [image["alt"] for image in page.tags["img"]] == ["the <loss> by epoch", "the graph", "The picture c.gif"]
    assert [link["href"] for link in page.tags["a"]] == ["#first", "out/page%20of%20its%20own.html"]


def test_a_page_needs_nothing_but_itself(written, tmp_path):
    text = lessons_page([written], tmp_path)
    assert "default-src 'none'" in text
    assert "img-src data:" in text
    assert set(re.findall(r'(?:src|href|url)[=(]"?(\w*:|#|out/)', text)) == {"data:", "#", "out/"}


def test_a_lesson_that_failed_says_so(tmp_path):
    page = Read(lessons_page([Lesson("second", '"""One."""\n', "", error="it needs <MNIST>\n")], tmp_path))
    assert "It failed" in page.texts["h3"]
    assert "it needs <MNIST>" in page.texts["pre"]


@pytest.mark.parametrize("name", sorted(runner.lessons()))
def test_code_is_coloured_without_a_change(name):
    source = (ROOT / "demos" / f"{name}.py").read_text(encoding="utf-8")
    lesson = Lesson(name, source, "")
    read = Read(f"<pre>{coloured(lesson.code)}</pre>")
    assert read.texts["pre"] == lesson.code
    assert {tag["class"] for tag in read.tags["span"]} >= {"keyword", "string"}
    assert lesson.code.startswith("from __future__")
    assert read.open == []
    assert Read("".join(paragraphs(lesson.text))).open == []


def test_demos_are_in_an_order_to_be_read_and_new_ones_are_last():
    names = lessons.in_reading_order([*runner.lessons(), "zebra"])
    assert names[0] == "slope"
    assert names[-1] == "zebra"
    assert sorted(names[:-1]) == sorted(runner.lessons())
    assert set(runner.lessons()) <= set(lessons.READING), "name it in READING, where it is to be read"


def test_all_runs_each_demo_and_says_what_it_found(tmp_path, monkeypatch, capsys, written):
    ran = []

    def run_one(name, options):
        ran.append((name, options))
        return Lesson(name, SOURCE, "Finding: it is so.\n", "Traceback\nValueError: no\n" if name == "moons" else "")

    monkeypatch.setattr(lessons, "run_one", run_one)
    page = tmp_path / "new" / "page.html"
    status = runner.main(["all", "--page", str(page), "--seed", "3", "--quick", "--out", str(tmp_path)])
    out = capsys.readouterr().out
    assert status == 1
    assert [name for name, _ in ran] == lessons.in_reading_order(runner.lessons())
    assert {options for _, options in ran} == {Options(3, tmp_path, True)}
    assert "slope (0 s): it is so.\n" in out
    assert "moons (0 s): FAILED: ValueError: no\n" in out
    assert out.endswith(f"Page: {page}\n")
    assert Read(page.read_text("utf-8")).texts["h2"] == "".join(name for name, _ in ran)


def test_all_can_do_without_a_page(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(lessons, "run_one", lambda name, options: Lesson(name, SOURCE, "Finding: yes.\n"))
    assert runner.main(["all", "--out", str(tmp_path)]) == 0
    assert "Page" not in capsys.readouterr().out


def test_a_demo_that_fails_does_not_hinder_others(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "no such backend")
    lesson = lessons.run_one("slope", Options(out=tmp_path))
    assert "backend" in lesson.error
    assert lesson.files == ()


def test_a_page_is_of_all_demos(capsys, tmp_path):
    assert runner.main(["digits", "--page", str(tmp_path / "page.html")]) == 2
    assert "--page is of `python -m demos all` alone" in capsys.readouterr().err
    assert runner.main(["all", "--compiled"]) == 2
    assert "all does not take --compiled" in capsys.readouterr().err
    assert runner.main(["all", "--help"]) == 0
    assert "[--page FILE]" in capsys.readouterr().out


# ---- In a browser


@pytest.fixture(scope="module")
def page_of_two(tmp_path_factory):
    """The page as it is made, of two demos that are quick."""
    folder = tmp_path_factory.mktemp("lessons")
    code = (
        "import sys, demos.__main__ as d; found = d.lessons();"
        "d.lessons = lambda: {name: found[name] for name in ('slope', 'expression')}; sys.exit(d.main(sys.argv[1:]))"
    )
    page = folder / "pages" / "lessons.html"
    command = [sys.executable, "-c", code, "all", "--quick", "--out", str(folder / "out"), "--page", str(page)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return page


@pytest.mark.once
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_works_from_the_file_system(page_of_two, open_page, width, scheme):
    page = open_page(page_of_two, width=width, scheme=scheme)
    assert page.locator("h2").all_inner_texts() == ["slope", "expression"]
    pictures = page.locator("img")
    assert pictures.count() >= 2
    assert pictures.evaluate_all("images => images.every(image => image.complete && image.naturalWidth > 100)")
    assert "Finding: the slope of x**2 at 3 is 6" in page.locator("#slope").inner_text()
    code = page.locator("#slope details pre")
    assert not code.is_visible()
    page.locator("#slope summary").press("Enter")
    assert "ag.grad(f)" in code.inner_text()
    check_looks(page)
    page.locator("nav a").nth(1).click()
    assert page.locator("#expression h2").is_visible()
    check_looks(page)
    screenshot(page, "lessons")
