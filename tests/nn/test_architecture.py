"""The house plan of nn, by which imports point down: read from the sources, not from what happens to be loaded."""

import ast
from functools import cache
from pathlib import Path

import pytest

import nn

ROOT = Path(nn.__file__).parent
ROOMS = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in sorted(ROOT.rglob("*.py"))
    if path.name != "__init__.py"
}
LAYERS = [
    "activation",
    "containers",
    "convolution",
    "dropout",
    "embedding",
    "linear",
    "normalisation",
    "pooling",
    "shaping",
]
TRAINING = [
    "aggregation",
    "data",
    "evaluation",
    "history",
    "callbacks",
    "resuming",
    "training_state",
    "training",
    "doctor",
]
FILES = ["encoding", "checkpoint", "monitors"]
PLOTS = ["plots", "lr_finder"]
ORDER = [  # each room may import those before it; the rooms of losses, optim and datasets one another too
    *("typing", "dependencies", "modes", "validation", "parameters", "state_dicts", "summary", "module_tree", "module", "layers.parameters"),
    *(f"layers.{name}" for name in LAYERS),
    *("losses", "restoring", "randomness", "optim", "init", "metrics", "elements", "scalar", "files", "datasets"),
    *(*TRAINING, *FILES, *PLOTS, "estimators"),
]  # fmt: skip


def place(room):
    """The place of a room, or of its folder, in the order."""
    return ORDER.index(room if room in ORDER else room.partition(".")[0])


@cache
def imports(room):
    """(room or folder, imported name, whether within a function) of each import of a room from nn; those for type
    checkers alone are left out."""
    tree = ast.parse(ROOMS[room].read_text(encoding="utf-8"))
    unread, within = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            unread.update(map(id, node.body))
        elif isinstance(node, (ast.FunctionDef, ast.Lambda)):
            within.update(map(id, ast.walk(node)))
    found = []
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").partition(".")[0] == "nn"
            and id(node) not in unread
        ):
            found += [(node.module.partition(".")[2], alias.name, id(node) in within) for alias in node.names]
        elif isinstance(node, ast.Import):
            assert not any(alias.name.partition(".")[0] == "nn" for alias in node.names), (
                "write from nn.room import name"
            )
    return found


def reached(*rooms):
    """All rooms that these import, directly or by way of others."""
    found, rest = set(), list(rooms)
    while rest:
        for module, _, _ in imports(rest.pop()):
            inner = {other for other in ROOMS if other == module or other.startswith(f"{module}.")} - found
            found |= inner
            rest += inner
    return found


def test_every_room_has_its_place_in_the_plan():
    assert [
        room for room in ROOMS if room not in ORDER and room.partition(".")[0] not in ("losses", "optim", "datasets")
    ] == []
    assert [room for room in ORDER if room not in ROOMS and not (ROOT / room).is_dir()] == []


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_down_and_stand_at_the_top(room):
    for module, name, within in imports(room):
        assert module, f"{name} is imported through the front door"
        assert not within, f"{module}.{name} is imported inside a function"
        assert not name.startswith("_"), f"{module}.{name} is that room's own"
        folder = room.partition(".")[0]
        inside = place(room) == place(module) and module.partition(".")[0] == folder
        assert inside or place(module) < place(room), f"{room} imports {module}, which is not below it"


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_imports_itself_by_way_of_others(room):
    assert room not in reached(room)


def test_layers_know_nothing_of_training_training_nothing_of_files_and_files_nothing_of_plots():
    layers = [f"layers.{name}" for name in LAYERS]
    for rooms, unknown in ((layers, TRAINING), (TRAINING, FILES), (FILES, PLOTS)):
        assert reached(*rooms) & set(unknown) - set(rooms) == set()
    assert reached(*layers) & {*FILES, *PLOTS} == reached(*TRAINING) & set(PLOTS) == set()


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_why_it_exists_and_leads_with_the_noun(room):
    first, *_ = ast.get_docstring(ast.parse(ROOMS[room].read_text(encoding="utf-8"))).split()
    assert first not in ("What", "How", "Where", "Which", "Who", "Those", "That")
