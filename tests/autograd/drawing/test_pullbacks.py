"""Pullbacks as formulas: what is printed is what the engine computes; and explanations show themselves anywhere."""

import html
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd.drawing.explaining import explain
from autograd.drawing.explanation import Explanation
from autograd.drawing.pullbacks import pullback_formula
from autograd.formulas import Formula, TextFormula
from autograd.graph import Node


def matrix(*shape):
    return np.random.default_rng(0).uniform(0.5, 1.5, shape)


# The operation, and what its inputs get of the cotangent g of the result z.
PULLBACKS = {
    "x @ w": ["g wᵀ", "xᵀ g"],
    "ag.linear(x, v, b)": ["g v", "gᵀ x", "sum(g, axis=(0,))"],
    "x + b": ["g", "sum(g, axis=(0,))"],
    "x * y": ["g * y", "g * x"],
    "x - y": ["g", "-g"],
    "x / y": ["g / y", "g * -z / y"],
    "x.sum()": ["broadcast_to(g, shape=(2, 3))"],
    "x.mean()": ["broadcast_to(g / 6, shape=(2, 3))"],
    "x.T": ["gᵀ"],
    "x.reshape(6)": ["reshape(g, shape=(2, 3))"],
    "x[0]": ["scatter(g, key=0, shape=(2, 3))"],
    "ag.tanh(x)": ["g * (1 - z²)"],
    "ag.exp(x)": ["g * z"],
    "ag.relu(x)": ["g * [x > 0]"],
    "ag.sqrt(x)": ["g / (2 * z)"],
    "x ** 3": ["g * 3 * x²"],
    "ag.softmax(x)": ["z * (g - sum(g * z, axis=-1, keepdims=True))"],
    "ag.log_softmax(x)": ["g - exp(z) * sum(g, axis=-1, keepdims=True)"],
    "ag.norm(x)": ["g * ratio(x, z)"],
    "ag.inv(s)": ["-(zᵀ g zᵀ)"],
    "ag.solve(s, w)": ["-(solve(sᵀ, g) zᵀ)", "solve(sᵀ, g)"],
    "ag.cumsum(x, axis=1)": ["flip(cumsum(flip(g, axis=1), axis=1), axis=1)"],
    "ag.concatenate([x, y])": ["index(g, key=[0:2])", "index(g, key=[2:4])"],
    "ag.einsum('ij,jk->ik', x, w)": ["einsum(g, w, subscripts=ik,jk->ij)", "einsum(g, x, subscripts=ik,ij->jk)"],
    "ag.conv2d(i, k)": ["conv2d_to_image(g, k)", "conv2d_to_weight(g, i)"],
    "ag.max_pool2d(i, 2)": ["spread_windows(g)"],
    "ag.cholesky(s)": [None],
}


@pytest.mark.parametrize("expression", PULLBACKS)
def test_pullbacks_are_written_as_on_paper(expression):
    tensors = {
        "x": matrix(2, 3), "y": matrix(2, 3), "w": matrix(3, 4), "v": matrix(4, 3), "b": matrix(4) if "linear" in expression else matrix(3),
        "s": np.eye(3) * 2.0, "i": matrix(1, 1, 4, 4), "k": matrix(1, 1, 2, 2),
    }  # fmt: skip
    tensors = {name: ag.Tensor(data, name) for name, data in tensors.items()}
    node = eval(expression, {"ag": ag, **tensors})
    names = {x: TextFormula(x.label) for x in tensors.values()} | {node: TextFormula("z")}
    formulas = [
        pullback_formula(node, place, names, TextFormula("g"), TextFormula) for place, x in enumerate(node.parents)
    ]
    assert [formula and formula.text for formula in formulas] == PULLBACKS[expression]


def evaluated(formula, **arrays):
    """What a formula in Python's notation gives."""
    space = {name: getattr(ag, name) for name in ag.__all__} | {"swapaxes": lambda x, **axes: np.swapaxes(x, **axes)}
    return eval(formula, space, arrays)


@pytest.mark.parametrize(
    "expression", ["x * y", "x / y", "ag.tanh(x) * 1.0", "ag.softmax(x)", "ag.exp(x)", "x - y", "ag.sqrt(x)"]
)
def test_what_is_printed_is_what_is_computed(expression):
    x, y = ag.Tensor(matrix(2, 3), "x"), ag.Tensor(matrix(2, 3) + 1.0, "y")
    node = eval(expression, {"ag": ag, "x": x, "y": y})
    while node.op is ag.mul and not isinstance(node.inputs[1], Node):
        node = node.inputs[0]
    g = np.random.default_rng(1).normal(size=node.shape)
    node.backward(g)
    names = {x: Formula("x"), y: Formula("y"), node: Formula("z")}
    for place, leaf in enumerate(node.inputs):
        formula = pullback_formula(node, place, names, Formula("g"), Formula)
        text = re.sub(r"sum\(g \* z\)", "sum(g * z, axis=-1, keepdims=True)", formula.text)
        np.testing.assert_allclose(evaluated(text, x=x.data, y=y.data, z=node.data, g=g), leaf.grad, rtol=1e-12)


