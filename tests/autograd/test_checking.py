"""`gradcheck`: it passes what is right, finds what is wrong, names it, and knows where nothing can be checked."""

import math

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.graph import Primitive


def faulty(name, *rules):
    return Primitive(
        name, None, lambda *xs: np.multiply(*xs) if len(xs) == 2 else np.sin(xs[0]), *rules, elementwise=True
    )


def test_right_derivatives_pass_and_give_true():
    assert ag.gradcheck(ag.sin, 0.5) is True
    assert ag.gradcheck(lambda x, y: ag.sum(x @ y), np.ones((2, 3)), np.ones((3, 2)), order=3) is True


def test_structures_can_be_checked():
    assert ag.gradcheck(
        lambda t: {"y": t["a"] * t["b"][0], "z": [ag.exp(t["a"])]}, {"a": 0.5, "b": [np.ones(2)]}, order=2
    )


def test_a_transform_can_be_checked():
    assert ag.gradcheck(ag.grad(lambda x: x**4), 1.5, order=2)
    assert ag.gradcheck(ag.hessian(lambda x: ag.sum(x**4)), np.array([0.5, 1.0]))


def test_the_error_names_the_operation_the_argument_and_both_values():
    wrong = faulty("wrong", lambda g, z, x, y: g * y, lambda g, z, x, y: g * x * 1.01)
    with pytest.raises(ag.GradientError) as caught:
        ag.gradcheck(lambda x, y: ag.sum(wrong(x, y) + x), np.ones(3), np.array([1.0, 2.0, 3.0]))
    message = str(caught.value)
    assert "the derivative of wrong (in" in message
    assert "with respect to argument 1 (shape (3,))" in message
    assert "reverse mode" in message
    assert "finite differences" in message


def test_a_wrong_second_derivative_is_found():
    # the rule is right to first order, but hides its dependence on x from the second
    hidden = faulty("hidden", lambda g, z, x: g * np.cos(x._data if isinstance(x, ag.Node) else x))
    assert ag.gradcheck(hidden, np.array([0.5]))
    with pytest.raises(ag.GradientError, match="the gradient of hidden"):
        ag.gradcheck(hidden, np.array([0.5]), order=2)


def test_a_zero_gradient_is_found_however_small_the_slope():
    zero = faulty("zero", lambda g, z, x: g * 0.0)
    for scale in (1e-6, 1.0, 1e6):
        with pytest.raises(ag.GradientError):
            ag.gradcheck(lambda x, scale=scale: zero(x) * scale, np.array([0.5, 0.7]))


def test_a_transposed_cotangent_is_found():
    transposed = Primitive("transposed", None, lambda x: np.sin(x), lambda g, z, x: g.T * ag.cos(x))
    with pytest.raises(ag.GradientError):
        ag.gradcheck(transposed, np.array([[0.1, 0.2], [0.3, 0.4]]))


def test_a_rule_that_is_wrong_in_one_element_of_many_is_found():
    mask = np.ones(50)
    mask[17] = 1.01
    off = faulty("off", lambda g, z, x: g * ag.cos(x) * mask)
    with pytest.raises(ag.GradientError):
        ag.gradcheck(off, np.linspace(0.1, 1.0, 50))


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (ag.abs, 0.0),
        (ag.relu, 0.0),
        (lambda x: ag.maximum(x, 1.0), 1.0),
        (lambda x: ag.abs(ag.sin(x) - 0.5), np.pi / 6),
        (lambda x: ag.max(x), np.array([1.0, 1.0])),
        (ag.norm, np.zeros(2)),
    ],
)
def test_kinks_are_told_from_errors(f, x):
    with pytest.raises(ag.KinkError):
        ag.gradcheck(f, x)


def test_a_point_where_the_function_is_not_finite_is_told():
    with pytest.raises(ag.KinkError, match="not finite at or near the point"):
        ag.gradcheck(ag.log, -1.0)


def test_a_kink_error_is_a_gradient_error_and_that_an_assertion():
    assert issubclass(ag.KinkError, ag.GradientError)
    assert issubclass(ag.GradientError, AssertionError)


def test_float32_is_refused():
    with pytest.raises(TypeError, match=r"gradcheck needs float64: .* pass x.astype\(float\)"):
        ag.gradcheck(ag.sin, np.float32([0.5]))


@pytest.mark.parametrize("x", [1j, "a", np.array(["a"])])
def test_what_is_not_real_is_refused(x):
    with pytest.raises(TypeError, match="gradcheck needs real numbers"):
        ag.gradcheck(ag.sin, x)


def test_integers_are_taken_as_floats():
    assert ag.gradcheck(lambda x, y: x * y, 2, np.array([1, 2]))


def test_the_check_is_the_same_on_every_run():
    calls = []

    def f(x):
        calls.append(float(np.sum(x.data if isinstance(x, ag.Node) else x)))
        return ag.sin(x)

    ag.gradcheck(f, 0.5, seed=3)
    first, calls = calls, []
    ag.gradcheck(f, 0.5, seed=3)
    assert calls[: len(first)] == first


@pytest.mark.parametrize("scale", [1e-8, 1e-3, 1.0, 1e4, 1e8])
def test_the_scale_of_the_output_does_not_matter(scale):
    assert ag.gradcheck(lambda x: ag.sin(x) * scale, 0.5)


@pytest.mark.parametrize("x", [1e-3, 1.0, 30.0])
def test_the_scale_of_the_input_matters_little(x):
    assert ag.gradcheck(lambda x: ag.exp(-x) * x, x)
    assert ag.gradcheck(ag.sin, x, order=2)


def test_modules_are_checked_as_their_arrays():
    model = nn.Linear(2, 1, dtype=float, rng=0)
    x = np.array([[0.5, -1.0]])
    assert ag.gradcheck(lambda m, x: ag.sum(ag.tanh(m(x))), model, x, order=2)
    assert ag.gradcheck(lambda m: m([0.5, 2.0]) * m([1.0, 1.0]), nn.scalar.MLP(2, [1], rng=0), order=2)
    off = faulty("off", lambda g, z, x: g * 1.01 * ag.cos(x))
    with pytest.raises(ag.GradientError, match="off"):
        ag.gradcheck(lambda m: ag.sum(off(m(x))), model)
    with pytest.raises(TypeError, match="gradcheck needs float64"):
        ag.gradcheck(lambda m: ag.sum(m(x)), nn.Linear(2, 1))


@pytest.mark.parametrize("order", [math.inf, math.nan, 0, -1, 1.5, "2", None, 1j, 1000])
def test_orders_that_are_none(order):
    with pytest.raises((TypeError, ValueError), match="gradcheck: order must be an integer from 1 to 8, got"):
        ag.gradcheck(ag.sin, 0.5, order=order)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"rtol": -1.0}, "rtol"),
        ({"rtol": math.nan}, "rtol"),
        ({"rtol": math.inf}, "rtol"),
        ({"rtol": 1.0}, "rtol"),
        ({"trials": 0}, "trials"),
        ({"seed": -1}, "seed"),
    ],
)
def test_settings_that_would_check_nothing(settings, name):
    with pytest.raises(ValueError, match=f"gradcheck: {name} must be"):
        ag.gradcheck(ag.sin, 0.5, **settings)
