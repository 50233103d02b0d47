"""`show`: what the page says of a graph is what the engine says, and all of it can be reached, read and operated."""

import hashlib
import json
import math
import random
import re
from html import unescape

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd as ag
import nn
from autograd.drawing.building import diagram_of
from autograd.drawing.html import POLICY, asset
from autograd.drawing.page import show
from tests.browser import LOOKS, check_looks, screenshot

HOSTILE = [
    "</script><script>taken = 1</script>",
    "<img src=x onerror='taken = 1'>",
    "<!-- <script> --> ]]>",
    "\"quoted\" & 'so' `${1}` \\",
    "__proto__",
    "constructor",
    "constant 0",
    "in n0",
    "שלום 😀 é",
]


@pytest.fixture
def opened(tmp_path, open_page):
    """A function that shows a node in the browser."""

    def open_node(node, width=1440, scheme="light", context=None, **options):
        return open_page(show(node, tmp_path / "graph.html", **options).path, width, scheme, **(context or {}))

    return open_node


def neuron():
    x1, x2, w1, w2, b = (
        ag.Value(x, name)
        for x, name in [(2.0, "x1"), (0.0, "x2"), (-3.0, "w1"), (1.0, "w2"), (6.8813735870195432, "b")]
    )
    out = ag.tanh(x1 * w1 + x2 * w2 + b)
    out.label = "o"
    out.backward()
    return out


def network(layers=(4, 4, 1)):
    net = nn.scalar.MLP(3, list(layers), rng=0)
    out = net([ag.Value(1.0, "x"), ag.Value(2.0, "y"), ag.Value(3.0, "z")])
    out.backward()
    return net, out


def number(text):
    """The number that a page shows, whose minus sign is a minus."""
    return float(text.replace("−", "-"))


def facts(page):
    names = page.locator("#panel dt").all_inner_texts()
    return dict(zip(names, page.locator("#panel dd").all_inner_texts(), strict=True))


def rows(page, title):
    """What a table says of each edge: the box at its other end, the local derivative, the contribution."""
    table = page.locator(f"[data-table='{title}'] tbody tr")
    return [table.nth(i).locator("td").all_inner_texts() for i in range(table.count())]


def choose(page, name):
    page.evaluate("name => choose([...folded.boxes.values()].find(box => box.name === name).id)", name)


def seen(page):
    return page.locator("#drawing .box").count()


def test_the_file_is_written_and_returned_with_its_text(tmp_path):
    page = show(neuron(), tmp_path / "net.html")
    assert page.path == tmp_path / "net.html"
    assert page.path.read_text("utf-8") == page.html
    assert show(neuron()).path is None
    assert "<html" not in repr(page)


def test_a_page_asks_for_nothing_and_names_the_library_in_it_with_its_licence():
    html = show(neuron()).html
    assert f'content="{POLICY}"' in html
    assert "dagre 3.1.3" in html
    assert "Copyright (c) 2012-2014 Chris Pettitt" in html
    assert "Permission is hereby granted" in html
    assert not re.search(r"<(?:link|img|script[^>]* src)|@import|url\(", html)


def test_the_library_is_what_npm_has_to_the_byte():
    comment, _, code = asset("dagre.js").partition("*/\n\n")
    left_out = (
        "/*! For license information please see dagre.min.js.LEGAL.txt */\n//# sourceMappingURL=dagre.min.js.map\n"
    )
    digest = hashlib.sha256((code + left_out).encode()).hexdigest()
    assert f"SHA-256 {digest}" in comment


