"""A layer that does not know its input's size waits for the first one."""

import copy

import numpy as np
import pytest

from nn import Adam, Conv2d, Flatten, Linear, Sequential


def waiting(rng=0):
    return Sequential(Conv2d(None, 4, 3, rng=rng), Flatten(), Linear(None, 2, rng=rng))


def test_the_first_input_tells_the_size_and_the_values_are_those_of_a_layer_that_knew():
    model = waiting()
    assert "Linear(in_features=None, out_features=2, bias=True)" in repr(model)
    assert "Conv2d(None, 4" in repr(model)
    model(np.ones((2, 3, 5, 5)))
    known = Sequential(Conv2d(3, 4, 3, rng=0), Flatten(), Linear(36, 2, rng=0))
    assert repr(model) == repr(known)
    for name, array in known.state_dict().items():
        np.testing.assert_array_equal(model.state_dict()[name], array)
    with pytest.raises(ValueError, match="of 3 channels"):
        model(np.ones((2, 1, 5, 5)))


@pytest.mark.parametrize(
    "ask", [lambda m: Adam(m.parameters()), lambda m: m.state_dict(), lambda m: list(m.parameters())]
)
def test_asking_for_parameters_before_says_what_to_do(ask):
    model = waiting()
    with pytest.raises(ValueError, match=r"0\.weight has no shape yet.*run the model once, as in model\(x\)"):
        ask(model)
    model.summary((1, 1, 5, 5))
    ask(model)


def test_modes_dtypes_and_copies_work_before():
    model = copy.deepcopy(waiting().to(np.float64).eval())
    model.zero_grad()
    assert model(np.ones((2, 3, 5, 5))).dtype == np.float64


@pytest.mark.parametrize("layer", [Linear(None, 2), Linear(None, 2, bias=False)])
def test_what_has_no_last_axis_tells_nothing(layer):
    for shape in ((), (3, 0)):
        with pytest.raises(ValueError, match="last axis"):
            layer(np.ones(shape))
    assert layer(np.ones((3, 4))).shape == (3, 2)


def test_groups_that_do_not_divide_are_told_at_the_first_input():
    with pytest.raises(ValueError, match="groups=2 does not divide the 3 channels"):
        Conv2d(None, 4, 3, groups=2)(np.ones((1, 3, 5, 5)))
