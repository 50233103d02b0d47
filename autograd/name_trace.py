"""`trace_names`: what the user's code calls nodes, where it makes them, and in which calls, read from the stack.

Each recorded operation looks at the frames between it and the `with` statement. A frame that was there at the operation
before is the same call. So calls of modules and of the library's functions become scopes without a word in these, and
names are read from the locals of the user's frames: when a statement that assigns has ended, and when a call has.
"""

from __future__ import annotations

import ast
import linecache
import math
import sys
import warnings
from collections.abc import Iterator, Mapping
from inspect import CO_OPTIMIZED
from threading import get_ident
from types import CodeType, FrameType, TracebackType
from typing import Any, Self

import numpy as np

from autograd import modes, scopes
from autograd.failures import Failure, failure_of
from autograd.frames import Line, Notes, is_inside, note_line, noted_nodes
from autograd.graph import Node, next_sequence_number
from autograd.pytrees import named_parameters
from autograd.scopes import Scope

# What frames are of, as bits.
_USER, _FUNCTION, _CALL, _OTHER = 1, 2, 4, 8
_PACKAGE = __name__.partition(".")[0]
_PARAMETER = -1  # the rank of a parameter's path, before those of variables: the depths of their frames
_GLOBAL = 10_000  # that of global variables
_MOST = 10_000  # of a list's members, so many have names
_READERS = {"locals", "vars", "dir", "eval", "exec"}  # a function that calls one may keep the dict of its locals
_ROOTS = 64  # so many modules are kept, the latest, until the context ends
_INTERACTIVE = {"In", "Out"}  # the variables in which a notebook keeps all that it has shown

_names: Notes[tuple[int, str]] = Notes()  # of nodes: (rank, name), the lowest rank of those that were found


def name_of(node: Node) -> str | None:
    """What the user's code calls `node`, if it was seen under `trace_names()`: a variable's name, or a parameter's path.

    >>> import autograd as ag
    >>> x = ag.Value(2.0)
    >>> with ag.trace_names():
    ...     y = x * x
    >>> name_of(x), name_of(y)
    ('x', 'y')
    """
    found = _names.get(node)
    return found and found[1]


def trace_names() -> NameTrace:
    """A context, for this thread, in which pictures and explanations get names from the code that is run in it.

    Nodes are called as the variables that hold them, parameters by their places in the modules that are called; of each
    node the line that made it is known; calls of modules, and of functions of this library that record several nodes, are
    scopes, as with `ag.scope`. Where an error ends the context, the object that it gives (`with ag.trace_names() as
    seen`) has, in `failed`, the operation that raised it. Recording a node takes about ten microseconds more.

    >>> import autograd as ag
    >>> x = ag.Value(2.0)
    >>> with ag.trace_names() as seen:
    ...     h = ag.tanh(x * 3.0)
    >>> seen.failed is None, name_of(h)
    (True, 'h')
    """
    return NameTrace()


def catch_up() -> None:
    """Name what this thread's variables hold now, if it is within `trace_names()`."""
    if scopes.own.watcher is not None:
        scopes.own.watcher.catch_up()


class _Entry:
    """A call that is going on."""

    __slots__ = ("depth", "frame", "kind", "line", "module", "scope")

    def __init__(self, frame: FrameType, kind: int, depth: int) -> None:
        self.frame, self.kind, self.depth = frame, kind, depth
        self.line = frame.f_lineno
        self.module: Any = None
        self.scope: Scope | None = None


