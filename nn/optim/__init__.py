"""Optimizers: what turns gradients into better parameters; and schedules, which change how fast."""

from autograd.exports import publish as _publish
from nn.optim.adam import Adam as Adam
from nn.optim.adam import AdamW as AdamW
from nn.optim.adaptive import Adagrad as Adagrad
from nn.optim.adaptive import Lion as Lion
from nn.optim.adaptive import RMSprop as RMSprop
from nn.optim.clipping import clip_grad_norm_ as clip_grad_norm_
from nn.optim.clipping import clip_grad_value_ as clip_grad_value_
from nn.optim.cycles import OneCycleLR as OneCycleLR
from nn.optim.lbfgs import LBFGS as LBFGS
from nn.optim.optimizer import Optimizer as Optimizer
from nn.optim.plateau import ReduceLROnPlateau as ReduceLROnPlateau
from nn.optim.schedules import ConstantLR as ConstantLR
from nn.optim.schedules import CosineAnnealingLR as CosineAnnealingLR
from nn.optim.schedules import ExponentialLR as ExponentialLR
from nn.optim.schedules import LambdaLR as LambdaLR
from nn.optim.schedules import LinearLR as LinearLR
from nn.optim.schedules import LRScheduler as LRScheduler
from nn.optim.schedules import MultiStepLR as MultiStepLR
from nn.optim.schedules import SequentialLR as SequentialLR
from nn.optim.schedules import StepLR as StepLR
from nn.optim.sgd import SGD as SGD

_publish(globals())
