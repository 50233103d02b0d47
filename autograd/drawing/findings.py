"""Findings of a report: what single operations, leaves and units of a graph have that may go wrong with a gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from heapq import nlargest
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.chain_rule import pull, with_ieee
from autograd.diagnosis import closed, is_linear, jumps, peak, per_unit, saturation, slope, surroundings
from autograd.drawing.derivatives import contributions
from autograd.drawing.summaries import number as short
from autograd.drawing.summaries import one_line, quantity
from autograd.formulas import Formula
from autograd.graph import Node, Primitive

if TYPE_CHECKING:
    from autograd.typing import Array

EXAMPLES = 3  # of each finding that are shown
STEPS = (-1.0, 1.0, 0.0, -2.0, 2.0)  # the points at which a rule is tried, and their places in order
IN_ORDER = (3, 0, 2, 1, 4)
LARGEST = 5  # contributions that are shown
MOST = 1 << 22  # elements of an operation on arrays that is not elementwise: a larger one is not tried at other points
# Of a leaf x: with a gradient above this times max(1, |x|), a step at the usual rate of 0.001 moves x by ten times its size.
EXPLODING = 1e4
# Below this times max(1, |x|), the whole of a step at rate 1 is less than half of what float32 can tell from x.
VANISHING = 2.0**-24
# Of the largest slope: of tanh from |x| = 3 on, of the sigmoid from 6 on. Two such layers lose four digits of a gradient.
SATURATED = 0.01


@dataclass(frozen=True)
class Finding:
    """One thing that a report found: its `kind`, a sentence, the nodes concerned (some of them, if there are many), how
    many elements or units there are, and numbers that show it, by name."""

    kind: str
    text: str
    nodes: tuple[Node, ...] = field(repr=False)
    count: int = 1
    figures: dict[str, float] = field(default_factory=dict)


@dataclass
class Uses:
    """The uses of an operation that are looked at together: many on floats as one on an array, or one on arrays."""

    op: Primitive
    nodes: list[Node]
    at: tuple[int, ...]  # the inputs that are nodes
    z: Any
    reads: list[Any]
    g: Any

    @property
    def single(self) -> bool:
        """Whether this is one node on arrays."""
        return bool(self.nodes[0]._priority)


def uses_of(nodes: list[Node], found: dict[Node, Any]) -> Iterator[Uses]:
    """The operations, those on floats by their records."""
    together: dict[tuple[Primitive, tuple[int, ...]], list[Node]] = {}
    for node in nodes:
        if (op := node.op) is None:
            continue
        if op.at_most_binary:
            at = ((0,) if node._left is not None else ()) + ((1,) if node._right is not None else ())
        elif op.variadic is None:
            at = tuple(i for i, x in enumerate(node._left) if isinstance(x, Node))
        else:
            at = ()
        if node._priority or op.variadic is not None:
            yield Uses(op, [node], at, node._data, [*node._residuals()], found.get(node, 0.0))
        else:
            together.setdefault((op, at), []).append(node)
    for (op, at), group in together.items():
        reads = [np.array([n._residuals()[i] for n in group]) for i in range(len(op.rules))]
        yield Uses(
            op, group, at, np.array([n._data for n in group]), reads, np.array([found.get(n, 0.0) for n in group])
        )


class Finder:
    """What is found at one point, within `near` of it, in words with numbers of so many `digits`."""

    def __init__(self, near: float, digits: int, known: dict[Node, str]) -> None:
        self.near, self.digits, self.known = near, digits, known

    def short(self, x: Any) -> str:
        """A number, short."""
        return short(x, self.digits)

    def name(self, node: Node) -> str:
        """What a node is called: by its name, its operation, or, of a leaf, its kind and value."""
        if known := self.known.get(node, node.label):
            return one_line(known)
        if node.op is None:
            return f"{'a tensor' if node._priority else 'a leaf'} of {quantity(node._data)}"
        labels = [one_line(self.known.get(x, "...")) if isinstance(x, Node) else "..." for x in node.inputs[:2]]
        if node.op.infix and len(node.inputs) <= 2:
            return str(Formula.applied(node.op, [*map(Formula, labels)]))
        return f"{node.op.name}({labels[0]}{', ...' if len(node.inputs) > 1 else ''})"

    def names(self, nodes: list[Node]) -> str:
        """The names of the first of some nodes, and how many more there are."""
        names = [self.name(node) for node in nodes[:EXAMPLES]]
        return ", ".join(names) + (f" and {len(nodes) - EXAMPLES:,} more" if len(nodes) > EXAMPLES else "")

    # ---- Kinks, jumps and edges

    def surroundings(self, use: Uses) -> Iterator[Finding]:
        """What is near the point of one operation."""
        op = use.op
        if op.variadic is not None or not op.elementwise:
            yield from self.pulled(use)
            return
        reads = [np.asarray(x, np.float64) if i in use.at else x for i, x in enumerate(use.reads)]
        for i in use.at if not is_linear(op) else ():
            around = surroundings(op, i, reads, self.near)
            shape = around.here.shape
            known = np.broadcast_to(np.isfinite(sum(np.asarray(x, np.float64) for x in reads)), shape)
            worth = np.broadcast_to(np.abs(np.nan_to_num(np.asarray(use.g) * (around.right - around.left))), shape)
            for kind, flags in (("kink", around.kink), ("jump", around.jump), ("edge", around.edge & known)):
                flags = np.broadcast_to(flags, shape)
                if flags.any():
                    yield self.near_point(kind, use, i, reads, around, flags, worth)

    def near_point(self, kind: str, use: Uses, i: int, reads: Any, around: Any, flags: Any, worth: Any) -> Finding:
        """One finding on all elements of an operation's input that are flagged; the first is the one worth most."""
        op, places = use.op, np.flatnonzero(flags)
        order = places[np.argsort(-worth.reshape(-1)[places], kind="stable")]
        first = order[0]
        z, here, left, right = (
            float(np.broadcast_to(x, flags.shape).reshape(-1)[first])
            for x in (use.z, around.here, around.left, around.right)
        )
        values = [float(np.broadcast_to(x, flags.shape).reshape(-1)[first]) for x in reads]
        if kind == "edge":
            if not np.isfinite(z):
                text = f"the value is {self.short(z)} here; {op.hint}"
            elif not np.isfinite(here):
                text = f"the slope is {self.short(here)} here; {op.hint}"
            else:
                text = f"within {self.short(self.near)} of the edge; {op.hint}"
        elif kind == "jump":
            text = f"the value jumps within {self.short(self.near)}; the slope {self.short(here)} knows nothing of it"
        else:
            sides = f"slope {self.short(left)} on the left, {self.short(right)} on the right"
            which = self.name(use.nodes[0 if use.single else first].inputs[i])
            text = f"{f'in {which}, ' if len(use.at) > 1 else ''}{sides}, {self.short(here)} is used"
        if len(places) > 1:
            total = flags.size
            text += f" ({len(places):,} of {total:,} {'elements' if use.single else 'uses'})"
        where = self.place(use, i, first, flags.shape, values)
        shown = tuple(use.nodes) if use.single else tuple(use.nodes[k] for k in order[:EXAMPLES])
        figures = {"left": left, "here": here, "right": right, "worth": float(worth.reshape(-1)[first])}
        return Finding(kind, f"{op.name} at {where}: {text}", shown, len(places), figures)

    def place(self, use: Uses, i: int, k: int, shape: tuple[int, ...], values: list[float]) -> str:
        """An input's element, as in "x = 0"; of several inputs all."""
        node = use.nodes[0 if use.single else k]
        parts = []
        for j, value in enumerate(values):
            x = node.inputs[j]
            if isinstance(x, Node):
                name = self.name(x)
                if use.single and np.shape(x._data) == shape:
                    name += _index(k, shape)
                parts.append(f"{name} = {self.short(value)}")
            else:
                parts.append(self.short(value))
        return ", ".join(parts)

    def pulled(self, use: Uses) -> Iterator[Finding]:
        """Kinks of an operation that is not elementwise: its pullbacks, run on both sides along one direction."""
        op, node = use.op, use.nodes[0]
        if not op.reads or (op.variadic is not None and _is_smooth_variadic(op)):
            return
        at = [i for i, x in enumerate(node.inputs) if isinstance(x, Node)]
        if sum(np.size(use.reads[i]) for i in at) + np.size(use.z) > MOST:
            return
        reads = [np.asarray(x, np.float64) if i in at else x for i, x in enumerate(use.reads)]
        if op.variadic is not None:
            around = [with_ieee(op.variadic, *_moved(op, reads, at, k * self.near)) for k in STEPS]
            found = [(i, [np.asarray(slopes[i]) for slopes in around]) for i in at]
        else:
            curved = [i for i in at if not _is_linear_in(use, i)]
            found = [(i, slopes) for i in curved if (slopes := self.slopes(op, i, reads))]
        for i, slopes in found:
            far_left, left, here, right, far_right = (slopes[k] for k in IN_ORDER)
            flags = np.isfinite(left) & np.isfinite(right) & jumps([far_left, left, here, right, far_right])
            if flags.any():
                k = int(np.flatnonzero(flags)[0])
                sides = [float(s.reshape(-1)[k]) for s in (left, here, right)]
                name = self.name(node.inputs[i]) + _index(k, flags.shape)
                count = int(flags.sum())
                more = f" ({count:,} of {flags.size:,} elements)" if count > 1 else ""
                at_value = self.short(np.asarray(reads[i]).reshape(-1)[k])
                one, used, other = map(self.short, sides)
                text = (
                    f"{op} at {name} = {at_value}: slope {one} on one side, {other} on the other, {used} is used{more}"
                )
                yield Finding("kink", text, (node,), count, dict(zip(("left", "here", "right"), sides, strict=True)))

    def slopes(self, op: Primitive, i: int, reads: list[Any]) -> list[Any]:
        """What the rule of input `i` makes of ones at the points of STEPS; nothing where it is the same on both sides."""
        rule, found = op.rules[i], list[Any]()
        for k in STEPS if rule is not None else ():
            z, *moved = _moved(op, reads, [i], k * self.near)
            found.append(np.asarray(pull(rule, np.ones_like(z), z, tuple(moved), strong=True)))
            if len(found) == 2 and not jumps([found[0], found[0], found[0], found[1], found[1]]).any():
                return []
        return found

    # ---- Leaves

    def leaves(self, leaves: list[Node], found: dict[Node, Any]) -> Iterator[Finding]:
        """Leaves whose gradients are 0, very small or very large."""
        sizes = [(n, _most(found.get(n)), max(1.0, _most(n._data))) for n in leaves]
        zero = [n for n, g, _ in sizes if g == 0.0]
        small = [(n, g) for n, g, size in sizes if 0.0 < g < VANISHING * size]
        large = [(n, g) for n, g, size in sizes if not g <= EXPLODING * size]
        if zero:
            text = f"{self.names(zero)}: {'it gets' if len(zero) == 1 else 'they get'} none, for nothing gets through"
            yield Finding("no gradient", text, tuple(zero[:EXAMPLES]), len(zero))
        for kind, some in (("vanishing", small), ("exploding", large)):
            if some:
                n, g = (min if kind == "vanishing" else max)(some, key=lambda pair: np.nan_to_num(pair[1], nan=np.inf))
                text = f"{self.name(n)} has the gradient {self.short(g)}"
                if len(some) > 1:
                    text += f", the {'least' if kind == 'vanishing' else 'most'} of {len(some):,} such leaves among {len(leaves):,}"
                yield Finding(kind, text, tuple(n for n, _ in some[:EXAMPLES]), len(some), {"gradient": g})

    # ---- Units

    def units(self, use: Uses) -> Iterator[Finding]:
        """Units of an operation that are dead, or saturated, in all that they compute."""
        if not use.op.elementwise:
            return
        shut = closed(use.op, use.z, use.reads, use.at)
        flat = saturation(use.op, use.z, use.reads[0]) if peak(use.op) and use.at else None
        for kind, flags in (("dead", shut), ("saturated", None if flat is None else flat < SATURATED)):
            if flags is None or not flags.any():
                continue
            ill, owners = (per_unit(flags), use.nodes) if use.single else _per_owner(flags, use)
            if not ill.any():
                continue
            count, total, share = int(ill.sum()), ill.size, float(flags.mean())
            names = "" if use.single else f" (with {self.names([owners[k] for k in np.flatnonzero(ill)])})"
            of = f" of shape {np.shape(use.z)}" if use.single else ""
            state = "closed" if kind == "dead" else "saturated"
            text = f"{use.op.name}{of}: {count:,} of {counted(total, 'unit')}{names}; {share:.0%} of its results are {state}"
            shown = tuple(use.nodes) if use.single else tuple(owners[k] for k in np.flatnonzero(ill)[:EXAMPLES])
            yield Finding(kind, text, shown, count, {"units": total, "share": share})

    # ---- Contributions

    def largest(self, uses: list[Uses]) -> Iterator[Finding]:
        """The largest contributions to leaves."""
        some: list[tuple[float, int, Node, Node]] = []
        for use in uses:
            some = nlargest(LARGEST, [*some, *_to_leaves(use)], key=lambda entry: (entry[0], -entry[1]))
        for size, _, leaf, node in some:
            what = f"up to {self.short(size)} an element" if leaf._priority else self.short(size)
            text = f"{what} to {self.name(leaf)}, by {self.name(node)}"
            yield Finding("largest", text, (leaf, node), 1, {"contribution": size})


