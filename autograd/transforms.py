"""Functions to functions: `grad`, `value_and_grad`, `vjp`, `jvp`, `jacobian`, `hessian`, `hvp`.

Each calls the function on new nodes and reads the graph that this records. A result is a number or an array, and a node
only if an argument was one, or if the function uses a node of an enclosing computation; then the derivative is recorded
too, and can be differentiated again. So they nest, to any order.

Arguments may be floats, arrays, nested lists, tuples and dicts of them, and modules (anything with
`named_parameters()`); derivatives have the same structure, that of a module being a dict of arrays by name. Tangents and
cotangents are paired with it by key and nesting, and results share no array with them.

A module is differentiated as the dict of its parameters' arrays would be, at every order. The function is given a copy
that has nodes of the transform for parameters and shares buffers and all else; attributes set in it are set in the module
itself afterwards. If the function captures the module, as in `grad(lambda m: loss(model(x)))(model)`, that counts as the
argument; a module given twice is two variables, and then capturing it is an error. The result has no graph, and so is a
constant in later computations: to differentiate it again nest transforms, or give `dict(model.named_parameters())`, which
are nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from autograd.arguments import wrong
from autograd.lifting import Argnums
from autograd.linearize import linearize

if TYPE_CHECKING:
    from autograd.typing import Derivative, Gradient, Numeric, Tree

F = TypeVar("F", bound=Callable[..., Any])


@overload
def grad(f: Callable[..., Any], argnums: Literal[0] = 0) -> Gradient: ...
@overload
def grad(f: Callable[..., Any], argnums: Argnums) -> Derivative: ...
def grad(f: Callable[..., Any], argnums: Argnums = 0) -> Derivative:
    """The function that gives the gradient of the scalar function `f` with respect to argument `argnums`, or to each
    of a sequence of them (then as a tuple).

    >>> grad(lambda x: x**2)(3.0)
    6.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    """

    def gradient(*args: Any, **kwargs: Any) -> Any:
        return linearize(f, args, kwargs, argnums).gradient()

    return _named(gradient, "gradient", f)


def value_and_grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., tuple[Any, Any]]:
    """Like `grad`, but gives the pair of the function's value and its gradient, from one call of `f`.

    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(3.0, 4.0)
    (12.0, (4.0, 3.0))
    """

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        linearized = linearize(f, args, kwargs, argnums)
        gradient = linearized.gradient()  # first: it may decide that the value is recorded
        return linearized.value, gradient

    return _named(value_and_gradient, "value and gradient", f)


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """`f(*args)`, and the pullback: the function from a cotangent of it to the cotangents of all arguments, as a tuple.

    >>> y, pullback = vjp(lambda x, y: x * y, 3.0, 4.0)
    >>> pullback(1.0)
    (4.0, 3.0)
    """
    linearized = linearize(f, args, {}, range(len(args)), copy=True)
    linearized.check_output("vjp")
    linearized.find_outer()
    return linearized.value, linearized.pullback


def jvp(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """`f(*primals)` and its derivative in the direction `tangents`: forward mode, by the same rules.

    `primals` and `tangents` are tuples with one entry an argument; where there is one argument (a namedtuple is one) the
    tuple may be left out.

    >>> jvp(lambda x: x**3, 2.0, 1.0)
    (8.0, 12.0)
    """
    primals, tangents = _tuples("jvp", primals, tangents)
    linearized = linearize(f, primals, {}, range(len(primals)))
    linearized.check_output("jvp")
    tangent = linearized.pushforward(tangents)
    return linearized.value, tangent


def jacobian(f: Callable[..., Any], argnums: Argnums = 0) -> Derivative:
    """The function that gives the derivative of every element of `f`'s output with respect to every element of
    argument `argnums`: of shape `output.shape + argument.shape`.

    Row by row in reverse mode or, where there are fewer inputs than outputs, column by column in forward mode. Of a
    list, tuple or dict of outputs, the derivative of each in its place.

    >>> import numpy as np
    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """

    def derivative(*args: Any, **kwargs: Any) -> Any:
        linearized = linearize(f, args, kwargs, argnums)
        linearized.check_output("jacobian")
        return linearized.jacobian()

    return _named(derivative, "jacobian", f)


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Derivative:
    """The function that gives all second derivatives of the scalar function `f`: `argument.shape` twice.

    >>> import numpy as np
    >>> hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0])).tolist()
    [[6.0, 0.0], [0.0, 12.0]]
    """
    return jacobian(grad(f, argnums), argnums)


@overload
def hvp(f: Callable[..., Any], primals: Tree, tangents: Any) -> Tree: ...
@overload
def hvp(f: Callable[..., Any], primals: Any, tangents: Any) -> Numeric | dict[str, Any]: ...
def hvp(f: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """The Hessian of the scalar function `f` at `primals`, times `tangents`, without the Hessian itself: the `jvp` of the
    gradient. Arguments as for `jvp`; the result is a tuple where `primals` is one.

    >>> import numpy as np
    >>> hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 0.0])).tolist()
    [6.0, 0.0]
    """
    alone = not _are_several(primals)
    primals, tangents = _tuples("hvp", primals, tangents)
    gradient = grad(f, argnums=tuple(range(len(primals))))
    product = jvp(gradient, primals, tangents)[1]
    return product[0] if alone else product


def _tuples(name: str, primals: Any, tangents: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    several = _are_several(primals)
    if several != _are_several(tangents) and (several or not isinstance(primals, tuple)):
        raise TypeError(f"{name} needs primals and tangents as two tuples, or as one argument and its tangent")
    if not several:
        return (primals,), (tangents,)
    if len(primals) != len(tangents):
        raise ValueError(f"{name} got {len(primals)} primals and {len(tangents)} tangents")
    return primals, tangents


def _are_several(primals: Any) -> bool:
    """Whether these are several arguments: a tuple, but not a namedtuple, which is one argument."""
    return isinstance(primals, tuple) and not hasattr(primals, "_fields")


def _named(derivative: F, what: str, f: Callable[..., Any]) -> F:
    if not callable(f):
        raise TypeError(wrong(f"the {what}", "f", "a function", f))
    name = getattr(f, "__name__", type(f).__name__)
    derivative.__name__ = derivative.__qualname__ = f"{what.replace(' ', '_')}_of_{name.strip('<>')}"
    derivative.__doc__ = f"The {what} of {name}."
    derivative.__wrapped__ = f  # type: ignore[attr-defined]  # for inspect.signature
    return derivative
