"""`Tensor`: its construction, what it has in common with an ndarray, and where the two differ."""

import copy
import pickle

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Tensor

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])

# ---- Making one


@pytest.mark.parametrize(
    "data", [1.0, 2, [1.0, 2.0], [[1, 2], [3, 4]], (1.0, 2.0), np.float32(1), np.ones((2, 0)), True]
)
def test_any_real_array_will_do(data):
    t = Tensor(data)
    expected = np.asarray(data)
    assert t.shape == expected.shape
    assert t.dtype == (expected.dtype if expected.dtype.kind == "f" else float)
    np.testing.assert_array_equal(t.data, expected)


def test_floats_are_shared_and_not_copied():
    x = np.ones(3)
    assert Tensor(x).data is x


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ("a", TypeError, "Tensor needs real numbers"),
        (["a", "b"], TypeError, "Tensor needs real numbers"),
        (1j, TypeError, "Tensor needs real numbers, got complex128"),
        (None, TypeError, "Tensor needs real numbers, got object"),
        ([[1.0], [1.0, 2.0]], ValueError, "rows of one length, got a ragged list"),
        (Tensor([1.0]), TypeError, "would detach it from its graph"),
        (ag.Value(1.0), TypeError, "would detach it from its graph"),
        ([ag.Value(1.0), 2.0], TypeError, "use ag.stack for a list of nodes"),
        ({}, TypeError, "Tensor needs real numbers"),
    ],
)
def test_what_is_not_a_real_array_is_refused_at_the_door(data, error, message):
    with pytest.raises(error, match=message):
        Tensor(data)


def test_a_list_of_tensors_is_refused():
    with pytest.raises(TypeError, match=r"ag\.stack"):
        Tensor([Tensor([1.0]), Tensor([2.0])])


# ---- As an array


def test_it_has_the_attributes_of_an_array():
    t = Tensor(X)
    assert (t.shape, t.ndim, t.size, t.dtype, len(t)) == ((2, 3), 2, 6, np.dtype(float), 2)
    assert Tensor(2.5).item() == 2.5
    assert t.tolist() == X.tolist()
    assert [row.tolist() for row in t] == X.tolist()
    np.testing.assert_array_equal(t.T.data, X.T)
    np.testing.assert_array_equal(Tensor(np.ones((2, 3, 4))).mT.shape, (2, 4, 3))


METHODS = {
    "sum": lambda t: (t.sum(), t.sum(0), t.sum(axis=1, keepdims=True)),
    "mean": lambda t: (t.mean(), t.mean(0), t.mean(axis=(0, 1))),
    "var": lambda t: (t.var(), t.var(0), t.var(axis=1, ddof=1)),
    "std": lambda t: (t.std(), t.std(0), t.std(axis=1, ddof=1)),
    "max": lambda t: (t.max(), t.max(0), t.max(axis=1, keepdims=True)),
    "min": lambda t: (t.min(), t.min(0)),
    "prod": lambda t: (t.prod(), t.prod(1)),
    "cumsum": lambda t: (t.cumsum(), t.cumsum(1)),
    "argmax": lambda t: (t.argmax(), t.argmax(1)),
    "argmin": lambda t: (t.argmin(), t.argmin(0)),
    "reshape": lambda t: (t.reshape(3, 2), t.reshape((6,)), t.reshape(-1), t.reshape([2, -1])),
    "ravel": lambda t: (t.ravel(), t.flatten()),
    "transpose": lambda t: (t.transpose(), t.transpose(1, 0), t.transpose((0, 1)), t.T),
    "swapaxes": lambda t: (t.swapaxes(0, 1),),
    "squeeze": lambda t: (t.squeeze(), t[:1].squeeze(0)),
    "repeat": lambda t: (t.repeat(2), t.repeat(2, 1)),
    "take": lambda t: (t.take([0, 5]), t.take([0, 2], 1)),
    "diagonal": lambda t: (t.diagonal(), t.diagonal(1)),
    "trace": lambda t: (t.trace(), t.trace(1)),
    "dot": lambda t: (t.dot(np.ones(3)), t.dot(np.ones((3, 2)))),
    "astype": lambda t: (t.astype(np.float32), t.astype(float)),
    "getitem": lambda t: (t[0], t[:, 1], t[-1, -1], t[..., None], t[[0, 0]], t[np.array([True, False])]),
    "matmul": lambda t: (t @ np.ones(3), np.ones(2) @ t, t @ t.T),
}


