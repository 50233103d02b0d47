"""The gradient of one small expression: worked out step by step, checked, and drawn.

L = tanh(a * b + c) * a is computed on Values, which record what they were computed from. `backward()` follows that graph
back and stores in each input the derivative of L. Two checks: finite differences, with the same formula on floats and
each input moved a little up and down; and the chain rule written out, where `a`, used twice, gets two contributions.

Writes expression.svg and expression.png. Each --seed draws other inputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from demos.common.graphs import draw_graph
from demos.common.options import Options


def formula(a: Any, b: Any, c: Any) -> Any:
    """The formula, written once: on Values it records a graph, on floats it only computes."""
    return ag.tanh(a * b + c) * a


def slope(inputs: list[float], i: int, h: float = 1e-5) -> float:
    """The derivative of the formula with respect to input `i`, by a central finite difference."""
    up, down = list(inputs), list(inputs)
    up[i] += h
    down[i] -= h
    return float(formula(*up) - formula(*down)) / (2 * h)


def run(options: Options) -> None:
    # Inputs with one decimal, as in a calculation by hand.
    numbers = np.random.default_rng(options.seed).uniform(-1.5, 1.5, 3).round(1).tolist()
    a, b, c = (ag.Value(number, label) for number, label in zip(numbers, "abc", strict=True))

    L = formula(a, b, c)
    L.label = "L"
    L.backward()

    print(f"L = tanh(a * b + c) * a = {L.data:.6f}\n")
    print("input   value    backward()   finite difference")
    differences = []
    for i, x in enumerate((a, b, c)):
        check = slope(numbers, i)
        differences.append(abs(x.grad - check))
        print(f"{x.label:<5} {x.data:7.1f} {x.grad:13.8f} {check:19.8f}")

    print(f"\nThe chain rule, written out:\n\n{ag.explain(L)}\n")
    print(f"Finding: one backward pass gives all three slopes; finite differences agree to {max(differences):.0e}.")
    draw_graph(L, options.out / "expression.svg", options.out / "expression.png")
