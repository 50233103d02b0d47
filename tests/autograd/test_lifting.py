"""Modules as arguments of transforms: at every order and nesting they give what the same function gives of a dict of arrays."""

import threading
from collections import deque, namedtuple

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.pytrees import flatten, leaves, map_leaves

Pair = namedtuple("Pair", "first second")
X = np.array([[0.5, -1.0], [0.3, 0.8], [-0.2, 0.4]])


class Tied(nn.Module):
    """A parameter under two names, one in a list, one in a dict, a buffer, and a counter."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.inner = nn.Linear(2, 2, dtype=float, rng=rng)
        self.again = self.inner
        self.scales = [nn.Parameter(rng.normal(size=2)), {"a": nn.Parameter(0.7)}]
        self.norm = nn.BatchNorm1d(2, dtype=float)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        h = self.norm(ag.tanh(self.inner(x)))
        return ag.tanh(self.again(h) * self.scales[0]) * self.scales[1]["a"]


def tied(p, x):
    h = ag.tanh(x @ p["inner.weight"].T + p["inner.bias"])
    h = (h - ag.mean(h, 0)) / ag.sqrt(ag.var(h, 0) + 1e-5) * p["norm.weight"] + p["norm.bias"]
    return ag.tanh((h @ p["inner.weight"].T + p["inner.bias"]) * p["scales.0"]) * p["scales.1.a"]


class Curve(nn.scalar.Module):
    """A scalar net that is smooth; it hands out its parameters in its own way."""

    def __init__(self):
        self.w = [ag.Value(0.3), ag.Value(-0.8)]
        self.b = ag.Value(0.2)

    def named_parameters(self):
        yield from (("w0", self.w[0]), ("w1", self.w[1]), ("b", self.b))

    def __call__(self, x):
        return ag.tanh(self.w[0] * x[0][0] + self.w[1] * x[1][0] + self.b) * ag.exp(self.w[0])


def curve(p, x):
    return ag.tanh(p["w0"] * x[0][0] + p["w1"] * x[1][0] + p["b"]) * ag.exp(p["w0"])


class Slotted:
    """A module of no class of ours, without a dict of attributes."""

    __slots__ = ("w",)

    def __init__(self):
        self.w = ag.Tensor([0.4, -0.6])

    def named_parameters(self):
        return [("w", self.w)]

    def __call__(self, x):
        return ag.sin(x @ self.w)


MODELS = {
    "linear": (lambda: nn.Linear(2, 1, dtype=float, rng=0), lambda p, x: x @ p["weight"].T + p["bias"]),
    "tied": (Tied, tied),
    "scalar": (Curve, curve),
    "slots": (Slotted, lambda p, x: ag.sin(x @ p["w"])),
}


def arrays(model):
    """The model's parameters as a dict of arrays and floats."""
    return {name: np.array(p.data) if isinstance(p, ag.Tensor) else p.data for name, p in model.named_parameters()}


def along(p, seed=0):
    """A direction with the structure of `p`."""
    rng = np.random.default_rng(seed)
    return map_leaves(lambda leaf: rng.normal(size=np.shape(leaf)) if np.shape(leaf) else float(rng.normal()), p)


def squares(tree):
    return sum((ag.sum(leaf * leaf) if getattr(leaf, "shape", ()) else leaf * leaf for leaf in leaves(tree)), start=0.0)


def first(derivative):
    return lambda f, p, v: derivative(f)(p)


