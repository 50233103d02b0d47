"""`Bucket`: parameters of one dtype in one flat buffer, so that a step is one call of a kernel and not one a parameter.

The data of each parameter is a view of the buffer. Whoever else holds a parameter's data keeps what they expect: it goes
on showing, and setting, the parameter's values. Small gradients are copied into a buffer of the same layout; a large one
is read where it is.

A step is `gather`, which may raise and changes nothing that counts, and `step`, which changes values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Tensor, Value
from autograd.graph import next_sequence_number
from nn.typing import Array
from nn.validation import shown

if TYPE_CHECKING:
    from autograd.compiler.inplace import InPlaceCode, Run

ALIGNMENT = 64  # bytes: a cache line, and the widest SIMD register
LARGE = 1 << 16  # elements from which a parameter is updated by itself: copying its gradient costs more than its calls


@dataclass(slots=True)
class Segment:
    """A part of the buffers that takes part in a step, for the `time`-th time; its gradient, if that lies elsewhere; and
    the parameter that it ends with."""

    start: int
    stop: int
    time: int
    grad: Array | None
    last: int


class Bucket:
    """Values, gradients and the optimizer's state of some parameters, each as a flat array; `counts` says how many steps
    each parameter has taken part in."""

    def __init__(self, parameters: Sequence[Any], positions: Sequence[int], dtype: Any, align: int) -> None:
        self.parameters = list(parameters)
        self.positions = list(positions)  # among all parameters of the optimizer
        self.shapes = [np.shape(parameter._data) for parameter in parameters]
        self.dtype = np.dtype(dtype)
        self.counts = [0] * len(self.parameters)
        self.bounds: list[tuple[int, int]] = []
        end = 0
        for shape in self.shapes:
            start = -(-end // align) * align
            end = start + math.prod(shape)
            self.bounds.append((start, end))
        self.size = end
        self.data = self._full(0.0)
        self.grad = self._full(0.0)
        self.state: dict[str, Array] = {}
        self._bound: tuple[InPlaceCode, Run] | None = None  # the code that ran last, and what runs it on these arrays

    def _full(self, value: float) -> Array:
        memory = np.empty(self.size * self.dtype.itemsize + ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % ALIGNMENT
        array: Array = memory[start : start + self.size * self.dtype.itemsize].view(self.dtype)
        array[:] = value
        return array

    def allocate_state(self, starts: Mapping[str, float | None]) -> None:
        """Have arrays of these names, and no others; new ones are filled with their value. None asks for none."""
        old, self.state, self._bound = self.state, {}, None
        for name, start in starts.items():
            if start is not None:
                self.state[name] = old[name] if name in old else self._full(start)

    def part(self, flat: Array, i: int) -> Array:
        """Parameter `i`'s part of a flat array, in its shape."""
        start, stop = self.bounds[i]
        return flat[start:stop].reshape(self.shapes[i])

    def gather(self) -> list[Segment]:
        """Bring values and gradients up to date, and say which segments have gradients; a misfit is a ValueError."""
        raise NotImplementedError

    def begin(self) -> None:
        """Count the step for what has a gradient. From here on graphs that read it are out of date."""
        raise NotImplementedError

    def step(self, parts: Sequence[tuple[Segment, InPlaceCode, Sequence[float]]]) -> None:
        """Run code, with coefficients, over values, gradients and state of each segment."""
        self.begin()
        for segment, code, coefficients in parts:
            start, stop = segment.start, segment.stop
            if segment.grad is not None:
                data, *state = [array[start:stop] for array in (self.data, *self.state.values())]
                code.bind([data, segment.grad, *state])(0, stop - start, coefficients)
            else:
                if self._bound is None or self._bound[0] is not code:
                    self._bound = code, code.bind([self.data, self.grad, *self.state.values()])
                self._bound[1](start, stop, coefficients)
        self.scatter()

    def scatter(self) -> None:
        """Give the new values to parameters that are not views."""
        raise NotImplementedError


