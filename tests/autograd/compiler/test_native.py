"""Machine code gives what the operations give one by one, whatever a program's length and a batch's."""

import gc
import itertools
import math
import threading
import weakref

import numpy as np
import pytest

import autograd as ag
from autograd import elementwise as e
from autograd.compiler import codegen, native
from autograd.compiler.lowering import lower
from autograd.compiler.native import NativeBackend
from autograd.compiler.program import Instruction, Program
from autograd.elementwise import ELEMENTWISE
from tests.bits import GRIDS, equal, program_of, run, same_bits, ulps_apart, wrong

every_operation = pytest.mark.parametrize("name", ELEMENTWISE)


def expected_of(op, rows):
    return [op.scalar(*row) for row in rows]


@every_operation
def test_an_operation_over_lanes(name):
    op = ELEMENTWISE[name]
    rows = GRIDS[len(op.rules)]
    [result] = run(NativeBackend(), lower(program_of(op)), [*zip(*rows, strict=True)])
    expected = np.array(expected_of(op, rows))
    different = wrong(op, result, expected)
    assert [(rows[n], result[n], expected[n]) for n in np.flatnonzero(different)] == []


@every_operation
def test_an_operation_on_numbers(name):
    op = ELEMENTWISE[name]
    rows = GRIDS[len(op.rules)]
    code = NativeBackend().compile(lower(program_of(op)), [True] * len(op.rules), [False], False)
    result = np.array([code.once(row)[0] for row in rows])
    exact = same_bits(result, expected_of(op, rows))
    near = ulps_apart(result, expected_of(op, rows)) <= 1  # Python's hypot is not libm's
    assert np.array(rows)[~(near if op is e.hypot else exact)].tolist() == []


# ---- Blocks, slots, and outputs of all kinds


