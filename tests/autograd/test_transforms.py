"""The transforms: against closed forms, nested, on structures, and their errors for bad arguments."""

import math
from collections import namedtuple

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor, Value
from autograd.pytrees import leaves

Pair = namedtuple("Pair", "x y")

# ---- Derivatives of any order, against closed forms


def nth(f, n):
    for _ in range(n):
        f = ag.grad(f)
    return f


CLOSED_FORMS = {
    "exp": (ag.exp, lambda n, x: math.exp(x)),
    "sin": (ag.sin, lambda n, x: math.sin(x + n * math.pi / 2)),
    "log": (ag.log, lambda n, x: math.log(x) if n == 0 else (-1) ** (n - 1) * math.factorial(n - 1) / x**n),
    "1/x": (lambda x: 1 / x, lambda n, x: (-1) ** n * math.factorial(n) / x ** (n + 1)),
    "x**5": (lambda x: x**5, lambda n, x: math.perm(5, n) * x ** (5 - n)),
    "2**x": (lambda x: 2**x, lambda n, x: math.log(2) ** n * 2**x),
    "sqrt": (ag.sqrt, lambda n, x: math.prod(0.5 - k for k in range(n)) * x ** (0.5 - n)),
    "x exp(x)": (lambda x: x * ag.exp(x), lambda n, x: (x + n) * math.exp(x)),
}


@pytest.mark.parametrize("n", range(1, 6))
@pytest.mark.parametrize(("f", "derivative"), CLOSED_FORMS.values(), ids=CLOSED_FORMS)
@pytest.mark.parametrize("kind", [float, np.array], ids=["float", "array"])
def test_nth_derivatives(f, derivative, n, kind):
    assert float(nth(f, n)(kind(0.7))) == pytest.approx(derivative(n, 0.7), rel=1e-11)


@pytest.mark.parametrize("n", range(1, 5))
@pytest.mark.parametrize(("f", "derivative"), CLOSED_FORMS.values(), ids=CLOSED_FORMS)
def test_nth_derivatives_by_forward_mode(f, derivative, n):
    def forward(f):
        return lambda x: ag.jvp(f, x, 1.0)[1]

    g = f
    for _ in range(n):
        g = forward(g)
    assert float(g(0.7)) == pytest.approx(derivative(n, 0.7), rel=1e-11)


@pytest.mark.parametrize("order", ["fr", "rf", "ffr", "rfr", "rrf", "frfr", "rfrf"])
def test_modes_mix_in_any_order(order):
    g = ag.sin
    for mode in order:
        g = ag.grad(g) if mode == "r" else (lambda f: lambda x: ag.jvp(f, x, 1.0)[1])(g)
    assert float(g(0.3)) == pytest.approx(math.sin(0.3 + len(order) * math.pi / 2), rel=1e-12)


def test_elementwise_second_derivatives_of_arrays():
    x = np.array([0.1, 0.5, 2.0])
    second = ag.grad(lambda x: ag.sum(ag.grad(lambda x: ag.sum(ag.sin(x)))(x)))(x)
    np.testing.assert_allclose(second, -np.sin(x))


# ---- Perturbation confusion


def test_an_inner_gradient_does_not_see_the_outer_variable():
    # d/dx [x · d/dy (x + y)] = 1
    assert ag.grad(lambda x: x * ag.grad(lambda y: x + y)(1.0))(1.0) == 1.0


def test_an_inner_gradient_of_a_product_depends_on_the_outer_variable():
    # d/dx [x · d/dy (x y)] = d/dx [x²] = 2x
    assert ag.grad(lambda x: x * ag.grad(lambda y: x * y)(2.0))(3.0) == 6.0


def test_an_inner_gradient_at_the_outer_variable():
    # d/dx [d/dy (x y²) at y = x] = d/dx 2x² = 4x
    assert ag.grad(lambda x: ag.grad(lambda y: x * y * y)(x))(3.0) == 12.0


def test_an_inner_gradient_at_a_function_of_the_outer_variable():
    # d/dy (x y³) at y = x² is 3 x⁵, of which the derivative is 15 x⁴
    assert ag.grad(lambda x: ag.grad(lambda y: x * y**3)(x * x))(2.0) == pytest.approx(240.0)


def test_three_levels_of_closures():
    def f(x):
        return ag.grad(lambda y: ag.grad(lambda z: x * y * z * z)(y) * x)(x)

    # d/dz x y z² at z=y: 2 x y²; times x: 2x²y²; d/dy at y=x: 4x³; d/dx: 12x²
    assert ag.grad(f)(2.0) == pytest.approx(48.0)


@pytest.mark.parametrize("inner", ["grad", "jvp"])
@pytest.mark.parametrize("outer", ["grad", "jvp"])
def test_no_pair_of_modes_confuses_perturbations(inner, outer):
    derivative = {"grad": lambda f, x: ag.grad(f)(x), "jvp": lambda f, x: ag.jvp(f, x, 1.0)[1]}
    assert derivative[outer](lambda x: x * derivative[inner](lambda y: x + y, 1.0), 1.0) == 1.0
    assert derivative[outer](lambda x: x * derivative[inner](lambda y: x * y, 2.0), 3.0) == 6.0
    assert derivative[outer](lambda x: derivative[inner](lambda y: x * y * y, x), 3.0) == 12.0