@pytest.mark.parametrize("use", METHODS.values(), ids=METHODS)
def test_methods_are_those_of_arrays(use):
    for ours, theirs in zip(use(Tensor(X)), use(X), strict=True):
        data = ours.data if isinstance(ours, Tensor) else ours
        assert np.asarray(data).dtype == np.asarray(theirs).dtype
        np.testing.assert_allclose(data, theirs)


@pytest.mark.parametrize("use", [f for name, f in METHODS.items() if name not in ("argmax", "argmin", "astype")])
def test_methods_record(use):
    assert ag.gradcheck(lambda t: use(t) if isinstance(t, Tensor) else use(np.asarray(t)), X, trials=1)


def test_methods_that_arrays_lack_are_the_functions():
    t = Tensor(X)
    np.testing.assert_array_equal(t.norm().data, ag.norm(X))
    np.testing.assert_array_equal(t.logsumexp(1).data, ag.logsumexp(X, 1))
    np.testing.assert_array_equal(t.softmax().data, ag.softmax(X))
    np.testing.assert_array_equal(t.log_softmax(0).data, ag.log_softmax(X, 0))
    np.testing.assert_array_equal(t.expand_dims(1).data, X[:, None])
    np.testing.assert_array_equal(t.broadcast_to((4, 2, 3)).data, np.broadcast_to(X, (4, 2, 3)))
    assert [part.tolist() for part in t.split(2)] == [X[:1].tolist(), X[1:].tolist()]


def test_iterating_over_a_scalar_is_an_error():
    with pytest.raises(TypeError):
        list(Tensor(1.0))


def test_truth_and_hash_and_membership():
    t = Tensor([1.0])
    assert bool(t)
    assert {t: 1}[t] == 1
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Tensor([1.0, 2.0]))


def test_repr_shows_data_dtype_and_label():
    assert repr(Tensor([1.0, 2.0])) == "Tensor([1., 2.])"
    assert repr(Tensor(np.float32([1.0]), label="w")) == "Tensor([1.], dtype=float32, label='w')"


# ---- backward


def test_backward_of_what_is_not_a_scalar_says_what_to_do():
    with pytest.raises(ValueError, match=r"backward\(\) needs a scalar, got shape \(2, 3\): reduce with .sum\(\)"):
        (Tensor(X) * 2).backward()


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_backward_of_one_element_needs_no_gradient(shape):
    t = Tensor(np.full(shape, 3.0))
    (t * t).backward()
    assert t.grad.shape == shape
    assert t.grad.item() == 6.0


def test_backward_with_a_gradient_of_another_shape_is_an_error():
    with pytest.raises(ValueError, match=r"backward\(\) of shape \(2, 3\) needs a gradient of that shape, got \(3,\)"):
        (Tensor(X) * 2).backward(np.ones(3))


def test_the_gradient_may_be_a_list_or_a_tensor():
    t = Tensor([1.0, 2.0])
    (t * t).backward([1.0, 10.0])
    (t * t).backward(Tensor([1.0, 10.0]))
    assert t.grad.tolist() == [4.0, 80.0]


def test_broadcast_inputs_get_gradients_of_their_own_shape():
    x, row, column, scalar, value = Tensor(X), Tensor(np.ones(3)), Tensor(np.ones((2, 1))), Tensor(2.0), ag.Value(3.0)
    (x * row + column * scalar + value).sum().backward()
    assert x.grad.tolist() == np.ones((2, 3)).tolist()
    assert row.grad.tolist() == X.sum(0).tolist()
    assert column.grad.tolist() == [[6.0], [6.0]]
    assert scalar.grad.shape == ()
    assert scalar.grad == 6.0
    assert value.grad == 6.0


# ---- Shape errors name the operation and both shapes


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda t: t + np.ones(2), r"add: shape \(2, 3\) and shape \(2,\)"),
        (lambda t: np.ones(2) * t, r"mul: shape \(2,\) and shape \(2, 3\)"),
        (lambda t: t @ t, r"matmul: shape \(2, 3\) and shape \(2, 3\)"),
        (lambda t: t.reshape(4), r"reshape\(shape=\(4,\)\): shape \(2, 3\)"),
        (
            lambda t: ag.concatenate([t, Tensor(np.ones((2, 2)))]),
            r"concatenate\(axis=0\): shape \(2, 3\) and shape \(2, 2\)",
        ),
        (lambda t: ag.stack([t, Tensor(np.ones(2))]), r"stack\(axis=0\): shape \(2, 3\) and shape \(2,\)"),
        (lambda t: t.broadcast_to((4, 4)), r"broadcast_to\(shape=\(4, 4\)\): shape \(2, 3\)"),
        (lambda t: ag.tensordot(t, t, 1), r"tensordot: shapes \(2, 3\) and \(2, 3\)"),
        (lambda t: ag.einsum("ij,jk->ik", t, t), r"einsum\(subscripts=ij,jk->ik\): shape \(2, 3\) and shape \(2, 3\)"),
        (lambda t: t.split(2, 1), r"split: an axis of length 3 does not divide into 2"),
        (lambda t: t.sum(axis=2), "axis 2"),
    ],
)
def test_shapes_that_do_not_fit(f, message):
    with pytest.raises(ValueError, match=message):
        f(Tensor(X))


