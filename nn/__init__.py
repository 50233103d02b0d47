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
from nn.data import Batches, Split, Standardizer, batches, standardize, train_valid_test_split
from nn.datasets import digits, moons
from nn.layers.activation import ReLU, Sigmoid, Tanh
from nn.layers.containers import Sequential
from nn.layers.linear import Linear
from nn.losses import CrossEntropyLoss, Loss, MSELoss
from nn.metrics import accuracy, confusion_matrix
from nn.module import Module, Parameter
from nn.optim.adam import Adam
from nn.optim.optimizer import Optimizer
from nn.optim.sgd import SGD

__all__ = [
    "SGD",
    "Adam",
    "Batches",
    "CrossEntropyLoss",
    "Linear",
    "Loss",
    "MSELoss",
    "Module",
    "Optimizer",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Split",
    "Standardizer",
    "Tanh",
    "accuracy",
    "batches",
    "confusion_matrix",
    "digits",
    "moons",
    "standardize",
    "train_valid_test_split",
]
