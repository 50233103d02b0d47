"""Networks of scalars do what micrograd's do, to the last digit that order of addition leaves, and can do more."""

import random

import numpy as np
import pytest

import autograd as ag
from autograd import Value
from nn.scalar import MLP, Layer, Neuron


def test_a_neuron_is_relu_of_a_weighted_sum():
    neuron = Neuron(2, rng=0)
    neuron.w[0].data, neuron.w[1].data, neuron.b.data = 2.0, -3.0, 0.5
    assert neuron([1.0, 0.5]).data == 1.0
    assert neuron([0.0, 1.0]).data == 0.0
    neuron.nonlin = False
    assert neuron([0.0, 1.0]).data == -2.5


def test_a_neuron_is_few_nodes():
    neuron, x = Neuron(20, rng=0), [Value(1.0) for _ in range(20)]
    from autograd.graph import ancestors

    assert len(ancestors(neuron(x))) - 41 <= 3


def test_gradients_agree_with_finite_differences():
    model = MLP(3, [4, 2], rng=0)
    for p in model.parameters():
        p.data += 0.01
    assert ag.gradcheck(lambda x: ag.sum(model(x)), [0.3, -0.2, 0.7], order=2)
    assert ag.gradcheck(lambda w: Neuron.__call__(_with(w), [0.5, 2.0]), [0.3, 0.4])


def _with(w):
    neuron = Neuron(2, nonlin=False)
    neuron.w = w
    return neuron


def test_names_say_where_a_parameter_is_and_transforms_use_them():
    model = MLP(2, [2, 1], rng=0)
    names = [name for name, _ in model.named_parameters()]
    assert names[:3] == ["layers.0.neurons.0.w.0", "layers.0.neurons.0.w.1", "layers.0.neurons.0.b"]
    assert [p for _, p in model.named_parameters()] == model.parameters()
    gradient = ag.grad(lambda model: model([1.0, 2.0]))(model)
    assert list(gradient) == names
    assert gradient["layers.1.neurons.0.b"] == 1.0


def test_weights_come_from_pythons_random_or_from_a_generator():
    random.seed(1337)
    expected = [random.uniform(-1, 1) for _ in range(6)]
    random.seed(1337)
    layer = Layer(3, 2)
    assert [w.data for neuron in layer.neurons for w in neuron.w] == expected
    state = random.getstate()
    one, two, three = (Layer(3, 2, rng=rng) for rng in (5, 5, np.random.default_rng(5)))
    values = lambda layer: [p.data for p in layer.parameters()]
    assert values(one) == values(two) == values(three)
    assert one.neurons[0].w[0].data != one.neurons[1].w[0].data
    assert random.getstate() == state
    assert all(-1 < v < 1 for v in values(one))
    assert one.neurons[0].b.data == 0.0


def test_outputs_are_one_value_or_a_list():
    assert isinstance(MLP(2, [3, 1], rng=0)([1.0, 2.0]), Value)
    assert len(MLP(2, [3, 2], rng=0)([1.0, 2.0])) == 2
    assert isinstance(MLP(2, [1, 1], rng=0)([1.0, 2.0]), Value)


def test_a_wrong_number_of_inputs_is_refused():
    with pytest.raises(ValueError, match=r"ReLUNeuron\(3\) takes 3 inputs, got 2"):
        MLP(3, [1, 1])([1.0, 2.0])


def test_rows_of_arrays_are_inputs_too():
    model = MLP(2, [3, 1], rng=0)
    x = np.array([[0.5, -1.0]])
    assert model(x[0]).data == model([0.5, -1.0]).data
    assert model(x.astype(np.float32)[0]).data == model([0.5, -1.0]).data


