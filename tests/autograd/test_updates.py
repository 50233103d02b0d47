"""Augmented assignments: a parameter changes in place or raises, and any other node is replaced by a new one."""

import copy
import operator
import pickle

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.modes import recording
from autograd.scalars import learned
from nn import Parameter

AUGMENTED = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "//=": operator.ifloordiv,
    "%=": operator.imod,
    "**=": operator.ipow,
}
KINDS = {
    "Parameter": lambda: Parameter([2.0, -3.0]),
    "float32": lambda: Parameter(np.array([2.0, -3.0], np.float32)),
    "no axes": lambda: Parameter(2.5),
    "Value": lambda: learned(ag.Value(2.5)),
}
PLAIN = {
    "float": 0.75,
    "int": 2,
    "float64": np.float64(0.75),
    "float32": np.float32(0.75),
    "int64": np.int64(2),
    "bool": True,
    "array of no axes": np.array(0.75),
}

every_operator = pytest.mark.parametrize("update", AUGMENTED.values(), ids=AUGMENTED)
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@every_operator
@every_kind
@pytest.mark.parametrize("other", PLAIN.values(), ids=PLAIN)
def test_under_no_grad_a_parameter_becomes_what_a_plain_array_would(kind, update, other):
    p = kind()
    with np.errstate(all="ignore"):
        expected = np.asarray(update(np.array(p._data), other), np.asarray(p._data).dtype)
    q = p
    with ag.no_grad():
        q = update(q, other)
    assert q is p
    np.testing.assert_allclose(p.data, expected, rtol=1e-6 if expected.dtype == np.float32 else 1e-15)
    assert np.asarray(p._data).dtype == expected.dtype
    assert p.op is None


@every_operator
@every_kind
@pytest.mark.parametrize("other", PLAIN.values(), ids=PLAIN)
def test_where_operations_are_recorded_an_update_is_an_error_with_both_cures(kind, update, other):
    p = kind()
    before = np.array(p._data)
    with pytest.raises(TypeError, match=r"with ag.no_grad\(\):.*p.data -= 0.1 \* p.grad.*an optimizer"):
        update(p, other)
    np.testing.assert_array_equal(p._data, before)


@every_operator
@every_kind
@pytest.mark.parametrize("recorded", [True, False])
def test_with_a_node_on_the_right_there_is_a_new_node(kind, update, recorded):
    p, w = kind(), ag.Value(0.75)
    before = np.array(p._data)
    for other in (w, w * 1.0, ag.Tensor(np.full(np.shape(p._data), 0.75)), learned(ag.Value(0.75)), Parameter(0.75)):
        out = p
        with recording(recorded), np.errstate(invalid="ignore"):  # a power of a negative number is nan
            out = update(out, other)
        assert out is not p
        np.testing.assert_array_equal(p._data, before)
        if recorded and update not in (operator.ifloordiv,):
            assert out.op is not None


@every_operator
def test_on_other_nodes_there_is_a_new_node(update):
    for x in (
        ag.Value(2.5),
        ag.Tensor([2.5, 3.0]),
        ag.Value(2.5) * 1.0,
        ag.Tensor([2.5]) * 1.0,
        learned(ag.Value(2.5)) * 1.0,
    ):
        before = np.array(x._data)
        for other in (0.75, 2, np.float64(0.75), np.array(0.75), ag.Value(0.75)):
            y = x
            y = update(y, other)
            assert y is not x
            plain = other.data if isinstance(other, ag.Value) else other
            np.testing.assert_allclose(
                y if isinstance(y, (float, np.ndarray)) else y.data, update(before.copy(), plain)
            )
            np.testing.assert_array_equal(x._data, before)


def test_a_sum_that_grows_and_an_argument_of_grad_are_new_nodes():
    x = ag.Value(3.0)
    total = ag.Value(0.0)
    for _ in range(3):
        total += x * x
    total.backward()
    assert x.grad == 18.0

    def f(x):
        x += 1
        x *= x
        return x

    assert ag.grad(f)(2.0) == 6.0
    assert ag.grad(lambda x: f(x).sum())(np.array([2.0])).tolist() == [6.0]


def test_a_square_by_augmented_power_is_one():
    x = ag.Value(3.0)
    y = x
    y **= 2
    assert y.op.name == (x**2).op.name == "square"


