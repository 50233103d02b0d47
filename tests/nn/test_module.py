"""A module is a plain object, and its parameters are found by looking."""

import copy
import pickle

import numpy as np
import pytest

import autograd as ag
import nn
from nn import SGD, Buffer, Linear, Module, Parameter, ReLU, Sequential


class Net(Module):
    """Parameters in every place where they are looked for; `super().__init__` is not called."""

    def __init__(self):
        self.scale = Parameter([2.0])
        self.layers = [Linear(2, 3, rng=0), ReLU(), (Linear(3, 1, rng=1),)]
        self.heads = {"a": Parameter([1.0]), "b": Linear(1, 1, bias=False, rng=2)}
        self.tied = self.layers[0]
        self.data = ag.Tensor([5.0])  # not a parameter
        self.nothing = None

    def forward(self, x):
        return self.layers[2][0](self.layers[1](self.layers[0](x))) * self.scale


NAMES = [
    "scale",
    "layers.0.weight",
    "layers.0.bias",
    "layers.2.0.weight",
    "layers.2.0.bias",
    "heads.a",
    "heads.b.weight",
]


def test_parameters_are_found_in_order_each_once():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [id(p) for p in net.parameters()] == [id(p) for _, p in net.named_parameters()]
    assert next(net.parameters()) is net.scale


def test_names_of_a_sequential_are_positions():
    net = Sequential(Linear(2, 3), ReLU(), Sequential(Linear(3, 1)))
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "2.0.weight", "2.0.bias"]
    assert [name for name, _ in net.named_modules()] == ["", "0", "1", "2", "2.0"]
    assert next(iter(net.modules())) is net


def test_children_are_the_modules_directly_within():
    net = Net()
    assert [name for name, _ in net.named_children()] == ["layers.0", "layers.1", "layers.2.0", "heads.b"]
    nested = Sequential(Sequential(ReLU()), ReLU(), lambda x: x)
    assert list(nested.children()) == [nested[0], nested[1]]
    assert list(ReLU().children()) == []


def test_a_prefix_is_put_before_every_name():
    assert [name for name, _ in Sequential(Linear(1, 1)).named_parameters("net")] == ["net.0.weight", "net.0.bias"]


def test_a_module_may_refer_to_the_one_around_it():
    outer, inner = Module(), Module()
    outer.inner, inner.outer, inner.weight = inner, outer, Parameter([1.0])
    assert [name for name, _ in outer.named_parameters()] == ["inner.weight"]
    assert len(list(outer.modules())) == 2


def test_training_and_evaluation_reach_all_modules():
    net = Net()
    assert all(m.training for m in net.modules())
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    assert net.train() is net
    assert all(m.training for m in net.modules())


def test_zero_grad_forgets():
    net = Net()
    net(np.ones((1, 2))).sum().backward()
    assert net.scale.grad is not None
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_a_missing_forward_says_what_to_do():
    with pytest.raises(NotImplementedError, match=r"Module has no forward pass: define .*forward"):
        Module()(1.0)


def test_a_gradient_belongs_to_its_parameter_alone():
    p, q = Parameter([1.0, 2.0]), Parameter([3.0, 4.0])
    seed = np.ones(2)
    (p + q).backward(seed)
    p.grad[0] = 7.0
    assert q.grad.tolist() == [1.0, 1.0]
    assert seed.tolist() == [1.0, 1.0]
    kept = p.grad
    p.zero_grad()
    (p * 2).sum().backward()
    assert kept.tolist() == [7.0, 1.0]
    assert p.grad.tolist() == [2.0, 2.0]


def test_a_second_backward_doubles():
    p = Parameter(np.ones((3, 2)))
    y = (np.ones((4, 3)) @ p).sum()
    y.backward()
    first = p.grad.copy()
    y.backward()
    np.testing.assert_array_equal(p.grad, 2 * first)


# ---- state_dict


def test_a_state_is_a_copy_and_restores():
    net = Net()
    state = net.state_dict()
    before = {name: array.copy() for name, array in state.items()}
    for p in net.parameters():
        p.data += 1.0
    assert all(np.array_equal(state[name], before[name]) for name in state)
    keys = net.load_state_dict(state)
    assert keys == ([], [])
    assert all(np.array_equal(p.data, before[name]) for name, p in net.named_parameters())
    state["scale"][:] = 9.0
    assert net.scale.data.tolist() == [2.0]


def test_shared_parameters_are_in_a_state_under_each_name():
    assert [name for name in Net().state_dict() if name not in NAMES] == ["tied.weight", "tied.bias"]


