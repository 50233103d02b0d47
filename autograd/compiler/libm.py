"""The machine's SIMD width, and the functions of libm and of the vector library (glibc's libmvec) where there is one.

The environment variable CHAINRULE_CPU names a level of x86-64 ("x86-64", "x86-64-v2" ...) to keep to in place of all
that this processor has: for the same machine code everywhere.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import platform
from functools import cache
from pathlib import Path
from typing import Any


def _features() -> set[str]:
    """The processor's features, as Linux lists them; none on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())


# float64 lanes of a SIMD register, at each level of x86-64
_LEVELS = {"x86-64": 2, "x86-64-v2": 2, "x86-64-v3": 4, "x86-64-v4": 4}

CPU = os.environ.get("CHAINRULE_CPU", "")
if CPU and CPU not in _LEVELS:
    raise ValueError(f"the environment variable CHAINRULE_CPU is {CPU!r}: what can be compiled for is {[*_LEVELS]}")

WIDTH = _LEVELS[CPU] if CPU else 4 if "avx2" in _features() else 2


@cache
def _library(name: str | None) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


def _address(library: Any, name: str) -> int | None:
    function = getattr(library, name, None) if library else None
    return ctypes.cast(function, ctypes.c_void_p).value if function else None


@cache
def scalar_function(name: str) -> int:
    """The address of libm's function of one lane."""
    address = _address(_library(None), name) or _address(
        _library("libm.so.6") or _library(ctypes.util.find_library("m") or "m"), name
    )
    if address is None:
        raise OSError(f"this system's libm has no {name}: use backend='numpy'")
    return address


@cache
def vector_function(name: str, arity: int, width: int) -> int | None:
    """The address of the vector library's function of `width` lanes, or None.

    It goes by the name that the x86-64 vector ABI gives it, as _ZGVdN4v_exp: d for AVX2, b for SSE, v an argument.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return None
    letter = {2: "b", 4: "d"}[width]
    return _address(_library("libmvec.so.1"), f"_ZGV{letter}N{width}{'v' * arity}_{name}")