@pytest.mark.parametrize("make", [lambda: nn.Linear(3, 2, rng=0), lambda: nn.scalar.MLP(3, [2, 1], rng=0)])
def test_descent_written_with_minus_equals_learns(make):
    def loss_of(model):
        out = model([0.5, -1.0, 2.0])
        return (out._data.ndim and ag.sum(out * out)) if isinstance(out, ag.Tensor) else out * out

    by_equals, by_data = make(), make()
    for model in (by_equals, by_data):
        for _ in range(5):
            for p in model.parameters():
                p.zero_grad()
            loss_of(model).backward()
            if model is by_equals:
                with ag.no_grad():
                    for p in model.parameters():
                        p -= 0.1 * p.grad
            else:
                for p in model.parameters():
                    p.data -= 0.1 * p.grad
    for p, q in zip(by_equals.parameters(), by_data.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
    for p in by_equals.parameters():
        with pytest.raises(TypeError, match="would lose the update"):
            p -= 0.1 * p.grad


def test_a_layers_parameter_under_another_name_is_never_changed_by_nodes():
    layer = nn.Linear(1, 2, rng=0)
    before = layer.bias.data.copy()
    for mode in (ag.no_grad, lambda: recording(True)):
        out = layer.bias
        with mode():
            out += layer.weight[:, 0] * ag.Tensor(np.ones(2, np.float32))
        np.testing.assert_array_equal(layer.bias.data, before)
        assert out is not layer.bias


@pytest.mark.parametrize("hold", ["nobody", "a graph", "the caller", "both", "an optimizer"])
def test_an_update_leaves_older_graphs_right_and_shows_wherever_the_array_is_held(hold):
    p = Parameter(np.array([1.0, 2.0]))
    optimizer = nn.SGD([p], lr=1.0)
    if hold == "an optimizer":
        p.grad = np.zeros(2)
        optimizer.step()
    kept = p.data if hold in ("the caller", "both") else None
    y = (p * p).sum() if hold in ("a graph", "both") else None
    with ag.no_grad():
        p -= np.array([0.5, 0.5])
    assert p.data.tolist() == [0.5, 1.5]
    if kept is not None:
        assert kept.tolist() == [0.5, 1.5]
    p.zero_grad()
    if y is not None:
        y.backward()
        assert p.grad.tolist() == [2.0, 4.0]
    p.grad = np.ones(2)
    optimizer.step()
    assert p.data.tolist() == [-0.5, 0.5]
    with ag.no_grad():
        p += 1.0
    optimizer.step()
    assert p.data.tolist() == [-0.5, 0.5]


def test_after_an_update_a_parameter_is_not_copied_by_every_forward_pass():
    p = Parameter([1.0, 2.0])
    nn.SGD([p], lr=0.1)  # which gives it an array that nobody else holds
    for _ in range(2):
        (p * p).sum().backward()
        with ag.no_grad():
            p -= 0.1 * p.grad
    held = p._data
    assert (p * p)._x is held


def test_what_changes_the_shape_or_is_no_real_number_is_an_error():
    p, v = Parameter(np.ones((2, 3), np.float32)), learned(ag.Value(1.0))
    with ag.no_grad():
        for other in (np.ones((4, 2, 3)), np.ones((2, 2, 3))):
            with pytest.raises(ValueError, match=r"add in place of a parameter of shape \(2, 3\) gives shape"):
                p += other
        with pytest.raises(ValueError, match=r"add: shape \(2, 3\) and shape \(4,\)"):
            p += np.ones(4)
        with pytest.raises(ValueError, match=r"sub in place of a Value needs one number, got an array of shape \(1,\)"):
            v -= np.ones(1)
        for other in (1j, np.array([1j, 2j, 3j]), "1", None):
            for q in (p, v):
                with pytest.raises(TypeError):
                    q += other
    assert p.dtype == np.float32
    assert p.data.tolist() == np.ones((2, 3)).tolist()
    assert v.data == 1.0


def test_matrices_are_multiplied_in_place_too():
    p = Parameter(np.array([[1.0, 2.0], [3.0, 4.0]]))
    a = np.array([[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(TypeError, match="would lose the update"):
        p @= a
    with ag.no_grad():
        q = p
        q @= a
        assert q is p
        with pytest.raises(ValueError, match="gives shape"):
            p @= np.ones((2, 3))
    assert p.data.tolist() == [[2.0, 1.0], [4.0, 3.0]]
    q = p
    q @= ag.Tensor(a)
    assert q is not p


def test_copies_of_what_is_learned_are_learned():
    model = nn.scalar.MLP(2, [2, 1], rng=0)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        for p in other.parameters():
            with pytest.raises(TypeError, match="would lose the update"):
                p -= 0.5
    value = ag.Value(1.0)
    assert not copy.deepcopy(value)._is_parameter()
    assert not value.detach()._is_parameter()


def test_no_parameter_is_taken_for_an_element():
    model = nn.Linear(2, 1, rng=0)
    with pytest.raises(TypeError, match="elements cannot be set"):
        model.weight[0] -= 0.5
    before = model.weight.data.copy()
    with pytest.raises(TypeError, match="detach it from its graph"):
        np.subtract(model.weight, 0.5, out=model.weight)
    np.testing.assert_array_equal(model.weight.data, before)
