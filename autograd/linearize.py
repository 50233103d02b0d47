"""Linearization: one call of a function on new nodes, and its derivatives. All transforms are made of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd.arguments import check_unmasked, shown, wrong
from autograd.arrays.joining import stack
from autograd.arrays.shaping import reshape
from autograd.elementwise import identity
from autograd.forward_mode import pushforward
from autograd.graph import Node, ancestors, next_sequence_number, value_of
from autograd.lifting import Argnums, Lifted, chosen
from autograd.modes import current_trace, is_recording, recording
from autograd.pytrees import TreeDef, flatten, unflatten_each
from autograd.reverse_mode import cotangents
from autograd.tensor import Tensor
from autograd.value import Value


def linearize(
    f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], argnums: Argnums, copy: bool = False
) -> Linearized:
    """`f(*args, **kwargs)` with nodes for the arguments `argnums`; with `copy`, their arrays are copies."""
    if not is_recording():  # under no_grad: differentiate, but do not record the derivative
        with recording(True):
            linearized = linearize(f, args, kwargs, argnums, copy)
        linearized.recorded = False
        linearized.keep_graph = current_trace() is not None
        return linearized
    if not callable(f):
        raise TypeError(wrong("a derivative", "f", "a function", f))
    lifted = Lifted(args, kwargs, chosen(args, kwargs, argnums), copy)
    since = next_sequence_number()
    return Linearized(lifted, since, lifted.call(f), isinstance(argnums, (int, np.integer)))


class Linearized:
    """The output of a function of `lifted` arguments, ready to be differentiated.

    Nodes with sequence numbers above `since` were made by the function. Nodes made before are outer ones, except the
    inputs and the parameters (`roots`) of modules among the arguments: a parameter that the function captures, as in
    `grad(lambda m: loss(model(x)))(model)`, counts as the argument's. With `alone` there is one argument, and derivatives
    come in its structure, not in a tuple.

    `keep_graph` says that derivatives are recorded, because they depend on outer nodes. The outer nodes that the
    function captured are known only after a traversal.
    """

    def __init__(self, lifted: Lifted, since: int, output: Any, alone: bool) -> None:
        self.output = output
        self.leaves, self.treedef = flatten(output, name="the output")
        self.recorded = True
        self.keep_graph = lifted.linked
        if not lifted.linked and current_trace() is not None:
            self.keep_graph = any(isinstance(node, Value) for node in lifted.inputs)
        self._lifted, self._inputs = lifted, lifted.inputs
        self._since, self._alone = since, alone

    def check_output(self, name: str) -> None:
        """Raise a TypeError if a part of the output is not a real number, an array or a node."""
        for i, leaf in enumerate(self.leaves):
            check_real(leaf, f"{name} needs a function that gives numbers: the output", self.treedef, i)

    @property
    def value(self) -> Any:
        """The output: numbers and arrays, or nodes if it depends on outer ones."""
        keep = self.keep_graph
        return self.treedef.unflatten([x if keep and isinstance(x, Node) else _scalar(x) for x in self.leaves])

    # ---- Outer nodes

    def find_outer(self) -> tuple[list[Node], set[Node]]:
        """Decide whether derivatives are recorded; return the nodes that the function made, in order, and all that it used."""
        outputs = [leaf for leaf in self.leaves if isinstance(leaf, Node)]
        made = [node for node in ancestors(*outputs, since=self._since) if node._sequence > self._since]
        reached = {*outputs, *(parent for node in made for parent in node.parents)}
        self.keep_graph = self._depends_on_outer(reached) or self.keep_graph
        return made, reached

    def _depends_on_outer(self, reached: Iterable[Node]) -> bool:
        """Whether an outer node is among those `reached`, so that derivatives are to be recorded after all."""
        ours = {*self._inputs, *self._lifted.roots}
        depends = False
        for node in reached:
            if node._sequence <= self._since:
                if node.op is not None:
                    _check_current(node, self._since)
                depends = depends or node not in ours
        return depends and self.recorded and not self.keep_graph

    # ---- Reverse mode

    def gradient(self) -> Any:
        """The gradient of the output, which must be one real number."""
        output, seed = self.output, 1.0
        if not isinstance(output, Value):
            if not isinstance(output, (Node, float, int, np.ndarray, np.generic)):
                raise TypeError(f"grad needs a scalar output, got {type(output).__name__} {shown(output)}")
            check_real(output, "grad needs a real output: it")
            if shape := np.shape(value_of(output)):
                raise ValueError(f"grad needs a scalar output, got shape {shape}: use jacobian, or reduce with .sum()")
            seed = np.ones_like(value_of(output))
        return self._as_arguments(self._cotangents(output, seed))

    def pullback(self, cotangent: Any) -> Any:
        """The cotangents of the arguments, given that of the output, in the same structures."""
        seeds = self.treedef.flatten_up_to(cotangent, "the cotangent")
        for i, (leaf, seed) in enumerate(zip(self.leaves, seeds, strict=True)):
            _check_fit(seed, leaf, "the output", "its cotangent", self.treedef, i)
        return self._as_arguments(self._cotangents(*_joint(self.leaves, seeds), seeds))

    def _cotangents(self, output: Any, seed: Any, given: Sequence[Any] = ()) -> list[Any]:
        """The cotangents of the inputs, given that of one output; the arrays in `given` belong to the caller."""
        found: dict[Node, Any] = {}
        with np.errstate(all="ignore"):
            if isinstance(output, Node):
                found = cotangents(output, seed, self.keep_graph, self._since)
                if self._depends_on_outer(found):
                    self.keep_graph = True
                    found = cotangents(output, seed, True, self._since)
            for root, nodes in self._lifted.roots.items():
                if root in found:
                    self._lifted.check_root(root)
                    g = found[root]
                    found[nodes[0]] = found[nodes[0]] + g if nodes[0] in found else g
        return _owned(found, self._inputs, given)

    def _as_arguments(self, values: Iterable[Any]) -> Any:
        """Values, one for each input, in the structure of the arguments."""
        if self._alone:
            return self._lifted.treedefs[0].unflatten(values)
        return tuple(unflatten_each(self._lifted.treedefs, values))

    # ---- Forward mode

    def pushforward(self, tangents: Sequence[Any]) -> Any:
        """The tangent of the output, given those of the arguments."""
        found: list[Any] = []
        for n, (treedef, tangent) in enumerate(zip(self._lifted.treedefs, tangents, strict=True)):
            for i, part in enumerate(treedef.flatten_up_to(tangent, f"the tangent of argument {n}")):
                _check_fit(part, self._inputs[len(found)], f"argument {n}", "its tangent", treedef, i)
                found.append(part)
        return self.treedef.unflatten(self._tangents(found))

    def _tangents(self, given: Sequence[Any]) -> list[Any]:
        """The tangents of the outputs, given those of the inputs."""
        tangents = {node: node._unbroadcast(tangent) for node, tangent in zip(self._inputs, given, strict=True)}
        made, reached = self.find_outer()
        for root, nodes in self._lifted.roots.items():
            if root in reached:
                self._lifted.check_root(root)
                tangents[root] = tangents[nodes[0]]
        keep = self.keep_graph or (self.recorded and any(isinstance(t, Node) for t in tangents.values()))
        pushforward(tangents, made, [leaf for leaf in self.leaves if isinstance(leaf, Node)], keep)
        return _owned(tangents, self.leaves, given)

    # ---- Jacobians

    def jacobian(self) -> Any:
        """For each part of the output, the derivative with respect to each part of the arguments."""
        n = sum(np.size(node._data) for node in self._inputs)
        if isinstance(self.output, Node) and n < np.size(self.output._data):
            return self._as_arguments(self._columns(self.output._data))
        return self.treedef.unflatten([self._as_arguments(self._rows(leaf)) for leaf in self.leaves])

    def _rows(self, output: Any) -> list[Any]:
        """The derivatives of one output, row by row in reverse mode."""
        shape = np.shape(value_of(output))
        size = math.prod(shape)
        if not size:
            return [np.zeros((*shape, *np.shape(node._data)), np.asarray(_zeros(node)).dtype) for node in self._inputs]
        bases = [np.eye(1, size, k).reshape(shape) for k in range(size)]
        rows = [self._cotangents(*_joint([output], [basis])) for basis in bases]
        if not shape:
            return rows[0]
        return [reshape(stack([*g]), (*shape, *np.shape(value_of(g[0])))) for g in zip(*rows, strict=True)]

    def _columns(self, output: Any) -> list[Any]:
        """The derivatives of an array, column by column in forward mode."""
        zeros = [np.zeros_like(node._data) for node in self._inputs]
        parts: list[Any] = []
        for i, zero in enumerate(zeros):
            if not zero.size:
                parts.append(np.zeros((*output.shape, *zero.shape), output.dtype))
                continue
            columns = []
            for k in range(zero.size):
                basis = np.eye(1, zero.size, k).reshape(zero.shape)
                columns += self._tangents([*zeros[:i], basis, *zeros[i + 1 :]])
            parts.append(reshape(stack(columns, -1), (*output.shape, *zero.shape)))
        return parts


def check_real(x: Any, what: str, treedef: TreeDef | None = None, i: int = 0) -> None:
    """Raise a TypeError if `x` is not a real number, an array or a node; the error calls it `what`, leaf `i` of `treedef`."""
    if isinstance(x, (float, int, Node)) or (isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "fiub"):
        check_unmasked("a derivative", what, x)
        return
    name = what + (treedef.paths()[i] if treedef else "")
    if not isinstance(x, (np.ndarray, np.generic)) and not isinstance(x, complex):
        raise TypeError(f"{name} is a {type(x).__name__}, {x!r}, not a number or an array")
    hint = ": complex numbers have no rules here, so take their .real and .imag" if np.iscomplexobj(x) else ""
    raise TypeError(f"{name} is of {np.asarray(x).dtype}, not of real numbers{hint}")


def _check_fit(part: Any, node: Any, whole: str, what: str, treedef: TreeDef, i: int) -> None:
    """Raise if `part` has not the type or shape of a tangent or cotangent of `node`, leaf `i` of the `whole`."""
    if type(part) is float and type(node) is Value:
        return
    check_real(part, f"{what} of {whole}", treedef, i)
    shape, other = np.shape(value_of(node)), np.shape(value_of(part))
    if shape != other:
        raise ValueError(f"{whole}{treedef.paths()[i]} has shape {shape}, {what} {other}")


def _check_current(node: Node, since: int) -> None:
    """Raise if an optimizer's step, made after `since`, changed a leaf of which `node` is a view or a stand-in."""
    sources = [node]
    while sources and isinstance(node, Tensor):
        view = sources.pop()
        for source in view.parents:
            if isinstance(source, Tensor) and np.may_share_memory(source._data, view._data):
                if source.op is not None:
                    sources.append(source)
                elif source._overwritten > since:
                    source._check_unchanged(view, None, False)


