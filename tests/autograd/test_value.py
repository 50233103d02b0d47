"""`Value`: arithmetic as with floats, also with other types, and errors that say what to do."""

import copy
import math
import operator
import pickle
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
from autograd import Tensor, Value
from autograd.graph import NO_GRADIENT
from tests.bits import same_bits, ulps_apart
from tests.strategies import between

BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.mod,
]  # fmt: skip
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]

# ---- Arithmetic


@pytest.mark.parametrize("op", BINARY)
@given(between(0.25, 3), between(0.25, 3))
def test_operators_compute_what_those_of_floats_do_on_either_side(op, x, y):
    expected = op(x, y)
    assert op(Value(x), Value(y)).data == expected
    assert op(Value(x), y).data == expected
    assert op(x, Value(y)).data == expected
    assert op(Value(x), np.float64(y)).data == expected
    assert op(np.float64(x), Value(y)).data == expected


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize(("x", "y"), [(2, 3), (7, 2), (1, 5), (True, 2)])
def test_operators_take_integers_on_either_side(op, x, y):
    expected = float(op(float(x), float(y)))
    for result in (op(Value(x), y), op(x, Value(y)), op(Value(x), Value(y)), op(np.int64(x), Value(y))):
        assert type(result) is Value
        assert type(result.data) is float
        assert result.data == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("op", BINARY)
@given(between(0.5, 3), between(0.5, 3))
def test_operators_have_the_same_derivatives_on_either_side(op, x, y):
    both = [Value(x), Value(y)]
    op(*both).backward()
    for i in range(2):
        alone = Value((x, y)[i])
        (op(alone, y) if i == 0 else op(x, alone)).backward()
        assert alone.grad == pytest.approx(both[i].grad, rel=1e-14)


def test_two_to_the_power_of_a_value():
    v = Value(3.0)
    (2**v).backward()
    assert v.grad == pytest.approx(8 * math.log(2))


def test_a_value_to_its_own_power():
    v = Value(3.0)
    (v**v).backward()
    assert v.grad == pytest.approx(27 * (1 + math.log(3)))


@pytest.mark.parametrize("exponent", [2, 2.0, 3, -1, 0.5, 0, 1, True])
def test_powers_with_constant_exponents(exponent):
    v = Value(1.7)
    (v**exponent).backward()
    assert (Value(1.7) ** exponent).data == pytest.approx(1.7**exponent)
    assert v.grad == pytest.approx(exponent * 1.7 ** (exponent - 1), abs=1e-15)