TRANSFORMS = {
    "grad": first(ag.grad),
    "value and grad": first(ag.value_and_grad),
    "jacobian": first(ag.jacobian),
    "hessian": first(ag.hessian),
    "vjp": lambda f, p, v: ag.vjp(f, p)[1](1.0),
    "jvp": lambda f, p, v: ag.jvp(f, p, v),
    "hvp": lambda f, p, v: ag.hvp(f, p, v),
    "jvp of grad": lambda f, p, v: ag.jvp(ag.grad(f), p, v),
    "vjp of grad": lambda f, p, v: ag.vjp(ag.grad(f), p)[1](v),
    "jacobian of grad": lambda f, p, v: ag.jacobian(ag.grad(f))(p),
    "grad of squared grad": lambda f, p, v: ag.grad(lambda q: squares(ag.grad(f)(q)))(p),
    "grad of grad by a slope": lambda f, p, v: ag.grad(lambda q: ag.jvp(f, q, v)[1])(p),
    "grad of a pullback": lambda f, p, v: ag.grad(lambda q: squares(ag.vjp(f, q)[1](2.0)))(p),
    "jvp of jvp": lambda f, p, v: ag.jvp(lambda q: ag.jvp(f, q, v)[1], p, along(v, 1)),
    "grad of squared hvp": lambda f, p, v: ag.grad(lambda q: squares(ag.hvp(f, q, v)))(p),
    "hvp of squared grad": lambda f, p, v: ag.hvp(lambda q: squares(ag.grad(f)(q)), p, v),
    "third slope": lambda f, p, v: ag.jvp(lambda q: ag.jvp(lambda r: ag.jvp(f, r, v)[1], q, v)[1], p, v),
    "jacobian of hvp": lambda f, p, v: ag.jacobian(lambda q: ag.hvp(f, q, v))(p),
    "penalty": lambda f, p, v: ag.grad(lambda q: f(q) * squares(ag.grad(f)(q)))(p),
    "inner of both": lambda f, p, v: ag.grad(lambda q: squares(ag.grad(lambda r: f(r) * f(q))(q)))(p),
    "inner of the outer": lambda f, p, v: ag.grad(lambda q: f(q) * squares(ag.grad(lambda r: f(r) + f(q))(q)))(p),
    "inner jvp of both": lambda f, p, v: ag.jvp(lambda q: ag.jvp(lambda r: f(r) * f(q), q, v)[1], p, v),
    "under no_grad": lambda f, p, v: under_no_grad(ag.hvp, f, p, v),
}


def under_no_grad(transform, *args):
    with ag.no_grad():
        return transform(*args)


def agree(result, expected):
    (found, structure), (wanted, other) = flatten(result), flatten(expected)
    assert structure == other
    for x, y in zip(found, wanted, strict=True):
        assert not isinstance(x, ag.Node)
        assert np.shape(x) == np.shape(y)
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("model", MODELS)
def test_a_module_is_differentiated_as_the_dict_of_its_arrays(model, transform):
    make, apply = MODELS[model]
    module = make()
    p = arrays(module)
    result = transform(lambda m: ag.sum(m(X) ** 2), module, along(p))
    agree(result, transform(lambda q: ag.sum(apply(q, X) ** 2), p, along(p)))
    agree(arrays(module), p)
    assert all(parameter.grad is None or parameter.grad == 0.0 for _, parameter in module.named_parameters())


@pytest.mark.parametrize("transform", [name for name in TRANSFORMS if not name.startswith("inner")])
@pytest.mark.parametrize("model", MODELS)
def test_a_module_that_is_reached_by_itself_counts_as_the_argument(model, transform):
    make, apply = MODELS[model]
    module = make()
    p = arrays(module)
    result = TRANSFORMS[transform](lambda m: ag.sum(module(X) ** 2), module, along(p))
    agree(result, TRANSFORMS[transform](lambda q: ag.sum(apply(q, X) ** 2), p, along(p)))


PLACES = {
    "list": (lambda a, b: [a, b], lambda t: t),
    "dict": (lambda a, b: {"b": b, "a": a}, lambda t: (t["a"], t["b"])),
    "tuple": (lambda a, b: (a, (b,)), lambda t: (t[0], t[1][0])),
    "namedtuple": (lambda a, b: Pair({"x": a}, [b]), lambda t: (t.first["x"], t.second[0])),
}


