"""Batches: arguments as lanes, one number a run of a program; outputs as arrays of the batch's shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

_FLOAT64 = np.dtype(np.float64)


class UniformMask:
    """Which inputs of a program are `uniform` over a batch; the others are varying. A mask is equal to itself only."""

    def __init__(self, uniform: tuple[bool, ...]) -> None:
        self.uniform = uniform


_mask = cache(UniformMask)  # so that the same inputs have the same mask


@dataclass
class Batch:
    """The inputs of `count` runs of a program: the uniform `numbers`, in order, then the lanes of the varying ones (one
    float64 a run, of any stride)."""

    mask: UniformMask
    numbers: Any
    lanes: list[Any]
    count: int

    def take(self, chosen: Any) -> Batch:
        """Of the runs, the `chosen` ones: indices, or a mask."""
        lanes = [lane[chosen] for lane in self.lanes]
        return Batch(self.mask, self.numbers, lanes, len(lanes[0]) if lanes else self.count)

    def example(self) -> list[float]:
        """The inputs of the first run (where there is none, ones)."""
        numbers, lanes = iter(self.numbers), iter(self.lanes)
        return [
            float(next(numbers)) if uniform else float(next(lanes)[0]) if self.count else 1.0
            for uniform in self.mask.uniform
        ]


class Form(NamedTuple):
    """The form of results: their dtype, and the shape of the batch that they begin with, which is () where one number
    stands for the whole batch."""

    dtype: np.dtype[Any]
    loop: tuple[int, ...]

    def number(self, x: Any) -> float | np.floating[Any] | np.ndarray[Any, Any]:
        """The result that is one number a run, of an output."""
        if not self.loop:
            return float(x) if self.dtype is _FLOAT64 else self.dtype.type(x)
        if isinstance(x, np.ndarray):
            x = x if x.shape == self.loop else x.reshape(self.loop)
            return x if x.dtype is self.dtype else x.astype(self.dtype)  # type: ignore[no-any-return]  # NumPy's is Any
        return np.full(self.loop, x, self.dtype)

    def array(self, xs: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        """The result that is an array of this shape a run, of the outputs that are its elements."""
        if not self.loop:
            return np.asarray(xs, self.dtype).reshape(shape)
        result = np.empty((math.prod(self.loop), len(xs)), self.dtype)
        for k, x in enumerate(xs):
            result[:, k] = x
        return result.reshape(self.loop + shape)


class Layout:
    """How arrays of certain shapes become a batch, which runs over the shape `loop`; and the forms of its results:
    `reduced` to one for the whole, or `batched`."""

    def __init__(
        self,
        arrays: list[Any],
        cores: Sequence[tuple[int, ...]],
        dtype: np.dtype[Any],
    ) -> None:
        loops = [x.shape[: x.ndim - len(core)] for x, core in zip(arrays, cores, strict=True)]
        try:
            self.loop: tuple[int, ...] = loops[0] if len(set(loops)) == 1 else np.broadcast_shapes(*loops)
        except ValueError:
            raise ValueError(
                f"the arguments' batch shapes do not broadcast: they are, in order, {', '.join(map(str, loops))}. The "
                "function is written for single numbers, and arrays are batches of them: give arrays that broadcast, or, "
                "for a function that is given whole vectors, a signature such as '(n),(n)->()'"
            ) from None
        self.count = math.prod(self.loop)
        self.reduced = Form(dtype, ())
        self.batched = Form(dtype, self.loop)
        self._parts = []
        mask: list[bool] = []
        for loop, core in zip(loops, cores, strict=True):
            uniform = not loop
            size = math.prod(core)
            mask += [uniform] * size
            spread = self.loop + core if loop and loop != self.loop else None
            flat = None if uniform or (len(self.loop) == 1 and len(core) < 2) else (self.count, size)[: 1 + bool(core)]
            self._parts.append((uniform, size if core else None, spread, flat))
        self.mask = _mask(tuple(mask))

    def batch(self, given: Sequence[Any]) -> Batch:
        """What was given, numbers and arrays of these shapes, as numbers and lanes."""
        numbers: list[Any] = []
        lanes: list[Any] = []
        for x, (uniform, size, spread, flat) in zip(given, self._parts, strict=True):
            if type(x) is not np.ndarray or x.dtype is not _FLOAT64:
                x = np.asarray(x, _FLOAT64)
            if uniform:
                numbers.append(x.ravel())
                continue
            if spread is not None:
                x = np.broadcast_to(x, spread)
            if flat is not None:
                x = x.reshape(flat)
            if size is None:
                lanes.append(x)
            else:
                lanes += [x[:, k] for k in range(size)]
        together = numbers[0] if len(numbers) == 1 else np.concatenate(numbers) if numbers else ()
        return Batch(self.mask, together, lanes, self.count)
