"""The IDX format of MNIST and its kin: a few big-endian numbers, then bytes."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from autograd.files import file_path
from nn.typing import Array

MAX_BYTES = 1 << 30  # bytes of an array; the largest of EMNIST's has 547 million
MAX_AXES = 4
CHUNK = 1 << 20  # bytes read at a time


def read_idx(path: str | Path) -> Array:
    """The array of unsigned bytes in an IDX file, plain or compressed with gzip. What is not one is a ValueError."""
    return parse_idx(read_bytes(path), str(path))


def read_bytes(path: str | Path) -> bytes:
    """The bytes of an IDX file, unpacked where it is compressed with gzip, whatever its name.

    No more is read, or unpacked, than the header promises, and one byte to see that there is no more; a header that
    promises more than `MAX_BYTES` bytes is a ValueError.
    """
    with open(file_path("read_idx", "path", path), "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not packed:
            return _read(file, str(path))
        try:
            return _read(gzip.GzipFile(fileobj=file), str(path))
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} cannot be unpacked: {error}; fetch it again") from error


def parse_idx(content: bytes, name: str = "this") -> Array:
    """The array that IDX `content` holds; read-only, and shares its memory.

    Two zeros, 8 for unsigned bytes, the number of axes, their lengths in four bytes each, and then the data, as LeCun,
    Cortes and Burges, "The MNIST database of handwritten digits", describe it.

    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9])).tolist()
    [7, 9]
    """
    start, shape = _header(content, name)
    if len(content) - start != math.prod(shape):
        more = f"{len(content) - start}" if len(content) - start < math.prod(shape) else "more"
        raise ValueError(f"{name} should have {math.prod(shape)} bytes of shape {shape}, but has {more}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _header(content: bytes | bytearray, name: str) -> tuple[int, tuple[int, ...]]:
    """The offset of the data, and its shape."""
    if len(content) < 4 or content[:3] != b"\0\0\x08" or not 1 <= content[3] <= MAX_AXES:
        raise ValueError(f"{name} is not an IDX file of 1 to {MAX_AXES} axes of bytes: it has {bytes(content[:4])!r}")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise ValueError(f"{name} is not an IDX file: it ends within its header of {start} bytes")
    shape = tuple(np.frombuffer(content[4:start], ">u4").tolist())
    if math.prod(shape) > MAX_BYTES:
        raise ValueError(f"{name} promises {math.prod(shape):,} bytes of {shape}, more than {MAX_BYTES:,}: damaged")
    return start, shape


def _read(file: Any, name: str) -> bytes:
    content = bytearray(_take(file, 4))
    content += _take(file, 4 * content[3] if len(content) == 4 and content[3] <= MAX_AXES else 0)
    _, shape = _header(content, name)
    content += _take(file, math.prod(shape) + 1)
    return bytes(content)


def _take(file: Any, n: int) -> bytearray:
    """`n` bytes, or what there is; room is made only for what comes."""
    taken = bytearray()
    while len(taken) < n and (part := file.read(min(n - len(taken), CHUNK))):
        taken += part
    return taken


def to_idx(array: Array) -> bytes:
    """`array`, of unsigned bytes, as an IDX file has it."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + np.ascontiguousarray(array, np.uint8).tobytes()
