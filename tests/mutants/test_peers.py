"""Errors that comparisons with other libraries showed, put back one by one."""

import math

import numpy as np
import pytest

import autograd as ag
from autograd import elementwise, numpy_protocol
from autograd.arrays import reductions
from autograd.graph import factors
from autograd.operators import Operators
from tests.autograd import test_conventions as conventions
from tests.autograd import test_elementwise as elements
from tests.autograd import test_numpy_functions as functions
from tests.autograd import test_numpy_ufuncs as ufuncs
from tests.autograd.arrays import test_reductions as products
from tests.mutation import Mutant, check
from tests.rules import put_rules


def slope(name):
    row = next(case[1:] for case in conventions.KINKS if case[0] == name)

    def test():
        with np.errstate(all="ignore"):
            conventions.test_slopes_at_kinks(*row, ag.Value)

    return test


def nonzero(x):
    return elementwise.where(x, x, 1.0)


def zero_to_a_negative_power(patch):
    by_x, _ = elementwise.power.rules
    put_rules(patch, elementwise.power, by_x, factors(lambda z, x, y: (z, elementwise.log(nonzero(x)))))


def product_by_halves(patch):
    def halves(x):
        while (n := len(x)) > 1:
            x = np.concatenate([x[: n // 2] * x[n // 2 : 2 * (n // 2)], x[n - n % 2 :]])
        return x[0]

    patch.setattr(reductions._prod(None, False), "array", halves)


def made_up(patch):
    patch.setattr(reductions, "ratio", lambda x, y: elementwise.where(y, x / nonzero(y), 0.0))


def hypot_of_any(patch):
    patch.setattr(elementwise.hypot, "scalar", math.hypot)


MUTANTS = [
    Mutant("a product in another order", product_by_halves, "", "", lambda: products.test_a_product_overflows_where_numpys_does([1e200, 1e-200, 1e200, 1e-200], np.float64)),
    Mutant("a product of float16 in float16", product_by_halves, "", "", lambda: products.test_a_product_overflows_where_numpys_does([60000.0, 60000.0, 0.0], np.float16)),
    Mutant("out by position", numpy_protocol.FUNCTIONS[np.dot], "len(args) > place", "False", lambda: functions.test_out_is_refused_by_name(np.dot)),
    Mutant("a Hessian made up", made_up, "", "", lambda: products.test_second_derivatives_of_norms_are_none_where_their_slopes_are_a_convention(0.5)),
    Mutant("hypot of one number", hypot_of_any, "", "", lambda: elements.test_an_operation_of_two_numbers_takes_no_fewer("hypot")),
    Mutant("0**-1 flat", zero_to_a_negative_power, "", "", slope("0**y where y < 0")),
    Mutant("a square in the tensor's dtype", Operators.__pow__, "type(other) is float", "isinstance(other, float)", ufuncs.test_numbers_of_numpys_have_a_dtype_of_their_own),
    Mutant("a bound in the tensor's dtype", elementwise.clip, "type(low) in WEAK", "isinstance(low, WEAK)", ufuncs.test_numbers_of_numpys_have_a_dtype_of_their_own),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_an_error_that_was_mended_is_caught(mutant):
    check(mutant)
