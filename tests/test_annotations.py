"""Counts of return types that a type checker does not know: they may fall, and not grow."""

import pytest

from tests import annotations

MOST = {"autograd": 56, "nn": 32}
# Those that users see: they give what the user's own function or layer does.
PUBLIC = {"autograd": {"Kernel.__call__"}, "nn": {"Module.forward", "Sequential.__getitem__"}}


@pytest.mark.parametrize("package", MOST)
def test_no_more_functions_than_there_were_return_what_says_nothing(package):
    found = annotations.vague(package)
    public = [each for each in found if each.public and each.name not in PUBLIC[package]]
    hint = f"annotate what you added, or lower the numbers here; python -m tests.annotations {package} lists all"
    assert len(found) <= MOST[package], hint
    assert not public, "\n".join(map(str, [*public, hint]))


def test_an_alias_a_union_and_a_string_hide_nothing(tmp_path, monkeypatch):
    (tmp_path / "vaguely").mkdir()
    (tmp_path / "vaguely" / "__init__.py").write_text(
        "from vaguely.room import *\n__all__ = [name for name in dir() if name[0] != chr(95)]"
    )
    (tmp_path / "vaguely" / "kinds.py").write_text(
        "from collections.abc import Callable\nfrom typing import Any\nRule = Callable[..., Any]\nKind = Any\n"
    )
    (tmp_path / "vaguely" / "room.py").write_text(
        """
from collections.abc import Callable
from typing import Any, overload
from vaguely.kinds import Kind as Other, Rule
Mine = Other | None
def f() -> Any: ...
def g() -> "Mine":
    def inner() -> object: ...
def h() -> Rule: ...
async def i() -> Callable[..., int | Any]: ...
def _j() -> None | Other: ...
@overload
def k(x: int) -> int: ...
@overload
def k(x: str) -> Any: ...
def k(x: Any) -> Any: ...
def told() -> list[Any]: ...
def known() -> Callable[..., int]: ...
def same(x: Other) -> int: ...
class C:
    @property
    def p(self) -> Any: ...
    @classmethod
    def q(cls) -> Any: ...
    def _r(self) -> Any: ...
    def __add__(self, other: int) -> Any: ...
"""
    )
    monkeypatch.setattr(annotations, "ROOT", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    found = annotations.vague("vaguely")
    assert " ".join(each.name for each in found) == "f g g.inner h i _j k C.p C.q C._r C.__add__"
    assert " ".join(each.name for each in found if not each.public) == "g.inner _j C._r"
