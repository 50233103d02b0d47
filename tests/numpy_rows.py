"""Calls of NumPy's functions as data: every function that has a rule here, with every argument that it has.

`In(shape)` stands for an array, which tests make plain or a Tensor, of any dtype; its elements are far from ties.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class In:
    shape: tuple[int, ...]
    kind: str = ""  # "regular" or "spd" matrices, or "special" for nan and infinities

    def make(self, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        size = math.prod(self.shape)
        x = np.zeros(self.shape) if not size else (rng.permutation(size) + 0.5) / size * 2.5 - 0.9
        x = np.asarray(x).reshape(self.shape)
        if self.kind == "regular":
            x = x + 3 * np.eye(self.shape[-1])
        if self.kind == "spd":
            x = x @ np.swapaxes(x, -1, -2) + 2 * np.eye(self.shape[-1])
        if self.kind == "special":
            x[..., 0], x[..., 1], x[..., 2] = np.nan, np.inf, -np.inf
        return x


@dataclass(frozen=True)
class Row:
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    refused: str = ""  # what the message of our TypeError names, where we have no rule

    @property
    def name(self) -> str:
        return f"{self.function.__module__.replace('numpy', 'np')}.{self.function.__name__}"

    def __str__(self) -> str:
        def short(x: Any) -> str:
            if isinstance(x, In):
                return "x".join(map(str, x.shape)) or "number"
            return repr(x.tolist() if isinstance(x, np.ndarray) else getattr(x, "__name__", x)).replace(" ", "")

        return (
            f"{self.name}({','.join([*map(short, self.args), *(f'{k}={short(v)}' for k, v in self.kwargs.items())])})"
        )


S, V, M, T, Q, E = In(()), In((3,)), In((2, 3)), In((2, 3, 2)), In((3, 3)), In((0, 3))
MASK = np.array([[True, False, True], [False, True, True]])
COLUMN = np.array([[True], [False]])
WEIGHTS = np.array([[0.5, 1.0, 2.0], [1.5, 0.25, 1.0]])
ROWS: list[Row] = []


def row(function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    ROWS.append(Row(function, args, kwargs))


def refused(function: Callable[..., Any], names: str, *args: Any, **kwargs: Any) -> None:
    """A call for which we have no rule: the error names the function and, among other things, `names`."""
    ROWS.append(Row(function, args, kwargs, names))


# ---- Reductions

for f in (np.sum, np.prod, np.max, np.amax, np.min, np.amin, np.mean, np.std, np.var, np.ptp, np.average):
    for x in (S, V, M, T):
        row(f, x)
    for axis in (0, -1, (0, 1), ()):
        row(f, M, axis=axis)
    row(f, T, axis=(-1, 0), keepdims=True)
    row(f, T, (2, 1))
    row(f, M, keepdims=True)
    row(f, S, axis=())
    row(f, S, axis=0)
    row(f, S, axis=-1)
    for axis in (2, -3, (0, 0), 1.0, "0"):
        row(f, M, axis=axis)
    row(f, M, keepdims=np.float32)
    if f is not np.average:  # which divides by zero
        row(f, E, axis=1)
        row(f, E, axis=0)
        row(f, E)
for f in (np.sum, np.prod, np.mean, np.std, np.var, np.cumsum):
    for dtype in (np.float16, np.float32, np.float64, np.longdouble):
        row(f, M, dtype=dtype)
        row(f, M, 0, dtype)
    refused(f, "dtype", M, dtype=np.int64)
    refused(f, "dtype", M, 0, np.complex128)
for f in (np.sum, np.prod, np.max, np.amax, np.min, np.amin):
    row(f, M, initial=0.25)
    row(f, M, axis=1, initial=np.float64(5.0))
    row(f, M, axis=0, initial=-5)
    row(f, M, initial=None)
    row(f, E, axis=0, initial=2.0)
    row(f, E, initial=2.0)
    row(f, M, initial=0.75, where=MASK, axis=1, keepdims=True)
    row(f, M, initial=0.75, where=COLUMN)
    row(f, M, where=MASK)
    row(f, M, initial=[1.0, 2.0])
for f in (np.sum, np.prod, np.mean, np.std, np.var):
    row(f, M, where=MASK, axis=1)
    row(f, M, where=COLUMN, axis=0)
    row(f, M, where=False, axis=1)
    row(f, M, where=True)
    row(f, M, where=np.array([True, False, True]), keepdims=True)
    row(f, M, where=np.ones((2, 2, 3), bool))
for f in (np.std, np.var):
    row(f, M, ddof=1)
    row(f, M, axis=0, ddof=2)
    row(f, M, axis=0, ddof=5)
    row(f, M, axis=1, ddof=0.5)
    row(f, M, correction=1)
    row(f, M, ddof=1, correction=1)
    row(f, M, mean=0.3)
    row(f, M, axis=1, mean=np.array([[0.3], [0.4]]), ddof=1, where=MASK)
row(np.average, M, weights=WEIGHTS)
row(np.average, M, axis=1, weights=WEIGHTS)
row(np.average, M, axis=1, weights=np.array([1.0, 2.0, 4.0]))
row(np.average, M, axis=-2, weights=[1, 3])
row(np.average, T, axis=(2, 0), weights=np.array([[1.0, 2.0], [0.5, 1.0]]), keepdims=True)
row(np.average, T, axis=1, weights=np.array([1.0, 2.0, 4.0]), returned=True)
row(np.average, M, returned=True)
row(np.average, M, axis=0, weights=M)
row(np.average, WEIGHTS, axis=0, weights=M)
row(np.average, np.array([[1, 2, 3], [4, 5, 6]]), axis=0, weights=M)
row(np.average, M, weights=np.array([1.0, 2.0, 4.0]))
row(np.average, M, axis=0, weights=np.array([1.0, 2.0, 4.0]))
row(np.average, M, axis=0, weights=np.array([1.0, -1.0]))
for axis in (0, 1, -1, None):
    row(np.cumsum, M, axis=axis)
    row(np.cumsum, S, axis=axis)
row(np.cumsum, E)
row(np.diff, M)
row(np.diff, V, n=2)
row(np.diff, M, axis=0)
row(np.diff, M, n=5)
row(np.diff, M, n=0)
row(np.diff, M, n=-1)
row(np.diff, S)
row(np.diff, M, prepend=0.5)
row(np.diff, M, axis=0, prepend=np.array([[1.0, 2.0, 3.0]]), append=M)
row(np.diff, V, append=V)
for x in (V, M, T):
    row(np.linalg.norm, x)
for order in (None, 1, 2, 3, 0.5, np.inf, -np.inf, -1):
    row(np.linalg.norm, V, order)
    row(np.linalg.norm, M, ord=order, axis=1)
    row(np.linalg.norm, T, order, (1,), keepdims=True)
row(np.linalg.norm, M, "fro")
row(np.linalg.norm, T, ord="fro", axis=(0, 2), keepdims=True)
row(np.linalg.norm, V, "fro")
row(np.linalg.norm, T, "fro")
row(np.linalg.norm, T, axis=(0, 1, 2))
for order in ("nuc", 1, 2, -2, np.inf):
    refused(np.linalg.norm, "ord", M, order)
refused(np.linalg.norm, "ord", V, 0)
for x in (Q, M, T):
    row(np.trace, x)
row(np.trace, Q, offset=-1)
row(np.trace, T, axis1=1, axis2=-1, offset=1)
row(np.trace, T, 0, 0, 2, np.float32)
row(np.trace, M, dtype=np.float64)
row(np.trace, V)

# ---- Elementwise

row(np.clip, M, -0.4, 0.8)
row(np.clip, M, None, 0.8)
row(np.clip, M, -0.4, None)
row(np.clip, M, a_min=-0.4, a_max=0.8)
row(np.clip, M, min=-0.4, max=np.array([0.1, 0.8, 1.5]))
row(np.clip, M, [-0.4, 0.0, 0.3], [[0.7], [0.8]])
row(np.clip, M, 0.8, -0.4)
row(np.clip, M, np.float64(-0.4), np.float64(0.8))
row(np.clip, M, -1, 1)
row(np.clip, WEIGHTS, M, M)
row(np.clip, M, -0.4, 0.8, min=0.1)
row(np.clip, S, -0.4, 0.3)
refused(np.clip, "dtype", M, -0.4, 0.8, dtype=np.float64)
refused(np.clip, "where", M, -0.4, 0.8, where=MASK)
row(np.where, MASK, M, 0.0)
row(np.where, MASK, 2, M)
row(np.where, MASK, M, V)
row(np.where, COLUMN, M, [1.0, 2.0, 3.0])
row(np.where, M, M, np.float64(3.0))
row(np.where, True, S, 2.0)
row(np.where, M)
row(np.where, MASK, M)
row(np.nan_to_num, M)
row(np.nan_to_num, In((2, 4), "special"))
row(np.nan_to_num, In((4,), "special"), nan=2.0, posinf=7.0, neginf=-7.0)
row(np.nan_to_num, In((4,), "special"), True, 1)
row(np.nan_to_num, In((2, 4), "special"), nan=np.array([1.0, 2.0, 3.0, 4.0]))
row(np.nan_to_num, S)
refused(np.nan_to_num, "copy", M, copy=False)
refused(np.nan_to_num, "real numbers", M, nan=1j)

# ---- Shapes

for order in "CFA":
    row(np.reshape, M, (3, 2), order=order)
    row(np.reshape, T, (4, -1), order)
    row(np.ravel, M, order=order)
    row(np.ravel, T, order)
row(np.ravel, M, order="K")
row(np.reshape, M, -1)
row(np.reshape, M, shape=[1, 6], copy=True)
row(np.reshape, M, (4, 2))
row(np.reshape, M, newshape=(3, 2))
row(np.reshape, S, ())
row(np.reshape, E, (3, 0, 1))
row(np.reshape, M, (3, 2), order="X")
refused(np.reshape, "copy", M, (3, 2), copy=False)
for x in (S, V, M, T, E):
    row(np.ravel, x)
    row(np.transpose, x)
    row(np.flip, x)
    row(np.copy, x, order="F", subok=True)
    row(np.squeeze, x)
    for f in (np.atleast_1d, np.atleast_2d, np.atleast_3d, np.flipud, np.fliplr):
        row(f, x)
for f in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    row(f, S, [1.0, 2.0], M)
row(np.transpose, T, axes=(1, -1, 0))
row(np.transpose, T, (1, 0))
row(np.transpose, M, (0, 0))
row(np.swapaxes, T, 0, -1)
row(np.swapaxes, M, 0, 2)
row(np.moveaxis, T, 0, -1)
row(np.moveaxis, T, [0, 1], [-1, -2])
row(np.moveaxis, T, (0, 0), (1, 2))
row(np.expand_dims, M, 1)
row(np.expand_dims, S, axis=(0, 1))
row(np.expand_dims, M, axis=(0, -1))
row(np.expand_dims, M, 5)
row(np.squeeze, In((1, 3, 1)))
row(np.squeeze, In((1, 3, 1)), axis=-1)
row(np.squeeze, In((1, 3, 1)), axis=(0, 2))
row(np.squeeze, M, axis=0)
row(np.broadcast_to, V, (2, 3))
row(np.broadcast_to, S, shape=4)
row(np.broadcast_to, In((2, 1)), (0, 2, 3), subok=True)
row(np.broadcast_to, M, (3,))
row(np.flip, M, axis=-1)
row(np.flip, T, (0, 2))
row(np.roll, M, 2)
row(np.roll, M, -1, axis=1)
row(np.roll, M, (1, 2), axis=(0, 1))
row(np.roll, M, (1, 2), 1)
row(np.roll, M, 1, (0, 1))
row(np.tile, V, 2)
row(np.tile, M, (2, 1, 2))
row(np.tile, M, reps=[1, 2])
row(np.tile, S, (2,))
row(np.tile, M, (0, 2))
row(np.copy, M)
row(np.copy, M, order="Z")
row(np.repeat, M, 2)
row(np.repeat, M, [1, 2, 0], axis=1)
row(np.repeat, M, np.array([2]), -2)
row(np.repeat, S, 3)
row(np.repeat, M, [1, 2], axis=1)
for mode in ("raise", "wrap", "clip"):
    row(np.take, M, [0, 3, 3], mode=mode)
    row(np.take, M, np.array([[1, -1], [0, 0]]), axis=1, mode=mode)
    row(np.take, M, [1, 7], mode=mode)
    row(np.take, M, 4, axis=1, mode=mode)
row(np.take, M, [], axis=1)
row(np.take, M, [True, False], axis=0)
row(np.take, M, np.array([0.0, 1.0]))
row(np.take, M, np.array([], int))
row(np.take, M, -1, -1)
row(np.take, M, [0], axis=2)
row(np.take, S, 0)
row(np.take, M, [0, 1], mode="x")
row(np.take_along_axis, M, np.array([[0, 2, 2], [1, 1, 0]]), 1)
row(np.take_along_axis, M, np.array([[2, 0]]), 1)
row(np.take_along_axis, M, np.array([[1]]), 0)
row(np.take_along_axis, M, np.array([[-1], [0]]), axis=-1)
row(np.take_along_axis, In((1, 3)), np.array([[0, 2, 2], [1, 1, 0]]), axis=1)
row(np.take_along_axis, M, np.array([5, 0, 5]), None)
row(np.take_along_axis, M, np.zeros((2, 0), int), 1)
row(np.take_along_axis, M, np.array([[3], [0]]), 1)
row(np.take_along_axis, M, np.array([[1.0], [0.0]]), 1)
row(np.take_along_axis, M, np.array([0]), 1)
for axis in (0, -1, None):
    row(np.sort, M, axis=axis)
row(np.sort, M, 0, "heapsort")
row(np.sort, M, kind="stable")
row(np.sort, M, stable=True)
if "descending" in inspect.signature(np.sort).parameters:  # from NumPy 2.5
    row(np.sort, M, descending=True)
    row(np.sort, M, axis=0, descending=False)
row(np.sort, M, kind="x")
row(np.sort, S)
row(np.sort, V, axis=1)
refused(np.sort, "order", M, order="f0")
row(np.pad, M, 1)
row(np.pad, M, ((1, 0), (0, 2)), constant_values=((1.0, 2.0), (3.0, 4.0)))
row(np.pad, M, (1, 2), "constant", constant_values=(1.0, -0.0))
row(np.pad, V, 2, constant_values=-0.0)
row(np.pad, M, pad_width=1, mode="constant", constant_values=np.inf)
for mode in ("edge", "reflect", "symmetric", "wrap"):
    row(np.pad, M, ((1, 2), (0, 3)), mode)
    row(np.pad, V, 5, mode=mode)
    row(np.pad, E, 1, mode)
row(np.pad, M, 1, mode="reflect", reflect_type="even")
refused(np.pad, "constant_values", M, 1, constant_values=1j)
row(np.pad, M, -1)
row(np.pad, M, 1.5)
row(np.pad, M, (1, 2, 3))
row(np.pad, M, 1, mode="edge", constant_values=1.0)
row(np.pad, M, 1, mode="no such")
for mode in ("linear_ramp", "maximum", "mean", "median", "minimum", "empty"):
    refused(np.pad, "mode", M, 1, mode)
refused(np.pad, "stat_length", M, 1, mode="mean", stat_length=1)
refused(np.pad, "end_values", M, 1, mode="linear_ramp", end_values=1.0)
refused(np.pad, "reflect_type", M, 1, mode="reflect", reflect_type="odd")
refused(np.pad, "dict", M, {0: 1})
for k in (0, 1, -1, 4):
    for x in (V, M, Q):
        row(np.diag, x, k)
        row(np.triu, x, k=k)
        row(np.tril, x, k=k)
row(np.diag, V, k=1)
row(np.diag, T)
row(np.diag, S)
row(np.triu, T)
row(np.triu, S)
row(np.diagonal, Q)
row(np.diagonal, T, offset=1)
row(np.diagonal, T, axis1=-1, axis2=0)
row(np.diagonal, T, -1, 1, 2)
row(np.diagonal, T, 0, 1, 1)
row(np.diagonal, V)

# ---- Joining

row(np.concatenate, [M, M])
row(np.concatenate, (M, MASK, [[1, 2, 3]]))
row(np.concatenate, (M, T))
row(np.concatenate, (M, WEIGHTS), axis=1)
row(np.concatenate, (M, V, S), None)
row(np.concatenate, (M, M), 2)
row(np.concatenate, (M, E))
row(np.stack, [M, M], axis=-1)
row(np.stack, [V, [1, 2, 3]], 1)
row(np.stack, [S, 2.0])
row(np.stack, [V, M])
row(np.stack, [M, M], 5)
row(np.vstack, [M, V])
row(np.vstack, [S, S])
row(np.hstack, [M, M])
row(np.hstack, [V, [1.0], S])
row(np.column_stack, [V, V])
row(np.column_stack, [M, [1, 2]])
for f, xs in (
    (np.concatenate, (M, WEIGHTS)),
    (np.stack, (M, MASK)),
    (np.vstack, (V, M)),
    (np.hstack, (M, MASK)),
):
    row(f, xs, dtype=np.float32)
    row(f, xs, dtype=np.longdouble)
    row(f, xs, dtype=np.float16, casting="unsafe")
    row(f, xs, dtype=np.float32, casting="no")
    refused(f, "dtype", xs, dtype=int, casting="unsafe")
row(np.split, M, 3, axis=1)
row(np.split, M, [1], axis=0)
row(np.split, M, [2, 1, 7], 1)
row(np.split, M, [-1], 1)
row(np.split, M, np.int64(2))
row(np.split, M, 2, 1)
row(np.split, M, 0)
row(np.split, M, 1, 2)
row(np.split, M, [1.0], 1)
row(np.array_split, M, 2, axis=1)
row(np.array_split, V, 5)
row(np.array_split, M, [1, 2], -1)
row(np.array_split, M, 0)

# ---- Products

for pair in (
    (V, V),
    (M, V),
    (M, Q),
    (S, M),
    (M, S),
    (M, 2.0),
    (T, M),
    (T, In((2, 2, 3))),
    (T, In((2,))),
    (V, M),
    (E, V),
):
    row(np.dot, *pair)
for pair in ((V, V), (M, M), (V, [1, 2, 3]), (S, S), (V, In((4,)))):
    row(np.vdot, *pair)
for pair in ((V, V), (M, V), (M, Q), (S, M), (T, In((4, 2))), (V, In((4,)))):
    row(np.inner, *pair)
for pair in ((V, V), (M, V), (S, M), (V, [1.0, 2.0])):
    row(np.outer, *pair)
row(np.tensordot, T, In((3, 2, 2)))
row(np.tensordot, V, V, axes=0)
row(np.tensordot, M, Q, 1)
row(np.tensordot, T, M, axes=([0, 1], [0, 1]))
row(np.tensordot, T, M, (-2, -1))
row(np.tensordot, M, M, 1)
row(np.tensordot, M, M, 3)
row(np.tensordot, T, M, axes=([0, 0], [0, 0]))
for subscripts, operands in (
    ("ij,jk->ik", (M, Q)),
    ("ij,jk", (M, Q)),
    ("ji", (M,)),
    ("ij->", (M,)),
    ("ii", (Q,)),
    ("ii->i", (Q,)),
    ("ii", (M,)),
    ("ii->i", (In((1, 3)),)),
    ("ij,jk->ik", (In((2, 1)), Q)),
    ("ij,ij->i", (M, In((1, 3)))),
    ("ij,ij", (In((2, 1)), In((1, 3)))),
    ("i,i,i->i", (In((1,)), V, V)),
    ("ijk,j->i", (In((2, 1, 4)), V)),
    ("ii,i->i", (In((1, 1)), V)),
    ("ii,ij->j", (Q, Q)),
    ("iij->j", (In((2, 2, 3)),)),
    ("...j,...j", (M, In((1, 3)))),
    ("...ij,...jk->...ik", (T, In((2, 4)))),
    ("...ij,...jk->...ik", (In((1, 2, 3)), In((4, 3, 2)))),
    ("i...->...", (T,)),
    ("...i->i", (M,)),
    ("...i->i", (V,)),
    ("...", (M,)),
    ("ij,k->i", (M, V)),
    (",i->i", (S, V)),
    ("ij,kj,lk->il", (M, Q, M)),
    ("ij->ji", (E,)),
    ("ij,j->i", (M, In((4,)))),
    ("ij->iij", (M,)),
    ("ij->k", (M,)),
    ("ij", (V,)),
    ("ij,ij", (M,)),
):
    row(np.einsum, subscripts, *operands)
row(np.einsum, "ij,jk,kl", M, Q, Q, optimize=True)
row(np.einsum, "ij,jk,kl->il", M, Q, Q, optimize="greedy")
row(np.einsum, "ij,jk->ki", M, Q, optimize=False, order="C")
refused(np.einsum, "dtype", "ij->i", M, dtype=np.float64)
refused(np.einsum, "casting", "ij->i", M, casting="safe")
refused(np.einsum, "subscripts", M, [0, 1], [0])

# ---- Matrices

R, BATCH = In((3, 3), "regular"), In((2, 2, 2), "regular")
for x in (R, BATCH, In((0, 0)), M, V):
    for f in (np.linalg.inv, np.linalg.det, np.linalg.slogdet):
        row(f, x)
row(np.linalg.solve, R, V)
row(np.linalg.solve, R, Q)
row(np.linalg.solve, R, [1.0, 2.0, 3.0])
row(np.linalg.solve, BATCH, In((2, 1)))
row(np.linalg.solve, M, V)
for x in (In((3, 3), "spd"), In((2, 2, 2), "spd"), M):
    row(np.linalg.cholesky, x)
    row(np.linalg.cholesky, x, upper=True)
    row(np.linalg.cholesky, x, upper=False)
