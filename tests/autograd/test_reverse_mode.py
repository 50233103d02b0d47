"""The traversals of reverse mode: random whole expressions, and what they read and change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.reverse_mode import cotangents
from tests.strategies import Expression, expressions, points


def slopes_by_differences(f, xs, h=1e-5):
    slopes = []
    for i in range(len(xs)):

        def along(t, i=i):
            return f(*xs[:i], xs[i] + t, *xs[i + 1 :])

        slopes.append((8 * (along(h) - along(-h)) - (along(2 * h) - along(-2 * h))) / (12 * h))
    return slopes


@given(st.data())
def test_any_expression_of_values_has_the_value_of_math_and_the_slopes_of_differences(data):
    f = data.draw(expressions())
    xs = data.draw(points(f.inputs))
    by_math = Expression(f.inputs, f.steps, by_math=True)
    leaves = [ag.Value(x) for x in xs]
    y = f(*leaves)
    assert y.data == pytest.approx(by_math(*xs), rel=1e-12, abs=1e-12)
    y.backward()
    expected = slopes_by_differences(by_math, xs)
    assert [leaf.grad for leaf in leaves] == pytest.approx(expected, rel=1e-5, abs=1e-6)


@given(st.data())
def test_any_expression_agrees_with_itself_as_values_as_tensors_and_through_grad(data):
    f = data.draw(expressions())
    xs = data.draw(points(f.inputs))
    values, tensors = [ag.Value(x) for x in xs], [ag.Tensor([x, x]) for x in xs]
    f(*values).backward()
    f(*tensors).sum().backward()
    by_grad = ag.grad(f, argnums=tuple(range(f.inputs)))(*xs)
    by_array = ag.grad(f, argnums=tuple(range(f.inputs)))(*map(np.array, xs))
    for value, tensor, derivative, other in zip(values, tensors, by_grad, by_array, strict=True):
        assert value.grad == derivative
        assert other == pytest.approx(derivative, rel=1e-11, abs=1e-13)
        if tensor.grad is None:
            assert value.grad == 0.0
        else:
            np.testing.assert_allclose(tensor.grad, value.grad, rtol=1e-11, atol=1e-13)


@given(st.data())
def test_any_expression_passes_the_gradient_check_to_second_order(data):
    f = data.draw(expressions(max_steps=6))
    xs = data.draw(points(f.inputs))
    assert ag.gradcheck(f, *xs, order=2, trials=1, rtol=1e-4)
    columns = [np.array([x, -0.5 * x, x + 0.3]) for x in xs]
    assert ag.gradcheck(f, *columns, trials=1, rtol=1e-4)


@given(st.data())
def test_any_expression_broadcasts_as_numpy_does(data):
    f = data.draw(expressions(max_steps=6))
    shapes = [(2, 1), (3,), (), (1, 3)]
    xs = [np.linspace(-1, 1, int(np.prod(shape))).reshape(shape) + 0.1 for shape in shapes[: f.inputs]]
    tensors = [ag.Tensor(x) for x in xs]
    f(*tensors).sum().backward()
    for tensor in tensors:
        if tensor.grad is not None:
            assert tensor.grad.shape == tensor.shape
    assert ag.gradcheck(lambda *xs: ag.sum(f(*xs)), *xs, trials=1, rtol=1e-4)


@given(st.data())
def test_forward_mode_is_the_transpose_of_reverse_mode(data):
    f = data.draw(expressions())
    xs = [np.array([x, 0.7 * x - 0.2]) for x in data.draw(points(f.inputs))]
    rng = np.random.default_rng(0)
    tangents = [rng.normal(size=2) for _ in xs]
    weights = rng.normal(size=2)
    _, pull = ag.vjp(f, *xs)
    value, pushed = ag.jvp(f, tuple(xs), tuple(tangents))
    assert np.shape(pushed) == np.shape(value)
    left = float(np.sum(weights * pushed))
    right = float(sum(np.sum(g * t) for g, t in zip(pull(weights), tangents, strict=True)))
    assert left == pytest.approx(right, rel=1e-9, abs=1e-9)


@given(st.data())
def test_hessians_are_symmetric_and_agree_with_hvp(data):
    f = data.draw(expressions(max_steps=8))
    xs = data.draw(points(f.inputs))
    hessian = ag.hessian(lambda x: f(*(x[i] for i in range(f.inputs))))(np.array(xs))
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-9, atol=1e-9)
    direction = np.arange(1.0, f.inputs + 1)
    product = ag.hvp(lambda x: f(*(x[i] for i in range(f.inputs))), np.array(xs), direction)
    np.testing.assert_allclose(product, hessian @ direction, rtol=1e-9, atol=1e-9)


@given(st.data())
def test_gradients_of_any_expression_are_those_of_torch(data):
    torch = pytest.importorskip("torch")
    xs = data.draw(points(3))

    def f(m, x, y, z):
        return m.exp(m.sin(x * y)) * m.tanh(z - x) / (1.5 + y * y) + m.sqrt(1.0 + x * x * z * z) * m.sigmoid(y)

    ours = [ag.Value(x) for x in xs]
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in xs]
    f(ag, *ours).backward()
    f(torch, *theirs).backward()
    assert [x.grad for x in ours] == pytest.approx([x.grad.item() for x in theirs], rel=1e-12, abs=1e-14)
    row = np.array(xs)
    hessian = ag.hessian(lambda v: f(ag, v[0], v[1], v[2]))(row)
    expected = torch.autograd.functional.hessian(lambda v: f(torch, v[0], v[1], v[2]), torch.tensor(row)).numpy()
    np.testing.assert_allclose(hessian, expected, rtol=1e-9, atol=1e-10)


# ---- The traversal is pure


@pytest.mark.parametrize("kind", [ag.Value, ag.Tensor])
def test_cotangents_store_nothing(kind):
    x = kind(3.0)
    y = x * x
    found = cotangents(y, 1.0 if kind is ag.Value else np.array(1.0))
    assert found[x] == 6.0
    assert np.all(x.grad == kind(0.0).grad)


def test_cotangents_stop_at_what_was_there_before():
    x = ag.Value(3.0)
    y = x * x
    since = ag.Value(0.0)._sequence
    z = y * 2.0
    assert list(cotangents(z, 1.0, since=since)) == [z, y]


def test_a_seed_weighs_the_derivative():
    x = ag.Value(3.0)
    (x * x).backward(0.5)
    assert x.grad == 3.0
    t = ag.Tensor([1.0, 2.0])
    (t * t).backward(np.array([1.0, 10.0]))
    assert t.grad.tolist() == [2.0, 40.0]


def test_sharing_is_accumulated_whatever_the_order():
    x = ag.Value(2.0)
    y = x + x
    z = y * x + y
    z.backward()  # 2x² + 2x
    assert x.grad == 10.0


def test_two_inputs_of_one_node_that_are_the_same_node():
    for kind in (ag.Value, ag.Tensor):
        x = kind(3.0)
        for f in (ag.mul, ag.add, ag.sub, ag.div, ag.maximum, ag.hypot, ag.atan2, ag.power):
            x.zero_grad()
            f(x, x).backward()
            expected = {"mul": 6, "add": 2, "sub": 0, "div": 0, "maximum": 1, "hypot": 2**0.5, "atan2": 0}
            assert float(x.grad) == pytest.approx(expected.get(f.name, 27 * (1 + np.log(3))), abs=1e-15)


def test_a_leaf_alone_has_the_seed_as_gradient():
    x = ag.Value(3.0)
    x.backward()
    assert x.grad == 1.0
