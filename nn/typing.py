"""The types that signatures in `nn` share."""

from __future__ import annotations

from typing import Any, ParamSpec, Protocol, TypeVar

import numpy as np

Array = np.ndarray[Any, Any]
Seed = np.random.Generator | int | None

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class HasForward(Protocol[P, R]):
    """A module as type checkers see it where it is called: it takes and gives what its `forward` does."""

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
