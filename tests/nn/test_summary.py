"""A summary tells what a model is made of, and leaves it as it was."""

import threading

import numpy as np
import pytest

import nn
from nn import BatchNorm2d, Conv2d, Dropout, Embedding, Flatten, Linear, Module, Parameter, ReLU, Sequential
from nn.summary import format_bytes


def network():
    return Sequential(
        Sequential(Conv2d(1, 4, 3, rng=0), BatchNorm2d(4), ReLU()), Flatten(), Dropout(rng=0), Linear(None, 10, rng=0)
    )


def test_every_module_has_a_row_with_its_shape_parameters_and_memory():
    summary = network().summary((2, 1, 8, 8))
    assert [(row.name, row.kind, row.output, row.parameters) for row in summary.rows] == [
        ("", "Sequential", (2, 10), 0),
        ("0", "Sequential", (2, 4, 6, 6), 0),
        ("0.0", "Conv2d", (2, 4, 6, 6), 40),
        ("0.1", "BatchNorm2d", (2, 4, 6, 6), 8),
        ("0.2", "ReLU", (2, 4, 6, 6), 0),
        ("1", "Flatten", (2, 144), 0),
        ("2", "Dropout", (2, 144), 0),
        ("3", "Linear", (2, 10), 1450),
    ]
    assert summary.parameters == sum(row.parameters for row in summary.rows) == 1498
    assert summary.parameter_memory == 4 * 1498
    assert summary.buffer_memory == 4 * 8 + 8
    assert summary.activation_memory == 4 * (5 * 288 + 20)


def test_it_is_printed_as_a_table():
    lines = str(network().summary((2, 1, 8, 8))).splitlines()
    assert lines[0].split() == ["layer", "output", "parameters", "memory"]
    assert "    0: Conv2d       (2, 4, 6, 6)          40  1.1 KiB" in lines
    assert lines[-1] == (
        "1,498 parameters: 5.9 KiB, buffers 40 B, results of the layers 5.7 KiB for an input of shape (2, 1, 8, 8)"
    )
    assert repr(Sequential().summary((1,))).endswith("shape (1,)")


def test_the_model_is_as_it_was():
    model = network()
    model.summary((2, 1, 8, 8))
    model.train()
    model[0].eval()
    before, attributes = model.state_dict(), [list(vars(m)) for m in model.modules()]
    random, modes = model[2].rng.bit_generator.state, [m.training for m in model.modules()]
    model.summary((2, 1, 8, 8))
    assert [m.training for m in model.modules()] == modes
    assert [list(vars(m)) for m in model.modules()] == attributes
    assert model[2].rng.bit_generator.state == random
    assert all(np.array_equal(before[name], array) for name, array in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_the_model_is_as_it_was_after_an_error_too():
    model = Sequential(Linear(2, 3), Dropout())
    with pytest.raises(ValueError, match="last axis of length 2"):
        model.summary((1, 5))
    assert model[1].training
    assert all("forward" not in vars(m) for m in model.modules())


def test_shared_own_and_unused_parts_are_counted_once():
    class Net(Module):
        def __init__(self):
            self.scale = Parameter([1.0])
            self.layer = self.again = Linear(2, 2)
            self.spare = Linear(2, 1)

        def forward(self, x):
            return self.again(self.layer(x)) * self.scale

    summary = Net().summary((3, 2))
    assert [(row.name, row.parameters, row.output) for row in summary.rows] == [
        ("", 1, (3, 2)),
        ("layer", 6, (3, 2)),
        ("spare", 3, None),
    ]
    assert summary.parameters == 10
    assert "not called" in str(summary)


def test_integers_are_asked_for_where_they_are_needed():
    assert Embedding(5, 3).summary((2, 4), dtype=int).rows[0].output == (2, 4, 3)


@pytest.mark.parametrize(
    ("n", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (3 << 29, "1.5 GiB"), (1 << 41, "2.0 TiB")]
)
def test_memory_is_in_units_that_people_read(n, text):
    assert format_bytes(n) == text


def test_a_long_summary_says_how_many_modules_it_leaves_out():
    model = nn.Sequential(*(nn.ReLU() for _ in range(3000)))
    summary = model.summary((1, 2))
    assert len(summary.rows) == 3001
    assert len(str(summary).splitlines()) == 1000
    assert "... 2,006 modules left out" in str(summary)
    assert len(str(model.summary((1, 2), max_lines=6)).splitlines()) == 6
    with pytest.raises(ValueError, match="max_lines must be an integer from 6, got 2"):
        model.summary((1, 2), max_lines=2)


def test_two_threads_summarize_one_model_while_a_third_uses_it():
    model, found = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh()), []
    own = model[1].forward
    model[1].forward = lambda x: own(x) + 0.0  # which must survive
    kept = model[1].forward

    def use(i):
        for _ in range(20):
            found.append(
                model(np.ones((7, 2))).shape == (7, 3) if i == 2 else model.summary((1, 2)).rows[1].output == (1, 3)
            )

    threads = [threading.Thread(target=use, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 60
    assert model[1].forward is kept
    assert "forward" not in vars(model[0])


def test_no_attribute_of_a_module_is_touched():
    class Fixed(Module):
        def __init__(self):
            vars(self)["layers"] = [Sequential(ReLU(), ReLU())]

        def __setattr__(self, name, value):
            raise AttributeError(name)

        def forward(self, x):
            assert all(list(vars(m)) in ([], ["layers"]) for m in self.modules())
            return self.layers[0](x)

    assert [row.output for row in Sequential(Fixed()).summary((2, 3)).rows] == [(2, 3)] * 5


@pytest.mark.parametrize("shape", [3, (1.5, 2), "12", None, (-1, 2)])
def test_an_input_shape_is_of_integers(shape):
    with pytest.raises((TypeError, ValueError), match=r"summary: .*input_shape must be"):
        nn.Sequential().summary(shape)
