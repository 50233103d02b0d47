"""Neural networks on `autograd`: modules, losses, optimizers, data. Names and their meaning are PyTorch's.

import nn

model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = nn.Adam(model.parameters())
for x, y in nn.batches(*nn.moons(100), size=20):
    optimizer.zero_grad()
    nn.CrossEntropyLoss()(model(x), y).backward()
    optimizer.step()
"""

from nn import dependencies as dependencies  # first: it checks that the autograd that Python found is ours

# isort: split
from importlib import import_module
from typing import TYPE_CHECKING, Any

from nn import init as init
from nn import plots as plots
from nn import scalar as scalar
from nn.callbacks import Checkpoint, EarlyStopping, GradientNorms, ProgressBar, Schedule, StopOnNonFinite
from nn.checkpoint import CheckpointError, load, save
from nn.data import Batches, Split, Standardizer, batches, standardize, train_valid_test_split
from nn.datasets import blobs, circles, digits, line, mnist, moons, spirals, xor
from nn.evaluation import evaluate, predict
from nn.finder import RateSearch, find_lr
from nn.history import History
from nn.hooks import Callback, Training
from nn.layers.activation import (
    ELU,
    GELU,
    SELU,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from nn.layers.containers import ModuleList, Residual, Sequential
from nn.layers.convolution import Conv2d
from nn.layers.dropout import Dropout
from nn.layers.embedding import Embedding
from nn.layers.linear import Linear
from nn.layers.normalisation import BatchNorm1d, BatchNorm2d, LayerNorm
from nn.layers.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from nn.layers.shaping import Flatten
from nn.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HingeLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    Loss,
    MSELoss,
    MultiMarginLoss,
    NLLLoss,
)
from nn.metrics import accuracy, confusion_matrix, mse, r2, top_k
from nn.module import Buffer, Module, Parameter
from nn.optim import (
    LBFGS,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    Lion,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    Optimizer,
    ReduceLROnPlateau,
    RMSprop,
    SequentialLR,
    StepLR,
    clip_grad_norm_,
    clip_grad_value_,
)
from nn.training import fit

if TYPE_CHECKING:
    from nn import estimators as estimators

__all__ = [
    "ELU",
    "GELU",
    "LBFGS",
    "SELU",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Batches",
    "Buffer",
    "Callback",
    "Checkpoint",
    "CheckpointError",
    "ConstantLR",
    "Conv2d",
    "CosineAnnealingLR",
    "CrossEntropyLoss",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "ExponentialLR",
    "Flatten",
    "GradientNorms",
    "HingeLoss",
    "History",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "LRScheduler",
    "LambdaLR",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LinearLR",
    "Lion",
    "LogSoftmax",
    "Loss",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleList",
    "MultiMarginLoss",
    "MultiStepLR",
    "NLLLoss",
    "OneCycleLR",
    "Optimizer",
    "Parameter",
    "ProgressBar",
    "RMSprop",
    "RateSearch",
    "ReLU",
    "ReduceLROnPlateau",
    "Residual",
    "Schedule",
    "Sequential",
    "SequentialLR",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Split",
    "Standardizer",
    "StepLR",
    "StopOnNonFinite",
    "Tanh",
    "Training",
    "accuracy",
    "batches",
    "blobs",
    "circles",
    "clip_grad_norm_",
    "clip_grad_value_",
    "confusion_matrix",
    "digits",
    "estimators",
    "evaluate",
    "find_lr",
    "fit",
    "init",
    "line",
    "load",
    "mnist",
    "moons",
    "mse",
    "predict",
    "r2",
    "save",
    "spirals",
    "standardize",
    "top_k",
    "train_valid_test_split",
    "xor",
]

_LATE = {"estimators": "nn.estimators"}


def __getattr__(name: str) -> Any:
    # Estimators are scikit-learn's, which takes a second to import: when they are first asked for.
    if name in _LATE:
        return import_module(_LATE[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
