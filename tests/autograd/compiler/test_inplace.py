"""Formulas that change arrays in place: the same bits by machine code, by NumPy's calls, and by the formula on arrays."""

import sys

import numpy as np
import pytest

import autograd as ag
from autograd.compiler.inplace import InPlaceKernel
from autograd.compiler.inplace_native import NativeInPlace
from autograd.compiler.inplace_numpy import CHUNK, NumpyInPlace
from autograd.compiler.lowering import lower

pytest.importorskip("llvmlite")

DTYPES = [np.dtype(x) for x in ("f4", "f8")]
OTHER_DTYPES = [np.dtype(x) for x in ("f2", "g", ">f4")]
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-310, -1e-310, 1e-42, 1e38, -1e308, 1.0, -1.0]


def adam(p, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    root = ag.sqrt(1 - beta2**t)
    return p - lr * root / (1 - beta1**t) * (m / (ag.sqrt(v) + eps * root)), m, v


FORMULAS = {  # with the places of what they change, and settings
    "Adam": (adam, 4, [0, 2, 3], (3, 0.1, 0.9, 0.99, 1e-8)),
    "two change places": (lambda x, y: (y, x), 2, [0, 1], ()),
    "three do": (lambda x, y, z: (y, z, x), 3, [0, 1, 2], ()),
    "two change places and a third their sum": (lambda x, y, z: (y, x, x + y), 3, [0, 1, 2], ()),
    "a copy of what is changed": (lambda x, y: (x * 2.0 - y, x), 2, [0, 1], ()),
    "one result twice": (lambda x, y: [x * y] * 2, 2, [0, 1], ()),
    "a result that is read later": (lambda x, y: (x + y, (x + y) * x), 2, [0, 1], ()),
    "old elements that are read last": (lambda x, y: (y * 3.0, ag.sqrt(ag.abs(y)) + x / y), 2, [0, 1], ()),
    "a setting": (lambda x, y, c: (c, x + c * 2.0), 2, [0, 1], (0.1,)),
    "a constant": (lambda x, y: (x - x * 0.1, 0.1), 2, [0, 1], ()),
    "what is not read": (lambda x, y, z: (z * z,), 3, [1], ()),
    "what is only read": (lambda x, y, z: (x - y, z / x), 3, [0, 2], ()),
    "nothing new": (lambda x, y: (x, y), 2, [0, 1], ()),
    "a choice": (lambda x, y, c: (ag.where(x > y * c, x, -y), ag.where(x == y, 1.0, y)), 2, [0, 1], (0.3,)),
    "a comparison": (lambda x, y: (x > y, y >= 0.1), 2, [0, 1], ()),
    "signs": (lambda x, y: (ag.sign(x) * ag.abs(y), -ag.sign(y - x)), 2, [0, 1], ()),
    "bounds": (lambda x, y, c: (ag.clip(x, -c, c), ag.floor(y) - ag.ceil(x)), 2, [0, 1], (0.7,)),
    "much at a time": (lambda x, y: ((x + 1) * (y - 2) / ((x - y) * (x + y + 3)) - ((x - 5) * (y + 6) + (x + 7) * (y - 8)), y / (x * x + 1)), 2, [0, 1], ()),
}  # fmt: skip
formulas = pytest.mark.parametrize("name", FORMULAS)


def arrays_of(count, size, dtype, seed=0):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=size) * 10.0 ** rng.integers(-3, 3) for _ in range(count)]
    for array in arrays:
        array[rng.random(size) < 0.1] = rng.choice(SPECIAL)
    with np.errstate(all="ignore"):
        return [array.astype(dtype) for array in arrays]


def expected(formula, arrays, targets, settings):
    """The formula on whole arrays, where numbers are rounded to their dtype."""
    with np.errstate(all="ignore"):
        results = formula(*arrays, *settings)
        expected = [array.copy() for array in arrays]
        for n, result in zip(targets, results, strict=True):
            expected[n][...] = result
    return expected


def assert_same_bits(found, expected):
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_array_equal(x, y)
        number = ~np.isnan(x)
        np.testing.assert_array_equal(np.signbit(x[number]), np.signbit(y[number]))


def codes(formula, arity, targets, settings, dtype):
    """By both back ends, with the coefficients."""
    kernel = InPlaceKernel(formula, arity, targets)
    native, coefficients = kernel.code(dtype, settings)
    assert isinstance(native, NativeInPlace if dtype in DTYPES else NumpyInPlace)
    (path,) = kernel._paths
    return native, NumpyInPlace(path.body, arity, targets, dtype), coefficients


@formulas
@pytest.mark.parametrize("dtype", DTYPES + OTHER_DTYPES, ids=str)
def test_both_back_ends_give_the_bits_of_the_formula_on_arrays(name, dtype):
    formula, arity, targets, settings = FORMULAS[name]
    for size in (0, 1, 3, 4, 5, 9, 100):
        arrays = arrays_of(arity, size, dtype)
        wanted = expected(formula, arrays, targets, settings)
        *both, coefficients = codes(formula, arity, targets, settings, dtype)
        for code in both:
            changed = [array.copy() for array in arrays]
            code.bind(changed)(0, size, coefficients)
            assert_same_bits(changed, wanted)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_only_the_elements_asked_for_change(dtype):
    size = CHUNK + 77
    arrays = arrays_of(4, size, dtype)
    *both, coefficients = codes(*FORMULAS["Adam"], dtype)
    for start, stop in ((0, size), (5, size - 5), (3, 4), (7, 7), (CHUNK - 1, CHUNK + 1)):
        part = slice(start, stop)
        wanted = [array.copy() for array in arrays]
        inside = expected(adam, [array[part] for array in arrays], [0, 2, 3], FORMULAS["Adam"][3])
        for array, new in zip(wanted, inside, strict=True):
            array[part] = new
        for code in both:
            changed = [array.copy() for array in arrays]
            code.bind(changed)(start, stop, coefficients)
            assert_same_bits(changed, wanted)


