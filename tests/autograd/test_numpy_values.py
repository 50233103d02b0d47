"""To NumPy a Value is an array of shape (), and a list of Values an array of objects; a first hour's ways between both."""

import math
import operator

import numpy as np
import pytest

import autograd as ag
from autograd.numpy_protocol import FUNCTIONS, PLAIN_FUNCTIONS
from tests.numpy_rows import ROWS, In

inf, nan = math.inf, math.nan
A, B = 2.5, -1.25
X = np.array([[0.5, 1.5, 2.5], [3.5, 4.5, 5.5]])


def numbers(x):
    """What is in a result, as floats."""
    array = np.asarray(x.data if isinstance(x, ag.Node) else x)
    return np.vectorize(lambda v: float(v.data) if isinstance(v, ag.Node) else float(v), otypes=[float])(array)


def test_a_value_has_the_attributes_of_an_array_of_one_number():
    v = ag.Value(A)
    assert (v.shape, v.ndim, v.size, np.shape(v), np.ndim(v), np.size(v)) == ((), 0, 1, (), 0, 1)
    assert v.dtype == np.float64 == v.dtype
    assert np.zeros(2, dtype=v.dtype).dtype is np.dtype(float)
    assert np.finfo(v.dtype).eps == np.finfo(float).eps
    assert (v.dtype.kind, repr(v.dtype), hash(v.dtype)) == ("f", "dtype('float64')", hash(np.dtype(float)))
    assert v.T is v


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_functions_of_a_value_give_what_they_give_of_a_number(function):
    for row in ROWS:
        if (
            row.function is function
            and row.args
            and isinstance(row.args[0], In)
            and row.args[0] == In(())
            and not row.refused
        ):
            kwargs = {key: x for key, x in row.kwargs.items() if not isinstance(x, In)}
            args = [x for x in row.args[1:] if not isinstance(x, In)]
            try:
                expected = function(np.array(A), *args, **kwargs)
            except Exception as error:
                with pytest.raises((type(error), TypeError, ValueError, IndexError)):
                    function(ag.Value(A), *args, **kwargs)
                continue
            result = function(ag.Value(A), *args, **kwargs)
            parts = zip(*((x if isinstance(x, tuple) else (x,)) for x in (result, expected)), strict=True)
            for x, y in parts:
                np.testing.assert_allclose(numbers(x), y, rtol=1e-15, err_msg=str(row))
                assert np.shape(x) == np.shape(y), row


@pytest.mark.parametrize(
    "f",
    [
        np.sum, np.mean, np.average, np.max, np.min, np.prod, np.ptp, np.var, np.std, np.linalg.norm, np.nan_to_num,
        np.copy, lambda v: np.clip(v, 0.0, 9.0), lambda v: np.where(v > 0, v, -v), lambda v: np.var(v, ddof=0),
        lambda v: np.mean(v, keepdims=True), lambda v: np.sum(v, initial=1.0), lambda v: np.clip(v, min=9.0),
    ],
)  # fmt: skip
def test_functions_of_a_value_have_derivatives(f):
    v = ag.Value(A)
    result = f(v)
    assert numbers(result) == pytest.approx(f(np.array(A)))
    result.sum().backward() if isinstance(result, ag.Tensor) else result.backward()
    slope = (numbers(f(np.array(A + 1e-6))) - numbers(f(np.array(A - 1e-6)))) / 2e-6
    assert v.grad == pytest.approx(float(np.sum(slope)), abs=1e-6)


