"""Random programs of every operation, on numbers of every kind: uncompiled code, back ends and exported texts agree."""

import ctypes
import os
import shutil
import subprocess
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import modes
from autograd.compiler.export import write
from autograd.compiler.lowering import lower, with_plain_products
from autograd.compiler.native import NativeBackend
from autograd.compiler.numpy_backend import NumpyBackend
from autograd.compiler.program import Program
from autograd.compiler.simplify import simplify
from autograd.compiler.trace import Trace
from autograd.elementwise import ELEMENTWISE
from tests.bits import EDGES, equal, run, same_bits, wrong
from tests.interpreter import Interpreter
from tests.javascript import run_javascript

every_backend = pytest.mark.parametrize("backend", ["numpy", "native", Interpreter()], ids=["numpy", "native", "third"])
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
VARIADIC = {
    "sum": lambda *xs: ag.sum(list(xs)),
    "prod": lambda *xs: ag.prod(list(xs)),
    "logsumexp": lambda *xs: ag.logsumexp(list(xs)),
    "norm": lambda *xs: ag.norm(list(xs)),
    "dot": lambda x, y, u, v, start: ag.dot([x, y], [u, v], start=start),
}
BRANCHES = {
    "if": lambda a, b, x, y: x if a > b else y,
    "if truth": lambda a, x, y: x if a else y,
    "if both": lambda a, b, c, x, y: x if (a >= b) & (b != c) else y,
}
OPERATIONS = {**ELEMENTWISE, **VARIADIC, **BRANCHES}
NAMES = sorted(OPERATIONS)
ARITY = {name: len(op.rules) for name, op in ELEMENTWISE.items()} | {
    "sum": 3,
    "prod": 3,
    "logsumexp": 3,
    "norm": 3,
    "dot": 5,
    "if": 4,
    "if truth": 3,
    "if both": 5,
}
WITHOUT_ROUNDING_OF_ITS_OWN = [
    *(
        "step",
        "max_weight",
        "where",
        "equal",
        "not_equal",
        "greater",
        "greater_equal",
        "isfinite",
        "sign",
        "floor",
        "ceil",
    ),
    *("identity", "neg", "add", "sub", "mul", "div", "square"),
    *("floordiv", "mod", "abs", "maximum", "minimum", "sqrt", "relu", "sum", "prod", "dot", *BRANCHES),
]


@dataclass(frozen=True)
class Straight:
    """A program of so many inputs. An operand of a step is the place of an input or of an earlier step, or a float."""

    inputs: int
    steps: tuple[tuple[str, tuple[int | float, ...]], ...]

    def __call__(self, *xs):
        results = list(xs)
        for name, operands in self.steps:
            results.append(OPERATIONS[name](*(results[x] if type(x) is int else x for x in operands)))
        return results[-1]

    @property
    def slopes(self):
        """A function that gives the value and all derivatives, as a list."""
        derive = ag.value_and_grad(self, argnums=tuple(range(self.inputs)))

        def flat(*xs):
            value, found = derive(*xs)
            return [value, *found]

        return flat


NUMBERS = st.sampled_from(EDGES) | st.sampled_from([1.0, 2.0, 0.5, -1.0, 3.0]) | st.floats(-4, 4)


@st.composite
def programs(draw, names=NAMES, most=10):
    """A program, and the columns of numbers to run it on."""
    inputs = draw(st.integers(1, 3))
    steps = []
    for n in range(draw(st.integers(1, most))):
        name = draw(st.sampled_from(names))
        place = st.integers(0, inputs + n - 1)
        steps.append((name, tuple(draw(place | place | place | NUMBERS) for _ in range(ARITY[name]))))
    rows = draw(st.lists(st.tuples(*[NUMBERS] * inputs), min_size=1, max_size=9))
    return Straight(inputs, tuple(steps)), [list(column) for column in zip(*rows, strict=True)]


def recorded(f, row, careful):
    """The lowered program of `f`, on the path that it takes at `row`."""
    trace = Trace()
    inputs = [trace.input(label, x) for label, x in zip("xyz", row, strict=False)]
    with modes.recording(True), modes.tracing(trace), np.errstate(all="ignore"):
        result = f(*inputs)
    program = trace.program([trace.output(x) for x in (result if isinstance(result, list) else [result])])
    return lower(simplify(program if careful else with_plain_products(program)))


def every_path(f, columns, careful=True):
    """The programs of `f` for all rows, one a path."""
    found = {}
    for row in zip(*columns, strict=True):
        program = recorded(f, row, careful)
        found.setdefault(tuple((guard.line, guard.outcome) for guard in program.guards), program)
    return list(found.values())


def written_out(programs):
    """Python's text of `programs`, as a function that gives a list."""
    space = {}
    exec(compile(write("python", programs), "<text>", "exec"), space)
    return lambda *row: list(result) if isinstance(result := space["kernel"](*row), tuple) else [result]


def disagreements(program, columns, results):
    """The operations of which a column of results is not what they give for the columns of their operands."""
    values = dict(zip(program.inputs, columns, strict=True))
    values.update((i, [i.value] * len(columns[0])) for i in program.code if i.op is None)
    operations = [i for i in program.code if i.op is not None]
    values.update(zip(operations, results, strict=True))
    for i in operations:
        rows = [*zip(*(values[arg] for arg in i.args), strict=False)]
        expected = [i.op.scalar(*map(float, row)) for row in rows]
        for n in np.flatnonzero(wrong(i.op, values[i], expected)):
            yield f"{i.op.name}{rows[n]} is {expected[n]!r}, not {values[i][n]!r}"


