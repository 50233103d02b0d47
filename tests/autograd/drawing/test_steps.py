"""The steps of a graph: what they claim is what the engine does, by every operation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.drawing.pullbacks import local_formula
from autograd.drawing.steps import expression, letter, steps
from autograd.elementwise import ELEMENTWISE
from autograd.formulas import Formula
from autograd.graph import ancestors

OPERATIONS = [
    "add",
    "sub",
    "mul",
    "div",
    "tanh",
    "exp",
    "relu",
    "maximum",
    "square",
    "log",
    "sqrt",
    "power",
    "hypot",
    "where",
]
COMBINED = [ag.sum, ag.prod, ag.norm, ag.logsumexp, ag.mean, lambda xs: ag.dot(xs, xs[::-1])]


def neuron():
    """The famous lecture's neuron, by name, and its output."""
    numbers = {"x1": 2.0, "x2": 0.0, "w1": -3.0, "w2": 1.0, "b": 6.8813735870195432}
    x1, x2, w1, w2, b = named = [ag.Value(number, name) for name, number in numbers.items()]
    n = x1 * w1 + x2 * w2 + b
    n.label = "n"
    o = ag.tanh(n)
    o.label = "o"
    return {v.label: v for v in named} | {"n": n}, o


@st.composite
def graphs(draw):
    """The output of a random graph of Values, with shared parts."""
    number = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.25, 1.0, 1.5, 3.0])
    nodes = [ag.Value(draw(number), name) for name in "abc"]
    for _ in range(draw(st.integers(1, 10))):
        pick = st.sampled_from(nodes)
        if draw(st.integers(0, 3)) == 0:
            made = draw(st.sampled_from(COMBINED))([draw(pick) for _ in range(draw(st.integers(1, 4)))])
        else:
            op = ELEMENTWISE[draw(st.sampled_from(OPERATIONS))]
            operands = [draw(pick), *(draw(pick | number) for _ in op.rules[1:])]
            made = op(*operands)
        if isinstance(made, ag.Value):
            nodes.append(made)
    return nodes[-1]


def same(x, y):
    return x == y or (x != x and y != y)


def test_the_lecture_s_neuron():
    _, o = neuron()
    forward, backward = steps(o)
    names = {node: node.label or "-" for node in ancestors(o)}
    assert [step.node.op.name for step in forward] == ["mul", "mul", "add", "add", "tanh"]
    assert [names[step.target] for step in backward] == ["o", "n", "b", "-", "-", "-", "w2", "x2", "w1", "x1"]
    last = {names[step.target]: step.after for step in backward}
    wanted = {"o": 1.0, "n": 0.5, "b": 0.5, "w2": 0.0, "x2": 0.5, "w1": 1.0, "x1": -1.5}
    assert {name: round(last[name], 12) for name in wanted} == wanted
    first = backward[1]
    letters = {node: letter(name) for node, name in names.items()}
    assert expression(first.node, letters, 4) == "tanh(n)"
    assert expression(first.node, {}, 4) == "tanh(0.8814)"


@given(graphs())
def test_the_last_gradient_of_every_node_is_the_engine_s_to_the_last_bit(output):
    _, backward = steps(output)
    last = {step.target: step.after for step in backward}
    output.backward()
    for node in ancestors(output):
        assert same(last.get(node, 0.0), node.grad), (node, node.op)


@given(graphs())
def test_every_step_is_the_arithmetic_that_it_claims(output):
    _, backward = steps(output)
    now = {}
    for step in backward:
        before = now.get(step.target, 0.0)
        assert same(step.before, before)
        assert same(step.after, before + step.contribution)
        if step.place is not None:
            assert same(step.upstream, now[step.node])
            masked = getattr(step.node.op.rules[step.place] if step.node.op.rules else None, "kind", "") == "mask"
            strong = step.upstream == 0.0 or (masked and step.local == 0.0)  # such zeros stay zero, times inf too
            product = 0.0 if strong else step.local * step.upstream
            assert same(product, step.contribution) or math.isclose(product, step.contribution, rel_tol=1e-12)
        now[step.target] = step.after


@given(graphs())
def test_a_gradient_is_complete_before_it_is_handed_on_and_values_before_they_are_used(output):
    forward, backward = steps(output)
    order = [step.node for step in forward]
    done = set()
    for node in order:
        assert all(parent.op is None or parent in done for parent in node.parents)
        done.add(node)
    assert {node for node in ancestors(output) if node.op} == done
    handed_on = set()
    for step in backward[1:]:
        assert step.target not in handed_on
        handed_on.add(step.node)


def test_nothing_is_stored_in_the_graph():
    _, o = neuron()
    o.backward()
    before = [node.grad for node in ancestors(o)]
    steps(o)
    assert [node.grad for node in ancestors(o)] == before


