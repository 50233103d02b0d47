"""One call of a function on nodes of our own, and its derivatives: what all transforms are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.arrays.joining import stack
from autograd.arrays.shaping import reshape, transpose
from autograd.backprop import cotangents
from autograd.elementwise import identity
from autograd.forward import push
from autograd.graph import Node, ancestors, birth, is_recording, recording, tracer
from autograd.operators import plain
from autograd.tensor import Tensor
from autograd.trees import is_module, leaves, map_leaves, refill
from autograd.value import Value

Argnums = int | Sequence[int]


class Call:
    """`f(*args, **kwargs)` with the arguments `argnums` replaced by nodes, ready to be differentiated.

    `inputs` are these nodes, `tree` the arguments they stand for, `output` what `f` returned. `since` is the birth
    that separates what `f` made from what was there before: of the latter, only the inputs concern us.
    """

    def __init__(
        self, f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], argnums: Argnums, copy: bool = False
    ) -> None:
        chosen = [argnums] if isinstance(argnums, int) else list(argnums)
        for n in chosen:
            if not -len(args) <= n < len(args):
                raise ValueError(f"argnums names argument {n}, but there are {len(args)} positional arguments")
        args = list(args)
        self.tree = args[argnums] if isinstance(argnums, int) else tuple(args[n] for n in chosen)
        self.inputs: list[Node] = []
        self.recorded = is_recording()
        if self.recorded:
            self._run(f, args, kwargs, chosen, copy)
        else:  # under no_grad: differentiate, but do not record the derivative
            with recording(True):
                self._run(f, args, kwargs, chosen, copy)
        given = (leaf for n in chosen if not is_module(args[n]) for leaf in leaves(args[n]))
        traced = tracer() is not None and any(isinstance(node, Value) for node in self.inputs)
        self.keep_graph = self.recorded and (traced or any(isinstance(leaf, Node) for leaf in given))

    def _run(self, f: Any, args: list[Any], kwargs: dict[str, Any], chosen: list[int], copy: bool) -> None:
        lifted = list(args)
        for n in chosen:
            if is_module(args[n]):
                self.inputs += leaves(args[n])
            else:
                lifted[n] = map_leaves(lambda leaf: self._input(leaf, copy), args[n])
        self.since = birth()
        self.output = f(*lifted, **kwargs)
        self.outputs = [leaf for leaf in leaves(self.output) if isinstance(leaf, Node)]

    def _input(self, leaf: Any, copy: bool) -> Node:
        node: Node
        if isinstance(leaf, Node):
            node = identity(leaf)  # a stand-in: the derivative is with respect to this argument alone
        elif isinstance(leaf, (float, int)):
            node = Value(leaf)
        elif isinstance(leaf, (np.ndarray, np.generic)):
            node = Tensor(np.array(leaf) if copy else leaf)
            node.held = None
        else:
            raise TypeError(
                f"cannot differentiate with respect to a {type(leaf).__name__} ({leaf!r}): arguments are floats, "
                "arrays, nodes, modules, or lists, tuples and dicts of them; choose others with argnums"
            )
        self.inputs.append(node)
        return node

    def notice_outer(self, reached: Any) -> bool:
        """Whether among the nodes `reached` are others than ours, so that the derivative depends on them too."""
        if self.recorded and not self.keep_graph:
            ours = set(self.inputs)
            self.keep_graph = any(node.birth > self.since and node not in ours for node in reached)
            return self.keep_graph
        return False

    @property
    def value(self) -> Any:
        """The output: plain, unless it depends on nodes that are not ours."""
        return self.output if self.keep_graph else map_leaves(_scalar, self.output)

    def pull(self, seed: Any) -> Any:
        """The cotangents of the arguments, given that of the output, in the same structures."""
        found: dict[Node, Any] = {}
        with np.errstate(all="ignore"):
            if self.outputs:
                output, seed = self._one_output(seed)
                found = cotangents(output, seed, self.keep_graph, self.since)
                if self.notice_outer(found):
                    found = cotangents(output, seed, True, self.since)
        given: set[int] = set()
        return refill(self.tree, (_own(found.get(node), node, given) for node in self.inputs))

    def _one_output(self, seed: Any) -> tuple[Node, Any]:
        if isinstance(self.output, Node):
            return self.output, _seed(self.output, seed)
        seeds = list(leaves(seed))
        outputs = list(leaves(self.output))
        if len(seeds) != len(outputs):
            raise ValueError(f"the output has {len(outputs)} parts, its cotangent {len(seeds)}")
        total: Any = 0.0
        with recording(True):
            for output, part in zip(outputs, seeds, strict=True):
                if isinstance(output, Node):
                    product = output * _seed(output, part)
                    total = total + (product.sum() if isinstance(product, Tensor) else product)
        return total, ones(total)

    def push(self, tangents: Any) -> Any:
        """The tangent of the output, given those of the arguments."""
        moving = dict(zip(self.inputs, leaves(tangents), strict=True))
        for node, tangent in moving.items():
            if np.shape(plain(tangent)) != np.shape(node.raw):
                raise ValueError(
                    f"a tangent has the shape of its argument, {np.shape(node.raw)}, not {np.shape(plain(tangent))}"
                )
            moving[node] = _seed(node, tangent)
        reached = ancestors(*self.outputs, since=self.since)
        parents = {parent for node in reached for parent in node.parents}
        self.notice_outer(parents)
        keep = self.keep_graph or (self.recorded and any(isinstance(t, Node) for t in moving.values()))
        push(moving, [node for node in reached if node.birth < self.since], keep)
        given: set[int] = set()
        return map_leaves(
            lambda leaf: _own(moving.get(leaf), leaf, given) if isinstance(leaf, Node) else _zeros(leaf), self.output
        )

    # ---- Jacobians

    def jacobian(self) -> Any:
        """For each part of the output, the derivative with respect to each part of the arguments."""
        n = sum(np.size(node.raw) for node in self.inputs)
        if isinstance(self.output, Node) and n < np.size(self.output.raw):
            return self._columns()
        return map_leaves(self._rows, self.output)

    def _rows(self, output: Any) -> Any:
        shape = np.shape(plain(output))
        whole, self.output = self.output, output
        self.outputs = [output] if isinstance(output, Node) else []
        size = int(np.prod(shape))
        rows = [self.pull(np.eye(1, size, k).reshape(shape)) for k in range(size)]
        self.output = whole
        parts = [_joined([*group], shape) for group in zip(*map(leaves, rows), strict=True)]
        if not rows:
            parts = [np.zeros((*shape, *np.shape(node.raw))) for node in self.inputs]
        return refill(self.tree, iter(parts))

    def _columns(self) -> Any:
        zeros = [np.zeros_like(node.raw) for node in self.inputs]
        parts = []
        for i, node in enumerate(self.inputs):
            columns = []
            for k in range(np.size(node.raw)):
                basis = np.eye(1, np.size(node.raw), k).reshape(np.shape(node.raw))
                columns.append(self.push([*zeros[:i], basis, *zeros[i + 1 :]]))
            joined = _joined(columns, np.shape(node.raw))
            ndim = np.ndim(self.output.raw)
            order = [*range(np.ndim(plain(joined)))]
            turn = order[-ndim:] + order[:-ndim] if ndim else order
            parts.append(transpose(joined, turn))
        return refill(self.tree, iter(parts))


def ones(output: Any) -> Any:
    return 1.0 if not isinstance(output, Tensor) else np.ones_like(output.raw)


def _seed(node: Node, seed: Any) -> Any:
    """A cotangent (or a tangent) of `node` in the node's own form."""
    if np.shape(plain(seed)) != np.shape(node.raw):
        raise ValueError(f"the output has shape {np.shape(node.raw)}, its cotangent {np.shape(plain(seed))}")
    return node.fit(seed)


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
    return g


def _scalar(x: Any) -> Any:
    x = plain(x)
    return x[()] if isinstance(x, np.ndarray) and x.ndim == 0 else x


def _joined(parts: list[Any], shape: tuple[int, ...]) -> Any:
    """Equal parts, one for each element of an array of `shape`, as one array, or as a scalar where there is one."""
    if shape == ():
        return parts[0]
    joined = stack(parts)
    return reshape(joined, (*shape, *np.shape(plain(parts[0]))))
