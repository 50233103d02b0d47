"""One call of a function on nodes of our own, and its derivatives: what all transforms are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd.arguments import check_unmasked, wrong
from autograd.arrays.joining import stack
from autograd.arrays.shaping import reshape, transpose
from autograd.backprop import cotangents
from autograd.elementwise import identity
from autograd.forward import push
from autograd.graph import Node, ancestors, birth, is_recording, recording, tracer
from autograd.lifting import Argnums, Lifted, chosen
from autograd.operators import plain
from autograd.tensor import Tensor
from autograd.trees import Definition, flatten
from autograd.value import Value


class Call:
    """`f(*args, **kwargs)` with the arguments `argnums` replaced by nodes, ready to be differentiated.

    `inputs` are these nodes, `definitions` the structures of the arguments they stand for, `output` what `f` returned.
    `since` is the birth that separates what `f` made from what was there before: of the latter, only the inputs concern
    us, and the parameters (`roots`) of modules among the arguments: where `f` reaches a parameter not by its argument
    but by itself, as in `grad(lambda m: loss(model(x)))(model)`, it counts as the argument's.
    """

    def __init__(
        self, f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], argnums: Argnums, copy: bool = False
    ) -> None:
        self.alone = isinstance(argnums, (int, np.integer))
        positions = chosen(args, kwargs, argnums)
        self.recorded = is_recording()
        if self.recorded:
            self._run(f, args, kwargs, positions, copy)
        else:  # under no_grad: differentiate, but do not record the derivative
            with recording(True):
                self._run(f, args, kwargs, positions, copy)
        self.leaves, self.definition = flatten(self.output, name="the output")
        self.outputs = [leaf for leaf in self.leaves if isinstance(leaf, Node)]
        traced = tracer() is not None and any(isinstance(node, Value) for node in self.inputs)
        self.keep_graph = self.recorded and (traced or self.linked)

    def _run(self, f: Any, args: Sequence[Any], kwargs: dict[str, Any], positions: list[int], copy: bool) -> None:
        if not callable(f):
            raise TypeError(wrong("a derivative", "f", "a function", f))
        lifted = Lifted(args, kwargs, positions, copy)
        self.inputs, self.definitions = lifted.inputs, lifted.definitions
        self.roots, self.linked, self._times_given = lifted.roots, lifted.linked, lifted.times_given
        self.since = birth()
        self.output = lifted.call(f)

    def notice_outer(self, reached: Any) -> bool:
        """Whether among the nodes `reached` are others than ours, so that the derivative depends on them too."""
        older = [node for node in reached if node.birth > self.since]
        for node in older:
            if node.op is not None:
                _check_current(node, self.since)
        if self.recorded and not self.keep_graph:
            ours = {*self.inputs, *self.roots}
            self.keep_graph = any(node not in ours for node in older)
            return self.keep_graph
        return False

    def check_output(self, name: str) -> None:
        """Raise a TypeError if a part of the output is no real number, array or node."""
        for i, leaf in enumerate(self.leaves):
            check_real(leaf, f"{name} needs a function that gives numbers: the output", self.definition, i)

    @property
    def value(self) -> Any:
        """The output: plain, unless it depends on nodes that are not ours."""
        return self.definition.unflatten(
            leaf if self.keep_graph and isinstance(leaf, Node) else _scalar(leaf) for leaf in self.leaves
        )

    # ---- Reverse mode

    def pull(self, seed: Any) -> Any:
        """The cotangents of the arguments, given that of the output, in the same structures."""
        seeds = self.definition.match(seed, "the cotangent")
        for i, (leaf, part) in enumerate(zip(self.leaves, seeds, strict=True)):
            _check_fit(part, leaf, "the output", "its cotangent", self.definition, i)
        return self._as_arguments(self._gradients(self.leaves, seeds))

    def _gradients(self, outputs: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
        """The cotangents of the inputs, given those of some outputs."""
        pairs = [(output, seed) for output, seed in zip(outputs, seeds, strict=True) if isinstance(output, Node)]
        found: dict[Node, Any] = {}
        with np.errstate(all="ignore"):
            if pairs:
                output, seed = _joint(pairs)
                found = cotangents(output, seed, self.keep_graph, self.since)
                if self.notice_outer(found):
                    found = cotangents(output, seed, True, self.since)
            for root, nodes in self.roots.items():
                if root in found:
                    self._check_root(root)
                    g = found[root]
                    found[nodes[0]] = found[nodes[0]] + g if nodes[0] in found else g
        given = {id(seed) for seed in seeds}
        return [_own(found.get(node), node, given) for node in self.inputs]

    def _check_root(self, root: Node) -> None:
        """Raise if it is not clear to which of the arguments belongs what the function reached by itself."""
        if (given := self._times_given(root)) > 1:
            raise ValueError(
                f"a module is given as {given} arguments, and the function reaches its parameter {root!r} "
                "by itself: to which of the arguments it belongs is not clear. Let the function use its arguments alone"
            )

    def _as_arguments(self, values: Iterable[Any]) -> Any:
        """Values, one for each input, in the structure of the arguments."""
        rest = iter(values)
        trees = [
            definition.unflatten([next(rest) for part in definition.parts if part is None])
            for definition in self.definitions
        ]
        return trees[0] if self.alone else tuple(trees)

    # ---- Forward mode

    def push(self, tangents: Sequence[Any]) -> Any:
        """The tangent of the output, given those of the arguments."""
        found: list[Any] = []
        for n, (definition, tangent) in enumerate(zip(self.definitions, tangents, strict=True)):
            for i, part in enumerate(definition.match(tangent, f"the tangent of argument {n}")):
                _check_fit(part, self.inputs[len(found)], f"argument {n}", "its tangent", definition, i)
                found.append(part)
        return self.definition.unflatten(self._tangents(found))

    def _tangents(self, tangents: Sequence[Any]) -> list[Any]:
        """The tangents of the outputs, given those of the inputs."""
        moving = {node: node.fit(tangent) for node, tangent in zip(self.inputs, tangents, strict=True)}
        reached = ancestors(*self.outputs, since=self.since)
        parents = {parent for node in reached for parent in node.parents}
        for root, nodes in self.roots.items():
            if root in parents or root in {*self.outputs}:
                self._check_root(root)
                moving[root] = moving[nodes[0]]
        self.notice_outer(parents)
        keep = self.keep_graph or (self.recorded and any(isinstance(t, Node) for t in moving.values()))
        push(moving, [node for node in reached if node.birth < self.since], keep)
        given = {id(tangent) for tangent in tangents}
        return [_own(moving.get(leaf), leaf, given) if isinstance(leaf, Node) else _zeros(leaf) for leaf in self.leaves]

    # ---- Jacobians

    def jacobian(self) -> Any:
        """For each part of the output, the derivative with respect to each part of the arguments."""
        n = sum(np.size(node.raw) for node in self.inputs)
        if isinstance(self.output, Node) and n < np.size(self.output.raw):
            return self._as_arguments(self._columns())
        return self.definition.unflatten([self._as_arguments(self._rows(leaf)) for leaf in self.leaves])

    def _rows(self, output: Any) -> list[Any]:
        shape = np.shape(plain(output))
        size = int(np.prod(shape))
        if not size:
            return [np.zeros((*shape, *np.shape(node.raw)), np.asarray(_zeros(node)).dtype) for node in self.inputs]
        rows = [self._gradients([output], [np.eye(1, size, k).reshape(shape)]) for k in range(size)]
        return [_joined([*parts], shape) for parts in zip(*rows, strict=True)]

    def _columns(self) -> list[Any]:
        zeros = [np.zeros_like(node.raw) for node in self.inputs]
        parts: list[Any] = []
        outer = np.shape(self.output.raw)
        for i, node in enumerate(self.inputs):
            inner = np.shape(node.raw)
            if not np.size(node.raw):
                parts.append(np.zeros((*outer, *inner), self.output.raw.dtype))
                continue
            columns = []
            for k in range(np.size(node.raw)):
                basis = np.eye(1, np.size(node.raw), k).reshape(inner)
                columns += self._tangents([*zeros[:i], basis, *zeros[i + 1 :]])
            joined = _joined(columns, inner)
            order = [*range(np.ndim(plain(joined)))]
            turn = order[-len(outer) :] + order[: -len(outer)] if outer else order
            parts.append(transpose(joined, turn))
        return parts


def ones(output: Any) -> Any:
    return 1.0 if not isinstance(output, Tensor) else np.ones_like(output.raw)


def check_real(x: Any, what: str, definition: Definition | None = None, i: int = 0) -> None:
    """Raise a TypeError if `x`, which is `what` (of a structure, leaf `i`), is no real number, array or node."""
    if isinstance(x, (float, int, Node)) or (isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "fiub"):
        check_unmasked("a derivative", what, x)
        return
    name = what + (definition.leaf_path(i) if definition else "")
    if not isinstance(x, (np.ndarray, np.generic)) and not isinstance(x, complex):
        raise TypeError(f"{name} is a {type(x).__name__}, {x!r}, not a number or an array")
    hint = ": complex numbers have no rules here, so take their .real and .imag" if np.iscomplexobj(x) else ""
    raise TypeError(f"{name} is of {np.asarray(x).dtype}, not of real numbers{hint}")


def _check_fit(part: Any, node: Any, whole: str, what: str, definition: Definition, i: int) -> None:
    """Raise if `part` is no tangent or cotangent of `node`, leaf `i` of the `whole`, by its kind or its shape."""
    if type(part) is float and type(node) is Value:
        return
    check_real(part, f"{what} of {whole}", definition, i)
    shape, other = np.shape(plain(node)), np.shape(plain(part))
    if shape != other:
        raise ValueError(f"{whole}{definition.leaf_path(i)} has shape {shape}, {what} {other}")


def _check_current(node: Node, since: int) -> None:
    """Raise if the step of an optimizer, after `since`, has changed a leaf of which `node` is a view or a stand-in."""
    sources = [node]
    while sources and isinstance(node, Tensor):
        view = sources.pop()
        for source in view.parents:
            if isinstance(source, Tensor) and np.may_share_memory(source.raw, view.raw):
                if source.op is not None:
                    sources.append(source)
                elif source.overwritten < since:
                    source.check_unchanged(view, None, False)


def _joint(pairs: list[tuple[Node, Any]]) -> tuple[Node, Any]:
    """One output, and its cotangent, that stand for several."""
    if len(pairs) == 1:
        output, seed = pairs[0]
        return output, output.fit(seed)
    total: Any = 0.0
    with recording(True):
        for output, part in pairs:
            product = output * output.fit(part)
            total = total + (product.sum() if isinstance(product, Tensor) else product)
    return total, ones(total)


def _zeros(x: Any) -> Any:
    if isinstance(x, (Value, float, int)):
        return 0.0
    x = plain(x)
    return np.zeros_like(x, dtype=np.result_type(x, np.float16))


def _own(g: Any, node: Node, given: set[int]) -> Any:
    """A derivative as it is handed to the caller: zeros where there is none, and never an array that is shared."""
    if g is None:
        return _zeros(node)
    if isinstance(g, np.ndarray):
        if id(g) in given or g.base is not None or not g.flags.writeable:
            g = np.array(g)
        given.add(id(g))
    elif isinstance(g, Node) and id(g) in given:
        g = identity(g)
    return g


def _scalar(x: Any) -> Any:
    x = plain(x)
    if isinstance(x, np.ndarray):
        return x.copy() if x.ndim else x[()]
    return x


def _joined(parts: list[Any], shape: tuple[int, ...]) -> Any:
    """Equal parts, one for each element of an array of `shape`, as one array, or as a scalar where there is one."""
    if shape == ():
        return parts[0]
    joined = stack(parts)
    return reshape(joined, (*shape, *np.shape(plain(parts[0]))))
