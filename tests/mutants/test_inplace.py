"""Updates that did nothing, constants that changed unnoticed, and Values that became Tensors, put back."""

from functools import partial

import numpy as np
import pytest

from autograd import constants, forward_mode, lifting, reverse_mode, variadic
from autograd.arrays import indexing
from autograd.operators import Updates
from autograd.tensor import Tensor
from autograd.value import Value
from nn import callbacks, lr_finder, module, parameters, scalar, state_dicts, training_state
from nn.optim import clipping, elementwise_optimizer, flat_buffers
from tests.autograd import test_constants, test_updates, test_value, test_variadic
from tests.mutation import Mutant, check
from tests.nn import test_parameters, test_scalar, test_training
from tests.nn.optim import test_optimizer

WATCHED, COPIED = 9_000, 30  # floats
read = test_constants.test_every_operation_that_reads_a_constant_is_right_or_refuses
changed = test_constants.test_a_changed_constant_gives_the_right_derivative_or_an_error
second = test_constants.test_a_second_derivative_is_right_or_refused
argument = test_constants.test_an_argument_of_grad_that_the_function_changes_by_its_own_name_is_right_or_refused
lost = test_parameters.test_what_would_lose_a_parameter_is_an_error

MUTANTS = [
    Mutant("a small constant was the caller's", constants.own, 'array.copy("K") if', "array if",
           partial(read, "user's", (16, 64), False)),
    Mutant("a list as a constant was the caller's", Tensor._record, 'numbers(op.name, "an operand", arg)', "arg",
           test_constants.test_lists_as_constants_may_change),
    Mutant("so was one behind an operator", Tensor._binary, 'b = b.copy("K")', "pass", partial(changed, COPIED, test_constants.fill)),
    Mutant("large constants were not watched", constants.watch, "watched[entry.key] = entry", "pass", partial(changed, WATCHED, test_constants.fill)),
    Mutant("nor in reverse mode", reverse_mode.cotangents, "constants.check(found, since)", "pass",
           partial(changed, WATCHED, test_constants.first)),
    Mutant("nor in forward mode", forward_mode.pushforward, "constants.check(tangents, 0)", "pass",
           partial(test_constants.test_forward_mode_and_pullbacks_are_right_or_refuse, WATCHED)),
    Mutant("an argument of grad was the caller's", lifting.Lifted._input, "constants.own(np.asarray(leaf))", "leaf", partial(argument, COPIED)),
    Mutant("nor was it watched", lifting.Lifted._input, "constants.watch(node, (leaf,))", "pass", partial(argument, WATCHED)),
    Mutant("a traversal that records read what the caller had", Tensor._record,
           "inputs.append(None if flat else read)", "inputs.append(None if flat else arg)",
           partial(second, COPIED, test_constants.SECOND["condition"])),
    Mutant("an element near the start was not watched", constants._samples, "flat[:ENDS].tobytes() + ", "",
           partial(test_constants.test_a_few_elements_of_a_large_array_may_change_unnoticed_and_no_more, 9_000)),
    Mutant("indices were the caller's", indexing.take_along_axis, "np.array(places)", "places",
           partial(test_constants.test_indices_and_labels_may_change_at_any_time, "take_along_axis")),
    Mutant("an update of a parameter bound its name anew",
           lambda patch: patch.setattr(Updates, "_updated", lambda self, op, other: False), "", "",
           partial(test_updates.test_descent_written_with_minus_equals_learns, lambda: scalar.MLP(3, [2, 1], rng=0))),
    Mutant("also where operations are recorded", Updates._updated, "if is_recording():", "if False:",
           test_updates.test_matrices_are_multiplied_in_place_too),
    Mutant("an update changed what a graph relies on", parameters.Parameter._update,
           "if raw.flags.writeable and not self._frozen:", "if True:",
           partial(test_updates.test_an_update_leaves_older_graphs_right_and_shows_wherever_the_array_is_held, "a graph")),
    Mutant("an update changed the shape", parameters.Parameter._update, "if new.shape != raw.shape:", "if False:",
           test_updates.test_what_changes_the_shape_or_is_no_real_number_is_an_error),
    Mutant("a copy forgot that it is learned", Value.__setstate__, 'state.get("parameter")', "False",
           test_updates.test_copies_of_what_is_learned_are_learned),
    Mutant("an assignment lost a parameter", module.Module.__setattr__,
           "check_assigned(type(self).__name__, name, old, held, value)", "pass", partial(lost, *test_parameters.LOST["an array"])),
    Mutant("a list of results lost parameters",
           lambda patch: patch.setattr(parameters, "_loses", lambda value, held: not isinstance(value, list)), "", "",
           partial(lost, *test_parameters.LOST["results for a list"])),
    Mutant("a buffer took another shape", parameters.Buffer.data.fset, "array.shape != self._data.shape", "False",
           test_parameters.test_the_data_of_a_buffer_keeps_its_shape),
    Mutant("a state that fits nowhere loaded nothing", state_dicts.matching_arrays, "if own and state and not strict", "if False and not strict",
           test_parameters.test_a_state_that_fits_nowhere_is_an_error_also_where_not_all_must_fit),
    Mutant("fit trained with another's optimizer", training_state.check_optimizer, "if foreign and (missing or len(foreign) == len(given)):", "if False:",
           partial(test_training.test_an_optimizer_of_parameters_that_the_model_has_not_is_an_error, test_training._other_models)),
    Mutant("find_lr did", lr_finder.find_lr, 'check_optimizer("find_lr", optimizer, model, loss)', "pass",
           partial(test_training.test_an_optimizer_of_parameters_that_the_model_has_not_is_an_error, test_training._lazy_model)),
    Mutant("a schedule set another optimizer's rate", callbacks.check_schedule, "if second & stepped or not second & own:", "if False:",
           partial(test_training.test_a_schedule_of_another_optimizer_is_an_error, "another model")),
    Mutant("a step without gradients did nothing", elementwise_optimizer.ElementwiseOptimizer.step, "if not any(map(any, gathered)):", "if False:",
           partial(test_optimizer.test_a_step_without_any_gradient_is_an_error, test_optimizer.SGD)),
    Mutant("a complex gradient lost its imaginary part", flat_buffers.TensorBucket.gather,
           'or (grad.dtype is not dtype and grad.dtype.kind not in "fiub")', "or False",
           partial(test_optimizer.test_a_gradient_that_is_no_array_of_numbers_is_an_error_and_nothing_is_changed, np.array([1j, 2j]))),
    Mutant("a gradient of None made a Value nan", flat_buffers.ValueBucket.gather, "if square != square:", "if False:",
           partial(test_optimizer.test_a_gradient_of_a_value_that_is_no_number_is_an_error, None)),
    Mutant("clipping by a generator that is used up did nothing", clipping._with_gradients, "if not many:", "if False:",
           partial(test_optimizer.test_clipping_by_a_generator_that_is_used_up_is_an_error, clipping.clip_grad_norm_)),
    Mutant("an inner product with a row was a Tensor", variadic._scalars, "beside_values and x.ndim == 1", "False",
           partial(test_variadic.test_the_inner_product_of_values_and_any_row_is_a_value, test_variadic.ROWS["row"])),
    Mutant("a sum with a NumPy number was a Tensor",
           lambda patch: patch.setattr(variadic, "_NUMBERS", (float, int)), "", "",
           partial(test_variadic.test_a_reduction_of_values_is_a_value, "sum", test_variadic.COLLECTIONS["float32"])),
    Mutant("a mean of Values was refused", variadic.mean, "any(isinstance(v, Value) for v in xs)", "False",
           partial(test_variadic.test_a_reduction_of_values_is_a_value, "mean", test_variadic.COLLECTIONS["list"])),
    Mutant("a generator was used up before it was read", variadic._listed, 'else sequence("a sum or a product", "x", x)', "else x",
           partial(test_variadic.test_a_reduction_of_values_is_a_value, "sum", test_variadic.COLLECTIONS["generator"])),
    Mutant("a Value and an array of no axes made a Tensor", Value._record, "isinstance(arg, np.ndarray) and arg.ndim == 0", "False",
           partial(test_value.test_a_value_and_a_number_in_any_form_make_a_value, "mul", np.array)),
    Mutant("several rows at once were taken for columns", scalar._row, "if x.ndim != 1:", "if False:",
           test_scalar.test_several_rows_at_once_are_an_error),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_put_back_it_is_noticed(mutant):
    check(mutant)
