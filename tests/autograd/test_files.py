"""A path is a name: nothing that `open` would take otherwise, such as the number of an open file, gets through."""

import io
import os
from pathlib import Path

import numpy as np
import pytest

from autograd.files import file_path

NO_PATHS = [0, 1, 2, True, np.int64(1), 1.0, None, b"a", bytearray(b"a"), io.BytesIO(), [], ["a"], ("a",), {}, object()]


class Named(os.PathLike):
    def __init__(self, name):
        self.name = name

    def __fspath__(self):
        return self.name


@pytest.mark.parametrize("path", ["a", "a/b.c", "~", Path("a"), Named("a/b"), np.str_("a")])
def test_strings_and_paths_are_paths(path):
    assert os.fspath(file_path("render", "path", path)) == os.fspath(path)


@pytest.mark.parametrize("path", [*NO_PATHS, Named(b"a")], ids=lambda path: type(path).__name__)
def test_anything_else_is_a_type_error_that_names_the_argument_and_what_was_given(path):
    with pytest.raises(TypeError, match=r"^nn\.mnist: folder must be a path, a str or an os\.PathLike, got .*"):
        file_path("nn.mnist", "folder", path)


@pytest.mark.parametrize("path", ["", "a\0b", Named("")])
def test_no_name_is_a_value_error(path):
    with pytest.raises(ValueError, match="path must be the name of a file or folder"):
        file_path("render", "path", path)


def test_what_to_pass_in_place_of_a_file_or_of_bytes_is_said():
    with pytest.raises(TypeError, match="pass its name"):
        file_path("render", "path", io.StringIO())
    with pytest.raises(TypeError, match="decode it"):
        file_path("render", "path", b"a")


def test_a_large_value_is_cut_short():
    with pytest.raises(TypeError) as caught:
        file_path("render", "path", list(range(1000)))
    assert len(str(caught.value)) < 200
