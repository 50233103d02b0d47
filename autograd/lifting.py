"""Arguments as nodes, for one call of a function that is to be differentiated.

A number or an array becomes a leaf, a node a stand-in that is computed from it, a module a copy with stand-ins for its
parameters.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from operator import index
from types import MappingProxyType
from typing import Any

import numpy as np

from autograd import constants
from autograd.arguments import shown
from autograd.elementwise import identity
from autograd.graph import Node
from autograd.pytrees import LEAF, TreeDef, flatten, is_module, named_parameters
from autograd.stand_ins import Substitution, stand_in
from autograd.tensor import Tensor
from autograd.value import Value

Argnums = int | Sequence[int]

# The parameters of modules with respect to which enclosing calls differentiate, and their stand-ins, each mapped to the
# parameter itself.
_enclosing: ContextVar[Mapping[Node, Node]] = ContextVar("enclosing", default=MappingProxyType({}))


class Lifted:
    """Arguments with nodes, the `inputs`, in place of those at `positions`; `treedefs` are the structures of these.
    With `copy`, all arrays are copies.

    `roots` are the parameters of modules among them, each with the inputs that stand for it. `linked` says whether an
    enclosing computation may differentiate the result: nodes were given, or modules of an enclosing call.
    """

    def __init__(self, args: Sequence[Any], kwargs: dict[str, Any], positions: Sequence[int], copy: bool) -> None:
        self.inputs: list[Node] = []
        self.treedefs: list[TreeDef] = []
        self.roots: dict[Node, list[Node]] = {}
        self.linked = False
        self._others: list[Any] = []
        self.args, self.kwargs = list(args), kwargs
        self._copy = copy
        self._copies: list[Substitution] = []
        self._back: dict[int, Node] = {}  # parameters by the ids of their stand-ins
        for n in positions:
            if type(args[n]) is float:
                self.args[n] = node = Value(args[n])
                self.inputs.append(node)
                self.treedefs.append(LEAF)
            else:
                self.args[n] = self._lift(args[n], n)
        if self._back and (kwargs or len(positions) < len(args)):
            self._lift_others(positions)

    def call(self, f: Callable[..., Any]) -> Any:
        """The result of `f` for these arguments."""
        if not self._copies:
            return f(*self.args, **self.kwargs)
        own = {node: root for root, nodes in self.roots.items() for node in (root, *nodes)}
        token = _enclosing.set({**_enclosing.get(), **own})
        try:
            return f(*self.args, **self.kwargs)
        finally:
            _enclosing.reset(token)
            for copied in self._copies:
                copied.carry_over(self._back)

    def _lift(self, tree: Any, n: int) -> Any:
        """Argument `n` with nodes for leaves."""
        leaves, treedef = flatten(tree, is_module, name=f"argument {n}")
        modules = False
        for i, leaf in enumerate(leaves):
            if isinstance(leaf, (Node, float, int, np.ndarray, np.generic)):
                leaves[i] = self._input(leaf)
            elif is_module(leaf):
                leaves[i], modules = self._module(leaf), True
            else:
                raise TypeError(
                    f"cannot differentiate with respect to a {type(leaf).__name__} ({leaf!r}), which is argument "
                    f"{n}{treedef.paths()[i]}: arguments are floats, arrays, nodes, modules, or lists, tuples and dicts of "
                    "them; choose others with argnums"
                )
        self.treedefs.append(flatten(tree)[1] if modules else treedef)
        return treedef.unflatten(leaves)

    def _module(self, module: Any) -> Any:
        """A copy with inputs in place of its parameters."""
        enclosing = _enclosing.get()
        new = {}
        for name, parameter in named_parameters(module).items():
            if not isinstance(parameter, Node):
                raise TypeError(
                    f"cannot differentiate with respect to a {type(module).__name__}: its parameter {name} is a "
                    f"{type(parameter).__name__}, not an nn.Parameter, a Tensor or a Value"
                )
            node = self._own(stand_in(parameter))
            new[id(parameter)], self._back[id(node)] = node, parameter
            root = enclosing.get(parameter, parameter if parameter.op is None else None)
            if root is not None:
                self.roots.setdefault(root, []).append(node)
            self.linked = self.linked or parameter.op is not None or parameter in enclosing
        self._copies.append(Substitution(module, new))
        return self._copies[-1].tree

    def check_root(self, root: Node) -> None:
        """Raise if more than one argument, differentiated or not, has a parameter that the function captured."""
        times, rest, seen = len(self.roots[root]), list(self._others), set()
        while rest:
            x = rest.pop()
            if is_module(x):
                times += any(p is root for p in named_parameters(x).values())
            elif isinstance(x, (list, tuple, dict)) and id(x) not in seen:
                seen.add(id(x))
                rest += x.values() if isinstance(x, dict) else x
        if times > 1:
            raise ValueError(
                f"a module is given as {times} arguments, and the function reaches its parameter {root!r} "
                "by itself: to which of the arguments it belongs is not clear. Let the function use only its arguments"
            )

    def _lift_others(self, positions: Sequence[int]) -> None:
        """Replace the modules' parameters in the other arguments by constants: they are other variables, as with arrays."""
        others = {n: arg for n, arg in enumerate(self.args) if n not in positions}
        self._others = [others, self.kwargs]
        constants = {id(parameter): stand_in(parameter) for parameter in self._back.values()}
        self._back |= {id(constants[id(parameter)]): parameter for parameter in self._back.values()}
        self._copies.append(Substitution([others, self.kwargs], constants))
        others, self.kwargs = self._copies[-1].tree
        for n, arg in others.items():
            self.args[n] = arg

    def _input(self, leaf: Any) -> Node:
        if isinstance(leaf, Node):
            self.linked = True
            return self._own(identity(leaf))  # a stand-in: the derivative is with respect to this argument alone
        node: Node
        if isinstance(leaf, (float, int)):
            node = Value(leaf)
        else:
            node = Tensor(np.array(leaf) if self._copy else constants.own(np.asarray(leaf)))
            node._lent, node._frozen = None, True  # reading `data` gives a copy
            if node._data is leaf:  # the function may change it through the caller's name
                constants.watch(node, (leaf,))
        self.inputs.append(node)
        return node

    def _own(self, node: Node) -> Node:
        if self._copy and isinstance(node, Tensor):
            node._data = node._data.copy()  # or an optimizer's next step would change it
        self.inputs.append(node)
        return node


