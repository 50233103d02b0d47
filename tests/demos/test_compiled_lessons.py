"""What the lessons on compiled code claim must be so: greeks, orbit, moons --compiled."""

import math
import re

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("tqdm")

import autograd as ag
import demos.__main__ as runner
import nn
from demos import greeks, moons, orbit
from demos.common.options import Options
from demos.common.timing import in_words, seconds
from nn.scalar import MLP


def quick(capsys, tmp_path, name, *arguments):
    """The finding of a demo run in a hurry, and all that it said."""
    assert runner.main([name, "--quick", "--out", str(tmp_path), *arguments]) == 0
    said = capsys.readouterr().out
    assert len(re.findall(r"^Timing: .+\.$", said, re.MULTILINE)) == 1
    return re.search(r"^Finding: (.+)$", said, re.MULTILINE)[1], said


# ---- Greeks


def known_greeks(S, K, T, r, sigma):
    """Price, delta, dual delta, theta, rho, vega and gamma, by Hull's formulas, in Python's floats."""
    d1 = (math.log(S / K) + (r + sigma**2 / 2) * T) / (sigma * math.sqrt(T))
    d2 = d1 - sigma * math.sqrt(T)
    N1, N2 = (0.5 * math.erfc(-d / math.sqrt(2)) for d in (d1, d2))
    density, discount = math.exp(-(d1**2) / 2) / math.sqrt(2 * math.pi), math.exp(-r * T)
    return [
        S * N1 - K * discount * N2,
        N1,
        -discount * N2,
        S * density * sigma / (2 * math.sqrt(T)) + r * K * discount * N2,
        K * T * discount * N2,
        S * density * math.sqrt(T),
        density / (S * sigma * math.sqrt(T)),
    ]


@pytest.mark.parametrize("seed", [0, 1])
def test_compiled_greeks_are_those_of_the_formulas(seed):
    market = greeks.draw_market(seed, 200)
    price, slopes = ag.compile(ag.value_and_grad(greeks.black_scholes, argnums=(0, 1, 2, 3, 4)))(*market)
    gamma = ag.compile(ag.grad(ag.grad(greeks.black_scholes)))(*market)
    known = np.array([known_greeks(*one) for one in zip(*market, strict=True)]).T
    for ours, its in zip([price, *slopes, gamma], known, strict=True):
        np.testing.assert_allclose(ours, its, rtol=1e-12, atol=1e-12 * np.abs(its).max())
    off = greeks.differences(market, (price, slopes), gamma)
    assert len(off) == 6
    assert max(off.values()) < 1e-12


def test_a_wrong_greek_would_be_found():
    market = greeks.draw_market(0, 50)
    price, slopes = ag.compile(ag.value_and_grad(greeks.black_scholes, argnums=(0, 1, 2, 3, 4)))(*market)
    gamma = ag.compile(ag.grad(ag.grad(greeks.black_scholes)))(*market)
    for k, name in enumerate(("delta", "dual delta", "theta", "rho", "vega")):
        wrong = [slope * (1.001 if i == k else 1) for i, slope in enumerate(slopes)]
        off = greeks.differences(market, (price, wrong), gamma)
        assert [name for name, difference in off.items() if difference > 1e-4] == [name]


def test_gamma_has_its_peak_where_the_third_derivative_is_zero(capsys, tmp_path):
    third = ag.compile(ag.grad(ag.grad(ag.grad(greeks.black_scholes))))
    rest = (greeks.STRIKE, 2.0, greeks.RATE, greeks.VOLATILITY)
    peak = greeks.gamma_peak(2.0)
    assert abs(third(peak, *rest)) < 1e-15
    assert third(peak - 1, *rest) > 1e-6 > -1e-6 > third(peak + 1, *rest)
    finding, _ = quick(capsys, tmp_path, "greeks")
    most, found, formula = map(float, re.findall(r"(?:than|at|says) (\d\S*\d)", finding))
    assert most < 1e-12
    assert found == formula == round(peak, 2)


# ---- Orbit


