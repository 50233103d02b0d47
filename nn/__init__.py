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
from nn import init as init
from nn.callbacks import Checkpoint, EarlyStopping, GradientNorms, ProgressBar, Schedule, StopOnNonFinite
from nn.checkpoint import load, save
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
from nn.optim import LBFGS, SGD, Adagrad, Adam, AdamW, Lion, Optimizer, RMSprop
from nn.training import fit

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
    "Conv2d",
    "CrossEntropyLoss",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "Flatten",
    "GradientNorms",
    "HingeLoss",
    "History",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "Lion",
    "LogSoftmax",
    "Loss",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleList",
    "MultiMarginLoss",
    "NLLLoss",
    "Optimizer",
    "Parameter",
    "ProgressBar",
    "RMSprop",
    "RateSearch",
    "ReLU",
    "Residual",
    "Schedule",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Split",
    "Standardizer",
    "StopOnNonFinite",
    "Tanh",
    "Training",
    "accuracy",
    "batches",
    "blobs",
    "circles",
    "confusion_matrix",
    "digits",
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