# ---- Nodes of an enclosing computation


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_gradient_that_reaches_an_outer_node_is_recorded(kind):
    w = kind(3.0)
    slope = ag.grad(lambda x: x * x * w)(2.0)
    assert isinstance(slope, kind)
    slope.backward()
    assert float(w.grad) == 4.0


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_gradient_at_a_node_is_recorded(kind):
    x = kind(2.0)
    slope = ag.grad(lambda x: x**3)(x)
    slope.backward()
    assert float(x.grad) == 12.0


@pytest.mark.parametrize("kind", [Value, Tensor])
@pytest.mark.parametrize(
    "call",
    [
        lambda w: ag.vjp(lambda x: w, 2.0)[0],
        lambda w: ag.vjp(lambda x: {"x": x, "w": [w]}, 2.0)[0]["w"][0],
        lambda w: ag.jvp(lambda x: (x * x, w), 2.0, 1.0)[0][1],
        lambda w: ag.value_and_grad(lambda x: w)(2.0)[0],
    ],
)
def test_an_outer_node_that_is_itself_the_output_stays_one(call, kind):
    w = kind(3.0)
    assert call(w) is w
    assert ag.grad(lambda w: call(w) * w)(3.0) == 6.0


def test_outer_nodes_that_do_not_matter_to_the_derivative_keep_it_plain():
    w = Value(3.0)
    assert type(ag.grad(lambda x: x * 2.0 + w * 0.0 * 1.0)(2.0)) in (float, Value)
    assert type(ag.grad(lambda x: x * 2.0)(2.0)) is float


def test_inner_transforms_leave_no_gradients_behind():
    x, w = Value(2.0), Value(3.0)
    ag.grad(lambda x: x * x * w)(x)
    ag.hvp(lambda x: x * x * w, x, 1.0)
    assert (x.grad, w.grad) == (0.0, 0.0)


def test_a_gradient_penalty_trains():
    w = Tensor(np.array([1.0, -2.0]))
    x = np.array([0.5, 0.3])

    def penalty(w):
        slope = ag.grad(lambda x: ag.sum(ag.tanh(x * w)))(x)
        return ag.sum(slope * slope)

    penalty(w).backward()
    assert ag.gradcheck(penalty, np.array([1.0, -2.0]))
    np.testing.assert_allclose(w.grad, ag.grad(penalty)(np.array([1.0, -2.0])))


@pytest.mark.parametrize("f", [ag.value_and_grad, lambda f: lambda x: ag.vjp(f, x)[1](1.0), ag.jacobian, ag.hessian])
def test_transforms_under_outer_nodes_are_differentiable(f):
    def total(result):
        parts = result if isinstance(result, tuple) else (result,)
        return sum((ag.sum(part) for part in parts), start=0.0)

    assert ag.gradcheck(lambda w: total(f(lambda x: x**3 * w)(2.0)), 1.5)


# ---- grad and value_and_grad


def test_value_and_grad_gives_both():
    value, gradient = ag.value_and_grad(lambda x: (x**2).sum())(np.array([1.0, 2.0]))
    assert value == 5.0
    assert gradient.tolist() == [2.0, 4.0]


def test_argnums():
    def f(x, y, z):
        return x * y**2 * z**3

    assert ag.grad(f)(1.0, 2.0, 3.0) == 108.0
    assert ag.grad(f, argnums=1)(1.0, 2.0, 3.0) == 108.0
    assert ag.grad(f, argnums=-1)(1.0, 2.0, 3.0) == 108.0
    assert ag.grad(f, argnums=(0, 2))(1.0, 2.0, 3.0) == (108.0, 108.0)
    assert ag.grad(f, argnums=[2, 1])(1.0, 2.0, 3.0) == (108.0, 108.0)
    assert ag.grad(f, argnums=(1,))(1.0, 2.0, 3.0) == (108.0,)


@pytest.mark.parametrize("argnums", [1, -2, (0, 1), 5])
def test_argnums_that_are_not_there(argnums):
    with pytest.raises(ValueError, match=r"argnums names argument -?\d, but there are 1 positional arguments"):
        ag.grad(lambda x: x, argnums=argnums)(1.0)


@pytest.mark.parametrize("argnums", [(0, 0), (1, -1), [0, 1, -2], np.array([1, 1])])
@pytest.mark.parametrize("transform", [ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian])
def test_an_argument_is_named_once(transform, argnums):
    with pytest.raises(ValueError, match=r"argnums=.* names argument \d twice"):
        transform(lambda x, y: x * y, argnums)(1.0, 2.0)


@pytest.mark.parametrize("argnums", ["x", 1.0, None, [0.5], {"x"}, [[0]]])
def test_argnums_that_are_no_positions(argnums):
    with pytest.raises(TypeError, match="argnums is the position of an argument, or a sequence of them, not"):
        ag.grad(lambda x: x, argnums)(1.0)


def test_argnums_may_be_numbers_of_numpy():
    assert ag.grad(lambda x, y: x * y * y, np.int64(1))(1.0, 2.0) == 4.0
    assert ag.grad(lambda x, y: x * y * y, np.array([1, 0]))(1.0, 2.0) == (4.0, 4.0)


