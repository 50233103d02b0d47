"""Differentiate Python: scalars and arrays, in reverse and forward mode, to any order, from one rule an operation.

import autograd as ag

x = ag.Value(3.0)
y = x * x + ag.sin(x)
y.backward()             # x.grad is now 2 * 3 + cos(3)
ag.grad(ag.sin)(0.0)     # 1.0
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograd.anomaly import detect_anomaly
from autograd.arrays.convolution import conv2d
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
from autograd.arrays.pooling import adaptive_avg_pool2d, avg_pool2d, max_pool2d
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
from autograd.checking import GradientError, KinkError, gradcheck
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
    "CompileError": "autograd.compiler.recorded",
    "Kernel": "autograd.compiler.kernel",
    "compile": "autograd.compiler.kernel",
    "draw": "autograd.drawing.dot",
    "explain": "autograd.drawing.explaining",
    "GraphvizError": "autograd.drawing.layout",
    "render": "autograd.drawing.rendering",
}


def __getattr__(name: str) -> Any:
    # Drawing costs as much to import as all the rest, so it and the compiler are imported when first asked for.
    if name in _LATE:
        with _importing:
            return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_LATE]
