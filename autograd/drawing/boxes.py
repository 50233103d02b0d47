"""Boxes of diagrams, as Graphviz's kind of HTML.

Values and operations are black, derivatives red-brown and italic. An input is a blue rounded box; a result has the
operation's sign in a cell before it; a closed group is violet, with a double border.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from autograd.drawing.diagram import Box

INK, GREY, DERIVATIVE = "#1a1a1a", "#6b6b6b", "#a83c00"  # told apart in grey, too, and by the colour-blind
LEAF, OPERATION, LINE, GROUP, FAILED = "#deebf7", "#eeeeee", "#8c8c8c", "#efe9f7", "#b00020"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # by XML 1.0


def html(box: Box) -> str:
    """The label of a box, with a bold border if it is the last.

    >>> from autograd.drawing.diagram import Row
    >>> "<B>x</B> = 3" in html(Box(id="n0", kind="leaf", name="x", rows=[Row("3", "value")]))
    True
    """
    rows = "".join(f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in _rows(box)) or "<TR><TD></TD></TR>"
    body = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{rows}</TABLE>'
    if not box.title:
        fill = GROUP if box.closed else LEAF
        attributes, cells = f'BORDER="1" STYLE="ROUNDED" COLOR="{LINE}" BGCOLOR="{fill}"', [f"<TD>{body}</TD>"]
    else:
        colour = FAILED if box.kind == "failed" else INK if box.last else LINE
        attributes = f'BORDER="{2 if box.last or box.kind == "failed" else 1}" COLOR="{colour}"'
        sign = f"<B>{escaped(box.title)}</B>"
        ports = range(box.slots)
        span = f'ROWSPAN="{max(len(ports), 1)}"'
        fill = GROUP if box.closed else OPERATION
        cells = [f'<TD {span} BGCOLOR="{fill}">{sign}</TD><TD {span}>{body}</TD>', *[""] * (len(ports) - 1)]
        cells = [f'<TD PORT="{i}" BGCOLOR="{fill}" CELLPADDING="0"></TD>{cells[i]}' for i in ports] or cells
    table = "".join(f"<TR>{cell}</TR>" for cell in cells)
    return f'<<TABLE {attributes} CELLBORDER="0" CELLSPACING="0" CELLPADDING="4">{table}</TABLE>>'


def _rows(box: Box) -> Iterator[str]:
    """The lines in a box, as Graphviz's kind of HTML."""
    name = f"<B>{escaped(box.name)}</B>" if box.name else ""
    times = f' <FONT COLOR="{GREY}">× {box.count:,}</FONT>' if box.count > 1 else ""
    rows = list(box.rows)
    small = bool(rows) and rows[0].role == "value"
    if small:
        value = escaped(minus(rows.pop(0).text))
        yield (f"{name} = {value}" if name else value) + times
    elif name or times:
        yield name + times
    for text, role in rows:
        if role == "grad":
            yield f'<FONT COLOR="{DERIVATIVE}"><I>{escaped(minus(text))}</I></FONT>'
        elif role == "failed" or (box.kind == "failed" and role == "shape"):
            yield f'<FONT COLOR="{FAILED}">{escaped(text)}</FONT>'
        elif role == "shape" and not small:
            yield escaped(text)
        else:
            yield _small(minus(text), INK if role == "extent" else GREY)


def _small(text: str, colour: str) -> str:
    return f'<FONT POINT-SIZE="11" COLOR="{colour}">{escaped(text)}</FONT>'


def escaped(text: str) -> str:
    """`text` as Graphviz's kind of HTML; what XML forbids is shown as Python writes it.

    >>> escaped("<x>"), escaped("\\x00")
    ('&lt;x&gt;', '\\\\\\\\x00')
    """
    # Graphviz would take \N for the node's name, here too
    return escape(allowed(text)).replace("\\", "\\\\")


def allowed(text: str) -> str:
    """`text` with what XML forbids as Python writes it, such as \\x00."""
    return _FORBIDDEN.sub(lambda found: repr(found[0])[1:-1], text)


def minus(text: str) -> str:
    """`text` with minus signs in place of hyphens.

    >>> minus("-3")
    '−3'
    """
    return text.replace("-", "−")
