"""From a graph to its diagram: what is shown of it, folded until it fits a screen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np

from autograd.drawing.derivatives import contributions, local_derivatives, starts_from_zero
from autograd.drawing.diagram import Box, Diagram, Edge, Row
from autograd.drawing.folding import Fold, Part, Path, computed_from, pattern
from autograd.drawing.grouping import Groups, Place
from autograd.drawing.names import names
from autograd.drawing.placing import paths_of_nodes
from autograd.drawing.summaries import extent, gradient, label_line, one_line
from autograd.drawing.texts import Texts, formula, is_ordered, is_parameter, is_zero, line_text, sign, total, user_line
from autograd.failures import Failure
from autograd.graph import Node, ancestors
from autograd.name_trace import NameTrace
from autograd.pytrees import is_module, leaves

SCREEN = 60  # boxes fit a screen, and can be read; graphs of more nodes are folded
CONSTANTS = 6  # up to this many constants of one operation are shown one by one
MOST_PARTS = 10_000  # among which chains are looked for
MOST_BOXES = 1000  # that a page can open; what is in closed groups beyond these is not listed
RANKS = 12  # boxes from input to output fit a screen, in two rows
MOST_NODES = 30_000  # of graphs of more nodes the numbers on edges are left out where a box stands for many
SHOW = ("value", "grad", "local")


def diagram_of(
    output: Node | NameTrace,
    inputs: Any = None,
    depth: int | None = None,
    fold: bool = True,
    show: Collection[str] = SHOW,
    max_nodes: int = 200,
    digits: int = 4,
    screen: int = SCREEN,
) -> Diagram:
    """The diagram of the graph that `output` was computed from; for the arguments, see `draw`.

    >>> from autograd.value import Value
    >>> x = Value(3.0, "x")
    >>> [box.title for box in diagram_of(x * x + 1.0).boxes]
    ['', '×', '+']
    """
    seen = output if isinstance(output, NameTrace) else None
    outputs = (output,) if isinstance(output, Node) else output.outputs
    if not outputs and (seen is None or seen.failed is None):
        raise ValueError("draw: nothing was recorded in this context of trace_names()")
    nodes = ancestors(*outputs)
    starts: frozenset[Node] = frozenset()
    if inputs is not None:
        starts = frozenset(x for x in leaves(inputs) if isinstance(x, Node))
        nodes = _between(outputs, starts, nodes)
    builder = _Builder(outputs, nodes, inputs, starts, show, digits)
    return builder.built(depth, fold, max_nodes, screen, seen.failed if seen is not None else None)


def _between(outputs: Collection[Node], starts: Collection[Node], nodes: Sequence[Node]) -> list[Node]:
    """Those of `nodes` that are on a path from `starts` to one of `outputs`."""
    if not starts:
        raise TypeError("draw: there is no Value and no Tensor among `inputs`: give nodes of the graph, or a module")
    known = computed_from(nodes, starts)
    found = set(outputs).intersection(known)
    if not found:
        raise ValueError("draw: the node was computed from none of `inputs`: give nodes of its graph")
    for node in reversed(known):
        if node in found and node not in starts:
            found.update(node.parents)
    return [node for node in known if node in found]


class _Builder:
    """One graph on its way to a diagram."""

    def __init__(
        self,
        outputs: Collection[Node],
        nodes: list[Node],
        inputs: Any,
        starts: frozenset[Node],
        show: Collection[str],
        digits: int,
    ) -> None:
        self.outputs, self.nodes, self.starts = frozenset(outputs), nodes, starts
        self.names = names(nodes, inputs)
        given = starts if is_module(inputs) else ()
        self.parameters = {
            x: name for x, name in self.names.items() if (x.op is None and is_parameter(x)) or x in given
        }
        self.labels = {x: name for x, name in self.names.items() if x.op is None or x.label or x in starts}
        self.paths = paths_of_nodes(nodes, self.parameters)
        self.values, self.grads, self.locals = (what in show for what in SHOW)
        self.texts = Texts(digits)
        self.boxes: list[Box] = []
        self.edges: list[Edge] = []
        self.note = ""

    def built(
        self, depth: int | None, fold: bool, max_nodes: int, screen: int, failed: Failure | None = None
    ) -> Diagram:
        """The diagram at this depth or, unless it is given, at the greatest that fits the `screen`."""
        self.ends = failed is None
        folds = fold and len(self.nodes) > screen
        self.fold = self._folded(folds, self.parameters, self.paths)
        self.groups = Groups(self.fold, chains=folds and depth is None and len(self.fold.parts) <= MOST_PARTS)
        if not fold or depth is not None or not (folds or self.groups.around):
            places = self.groups.places(self.groups.depth if depth is None or not fold else depth)
        else:
            found = self._fitting(screen)
            if found is None and folds and (self.paths or self.parameters):
                nameless = self._folded(True, (), {})
                if len(nameless.parts) < len(self.fold.parts):
                    self.fold, self.groups = nameless, Groups(nameless, chains=True)
                found = self._fitting(screen)
            places = found or self.groups.places(0, chains=True)
        number = len(set(places.values()))
        shown = self._nearest(places, max_nodes) if number > max_nodes else None
        self._make_boxes(places, shown)
        if number < len(self.nodes):
            self.note = f"{len(self.nodes):,} nodes in {number:,} boxes"
        if failed is not None:
            self._fail(failed)
        last = max(self.outputs, key=lambda node: node._sequence, default=None)
        output = "failed" if failed is not None or last is None else self.box_of[self.fold.part_of[last]]
        return Diagram(self.boxes, self.edges, output, self.note)

    def _fail(self, failed: Failure) -> None:
        """Add the operation that raised an error, with its operands."""
        rows = [Row(f"{i + 1}: shape {shape}", "shape") for i, shape in enumerate(failed.shapes)]
        rows += [Row(one_line(part, 72), "failed") for part in wrap(failed.message, 60)[:6]]
        line = None if failed.line is None else line_text(failed.line)
        if line:
            rows.append(Row(one_line(line, 72), "note"))
        box = Box(id="failed", kind="failed", title=one_line(failed.operation), rows=rows, line=line, last=True)
        box.slots = len(failed.operands) if 1 < len(failed.operands) <= CONSTANTS else 0
        self.boxes.append(box)
        for i, x in enumerate(failed.operands):
            part = self.fold.part_of.get(x) if isinstance(x, Node) else None
            slot = i if box.slots else None
            if part is not None and part in self.box_of:
                self.edges.append(Edge(source=self.box_of[part], target="failed", slot=slot))
            elif i < CONSTANTS:
                value = x._data if isinstance(x, Node) else x
                self.edges.append(Edge(source=None, target="failed", slot=i, constant=self.texts.of_constants([value])))

    def _folded(self, folds: bool, distinct: Collection[Node], paths: Mapping[Node, Path]) -> Fold:
        return Fold(self.nodes, self.outputs, self.labels, paths, self.starts, distinct, folds, folds)

    def _fitting(self, screen: int) -> dict[Part, Place] | None:
        """The greatest depth at which boxes and edges fit the screen and, if possible, the row of boxes too."""
        best = None
        if not self.groups.around and len(self.fold.parts) > screen:
            return None
        for depth in range(self.groups.depth, -1, -1):
            for chains in (False, True):
                places = self.groups.places(depth, chains)
                if len(set(places.values())) <= screen:
                    edges, ranks = self.groups.edges(places)
                    if edges <= 2 * screen:
                        if ranks <= RANKS:
                            return places
                        best = best or places
        return best

    def _nearest(self, places: Mapping[Part, Place], most: int) -> set[Place]:
        """The `most` places nearest to the output."""
        members: dict[Place, list[Part]] = defaultdict(list)
        for part, place in places.items():
            if not isinstance(place, Part):
                members[place].append(part)
        found = {places[self.fold.part_of[node]]: None for node in self.outputs if node in self.fold.part_of}
        queue = list(found)
        for place in queue:  # which grows meanwhile
            if len(found) >= most:
                break
            for part in [place] if isinstance(place, Part) else members[place]:
                for x in self.fold.inputs(part):
                    if places[x] not in found:
                        found[places[x]] = None
                        queue.append(places[x])
        return set(list(found)[:most])

    def _make_boxes(self, places: Mapping[Part, Place], shown: set[Place] | None) -> None:
        parts = self.fold.parts if shown is None else [part for part in self.fold.parts if places[part] in shown]
        opens = len(parts) <= MOST_BOXES
        made: dict[Path, Box] = {}
        self.box_of: dict[Part, str] = {}
        hidden = len(self.nodes) - sum(self._weight(part) for part in parts)
        if hidden:
            self.boxes.append(Box(id="folded", kind="hidden", title=f"… {hidden:,} more", count=hidden))
        number = 0
        for part in parts:
            around = self.groups.around.get(part, [])
            place = places[part]
            if around and around[-1][-1].kind == "chain" and around[-1] != place:  # one that is open needs no frame
                around = around[:-1]
            for i, path in enumerate(around):
                if path not in made and (opens or isinstance(place, Part) or len(path) <= len(place)):
                    above = around[i - 1] if i else None
                    closed = path == place or (above is not None and made[above].closed)
                    made[path] = self._group(path, above, made, closed)
            if opens or isinstance(place, Part):
                parent = made[around[-1]].id if around else None
                self.box_of[part] = f"n{number}"
                self.boxes.append(self._part(part, f"n{number}", parent))
                number += 1
            else:
                self.box_of[part] = made[place].id
        self._fill_groups(made, parts)
        merged: dict[Any, Edge] = {}
        for part in parts:
            self._connect(part, merged, opens or isinstance(places[part], Part))

    def _weight(self, part: Part) -> int:
        """The number of nodes that are in a part, folded ones among them."""
        if not self.fold.terms:
            return len(part.nodes)
        return sum(len({n for n, _ in self.fold.terms.get(node, ())} | {node}) for node in part.nodes)

    def _group(self, path: Path, above: Path | None, made: Mapping[Path, Box], closed: bool) -> Box:
        """The box of a group; its name is its place in the group around."""
        step = path[-1]
        outer = above[-1].name if above is not None else ""
        box = Box(
            id=f"g{len(made)}",
            kind="module" if step.kind == "module" else "function",
            title=one_line(step.title, 80),
            name=one_line(step.name.removeprefix(f"{outer}.") if outer else step.name),
            parent=None if above is None else made[above].id,
            closed=closed,
        )
        self.boxes.append(box)
        return box

    def _fill_groups(self, made: Mapping[Path, Box], parts: Iterable[Part]) -> None:
        """Say in each group what it gives, and which parameters it has."""
        members: dict[Path, list[Part]] = defaultdict(list)
        everywhere: dict[Part, list[Part]] = defaultdict(list)
        for part in parts:
            for path in self.groups.around.get(part, ()):
                members[path].append(part)
            for x in self.fold.inputs(part):
                everywhere[x].append(part)
        for path, box in made.items():
            inside = set(members[path])
            leaves = [n for part in members[path] for n in part.nodes if n.op is None or n in self.starts]
            results = [
                n
                for part in members[path]
                if part.nodes[0].op is not None and (not everywhere[part] or not inside.issuperset(everywhere[part]))
                for n in part.nodes
            ]
            counts = {len(part.nodes) for part in members[path] if part.nodes[0].op is not None} - {1}
            box.count = counts.pop() if len(counts) == 1 else 1
            box.nodes = leaves
            box.rows = self.texts.of_group(leaves, results, self.names, self.values, self.grads)

    def _part(self, part: Part, id_: str, parent: str | None) -> Box:
        node, count = part.nodes[0], len(part.nodes)
        op = node.op if node not in self.starts else None
        folds = node in self.fold.terms
        data = node._data
        around = self.groups.around.get(part)
        outer = f"{around[-1][-1].name}." if around else ""
        box = Box(
            id=id_,
            kind="leaf" if op is None else "repeat" if count > 1 else "sum" if folds else "operation",
            title="" if op is None else "Σ" if folds else sign(op),
            name=label_line(self._name(part.nodes).removeprefix(outer)),
            count=count,
            parent=parent,
            slots=len(node.inputs) if op is not None and is_ordered(node) else 0,
            last=node in self.outputs and self.ends,
            nodes=part.nodes,
            formula=None if op is None else formula(op, len(node.inputs)),
            line=user_line(node),
            shape=np.shape(data),
            dtype=str(data.dtype) if isinstance(data, np.ndarray) else "float64",
        )
        if count == 1:
            box.value, box.grad = data, gradient(node)
        box.rows = self.texts.of_nodes(part.nodes, self.values, self.grads)
        return box

    def _name(self, nodes: Sequence[Node]) -> str:
        """The name of a node, or what is common to those of several."""
        found = {self.names.get(node, "") for node in nodes}
        if len(found) > 1:
            found = {pattern(name) for name in found}
        return found.pop() if len(found) == 1 else ""

    # ---- Edges

    def _connect(self, part: Part, merged: dict[Any, Edge], single: bool) -> None:
        """Make the edges to a part, and its constants."""
        target, many = self.box_of[part], len(part.nodes) > 1
        numbers = not many or len(self.nodes) <= MOST_NODES
        constants: dict[int, list[Any]] = {}
        found: dict[Any, list[tuple[Node, Node, Any, Any]]] = {}
        hidden = False
        for node in part.nodes:
            ordered = is_ordered(node)
            known: Node | None = None
            for place, (n, i) in enumerate(self.fold.uses(node)):
                x = n.inputs[i]
                if n is not known:
                    known = n
                    slopes, flows = self._numbers(n) if numbers else ([None] * len(n.inputs),) * 2
                source = self.fold.part_of.get(x) if isinstance(x, Node) else None
                if source is None:
                    if not (i == 0 and starts_from_zero(n)) and not (node in self.fold.terms and is_zero(x)):
                        found.setdefault((None, place), [])
                        constants.setdefault(place, []).append(x._data if isinstance(x, Node) else n._residuals()[i])
                elif source not in self.box_of:
                    hidden = True
                else:
                    alone = len(source.nodes) == 1 and not many
                    key = (self.box_of[source], i if ordered else None, place if alone else None)
                    found.setdefault(key, []).append((n, x, slopes[i], flows[i]))
        if hidden:
            self._add(merged, Edge(source="folded", target=target), single)
        if single and len(constants) > CONSTANTS:
            text = f"{sum(map(len, constants.values())):,} constants"
            self.edges.append(Edge(source=None, target=target, constant=text, count=len(constants)))
        for (source_id, slot, *_), uses in found.items():
            if source_id is None:
                if single and len(constants) <= CONSTANTS:
                    text = self.texts.of_constants(constants[slot])
                    self.edges.append(
                        Edge(source=None, target=target, slot=slot, constant=text, count=len(constants[slot]))
                    )
            elif source_id != target:
                self._add(merged, self._edge(source_id, target, slot, uses), single)

    def _add(self, merged: dict[Any, Edge], edge: Edge, single: bool) -> None:
        if single or (known := merged.get((edge.source, edge.target))) is None:
            merged[edge.source, edge.target] = edge
            self.edges.append(edge)
            return
        known.count += edge.count
        known.text, known.local, known.slot = "", None, None
        if edge.contribution is not None:
            known.contribution = (known.contribution or 0.0) + edge.contribution

    def _numbers(self, node: Node) -> tuple[list[Any], list[Any]]:
        """The local derivatives of `node`, and what its inputs got of its gradient."""
        none = [None] * len(node.inputs)
        g = gradient(node) if self.grads else None
        slopes = local_derivatives(node) if self.locals or (g is not None and not node._priority) else none
        if g is None:
            return slopes, none
        if node._priority:
            return slopes if self.locals else none, contributions(node, g)
        flows = [slope if slope is None else g * slope if g else 0.0 for slope in slopes]
        return slopes if self.locals else none, flows

    def _edge(self, source: str, target: str, slot: int | None, uses: list[tuple[Node, Node, Any, Any]]) -> Edge:
        edge = Edge(source=source, target=target, slot=slot, count=len(uses))
        node, x, slope, _ = uses[0]
        slopes = [s for _, _, s, _ in uses if isinstance(s, (float, int))]
        if len(uses) == 1:
            edge.local, edge.text = slope, self.texts.of_slope(node, x, slope) if self.locals else ""
        elif len(slopes) == len(uses):
            edge.text = extent(np.array(slopes, float), self.texts.digits).removeprefix("all ")
            edge.local = slopes[0] if len(set(slopes)) == 1 else edge.text
        flows = [flow for *_, flow in uses if flow is not None]
        if len(flows) == len(uses):
            edge.contribution, edge.is_norm = total(flows, [x for _, x, _, _ in uses])
        return edge
