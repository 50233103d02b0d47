"""How far predictions are from the truth: the functions that training makes small."""

from autograd.exports import publish as _publish
from nn.losses.base import Loss as Loss
from nn.losses.binary import BCELoss as BCELoss
from nn.losses.binary import BCEWithLogitsLoss as BCEWithLogitsLoss
from nn.losses.binary import HingeLoss as HingeLoss
from nn.losses.classification import CrossEntropyLoss as CrossEntropyLoss
from nn.losses.classification import NLLLoss as NLLLoss
from nn.losses.divergence import KLDivLoss as KLDivLoss
from nn.losses.margins import MultiMarginLoss as MultiMarginLoss
from nn.losses.regression import HuberLoss as HuberLoss
from nn.losses.regression import L1Loss as L1Loss
from nn.losses.regression import MSELoss as MSELoss

_publish(globals())