@pytest.mark.parametrize("same", [False, True], ids=["two", "one twice"])
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("place", PLACES)
def test_modules_within_structures(place, transform, same):
    build, parts = PLACES[place]
    make, apply = MODELS["linear"]
    a = make()
    b = a if same else nn.Linear(2, 1, dtype=float, rng=1)

    def loss(call):
        def f(tree):
            first, second = parts(tree)
            return ag.sum(ag.tanh(call(first, X)) * ag.exp(call(second, X)))

        return f

    plain = build(arrays(a), arrays(b))
    # a tuple as the only argument of jvp would be taken for several arguments
    wrap = (lambda t: [t]) if isinstance(plain, tuple) else (lambda t: t)
    unwrap = (lambda f: lambda t: f(t[0])) if isinstance(plain, tuple) else (lambda f: f)
    result = transform(unwrap(loss(lambda m, x: m(x))), wrap(build(a, b)), wrap(along(plain)))
    expected = transform(unwrap(loss(apply)), wrap(plain), wrap(along(plain)))
    for x, y in zip(leaves(result), leaves(expected), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-11)


MANY = {
    "grad": lambda f, a, b: ag.grad(f, argnums=(0, 1))(a, b),
    "grad of the first": lambda f, a, b: ag.grad(f)(a, b),
    "grad of the second": lambda f, a, b: ag.grad(f, argnums=1)(a, b),
    "hessian": lambda f, a, b: ag.hessian(f, argnums=(1, 0))(a, b),
    "hessian of the second": lambda f, a, b: ag.hessian(f, argnums=1)(a, b),
    "by keyword": lambda f, a, b: ag.grad(lambda a, *, b: f(a, b))(a, b=b),
    "in a list of constants": lambda f, a, b: ag.grad(lambda a, bs: f(a, bs[0]["b"]))(a, [{"b": b}]),
    "grad of squared grad": lambda f, a, b: ag.grad(lambda a, b: squares(ag.grad(f, argnums=(0, 1))(a, b)), (0, 1))(
        a, b
    ),
    "grad of squared grad of the first": lambda f, a, b: ag.grad(lambda a, b: squares(ag.grad(f)(a, b)), (0, 1))(a, b),
    "vjp": lambda f, a, b: ag.vjp(f, a, b)[1](1.0),
    "jvp": lambda f, a, b: ag.jvp(f, (a, b), (along(names(a)), along(names(b), 1))),
    "hvp": lambda f, a, b: ag.hvp(f, (a, b), (along(names(a)), along(names(b), 1))),
}


def names(p):
    return arrays(p) if hasattr(p, "named_parameters") else p


