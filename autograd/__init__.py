"""Differentiate Python: scalars and arrays, in reverse and forward mode, to any order, from one rule an operation.

import autograd as ag

x = ag.Value(3.0)
y = x * x + ag.sin(x)
y.backward()             # x.grad is now 2 * 3 + cos(3)
ag.grad(ag.sin)(0.0)     # 1.0

What holds, wherever it matters and mathematics or Python leaves a choice, with the tests that show it:

Edges
    IEEE 754's answers where Python would raise or turn complex: 1/0 is inf, log(0) -inf, (-8.)**(1/3) nan; the same
    for floats, Values, Tensors and compiled code.
    [autograd/test_conventions.py::test_edges_are_those_of_ieee_754]
    [autograd/compiler/test_random_programs.py]
    What is not selected does not leak: a cotangent of exactly zero stays zero, also times infinity; a nan that is real
    is seen.
    [autograd/test_conventions.py::test_what_is_not_selected_does_not_leak]
    [autograd/test_conventions.py::test_a_nan_that_is_real_is_not_hidden]
Kinks
    abs, relu and sign have slope 0 at 0; maximum, minimum and max split a tie evenly; norm, hypot and atan2 have slope
    0 at the origin, and no second derivative there; prod is exact with zeros.
    [autograd/test_conventions.py::test_slopes_at_kinks]
    [autograd/test_conventions.py::test_prod_with_zeros_is_exact_to_second_order]
NumPy
    np.f(tensor) is what np.f(array) is, with every argument, or an error that names the function. Sums, means and norms
    are as exact as pairwise ones, in every dtype and along every axis. Gradients have the dtype and shape of their inputs.
    [autograd/test_numpy_functions.py::test_tensors_give_what_arrays_give]
    [autograd/test_numpy_ufuncs.py::test_tensors_give_what_arrays_give_at_every_edge]
    [autograd/arrays/test_sums.py::test_every_sum_is_as_exact_as_a_pairwise_one]
    [autograd/test_conventions.py::test_gradients_keep_dtype_and_shape]
Changes
    Data changed between the forward and the backward pass give the right derivative or an error. Not seen: a change of a
    few elements of an array above 64 KB that met a node as a constant, and of what a user's primitive captures.
    [autograd/test_conventions.py::test_a_tensor_changed_after_the_forward_pass_gives_the_right_gradient_or_an_error]
    [autograd/test_constants.py::test_a_changed_constant_gives_the_right_derivative_or_an_error]
    [autograd/test_constants.py::test_a_few_elements_of_a_large_array_may_change_unnoticed_and_no_more]
    An update that could not take effect is an error. Gradients add up over backward() on leaves, exactly.
    [autograd/test_updates.py::test_where_operations_are_recorded_an_update_is_an_error_with_both_cures]
    [autograd/test_conventions.py::test_a_second_backward_doubles_exactly]
Structures
    Modules are differentiated as the dict of their arrays, at every order; lists, tuples and dicts are paired by key.
    [autograd/test_lifting.py::test_a_module_is_differentiated_as_the_dict_of_its_arrays]
    [autograd/test_trees.py]
Depth and memory
    Nothing recurses along a graph: millions of nodes are recorded, differentiated and freed, without the collector.
    [autograd/test_graph.py::test_a_chain_of_a_million_values_is_recorded_differentiated_and_freed]
    [autograd/test_graph.py::test_a_dropped_graph_dies_at_once_and_leaves_nothing_to_the_collector]
Determinism, threads, processes
    The same calls give the same bits on one machine; but the sums that compiled code makes over a batch differ in their
    last bits with the number of threads. Modes are of one thread or task; threads may share kernels, modules and
    constants; a forked child can compile.
    [nn/test_estimators.py::test_a_seed_repeats_all_and_a_clone_is_unfitted]
    [autograd/test_graph.py::test_no_grad_is_of_one_thread]
    [autograd/test_graph.py::test_two_threads_train_side_by_side_as_one_after_the_other]
    [autograd/compiler/test_native.py::test_several_threads_may_call_at_once]
    [autograd/test_lifting.py::test_threads_may_differentiate_one_module]
    [autograd/test_forks.py::test_a_process_works_on_that_was_forked_while]
Files
    A save is whole or did not happen; a load is whole or changes nothing; a training that is stopped, killed and resumed
    ends with the same bits; files of earlier versions load.
    [nn/test_files.py::test_whatever_fails_leaves_the_last_file_and_no_other]
    [nn/test_hostile_checkpoints.py::test_odd_content_is_loaded_exactly_or_is_refused_and_changes_nothing]
    [nn/test_resuming_kinds.py::test_stopped_or_killed_and_resumed_it_ends_with_the_same_bits]
    [nn/test_checkpoint_versions.py::test_every_tensor_comes_back_to_the_bit]
Errors
    A wrong argument ends in a right result or in an error that says what was given and what is wanted.
    [autograd/test_bad_calls.py::test_a_bad_call_gives_a_right_result_or_an_error_of_ours]
    [nn/test_bad_calls.py]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograd.arrays.indexing import (
    diag,
    diagonal,
    index,
    index_update,
    pad,
    repeat,
    sort,
    take,
    take_along_axis,
    tril,
    triu,
)
from autograd.arrays.joining import concatenate, split, stack
from autograd.arrays.linalg import (
    cholesky,
    det,
    einsum,
    inv,
    linear,
    matmul,
    outer,
    slogdet,
    solve,
    tensordot,
    trace,
)
from autograd.arrays.reductions import cumsum, log_softmax, max, min, softmax, std, var
from autograd.arrays.shaping import (
    broadcast_to,
    cast,
    expand_dims,
    flip,
    moveaxis,
    ravel,
    reshape,
    roll,
    squeeze,
    swapaxes,
    tile,
    transpose,
)
from autograd.elementwise import absolute as abs
from autograd.elementwise import (
    acos,
    acosh,
    add,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cbrt,
    ceil,
    clip,
    cos,
    cosh,
    div,
    erf,
    erfc,
    exp,
    expm1,
    floor,
    hypot,
    log,
    log1p,
    log2,
    log10,
    maximum,
    minimum,
    mod,
    mul,
    neg,
    power,
    relu,
    sigmoid,
    sign,
    sin,
    sinh,
    softplus,
    sqrt,
    square,
    step,
    sub,
    tan,
    tanh,
    where,
)
from autograd.extending import primitive
from autograd.forks import importing as _importing
from autograd.graph import Node, Primitive, no_grad
from autograd.many import dot, logsumexp, mean, norm, prod, sum
from autograd.tensor import Tensor
from autograd.transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.anomaly import detect_anomaly
    from autograd.arrays.convolution import conv2d
    from autograd.arrays.pooling import adaptive_avg_pool2d, avg_pool2d, max_pool2d
    from autograd.checking import GradientError, KinkError, gradcheck
    from autograd.compiler.kernel import Kernel, compile
    from autograd.compiler.recorded import CompileError
    from autograd.drawing.dot import draw
    from autograd.drawing.explaining import explain
    from autograd.drawing.layout import GraphvizError
    from autograd.drawing.rendering import render

__all__ = [
    "CompileError",
    "GradientError",
    "GraphvizError",
    "Kernel",
    "KinkError",
    "Node",
    "Primitive",
    "Tensor",
    "Value",
    "abs",
    "acos",
    "acosh",
    "adaptive_avg_pool2d",
    "add",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "avg_pool2d",
    "broadcast_to",
    "cast",
    "cbrt",
    "ceil",
    "cholesky",
    "clip",
    "compile",
    "concatenate",
    "conv2d",
    "cos",
    "cosh",
    "cumsum",
    "det",
    "detect_anomaly",
    "diag",
    "diagonal",
    "div",
    "dot",
    "draw",
    "einsum",
    "erf",
    "erfc",
    "exp",
    "expand_dims",
    "explain",
    "expm1",
    "flip",
    "floor",
    "grad",
    "gradcheck",
    "hessian",
    "hvp",
    "hypot",
    "index",
    "index_update",
    "inv",
    "jacobian",
    "jvp",
    "linear",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_softmax",
    "logsumexp",
    "matmul",
    "max",
    "max_pool2d",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mod",
    "moveaxis",
    "mul",
    "neg",
    "no_grad",
    "norm",
    "outer",
    "pad",
    "power",
    "primitive",
    "prod",
    "ravel",
    "relu",
    "render",
    "repeat",
    "reshape",
    "roll",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "slogdet",
    "softmax",
    "softplus",
    "solve",
    "sort",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "step",
    "sub",
    "sum",
    "swapaxes",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tensordot",
    "tile",
    "trace",
    "transpose",
    "tril",
    "triu",
    "value_and_grad",
    "var",
    "vjp",
    "where",
]

_LATE = {
    "detect_anomaly": "autograd.anomaly",
    "conv2d": "autograd.arrays.convolution",
    "adaptive_avg_pool2d": "autograd.arrays.pooling",
    "avg_pool2d": "autograd.arrays.pooling",
    "max_pool2d": "autograd.arrays.pooling",
    "GradientError": "autograd.checking",
    "KinkError": "autograd.checking",
    "gradcheck": "autograd.checking",
    "CompileError": "autograd.compiler.recorded",
    "Kernel": "autograd.compiler.kernel",
    "compile": "autograd.compiler.kernel",
    "draw": "autograd.drawing.dot",
    "explain": "autograd.drawing.explaining",
    "GraphvizError": "autograd.drawing.layout",
    "render": "autograd.drawing.rendering",
}


def __getattr__(name: str) -> Any:
    # Drawing costs as much to import as all the rest: it, the compiler and what few programs need are imported when they
    # are first asked for.
    if name in _LATE:
        with _importing:
            globals()[name] = found = getattr(import_module(_LATE[name]), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_LATE]