@pytest.mark.parametrize("seed", ["0", "1", "2", "3"])
def test_the_probe_arrives(seed, capsys, tmp_path):
    finding, _ = quick(capsys, tmp_path, "orbit", "--seed", seed)
    descent, momentum, newton = (float(x) for x in re.findall(r"by (\d\S*e\S+)", finding))
    assert newton < 1e-12 < momentum < 0.01 < descent < 0.5


def test_the_flight_keeps_to_the_laws_of_kepler():
    task = orbit.Task(0.0, 0.0, 2.0 * math.pi, 2000)
    circle = np.array(orbit.flight(0.0, 1.0, task))
    assert np.abs(np.hypot(*circle.T) - 1.0).max() < 1e-5
    assert np.abs(circle[-1] - [1.0, 0.0]).max() < 1e-4  # home after a year
    half = orbit.Task(0.0, 0.0, math.pi * 1.25**1.5, 2000)  # from 1 to 1.5, by half an ellipse
    places = np.array(orbit.flight(0.0, math.sqrt(2.0 * 1.5 / 2.5), half))
    assert np.abs(places[-1] - [-1.5, 0.0]).max() < 1e-4


def test_the_gradient_through_the_flight_is_that_of_differences():
    task = orbit.draw_task(Options(quick=True))
    aim = ag.compile(ag.value_and_grad(lambda vx, vy: orbit.missed(vx, vy, task), argnums=(0, 1)))
    ag.gradcheck(lambda vx, vy: orbit.missed(vx, vy, task), 0.1, 1.05)
    miss, slopes = aim(np.array([0.0, 0.1, 0.2]), 1.05)
    for k, vx in enumerate((0.0, 0.1, 0.2)):
        known, known_slopes = ag.value_and_grad(lambda vx, vy: orbit.missed(vx, vy, task), argnums=(0, 1))(vx, 1.05)
        assert math.isclose(miss[k], known, rel_tol=1e-12)
        np.testing.assert_allclose([slope[k] for slope in slopes], known_slopes, rtol=1e-9)


# ---- Moons


def test_compiled_losses_are_the_eager_ones():
    points, labels = nn.moons(30, noise=0.1, rng=0)
    signs = 2.0 * labels - 1.0
    losses, scores = [], []
    for make in (moons.eager_step, moons.compiled_step):
        model = MLP(2, [6, 1], rng=0)
        losses.append(list(moons.training(model, make(model), points, signs, 25)))
        scores.append(moons.eager_score(model)(points))
    assert np.ptp(losses[0]) > 0.1  # something was learned
    np.testing.assert_allclose(losses[1], losses[0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(scores[1], scores[0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(ag.compile(model, signature="(2)->()")(points), scores[1], rtol=1e-12)


def test_moons_finds_the_same_either_way(capsys, tmp_path):
    finding, said = quick(capsys, tmp_path, "moons", "--compiled")
    assert float(re.search(r"by more than (\S+)$", said, re.MULTILINE)[1]) < 1e-9
    assert runner.main(["moons", "--quick", "--out", str(tmp_path)]) == 0
    eagerly = capsys.readouterr().out
    assert f"Finding: {finding}\n" in eagerly
    assert "Timing" not in eagerly


# ---- Timing


def test_times_are_told_in_two_digits():
    told = [in_words(t) for t in (0.0, 1.234e-6, 99.6e-6, 0.994e-3, 0.996e-3, 0.0234, 0.994, 0.996, 1.26, 89.6, 1234.0)]
    assert told == ["0 µs", "1.2 µs", "100 µs", "990 µs", "1 ms", "23 ms", "990 ms", "1 s", "1.3 s", "90 s", "1,200 s"]


def test_the_time_is_the_median(monkeypatch):
    ticks = iter([0.0, 5.0, 10.0, 11.0, 20.0, 22.0])
    monkeypatch.setattr("demos.common.timing.time.perf_counter", lambda: next(ticks))
    calls = []
    assert seconds(lambda: calls.append(1), 3) == 2.0
    assert len(calls) == 3
