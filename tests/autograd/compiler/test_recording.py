"""What cannot be recorded is refused with the line that asked for it, and with a cure."""

import copy
import math
import pickle
import re

import numpy as np
import pytest

import autograd as ag
from autograd.compiler import recording
from autograd.compiler.recorded import CompileError

HERE = re.escape(__file__)


def line_of(mark):
    """The number of the line of this file that ends so."""
    with open(__file__, encoding="utf-8") as lines:
        [n] = [n for n, line in enumerate(lines, 1) if line.rstrip().endswith(f"# here: {mark}")]
    return n


def by_float(x):
    return float(x) + 1.0  # here: float


def by_int(x):
    return int(x)  # here: int


def by_math(x):
    return math.sin(x)  # here: math


def by_range(x):
    return sum(x for _ in range(x))  # here: range


def by_index(x):
    return [1.0, 2.0][x]  # here: index


def by_data(x):
    return x.data * 2.0  # here: data


def by_setting(x):
    x.data = 1.0  # here: set
    return x


def by_item(x):
    return x.item()  # here: item


def by_backward(x):
    y = x * x
    y.backward()  # here: backward
    return x.grad


def by_format(x):
    return len(f"{x:.3f}")  # here: format


def by_complex(x):
    return complex(x)  # here: complex


def by_mean(x):
    return ag.mean(np.array([1.0, 2.0]) * ag.Tensor([1.0, 2.0]) * x)  # here: mean


def by_matmul(x):
    return ag.matmul(ag.Tensor(np.eye(2)), np.array([x, x]))[0]  # here: matmul


def by_tensor(x):
    return ag.sum(ag.Tensor([1.0, 2.0]) * x)  # here: tensor


CURES = {
    "float": (by_float, r"float\(\).*ag\.sin"),
    "int": (by_int, r"int\(\).*ag\.floor"),
    "math": (by_math, r"ag\.sin and its kin in place of math\.sin"),
    "range": (by_range, r"functools\.partial or a closure"),
    "index": (by_index, r"functools\.partial or a closure"),
    "data": (by_data, r"compute with the value itself"),
    "set": (by_setting, r"compute a new value instead"),
    "item": (by_item, r"compute with the value itself"),
    "backward": (by_backward, r"ag\.value_and_grad of the function, or pass parameters="),
    "format": (by_format, r""),
    "complex": (by_complex, r"real"),
    "mean": (by_mean, r"operation on arrays.*ag\.sum"),
    "matmul": (by_matmul, r"operation on arrays.*ag\.dot"),
    "tensor": (by_tensor, r"operation on arrays.*ag\.sum"),
}


@pytest.mark.parametrize("mark", CURES)
def test_what_needs_a_number_is_refused_with_its_line_and_a_cure(mark):
    f, cure = CURES[mark]
    text = rf"(?s){HERE}:{line_of(mark)}: `.*here: {mark}`.*{cure}"
    with pytest.raises(CompileError, match=text):
        ag.compile(f)(1.0)
    with pytest.raises(CompileError, match=text):
        ag.compile(ag.value_and_grad(f))(np.array([1.0, 2.0]))


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_copy_is_refused(make):
    with pytest.raises(CompileError, match=r"this copies or pickles a value.* use it as it is"):
        ag.compile(lambda x: make(x))(1.0)


@pytest.mark.parametrize("result", ["text", {"a": [1.0, "text"]}, ag.Tensor([1.0]), object(), 1j, np.array(["a"])])
def test_a_result_that_is_no_number_is_refused(result):
    with pytest.raises(CompileError, match="which is not a number: a compiled function returns numbers, or lists"):
        ag.compile(lambda x: (x, result))(1.0)


def test_a_while_that_never_settles_is_refused_with_its_line(monkeypatch):
    monkeypatch.setattr(recording, "MOST_DECISIONS", 100)

    def halved(x):
        while x >= 0.0:  # here: while
            x = x * 0.5
        return x

    with pytest.raises(
        CompileError, match=rf"{HERE}:{line_of('while')}.*never settles\? Bound it with `for`, or .* ag\.where"
    ):
        ag.compile(halved)(1.0)
    assert ag.compile(halved)(-1.0) == -1.0


def test_a_loop_that_never_ends_is_refused_with_its_line(monkeypatch):
    monkeypatch.setattr(recording, "MOST_INSTRUCTIONS", 100)

    def endless(x):
        while True:
            x = x * 0.5  # here: endless

    with pytest.raises(CompileError, match=rf"{HERE}:{line_of('endless')}.*more than 100 operations were recorded"):
        ag.compile(endless)(1.0)


