"""Wrong arguments: every public name, called with every kind of them in every place, gives a right result or our error.

A campaign is a table of good calls. `outcomes` puts each kind in the place of each argument in turn and says how every
call ended: "right" (it returned), "ours" (an error that our own code raised), "theirs" (a clear TypeError or ValueError in
another library's words, of which few are allowed), or "strange" (whatever else comes from deep inside).
"""

from __future__ import annotations

import ast
import datetime
import decimal
import fractions
import inspect
import math
import pathlib
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

import autograd as ag
import nn

PACKAGES = tuple(str(pathlib.Path(package.__file__).parent) for package in (ag, nn))
ALLOWED = (TypeError, ValueError, IndexError, KeyError, AttributeError, OSError, ImportError, NotImplementedError)
NEVER = (
    UnboundLocalError, ZeroDivisionError, RecursionError, AssertionError, OverflowError, FloatingPointError,
    UnicodeError, np.exceptions.AxisError,
)  # fmt: skip


class BoomError(Exception):
    """What the objects of the table that raise, raise: it is theirs to say."""


# ---- The kinds


class _OddLength:
    def __len__(self):
        return -1


class _OddIteration:
    def __iter__(self):
        return 3


class _OddItems:
    def __len__(self):
        return 2

    def __getitem__(self, key):
        raise BoomError(key)


class _OddArray:
    def __array__(self, dtype=None, copy=None):
        return "no array"


class _Raising:
    shape = property(lambda self: _boom())
    dtype = property(lambda self: _boom())

    def __array__(self, dtype=None, copy=None):
        _boom()

    def __iter__(self):
        _boom()

    def __len__(self):
        _boom()

    def __float__(self):
        _boom()

    def __index__(self):
        _boom()

    def __bool__(self):
        _boom()


class _Plain:
    """A class that takes no arguments."""


def _boom():
    raise BoomError("an object that raises")


def _used_up():
    generator = iter([1.0])
    next(generator)
    return generator


def _within_itself():
    members: list[Any] = [1.0]
    members.append(members)
    return members


def _deep():
    nested: Any = 1.0
    for _ in range(3000):
        nested = [nested]
    return nested


def _read_only():
    array = np.ones(2)
    array.flags.writeable = False
    return array


KINDS: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "empty string": lambda: "",
    "string": lambda: "abc",
    "digits": lambda: "12",
    "bytes": lambda: b"abc",
    "complex": lambda: 1 + 2j,
    "nan": lambda: math.nan,
    "inf": lambda: math.inf,
    "huge integer": lambda: 10**400,
    "large integer": lambda: 2**63,
    "negative": lambda: -1,
    "zero": lambda: 0,
    "fraction of one": lambda: 2.5,
    "True": lambda: True,
    "Decimal": lambda: decimal.Decimal("1.5"),
    "Fraction": lambda: fractions.Fraction(1, 3),
    "object": object,
    "class": lambda: _Plain,
    "function": lambda: lambda: 0.0,
    "builtin": lambda: len,
    "module of Python": lambda: math,
    "empty list": list,
    "empty tuple": lambda: (),
    "empty dict": dict,
    "set": lambda: {1.0, 2.0},
    "dict of other keys": lambda: {"no": 1.0, 3: 2.0},
    "dict of mixed": lambda: {"a": "b", None: object()},
    "ragged list": lambda: [[1.0], [1.0, 2.0]],
    "list of strings": lambda: ["a", "b"],
    "list of None": lambda: [None, None],
    "list within itself": _within_itself,
    "deep list": _deep,
    "object array": lambda: np.array([None, "a"], dtype=object),
    "object array of numbers": lambda: np.array([1.0, 2], dtype=object),
    "string array": lambda: np.array(["a", "b"]),
    "complex array": lambda: np.array([1 + 2j, 2.0]),
    "structured array": lambda: np.zeros(2, dtype=[("a", float), ("b", int)]),
    "dates": lambda: np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[D]"),
    "durations": lambda: np.array([1, 2], dtype="timedelta64[s]"),
    "date": lambda: datetime.date(2020, 1, 1),
    "masked array": lambda: np.ma.masked_array([1.0, 2.0], mask=[True, False]),
    "matrix": lambda: _matrix(),
    "0-d array": lambda: np.array(2.0),
    "empty array": lambda: np.zeros((0, 3)),
    "other shape": lambda: np.ones((2, 3, 4, 5, 6)[1:]),
    "integers": lambda: np.array([1, 2]),
    "booleans": lambda: np.array([True, False]),
    "float16 array": lambda: np.ones(2, np.float16),
    "nan array": lambda: np.array([np.nan, np.inf]),
    "read-only array": _read_only,
    "NumPy integer": lambda: np.int64(1),
    "unsigned byte": lambda: np.uint8(200),
    "NumPy string": lambda: np.str_("abc"),
    "dtype": lambda: np.dtype(float),
    "Value": lambda: ag.Value(1.5),
    "Tensor": lambda: ag.Tensor([1.0, 2.0]),
    "result": lambda: ag.Tensor([1.0, 2.0]) * 2.0,
    "Value result": lambda: ag.Value(1.5) * 2.0,
    "list of Values": lambda: [ag.Value(1.0), ag.Value(2.0)],
    "Module": lambda: nn.Linear(2, 2, rng=0),
    "scalar Module": lambda: nn.scalar.Neuron(2, rng=0),
    "Optimizer": lambda: nn.SGD([ag.Tensor([1.0])], lr=0.1),
    "generator used up": _used_up,
    "generator": lambda: (x for x in (1.0, "a")),
    "range": lambda: range(3),
    "slice": lambda: slice(None, "a"),
    "Ellipsis": lambda: ...,
    "NotImplemented": lambda: NotImplemented,
    "exception": lambda: ValueError("mine"),
    "object that raises": _Raising,
    "odd length": _OddLength,
    "odd iteration": _OddIteration,
    "odd items": _OddItems,
    "odd array": _OddArray,
}


