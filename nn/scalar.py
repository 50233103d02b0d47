"""Neural networks of scalars, neuron by neuron: small enough to draw, and to read from end to end."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd import Value, dot, exp, log
from autograd import sum as sum_
from autograd.graph import NO_GRADIENT
from autograd.scalars import learned
from nn.elements import Element
from nn.layers.activation import ELU, GELU, SELU, LeakyReLU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from nn.layers.containers import Sequential
from nn.layers.linear import Linear
from nn.layers.shaping import Flatten
from nn.typing import Seed
from nn.validation import choice, flag, generator, integer, sequence, shown

ELEMENTWISE = (ReLU, LeakyReLU, ELU, SELU, GELU, SiLU, Tanh, Sigmoid, Softplus)  # activations of one number at a time

# Of a neuron, with the names in its repr; each but the last is a method of Value.
ACTIVATIONS = {"relu": "ReLU", "tanh": "Tanh", "sigmoid": "Sigmoid", "softplus": "Softplus", "linear": "Linear"}


class Module:
    """Base of networks of scalars, whose parameters are the Values among the attributes, in lists and modules there too.

    Code written for micrograd runs on these classes with its imports changed.
    """

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Value]]:
        """The parameters, each with its place in the network, as "layers.0.neurons.3.w.1"."""
        found: list[tuple[str, Value]] = []
        for name, part in vars(self).items():
            place = f"{prefix}.{name}" if prefix else name
            members = {f"{place}.{i}": x for i, x in enumerate(part)} if isinstance(part, list) else {place: part}
            for path, member in members.items():
                if isinstance(member, Value):
                    found.append((path, member))
                elif isinstance(member, Module):
                    found += member.named_parameters(path)
        return iter(found)

    def parameters(self) -> list[Value]:
        """The parameters, in order."""
        found: list[Value] = []
        for part in vars(self).values():  # without the names, which take ten times as long
            for member in part if isinstance(part, list) else (part,):
                if isinstance(member, Value):
                    found.append(member)
                elif isinstance(member, Module):
                    found += member.parameters()
        return found

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to zero."""
        for parameter in self.parameters():
            parameter.grad = NO_GRADIENT


class Neuron(Module):
    """`relu(w · x + b)`, or `w · x + b` where `nonlin` is False: one graph node for the sum and one for relu, however many inputs.

    In place of relu another `activation` may be chosen: "tanh", "sigmoid", "softplus" or "linear", which is none.
    The `nin` weights are uniform in (-1, 1), drawn with Python's `random` (so that `random.seed` applies) unless
    `rng`, a NumPy generator or a seed, is given; the bias starts at 0. An input of another length is a ValueError.

    >>> neuron = Neuron(2, rng=0)
    >>> neuron.w[0].data, neuron.b.data = 3.0, 1.0
    >>> neuron([Value(2.0), 0.0]).data
    7.0
    """

    activation = "relu"  # also of those that were pickled before there was a choice

    def __init__(self, nin: int, nonlin: bool = True, rng: Seed = None, activation: str = "relu") -> None:
        nin = integer("Neuron", "nin", nin, least=0)
        if rng is None:
            weights = [random.uniform(-1, 1) for _ in range(nin)]
        else:
            weights = generator("Neuron", rng).uniform(-1, 1, nin).tolist()
        self.w = [learned(Value(weight)) for weight in weights]
        self.b = learned(Value(0.0))
        self.activation = choice("Neuron", "activation", activation, ACTIVATIONS)
        self.nonlin = flag("Neuron", "nonlin", nonlin) and activation != "linear"

    def __call__(self, x: Sequence[Any] | np.ndarray[Any, Any]) -> Value:
        if isinstance(x, np.ndarray):
            x = _row(x)
        try:
            given = len(x)
        except TypeError:
            raise TypeError(f"{self!r} takes a list of {len(self.w)} numbers, got {shown(x)}") from None
        if given != len(self.w):
            raise ValueError(f"{self!r} takes {len(self.w)} inputs, got {len(x)}: make it with nin={len(x)}")
        out: Value = dot(self.w, x, start=self.b)
        if not self.nonlin:
            return out
        return out.relu() if self.activation == "relu" else getattr(out, self.activation)()

    def __repr__(self) -> str:
        return f"{ACTIVATIONS[self.activation if self.nonlin else 'linear']}Neuron({len(self.w)})"


