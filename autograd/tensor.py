"""`Tensor`: an array that remembers what it was computed from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, NoReturn, ParamSpec, TypeVar, cast
from weakref import ReferenceType, ref

import numpy as np

from autograd import constants, modes
from autograd.arguments import FAILURES, check_kind, integer, numbers, shown
from autograd.arrays import indexing, joining, linalg, reductions, shaping, sums
from autograd.graph import Node, Primitive, next_sequence_number, value_of
from autograd.numpy_protocol import call
from autograd.operators import Operators, declined
from autograd.reverse_mode import accumulate_grads, cotangents

if TYPE_CHECKING:
    from autograd.typing import A, Answer, Array, Operand  # noqa: F401  # named in a string

P = ParamSpec("P")
R = TypeVar("R")

_new = object.__new__
_down = sums.adder(0)
_ndarray = np.ndarray


def _method(function: Callable[Concatenate[Tensor, P], R]) -> Callable[Concatenate[Tensor, P], R]:
    """A function of arrays as a method: itself, of which type checkers know that it is of a Tensor, also in subclasses."""
    return function


class Tensor(Operators["Operand", "Tensor", np.ndarray[Any, Any], np.ndarray[Any, Any]]):
    """An array in a graph: any real floating-point ndarray, shared and not copied; integers become float64.

    `data` is the array, `grad` (None until a backward pass, then an ndarray of the same shape and dtype) the derivative
    with respect to it: accumulated over calls of `backward()` on a leaf, of the last call elsewhere. `label` names it
    in drawings. What is not a real array is a TypeError or, if ragged, a ValueError.

    A leaf's data may be changed at any time; what was computed before keeps what it read. An ndarray that meets a tensor
    is a constant, and may be changed too: what was computed with one of up to 64 KB keeps what it read; with a larger one,
    `backward()` raises a RuntimeError. (Unless what changed is fewer than 127 elements in a row, or of more than half a million
    fewer than one in 4,096, and not near an end: such a change may go unnoticed.)

    >>> x = Tensor([1.0, 2.0])
    >>> (x * x).sum().backward()
    >>> x.grad.tolist()
    [2.0, 4.0]
    """

    __slots__ = ("_frozen", "_lent", "_overwritten")
    _priority: ClassVar[int] = 1
    # Of a leaf: the array through which a caller may change its data. Either `_data` itself, if the caller gave it, or a
    # weak reference to the array that `data` returned, which lives as long as the caller holds it or a view of it.
    _lent: np.ndarray[Any, Any] | ReferenceType[np.ndarray[Any, Any]] | None
    grad: Array | None
    _frozen: bool  # a graph relies on `_data`: it must be replaced, not changed in place
    _overwritten: int  # the sequence number at which an optimizer last changed `_data` in place, or 0

    def __init__(self, data: Any, label: str | None = None) -> None:
        self._data = _array(data)
        self.op = None
        self._left = self._right = self._x = self._y = None
        self.label = label
        self._sequence = next_sequence_number()
        self.grad = None
        self._lent = self._data
        self._frozen = False
        self._overwritten = 0

    # ---- Data

    @property
    def data(self) -> np.ndarray[Any, Any]:
        """The array. That of a leaf may be changed in place or replaced; that of a result is read-only."""
        if self.op is not None:
            view = self._data.view()
            view.flags.writeable = False
            return view  # type: ignore[no-any-return]  # slots are Any
        if self._frozen:
            self._own(self._data.copy())
        array = self._lent_array()
        if array is None:
            array = np.asarray(memoryview(self._data))  # its base is not an array, so views of it keep it alive
            self._lent = ref(array)
        return array

    @data.setter
    def data(self, data: Any) -> None:
        if self.op is not None:
            raise TypeError(f"the data of a result ({self.op!r}) cannot be set: set a leaf's, or .detach() it first")
        old, lent = self._data, self._lent_array()
        if lent is not None and lent is data and lent.shape == old.shape:  # `x.data -= 1` has changed it already
            return
        self._own(_array(data))
        self._lent = self._data
        if self._data.shape != old.shape:
            self._overwritten = next_sequence_number()  # graphs that have read it have no gradient of this shape

    def _own(self, array: np.ndarray[Any, Any]) -> None:
        """Take as data an array to which there is no other reference."""
        self._data, self._lent, self._frozen = array, None, False

    def _lent_array(self) -> np.ndarray[Any, Any] | None:
        """The array through which a caller may change the data, or None."""
        return self._lent() if type(self._lent) is ReferenceType else self._lent  # type: ignore[return-value]  # a weak reference, called

    def _read(self) -> Array:
        """The array, for an operation that will need it unchanged in the backward pass."""
        if self.op is None:
            if self._lent is not None:
                if self._lent_array() is not None:
                    return self._data.copy()  # type: ignore[no-any-return]  # slots are Any
                self._lent = None
            self._frozen = True
        return self._data  # type: ignore[no-any-return]  # slots are Any

    def _check_unchanged(self, reader: Node, value: Any, keep_graph: bool) -> None:
        """Raise if this leaf has changed since `reader` read it, and the derivative needs it."""
        same = not keep_graph or self._data is value or np.array_equal(self._data, value, equal_nan=True)
        if self._overwritten < reader._sequence and same:
            return
        raise RuntimeError(
            f"the data of a leaf ({self._describe()}) was changed after the forward pass that used it (in "
            f"{reader.op!r}): run the forward pass again, and then backward(), before the next change"
        )

    # ---- Recording

    def _unary(self, op: Primitive) -> Tensor:
        if modes.in_use or op.nondifferentiable or not op.at_most_binary:
            return self._record(op, (self,))
        a = self._read() if self.op is None else self._data
        try:
            data = op.array(a)
        except FAILURES as error:
            raise op.refused((a,), error) from None
        node = _node(op, data)
        node._left, node._right = self, None
        node._x, node._y = a, None
        return node

    def _binary(self, op: Primitive, other: Any) -> Tensor:
        if isinstance(other, Tensor):
            if modes.in_use or op.nondifferentiable:
                return self._record(op, (self, other))
            b = other._read() if other.op is None else other._data
            right: Node | None = other
        elif isinstance(other, (float, int, _ndarray, np.generic)) and not modes.in_use and not op.nondifferentiable:
            b = other
            right = None
            if isinstance(b, _ndarray) and op.reads:
                if b.nbytes > constants.SMALL:
                    return self._record(op, (self, b))
                b = b.copy("K")  # the caller may change the original
        elif isinstance(other, (float, int, _ndarray, Node, np.generic)):
            return self._record(op, (self, other))
        else:
            return declined(op, other)
        a = self._read() if self.op is None else self._data
        try:
            data = op.array(a, b)
        except FAILURES as error:
            raise op.refused((a, b), error) from None
        node = _node(op, data)
        node._left, node._right = self, right
        node._x, node._y = a, b
        return node

    def _reflected(self, op: Primitive, other: Any) -> Tensor:
        if isinstance(other, (float, int, np.ndarray, Node, np.generic)):
            return self._record(op, (other, self))
        return declined(op, other)

    @classmethod
    def _record(cls, op: Primitive, args: tuple[Any, ...]) -> Tensor:
        if trace := modes.current_trace():
            for arg in args:  # tracers, alone or in an array
                if (
                    arg._priority > cls._priority
                    if isinstance(arg, Node)
                    else type(arg) is _ndarray and arg.dtype.char == "O"
                ):
                    return cast("Tensor", trace.record(op, args))
        record = not op.nondifferentiable and modes.is_recording()
        keep = record and op.reads
        large = False
        flat = op.at_most_binary
        reads = []
        inputs: list[Any] = []  # the nodes, and None for constants; of an operation of more inputs its own constants
        for arg in args:
            # The rules of operations on arrays read the shapes of their inputs, also of lists and Values.
            if isinstance(arg, Node):
                read = arg._read() if record and arg.op is None and isinstance(arg, Tensor) else arg._data
                if type(read) is float and op.scalar is None:
                    read = numbers(op.name, "an operand", read)
                inputs.append(arg)
            else:
                read = arg
                if isinstance(arg, _ndarray):
                    if type(arg) is not _ndarray:
                        check_kind(arg)
                    if keep:
                        read = constants.own(arg)
                        large = large or read is arg
                elif isinstance(arg, (list, tuple)) and (keep or op.scalar is None):
                    read = numbers(op.name, "an operand", arg)
                inputs.append(None if flat else read)
            reads.append(read)
        try:
            data = op.array(*reads)
        except FAILURES as error:
            raise op.refused(reads, error) from None
        if op.nondifferentiable:
            return np.asarray(data)  # type: ignore[return-value]  # no node, for it has no derivative
        if not record:
            result = Tensor(data)
            result._frozen = True  # it may be a view of an input
            return result
        node = _node(op, data)
        if not flat:
            node._left, node._x = tuple(inputs), tuple(reads)
            node._right = node._y = None
        elif len(reads) == 2:
            node._left, node._right = inputs
            node._x, node._y = reads
        else:
            node._left, node._x = inputs[0], reads[0]
            node._right = node._y = None
        if large:
            constants.watch(node, args)
        if observer := modes.observer():
            observer.recorded(node)
        return node

    # ---- Differentiating

    def _unbroadcast(self, contribution: Any) -> Array | Tensor:
        """A contribution to the cotangent, converted to this node's shape and dtype: the only place where that is done."""
        data = self._data
        if type(contribution) is _ndarray:
            array = contribution
        elif isinstance(contribution, Node):
            if contribution._priority == 0:
                contribution = shaping.reshape(cast("Tensor", contribution), ())
            array = contribution._data
        else:
            array = contribution = np.asarray(contribution)
        if array.shape != data.shape:
            contribution = _unbroadcast(contribution, data.shape)
        if array.dtype is not data.dtype and array.dtype != data.dtype:
            contribution = shaping.cast(contribution, data.dtype)
        return contribution  # type: ignore[no-any-return]  # a rule's result is Any

    def backward(self, gradient: Any = None) -> None:
        """Add the derivative of `(gradient * self).sum()` to `.grad` of every leaf, and set it in all other nodes.

        `gradient` has this tensor's shape; it may be left out for a scalar. Otherwise a ValueError.
        """
        if gradient is None:
            if self._data.size != 1:
                raise ValueError(
                    f"backward() needs a scalar, got shape {self.shape}: reduce with .sum() or .mean(), or pass a "
                    "gradient of that shape"
                )
            seed = np.ones_like(self._data)
        else:
            given = numbers("backward", "gradient", value_of(gradient))
            seed = given.astype(self.dtype)  # a copy: it becomes a `.grad`
            if seed.shape != self.shape:
                raise ValueError(f"backward() of shape {self.shape} needs a gradient of that shape, got {seed.shape}")
        with np.errstate(all="ignore"):  # IEEE's infinities and nans are valid results
            accumulate_grads(cotangents(self, seed))

    def _accumulate(self, g: Any) -> None:
        if self.grad is None:
            self.grad = np.array(g)  # a copy: `g` may be shared, or a view
        else:
            try:
                self.grad += g
            except TypeError:
                raise TypeError(
                    f"a leaf ({self._describe()}) has as gradient {shown(self.grad)} and {self.grad.dtype}, to which none can be added: set an "
                    "array of floating-point numbers, or call zero_grad()"
                ) from None

    def zero_grad(self) -> None:
        """Forget `.grad`."""
        self.grad = None

    def detach(self) -> Tensor:
        """The same array as a new leaf, without its graph."""
        shared = self._lent_array() if self.op is None and not self._frozen else None
        leaf = Tensor(self._data if shared is None else shared, self.label)
        leaf._frozen = shared is None
        return leaf

    # ---- As an array

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self._data.shape  # type: ignore[no-any-return]  # slots are Any

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim  # type: ignore[no-any-return]  # slots are Any

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._data.size  # type: ignore[no-any-return]  # slots are Any

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return self._data.dtype  # type: ignore[no-any-return]  # slots are Any

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    __getitem__ = _method(indexing.index)

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise TypeError(
            "a Tensor's elements cannot be set: use t = ag.index_update(t, key, value), or a leaf's .data[key]"
        )

    def __delitem__(self, key: Any) -> NoReturn:
        raise TypeError("a Tensor's elements cannot be deleted: index those that stay, as in t[1:] or t[mask]")

    def __contains__(self, x: Any) -> bool:
        return bool((self._data == value_of(x)).any())

    def __bool__(self) -> bool:
        try:
            return bool(self._data)
        except ValueError:
            raise ValueError(
                f"the truth value of a Tensor of shape {self.shape} is ambiguous: use (t != 0).any(), (t != 0).all(), or a "
                "comparison's"
            ) from None

    def __round__(self, digits: int | None = None) -> Array:
        return np.asarray(np.round(self._data, digits or 0))

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        if self._data.ndim:
            raise TypeError(
                f"a format of {spec!r} is for one number, not for shape {self.shape}: take an element's .item()"
            )
        return format(self._data.item(), spec)

    def item(self) -> float:
        """The only element as a float: detached, so that no derivative goes through computations with it."""
        return self._data.item()  # type: ignore[no-any-return]  # slots are Any

    def tolist(self) -> float | list[Any]:
        """The elements as nested lists of floats: detached, like `item()`."""
        return self._data.tolist()  # type: ignore[no-any-return]  # slots are Any

    def numpy(self) -> np.ndarray[Any, Any]:
        """A copy of the array: detached, so that no derivative goes through computations with it."""
        return self._data.copy()  # type: ignore[no-any-return]  # slots are Any

    def __matmul__(self, other: Any) -> Tensor:
        return self._binary(linalg.matmul, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return self._reflected(linalg.matmul, other)

    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""
        return shaping.transpose(self)

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        return linalg.mT(self)

    sum = _method(reductions.sum)
    mean = _method(reductions.mean)
    var = _method(reductions.var)
    std = _method(reductions.std)
    max = _method(reductions.max)
    min = _method(reductions.min)
    prod = _method(reductions.prod)
    cumsum = _method(reductions.cumsum)
    norm = _method(reductions.norm)
    logsumexp = _method(reductions.logsumexp)
    softmax = _method(reductions.softmax)
    log_softmax = _method(reductions.log_softmax)
    reshape = _method(shaping.reshape)
    ravel = flatten = _method(shaping.ravel)
    swapaxes = _method(shaping.swapaxes)
    expand_dims = _method(shaping.expand_dims)
    squeeze = _method(shaping.squeeze)
    broadcast_to = _method(shaping.broadcast_to)
    repeat = _method(indexing.repeat)
    take = _method(indexing.take)
    split = _method(joining.split)
    diagonal = _method(indexing.diagonal)
    trace = _method(linalg.trace)

    def argmax(self, axis: Any = None) -> np.intp | Array:
        """The index of the largest element, along `axis` or in the flattened array."""
        return np.argmax(self._data, _axis("argmax", axis, self.ndim))

    def argmin(self, axis: Any = None) -> np.intp | Array:
        """The index of the smallest element, along `axis` or in the flattened array."""
        return np.argmin(self._data, _axis("argmin", axis, self.ndim))

    def dot(self, other: Any) -> Tensor:
        """The inner product of the last axis of `x` with the second last (or only) axis of `y`."""
        return linalg.dot(self, other)

    def transpose(self, *axes: Any) -> Tensor:
        """`x` with its axes in the order `axes`, by default reversed."""
        return shaping.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def astype(self, dtype: Any) -> Tensor:
        """This tensor in another floating-point dtype, differentiably."""
        return shaping.cast(self, dtype)

    # ---- NumPy's protocols

    def __array__(self, *args: Any, **kwargs: Any) -> Array:
        raise TypeError(
            "turning a Tensor into an ndarray would detach it from its graph: use .numpy() for the array (to plot, to "
            "save), ag.sin and its kin or np.sin(tensor) to differentiate, ag.stack for a list of tensors, and "
            "a = ag.index_update(a, i, t) in place of a[i] = t"
        )

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Answer:
        return call(function, args, kwargs)

    # ---- Shown, copied

    def _describe(self) -> str:
        name = f"{self.label!r} of " if self.label else ""
        return f"{name}shape {self.shape}, {self.dtype}"

    def __repr__(self) -> str:
        body = np.array2string(self._data, prefix="Tensor(", separator=", ")
        dtype = "" if self.dtype == np.float64 else f", dtype={self.dtype}"
        label = f", label={self.label!r}" if self.label is not None else ""
        return f"{type(self).__name__}({body}{dtype}{label})"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.op is not None:
            raise TypeError(
                "a Tensor with a graph cannot be copied or pickled: use .detach(), or .numpy() for an array (to plot)"
            )
        return (type(self), (self._data.copy(), self.label), {"grad": self.grad})

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.grad = state["grad"]


def _axis(owner: str, axis: Any, ndim: int) -> int | None:
    return None if axis is None else shaping.axes_of(integer(owner, "axis", axis), ndim)[0]


def _node(op: Primitive, data: Any) -> Tensor:
    """A result of `op` whose inputs are not set yet."""
    if type(data) is not _ndarray:
        if isinstance(data, _ndarray):
            check_kind(data)
        data = np.asarray(data)  # a full reduction gives a NumPy scalar
    if data.dtype.char not in "dfeg":
        raise TypeError(f"{op.name} gives {data.dtype}: only real numbers have derivatives here")
    node = _new(Tensor)
    node._data = data
    node.op = op
    node._sequence = next_sequence_number()
    node.grad = node.label = None
    return node


def _array(data: Any) -> np.ndarray[Any, Any]:
    if isinstance(data, Node):
        raise TypeError(f"Tensor() of {data!r} would detach it from its graph: use it as it is, or .detach() it")
    if isinstance(data, _ndarray):
        check_kind(data)
    try:
        array = np.asarray(data)
    except ValueError:
        raise ValueError("Tensor needs an array with rows of one length, got a ragged list") from None
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        nodes = array.dtype == object and any(isinstance(member, Node) for member in array.flat)
        hint = ": use ag.stack for a list of nodes" if nodes else ""
        raise TypeError(f"Tensor needs real numbers, got {array.dtype} of shape {array.shape}{hint}")
    return array


def _unbroadcast(contribution: A, shape: tuple[int, ...]) -> A:
    """`contribution`, summed over the axes along which `shape` was broadcast; or broadcast to `shape`, if it is smaller."""
    extra = len(contribution.shape) - len(shape)
    if extra == 1 and contribution.shape[1:] == shape and type(contribution) is _ndarray:
        return _down(contribution)  # the bias of a layer, over the batch
    if extra > 0:
        contribution = reductions.sum(contribution, tuple(range(extra)))
    stretched = tuple(i for i, (n, m) in enumerate(zip(contribution.shape, shape, strict=False)) if m == 1 != n)
    if stretched and extra >= 0:
        contribution = reductions.sum(contribution, stretched, keepdims=True)
    return contribution if contribution.shape == shape else shaping.broadcast_to(contribution, shape)
