"""Names of nodes: whose name wins, and where names come from without a trace."""

import contextlib

import numpy as np

import autograd as ag
import nn
from autograd.drawing.names import names, paths_of
from nn.scalar import MLP


def test_a_label_wins_over_a_path_in_the_inputs_and_that_over_a_variable():
    x, y, z = ag.Value(1.0, "label"), ag.Value(2.0), ag.Value(3.0)
    with ag.trace_names():
        out = x * y + z
    found = names(out, inputs={"first": x, "rest": [y]})
    assert [found.get(node) for node in (x, y, z, out)] == ["label", "rest[0]", "z", "out"]
    assert names([x, y], inputs=[y]) == {x: "label", y: "inputs[0]"}


def test_parameters_are_called_by_their_places_in_the_outermost_module_that_exists():
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 1)))
    found = names(model(np.ones((1, 2))))
    assert [found[p] for p in model.parameters()] == ["0.weight", "0.bias", "1.0.weight", "1.0.bias"]
    scalar = MLP(2, [2, 1], rng=0)
    found = names(scalar([1.0, 2.0]))
    assert [found[p] for p in scalar.parameters()] == [name for name, _ in scalar.named_parameters()]


def test_parameters_of_several_modules_are_told_apart():
    first, second = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 1))
    y = second(first(np.ones((1, 2))))
    found = names(y)
    assert [found[p] for m in (first, second) for p in m.parameters()] == [
        "Linear.weight",
        "Linear.bias",
        "Sequential.0.weight",
        "Sequential.0.bias",
    ]
    assert [names(y, inputs=[first, second])[p] for p in second.parameters()] == [
        "inputs[1].0.weight",
        "inputs[1].0.bias",
    ]
    assert names(y, inputs=first)[first.weight] == "weight"


def test_nodes_without_a_name_are_left_out_and_a_module_that_cannot_say_is_no_error():
    class Odd:
        def named_parameters(self):
            raise RuntimeError("not now")

    class Meta(type):
        def __getattr__(cls, name):
            raise RuntimeError(name)

    class Odder(metaclass=Meta):
        pass

    odd, odder = Odd(), Odder()
    x = ag.Value(1.0)
    assert names(x * 2.0) == {}
    assert paths_of(x) == {x: ""}
    assert paths_of(None) == {}
    del odd, odder


def test_explanations_call_nodes_as_the_users_code_does():
    x, w = ag.Value(2.0), ag.Value(3.0)
    with ag.trace_names():
        y = ag.tanh(x * w)
    text = str(ag.explain(y, x))
    assert "dy/dx = " in text
    assert "y  = tanh(" in text


def test_a_failed_forward_pass_is_drawn_with_the_names_that_were_seen():
    x = ag.Tensor(np.ones((2, 5)))
    with contextlib.suppress(ValueError), ag.trace_names() as seen:
        h = ag.tanh(x)
        nn.Sequential(nn.ReLU(), nn.Linear(4, 1))(h)
    source = ag.draw(seen).source
    for text in ("<B>x</B>", "<B>h</B>", "relu", "Linear", "shape (2, 5)"):
        assert text in source
