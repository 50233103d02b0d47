"""Annotations that say nothing: functions that return Any, object or Callable[..., Any], by whatever name these go.

`python -m tests.annotations autograd nn` lists them by file; a star marks what users see.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent


class Vague(NamedTuple):
    """A function whose return annotation says nothing."""

    path: str
    line: int
    name: str
    returns: str
    public: bool

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.name} -> {self.returns}{' *' * self.public}"


def vague(package: str) -> list[Vague]:
    """The functions of a package that return Any, object or Callable[..., Any], also by an alias or as one of a union.

    The last of several overloads is not among them: nobody sees its annotation.
    """
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / package).rglob("*.py"))}
    aliases = _aliases({_module(path): tree for path, tree in trees.items()})
    seen = set(_seen_by_users(importlib.import_module(package)))
    found = []
    for path, tree in trees.items():
        for name, node in _functions(tree.body):
            if node.returns is not None and _says_nothing(node.returns, aliases[_module(path)]):
                where, returns = str(path.relative_to(ROOT)), ast.unparse(node.returns)
                found.append(Vague(where, node.lineno, name, returns, (str(path), name) in seen))
    return found


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _functions(body: list[ast.stmt], within: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    overloaded = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if any(ast.unparse(each).endswith("overload") for each in node.decorator_list):
                overloaded.add(node.name)
                yield within + node.name, node
            elif node.name not in overloaded:
                yield within + node.name, node
            yield from _functions(node.body, f"{within}{node.name}.")
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{within}{node.name}.")
        else:
            for block in ("body", "orelse", "finalbody"):
                yield from _functions([each for each in getattr(node, block, []) if isinstance(each, ast.stmt)], within)


def _says_nothing(annotation: ast.expr, aliases: set[str]) -> bool:
    match annotation:
        case ast.Constant(value=str(text)):
            return _says_nothing(ast.parse(text, mode="eval").body, aliases)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in ("Any", "object") or name in aliases
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _says_nothing(left, aliases) or _says_nothing(right, aliases)
        case ast.Subscript(value=ast.Name(id="Callable"), slice=ast.Tuple(elts=[ast.Constant(value=value), result])):
            return value is ... and _says_nothing(result, aliases)
        case ast.Subscript(value=ast.Name(id="Optional" | "Union" | "Final" | "Annotated"), slice=inner):
            return any(
                _says_nothing(each, aliases) for each in (inner.elts if isinstance(inner, ast.Tuple) else [inner])
            )
    return False


def _aliases(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """For each module the names that stand for such a type: made there, or imported from another of these modules."""
    aliases: dict[str, set[str]] = {module: set() for module in trees}
    before = -1
    while before < (before := sum(map(len, aliases.values()))):  # until no alias of an alias is new
        for module, tree in trees.items():
            for node in ast.walk(tree):
                match node:
                    case (
                        ast.Assign(targets=[ast.Name(id=name)], value=value)
                        | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                    ) if not isinstance(value, ast.Constant) and _says_nothing(value, aliases[module]):
                        aliases[module].add(name)
                    case ast.ImportFrom(module=str(other), names=names) if other in aliases:
                        aliases[module] |= {n.asname or n.name for n in names if n.name in aliases[other]}
    return aliases


def _seen_by_users(package: Any) -> Iterator[tuple[str, str]]:
    """(file, name) of each exported function, and of each method of an exported class that is not underscored."""
    for name in package.__all__:
        exported = getattr(package, name)
        if inspect.isclass(exported):
            for base in exported.__mro__:
                for method, member in vars(base).items():
                    if not method.startswith("_") or method.endswith("__"):
                        yield from _place(member)
        else:
            yield from _place(exported)


def _place(member: Any) -> Iterator[tuple[str, str]]:
    for part in ("fget", "__func__", "__wrapped__", "func"):
        member = getattr(member, part, None) or member
    if isinstance(code := getattr(member, "__code__", None), type(_place.__code__)):
        yield code.co_filename, code.co_qualname.replace("<locals>.", "")


if __name__ == "__main__":
    for each in sys.argv[1:]:
        found = vague(each)
        print(*found, sep="\n")
        print(f"{each}: {len(found)}, {sum(one.public for one in found)} of them public\n")