def test_a_while_that_settles_is_a_path():
    def root(x):
        y, steps = x, 0
        while abs(y * y - x) > 1e-12 * x and steps < 50:
            y, steps = 0.5 * (y + x / y), steps + 1
        return y

    kernel = ag.compile(root)
    x = np.linspace(0.5, 50.0, 40)
    np.testing.assert_allclose(kernel(x), np.sqrt(x), rtol=1e-12)
    assert 1 < kernel.stats["paths"] < 12


def test_a_value_that_escapes_its_recording_is_refused():
    kept = []
    ag.compile(lambda x: kept.append(x * 2.0) or x)(1.0)
    with pytest.raises(CompileError, match="after the recording ended"):
        kept[0] + 1.0
    with pytest.raises(CompileError, match="after the recording ended"):
        bool(kept[0])
    with pytest.raises(CompileError, match="in another run"):
        ag.compile(lambda x: x + kept[0])(1.0)


def test_a_model_among_the_arguments_is_refused():
    import nn

    with pytest.raises(CompileError, match=r"parameters=model\.parameters\(\)"):
        ag.compile(lambda model, x: model(x))(nn.scalar.MLP(1, [1]), 1.0)


def test_after_an_error_ordinary_values_are_what_they_were():
    with pytest.raises(CompileError):
        ag.compile(by_float)(1.0)
    x = ag.Value(3.0)
    (x * x).backward()
    assert x.grad == 6.0
    assert x > 2.0


# ---- What can be recorded


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: np.sin(x) + np.maximum(x, 1.0), math.sin(0.5) + 1.0),
        (lambda x: np.float64(2.0) * x + x * np.float32(1.0) + np.int64(3) + True, 5.5),
        (lambda x: 2**x + x**2 + x**-1 + 3 // x + 3 % x, 2**0.5 + 0.25 + 2.0 + 6.0 + 0.0),
        (lambda x: max(x, 0.25) + min([x, 1.0, 0.75]), 1.0),
        (lambda x: sorted([x, 0.1, 0.9])[1], 0.5),
        (lambda x: sum([x, x, 1]), 2.0),
        (lambda x: ag.sum(x * v for v in (1.0, 2.0)), 1.5),
        (lambda x: np.dot(np.array([x, x]), np.array([1.0, 2.0])), 1.5),
        (lambda x: np.sum(np.array([[x, 1.0], [x, 2.0]]) @ np.array([1.0, x])), 2.5),
        (lambda x: np.isnan(x) + np.isfinite(x) * 2.0 + np.isinf(x / 0.0) * 4.0, 6.0),
        (lambda x: np.where(True, x, 1.0)[()], 0.5),
        (lambda x: ag.Value(2.0) * x, 1.0),
        (lambda x: ag.grad(lambda y: y * y * x)(3.0), 3.0),
        (lambda x: x.detach() * 2.0, 1.0),
        (lambda x: x if x == 0.5 and x is not None and x != "text" else 0.0, 0.5),
        (lambda x: +x - -x + abs(-x), 1.5),
        (lambda x: ag.norm([x, 0.0, 1.2]) + ag.prod([x, 4.0]) + ag.logsumexp([x, x]), 1.3 + 2.0 + 0.5 + math.log(2)),
        (lambda x: x > 0.25, 1.0),
        (lambda x: 3, 3.0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_ordinary_python_is_recorded(f, expected, backend):
    kernel = ag.compile(f, backend=backend)
    for _ in range(2):
        assert kernel(0.5) == pytest.approx(expected, rel=1e-15)
        assert kernel(np.array([0.5, 0.5])).tolist() == pytest.approx([expected] * 2, rel=1e-14)


def test_what_is_detached_has_no_derivative():
    assert ag.compile(ag.grad(lambda x: x.detach() * x))(3.0) == 3.0


def test_every_operation_on_an_object_array_is_one_on_its_elements():
    def f(x):
        return ag.exp(x) + ag.relu(x) * ag.where(ag.step(x), x, 1.0) - np.sqrt(abs(x))

    x = np.linspace(-1.0, 1.0, 5)
    kernel = ag.compile(f, signature="(n)->(n)")
    np.testing.assert_allclose(kernel(x), f(ag.Tensor(x)).data, rtol=1e-14)
    assert kernel.program.guards == []
