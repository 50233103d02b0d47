"""The graph is the program: any graph is listed, and exported as a text that computes the same."""

import math
import re

import numpy as np
import pytest

import autograd as ag


def run(text, *args, name="f"):
    """What the function of a Python or NumPy text gives."""
    space = {}
    exec(compile(text, "<text>", "exec"), space)
    return space[name](*args)


def lines(program):
    return [line.partition("#")[0].rstrip() for line in str(program).splitlines()]


# ---- Programs of graphs


def test_a_graph_is_listed_with_labels():
    x, y = ag.Value(3.0, "x"), ag.Value(2.0, "y")
    area = x * y
    area.label = "area"
    assert str(ag.program(ag.exp(area) - 1.0)).splitlines() == [
        "inputs: x, y",
        "v0: f64 = mul x, y                            # area",
        "v1: f64 = exp v0",
        "v2: f64 = sub v1, 1",
        "return v2",
    ]


def test_a_program_of_arrays_has_dtypes_shapes_and_settings():
    x = ag.Tensor(np.ones((2, 3), np.float32), "x")
    y = (x[:, 1:] * np.ones(2, np.float32)).sum(axis=0).reshape(2, 1)
    program = ag.program(y)
    assert lines(program) == [
        "inputs: x: f32[2,3]",
        "v0: f32[2,2] = index x, key=[:, 1:]",
        "v1: f32[2,2] = mul v0, f32[2]",
        "v2: f32[2] = sum v1, axis=0",
        "v3: f32[2,1] = reshape v2, shape=(2, 1)",
        "return v3",
    ]
    assert [(i.dtype, i.shape) for i in program.inputs] == [("f32", (2, 3))]


def test_several_results_are_one_program():
    x = ag.Value(3.0, "x")
    y = x * x
    program = ag.program({"y": y, "z": [y + 1.0, x]})
    assert lines(program) == ["inputs: x", "v0: f64 = mul x, x", "v1: f64 = add v0, 1", "return v0, v1, x"]


def test_lines_are_known_where_they_were_recorded():
    x = ag.Value(3.0, "x")
    with ag.detect_anomaly():
        y = ag.sin(x)
    here = test_lines_are_known_where_they_were_recorded.__code__.co_firstlineno
    assert f"# test_listing.py:{here + 3}" in str(ag.program(y))
    assert "#" not in str(ag.program(ag.sin(x)))


def test_a_long_chain_is_listed():
    y = ag.Value(1.0, "x")
    for _ in range(20_000):
        y = y + 1.0
    assert len(ag.program(y)) == 20_000
    assert len(ag.source(y, "latex").splitlines()) > 1


# ---- Programs of functions


def curve(x, n=2):
    y = ag.sin(x)
    return y**n / x


def test_the_program_of_a_derivative_has_the_lines_that_it_is_of():
    text = str(ag.program(ag.grad(curve))(2.0))
    first = curve.__code__.co_firstlineno
    assert re.search(rf"cos x .*# ∂ test_listing\.py:{first + 1}$", text, re.MULTILINE)
    assert re.search(rf"sin x .*# test_listing\.py:{first + 1}$", text, re.MULTILINE)
    assert run(ag.source(ag.program(ag.grad(curve))(2.0), "python"), 0.7) == pytest.approx(
        ag.grad(curve)(0.7), rel=1e-15
    )


def test_derivatives_of_derivatives_are_programs():
    third = ag.grad(ag.grad(ag.grad(curve)))
    for language in ("python", "numpy"):
        assert run(ag.source(ag.program(third)(2.0), language), 0.7) == pytest.approx(third(0.7), rel=1e-13)


def test_keywords_are_handed_on():
    assert "mul" in str(ag.program(curve)(2.0, n=2))
    assert "power" in str(ag.program(curve)(2.0, n=3))


