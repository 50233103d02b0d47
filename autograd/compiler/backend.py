"""The interface of a back end: it makes code that runs over a batch of a lowered program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from autograd.compiler.program import Program


class Code(Protocol):
    """A program that is ready to run. Several threads may call it at once."""

    def once(self, numbers: Sequence[float]) -> list[float]:
        """The outputs of one run, of code for which all inputs are uniform."""

    def run(self, numbers: Any, lanes: list[Any], count: int, threads: int) -> tuple[Any, list[Any], bool]:
        """The outputs of `count` runs: an array of those that are uniform or reduced, in order; the varying ones,
        float64 arrays of length `count`; and whether a nan is among the latter.

        `numbers` are the uniform inputs, `lanes` the varying ones: float64 arrays of length `count` and of any stride.
        At most `threads` threads are used.
        """


@runtime_checkable
class Backend(Protocol):
    """A back end. `ag.compile(f, backend=...)` takes any object with these attributes.

    `runs_opaque` says whether it can call a user's operation that takes plain numbers alone.
    """

    name: str
    runs_opaque: bool

    def compile(self, program: Program, uniform: Sequence[bool], reduced: Sequence[bool], fast: bool) -> Code:
        """The code of a lowered program without guards.

        Inputs that are `uniform` are the same number in all lanes of a batch. Outputs that are `reduced` are summed over
        the lanes, if they vary. `fast` allows to reorder sums and to fuse multiplications into them. An OSError says
        that this machine lacks a function that the program calls.
        """