def test_unary_operators():
    v = Value(-2.0)
    assert (-v).data == 2.0
    assert +v is v
    assert abs(v).data == 2.0
    assert (v // 3) == -1.0


def test_floor_division_gives_a_plain_number():
    assert type(Value(7.0) // 2) is float
    assert 7 // Value(2.0) == 3.0


def test_augmented_assignment_makes_a_new_node():
    v = w = Value(2.0)
    w += 1.0
    w *= 3.0
    assert (v.data, w.data) == (2.0, 9.0)
    w.backward()
    assert v.grad == 3.0


def test_sums_of_pythons_own():
    values = [Value(x) for x in (1.0, 2.0, 3.0)]
    total = sum(values)
    assert total.data == 6.0
    total.backward()
    assert [v.grad for v in values] == [1.0, 1.0, 1.0]
    assert max(values) is values[2]
    assert min(values) is values[0]
    assert sorted(values, reverse=True) == [3.0, 2.0, 1.0]
    assert math.prod(values).data == 6.0


METHODS = [
    "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "square", "abs", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "atanh", "sigmoid", "softplus", "relu", "erf", "erfc",
]  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("kind", [Value, Tensor])
def test_methods_are_the_functions(name, kind):
    x = kind(0.5)
    result, same = getattr(x, name)(), getattr(ag, name)(x)
    assert result.op is same.op
    assert same_bits(result.data, same.data).all()
    assert (
        ulps_apart([float(result.data)], [float(getattr(ag, name)(0.5))]) <= 4
    )  # NumPy's and math's are not the same to the last bit


def test_methods_of_two_arguments():
    x, y = Value(3.0), Value(4.0)
    assert x.hypot(y).data == 5.0
    assert x.maximum(y).data == 4.0
    assert x.minimum(y).data == 3.0
    assert x.atan2(y).data == math.atan2(3, 4)
    assert x.clip(0.0, 1.0).data == 1.0
    assert x.where(False, y).data == 4.0
    assert x.sign() == 1.0
    assert Value(1.5).floor() == 1.0
    assert Value(1.5).ceil() == 2.0
    assert Value(3.0).acosh().data == math.acosh(3)


# ---- Comparisons and identity


@pytest.mark.parametrize("op", COMPARISONS)
@given(st.integers(-2, 2), st.integers(-2, 2))
def test_comparisons_are_those_of_the_numbers(op, x, y):
    expected = op(x, y)
    for result in (op(Value(x), Value(y)), op(Value(x), y), op(x, Value(y)), op(Value(x), float(y))):
        assert result is expected


def test_hashing_is_by_identity():
    v, w = Value(1.0), Value(1.0)
    assert v == w
    assert {v: "v", w: "w"}[w] == "w"
    assert len({v, w, v}) == 2


def test_truth_is_that_of_the_number():
    assert Value(0.5)
    assert not Value(0.0)


# ---- In company


def test_numpys_scalars_keep_it_a_value():
    v = Value(2.0)
    for scalar in (np.float64(3.0), np.float32(3.0), np.int64(3)):
        for result in (v * scalar, scalar * v, v + scalar, scalar - v):
            assert type(result) is Value
            assert type(result.data) is float


@pytest.mark.parametrize("other", [np.array([1.0, 2.0]), Tensor([1.0, 2.0])], ids=["ndarray", "Tensor"])
def test_an_array_makes_it_a_tensor(other):
    for op in (operator.mul, operator.add, operator.sub, operator.truediv, operator.pow):
        for swap in (False, True):
            v = Value(3.0)
            result = op(other, v) if swap else op(v, other)
            assert type(result) is Tensor
            result.sum().backward()
            assert type(v.grad) is float
            x = np.array([1.0, 2.0])
            slope = ag.grad(lambda t, op=op, x=x, swap=swap: ag.sum(op(x, t) if swap else op(t, x)))(3.0)
            assert v.grad == pytest.approx(slope)
    assert ag.gradcheck(lambda v, x: v * x + x**v, 3.0, np.array([1.0, 2.0]), order=2)


def test_numpys_ufuncs_record():
    v = Value(0.5)
    y = np.sin(v)
    assert type(y) is Value
    y.backward()
    assert v.grad == math.cos(0.5)
    assert type(np.add(v, 1.0)) is Value
    assert type(np.multiply(2.0, v)) is Value
    assert np.greater(v, 0.0)
    assert np.isfinite(v)


def test_object_arrays_of_values_compute_with_numpy():
    v, w = Value(2.0), Value(3.0)
    vector = np.array([v, w])
    assert vector.dtype == object
    y = vector @ np.array([10.0, 100.0])
    assert type(y) is Value
    y.backward()
    assert (v.grad, w.grad) == (10.0, 100.0)
    assert (vector * v)[1].data == 6.0
    assert (v * vector)[1].data == 6.0
    assert (vector + vector).sum().data == 10.0
    assert np.sin(vector)[0].data == math.sin(2.0)
    assert (np.array([[v, w], [w, v]]) @ vector)[0].data == 13.0


def test_functions_take_whatever_there_is_and_give_their_own_kind():
    for x, kind in (
        (0.5, float),
        (1, float),
        (np.array([0.5]), np.ndarray),
        (Value(0.5), Value),
        (Tensor(0.5), Tensor),
    ):
        assert type(ag.sin(x)) is kind
    assert isinstance(ag.sin(np.float64(0.5)), float)


# ---- Data, grad, label


def test_data_is_a_float_and_can_be_set():
    v = Value(3)
    assert type(v.data) is float
    v.data = 4.0
    assert (v * v).data == 16.0
    assert v.item() == 4.0


def test_label_and_repr():
    v = Value(2.0, label="x")
    assert repr(v) == "Value(data=2.0, grad=0.0, label='x')"
    assert repr(v * v) == "Value(data=4.0, grad=0.0)"
    assert (v * v).label is None


def test_detach_forgets_the_past():
    v = Value(2.0, "x")
    w = (v * v).detach()
    assert w.op is None
    assert w.data == 4.0
    (w * v).backward()
    assert v.grad == 4.0


def test_leaves_can_be_copied_and_pickled_and_results_say_why_not():
    v = Value(2.0, "x")
    v.grad = 3.0
    for w in (copy.copy(v), copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        assert (w.data, w.grad, w.label) == (2.0, 3.0, "x")
        assert w is not v
    for f in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match=r"with a graph cannot be copied or pickled: use \.detach"):
            f(v * v)


# ---- What is not a number


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("a", "Value needs a real number, got str 'a'"),
        (1j, "Value needs a real number, got complex"),
        (None, "Value needs a real number, got NoneType"),
        ([1.0], "use ag.Tensor for arrays"),
        (np.array([1.0, 2.0]), "use ag.Tensor for arrays"),
        (np.complex128(1), "Value needs a real number"),
        (Value(1.0), "would detach it from its graph"),
    ],
)
def test_what_is_not_a_real_number_is_refused_at_the_door(data, message):
    with pytest.raises(TypeError, match=message):
        Value(data)