def test_all_that_is_wrong_is_told_and_nothing_is_loaded():
    net = Sequential(Linear(2, 3), Linear(3, 1))
    before = net.state_dict()
    state = {name: array + 1 for name, array in before.items()}
    del state["1.bias"]
    state["0.weight"] = np.zeros((3, 5))
    state["other"] = np.zeros(1)
    with pytest.raises(ValueError, match="nothing was loaded") as error:
        net.load_state_dict(state)
    for fact in ("1.bias is missing", "other is not a parameter", "0.weight has shape (3, 5), the model's has (3, 2)"):
        assert fact in str(error.value)
    assert all(np.array_equal(before[name], array) for name, array in net.state_dict().items())


def test_not_strict_leaves_alone_what_does_not_match_but_not_shapes():
    net = Linear(2, 1)
    keys = net.load_state_dict({"weight": [[1, 2]], "other": 0.0}, strict=False)
    assert keys.missing_keys == ["bias"]
    assert keys.unexpected_keys == ["other"]
    assert net.weight.data.tolist() == [[1.0, 2.0]]
    assert net.weight.dtype == np.float32
    with pytest.raises(ValueError, match="shape"):
        net.load_state_dict({"weight": [1.0]}, strict=False)


def test_states_pass_to_torch_and_back():
    torch = pytest.importorskip("torch")
    ours = Sequential(Linear(3, 4), ReLU(), Linear(4, 2))
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    ours.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    np.testing.assert_allclose(ours(x).data, theirs(torch.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6)
    theirs.load_state_dict({name: torch.tensor(array) for name, array in ours.state_dict().items()})


# ---- Copies, dtypes, repr


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["copy", "pickle"]
)
def test_a_copied_model_is_equal_and_independent(duplicate):
    net = Net()
    net(np.ones((1, 2))).sum().backward()
    other = duplicate(net)
    assert other.tied is other.layers[0]
    assert isinstance(other.scale, Parameter)
    x = np.ones((1, 2))
    np.testing.assert_array_equal(net(x).data, other(x).data)
    np.testing.assert_array_equal(net.scale.grad, other.scale.grad)
    other.scale.data += 1.0
    other.scale.grad += 1.0
    assert net.scale.data.tolist() == [2.0]
    assert net.scale.grad != other.scale.grad


def test_converting_changes_parameters_and_gradients_in_place():
    net = Net()
    weight = net.tied.weight
    net(np.ones((1, 2))).sum().backward()
    assert net.to(np.float64) is net
    assert net.tied.weight is weight
    assert {p.dtype for p in net.parameters()} == {np.dtype(np.float64)}
    assert weight.grad.dtype == np.float64
    with pytest.raises(TypeError, match="floating-point dtype, got int64"):
        net.to(np.int64)


def test_a_model_is_shown_as_in_torch():
    torch = pytest.importorskip("torch")
    build = lambda nn: nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Sequential(nn.Tanh(), nn.Sigmoid()))
    import nn

    assert repr(build(nn)) == repr(build(torch.nn))


def test_modules_in_lists_are_shown_with_their_places():
    assert "(layers.2.0): Linear(in_features=3, out_features=1, bias=True)" in repr(Net())


def test_transforms_take_a_model_as_an_argument():
    net = Linear(2, 1, dtype=np.float64, rng=0)
    gradient = ag.grad(lambda net: (net(np.array([[1.0, 2.0]])) ** 2).sum())(net)
    assert list(gradient) == ["weight", "bias"]
    y = float(net(np.array([1.0, 2.0])).data[0])
    np.testing.assert_allclose(gradient["weight"], [[2 * y, 4 * y]])


# ---- Buffers


class Counting(Module):
    def __init__(self):
        self.total, self.seen = Buffer(np.zeros(2, np.float32)), Buffer(np.array(0))
        self.weight = Parameter([1.0])


def test_buffers_are_saved_and_loaded_but_are_not_parameters():
    net = Sequential(Counting())
    assert [name for name, _ in net.named_parameters()] == ["0.weight"]
    assert [name for name, _ in net.named_buffers()] == ["0.total", "0.seen"]
    assert list(net.state_dict()) == ["0.total", "0.seen", "0.weight"]
    net.load_state_dict({"0.total": [1, 2], "0.seen": 7, "0.weight": [3]})
    assert net[0].total.data.tolist() == [1.0, 2.0]
    assert [b.data.dtype for b in net.buffers()] == [np.float32, np.int64]
    assert copy.deepcopy(net)[0].seen.data == 7
    net.to(np.float64)
    assert [b.data.dtype for b in net.buffers()] == [np.float64, np.int64]


