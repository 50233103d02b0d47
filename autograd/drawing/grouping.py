"""Grouping: which parts of a folded graph are in which modules, functions and chains, and which of these are closed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from autograd.drawing.folding import Fold, Part, Path, Step
from autograd.drawing.texts import sign

Place = Part | Path  # what a part is drawn as: itself, or a closed group
LONGEST = 8  # chain that is one box: its title has the signs of all


class Groups:
    """The groups of a fold's parts, by their paths; those with a single part, or a single group, are left out.

    Operations in a row, each of the result of the one before alone, are a chain. `opened` are the groups that would make a
    cycle if they were closed: something outside reads one of their results, and is read in them.
    """

    def __init__(self, fold: Fold, chains: bool = False) -> None:
        self.fold = fold
        self.opened: set[Path] = set()
        self.around: dict[Part, list[Path]] = {}
        if fold.paths:
            self._group()
        self.depth = max((len(path) for around in self.around.values() for path in around), default=0)
        if chains:
            self._chain()

    def _group(self) -> None:
        paths = {part: fold_path for part in self.fold.parts if (fold_path := self.fold.paths.get(part.nodes[0]))}
        members: Counter[Path] = Counter(path[: i + 1] for path in paths.values() for i in range(len(path)))
        hollow = {path[:-1] for path, n in members.items() if len(path) > 1 and n == members[path[:-1]]}
        wanted = {path for path, n in members.items() if n > 1 and path not in hollow}
        for part, path in paths.items():
            around = [path[: i + 1] for i in range(len(path)) if path[: i + 1] in wanted]
            if around:
                self.around[part] = around

    def _chain(self) -> None:
        readers: dict[Part, set[Part]] = defaultdict(set)
        inputs = {part: dict.fromkeys(self.fold.inputs(part)) for part in self.fold.parts}
        for part, before in inputs.items():
            for x in before:
                readers[x].add(part)
        following: dict[Part, Part] = {}
        for part, before in inputs.items():
            if len(before) == 1 and part.nodes[0] not in self.fold.outputs:
                (x,) = before
                if inputs[x] and len(readers[x]) == 1 and not x.nodes[0].label and self._alike(x, part):
                    following[x] = part
        sizes = Counter(path for around in self.around.values() for path in around)
        later = set(following.values())
        for first in [part for part in following if part not in later]:
            row = [first]
            while row[-1] in following:
                row.append(following[row[-1]])
            above = self.around.get(first, [])
            if len(row) <= LONGEST and not (above and len(row) == sizes[above[-1]]):
                tops = [part.nodes[0] for part in row]
                signs = ["Σ" if n in self.fold.terms else sign(n.op) for n in tops if n.op is not None]
                step = Step("chain", " → ".join(signs), "", first.place)
                path = (*(above[-1] if above else ()), step)
                for part in row:
                    self.around[part] = [*above, path]

    def _alike(self, x: Part, y: Part) -> bool:
        return self.around.get(x) == self.around.get(y) and len(x.nodes) == len(y.nodes)

    def places(self, depth: int, chains: bool = False) -> dict[Part, Place]:
        """What each part is drawn as, if groups within `depth` others are closed, and chains if `chains`."""
        while True:
            found: dict[Part, Place] = {part: part for part in self.fold.parts}
            for part, around in self.around.items():
                closed = (
                    path
                    for path in around
                    if path not in self.opened and (chains if path[-1].kind == "chain" else len(path) > depth)
                )
                found[part] = next(closed, part)
            cyclic = self._cyclic(found) if self.around else None
            if not cyclic:
                return found
            self.opened |= cyclic

    def edges(self, places: Mapping[Part, Place]) -> tuple[int, int]:
        """The number of edges between places, and the length of about the longest path along them."""
        found: set[tuple[Place, Place]] = set()
        ranks: dict[Place, int] = {}
        for part in self.fold.parts:
            place = places[part]
            rank = ranks.get(place, 1)
            for x in self.fold.inputs(part):
                source = places[x]
                if source != place:
                    found.add((source, place))
                    rank = max(rank, ranks.get(source, 1) + 1)
            ranks[place] = rank
        return len(found), max(ranks.values(), default=0)

    def _cyclic(self, places: Mapping[Part, Place]) -> set[Path]:
        """The closed groups that are on a cycle of places."""
        readers: dict[Place, set[Place]] = {place: set() for place in places.values()}
        before: dict[Place, set[Place]] = {place: set() for place in places.values()}
        for part, place in places.items():
            for x in self.fold.inputs(part):
                source = places[x]
                if source != place:
                    readers[source].add(place)
                    before[place].add(source)
        # What can be put in order, from either end, is on no cycle.
        left = _unordered(before, readers, readers)
        left = _unordered(readers, before, left)
        return {place for place in left if not isinstance(place, Part)}


def _unordered(
    before: Mapping[Place, set[Place]], readers: Mapping[Place, set[Place]], among: Iterable[Place]
) -> set[Place]:
    """Of these places, those on cycles, and those that come after one."""
    left = set(among)
    waits = {place: len(before[place] & left) for place in left}
    ready = [place for place, n in waits.items() if not n]
    while ready:
        place = ready.pop()
        left.discard(place)
        for reader in readers[place]:
            if reader in left:
                waits[reader] -= 1
                if not waits[reader]:
                    ready.append(reader)
    return left
