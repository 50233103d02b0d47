"""An `if` on a traced value splits a function into paths, and each lane of a batch takes its own."""

import math

import numpy as np
import pytest

import autograd as ag
from autograd.compiler import trace_cache
from tests.bits import same_bits

both = pytest.mark.parametrize("backend", ["numpy", "native"])


def many(x, y):
    """Six branches, which part the plane into nine paths."""
    if x > 1.0:
        return x * y if y > 0.0 else x - y
    if 0.25 < x < 0.75:
        z = y * 2.0 if abs(y) >= 1.0 else y
        return z + x
    if x:
        return ag.exp(x) if not y < 0.0 else x * x
    return y


@both
def test_each_lane_takes_its_own_path(backend, rng):
    x, y = rng.uniform(-3, 3, (2, 300))
    x[:6], y[:4] = [math.nan] * 4 + [0.0, -0.0], [1.0, -1.0, 0.0, math.nan]
    expected = np.array([many(*row) for row in zip(x.tolist(), y.tolist(), strict=True)])
    kernel = ag.compile(many, backend=backend)
    np.testing.assert_allclose(kernel(x, y), expected, rtol=1e-15)
    assert kernel.stats["paths"] == len(kernel.programs) == 9
    np.testing.assert_allclose([kernel(*row) for row in zip(x[:30].tolist(), y.tolist(), strict=False)], expected[:30])
    np.testing.assert_allclose(kernel(x[::-1], 0.5), [many(v, 0.5) for v in x[::-1].tolist()], rtol=1e-15)
    assert kernel.stats["paths"] == 9
    derive = ag.value_and_grad(many, argnums=(0, 1))
    value, slopes = ag.compile(derive, backend=backend)(x, y)
    rows = np.array([[v, *g] for v, g in (derive(*row) for row in zip(x.tolist(), y.tolist(), strict=True))]).T
    np.testing.assert_allclose([value, *slopes], rows, rtol=1e-15)
    for reduce, share in (("sum", 1), ("mean", 296)):
        total = ag.compile(derive, backend=backend, reduce=reduce)(x[4:], y[4:])
        np.testing.assert_allclose([total[0], *total[1]], rows[:, 4:].sum(axis=1) / share, rtol=1e-12)


@both
@pytest.mark.parametrize("reduce", [None, "mean", "sum"])
def test_paths_may_differ_in_what_varies(backend, reduce):
    kernel = ag.compile(lambda x, y: (x, 1.0) if x > y else (7.0, x), backend=backend, reduce=reduce)
    result = kernel(np.array([1.0, -1.0, 2.0]), 0.0)
    fold = {None: lambda v: v, "mean": lambda v: sum(v) / 3, "sum": sum}[reduce]
    expected = [fold([1.0, 7.0, 2.0]), fold([1.0, -1.0, 1.0])]
    np.testing.assert_allclose(result, expected, rtol=1e-15)
    np.testing.assert_allclose(kernel(-1.0, np.zeros(3)), [fold([7.0] * 3), fold([-1.0] * 3)], rtol=1e-15)


@both
def test_a_branch_of_a_kernel_with_parameters(backend):
    w = ag.Value(2.0)
    step = ag.compile(lambda x: w * x if x > 0.0 else w * w, parameters=[w], reduce="sum", backend=backend)
    assert step(np.array([1.0, -1.0, 3.0])) == 12.0
    assert w.grad == 8.0


NEIGHBOURS = np.random.default_rng(0).normal(size=(500, 2)) * 2


@both
@pytest.mark.parametrize(
    ("op", "by_math"),
    [
        (ag.tanh, math.tanh),
        (ag.exp, math.exp),
        (ag.sin, math.sin),
        (lambda x: ag.hypot(x, 0.7), lambda x: math.hypot(x, 0.7)),
    ],
)
def test_a_branch_at_the_last_bit_of_a_function_is_no_endless_row_of_paths(backend, op, by_math):
    result = ag.compile(op, backend=backend)(NEIGHBOURS[:, 0])
    for x, z in zip(NEIGHBOURS[:, 0].tolist(), result.tolist(), strict=True):
        if z != by_math(x):  # which tracing takes for another path than the back end
            limit = min(z, by_math(x))
            kernel = ag.compile(lambda x, limit=limit: 1.0 if op(x) > limit else 2.0, backend=backend)
            assert set(kernel(np.full(5, x)).tolist()) <= {1.0, 2.0}
            assert kernel(x) in (1.0, 2.0)
            break


