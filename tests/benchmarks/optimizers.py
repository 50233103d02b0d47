"""One step of an optimizer, gradients given, against PyTorch's and against NumPy by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

import nn
from tests.benchmarks.arrays import ByHand
from tests.benchmarks.harness import Row, in_turn, optional

SIZES = [32] * 11


def adam() -> Row:
    """Adam on ten layers of 32 by 32, float32."""
    rng = np.random.default_rng(0)
    arrays = [a.astype(np.float32) for _ in SIZES[1:] for a in (rng.normal(size=(32, 32)), rng.normal(size=32))]
    gradients = [rng.normal(size=a.shape).astype(np.float32) for a in arrays]
    parameters = [nn.Parameter(a.copy()) for a in arrays]
    for parameter, g in zip(parameters, gradients, strict=True):
        parameter.grad = g
    net = ByHand(SIZES, np.float32)
    net.flat_grad[:] = rng.normal(size=net.flat_grad.size)
    rivals: dict[str, Any] = {"chainrule": nn.Adam(parameters).step, "NumPy by hand": net.adam}
    if torch := optional("torch"):
        tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
        for tensor, g in zip(tensors, gradients, strict=True):
            tensor.grad = torch.tensor(g)
        rivals["torch"] = torch.optim.Adam(tensors).step
        rivals["torch, foreach"] = torch.optim.Adam(tensors, foreach=True).step
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # its best for arrays this small: threads only wait for each other
    times = {name: t * 1e6 for name, t in in_turn(rivals).items()}
    if torch:
        torch.set_num_threads(threads)
    row = Row("Adam's step alone, ten layers 32-32, float32", "µs", times.pop("chainrule"), times, "≥ 2× torch")
    if torch:
        ratio = row.peers["torch"] / row.ours
        row.reached, row.verdict = ratio >= 2, f"{ratio:.1f}× faster than torch"
    return row
