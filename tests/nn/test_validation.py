"""What settings and data may be, and how errors name them."""

import fractions
import math

import numpy as np
import pytest

import autograd as ag
from nn import validation

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("value", [1, 1.5, np.float32(1.5), np.int8(1), np.array(1.5), fractions.Fraction(3, 2)])
def test_real_numbers_of_any_kind_are_numbers(value):
    found = validation.number("SGD", "lr", value, least=0)
    assert type(found) in (int, float)
    assert found == float(value)


@pytest.mark.parametrize(
    "value", [True, np.True_, "0.1", b"1", 1j, np.complex64(1), None, [0.1], np.ones(1), ag.Value(1.0), {}]
)
def test_what_is_no_number_is_a_type_error(value):
    for check in (validation.number, validation.integer):
        with pytest.raises(TypeError, match=r"^SGD: lr must be .*, got "):
            check("SGD", "lr", value)


@pytest.mark.parametrize("value", [NAN, INF, -INF, -1.0, np.float32(NAN), 10**400])
def test_what_is_out_of_bounds_is_a_value_error(value):
    with pytest.raises(ValueError, match=r"^SGD: lr must be a number from 0, got "):
        validation.number("SGD", "lr", value, least=0)


def test_bounds_are_those_that_are_named():
    assert validation.number("o", "x", 0, least=0, most=0) == 0
    assert math.isinf(validation.number("o", "x", INF, infinite=True))
    for bounds, text in (
        ({"above": 0}, "a number above 0"),
        ({"least": 0, "below": 0}, "a number from 0 to below 0"),
        ({"most": -1}, "a number to -1"),
    ):
        with pytest.raises(ValueError, match=f"x must be {text}, got 0"):
            validation.number("o", "x", 0, **bounds)
    with pytest.raises(ValueError, match="a finite number, got nan"):
        validation.number("o", "x", NAN)


@pytest.mark.parametrize("value", [0, 2.5, NAN, 3.0])
def test_integers_are_integers(value):
    with pytest.raises(ValueError, match=f"n must be a positive integer, got {value}"):
        validation.integer("o", "n", value, least=1)
    assert type(validation.integer("o", "n", np.uint8(3), least=1, most=3)) is int


def test_flags_and_choices_take_nothing_else():
    assert validation.flag("o", "bias", np.True_) is True
    for value in (0, "no", np.float32, None):
        with pytest.raises(TypeError, match="bias must be True or False, got"):
            validation.flag("o", "bias", value)
    assert validation.choice("o", "mode", "min", ("min", "max")) == "min"
    with pytest.raises(ValueError, match="'min', 'max', got 'least'"):
        validation.choice("o", "mode", "least", ("min", "max"))
    with pytest.raises(TypeError, match=r"'min', 'max', got \['min'\]"):
        validation.choice("o", "mode", ["min"], ("min", "max"))


@pytest.mark.parametrize("rng", ["a", -1, 1.5, True, [-1], {}, ag.Value(1.0)])
def test_seeds_are_integers_from_0(rng):
    with pytest.raises((TypeError, ValueError), match="moons: rng must be a NumPy generator"):
        validation.generator("moons", rng)
    own = np.random.default_rng(0)
    assert validation.generator("moons", own) is own


@pytest.mark.parametrize("data", [np.ones(2, complex), ["a"], [None], [[1], [1, 2]], [1j]])
def test_data_are_real_numbers(data):
    with pytest.raises(TypeError, match=r"Linear: x must be an array of real numbers, got"):
        validation.real_array("Linear", "x", data)
    assert validation.real_array("Linear", "x", [1, 2], np.float32).dtype == np.float32


def test_errors_stay_short():
    class Odd:
        def __repr__(self):
            raise RuntimeError

    assert validation.shown(Odd()) == "a Odd"
    assert max(len(validation.shown(x)) for x in ("a" * 10**5, list(range(10**5)), np.ones(10**5))) < 200
