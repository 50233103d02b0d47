"""Automatic differentiation of scalars and arrays, in reverse and forward mode, to any order, from one rule an operation.

import autograd as ag

x = ag.Value(3.0)
y = x * x + ag.sin(x)
y.backward()             # x.grad is now 2 * 3 + cos(3)
ag.grad(ag.sin)(0.0)     # 1.0

Conventions where mathematics or Python leaves a choice, with the tests that show them:

Edges
    IEEE 754's answers where Python would raise or turn complex: 1/0 is inf, log(0) -inf, (-8.)**(1/3) nan; the same
    for floats, Values, Tensors and compiled code.
    [autograd/test_conventions.py::test_edges_are_those_of_ieee_754]
    [autograd/compiler/test_random_programs.py]
    A value that is not selected does not leak: a cotangent of exactly zero stays zero, also times infinity. A nan of the
    computation itself is not hidden.
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
    Data changed between the forward and the backward pass give the right derivative or an error. Not detected: a change
    of a few elements of a constant array above 64 KB, and of data that a user's primitive captures.
    [autograd/test_conventions.py::test_a_tensor_changed_after_the_forward_pass_gives_the_right_gradient_or_an_error]
    [autograd/test_constants.py::test_a_changed_constant_gives_the_right_derivative_or_an_error]
    [autograd/test_constants.py::test_a_few_elements_of_a_large_array_may_change_unnoticed_and_no_more]
    An update that would have no effect is an error. Gradients on leaves accumulate over calls of backward(), exactly.
    [autograd/test_updates.py::test_where_operations_are_recorded_an_update_is_an_error_with_both_cures]
    [autograd/test_conventions.py::test_a_second_backward_doubles_exactly]
Structures
    Modules are differentiated as the dict of their arrays, at every order; lists, tuples and dicts are paired by key.
    [autograd/test_lifting.py::test_a_module_is_differentiated_as_the_dict_of_its_arrays]
    [autograd/test_pytrees.py]
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
    Saves and loads are atomic: a save that fails leaves the old file, a load that fails changes nothing. A training that
    is stopped or killed and resumed ends with the same bits. Files of earlier versions load.
    [nn/test_files.py::test_whatever_fails_leaves_the_last_file_and_no_other]
    [nn/test_hostile_checkpoints.py::test_odd_content_is_loaded_exactly_or_is_refused_and_changes_nothing]
    [nn/test_resuming_kinds.py::test_stopped_or_killed_and_resumed_it_ends_with_the_same_bits]
    [nn/test_checkpoint_versions.py::test_every_tensor_comes_back_to_the_bit]
Errors
    A bad argument gives a right result, or an error that says what was given and what is wanted.
    [autograd/test_bad_calls.py::test_a_bad_call_gives_a_right_result_or_an_error_of_ours]
    [nn/test_bad_calls.py]
Reading
    What Value(2) * Value(3) does, and backward() of it, is in value.py, graph.py, elementwise.py and
    reverse_mode.py.
    [autograd/test_plan.py::test_what_explains_a_product_is_soon_read]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograd.arrays.indexing import diag as diag
from autograd.arrays.indexing import diagonal as diagonal
from autograd.arrays.indexing import index as index
from autograd.arrays.indexing import index_update as index_update
from autograd.arrays.indexing import pad as pad
from autograd.arrays.indexing import repeat as repeat
from autograd.arrays.indexing import sort as sort
from autograd.arrays.indexing import take as take
from autograd.arrays.indexing import take_along_axis as take_along_axis
from autograd.arrays.indexing import tril as tril
from autograd.arrays.indexing import triu as triu
from autograd.arrays.joining import concatenate as concatenate
from autograd.arrays.joining import split as split
from autograd.arrays.joining import stack as stack
from autograd.arrays.linalg import cholesky as cholesky
from autograd.arrays.linalg import det as det
from autograd.arrays.linalg import einsum as einsum
from autograd.arrays.linalg import inv as inv
from autograd.arrays.linalg import linear as linear
from autograd.arrays.linalg import matmul as matmul
from autograd.arrays.linalg import outer as outer
from autograd.arrays.linalg import slogdet as slogdet
from autograd.arrays.linalg import solve as solve
from autograd.arrays.linalg import tensordot as tensordot
from autograd.arrays.linalg import trace as trace
from autograd.arrays.reductions import cumsum as cumsum
from autograd.arrays.reductions import log_softmax as log_softmax
from autograd.arrays.reductions import max as max
from autograd.arrays.reductions import min as min
from autograd.arrays.reductions import softmax as softmax
from autograd.arrays.reductions import std as std
from autograd.arrays.reductions import var as var
from autograd.arrays.shaping import broadcast_to as broadcast_to
from autograd.arrays.shaping import cast as cast
from autograd.arrays.shaping import expand_dims as expand_dims
from autograd.arrays.shaping import flip as flip
from autograd.arrays.shaping import moveaxis as moveaxis
from autograd.arrays.shaping import ravel as ravel
from autograd.arrays.shaping import reshape as reshape
from autograd.arrays.shaping import roll as roll
from autograd.arrays.shaping import squeeze as squeeze
from autograd.arrays.shaping import swapaxes as swapaxes
from autograd.arrays.shaping import tile as tile
from autograd.arrays.shaping import transpose as transpose
from autograd.elementwise import absolute as _absolute
from autograd.elementwise import acos as acos
from autograd.elementwise import acosh as acosh
from autograd.elementwise import add as add
from autograd.elementwise import asin as asin
from autograd.elementwise import asinh as asinh
from autograd.elementwise import atan as atan
from autograd.elementwise import atan2 as atan2
from autograd.elementwise import atanh as atanh
from autograd.elementwise import cbrt as cbrt
from autograd.elementwise import ceil as ceil
from autograd.elementwise import clip as clip
from autograd.elementwise import cos as cos
from autograd.elementwise import cosh as cosh
from autograd.elementwise import div as div
from autograd.elementwise import erf as erf
from autograd.elementwise import erfc as erfc
from autograd.elementwise import exp as exp
from autograd.elementwise import expm1 as expm1
from autograd.elementwise import floor as floor
from autograd.elementwise import hypot as hypot
from autograd.elementwise import log as log
from autograd.elementwise import log1p as log1p
from autograd.elementwise import log2 as log2
from autograd.elementwise import log10 as log10
from autograd.elementwise import maximum as maximum
from autograd.elementwise import minimum as minimum
from autograd.elementwise import mod as mod
from autograd.elementwise import mul as mul
from autograd.elementwise import neg as neg
from autograd.elementwise import power as power
from autograd.elementwise import relu as relu
from autograd.elementwise import sigmoid as sigmoid
from autograd.elementwise import sign as sign
from autograd.elementwise import sin as sin
from autograd.elementwise import sinh as sinh
from autograd.elementwise import softplus as softplus
from autograd.elementwise import sqrt as sqrt
from autograd.elementwise import square as square
from autograd.elementwise import step as step
from autograd.elementwise import sub as sub
from autograd.elementwise import tan as tan
from autograd.elementwise import tanh as tanh
from autograd.elementwise import where as where
from autograd.exports import publish as _publish
from autograd.forks import importing as _importing
from autograd.graph import Node as Node
from autograd.graph import Primitive as Primitive
from autograd.modes import no_grad as no_grad
from autograd.tensor import Tensor as Tensor
from autograd.transforms import grad as grad
from autograd.transforms import hessian as hessian
from autograd.transforms import hvp as hvp
from autograd.transforms import jacobian as jacobian
from autograd.transforms import jvp as jvp
from autograd.transforms import value_and_grad as value_and_grad
from autograd.transforms import vjp as vjp
from autograd.value import Value as Value
from autograd.variadic import dot as dot
from autograd.variadic import logsumexp as logsumexp
from autograd.variadic import mean as mean
from autograd.variadic import norm as norm
from autograd.variadic import prod as prod
from autograd.variadic import sum as sum

abs = _absolute

# Drawing costs as much to import as all the rest: it, the compiler and rarely used functions are imported on first use.
# Type checkers read the imports, Python the table; a test compares the two.
if TYPE_CHECKING:
    from autograd.anomaly import detect_anomaly as detect_anomaly
    from autograd.arrays.convolution import conv2d as conv2d
    from autograd.arrays.pooling import adaptive_avg_pool2d as adaptive_avg_pool2d
    from autograd.arrays.pooling import avg_pool2d as avg_pool2d
    from autograd.arrays.pooling import max_pool2d as max_pool2d
    from autograd.checking import GradientError as GradientError
    from autograd.checking import KinkError as KinkError
    from autograd.checking import gradcheck as gradcheck
    from autograd.compiler.errors import CompileError as CompileError
    from autograd.compiler.kernel import Kernel as Kernel
    from autograd.compiler.kernel import compile as compile
    from autograd.compiler.listing import program as program
    from autograd.compiler.listing import source as source
    from autograd.custom import primitive as primitive
    from autograd.drawing.dot import draw as draw
    from autograd.drawing.explaining import explain as explain
    from autograd.drawing.layout import GraphvizError as GraphvizError
    from autograd.drawing.page import show as show
    from autograd.drawing.rendering import render as render
    from autograd.drawing.reporting import report as report
    from autograd.drawing.stepper import stepper as stepper
    from autograd.name_trace import trace_names as trace_names
    from autograd.scopes import scope as scope
else:
    _LATE = {
        "autograd.anomaly": ["detect_anomaly"],
        "autograd.arrays.convolution": ["conv2d"],
        "autograd.arrays.pooling": ["adaptive_avg_pool2d", "avg_pool2d", "max_pool2d"],
        "autograd.checking": ["GradientError", "KinkError", "gradcheck"],
        "autograd.compiler.errors": ["CompileError"],
        "autograd.compiler.kernel": ["Kernel", "compile"],
        "autograd.compiler.listing": ["program", "source"],
        "autograd.custom": ["primitive"],
        "autograd.drawing.dot": ["draw"],
        "autograd.drawing.explaining": ["explain"],
        "autograd.drawing.layout": ["GraphvizError"],
        "autograd.drawing.page": ["show"],
        "autograd.drawing.rendering": ["render"],
        "autograd.drawing.reporting": ["report"],
        "autograd.drawing.stepper": ["stepper"],
        "autograd.name_trace": ["trace_names"],
        "autograd.scopes": ["scope"],
    }
    _LATE = {name: room for room, names in _LATE.items() for name in names}

    def __getattr__(name: str) -> Any:
        if name in _LATE:
            with _importing:
                globals()[name] = found = getattr(import_module(_LATE[name]), name)
            return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return [*globals(), *_LATE]

    _publish(globals(), *_LATE)
