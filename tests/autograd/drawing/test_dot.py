"""The picture of a graph, read from its DOT text."""

import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

import autograd as ag
from autograd.drawing.dot import draw
from autograd.drawing.layout import lay_out
from autograd.graph import Primitive

EDGE = re.compile(r"^\t(\w+) -> (\w+)(?::(\d+):w)?(?: \[label=\"([^\"]*)\")?", re.MULTILINE)


def edges(node, **options):
    """Each edge as (from, to, port or "", what is written on it)."""
    found = EDGE.findall(draw(node, **options).source)
    return [(tail, head, port, label.strip()) for tail, head, port, label in found]


def boxes(node, **options):
    """What is written in each box: its lines of text, by the box's name."""
    source = draw(node, **options).source
    found = re.findall(r"^\t(\w+) \[label=(<.*>|\"[^\"]*\"|[^\s\]]+)[ \]]", source, re.MULTILINE)
    return {
        name: [t for t in re.split(r"<[^>]*>|\"", label.removeprefix("<").removesuffix(">")) if t]
        for name, label in found
    }


def written(node):
    """All text in the picture, as Graphviz understood it."""
    picture = ElementTree.fromstring(lay_out(draw(node).source, "svg"))
    return [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]


@pytest.fixture
def lesson():
    a, b, c = ag.Value(2.0, "a"), ag.Value(-3.0, "b"), ag.Value(6.5, "c")
    L = (a * b + c).tanh()
    L.label = "L"
    return L


def test_a_box_shows_label_and_value_and_before_them_the_operation(lesson):
    found = boxes(lesson)
    assert found["n0"] == ["a", " = 2"]
    assert found["n3"] == ["×", "−6"]
    assert found["n5"] == ["tanh", "L", " = 0.4621"]


def test_the_gradient_is_shown_once_there_is_one(lesson):
    assert "grad" not in draw(lesson).source
    lesson.backward()
    found = boxes(lesson)
    assert found["n0"] == ["a", " = 2", "grad −2.359"]
    assert found["n5"] == ["tanh", "L", " = 0.4621", "grad 1"]


def test_drawing_changes_no_gradient(lesson):
    lesson.backward()
    before = [node.grad for node in ag.graph.ancestors(lesson)]
    draw(lesson)
    assert [node.grad for node in ag.graph.ancestors(lesson)] == before


def test_an_edge_bears_the_local_derivative(lesson):
    assert edges(lesson) == [
        ("n0", "n3", "", "−3"),
        ("n1", "n3", "", "2"),
        ("n3", "n4", "", "1"),
        ("n2", "n4", "", "1"),
        ("n4", "n5", "", "0.7864"),
    ]


def test_x_times_x_has_two_edges():
    x = ag.Value(3.0)
    assert edges(x * x) == [("n0", "n1", "", "3")] * 2


def test_a_constant_is_shown_and_nothing_flows_back_to_it():
    x = ag.Value(3.0)
    assert boxes(x * 5.0)["n1c1"] == ["5"]
    assert edges(x * 5.0) == [("n0", "n1", "", "5"), ("n1c1", "n1", "", "")]


def test_many_constants_of_one_operation_are_counted():
    y = ag.dot([ag.Value(1.0)] * 1000, [2.0] * 1000)
    assert boxes(y)["n1c"] == ["1,000 constants"]
    assert not any(re.fullmatch(r"n1c\d+", name) for name in boxes(y))


def test_the_zero_that_a_dot_starts_from_is_not_shown_but_any_other_start_is():
    x = ag.Value(3.0)
    assert edges(ag.dot([x], [2.0])) == [("n0", "n1", "", "2"), ("n1c2", "n1", "", "")]
    assert boxes(ag.dot([x], [2.0], start=5.0))["n1c0"] == ["5"]


def test_operands_that_cannot_be_swapped_have_their_places_from_top_to_bottom():
    x, y = ag.Value(3.0), ag.Value(2.0)
    assert edges(x - y) == [("n0", "n2", "0", "1"), ("n1", "n2", "1", "−1")]
    assert edges(y - x) == [("n1", "n2", "0", "1"), ("n0", "n2", "1", "−1")]
    assert edges(1.0 / y) == [("n1c0", "n1", "0", ""), ("n0", "n1", "1", "−0.25")]


def test_one_operation_of_many_inputs_has_an_edge_for_each():
    xs = [ag.Value(float(i)) for i in range(10)]
    found = edges(ag.norm(xs))
    assert [tail for tail, *_ in found] == [f"n{i}" for i in range(10)]
    norm = sum(i * i for i in range(10)) ** 0.5
    assert float(found[9][3]) == pytest.approx(9 / norm, abs=1e-4)


def test_infinite_slopes_are_shown_without_complaint():
    x = ag.Value(0.0)
    assert edges(x.sqrt()) == [("n0", "n1", "", "inf")]
    assert edges(1.0 / x)[1][3] == "−inf"


def test_what_a_rule_calls_zero_is_written_as_zero():
    x = ag.Value(7.0)
    assert edges(ag.where(x, ag.Value(1.0), 2.0))[:2] == [("n0", "n2", "0", "0"), ("n1", "n2", "1", "1")]


def test_an_operation_with_a_faulty_rule_is_drawn_without_it():
    def wrong(g, z, x):
        raise KeyError("oops")

    broken = Primitive("broken", lambda x: x, lambda x: x, wrong)
    assert edges(broken(ag.Value(1.0))) == [("n0", "n1", "", "")]


