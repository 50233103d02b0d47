"""Folding: the nodes of a graph as parts, each one node, or a chain of sums, or all that are computed in the same way.

Two nodes are in one part if they have the same signature: the operation, its settings, the label but for its digits, the
modules and functions around, and the signatures of the inputs. Of inputs, parameters differ; other leaves and constants count
by their shapes, and by their names but for digits. Signatures are made from the inputs to the output, so that no cycle of
parts can arise.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.elementwise import add
from autograd.graph import Node
from autograd.variadic import sum_of

Use = tuple[Node, int]  # a node, and which of its inputs
SUMS = (add, sum_of)


class Step(NamedTuple):
    """A module or function that a node is in: its class's or its own name, its place in the model, and which call it is."""

    kind: str
    title: str
    name: str = ""
    instance: int = 0


Path = tuple[Step, ...]  # the outermost first


def pattern(name: str) -> str:
    """A name without its digits.

    >>> pattern("losses[17]")
    'losses[…]'
    """
    return re.sub(r"[0-9]+", "…", name)


class Part:
    """Nodes of one signature, in order of creation; of sums that were folded, the last."""

    __slots__ = ("nodes", "place")

    def __init__(self, place: int) -> None:
        self.place = place
        self.nodes: list[Node] = []


class Fold:
    """A graph as `parts`, in the order in which the first node of each was made.

    With `sums`, a sum that is a term of one other sum alone is folded into that; with `repeats`, nodes of the same
    signature are one part. `names` are those of leaves and labels, `paths` says what nodes are in, `starts` are taken for
    leaves, and leaves in `distinct` are told apart.

    >>> from autograd.value import Value
    >>> from autograd.graph import ancestors
    >>> x = Value(3.0, "x")
    >>> total = x.sin() + x.sin() + x.sin() + x.sin()
    >>> [len(part.nodes) for part in Fold(ancestors(total), [total]).parts]
    [1, 4, 1]
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        outputs: Collection[Node],
        names: Mapping[Node, str] | None = None,
        paths: Mapping[Node, Path] | None = None,
        starts: Collection[Node] = (),
        distinct: Collection[Node] = (),
        sums: bool = True,
        repeats: bool = True,
    ) -> None:
        self.outputs, self.starts, self.distinct = frozenset(outputs), starts, distinct
        self.names, self.paths = names or {}, paths or {}
        self._kinds: dict[Path, int] = {}
        self._patterns: dict[str, str] = {}
        self.root: dict[Node, Node] = {}  # of a sum that is folded, the one that it is a term of
        self.terms: dict[Node, list[Use]] = {}
        self.parts: list[Part] = []
        self.part_of: dict[Node, Part] = {}
        if sums:
            self._fold_sums(nodes)
        if repeats:
            self._fold_repeats(nodes)
        else:
            for node in nodes:
                if node not in self.root:
                    self._put(node, Part(len(self.parts)))

    def uses(self, node: Node) -> list[Use]:
        """The inputs of `node`, each as a node and a place among the inputs of that."""
        if node.op is None or node in self.starts:
            return []
        terms = self.terms.get(node)
        return [(node, i) for i in range(len(node.inputs))] if terms is None else terms

    def inputs(self, part: Part) -> list[Part]:
        """The parts that the nodes of this one were computed from; those of its first node are those of all."""
        first = part.nodes[0]
        found = [n.inputs[i] for n, i in self.uses(first)]
        return [self.part_of[x] for x in found if isinstance(x, Node) and x in self.part_of]

    def _put(self, node: Node, part: Part) -> None:
        if not part.nodes:
            self.parts.append(part)
        part.nodes.append(node)
        self.part_of[node] = part

    def _fold_sums(self, nodes: Sequence[Node]) -> None:
        readers: Counter[Node] = Counter()
        reader: dict[Node, Node] = {}
        sums = [node for node in nodes if node.op in SUMS and node not in self.starts]
        known = frozenset(sums)
        for node in nodes:
            if node not in self.starts:
                for x in node.parents:
                    if x in known:
                        readers[x] += 1
                        reader[x] = node
        for node in reversed(sums):  # the last first: a sum's root is known before those of its terms
            into = reader.get(node)
            alone = into in known and readers[node] == 1 and node not in self.names
            if alone and into is not None and self._is_alike(node, into):
                self.root[node] = self.root.get(into, into)
        for node in sums:
            if node in self.root:
                self.terms.setdefault(self.root[node], [])
        for node in sums:
            terms = self.terms.get(self.root.get(node, node))
            if terms is not None:
                terms += [(node, i) for i, x in enumerate(node.inputs) if not (isinstance(x, Node) and x in self.root)]

    def _is_alike(self, node: Node, into: Node) -> bool:
        """Whether both are of one shape, and in the same module or function."""
        same = np.shape(node._data) == np.shape(into._data)
        return same and self.paths.get(node) == self.paths.get(into)

    def _fold_repeats(self, nodes: Sequence[Node]) -> None:
        found: dict[Any, Part] = {}
        special = {*self.names, *self.paths, *self.outputs, *self.starts, *self.root, *self.terms}
        known, parts = self.part_of, self.parts
        for node in nodes:
            op = node.op
            if node not in special and op is not None and op.at_most_binary and not op.settings:  # what most nodes are
                left, right = node._left, node._right
                x = known[left].place if left in known else np.shape(node._x if left is None else left._data)
                y: Any = None
                if len(op.rules) > 1 and type(node._y) is not float:
                    y = np.shape(node._y if right is None else right._data)
                key: Any = (op, x, known[right].place if right in known else y)
            elif node in self.root:
                continue
            else:
                key = self._signature(node)
            part = found.get(key)
            if part is None:
                part = found[key] = Part(len(found))
                parts.append(part)
            part.nodes.append(node)
            known[node] = part
        self._split_leaves()

    def _signature(self, node: Node) -> tuple[Any, ...]:
        op, path, label = node.op, self._kind(self.paths.get(node)), self._pattern(self.names.get(node))
        if op is None or node in self.starts:
            return (label, path, id(node) if node in self.distinct else (type(node), np.shape(node._data)))
        if node in self.outputs:
            return (id(node),)
        known, inputs = self.part_of, []
        for n, i in self.uses(node):
            x = n.inputs[i]
            part = known.get(x) if isinstance(x, Node) else None
            inputs.append(np.shape(x._data if isinstance(x, Node) else x) if part is None else part.place)
        key = frozenset(Counter(inputs).items()) if op in SUMS else tuple(inputs)
        return (label, path, op if not op.settings else str(op), key)

    def _kind(self, path: Path | None) -> int:
        """A number that is the same for paths which differ in their instances alone."""
        if path is None:
            return 0
        found = self._kinds.get(path)
        if found is None:
            alike = tuple(step._replace(instance=0) for step in path)
            found = self._kinds[path] = self._kinds.setdefault(alike, len(self._kinds) + 1)
        return found

    def _pattern(self, name: str | None) -> str | None:
        if name is None:
            return None
        found = self._patterns.get(name)
        if found is None:
            found = self._patterns[name] = pattern(name)
        return found

    def _split_leaves(self) -> None:
        """Take unnamed leaves apart that different parts read: they only look alike."""
        readers: dict[Node, set[int]] = defaultdict(set)
        many = {id(part) for part in self.parts if part.nodes[0].op is None and len(part.nodes) > 1}
        if not many:
            return
        for part in self.parts:
            for node in part.nodes:
                for n, i in self.uses(node):
                    x = n.inputs[i]
                    if isinstance(x, Node) and x in self.part_of and id(self.part_of[x]) in many:
                        readers[x].add(part.place)
        parts, self.parts = self.parts, []
        for part in parts:
            if id(part) not in many:
                self.parts.append(part)
                continue
            kinds: dict[Any, Part] = {}
            for leaf in part.nodes:
                self._put(leaf, kinds.setdefault(frozenset(readers[leaf]), Part(part.place)))
        for place, part in enumerate(self.parts):
            part.place = place


def computed_from(nodes: Iterable[Node], inputs: Collection[Node]) -> list[Node]:
    """Of `nodes`, in order of creation, those among `inputs`, and those that were computed from them.

    >>> from autograd.value import Value
    >>> from autograd.graph import ancestors
    >>> x, y = Value(3.0), Value(2.0)
    >>> len(computed_from(ancestors(x * y), {x}))
    2
    """
    found: dict[Node, None] = {}
    for node in nodes:
        if node in inputs or any(x in found for x in node.parents):
            found[node] = None
    return list(found)
