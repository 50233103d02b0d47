"""`Sequential` applies its modules one behind the other."""

import numpy as np
import pytest

from nn import Linear, ModuleList, ReLU, Residual, Sequential, Tanh


def test_layers_are_applied_in_order():
    net = Sequential(Linear(2, 3, rng=0), ReLU(), Linear(3, 1, rng=1))
    x = np.ones((4, 2))
    np.testing.assert_array_equal(net(x).data, net[2](net[1](net[0](x))).data)
    assert Sequential()(x) is x


def test_functions_may_stand_among_modules():
    assert Sequential(lambda x: x + 1, lambda x: x * 2)(3.0) == 8.0


def test_it_is_a_sequence():
    net = Sequential(Linear(2, 3), ReLU(), Tanh())
    assert len(net) == 3
    assert list(net) == [net[0], net[1], net[-1]]
    assert isinstance(net[1:], Sequential)
    assert net[:1][0] is net[0]
    with pytest.raises(IndexError):
        net[3]


def test_what_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match=r"layer 0 is \[ReLU\(\)\]: unpack"):
        Sequential([ReLU()])


def test_a_module_list_names_by_position_and_can_grow():
    layers = ModuleList([Linear(2, 3), ReLU()]).append(Linear(3, 1)).extend([Tanh()])
    assert len(layers) == 4
    assert [name for name, _ in layers.named_parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert list(layers)[1] is layers[1]
    assert isinstance(layers[1:], ModuleList)
    layers[1] = Tanh()
    assert repr(layers[1]) == "Tanh()"
    with pytest.raises(NotImplementedError, match="call its modules, or use a Sequential"):
        layers(1.0)


def test_a_residual_adds_to_its_input():
    x = np.ones((4, 2))
    inner = [Linear(2, 3, rng=0), ReLU(), Linear(3, 2, rng=1)]
    net = Residual(*inner)
    np.testing.assert_array_equal(net(x).data, x + Sequential(*inner)(x).data)
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    with pytest.raises(ValueError, match=r"took \(4, 2\) to \(4, 3\)"):
        Residual(inner[0])(x)
    with pytest.raises(TypeError, match="Residual needs modules"):
        Residual([ReLU()])
