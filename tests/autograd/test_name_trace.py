"""What pictures learn from the user's code: names of variables, lines, and calls of modules and functions."""

import contextlib
import gc
import sys
import weakref

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import failures, frames, name_trace, scopes
from autograd.frames import line_of
from autograd.graph import ancestors
from autograd.name_trace import name_of
from autograd.scopes import scopes_of
from nn.scalar import MLP


def within(node):
    return [scope.name for scope in scopes_of(node)]


def test_nodes_are_called_as_the_variables_that_hold_them():
    x = ag.Value(2.0)
    pair = [ag.Value(1.0), ag.Value(2.0)]
    with ag.trace_names():
        h = ag.tanh(x * 3.0)
        y = h + pair[1]
    assert [name_of(n) for n in (x, h, y, *pair)] == ["x", "h", "y", "pair[0]", "pair[1]"]
    assert name_of(h.parents[0]) is None


def test_a_name_that_is_bound_again_stays_with_the_nodes_that_had_it():
    x = ag.Value(2.0)
    with ag.trace_names():
        h = x * x
        first = h
        for _ in range(3):
            h = ag.tanh(h)
        h += 1.0
    assert [name_of(n) for n in ancestors(h) if n is not x] == ["h"] * 5
    assert name_of(first) == "h"


def test_names_within_functions_give_way_to_those_at_the_with_statement():
    def neuron(inp, w):
        act = inp * w + 1.0
        out = ag.tanh(act)
        return out

    a, b = ag.Value(2.0), ag.Value(3.0)
    with ag.trace_names():
        h = neuron(a, b)
    assert [name_of(n) for n in ancestors(h)] == ["a", "b", None, "act", "h"]


def test_other_ways_to_bind_a_name():
    x = ag.Value(2.0)

    class Holder:
        pass

    holder = Holder()
    with ag.trace_names():
        a, b = x * x, x + x
        holder.c = (
            a
            * b
        )  # fmt: skip
        if (d := holder.c + 1.0).data > 0:
            d.backward()
        e: ag.Value = d * d
        rows = {"u": [x * 5.0]}
    held = [a, b, holder.c, d, e, rows["u"][0]]
    assert [name_of(n) for n in held] == ["a", "b", "holder.c", "d", "e", "rows['u'][0]"]


def test_each_node_knows_the_users_line_that_made_it():
    first = test_each_node_knows_the_users_line_that_made_it.__code__.co_firstlineno
    x = ag.Tensor([1.0, 2.0])
    with ag.trace_names():
        y = ag.std(x)
        z = x @ x
    assert {line_of(n) for n in ancestors(y) if n.op} == {(__file__, first + 4)}
    assert line_of(z) == (__file__, first + 5)
    assert line_of(x * x) is None


def test_calls_of_modules_are_scopes_with_their_paths_and_their_parameters_have_names():
    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.ReLU(), nn.Linear(4, 1)))
    with ag.trace_names():
        y = model(np.ones((2, 3)))
    found = [[(scope.name, scope.kind, scope.path) for scope in scopes_of(n)] for n in ancestors(y) if n.op]
    root = ("Sequential", "module", "")
    inner = ("Sequential", "module", "1")
    assert found == [
        [root, ("Linear", "module", "0")],
        [root, inner, ("ReLU", "module", "1.0")],
        [root, inner, ("Linear", "module", "1.1")],
    ]
    assert {name_of(p) for p in model.parameters()} == {"0.weight", "0.bias", "1.1.weight", "1.1.bias"}
    assert (name_of(y), scopes_of(y + 1.0)) == ("y", ())


def test_so_are_calls_of_networks_of_scalars_and_of_classes_of_the_users_own():
    class Shift:
        def __init__(self):
            self.by = ag.Value(1.0)

        def parameters(self):
            return [self.by]

        def __call__(self, x):
            return x + self.by

    class Net(nn.Module):
        def __init__(self):
            self.parts = {"shift": Shift()}

        def forward(self, x):
            return self.parts["shift"](x) * 2.0

    model, net = MLP(2, [2, 1], rng=0), Net()
    with ag.trace_names():
        y = model([1.0, 2.0])
        z = net(y)
    assert [scope.path for scope in scopes_of(y)] == ["", "layers.1", "layers.1.neurons.0"]
    assert [name_of(p) for p in model.parameters()] == [name for name, _ in model.named_parameters()]
    assert within(z.parents[0]) == ["Net", "Shift"]
    assert within(z) == ["Net"]
    assert name_of(net.parts["shift"].by) in (None, "self.by")


def test_of_two_models_the_parameters_are_told_apart_by_the_variables():
    generator, critic = nn.Linear(2, 2), nn.Linear(2, 1)
    with ag.trace_names():
        y = critic(generator(np.ones((1, 2))))
    names = {name_of(n) for n in ancestors(y) if n.op is None}
    assert names == {"generator.weight", "generator.bias", "critic.weight", "critic.bias"}


