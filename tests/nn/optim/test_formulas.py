"""An optimizer is a formula on numbers: what it says is what is done, by machine code or NumPy, for any kind of parameter."""

import inspect
import os
import weakref

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Tensor, Value
from autograd.compiler import inplace_native
from autograd.compiler.inplace_native import NativeInPlace
from autograd.compiler.inplace_numpy import NumpyInPlace
from nn.optim.elementwise_optimizer import ElementwiseOptimizer
from nn.optim.settings import NonNegative, declared
from tests.nn.optim.cases import CASES

LION = [("Lion", {}), ("Lion", {"lr": 0.1, "betas": (0.8, 0.95), "weight_decay": 0.3})]
cases = pytest.mark.parametrize(("name", "settings"), CASES + LION)
OPTIMIZERS = [nn.SGD, nn.Adam, nn.AdamW, nn.Adagrad, nn.RMSprop, nn.Lion]


class Rprop(ElementwiseOptimizer):
    """Riedmiller and Braun, 1993: each element has a step of its own, which grows while the gradient keeps its sign."""

    def __init__(self, params, lr: NonNegative = 1e-2, up: NonNegative = 1.2, down: NonNegative = 0.5):
        super().__init__(params, **declared(locals()))

    def initial_state(self, group):
        return {"prev": 0.0, "step_size": group["lr"]}

    @staticmethod
    def update(p, g, previous, size, t, *, lr, up, down):
        size = size * ag.where(g * previous > 0, up, ag.where(g * previous < 0, down, 1.0))
        g = ag.where(g * previous < 0, 0.0, g)
        return p - size * ag.sign(g), g, size


def missing(text):
    """Stands for LLVM where it is not installed."""
    raise ImportError


def steps_of(optimizer, parameters, rng, n=5):
    for _ in range(n):
        for p in parameters:
            p.grad = np.asarray(rng.normal(size=p.shape), p.dtype) if isinstance(p, Tensor) else float(rng.normal())
        optimizer.step()
    return [np.array(p.data) for p in parameters]


