"""Records are printed as one writes them, and tell of themselves."""

import inspect
import pydoc

import numpy as np
import pytest

import autograd as ag
from autograd import elementwise as e
from autograd.elementwise import ELEMENTWISE
from autograd.formulas import Formula, LatexFormula, described, parameters, slopes

a, b = Formula("a"), Formula("b")


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (a + b * 2.0, "a + b * 2"),
        ((a + b) * 2.0, "(a + b) * 2"),
        (a - (b - a), "a - (b - a)"),
        ((a - b) - a, "a - b - a"),
        (a / (b * a), "a / (b * a)"),
        ((a**b) ** a, "(a ** b) ** a"),
        (2.0**-a, "2 ** -a"),
        ((-a) ** 2.0, "(-a) ** 2"),
        (-(a * b), "-(a * b)"),
        (-a * b, "-a * b"),
        (1.0 - e.square(a + b), "1 - (a + b)**2"),
        (e.where(a > 0.0, a, 0.0), "where(a > 0, a, 0)"),
        (abs(a) % 3.0 if hasattr(a, "__mod__") else e.mod(abs(a), 3.0), "abs(a) % 3"),
        (e.tanh(a + b), "tanh(a + b)"),
        (1.0 / a + b, "1 / a + b"),
        (a * 0.1234567, "a * 0.123457"),
    ],
)
def test_parentheses_stand_where_they_are_needed(formula, text):
    assert str(formula) == text


@pytest.mark.parametrize("op", ELEMENTWISE.values(), ids=ELEMENTWISE)
def test_every_printed_slope_is_the_slope(op):
    """The text, computed with numbers, is what the rule gives."""
    names = parameters(op)
    values = dict(zip(names, (0.3, 0.7, -0.4), strict=False))
    if op.name == "acosh":
        values["x"] = 1.7
    nodes = {name: ag.Value(value) for name, value in values.items()}
    z = op(*nodes.values())
    space = {**ELEMENTWISE, "abs": abs, **values, "z": float(op(*values.values())), "nan": np.nan, "inf": np.inf}
    if isinstance(z, ag.Value):
        z.backward()
    for node, text in zip(nodes.values(), slopes(op), strict=True):
        assert float(np.sum(eval(text, space))) == pytest.approx(node.grad, rel=1e-5)


@pytest.mark.parametrize("op", ELEMENTWISE.values(), ids=ELEMENTWISE)
def test_every_record_has_a_formula_in_latex_whose_braces_match(op):
    text = LatexFormula.applied(op, list(map(LatexFormula.letter, parameters(op)))).text
    assert text.count("{") == text.count("}")
    assert text.count(r"\left") == text.count(r"\right")


def test_help_of_an_operation_is_its_own():
    text = pydoc.plain(pydoc.render_doc(ag.tanh))
    for part in ("tanh(x)", "The hyperbolic tangent", "z = tanh(x)", "dz/dx = 1 - z * z"):
        assert part in text
    assert "keep the argument above 0" in ag.log.__doc__
    assert "dz/dy = -z / y" in ag.div.__doc__
    assert "product of two matrices" in pydoc.plain(pydoc.render_doc(ag.matmul))
    assert ag.Primitive.__doc__.startswith("The record of an operation")
    assert described(ag.tanh)[0] == ag.tanh.__doc__


def test_an_operation_has_a_signature():
    assert str(inspect.signature(ag.tanh)) == "(x, /)"
    assert str(inspect.signature(ag.atan2)) == "(y, x, /)"
    assert [*inspect.signature(ag.Primitive).parameters][:3] == ["name", "scalar", "array"]


def test_every_public_operation_is_described_in_words():
    for name in ag.__all__:
        op = getattr(ag, name)
        if isinstance(op, ag.Primitive):
            assert op.doc, name


def test_a_primitive_of_the_users_own_has_the_docstring_of_its_function():
    @ag.primitive
    def cube(x):
        """The third power."""
        return x * x * x

    assert cube.__doc__ == "The third power."
    assert str(inspect.signature(cube)) == "(x)"


def test_settings_are_shown_as_one_writes_them():
    x = ag.Tensor(np.ones((2, 3)))
    shown = {
        "index(key=[0, :, ...])": lambda: ag.Tensor(np.ones((2, 3, 4)))[0, :, ...],
        "index(key=1:2)": lambda: x[1:2],
        "index(key=::2)": lambda: x[::2],
        "index(key=int64[2])": lambda: x[[0, 1]],
        "reshape(shape=(3, 2))": lambda: x.reshape(3, 2),
        "sum(axis=0, keepdims=True)": lambda: x.sum(axis=0, keepdims=True),
        "transpose": lambda: x.T,
        "roll(shift=1, axis=1)": lambda: ag.roll(x, 1, 1),
        "cast(dtype=float32)": lambda: ag.cast(x, np.float32),
        "pad(pad_width=((1, 1), (1, 1)), constant_values=0.0)": lambda: ag.pad(x, 1),
    }
    assert {str(make().op) for make in shown.values()} == set(shown)
