"""Assignments to a module by which what is learned would be lost are errors, with the cure."""

import numpy as np
import pytest

import autograd as ag
import nn
from nn import Buffer, Linear, Module, ModuleList, Parameter, Sequential
from nn.parameters import UninitializedParameter


class Several(Module):
    def __init__(self):
        self.weight = Parameter(np.ones(2))
        self.layer = Linear(2, 1, rng=0)
        self.both = [Parameter(1.0), Parameter(2.0)]
        self.named = {"a": Parameter(1.0)}
        self.layers = [Linear(1, 1, rng=0)]
        self.mean = Buffer(np.zeros(2))
        self.lazy = Linear(None, 1, rng=0)
        self.activation = nn.ReLU()
        self.numbers = [1.0, 2.0]


LOST = {
    "an array": ("weight", lambda m: np.zeros(2)),
    "a number": ("weight", lambda m: 0.5),
    "a number of NumPy's": ("weight", lambda m: np.float64(0.5)),
    "a list": ("weight", lambda m: [0.0, 1.0]),
    "a Tensor": ("weight", lambda m: ag.Tensor([0.0, 1.0])),
    "a result": ("weight", lambda m: m.weight - 0.1),
    "a Value": ("weight", lambda m: ag.Value(1.0)),
    "a Buffer": ("weight", lambda m: Buffer(np.zeros(2))),
    "detached": ("weight", lambda m: m.weight.detach()),
    "an array for a module": ("layer", lambda m: np.zeros(2)),
    "results for a list": ("both", lambda m: [p - 0.1 for p in m.both]),
    "arrays for a list": ("both", lambda m: [p.data for p in m.both]),
    "arrays for a dict": ("named", lambda m: {"a": np.zeros(2)}),
    "an array for a list": ("both", lambda m: np.zeros(2)),
    "an array for modules": ("layers", lambda m: [np.zeros(2)]),
    "an array for a buffer": ("mean", lambda m: np.zeros(2)),
    "a number for a buffer": ("mean", lambda m: 0.0),
}


@pytest.mark.parametrize(("name", "value"), LOST.values(), ids=LOST)
def test_what_would_lose_a_parameter_is_an_error(name, value):
    model = Several()
    model.lazy(np.ones((1, 1)))
    before = dict(model.named_parameters())
    with pytest.raises(
        TypeError, match=r"Several\..*would be lost if it were assigned .*data = .*nn\.(Parameter|Buffer)"
    ):
        setattr(model, name, value(model))
    assert dict(model.named_parameters()).keys() == before.keys()
    assert all(p is before[name] for name, p in model.named_parameters())


def test_what_waits_for_its_shape_is_not_lost_either():
    model = Several()
    for value in (np.zeros((1, 1)), model.weight * 2.0):
        with pytest.raises(TypeError, match="weight is a Parameter, which would be lost"):
            model.lazy.weight = value
    assert isinstance(model.lazy.weight, UninitializedParameter)
    model.lazy.weight = Parameter(np.ones((1, 2)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weight", Parameter(np.zeros(3))),
        ("weight", None),
        ("weight", Linear(1, 1, rng=0)),
        ("layer", Sequential(Linear(2, 2, rng=0))),
        ("layer", np.tanh),
        ("layer", None),
        ("layer", [Linear(1, 1, rng=0)]),
        ("both", [Parameter(1.0)]),
        ("both", []),
        ("layers", ModuleList([Linear(1, 1, rng=0)])),
        ("mean", Buffer(np.zeros(3))),
        ("mean", Parameter(np.zeros(3))),
        ("activation", np.tanh),
        ("activation", 3.0),
        ("numbers", np.zeros(2)),
        ("new", np.zeros(2)),
        ("training", False),
    ],
)
def test_deliberate_assignments_are_free(name, value):
    model = Several()
    setattr(model, name, value)
    assert getattr(model, name) is value


def test_an_update_with_a_node_of_an_attribute_would_lose_it_too():
    model = Several()
    with pytest.raises(TypeError, match="weight is a Parameter, which would be lost"):
        model.weight -= ag.Tensor(np.ones(2))
    with ag.no_grad():
        model.weight -= np.ones(2)
    assert model.weight.data.tolist() == [0.0, 0.0]
    del model.weight
    assert "weight" not in vars(model)


def test_a_module_list_holds_modules():
    layers = ModuleList([Linear(1, 1, rng=0)])
    with pytest.raises(TypeError, match="ModuleList takes modules"):
        layers[0] = np.zeros((1, 1))
    layers[0] = Linear(1, 2, rng=0)
    assert [p.shape for p in layers.parameters()] == [(2, 1), (2,)]


def test_the_data_of_a_buffer_keeps_its_shape():
    norm = nn.BatchNorm1d(2)
    for wrong in (np.zeros(3), 0.0, np.zeros((1, 2))):
        with pytest.raises(ValueError, match=r"of a buffer of shape \(2,\) keeps it, got float64 of shape"):
            norm.running_mean.data = wrong
    norm.running_mean.data = [1.0, 2.0]
    assert norm.running_mean.data.tolist() == [1.0, 2.0]


def test_a_state_that_fits_nowhere_is_an_error_also_where_not_all_must_fit():
    model = Linear(1, 1, rng=0)
    state = {f"module.{name}": array for name, array in model.state_dict().items()}
    with pytest.raises(
        ValueError, match=r"none of the names of this state \(module.weight, .* nothing would be loaded"
    ):
        model.load_state_dict(state, strict=False)
    assert model.load_state_dict({}, strict=False).missing_keys == ["weight", "bias"]
    assert model.load_state_dict({"bias": np.zeros(1), "x": 1.0}, strict=False).unexpected_keys == ["x"]
