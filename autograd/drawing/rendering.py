"""`render`: a graph as a picture file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd.drawing.dot import draw
from autograd.drawing.layout import GraphvizError, laid_out, lay_out
from autograd.files import file_path
from autograd.graph import Node
from autograd.name_trace import NameTrace

if TYPE_CHECKING:
    import graphviz

FORMATS = (".svg", ".png", ".pdf", ".dot")


def render(graph: Node | NameTrace | graphviz.Digraph, path: str | Path, *, seconds: float = 60.0) -> Path:
    """Write the picture of `graph`, a node or what `draw` made of it, and return its path.

    The suffix says the format: .svg, .png or .pdf, or .dot for the DOT text. Graphviz is stopped after `seconds`, and
    a coarser picture is drawn, if there is one, which says so; if it is too slow, or missing, or fails, a GraphvizError says what to do, and where the DOT text was saved. Another
    suffix is a ValueError, a missing folder a FileNotFoundError, and anything but a graph a TypeError.

    >>> import tempfile
    >>> from autograd.value import Value
    >>> x = Value(3.0, "x")
    >>> render(x * x, Path(tempfile.mkdtemp()) / "square.svg").name
    'square.svg'
    """
    path = file_path("render", "path", path)
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"render cannot write {str(path)!r}: the name must end in one of {', '.join(FORMATS)}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"render found no folder {str(path.parent)!r}: create it, or write elsewhere")
    if isinstance(graph, (Node, NameTrace)):
        graph = draw(graph)
    source = _source(graph)
    if suffix == ".dot":
        path.write_text(source, encoding="utf-8")
        return path
    try:
        picture = laid_out(graph, suffix[1:], seconds, lay_out)
    except GraphvizError as error:
        saved = path.with_suffix(".dot")
        saved.write_text(source, encoding="utf-8")
        raise GraphvizError(f"{error}\nThe DOT text was saved as {saved}: any Graphviz can draw it") from None
    path.write_bytes(picture)
    return path


def _source(graph: Any) -> str:
    source = getattr(graph, "source", None)
    if not isinstance(source, str):
        raise TypeError(f"render needs a Value, a Tensor or what draw() made, got {type(graph).__name__}")
    return source