@pytest.mark.parametrize("transform", [ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian])
def test_what_is_not_given_by_position_is_told(transform):
    f = transform(lambda x, y=1.0: x * y)
    with pytest.raises(TypeError, match="positional arguments, and this call gives none, only x, y by keyword: give"):
        f(x=2.0, y=1.0)
    with pytest.raises(TypeError, match="positional arguments, and this call gives none: give argument 0 by its pos"):
        f()
    with pytest.raises(ValueError, match=r"argnums names argument 1, but there are 1 positional .* \(and y by keyword"):
        transform(lambda x, y: x * y, argnums=1)(2.0, y=1.0)


def test_keyword_arguments_are_passed_on():
    assert ag.grad(lambda x, *, k: x * k)(2.0, k=5.0) == 5.0
    assert ag.jacobian(lambda x, k=1.0: x * k)(2.0, k=5.0) == 5.0


def test_structures_come_back_as_they_went_in():
    tree = {"a": [1.0, np.array([2.0, 3.0])], "b": (4.0, Pair(5.0, {"c": 6.0})), "d": None}
    gradient = ag.grad(
        lambda t: t["a"][0] ** 2 + (t["a"][1] ** 2).sum() + t["b"][0] ** 2 + t["b"][1].x ** 2 + t["b"][1].y["c"] ** 2
    )(tree)
    assert gradient["a"][0] == 2.0
    assert gradient["a"][1].tolist() == [4.0, 6.0]
    assert gradient["b"] == (8.0, Pair(10.0, {"c": 12.0}))
    assert type(gradient["b"][1]) is Pair
    assert gradient["d"] is None


class Model:
    """As much of a module as the transforms know of."""

    def __init__(self):
        self.w, self.b = Tensor(np.array([1.0, 2.0])), Tensor(0.5)

    def named_parameters(self):
        yield "w", self.w
        yield "b", self.b

    def __call__(self, x):
        return (x @ self.w + self.b) ** 2


def test_the_derivative_of_a_module_is_a_dict_by_name():
    model = Model()
    x = np.array([3.0, 4.0])
    value, gradient = ag.value_and_grad(lambda m, x: m(x))(model, x)
    assert value == 11.5**2
    assert list(gradient) == ["w", "b"]
    np.testing.assert_allclose(gradient["w"], 2 * 11.5 * x)
    assert gradient["b"] == 23.0
    assert all(not isinstance(g, ag.Node) for g in gradient.values())
    assert model.w.grad is None
    both = ag.grad(lambda m, x: m(x), argnums=(0, 1))(model, x)
    np.testing.assert_allclose(both[1], 23 * np.array([1.0, 2.0]))


def test_an_object_array_of_numbers_is_a_structure():
    x = np.array([1.0, 2.0], dtype=object)
    gradient = ag.grad(lambda v: v[0] ** 2 * v[1])(x)
    assert np.array(gradient, float).tolist() == [4.0, 1.0]


def test_an_output_that_does_not_depend_on_the_input_has_gradient_zero():
    assert ag.grad(lambda x: 3.0)(2.0) == 0.0
    assert ag.grad(lambda x: 3)(2.0) == 0.0
    assert ag.grad(lambda x, y: y * 1.0)(2.0, 3.0) == 0.0
    assert ag.grad(lambda x: np.float64(1.0))(np.ones(2)).tolist() == [0.0, 0.0]
    assert ag.grad(lambda x: Value(3.0) * 2)(2.0) == 0.0
    assert ag.grad(ag.grad(lambda x: 2.0 * x))(2.0) == 0.0
    assert ag.hessian(lambda x: x.sum())(np.ones(2)).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert ag.jvp(lambda x: 3.0, 1.0, 1.0) == (3.0, 0.0)
    assert ag.vjp(lambda x: 3.0, 1.0)[1](1.0) == (0.0,)
    assert ag.grad(lambda t: t[0] * 1.0)([1.0, np.ones(2)])[1].tolist() == [0.0, 0.0]


def test_numbers_and_arrays_give_numbers_and_arrays():
    f = ag.grad(lambda x: (x * x).sum() if isinstance(x, Tensor) else x * x)
    assert type(f(1.0)) is float
    assert type(f(np.ones(2))) is np.ndarray
    assert type(f(Value(1.0))) is Value
    assert type(f(Tensor([1.0]))) is Tensor
    value, gradient = ag.value_and_grad(lambda x: (x * x).sum())(np.ones(2))
    assert isinstance(value, float)
    assert type(gradient) is np.ndarray
    assert type(ag.value_and_grad(lambda x: x * x)(2.0)[0]) is float


def test_gradients_handed_out_are_the_callers_own():
    x = np.ones(2)
    gx, gy = ag.grad(lambda x, y: (x + y).sum(), argnums=(0, 1))(x, x)
    gx[0] = 100.0
    assert gy.tolist() == [1.0, 1.0]
    assert x.tolist() == [1.0, 1.0]
    g = ag.grad(lambda x: x.sum())(x)
    g[0] = 5.0


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (
            lambda x: x * 2,
            ValueError,
            r"grad needs a scalar output, got shape \(3,\): use jacobian, or reduce with .sum\(\)",
        ),
        (lambda x: [x.sum()], TypeError, "grad needs a scalar output, got list"),
        (lambda x: "a", TypeError, "grad needs a scalar output, got str 'a'"),
        (lambda x: None, TypeError, "grad needs a scalar output, got NoneType None"),
        (lambda x: {"a": x.sum()}, TypeError, "grad needs a scalar output, got dict"),
    ],
)
def test_outputs_that_are_not_scalars(f, error, message):
    with pytest.raises(error, match=message):
        ag.grad(f)(np.ones(3))


