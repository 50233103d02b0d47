"""Every layer gives PyTorch's values and gradients, is shown as there, and starts from its distribution."""

import re

import numpy as np
import pytest

import autograd as ag
import nn

torch = pytest.importorskip("torch")

IMAGES = (3, 4, 9, 8)
ACTIVATIONS = [
    ("ReLU", {}),
    ("LeakyReLU", {}),
    ("LeakyReLU", {"negative_slope": 0.2}),
    ("ELU", {}),
    ("ELU", {"alpha": 0.5}),
    ("SELU", {}),
    ("GELU", {}),
    ("GELU", {"approximate": "tanh"}),
    ("SiLU", {}),
    ("Tanh", {}),
    ("Sigmoid", {}),
    ("Softplus", {}),
    ("Softplus", {"beta": 2.0, "threshold": 1.0}),
    ("Softmax", {"dim": 1}),
    ("LogSoftmax", {"dim": -1}),
]
# name, positional and other arguments, shape of the input
LAYERS = [
    ("Linear", (4, 3), {}, (5, 4)),
    ("Conv2d", (4, 6, 3), {}, IMAGES),
    ("Conv2d", (4, 6, (3, 2)), {"stride": (2, 1), "padding": (1, 0)}, IMAGES),
    ("Conv2d", (4, 6, 3), {"padding": 2, "dilation": 2, "groups": 2}, IMAGES),
    ("Conv2d", (4, 4, 5), {"padding": "same", "groups": 4, "bias": False}, IMAGES),
    ("Conv2d", (4, 2, 2), {"stride": 3, "padding": "valid"}, (4, 9, 8)),
    ("MaxPool2d", (2,), {}, IMAGES),
    ("MaxPool2d", ((3, 2),), {"stride": 2, "padding": 1}, IMAGES),
    ("MaxPool2d", (2,), {"stride": 1, "dilation": 3}, IMAGES),
    ("AvgPool2d", (3,), {}, IMAGES),
    ("AvgPool2d", (3,), {"stride": (1, 2), "padding": 1, "count_include_pad": False}, IMAGES),
    ("AdaptiveAvgPool2d", (1,), {}, IMAGES),
    ("AdaptiveAvgPool2d", ((None, 3),), {}, IMAGES),
    ("BatchNorm1d", (4,), {}, (5, 4)),
    ("BatchNorm1d", (4,), {"momentum": None}, (5, 4, 3)),
    ("BatchNorm1d", (4,), {"affine": False}, (5, 4)),
    ("BatchNorm2d", (4,), {"eps": 1e-3, "momentum": 0.3}, IMAGES),
    ("BatchNorm2d", (4,), {"track_running_stats": False}, IMAGES),
    ("LayerNorm", (8,), {}, IMAGES),
    ("LayerNorm", ((9, 8),), {"eps": 1e-3}, IMAGES),
    ("LayerNorm", (8,), {"elementwise_affine": False}, IMAGES),
    ("LayerNorm", (8,), {"bias": False}, IMAGES),
    ("Flatten", (), {}, IMAGES),
    ("Flatten", (), {"start_dim": 0, "end_dim": 1}, IMAGES),
    *[(name, (), options, (4, 6)) for name, options in ACTIVATIONS],
]
IDS = [f"{name}-{args}-{options}" for name, args, options, _ in LAYERS]


def pair(name, args, options, dtype):
    """Our layer and PyTorch's, with equal parameters, which are not those that they start with."""
    ours, theirs = getattr(nn, name)(*args, **options), getattr(torch.nn, name)(*args, **options)
    rng = np.random.default_rng(2)
    ours.to(dtype)
    for p in ours.parameters():
        p.data = p.data + rng.normal(size=p.shape).astype(dtype)
    theirs.to(getattr(torch, np.dtype(dtype).name))
    theirs.load_state_dict({key: torch.tensor(array) for key, array in ours.state_dict().items()})
    return ours, theirs


