"""The operations on arrays: one or more cases of each, with what NumPy gives, on shapes that are easy to get wrong.

The elements of an argument are all different and more than 0.02 apart, so that no case is near a tie.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd as ag


@dataclass(frozen=True)
class Case:
    name: str  # as exported by autograd
    ours: Callable[..., Any]
    numpys: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    insensitive: frozenset[str] = frozenset()  # operations within, whose rule may be scaled without any effect
    rtol32: float = 1e-5

    def arrays(self, seed: int = 0) -> list[np.ndarray]:
        rng = np.random.default_rng(seed)
        arrays = []
        for shape in self.shapes:
            size = math.prod(shape)
            arrays.append(
                rng.permutation(np.linspace(-1.5, 2.0, size) + 0.013).reshape(shape) if size else np.zeros(shape)
            )
        return arrays

    def __str__(self) -> str:
        return f"{self.name}-{'-'.join('x'.join(map(str, shape)) or 'scalar' for shape in self.shapes)}"


def both(name: str, *args: Any, shapes: list[Any], numpys: Any = None, **kwargs: Any) -> list[Case]:
    """A case for each shape (or tuple of shapes), with the same further arguments for ours and for NumPy's."""
    ours, theirs = getattr(ag, name), numpys or getattr(np, name)
    return [
        Case(
            name,
            lambda *xs: ours(*xs, *args, **kwargs),
            lambda *xs: theirs(*xs, *args, **kwargs),
            tuple(shape) if shape and isinstance(shape[0], tuple) else (shape,),
        )
        for shape in shapes
    ]


def spd(x: Any) -> Any:
    """A symmetric matrix with eigenvalues above 1 (of a batch: each)."""
    return x @ np.swapaxes(x, -1, -2) + 2 * np.eye(x.shape[-1])


def regular(x: Any) -> Any:
    """A matrix that is far from singular."""
    return x + 4 * np.eye(x.shape[-1])


def softmax(x: Any, axis: Any) -> Any:
    return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)


def linear(x: Any, w: Any, b: Any) -> Any:
    return x @ w.T + b


def conv2d(x: Any, w: Any, b: Any = 0.0, stride: int = 1) -> Any:
    """The sum that the definition says, for images of `(n, c, h, w)` and no padding."""
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))[:, :, ::stride, ::stride]
    return np.einsum("ncyxij,ocij->noyx", windows, w) + np.reshape(b, (-1, 1, 1))


