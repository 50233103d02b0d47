"""The moons written with scalars and compiled, against array frameworks, NumPy by hand, CasADi and micrograd."""

from __future__ import annotations

import itertools
import math
from functools import partial
from typing import Any

import numpy as np

import autograd as ag
import nn
from tests.benchmarks.arrays import ByHand
from tests.benchmarks.compiled import Step, agree, jax_of_doubles, judged, ready, timed
from tests.benchmarks.harness import Row, optional

SIZES = [2, 16, 16, 1]
DECAY = 1e-4


def moons() -> Row:
    """Hinge loss and L2 of an MLP on 100 points of the moons, and its 337 gradients: the functional form."""
    torch = optional("torch")
    threads = torch.get_num_threads() if torch else 1
    if torch:
        torch.set_num_threads(1)  # its best for arrays this small: threads only wait for each other
    makers = {"torch": _torch, "jax": _jax, "NumPy by hand": _by_hand, **SLOW}
    row = timed("moons of scalars, compiled: loss and 337 gradients", "µs", 1e6, _moons(_functional, makers), 5)
    if torch:
        torch.set_num_threads(threads)
    return judged(row, {"torch": 8, "jax": 2.5, "NumPy by hand": 1}, "≥ 8× torch, ≥ 2.5× jax jit, ≥ 1× by hand")


def captured() -> Row:
    """The same loss of an `nn.scalar.MLP`: each call adds to the gradients of its parameters."""
    p, X, y = _given()
    model = nn.scalar.MLP(SIZES[0], SIZES[1:], rng=0)
    parameters = model.parameters()
    for parameter, k in zip(parameters, _order(), strict=True):
        parameter.data = float(p[k])

    def loss(x: Any, y: Any) -> Any:
        return ag.relu(1 - y * model(x)) + DECAY * sum(w * w for w in parameters)

    step = ag.compile(loss, parameters=parameters, signature="(2),()->()", reduce="mean")
    functional = _functional(p, X, y)
    first = step(X, y), np.array([w.grad for w in parameters])[np.argsort(_order())]
    agree({"captured": lambda: first, "functional": functional}, 1e-9)
    rivals = {"chainrule": partial(step, X, y), "functional form": functional}
    row = timed("moons of scalars, compiled: parameters captured, gradients written back", "µs", 1e6, rivals)
    slower = row.ours / row.peers["functional form"]
    row.target, row.reached, row.verdict = "≤ 2.5× the functional form", slower <= 2.5, f"{slower:.2f}× functional"
    return row


def numpy_backend() -> Row:
    """The functional form without machine code."""
    rivals = _moons(partial(_functional, backend="numpy"), SLOW)
    row = timed("moons of scalars, compiled: NumPy back end", "µs", 1e6, rivals, 5)
    return judged(row, {"micrograd": 300, "casadi": 1, "casadi, summed inside": 0}, "≥ 300× micrograd, ≥ 1× CasADi")


# ---- The moons: each maker gives a call for the loss and its gradient, in the order of `ByHand.flat`


def _given() -> Any:
    X, labels = nn.moons(100, rng=0)
    return ByHand(SIZES, np.float64).flat, X, 2.0 * labels - 1


def _moons(ours: Any, makers: dict[str, Any]) -> dict[str, Step]:
    rivals = {"chainrule": ours(*_given())}
    rivals.update({name: step for name, make in makers.items() if (step := make(*_given()))})
    agree(rivals, 1e-9)
    return rivals


def _hinge(relu: Any, p: Any, x: Any, y: Any) -> Any:
    """The hinge loss of one example, a number at a time."""
    h, k = [x[0], x[1]], 0
    for n, m in itertools.pairwise(SIZES):
        bias = k + n * m
        h = [sum((p[k + i * n + j] * h[j] for j in range(n)), p[bias + i]) for i in range(m)]
        h, k = [relu(z) for z in h] if m > 1 else h, bias + m
    return relu(1 - y * h[0])


def _functional(p: Any, X: Any, y: Any, backend: str = "auto") -> Step:
    def loss(p: Any, x: Any, y: Any) -> Any:
        return _hinge(ag.relu, p, x, y) + DECAY * sum(w * w for w in p)

    step = ag.compile(ag.value_and_grad(loss), signature="(p),(d),()->(),(p)", reduce="mean", backend=backend)
    return partial(step, p, X, y)


def _by_hand(p: Any, X: Any, y: Any) -> Step:
    net = ByHand(SIZES, np.float64)
    net.flat[:] = p
    y = y[:, None]

    def step() -> Any:
        activations = net.forward(X)
        margin = 1 - y * activations[-1]
        wrong = margin > 0
        net.backward(activations, wrong * y * (-1 / len(y)))
        np.multiply(net.flat, 2 * DECAY, out=net.scratch)
        net.flat_grad += net.scratch
        return np.vdot(margin, wrong) / len(y) + DECAY * np.vdot(net.flat, net.flat), net.flat_grad

    return step


