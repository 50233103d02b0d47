"""Mended errors, put back: a table row restores an old line, and the test that shows the error must then fail."""

from __future__ import annotations
import __future__

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest


class Mutant(NamedTuple):
    """`mended`, a text that occurs once in the source of `function`, as it `was`; `test` fails while it is put back.

    `function` is a function, a method or a property. A change that is no text of a function is a call
    `apply(monkeypatch)` in place of it, with the two texts left empty.
    """

    name: str
    function: Any
    mended: str
    was: str
    test: Callable[[], Any]


def check(mutant: Mutant) -> None:
    """Assert that the mutant's test passes as things are, and fails with the error put back."""
    mutant.test()
    with pytest.MonkeyPatch.context() as monkeypatch, _put_back(mutant, monkeypatch):
        try:
            mutant.test()
        except (Exception, pytest.fail.Exception):
            return
    pytest.fail(f"{mutant.name}: the error was put back, and its test stayed green")


@contextmanager
def _put_back(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not mutant.mended:
        mutant.function(monkeypatch)
        yield
        return
    function = mutant.function.fget if isinstance(mutant.function, property) else mutant.function
    inner = inspect.unwrap(function)
    inner = getattr(inner, "__func__", inner)
    mended = inner.__code__
    forget = getattr(mutant.function, "cache_clear", lambda: None)
    inner.__code__ = _code(inner, mutant)
    forget()
    try:
        yield
    finally:
        inner.__code__ = mended
        forget()


def _code(function: Any, mutant: Mutant) -> Any:
    """The code of `function` with the mended text as it was."""
    source = textwrap.dedent(inspect.getsource(function))
    if source.count(mutant.mended) != 1:
        pytest.fail(
            f"{mutant.name}: {mutant.mended!r} is {source.count(mutant.mended)} times in {function.__qualname__}"
        )
    tree = ast.parse(source.replace(mutant.mended, mutant.was))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    # Variables of enclosing functions, and the class that super() needs, are found in an enclosing function again.
    free = function.__code__.co_freevars
    outer = ast.parse(f"def outer({', '.join(free)}): pass\n").body[0]
    assert isinstance(outer, ast.FunctionDef)
    own = [] if definition.name in free else [ast.Global([definition.name])]  # for a function that calls itself
    outer.body = [*own, definition]
    flags = function.__code__.co_flags & __future__.annotations.compiler_flag
    module = ast.fix_missing_locations(ast.Module(body=[outer], type_ignores=[]))
    code = compile(module, inspect.getsourcefile(function) or "mutant", "exec", flags=flags, dont_inherit=True)
    outer_code = next(const for const in code.co_consts if inspect.iscode(const))
    return next(c for c in outer_code.co_consts if inspect.iscode(c) and c.co_name == function.__name__)
