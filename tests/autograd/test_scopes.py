"""Scopes: which nodes belong to a part of a computation that has a name."""

import contextlib
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import scopes
from autograd.graph import ancestors
from autograd.scopes import scopes_of


def within(node):
    return [scope.name for scope in scopes_of(node)]


def test_what_is_recorded_in_a_scope_belongs_to_it_and_to_those_around():
    x = ag.Value(2.0)
    a = x * x
    with ag.scope("outer"):
        b = a + x
        with ag.scope("inner"):
            c = b * b
            e = c + 1.0
        d = e * 2.0
    after = d + 1.0
    assert [within(n) for n in (x, a, b, c, e, d, after)] == [
        [], [], ["outer"], ["outer", "inner"], ["outer", "inner"], ["outer"], [],
    ]  # fmt: skip


def test_each_call_of_a_decorated_function_is_a_scope_of_its_own_and_it_keeps_its_name():
    @ag.scope("power")
    def power(x, n):
        """x**n"""
        return x * power(x, n - 1) if n else x * 1.0

    x = ag.Value(2.0)
    y = power(x, 2) + power(x, 1)
    assert (power.__name__, power.__doc__) == ("power", "x**n")
    assert y.data == 12.0
    depth = [len(within(node)) for node in ancestors(y) if node.op]
    assert depth == [3, 2, 1, 2, 1, 0]
    first, second = (scopes_of(parent)[0] for parent in y.parents)
    assert first is not second


def test_a_scope_ends_where_an_error_ends_it_and_may_be_entered_again():
    part = ag.scope("part")
    x = ag.Value(2.0)
    with pytest.raises(ZeroDivisionError), part:
        1 / 0  # noqa: B018
    assert within(x * x) == []
    with part, part:
        y = x * x
        y = y * x
    assert within(y) == ["part", "part"]
    assert within(y * x) == []


def test_scopes_of_another_thread_do_not_hold_what_is_recorded_meanwhile():
    entered, done = threading.Event(), threading.Event()

    def other():
        with ag.scope("other"):
            entered.set()
            done.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    entered.wait(10)
    x = ag.Value(2.0)
    with ag.scope("mine"):
        y = x * x + 1.0
    done.set()
    thread.join()
    assert within(y) == ["mine"]


def test_the_graph_is_the_same_and_so_are_its_derivatives():
    def f(x):
        with ag.scope("f"):
            return ag.tanh(x) * x

    x = ag.Tensor([1.0, 2.0])
    with ag.scope("all"):
        assert (
            ag.grad(lambda x: f(x).sum())(x.data).tolist() == ag.grad(lambda x: (ag.tanh(x) * x).sum())(x.data).tolist()
        )
    assert ag.compile(f)(0.5) == ag.tanh(0.5) * 0.5


def test_only_the_latest_scopes_are_kept(monkeypatch):
    monkeypatch.setattr(scopes, "LIMIT", 10)
    monkeypatch.setattr(scopes.own, "log", [])  # without what earlier tests have left
    x = ag.Value(2.0)
    for _ in range(100):
        with ag.scope("step"):
            y = x * x
            y = y + 1.0
    assert len(scopes.own.log) <= 20
    assert within(y) == ["step"]


@pytest.mark.parametrize("name", [None, 3, ag.Value(1.0), lambda: 0])
def test_a_name_is_a_string(name):
    with pytest.raises(TypeError, match="scope: name must be a string, got"):
        ag.scope(name)


def test_what_is_not_a_node_is_recorded_nowhere():
    with ag.scope("numbers"):
        assert ag.tanh(0.0) == 0.0
        assert np.sum(ag.exp(np.zeros(3))) == 3.0


def tree():
    """Nested lists of names: a list is a scope, None an operation."""
    return st.recursive(st.none(), lambda inner: st.lists(inner, max_size=4), max_leaves=25)


@given(tree(), st.booleans())
def test_random_scopes_hold_what_was_recorded_in_them(plan, traced):
    expected = []

    def run(plan, path, x):
        if plan is None:
            x = ag.tanh(x)
            expected.append((x, path))
            return x
        name = f"s{len(path)}"
        with ag.scope(name):
            for part in plan:
                x = run(part, [*path, name], x)
        return x

    with ag.trace_names() if traced else contextlib.nullcontext():
        run(plan, [], ag.Value(1.0))
    for node, path in expected:
        assert within(node) == path
    assert scopes.own.open == []
