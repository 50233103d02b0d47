"""Every public name of `autograd`, called with every kind of wrong argument in every place."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd.compiler.program import Program
from tests.bad_calls import Call, Made, good_call, outcomes, report, share_of_theirs, tally


def _matrix():
    return np.array([[2.0, 0.5], [0.5, 1.0]])


def _cube(x):
    return ag.sum(x * x * x)


def _volume(x, y):
    return ag.sum(x * x * y)


SAMPLES: dict[str, Any] = {
    "x": Made(_matrix),
    "y": Made(_matrix),
    "xs": Made(lambda: [_matrix(), _matrix()]),
    "a": Made(_matrix),
    "other": Made(_matrix),
    "axis": 0,
    "axis1": 0,
    "axis2": 1,
    "axes": (1, 0),
    "keepdims": True,
    "shape": (2, 2),
    "shift": 1,
    "reps": 2,
    "repeats": 2,
    "indices": Made(lambda: np.array([0, 1])),
    "key": 0,
    "k": 1,
    "offset": 0,
    "ddof": 1,
    "ord": 2,
    "dtype": "float32",
    "source": 0,
    "destination": 1,
    "pad_width": 1,
    "mode": "constant",
    "constant_values": 1.0,
    "indices_or_sections": 2,
    "low": 0.0,
    "high": 1.0,
    "condition": Made(lambda: np.array([True, False])),
    "label": "a",
    "f": _cube,
    "argnums": 0,
    "primals": Made(_matrix),
    "tangents": Made(_matrix),
    "gradient": None,
    "start": 1.0,
}


def _images():
    return np.arange(32.0).reshape(1, 2, 4, 4)


def _value():
    return ag.Value(1.5) * 2.0


def _tensor():
    return ag.Tensor(_matrix()) * 1.0


def _kernel(**options: Any) -> Any:
    return ag.compile(lambda x, y: x * y + ag.sin(x), backend="numpy", **options)


def _called_kernel() -> Any:
    kernel = _kernel()
    kernel(1.0, 2.0)
    return kernel


def _user_primitive() -> Any:
    return ag.primitive(lambda x: x * x, lambda g, z, x: 2 * g * x)


def _of(function: Callable[..., Any], **known: Any) -> Callable[[], Call]:
    return lambda: good_call(function, SAMPLES, **known)


def _functions() -> dict[str, Callable[[], Call]]:
    """A good call of every name that the package exports."""
    special: dict[str, Callable[[], Call]] = {
        "CompileError": lambda: Call(ag.CompileError, ("text",)),
        "GradientError": lambda: Call(ag.GradientError, ("text",)),
        "GraphvizError": lambda: Call(ag.GraphvizError, ("text",)),
        "KinkError": lambda: Call(ag.KinkError, ("text",)),
        "Kernel": lambda: Call(lambda *args: _kernel()(*args), (1.0, np.ones(2))),
        "Node": lambda: Call(ag.Node),
        "Primitive": lambda: Call(
            ag.Primitive, ("twice", lambda x: 2 * x, lambda x: 2 * x, lambda g, z, x: 2 * g), {}, lambda op: op(1.0)
        ),
        "Tensor": _of(ag.Tensor, data=Made(_matrix)),
        "Value": _of(ag.Value, data=1.0),
        "adaptive_avg_pool2d": _of(ag.adaptive_avg_pool2d, x=Made(_images), output_size=2),
        "avg_pool2d": _of(ag.avg_pool2d, x=Made(_images), kernel_size=2, stride=1, padding=0, count_include_pad=True),
        "max_pool2d": _of(ag.max_pool2d, x=Made(_images), kernel_size=2, stride=1, padding=0, dilation=1),
        "conv2d": _of(
            ag.conv2d,
            x=Made(_images),
            weight=Made(lambda: np.ones((2, 2, 2, 2))),
            bias=Made(lambda: np.ones(2)),
            stride=1,
            padding=0,
            dilation=1,
            groups=1,
        ),
        "clip": _of(ag.clip),
        "compile": lambda: Call(
            lambda f, **options: ag.compile(f, **options)(1.0),
            (lambda x: x * x,),
            {"signature": None, "reduce": None, "parameters": None, "backend": "numpy", "fast": False, "threads": None},
        ),
        "detect_anomaly": lambda: Call(ag.detect_anomaly),
        "no_grad": lambda: Call(ag.no_grad),
        "einsum": lambda: Call(ag.einsum, ("ij,jk->ik", _matrix(), _matrix())),
        "reshape": lambda: Call(ag.reshape, (_matrix(), (4,))),
        "solve": lambda: Call(ag.solve, (_matrix(), _matrix())),
        "linear": lambda: Call(ag.linear, (_matrix(), _matrix(), np.ones(2))),
        "tensordot": _of(ag.tensordot, axes=1),
        "squeeze": _of(ag.squeeze, axis=None),
        "take_along_axis": _of(ag.take_along_axis, indices=Made(lambda: np.array([[0, 1]]))),
        "index_update": _of(ag.index_update, y=5.0),
        "dot": _of(ag.dot),
        "draw": _of(ag.draw, **_drawn(ag.draw)),
        "explain": _of(ag.explain, **_drawn(ag.explain)),
        "report": _of(ag.report, **_drawn(ag.report)),
        "show": _of(ag.show, **_drawn(ag.show)),
        "scope": lambda: Call(ag.scope, ("part",)),
        "render": lambda: Call(ag.render, (_value(), "graph.dot"), {"seconds": 5.0}),
        "stepper": lambda: Call(ag.stepper, (_value(), "steps.html"), {"inputs": None, "max_nodes": 150, "digits": 4}),
        "gradcheck": lambda: Call(
            ag.gradcheck, (lambda x: ag.sin(x), 1.0), {"order": 1, "rtol": 1e-5, "trials": 1, "seed": 0}
        ),
        "primitive": lambda: Call(
            ag.primitive,
            (lambda x: 2 * x, lambda g, z, x: 2 * g),
            {"elementwise": True},
            lambda op: (op(1.0), ag.grad(op)(1.0)),
        ),
        "grad": lambda: Call(ag.grad, (_volume,), {"argnums": (0,)}, lambda d: d(_matrix(), 1.0)),
        "value_and_grad": lambda: Call(ag.value_and_grad, (_volume,), {"argnums": (0,)}, lambda d: d(_matrix(), 1.0)),
        "jacobian": lambda: Call(ag.jacobian, (_volume,), {"argnums": (0,)}, lambda d: d(_matrix(), 1.0)),
        "hessian": lambda: Call(ag.hessian, (_volume,), {"argnums": (0,)}, lambda d: d(_matrix(), 1.0)),
        "vjp": lambda: Call(ag.vjp, (_cube, _matrix()), {}, lambda pair: pair[1](1.0)),
        "program": lambda: Call(ag.program, (_value(),), {}, lambda p: str(p) if isinstance(p, Program) else None),
        "source": lambda: Call(ag.source, (_value(), "python", "f")),
    }
    table = {}
    for name in ag.__all__:
        function = getattr(ag, name)
        if name in special:
            table[name] = special[name]
        elif isinstance(function, ag.Primitive):
            n = len(function.rules)
            table[name] = lambda function=function, n=n: Call(function, tuple(_matrix() for _ in range(n)))
        else:
            table[name] = _of(function)
    return table


def _drawn(function: Any) -> dict[str, Any]:
    """For a function that draws: its first argument is a node, and the others are what they are by default."""
    first, *others = inspect.signature(function).parameters.values()
    return {first.name: Made(_value)} | {p.name: p.default for p in others if p.kind is not p.VAR_POSITIONAL}


OF_NODES = [
    "mean",
    "sum",
    "prod",
    "max",
    "min",
    "std",
    "var",
    "softmax",
    "log_softmax",
    "logsumexp",
    "norm",
    "clip",
    "reshape",
    "transpose",
    "take",
    "repeat",
    "pad",
    "split",
    "roll",
    "sort",
    "flip",
    "tile",
]


def _functions_of_nodes() -> dict[str, Callable[[], Call]]:
    """Functions of numbers and arrays again, of a node: the other way through each of them."""
    table: dict[str, Callable[[], Call]] = {}
    for name in ag.__all__:
        function = getattr(ag, name)
        if isinstance(function, ag.Primitive) and (n := len(function.rules)) > 1:
            made = {"Tensor": _tensor} | ({"Value": _value} if function.scalar else {})
            for kind, make in made.items():
                table[f"{name} of a {kind}"] = lambda function=function, n=n, make=make: Call(
                    function, (make(), *(_matrix() for _ in range(n - 1)))
                )
        elif name in OF_NODES:
            known = {"axes": None} if name == "transpose" else {}
            table[f"{name} of a Tensor"] = (
                (lambda: Call(ag.reshape, (_tensor(), (4,))))
                if name == "reshape"
                else _of(function, x=Made(_tensor), **known)
            )
    return table


OPERATORS = [
    "__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__", "__rtruediv__", "__pow__",
    "__rpow__", "__floordiv__", "__rfloordiv__", "__mod__", "__rmod__", "__lt__", "__le__", "__gt__", "__ge__",
    "__eq__", "__ne__", "__matmul__", "__rmatmul__", "__divmod__", "__rdivmod__",
]  # fmt: skip


def _operator(name: str, left: Any, right: Any) -> Any:
    """What Python does for an operator, written as it is."""
    import operator

    plain = name.strip("_")
    function = getattr(operator, plain, None) or (divmod if plain in ("divmod", "rdivmod") else None)
    if function is not None and plain != "rdivmod":
        return function(left, right)
    return (divmod if plain == "rdivmod" else getattr(operator, plain[1:]))(right, left)


def _methods(kind: Any, make: Callable[[], Any], special: dict[str, Any]) -> dict[str, Callable[[], Call]]:
    """A good call of every public method of a kind of node, with every operator."""
    table: dict[str, Callable[[], Call]] = {}
    for name in dir(kind):
        attribute = inspect.getattr_static(kind, name)
        if name.startswith("_") or not callable(getattr(kind, name)) or isinstance(attribute, (property, type)):
            continue
        if name in INTERNAL:
            continue
        known = special.get(name, {})
        if isinstance(attribute, classmethod) or known is None:
            continue
        table[f"{kind.__name__}.{name}"] = lambda name=name, known=known: (
            Call(getattr(make(), name), tuple(known))
            if isinstance(known, (list, tuple))
            else good_call(getattr(make(), name), SAMPLES, **known)
        )
    for name in OPERATORS:
        if hasattr(kind, name):
            table[f"{kind.__name__}.{name}"] = lambda name=name: Call(
                lambda other: _operator(name, make(), other), (1.5 if "matmul" not in name else _matrix(),)
            )
    for name in ("__getitem__",) if hasattr(kind, "__getitem__") else ():
        table[f"{kind.__name__}.{name}"] = lambda: Call(lambda key: make()[key], (0,))
    return table


# What the engine calls on nodes, and no user.
INTERNAL = {
    "update", "updated", "keep", "watch", "arrays",
    "record", "unary", "binary", "reflected", "fit", "check_unchanged", "accumulate", "gather", "read",
}  # fmt: skip


def _others() -> dict[str, Callable[[], Call]]:
    """What is not a name of the package itself: what its functions return, and NumPy's functions of nodes."""
    return {
        "grad(f)": lambda: Call(ag.grad(_cube), (_matrix(),)),
        "value_and_grad(f)": lambda: Call(ag.value_and_grad(_cube), (_matrix(),)),
        "jacobian(f)": lambda: Call(ag.jacobian(lambda x: x * x), (_matrix(),)),
        "hessian(f)": lambda: Call(ag.hessian(_cube), (_matrix(),)),
        "pullback": lambda: Call(ag.vjp(_cube, _matrix())[1], (1.0,)),
        "pullback of an array": lambda: Call(ag.vjp(lambda x: x * x, _matrix())[1], (_matrix(),)),
        "pullback of a dict": lambda: Call(ag.vjp(lambda x: {"a": x * x}, _matrix())[1], ({"a": _matrix()},)),
        "gradient of what f gives": lambda: Call(lambda y: ag.grad(lambda x: y)(1.0), (1.0,)),
        "jacobian of what f gives": lambda: Call(lambda y: ag.jacobian(lambda x: y)(1.0), (1.0,)),
        "user primitive": lambda: Call(_user_primitive(), (1.0,)),
        "rule of a user primitive": lambda: Call(
            lambda rule: ag.primitive(lambda x: x * x).rule(rule), (lambda g, z, x: g,)
        ),
        "Value.data": lambda: Call(lambda data: setattr(ag.Value(1.0), "data", data), (2.0,)),
        "Tensor.data": lambda: Call(lambda data: setattr(ag.Tensor(1.0), "data", data), (2.0,)),
        "kernel": lambda: Call(_kernel(), (1.0, np.ones(2))),
        "kernel, again": lambda: Call(_called_kernel(), (1.0, 2.0)),
        "kernel of vectors": lambda: Call(_kernel(signature="(n),(n)->(n)"), (np.ones(2), np.ones(2))),
        "kernel.source": lambda: Call(_called_kernel().source, ("python",)),
        "kernel that returns": lambda: Call(lambda y: ag.compile(lambda x: y, backend="numpy")(1.0), (1.0,)),
    }


VALUE_METHODS: dict[str, Any] = {"backward": {"gradient": 1.0}, "atan2": {"x": 1.0}, "logical_xor": None}
TENSOR_METHODS: dict[str, Any] = {
    "backward": {"gradient": Made(_matrix)},
    "reshape": [(4,)],
    "item": None,
    "logical_xor": None,
    "squeeze": {"axis": None},
    "transpose": [(1, 0)],
    "axes": (1, 0),
}

TABLE = (
    _functions()
    | _functions_of_nodes()
    | _methods(ag.Value, _value, VALUE_METHODS)
    | _methods(ag.Tensor, _tensor, TENSOR_METHODS)
    | _others()
)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def ended():
    """How the bad calls ended so far, by name."""
    return {}


@pytest.mark.parametrize("name", TABLE)
def test_a_bad_call_gives_a_right_result_or_an_error_of_ours(name, ended):
    with np.errstate(all="ignore"):
        TABLE[name]().run()  # a good call is good
    found = outcomes(TABLE[name])
    ended[name] = tally(found)
    assert not ended[name]["strange"], report(name, found)


def test_at_most_one_bad_call_in_a_hundred_ends_in_the_words_of_another_library(ended):
    assert share_of_theirs(TABLE, ended) <= 0.01