class TensorBucket(Bucket):
    """Tensors of one dtype, each of which has its array in the buffer."""

    def __init__(self, tensors: Sequence[Tensor], positions: Sequence[int]) -> None:
        dtype = tensors[0].dtype
        super().__init__(tensors, positions, dtype, ALIGNMENT // dtype.itemsize)
        self.views = [self.part(self.data, i) for i in range(len(tensors))]
        slots = [self.part(self.grad, i) for i in range(len(tensors))]
        self._rows = [*zip(tensors, self.views, slots, self.shapes, self.bounds, strict=True)]
        self.external: list[int] = []  # parameters of which a caller has the array, so that they keep it
        for i in range(len(tensors)):
            self._attach(i)

    def gather(self) -> list[Segment]:
        self.external.clear()
        segments: list[Segment] = []
        segment, dtype, ndarray = None, self.dtype, np.ndarray
        for i, (tensor, view, slot, shape, (start, stop)) in enumerate(self._rows):
            grad = tensor.grad
            if grad is None:
                continue
            if tensor._data is not view:
                self._attach(i)
            if type(grad) is not ndarray or (grad.dtype is not dtype and grad.dtype.kind not in "fiub"):
                raise TypeError(
                    f"{self._name(i)} has as gradient {shown(grad)}: set an array of real numbers, or call zero_grad()"
                )
            if grad.shape != shape:
                raise ValueError(
                    f"{self._name(i)} has shape {shape}, but a gradient of shape {grad.shape}: "
                    "set one of the parameter's shape, or call zero_grad()"
                )
            time = self.counts[i] + 1
            if stop - start >= LARGE and grad.dtype == dtype and grad.flags.c_contiguous and grad.flags.aligned:
                segments.append(Segment(start, stop, time, grad.reshape(-1), i))
                continue
            if grad.dtype is dtype:
                slot[...] = grad
            else:
                with np.errstate(all="ignore"):  # what has diverged shows in the values
                    slot[...] = grad
            if segment is not None and segment.last == i - 1 and segment.time == time:
                segment.stop, segment.last = stop, i
            else:
                segment = Segment(start, stop, time, None, i)
                segments.append(segment)
        return segments

    def begin(self) -> None:
        now, counts = next_sequence_number(), self.counts
        for i, tensor in enumerate(self.parameters):
            if tensor.grad is not None:
                tensor._overwritten = now  # a graph that has read it can no longer be differentiated
                tensor._frozen = False
                counts[i] += 1

    def scatter(self) -> None:
        for i in self.external:
            self.parameters[i]._data[...] = self.views[i]

    def _attach(self, i: int) -> None:
        """Take the values of parameter `i`, and let its array be the view, unless a caller has its own."""
        tensor, view = self.parameters[i], self.views[i]
        if tensor.shape != view.shape or tensor.dtype != view.dtype:
            raise ValueError(
                f"{self._name(i)} was of shape {view.shape} and {view.dtype} when the optimizer was made, and now is of "
                f"shape {tensor.shape} and {tensor.dtype}: make a new optimizer after such a change"
            )
        view[...] = tensor._data
        if tensor._data.flags.writeable and not tensor._frozen and tensor._lent_array() is not None:
            self.external.append(i)
        else:
            tensor._own(view)

    def _name(self, i: int) -> str:
        """Parameter `i`, for an error."""
        label = self.parameters[i].label
        return f"parameter {self.positions[i]}" + (f" ({label!r})" if label else "")


class ValueBucket(Bucket):
    """Values, which hold floats of their own: gathered before a step, and scattered after it. All have gradients."""

    def __init__(self, values: Sequence[Value], positions: Sequence[int]) -> None:
        super().__init__(values, positions, np.float64, 1)

    def gather(self) -> list[Segment]:
        self.data[:] = [value._data for value in self.parameters]
        try:
            self.grad[:] = [value.grad for value in self.parameters]
        except (TypeError, ValueError):
            self._refuse()
            raise
        with np.errstate(all="ignore"):
            square = np.dot(self.grad, self.grad)
        if square != square:  # as of a None, which NumPy takes for nan
            self._refuse()
        starts = [i for i, count in enumerate(self.counts) if not i or count != self.counts[i - 1]]
        stops = [*starts[1:], self.size]
        return [Segment(a, b, self.counts[a] + 1, None, b - 1) for a, b in zip(starts, stops, strict=True)]

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


def buckets_of(parameters: Sequence[Any], first: int = 0) -> list[Bucket]:
    """The parameters, of which the first has the position `first`, by kind and dtype; large ones come before the small
    ones, so that these lie side by side."""
    kinds: dict[Any, list[int]] = {}
    for i, parameter in enumerate(parameters):
        kinds.setdefault(parameter.dtype if isinstance(parameter, Tensor) else Value, []).append(i)
    buckets: list[Bucket] = []
    for kind, positions in kinds.items():
        positions.sort(key=lambda i: np.size(parameters[i]._data) < LARGE)
        members, positions = [parameters[i] for i in positions], [first + i for i in positions]
        buckets.append(ValueBucket(members, positions) if kind is Value else TensorBucket(members, positions))
    return buckets