def test_a_node_used_twice_gets_two_contributions():
    x = ag.Value(3.0, "x")
    _, backward = steps(x * x)
    assert [(s.before, s.local, s.upstream, s.after) for s in backward[1:]] == [(0, 3, 1, 3), (3, 3, 1, 6)]


def test_a_zero_gradient_stays_zero_where_the_slope_is_infinite():
    x = ag.Value(0.0, "x")
    _, backward = steps(ag.sqrt(x) * 0.0)
    assert (backward[-1].local, backward[-1].upstream, backward[-1].after) == (math.inf, 0.0, 0.0)


def test_no_step_goes_where_no_rule_leads():
    c, x = ag.Value(0.0), ag.Value(2.0)
    _, backward = steps(ag.where(c * 1.0, x, x * 3.0) * 0.0)
    assert all(step.target is not c for step in backward)


def tensors():
    w = ag.Tensor([[1.0, -2.0], [0.5, 3.0]], "w")
    x, b = ag.Tensor([2.0, -1.0], "x"), ag.Tensor(0.5, "b")
    return {
        "elements": lambda: ag.sum(x * x * 3.0 - x / (x * x)),
        "broadcast": lambda: ag.sum(w * x + b),
        "matrix": lambda: ag.sum(ag.tanh(w @ x + b)),
        "softmax": lambda: -ag.sum(ag.log_softmax(w, axis=1)[0]),
        "mean of shape (1, 1)": lambda: ag.mean(w * w, keepdims=True),
        "float32": lambda: ag.sum(ag.Tensor(np.array([1, 2], np.float32)) ** 2),
    }


@pytest.mark.parametrize("name", tensors())
def test_gradients_of_tensors_are_the_engine_s(name):
    output = tensors()[name]()
    _, backward = steps(output)
    now = {}
    for step in backward:
        before = now.get(step.target, np.zeros_like(step.target.data))
        np.testing.assert_array_equal(step.before, before)
        np.testing.assert_array_equal(step.after, before + step.contribution)
        assert step.after.shape == step.target.shape
        assert step.after.dtype == step.target.dtype
        if step.local is not None:  # the product, summed where the input was broadcast
            product = step.target._unbroadcast(np.asarray(step.local * step.upstream))
            np.testing.assert_allclose(product, step.contribution, rtol=1e-6)
        else:
            assert step.place is None or not step.node.op.elementwise
        now[step.target] = step.after
    output.backward()
    for node in ancestors(output):
        np.testing.assert_allclose(now[node], node.grad, rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", sorted(name for name, op in ELEMENTWISE.items() if not op.nondifferentiable))
def test_the_formula_of_a_slope_gives_the_slope(name):
    """Formulas with numbers in the place of letters, evaluated as Python, are the local derivatives."""
    op = ELEMENTWISE[name]
    examples = {"acosh": [2.0], "asin": [0.5], "acos": [0.5], "atanh": [0.5], "mod": [3.5, 1.25], "fmod": [3.5, 1.25]}
    inputs = [ag.Value(x) for x in examples.get(name, [1.5, 0.75, -2.0][: len(op.rules)])]
    node = op(*inputs)
    _, backward = steps(node)
    words = {n: getattr(op, "scalar", op) for n, op in ELEMENTWISE.items()} | {"abs": abs, "nan": math.nan}
    numbers = {x: Formula(f"({x.data!r})") for x in (node, *inputs)}
    for step in backward[1:]:
        formula = local_formula(node, step.place, numbers, Formula)
        found = eval(str(formula), {"__builtins__": {}}, words)
        assert math.isclose(found, step.local, rel_tol=1e-4), (formula, step.local)  # constants have six digits


def test_operations_are_written_as_one_writes_them():
    a, b = ag.Value(-3.0, "a"), ag.Value(2.0, "b*c + d")
    letters = {a: letter("a"), b: letter("b*c + d")}
    cases = [
        (a * b, "a * (b*c + d)", "-3 * 2"),
        (a**2, "a**2", "(-3)**2"),
        (-a, "-a", "-(-3)"),
        (a - 1.5, "a - 1.5", "-3 - 1.5"),
        (ag.sum([a] * 9), "sum(a, a, a, … 5 more, a)", "sum(-3, -3, -3, … 5 more, -3)"),
        (ag.dot([a, b], [b, 4.0]), "a * (b*c + d) + (b*c + d) * 4", "-3 * 2 + 2 * 4"),
        (ag.dot([a], [b], start=1.0), "a * (b*c + d) + 1", "-3 * 2 + 1"),
    ]
    for node, named, numbered in cases:
        assert expression(node, letters, 4) == named
        assert expression(node, {}, 4) == numbered


def test_a_chain_of_a_hundred_thousand_needs_no_recursion():
    y = ag.Value(1.0)
    for _ in range(100_000):
        y = y + 1.0
    assert len(steps(y)[1]) == 100_001
