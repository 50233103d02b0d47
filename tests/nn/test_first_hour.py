"""What people get wrong in their first hour: the result is right, or the error names the cure."""

import numpy as np
import pytest

import autograd as ag
import nn

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 3)), RNG.integers(0, 2, 20)
COMPLEX = X + 1j
IMAGES = np.ones((2, 3, 8, 8)) + 1j


def linear():
    return nn.Linear(3, 2, rng=0)


def fit(*args, **settings):
    model = linear()
    given = {"loss": nn.CrossEntropyLoss(), "optimizer": nn.SGD(model.parameters(), lr=0.1), "epochs": 1} | settings
    return nn.fit(model, *(args or ((X, Y),)), **given)


def forgotten_backward():
    model = linear()
    optimizer = nn.Adam(model.parameters())
    nn.MSELoss()(model(X), X[:, :2])
    optimizer.step()


LAYERS = [nn.ReLU(), nn.LeakyReLU(), nn.ELU(), nn.SELU(), nn.GELU(), nn.SiLU(), nn.Tanh(), nn.Sigmoid(), nn.Softplus()]
LAYERS += [
    nn.Softmax(),
    nn.LogSoftmax(),
    nn.Dropout(),
    nn.Flatten(),
    nn.BatchNorm1d(3),
    nn.BatchNorm1d(3, affine=False),
]
LAYERS += [
    nn.LayerNorm(3),
    nn.LayerNorm(3, elementwise_affine=False),
    nn.Linear(3, 2),
    nn.Linear(None, 2),
    nn.Embedding(3, 2),
]
IMAGE_LAYERS = [nn.Conv2d(3, 2, 3), nn.MaxPool2d(2), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(3)]
CLASS_LOSSES = [nn.CrossEntropyLoss, nn.NLLLoss, nn.MultiMarginLoss]
LOSSES = [nn.MSELoss, nn.L1Loss, nn.HuberLoss, nn.BCELoss, nn.BCEWithLogitsLoss, nn.HingeLoss, nn.KLDivLoss]


@pytest.mark.parametrize(
    ("layer", "x"), [(layer, COMPLEX) for layer in LAYERS] + [(layer, IMAGES) for layer in IMAGE_LAYERS]
)
def test_no_layer_takes_complex_numbers(layer, x):
    for data in (x, x.tolist(), x.astype(np.complex64)):
        with pytest.raises(TypeError, match=r"real numbers|takes integers"):
            layer(data)


@pytest.mark.parametrize("kind", LOSSES + CLASS_LOSSES)
def test_no_loss_takes_complex_numbers(kind):
    target = Y if kind in CLASS_LOSSES else np.ones_like(X)
    with pytest.raises(TypeError, match=f"{kind.__name__}: input must be an array of real numbers"):
        kind()(COMPLEX, target)
    with pytest.raises(TypeError, match=r"real numbers|as integers"):
        kind()(ag.Tensor(X), target + 0j)


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize(
    ("one", "other"), [((20,), (20, 1)), ((20, 1), (20,)), ((20, 3), (3,)), ((1, 3), (20, 3)), ((), (20,))]
)
def test_shapes_are_never_broadcast(kind, one, other):
    for x in (np.full(one, 0.5), ag.Tensor(np.full(one, 0.5))):
        with pytest.raises(ValueError, match="arrays of one shape, got"):
            kind()(x, np.ones(other))
        with pytest.raises(ValueError, match="arrays of one shape, got"):
            kind()(x, ag.Tensor(np.ones(other)))


@pytest.mark.parametrize("kind", LOSSES)
def test_small_integers_as_input_do_not_wrap_around(kind):
    x, y = np.array([1, 0, 1], np.uint8), np.array([1, 1, 1], np.uint8)
    assert kind()(x, y) == pytest.approx(kind()(x.astype(float), y.astype(float)))