def _moved(op: Primitive, reads: list[Any], at: list[int], distance: float) -> list[Any]:
    """The output and the inputs of an operation, those `at` these places moved by about `distance` in a direction of odd
    components, so that what is tied is so no longer."""
    rng = np.random.default_rng(0)
    moved = [
        x + distance * rng.uniform(0.5, 1.5, np.shape(x)) * rng.choice([-1.0, 1.0], np.shape(x)) if i in at else x
        for i, x in enumerate(reads)
    ]
    if op.variadic is not None:
        moved = [float(x) for x in moved]
        return [op.scalar(*moved), *moved]
    return [np.asarray(op.array(*moved)), *moved]


def _is_linear_in(use: Uses, i: int) -> bool:
    """Whether the pullback of an input reads neither this input nor the result, as those of products and convolutions: it
    gives the same where both are quite different."""
    rule, g = use.op.rules[i], np.ones_like(use.z)
    if rule is None:
        return True
    other = [_ramp(x) if k == i else x for k, x in enumerate(use.reads)]
    here, there = (pull(rule, g, z, tuple(reads)) for z, reads in ((use.z, use.reads), (_ramp(use.z), other)))
    return np.array_equal(here, there)


def _ramp(x: Any) -> Array:
    """An array like `x` of other numbers, no two of which are equal."""
    return np.linspace(-1.5, 2.5, np.size(x)).reshape(np.shape(x)).astype(np.asarray(x).dtype)