def test_conditions_are_combined_and_chosen_by_without_a_path():
    def f(x, y):
        inside = (x > 0.0) & (y > 0.0) | ~(x >= -1.0)
        return ag.where(inside, x, y) + ag.where((x > 0.0) ^ (y > 0.0), 10.0, 0.0) + (x > y) * 100.0

    x, y = np.random.default_rng(0).normal(size=(2, 50))
    kernel = ag.compile(f)
    inside = (x > 0.0) & (y > 0.0) | (x < -1.0)
    expected = np.where(inside, x, y) + np.where((x > 0.0) ^ (y > 0.0), 10.0, 0.0) + (x > y) * 100.0
    assert same_bits(kernel(x, y), expected).all()
    assert kernel.program.guards == []
    assert ag.compile(lambda x: x.relu() + ag.abs(x) + ag.clip(x, 0, 1) + ag.sign(x))(2.0) == 6.0


@both
def test_an_endless_family_of_paths_is_an_error_that_points_at_the_comparison(backend):
    def steps(x):
        n = 0.0
        while x > n:
            n += 1.0
        return n

    kernel = ag.compile(steps, backend=backend)
    with pytest.raises(ag.CompileError, match=rf"(?s)64 paths.*{__file__}:\d+.*ag\.where"):
        kernel(np.arange(100.0))
    assert kernel(3.0) == 3.0
    assert ag.compile(steps, backend=backend)(np.arange(float(trace_cache.MAX_PATHS))).tolist() == list(range(64))


def test_results_of_another_structure_on_another_path_are_refused():
    kernel = ag.compile(lambda x: (x, x) if x > 0.0 else x)
    kernel(1.0)
    with pytest.raises(ag.CompileError, match="different structures on different paths"):
        kernel(-1.0)
    assert kernel(1.0) == (1.0, 1.0)


@both
def test_a_branch_may_ask_a_value_outside(backend):
    limit = ag.Value(1.0)
    kernel = ag.compile(lambda x: x if x > limit else (-x if limit > 0.0 else x * 100.0), backend=backend)
    for data, expected in (
        (1.0, [-0.5, 2.0, -1.0]),
        (0.0, [0.5, 2.0, 1.0]),
        (-1.0, [0.5, 2.0, 1.0]),
        (3.0, [-0.5, -2.0, -1.0]),
    ):
        limit.data = data
        assert kernel(np.array([0.5, 2.0, 1.0])).tolist() == expected
        assert [kernel(x) for x in (0.5, 2.0, 1.0)] == expected


# ---- Derivatives where a cotangent is zero


ZEROS = {
    "a product, where a branch makes it two paths": (lambda x: (2.0 * x) * (3.0 * x) if x < 5.0 else x, 0.0),
    "beside a root that is not chosen": (lambda x: (2.0 * x) * (3.0 * x) + ag.where(x > 0.0, ag.sqrt(x), 0.0), 0.0),
    "of an infinite factor": (lambda x: ag.relu(x) * ag.exp(1000.0 * x) + x * x, -1.0),
    "of a slope that decides": (lambda x: x * x if ag.grad(lambda u: ag.relu(u) * u)(x) > 1.0 else x**3, 0.0),
}


@both
@pytest.mark.parametrize("mark", ZEROS)
@pytest.mark.parametrize(
    "derive",
    [
        ag.grad,
        lambda f: ag.grad(ag.grad(f)),
        lambda f: ag.hessian(f),
        lambda f: lambda x: ag.hvp(f, x, 1.0),
        lambda f: lambda x: ag.jvp(ag.grad(f), x, 1.0),
    ],
    ids=["grad", "grad of grad", "hessian", "hvp", "jvp of grad"],
)
def test_derivatives_of_any_order_are_those_of_the_function_where_a_cotangent_is_zero(backend, derive, mark):
    f, x = ZEROS[mark]
    expected = derive(f)(x)
    kernel = ag.compile(derive(f), backend=backend)
    assert kernel(x) == pytest.approx(expected)
    batch = kernel(np.array([1.0, x, 7.0, x]))
    found = tuple(part[1] for part in batch) if isinstance(expected, tuple) else batch[1]
    assert found == pytest.approx(expected)


