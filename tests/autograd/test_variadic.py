"""Operations on any number of scalars: the same numbers as by the operators, in one node."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.graph import ancestors
from autograd.variadic import VARIADIC, operand
from tests.strategies import between

FLOATS = st.lists(between(-3, 3), min_size=1, max_size=6)

REFERENCE = {
    "sum": math.fsum,
    "prod": math.prod,
    "norm": math.hypot,
    "logsumexp": lambda xs: math.log(sum(map(math.exp, xs))),
    "dot": lambda xs: sum(x * y for x, y in zip(xs, reversed(xs), strict=True)),
}
OURS = {
    **{name: getattr(ag, name) for name in ("sum", "prod", "norm", "logsumexp")},
    "dot": lambda xs: ag.dot(xs, xs[::-1]),
}
REFERENCE["norm"] = lambda xs: math.hypot(*xs)

every_operation = pytest.mark.parametrize("name", sorted(VARIADIC))


def test_every_operation_on_many_has_an_oracle():
    assert set(REFERENCE) == set(VARIADIC) == set(OURS)


@every_operation
@given(xs=FLOATS)
def test_on_floats_it_gives_what_math_gives(name, xs):
    result = OURS[name](xs)
    assert type(result) is float
    assert result == pytest.approx(REFERENCE[name](xs), rel=1e-13, abs=1e-13)


@every_operation
@given(xs=FLOATS)
def test_on_values_it_is_one_node(name, xs):
    values = [ag.Value(x) for x in xs]
    result = OURS[name](values)
    assert type(result) is ag.Value
    assert result.data == OURS[name](xs)
    assert result.op is VARIADIC[name]
    assert len(ancestors(result)) == len(xs) + 1


@every_operation
@given(xs=st.lists(between(0.25, 3), min_size=1, max_size=5))
def test_its_derivatives_are_those_of_finite_differences(name, xs):
    assert ag.gradcheck(lambda *xs: OURS[name](list(xs)), *xs, order=2, trials=1)


@every_operation
@given(xs=FLOATS)
def test_scalars_and_arrays_agree(name, xs):
    values, tensor = [ag.Value(x) for x in xs], ag.Tensor(xs)
    by_values = OURS[name](values)
    by_tensor = OURS[name](tensor)
    assert by_values.data == pytest.approx(by_tensor.item(), rel=1e-13, abs=1e-13)
    by_values.backward()
    by_tensor.backward()
    np.testing.assert_allclose([v.grad for v in values], tensor.grad, rtol=1e-12, atol=1e-12)


@every_operation
def test_a_rule_that_is_wrong_by_one_percent_is_found(name):
    op, xs = VARIADIC[name], [0.5, 1.5, 2.5]
    right = op.variadic
    for place, arg in enumerate(OURS[name]([ag.Value(x) for x in xs]).inputs):
        if not isinstance(arg, ag.Node):
            continue

        def wrong(z, *xs, place=place):
            return [share * (1.01 if k == place else 1.0) for k, share in enumerate(right(z, *xs))]

        op.variadic = wrong
        try:
            with pytest.raises(ag.GradientError, match=name) as caught:
                ag.gradcheck(lambda *xs: OURS[name](list(xs)), *xs)
        finally:
            op.variadic = right
        assert type(caught.value) is ag.GradientError
    assert ag.gradcheck(lambda *xs: OURS[name](list(xs)), *xs)


@every_operation
@pytest.mark.parametrize(
    "kind",
    [list, tuple, iter, lambda xs: np.array(xs, dtype=object)],
    ids=["list", "tuple", "iterator", "object array"],
)
def test_any_collection_will_do(name, kind):
    if name == "dot":
        result = ag.dot(kind([ag.Value(1.0), 2.0]), kind([3.0, 4]))
        assert result.data == 11.0
    else:
        assert OURS[name](kind([ag.Value(1.0), 2, 3.0])).data == pytest.approx(REFERENCE[name]([1.0, 2.0, 3.0]))


def test_constants_among_the_scalars_cost_nothing_and_get_nothing():
    v = ag.Value(2.0)
    y = ag.dot([v, 3.0], [4.0, 5.0])
    assert y.parents == (v,) or y.parents[0] is v
    y.backward()
    assert v.grad == 4.0


def test_one_value_many_times_over():
    v = ag.Value(2.0)
    ag.sum([v, v, v]).backward()
    assert v.grad == 3.0
    v.zero_grad()
    ag.prod([v, v, v]).backward()
    assert v.grad == 12.0


def test_products_with_zeros_are_exact():
    for xs, expected in (([0.0, 2.0, 3.0], [6.0, 0.0, 0.0]), ([0.0, 0.0, 3.0], [0.0, 0.0, 0.0])):
        values = [ag.Value(x) for x in xs]
        ag.prod(values).backward()
        assert [v.grad for v in values] == expected


def test_empty_collections():
    assert ag.sum([]) == 0.0
    assert ag.prod([]) == 1.0
    assert ag.norm([]) == 0.0
    assert ag.dot([], []) == 0.0


def test_logsumexp_does_not_overflow():
    values = [ag.Value(1000.0), ag.Value(1000.0)]
    y = ag.logsumexp(values)
    assert y.data == pytest.approx(1000 + math.log(2))
    y.backward()
    assert [v.grad for v in values] == pytest.approx([0.5, 0.5])


def test_dot_of_different_lengths_is_an_error_that_counts():
    with pytest.raises(ValueError, match="dot: 2 and 1 scalars do not pair up"):
        ag.dot([1.0, 2.0], [ag.Value(1.0)])


def test_lists_of_tensors_are_stacked():
    x, y = ag.Tensor([1.0, 2.0]), ag.Tensor([3.0, 4.0])
    ag.sum([x, y], axis=0).backward(np.array([1.0, 10.0]))
    assert x.grad.tolist() == y.grad.tolist() == [1.0, 10.0]
    assert operand([[x, y], [y, x]]).shape == (2, 2, 2)
    assert type(operand([1.0, 2.0])) is np.ndarray


def test_a_mixture_of_values_and_tensors_is_stacked():
    v, t = ag.Value(2.0), ag.Tensor(3.0)
    y = ag.sum([v, t])
    y.backward()
    assert y.item() == 5.0
    assert v.grad == 1.0
    assert float(t.grad) == 1.0


@pytest.mark.parametrize("f", [ag.sum, ag.mean, ag.max, ag.prod, ag.norm, ag.logsumexp])
def test_reductions_of_one_value_are_that_value(f):
    v = ag.Value(2.0)
    y = f(v)
    y.backward()
    assert y.item() == pytest.approx(2.0)
    assert v.grad == 1.0


def test_generators_are_summed_as_pythons_sum_does():
    values = [ag.Value(float(k)) for k in range(4)]
    assert ag.sum(v * v for v in values).data == 14.0


def test_a_neuron_is_five_nodes():
    w, x, b = [ag.Value(0.5) for _ in range(10)], [0.1] * 10, ag.Value(0.0)
    y = ag.tanh(ag.dot(w, x) + b)
    assert len(ancestors(y)) == 10 + 1 + 3


# ---- Values stay Values, whatever they are collected in

COLLECTIONS = {
    "list": lambda v, w: [v, w],
    "tuple": lambda v, w: (v, w),
    "generator": lambda v, w: (x for x in [v, w]),
    "dict's values": lambda v, w: {"v": v, "w": w}.values(),
    "object array": lambda v, w: np.array([v, w]),
    "object matrix": lambda v, w: np.array([[v], [w]]),
    "nested lists": lambda v, w: [[v], [w]],
    "rows": lambda v, w: [[v], np.array([w.data])],
    "float": lambda v, w: [v, w.data],
    "int": lambda v, w: [v, 2],
    "bool": lambda v, w: [v, w, True],
    "float64": lambda v, w: [v, np.float64(w.data)],
    "float32": lambda v, w: [v, np.float32(w.data)],
    "int64": lambda v, w: [np.int64(2), v],
    "array of no axes": lambda v, w: [np.array(w.data), v],
}
PLAIN = {
    "sum": np.sum,
    "prod": np.prod,
    "mean": np.mean,
    "norm": lambda x: np.sqrt(np.sum(np.square(x))),
    "logsumexp": lambda x: np.log(np.sum(np.exp(x))),
}


@pytest.mark.parametrize("collect", COLLECTIONS.values(), ids=COLLECTIONS)
@pytest.mark.parametrize("name", PLAIN)
def test_a_reduction_of_values_is_a_value(name, collect):
    v, w = ag.Value(3.0), ag.Value(2.0)
    numbers = [3.0, 2.0, 1.0] if collect is COLLECTIONS["bool"] else [3.0, 2.0]
    out = getattr(ag, name)(collect(v, w))
    assert type(out) is ag.Value
    assert out.data == pytest.approx(PLAIN[name](np.array(numbers)), rel=1e-14)
    out.backward()
    step = 1e-6
    up, down = (PLAIN[name](np.array([numbers[0] + h, *numbers[1:]])) for h in (step, -step))
    assert v.grad == pytest.approx((up - down) / (2 * step), rel=1e-7)


ROWS = {
    "list": [3.0, 4.0],
    "tuple": (3.0, 4.0),
    "ints": [3, 4],
    "row": np.array([3.0, 4.0]),
    "float32 row": np.array([3.0, 4.0], np.float32),
    "int row": np.array([3, 4]),
    "column": np.array([[3.0, 0.0], [4.0, 0.0]])[:, 0],
    "NumPy's numbers": [np.float64(3.0), np.float32(4.0)],
    "Values": [ag.Value(3.0), ag.Value(4.0)],
    "Values and numbers": [ag.Value(3.0), np.int64(4)],
    "object array": np.array([ag.Value(3.0), 4.0]),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_inner_product_of_values_and_any_row_is_a_value(row):
    for weights in (
        [ag.Value(1.0), ag.Value(2.0)],
        (ag.Value(1.0), ag.Value(2.0)),
        np.array([ag.Value(1.0), ag.Value(2.0)]),
    ):
        for out in (
            ag.dot(weights, row),
            ag.dot(row, weights),
            ag.dot(weights, iter(list(row))),
            ag.dot(weights, row, 1.0),
        ):
            assert type(out) is ag.Value
        assert ag.dot(weights, row).data == 11.0
        for w in weights:
            w.grad = 0.0
        ag.dot(weights, row).backward()
        assert [w.grad for w in weights] == [3.0, 4.0]


def test_rows_of_another_length_do_not_pair_up():
    with pytest.raises(ValueError, match="2 and 3 scalars do not pair up"):
        ag.dot([ag.Value(1.0), ag.Value(2.0)], np.ones(3))


def test_without_a_value_lists_and_arrays_are_what_they_were():
    assert type(ag.dot([1.0, 2.0], np.array([3.0, 4.0]))) is np.float64
    assert type(ag.mean([1.0, 2.0])) is np.float64
    assert type(ag.sum([[1.0], [2.0]])) is np.float64
    assert type(ag.sum([ag.Tensor([1.0]), ag.Tensor([2.0])])) is ag.Tensor
    assert type(ag.sum([ag.Value(1.0), ag.Tensor(2.0)])) is ag.Tensor
    assert ag.sum(np.array([[ag.Value(1.0), 2.0]]), axis=0).shape == (2,)
    assert type(ag.norm([[ag.Value(3.0)], [4.0]])) is ag.Value
    assert ag.sum(ag.Tensor([1.0, x]) for x in (1.0, 2.0)).data == 5.0
