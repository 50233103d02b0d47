"""`fit` is the loop that everybody writes: the same weights, and a record of what happened."""

import os
import signal
import sys
import threading

import numpy as np
import pytest

import autograd as ag
import nn

X, Y = nn.moons(50, rng=0)


def make(seed=0, dropout=0.0):
    layers = [nn.Linear(2, 8, rng=seed), nn.Tanh(), *([nn.Dropout(dropout, rng=seed)] if dropout else [])]
    model = nn.Sequential(*layers, nn.Linear(8, 2, rng=seed))
    return model, {"loss": nn.CrossEntropyLoss(), "optimizer": nn.Adam(model.parameters(), lr=0.01)}


def weights(model):
    return np.concatenate([array.ravel() for array in model.state_dict().values()])


class Log(nn.Callback):
    def __init__(self):
        self.lines = []

    def on_begin(self, training):
        self.lines.append("begin")

    def on_epoch_begin(self, training):
        self.lines.append(f"epoch {training.epoch}")

    def on_step(self, training):
        self.lines.append(f"step {training.step}")

    def on_epoch_end(self, training):
        self.lines.append(f"{training.epoch} done")

    def on_end(self, training):
        self.lines.append("end")

    def on_error(self, training):
        self.lines.append("error")


def test_fit_gives_the_weights_and_losses_of_a_loop_by_hand():
    model, settings = make()
    history = nn.fit(model, (X, Y), epochs=3, batch_size=16, rng=5, **settings)

    other, settings = make()
    losses = []
    loader = nn.batches(X, Y, size=16, rng=5)
    for _ in range(3):
        for x, y in loader:
            loss = settings["loss"](other(x), y)
            settings["optimizer"].zero_grad()
            loss.backward()
            settings["optimizer"].step()
            losses.append(loss.item())
    np.testing.assert_array_equal(weights(model), weights(other))
    assert history.steps["loss"] == losses
    assert history.steps["rows"] == [16, 16, 16, 2] * 3
    assert history.steps["lr"] == [0.01] * 12
    assert history.epochs["loss"][-1] == pytest.approx(np.average(losses[-4:], weights=[16, 16, 16, 2]))
    assert len(history) == 3
    assert history.stopped is None


def test_batches_may_come_from_anything_that_can_be_gone_through_again():
    model, settings = make()
    nn.fit(model, nn.batches(X, Y, 16, rng=5), epochs=2, **settings)
    other, settings = make()
    nn.fit(other, (X, Y), epochs=2, batch_size=16, rng=5, **settings)
    np.testing.assert_array_equal(weights(model), weights(other))

    model, settings = make()
    history = nn.fit(model, [(X[:5], Y[:5]), (X[5:8], Y[5:8])], epochs=2, **settings)
    assert history.steps["rows"] == [5, 3, 5, 3]


def test_batches_that_are_used_up_are_refused_before_training():
    model, settings = make()
    with pytest.raises(TypeError, match="used up after one"):
        nn.fit(model, ((x, y) for x, y in [(X, Y)]), epochs=2, **settings)
    nn.fit(model, ((x, y) for x, y in [(X, Y)]), epochs=1, **settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": -1}, "epochs must be an integer from 0, got -1"),
        ({"train": []}, "not one batch"),
        ({"loss": nn.CrossEntropyLoss(reduction="none")}, r"one number with a graph, got shape \(32,\)"),
        ({"loss": lambda z, y: 1.0}, "got a float"),
    ],
)
def test_what_makes_no_sense_is_refused(change, message):
    model, settings = make()
    arguments = {"train": (X, Y), "epochs": 1, **settings} | change
    with pytest.raises(ValueError, match=message):
        nn.fit(model, **arguments)
    with pytest.raises(TypeError, match=r"nn\.Callback"):
        nn.fit(model, (X, Y), epochs=1, callbacks=[print], **settings)


