"""`explain`: the chain rule as text."""

import re

import numpy as np
import pytest

import autograd as ag
from autograd.drawing.explaining import explain
from autograd.graph import ancestors


def full(node, *inputs, digits=4):
    """The text of an explanation for which there is room enough."""
    return str(explain(node, *inputs, max_lines=20_000, digits=digits))


def part(text, title):
    """The lines of one part, without its title."""
    return text.split(title)[1].split("\n\n")[0].splitlines()[1:]


def gradients(text):
    """The lines on gradients, without those on their paths."""
    return [line[2:] for line in part(text, "Gradients") if line[2] != " "]


def steps(text):
    """What each line of the backward part adds: (whose gradient, how much)."""
    return [
        (target, float(got)) for target, got in re.findall(r"(\S+)\s+\+= (?:.*? = )?(\S+)(?: .*)?$", text, re.MULTILINE)
    ]


def test_the_lesson():
    a, b, c = ag.Value(2.0, "a"), ag.Value(-3.0, "b"), ag.Value(6.5, "c")
    L = (a * b + c).tanh()
    L.label = "L"
    assert str(explain(L)) == (
        "Forward\n"
        "  a  = 2\n"
        "  b  = -3\n"
        "  c  = 6.5\n"
        "  %1 = a * b    = -6\n"
        "  %2 = %1 + c   = 0.5\n"
        "  L  = tanh(%2) = 0.4621\n"
        "\n"
        "Backward, from dL/dL = 1: each input gets (gradient of the result) * (local derivative)\n"
        "  L  = tanh(%2)   dL/d%2 += 1 * 0.7864  = 0.7864   tanh: 1 - L²\n"
        "  %2 = %1 + c     dL/d%1 += 0.7864 * 1  = 0.7864   +: 1\n"
        "                  dL/dc  += 0.7864 * 1  = 0.7864   +: 1\n"
        "  %1 = a * b      dL/da  += 0.7864 * -3 = -2.359   *: b\n"
        "                  dL/db  += 0.7864 * 2  = 1.573    *: a\n"
        "\n"
        "Gradients, path by path: along a path derivatives multiply, and paths add up\n"
        "  dL/da = -2.359\n"
        "    a → %1 → %2 → L   b * 1 * (1 - L²) = -3 * 1 * 0.7864 = -2.359\n"
        "  dL/db = 1.573\n"
        "    b → %1 → %2 → L   a * 1 * (1 - L²) = 2 * 1 * 0.7864 = 1.573\n"
        "  dL/dc = 0.7864\n"
        "    c → %2 → L        1 * (1 - L²) = 1 * 0.7864 = 0.7864"
    )


def test_x_times_x_adds_twice():
    x = ag.Value(3.0, "x")
    text = full(x * x)
    assert steps(text) == [("dout/dx", 3.0), ("dout/dx", 3.0)]
    assert gradients(text) == ["dout/dx = 6"]


def test_the_steps_of_a_shared_node_add_up_to_what_backward_finds():
    x, y = ag.Value(0.7, "x"), ag.Value(1.9, "y")
    shared = x * y
    out = ag.sin(shared) * shared + ag.sum([shared, x, x]) / y + ag.logsumexp([x, y, 1.0])
    out.backward()
    sums = {}
    for target, got in steps(full(out, digits=12)):
        sums[target] = sums.get(target, 0.0) + got
    assert sums["dout/dx"] == pytest.approx(x.grad)
    assert sums["dout/dy"] == pytest.approx(y.grad)


def test_every_step_is_the_product_that_it_claims():
    x, y = ag.Value(0.7, "x"), ag.Value(1.9, "y")
    text = full(ag.exp(x * y) / (x - y) ** 3, digits=12)
    products = re.findall(r"\+= (\S+) \* (\S+)\s+= (\S+)(?: .*)?$", text, re.MULTILINE)
    assert len(products) == 8
    for gradient, local, got in products:
        assert float(gradient) * float(local) == pytest.approx(float(got))


def test_no_gradient_is_altered():
    x = ag.Value(2.0)
    y = x * x
    y.backward()
    before = [node.grad for node in ancestors(y)]
    explain(y)
    assert [node.grad for node in ancestors(y)] == before


def test_operations_are_written_as_one_writes_them():
    x, y = ag.Value(3.0, "x"), ag.Value(2.0, "y")

    def expression(node):
        return re.search(r"out\s+= (.*?)\s+= ", full(node)).group(1)

    assert expression(x - y) == "x - y"
    assert expression(1.0 / x) == "1 / x"
    assert expression(x**y) == "x ** y"
    assert expression(x**2) == "x**2"
    assert expression(-x) == "-x"
    assert expression(ag.maximum(x, 0.0)) == "maximum(x, 0)"
    assert expression(ag.dot([x, y], [y, 4.0])) == "dot([x, y], [y, 4])"
    assert expression(ag.dot([x], [2.0], start=y)) == "dot([x], [2]) + y"
    assert expression(ag.sum([x] * 100)) == "sum(x, x, x, ... 96 more, x)"
    assert expression(ag.Tensor([[1.0]], "t").sum(axis=1)) == "sum(t, axis=1)"


