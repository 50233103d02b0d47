"""Backpropagation through one neuron, step by step: a page that computes, differentiates, and asks you.

A neuron multiplies its inputs x1 and x2 by weights w1 and w2, adds the bias b, and bends the sum by tanh. These are the
numbers of a famous lecture: the sum is 0.8814 and the output 0.7071, where tanh has slope 0.5.

The chain rule is one line, used again and again. Backwards, each operation hands its gradient on to its inputs: to what an
input had before, it adds its local derivative times its own gradient,

    before + local * upstream = after.

A sum hands its gradient on as it is, for its local derivatives are 1. A product swaps: the gradient of x1 gets the factor
w1, and that of w1 the factor x1. So w2, whose input x2 is 0, has gradient 0: no change of it would change the output.

Open backprop.html in a browser. The arrow keys take a step, space plays, and Q starts the quiz, in which you compute each
gradient before it is shown. The lines of code beside the picture are those of this lesson.

Writes backprop.html. Nothing here is random, so --seed changes nothing, and it is quick without --quick.
"""

from __future__ import annotations

from typing import Any

import autograd as ag
from demos.common.options import Options

NUMBERS = {"x1": 2.0, "x2": 0.0, "w1": -3.0, "w2": 1.0, "b": 6.8813735870195432}
RAISE = 0.01


def neuron(x1: Any, x2: Any, w1: Any, w2: Any, b: Any) -> Any:
    """The neuron, a line an operation, for floats and for Values."""
    x1w1 = x1 * w1
    x2w2 = x2 * w2
    total = x1w1 + x2w2
    n = total + b
    o = ag.tanh(n)
    return o


def raised(name: str) -> float:
    """The output where one of the numbers is raised a little."""
    return float(neuron(**NUMBERS | {name: NUMBERS[name] + RAISE}))


def run(options: Options) -> None:
    values = {name: ag.Value(number, name) for name, number in NUMBERS.items()}
    with ag.trace_names():  # so that the page knows the names of variables, and the lines of code
        o = neuron(**values)
    o.backward()

    print(f"o = tanh(x1 * w1 + x2 * w2 + b) = {o.data:.4f}\n")
    print(f"        value   gradient   gradient * {RAISE:g}   o rises, if it is raised by {RAISE:g}, by")
    for name, value in values.items():
        print(
            f"{name:<4} {value.data:8.4f} {value.grad:10.4f} {RAISE * value.grad:17.4f} {raised(name) - o.data:20.4f}"
        )

    print(f"\nPage: {ag.stepper(o, options.out / 'backprop.html').path}")
    strongest = max(values, key=lambda name: abs(values[name].grad))
    print(
        f"Finding: one pass back gives all {len(values)} gradients; that of {strongest}, {values[strongest].grad:.4f}, says that "
        f"raising it by {RAISE:g} changes the output by about {RAISE * values[strongest].grad:.4f}, and it does: "
        f"by {raised(strongest) - o.data:.4f}."
    )