def test_validation_and_metrics_are_recorded_and_are_what_evaluate_says():
    model, settings = make()
    train, valid, _ = nn.train_valid_test_split(X, Y, valid=20, test=0, rng=0)
    history = nn.fit(model, train, valid, epochs=4, metrics=nn.accuracy, **settings)
    found = nn.evaluate(model, valid, settings["loss"], [nn.accuracy])
    assert found == {"loss": history.epochs["valid_loss"][-1], "accuracy": history.epochs["valid_accuracy"][-1]}
    assert found["accuracy"] == nn.accuracy(nn.predict(model, valid[0]), valid[1])
    assert len(history.steps["accuracy"]) == len(history.steps["loss"])
    assert list(history.epochs) == ["loss", "accuracy", "valid_loss", "valid_accuracy", "lr", "seconds"]
    named = nn.fit(model, train, valid, epochs=1, metrics={"best two": lambda z, y: nn.top_k(z, y, 2)}, **settings)
    assert named.last("valid_best two") == 1.0


def test_training_is_in_train_mode_measuring_in_eval_mode_and_leaves_no_graph():
    model, settings = make()
    seen = []

    class Spy(nn.Module):
        def forward(self, x):
            seen.append((self.training, isinstance(x, ag.Tensor) and x.op is not None))
            return x

    model.layers.append(Spy())
    nn.fit(model, (X, Y), (X, Y), epochs=1, batch_size=25, **settings)
    assert seen == [(True, True), (True, True), (False, False)]
    assert not any(module.training for module in model.modules())
    model.train()
    nn.predict(model, X)
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize("hook", ["on_step", "on_epoch_end"])
def test_modules_that_are_put_in_during_training_get_the_modes_of_the_others(hook):
    model, settings = make()
    seen = []

    class Spy(nn.Module):
        def forward(self, x):
            seen.append(self.training)
            return x

    class Swap(nn.Callback):
        pass

    def put_in(self, training):
        training.model.layers[1:2] = [nn.Sequential(Spy().eval()), nn.Tanh()]

    setattr(Swap, hook, put_in)
    nn.fit(model, (X, Y), epochs=3, batch_size=50, callbacks=[Swap()], **settings)
    assert seen == [True, True]
    assert not any(module.training for module in model.modules())


@pytest.mark.once
def test_an_epoch_is_few_calls():
    found = []

    def note(frame, event, _):
        if event == "call" and frame.f_globals["__name__"].partition(".")[0] in ("autograd", "nn"):
            found[-1] += 1

    for epochs in (1, 1, 2):  # the first time for what is made once
        model, settings = make()
        found.append(0)
        before = sys.getprofile()
        sys.setprofile(note)
        try:
            nn.fit(model, (X, Y), epochs=epochs, batch_size=50, **settings)
        finally:
            sys.setprofile(before)
    _, one, two = found
    assert one <= 260  # 378 once; at 3.12 and later comprehensions are no calls
    assert two - one <= 190


def test_predictions_in_parts_are_those_of_the_whole():
    model, _ = make()
    np.testing.assert_allclose(nn.predict(model, X, batch_size=7), model(X).data, rtol=1e-5)
    assert nn.predict(model, X[:0]).shape == (0, 2)


def test_hooks_are_called_in_order_and_those_that_run_last_after_the_others():
    model, settings = make()
    log = Log()
    nn.fit(model, (X, Y), epochs=2, batch_size=25, callbacks=[log], **settings)
    assert log.lines == [
        "begin",
        "epoch 0",
        "step 1",
        "step 2",
        "1 done",
        "epoch 1",
        "step 3",
        "step 4",
        "2 done",
        "end",
    ]

    first, last = Log(), Log()
    last.runs_last, last.lines = True, first.lines
    first.on_end = lambda training: first.lines.append("first")
    last.on_end = lambda training: last.lines.append("last")
    nn.fit(model, (X, Y), epochs=0, callbacks=[last, first], **settings)
    assert first.lines == ["begin", "begin", "first", "last"]


def test_an_error_goes_to_the_caller_and_callbacks_hear_of_it():
    model, settings = make()
    log = Log()

    class Fails(nn.Callback):
        def on_step(self, training):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        nn.fit(model, (X, Y), epochs=2, callbacks=[log, Fails()], **settings)
    assert log.lines[-1] == "error"


