"""Products and decompositions: identities of matrices, and torch, as oracles."""

import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 3)) + 3 * np.eye(3)
B = RNG.normal(size=(3, 2))
W = RNG.normal(size=(3, 3))


@pytest.mark.parametrize("name", ["inv", "det", "cholesky", "slogdet", "solve"])
def test_gradients_of_decompositions_are_those_of_torch(name):
    torch = pytest.importorskip("torch")
    t = torch.tensor(A, requires_grad=True)
    weights = torch.tensor(W)
    if name == "solve":
        theirs = (torch.linalg.solve(t, torch.tensor(B)) * weights[:, :2]).sum()
        ours = ag.grad(lambda a: ag.sum(ag.solve(a, B) * W[:, :2]))(A)
    elif name == "slogdet":
        theirs, ours = torch.linalg.slogdet(t)[1], ag.grad(lambda a: ag.slogdet(a)[1])(A)
    elif name == "det":
        theirs, ours = torch.linalg.det(t), ag.grad(ag.det)(A)
    elif name == "inv":
        theirs, ours = (torch.linalg.inv(t) * weights).sum(), ag.grad(lambda a: ag.sum(ag.inv(a) * W))(A)
    else:
        theirs = (torch.linalg.cholesky(t @ t.T) * weights).sum()
        ours = ag.grad(lambda a: ag.sum(ag.cholesky(a @ a.T) * W))(A)
    theirs.backward()
    np.testing.assert_allclose(ours, t.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_the_gradient_of_a_cholesky_factor_is_symmetric():
    gradient = ag.grad(lambda x: ag.sum(ag.cholesky(x) * W))(A @ A.T)
    np.testing.assert_allclose(gradient, gradient.T)


def test_the_gradient_of_the_log_of_a_determinant_is_the_inverse_transposed():
    np.testing.assert_allclose(ag.grad(lambda a: ag.slogdet(a)[1])(A), np.linalg.inv(A).T)
    sign, _ = ag.slogdet(ag.Tensor(-np.eye(3)))
    assert sign == -1.0
    assert not isinstance(sign, ag.Node)


# ---- Singular matrices: adjugates of integer matrices by minors are exact

SINGULAR = {
    "0": np.zeros((1, 1)),
    "zeros": np.zeros((3, 3)),
    "rank 1 of 2": np.array([[1.0, 2.0], [2.0, 4.0]]),
    "rank 1 of 3": np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 2.0]),
    "rank 2 of 3": np.arange(9.0).reshape(3, 3),
    "rank 3 of 4": np.diag([1.0, 0.0, -2.0, 3.0])[[1, 0, 3, 2]],
    "rank 2 of 4": np.diag([1.0, 0.0, 0.0, -3.0])[[1, 0, 3, 2]],
    "rank 2 but for rounding": np.array([[0.5, 0.2, 0.7], [0.4, 0.8, 0.7], [1.3, 1.8, 2.1]]),
    "regular": A,
}


def cofactors(x):
    """By minors, row by row."""
    less = [[np.delete(np.delete(x, i, 0), j, 1) for j in range(len(x))] for i in range(len(x))]
    return np.array([[(-1) ** (i + j) * (np.linalg.det(m) if m.size else 1.0) for j, m in enumerate(r)] for i, r in enumerate(less)])  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SINGULAR)
def test_derivatives_of_the_determinant_are_exact_at_every_rank(name, dtype):
    x = SINGULAR[name].astype(dtype)
    close = {"rtol": 0, "atol": 60 * np.finfo(dtype).eps * max(1.0, float(abs(x).max())) ** len(x)}
    slope = ag.grad(ag.det)(x)
    assert slope.dtype == dtype
    np.testing.assert_allclose(slope, cofactors(x.astype(float)), **close)
    # A determinant is a polynomial of degree one in each element, so that differences are exact.
    steps = np.eye(x.size).reshape(-1, *x.shape)
    second = [cofactors(x + step) - cofactors(x.astype(float)) for step in steps]
    np.testing.assert_allclose(ag.hessian(ag.det)(x).reshape(x.size, *x.shape), second, **close)
    assert np.isfinite(ag.jacobian(ag.hessian(ag.det))(x)).all() == (name == "regular")


def test_a_stack_may_hold_singular_matrices_and_regular_ones():
    x = np.stack([np.ones((3, 3)), A, np.full((3, 3), np.nan), 1e-120 * np.eye(3), np.arange(9.0).reshape(3, 3)])
    with np.errstate(invalid="ignore"):  # NumPy's own warning of nan
        slopes = ag.grad(lambda x: ag.sum(ag.det(x)))(x)
    for i in (0, 1, 3, 4):
        np.testing.assert_allclose(slopes[i], ag.grad(ag.det)(x[i]), rtol=1e-12, atol=1e-14 * abs(x[i]).max() ** 2)
    assert np.isnan(slopes[2]).all()
    np.testing.assert_allclose(slopes[3], 1e-240 * np.eye(3), rtol=1e-14)
    logarithms = ag.grad(lambda x: ag.sum(ag.slogdet(x)[1]))(x[:2])
    assert np.isnan(logarithms[0]).all()
    np.testing.assert_allclose(logarithms[1], np.linalg.inv(A).T, rtol=1e-13)


