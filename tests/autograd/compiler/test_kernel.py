"""`ag.compile` as users call it: derivatives, closures, parameters; and its errors."""

import copy
import gc
import math
import pickle
import weakref

import numpy as np
import pytest

import autograd as ag
import nn
from nn import scalar
from tests.interpreter import Interpreter

both = pytest.mark.parametrize("backend", ["numpy", "native"])


def area(x, y):
    return ag.sin(x) * y**3 + x / y


# ---- Derivatives


@both
@pytest.mark.parametrize(
    "derive",
    [
        lambda f: ag.grad(f),
        lambda f: ag.grad(f, argnums=(0, 1)),
        lambda f: ag.value_and_grad(f, argnums=(1, 0)),
        lambda f: ag.grad(ag.grad(ag.grad(f))),
        lambda f: lambda x, y: ag.hessian(lambda v: f(v[0], v[1]))([x, y]),
        lambda f: lambda x, y: ag.jvp(f, (x, y), (1.0, 2.0)),
        lambda f: lambda x, y: ag.hvp(lambda v: f(v[0], v[1]), [x, y], [1.0, -2.0]),
        lambda f: lambda x, y: ag.vjp(f, x, y)[1](2.0),
        lambda f: lambda x, y: ag.jacobian(lambda v: [f(*v), v[0] * v[1]])([x, y]),
    ],
    ids=["grad", "grads", "value_and_grad", "third", "hessian", "jvp", "hvp", "vjp", "jacobian"],
)
def test_any_derivative_may_be_compiled(backend, derive, rng):
    f = derive(area)
    kernel = ag.compile(f, backend=backend)
    columns = rng.uniform(0.5, 2.0, (2, 7))
    batch = leaves(kernel(*columns))
    for n, row in enumerate(columns.T.tolist()):
        expected = np.array(leaves(f(*row)), float)
        np.testing.assert_allclose([b[n] for b in batch], expected, rtol=1e-13, atol=1e-14)
        np.testing.assert_allclose(np.array(leaves(kernel(*row)), float), expected, rtol=1e-13, atol=1e-14)


def leaves(tree):
    """The numbers of a tree, and of a batch of trees the columns."""
    if isinstance(tree, (list, tuple)):
        return [leaf for part in tree for leaf in leaves(part)]
    if isinstance(tree, np.ndarray) and tree.dtype == object:
        return [leaf for part in tree for leaf in leaves(part)]
    if isinstance(tree, np.ndarray) and tree.ndim and tree.shape[0] != 7:
        return [leaf for part in tree for leaf in leaves(part)]
    if isinstance(tree, np.ndarray) and tree.ndim > 1:
        return [tree[(slice(None), *place)] for place in np.ndindex(tree.shape[1:])]
    return [tree]


LEAKS = {
    "log": (lambda x: ag.where(x > 0.0, ag.log(x), 0.0), [0.0, 2.0, -1.0]),
    "root": (lambda x: ag.where(x > 0.0, ag.sqrt(x), 1.0), [0.0, 4.0, -1.0]),
    "relu": (lambda x: ag.relu(x) * math.inf, [-1.0, 1.0, 0.0]),
    "ratio": (lambda x: ag.where(x == 0.0, 1.0, ag.sin(x) / x), [0.0, 1.0, math.inf]),
    "times zero": (lambda x: x + ag.log(x) * 0.0, [0.0, 1.0, -1.0]),
    "power": (lambda x: ag.where(x > 1.0, x**0.5, x), [0.0, 4.0, -2.0]),
    "prod": (lambda x: ag.prod([x, ag.where(x > 0.0, 1.0 / x, 0.0)]), [0.0, 2.0]),
    "of a derivative": (ag.grad(lambda x: ag.where(x > 0.0, x * ag.log(x), 0.0)), [0.0, 2.0]),
    "asked": (lambda x: ag.where(ag.grad(LEAKS["log"][0])(x) > 0.1, x * 3.0, x * 5.0), [0.0, 2.0, 100.0]),
    "branch": (lambda x: LEAKS["log"][0](x) if x < 1.0 else x * x, [0.0, 2.0, 0.5]),
}