COMPOSITES = {
    "std": lambda x: ag.std(x),
    "var": lambda x: x.var(),
    "norm": lambda x: ag.norm(x, ord=np.inf),
    "clip": lambda x: ag.clip(x, 0.0, 1.5),
    "mean": lambda x: ag.mean([ag.Value(1.0), ag.Value(2.0)]),
    "average": lambda x: np.average(x, weights=[1.0, 2.0, 3.0]),
    "logsumexp": lambda x: ag.logsumexp([x[0], x[1]]),
}


@pytest.mark.parametrize("name", COMPOSITES)
def test_functions_of_the_library_that_record_several_nodes_are_scopes(name):
    x = ag.Tensor([1.0, 2.0, 3.0])
    with ag.trace_names():
        y = COMPOSITES[name](x)
    inner = [n for n in ancestors(y) if n.op and scopes_of(n)]
    assert len(inner) >= 2
    assert {tuple(within(n)) for n in inner} == {(name,)}
    assert scopes_of(COMPOSITES[name](x)) == ()


def test_functions_that_record_one_node_are_no_scopes():
    x = ag.Tensor([1.0, 2.0])
    with ag.trace_names():
        nodes = [ag.sum(x), ag.softmax(x), x.mean(), ag.norm(x), np.exp(x), x * x]
    assert [scopes_of(n) for n in nodes] == [()] * 6


ROWS = np.array([[0.0, 1.0], [1.0, 0.0]])
TARGETS = dict.fromkeys(("CrossEntropyLoss", "NLLLoss", "MultiMarginLoss"), np.array([0, 1])) | {
    "HingeLoss": ROWS * 2 - 1
}


@pytest.mark.parametrize("name", [name for name in nn.__all__ if name.endswith("Loss") and name != "Loss"])
def test_losses_are_scopes(name):
    loss = getattr(nn, name)()
    x = ag.Tensor(np.full((2, 2), 0.5))
    with ag.trace_names():
        y = loss(x, TARGETS.get(name, ROWS))
    assert within(y) == [name]


def test_scopes_of_the_user_hold_those_of_modules_and_are_held_by_them():
    class Net(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(2, 2)

        def forward(self, x):
            with ag.scope("block"):
                return ag.tanh(self.layer(x)) * 2.0

    net = Net()
    with ag.trace_names(), ag.scope("forward"):
        y = net(np.ones((1, 2)))
    tanh = y.parents[0]
    assert within(y) == within(tanh) == ["forward", "Net", "block"]
    assert within(tanh.parents[0]) == ["forward", "Net", "block", "Linear"]


def test_without_a_trace_and_a_scope_nothing_of_them_is_called():
    model, scalar = nn.Sequential(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), nn.Linear(2, 1)), MLP(2, [2, 1], rng=0)
    x = ag.Tensor(np.ones((4, 3)))
    files = {name_trace.__file__, scopes.__file__, failures.__file__, frames.__file__}
    called = []

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_filename in files:
            called.append(frame.f_code.co_qualname)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        loss = nn.MSELoss()(model(x), np.zeros((4, 1))) + ag.std(x) + ag.norm(x, 1, axis=0).sum() + x.var()
        loss.backward()
        ag.mean([scalar([1.0, 2.0]), scalar([0.0, 1.0])]).backward()
    finally:
        sys.setprofile(before)
    assert called == []


def test_names_are_known_within_the_context_too():
    from autograd.drawing.names import names

    x = ag.Value(2.0)
    with ag.trace_names():
        y = x * x
        z = y + 1.0
        assert list(names(z).values()) == ["x", "y", "z"]


def test_traces_may_be_within_one_another_and_beside_other_observers():
    x = ag.Value(2.0)
    with ag.trace_names():
        a = x * x
        with ag.trace_names():
            b = a + x
        c = b * 2.0
    assert [name_of(n) for n in (x, a, b, c)] == ["x", "a", "b", "c"]
    with ag.trace_names(), ag.detect_anomaly():
        d = c * a
    assert name_of(d) == "d"
    with ag.detect_anomaly(), ag.trace_names(), pytest.raises(FloatingPointError, match="log gave -inf"):
        ag.log(ag.Value(0.0))


def test_nothing_is_kept_alive():
    def run():
        x = ag.Tensor([1.0])
        with ag.trace_names() as seen:
            y = ag.std(x) * 2.0
            nodes = [weakref.ref(n) for n in ancestors(y)]
        return seen, nodes

    gc.disable()
    try:
        seen, nodes = run()
        assert [n() for n in nodes] == [None] * len(nodes)
    finally:
        gc.enable()
    assert seen.failed is None


def test_the_values_and_the_graph_are_the_same():
    def f(x):
        return ag.std(ag.tanh(x) * x).sum()

    x = np.linspace(0.1, 1.0, 7)
    with ag.trace_names():
        traced = ag.value_and_grad(f)(x)
        compiled = ag.compile(lambda v: ag.tanh(v) * v)(0.5)
    plain = ag.value_and_grad(f)(x)
    assert traced[0] == plain[0]
    assert traced[1].tolist() == plain[1].tolist()
    assert compiled == ag.tanh(0.5) * 0.5


