"""Thirty steps of every schedule give PyTorch's learning rates, in every parameter group."""

import copy
import json
import math

import pytest

from autograd import Tensor
from nn import SGD, Adagrad, Adam, optim

pytestmark = pytest.mark.filterwarnings("ignore:Detected call of")  # PyTorch wants optimizers to step in between

SCHEDULES = [
    ("StepLR", {"step_size": 4, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [11, 3], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 7}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 20}),
    ("CosineAnnealingLR", {"T_max": 30}),
    ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 1.0 / (1.0 + epoch)}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 31}),
    ("OneCycleLR", {"max_lr": [0.5, 1.0], "epochs": 4, "steps_per_epoch": 8, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 31, "three_phase": True, "div_factor": 10.0, "pct_start": 0.4}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 31, "base_momentum": 0.7, "max_momentum": 0.8}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 31, "cycle_momentum": False}),
]
every = pytest.mark.parametrize(("name", "settings"), SCHEDULES)
METRICS = [5, 4, 3, 3, 3, 3, 3, 2.99999, 2.9, 3, 3, 3, 3, 3, 3, 1, math.nan, 2, 2, 2, 2, 2, 2, 2, 0, -1, -1, -1, -1, -1]
PLATEAUS = [
    {},
    {"patience": 2, "factor": 0.5},
    {"patience": 1, "factor": 0.5, "cooldown": 2, "min_lr": 0.02},
    {"patience": 1, "mode": "max", "threshold": 0.3, "min_lr": [0.01, 0.2]},
    {"patience": 1, "threshold": 0.5, "threshold_mode": "abs"},
    {"patience": 1, "threshold": 0.5, "threshold_mode": "abs", "mode": "max", "eps": 0.05},
]


def ours(kind=SGD, **settings):
    return kind([{"params": [Tensor([1.0])]}, {"params": [Tensor([2.0])], "lr": 0.3}], lr=0.1, **settings)


def theirs(torch, kind="SGD", **settings):
    leaf = lambda: torch.tensor([1.0], requires_grad=True)
    return getattr(torch.optim, kind)([{"params": [leaf()]}, {"params": [leaf()], "lr": 0.3}], lr=0.1, **settings)


def agree(mine, its):
    for group, other in zip(mine.param_groups, its.param_groups, strict=True):
        assert group["lr"] == pytest.approx(float(other["lr"]), rel=1e-12, abs=1e-15)
        for name in {"momentum", "betas"} & set(group):
            assert group[name] == pytest.approx(other[name], rel=1e-12)


@every
@pytest.mark.parametrize(("kind", "options"), [(SGD, {"momentum": 0.9}), (Adam, {})])
def test_thirty_steps(name, settings, kind, options):
    torch = pytest.importorskip("torch")
    mine, its = ours(kind, **options), theirs(torch, kind.__name__, **options)
    schedule, other = getattr(optim, name)(mine, **settings), getattr(torch.optim.lr_scheduler, name)(its, **settings)
    agree(mine, its)
    for _ in range(30):
        schedule.step()
        other.step()
        agree(mine, its)
        assert schedule.get_last_lr() == [group["lr"] for group in mine.param_groups]


@pytest.mark.parametrize("settings", PLATEAUS)
def test_thirty_metrics(settings):
    torch = pytest.importorskip("torch")
    mine, its = ours(), theirs(torch)
    schedule = optim.ReduceLROnPlateau(mine, **settings)
    other = torch.optim.lr_scheduler.ReduceLROnPlateau(its, **settings)
    for metric in METRICS:
        schedule.step(metric)
        other.step(metric)
        agree(mine, its)


def test_one_after_the_other():
    torch = pytest.importorskip("torch")
    mine, its = ours(), theirs(torch)

    def sequence(module, optimizer):
        parts = [
            module.LinearLR(optimizer, 0.1, total_iters=5),
            module.CosineAnnealingLR(optimizer, 10),
            module.ExponentialLR(optimizer, 0.9),
        ]
        return module.SequentialLR(optimizer, parts, [5, 15])

    schedule, other = sequence(optim, mine), sequence(torch.optim.lr_scheduler, its)
    agree(mine, its)
    for _ in range(30):
        schedule.step()
        other.step()
        agree(mine, its)