class NameTrace:
    """What `trace_names` has seen: in `failed` the operation that raised the error which ended the context, or None."""

    failed: Failure | None = None
    _first, _end = 0, math.inf  # the sequence numbers between which all was recorded
    _held: tuple[Node, ...] = ()

    def __enter__(self) -> Self:
        frame = sys._getframe(1)
        while is_inside(frame.f_code.co_filename) and frame.f_back is not None:
            frame = frame.f_back
        self._base = frame
        self._entries: list[_Entry] = []
        self._kinds: dict[int, tuple[CodeType, int]] = {}
        self._targets: dict[str, dict[int, list[str]]] = {}
        self._roots: dict[int, tuple[Any, dict[int, str]]] = {}  # the outermost modules, and the paths of those within
        self._failing: tuple[BaseException, Failure] | None = None
        self._thread = get_ident()
        self._first = self._last = next_sequence_number()
        self._end, self._held, self.failed = math.inf, (), None
        self._beyond = modes.observer()  # that of the context around
        around = scopes.own.watcher
        self._leader = around if isinstance(around, NameTrace) else self  # of several traces the outermost does all
        scopes.own.watcher = self._leader
        self._mode = modes.observing(self)
        self._mode.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._mode.__exit__(None, None, None)
        self._end = next_sequence_number()
        leader = self._leader
        if leader is self:
            scopes.own.watcher = None
        if isinstance(error, Exception):
            leader.failing(error, at)
            if leader._failing is not None:
                self.failed = leader._failing[1]
                self._held = self.failed.inputs or self.outputs
        if leader is self:
            self._settle()
            while self._entries:
                self._close(self._entries.pop())
        # the frames, above all: they hold what their variables do
        del self._base, self._entries, self._kinds, self._targets, self._roots, self._failing, self._leader

    @property
    def outputs(self) -> tuple[Node, ...]:
        """What a picture of the trace begins with: the operands of the operation that failed or, if none did or none of
        them is a node, all recorded nodes from which no other one was computed."""
        if self._held:
            return self._held
        made = [node for node in noted_nodes() if self._first < node._sequence < self._end]
        used = {id(parent) for node in made for parent in node.parents}
        return tuple(node for node in made if id(node) not in used)

    # ---- As an observer

    def recorded(self, node: Node) -> None:
        """Note the line of `node`, and which calls have begun and ended since the node before."""
        if self._beyond is not None:
            self._beyond.recorded(node)
        if self._leader is self and get_ident() == self._thread:
            line = self._follow(self._calls(sys._getframe(1)), node._sequence)
            note_line(node, line)
            self._last = node._sequence

    def differentiated(self, found: dict[Node, Any]) -> None:
        """Leave it to the observer around, if there is one."""
        if self._beyond is not None:
            self._beyond.differentiated(found)

    # ---- Calls

    def catch_up(self) -> None:
        """Open and close scopes as the stack is now, and name what variables hold."""
        self._follow(self._calls(sys._getframe(1)), next_sequence_number())
        self._settle()

    def failing(self, error: BaseException, at: TracebackType | None) -> None:
        """Note what raised `error`, in the scopes of all calls that it has left since."""
        if self._failing is None or self._failing[0] is not error:
            calls = self._calls(sys._getframe(1))
            inner = at and at.tb_next  # the first frame is that of the `with` statement
            while inner is not None:
                code = inner.tb_frame.f_code
                calls.append((inner.tb_frame, self._kinds.setdefault(id(code), (code, _kind(code, inner.tb_frame)))[1]))
                inner = inner.tb_next
            self._follow([call for call in calls if call[1] & (_USER | _CALL)], next_sequence_number())
            self._failing = error, failure_of(error, at, scopes.own.open)

    def _calls(self, frame: FrameType | None) -> list[tuple[FrameType, int]]:
        """The frames that matter from the trace's own to this one, each with what it is of."""
        found = []
        while frame is not None:
            code = frame.f_code
            known = self._kinds.get(id(code))
            if known is None:
                known = self._kinds[id(code)] = code, _kind(code, frame)  # the code, so that its id stays its own
            if known[1] != _OTHER:
                found.append((frame, known[1]))
            if frame is self._base:
                break
            frame = frame.f_back
        found.reverse()
        return found

    def _follow(self, calls: list[tuple[FrameType, int]], number: int) -> Line | None:
        """Close the calls that have ended, open those that have begun, and return the user's line."""
        entries = self._entries
        n = 0
        for entry, (frame, _) in zip(entries, calls, strict=False):
            if entry.frame is not frame:
                break
            n += 1
        while len(entries) > n:
            self._close(entries.pop())
        if n:
            entry = entries[-1]
            if entry.kind & _USER:
                self._name_targets(entry)
                entry.line = entry.frame.f_lineno
        for frame, kind in calls[n:]:
            self._open(frame, kind, number)
        for frame, kind in reversed(calls):
            if kind & _USER:
                return frame.f_code.co_filename, frame.f_lineno
        return None

    def _open(self, frame: FrameType, kind: int, number: int) -> None:
        entries = self._entries
        entry = _Entry(frame, kind, len(entries))
        if kind & _CALL:
            module = frame.f_locals.get(frame.f_code.co_varnames[0])
            if _has_parameters(module):
                entry.module = module
                path = self._path(module)
                entry.scope = scopes.enter(type(module).__name__, "module", number, path)
        elif kind & _FUNCTION and not (entries and entries[-1].kind & _FUNCTION):
            entry.scope = scopes.enter(frame.f_code.co_name, "function", number)
        entries.append(entry)

    def _close(self, entry: _Entry) -> None:
        if entry.scope is not None:
            scopes.leave(entry.scope, self._last)
        if entry.kind & _USER:
            self._name_variables(_locals(entry.frame), entry.depth)

    def _path(self, module: Any) -> str | None:
        """Where a module is within the outermost one whose call is going on."""
        root = next((entry.module for entry in self._entries if entry.module is not None), module)
        if id(root) not in self._roots:
            self._roots[id(root)] = root, _paths(root)
            if len(self._roots) > _ROOTS:  # transforms call a copy each time
                del self._roots[next(iter(self._roots))]
        return self._roots[id(root)][1].get(id(module))

    # ---- Names

    def _name_targets(self, entry: _Entry) -> None:
        """Name what the statement that recorded the last node has assigned."""
        filename = entry.frame.f_code.co_filename
        if filename not in self._targets:
            self._targets[filename] = _targets(filename, entry.frame)
        targets = self._targets[filename].get(entry.line)
        held = _locals(entry.frame) if targets else {}
        for target in targets or ():
            name, _, attribute = target.partition(".")
            found = held.get(name)
            if attribute:
                found = getattr(found, "__dict__", {}).get(attribute)
            self._name(found, target, entry.depth)

    def _name_variables(self, variables: Mapping[str, Any], depth: int) -> None:
        """Name what variables hold: nodes first, then the members of lists, tuples and dicts."""
        held = [(k, x) for k, x in list(variables.items()) if k[0] != "_" and k not in _INTERACTIVE]
        for name, x in held:
            if isinstance(x, Node):
                self._name(x, name, depth)
        for name, x in held:
            if type(x) in (list, tuple, dict):
                self._name(x, name, depth)

    def _name(self, x: Any, name: str, depth: int, nested: int = 3) -> None:
        if isinstance(x, Node):
            old = _names.get(x)
            if old is None or depth < old[0]:
                _names[x] = depth, name
        elif nested and type(x) in (list, tuple, dict):
            for key, member in list(x.items() if isinstance(x, dict) else enumerate(x))[:_MOST]:
                self._name(member, f"{name}[{key!r}]", depth, nested - 1)
        elif nested and isinstance(x, np.ndarray) and x.dtype == object:
            self._name(x.tolist(), name, depth, nested)

    def _settle(self) -> None:
        """Name what the variables at the `with` statement hold, and the parameters of the modules that were called."""
        if self._entries:
            self._name_targets(self._entries[0])
        held = _locals(self._base)
        self._name_variables(held, 0)
        self._name_variables(self._base.f_globals, _GLOBAL)
        learned = [(root, found) for root, _ in self._roots.values() if (found := _parameters(root))]
        variables = {id(x): name for name, x in reversed(held.items()) if name[0] != "_"}
        for root, found in learned:
            prefix = "" if len(learned) == 1 else f"{variables.get(id(root), type(root).__name__)}."
            for path, parameter in found.items():
                self._name(parameter, prefix + path, _PARAMETER)


