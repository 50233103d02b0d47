"""Initialization of parameters: functions that fill one in place and return it, each from a generator of its own.

Every function takes a Parameter, or another Tensor that is a leaf, keeps its dtype, and raises a TypeError for others.
`rng` is a NumPy generator or a seed; nothing is drawn from a global one. Shapes are PyTorch's: `(out, in, ...)`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import Tensor
from nn.typing import Array, Seed
from nn.validation import choice, generator, number, shown

GAINS = dict.fromkeys(("linear", "sigmoid", "conv1d", "conv2d", "conv3d"), 1.0)
GAINS |= {"tanh": 5.0 / 3.0, "relu": math.sqrt(2.0), "selu": 0.75}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much weights should grow so that values keep their size through `nonlinearity`, as PyTorch has it.

    "linear", "sigmoid" and "conv2d" 1, "tanh" 5/3, "relu" √2, "selu" 3/4, "leaky_relu" √(2 / (1 + slope²)), where the
    slope is `param`, or 0.01. Another name is a ValueError.

    >>> calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if isinstance(nonlinearity, str) and nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1.0 + (0.01 if param is None else number("calculate_gain", "param", param)) ** 2))
    if not isinstance(nonlinearity, str):
        raise TypeError(f"calculate_gain: nonlinearity must be a name, got {shown(nonlinearity)}")
    if nonlinearity not in GAINS:
        raise ValueError(f"no gain is known for {nonlinearity!r}: there are {', '.join([*GAINS, 'leaky_relu'])}")
    return GAINS[nonlinearity]


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Every element `val`.

    >>> constant_(Tensor(np.zeros(2)), 3.0).tolist()
    [3.0, 3.0]
    """
    return _filled(tensor, number("constant_", "val", val, infinite=True))


