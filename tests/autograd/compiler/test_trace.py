"""A function becomes a program, or is refused with the line that prevents it."""

import gc
import math
import re
from fractions import Fraction

import numpy as np
import pytest

import autograd as ag
from autograd.compiler import trace
from autograd.compiler.errors import CompileError
from autograd.compiler.program import Instruction

HERE = re.escape(__file__)


def line_of(mark):
    """The number of the line of this file that ends so."""
    with open(__file__, encoding="utf-8") as lines:
        [n] = [n for n, line in enumerate(lines, 1) if line.rstrip().endswith(f"# here: {mark}")]
    return n


@pytest.mark.parametrize("result", ["text", {"a": [1.0, "text"]}, ag.Tensor([1.0]), object(), 1j, np.array(["a"])])
def test_a_result_that_is_no_number_is_refused(result):
    with pytest.raises(CompileError, match="which is not a number: a compiled function returns numbers, or lists"):
        ag.compile(lambda x: (x, result))(1.0)


def test_a_while_that_never_settles_is_refused_with_its_line(monkeypatch):
    monkeypatch.setattr(trace, "MAX_DECISIONS", 100)

    def halved(x):
        while x >= 0.0:  # here: while
            x = x * 0.5
        return x

    with pytest.raises(
        CompileError, match=rf"{HERE}:{line_of('while')}.*never settles\? Bound it with `for`, or .* ag\.where"
    ):
        ag.compile(halved)(1.0)
    assert ag.compile(halved)(-1.0) == -1.0


def test_a_loop_that_never_ends_is_refused_with_its_line(monkeypatch):
    monkeypatch.setattr(trace, "MAX_OPERATIONS", 100)

    def endless(x):
        while True:
            x = x * 0.5  # here: endless

    with pytest.raises(CompileError, match=rf"{HERE}:{line_of('endless')}.*more than 100 operations were traced"):
        ag.compile(endless)(1.0)


def test_a_while_that_settles_is_a_path():
    def root(x):
        y, steps = x, 0
        while abs(y * y - x) > 1e-12 * x and steps < 50:
            y, steps = 0.5 * (y + x / y), steps + 1
        return y

    kernel = ag.compile(root)
    x = np.linspace(0.5, 50.0, 40)
    np.testing.assert_allclose(kernel(x), np.sqrt(x), rtol=1e-12)
    assert 1 < kernel.stats["paths"] < 12


def test_a_model_among_the_arguments_is_refused():
    import nn

    with pytest.raises(CompileError, match=r"parameters=model\.parameters\(\)"):
        ag.compile(lambda model, x: model(x))(nn.scalar.MLP(1, [1]), 1.0)


def test_after_an_error_ordinary_values_are_what_they_were():
    with pytest.raises(CompileError):
        ag.compile(float)(1.0)
    x = ag.Value(3.0)
    (x * x).backward()
    assert x.grad == 6.0
    assert x > 2.0


