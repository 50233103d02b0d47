"""README's code runs, and says what is true."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import autograd as ag
from autograd import elementwise, formulas
from autograd.elementwise import ELEMENTWISE
from tests.autograd.test_architecture import ORDER

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_tour_runs_from_top_to_bottom_and_trains_a_classifier(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert (tmp_path / "loss.svg").read_text().count("<svg") == 1
    logits = names["model"](names["x"])
    assert (logits.data.argmax(1) == names["y"]).mean() > 0.9
    assert names["value"].shape == names["delta"].shape == (1_000_000,)
    assert names["mean_loss"] < 0.2
    assert ((names["scores"] > 0) == names["y"]).mean() > 0.9


def test_what_is_explained_is_what_explain_says():
    [text] = re.findall(r"```text\n(Forward.*?)\n```", README, re.DOTALL)
    a, b = ag.Value(2.0, label="a"), ag.Value(-3.0, label="b")
    assert text == str(ag.explain(ag.tanh(a * b + a**2), a))


def test_every_path_on_the_map_exists():
    rows = re.findall(r"^\| (`[^|]*) \|", README, re.MULTILINE)
    paths = [path for row in rows for path in re.findall(r"`([\w/]+(?:\.py|/))`", row)]
    assert len(paths) > 10
    folder = ""
    for path in paths:
        folder = path.rpartition("/")[0] if "/" in path.rstrip("/") else folder
        assert (ROOT / path).exists() or (ROOT / folder / path).exists(), path


def test_the_map_shows_all_rooms_of_autograd_in_reading_order():
    rows = re.findall(r"^\| `autograd/([^|]*) \|", README, re.MULTILINE)
    shown = [path.removesuffix(".py") for row in rows for path in re.findall(r"([\w/]+(?:\.py|/))`", row)]
    plan = dict.fromkeys(room.replace(".", "/").partition("/")[0] + "/" * ("." in room) for room in ORDER)
    assert shown == list(plan)


def test_the_demos_that_the_set_up_runs_are_listed():
    listed = subprocess.run(
        [sys.executable, "-m", "demos"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in re.findall(r"-m demos (\w+)", README):
        assert re.search(rf"^\s*{name}\b", listed, re.MULTILINE)


# ---- The table of slopes

SHOWN = """add sub mul div power square abs maximum where exp log log1p sqrt sin cos tan asin atan atan2 hypot tanh
sigmoid softplus relu erf""".split()  # noqa: SIM905  # a table to be read
BEGIN, END = "<!-- slopes: python -m tests.test_readme -->", "<!-- end of slopes -->"


def slopes_table():
    """Operations with their slopes, as their records have them."""
    rows = ["| z | | ∂z |", "|---|---|---|"]
    for op in map(ELEMENTWISE.get, SHOWN):
        names = formulas.parameters(op)
        z = formulas.Formula.applied(op, list(map(formulas.Formula, names)))
        slopes = ", ".join(f"`{slope}`" for slope in formulas.slopes(op))
        rows.append(f"| `{z}` | {op.doc} | {slopes} |")
    return "\n".join(rows)


def test_the_table_of_slopes_is_what_the_records_say():
    assert README.partition(BEGIN)[2].partition(END)[0].strip() == slopes_table(), (
        "python -m tests.test_readme writes it"
    )


def test_the_operation_that_is_shown_is_the_one_of_the_table():
    [line] = re.findall(r"^ {4}(tanh = .*)$", README, re.MULTILINE)
    assert line in inspect.getsource(elementwise).splitlines()


if __name__ == "__main__":
    before, _, rest = README.partition(BEGIN)
    (ROOT / "README.md").write_text(f"{before}{BEGIN}\n{slopes_table()}\n{END}{rest.partition(END)[2]}")
