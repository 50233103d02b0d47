"""`@ag.primitive`: operations of the user's own, in every mode, and what is said where a rule is missing."""

import math

import numpy as np
import pytest

import autograd as ag


@ag.primitive
def cube(x):
    return x * x * x


@cube.rule
def _(g, z, x):
    return g * 3 * x * x


@ag.primitive
def weighted(x, y):
    return x * np.sin(y)


weighted.rule(lambda g, z, x, y: g * ag.sin(y))
weighted.rule(lambda g, z, x, y: g * x * ag.cos(y))


def test_it_computes_and_differentiates_numbers_arrays_values_and_tensors():
    assert cube(2.0) == 8.0
    assert cube(np.array([1.0, 2.0])).tolist() == [1.0, 8.0]
    for kind in (ag.Value, ag.Tensor):
        x = kind(2.0)
        cube(x).backward()
        assert float(x.grad) == 12.0
    assert ag.grad(ag.grad(ag.grad(cube)))(2.0) == 6.0


def test_it_passes_the_gradient_check_in_both_modes():
    assert ag.gradcheck(cube, 1.5, order=3)
    assert ag.gradcheck(weighted, np.array([0.5, 1.0]), np.array([[0.3], [0.6]]), order=2)


def test_rules_may_be_given_at_once():
    double = ag.primitive(lambda x: 2 * x, lambda g, z, x: 2 * g)
    assert ag.grad(double)(1.0) == 2.0
    sine = ag.primitive(np.sin, lambda g, z, x: g * ag.cos(x), elementwise=True)
    assert ag.jvp(sine, 0.5, 1.0) == (math.sin(0.5), math.cos(0.5))
    assert sine.name == "sin"


def test_none_stands_for_a_derivative_of_zero():
    stop = ag.primitive(lambda x, y: x * y, lambda g, z, x, y: g * y, None)
    assert ag.grad(stop, argnums=(0, 1))(2.0, 3.0) == (3.0, 0.0)


def test_an_operation_on_whole_arrays():
    total = ag.primitive(lambda x: np.sum(x * x), lambda g, z, x: 2 * g * x)
    assert ag.gradcheck(total, np.array([[1.0, 2.0], [3.0, 4.0]]), order=2)
    assert total(ag.Tensor([1.0, 2.0])).shape == ()


def test_an_operation_that_is_not_elementwise_has_a_tangent():
    swap = ag.primitive(lambda x: x[::-1], lambda g, z, x: g[::-1])
    assert ag.jvp(swap, np.array([1.0, 2.0]), np.array([10.0, 20.0]))[1].tolist() == [20.0, 10.0]


def test_a_missing_rule_says_how_to_add_it_and_only_where_it_is_needed():
    @ag.primitive
    def product(x, y):
        return x * y

    product.rule(lambda g, z, x, y: g * y)
    assert ag.grad(product)(2.0, 3.0) == 3.0
    with pytest.raises(
        NotImplementedError, match=r"product has no derivative for argument 1: add it with @product.rule"
    ):
        ag.grad(product, argnums=1)(2.0, 3.0)


def test_a_rule_too_many_is_refused():
    with pytest.raises(TypeError, match="cube has 1 arguments, and a rule for each already"):
        cube.rule(lambda g, z, x: g)


def test_what_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="primitive needs the function that computes the operation, got 3"):
        ag.primitive(3)


def test_exceptions_of_pythons_arithmetic_become_those_of_ieee():
    inverse = ag.primitive(lambda x: 1 / x, lambda g, z, x: -g * z * z)
    assert inverse(0.0) == math.inf
    assert inverse(ag.Value(0.0)).data == math.inf


def test_an_error_of_the_users_function_is_the_users():
    @ag.primitive
    def picky(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        picky(ag.Value(1.0))
