"""Operators on both kinds of node, and NumPy's ufuncs, which record the same operations."""

import operator

import numpy as np
import pytest

import autograd as ag
from autograd.graph import value_of
from autograd.numpy_protocol import CONSTANT_UFUNCS, UFUNCS, as_object0d

X = np.array([0.3, 0.6, 0.9])
Y = np.array([0.2, 0.7, 0.4])


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.mod])
def test_tensors_compute_as_arrays_do_on_either_side(op):
    for result in (op(ag.Tensor(X), ag.Tensor(Y)), op(ag.Tensor(X), Y), op(X, ag.Tensor(Y))):
        assert type(result) is ag.Tensor
        np.testing.assert_allclose(result.data, op(X, Y), rtol=1e-15)
    for scalar in (2, 2.0, np.float64(2), np.int64(2), True):
        np.testing.assert_allclose(op(ag.Tensor(X), scalar).data, op(X, float(scalar)), rtol=1e-15)
        np.testing.assert_allclose(op(scalar, ag.Tensor(X)).data, op(float(scalar), X), rtol=1e-15)
    assert ag.gradcheck(op, X + 1, Y + 0.05, order=2)


@pytest.mark.parametrize("op", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne])
def test_comparisons_of_tensors_are_plain_arrays(op):
    for result in (op(ag.Tensor(X), ag.Tensor(Y)), op(ag.Tensor(X), Y), op(X, ag.Tensor(Y)), op(ag.Tensor(X), 0.6)):
        assert type(result) is np.ndarray
        assert result.dtype == bool
    np.testing.assert_array_equal(op(ag.Tensor(X), ag.Tensor(Y)), op(X, Y))


def test_floor_division_of_tensors_is_a_plain_array():
    assert (ag.Tensor([7.0, -7.0]) // 2).tolist() == [3.0, -4.0]
    assert (7.0 // ag.Tensor([2.0])).tolist() == [3.0]


@pytest.mark.parametrize("other", ["a", None, [1.0], {}])
def test_what_is_not_an_array_is_a_type_error(other):
    with pytest.raises(TypeError):
        _ = ag.Tensor([1.0]) + other
    with pytest.raises(TypeError):
        _ = other * ag.Tensor([1.0])


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda ufunc: ufunc.__name__)
@pytest.mark.parametrize("kind", ["Tensor", "Value"])
def test_ufuncs_of_nodes_give_what_they_give_for_arrays(ufunc, kind):
    args = (X, Y)[: ufunc.nin]
    if ufunc is np.arccosh:
        args = (X + 1.5,)
    if kind == "Value":
        if ufunc is np.matmul:
            pytest.skip("of arrays only")
        args = tuple(arg[1] for arg in args)
    result = ufunc(*[ag.Value(arg) if kind == "Value" else ag.Tensor(arg) for arg in args])
    np.testing.assert_allclose(value_of(result), ufunc(*args), rtol=1e-14)


@pytest.mark.parametrize(
    "ufunc", [u for u in UFUNCS if not getattr(UFUNCS[u], "nondifferentiable", False)], ids=lambda u: u.__name__
)
def test_ufuncs_of_nodes_have_the_right_derivatives(ufunc):
    args = (X + 1.5, Y + 1.05)[: ufunc.nin]
    if ufunc in (np.arcsin, np.arccos, np.arctanh):
        args = (X - 0.2,)
    if ufunc is np.heaviside:
        assert type(ufunc(ag.Tensor(X), 0.5)) is np.ndarray
        return
    assert ag.gradcheck(lambda *xs: ufunc(*xs), *args, order=2, trials=1)


@pytest.mark.parametrize("ufunc", [np.fmax, np.fmin])
def test_fmax_and_fmin_pass_over_nan(ufunc):
    x, y = np.array([np.nan, 1.0, 2.0]), np.array([3.0, np.nan, 1.0])
    t, u = ag.Tensor(x), ag.Tensor(y)
    result = ufunc(t, u)
    np.testing.assert_array_equal(result.data, ufunc(x, y))
    result.sum().backward()
    np.testing.assert_array_equal(t.grad + u.grad, [1.0, 1.0, 1.0])


def test_logaddexp_does_not_overflow():
    t = ag.Tensor([1000.0])
    y = np.logaddexp(t, 1000.0)
    y.sum().backward()
    assert y.item() == pytest.approx(1000 + np.log(2))
    assert t.grad.tolist() == [0.5]


@pytest.mark.parametrize("ufunc", sorted(CONSTANT_UFUNCS, key=lambda u: u.__name__), ids=lambda u: u.__name__)
def test_ufuncs_without_a_derivative_give_arrays(ufunc):
    args = (X, Y)[: ufunc.nin]
    result = ufunc(*map(ag.Tensor, args))
    assert type(result) is np.ndarray
    np.testing.assert_array_equal(result, ufunc(*args))


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum], ids=lambda u: u.__name__)
def test_reductions_by_ufuncs_are_reductions(ufunc):
    x = np.array([[1.0, 2.0], [4.0, 3.0]])
    np.testing.assert_allclose(ufunc.reduce(ag.Tensor(x)).data, ufunc.reduce(x))
    np.testing.assert_allclose(
        ufunc.reduce(ag.Tensor(x), axis=1, keepdims=True).data, ufunc.reduce(x, 1, keepdims=True)
    )


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda t: np.sin(t, out=np.zeros(3)), "cannot write a node into an existing array"),
        (lambda t: np.add(np.ones(3), t, out=np.ones(3)), "leave out `out=`"),
        (lambda t: np.sin(t, where=np.array([True, False, True])), "np.sin with where has no rule here"),
        (lambda t: np.add.accumulate(t), "np.add.accumulate has no rule here"),
        (lambda t: np.ldexp(t, 2), "np.ldexp has no rule here: write it with functions"),
        (lambda t: np.spacing.at(t, 0), "np.spacing.at has no rule here"),
    ],
)
def test_ufuncs_without_a_rule_say_so(f, message):
    with pytest.raises(TypeError, match=message):
        f(ag.Tensor(X))


def test_an_array_plus_equals_a_tensor_says_what_to_write():
    a = np.ones(3)
    with pytest.raises(TypeError, match=r"np.add cannot write a node into an existing array.*`a = a \+ t`"):
        a += ag.Tensor(X)
    assert a.tolist() == [1.0, 1.0, 1.0]


def test_the_value_of_a_node_and_its_object_array():
    v = ag.Value(2.0)
    assert value_of(v) == 2.0
    assert value_of("x") == "x"
    assert as_object0d(v).dtype == object
    assert as_object0d(v)[()] is v
    assert as_object0d(1.0) == 1.0
