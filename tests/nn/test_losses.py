"""Losses equal PyTorch's, never overflow, and refuse what does not fit."""

import numpy as np
import pytest

import autograd as ag
from nn import CrossEntropyLoss, MSELoss

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(6, 4)) * 3
LABELS = np.array([0, 3, 1, 1, 2, 0])
REDUCTIONS = ["mean", "sum", "none"]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("row", [False, True])
def test_cross_entropy_is_torchs(reduction, row):
    torch = pytest.importorskip("torch")
    x, y = (LOGITS[0], LABELS[0]) if row else (LOGITS, LABELS)
    mine, theirs = ag.Tensor(x), torch.tensor(x, requires_grad=True)
    ours = CrossEntropyLoss(reduction)(mine, y)
    its = torch.nn.CrossEntropyLoss(reduction=reduction)(theirs, torch.tensor(y))
    np.testing.assert_allclose(ours.data, its.detach().numpy(), rtol=1e-12)
    g = np.arange(1.0, 1.0 + ours.size).reshape(ours.shape)
    ours.backward(g)
    its.backward(torch.tensor(g))
    np.testing.assert_allclose(mine.grad, theirs.grad.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("x", "y"), [(LOGITS, LABELS), (LOGITS[0], 2)], ids=["rows", "row"])
def test_cross_entropy_agrees_with_finite_differences_twice(reduction, x, y):
    assert ag.gradcheck(lambda x: CrossEntropyLoss(reduction)(x, y), x, order=2)


def test_cross_entropy_has_a_third_derivative():
    assert ag.gradcheck(lambda x: CrossEntropyLoss()(x, LABELS), LOGITS, order=3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_is_stable_and_exact_at_huge_logits(dtype):
    x = ag.Tensor(np.array([[1e4, -1e4], [1e4, -1e4]], dtype))
    loss = CrossEntropyLoss("none")(x, [0, 1])
    assert loss.tolist() == [0.0, 2e4]
    loss.sum().backward()
    assert x.grad.tolist() == [[0.0, 0.0], [1.0, -1.0]]
    assert loss.dtype == x.grad.dtype == dtype


def test_a_class_that_is_masked_out_costs_nothing():
    x = ag.Tensor([[0.0, -np.inf, 0.0]])
    loss = CrossEntropyLoss()(x, [0])
    loss.backward()
    assert loss.item() == pytest.approx(np.log(2))
    np.testing.assert_allclose(x.grad, [[-0.5, 0.0, 0.5]])


def test_cross_entropy_is_one_node():
    x = ag.Tensor(LOGITS)
    assert CrossEntropyLoss()(x, LABELS).parents == (x,)


def test_labels_may_change_after_the_forward_pass():
    x, y = ag.Tensor(LOGITS), LABELS.copy()
    loss = CrossEntropyLoss()(x, y)
    y[:] = 0
    loss.backward()
    kept = x.grad
    x.zero_grad()
    CrossEntropyLoss()(x, LABELS).backward()
    np.testing.assert_array_equal(kept, x.grad)


def test_cross_entropy_of_plain_arrays_is_plain():
    assert isinstance(CrossEntropyLoss()(LOGITS, LABELS), float)


@pytest.mark.parametrize(
    ("x", "y", "kind", "match"),
    [
        (LOGITS, LABELS.astype(float), TypeError, r"integers, got float64 of shape \(6,\).*astype\(int\)"),
        (LOGITS, np.eye(4)[LABELS], TypeError, "argmax"),
        (LOGITS, LABELS[:, None], ValueError, r"shapes \(6, 4\) and \(6, 1\)"),
        (LOGITS, LABELS[:5], ValueError, r"shapes \(6, 4\) and \(5,\)"),
        (LOGITS[None], LABELS[None], ValueError, "reshape"),
        (LOGITS, LABELS + 1, ValueError, r"label 4 is not in 0\.\.3"),
        (LOGITS, LABELS - 1, ValueError, r"label -1 is not in 0\.\.3"),
        (LOGITS, np.uint8(LABELS + 200), ValueError, r"label 200 is not in"),
    ],
)
def test_labels_that_do_not_fit_are_refused(x, y, kind, match):
    with pytest.raises(kind, match=match):
        CrossEntropyLoss()(ag.Tensor(x), y)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_mse_is_torchs(reduction):
    torch = pytest.importorskip("torch")
    a, b = RNG.normal(size=(2, 5, 3))
    mine, theirs = ag.Tensor(a), torch.tensor(a, requires_grad=True)
    ours, its = MSELoss(reduction)(mine, b), torch.nn.MSELoss(reduction=reduction)(theirs, torch.tensor(b))
    np.testing.assert_allclose(ours.data, its.detach().numpy(), rtol=1e-12)
    ours.sum().backward()
    its.sum().backward()
    np.testing.assert_allclose(mine.grad, theirs.grad.numpy(), rtol=1e-12)
    assert ag.gradcheck(MSELoss(reduction), a, b, order=2)


def test_mse_keeps_the_predictions_dtype():
    assert MSELoss()(ag.Tensor(np.ones(3, np.float32)), np.zeros(3)).dtype == np.float32


@pytest.mark.parametrize("shapes", [((5,), (5, 1)), ((5, 1), (5,)), ((5, 3), (3,)), ((2,), ())])
def test_mse_does_not_broadcast(shapes):
    with pytest.raises(ValueError, match="one shape, got") as error:
        MSELoss()(ag.Tensor(np.ones(shapes[0])), np.ones(shapes[1]))
    assert all(str(shape) in str(error.value) for shape in shapes)


@pytest.mark.parametrize("kind", [MSELoss, CrossEntropyLoss])
def test_a_reduction_is_one_of_three(kind):
    with pytest.raises(ValueError, match="'mean', 'sum', 'none', got 'average'"):
        kind("average")
    assert repr(kind()) == f"{kind.__name__}()"
    assert repr(kind("sum")) == f"{kind.__name__}(reduction='sum')"