# ---- A new one


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("llvmlite", [True, False])
def test_a_new_optimizer_is_one_short_class(dtype, llvmlite, monkeypatch):
    if not llvmlite:
        monkeypatch.setattr(inplace_native, "load", missing)
    monkeypatch.setattr(Rprop, "_kernels", {})
    model = nn.Sequential(nn.Linear(2, 16, dtype=dtype, rng=0), nn.Tanh(), nn.Linear(16, 1, dtype=dtype, rng=1))
    X, y = nn.datasets.moons(100, rng=0)
    X, y = X.astype(dtype), y[:, None].astype(dtype)
    optimizer = Rprop(model.parameters(), lr=0.01)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = nn.BCEWithLogitsLoss()(model(X), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    copy = Rprop([nn.Parameter(p.data) for p in model.parameters()])
    copy.load_state_dict(optimizer.state_dict())
    expected = steps_of(optimizer, optimizer.parameters, np.random.default_rng(1))
    for p, q in zip(expected, steps_of(copy, copy.parameters, np.random.default_rng(1)), strict=True):
        np.testing.assert_array_equal(p, q)


def test_its_settings_are_checked_by_name_as_the_constructor_declares_them():
    p = nn.Parameter([1.0])
    assert repr(Rprop([p])) == "Rprop(1 parameters, lr=0.01, up=1.2, down=0.5)"
    assert Rprop([p], 0.1, down=0.25).param_groups[0]["down"] == 0.25
    with pytest.raises(ValueError, match=r"Rprop: up must be a number from 0, got -1"):
        Rprop([p], up=-1)
    with pytest.raises(ValueError, match="Rprop has no setting 'decay': it has lr, up, down"):
        Rprop([{"params": [p], "decay": 0.1}])


@pytest.mark.parametrize("kind", [*OPTIMIZERS, nn.LBFGS], ids=lambda kind: kind.__name__)
def test_every_setting_is_declared_once_in_the_constructor(kind):
    optimizer = kind([nn.Parameter([1.0])])
    parameters = [p for p in inspect.signature(kind).parameters.values() if p.name != "params"]
    assert optimizer.defaults == {p.name: p.default for p in parameters}
    for parameter in parameters:
        with pytest.raises((TypeError, ValueError), match=f"{kind.__name__}.* {parameter.name} must be"):
            kind([nn.Parameter([1.0])], **{parameter.name: "a"})


# ---- The formula


@cases
def test_a_step_is_the_formula_on_numbers(name, settings):
    """To the last bit: with floats, in Python, as with arrays in machine code."""
    rng = np.random.default_rng(0)
    optimizer = getattr(nn, name)([nn.Parameter(rng.normal(size=3))], **settings)
    (parameter,), (group,) = optimizer.parameters, optimizer.param_groups
    values = {name: group[name] for name in optimizer.defaults}
    p, starts = parameter.data.tolist(), optimizer.initial_state(group).values()
    states = [list(starts) for _ in p]
    for t in range(1, 5):
        gradient = rng.normal(size=3)
        parameter.grad = gradient
        optimizer.step()
        for i, g in enumerate(gradient.tolist()):
            p[i], *states[i] = optimizer.update(p[i], g, *states[i], t, **values)
        assert parameter.data.tolist() == p


@cases
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_with_and_without_llvmlite(name, settings, dtype, monkeypatch):
    found = []
    for code in (NativeInPlace, NumpyInPlace):
        kind = getattr(nn, name)
        monkeypatch.setattr(kind, "_kernels", {})
        if code is NativeInPlace:
            pytest.importorskip("llvmlite")
        else:
            monkeypatch.setattr(inplace_native, "load", missing)
        rng = np.random.default_rng(0)
        shapes = [(300, 301), (3, 5), (), (7,)]
        parameters = [nn.Parameter(rng.normal(size=shape).astype(dtype)) for shape in shapes]
        parameters += [Value(2.0), Value(-1.0)]
        found.append(steps_of(kind(parameters, **settings), parameters, rng, 3))
        codes = [c for kernel in kind._kernels.values() for path in kernel._paths for c in path.codes.values()]
        assert {type(c) for c in codes} == {code}
    for x, y in zip(*found, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("kind", OPTIMIZERS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("dtype", [np.float16, np.longdouble, ">f8"], ids=str)
def test_other_dtypes_take_steps_too(kind, dtype):
    rng = np.random.default_rng(0)
    start = rng.normal(size=(2, 3))
    ours, plain = nn.Parameter(start.astype(dtype)), nn.Parameter(start)
    one, two = kind([ours], lr=0.1), kind([plain], lr=0.1)
    steps_of(one, [ours], np.random.default_rng(1))
    steps_of(two, [plain], np.random.default_rng(1))
    assert ours.data.dtype == dtype
    np.testing.assert_allclose(ours.data.astype(float), plain.data, rtol=0.05 if dtype == np.float16 else 1e-12)


def test_a_gradient_that_begins_between_numbers_is_no_trouble():
    memory = bytearray(8 * 70_000 + 1)
    p = nn.Parameter(np.zeros(70_000))
    p.grad = np.frombuffer(memory, np.float64, offset=1)
    p.grad[:] = 1.0
    assert not p.grad.flags.aligned
    nn.SGD([p], lr=0.5).step()
    assert (p.data == -0.5).all()


# ---- Settings may change at any time, and most changes compile nothing anew


def compiled(kind):
    return sum(len(path.codes) for kernel in kind._kernels.values() for path in kernel._paths)


def test_a_schedule_compiles_nothing_anew(monkeypatch):
    monkeypatch.setattr(nn.Adam, "_kernels", {})
    p = nn.Parameter(np.ones(4))
    optimizer = nn.Adam([p], lr=0.1)
    schedule = nn.CosineAnnealingLR(optimizer, 5)
    for _ in range(12):
        p.grad = np.ones(4)
        optimizer.step()
        schedule.step()
    optimizer.param_groups[0]["betas"] = [0.5, 0.6]  # a list, as JSON has it
    for _ in range(2):
        optimizer.step()
        optimizer.param_groups[0]["betas"][1] = 0.7
    assert compiled(nn.Adam) == 1
    nn.Adam([nn.Parameter(np.ones(4))])
    assert compiled(nn.Adam) == 1


def test_settings_that_switch_terms_on_and_off_may_change_between_steps():
    p, q = nn.Parameter(np.ones(3)), nn.Parameter(np.ones(3))
    optimizer = nn.SGD([p], lr=0.1)
    group = optimizer.param_groups[0]
    velocity, values = 0.0, 1.0
    for k, (momentum, decay) in enumerate([(0, 0), (0.5, 0), (0.5, 0.1), (0, 0.1), (0, 0), (0.9, 0)]):
        group["momentum"], group["weight_decay"] = momentum, decay
        p.grad = np.full(3, 2.0)
        optimizer.step()
        g = 2.0 + decay * values
        velocity = momentum * velocity + g if momentum else 0.0
        values -= 0.1 * (velocity if momentum else g)
        np.testing.assert_allclose(p.data, values, rtol=1e-14, err_msg=f"after step {k}")
        assert list(optimizer.state_dict()["state"][0]) == ["step", *["momentum_buffer"] * bool(momentum)]
    assert q.data.tolist() == [1.0] * 3


# ---- Faults


def test_a_formula_that_cannot_be_compiled_changes_nothing():
    class Wrong(ElementwiseOptimizer):
        def __init__(self, params, late=0.0):
            super().__init__(params, late=late)

        @staticmethod
        def update(p, g, t, *, late):
            if late and p > 0.0:
                return (p,)
            return (p - g,)

    p, q = nn.Parameter([3.0]), nn.Parameter([4.0])
    optimizer = Wrong([{"params": [p]}, {"params": [q], "late": 1.0}])
    p.grad, q.grad = np.ones(1), np.ones(1)
    with pytest.raises(ag.CompileError, match=r"ag\.where"):
        optimizer.step()
    assert (p.data.tolist(), q.data.tolist(), optimizer.state_dict()["state"]) == ([3.0], [4.0], {})


def test_kernels_keep_no_optimizer_alive():
    optimizer = nn.RMSprop([nn.Parameter(np.ones(3))], momentum=0.123, centered=True)
    optimizer.parameters[0].grad = np.ones(3)
    optimizer.step()
    gone = weakref.ref(optimizer)
    del optimizer
    assert gone() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
@pytest.mark.parametrize("when", ["before the first step", "after it"])
def test_a_forked_process_takes_the_same_steps(when, monkeypatch):
    monkeypatch.setattr(nn.Lion, "_kernels", {})
    p = nn.Parameter(np.ones(1000))
    optimizer = nn.Lion([p], lr=0.0625)
    p.grad = np.ones(1000)
    if when == "after it":
        optimizer.step()
    before = p.data.copy()
    child = os.fork()
    if not child:
        os._exit(1 - bool(optimizer.step() is None and (p.data == before - 0.0625).all()))
    assert os.waitpid(child, 0)[1] == 0
    np.testing.assert_array_equal(p.data, before)
