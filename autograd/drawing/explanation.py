"""`Explanation`: what `explain` returns, in plain text, in Markdown and in LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

_PLAIN = frozenset(" .,:=+()→⇒…")  # characters that mean nothing to Markdown, beside letters and digits


class Part(NamedTuple):
    """A part of an explanation: its title, its lines of text, and the same as rows of a table with these columns."""

    title: str
    lines: list[str]
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    equations: Sequence[str] = ()  # in LaTeX, aligned


class Explanation:
    """The chain rule for one graph. `str()` of it is the text, which the prompt and `print` show; a notebook shows tables.

    >>> from autograd.drawing.explaining import explain
    >>> from autograd.value import Value
    >>> x = Value(3.0, "x")
    >>> y = x.sin()
    >>> y.label = "y"
    >>> found = explain(y, x)
    >>> str(found).splitlines()[-1].strip()
    'x → y   cos(x) = -0.99'
    >>> print(found.latex())
    \\begin{aligned}
      \\frac{\\partial y}{\\partial x} &= \\underbrace{\\cos\\left(x\\right)}_{-0.99}
    \\end{aligned}
    """

    def __init__(self, parts: list[Part]) -> None:
        self._parts = parts

    def __str__(self) -> str:
        return "\n\n".join("\n".join([part.title, *part.lines]) for part in self._parts)

    __repr__ = __str__

    def latex(self) -> str:
        """The equations in LaTeX, without dollar signs, for a display."""
        body = " \\\\\n".join(f"  {line}" for part in self._parts for line in part.equations)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def _repr_markdown_(self) -> str:
        return "\n\n".join(f"**{_harmless(part.title)}**\n\n{_table(part)}" for part in self._parts)


def _table(part: Part) -> str:
    lines = [_row(map(_harmless, part.columns)), _row(["---"] * len(part.columns))]
    width = len(part.columns)
    lines += [
        _row(f"<code>{_harmless(cell)}</code>" if cell else "" for cell in (*row, *[""] * width)[:width])
        for row in part.rows
    ]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _harmless(text: str) -> str:
    """`text` as Markdown shows it unchanged: whatever may mean something there is written by its number."""
    return "".join(c if c.isalnum() or c in _PLAIN else f"&#{ord(c)};" for c in text)
