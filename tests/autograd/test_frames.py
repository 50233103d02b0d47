"""The user's line is found whatever the files are called, and by all who ask: errors, anomalies and programs."""

import contextlib
import gc
import linecache
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
from autograd import frames

ROOT = Path(ag.__file__).parent
NUMPY = Path(np.__file__).parent
PYTHON = Path(os.__file__).parent
SITE = "/venv/lib/python3.11/site-packages"

USERS = {
    "a folder whose name begins with autograd": f"{ROOT}_lab/train.py",
    "a folder whose name begins with nn": f"{ROOT.parent / 'nn'}s/train.py",
    "a folder beside NumPy": f"{NUMPY}_things/train.py",
    "a folder that is called numpy_things": "/proj/numpy_things/train.py",
    "a folder beside Python's": f"{PYTHON}_lab/train.py",
    "an installed library": f"{SITE}/models/layers.py",
    "an installed module": f"{PYTHON}/site-packages/models.py",
    "a library whose name begins with scikit-learn's": f"{SITE}/sklearn_extra/cluster.py",
    "Debian's folder": f"{PYTHON}/dist-packages/models/layers.py",
    "exec": "<string>",
    "the prompt": "<stdin>",
    "a notebook of old": "<ipython-input-3-0a1b2c3d4e5f>",
    "a notebook": "/tmp/ipykernel_123/456.py",
    "a doctest": "<doctest train.f[0]>",
    "timeit": "<timeit-src>",
}
INSIDE = {
    "this package": f"{ROOT}/arrays/linalg.py",
    "nn": f"{ROOT.parent / 'nn'}/layers/linear.py",
    "NumPy": f"{NUMPY}/_core/_methods.py",
    "Python": f"{PYTHON}/functools.py",
    "a frozen module": "<frozen runpy>",
    "code of our own making": "<ag.compile>",
    "scikit-learn": f"{SITE}/sklearn/model_selection/_validation.py",
    "scikit-learn on Windows": r"C:\venv\Lib\site-packages\sklearn\base.py",
    "Dask": f"{PYTHON}/site-packages/dask/delayed.py",
}


def function_in(filename, source, **names):
    """The function `f` of `source`, as if it stood in `filename`."""
    source = textwrap.dedent(source).lstrip()
    exec(compile(source, filename, "exec"), names)
    linecache.cache[filename] = len(source), None, source.splitlines(keepends=True), filename
    return names["f"]


def line_in(message):
    """The line that a message names, and its text."""
    name, number, text = re.search(r"^ *(.*):(\d+): `(.*)`", message, re.MULTILINE).groups()
    return name, int(number), text


def of_an_anomaly(f):
    """The line that `detect_anomaly` names in `f` of 0."""
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError) as caught, ag.detect_anomaly():
        f(ag.Value(0.0))
    return line_in(str(caught.value))


def of_a_refusal(f):
    """The line that `compile` names where `f` asks for a float."""
    with pytest.raises(ag.CompileError) as caught:
        ag.compile(f)(1.0)
    return line_in(str(caught.value))


def of_a_program(f):
    """The line of the logarithm in the program of `f`."""
    kernel = ag.compile(f, backend="numpy")
    kernel(1.0)
    [log] = [instruction for instruction in kernel.program.code if instruction.op is ag.log]
    return (*log.line, linecache.getline(*log.line).strip())


FINDERS = {"anomaly": (ag.log, of_an_anomaly), "refusal": (float, of_a_refusal), "program": (ag.log, of_a_program)}


@pytest.mark.parametrize(("op", "line_of"), FINDERS.values(), ids=FINDERS)
@pytest.mark.parametrize("filename", USERS.values(), ids=USERS)
def test_what_is_the_users(op, line_of, filename):
    f = function_in(filename, "def f(x):\n    y = x * 1.0\n    return op(y)", op=op)
    assert line_of(f) == (filename, 3, "return op(y)")


@pytest.mark.parametrize(("op", "line_of"), FINDERS.values(), ids=FINDERS)
@pytest.mark.parametrize("filename", INSIDE.values(), ids=INSIDE)
def test_what_is_inside(op, line_of, filename):
    carrier = function_in(filename, "def f(g, x):\n    return g(x)")
    f = function_in("train.py", "def f(x):\n    return carrier(op, x)", carrier=carrier, op=op)
    assert line_of(f) == ("train.py", 2, "return carrier(op, x)")


