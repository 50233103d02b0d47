"""The plan in numbers: how much there is to call, to know and to read. Bounds are what holds today; they may be lowered."""

import ast
import functools
import inspect
import math
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
from autograd import reverse_mode
from autograd.elementwise import ELEMENTWISE

ROOT = Path(ag.__file__).parent
PACKAGES = (ROOT, ROOT.parent / "nn")

BOUNDS = {
    # Python calls inside the package
    "calls of grad": 24,
    "calls of a cold compile of a gradient": 495,
    # knowledge
    "places that know exp": 3,
    "modules that know the strong zero": 3,
    # lines to read
    "lines that explain a product and backward": 900,
    "lines of the general traversal": 40,
    "lines of the float traversal": 60,
}


def holds(name, number):
    """Assert that a figure is within its bound."""
    assert number <= BOUNDS[name], f"{name}: {number}, and may be {BOUNDS[name]}"


# ---- Calls


def calls(f):
    """The functions of the package that `f()` calls, as (file, name), each as often as it is called."""
    found = Counter()

    def note(frame, event, _):
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(ROOT):
            found[path.relative_to(ROOT).as_posix(), frame.f_code.co_name] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        f()
    finally:
        sys.setprofile(before)
    return found


@pytest.mark.once
def test_a_gradient_is_few_calls():
    def slope():
        assert ag.grad(lambda x: x * x)(3.0) == 6.0

    slope()  # what is made once, is
    holds("calls of grad", calls(slope).total())


@pytest.mark.once
@pytest.mark.parametrize("f", [lambda x: x * x, lambda x: x * ag.sin(x)], ids=["x * x", "x * sin(x)"])
def test_a_cold_compile_is_few_calls(f):
    def compiled():
        assert math.isfinite(ag.compile(ag.grad(f), backend="numpy")(1.0))

    compiled()  # another kernel; of this one nothing is known
    holds("calls of a cold compile of a gradient", calls(compiled).total())


# ---- Knowledge


@functools.cache
def sources():
    """The text and the syntax of every file of the packages."""
    paths = [path for package in PACKAGES for path in sorted(package.rglob("*.py"))]
    texts = {path.relative_to(ROOT.parent).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return {path: (text, ast.parse(text)) for path, text in texts.items()}


LIBRARIES = {"np", "numpy", "math", "special", "torch"}


def knowing(name):
    """The places that know the operation `name`: statements that say something of it, and do not merely compute with it.

    A place is a statement of a file or of a class, as a table or a method. It knows an operation if it

    - binds its name: the record (`exp = op(...)`), the method (`def exp`), an export (an import in `__init__.py`);
    - has it as a value that is not called there, as in a table (`{e.exp: ...}`), also that of a library (`np.exp`);
    - has its name as a text, or has a text in which a function of that name is called (`"math.exp({0})"`), which is no
      docstring and no message.

    A call (`exp(x)`, `ag.exp(x)`, `np.exp(x)`) computes with it; an import elsewhere is there for such calls.
    """
    places = []
    for path, (_, tree) in sources().items():
        bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
        for statement in (s for body in bodies for s in body if not isinstance(s, ast.ClassDef)):
            if any(_knows(node, name, path, parents) for node, parents in _nodes(statement)):
                places.append(f"{path}:{statement.lineno}")
    return places


def _nodes(node, parents=()):
    yield node, parents
    for child in ast.iter_child_nodes(node):
        yield from _nodes(child, (node, *parents))


def _knows(node, name, path, parents):
    called = bool(parents) and isinstance(parents[0], ast.Call) and parents[0].func is node
    match node:
        case ast.Name(id=found) | ast.FunctionDef(name=found):
            return found == name and not called
        case ast.Attribute(value=value, attr=found):
            # np.exp as an argument of a call computes too: np.vectorize(np.exp)
            return found == name and not called and (not _is_library(value) or not _in_function(parents))
        case ast.alias(name=found):
            return name in (found, node.asname) and path.endswith(("__init__.py", "exports.py"))
        case ast.Constant(value=str(text)):
            prose = isinstance(parents[0], ast.Expr) or len(text.split()) > 6
            return text == name or (not prose and re.search(rf"\b{name}\(", text) is not None)
    return False


def _is_library(value):
    return isinstance(value, ast.Name) and value.id in LIBRARIES


def _in_function(parents):
    return any(isinstance(parent, ast.FunctionDef) for parent in parents)


@pytest.mark.once
def test_few_places_know_an_operation():
    places = knowing("exp")
    print(*places, sep="\n")
    assert {"autograd/elementwise.py", "autograd/operators.py", "autograd/__init__.py"} <= {
        p.partition(":")[0] for p in places
    }
    holds("places that know exp", len(places))


# What the rule that an outer factor of zero gives zero is made of: its rows in the table, and whatever stood for it once.
STRONG_ZERO = re.compile(r"\bstrong_mask\b|unleaked|launder|is_marked|careful")


@pytest.mark.once
def test_few_modules_know_that_zero_times_infinity_is_zero():
    """The row, the chain rule that chooses it, and the lowering; traversals only say when it is to be chosen."""
    found = {path: sorted(set(STRONG_ZERO.findall(text))) for path, (text, _) in sources().items()}
    found = {path: words for path, words in found.items() if words and not path.endswith("__init__.py")}
    print(*found.items(), sep="\n")
    assert found
    holds("modules that know the strong zero", len(found))


# ---- Lines


def explaining():
    """The files that the package's docstring names as those that explain a product and its derivative."""
    [part] = re.findall(r"\nReading\n(.*?)\[", ag.__doc__, re.DOTALL)
    return [ROOT / name for name in re.findall(r"\w+\.py", part)]


@pytest.mark.once
def test_what_explains_a_product_is_soon_read():
    texts = [path.read_text(encoding="utf-8") for path in explaining()]
    holds("lines that explain a product and backward", sum(text.count("\n") for text in texts))


@pytest.mark.once
def test_what_a_product_runs_is_in_the_files_that_explain_it():
    """But for the checks of what the user gave."""

    def product():
        (ag.Value(2) * ag.Value(3)).backward()

    product()
    ran = {ROOT / file for file, _ in calls(product)}
    assert ran - {ROOT / "arguments.py"} <= {*explaining()}


TRAVERSALS = {"general": reverse_mode._general_cotangents, "float": reverse_mode._float_cotangents}


@pytest.mark.once
@pytest.mark.parametrize("name", TRAVERSALS)
def test_a_traversal_is_soon_read(name):
    holds(f"lines of the {name} traversal", len(inspect.getsource(TRAVERSALS[name]).splitlines()))


# ---- That there are two traversals makes no difference

NUMBERS = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -3.0, 1e-300, 1e300, 5e-324, math.inf, -math.inf, math.nan]
GATHERED = {"sum": ag.sum, "prod": ag.prod, "norm": ag.norm, "logsumexp": ag.logsumexp}


