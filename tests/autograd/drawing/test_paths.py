"""The paths of `explain`: their products add up to the gradient, one by one, in groups and in parts."""

import math
import re
from fractions import Fraction
from functools import cache

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings

import autograd as ag
import nn
from autograd.drawing.explaining import explain
from autograd.drawing.paths import MOST, Graph
from autograd.graph import Node

OPERATIONS = [
    lambda x, y, z: x * y,
    lambda x, y, z: x + y,
    lambda x, y, z: x - 0.5 * y,
    lambda x, y, z: x / (y * y + 1.0),
    lambda x, y, z: x * x,
    lambda x, y, z: ag.tanh(x),
    lambda x, y, z: ag.sin(x) * 0.5,
    lambda x, y, z: ag.relu(x),
    lambda x, y, z: ag.maximum(x, y),
    lambda x, y, z: ag.where(x > 0.0, y, z),
    lambda x, y, z: ag.hypot(x, y),
    lambda x, y, z: ag.dot([x, y], [y, z], start=z),
    lambda x, y, z: ag.sum([x, y, z, x]),
    lambda x, y, z: ag.logsumexp([x, y, z]),
    lambda x, y, z: ag.prod([x, y, z]),
]


def random_graph(seed, size):
    """The inputs and the output of a graph of so many operations, most of them on the nodes that were made last."""
    rng = np.random.default_rng(seed)
    inputs = [ag.Value(rng.normal(), label) for label in ("a", "b", "c")]
    nodes = [*inputs]
    for _ in range(size):
        picked = [nodes[-1 - min(int(rng.exponential(2.0)), len(nodes) - 1)] for _ in range(3)]
        nodes.append(OPERATIONS[rng.integers(len(OPERATIONS))](*picked))
    return inputs, ag.tanh(nodes[-1] + nodes[-2])


def count(output, source):
    """The number of paths, by a walk along each."""

    @cache
    def below(node):
        if node is source:
            return 1
        rules = [True] * len(node.inputs) if not node.op or node.op.variadic else node.op.rules
        return sum(below(x) for x, rule in zip(node.inputs, rules, strict=True) if isinstance(x, Node) and rule)

    return below(output)


def weight(output, source):
    """The sum of all paths without their signs: what rounding is in proportion to."""
    paths = Graph(output).between(source) if source in Graph(output).uses else None
    sizes = {source: 1.0}
    for node in paths.nodes[1:] if paths else ():
        sizes[node] = sum(sizes[edge.source] * abs(edge.local) for edge in paths.into[node])
    return sizes.get(output, 0.0)


class Line:
    """A line of the text: what it says, and the lines that are indented below it."""

    def __init__(self, text):
        self.depth = len(text) - len(text.lstrip())
        shared = re.search(r" {3}([\d,.e+]+) paths?(?:, (\S+)%)?$", text)
        self.share = float(shared[2]) if shared and shared[2] else None
        text = text[: shared.start()] if shared else text.split(": no path")[0]
        counted = re.search(r": ([\d,.e+]+) paths?(, all by way of [\d,]+ nodes, .*)?$", text)
        self.multiplies = bool(counted and counted[2])
        text = text[: counted.start()] if counted else text
        found = shared or counted
        self.count = float(found[1].replace(",", "")) if found else 1
        self.text, *self.factors, value = text.strip().split(" = ")
        self.value = float(value)
        self.below = []

    def check(self, rel=1e-9, error=0.0):
        """Whether what is below makes what is said here, up to an error, and the factors of each path its product."""
        if self.factors and not self.below:
            numbers = self.factors[-1].split(" * ")
            if len(numbers) > 1:
                assert math.prod(map(float, numbers)) == pytest.approx(self.value, rel=rel, abs=1e-300)
        if self.below:
            values = [line.value for line in self.below]
            found = math.prod(values) if self.multiplies else sum(values)
            assert found == pytest.approx(self.value, rel=rel, abs=error + 1e-12 * sum(map(abs, values)))
            for line in self.below:
                line.check(rel, error)


def parsed(text):
    """The lines on gradients, each with those below it."""
    found = []
    for row in text.split("Gradients")[1].splitlines()[1:]:
        line, level = Line(row), found
        while level and line.depth > level[-1].depth:
            level = level[-1].below
        level.append(line)
    return found


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 12))
def test_the_products_of_all_paths_add_up_to_the_gradient(seed, size):
    inputs, output = random_graph(seed, size)
    output.backward()
    weights = [weight(output, x) for x in inputs]
    assume(all(total < 1e100 for total in weights))  # and not nan
    lines = parsed(str(explain(output, *inputs, max_lines=20_000, digits=17)))
    for x, line, total in zip(inputs, lines, weights, strict=True):
        assert line.value == x.grad
        if count(output, x):
            assert len(line.below) == count(output, x)
        line.check(error=1e-12 * total)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(10, 120), most=st.integers(10, 80))
def test_groups_and_parts_make_up_the_gradient_and_the_number_of_paths(seed, size, most):
    inputs, output = random_graph(seed, size)
    output.backward()
    weights = [weight(output, x) for x in inputs]
    assume(all(total < 1e100 for total in weights))  # and not nan
    text = str(explain(output, *inputs, max_lines=most, digits=17))
    assert len(text.splitlines()) <= most
    for x, line, total in zip(inputs, parsed(text.split("\n  ... ")[0]), weights, strict=False):
        assert line.text.endswith(f"/d{x.label}")
        assert line.value == x.grad
        line.check(error=1e-12 * total)
        n = count(output, x)
        if line.below and not line.multiplies:
            assert sum(below.count for below in line.below) == pytest.approx(n, rel=0.01 if n >= 10**18 else 0.0)
            assert max(line.count, len(line.below)) == pytest.approx(n, rel=0.01 if n >= 10**18 else 0.0)
            shares = [below.share for below in line.below if below.share is not None]
            if len(shares) == len(line.below):
                assert sum(shares) == pytest.approx(100.0, abs=0.01 * sum(map(abs, shares)))