def _matrix():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.matrix([[1.0, 2.0]])


# ---- One call, and how it ended


class Call(NamedTuple):
    """A good call: `function(*args, **kwargs)`; then `use` of what it gave, which may come to grief later."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = MappingProxyType({})  # of what can only be given by name
    use: Callable[[Any], Any] | None = None

    def places(self) -> list[int | str]:
        return [*range(len(self.args)), *self.kwargs]

    def changed(self, place: int | str, value: Any) -> Call:
        if isinstance(place, int):
            return self._replace(args=(*self.args[:place], value, *self.args[place + 1 :]))
        return self._replace(kwargs={**self.kwargs, place: value})

    def run(self) -> Any:
        result = self.function(*self.args, **self.kwargs)
        if isinstance(result, Iterator):
            result = list(result)
        return result if self.use is None else self.use(result)


class Outcome(NamedTuple):
    verdict: str  # "right", "ours", "theirs" or "strange"
    place: int | str
    kind: str
    error: BaseException | None
    where: str


def outcomes(make: Callable[[], Call], kinds: dict[str, Callable[[], Any]] = KINDS) -> list[Outcome]:
    """How every bad call made of the good one ended."""
    found = []
    for place in make().places():
        for kind, value in kinds.items():
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                warnings.simplefilter("error", np.exceptions.ComplexWarning)  # a part lost in silence
                call = make().changed(place, value())
                found.append(_outcome(call, place, kind))
    return found


def _outcome(call: Call, place: int | str, kind: str) -> Outcome:
    try:
        call.run()
    except BoomError:
        return Outcome("right", place, kind, None, "")
    except Exception as error:
        verdict, where = judged(error)
        return Outcome(verdict, place, kind, error.with_traceback(None), where)
    return Outcome("right", place, kind, None, "")


def judged(error: Exception) -> tuple[str, str]:
    """Whose words an error is in, and where it came from."""
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    file = frame.f_code.co_filename
    where = f"{file}:{line}"
    own = type(error).__module__.partition(".")[0] in ("autograd", "nn")
    raised = file.startswith(PACKAGES) and any(a <= line <= b for a, b in _raises(file))
    if raised and (own or (isinstance(error, ALLOWED) and not isinstance(error, NEVER))) and len(str(error)) > 15:
        return "ours", where
    clear = isinstance(error, (TypeError, ValueError, IndexError, OSError)) and not isinstance(error, NEVER)
    return ("theirs" if clear else "strange"), where


@cache
def _raises(file: str) -> list[tuple[int, int]]:
    """The lines of the raise statements of a source file."""
    tree = ast.parse(pathlib.Path(file).read_text(encoding="utf-8"))
    return [(node.lineno, node.end_lineno or node.lineno) for node in ast.walk(tree) if isinstance(node, ast.Raise)]


# ---- Good calls, made from signatures


def good_call(
    function: Callable[..., Any], samples: dict[str, Any], use: Callable[[Any], Any] | None = None, **known: Any
) -> Call:
    """A call of `function` with, for each parameter, what `known` or `samples` has under its name, or else its default.

    A parameter that has none of them is an error: a new name needs a good call."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD or (
            parameter.kind is parameter.VAR_POSITIONAL and name not in known
        ):
            continue
        value = known.get(name, samples.get(name, parameter.default))
        if value is parameter.empty:
            raise LookupError(f"no good value is known for {name} of {getattr(function, '__qualname__', function)}")
        value = value.make() if isinstance(value, Made) else value
        if parameter.kind is parameter.VAR_POSITIONAL:
            args += value
        elif parameter.kind is parameter.KEYWORD_ONLY:
            kwargs[name] = value
        else:
            args.append(value)
    return Call(function, tuple(args), kwargs, use)


class Made(NamedTuple):
    """A value that is made anew for every call."""

    make: Callable[[], Any]


def report(name: str, found: list[Outcome]) -> str:
    """The calls that ended badly, one line each."""
    bad = [outcome for outcome in found if outcome.verdict in ("strange", "theirs")]
    return "\n".join(
        f"{o.verdict}: {name}, argument {o.place!r}, {o.kind}: {type(o.error).__name__}: {str(o.error)[:150]} ({o.where})"
        for o in bad
    )


def tally(found: list[Outcome]) -> Counter[str]:
    return Counter(outcome.verdict for outcome in found)


def share_of_theirs(table: dict[str, Any], ended: dict[str, Counter[str]]) -> float:
    """How many of all bad calls of `table` end in the words of another library, as a share. Those that are not among the
    `ended` by name, for another process of several made them, are made now."""
    for name in table.keys() - ended.keys():
        ended[name] = tally(outcomes(table[name]))
    of_all = sum(ended.values(), Counter())
    return of_all["theirs"] / of_all.total()
