"""Many parameters as one flat array, so that a step is a few operations on it and not a few a parameter.

Parameters of one dtype lie one behind the other in one buffer, and each one's array is a view of it. Whoever else holds
a parameter's array keeps what they expect: it goes on showing, and setting, the parameter's values. Small gradients are
copied into a buffer of the same layout; of a large one, the gradient itself is read.

A step is two calls: `gather`, which may raise and changes nothing that counts, and `begin`, after which values change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor, Value
from autograd.graph import next_sequence_number
from nn.validation import shown

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
        self.shapes = list(shapes)
        self.dtype = np.dtype(dtype)
        self.counts = [0] * len(self.parameters)
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

    def gather(self) -> list[Run]:
        """Bring values and gradients up to date, and say which stretches have gradients; a misfit is a ValueError."""
        raise NotImplementedError

    def begin(self) -> None:
        """Count the step for what has a gradient. From here on graphs that read it are out of date."""
        raise NotImplementedError

    def scatter(self) -> None:
        """Give the new values to parameters that are not views."""
        raise NotImplementedError


class FlatTensors(Flat):
    """Tensors of one dtype, each of which has its array in the buffer."""

    def __init__(self, tensors: Sequence[Tensor], positions: Sequence[int]) -> None:
        dtype = tensors[0].dtype
        super().__init__(tensors, positions, [t.shape for t in tensors], dtype, ALIGNMENT // dtype.itemsize)
        self.rows: list[tuple[Tensor, Array, Array]] = [  # each with its values and its gradient in the buffers
            (
                tensor,
                np.ndarray(shape, dtype, buffer=self.memory, offset=self.offset + start * dtype.itemsize),
                self.part(self.grad, i),
            )
            for i, (tensor, shape, (start, _)) in enumerate(zip(tensors, self.shapes, self.bounds, strict=True))
        ]
        self.outside: list[int] = []  # parameters of which a caller has the array, so that they keep it
        for i in range(len(tensors)):
            self._adopt(i)

    def gather(self) -> list[Run]:
        self.outside.clear()
        runs: list[list[Any]] = []  # start, stop, time and gradient; None for one in our buffer
        joins = False  # whether the last run ends where this parameter starts
        for i, (tensor, view, slot) in enumerate(self.rows):
            grad = tensor.grad
            if grad is None:
                joins = False
                continue
            if tensor._data is not view:
                self._adopt(i)
            if type(grad) is not np.ndarray or (grad.dtype is not slot.dtype and grad.dtype.kind not in "fiub"):
                raise TypeError(
                    f"{self._name(i)} has as gradient {shown(grad)}: set an array of real numbers, or call zero_grad()"
                )
            if grad.shape != slot.shape:
                raise ValueError(
                    f"{self._name(i)} has shape {slot.shape}, but a gradient of shape {grad.shape}: "
                    "set one of the parameter's shape, or call zero_grad()"
                )
            start, stop = self.bounds[i]
            time = self.counts[i] + 1
            if stop - start >= LARGE and grad.dtype == self.dtype and grad.flags.c_contiguous:
                runs.append([start, stop, time, grad.reshape(-1)])
                joins = False
                continue
            slot[...] = grad
            if joins and runs[-1][2] == time:
                runs[-1][1] = stop
            else:
                runs.append([start, stop, time, None])
                joins = True
        return [Run(a, b, time, self.grad[a:b] if grad is None else grad) for a, b, time, grad in runs]

    def begin(self) -> None:
        now, counts = next_sequence_number(), self.counts
        for i, tensor in enumerate(self.parameters):
            if tensor.grad is not None:
                tensor._overwritten = now  # a graph that has read it can no longer be differentiated
                tensor._frozen = False
                counts[i] += 1

    def scatter(self) -> None:
        for i in self.outside:
            tensor, view, _ = self.rows[i]
            tensor._data[...] = view

    def _adopt(self, i: int) -> None:
        """Take the values of parameter `i`, and let its array be the view, unless a caller has its own."""
        tensor, view, _ = self.rows[i]
        if tensor.shape != view.shape or tensor.dtype != view.dtype:
            raise ValueError(
                f"{self._name(i)} was of shape {view.shape} and {view.dtype} when the optimizer was made, and now is of "
                f"shape {tensor.shape} and {tensor.dtype}: make a new optimizer after such a change"
            )
        view[...] = tensor._data
        if tensor._data.flags.writeable and not tensor._frozen and tensor._lent_array() is not None:
            self.outside.append(i)
        else:
            tensor._own(view)

    def _name(self, i: int) -> str:
        """Parameter `i`, for an error."""
        label = self.parameters[i].label
        return f"parameter {self.positions[i]}" + (f" ({label!r})" if label else "")


class FlatValues(Flat):
    """Values, which hold floats of their own: gathered before a step, and scattered after it. All have gradients."""

    def __init__(self, values: Sequence[Value], positions: Sequence[int]) -> None:
        super().__init__(values, positions, [()] * len(values), np.float64, 1)

    def gather(self) -> list[Run]:
        self.data[:] = [value._data for value in self.parameters]
        try:
            self.grad[:] = [value.grad for value in self.parameters]
        except (TypeError, ValueError):
            self._refuse()
            raise
        square = np.dot(self.grad, self.grad)
        if square != square:  # as of a None, which NumPy takes for nan
            self._refuse()
        starts = [i for i, count in enumerate(self.counts) if not i or count != self.counts[i - 1]]
        stops = [*starts[1:], self.size]
        return [Run(a, b, self.counts[a] + 1, self.grad[a:b]) for a, b in zip(starts, stops, strict=True)]

    def _refuse(self) -> None:
        """Raise if a gradient is no number."""
        for i, value in zip(self.positions, self.parameters, strict=True):
            if not isinstance(value.grad, (float, int, np.floating, np.integer)):
                raise TypeError(f"parameter {i} has as gradient {shown(value.grad)}: set a number, as zero_grad() does")

    def begin(self) -> None:
        self.counts = [count + 1 for count in self.counts]

    def scatter(self) -> None:
        for value, data in zip(self.parameters, self.data.tolist(), strict=True):
            value._data = data


def flatten(parameters: Sequence[Any], first: int = 0) -> list[Flat]:
    """The parameters, of which the first has the position `first`, by kind and dtype; large ones come before the small
    ones, so that these lie side by side."""
    kinds: dict[Any, list[int]] = {}
    for i, parameter in enumerate(parameters):
        kinds.setdefault(parameter.dtype if isinstance(parameter, Tensor) else Value, []).append(i)
    flats: list[Flat] = []
    for kind, positions in kinds.items():
        positions.sort(key=lambda i: np.size(parameters[i]._data) < LARGE)
        members, positions = [parameters[i] for i in positions], [first + i for i in positions]
        flats.append(FlatValues(members, positions) if kind is Value else FlatTensors(members, positions))
    return flats