@both
@pytest.mark.parametrize("name", LEAKS)
def test_what_is_not_chosen_leaves_no_nan_in_a_derivative(backend, name):
    f, numbers = LEAKS[name]
    derive = ag.value_and_grad(f)
    expected = np.array([derive(x) for x in numbers])
    kernel = ag.compile(derive, backend=backend)
    np.testing.assert_allclose(kernel(np.array(numbers)), expected.T, rtol=1e-14)
    np.testing.assert_allclose([kernel(x) for x in numbers], expected, rtol=1e-14)
    sound = np.isfinite(expected[:, 1])
    slopes, known = expected[sound, 1], np.array(numbers)[sound]
    for reduce, fold in (("sum", np.sum), ("mean", np.mean)):
        if len(slopes):
            result = ag.compile(ag.grad(f), reduce=reduce, backend=backend)(known)
            np.testing.assert_allclose(result, fold(slopes), rtol=1e-14)


@both
def test_a_kernel_called_with_values_is_the_function_itself(backend):
    kernel = ag.compile(area, backend=backend)
    assert ag.grad(kernel)(1.0, 2.0) == ag.grad(area)(1.0, 2.0)
    x = ag.Value(1.5)
    kernel(x, 2.0).backward()
    assert x.grad == ag.grad(area)(1.5, 2.0)
    kernel(1.0, 2.0)
    assert isinstance(kernel(x, 2.0), ag.Value)
    assert ag.compile(lambda x: kernel(x, 2.0) + 1.0, backend=backend)(1.0) == area(1.0, 2.0) + 1.0


# ---- Captured values


@both
def test_numbers_outside_are_constants_and_values_are_read_at_each_call(backend):
    factor, shift = 2.0, ag.Value(10.0, label="shift")

    def f(x):
        return x * factor + shift

    kernel = ag.compile(f, backend=backend)
    assert kernel(1.0) == 12.0
    factor, shift.data = 3.0, 20.0
    assert kernel(1.0) == 22.0
    assert kernel(np.arange(3.0)).tolist() == [20.0, 22.0, 24.0]
    assert kernel.program.inputs[-1].label == "shift"


def losses(seed=0):
    """A network, its loss, and points; as new each time."""
    model = scalar.MLP(2, [5, 3, 1], rng=seed)

    def loss(x, y):
        return ag.softplus(-y * model(x)) + 0.01 * ag.sum([p * p for p in model.parameters()])

    rng = np.random.default_rng(seed)
    x = rng.normal(size=(11, 2))
    return model, loss, x, np.sign(x[:, 0] * x[:, 1])


@both
@pytest.mark.parametrize("reduce", ["mean", "sum"])
def test_captured_parameters_get_the_gradients_that_backward_gives(backend, reduce):
    model, loss, x, y = losses()
    step = ag.compile(loss, parameters=model.parameters(), signature="(2),()->()", reduce=reduce, backend=backend)
    result = step(x, y)
    found = [p.grad for p in model.parameters()]
    model.zero_grad()
    eager = ag.sum([loss(list(a), b) for a, b in zip(x.tolist(), y.tolist(), strict=True)])
    eager = eager / len(x) if reduce == "mean" else eager
    eager.backward()
    assert result == pytest.approx(eager.data, rel=1e-13)
    np.testing.assert_allclose(found, [p.grad for p in model.parameters()], rtol=1e-11, atol=1e-13)
    step(x, y)
    np.testing.assert_allclose([p.grad for p in model.parameters()], np.multiply(found, 2), rtol=1e-11, atol=1e-13)