@cache
def _is_smooth_variadic(op: Primitive) -> bool:
    """Whether the slopes of an operation on any number of scalars jump neither at the origin nor where all are equal: as
    its record does not say so, it is tried."""
    for point in ([0.0, 0.0, 0.0], [1.0, 1.0, 1.0]):
        slopes = [np.asarray(with_ieee(op.variadic, *_moved(op, point, [0, 1, 2], k * 1e-6))) for k in STEPS]  # type: ignore[arg-type]  # it has one
        if jumps([slopes[k] for k in IN_ORDER]).any():
            return False
    return True


def _per_owner(flags: Any, use: Uses) -> tuple[Any, list[Node]]:
    """Whether flags of uses on floats hold of all uses by a unit, and what tells the units apart: the first leaf that each
    reads, such as its bias or its first weight."""
    held: dict[Node, bool] = {}
    known: dict[Node, Node] = {}
    for node, flag in zip(use.nodes, flags.tolist(), strict=True):
        path, owner = [], node
        while owner.op is not None and owner not in known:
            path.append(owner)
            owner = next((x for x in owner.parents if x.op is None), owner.parents[0])
        owner = known.get(owner, owner)
        known.update(dict.fromkeys(path, owner))
        held[owner] = flag and held.get(owner, True)
    return np.array([*held.values()]), [*held]