def _joint(outputs: Sequence[Any], seeds: Sequence[Any]) -> tuple[Any, Any]:
    """One output and its cotangent, in place of several; outputs that are not nodes are left out."""
    pairs: Any = [pair for pair in zip(outputs, seeds, strict=True) if isinstance(pair[0], Node)]
    if len(pairs) == 1:
        output, seed = pairs[0]
        return output, output._unbroadcast(seed)
    total: Any = 0.0
    with recording(True):
        for output, seed in pairs:
            product = output * output._unbroadcast(seed)
            total = total + (product.sum() if isinstance(product, Tensor) else product)
    return total, np.ones_like(total._data) if isinstance(total, Tensor) else 1.0


def _zeros(x: Any) -> float | np.ndarray[Any, Any]:
    if isinstance(x, (Value, float, int)):
        return 0.0
    x = value_of(x)
    return np.zeros_like(x, dtype=np.result_type(x, np.float16))


def _owned(derivatives: dict[Node, Any], nodes: Iterable[Any], given: Iterable[Any]) -> list[Any]:
    """The derivatives of `nodes`, zero where there is none, as arrays that belong to the caller: no duplicate, no view,
    and none of those `given`."""
    shared = set(map(id, given))
    owned = []
    for node in nodes:
        g = derivatives.get(node) if isinstance(node, Node) else None
        if g is None:
            g = _zeros(node)
        elif isinstance(g, np.ndarray):
            if id(g) in shared or g.base is not None or not g.flags.writeable:
                g = np.array(g)
            shared.add(id(g))
        elif isinstance(g, Node) and id(g) in shared:
            g = identity(g)
        owned.append(g)
    return owned


def _scalar(x: Any) -> Any:
    x = value_of(x)
    if isinstance(x, np.ndarray):
        return x.copy() if x.ndim else x[()]
    return x
