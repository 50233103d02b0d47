"""The texts of `source` are run, in all four languages, and give what the operations give one by one."""

import ctypes
import itertools
import math
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import modes
from autograd.compiler.errors import CompileError
from autograd.compiler.export import write
from autograd.compiler.lowering import lower
from autograd.compiler.program import Guard, Instruction, Program
from autograd.compiler.simplify import simplify
from autograd.compiler.trace import Trace
from autograd.elementwise import ELEMENTWISE
from autograd.graph import Primitive
from tests.bits import EDGES, same_bits, ulps_apart
from tests.bits import wrong as off
from tests.interpreter import is_machine_operation
from tests.javascript import run_javascript
from tests.strategies import expressions, points

inf, nan = math.inf, math.nan
LANGUAGES = ["python", "numpy", "c", "javascript"]
OPS = sorted(filter(is_machine_operation, ELEMENTWISE.values()), key=lambda op: op.name)
PAIRS = list(itertools.product(EDGES, EDGES))

every_op = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
every_language = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A function that runs a text on columns of numbers, one an input, and gives columns, one an output."""
    folder = tmp_path_factory.mktemp("texts")
    count = itertools.count()

    def by_python(text, name, columns, space):
        exec(compile(text, "<text>", "exec"), space)
        rows = [space[name](*row) for row in (zip(*columns, strict=True) if columns else [()])]
        rows = [row if isinstance(row, tuple) else (row,) for row in rows]
        return [np.array(column, float) for column in zip(*rows, strict=True)]

    def by_numpy(text, name, columns, space):
        exec(compile(text, "<text>", "exec"), space)
        results = space[name](*map(np.array, columns))
        results = results if isinstance(results, tuple) else (results,)
        return [np.array(np.broadcast_to(r, len(columns[0]) if columns else 1), float) for r in results]

    def by_c(text, name, columns, outputs, flags, strides):
        if not shutil.which("cc"):
            pytest.skip("there is no C compiler")
        path = folder / f"text{next(count)}.c"
        path.write_text(text, encoding="utf-8")
        command = ["cc", *flags, "-O2", "-ffp-contract=off", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
        subprocess.run([*command, path, "-o", path.with_suffix(".so"), "-lm"], check=True, timeout=60)
        batch = getattr(ctypes.CDLL(str(path.with_suffix(".so"))), f"{name}_batch")
        n, m = len(columns[0]) if columns else 1, len(columns)
        given = [np.array(column, float) for column in columns]
        results = [np.empty(n) for _ in range(outputs)]
        steps = (ctypes.c_long * m)(*(strides or [1] * m))
        if batch(ctypes.c_long(n), _pointers(given), steps, _pointers(results)):
            raise ValueError("no path holds")
        return results

    def by_javascript(text, name, columns, outputs):
        single, batch = (run_javascript(text, name, columns, outputs, batch) for batch in (False, True))
        assert all(same_bits(x, y).all() for x, y in zip(single, batch, strict=True))
        return single

    def run(language, programs, columns, name="kernel", space=None, flags=(), strides=None, **options):
        text = write(language, programs, name, **options)
        if language == "c":
            return by_c(text, name, columns, len(programs[0].outputs), flags, strides)
        if language == "javascript":
            return by_javascript("\n".join([*(space or {}).values(), text]), name, columns, len(programs[0].outputs))
        return {"python": by_python, "numpy": by_numpy}[language](text, name, columns, dict(space or {}))

    return run


def _pointers(arrays):
    return (ctypes.POINTER(ctypes.c_double) * len(arrays))(
        *(a.ctypes.data_as(ctypes.POINTER(ctypes.c_double)) for a in arrays)
    )


def recorded(f, *example, labels="xyzuvw"):
    """The lowered program of `f`, recorded at `example`."""
    trace = Trace()
    inputs = [trace.input(label, x) for label, x in zip(labels, example, strict=False)]
    with modes.tracing(trace):
        result = f(*inputs)
    results = result if isinstance(result, (tuple, list)) else [result]
    return lower(simplify(trace.program([trace.output(x) for x in results])))


def inputs(*labels):
    return [Instruction(None, label=label) for label in labels]


# ---- Every operation


@pytest.fixture(scope="module")
def everything(compiled):
    """What each operation of machines gives in each language, for all pairs of edges."""
    x, y, z = xs = inputs("x", "y", "z")
    results = [Instruction(op, tuple(xs[: max(len(op.rules), 1)])) for op in OPS]
    program = lower(Program([x, y, z], results, results))
    columns = [[p[0] for p in PAIRS], [p[1] for p in PAIRS], [p[0] for p in reversed(PAIRS)]]
    eager = {op: [op.scalar(*row[: max(len(op.rules), 1)]) for row in zip(*columns, strict=True)] for op in OPS}
    texts = {language: compiled(language, [program], columns) for language in LANGUAGES}
    return {"eager": eager} | {
        language: dict(zip(OPS, map(np.asarray, texts[language]), strict=True)) for language in LANGUAGES
    }


@every_op
def test_python_gives_what_the_operation_gives_to_the_last_bit(everything, op):
    wrong = ~same_bits(everything["python"][op], everything["eager"][op])
    assert np.array(PAIRS)[wrong].tolist() == []


@every_op
@pytest.mark.parametrize("language", ["numpy", "c", "javascript"])
def test_other_languages_give_the_same_bits_or_for_what_is_not_exact_their_neighbours(everything, op, language):
    result, expected = everything[language][op], np.array(everything["eager"][op], float)
    wrong = off(op, result, expected)
    assert np.array(PAIRS)[wrong].tolist() == []


@every_language
def test_operations_on_constants_are_those_on_numbers(compiled, language):
    binary = [op for op in OPS if len(op.rules) == 2]
    cases = [(op, c, first) for op in binary for c in EDGES for first in (True, False)]
    program = recorded(lambda x: [op(c, x) if first else op(x, c) for op, c, first in cases], 1.0)
    columns = compiled(language, [program], [EDGES])
    for (op, c, first), column in zip(cases, columns, strict=True):
        expected = np.array([op.scalar(c, x) if first else op.scalar(x, c) for x in EDGES])
        wrong = off(op, column, expected, 0 if language == "python" else 4)
        assert np.array(EDGES)[wrong].tolist() == [], f"{op.name} of {c} as argument {2 - first}"


@every_language
@pytest.mark.parametrize("name", [name for name in sorted(ELEMENTWISE) if not is_machine_operation(ELEMENTWISE[name])])
def test_operations_that_no_machine_has_are_made_of_those_it_has(compiled, language, name):
    op = ELEMENTWISE[name]
    n = len(op.rules)
    program = recorded(lambda *xs: op(*xs), *[1.0, 2.0, 3.0][:n])
    rows = list(itertools.product(EDGES, repeat=n))
    [result] = compiled(language, [program], list(zip(*rows, strict=True)))
    expected = np.array([op.scalar(*row) for row in rows], float)
    wrong = ulps_apart(result, expected) > (0 if language == "python" else 8)
    assert np.array(rows)[wrong].tolist() == []


# ---- Whole programs


def black_scholes(S, K, T, r, sigma):
    d1 = (ag.log(S / K) + (r + sigma**2 / 2) * T) / (sigma * ag.sqrt(T))
    d2 = d1 - sigma * ag.sqrt(T)

    def N(x):
        return 0.5 * (1 + ag.erf(x / math.sqrt(2)))

    return S * N(d1) - K * ag.exp(-r * T) * N(d2)


@every_language
def test_a_price_and_its_greeks(compiled, language, rng):
    greeks = ag.value_and_grad(black_scholes, argnums=(0, 1, 2, 3, 4))

    def flat(*xs):
        price, slopes = greeks(*xs)
        return [price, *slopes]

    program = recorded(flat, 100.0, 95.0, 0.5, 0.02, 0.3, labels=["S", "K", "T", "r", "sigma"])
    columns = rng.uniform([50, 50, 0.1, 0.0, 0.1], [150, 150, 2.0, 0.1, 0.5], (30, 5)).T.tolist()
    result = compiled(language, [program], columns, "black_scholes")
    expected = np.array([flat(*row) for row in zip(*columns, strict=True)], float).T
    if language == "python":
        assert same_bits(result, expected).all()
    np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-12)


@given(expressions(), st.data())
def test_any_expression_in_python_is_to_the_last_bit_what_was_written(compiled, expression, data):
    example, other = (data.draw(points(expression.inputs)) for _ in range(2))
    program = recorded(expression, *example)
    [result] = compiled("python", [program], [[x] for x in other])
    assert same_bits(result, [expression(*other)]).all()


@every_language
def test_constants_are_what_they_were(compiled, language):
    numbers = [inf, -inf, nan, 0.0, -0.0, 5e-324, -1.7976931348623157e308, 0.1, 1e22]
    outputs = [Instruction(None, value=x) for x in numbers]
    results = compiled(language, [Program([], outputs, outputs)], [])
    assert same_bits(np.concatenate(results), numbers).all()


@every_language
def test_outputs_may_be_inputs_comparisons_and_the_same_twice_and_inputs_may_go_unused(compiled, language):
    x, y, z = inputs("x", "y", "z")
    above = Instruction(ELEMENTWISE["greater"], (x, z))
    program = Program([x, y, z], [above], [x, above, x])
    results = compiled(language, [program], [[1.0, 2.0], [nan, nan], [1.5, 1.5]])
    assert [result.tolist() for result in results] == [[1.0, 2.0], [0.0, 1.0], [1.0, 2.0]]


@every_language
def test_a_program_without_outputs_is_a_text_too(compiled, language):
    assert list(compiled(language, [Program(inputs("x"), [], [])], [[1.0]])) == []


def test_a_comparison_is_a_bool_in_python_and_numpy():
    program = recorded(lambda x: x > 1.0, 0.0)
    for language, kind in (("python", bool), ("numpy", np.bool_)):
        exec(write(language, [program]), space := {})
        assert type(space["kernel"](2.0)) is kind


def test_numpy_takes_what_broadcasts_and_numbers():
    exec(write("numpy", [recorded(lambda x, y: (x * y + 1.0, ag.exp(x)), 1.0, 2.0)]), space := {})
    product, exponential = space["kernel"](np.arange(3)[:, None], [1.0, 2.0])
    assert product.tolist() == [[1.0, 1.0], [2.0, 3.0], [3.0, 5.0]]
    assert exponential.shape == (3, 1)
    assert space["kernel"](2, 3.0)[0] == 7.0


def test_numpy_has_an_error_function_without_scipy_too(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    for ours, theirs in ((ag.erf, math.erf), (ag.erfc, math.erfc)):
        exec(write("numpy", [recorded(ours, 1.0)]), space := {})
        assert space["kernel"]([0.5, 1.5]).tolist() == [theirs(0.5), theirs(1.5)]


def test_the_error_functions_of_javascript_are_as_accurate_as_they_say(compiled, rng):
    for ours, theirs, most in ((ag.erf, math.erf, 4), (ag.erfc, math.erfc, 8)):
        x = np.concatenate([rng.uniform(-7, 27, 10_000), rng.uniform(-1, 1, 10_000), np.geomspace(1e-300, 1, 1000)])
        [result] = compiled("javascript", [recorded(ours, 1.0)], [x.tolist()])
        apart = ulps_apart(result, [theirs(v) for v in x])
        assert apart.max() <= most
        assert apart.mean() <= 1.5


def test_javascript_has_the_helpers_it_needs_alone():
    def helpers(f):
        return re.findall(r"function (_\w+)", write("javascript", [recorded(f, 1.0)]))

    assert helpers(lambda x: ag.exp(x) + ag.tanh(x)) == []
    assert helpers(lambda x: ag.erf(x) ** x) == ["_erf", "_erfc", "_power"]
    assert helpers(ag.erfc) == ["_erf", "_erfc"]


def test_texts_of_javascript_may_stand_side_by_side():
    text = "\n".join(write("javascript", PATHS, name) for name in ("f", "g"))
    text += write("javascript", [recorded(lambda x, y: (ag.erf(x), ag.erfc(y)), 1.0, 2.0)], "kernel")
    assert run_javascript(text, "f", [[2.0], [3.0]], 2) == run_javascript(text, "g", [[2.0], [3.0]], 2) == [6.0, 2.0]


def test_a_batch_in_javascript_takes_steps_and_carries_on_what_is_an_output_too():
    text = write("javascript", [recorded(lambda x, total: total + x * x, 1.0, 0.0)], "add")
    text += """
        function sum() { throw new Error("only in a batch"); }
        function sum_batch(n, [x], strides, [found]) {
            const total = new Float64Array(1);
            add_batch(n / 2, [x, total], [2, 0], [total], [0]);
            found.fill(total[0]);
        }
    """
    assert run_javascript(text, "sum", [[1.0, 99.0, 2.0, 99.0, 3.0, 99.0]], 1, batch=True)[0].tolist() == [14.0] * 6


def test_javascript_has_no_word_for_what_its_math_lacks():
    exp2 = Primitive("exp2_here", math.exp2, np.exp2, None, elementwise=True, c="exp2")
    with pytest.raises(CompileError, match=r"exp2_here .* calls=\{exp2_here: \.\.\.\}"):
        write("javascript", [recorded(exp2, 3.0)])
    text = write("javascript", [recorded(exp2, 3.0)], calls={exp2: "power_of_two"})
    assert run_javascript(f"const power_of_two = x => 2 ** x;\n{text}", "kernel", [[3.0]], 1) == [[8.0]]


def test_javascript_takes_as_many_inputs_as_a_function_may_have():
    x = [Instruction(None, label=f"x{i}") for i in range(65534)]
    text = write("javascript", [Program(x, [], [x[-1]])])
    assert run_javascript(text, "kernel", [[float(i)] for i in range(65534)], 1) == [65533.0]
    with pytest.raises(CompileError, match=r"up to 65,534 inputs, .* here are 65,535"):
        write("javascript", [Program([Instruction(None) for _ in range(65535)], [], [])])


def test_numpy_forgets_arrays_that_are_no_longer_needed():
    def f(x):
        y = x
        for _ in range(100):
            y = ag.sin(y) * x
        return y

    text = write("numpy", [recorded(f, 1.0)])
    assert set(re.findall(r"\bv\d+\b", text)) == {"v0"}


def test_numpy_forgets_decisions_once_they_are_taken():
    text = write("numpy", [recorded(lambda x: sum(x for limit in range(9) if x > limit), 9.5)])
    assert set(re.findall(r"\bv\d+\b", text)) == {"v0", "v1"}


def test_c_reads_columns_by_their_strides(compiled):
    program = recorded(lambda x, y: x * y, 1.0, 2.0)
    [result] = compiled("c", [program], [[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]], strides=[0, 1])
    assert result.tolist() == [10.0, 20.0, 30.0]
    [result] = compiled("c", [program], [[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]], strides=[1, 0])
    assert result.tolist() == [10.0, 20.0, 30.0]


# ---- Paths


def split(x, y):
    if x > 1.0:
        return x * y, x
    if not x > -1.0:
        return x - y, y
    return ag.exp(x), x + y


PATHS = [recorded(split, 2.0, 3.0), recorded(split, -2.0, 3.0), recorded(split, 0.0, 3.0)]


@every_language
def test_the_first_path_that_holds_is_taken(compiled, language):
    columns = [[2.0, -2.0, 0.0, 5.0, nan], [3.0, 3.0, 3.0, inf, 1.0]]
    results = compiled(language, PATHS, columns)
    expected = np.array([split(*row) for row in zip(*columns, strict=True)]).T
    np.testing.assert_array_equal(results, expected)


@every_language
def test_a_later_path_that_holds_too_changes_nothing(compiled, language):
    [result] = compiled(
        language, [recorded(lambda x: x if x > 0.0 else -x, 1.0), recorded(lambda x: x * 0.5, 1.0)], [[3.0, -3.0]]
    )
    assert result.tolist() == [3.0, -1.5]


@every_language
@pytest.mark.parametrize("chosen", [slice(0, 1), slice(0, 2)])
def test_where_no_path_holds_it_says_so(compiled, language, chosen):
    with pytest.raises(ValueError, match=r"no path"):
        compiled(language, PATHS[chosen], [[2.0, 0.0], [3.0, 3.0]])
    assert compiled(language, PATHS[chosen], [[2.0], [3.0]])[0] == [6.0]


def test_numpy_needs_no_second_path_where_the_first_holds_everywhere():
    calls = []
    exec(write("numpy", PATHS), space := {})
    second = space["_path_1"]
    space["_path_1"] = lambda *xs: calls.append(xs) or second(*xs)
    assert space["kernel"](np.array([2.0, 3.0]), 1.0)[0].tolist() == [2.0, 3.0]
    assert calls == []


@every_language
def test_a_guard_may_be_met_twice_and_one_output_stays_one(compiled, language):
    program = recorded(lambda x: x if x > 0.0 else -x, 1.0)
    [guard] = program.guards
    program.guards.append(Guard(guard.condition, True, None))
    [result] = compiled(language, [program, recorded(lambda x: x if x > 0.0 else -x, -1.0)], [[1.0, -2.0]])
    assert result.tolist() == [1.0, 2.0]


# ---- Names and comments

LABELS = [
    *("a b", "class", "*/", "x\n", "x", "x", "x_1", "", "v0", "v1", "math", "np", "in", "out", "NAN", "M_PI", "unix"),
    *("exp", "abs", "\N{LATIN SMALL LIGATURE FI}", "fi", "_div", "_path_0", "1st", '"""', "kernel", "gamma", "int"),
    *("??/", "\\", "coding: latin-9", "\N{GREEK SMALL LETTER SIGMA}", "\N{RIGHT-TO-LEFT OVERRIDE}", "\ud800", "#"),
    *(
        "</script>",
        "<!--",
        "\N{LINE SEPARATOR}",
        "//",
        "window",
        "let",
        "k",
        "n",
        "inputs",
        "strides",
        "\N{GOTHIC LETTER AHSA}",
    ),
]