@pytest.mark.parametrize("transform", MANY.values(), ids=MANY)
def test_a_module_given_twice_is_two_variables(transform):
    make, apply = MODELS["linear"]
    module = make()

    def loss(call):
        return lambda a, b: ag.sum(ag.tanh(call(a, X)) * ag.exp(call(b, X)))

    result = transform(loss(lambda m, x: m(x)), module, module)
    expected = transform(loss(apply), arrays(module), arrays(module))
    for x, y in zip(leaves(result), leaves(expected), strict=True):
        np.testing.assert_allclose(x.data if isinstance(x, ag.Node) else x, y, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("transform", ["grad", "hessian", "jvp", "hvp"])
def test_a_module_given_twice_and_reached_by_itself_is_an_error(transform):
    module = nn.Linear(2, 1, dtype=float)
    with pytest.raises(ValueError, match="to which of the arguments it belongs is not clear"):
        MANY[transform](lambda a, b: ag.sum(module(X)) ** 2, module, module)


class Bound(nn.Module):
    """A module that keeps a method of its own, through which it is reached by itself."""

    def __init__(self):
        self.weight = nn.Parameter([0.3, -0.7])
        self.activation = self.scaled

    def scaled(self, x):
        return ag.tanh(x) * self.weight

    def forward(self, x):
        return ag.sum(self.activation(x * self.weight))


class Hidden:
    """A module that keeps its parameters where nobody looks."""

    def __init__(self):
        self.weights = deque([ag.Value(0.3), ag.Value(-0.7)])

    def named_parameters(self):
        return [(str(i), weight) for i, weight in enumerate(self.weights)]

    def __call__(self, x):
        return ag.tanh(self.weights[0] * x) * self.weights[1]


@pytest.mark.parametrize("make", [Bound, Hidden])
def test_a_module_reached_by_itself_that_is_also_given_as_a_constant_is_an_error(make):
    module = make()
    alone = ag.grad(lambda m: m(0.5) ** 2)(module)
    for gradient in (
        lambda: ag.grad(lambda a, b: a(0.5) * b(0.5))(module, module),
        lambda: ag.grad(lambda a, b: a(0.5) * b(0.5))(module, b=module),
        lambda: ag.grad(lambda a, b: a(0.5) * b[0]["m"](0.5))(module, [{"m": module}]),
    ):
        with pytest.raises(ValueError, match="given as 2 arguments, and the function reaches its parameter"):
            gradient()
    circle = [0.5]
    circle.append(circle)
    agree(ag.grad(lambda m, x: m(x[0]) ** 2)(module, circle), alone)


STEPS = {
    "grad": lambda f, p: ag.grad(f)(p),
    "jvp": lambda f, p: ag.jvp(f, p, map_leaves(lambda x: np.ones(x.shape), p)),
    "hessian": lambda f, p: ag.hessian(f)(p),
    "jacobian": lambda f, p: ag.jacobian(f)(p),
}


@pytest.mark.parametrize("transform", STEPS)
def test_a_step_of_an_optimizer_within_the_function_is_an_error(transform):
    module = nn.Linear(2, 1, dtype=float, rng=0)
    for argument, f in ((module, lambda m: ag.sum(ag.tanh(m(X)) * m.weight)), (module.weight, lambda w: ag.sum(w**2))):
        optimizer = nn.SGD([module.weight], lr=0.5)
        module.weight.grad = np.ones((1, 2))

        def steps(p, f=f, optimizer=optimizer):
            y = f(p)
            optimizer.step()
            return y

        with pytest.raises(RuntimeError, match=r"the data of a leaf .* was changed after the forward pass"):
            STEPS[transform](steps, argument)


VIEWS = {
    "the leaf": lambda w: w,
    "a transpose": lambda w: w.T,
    "a view of a view": lambda w: ag.expand_dims(w[:], 0)[0],
    "a broadcast": lambda w: ag.broadcast_to(w, (2, 3))[1],
}
SLOPES = {
    "grad": lambda f, x, step: ag.grad(f)(x),
    "jvp": lambda f, x, step: ag.jvp(f, x, x),
    "jvp under no_grad": lambda f, x, step: under_no_grad(ag.jvp, f, x, x),
    "columns": lambda f, x, step: ag.jacobian(lambda x: ag.stack([f(x)] * 4))(x),
    "hvp": lambda f, x, step: ag.hvp(lambda x: f(x) ** 2, x, x),
    "pullback": lambda f, x, step: (lambda pull: (step(), pull(1.0)))(ag.vjp(lambda x: f(x, False), x)[1]),
}


@pytest.mark.parametrize("transform", SLOPES)
@pytest.mark.parametrize("view", VIEWS)
def test_a_step_that_changes_what_the_function_has_read_by_itself_is_an_error(transform, view):
    weight = nn.Parameter([1.0, 2.0, 3.0])
    optimizer = nn.SGD([weight], lr=1.0)
    weight.grad = np.ones(3)
    seen = VIEWS[view](weight)

    def f(x, stepping=True):
        y = ag.sum(x * seen)
        if stepping:
            optimizer.step()
        return y

    with pytest.raises(RuntimeError, match=r"the data of a leaf .* was changed after the forward pass"):
        SLOPES[transform](f, np.ones(3), optimizer.step)


def test_forward_mode_that_is_differentiated_again_notices_new_data():
    weight = ag.Tensor([1.0, 2.0, 3.0])

    def f(x):
        y = ag.sum(x * weight)
        weight.data[:] = 5.0
        return y

    with pytest.raises(RuntimeError, match=r"the data of a leaf .* was changed after the forward pass"):
        ag.jvp(f, np.ones(3), np.ones(3))


def test_an_inner_transform_at_the_module_itself_depends_on_the_outer_one():
    module = nn.Linear(2, 1, dtype=float, rng=0)
    p = arrays(module)
    result = ag.grad(lambda m: squares(ag.grad(lambda n: ag.sum(n(X) ** 2))(module)))(module)
    agree(
        result,
        ag.grad(lambda q: squares(ag.grad(lambda r: ag.sum((X @ r["weight"].T + r["bias"]) ** 2))(q)))(p),
    )


def test_the_second_derivative_of_a_square_is_two():
    module = nn.Linear(2, 1, dtype=float)
    v = {"weight": np.zeros((1, 2)), "bias": np.ones(1)}
    product = ag.hvp(lambda m: (m(np.ones((1, 2))) ** 2).sum(), module, v)
    assert product["weight"].tolist() == [[2.0, 2.0]]
    assert product["bias"].tolist() == [2.0]


def test_second_derivatives_of_a_network_are_those_of_torch():
    torch = pytest.importorskip("torch")
    ours = nn.Sequential(nn.Linear(2, 3, dtype=float, rng=0), nn.Tanh(), nn.Linear(3, 1, dtype=float, rng=1))
    theirs = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)).double()
    theirs.load_state_dict({name: torch.tensor(array) for name, array in ours.state_dict().items()})
    v = along(arrays(ours))
    product = ag.hvp(lambda m: ag.sum(m(X) ** 2), ours, v)
    parameters = list(theirs.parameters())
    gradient = torch.autograd.grad((theirs(torch.tensor(X)) ** 2).sum(), parameters, create_graph=True)
    slope = sum((g * torch.tensor(w)).sum() for g, w in zip(gradient, v.values(), strict=True))
    for found, expected in zip(product.values(), torch.autograd.grad(slope, parameters), strict=True):
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-10, atol=1e-12)


