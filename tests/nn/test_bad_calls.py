"""Every public name of `nn`, called with every kind of wrong argument in every place."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn
from nn.losses.classification import ClassLoss
from nn.optim import LRScheduler, Optimizer
from tests.bad_calls import Call, Made, good_call, outcomes, report, share_of_theirs, tally


def _rows():
    return np.linspace(-1.0, 1.0, 12).reshape(6, 2)


def _labels():
    return np.array([0, 1, 0, 1, 0, 1])


def _model():
    return nn.Linear(2, 2, rng=0, dtype=float)


def _parameters():
    parameter = nn.Parameter([1.0, 2.0])
    parameter.grad = np.array([0.5, -0.5])
    return [parameter]


def _optimizer():
    return nn.SGD(_parameters(), lr=0.1)


def _images():
    return np.arange(32.0).reshape(1, 2, 4, 4)


def _trained(**settings: Any) -> nn.History:
    model = _model()
    return nn.fit(
        model,
        (_rows(), _labels()),
        **{
            "loss": nn.CrossEntropyLoss(),
            "optimizer": nn.SGD(model.parameters(), lr=0.1),
            "epochs": 1,
            "rng": 0,
            **settings,
        },
    )


def _history() -> nn.History:
    history = nn.History()
    history.steps = {"loss": [1.0], "rows": [2.0], "lr": [0.1], "seconds": [0.1]}
    history.epochs = {"loss": [1.0, 0.5], "lr": [0.1, 0.1]}
    return history


class _Once(nn.Callback):
    """Stops a training, of however many epochs, after the first."""

    def on_epoch_end(self, training):
        training.stop("once is enough")


SAMPLES: dict[str, Any] = {
    "X": Made(_rows),
    "y": Made(_labels),
    "x": Made(_rows),
    "data": Made(_rows),
    "model": Made(_model),
    "module": Made(_model),
    "optimizer": Made(_optimizer),
    "params": Made(_parameters),
    "parameters": Made(_parameters),
    "tensor": Made(lambda: nn.Parameter(np.ones((2, 2)))),
    "loss": Made(nn.CrossEntropyLoss),
    "rng": 0,
    "size": 2,
    "path": "file.png",
    "n": 20,
    "dtype": "float32",
    "labels": Made(_labels),
    "targets": Made(_rows),
    "predictions": Made(_rows),
    "scores": Made(_rows),
    "lr": 0.1,
    "prefix": "layer",
    "mode": True,
}

INPUTS: dict[str, Callable[[], Any]] = {
    "Conv2d": _images,
    "MaxPool2d": _images,
    "AvgPool2d": _images,
    "AdaptiveAvgPool2d": _images,
    "BatchNorm2d": _images,
    "Embedding": lambda: np.array([0, 1]),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "AdaptiveAvgPool2d": {"output_size": 2},
    "AvgPool2d": {"kernel_size": 2},
    "MaxPool2d": {"kernel_size": 2},
    "BatchNorm1d": {"num_features": 2},
    "BatchNorm2d": {"num_features": 2},
    "Conv2d": {"in_channels": 2, "out_channels": 2, "kernel_size": 2},
    "Embedding": {"num_embeddings": 3, "embedding_dim": 2},
    "LayerNorm": {"normalized_shape": 2},
    "Linear": {"in_features": 2, "out_features": 2},
    "ModuleList": {"modules": Made(lambda: [_model()])},
    "Residual": {"layers": Made(lambda: [_model()])},
    "Sequential": {"layers": Made(lambda: [_model(), nn.Tanh()])},
}
LOSS_PAIRS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "BCELoss": lambda: (ag.Tensor([0.25, 0.5]), np.array([0.0, 1.0])),
    "HingeLoss": lambda: (ag.Tensor([0.25, 0.5]), np.array([-1.0, 1.0])),
    "KLDivLoss": lambda: (ag.Tensor([-0.25, -0.5]), np.array([0.5, 0.5])),
}
SCHEDULES: dict[str, dict[str, Any]] = {
    "CosineAnnealingLR": {"T_max": 5},
    "ExponentialLR": {"gamma": 0.5},
    "LambdaLR": {"lr_lambda": lambda epoch: 0.5**epoch},
    "MultiStepLR": {"milestones": [1, 2]},
    "OneCycleLR": {"max_lr": 0.5, "total_steps": 5, "cycle_momentum": False},
    "SequentialLR": {},
    "StepLR": {"step_size": 2},
    "ReduceLROnPlateau": {"mode": "min"},
}


def _pair(name: str) -> tuple[Any, Any]:
    kind = getattr(nn, name)
    if issubclass(kind, ClassLoss):
        return ag.Tensor(_rows()), _labels()
    return LOSS_PAIRS.get(name, lambda: (ag.Tensor([0.25, 0.5]), np.array([0.0, 1.0])))()


def _learn(name: str) -> Callable[[Any], Any]:
    def use(loss):
        result = loss(*_pair(name))
        result.sum().backward()
        return result

    return use


def _three_steps(schedule):
    for _ in range(3):
        schedule.optimizer.step()
        schedule.step(*[1.0] * isinstance(schedule, nn.ReduceLROnPlateau))
    return schedule.get_last_lr()


def _of(function: Callable[..., Any], use: Callable[[Any], Any] | None = None, **known: Any) -> Callable[[], Call]:
    return lambda: good_call(function, SAMPLES, use, **known)


def _names() -> dict[str, Callable[[], Call]]:
    """A good call of every name that the package exports."""
    callbacks = {
        "Checkpoint": {"folder": "folder", "mode": None},
        "Doctor": {},
        "EarlyStopping": {"mode": None},
        "GradientNorms": {},
        "ProgressBar": {},
        "StopOnNonFinite": {},
        "Callback": {},
    }
    special: dict[str, Callable[[], Call]] = {
        "Buffer": _of(nn.Buffer),
        "Batches": _of(nn.Batches, list),
        "batches": _of(nn.batches, list),
        "CheckpointError": lambda: Call(nn.CheckpointError, ("text",)),
        "Schedule": lambda: Call(nn.Schedule, (nn.StepLR(_optimizer(), 1), "epoch", None)),
        "History": _of(nn.History),
        "LRScheduler": lambda: Call(nn.StepLR, (_optimizer(), 1)),
        "Loss": _of(nn.Loss),
        "Module": _of(nn.Module),
        "Optimizer": lambda: Call(lambda params: nn.SGD(params, lr=0.1).step(), (_parameters(),)),
        "Parameter": _of(nn.Parameter),
        **dict.fromkeys(
            ("LRFinderResult", "RateSearch"),
            lambda: Call(lambda path: nn.LRFinderResult(*[np.ones(2)] * 3, 0.1).plot(path), ("rates.png",)),
        ),
        "SequentialLR": lambda: Call(
            lambda optimizer, milestones: _three_steps(
                nn.SequentialLR(optimizer, [nn.ConstantLR(optimizer), nn.StepLR(optimizer, 1)], milestones)
            ),
            (_optimizer(), [1]),
        ),
        "Images": lambda: Call(nn.Images, ((1, 2), (3, 4))),
        "Split": lambda: Call(nn.Split, (1, 2, 3)),
        "Standardizer": lambda: Call(nn.Standardizer, (np.zeros(2), np.ones(2)), {}, lambda s: s(_rows())),
        "Training": lambda: Call(
            lambda *args: nn.Training(model := _model(), *args[:3], nn.SGD(model.parameters()), *args[3:]),
            ([(_rows(), _labels())], None, nn.CrossEntropyLoss(), 1, (), None),
        ),
        "accuracy": _of(nn.accuracy),
        "blobs": _of(nn.blobs),
        "clip_grad_norm_": _of(nn.clip_grad_norm_, max_norm=1.0),
        "clip_grad_value_": _of(nn.clip_grad_value_, clip_value=1.0),
        "confusion_matrix": _of(nn.confusion_matrix, predictions=Made(_labels)),
        "evaluate": _of(nn.evaluate, data=Made(lambda: (_rows(), _labels())), metrics=nn.accuracy),
        "estimators": lambda: Call(lambda: nn.estimators),
        "find_lr": lambda: Call(
            lambda batches, loss, **settings: nn.find_lr(
                model := _model(), batches, loss, nn.SGD(model.parameters()), **settings
            ),
            ([(_rows(), _labels())], nn.CrossEntropyLoss()),
            {"start_lr": 1e-3, "end_lr": 1.0, "steps": 3, "smoothing": 0.5, "diverged": 4.0},
        ),
        "fit": lambda: Call(
            lambda train, validation, **settings: (
                _trained(**settings)
                if train is None
                else nn.fit(
                    model := _model(), train, validation, **{"optimizer": nn.SGD(model.parameters()), **settings}
                )
            ),
            ((_rows(), _labels()), (_rows(), _labels())),
            {
                "loss": nn.CrossEntropyLoss(),
                "epochs": 1,
                "batch_size": 3,
                "shuffle": True,
                "callbacks": [_Once()],
                "metrics": nn.accuracy,
                "rng": 0,
            },
        ),
        "init": lambda: Call(lambda: nn.init),
        "load": lambda: Call(
            lambda *args: (nn.save("saved", _model()), nn.load(*args)), ("saved", _model(), None, None)
        ),
        "save": lambda: Call(nn.save, ("saved", _model(), None, None, None), {"epoch": 3}),
        "mnist": lambda: Call(lambda: nn.mnist),  # which reads files, and is tried with them in its own tests
        "mse": _of(nn.mse),
        "r2": _of(nn.r2),
        "top_k": _of(nn.top_k, k=1),
        "standardize": lambda: Call(nn.standardize, (_rows(), _rows())),
        "train_valid_test_split": _of(nn.train_valid_test_split, valid=0.3, test=0.3),
    }
    table = {}
    for name in nn.__all__:
        kind = getattr(nn, name)
        if name in special:
            table[name] = special[name]
        elif name in callbacks:
            use = lambda callback: _trained(callbacks=[callback])
            table[name] = _of(kind, use, **callbacks[name])
        elif name in SCHEDULES or (inspect.isclass(kind) and issubclass(kind, LRScheduler)):
            table[name] = _of(kind, _three_steps, **SCHEDULES.get(name, {}))
        elif inspect.isclass(kind) and issubclass(kind, Optimizer):
            table[name] = _of(kind, _step_of(kind))
        elif inspect.isclass(kind) and issubclass(kind, nn.Loss):
            table[name] = _of(kind, _learn(name))
        elif inspect.isclass(kind) and issubclass(kind, nn.Module):
            table[name] = _of(kind, _run(name), **SETTINGS.get(name, {}))
        else:
            table[name] = _of(kind)
    for name, function in vars(nn.init).items():
        if inspect.isfunction(function) and function.__module__ == "nn.init" and not name.startswith("_"):
            known = {"val": 2.0, "nonlinearity": "relu"}
            known |= {"mode": "fan_in"} if "kaiming" in name else {}
            table[f"init.{name}"] = _of(function, **known)
    return table


def _run(name: str) -> Callable[[Any], Any]:
    def use(module):
        if not callable(module) or isinstance(module, nn.ModuleList):
            return list(module.parameters())
        return module(INPUTS.get(name, _rows)())

    return use


def _step_of(kind: Any) -> Callable[[Any], Any]:
    if kind is nn.LBFGS:
        return lambda optimizer: optimizer.step(lambda: 1.0)
    return lambda optimizer: (optimizer.step(), optimizer.zero_grad())


def _inputs() -> dict[str, Callable[[], Call]]:
    """Calls of what the classes make: layers, losses, and the rest."""
    table: dict[str, Callable[[], Call]] = {}
    for name in nn.__all__:
        kind = getattr(nn, name)
        if not inspect.isclass(kind) or not issubclass(kind, nn.Module):
            continue
        if issubclass(kind, nn.Loss) and kind is not nn.Loss:
            table[f"{name}(input, target)"] = lambda kind=kind, name=name: Call(kind(), _pair(name))
        elif kind not in (nn.Loss, nn.Module, nn.ModuleList):
            table[f"{name}(x)"] = lambda kind=kind, name=name: Call(
                _of(kind, **SETTINGS.get(name, {}))().run(), (INPUTS.get(name, _rows)(),)
            )
    return table


def _methods() -> dict[str, Callable[[], Call]]:
    """Public methods of modules, optimizers, schedules and the rest, of one kind each where they are inherited."""
    state = _model().state_dict
    made: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
        "Linear": (
            _model,
            {
                "load_state_dict": {"state": Made(state)},
                "summary": {"input_shape": (1, 2), "dtype": None},
                "to": {"dtype": "float32"},
                "forward": {},
            },
        ),
        "Sequential": (
            lambda: nn.Sequential(_model(), nn.Tanh()),
            {"load_state_dict": {"state": {}, "strict": False}, "summary": None},
        ),
        "ModuleList": (
            lambda: nn.ModuleList([_model()]),
            {
                "load_state_dict": {"state": {}, "strict": False},
                "summary": None,
                "forward": None,
                "extend": {"modules": Made(lambda: [_model()])},
            },
        ),
        "SGD": (
            _optimizer,
            {
                "add_param_group": {"group": Made(lambda: {"params": _parameters(), "lr": 0.5})},
                "load_state_dict": {"state": Made(lambda: _optimizer().state_dict())},
                "step": {"closure": None},
            },
        ),
        "StepLR": (
            lambda: nn.StepLR(_optimizer(), 2),
            {"load_state_dict": {"state": Made(lambda: nn.StepLR(_optimizer(), 2).state_dict())}},
        ),
        "ReduceLROnPlateau": (
            lambda: nn.ReduceLROnPlateau(_optimizer()),
            {
                "load_state_dict": {"state": Made(lambda: nn.ReduceLROnPlateau(_optimizer()).state_dict())},
                "step": {"metric": 1.0, "metrics": 1.0},
            },
        ),
        "History": (
            _history,
            {
                "last": {"name": "loss"},
                "to_csv": {"path": "history.csv"},
                "load_state_dict": {"state": Made(lambda: _history().state_dict())},
            },
        ),
        "Standardizer": (lambda: nn.standardize(_rows())[1], {"count": None, "index": None}),
    }
    internal = {
        "update", "initial_state", "set", "rate",
        "extra_repr", "check_state",
    }  # fmt: skip
    table: dict[str, Callable[[], Call]] = {}
    for name, (make, special) in made.items():
        for method in dir(make()):
            if method.startswith("_") or method in internal or special.get(method, 0) is None:
                continue
            if not callable(getattr(make(), method)):
                continue
            known = special.get(method, {})
            table[f"{name}.{method}"] = lambda make=make, method=method, known=known: good_call(
                getattr(make(), method), SAMPLES, **known
            )
    return table


def _scalars() -> dict[str, Callable[[], Call]]:
    return {
        "scalar.Neuron": _of(nn.scalar.Neuron, lambda neuron: neuron([1.0]), nin=1),
        "scalar.Layer": _of(nn.scalar.Layer, lambda layer: layer([1.0]), nin=1, nout=2),
        "scalar.MLP": _of(nn.scalar.MLP, lambda mlp: mlp([1.0]), nin=1, nouts=Made(lambda: [2, 1])),
        "scalar.Neuron(x)": lambda: Call(nn.scalar.Neuron(2, rng=0), ([1.0, 2.0],)),
        "scalar.MLP(x)": lambda: Call(nn.scalar.MLP(2, [2, 1], rng=0), ([1.0, 2.0],)),
    }


def _others() -> dict[str, Callable[[], Call]]:
    return {
        "Standardizer(X)": lambda: Call(nn.standardize(_rows())[1], (_rows(),)),
        "plots.learning_curves": _of(nn.plots.learning_curves, columns=Made(lambda: {"loss": [1.0, 0.5]})),
        "plots.confusion": _of(nn.plots.confusion, matrix=Made(lambda: np.eye(2, dtype=int)), labels=None),
        "plots.image_sheet": _of(nn.plots.image_sheet, images=Made(lambda: np.zeros((2, 4, 4)))),
        "Optimizer.lr": lambda: Call(lambda lr: setattr(_optimizer(), "lr", lr), (0.5,)),
        "Sequential[i]": lambda: Call(lambda i: nn.Sequential(nn.Tanh(), nn.ReLU())[i], (0,)),
        "ModuleList[i]": lambda: Call(lambda i: nn.ModuleList([nn.Tanh(), nn.ReLU()])[i], (0,)),
    }


TABLE = _names() | _inputs() | _methods() | _scalars() | _others()


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def ended():
    """How the bad calls ended so far, by name."""
    return {}


@pytest.mark.parametrize("name", TABLE)
def test_a_bad_call_gives_a_right_result_or_an_error_of_ours(name, ended):
    with np.errstate(all="ignore"):
        TABLE[name]().run()  # a good call is good
    found = outcomes(TABLE[name])
    ended[name] = tally(found)
    assert not ended[name]["strange"], report(name, found)


def test_at_most_one_bad_call_in_a_hundred_ends_in_the_words_of_another_library(ended):
    assert share_of_theirs(TABLE, ended) <= 0.01