def chain(length, x, y):
    """A long program whose every third value is read again much later."""
    values = [x, y]
    for n in range(length):
        values.append(values[-1] * 0.5 + values[-3 if n % 3 else len(values) // 2] * y - 0.25)
    return values[-1], values[length // 2], values[7]


@pytest.mark.parametrize("uniform", list(itertools.product([False, True], repeat=2)))
@pytest.mark.parametrize("block", [1, 3, 50, 10_000])
def test_it_does_not_matter_where_a_program_is_cut(monkeypatch, block, uniform):
    monkeypatch.setattr(codegen, "BLOCK", block)
    columns = [np.linspace(-1, 1, 11), np.linspace(0.5, 0.9, 11)]
    given = [float(c[3]) if u else c for c, u in zip(columns, uniform, strict=True)]
    result = ag.compile(lambda x, y: chain(80, x, y), backend="native")(*given)
    assert all(same_bits(r, z).all() for r, z in zip(result, chain(80, *given), strict=True))


def test_a_program_of_many_blocks_gives_what_numpy_gives(rng):
    x, y = rng.uniform(-1, 1, (2, 37))
    result = ag.compile(lambda x, y: chain(1500, x, y), backend="native")(x, y)
    assert all(same_bits(r, z).all() for r, z in zip(result, chain(1500, x, y), strict=True))


@pytest.mark.parametrize("uniform", list(itertools.product([False, True], repeat=2)))
@pytest.mark.parametrize("count", [1, 4, 6, 1000])
def test_outputs_may_be_inputs_constants_comparisons_and_the_same_twice(uniform, count):
    inputs = x, y = Instruction(None, label="x"), Instruction(None, label="y")
    two, total, above = Instruction(None, value=2.0), Instruction(e.add, (x, y)), Instruction(e.greater, (x, y))
    columns = [np.arange(1.0, count + 1), np.arange(count, 0.0, -1)]
    for outputs in ([x], [y, x], [two], [x, total, x, total], [above, two, above], [x, two, y], []):
        code = [i for i in (two, total, above) if i in outputs]
        expected = {x: columns[0], y: columns[1], two: np.full(count, 2.0)}
        expected = {
            i: np.full(count, c[0]) if i in inputs and uniform[inputs.index(i)] else c for i, c in expected.items()
        }
        expected |= {total: expected[x] + expected[y], above: expected[x] > expected[y]}
        results = run(NativeBackend(), Program([x, y], code, outputs), columns, uniform)
        for output, result in zip(outputs, results, strict=True):
            assert same_bits(result, expected[output][: len(result)]).all()


# ---- Sums


@pytest.mark.parametrize("count", [*range(20), 255, 256, 257, 1023, 5000])
def test_sums_over_lanes(rng, count):
    x = rng.normal(size=count)
    sums = ag.compile(lambda x: (x, x * x, 1.0, x), reduce="sum", backend="native")(x)
    expected = [math.fsum(x), math.fsum(x * x), count, math.fsum(x)]
    np.testing.assert_allclose(sums, expected, rtol=1e-15, atol=1e-15 * (1.0 + abs(x).sum()))


def test_what_a_sum_loses_to_rounding_is_kept(rng):
    x = rng.uniform(0, 1, 1_000_000)
    x[:1000], x[-1000:] = 1e14, -1e14
    total = ag.compile(lambda x: abs(x) * ag.sign(x), reduce="sum", backend="native", threads=1)(x)
    assert abs(total - math.fsum(x)) < 200  # one after the other they are wrong by thousands
    assert abs(np.cumsum(x)[-1] - math.fsum(x)) > 2000


@pytest.mark.parametrize(("numbers", "total"), [([1, math.inf], math.inf), ([math.inf, -math.inf, 1], math.nan)])
@pytest.mark.parametrize("more", [0, 700])
def test_a_sum_may_be_infinite(numbers, total, more):
    result = ag.compile(lambda x: x + x, reduce="sum", backend="native")(np.array(numbers + [0.5] * more))
    assert equal(result, total)


# ---- Threads


@pytest.mark.parametrize("count", [1, 3, 8, 9, 1001, 40_003])
def test_threads_share_a_batch(monkeypatch, rng, count):
    monkeypatch.setattr(native, "OPERATIONS_PER_THREAD", 100)
    x = rng.normal(size=count)

    def f(x):
        return ag.exp(x) * x + 1.0, x * x, 2.0

    one, three = (ag.compile(f, backend="native", threads=n) for n in (1, 3))
    assert all(same_bits(a, b).all() for a, b in zip(one(x), three(x), strict=True))
    one, three = (ag.compile(f, backend="native", threads=n, reduce="sum") for n in (1, 3))
    np.testing.assert_allclose(one(x), three(x), rtol=1e-14)
    assert three(x) == three(x)


def test_a_nan_that_any_thread_meets_is_looked_at(monkeypatch):
    monkeypatch.setattr(native, "OPERATIONS_PER_THREAD", 100)
    slope = ag.compile(ag.grad(lambda x: ag.where(x > 0.0, ag.log(x), 0.0)), backend="native", threads=4)
    x = np.full(4000, 2.0)
    x[3999] = x[1500] = 0.0
    assert slope(x).tolist() == np.where(x > 0, 0.5, 0.0).tolist()


def test_several_threads_may_call_at_once(rng):
    kernel = ag.compile(lambda x, y: (x * y + ag.sin(x), x + y), backend="native")
    slices = [rng.normal(size=(2, n)) for n in (1, 100, 511, 513, 3000, 7)]
    expected = [ag.compile(lambda x, y: (x * y + ag.sin(x), x + y), backend="native")(*part) for part in slices]
    wrong = []

    def work(n):
        for _ in range(40):
            result = kernel(*slices[n])
            wrong.extend(n for a, b in zip(result, expected[n], strict=True) if not same_bits(a, b).all())

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(slices))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# ---- What is kept


def test_machine_code_is_shared_while_it_is_in_use_and_freed_with_the_last_kernel():
    gc.collect()
    before = len(native._loaded)
    first, second = (ag.compile(lambda x: x * 1.2345, backend="native") for _ in range(2))
    assert first(1.0) == second(1.0) == 1.2345
    assert len(native._loaded) == before + 1
    del first
    gc.collect()
    assert len(native._loaded) == before + 1
    assert second(2.0) == 2.469
    gone = weakref.ref(second)
    del second
    gc.collect()
    assert gone() is None
    assert len(native._loaded) == before


def test_fast_code_is_as_right_as_other_code(rng):
    def f(w, x):
        return ag.tanh(ag.dot(list(w), list(x))) ** 2 + ag.exp(-w[0])

    w, x = rng.normal(size=(20, 8)), rng.normal(size=8)
    options = {"signature": "(n),(n)->(),(n)", "backend": "native"}
    plain, fast = (ag.compile(ag.value_and_grad(f), fast=fast, **options)(w, x) for fast in (False, True))
    np.testing.assert_allclose(fast[0], plain[0], rtol=1e-12)
    np.testing.assert_allclose(fast[1], plain[1], rtol=1e-11, atol=1e-12)


def test_where_llvmlite_is_missing_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "llvmlite", None)
    monkeypatch.setitem(__import__("sys").modules, "llvmlite.binding", None)
    with pytest.raises(ImportError, match=r"pip install llvmlite.*backend='numpy'"):
        ag.compile(lambda x: x, backend="native")
