"""Every numeric setting of every public class and function: what makes no sense is refused by name where it is given."""

import inspect
import itertools
import math

import numpy as np
import pytest

import autograd as ag
import nn
from nn.optim import settings as kinds_of_settings

NAN, INF = float("nan"), float("inf")


def optimizer():
    return nn.SGD([nn.Parameter([1.0])], momentum=0.9)


def graded():
    parameter = nn.Parameter([1.0])
    parameter.grad = np.ones(1)
    return [parameter]


X, Y = np.ones((8, 2)), np.arange(8) % 2
MODEL = nn.Linear(2, 2, rng=0)

# What else a call needs, by the name of the argument, or by name of the callable and argument.
NEEDED = {
    "optimizer": optimizer,
    "params": lambda: [nn.Parameter([1.0])],
    "parameters": graded,
    "tensor": lambda: ag.Tensor(np.ones((3, 2))),
    "model": lambda: MODEL,
    "train": lambda: (X, Y),
    "data": lambda: (X, Y),
    "loss": nn.CrossEntropyLoss,
    "batches": lambda: nn.batches(X, Y, 4),
    "X": lambda: X,
    "y": lambda: Y,
    "predictions": lambda: np.eye(2)[Y],
    "labels": lambda: Y,
    "scores": lambda: np.eye(2)[Y],
    "lr_lambda": lambda: lambda epoch: 1.0,
    "schedulers": list,
    "milestones": lambda: [1],
    "nonlinearity": lambda: "leaky_relu",
    "folder": lambda: "nowhere",
    "scheduler": lambda: None,
    "in_features": lambda: 2,
    "out_features": lambda: 2,
    "in_channels": lambda: 2,
    "out_channels": lambda: 2,
    "kernel_size": lambda: 3,
    "num_embeddings": lambda: 3,
    "embedding_dim": lambda: 2,
    "num_features": lambda: 2,
    "normalized_shape": lambda: 2,
    "output_size": lambda: 1,
    "epochs": lambda: 1,
    "size": lambda: 2,
    "gamma": lambda: 0.5,
    "step_size": lambda: 1,
    "T_max": lambda: 5,
    "max_lr": lambda: 0.1,
    "total_steps": lambda: 10,
    "max_norm": lambda: 1.0,
    "clip_value": lambda: 1.0,
    "val": lambda: 1.0,
    "nin": lambda: 2,
    "nout": lambda: 2,
    "nouts": lambda: [2],
    "fit.optimizer": lambda: nn.SGD(MODEL.parameters(), lr=0.0),
    "find_lr.optimizer": lambda: nn.SGD(MODEL.parameters(), lr=0.0),
    "confusion_matrix.threshold": lambda: None,
}
# Which numbers may be infinite, negative, or None although their default is not.
INFINITE = {
    "max_norm",
    "norm_type",
    "clip_value",
    "Softplus.threshold",
    "diverged",
    "val",
    "trunc_normal_.a",
    "trunc_normal_.b",
}
NEGATIVE = {"dampening", "dim", "start_dim", "end_dim", "padding_idx", "ignore_index", "margin", "negative_slope", "alpha",
            "threshold", "slope", "intercept", "turns", "val", "a", "b", "mean", "gain", "param"}  # fmt: skip
NOT_SETTINGS = {
    "Buffer",
    "Parameter",
    "Module",
    "Callback",
    "Training",
    "Split",
    "Standardizer",
    "Element",
    "LRFinderResult",
    "RateSearch",
}


def public():
    for module in (nn, nn.init, nn.scalar):
        for name in getattr(module, "__all__", vars(module)):
            found = getattr(module, name)
            local = callable(found) and getattr(found, "__module__", "").startswith("nn.")
            error = isinstance(found, type) and issubclass(found, Exception)
            if local and not error and not name.startswith("_") and name not in NOT_SETTINGS:
                yield name, found


def settings(kinds):
    seen = set()
    for name, found in public():
        for parameter in inspect.signature(found).parameters.values():
            kind = getattr(kinds_of_settings, str(parameter.annotation), parameter.annotation)
            parameter = parameter.replace(annotation=kind)
            words = set(str(parameter.annotation).replace("[", " ").replace(",", " ").replace("]", " ").split())
            numeric = words & kinds and not words & {"str", "Any"} and parameter.name != "rng"
            if numeric and (name, parameter.name) not in seen:
                seen.add((name, parameter.name))
                yield pytest.param(found, parameter, id=f"{name}.{parameter.name}")


