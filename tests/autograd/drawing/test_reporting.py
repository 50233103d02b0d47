"""A report names what may go wrong with a gradient, with numbers that are those of the engine and of mathematics."""

import math

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import diagnosis
from autograd.elementwise import ELEMENTWISE, op
from autograd.variadic import VARIADIC


def of(kind, output, **options):
    return [finding for finding in ag.report(output, **options).findings if finding.kind == kind]


def leaf(kind, x):
    return ag.Value(x, "x") if kind == "value" else ag.Tensor([0.5, x], "x")


# ---- Kinks


@pytest.mark.parametrize("kind", ["value", "tensor"])
@pytest.mark.parametrize(
    ("f", "at", "left", "here", "right"),
    [
        (ag.relu, 0.0, 0, 0, 1),
        (ag.relu, 1e-9, 0, 1, 1),
        (ag.abs, 0.0, -1, 0, 1),
        (lambda x: ag.maximum(x, 2.0), 2.0, 0, 0.5, 1),
        (lambda x: ag.minimum(x, 2.0), 2.0, 1, 0.5, 0),
        (lambda x: ag.minimum(3.0 * x, -3.0) * 0.0 + ag.abs(x), 0.0, -1, 0, 1),
        (lambda x: ag.hypot(x, 0.0), 0.0, -1, 0, 1),
    ],
)
def test_a_kink_is_named_with_the_slopes_on_both_sides_and_the_one_that_is_used(kind, f, at, left, here, right):
    x = leaf(kind, at)
    y = f(x)
    (found,) = of("kink", y.sum() if kind == "tensor" else y)
    assert found.figures["left"] == pytest.approx(left, abs=1e-6)
    assert found.figures["here"] == here
    assert found.figures["right"] == pytest.approx(right, abs=1e-6)
    assert found.count == 1
    assert f"x{'[1]' * (kind == 'tensor')} = {at:g}" in found.text
    y.sum().backward() if kind == "tensor" else y.backward()
    assert np.ravel(x.grad)[-1] == here  # what is said to be used is used


@pytest.mark.parametrize("distance", [1e-7, 1e-5])
def test_nearby_is_as_near_as_is_asked(distance):
    x = ag.Value(distance, "x")
    assert len(of("kink", ag.relu(x))) == (distance < 1e-6)
    assert len(of("kink", ag.relu(x), near=1e-4)) == 1


def test_a_kink_of_two_inputs_is_named_of_each():
    a, b = ag.Value(1.0, "a"), ag.Value(1.0, "b")
    texts = [found.text for found in of("kink", ag.maximum(a, b))]
    assert len(texts) == 2
    assert "in a, slope 0" in texts[0]
    assert "in b, slope 0" in texts[1]


@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if name != "isfinite"])
def test_no_kink_is_found_where_an_operation_is_smooth(name, rng):
    record = ELEMENTWISE[name]
    point = [1.3, 0.7, 0.4][: len(record.rules)] if name != "acosh" else [1.3]
    if name in ("asin", "acos", "atanh"):
        point = [0.3]
    reads = [np.array([x]) for x in point]
    for i in range(len(reads)):
        around = diagnosis.surroundings(record, i, reads, 1e-6)
        assert not (around.kink | around.jump | around.edge).any()


def test_a_kink_of_the_users_own_operation_is_found_where_it_is():
    bent = op(
        "bent",
        lambda x: max(x - 0.3, 0.0),
        lambda x: np.maximum(x - 0.3, 0.0),
        lambda z, x: ag.where(ag.step(x - 0.3), 1.0, 0.0),
    )
    del ELEMENTWISE["bent"]
    assert of("kink", bent(ag.Value(0.1))) == []
    (found,) = of("kink", bent(ag.Value(0.3, "x")))
    assert (found.figures["left"], found.figures["right"]) == (0.0, 1.0)


def test_ties_and_norms_of_arrays_are_kinks():
    x = ag.Tensor([1.0, 3.0, 3.0], "x")
    (found,) = of("kink", ag.max(x))
    assert found.count == 2
    assert {found.figures["left"], found.figures["right"]} == {0.0, 1.0}
    assert found.figures["here"] == 0.5
    assert of("kink", ag.max(ag.Tensor([1.0, 2.0, 3.0]))) == []
    (found,) = of("kink", ag.norm(ag.Tensor(np.zeros(3), "x")))
    assert found.figures["left"] == pytest.approx(-found.figures["right"])
    assert found.figures["here"] == 0.0
    assert of("kink", ag.norm(x)) == []