# ---- What can be traced


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: np.sin(x) + np.maximum(x, 1.0), math.sin(0.5) + 1.0),
        (lambda x: np.float64(2.0) * x + x * np.float32(1.0) + np.int64(3) + True, 5.5),
        (lambda x: 2**x + x**2 + x**-1 + 3 // x + 3 % x, 2**0.5 + 0.25 + 2.0 + 6.0 + 0.0),
        (lambda x: max(x, 0.25) + min([x, 1.0, 0.75]), 1.0),
        (lambda x: sorted([x, 0.1, 0.9])[1], 0.5),
        (lambda x: sum([x, x, 1]), 2.0),
        (lambda x: ag.sum(x * v for v in (1.0, 2.0)), 1.5),
        (lambda x: np.dot(np.array([x, x]), np.array([1.0, 2.0])), 1.5),
        (lambda x: np.sum(np.array([[x, 1.0], [x, 2.0]]) @ np.array([1.0, x])), 2.5),
        (lambda x: np.isnan(x) + np.isfinite(x) * 2.0 + np.isinf(x / 0.0) * 4.0, 6.0),
        (lambda x: np.where(True, x, 1.0)[()], 0.5),
        (lambda x: ag.Value(2.0) * x, 1.0),
        (lambda x: ag.grad(lambda y: y * y * x)(3.0), 3.0),
        (lambda x: x.detach() * 2.0, 1.0),
        (lambda x: x if x == 0.5 and x is not None and x != "text" else 0.0, 0.5),
        (lambda x: +x - -x + abs(-x), 1.5),
        (lambda x: ag.norm([x, 0.0, 1.2]) + ag.prod([x, 4.0]) + ag.logsumexp([x, x]), 1.3 + 2.0 + 0.5 + math.log(2)),
        (lambda x: x > 0.25, 1.0),
        (lambda x: 3, 3.0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_ordinary_python_is_traced(f, expected, backend):
    kernel = ag.compile(f, backend=backend)
    for _ in range(2):
        assert kernel(0.5) == pytest.approx(expected, rel=1e-15)
        assert kernel(np.array([0.5, 0.5])).tolist() == pytest.approx([expected] * 2, rel=1e-14)


@pytest.mark.parametrize("other", [np.array(1.0), np.array([1.0, 2.0]), 1.0, 1])
def test_a_value_is_compared_with_arrays_too(other):
    def f(x):
        return ag.sum(np.where(np.ravel(np.asarray(x == other, object)), x * 2.0, x).tolist())

    kernel = ag.compile(f)
    assert kernel(1.0) == 2.0 + (np.size(other) - 1)
    assert kernel(5.0) == 5.0 * np.size(other)


def test_a_number_of_another_kind_is_refused_in_comparisons():
    with pytest.raises(CompileError, match=r"compared with the Fraction Fraction\(1, 2\): write float\("):
        ag.compile(lambda x: x if x == Fraction(1, 2) else 0.0)(1.0)


def test_a_kernel_within_a_trace_is_traced_with_its_captured_values():
    w = ag.Value(3.0)
    inner = ag.compile(lambda x: w * x)
    outer = ag.compile(lambda y: y * inner(2.0))
    assert outer(1.0) == 6.0
    w.data = 5.0
    assert outer(1.0) == 10.0


def test_what_a_user_primitive_decided_in_vain_is_decided_again():
    @ag.primitive
    def odd(x, condition):
        if condition:
            pass
        if not isinstance(x, float):
            raise TypeError("one number, please")
        return math.floor(x) * 1.0

    odd.rule(None), odd.rule(None)

    def f(x):
        condition = x > 0.0
        return odd(x, condition) + 10.0 if condition else odd(x, condition)

    kernel = ag.compile(f, backend="numpy")
    assert [kernel(2.5), kernel(-2.5)] == [12.0, -3.0]
    assert kernel(np.array([2.5, -2.5])).tolist() == [12.0, -3.0]


def test_what_was_traced_is_let_go():
    def f(x):
        unused = [x * float(n) for n in range(1000)]
        return unused[1] + unused[2]

    def alive():
        gc.collect()
        return sum(type(thing) is Instruction for thing in gc.get_objects())  # isinstance asks lazy modules too

    before = alive()
    kernel = ag.compile(f)
    assert kernel(1.0) == 3.0
    assert alive() < before + 20


def test_a_kernel_within_a_trace_keeps_ieees_arithmetic():
    inverse = ag.compile(lambda x: 1 / x)
    assert ag.compile(lambda y: y * inverse(0.0))(2.0) == math.inf


def test_a_kernel_within_a_trace_may_be_given_arrays_unless_it_reads_values():
    two = ag.compile(lambda x: x * 0.0 + 2.0)
    assert ag.compile(lambda y: y * np.sum(two(np.array([0.5, 3.0]))))(1.0) == 4.0
    w = ag.Value(3.0)
    scaled = ag.compile(lambda x: w * x)
    with pytest.raises(CompileError, match="would be frozen: give it numbers, or call the function"):
        ag.compile(lambda y: y * np.sum(scaled(np.array([0.5, 3.0]))))(1.0)
