"""Loss functions: how far predictions are from targets, which training makes small."""

from autograd.exports import publish as _publish
from nn.losses.base import Loss as Loss
from nn.losses.classification import CrossEntropyLoss as CrossEntropyLoss
from nn.losses.classification import MultiMarginLoss as MultiMarginLoss
from nn.losses.classification import NLLLoss as NLLLoss
from nn.losses.elementwise import BCELoss as BCELoss
from nn.losses.elementwise import BCEWithLogitsLoss as BCEWithLogitsLoss
from nn.losses.elementwise import HingeLoss as HingeLoss
from nn.losses.elementwise import HuberLoss as HuberLoss
from nn.losses.elementwise import KLDivLoss as KLDivLoss
from nn.losses.elementwise import L1Loss as L1Loss
from nn.losses.elementwise import MSELoss as MSELoss

_publish(globals())
