"""A program reads as text, a line an operation, with the user's names and lines."""

import math
import re

import numpy as np
import pytest

import autograd as ag
from autograd import elementwise as e
from autograd.compiler.program import Guard, Instruction, Program, float_bits, number


def program_of(f, *args, **options):
    kernel = ag.compile(f, backend="numpy", **options)
    kernel(*args)
    return kernel.program


def test_a_program_is_printed():
    def gap(x, limit):
        width = x - limit
        width.label = "width"
        if width > 0.5:
            return ag.exp(width) * 0.1, x
        return width, x

    first = gap.__code__.co_firstlineno
    assert str(program_of(gap, 3.0, 2.0)).splitlines() == [
        "inputs: x, limit",
        f"v0: f64 = sub x, limit                        # width, test_program.py:{first + 1}",
        f"v1: bool = greater v0, 0.5                    # test_program.py:{first + 3}",
        f"v2: f64 = exp v0                              # test_program.py:{first + 4}",
        f"v3: f64 = mul v2, 0.1                         # test_program.py:{first + 4}",
        f"guard v1 is True                              # test_program.py:{first + 3}",
        "return v3, x",
    ]


def test_lines_of_a_derivative_are_those_of_what_it_is_of():
    def f(x):
        y = ag.sin(x)
        return y * y

    first = f.__code__.co_firstlineno
    lines = str(program_of(ag.grad(f), 1.0)).splitlines()
    assert any(re.search(rf"cos x .*# ∂ test_program\.py:{first + 1}$", line) for line in lines)
    assert any(re.search(rf"sin x .*# test_program\.py:{first + 1}$", line) for line in lines)


def test_no_two_things_have_one_name():
    w = ag.Value(2.0, label="x")

    def f(x, v0, v1):
        return x * w + v0 * v1 + ag.sin(x)

    text = str(program_of(f, 1.0, 2.0, 3.0))
    inputs = text.splitlines()[0].removeprefix("inputs: ").split(", ")
    results = re.findall(r"^(\w+):", text, re.MULTILINE)[1:]
    assert len(set(inputs + results)) == 4 + 5


def test_places_in_trees_are_names():
    def f(tree, v, *rest, scale):
        return tree["a"][0] * v[1] + rest[0] + scale

    kernel = ag.compile(f)
    kernel({"a": [1.0, 2.0]}, (1.0, 2.0), 3.0, scale=4.0)
    labels = [i.label for i in kernel.program.inputs]
    assert labels == ["tree['a'][0]", "tree['a'][1]", "v[0]", "v[1]", "x2", "scale"]
    kernel = ag.compile(lambda m, x: m @ x, signature="(2,2),(2)->(2)")
    kernel(np.eye(2), np.ones(2))
    assert [i.label for i in kernel.program.inputs] == ["m[0,0]", "m[0,1]", "m[1,0]", "m[1,1]", "x[0]", "x[1]"]


def test_it_counts_operations():
    x = Instruction(None, label="x")
    one = Instruction(None, value=1.0)
    above, root = Instruction(e.greater, (x, one)), Instruction(e.sqrt, (x,))
    chosen = Instruction(e.where, (above, root, x))
    program = Program([x], [one, above, root, chosen], [chosen, x], [Guard(above, True, None)])
    assert (len(program), program.flops) == (3, 1)
    assert [i.type for i in program.code] == ["f64", "bool", "f64", "f64"]
    assert str(Program([], [one], [one])) == "return 1"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (-0.0, "-0"), (0.1, "0.1"), (1e300, "1e+300"), (math.nan, "nan"), (-math.inf, "-inf")],
)
def test_constants_are_short_and_exact(value, text):
    assert number(value) == text
    assert float_bits(float(text)) == float_bits(value)


def test_zeros_are_told_apart_by_their_bits():
    assert float_bits(0.0) != float_bits(-0.0)
    assert float_bits(math.nan) == float_bits(math.nan)


def test_stats_count_what_the_program_has():
    kernel = ag.compile(lambda x: (x * 1.0 + ag.exp(x)) * (ag.exp(x) + x), backend="numpy")
    kernel(1.0)
    assert len(kernel.program) == 3
    stats = kernel.stats
    assert (stats["recorded"], stats["instructions"], stats["flops"], stats["paths"]) == (6, 3, 3, 1)
    assert stats["backend"] == "numpy"
