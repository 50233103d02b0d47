"""Types of the public surface: `mypy` checks each `assert_type`, and a run checks that it is true."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Union, get_args, get_origin

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Tensor, Value
from autograd.drawing.explanation import Explanation
from nn.state_dicts import IncompatibleKeys

if TYPE_CHECKING:
    from typing import assert_type
else:

    def assert_type(value, kind):
        kinds = get_args(kind) if get_origin(kind) in (types.UnionType, Union) else (kind,)
        assert isinstance(value, tuple(type(None) if each is None else get_origin(each) or each for each in kinds))
        return value


Array = np.ndarray[Any, Any]


def rows() -> Array:
    return np.linspace(-1.0, 1.0, 12, dtype=np.float32).reshape(6, 2)


def labels() -> Array:
    return np.array([0, 1, 0, 1, 0, 1])


def images() -> Tensor:
    return Tensor(np.ones((2, 3, 4, 4), np.float32))


# ---- Values


def test_arithmetic_of_values_gives_values() -> None:
    x, y = Value(2.0), Value(3.0)
    assert_type(x + y, Value)
    assert_type(x - y, Value)
    assert_type(x * y, Value)
    assert_type(x / y, Value)
    assert_type(x**y, Value)
    assert_type(x % y, Value)
    assert_type(x // y, float)
    assert_type(x + 1.0, Value)
    assert_type(1.0 + x, Value)
    assert_type(2 * x, Value)
    assert_type(x * 2, Value)
    assert_type(2 / x, Value)
    assert_type(2 - x, Value)
    assert_type(2**x, Value)
    assert_type(x**2, Value)
    assert_type(-x, Value)
    assert_type(+x, Value)
    assert_type(abs(x), Value)
    assert_type(x > y, bool)
    assert_type(x >= 0.0, bool)
    assert_type(x == y, bool)
    assert_type(x != y, bool)
    assert_type(bool(x), bool)
    assert_type(sum([x, y], Value(0.0)), Value)
    x += 1.0
    assert_type(x, Value)


def test_methods_of_a_value() -> None:
    x = Value(0.5, "x")
    assert_type(x.exp(), Value)
    assert_type(x.log(), Value)
    assert_type(x.sin(), Value)
    assert_type(x.tanh(), Value)
    assert_type(x.relu(), Value)
    assert_type(x.sigmoid(), Value)
    assert_type(x.maximum(0.0), Value)
    assert_type(x.clip(0.0, 1.0), Value)
    assert_type(x.data, float)
    assert_type(x.grad, float)
    assert_type(x.item(), float)
    assert_type(x.label, str | None)
    assert_type(x.detach(), Value)
    assert_type(x.backward(), None)
    assert_type(x.zero_grad(), None)
    assert_type(x.shape, tuple[()])
    assert_type(x.op, ag.Primitive | None)
    assert_type((x * x).inputs, tuple[Any, ...])
    assert_type((x * x).parents, tuple[ag.Node, ...])


def test_functions_give_what_they_are_given() -> None:
    assert_type(ag.sin(Value(1.0)), Value)
    assert_type(ag.sin(Tensor([1.0])), Tensor)
    assert_type(ag.sin(1.0), float)
    assert_type(ag.sin(np.array([1.0])), Array)
    assert_type(ag.relu(Value(1.0)), Value)
    assert_type(ag.sqrt(Tensor([1.0])), Tensor)
    assert_type(ag.add(Value(1.0), 2.0), Value)
    assert_type(ag.mul(2.0, Value(1.0)), Value)
    assert_type(ag.maximum(Tensor([1.0]), 0.0), Tensor)
    assert_type(ag.hypot(Value(1.0), Value(2.0)), Value)
    assert_type(ag.where(True, Value(1.0), Value(2.0)), Value)
    assert_type(ag.clip(Value(1.0), 0.0, 2.0), Value)
    assert_type(ag.abs(Value(1.0)), Value)


def test_functions_of_many_numbers() -> None:
    xs = [Value(1.0), Value(2.0)]
    assert_type(ag.sum(xs), Value)
    assert_type(ag.mean(xs), Value)
    assert_type(ag.prod(xs), Value)
    assert_type(ag.dot(xs, xs), Value)
    assert_type(ag.norm(xs), Value)
    assert_type(ag.logsumexp(xs), Value)
    assert_type(ag.sum(Tensor([1.0, 2.0])), Tensor)
    assert_type(ag.mean(Tensor([1.0, 2.0]), axis=0), Tensor)


# ---- Tensors


def test_arithmetic_of_tensors_gives_tensors() -> None:
    x, a, v = Tensor([1.0, 2.0]), np.array([1.0, 2.0]), Value(2.0)
    assert_type(x + x, Tensor)
    assert_type(x - 1.0, Tensor)
    assert_type(x * a, Tensor)
    assert_type(2 / x, Tensor)
    assert_type(x**2, Tensor)
    assert_type(2.0**x, Tensor)
    assert_type(-x, Tensor)
    assert_type(abs(x), Tensor)
    assert_type(x @ x, Tensor)
    assert_type(x @ a, Tensor)
    assert_type(x * v, Tensor)
    assert_type(v * x, Tensor)
    assert_type(x > 0.0, Array)
    assert_type(x <= a, Array)
    assert_type(x == x, Array)
    assert_type(x[0], Tensor)
    assert_type(x[:1], Tensor)
    assert_type(len(x), int)
    for element in x:
        assert_type(element, Tensor)


def test_methods_of_a_tensor() -> None:
    x = Tensor(np.ones((2, 3)))
    assert_type(x.exp(), Tensor)
    assert_type(x.sum(), Tensor)
    assert_type(x.sum(axis=0), Tensor)
    assert_type(x.mean(axis=(0, 1), keepdims=True), Tensor)
    assert_type(x.var(), Tensor)
    assert_type(x.std(), Tensor)
    assert_type(x.max(axis=1), Tensor)
    assert_type(x.min(), Tensor)
    assert_type(x.prod(), Tensor)
    assert_type(x.cumsum(axis=0), Tensor)
    assert_type(x.norm(), Tensor)
    assert_type(x.logsumexp(axis=1), Tensor)
    assert_type(x.softmax(), Tensor)
    assert_type(x.log_softmax(), Tensor)
    assert_type(x.reshape(3, 2), Tensor)
    assert_type(x.reshape((3, 2)), Tensor)
    assert_type(x.ravel(), Tensor)
    assert_type(x.transpose(), Tensor)
    assert_type(x.T, Tensor)
    assert_type(x.mT, Tensor)
    assert_type(x.swapaxes(0, 1), Tensor)
    assert_type(x.expand_dims(0), Tensor)
    assert_type(x.squeeze(), Tensor)
    assert_type(x.broadcast_to((4, 2, 3)), Tensor)
    assert_type(x.repeat(2), Tensor)
    assert_type(x.take([0]), Tensor)
    assert_type(x.split(2), list[Tensor])
    assert_type(x.diagonal(), Tensor)
    assert_type(x.trace(), Tensor)
    assert_type(x.dot(np.ones(3)), Tensor)
    assert_type(x.astype(np.float32), Tensor)
    assert_type(x.relu(), Tensor)
    assert_type(x.data, Array)
    assert_type(x.grad, Array | None)
    assert_type(x.numpy(), Array)
    assert_type(x.shape, tuple[int, ...])
    assert_type(x.ndim, int)
    assert_type(x.size, int)
    assert_type(x.dtype, np.dtype[Any])
    assert_type(x.sum().item(), float)
    assert_type(x.detach(), Tensor)
    assert_type(x.backward(np.ones((2, 3))), None)
    assert_type(x.zero_grad(), None)


def test_functions_of_arrays() -> None:
    x, a = Tensor(np.eye(2)), np.eye(2)
    assert_type(ag.matmul(x, x), Tensor)
    assert_type(ag.matmul(x, a), Tensor)
    assert_type(ag.matmul(a, x), Tensor)
    assert_type(ag.matmul(a, a), Array)
    assert_type(ag.solve(x, a), Tensor)
    assert_type(ag.inv(x), Tensor)
    assert_type(ag.det(x), Tensor)
    assert_type(ag.slogdet(x)[1], Tensor)
    assert_type(ag.cholesky(x), Tensor)
    assert_type(ag.einsum("ij,jk->ik", x, a), Tensor)
    assert_type(ag.softmax(x), Tensor)
    assert_type(ag.softmax(a), Array)
    assert_type(ag.reshape(x, (4,)), Tensor)
    assert_type(ag.transpose(x), Tensor)
    assert_type(ag.concatenate([x, x]), Tensor)
    assert_type(ag.stack([x, x]), Tensor)
    assert_type(ag.split(x, 2), list[Tensor])
    assert_type(ag.index(x, 0), Tensor)
    assert_type(ag.index_update(x, 0, 1.0), Tensor)
    assert_type(ag.sort(x), Tensor)
    assert_type(ag.max(x, axis=0), Tensor)
    assert_type(ag.cumsum(x), Tensor)
    assert_type(ag.tril(x), Tensor)
    assert_type(ag.conv2d(Tensor(np.ones((1, 1, 3, 3))), np.ones((1, 1, 2, 2))), Tensor)
    assert_type(ag.max_pool2d(Tensor(np.ones((1, 1, 4, 4))), 2), Tensor)


# ---- Transforms: what comes back has the user's own structure


def cube(x: Any) -> Any:
    return x * x * x


def test_transforms() -> None:
    x, a = Tensor(np.ones(2)), np.ones(2)
    assert_type(ag.grad(cube)(2.0), float)
    assert_type(ag.grad(lambda x: (x * x).sum())(a), Array)
    assert_type(ag.grad(lambda x: (x * x).sum())(x), Array | Tensor)
    assert_type(ag.grad(ag.grad(cube))(Value(2.0)), float | Value)
    assert_type(ag.grad(lambda x: x["a"] * x["a"])({"a": 2.0}), dict[Any, Any])
    assert_type(ag.hvp(cube, 2.0, 1.0), float)
    assert_type(ag.hvp(lambda x: (x * x).sum(), a, a), Array)
    assert_type(ag.hvp(cube, (2.0,), (1.0,)), tuple[Any, ...])
    assert_type(ag.value_and_grad(cube), Callable[..., tuple[Any, Any]])
    assert_type(ag.jvp(cube, 2.0, 1.0), tuple[Any, Any])
    assert_type(ag.vjp(cube, 2.0)[1], Callable[[Any], tuple[Any, ...]])
    assert_type(ag.gradcheck(cube, 2.0), bool)
    with ag.no_grad() as nothing:
        assert_type(nothing, None)
    with ag.detect_anomaly() as nothing:
        assert_type(nothing, None)


def test_a_users_operation() -> None:
    @ag.primitive
    def double(x: Any) -> Any:
        return 2.0 * x

    @double.rule
    def _(g: Any, z: Any, x: Any) -> Any:
        return 2.0 * g

    assert isinstance(double, ag.Primitive)
    assert_type(double(Value(1.0)), Value)
    assert_type(double(Tensor([1.0])), Tensor)


# ---- Pictures and programs


def test_compiled_functions() -> None:
    kernel = ag.compile(cube, backend="numpy")
    assert_type(kernel, ag.Kernel)
    assert_type(ag.compile(backend="numpy")(cube), ag.Kernel)
    kernel(2.0)
    assert_type(str(kernel.program), str)
    assert_type(kernel.stats, dict[str, Any])
    assert_type(kernel.source("python"), str)


def test_explanations_and_pictures(tmp_path: Path) -> None:
    y = Value(2.0) * 3.0
    assert_type(ag.explain(y), Explanation)
    assert_type(ag.explain(y, y, max_lines=20).latex(), str)
    assert_type(ag.source(y, "latex"), str)
    assert_type(str(ag.program(y)), str)
    assert_type(len(ag.program(cube)(2.0)), int)
    assert isinstance(ag.draw(y).source, str)
    with pytest.raises(TypeError):
        Value("a")  # type: ignore[arg-type]  # this is what is tested


# ---- Modules


def test_layers_give_tensors() -> None:
    x = Tensor(rows())
    assert_type(nn.Linear(2, 3)(x), Tensor)
    assert_type(nn.Linear(2, 3)(rows()), Tensor)
    assert_type(nn.Linear(None, 3)([[1.0, 2.0]]), Tensor)
    assert_type(nn.Conv2d(3, 2, 3)(images()), Tensor)
    assert_type(nn.Embedding(5, 3)([0, 4]), Tensor)
    assert_type(nn.BatchNorm1d(2)(x), Tensor)
    assert_type(nn.BatchNorm2d(3)(images()), Tensor)
    assert_type(nn.LayerNorm(2)(x), Tensor)
    assert_type(nn.Dropout(0.5)(x), Tensor)
    assert_type(nn.Flatten()(images()), Tensor)
    assert_type(nn.MaxPool2d(2)(images()), Tensor)
    assert_type(nn.AvgPool2d(2)(images()), Tensor)
    assert_type(nn.AdaptiveAvgPool2d(1)(images()), Tensor)


def test_functions_as_layers_give_tensors() -> None:
    x = Tensor(rows())
    assert_type(nn.ReLU()(x), Tensor)
    assert_type(nn.LeakyReLU()(x), Tensor)
    assert_type(nn.ELU()(x), Tensor)
    assert_type(nn.SELU()(x), Tensor)
    assert_type(nn.GELU()(x), Tensor)
    assert_type(nn.SiLU()(x), Tensor)
    assert_type(nn.Tanh()(x), Tensor)
    assert_type(nn.Sigmoid()(x), Tensor)
    assert_type(nn.Softplus()(x), Tensor)
    assert_type(nn.Softmax()(x), Tensor)
    assert_type(nn.LogSoftmax()(x), Tensor)


def test_containers() -> None:
    x = Tensor(rows())
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    assert_type(model(x), Tensor)
    assert_type(model.forward(rows()), Tensor)
    assert_type(model[:1], nn.Sequential)
    assert_type(nn.Residual(nn.Linear(2, 2))(x), Tensor)
    modules = nn.ModuleList([nn.Linear(2, 2)])
    assert_type(modules[0], nn.Module)
    assert_type(modules[:1], nn.ModuleList)
    assert_type(modules.append(nn.ReLU()), nn.ModuleList)
    with pytest.raises(NotImplementedError):
        assert_type(modules(), NoReturn)


class Two(nn.Module):
    """A user's module: a call takes and gives what its `forward` does."""

    def __init__(self) -> None:
        self.linear = nn.Linear(2, 3)

    def forward(self, x: Tensor, scale: float = 1.0) -> tuple[Tensor, int]:
        return self.linear(x), round(scale)


