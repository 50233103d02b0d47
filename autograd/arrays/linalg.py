"""Products and decompositions of matrices."""

from __future__ import annotations

from functools import cache, partial
from math import prod
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from autograd.arguments import integer, integers, sequence, wrong
from autograd.arrays.indexing import diagonal, tril
from autograd.arrays.reductions import sum
from autograd.arrays.shaping import axes_of, broadcast_to, expand_dims, operand, reshape, transpose
from autograd.arrays.shaping import mT as mT
from autograd.arrays.singular import det as det
from autograd.arrays.singular import inverse, or_nan
from autograd.elementwise import mul
from autograd.graph import Primitive, value_of

if TYPE_CHECKING:
    from autograd.typing import A, Array, Constant, Operand, Tensor


def _rows_and_columns(g: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """The operands of a product and its cotangent, as matrices."""
    if len(y.shape) == 1:
        g, y = expand_dims(g, -1), expand_dims(y, -1)
    if len(x.shape) == 1:
        g, x = expand_dims(g, -2), expand_dims(x, -2)
    return g, x, y


def _matmul_to_x(g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> Tensor:
    g, _, y = _rows_and_columns(g, x, y)
    return g @ mT(y)


def _matmul_to_y(g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> Tensor:
    g, x, _ = _rows_and_columns(g, x, y)
    contribution = mT(x) @ g
    return reshape(contribution, contribution.shape[:-1]) if len(y.shape) == 1 else contribution


MATMUL = "The product of two matrices, of stacks of them, or of vectors, as np.matmul has it."
matmul = Primitive("matmul", None, np.matmul, _matmul_to_x, _matmul_to_y, infix="@", doc=MATMUL)


def _linear_forward(x: Array, w: Array, b: Array) -> Array:
    y = np.matmul(x, w.T)
    return np.add(y, b, out=y) if y.dtype == b.dtype and b.shape == y.shape[-1:] else y + b


# `x @ w.T + b`, the layer of a neural network, in one node; `_unbroadcast` sums the bias's cotangent over the batch.
_linear_rules = lambda g, z, x, w, b: g @ w, lambda g, z, x, w, b: _flat(g).T @ _flat(x), lambda g, z, x, w, b: g
LINEAR = "`x @ w.T + b`, the linear layer of a network, as one operation."
linear = Primitive("linear", None, _linear_forward, *_linear_rules, numpy="{0} @ {1}.T + {2}", doc=LINEAR)


def _flat(x: Tensor) -> Tensor:
    return x if len(x.shape) == 2 else reshape(x, (-1, x.shape[-1]))


@overload
def outer(x: Constant, y: Constant) -> Array: ...
@overload
def outer(x: Operand, y: Operand) -> Tensor: ...
def outer(x: Any, y: Any) -> Any:
    """The products of every element of `x` with every element of `y`, both flattened."""
    return mul(reshape(x, (-1, 1)), reshape(y, (1, -1)))


@overload
def tensordot(x: Constant, y: Constant, axes: Any = 2) -> Array: ...
@overload
def tensordot(x: Operand, y: Operand, axes: Any = 2) -> Tensor: ...
def tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """Sums of products over the last `axes` axes of `x` and the first of `y`, or over two lists of axes."""
    x, y = operand(x, "tensordot"), operand(y, "tensordot", "y")
    if isinstance(axes, (int, np.integer)):
        axes = integer("tensordot", "axes", axes, least=0)
        if axes > len(x.shape) or axes > len(y.shape):
            raise ValueError(f"tensordot: shapes {x.shape} and {y.shape} have no {axes} axes each")
        over_x, over_y = list(range(len(x.shape) - axes, len(x.shape))), list(range(axes))
    else:
        sides = sequence("tensordot", "axes", axes)
        if len(sides) != 2:
            raise ValueError(wrong("tensordot", "axes", "an integer, or two lists of axes", axes))
        over_x = list(axes_of(integers("tensordot", "axes[0]", sides[0]), len(x.shape)))
        over_y = list(axes_of(integers("tensordot", "axes[1]", sides[1]), len(y.shape)))
    if [x.shape[a] for a in over_x] != [y.shape[a] for a in over_y]:
        raise ValueError(f"tensordot: shapes {x.shape} and {y.shape} do not match over axes {over_x} and {over_y}")
    free_x = [a for a in range(len(x.shape)) if a not in over_x]
    free_y = [a for a in range(len(y.shape)) if a not in over_y]
    n = prod(x.shape[a] for a in over_x)
    rows = reshape(transpose(x, free_x + over_x), (prod(x.shape[a] for a in free_x), n))
    columns = reshape(transpose(y, over_y + free_y), (n, prod(y.shape[a] for a in free_y)))
    return reshape(matmul(rows, columns), [x.shape[a] for a in free_x] + [y.shape[a] for a in free_y])


@overload
def dot(x: Constant, y: Constant) -> Array: ...
@overload
def dot(x: Operand, y: Operand) -> Tensor: ...
def dot(x: Any, y: Any) -> Any:
    """The inner product of the last axis of `x` with the second last (or only) axis of `y`."""
    x, y = operand(x, "dot"), operand(y, "dot", "y")
    if len(x.shape) == 0 or len(y.shape) == 0:
        return mul(x, y)
    if len(x.shape) <= 2 and len(y.shape) <= 2:
        return matmul(x, y)
    return tensordot(x, y, ([-1], [-2 if len(y.shape) > 1 else 0]))


def trace(x: A, offset: int = 0) -> A:
    """The sum of the diagonal."""
    return sum(diagonal(x, offset), -1)


# ---- einsum


@cache
def _einsum(subscripts: tuple[str, ...], out: str) -> Primitive:
    """For subscripts without ellipsis, and without a letter twice in one operand."""

    def rule(i: int, g: Tensor, z: Tensor, *xs: Tensor) -> Tensor:
        mine = subscripts[i]
        others: tuple[str, ...] = subscripts[:i] + subscripts[i + 1 :]
        known = [letter for letter in mine if letter in out or any(letter in other for other in others)]
        contribution = _einsum((out, *others), "".join(known))(g, *xs[:i], *xs[i + 1 :])
        # A letter that occurs nowhere else was summed over: every element along it gets the same cotangent.
        alone = [axis for axis, letter in enumerate(mine) if letter not in known]
        return broadcast_to(expand_dims(contribution, alone), xs[i].shape) if alone else contribution

    pattern = ",".join(subscripts) + "->" + out
    forward = lambda *xs: np.einsum(pattern, *xs, optimize=len(xs) > 2 or max(np.size(x) for x in xs) > 1000)
    rules = (partial(rule, i) for i in range(len(subscripts)))
    settings, numpy = {"subscripts": pattern}, "np.einsum({subscripts}, {args})"
    return Primitive("einsum", None, forward, *rules, settings=settings, numpy=numpy)


@overload
def einsum(subscripts: str, *xs: Constant) -> Array: ...
@overload
def einsum(subscripts: str, *xs: Operand) -> Tensor: ...
def einsum(subscripts: str, *xs: Any) -> Any:
    """Sums of products by Einstein's convention, as in NumPy: `einsum("ij,jk->ik", x, y)` is `x @ y`."""
    if not isinstance(subscripts, str):
        raise TypeError(f"einsum needs its subscripts as a string, got {type(subscripts).__name__}")
    xs = tuple(operand(x, "einsum", f"operand {i}") for i, x in enumerate(xs))
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(xs):
        raise ValueError(f"einsum: {subscripts!r} speaks of {len(terms)} operands, got {len(xs)}")
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in subscripts]
    dotted = [(term, x) for term, x in zip(terms, xs, strict=True) if "..." in term]
    extra = max((len(x.shape) - len(term) + 3 for term, x in dotted), default=0)
    ellipsis = "".join(spare[:extra])
    operands, letters = [], ""
    for i, (term, x) in enumerate(zip(terms, xs, strict=True)):
        if "..." in term:
            term = term.replace("...", ellipsis[extra - (len(x.shape) - len(term) + 3) :])
        if len(term) != len(x.shape):
            raise ValueError(f"einsum: operand {i} has shape {x.shape}, but subscripts {terms[i]!r}")
        letters += term
        for letter, n in zip(term, x.shape, strict=True):
            if any(n != m for same, m in zip(term, x.shape, strict=True) if same == letter):
                raise ValueError(
                    f"einsum: operand {i} has shape {x.shape}, which does not fit {letter!r} in {terms[i]!r}"
                )
        while repeated := [letter for letter in term if term.count(letter) > 1]:
            one, two = [axis for axis, letter in enumerate(term) if letter == repeated[0]][:2]
            x = diagonal(x, 0, one, two)
            term = term[:one] + term[one + 1 : two] + term[two + 1 :] + repeated[0]
        terms[i] = term
        operands.append(x)
    if arrow:
        if ellipsis and "..." not in out:
            raise ValueError(f"einsum: {subscripts!r} needs '...' in its result too, for {extra} further axes")
        out = out.replace("...", ellipsis)
    else:
        out = ellipsis + "".join(sorted(c for c in set(letters) if letters.count(c) == 1 and c not in ellipsis))
    for i, (term, x) in enumerate(zip(terms, operands, strict=True)):
        # A letter that occurs nowhere else is summed over first, as exactly as by `sum`.
        others = out + "".join(terms[:i] + terms[i + 1 :])
        if alone := tuple(axis for axis, letter in enumerate(term) if letter not in others):
            terms[i] = "".join(letter for letter in term if letter in others)
            operands[i] = sum(x, alone)
    return operands[0] if terms == [out] else _einsum(tuple(terms), out)(*operands)


# ---- Decompositions

inv = Primitive("inv", None, np.linalg.inv, *inverse.rules, doc="The inverse of a matrix, or of a stack of them.")


def _solve_to_a(g: Tensor, z: Tensor, a: Tensor, b: Tensor) -> Tensor:
    contribution = _solve(mT(a), g)
    if len(b.shape) == 1:
        contribution, z = expand_dims(contribution, -1), expand_dims(z, -1)
    return -(contribution @ mT(z))


# For derivatives: the transpose of a nearly singular matrix may be singular in the last digit.
_solve: Primitive = Primitive("solve", None, or_nan(np.linalg.solve), _solve_to_a, lambda g, z, a, b: _solve(mT(a), g))
SOLVE = "The `x` for which `a @ x` is `b`: of a matrix and a vector or a matrix, or of stacks of them."
solve = Primitive("solve", None, np.linalg.solve, *_solve.rules, doc=SOLVE)


def _logabsdet_to_x(g: Tensor, z: Tensor, x: Tensor) -> Tensor:
    return expand_dims(g, (-2, -1)) * mT(inverse(x))


_forward, _numpy = lambda x: np.linalg.slogdet(x).logabsdet, "np.linalg.slogdet({0})[1]"
_logabsdet = Primitive("logabsdet", None, _forward, _logabsdet_to_x, numpy=_numpy)


def slogdet(x: A) -> tuple[Array, A]:
    """The sign of the determinant, as a plain array, and the logarithm of its absolute value.

    Of a singular matrix they are 0 and -inf, and derivatives are nan.
    """
    logabsdet = _logabsdet(x)  # first, for it says what is wrong with `x`
    return np.linalg.slogdet(value_of(x)).sign, logabsdet


def _cholesky_rule(g: Tensor, z: Tensor, x: Tensor) -> Tensor:
    # Murray, "Differentiation of the Cholesky decomposition", 2016, section 3: S = L^-T Φ(Lᵀ G) L^-1, made symmetric.
    middle = tril(mT(z) @ g)
    middle = middle - 0.5 * middle * np.eye(z.shape[-1], dtype=z.dtype)
    s = _solve(mT(z), mT(_solve(mT(z), mT(middle))))
    return 0.5 * (s + mT(s))


CHOLESKY = "The lower triangular `l` for which `l @ l.T` is the matrix, which is symmetric and positive definite."
cholesky = Primitive("cholesky", None, np.linalg.cholesky, _cholesky_rule, doc=CHOLESKY)