def sequential(optimizer):
    parts = [optim.LinearLR(optimizer, 0.1, total_iters=5), optim.ExponentialLR(optimizer, 0.9)]
    return optim.SequentialLR(optimizer, parts, [5])


MAKERS = [
    *(lambda o, n=name, s=settings: getattr(optim, n)(o, **s) for name, settings in SCHEDULES),
    sequential,
    lambda o: optim.ReduceLROnPlateau(o, patience=2),
]


@pytest.mark.parametrize("make", MAKERS)
def test_a_state_goes_through_json_and_continues_with_the_same_bits(make):
    mine = ours(Adam)
    schedule = make(mine)
    advance = lambda s, k: s.step(METRICS[k]) if isinstance(s, optim.ReduceLROnPlateau) else s.step()
    for k in range(8):
        advance(schedule, k)
    again = ours(Adam)
    other = make(again)
    again.load_state_dict(mine.state_dict())
    other.load_state_dict(json.loads(json.dumps(schedule.state_dict())))
    for k in range(8, 20):
        advance(schedule, k)
        advance(other, k)
        assert schedule.get_last_lr() == other.get_last_lr()
        assert [g["betas"] for g in mine.param_groups] == [tuple(g["betas"]) for g in again.param_groups]


def test_a_schedule_copied_with_its_optimizer_stays_with_it():
    schedule = optim.ExponentialLR(ours(), 0.5)
    other = copy.deepcopy(schedule)
    other.step()
    assert schedule.get_last_lr() == [0.1, 0.3]
    assert other.get_last_lr() == [0.05, 0.15]
    assert repr(other) == "ExponentialLR(last_epoch=1, lr=[0.05, 0.15])"


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda o: optim.StepLR(o, 0), "step_size must be a positive integer, got 0"),
        (lambda o: optim.LinearLR(o, start_factor=0.0), "start_factor must be a number above 0 to 1"),
        (lambda o: optim.SequentialLR(o, [optim.ExponentialLR(o, 0.9)], [3]), "1 schedules and 1 milestones"),
        (lambda o: optim.SequentialLR(o, [optim.ExponentialLR(ours(), 0.9)], []), "of another"),
        (lambda o: optim.OneCycleLR(o, 1.0), "total_steps, or epochs and steps_per_epoch"),
        (lambda o: optim.OneCycleLR(o, [1.0], total_steps=5), "1 for 2 groups"),
        (lambda o: optim.OneCycleLR(o, 1.0, total_steps=5, pct_start=2.0), "pct_start"),
        (lambda o: optim.OneCycleLR(o, 1.0, total_steps=5, anneal_strategy="sin"), "'cos', 'linear', got 'sin'"),
        (lambda o: optim.OneCycleLR(ours(Adagrad), 1.0, total_steps=5), "cycle_momentum=False"),
        (lambda o: optim.ReduceLROnPlateau(o, mode="less"), "got 'less'"),
        (lambda o: optim.ReduceLROnPlateau(o, factor=1.0), "factor must be"),
        (lambda o: optim.ReduceLROnPlateau(o, min_lr=[0.1]), "1 for 2 groups"),
    ],
)
def test_what_cannot_be_is_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make(ours())


def test_a_cycle_has_an_end():
    schedule = optim.OneCycleLR(ours(), 1.0, total_steps=2)
    schedule.step()
    schedule.step()
    with pytest.raises(ValueError, match="has 2 steps, and this is step 3"):
        schedule.step()


@pytest.mark.parametrize(("steps", "share"), [(10, 0.1), (1, 1.0), (1, 0.3), (2, 0.5), (4, 0.0), (5, 1.0)])
@pytest.mark.parametrize("three_phase", [False, True])
def test_phases_of_no_length_are_no_division_by_zero(steps, share, three_phase):
    schedule = optim.OneCycleLR(ours(), 1.0, total_steps=steps, pct_start=share, three_phase=three_phase)
    for _ in range(steps - 1):
        schedule.step()
    assert all(0.0 <= lr <= 1.0 for lr in schedule.get_last_lr())
