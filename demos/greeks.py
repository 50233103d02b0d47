"""The price of an option and its Greeks: a million of each, from a formula written for one.

A call option is the right to buy a stock at the price K (the strike) after T years. The formula of Black and Scholes
(1973) gives its value if the stock's price is S (the spot), the interest rate is r, and the price varies by sigma a year
(the volatility). Traders also need the derivatives of that value, which have Greek names: delta (with respect to S),
"dual delta" (K), rho (r), vega (sigma), theta (elapsed time, so that its sign is opposite to the derivative in T); and
gamma, the derivative of delta.

Here the price is a Python function of five floats. `ag.value_and_grad` makes it a function that gives the price and all
five derivatives, `ag.grad` of `ag.grad` one that gives gamma, and `ag.compile` turns either into machine code, which takes
arrays too. The derivatives also have formulas of their own, derived by hand; both agree to the last digits.

The peak of gamma is not at the strike but below it, where d1 = -sigma * sqrt(T): at K * exp(-(r + 3/2 * sigma**2) * T).

Writes greeks.png: price and Greeks over the spot, for three times to go.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd as ag
from demos.common.options import Options
from demos.common.pictures import BLUE, GREEN, GREY, VERMILLION, panels, save
from demos.common.timing import in_words, say_timing, seconds, two_digits
from demos.common.typing import Array

STRIKE, RATE, VOLATILITY = 100.0, 0.03, 0.25
TIMES = {"1 month": (1 / 12, BLUE, "-"), "6 months": (0.5, VERMILLION, "--"), "2 years": (2.0, GREEN, ":")}


def black_scholes(S: Any, K: Any, T: Any, r: Any, sigma: Any) -> Any:
    """The price of one European call."""
    d1 = (ag.log(S / K) + (r + 0.5 * sigma * sigma) * T) / (sigma * ag.sqrt(T))
    d2 = d1 - sigma * ag.sqrt(T)
    return S * normal(d1) - K * ag.exp(-r * T) * normal(d2)


def normal(x: Any) -> Any:
    """The probability that a normal variable lies below x."""
    return 0.5 + 0.5 * ag.erf(x * math.sqrt(0.5))


def run(options: Options) -> None:
    price_and_slopes = ag.compile(ag.value_and_grad(black_scholes, argnums=(0, 1, 2, 3, 4)))
    gamma = ag.compile(ag.grad(ag.grad(black_scholes)))

    price, (delta, dual_delta, in_T, rho, vega) = price_and_slopes(100.0, STRIKE, 0.5, RATE, VOLATILITY)
    print(
        f"A call at the money with 6 months to go: price {price:.4f}, delta {delta:.4f}, dual delta {dual_delta:.4f},"
    )
    print(f"  theta {-in_T:.4f} a year, rho {rho:.4f}, vega {vega:.4f}")

    market = draw_market(options.seed, 1_000 if options.quick else 20_000)
    off = differences(market, price_and_slopes(*market), gamma(*market))
    print(f"Greatest difference from the formulas by hand, of {len(market[0]):,} options:")
    print("  " + ", ".join(f"{name} {difference:.0e}" for name, difference in off.items()))

    spot = np.linspace(60.0, 140.0, 16_001)
    for name, (time, _, _) in TIMES.items():
        peak = spot[np.argmax(gamma(spot, STRIKE, time, RATE, VOLATILITY))]
        print(f"Gamma with {name} to go has its peak at {peak:.3f}; by the formula at {gamma_peak(time):.3f}")

    say_timings(price_and_slopes, options)
    print(
        f"Finding: no Greek by the chain rule is off its formula by more than {max(off.values()):.0e} of its size; gamma has its "
        f"peak below the strike of {STRIKE:g}: with 2 years to go at {peak:.2f}, where the formula says {gamma_peak(time):.2f}."
    )
    draw(options, price_and_slopes, gamma)


def draw_market(seed: int, n: int) -> tuple[Array, ...]:
    """S, K, T, r and sigma of `n` options."""
    rng = np.random.default_rng(seed)
    ranges = ((50.0, 150.0), (80.0, 120.0), (0.1, 2.0), (0.0, 0.06), (0.1, 0.5))
    return tuple(rng.uniform(*bounds, n) for bounds in ranges)


# ---- The formulas by hand, to compare with


def differences(market: tuple[Array, ...], found: Any, gamma: Array) -> dict[str, float]:
    """The greatest error of each Greek, relative to its greatest value."""
    _, (delta, dual_delta, in_T, rho, vega) = found
    S, K, T, r, sigma = market
    d1 = (np.log(S / K) + (r + sigma**2 / 2) * T) / (sigma * np.sqrt(T))
    N1, N2 = (normal(d) for d in (d1, d1 - sigma * np.sqrt(T)))
    density, discount = np.exp(-(d1**2) / 2) / math.sqrt(2 * math.pi), np.exp(-r * T)
    known = {
        "delta": (delta, N1),
        "dual delta": (dual_delta, -discount * N2),
        "theta": (-in_T, -S * density * sigma / (2 * np.sqrt(T)) - r * K * discount * N2),
        "rho": (rho, K * T * discount * N2),
        "vega": (vega, S * density * np.sqrt(T)),
        "gamma": (gamma, density / (S * sigma * np.sqrt(T))),
    }
    return {name: float(np.abs(ours - its).max() / np.abs(its).max()) for name, (ours, its) in known.items()}


def gamma_peak(time: float) -> float:
    return STRIKE * math.exp(-(RATE + 1.5 * VOLATILITY**2) * time)


# ---- Timings and pictures


def say_timings(price_and_slopes: ag.Kernel, options: Options) -> None:
    n, few = (20_000, 30) if options.quick else (1_000_000, 300)
    market = draw_market(options.seed, n)
    price_and_slopes(*market)  # compiles anew: for arrays
    compiled = seconds(lambda: price_and_slopes(*market))
    eagerly = ag.value_and_grad(black_scholes, argnums=(0, 1, 2, 3, 4))
    ones = list(zip(*(column[:few].tolist() for column in market), strict=True))
    eager = seconds(lambda: [eagerly(*one) for one in ones], 3) / few * n
    say_timing(
        f"{n:,} options with five Greeks each take {in_words(compiled)} compiled, {in_words(eager)} eagerly one by one "
        f"(reckoned from {few}): {two_digits(eager / compiled)} times as long."
    )


def draw(options: Options, price_and_slopes: ag.Kernel, gamma: ag.Kernel) -> None:
    spot = np.linspace(50.0, 150.0, 401)
    curves = {}
    for name, (time, _, _) in TIMES.items():
        price, (delta, dual_delta, in_T, rho, vega) = price_and_slopes(spot, STRIKE, time, RATE, VOLATILITY)
        bend = gamma(spot, STRIKE, time, RATE, VOLATILITY)
        # As they are quoted: vega and rho for a hundredth more, theta for a day less to go.
        curves[name] = [price, delta, bend, vega / 100, -in_T / 365, rho / 100, dual_delta]
    titles = {
        "Price of the call": "price",
        "Delta: shares to hold": "per 1 of spot",
        "Gamma: delta's slope": "delta per 1 of spot",
        "Vega: more volatility": "per percentage point",
        "Theta: a day goes by": "per day",
        "Rho: more interest": "per percentage point",
        "Dual delta: higher strike": "per 1 of strike",
    }
    figure, _ = panels(1, height=9.0)
    figure.clear()
    grid = figure.add_gridspec(3, 3)
    places = [figure.add_subplot(place) for place in (grid[0, :2], *(grid[k // 3 + 1, k % 3] for k in range(6)))]
    for k, (axes, (title, label)) in enumerate(zip(places, titles.items(), strict=True)):
        axes.axvline(STRIKE, color=GREY, linewidth=0.8)
        for name, (_, colour, dashes) in TIMES.items():
            axes.plot(spot, curves[name][k], color=colour, linestyle=dashes)
        axes.set(title=title, ylabel=label, xticks=[50, 75, 100, 125, 150])
    for axes in places[4:]:
        axes.set_xlabel("spot")
    key = figure.add_subplot(grid[0, 2])
    for row, (name, (_, colour, dashes)) in enumerate(TIMES.items()):
        key.plot([0.0, 0.3], [-row, -row], color=colour, linestyle=dashes)
        key.text(0.38, -row, f"{name} to go", color=colour, weight="bold", va="center")
    key.plot([0.15, 0.15], [-3.3, -2.7], color=GREY, linewidth=0.8)
    key.text(0.38, -3, f"the strike, {STRIKE:g}", color=GREY, va="center")
    key.set(xlim=(0.0, 1.0), ylim=(-4, 1))
    key.set_axis_off()
    save(figure, options.out / "greeks.png")
