"""The NumPy back end of formulas that change arrays: one call an operation, which writes where its result is to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiler.export import function_of
from autograd.compiler.program import Program
from autograd.graph import Primitive

CHUNK = 1 << 15  # elements changed at a time, so that all that is computed of them stays in the cache

Array = np.ndarray[Any, Any]


class NumpyInPlace:
    """A formula as Python text that calls NumPy.

    `body` computes, from elements of `arity` arrays and from coefficients, new elements of the arrays at `targets`.
    """

    def __init__(self, body: Program, arity: int, targets: Sequence[int], dtype: np.dtype[Any]) -> None:
        text = _Text(body, arity, targets)
        self._dtype, self._scratch = dtype, text.scratch
        names = [f"a{n}" for n in range(arity)] + [f"s{n}" for n in range(text.scratch)]
        parameters = names + [f"c{n}" for n in range(len(body.inputs) - arity)]
        lines = [f"def kernel({', '.join(parameters)}):", *text.lines, "    return None"]
        self._kernel = function_of("\n".join(lines), "kernel", text.namespace)

    def bind(self, arrays: Sequence[Array]) -> Callable[[int, int, Sequence[float]], None]:
        """See `InPlaceCode.bind`."""
        kernel, size = self._kernel, min(CHUNK, len(arrays[0]))
        scratch = [np.empty(size, self._dtype) for _ in range(self._scratch)]

        def run(start: int, stop: int, coefficients: Sequence[float]) -> None:
            with np.errstate(all="ignore"):
                if stop - start == len(arrays[0]) <= CHUNK:
                    kernel(*arrays, *scratch, *coefficients)
                    return
                for first in range(start, stop, CHUNK):
                    last = min(first + CHUNK, stop)
                    kernel(*[x[first:last] for x in arrays], *[s[: last - first] for s in scratch], *coefficients)

        return run


class _Text:
    """The calls in order. An array holds its new elements as soon as the old are not needed any more, and scratch what
    is computed on the way; an array whose old elements are not needed may be scratch until then."""

    def __init__(self, body: Program, arity: int, targets: Sequence[int]) -> None:
        self.lines: list[str] = []
        self.namespace: dict[str, Any] = {"__name__": __name__, "copy": np.copyto}
        self.scratch = 0
        code = [x for x in body.code if x.op is not None]
        end = len(code)
        where = {x: f"a{n}" if n < arity else f"c{n - arity}" for n, x in enumerate(body.inputs)}
        for n, x in enumerate(x for x in body.code if x.op is None):
            where[x] = f"k{n}"
            self.namespace[f"k{n}"] = x.value
        last = {arg: place for place, x in enumerate(code) for arg in x.args} | dict.fromkeys(body.outputs, end)
        homes = {x: f"a{n}" for n, x in reversed([*zip(targets, body.outputs, strict=True)]) if x.op is not None}
        made = {f"a{n}": end for n in targets} | {homes[x]: place for place, x in enumerate(code) if x in homes}
        free = [f"a{n}" for n in targets if body.inputs[n] not in last]
        for place, x in enumerate(code):
            operands = [where[arg] for arg in x.args]
            dying = dict.fromkeys(where[arg] for arg in x.args if last[arg] == place)
            free += [slot for slot in dying if slot[0] == "s" or slot in made]
            home = homes.get(x, "")
            if home in free:
                last[x] = end
                slot = home
            else:
                fit = [slot for slot in free if slot[0] == "s" or last[x] <= min(made[slot], end - 1)]
                slot = fit[-1] if fit else self._fresh()
            if slot in free:
                free.remove(slot)
            where[x] = slot
            self._call(x.op, operands, slot)
        moves = [(f"a{n}", x) for n, x in zip(targets, body.outputs, strict=True) if where[x] != f"a{n}"]
        old = {x: self._fresh() for _, x in moves if x.op is None and where[x][0] == "a"}
        for x, slot in old.items():
            self.lines.append(f"    copy({slot}, {where[x]})")
        self.lines += [f"    copy({target}, {old.get(x) or where[x]})" for target, x in moves]

    def _fresh(self) -> str:
        self.scratch += 1
        return f"s{self.scratch - 1}"

    def _call(self, op: Primitive | None, operands: list[str], slot: str) -> None:
        assert op is not None
        name = f"f_{op.name}" if op.name.isidentifier() else f"f{len(self.lines)}"
        function = self.namespace.setdefault(name, op.array)
        if isinstance(function, np.ufunc):
            self.lines.append(f"    {name}({', '.join(operands)}, out={slot})")
        else:
            self.lines.append(f"    copy({slot}, {name}({', '.join(operands)}), 'unsafe')")
