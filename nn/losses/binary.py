"""Losses of yes or no: one logit, probability or score an answer."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from autograd.operators import plain
from nn.losses.base import Loss, fused, of_one_shape, weights

LEAST_LOG = -100.0  # what BCELoss takes the logarithm of 0 to be, as PyTorch does


class BCEWithLogitsLoss(Loss):
    """Minus the logarithm of the probability that sigmoid of the logits gives to the truth, elementwise.

    `input` are logits and `target` what is true, 0 or 1 or a probability, of one shape. `weight` multiplies the loss,
    `pos_weight` that of what is true; both broadcast against the input. One graph node, which never overflows:
    `y * pos_weight * softplus(-x) + (1 - y) * softplus(x)`.

    >>> BCEWithLogitsLoss("none")(ag.Tensor([1e4, 1e4]), np.array([1, 0])).tolist()
    [0.0, 10000.0]
    """

    def __init__(self, reduction: str = "mean", *, weight: Any = None, pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.weight = weights(self, "weight", weight)
        self.pos_weight = weights(self, "pos_weight", pos_weight)

    def forward(self, input: ag.Tensor, target: Any) -> ag.Tensor:
        input, target = of_one_shape(self, input, target)
        _probabilities(self, target)
        w, p = (_broadcast(self, name, input, getattr(self, name)) for name in ("weight", "pos_weight"))
        return _BCE_WITH_LOGITS[self.reduction](input, target, w, p)


class BCELoss(Loss):
    """Minus the logarithm of the probability given to the truth: `-(y log x + (1 - y) log(1 - x))`, elementwise.

    `input` are probabilities and `target` what is true, 0 or 1 or a probability, of one shape; `weight` multiplies the
    loss. As in PyTorch a logarithm counts as at least -100, and the slope at 0 and 1 is finite. A probability that is
    not between 0 and 1 is a ValueError. `BCEWithLogitsLoss` is the more exact one.

    >>> BCELoss("none")(ag.Tensor([1.0, 1.0]), np.array([1, 0])).tolist()
    [0.0, 100.0]
    """

    def __init__(self, reduction: str = "mean", *, weight: Any = None) -> None:
        super().__init__(reduction)
        self.weight = weights(self, "weight", weight)

    def forward(self, input: ag.Tensor, target: Any) -> ag.Tensor:
        input, target = of_one_shape(self, input, target)
        _probabilities(self, target)
        x = np.asarray(plain(input))
        if not ((x >= 0.0) & (x <= 1.0)).all():
            wrong = x[~((x >= 0.0) & (x <= 1.0))].flat[0]
            raise ValueError(
                f"BCELoss needs probabilities from 0 to 1, got {wrong}: pass logits to BCEWithLogitsLoss, or apply "
                "ag.sigmoid first"
            )
        return _BCE[self.reduction](input, target, _broadcast(self, "weight", input, self.weight))


class HingeLoss(Loss):
    """`max(0, 1 - y * x)`, elementwise, of scores `input` and labels `target`, -1 or 1, of one shape; slope 0 at the kink.

    Other labels are a ValueError. (The loss of support vector machines: Cortes and Vapnik, 1995; sklearn's `hinge_loss`.
    PyTorch's HingeEmbeddingLoss is another one.)

    >>> HingeLoss("none")(ag.Tensor([3.0, 0.5, 0.5]), np.array([1, 1, -1])).tolist()
    [0.0, 0.5, 1.5]
    """

    def forward(self, input: ag.Tensor, target: Any) -> ag.Tensor:
        input, target = of_one_shape(self, input, target)
        labels = np.asarray(plain(target))
        if not (np.abs(labels) == 1.0).all():
            wrong = labels[np.abs(labels) != 1.0].flat[0]
            raise ValueError(f"HingeLoss needs labels -1 and 1, got {wrong}: write 2 * y - 1 for labels 0 and 1")
        return _HINGE[self.reduction](input, target)


def _probabilities(loss: Loss, target: Any) -> None:
    """Refuse what says neither yes nor no: with labels -1 and 1 the loss would have no lower bound."""
    y = np.asarray(plain(target))
    if not ((y >= 0.0) & (y <= 1.0)).all():
        wrong = y[~((y >= 0.0) & (y <= 1.0))].flat[0]
        raise ValueError(
            f"{type(loss).__name__} needs labels 0 and 1, or probabilities, got {wrong}: write (y + 1) / 2 for labels -1 and "
            "1, and use CrossEntropyLoss for more than two classes"
        )


def _broadcast(loss: Loss, name: str, input: Any, weight: Any) -> Any:
    """`weight` in the dtype of `input`, which must not grow by it; or 1."""
    if weight is None:
        return 1.0
    x = np.asarray(plain(input))
    try:
        fits = np.broadcast_shapes(weight.shape, x.shape) == x.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{type(loss).__name__}: {name} of shape {weight.shape} does not broadcast to {x.shape}")
    return weight.astype(np.result_type(x, np.float16))


def _bce_with_logits(x: Any, y: Any, w: Any, p: Any) -> Any:
    t = np.log1p(np.exp(-np.abs(x)))
    return w * ((1.0 - y) * (np.maximum(x, 0.0) + t) + p * y * (np.maximum(np.negative(x), 0.0) + t))


_BCE_WITH_LOGITS = fused(
    "bce_with_logits",
    _bce_with_logits,
    lambda x, y, w, p: w * ((1.0 - y) * ag.sigmoid(x) - p * y * ag.sigmoid(-x)),  # exact at both ends
    lambda x, y, w, p: w * (p * ag.softplus(-x) - ag.softplus(x)),
    None,
    None,
)


def _bce(x: Any, y: Any, w: Any) -> Any:
    with np.errstate(divide="ignore"):
        yes, no = np.minimum(-np.log(x), -LEAST_LOG), np.minimum(-np.log1p(np.negative(x)), -LEAST_LOG)
    return w * (y * yes + (1.0 - y) * no)


_BCE = fused(
    "bce",
    _bce,
    lambda x, y, w: w * ((x - y) / ag.maximum(x * (1.0 - x), 1e-12)),
    lambda x, y, w: w * (ag.maximum(ag.log1p(-x), LEAST_LOG) - ag.maximum(ag.log(x), LEAST_LOG)),
    None,
)

_HINGE = fused(
    "hinge",
    lambda x, y: np.maximum(1.0 - np.multiply(x, y), 0.0),
    lambda x, y: -y * ag.step(1.0 - x * y),
    lambda x, y: -x * ag.step(1.0 - x * y),
)