def chosen(args: Sequence[Any], kwargs: dict[str, Any], argnums: Argnums) -> list[int]:
    """The positions that `argnums` names."""
    if type(argnums) is int and 0 <= argnums < len(args):
        return [argnums]
    try:
        named = [index(n) for n in ((argnums,) if isinstance(argnums, (int, np.integer)) else argnums)]
    except TypeError:
        raise TypeError(
            f"argnums is the position of an argument, or a sequence of them, not {shown(argnums)}"
        ) from None
    found: list[int] = []
    for n in named:
        if not -len(args) <= n < len(args):
            keywords = f"{', '.join(kwargs)} by keyword" if kwargs else ""
            if not args:
                raise TypeError(
                    "a derivative is with respect to positional arguments, and this call gives none"
                    f"{keywords and f', only {keywords}'}: give argument {n} by its position, as in grad(f)(2.0)"
                )
            raise ValueError(
                f"argnums names argument {n}, but there are {len(args)} positional arguments"
                f"{keywords and f' (and {keywords}, where none is differentiated)'}"
            )
        if n % len(args) in found:
            raise ValueError(f"argnums={argnums!r} names argument {n % len(args)} twice: name each once")
        found.append(n % len(args))
    return found


def argument_names(function: Any, count: int) -> list[str]:
    """Names for the positional arguments of a call: those of the function's parameters."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [f"x{n}" for n in range(count)]
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    return names + [f"x{n}" for n in range(len(names), count)]