def test_code_for_micrograd_runs_with_its_imports_changed():
    """Ten steps of its demonstration, from one seed: the same losses, gradients, parameters and reprs."""
    pytest.importorskip("micrograd")
    import micrograd.engine
    import micrograd.nn

    ours, theirs = (_train(*names) for names in ((MLP, Value), (micrograd.nn.MLP, micrograd.engine.Value)))
    assert ours[0] == theirs[0]
    for a, b in zip(ours[1:], theirs[1:], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def _train(MLP, Value):
    random.seed(1337)
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.random.default_rng(1).choice([-1, 1], 20)
    model = MLP(2, [8, 8, 1])
    losses = []
    for k in range(10):
        inputs = [list(map(Value, row)) for row in X]
        scores = list(map(model, inputs))
        hinge = [(1 + -yi * score).relu() for yi, score in zip(y.tolist(), scores, strict=True)]
        total = sum(hinge) * (1.0 / len(hinge)) + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
        losses.append(total.data)
    return repr(model), losses, [p.data for p in model.parameters()], [p.grad for p in model.parameters()]


ROWS = {
    "list": [0.5, -1.0],
    "tuple": (0.5, -1.0),
    "row": np.array([0.5, -1.0]),
    "float32 row": np.array([0.5, -1.0], np.float32),
    "strided row": np.array([[0.5, 9.0], [-1.0, 9.0]])[:, 0],
    "NumPy's numbers": [np.float64(0.5), np.float32(-1.0)],
    "arrays of no axes": [np.array(0.5), np.array(-1.0)],
    "Values": [ag.Value(0.5), ag.Value(-1.0)],
    "Values and NumPy's": [ag.Value(0.5), np.float32(-1.0)],
    "an array of Values": np.array([ag.Value(0.5), ag.Value(-1.0)]),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_values_stay_values_whatever_form_a_row_has(row):
    model = MLP(2, [3, 2, 1], rng=0)
    expected = model([0.5, -1.0])
    expected.backward()
    gradients = [p.grad for p in model.parameters()]
    model.zero_grad()
    out = model(row)
    assert type(out) is ag.Value
    assert out.data == expected.data
    out.backward()
    assert [p.grad for p in model.parameters()] == gradients
    assert type(model.layers[0].neurons[0](row)) is ag.Value
    assert all(type(x) is ag.Value for x in model.layers[0](row))


def test_integers_in_a_row_are_taken_as_they_are():
    model = MLP(2, [2, 1], rng=0)
    assert model(np.array([1, 2])).data == model([1, 2]).data == model(np.array([True, 2])).data


def test_several_rows_at_once_are_an_error():
    for part in (MLP(2, [2, 1], rng=0), Layer(2, 2, rng=0), Neuron(2, rng=0)):
        with pytest.raises(ValueError, match=r"one row of numbers at a time, got shape \(2, 2\): loop over rows"):
            part(np.ones((2, 2)))


# ---- Activations


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "softplus", "linear"])
def test_a_neuron_applies_the_activation_that_was_chosen(activation):
    neuron = Neuron(2, rng=0, activation=activation)
    x = [0.5, -2.0]
    pre = ag.dot(neuron.w, x, start=neuron.b)
    assert neuron(x).data == (pre if activation == "linear" else getattr(ag, activation)(pre)).data
    assert repr(neuron).lower() == f"{activation}neuron(2)"
    neuron.nonlin = False
    assert neuron(x).data == pre.data
    assert repr(neuron) == "LinearNeuron(2)"
    plain = Neuron(2, nonlin=False, rng=0, activation=activation)
    assert plain(x).data == pre.data
    assert Layer(2, 1, rng=0, activation=activation)(x).data == Neuron(2, rng=0, activation=activation)(x).data


def test_the_last_layer_has_an_activation_of_its_own_which_is_none_unless_chosen():
    def kinds(model):
        return [repr(layer.neurons[0]).partition("(")[0] for layer in model.layers]

    assert kinds(MLP(2, [3, 3, 1])) == ["ReLUNeuron", "ReLUNeuron", "LinearNeuron"]
    assert kinds(MLP(2, [3, 3, 1], activation="tanh")) == ["TanhNeuron", "TanhNeuron", "LinearNeuron"]
    model = MLP(2, [3, 1], activation="tanh", output_activation="sigmoid")
    assert kinds(model) == ["TanhNeuron", "SigmoidNeuron"]
    assert 0.0 < model([1.0, 2.0]).data < 1.0


@pytest.mark.parametrize(
    "kind", [lambda **k: Neuron(1, **k), lambda **k: Layer(1, 1, **k), lambda **k: MLP(1, [1], **k)]
)
def test_an_unknown_activation_is_an_error(kind):
    with pytest.raises(ValueError, match=r"activation must be one of 'relu', 'tanh', .*, got 'swish'"):
        kind(activation="swish")
    with pytest.raises(TypeError, match="activation must be one of"):
        kind(activation=ag.tanh)


def test_neurons_that_were_pickled_without_an_activation_have_relu():
    neuron = Neuron(2, rng=0)
    del vars(neuron)["activation"]
    assert neuron([1.0, 1.0]).data == Neuron(2, rng=0)([1.0, 1.0]).data


@pytest.mark.parametrize("rate", [0.05, 0.1])
@pytest.mark.parametrize("seed", [0, 1, 2, 1337])
def test_the_lectures_net_learns_by_the_lectures_loop(seed, rate):
    random.seed(seed)
    n = MLP(3, [4, 4, 1], activation="tanh", output_activation="tanh")
    assert len(n.parameters()) == 41
    xs = [
        [2.0, 3.0, -1.0],
        [3.0, -1.0, 0.5],
        [0.5, 1.0, 1.0],
        [1.0, 1.0, -1.0],
    ]
    ys = [1.0, -1.0, -1.0, 1.0]  # desired targets
    losses = []
    for _ in range(200):
        # forward pass
        ypred = [n(x) for x in xs]
        loss = sum((yout - ygt) ** 2 for ygt, yout in zip(ys, ypred, strict=True))

        # backward pass
        for p in n.parameters():
            p.grad = 0.0
        loss.backward()

        # update
        for p in n.parameters():
            p.data += -rate * p.grad
        losses.append(loss.data)
    assert losses[-1] < 0.05 < losses[0]
    assert [round(n(x).data) for x in xs] == ys
