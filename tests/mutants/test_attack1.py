"""Changes that transforms did not notice, put back."""

from functools import partial

import pytest

from autograd import forward_mode, linearize
from autograd.lifting import Lifted
from autograd.tensor import Tensor
from tests.autograd import test_lifting, test_tensor
from tests.mutation import Mutant, check

unnoticed = test_lifting.test_a_step_that_changes_what_the_function_has_read_by_itself_is_an_error

MUTANTS = [
    Mutant("a module that is also a constant counted whole where it is reached by itself", Lifted.check_root,
           "p is root for p", "False for p",
           partial(test_lifting.test_a_module_reached_by_itself_that_is_also_given_as_a_constant_is_an_error, test_lifting.Hidden)),
    Mutant("a step within the function changed the argument", linearize._check_current, "source._overwritten > since", "False",
           partial(test_lifting.test_a_step_of_an_optimizer_within_the_function_is_an_error, "grad")),
    Mutant("a step changed a view that the function had read", linearize._check_current, "sources.append(source)", "pass",
           partial(unnoticed, "pullback", "a view of a view")),
    Mutant("forward mode did not notice a step", forward_mode._tangent, "arg._overwritten > node._sequence", "False",
           partial(unnoticed, "jvp under no_grad", "the leaf")),
    Mutant("nor new data, where it is differentiated again", forward_mode._tangent, "(keep_graph or", "(False or",
           test_lifting.test_forward_mode_that_is_differentiated_again_notices_new_data),
    Mutant("data of another shape gave an older graph a gradient of that shape", Tensor.data.fset,
           "self._data.shape != old.shape", "False",
           partial(test_tensor.test_data_of_another_shape_leaves_no_gradient_to_an_older_graph, Tensor, (3,), ())),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_put_back_it_is_noticed(mutant):
    check(mutant)
