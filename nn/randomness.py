"""Random generators that an object draws from: found among its attributes, saved, and set to saved states."""

from __future__ import annotations

import copy
import random
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from operator import getitem
from types import BuiltinFunctionType, CodeType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

import numpy as np

from autograd import Node
from autograd.arguments import shown

MAX_MEMBERS = 1000  # members of a list, tuple or dict: one with more is data, and not looked through
OURS = ("nn", "autograd", "numpy", "builtins")  # whose functions draw from what they are given alone

KINDS = (np.random.Generator, np.random.BitGenerator, np.random.RandomState, random.Random)
NO_OWNERS = (Node, np.ndarray, np.generic, str, bytes, bytearray, int, float, complex, type, ModuleType)

SHARED: dict[str, Any] = {  # those that np.random.normal and random.random draw from
    "numpy": getattr(np.random.get_state, "__self__"),  # noqa: B009  # NumPy's types do not tell
    "python": getattr(random.getstate, "__self__"),  # noqa: B009
}

Getter = Callable[[], Any]  # what stands there now: a generator may be replaced by another one


class GeneratorStates:
    """The states of the random generators at some places, by name, with `state_dict` and `load_state_dict`.

    Of the `others` the state may be missing, in a file of a version that did not find them; then a warning says so.
    """

    def __init__(self, owner: str, required: dict[str, Getter], others: dict[str, Getter]) -> None:
        self.owner, self.required, self.places = owner, required, required | others

    def state_dict(self) -> dict[str, Any]:
        return {name: state_of(place()) for name, place in self.places.items() if isinstance(place(), KINDS)}

    def load_state_dict(self, state: Any) -> None:
        own = {name: place() for name, place in self.places.items() if isinstance(place(), KINDS)}
        if not isinstance(state, dict) or state.keys() - own.keys() or self.required.keys() - state.keys():
            found = sorted(map(str, state)) if isinstance(state, dict) else shown(state)
            raise ValueError(f"{self.owner} draws with {sorted(own)}, that which was saved with {found}")
        check_states([own[name] for name in state], list(state.values()), list(state))
        if missing := [name for name in own if name not in state]:
            warnings.warn(
                f"an earlier version did not save the random generators {', '.join(missing)} of {self.owner}: they go on "
                "from where they are, and not from where they were",
                RuntimeWarning,
                stacklevel=2,
            )
        for name in state:
            set_state(own[name], state[name])


def generators(owner: Any, seen: Iterable[Any] = ()) -> dict[str, Getter]:
    """The places of all random generators, NumPy's and Python's, that `owner` refers to, each once, by their paths:
    among its attributes and those of its class, in the lists, tuples, dicts and objects there, and among the variables
    that its functions close over or read from their module. What is in `seen` is left out."""
    found: dict[str, Getter] = {}
    known = {id(part): part for part in seen}  # the parts too, so that no other one gets their id
    parts: list[tuple[str, Getter]] = [("", lambda: owner)]
    while parts:
        path, place = parts.pop()
        part = place()
        if id(part) in known or part is None or isinstance(part, NO_OWNERS):
            continue
        known[id(part)] = part
        if isinstance(part, KINDS):
            if isinstance(part, random.SystemRandom):
                continue
            while path in found:  # as of the keys 1 and "1"
                path += "'"
            found[path] = place
        else:
            parts += [(f"{path}.{name}" if path else name, inner) for name, inner in reversed(list(_parts(part)))]
    return found


def state_of(generator: Any) -> Any:
    """The state of a generator of any kind."""
    if isinstance(generator, random.Random):
        return generator.getstate()
    if isinstance(generator, np.random.RandomState):
        return generator.get_state(legacy=False)
    bits = generator.bit_generator if isinstance(generator, np.random.Generator) else generator
    return bits.state