@pytest.mark.parametrize(
    ("call", "kind", "match"),
    [
        (lambda: fit(X, Y), TypeError, r"write \(X, y\)"),
        (lambda: fit([X, Y]), TypeError, r"a batch is a pair .* as a tuple \(X, y\)"),
        (lambda: fit((X, Y, Y)), TypeError, "a batch is a pair"),
        (lambda: fit(None), TypeError, r"data is a pair of arrays .* got None"),
        (lambda: fit((X, Y[:5])), ValueError, r"shapes \(20, 3\) and \(5,\)"),
        (lambda: fit((X[:, :2], Y)), ValueError, "last axis of length 3, got shape .*change in_features"),
        (lambda: fit((COMPLEX, Y)), TypeError, r"take \.real"),
        (lambda: fit((X.astype(str), Y)), TypeError, "array of real numbers"),
        (lambda: fit((X, Y.astype(float))), TypeError, r"use y\.astype\(int\)"),
        (lambda: fit((X, np.eye(2, dtype=int)[Y])), ValueError, r"take y\.argmax\(-1\)"),
        (lambda: fit((X, Y + 1)), ValueError, r"label 2 is not in 0\.\.1"),
        (lambda: fit((X, Y[:, None].astype(float)), loss=nn.MSELoss()), ValueError, "as many numbers a row"),
        (lambda: fit((X[:0], Y[:0])), ValueError, "not one batch"),
        (lambda: fit(loss=nn.MSELoss), TypeError, r"the class MSELoss: write MSELoss\("),
        (lambda: fit(loss="mse"), TypeError, r"nn\.MSELoss\(\).*got 'mse'"),
        (lambda: fit(optimizer=nn.Adam), TypeError, r"make one, as nn\.Adam\(model\.parameters\(\)\)"),
        (lambda: fit(optimizer="adam"), TypeError, "needs an optimizer, got 'adam'"),
        (lambda: fit(epochs=0.5), ValueError, r"epochs must be an integer from 0, got 0\.5"),
        (lambda: fit(epochs="1"), TypeError, "epochs must be an integer"),
        (lambda: fit(metrics="accuracy"), TypeError, r"as nn\.accuracy.*got 'accuracy'"),
        (lambda: fit(metrics=["accuracy"]), TypeError, r"as nn\.accuracy"),
        (lambda: fit(callbacks=nn.ProgressBar()), TypeError, r"write \[callback\]"),
        (lambda: fit(validation=0.2), TypeError, r"\(X, y\)"),
        (
            lambda: nn.fit(nn.Linear, (X, Y), loss=nn.MSELoss(), optimizer=None, epochs=1),
            TypeError,
            "trains an nn.Module",
        ),
        (lambda: nn.Adam(linear()), TypeError, r"pass \.parameters\(\) of it"),
        (lambda: nn.Adam(linear().parameters), TypeError, r"pass \.parameters\(\) of it"),
        (lambda: nn.Adam([linear()]), TypeError, r"pass model\.parameters\(\)"),
        (lambda: nn.Adam(linear().named_parameters()), TypeError, r"pass model\.parameters\(\)"),
        (lambda: nn.StepLR(linear(), 1), TypeError, "needs an optimizer"),
        (lambda: nn.clip_grad_norm_(linear(), 1.0), TypeError, r"pass model\.parameters\(\)"),
        (lambda: nn.clip_grad_value_([linear()], 1.0), TypeError, r"pass model\.parameters\(\)"),
        (forgotten_backward, ValueError, r"no parameter has a gradient.*call backward\(\)"),
        (
            lambda: nn.MSELoss(ag.Tensor(X)),
            TypeError,
            r"make the loss first, as in nn\.MSELoss\(\)\(prediction, target\)",
        ),
        (lambda: nn.CrossEntropyLoss()(ag.Tensor(X[:, :1]), Y * 0), ValueError, "always 0.*BCEWithLogitsLoss"),
        (
            lambda: nn.CrossEntropyLoss()(ag.Tensor(X[:, 0]), Y.astype(float)),
            ValueError,
            "not sum to 1.*BCEWithLogitsLoss",
        ),
        (lambda: nn.BCEWithLogitsLoss()(ag.Tensor([1.0]), [-1]), ValueError, r"labels 0 and 1.*\(y \+ 1\) / 2"),
        (lambda: nn.BCELoss()(ag.Tensor([0.5]), [2.0]), ValueError, "labels 0 and 1.*CrossEntropyLoss"),
        (lambda: nn.MSELoss()(ag.Tensor([0.5]), None), TypeError, "target must be an array of real numbers, got None"),
        (lambda: nn.Sequential(nn.ReLU), TypeError, r"write ReLU\(\)"),
        (lambda: nn.Sequential([nn.ReLU()]), TypeError, "unpack a list"),
        (lambda: nn.ModuleList(nn.ReLU()), TypeError, r"write \[module\]"),
        (lambda: nn.ModuleList([len]), TypeError, "takes modules"),
        (lambda: linear()(None), TypeError, "Linear: x must be an array of real numbers, got None"),
        (lambda: linear()([[1], [1, 2]]), TypeError, "array of real numbers"),
        (lambda: linear()([ag.Tensor([1.0, 2.0, 3.0])]), TypeError, r"join nodes by ag\.stack"),
        (lambda: linear()(np.ma.masked_array(X, X > 0)), TypeError, "masked elements.*filled"),
        (lambda: nn.Linear(2, 2, dtype="float99"), TypeError, "floating-point dtype.*got 'float99'"),
        (lambda: linear().to("cuda"), TypeError, "floating-point dtype.*got 'cuda'"),
        (lambda: nn.Linear(2, 2, np.float64), TypeError, "bias must be True or False, got <class 'numpy.float64'>"),
        (lambda: nn.Conv2d(1, 2, 3)(np.ones((5, 8, 8))), ValueError, r"as with x\[:, None\]"),
        (lambda: nn.BatchNorm1d(3)(X[:0]), ValueError, r"larger batch, or model\.eval\(\)"),
        (lambda: nn.standardize(X, X[:, :1]), ValueError, r"rows of shape \(3,\), got data of shape \(20, 1\)"),
        (lambda: nn.standardize(COMPLEX), TypeError, "standardize: X must be an array of real numbers"),
        (lambda: nn.accuracy(Y, linear()(X)), ValueError, r"accuracy needs predictions \(n,\) or \(n, classes\)"),
    ],
)
def test_the_cure_is_named(call, kind, match):
    with pytest.raises(kind, match=match):
        call()


