"""Names of nodes, for pictures and explanations: from labels, inputs, traces of names, and modules."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable
from typing import Any

from autograd.graph import Node, ancestors
from autograd.name_trace import catch_up, name_of
from autograd.pytrees import flatten, named_parameters


def names(output: Node | Iterable[Node], inputs: Any = None) -> dict[Node, str]:
    """Names of the nodes that `output` was computed from, or of the nodes given, of those that have one.

    A node is called by its label; else by its path in `inputs` (a node, a module, or lists, tuples and dicts of them);
    else as the user's code calls it, if that was seen under `ag.trace_names()`; else, if it is a parameter, by its
    attribute path in the outermost module that has it, as "layers.0.weight".

    >>> import autograd as ag
    >>> x, y = ag.Value(2.0, "x"), ag.Value(3.0)
    >>> list(names(x * y, inputs={"x": x, "factor": y}).values())
    ['x', 'factor']
    """
    catch_up()
    nodes = ancestors(output) if isinstance(output, Node) else list(output)
    given = paths_of(inputs)
    found: dict[Node, str] = {}
    nameless = []
    for node in nodes:
        name = node.label or given.get(node) or name_of(node)
        if name:
            found[node] = name
        elif node.op is None:
            nameless.append(node)
    if nameless:
        found |= _of_live_modules(nameless)
    return found


def paths_of(inputs: Any) -> dict[Node, str]:
    """The nodes in `inputs`, a node, a module, or lists, tuples and dicts of them, with their paths: "" of a node alone.

    >>> import autograd as ag
    >>> x = ag.Value(2.0)
    >>> paths_of({"data": [1.0, x]}) == {x: "data[1]"}
    True
    """
    leaves, treedef = flatten(inputs, name="inputs")
    found: dict[Node, str] = {}
    for leaf, path in zip(leaves, treedef.paths(), strict=True):
        if isinstance(leaf, Node):
            # ['data'][1] is written data[1], as if the dict's names were variables
            dotted = re.sub(r"\['([^\W\d]\w*)'\]", r".\1", path).removeprefix(".")
            found.setdefault(leaf, f"inputs{dotted}" if dotted[:1] == "[" else dotted)
    return found


def _of_live_modules(nodes: list[Node]) -> dict[Node, str]:
    """The paths of those of the nodes that are parameters of modules that exist, each in the outermost one."""
    wanted = dict.fromkeys(nodes)
    kinds: dict[type, bool] = {}
    found: dict[Node, tuple[int, str, int]] = {}
    roots = []
    for part in gc.get_objects():
        kind = type(part)
        if kind not in kinds:
            # not by hasattr, for which a metaclass may have code of its own
            kinds[kind] = any("named_parameters" in vars(base) for base in kind.__mro__)
        if kinds[kind]:
            roots.append(part)
    for i, root in enumerate(roots):
        for path, parameter in _parameters(root).items():
            if isinstance(parameter, Node) and parameter in wanted:
                depth = path.count(".")
                if parameter not in found or depth > found[parameter][0]:
                    found[parameter] = depth, path, i
    several = len({i for _, _, i in found.values()}) > 1
    return {node: f"{type(roots[i]).__name__}.{path}" if several else path for node, (_, path, i) in found.items()}


def _parameters(module: Any) -> dict[str, Any]:
    try:
        return named_parameters(module)
    except Exception:  # a module that is being made, or whose layers wait for their first input
        return {}