@pytest.mark.parametrize("x", ["a", 1j, object(), b"x", {1, 2}])
def test_arguments_that_cannot_be_differentiated(x):
    with pytest.raises(TypeError, match="cannot differentiate with respect to a"):
        ag.grad(lambda x: x)(x)


def test_complex_arrays_and_arrays_of_strings_are_refused():
    for x in (np.array([1j]), np.array(["a"])):
        with pytest.raises(TypeError, match="Tensor needs real numbers"):
            ag.grad(lambda x: x)(x)


def test_a_transform_names_itself_after_its_function():
    def loss(x):
        return x

    assert ag.grad(loss).__name__ == "gradient_of_loss"
    assert ag.value_and_grad(loss).__name__ == "value_and_gradient_of_loss"
    assert ag.jacobian(loss).__doc__ == "The jacobian of loss."


# ---- vjp and jvp


def test_vjp_gives_the_value_and_a_pullback_that_can_be_used_again():
    y, pull = ag.vjp(lambda x, y: x * y, np.array([1.0, 2.0]), 3.0)
    assert y.tolist() == [3.0, 6.0]
    gx, gy = pull(np.array([1.0, 10.0]))
    assert gx.tolist() == [3.0, 30.0]
    assert gy == 21.0
    assert pull(np.array([0.0, 1.0]))[0].tolist() == [0.0, 3.0]


def test_vjp_of_a_structure():
    y, pull = ag.vjp(lambda x: {"a": x * x, "b": [x.sum(), 5.0]}, np.array([1.0, 2.0]))
    assert y["a"].tolist() == [1.0, 4.0]
    assert y["b"] == [3.0, 5.0]
    [g] = pull({"a": np.array([1.0, 0.0]), "b": [10.0, 1.0]})
    assert g.tolist() == [12.0, 10.0]


def test_jvp_of_a_structure():
    y, dy = ag.jvp(lambda x: {"a": x * x, "b": [x.sum(), 5.0]}, np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    assert y["b"] == [3.0, 5.0]
    assert dy["a"].tolist() == [2.0, 40.0]
    assert dy["b"] == [11.0, 0.0]


def test_jvp_of_structures_as_arguments():
    y, dy = ag.jvp(lambda t, s: t["a"] * t["b"] * s, ({"a": 2.0, "b": 3.0}, 5.0), ({"a": 1.0, "b": 0.0}, 1.0))
    assert (y, dy) == (30.0, 15.0 + 6.0)


def test_dot_product_test_of_a_layered_function():
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=(3, 4)), rng.normal(size=(5, 3))

    def f(w, x):
        z = ag.softmax(x @ w) @ ag.inv(np.eye(4) * 3 + w.T @ w)
        return ag.concatenate([z, ag.cumsum(z, 0)], axis=1)[:, ::2], ag.max(z, axis=1)

    tangents = (rng.normal(size=w.shape), rng.normal(size=x.shape))
    weights = (rng.normal(size=(5, 4)), rng.normal(size=5))
    _, pushed = ag.jvp(f, (w, x), tangents)
    pulled = ag.vjp(f, w, x)[1](weights)
    left = sum(np.sum(a * b) for a, b in zip(weights, pushed, strict=True))
    right = sum(np.sum(a * b) for a, b in zip(pulled, tangents, strict=True))
    assert left == pytest.approx(right, rel=1e-10)


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (lambda: ag.vjp(lambda x: x * 2, np.ones(3))[1](np.ones(2)), ValueError, r"shape \(3,\), its cotangent \(2,\)"),
        (lambda: ag.vjp(lambda x: x * 2, np.ones(3))[1](1.0), ValueError, r"shape \(3,\), its cotangent \(\)"),
        (lambda: ag.vjp(lambda x: [x, x], 1.0)[1]([1.0]), ValueError, "the cotangent has 1 part, where there are 2"),
        (
            lambda: ag.jvp(lambda x: x, np.ones(3), np.ones(2)),
            ValueError,
            r"argument 0 has shape \(3,\), its tangent \(2,\)",
        ),
        (lambda: ag.jvp(lambda x: x, (1.0,), 1.0), TypeError, "jvp needs primals and tangents as two tuples"),
        (lambda: ag.jvp(lambda x, y: x, (1.0, 2.0), (1.0,)), ValueError, "jvp got 2 primals and 1 tangents"),
        (lambda: ag.hvp(lambda x: x, (1.0,), 1.0), TypeError, "hvp needs primals and tangents as two tuples"),
        (lambda: ag.hvp(lambda x: x * 2, np.ones(2), np.ones(2)), ValueError, "grad needs a scalar output"),
    ],
)
def test_cotangents_and_tangents_that_do_not_fit(f, error, message):
    with pytest.raises(error, match=message):
        f()


# ---- Structures are paired by key and nesting


def in_a_dict(t):
    return t["a"] ** 2 * t["b"][0] * t["b"][1]


TREE, TANGENT = {"a": 2.0, "b": (3.0, 5.0)}, {"b": [1.0, 0.0], "a": 10.0}


