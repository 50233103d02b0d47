"""Layout: the bytes of a picture from DOT text, by any Graphviz installed, in a subprocess with a time limit.

One layout of a few hundred tangled nodes can take minutes, and Graphviz, written in C, ignores Ctrl-C; a subprocess can
be ended.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

PYGRAPHVIZ = """
import sys, pygraphviz
picture = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(picture.draw(format=sys.argv[1], prog="dot", args=" ".join(sys.argv[2:])))
"""


class GraphvizError(RuntimeError):
    """Graphviz is missing, failed, or took too long."""


class LayoutTimeoutError(GraphvizError):
    """Graphviz took longer than the time limit."""


def lay_out(source: str, form: str, seconds: float = 60.0) -> bytes:
    """The picture of the DOT text `source` in the format `form` ("svg", "png" or "pdf").

    The `dot` executable is used where it is on PATH, else the Graphviz within pygraphviz. A GraphvizError says what
    went wrong.

    >>> lay_out("digraph { a -> b }", "png")[:4]
    b'\\x89PNG'
    """
    options = ["-Gdpi=192"] if form == "png" else []  # twice the screen's, for print; the others have no pixels
    if executable := shutil.which("dot"):
        command = [executable, f"-T{form}", *options]
    elif find_spec("pygraphviz"):
        command = [sys.executable, "-P", "-W", "ignore", "-c", PYGRAPHVIZ, form, *options]
    else:
        raise GraphvizError(
            "no Graphviz was found to lay the picture out: install it so that `dot` is on PATH "
            "(https://graphviz.org/download), or pip install pygraphviz, which carries it"
        )
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise LayoutTimeoutError(
            f"Graphviz took longer than {seconds:g} s to lay the picture out: draw less, with draw(node, max_nodes=...)"
        ) from None
    if done.returncode or not done.stdout:
        complaint = done.stderr.decode(errors="replace").strip()[-500:]
        raise GraphvizError(
            f"Graphviz ({command[0]}) failed with exit status {done.returncode}: {complaint or 'silently'}"
        )
    return done.stdout


def laid_out(picture: Any, form: str, seconds: float, lay_out: Callable[[str, str, float], bytes] = lay_out) -> bytes:
    """The bytes of a picture, which has a `source`; of a coarser one, which its `coarser()` makes, if it takes too long."""
    while True:
        try:
            return lay_out(picture.source, form, seconds)
        except LayoutTimeoutError:
            coarser = getattr(picture, "coarser", lambda: None)()
            if coarser is None:
                raise
            picture = coarser
