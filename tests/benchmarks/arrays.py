"""`Tensor` and `nn` against backpropagation written by hand in NumPy, and against the array frameworks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

import nn
from tests.benchmarks.harness import Row, in_turn, optional

Step = Callable[[], Any]


class ByHand:
    """A multi-layer perceptron with ReLUs in NumPy: parameters and gradients in one flat buffer each, updates in
    place, products written where they belong; as fast as plain NumPy gets without losing its reader."""

    def __init__(self, sizes: list[int], dtype: Any) -> None:
        shapes = [shape for n, m in itertools.pairwise(sizes) for shape in ((m, n), (m,))]
        n = sum(int(np.prod(shape)) for shape in shapes)
        self.flat, self.flat_grad = np.empty(n, dtype), np.zeros(n, dtype)
        self.first, self.second, self.scratch, self.root = (np.zeros(n, dtype) for _ in range(4))
        self.steps = 0
        self.parameters, self.gradients = self._views(self.flat, shapes), self._views(self.flat_grad, shapes)
        rng = np.random.default_rng(0)
        for parameter, shape in zip(self.parameters, shapes, strict=True):
            bound = 1 / np.sqrt(shape[-1]) if len(shape) == 2 else 0.0
            parameter[...] = rng.uniform(-bound, bound, shape)

    @staticmethod
    def _views(flat: Any, shapes: list[tuple[int, ...]]) -> list[Any]:
        places = np.cumsum([0] + [int(np.prod(shape)) for shape in shapes])
        return [
            flat[start : start + np.prod(shape)].reshape(shape) for start, shape in zip(places, shapes, strict=False)
        ]

    def forward(self, X: Any) -> list[Any]:
        activations = [X]
        for i in range(0, len(self.parameters), 2):
            z = activations[-1] @ self.parameters[i].T
            z += self.parameters[i + 1]
            activations.append(np.maximum(z, 0, out=z) if i + 2 < len(self.parameters) else z)
        return activations

    def backward(self, activations: list[Any], g: Any) -> None:
        for i in range(len(self.parameters) - 2, -1, -2):
            below = activations[i // 2]
            np.matmul(g.T, below, out=self.gradients[i])
            np.add.reduce(g, 0, out=self.gradients[i + 1])
            if i:
                g = g @ self.parameters[i]
                g *= below > 0

    def sgd(self, lr: float) -> None:
        np.multiply(self.flat_grad, lr, out=self.scratch)
        self.flat -= self.scratch

    def adam(self, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> None:
        g, m, v, scratch, root = self.flat_grad, self.first, self.second, self.scratch, self.root
        self.steps += 1
        m *= beta1
        np.multiply(g, 1 - beta1, out=scratch)
        m += scratch
        v *= beta2
        np.multiply(g, g, out=scratch)
        scratch *= 1 - beta2
        v += scratch
        np.sqrt(v, out=root)
        root *= 1 / np.sqrt(1 - beta2**self.steps)
        root += eps
        np.divide(m, root, out=scratch)
        scratch *= lr / (1 - beta1**self.steps)
        self.flat -= scratch


def moons() -> Row:
    """One full-batch step on the moons: mean squared error, forward, backward, descent; float64."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 2)), rng.choice([-1.0, 1.0], (100, 1))
    lr = 0.01

    def ours() -> Step:
        model = _ours([2, 16, 16, 1], np.float64)
        loss_of, optimizer = nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=lr)

        def step() -> None:
            optimizer.zero_grad()
            loss_of(model(X), y).backward()
            optimizer.step()

        return step

    def by_hand() -> Step:
        net = ByHand([2, 16, 16, 1], np.float64)

        def step() -> None:
            activations = net.forward(X)
            residual = activations[-1] - y
            np.vdot(residual, residual) / residual.size
            residual *= 2 / residual.size
            net.backward(activations, residual)
            net.sgd(lr)

        return step

    def torch_step(torch: Any) -> Step:
        model = _torch(torch, [2, 16, 16, 1]).double()
        loss_of, optimizer = torch.nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=lr)
        inputs, targets = torch.tensor(X), torch.tensor(y)

        def step() -> None:
            optimizer.zero_grad()
            loss_of(model(inputs), targets).backward()
            optimizer.step()

        return step

    def mygrad_step(mygrad: Any) -> Step:
        parameters = [mygrad.tensor(p.copy()) for p in ByHand([2, 16, 16, 1], np.float64).parameters]

        def step() -> None:
            h: Any = X
            for i in range(0, len(parameters), 2):
                h = h @ parameters[i].T + parameters[i + 1]
                h = mygrad.maximum(h, 0) if i + 2 < len(parameters) else h
            mygrad.mean((h - y) ** 2).backward()
            for p in parameters:
                p.data -= lr * p.grad
                p.null_grad()

        return step

    def jax_step(jax: Any) -> Step:
        jax.config.update("jax_enable_x64", True)
        parameters = [jax.numpy.array(p) for p in ByHand([2, 16, 16, 1], np.float64).parameters]

        def loss_of(parameters: Any) -> Any:
            h = X
            for i in range(0, len(parameters), 2):
                h = h @ parameters[i].T + parameters[i + 1]
                h = jax.nn.relu(h) if i + 2 < len(parameters) else h
            return ((h - y) ** 2).mean()

        @jax.jit
        def update(parameters: Any) -> Any:
            return [p - lr * g for p, g in zip(parameters, jax.grad(loss_of)(parameters), strict=True)]

        def step() -> None:
            nonlocal parameters
            parameters = update(parameters)
            parameters[0].block_until_ready()

        return step

    makers = {"torch": torch_step, "mygrad": mygrad_step, "jax": jax_step}
    row = _row(
        "moons, 100 points, MLP 2-16-16-1 of Tensors, float64, one full-batch step", "µs", 1e6, ours, by_hand, makers
    )
    row.target = "≤ 1.5× by hand, ≥ 3× torch"
    return _judged(row, 1.5, 3)


