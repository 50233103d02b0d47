"""Placing: the modules and functions that the nodes of a graph are in, as they were traced or, where nothing was, as the names
of parameters say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from autograd import scopes
from autograd.drawing.folding import Path, Step
from autograd.graph import Node
from autograd.scopes import scopes_of


def paths_of_nodes(nodes: Sequence[Node], parameters: Mapping[Node, str]) -> dict[Node, Path]:
    """What each of `nodes`, in order of creation, is in, given the names of `parameters`.

    >>> from autograd.value import Value
    >>> from autograd.graph import ancestors
    >>> w, b = Value(3.0), Value(1.0)
    >>> y = (w * 2.0 + b).tanh()
    >>> found = paths_of_nodes(ancestors(y), {w: "layer.w", b: "layer.b"})
    >>> {step.name for path in found.values() for step in path}, y in found
    ({'layer'}, True)
    """
    found: dict[Node, Path] = {}
    if scopes.own.log:
        for node in nodes:
            if node.op is not None and (around := scopes_of(node)):
                found[node] = tuple(Step(s.kind, s.name, s.path or "", s.first) for s in around)
    traced = any(step.kind == "module" for path in found.values() for step in path)
    owners = _owners_by_readers(nodes, parameters, found) if traced else {}
    for parameter, name in parameters.items():
        if parameter not in owners and not traced and (path := owner(name)):
            owners[parameter] = path
    return _filled(nodes, owners, found, traced) if owners else found


def _owners_by_readers(
    nodes: Iterable[Node], parameters: Mapping[Node, str], paths: Mapping[Node, Path]
) -> dict[Node, Path]:
    """The module that each parameter is read in; of several, the innermost around all."""
    readers: dict[Node, list[Path]] = defaultdict(list)
    for node in nodes:
        path = paths.get(node, ())
        while path and path[-1].kind != "module":
            path = path[:-1]
        if path:
            for x in node.parents:
                if x in parameters:
                    readers[x].append(path)
    return {x: common for x, found in readers.items() if (common := _common(found))}


def _filled(
    nodes: Iterable[Node], owners: Mapping[Node, Path], known: Mapping[Node, Path], traced: bool
) -> dict[Node, Path]:
    """`known`, and the modules of other nodes.

    An operation is in the innermost module that owns all parameters that it reads. One that reads none, only results of
    one module, and is no sum of many numbers, as an activation, is in that module too, if no module was traced.
    """
    found: dict[Node, Path] = {**owners, **known}
    owners = dict(owners)
    for node in nodes:
        if node.op is None or node in found:
            continue
        inputs = node.inputs
        parents = [x for x in inputs if isinstance(x, Node)]
        read = [owners[x] for x in parents if x in owners]
        if read:
            common = _common(read)
            if common and (not traced or len(read) == len(parents)):
                found[node] = common
                if len(inputs) == 1:  # a parameter in another form, as its transpose
                    owners[node] = common
            continue
        before = {found.get(x, ()) for x in parents}
        reduces = node.op.variadic is not None or (
            np.size(node._data) == 1 and any(np.size(x) > 1 for x in node._residuals())
        )
        if not traced and len(before) == 1 and len(parents) == len(inputs) and not reduces and (path := before.pop()):
            found[node] = path
    return found


def _common(paths: Sequence[Path]) -> Path:
    """What all paths begin with, whichever calls they are."""
    first = paths[0]
    n = len(first)
    for path in paths[1:]:
        n = min(n, len(path))
        while n and any(a[:3] != b[:3] for a, b in zip(first[:n], path, strict=False)):
            n -= 1
    return first[:n]


def owner(name: str) -> Path:
    """The modules that a parameter of this name is in, the outermost first: a list of modules is none.

    >>> [step.name for step in owner("layers.0.neurons.3.w.1")], owner("x")
    (['layers.0', 'layers.0.neurons.3'], ())
    """
    steps = name.split(".")
    while steps and steps[-1].isdigit():
        steps.pop()
    steps = steps[:-1]
    places = [i for i in range(1, len(steps) + 1) if i == len(steps) or not steps[i].isdigit()]
    return tuple(Step("module", "", ".".join(steps[:i])) for i in places)
