"""Nodes and primitives: what is recorded, what is not, how long it lives, and which observer is told."""

import asyncio
import gc
import threading
import weakref

import numpy as np
import pytest

import autograd as ag
from autograd.graph import Primitive, ancestors
from autograd.modes import is_recording, observing, recording

# ---- What a node remembers


def test_a_leaf_has_neither_operation_nor_inputs():
    for leaf in (ag.Value(1.0), ag.Tensor([1.0])):
        assert leaf.op is None
        assert leaf.inputs == leaf.parents == leaf._residuals() == ()


@pytest.mark.parametrize("kind", [ag.Value, lambda x: ag.Tensor([x])], ids=["Value", "Tensor"])
def test_inputs_are_nodes_and_constants_in_their_order(kind):
    x, y = kind(2.0), kind(3.0)
    assert [a is b for a, b in zip((x / y).inputs, (x, y), strict=True)] == [True, True]
    assert (x * x).parents == (x, x) or [p is x for p in (x * x).parents] == [True, True]
    divided, divides = (x / 4.0).inputs, (4.0 / x).inputs
    assert divided[0] is x
    assert divided[1] == 4.0
    assert divides[0] == 4.0
    assert divides[1] is x
    assert [p is x for p in (4.0 / x).parents] == [True]
    assert (-x).inputs[0] is x


def test_an_operation_of_three_inputs_remembers_all():
    x, y = ag.Value(1.0), ag.Value(2.0)
    z = ag.where(1.0, x, y)
    assert z.inputs[0] == 1.0
    assert z.inputs[1] is x
    assert z.inputs[2] is y
    assert z._residuals() == (1.0, 1.0, 2.0)


def test_reads_are_what_the_operation_saw():
    x = ag.Value(2.0)
    y = x * 3.0
    x.data = 7.0
    assert y._residuals() == (2.0, 3.0)


def test_ancestors_come_once_each_and_the_oldest_first():
    x = ag.Value(1.0)
    y = x * x
    z = y + x
    assert [node is other for node, other in zip(ancestors(z), (x, y, z), strict=True)] == [True] * 3


def test_a_diamond_of_thirty_levels_is_thirty_nodes():
    x = node = ag.Value(1.0)
    for _ in range(30):
        node = node + node
    assert len(ancestors(node)) == 31
    node.backward()
    assert x.grad == 2.0**30


def test_a_node_without_gradient_has_the_gradient_of_its_kind():
    assert ag.Value(1.0).grad == 0.0
    assert (ag.Value(1.0) * 2).grad == 0.0
    assert ag.Tensor([1.0]).grad is None
    assert (ag.Tensor([1.0]) * 2).grad is None


def test_an_unknown_attribute_is_an_attribute_error_that_names_it():
    with pytest.raises(AttributeError, match="'Value' object has no attribute 'nonsense'"):
        _ = ag.Value(1.0).nonsense


def test_constants_leave_nothing_behind():
    assert type(ag.sin(1.0)) is float
    assert type(ag.sin(np.ones(2))) is np.ndarray


def test_the_derivative_of_a_constant_operand_is_never_computed():
    def never(g, z, x, y):
        raise AssertionError("this derivative is not needed")

    op = Primitive("op", lambda x, y: x * y, np.multiply, lambda g, z, x, y: g * y, never)
    for kind in (ag.Value, ag.Tensor):
        x = kind(2.0)
        op(x, 3.0).backward()
        assert x.grad == 3.0


# ---- Long graphs


def test_a_chain_of_a_million_values_is_recorded_differentiated_and_freed():
    x = y = ag.Value(1.0)
    for _ in range(500_000):
        y = y * 1.000001 + 0.0
    y.backward()
    assert x.grad == pytest.approx(1.000001**500_000)
    last = weakref.ref(y)
    del y
    assert last() is None


def test_a_chain_of_two_hundred_thousand_tensors_is_recorded_differentiated_and_freed():
    x = y = ag.Tensor([1.0, 2.0])
    for _ in range(200_000):
        y = y + 1.0
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    last = weakref.ref(y)
    del y
    assert last() is None


def test_a_long_chain_has_second_derivatives():
    def chain(x):
        for _ in range(20_000):
            x = x * 1.0001
        return x * x

    assert ag.grad(ag.grad(chain))(1.0) == pytest.approx(2 * 1.0001**40_000)


def test_a_long_chain_of_array_operations_has_a_tangent():
    def chain(x):
        for _ in range(5_000):
            x = x + 1.0
        return x

    assert ag.jvp(chain, 1.0, 2.0) == (5001.0, 2.0)


# ---- Freed when dropped


@pytest.fixture
def _no_collector():
    gc.collect()
    gc.freeze()  # what other tests left is not looked through again and again
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


def count_nodes():
    return sum(issubclass(type(thing), ag.Node) for thing in gc.get_objects())