# ---- The module itself


def test_the_module_is_left_as_it_is_but_for_its_own_state():
    module = Tied()
    before = [*module.parameters()]
    inner, scales, mean = module.inner, module.scales, module.norm.running_mean
    ag.hvp(lambda m: ag.sum(m(X) ** 2), module, along(arrays(module)))
    assert [id(p) for p in module.parameters()] == [id(p) for p in before]
    assert module.again is module.inner is inner
    assert module.scales is scales
    assert all(p.op is None and p.grad is None for p in before)
    assert module.calls == 1
    assert module.norm.running_mean is mean
    assert mean.data.any()


def test_what_a_function_binds_in_a_module_is_bound_in_the_module_itself():
    module = Tied()
    extra = nn.Linear(1, 1)

    def f(m):
        m.eval()
        m.extra, m.kept, m.nested = extra, m.inner, [m.scales[0], 3]
        m.scales.append("more")
        m.scales[1]["b"] = 5
        del m.calls
        return ag.sum(m.inner.weight)

    ag.grad(f)(module)
    assert not module.training
    assert not module.inner.training
    assert module.extra is extra
    assert module.kept is module.inner
    assert module.nested[0] is module.scales[0]
    assert module.scales[2] == "more"
    assert module.scales[1]["b"] == 5
    assert not hasattr(module, "calls")


def test_what_was_bound_before_an_exception_stays():
    module = Tied()

    def f(m):
        m.calls = 7
        raise RuntimeError("here")

    with pytest.raises(RuntimeError, match="here"):
        ag.grad(f)(module)
    assert module.calls == 7
    assert ag.grad(lambda m: ag.sum(m.scales[1]["a"]))(module)["scales.1.a"] == 1.0