def test_zero_dimensional_arrays_and_numpys_scalars_are_numbers():
    for data in (np.array(2), np.array(2.0), np.float32(2), np.int8(2), True):
        assert type(Value(data).data) is float


@pytest.mark.parametrize("other", ["a", None, [1.0], 1j, np.complex128(1j), {}])
@pytest.mark.parametrize("op", [operator.add, operator.mul, operator.pow, operator.truediv])
def test_operators_with_what_is_not_a_number_are_type_errors(op, other):
    with pytest.raises(TypeError):
        op(Value(1.0), other)
    with pytest.raises(TypeError):
        op(other, Value(1.0))


@pytest.mark.parametrize("kind", [Value, Tensor])
@pytest.mark.parametrize(
    ("f", "message"),
    [
        (float, r"would detach this \w+ from its graph: use .item\(\) for the number, or ag.sin"),
        (math.sin, "in place of math.sin"),
        (math.exp, "ag.sin and its kin"),
        (int, r"int\(\) would detach"),
        (complex, "is real"),
    ],
    ids=["float", "math.sin", "math.exp", "int", "complex"],
)
def test_conversions_that_would_detach_say_so(f, message, kind):
    with pytest.raises(TypeError, match=message):
        f(kind(1.0))


def test_an_in_place_operation_on_an_array_says_what_to_write():
    a = np.ones(2)
    with pytest.raises(TypeError, match=r"write `a = a \+ t` in place of `a \+= t`"):
        a += Value(1.0)


# ---- Programs written for micrograd run, and agree with it


STEPS = [
    lambda a, b: a + b,
    lambda a, b: a * b * 0.3,
    lambda a, b: a - b,
    lambda a, b: a / (b * b + 1),
    lambda a, b: (a * a + 0.5) ** -0.5,
    lambda a, b: b**2 * 0.1,
    lambda a, b: (a * b).relu(),
    lambda a, b: -a + 2,
    lambda a, b: 1 - b,
    lambda a, b: 3 / (a**2 + 2),
]


def micrograd_expression(seed, leaf):
    """A random expression in micrograd's vocabulary."""
    rng = random.Random(seed)
    leaves = [leaf(rng.uniform(0.2, 2.0)) for _ in range(3)]
    results = list(leaves)
    for _ in range(15):
        results.append(rng.choice(STEPS)(rng.choice(results), rng.choice(results[-4:])))
    return leaves, sum(results)


@pytest.mark.parametrize("seed", range(30))
def test_expressions_agree_with_micrograd(seed):
    engine = pytest.importorskip("micrograd.engine")
    ours, y = micrograd_expression(seed, Value)
    theirs, z = micrograd_expression(seed, engine.Value)
    y.backward()
    z.backward()
    assert y.data == pytest.approx(z.data, rel=1e-12)
    assert [v.grad for v in ours] == pytest.approx([v.grad for v in theirs], rel=1e-9, abs=1e-9)


def test_the_example_of_micrograds_readme_gives_its_numbers():
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert f"{g.data:.4f} {a.grad:.4f} {b.grad:.4f}" == "24.7041 138.8338 645.5773"


@pytest.mark.parametrize("wrong", ["1", 1j, None, [1.0]])
def test_setting_the_data_to_something_else_than_a_number_is_refused_at_once(wrong):
    v = Value(1.0)
    with pytest.raises(TypeError, match="Value needs a real number"):
        v.data = wrong
    assert v.data == 1.0


