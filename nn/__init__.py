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
from types import ModuleType
from typing import TYPE_CHECKING

from autograd.exports import publish as _publish
from nn import datasets as datasets
from nn import init as init
from nn import losses as losses
from nn import optim as optim
from nn import plots as plots
from nn import scalar as scalar
from nn.callbacks import Callback as Callback
from nn.callbacks import GradientNorms as GradientNorms
from nn.callbacks import ProgressBar as ProgressBar
from nn.callbacks import Schedule as Schedule
from nn.callbacks import StopOnNonFinite as StopOnNonFinite
from nn.checkpoint import CheckpointError as CheckpointError
from nn.checkpoint import load as load
from nn.checkpoint import save as save
from nn.data import Batches as Batches
from nn.data import Split as Split
from nn.data import Standardizer as Standardizer
from nn.data import batches as batches
from nn.data import standardize as standardize
from nn.data import train_valid_test_split as train_valid_test_split
from nn.datasets import *
from nn.doctor import Doctor as Doctor
from nn.evaluation import evaluate as evaluate
from nn.evaluation import predict as predict
from nn.history import History as History
from nn.layers.activation import ELU as ELU
from nn.layers.activation import GELU as GELU
from nn.layers.activation import SELU as SELU
from nn.layers.activation import LeakyReLU as LeakyReLU
from nn.layers.activation import LogSoftmax as LogSoftmax
from nn.layers.activation import ReLU as ReLU
from nn.layers.activation import Sigmoid as Sigmoid
from nn.layers.activation import SiLU as SiLU
from nn.layers.activation import Softmax as Softmax
from nn.layers.activation import Softplus as Softplus
from nn.layers.activation import Tanh as Tanh
from nn.layers.containers import ModuleList as ModuleList
from nn.layers.containers import Residual as Residual
from nn.layers.containers import Sequential as Sequential
from nn.layers.convolution import Conv2d as Conv2d
from nn.layers.dropout import Dropout as Dropout
from nn.layers.embedding import Embedding as Embedding
from nn.layers.linear import Linear as Linear
from nn.layers.normalisation import BatchNorm1d as BatchNorm1d
from nn.layers.normalisation import BatchNorm2d as BatchNorm2d
from nn.layers.normalisation import LayerNorm as LayerNorm
from nn.layers.pooling import AdaptiveAvgPool2d as AdaptiveAvgPool2d
from nn.layers.pooling import AvgPool2d as AvgPool2d
from nn.layers.pooling import MaxPool2d as MaxPool2d
from nn.layers.shaping import Flatten as Flatten
from nn.losses import *
from nn.lr_finder import LRFinderResult as LRFinderResult
from nn.lr_finder import RateSearch as RateSearch
from nn.lr_finder import find_lr as find_lr
from nn.metrics import accuracy as accuracy
from nn.metrics import confusion_matrix as confusion_matrix
from nn.metrics import mse as mse
from nn.metrics import r2 as r2
from nn.metrics import top_k as top_k
from nn.module import Buffer as Buffer
from nn.module import Module as Module
from nn.module import Parameter as Parameter
from nn.monitors import Checkpoint as Checkpoint
from nn.monitors import EarlyStopping as EarlyStopping
from nn.optim import *
from nn.training import fit as fit
from nn.training_state import Training as Training

if TYPE_CHECKING:
    from nn import estimators as estimators
else:

    def __getattr__(name: str) -> ModuleType:
        # Estimators are scikit-learn's, which takes a second to import: when they are first asked for.
        if name == "estimators":
            return import_module("nn.estimators")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    _publish(globals(), "estimators", "init")
