"""Every demo runs, says what it found, and leaves pictures that show something."""

import ast
import io
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import demos.__main__ as runner
from autograd import GraphvizError

matplotlib_image = pytest.importorskip("matplotlib.image")
pytest.importorskip("tqdm")
ROOT = Path(runner.__file__).parents[1]
NAMES = sorted(runner.lessons())
RUNS = [(name, *given) for name in NAMES for given in ((), *((f"--{own}",) for own in runner.own_options(name)))]
PICTURES = {  # a demo that is not named here must leave at least one
    "backprop": ["backprop.html"],
    "digits": ["digits-curves.png", "digits-graph.png", "digits-graph.svg", "digits-mistakes.png"],
    "expression": ["expression.png", "expression.svg"],
    "greeks": ["greeks.png"],
    "moons": ["moons.png"],
    "orbit": ["orbit-map.png", "orbit.png"],
    "playground": ["playground.html"],
}


@pytest.fixture(autouse=True)
def graphviz(monkeypatch):
    """A stand-in for Graphviz, which need not be installed: what it draws is tested with autograd.drawing."""

    def lay_out(source, form, seconds):
        if form == "svg":
            return b'<svg xmlns="http://www.w3.org/2000/svg"><text>drawn</text></svg>'
        file = io.BytesIO()
        matplotlib_image.imsave(file, np.eye(20), format="png")
        return file.getvalue()

    monkeypatch.setattr("autograd.drawing.rendering.lay_out", lay_out)


def check(picture):
    if picture.suffix == ".html":
        assert picture.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    elif picture.suffix == ".svg":
        assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    else:
        assert matplotlib_image.imread(picture)[..., :3].std() > 0.02, f"{picture.name} is blank"


def run(capsys, *arguments):
    status = runner.main(arguments)
    out, err = capsys.readouterr()
    return status, out, err


def finding(said):
    (line,) = re.findall(r"^Finding: (.+)$", said, re.MULTILINE)
    return line


def without_timings(said):
    """What the seed decides: how long things take, which a demo tells on lines of their own, it does not."""
    return re.sub(r"^Timing: .+\n", "", said, flags=re.MULTILINE)


def moons_learned(said):
    assert float(re.match(r"(\d+)%", finding(said))[1]) >= 80


def digits_learned(said):
    assert float(re.search(r"([\d.]+)% of the test digits", finding(said))[1]) >= 85
    rows = [line.split() for line in said.splitlines() if re.match(r" +\d", line)]
    assert [int(row[0]) for row in rows] == [0, 1, 2, 3, 4]
    assert abs(float(rows[0][1]) - np.log(10)) < 0.1  # what one loses who knows nothing
    best = min(rows, key=lambda row: float(row[2]))
    assert f"weights of epoch {best[0]}," in finding(said)
    assert best[-1] == "*"


LEARNED = {"digits": digits_learned, "moons": moons_learned}  # in a hurry, but not nothing


@pytest.mark.parametrize("given", RUNS, ids=" ".join)
def test_a_demo_runs_and_says_and_shows_what_it_found(given, tmp_path, capsys):
    name = given[0]
    first, second = tmp_path / "not" / "there" / "yet", tmp_path / "again"
    status, said, err = run(capsys, *given, "--quick", "--out", str(first))
    assert (status, err) == (0, "")
    assert len(re.findall(r"^Finding: .+\.$", said, re.MULTILINE)) == 1
    announced = re.findall(r"^(?:Picture|Page): (.+)$", said, re.MULTILINE)
    found = sorted(first.iterdir())
    assert sorted(map(Path, announced)) == found
    assert [path.name for path in found] == PICTURES.get(name, [path.name for path in found])
    assert found
    for picture in found:
        check(picture)
    if name in LEARNED:
        LEARNED[name](said)

    _, again, _ = run(capsys, *given, "--quick", "--out", str(second))
    again = again.replace(str(second), str(first))
    assert without_timings(again) == without_timings(said), "the same seed should give the same numbers"


@pytest.mark.parametrize("name", NAMES)
def test_a_demo_starts_with_what_it_shows_in_one_line(name):
    first, *rest = runner.lessons()[name].splitlines()
    assert first.endswith(".")
    assert len(f"  {name:<15}{first}") <= 120
    assert "".join(rest[:1]) == ""


def test_expression_agrees_with_finite_differences(tmp_path, capsys):
    values = []
    for seed in "0123456789":
        _, said, _ = run(capsys, "expression", "--seed", seed, "--out", str(tmp_path))
        assert float(re.search(r"agree to (\S+)\.$", finding(said))[1]) < 1e-8
        assert "dL/da  +=" in said
        values.append(re.search(r"= (\S+)$", said, re.MULTILINE)[1])
    assert len(set(values)) == 10  # each seed draws its own numbers


def test_without_graphviz_the_cure_is_printed_and_the_demo_goes_on(tmp_path, capsys, monkeypatch):
    def missing(source, form, seconds):
        raise GraphvizError("no Graphviz was found: pip install pygraphviz")

    monkeypatch.setattr("autograd.drawing.rendering.lay_out", missing)
    status, said, _ = run(capsys, "expression", "--out", str(tmp_path))
    assert status == 0
    assert "pip install pygraphviz" in said
    assert "Finding: " in said
    assert [path.name for path in tmp_path.iterdir()] == ["expression.dot"]


# ---- The runner


def test_the_list_has_a_line_for_each_file(capsys):
    status, said, _ = run(capsys)
    files = sorted(path.stem for path in (ROOT / "demos").glob("[!_]*.py"))
    assert status == 0
    assert re.findall(r"^  (\w+)  +\S", said, re.MULTILINE) == files == NAMES
    for name in files:
        source = (ROOT / "demos" / f"{name}.py").read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(source)).splitlines()[0] in said