def _locals(frame: FrameType) -> dict[str, Any]:
    """The variables of a frame, as a new dict."""
    found, code = frame.f_locals, frame.f_code
    held = dict(found)
    if type(found) is dict and code.co_flags & CO_OPTIMIZED and _READERS.isdisjoint(code.co_names):
        found.clear()  # up to Python 3.12 it is a copy that would live as long as the call does, and all nodes in it
    return held


def _kind(code: CodeType, frame: FrameType) -> int:
    if not is_inside(code.co_filename):
        return _USER | _CALL * (code.co_name == "__call__" and code.co_argcount > 0)
    if code.co_name == "__call__" and code.co_argcount > 0:
        return _CALL
    name, room = code.co_name, frame.f_globals.get("__name__", "")
    package = sys.modules[_PACKAGE]
    if room.startswith(f"{_PACKAGE}.") and code.co_qualname == name and name in (*package.__all__, *np.__all__):
        return _FUNCTION
    return _OTHER


def _paths(root: Any) -> dict[int, str]:
    """The attribute paths of the modules within `root`, by identity."""
    if hasattr(root, "named_modules"):
        return {id(module): name for name, module in root.named_modules()}
    found = {id(root): ""}
    parts: list[tuple[str, Any]] = [("", root)]
    for path, part in parts:  # which grows meanwhile
        for key, child in _members(part):
            if id(child) not in found and (type(child) in (list, tuple, dict) or _has_parameters(child)):
                found[id(child)] = f"{path}.{key}" if path else str(key)
                parts.append((found[id(child)], child))
    return found


def _has_parameters(x: Any) -> bool:
    return hasattr(type(x), "parameters") or hasattr(type(x), "named_parameters")


def _members(part: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(part, (list, tuple)):
        return iter(enumerate(part))
    return iter(list((part if isinstance(part, dict) else getattr(part, "__dict__", {})).items()))


def _parameters(root: Any) -> dict[str, Any]:
    """The parameters of a module by name; none where it does not say."""
    try:
        return named_parameters(root)
    except (AttributeError, ValueError):  # a layer has not seen its first input
        return {}


def _targets(filename: str, frame: FrameType) -> dict[int, list[str]]:
    """The names that the statements of a file assign to, by line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python has given them when it compiled the file
            tree = ast.parse("".join(linecache.getlines(filename, frame.f_globals)))
    except (SyntaxError, ValueError):  # as of a notebook's cell with a command of its own
        return {}
    found: dict[int, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [name for target in targets for name in _spelled(target)]
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                found.setdefault(line, []).extend(names)
    return found


def _spelled(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
        yield f"{target.value.id}.{target.attr}"
    elif isinstance(target, (ast.Tuple, ast.List)):
        for part in target.elts:
            yield from _spelled(part)
