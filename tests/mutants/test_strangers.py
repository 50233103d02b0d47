"""Mended errors of the kind that a stranger meets in a first hour, put back: masks, and errors that refused what is right."""

import numpy as np
import pytest

import autograd.linearize
import autograd.tensor
from autograd import arguments, frames, norm
from autograd.arrays import norms
from autograd.compiler import calling
from autograd.compiler.kernel import Kernel
from nn import callbacks, encoding, metrics, state_dicts, training_state
from tests.autograd import test_frames, test_tensor
from tests.autograd.arrays import test_reductions
from tests.autograd.compiler import test_kernel
from tests.mutation import Mutant, check
from tests.nn import test_first_hour, test_training


def dropped(place):
    return lambda: test_first_hour.test_a_mask_is_never_dropped_in_silence(place)


def lines_of(filename):
    def run():
        frames.is_inside.cache_clear()
        try:
            test_frames.test_what_is_the_users(*test_frames.FINDERS["anomaly"], filename)
        finally:
            frames.is_inside.cache_clear()

    return run


MUTANTS = [
    Mutant(
        "a folder whose name begins with autograd was inside",
        frames.is_inside,
        "filename.startswith(_OWN)",
        "filename.startswith(_HERE)",
        lines_of(test_frames.USERS["a folder whose name begins with autograd"]),
    ),
    Mutant(
        "norms lost the imaginary part",
        norms.p_norm,
        'kind.kind not in "fiub"',
        "False",
        lambda: test_reductions.test_a_norm_of_complex_numbers_does_not_lose_a_part_in_silence(norm),
    ),
    Mutant(
        "a copy of a compiled function copied its lock",
        lambda patch: patch.delattr(Kernel, "__deepcopy__"),
        "",
        "",
        test_kernel.test_a_compiled_function_is_copied_as_functions_are,
    ),
    Mutant(
        "data lost their mask",
        arguments.numbers,
        "check_unmasked(owner, name, data)",
        "pass",
        dropped("inputs in batches"),
    ),
    Mutant("no mask was seen", arguments.check_unmasked, "np.ma.is_masked(data)", "False", dropped("labels of a loss")),
    Mutant(
        "a compiled function dropped masks",
        calling.as_array,
        'check_unmasked(name, "an argument", x)',
        "pass",
        dropped("a batch of a compiled function"),
    ),
    Mutant(
        "a metric dropped masks",
        metrics._named,
        "check_unmasked(name, which, x)",
        "pass",
        dropped("labels of a metric"),
    ),
    Mutant(
        "a state dropped masks", state_dicts._converted, "if np.ma.is_masked(data):", "if False:", dropped("a state")
    ),
    Mutant(
        "a file dropped masks",
        lambda patch: patch.setattr(encoding, "check_unmasked", lambda *_: None),
        "",
        "",
        lambda: saved_masked(),
    ),
    Mutant(
        "a tangent dropped masks",
        autograd.linearize.check_real,
        'check_unmasked("a derivative", what, x)',
        "pass",
        dropped("a tangent"),
    ),
    Mutant(
        "a loss that is a function might not learn",
        training_state.check_optimizer,
        "if foreign and (missing or len(foreign) == len(given)):",
        "if foreign:",
        test_training.test_an_optimizer_of_the_whole_model_may_have_parameters_of_a_loss_that_is_a_function_or_of_another_model,
    ),
    Mutant(
        "a second optimizer could have no schedule",
        callbacks.check_schedule,
        "if second & stepped or not second & own:",
        "if True:",
        test_training.test_a_second_optimizer_for_other_parameters_may_have_a_schedule_of_its_own,
    ),
    Mutant(
        "a schedule made for an earlier optimizer was taken",
        callbacks.check_schedule,
        "second & stepped or not",
        "not",
        lambda: test_training.test_a_schedule_of_another_optimizer_is_an_error("the same model"),
    ),
    Mutant(
        "nodes were blamed for any object",
        autograd.tensor._array,
        "array.dtype == object and any(isinstance(member, Node) for member in array.flat)",
        "array.dtype == object",
        test_tensor.test_what_a_tensor_cannot_be_made_of_or_lose_is_said,
    ),
]


def saved_masked():
    with pytest.raises(TypeError, match="masked elements"):
        encoding.encode(np.ma.masked_array([1.0, 2.0], [True, False]), "x", {})


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mended_error_that_is_put_back_is_noticed(mutant):
    check(mutant)
