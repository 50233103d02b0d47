"""Every elementwise operation: its value by `math` and NumPy, its derivatives by finite differences, to order two."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.elementwise import ELEMENTWISE
from autograd.graph import Primitive
from tests.rules import scaled
from tests.strategies import CONSTANT, ROWS, arrays, scalars

NAMES = sorted(ELEMENTWISE)
DIFFERENTIABLE = [name for name in NAMES if name not in CONSTANT]
RULES = [(name, i) for name in DIFFERENTIABLE for i, rule in enumerate(ELEMENTWISE[name].rules) if rule is not None]

every_operation = pytest.mark.parametrize("name", NAMES)
every_differentiable = pytest.mark.parametrize("name", DIFFERENTIABLE)


def test_every_operation_has_a_row():
    assert sorted(ROWS) == NAMES


def test_the_constant_operations_are_those_without_a_rule():
    assert {name for name in NAMES if ELEMENTWISE[name].nondifferentiable} == CONSTANT


@every_operation
@given(data=st.data())
def test_on_floats_it_gives_what_math_gives(name, data):
    args = data.draw(scalars(name))
    result = ELEMENTWISE[name](*args)
    assert type(result) is float
    assert result == pytest.approx(ROWS[name].by_math(*args), rel=1e-14, abs=1e-15)


@every_operation
def test_on_scalars_of_numpy_it_gives_what_it_gives_on_floats(name):
    op = ELEMENTWISE[name]
    for args in itertools.product([0.0, 1.0, -2.0, 3.0], repeat=len(op.rules)):
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(float(op(*map(np.float64, args))), op(*args), rtol=1e-14)


@every_operation
@given(data=st.data())
def test_on_arrays_it_gives_what_numpy_gives(name, data):
    args = data.draw(arrays(name))
    np.testing.assert_allclose(ELEMENTWISE[name](*args), ROWS[name].by_numpy(*args), rtol=1e-13, atol=1e-15)


@every_differentiable
@given(data=st.data())
def test_floats_values_and_tensors_agree(name, data):
    op, args = ELEMENTWISE[name], data.draw(scalars(name))
    values, tensors = [ag.Value(x) for x in args], [ag.Tensor(x) for x in args]
    by_value, by_tensor = op(*values), op(*tensors)
    assert type(by_value) is ag.Value
    assert type(by_tensor) is ag.Tensor
    assert by_value.data == op(*args)
    assert by_tensor.item() == pytest.approx(op(*args), rel=1e-14, abs=1e-15)
    by_value.backward()
    by_tensor.backward()
    for value, tensor, rule in zip(values, tensors, op.rules, strict=True):
        if rule is not None:
            assert value.grad == pytest.approx(tensor.grad.item(), rel=1e-13, abs=1e-15)


@every_differentiable
@given(data=st.data())
def test_its_derivatives_of_floats_are_those_of_finite_differences(name, data):
    assert ag.gradcheck(_of_varying(name, args := data.draw(scalars(name))), *_varying(name, args), order=2)


@every_differentiable
@given(data=st.data())
def test_its_derivatives_of_arrays_are_those_of_finite_differences(name, data):
    assert ag.gradcheck(_of_varying(name, args := data.draw(arrays(name))), *_varying(name, args), order=2, trials=1)


def _varying(name, args):
    return args[1:] if name == "where" else args


def _of_varying(name, args):
    """The operation as a function of the arguments that it can be differentiated by."""
    return (lambda x, y: ag.where(args[0], x, y)) if name == "where" else ELEMENTWISE[name]


@every_differentiable
@given(data=st.data())
def test_gradients_do_not_depend_on_the_memory_layout(name, data):
    args = data.draw(arrays(name))
    op = ELEMENTWISE[name]
    tensors, copies = [ag.Tensor(x) for x in args], [ag.Tensor(np.array(x, order="C")) for x in args]
    op(*tensors).sum().backward()
    op(*copies).sum().backward()
    for tensor, copy in zip(tensors, copies, strict=True):
        if tensor.grad is not None:
            assert tensor.grad.shape == tensor.shape
            np.testing.assert_allclose(tensor.grad, copy.grad, rtol=1e-13, atol=1e-13)


@every_operation
@given(data=st.data())
def test_float32_in_float32_out(name, data):
    args = [x.astype(np.float32) for x in data.draw(arrays(name))]
    expected = ELEMENTWISE[name](*(x.astype(float) for x in args))
    for operands in (args, [ag.Tensor(x) for x in args]):
        result = ELEMENTWISE[name](*operands)
        result = result.data if isinstance(result, ag.Tensor) else np.asarray(result)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, expected, rtol=2e-5, atol=2e-6)


@every_differentiable
@given(data=st.data())
def test_gradients_of_float32_are_float32_and_those_of_float64_up_to_rounding(name, data):
    singles = [x.astype(np.float32) for x in data.draw(arrays(name))]
    narrow, wide = [ag.Tensor(x) for x in singles], [ag.Tensor(x.astype(float)) for x in singles]
    ELEMENTWISE[name](*narrow).sum().backward()
    ELEMENTWISE[name](*wide).sum().backward()
    for x, y, rule in zip(narrow, wide, ELEMENTWISE[name].rules, strict=True):
        if rule is not None:
            assert x.grad.dtype == np.float32
            assert x.grad.shape == x.shape
            np.testing.assert_allclose(x.grad, y.grad, rtol=1e-4, atol=1e-4)


@every_operation
def test_on_a_python_scalar_and_a_float32_tensor_it_stays_float32(name):
    scalars = [0.25] * (len(ROWS[name].domains) - 1)
    result = ELEMENTWISE[name](*scalars, ag.Tensor(np.float32([1.5 if name == "acosh" else 0.5])))
    assert result.dtype == np.float32


@pytest.mark.parametrize("name", sorted(CONSTANT))
def test_constant_operations_of_nodes_give_plain_numbers_and_arrays(name):
    n = len(ELEMENTWISE[name].rules)
    assert type(ELEMENTWISE[name](*[ag.Value(1.5)] * n)) is float
    assert type(ELEMENTWISE[name](*[ag.Tensor([1.5])] * n)) is np.ndarray


# ---- Against another library


TORCH_NAMES = {
    "mod": "remainder",
    "abs": "abs",
    "erf": "erf",
    "erfc": "erfc",
    "softplus": None,
    "relu": "relu",
    "cbrt": None,
    "where": None,
}


@pytest.mark.parametrize("name", [name for name in DIFFERENTIABLE if TORCH_NAMES.get(name, name)])
@given(data=st.data())
def test_gradients_are_those_of_torch(name, data):
    torch = pytest.importorskip("torch")
    known = {
        "identity": torch.clone,
        "power": torch.pow,
        "ratio": torch.div,
        "times": torch.mul,
        "quotient": torch.div,
        "cosine": lambda x, y: x / torch.hypot(x, y),
        "cosquare": lambda x: 1.0 - x * x,
    }
    reference = known.get(name) or getattr(torch, TORCH_NAMES.get(name, name))
    args = data.draw(arrays(name))
    ours = [ag.Tensor(x) for x in args]
    theirs = [torch.tensor(np.array(x), requires_grad=True) for x in args]
    ELEMENTWISE[name](*ours).sum().backward()
    reference(*theirs).sum().backward()
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(x.grad, y.grad.numpy(), rtol=1e-10, atol=1e-12)


# ---- These tests can fail


POINTS = {"acosh": (1.75,), "mod": (3.5, 1.02), "fmod": (3.5, 1.02), "power": (1.75, 1.25), "where": (1.0, 0.75, 0.5)}


def _point(name):
    return POINTS.get(name, (0.625, 0.375)[: len(ROWS[name].domains)])


@pytest.mark.parametrize(("name", "i"), RULES)
def test_a_rule_that_is_wrong_by_one_percent_is_found(name, i):
    op = ELEMENTWISE[name]
    point = _point(name)
    rules = op.rules
    checks = {
        "where": lambda x, y: ag.where(np.array([True, False]), x, y),
        "maximum": lambda x, y: ag.maximum(x, y * np.array([0.1, 10.0])),
        "minimum": lambda x, y: ag.minimum(x, y * np.array([0.1, 10.0])),
    }
    f = checks.get(name, op)
    args = point[1:] if name == "where" else point
    assert ag.gradcheck(f, *args)
    op.set_rules((*rules[:i], scaled(rules[i]), *rules[i + 1 :]))
    try:
        with pytest.raises(ag.GradientError) as caught:
            ag.gradcheck(f, *args)
    finally:
        op.set_rules(rules)
    assert type(caught.value) is ag.GradientError
    assert ag.gradcheck(f, *args)


def test_an_operation_names_itself():
    assert repr(ag.exp) == "<primitive exp>"
    assert all(isinstance(op, Primitive) and op.name == name for name, op in ELEMENTWISE.items())


def test_the_mixed_derivative_of_a_power_is_right_at_exponent_zero():
    mixed = ag.grad(lambda x: ag.grad(lambda y: x**y)(0.0))  # of x**y log(x), at y = 0
    other_way = ag.grad(lambda y: ag.grad(lambda x: x**y)(4.0))  # of y x**(y-1), at y = 0
    assert mixed(4.0) == 0.25
    assert other_way(0.0) == 0.25


# ---- clip, which is two of them


@given(st.floats(-5, 5), st.floats(-2, 0), st.floats(0, 2))
def test_clip_keeps_within_bounds(x, low, high):
    assert ag.clip(x, low, high) == min(max(x, low), high)
    assert ag.clip(x, low) == max(x, low)
    assert ag.clip(x, high=high) == min(x, high)
    assert ag.clip(x) == x


def test_clip_has_slope_one_within_and_zero_beyond():
    gradient = ag.grad(lambda x: ag.clip(x, -1.0, 1.0).sum())(np.array([-2.0, 0.5, 3.0]))
    assert gradient.tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("name", ["sigmoid", "softplus"])
def test_of_arrays_it_is_what_it_is_of_floats(name):
    f = ELEMENTWISE[name]
    x = np.array([-np.inf, -1e308, -746.0, -710.0, -40.0, -1e-300, -0.0, 0.0, 0.5, 40.0, 710.0, 1e308, np.inf, np.nan])
    np.testing.assert_allclose(f(x), [f(float(v)) for v in x], rtol=1e-15, atol=0)
    np.testing.assert_allclose(f(np.arange(4, dtype=np.uint8)), [f(float(v)) for v in range(4)], rtol=1e-15)
    with pytest.raises(TypeError, match="must be real numbers"):
        f(np.array([1j]))


def test_erf_without_scipy_is_that_of_math(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "scipy.special", None)
    x = np.array([[-1.0, 0.0, 0.5]], np.float32)
    for ours, theirs in ((ag.erf, math.erf), (ag.erfc, math.erfc)):
        result = ours(x)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result[0], [theirs(v) for v in x[0]], rtol=1e-6)


@pytest.mark.parametrize("name", [name for name in NAMES if len(ELEMENTWISE[name].rules) > 1])
def test_an_operation_of_two_numbers_takes_no_fewer(name):
    for kind in (float, ag.Value, ag.Tensor):
        with pytest.raises((TypeError, ValueError)):
            ELEMENTWISE[name](kind(2.0))


# ---- Far out, where a difference of nearly equal numbers would be left: (function, its first two derivatives), exactly

TAILS = {
    "asin": (ag.asin, 1e-20, (1.0, 1e-20)),
    "acos": (ag.acos, 1e-20, (-1.0, -1e-20)),
    "atanh": (ag.atanh, 1e-20, (1.0, 2e-20)),
    "acosh": (ag.acosh, 1e200, (1e-200, 0.0)),
    "expm1": (ag.expm1, -40.0, (math.exp(-40), math.exp(-40))),
    "hypot": (lambda x: ag.hypot(x, 1e-10), 1.0, (1.0, 1e-20)),
    "hypot of much": (lambda x: ag.hypot(x, 1e200), 1e200, (0.5**0.5, 8**-0.5 * 1e-200)),
    "atan2": (lambda y: ag.atan2(y, 1e-150), 1e-150, (5e149, -5e299)),
}


@pytest.mark.parametrize("name", TAILS)
def test_second_derivatives_in_the_tails(name):
    f, x, (first, second) = TAILS[name]
    assert ag.grad(f)(x) == pytest.approx(first, rel=1e-14, abs=0)
    assert ag.grad(ag.grad(f))(x) == pytest.approx(second, rel=1e-14, abs=0)