def test_data_is_a_python_float_whatever_number_it_was_set_to():
    v = Value(1.0)
    v.data = np.float64(0.0)
    assert type(v.data) is float
    assert (1 / v).data == float("inf")  # and no warning from NumPy


def test_setting_the_data_of_a_result_is_refused_since_its_rule_reads_it():
    y = Value(1.0).tanh()
    with pytest.raises(TypeError, match=r"set a leaf's, or \.detach\(\) it first"):
        y.data = 0.5


@pytest.mark.parametrize(
    "kind", [float, int, np.float64, np.float32, np.int64, np.array, lambda x: np.array(x, np.float32)]
)
@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow", "mod"])
def test_a_value_and_a_number_in_any_form_make_a_value(name, kind):
    f = getattr(operator, name)
    for found, expected in (
        (f(Value(3.0), kind(2)), f(3.0, 2.0)),
        (f(kind(2), Value(3.0)), f(2.0, 3.0)),
        (ag.hypot(Value(3.0), kind(4)), 5.0),
        (ag.where(np.array(True), Value(3.0), kind(2)), 3.0),
        (np.maximum(kind(2), Value(3.0)), 3.0),
    ):
        assert type(found) is Value
        assert found.data == expected


def test_an_array_of_no_axes_may_change_after_it_met_a_value():
    a = np.array(2.0)
    x = Value(3.0)
    y = ag.where(a, x * a, x) * a
    a[...] = 0.0
    y.backward()
    assert x.grad == 4.0


# ---- No gradient yet, and a gradient of zero


def made():
    """A Value of each way to make one."""
    x, y = ag.Value(2.0), ag.Value(3.0)
    with ag.no_grad():
        yield "without recording", x * y
    yield "a leaf", ag.Value(1)
    yield "an operator", x * y
    yield "an operator and a number", x + 1.0
    yield "a number and an operator", 1.0 - x
    yield "a function", ag.tanh(x)
    yield "a method", x.exp()
    yield "a dot", ag.dot([x, y], [y, x])
    yield "a dot with a start", ag.dot([x], [2.0], start=y)
    yield "a sum", ag.sum([x, y])
    yield "two arguments", ag.atan2(x, y)
    yield "three arguments", ag.where(1.0, x, y)
    yield "a number of NumPy's", x * np.float64(2.0)
    yield "one of many", ag.prod([x, y, x])
    yield "detached", (x * y).detach()
    yield "of a neuron", nn.scalar.Neuron(2, rng=0)([x, y])
    yield "a weight", nn.scalar.Neuron(2, rng=0).w[0]
    with ag.detect_anomaly():
        yield "observed", x * y


MADE = dict(made())


@pytest.mark.parametrize("how", MADE)
def test_a_value_has_no_gradient_until_a_backward_pass_reaches_it(how):
    x = MADE[how]
    assert x.grad is NO_GRADIENT
    assert (x.grad, repr(x.grad)) == (0.0, "0.0")
    (x * 0.0).backward()
    assert x.grad == 0.0
    assert x.grad is not NO_GRADIENT
    x.zero_grad()
    assert x.grad is NO_GRADIENT


def test_a_gradient_of_zero_is_none_of_no_gradient():
    x, y, other = ag.Value(-1.0), ag.Value(2.0), ag.Value(3.0)
    (x.relu() * y).backward()
    assert [v.grad for v in (x, y, other)] == [0.0, 0.0, 0.0]
    assert [v.grad is NO_GRADIENT for v in (x, y, other)] == [False, False, True]
    model = nn.scalar.MLP(2, [2, 1], rng=0)
    model([0.0, 0.0]).backward()
    assert not any(p.grad is NO_GRADIENT for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is NO_GRADIENT for p in model.parameters())


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_have_a_gradient_if_the_original_has(copied):
    x = ag.Value(2.0)
    assert copied(x).grad is NO_GRADIENT
    (x * 0.0).backward()
    assert copied(x).grad == 0.0
    assert copied(x).grad is not NO_GRADIENT
    x.grad = 1.5
    assert copied(x).grad == 1.5


def test_pickles_of_earlier_versions_load():
    x = ag.Value.__new__(ag.Value)
    x.__init__(2.0)
    x.__setstate__({"grad": 0.0, "parameter": True})
    assert (x.grad, x._is_parameter()) == (0.0, True)
