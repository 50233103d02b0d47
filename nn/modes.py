"""Evaluation and observation of modules, for one thread or task alone: no module is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Observer = Callable[[Any, Any], None]  # of a module and its result

_EVALUATING: ContextVar[bool] = ContextVar("evaluating", default=False)
_OBSERVER: ContextVar[Observer | None] = ContextVar("observer", default=None)

is_evaluating = _EVALUATING.get
observer = _OBSERVER.get


@contextmanager
def evaluating() -> Iterator[None]:
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
    token = _EVALUATING.set(True)
    try:
        yield
    finally:
        _EVALUATING.reset(token)


@contextmanager
def observing(observe: Observer) -> Iterator[None]:
    """Within, each module that is called by this thread or task calls `observe(module, result)` at its end.

    >>> from nn.layers.activation import ReLU
    >>> with observing(lambda module, result: print(module, result)):
    ...     result = ReLU()(-1.0)
    ReLU() 0.0
    """
    token = _OBSERVER.set(observe)
    try:
        yield
    finally:
        _OBSERVER.reset(token)
