"""Pages that need no server: one file with its style, script and data, and nothing from a network."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from autograd.files import file_path

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
{body}
<script type="application/json" id="data">{data}</script>
<script>
{script}
</script>
</body>
</html>
"""


FRAME = (
    '<iframe srcdoc="{page}" sandbox="allow-scripts" title="Computation graph" '
    'style="width: 100%; height: {height}px; border: 1px solid #8c9199; border-radius: 6px"></iframe>'
)


@dataclass(frozen=True)
class Page:
    """A page: its `html`, and the `path` of the file that it was written to, if it was. A notebook shows it in a frame,
    so many pixels high, from which its script can reach nothing else."""

    html: str = field(repr=False)
    path: Path | None = None
    height: int = field(default=560, repr=False)

    def _repr_html_(self) -> str:
        return FRAME.format(page=escape(self.html), height=self.height)


def page_path(owner: str, path: str | Path) -> Path:
    """The path of a page that is to be written; an error that names `owner` says what is wrong with it.

    >>> page_path("show", "net.html").name
    'net.html'
    """
    found = file_path(owner, "path", path)
    if found.suffix.lower() != ".html":
        raise ValueError(f"{owner} cannot write {str(found)!r}: the name must end in .html")
    if not found.parent.is_dir():
        raise FileNotFoundError(f"{owner} found no folder {str(found.parent)!r}: create it, or write elsewhere")
    return found


def asset(name: str) -> str:
    """The text of a file that lies in `assets/` beside this module, such as the style or the script of a page.

    >>> asset("base.css").startswith(":root")
    True
    """
    return (files("autograd.drawing") / "assets" / name).read_text(encoding="utf-8")


def html_page(title: str, body: str, style: str, script: str, data: Any, *, images: bool = False) -> str:
    """The text of a page of HTML, complete in itself.

    `body` is HTML, `style` CSS and `script` JavaScript of our own; all else is `data`, JSON that the script finds as
    `data` and shows by `make(tag, attributes, ...texts)` and `makeSvg`, which set text as text. Style and script
    follow the common ones (`assets/base.css`: colours for light and dark, `var(--ink)`; `assets/base.js`). The page's
    policy lets it load nothing; with `images`, pictures within it (`data:` addresses) are shown. Data that is no JSON,
    nan among it, is a ValueError or a TypeError.

    >>> page = html_page("A < B", "<p id='p'></p>", "", "p.textContent = data.label", {"label": "</script>"})
    >>> "<title>A &lt; B</title>" in page, page.count("</script>")
    (True, 2)
    """
    return PAGE.format(
        policy=POLICY + ("; img-src data:" if images else ""),
        title=escape(title),
        style=_kept_open(asset("base.css") + style, "style"),
        body=body,
        data=embedded_json(data),
        script=_kept_open(asset("base.js") + script, "script"),
    )


def embedded_json(data: Any) -> str:
    """`data` as JSON that may stand in an element of HTML: ASCII, without `<`.

    >>> embedded_json({"label": "</script>é"})
    '{"label":"\\\\u003c/script>\\\\u00e9"}'
    """
    return json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _kept_open(text: str, tag: str) -> str:
    """`text` with a backslash where a string or a comment in it would end its element, or begin a comment of HTML."""
    return re.sub(rf"<(?=/{tag}|!--)", r"\\x3c" if tag == "script" else r"\\3c ", text, flags=re.IGNORECASE)
