"""NumPy's ufuncs of nodes: on a grid of edges, of every dtype, by every argument and method, and of object arrays."""

import inspect
import itertools
import operator
import warnings

import numpy as np
import pytest

import autograd as ag
from autograd.numpy_protocol import CONSTANT_UFUNCS, UFUNCS
from tests.autograd.test_numpy_functions import DTYPES

inf, nan = np.inf, np.nan
EDGES = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    3.0,
    -3.0,
    2.5,
    -2.75,
    1e-3,
    100.0,
    -100.0,
    7.0,
    0.1,
    inf,
    -inf,
    nan,
]
UFUNCS_OF_NUMPY = list(dict.fromkeys(u for name in dir(np) if isinstance(u := getattr(np, name), np.ufunc)))
ELEMENTWISE = [
    u for u in UFUNCS_OF_NUMPY if u.signature is None and (u in UFUNCS or u in CONSTANT_UFUNCS or u is np.divmod)
]
every_ufunc = pytest.mark.parametrize("ufunc", ELEMENTWISE, ids=lambda u: u.__name__)
X = np.array([[0.3, 0.6, 0.9], [0.2, 0.7, 0.4]])


EXTREMES = {np.maximum, np.minimum, np.fmax, np.fmin}  # of 0 and -0, either


def quiet(function, *args, **kwargs):
    """The result, or the exception, without NumPy's warnings of infinities and nans."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*args, **kwargs)
        except Exception as error:
            return error


def data_of(x):
    return np.asarray(x.data if isinstance(x, ag.Node) else x)


def assert_near(result, expected, what):
    """The same shape, dtype and signs of zero, and values within 4 ulps."""
    for x, y in zip(*(map(data_of, z if isinstance(z, tuple) else (z,)) for z in (result, expected)), strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype), what
        near = (x == y) & (np.signbit(x) == np.signbit(y)) if y.dtype.kind == "f" and what not in EXTREMES else x == y
        with np.errstate(all="ignore"):
            if y.dtype.kind == "f":
                near |= (np.isnan(x) & np.isnan(y)) | ((np.abs(x - y) <= 4 * np.spacing(np.abs(y))) & (y != 0))
        assert near.all(), (what, x[~near], y[~near])


@every_ufunc
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
def test_tensors_give_what_arrays_give_at_every_edge(ufunc, dtype):
    x = np.array(EDGES, dtype)
    args = (x,) if ufunc.nin == 1 else (x[:, None], x[None])
    assert_near(quiet(ufunc, *map(ag.Tensor, args)), quiet(ufunc, *args), ufunc)


@every_ufunc
def test_values_give_what_floats_give_at_every_edge(ufunc):
    for args in itertools.product(EDGES, repeat=ufunc.nin):
        if ufunc is not np.power or args[1] != 0.5:  # for which NumPy takes the root
            assert_near(quiet(ufunc, *map(ag.Value, args)), quiet(ufunc, *args), ufunc)


def test_every_other_ufunc_is_refused_by_name():
    for ufunc in set(UFUNCS_OF_NUMPY) - set(ELEMENTWISE) - {np.matmul}:
        error = quiet(ufunc, *[ag.Tensor(X)] * ufunc.nin)
        assert isinstance(error, TypeError), ufunc
        assert f"np.{ufunc.__name__} has no rule here" in str(error)


@every_ufunc
@pytest.mark.parametrize(
    "kwargs",
    [
        {"where": X > 0.5},
        {"dtype": np.float32},
        {"casting": "unsafe"},
        {"order": "F"},
        {"subok": False},
        {"signature": "d->d"},
        {"out": (np.empty((2, 3)),)},
        {"where": True, "dtype": None, "casting": "same_kind", "order": "K", "subok": True, "out": None},
    ],
    ids=lambda kwargs: next(iter(kwargs)) if len(kwargs) == 1 else "defaults",
)
def test_every_argument_of_a_ufunc_counts_or_is_refused_by_name(ufunc, kwargs):
    """Only booleans, whose slopes are zero, are given to NumPy with all arguments."""
    if ufunc.nout == 2 and "out" in kwargs and kwargs["out"]:
        kwargs = {"out": (np.empty((2, 3)), np.empty((2, 3)))}
    result = quiet(ufunc, *[ag.Tensor(X)] * ufunc.nin, **kwargs)
    if isinstance(result, Exception):
        expected = quiet(ufunc, *[X] * ufunc.nin, **kwargs)
        names = f"np.{ufunc.__name__}" in str(result) and next(iter(kwargs)) in str(result)
        assert isinstance(result, TypeError) or type(result) is type(expected), (result, expected)
        assert names or type(result) is type(expected), result
    elif "where" not in kwargs or kwargs["where"] is True:
        assert_near(result, quiet(ufunc, *[X] * ufunc.nin, **kwargs), ufunc)


@pytest.mark.parametrize("method", ["reduce", "accumulate", "outer", "reduceat", "at"])
def test_every_method_of_a_ufunc_gives_numpys_result_or_is_refused_by_name(method):
    for ufunc in (u for u in ELEMENTWISE if u.nin == 2 and u.nout == 1):
        args = {"outer": (X,), "reduceat": ([0, 1],), "at": ([0], X[:1])}.get(method, ())
        result = quiet(getattr(ufunc, method), ag.Tensor(X), *args)
        if isinstance(result, Exception):
            assert isinstance(result, TypeError), ufunc
            named = f"np.{ufunc.__name__}.{method}" in str(result)
            assert named or type(result) is type(quiet(getattr(ufunc, method), X, *args)), ufunc
        else:
            assert_near(result, quiet(getattr(ufunc, method), X, *args), ufunc)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum], ids=lambda u: u.__name__)
@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        ((1,), {}),
        ((None,), {"keepdims": True}),
        ((), {"axis": (0, 1)}),
        ((), {"axis": (), "initial": 0.5}),
        ((1,), {"initial": 0.5, "where": X > 0.3}),
        ((0, np.float32), {}),
        ((), {"dtype": np.float64, "keepdims": True}),
    ],
    ids=str,
)
def test_a_reduction_by_a_ufunc_takes_all_its_arguments(ufunc, args, kwargs):
    if ufunc in (np.maximum, np.minimum) and ("dtype" in kwargs or len(args) == 2):
        with pytest.raises(TypeError):
            ufunc.reduce(ag.Tensor(X), *args, **kwargs)
        return
    assert_near(ufunc.reduce(ag.Tensor(X), *args, **kwargs), ufunc.reduce(X, *args, **kwargs), ufunc)


@pytest.mark.parametrize(
    "at", [(0.3, 0.3), (0.3, -1.0), (-inf, 0.5), (0.5, -inf), (-inf, -inf), (inf, inf), (inf, 0.0)]
)
@pytest.mark.parametrize("kind", [float, np.array])
def test_logaddexp_is_smooth_at_ties_and_flat_at_infinities(at, kind):
    x, y = map(kind, at)
    share = 0.5 if at[0] == at[1] else 1 / (1 + np.exp(at[1] - at[0]))
    curvature = share * (1 - share) if np.isfinite(at).all() else 0.0
    for logaddexp in (np.logaddexp, *([ag.compile(np.logaddexp)] if kind is float else [])):
        slopes = ag.grad(logaddexp, argnums=(0, 1))(x, y) if logaddexp is np.logaddexp else None
        if slopes is not None:
            assert slopes == pytest.approx((share, 1 - share))
            assert ag.grad(ag.grad(logaddexp))(x, y) == pytest.approx(curvature)
    compiled = ag.compile(ag.grad(np.logaddexp, argnums=(0, 1)))
    assert compiled(x, y) == pytest.approx((share, 1 - share))


def test_exp2_is_exact_and_has_derivatives_of_every_order():
    assert np.exp2(ag.Value(10.0)).data == 1024.0
    assert ag.grad(ag.grad(np.exp2))(3.0) == pytest.approx(8 * np.log(2) ** 2)
    assert ag.compile(np.exp2)(10.0) == 1024.0


def test_fmod_has_the_slopes_of_a_truncated_quotient():
    x, y = np.array([5.3, -5.3, 5.3, -5.3, 0.0, 1e17]), np.array([2.0, 2.0, -2.0, -2.0, 2.0, 3.0])
    slopes = ag.grad(lambda x, y: np.sum(np.fmod(x, y)), argnums=(0, 1))(x, y)
    np.testing.assert_array_equal(slopes[0], np.ones(6))
    np.testing.assert_allclose(slopes[1], -np.trunc(x / y))
    assert ag.compile(np.fmod)(-5.3, 2.0) == np.fmod(-5.3, 2.0)


def test_heaviside_varies_with_its_value_at_zero():
    x, y = np.array([-1.0, 0.0, 2.0]), np.array([0.5, 0.5, 0.5])
    np.testing.assert_array_equal(ag.grad(lambda y: np.sum(np.heaviside(x, y)))(y), [0.0, 1.0, 0.0])


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("erf", "ag.erf"),
        ("expit", "ag.sigmoid"),
        ("cbrt", "ag.cbrt"),
        ("erfc", "ag.erfc"),
        ("ndtr", "ag.erfc(-x / 2**0.5) / 2"),
    ],
)
def test_a_ufunc_of_scipy_is_not_numpys_and_has_a_name_here(name, cure):
    special = pytest.importorskip("scipy.special")
    for x in (ag.Tensor(X), ag.Value(0.5)):
        with pytest.raises(TypeError) as caught:
            getattr(special, name)(x)
        assert cure in str(caught.value)
        assert "np." not in str(caught.value)


@pytest.mark.parametrize("ufunc", [u for u in ELEMENTWISE if "O" * u.nin + "->O" in u.types], ids=lambda u: u.__name__)
def test_ufuncs_of_object_arrays_of_values_compute_each_value(ufunc):
    x = np.array([1.25, 1.75]) if ufunc is np.arccosh else np.array([0.25, 0.75])
    values = [np.array([ag.Value(v) for v in x], dtype=object) for _ in range(ufunc.nin)]
    if ufunc in (np.floor, np.ceil, np.trunc):  # for which NumPy asks Python's math
        with pytest.raises(TypeError, match=r"item\(\)"):
            ufunc(*values)
        return
    if ufunc in (np.logical_and, np.logical_or):  # which give an operand, as Python does
        assert ufunc(*values)[0] in values[0]
        return
    result = ufunc(*values)
    assert [float(data_of(v)) for v in result] == pytest.approx(ufunc(*[x] * ufunc.nin).astype(float))
    if ufunc in UFUNCS and not getattr(UFUNCS[ufunc], "nondifferentiable", False):
        assert all(isinstance(v, ag.Value) for v in result)


def test_object_arrays_of_values_change_in_place():
    v = ag.Value(2.0)
    row = np.array([ag.Value(1.0), v])
    row += v
    row[0].backward()
    assert [x.data for x in row] == [3.0, 4.0]
    assert v.grad == 1.0


def test_signatures_of_ufuncs_are_what_these_tests_call():
    """An argument that a later NumPy gives its ufuncs is to be added above."""
    known = {
        "out",
        "where",
        "casting",
        "order",
        "dtype",
        "subok",
        "signature",
        "axes",
        "axis",
        "keepdims",
        "extobj",
        "sig",
    }
    try:
        names = {p.name for p in inspect.signature(np.add).parameters.values() if p.kind is p.KEYWORD_ONLY}
    except ValueError:  # of an older NumPy, which does not tell
        return
    assert names <= known


def test_numbers_of_numpys_have_a_dtype_of_their_own():
    """Python's are weak: they take the dtype of the array beside them."""
    row = np.array([0.5, 2.0, 3.0])
    for dtype in (np.float16, np.float32, np.float64):
        array = np.array([1.5, -0.25, 3.0], dtype)
        for number in (2, 2.0, True, *(kind(2) for kind in (np.float16, np.float32, np.float64, np.int8, np.int64))):
            for f in (
                *(op for op in (operator.add, operator.mul, operator.truediv, operator.mod)),
                # Before NumPy 2.3 its own ** did not always ask for the dtype of the exponent.
                lambda x, n: np.power(x, n) if isinstance(x, np.ndarray) else x**n,
                lambda x, n: np.power(n, x) if isinstance(x, np.ndarray) else n**x,
                lambda x, n: np.clip(x, n, row.astype(np.float32)),
                lambda x, n: np.clip(x, -row.astype(np.float16), n),
                lambda x, n: np.clip(x, n, n),
                np.maximum,
            ):
                with np.errstate(all="ignore"):
                    expected, result = f(array, number), f(ag.Tensor(array), number)
                assert result.dtype == expected.dtype, (dtype, repr(number))
                np.testing.assert_allclose(result.data, expected, rtol=4 * np.finfo(expected.dtype).eps)