@pytest.mark.parametrize(("op", "line_of"), FINDERS.values(), ids=FINDERS)
def test_of_several_lines_it_is_the_one_that_is_run(op, line_of):
    source = """
        f = (lambda x:
            one +
            op(
                x
            ))
    """
    assert line_of(function_in("several.py", source, op=op, one=1.0)) == ("several.py", 3, "op(")


@pytest.mark.parametrize(("op", "line_of"), FINDERS.values(), ids=FINDERS)
def test_behind_decorators_it_is_that_of_the_function(op, line_of):
    source = """
        import functools
        from contextlib import contextmanager

        @contextmanager
        def block():
            yield

        def logged(g):
            @functools.wraps(g)
            def inner(x):
                return g(x)
            return inner

        @functools.lru_cache
        @block()
        @logged
        def f(x):
            return op(x)
    """
    assert line_of(function_in("decorated.py", source, op=op)) == ("decorated.py", 18, "return op(x)")


def test_numpys_own_lines_are_not_in_programs():
    def f(x):
        v = np.array([x, x * 2.0])
        return np.var(v) + np.sum(v * v)

    kernel = ag.compile(ag.grad(f), backend="numpy")
    kernel(1.0)
    first = f.__code__.co_firstlineno
    lines = {instruction.line for instruction in kernel.program.code if instruction.op}
    assert lines <= {(__file__, first + 1), (__file__, first + 2)}


def test_a_layer_of_nn_is_not_the_users_code():
    import nn

    layer = nn.Linear(1, 1)
    layer.weight.data = np.array([[np.inf]])
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError) as caught, ag.detect_anomaly():
        layer(np.zeros((1, 1)))
    assert line_in(str(caught.value))[::2] == (__file__, "layer(np.zeros((1, 1)))")


def test_scikit_learn_that_calls_us_is_not_the_users_code():
    model_selection = pytest.importorskip("sklearn.model_selection")
    from nn.estimators import NetRegressor

    x = np.array([[0.0], [1.0], [2.0], [3.0]])
    model = NetRegressor(lr=1e300, epochs=3, batch_size=1, random_state=0)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError) as caught, ag.detect_anomaly():
        model_selection.cross_val_score(model, x, x[:, 0], cv=2, error_score="raise")
    assert line_in(str(caught.value))[::2] == (
        __file__,
        'model_selection.cross_val_score(model, x, x[:, 0], cv=2, error_score="raise")',
    )


def test_where_no_code_is_the_users_there_is_no_line():
    carrier = function_in(INSIDE["Python"], "def f(found):\n    found.append(user_line())", user_line=frames.user_line)
    found = []
    thread = threading.Thread(target=carrier, args=(found,))
    thread.start()
    thread.join()
    assert found == [None]
    assert frames.format_line(None) == "(no line outside the library)"


MAIN = """
import sys
sys.path.insert(0, sys.argv[1])
import autograd as ag
assert ag.__file__.startswith(sys.argv[1]), ag.__file__
with ag.detect_anomaly():
    try:
        y = ag.log(ag.Value(0.0))
    except FloatingPointError as error:
        print(error)
kernel = ag.compile(lambda x: ag.log(x), backend="numpy")
kernel(1.0)
print(kernel.program)
"""


def zipped(folder):
    archive = folder / "packages.zip"
    with zipfile.ZipFile(archive, "w") as packages:
        for path in ROOT.rglob("*.py"):
            packages.write(path, path.relative_to(ROOT.parent))
    return archive


def linked(folder):
    (folder / "autograd").symlink_to(ROOT, target_is_directory=True)
    return folder


def copied(folder):
    """As an installation has it, within a folder of the user's that is called autograd_lab."""
    place = folder / "autograd_lab" / "site-packages"
    shutil.copytree(ROOT, place / "autograd", ignore=shutil.ignore_patterns("__pycache__"))
    return place


@pytest.mark.once
@pytest.mark.parametrize("install", [zipped, linked, copied])
def test_wherever_the_package_lies(install, tmp_path):
    main = tmp_path / "autograd_main.py"
    main.write_text(MAIN, encoding="utf-8")
    command = [sys.executable, str(main), str(install(tmp_path))]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert f"  {main}:8: `y = ag.log(ag.Value(0.0))`" in result.stdout
    assert "log x  " in result.stdout
    assert "# autograd_main.py:11" in result.stdout


