"""`Optimizer`, the base of optimizers: groups of parameters, steps, and a state that can be saved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from autograd import Tensor, Value
from nn.optim.loading import check_alike, mapping
from nn.optim.settings import checks_of
from nn.typing import R
from nn.validation import number, sequence, shown

Group = dict[str, Any]  # what `param_groups` consists of: "params", a list, and every setting by its name


class Optimizer(ABC):
    """Changes parameters by their gradients, one `step()` at a time.

    `params` are leaves: Parameters, Tensors or Values, of any dtypes; or groups with settings of their own, as
    `[{"params": weights, "weight_decay": 0.1}, {"params": biases}]`. `param_groups` are the groups, with all settings,
    which may be changed between steps, and `defaults` the settings of groups that have none of their own. A parameter
    whose gradient is None is left alone. A graph that was recorded before a step cannot be differentiated after it: that
    raises.

    No parameters, one in two groups, results in place of leaves, unknown settings and settings out of range are a
    ValueError, other things a TypeError.
    """

    def __init__(self, params: Iterable[Any], **defaults: Any) -> None:
        self.defaults = defaults
        self.param_groups: list[Group] = []
        for group in _groups(params):
            self.add_param_group(group)

    @abstractmethod
    def step(self, closure: Callable[[], R] | None = None) -> R | None:
        """Change every parameter that has a gradient. A `closure` that computes loss and gradients anew is called
        before, and what it returns is returned."""

    def _check(self, group: Group) -> None:
        """Bring the settings into the form that is kept; a ValueError or a TypeError names one that is out of range."""
        for name, check in checks_of(type(self)).items():
            group[name] = check(type(self).__name__, name, group[name])

    def add_param_group(self, group: Group) -> None:
        """Train also `group["params"]`, with the settings that the group has, and the optimizer's others."""
        if not isinstance(group, dict) or "params" not in group:
            raise TypeError(f'a group is a dict such as {{"params": [...], "lr": 0.1}}, got {shown(group)}')
        known = (*self.defaults, "params", "initial_lr", "name")
        if unknown := ", ".join(repr(key) for key in group if key not in known):
            raise ValueError(f"{type(self).__name__} has no setting {unknown}: it has {', '.join(self.defaults)}")
        parameters = _leaves(group["params"], len(self.parameters))
        if not set(self.parameters).isdisjoint(parameters):
            raise ValueError("a parameter is in more than one group: leave it in one of them")
        group = {**self.defaults, **group, "params": parameters}
        self._check(group)
        self.param_groups.append(group)

    @property
    def parameters(self) -> list[Any]:
        """All parameters, group by group."""
        return [parameter for group in self.param_groups for parameter in group["params"]]

    @property
    def lr(self) -> float:
        """The learning rate: of the first group, when read; of all groups, when set."""
        return self.param_groups[0]["lr"]  # type: ignore[no-any-return]  # settings are Any

    @lr.setter
    def lr(self, lr: float) -> None:
        lr = number(type(self).__name__, "lr", lr, least=0)
        for group in self.param_groups:
            group["lr"] = lr

    def zero_grad(self) -> None:
        """Forget the gradient of every parameter."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.zero_grad()

    # ---- Saved, loaded, copied

    @abstractmethod
    def _parameter_states(self) -> dict[int, dict[str, Any]]:
        """Copies of what is remembered of each parameter, by its position."""

    @abstractmethod
    def _load_parameter_states(self, states: dict[int, dict[str, Any]], groups: list[Group]) -> None:
        """Remember `states`, which are for settings as in `groups`; if they do not fit, raise and load nothing."""

    def state_dict(self) -> dict[str, Any]:
        """Copies of all that a step depends on besides parameters and gradients, laid out as PyTorch's."""
        groups, n = [], 0
        for group in self.param_groups:
            groups.append({**group, "params": list(range(n, n := n + len(group["params"])))})
        return {"state": self._parameter_states(), "param_groups": groups}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict()` gave. If it does not fit, a ValueError says where, and nothing is loaded."""
        loaded_groups = _checked_groups(mapping(self, state, "state", "param_groups")["param_groups"])
        found = [len(group["params"]) for group in loaded_groups]
        wanted = [len(group["params"]) for group in self.param_groups]
        if found != wanted:
            raise ValueError(
                f"this state is of {_sizes(found)} parameters, the optimizer has {_sizes(wanted)}: nothing was loaded; make "
                "the optimizer as the one that was saved"
            )
        groups = []
        for i, (own, loaded) in enumerate(zip(self.param_groups, loaded_groups, strict=True)):
            if missing := [name for name in self.defaults if name not in loaded]:
                raise ValueError(f"group {i} of this state has no {missing[0]}: nothing was loaded")
            groups.append({**own, **loaded, "params": own["params"]})
            self._check_settings(i, groups[-1])
        n = sum(wanted)
        for i, parts in mapping(self, state["state"]).items():
            if isinstance(i, bool) or not isinstance(i, int) or not 0 <= i < n:
                raise ValueError(f"this state is of parameter {shown(i)}, and there are {n}: nothing was loaded")
            mapping(self, parts)
        self._load_parameter_states(state["state"], groups)
        for own, group in zip(self.param_groups, groups, strict=True):
            own.update(group)

    def _check_settings(self, i: int, group: Group) -> None:
        """Raise a ValueError unless the settings of group `i`, as loaded, are such as could have been given."""
        for name in ("initial_lr", *self.defaults):
            if name in group:
                check_alike(f"{name} of group {i}", self.defaults.get(name, 0.0), group[name])
        if group.get("maximize"):
            raise ValueError(f"group {i} was to maximize, which {type(self).__name__} cannot: negate the loss")
        self._check(group)

    def __reduce__(self) -> tuple[Any, ...]:
        # Views of one buffer would be copied as arrays of their own: a copy is made anew, from the copied parameters.
        parameters = [group["params"] for group in self.param_groups]
        return _rebuilt, (type(self), parameters, self.defaults, self.state_dict())

    def __repr__(self) -> str:
        groups = []
        for group in self.param_groups:
            settings = ", ".join(f"{name}={group[name]!r}" for name in self.defaults)
            groups.append(f"{len(group['params'])} parameters, {settings}")
        return f"{type(self).__name__}({'; '.join(groups)})"


def _checked_groups(groups: Any) -> list[Group]:
    """The groups of a loaded state, if they are such, with positions that count on from 0."""
    n = 0
    for i, group in enumerate(groups) if isinstance(groups, (list, tuple)) else [(0, None)]:
        params = group.get("params") if isinstance(group, dict) and all(isinstance(key, str) for key in group) else None
        if not isinstance(params, list) or any(type(k) is not int for k in params):
            raise ValueError(f"param_groups must be dicts with a list of positions each, got {shown(groups)}")
        if params != list(range(n, n := n + len(params))):
            raise ValueError(f"the params of group {i} must count on from {n - len(params)}, got {shown(params)}")
    return list(groups)


def _rebuilt(kind: Any, parameters: list[Any], defaults: Group, state: dict[str, Any]) -> Optimizer:
    optimizer: Optimizer = kind([{"params": members} for members in parameters], **defaults)
    optimizer.load_state_dict(state)
    return optimizer


def _sizes(sizes: list[int]) -> str:
    return " + ".join(map(str, sizes))


def called(closure: Callable[[], R]) -> R:
    """What the closure of a step gives."""
    if not callable(closure):
        raise TypeError(f"step takes a function that computes the loss anew, or nothing, got {shown(closure)}")
    return closure()


def _groups(params: Iterable[Any]) -> list[Group]:
    if isinstance(params, (Tensor, Value)):
        raise TypeError("an optimizer takes a list of parameters, not one: write [parameter]")
    if isinstance(params, dict) or not isinstance(params, Iterable):
        raise TypeError(
            f"an optimizer takes a list of parameters, got a {type(params).__name__}: pass .parameters() of it, or a "
            "list of groups"
        )
    params = sequence("an optimizer", "params", params)
    return params if params and isinstance(params[0], dict) else [{"params": params}]


def _leaves(params: Any, before: int) -> list[Any]:
    """`params`, of which there were `before` in other groups, checked, and each once."""
    parameters = [params] if isinstance(params, (Tensor, Value)) else sequence("an optimizer", "params", params)
    if not parameters:
        raise ValueError(
            "an optimizer needs at least one parameter, got none: if a generator was used up, make a new one"
        )
    for i, parameter in enumerate(parameters, before):
        if not isinstance(parameter, (Tensor, Value)):
            kind = type(parameter).__name__
            raise TypeError(f"parameter {i} is a {kind}, not a Parameter, Tensor or Value: pass model.parameters()")
        if parameter.op is not None:
            raise ValueError(
                f"parameter {i} is the result of {parameter.op.name}, and would be computed anew: pass the leaves, or "
                ".detach() it"
            )
    return list(dict.fromkeys(parameters))
