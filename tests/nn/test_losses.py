"""Losses equal PyTorch's, never overflow, and refuse what does not fit."""

import math

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.graph import ancestors
from nn import CrossEntropyLoss, MSELoss
from nn.losses import base, classification, elementwise

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(6, 4)) * 3
LABELS = np.array([0, 3, 1, 1, 2, 0])
REDUCTIONS = ["mean", "sum", "none"]

pytestmark = pytest.mark.filterwarnings(
    "ignore:reduction. 'mean' divides"
)  # PyTorch would rather have its mean changed


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("row", [False, True])
def test_cross_entropy_is_torchs(reduction, row):
    torch = pytest.importorskip("torch")
    x, y = (LOGITS[0], LABELS[0]) if row else (LOGITS, LABELS)
    mine, theirs = ag.Tensor(x), torch.tensor(x, requires_grad=True)
    ours = CrossEntropyLoss(reduction=reduction)(mine, y)
    its = torch.nn.CrossEntropyLoss(reduction=reduction)(theirs, torch.tensor(y))
    np.testing.assert_allclose(ours.data, its.detach().numpy(), rtol=1e-12)
    g = np.arange(1.0, 1.0 + ours.size).reshape(ours.shape)
    ours.backward(g)
    its.backward(torch.tensor(g))
    np.testing.assert_allclose(mine.grad, theirs.grad.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("x", "y"), [(LOGITS, LABELS), (LOGITS[0], 2)], ids=["rows", "row"])
def test_cross_entropy_agrees_with_finite_differences_twice(reduction, x, y):
    assert ag.gradcheck(lambda x: CrossEntropyLoss(reduction=reduction)(x, y), x, order=2)


def test_cross_entropy_has_a_third_derivative():
    assert ag.gradcheck(lambda x: CrossEntropyLoss()(x, LABELS), LOGITS, order=3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_is_stable_and_exact_at_huge_logits(dtype):
    x = ag.Tensor(np.array([[1e4, -1e4], [1e4, -1e4]], dtype))
    loss = CrossEntropyLoss(reduction="none")(x, [0, 1])
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
        (LOGITS, np.eye(4, dtype=int)[LABELS], ValueError, r"shapes \(6, 4\) and \(6, 4\).*argmax"),
        (LOGITS, LABELS[:, None], ValueError, r"shapes \(6, 4\) and \(6, 1\)"),
        (LOGITS, LABELS[:5], ValueError, r"shapes \(6, 4\) and \(5,\)"),
        (LOGITS[None], LABELS[None], ValueError, "reshape.*move the classes to axis 1"),
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


# ---- Every loss and every option, by PyTorch's numbers

A, B = RNG.normal(size=(2, 6, 4))
P, Q = RNG.uniform(0.35, 0.65, (2, 6, 4))
SHARES = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
IMAGE, IMAGE_LABELS = RNG.normal(size=(2, 3, 4, 5)), RNG.integers(0, 3, (2, 4, 5))
IGNORED = np.where(IMAGE_LABELS == 1, -100, IMAGE_LABELS)
TRUTH = RNG.integers(0, 2, (6, 4)).astype(float)
W4, W3 = np.array([0.5, 1.0, 2.0, 0.0]), np.array([0.3, 1.0, 2.0])

CASES = [
    ("MSELoss", {}, A, B),
    ("L1Loss", {}, A, B),
    ("HuberLoss", {}, A, B),
    ("HuberLoss", {"delta": 0.3}, A, B),
    ("BCEWithLogitsLoss", {}, A, TRUTH),
    ("BCEWithLogitsLoss", {}, A, P),
    ("BCEWithLogitsLoss", {"weight": W4}, A, TRUTH),
    ("BCEWithLogitsLoss", {"pos_weight": W4}, A, TRUTH),
    ("BCEWithLogitsLoss", {"weight": P, "pos_weight": W4}, A, Q),
    ("BCELoss", {}, P, TRUTH),
    ("BCELoss", {"weight": W4}, P, Q),
    ("BCELoss", {}, TRUTH, 1.0 - TRUTH),
    ("KLDivLoss", {}, np.log(P), Q),
    ("KLDivLoss", {}, np.log(P), TRUTH),
    ("KLDivLoss", {"log_target": True}, np.log(P), np.log(Q)),
    ("CrossEntropyLoss", {}, LOGITS, LABELS),
    ("CrossEntropyLoss", {}, LOGITS[0], LABELS[0]),
    ("CrossEntropyLoss", {}, IMAGE, IMAGE_LABELS),
    ("CrossEntropyLoss", {}, IMAGE, IGNORED),
    ("CrossEntropyLoss", {"ignore_index": 1}, LOGITS, LABELS),
    ("CrossEntropyLoss", {"weight": W4}, LOGITS, LABELS),
    ("CrossEntropyLoss", {"weight": W3}, IMAGE, IGNORED),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, LOGITS, LABELS),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, LOGITS[0], LABELS[0]),
    ("CrossEntropyLoss", {"label_smoothing": 0.2, "weight": W3, "ignore_index": 2}, IMAGE, IMAGE_LABELS),
    ("CrossEntropyLoss", {}, LOGITS, P),
    ("CrossEntropyLoss", {}, LOGITS[0], SHARES[0]),
    ("CrossEntropyLoss", {"label_smoothing": 0.1, "weight": W4}, LOGITS, SHARES),
    ("CrossEntropyLoss", {"weight": W3}, IMAGE, np.abs(IMAGE)),
    ("NLLLoss", {}, A, LABELS),
    ("NLLLoss", {}, A[0], LABELS[0]),
    ("NLLLoss", {"weight": W4, "ignore_index": 3}, A, LABELS),
    ("NLLLoss", {"weight": W3}, IMAGE, IGNORED),
    ("MultiMarginLoss", {}, A, LABELS),
    ("MultiMarginLoss", {}, A[0], LABELS[0]),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": W4}, A, LABELS),
]
IDS = [f"{name}-{'-'.join(options)}-{np.shape(x)}-{np.asarray(y).dtype.kind}" for name, options, x, y in CASES]
by_torch = pytest.mark.parametrize(("name", "options", "x", "y"), CASES, ids=IDS)