# ---- Whether an operation belongs to a derivative


def operations(f, *args):
    """The operations in the program of `f`, each as its name, its line below the function's first, and whether it
    belongs to a derivative."""
    kernel = ag.compile(f, backend="numpy")
    kernel(*args)
    first = f.__code__.co_firstlineno
    return {(i.op.name, i.line[1] - first, i.derived) for i in kernel.program.code if i.op}


def test_reverse_mode_announces_what_is_derived():
    def f(x):
        def g(v):
            return ag.sin(v)

        slope = ag.grad(g)(x)
        return ag.exp(slope)

    assert operations(f, 1.0) == {("cos", 2, True), ("exp", 5, False)}


def test_forward_mode_announces_what_is_derived():
    def f(x):
        def g(v):
            return ag.sin(v)

        slope = ag.jvp(g, (x,), (1.0,))[1]
        return ag.exp(slope)

    assert operations(f, 1.0) == {("add", 2, True), ("cos", 2, True), ("exp", 5, False)}


def test_derivatives_of_derivatives_are_of_the_first_line():
    def f(x):
        def g(v):
            return ag.sin(v)

        return ag.exp(ag.grad(ag.grad(g))(x))

    found = operations(f, 1.0)
    assert ("neg", 2, True) in found  # sin itself is there already, from the forward pass
    assert {line for name, line, derived in found if derived} == {2}
    assert {name for name, line, derived in found if line == 4} == {"exp"}


def test_a_rule_of_the_users_is_a_derivative_of_what_it_is_the_rule_of():
    @ag.primitive
    def cube(x):
        return x * x * x

    @cube.rule
    def _(g, z, x):
        return g * 3.0 * ag.exp(2.0 * ag.log(x)) * ag.grad(ag.tanh)(x)

    def f(x):
        slope = ag.grad(lambda v: cube(v) + 1.0)(x)
        return ag.sinh(slope)

    found = operations(f, 1.0)
    assert {line for name, line, derived in found if derived} == {1}
    assert {name for name, line, derived in found if derived} >= {"exp", "log"}
    assert {(name, line) for name, line, derived in found if not derived} == {("sinh", 2)}


def test_after_a_rule_that_failed_nothing_is_derived():
    @ag.primitive
    def odd(x):
        return x * 2.0

    @odd.rule
    def _(g, z, x):
        raise ZeroDivisionError

    def f(x):
        with contextlib.suppress(ZeroDivisionError):
            ag.grad(lambda v: odd(v))(x)
        return ag.sinh(x)

    assert ("sinh", 3, False) in operations(f, 1.0)


# ---- Where nodes were recorded


def test_nodes_that_were_recorded_under_detect_anomaly_keep_their_lines():
    x = ag.Tensor([1.0, 2.0])
    with ag.detect_anomaly():
        y = ag.exp(x)
        z = y * y
    first = test_nodes_that_were_recorded_under_detect_anomaly_keep_their_lines.__code__.co_firstlineno
    assert frames.line_of(y) == (__file__, first + 3)
    assert frames.line_of(z) == (__file__, first + 4)
    assert frames.line_of(x) is None
    assert frames.line_of(ag.exp(x)) is None


def test_lines_of_nodes_die_with_them():
    gc.collect()  # or nodes that earlier tests left in cycles may die meanwhile
    before = len(frames._lines)
    with ag.detect_anomaly():
        x = ag.Value(float(1))
        for _ in range(100):
            x = x * 0.5
    assert len(frames._lines) == before + 100
    del x
    assert len(frames._lines) == before


def test_the_line_of_an_infinite_derivative_of_arrays_is_known():
    x = ag.Tensor([0.0, 1.0])
    with ag.detect_anomaly():
        y = ag.sqrt(x) * 2.0
        total = y.sum()
        with np.errstate(all="ignore"), pytest.raises(FloatingPointError) as caught:
            total.backward()
    assert line_in(str(caught.value))[::2] == (__file__, "y = ag.sqrt(x) * 2.0")
    assert str(caught.value).startswith("sqrt gave an array")


def test_a_graph_that_was_recorded_in_an_earlier_block_has_its_lines():
    x = ag.Value(0.0)
    with ag.detect_anomaly():
        y = ag.sqrt(x)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError) as caught, ag.detect_anomaly():
        y.backward()
    assert line_in(str(caught.value))[::2] == (__file__, "y = ag.sqrt(x)")