# ---- What would detach, and what cannot be done


def test_turning_it_into_an_array_says_what_to_do():
    for f in (np.asarray, np.array, lambda t: np.array([t, t])):
        with pytest.raises(TypeError, match="would detach it from its graph: use"):
            f(Tensor(X))


def test_setting_an_element_says_what_to_do():
    with pytest.raises(TypeError, match=r"use t = ag.index_update\(t, key, value\)"):
        Tensor(X)[0] = 1.0


def test_an_index_that_is_a_node_says_what_to_do():
    with pytest.raises(TypeError, match=r"an index must be integers.*take its .numpy\(\).astype\(int\)"):
        Tensor(X)[Tensor([0.0])]


def test_complex_results_are_refused():
    with pytest.raises(TypeError, match="only real numbers have derivatives"):
        Tensor(X) * np.array(1j)


def test_a_cast_to_integers_says_what_to_do():
    with pytest.raises(TypeError, match="would detach"):
        Tensor(X).astype(int)


def test_a_cast_keeps_the_gradient_in_the_dtype_of_its_input():
    t = Tensor(X)
    t.astype(np.float32).sum().backward()
    assert t.grad.dtype == float


def test_a_result_cannot_be_copied_or_pickled_and_a_leaf_can():
    t = Tensor(X, label="w")
    t.grad = np.ones_like(X)
    for other in (copy.copy(t), copy.deepcopy(t), pickle.loads(pickle.dumps(t))):
        np.testing.assert_array_equal(other.data, X)
        np.testing.assert_array_equal(other.grad, t.grad)
        assert other.label == "w"
        assert other.data is not t.data
    for f in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="with a graph cannot be copied or pickled"):
            f(t * 2)


def test_detach_forgets_the_past():
    t = Tensor(X)
    d = (t * 2.0).detach()
    assert d.op is None
    (d * t).sum().backward()
    np.testing.assert_array_equal(t.grad, 2 * X)


# ---- Mixed with Values


def test_a_tensor_with_a_value_is_a_tensor_and_both_get_gradients():
    assert ag.gradcheck(lambda v, x: ag.sum(x * v + v / x - x**v), 1.5, X, order=2)


@pytest.mark.parametrize(
    "f",
    [
        lambda v: ag.reshape(v, (1, 1)),
        lambda v: ag.broadcast_to(v, (2, 3)),
        lambda v: ag.expand_dims(v, 0),
        lambda v: ag.stack([v, v * v]),
        lambda v: ag.concatenate([ag.stack([v]), [1.0, 2.0]]),
        lambda v: ag.tile(v, 3),
        lambda v: ag.pad(ag.stack([v, v]), 1),
        lambda v: ag.dot(v, X),
        lambda v: ag.softmax(ag.stack([v, 1.0, v * v])),
    ],
)
def test_operations_on_arrays_take_a_value_for_an_array_without_axes(f):
    assert ag.gradcheck(f, 1.5, order=2)


def test_lists_are_taken_for_arrays_beside_tensors():
    t = Tensor([1.0, 2.0])
    ag.concatenate([[5.0, 6.0], t, [7.0]]).sum().backward()
    assert t.grad.tolist() == [1.0, 1.0]
    y = ag.matmul([[1.0, 2.0], [3.0, 4.0]], t)
    assert y.tolist() == [5.0, 11.0]


# ---- Complex numbers

