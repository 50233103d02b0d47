"""Boxes of nodes in pictures, as Graphviz's kind of HTML.

Values and operations are black, derivatives red-brown and italic. An input is a blue rounded box; a result has the
operation's sign in a cell before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import numpy as np

from autograd.arguments import assignments
from autograd.drawing.summaries import TINY, extent, gradient, one_line, quantity
from autograd.graph import Node, Primitive

INK, GREY, DERIVATIVE = "#1a1a1a", "#6b6b6b", "#a83c00"  # told apart in grey, too, and by the colour-blind
LEAF, OPERATION, LINE = "#deebf7", "#eeeeee", "#8c8c8c"


def box(node: Node, digits: int, last: bool) -> str:
    """The box of `node`, with a bold border if it is the `last`.

    >>> from autograd.value import Value
    >>> "<B>x</B> = 3" in box(Value(3.0, "x"), digits=4, last=True)
    True
    """
    rows = "".join(f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in _rows(node, digits))
    body = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{rows}</TABLE>'
    if node.op is None:
        attributes, cells = f'BORDER="1" STYLE="ROUNDED" COLOR="{LINE}" BGCOLOR="{LEAF}"', [f"<TD>{body}</TD>"]
    else:
        attributes = f'BORDER="2" COLOR="{INK}"' if last else f'BORDER="1" COLOR="{LINE}"'
        sign = f"<B>{escaped(one_line(_sign(node.op)))}</B>"
        ports = range(len(node.inputs)) if is_ordered(node) else ()
        span = f'ROWSPAN="{max(len(ports), 1)}"'
        cells = [f'<TD {span} BGCOLOR="{OPERATION}">{sign}</TD><TD {span}>{body}</TD>', *[""] * (len(ports) - 1)]
        cells = [f'<TD PORT="{i}" BGCOLOR="{OPERATION}" CELLPADDING="0"></TD>{cells[i]}' for i in ports] or cells
    table = "".join(f"<TR>{cell}</TR>" for cell in cells)
    return f'<<TABLE {attributes} CELLBORDER="0" CELLSPACING="0" CELLPADDING="4">{table}</TABLE>>'


def is_ordered(node: Node) -> bool:
    """Whether each input has a port of its own at the box, the first at the top: `x - y` is not `y - x`.

    >>> from autograd.value import Value
    >>> is_ordered(Value(3.0) - 1.0), is_ordered(Value(3.0) + 1.0)
    (True, False)
    """
    op = node.op
    return op is not None and op.variadic is None and len(node.inputs) > 1 and not op.commutes


def _rows(node: Node, digits: int) -> Iterator[str]:
    """The lines in the box of `node`, as Graphviz's kind of HTML."""
    label, data, g = node.label, node._data, gradient(node)
    name = f"<B>{escaped(one_line(label))}</B>" if label else ""
    if np.size(data) <= TINY:
        value = escape(minus(quantity(data, digits)))
        yield f"{name} = {value}" if name else value
        if np.ndim(data):
            yield _small(f"{np.shape(data)} {data.dtype}", GREY)
    else:
        if name:
            yield name
        yield f"{escape(str(data.shape))} {data.dtype}"
        yield _small(minus(extent(data, digits)), INK)
    if g is not None:
        text = quantity(g, digits) if np.size(g) <= TINY else extent(g, digits)
        yield f'<FONT COLOR="{DERIVATIVE}"><I>grad {escape(minus(text))}</I></FONT>'


def _small(text: str, colour: str) -> str:
    return f'<FONT POINT-SIZE="11" COLOR="{colour}">{escape(text)}</FONT>'


def _sign(op: Primitive) -> str:
    sign, settings = op.sign or op.infix or op.name, ", ".join(assignments(op.settings))
    return f"{sign}({settings})" if settings else sign


def escaped(text: str) -> str:
    """`text` as Graphviz's kind of HTML.

    >>> escaped("<x>")
    '&lt;x&gt;'
    """
    return escape(text).replace("\\", "\\\\")  # Graphviz would take \N for the node's name, here too


def minus(text: str) -> str:
    """`text` with minus signs in place of hyphens.

    >>> minus("-3")
    '−3'
    """
    return text.replace("-", "−")
