"""NumPy's own functions, called on tensors: they differentiate, or give plain arrays, or say what to do instead."""

import numpy as np
import pytest

import autograd as ag
from autograd.numpy_functions import FUNCTIONS, PLAIN_FUNCTIONS

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]])
SQUARE = np.array([[2.0, 0.3, 0.1], [0.2, 3.0, -0.4], [0.5, 0.1, 1.5]])

CALLS = {
    np.sum: [
        lambda x: np.sum(x),
        lambda x: np.sum(x, axis=1, keepdims=True),
        lambda x: np.sum(x, 0),
        lambda x: np.sum(a=x),
    ],
    np.mean: [lambda x: np.mean(x), lambda x: np.mean(x, axis=0)],
    np.average: [lambda x: np.average(x), lambda x: np.average(x, axis=1), lambda x: np.average(x, 1, np.abs(X))],
    np.var: [lambda x: np.var(x), lambda x: np.var(x, axis=1, ddof=1), lambda x: np.var(x, axis=0, keepdims=True)],
    np.std: [lambda x: np.std(x), lambda x: np.std(x, axis=1)],
    np.max: [lambda x: np.max(x), lambda x: np.max(x, axis=0)],
    np.amax: [lambda x: np.amax(x, axis=1, keepdims=True)],
    np.min: [lambda x: np.min(x), lambda x: np.min(x, axis=1)],
    np.amin: [lambda x: np.amin(x, 0)],
    np.prod: [lambda x: np.prod(x), lambda x: np.prod(x, axis=1)],
    np.cumsum: [lambda x: np.cumsum(x), lambda x: np.cumsum(x, axis=1)],
    np.diff: [lambda x: np.diff(x), lambda x: np.diff(x, axis=0), lambda x: np.diff(x, n=2)],
    np.ptp: [lambda x: np.ptp(x), lambda x: np.ptp(x, axis=1)],
    np.linalg.norm: [
        lambda x: np.linalg.norm(x),
        lambda x: np.linalg.norm(x, axis=1),
        lambda x: np.linalg.norm(x, 1, 1),
    ],
    np.clip: [lambda x: np.clip(x, -0.6, 1.0), lambda x: np.clip(x, None, 1.0), lambda x: np.clip(x, min=0.0)],
    np.where: [lambda x: np.where(X > 0, x, 0.0), lambda x: np.where(X > 0, 2.0, x * x)],
    np.nan_to_num: [lambda x: np.nan_to_num(x)],
    np.reshape: [lambda x: np.reshape(x, (3, 2)), lambda x: np.reshape(x, -1)],
    np.ravel: [lambda x: np.ravel(x)],
    np.transpose: [
        lambda x: np.transpose(x),
        lambda x: np.transpose(x, (1, 0)),
        lambda x: np.transpose(x, axes=(0, 1)),
    ],
    np.swapaxes: [lambda x: np.swapaxes(x, 0, 1)],
    np.moveaxis: [lambda x: np.moveaxis(x, 0, -1)],
    np.expand_dims: [lambda x: np.expand_dims(x, 1), lambda x: np.expand_dims(x, axis=(0, 1))],
    np.squeeze: [lambda x: np.squeeze(x[:1]), lambda x: np.squeeze(x[:1], axis=0)],
    np.broadcast_to: [lambda x: np.broadcast_to(x, (2, 2, 3))],
    np.atleast_1d: [lambda x: np.atleast_1d(x), lambda x: np.atleast_1d(np.sum(x))],
    np.atleast_2d: [lambda x: np.atleast_2d(x[0])],
    np.atleast_3d: [lambda x: np.atleast_3d(x), lambda x: np.atleast_3d(x[0])],
    np.flip: [lambda x: np.flip(x), lambda x: np.flip(x, axis=0)],
    np.flipud: [lambda x: np.flipud(x)],
    np.fliplr: [lambda x: np.fliplr(x)],
    np.roll: [lambda x: np.roll(x, 2), lambda x: np.roll(x, 1, axis=1)],
    np.tile: [lambda x: np.tile(x, 2), lambda x: np.tile(x, (2, 1, 2))],
    np.copy: [lambda x: np.copy(x)],
    np.repeat: [lambda x: np.repeat(x, 2), lambda x: np.repeat(x, [1, 2, 0], axis=1)],
    np.take: [lambda x: np.take(x, [0, 3, 3]), lambda x: np.take(x, [1, 1], axis=0)],
    np.take_along_axis: [lambda x: np.take_along_axis(x, np.argsort(X, 1), 1)],
    np.sort: [lambda x: np.sort(x), lambda x: np.sort(x, axis=0), lambda x: np.sort(x, axis=None)],
    np.pad: [lambda x: np.pad(x, 1), lambda x: np.pad(x, ((1, 0), (0, 2)), mode="edge")],
    np.diag: [lambda x: np.diag(x), lambda x: np.diag(x[0], k=1)],
    np.diagonal: [lambda x: np.diagonal(x), lambda x: np.diagonal(x, offset=1)],
    np.triu: [lambda x: np.triu(x), lambda x: np.triu(x, k=1)],
    np.tril: [lambda x: np.tril(x)],
    np.concatenate: [
        lambda x: np.concatenate([x, x * x]),
        lambda x: np.concatenate((x, X), axis=1),
        lambda x: np.concatenate([x, x], axis=None),
    ],
    np.stack: [lambda x: np.stack([x, x * x]), lambda x: np.stack((x, X), axis=-1)],
    np.vstack: [lambda x: np.vstack([x, x[0]])],
    np.hstack: [lambda x: np.hstack([x, x * x]), lambda x: np.hstack([x[0], x[1] * x[1]])],
    np.column_stack: [lambda x: np.column_stack([x[0], x[1]]), lambda x: np.column_stack([x, x[:, 0]])],
    np.split: [lambda x: sum(np.split(x, 3, axis=1)), lambda x: np.split(x, [1], axis=0)[1]],
    np.array_split: [lambda x: np.array_split(x, 3, axis=1)[1], lambda x: np.array_split(x, 2, axis=1)[0]],
    np.dot: [lambda x: np.dot(x, SQUARE), lambda x: np.dot(x[0], x[1])],
    np.vdot: [lambda x: np.vdot(x, x * x)],
    np.inner: [lambda x: np.inner(x, x), lambda x: np.inner(x[0], X)],
    np.outer: [lambda x: np.outer(x[0], x[1])],
    np.tensordot: [lambda x: np.tensordot(x, SQUARE, 1), lambda x: np.tensordot(x, x, axes=([0, 1], [0, 1]))],
    np.einsum: [
        lambda x: np.einsum("ij,kj->ik", x, x),
        lambda x: np.einsum("...j,...j", x, X),
        lambda x: np.einsum("ii", x @ x.T),
        lambda x: np.einsum("ij->", x),
        lambda x: np.einsum("ij,ij,ij->j", x, x, X),
    ],
    np.trace: [lambda x: np.trace(x), lambda x: np.trace(x, offset=1)],
    np.linalg.inv: [lambda x: np.linalg.inv(x[:, :2] + SQUARE[:2, :2])],
    np.linalg.solve: [
        lambda x: np.linalg.solve(SQUARE, x.T),
        lambda x: np.linalg.solve(x[:, :2] + SQUARE[:2, :2], X[:, 0]),
    ],
    np.linalg.det: [lambda x: np.linalg.det(x[:, :2] + SQUARE[:2, :2])],
    np.linalg.slogdet: [lambda x: np.linalg.slogdet(x[:, :2] + SQUARE[:2, :2])[1]],
    np.linalg.cholesky: [lambda x: np.linalg.cholesky(x @ x.T)],
}

