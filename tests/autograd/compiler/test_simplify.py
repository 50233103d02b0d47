"""Simpler programs give the same bits, also of 0, -0, infinities and nan."""

import itertools

import numpy as np
import pytest

import autograd as ag
from autograd import elementwise as e
from autograd import modes
from autograd.compiler.lowering import hides_nan, lower, with_guards
from autograd.compiler.program import Guard, Instruction, Program
from autograd.compiler.simplify import is_comparison, simplify
from autograd.compiler.trace import Trace
from autograd.elementwise import ELEMENTWISE
from tests.bits import EDGES, inf, nan, program_of, same_bits
from tests.interpreter import is_machine_operation


def recorded(f, *example):
    trace = Trace()
    inputs = [trace.input(label, x) for label, x in zip("xyz", example, strict=False)]
    with modes.recording(True), modes.tracing(trace), np.errstate(all="ignore"):
        result = f(*inputs)
    return trace.program([trace.output(x) for x in (result if isinstance(result, tuple) else (result,))])


def interpreted(program, *numbers):
    """What the outputs are, one operation at a time."""
    values = dict(zip(program.inputs, numbers, strict=True))
    for i in program.code:
        values[i] = i.value if i.op is None else float(i.op.scalar(*(values[arg] for arg in i.args)))
    return [values[output] for output in program.outputs]


def names(program):
    return [i.op.name for i in program.code if i.op is not None]


RULES = {  # what is written, and the operations that are left of it
    "x * 1": (lambda x, y: x * 1.0, []),
    "1 * x": (lambda x, y: 1.0 * x, []),
    "x * -1": (lambda x, y: x * -1.0, ["neg"]),
    "x + -0": (lambda x, y: x + -0.0, []),
    "x + 0": (lambda x, y: x + 0.0, ["add"]),  # of -0 it is 0
    "exp(x) + 0": (lambda x, y: ag.exp(x) + 0.0, ["exp"]),
    "abs(x) + 0": (lambda x, y: 0.0 + ag.abs(x), ["abs"]),
    "(x + 1) + 0": (lambda x, y: (x + 1.0) + 0.0, ["add"]),
    "(x + y) + 0": (lambda x, y: (x + y) + 0.0, ["add", "add"]),
    "(x + -0.5) + 0": (lambda x, y: (x + -0.5) + 0.0, ["add"]),
    "x - 0": (lambda x, y: x - 0.0, []),
    "x - -0": (lambda x, y: x - -0.0, ["sub"]),
    "-0 - x": (lambda x, y: -0.0 - x, ["neg"]),
    "0 - x": (lambda x, y: 0.0 - x, ["sub"]),
    "x * 0": (lambda x, y: x * 0.0, ["mul"]),
    "x - x": (lambda x, y: x - x, ["sub"]),
    "x / x": (lambda x, y: x / x, ["div"]),
    "-(-x)": (lambda x, y: ag.neg(-x), []),
    "x + -y": (lambda x, y: x + -y, ["sub"]),
    "-x + y": (lambda x, y: -x + y, ["sub"]),
    "x - -y": (lambda x, y: x - -y, ["add"]),
    "-x * y": (lambda x, y: -x * y, ["mul", "neg"]),
    "-x * -y": (lambda x, y: -x * -y, ["mul"]),
    "-x / y": (lambda x, y: -x / y, ["div", "neg"]),
    "x / -y": (lambda x, y: x / -y, ["div", "neg"]),
    "-x / -y": (lambda x, y: -x / -y, ["div"]),
    "x / 1": (lambda x, y: x / 1.0, []),
    "x / 2": (lambda x, y: x / 2.0, ["mul"]),
    "x / -0.25": (lambda x, y: x / -0.25, ["mul"]),
    "x / 3": (lambda x, y: x / 3.0, ["div"]),
    "x / 0": (lambda x, y: x / 0.0, ["div"]),
    "x / huge": (lambda x, y: x / 2.0**1023, ["div"]),
    "x / tiny": (lambda x, y: x / 5e-324, ["div"]),
    "x / inf": (lambda x, y: x / inf, ["div"]),
    "x ** 2": (lambda x, y: x**2, ["mul"]),
    "x ** 2.0": (lambda x, y: ag.power(x, 2.0), ["mul"]),
    "x ** 1": (lambda x, y: x**1, []),
    "x ** 0": (lambda x, y: x**0, []),
    "x ** -0": (lambda x, y: x**-0.0, []),
    "x ** 0.5": (lambda x, y: x**0.5, ["power"]),
    "1 ** x": (lambda x, y: 1.0**x, ["power"]),
    "abs(-x)": (lambda x, y: ag.abs(-x), ["abs"]),
    "abs(abs(x))": (lambda x, y: ag.abs(ag.abs(x)), None),
    "where(c, x, x)": (lambda x, y: ag.where(x > y, y, y), []),
    "where(1, x, y)": (lambda x, y: ag.where(1.0, x, y), []),
    "where(nan, x, y)": (lambda x, y: ag.where(nan, x, y), []),
    "where(-0, x, y)": (lambda x, y: ag.where(-0.0, x, y), []),
    "where((x > y) != 0, x, y)": (lambda x, y: ag.where((x > y) != 0.0, x, y), ["greater", "where"]),
    "(x > y) != 0": (lambda x, y: (x > y) != 0.0, ["greater"]),
    "~~(x > y)": (lambda x, y: ~~(x > y), None),
    "x == x": (lambda x, y: x == x, ["equal"]),
    "x * y + y * x": (lambda x, y: x * y + y * x, ["mul", "add"]),
    "x - y, y - x": (lambda x, y: (x - y) * (y - x), ["sub", "sub", "mul"]),
    "sin(x) * sin(x)": (lambda x, y: ag.sin(x) * ag.sin(x), ["sin", "mul"]),
    "constants": (lambda x, y: ag.exp(ag.Value(1.0)) * x + (ag.sin(2.0) - 1.0) * 0.0, None),
    "unused": (lambda x, y: (ag.exp(y), x * y)[1], ["mul"]),
}