def test_a_module_is_called_as_its_forward_is_declared() -> None:
    model = Two()
    pair = model(Tensor(rows()), scale=2.0)
    assert_type(pair, tuple[Tensor, int])
    assert_type(pair[0], Tensor)
    with pytest.raises(TypeError):
        model(Tensor(rows()), scales=2.0)  # type: ignore[call-arg]  # this is what is tested
    with pytest.raises(TypeError):
        model(Tensor(rows()), scale="2.0")  # type: ignore[arg-type]  # this is what is tested


def test_what_a_module_holds(tmp_path: Path) -> None:
    model = nn.Linear(2, 3)
    assert_type(model.parameters(), Iterator[nn.Parameter])
    assert_type(model.named_parameters(), Iterator[tuple[str, nn.Parameter]])
    assert_type(model.buffers(), Iterator[nn.Buffer])
    assert_type(model.named_buffers(), Iterator[tuple[str, nn.Buffer]])
    assert_type(model.modules(), Iterator[nn.Module])
    assert_type(model.named_modules(), Iterator[tuple[str, nn.Module]])
    assert_type(model.weight, nn.Parameter)
    assert_type(model.bias, nn.Parameter | None)
    for parameter in model.parameters():
        assert_type(parameter, nn.Parameter)
        assert_type(parameter.data, Array)
        assert_type(parameter.shape, tuple[int, ...])
    assert_type(nn.Buffer([1.0]).data, Array)
    assert_type(model.train(), nn.Linear)
    assert_type(model.eval(), nn.Linear)
    assert_type(model.to(np.float64), nn.Linear)
    assert_type(model.training, bool)
    state = model.state_dict()
    assert_type(state, dict[str, Array])
    assert_type(model.load_state_dict(state), IncompatibleKeys)
    assert_type(model.load_state_dict(state).missing_keys, list[str])
    assert_type(str(model.summary((4, 2))), str)
    nn.save(tmp_path / "model.safetensors", model)


