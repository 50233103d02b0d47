"""Loading of several states together: all of them, or none."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any


def load_all(parts: Iterable[tuple[Any, Any]]) -> None:
    """Give each owner its state, by its `load_state_dict`; if one raises, all are as they were, and the error goes on.

    Ours check a state before they change anything. Of a class of the user's that is not known: so the one that failed
    takes back the state that it had, as do those before it.
    """
    changed = []
    try:
        for owner, state in parts:
            changed.append((owner, copy.deepcopy(owner.state_dict()), dict(getattr(owner, "__dict__", {}))))
            owner.load_state_dict(state)
    except BaseException:
        for owner, before, attributes in reversed(changed):
            _roll_back(owner, before, attributes)
        raise


def text_of(error: BaseException) -> str:
    """An error in a message: its text alone where that speaks for itself."""
    speaks = type(error).__module__.startswith("nn.") or type(error) is ValueError
    return str(error) if speaks else f"{type(error).__name__}: {error}"


def _roll_back(owner: Any, before: Any, attributes: dict[str, Any]) -> None:
    own = getattr(owner, "__dict__", {})
    try:
        owner.load_state_dict(before)
    except Exception:  # it is of no use any more: at least what its attributes refer to comes back
        own.update(attributes)
    for name in own.keys() - attributes.keys():
        del own[name]
