"""The stepper in a browser: every number on the page is the engine's, by keys alone too; and what is too large is refused."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
from autograd.drawing.steps import steps
from autograd.drawing.summaries import number
from autograd.graph import ancestors
from tests.browser import LOOKS, check_looks, screenshot

pytestmark = pytest.mark.once  # a browser for each test


def neuron():
    """The famous lecture's neuron."""
    x1, x2 = ag.Value(2.0, "x1"), ag.Value(0.0, "x2")
    w1, w2 = ag.Value(-3.0, "w1"), ag.Value(1.0, "w2")
    b = ag.Value(6.8813735870195432, "b")
    x1w1, x2w2 = x1 * w1, x2 * w2
    n = x1w1 + x2w2 + b
    n.label = "n"
    o = ag.tanh(n)
    o.label = "o"
    return o


def shared():
    """A graph with shared parts, constants, and an operation of many inputs."""
    a, b = ag.Value(1.5, "a"), ag.Value(-0.5, "b")
    c = a * b + 2.0
    return ag.sum([c * c, a - c, ag.relu(b), 3.0]) / ag.exp(c)


def tensors():
    w, x = ag.Tensor([[1.0, -2.0], [0.5, 3.0]], "w"), ag.Tensor([[2.0], [-1.0]], "x")
    return ag.sum(ag.tanh(w @ x + 0.5) * x)


@pytest.fixture
def stepped(tmp_path, open_page):
    """A function that opens the page of a graph."""

    def open_stepper(output, *, inputs=None, max_nodes=150, **look):
        path = ag.stepper(output, tmp_path / "steps.html", inputs=inputs, max_nodes=max_nodes).path
        return open_page(path, **look)

    return open_stepper


def at(page):
    return int(page.input_value("#slider"))


def go(page, k):
    page.evaluate("k => go(k)", k)


def text(page, selector):
    return page.locator(selector).text_content()


def grads(page):
    """The gradients in the picture, by the names of the boxes."""
    pairs = page.evaluate(
        "boxesDrawn.filter((_, i) => boxes[i].name).map(b => ['.name', '.grad'].map(s => b.querySelector(s).textContent))"
    )
    return {name: grad.removeprefix("grad ") for name, grad in pairs}


def as_number(shown):
    return float(shown.replace("−", "-"))


def equation(page):
    """The numbers of the equation: before, local, upstream, after."""
    return [as_number(shown) for shown in page.locator("#equation b").all_text_contents()]


def close(shown, exact):
    return as_number(shown) == float(number(exact)) if isinstance(shown, str) else shown == float(number(exact))


# ---- Every number


@pytest.mark.parametrize("make", [neuron, shared])
def test_every_number_on_the_page_is_the_engine_s(stepped, make):
    output = make()
    page = stepped(output)
    forward, backward = steps(output)
    assert as_number(page.get_attribute("#slider", "max")) == len(forward) + len(backward)
    for step in forward:
        page.keyboard.press("ArrowRight")
        assert text(page, "#phase") == "Forward"
        assert close(page.locator(".term.after b").text_content(), step.node.data)
    page.keyboard.press("ArrowRight")
    assert equation(page) == [1.0]
    for step in backward[1:]:
        page.keyboard.press("ArrowRight")
        wanted = [step.before, step.local, step.upstream, step.after]
        assert all(map(close, equation(page), wanted)), (equation(page), wanted)
        assert text(page, "#phase") == "Backward"
        assert page.locator(".edge.now").count() == 1
        assert page.locator(".box.now").count() == 1
        assert close(page.locator(".box.target .grad").text_content().split()[1], step.after)
    assert page.is_disabled("#next")
    output.backward()
    shown = grads(page)
    nodes = ancestors(output)
    assert len(shown) == len(nodes)
    assert sorted(as_number(x) for x in shown.values()) == sorted(float(number(node.grad)) for node in nodes)
    for node in nodes:
        if node.label:
            assert close(shown[node.label], node.grad)


def test_tensors_are_stepped_through_with_their_shapes(stepped):
    output = tensors()
    page = stepped(output)
    for _ in range(int(page.get_attribute("#slider", "max"))):
        page.keyboard.press("ArrowRight")
        assert "undefined" not in page.inner_text("#step")
        assert "nan" not in page.inner_text("#step").lower()
    output.backward()
    (w, x) = (node for node in ancestors(output) if node.label)
    shown = grads(page)
    for node in (w, x):
        got = [as_number(found) for found in re.findall(r"[−\d.e]+", shown[node.label])]
        np.testing.assert_allclose(got, node.grad.ravel(), rtol=1e-3)
    go(page, int(page.get_attribute("#slider", "max")))
    assert text(page, "#formula") == "gradient of w += ḡ xᵀ, where ḡ is the gradient of %1"
    assert "(2, 2) float64" in page.locator("#graph").text_content()