class Layer(Module):
    """`nout` neurons that read the same `nin` inputs; gives the list of their outputs, or the one there is."""

    def __init__(self, nin: int, nout: int, nonlin: bool = True, rng: Seed = None, activation: str = "relu") -> None:
        if rng is not None:
            rng = generator("Layer", rng)  # one for all neurons, or an integer would make them equal
        self.neurons = [Neuron(nin, nonlin, rng, activation) for _ in range(integer("Layer", "nout", nout, least=1))]

    def __call__(self, x: Sequence[Any] | np.ndarray[Any, Any]) -> Any:
        if isinstance(x, np.ndarray):
            x = _row(x)
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """Layers of ReLU neurons in sequence, `nin` inputs to `nouts[-1]` outputs; the last layer is linear.

    Neurons of another kind have another `activation`, those of the last layer `output_activation`: "relu", "tanh",
    "sigmoid", "softplus" or "linear". A single output comes as a Value, several as a list.

    >>> model = MLP(2, [16, 16, 1], rng=0)
    >>> len(model.parameters())
    337
    >>> type(model([0.5, -1.0])).__name__
    'Value'
    >>> MLP(1, [2, 1], activation="tanh")
    MLP of [Layer of [TanhNeuron(1), TanhNeuron(1)], Layer of [LinearNeuron(2)]]
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        rng: Seed = None,
        activation: str = "relu",
        output_activation: str = "linear",
    ) -> None:
        choice("MLP", "activation", activation, ACTIVATIONS)
        choice("MLP", "output_activation", output_activation, ACTIVATIONS)
        if rng is not None:
            rng = generator("MLP", rng)
        nouts = sequence("MLP", "nouts", nouts)
        sizes = [integer("MLP", "nin", nin, least=0), *(integer("MLP", "each of nouts", n, least=1) for n in nouts)]
        kinds = [*[activation] * (len(nouts) - 1), output_activation]
        self.layers = [
            Layer(n, m, rng=rng, activation=kind) for n, m, kind in zip(sizes, sizes[1:], kinds, strict=False)
        ]

    def __call__(self, x: Sequence[Any] | np.ndarray[Any, Any]) -> Any:
        for layer in self.layers:
            x = layer(x if isinstance(x, (Sequence, np.ndarray)) else [x])
        return x

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


class Twin(Module):
    """The layers of a network of arrays in sequence, on Values: what `twin` makes. A single output comes as a Value."""

    def __init__(self, layers: list[Any]) -> None:
        self.layers = layers

    def parameters(self) -> list[Value]:
        """The parameters, in order, those of a layer that is there twice once."""
        return list({id(parameter): parameter for parameter in super().parameters()}.values())

    def __call__(self, x: Sequence[Any] | np.ndarray[Any, Any]) -> Value | list[Value]:
        outputs: Any = x.tolist() if isinstance(x, np.ndarray) else list(x)
        for layer in self.layers:
            outputs = layer(outputs if isinstance(outputs, list) else [outputs])
        return outputs[0] if isinstance(outputs, list) and len(outputs) == 1 else outputs  # type: ignore[no-any-return]  # of Any: Any

    def __repr__(self) -> str:
        return f"Twin of [{', '.join(map(str, self.layers))}]"


class Elementwise(Module):
    """An activation layer of arrays, for each of a list of Values."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    def __call__(self, x: Sequence[Any]) -> list[Any]:
        return [self.layer.forward(v if isinstance(v, Value) else Value(v)) for v in x]

    def __repr__(self) -> str:
        return repr(self.layer)


class Normalized(Elementwise):
    """A softmax, or its logarithm, of a list of Values."""

    def __call__(self, x: Sequence[Any]) -> list[Any]:
        highest = max(v.data if isinstance(v, Value) else v for v in x)  # so that nothing overflows
        shifted = [v - highest for v in x]
        exponentials = [exp(v) for v in shifted]
        total = sum_(exponentials)
        if isinstance(self.layer, LogSoftmax):
            logarithm = log(total)
            return [v - logarithm for v in shifted]
        return [v / total for v in exponentials]