class PressCtrlC(nn.Callback):
    """At some hook in some step, as a user would."""

    def __init__(self, hook, step, times=1):
        self.hook, self.step, self.times = hook, step, times

    def on_batch(self, training):
        if training.step == self.step:
            for _ in range(self.times):
                os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX has them")
def test_ctrl_c_ends_after_the_step_in_hand_with_what_was_learned():
    model, settings = make()
    log = Log()
    history = nn.fit(
        model, (X, Y), epochs=5, batch_size=10, callbacks=[PressCtrlC("on_batch", 6), log], rng=0, **settings
    )
    assert history.stopped == "interrupted by Ctrl-C in epoch 2, after step 7"
    assert len(history.steps["loss"]) == 7
    assert log.lines[-2:] == ["step 7", "end"]
    assert "stopped: interrupted" in repr(history)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    other, settings = make()
    nn.fit(other, nn.batches(X, Y, 10, rng=0), epochs=5, callbacks=[StopAt(7)], **settings)
    np.testing.assert_array_equal(weights(model), weights(other))  # no half step


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX has them")
def test_ctrl_c_pressed_twice_does_not_wait():
    model, settings = make()
    history = nn.fit(model, (X, Y), epochs=5, batch_size=10, callbacks=[PressCtrlC("on_batch", 6, 2)], **settings)
    assert history.stopped == "interrupted by Ctrl-C in epoch 2, after step 6"


class StopAt(nn.Callback):
    def __init__(self, step):
        self.step = step

    def on_step(self, training):
        if training.step == self.step:
            training.stop("enough")


def test_fit_works_in_other_threads_where_signals_are_not_its_business():
    model, settings = make()
    found = []
    thread = threading.Thread(target=lambda: found.append(nn.fit(model, (X, Y), epochs=2, **settings)))
    thread.start()
    thread.join()
    assert len(found[0]) == 2