# ---- Losses and optimizers


def test_losses_give_tensors() -> None:
    x, y, z = Tensor(rows()), rows() > 0.0, labels()
    losses = [nn.MSELoss(), nn.L1Loss(), nn.HuberLoss(), nn.BCEWithLogitsLoss()]
    assert_type(nn.MSELoss()(x, y), Tensor)
    assert_type(nn.L1Loss()(x, y), Tensor)
    assert_type(nn.HuberLoss()(x, y), Tensor)
    assert_type(nn.BCEWithLogitsLoss()(x, y), Tensor)
    assert_type(nn.BCELoss()(nn.Sigmoid()(x), y), Tensor)
    assert_type(nn.HingeLoss()(x, 2 * y - 1), Tensor)
    assert_type(nn.KLDivLoss()(nn.LogSoftmax()(x), np.full((6, 2), 0.5)), Tensor)
    assert_type(nn.CrossEntropyLoss()(x, z), Tensor)
    assert_type(nn.NLLLoss()(nn.LogSoftmax()(x), z), Tensor)
    assert_type(nn.MultiMarginLoss()(x, z), Tensor)
    assert_type(nn.MSELoss("none")(x, y).shape, tuple[int, ...])
    assert_type(nn.MSELoss()(x, y).item(), float)
    assert_type(nn.MSELoss()(x, y).backward(), None)
    assert_type(losses[0].weight_of(x, y), float)


