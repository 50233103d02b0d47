"""Folding: the nodes of a graph as parts, each one node, or a chain of sums, or all that are computed in the same way.

Two nodes are in one part if they have the same signature: the operation, its settings and the signatures of the inputs,
in which unnamed leaves and constants count by their shapes. Signatures are made from the inputs to the output, so that no
cycle of parts can arise.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd.elementwise import add
from autograd.graph import Node
from autograd.variadic import sum_of

Path = tuple[str, ...]  # the modules and functions that a node is in, the outermost first
Use = tuple[Node, int]  # a node, and which of its inputs

SUMS = (add, sum_of)


class Part:
    """Nodes of one signature, in order of creation; of sums that were folded, the last."""

    __slots__ = ("nodes", "place")

    def __init__(self, place: int) -> None:
        self.place = place
        self.nodes: list[Node] = []


class Fold:
    """A graph as `parts`, in the order in which the first node of each was made.

    With `sums`, a sum that is a term of one other sum alone is folded into that; with `repeats`, nodes of the same
    signature are one part. `names` tells leaves and results apart, `paths` says what they are in; what is in neither has
    no name, and is at the top.

    >>> from autograd.value import Value
    >>> from autograd.graph import ancestors
    >>> x = Value(3.0, "x")
    >>> total = x.sin() + x.sin() + x.sin() + x.sin()
    >>> [len(part.nodes) for part in Fold(ancestors(total), total).parts]
    [1, 4, 1]
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        output: Node,
        names: Mapping[Node, str] | None = None,
        paths: Mapping[Node, Path] | None = None,
        starts: Collection[Node] = (),
        sums: bool = True,
        repeats: bool = True,
    ) -> None:
        self.output, self.names, self.paths, self.starts = output, names or {}, paths or {}, starts
        self.root: dict[Node, Node] = {}  # of a sum that is folded, the one that it is a term of
        self.terms: dict[Node, list[Use]] = {}
        self.parts: list[Part] = []
        self.part_of: dict[Node, Part] = {}
        self.shown = frozenset(nodes)
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
        for node in nodes:
            if node in self.root:
                continue
            key = self._signature(node)
            part = found.get(key)
            if part is None:
                part = found[key] = Part(len(found))
            self._put(node, part)
        self._split_leaves()

    def _signature(self, node: Node) -> Any:
        name, path, op = self.names.get(node), self.paths.get(node), node.op
        if op is None or node in self.starts:
            return (name, path, id(node) if name is not None else (type(node), np.shape(node._data)))
        if node is self.output:
            return (None,)
        known, inputs = self.part_of, []
        for n, i in self.uses(node):
            x = n.inputs[i]
            part = known.get(x) if isinstance(x, Node) else None
            inputs.append(np.shape(x._data if isinstance(x, Node) else x) if part is None else part.place)
        key = frozenset(Counter(inputs).items()) if op in SUMS else tuple(inputs)
        return (name, path, op if not op.settings else str(op), key)

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


# ---- Modules, where none was traced: by the parameters that operations read


def module_paths(nodes: Iterable[Node], owners: Mapping[Node, Path]) -> dict[Node, Path]:
    """What module each node is in, given the `owners` of the parameters.

    An operation is in the innermost module that owns all parameters that it reads. One that reads none, only results of
    one module, and is no sum of many numbers, as an activation, is in that module too.

    >>> from autograd.value import Value
    >>> from autograd.graph import ancestors
    >>> w, b = Value(3.0), Value(1.0)
    >>> y = (w * 2.0 + b).tanh()
    >>> set(module_paths(ancestors(y), {w: ("layer",), b: ("layer",)}).values())
    {('layer',)}
    """
    found: dict[Node, Path] = dict(owners)
    for node in nodes:
        if node.op is None or node in found:
            continue
        inputs = node.inputs
        read = [owners[x] for x in inputs if isinstance(x, Node) and x in owners]
        if read:
            common = _common(read)
            if common:
                found[node] = common
            continue
        before = {found.get(x, ()) for x in inputs if isinstance(x, Node)}
        reduces = node.op.variadic is not None or (
            np.size(node._data) == 1 and any(np.size(x) > 1 for x in node._residuals())
        )
        if len(before) == 1 and all(isinstance(x, Node) for x in inputs) and not reduces and (path := before.pop()):
            found[node] = path
    return found


def _common(paths: Sequence[Path]) -> Path:
    first, last = min(paths), max(paths)
    n = 0
    while n < min(len(first), len(last)) and first[n] == last[n]:
        n += 1
    return first[:n]


def owner(name: str) -> Path:
    """The modules that a parameter of this name is in, the outermost first: a list of modules is none.

    >>> owner("layers.0.neurons.3.w.1"), owner("0.weight"), owner("x")
    (('layers.0', 'layers.0.neurons.3'), ('0',), ())
    """
    steps = name.split(".")
    while steps and steps[-1].isdigit():
        steps.pop()
    places = range(1, len(steps))
    return tuple(".".join(steps[:i]) for i in places if i == len(steps) - 1 or not steps[i].isdigit())