def test_the_bounds_of_clip_split_the_slope_of_a_value_as_of_a_tensor():
    for bound in (0.0, 1.0):
        v, t = ag.Value(bound), ag.Tensor(bound)
        np.clip(v, 0, 1).backward()
        np.clip(t, 0, 1).backward()
        assert v.grad == t.grad == 0.5


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")  # from NumPy 2.5, of its own function
@pytest.mark.parametrize("function", sorted(PLAIN_FUNCTIONS, key=lambda f: f.__name__), ids=lambda f: f.__name__)
def test_what_has_no_derivative_is_no_node_of_a_value_either(function):
    more = {
        np.searchsorted: ([0.0, 1.0],),
        np.digitize: ([0.0, 1.0],),
        np.can_cast: (np.float32, "unsafe"),
        np.argpartition: (0,),
    }.get(function)
    if function is np.empty_like:
        assert function(ag.Value(A)).shape == ()
        return
    if function in (
        np.isclose,
        np.allclose,
        np.array_equal,
        np.array_equiv,
        np.isin,
        np.shares_memory,
        np.may_share_memory,
    ):
        more = (A,)
    given = (ag.Value(A), *(more or ())) if function is not np.searchsorted else (*more, ag.Value(A))
    plain = tuple(x.numpy() if isinstance(x, ag.Value) else x for x in given)
    try:
        expected = function(*plain)
    except Exception:
        with pytest.raises((TypeError, ValueError)):
            function(*given)
        return
    result = function(*given)
    assert not isinstance(result, ag.Node)
    assert np.array_equal(result, expected)


@pytest.mark.parametrize(
    "f",
    [
        np.sum, np.mean, np.var, np.std, np.max, np.min, np.prod, np.ptp, np.cumsum, np.diff, np.sort, np.median,
        np.linalg.norm, np.ravel, np.flip, lambda x: np.average(x, weights=[1.0, 3.0]), lambda x: np.dot(x, x),
        lambda x: np.einsum("i,i", np.array(x), np.array(x)), lambda x: np.outer(x, x), lambda x: np.mean(x, axis=0),
        lambda x: np.sum(np.array([x, x]), axis=0, keepdims=True), lambda x: np.var(np.array([x, x]), axis=1),
        lambda x: np.stack([x[0], x[1]]), lambda x: np.concatenate([x, x]), lambda x: np.append(x, x[0]),
        lambda x: np.full(2, x[0]), lambda x: np.linspace(0, x[0], 3), lambda x: np.trapezoid(x), lambda x: np.kron(x, x),
        lambda x: np.hypot(np.array(x), 1.0), lambda x: np.clip(np.array(x), -1.0, 9.0), lambda x: np.cross([*x, x[0]], [1, 2, 3]),
    ],
)  # fmt: skip
def test_lists_of_values_are_arrays_of_objects_to_numpy(f):
    values = [ag.Value(A), ag.Value(B)]
    result = f(values)
    np.testing.assert_allclose(numbers(result), f([A, B]), rtol=1e-15)
    total = sum(np.ravel(result).tolist()) if isinstance(result, np.ndarray) else result
    total.backward()
    for v, h in zip(values, ([1e-6, 0.0], [0.0, 1e-6]), strict=True):
        above, below = (np.sum(f([A + s * h[0], B + s * h[1]])) for s in (1, -1))
        assert v.grad == pytest.approx((above - below) / 2e-6, abs=1e-5)


@pytest.mark.parametrize("x", [A, -A, 2.0, -2.0, 0.0, -0.0, inf, -inf, nan, 1e300, 5e-324])
@pytest.mark.parametrize("y", [B, -B, 2.0, 0.0, -0.0, inf, -inf, nan])
def test_division_with_a_remainder_is_numpys_at_every_edge(x, y):
    with np.errstate(all="ignore"):
        expected = np.floor_divide(x, y), np.remainder(x, y)
    for result in (divmod(ag.Value(x), y), divmod(x, ag.Value(y)), (ag.Value(x) // y, ag.Value(x) % y)):
        np.testing.assert_array_equal([numbers(r) for r in result], expected)
    with np.errstate(all="ignore"):
        quotient, rest = divmod(ag.Tensor(x), ag.Tensor(y))
    np.testing.assert_array_equal([quotient, rest.data], expected)


def test_rounding_gives_plain_numbers():
    assert (round(ag.Value(2.567)), round(ag.Value(2.567), 2), np.round(ag.Value(2.567), 1)) == (3, 2.57, 2.6)
    assert type(round(ag.Value(2.5))) is int
    np.testing.assert_array_equal(round(ag.Tensor(X), 0), np.round(X))
    assert round(ag.Tensor(2.567), 2) == 2.57


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne])
def test_a_value_compares_with_arrays(compare):
    for array in (X, X.astype(np.float32), X.astype(int)):
        np.testing.assert_array_equal(compare(ag.Value(A), array), compare(A, array))
        np.testing.assert_array_equal(compare(array, ag.Value(A)), compare(array, A))


