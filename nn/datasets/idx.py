"""The IDX format of MNIST and its kin: a few big-endian numbers, then bytes."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def read_idx(path: str | Path) -> Array:
    """The array of unsigned bytes in an IDX file, plain or compressed with gzip. What is not one is a ValueError."""
    return parse_idx(read_bytes(path), str(path))


def read_bytes(path: str | Path) -> bytes:
    """What is in a file, unpacked where it is compressed with gzip, whatever its name."""
    content = Path(path).read_bytes()
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} cannot be unpacked: {error}; fetch it again") from error


def parse_idx(content: bytes, name: str = "this") -> Array:
    """The array that IDX `content` holds; read-only, and shares its memory.

    Two zeros, 8 for unsigned bytes, the number of axes, their lengths in four bytes each, and then the data, as LeCun,
    Cortes and Burges, "The MNIST database of handwritten digits", describe it.

    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9])).tolist()
    [7, 9]
    """
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise ValueError(f"{name} is not an IDX file of unsigned bytes: it begins with {content[:4]!r}")
    axes = content[3]
    start = 4 + 4 * axes
    shape = tuple(np.frombuffer(content[4:start].ljust(4 * axes, b"\0"), ">u4").tolist())
    if len(content) - start != math.prod(shape):
        raise ValueError(
            f"{name} should have {math.prod(shape)} bytes of shape {shape}, but has {len(content) - start}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def to_idx(array: Array) -> bytes:
    """`array`, of unsigned bytes, as an IDX file has it."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + np.ascontiguousarray(array, np.uint8).tobytes()
