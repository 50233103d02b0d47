"""The names that tab completion shows: what a user may use, each with a docstring, and nothing of the machinery."""

import inspect
import re

import numpy as np
import pytest

import autograd as ag
import nn


def shown(thing):
    return {name for name in dir(thing) if not name.startswith("_")}


def training(callbacks=()):
    model = nn.Linear(1, 1, rng=0)
    data = [(np.ones((2, 1)), np.ones((2, 1)))]
    return nn.Training(model, data, None, nn.MSELoss(), nn.SGD(model.parameters(), lr=0.1), 1, callbacks, None)


MODULE = {
    *("forward", "training", "train", "eval", "to", "zero_grad", "summary", "extra_repr"),
    *("parameters", "named_parameters", "buffers", "named_buffers", "state_dict", "load_state_dict"),
    *("modules", "named_modules", "children", "named_children"),
}
OPTIMIZER = {
    *("step", "zero_grad", "lr", "param_groups", "add_param_group", "parameters", "defaults"),
    *("state_dict", "load_state_dict"),
}
FORMULA = {"update", "initial_state"}  # that of an optimizer, and the state that it needs: for subclasses
TRAINING = {
    *("model", "loss", "optimizer", "train", "validation", "metrics", "epochs", "callbacks", "history"),
    *("epoch", "batch", "batches", "step", "x", "y", "prediction", "value", "interrupted"),
    *("stop", "stopping", "cleanup", "state_dict", "load_state_dict"),
}
CALLBACK = {
    *("on_begin", "on_epoch_begin", "on_batch", "on_backward", "on_step", "on_epoch_end", "on_end", "on_error"),
    *("runs_last", "state_dict", "load_state_dict"),
}
HISTORY = {"steps", "epochs", "stopped", "last", "to_csv", "plot", "state_dict", "load_state_dict"}
SURFACES = {
    "Module": (nn.Module, MODULE),
    "Linear": (lambda: nn.Linear(2, 3), MODULE | {"in_features", "out_features", "weight", "bias"}),
    "SGD": (lambda: nn.SGD([nn.Parameter([1.0])], lr=0.1), OPTIMIZER | FORMULA),
    "Adam": (lambda: nn.Adam([nn.Parameter([1.0])]), OPTIMIZER | FORMULA),
    "LBFGS": (lambda: nn.LBFGS([nn.Parameter([1.0])]), OPTIMIZER),
    "Training": (training, TRAINING),
    "Callback": (nn.Callback, CALLBACK),
    "History": (nn.History, HISTORY),
}


@pytest.mark.parametrize("name", SURFACES)
def test_completion_shows_what_a_user_may_use_and_each_name_is_described(name):
    make, names = SURFACES[name]
    thing = make()
    assert shown(thing) == names
    kind, text = type(thing), " ".join(inspect.getdoc(base) or "" for base in type(thing).__mro__)
    for each in names:
        member = inspect.getattr_static(kind, each, None)
        if callable(member) or isinstance(member, (property, classmethod, staticmethod)):
            assert inspect.getdoc(getattr(kind, each)), each
        else:
            assert re.search(rf"\b{each}\b", text), f"{each} is not in the docstring"


def test_a_parameter_shows_the_names_of_a_tensor_and_none_of_nn_s():
    assert shown(nn.Parameter([1.0])) == shown(ag.Tensor([1.0]))


def test_a_user_s_module_shows_its_attributes_too():
    class Net(nn.Module):
        def __init__(self):
            self.hidden, self.children_of_mine = nn.Linear(2, 3), [nn.ReLU()]
            self._private = nn.Linear(3, 1)

        def forward(self, x):
            return self._private(self.children_of_mine[0](self.hidden(x)))

    assert shown(Net()) == MODULE | {"hidden", "children_of_mine"}
    assert list(Net().state_dict()) == ["hidden.weight", "hidden.bias", "_private.weight", "_private.bias"]
