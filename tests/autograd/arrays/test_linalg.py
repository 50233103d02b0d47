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
