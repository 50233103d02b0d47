"""Errors of transforms and structures that were mended, put back."""

from functools import partial

import numpy as np
import pytest

import autograd as ag
from autograd import pytrees
from autograd.compiler.calling import Arguments, read_results
from autograd.lifting import Lifted, chosen
from autograd.linearize import Linearized, check_real
from autograd.pytrees import Container, TreeDef, flatten
from autograd.stand_ins import Substitution, in_place_of
from nn.parameters import Buffer, Parameter
from tests.autograd import test_checking, test_graph, test_lifting, test_pytrees, test_tensor, test_transforms
from tests.autograd.compiler import test_batching
from tests.mutation import Mutant, check
from tests.nn import test_module


def of_module(transform):
    return partial(
        test_lifting.test_a_module_is_differentiated_as_the_dict_of_its_arrays,
        "linear",
        test_lifting.TRANSFORMS[transform],
    )


def by_itself(transform):
    return partial(test_lifting.test_a_module_that_is_reached_by_itself_counts_as_the_argument, "linear", transform)


def twice(transform):
    return partial(test_lifting.test_a_module_given_twice_is_two_variables, test_lifting.MANY[transform])


def unshared(sharer, call):
    return partial(test_transforms.test_no_result_shares_an_array_with_arguments_or_other_results, sharer, call, 3)


def paired(n):
    return partial(test_pytrees.test_trees_are_paired_by_key, *test_pytrees.PAIRED[n])


def told_apart(n):
    return partial(test_pytrees.test_trees_that_differ_are_told_apart_where_they_part, *test_pytrees.MISMATCHED[n])