def test_norms_of_scalars_have_a_kink_at_the_origin():
    x, y = ag.Value(0.0, "x"), ag.Value(0.0, "y")
    assert len(of("kink", ag.norm([x, y]))) == 2
    assert of("kink", ag.norm([ag.Value(1.0), ag.Value(2.0)])) == []
    smooth = {name for name, record in VARIADIC.items() if of("kink", record(x, y, x * y)) == []}
    assert smooth == {*VARIADIC} - {"norm"}


def test_smooth_operations_on_arrays_have_no_kink(rng):
    x, W = ag.Tensor(rng.normal(size=(4, 3))), ag.Tensor(rng.normal(size=(3, 2)))
    y = ag.softmax(x @ W) + ag.logsumexp(x) + ag.prod(x) + ag.std(x)
    assert of("kink", y) == []


# ---- Edges


@pytest.mark.parametrize(
    ("f", "at", "says"),
    [
        (ag.log, 0.0, "the value is -inf here"),
        (ag.log, 1e-9, "within 1e-06 of the edge"),
        (ag.log, -1.0, "the value is nan here"),
        (ag.sqrt, 0.0, "the slope is inf here"),
        (ag.asin, 1.0 - 1e-9, "within 1e-06 of the edge"),
        (ag.atanh, -1.0, "the value is -inf here"),
        (ag.log1p, -1.0, "the value is -inf here"),
        (lambda x: 1.0 / x, 0.0, "the value is inf here"),
        (lambda x: 1.0 / x, 1e-9, "within 1e-06 of the edge"),
        (ag.cbrt, 0.0, "the slope is inf here"),
        (ag.exp, 709.7827, "within 1e-06 of the edge"),
    ],
)
@pytest.mark.parametrize("kind", ["value", "tensor"])
def test_an_edge_of_a_domain_is_named_with_its_cure(kind, f, at, says):
    if f is ag.exp:
        at = math.log(np.finfo(float).max)
    with np.errstate(all="ignore"):
        (found,) = of("edge", f(leaf(kind, at)))
    node = found.nodes[0]
    assert says in found.text
    assert found.text.endswith(node.op.hint) or node.op.hint in found.text


def test_what_comes_from_a_nan_is_no_edge():
    x = ag.Value(-1.0, "x")
    (found,) = of("edge", ag.sqrt(ag.exp(ag.log(x)) * 2.0))
    assert found.nodes[0].op.name == "log"


def test_a_jump_is_named():
    (found,) = of("jump", ag.mod(ag.Value(3.0, "x"), 3.0))
    assert "x = 3" in found.text


# ---- Gradients


def test_vanishing_and_exploding_gradients_and_those_of_zero():
    x, w = ag.Value(1.0, "x"), ag.Value(1.0, "w")
    y = x
    for _ in range(30):
        y = y * 0.5
    (found,) = of("vanishing", y + w)
    assert found.figures["gradient"] == 0.5**30
    assert "x has the gradient 9.313e-10" in found.text
    y = x
    for _ in range(15):
        y = y * 2.0
    (found,) = of("exploding", y + w)
    assert found.figures["gradient"] == 2.0**15
    (found,) = of("no gradient", ag.relu(-x) + w)
    assert found.text.startswith("x: it gets none")
    assert of("no gradient", x * w) == of("vanishing", x * w) == of("exploding", x * w) == []


def test_the_largest_contributions_add_up_to_gradients(rng):
    x = [ag.Value(float(v), f"x{i}") for i, v in enumerate(rng.normal(size=4))]
    y = ag.dot(x, [1.0, 2.0, 3.0, 4.0]) + x[3] * 10.0
    found = of("largest", y)
    assert [f.figures["contribution"] for f in found] == [10.0, 4.0, 3.0, 2.0, 1.0]
    assert [f.nodes[0].label for f in found] == ["x3", "x3", "x2", "x1", "x0"]
    W = ag.Tensor(rng.normal(size=(3, 2)), "W")
    X = rng.normal(size=(5, 3))
    loss = ag.sum(X @ W)
    (found,) = of("largest", loss)
    loss.backward()
    assert found.figures["contribution"] == np.abs(W.grad).max()
    assert "to W" in found.text


# ---- Units