# ---- Where the forward pass raises


def failure(f, *args):
    with pytest.raises(Exception) as raised, ag.trace_names() as seen:  # noqa: PT011  # of any kind
        f(*args)
    assert seen.failed.message == str(raised.value)
    return seen


W = ag.Tensor(np.ones((3, 4)))
FAILURES = {
    "an operator": (lambda h: h @ W, "matmul", ["h", "W"]),
    "an operator with an array": (lambda h: h + np.ones((3, 3)), "add", ["h", (3, 3)]),
    "an array and an operator": (lambda h: np.ones((3, 3)) - h, "sub", [(3, 3), "h"]),
    "a comparison": (lambda h: h > W, "greater", ["h", "W"]),
    "a function": (lambda h: ag.matmul(h, W), "matmul", ["h", "W"]),
    "a function of a list": (lambda h: ag.concatenate([h, W]), "concatenate", ["h", "W"]),
    "a method": (lambda h: h.reshape(3, 3), "reshape", ["h"]),
    "an index": (lambda h: h[7], "index", ["h"]),
    "within a composite": (lambda h: ag.std(h, axis=4), "mean", ["h"]),
    "NumPy": (lambda h: np.matmul(h, W), "matmul", ["h", "W"]),
    "a loss": (lambda h: nn.MSELoss()(h, np.ones((3, 3))), "MSELoss", ["h", (3, 3)]),
    "a layer": (lambda h: nn.Sequential(nn.ReLU(), nn.Linear(4, 1))(h), "Linear", [(2, 5)]),
    "a neuron": (lambda h: MLP(2, [2, 1], rng=0)([h.sum()]), "Neuron", [()]),
    "what is no number": (lambda h: h * "a", "mul", ["h", ()]),
    "float": (lambda h: float(h.sum()), "float", [()]),
    "the user's own": (lambda h: {}[h.shape], "KeyError", []),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_the_operation_that_failed_is_known_with_its_operands(kind):
    run, operation, operands = FAILURES[kind]
    x = ag.Tensor(np.ones((2, 5)))

    def forward(x):
        h = ag.tanh(x)
        return run(h)

    seen = failure(forward, x)
    failed = seen.failed
    assert failed.operation == operation
    found = [(isinstance(v, ag.Node) and name_of(v)) or np.shape(v) for v in failed.operands]
    found = [
        v if not isinstance(want, tuple) else shape
        for v, want, shape in zip(found, operands, failed.shapes, strict=True)
    ]
    assert found == operands
    assert failed.line == (__file__, run.__code__.co_firstlineno)
    drawn = {id(n) for output in seen.outputs for n in ancestors(output)}
    assert id(x) in drawn


def test_what_failed_knows_the_calls_and_scopes_that_it_was_in():
    def forward(x):
        with ag.scope("mine"):
            h = ag.tanh(x)
            with ag.scope("inner"):
                return nn.Sequential(nn.ReLU(), nn.Linear(4, 1))(h)

    seen = failure(forward, ag.Tensor(np.ones((2, 5))))
    assert [(scope.name, scope.path) for scope in seen.failed.scopes] == [
        ("mine", None), ("inner", None), ("Sequential", ""), ("Linear", "1"),
    ]  # fmt: skip
    (relu,) = seen.outputs
    assert [scopes_of(relu)[i] is seen.failed.scopes[i] for i in range(3)] == [True] * 3
    assert scopes_of(ag.tanh(relu)) == ()


def test_an_error_that_is_caught_within_is_no_failure_and_what_ends_the_trace_is():
    x = ag.Tensor(np.ones((2, 5)))
    with ag.trace_names() as seen:
        try:
            with ag.scope("tried"):
                x @ W
        except ValueError:
            y = ag.tanh(x)
    assert seen.failed is None
    assert seen.outputs == (y,)
    with pytest.raises(KeyboardInterrupt), ag.trace_names() as seen:
        raise KeyboardInterrupt
    assert seen.failed is None
    with pytest.raises(ValueError, match="matmul"), ag.trace_names() as outer, ag.trace_names() as inner:
        ag.tanh(x) @ W
    assert inner.failed is outer.failed
    assert outer.failed.operation == "matmul"


def test_a_failure_keeps_the_graph_of_its_operands_and_nothing_else():
    def forward():
        x = ag.Tensor(np.ones((2, 5)), label="x")
        h, unused = ag.tanh(x), ag.exp(x)
        nodes.extend(map(weakref.ref, (x, h, unused)))
        h @ W

    nodes = []
    gc.disable()
    try:
        with contextlib.suppress(ValueError), ag.trace_names() as seen:
            forward()
        assert [node() is not None for node in nodes] == [True, True, False]
        del seen
        assert [node() is not None for node in nodes] == [False, False, False]
    finally:
        gc.enable()