every_call = pytest.mark.parametrize(
    "f",
    [pytest.param(f, id=f"{function.__name__}-{k}") for function, calls in CALLS.items() for k, f in enumerate(calls)],
)


def test_every_function_with_a_rule_has_a_call():
    assert {function.__name__ for function in set(FUNCTIONS) - set(CALLS)} == set()


@every_call
def test_numpys_function_gives_the_same_numbers(f):
    result = f(ag.Tensor(X))
    assert type(result) is ag.Tensor
    np.testing.assert_allclose(result.data, f(X), rtol=1e-12, atol=1e-14)


@every_call
def test_numpys_function_differentiates(f):
    assert ag.gradcheck(f, X, order=2, trials=1)


PLAIN_CALLS = [
    lambda x: np.argmax(x, axis=1),
    lambda x: np.argmin(x),
    lambda x: np.argsort(x),
    lambda x: np.shape(x),
    lambda x: np.ndim(x),
    lambda x: np.size(x),
    lambda x: np.floor(x),
    lambda x: np.sign(x),
    lambda x: np.round(x),
    lambda x: np.rint(x),
    lambda x: np.isnan(x),
    lambda x: np.isclose(x, X),
    lambda x: np.allclose(x, X),
    lambda x: np.array_equal(x, X),
    lambda x: np.any(x > 0),
    lambda x: np.all(x),
    lambda x: np.nonzero(x)[0],
    lambda x: np.where(x > 0)[0],
    lambda x: np.count_nonzero(x),
    lambda x: np.zeros_like(x),
    lambda x: np.ones_like(x),
    lambda x: np.searchsorted(np.array([0.0, 1.0]), x),
    lambda x: np.digitize(x, np.array([0.0, 1.0])),
    lambda x: np.result_type(x, np.float32),
    lambda x: np.greater(x, 0.2),
]