def test_third_derivatives_of_the_determinant_are_those_of_a_product():
    def expanded(x):  # along the first column
        minors = [x[i, 1] * x[j, 2] - x[i, 2] * x[j, 1] for i, j in ((1, 2), (2, 0), (0, 1))]
        return ag.sum(x[:, 0] * ag.stack(minors))

    third = [ag.jacobian(ag.hessian(f))(A) for f in (ag.det, expanded)]
    np.testing.assert_allclose(*third, atol=1e-11)


@pytest.mark.parametrize("f", [lambda a: ag.slogdet(a)[1], ag.inv, lambda a: ag.solve(a, B[:2]), lambda a: ag.solve(a, B[:2, 0]), ag.cholesky])  # fmt: skip
def test_what_a_singular_matrix_has_not_is_an_error_of_the_forward_or_nan(f):
    x = np.array([[1.0, 2.0], [2.0, 4.0]])
    try:
        f(x)
    except np.linalg.LinAlgError as error:
        assert "shape (2, 2)" in str(error)  # noqa: PT017
    else:
        assert np.isnan(ag.grad(f)(x)).all()


def test_where_rounding_makes_the_transpose_alone_singular_there_is_no_error_in_backward():
    nearly = SINGULAR["rank 2 but for rounding"]
    assert np.isfinite(ag.solve(nearly, np.ones(3))).all()
    assert np.isnan(ag.grad(lambda a: ag.sum(ag.solve(a, np.ones(3))))(nearly)).all()
    assert np.isnan(ag.grad(lambda b: ag.sum(ag.solve(nearly, b)))(np.ones(3))).all()
    stack = ag.grad(lambda b: ag.sum(ag.solve(np.stack([nearly, A]), b)))(np.ones((2, 3, 1)))[..., 0]
    np.testing.assert_allclose(stack, [[np.nan] * 3, np.linalg.solve(A.T, np.ones(3))])


def test_a_linear_layer_is_a_product_and_a_sum():
    x, w, b = RNG.normal(size=(4, 3)), RNG.normal(size=(2, 3)), RNG.normal(size=2)
    fused, apart = [[ag.Tensor(v) for v in (x, w, b)] for _ in range(2)]
    ag.square(ag.linear(*fused)).sum().backward()
    ag.square(apart[0] @ apart[1].T + apart[2]).sum().backward()
    for one, other in zip(fused, apart, strict=True):
        np.testing.assert_allclose(one.grad, other.grad, rtol=1e-13)


@given(st.data())
def test_any_einsum_has_the_value_of_numpy_and_the_gradient_of_differences(data):
    letters = string.ascii_lowercase[:4]
    sizes = dict(zip(letters, (2, 3, 1, 2), strict=True))
    terms = data.draw(st.lists(st.text(letters, max_size=3), min_size=1, max_size=3))
    used = sorted(set("".join(terms)))
    out = "".join(data.draw(st.lists(st.sampled_from(used), unique=True))) if used else ""
    pattern = ",".join(terms) + data.draw(st.sampled_from(["->" + out, ""]))
    rng = np.random.default_rng(0)
    xs = [rng.uniform(0.5, 1.5, [sizes[c] for c in term]) for term in terms]
    np.testing.assert_allclose(ag.einsum(pattern, *xs), np.einsum(pattern, *xs), rtol=1e-12)
    assert ag.gradcheck(lambda *xs: ag.einsum(pattern, *xs), *xs, trials=1)


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (lambda: ag.einsum("ij,jk", A), ValueError, "'ij,jk' speaks of 2 operands, got 1"),
        (lambda: ag.einsum("ijk->k", A), ValueError, r"operand 0 has shape \(3, 3\), but subscripts 'ijk'"),
        (lambda: ag.einsum(A, [0, 1]), TypeError, "needs its subscripts as a string"),
        (lambda: ag.inv(ag.Tensor(np.ones((2, 3)))), np.linalg.LinAlgError, "square"),
        (lambda: ag.inv(ag.Tensor(np.zeros((2, 2)))), np.linalg.LinAlgError, "Singular"),
        (lambda: ag.cholesky(ag.Tensor(-np.eye(2))), np.linalg.LinAlgError, "not positive definite"),
        (lambda: ag.solve(ag.Tensor(A), np.ones(4)), ValueError, r"solve: shape \(3, 3\) and shape \(4,\)"),
        (lambda: ag.matmul(ag.Tensor(A), 2.0), ValueError, r"matmul: shape \(3, 3\) and shape \(\)"),
    ],
)
def test_what_does_not_fit_is_an_error_that_names_it(f, error, message):
    with pytest.raises(error, match=message):
        f()


@pytest.mark.parametrize("subscripts", ["ij->j", "ij,k->j", "kij->j", "ij,j->j"])
def test_letters_that_are_summed_alone_are_summed_exactly(subscripts):
    x = np.full((100_000, 2), 0.1, np.float32)
    xs = [x[None] if subscripts.startswith("kij") else x]
    if "," in subscripts:
        xs.append(np.ones(2 if subscripts == "ij,j->j" else 1, np.float32))
    np.testing.assert_allclose(ag.einsum(subscripts, *xs), 100_000 * float(np.float32(0.1)), rtol=1e-6)
