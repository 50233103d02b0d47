"""An optimizer keeps parameters in one buffer, and nobody who shares them notices."""

import copy
import pickle

import numpy as np
import pytest

import nn
from autograd import Tensor, Value
from nn import SGD, Adam, Parameter

BOTH = pytest.mark.parametrize("kind", [SGD, Adam])
ALL = pytest.mark.parametrize("kind", [SGD, Adam, nn.AdamW, nn.Adagrad, nn.RMSprop, nn.Lion])


def loss_of(*ps):
    return sum(((p - 1) ** 2).sum() for p in ps)


def step(optimizer, *ps):
    optimizer.zero_grad()
    loss_of(*ps).backward()
    optimizer.step()


def reference(kind, start, n):
    """The values after `n` steps of an undisturbed optimizer."""
    p = Parameter(np.array(start))
    optimizer = kind([p], lr=0.1)
    for _ in range(n):
        step(optimizer, p)
    return p._data.copy()


# ---- At the door


@BOTH
def test_there_must_be_parameters(kind):
    with pytest.raises(ValueError, match="at least one parameter, got none"):
        kind([], lr=0.1)


@BOTH
def test_results_are_refused(kind):
    for x in (Tensor([1.0]), Value(1.0)):
        with pytest.raises(ValueError, match=r"parameter 1 is the result of mul.*detach"):
            kind([Tensor([1.0]), x * 2], lr=0.1)


@BOTH
@pytest.mark.parametrize("lr", [-0.1, float("nan"), float("inf")])
def test_learning_rates_are_not_negative(kind, lr):
    with pytest.raises(ValueError, match=f"lr must be a number from 0, got {lr}"):
        kind([Parameter([1.0])], lr=lr)


@BOTH
@pytest.mark.parametrize(
    ("params", "match"),
    [
        (Tensor([1.0]), "not one"),
        (3, r"pass \.parameters\(\)"),
        ([np.ones(1)], "is a ndarray"),
        ({"params": [Tensor([1.0])]}, "list of groups"),
        ([{"params": [Tensor([1.0])]}, Tensor([1.0])], "a group is a dict"),
        ([Tensor([1.0]), {"params": []}], "parameter 1 is a dict"),
    ],
)
def test_other_things_are_refused(kind, params, match):
    with pytest.raises(TypeError, match=match):
        kind(params, lr=0.1)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda p: SGD(p, 0.1, nesterov=True), "nesterov needs a momentum"),
        (lambda p: SGD(p, 0.1, momentum=0.9, dampening=0.1, nesterov=True), "no dampening"),
        (lambda p: SGD(p, 0.1, momentum=-1), "momentum must be"),
        (lambda p: Adam(p, betas=(0.9, 1.0)), r"betas must be .* got \(0\.9, 1\.0\)"),
        (lambda p: Adam(p, eps=-1e-8), "eps must be"),
        (lambda p: Adam(p, weight_decay=-1), "weight_decay must be"),
    ],
)
def test_settings_out_of_range_are_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make([Parameter([1.0])])


# ---- Who shares a parameter's array


def test_parameters_of_a_dtype_share_one_buffer():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    before = model.state_dict()
    Adam(model.parameters())
    assert len({id(p._data.base) for p in model.parameters()}) == 1
    assert all(np.array_equal(before[name], array) for name, array in model.state_dict().items())