def with_all_results(program):
    """The same program, of which everything computed is an output."""
    return Program(program.inputs, program.code, [i for i in program.code if i.op is not None])


@settings(max_examples=20_000 if LONG else 200)
@given(programs(names=[name for name in NAMES if name != "norm"]))
def test_the_text_of_a_program_gives_what_the_function_gives_to_the_last_bit(case):
    f, columns = case
    text = written_out(every_path(f, columns))
    derivatives = written_out(every_path(f.slopes, columns))
    for row in zip(*columns, strict=True):
        assert same_bits(text(*row), [f(*row)]).all()
        result, expected = derivatives(*row), f.slopes(*row)
        assert same_bits(result[0], expected[0])
        assert equal(result, expected).all(), (result, expected)


@settings(max_examples=20_000 if LONG else 200)
@given(programs(), st.booleans(), st.booleans(), st.lists(st.booleans(), min_size=3, max_size=3))
def test_each_operation_of_a_back_end_is_right_about_its_operands(case, derivatives, careful, uniform):
    f, columns = case
    uniform = uniform[: f.inputs]
    path = recorded(f.slopes if derivatives else f, [column[0] for column in columns], careful)
    program = with_all_results(path)
    given = [[c[0]] * len(c) if u else c for c, u in zip(columns, uniform, strict=True)]
    for backend in (NativeBackend(), NumpyBackend(), Interpreter()):
        results = run(backend, program, given, uniform)
        if all(uniform):
            given = [column[:1] for column in given]
        assert list(disagreements(program, given, results)) == [], backend.name


def by_c(program, columns, path):
    if not shutil.which("cc"):
        pytest.skip("there is no C compiler")
    path.write_text(write("c", [program]))
    flags = ["-O1", "-ffp-contract=off", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, path, "-o", path.with_suffix(".so"), "-lm"], check=True, timeout=60)
    kernel = ctypes.CDLL(str(path.with_suffix(".so"))).kernel
    results = []
    for row in zip(*columns, strict=True):
        out = (ctypes.c_double * max(1, len(program.outputs)))()
        kernel((ctypes.c_double * len(row))(*row), out)
        results.append(out[: len(program.outputs)])
    return [*zip(*results, strict=True)]


def by_node(program, columns, _):
    text, count = write("javascript", [program]), len(program.outputs)
    single, batch = (run_javascript(text, "kernel", columns, count, batch) for batch in (False, True))
    assert same_bits(single, batch).all()
    return single


@pytest.fixture(scope="module")
def in_a_browser(browser):
    tab = browser.new_page()

    def run(program, columns, _):
        call = """([text, columns, count]) => {
            const [kernel, batch] = new Function(`${text}; return [kernel, kernel_batch];`)();
            const found = Array.from({length: count}, () => new Float64Array(columns[0].length));
            batch(columns[0].length, columns.map(column => Float64Array.from(column)), columns.map(() => 1), found, found.map(() => 1));
            columns[0].forEach((_, k) => {
                const row = [kernel(...columns.map(column => column[k]))].flat().map(Number);
                if (!row.every((x, o) => Object.is(x, found[o][k]))) throw new Error(`row ${k}: ${row}`);
            });
            return found.map(column => [...column]);
        }"""
        return tab.evaluate(call, [write("javascript", [program]), columns, len(program.outputs)])

    return run


@pytest.fixture(params=["c", "javascript", "javascript in a browser"])
def language(request):
    return request.param


@pytest.fixture
def run_text(request, language):
    if language == "javascript in a browser":
        return request.getfixturevalue("in_a_browser")
    return {"c": by_c, "javascript": by_node}[language]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)  # which is the same for all
@given(programs())
def test_each_operation_of_a_text_is_right_about_its_operands(tmp_path_factory, run_text, case):
    f, columns = case
    program = with_all_results(recorded(f.slopes, [column[0] for column in columns], True))
    results = run_text(program, columns, tmp_path_factory.mktemp("text") / "kernel.c")
    assert list(disagreements(program, columns, results)) == []


@settings(max_examples=2_000 if LONG else 40)
@given(programs(names=WITHOUT_ROUNDING_OF_ITS_OWN, most=8))
@every_backend
def test_a_kernel_of_arithmetic_gives_what_the_function_gives_to_the_last_bit(backend, case):
    f, columns = case
    rows = [*zip(*columns, strict=True)]
    values, derivatives = ag.compile(f, backend=backend), ag.compile(f.slopes, backend=backend)
    batch = values(*map(np.array, columns))
    assert same_bits(batch, [f(*row) for row in rows]).all()
    assert same_bits([values(*row) for row in rows[:2]], batch[:2]).all()
    expected = np.array([f.slopes(*row) for row in rows], float).T
    result = derivatives(*map(np.array, columns))
    assert equal(result, expected).all(), (result, expected)
    assert equal(derivatives(*rows[0]), expected[:, 0]).all()


@settings(max_examples=2_000 if LONG else 40)
@given(programs(names=WITHOUT_ROUNDING_OF_ITS_OWN, most=6))
@every_backend
def test_a_kernel_of_a_second_derivative_gives_what_the_function_gives(backend, case):
    f, columns = case
    curvature = ag.grad(ag.grad(f))
    kernel = ag.compile(curvature, backend=backend)
    rows = [*zip(*columns, strict=True)]
    expected = [curvature(*row) for row in rows]
    assert equal(kernel(*map(np.array, columns)), expected).all()
    assert equal(kernel(*rows[0]), expected[0]).all()


def test_the_programs_use_every_operation():
    assert set(OPERATIONS) == {*ELEMENTWISE, *ag.variadic.VARIADIC, *BRANCHES}