def zeros_(tensor: Tensor) -> Tensor:
    """Every element 0."""
    return _filled(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Every element 1."""
    return _filled(tensor, 1.0)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, rng: Seed = None) -> Tensor:
    """Evenly from `a` to `b`."""
    a, b = number("uniform_", "a", a), number("uniform_", "b", b)
    if a > b:
        raise ValueError(f"uniform_ needs a <= b, got a={a!r}, b={b!r}")
    return _filled(tensor, generator("uniform_", rng).uniform(a, b, _shape(tensor)))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, rng: Seed = None) -> Tensor:
    """From the normal distribution."""
    mean, std = number("normal_", "mean", mean), number("normal_", "std", std, least=0)
    return _filled(tensor, generator("normal_", rng).normal(mean, std, _shape(tensor)))


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, rng: Seed = None
) -> Tensor:
    """From the normal distribution, but only from `a` to `b` (which are values, and not multiples of `std`).

    What is drawn outside is drawn again; where that would be most of it, evenly drawn numbers are kept in proportion to
    the density (von Neumann's rejection). `a` not below `b`, or a `std` not above 0, is a ValueError.
    """
    mean, std = number("trunc_normal_", "mean", mean), number("trunc_normal_", "std", std, above=0)
    a, b = (number("trunc_normal_", name, x, infinite=True) for name, x in (("a", a), ("b", b)))
    if not a < b:
        raise ValueError(f"trunc_normal_ needs a < b, got a={a!r}, b={b!r}")
    rng = generator("trunc_normal_", rng)
    low, high = (a - mean) / std, (b - mean) / std
    values = np.empty(_shape(tensor)).ravel()
    open_ = np.arange(values.size)
    while open_.size:
        drawn, kept = _draw(low, high, open_.size, rng)
        values[open_[kept]] = drawn[kept]
        open_ = open_[~kept]
    return _filled(tensor, np.clip(mean + std * values, a, b).reshape(tensor.shape))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, rng: Seed = None) -> Tensor:
    """Evenly in ±gain √(6 / (fan_in + fan_out)), so that values and gradients keep their size from layer to layer.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010, equation 16.
    The fans of a weight `(out, in, ...)` are in and out times the size of the rest; fewer than two axes are a ValueError.

    >>> bool(abs(xavier_uniform_(Tensor(np.zeros((3, 3))), rng=0).data).max() <= 1)
    True
    """
    bound = _size("xavier_uniform_", gain) * math.sqrt(6.0 / sum(_fans(tensor)))
    return uniform_(tensor, -bound, bound, rng)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, rng: Seed = None) -> Tensor:
    """From the normal distribution of the same variance as `xavier_uniform_`, gain² 2 / (fan_in + fan_out)."""
    return normal_(tensor, 0.0, _size("xavier_normal_", gain) * math.sqrt(2.0 / sum(_fans(tensor))), rng)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", rng: Seed = None
) -> Tensor:
    """Evenly in ±gain √(3 / fan), so that values (or, with "fan_out", gradients) keep their size through rectifiers.

    He et al., "Delving deep into rectifiers", 2015, equations 10 and 14. `mode` is "fan_in" or "fan_out"; the gain is
    `calculate_gain(nonlinearity, a)`.
    """
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, rng)


def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", rng: Seed = None
) -> Tensor:
    """From the normal distribution of the same variance as `kaiming_uniform_`, gain² / fan."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), rng)


def orthogonal_(tensor: Tensor, gain: float = 1.0, rng: Seed = None) -> Tensor:
    """A random (semi-)orthogonal matrix times `gain`, evenly from all; axes after the first count as one.

    Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2014; drawn as
    in Mezzadri, "How to generate random matrices from the classical compact groups", 2007. Fewer than two axes are a
    ValueError.
    """
    _fans(tensor)
    gain = number("orthogonal_", "gain", gain)
    rows = tensor.shape[0]
    columns = math.prod(tensor.shape[1:])
    q, r = np.linalg.qr(generator("orthogonal_", rng).normal(size=(max(rows, columns), min(rows, columns))))
    q = q * np.where(np.diagonal(r) < 0.0, -1.0, 1.0)  # which makes the decomposition, and so its law, unique
    return _filled(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


def _filled(tensor: Tensor, values: Any) -> Tensor:
    _shape(tensor)
    tensor.data[...] = values
    return tensor


def _shape(tensor: Tensor) -> tuple[int, ...]:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"nn.init fills a Parameter or Tensor, got a {type(tensor).__name__}")
    if tensor.op is not None:
        raise TypeError(f"nn.init fills a leaf, got the result of {tensor.op.name}: fill what it was computed from")
    return tensor.shape


def _size(owner: str, gain: float) -> float:
    """The size of a gain, whose sign makes no difference to a law that is even about 0."""
    return abs(number(owner, "gain", gain))


def _fans(tensor: Tensor) -> tuple[int, int]:
    shape = _shape(tensor)
    if len(shape) < 2:
        raise ValueError(f"a weight needs shape (out, in, ...), got {shape}: for a bias, use zeros_ or uniform_")
    rest = math.prod(shape[2:])
    return shape[1] * rest, shape[0] * rest


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    choice("kaiming_uniform_ and kaiming_normal_", "mode", mode, ("fan_in", "fan_out"))
    fan_in, fan_out = _fans(tensor)
    a = number("kaiming_uniform_ and kaiming_normal_", "a", a)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan_in if mode == "fan_in" else fan_out)


def _draw(low: float, high: float, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """`n` candidates for a standard normal number from `low` to `high`, and which of them to keep."""
    if (math.erf(high / math.sqrt(2.0)) - math.erf(low / math.sqrt(2.0))) / 2.0 > 0.2:
        drawn = rng.normal(size=n)
        return drawn, (drawn >= low) & (drawn <= high)
    mode = min(max(0.0, low), high)  # where the density is largest
    if mode:  # beyond 40 / |mode| from there it is below e^-40 of that
        low, high = max(low, mode - 40.0 / abs(mode)), min(high, mode + 40.0 / abs(mode))
    drawn = rng.uniform(low, high, n)
    return drawn, rng.random(n) <= np.exp((mode * mode - drawn * drawn) / 2.0)
