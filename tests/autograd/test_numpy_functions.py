"""NumPy's own functions, called on tensors: they differentiate, or give plain arrays, or say what to do instead.

Every function with a rule is called as the rows of `tests/numpy_rows.py` say, on tensors and on arrays.
"""

import inspect
import warnings
from collections import defaultdict

import numpy as np
import pytest

import autograd as ag
from autograd.numpy_protocol import FUNCTIONS, PLAIN_FUNCTIONS
from tests.numpy_rows import ROWS, In

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]])
DTYPES = (np.float64, np.float16, np.float32, np.longdouble)
WIDER = {np.float16: np.float64, np.float32: np.float64, np.float64: np.longdouble, np.longdouble: np.longdouble}
PRODUCTS = {np.dot, np.vdot, np.inner, np.tensordot, np.einsum}  # which add in an order that memory decides


def signature(function):
    """The signature, or None for those written in C, whose signature older versions of NumPy do not tell."""
    try:
        return inspect.signature(function)
    except ValueError:
        return None


def is_known(row):
    known = signature(row.function)
    if known is None or any(p.kind is p.VAR_KEYWORD for p in known.parameters.values()):
        return True
    return set(row.kwargs) <= set(known.parameters)


BY_FUNCTION = defaultdict(list)
for _row in filter(is_known, ROWS):
    BY_FUNCTION[_row.function].append(_row)

every_function = pytest.mark.parametrize("function", BY_FUNCTION, ids=lambda f: f.__name__)


def filled(x, arrays):
    """`x`, with an array for each `In` within."""
    if isinstance(x, In):
        return next(arrays)
    if isinstance(x, (list, tuple)):
        return type(x)(filled(v, arrays) for v in x)
    if isinstance(x, dict):
        return {key: filled(v, arrays) for key, v in x.items()}
    return x


def inputs_of(x):
    if isinstance(x, In):
        yield x
    elif isinstance(x, (list, tuple, dict)):
        for v in x.values() if isinstance(x, dict) else x:
            yield from inputs_of(v)


def called(function, args, kwargs, arrays):
    """The result, or the exception."""
    arrays = iter(arrays)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of empty means and the like, of its arrays and ours
        try:
            return function(*filled(args, arrays), **filled(kwargs, arrays))
        except Exception as error:
            return error


def parts(result):
    return list(result) if isinstance(result, (list, tuple)) else [result]


def value(x):
    return np.asarray(x.data if isinstance(x, ag.Node) else x)


def mismatch(result, expected, exact, largest=False):
    """What is wrong with `result`, in words; None if it is within 4 ulps (of the `largest` element) of NumPy's, or as
    near as that to the exact result."""
    if isinstance(expected, Exception):
        return None if isinstance(result, Exception) else f"gives {result}, where NumPy raises {expected!r}"
    if isinstance(result, Exception):
        return f"raises {result!r}"
    if isinstance(expected, (list, tuple)) and type(result) is not type(expected):
        return f"gives a {type(result).__name__}, NumPy a {type(expected).__name__}"
    if len(parts(result)) != len(parts(expected)):
        return "gives another number of results"
    for x, y, z in zip(map(value, parts(result)), map(value, parts(expected)), map(value, parts(exact)), strict=True):
        if (x.shape, x.dtype) != (y.shape, y.dtype):
            return f"gives {x.dtype} of shape {x.shape}, NumPy {y.dtype} of shape {y.shape}"
        with np.errstate(all="ignore"):
            near = (x == y) | (np.isnan(x) & np.isnan(y))
            if y.dtype.kind == "f":
                near |= np.abs(x - y) <= 4 * np.spacing(np.max(np.abs(y), initial=0) if largest else np.abs(y))
                near |= np.abs(x - z) <= np.abs(y - z)
        if not near.all():
            return f"gives {x}, NumPy {y}, exactly {z}"
    return None