@BOTH
def test_dtypes_and_kinds_may_be_mixed(kind):
    ps = [Parameter(np.full(2, 3.0, np.float32)), Value(3.0), Tensor([3.0]), Parameter(np.full((), 3.0, np.float32))]
    optimizer = kind(ps, lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        for p in ps:
            loss = (p - 1) ** 2
            (loss if isinstance(p, Value) else loss.sum()).backward()
        optimizer.step()
    assert [p._data.dtype for p in ps if isinstance(p, Tensor)] == [np.float32, np.float64, np.float32]
    expected = reference(kind, [3.0], 3)[0]
    for p in ps:
        np.testing.assert_allclose(p.data, expected, rtol=1e-6)


@BOTH
def test_who_holds_the_data_sees_it_change_and_may_change_it(kind):
    given = np.array([3.0, 4.0])
    p = Tensor(given)
    optimizer = kind([p], lr=0.1)
    step(optimizer, p)
    np.testing.assert_array_equal(given, p.data)
    np.testing.assert_array_equal(given, reference(kind, [3.0, 4.0], 1))
    given[:] = [3.0, 4.0]
    assert p.data.tolist() == [3.0, 4.0]
    q = Parameter([1.0, 2.0])
    optimizer = kind([q], lr=0.1)
    held = q.data
    step(optimizer, q)
    step(optimizer, q)
    np.testing.assert_array_equal(held, q.data)
    held[:] = 7.0
    assert q.data.tolist() == [7.0, 7.0]


@BOTH
@pytest.mark.parametrize("when", ["before forward", "after forward", "after backward", "after step"])
def test_data_that_was_read_and_kept_is_the_parameters(kind, when):
    p = Parameter([3.0, 4.0])
    optimizer = kind([p], lr=0.1)
    step(optimizer, p)
    kept = []
    keep = lambda moment: kept.append(p.data[:1]) if moment == when else None  # part of it, a view of a view
    for _ in range(2):
        keep("before forward")
        optimizer.zero_grad()
        loss = loss_of(p)
        keep("after forward")
        loss.backward()
        keep("after backward")
        optimizer.step()
        keep("after step")
    np.testing.assert_array_equal(p._data, reference(kind, [3.0, 4.0], 3))
    for array in kept[-1:]:
        np.testing.assert_array_equal(array, p._data[:1])
        y = (p * p).sum()
        array[:] = 100.0
        assert p.data[0] == 100.0
        before = y.item()
        p.zero_grad()
        y.backward()  # as recorded: with the value before
        assert p.grad[0] == pytest.approx(2 * np.sqrt(before - p._data[1] ** 2))


@BOTH
def test_data_that_was_only_looked_at_costs_nothing_later(kind):
    p = Parameter([3.0, 4.0])
    optimizer = kind([p], lr=0.1)
    for _ in range(2):
        step(optimizer, p)
        loss_of(p)
        assert p.data.sum() > 0
    step(optimizer, p)
    assert p._lent_array() is None
    assert p._data.base is optimizer._buckets[0][0].data.base


@BOTH
def test_data_set_by_hand_wins(kind):
    p, q = Parameter([3.0, 4.0]), Parameter([5.0])
    optimizer = kind([p, q], lr=0.1)
    p.data = np.array([5.0, 5.0])
    step(optimizer, p, q)
    np.testing.assert_array_equal(p.data, np.repeat(reference(kind, [5.0], 1), 2))
    np.testing.assert_array_equal(q.data, reference(kind, [5.0], 1))


def test_data_that_was_only_looked_at_between_steps_is_not_copied_by_every_forward_pass():
    p = Parameter([3.0, 4.0])
    optimizer = SGD([p], lr=0.1)
    p.grad = np.ones(2)
    optimizer.step()
    assert p.data.sum() > 0  # no graph relies on it, so this is the buffer itself
    optimizer.step()
    assert p._lent_array() is None


def test_steps_by_hand_and_by_optimizer_mix():
    p = Parameter([3.0])
    optimizer = SGD([p], lr=0.1)
    expected = 3.0
    for k in range(6):
        optimizer.zero_grad()
        loss_of(p).backward()
        if k % 2:
            optimizer.step()
        else:
            p.data -= 0.1 * p.grad
        expected -= 0.1 * 2 * (expected - 1)
        assert p.data[0] == pytest.approx(expected, rel=1e-14)


def test_read_only_data_is_not_written():
    array = np.broadcast_to(3.0, (2,))
    p = Parameter(array)
    step(SGD([p], lr=0.1), p)
    assert array.tolist() == [3.0, 3.0]
    np.testing.assert_allclose(p.data, 2.6)


@BOTH
def test_two_optimizers_may_share_a_parameter(kind):
    p, expected = Parameter([3.0]), 3.0
    one, two = SGD([p], lr=0.1), SGD([p], lr=0.01)
    for _ in range(3):
        for optimizer in (one, two):
            step(optimizer, p)
            expected -= optimizer.lr * 2 * (expected - 1)
    assert p.data[0] == pytest.approx(expected, rel=1e-14)


def test_a_change_of_shape_or_dtype_needs_a_new_optimizer():
    p = Parameter([3.0])
    optimizer = SGD([p], lr=0.1)
    for data in (np.ones(2), np.ones(1, np.float32)):
        p.data, p.grad = data, np.ones_like(data)
        with pytest.raises(ValueError, match=r"parameter 0 .* when the optimizer was made.*make a new optimizer"):
            optimizer.step()


# ---- Gradients


def test_gradients_are_none_after_zero_grad_as_in_torch():
    p, value = Parameter([3.0]), Value(3.0)
    optimizer = SGD([p, value], lr=0.1)
    loss_of(p).backward()
    (value * value).backward()
    optimizer.zero_grad()
    assert p.grad is None
    assert value.grad == 0.0
    optimizer.step()
    assert p.data[0] == value.data == 3.0


@BOTH
@pytest.mark.parametrize("n", [2, 70_000], ids=["small", "large"])
def test_a_gradient_that_was_kept_does_not_change(kind, n):
    p = Parameter(np.full(n, 3.0))
    optimizer = kind([p], lr=0.1)
    loss_of(p).backward()
    kept = p.grad
    optimizer.step()
    step(optimizer, p)
    assert kept.tolist() == [4.0] * n
    np.testing.assert_array_equal(p.data, reference(kind, np.full(n, 3.0), 2))


@BOTH
def test_gradients_may_be_set(kind):
    for n in (3, 70_000):
        ps = [Parameter(np.full((n, 2), 3.0)), Parameter([3.0])]
        optimizer = kind(ps, lr=0.1)
        for p in ps:
            p.grad = np.asfortranarray(np.full(p.shape, 4.0, np.float32))
        optimizer.step()
        for p in ps:
            np.testing.assert_allclose(p.data, reference(kind, [3.0], 1)[0])
            p.grad = np.ones(1) if p.size > 1 else np.ones(2)
        before = optimizer.state_dict()["state"][0]["step"]
        with pytest.raises(ValueError, match=r"parameter 0 .* but a gradient of shape"):
            optimizer.step()
        assert optimizer.state_dict()["state"][0]["step"] == before


def test_gradients_accumulate_over_backward_passes():
    p = Parameter([3.0])
    optimizer = SGD([p], lr=0.1)
    loss_of(p).backward()
    loss_of(p).backward()
    optimizer.step()
    assert p.data[0] == pytest.approx(3.0 - 0.1 * 8)


def test_a_parameter_given_twice_takes_one_step():
    p = Parameter([3.0])
    step(SGD([p, p], lr=0.1), p)
    assert p.data[0] == pytest.approx(2.6)


def test_many_parameters_of_many_sizes():
    rng = np.random.default_rng(0)
    shapes = [(7,), (300, 300), (), (0,), (3, 5), (260, 300), (270, 280), (2,)]
    start = [rng.normal(size=shape) for shape in shapes]
    together, alone = [Parameter(a.copy()) for a in start], [Parameter(a.copy()) for a in start]
    one = Adam(together)
    several = [Adam([p]) for p in alone]
    for _ in range(3):
        step(one, *together)
        for optimizer, p in zip(several, alone, strict=True):
            step(optimizer, p)
    for p, q in zip(together, alone, strict=True):
        np.testing.assert_array_equal(p.data, q.data)


# ---- Graphs recorded before a step


@BOTH
@pytest.mark.parametrize("read_first", [False, True])
def test_a_stale_graph_raises(kind, read_first):
    p = Parameter([3.0])
    optimizer = kind([p], lr=0.1)
    for _ in range(2):
        if read_first:
            kept = p.data
        y = (p * p).sum()
        step(optimizer, p)
        with pytest.raises(RuntimeError, match="changed after the forward pass"):
            y.backward()
        (p * p).sum().backward()
    if read_first:
        assert kept is not None


def test_a_graph_read_elsewhere_in_between_is_never_silently_wrong():
    p = Parameter([3.0])
    one, two = SGD([p], lr=0.1), SGD([p], lr=0.2)
    for first, second in ((one, two), (two, one), (one, one)):
        step(first, p)
        y = (p * p).sum()
        _ = p.data  # the graph keeps the array, the parameter gets another
        z = (p * p).sum()
        p.grad = np.ones(1)
        second.step()
        for stale in (y, z):
            with pytest.raises(RuntimeError, match="changed after the forward pass"):
                stale.backward()


def test_optimizing_a_detached_result_leaves_its_graph_alone():
    x = Tensor([1.0])
    y = x.exp()
    free = y.detach()
    optimizer = SGD([free], lr=0.1)
    step(optimizer, free)
    step(optimizer, free)
    assert free.data[0] != y.data[0]
    y.backward(np.ones(1))
    assert x.grad[0] == pytest.approx(np.e)


def test_what_was_detached_before_a_step_keeps_its_derivative():
    p = Parameter([3.0])
    optimizer = SGD([p], lr=0.1)
    fixed = p.detach()
    y = (fixed * fixed).sum()
    step(optimizer, p)
    y.backward()
    assert fixed.grad[0] == 6.0


def test_making_an_optimizer_does_not_disturb_a_graph():
    p = Parameter([3.0])
    y = loss_of(p)
    optimizer = SGD([p], lr=0.1)
    y.backward()
    optimizer.step()
    assert p.data[0] == pytest.approx(2.6)


# ---- Groups


def test_groups_are_dicts_with_all_settings_and_share_nothing():
    ps = [Parameter([3.0]), Parameter([4.0]), Parameter([5.0])]
    optimizer = SGD([{"params": ps[:1], "lr": 0.5}, {"params": ps[1]}], lr=0.1, momentum=0.9)
    optimizer.add_param_group({"params": ps[2:], "momentum": 0.0})
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.1, 0.1]
    assert [group["momentum"] for group in optimizer.param_groups] == [0.9, 0.9, 0.0]
    assert optimizer.parameters == ps
    assert optimizer.lr == 0.5
    optimizer.lr = 0.2
    assert [group["lr"] for group in optimizer.param_groups] == [0.2] * 3
    step(optimizer, *ps)
    assert [sorted(parts) for parts in optimizer.state_dict()["state"].values()] == [
        ["momentum_buffer", "step"],
        ["momentum_buffer", "step"],
        ["step"],
    ]
    assert [group["params"] for group in optimizer.state_dict()["param_groups"]] == [[0], [1], [2]]