def compare(ours, theirs, x, tolerance):
    """Values, gradients of input and parameters, and buffers."""
    mine, its = ag.Tensor(x), torch.tensor(x, requires_grad=True)
    y, z = ours(mine), theirs(its)
    g = np.random.default_rng(3).normal(size=y.shape).astype(x.dtype)
    ours.zero_grad()
    theirs.zero_grad()
    y.backward(g)
    z.backward(torch.tensor(g))
    close = lambda a, b: np.testing.assert_allclose(
        a, b.detach().numpy(), rtol=tolerance, atol=tolerance * max(1.0, float(b.detach().abs().max()))
    )
    assert y.dtype == x.dtype
    close(y.data, z)
    close(mine.grad, its.grad)
    for (name, p), (other, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert name == other
        assert p.grad.dtype == x.dtype
        close(p.grad, q.grad)
    for (name, p), (other, q) in zip(ours.named_buffers(), theirs.named_buffers(), strict=True):
        assert name == other
        assert p.data.dtype == q.numpy().dtype
        close(p.data, q)


@pytest.mark.parametrize("case", LAYERS, ids=IDS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-6)])
def test_values_and_gradients_in_training_and_evaluation(case, dtype, tolerance):
    *kind, shape = case
    ours, theirs = pair(*kind, dtype)
    rng = np.random.default_rng(1)
    for _ in range(3):  # running statistics move
        compare(ours, theirs, rng.normal(0.3, 2.0, size=shape).astype(dtype), tolerance)
    ours.eval()
    theirs.eval()
    compare(ours, theirs, rng.normal(size=shape).astype(dtype), tolerance)


@pytest.mark.parametrize("case", LAYERS, ids=IDS)
def test_derivatives_of_two_orders_agree_with_finite_differences(case):
    name, args, options, shape = case
    layer, _ = pair(name, args, options, np.float64)
    shape = shape if len(shape) == 3 else (2, *shape[1:])
    x = np.random.default_rng(0).permutation(np.linspace(-2, 2, int(np.prod(shape)))).reshape(shape) + 0.0123
    assert ag.gradcheck(lambda x: layer(x) ** 2, x, order=2, trials=1)


@pytest.mark.parametrize("case", LAYERS, ids=IDS)
def test_it_is_shown_as_there(case):
    name, args, options, _ = case
    ours, theirs = repr(getattr(nn, name)(*args, **options)), repr(getattr(torch.nn, name)(*args, **options))
    if "Norm" in name:  # what is said of the bias differs from version to version
        theirs = re.sub(", bias=(True|False)", "", theirs)
    assert ours == theirs


@pytest.mark.parametrize(("name", "options"), ACTIVATIONS, ids=str)
def test_activations_at_zero_and_far_away(name, options):
    x = np.array([[-1e4, -30.0, -2.0, -0.0, 0.0, 0.5, 30.0, 1e4]] * 2, np.float32)
    mine, theirs = ag.Tensor(x), torch.tensor(x, requires_grad=True)
    y, z = getattr(nn, name)(**options)(mine), getattr(torch.nn, name)(**options)(theirs)
    y.sum().backward()
    z.sum().backward()
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(mine.grad, theirs.grad.numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("padding", [None, 0, -1])
def test_an_embedding_looks_up_rows(padding):
    ours, theirs = nn.Embedding(6, 3, padding_idx=padding), torch.nn.Embedding(6, 3, padding_idx=padding)
    assert repr(ours) == repr(theirs)
    theirs.load_state_dict({key: torch.tensor(array) for key, array in ours.state_dict().items()})
    rows = np.array([[0, 2, 5], [2, 2, 0]])
    y, z = ours(rows), theirs(torch.tensor(rows))
    np.testing.assert_array_equal(y.data, z.detach().numpy())
    g = np.random.default_rng(0).normal(size=y.shape).astype(np.float32)
    y.backward(g)
    z.backward(torch.tensor(g))
    np.testing.assert_allclose(ours.weight.grad, theirs.weight.grad.numpy(), rtol=1e-6)


def network(nn, **options):
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False, **options),
        nn.BatchNorm2d(4, **options),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 8, 3, groups=2, **options),
        nn.GELU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.LayerNorm(32, **options),
        nn.Linear(32, 5, **options),
    )


def test_ten_steps_of_a_small_network_are_those_of_torch():
    ours, theirs = network(nn, dtype=np.float64), network(torch.nn, dtype=torch.float64)
    theirs.load_state_dict({key: torch.tensor(array) for key, array in ours.state_dict().items()})
    descend = nn.SGD(ours.parameters(), lr=0.1, momentum=0.9)
    its = torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=0.9)
    rng = np.random.default_rng(0)
    for _ in range(10):
        x, y = rng.normal(size=(6, 1, 12, 12)), rng.integers(0, 5, 6)
        descend.zero_grad()
        nn.CrossEntropyLoss()(ours(x), y).backward()
        descend.step()
        its.zero_grad()
        torch.nn.CrossEntropyLoss()(theirs(torch.tensor(x)), torch.tensor(y)).backward()
        its.step()
    for (name, ours_now), (other, theirs_now) in zip(
        ours.state_dict().items(), theirs.state_dict().items(), strict=True
    ):
        assert name == other
        np.testing.assert_allclose(ours_now, theirs_now.numpy(), rtol=1e-9, atol=1e-10)
