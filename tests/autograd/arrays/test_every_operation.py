"""Every operation on arrays, from one table: values by NumPy, derivatives by finite differences, dtypes, layouts."""

import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.elementwise import ELEMENTWISE
from autograd.graph import Primitive, ancestors
from autograd.variadic import VARIADIC
from tests.array_rows import CASES
from tests.rules import scaled
from tests.strategies import laid_out

ROOMS = ["shaping", "indexing", "joining", "reductions", "linalg", "convolution", "pooling"]
NOT_OF_ARRAYS = {*ELEMENTWISE, "Node", "Primitive"}

every_case = pytest.mark.parametrize("case", [pytest.param(case, id=f"{i}-{case}") for i, case in enumerate(CASES)])


def test_every_exported_operation_on_arrays_has_a_row():
    rooms = [importlib.import_module(f"autograd.arrays.{room}") for room in ROOMS]
    exported = {
        name
        for name in ag.__all__
        if any(getattr(room, name, None) is getattr(ag, name) for room in rooms) and name not in NOT_OF_ARRAYS
    } | {"mean", *VARIADIC}
    assert exported == {case.name for case in CASES}


@every_case
def test_its_value_is_that_of_numpy(case):
    arrays = case.arrays()
    expected = case.numpys(*arrays)
    for operands in (arrays, [ag.Tensor(x) for x in arrays]):
        result = case.ours(*operands)
        result = result.data if isinstance(result, ag.Tensor) else np.asarray(result)
        assert result.shape == np.shape(expected)
        np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-13)


@every_case
def test_its_derivatives_are_those_of_finite_differences(case):
    assert ag.gradcheck(case.ours, *case.arrays(), order=2, trials=1)


@every_case
def test_float32_stays_float32_and_gradients_agree_with_those_of_float64(case):
    singles = [x.astype(np.float32) for x in case.arrays()]
    narrow, wide = [ag.Tensor(x) for x in singles], [ag.Tensor(x.astype(float)) for x in singles]
    if case.name in {"inv", "solve", "det", "slogdet", "cholesky", "cast"}:  # of these the case itself adds float64
        narrow = [ag.Tensor(x) for x in singles]
    else:
        assert case.ours(*narrow).dtype == np.float32
        assert np.asarray(case.ours(*singles)).dtype == np.float32
    case.ours(*narrow).sum().backward()
    case.ours(*wide).sum().backward()
    for x, y in zip(narrow, wide, strict=True):
        assert x.grad.dtype == np.float32
        assert x.grad.shape == x.shape
        np.testing.assert_allclose(x.grad, y.grad, rtol=1e-4, atol=1e-4)


@every_case
@pytest.mark.parametrize("layout", ["fortran", "strided", "reversed"])
def test_gradients_do_not_depend_on_the_memory_layout(case, layout):
    arrays = case.arrays()
    plain, other = [ag.Tensor(x) for x in arrays], [ag.Tensor(laid_out(x, layout)) for x in arrays]
    y, z = case.ours(*plain), case.ours(*other)
    weights = np.random.default_rng(1).normal(size=y.shape)
    y.backward(weights)
    z.backward(weights)
    for a, b in zip(plain, other, strict=True):
        np.testing.assert_allclose(a.grad, b.grad, rtol=1e-12, atol=1e-12)


@every_case
def test_a_rule_that_is_wrong_by_one_percent_is_found(case):
    arrays = case.arrays()
    output = case.ours(*map(ag.Tensor, arrays))
    if output.size == 0 or all(x.size == 0 for x in arrays):
        pytest.skip("nothing varies")
    operations = [node.op for node in ancestors(output) if node.op is not None]
    assert ag.gradcheck(case.ours, *arrays, trials=1)
    for place, op in enumerate(operations):
        if op.name not in case.insensitive:
            wrong = _with_wrong_rules(case.ours, place)
            with pytest.raises(ag.GradientError, match="finite differences"):
                ag.gradcheck(wrong, *arrays, trials=1)


def _with_wrong_rules(f, place):
    """`f` with the rules of its `place`-th operation times 1.01."""

    def wrong(*xs):
        output = f(*xs)
        if isinstance(output, ag.Tensor) and output.op is not None:
            node = [node for node in ancestors(output) if node.op is not None and node._sequence > xs[-1]._sequence][
                place
            ]
            op = node.op
            rules = map(scaled, op.rules)
            node.op = Primitive(op.name, op.scalar, op.array, *rules, elementwise=op.elementwise)
        return output

    return wrong


@pytest.mark.parametrize(
    "name", ["sum", "prod", "max", "mean", "norm", "logsumexp", "softmax", "cumsum", "sort", "var"]
)
@given(data=st.data())
def test_reductions_over_any_axis_have_the_right_gradient(name, data):
    ndim = data.draw(st.integers(1, 3))
    shape = data.draw(st.tuples(*[st.integers(1, 3)] * ndim))
    axis = data.draw(st.integers(-ndim, ndim - 1) | st.none())
    x = np.random.default_rng(0).permutation(np.linspace(-1, 2, int(np.prod(shape)))).reshape(shape) + 0.01
    if name == "var":
        assert ag.gradcheck(lambda x: ag.var(x, axis), x, trials=1)
    else:
        assert ag.gradcheck(lambda x: getattr(ag, name)(x, axis=axis), x, trials=1)


KEYS = st.one_of(
    st.integers(-3, 2),
    st.slices(3),
    st.just(Ellipsis),
    st.lists(st.integers(-3, 2), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=3, max_size=3).map(np.array),
    st.tuples(st.integers(-3, 2), st.slices(2)),
    st.tuples(st.slices(3), st.lists(st.integers(-2, 1), min_size=1, max_size=3)),
    st.tuples(st.slices(3), st.none(), st.integers(-2, 1)),
)


@given(KEYS)
def test_any_index_has_the_right_gradient(key):
    x = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(ag.index(x, key), x[key])
    t = ag.Tensor(x)
    weights = np.random.default_rng(0).normal(size=x[key].shape)
    (t[key] * weights).sum().backward()
    expected = np.zeros_like(x)
    np.add.at(expected, key, weights)
    np.testing.assert_allclose(t.grad, expected)