def sum_of_everything(*xs):
    total = 0.0
    for i, x in enumerate(xs):
        total = total * 0.5 + x / (i + 2.5)
        total.label = x.label
    return total


@pytest.mark.parametrize(
    ("language", "flags"), [("python", ()), ("numpy", ()), ("c", ()), ("c", ("-std=c99",)), ("javascript", ())]
)
@pytest.mark.parametrize("guarded", [False, True])
def test_no_label_can_break_a_text(compiled, language, flags, guarded):
    program = recorded(sum_of_everything, *[1.0] * len(LABELS), labels=LABELS)
    programs = [program]
    for instruction in program.code:  # a label ends its line, or the name of a file stands behind it
        instruction.line = None if instruction.label else ("/secret/a\n*/ \\\n.py", 1)
    if guarded:
        condition = Instruction(ELEMENTWISE["greater"], (program.inputs[0], program.inputs[-1]))
        program.code.append(condition)
        other = Program(inputs(*LABELS), [], [])
        other.outputs = [other.inputs[0]]
        programs = [Program(program.inputs, program.code, program.outputs, [Guard(condition, True, None)]), other]
    columns = [[float(2 * i)] for i in range(len(LABELS))]
    [result] = compiled(language, programs, columns, flags=flags)
    total = 0.0
    for i, [x] in enumerate(columns):
        total = total * 0.5 + x / (i + 2.5)
    assert result == [columns[0] if guarded else total]
    assert not re.search(r"secret|\*/|\\|\N{LINE SEPARATOR}", write(language, programs))
    assert language != "javascript" or "<" not in write(language, programs).replace("_k < n", "")


