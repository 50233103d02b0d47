"""The twin of a network of arrays: the same numbers, on Values."""

import copy
import pickle

import numpy as np
import pytest

import autograd as ag
import nn
from nn.elements import Element
from nn.scalar import ELEMENTWISE, twin

ACTIVATIONS = [*(kind() for kind in ELEMENTWISE), nn.GELU("tanh"), nn.LeakyReLU(0.2), nn.Softplus(2.0, 1.0)]


def net(*middle, dtype=np.float64, sizes=(3, 5, 2), bias=True):
    nin, width, nout = sizes
    rng = np.random.default_rng(0)
    first, last = nn.Linear(nin, width, bias, dtype, rng), nn.Linear(width, nout, bias, dtype, rng)
    return nn.Sequential(first, *middle, last)


def listed(result):
    return result if isinstance(result, list) else [result]


def check_same(model, small, points):
    """Outputs, and gradients of a weighted sum of them by inputs and weights, are the same to 1e-12."""
    for point in points:
        x = ag.Tensor(np.array([point]))
        values = [ag.Value(number) for number in np.ravel(point)]
        nested = np.array(values, object).reshape(np.shape(point)).tolist()
        ours, theirs = listed(small(nested)), model(x)
        np.testing.assert_allclose([v.data for v in ours], theirs.data[0], rtol=1e-12, atol=1e-12)
        seeds = np.linspace(0.5, 1.5, len(ours))
        for parameter in [*model.parameters(), *small.parameters()]:
            parameter.zero_grad()
        ag.sum(theirs * seeds).backward()
        ag.sum([v * seed for v, seed in zip(ours, seeds, strict=True)]).backward()
        np.testing.assert_allclose([v.grad for v in values], np.ravel(x.grad), rtol=1e-12, atol=1e-12)
        grads = [np.ravel(p.grad if p.grad is not None else np.zeros(p.shape)) for p in model.parameters()]
        by_element = {(id(e._parameter), e._index): e.grad for e in small.parameters()}
        for parameter, grad in zip(model.parameters(), grads, strict=True):
            twins = [by_element[id(parameter), index] for index in np.ndindex(parameter.shape)]
            np.testing.assert_allclose(twins, grad, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_outputs_and_gradients_are_those_of_the_arrays(activation):
    model = net(activation)
    check_same(model, twin(model), np.random.default_rng(1).normal(0.0, 2.0, (5, 3)))


@pytest.mark.parametrize("last", [nn.Softmax(), nn.LogSoftmax(), nn.Softmax(1)], ids=repr)
def test_softmax_has_a_twin_that_does_not_overflow(last):
    model = nn.Sequential(net(nn.Tanh(), sizes=(2, 4, 3)), last)
    small = twin(model)
    check_same(model, small, np.random.default_rng(1).normal(size=(4, 2)))
    model[0][-1].bias.data = np.array([1000.0, 0.0, -1000.0])
    check_same(model, small, np.ones((1, 2)))


def test_images_are_flattened_and_layers_may_lie_in_layers():
    model = nn.Sequential(nn.Flatten(), nn.Sequential(net(nn.ReLU(), sizes=(6, 3, 2)), nn.Sigmoid()))
    assert [type(layer).__name__ for layer in twin(model).layers] == [
        "Flattened",
        "Layer",
        "Elementwise",
        "Layer",
        "Elementwise",
    ]
    check_same(model, twin(model), np.random.default_rng(1).normal(size=(3, 1, 2, 3)))


def test_a_layer_alone_and_one_without_bias_have_twins():
    layer = nn.Linear(3, 2, bias=False, dtype=np.float64, rng=0)
    small = twin(layer)
    assert len(small.parameters()) == 6
    check_same(layer, small, np.random.default_rng(1).normal(size=(2, 3)))


def test_a_single_output_is_a_value_and_inputs_may_be_numbers():
    model = net(nn.Tanh(), sizes=(2, 3, 1))
    out = twin(model)(np.array([0.5, -1.0]))
    assert type(out) is ag.Value
    assert out.data == pytest.approx(model(np.array([[0.5, -1.0]])).item(), abs=1e-15)
    assert twin(nn.Tanh())([0.5]).data == np.tanh(0.5)


def test_names_say_which_layer_of_the_model_a_weight_belongs_to():
    small = twin(net(nn.Tanh(), sizes=(2, 2, 1)))
    names = [name for name, _ in small.named_parameters()]
    assert names[:4] == [
        "layers.0.neurons.0.w.0",
        "layers.0.neurons.0.w.1",
        "layers.0.neurons.0.b",
        "layers.0.neurons.1.w.0",
    ]
    assert names[-1] == "layers.2.neurons.0.b"


# ---- One set of numbers


def test_training_the_model_changes_the_twin():
    model = net(nn.Tanh())
    small = twin(model)
    x, y = np.random.default_rng(0).normal(size=(2, 8, 3))
    for optimizer in (nn.SGD(model.parameters(), lr=0.1), nn.Adam(model.parameters(), lr=0.01)):
        before = [p.data for p in small.parameters()]
        for _ in range(3):
            optimizer.zero_grad()
            nn.MSELoss()(model(x), y[:, :2]).backward()
            optimizer.step()
        assert all(a != b.data for a, b in zip(before, small.parameters(), strict=True))
        check_same(model, small, x[:2])


@pytest.mark.parametrize("make", [nn.SGD, nn.Adam], ids=["SGD", "Adam"])
def test_training_the_twin_changes_the_model(make):
    model = net(nn.Tanh())
    small, points = twin(model), np.random.default_rng(0).normal(size=(4, 3))
    optimizer = make(small.parameters(), lr=0.05)

    def loss():
        return ag.sum([ag.sum([(v - 1.0) ** 2 for v in small(point)]) for point in points.tolist()])

    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        losses.append(loss())
        losses[-1].backward()
        optimizer.step()
    assert losses[-1].data < losses[0].data
    check_same(model, small, points)
    assert np.sum((model(points).data - 1.0) ** 2) == pytest.approx(loss().data, rel=1e-12)


def test_training_in_turns_changes_both():
    model = net(nn.Tanh())
    small, x = twin(model), np.ones((1, 3))
    ours, theirs = nn.SGD(small.parameters(), lr=0.1), nn.SGD(model.parameters(), lr=0.1)
    heights = []
    for _ in range(3):
        theirs.zero_grad()
        loss = model(x).sum()
        heights.append(loss.item())
        loss.backward()
        theirs.step()
        ours.zero_grad()
        loss = ag.sum(small([1.0, 1.0, 1.0]))
        heights.append(loss.data)
        loss.backward()
        ours.step()
    assert heights == sorted(heights, reverse=True)
    assert model(x).sum().item() < heights[-1]
    check_same(model, small, x)


def test_loading_and_setting_change_both():
    model, other = net(nn.Tanh()), net(nn.Tanh())
    other[0].weight.data += 1.0
    small = twin(model)
    model.load_state_dict(other.state_dict())
    check_same(model, small, np.ones((1, 3)))
    weight = small.layers[0].neurons[1].w[2]
    assert weight.data == other[0].weight.data[1, 2]
    with ag.no_grad():
        weight += 1.0
    assert model[0].weight.data[1, 2] == weight.data == other[0].weight.data[1, 2] + 1.0


def test_gradients_are_not_shared():
    model = net(nn.Tanh())
    small = twin(model)
    ag.sum(small([1.0, 2.0, 3.0])).backward()
    assert model[0].weight.grad is None
    model(np.ones((1, 3))).sum().backward()
    small.zero_grad()
    assert model[0].weight.grad is not None


def test_a_graph_of_arrays_keeps_the_numbers_that_it_read():
    model = net(nn.Tanh())
    small, x = twin(model), np.ones((1, 3))
    expected = ag.grad(lambda model: model(x).sum())(model)
    loss = model(x).sum()
    small.parameters()[0].data = 100.0
    assert model[0].weight.data[0, 0] == 100.0
    loss.backward()
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(parameter.grad, expected[name], rtol=1e-12)


def test_a_graph_of_values_keeps_the_numbers_that_it_read():
    model = net(nn.Tanh(), sizes=(1, 1, 1))
    small, x = twin(model), ag.Value(0.5)
    out = small([x])
    slope = ag.grad(lambda x: small([x]))(0.5)
    model[0].weight.data[...] = 50.0
    out.backward()
    assert x.grad == pytest.approx(slope, rel=1e-14)


def test_float32_weights_are_taken_as_they_are_and_settings_are_rounded():
    model = net(nn.Tanh(), dtype=np.float32)
    small, point = twin(model), np.array([0.5, -1.0, 2.0])
    np.testing.assert_allclose([v.data for v in small(point)], model(point[None]).data[0], rtol=1e-5)
    weight = small.parameters()[0]
    weight.data = 0.1
    assert weight.data == float(np.float32(0.1))


# ---- An element is a Value like any other


def test_results_are_values_and_transforms_and_kernels_read_elements():
    weight = nn.Parameter(np.array([2.0, 3.0]))
    a, b = Element(weight, (0,)), Element(weight, (1,))
    for result in (a + b, a * 2.0, 2.0 / b, ag.sin(a), a**2, -a, ag.dot([a, b], [b, a]), ag.maximum(a, b), abs(a)):
        assert type(result) is ag.Value
    assert a.numpy() == 2.0
    assert repr(a) == "Element(data=2.0, grad=0.0)"
    kernel = ag.compile(lambda x: x * a + b, parameters=[a, b])
    assert kernel(10.0) == 23.0
    weight.data[...] = [1.0, 1.0]
    assert kernel(10.0) == 11.0
    assert (a.grad, b.grad) == (20.0, 2.0)


def test_copies_and_pickles_share_with_the_copied_parameter():
    model = net(nn.Tanh())
    for second, small in (copy.deepcopy((model, twin(model))), pickle.loads(pickle.dumps((model, twin(model))))):
        second[0].weight.data[0, 0] = 9.0
        assert small.parameters()[0].data == 9.0
        assert model[0].weight.data[0, 0] != 9.0
        check_same(second, small, np.ones((1, 3)))


def test_a_layer_that_is_there_twice_has_one_twin():
    layer = nn.Linear(2, 2, dtype=np.float64, rng=0)
    small = twin(nn.Sequential(layer, nn.Tanh(), layer))
    assert small.layers[0] is small.layers[2]
    assert len(small.parameters()) == 6
    check_same(nn.Sequential(layer, nn.Tanh(), layer), small, np.ones((1, 2)))


# ---- What has none


@pytest.mark.parametrize(
    ("model", "place", "name"),
    [
        (nn.Sequential(nn.Conv2d(1, 2, 3)), "model[0]", "Conv2d"),
        (
            nn.Sequential(
                nn.Sequential(nn.Dropout()),
            ),
            "model[0][0]",
            "Dropout",
        ),
        (nn.Sequential(nn.ReLU(), abs), "model[1]", "abs"),
        (nn.Residual(nn.ReLU()), "model", "Residual"),
        (nn.Softmax(0), "model", "Softmax"),
        (nn.Flatten(0), "model", "Flatten"),
        (3, "model", "3"),
    ],
)
def test_what_has_no_twin_is_named_with_its_place(model, place, name):
    with pytest.raises(TypeError) as raised:
        twin(model)
    assert str(raised.value).startswith(f"{place} is ")
    assert name in str(raised.value)
    assert "no twin" in str(raised.value)


def test_a_subclass_may_compute_something_else_and_has_none():
    class Mine(nn.Linear):
        pass

    with pytest.raises(TypeError, match="has no twin"):
        twin(Mine(1, 1))


def test_a_layer_whose_size_is_not_known_has_none_yet():
    with pytest.raises(ValueError, match=r"call the model once before"):
        twin(nn.Sequential(nn.Linear(None, 2)))


def test_a_sample_of_another_length_is_refused():
    with pytest.raises(ValueError, match="takes 3 inputs, got 2"):
        twin(net(nn.Tanh()))([1.0, 2.0])
