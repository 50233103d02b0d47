"""A kernel takes arrays as a ufunc does: of any length, shape, layout and dtype, and gives results in the same form."""

import math
import threading
from typing import NamedTuple

import numpy as np
import pytest

import autograd as ag
from tests.bits import same_bits

both = pytest.mark.parametrize("backend", ["numpy", "native"])


def some(x, y):
    """Several results, of which one does not vary, one is an input, and one is in parts."""
    return x * y + 1.0, {"same": 2.5, "first": x}, [ag.where(x > y, x, y) - 0.25]


def flat(result):
    return [result[0], result[1]["same"], result[1]["first"], result[2][0]]


@both
@pytest.mark.parametrize("count", range(34))
def test_every_length(backend, count):
    x, y = np.random.default_rng(count).normal(size=(2, count))
    result = ag.compile(some, backend=backend)(x, y)
    expected = [x * y + 1.0, np.full(count, 2.5), x, np.maximum(x, y) - 0.25]
    assert all(same_bits(r, z).all() and r.shape == (count,) for r, z in zip(flat(result), expected, strict=True))
    if count:
        assert flat(ag.compile(some, backend=backend)(float(x[-1]), float(y[-1]))) == [z[-1] for z in expected]


@both
@pytest.mark.parametrize("count", range(1, 34))
def test_every_length_reduced(backend, count):
    x = np.random.default_rng(count).normal(size=count)
    for reduce, share in (("sum", 1), ("mean", count)):
        result = ag.compile(some, reduce=reduce, backend=backend)(x, 0.5)
        expected = [x * 0.5 + 1.0, np.full(count, 2.5), x, np.maximum(x, 0.5) - 0.25]
        assert all(type(r) is float for r in flat(result))
        np.testing.assert_allclose(flat(result), [math.fsum(z) / share for z in expected], rtol=1e-14, atol=1e-14)


@both
def test_nothing_has_a_sum_of_zero_and_a_mean_of_nan(backend):
    assert ag.compile(lambda x: (x * x, 2.0), reduce="sum", backend=backend)(np.zeros(0)) == (0.0, 0.0)
    assert math.isnan(ag.compile(lambda x: x * x, reduce="mean", backend=backend)(np.zeros(0)))


@both
@pytest.mark.parametrize(
    "shapes",
    [[(3, 1), (4,)], [(), (2, 3)], [(2, 3), ()], [(1,), (1,)], [(2, 1, 3), (5, 1)], [(0, 2), (1, 2)], [(1, 4), (4,)]],
)
def test_shapes_broadcast(backend, rng, shapes):
    x, y = (rng.normal(size=shape) for shape in shapes)
    result = ag.compile(some, backend=backend)(x, y)
    shape = np.broadcast_shapes(*shapes)
    assert all(r.shape == shape for r in flat(result))
    assert same_bits(result[0], x * y + 1.0).all()
    assert same_bits(result[1]["first"], np.broadcast_to(x, shape)).all()


def test_shapes_that_do_not_broadcast_are_numpys_error():
    with pytest.raises(ValueError, match=r"shape mismatch.*\(3,\).*\(4,\)|broadcast"):
        ag.compile(lambda x, y: x + y)(np.zeros(3), np.zeros(4))


LAYOUTS = {
    "strided": lambda x: np.repeat(x, 3, axis=-1)[..., ::3],
    "reversed": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "transposed": lambda x: x.T.copy().T,
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
    "read only": lambda x: np.frombuffer(x.tobytes()).reshape(x.shape),
    "big-endian": lambda x: x.astype(">f8"),
    "field": lambda x: np.rec.fromarrays([np.ones(x.shape, "i1"), x]).f1,
    "float32": lambda x: x.astype("f4"),
    "integers": lambda x: (x * 9).astype("i2"),
    "bools": lambda x: x > 0,
    "list": lambda x: x,
}