def test_a_layer_is_explained_by_its_pullbacks_with_shapes_and_norms():
    x, W, b = ag.Tensor(matrix(5, 3), "x"), ag.Tensor(matrix(3, 4), "W"), ag.Tensor(np.zeros(4), "b")
    loss = ((x @ W + b) ** 2).mean()
    loss.label = "L"
    loss.backward()
    text = str(explain(loss))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert f"W̄ = xᵀ ḡ (3, 4), norm {np.linalg.norm(W.grad):.4g}" in " | ".join(lines)
    assert f"x̄ = ḡ Wᵀ (5, 3), norm {np.linalg.norm(x.grad):.4g}" in " | ".join(lines)
    assert "b̄ = sum(ḡ, axis=(0,))" in text
    assert (
        f"dL/dx = (5, 3) float64, {x.grad.min():.4g} to {x.grad.max():.4g}, norm {np.linalg.norm(x.grad):.4g}" in lines
    )
    only = str(explain(loss, b))
    assert "b̄ = " in only
    assert "W̄ = " not in only
    assert [line for line in only.splitlines() if line.startswith("  dL/d")] == only.splitlines()[-1:]


def test_a_node_that_was_used_twice_gets_two_contributions():
    t = ag.Tensor(matrix(3), "t")
    assert str(explain((t * t).sum())).count("t̄ += ḡ * t") == 2
    assert "t̄ = -ḡ" in str(explain((1.0 - t).sum()))


def test_a_rule_that_fails_is_explained_none_the_less():
    @ag.primitive
    def odd(x):
        return x * 3.0

    calls = []

    @odd.rule
    def _(g, z, x):
        calls.append(x)
        if isinstance(x, ag.Tensor):
            raise ValueError("no graph for me")
        return g * 3.0

    t = ag.Tensor(matrix(4), "t")
    assert "t̄ = the pullback of odd" in str(explain(odd(t).sum()))
    v = ag.Value(2.0, "v")
    assert "    v → out   dout/dv = 3" in str(explain(odd(v), v))
    assert calls


def test_values_and_tensors_in_one_graph():
    v = ag.Value(2.0, "v")
    out = (ag.stack([v, v * v]) * np.array([1.0, 3.0])).sum()
    assert "dout/dv = 13" in str(explain(out))


# ---- Where it is shown


def explanations():
    x, t = ag.Value(0.5, "x"), ag.Tensor(matrix(3, 2), "t")
    y = x
    for _ in range(40):
        y = y * 0.9 + ag.sin(y)
    return [explain(x), explain(ag.tanh(x * x)), explain(y, x), explain((t.T @ t).sum()), explain(t.mean(), x, t)]


@pytest.mark.parametrize("i", range(5))
def test_an_explanation_shows_itself(i):
    found = explanations()[i]
    assert isinstance(found, Explanation)
    assert repr(found) == str(found) == f"{found}"
    markdown = found._repr_markdown_()
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len(rows) >= len(str(found).splitlines()) - 6
    assert all(line.endswith("|") for line in rows)
    shown = html.unescape(re.sub(r"</?code>", "", markdown))
    assert "Gradients" in shown
    latex = found.latex()
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left") == latex.count(r"\right")
    assert found._repr_latex_() == f"$$\n{latex}\n$$"
    for line in latex.splitlines()[1:-1]:
        assert line.count("&") == 1


def test_equations_in_latex():
    a, b = ag.Value(2.0, "a"), ag.Value(-3.0, "b")
    o = ag.tanh(a * b + a**2)
    o.label = "o"
    assert explain(o, a).latex().splitlines()[1:-1] == [
        r"  \frac{\partial o}{\partial a} &= \underbrace{b \cdot \left(1 - o^{2}\right)}_{-3 \cdot 0.07065 = -0.212} \\",
        r"  &\quad + \underbrace{2 a \cdot \left(1 - o^{2}\right)}_{4 \cdot 0.07065 = 0.2826} \\",
        r"  &= 0.07065",
    ]
    W, x = ag.Tensor(matrix(3, 2), "W"), ag.Tensor(matrix(2, 3), "x")
    y = x @ W
    y.label = "y"
    assert r"  \bar{W} &= x^{\top} \bar{y}" in explain(y.sum()).latex().splitlines()


def test_negative_numbers_and_labels_that_end_in_an_underscore_in_latex():
    x = ag.Value(0.5, "x_")
    y = -(x * -3.0)
    y.label = "y"
    assert r"\underbrace{-3 \cdot \left(-1\right)}_{-3 \cdot \left(-1\right) = 3}" in explain(y, x).latex()
    assert r"\frac{\partial y}{\partial \mathrm{x\_}}" in explain(y, x).latex()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_hostile_labels_inject_nothing(one, two):
    x, y = ag.Value(0.5, one), ag.Tensor([1.0, 2.0], two)
    for found in (explain(ag.tanh(x * x), x), explain(ag.tanh(x * 3.0)), explain((y * y).sum())):
        lines = str(found).split("\n")
        assert all(line.isprintable() for line in lines)
        assert len(lines) == len(str(found).splitlines())
        markdown = found._repr_markdown_()
        assert set(re.findall(r"<[^>]*>?", markdown)) <= {"<code>", "</code>"}
        assert not re.search(r"[$`\[\]\\]", markdown)
        for row in markdown.splitlines():
            assert not row.startswith("|") or row.count("|") in (4, 5, 6)
        latex = found.latex()
        assert re.sub(r"\\[{}]", "", latex).count("{") == re.sub(r"\\[{}]", "", latex).count("}")
        assert not re.search(r"(?<!\\)[$%#]", latex)


@pytest.mark.parametrize(
    "label", ["<script>alert(1)</script>", "a|b", "`x`", "$x$", "*x*", "a_b", "[x](y)", "\\frac", "%", "&"]
)
def test_a_label_is_shown_as_it_is_in_tables(label):
    found = explain(ag.tanh(ag.Value(0.5, label)))
    assert label[:19] in html.unescape(found._repr_markdown_())
    assert label[:19] in str(found)
