"""Constants of a graph that are changed before the derivative is computed: it is right, or an error."""

import gc
import threading

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import constants

SIZES = {"copied": 30, "barely copied": 8_192, "watched": 8_193, "well watched": 40_000}  # float64


def array(n, seed=0):
    return np.random.default_rng(seed).uniform(0.25, 0.75, n)


def right_or_refused(f, x, change, backward=lambda y, t: y.backward()):
    """`change`, between the forward pass of `f` and its derivative at `x`, leaves that right, or it raises."""
    t = ag.Tensor(x)
    expected = ag.grad(lambda t: f(t).sum())(x.copy())
    y = f(t).sum()
    change()
    try:
        backward(y, t)
    except RuntimeError as error:
        assert "was changed in place after the forward pass" in str(error)  # noqa: PT017  # one of two right answers
        return False
    np.testing.assert_allclose(t.grad, expected)
    return True


def negate(a):
    a *= -1.0


def fill(a):
    a[...] = 0.5


def first(a):
    a.flat[0] += 1.0


def last(a):
    a.flat[-1] = 7.0


def some(a):
    a.reshape(-1)[a.size // 2 : a.size // 2 + constants.STRIDE] += 1.0


def reverse(a):
    a[...] = a[::-1].copy()


def shuffle(a):
    np.random.default_rng(1).shuffle(a)


def by_out(a):
    np.add(a, 1.0, out=a)


def by_another_view(a):
    np.frombuffer(memoryview(a).cast("B"), a.dtype)[:] = 3.0


CHANGES = [negate, fill, first, last, some, reverse, shuffle, by_out, by_another_view, np.ndarray.sort]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("n", SIZES.values(), ids=SIZES)
def test_a_changed_constant_gives_the_right_derivative_or_an_error(n, change):
    a = array(n)
    small = right_or_refused(lambda t: t * a, array(n, 1), lambda: change(a))
    assert small == (a.nbytes <= constants.SMALL)


@pytest.mark.parametrize("n", SIZES.values(), ids=SIZES)
def test_what_is_not_changed_is_differentiated_as_often_as_one_likes(n):
    a = array(n)
    t = ag.Tensor(array(n, 1))
    y = (t * a).sum()
    for _ in range(2):
        y.backward()
    np.testing.assert_array_equal(t.grad, 2 * a)
    assert a.flags.writeable
    a[:] = 0.0  # of which, later, nobody asks a derivative: nothing is locked
    if a.nbytes <= constants.SMALL:
        y.backward()
    else:
        with pytest.raises(RuntimeError, match=r"an array of shape .* met a node in mul, was changed in place"):
            y.backward()
    assert np.count_nonzero(t.grad) == n


# What reads a constant: the operation, and the constant's shape for a t of (144, 64).
rows = np.random.default_rng(2)
READERS = {
    "mul": lambda t, a: t * a,
    "reflected": lambda t, a: a / t,
    "power": lambda t, a: t**a,
    "mod": lambda t, a: t % a,
    "maximum": ag.maximum,
    "hypot": lambda t, a: ag.hypot(a, t),
    "atan2": lambda t, a: np.arctan2(t, a),
    "condition of where": lambda t, a: ag.where(a, t, 2 * t),
    "condition of np.where": lambda t, a: np.where(a, t, 2 * t),
    "matmul": lambda t, a: t @ a.T,
    "reflected matmul": lambda t, a: a.T @ t,
    "np.dot": lambda t, a: np.dot(a.T, t),
    "einsum": lambda t, a: ag.einsum("ij,ij->i", a, t),
    "einsum of three": lambda t, a: ag.einsum("ij,ij,ij->j", a, t, a),
    "tensordot": lambda t, a: ag.tensordot(t, a, 2),
    "solve": lambda t, a: ag.solve(a[:64] + 9 * np.eye(64), t[:64]) * a[:64],
    "linear": lambda t, a: ag.arrays.linalg.linear(a, t, np.zeros(len(t._data))),
    "squared error": lambda t, a: nn.MSELoss()(t, a),
    "absolute error": lambda t, a: nn.L1Loss("sum")(t, a),
    "huber": lambda t, a: nn.HuberLoss(delta=0.1)(t, a),
    "logits": lambda t, a: nn.BCEWithLogitsLoss()(t, a),
    "probabilities": lambda t, a: nn.CrossEntropyLoss()(t, a),
    "user's": lambda t, a: scaled(t, a),
    "conv2d": lambda t, a: ag.conv2d(a.reshape(1, 1, -1, 64), t.reshape(-1, 1, 8, 8), stride=8),
    "index_update": lambda t, a: ag.index_update(a, slice(0, 3), t[:3]) * a,
    "concatenate": lambda t, a: ag.concatenate([t, a]) ** 2,
    "under a view": lambda t, a: t * a[::2].repeat(2, 0),
    "read-only view": lambda t, a: t * np.broadcast_to(a[:1], a.shape),
}


@ag.primitive
def scaled(x, by):
    return x * by


scaled.rule(lambda g, z, x, by: g * by)
scaled.rule(lambda g, z, x, by: g * x)


@pytest.mark.parametrize("inside", [False, True], ids=["before backward", "inside grad"])
@pytest.mark.parametrize("shape", [(144, 64), (16, 64)], ids=["watched", "copied"])
@pytest.mark.parametrize("reader", READERS)
def test_every_operation_that_reads_a_constant_is_right_or_refuses(reader, shape, inside):
    if shape[0] < 64 and reader in ("solve", "conv2d"):
        shape = (64, 64)
    f = READERS[reader]
    a, x = array(shape), array(shape, 1)
    if not inside:
        right_or_refused(lambda t: f(t, a) * 1.0, x, lambda: fill(a))
        return
    expected = ag.grad(lambda t: f(t, a).sum())(x)

    def changes(t):
        y = f(t, a).sum()
        fill(a)
        return y

    try:
        found = ag.grad(changes)(x)
    except RuntimeError as error:
        assert "was changed in place" in str(error)  # noqa: PT017  # one of two right answers
    else:
        np.testing.assert_allclose(found, expected)


PICKERS = {
    "index": lambda t, i: t[i],
    "take": lambda t, i: ag.take(t, i),
    "repeat": lambda t, i: ag.repeat(t, i),
    "take_along_axis": lambda t, i: ag.take_along_axis(t, i, 0),
    "index_update": lambda t, i: ag.index_update(t, i, 0.0),
    "mask": lambda t, i: t[i > 1],
    "embedding": lambda t, i: ag.index(t.reshape(4, 1), i),
    "labels": lambda t, i: nn.CrossEntropyLoss(reduction="sum")(t.reshape(1, -1).broadcast_to((4, 4)), i),
}


@pytest.mark.parametrize("picker", PICKERS)
def test_indices_and_labels_may_change_at_any_time(picker):
    i = np.array([3, 0, 1, 1])

    def change():
        i[:] = 2

    assert right_or_refused(lambda t: PICKERS[picker](t, i) * 1.0, array(4), change)


@pytest.mark.parametrize("n", SIZES.values(), ids=SIZES)
def test_an_argument_of_grad_that_the_function_changes_by_its_own_name_is_right_or_refused(n):
    given = array(n)

    def f(x):
        y = (x * x).sum()
        given[:] = 9.0
        return y

    expected = 2 * given
    try:
        found = ag.grad(f)(given)
    except RuntimeError as error:
        assert "that was given as an argument, was changed in place" in str(error)  # noqa: PT017  # one of two
    else:
        np.testing.assert_allclose(found, expected)


def test_a_function_does_not_change_its_argument_by_the_data_of_its_node():
    for n in SIZES.values():
        given = np.ones(n)

        def f(x):
            y = (x * x).sum()
            x.data[:] = 5.0
            return y

        assert ag.grad(f)(given)[0] == 2.0
        assert given[0] == 1.0


@pytest.mark.parametrize("n", SIZES.values(), ids=SIZES)
def test_forward_mode_and_pullbacks_are_right_or_refuse(n):
    a, x = array(n), array(n, 1)

    def f(t):
        y = t * a
        fill(a)
        return y.sum()

    for transform in (lambda: ag.jvp(f, (x,), (np.ones(n),))[1], lambda: np.sum(ag.vjp(f, x)[1](1.0))):
        a[:] = array(n)
        try:
            found = transform()
        except RuntimeError as error:
            assert "was changed in place" in str(error)  # noqa: PT017  # one of two right answers
        else:
            np.testing.assert_allclose(found, array(n).sum())
    _, pull = ag.vjp(lambda t: (t * a).sum(), x)
    before = pull(1.0)
    first(a)
    try:
        np.testing.assert_array_equal(pull(1.0), before)
    except RuntimeError as error:
        assert "was changed in place" in str(error)  # noqa: PT017  # one of two right answers


SECOND = {
    "two inputs": lambda t, a: t * t * a,
    "three inputs": lambda t, a: ag.einsum("i,i,i->i", t, t, a),
    "where": lambda t, a: ag.where(a > 0.0, t * t * np.abs(a), -t * t * np.abs(a)),
    "condition": lambda t, a: ag.where(a, t * t, t) * 1.0,
}


@pytest.mark.parametrize("f", SECOND.values(), ids=SECOND)
@pytest.mark.parametrize("n", SIZES.values(), ids=SIZES)
def test_a_second_derivative_is_right_or_refused(n, f):
    a, x = array(n), array(n, 1)
    expected = ag.grad(lambda t: ag.grad(lambda t: f(t, a).sum())(t).sum())(x)

    def changes(t):
        y = f(t, a).sum()
        a[...] = 0.0
        return y

    try:
        found = ag.grad(lambda t: ag.grad(changes)(t).sum())(x)
    except RuntimeError as error:
        assert "was changed in place" in str(error)  # noqa: PT017  # one of two right answers
    else:
        np.testing.assert_allclose(found, expected)


def test_a_buffer_that_is_filled_anew_for_each_batch_trains_as_arrays_of_their_own_do():
    data = np.random.default_rng(0).normal(size=(3, 64, 100)).astype(np.float32)
    weights = []
    for reuse in (False, True):
        model = nn.Linear(100, 1, rng=0)
        optimizer = nn.SGD(model.parameters(), lr=0.01)
        buffer = np.empty((64, 100), np.float32)
        for batch in data:
            x = batch
            if reuse:
                buffer[:] = batch  # the graph of the last loss is still there
                x = buffer
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
        weights.append(model.weight.data.copy())
    np.testing.assert_array_equal(*weights)


def test_what_shares_memory_with_a_constant_counts_as_the_constant():
    whole = array(18_000).reshape(2, 9_000)
    t = ag.Tensor(np.ones(9_000))
    y = (t * whole[1]).sum()
    whole[0] = 0.0
    y.backward()  # the other half
    whole[1] = 0.0
    with pytest.raises(RuntimeError, match="was changed in place"):
        y.backward()


@pytest.mark.parametrize("layout", [lambda a: a, np.transpose, lambda a: a[:, ::3], lambda a: a[::-1]])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.int8, np.int64, bool])
@pytest.mark.parametrize("shape", [(90, 300), (1500, 300)])
def test_dtypes_and_layouts_are_all_watched(shape, dtype, layout):
    a = layout(np.ones(shape, dtype))
    t = ag.Tensor(np.ones(a.shape))
    y = (t * a).sum()
    y.backward()
    a[...] = 0
    if a.nbytes <= constants.SMALL:
        y.backward()
    else:
        with pytest.raises(RuntimeError, match="was changed in place"):
            y.backward()


