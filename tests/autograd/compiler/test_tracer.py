"""What cannot be traced is refused with the line that asked for it, and with a cure."""

import copy
import json
import math
import pickle
import re

import numpy as np
import pytest

import autograd as ag
from autograd.compiler.errors import CompileError
from autograd.graph import value_of

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
    with pytest.raises(CompileError, match=r"this copies or pickles <traced.* use it as it is"):
        ag.compile(lambda x: make(x))(1.0)


def test_a_value_that_escapes_its_trace_is_refused():
    kept = []
    ag.compile(lambda x: kept.append(x * 2.0) or x)(1.0)
    with pytest.raises(CompileError, match="after the trace ended"):
        kept[0] + 1.0
    with pytest.raises(CompileError, match="after the trace ended"):
        bool(kept[0])
    with pytest.raises(CompileError, match="in another run"):
        ag.compile(lambda x: x + kept[0])(1.0)


def test_what_is_detached_has_no_derivative():
    assert ag.compile(ag.grad(lambda x: x.detach() * x))(3.0) == 3.0


def test_every_operation_on_an_object_array_is_one_on_its_elements():
    def f(x):
        return ag.exp(x) + ag.relu(x) * ag.where(ag.step(x), x, 1.0) - np.sqrt(abs(x))

    x = np.linspace(-1.0, 1.0, 5)
    kernel = ag.compile(f, signature="(n)->(n)")
    np.testing.assert_allclose(kernel(x), f(ag.Tensor(x)).data, rtol=1e-14)
    assert kernel.program.guards == []


READ_ANEW = {
    "detach": lambda x, w: w.detach() * x,
    "greater": lambda x, w: x * np.greater(w, 1.0),
    "a NumPy number": lambda x, w: x if np.float64(1.0) < w else -x,
    "an array": lambda x, w: (x * (np.array([1.0, 2.0]) > w)).sum(),
    "trunc": lambda x, w: x * np.trunc(w),
    "heaviside": lambda x, w: x * np.heaviside(w - 1.0, 0.5),
    "heaviside of itself": lambda x, w: x * np.heaviside(w, 0.5),
    "fmax": lambda x, w: x * np.fmax(1.0, w),
    "logaddexp": lambda x, w: (x * np.logaddexp(w, 1.0) > 5.0) * x,
    "argmax": lambda x, w: x * float(np.argmax([w, 1.0])),
}


@pytest.mark.parametrize("how", READ_ANEW)
def test_the_number_of_a_value_outside_is_not_frozen(how):
    w = ag.Value(1.5)
    kernel = ag.compile(lambda x: READ_ANEW[how](x, w))
    for number in (1.5, 0.25, -1.0, np.nan, 1.0):
        w.data = number
        np.testing.assert_equal(kernel(3.0), float(value_of(READ_ANEW[how](3.0, w))))


@pytest.mark.parametrize("read", [round, np.rint, np.signbit, np.round, lambda w: np.isclose(w, 1.5)])
def test_what_would_freeze_the_number_of_a_value_outside_is_refused(read):
    w = ag.Value(1.5)
    with pytest.raises((CompileError, TypeError)):
        ag.compile(lambda x: read(w) * x)(1.0)


@pytest.mark.parametrize("show", [ag.explain, ag.draw])
def test_what_shows_numbers_is_refused(show):
    with pytest.raises(CompileError, match=rf"(?s){HERE}.* while ag.compile traces"):
        ag.compile(lambda x: show(x * x) and x)(1.0)


VECTORS = {
    "len() takes": lambda x: len(x),
    "this runs through": lambda x: sum(v * v for v in x),
    "this indexes": lambda x: x[0] * x[1],
    "@ takes": lambda x: x @ x,
    "this asks for .sum of": lambda x: x.sum(),
}


@pytest.mark.parametrize("what", VECTORS)
def test_who_takes_a_number_for_a_vector_is_told_of_signatures(what):
    with pytest.raises((CompileError, AttributeError), match=rf"{re.escape(what)} <traced input 'x'>.*signature="):
        ag.compile(VECTORS[what])(np.array([1.0, 2.0]))


def test_an_attribute_that_no_array_has_is_an_ordinary_error():
    with pytest.raises(AttributeError, match="object has no attribute 'colour'"):
        ag.compile(lambda x: x.colour)(1.0)


def test_an_error_of_a_library_is_raised_with_a_note_of_the_line():
    with pytest.raises(TypeError) as caught:
        ag.compile(lambda x: json.dumps(x))(2.0)
    assert re.search(rf"while ag.compile traced <lambda>, at {HERE}:\d+: ", caught.value.__notes__[0])


@pytest.mark.parametrize(
    "change", [lambda x: x.__iadd__(1.0), lambda x: np.add(x, 1.0, out=x), lambda x: x - np.var(x)]
)
def test_numpy_may_work_in_place_on_a_vector(change):
    def f(x):
        return ag.sum(change(x) + 0.0)

    x = np.array([1.0, 2.0, 4.0])
    assert ag.compile(f, signature="(n)->()")(x) == pytest.approx(np.sum(change(x.copy())))
