"""Mended errors of bad calls, put back: each turns a test red."""

import numpy as np
import pytest

import autograd as ag
import nn.dependencies
from autograd import arguments
from autograd.arrays import shaping
from tests.bad_calls import Call, outcomes, tally
from tests.mutation import Mutant, check
from tests.nn import test_dependencies


def _sound(function, *args, place=0):
    def test():
        found = [o for o in outcomes(lambda: Call(function, args)) if o.place == place]
        assert set(tally(found)) <= {"right", "ours"}, tally(found)

    return test


def _a_hint_can_be_followed():
    with pytest.MonkeyPatch.context() as monkeypatch:
        test_dependencies.test_a_missing_package_is_named_with_a_command_that_works_anywhere(monkeypatch)


def _what_is_no_function_is_refused_at_once():
    with pytest.raises(TypeError, match="f must be a function, got 'abc'"):
        ag.grad("abc")


def _batches_that_do_not_broadcast_say_so():
    with pytest.raises(ValueError, match="written for single numbers"):
        ag.compile(lambda x, y: x * y, backend="numpy")(np.ones(2), np.ones(3))


MUTANTS = [
    Mutant(
        "the words of NumPy",
        ag.Primitive.__call__,
        "return self.array(*args)\n    except FAILURES as error",
        "return self.array(*args)\n    except () as error",
        _sound(ag.sin, np.ones(2)),
    ),
    Mutant(
        "half an axis is an axis",
        arguments.integers,
        "found = tuple(map(index, members))",
        "found = tuple(int(n) for n in members)",
        _sound(ag.sum, np.ones((2, 2)), 0, place=1),
    ),
    Mutant(
        "another axis than there is",
        shaping.axes_of,
        "raise ValueError(f\"axis {a} is out of bounds for an array of {ndim} dimension{'s' * (ndim != 1)}\")",
        "raise np.exceptions.AxisError(a, ndim)",
        _sound(ag.diagonal, np.ones((2, 2)), 0, 0, 1, place=2),
    ),
    Mutant(
        "a hint that cannot be followed",
        nn.dependencies.missing,
        "pip install {package}",
        "pip install 'chainrule[train]'",
        _a_hint_can_be_followed,
    ),
    Mutant(
        "a derivative of what is no function",
        ag.transforms._named,
        "if not callable(f):",
        "if False:",
        _what_is_no_function_is_refused_at_once,
    ),
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mended_error_put_back_is_noticed(mutant):
    check(mutant)


def test_batch_shapes_that_do_not_broadcast_name_what_the_function_is_written_for():
    _batches_that_do_not_broadcast_say_so()