def mlp() -> Row:
    """MLP 784-256-128-10, batch 128, float32: forward, backward and Adam."""
    rng = np.random.default_rng(0)
    X, y = rng.random((128, 784), np.float32), rng.integers(0, 10, 128)
    sizes = [784, 256, 128, 10]

    def ours() -> Step:
        model = _ours(sizes, np.float32)
        loss_of, optimizer = nn.CrossEntropyLoss(), nn.optim.Adam(model.parameters())

        def step() -> None:
            optimizer.zero_grad()
            loss_of(model(X), y).backward()
            optimizer.step()

        return step

    def by_hand() -> Step:
        net = ByHand(sizes, np.float32)
        rows = np.arange(128)

        def step() -> None:
            activations = net.forward(X)
            logits = activations[-1]
            logits -= logits.max(1, keepdims=True)
            g = np.exp(logits)
            total = g.sum(1, keepdims=True)
            (np.log(total[:, 0]) - logits[rows, y]).mean()
            g /= total
            g[rows, y] -= 1
            g *= np.float32(1 / 128)
            net.backward(activations, g)
            net.adam()

        return step

    def torch_step(torch: Any) -> Step:
        model = _torch(torch, sizes)
        loss_of, optimizer = torch.nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters())
        inputs, targets = torch.tensor(X), torch.tensor(y)

        def step() -> None:
            optimizer.zero_grad()
            loss_of(model(inputs), targets).backward()
            optimizer.step()

        return step

    row = _row(
        "MLP 784-256-128-10, batch 128, float32, forward, backward and Adam",
        "ms",
        1e3,
        ours,
        by_hand,
        {"torch": torch_step},
    )
    row.target = "≤ 1.15× by hand, ≥ 2.5× torch"
    return _judged(row, 1.15, 2.5)


def _ours(sizes: list[int], dtype: Any) -> Any:
    layers: list[Any] = []
    for n, m in itertools.pairwise(sizes):
        layers += [nn.Linear(n, m, dtype=dtype, rng=0), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _torch(torch: Any, sizes: list[int]) -> Any:
    layers: list[Any] = []
    for n, m in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(n, m), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def _row(
    name: str, unit: str, scale: float, ours: Callable[[], Step], by_hand: Callable[[], Step], makers: dict[str, Any]
) -> Row:
    rivals = {"chainrule": ours(), "NumPy by hand": by_hand()}
    for peer, make in makers.items():
        if module := optional(peer):
            rivals[peer] = make(module)
    times = {peer: t * scale for peer, t in in_turn(rivals).items()}
    return Row(name, unit, times.pop("chainrule"), times)


def _judged(row: Row, at_most: float, at_least: float) -> Row:
    slower = row.ours / row.peers["NumPy by hand"]
    row.reached, row.verdict = slower <= at_most, f"{slower:.2f}× the time by hand"
    if "torch" in row.peers:
        faster = row.peers["torch"] / row.ours
        row.reached = row.reached and faster >= at_least
        row.verdict += f", {faster:.1f}× faster than torch"
    return row
