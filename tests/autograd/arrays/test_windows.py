"""Convolution and pooling are the sums that their definitions say, whatever the stride, margins, dilation and groups."""

import numpy as np
import pytest

import autograd as ag
from autograd.arrays import convolution

RNG = np.random.default_rng(0)
# images (n, channels, h, w), outputs, kernel, and the options
CONVOLUTIONS = [
    ((2, 1, 5, 5), 1, (3, 3), {}),
    ((3, 2, 7, 6), 4, (3, 2), {"padding": 1}),
    ((2, 3, 9, 8), 2, (3, 3), {"stride": 2, "padding": (1, 0)}),
    ((2, 2, 9, 10), 3, (2, 3), {"stride": (2, 3), "padding": (2, 1), "dilation": (2, 1)}),
    ((2, 4, 6, 5), 6, (3, 3), {"groups": 2, "padding": 1}),
    ((2, 4, 6, 7), 8, (2, 2), {"groups": 4, "stride": 2, "dilation": 2}),
    ((1, 2, 8, 8), 2, (1, 1), {"stride": 3}),
    ((1, 1, 2, 3), 2, (4, 4), {"padding": 2}),
    ((0, 2, 5, 5), 3, (3, 3), {}),
]
POOLS = [
    ((2, 3, 6, 6), 2, None, 0),
    ((2, 1, 7, 5), (3, 2), None, (1, 0)),
    ((2, 2, 7, 8), 3, 2, 1),
    ((1, 2, 7, 8), 2, 3, 1),
    ((1, 1, 5, 5), 3, 1, 1),
    ((2, 5, 7), (2, 3), (1, 2), 0),
]


