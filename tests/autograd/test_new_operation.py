"""An operation is one record: one that is added at run time, by its record alone, works everywhere."""

import ctypes
import itertools
import math
import pydoc
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import elementwise as e
from autograd.elementwise import ELEMENTWISE
from tests.bits import ulps_apart
from tests.javascript import run_javascript

LN2 = math.log(2.0)
POINTS = [-2.5, -1.0, -0.25, 0.5, 1.0, 1.75]
EDGES = [0.0, -0.0, math.inf, -math.inf, math.nan, 1e-310, 1e300, -1e300, 1.0, -2.0]


def _softsign():
    """Made of other operations: every back end has it by its body."""
    return e.op(
        "softsign_here",
        lambda x: x / (1.0 + abs(x)) if abs(x) < math.inf else math.copysign(1.0, x) if x == x else x,
        lambda x: np.where(np.isinf(x), np.sign(x), x / (1.0 + np.abs(x))).astype(np.result_type(x, np.float16))[()],
        lambda z, x: (1.0 - abs(z)) ** 2,
        body=lambda x: e.where(abs(x) < math.inf, x / (1.0 + abs(x)), e.sign(x)),
        latex=r"\operatorname{{softsign}}\left({0}\right)",
    )


def _exp2():
    """C has it: every back end calls that."""
    return e.op(
        "exp2_here",
        math.exp2,
        np.exp2,
        lambda z, x: z * LN2,
        c="exp2",
        javascript="2.0 ** {0}",
        otherwise="math.inf",
        latex="2^{{{0}}}",
        hint="keep the argument below 1024",
    )


def _logaddexp():
    """Of two arguments, which commute."""
    return e.op(
        "logaddexp_here",
        lambda x, y: float(np.logaddexp(x, y)),
        np.logaddexp,
        lambda z, x, y: e.sigmoid(x - y),
        lambda z, x, y: e.sigmoid(y - x),
        body=lambda x, y: e.where(x == y, x + LN2, e.maximum(x, y) + e.log1p(e.exp(-abs(x - y)))),
        commutes=True,
        latex=r"\log\left(e^{{{0}}} + e^{{{1}}}\right)",
    )


@dataclass(frozen=True)
class Case:
    """A record, and its derivatives by a formula of its own: of a function of numbers, in each argument, and twice."""

    make: Any
    arity: int
    by_math: Any
    slopes: tuple[Any, ...]
    second: Any  # in the first argument, twice


def _share(x, y):
    return 1.0 / (1.0 + math.exp(y - x))


CASES = {
    "by its body": Case(
        _softsign, 1, lambda x: x / (1 + abs(x)), (lambda x: (1 + abs(x)) ** -2,), lambda x: -2 * math.copysign(1, x) * (1 + abs(x)) ** -3
    ),
    "by C's name": Case(_exp2, 1, lambda x: 2.0**x, (lambda x: LN2 * 2.0**x,), lambda x: LN2**2 * 2.0**x),
    "of two": Case(
        _logaddexp,
        2,
        lambda x, y: math.log(math.exp(x) + math.exp(y)),
        (_share, lambda x, y: _share(y, x)),
        lambda x, y: _share(x, y) * (1 - _share(x, y)),
    ),
}  # fmt: skip


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request):
    return request.param


@pytest.fixture
def operation(case):
    """The operation, for the time of a test."""
    before = dict(ELEMENTWISE)
    made = case.make()
    assert ELEMENTWISE[made.name] is made
    yield made
    ELEMENTWISE.clear()
    ELEMENTWISE.update(before)


def rows(case):
    return list(itertools.permutations(POINTS, case.arity))


def columns(case, points=POINTS):
    return [np.array(column) for column in zip(*itertools.product(points, repeat=case.arity), strict=True)]


# ---- Eager


