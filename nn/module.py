"""What a model is: a plain object whose parameters are found by looking at its attributes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self

import numpy as np

from autograd.arguments import flag, shown
from autograd.operators import plain
from nn.modes import is_evaluating
from nn.parameters import Buffer as Buffer
from nn.parameters import Parameter as Parameter
from nn.parameters import Pending as Pending
from nn.parameters import check_assigned
from nn.parameters import float_dtype as float_dtype
from nn.summary import Summary, summarize

REPR_LINES = 1000


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` did not find, and what it did not know."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
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
        """What the module computes: each kind of module says it here."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say what it computes: define its method forward(self, x)"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self.forward(*args, **kwargs)
        except RecursionError:
            raise too_deep(self) from None

    def __setattr__(self, name: str, value: Any) -> None:
        old = vars(self).get(name)
        if old is not None and old is not value and isinstance(old, _HOLDERS):
            holder = Module()
            vars(holder)[name] = old
            held = [part for _, part in members_of(holder) if _lasts(part)]
            check_assigned(type(self).__name__, name, held, value)
        super().__setattr__(name, value)

    # ---- What is inside

    def members(self) -> Iterator[tuple[str, Any]]:
        """Names and values among which parameters and modules are looked for: the attributes, unless overridden."""
        return iter(vars(self).items())

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """The parameters with their names, as "weight" or "layers.1.bias"; one that is shared, once.

        A layer that waits for its first input to know its shape has none yet, which is a ValueError.
        """
        return self._named(Parameter, prefix)

    def parameters(self) -> Iterator[Parameter]:
        """The parameters, in order, each once."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, Buffer]]:
        """What is saved with the parameters but not learned, with its names, each once."""
        return self._named(Buffer, prefix)

    def buffers(self) -> Iterator[Buffer]:
        """What is saved with the parameters but not learned, in order, each once."""
        return (buffer for _, buffer in self.named_buffers())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module (its name is `prefix`) and all within it, with their names, each once."""
        return self._named(Module, prefix)

    def modules(self) -> Iterator[Module]:
        """This module and all within it, in order, each once."""
        return (module for _, module in self.named_modules())

    def _named(self, kind: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
        seen = set()
        for name, part in _walk(self, prefix, once=True):
            if isinstance(part, kind) and id(part) not in seen:
                seen.add(id(part))
                yield name, part
            elif isinstance(part, Pending) and kind is Parameter:
                raise _not_yet(name)

    # ---- Modes and dtypes

    def zero_grad(self) -> None:
        """Forget the gradient of every parameter."""
        for _, part in _walk(self, once=True):
            if isinstance(part, Parameter):
                part.zero_grad()

    def train(self, mode: bool = True) -> Self:
        """Set `training` in this module and all within it, and return it."""
        mode = flag("train", "mode", mode)
        for module in self.modules():
            module.training = mode
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
        for _, part in _walk(self, once=True):
            if isinstance(part, Parameter) and part.dtype != dtype:
                grad = part.grad
                part.data = part.raw.astype(dtype)
                part.grad = None if grad is None else grad.astype(dtype)
            elif isinstance(part, Pending):
                part.dtype = dtype
            elif isinstance(part, Buffer) and part.data.dtype.kind == "f":
                part.data = part.data.astype(dtype)
        return self

    # ---- Saved, loaded

    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """Copies of all parameters and buffers by name; one that is shared, under each of its names."""
        return {name: _array(part).copy() for name, part in self._state()}

    def load_state_dict(self, state: dict[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy the arrays of `state`, by name, into the parameters and buffers, which keep their dtypes.

        Names, shapes and dtypes are checked first: if one is wrong, a ValueError lists all that are, and nothing has
        been loaded. With `strict=False` names that are missing or unknown are left alone, and returned.
        """
        arrays, keys = fitting(self, state, strict)
        for name, part in self._state():
            if name in arrays:
                part.data = arrays[name]
        return keys

    def _state(self) -> Iterator[tuple[str, Any]]:
        """What is saved, with all its names."""
        for name, part in _walk(self):
            if isinstance(part, Pending):
                raise _not_yet(name)
            if isinstance(part, (Parameter, Buffer)):
                yield name, part

    # ---- Shown

    def summary(self, input_shape: tuple[int, ...], dtype: Any = None, max_lines: int = 1000) -> Summary:
        """A table, shown when it is printed, of at most `max_lines` lines: the modules, the shapes they give, their
        parameters and memory.

        The model is run once, in evaluation mode and without gradients, on zeros of `input_shape`, which includes the
        batch, and of `dtype`: that of the parameters unless given (for an `Embedding`, give `int`). It is left as it
        was, but layers that wait for an input to know their shape now have it.
        """
        return summarize(self, input_shape, dtype, max_lines)

    def extra_repr(self) -> str:
        """What stands in the parentheses of the module's repr."""
        return ""

    def __repr__(self) -> str:
        return described(self)


def fitting(model: Module, state: Any, strict: bool = True) -> tuple[dict[str, np.ndarray[Any, Any]], IncompatibleKeys]:
    """The arrays of `state`, by name, in the dtypes of the model's, and the names that only one of both has. If they do
    not fit, a ValueError lists what is wrong."""
    if not isinstance(state, Mapping):
        raise TypeError(f"load_state_dict takes a dict of arrays, as state_dict() gives, got {shown(state)}")
    own = dict(model._state())
    if strange := [name for name in state if not isinstance(name, str)]:
        raise ValueError(f"this state does not fit, and nothing was loaded: names are strings, got {shown(strange[0])}")
    keys = IncompatibleKeys([name for name in own if name not in state], [name for name in state if name not in own])
    if own and state and not strict and len(keys.unexpected_keys) == len(state):
        raise ValueError(
            f"none of the names of this state ({', '.join(map(str, keys.unexpected_keys[:3]))}, ...) is one of the model's "
            f"({', '.join(keys.missing_keys[:3])}, ...), so that nothing would be loaded: rename them"
        )
    faults = []
    if strict:
        faults += [f"{name} is missing" for name in keys.missing_keys]
        faults += [f"{name} is not a parameter or buffer of this model" for name in keys.unexpected_keys]
    arrays: dict[str, Any] = {}
    names: dict[int, str] = {}
    for name, part in own.items():
        if name not in state:
            continue
        arrays[name], fault = _converted(state[name], _array(part))
        if not fault:
            first = names.setdefault(id(part), name)
            if first != name and not np.array_equal(arrays[first], arrays[name], equal_nan=True):
                fault = f"is the same as {first}, and they have different numbers"
        if fault:
            faults.append(f"{name} {fault}")
    if faults:
        raise ValueError(
            f"this state does not fit {type(model).__name__}, and nothing was loaded: {'; '.join(faults)}. Build the "
            "model as the one that was saved" + (", or pass strict=False to load what fits" if strict else "")
        )
    return arrays, keys


def _converted(data: Any, own: np.ndarray[Any, Any]) -> tuple[Any, str]:
    """A copy of `data` in the shape and dtype of `own`, and what is wrong with it."""
    if np.ma.is_masked(data):
        return None, "has masked elements, which would count"
    try:
        array = np.asarray(plain(data))
    except ValueError:
        return None, "is no array, but a ragged list"
    if array.shape != own.shape:
        return array, f"has shape {array.shape}, the model's has {own.shape}"
    if array.dtype.kind not in "fiub" and array.dtype != own.dtype:
        return array, f"has dtype {array.dtype}, which is not of real numbers"
    with np.errstate(all="ignore"):
        converted = array.astype(own.dtype)
    # A float may be rounded, but not become infinite; an integer may not change.
    exact = np.isfinite if own.dtype.kind in "fc" else np.asarray
    if converted.dtype != array.dtype and not np.array_equal(exact(converted), exact(array)):
        return array, f"has numbers, of {array.dtype}, that the model's {own.dtype} cannot hold"
    return converted, ""


_HOLDERS = (Parameter, Buffer, Pending, Module, list, tuple, dict)


def known_parameters(model: Any) -> list[Parameter]:
    """The parameters of a module, but for those that wait for its first input; none of anything else."""
    return (
        [part for _, part in _walk(model, once=True) if isinstance(part, Parameter)]
        if isinstance(model, Module)
        else []
    )


def _lasts(part: Any) -> bool:
    """Whether this is, or has, a parameter or a buffer."""
    return any(isinstance(inner, (Parameter, Buffer, Pending)) for _, inner in _walk(part, once=True))


def _not_yet(name: str) -> ValueError:
    return ValueError(
        f"{name} has no shape yet, because its layer waits for its first input: run the model once, as in model(x) or "
        "model.summary(shape), before its parameters are asked for, as by an optimizer"
    )


def _array(part: Any) -> np.ndarray[Any, Any]:
    return part.raw if isinstance(part, Parameter) else part.data  # type: ignore[no-any-return]  # slots are Any


def too_deep(module: Any) -> ValueError:
    """What to raise where Python's limit of calls within calls was reached in `module`."""
    return ValueError(
        f"there are more modules within one another, down to a {type(module).__name__}, than Python's limit of "
        f"{sys.getrecursionlimit():,} calls allows, or one contains itself: put layers side by side in one nn.Sequential, or "
        "raise sys.setrecursionlimit"
    )


def _walk(part: Any, name: str = "", once: bool = False) -> Iterator[tuple[str, Any]]:
    """`part` and the parameters, buffers and modules within it, in order, with their names. A module within itself is
    left out, one that is in several places is there under each of its names, or, where all are wanted `once`, with its
    first alone. Not recursive: there may be thousands within one another."""
    if not isinstance(name, str):
        raise TypeError(f"prefix must be a string, which the names begin with, got {shown(name)}")
    yield name, part
    if not isinstance(part, Module):
        return
    around, seen = {id(part)}, {id(part)}
    stack = [(part, members_of(part, f"{name}." if name else ""))]
    while stack:
        owner, members = stack[-1]
        for label, member in members:
            if not isinstance(member, Module):
                yield label, member
            elif id(member) not in around and not (once and id(member) in seen):
                yield label, member
                around.add(id(member))
                seen.add(id(member))
                stack.append((member, members_of(member, f"{label}.")))
                break
        else:
            stack.pop()
            around.discard(id(owner))


def members_of(module: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The parameters, buffers and modules directly in a module, or in the lists, tuples and dicts there, with names."""
    stack: list[Any] = [(module, prefix, iter(module.members()))]
    around = {id(module)}
    while stack:
        holder, place, items = stack[-1]
        for key, member in items:
            if isinstance(member, (Parameter, Module, Buffer, Pending)):
                yield f"{place}{key}", member
            elif isinstance(member, (list, tuple, dict)) and id(member) not in around:
                around.add(id(member))
                inner = member.items() if isinstance(member, dict) else enumerate(member)
                stack.append((member, f"{place}{key}.", iter(inner)))
                break
        else:
            stack.pop()
            around.discard(id(holder))


def described(module: Module) -> str:
    """The repr of a module: its name and settings, and the modules within it, on about `REPR_LINES` lines at most."""
    lines: list[str] = []
    around: list[int] = []
    stack = [iter([("", module)])]
    while stack and len(lines) < REPR_LINES:
        indent = "  " * len(around)
        found = next(stack[-1], None)
        if found is None:
            stack.pop()
            if around:
                around.pop()
                lines.append(f"{'  ' * len(around)})")
            continue
        label, part = found
        head = f"{indent}{label}{type(part).__name__}("
        inner = [(f"({name}): ", member) for name, member in members_of(part) if isinstance(member, Module)]
        if id(part) in around:
            lines.append(f"{head}...)")
        elif part is not module and type(part).__repr__ is not Module.__repr__:
            lines += f"{indent}{label}{part!r}".replace("\n", f"\n{indent}").split("\n")
        elif inner:
            lines.append(f"{head}{part.extra_repr()}")
            around.append(id(part))
            stack.append(iter(inner))
        else:
            lines.append(f"{head}{part.extra_repr()})")
    return "\n".join([*lines, "... and more"] if stack else lines)
