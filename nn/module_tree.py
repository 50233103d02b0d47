"""`ModuleTree`, the base of modules, and the walk over the parameters, buffers and modules within one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from autograd.arguments import shown
from nn.parameters import Buffer, Parameter, UninitializedParameter

LEAVES = (Parameter, Buffer, UninitializedParameter)
REPR_LINES = 1000


class ModuleTree:
    """An object with parameters, buffers and other such objects among its attributes, in lists, tuples and dicts too."""

    def _children(self) -> Iterable[tuple[Any, Any]]:
        """Names and values in which parameters and modules are looked for: the attributes, unless overridden."""
        return vars(self).items()

    _shown_settings: ClassVar[tuple[str, ...]] = ()

    def extra_repr(self) -> str:
        """The settings in the parentheses of the module's repr."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in self._shown_settings)

    def __repr__(self) -> str:
        return module_repr(self)


def initialized_parameters(model: Any) -> list[Parameter]:
    """The parameters of a module, but for those that wait for its first input; none of anything else."""
    return [part for _, part in parts_of(model, once=True) if isinstance(part, Parameter)]


def parts_of(part: Any, name: str = "", once: bool = False, deep: bool = True) -> list[tuple[str, Any]]:
    """`part`, and the parameters, buffers and modules within it, in order, with their names.

    A module within itself is left out. One that is in several places is there under each of its names or, where all are
    wanted `once`, under its first alone, and so is a parameter. Unless `deep`, modules within are not looked through.
    Not recursive: there may be thousands within one another.
    """
    if not isinstance(name, str):
        raise TypeError(f"prefix must be a string, which the names begin with, got {shown(name)}")
    found: list[tuple[str, Any]] = []
    seen: set[int] = set()
    path: set[tuple[int, int]] = set()  # the modules that are being looked through, and the lists of each
    stack: list[tuple[Any, Any, str, Iterator[tuple[Any, Any]]]] = [(None, None, "", iter([(name, part)]))]
    while stack:
        mark, owner, prefix, children = stack[-1]
        for key, child in children:
            if isinstance(child, ModuleTree):
                opened = deep or owner is None
                entered, within = (0, id(child)), child
                if (once and id(child) in seen) or (opened and entered in path):
                    continue
                found.append((f"{prefix}{key}", child))
                seen.add(id(child))
                if not opened:
                    continue
                inner = child._children()
            elif isinstance(child, LEAVES):
                if not once or id(child) not in seen:
                    found.append((f"{prefix}{key}", child))
                    seen.add(id(child))
                continue
            elif isinstance(child, (list, tuple, dict)) and (id(owner), id(child)) not in path:
                entered, within = (id(owner), id(child)), owner
                inner = child.items() if isinstance(child, dict) else enumerate(child)
            else:
                continue
            path.add(entered)
            stack.append((entered, within, f"{prefix}{key}." if prefix or key != "" else "", iter(inner)))
            break
        else:
            path.discard(mark)
            stack.pop()
    return found


def module_repr(module: ModuleTree) -> str:
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
        parts = parts_of(part, deep=False)[1:]
        inner = [(f"({name}): ", child) for name, child in parts if isinstance(child, ModuleTree)]
        if id(part) in around:
            lines.append(f"{head}...)")
        elif part is not module and type(part).__repr__ is not ModuleTree.__repr__:
            lines += f"{indent}{label}{part!r}".replace("\n", f"\n{indent}").split("\n")
        elif inner:
            lines.append(f"{head}{part.extra_repr()}")
            around.append(id(part))
            stack.append(iter(inner))
        else:
            lines.append(f"{head}{part.extra_repr()})")
    return "\n".join([*lines, "... and more"] if stack else lines)