def _torch(p: Any, X: Any, y: Any) -> Step | None:
    if not (torch := optional("torch")):
        return None
    parts = [torch.tensor(part, requires_grad=True) for part in _parts(p)]
    X, y = torch.tensor(X), torch.tensor(y)

    def step() -> Any:
        h = X
        for weight, bias in zip(parts[::2], parts[1::2], strict=True):
            h = torch.nn.functional.linear(h.relu() if h is not X else X, weight, bias)
        loss = (1 - y * h[:, 0]).relu().mean() + DECAY * torch.cat([q.view(-1) for q in parts]).square().sum()
        return loss, torch.autograd.grad(loss, parts)

    return step


def _jax(p: Any, X: Any, y: Any) -> Step | None:
    if not (jax := jax_of_doubles()):
        return None

    def loss(p: Any, X: Any, y: Any) -> Any:
        h, parts = X, _parts(p)
        for weight, bias in zip(parts[::2], parts[1::2], strict=True):
            h = (jax.nn.relu(h) if h is not X else X) @ weight.T + bias
        return jax.nn.relu(1 - y * h[:, 0]).mean() + DECAY * (p @ p)

    return ready(jax, jax.jit(jax.value_and_grad(loss)), (p, X, y))


def _casadi(p: Any, X: Any, y: Any) -> Step | None:
    """One example as an SX function, mapped over arrays of NumPy, which sums the results: the natural use."""
    if not (ca := optional("casadi")):
        return None
    args = [ca.SX.sym(name, size) for name, size in (("p", len(p)), ("x", 2), ("y", 1))]
    loss = _hinge(lambda z: ca.fmax(z, 0), *args) + DECAY * ca.dot(args[0], args[0])
    mapped = ca.Function("one", args, [loss, ca.gradient(loss, args[0])]).map(len(y))
    return lambda: tuple(np.asarray(result).mean(1) for result in mapped(p, X.T, y[None]))


def _casadi_summed(p: Any, X: Any, y: Any) -> Step | None:
    """What CasADi can do at its best: `map` sums, L2 is outside of it, and all arrays are CasADi's own."""
    if not (ca := optional("casadi")):
        return None
    args = [ca.SX.sym(name, size) for name, size in (("p", len(p)), ("x", 2), ("y", 1))]
    hinge = _hinge(lambda z: ca.fmax(z, 0), *args)
    one = ca.Function("one", args, [hinge, ca.gradient(hinge, args[0])])
    summed = one.map("summed", "serial", len(y), [0], [0, 1], {})
    given = [ca.DM(p), ca.DM(X.T), ca.DM(y).T]
    args = [ca.MX.sym(name, *x.shape) for name, x in zip("pXy", given, strict=True)]
    loss, gradient = summed(*args)
    results = [loss / len(y) + DECAY * ca.dot(args[0], args[0]), gradient / len(y) + 2 * DECAY * args[0]]
    return partial(ca.Function("step", args, results), *given)


def _micrograd(p: Any, X: Any, y: Any) -> Step | None:
    if not (micrograd := optional("micrograd.nn")):
        return None
    model = micrograd.MLP(SIZES[0], SIZES[1:])
    parameters = model.parameters()
    for parameter, k in zip(parameters, _order(), strict=True):
        parameter.data = float(p[k])
    by_hand, points, labels = [parameters[k] for k in np.argsort(_order())], X.tolist(), y.tolist()

    def step() -> Any:
        losses = [(1 + -label * model(point)).relu() for label, point in zip(labels, points, strict=True)]
        loss = sum(losses) * (1.0 / len(losses)) + DECAY * sum(w * w for w in parameters)
        model.zero_grad()
        loss.backward()
        return loss.data, [w.grad for w in by_hand]

    return step


def _parts(flat: Any) -> list[Any]:
    """Weights and biases, in turn, of a flat array."""
    shapes = [shape for n, m in itertools.pairwise(SIZES) for shape in ((m, n), (m,))]
    places = itertools.accumulate((math.prod(shape) for shape in shapes), initial=0)
    return [flat[k : k + math.prod(shape)].reshape(shape) for k, shape in zip(places, shapes, strict=False)]


def _order() -> Any:
    """Where the parameters of an MLP of neurons, each of weights and a bias, are in a flat array."""
    parts = _parts(np.arange(337))
    return np.concatenate([np.column_stack(pair).ravel() for pair in zip(parts[::2], parts[1::2], strict=True)])


SLOW = {"casadi": _casadi, "casadi, summed inside": _casadi_summed, "micrograd": _micrograd}
