"""Initial values have the bounds, moments and structure that their papers say, and come from the given generator."""

import math

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn import init

SHAPE = (64, 32, 3, 3)  # fan_in 288, fan_out 576
RANDOM = [
    init.uniform_,
    init.normal_,
    init.trunc_normal_,
    init.xavier_uniform_,
    init.xavier_normal_,
    init.kaiming_uniform_,
    init.kaiming_normal_,
    init.orthogonal_,
]
EACH = pytest.mark.parametrize("fill", RANDOM, ids=lambda fill: fill.__name__)


def drawn(fill, *args, shape=SHAPE, **kwargs):
    return fill(Tensor(np.zeros(shape)), *args, rng=0, **kwargs).data


def is_uniform(x, bound):
    assert np.abs(x).max() <= bound
    assert np.abs(x).max() > 0.999 * bound
    assert x.std() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert abs(x.mean()) < 0.02 * bound


def is_normal(x, std, mean=0.0):
    assert x.std() == pytest.approx(std, rel=0.02)
    assert x.mean() == pytest.approx(mean, abs=0.02 * std)
    inside = np.abs(x - mean) < std
    assert inside.mean() == pytest.approx(0.6827, abs=0.01)


def test_constants():
    x = Tensor(np.full((2, 3), 7.0))
    assert init.zeros_(x) is x
    assert x.data.tolist() == [[0.0] * 3] * 2
    assert init.ones_(x).data.tolist() == [[1.0] * 3] * 2
    assert init.constant_(x, -2.5).data.tolist() == [[-2.5] * 3] * 2


def test_uniform_and_normal():
    is_uniform(drawn(init.uniform_, -2.0, 2.0), 2.0)
    is_normal(drawn(init.normal_, 3.0, 0.5), 0.5, 3.0)


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [
        (0, 1, -2, 2),
        (1, 2, -1, 0),
        (0, 1, 3, 4),
        (0, 1, 6, 1e6),
        (0, 1, -50, -8),
        (0, 1, -0.01, 0.01),
        (0, 0.02, -2, 2),
    ],
)
def test_a_truncated_normal_is_scipys(mean, std, a, b):
    stats = pytest.importorskip("scipy.stats")
    x = drawn(init.trunc_normal_, mean, std, a, b, shape=(20_000,))
    assert x.min() >= a
    assert x.max() <= b
    law = stats.truncnorm((a - mean) / std, (b - mean) / std, mean, std)
    assert stats.kstest(x, law.cdf).pvalue > 1e-3


def test_xavier():
    is_uniform(drawn(init.xavier_uniform_, 2.0), 2.0 * math.sqrt(6 / (288 + 576)))
    is_normal(drawn(init.xavier_normal_, 2.0), 2.0 * math.sqrt(2 / (288 + 576)))


@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 288), ("fan_out", 576)])
def test_kaiming(mode, fan):
    is_uniform(drawn(init.kaiming_uniform_, mode=mode, nonlinearity="relu"), math.sqrt(6 / fan))
    is_normal(drawn(init.kaiming_normal_, mode=mode, nonlinearity="relu"), math.sqrt(2 / fan))


def test_kaiming_with_root_five_is_what_linear_layers_start_from():
    is_uniform(drawn(init.kaiming_uniform_, math.sqrt(5)), 1 / math.sqrt(288))


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (6, 2, 2), (2, 3, 3)])
def test_an_orthogonal_matrix_times_its_transpose_is_the_identity(shape):
    q = drawn(init.orthogonal_, 3.0, shape=shape).reshape(shape[0], -1)
    product = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
    np.testing.assert_allclose(product, 9.0 * np.eye(min(q.shape)), atol=1e-12)


def test_orthogonal_matrices_have_no_preferred_sign():
    rng = np.random.default_rng(0)
    first = [init.orthogonal_(Tensor(np.zeros((2, 2))), rng=rng).data[0, 0] for _ in range(2000)]
    assert abs(np.mean(first)) < 0.06


@pytest.mark.parametrize(
    ("name", "param"),
    [
        *((name, None) for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "selu", "leaky_relu")),
        ("leaky_relu", 0.3),
    ],
)
def test_gains_are_torchs(name, param):
    torch = pytest.importorskip("torch")
    assert init.calculate_gain(name, param) == pytest.approx(torch.nn.init.calculate_gain(name, param), rel=1e-15)


@EACH
def test_a_seed_or_generator_decides(fill):
    first, again = drawn(fill), drawn(fill)
    np.testing.assert_array_equal(first, again)
    rng = np.random.default_rng(0)
    a, b = fill(Tensor(np.zeros(SHAPE)), rng=rng).data, fill(Tensor(np.zeros(SHAPE)), rng=rng).data
    np.testing.assert_array_equal(a, first)
    assert not np.array_equal(a, b)


@EACH
def test_a_parameter_keeps_its_dtype_and_its_optimizers_buffer(fill):
    layer = nn.Linear(3, 4)
    optimizer = nn.Adam(layer.parameters())
    array = layer.weight._data
    assert fill(layer.weight, rng=0) is layer.weight
    assert layer.weight.dtype == np.float32
    assert layer.weight._data is array
    layer.weight.grad = np.zeros((4, 3), np.float32)
    before = layer.weight.data.copy()
    optimizer.step()
    np.testing.assert_array_equal(layer.weight.data, before)


def test_a_graph_keeps_what_it_read():
    x = Tensor([3.0])
    y = (x * x).sum()
    init.zeros_(x)
    y.backward()
    assert x.data[0] == 0.0
    assert x.grad[0] == 6.0


@pytest.mark.parametrize(
    ("make", "kind", "match"),
    [
        (lambda: init.zeros_(np.zeros(2)), TypeError, "got a ndarray"),
        (lambda: init.ones_(Tensor([1.0]) * 2), TypeError, "the result of mul"),
        (lambda: init.xavier_uniform_(Tensor([1.0])), ValueError, r"\(out, in, \.\.\.\), got \(1,\).*zeros_"),
        (lambda: init.orthogonal_(Tensor([1.0])), ValueError, r"got \(1,\)"),
        (lambda: init.kaiming_normal_(Tensor([[1.0]]), mode="fan"), ValueError, "'fan_in', 'fan_out', got 'fan'"),
        (lambda: init.calculate_gain("swish"), ValueError, "no gain is known for 'swish': there are linear"),
        (lambda: init.trunc_normal_(Tensor([1.0]), a=2.0, b=1.0), ValueError, "a < b"),
    ],
)
def test_what_cannot_be_filled_is_refused(make, kind, match):
    with pytest.raises(kind, match=match):
        make()
