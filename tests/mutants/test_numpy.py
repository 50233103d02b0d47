"""Errors that NumPy's functions of nodes once had, put back one by one."""

import numpy as np
import pytest

from autograd import arguments, elementwise, numpy_algebra, numpy_protocol, numpy_reductions, numpy_shaping
from autograd.arrays import indexing, joining, linalg, reductions
from autograd.operators import Operators
from autograd.scalars import Scalar
from autograd.tensor import Tensor
from tests.autograd import test_numpy_functions as functions
from tests.autograd import test_numpy_ufuncs as ufuncs
from tests.autograd import test_numpy_values as values
from tests.mutation import Mutant, check


def gives(function):
    return lambda: functions.test_tensors_give_what_arrays_give(function)


def named(function):
    return lambda: functions.test_arguments_may_be_given_by_position_and_by_name(function)


def derived(function):
    return lambda: functions.test_derivatives_are_those_of_numpys_function(function)


def cure(k):
    """The `k`-th of the calls that name a cure, by what its message names."""
    marks = values.test_what_would_detach_or_mean_nothing_names_the_cure.pytestmark
    f, message = next(row for row in marks[0].args[1] if k in row[1])
    return lambda: values.test_what_would_detach_or_mean_nothing_names_the_cure(f, message)


def dispatched(patch):
    patch.delattr(Scalar, "__array_function__")


def slope_by_abs(patch):
    patch.setitem(numpy_protocol.UFUNCS, np.logaddexp, lambda x, y: _logaddexp_by_abs(x, y))


def _logaddexp_by_abs(x, y):
    return elementwise.maximum(x, y) + elementwise.log1p(elementwise.exp(-abs(x - y)))


def fmod_by_floor(patch):
    patch.setitem(
        numpy_protocol.UFUNCS, np.fmod, lambda x, y: x - y * elementwise.sign(x / y) * elementwise.floor(abs(x / y))
    )


MUTANTS = [
    Mutant("weights of the wrong axis", numpy_reductions._weights, "n if i in axis else 1", "n if i not in axis else 1", gives(np.average)),
    Mutant("where= ignored", numpy_reductions.sum, "x if where is True else", "x if True else", gives(np.sum)),
    Mutant("initial= ignored", numpy_reductions.sum, "y if initial is None else", "y if True else", gives(np.sum)),
    Mutant("initial= of max ignored", numpy_reductions.max, "    if initial is None:\n", "    if True:\n", gives(np.max)),
    Mutant("dtype= ignored", numpy_reductions.in_dtype, "dtype = x.dtype if dtype is None else", "dtype = x.dtype if True else", gives(np.mean)),
    Mutant("ddof over n", reductions.freedom, "if n > ddof else 0.0", "if True else 0.0", gives(np.var)),
    Mutant("float16 squared in float16", numpy_reductions.in_dtype, "half and wide == np.float16", "False", lambda: values_of_half()),
    Mutant("modes of pad as indices", indexing.pad, 'mode not in ("constant", *COPYING)', "False", gives(np.pad)),
    Mutant("one constant of pad", indexing.pad, 'fixed("pad: constant_values", constant_values)', "float(np.ravel(constant_values)[0])", gives(np.pad)),
    Mutant("wrapped indices", numpy_shaping.take, 'places % n if mode == "wrap"', 'places if mode == "wrap"', gives(np.take)),
    Mutant("booleans of take as a mask", indexing.take, "places.astype(int)", "places", gives(np.take)),
    Mutant("indices that broadcast", indexing._take_along, "for n in x.shape)", "for n in indices.shape)", derived(np.take_along_axis)),
    Mutant("a diagonal that is none", linalg.einsum, "if any(n != m for same, m", "if any(False for same, m", gives(np.einsum)),
    Mutant("an axis of 1 that broadcasts", linalg.einsum, "if letter not in others)", "if False)", derived(np.einsum)),
    Mutant("axes that einsum loses", linalg.einsum, 'if ellipsis and "..." not in out', "if False", gives(np.einsum)),
    Mutant("order F read as C", numpy_shaping._in_order, 'if order == "C":', 'if order in "CF":', gives(np.reshape)),
    Mutant("sections of NumPy's integers", joining.split, "np.ndim(fixed(\"split: indices_or_sections\", indices_or_sections)) == 0", "isinstance(indices_or_sections, int)", gives(np.split)),
    Mutant("posinf= ignored", numpy_algebra.nan_to_num, "if posinf is None else posinf", "", gives(np.nan_to_num)),
    Mutant("a weak bound of clip", elementwise._common, "np.result_type(*dtypes).type(low)", "low", gives(np.clip)),
    Mutant("kinked logaddexp", slope_by_abs, "", "", lambda: ufuncs.test_logaddexp_is_smooth_at_ties_and_flat_at_infinities((0.3, 0.3), np.array)),
    Mutant("fmod by a quotient", fmod_by_floor, "", "", lambda: ufuncs.test_tensors_give_what_arrays_give_at_every_edge(np.fmod, np.float64)),
    Mutant("heaviside without its value", numpy_algebra.heaviside, "if isinstance(y, Node) else", "if False else", ufuncs.test_heaviside_varies_with_its_value_at_zero),
    Mutant("Values past the protocol", dispatched, "", "", values.test_the_bounds_of_clip_split_the_slope_of_a_value_as_of_a_tensor),
    Mutant("masks dropped", arguments.check_kind, "isinstance(array, np.ma.MaskedArray)", "False", cure("masks of np.ma")),
    Mutant("keepdims of any kind", reductions.flag, "isinstance(keepdims, (int, np.bool_, np.integer))", "True", cure("keepdims must be")),
    Mutant("out= into a Tensor", numpy_protocol._read_only, "view.flags.writeable = False", "pass", cure("cannot write into")),
    Mutant("NumPy's erf", numpy_protocol._name, "if getattr(np, name, None) is ufunc else", "if True else", lambda: ufuncs.test_a_ufunc_of_scipy_is_not_numpys_and_has_a_name_here("erf", "ag.erf")),
    Mutant("no format", Tensor.__format__, "format(self._data.item(), spec)", "object.__format__(self, spec)", lambda: values.test_scalars_of_every_kind_are_formatted(Tensor)),
    Mutant("a name alone", Operators.__float__, "use .item() for", "use .data for", cure(r"\.item\(\).*ag")),
]  # fmt: skip


def values_of_half():
    x = np.full(4, 300.0, np.float16)
    x[0] = 600.0
    with np.errstate(all="ignore"):
        where = np.ones(4, bool)
        assert np.var(Tensor(x), where=where).data == np.var(x.astype(float)).astype(np.float16)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_an_error_that_was_mended_is_caught(mutant):
    check(mutant)