def test_tangents_are_paired_by_key():
    assert ag.jvp(in_a_dict, TREE, TANGENT) == (60.0, 10.0 * 60.0 + 20.0)
    assert ag.hvp(in_a_dict, TREE, TANGENT) == {"a": 10.0 * 30.0 + 20.0, "b": (10.0 * 20.0, 10.0 * 12.0 + 4.0)}
    assert (
        ag.jvp(lambda t, s: t["x"] - s["y"], ({"x": 1.0, "z": 0.0}, {"y": 1.0}), ({"z": 9.0, "x": 2.0}, {"y": 1.0}))[1]
        == 1.0
    )


def test_a_namedtuple_is_one_argument():
    f = lambda p: p.x**2 * p.y
    assert ag.jvp(f, Pair(2.0, 3.0), Pair(1.0, 10.0)) == (12.0, 12.0 + 40.0)
    assert ag.jvp(f, Pair(2.0, 3.0), (1.0, 10.0)) == (12.0, 12.0 + 40.0)
    assert ag.jvp(f, (Pair(2.0, 3.0),), (Pair(1.0, 10.0),)) == (12.0, 12.0 + 40.0)
    assert ag.hvp(f, Pair(2.0, 3.0), Pair(1.0, 10.0)) == Pair(6.0 + 40.0, 4.0)
    assert ag.grad(f)(Pair(2.0, 3.0)) == Pair(12.0, 4.0)
    with pytest.raises(ValueError, match="the tangent of argument 0 has the fields 'u', 'v', where 'x', 'y' belong"):
        ag.jvp(f, Pair(2.0, 3.0), namedtuple("Other", "u v")(1.0, 1.0))
    with pytest.raises(TypeError, match="jvp needs primals and tangents as two tuples"):
        ag.jvp(lambda x, y: x, (1.0, 2.0), Pair(1.0, 2.0))


def test_cotangents_are_paired_by_key():
    y, pull = ag.vjp(lambda x: {"double": 2 * x, "parts": [x * x, None, (3 * x,)]}, 1.0)
    assert pull({"parts": [10.0, None, [100.0]], "double": 1.0}) == (2.0 + 20.0 + 300.0,)
    assert pull(y) == (2 * 2.0 + 2.0 + 9.0,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ag.jvp(in_a_dict, TREE, {"a": 1.0, "c": (1.0, 1.0)}), r"the tangent of argument 0 has no 'b'"),
        (
            lambda: ag.jvp(in_a_dict, TREE, {**TANGENT, "c": 1.0}),
            r"the tangent of argument 0 has 'c', where there is no",
        ),
        (
            lambda: ag.hvp(in_a_dict, TREE, {"a": 1.0, "b": [1.0]}),
            r"the tangent of argument 0\['b'\] has 1 part, where",
        ),
        (
            lambda: ag.jvp(lambda x, y: x * y, (1.0, 2.0), (1.0, [2.0, 1.0])),
            r"argument 1 has shape \(\), its tangent \(2,\)",
        ),
        (
            lambda: ag.jvp(lambda x, y: x * 1.0, (1.0, {}), (1.0, 2.0)),
            "the tangent of argument 1 is a float, where a dict",
        ),
        (
            lambda: ag.jvp(in_a_dict, TREE, {"a": 1.0, "b": (1.0, [2.0])}),
            r"argument 0\['b'\]\[1\] has shape \(\), its tangent",
        ),
        (
            lambda: ag.vjp(lambda x: {"a": [x, x]}, 1.0)[1]({"a": [1.0]}),
            r"the cotangent\['a'\] has 1 part, where there are 2",
        ),
        (
            lambda: ag.vjp(lambda x: {"a": x}, 1.0)[1]([1.0]),
            r"the cotangent is a list of 1, where a dict with the keys 'a'",
        ),
        (lambda: ag.vjp(lambda x: {"a": x}, 1.0)[1]({"b": 1.0}), r"the cotangent has no 'a': its keys are 'b'"),
        (
            lambda: ag.vjp(lambda x: [x, {"a": x}], np.ones(2))[1]([np.ones(2), {"a": 1.0}]),
            r"the output\[1\]\['a'\] has shape",
        ),
        (lambda: ag.vjp(lambda x: x, 1.0)[1](None), "the cotangent is None, where a number or an array belongs"),
        (
            lambda: ag.vjp(lambda x: [x, 5.0], 1.0)[1]([1.0, np.ones(2)]),
            r"the output\[1\] has shape \(\), its cotangent \(2,\)",
        ),
    ],
)
def test_where_structures_differ_the_place_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- Complex numbers, and what is no number

COMPLEX = [1j, np.complex128(1j), np.array(1j), np.complex64(1), "a", b"a"]


