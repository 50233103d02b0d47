"""Dependencies of `nn`, and the errors where one is missing or is another project's."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import autograd

INSTALLED_AS = {"sklearn": "scikit-learn"}


def check_autograd(module: ModuleType) -> None:
    """Raise an ImportError unless `module`, which Python found under the name `autograd`, is ours."""
    if not (hasattr(module, "Value") and hasattr(module, "Primitive")):
        where = getattr(module, "__file__", None) or list(getattr(module, "__path__", []))
        raise ImportError(
            f"nn needs the `autograd` of the distribution chainrule, but Python found another project's in {where}: "
            "run `pip uninstall autograd` and then, in the folder with chainrule's pyproject.toml, `pip install -e .`"
        )


def optional(name: str) -> ModuleType:
    """The module `name` of a package that is not always installed, or an ImportError that says how to install it."""
    try:
        return import_module(name)
    except ImportError as error:
        raise missing(name.partition(".")[0]) from error


def missing(module: str) -> ImportError:
    """The error that says that `module` is not installed, and how it is. (chainrule is on no index, nor are its extras.)"""
    package = INSTALLED_AS.get(module, module)
    return ImportError(f"this needs {package}, which is not installed: pip install {package}")


check_autograd(autograd)