# ---- A first hour


@pytest.mark.parametrize("make", [ag.Value, ag.Tensor, lambda x: ag.Tensor(np.float32(x)), lambda x: ag.Value(x) * 1.0])
def test_scalars_of_every_kind_are_formatted(make):
    x = make(2.5)
    assert (f"{x:.3f}", f"{x:8.2e}", format(x, "+.0f"), f"{x}") == ("2.500", "2.50e+00", "+2", str(x))


@pytest.mark.parametrize("shape", [(1,), (2, 3), (0,)])
def test_a_format_of_an_array_says_to_take_an_element(shape):
    with pytest.raises(TypeError, match=r"is for one number, not for shape .*\.item\(\)"):
        f"{ag.Tensor(np.ones(shape)):.3f}"
    assert f"{ag.Tensor(np.ones(shape))}"


def test_item_and_numpy_detach_and_share_nothing():
    t, v = ag.Tensor(X.copy()), ag.Value(A)
    array = t.numpy()
    array[...] = 0.0
    np.testing.assert_array_equal(t.data, X)
    assert type(array) is np.ndarray
    assert (v.numpy().shape, v.numpy().item(), v.item()) == ((), A, A)
    for kind in (ag.Value, ag.Tensor):
        assert "detached" in kind.item.__doc__
        assert "detached" in kind.numpy.__doc__
    assert ag.grad(lambda x: x * x.item())(3.0) == 3.0
    assert ag.grad(lambda x: np.sum(x * x.numpy()))(np.array([3.0])) == 3.0


@pytest.mark.parametrize("ask", ["item", "numpy"])
def test_what_is_being_compiled_has_no_number_to_give(ask):
    with pytest.raises(ag.CompileError, match=rf"\.{ask}\(\).*no number while ag.compile traces"):
        ag.compile(lambda x: x * getattr(x, ask)())(2.0)


class Meaningful(np.ndarray):
    """A subclass, as np.matrix is one, and arrays with units."""


def _changed(change):
    array = np.zeros((2, 3))
    change(array)


