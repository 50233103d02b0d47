"""Gradients kept from being too large, between `backward()` and `step()`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import Tensor, Value
from autograd.arrays import norms, sums
from nn.validation import flag, number, sequence, shown


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> float:
    """Scale all gradients, in place, so that together they have a norm of at most `max_norm`; return what it was.

    The norm is that of all gradients as one vector: Euclidean, or any other p, also `math.inf` (Pascanu et al., "On the
    difficulty of training recurrent neural networks", 2013). `parameters` are one or several; those without a gradient
    do not count. A norm that is not finite makes all gradients so, or a ValueError with `error_if_nonfinite`.

    >>> x = Tensor([0.0, 0.0])
    >>> x.grad = np.array([3.0, 4.0])
    >>> clip_grad_norm_([x], 1.0), x.grad.round(6).tolist()
    (5.0, [0.6, 0.8])
    """
    max_norm = number("clip_grad_norm_", "max_norm", max_norm, least=0, infinite=True)
    norm_type = number("clip_grad_norm_", "norm_type", norm_type, above=0, infinite=True)
    error_if_nonfinite = flag("clip_grad_norm_", "error_if_nonfinite", error_if_nonfinite)
    owners = _with_gradients("clip_grad_norm_", parameters)
    lengths = [_norm(owner.grad, norm_type) for owner in owners]
    total = _norm(lengths, norm_type) if lengths else 0.0
    if error_if_nonfinite and not math.isfinite(total):
        raise ValueError(
            f"the norm of the gradients is {total}, so they cannot be scaled: look for the cause with "
            "ag.detect_anomaly(), or pass error_if_nonfinite=False"
        )
    scale = max_norm / (total + 1e-6)  # as in PyTorch, against a division by zero
    if not scale >= 1.0:  # nan too
        with np.errstate(all="ignore"):
            for owner in owners:
                if isinstance(owner.grad, np.ndarray) and owner.grad.dtype == np.float16:
                    owner.grad[...] = sums.widened(owner.grad) * scale  # float16 has no such scale, if it is small
                else:
                    owner.grad *= scale
    return total


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Bring every element of the gradients, in place, between `-clip_value` and `clip_value`.

    >>> x = Tensor([0.0, 0.0])
    >>> x.grad = np.array([3.0, -0.5])
    >>> clip_grad_value_([x], 1.0)
    >>> x.grad.tolist()
    [1.0, -0.5]
    """
    clip_value = number("clip_grad_value_", "clip_value", clip_value, least=0, infinite=True)
    for owner in _with_gradients("clip_grad_value_", parameters):
        if isinstance(owner, Tensor):
            gradient: Any = owner.grad
            np.clip(gradient, -clip_value, clip_value, out=gradient)
        else:
            owner.grad = min(max(owner.grad, -clip_value), clip_value)


def _with_gradients(name: str, parameters: Any) -> list[Any]:
    if hasattr(parameters, "parameters"):
        raise TypeError(f"{name} takes a list of parameters, got {shown(parameters)}: pass model.parameters()")
    many = [parameters] if isinstance(parameters, (Tensor, Value)) else sequence(name, "parameters", parameters)
    for each in many:
        if not isinstance(each, (Tensor, Value)):
            raise TypeError(f"{name} takes Parameters, Tensors or Values, got {shown(each)}: pass model.parameters()")
    if not many:
        raise ValueError(f"{name} needs at least one parameter, got none: if a generator was used up, make a new one")
    return [parameter for parameter in dict.fromkeys(many) if parameter.grad is not None]


def _norm(g: Any, norm_type: float) -> float:
    x = sums.widened(np.asarray(g)).ravel()
    with np.errstate(all="ignore"):
        if math.isinf(norm_type) or not x.size:
            return float(np.abs(x).max(initial=0.0))
        z = float(norms.euclidean(x) if norm_type == 2.0 else norms.p_norm(x, norm_type))
        if 1e-30 < z < math.inf or x.dtype == np.float64:
            return z
        return _norm(x.astype(np.float64), norm_type)  # float32 has no such number
