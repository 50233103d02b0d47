"""The NumPy back end, the reference for machine code, gives what the operations give one by one."""

import math
import sys

import numpy as np
import pytest

import autograd as ag
from autograd import elementwise as e
from autograd.compiler import kernel, numpy_backend
from autograd.compiler.lowering import lower
from autograd.compiler.numpy_backend import NumpyBackend
from autograd.compiler.program import Instruction, Program
from autograd.elementwise import ELEMENTWISE
from tests.bits import GRIDS, program_of, run, same_bits, ulps_apart, wrong

every_operation = pytest.mark.parametrize("name", ELEMENTWISE)


@every_operation
def test_an_operation_over_lanes(name):
    op = ELEMENTWISE[name]
    rows = GRIDS[len(op.rules)]
    [result] = run(NumpyBackend(), lower(program_of(op)), [*zip(*rows, strict=True)])
    expected = np.array([op.scalar(*row) for row in rows])
    different = wrong(op, result, expected)
    assert [(rows[n], result[n], expected[n]) for n in np.flatnonzero(different)] == []


@every_operation
def test_an_operation_on_numbers(name):
    op = ELEMENTWISE[name]
    rows = GRIDS[len(op.rules)][::5]
    code = NumpyBackend().compile(lower(program_of(op)), [True] * len(op.rules), [False], False)
    different = wrong(op, [code.once(row)[0] for row in rows], [op.scalar(*row) for row in rows])
    assert np.array(rows)[different].tolist() == []


def test_outputs_may_be_inputs_constants_comparisons_and_the_same_twice():
    x, y = Instruction(None, label="x"), Instruction(None, label="y")
    two, above = Instruction(None, value=2.0), Instruction(e.greater, (x, y))
    program = Program([x, y], [two, above], [x, two, above, x, y])
    results = run(NumpyBackend(), program, [[1.0, 2.0, 3.0], [2.0] * 3], [False, True])
    assert [np.asarray(r).tolist() for r in results] == [[1, 2, 3], [2, 2, 2], [0, 0, 1], [1, 2, 3], [2, 2, 2]]
    assert [r[0] for r in run(NumpyBackend(), program, [[1.0], [0.5]], [True, True])] == [1.0, 2.0, 1.0, 1.0, 0.5]


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 1000])
def test_a_batch_that_does_not_fit_into_memory_is_run_in_parts(monkeypatch, rng, count):
    monkeypatch.setattr(numpy_backend, "ELEMENTS", 10)
    x = rng.normal(size=count)
    result = ag.compile(lambda x: (ag.sin(x) * x, x > 0.0, 3.0), backend="numpy")(x)
    assert all(same_bits(a, b).all() for a, b in zip(result, (np.sin(x) * x, x > 0, np.full(count, 3.0)), strict=True))
    total = ag.compile(lambda x, y: (x * y, y), reduce="sum", backend="numpy")(x, 2.0)
    np.testing.assert_allclose(total, [math.fsum(2 * x), 2 * count], rtol=1e-13)


def test_sums_are_accurate(rng):
    x = rng.uniform(0, 1, 1_000_000)
    total = ag.compile(lambda x: x, reduce="sum", backend="numpy")(x)
    assert abs(total - math.fsum(x)) < 1e-9  # one after the other they are wrong by ten times as much
    x[0], x[-1] = 1e14, -1e14
    total = ag.compile(lambda x: x, reduce="sum", backend="numpy")(x)
    assert abs(total - math.fsum(x)) < 200


def test_it_is_what_auto_takes_where_llvmlite_is_missing_which_is_said_once(monkeypatch, recwarn):
    kernel._warn_without_llvmlite.cache_clear()
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    with pytest.warns(RuntimeWarning, match=r"pip install llvmlite ") as caught:
        first = ag.compile(lambda x: x + 1.0)
    assert caught[0].filename == __file__
    second = ag.compile(lambda x: x + 2.0)  # not said again: warnings are errors here
    assert (first(1.0), second(1.0)) == (2.0, 3.0)
    assert first.stats["backend"] == "numpy"
    assert ag.compile(lambda x: x, backend="numpy")(1.0) == 1.0


# ---- Operations that only NumPy can call


@ag.primitive
def gamma(x):
    return np.vectorize(math.gamma, otypes=[float])(x)


@gamma.rule
def _(g, z, x):
    return g * z * (ag.log(x) - 0.5 / x)  # nearly


def test_an_operation_of_the_users_own_that_calls_a_library():
    for backend in ("numpy", "auto"):
        f = ag.compile(ag.value_and_grad(lambda x: gamma(x) * 2.0), backend=backend)
        value, slope = f(np.array([3.0, 5.0]))
        assert value.tolist() == [4.0, 48.0]
        np.testing.assert_allclose(slope, [4 * (math.log(3) - 1 / 6), 48 * (math.log(5) - 0.1)], rtol=1e-14)
        assert f(3.0)[0] == 4.0
        assert f.stats["backend"] == "numpy"


def test_machine_code_cannot_call_it_and_says_so():
    with pytest.raises(ag.CompileError, match=r"the primitive gamma.*backend='numpy'"):
        ag.compile(gamma, backend="native")(2.0)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_an_operation_of_the_users_own_may_read_attributes_that_tracers_do_not_have(count):
    @ag.primitive
    def doubled(x):
        return np.stack([x.real, x.real]).sum(axis=0) if isinstance(x, np.ndarray) else x.real * 2

    assert ag.compile(doubled, backend="numpy")(np.arange(float(count))).tolist() == [2.0 * n for n in range(count)]


def test_transcendental_functions_are_near_those_of_math(rng):
    x = rng.normal(size=2000)
    for name in ("exp", "sin", "tanh", "erf", "sigmoid"):
        expected = [ELEMENTWISE[name].scalar(v) for v in x.tolist()]
        assert ulps_apart(ag.compile(ELEMENTWISE[name], backend="numpy")(x), expected).max() <= 4
