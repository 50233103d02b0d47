"""Types of arguments and results, for type checkers alone: no room imports this one when it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, TypeVar, overload

import numpy as np

from autograd.graph import Node
from autograd.tensor import Tensor as Tensor
from autograd.value import Value as Value

Array: TypeAlias = np.ndarray[Any, Any]
DType: TypeAlias = np.dtype[Any]
Number: TypeAlias = float | np.floating[Any] | np.integer[Any] | np.bool_
Constant: TypeAlias = Number | Array | Sequence[Any]
Operand: TypeAlias = Constant | Value | Tensor  # what arithmetic with a node takes
Numeric: TypeAlias = float | Array | Node  # what operations give
Answer: TypeAlias = Numeric | str | np.generic | DType | list[Any] | tuple[Any, ...]  # what NumPy's functions give

A = TypeVar("A", Tensor, Array)  # arrays give arrays, and tensors tensors
N = TypeVar("N", float, Value, Tensor, Array)
X = TypeVar("X")
Tree = TypeVar("Tree", float, Array, list[Any], tuple[Any, ...], dict[Any, Any])


class Gradient(Protocol):
    """A derivative with respect to the first argument, in its structure: a node only if it depends on one."""

    @overload
    def __call__(self, x: Tree, /, *args: Any, **kwargs: Any) -> Tree: ...
    @overload
    def __call__(self, x: Value, /, *args: Any, **kwargs: Any) -> float | Value: ...
    @overload
    def __call__(self, x: Tensor, /, *args: Any, **kwargs: Any) -> Array | Tensor: ...
    @overload
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class Derivative(Protocol):
    """A derivative in the structure of the arguments that it is with respect to, and of the function's results."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