def both(torch, name, options, reduction, x, y, dtype=np.float64):
    """Our loss and input, and PyTorch's, with a cotangent gone back."""
    cast = lambda a: np.asarray(a, dtype) if np.asarray(a).dtype.kind == "f" else np.asarray(a)
    tensors = {key: torch.tensor(cast(v)) if isinstance(v, np.ndarray) else v for key, v in options.items()}
    mine, theirs = ag.Tensor(cast(x)), torch.tensor(cast(x), requires_grad=True)
    ours = getattr(nn, name)(reduction=reduction, **options)(mine, y)
    its = getattr(torch.nn, name)(reduction=reduction, **tensors)(theirs, torch.tensor(cast(y)))
    g = np.linspace(0.5, 1.5, ours.size).astype(dtype).reshape(ours.shape)
    ours.backward(g)
    its.backward(torch.tensor(g))
    return ours, mine, its, theirs


@by_torch
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_values_and_gradients_are_torchs(name, options, x, y, reduction):
    ours, mine, its, theirs = both(pytest.importorskip("torch"), name, options, reduction, x, y)
    assert ours.shape == tuple(its.shape)
    np.testing.assert_allclose(ours.data, its.detach().numpy(), rtol=1e-12, atol=1e-15)
    at_an_end = name == "BCELoss" and set(np.unique(x)) <= {0.0, 1.0}  # there PyTorch divides by float32's 1e-12
    np.testing.assert_allclose(mine.grad, theirs.grad.numpy(), rtol=1e-8 if at_an_end else 1e-12, atol=1e-15)