@both
def test_a_nan_in_one_output_changes_no_other(backend):
    def slopes(x, y):
        product = ag.grad(ag.grad(lambda u: (2.0 * u) * (3.0 * u)))(x)
        return product, ag.grad(lambda v: ag.where(v > 0.0, ag.sqrt(v), 0.0))(y), ag.log(x - 1.0)

    kernel = ag.compile(slopes, backend=backend)
    assert kernel(0.0, 0.0)[:2] == (12.0, 0.0)
    product, root, _ = kernel(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    assert (product.tolist(), root.tolist()) == ([12.0, 12.0], [0.0, 0.5])


@both
def test_a_nan_that_does_not_vary_beside_lanes_is_looked_at(backend):
    slope = ag.grad(lambda x: ag.where(x > 0.0, ag.sqrt(x), 0.0) + 5.0 * x)
    kernel = ag.compile(lambda x, y: (slope(x), y * 2.0), backend=backend)
    assert kernel(0.0, np.arange(3.0))[0].tolist() == [5.0, 5.0, 5.0]


@both
def test_all_paths_are_traced_of_the_structure_and_not_of_the_first_arguments(backend):
    def f(x, options):
        if x > 0.0:
            return x
        return x * 10.0 if options["mode"] == "a" else x * 1000.0

    kernel, options = ag.compile(f, backend=backend), {"mode": "a"}
    kernel(1.0, options)
    options["mode"] = "b"
    assert kernel(-1.0, {"mode": "a"}) == -10.0


@both
def test_infinities_of_both_signs_make_a_nan_without_a_warning(backend):
    kernel = ag.compile(lambda x: (x, -x, x * 0.0), reduce="sum", backend=backend)
    assert np.isnan(kernel(np.array([np.inf, -np.inf]))).all()


@both
def test_branches_may_return_booleans_and_traced_conditions(backend):
    def f(x):
        if x < 0.0:
            return False
        return x > 1.0

    kernel = ag.compile(f, backend=backend)
    assert [kernel(-1.0), kernel(0.5), kernel(2.0)] == [False, False, True]


@both
def test_a_nan_that_no_output_shows_is_found_where_it_decides(backend):
    def slope(x):
        return ag.grad(lambda u: ag.where(u > 0.0, ag.sqrt(u), 0.0) + 5.0 * u)(x)  # 5 at 0, if no nan leaks

    decided = ag.grad(lambda x: ag.maximum(slope(x) * x, 3.0 * x))
    kernel = ag.compile(decided, backend=backend)
    assert kernel(0.0) == decided(0.0)
    assert kernel(np.array([0.0, 1.0, 4.0])).tolist() == [decided(0.0), decided(1.0), decided(4.0)]
    guarded = ag.compile(lambda x: 1.0 if slope(x) > 4.0 else 2.0, backend=backend)
    assert (guarded(0.0), guarded(np.array([1.0, 0.0])).tolist()) == (1.0, [1.0, 1.0])


@both
@pytest.mark.parametrize("f", [lambda x, y: x * ag.sqrt(y), lambda x, y: x * ag.log(y), lambda x, y: x * ag.exp(y)])
def test_a_mixed_second_derivative_is_that_of_the_function_where_a_slope_is_infinite(backend, f):
    mixed = ag.grad(ag.grad(f, argnums=1), argnums=0)
    kernel = ag.compile(mixed, backend=backend)
    for y in (0.0, 1000.0):
        assert kernel(0.0, y) == mixed(0.0, y)
        assert kernel(np.array([0.0, 1.0]), y).tolist() == [mixed(0.0, y), mixed(1.0, y)]


@both
def test_a_path_may_give_nothing(backend):
    def f(x):
        if x > 0.0:
            pass
        return ()

    assert ag.compile(f, backend=backend)(np.arange(3.0)) == ()