def test_lists_and_integers_are_data():
    model = linear()
    np.testing.assert_array_equal(model([[1, 2, 3]]).data, model(np.array([[1.0, 2.0, 3.0]])).data)
    assert (
        len(
            nn.fit(
                model,
                (X.tolist(), Y.tolist()),
                loss=nn.CrossEntropyLoss(),
                optimizer=nn.SGD(model.parameters()),
                epochs=1,
            )
        )
        == 1
    )


def test_what_knows_how_to_be_an_array_is_data():
    class Frame:
        def __init__(self, data):
            self.data = data

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.data, dtype)

    model = linear()
    assert nn.predict(model, Frame(X)).shape == (20, 2)
    assert nn.evaluate(model, (Frame(X), Frame(Y)), nn.CrossEntropyLoss(), nn.accuracy).keys() == {"loss", "accuracy"}
    np.testing.assert_array_equal(model(Frame(X)).data, model(X).data)


MASKED_X, MASKED_Y = np.ma.masked_array(X, X > 0), np.ma.masked_array(Y, Y > 0)
MASKED = {
    "inputs in batches": lambda: nn.batches(MASKED_X, Y, 5),
    "labels in batches": lambda: nn.batches(X, MASKED_Y, 5),
    "labels in a split": lambda: nn.train_valid_test_split(X, MASKED_Y),
    "data to evaluate on": lambda: nn.evaluate(linear(), (MASKED_X, Y), nn.CrossEntropyLoss()),
    "labels of a loss": lambda: nn.CrossEntropyLoss()(ag.Tensor(X), MASKED_Y),
    "predictions of a metric": lambda: nn.accuracy(MASKED_Y, Y),
    "labels of a metric": lambda: nn.accuracy(Y, MASKED_Y),
    "a buffer": lambda: nn.Buffer(MASKED_X),
    "a state": lambda: nn.BatchNorm1d(20).load_state_dict(nn.BatchNorm1d(20).state_dict() | {"weight": MASKED_X[:, 0]}),
    "a cotangent": lambda: ag.Tensor(X).backward(MASKED_X),
    "a tangent": lambda: ag.jvp(lambda x: x * 2, (X,), (MASKED_X,)),
    "a batch of a compiled function": lambda: ag.compile(lambda x: x * 2)(MASKED_X),
    "a batch in a list of a compiled function": lambda: ag.compile(lambda x: x[0] * 2)([MASKED_X]),
}


@pytest.mark.parametrize("place", MASKED)
def test_a_mask_is_never_dropped_in_silence(place):
    with pytest.raises((TypeError, ValueError), match=r"masked elements|masks of np\.ma"):
        MASKED[place]()


def test_a_masked_array_that_masks_nothing_is_data():
    assert len(nn.batches(np.ma.masked_array(X), np.ma.masked_array(Y), 5)) == 4
    assert ag.compile(lambda x: x * 2)(np.ma.masked_array(X)).shape == X.shape


def test_a_masked_array_is_not_saved(tmp_path):
    pytest.importorskip("safetensors")
    with pytest.raises(TypeError, match="masked elements"):
        nn.save(tmp_path / "line.safetensors", linear(), x=MASKED_X)