def test_optimizers() -> None:
    model = nn.Linear(2, 1)
    target = np.zeros((6, 1), np.float32)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = nn.MSELoss()(model(rows()), target)
        loss.backward()
        return loss

    kinds = (nn.SGD, nn.Adam, nn.AdamW, nn.RMSprop, nn.Adagrad, nn.Lion)
    for kind in kinds:
        optimizer: nn.Optimizer = kind(model.parameters(), lr=1e-3)
        assert_type(closure(), Tensor)
        assert_type(optimizer.step(), None)
        assert_type(optimizer.step(closure), Tensor | None)
        assert_type(optimizer.zero_grad(), None)
        assert_type(optimizer.lr, float)
        assert_type(optimizer.state_dict(), dict[str, Any])
        assert_type(optimizer.param_groups, list[dict[str, Any]])
    optimizer = lbfgs = nn.LBFGS(model.parameters())
    assert_type(lbfgs.step(closure), Tensor)
    assert_type(closure(), Tensor)
    assert_type(nn.clip_grad_norm_(model.parameters(), 1.0), float)
    assert_type(nn.clip_grad_value_(model.parameters(), 1.0), None)


def test_schedules() -> None:
    optimizer = nn.SGD(nn.Linear(2, 1).parameters(), lr=0.1)
    schedule = nn.StepLR(optimizer, step_size=2)
    assert_type(schedule, nn.StepLR)
    assert_type(schedule.step(), None)
    assert_type(schedule.get_last_lr(), list[float])
    assert_type(schedule.last_epoch, int)
    assert_type(schedule.state_dict(), dict[str, Any])
    assert_type(nn.CosineAnnealingLR(optimizer, T_max=3).rate(1, 0.1), float)
    plateau = nn.ReduceLROnPlateau(optimizer)
    assert_type(plateau.step(1.0), None)


