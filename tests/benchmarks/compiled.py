"""`ag.compile` against jax, on functions of a few numbers: in large batches, over many steps, and in single calls."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import numpy as np

import autograd as ag
from tests.benchmarks.harness import Row, in_turn, optional

STEPS, STRIDE = 1_000, 0.01
NUMBERS = (1.0, 2.0, 3.0, 4.0, 5.0)

Step = Callable[[], Any]


def options() -> Row:
    """Black–Scholes: the price and five derivatives of each of 1,000,000 options."""
    rng = np.random.default_rng(0)
    spans = ((80, 120), (80, 120), (0.1, 2), (0, 0.1), (0.1, 0.5))
    given = [rng.uniform(low, high, 1_000_000) for low, high in spans]
    ours = ag.compile(ag.value_and_grad(partial(_price, ag), argnums=(0, 1, 2, 3, 4)))
    rivals = {"chainrule": partial(ours, *given)}
    if jax := jax_of_doubles():
        functions = SimpleNamespace(log=jax.numpy.log, exp=jax.numpy.exp, sqrt=jax.numpy.sqrt, erf=jax.lax.erf)
        greeks = jax.jit(jax.vmap(jax.value_and_grad(partial(_price, functions), argnums=(0, 1, 2, 3, 4))))
        rivals["jax"] = ready(jax, greeks, given)
    agree(rivals, 1e-9)
    return judged(timed("Black–Scholes, 1,000,000 prices and 5 Greeks each", "ms", 1e3, rivals), {"jax": 3}, "≥ 3× jax")


def compile_time() -> Row:
    """From a Python function to the first results, for programs with a gradient, whose values live long."""
    seconds = {}
    for size, attempts in ((1_000, 3), (10_000, 3), (100_000, 1)):
        times = []
        for attempt in range(attempts):
            gc.collect()  # no machine code is left from before, and each attempt is of another length besides
            x, y = np.linspace(0.1, 0.9, 64), np.linspace(0.5, 0.2, 64)
            kernel = ag.compile(ag.value_and_grad(_mixture(_rounds(size) + attempt), argnums=(0, 1)), backend="native")
            start = time.perf_counter()
            kernel(x, y)
            times.append(time.perf_counter() - start)
            assert abs(kernel.stats["instructions"] / size - 1) < 0.1, kernel.stats
            del kernel
        seconds[size] = statistics.median(times)
    row = Row("compile time of 1,000 instructions, native, a batch", "s", seconds[1_000])
    row.peers = {"10,000 instructions": seconds[10_000], "100,000": seconds[100_000]}
    row.target = "≤ 0.3 s for 1,000, linear to 100,000 (≤ 30 s)"
    growth = seconds[100_000] / seconds[10_000]
    row.verdict = f"{seconds[1_000]:.2f} s, {seconds[100_000]:.1f} s, 100,000 at {growth:.1f}× 10,000"
    row.reached = seconds[1_000] <= 0.3 and seconds[100_000] <= 30 and growth <= 12
    return row


def orbit() -> Row:
    """The gradient of where 1,000 leapfrog steps around a sun end, by where they began; 1,000 orbits."""
    rng = np.random.default_rng(0)
    given = [centre + 0.05 * rng.normal(size=1_000) for centre in (1.0, 0.0, 0.0, 1.0)]

    def recorded(*state: Any) -> Any:
        for _ in range(STEPS):
            state = _leap(ag.sqrt, *state)
        return _missed(*state)

    rivals = {"chainrule": partial(ag.compile(ag.grad(recorded, argnums=(0, 1, 2, 3))), *given)}
    if jax := jax_of_doubles():

        def looped(*state: Any) -> Any:
            last, _ = jax.lax.scan(lambda s, _: (_leap(jax.numpy.sqrt, *s), None), state, length=STEPS)
            return _missed(*last)

        rivals["jax"] = ready(jax, jax.jit(jax.vmap(jax.grad(looped, argnums=(0, 1, 2, 3)))), given)
    agree(rivals, 1e-8)
    row = timed("orbit of 1,000 steps, gradient by the initial state, batch of 1,000", "ms", 1e3, rivals, 5)
    return judged(row, {"jax": 1}, "faster than jax jit")


def call_overhead() -> Row:
    """What a call with five floats costs, whatever the function."""

    def f(a: float, b: float, c: float, d: float, e: float) -> float:
        return a * b + c * d + e

    rivals = {"chainrule": partial(ag.compile(f), *NUMBERS), "plain Python": partial(f, *NUMBERS)}
    if jax := optional("jax"):
        rivals["jax"] = ready(jax, jax.jit(f), NUMBERS)
    agree(rivals, 1e-6)
    row = timed("a call of a compiled function with five floats", "µs", 1e6, rivals)
    row.target, row.reached, row.verdict = "≤ 3 µs", row.ours <= 3, f"{row.ours:.2f} µs"
    return row


# ---- The programs


def _price(m: Any, spot: Any, strike: Any, years: Any, rate: Any, volatility: Any) -> Any:
    """Black–Scholes' price of a call; `m` has the functions."""
    spread = volatility * m.sqrt(years)
    d = (m.log(spot / strike) + (rate + 0.5 * volatility * volatility) * years) / spread
    below, above = (0.5 + 0.5 * m.erf(z * math.sqrt(0.5)) for z in (d, d - spread))
    return spot * below - strike * m.exp(-rate * years) * above