@pytest.mark.parametrize(
    "kind", [float, ag.Value, ag.Tensor, lambda x: ag.Tensor([x])], ids=["float", "Value", "0-d", "1-d"]
)
def test_it_computes_with_every_kind_of_number(case, operation, kind):
    for row in rows(case):
        result = operation(*map(kind, row))
        result = result.data if isinstance(result, ag.Node) else result
        assert np.ravel(result) == pytest.approx([case.by_math(*row)], rel=1e-14)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_arrays_keep_their_dtype_and_broadcast(case, operation, dtype):
    tensors = [ag.Tensor(np.array(POINTS, dtype).reshape((-1,) + (1,) * i)) for i in range(case.arity)]
    result = operation(*tensors)
    assert result.dtype == dtype
    assert result.shape == np.broadcast_shapes(*(t.shape for t in tensors))
    result.sum().backward()
    for tensor in tensors:
        assert tensor.grad.dtype == dtype
        assert tensor.grad.shape == tensor.shape


def test_both_modes_give_its_slopes(case, operation):
    for row in rows(case):
        expected = [slope(*row) for slope in case.slopes]
        value, pullback = ag.vjp(operation, *row)
        assert value == pytest.approx(case.by_math(*row), rel=1e-14)
        assert pullback(2.0) == pytest.approx([2.0 * s for s in expected], rel=1e-13)
        for i, slope in enumerate(expected):
            tangents = tuple(float(i == j) for j in range(case.arity))
            assert ag.jvp(operation, row, tangents)[1] == pytest.approx(slope, rel=1e-13)
        leaves = [ag.Value(x) for x in row]
        operation(*leaves).backward()
        assert [leaf.grad for leaf in leaves] == pytest.approx(expected, rel=1e-13)