def pooled(x: Any, reduce: Any) -> Any:
    """`reduce` over windows of 2 by 2 that touch."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (2, 2), (-2, -1))[..., ::2, ::2, :, :]
    return reduce(windows, axis=(-2, -1))


INDICES = [
    (1, (4,)),
    (-1, (3, 2)),
    (slice(1, None), (4, 2)),
    (slice(None, None, -2), (5,)),
    ((slice(None), 1), (3, 2)),
    ((Ellipsis, None, 0), (3, 2)),
    ((1, 0), (3, 2)),
    ([0, 2, 0], (3, 2)),
    (np.array([[0, 1], [1, 1]]), (3,)),
    ((np.array([0, 1]), np.array([1, 1])), (2, 3)),
    ((slice(None), np.array([1, 1]), slice(0, 1)), (2, 3, 2)),
    (np.array([True, False, True]), (3, 2)),
    (np.array([], int), (3,)),
    (slice(0, 0), (3,)),
    ((), (2,)),
    (Ellipsis, ()),
    (None, (2, 2)),
]


def _updated(x: Any, y: Any, key: Any) -> Any:
    x = np.array(x)
    x[key] = y
    return x


EINSUMS = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ij->ji", [(2, 3)]),
    ("ij->", [(2, 3)]),
    ("ij->i", [(2, 3)]),
    ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]),
    ("iij->j", [(2, 2, 3)]),
    ("iii->i", [(2, 2, 2)]),
    ("ii,ij->j", [(2, 2), (2, 3)]),
    ("i,j->ij", [(2,), (3,)]),
    ("i,i", [(3,), (3,)]),
    ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]),
    ("...ij,...jk->...ik", [(2, 2, 3), (3, 2)]),
    ("...ij,jk->...ik", [(2, 2, 3), (3, 2)]),
    ("...i->...", [(2, 3)]),
    ("i...->...", [(2, 3)]),
    ("...", [(2, 3)]),
    ("...i,...i", [(2, 3), (3,)]),
    ("i...,i...->...", [(2, 3), (2, 3)]),
    ("ij,kj,lk->il", [(2, 3), (2, 3), (2, 2)]),
    ("ij,k->i", [(2, 3), (4,)]),
    (" i j , j -> i ", [(2, 3), (3,)]),
    (",i->i", [(), (3,)]),
    ("ij,ij,ij->", [(2, 2), (2, 2), (2, 2)]),
]

CASES: list[Case] = [
    # shaping
    *both("reshape", (3, 2), shapes=[(2, 3), (6,)]),
    *both("reshape", -1, shapes=[(2, 3), (0, 2), ()]),
    *both("reshape", (), shapes=[(1, 1)]),
    *both("ravel", shapes=[(2, 3), (), (0,)]),
    *both("transpose", shapes=[(2, 3), (3,), (2, 1, 3), (0, 2)]),
    *both("transpose", (2, 0, 1), shapes=[(2, 3, 4)]),
    *both("transpose", (-1, 0, 1), shapes=[(2, 3, 4)]),
    *both("swapaxes", 0, -1, shapes=[(2, 3), (2, 3, 4)]),
    *both("moveaxis", 0, -1, shapes=[(2, 3, 4)]),
    *both("moveaxis", (0, 1), (-1, 0), shapes=[(2, 3, 4)]),
    *both("expand_dims", 0, shapes=[(2,), ()]),
    *both("expand_dims", (0, -1), shapes=[(2, 3)]),
    *both("squeeze", shapes=[(1, 2, 1), (1,)]),
    *both("squeeze", 0, shapes=[(1, 2, 1)]),
    *both("broadcast_to", (2, 3), shapes=[(3,), (2, 1), (1, 1), ()]),
    *both("broadcast_to", (0, 3), shapes=[(3,)]),
    *both("flip", shapes=[(2, 3)]),
    *both("flip", 1, shapes=[(2, 3)]),
    *both("flip", (0, 1), shapes=[(2, 3)]),
    *both("roll", 2, shapes=[(5,), (2, 3)]),
    *both("roll", (1, -1), (0, 1), shapes=[(2, 3)]),
    *both("tile", 2, shapes=[(3,), (2, 3)]),
    *both("tile", (2, 1, 3), shapes=[(2,), (2, 2)]),
    *both("tile", (2,), shapes=[(2, 2, 2), ()]),
    Case("cast", lambda x: ag.cast(x, float), lambda x: x.astype(float), ((2, 3),)),
    # indexing
    *[case for key, shape in INDICES for case in both("index", key, shapes=[shape], numpys=lambda x, key: x[key])],
    *[
        Case(
            "index_update",
            lambda x, y, key=key: ag.index_update(x, key, y),
            lambda x, y, key=key: _updated(x, y, key),
            (shape, value),
        )
        for key, shape, value in [
            (1, (3,), ()),
            (slice(0, 2), (3,), (2,)),
            (slice(0, 2), (3, 2), (2,)),
            ((slice(None), 1), (3, 2), (3,)),
            (np.array([0, 2]), (3,), (2,)),
            (np.array([0, 0]), (3,), (2,)),
            (np.array([True, False, True]), (3, 2), (2, 2)),
            (Ellipsis, (), ()),
        ]
    ],
    *both("take", [2, 0, 2], shapes=[(3,), (2, 3)]),
    *both("take", [1, 0, 1], 1, shapes=[(2, 3)]),
    *both("take", 1, -1, shapes=[(2, 3)]),
    *both("take_along_axis", np.array([[0, 1], [2, 2]]), 1, shapes=[(2, 3)]),
    *both("take_along_axis", np.array([4, 0, 4]), None, shapes=[(2, 3)]),
    *both("take_along_axis", np.array([[1, 0, 1]]), 0, shapes=[(2, 3)]),
    *both("repeat", 2, shapes=[(3,), (2, 2)]),
    *both("repeat", [1, 0, 2], 1, shapes=[(2, 3)]),
    *both("sort", shapes=[(5,), (2, 3)]),
    *both("sort", 0, shapes=[(3, 2)]),
    *both("sort", None, shapes=[(3, 2)]),
    *both("diagonal", shapes=[(3, 3), (2, 3), (3, 2, 2)]),
    *both("diagonal", 1, shapes=[(3, 3), (2, 4)]),
    *both("diagonal", -1, 1, 2, shapes=[(2, 3, 3)]),
    *both("diagonal", 5, shapes=[(2, 3)]),
    *both("diag", shapes=[(3,), (3, 3), (2, 3)]),
    *both("diag", 1, shapes=[(2,), (3, 3)]),
    *both("diag", -2, shapes=[(2,), (3, 3)]),
    *both("triu", shapes=[(3, 3), (2, 2, 3)]),
    *both("tril", -1, shapes=[(3, 3), (2, 4)]),
    *both("pad", 1, shapes=[(2,), (2, 2)]),
    *both("pad", ((0, 1), (2, 0)), constant_values=3.0, shapes=[(2, 3)]),
    *both("pad", ((1, 2), (0, 1)), mode="edge", shapes=[(2, 3)]),
    *both("pad", 2, mode="reflect", shapes=[(3,), (3, 3)]),
    *both("pad", 1, mode="symmetric", shapes=[(3,)]),
    *both("pad", 2, mode="wrap", shapes=[(3, 2)]),
    # joining
    *[
        Case(
            "concatenate",
            lambda *xs, axis=axis: ag.concatenate(xs, axis),
            lambda *xs, axis=axis: np.concatenate(xs, axis),
            shapes,
        )
        for axis, shapes in [
            (0, ((2,), (3,), (1,))),
            (1, ((2, 1), (2, 3))),
            (-1, ((2, 1), (2, 0), (2, 2))),
            (None, ((2, 2), (3,))),
        ]
    ],
    *[
        Case("stack", lambda *xs, axis=axis: ag.stack(xs, axis), lambda *xs, axis=axis: np.stack(xs, axis), shapes)
        for axis, shapes in [(0, ((), ())), (1, ((2,), (2,), (2,))), (-1, ((2, 3), (2, 3)))]
    ],
    *[
        Case(
            "split",
            lambda x, at=at, axis=axis: ag.concatenate(
                [part * (k + 1) for k, part in enumerate(ag.split(x, at, axis))], axis
            ),
            lambda x, at=at, axis=axis: np.concatenate(
                [part * (k + 1) for k, part in enumerate(np.split(x, at, axis))], axis
            ),
            (shape,),
        )
        for at, axis, shape in [(3, 0, (6,)), (2, 1, (2, 4)), ([1, 3], 0, (4, 2)), ([1], -1, (2, 3))]
    ],
    # reductions
    *[
        case
        for name in ("sum", "mean", "max", "min", "prod")
        for case in [
            *both(name, shapes=[(3,), (2, 3), ()]),
            *both(name, axis=1, shapes=[(2, 3)]),
            *both(name, axis=(0, -1), keepdims=True, shapes=[(2, 3, 2)]),
            *both(name, axis=-1, keepdims=True, shapes=[(2, 3)]),
        ]
    ],
    *both("sum", shapes=[(0,)]),
    *both("sum", axis=0, shapes=[(0, 3)]),
    *both("prod", shapes=[(0,), (7,)]),
    *[
        Case(name, ours, theirs, (shape,), frozenset({"mean", "mean(axis=1)", "mean(axis=0)"}))
        for name, ours, theirs, shape in [
            ("var", ag.var, np.var, (5,)),
            ("var", lambda x: ag.var(x, 1), lambda x: np.var(x, 1), (2, 3)),
            ("var", lambda x: ag.var(x, 0, 1, True), lambda x: np.var(x, 0, ddof=1, keepdims=True), (3, 2)),
            ("std", ag.std, np.std, (5,)),
            ("std", lambda x: ag.std(x, 1, ddof=1), lambda x: np.std(x, 1, ddof=1), (2, 3)),
        ]
    ],
    *both("cumsum", shapes=[(4,), (2, 3)]),
    *both("cumsum", 0, shapes=[(3, 2)]),
    *both("cumsum", -1, shapes=[(2, 3)]),
    *both("norm", shapes=[(3,), (2, 3)], numpys=np.linalg.norm),
    *both("norm", axis=1, keepdims=True, shapes=[(2, 3)], numpys=np.linalg.norm),
    *both("norm", 2, 0, shapes=[(3, 2)], numpys=np.linalg.norm),
    *both("norm", 1, shapes=[(4,)], numpys=np.linalg.norm),
    *both("norm", 3, 1, shapes=[(2, 3)], numpys=np.linalg.norm),
    *both("norm", np.inf, shapes=[(4,)], numpys=np.linalg.norm),
    *both("norm", -np.inf, 1, shapes=[(2, 3)], numpys=np.linalg.norm),
    *both("norm", "fro", shapes=[(2, 3)], numpys=np.linalg.norm),
    *both(
        "logsumexp",
        shapes=[(3,), (2, 3)],
        numpys=lambda x: np.log(np.sum(np.exp(x))),
    ),
    *both(
        "logsumexp",
        axis=1,
        keepdims=True,
        shapes=[(2, 3)],
        numpys=lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
    ),
    *both("softmax", -1, shapes=[(4,), (2, 3)], numpys=softmax),
    *both("softmax", (0, 1), shapes=[(2, 3)], numpys=softmax),
    *both("log_softmax", -1, shapes=[(4,), (2, 3)], numpys=lambda x, axis: np.log(softmax(x, axis))),
    *both("log_softmax", None, shapes=[(2, 3)], numpys=lambda x, axis: np.log(softmax(x, axis))),
    # linear algebra
    *both(
        "matmul",
        shapes=[
            ((3,), (3,)),
            ((2, 3), (3,)),
            ((3,), (3, 2)),
            ((2, 3), (3, 4)),
            ((2, 2, 3), (2, 3, 1)),
            ((2, 2, 3), (3, 2)),
            ((3,), (2, 3, 2)),
            ((2, 1, 2, 3), (2, 3, 1)),
            ((2, 2, 3), (3,)),
            ((0, 3), (3, 2)),
            ((2, 0), (0, 3)),
        ],
    ),
    *both("linear", shapes=[((2, 3), (4, 3), (4,)), ((2, 2, 3), (4, 3), (4,)), ((3,), (4, 3), (4,))], numpys=linear),
    *both("outer", shapes=[((2,), (3,)), ((2, 2), (3,))]),
    *both("tensordot", shapes=[((2, 3, 2), (3, 2, 2)), ((2, 3), (2, 3))]),
    *both("tensordot", 0, shapes=[((2,), (3,))]),
    *both("tensordot", ([0, -1], [1, 0]), shapes=[((2, 3, 4), (4, 2))]),
    *both("tensordot", (1, 0), shapes=[((2, 3), (3, 2))]),
    *both(
        "dot",
        shapes=[((3,), (3,)), ((2, 3), (3,)), ((2, 3), (3, 2)), ((), (3,)), ((2, 2, 3), (2, 3, 2)), ((2, 2, 3), (3,))],
    ),
    *both("trace", shapes=[(3, 3), (2, 3)]),
    *both("trace", 1, shapes=[(3, 3)]),
    *[
        Case("einsum", lambda *xs, s=s: ag.einsum(s, *xs), lambda *xs, s=s: np.einsum(s, *xs), tuple(shapes))
        for s, shapes in EINSUMS
    ],
    Case("inv", lambda x: ag.inv(regular(x)), lambda x: np.linalg.inv(regular(x)), ((3, 3),)),
    Case("inv", lambda x: ag.inv(regular(x)), lambda x: np.linalg.inv(regular(x)), ((2, 2, 2),)),
    *[
        Case(
            "solve",
            lambda a, b: ag.solve(regular(a), b),
            lambda a, b: np.linalg.solve(regular(a), b),
            shapes,
        )
        for shapes in [
            ((3, 3), (3,)),
            ((3, 3), (3, 2)),
            ((2, 2, 2), (2, 2, 1)),
            ((2, 2), (2, 2, 3)),
            ((2, 2, 2), (2, 1)),
        ]
    ],
    Case("det", lambda x: ag.det(regular(x)), lambda x: np.linalg.det(regular(x)), ((3, 3),)),
    Case("det", lambda x: ag.det(regular(x)), lambda x: np.linalg.det(regular(x)), ((2, 2, 2),)),
    Case("slogdet", lambda x: ag.slogdet(-regular(x))[1], lambda x: np.linalg.slogdet(-regular(x))[1], ((3, 3),)),
    Case("slogdet", lambda x: ag.slogdet(regular(x))[1], lambda x: np.linalg.slogdet(regular(x))[1], ((2, 2, 2),)),
    Case("cholesky", lambda x: ag.cholesky(spd(x)), lambda x: np.linalg.cholesky(spd(x)), ((3, 3),)),
    Case("cholesky", lambda x: ag.cholesky(spd(x)), lambda x: np.linalg.cholesky(spd(x)), ((2, 2, 2),)),
    # windows
    *both("conv2d", shapes=[((2, 2, 4, 3), (3, 2, 2, 3)), ((2, 2, 4, 3), (3, 2, 2, 2), (3,))], numpys=conv2d),
    *both("conv2d", stride=2, shapes=[((1, 2, 5, 4), (3, 2, 2, 1), (3,))], numpys=conv2d),
    *both("max_pool2d", 2, shapes=[(2, 1, 4, 5), (2, 5, 2)], numpys=lambda x, _: pooled(x, np.max)),
    *both("avg_pool2d", 2, shapes=[(2, 1, 4, 5), (2, 5, 2)], numpys=lambda x, _: pooled(x, np.mean)),
    *both(
        "adaptive_avg_pool2d",
        (2, 1),
        shapes=[(2, 1, 4, 2)],
        numpys=lambda x, _: x.reshape(2, 1, 2, 2, 2).mean((3, 4))[..., None],
    ),
]
