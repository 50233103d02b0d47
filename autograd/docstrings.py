"""Docstrings of objects that are not those of their class."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from autograd.forks import importing


class OfObject:
    """An attribute that is `of_class` of a class, and of each of its objects what `of_object` makes of it.

    >>> class Named:
    ...     __doc__ = OfObject("Things with names.", lambda thing: f"The thing {thing.name}.")
    ...     name = "A"
    >>> Named.__doc__, Named().__doc__
    ('Things with names.', 'The thing A.')
    """

    def __init__(self, of_class: Any, of_object: Callable[[Any], Any]) -> None:
        self.of_class, self.of_object = of_class, of_object

    def __get__(self, thing: Any, _: Any = None) -> Any:
        return self.of_class if thing is None else self.of_object(thing)


def described(op: Any) -> tuple[str | None, Any]:
    """The docstring and the signature of an operation: of the table's made from the record, when they are first asked for."""
    if not op.elementwise:
        return op.doc, None
    with importing:
        found: tuple[str, Any] = import_module("autograd.formulas").described(op)
    return found
