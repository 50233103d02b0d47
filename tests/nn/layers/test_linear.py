"""`Linear` is `x @ weight.T + bias`, with PyTorch's shapes, names and starting values."""

import numpy as np
import pytest

import autograd as ag
from nn import Linear


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 4, 3), (0, 3)])
def test_values_and_gradients_are_torchs(shape, bias):
    torch = pytest.importorskip("torch")
    layer = Linear(3, 2, bias=bias, dtype=np.float64, rng=0)
    theirs = torch.nn.Linear(3, 2, bias=bias, dtype=torch.float64)
    theirs.load_state_dict({name: torch.tensor(a) for name, a in layer.state_dict().items()})
    rng = np.random.default_rng(1)
    x, g = rng.normal(size=shape), rng.normal(size=(*shape[:-1], 2))
    mine, its = ag.Tensor(x), torch.tensor(x, requires_grad=True)
    y, z = layer(mine), theirs(its)
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-12)
    y.backward(g)
    z.backward(torch.tensor(g))
    np.testing.assert_allclose(mine.grad, its.grad.numpy(), rtol=1e-12)
    for name, p in layer.named_parameters():
        np.testing.assert_allclose(p.grad, dict(theirs.named_parameters())[name].grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("bias", [True, False])
def test_derivatives_of_two_orders_agree_with_finite_differences(bias):
    layer = Linear(3, 2, bias=bias, dtype=np.float64, rng=0)
    x = np.random.default_rng(0).normal(size=(4, 3))
    assert ag.gradcheck(lambda x: ag.tanh(layer(x)), x, order=2)


def test_starting_values_are_uniform_within_one_over_root_n():
    layer = Linear(400, 500, rng=0)
    bound = 1 / np.sqrt(400)
    for values in (layer.weight.data, layer.bias.data):
        assert np.abs(values).max() <= bound
        assert np.abs(values).max() > 0.98 * bound
        assert abs(values.mean()) < 3 * bound / np.sqrt(3 * values.size)
        assert values.std() == pytest.approx(bound / np.sqrt(3), rel=0.05)


def test_starting_values_come_from_the_generator_alone():
    np.random.seed(0)
    state = np.random.get_state()[1].copy()
    assert np.array_equal(Linear(3, 2, rng=7).weight.data, Linear(3, 2, rng=7).weight.data)
    rng = np.random.default_rng(7)
    assert not np.array_equal(Linear(3, 2, rng=rng).weight.data, Linear(3, 2, rng=rng).weight.data)
    assert not np.array_equal(Linear(3, 2).weight.data, Linear(3, 2).weight.data)
    assert np.array_equal(np.random.get_state()[1], state)


def test_float32_is_the_default_and_data_is_taken_in_it():
    layer = Linear(3, 2)
    y = layer(np.ones((4, 3)))
    assert y.dtype == np.float32
    assert layer([[1, 2, 3]]).shape == (1, 2)
    y.sum().backward()
    assert layer.weight.grad.dtype == np.float32
    assert Linear(3, 2, dtype=np.float64)(np.ones((4, 3), np.float32)).dtype == np.float64


def test_one_graph_node():
    layer = Linear(3, 2)
    assert layer(np.ones((4, 3))).inputs[1:] == (layer.weight, layer.bias)


@pytest.mark.parametrize("shape", [(5, 4), (3, 1), ()])
def test_a_wrong_input_names_the_layer_and_both_lengths(shape):
    with pytest.raises(
        ValueError, match=r"Linear\(in_features=3, out_features=2, bias=True\).* length 3, got shape"
    ) as error:
        Linear(3, 2)(np.ones(shape))
    assert str(shape) in str(error.value)


@pytest.mark.parametrize("sizes", [(0, 1), (1, -1), (2.5, 1)])
def test_sizes_are_positive_integers(sizes):
    with pytest.raises(ValueError, match="positive integer"):
        Linear(*sizes)


def test_dtypes_are_floating_point():
    with pytest.raises(TypeError, match="floating-point"):
        Linear(1, 1, dtype=int)
