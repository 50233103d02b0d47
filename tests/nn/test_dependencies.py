"""What nn says when something it needs is missing, or is another."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from nn.dependencies import optional

ROOT = Path(__file__).parents[2]


def test_another_projects_autograd_is_named_with_the_cure(tmp_path):
    (tmp_path / "autograd").mkdir()
    (tmp_path / "autograd" / "__init__.py").write_text("from math import sin\n")
    (tmp_path / "nn").symlink_to(ROOT / "nn")
    result = subprocess.run([sys.executable, "-c", "import nn"], cwd=tmp_path, capture_output=True, text=True)
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError")
    assert str(tmp_path / "autograd" / "__init__.py") in last
    assert "pip uninstall autograd" in last
    assert "chainrule" in last


def test_a_missing_package_is_named_with_a_command_that_works_anywhere(monkeypatch):
    with pytest.raises(ImportError, match=r"needs no_such_package.*: pip install no_such_package$"):
        optional("no_such_package.datasets")
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"needs scikit-learn.*: pip install scikit-learn$"):
        optional("sklearn.datasets")


def test_no_hint_speaks_of_an_index_that_does_not_have_chainrule():
    for folder in ("autograd", "nn", "demos"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not re.search(r"install [^\n]*chainrule(?!'s pyproject)", path.read_text(encoding="utf-8")), path


def test_importing_nn_imports_nothing_that_is_optional():
    code = "import sys, nn; print([m for m in ('sklearn', 'matplotlib', 'tqdm', 'scipy', 'torch', 'safetensors', 'dask') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_every_public_name_is_there():
    import nn

    assert all(hasattr(nn, name) for name in nn.__all__)