def test_nodes_of_one_label_are_told_apart():
    x, also_x = ag.Value(1.0, "x"), ag.Value(2.0, "x")
    text = full(x * also_x)
    assert "out = x * x#2 = 2" in text
    assert gradients(text) == ["dout/dx = 2", "dout/dx#2 = 1"]


def test_a_label_takes_no_name_that_was_given():
    x = ag.Value(1.0, "%1")
    text = full(-(x * ag.Value(5.0)))
    assert gradients(text) == ["dout/d%1 = -5", "dout/d%2 = -1"]


def test_a_label_of_two_lines_stays_on_one():
    assert "two lines = 1" in full(ag.Value(1.0, "two\nlines"))


def test_a_gradient_of_zero_stays_zero_where_the_slope_is_infinite():
    x = ag.Value(0.0, "x")
    text = full(x.sqrt() * 0.0)
    assert steps(text)[-1] == ("dout/dx", 0.0)
    assert gradients(text) == ["dout/dx = 0"]
    t = ag.Tensor([0.0, 4.0], "t")
    text = full((t.sqrt() * np.array([0.0, 1.0])).sum())
    assert gradients(text) == ["dout/dt = [0, 0.25], norm 0.25"]
    assert "nan" not in text


def test_small_arrays_are_multiplied_element_by_element():
    t = ag.Tensor([1.0, 2.0, 3.0], "t")
    text = full((t * t).sum())
    assert len(re.findall(r"t̄ \+= ḡ \* t +\[1, 1, 1\] \* \[1, 2, 3\] = \[1, 2, 3\], norm 3.742\n", text)) == 2
    assert gradients(text) == ["dout/dt = [2, 4, 6], norm 7.483"]


def test_large_arrays_are_told_by_shape_dtype_and_extent():
    X, b = ag.Tensor(np.ones((5, 3), np.float32), "X"), ag.Tensor(np.zeros(3, np.float32), "b")
    text = full(ag.mean(X + b))
    assert "X   = (5, 3) float32, all 1" in text
    assert gradients(text) == [
        "dout/dX = (5, 3) float32, all 0.06667, norm 0.2582",
        "dout/db = [0.3333, 0.3333, 0.3333], norm 0.5774",
    ]


def test_a_leaf_is_its_own_derivative():
    text = str(explain(ag.Value(2.0, "x")))
    assert text.startswith("Forward\n  x = 2\n\nGradients")
    assert gradients(text) == ["dx/dx = 1"]


def test_what_has_no_single_derivative_is_refused():
    with pytest.raises(ValueError, match=r"needs a scalar, got shape \(2,\): reduce with"):
        explain(ag.Tensor([1.0, 2.0]))
    with pytest.raises(TypeError, match="needs a Value or a Tensor, got float"):
        explain(1.0)


def test_a_long_chain_is_explained_without_recursion():
    x = ag.Value(1.0, "x")
    for _ in range(5_000):
        x = x * 1.0
    text = full(x)
    assert len(steps(text)) == 5_000
    assert gradients(text) == ["dout/dx = 1"]


@pytest.mark.parametrize("most", [10, 11, 20, 57, 100])
def test_no_more_lines_than_asked_for_and_the_others_are_counted(most):
    x, y = ag.Tensor([1.0, 2.0], "x"), ag.Tensor([2.0, 0.5], "y")
    out = x
    for _ in range(20):
        out = out * y + (ag.tanh(out) - x)
    out = out.sum()
    whole, lines = full(out).splitlines(), str(explain(out, max_lines=most)).splitlines()
    assert len(lines) <= most < len(whole)
    hidden = sum(int(found) for found in re.findall(r"\.\.\. ([\d,]+) lines left out", "\n".join(lines)))
    gaps = sum("lines left out" in line for line in lines)
    assert len(lines) - gaps + hidden == len(whole)
    assert lines[-2:] == whole[-2:] or most == 10
    squeezed = {" ".join(line.split()) for line in whole}
    result = ""
    for line in whole:  # the result of a step is named on the first line that is shown of it
        result = line.split("   ")[0].strip() or result
        squeezed.add(" ".join([result, *line.split()]))
    assert {" ".join(line.split()) for line in lines if "left out" not in line} <= squeezed | {""}


def test_a_node_of_many_inputs_and_one_label_for_all():
    many = [ag.Value(float(i), "x") for i in range(2000)]
    text = str(explain(ag.norm(many), max_lines=30))
    assert len(text.splitlines()) <= 30
    assert "... 1,99" in text
    assert "x#2000" in text


@pytest.mark.parametrize("wrong", [9, 0, -1, 2.5, "60", True, None, float("nan")])
def test_a_limit_is_an_integer_from_10(wrong):
    with pytest.raises((TypeError, ValueError), match="explain: max_lines must be an integer from 10, got"):
        explain(ag.Value(1.0) * 2, max_lines=wrong)