@pytest.mark.parametrize(
    ("group", "kind", "match"),
    [
        (
            {"params": [Parameter([1.0])], "weigth_decay": 0.1},
            ValueError,
            "SGD has no setting 'weigth_decay': it has lr",
        ),
        ({"params": [Parameter([1.0])], "lr": -1.0}, ValueError, "lr must be a number from 0"),
        ({"params": []}, ValueError, "at least one parameter"),
        ({"lr": 1.0}, TypeError, "a group is a dict"),
        ({"params": [3.0]}, TypeError, "parameter 1 is a float"),
    ],
)
def test_a_group_that_cannot_be_is_refused(group, kind, match):
    with pytest.raises(kind, match=match):
        SGD([{"params": [Parameter([2.0])]}, group])


def test_a_parameter_is_in_one_group_only():
    p = Parameter([1.0])
    with pytest.raises(ValueError, match="more than one group"):
        SGD([{"params": [p]}, {"params": [p]}])


def test_a_misfit_in_one_group_leaves_all_alone():
    p, q = Parameter([3.0]), Parameter([4.0])
    optimizer = Adam([{"params": [p]}, {"params": [q]}])
    p.grad, q.grad = np.ones(1), np.ones(2)
    with pytest.raises(ValueError, match="parameter 1 has shape"):
        optimizer.step()
    assert p.data.tolist() == [3.0]
    assert optimizer.state_dict()["state"] == {}


