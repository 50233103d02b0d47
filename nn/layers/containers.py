"""Modules made of modules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, overload

from nn.module import Module


class Sequential(Module):
    """Modules (or any functions) applied one behind the other. Can be indexed, sliced and iterated over.

    Its parameters are named by position: "0.weight". What cannot be called is a TypeError.

    >>> from nn.layers.activation import ReLU, Tanh
    >>> model = Sequential(ReLU(), Tanh())
    >>> model
    Sequential(
      (0): ReLU()
      (1): Tanh()
    )
    >>> len(model), model[-1]
    (2, Tanh())
    """

    def __init__(self, *layers: Any) -> None:
        for i, layer in enumerate(layers):
            if not callable(layer):
                raise TypeError(
                    f"Sequential needs modules or functions, but layer {i} is {layer!r}: unpack a list with Sequential(*layers)"
                )
        self.layers = list(layers)

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def members(self) -> Iterator[tuple[str, Any]]:
        return ((str(i), layer) for i, layer in enumerate(self.layers))

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    @overload
    def __getitem__(self, i: int) -> Any: ...

    @overload
    def __getitem__(self, i: slice) -> Sequential: ...

    def __getitem__(self, i: int | slice) -> Any:
        return Sequential(*self.layers[i]) if isinstance(i, slice) else self.layers[i]