def test_formulas_and_their_numbers(stepped):
    page = stepped(neuron())
    go(page, 5)
    assert text(page, "#formula") == "o = tanh(n)"
    assert page.locator(".term b").all_text_contents() == ["tanh(0.8814)", "0.7071"]
    go(page, 7)
    assert text(page, "#heading") == "From o back to n"
    assert text(page, "#formula") == "∂o/∂n = 1 - o² = 1 − 0.7071² = 0.5"
    assert page.locator(".term small").all_text_contents() == [
        "gradient of n before",
        "local: ∂o/∂n",
        "gradient of o",
        "gradient of n after",
    ]


def test_a_gradient_that_is_not_complete_says_so(stepped):
    x = ag.Value(3.0, "x")
    page = stepped(x * x)
    go(page, 3)
    assert grads(page)["x"] == "3 + …"
    assert "1 more contribution to come" in text(page, "#note")
    go(page, 4)
    assert grads(page)["x"] == "6"
    assert "complete" in text(page, "#note")


def test_a_leaf_that_was_set_since_is_shown_as_it_was_used(stepped):
    x = ag.Value(3.0, "x")
    y = x * 2.0
    x.data = 100.0
    page = stepped(y)
    assert "x = 3" in text(page, "#formula")


def test_what_is_no_number_is_shown_as_it_is(stepped):
    x = ag.Value(0.0, "x")
    page = stepped(ag.log(x) * x)
    page.keyboard.press("End")
    assert grads(page)["x"] == "−inf"
    go(page, 4)
    assert "−inf" in page.inner_text("#step")


# ---- Ways to go


def test_every_way_to_a_step_shows_the_same(stepped):
    page = stepped(shared())
    last = int(page.get_attribute("#slider", "max"))
    look = "[document.querySelector('#step').innerText, document.querySelector('#count').innerText, svg.innerHTML]"
    stepwise = []
    for _ in range(last + 1):
        stepwise.append(page.evaluate(look))
        page.keyboard.press("ArrowRight")
    for k in reversed(range(last + 1)):
        assert at(page) == k
        assert page.evaluate(look) == stepwise[k]
        page.keyboard.press("ArrowLeft")
    page.click("#last")
    assert at(page) == last
    page.click("#back")
    assert at(page) == last - 1
    page.click("#next")
    page.click("#first")
    assert at(page) == 0
    assert page.is_disabled("#back")
    page.locator("#slider").fill("4")
    assert page.evaluate(look) == stepwise[4]
    page.focus("#slider")
    page.keyboard.press("ArrowRight")
    assert at(page) == 5
    page.keyboard.press("End")
    assert at(page) == last
    assert "Step" in page.get_attribute("#slider", "aria-valuetext")


def test_it_plays_to_the_end_and_stops_where_it_is_told(stepped):
    page = stepped(neuron())
    page.clock.install()
    page.reload()
    page.keyboard.press(" ")
    assert text(page, "#play") == "Pause"
    page.clock.run_for(5000)
    page.keyboard.press(" ")
    reached = at(page)
    assert reached >= 3
    page.clock.run_for(5000)
    assert at(page) == reached
    page.click("#play")
    page.clock.run_for(60_000)
    assert at(page) == int(page.get_attribute("#slider", "max"))
    assert text(page, "#play") == "Play"
    page.click("#play")  # from the end it starts again
    page.clock.run_for(1600)
    assert 1 <= at(page) < 10


def test_who_wants_little_motion_gets_none(stepped):
    for wish, moves in (("reduce", 0), ("no-preference", 1)):
        page = stepped(neuron(), reduced_motion=wish)
        go(page, 8)
        assert page.evaluate("document.getAnimations().length") == moves


# ---- Quiz


