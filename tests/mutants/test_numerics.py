"""Mended errors of numbers, put back: sums, norms, slopes in their tails."""

import numpy as np
import pytest

from autograd.arrays import norms, reductions, sums
from autograd.elementwise import ELEMENTWISE
from tests.autograd.arrays import test_sums
from tests.mutation import Mutant, check


def slope(name, rule):
    """The operation `name` with an older rule."""

    def apply(monkeypatch):
        op = ELEMENTWISE[name]
        monkeypatch.setattr(op, "rules", (rule,))
        monkeypatch.setattr(op, "dx", rule)

    return apply


def steps_of_numpy(monkeypatch):
    """Every sum is NumPy's own."""
    monkeypatch.setattr(sums, "_steps", lambda shape, strides, dtype, axis: (lambda x: sums._add(x, axis),))


MUTANTS = [
    Mutant("sums down the first axis add naively", steps_of_numpy, "", "", test_sums.test_float16_neither_stands_still_nor_overflows_on_the_way),
    Mutant("squares overflow", norms.euclidean, "if safe else", "if True else", test_sums.test_the_norm_of_gradients_neither_overflows_nor_adds_naively),
    Mutant("squares of float16 overflow", sums.widened, "x.dtype == _half", "False", lambda: test_sums.test_sums_inside_losses_and_layers_are_exact(np.float16)),
    Mutant("a mean over more than 65504", reductions.over, "count <= 65504", "True", test_sums.test_float16_neither_stands_still_nor_overflows_on_the_way),
    Mutant("asin'' near 0", slope("cosquare", lambda g, z, x: g * (1.0 - x) - g * (1.0 + x)), "", "", lambda: test_sums.test_second_derivatives_in_the_tails("asin")),
    Mutant("ELU in its tail", slope("expm1", lambda g, z, x: g * (z + 1.0)), "", "", lambda: test_sums.test_second_derivatives_in_the_tails("elu")),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_error_put_back_is_seen(mutant):
    check(mutant)