def test_a_buffer_that_does_not_fit_keeps_everything_from_being_loaded():
    net = Counting()
    with pytest.raises(ValueError, match=r"total has shape \(3,\), the model's has \(2,\)"):
        net.load_state_dict({"total": np.ones(3), "seen": 1, "weight": [5.0]})
    with pytest.raises(ValueError, match="seen is missing"):
        net.load_state_dict({"total": np.ones(2), "weight": [5.0]})
    assert net.weight.data.tolist() == [1.0]
    assert net.seen.data == 0


# ---- Very many modules, and modules within themselves


class Around(nn.Module):
    def __init__(self, inner):
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


def nested(kind, n=1100):
    model = nn.Linear(2, 2, dtype=float, rng=0)
    for _ in range(n):
        model = kind(model)
    return model


@pytest.mark.parametrize(
    "kind", [nn.Sequential, Around, lambda inner: Around([inner]), lambda inner: Around({"a": (inner,)})]
)
def test_what_is_in_a_thousand_nested_modules_is_found(kind):
    model = nested(kind)
    assert [p.shape for p in model.parameters()] == [(2, 2), (2,)]
    assert len(list(model.modules())) == 1101
    assert len(model.state_dict()) == 2
    assert not any(module.training for module in model.eval().modules())
    assert len(repr(model).splitlines()) <= 1001
    model.load_state_dict(model.state_dict())
    model.to(np.float32).zero_grad()
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}


def test_a_thousand_nested_sequentials_compute():
    model, x = nested(nn.Sequential), np.ones((3, 2))
    np.testing.assert_array_equal(model(x).data, next(m for m in model.modules() if isinstance(m, nn.Linear))(x).data)
    model(x).sum().backward()
    assert next(model.parameters()).grad.shape == (2, 2)
    mixed = nn.Sequential(
        nn.Sequential(nn.Sequential(), lambda x: x + 1, nn.Sequential(lambda x: 2 * x)), lambda x: x - 1
    )
    assert mixed(np.ones(1)) == 3.0


@pytest.mark.parametrize("kind", [Around, lambda inner: Around([inner])])
def test_what_is_too_deep_to_be_called_says_so(kind):
    model = nested(Around)
    with pytest.raises(ValueError, match=r"Python's limit of [\d,]+ calls .* side by side in one nn\.Sequential"):
        model(np.ones((3, 2)))
    with pytest.raises(ValueError, match="Python's limit"):
        model.summary((1, 2))
    assert "forward" not in vars(model)


def test_a_module_within_itself():
    model = nn.Sequential(nn.Linear(2, 2, rng=0))
    model.layers.append(nn.Sequential(model))
    inner = nn.Module()
    inner.again, inner.list = inner, [[nn.Linear(1, 1, rng=0)]]
    inner.list.append(inner.list)
    for whole in (model, inner):
        assert len(list(whole.parameters())) == len(whole.state_dict()) == 2
        assert "(...)" in repr(whole)
        whole.eval()
    with pytest.raises(ValueError, match="one contains itself"):
        model(np.ones((1, 2)))


def test_a_list_that_its_own_modules_refer_to_is_looked_through_in_each_of_them():
    model = nn.Module()
    model.layers = [nn.Module(), nn.Linear(1, 1, bias=False, rng=0)]
    model.layers[0].all = model.layers
    assert list(model.state_dict()) == ["layers.0.all.1.weight", "layers.1.weight"]
    assert [name for name, _ in model.named_parameters()] == ["layers.0.all.1.weight"]


def test_modules_that_are_shared_at_every_level_are_visited_once():
    model = nn.Linear(2, 2, rng=0)
    for _ in range(30):
        model = nn.Sequential(model, model)
    assert len(list(model.parameters())) == 2
    assert len(list(model.modules())) == 31
    model.train().zero_grad()
    assert len(repr(model).splitlines()) == 1001


def test_parameters_and_buffers_copy_their_arrays():
    for make in (Parameter, Buffer):
        for array in (np.ones(3), np.ones((2, 2))[:, 0], np.float32([1.0])):
            made = make(array)
            made.data[...] = 5.0
            assert not np.any(array == 5.0)
            array[...] = 7.0
            assert np.all(made.data == 5.0)
            assert made.data.dtype == array.dtype


def test_an_optimizer_leaves_the_array_alone_that_a_parameter_was_made_of():
    array = np.ones(3)
    parameter = Parameter(array)
    parameter.grad = np.ones(3)
    SGD([parameter], lr=0.5).step()
    assert parameter.data.tolist() == [0.5, 0.5, 0.5]
    assert array.tolist() == [1.0, 1.0, 1.0]