def diamonds(n):
    x = ag.Value(1.0, "x")
    y = x
    for _ in range(n):
        y = y * 2.0 + y * 3.0
    return x, y


def test_forty_stacked_diamonds_are_exact():
    x, y = diamonds(40)
    paths = Graph(y).between(x)
    assert (paths.count, Fraction(paths.derivative)) == (2**40, Fraction(5**40) if 5**40 < 2**53 else Fraction(5.0**40))
    assert len(paths.stages()) == 40
    (line,) = parsed(str(explain(y, x, digits=17)))
    assert (line.count, line.value) == (2**40, 5.0**40)
    assert line.multiplies
    line.check()


def test_paths_beyond_all_counts_are_not_counted():
    x, y = diamonds(2000)
    assert Graph(y).between(x).count == MOST
    text = str(explain(y * 1e-300, x))
    assert "dout/dx = inf: over 1e+300 paths" in text


def test_paths_that_meet_nowhere_are_grouped_by_how_they_end():
    x = ag.Value(2.0, "x")
    terms = [ag.tanh(x * (0.1 * i)) * x for i in range(50)]
    (line,) = parsed(str(explain(ag.sum(terms), x, digits=17, max_lines=20)))
    assert line.count == sum(below.count for below in line.below) == 100
    assert "more groups" in line.below[-1].text
    assert [abs(below.value) for below in line.below[:-1]] == sorted(
        (abs(b.value) for b in line.below[:-1]), reverse=True
    )
    line.check()


def test_a_gradient_of_zero_is_a_path_and_no_path_is_said_to_be_none():
    x, y, z = ag.Value(-1.0, "x"), ag.Value(1.0, "y"), ag.Value(1.0, "z")
    text = str(explain(ag.relu(x) + y, x, z))
    assert "  dout/dx = 0\n    x → %1 → out   [x > 0] * 1 = 0 * 1 = 0\n" in text
    assert text.endswith("  dout/dz = 0: no path from z")


def test_a_zero_stays_zero_on_its_way_through_infinities():
    x = ag.Value(0.0, "x")
    (line,) = parsed(str(explain(ag.sqrt(x) * 0.0 + x, x)))
    assert [below.value for below in line.below] == [0.0, 1.0]
    assert line.value == 1.0
    masked = ag.where(ag.Value(1.0) > 0.0, x, 1.0 / x)
    masked.backward()
    (line,) = parsed(str(explain(masked, x)))
    assert line.value == x.grad == sum(below.value for below in line.below) == 1.0


def test_inner_nodes_are_inputs_too_and_the_formula_of_each_factor_is_said():
    x = ag.Value(0.5, "x")
    n = x * 3.0
    n.label = "n"
    o = ag.tanh(n)
    o.label = "o"
    assert "    n → o   1 - o² = 0.1807" in str(explain(o, n))
    assert "  tanh: 1 - o²\n" in str(explain(o))


FORMULAS = {
    "x**3.0": "3 * x²",
    "1.0 / x": "-out / x",
    "ag.exp(x)": "out",
    "ag.log(x)": "1 / x",
    "ag.sqrt(x)": "1 / (2 * out)",
    "ag.sigmoid(x)": "out * (1 - out)",
    "ag.relu(x)": "[x > 0]",
    "ag.dot([x, y], [y, x])": "y",
    "ag.prod([x, y])": "y",
    "ag.norm([x, y])": "ratio(x, out)",
    "ag.logsumexp([x, y, 1.0])": "dout/dx",  # for its formula is long
}


@pytest.mark.parametrize("expression", FORMULAS)
def test_local_derivatives_are_written_as_on_paper(expression):
    x, y = ag.Value(0.7, "x"), ag.Value(1.3, "y")
    line = parsed(str(explain(eval(expression, {"ag": ag, "x": x, "y": y}), x)))[0].below[0]
    assert line.text.split("   ")[-1] == FORMULAS[expression]


def test_parameters_are_named_by_their_module():
    net = nn.scalar.MLP(2, [2, 1], rng=0)
    out = net([0.3, 0.4])
    lines = parsed(str(explain(out, net, max_lines=200)))
    assert [line.text.partition("/d")[2] for line in lines] == [name for name, _ in net.named_parameters()]


@pytest.mark.parametrize("wrong", [3.0, "x", [1.0], None, np.ones(2)])
def test_an_input_that_is_no_node_is_refused(wrong):
    x = ag.Value(1.0)
    if wrong is None:
        return
    with pytest.raises(TypeError, match="explain: inputs must be nodes, modules, or lists and dicts of them, got"):
        explain(x * 2.0, wrong)


def test_a_hundred_points_of_a_net_fit_on_a_screen():
    net = nn.scalar.MLP(2, [16, 16, 1], rng=0)
    x, y = nn.moons(100, rng=0)
    loss = ag.mean([ag.relu(1.0 - float(2 * side - 1) * net(list(point))) for point, side in zip(x, y, strict=True)])
    text = str(explain(loss))
    assert 30 < len(text.splitlines()) <= 60
    for line in parsed(text.split("\n  ... ")[0]):
        line.check(rel=1e-2)
    assert len(str(explain(loss, net.parameters()[0])).splitlines()) <= 60