def test_a_branch_is_a_guard_and_a_mask_is_recorded():
    def f(x):
        return ag.relu(x) * x if x > -1.0 else -x

    text = str(ag.program(ag.grad(f))(0.5))
    assert "guard v0 is True" in text
    source = ag.source(ag.program(ag.grad(f))(0.5), "python")
    assert [run(source, x) for x in (-0.5, 0.5, 2.0)] == [0.0, 1.0, 4.0]
    with pytest.raises(ValueError, match="no path"):
        run(source, -2.0)


def test_arguments_give_their_names():
    def f(pair, w):
        return pair["a"] * w[0] + pair["b"] * w[1]

    assert lines(ag.program(f)({"a": 1.0, "b": 2.0}, [3.0, 4.0]))[0] == "inputs: pair['a'], pair['b'], w[0], w[1]"
    program = ag.program(f)({"a": np.ones(2), "b": 2.0}, [3.0, 4.0])
    assert lines(program)[0] == "inputs: pair['a']: f64[2], pair['b'], w[0], w[1]"


def test_nodes_are_taken_for_their_values():
    x = ag.Value(3.0)
    assert lines(ag.program(lambda t: t * 2.0)(x * x)) == ["inputs: t", "v0: f64 = mul t, 2", "return v0"]


def test_functions_of_arrays_and_their_derivatives():
    w, x = np.linspace(-1.0, 1.0, 6).reshape(3, 2), np.linspace(0.0, 2.0, 12).reshape(4, 3)

    def loss(w):
        return ag.sum(ag.tanh(x @ w) ** 2)

    program = ag.program(ag.grad(loss))(w)
    assert lines(program)[0] == "inputs: w: f64[3,2]"
    assert run(ag.source(program, "numpy"), 2.0 * w) == pytest.approx(ag.grad(loss)(2.0 * w), rel=1e-13)


def test_a_function_that_makes_arrays_of_numbers_is_recorded():
    program = ag.program(lambda x: ag.sum(x * np.arange(3.0)))(2.0)
    assert lines(program)[0] == "inputs: x"
    assert run(ag.source(program, "numpy"), 5.0) == 15.0


@pytest.mark.parametrize("given", [3.0, [ag.Value(1.0), 2.0], None, "x"])
def test_what_is_no_graph_is_an_error(given):
    with pytest.raises(TypeError, match="program needs what was computed"):
        ag.program(given)
    with pytest.raises(TypeError):
        ag.source(given, "python")


def test_a_function_must_be_called():
    with pytest.raises(TypeError, match=r"call ag\.program"):
        ag.source(curve, "python")


# ---- Exports