@pytest.mark.parametrize("rule", RULES)
def test_what_is_left_gives_the_same_bits(rule):
    f, left = RULES[rule]
    program = recorded(f, 1.0, 2.0)
    simpler = simplify(program)
    assert left is None or names(simpler) == left
    assert len(simpler) <= len(program)
    assert all(is_machine_operation(i.op) for i in lower(simpler).code if i.op is not None)
    for x, y in itertools.product(EDGES, EDGES[::3]):
        [expected] = interpreted(program, x, y)
        assert same_bits(interpreted(simpler, x, y), [expected]).all(), (x, y)
        assert same_bits(interpreted(lower(simpler), x, y), [expected]).all(), (x, y)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_an_operation_of_constants_is_a_constant(name):
    op = ELEMENTWISE[name]
    for row in itertools.product(EDGES[:20:3], repeat=len(op.rules)):
        program = program_of(op)
        constants = [Instruction(None, value=x) for x in row]
        result = Instruction(op, tuple(constants))
        [output] = simplify(Program(program.inputs, [*constants, result], [result])).outputs
        assert output.op is None
        assert same_bits([output.value], [float(op.scalar(*row))]).all()


@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if not is_machine_operation(ELEMENTWISE[name])])
def test_what_a_machine_does_not_have_is_made_of_what_it_has(name):
    op = ELEMENTWISE[name]
    lowered = lower(program_of(op))
    assert all(is_machine_operation(i.op) for i in lowered.code if i.op is not None)
    for i in lowered.code:  # booleans are for `where` alone
        taken = i.args[1:] if i.op is e.where else i.args
        assert not any(map(is_comparison, taken))
        assert i.op is not e.where or is_comparison(i.args[0])
    for row in itertools.product(EDGES, EDGES) if len(op.rules) == 2 else [(x,) for x in EDGES]:
        expected = op.scalar(*row)
        [result] = interpreted(lowered, *row)
        tolerance = 4e-16 * abs(expected) if name in ("sigmoid", "softplus") and abs(expected) < inf else 0.0
        assert same_bits([result], [expected]).all() or abs(result - expected) <= tolerance, row