@ag.primitive
def softsign(x):
    return x / (1.0 + abs(x))


@softsign.rule
def _(g, z, x):
    return g / ((1.0 + abs(x)) * (1.0 + abs(x)))


def random_graph(seed):
    """The last of some operations on floats, of which each takes earlier results and numbers."""
    rng = np.random.default_rng(seed)
    tame = seed % 2
    pool = [ag.Value(float(x)) for x in (rng.normal(size=4) if tame else rng.choice(NUMBERS, 4))]
    operations = [*ELEMENTWISE.values(), *GATHERED.values(), softsign]
    while len(pool) < 20:
        op = operations[rng.integers(len(operations))]
        count = 3 if op in GATHERED.values() else 1 if op is softsign else len(op.rules)
        args = [pool[rng.integers(len(pool))] for _ in range(count)]
        if count > 1 and rng.random() < 0.2:
            args[rng.integers(count)] = float(rng.choice(NUMBERS))
        made = op(args) if op in GATHERED.values() else op(*args)
        if isinstance(made, ag.Value) and (not tame or math.isfinite(made.data)):
            pool.append(made)
    return pool[-1]


def same(x, y):
    """To the bit, but for the sign of a zero: what stays zero has that of the cotangent, or of the product."""
    return x == y or (x != x and y != y)


@pytest.mark.parametrize("seed", range(60))
def test_the_two_traversals_agree_to_the_bit(seed):
    """A cotangent that is no plain float, or is recorded, takes the general one."""
    with np.errstate(all="ignore"):
        output = random_graph(seed)
        floats = reverse_mode.cotangents(output, 1.0)
        general = reverse_mode.cotangents(output, np.float64(1.0))
        recorded = reverse_mode.cotangents(output, 1.0, keep_graph=True)
    assert floats.keys() == general.keys() >= recorded.keys()
    for node, g in floats.items():
        assert type(g) is float
        assert same(g, float(general[node])), node
        h = recorded.get(node, 0.0)
        assert same(g, h.data if isinstance(h, ag.Node) else h), node