def _leap(sqrt: Any, x: Any, y: Any, u: Any, v: Any) -> Any:
    """One leapfrog step: half of it drifting, a pull of the sun, half of it drifting."""
    x, y = x + STRIDE / 2 * u, y + STRIDE / 2 * v
    square = x * x + y * y
    pull = -STRIDE / (square * sqrt(square))
    u, v = u + pull * x, v + pull * y
    return x + STRIDE / 2 * u, y + STRIDE / 2 * v, u, v


def _missed(x: Any, y: Any, u: Any, v: Any) -> Any:
    """The squared distance of a state from a target."""
    return (x - 0.5) * (x - 0.5) + (y + 0.5) * (y + 0.5)


def _mixture(rounds: int) -> Callable[..., Any]:
    """A recurrence of arithmetic with a sine and an exponential every eighth round."""

    def f(x: Any, y: Any) -> Any:
        for k in range(rounds):
            x, y = 0.9 * x + y * (0.1 + 0.01 * (k % 7)), y - 0.1 * x * y
            if k % 8 == 0:
                x, y = ag.sin(x), ag.exp(-y)
        return x * y

    return f


@cache
def _size(rounds: int) -> int:
    kernel = ag.compile(ag.value_and_grad(_mixture(rounds), argnums=(0, 1)), backend="numpy")
    kernel(0.5, 0.5)
    return kernel.stats["instructions"]


def _rounds(size: int) -> int:
    """How long a mixture has about so many instructions."""
    return round(40 + (size - _size(40)) * 40 / (_size(80) - _size(40)))


# ---- What these and the moons have in common


def jax_of_doubles() -> Any:
    if jax := optional("jax"):
        jax.config.update("jax_enable_x64", True)
    return jax


def ready(jax: Any, f: Any, args: Any) -> Step:
    """A call of `f` that waits for its results; arrays are on the device already, floats are not."""
    args = [jax.numpy.array(x) if isinstance(x, np.ndarray) else x for x in args]
    return lambda: jax.block_until_ready(f(*args))


def _numbers(result: Any) -> Any:
    if isinstance(result, (tuple, list)):
        return np.concatenate([_numbers(x) for x in result])
    return np.ravel(np.asarray(result.detach() if hasattr(result, "detach") else result, np.float64))


def agree(rivals: dict[str, Step], tolerance: float) -> None:
    """All rivals compute the same numbers, or an AssertionError says who does not."""
    first, *others = (_numbers(call()) for call in rivals.values())
    for name, other in zip([*rivals][1:], others, strict=True):
        np.testing.assert_allclose(other, first, rtol=tolerance, atol=tolerance, err_msg=name)


def timed(name: str, unit: str, scale: float, rivals: dict[str, Step], rounds: int = 9) -> Row:
    """A row of the rivals' times in a unit of which a second has `scale`."""
    times = {rival: t * scale for rival, t in in_turn(rivals, rounds).items()}
    return Row(name, unit, times.pop("chainrule"), times)


def judged(row: Row, factors: dict[str, float], target: str) -> Row:
    """The row with its verdict: how many times faster we must be than each peer, at least."""
    ratios = {peer: row.peers[peer] / row.ours for peer in factors if peer in row.peers}
    row.target = target
    if ratios:
        row.reached = all(ratio >= factors[peer] for peer, ratio in ratios.items())
        row.verdict = ", ".join(f"{ratio:.1f}× {peer}" for peer, ratio in ratios.items())
    return row