X = np.linspace(-1.0, 2.0, 12).reshape(3, 4)
ARRAYS = {
    "sum": lambda x: x.sum(axis=0, keepdims=True),
    "mean": lambda x: x.mean(axis=(0, 1)),
    "max": lambda x: ag.max(x, axis=1),
    "min": lambda x: ag.min(x),
    "prod": lambda x: ag.prod(x, axis=1),
    "cumsum": lambda x: ag.cumsum(x, axis=1),
    "norm": lambda x: ag.norm(x, axis=1),
    "norm of order 3": lambda x: ag.norm(x, ord=3, axis=1),
    "reshape": lambda x: x.reshape(2, 6),
    "transpose": lambda x: x.T @ x,
    "transpose by axes": lambda x: ag.transpose(x, (1, 0)),
    "swapaxes": lambda x: ag.swapaxes(x, 0, 1),
    "moveaxis": lambda x: ag.moveaxis(x, 0, 1),
    "expand_dims": lambda x: ag.squeeze(ag.expand_dims(x, 1)),
    "broadcast_to": lambda x: ag.broadcast_to(x, (2, 3, 4)),
    "flip": lambda x: ag.flip(x, axis=1) + ag.flip(x),
    "roll": lambda x: ag.roll(x, 2, axis=1) + ag.roll(x, 1),
    "tile": lambda x: ag.tile(x, (2, 1)),
    "cast": lambda x: ag.cast(x, np.float32),
    "concatenate": lambda x: ag.concatenate([x, x * 2.0], axis=1),
    "stack": lambda x: ag.stack([x, x], axis=1),
    "index": lambda x: x[1:, ::2] + x[:2, None, 1][:, 0],
    "index by arrays": lambda x: x[np.array([0, 2]), np.array([1, 3])],
    "index by a mask": lambda x: x[X > 0.5],
    "take_along_axis": lambda x: ag.sort(x, axis=0),
    "pad": lambda x: ag.pad(x, ((1, 0), (0, 2)), constant_values=math.inf),
    "einsum": lambda x: ag.einsum("ij,kj->ik", x, x),
    "linear": lambda x: ag.linear(x, np.ones((2, 4)), np.ones(2)),
    "inv": lambda x: ag.inv(x @ x.T + np.eye(3)),
    "det": lambda x: ag.det(x @ x.T + np.eye(3)),
    "solve": lambda x: ag.solve(x @ x.T + np.eye(3), x),
    "cholesky": lambda x: ag.cholesky(x @ x.T + np.eye(3)),
    "slogdet": lambda x: ag.slogdet(x @ x.T + np.eye(3))[1],
    "where": lambda x: ag.where(X > 0.0, x, 0.0),
    "elementwise": lambda x: ag.relu(x) + ag.sigmoid(x) - ag.softplus(-x) * ag.maximum(x, 0.3) / (1.0 + ag.abs(x) ** 1.5),
}  # fmt: skip


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_numpy_has_arrays_too(name, dtype):
    y = ARRAYS[name](ag.Tensor(X.astype(dtype), "x"))
    result = run(ag.source(y, "numpy"), X.astype(dtype))
    assert result.dtype == y.dtype
    assert result.shape == y.shape
    np.testing.assert_allclose(
        result, y.data, rtol=1e-12 if dtype is np.float64 else 1e-4, atol=1e-6 * (dtype is np.float32)
    )


def test_what_a_language_does_not_have_is_named():
    x = ag.Tensor(X, "x")
    with pytest.raises(ag.CompileError, match=r"no word for softmax\(axis=1\)"):
        ag.source(ag.softmax(x, axis=1), "numpy")
    for language in ("python", "c", "javascript"):
        with pytest.raises(ag.CompileError, match=r"single numbers, and here is an array, f64\[3,4\]: take 'numpy'"):
            ag.source(x.sum(), language)
    with pytest.raises(ag.CompileError, match=r"constants of up to 1,000 elements, and here is one of shape \(1001,\)"):
        ag.source(ag.Tensor(1.0) * np.ones(1001), "numpy")
    with pytest.raises(ValueError, match="'rust' is no language"):
        ag.source(ag.Value(1.0) * 2.0, "rust")


def test_the_function_has_the_name_that_is_wanted():
    x, y = ag.Value(3.0, "x"), ag.Value(2.0, "y")
    text = ag.source(ag.log(x) * y, "python", "slope")
    assert run(text, 3.0, 2.0, name="slope") == 2.0 * math.log(3.0)
    assert "def f(x, y)" in ag.source(x * y, "numpy")
    assert "int f(" in ag.source(x * y, "c")
    assert "function f(x, y) {" in ag.source(x * y, "javascript")


# ---- LaTeX