@both
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("count", [5, 700])  # the second is not copied into place
def test_layouts_and_dtypes(backend, rng, layout, count):
    given = [LAYOUTS[layout](rng.normal(size=(2, count))) for _ in range(2)]
    before = [x.copy() for x in given]
    columns = ag.compile(lambda x, y: (x * y, x - y), backend=backend)
    kind = np.float32 if layout == "float32" else np.float64
    for parts in (given, [x[0] for x in given], [x[:, 1] for x in given], [given[0], np.asarray(given[1])[:, :1]]):
        x, y = (np.asarray(part, float) for part in parts)
        product, difference = columns(*parts)
        assert product.dtype == difference.dtype == kind
        assert same_bits(product, (x * y).astype(kind)).all()
        assert same_bits(difference, (x - y).astype(kind)).all()
    assert all((x == z).all() for x, z in zip(given, before, strict=True))


@both
def test_results_are_new_and_writable_arrays(backend):
    kernel = ag.compile(lambda x, y: (x, x, y, x * 2.0, x * 2.0), backend=backend)
    for count in (3, 900):
        x = np.arange(float(count))
        results = kernel(x, 1.0)
        for n, result in enumerate(results):
            assert not any(np.shares_memory(result, other) for other in (x, *results[:n]))
            result[...] = -1.0
        assert kernel(x, 1.0)[3].tolist() == (2.0 * np.arange(count)).tolist()


@both
def test_float32_is_computed_in_float64(backend):
    x = np.array([1e8, 3.0], np.float32)
    result = ag.compile(lambda x: (x + 1.0) - x, backend=backend)(x)
    assert result.dtype == np.float32
    assert result.tolist() == [1.0, 1.0]
    assert ag.compile(lambda x, y: x * y, backend=backend)(x, 2.0).dtype == np.float32
    assert ag.compile(lambda x, y: x * y, backend=backend)(x, np.ones(2)).dtype == np.float64
    assert ag.compile(lambda x, y: x * y, backend=backend)(x, np.ones(2, int)).dtype == np.float64


@both
@pytest.mark.parametrize("number", [3, 3.0, np.float64(3.0), np.array(3.0), np.int64(3), np.array(3), np.uint8(3)])
def test_any_number_gives_a_float(backend, number):
    kernel = ag.compile(lambda x: x / 2, backend=backend)
    for _ in range(2):
        result = kernel(number)
        assert (type(result), result) == (float, 1.5)
    assert type(kernel(np.float32(3.0))) is np.float32


@both
def test_kinds_of_arguments_may_alternate(backend):
    kernel = ag.compile(lambda x, y: x * y, backend=backend)
    calls = [(2.0, 3.0), (np.arange(3.0), 2.0), (2, 3.0), (2.0, np.arange(2.0)), (np.float32(2), np.float32(3))]
    for _ in range(3):
        for x, y in calls:
            assert (kernel(x, y) == np.asarray(x, float) * y).all()
    assert repr(kernel) == "<compiled <lambda>: 1 path>"