def test_labels_are_kept_where_they_can_be():
    names = "S, K, sigma, gamma_, \N{GREEK SMALL LETTER SIGMA}"
    program = recorded(lambda *xs: xs[0] * xs[4], 1.0, 1.0, 1.0, 1.0, 1.0, labels=names.split(", "))
    assert f"def kernel({names}):" in write("python", [program])
    assert f"# Inputs: {names}\n" in write("numpy", [program])
    assert "const double S = in[0];" in write("c", [program])
    assert f"function kernel({names}) {{" in write("javascript", [program])


def test_a_text_of_python_needs_math_alone_and_has_the_helpers_it_needs_alone():
    text = write("python", [recorded(lambda x: ag.exp(x) + ag.tanh(x), 1.0)])
    assert re.findall(r"^.*import.*$", text, re.MULTILINE) == ["import math"]
    assert re.findall(r"def (\w+)", text) == ["_exp", "kernel"]


@every_language
def test_every_line_says_where_it_comes_from(language):
    program = recorded(lambda x: ag.exp(x), 1.0)
    program.outputs[0].label = "growth"
    [line] = [line for line in write(language, [program]).splitlines() if "growth" in line and "=" in line]
    assert re.search(r"(#|//) growth, test_export.py:\d+$", line)


# ---- What is refused