x, y, z = ag.Value(3.0, "x"), ag.Value(2.0, "y"), ag.Value(0.5, "z")
FORMULAS = [
    (lambda: x * y + z, "x y + z"),
    (lambda: (x + y) * z, r"\left(x + y\right) z"),
    (lambda: x * 3.0, "3 x"),
    (lambda: 2.0 * (x * 3.0), r"2 \cdot 3 x"),
    (lambda: x - (y - z), r"x - \left(y - z\right)"),
    (lambda: x - (y + z), r"x - \left(y + z\right)"),
    (lambda: x + -y, "x - y"),
    (lambda: x - -y, r"x - \left(-y\right)"),
    (lambda: -(x + y), r"-\left(x + y\right)"),
    (lambda: -(x * y), "-x y"),
    (lambda: x / y / z, r"\frac{\frac{x}{y}}{z}"),
    (lambda: (x / y) ** z, r"\left(\frac{x}{y}\right)^{z}"),
    (lambda: (x**y) ** z, r"\left(x^{y}\right)^{z}"),
    (lambda: x ** (y + 1.0), "x^{y + 1}"),
    (lambda: (-x) ** 2, r"\left(-x\right)^2"),
    (lambda: x**2.0, "x^2"),
    (lambda: ag.exp(-x), "e^{-x}"),
    (lambda: ag.exp(x) ** 2, r"\left(e^{x}\right)^2"),
    (lambda: ag.sqrt(x + 1.0), r"\sqrt{x + 1}"),
    (lambda: ag.log(x) * y, r"\log\left(x\right) y"),
    (lambda: abs(x - y), r"\left|x - y\right|"),
    (lambda: ag.maximum(x, 0.5), r"\max\left(x, 0.5\right)"),
    (lambda: ag.expm1(x) * y, r"\left(e^{x} - 1\right) y"),
    (lambda: ag.hypot(x, y + 1.0), r"\sqrt{x^2 + \left(y + 1\right)^2}"),
    (lambda: ag.sum([x, y, z]), "x + y + z"),
    (lambda: ag.dot([x, y], [y, 3.0]), "x y + 3 y"),
    (lambda: x * 1e-9, "10^{-9} x"),
    (lambda: x * 2.5e20, r"2.5 \cdot 10^{20} x"),
    (lambda: x + math.inf, r"x + \infty"),
    (lambda: ag.erf(x), r"\operatorname{erf}\left(x\right)"),
    (lambda: x.detach() * y, "x y"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "formula"), FORMULAS)
def test_formulas_are_written_as_in_a_book(make, formula):
    assert ag.source(make(), "latex") == formula


def test_a_label_is_a_letter_or_a_word():
    labels = {"x": "x", "sigma": r"\sigma", "x_1": "x_{1}", "w12": "w_{12}", "loss": r"\mathrm{loss}"}
    labels |= {
        "a_b": r"\mathrm{a\_b}",
        "tree['a'][0]": r"\mathrm{tree['a'][0]}",
        r"\input{x}": r"\mathrm{\_input\{x\}}",
    }
    for label, letter in labels.items():
        assert ag.source(ag.tanh(ag.Value(1.0, label)), "latex") == rf"\tanh\left({letter}\right)"
    out = x * 2.0
    out.label = "out"
    assert ag.source(out, "latex") == r"\mathrm{out} = 2 x"
    assert ag.source(ag.Value(1.0, "x") * ag.Value(2.0, "x"), "latex") == "x {x}^{(2)}"


def test_a_large_program_is_a_sequence_of_equations():
    total = x
    for _ in range(20):
        total = ag.sin(total) * total
    text = ag.source(total, "latex")
    rows = text.splitlines()
    assert rows[0] == r"\begin{aligned}"
    assert rows[1] == r"  v_{1} &= \sin\left(x\right) x \\"
    assert rows[2] == r"  v_{2} &= \sin\left(v_{1}\right) v_{1} \\"
    assert rows[-2] == r"  v_{20} &= \sin\left(v_{19}\right) v_{19}"
    assert len(rows) == 22


def test_products_of_the_chain_rule_are_products():
    kernel = ag.compile(ag.grad(lambda x: ag.tanh(x) * x), backend="numpy")
    kernel(1.0)
    for text in (kernel.source("latex"), ag.source(ag.program(ag.grad(lambda x: ag.tanh(x) * x))(1.0), "latex")):
        assert text == r"\tanh\left(x\right) + x \left(1 - \tanh\left(x\right)^2\right)"


def test_paths_have_their_conditions():
    kernel = ag.compile(lambda x: ag.exp(x) if x > 1.0 else -x, backend="numpy")
    kernel(2.0)
    kernel(0.0)
    text = kernel.source("latex")
    assert r"\text{if } x > 1: \quad" in text
    assert r"\text{if } \neg \left(x > 1\right): \quad" in text