@both
def test_threads_call_one_kernel_that_none_has_called_before(backend, rng):
    kernel = ag.compile(lambda x, y: x * y if x > y else ag.where(y > 1.0, x, -y), backend=backend)
    columns = rng.normal(size=(8, 2, 60))
    results = [None] * 8

    def call(n):
        results[n] = kernel(*columns[n])

    threads = [threading.Thread(target=call, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for (x, y), result in zip(columns, results, strict=True):
        assert same_bits(result, np.where(x > y, x * y, np.where(y > 1.0, x, -y))).all()


# ---- Structures


class Pair(NamedTuple):
    x: object
    y: object


@both
def test_arguments_and_results_may_be_trees(backend):
    def f(tree, *, scale, more=None, flag=True):
        first, (second, none) = tree["first"], tree["rest"]
        assert none is None
        assert more is None
        return {"sum": [first + second], "pair": Pair(first * scale, (second, None)), "flag": 1.0 if flag else 2.0}

    kernel = ag.compile(f, backend=backend)
    for _ in range(2):
        result = kernel({"first": 2.0, "rest": [3.0, None]}, scale=10.0)
        assert result == {"sum": [5.0], "pair": Pair(20.0, (3.0, None)), "flag": 1.0}
        assert type(result["pair"]) is Pair
    assert kernel({"first": 2.0, "rest": [3.0, None]}, scale=10.0, flag=False)["flag"] == 2.0
    result = kernel({"first": np.arange(3.0), "rest": (3.0, None)}, scale=np.array([[1.0], [2.0]]))
    assert result["pair"].x.tolist() == [[0.0, 1.0, 2.0], [0.0, 2.0, 4.0]]
    assert result["sum"][0].shape == result["flag"].shape == (2, 3)


@both
def test_a_named_tuple_comes_as_what_it_is(backend):
    kernel = ag.compile(lambda pair: pair.x - pair.y, backend=backend)
    assert kernel(Pair(3.0, 1.0)) == kernel(Pair(3.0, 1.0)) == 2.0


@both
@pytest.mark.parametrize("empty", [(), [], {}])
def test_there_may_be_nothing_to_give(backend, empty):
    kernel = ag.compile(lambda x: empty, backend=backend)
    assert kernel(1.0) == kernel(1.0) == kernel(np.ones(3)) == empty
    assert ag.compile(lambda: (1.0, empty), backend=backend)() == (1.0, empty)


# ---- Vectors by signature


@both
@pytest.mark.parametrize("loop", [(), (1,), (5,), (2, 3)])
def test_vectors_and_matrices_come_as_object_arrays(backend, rng, loop):
    def f(w, m, x):
        return m @ x * w[0], ag.sum(x * w), np.array([[x[0], 1.0]])

    kernel = ag.compile(f, signature="(n),(k,n),(n)->(k),(),(1,2)", backend=backend)
    w, m, x = rng.normal(size=3), rng.normal(size=(2, 3)), rng.normal(size=(*loop, 3))
    for _ in range(2):
        vector, total, constant = kernel(w, m, x)
        np.testing.assert_allclose(vector, x @ m.T * w[0], rtol=1e-13)
        np.testing.assert_allclose(total, x @ w, rtol=1e-12, atol=1e-14)
        assert constant.shape == (*loop, 1, 2)
        assert (constant[..., 0, 1] == 1.0).all()
        assert (constant[..., 0, 0] == x[..., 0]).all()


@both
@pytest.mark.parametrize("count", [2, 5])
def test_a_vector_that_does_not_vary_is_repeated_over_the_batch(backend, count):
    kernel = ag.compile(lambda w, x: w * 2.0, signature="(p),()->(p)", backend=backend)
    assert kernel(np.array([1.0, 3.0]), np.zeros(count)).tolist() == [[2.0, 6.0]] * count
    reduced = ag.compile(lambda w, x: w * 2.0, signature="(p),()->(p)", backend=backend, reduce="mean")
    assert reduced(np.array([1.0, 3.0]), np.zeros(count)).tolist() == [2.0, 6.0]


@both
def test_loops_of_vectors_broadcast(backend, rng):
    x, y = rng.normal(size=(4, 1, 3)), rng.normal(size=(5, 3))
    result = ag.compile(lambda x, y: ag.dot(list(x), list(y)), signature="(n),(n)->()", backend=backend)(x, y)
    np.testing.assert_allclose(result, (x * y).sum(axis=-1), rtol=1e-12, atol=1e-14)


@both
def test_a_signature_takes_lists_for_arrays(backend):
    kernel = ag.compile(lambda x, y: x * y[0], signature="(),(2)->()", backend=backend)
    assert kernel([1.0, 2.0], [3.0, 0.0]).tolist() == [3.0, 6.0]
    assert ag.compile(lambda x: x * 2.0, signature="()->()", backend=backend)([1.0, 2.0]).tolist() == [2.0, 4.0]


@both
def test_an_empty_vector_among_the_results(backend):
    kernel = ag.compile(lambda x: (np.array([], object), x), backend=backend)
    for _ in range(2):
        empty, x = kernel(2.0)
        assert (empty.shape, x) == ((0,), 2.0)
    assert kernel(np.ones(3))[0].shape == (3, 0)


@both
@pytest.mark.parametrize("x", [1j, np.array([1j]), np.array(["a"]), 10**400, object()])
def test_what_is_not_real_is_refused(backend, x):
    with pytest.raises(TypeError, match="is compiled for real numbers and arrays of them, got"):
        ag.compile(lambda x: x * 2.0, backend=backend)(x)


class Row(list):
    """A list by another name."""


@both
def test_lists_of_another_class_come_and_go_as_such(backend):
    result = ag.compile(lambda row: Row([row[0] + row[1], type(row) is Row]), backend=backend)(Row([1.0, 2.0]))
    assert (type(result), result) == (Row, [3.0, True])


@both
def test_booleans_come_as_booleans_also_in_arrays(backend):
    kernel = ag.compile(
        lambda p: (p > 0.0, p[0] > 0.0, np.array([True, False])), signature="(p)->(p),(),(q)", backend=backend
    )
    for batch in ([1.0, -1.0], [[1.0, -1.0], [-1.0, 1.0]]):
        assert {np.asarray(part).dtype for part in kernel(batch)} == {np.dtype(bool)}


# ---- What is no batch of real numbers


def itself(kind):
    tree = [1.0] if kind == "list" else {"a": 1.0}
    if kind == "list":
        tree.append((tree,))
    else:
        tree["b"] = [tree]
    return tree


@pytest.mark.parametrize("kind", ["list", "dict"])
@pytest.mark.parametrize(
    "call",
    [
        lambda t: ag.compile(lambda x: 1.0, backend="numpy")(t),
        lambda t: ag.compile(lambda x, t: 1.0, backend="numpy")(1.0, t=t),
        lambda t: ag.compile(lambda x, t: 1.0, backend="numpy")(ag.Value(1.0), t),
        lambda t: ag.compile(lambda x: t, backend="numpy")(1.0),
        lambda t: ag.compile(lambda x: {"c": x, "t": t}, backend="numpy")(1.0),
        lambda t: ag.compile(ag.grad(lambda x: 1.0), backend="numpy")(t),
    ],
)
def test_a_structure_that_contains_itself_is_an_error(call, kind):
    with pytest.raises(ValueError, match=r"(?s)^what .* contains itself: .*that it is in"):
        call(itself(kind))


@pytest.mark.parametrize("depth", [99, 101, 600, 5000])
@pytest.mark.parametrize("wrap", [lambda x: [x], lambda x: {"a": x}, lambda x: (x,)])
def test_deep_structures_work_or_are_refused(depth, wrap):
    def deep(x):
        for _ in range(depth):
            x = wrap(x)
        return x

    def bottom(x):
        while isinstance(x, (list, tuple, dict)):
            [x] = x.values() if isinstance(x, dict) else x
        return x

    takes = ag.compile(lambda t: bottom(t) ** 2, backend="numpy")
    gives = ag.compile(lambda x: deep(x**2), backend="numpy")
    if depth < 100:
        assert takes(deep(3.0)) == bottom(gives(3.0)) == 9.0
        return
    with pytest.raises(ValueError, match=r"^what <lambda> is given: there are more than 100 lists, tuples and dicts"):
        takes(deep(3.0))
    with pytest.raises(ValueError, match=r"^what <lambda> returned: there are more than 100 lists, tuples and dicts"):
        gives(3.0)


@pytest.mark.parametrize("bad", [1j, np.complex128(1j), np.array(1j), np.array([1j, 2.0])], ids=repr)
@pytest.mark.parametrize(
    "call",
    [
        lambda bad: ag.compile(lambda x: x, backend="numpy")(bad),
        lambda bad: ag.compile(lambda t: t["a"][0], backend="numpy")({"a": [bad]}),
        lambda bad: ag.compile(lambda x, y: x, backend="numpy")(1.0, y=bad),
        lambda bad: ag.compile(lambda x: bad, backend="numpy")(1.0),
        lambda bad: ag.compile(lambda x: [x, {"b": bad}], backend="numpy")(1.0),
        lambda bad: ag.compile(lambda x: x * bad, backend="numpy")(1.0),
        lambda bad: ag.compile(lambda x: bad - x, backend="numpy")(1.0),
        lambda bad: ag.compile(lambda x: ag.where(x > 0, bad, x), backend="numpy")(1.0),
        lambda bad: ag.compile(lambda v: v[0], signature="(n)->()", backend="numpy")([bad, bad]),
        lambda bad: ag.compile(lambda v: bad, signature="(n)->()", backend="numpy")(np.ones(2)),
    ],
)
def test_complex_numbers_are_refused(call, bad):
    with pytest.raises(TypeError):
        call(bad)
