"""Evaluation for one thread or task alone: modules behave so within it, and none of them is changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_EVALUATING: ContextVar[bool] = ContextVar("evaluating", default=False)

is_evaluating = _EVALUATING.get


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
