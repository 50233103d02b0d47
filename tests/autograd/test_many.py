"""Operations on any number of scalars: the same numbers as by the operators, in one node."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.graph import ancestors
from autograd.many import MANY, operand
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

every_operation = pytest.mark.parametrize("name", sorted(MANY))


def test_every_operation_on_many_has_an_oracle():
    assert set(REFERENCE) == set(MANY) == set(OURS)


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
    assert result.op is MANY[name]
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
    op, xs = MANY[name], [0.5, 1.5, 2.5]
    right = op.many
    for place, arg in enumerate(OURS[name]([ag.Value(x) for x in xs]).inputs):
        if not isinstance(arg, ag.Node):
            continue

        def wrong(g, z, *xs, place=place):
            return [share * (1.01 if k == place else 1.0) for k, share in enumerate(right(g, z, *xs))]

        op.many = wrong
        try:
            with pytest.raises(ag.GradientError, match=name) as caught:
                ag.gradcheck(lambda *xs: OURS[name](list(xs)), *xs)
        finally:
            op.many = right
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