def wider(x, dtype):
    """`x`, with the precision `dtype` in place of whatever it says."""
    if isinstance(x, (list, tuple)):
        return type(x)(wider(v, dtype) for v in x)
    return dtype if isinstance(x, type) and issubclass(x, np.floating) else x


def checked(row, args, kwargs, dtype, laid_out=np.asarray):
    """Assert that tensors give what arrays of a dtype give; return that, or None where both raise."""
    arrays = [laid_out(x.make(seed).astype(dtype)) for seed, x in enumerate(inputs_of((args, kwargs)))]
    result = called(row.function, args, kwargs, [ag.Tensor(x) for x in arrays])
    if row.refused:
        assert isinstance(result, TypeError), f"{row}: {result}"
        assert row.name in str(result) or row.function.__name__ in str(result), f"{row}: {result}"
        assert row.refused in str(result), f"{row}: {result}"
        return None
    expected = called(row.function, args, kwargs, arrays)
    wide = WIDER[dtype]
    precise = {key: wider(x, wide) for key, x in kwargs.items()}
    exact = called(row.function, wider(args, wide), precise, [x.astype(wide) for x in arrays])
    if isinstance(exact, Exception):  # some are not for all dtypes
        exact = expected
    problem = mismatch(result, expected, exact, row.function in PRODUCTS)
    assert not problem, f"{row} of {np.dtype(dtype)} {problem}"
    return None if isinstance(expected, Exception) else expected


def test_every_function_with_a_rule_has_rows():
    assert {function.__name__ for function in set(FUNCTIONS) - set(BY_FUNCTION)} == set()


def test_every_argument_of_every_function_occurs_by_name():
    missing = []
    for function, rows in BY_FUNCTION.items():
        known = signature(function)
        for p in known.parameters.values() if known else ():
            optional = p.default is not p.empty and p.kind is not p.POSITIONAL_ONLY and p.name != "out"
            if optional and not any(p.name in row.kwargs for row in rows):
                missing.append(f"{function.__name__}({p.name}=)")
    assert missing == []


@every_function
def test_tensors_give_what_arrays_give(function):
    for row in BY_FUNCTION[function]:
        for dtype in DTYPES:
            checked(row, row.args, row.kwargs, dtype)
        checked(row, row.args, row.kwargs, np.float64, lambda x: np.repeat(x, 2, -1)[..., ::2] if x.ndim else x)