def refused(found, parameter, value):
    """Assert that `found`, with this one argument wrong, says so."""
    arguments = {}
    for other in inspect.signature(found).parameters.values():
        key = f"{found.__name__}.{other.name}"
        if key in NEEDED or (other.default is other.empty and other.kind is not other.VAR_POSITIONAL):
            arguments[other.name] = NEEDED.get(key, NEEDED.get(other.name, lambda: None))()
    if found is nn.OneCycleLR:
        arguments["total_steps"] = 10
    arguments[parameter.name] = value
    with pytest.raises((TypeError, ValueError)) as error:
        found(**arguments)
    assert parameter.name in str(error.value), error.value
    shown = repr(value.item() if isinstance(value, np.generic) else value)
    assert shown in str(error.value) or repr(value) in str(error.value), error.value


def allowed(found, parameter, table):
    return parameter.name in table or f"{found.__name__}.{parameter.name}" in table


@pytest.mark.parametrize(("found", "parameter"), list(settings({"float"})))
def test_numbers_are_finite_real_numbers(found, parameter):
    values = [NAN, np.float32(NAN), "0.5", True, 1j, np.complex64(1)]
    if not allowed(found, parameter, INFINITE):
        values += [INF, -INF]
    if not allowed(found, parameter, NEGATIVE):
        values += [-1.0]
    if parameter.default is not None and parameter.name != "momentum":  # None of BatchNorm's is a plain mean
        values += [None]
    for value in values:
        refused(found, parameter, value)


@pytest.mark.parametrize(
    ("found", "parameter"), [p for p in settings({"int"}) if "float" not in str(p.values[1].annotation)]
)
def test_integers_are_integers(found, parameter):
    values = [NAN, INF, 2.5, "2", True, 1j]
    if not allowed(found, parameter, NEGATIVE):
        values += [-2]
    for value in values:
        refused(found, parameter, value)


@pytest.mark.parametrize(("found", "parameter"), list(settings({"bool"})))
def test_flags_are_true_or_false(found, parameter):
    for value in ("no", 2, NAN, None, np.float32):
        refused(found, parameter, value)


def test_the_walk_finds_the_settings():
    names = {case.id for case in itertools.chain(settings({"float"}), settings({"int"}), settings({"bool"}))}
    assert {
        "Adam.lr",
        "Dropout.p",
        "moons.noise",
        "batches.size",
        "clip_grad_norm_.max_norm",
        "xavier_uniform_.gain",
    } <= names
    assert len(names) > 120


@pytest.mark.parametrize("kind", [nn.Adam, nn.AdamW, nn.Lion])
@pytest.mark.parametrize("betas", [(0.9, NAN), (0.9,), 0.9, "ab", (True, 0.9), (0.9, 1.0), (0.9, 0.9, 0.9), None])
def test_betas_are_two_numbers(kind, betas):
    with pytest.raises((TypeError, ValueError), match="betas must be two numbers from 0 to below 1, got"):
        kind([nn.Parameter([1.0])], betas=betas)


def test_a_rate_that_is_set_later_is_checked_too():
    made = optimizer()
    for lr in (NAN, -1.0, "0.1"):
        with pytest.raises((TypeError, ValueError), match="SGD: lr must be a number from 0"):
            made.lr = lr
    schedule = nn.LambdaLR(made, lambda epoch: 1.0 if not epoch else math.nan)
    with pytest.raises(ValueError, match=r"lr_lambda\(1\) must be a number from 0, got nan"):
        schedule.step()
    with pytest.raises(TypeError, match="metric of an epoch"):
        nn.ReduceLROnPlateau(made).step("0.5")


def test_numpy_numbers_become_pythons():
    made = nn.Adam([nn.Parameter([1.0])], lr=np.float64(0.1), betas=(np.float32(0.5), 0.9))
    assert type(made.lr) is type(made.param_groups[0]["betas"][0]) is float
