"""What `import nn` gives."""

import subprocess
import sys

import pytest

import nn
import nn.init
import nn.losses
import nn.optim


@pytest.mark.parametrize("room", [nn.optim, nn.losses])
def test_nn_exports_every_public_name_of_its_rooms(room):
    assert set(room.__all__) <= set(nn.__all__)


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