def test_dead_code_goes_and_inputs_stay():
    def f(x, y):
        for _ in range(50):
            ag.exp(x)
        return x * 2.0

    program = recorded(f, 1.0, 2.0)  # of what the outputs were computed from alone
    assert (len(program), len(program.inputs)) == (1, 2)
    dead = Instruction(e.exp, (program.inputs[0],))
    simpler = simplify(Program(program.inputs, [dead, *program.code], program.outputs))
    assert (len(simpler), len(simpler.inputs)) == (1, 2)
    assert sum(i.op is None for i in simpler.code) == 1


def test_labels_and_lines_are_those_of_what_was_written():
    def f(x, y):
        z = x**2
        z.label = "area"
        return z + ag.sigmoid(y)

    program = lower(simplify(recorded(f, 1.0, 2.0)))
    first, last = program.outputs[0].args
    assert (first.op, first.label) == (e.mul, "area")
    assert all(i.line[1] == f.__code__.co_firstlineno + 3 for i in program.code if i.op and i is not first)
    assert last.op is e.div


def test_what_is_simplified_away_leaves_its_label():
    def f(x, y):
        z = (x * y) * 1.0
        z.label = "area"
        return ag.sin(z)

    assert "area" in str(simplify(recorded(f, 1.0, 2.0)))


# ---- Guards


def test_guards_on_constants_drop():
    def f(x, y):
        c = ag.Value(2.0)
        return x * 2.0 if c * 2.0 > 3.0 and x > 0.0 and x * 0.0 == 0.0 else x

    program = recorded(f, 1.0, 2.0)
    assert len(program.guards) == 3
    assert len(simplify(program).guards) == 2


def test_guards_become_one_more_output_where_folded_outputs_are_zero():
    def f(x, y):
        return (x, y) if x > 0.0 and not y > 1.0 else (y, x)

    program = with_guards(lower(simplify(recorded(f, 1.0, 0.5))), [True, False])
    assert program.guards == []
    assert interpreted(program, 2.0, 0.5) == [2.0, 0.5, 1.0]
    for x, y in ((-1.0, 0.5), (2.0, 3.0), (nan, 0.5), (-inf, 3.0)):
        assert interpreted(program, x, y)[::2] == [0.0, 0.0]
    free = Program(program.inputs, [], [program.inputs[0]])
    assert with_guards(free, [True]) is free
    guard = Instruction(e.greater, tuple(program.inputs))
    assert len(with_guards(Program(program.inputs, [guard], [], [Guard(guard, True, None)]), []).outputs) == 1


slope = ag.grad(lambda x: x * ag.log(x))  # where x is the cotangent of its logarithm


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: slope(x) * 2.0, False),
        (lambda x: ag.where(x > 0.0, slope(x), 0.0), False),
        (lambda x: ag.where(slope(x) > 0.0, x, 0.0), True),
        (lambda x: ag.step(slope(x)), True),
        (lambda x: ag.sin(slope(x)) > 1.0, True),
        (lambda x: ag.grad(lambda y: ag.where(y > 0.0, ag.log(y), 0.0))(x), False),
        (lambda x: ag.step(ag.grad(ag.log)(x)), False),  # the cotangent is 1: no product that zero could win
        (lambda x: x > 1.0, False),
    ],
)
def test_whether_a_derivative_that_is_nan_could_become_a_number(f, expected):
    assert hides_nan(recorded(f, 2.0)) is expected
