"""Paths through a graph of numbers: the factors of the chain rule, counted and added up without a list of all paths.

The derivative of the output is the sum, over all paths from an input, of the product of the local derivatives on the way.
There may be 2**40 paths in a graph of 120 nodes: sums of products are found node by node (dynamic programming), and a path
becomes an object of its own only where it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import count
from operator import attrgetter
from typing import Any, NamedTuple

from autograd.chain_rule import product, tangent_product, with_ieee
from autograd.drawing.derivatives import local_derivatives
from autograd.graph import Node, Slope

MOST = (
    10**300
)  # paths are counted exactly up to here: in a graph of a million nodes each number could have a million digits


class Edge(NamedTuple):
    """One use of the node `source` by `target`, as its input number `place`, with the slope there and the slope's kind."""

    source: Node
    target: Node
    place: int
    slope: Any
    kind: str

    @property
    def local(self) -> float:
        """The local derivative."""
        return float(product(1.0, self.slope, self.kind, strong=True))


class Route(NamedTuple):
    """All paths between two nodes that end with the same `edges`: one path, if these begin at the first of the nodes.

    `inner` is the derivative of the node where the edges begin, summed over the `many` paths that lead there; `value` is the
    product of `inner` and the local derivatives on the edges.
    """

    start: Node
    edges: list[Edge]
    many: int
    inner: float
    value: float


def flows(node: Node) -> Iterator[tuple[int, Node]]:
    """The inputs of `node`, with their places, to which derivatives flow: nodes with a rule."""
    op = node.op
    if op is not None:
        rules = op.rules
        for place, x in enumerate(node.inputs):
            if isinstance(x, Node) and (op.variadic is not None or rules[place] is not None):
                yield place, x


def slopes_at(node: Node) -> list[tuple[Any, str]]:
    """The slopes of `node` at each of its inputs, with their kinds; None where there are none."""
    op = node.op
    assert op is not None
    if node._priority == 0 and op.variadic is not None:
        return [(slope, "factor") for slope in with_ieee(op.variadic, node._data, *node._residuals())]
    if node._priority == 0 and all(rule is None or isinstance(rule, Slope) for rule in op.rules):
        return [_slope(rule, node) for rule in op.rules]
    return [(slope, "factor") for slope in local_derivatives(node)]


def _slope(rule: Any, node: Node) -> tuple[Any, str]:
    if rule is None:
        return None, ""
    if rule.constant is not None:
        return rule.constant, "factor"
    return with_ieee(rule.function, node._data, *node._residuals()), rule.kind


class Graph:
    """What `output` was computed from, as far as derivatives flow, with the number of paths from each node to it."""

    def __init__(self, output: Node) -> None:
        self.output = output
        self.uses: dict[Node, list[tuple[Node, int]]] = {output: []}  # of a node: where it is used, and as which input
        stack = [output]
        while stack:
            node = stack.pop()
            for place, x in flows(node):
                if x not in self.uses:
                    self.uses[x] = []
                    stack.append(x)
                self.uses[x].append((node, place))
        self.nodes = sorted(self.uses, key=attrgetter("_sequence"))
        self.counts = {output: 1}
        for node in reversed(self.nodes[:-1]):
            self.counts[node] = min(sum(self.counts[user] for user, _ in self.uses[node]), MOST)
        self._edges: dict[Node, list[Edge | None]] = {}

    def from_any(self, sources: Iterable[Node]) -> list[Node]:
        """The nodes on the paths from `sources`."""
        found = {source: None for source in sources if source in self.uses}
        stack = [*found]
        while stack:
            for user, _ in self.uses[stack.pop()]:
                if user not in found:
                    found[user] = None
                    stack.append(user)
        return sorted(found, key=attrgetter("_sequence"))

    def between(self, source: Node, derivative: float | None = None) -> Paths:
        """The paths from `source` to the output; if the `derivative` is known, it is taken to the last bit."""
        into: dict[Node, list[Edge]] = {}
        found, stack = {source}, [source]
        while stack:
            for user, place in self.uses[stack.pop()]:
                edge = self.edges(user)[place]
                assert edge is not None
                if user in into:
                    into[user].append(edge)
                else:
                    into[user] = [edge]
                    found.add(user)
                    stack.append(user)
        for edges in into.values():
            if len(edges) > 1:
                edges.sort(key=attrgetter("place"))
        paths = Paths(source, self.output, sorted(found, key=attrgetter("_sequence")), into)
        if derivative is not None:
            paths.derivatives[self.output] = derivative
        return paths

    def edges(self, node: Node) -> list[Edge | None]:
        """The edges to `node`, one for each of its inputs; None where no derivative flows."""
        if node not in self._edges:
            edges: list[Edge | None] = [None] * len(node.inputs)
            slopes = slopes_at(node)
            for place, x in flows(node):
                edges[place] = Edge(x, node, place, *slopes[place])
            self._edges[node] = edges
        return self._edges[node]


