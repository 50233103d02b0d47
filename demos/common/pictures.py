"""One style for all pictures: legible in print, in grey and to the colour-blind.

Colours are never the only difference: lines have different dashes too, points different markers, and both have their
names next to them, not in a legend. Text is at least 8 points when printed at page width.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, NullLocator

from nn.plots import BLUE as BLUE
from nn.plots import GREEN as GREEN
from nn.plots import ORANGE as ORANGE
from nn.plots import PURPLE as PURPLE
from nn.plots import SKY as SKY
from nn.plots import VERMILLION as VERMILLION

INK, GREY = "#1a1a1a", "#6b6b6b"
HALO = [withStroke(linewidth=4, foreground="white")]  # around text that stands on lines
PALE_BLUE, PALE_ORANGE = "#cfe3f1", "#fbe3cf"  # areas behind points
TWO_SIDED = LinearSegmentedColormap.from_list("two sides", [BLUE, "white", VERMILLION])  # of numbers below and above 0

matplotlib.use("Agg")  # files only: no window, and no screen needed
plt.rcParams.update(
    {
        "figure.constrained_layout.use": True,
        "font.size": 13,
        "axes.titlesize": 14,
        "axes.titlelocation": "left",
        "axes.ymargin": 0.08,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GREY,
        "axes.labelcolor": INK,
        "text.color": INK,
        "lines.linewidth": 2.0,
        "savefig.dpi": 160,
    }
)


def panels(columns: int, rows: int = 1, *, width: float = 11.0, height: float = 4.8, **settings: Any) -> Any:
    """A new figure, its size in inches, and its panels; `settings` go to matplotlib's `subplots`."""
    return plt.subplots(rows, columns, figsize=(width, height), **settings)


def name_point(axes: Any, x: float, y: float, text: str, colour: str, above: bool = True) -> None:
    """Write `text` over or under the point (x, y), in the `colour` of its line or point."""
    place = {"xytext": (0, 8), "va": "bottom"} if above else {"xytext": (0, -8), "va": "top"}
    axes.annotate(
        text, (x, y), textcoords="offset points", color=colour, ha="center", weight="bold", **place,
        path_effects=HALO,
    )  # fmt: skip


def log_scale(axes: Any) -> None:
    """Make the vertical axis logarithmic, labelled 1, 2, 5, 10, ..., however short it is."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())


def name_ends(axes: Any, x: float, ends: dict[str, tuple[float, str]]) -> None:
    """Write the names of lines to the right of where they end, at `x`: each with its height there, and its colour.

    Of two lines that end at one height, the names still stand one over the other.
    """
    order = sorted(ends.items(), key=lambda item: item[1][0])
    for rank, (name, (y, colour)) in enumerate(order):
        shift = 18 * (rank - (len(order) - 1) / 2)
        axes.annotate(
            name, (x, y), xytext=(8, shift), textcoords="offset points", color=colour, va="center", weight="bold"
        )


def save(figure: Any, path: Path) -> None:
    """Write `figure` to `path`, print the path, and close the figure."""
    figure.savefig(path)
    plt.close(figure)
    print(f"Picture: {path}")