UNARY = [ag.abs, ag.sqrt, ag.sign, ag.floor, lambda x: -x, lambda x: x**2, lambda x: 1.0 / x, lambda x: x * 0.3]
BINARY = [
    lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / y,
    lambda x, y: ag.where(x > y, x, y), lambda x, y: ag.where(x != y, y, 2.0), lambda x, y: x,
]  # fmt: skip


def random_formula(rng, arity):
    """A formula of a few operations on any of what there is, and what it changes."""
    steps = [(rng.integers(2), rng.integers(100), *rng.integers(10_000, size=2)) for _ in range(rng.integers(1, 14))]
    targets = [int(n) for n in rng.permutation(arity)[: rng.integers(1, arity + 1)]]
    results = rng.integers(10_000, size=len(targets))

    def formula(*xs):
        xs = list(xs)
        for binary, op, i, j in steps:
            x, y = xs[i % len(xs)], xs[j % len(xs)]
            xs.append(BINARY[op % len(BINARY)](x, y) if binary else UNARY[op % len(UNARY)](x))
        return [xs[-1 - k % min(len(xs), 5)] for k in results]

    return formula, targets


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_random_formulas(seed, dtype):
    rng = np.random.default_rng(seed)
    arity = int(rng.integers(1, 5))
    formula, targets = random_formula(rng, arity)
    settings = tuple(rng.normal(size=rng.integers(3)).tolist())
    arrays = arrays_of(arity, 50, dtype, seed)
    wanted = expected(formula, arrays, targets, settings)
    *both, coefficients = codes(formula, arity, targets, settings, dtype)
    for code in both:
        changed = [array.copy() for array in arrays]
        code.bind(changed)(0, 50, coefficients)
        assert_same_bits(changed, wanted)


# ---- Settings


def test_settings_may_change_without_compiling_anew():
    kernel = InPlaceKernel(adam, 4, [0, 2, 3])
    first, _ = kernel.code(DTYPES[1], (1, 0.1, 0.9, 0.99, 1e-8))
    again, coefficients = kernel.code(DTYPES[1], (2, 0.0, 0.8, 0.9, 0.0))
    assert again is first
    assert 1 - 0.8 in coefficients
    assert kernel.code(DTYPES[0], (2, 0.0, 0.8, 0.9, 0.0))[0] is not first  # another dtype
    assert len(kernel._paths) == 1


def test_what_depends_on_settings_alone_is_computed_in_pythons_floats_and_then_rounded():
    x = np.ones(1, np.float32)
    code, coefficients = InPlaceKernel(lambda x, a, b: (x * (a - b),), 1, [0]).code(x.dtype, (1.0, 1.0 - 1e-9))
    code.bind([x])(0, 1, coefficients)
    assert x[0] == np.float32(1.0 - (1.0 - 1e-9))


def test_an_if_that_asks_for_settings_is_a_path_of_its_own():
    def formula(x, t, decay):
        if decay:
            x = x * decay
        return (x + 1.0 if t == 1 else x - 1.0,)

    kernel, x = InPlaceKernel(formula, 1, [0]), np.array([3.0])
    for t, decay, after in ((1, 0.0, 4.0), (2, 0.0, 3.0), (3, 0.5, 0.5), (1, 2.0, 2.0), (2, 0.0, 1.0), (9, 0.0, 0.0)):
        code, coefficients = kernel.code(x.dtype, (t, decay))
        code.bind([x])(0, 1, coefficients)
        assert x[0] == after
    assert len(kernel._paths) == 4


def test_what_cannot_be_a_formula_for_all_elements_is_an_error():
    with pytest.raises(ag.CompileError, match=r"cannot branch on one: choose with ag\.where"):
        InPlaceKernel(lambda x: (x if x > 0 else -x,), 1, [0]).code(DTYPES[1], ())
    value = ag.Value(2.0)
    with pytest.raises(ag.CompileError, match="plain numbers, not with Values"):
        InPlaceKernel(lambda x: (x * value,), 1, [0]).code(DTYPES[1], ())


def test_what_machines_round_in_their_own_ways_is_left_to_numpy():
    arrays = arrays_of(2, 50, DTYPES[0])
    code, coefficients = InPlaceKernel(lambda x, y: (ag.exp(y) * x, y), 2, [0, 1]).code(DTYPES[0], ())
    assert isinstance(code, NumpyInPlace)
    wanted = expected(lambda x, y: (np.exp(y) * x, y), arrays, [0, 1], ())
    code.bind(arrays)(0, 50, coefficients)
    assert_same_bits(arrays, wanted)


def test_without_llvmlite_numpy_does_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    code, _ = InPlaceKernel(lambda x: (x - 0.123,), 1, [0]).code(DTYPES[1], ())  # of which no machine code is loaded
    assert isinstance(code, NumpyInPlace)


def test_numpys_calls_are_those_that_one_would_write_by_hand():
    kernel = InPlaceKernel(adam, 4, [0, 2, 3])
    kernel.code(DTYPES[1], (1, 0.1, 0.9, 0.99, 1e-8))
    code = NumpyInPlace(kernel._paths[0].body, 4, [0, 2, 3], DTYPES[1])
    assert len(lower(kernel._paths[0].body)) == 12
    assert code._scratch == 1
