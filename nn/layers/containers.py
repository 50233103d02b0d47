"""Container modules: `Sequential`, `Residual` and `ModuleList`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, overload

import numpy as np

from autograd import Tensor, modes
from autograd.graph import value_of
from nn.modes import observer
from nn.module import Module, recursion_error
from nn.validation import integer, shown


class Sequential(Module):
    """Modules (or any functions) applied in sequence. Can be indexed, sliced and iterated over.

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
        self.layers = _callables("Sequential", layers)

    def forward(self, x: Any) -> Tensor:
        for layer in self.layers:
            # an observer of operations, as that of names, is to see each call
            x = self._through(layer, x) if type(layer) is Sequential and modes.observer() is None else layer(x)
        return x  # type: ignore[no-any-return]  # what the last one gives

    def _through(self, layer: Sequential, x: Any) -> Any:
        """`layer(x)`, without a call for each Sequential within another: there may be more than Python has calls for."""
        around = {id(self)}
        stack: list[tuple[Any, Any]] = [(self, iter((layer,)))]
        while stack:
            owner, layers = stack[-1]
            following = next(layers, None)
            if following is None:
                stack.pop()
                around.discard(id(owner))
                if owner is not self and (observe := observer()) is not None:
                    observe(owner, x)
            elif type(following) is not Sequential or "forward" in vars(following):
                x = following(x)
            elif id(following) in around:
                raise recursion_error(following)
            else:
                around.add(id(following))
                stack.append((following, iter(following.layers)))
        return x

    def _children(self) -> Iterator[tuple[int, Any]]:
        return enumerate(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    @overload
    def __getitem__(self, i: int) -> Any: ...

    @overload
    def __getitem__(self, i: slice) -> Sequential: ...

    def __getitem__(self, i: int | slice) -> Any:
        return Sequential(*self.layers[i]) if isinstance(i, slice) else self.layers[place(self, i)]


class Residual(Module):
    """`x` plus the result of the modules (or functions), applied to it in sequence.

    He et al., "Deep residual learning for image recognition", 2016. They must keep the shape: another is a ValueError.

    >>> Residual(lambda x: 2 * x)(np.array([1.0])).tolist()
    [3.0]
    """

    def __init__(self, *layers: Any) -> None:
        self.layers = _callables("Residual", layers)

    def forward(self, x: Any) -> Tensor:
        y = x
        for layer in self.layers:
            y = layer(y)
        before, after = np.shape(value_of(x)), np.shape(value_of(y))
        if before != after:
            raise ValueError(f"Residual adds what its modules give to their input, but they took {before} to {after}")
        return x + y  # type: ignore[no-any-return]  # of Any: Any

    def _children(self) -> Iterator[tuple[int, Any]]:
        return enumerate(self.layers)


class ModuleList(Module):
    """A list of modules, to be called by the module that has it; its parameters are named by position: "0.weight".

    A plain list would do as well. It can be indexed, sliced, iterated over, and appended to.

    >>> from nn.layers.activation import ReLU
    >>> len(ModuleList([ReLU()]).append(ReLU()))
    2
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.items: list[Module] = _modules(modules)

    def append(self, module: Module) -> ModuleList:
        """Add a module at the end, and return the list."""
        self.items += _modules([module])
        return self

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Add modules at the end, and return the list."""
        self.items += _modules(modules)
        return self

    def forward(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError("a ModuleList does not say in what order: call its modules, or use a Sequential")

    def _children(self) -> Iterator[tuple[int, Any]]:
        return enumerate(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.items)

    def __setitem__(self, i: int, module: Module) -> None:
        (self.items[i],) = _modules([module])

    @overload
    def __getitem__(self, i: int) -> Module: ...

    @overload
    def __getitem__(self, i: slice) -> ModuleList: ...

    def __getitem__(self, i: int | slice) -> Any:
        return ModuleList(self.items[i]) if isinstance(i, slice) else self.items[place(self, i)]


def place(owner: Any, i: Any) -> int:
    """`i`, the position of one of the modules of `owner`; an IndexError where there is none."""
    name = type(owner).__name__
    found = integer(name, "the position", i)
    if not -len(owner) <= found < len(owner):
        raise IndexError(f"{name} of {len(owner)} modules has none at position {found}")
    return found


def _modules(modules: Any) -> list[Module]:
    if isinstance(modules, Module) or not isinstance(modules, Iterable):
        raise TypeError(f"a ModuleList is made of a list of modules, got {shown(modules)}: write [module]")
    found = list(modules)
    for module in found:
        if not isinstance(module, Module):
            raise TypeError(f"a ModuleList takes modules, got {shown(module)}")
    return found


def _callables(name: str, layers: tuple[Any, ...]) -> list[Any]:
    for i, layer in enumerate(layers):
        if isinstance(layer, type) or not callable(layer):
            cure = f"write {layer.__name__}()" if isinstance(layer, type) else f"unpack a list with {name}(*layers)"
            raise TypeError(f"{name} needs modules or functions, but layer {i} is {shown(layer)}: {cure}")
    return list(layers)