def test_small_arrays_are_shown_in_full_and_their_slopes_element_by_element():
    t = ag.Tensor([1.0, 2.0, 3.0], "t")
    (t * t).sum().backward()
    assert boxes(t * t)["n0"] == ["t", " = [1, 2, 3]", "(3,) float64", "grad [2, 4, 6]"]
    assert edges(t * t) == [("n0", "n1", "", "[1, 2, 3]")] * 2


def test_large_arrays_are_shown_by_shape_dtype_extent_and_histogram():
    t = ag.Tensor(np.arange(20, dtype=np.float32).reshape(4, 5), "t")
    t.mean().backward()
    assert boxes(t)["n0"] == ["t", "(4, 5) float32", "0 to 19", "█▆█▆▆█▆█", "grad all 0.05"]


def test_numbers_that_are_not_finite_are_counted():
    t = ag.Tensor([np.nan, np.inf, *range(10)])
    assert boxes(t)["n0"] == ["(12,) float64", "0 to 9, 2 not finite", "█▄▄▄▄▄▄█"]


def test_an_edge_says_where_a_broadcast_is_summed_again():
    b = ag.Tensor(np.zeros(3), "b")
    X = ag.Tensor(np.zeros((5, 3)), "X")
    assert edges(X + b) == [("n1", "n2", "", ""), ("n0", "n2", "", "Σ (5, 3) → (3,)")]


@pytest.mark.parametrize("empty", [np.zeros((0, 3)), np.zeros(0)])
def test_empty_arrays_are_drawn(empty):
    assert str(empty.shape) in " ".join(boxes(ag.Tensor(empty) * 2.0)["n1"])


@pytest.mark.parametrize(
    "label",
    ['say "x"', "a\\b", "\\N \\G \\l", "x < y > z", "a|b", "{a}", "&amp;", "ß∂日本", "<b>bold</b>", "<", "ends\\"],
)
def test_a_label_is_shown_as_it_is_whatever_is_in_it(label):
    x = ag.Value(1.0, label)
    assert label in written(x * 2.0)


def test_newlines_become_spaces_and_what_xml_forbids_is_written_as_in_python():
    x = ag.Value(1.0, "two\nlines\x00\x1b")
    assert "two lines\\x00\\x1b" in [text.strip() for text in written(x)]


def test_the_name_of_a_users_operation_is_shown_as_it_is():
    op = Primitive('<"\\N">', lambda x: x, lambda x: x, lambda g, z, x: g)
    assert '<"\\N">' in written(op(ag.Value(1.0)))


def test_a_constant_of_any_kind_is_shown_as_it_is():
    op = Primitive("op", None, lambda x, how: x, lambda g, z, x, how: g, None)
    assert "'<\\\\N>'" in written(op(ag.Tensor(1.0), "<\\N>"))


def test_every_picture_says_what_the_numbers_on_its_edges_are_if_it_has_any(lesson):
    assert "on an edge: the local derivative" in written(lesson)
    assert "on an edge: the local derivative" not in written(ag.Value(1.0))


def test_a_shared_node_is_drawn_once():
    x = ag.Value(0.5)
    for _ in range(12):
        x = x + x
    source = draw(x).source
    assert len(boxes(x)) == 13
    assert len(edges(x)) == 24
    assert source.count("\n") < 60


def test_the_same_graph_gives_the_same_text():
    def build():
        x = ag.Value(0.3, "x")
        return draw(ag.sum([x * i for i in range(20)]) / (x + 1.0)).source

    assert build() == build()


def test_a_very_long_chain_is_folded_and_soon_drawn():
    x = ag.Value(0.5, "x")
    for _ in range(100_000):
        x = x * 0.999
    found = boxes(x)  # two seconds; a tree or a recursion would never come back
    assert found["folded"] == ["… 99,801 more"]
    assert sum(bool(re.fullmatch(r"n\d+", name)) for name in found) == 200
    assert edges(x)[0][:2] == ("folded", "n0")


def test_the_nodes_nearest_to_the_result_are_shown():
    x = ag.Value(0.5, "x")
    near = ag.Value(4.0, "near")
    far = x
    for _ in range(5):
        far = far + 1.0
    found = boxes(far * near, max_nodes=3)
    assert found["folded"] == ["… 5 more"]
    assert "'near'" in str(found)
    assert "'x'" not in str(found)


def test_drawing_what_is_no_graph_is_refused():
    with pytest.raises(TypeError, match="draw needs a Value or a Tensor, got float"):
        draw(3.0)
    with pytest.raises(ValueError, match="max_nodes must be a positive integer, got 0"):
        draw(ag.Value(1.0), max_nodes=0)


def test_digits_say_how_exact_numbers_are():
    x = ag.Value(np.pi)
    assert boxes(x, digits=7)["n0"] == ["3.141593"]


def test_jupyter_shows_the_picture_without_a_dot_executable(lesson, monkeypatch):
    monkeypatch.setenv("PATH", "")
    bundle = draw(lesson)._repr_mimebundle_()
    assert bundle["image/svg+xml"].count("tanh") == 1


def test_graphviz_is_imported_no_earlier_than_it_is_needed():
    code = (
        "import sys, autograd.drawing.dot, autograd.drawing.rendering, autograd.drawing.explaining;"
        "print([m for m in ('graphviz', 'pygraphviz', 'IPython') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
