"""Evaluation and observation of modules, for one thread or task alone: no module is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

Observer = Callable[[Any, Any], None]  # of a module and its result

_EVALUATING: ContextVar[bool] = ContextVar("evaluating", default=False)
_OBSERVER: ContextVar[Observer | None] = ContextVar("observer", default=None)

is_evaluating = _EVALUATING.get
observer = _OBSERVER.get


def evaluating() -> AbstractContextManager[None]:
    """Within, `training` of every module reads False for this thread or task, whatever it was set to: other threads
    train on, and there is nothing to restore.

    >>> from nn.layers.dropout import Dropout
    >>> layer = Dropout()
    >>> with evaluating():
    ...     layer.training
    False
    >>> layer.training
    True
    """
    return _set(_EVALUATING, True)


def observing(observe: Observer) -> AbstractContextManager[None]:
    """Within, each module that is called by this thread or task calls `observe(module, result)` at its end.

    >>> from nn.layers.activation import ReLU
    >>> with observing(lambda module, result: print(module, result)):
    ...     result = ReLU()(-1.0)
    ReLU() 0.0
    """
    return _set(_OBSERVER, observe)


@contextmanager
def _set(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