@pytest.mark.parametrize("name", ["net.htm", "net", "net.svg", ".html"])
def test_another_suffix_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"must end in \.html"):
        show(neuron(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_bad_arguments_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere.*: create it"):
        show(neuron(), tmp_path / "nowhere" / "net.html")
    with pytest.raises(TypeError, match="show needs a Value or a Tensor, got int"):
        show(3)
    with pytest.raises(ValueError, match="direction"):
        show(neuron(), direction="up")
    with pytest.raises(ValueError, match="digits"):
        show(neuron(), digits=0)


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize("make", [neuron, lambda: network()[1]], ids=["neuron", "network"])
def test_it_fits_the_window_and_can_be_read_in_light_and_dark(opened, width, scheme, make):
    out = make()
    net = network()[0] if out.label != "o" else None
    page = opened(out, width, scheme, {"reduced_motion": "reduce"})
    check_looks(page)
    page.evaluate("choose(data.output)")
    check_looks(page)
    screenshot(page, f"show-{'neuron' if net is None else 'network'}", full=False)
    if width == 375:
        sizes = page.locator("button:visible").evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
        assert min(sizes) >= 24


def test_what_is_said_of_a_box_is_what_the_engine_says(opened):
    out = neuron()
    page = opened(out)
    for node in ag.graph.ancestors(out):
        if not node.label:
            continue
        choose(page, node.label)
        said = facts(page)
        assert number(said["Value"]) == node.data
        assert number(said["Gradient"]) == node.grad
    choose(page, "w2")
    assert rows(page, "Used by") == [["×", "0", "0"]]
    assert page.text_content("#drawing .box.chosen").endswith("grad 0")
    choose(page, "x1")
    assert rows(page, "Used by") == [["×", "−3", "−1.5"]]


def test_contributions_of_all_uses_add_up_to_the_gradient(opened):
    rng = np.random.default_rng(3)
    nodes = [ag.Value(x, f"v{i}") for i, x in enumerate(rng.normal(size=4))]
    for i in range(12):
        a, b = (nodes[k] for k in rng.integers(len(nodes), size=2))
        nodes.append([a * b, a + b, a - b, ag.sin(a)][i % 4])
    out = nodes[4] * 0.0
    for i, node in enumerate(nodes):
        node.label = f"v{i}"
        out = out + node * float(i)
    out.backward()
    page = opened(out, fold=False, digits=17)
    for node in nodes:
        choose(page, node.label)
        gradient = number(facts(page)["Gradient"])
        assert gradient == node.grad
        given = [number(row[2]) for row in rows(page, "Used by")]
        assert math.isclose(sum(given), gradient, rel_tol=1e-12, abs_tol=1e-12)


def test_no_gradient_yet_is_not_a_gradient_of_zero(opened):
    x = ag.Value(0.0, "x")
    page = opened(x * x)
    choose(page, "x")
    assert facts(page)["Gradient"].startswith("none yet")
    y = x * x
    y.backward()
    page = opened(y)
    choose(page, "x")
    assert facts(page)["Gradient"] == "0"


def test_numbers_that_are_not_finite_are_shown(opened):
    x = ag.Value(0.0, "x")
    y = ag.log(x) * 2.0
    y.backward()
    page = opened(y)
    choose(page, "x")
    assert rows(page, "Used by") == [["log", "inf", "inf"]]
    assert facts(page)["Gradient"] == "inf"
    page.evaluate("choose(data.output)")
    assert facts(page)["Value"] == "−inf"


def test_tensors_are_shown_by_shape_and_type_and_what_they_hold(opened):
    x = ag.Tensor(np.arange(12.0).reshape(3, 4), label="x")
    y = (x * x).sum()
    y.backward()
    page = opened(y)
    choose(page, "x")
    said = facts(page)
    assert said["Shape"] == "(3, 4)"
    assert said["Type"] == "float64"
    assert json.loads(said["Gradient"].replace("−", "-")) == (2 * x.data).tolist()


def test_what_is_left_out_is_counted(opened):
    y = ag.Value(1.0, "x")
    for _ in range(20):
        y = ag.sin(y)
    page = opened(y, max_nodes=5)
    assert page.locator(".kind-hidden").all_text_contents() == ["… 16 more"]
    assert seen(page) == 6


@pytest.mark.parametrize("node", [ag.Value(3.0), ag.Tensor(np.zeros((0, 3))), ag.Tensor(2.0), ag.Value(math.nan, "x")])
def test_a_node_alone_is_shown(opened, node):
    page = opened(node)
    assert seen(page) == 1
    page.locator(".box").click()
    assert page.inner_text("#panel p") == "input, the result"
    check_looks(page)


def test_two_uses_in_one_operation_are_two_edges(opened):
    x = ag.Value(3.0, "x")
    y = x * x
    y.backward()
    page = opened(y)
    assert page.locator("#drawing .edge .tip").count() == 2
    assert page.locator("#drawing .edge .factor").all_text_contents() == ["× 3", "× 3"]
    choose(page, "x")
    assert page.inner_text("#panel").endswith("3 + 3 = 6")


# ---- Groups

FAULTS = """function faultsIn(layout, folded) {
    const boxes = [...layout.boxes].map(([id, box]) => ({id, ...box, around: folded.path(id).slice(0, -1)}));
    const faults = [];
    for (const a of boxes) for (const b of boxes) {
        if (a.id >= b.id) continue;
        const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
        const within = (a, b) => a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width && a.y + a.height <= b.y + b.height;
        if (a.around.includes(b.id) ? !within(a, b) : b.around.includes(a.id) ? !within(b, a) : !apart) faults.push([a.id, b.id]);
    }
    for (const a of layout.far) for (const b of boxes) {
        const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
        if (!apart && !folded.isOpen(b.id)) faults.push([a.source, b.id]);
    }
    for (const {points} of layout.lines) if (points.flat().some(x => !Number.isFinite(x))) faults.push(points);
    return faults;
}"""  # of boxes: none overlap but for those in a group, which lie in it
GEOMETRY = f"() => {{ {FAULTS}; return faultsIn(layout, folded) }}"
LAY_OUT = """([boxes, edges, open, flow]) => {
    const folded = new Folded(boxes, edges);
    folded.open = new Set(open);
    const layout = layOut(folded, () => [80, 40, 60], () => [30, 20], () => [20, 20], flow);
    const ends = layout.lines.filter(line => line.last).length, sources = new Set(layout.lines.map(line => line.edges[0].source));
    return [faultsIn(layout, folded), ends === layout.edges.length, layout.edges.every(edge => sources.has(edge.source))];
}"""
SUMS = """() => layout.edges.map(edge => {
    const inner = data.edges.filter(one => folded.shown(one.source) === edge.source && folded.shown(one.target) === edge.target);
    return [edge.contribution, inner.reduce((sum, one) => sum + (one.contribution ?? 0), 0), edge.count, inner.length];
})"""


def test_groups_open_and_close_and_the_layout_follows(opened):
    net, out = network()
    page = opened(out, inputs=net)
    numbers = []
    for button in ("#close", "#open", "#turn", "#close"):
        page.click(button)
        assert page.evaluate(GEOMETRY) == []
        numbers.append(seen(page))
    assert numbers[0] == numbers[3] < 20
    assert numbers[1] == numbers[2] > 50
    for _ in range(3):  # from the outermost inwards, each by its own button
        for i in range(page.locator(".box[aria-expanded=false]").count()):
            closed = page.locator(".box[aria-expanded=false]")
            if i < closed.count():
                before = seen(page)
                page.evaluate("id => bringIn(id, true)", closed.nth(i).get_attribute("data-id"))
                closed.nth(i).locator(".toggle").click()
                assert seen(page) > before
                assert page.evaluate(GEOMETRY) == []


def test_any_graph_in_any_groups_is_laid_out(opened):
    page = opened(neuron())
    rng = random.Random(4)
    for _ in range(40):
        groups = [f"g{i}" for i in range(rng.randrange(6))]
        parent = {group: rng.choice([None, *groups[:i]]) for i, group in enumerate(groups)}
        parent |= {f"n{i}": rng.choice([None, *groups]) for i in range(rng.randrange(1, 30))}
        nodes = [name for name in parent if name.startswith("n")]
        uses = [(rng.choice(nodes[:i]), name) for i, name in enumerate(nodes) if i for _ in range(rng.randrange(4))]
        boxes = [{"id": name, "parent": above, "closed": False} for name, above in parent.items()]
        edges = [
            {"source": x, "target": y, "constant": None, "slot": None, "contribution": 1.0, "count": 1} for x, y in uses
        ]
        state = [boxes, edges, [group for group in groups if rng.random() < 0.7], rng.choice(["LR", "TB"])]
        assert page.evaluate(LAY_OUT.replace("=> {", "=> { " + FAULTS + ";", 1), state) == [[], True, True]


def test_edges_of_closed_groups_carry_the_sum_of_what_is_inside(opened):
    net, out = network()
    page = opened(out, inputs=net)
    for button in ("#close", "#open"):
        page.click(button)
        assert page.locator(".edge").count()
        for contribution, total, count, parts in page.evaluate(SUMS):
            assert count == parts
            assert math.isclose(contribution or 0.0, total, rel_tol=1e-12, abs_tol=1e-15)


def test_a_drawing_too_large_for_the_window_begins_with_groups_closed(opened):
    net, out = network((8, 8, 1))
    page = opened(out, inputs=net)
    assert page.evaluate("view.scale >= SMALLEST")
    assert page.locator(".box[aria-expanded=false]").count()
    asked = opened(out, inputs=net, depth=5)
    assert asked.locator(".box[aria-expanded=false]").count() == 0


def test_no_more_boxes_than_can_be_laid_out_are_opened_at_once(opened):
    net, out = network((16, 12, 1))
    page = opened(out, inputs=net)
    page.click("#open")
    assert page.evaluate("folded.seen().length > 200 && folded.seen().length <= MOST")
    assert "stay closed" in page.inner_text("#told")


def test_many_edges_across_a_large_drawing_begin_at_stubs_that_lead_to_the_far_box(opened):
    x = ag.Value(1.0, "x")
    y = x
    for _ in range(60):
        y = ag.sin(y * x)
    y.backward()
    page = opened(y, fold=False, context={"reduced_motion": "reduce"})
    stubs = page.locator(".stub")
    assert stubs.count() > 30
    assert set(stubs.all_text_contents()) == {"x"}
    assert page.locator(".edge .tip").count() == page.evaluate("data.edges.length") == 180
    assert page.evaluate(GEOMETRY) == []
    stubs.last.dispatch_event("click")
    assert page.inner_text("#panel h2") == "x"
    assert len(rows(page, "Used by")) == 61
    assert math.isclose(
        sum(page.evaluate("data.edges.filter(e => e.source === chosen).map(e => e.contribution)")), x.grad
    )


@pytest.mark.parametrize(
    ("width", "direction", "flow"), [(1440, "TB", "TB"), (375, "LR", "LR"), (1440, None, "LR"), (375, None, "TB")]
)
def test_it_flows_as_asked_or_else_as_fits_the_window(opened, width, direction, flow):
    assert opened(neuron(), width, direction=direction).evaluate("flow") == flow


def test_the_window_may_change_its_size_until_the_view_is_the_users(opened):
    page = opened(neuron())
    page.set_viewport_size({"width": 375, "height": 812})
    page.wait_for_function("flow === 'TB'")
    assert page.evaluate("view.scale * layout.width <= root.clientWidth")
    page.click("#zoom-in")
    scale = page.evaluate("view.scale")
    page.set_viewport_size({"width": 812, "height": 375})
    page.wait_for_function("innerWidth === 812")
    assert page.evaluate("[flow, view.scale]") == ["TB", scale]


# ---- Hostile labels


@pytest.mark.parametrize("label", HOSTILE)
def test_a_label_is_text_whatever_it_says(opened, label):
    x, y = ag.Value(3.0, label), ag.Value(2.0, "y")
    out = x * y + 1.0
    out.label = label
    out.backward()
    page = opened(out, fold=False)
    shown = page.evaluate("[...folded.boxes.values()].filter(box => box.kind === 'leaf').map(box => box.name)")
    assert shown[0] == label
    page.evaluate("choose([...folded.boxes.values()].find(box => box.kind === 'leaf').id)")
    assert page.text_content("#panel h2") == shown[0]
    assert shown[0] in page.locator("#drawing .box.chosen").text_content()
    assert page.evaluate("typeof taken") == "undefined"
    assert page.locator("#drawing img, #panel img, #panel script, #drawing script").count() == 0
    assert page.evaluate(GEOMETRY) == []


@settings(max_examples=5, suppress_health_check=list(HealthCheck))
@given(st.lists(st.text(), min_size=30, max_size=30))
def test_any_labels_are_shown_as_the_diagram_has_them(opened, labels):
    out = ag.sum([ag.Value(float(i), label) for i, label in enumerate(labels)])
    wanted = [box.name for box in diagram_of(out).boxes if box.kind == "leaf"]
    page = opened(out)
    shown = page.locator(".box.kind-leaf").evaluate_all(
        "all => all.map(one => [boxOf(one.dataset.id).name, one.textContent].map(text => Array.from(text, c => c.codePointAt(0))))"
    )
    texts = {"".join(map(chr, name)): "".join(map(chr, text)) for name, text in shown}
    assert sorted(texts) == sorted(set(wanted))
    assert all(text.startswith(name) for name, text in texts.items())


def test_the_line_of_the_users_code_is_shown(opened):
    x = ag.Value(2.0, "x")
    with ag.trace_names():
        hidden = ag.tanh(x * 3.0)
    hidden.backward()
    page = opened(hidden)
    page.evaluate("choose(data.output)")
    said = facts(page)
    assert re.fullmatch(r"test_page\.py:\d+: hidden = ag\.tanh\(x \* 3\.0\)", said["Line"])
    assert "1 - z * z" in said["Formula"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_forward_pass_that_failed_is_shown_up_to_there_with_the_error_in_red(opened, scheme):
    x, w = ag.Tensor(np.ones((3, 4)), label="x"), ag.Tensor(np.ones((5, 2)), label="w")
    with pytest.raises(ValueError, match="matmul"), ag.trace_names() as seen:  # noqa: PT012
        hidden = ag.tanh(x)
        hidden @ w
    page = opened(seen, scheme=scheme)
    failed = page.locator(".kind-failed")
    assert "(3, 4)" in failed.text_content()
    assert "(5, 2)" in failed.text_content()
    red = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--bad')")
    channels = ", ".join(str(int(red.strip()[i : i + 2], 16)) for i in (1, 3, 5))
    fills = failed.locator("text, tspan").evaluate_all("all => all.map(one => getComputedStyle(one).fill)")
    assert set(fills) == {f"rgb({channels})"}
    failed.click()
    said = facts(page)
    assert "matmul" in said["Error"]
    assert "hidden @ w" in said["Line"]
    assert {row[0] for row in rows(page, "Inputs")} == {"hidden (tanh)", "w"}
    check_looks(page)
    screenshot(page, "show-failed", full=False)


# ---- By mouse, by touch, by keys


def test_a_click_chooses_a_box_and_a_drag_moves_the_drawing(opened):
    page = opened(neuron())
    box = page.locator(".box", has_text="x1").bounding_box()
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    assert page.inner_text("#panel h2") == "x1"
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 65, box["y"] + 45, steps=4)
    page.mouse.up()
    moved = page.locator(".box", has_text="x1").bounding_box()
    assert (moved["x"] - box["x"], moved["y"] - box["y"]) == pytest.approx(
        (60, 40), abs=2
    )  # for its border is wider now
    page.mouse.click(500, 120)  # on nothing
    assert page.inner_text("#panel h2") == "How to read it"


def test_the_wheel_and_the_buttons_zoom(opened):
    page = opened(neuron())
    scale = page.evaluate("view.scale")
    page.mouse.move(400, 400)
    at = page.evaluate("[(400 - view.x) / view.scale, view.scale]")[0]
    page.mouse.wheel(0, -300)
    page.wait_for_function("scale => view.scale > scale", arg=scale)
    assert page.evaluate("(400 - view.x) / view.scale") == pytest.approx(at)  # what is under the pointer stays there
    page.click("#zoom-out")
    page.click("#fit")
    assert page.evaluate("view.scale") == pytest.approx(scale)


def test_two_fingers_zoom(opened):
    page = opened(neuron(), 375)
    scale = page.evaluate("view.scale")
    fire = """(name, id, x, y) => (name === 'pointerdown' ? root : window).dispatchEvent(
        new PointerEvent(name, {pointerId: id, clientX: x, clientY: y, button: 0, bubbles: true}))"""
    for name, finger, x, y in [
        ("pointerdown", 1, 150, 200), ("pointerdown", 2, 200, 200), ("pointermove", 2, 250, 200), ("pointerup", 1, 150, 200), ("pointerup", 2, 250, 200)
    ]:  # fmt: skip
        page.evaluate(f"([name, id, x, y]) => ({fire})(name, id, x, y)", [name, finger, x, y])
    assert page.evaluate("view.scale") == pytest.approx(2 * scale)


def test_all_can_be_done_by_keys(opened):
    net, out = network()
    page = opened(out, inputs=net, context={"reduced_motion": "reduce"})
    page.click("#close")
    before = seen(page)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('box')"):
            break
    focused = "document.activeElement.dataset.id"
    first = page.evaluate(focused)
    assert first == page.evaluate("folded.shown(data.output)")
    visited = {first}
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
        visited.add(page.evaluate(focused))
    assert len(visited) > 2
    assert page.evaluate("chosen") == page.evaluate(focused)
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == first
    page.keyboard.press("Enter")
    assert seen(page) > before
    assert "is open" in page.inner_text("#told")
    page.keyboard.press("Enter")
    assert seen(page) == before
    page.keyboard.press("Escape")
    assert page.inner_text("#panel h2") == "How to read it"
    scale = page.evaluate("view.scale")
    page.keyboard.press("+")
    assert page.evaluate("view.scale") > scale


def test_nothing_moves_for_those_who_asked_for_that(opened):
    net, out = network()
    moving = "() => { document.getElementById('close').click(); document.getElementById('open').click(); return document.getAnimations().length }"
    assert opened(out, inputs=net).evaluate(moving) > 0
    assert opened(out, inputs=net, context={"reduced_motion": "reduce"}).evaluate(moving) == 0


# ---- In a notebook


def test_a_notebook_shows_the_page_in_a_frame_that_cannot_reach_it(tmp_path, open_page):
    shown = show(neuron())
    html = shown._repr_html_()
    assert unescape(re.search('srcdoc="([^"]*)"', html)[1]) == shown.html
    path = tmp_path / "notebook.html"
    path.write_text(f"<!DOCTYPE html><title>Notebook</title><body>{html}", "utf-8")
    page = open_page(path)
    frame = page.frame_locator("iframe")
    frame.locator(".box", has_text="x1").click()
    assert frame.locator("#panel h2").inner_text() == "x1"
    inner = page.frames[1]
    assert inner.evaluate("(() => { try { return parent.document.title } catch { return 'refused' } })()") == "refused"
    check_looks(inner)
    screenshot(page, "show-notebook")