@pytest.mark.parametrize("f", PLAIN_CALLS)
def test_what_does_not_vary_is_plain(f):
    result = f(ag.Tensor(X))
    assert not isinstance(result, ag.Node)
    np.testing.assert_array_equal(result, f(X))


def test_no_function_is_both_differentiable_and_plain():
    assert set(FUNCTIONS) & PLAIN_FUNCTIONS == set()


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (
            lambda t: np.fft.fft(t),
            r"fft has no rule here: take the `.data` of its arguments, or define an @ag.primitive",
        ),
        (lambda t: np.unique(t), "np.unique has no rule here"),
        (lambda t: np.median(t), "np.median has no rule here"),
        (lambda t: np.linalg.svd(t), "np.linalg.svd has no rule here"),
        (lambda t: np.cross(t, t), "np.cross has no rule here"),
        (lambda t: np.percentile(t, 50), "np.percentile has no rule here"),
        (lambda t: np.interp(t, [0.0], [0.0]), "np.interp has no rule here"),
        (lambda t: np.sum(t, where=X > 0), "np.sum of a Tensor: its rule got an unexpected keyword argument 'where'"),
        (lambda t: np.sum(t, out=np.zeros(())), "np.sum of a Tensor"),
        (
            lambda t: np.mean(t, dtype=np.float32),
            "np.mean of a Tensor: its rule got an unexpected keyword argument 'dtype'",
        ),
        (lambda t: np.concatenate([t, t], out=np.zeros((4, 3))), "np.concatenate of a Tensor"),
        (lambda t: np.copyto(np.zeros((2, 3)), t), "np.copyto has no rule here"),
    ],
)
def test_what_has_no_rule_says_so(f, message):
    with pytest.raises(TypeError, match=message):
        f(ag.Tensor(X))


def test_arguments_left_at_none_are_allowed():
    t = ag.Tensor(X)
    assert np.sum(t, axis=None, out=None, dtype=None).item() == pytest.approx(X.sum())
    assert np.max(t, axis=None, initial=np._NoValue).item() == 2.0


def test_a_program_written_for_numpy_differentiates():
    def softmax_loss(w, x, y):
        logits = np.tanh(x @ w)
        logits = logits - np.max(logits, axis=1, keepdims=True)
        log_probabilities = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
        return -np.mean(np.sum(y * log_probabilities, axis=1))

    rng = np.random.default_rng(0)
    w, x, y = rng.normal(size=(3, 4)), rng.normal(size=(5, 3)), np.eye(4)[[0, 1, 2, 3, 1]]
    assert ag.gradcheck(softmax_loss, w, x, y, order=2, trials=1)
    assert softmax_loss(ag.Tensor(w), x, y).item() == pytest.approx(softmax_loss(w, x, y))