def test_a_history_is_written_as_a_table_and_drawn(tmp_path):
    model, settings = make()
    history = nn.fit(model, (X, Y), (X, Y), epochs=2, batch_size=25, **settings)
    history.to_csv(tmp_path / "epochs.csv")
    lines = (tmp_path / "epochs.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss,valid_loss,lr,seconds"
    assert float(lines[2].split(",")[1]) == history.epochs["loss"][1]
    history.to_csv(tmp_path / "steps.csv", of="steps")
    assert len((tmp_path / "steps.csv").read_text().splitlines()) == 5
    with pytest.raises(ValueError, match="not 'days'"):
        history.to_csv(tmp_path / "x.csv", of="days")
    with pytest.raises(KeyError, match="metrics must be given to fit"):
        history.last("accuracy")
    pytest.importorskip("matplotlib")
    history.plot(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 1000


# ---- Optimizers that would train something else


def _line(**settings):
    return nn.Linear(1, 1, rng=0, **settings)


LINE = (np.linspace(-1.0, 1.0, 8)[:, None], np.linspace(-2.0, 2.0, 8)[:, None])


def _other_models():
    model = _line()
    return nn.SGD(_line().parameters(), lr=0.1), model


def _partly_anothers():
    model = nn.Sequential(_line(), _line())
    return nn.SGD([*model[0].parameters(), *_line().parameters()], lr=0.1), model


def _replaced_parameter():
    model = _line()
    optimizer = nn.SGD(model.parameters(), lr=0.1)
    model.weight = nn.Parameter(model.weight.data.copy())
    return optimizer, model


def _replaced_layer():
    model = nn.Sequential(_line(), _line())
    optimizer = nn.Adam(model.parameters())
    model.layers[1] = _line()
    return optimizer, model


def _lazy_model():
    return nn.SGD(_line().parameters(), lr=0.1), nn.Linear(None, 1, rng=0)


def _in_groups():
    model = nn.Sequential(_line(), _line())
    return nn.SGD([{"params": model[0].parameters()}, {"params": _line().parameters()}], lr=0.1), model


@pytest.mark.parametrize(
    "make", [_other_models, _partly_anothers, _replaced_parameter, _replaced_layer, _lazy_model, _in_groups]
)
def test_an_optimizer_of_parameters_that_the_model_has_not_is_an_error(make):
    optimizer, model = make()
    wanted = r"of the optimizer's \d+ parameters are not the model's.*make the optimizer from model.parameters\(\)"
    with pytest.raises(ValueError, match=f"fit: .*{wanted}"):
        nn.fit(model, LINE, loss=nn.MSELoss(), optimizer=optimizer, epochs=1)
    with pytest.raises(ValueError, match=f"find_lr: .*{wanted}"):
        nn.find_lr(model, nn.batches(*LINE, 4), nn.MSELoss(), optimizer)


def test_a_part_of_the_model_and_a_loss_that_learns_may_be_trained():
    class Weighed(nn.Module):
        def __init__(self):
            self.scale = nn.Parameter(1.0)

        def forward(self, x, y):
            return self.scale * ((x - y) ** 2).mean()

    model, loss = nn.Sequential(_line(), _line()), Weighed()
    before = {name: array.copy() for name, array in model.state_dict().items()}
    optimizer = nn.SGD([*model[1].parameters(), *loss.parameters()], lr=0.1)
    nn.fit(model, LINE, loss=loss, optimizer=optimizer, epochs=1)
    after = model.state_dict()
    assert [name for name in before if np.array_equal(before[name], after[name])] == ["0.weight", "0.bias"]
    assert loss.scale.item() != 1.0


def test_an_optimizer_of_the_whole_model_may_have_parameters_of_a_loss_that_is_a_function_or_of_another_model():
    model, second, scale = _line(), _line(), nn.Parameter(1.0)
    optimizer = nn.SGD([*model.parameters(), *second.parameters(), scale], lr=0.1)
    before = {name: array.copy() for name, array in second.state_dict().items()}
    nn.fit(model, LINE, loss=lambda x, y: scale * ((x - y) ** 2).mean(), optimizer=optimizer, epochs=1)
    assert scale.item() != 1.0
    assert all(np.array_equal(before[name], array) for name, array in second.state_dict().items())
    found = nn.find_lr(model, nn.batches(*LINE, 4), nn.MSELoss(), optimizer)
    assert len(found.losses) > 1


class Stepping(nn.Callback):
    """Steps a second optimizer after each step of fit's."""

    def __init__(self, optimizer):
        self.optimizer = optimizer

    def on_batch(self, training):
        self.optimizer.zero_grad()

    def on_step(self, training):
        self.optimizer.step()


def test_a_second_optimizer_for_other_parameters_may_have_a_schedule_of_its_own():
    model = nn.Sequential(_line(), _line())
    first, second = nn.SGD(model[0].parameters(), lr=0.1), nn.SGD(model[1].parameters(), lr=0.2)
    schedules = [nn.callbacks.Schedule(nn.optim.StepLR(each, step_size=1)) for each in (first, second)]
    before = {name: array.copy() for name, array in model.state_dict().items()}
    nn.fit(model, LINE, loss=nn.MSELoss(), optimizer=first, epochs=2, callbacks=[Stepping(second), *schedules])
    assert (first.lr, second.lr) == (pytest.approx(0.001), pytest.approx(0.002))
    assert not any(np.array_equal(before[name], array) for name, array in model.state_dict().items())


@pytest.mark.parametrize("made_for", ["another model", "the same model"])
def test_a_schedule_of_another_optimizer_is_an_error(made_for):
    model = _line()
    scheduled = model if made_for == "the same model" else _line()
    mine, other = nn.SGD(model.parameters(), lr=0.1), nn.SGD(scheduled.parameters(), lr=0.1)
    schedule = nn.callbacks.Schedule(nn.optim.StepLR(other, step_size=1))
    with pytest.raises(ValueError, match="sets the rate of another optimizer"):
        nn.fit(model, LINE, loss=nn.MSELoss(), optimizer=mine, epochs=1, callbacks=[schedule])
    with pytest.raises(TypeError, match=r"callbacks that are nn\.Callback"):
        nn.fit(model, LINE, loss=nn.MSELoss(), optimizer=mine, epochs=1, callbacks=[nn.callbacks.Schedule])
