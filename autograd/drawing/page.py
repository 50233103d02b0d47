"""`show`: the drawing of a graph as a page of its own, to drag, zoom, open and close, and to ask for numbers.

The layout is done in the page, anew for whatever is open, by dagre 3.1.3 (MIT licence, `assets/dagre.js`, from npm's
@dagrejs/dagre), and what is drawn is `Diagram.to_json()`.
"""

from __future__ import annotations

from collections.abc import Collection
from html import escape
from pathlib import Path
from typing import Any

from autograd.arguments import choice, flag, integer, sequence
from autograd.drawing.building import SHOW, diagram_of
from autograd.drawing.html import Page, asset, html_page, page_path
from autograd.drawing.summaries import MOST_DIGITS, check_node, one_line
from autograd.graph import Node
from autograd.name_trace import NameTrace

BODY = """<header>
<h1>{title}</h1>
<p><span id="note"></span> <span id="count"></span></p>
<div class="tools" role="toolbar" aria-label="View">
<button type="button" id="zoom-out" aria-label="Zoom out">−</button>
<button type="button" id="zoom-in" aria-label="Zoom in">+</button>
<button type="button" id="fit" title="Show all of it">Fit</button>
<button type="button" id="turn" title="From left to right, or from top to bottom">Turn</button>
<button type="button" id="open">Open all</button>
<button type="button" id="close">Close all</button>
</div>
</header>
<main>
<svg id="drawing" role="group" aria-label="Computation graph"></svg>
<aside id="panel" aria-label="Details" tabindex="0"></aside>
</main>
<p id="told" class="unseen" role="status"></p>"""

SCRIPTS = ("dagre.js", "layout.js", "show_boxes.js", "show_panel.js", "show.js")
DIRECTIONS = ("LR", "TB")


def show(
    node: Node | NameTrace,
    path: str | Path | None = None,
    *,
    inputs: Any = None,
    depth: int | None = None,
    fold: bool = True,
    show: Collection[str] = SHOW,
    max_nodes: int = 200,
    digits: int = 4,
    direction: str | None = None,
) -> Page:
    """The drawing of the graph that `node` was computed from as a page: one file of HTML, which needs no network.

    In it the picture is dragged and zoomed; groups open and close, by the mouse or by keys; and a click on a box shows its
    numbers, its shape, its formula, the line of code under `ag.trace_names()`, and what each of its uses contributes to its
    gradient. Groups are closed until all can be read in the window, unless `depth` is given. With a `path`, which must end
    in .html, the page is written there; a notebook shows what is returned. The other arguments are those of `draw`, and so
    are the errors; `direction` is "LR", "TB", or by default the one of them in which more can be read. A missing folder is
    a FileNotFoundError.

    >>> import tempfile
    >>> from autograd.value import Value
    >>> x = Value(3.0, "x")
    >>> show(x * x, Path(tempfile.mkdtemp()) / "square.html").path.name
    'square.html'
    """
    if not isinstance(node, NameTrace):
        check_node("show", node)
    written = None if path is None else page_path("show", path)
    digits = integer("show", "digits", digits, least=1, most=MOST_DIGITS)
    diagram = diagram_of(
        node,
        inputs,
        None if depth is None else integer("show", "depth", depth, least=0),
        flag("show", "fold", fold),
        [choice("show", "each of show", what, SHOW) for what in sequence("show", "show", show)],
        integer("show", "max_nodes", max_nodes, least=1),
        digits,
    )
    if direction is not None:
        direction = choice("show", "direction", direction, DIRECTIONS)
    label = node.label if isinstance(node, Node) else None
    title = one_line(f"Graph of {label}" if label else "Computation graph", most=60)
    page = Page(
        html_page(
            title,
            BODY.format(title=escape(title)),
            asset("show.css"),
            "".join(map(asset, SCRIPTS)),
            {**diagram.to_json(), "digits": digits, "direction": direction, "adapts": depth is None},
        ),
        written,
    )
    if written is not None:
        written.write_text(page.html, encoding="utf-8")
    return page
