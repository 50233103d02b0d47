"""Many parameters as one flat array, so that a step is a few operations on it and not a few a parameter.

Parameters of one dtype lie one behind the other in one buffer, and each one's array is a view of it. Whoever else holds
a parameter's array keeps what they expect: it goes on showing, and setting, the parameter's values. Small gradients are
copied into a buffer of the same layout; of a large one, the gradient itself is read.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor, Value
from autograd.graph import birth

ALIGNMENT = 64  # bytes: a cache line, and the widest SIMD register
LARGE = 1 << 16  # elements from which a parameter is updated by itself: copying its gradient costs more than its calls

Array = np.ndarray[Any, Any]


class Run(NamedTuple):
    """A stretch of the flat arrays that takes part in a step, for the `time`-th time, and the gradient there."""

    start: int
    stop: int
    time: int
    grad: Array


class Flat:
    """Some parameters' values and gradients as flat arrays; `counts` says how many steps each has taken part in."""

    def __init__(
        self,
        parameters: Sequence[Any],
        positions: Sequence[int],
        shapes: Sequence[tuple[int, ...]],
        dtype: Any,
        align: int,
    ) -> None:
        self.parameters = list(parameters)
        self.positions = list(positions)  # among all parameters of the optimizer
        self.dtype = np.dtype(dtype)
        self.counts = [0] * len(self.parameters)
        self.shapes = list(shapes)
        self.bounds: list[tuple[int, int]] = []
        end = 0
        for shape in shapes:
            start = -(-end // align) * align
            end = start + math.prod(shape)
            self.bounds.append((start, end))
        self.size = end
        # Views of bytes, and not of an array, hold on to each other: a part of a view counts as a use of it.
        self.memory = bytearray(end * self.dtype.itemsize + ALIGNMENT)
        self.offset = -np.frombuffer(self.memory, np.uint8).ctypes.data % ALIGNMENT
        self.data: Array = np.ndarray(end, self.dtype, buffer=self.memory, offset=self.offset)
        self.grad: Array = np.zeros(end, self.dtype)

    def part(self, flat: Array, i: int) -> Array:
        """Parameter `i`'s part of a flat array, in its shape."""
        start, stop = self.bounds[i]
        return flat[start:stop].reshape(self.shapes[i])

    def name(self, i: int) -> str:
        """Parameter `i`, for an error."""
        label = self.parameters[i].label
        return f"parameter {self.positions[i]}" + (f" ({label!r})" if label else "")

    def gather(self) -> list[Run]:
        """Bring values and gradients up to date, and say which stretches have gradients."""
        raise NotImplementedError

    def scatter(self) -> None:
        """Give the new values to parameters that are not views."""
        raise NotImplementedError


class FlatTensors(Flat):
    """Tensors of one dtype, each of which has its array in the buffer."""

    def __init__(self, tensors: Sequence[Tensor], positions: Sequence[int]) -> None:
        dtype = tensors[0].dtype
        super().__init__(tensors, positions, [t.shape for t in tensors], dtype, ALIGNMENT // dtype.itemsize)
        self.views: list[Array] = [
            np.ndarray(shape, dtype, buffer=self.memory, offset=self.offset + start * dtype.itemsize)
            for shape, (start, _) in zip(self.shapes, self.bounds, strict=True)
        ]
        self.outside: list[int] = []  # parameters that share their array with somebody else, and so keep it
        for i in range(len(tensors)):
            self._adopt(i)

    def gather(self) -> list[Run]:
        self.outside.clear()
        for i, tensor in enumerate(self.parameters):
            if tensor.grad is not None:
                if tensor.raw is not self.views[i] or tensor.held == "caller":
                    self._adopt(i)
                if tensor.grad.shape != self.shapes[i]:
                    raise ValueError(
                        f"{self.name(i)} has shape {self.shapes[i]}, but a gradient of shape {tensor.grad.shape}"
                    )
        runs: list[Run] = []
        now = birth()
        adjoining = False  # whether the last run ends where this parameter starts
        for i, tensor in enumerate(self.parameters):
            grad = tensor.grad
            if grad is None:
                adjoining = False
                continue
            tensor.overwritten = now  # a graph that has read it can no longer be differentiated
            self.counts[i] = count = self.counts[i] + 1
            start, stop = self.bounds[i]
            if stop - start >= LARGE and grad.dtype == self.dtype and grad.flags.c_contiguous:
                runs.append(Run(start, stop, count, grad.reshape(-1)))
                adjoining = False
                continue
            self.part(self.grad, i)[...] = grad
            if adjoining and runs[-1].time == count:
                start = runs.pop().start
            runs.append(Run(start, stop, count, self.grad[start:stop]))
            adjoining = True
        return runs

    def scatter(self) -> None:
        for i in self.outside:
            self.parameters[i].raw[...] = self.views[i]

    def _adopt(self, i: int) -> None:
        """Take the values of parameter `i`, and let its array be the view, unless a caller has its own."""
        tensor, view = self.parameters[i], self.views[i]
        if tensor.raw is view:  # somebody has read `.data`: when they have let go of it nobody else holds it
            if sys.getrefcount(tensor.raw) <= _ALONE + 1:
                tensor.held = None
            return
        if tensor.shape != view.shape or tensor.dtype != view.dtype:
            raise ValueError(
                f"{self.name(i)} was of shape {view.shape} and {view.dtype} when the optimizer was made, and now is of "
                f"shape {tensor.shape} and {tensor.dtype}: make a new optimizer after such a change"
            )
        view[...] = tensor.raw
        shared = sys.getrefcount(tensor.raw) > _ALONE or tensor.raw.base is not None
        if shared and tensor.held == "caller" and tensor.raw.flags.writeable:
            self.outside.append(i)  # but where a graph relies on it, it must not change
        else:
            tensor.raw, tensor.held = view, None


class FlatValues(Flat):
    """Values, which hold floats of their own: gathered before a step, and scattered after it."""

    def __init__(self, values: Sequence[Value], positions: Sequence[int]) -> None:
        super().__init__(values, positions, [()] * len(values), np.float64, 1)

    def gather(self) -> list[Run]:
        self.data[:] = [value.raw for value in self.parameters]
        self.grad[:] = [value.grad for value in self.parameters]
        runs: list[Run] = []
        for i, count in enumerate(self.counts):
            if not runs or runs[-1].time != count + 1:
                runs.append(Run(i, self.size, count + 1, self.grad[i:]))
        self.counts = [count + 1 for count in self.counts]
        ends = [*(run.start for run in runs[1:]), self.size]
        return [run._replace(stop=end, grad=self.grad[run.start : end]) for run, end in zip(runs, ends, strict=True)]

    def scatter(self) -> None:
        for value, data in zip(self.parameters, self.data.tolist(), strict=True):
            value.raw = data


def flatten(parameters: Sequence[Any]) -> list[Flat]:
    """The parameters by kind and dtype; large ones come first, so that the small ones lie side by side."""
    groups: dict[Any, list[int]] = {}
    for i, parameter in enumerate(parameters):
        groups.setdefault(parameter.dtype if isinstance(parameter, Tensor) else Value, []).append(i)
    flats: list[Flat] = []
    for kind, positions in groups.items():
        positions.sort(key=lambda i: np.size(parameters[i].raw) < LARGE)
        members = [parameters[i] for i in positions]
        flats.append(FlatValues(members, positions) if kind is Value else FlatTensors(members, positions))
    return flats


_probe = Tensor(np.zeros(()))
_ALONE = sys.getrefcount(_probe.raw)  # what `sys.getrefcount(tensor.raw)` says where only the tensor has it
