"""The public names of a package, read from its `__init__`, which names each once."""

from __future__ import annotations

from typing import Any


def publish(namespace: dict[str, Any], *others: str) -> None:
    """Set the `__all__` of a package: all names in its `namespace` that its own rooms define, and the `others`.

    Modules are left out, and so are names that begin with an underscore or come from another package. (Type checkers take
    `import name as name` as public; an `__all__` computed where they see it, but cannot read it, would hide the name.)

    >>> def f(): ...
    >>> package = {"__name__": f.__module__, "f": f, "_f": f, "Any": Any}
    >>> publish(package, "late")
    >>> package["__all__"]
    ['f', 'late']
    """
    package = namespace["__name__"].partition(".")[0]
    mine = (
        name
        for name, found in namespace.items()
        if not name.startswith("_") and (getattr(found, "__module__", None) or "").partition(".")[0] == package
    )
    namespace["__all__"] = [*mine, *others]