GRAPHS = {
    "Value": lambda: ag.Value(2.0) * ag.sin(ag.Value(3.0)),
    "Tensor": lambda: (ag.Tensor([2.0, 3.0]) @ ag.Tensor([[1.0], [2.0]])).sum(),
    "many": lambda: ag.dot([ag.Value(2.0), 1.0], [ag.Value(3.0), 2.0]),
    "both": lambda: (ag.Value(2.0) * ag.Tensor([2.0, 3.0]))[1:].sum(),
}


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
@pytest.mark.parametrize("use", [lambda y: None, lambda y: y.backward()], ids=["forward", "backward"])
def test_a_dropped_graph_dies_at_once_and_leaves_nothing_to_the_collector(make, use):
    use(make())
    gc.collect()
    y = make()
    use(y)
    nodes = [weakref.ref(node) for node in ancestors(y)]
    del y
    assert [node() for node in nodes] == [None] * len(nodes)
    assert gc.collect() == 0


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize(
    "transform",
    [
        lambda: ag.grad(lambda x: ag.sin(x) * x)(2.0),
        lambda: ag.grad(ag.grad(lambda x: ag.sin(x) * x))(2.0),
        lambda: ag.hessian(lambda x: (x**3).sum())(np.ones(2)),
        lambda: ag.jvp(lambda x: x * x, np.ones(2), np.ones(2)),
    ],
    ids=["grad", "grad of grad", "hessian", "jvp"],
)
def test_a_transform_leaves_nothing_to_the_collector(transform):
    transform()
    gc.collect()
    before = count_nodes()
    transform()
    assert count_nodes() == before
    assert gc.collect() == 0


# ---- Modes


def test_no_grad_records_nothing():
    x, t = ag.Value(2.0), ag.Tensor([2.0])
    with ag.no_grad():
        results = [x * x, ag.exp(x), 2.0 / x, ag.dot([x], [x]), t * t, t.sum(), x * t, t[0]]
    assert all(result.op is None and result.parents == () for result in results)
    assert (x * x).op is not None


def test_modes_nest_and_end_with_their_block():
    assert is_recording()
    with ag.no_grad():
        with recording(True):
            assert is_recording()
        assert not is_recording()
    assert is_recording()
    with pytest.raises(KeyError), ag.no_grad():
        raise KeyError
    assert is_recording()


def test_no_grad_is_of_one_thread():
    entered, done = threading.Event(), threading.Event()
    seen = []

    def other():
        entered.wait(10)
        seen.append((ag.Value(2.0) * 3.0).op)
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with ag.no_grad():
        entered.set()
        assert done.wait(10)
        assert (ag.Value(2.0) * 3.0).op is None
    thread.join()
    assert seen == [ag.mul]


def test_no_grad_is_of_one_task():
    async def without():
        with ag.no_grad():
            await asyncio.sleep(0.01)
            return (ag.Value(2.0) * 3.0).op

    async def with_recording():
        await asyncio.sleep(0.005)
        return (ag.Value(2.0) * 3.0).op

    async def both():
        return await asyncio.gather(without(), with_recording())

    assert asyncio.run(both()) == [None, ag.mul]


def train(seed, steps=60):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(8, 3)), rng.normal(size=8)
    w, v = ag.Tensor(rng.normal(size=3)), [ag.Value(value) for value in rng.normal(size=3)]
    for k in range(steps):
        loss = ag.mean(ag.square(ag.tanh(x @ w) - y))
        scalar = sum((ag.tanh(a * 0.5) - b) ** 2 for a, b in zip(v, y[:3], strict=True))
        w.zero_grad()
        for a in v:
            a.zero_grad()
        if k % 3 == 0:
            with ag.no_grad():
                assert (loss * 2.0).op is None
        loss.backward()
        scalar.backward()
        w.data -= 0.1 * w.grad
        for a in v:
            a.data -= 0.1 * a.grad
    return [*w.data.tolist(), *(a.data for a in v), ag.grad(ag.grad(lambda x: ag.sin(x) * x * x))(float(w.data[0]))]


def test_two_threads_train_side_by_side_as_one_after_the_other():
    expected = [train(0), train(1)]
    results = [None, None]
    barrier = threading.Barrier(2)

    def run(i):
        barrier.wait(10)
        results[i] = train(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == expected


def test_an_observer_is_told_of_recorded_nodes_and_of_traversals():
    class Spy:
        def __init__(self):
            self.names, self.found = [], 0

        def recorded(self, node):
            self.names.append(node.op.name)

        def differentiated(self, found):
            self.found += len(found)

    spy = Spy()
    x, t = ag.Value(2.0), ag.Tensor([1.0])
    with observing(spy):
        y = ag.sin(x) * x + 2.0 / x
        _ = ag.where(1.0, t, -t)
        y.backward()
    _ = x * x
    assert spy.names == ["sin", "mul", "div", "add", "neg", "where"]
    assert spy.found == 5


@pytest.mark.parametrize(
    ("op", "n", "takes"),
    [
        (ag.exp, 2, "exp takes 1 argument, got 2"),
        (ag.abs, 2, "abs takes 1 argument"),
        (ag.add, 3, "add takes 2 arguments"),
    ],
)
@pytest.mark.parametrize("kind", [float, np.atleast_1d, ag.Value, ag.Tensor], ids=lambda kind: kind.__name__)
def test_an_argument_too_many_is_an_error_and_not_written_into(op, n, takes, kind):
    out = np.zeros(1)
    for args in ([kind(1.0)] * (n - 1) + [out], [out] * (n - 1) + [kind(1.0)]):
        with pytest.raises(TypeError, match=takes):
            op(*args)
    assert out.tolist() == [0.0]
