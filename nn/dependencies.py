"""What `nn` needs from outside, and what it says where that is missing."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import autograd


def check_autograd(module: ModuleType) -> None:
    """Raise an ImportError unless `module`, which Python found under the name `autograd`, is ours."""
    if not (hasattr(module, "Value") and hasattr(module, "Primitive")):
        where = getattr(module, "__file__", None) or list(getattr(module, "__path__", []))
        raise ImportError(
            f"nn needs the `autograd` of the distribution chainrule, but Python found another project's in {where}: "
            "run `pip uninstall autograd` and then `pip install --force-reinstall chainrule`"
        )


def optional(name: str, extra: str) -> Any:
    """The module `name` of a package that is not always installed, or an ImportError that names the extra."""
    try:
        return import_module(name)
    except ImportError as error:
        raise missing(name.partition(".")[0], extra) from error


def missing(package: str, extra: str) -> ImportError:
    """The error that says which extra brings `package`."""
    return ImportError(f"this needs {package}, which is not installed: pip install 'chainrule[{extra}]'")


check_autograd(autograd)
