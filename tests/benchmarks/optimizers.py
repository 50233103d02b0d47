"""One step of an optimizer, gradients given, against PyTorch's and against NumPy by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import nn
from tests.benchmarks.arrays import ByHand
from tests.benchmarks.harness import Row, in_turn, optional


def adam() -> Row:
    """Adam on ten layers of 32 by 32, float32."""
    row = _adam([32] * 11, np.float32, "ten layers 32-32")
    row.target = "≥ 2× torch"
    if "torch" in row.peers:
        ratio = row.peers["torch"] / row.ours
        row.reached, row.verdict = ratio >= 2, f"{ratio:.1f}× faster than torch"
    return row


def adam_float32() -> Row:
    """Adam on the 235,146 parameters of an MLP 784-256-128-10, float32."""
    return _against_numpy(_adam([784, 256, 128, 10], np.float32, "235,146 parameters"))


def adam_float64() -> Row:
    """The same in float64."""
    return _against_numpy(_adam([784, 256, 128, 10], np.float64, "235,146 parameters"))


def _adam(sizes: list[int], dtype: Any, what: str) -> Row:
    net = ByHand(sizes, dtype)
    rng = np.random.default_rng(0)
    gradients = [rng.normal(size=a.shape).astype(dtype) for a in net.parameters]
    net.flat_grad[:] = rng.normal(size=net.flat_grad.size)
    parameters = [nn.Parameter(a) for a in net.parameters]
    for parameter, g in zip(parameters, gradients, strict=True):
        parameter.grad = g
    rivals: dict[str, Any] = {
        "chainrule": nn.Adam(parameters).step,
        "NumPy by hand": net.adam,
        "NumPy by hand, layer by layer": _by_layer([a.copy() for a in net.parameters], gradients),
    }
    torch = optional("torch")
    if torch:
        tensors = [torch.tensor(a, requires_grad=True) for a in net.parameters]
        for tensor, g in zip(tensors, gradients, strict=True):
            tensor.grad = torch.tensor(g)
        rivals["torch"] = torch.optim.Adam(tensors).step
        rivals["torch, foreach"] = torch.optim.Adam(tensors, foreach=True).step
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # its best for arrays this small: threads only wait for each other
    times = {name: t * 1e6 for name, t in in_turn(rivals).items()}
    if torch:
        torch.set_num_threads(threads)
    return Row(f"Adam's step alone, {what}, {np.dtype(dtype)}", "µs", times.pop("chainrule"), times)


def _by_layer(parameters: list[Any], gradients: list[Any]) -> Callable[[], None]:
    """A step by NumPy's calls in place, for each parameter by itself."""
    state = [[np.zeros_like(p), np.zeros_like(p), np.empty_like(p)] for p in parameters]
    steps = 0

    def step(lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> None:
        nonlocal steps
        steps += 1
        root = (1 - beta2**steps) ** 0.5
        for p, g, (m, v, scratch) in zip(parameters, gradients, state, strict=True):
            m *= beta1
            np.multiply(g, 1 - beta1, out=scratch)
            m += scratch
            v *= beta2
            np.multiply(g, g, out=scratch)
            scratch *= 1 - beta2
            v += scratch
            np.sqrt(v, out=scratch)
            scratch += eps * root
            np.divide(m, scratch, out=scratch)
            scratch *= lr * root / (1 - beta1**steps)
            p -= scratch

    return step


def _against_numpy(row: Row) -> Row:
    ratio = min(row.peers["NumPy by hand"], row.peers["NumPy by hand, layer by layer"]) / row.ours
    row.target, row.reached, row.verdict = "> 1× by hand", ratio > 1, f"{ratio:.1f}× faster than by hand"
    return row