@pytest.mark.parametrize("bad", COMPLEX, ids=repr)
@pytest.mark.parametrize(
    ("call", "place"),
    [
        (lambda bad: ag.grad(lambda x: bad)(1.0), "grad needs a (scalar|real) output"),
        (lambda bad: ag.value_and_grad(lambda x: bad)(np.ones(2)), "grad needs a (scalar|real) output"),
        (lambda bad: ag.hessian(lambda x: bad)(1.0), "grad needs a (scalar|real) output"),
        (lambda bad: ag.jacobian(lambda x: [x, bad])(1.0), r"jacobian needs .* the output\[1\] is"),
        (lambda bad: ag.vjp(lambda x: {"a": bad}, 1.0), r"vjp needs .* the output\['a'\] is"),
        (lambda bad: ag.jvp(lambda x: (x, bad), 1.0, 1.0), r"jvp needs .* the output\[1\] is"),
        (lambda bad: ag.jvp(lambda x: x, 1.0, bad), "its tangent of argument 0 is"),
        (lambda bad: ag.jvp(lambda x: x, np.array(1.0), bad), "its tangent of argument 0 is"),
        (lambda bad: ag.hvp(lambda t: t["a"], {"a": 1.0}, {"a": bad}), r"its tangent of argument 0\['a'\] is"),
        (lambda bad: ag.vjp(lambda x: x, 1.0)[1](bad), "its cotangent of the output is"),
        (lambda bad: ag.vjp(lambda x: [x, 1.0], np.array(1.0))[1]([1.0, bad]), r"its cotangent of the output\[1\] is"),
    ],
)
def test_what_is_not_real_is_refused_wherever_it_comes_in(call, place, bad):
    with pytest.raises(TypeError, match=place):
        call(bad)


# ---- Whose arrays are these


def aliases(call, *arrays):
    """Whether writing into any array of the result, or into one of the caller's, shows anywhere else."""
    before = [array.copy() for array in arrays]
    found = [leaf for leaf in leaves(call) if isinstance(leaf, np.ndarray) and leaf.ndim]
    assert found
    for i, leaf in enumerate(found):
        assert leaf.flags.writeable
        others = [other.copy() for other in found]
        leaf += 17.0
        if any(not np.array_equal(other, found[j]) for j, other in enumerate(others) if j != i):
            return True
    return any(not np.array_equal(array, old) for array, old in zip(arrays, before, strict=True))


CONSTANTS = {n: np.arange(float(n)) for n in (3, 3000)}
SHARERS = {
    "identity": lambda x: x,
    "twice": lambda x: [x, {"again": x}],
    "a view": lambda x: x[1:],
    "views": lambda x: (x.reshape(-1, 1), x[::-1], x.T),
    "a sum": lambda x: x + 0.0,
    "a constant": lambda x: CONSTANTS[len(x)],
    "a node of its own": lambda x: Tensor(CONSTANTS[len(x)]),
}


@pytest.mark.parametrize("f", SHARERS.values(), ids=SHARERS)
@pytest.mark.parametrize(
    "call",
    [
        ag.jvp,
        lambda f, a, b: ag.vjp(f, a)[0],
        lambda f, a, b: (lambda y, pull: [y, pull(y), pull(y)])(*ag.vjp(f, a)),
        lambda f, a, b: ag.jacobian(f)(a[:3]),
        lambda f, a, b: ag.hvp(lambda x: sum((ag.sum(leaf * leaf) for leaf in leaves(f(x))), start=0.0), a, b),
        lambda f, a, b: ag.grad(lambda x: sum((ag.sum(leaf) for leaf in leaves(f(x))), start=0.0))(a),
    ],
    ids=["jvp", "vjp", "pullback", "jacobian", "hvp", "grad"],
)
@pytest.mark.parametrize("n", CONSTANTS)
def test_no_result_shares_an_array_with_arguments_or_other_results(f, call, n):
    a, b = np.arange(float(n)), np.arange(float(n))
    assert not aliases(call(f, a, b), a, b, CONSTANTS[n])


def test_a_pullback_keeps_what_it_needs():
    y, pull = ag.vjp(ag.exp, np.zeros(2))
    y += 100.0
    seed = np.ones(2)
    (g,) = pull(seed)
    assert g.tolist() == [1.0, 1.0]
    g += 1.0
    assert seed.tolist() == [1.0, 1.0]
    assert ag.vjp(lambda x: x, np.zeros(2))[1](seed)[0] is not seed


def test_a_function_that_writes_into_its_argument_leaves_the_callers_array_alone():
    def f(x):
        x.data[0] = 100.0
        return (x * x).sum()

    x = np.ones(2)
    ag.grad(f)(x)
    assert x.tolist() == [1.0, 1.0]


# ---- Structures that contain themselves, and deep ones


def itself(kind):
    tree = [1.0] if kind == "list" else {"a": 1.0}
    if kind == "list":
        tree.append(tree)
    else:
        tree["b"] = {"c": tree}
    return tree


@pytest.mark.parametrize("kind", ["list", "dict"])
@pytest.mark.parametrize(
    "call",
    [
        lambda t: ag.grad(lambda x: 1.0)(t),
        lambda t: ag.value_and_grad(lambda x, y: 1.0, 1)(1.0, t),
        lambda t: ag.jacobian(lambda x: t)(1.0),
        lambda t: ag.jacobian(lambda x: 1.0)(t),
        lambda t: ag.hessian(lambda x: 1.0)(t),
        lambda t: ag.vjp(lambda x: t, 1.0),
        lambda t: ag.vjp(lambda x: 1.0, t),
        lambda t: ag.vjp(lambda x: [1.0, {"c": [1.0]}], 1.0)[1](t),
        lambda t: ag.jvp(lambda x: 1.0, t, 1.0),
        lambda t: ag.jvp(lambda x: 1.0, 1.0, t),
        lambda t: ag.jvp(lambda x: t, 1.0, 1.0),
        lambda t: ag.hvp(lambda x: 1.0, t, 1.0),
        lambda t: ag.hvp(lambda x: x * x, 1.0, t),
        lambda t: ag.gradcheck(lambda x: 1.0, t),
        lambda t: ag.gradcheck(lambda x: t, 1.0),
    ],
)
def test_a_structure_that_contains_itself_is_an_error(call, kind):
    with pytest.raises(ValueError, match=r"contains itself|belongs|part"):
        call(itself(kind))


