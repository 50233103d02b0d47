"""Table of the modules of a model: the shapes of their results, their parameters, and the memory that all takes."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from autograd import Tensor, no_grad
from autograd.arguments import FAILURES, wrong
from autograd.graph import value_of
from nn.modes import evaluating, observing
from nn.validation import integer, sequence


@dataclass
class Row:
    """One module: its place, its kind, the shape it gave (None if it was not called), and parameters of its own."""

    name: str
    kind: str
    output: tuple[int, ...] | None
    parameters: int
    memory: int  # bytes of what it gave


@dataclass
class Summary:
    """The rows of a model, outermost first, and totals; memory is in bytes. Its `str` is a table of at most `max_lines`
    lines, which says how many modules it leaves out."""

    rows: list[Row]
    input_shape: tuple[int, ...]
    parameters: int
    parameter_memory: int
    buffer_memory: int
    activation_memory: int  # of all innermost modules' results together, which a backward pass needs
    max_lines: int = 1000

    def __str__(self) -> str:
        cells = [("layer", "output", "parameters", "memory")]
        room = self.max_lines - 4  # but for titles, rules and totals
        hidden = len(self.rows) - (room - 1) if len(self.rows) > room else 0
        middle = (len(self.rows) - hidden + 1) // 2
        for row in (*self.rows[:middle], *self.rows[middle + hidden :]):
            depth = row.name.count(".") + bool(row.name)
            label = f"{'  ' * depth}{row.name.rpartition('.')[2]}: {row.kind}" if row.name else row.kind
            shape = "not called" if row.output is None else str(row.output)
            own = f"{row.parameters:,}" if row.parameters else ""
            cells.append((label, shape, own, format_bytes(row.memory) if row.output is not None else ""))
        a, b, c, d = (max(map(len, column)) for column in zip(*cells, strict=True))
        lines = [f"{name:<{a}}  {shape:<{b}}  {own:>{c}}  {memory:>{d}}".rstrip() for name, shape, own, memory in cells]
        rule = "-" * max(map(len, lines))
        if hidden:
            lines.insert(1 + middle, f"... {hidden:,} modules left out")
        memory = f"{format_bytes(self.parameter_memory)}, buffers {format_bytes(self.buffer_memory)}"
        memory += f", results of the layers {format_bytes(self.activation_memory)}"
        total = f"{self.parameters:,} parameters: {memory} for an input of shape {self.input_shape}"
        return "\n".join([lines[0], rule, *lines[1:], rule, total])

    __repr__ = __str__


def data_dtype(dtype: Any) -> np.dtype[Any]:
    """A dtype of real numbers, for an input."""
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except FAILURES:
        found = np.dtype(object)
    if found.kind not in "fiub":
        raise TypeError(wrong("summary", "dtype", "one of real numbers, as np.float32 or int", dtype))
    return found


def summarize(model: Any, input_shape: tuple[int, ...], dtype: Any = None, max_lines: int = 1000) -> Summary:
    """The summary of a `Module`, as its method `summary` says."""
    max_lines = integer("summary", "max_lines", max_lines, least=6)
    lengths = sequence("summary", "input_shape", input_shape)
    input_shape = tuple(integer("summary", "each of input_shape", n, least=0) for n in lengths)
    modules = list(model.named_modules())
    tensors = (part for _, module in modules for part in vars(module).values() if isinstance(part, Tensor))
    dtype = data_dtype(next((tensor.dtype for tensor in tensors), np.float32) if dtype is None else dtype)
    results: dict[int, Any] = {}

    def note(module: Any, result: Any) -> None:
        if isinstance(result, (Tensor, np.ndarray)):
            results.setdefault(id(module), value_of(result))

    with evaluating(), observing(note), no_grad():
        model(np.zeros(input_shape, dtype))
    owned = dict.fromkeys((name for name, _ in modules), 0)
    parameters = list(model.named_parameters())
    for name, parameter in parameters:
        owner = name.rpartition(".")[0]
        while owner not in owned:
            owner = owner.rpartition(".")[0]
        owned[owner] += parameter.size
    rows = []
    for name, module in modules:
        result = results.get(id(module))
        shape, memory = (None, 0) if result is None else (tuple(result.shape), result.nbytes)
        rows.append(Row(name, type(module).__name__, shape, owned[name], memory))
    outer = {name[:i] for name, _ in modules for i, c in enumerate(name) if c == "."}
    innermost = [row for row in rows if row.name not in outer and (row.name or len(rows) == 1)]
    return Summary(
        rows,
        input_shape,
        sum(parameter.size for _, parameter in parameters),
        sum(parameter._data.nbytes for _, parameter in parameters),
        sum(buffer.data.nbytes for buffer in model.buffers()),
        sum(row.memory for row in innermost),
        max_lines,
    )


def format_bytes(n: float) -> str:
    """A number of bytes, as people read it.

    >>> format_bytes(512), format_bytes(100_000)
    ('512 B', '97.7 KiB')
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n < 1024:
            return f"{n:.0f} {unit}" if unit == "B" else f"{n:.1f} {unit}"
        n /= 1024
    return f"{n:.1f} TiB"


def parameter_table(module: Any, most: int = 100) -> str | None:
    """The parameters of a module as a table of HTML, for notebooks; None if they are not known yet. It never raises.

    >>> from nn.layers.linear import Linear
    >>> parameter_table(Linear(2, 3)).count("<tr>")
    4
    """
    try:
        kinds = {name: type(part).__name__ for name, part in module.named_modules()}
        found = [
            (name, kinds.get(name.rpartition(".")[0], ""), p.shape, p.size) for name, p in module.named_parameters()
        ]
        rows = [
            f"<tr><td>{escape(n)}</td><td>{escape(k)}</td><td>{s}</td><td>{size:,}</td></tr>" for n, k, s, size in found
        ]
        hidden = f"<tr><td>… {len(rows) - most:,} more</td></tr>" if len(rows) > most else ""
        total = f"<tr><td>{escape(type(module).__name__)}</td><td></td><td></td><td>{sum(row[3] for row in found):,}</td></tr>"
        head = "<tr><th>parameter</th><th>of</th><th>shape</th><th>size</th></tr>"
        return f"<table>{head}{''.join(rows[:most])}{hidden}{total}</table>"
    except Exception:  # layers that wait for their first input, and modules of the user's that fail: the repr is shown
        return None
