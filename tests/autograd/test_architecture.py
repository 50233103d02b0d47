"""The house plan, by which imports point down: read from the sources, not from what happens to be loaded."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import autograd as ag

ROOT = Path(ag.__file__).parent
NN = ROOT.parent / "nn"

# The rooms in the order in which they are built: each may import those before it. A reader may take them in this order.
ORDER = """
arguments forks files frames exports docstrings notebooks other_engines
graph formulas modes forwards elementwise

arrays.sums arrays.norms arrays.shaping arrays.scattering arrays.indexing arrays.joining arrays.reductions
arrays.singular arrays.linalg arrays.windows arrays.convolution arrays.pooling

constants chain_rule diagnosis reverse_mode
numpy_reductions numpy_shaping numpy_algebra numpy_protocol operators tensor scalars value variadic
pytrees forward_mode stand_ins lifting linearize transforms checking
anomaly scopes failures name_trace custom typing

compiler.errors compiler.locks compiler.tracer compiler.program compiler.trace
compiler.simplify compiler.lowering compiler.javascript compiler.export compiler.latex compiler.listing
compiler.backend compiler.libm compiler.llvm_ir compiler.codegen compiler.loop compiler.native compiler.numpy_backend
compiler.inplace_native compiler.inplace_numpy compiler.inplace
compiler.signatures compiler.batching compiler.calling compiler.executable compiler.trace_cache compiler.kernel

drawing.summaries drawing.names drawing.derivatives
drawing.diagram drawing.texts drawing.folding drawing.placing drawing.grouping drawing.building
drawing.boxes drawing.layout drawing.mermaid drawing.text drawing.dot drawing.rendering
drawing.explanation drawing.paths drawing.pullbacks drawing.tables drawing.routes drawing.explaining
drawing.html drawing.page
drawing.steps drawing.stepper
drawing.findings drawing.reporting
""".split()  # noqa: SIM905  # a plan to be read
# The compiler and drawing are two storeys on the same ground: neither knows of the other.
APART = ("compiler", "drawing")


def room_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__").rstrip(".")


SOURCES = {room_of(path): path for path in sorted(ROOT.rglob("*.py"))}
ROOMS = {room: path for room, path in SOURCES.items() if path.name != "__init__.py"}


def imports(path, package="autograd"):
    """(module within the package, imported name or None, line), of every import in a file, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == package:
                    yield alias.name.removeprefix(package).lstrip("."), None, node
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative imports hide where an arrow points"
            if (node.module or "").split(".")[0] == package:
                module = node.module.removeprefix(package).lstrip(".")
                for alias in node.names:
                    inner = f"{module}.{alias.name}".lstrip(".")
                    if inner in SOURCES:
                        yield inner, None, node
                    else:
                        yield module, alias.name, node


def for_type_checkers(path):
    """The imports of a file that are not run."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    blocks = [n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    return {ast.unparse(statement) for block in blocks for statement in block.body}


def allowed(room):
    floor = room.partition(".")[0]
    return [
        below for below in ORDER[: ORDER.index(room)] if below.partition(".")[0] not in APART or below.startswith(floor)
    ]


def test_every_room_has_its_place_in_the_plan():
    assert sorted(ORDER) == sorted(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_down(room):
    for module, name, node in imports(ROOMS[room]):
        assert module, f"line {node.lineno} imports {name} through the front door"
        if module == "typing" and ast.unparse(node) in for_type_checkers(ROOMS[room]):
            continue
        assert module in allowed(room) or any(below.startswith(module + ".") for below in allowed(room)), (
            f"line {node.lineno}: {room} imports {module}, which is not below it"
        )


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_each_other_at_the_top_only(room):
    tree = ast.parse(ROOMS[room].read_text(encoding="utf-8"))
    functions = [
        node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    ]
    within = {id(inner) for function in functions for inner in ast.walk(function)}
    for module, name, node in imports(ROOMS[room]):
        assert id(node) not in within, f"line {node.lineno}: {module}.{name} is imported inside a function"


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_uses_the_underscored_names_of_another(room):
    tree = ast.parse(ROOMS[room].read_text(encoding="utf-8"))
    modules = set()
    for module, name, node in imports(ROOMS[room]):
        assert not (name or "").startswith("_"), f"line {node.lineno}: {module}.{name}"
        if name is None:
            modules.add(module.rpartition(".")[2])
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            assert not private, f"line {node.lineno}: {node.value.id}.{node.attr}"


def exported(path):
    """(public name, room that has it) for every `from room import name as name` of an `__init__`, late ones too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.asname == alias.name:
                    yield alias.name, node.module