@both
@pytest.mark.parametrize("optimizer", [lambda p: nn.SGD(p, lr=0.1, momentum=0.9), lambda p: nn.Adam(p, lr=0.02)])
def test_training_with_a_compiled_step_is_training(backend, optimizer):
    (model, loss, x, y), (other, eager, _, _) = losses(1), losses(1)
    step = ag.compile(loss, parameters=model.parameters(), signature="(2),()->()", reduce="mean", backend=backend)
    ours, theirs = optimizer(model.parameters()), optimizer(other.parameters())
    for _ in range(6):
        result = step(x, y)
        total = ag.sum([eager(list(a), b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]) / len(x)
        total.backward()
        assert result == pytest.approx(total.data, rel=1e-12)
        for each in (ours, theirs):
            each.step()
            each.zero_grad()
    np.testing.assert_allclose(
        [p.data for p in model.parameters()], [p.data for p in other.parameters()], rtol=1e-11, atol=1e-12
    )


@both
def test_a_parameter_may_be_unused_and_a_call_may_have_no_batch(backend):
    w, unused = ag.Value(3.0), ag.Value(1.0)
    step = ag.compile(lambda x: w * w * x, parameters=[w, unused], backend=backend)
    assert step(2.0) == 18.0
    assert (w.grad, unused.grad) == (12.0, 0.0)
    with pytest.raises(ValueError, match="pass reduce='mean' or 'sum'"):
        step(np.ones(3))
    assert (w.grad, unused.grad) == (12.0, 0.0)


# ---- Vectors


@both
def test_a_loss_of_vectors_and_its_gradient(backend, rng):
    def loss(p, d, y):
        hidden = ag.exp(-(d * p[0])) + ag.relu(d - p[1])
        total = p @ p + ag.dot(list(hidden), list(d)) + np.sum(hidden)
        for k in range(len(p)):
            total = total + p[k] ** 2 / (k + 1.0)
        return total * y

    p, d, y = rng.normal(size=3), rng.normal(size=(9, 4)), rng.normal(size=9)
    kernel = ag.compile(ag.value_and_grad(loss), signature="(p),(d),()->(),(p)", backend=backend)
    value, slope = kernel(p, d, y)
    assert (value.shape, slope.shape) == ((9,), (9, 3))
    assert kernel.program.guards == []
    for n in range(9):
        expected = ag.value_and_grad(loss)(np.array(p.tolist(), object), np.array(d[n].tolist(), object), float(y[n]))
        np.testing.assert_allclose(value[n], float(expected[0]), rtol=1e-13)
        np.testing.assert_allclose(slope[n], np.array(expected[1], float), rtol=1e-12, atol=1e-14)
    mean = ag.compile(ag.value_and_grad(loss), signature="(p),(d),()->(),(p)", reduce="mean", backend=backend)(p, d, y)
    np.testing.assert_allclose(mean[1], slope.mean(axis=0), rtol=1e-12)
    assert "p[1]" in [i.label for i in kernel.program.inputs] or len(kernel.program.inputs) == 8


# ---- The user's own operations, what is shown, and what is left behind


@ag.primitive
def smooth(x, y):
    return ag.sqrt(x * x + y * y) if x > y else x * x


@smooth.rule
def _(g, z, x, y):
    return g * 100.0 * x


@smooth.rule
def _(g, z, x, y):
    return g * 7.0 * z


@both
def test_the_users_own_operation_keeps_its_own_rules(backend):
    kernel = ag.compile(ag.value_and_grad(lambda x, y: smooth(x, y) * 2.0, argnums=(0, 1)), backend=backend)
    x, y = np.array([3.0, 1.0]), np.array([2.0, 4.0])
    value, (dx, dy) = kernel(x, y)
    np.testing.assert_allclose(value, [2 * math.sqrt(13), 2.0])
    np.testing.assert_allclose((dx, dy), ([600.0, 200.0], 7.0 * value))
    assert kernel.stats["backend"] == backend


@pytest.mark.parametrize("reduce", [None, "sum", "mean"])
def test_a_third_back_end_needs_no_change_of_the_others(reduce):
    def f(x, y):
        return smooth(x, y) if x > 0.0 else x * ag.sin(y)

    derive = ag.value_and_grad(f, argnums=(0, 1))
    kernel, numpy = (ag.compile(derive, reduce=reduce, backend=backend) for backend in (Interpreter(), "numpy"))
    x, y = np.linspace(-2.0, 2.0, 7), np.linspace(1.0, 3.0, 7)
    np.testing.assert_allclose(np.ravel(kernel(x, y)[1]), np.ravel(numpy(x, y)[1]), rtol=1e-13)
    assert np.ravel(kernel(2.0, 0.5)[1]) == pytest.approx(np.ravel(numpy(2.0, 0.5)[1]))
    assert kernel.stats["backend"] == "interpreter"


def test_a_back_end_that_lacks_a_function_leaves_the_program_to_the_next(monkeypatch):
    def refuse(*args):
        raise OSError("no such function")

    monkeypatch.setattr("autograd.compiler.native.NativeBackend.compile", refuse)
    assert ag.compile(lambda x: ag.sin(x) + x)(0.0) == 0.0
    with pytest.raises(OSError, match="no such function"):
        ag.compile(lambda x: ag.sin(x) + x, backend="native")(0.0)


def test_what_is_shown():
    def f(x, rate):
        growth = ag.exp(x * rate)
        growth.label = "growth"
        return growth + 1.0

    kernel = ag.compile(ag.value_and_grad(f))
    with pytest.raises(RuntimeError, match="traced at its first call, with numbers: call it first"):
        print(kernel.program)
    kernel(1.0, 0.5)
    text = str(kernel.program)
    assert text.startswith("inputs: x")
    assert "growth, test_kernel.py:" in text
    assert "∂ test_kernel.py:" in text
    assert "return v" in text
    assert set(kernel.stats) >= {"recorded", "instructions", "flops", "backend", "paths", "recording", "compiling"}
    stats = kernel.stats
    assert stats["recorded"] >= stats["instructions"] >= stats["flops"] > 2
    assert stats["backend"] in ("native", "numpy")
    assert 0.0 < stats["recording"] < 5.0
    assert 0.0 < stats["compiling"] < 5.0
    assert repr(ag.compile(f)) == "<compiled f: 0 paths>"


def test_a_call_that_fails_leaves_the_kernel_as_it_was():
    kernel = ag.compile(lambda x: x * 2.0 if not isinstance(x, list) else "text")
    assert kernel(1.0) == 2.0
    with pytest.raises(ag.CompileError, match="str 'text', which is not a number"):
        kernel([1.0])
    assert len(kernel.program) == 1
    assert kernel(2.0) == 4.0


@both
def test_a_kernel_that_is_dropped_is_freed_with_what_it_traced(backend):
    marker = ag.Value(1.0)
    kernel = ag.compile(ag.grad(lambda x, marker=marker: x * marker if x > marker else ag.sin(x)), backend=backend)
    kernel(np.linspace(-2, 2, 9))
    gone = [weakref.ref(x) for x in (kernel, kernel._function, marker)]
    del kernel, marker
    gc.collect()
    assert [ref() for ref in gone] == [None] * 3


# ---- Options that are refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reduce": "max"}, "'max' is neither 'mean' nor 'sum', nor None"),
        ({"backend": "cuda"}, "'cuda' is none of 'auto', 'numpy' and 'native'"),
        ({"threads": 0}, "threads=0"),
        ({"threads": 2.0}, "threads=2.0"),
        ({"signature": "(p"}, r"signature='\(p'.*an example"),
        ({"parameters": [1.0]}, "parameters are Values"),
        ({"parameters": [ag.Value(1.0) * 2.0]}, "not computed from others"),
        ({"parameters": [ag.Tensor([1.0])]}, "parameters are Values"),
        ({"parameters": [ag.Value(1.0)] * 2 and [x := ag.Value(1.0), x]}, "twice"),
    ],
)
def test_options_that_are_refused(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        ag.compile(area, **options)


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="needs a function"):
        ag.compile(3.0)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        ag.compile(area)(1.0)
    with pytest.raises(TypeError, match="takes 2 positional arguments but 3 were given"):
        ag.compile(area)(1.0, 2.0, 3.0)


@pytest.mark.parametrize("options", [{"signature": "(2)->()"}, {"reduce": "mean"}, {"parameters": [ag.Value(1.0)]}])
def test_a_node_is_refused_where_running_the_function_itself_would_be_something_else(options):
    kernel = ag.compile(lambda x: x * 2.0, **options)
    with pytest.raises(TypeError, match=rf"without its {next(iter(options))}: pass numbers and arrays"):
        kernel(ag.Tensor([1.0, 2.0]))


def test_compile_is_a_decorator_also_with_options():
    @ag.compile(backend="numpy")
    def cube(x):
        """The third power."""
        return x**3

    assert (cube(2.0), cube.__name__, cube.__doc__) == (8.0, "cube", "The third power.")
    assert cube.stats["backend"] == "numpy"


def test_a_compiled_function_is_copied_as_functions_are():
    square = ag.compile(lambda x: x * x)
    assert copy.copy(square) is square
    holder = {"step": square, "weights": [1.0]}
    assert copy.deepcopy(holder)["step"](3.0) == 9.0
    with pytest.raises(TypeError, match="cannot be pickled: pickle the function"):
        pickle.dumps(square)
