"""`Doctor`: a callback that says in a sentence what is wrong with a training, with the figure that shows it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Node, no_grad
from autograd.diagnosis import closed, per_unit, saturation
from autograd.graph import ancestors, value_of
from nn.callbacks import Callback
from nn.history import History
from nn.parameters import Parameter
from nn.randomness import generators, set_states, state_of
from nn.validation import flag, shown

if TYPE_CHECKING:
    from nn.training_state import Training
    from nn.typing import Array

# Thresholds lie between what was measured of 400 healthy and 460 ill trainings: those of tests/nn/test_doctor.py, with twenty
# seeds each. "Healthy" and "ill" below are the extremes of these. Where the literature has a figure, it is named.

# Steps from one look to the next, and for the first SOON looks: one costs as much as one step or two.
EVERY, EARLY = 20, 10
SOON = 3  # looks after which something that is always there is no accident
CERTAIN = 5  # those after which parameters have no gradient: before that, it is said if dead units are the cause
SETTLED = 50  # steps, and three epochs, before the loss is judged

# Mean of five losses over the first loss, from which a training diverges: `find_lr` ends at 4. The first loss is of one batch,
# and of few rows may be low by chance: CHANCE over the root of their number is added. Healthy: up to 1.8 for 32 rows; not
# diverging: 3.6 for 10; ill: 124 and more.
DIVERGED, CHANCE = 3.0, 10.0
# Size of a step over that of the weights, the median. About 0.001 is wanted (Karpathy, notes of the course CS231n, "Babysitting
# the learning process"). Healthy: 0.0003 to 0.039; this is five times as much.
LARGE_STEP = 0.2
# Path of the weights in all the epochs over their size. Healthy: 0.08 and more; ill: 0.005 and less.
SHORT_PATH = 0.05
SHORTISH_PATH = 0.12  # where nothing has been learned either; that of targets that cannot be learned is 0.15 and more
FALLEN = 0.9  # of the loss of the first epoch. Healthy: up to 0.85; ill: 0.94 and more
# Share of the loss of a constant prediction that is gone: who begins with so much fine-tunes, in small steps.
KNOWS = 0.5
# The same share, below which nothing is learned (1 - loss / variance, of a regression, is R²). Healthy: 0.53 and more, also
# with as much noise as signal; targets that cannot be learned: 0.04 and less.
NO_SKILL = 0.1
# Share of the units of a layer that give nothing for all of so many rows. Healthy: up to 0.63; ill: 1.
DEAD, ROWS = 0.8, 100
# Share of a layer's results whose slope is below 1% of the largest. Healthy: up to 0.15; ill: 0.8 and more.
SATURATED, FLAT = 0.5, 0.01
CAUSE = 0.9  # such a share, of dead or saturated units, from which on it explains why the loss does not fall
# Gradients at the results of the first layer with weights over those of the last, which Glorot and Bengio compare in
# "Understanding the difficulty of training deep feedforward neural networks", 2010. Healthy: 0.003 to 18; ill: up to
# 1.3e-7, and from 123 on.
VANISHED, GROWN = 2e-5, 50.0
# Size of the gradient over that of the weights, before the first step of a training that diverges: from there on it is to
# blame, and not the rate. Healthy: up to 10; rate too high: up to 0.8; ill: 1e6 and more.
STEEP = 100.0
# Loss of the validation data over its lowest, in each of three epochs on end, where it is at least LEFT of its first (what
# leaves less is good, however its loss goes up and down) and the training loss below GAP of it. The ratio alone does not tell: healthy, up to 2.3
# where the loss is tiny; ill, 1.08 to 8.4. With the other two no healthy training is accused.
WORSE, LEFT, GAP = 1.15, 0.1, 0.5
# Or the training loss over that of the validation data, where this has not fallen to half of its first; ill: 0.09 and less.
BY_HEART, HALF = 0.1, 0.5

SENTENCES = {
    "learning rate too high": "the learning rate is too high: {}; try a tenth of it, or ask nn.find_lr",
    "learning rate too low": "the learning rate is too low: {}; try ten times as much, or ask nn.find_lr",
    "dead units": "units are dead: {}; try a lower learning rate, biases from 0, or nn.LeakyReLU",
    "saturated units": "units are saturated: {}; scale the inputs (nn.Standardizer), begin with smaller weights, or try nn.ReLU",
    "no gradient": "no gradient arrives: {}; look for .detach(), weights of 0, dead units, or too many layers of squashing functions",
    "exploding": "gradients explode: {}; begin with smaller weights (nn.init), scale inputs and targets, or clip gradients",
    "not learning": "nothing is learned: {}; look whether targets belong to their inputs, and whether the model can tell inputs apart",
    "overfitting": "the model overfits: {}; stop early (nn.EarlyStopping), or try more data, weight decay, dropout or a smaller model",
}


@dataclass(frozen=True)
class Finding:
    """What is wrong with a training: its `kind`, as "dead units", a sentence, the epoch in which it was found (from 1), the
    steps done by then, and the figures that show it, by name."""

    kind: str
    text: str
    epoch: int
    step: int
    figures: dict[str, float] = field(default_factory=dict)


class Doctor(Callback):
    """Say what is wrong with a training, in a sentence with the figure that shows it, each kind once.

    The kinds are "learning rate too high", "learning rate too low", "dead units", "saturated units", "no gradient",
    "exploding", "not learning" and "overfitting" (which takes validation data). `findings` has them as data; unless
    `verbose` is False, they are printed. It changes nothing, and costs up to 9% of the time of the smallest models, 3% of others: some steps are
    looked into, and there the loss is computed once more, of a prediction that is the same for all rows.

    >>> import nn
    >>> X, y = nn.moons(100, rng=0)
    >>> model = nn.Sequential(nn.Linear(2, 16, rng=0), nn.Tanh(), nn.Linear(16, 2, rng=1))
    >>> settings = {"loss": nn.CrossEntropyLoss(), "epochs": 20, "rng": 0}
    >>> history = nn.fit(model, (X, y), optimizer=nn.SGD(model.parameters(), lr=1e-5), callbacks=[Doctor()], **settings)
    Doctor, epoch 13: the learning rate is too low: it moves the weights by 2e-06 of their size a step, and the loss went from 0.727 only to 0.727; try ten times as much, or ask nn.find_lr
    """

    def __init__(self, verbose: bool = True) -> None:
        self.verbose = flag("Doctor", "verbose", verbose)
        self._reset()

    def _reset(self) -> None:
        self.findings: list[Finding] = []
        self._log: dict[str, list[float]] = {"step": [], "ratio": [], "growth": [], "skill": []}
        self._counts: dict[str, Any] = {}  # for how many rows, or inspections, something has been so without a break
        self._epoch = 1  # the one in hand
        self._steepness = math.nan  # size of the first gradient over that of the weights
        self._checked = 0  # losses that are known not to diverge
        self._judged = -EARLY  # the step at which the epochs were judged
        self._weights = 0.0  # their size before the step that is looked into
        self._due = 0  # the step at which to look again
        self._before: list[tuple[Parameter, Array]] = []  # the weights before the step that is looked into
        self._generators: list[Any] = []  # those of the loss

    # ---- Hooks

    def on_begin(self, training: Training) -> None:
        self._reset()
        self._generators = [place() for place in generators(training.loss).values()]

    def on_epoch_begin(self, training: Training) -> None:
        self._epoch = training.epoch + 1

    def on_backward(self, training: Training) -> None:
        if not math.isfinite(training.value):
            self._lost(training)
        elif training.step >= self._due:
            self._due = training.step + (EVERY if len(self._log["step"]) >= SOON else EARLY)
            with np.errstate(all="ignore"):
                self._inspect(training)

    def on_step(self, training: Training) -> None:
        if self._before:
            with np.errstate(all="ignore"):
                moved = math.sqrt(sum(_square(p._data - old) for p, old in self._before))
            self._log["ratio"].append(moved / self._weights if self._weights else math.nan)
            self._before = []
            self._diverging(training)

    def on_epoch_end(self, training: Training) -> None:
        if training.step >= self._judged + EARLY:  # not each of a thousand epochs of one step
            self._judged = training.step
            self._judge(training, training.epoch >= max(5, training.epochs // 2))

    def on_end(self, training: Training) -> None:
        self._judge(training, training.epoch >= 3)

    # ---- A look at one step

    def _inspect(self, training: Training) -> None:
        """Note the gradients, and what the graph of the prediction shows of the layers."""
        named = list(training.model.named_parameters())
        self._before = [(p, p._data.copy()) for _, p in named]
        self._weights = math.sqrt(sum([_square(old) for _, old in self._before]))
        if not self._log["step"]:
            gradient = math.sqrt(sum(0.0 if p.grad is None else _square(p.grad) for _, p in named))
            self._steepness = gradient / self._weights if self._weights else math.nan
        self._log["step"].append(training.step)
        self._log["skill"].append(self._skill(training))
        learned = {id(p) for group in getattr(training.optimizer, "param_groups", ()) for p in group["params"]}
        some = [(name, p) for name, p in named if id(p) in learned or not learned]
        matrices = [(name, p) for name, p in some if p._data.ndim > 1] or some
        without = [name for name, p in matrices if p.grad is None or not p.grad.any()]
        if self._count("without", bool(without)) >= CERTAIN and "dead units" not in self._kinds():
            part = f"{len(without)} of {len(matrices)} weights, {_list(without)}, have had the gradient 0 in all looks"
            self._find(training, "no gradient", part, weights=len(without))
        prediction = training.prediction
        if isinstance(prediction, Node) and prediction.op is not None and isinstance(prediction._data, np.ndarray):
            self._look_at_layers(training, [node for node in ancestors(prediction) if node.op is not None])

    def _look_at_layers(self, training: Training, nodes: list[Node]) -> None:
        """Note how gradients change from layer to layer, and the units that are dead or saturated."""
        layers = [n for n in nodes if any(isinstance(x, Parameter) and x._data.ndim > 1 for x in n.parents)]
        growth = math.nan
        if len(layers) > 1 and all(n.grad is not None for n in layers):
            first, last = (math.sqrt(_square(n.grad) / max(1, np.size(n.grad))) for n in (layers[0], layers[-1]))
            growth = first / last if last else math.nan
        self._log["growth"].append(growth)
        figure = f"at the first layer they are {growth:.2g} times as large as at the last"
        if self._count("vanished", 0.0 < growth < VANISHED) >= SOON:
            self._find(training, "no gradient", figure, growth=growth)
        if self._count("grown", growth > GROWN) >= SOON:
            self._find(training, "exploding", figure, growth=growth)
        end = layers[-1]._sequence if layers else 0
        for i, node in enumerate(nodes):
            op, reads = node.op, node._residuals()
            assert op is not None
            if np.ndim(node._data) < 2:
                continue
            shut = closed(op, node._data, reads, [k for k, x in enumerate(node.inputs) if isinstance(x, Node)])
            if shut is not None:
                self._look_for_dead(training, f"{i} {op.name}", per_unit(shut), len(node._data))
            # Of a function that gives the prediction itself, saturated means sure.
            elif node._sequence < end and (flat := saturation(op, node._data, reads[0])) is not None:
                share = float(np.mean(flat < FLAT))
                if self._count(f"{i} {op.name}", share >= SATURATED) >= SOON:
                    figure = (
                        f"for {share:.0%} of the results of a {op.name} the slope is below {FLAT:.0%} of its largest"
                    )
                    self._find(training, "saturated units", figure, share=share)

    def _look_for_dead(self, training: Training, key: str, shut: Array, rows: int) -> None:
        """Count for how many rows each unit has given nothing."""
        before: Any = self._counts.get(key, 0)
        if np.shape(before) != shut.shape:
            before = np.zeros(shut.shape)
        self._counts[key] = counts = np.where(shut, before + rows, 0.0)
        dead = counts >= max(ROWS, SOON * rows)
        if dead.mean() >= DEAD:
            figure = f"{dead.sum()} of {dead.size} units of a {key.split()[1]} gave nothing for the last {counts[dead].min():.0f} rows"
            self._find(training, "dead units", figure, share=float(dead.mean()))

    def _skill(self, training: Training) -> float:
        """The share of the loss that is gone, of that of a prediction that is the same for all rows: the mean."""
        prediction = value_of(training.prediction)
        if not isinstance(prediction, np.ndarray) or prediction.ndim < 1 or len(prediction) < 2:
            return math.nan
        states = [state_of(generator) for generator in self._generators]
        constant = np.broadcast_to(prediction.mean(axis=0), prediction.shape).copy()
        try:
            with no_grad():
                loss = float(value_of(training.loss(constant, training.y)))
        except Exception:  # a loss of the user's that takes nothing but what a model gives
            return math.nan
        finally:
            set_states(self._generators, states)
        return 1.0 - training.value / loss if loss > 0.0 else math.nan

    # ---- Judgement

    def _lost(self, training: Training) -> None:
        """A loss that is not finite."""
        if not training.step:
            self._find(training, "exploding", f"the loss is {training.value} before the first step")
            return
        self._too_high(training, f"the loss is {training.value} at step {training.step + 1}, and was", training.value)

    def _diverging(self, training: Training) -> None:
        """The last losses, against the first."""
        losses, rows = training.history.steps["loss"], training.history.steps["rows"]
        recent = losses[max(0, self._checked - 4) :]
        self._checked = len(losses)
        mean = max((sum(recent[i - 5 : i]) / 5.0 for i in range(5, len(recent) + 1)), default=0.0)
        if len(losses) > 5 and mean > (DIVERGED + CHANCE / math.sqrt(max(rows[0], 1.0))) * losses[0] > 0.0:
            self._too_high(training, f"the loss rose to {mean:.3g} by step {len(losses)}, and was", mean)

    def _too_high(self, training: Training, what: str, loss: float) -> None:
        """A loss that is much higher than at first: the fault of the rate, or of the gradient where that is steep."""
        losses, rates = training.history.steps["loss"], training.history.steps["lr"]
        steepness = self._steepness
        growth = next(iter(self._log["growth"]), math.nan)
        if steepness > STEEP or growth > GROWN:
            size = f"the first gradient was {steepness:.3g} times as large as the weights"
            self._find(
                training, "exploding", f"{what} {losses[0]:.3g} at first; {size}", loss=loss, steepness=steepness
            )
        else:
            self._find(
                training,
                "learning rate too high",
                f"{what} {losses[0]:.3g} at first, at the rate {rates[0]:.3g}",
                loss=loss,
            )

    def _judge(self, training: Training, late: bool) -> None:
        """Look at the losses of steps and epochs as a whole."""
        history = training.history
        epochs, losses = training.epoch, history.epochs.get("loss", [])
        if epochs < 3 or training.step < 5 or not math.isfinite(losses[-1]):
            return
        self._diverging(training)
        self._look_for_overfitting(training, history)
        skills = [s for s in self._log["skill"][len(self._log["skill"]) // 2 :] if s == s]
        skill = float(np.mean(skills)) if len(skills) >= SOON else math.nan
        ratios = [r for r in self._log["ratio"][len(self._log["ratio"]) // 2 :] if r == r]
        if training.step < SETTLED or not ratios:
            return
        ratio = float(np.median(ratios))
        rates = history.epochs["lr"]
        path = ratio * training.step * max(1.0, training.epochs / epochs)
        causes = [f.kind for f in self.findings if f.kind != "overfitting" and f.figures.get("share", 1.0) >= CAUSE]
        if rates[-1] > rates[0] and epochs < training.epochs:
            return  # a rate that grows may be one that warms up
        if path < SHORT_PATH and losses[-1] > FALLEN * losses[0] and not skill > KNOWS:
            if not causes:
                self._too_low(training, ratio, path)
        elif late and skill < NO_SKILL and not causes:
            if ratio > LARGE_STEP:
                figure = f"a step moves the weights by {ratio:.2g} of their size, and predictions are no better than a constant"
                self._find(training, "learning rate too high", figure, ratio=ratio, skill=skill)
            elif path < SHORTISH_PATH:
                self._too_low(training, ratio, path)
            else:
                figure = f"after {epochs} epochs the loss is only {max(skill, 0.0):.1%} below that of one prediction for all rows, the mean"
                self._find(training, "not learning", figure, skill=skill)

    def _too_low(self, training: Training, ratio: float, path: float) -> None:
        """Steps that are too small, by their size and the path of the weights, both relative to the weights."""
        losses = training.history.epochs["loss"]
        figure = f"it moves the weights by {ratio:.1g} of their size a step, and the loss went from {losses[0]:.3g} only to {losses[-1]:.3g}"
        self._find(training, "learning rate too low", figure, ratio=ratio, path=path)

    def _look_for_overfitting(self, training: Training, history: History) -> None:
        """The loss of the validation data, against its lowest."""
        valid, losses = history.epochs.get("valid_loss", []), history.epochs["loss"]
        if len(valid) < 5 or not min(valid[-3:]) > 0.0:
            return
        best = int(np.argmin(valid))
        last, worse = valid[-1], min(valid[-3:]) / valid[best]
        if worse > WORSE and last > LEFT * valid[0] and max(losses[-3:]) < losses[best] and losses[-1] < GAP * last:
            figure = f"the loss of the validation data is {last:.3g}, and was {valid[best]:.3g} in epoch {best + 1}, while that of training fell from {losses[best]:.3g} to {losses[-1]:.3g}"
            self._find(training, "overfitting", figure, worse=worse, best_epoch=best + 1)
        elif max(losses[-3:]) < BY_HEART * last and min(valid[-3:]) > HALF * valid[0]:
            figure = (
                f"the loss of the training data fell to {losses[-1]:.3g}, that of the validation data is {last:.3g}"
            )
            self._find(training, "overfitting", figure, gap=losses[-1] / last)

    def _kinds(self) -> set[str]:
        return {finding.kind for finding in self.findings}

    def _count(self, key: str, holds: bool) -> int:
        """How often something has held without a break, counted on."""
        self._counts[key] = count = self._counts.get(key, 0) + 1 if holds else 0
        return count

    def _find(self, training: Training, kind: str, figure: str, **figures: float) -> None:
        """Add a finding, and print it, unless one of its kind is there, or one that explains it."""
        if not self._kinds() & {kind, "learning rate too high", "exploding"}:  # all else may be what comes of these
            text = SENTENCES[kind].format(figure)
            self.findings.append(Finding(kind, text, self._epoch, training.step, figures))
            if self.verbose:
                print(f"Doctor, epoch {self._epoch}: {text}")

    # ---- Saved with the training

    def state_dict(self) -> dict[str, Any]:
        return {
            "findings": [asdict(finding) for finding in self.findings],
            "log": {name: list(column) for name, column in self._log.items()},
            "counts": dict(self._counts),
            **{name: getattr(self, f"_{name}") for name in ("due", "epoch", "checked", "judged", "steepness")},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        try:
            findings = [Finding(**entry) for entry in state["findings"]]
            log = {name: [float(x) for x in state["log"][name]] for name in self._log}
            counts, due, epoch = dict(state["counts"]), int(state["due"]), int(state["epoch"])
            checked, judged, steepness = int(state["checked"]), int(state["judged"]), float(state["steepness"])
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise ValueError(f"Doctor has findings, log, counts and how far it has come, got {shown(state)}") from error
        self.findings, self._log, self._counts = findings, log, counts
        self._due, self._epoch, self._checked, self._judged = due, epoch, checked, judged
        self._steepness = steepness


def _square(x: Any) -> float:
    """The sum of the squares of an array."""
    flat = np.ravel(x)
    return float(flat.dot(flat))


def _list(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
