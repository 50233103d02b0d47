"""Mended errors of numbers, put back: sums, norms, slopes in their tails."""

import math

import numpy as np
import pytest

import autograd as ag
from autograd import chain_rule
from autograd.arrays import linalg, norms, pooling, reductions, scattering, singular, sums
from autograd.elementwise import ELEMENTWISE
from autograd.graph import Slope, fraction
from nn.layers import activation
from nn.losses import base
from tests.autograd import test_chain_rule, test_elementwise
from tests.autograd.arrays import test_linalg, test_norms, test_reductions, test_scattering, test_sums, test_windows
from tests.mutation import Mutant, check
from tests.nn import test_losses
from tests.nn.layers import test_activation
from tests.rules import put_rules


def slope(name, function):
    """The operation `name` with an older slope."""
    return lambda monkeypatch: put_rules(monkeypatch, ELEMENTWISE[name], Slope(function))


def steps_of_numpy(monkeypatch):
    """Every sum is NumPy's own."""
    monkeypatch.setattr(sums, "_steps", lambda shape, strides, dtype, axis: (lambda x: sums._add(x, axis),))


def det_by_the_inverse(monkeypatch):
    rule = lambda g, z, x: linalg.expand_dims(g * z, (-2, -1)) * linalg.mT(linalg.inv(x))
    put_rules(monkeypatch, singular.det, rule)


def solve_in_backward(monkeypatch):
    monkeypatch.setattr(linalg._solve, "array", np.linalg.solve)


def sign_by_booleans(monkeypatch):
    monkeypatch.setattr(ELEMENTWISE["sign"], "scalar", lambda x: float((x > 0.0) - (x < 0.0)) if x == x else x)


def quiet(test, *args):
    """The test, with NumPy's warnings off, as it is run in its own room."""
    return np.errstate(all="ignore")(lambda: test(*args))


def flat_at_the_origin(monkeypatch):
    cosine, hypot = ELEMENTWISE["cosine"], ELEMENTWISE["hypot"]
    rest = lambda x, y: ELEMENTWISE["where"](hypot(x, y), hypot(x, y), math.nan)
    slopes = (
        (lambda z, x, y: (cosine(y, x), cosine(y, x), rest(x, y))),
        (lambda z, x, y: (-z, cosine(y, x), rest(x, y))),
    )
    put_rules(monkeypatch, cosine, *map(fraction, slopes))


MUTANTS = [
    Mutant("infinity times a cotangent of zero", chain_rule.product, "if strong and not _is_nonzero(outer) else outer * slope", "if False else outer * slope", quiet(test_chain_rule.test_a_cotangent_of_zero_stays_zero, "factor", math.inf, np.array)),
    Mutant("a cotangent of zero over zero", chain_rule.product, "    if strong and not _is_nonzero(outer):", "    if False:", quiet(test_chain_rule.test_a_cotangent_of_zero_stays_zero, "divisor", 0.0, ag.Value)),
    Mutant("a mask lets nan through", chain_rule.product, "times(slope, outer) if strong else", "outer * slope if strong else", test_chain_rule.test_a_mask_is_strong_on_both_sides),
    Mutant("infinity times a slope of zero in forward mode", chain_rule.tangent_product, "times(strong_mask(product(1.0, slope, kind, strong=True), plain), plain)", "plain", quiet(test_chain_rule.test_a_slope_of_zero_gives_a_tangent_of_zero, "factors", (0.0, 2.0), np.array, math.inf)),
    Mutant("a mixed second derivative of hypot made up", flat_at_the_origin, "", "", lambda: test_reductions.test_where_the_slope_is_a_convention_there_is_no_second_derivative(lambda x: ELEMENTWISE["hypot"](x[0], x[1]))),
    Mutant("the sign of NumPy's scalars", sign_by_booleans, "", "", lambda: test_elementwise.test_on_scalars_of_numpy_it_gives_what_it_gives_on_floats("sign")),
    Mutant("sums down the first axis add naively", steps_of_numpy, "", "", test_sums.test_float16_neither_stands_still_nor_overflows_on_the_way),
    Mutant("squares overflow", norms.euclidean, "if safe else", "if True else", test_norms.test_the_norm_of_gradients_neither_overflows_nor_adds_naively),
    Mutant("squares of float16 overflow", sums.widened, "x.dtype == _half", "False", lambda: test_sums.test_sums_inside_losses_and_layers_are_exact(np.float16)),
    Mutant("a mean over more than 65504", reductions.over, "n <= 65504", "True", test_sums.test_float16_neither_stands_still_nor_overflows_on_the_way),
    Mutant("asin'' near 0", slope("cosquare", lambda z, x: (1.0 - x) - (1.0 + x)), "", "", lambda: test_elementwise.test_second_derivatives_in_the_tails("asin")),
    Mutant("ELU in its tail", slope("expm1", lambda z, x: z + 1.0), "", "", lambda: test_activation.test_tails_keep_their_digits("ELU", float)),
    Mutant("GELU by erf", activation.GELU.forward, "0.5 * x * ag.erfc(x * -math.sqrt(0.5))", "0.5 * x * (1.0 + ag.erf(x * math.sqrt(0.5)))", lambda: test_activation.test_tails_keep_their_digits("GELU", float)),
    Mutant("GELU by tanh", activation.GELU.forward, "x * ag.sigmoid(math.sqrt(8.0 / math.pi) * (x + 0.044715 * (x * x * x)))", "0.5 * x * (1.0 + ag.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * (x * x * x))))", lambda: test_activation.test_tails_keep_their_digits("GELU by tanh", np.float32)),
    Mutant("0 * inf in a divergence", base.mask_unused, "x if finite.all() else ag.where(finite | (value_of(p) != 0.0), x, 0.0)", "x", test_losses.test_a_share_of_zero_costs_nothing_given_as_a_logarithm_too),
    Mutant("scattered sums add naively", scattering.add_at, "<= few or", "<= 1e9 or", test_scattering.test_the_gradient_of_a_frequent_word_is_exact),
    Mutant("einsum adds naively", linalg.einsum, "operands[i] = sum(x, alone)", "operands[i] = np.add.reduce(x, alone)", lambda: test_linalg.test_letters_that_are_summed_alone_are_summed_exactly("ij->j")),
    Mutant("windows add naively", pooling._accumulator, "np.float64 if", "dtype if", lambda: test_windows.test_means_of_large_windows_are_as_exact_as_their_dtype(np.float32)),
    Mutant("det at a singular matrix", det_by_the_inverse, "", "", lambda: test_linalg.test_derivatives_of_the_determinant_are_exact_at_every_rank("rank 1 of 2", float)),
    Mutant("det'' by the inverse", singular._well_inverse, "< 0.01", "< np.inf", lambda: test_linalg.test_derivatives_of_the_determinant_are_exact_at_every_rank("rank 2 but for rounding", float)),
    Mutant("solve fails in backward", solve_in_backward, "", "", test_linalg.test_where_rounding_makes_the_transpose_alone_singular_there_is_no_error_in_backward),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_error_put_back_is_seen(mutant):
    check(mutant)
