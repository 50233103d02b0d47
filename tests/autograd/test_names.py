"""Tab completion of autograd's objects: the names that it shows, and their docstrings."""

import inspect

import pytest

import autograd as ag
from autograd.other_engines import NAMES

NODE = "data detach dtype grad backward inputs item label ndim numpy op parents shape size zero_grad"
MATHEMATICS = """
abs acos acosh asin asinh atan atan2 atanh cbrt ceil clip cos cosh erf erfc exp expm1 floor hypot log log10 log1p log2
maximum minimum relu sigmoid sign sin sinh softplus sqrt square tan tanh where
"""
# Those by which NumPy's functions of object arrays look for what to do with an element.
NUMPY = """
T arccos arccosh arcsin arcsinh arctan arctan2 arctanh conjugate deg2rad degrees exp2 fabs fmod logical_xor rad2deg
radians rint
"""
ARRAYS = """
argmax argmin astype broadcast_to cumsum diagonal dot expand_dims flatten log_softmax logsumexp mT max mean min norm prod
ravel repeat reshape softmax split squeeze std sum swapaxes take tolist trace transpose var
"""
SHOWN = {
    "Value": (ag.Value(1.0), NODE + MATHEMATICS + NUMPY),
    "Tensor": (ag.Tensor([1.0]), NODE + MATHEMATICS + NUMPY + ARRAYS),
    "Kernel": (ag.compile(lambda x: x * x, backend="numpy"), "program programs source stats"),
}


@pytest.mark.parametrize("kind", SHOWN)
def test_tab_completion_shows_what_a_user_may_use(kind):
    shown, names = SHOWN[kind]
    assert sorted(name for name in dir(shown) if not name.startswith("_")) == sorted(names.split())
    assert not {*NAMES} & {*dir(shown)}


@pytest.mark.parametrize("kind", SHOWN)
def test_every_name_that_is_shown_has_a_docstring(kind):
    shown = type(SHOWN[kind][0])
    for name in dir(shown):
        if not name.startswith("_"):
            assert inspect.getdoc(getattr(shown, name)), name
