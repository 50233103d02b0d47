"""`gradcheck`: derivatives against finite differences, of any order, in both modes."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.arguments import integer, number, wrong
from autograd.elementwise import identity
from autograd.graph import Node, value_of
from autograd.linearize import linearize
from autograd.pytrees import flatten, is_module, leaves, map_leaves, named_parameters
from autograd.stand_ins import Substitution, in_place_of
from autograd.tensor import Tensor
from autograd.transforms import jvp, vjp
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.typing import Array, X


class GradientError(AssertionError):
    """A derivative that disagrees with finite differences."""


class KinkError(GradientError):
    """A kink at or near the point, where the function has no derivative to be checked."""


def gradcheck(
    f: Callable[..., Any], *args: Any, order: int = 1, rtol: float = 1e-5, trials: int = 2, seed: int = 0
) -> bool:
    """Check the derivatives of `f` at `args` up to `order`, and return True.

    The output is weighted with a random cotangent, and each argument (a float, a float64 array, a module of these, or a
    structure of floats and arrays) is moved in a random direction; the slope along it is compared with those of reverse
    mode and forward mode. The finite difference is central and extrapolated from two step sizes. The two differ by an
    estimate of its error; of several pairs of step sizes the one with the least error is taken. A disagreement beyond
    the estimate and `rtol` of the slope raises a GradientError that names the operation and the argument, with both
    values; slopes that differ on the left and on the right raise a KinkError. float32 is a TypeError: its finite
    differences mean nothing.

    >>> gradcheck(lambda x, y: x * y**2, 3.0, np.array([1.0, 2.0]), order=2)
    True
    """
    if not callable(f):
        raise TypeError(wrong("gradcheck", "f", "a function", f))
    order = integer("gradcheck", "order", order, least=1, most=8)  # each order costs as much as all before together
    trials = integer("gradcheck", "trials", trials, least=1, most=10_000)
    rtol = number("gradcheck", "rtol", rtol, least=0, below=1)  # from 1 on anything would pass
    seed = integer("gradcheck", "seed", seed, least=0)
    name = _name(f)
    if any(map(is_module, args)):
        f = partial(_of_arrays, f, args)
    args = tuple(map_leaves(_as_float64, arg) for arg in args)
    rng = np.random.default_rng(seed)
    for _ in range(trials):
        _check(f, args, order, rtol, rng, name, "derivative")
    return True


def _check(f: Any, args: tuple[Any, ...], order: int, rtol: float, rng: Any, name: str, what: str) -> None:
    weights, wrong_slope = _contradiction(f, args, rtol, rng, name)
    if wrong_slope:
        i, mode, analytic, numeric, error = wrong_slope
        raise GradientError(
            f"the {what} of {_culprit(f, args, rtol, name)} with respect to argument {i} "
            f"(shape {np.shape(leaves(args)[i])}) is wrong in {mode} mode: along a random direction it gives "
            f"{analytic:.10g}, finite differences {numeric:.10g} ± {error:.1g}"
        )
    if order > 1:
        _check(lambda *xs: vjp(f, *xs)[1](weights), args, order - 1, rtol, rng, f"the gradient of {name}", what)


def _contradiction(
    f: Any, args: Any, rtol: float, rng: Any, name: str, wrt: Collection[int] | None = None
) -> tuple[Any, tuple[int, str, float, float, float] | None]:
    """The weights of the output, and the first slope along a leaf of `args` (of those at `wrt`) that disagrees with
    finite differences: the leaf, the mode, the slope, the difference, and its error."""
    output, pull = vjp(f, *args)
    weights = map_leaves(lambda leaf: _random_like(leaf, rng), output)
    gradients = leaves(pull(weights))
    places, structure = flatten(args)
    for i in range(len(places)) if wrt is None else wrt:
        direction = [np.zeros_like(p) if j != i else _random_like(p, rng) for j, p in enumerate(places)]

        def along(t: float, direction: Any = direction) -> float:
            moved = [p + t * d for p, d in zip(places, direction, strict=True)]
            return _inner(weights, f(*structure.unflatten(map(_like, moved, places))))

        numeric, error = _slope(along, f"{name}, argument {i}")
        reverse = float(np.sum(np.asarray(value_of(gradients[i])) * direction[i]))
        tangents = structure.unflatten(map(_like, direction, places))
        forward = _inner(weights, jvp(f, args, tangents)[1])
        for mode, analytic in (("reverse", reverse), ("forward", forward)):
            if not abs(analytic - numeric) <= 10 * error + rtol * min(abs(analytic), abs(numeric)):
                return weights, (i, mode, analytic, numeric, error)
    return weights, None


def _slope(along: Callable[[float], float], name: str) -> tuple[float, float]:
    """The slope of `along` at 0 by central differences, and an estimate of its error."""
    with np.errstate(all="ignore"):
        middle = along(0.0)
        estimates = []
        for h in (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5):
            ends = along(h), along(-h), along(h / 2), along(-h / 2)
            wide, narrow = (ends[0] - ends[1]) / (2 * h), (ends[2] - ends[3]) / h
            noise = 2e-16 * max(map(abs, (*ends, middle))) / h
            error = abs(wide - narrow) / 3 + 4 * noise  # of `narrow`; the extrapolated value is better still
            kink = (ends[2] + ends[3] - 2 * middle) / (h / 2)
            kink_before = (ends[0] + ends[1] - 2 * middle) / h
            if math.isfinite(error):
                estimates.append((error, (4 * narrow - wide) / 3, kink, kink_before, noise))
    if not estimates or not math.isfinite(middle):
        raise KinkError(f"{name}: the function is not finite at or near the point ({middle}): check another one")
    error, slope, kink, kink_before, noise = min(estimates)
    # Where the slope jumps, left and right differ by as much at half the step; where it is smooth, by half as much.
    if abs(kink) > 100 * noise + 1e-3 * (abs(slope) + abs(kink)) and abs(kink) > 0.75 * abs(kink_before):
        raise KinkError(
            f"{name}: the slope is {slope - kink / 2:.6g} on the left and {slope + kink / 2:.6g} on the right, so there "
            "is a kink at the point, or too near it: check another one"
        )
    return slope, error


def _culprit(f: Any, args: tuple[Any, ...], rtol: float, name: str) -> str:
    """The first single operation within `f` whose own derivative is wrong, or else `f`."""
    made, _ = linearize(f, args, {}, range(len(args))).find_outer()
    for node in made[:1000]:
        assert node.op is not None
        try:
            reads = tuple(map_leaves(_as_float64, x) for x in node._residuals())
            wrt = [i for i, x in enumerate(node.inputs) if isinstance(x, Node)]
            if _contradiction(node.op, reads, rtol, np.random.default_rng(0), node.op.name, wrt)[1]:
                return node.op.name if node.op.name == name else f"{node.op.name} (in {name})"
        except (ArithmeticError, TypeError, ValueError, GradientError):
            pass  # the operation cannot be checked by itself at this point
    return name


def _of_arrays(f: Callable[..., X], args: tuple[Any, ...], *xs: Any) -> X:
    """`f` of `xs`, with a dict of parameters, arrays or nodes, in place of every module among `args`."""
    return f(*(_with_parameters(arg, x) if is_module(arg) else x for arg, x in zip(args, xs, strict=True)))


def _with_parameters(module: Any, values: dict[str, Any]) -> Any:
    """A copy of `module` with these numbers, arrays or nodes for parameters."""
    new = {}
    for name, parameter in named_parameters(module).items():
        x = values[name]
        node = x if isinstance(x, Node) else Tensor(x) if isinstance(x, np.ndarray) else Value(x)
        new[id(parameter)] = in_place_of(parameter, identity(node))
    return Substitution(module, new).tree


def _name(f: Any) -> str:
    return str(getattr(f, "name", None) or getattr(f, "__name__", type(f).__name__))


def _as_float64(leaf: Any) -> float | Array:
    x = value_of(leaf)
    dtype = np.asarray(x).dtype
    if dtype.kind == "f" and dtype.itemsize < 8:
        raise TypeError(f"gradcheck needs float64: finite differences in {dtype} mean nothing; pass x.astype(float)")
    if dtype.kind not in "fiub":
        raise TypeError(f"gradcheck needs real numbers, got {dtype}")
    return float(x) if isinstance(x, (float, int)) else np.asarray(x, np.float64)


def _like(x: Any, place: Any) -> float | Array:
    return float(x) if isinstance(place, float) else np.asarray(x)


def _random_like(x: Any, rng: np.random.Generator) -> float | Array:
    shape = np.shape(value_of(x))
    sample = rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 1.5, shape)
    return sample if shape else (float(sample) if isinstance(value_of(x), float) else np.asarray(sample))


def _inner(weights: Any, output: Any) -> float:
    pairs = zip(leaves(weights), leaves(output), strict=True)
    return float(sum(np.sum(np.asarray(w) * np.asarray(value_of(y))) for w, y in pairs))