def test_structures_may_be_deep():
    deep, direction = 3.0, 1.0
    for _ in range(2000):
        deep, direction = [deep], {"a": direction}

    def f(t):
        while isinstance(t, list):
            [t] = t
        return t * t

    assert leaves(ag.grad(f)(deep)) == [6.0]
    assert leaves(ag.hvp(f, deep, deep)) == [6.0]
    assert leaves(ag.jacobian(lambda x: f([x]))(3.0)) == [6.0]
    with pytest.raises(ValueError, match="where a list of 1 belongs"):
        ag.jvp(f, deep, direction)


# ---- Empty arrays


@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3)])
def test_every_transform_takes_empty_arrays(shape, dtype):
    x = np.ones(shape, dtype)

    def f(x):
        return ag.sum(x * x)

    assert ag.grad(f)(x).shape == shape
    assert ag.grad(f)(x).dtype == dtype
    assert ag.value_and_grad(f)(x)[0] == 0.0
    assert ag.hessian(f)(x).shape == shape * 2
    assert ag.hvp(f, x, x).shape == shape
    assert ag.vjp(f, x)[1](dtype(1.0))[0].shape == shape
    assert ag.vjp(lambda x: x * 2, x)[1](x)[0].dtype == dtype
    assert ag.jvp(f, x, x) == (0.0, 0.0)
    assert ag.jvp(lambda x: x * x, x, x)[1].shape == shape
    for g, outer in {
        (lambda x: x * x): shape,
        f: (),
        (lambda x: ag.sum(x) + np.ones((3, 2), dtype)): (3, 2),
        (lambda x: np.ones(4, dtype)): (4,),
        (lambda x: ag.reshape(x, (-1,))[:0]): (0,),
    }.items():
        jacobian = ag.jacobian(g)(x)
        assert jacobian.shape == outer + shape
        assert jacobian.dtype == dtype
    assert ag.gradcheck(f, np.ones(shape), order=2)


def test_jacobians_of_structures_with_empty_parts():
    full, empty = np.array([1.0, 2.0]), np.ones((0, 3))
    tree = {"full": full, "empty": empty, "none": None, "list": []}
    wide = ag.jacobian(lambda t: ag.concatenate([t["full"], t["full"], ag.sum(t["empty"]) + np.ones(4)]))(tree)
    assert wide["full"].shape == (8, 2)
    assert wide["empty"].shape == (8, 0, 3)
    assert wide["list"] == []
    parts = ag.jacobian(lambda t: {"a": t["full"] * 2, "b": t["empty"] * 2, "c": ag.sum(t["full"])})(tree)
    assert parts["a"]["full"].tolist() == [[2.0, 0.0], [0.0, 2.0]]
    assert parts["a"]["empty"].shape == (2, 0, 3)
    assert parts["b"]["full"].shape == (0, 3, 2)
    assert parts["b"]["empty"].shape == (0, 3, 0, 3)
    assert parts["c"]["empty"].shape == (0, 3)
    hessian = ag.hessian(lambda t: ag.sum(t["full"] ** 2) + ag.sum(t["empty"]))(tree)
    assert hessian["empty"]["full"].shape == (0, 3, 2)
    assert hessian["full"]["full"].tolist() == [[2.0, 0.0], [0.0, 2.0]]
    assert ag.jacobian(lambda t: ag.stack([1.0 * ag.sum(np.ones(2))] * 2))([]) == []
    assert ag.jacobian(lambda: 1.0, argnums=())() == ()
    assert ag.jacobian(lambda x: [])(1.0) == []


# ---- Jacobians and Hessians


def dense(f, x):
    """The Jacobian by central differences."""
    x = np.asarray(x, float)
    columns = []
    for i in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[i] = 1e-5
        columns.append((np.asarray(f(x + e)) - np.asarray(f(x - e))) / 2e-5)
    return (
        np.moveaxis(np.array(columns).reshape(*x.shape, *np.shape(f(x))), range(x.ndim), range(-x.ndim, 0))
        if x.ndim
        else np.array(columns[0])
    )


@pytest.mark.parametrize(
    ("f", "shape"),
    [
        (lambda x: ag.sin(x) * ag.sum(x), (3,)),
        (lambda x: ag.sum(x * x), (3,)),  # fewer outputs than inputs: reverse mode
        (lambda x: ag.concatenate([x, x * x, ag.exp(x)]), (2,)),  # more of them: forward mode
        (lambda x: ag.outer(x, x), (2,)),
        (lambda x: ag.matmul(x, ag.transpose(x)), (2, 3)),
        (lambda x: ag.max(x, axis=0), (2, 3)),
        (lambda x: ag.stack([x, x * x]), ()),
        (lambda x: x * x, ()),
        (lambda x: ag.softmax(x), (4,)),
        (lambda x: ag.cumsum(x), (3,)),
        (lambda x: ag.reshape(x * x, (1, 3)), (3,)),
    ],
)
def test_jacobians_are_those_of_finite_differences(f, shape):
    x = np.random.default_rng(0).uniform(0.5, 1.5, shape)
    result = ag.jacobian(f)(x)
    expected = dense(f, x)
    assert np.shape(result) == (*np.shape(f(x)), *shape)
    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-8)


