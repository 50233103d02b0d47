"""Ten steps of every optimizer, with every setting, give PyTorch's parameters."""

import numpy as np
import pytest

import nn
from autograd import Tensor, Value
from tests.nn.optim.cases import CASES

torch = pytest.importorskip("torch")

DTYPES = [(np.float64, 1e-12), (np.float32, 1e-6)]
cases = pytest.mark.parametrize(("name", "settings"), CASES)


def pair(dtype):
    rng = np.random.default_rng(0)
    ours = nn.Sequential(nn.Linear(3, 5, dtype=dtype, rng=rng), nn.Tanh(), nn.Linear(5, 2, dtype=dtype, rng=rng))
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    theirs = theirs.to(getattr(torch, np.dtype(dtype).name))
    theirs.load_state_dict({name: torch.tensor(array) for name, array in ours.state_dict().items()})
    return ours, theirs, rng.normal(size=(7, 3)).astype(dtype), rng.integers(0, 2, 7)


def agree(ours, theirs, tolerance):
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p._data, q.detach().numpy(), rtol=tolerance, atol=tolerance)


def steps(ours, theirs, mine, its, x, y, n=10):
    for _ in range(n):
        mine.zero_grad()
        its.zero_grad()
        nn.CrossEntropyLoss()(ours(x), y).backward()
        torch.nn.CrossEntropyLoss()(theirs(torch.tensor(x)), torch.tensor(y)).backward()
        mine.step()
        its.step()


@cases
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_ten_steps(name, settings, dtype, tolerance):
    ours, theirs, x, y = pair(dtype)
    mine = getattr(nn, name)(ours.parameters(), **settings)
    its = getattr(torch.optim, name)(theirs.parameters(), **settings)
    steps(ours, theirs, mine, its, x, y)
    agree(ours, theirs, tolerance)


@cases
def test_parameters_without_a_gradient_are_left_alone(name, settings):
    """Some have none in some steps: neither they nor their state change, as in torch."""
    ours, theirs, x, y = pair(np.float64)
    mine = getattr(nn, name)(ours.parameters(), **settings)
    its = getattr(torch.optim, name)(theirs.parameters(), **settings)
    for step in range(10):
        steps_without_step(ours, theirs, mine, its, x, y)
        for i, (p, q) in enumerate(zip(ours.parameters(), theirs.parameters(), strict=True)):
            if (i + step) % 3 == 0:
                p.grad = q.grad = None
        mine.step()
        its.step()
    agree(ours, theirs, 1e-12)


def steps_without_step(ours, theirs, mine, its, x, y):
    mine.zero_grad()
    its.zero_grad()
    nn.CrossEntropyLoss()(ours(x), y).backward()
    torch.nn.CrossEntropyLoss()(theirs(torch.tensor(x)), torch.tensor(y)).backward()


@cases
def test_the_learning_rate_may_change_between_steps(name, settings):
    ours, theirs, x, y = pair(np.float64)
    mine = getattr(nn, name)(ours.parameters(), **settings)
    its = getattr(torch.optim, name)(theirs.parameters(), **settings)
    for lr in (0.1, 0.01):
        mine.lr = its.param_groups[0]["lr"] = lr
        steps(ours, theirs, mine, its, x, y, n=3)
    agree(ours, theirs, 1e-12)


@cases
def test_a_loaded_state_continues(name, settings):
    """Our state after five steps, loaded into a new optimizer of ours, then five more: torch's ten."""
    ours, theirs, x, y = pair(np.float64)
    mine = getattr(nn, name)(ours.parameters(), **settings)
    its = getattr(torch.optim, name)(theirs.parameters(), **settings)
    steps(ours, theirs, mine, its, x, y, n=5)
    other = getattr(nn, name)(ours.parameters(), lr=5.0)
    other.load_state_dict(mine.state_dict())
    steps(ours, theirs, other, its, x, y, n=5)
    agree(ours, theirs, 1e-12)


@cases
def test_scalars_and_tensors_take_the_same_steps(name, settings):
    """Values, a plain Tensor, and torch, on the same function of the same numbers."""
    start, target = np.array([1.0, -2.0, 3.0]), np.array([0.5, 0.5, 0.5])
    values, tensor, theirs = [Value(v) for v in start], Tensor(start.copy()), torch.tensor(start, requires_grad=True)
    optimizers = [getattr(nn, name)(p, **settings) for p in (values, [tensor])]
    optimizers.append(getattr(torch.optim, name)([theirs], **settings))
    for _ in range(10):
        for optimizer in optimizers:
            optimizer.zero_grad()
        sum((v - t) ** 2 for v, t in zip(values, target.tolist(), strict=True)).backward()
        ((tensor - target) ** 2).sum().backward()
        ((theirs - torch.tensor(target)) ** 2).sum().backward()
        for optimizer in optimizers:
            optimizer.step()
    np.testing.assert_allclose([v.data for v in values], theirs.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(tensor.data, theirs.detach().numpy(), rtol=1e-12)


@cases
def test_groups_have_settings_of_their_own(name, settings):
    ours, theirs, x, y = pair(np.float64)
    groups = lambda model: [
        {"params": [p for key, p in model.named_parameters() if "weight" in key], "weight_decay": 0.2},
        {"params": [p for key, p in model.named_parameters() if "bias" in key], "lr": 0.03},
    ]
    mine = getattr(nn, name)(groups(ours), **settings)
    its = getattr(torch.optim, name)(groups(theirs), **settings)
    steps(ours, theirs, mine, its, x, y, n=5)
    mine.param_groups[1]["lr"] = its.param_groups[1]["lr"] = 0.01
    steps(ours, theirs, mine, its, x, y, n=5)
    agree(ours, theirs, 1e-12)


@cases
def test_a_state_of_torchs_can_be_loaded(name, settings):
    ours, theirs, x, y = pair(np.float64)
    mine = getattr(nn, name)(ours.parameters(), **settings)
    its = getattr(torch.optim, name)(theirs.parameters(), **settings)
    steps(ours, theirs, mine, its, x, y, n=5)
    other = getattr(nn, name)(ours.parameters())
    other.load_state_dict(its.state_dict())
    steps(ours, theirs, other, its, x, y, n=5)
    agree(ours, theirs, 1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("max_norm", [1e-3, 1e3])
@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, float("inf")])
def test_clipped_gradients_are_torchs(dtype, tolerance, max_norm, norm_type):
    ours, theirs, x, y = pair(dtype)
    steps_without_step(ours, theirs, nn.SGD(ours.parameters()), torch.optim.SGD(theirs.parameters()), x, y)
    total = nn.optim.clip_grad_norm_(ours.parameters(), max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs.parameters(), max_norm, norm_type)
    assert total == pytest.approx(float(expected), rel=tolerance)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=10 * tolerance)
