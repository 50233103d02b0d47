"""`Module`, the base class of models and layers: a plain object whose parameters are found among its attributes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from operator import itemgetter
from typing import Any, Self

import numpy as np

from autograd.arguments import flag
from nn.modes import is_evaluating, observer
from nn.module_tree import LEAVES, ModuleTree, initialized_parameters, parts_of
from nn.parameters import Buffer as Buffer
from nn.parameters import Parameter as Parameter
from nn.parameters import UninitializedParameter as UninitializedParameter
from nn.parameters import check_assigned
from nn.parameters import float_dtype as float_dtype
from nn.state_dicts import IncompatibleKeys, array_of, matching_arrays
from nn.summary import Summary, parameter_table, summarize
from nn.typing import HasForward, P, R


class Module(ModuleTree):
    """A part of a model: it has parameters, and `forward` computes with them.

    Assigning is enough: parameters are the `Parameter`s found, in order, among the attributes, in the lists, tuples
    and dicts there, and in the modules there; so are the `Buffer`s. `super().__init__()` need not be called. Calling the module calls
    `forward`. Names and their meaning are PyTorch's.

    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Parameter(2.0)
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> scale = Scale()
    >>> scale(3.0).item(), [name for name, _ in scale.named_parameters()]
    (6.0, ['factor'])
    """

    @property
    def training(self) -> bool:
        """Whether layers that behave differently in training should do so; never within `nn.predict` and `nn.evaluate`."""
        return self.__dict__.get("training", True) and not is_evaluating()

    @training.setter
    def training(self, mode: bool) -> None:
        self.__dict__["training"] = mode

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The computation of the module, which each subclass defines."""
        raise NotImplementedError(f"{type(self).__name__} has no forward pass: define its method forward(self, x)")

    def __call__(self: HasForward[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            result = self.forward(*args, **kwargs)
        except RecursionError:
            raise recursion_error(self) from None
        if (observe := observer()) is not None:
            observe(self, result)
        return result

    def __setattr__(self, name: str, value: Any) -> None:
        old = vars(self).get(name)
        if old is not None and old is not value and isinstance(old, (*LEAVES, Module, list, tuple, dict)):
            held = [part for _, part in parts_of(old, once=True) if isinstance(part, LEAVES)]
            check_assigned(type(self).__name__, name, old, held, value)
        super().__setattr__(name, value)

    # ---- Parameters, buffers and modules

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """The parameters with their names, as "weight" or "layers.1.bias"; one that is shared, once.

        A layer that waits for its first input to know its shape has none yet, which is a ValueError.
        """
        return _of_kind(Parameter, _initialized(parts_of(self, prefix, once=True)))

    def parameters(self) -> Iterator[Parameter]:
        """The parameters, in order, each once."""
        return map(_without_name, self.named_parameters())

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, Buffer]]:
        """The buffers, saved with the parameters but not learned, with their names, each once."""
        return _of_kind(Buffer, parts_of(self, prefix, once=True))

    def buffers(self) -> Iterator[Buffer]:
        """The buffers, in order, each once."""
        return map(_without_name, self.named_buffers())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module (its name is `prefix`) and all within it, with their names, each once."""
        return _of_kind(Module, parts_of(self, prefix, once=True))

    def modules(self) -> Iterator[Module]:
        """This module and all within it, in order, each once."""
        return map(_without_name, self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly within this one, or in its lists, tuples and dicts, with their names, each once."""
        return _of_kind(Module, parts_of(self, once=True, deep=False)[1:])

    def children(self) -> Iterator[Module]:
        """The modules directly within this one, in order, each once."""
        return map(_without_name, self.named_children())

    # ---- Modes and dtypes

    def zero_grad(self) -> None:
        """Forget the gradient of every parameter."""
        for parameter in initialized_parameters(self):
            parameter.zero_grad()

    def train(self, mode: bool = True) -> Self:
        """Set `training` in this module and all within it, and return it."""
        mode = flag("train", "mode", mode)
        for _, part in parts_of(self, once=True):
            if isinstance(part, Module):
                vars(part)["training"] = mode
        return self

    def eval(self) -> Self:
        """The same as `train(False)`."""
        return self.train(False)

    def to(self, dtype: Any) -> Self:
        """Convert every parameter, its gradient, and every buffer of real numbers to a floating-point `dtype`, in place,
        and return this module.

        Make the optimizer afterwards: one made before refuses parameters of another dtype.
        """
        dtype = float_dtype(dtype)
        for _, part in parts_of(self, once=True):
            if isinstance(part, Parameter) and part.dtype != dtype:
                grad = part.grad
                part._own(part._data.astype(dtype))
                part.grad = None if grad is None else grad.astype(dtype)
            elif isinstance(part, UninitializedParameter):
                part.dtype = dtype
            elif isinstance(part, Buffer) and part.data.dtype.kind == "f":
                part.data = part.data.astype(dtype)
        return self

    # ---- Saved, loaded

    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """Copies of all parameters and buffers by name; one that is shared, under each of its names."""
        return {name: array_of(part).copy() for name, part in named_state(self)}

    def load_state_dict(self, state: dict[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy the arrays of `state`, by name, into the parameters and buffers, which keep their dtypes.

        Names, shapes and dtypes are checked first: if one is wrong, a ValueError lists all that are, and nothing has
        been loaded. With `strict=False` names that are missing or unknown are left alone, and returned.
        """
        arrays, keys = matching_state(self, state, strict)
        for name, part in named_state(self):
            if name in arrays and isinstance(part, Parameter):
                part._own(arrays[name])
            elif name in arrays:
                part.data = arrays[name]
        return keys

    # ---- Shown

    def summary(self, input_shape: tuple[int, ...], dtype: Any = None, max_lines: int = 1000) -> Summary:
        """A table, shown when it is printed, of at most `max_lines` lines: the modules, the shapes they give, their
        parameters and memory.

        The model is run once, in evaluation mode and without gradients, on zeros of `input_shape`, which includes the
        batch, and of `dtype`: that of the parameters unless given (for an `Embedding`, give `int`). It is left as it
        was, but layers that wait for an input to know their shape now have it.
        """
        return summarize(self, input_shape, dtype, max_lines)

    def _repr_html_(self) -> str | None:
        """What a notebook shows: the parameters."""
        return parameter_table(self)


def named_state(model: Module) -> list[tuple[str, Parameter | Buffer]]:
    """The parameters and buffers of a model, with all their names."""
    return [(name, part) for name, part in _initialized(parts_of(model)) if isinstance(part, (Parameter, Buffer))]


def matching_state(
    model: Module, state: Any, strict: bool = True
) -> tuple[dict[str, np.ndarray[Any, Any]], IncompatibleKeys]:
    """The arrays of `state`, by name, in the dtypes of the model's, and the names that only one of both has. If they do
    not fit, a ValueError lists what is wrong."""
    return matching_arrays(type(model).__name__, dict(named_state(model)), state, strict)


_without_name = itemgetter(1)


def _of_kind(kind: Any, parts: list[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    return iter([(name, part) for name, part in parts if isinstance(part, kind)])


def _initialized(parts: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """`parts`, or a ValueError where one waits for an input."""
    for name, part in parts:
        if isinstance(part, UninitializedParameter):
            raise ValueError(
                f"{name} has no shape yet, because its layer waits for its first input: run the model once, as in "
                "model(x) or model.summary(shape), before its parameters are asked for, as by an optimizer"
            )
    return parts


def recursion_error(module: Any) -> ValueError:
    """The error for a call in which Python's recursion limit was reached, down to `module`."""
    return ValueError(
        f"there are more modules within one another, down to a {type(module).__name__}, than Python's limit of "
        f"{sys.getrecursionlimit():,} calls allows, or one contains itself: put layers side by side in one nn.Sequential, or "
        "raise sys.setrecursionlimit"
    )