def test_a_new_demo_is_a_new_file(tmp_path, monkeypatch, capsys):
    (tmp_path / "perceptron.py").write_text('"""One neuron.\n\nMore of it."""\n')
    monkeypatch.setattr(runner, "__file__", str(tmp_path / "__main__.py"))
    assert runner.lessons() == {"perceptron": "One neuron.\n\nMore of it."}
    assert "  perceptron  One neuron.\n" in run(capsys)[1]


def test_listing_and_helping_import_nothing_heavy():
    code = (
        "import sys, demos.__main__ as d; d.main([]); d.main(['digits', '--help']);"
        "print([m for m in ('numpy', 'matplotlib', 'sklearn', 'tqdm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", NAMES)
def test_help_is_the_whole_docstring_and_the_options(name, capsys):
    status, said, _ = run(capsys, name, "--help")
    assert status == 0
    assert runner.lessons()[name] in said
    assert all(option in said for option in ("--seed", "--out", "--quick"))
    for option, meaning in runner.own_options(name).items():
        assert f"[--{option}]" in said
        assert re.search(rf"--{option}\s+{re.escape(meaning)}$", said, re.MULTILINE)


def test_an_option_of_its_own_is_declared_by_the_demo_and_given_to_it(monkeypatch, tmp_path, capsys):
    import demos.moons

    seen = []
    monkeypatch.setattr(demos.moons, "run", seen.append)
    for given in ((), ("--compiled",), ("--compiled", "--compiled")):
        assert run(capsys, "moons", "--seed", "3", *given, "--out", str(tmp_path)) == (0, "", "")
    assert runner.own_options("moons").keys() == {"compiled"}
    assert [options.own for options in seen] == [set(), {"compiled"}, {"compiled"}]
    assert {options.seed for options in seen} == {3}


@pytest.mark.parametrize("given", [("slope", "--compiled"), ("slope", "compiled"), ("moons", "--fast", "--compiled")])
def test_an_option_that_a_demo_has_not_is_named_with_those_it_has(given, tmp_path, capsys):
    name, wrong, *_ = given
    assert run(capsys, *given, "--out", str(tmp_path)) == (
        2,
        "",
        f"python -m demos: {name} does not take {wrong}; its options: --seed, --out, --quick"
        f"{', --compiled' if name == 'moons' else ''}\n",
    )


def test_an_option_of_one_demo_needs_its_name(capsys):
    with pytest.raises(SystemExit) as stopped:
        runner.main(["--compiled"])
    assert stopped.value.code == 2
    assert "--compiled is no option of all demos: give the NAME" in capsys.readouterr().err


def test_help_without_a_name_lists_the_demos_too(capsys):
    status, said, _ = run(capsys, "--help")
    assert status == 0
    assert all(word in said for word in ("usage:", "--seed", *NAMES))


def test_an_unknown_name_is_answered_with_the_known_ones():
    done = subprocess.run([sys.executable, "-m", "demos", "mons"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"python -m demos: there is no demo 'mons' (did you mean moons?); there are: {', '.join(NAMES)}\n"
    )


@pytest.mark.parametrize(("given", "meant"), [("digit", "digits"), ("Digits", "digits"), ("minibatches", "minibatch")])
def test_a_name_that_is_nearly_right_is_asked_about(given, meant, capsys):
    status, _, err = run(capsys, given)
    assert status == 2
    assert f"there is no demo {given!r} (did you mean {meant}?)" in err


def test_a_name_that_is_like_none_is_not_guessed(capsys):
    assert "did you mean" not in run(capsys, "zebra")[2]


@pytest.mark.parametrize("seed", ["-1", "x", "1.5"])
def test_a_wrong_seed_is_refused(seed, capsys):
    with pytest.raises(SystemExit) as stopped:
        runner.main(["expression", f"--seed={seed}"])
    assert stopped.value.code == 2
    assert f"a seed is a whole number from 0, got {seed!r}" in capsys.readouterr().err


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path, capsys):
    (tmp_path / "taken").write_text("")
    status, _, err = run(capsys, "expression", "--out", str(tmp_path / "taken"))
    assert status == 2
    assert "taken" in err
    assert "give another --out" in err


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("moons", "matplotlib", "matplotlib"),
        ("moons", "tqdm", "tqdm"),
        ("digits", "sklearn", "scikit-learn"),
    ],
)
def test_a_missing_extra_is_named_with_the_cure(name, module, package, tmp_path):
    code = f"import sys; sys.modules[{module!r}] = None; import demos.__main__ as d; sys.exit(d.main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, name, "--quick", "--out", str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == (f"python -m demos: {name} needs {package}, which is not installed: pip install {package}\n")


@pytest.mark.parametrize("given", [[], ["--help"], ["expression", "--help"], ["digits", "--help"]])
def test_output_that_is_not_read_to_its_end_is_no_error(given):
    with subprocess.Popen(
        [sys.executable, "-m", "demos", *given], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()  # as `head` does, before anything is written
        assert process.stderr.read() == b""


def test_a_mistake_in_an_import_of_our_own_is_not_taken_for_a_missing_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "demos.expression", None)
    with pytest.raises(ModuleNotFoundError):
        runner.main(["expression", "--out", str(tmp_path)])


def test_ctrl_c_stops_without_a_traceback(monkeypatch, tmp_path, capsys):
    import demos.expression

    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(demos.expression, "run", interrupted)
    assert run(capsys, "expression", "--out", str(tmp_path)) == (130, "", "python -m demos: stopped\n")
