"""Pictures of graphs, if Graphviz is installed; without it a demo still prints its findings."""

from __future__ import annotations

from pathlib import Path

import autograd as ag


def draw_graph(node: ag.Node, *paths: Path) -> None:
    """Draw the graph of `node` to each of `paths`; where no Graphviz is found, print what to do instead."""
    for path in paths:
        try:
            print(f"Picture: {ag.render(node, path)}")
        except ag.GraphvizError as error:
            print(f"No picture {path}: {error}")
            return