class Paths:
    """The paths from `source` to `target`: their number, the derivative, which is the sum over them, and what they pass.

    `nodes` are all on these paths, in order of creation; `into` are the edges to each of them.
    """

    def __init__(self, source: Node, target: Node, nodes: list[Node], into: dict[Node, list[Edge]]) -> None:
        self.source, self.target, self.nodes, self.into = source, target, nodes, into
        self.counts = {source: 1}
        self.derivatives = {source: 1.0}  # of each node with respect to the source
        counts, derivatives = self.counts, self.derivatives
        for node in nodes[1:]:
            many, total = 0, 0.0
            for x, _, _, slope, kind in into[node]:
                many += counts[x]
                inner = derivatives[x]
                if kind == "factor" and inner - inner == 0.0:
                    total += inner * slope
                else:
                    total += float(tangent_product(inner, slope, kind, strong=True))
            counts[node], derivatives[node] = min(many, MOST), total
        self._stages: list[Paths] | None = None

    @property
    def count(self) -> int:
        return self.counts[self.target]

    @property
    def derivative(self) -> float:
        return self.derivatives[self.target]

    def stages(self) -> list[Paths]:
        """The paths in parts, between the nodes that all of them pass: the derivative is the product of the parts'.

        Parts of one path are joined with those beside them; if no two parts have more than one path, all is one part.
        """
        if self._stages is None:
            self._stages = self._divided()
        return self._stages

    def _divided(self) -> list[Paths]:
        order = {node: i for i, node in enumerate(self.nodes)}
        reach = [0] * len(self.nodes)  # of each node: the last that an edge from it leads to
        for node in self.nodes[1:]:
            for edge in self.into[node]:
                place = order[edge.source]
                reach[place] = max(reach[place], order[node])
        parts: list[tuple[int, int, bool]] = []
        first, furthest = 0, reach[0]
        for i in range(1, len(self.nodes)):
            if furthest == i:  # no edge spans this node
                single = i == first + 1 and len(self.into[self.nodes[i]]) == 1
                if single and parts and parts[-1][2]:
                    parts[-1] = (parts[-1][0], i, True)
                else:
                    parts.append((first, i, single))
                first = i
            furthest = max(furthest, reach[i])
        if sum(not single for *_, single in parts) < 2:
            return [self]
        return [
            Paths(self.nodes[low], self.nodes[high], self.nodes[low : high + 1], self.into) for low, high, _ in parts
        ]

    def routes(self, room: int) -> tuple[list[Route], list[Route]]:
        """The paths in at most `room` groups, as Routes, largest first, and those that found no room.

        A group is divided where its paths part, seen from the target; the group with the largest value first.
        """
        order = count()
        heap: list[tuple[float, int, Any]] = []  # of groups that can be divided
        done: list[tuple[Node, Any, float]] = []

        def add(node: Node, chain: Any, outer: float) -> None:
            """Keep the group of paths that end with the edges in `chain`, which begins at `node`."""
            while node is not self.source and len(self.into[node]) == 1:
                (edge,) = self.into[node]
                node, chain, outer = (
                    edge.source,
                    (edge, chain),
                    float(product(outer, edge.slope, edge.kind, strong=True)),
                )
            if node is self.source:
                done.append((node, chain, outer))
            else:
                value = abs(float(product(outer, self.derivatives[node], "factor", strong=True)))
                heappush(heap, (-value if value == value else -float("inf"), next(order), (node, chain, outer)))

        add(self.target, None, 1.0)
        while heap:
            node, chain, outer = heap[0][2]
            total = len(heap) + len(done)
            if total > 1 and total - 1 + len(self.into[node]) > room:
                break
            heappop(heap)
            for edge in self.into[node]:
                add(edge.source, (edge, chain), float(product(outer, edge.slope, edge.kind, strong=True)))
        groups = [self._route(*group) for group in [*done, *(entry[2] for entry in heap)]]
        groups.sort(key=lambda group: -abs(group.value) if group.value == group.value else -float("inf"))
        return (groups, []) if len(groups) <= room else (groups[: room - 1], groups[room - 1 :])

    def _route(self, start: Node, chain: Any, outer: float) -> Route:
        edges = []
        while chain is not None:
            edge, chain = chain
            edges.append(edge)
        inner = self.derivatives[start]
        value = float(product(outer, inner, "factor", strong=True))
        return Route(start, edges, self.counts[start], inner, value)


def total_of(values: Iterable[float]) -> float:
    """The sum of values, from the smallest to the largest."""
    return sum(sorted(values, key=abs))
