"""Grouping: which parts of a folded graph are in which modules and functions, and which of these are closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from autograd.drawing.folding import Fold, Part, Path

Place = Part | Path  # what a part is drawn as: itself, or a closed group


class Groups:
    """The groups of a fold's parts, by their paths; those with a single part, or a single group, are left out.

    `opened` are those that would make a cycle if they were closed: something outside reads one of their results, and is
    read in them.
    """

    def __init__(self, fold: Fold) -> None:
        self.fold = fold
        self.opened: set[Path] = set()
        paths = {part: fold.paths.get(part.nodes[0], ()) for part in fold.parts}
        members: Counter[Path] = Counter(path[: i + 1] for path in paths.values() for i in range(len(path)))
        wanted = {path for path, n in members.items() if n > 1}
        inner: Counter[Path] = Counter()
        for path, n in members.items():
            if len(path) > 1 and n == members[path[:-1]]:
                inner[path[:-1]] += 1
        self.wanted = wanted - set(inner)
        # The groups of a part, the outermost first.
        self.around = {
            part: [path[: i + 1] for i in range(len(path)) if path[: i + 1] in self.wanted]
            for part, path in paths.items()
        }
        self.depth = max(map(len, self.wanted), default=0)

    def places(self, depth: int) -> dict[Part, Place]:
        """What each part is drawn as, if groups within `depth` others are closed."""
        while True:
            found: dict[Part, Place] = {}
            for part, around in self.around.items():
                closed = [path for path in around if len(path) > depth and path not in self.opened]
                found[part] = closed[0] if closed else part
            cyclic = self._cyclic(found)
            if not cyclic:
                return found
            self.opened |= cyclic

    def _cyclic(self, places: Mapping[Part, Place]) -> set[Path]:
        """The closed groups that are on a cycle of places."""
        if all(isinstance(place, Part) for place in places.values()):
            return set()
        readers: dict[Place, dict[Place, None]] = {place: {} for place in places.values()}
        waits: Counter[Place] = Counter()
        for part, place in places.items():
            for x in self.fold.inputs(part):
                source = places[x]
                if source != place and place not in readers[source]:
                    readers[source][place] = None
                    waits[place] += 1
        # What can be put in order is on no cycle: neither is what can be put in order backwards.
        left = _unordered(readers, waits)
        if not left:
            return set()
        backwards: dict[Place, dict[Place, None]] = {place: {} for place in left}
        waits = Counter()
        for source in left:
            for place in readers[source]:
                if place in left:
                    backwards[place][source] = None
                    waits[source] += 1
        return {place for place in _unordered(backwards, waits) if not isinstance(place, Part)}


def _unordered(readers: Mapping[Place, Mapping[Place, None]], waits: Counter[Place]) -> set[Place]:
    """The places on cycles, and those behind them."""
    left = set(readers)
    ready = [place for place in readers if not waits[place]]
    while ready:
        place = ready.pop()
        left.discard(place)
        for reader in readers[place]:
            waits[reader] -= 1
            if not waits[reader]:
                ready.append(reader)
    return left
