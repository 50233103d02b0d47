"""Checks of settings and data where they are given: errors say what each must be, what it was, and the cure."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from autograd.arguments import check_unmasked, wrong
from autograd.arguments import choice as choice
from autograd.arguments import flag as flag
from autograd.arguments import integer as integer
from autograd.arguments import number as number
from autograd.arguments import numbers as numbers
from autograd.arguments import sequence as sequence
from autograd.arguments import shown as shown
from autograd.graph import Node, value_of
from autograd.tensor import Tensor
from nn.typing import Array

T = TypeVar("T")


def generator(owner: str, rng: Any, name: str = "rng") -> np.random.Generator:
    """The NumPy generator `rng`, or one made from a seed: an integer from 0, a sequence of them, or None for a new one."""
    if isinstance(rng, np.random.Generator):
        return rng
    wanted = "a NumPy generator, as np.random.default_rng(0), or a seed, an integer from 0"
    if isinstance(rng, (bool, np.bool_, str, bytes, float, Node)):
        raise TypeError(wrong(owner, name, wanted, rng))
    try:
        # of a matrix NumPy takes the rows for ever, for they are matrices again
        return np.random.default_rng(np.asarray(rng) if isinstance(rng, np.ndarray) else rng)
    except (TypeError, ValueError) as error:
        raise type(error)(wrong(owner, name, wanted, rng)) from None


def check_callable(name: str, function: T) -> T:
    """`function`, a model or a loss, or a TypeError where it cannot be called, or is a class."""
    if isinstance(function, type):
        raise TypeError(f"{name} needs an instance, got the class {function.__name__}: write {function.__name__}(...)")
    if not callable(function):
        raise TypeError(f"{name} needs a module or a function, as nn.MSELoss() is one, got {shown(function)}")
    return function


def as_input(owner: str, x: Any, weight: Any = None) -> Tensor:
    """The input of a layer: a node as it is; data, which must be real numbers, in the dtype of the layer's `weight`, or in
    its own."""
    if isinstance(x, Node) or (weight is None and isinstance(x, np.ndarray) and x.dtype.kind in "fiubO"):
        return x  # type: ignore[return-value]  # arrays pass too
    return real_array(owner, "x", x, None if weight is None else weight.dtype)  # type: ignore[return-value]  # arrays pass too


def real_array(owner: str, name: str, data: Any, dtype: Any = None) -> Array:
    """`data`, or the value of a node, as an array of real numbers or bools, in `dtype` if that is given.

    Complex numbers, whose imaginary part would be lost, strings, objects and ragged lists are a TypeError.
    """
    data = given = value_of(data)
    if type(data) is not np.ndarray:
        check_unmasked(owner, name, data)
        try:
            data = np.asarray(data)
        except (TypeError, ValueError):
            data = np.empty((), object)
    if data.dtype.kind not in "fiub":
        raise TypeError(f"{wrong(owner, name, 'an array of real numbers', given)}{_cure(data, given)}")
    array: Array = data
    return array if dtype is None or array.dtype == dtype else array.astype(dtype)


def _cure(data: Any, given: Any) -> str:
    if data.dtype.kind == "c":
        return ": take .real, .imag or abs() of it, or both parts as columns"
    if isinstance(given, (list, tuple)) and any(isinstance(member, Node) for member in given):
        return ": join nodes by ag.stack(...)"
    return ": make it one array of numbers first" if isinstance(given, (list, tuple, np.ndarray)) else ""


def floating(owner: str, x: Any, name: str = "x") -> Tensor:
    """A node as it is; data as an array of real floating-point numbers, so that no difference wraps around."""
    if isinstance(x, Node):
        return x  # type: ignore[return-value]  # arrays pass too
    array = real_array(owner, name, x)
    return array if array.dtype.kind == "f" else array.astype(np.float64)  # type: ignore[return-value]  # arrays pass too