def test_both_modes_give_one_jacobian():
    x = np.array([0.5, 1.5, 2.0])
    wide = ag.jacobian(lambda x: ag.concatenate([x * x, ag.sin(x)[::-1]]))(x)  # forward
    rows = np.concatenate([ag.jacobian(lambda x: x * x)(x), ag.jacobian(lambda x: ag.sin(x)[::-1])(x)])  # reverse
    np.testing.assert_allclose(wide, rows, rtol=1e-14)


def test_jacobians_of_structures():
    result = ag.jacobian(lambda x: (x * 2.0, {"s": x.sum()}))(np.array([1.0, 2.0]))
    assert result[0].tolist() == [[2.0, 0.0], [0.0, 2.0]]
    assert result[1]["s"].tolist() == [1.0, 1.0]
    both = ag.jacobian(lambda x, y: x * y, argnums=(0, 1))(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert both[0].tolist() == [[3.0, 0.0], [0.0, 4.0]]
    assert both[1].tolist() == [[1.0, 0.0], [0.0, 2.0]]
    of_list = ag.jacobian(lambda xs: xs[0] * xs[1])([2.0, 3.0])
    assert of_list == [3.0, 2.0]
    constant = ag.jacobian(lambda x: np.ones(2))(np.ones(3))
    assert constant.tolist() == np.zeros((2, 3)).tolist()


def test_jacobians_of_empty_arrays():
    assert ag.jacobian(lambda x: x * 2)(np.ones(0)).shape == (0, 0)
    assert ag.jacobian(lambda x: x[:0])(np.ones(3)).shape == (0, 3)


def test_jacobians_nest():
    x = np.array([0.5, 1.5])
    third = ag.jacobian(ag.jacobian(ag.jacobian(lambda x: (x**4).sum())))(x)
    expected = np.zeros((2, 2, 2))
    expected[[0, 1], [0, 1], [0, 1]] = 24 * x
    np.testing.assert_allclose(third, expected)


@pytest.mark.parametrize(
    "f",
    [
        lambda m, x: m.sum(x**3) * m.prod(x, 0),
        lambda m, x: m.logsumexp(x * x, 0),
        lambda m, x: m.sum(m.tanh(x[:-1] * x[1:])) + m.exp(-m.sum(x)),
        lambda m, x: m.sum(m.exp(m.outer(x, x))),
    ],
)
def test_hessians_are_those_of_torch(f):
    torch = pytest.importorskip("torch")
    x = np.array([0.5, 1.2, -0.7])
    hessian = ag.hessian(lambda x: f(ag, x))(x)
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-13)
    expected = torch.autograd.functional.hessian(lambda x: f(torch, x), torch.tensor(x)).numpy()
    np.testing.assert_allclose(hessian, expected, rtol=1e-10, atol=1e-10)


def test_hessian_of_a_matrix_argument_has_its_shape_twice():
    x = np.arange(4.0).reshape(2, 2) + 1
    hessian = ag.hessian(lambda x: ag.det(x))(x)
    assert hessian.shape == (2, 2, 2, 2)
    assert hessian[0, 0, 1, 1] == pytest.approx(1.0)
    assert hessian[0, 1, 1, 0] == pytest.approx(-1.0)
    assert hessian[0, 0, 0, 0] == pytest.approx(0.0, abs=1e-12)


def test_hessian_of_a_float_is_a_float():
    assert ag.hessian(lambda x: x**3)(2.0) == 12.0


def test_hvp_is_the_hessian_times_a_vector():
    def rosenbrock(x):
        return ag.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    x, v = np.array([0.5, -1.0, 2.0, 0.1]), np.array([1.0, 2.0, -1.0, 0.5])
    np.testing.assert_allclose(ag.hvp(rosenbrock, x, v), ag.hessian(rosenbrock)(x) @ v, rtol=1e-12)
    scipy = pytest.importorskip("scipy.optimize")
    np.testing.assert_allclose(ag.hessian(rosenbrock)(x), scipy.rosen_hess(x), rtol=1e-12)
    np.testing.assert_allclose(ag.grad(rosenbrock)(x), scipy.rosen_der(x), rtol=1e-12)


def test_hvp_of_several_arguments_is_a_tuple():
    products = ag.hvp(lambda x, y: x * x * y, (2.0, 3.0), (1.0, 10.0))
    assert products == (6.0 + 40.0, 4.0)


# ---- no_grad


def test_transforms_work_under_no_grad_and_record_nothing():
    w = Value(3.0)
    with ag.no_grad():
        slope = ag.grad(lambda x: x * x * w)(2.0)
        at_a_node = ag.grad(lambda x: x * x)(w)
        tangent = ag.jvp(lambda x: x * x * w, 2.0, 1.0)[1]
        second = ag.grad(ag.grad(lambda x: x**3))(2.0)
    for result, expected in ((slope, 12.0), (at_a_node, 6.0), (tangent, 12.0), (second, 12.0)):
        assert (result.data if isinstance(result, ag.Node) else result) == expected
        assert not isinstance(result, ag.Node) or result.op is None


def test_what_a_function_does_under_no_grad_is_constant_to_its_gradient():
    def f(x):
        with ag.no_grad():
            weight = x * x
        return weight.detach() * x

    assert ag.grad(f)(3.0) == 9.0