# ---- Training and data


class Count(nn.Callback):
    """A user's callback."""

    steps = 0

    def on_step(self, training: nn.Training) -> None:
        assert_type(training.model, nn.Module)
        assert_type(training.history, nn.History)
        assert_type(training.epoch, int)
        self.steps += 1


def test_training() -> None:
    model = nn.Linear(2, 2)
    optimizer = nn.Adam(model.parameters())
    loss = nn.CrossEntropyLoss()
    data = rows(), labels()
    history = nn.fit(
        model, data, data, loss=loss, optimizer=optimizer, epochs=1, callbacks=[Count()], metrics=nn.accuracy
    )
    assert_type(history, nn.History)
    assert_type(history.last("loss"), float)
    assert_type(history.epochs, dict[str, list[float]])
    assert_type(history.stopped, str | None)
    assert_type(len(history), int)
    assert_type(nn.evaluate(model, data, loss), dict[str, float])
    assert_type(nn.predict(model, rows()), Array)
    assert_type(nn.accuracy(model(rows()), labels()), float)
    assert_type(nn.top_k(model(rows()), labels(), k=1), float)
    assert_type(nn.confusion_matrix(labels(), labels()), Array)
    assert_type(nn.mse(rows(), rows()), float)
    assert_type(nn.r2(rows(), rows()), float)
    search = nn.find_lr(model, list(nn.batches(*data, size=3)), loss, optimizer, steps=5)
    assert_type(search, nn.RateSearch)
    assert_type(search.suggestion, float | None)


