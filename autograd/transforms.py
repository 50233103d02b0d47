"""Functions to functions: `grad`, `value_and_grad`, `vjp`, `jvp`, `jacobian`, `hessian`, `hvp`.

Each calls the function on nodes of its own and reads the graph that this leaves. Plain in, plain out: a result is a
node only where an argument was one, or where the function reaches a node of an enclosing computation; then the
derivative is recorded too, and can be differentiated again. So they nest, to any order.

Arguments may be floats, arrays, nested lists, tuples and dicts of them, and modules (anything with
`named_parameters()`); derivatives have the same structure, that of a module being a dict of arrays by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.arrays.joining import stack
from autograd.arrays.shaping import reshape, transpose
from autograd.backprop import cotangents, guarded
from autograd.elementwise import identity
from autograd.graph import Node, ancestors, birth, is_recording, recording
from autograd.operators import plain
from autograd.tensor import Tensor
from autograd.trees import is_module, leaves, map_leaves, refill
from autograd.value import Value

Argnums = int | Sequence[int]


def grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that gives the gradient of the scalar function `f` with respect to argument `argnums`, or to each
    of a sequence of them (then as a tuple).

    >>> grad(lambda x: x**2)(3.0)
    6.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    """
    both = value_and_grad(f, argnums)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return _named(gradient, "gradient", f)


def value_and_grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """As `grad`, but gives the pair of the function's value and its gradient, for the price of one.

    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(3.0, 4.0)
    (12.0, (4.0, 3.0))
    """

    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        call = _Call(f, args, kwargs, argnums)
        output = call.output
        if not isinstance(output, (Node, float, int, np.ndarray, np.generic)):
            raise TypeError(f"grad needs a scalar output, got {type(output).__name__} {output!r}")
        if np.shape(plain(output)) != ():
            raise ValueError(
                f"grad needs a scalar output, got shape {np.shape(plain(output))}: use jacobian, or reduce with .sum()"
            )
        gradient = call.pull(_ones(output))
        return call.value, gradient

    return _named(value_and_gradient, "value and gradient", f)


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """`f(*args)`, and the function that takes a cotangent of it to the cotangents of all arguments, as a tuple.

    >>> y, pullback = vjp(lambda x, y: x * y, 3.0, 4.0)
    >>> pullback(1.0)
    (4.0, 3.0)
    """
    call = _Call(f, args, {}, range(len(args)), copy=True)
    call.notice_outer({parent for node in ancestors(*call.outputs, since=call.since) for parent in node.parents})
    return call.value, call.pull


def jvp(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """`f(*primals)` and its derivative in the direction `tangents`: forward mode, by the same rules.

    `primals` and `tangents` are tuples with one entry an argument; where there is one argument the tuple may be left
    out.

    >>> jvp(lambda x: x**3, 2.0, 1.0)
    (8.0, 12.0)
    """
    primals, tangents = _tuples("jvp", primals, tangents)
    call = _Call(f, primals, {}, range(len(primals)))
    tangent = call.push(tangents)
    return call.value, tangent


def jacobian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that gives the derivative of every element of `f`'s output with respect to every element of
    argument `argnums`: of shape `output.shape + argument.shape`.

    Row by row in reverse mode or, where there are fewer inputs than outputs, column by column in forward mode. Of a
    list, tuple or dict of outputs, the derivative of each in its place.

    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """

    def derivative(*args: Any, **kwargs: Any) -> Any:
        call = _Call(f, args, kwargs, argnums)
        return call.jacobian()

    return _named(derivative, "jacobian", f)


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that gives all second derivatives of the scalar function `f`: `argument.shape` twice.

    >>> hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0])).tolist()
    [[6.0, 0.0], [0.0, 12.0]]
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """The Hessian of the scalar function `f` at `primals`, times `tangents`, without making the Hessian: the gradient,
    pushed forward. Arguments as for `jvp`; the result is a tuple where `primals` is one.

    >>> hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 0.0])).tolist()
    [6.0, 0.0]
    """
    alone = not isinstance(primals, tuple)
    primals, tangents = _tuples("hvp", primals, tangents)
    gradient = grad(f, argnums=tuple(range(len(primals))))
    product = jvp(gradient, primals, tangents)[1]
    return product[0] if alone else product


# ---- One call of a function on nodes of our own


class _Call:
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
        self.keep_graph = self.recorded and any(isinstance(leaf, Node) for leaf in given)

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
        return total, _ones(total)

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
        with np.errstate(all="ignore"), recording(True):
            for node in reached:
                if node.op is not None and node.birth < self.since and any(p in moving for p in node.parents):
                    moving[node] = _tangent(node, moving, keep)
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


def _tangent(node: Node, moving: dict[Node, Any], keep_graph: bool) -> Any:
    """The tangent of `node`, given those of its inputs."""
    op = node.op
    assert op is not None
    z, inputs = (node, node.inputs) if keep_graph else (node.raw, node.read())
    pairs = [(i, moving[arg]) for i, arg in enumerate(node.inputs) if isinstance(arg, Node) and arg in moving]
    total: Any = 0.0
    if op.many is not None:
        partials = op.many(1.0, z, *inputs)
        for i, tangent in pairs:
            total = total + tangent * partials[i]
        return node.fit(total)
    for i, tangent in pairs:
        rule = op.rules[i]
        if rule is not None:
            pushed = (
                guarded(rule, tangent, z, inputs) if op.elementwise else _transposed(rule, tangent, node, z, inputs)
            )
            total = total + pushed
    return node.fit(total)


def _transposed(rule: Any, tangent: Any, node: Node, z: Any, inputs: tuple[Any, ...]) -> Any:
    """The forward-mode derivative that belongs to a reverse-mode rule: the rule is linear in the cotangent, so its own
    derivative with respect to that, pulled back, is its transpose."""
    since = birth()
    cotangent = Tensor(np.zeros_like(node.raw))
    share = rule(cotangent, z, *inputs)
    if not isinstance(share, Node):
        return 0.0
    return cotangents(share, share.fit(tangent), any(isinstance(x, Node) for x in (z, tangent)), since).get(
        cotangent, 0.0
    )


def _tuples(name: str, primals: Any, tangents: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    if isinstance(primals, tuple) != isinstance(tangents, tuple):
        raise TypeError(f"{name} needs primals and tangents as two tuples, or as one argument and its tangent")
    if not isinstance(primals, tuple):
        return (primals,), (tangents,)
    if len(primals) != len(tangents):
        raise ValueError(f"{name} got {len(primals)} primals and {len(tangents)} tangents")
    return primals, tangents


def _ones(output: Any) -> Any:
    return 1.0 if not isinstance(output, Tensor) else np.ones_like(output.raw)


def _seed(node: Node, seed: Any) -> Any:
    """A cotangent (or a tangent) of `node` in the node's own form."""
    if np.shape(plain(seed)) != np.shape(node.raw):
        raise ValueError(f"the output has shape {np.shape(node.raw)}, its cotangent {np.shape(plain(seed))}")
    return node.fit(seed)


def _zeros(x: Any) -> Any:
    x = plain(x)
    return 0.0 if isinstance(x, (float, int)) else np.zeros_like(x, dtype=np.result_type(x, np.float16))


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


def _named(derivative: Callable[..., Any], what: str, f: Callable[..., Any]) -> Callable[..., Any]:
    name = getattr(f, "__name__", type(f).__name__)
    derivative.__name__ = derivative.__qualname__ = f"{what.replace(' ', '_')}_of_{name}".replace("<", "").replace(
        ">", ""
    )
    derivative.__doc__ = f"The {what} of {name}."
    return derivative