def _to_leaves(use: Uses) -> Iterator[tuple[float, int, Node, Node]]:
    """The contributions of an operation to leaves, by size, the largest of uses on floats: each with the leaf and the use."""
    if use.single or use.op.variadic is not None:
        node = use.nodes[0]
        if any(x.op is None for x in node.parents):
            for x, got in zip(node.inputs, contributions(node, use.g), strict=True):
                if isinstance(x, Node) and x.op is None and got is not None and (size := _most(got)):
                    yield size, node._sequence, x, node
        return
    for i in use.at:
        inputs: list[Node] = [n.inputs[i] for n in use.nodes]
        rows = np.flatnonzero([x.op is None for x in inputs])
        if len(rows):
            sizes = np.abs(use.g * np.where(use.g == 0.0, 0.0, slope(use.op, i, use.z, use.reads)))[rows]
            sizes = np.nan_to_num(sizes, nan=np.inf, posinf=np.inf)
            for k in np.argsort(-sizes, kind="stable")[:LARGEST]:
                if sizes[k]:
                    yield float(sizes[k]), use.nodes[rows[k]]._sequence, inputs[rows[k]], use.nodes[rows[k]]


# ---- Words


def _most(x: Any) -> float:
    """The largest magnitude in a number or an array; 0 of nothing."""
    if type(x) is float:  # the common case
        return abs(x)
    return float(np.max(np.abs(np.asarray(x, np.float64)), initial=0.0)) if x is not None else 0.0


def _index(k: int, shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, np.unravel_index(k, shape)))}]" if shape else ""


def counted(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"