def test_lists_as_constants_may_change():
    numbers = [1.0, 2.0]
    assert right_or_refused(lambda t: ag.mul(t, numbers), np.ones(2), lambda: numbers.reverse())
    assert right_or_refused(lambda t: scaled(t, numbers), np.ones(2), lambda: numbers.reverse())


def test_constants_of_which_no_rule_reads_an_element_may_change():
    a = array(9_000)
    for f in (lambda t: t + a, lambda t: t - a, lambda t: a - t, lambda t: ag.stack([t, a])):
        assert right_or_refused(lambda t: f(t) * 1.0, array(9_000, 1), lambda: negate(a))  # noqa: B023  # called here


@pytest.mark.parametrize("n", [9_000, 40_000, 900_000])
def test_a_few_elements_of_a_large_array_may_change_unnoticed_and_no_more(n):
    # The documented limit: any run of STRIDE elements, or of one in SAMPLES, is noticed, and any change near an end.
    run = max(constants.STRIDE, n // constants.SAMPLES)
    a, t = np.ones(n), ag.Tensor(np.ones(n))
    y = (t * a).sum()
    first = -(-constants.ENDS // run) * run + 1
    a[first : first + run - 1] = 5.0
    y.backward()
    assert t.grad[first] == 5.0
    for start in (0, 1, 5, constants.ENDS - 1, first, first + 7, n // 2, n - run, n - 1):
        y = (t * a).sum()
        near = min(start, n - 1 - start) < constants.ENDS
        a[start : start + (1 if near else run)] += 1.0
        with pytest.raises(RuntimeError, match="was changed in place"):
            y.backward()


def test_what_a_primitive_captures_by_itself_is_not_seen():
    # The documented limit: constants are what an operation is given as arguments.
    a = np.ones(2)
    op = ag.primitive(lambda x: x * a, lambda g, z, x: g * a)
    t = ag.Tensor([1.0, 1.0])
    y = op(t).sum()
    a[:] = 3.0
    y.backward()
    assert t.grad.tolist() == [3.0, 3.0]


def test_nothing_is_remembered_once_the_graph_is_gone_also_after_an_exception():
    a = array(9_000)

    def fails(t):
        (t * a).sum()
        raise ZeroDivisionError

    gc.collect()
    before = len(constants.watched)
    y = ag.Tensor(array(9_000)) * a
    assert len(constants.watched) == before + 1
    del y
    with pytest.raises(ZeroDivisionError):
        ag.grad(fails)(array(9_000))
    gc.collect()
    assert len(constants.watched) == before
    assert a.flags.writeable
    a[0] = 1.0


def test_threads_may_share_a_constant():
    a = array(9_000)
    wrong = []

    def work(seed):
        x = array(9_000, seed)
        for _ in range(30):
            if not np.array_equal(ag.grad(lambda t: (t * t * a).sum())(x), 2 * x * a):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_without_recording_nothing_is_copied_or_watched():
    a = array(9_000)
    with ag.no_grad():
        y = ag.Tensor(a) * a
    assert y.op is None
    assert not any(array is a for entry in constants.watched.values() for array, _ in entry.constants)