def network(values, bias):
    """Eight units of which two are shifted by `bias`, on 20 points: as Values or as Tensors."""
    rng = np.random.default_rng(0)
    W, b, X = rng.normal(size=(2, 8)), np.array([bias] * 2 + [0.0] * 6), rng.normal(size=(20, 2))
    if not values:
        return X @ ag.Tensor(W, "W") + ag.Tensor(b, "b")
    weights = [[ag.Value(w) for w in column] for column in W.T.tolist()]
    biases = [ag.Value(v, f"b{i}") for i, v in enumerate(b.tolist())]
    return [ag.dot(w, row, start=v) for row in X.tolist() for w, v in zip(weights, biases, strict=True)]


@pytest.mark.parametrize("values", [True, False])
@pytest.mark.parametrize(
    ("kind", "f", "bias"),
    [("dead", ag.relu, -50.0), ("saturated", ag.tanh, 20.0), ("saturated", ag.sigmoid, -30.0)],
)
def test_dead_and_saturated_units_are_counted(values, kind, f, bias):
    h = network(values, bias)
    (found,) = of(kind, ag.sum([f(v) for v in h]) if values else ag.sum(f(h)))
    assert found.count == 2
    assert found.figures["units"] == 8
    assert "2 of 8 units" in found.text
    if values:
        assert "b0, b1" in found.text
    h = network(values, 0.0)
    assert of(kind, ag.sum([f(v) for v in h]) if values else ag.sum(f(h))) == []


def test_a_channel_is_a_unit(rng):
    x = ag.Tensor(rng.normal(size=(4, 3, 5, 5)) - np.array([0.0, 30.0, 0.0])[:, None, None])
    (found,) = of("dead", ag.relu(x))
    assert (found.count, found.figures["units"]) == (1, 3)


def test_what_lets_something_through_otherwise_is_not_dead():
    assert of("dead", nn.LeakyReLU()(ag.Tensor(-np.ones((4, 3))))) == []


# ---- As a whole


def test_nothing_is_said_of_what_is_sound():
    x = ag.Value(0.5, "x")
    report = ag.report(ag.tanh(x) * 2.0 + ag.exp(x))
    assert {finding.kind for finding in report.findings} == {"largest"}
    assert "nothing is found that may go wrong" in str(report)


def test_the_graph_stays_as_it_is():
    x = ag.Value(2.0)
    y = ag.relu(x) * x
    ag.report(y)
    assert x.grad == y.grad == 0.0
    W = ag.Tensor([1.0])
    ag.report(ag.relu(W))
    assert W.grad is None


def test_it_shows_itself_and_labels_cannot_become_markup():
    x = ag.Value(0.0, "<b>*x*</b>\n| `y`")
    report = ag.report(ag.relu(x))
    assert str(report) == repr(report)
    assert "<b>*x*</b> | `y` = 0" in str(report)
    markdown = report._repr_markdown_()
    assert "<b>" not in markdown.replace("\\<", "")
    assert "\\<b\\>\\*x\\*\\</b\\> \\| \\`y\\`" in markdown
    assert markdown.count("**") == 2 * len({finding.kind for finding in report.findings})


def test_a_faulty_rule_is_no_obstacle():
    bad = ag.primitive(lambda x: x * 2.0, lambda g, z, x: 1 / 0)
    x = ag.Value(0.0, "x")
    y = ag.relu(x) * 3.0
    report = ag.report(y)
    assert len([f for f in report.findings if f.kind == "kink"]) == 1
    with pytest.raises(ZeroDivisionError):  # of the derivative itself, which every report needs
        ag.report(bad(x))


@pytest.mark.parametrize("wrong", [3.0, None, [ag.Value(1.0)]])
def test_what_is_no_node_is_refused(wrong):
    with pytest.raises(TypeError, match="report needs a Value or a Tensor"):
        ag.report(wrong)
    with pytest.raises(ValueError, match="near"):
        ag.report(ag.Value(1.0), near=0.0)


def test_of_a_leaf_and_of_an_array():
    assert str(ag.report(ag.Value(1.0))).startswith("0 operations, 1 leaf: the output is 1")
    assert len(of("kink", ag.relu(ag.Tensor([[0.0, 1.0], [0.0, 2.0]])))) == 1


def test_a_large_graph_is_reported_in_seconds():
    x = ag.Value(0.001, "x")
    y = x
    for _ in range(50_000):
        y = ag.relu(y * 1.0001)
    report = ag.report(y)  # a second; what is quadratic would never come back
    assert "100,000 operations" in str(report)
