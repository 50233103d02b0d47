"""Settings of optimizers: each is declared once, as a parameter of the constructor, whose annotation says what it must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from inspect import signature
from typing import Annotated, Any, get_type_hints

from nn.validation import flag, integer, number, shown

Check = Callable[[str, str, Any], Any]  # (owner, name, value): the value as it is kept, or an error that names it


def _two_below_one(owner: str, name: str, value: Any) -> tuple[float, ...]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{owner}: {name} must be two numbers from 0 to below 1, got {shown(value)}")
    try:
        return tuple(number(owner, name, x, least=0, below=1) for x in value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{owner}: {name} must be two numbers from 0 to below 1, got {shown(value)}") from None


Real = Annotated[float, number]
NonNegative = Annotated[float, partial(number, least=0)]
BelowOne = Annotated[float, partial(number, least=0, below=1)]
TwoBelowOne = Annotated[tuple[float, float], _two_below_one]
Flag = Annotated[bool, flag]
Count = Annotated[int, partial(integer, least=0)]
Positive = Annotated[int, partial(integer, least=1)]
PositiveOrNone = Annotated[
    int | None, lambda owner, name, value: None if value is None else integer(owner, name, value, least=1)
]


def declared(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among the `locals()` of a constructor."""
    return {name: value for name, value in arguments.items() if name not in ("self", "params", "__class__")}


@cache
def checks_of(kind: type) -> dict[str, Check]:
    """What is asked of the settings of an optimizer of this class, by name, in the order of its constructor."""
    try:
        hints = get_type_hints(kind.__init__, include_extras=True)  # type: ignore[misc]  # of the class itself
    except NameError:  # annotations that cannot be looked up, as those of a class within a function, check nothing
        hints = {}
    found = {name: getattr(hints.get(name), "__metadata__", ()) for name in signature(kind).parameters}
    return {name: metadata[0] for name, metadata in found.items() if metadata}