def test_derivatives_of_derivatives(case, operation):
    for row in rows(case):
        assert ag.grad(ag.grad(operation))(*row) == pytest.approx(case.second(*row), rel=1e-12, abs=1e-15)
        forwards = ag.jvp(ag.grad(operation), row, (1.0,) + (0.0,) * (case.arity - 1))[1]
        assert forwards == pytest.approx(case.second(*row), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("kind", [float, lambda x: np.array([x, x + 0.125])], ids=["floats", "arrays"])
def test_it_is_right_to_third_order(case, operation, kind):
    assert ag.gradcheck(operation, *(kind(x) for x in POINTS[2 : 2 + case.arity]), order=3, rtol=1e-4)


def test_a_cotangent_of_zero_stays_zero(case, operation):
    xs = [ag.Tensor([math.inf, 1.0]) for _ in range(case.arity)]
    with np.errstate(all="ignore"):
        (ag.where(np.array([False, True]), operation(*xs), 0.0)).sum().backward()
    assert [x.grad[0] for x in xs] == [0.0] * case.arity


def test_an_anomaly_tells_its_hint(operation):
    if operation.name != "exp2_here":
        pytest.skip("its results are finite")
    with (
        np.errstate(all="ignore"),
        pytest.raises(FloatingPointError, match="keep the argument below 1024"),
        ag.detect_anomaly(),
    ):
        operation(ag.Value(5000.0))


# ---- Told and drawn


def used(case, operation):
    """A node that it made, of labelled inputs."""
    xs = [ag.Value(x, label) for x, label in zip(POINTS[3:], "xy"[: case.arity], strict=False)]
    y = operation(*xs) * 3.0
    y.label = "out"
    return y, xs


def test_it_is_explained(case, operation):
    y, xs = used(case, operation)
    text = str(ag.explain(y, digits=6))
    row = [x.data for x in xs]
    assert f"{operation.name}({', '.join('xy'[: case.arity])})" in text
    for slope in case.slopes:
        assert f"3 * {slope(*row):.6g}" in text


def test_it_is_drawn(case, operation):
    y, _ = used(case, operation)
    text = str(getattr(ag.draw(y), "source", ag.draw(y)))
    assert operation.name in text


def test_it_has_a_text_of_its_own(operation):
    assert operation.name in pydoc.plain(pydoc.render_doc(operation))


# ---- Compiled


def agree(results, expected, ulps):
    """The same numbers: in all that is not finite, and else to the last few bits."""
    results, expected = np.asarray(results, float), np.asarray(expected, float)
    near = ulps_apart(results, expected) <= ulps
    return bool((near | (results == expected) | (np.isnan(results) & np.isnan(expected))).all())


def functions(case, operation):
    """What is compiled: the operation, its derivatives, and theirs."""
    yield operation
    for i in range(case.arity):
        yield ag.grad(operation, i)
        for j in range(case.arity):
            yield ag.grad(ag.grad(operation, i), j)


def eager(f, columns):
    with np.errstate(all="ignore"):
        return [f(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]


@pytest.fixture(params=["numpy", "native"])
def backend(request):
    if request.param == "native":
        pytest.importorskip("llvmlite")
    return request.param


def test_back_ends_give_what_floats_give(case, operation, backend):
    for order, f in enumerate(functions(case, operation)):
        kernel = ag.compile(lambda *xs, f=f: f(*xs), backend=backend)
        given = columns(case)
        assert agree(kernel(*given), eager(f, given), 8 if order < 2 else 64)
        assert agree([kernel(*(float(c[0]) for c in given))], eager(f, [c[:1] for c in given]), 8 if order < 2 else 64)


def test_back_ends_give_what_floats_give_at_edges(case, operation, backend):
    kernel = ag.compile(lambda *xs: operation(*xs), backend=backend)
    given = columns(case, EDGES)
    kernel(*given)
    assert agree(kernel(*given), eager(operation, given), 8)


def test_programs_name_it(case, operation):
    kernel = ag.compile(lambda *xs: operation(*xs), backend="numpy")
    kernel(*POINTS[: case.arity])
    assert operation.name in str(kernel.program)
    y, _ = used(case, operation)
    assert operation.name in str(ag.program(y))


def by_python(text, columns, _):
    namespace = {}
    exec(text, namespace)
    return [namespace["kernel"](*row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def by_numpy(text, columns, _):
    namespace = {}
    exec(text, namespace)
    return namespace["kernel"](*columns)


def by_c(text, columns, path):
    if shutil.which("cc") is None:
        pytest.skip("no compiler of C")
    path.with_suffix(".c").write_text(text, encoding="utf-8")
    flags = ["-O2", "-ffp-contract=off", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["cc", *flags, path.with_suffix(".c"), "-o", path.with_suffix(".so"), "-lm"], check=True, timeout=60)
    kernel = ctypes.CDLL(str(path.with_suffix(".so"))).kernel
    results = []
    for row in zip(*columns, strict=True):
        given, out = (ctypes.c_double * len(row))(*row), (ctypes.c_double * 1)()
        assert kernel(given, out) == 0
        results.append(out[0])
    return results


def by_javascript(text, columns, _):
    return run_javascript(text, "kernel", columns, 1)[0]


LANGUAGES = {"python": by_python, "numpy": by_numpy, "c": by_c, "javascript": by_javascript}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_it(case, operation, language, tmp_path):
    for order, f in enumerate((operation, ag.grad(operation))):
        kernel = ag.compile(lambda *xs, f=f: f(*xs), backend="numpy")
        kernel(*POINTS[: case.arity])
        given = columns(case)
        results = LANGUAGES[language](kernel.source(language), given, tmp_path / f"kernel{order}")
        assert agree(results, eager(f, given), 16)


@pytest.mark.parametrize("language", ["python", "numpy", "c", "javascript", "latex"])
def test_graphs_of_it_are_exported(case, operation, language):
    y, _ = used(case, operation)
    text = ag.source(y, language)
    if language == "latex":
        assert operation.latex.format(*"xy"[: case.arity]) in text
    else:
        assert "3.0" in text


# ---- That the record is enough


def test_after_it_is_taken_back_nothing_is_left_of_it():
    assert not [name for name in ELEMENTWISE if name.endswith("_here")]