COMPLEX = [1 + 1j, np.complex128(1 + 1j), np.array(1 + 1j), np.array([1 + 1j, 2.0]), np.complex64([1j, 2]), [1j, 2.0]]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bad", COMPLEX, ids=repr)
@pytest.mark.parametrize("good", [Tensor([0.5, 0.7]), Tensor(0.5), ag.Value(0.5)], ids=["tensor", "0-d", "value"])
@pytest.mark.parametrize(
    "call",
    [
        lambda x, bad: x + bad,
        lambda x, bad: bad - x,
        lambda x, bad: x * bad,
        lambda x, bad: bad / x,
        lambda x, bad: x**bad,
        lambda x, bad: bad**x,
        lambda x, bad: x // bad,
        lambda x, bad: bad % x,
        lambda x, bad: ag.maximum(x, bad),
        lambda x, bad: ag.atan2(bad, x),
        lambda x, bad: ag.where(True, x, bad),
        lambda x, bad: ag.where(False, bad, x),
        lambda x, bad: np.multiply(bad, x),
        lambda x, bad: np.add(x, bad),
        lambda x, bad: np.hypot(x, bad),
        lambda x, bad: ag.clip(x, bad, None),
        lambda x, bad: ag.stack([x, bad]),
        lambda x, bad: ag.concatenate([ag.reshape(x, (-1,)), bad]),
        lambda x, bad: ag.dot([x], [bad]),
        lambda x, bad: ag.sum([x, bad]),
        lambda x, bad: (x * 1.0).backward(bad),
        lambda x, bad: x._unbroadcast(bad),
        lambda x, bad: type(x)(bad),
        lambda x, bad: setattr(type(x)(x.data), "data", bad),
        lambda x, bad: ag.cast(bad, np.float32),
        lambda x, bad: ag.sigmoid(bad),
        lambda x, bad: ag.jacobian(ag.primitive(lambda x: x, lambda g, z, x: g * np.asarray(bad).ravel()[0]))(x),
    ],
)
def test_complex_numbers_never_lose_a_part_in_silence(call, good, bad):
    with pytest.raises(TypeError):
        call(good, bad)


def test_a_gradient_given_to_backward_stays_the_callers():
    x = Tensor([1.0, 2.0])
    seed = np.ones(2)
    y = x * 1.0
    y.backward(seed)
    y.grad += 5.0
    assert seed.tolist() == [1.0, 1.0]


def test_what_a_tensor_cannot_be_made_of_or_lose_is_said():
    with pytest.raises(TypeError, match=r"use ag\.stack for a list of nodes"):
        Tensor([ag.Value(1.0), 2.0])
    with pytest.raises(TypeError, match=r"got object of shape \(\)$"):
        Tensor(None)
    with pytest.raises(TypeError, match=r"cannot be deleted.*t\[mask\]"):
        del Tensor([1.0, 2.0])[0]


@pytest.mark.parametrize(("before", "after"), [((3,), ()), ((), (3,)), ((3,), (1, 3)), ((2, 3), (3, 2))])
@pytest.mark.parametrize("kind", [Tensor, nn.Parameter])
def test_data_of_another_shape_leaves_no_gradient_to_an_older_graph(kind, before, after):
    t = kind(np.ones(before))
    y = (t * 2.0).sum()
    t.data = np.ones(after)
    with pytest.raises(RuntimeError, match="was changed after the forward pass that used it"):
        y.backward()
    (t * 2.0).sum().backward()
    np.testing.assert_array_equal(t.grad, np.full(after, 2.0))


def test_a_gradient_to_which_none_can_be_added_is_an_error_of_ours():
    t = Tensor([1.0, 2.0])
    t.grad = np.ones(2, int)
    with pytest.raises(TypeError, match=r"has as gradient an array of shape \(2,\) and int64"):
        (t * t).sum().backward()


VIEWS = {
    "itself": lambda a: a,
    "a slice": lambda a: a[1:],
    "a slice of a slice": lambda a: a[1:][:1],
    "the transpose": lambda a: a.T,
    "another shape": lambda a: a.reshape(-1),
    "another dtype": lambda a: a.view(np.uint8),
    "a buffer": memoryview,
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", ">f8"])
def test_a_leaf_knows_whether_anybody_still_has_what_its_data_returned(view, dtype):
    x = Tensor(np.zeros((2, 3), dtype))
    x._own(np.ones((2, 3), dtype))
    assert x.data.sum() == 6
    assert x._lent_array() is None
    kept = VIEWS[view](x.data)
    assert x._lent_array() is x.data
    assert np.shares_memory(np.asarray(kept), x._data)
    del kept
    assert x._lent_array() is None


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (2, 3)])
def test_data_that_was_kept_shows_and_sets_the_values_until_a_graph_needs_them(shape):
    x = Tensor(np.zeros(shape))
    x._own(np.ones(shape))
    kept = x.data
    assert kept is x.data
    assert kept.shape == shape
    y = (x * x).sum()
    kept[...] = 3.0
    x.data *= 2
    np.testing.assert_array_equal(x.data, np.full(shape, 6.0))
    assert kept is x.data
    y.backward()
    np.testing.assert_array_equal(x.grad, np.full(shape, 2.0))
    del kept
    y = (x * x).sum()  # reads the array itself, for nobody else has it
    x.data[...] = 0.0
    x.zero_grad()
    y.backward()
    np.testing.assert_array_equal(x.grad, np.full(shape, 12.0))
