"""NumPy's signatures of generalized ufuncs, as "(p),(d),()->()": which axes of an argument belong to one call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograd.arguments import shown

Dims = tuple[str | int, ...]

_PART = r"\(\s*(?:\w+\s*(?:,\s*\w+\s*)*)?\)"
_WHOLE = re.compile(rf"\s*(?:{_PART}\s*(?:,\s*{_PART}\s*)*)?->\s*{_PART}\s*(?:,\s*{_PART}\s*)*")


@dataclass(frozen=True)
class Signature:
    """The core dimensions of each argument and of each result: names, or sizes where they are fixed."""

    text: str
    inputs: tuple[Dims, ...]
    outputs: tuple[Dims, ...]

    def core_shapes(self, name: str, shapes: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """The core shape of each argument, of arguments of these shapes; a ValueError where they do not fit."""
        if len(shapes) != len(self.inputs):
            raise TypeError(
                f"{name} with signature {self.text!r} takes {len(self.inputs)} arguments, got {len(shapes)}"
            )
        sizes: dict[str | int, int] = {}
        cores = []
        for n, (dims, shape) in enumerate(zip(self.inputs, shapes, strict=True)):
            if len(shape) < len(dims):
                raise ValueError(
                    f"argument {n} of {name} has shape {shape}, but the signature {self.text!r} gives it "
                    f"{len(dims)} core dimension{'s' * (len(dims) != 1)}"
                )
            core = shape[len(shape) - len(dims) :]
            for dim, size in zip(dims, core, strict=True):
                expected = dim if isinstance(dim, int) else sizes.setdefault(dim, size)
                if size != expected:
                    what = "" if isinstance(dim, int) else f" for {dim!r} (an earlier argument has {expected})"
                    raise ValueError(
                        f"argument {n} of {name} has shape {shape}: its core dimension{what} must be {expected}, not "
                        f"{size}, by the signature {self.text!r}"
                    )
            cores.append(core)
        return cores

    def check_outputs(self, name: str, cores: Sequence[tuple[int, ...]], shapes: list[tuple[int, ...]]) -> None:
        """A ValueError if results of these core shapes are not what the signature says for arguments of those."""
        if len(shapes) != len(self.outputs):
            raise ValueError(
                f"{name} gave {len(shapes)} results, but its signature {self.text!r} names {len(self.outputs)}"
            )
        sizes: dict[str | int, int] = {}
        for dims, core in zip(self.inputs, cores, strict=True):
            sizes |= zip(dims, core, strict=True)
        for n, (dims, shape) in enumerate(zip(self.outputs, shapes, strict=True)):
            sizes |= {dim: dim for dim in dims if isinstance(dim, int)}
            if len(dims) != len(shape) or any(sizes.setdefault(d, s) != s for d, s in zip(dims, shape, strict=True)):
                known = [f"{dim}={size}" for dim, size in sizes.items() if isinstance(dim, str)]
                raise ValueError(
                    f"result {n} of {name} has core shape {shape}, but the signature {self.text!r} says "
                    f"({','.join(map(str, dims))}){f', with {chr(44).join(known)}' if known else ''}"
                )


def parse(text: Any) -> Signature:
    """The signature that `text` spells; a ValueError if it is none.

    >>> parse("(p),(2),()->()").inputs
    (('p',), (2,), ())
    """
    if not isinstance(text, str) or not _WHOLE.fullmatch(text):
        raise ValueError(
            f"signature={shown(text)} is not one of NumPy's signatures: an example is '(p),(d),()->()', which takes two "
            "vectors and a number to a number"
        )
    left, right = text.split("->")
    return Signature(text, _parts(left), _parts(right))


def _parts(text: str) -> tuple[Dims, ...]:
    return tuple(
        tuple(int(dim) if dim.isdecimal() else dim for dim in re.findall(r"\w+", part))
        for part in re.findall(_PART, text)
    )