def test_within_the_function_a_module_is_of_its_class_and_lists_its_parameters():
    class Weight(nn.Parameter):
        pass

    module = nn.Linear(2, 1, dtype=float)
    module.extra = Weight([2.0])
    seen = []

    def decay(m):
        seen.append((type(m), [type(p) for p in m.parameters()], list(m.state_dict())))
        return sum(ag.sum(p * p) for p in m.parameters())

    gradient = ag.grad(decay)(module)
    np.testing.assert_array_equal(gradient["weight"], 2 * module.weight.data)
    assert gradient["extra"].tolist() == [4.0]
    assert seen == [(nn.Linear, [nn.Parameter, nn.Parameter, Weight], ["weight", "bias", "extra"])]


def test_a_parameter_cannot_be_changed_within_the_function():
    def f(m):
        with ag.no_grad():
            m.weight -= 1.0
        return ag.sum(m.weight)

    module = nn.Linear(2, 1)
    with pytest.raises(TypeError, match="cannot be changed within a function that is being differentiated"):
        ag.grad(f)(module)
    net = nn.scalar.MLP(2, [1], rng=0)

    def g(m):
        with ag.no_grad():
            for p in m.parameters():
                p -= 1.0
        return m([1.0, 2.0])

    for h in (g, lambda m: ag.grad(g)(m)["layers.0.neurons.0.b"]):
        with pytest.raises(TypeError, match="cannot be changed within a function that is being differentiated"):
            ag.grad(h)(net)
    with pytest.raises(TypeError, match="the data of a result"):
        ag.grad(lambda m: setattr(m.weight, "data", np.zeros((1, 2))))(module)


def test_threads_may_differentiate_one_module():
    module = Tied().eval()
    f = lambda m: ag.sum(m(X) ** 2)
    v = along(arrays(module))
    expected = ag.hvp(f, module, v)
    results, errors = [], []

    def work():
        try:
            for _ in range(5):
                results.append(ag.hvp(f, module, v))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for result in results:
        agree(result, expected)


def test_a_pullback_is_of_the_parameters_as_they_were():
    module = nn.Linear(2, 1, dtype=float, rng=0)
    optimizer = nn.SGD(module.parameters(), lr=0.5)
    weight = module.weight.data.copy()
    _, pull = ag.vjp(lambda m, x: ag.sum((x * m.weight) ** 2), module, np.ones((1, 2)))
    module.weight.grad = np.ones((1, 2))
    optimizer.step()
    np.testing.assert_allclose(pull(1.0)[0]["weight"], 2 * weight)
    _, pull = ag.vjp(lambda w: ag.sum(w**2), module.weight)
    weight = module.weight.data.copy()
    optimizer.step()
    np.testing.assert_allclose(pull(1.0)[0].data, 2 * weight)


def test_a_layer_that_waits_for_its_shape_is_told_to_run_first():
    with pytest.raises(ValueError, match="run the model once"):
        ag.grad(lambda m: ag.sum(m(X)))(nn.Linear(None, 1))


def test_a_module_of_another_library_is_refused():
    class Foreign:
        def named_parameters(self):
            yield "w", 1.0

    with pytest.raises(TypeError, match=r"its parameter w is a float, not an nn.Parameter"):
        ag.grad(lambda m: 1.0)(Foreign())
    with pytest.raises(TypeError, match="cannot differentiate with respect to a type"):
        ag.grad(lambda m: 1.0)(nn.Linear)


def test_compiled_code_differentiates_modules_too():
    net = nn.scalar.MLP(2, [3, 1], rng=0)
    f = lambda x, y: ag.grad(lambda m: m([x, y]) ** 2)(net)["layers.0.neurons.0.w.0"]
    g = lambda x, y: ag.grad(lambda m: squares(ag.grad(lambda n: n([x, y]) ** 2)(m)))(net)["layers.1.neurons.0.b"]
    for function in (f, g):
        assert ag.compile(function, backend="numpy")(0.5, 0.25) == pytest.approx(function(0.5, 0.25), rel=1e-12)
        assert function(0.5, 0.25) != 0.0
