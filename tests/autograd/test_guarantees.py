"""The conventions in the package's docstring: each part names tests, and they exist."""

import ast
import re
from pathlib import Path

import pytest

import autograd as ag

TESTS = Path(__file__).parents[1]
PARTS = re.split(r"\n(?=[A-Z][^\n]*\n    )", ag.__doc__)[1:]
NAMED = re.findall(r"\[([\w/]+\.py)(?:::(\w+))?\]", ag.__doc__)


def test_every_part_names_its_tests():
    titles = [part.partition("\n")[0] for part in PARTS]
    assert len(titles) >= 9
    assert {"Edges", "Kinks", "Files"} <= {*titles}
    assert [title for title, part in zip(titles, PARTS, strict=True) if "[" not in part] == []


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[f"{file}::{name}" for file, name in NAMED])
def test_a_test_that_is_named_exists(file, name):
    defined = [
        node.name for node in ast.walk(ast.parse((TESTS / file).read_text())) if isinstance(node, ast.FunctionDef)
    ]
    assert not name or name in defined
