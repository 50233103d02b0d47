"""What `import nn` gives."""

import subprocess
import sys
from types import ModuleType

import pytest

import nn

FOLDERS = [nn.datasets, nn.losses, nn.optim]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.__name__)
def test_nn_exports_every_public_name_of_its_folders(folder):
    assert all(getattr(nn, name) is getattr(folder, name) for name in folder.__all__)
    assert set(folder.__all__) <= set(nn.__all__)


def test_a_star_gives_what_is_defined_here_and_no_module_but_two():
    assert len(nn.__all__) == len(set(nn.__all__))
    modules = {name for name in nn.__all__ if isinstance(getattr(nn, name), ModuleType)}
    assert modules == {"init", "estimators"}
    assert all(getattr(nn, name).__module__.startswith("nn.") for name in set(nn.__all__) - modules)


def test_the_rooms_themselves_are_at_hand_and_scikit_learn_waits_until_it_is_asked_for():
    program = (
        "import sys, nn; nn.scalar.MLP, nn.init.zeros_, nn.datasets.moons, nn.optim.Adam, nn.plots; "
        "assert 'sklearn' not in sys.modules and 'matplotlib' not in sys.modules; "
        "print(nn.estimators.NetClassifier.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "NetClassifier"


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'nn' has no attribute 'Adamm'"):
        nn.Adamm  # noqa: B018  # the look-up is what is tested