@by_torch
def test_float32_stays_float32(name, options, x, y):
    ours, mine, its, theirs = both(pytest.importorskip("torch"), name, options, "mean", x, y, np.float32)
    assert ours.dtype == mine.grad.dtype == np.float32
    np.testing.assert_allclose(ours.data, its.detach().numpy(), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(mine.grad, theirs.grad.numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("log_target", [False, True])
def test_batchmean_is_torchs(log_target):
    torch = pytest.importorskip("torch")
    target = np.log(Q) if log_target else Q
    options = {"log_target": log_target}
    ours, mine, its, theirs = both(torch, "KLDivLoss", options, "batchmean", np.log(P), target)
    np.testing.assert_allclose(ours.data, its.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(mine.grad, theirs.grad.numpy(), rtol=1e-12)


@by_torch
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_every_loss_has_two_derivatives(name, options, x, y, reduction):
    if name == "BCELoss" and set(np.unique(x)) <= {0.0, 1.0}:
        pytest.skip("finite differences would leave 0..1")
    loss = getattr(nn, name)(reduction=reduction, **options)
    assert ag.gradcheck(lambda x: loss(x, y), x, order=2)


@pytest.mark.parametrize(
    ("loss", "x", "y"),
    [
        (nn.L1Loss(), A, B),
        (nn.HuberLoss(delta=0.7), A, B),
        (nn.BCEWithLogitsLoss(pos_weight=W4), A, P),
        (nn.BCELoss(), P, Q),
        (nn.KLDivLoss(), A, P),
        (nn.KLDivLoss(log_target=True), A, B),
        (nn.CrossEntropyLoss(), LOGITS, P),
        (nn.CrossEntropyLoss(weight=W4, label_smoothing=0.1), LOGITS, P),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_target_may_be_a_node(loss, x, y):
    assert ag.gradcheck(loss, x, y, order=2)


ROOMS = (base, elementwise, classification)
OWN = {name: op for room in ROOMS for name, op in vars(room).items() if isinstance(op, ag.Primitive)}


def test_few_losses_have_operations_of_their_own():
    assert {op.name for op in OWN.values()} == {
        "squared_error",
        "mean_squared_error",
        "cross_entropy",
        "bce",
        "softmax_less_one_hot",
    }


@by_torch
def test_a_loss_is_one_node_or_a_formula_in_the_engines_operations(name, options, x, y):
    x = ag.Tensor(x)
    loss = getattr(nn, name)(**options)(x, y)
    fused = name == "MSELoss" or (
        name == "CrossEntropyLoss" and not options and np.ndim(x) < 3 and np.asarray(y).dtype.kind == "i"
    )
    own = [node.op for node in ancestors(loss) if node.op in OWN.values()]
    assert len(own) == (fused or name == "BCELoss")
    if fused:
        [parent] = loss.parents
        assert parent is x


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_hinge_loss_is_the_textbooks(reduction):
    labels = 2.0 * TRUTH - 1.0
    reduce = {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction]
    x = ag.Tensor(A)
    loss = nn.HingeLoss(reduction)(x, labels)
    np.testing.assert_allclose(loss.data, reduce(np.maximum(0.0, 1.0 - labels * A)), rtol=1e-14)
    loss.sum().backward()
    scale = 1.0 / A.size if reduction == "mean" else 1.0
    np.testing.assert_allclose(x.grad, np.where(labels * A < 1.0, -labels, 0.0) * scale, rtol=1e-14)
    assert ag.gradcheck(lambda x: nn.HingeLoss(reduction)(x, labels), A, order=2)


HUGE = np.array([[1e4, -1e4], [-1e4, 1e4], [1e4, 1e4]])
EXTREMES = [
    (nn.MSELoss, HUGE, -HUGE),
    (nn.L1Loss, HUGE, -HUGE),
    (nn.HuberLoss, HUGE, -HUGE),
    (nn.BCEWithLogitsLoss, HUGE, np.array([[0, 0], [1, 1], [0.5, 1]])),
    (nn.BCELoss, (HUGE > 0).astype(float), np.array([[0, 0], [1, 1], [0.5, 1]])),
    (nn.HingeLoss, HUGE, np.array([[1, 1], [1, 1], [-1, 1]])),
    (nn.CrossEntropyLoss, HUGE, np.array([0, 0, 1])),
    (nn.CrossEntropyLoss, HUGE, np.array([[0.5, 0.5], [1, 0], [0, 1]])),
    (nn.NLLLoss, HUGE, np.array([0, 0, 1])),
    (nn.MultiMarginLoss, HUGE, np.array([0, 0, 1])),
    (nn.KLDivLoss, HUGE, np.array([[0, 1], [0.5, 0.5], [1, 0]])),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("kind", "x", "y"), EXTREMES, ids=lambda value: getattr(value, "__name__", ""))
def test_all_is_finite_at_huge_inputs(kind, x, y, dtype):
    x = ag.Tensor(x.astype(dtype))
    loss = kind()(x, y)
    loss.backward()
    assert loss.dtype == x.grad.dtype == dtype
    assert np.isfinite(loss.data)
    assert np.isfinite(x.grad).all()


def test_a_small_gradient_of_a_sure_answer_is_not_lost():
    x = ag.Tensor([40.0, -40.0])
    nn.BCEWithLogitsLoss(reduction="sum")(x, [1, 0]).backward()
    np.testing.assert_allclose(x.grad, [-np.exp(-40), np.exp(-40)], rtol=1e-12)


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), nn.CrossEntropyLoss(label_smoothing=0.1), nn.NLLLoss()])
def test_the_mean_of_nothing_is_nan_and_its_sum_zero(loss):
    x = ag.Tensor(LOGITS)
    assert np.isnan(loss(x, np.full(6, -100)).item())
    loss.reduction = "sum"
    assert loss(x, np.full(6, -100)).item() == 0.0


@pytest.mark.parametrize(
    ("make", "kind", "match"),
    [
        (lambda: nn.HuberLoss(delta=0.0), ValueError, r"HuberLoss: delta must be a number above 0, got 0\.0"),
        (
            lambda: nn.CrossEntropyLoss(label_smoothing=1.5),
            ValueError,
            "label_smoothing must be a number from 0 to 1, got",
        ),
        (lambda: nn.CrossEntropyLoss("sum"), TypeError, "write reduction='sum'"),
        (lambda: nn.CrossEntropyLoss([1.0, -1.0]), ValueError, r"weight of numbers from 0, got -1\.0"),
        (lambda: nn.CrossEntropyLoss(W3)(LOGITS, LABELS), ValueError, r"one weight a class, got shape \(3,\) for 4"),
        (lambda: nn.CrossEntropyLoss()(LOGITS, ag.Tensor(P[:5])), ValueError, r"shape of the logits, \(6, 4\), got"),
        (lambda: nn.MultiMarginLoss(p=3), ValueError, "p as 1 or 2, got 3"),
        (lambda: nn.MultiMarginLoss()(IMAGE, IMAGE_LABELS), ValueError, "reshape them"),
        (lambda: nn.MultiMarginLoss()(LOGITS, LABELS - 100), ValueError, r"label -\d+ is not in 0\.\.3"),
        (lambda: nn.HingeLoss()(A, TRUTH), ValueError, r"labels -1 and 1, got 0\.0.*2 \* y - 1"),
        (lambda: nn.BCELoss()(A - 5, TRUTH), ValueError, r"probabilities from 0 to 1, got -\d.*BCEWithLogitsLoss"),
        (lambda: nn.BCEWithLogitsLoss(weight=W3)(A, TRUTH), ValueError, r"weight of shape \(3,\) does not broadcast"),
        (lambda: nn.BCEWithLogitsLoss()(A, TRUTH[:, 0]), ValueError, r"BCEWithLogitsLoss compares arrays of one shape"),
    ],
)
def test_what_cannot_be_is_refused(make, kind, match):
    with pytest.raises(kind, match=match):
        make()


LOSSES = [nn.MSELoss, nn.L1Loss, nn.HuberLoss, nn.CrossEntropyLoss, nn.NLLLoss, nn.BCEWithLogitsLoss, nn.BCELoss]
LOSSES += [nn.HingeLoss, nn.MultiMarginLoss, nn.KLDivLoss]


@pytest.mark.parametrize("kind", LOSSES)
def test_a_reduction_is_one_of_three(kind):
    with pytest.raises(ValueError, match=r"'mean', 'sum', 'none'.*, got 'average'"):
        kind(reduction="average")
    assert repr(kind()) == f"{kind.__name__}()"
    assert repr(kind(reduction="sum")) == f"{kind.__name__}(reduction='sum')"


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [nn.CrossEntropyLoss, nn.NLLLoss])
def test_rows_that_do_not_count_are_zero_whatever_their_logits(kind, wrong):
    logits, labels = LOGITS.copy(), LABELS.copy()
    logits[2], labels[2] = wrong, -100
    counted = np.arange(6) != 2
    for reduction in ("mean", "sum"):
        x, y = ag.Tensor(logits), ag.Tensor(LOGITS[counted])
        loss, expected = kind(reduction=reduction)(x, labels), kind(reduction=reduction)(y, LABELS[counted])
        assert loss.item() == pytest.approx(expected.item(), rel=1e-14)
        loss.backward()
        expected.backward()
        np.testing.assert_allclose(x.grad[counted], y.grad, rtol=1e-12)
        assert (x.grad[2] == 0.0).all()


@pytest.mark.parametrize("kind", LOSSES)
def test_the_mean_of_nothing_is_nan_and_its_gradient_zero(kind):
    classes = kind in (nn.CrossEntropyLoss, nn.NLLLoss, nn.MultiMarginLoss)
    model = nn.Linear(2, 3, dtype=float, rng=0)
    output = ag.sigmoid(model(np.zeros((0, 2))))
    loss = kind()(output, np.zeros(0, int) if classes else np.zeros((0, 3)))
    assert np.isnan(loss.item())
    loss.backward()
    assert (model.weight.grad == 0.0).all()
    assert (model.bias.grad == 0.0).all()


# ---- In their tails


def test_a_share_of_zero_costs_nothing_given_as_a_logarithm_too():
    x, y = np.array([-1.0, -np.inf, -2.0]), np.array([-np.inf, -np.inf, -1.0])
    for reduction, expected in (("none", [0.0, 0.0, math.exp(-1)]), ("sum", math.exp(-1))):
        loss = nn.KLDivLoss(reduction, log_target=True)
        np.testing.assert_allclose(loss(ag.Tensor(x), y).data, expected)
    slopes = ag.grad(lambda x, y: nn.KLDivLoss("sum", log_target=True)(x, y), argnums=(0, 1))(x, y)
    np.testing.assert_allclose(slopes, [[0.0, 0.0, -math.exp(-1)], [0.0, 0.0, 2 * math.exp(-1)]])


@pytest.mark.parametrize("far", [20.0, 40.0, 700.0, 1000.0])
def test_losses_of_logits_keep_their_digits_far_out(far):
    x, e = np.array([far, -far]), math.exp(-far)
    both = nn.BCEWithLogitsLoss("none")
    sure, wrong = both(ag.Tensor(x), np.array([1.0, 0.0])).data, both(ag.Tensor(x), np.array([0.0, 1.0])).data
    np.testing.assert_allclose(sure, math.log1p(e), rtol=1e-15)
    np.testing.assert_allclose(wrong, far, rtol=1e-8)
    slopes = ag.grad(lambda x: ag.sum(both(x, np.array([1.0, 0.0]))))(x)
    np.testing.assert_allclose(slopes, [-e / (1 + e), e / (1 + e)], rtol=1e-13)
    logits, labels = np.array([[far, 0.0], [0.0, far]]), np.array([0, 0])
    entropy = nn.CrossEntropyLoss(reduction="none")
    np.testing.assert_allclose(entropy(ag.Tensor(logits), labels).data, [math.log1p(e), far], rtol=1e-8, atol=1e-16)
    slopes = ag.grad(lambda x: ag.sum(entropy(x, labels)))(logits)
    np.testing.assert_allclose(slopes[:, 1], [e / (1 + e), 1 / (1 + e)], rtol=1e-13)


# ---- Where a formula could go wrong


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_slope_of_huber_is_the_difference_clipped(dtype):
    d = np.array([-np.inf, -1e4, -2.0, -1.0, -0.25, 0.0, 0.5, 1.0, 1.5, np.inf], dtype)
    loss = lambda x: nn.HuberLoss("sum")(x, np.zeros(10, dtype))
    np.testing.assert_array_equal(ag.grad(loss)(d), np.clip(d, -1.0, 1.0))
    finite = d[1:-1]
    curvatures = ag.grad(lambda x: ag.sum(ag.grad(lambda x: nn.HuberLoss("sum")(x, np.zeros(8, dtype)))(x)))(finite)
    np.testing.assert_array_equal(curvatures, abs(finite) < 1.0)  # at the kink that of the line, as PyTorch has it


def test_the_slope_by_a_target_of_zero_is_what_is_finite_of_it():
    x, p = np.log([0.25, 0.75]), np.array([0.0, 1.0])
    slopes = ag.grad(lambda p: nn.KLDivLoss("sum")(x, p))(p)
    np.testing.assert_allclose(slopes, [1.0 - x[0], 1.0 - x[1]])
    logits = np.array([[0.5, -1.0, 2.0], [0.5, -1.0, 2.0]])
    q = np.array([[0.0, 0.25, 0.75], [0.0, 0.0, 0.0]])
    slopes = ag.grad(lambda q: CrossEntropyLoss([1.0, 2.0, 3.0], reduction="sum")(logits, q))(q)
    np.testing.assert_allclose(slopes, -np.array([1.0, 2.0, 3.0]) * ag.log_softmax(logits))


def test_a_class_that_is_masked_out_wins_no_margin():
    x = ag.Tensor([[0.0, -np.inf, 0.5], [1.0, -np.inf, -np.inf]])
    loss = nn.MultiMarginLoss(reduction="none")(x, [0, 0])
    loss.sum().backward()
    np.testing.assert_allclose(loss.data, [0.5, 0.0])
    np.testing.assert_allclose(x.grad, [[-1 / 3, 0.0, 1 / 3], [0.0, 0.0, 0.0]])


@pytest.mark.parametrize("kind", LOSSES)
def test_a_half_precision_mean_neither_overflows_nor_vanishes(kind):
    n = 70_000
    classes = kind in (nn.CrossEntropyLoss, nn.NLLLoss, nn.MultiMarginLoss)
    x = np.full((n, 2) if classes else n, 0.25, np.float16)
    y = np.ones(n, int) if classes else np.ones(n, np.float16)
    rows = ag.Tensor(x[:1] if classes else x[:4])
    row = kind(reduction="none")(rows, y[: len(rows.data)])
    half = ag.Tensor(x)
    loss = kind()(half, y)
    loss.backward(np.float16(1000.0))
    row.sum().backward()
    assert loss.dtype == half.grad.dtype == np.float16
    assert float(loss.data) == pytest.approx(float(row.data[0]), rel=2e-3)
    np.testing.assert_allclose(half.grad[0] * 70.0, rows.grad[0], rtol=1e-2, atol=1e-3)


def test_a_loss_of_ones_own_is_one_formula():
    class Quantile(nn.Loss):
        def __init__(self, q, reduction="mean"):
            super().__init__(reduction)
            self.q = q

        def formula(self, x, y):
            return ag.maximum(self.q * (y - x), (1.0 - self.q) * (x - y))

    loss = Quantile(0.9)
    assert repr(loss) == "Quantile(q=0.9)"
    assert ag.gradcheck(loss, A, B, order=2)
    assert loss(ag.Tensor(A), B).item() == pytest.approx(np.where(B > A, 0.9 * (B - A), 0.1 * (A - B)).mean())
    assert np.isnan(loss(ag.Tensor(np.zeros((0, 3))), np.zeros((0, 3))).item())
    with pytest.raises(ValueError, match="Quantile compares arrays of one shape"):
        loss(ag.Tensor(A), B[:, 0])
    with pytest.raises(NotImplementedError, match=r"define its method formula\(self, x, y\)"):
        nn.Loss()(ag.Tensor(A), B)
