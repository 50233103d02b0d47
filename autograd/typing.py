"""Types of arguments and results, for type checkers alone: no room imports this one when it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from autograd.tensor import Tensor as Tensor
from autograd.value import Value as Value

Array: TypeAlias = np.ndarray[Any, Any]
DType: TypeAlias = np.dtype[Any]
Number: TypeAlias = float | np.floating[Any] | np.integer[Any] | np.bool_
Constant: TypeAlias = Number | Array | Sequence[Any]
Operand: TypeAlias = Constant | Value | Tensor  # what arithmetic with a node takes

A = TypeVar("A", Tensor, Array)  # arrays give arrays, and tensors tensors
N = TypeVar("N", float, Value, Tensor, Array)
X = TypeVar("X")