def test_the_quiz_asks_before_it_shows(stepped):
    output = neuron()
    page = stepped(output)
    page.click("#quiz")
    assert text(page, "#phase") == "Backward"
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "typed"
    assert text(page, ".term.after b") == "?"
    assert grads(page)["n"] == ""
    assert "after?" in text(page, "#live")
    for typed, told in (("0.7", "Not 0.7"), ("", "Type a number"), ("one", "Type a number"), ("1e", "Type a number")):
        page.fill("#typed", typed)
        page.keyboard.press("Enter")
        assert told in text(page, "#verdict")
        assert text(page, ".term.after b") == "?"
    page.fill("#typed", "1/2")
    page.keyboard.press("Enter")
    assert text(page, "#verdict") == "Right: 0.5."
    assert grads(page)["n"] == "0.5"
    assert "0 of 1 right" in text(page, "#count")  # at the first try
    page.keyboard.press("Enter")
    assert at(page) == 8
    page.click("#reveal")
    assert text(page, "#verdict") == "It is 0.5."
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")  # shows the answer, and only then goes on
    assert (at(page), text(page, "#verdict")) == (9, "It is 0.5.")
    page.keyboard.press("q")
    assert page.is_hidden("#answer")
    assert "right" not in text(page, "#count")


@pytest.mark.parametrize("make", [neuron, shared, tensors])
def test_the_whole_quiz_by_keys_alone(stepped, make):
    output = make()
    page = stepped(output)
    _, backward = steps(output)
    page.keyboard.press("q")
    asked = 0
    for step in backward[1:]:
        page.keyboard.press("ArrowRight")
        if np.size(step.after) > 6:
            continue
        asked += 1
        answer = ", ".join(f"{x:.5g}" for x in np.ravel(step.after))
        page.keyboard.type(answer)
        page.keyboard.press("Enter")
        assert text(page, "#verdict").startswith("Right"), (answer, text(page, "#verdict"))
    assert f"{asked} of {asked} right" in text(page, "#count")
    assert at(page) == int(page.get_attribute("#slider", "max"))


ANSWERS = [
    (0.5, "0.5", True), (0.5, ".50", True), (0.5, "0,5", True), (0.5, "0.497", True), (0.5, "0.49", False),
    (-1.5, "−1.5", True), (-1.5, "1.5", False), (0.0, "0", True), (0.0, "0.1", False), (1 / 3, "1/3", True),
    (0.0004, "4e-4", True), (0.0004, "0", False), (250.0, "251", True), (250.0, "260", False), (math.inf, "inf", True),
    (-math.inf, "inf", False), (math.nan, "nan", True), (math.nan, "0", False), (0.5, "1/2/1", None), (0.5, "x", None),
    (0.5, "1.2.3", None), (1.0, "0/0", None),
]  # fmt: skip


def test_an_answer_is_right_to_one_part_in_a_hundred(stepped):
    page = stepped(neuron())
    for exact, typed, right in ANSWERS:
        wanted = exact if math.isfinite(exact) else repr(exact)
        found = page.evaluate(
            "([typed, exact]) => { const x = answerOf(typed, 1); return x === undefined ? null : isRight(x[0], exact); }",
            [typed, wanted],
        )
        assert found is right, (exact, typed)


def test_the_quiz_waits_while_it_plays(stepped):
    page = stepped(neuron())
    page.clock.install()
    page.reload()
    page.click("#quiz")
    page.click("#play")
    page.clock.run_for(20_000)
    assert at(page) == 7
    assert text(page, ".term.after b") == "?"


# ---- Paths


def lit(page):
    return set(
        page.evaluate(
            "boxes.map((b, i) => [b, i]).filter(([b, i]) => boxesDrawn[i].classList.contains('lit')).map(([b]) => b.name)"
        )
    )


def test_pointing_at_a_box_lights_all_that_leads_to_it_and_all_that_it_leads_to(stepped):
    page = stepped(neuron())
    page.locator(".box", has_text="x1 = 2").hover()
    assert lit(page) == {"x1", "%1", "%3", "n", "o"}
    assert text(page, "#hint") == "One path from x1 to o: 0.5 × 1 × 1 × −3 = −1.5."
    page.locator(".box", has_text="%1 = ").or_(page.locator(".box", has=page.locator("text=%1"))).first.hover()
    assert lit(page) == {"x1", "w1", "%1", "%3", "n", "o"}
    page.hover("h1")
    assert lit(page) == set()


def test_paths_are_counted_however_many_there_are(stepped):
    x = ag.Value(1.0, "x")
    y = x
    for _ in range(40):
        y = y + y
    page = stepped(y, max_nodes=200)
    page.evaluate("light(0)")
    assert (
        text(page, "#hint")
        == "1,099,511,627,776 paths from x to out: the products of their local derivatives add up to 1.1e+12."
    )


def test_boxes_are_reached_by_keys(stepped):
    page = stepped(neuron())
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.box"):
            break
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("o")
    names = []
    for _ in range(10):
        page.keyboard.press("ArrowDown")
        names.append(page.evaluate("boxes[document.activeElement.dataset.box].name"))
        assert names[-1] in lit(page)
    assert len(set(names)) == 10
    assert at(page) == 0
    page.keyboard.press("ArrowRight")  # a step, as everywhere
    assert at(page) == 1
    page.keyboard.press("Escape")
    assert lit(page) == set()


