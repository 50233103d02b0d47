"""L-BFGS finds what scipy finds, through the closure that PyTorch's takes."""

import copy
import sys

import numpy as np
import pytest

import nn
from autograd import Tensor, Value

scipy_optimize = pytest.importorskip("scipy.optimize")


def rosenbrock(x, y):
    return (1.0 - x) ** 2 + 100.0 * (y - x * x) ** 2


def closure_of(optimizer, loss_of, calls=None):
    def closure():
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        if calls is not None:
            calls.append(loss.item())
        return loss

    return closure


def test_it_takes_scipys_way_down_rosenbrocks_valley():
    x = Tensor(np.array([-1.2, 1.0]))
    optimizer = nn.LBFGS([x], max_iter=15, max_eval=1000, history_size=10, tolerance_grad=1e-5, tolerance_change=1e-9)
    first = optimizer.step(closure_of(optimizer, lambda: rosenbrock(x[0], x[1])))
    found = scipy_optimize.minimize(
        scipy_optimize.rosen,
        [-1.2, 1.0],
        jac=scipy_optimize.rosen_der,
        method="L-BFGS-B",
        options={"maxiter": 15, "maxcor": 10, "gtol": 1e-5, "ftol": 1e-9},
    )
    assert first.item() == pytest.approx(24.2)
    np.testing.assert_allclose(x.data, found.x, rtol=1e-6)


def test_it_gets_to_the_bottom_with_parameters_of_every_kind():
    x, y = Value(-1.2), Tensor(np.array([1.0], np.float32))
    optimizer = nn.LBFGS([x, y], max_iter=200)
    optimizer.step(closure_of(optimizer, lambda: rosenbrock(x, y).sum()))
    assert x.data == pytest.approx(1.0, abs=1e-2)
    assert y.dtype == np.float32
    assert y.data[0] == pytest.approx(1.0, abs=2e-2)


def test_it_asks_no_more_often_than_it_may():
    x = Tensor(np.array([-1.2, 1.0]))
    calls = []
    optimizer = nn.LBFGS([x], max_iter=100, max_eval=5)
    optimizer.step(closure_of(optimizer, lambda: rosenbrock(x[0], x[1]), calls))
    assert 5 <= len(calls) <= 10
    assert rosenbrock(*x.data) == pytest.approx(min(calls))


def test_a_copy_and_a_state_have_its_settings():
    optimizer = nn.LBFGS([Tensor([1.0])], max_iter=7)
    assert copy.deepcopy(optimizer).param_groups[0]["max_iter"] == 7
    other = nn.LBFGS([Tensor([1.0])])
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["max_iter"] == 7


def test_it_needs_a_closure_and_one_group():
    with pytest.raises(TypeError, match="several times a step"):
        nn.LBFGS([Tensor([1.0])]).step()
    with pytest.raises(ValueError, match="one group"):
        nn.LBFGS([{"params": [Tensor([1.0])]}, {"params": [Tensor([2.0])]}])


def test_a_missing_scipy_is_named_with_its_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    x = Tensor([1.0])
    optimizer = nn.LBFGS([x])
    with pytest.raises(ImportError, match=r"needs scipy.*: pip install scipy$"):
        optimizer.step(closure_of(optimizer, lambda: (x * x).sum()))