def test_an_unknown_language_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"'fortran' is no language .* 'python', 'numpy', 'c' and 'javascript'"):
        write("fortran", PATHS)


@pytest.mark.parametrize("programs", [[], [PATHS[0], Program([], [], [])]])
def test_programs_that_are_no_paths_of_one_function_are_refused(programs):
    with pytest.raises(ValueError, match="paths of one function"):
        write("python", programs)


@pytest.mark.parametrize(
    ("language", "name"),
    [
        *itertools.product(LANGUAGES, ["", "a b", "_exp", "\N{LATIN SMALL LIGATURE FI}"]),
        *(("python", "class"), ("python", "math"), ("numpy", "np")),
        *(("javascript", "let"), ("javascript", "location"), ("javascript", "\N{GOTHIC LETTER AHSA}")),
        *(("c", "int"), ("c", "exp"), ("c", "NAN"), ("c", "y0"), ("c", "\N{GREEK SMALL LETTER SIGMA}")),
    ],
)
def test_a_name_that_the_language_has_taken_is_refused(language, name):
    with pytest.raises(ValueError, match=f"'{name}' cannot name the function"):
        write(language, PATHS, name)


gamma = ag.primitive(lambda x: math.gamma(float(x)), lambda g, z, x: nan)
CALLS = {
    "python": ("gamma_of", {"gamma_of": math.gamma}),
    "numpy": ("gamma_of", {"gamma_of": np.vectorize(math.gamma, otypes=[float])}),
    "c": ("tgamma", {}),
    "javascript": ("gamma_of", {"gamma_of": "const gamma_of = x => [NaN, 1, 1, 2, 6, 24][x];"}),
}


@every_language
def test_an_operation_of_the_users_own_is_called_by_its_name(compiled, language):
    program = recorded(lambda x: gamma(x) + 1.0, 3.0)
    call, space = CALLS[language]
    [result] = compiled(language, [program], [[3.0, 5.0]], space=space, calls={gamma: call})
    np.testing.assert_allclose(result, [3.0, 25.0], rtol=1e-14)


@every_language
def test_an_operation_of_the_users_own_without_a_name_is_refused(language):
    with pytest.raises(CompileError, match=r"<lambda> is not made of .* calls=.* or write"):
        write(language, [recorded(lambda x: gamma(x), 3.0)])
