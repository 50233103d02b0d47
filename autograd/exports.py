"""The public names of a package, read from its `__init__`, where each stands once."""

from __future__ import annotations

from typing import Any


def publish(namespace: dict[str, Any], *others: str) -> None:
    """Set the `__all__` of a package: all names in its `namespace` that its own rooms define, and the `others`.

    Not the rooms themselves, nor what begins with an underscore or comes from elsewhere. (Type checkers take for public
    what is imported `as` itself; an `__all__` that they could see, but not read, would hide it from them.)

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