def test_all_that_can_be_pressed_is_reached_by_the_tab_key_and_has_a_name(stepped):
    page = stepped(neuron())
    page.keyboard.press("q")
    page.keyboard.press("ArrowRight")
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.getAttribute('role')"))
    assert {"img", "typed", "check", "reveal", "first", "back", "play", "next", "quiz", "slider"} <= reached | {"last"}
    unnamed = page.evaluate("[...document.querySelectorAll('button')].filter(b => !b.textContent.trim()).length")
    assert unnamed == 0


def test_steps_are_read_out(stepped):
    page = stepped(neuron())
    assert page.get_attribute("#live", "aria-live") == "polite"
    page.keyboard.press("ArrowRight")
    assert text(page, "#live") == "Forward. %1 = x1 * w1 = −6."
    go(page, 7)
    assert text(page, "#live") == "Backward, from o to n. Before 0, plus local derivative 0.5 times gradient 1 = 0.5."


# ---- Code, names, inputs


def test_under_trace_names_code_and_names_are_the_user_s(stepped):
    with ag.trace_names():
        x = ag.Value(3.0)
        y = x * x
        z = ag.tanh(y)
    page = stepped(z)
    assert grads(page).keys() == {"x", "y", "z"}
    assert page.locator("#code h3").all_text_contents() == [Path(__file__).name]
    go(page, 1)
    assert page.locator("#code [aria-current]").text_content().endswith("y = x * x")
    go(page, 4)
    assert page.locator("#code [aria-current]").text_content().endswith("z = ag.tanh(y)")
    assert str(Path(__file__).parent) not in page.content()


def test_without_it_there_is_no_code(stepped):
    page = stepped(neuron())
    assert page.is_hidden("#code")


def test_with_inputs_only_the_paths_from_those_are_stepped_through(stepped):
    w, b, x = ag.Value(2.0), ag.Value(0.5), ag.Value(3.0, "x")
    y = ag.tanh(w * x + b) * ag.exp(x)
    page = stepped(y, inputs={"w": w})
    page.keyboard.press("End")
    found = grads(page)
    assert "b" not in found
    assert "x" not in found
    y.backward()
    assert close(found["w"], w.grad)
    assert "x = 3" in text(page, "#graph")


HOSTILE = [
    "</script><script>document.title = 'taken'</script>", "<img src=x onerror=\"document.title='taken'\">", "${1}` ' \" \\",
    "\u2028\u2029\x00\x1b", "<!-- <script>", "a" * 500, "__proto__", "יש 😀",
]  # fmt: skip


def test_labels_are_text_whatever_they_say(stepped):
    nodes = [ag.Value(1.0, label) for label in HOSTILE]
    y = ag.prod(nodes)
    page = stepped(y)
    title = page.title()
    for _ in range(int(page.get_attribute("#slider", "max"))):
        page.keyboard.press("ArrowRight")
    assert page.title() == title
    assert page.locator("img, #graph script, #step script").count() == 0
    found = page.evaluate("[...document.querySelectorAll('.box')].map(b => b.getAttribute('aria-label'))")
    assert found[: len(HOSTILE)] == [f"{label} = 1, grad 1" for label in HOSTILE]


# ---- Looks


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_it_can_be_read_on_a_phone_and_on_a_desk_in_light_and_dark(stepped, width, scheme):
    with ag.trace_names():
        output = neuron()
    page = stepped(output, width=width, scheme=scheme, reduced_motion="reduce")
    for k in (0, 3, 6, 9, 15):
        go(page, k)
        check_looks(page)
        screenshot(page, f"stepper-{k}")
    page.keyboard.press("q")
    go(page, 12)
    page.fill("#typed", "7")
    page.keyboard.press("Enter")
    check_looks(page)
    screenshot(page, "stepper-wrong")
    page.evaluate("light(0)")
    check_looks(page)
    screenshot(page, "stepper-lit")


@pytest.mark.parametrize(("width", "scheme"), LOOKS[::3])
def test_other_graphs_can_be_read_too(stepped, width, scheme):
    for make in (shared, tensors):
        page = stepped(make(), width=width, scheme=scheme, reduced_motion="reduce")
        page.keyboard.press("End")
        check_looks(page)
        screenshot(page, f"stepper-{make.__name__}")