def test_a_closure_is_called_before_the_step_and_its_loss_returned():
    p = Parameter([3.0])
    optimizer = SGD([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = loss_of(p)
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 4.0
    assert p.data[0] == pytest.approx(2.6)


# ---- State


@ALL
def test_a_saved_state_continues_with_the_same_bits(kind):
    rng = np.random.default_rng(0)
    ps = [Parameter(rng.normal(size=shape)) for shape in [(3, 4), (4,), ()]]
    optimizer = kind([{"params": ps[:1], "weight_decay": 0.1}, {"params": ps[1:]}], lr=0.01)
    for _ in range(3):
        step(optimizer, *ps)
    others = [Parameter(p.data.copy()) for p in ps]
    other = kind([{"params": others[:1]}, {"params": others[1:]}])
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for _ in range(3):
        step(optimizer, *ps)
        step(other, *others)
    for p, q in zip(ps, others, strict=True):
        np.testing.assert_array_equal(p.data, q.data)


@BOTH
def test_a_state_has_torchs_layout_and_is_a_copy(kind):
    ps = [Parameter([3.0]), Parameter([[4.0]]), Parameter([5.0])]
    optimizer = kind(ps, lr=0.1)
    step(optimizer, *ps[:2])
    state = optimizer.state_dict()
    assert list(state["state"]) == [0, 1]
    (group,) = state["param_groups"]
    assert group["lr"] == 0.1
    assert group["params"] == [0, 1, 2]
    if kind is Adam:
        assert set(state["state"][1]) == {"step", "exp_avg", "exp_avg_sq"}
        assert state["state"][1]["exp_avg"].shape == (1, 1)
        state["state"][1]["exp_avg"][:] = 9.0
        assert optimizer.state_dict()["state"][1]["exp_avg"] != 9.0


def test_a_state_that_does_not_fit_is_refused_whole():
    p, q = Parameter([3.0]), Parameter([3.0, 4.0])
    one, two, three = Adam([p], lr=0.1), Adam([q], lr=0.2), Adam([p, q])
    step(one, p)
    with pytest.raises(ValueError, match=r"exp_avg of parameter 0 is of shape \(1,\), the parameter has shape \(2,\)"):
        two.load_state_dict(one.state_dict())
    with pytest.raises(ValueError, match="of 1 parameters, the optimizer has 2"):
        three.load_state_dict(one.state_dict())
    assert two.lr == 0.2


@BOTH
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"])
def test_model_and_optimizer_copied_together_stay_together(kind, duplicate):
    model = nn.Linear(2, 1, dtype=np.float64, rng=0)
    optimizer = kind(model.parameters(), lr=0.1)
    step(optimizer, *model.parameters())
    other_model, other = duplicate((model, optimizer))
    assert next(iter(other_model.parameters())) is other.parameters[0]
    for _ in range(2):
        step(optimizer, *model.parameters())
    untouched = other_model.state_dict()
    for _ in range(2):
        step(other, *other_model.parameters())
    assert not np.array_equal(untouched["weight"], other_model.weight.data)
    np.testing.assert_array_equal(model.weight.data, other_model.weight.data)


def test_divergence_shows_in_the_values_and_not_in_warnings():
    p = Parameter(np.array([1e30], np.float32))
    optimizer = Adam([p])
    p.grad = np.array([1e30], np.float32)
    optimizer.step()
    assert p.data[0] == np.float32(1e30)


def test_an_optimizer_is_shown_with_its_settings():
    assert (
        repr(Adam([Parameter([1.0])]))
        == "Adam(1 parameters, lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0, amsgrad=False)"
    )


# ---- Steps that would do nothing, or something else than asked


@pytest.mark.parametrize("kind", [SGD, nn.Adam, nn.AdamW, nn.optim.RMSprop], ids=lambda kind: kind.__name__)
def test_a_step_without_any_gradient_is_an_error(kind):
    p, q = Parameter([1.0]), Parameter([2.0])
    optimizer = kind([p, q], lr=0.1)
    with pytest.raises(ValueError, match=r"no parameter has a gradient.*call backward\(\)"):
        optimizer.step()
    p.grad = np.ones(1)
    optimizer.step()  # the other is left alone
    assert p.data[0] < 1.0
    assert q.data[0] == 2.0
    optimizer.zero_grad()
    with pytest.raises(ValueError, match="no parameter has a gradient"):
        optimizer.step()


@pytest.mark.parametrize(
    "wrong",
    [0.5, [0.5, 0.5], None, Tensor([0.5, 0.5]), np.array([1j, 2j]), np.array(["a", "b"]), np.float64(0.5)],
    ids=lambda wrong: type(wrong).__name__,
)
def test_a_gradient_that_is_no_array_of_numbers_is_an_error_and_nothing_is_changed(wrong):
    p, q = Parameter([1.0, 2.0]), Parameter([3.0])
    optimizer = SGD([p, q], lr=0.1)
    p.grad, q.grad = wrong, np.ones(1)
    if wrong is None:
        optimizer.step()
        return
    with pytest.raises(TypeError, match=r"parameter 0 has as gradient .*call zero_grad\(\)"):
        optimizer.step()
    assert (p.data.tolist(), q.data.tolist()) == ([1.0, 2.0], [3.0])


@pytest.mark.parametrize("wrong", [None, "a", np.ones(2), 1j], ids=lambda wrong: type(wrong).__name__)
def test_a_gradient_of_a_value_that_is_no_number_is_an_error(wrong):
    p, q = Value(1.0), Value(2.0)
    optimizer = SGD([p, q], lr=0.1)
    q.grad = wrong
    with pytest.raises(TypeError, match=r"parameter 1 has as gradient .*: set a number"):
        optimizer.step()
    assert (p.data, q.data) == (1.0, 2.0)


@pytest.mark.parametrize("clip", [nn.clip_grad_norm_, nn.clip_grad_value_])
def test_clipping_by_a_generator_that_is_used_up_is_an_error(clip):
    p = Parameter([1.0])
    parameters = iter([p])
    assert list(parameters) == [p]
    with pytest.raises(ValueError, match="at least one parameter, got none: if a generator was used up"):
        clip(parameters, 1.0)