IDENTITY = test_transforms.SHARERS["identity"]
MUTANTS = [
    Mutant(
        "second derivatives by a module are zero",
        Lifted._module,
        "self.linked = self.linked or parameter.op is not None or parameter in enclosing",
        "pass",
        of_module("hvp"),
    ),
    Mutant(
        "an inner transform forgets the outer one at the module itself",
        Lifted._module,
        "or parameter in enclosing",
        "",
        test_lifting.test_an_inner_transform_at_the_module_itself_depends_on_the_outer_one,
    ),
    Mutant(
        "what is reached by itself does not count",
        Lifted._module,
        "if root is not None",
        "if False",
        by_itself("grad"),
    ),
    Mutant(
        "what is reached by itself does not count in forward mode",
        Linearized._tangents,
        "tangents[root] = tangents[nodes[0]]",
        "pass",
        by_itself("jvp"),
    ),
    Mutant(
        "a module given twice gets the whole derivative twice",
        Lifted._module,
        "return self._copies[-1].tree",
        "return module",
        twice("grad"),
    ),
    Mutant(
        "a module that is also a constant argument counts whole",
        Lifted.__init__,
        "if self._back and",
        "if False and",
        twice("grad of the first"),
    ),
    Mutant(
        "a parameter of two arguments, reached by itself, is not noticed",
        Lifted.check_root,
        "> 1",
        "> 9",
        partial(test_lifting.test_a_module_given_twice_and_reached_by_itself_is_an_error, "grad"),
    ),
    Mutant(
        "what a function binds in a module is lost",
        Lifted.call,
        "copied.carry_over(self._back)",
        "pass",
        test_lifting.test_what_a_function_binds_in_a_module_is_bound_in_the_module_itself,
    ),
    Mutant(
        "copies of modules leak into the module itself",
        Substitution.carry_over,
        "_put(original, Substitution(changed, back).tree)",
        "_put(original, changed)",
        test_lifting.test_what_a_function_binds_in_a_module_is_bound_in_the_module_itself,
    ),
    Mutant(
        "a copied module has no parameters",
        in_place_of,
        "type(made) is not type(node)",
        "False",
        test_lifting.test_within_the_function_a_module_is_of_its_class_and_lists_its_parameters,
    ),
    Mutant(
        "a pullback sees a later step of the optimizer",
        Lifted._own,
        "self._copy and",
        "False and",
        test_lifting.test_a_pullback_is_of_the_parameters_as_they_were,
    ),
    Mutant(
        "an update within a function is lost",
        ag.Value._is_parameter,
        "or self._y is PARAMETER",
        "",
        test_lifting.test_a_parameter_cannot_be_changed_within_the_function,
    ),
    Mutant(
        "a parameter that is no node",
        Lifted._module,
        "not isinstance(parameter, Node)",
        "False",
        test_lifting.test_a_module_of_another_library_is_refused,
    ),
    Mutant(
        "gradcheck passes anything",
        ag.gradcheck,
        "below=1",
        "infinite=True",
        partial(test_checking.test_settings_that_would_check_nothing, {"rtol": np.inf}, "rtol"),
    ),
    Mutant(
        "gradcheck of a module",
        ag.gradcheck,
        "any(map(is_module, args))",
        "False",
        test_checking.test_modules_are_checked_as_their_arrays,
    ),
    Mutant("pairing by order", Container.pair, "[tree[key] for key in keys]", "[*tree.values()]", paired(0)),
    Mutant("a key too many", Container.pair, "len(tree) > len(keys)", "False", told_apart(0)),
    Mutant("a part too few", Container.pair, "if len(tree) != len(keys)", "if False", told_apart(5)),
    Mutant("other fields", Container.pair, "fields != keys", "False", told_apart(11)),
    Mutant(
        "None for a number",
        TreeDef.flatten_up_to,
        "if tree is None or (",
        "if (",
        told_apart(10),
    ),
    Mutant(
        "what contains itself is walked for ever",
        flatten,
        'raise ValueError(f"{name} contains',
        'raise RecursionError(f"{name} contains',
        partial(test_pytrees.test_what_contains_itself_is_an_error, "list"),
    ),
    Mutant(
        "an OrderedDict becomes a dict",
        pytrees._opened,
        "dict)\n",
        "dict) and dict\n",
        test_pytrees.test_kinds_of_dict_are_kept,
    ),
    Mutant(
        "an argument named twice",
        chosen,
        "n % len(args) in found",
        "False",
        partial(test_transforms.test_an_argument_is_named_once, ag.grad, (1, -1)),
    ),
    Mutant(
        "a call without positional arguments blames argnums",
        chosen,
        "if not args",
        "if False",
        partial(test_transforms.test_what_is_not_given_by_position_is_told, ag.grad),
    ),
    Mutant(
        "complex tangents lose a part",
        check_real,
        "not isinstance(x, (np.ndarray, np.generic)) and not isinstance(x, complex)",
        "isinstance(x, (np.ndarray, np.generic, complex)):\n        return\n    if True",
        partial(
            test_transforms.test_what_is_not_real_is_refused_wherever_it_comes_in,
            lambda bad: ag.jvp(lambda x: x, 1.0, bad),
            "its tangent of argument 0 is",
            1j,
        ),
    ),
    Mutant(
        "the value that vjp gives is what its pullback reads",
        lambda patch: patch.setattr("autograd.linearize._scalar", lambda x: getattr(x, "_data", x)),
        "",
        "",
        test_transforms.test_a_pullback_keeps_what_it_needs,
    ),
    Mutant(
        "the tangent of the identity is the caller's array",
        Linearized._tangents,
        "_owned(tangents, self.leaves, given)",
        "_owned(tangents, self.leaves, ())",
        unshared(IDENTITY, ag.jvp),
    ),
    Mutant(
        "the cotangent of the identity is the caller's array",
        Linearized.pullback,
        "seeds), seeds)",
        "seeds), ())",
        test_transforms.test_a_pullback_keeps_what_it_needs,
    ),
    Mutant(
        "jacobian by an empty array",
        Linearized._columns,
        "if not zero.size",
        "if False",
        test_transforms.test_jacobians_of_structures_with_empty_parts,
    ),
    Mutant(
        "a function writes into the caller's array",
        Lifted._input,
        "node._lent, node._frozen = None, True",
        "node._lent, node._frozen = None, False",
        lambda: writes_into_a_large_argument(),
    ),
    Mutant(
        "an argument too many is written into",
        ag.Primitive.__call__,
        "len(args) > len(self.rules)",
        "False",
        partial(
            test_graph.test_an_argument_too_many_is_an_error_and_not_written_into, ag.exp, 2, "exp takes 1", ag.Tensor
        ),
    ),
    Mutant(
        "backward gives its gradient away",
        ag.Tensor.backward,
        "given.astype(self.dtype)",
        "np.asarray(given, self.dtype)",
        test_tensor.test_a_gradient_given_to_backward_stays_the_callers,
    ),
    Mutant(
        "a complex cotangent of a Value loses a part",
        ag.Value._unbroadcast,
        "np.iscomplexobj(contribution)",
        "False",
        partial(
            test_tensor.test_complex_numbers_never_lose_a_part_in_silence,
            lambda x, bad: x._unbroadcast(bad),
            ag.Value(0.5),
            np.complex64(1j),
        ),
    ),
    Mutant(
        "a parameter shares the caller's array",
        Parameter.__init__,
        "self._own(self._data.copy())",
        "pass",
        test_module.test_parameters_and_buffers_copy_their_arrays,
    ),
    Mutant(
        "a buffer shares the caller's array",
        Buffer.__init__,
        "np.array(numbers(",
        "np.asarray(numbers(",
        test_module.test_parameters_and_buffers_copy_their_arrays,
    ),
    Mutant(
        "deep arguments of compiled code overflow the stack",
        Arguments.__init__,
        "max_depth=MAX_NESTED",
        "max_depth=None",
        partial(test_batching.test_deep_structures_work_or_are_refused, 101, lambda x: [x]),
    ),
    Mutant(
        "deep results of compiled code overflow the stack",
        read_results,
        "max_depth=MAX_NESTED",
        "max_depth=None",
        partial(test_batching.test_deep_structures_work_or_are_refused, 101, lambda x: [x]),
    ),
]


def writes_into_a_large_argument():
    x = np.ones(100_000)

    def f(x):
        x.data[0] = 5.0
        return ag.sum(x)

    ag.grad(f)(x)
    assert x[0] == 1.0


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_error_put_back_is_seen(mutant):
    check(mutant)