def test_the_present_step_is_in_sight(stepped):
    page = stepped(neuron(), width=375, reduced_motion="reduce")
    for k in range(1, 16):
        go(page, k)
        for box in page.locator(".box.now, .box.target").all():
            assert box.evaluate(
                "b => { const [a, p] = [b, find('pan')].map(e => e.getBoundingClientRect()); return a.right > p.left && a.left < p.right }"
            )


def test_the_picture_is_made_larger_and_smaller(stepped):
    page = stepped(neuron())
    wide = page.locator("#graph").bounding_box()["width"]
    page.click("#zoom-in")
    assert page.locator("#graph").bounding_box()["width"] > 1.2 * wide
    page.keyboard.press("-")
    page.keyboard.press("-")
    assert page.locator("#graph").bounding_box()["width"] < 0.85 * wide


def test_inputs_lie_in_the_order_in_which_one_reads_them(stepped):
    page = stepped(neuron())
    places = dict(page.evaluate("boxes.map((b, i) => [b.name, layout.node(key(i)).y])"))
    for upper, lower in (("x1", "w1"), ("w1", "x2"), ("x2", "w2"), ("%1", "%2"), ("%3", "b")):
        assert places[upper] < places[lower]


def test_large_arrays_are_told_by_shape_dtype_and_extent(stepped):
    w = ag.Tensor(np.linspace(-1.0, 1.0, 20).reshape(4, 5), "w")
    page = stepped(ag.sum(w * w))
    page.keyboard.press("End")
    box = page.locator(".box", has_text="w").first
    assert box.locator("text").all_text_contents() == ["w: −1 to 1", "(4, 5) float64", "grad −2 to 2"]
    page.keyboard.press("q")  # too many numbers to ask for
    page.keyboard.press("End")
    assert page.is_hidden("#answer")


# ---- Limits


def chain(n):
    y = ag.Value(1.0)
    for _ in range(n):
        y = ag.tanh(y)
    return y


def test_the_largest_graph_is_shown(stepped):
    rng = np.random.default_rng(0)
    nodes = [ag.Value(x) for x in rng.normal(size=10)]
    while len(ancestors(nodes[-1])) < 140:
        nodes.append(ag.tanh(nodes[rng.integers(len(nodes))] * nodes[-1] + nodes[rng.integers(len(nodes))]))
    page = stepped(nodes[-1])
    page.keyboard.press("End")
    nodes[-1].backward()
    assert sum(grad != "" for grad in grads(page).values()) == len(ancestors(nodes[-1]))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda path: ag.stepper(chain(150), path), r"at most max_nodes = 150 nodes, got 151: .*inputs"),
        (lambda path: ag.stepper(chain(2), path, max_nodes=2), r"max_nodes = 2 nodes, got 3"),
        (lambda path: ag.stepper(ag.Tensor([1.0, 2.0]), path), r"needs a scalar, got shape \(2,\): reduce with"),
        (lambda path: ag.stepper(chain(2), path.with_suffix(".png")), r"the name must end in \.html"),
        (lambda path: ag.stepper(chain(2), path, inputs=ag.Value(1.0)), r"computed from none of `inputs`"),
    ],
)
def test_what_cannot_be_stepped_through_is_a_clear_error_and_leaves_no_file(tmp_path, wrong, told):
    with pytest.raises(ValueError, match=told):
        wrong(tmp_path / "steps.html")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_and_a_wrong_argument_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="found no folder"):
        ag.stepper(chain(1), tmp_path / "none" / "steps.html")
    with pytest.raises(TypeError, match="stepper needs a Value or a Tensor, got float"):
        ag.stepper(1.0, tmp_path / "steps.html")


def test_a_leaf_alone_is_one_step_backwards(stepped):
    page = stepped(ag.Value(3.0, "x"))
    page.keyboard.press("End")
    assert grads(page) == {"x": "1"}


def test_nothing_is_stored_and_the_page_needs_no_network(tmp_path):
    output = neuron()
    path = ag.stepper(output, tmp_path / "steps.html").path
    assert all(node.grad == 0.0 for node in ancestors(output))
    page = path.read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "https://" not in page
    assert len(page) < 200_000


def test_a_notebook_shows_the_page_in_a_frame(tmp_path, open_page):
    made = ag.stepper(neuron())
    assert made.path is None
    (tmp_path / "notebook.html").write_text(
        f"<!DOCTYPE html><title>notebook</title>{made._repr_html_()}", encoding="utf-8"
    )
    page = open_page(tmp_path / "notebook.html")
    frame = page.frame_locator("iframe")
    frame.locator("#next").click()
    assert frame.locator("#phase").text_content() == "Forward"
