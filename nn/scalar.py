"""Neural networks of scalars, neuron by neuron: small enough to draw, and to read from end to end."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd import Value, dot
from autograd.graph import NO_GRADIENT
from autograd.scalars import learned
from nn.typing import Seed
from nn.validation import flag, generator, integer, sequence, shown


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

    The `nin` weights are uniform in (-1, 1), drawn with Python's `random` (so that `random.seed` applies) unless
    `rng`, a NumPy generator or a seed, is given; the bias starts at 0. An input of another length is a ValueError.

    >>> neuron = Neuron(2, rng=0)
    >>> neuron.w[0].data, neuron.b.data = 3.0, 1.0
    >>> neuron([Value(2.0), 0.0]).data
    7.0
    """

    def __init__(self, nin: int, nonlin: bool = True, rng: Seed = None) -> None:
        nin = integer("Neuron", "nin", nin, least=0)
        if rng is None:
            weights = [random.uniform(-1, 1) for _ in range(nin)]
        else:
            weights = generator("Neuron", rng).uniform(-1, 1, nin).tolist()
        self.w = [learned(Value(weight)) for weight in weights]
        self.b = learned(Value(0.0))
        self.nonlin = flag("Neuron", "nonlin", nonlin)

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
        return out.relu() if self.nonlin else out

    def __repr__(self) -> str:
        return f"{'ReLU' if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """`nout` neurons that read the same `nin` inputs; gives the list of their outputs, or the one there is."""

    def __init__(self, nin: int, nout: int, nonlin: bool = True, rng: Seed = None) -> None:
        if rng is not None:
            rng = generator("Layer", rng)  # one for all neurons, or an integer would make them equal
        self.neurons = [Neuron(nin, nonlin, rng) for _ in range(integer("Layer", "nout", nout, least=1))]

    def __call__(self, x: Sequence[Any] | np.ndarray[Any, Any]) -> Any:
        if isinstance(x, np.ndarray):
            x = _row(x)
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """Layers of ReLU neurons in sequence, `nin` inputs to `nouts[-1]` outputs; the last layer is linear.

    A single output comes as a Value, several as a list.

    >>> model = MLP(2, [16, 16, 1], rng=0)
    >>> len(model.parameters())
    337
    >>> type(model([0.5, -1.0])).__name__
    'Value'
    """

    def __init__(self, nin: int, nouts: Sequence[int], rng: Seed = None) -> None:
        if rng is not None:
            rng = generator("MLP", rng)
        nouts = sequence("MLP", "nouts", nouts)
        sizes = [integer("MLP", "nin", nin, least=0), *(integer("MLP", "each of nouts", n, least=1) for n in nouts)]
        last = len(nouts) - 1
        self.layers = [Layer(sizes[i], sizes[i + 1], nonlin=i != last, rng=rng) for i in range(len(nouts))]

    def __call__(self, x: Sequence[Any] | np.ndarray[Any, Any]) -> Any:
        for layer in self.layers:
            x = layer(x if isinstance(x, (Sequence, np.ndarray)) else [x])
        return x

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


def _row(x: np.ndarray[Any, Any]) -> list[Any]:
    """A NumPy row as the list of its numbers, which scalars compute with faster, and stay scalars."""
    if x.ndim != 1:
        raise ValueError(f"scalar networks take one row of numbers at a time, got shape {x.shape}: loop over rows")
    return x.tolist()  # type: ignore[no-any-return]  # of one axis: a list