def test_data() -> None:
    for points in (nn.moons, nn.circles, nn.spirals, nn.blobs, nn.xor, nn.line):
        assert_type(points(10), tuple[Array, Array])
    X, y = nn.moons(20)
    assert_type(X, Array)
    assert_type(y, Array)
    loader = nn.batches(X, y, size=5)
    assert_type(loader, nn.Batches)
    for batch in loader:
        assert_type(batch, tuple[Array, Array])
        assert_type(batch[0], Array)
    split = nn.train_valid_test_split(X, y)
    assert_type(split, nn.Split)
    assert_type(split.train[0], Array)
    train, test, standardizer = nn.standardize(X, X)
    assert_type(train, Array)
    assert_type(test, Array)
    assert_type(standardizer, nn.Standardizer)
    assert_type(standardizer(X), Array)
    assert_type(standardizer.inverse(X), Array)
    assert_type(standardizer(Tensor(X)), Tensor)


def test_networks_of_scalars() -> None:
    neuron = nn.scalar.Neuron(2)
    assert_type(neuron([1.0, 2.0]), ag.Value)
    assert_type(neuron.parameters(), list[ag.Value])
    model = nn.scalar.MLP(2, [3, 1])
    assert_type(model.parameters(), list[ag.Value])
    assert_type(model.zero_grad(), None)


def test_estimators() -> None:
    pytest.importorskip("sklearn")
    classifier = nn.estimators.NetClassifier(epochs=1)
    assert_type(classifier.fit(rows(), labels()), nn.estimators.NetClassifier)
    assert_type(classifier.predict(rows()), Array)
    assert_type(classifier.predict_proba(rows()), Array)
    regressor = nn.estimators.NetRegressor(epochs=1)
    assert_type(regressor.fit(rows(), rows()[:, 0]).predict(rows()), Array)


# ---- Names


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AttributeError):
        nn.Adamm  # type: ignore[attr-defined]  # noqa: B018  # the look-up is what is tested
    with pytest.raises(AttributeError):
        ag.gradd  # type: ignore[attr-defined]  # noqa: B018  # the look-up is what is tested


def test_names_that_are_imported_late_have_their_types() -> None:
    assert_type(ag.gradcheck(lambda x: x * x, 2.0), bool)
    assert_type(ag.GradientError("wrong"), ag.GradientError)
