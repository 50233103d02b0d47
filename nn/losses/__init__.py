"""How far predictions are from the truth: the functions that training makes small."""

from nn.losses.base import Loss
from nn.losses.binary import BCELoss, BCEWithLogitsLoss, HingeLoss
from nn.losses.classification import CrossEntropyLoss, NLLLoss
from nn.losses.divergence import KLDivLoss
from nn.losses.margins import MultiMarginLoss
from nn.losses.regression import HuberLoss, L1Loss, MSELoss

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HingeLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "Loss",
    "MSELoss",
    "MultiMarginLoss",
    "NLLLoss",
]
