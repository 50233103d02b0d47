"""`detect_anomaly`: the first value that is not finite, by operation, operands, line and cure."""

import numpy as np
import pytest

import autograd as ag


@pytest.fixture(autouse=True)
def _quiet_numpy():
    with np.errstate(all="ignore"):
        yield


def message_of(f):
    with pytest.raises(FloatingPointError) as caught, ag.detect_anomaly():
        f()
    return str(caught.value)


def test_it_names_the_operation_the_operands_the_line_and_the_cure():
    x = ag.Value(0.0, label="x")
    message = message_of(lambda: 1.0 + ag.log(x) * 2.0)
    assert message.startswith("log gave -inf")
    assert "operands: Value x 0.0" in message
    assert "test_anomaly.py" in message
    assert "1.0 + ag.log(x) * 2.0" in message
    assert "hint: keep the argument above 0" in message


def test_it_describes_arrays_by_their_extent():
    x = ag.Tensor([1.0, 0.0, -1.0])
    message = message_of(lambda: ag.log(x))
    assert "log gave an array of shape (3,)" in message
    assert "2 of 3 not finite" in message


def test_it_finds_the_first_in_forward_order():
    x = ag.Value(1000.0)
    message = message_of(lambda: ag.log(ag.exp(x) - ag.exp(x)))
    assert message.startswith("exp gave inf")


@pytest.mark.parametrize(
    ("f", "x", "name"),
    [
        (lambda x: 1.0 / x, 0.0, "div"),
        (lambda x: x**0.5, -1.0, "power"),
        (ag.sqrt, -1.0, "sqrt"),
        (ag.asin, 2.0, "asin"),
        (ag.acosh, 0.0, "acosh"),
        (ag.atanh, 1.0, "atanh"),
        (ag.log1p, -1.0, "log1p"),
        (ag.expm1, 1000.0, "expm1"),
        (lambda x: x * x, 1e200, "mul"),
    ],
)
@pytest.mark.parametrize("kind", [ag.Value, lambda x: ag.Tensor([x])], ids=["Value", "Tensor"])
def test_every_such_operation_is_named_with_a_cure(f, x, name, kind):
    message = message_of(lambda: f(kind(x)))
    assert message.startswith(f"{name} gave ")
    assert "hint: " in message


def test_a_derivative_that_is_not_finite_is_found_where_it_arose():
    x = ag.Value(0.0, label="x")

    def f():
        y = ag.sqrt(x) * 3.0
        (y + 1.0).backward()

    message = message_of(f)
    assert message.startswith("sqrt gave 0.0, but its derivative is inf")
    assert "ag.sqrt(x) * 3.0" in message
    assert "slope is infinite" in message


def test_a_derivative_of_a_graph_that_was_recorded_before():
    x = ag.Tensor([0.0, 1.0])
    y = ag.sqrt(x).sum()
    assert "(not recorded here)" in message_of(y.backward)


def test_reductions_are_named_with_their_axis_and_cured_by_their_name():
    x = ag.Tensor([[1e308, 1e308]])
    assert message_of(lambda: ag.sum(x, axis=1)).startswith("sum(axis=1) gave ")


def test_finite_computations_pass():
    with ag.detect_anomaly():
        x = ag.Value(2.0)
        y = ag.log(x) * ag.Tensor([1.0, 2.0])
        y.sum().backward()
        assert ag.grad(ag.grad(ag.exp))(1.0) == pytest.approx(np.e)
    assert x.grad == pytest.approx(1.5)


def test_it_ends_with_its_block():
    with ag.detect_anomaly():
        pass
    assert ag.log(ag.Value(0.0)).data == -np.inf