@every_function
def test_arguments_may_be_given_by_position_and_by_name(function):
    known = signature(function)
    if known is None or any(p.kind is p.VAR_POSITIONAL for p in known.parameters.values()):
        return
    named = [p.name for p in known.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    first = [p.name for p in known.parameters.values() if p.kind is p.POSITIONAL_ONLY]
    for row in BY_FUNCTION[function]:
        given = dict(zip([*first, *named], row.args, strict=False)) | row.kwargs
        checked(
            row,
            tuple(given[n] for n in first if n in given),
            {n: x for n, x in given.items() if n not in first},
            np.float64,
        )
        last = max((k for k, n in enumerate(named) if n in given), default=-1)
        if set(first) <= set(given):
            args = [given[n] if n in given else known.parameters[n].default for n in [*first, *named[: last + 1]]]
            checked(row, tuple(args), {n: x for n, x in given.items() if n not in (*first, *named)}, np.float64)


@every_function
def test_out_is_refused_by_name(function):
    known = signature(function)
    if known is None or "out" not in known.parameters:
        return
    row = next(row for row in BY_FUNCTION[function] if not row.refused)
    arrays = [x.make(0) for x in inputs_of((row.args, row.kwargs))]
    out = np.asarray(called(function, row.args, row.kwargs, arrays))
    calls = [(row.args, row.kwargs | {"out": out})]
    if known.parameters["out"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
        before = [*known.parameters.values()][: [*known.parameters].index("out")]
        args = (*row.args, *(row.kwargs.get(p.name, p.default) for p in before[len(row.args) :]), out)
        calls.append((args, {key: x for key, x in row.kwargs.items() if key not in [p.name for p in before]}))
    for args, kwargs in calls:
        result = called(function, args, kwargs, map(ag.Tensor, arrays))
        assert isinstance(result, TypeError), row
        assert row.name.replace("amax", "max").replace("amin", "min").split(".")[-1] in str(result), row
        assert "out= cannot" in str(result), row


def is_by_memory(row):
    """Whether memory decides about the order of elements: for leaves alone."""
    return any(isinstance(x, str) and x in ("A", "K") for x in (*row.args, row.kwargs.get("order")))


def summed(result, weights):
    """The varying parts of a result, weighted and summed to one number."""
    total = 0.0
    for part, w in zip(parts(result), weights, strict=True):
        if isinstance(part, (ag.Node, np.ndarray, np.floating)):
            total = total + ag.sum(part * w)
    return total


@every_function
def test_derivatives_are_those_of_numpys_function(function):
    """By finite differences of NumPy's function along one direction; and of our own gradients, for the second."""
    rng = np.random.default_rng(0)
    for row in BY_FUNCTION[function]:
        arrays = [x.make(seed) for seed, x in enumerate(inputs_of((row.args, row.kwargs)))]
        expected = called(function, row.args, row.kwargs, arrays)
        if row.refused or isinstance(expected, Exception) or is_by_memory(row) or "newshape" in row.kwargs:
            continue  # the last is deprecated, of which older versions of NumPy warn
        if any(np.asarray(p).dtype != float for p in parts(expected)):
            continue  # too coarse to take differences of
        if not all((np.abs(part) < 1e100).all() for part in parts(expected)):
            continue
        if not any(
            isinstance(p, ag.Node) for p in parts(called(function, row.args, row.kwargs, map(ag.Tensor, arrays)))
        ):
            continue
        weights = [rng.normal(size=np.shape(p)) for p in parts(expected)]

        def f(*xs, row=row, weights=weights):
            return summed(function(*filled(row.args, it := iter(xs)), **filled(row.kwargs, it)), weights)

        every = tuple(range(len(arrays)))
        slopes = ag.grad(f, argnums=every)
        directions = [rng.normal(size=np.shape(x)) for x in arrays]
        if row.function is np.linalg.cholesky:  # of symmetric matrices alone
            directions = [d + np.swapaxes(d, -1, -2) for d in directions]

        def moved(h, arrays=arrays, directions=directions):
            return [x + h * d if np.isfinite(x).all() else x for x, d in zip(arrays, directions, strict=True)]

        def along(shares, directions=directions, arrays=arrays):
            return sum(
                np.sum(s * d) for s, d, x in zip(shares, directions, arrays, strict=True) if np.isfinite(x).all()
            )

        h = 1e-5
        numerical = (f(*moved(h)) - f(*moved(-h))) / (2 * h)
        assert along(slopes(*arrays)) == pytest.approx(numerical, rel=1e-5, abs=1e-6), row
        assert all(s.shape == x.shape for s, x in zip(slopes(*arrays), arrays, strict=True)), row
        second = [(p - q) / (2 * h) for p, q in zip(slopes(*moved(h)), slopes(*moved(-h)), strict=True)]
        products = ag.jvp(
            slopes,
            tuple(arrays),
            tuple(d if np.isfinite(x).all() else 0 * d for d, x in zip(directions, arrays, strict=True)),
        )[1]
        for p, q in zip(products, second, strict=True):
            np.testing.assert_allclose(p, q, rtol=1e-4, atol=1e-5, err_msg=str(row))


@pytest.mark.parametrize("function", [np.mean, np.average, np.var, np.std], ids=lambda f: f.__name__)
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_means_of_float16_do_not_overflow(function, axis):
    x = np.random.default_rng(0).normal(300.0, 100.0, (400, 3)).astype(np.float16)
    exact = function(x.astype(float), axis=axis)
    np.testing.assert_allclose(function(ag.Tensor(x), axis=axis).data, exact, rtol=2e-3)
    weights = {"weights": np.abs(x)} if function is np.average else {"where": x > 100}
    exact = function(x.astype(float), axis=axis, **weights)
    np.testing.assert_allclose(function(ag.Tensor(x), axis=axis, **weights).data, exact, rtol=2e-3)


PLAIN_CALLS = [
    lambda x: np.argmax(x, axis=1),
    lambda x: np.argmin(x),
    lambda x: np.argsort(x),
    lambda x: np.shape(x),
    lambda x: np.ndim(x),
    lambda x: np.size(x),
    lambda x: np.floor(x),
    lambda x: np.sign(x),
    lambda x: np.round(x),
    lambda x: np.rint(x),
    lambda x: np.isnan(x),
    lambda x: np.isclose(x, X),
    lambda x: np.allclose(x, X),
    lambda x: np.array_equal(x, X),
    lambda x: np.any(x > 0),
    lambda x: np.all(x),
    lambda x: np.nonzero(x)[0],
    lambda x: np.where(x > 0)[0],
    lambda x: np.count_nonzero(x),
    lambda x: np.zeros_like(x),
    lambda x: np.ones_like(x),
    lambda x: np.searchsorted(np.array([0.0, 1.0]), x),
    lambda x: np.digitize(x, np.array([0.0, 1.0])),
    lambda x: np.result_type(x, np.float32),
    lambda x: np.greater(x, 0.2),
]


@pytest.mark.parametrize("f", PLAIN_CALLS)
def test_what_has_no_derivative_is_no_node(f):
    result = f(ag.Tensor(X))
    assert not isinstance(result, ag.Node)
    np.testing.assert_array_equal(result, f(X))


def test_no_function_is_both_differentiable_and_plain():
    assert set(FUNCTIONS) & PLAIN_FUNCTIONS == set()


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (
            lambda t: np.fft.fft(t),
            r"fft has no rule here: write it with functions that have one, or define an @ag.primitive",
        ),
        (lambda t: np.unique(t), "np.unique has no rule here"),
        (lambda t: np.median(t), "np.median has no rule here"),
        (lambda t: np.linalg.svd(t), "np.linalg.svd has no rule here"),
        (lambda t: np.cross(t, t), "np.cross has no rule here"),
        (lambda t: np.percentile(t, 50), "np.percentile has no rule here"),
        (lambda t: np.interp(t, [0.0], [0.0]), "np.interp has no rule here"),
        (
            lambda t: np.clip(t, 0, 1, where=X > 0),
            "np.clip of a Tensor: its rule got an unexpected keyword argument 'where'",
        ),
        (lambda t: np.round(X, 0, t), "np.round cannot write into a Tensor"),
        (lambda t: np.copyto(np.zeros((2, 3)), t), "np.copyto has no rule here"),
    ],
)
def test_what_has_no_rule_says_so(f, message):
    with pytest.raises(TypeError, match=message):
        f(ag.Tensor(X))


def test_arguments_left_at_none_are_allowed():
    t = ag.Tensor(X)
    assert np.sum(t, axis=None, out=None, dtype=None).item() == pytest.approx(X.sum())
    assert np.max(t, axis=None, initial=np._NoValue).item() == 2.0


def test_a_program_written_for_numpy_differentiates():
    def softmax_loss(w, x, y):
        logits = np.tanh(x @ w)
        logits = logits - np.max(logits, axis=1, keepdims=True)
        log_probabilities = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
        return -np.mean(np.sum(y * log_probabilities, axis=1))

    rng = np.random.default_rng(0)
    w, x, y = rng.normal(size=(3, 4)), rng.normal(size=(5, 3)), np.eye(4)[[0, 1, 2, 3, 1]]
    assert ag.gradcheck(softmax_loss, w, x, y, order=2, trials=1)
    assert softmax_loss(ag.Tensor(w), x, y).item() == pytest.approx(softmax_loss(w, x, y))
