"""The chain rule at one operation: every kind of slope, as floats, arrays and nodes, plain and strong."""

import math

import numpy as np
import pytest

import autograd as ag
from autograd.chain_rule import array_contributions, contributions, product, pull, tangent_product, with_ieee
from autograd.elementwise import op
from autograd.graph import Slope, value_of

inf, nan = math.inf, math.nan


@pytest.fixture(autouse=True)
def _quiet_numpy():  # as the traversals have it
    with np.errstate(all="ignore"):
        yield


SLOPES = {  # the value of a slope, its kind, and what a cotangent of 3 makes of it
    "factor": (0.5, 1.5),
    "mask": (True, 3.0),
    "divisor": (4.0, 0.75),
    "factors": ((0.5, 4.0), 6.0),
    "fraction": ((0.5, 4.0, 8.0), 0.75),
}
FORMS = {
    "float": lambda x: x,
    "array": lambda x: np.array([x, x]),
    "float32": lambda x: np.float32([x, x]),
    "Value": ag.Value,
    "Tensor": lambda x: ag.Tensor([x, x]),
}
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@every_form
@pytest.mark.parametrize("strong", [False, True], ids=["plain", "strong"])
@pytest.mark.parametrize("kind", SLOPES)
def test_a_slope_times_a_cotangent_or_a_tangent(kind, strong, form):
    slope, expected = SLOPES[kind]
    for rule in (product, tangent_product):
        result = value_of(rule(form(3.0), slope, kind, strong))
        np.testing.assert_array_equal(result, np.full(np.shape(result), expected))
        assert np.asarray(result).dtype == np.asarray(value_of(form(3.0))).dtype


@every_form
@pytest.mark.parametrize(
    ("kind", "slope"),
    [
        ("factor", inf),
        ("factor", nan),
        ("divisor", 0.0),
        ("divisor", nan),
        ("factors", (inf, 2.0)),
        ("fraction", (2.0, 0.0)),
    ],
)
def test_a_cotangent_of_zero_stays_zero(kind, slope, form):
    result = value_of(product(form(0.0), slope, kind, strong=True))
    np.testing.assert_array_equal(result, np.zeros(np.shape(result)))


@every_form
@pytest.mark.parametrize(
    ("kind", "slope"),
    [("factor", 0.0), ("mask", False), ("divisor", inf), ("factors", (0.0, 2.0)), ("fraction", (2.0, inf))],
)
@pytest.mark.parametrize("tangent", [inf, -inf, nan])
def test_a_slope_of_zero_gives_a_tangent_of_zero(kind, slope, form, tangent):
    result = value_of(tangent_product(form(tangent), slope, kind, strong=True))
    np.testing.assert_array_equal(result, np.zeros(np.shape(result)))


def test_a_mask_is_strong_on_both_sides():
    for outer in (inf, nan):
        assert product(outer, False, "mask", strong=True) == 0.0
    assert product(0.0, True, "mask", strong=True) == 0.0


def test_what_is_neither_zero_stays_what_ieee_says():
    assert math.isnan(product(inf, 0.0, "factor", strong=True))
    assert math.isnan(tangent_product(0.0, inf, "factor", strong=True))
    assert math.isnan(product(nan, 2.0, "factor", strong=True))


def test_no_slope_is_changed_in_place_that_is_an_input_or_the_output():
    x = ag.Tensor(np.linspace(0.5, 1.5, 10_000))
    y = x * 2.0
    for node in (ag.exp(x), x * y, ag.tanh(x), ag.log(x), ag.sqrt(x), ag.maximum(x, y), x / y):
        kept = [np.array(value) for value in (node._data, *node._residuals())]
        g = np.full(x.shape, 0.5)
        fast = array_contributions(node, node.op, g)
        slow = contributions(node, g)
        assert [parent for parent, _ in fast][::-1] == [parent for parent, _ in slow]
        for (_, a), (_, b) in zip(fast[::-1], slow, strict=True):
            np.testing.assert_array_equal(a, b)
        for before, after in zip(kept, (node._data, *node._residuals()), strict=True):
            np.testing.assert_array_equal(before, after)
        assert (g == 0.5).all()


def test_where_pythons_floats_raise_the_answer_is_that_of_numpy():
    assert with_ieee(lambda x: 1.0 / x, 0.0) == inf
    assert with_ieee(lambda x: (x, 1.0 / x), 0.0) == (0.0, inf)
    assert pull(Slope(lambda z, x: 1.0 / x), 2.0, 1.0, (0.0,)) == inf


def test_a_slope_may_divide_by_zero_in_plain_python():
    softsign = op(
        "reciprocal_less_one",
        lambda x: 1 / x - 1,
        lambda x: 1 / x - 1,
        lambda z, x: -1.0 / (x * x),
        otherwise="math.inf",
    )
    try:
        assert ag.grad(softsign)(0.0) == -inf
        assert ag.grad(softsign)(2.0) == -0.25
    finally:
        del ag.elementwise.ELEMENTWISE["reciprocal_less_one"]