class Flattened(Elementwise):
    """Lists within a list as one list."""

    def __call__(self, x: Sequence[Any]) -> list[Any]:
        return [v for part in x for v in (self(part) if isinstance(part, list) else [part])]


def twin(model: Any) -> Twin:
    """The same network on Values, which shares the weights of `model`: small enough to be drawn, stepped and explained.

    It takes one sample, and gives what `model` gives for a batch of it, to the last digits: a list of Values, or the one
    there is. `twin(model).layers` are in the order of the model's, layers of layers in place. There are twins of Linear,
    of the activations, of Flatten with its default axes, and of Sequential; anything else is a TypeError that names it.

    Sharing means that there is one set of numbers, the arrays of the model's parameters. The twin's parameters read and
    set elements of these arrays: training either, or loading into the model, changes both at once, and a setting of the
    twin's is rounded to the arrays' dtype. Gradients are not shared: `model` and twin have their own `.grad`, and an optimizer of
    either changes the weights by its gradients alone. A graph keeps the numbers that it read; one of arrays raises, as
    ever, where an optimizer of the model has changed them since. A model that is given other parameters in place of its own (as by `layer.weight = ...`) no longer shares them.

    >>> model = Sequential(Linear(2, 3, dtype=np.float64, rng=0), Tanh(), Linear(3, 1, dtype=np.float64, rng=1))
    >>> small = twin(model)
    >>> abs(small([0.5, -1.0]).data - model(np.array([[0.5, -1.0]])).item()) < 1e-12
    True
    >>> small.layers[0].neurons[2].b.data = 10.0
    >>> model[0].bias.data[2].item()
    10.0
    """
    return Twin(_twins(model, "model", {}))


def _twins(model: Any, place: str, made: dict[int, Any]) -> list[Any]:
    """The twins of the layers of `model`, which is at `place`; `made` has those that exist, by the id of their model."""
    kind = type(model)
    if kind is Sequential:
        return [part for i, layer in enumerate(model) for part in _twins(layer, f"{place}[{i}]", made)]
    if id(model) not in made:
        if kind is Linear:
            made[id(model)] = _linear_twin(model, place)
        elif kind in (Softmax, LogSoftmax):
            if model.dim not in (-1, 1):
                raise TypeError(f"{place} is {model!r}, which has no twin: the softmax of one sample is along dim=-1")
            made[id(model)] = Normalized(model)
        elif kind is Flatten:
            if (model.start_dim, model.end_dim) != (1, -1):
                raise TypeError(
                    f"{place} is {model!r}, which has no twin: one of nn.Flatten(), all axes of a sample, has"
                )
            made[id(model)] = Flattened(model)
        elif kind in ELEMENTWISE:
            made[id(model)] = Elementwise(model)
        else:
            known = ", ".join(x.__name__ for x in (Sequential, Linear, Flatten, *ELEMENTWISE, Softmax, LogSoftmax))
            raise TypeError(f"{place} is {shown(model)}, which has no twin on Values; there are twins of {known}")
    return [made[id(model)]]


def _linear_twin(model: Linear, place: str) -> Layer:
    if model.in_features is None:
        raise ValueError(f"{place} is {model!r}, whose first input tells its size: call the model once before")
    layer = Layer(0, model.out_features, nonlin=False, rng=0)
    for row, neuron in enumerate(layer.neurons):
        neuron.w = [Element(model.weight, (row, column)) for column in range(model.in_features)]
        bias: Any = 0.0 if model.bias is None else Element(model.bias, (row,))
        neuron.b = bias
    return layer


def _row(x: np.ndarray[Any, Any]) -> list[Any]:
    """A NumPy row as the list of its numbers, which scalars compute with faster, and stay scalars."""
    if x.ndim != 1:
        raise ValueError(f"scalar networks take one row of numbers at a time, got shape {x.shape}: loop over rows")
    return x.tolist()  # type: ignore[no-any-return]  # of one axis: a list