def check_state(generator: Any, state: Any) -> None:
    """Raise a ValueError unless `state` is one that a generator like this one can have."""
    try:
        probe = copy.deepcopy(generator)
    except Exception:  # a class of the user's that cannot be copied: nothing to try the state on
        return
    try:
        set_state(probe, state)
        if not same_state(state_of(probe), state):
            raise ValueError("some of its numbers are out of range")
    except Exception as error:  # whatever NumPy says of what it cannot take
        raise ValueError(f"no state of a {type(generator).__name__}: {type(error).__name__}: {error}") from error


def check_states(found: Sequence[Any], states: Sequence[Any], names: Sequence[str]) -> None:
    """Raise a ValueError unless each generator can have its state, and one that is listed twice has one state."""
    first: dict[int, int] = {}
    for i, (generator, state) in enumerate(zip(found, states, strict=True)):
        try:
            check_state(generator, state)
        except ValueError as error:
            raise ValueError(f"{names[i]}: {error}") from error
        if (k := first.setdefault(id(generator), i)) != i and not same_state(states[k], state):
            raise ValueError(f"{names[k]} and {names[i]} are one generator, and were saved in two states")


def set_state(generator: Any, state: Any) -> None:
    """Let a generator go on from `state`."""
    if isinstance(generator, random.Random):
        generator.setstate(state)
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        (generator.bit_generator if isinstance(generator, np.random.Generator) else generator).state = state


def set_states(found: Sequence[Any], states: Sequence[Any]) -> None:
    """Let each generator go on from its state."""
    for generator, state in zip(found, states, strict=True):
        set_state(generator, state)


def same_state(a: Any, b: Any) -> bool:
    """Whether two states are equal, to the type and to the bit of their arrays."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_state(a[key], b[key]) for key in a)
    if isinstance(a, tuple) and a and type(a[0]) is int:  # Python's own generator has 625 of them
        return bool(a == b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same_state, a, b))
    return bool(a == b) or (a != a and b != b)


def _parts(part: Any) -> Iterator[tuple[str, Getter]]:
    """The names and places of what an object refers to."""
    if isinstance(part, FunctionType):
        yield from _read_by(part)
    elif isinstance(part, MethodType):
        yield from [("self", lambda: part.__self__), ("function", lambda: part.__func__)]
    elif isinstance(part, BuiltinFunctionType):
        yield "self", lambda: part.__self__  # as of random.Random(0).shuffle
    elif isinstance(part, GeneratorType):
        yield "variables", lambda: part.gi_frame and dict(part.gi_frame.f_locals)
    elif isinstance(part, partial):
        yield from [("function", lambda: part.func), ("arguments", lambda: part.args)]
        yield "keywords", lambda: part.keywords
    elif isinstance(part, (list, tuple, dict)) and len(part) <= MAX_MEMBERS:
        for key in part if isinstance(part, dict) else range(len(part)):
            yield str(key), partial(getitem, part, key)
    attributes = getattr(part, "__dict__", {})
    for name in list(attributes):
        yield name, partial(attributes.get, name)
    for kind in type(part).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(part, name):
                yield name, partial(getattr, part, name)
        if kind.__module__.partition(".")[0] not in OURS:
            for name, member in list(vars(kind).items()):
                if isinstance(member, (FunctionType, *KINDS)):
                    yield f"{kind.__name__}.{name}", partial(getattr, kind, name)


def _read_by(function: FunctionType) -> Iterator[tuple[str, Getter]]:
    """The names and places of what a function has from outside: closed over, as a default, or from its module."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        yield name, partial(_content, cell)
    yield from [("defaults", lambda: function.__defaults__), ("keyword defaults", lambda: function.__kwdefaults__)]
    if function.__module__ is None or function.__module__.partition(".")[0] not in OURS:
        module = function.__globals__
        for name in dict.fromkeys(_names(function.__code__)):
            if isinstance(module.get(name), (FunctionType, *KINDS)):
                yield name, partial(module.get, name)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not yet filled
        return None