@pytest.mark.parametrize(
    ("f", "cure"),
    [
        (lambda t, v: np.array(t), r"\.numpy\(\)"),
        (lambda t, v: np.asarray(t.detach()), r"\.numpy\(\)"),
        (lambda t, v: np.array([t, t]), "ag.stack"),
        (lambda t, v: np.asarray([v, v], float), r"\.item\(\)"),
        (lambda t, v: _changed(lambda a: operator.setitem(a, ..., t)), "ag.index_update"),
        (lambda t, v: _changed(lambda a: operator.setitem(a, 0, t[0])), "ag.index_update"),
        (lambda t, v: _changed(lambda a: operator.setitem(a, (0, 0), v)), r"\.item\(\)"),
        (lambda t, v: _changed(lambda a: operator.iadd(a, t)), r"a = a \+ t"),
        (lambda t, v: _changed(lambda a: operator.imul(a, v)), r"a = a \+ t"),
        (lambda t, v: operator.setitem(t, 0, 1.0), "ag.index_update"),
        (lambda t, v: float(v), r"\.item\(\)"),
        (lambda t, v: math.sin(v), r"\.item\(\).*ag\.sin"),
        (lambda t, v: math.floor(v), r"\.item\(\)"),
        (lambda t, v: math.exp(t[0, 0]), r"\.item\(\)"),
        (lambda t, v: int(v), r"int\(x\.item\(\)\)"),
        (lambda t, v: range(v), r"int\(x\.item\(\)\)"),
        (lambda t, v: [1, 2, 3][t[0, 0]], r"int\(x\.item\(\)\)"),
        (lambda t, v: X[: t[0, 0]], r"int\(x\.item\(\)\)"),
        (lambda t, v: X[t], r"\.numpy\(\)"),
        (lambda t, v: t[t], r"\.numpy\(\)\.astype\(int\)"),
        (lambda t, v: t[v], r"\.numpy\(\)\.astype\(int\)"),
        (lambda t, v: np.median(t), r"\.numpy\(\).*gradients would be zero"),
        (lambda t, v: np.round(X, 1, t), "cannot write into a Tensor"),
        (lambda t, v: t * np.ma.array(X, mask=X > 1), "masks of np.ma.*filled"),
        (lambda t, v: ag.Tensor(np.ma.array(X, mask=X > 1)), "masks of np.ma.*filled"),
        (lambda t, v: np.concatenate([t, np.ma.array(X, mask=X > 1)]), "masks of np.ma.*filled"),
        (lambda t, v: np.where(np.ma.array(X > 1, mask=X > 1), t, 0.0), "masks of np.ma.*filled"),
        (lambda t, v: t[np.ma.array(X > 1, mask=X > 2)], "masks of np.ma.*filled"),
        (lambda t, v: np.einsum("ij,ij", t, np.ma.array(X, mask=X > 1)), "masks of np.ma.*filled"),
        (lambda t, v: t @ X.T.view(Meaningful), "a Meaningful is an array with a meaning of its own.*np.asarray"),
        (lambda t, v: t + np.array([1, 2, 3], dtype=object), "add gives object"),
        (lambda t, v: np.add(t, np.array([v, v, v])), "ag.stack"),
        (lambda t, v: t + np.array(["a", "b", "c"]), "real numbers"),
        (lambda t, v: t + np.ones(3, [("x", float)]), "real numbers"),
        (lambda t, v: np.multiply(t, 1j), "complex128"),
        (lambda t, v: np.einsum("ij,ij", t, X * 1j), "complex128"),
        (lambda t, v: t.sum(0, np.float32), "keepdims must be True or False"),
        (lambda t, v: t.var(0, np.float32), "ddof must be a finite number"),
        (lambda t, v: t.astype(int), r"\.numpy\(\)\.astype\(int64\)"),
    ],
)  # fmt: skip
def test_what_would_detach_or_mean_nothing_names_the_cure(f, cure):
    with pytest.raises(TypeError, match=cure):
        f(ag.Tensor(X), ag.Value(A))


def test_the_protocols_of_sequences():
    t = ag.Tensor(X)
    assert [row.tolist() for row in t] == X.tolist()
    assert (len(t), 1.5 in t, 9.0 in t, t[0, 0] in t) == (2, True, False, True)
    for x in (ag.Tensor(A), ag.Value(A)):
        with pytest.raises(TypeError):
            len(x)
        with pytest.raises(TypeError):
            list(x)
    assert bool(ag.Tensor(1.0))
    assert not bool(ag.Tensor([0.0]))
    with pytest.raises(ValueError, match=r"truth value of a Tensor of shape \(2, 3\) is ambiguous: use .*any\(\)"):
        bool(t)
    assert (t > 1).any()


@pytest.mark.parametrize("key", [2, (0, 3), [0, 5], (..., -4), (slice(None), [3])])
def test_an_index_out_of_range_is_an_index_error(key):
    with pytest.raises(IndexError, match="out of bounds"):
        ag.Tensor(X)[key]
    with pytest.raises(IndexError, match="out of bounds"):
        ag.index_update(ag.Tensor(X), key, 1.0)
    with pytest.raises(IndexError, match="out of bounds"):
        ag.take(ag.Tensor(X), [9])
    with pytest.raises(IndexError, match="out of bounds"):
        ag.take_along_axis(ag.Tensor(X), np.array([[3], [0]]), 1)
