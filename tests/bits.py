"""Distances of floats in ulps, and runs of a back end of the compiler on columns of numbers."""

import itertools
import math

import numpy as np

from autograd.compiler.program import Instruction, Program
from autograd.elementwise import ELEMENTWISE

inf, nan = math.inf, math.nan
EDGES = [
    *(0.0, -0.0, inf, -inf, nan, 5e-324, -5e-324, 1e-310, 2.2250738585072014e-308, 1e-308, 1e308, -1e308),
    *(1.7976931348623157e308, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 1 / 3, 27.0, -8.0, 2.75, 1e-8, -1e-16),
    *(709.78, -745.1, 22.0, -40.0, 1000.0, -1000.0, 2.0**53, 1e16, -1e16, math.pi, -math.pi / 2, 1 - 1e-16, -1 + 1e-16),
]
_MORE = np.random.default_rng(0).normal(size=60).tolist() + np.geomspace(1e-9, 1e9, 37).tolist()
GRIDS = {  # of arguments, for operations of so many
    1: [(x,) for x in [*EDGES, *_MORE, *(-x for x in _MORE)]],
    2: list(itertools.product(EDGES + _MORE[:12], EDGES + _MORE[:12])),
    3: list(itertools.product(EDGES[:16:2], EDGES[::2], EDGES[::3])),
}
_EXACT = ("neg", "add", "sub", "mul", "div", "abs", "sqrt", "floor", "ceil", "where", "fmod")
EXACT = {op for op in ELEMENTWISE.values() if op.is_comparison or op.name in _EXACT}


def same_bits(result, expected):
    """Where two columns are equal to the last bit; a nan is like any other."""
    result, expected = np.asarray(result, float), np.asarray(expected, float)
    return (result.view("i8") == expected.view("i8")) | (np.isnan(result) & np.isnan(expected))


def equal(result, expected):
    """Where two columns are equal, 0 and -0 too; a nan is like any other."""
    result, expected = np.asarray(result, float), np.asarray(expected, float)
    return (result == expected) | (np.isnan(result) & np.isnan(expected))


def ulps_apart(result, expected):
    """How many floats lie between two columns: very many between a nan and a number, or between 0 and -0."""
    pair = [np.asarray(x, float) for x in (result, expected)]
    left, right = (np.where(x.view("i8") < 0, np.int64(-(2**63)) - x.view("i8"), x.view("i8")) for x in pair)
    distance = np.maximum(left, right).view("u8") - np.minimum(left, right).view("u8")
    distance[(left == 0) & (right == 0) & ~same_bits(*pair)] = 2**63
    return np.where(np.isnan(pair[0]) & np.isnan(pair[1]), np.uint64(0), distance)


def wrong(op, result, expected, ulps=4):
    """Where the result of an operation is not what it should be: to the last bit, or `ulps` for a transcendental one."""
    if op is ELEMENTWISE["erfc"] and ulps:  # SciPy's is a few ulps off, and 0 where it would be subnormal
        result, ulps = np.where(np.less(expected, 2e-308) & np.equal(result, 0), expected, result), 32
    return ~same_bits(result, expected) if op in EXACT else ulps_apart(result, expected) > ulps


def program_of(op):
    """An operation by itself, with inputs of its own."""
    inputs = [Instruction(None, label=label) for label in "xyz"[: len(op.rules)]]
    result = Instruction(op, tuple(inputs))
    return Program(inputs, [result], [result])


def run(backend, program, columns, uniform=None):
    """The outputs of a program, a column each, by a back end. Inputs that are `uniform` have the first
    number of their column in all lanes."""
    uniform = [False] * len(columns) if uniform is None else list(uniform)
    same = dict(zip(program.inputs, uniform, strict=True))
    for instruction in program.code:
        same[instruction] = all(same[arg] for arg in instruction.args)
    code = backend.compile(program, uniform, [False] * len(program.outputs), False)
    numbers = [column[0] for column, u in zip(columns, uniform, strict=True) if u]
    if all(uniform):
        return [[x] for x in code.once(numbers)]
    lanes = [np.array(column, float) for column, u in zip(columns, uniform, strict=True) if not u]
    row, laned, _ = code.run(np.array(numbers), lanes, len(lanes[0]), 1)
    row, laned = iter(row), iter(laned)
    return [np.full(len(lanes[0]), next(row)) if same[output] else next(laned) for output in program.outputs]