INITS = {
    ".".join(path.parent.relative_to(ROOT.parent).parts): path
    for path in sorted([*ROOT.rglob("__init__.py"), *NN.rglob("__init__.py")])
}


@pytest.mark.parametrize("package", INITS)
def test_init_files_only_export(package):
    def exports(node):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return all(map(exports, [*node.body, *node.orelse]))
        if isinstance(node, ast.Assign):  # what is imported when asked for; and the one that has a builtin's name
            return ast.unparse(node.targets[0]) == "_LATE" or ast.unparse(node) == "abs = _absolute"
        if isinstance(node, ast.Expr):
            return isinstance(node.value, ast.Constant) or ast.unparse(node).startswith("_publish(globals()")
        if isinstance(node, ast.FunctionDef):
            return node.name in ("__getattr__", "__dir__")
        return isinstance(node, (ast.Import, ast.ImportFrom))

    for node in ast.parse(INITS[package].read_text(encoding="utf-8")).body:
        assert exports(node), f"line {node.lineno}"


@pytest.mark.parametrize("package", INITS)
def test_every_public_name_is_exported_once_and_bears_no_name_of_a_module(package):
    names = [name for name, module in exported(INITS[package]) if module != package]  # those are rooms themselves
    assert sorted(names) == sorted(set(names))
    folder = INITS[package].parent
    modules = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    assert modules & set(names) == set()


def test_what_is_exported_is_what_a_star_gives_and_dir_shows():
    names = {name for name, _ in exported(INITS["autograd"])} | {"abs"}
    assert set(ag.__all__) == names
    assert len(ag.__all__) == len(names)
    assert names <= set(dir(ag))
    given = {}
    exec("from autograd import *", given)
    assert given.keys() - {"__builtins__"} == names


def test_python_and_type_checkers_read_the_same_of_what_is_imported_late():
    tree = ast.parse(INITS["autograd"].read_text(encoding="utf-8"))
    (branch,) = (node for node in tree.body if isinstance(node, ast.If))
    checkers = {alias.name: node.module for node in branch.body for alias in node.names}
    assert checkers == ag._LATE


def test_everything_exported_is_described():
    for name in ag.__all__:
        found = getattr(ag, name)
        assert found.__doc__ or isinstance(found, ag.Primitive), name


@pytest.mark.parametrize("room", SOURCES)
def test_every_room_says_why_it_exists(room):
    assert ast.get_docstring(ast.parse(SOURCES[room].read_text(encoding="utf-8")))


@pytest.mark.parametrize("room", SOURCES)
def test_autograd_never_imports_nn(room):
    assert list(imports(SOURCES[room], "nn")) == []


def test_nn_imports_autograd_from_public_rooms_only():
    for path in sorted(NN.rglob("*.py")):
        for module, name, node in imports(path):
            private = any(part.startswith("_") for part in [*module.split("."), name or ""])
            assert not private, f"{path.relative_to(NN)}:{node.lineno}: {module}.{name}"


def test_importing_autograd_imports_nothing_but_numpy():
    program = "import sys; import autograd; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT.parent, capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(result.stdout.split())
    assert "numpy" in loaded
    unwanted = {"graphviz", "pygraphviz", "matplotlib", "scipy", "sklearn", "torch", "llvmlite", "tqdm", "nn"}
    assert loaded & unwanted == set()