def arrays(shape, outputs, kernel, options):
    x = RNG.normal(size=shape)
    w = RNG.normal(size=(outputs, shape[1] // options.get("groups", 1), *kernel))
    return x, w, RNG.normal(size=outputs)


@pytest.mark.parametrize("blocks", [1, 1 << 20])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_convolutions_and_their_derivatives_are_torchs(case, bias, blocks, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(convolution, "BLOCK", blocks)
    x, w, b = arrays(*case)
    given = [x, w, b] if bias else [x, w]
    mine, theirs = [ag.Tensor(a) for a in given], [torch.tensor(a, requires_grad=True) for a in given]
    y, z = ag.conv2d(*mine, **case[3]), torch.nn.functional.conv2d(*theirs, **case[3])
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-12, atol=1e-12)
    g = RNG.normal(size=y.shape)
    y.backward(g)
    z.backward(torch.tensor(g))
    for a, t in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a.grad, t.grad.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", CONVOLUTIONS[:6], ids=str)
def test_convolution_agrees_with_finite_differences_twice(case):
    x, w, b = arrays((1, *case[0][1:]), *case[1:])
    assert ag.gradcheck(lambda x, w, b: ag.conv2d(x, w, b, **case[3]) ** 2, x, w, b, order=2, trials=1)
    assert ag.gradcheck(lambda x, w: ag.tanh(ag.conv2d(x, w, **case[3])), x, w, order=2, trials=1)


@pytest.mark.parametrize("image", [(5, 5), (6, 9)])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (2, 4)])
def test_one_channel_is_the_correlation_of_scipy(image, kernel):
    signal = pytest.importorskip("scipy.signal")
    x, w = RNG.normal(size=image), RNG.normal(size=kernel)
    z = ag.conv2d(x[None, None], w[None, None])
    np.testing.assert_allclose(z[0, 0], signal.correlate2d(x, w, mode="valid"), rtol=1e-12, atol=1e-13)
    z = ag.conv2d(x[None, None], w[None, None], padding=(kernel[0] - 1, kernel[1] - 1))
    np.testing.assert_allclose(z[0, 0], signal.correlate2d(x, w, mode="full"), rtol=1e-12, atol=1e-13)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("kernel", [(3, 3), (2, 3), (1, 4)])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_keeps_the_size_as_in_torch(kernel, dilation):
    torch = pytest.importorskip("torch")
    x, w = RNG.normal(size=(2, 1, 6, 7)), RNG.normal(size=(1, 1, *kernel))
    z = ag.conv2d(x, w, padding="same", dilation=dilation)
    assert z.shape == x.shape
    theirs = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(w), padding="same", dilation=dilation)
    np.testing.assert_allclose(z, theirs.numpy(), rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(ag.conv2d(x, w, padding="valid"), ag.conv2d(x, w))


def test_a_single_image_needs_no_batch():
    x, w = RNG.normal(size=(2, 5, 5)), RNG.normal(size=(3, 2, 3, 3))
    np.testing.assert_array_equal(ag.conv2d(x, w), ag.conv2d(x[None], w)[0])


def test_data_gets_no_derivative_and_so_costs_nothing():
    z = ag.conv2d(RNG.normal(size=(1, 1, 4, 4)), ag.Tensor(RNG.normal(size=(1, 1, 2, 2))))
    assert len(z.parents) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes_are_kept_through_convolution_and_pooling(dtype):
    x, w = ag.Tensor(np.ones((2, 1, 6, 6), dtype)), ag.Tensor(np.ones((2, 1, 3, 3), dtype))
    z = ag.avg_pool2d(ag.max_pool2d(ag.conv2d(x, w, padding=1), 2), 3, count_include_pad=False)
    z = ag.adaptive_avg_pool2d(z, 1)
    assert z.dtype == dtype
    z.sum().backward()
    assert x.grad.dtype == w.grad.dtype == dtype


@pytest.mark.parametrize("pool", POOLS, ids=str)
@pytest.mark.parametrize("kind", ["max", "avg", "avg without margins"])
def test_pooling_is_torchs_where_elements_tie_too(pool, kind):
    torch = pytest.importorskip("torch")
    shape, *options = pool
    x = np.round(2 * RNG.normal(size=shape)) / 2
    theirs = getattr(torch.nn.functional, f"{kind[:3]}_pool2d")
    further = {"count_include_pad": False} if "without" in kind else {}
    mine, its = ag.Tensor(x), torch.tensor(x, requires_grad=True)
    y, z = getattr(ag, f"{kind[:3]}_pool2d")(mine, *options, **further), theirs(its, *options, **further)
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-13, atol=1e-15)
    g = RNG.normal(size=y.shape)
    y.backward(g)
    z.backward(torch.tensor(g))
    np.testing.assert_allclose(mine.grad, its.grad.numpy(), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("pool", POOLS, ids=str)
@pytest.mark.parametrize("function", [ag.max_pool2d, ag.avg_pool2d])
def test_pooling_agrees_with_finite_differences_twice(pool, function):
    shape, *options = pool
    x = RNG.permutation(np.linspace(-2, 2, int(np.prod(shape)))).reshape(shape)
    assert ag.gradcheck(lambda x: function(x, *options) ** 3, x, order=2, trials=1)


@pytest.mark.parametrize("dilation", [1, 2])
def test_max_pool_with_dilation_is_torchs(dilation):
    torch = pytest.importorskip("torch")
    x = RNG.normal(size=(2, 1, 7, 7))
    theirs = torch.nn.functional.max_pool2d(torch.tensor(x), 2, 1, 1, dilation)
    np.testing.assert_array_equal(ag.max_pool2d(x, 2, 1, 1, dilation), theirs.numpy())


def test_the_first_of_equal_maxima_gets_the_whole_cotangent():
    x = ag.Tensor(np.zeros((1, 1, 2, 2)))
    ag.max_pool2d(x, 2).sum().backward()
    assert x.grad.tolist() == [[[[1.0, 0.0], [0.0, 0.0]]]]


def test_a_nan_is_seen_and_the_first_of_its_window_gets_the_cotangent():
    x = ag.Tensor(np.array([[[[1.0, np.nan, 3.0, -np.inf]]]]))
    z = ag.max_pool2d(x, (1, 2))
    assert np.isnan(z.data[0, 0, 0, 0])
    assert z.data[0, 0, 0, 1] == 3.0
    z.backward(np.array([[[[2.0, 5.0]]]]))
    assert x.grad.tolist() == [[[[2.0, 0.0, 5.0, 0.0]]]]


@pytest.mark.parametrize("size", [1, (2, 3), (None, 2), (5, 7), 4])
def test_adaptive_pooling_is_torchs(size):
    torch = pytest.importorskip("torch")
    x = RNG.normal(size=(2, 3, 5, 7))
    mine, its = ag.Tensor(x), torch.tensor(x, requires_grad=True)
    y, z = ag.adaptive_avg_pool2d(mine, size), torch.nn.functional.adaptive_avg_pool2d(its, size)
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-12, atol=1e-14)
    (y**2).sum().backward()
    (z**2).sum().backward()
    np.testing.assert_allclose(mine.grad, its.grad.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (
            lambda x: ag.conv2d(x, np.ones((2, 3, 2, 2))),
            r"takes images of 3 channels .* got images of shape \(1, 2, 5, 5\)",
        ),
        (lambda x: ag.conv2d(x, np.ones((3, 1, 2, 2)), groups=2), "divide into 2 groups"),
        (lambda x: ag.conv2d(x, np.ones((2, 2, 6, 2))), "no window of 6x2 fits into images of 5x5"),
        (lambda x: ag.conv2d(x, np.ones((2, 2, 3, 3)), dilation=3), "no window of 7x7 fits"),
        (lambda x: ag.conv2d(x, np.ones((2, 2))), r"got shapes \(1, 2, 5, 5\) and \(2, 2\)"),
        (lambda x: ag.conv2d(x, np.ones((2, 2, 2, 2)), np.ones(3)), r"bias of shape \(3,\) does not fit 2 outputs"),
        (lambda x: ag.conv2d(x, np.ones((2, 2, 2, 2)), stride=0), "stride is an integer of at least 1.* got 0"),
        (lambda x: ag.conv2d(x, np.ones((2, 2, 2, 2)), padding=-1), "padding is an integer of at least 0.* got -1"),
        (lambda x: ag.conv2d(x, np.ones((2, 2, 2, 2)), padding="full"), '"valid" or "same", got \'full\''),
        (lambda x: ag.conv2d(x, np.ones((2, 2, 2, 2)), padding="same", stride=2), "needs stride 1"),
        (lambda x: ag.max_pool2d(x, 6), "no window of 6x6 fits into images of 5x5"),
        (lambda x: ag.max_pool2d(x, 2, padding=2), "padding 2 is more than half of kernel_size 2"),
        (lambda x: ag.avg_pool2d(x, (1, 2, 3)), "kernel_size is an integer .* or a pair"),
        (lambda x: ag.avg_pool2d(x[0, 0], 2), r"got shape \(5, 5\)"),
        (lambda x: ag.adaptive_avg_pool2d(x[0, 0, 0], 2), r"got shape \(5,\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_cure(call, match):
    for x in (np.ones((1, 2, 5, 5)), ag.Tensor(np.ones((1, 2, 5, 5)))):
        with pytest.raises(ValueError, match=match):
            call(x)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_means_of_large_windows_are_as_exact_as_their_dtype(dtype):
    x = np.full((1, 1, 200, 200), 7.1, dtype)
    for pool in (lambda x: ag.avg_pool2d(x, 200), lambda x: ag.avg_pool2d(x, 200, count_include_pad=False)):
        z = pool(ag.Tensor(x))
        assert z.dtype == dtype
        np.testing.assert_allclose(z.data, float(dtype(7.1)), rtol=2 * float(np.finfo(dtype).eps))
    each = float(dtype(1 / 400))
    slope = ag.grad(lambda x: ag.sum(ag.avg_pool2d(x, 20, 1)))(x[..., :60, :60])  # the middle is in 400 windows
    np.testing.assert_allclose(slope[0, 0, 30, 30], 400 * each, rtol=4 * float(np.finfo(dtype).eps))
