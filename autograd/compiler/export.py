"""Programs as self-contained source texts, in Python, NumPy, C or JavaScript."""

from __future__ import annotations

import builtins
import keyword
import math
import re
import unicodedata
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count, filterfalse
from typing import Any, ClassVar

import numpy as np

from autograd import elementwise as e
from autograd.arguments import shown
from autograd.compiler.errors import CompileError
from autograd.compiler.javascript import HELPERS, MATH
from autograd.compiler.lowering import is_opaque
from autograd.compiler.program import Instruction, Program, short_line
from autograd.frames import Line
from autograd.graph import Primitive

MAX_ELEMENTS = 1000  # of an array that is written out
MAX_PARAMETERS = 65534  # of a function in V8


def write(
    language: str, programs: Sequence[Program], name: str = "kernel", calls: Mapping[Primitive, str] | None = None
) -> str:
    """The text of a function `name` that runs `programs`, in "python", "numpy", "c" or "javascript".

    The programs are lowered; they are the paths of one function, with the same inputs and as many outputs each, of
    which the first whose guards hold is taken. `calls` has, for an operation that no machine knows, the name of a
    function that the text will find where it is run: of floats in Python, of arrays in NumPy (whose results are
    NumPy's), of doubles in C, of numbers in JavaScript. Several outputs are a tuple (an array in JavaScript); a comparison
    among them is a bool, or 0 or 1 in C.

    Python's text takes floats, and gives to the last bit what the operations give one by one. NumPy's takes floats and
    arrays that broadcast. C's is `int name(const double *in, double *out)`, which returns 1 where no path holds, and
    `name_batch(n, in, stride, out)`, which reads `in[i][k * stride[i]]` and writes `out[o][k]` for each k below n.

    JavaScript's takes numbers, and throws an Error where no path holds. Its `name_batch(n, inputs, strides, outputs, steps)`
    reads `inputs[i][k * strides[i]]` and writes `outputs[o][k * steps[o]]`, of arrays such as a Float64Array, for one k
    after the other: what is an input and an output too, both with a step of 0, is carried on from each to the next.
    The text may stand in a page: no label ends the script or the comment that it stands in.

    >>> from autograd import elementwise as e
    >>> from autograd.compiler.program import Instruction, Program
    >>> x, y = Instruction(None, label="x"), Instruction(None, label="y")
    >>> product = Instruction(e.mul, (x, y), label="area")
    >>> print(write("python", [Program([x, y], [product], [product])], "area"))
    # area: one operation, recorded and written out by chainrule.
    # Of floats, as IEEE 754 has them: inf or nan where Python's math would raise.
    # Inputs: x, y
    # Outputs: area
    import math
    <BLANKLINE>
    <BLANKLINE>
    def area(x, y):
        v0 = x * y                              # area
        return v0
    <BLANKLINE>
    """
    if not isinstance(language, str) or language not in _WRITERS:
        raise ValueError(
            f"{shown(language)} is no language of source: it writes 'python', 'numpy', 'c' and 'javascript'"
        )
    sizes = {(len(program.inputs), len(program.outputs)) for program in programs}
    if len(sizes) != 1:
        raise ValueError(
            "source writes one or more paths of one function, which have the same inputs and as many outputs each; "
            f"the numbers of inputs and outputs here: {sorted(sizes)}"
        )
    return "\n".join(_WRITERS[language](programs, name, calls or {}).text()) + "\n"


def function_of(text: str, name: str, namespace: dict[str, Any]) -> Any:
    """The function `name` of a text of ours: nothing of the caller's gets into it but names made harmless."""
    exec(compile(text, "<ag.compile>", "exec"), namespace)
    return namespace[name]


# ---- How a record is spelled: the name of a function, or an expression of arguments that are names and constants


def _infix(op: Primitive) -> str | None:
    return f"{{0}} {op.infix} {{1}}" if op.infix and "{" not in op.infix else op.infix


def _python(op: Primitive) -> str:
    return op.python or _infix(op) or f"math.{op.c}"


def _numpy(op: Primitive) -> str:
    text = op.numpy or _infix(op)
    if op.scalar is not None or op.infix:
        return text or f"np.{op.array.__name__}"
    text = text or (f"np.{op.name}" if hasattr(np, op.name) else f"np.linalg.{op.name}")
    settings = {name: _literal(value).replace("{", "{{").replace("}", "}}") for name, value in op.settings.items()}
    if "{" not in text:
        return f"{text}({', '.join(['{args}', *(f'{name}={value}' for name, value in settings.items())])})"
    return re.sub(r"\{([a-z]\w*)\}", lambda found: settings.get(found[1], found[0]), text)


def _literal(x: Any) -> str:
    """A setting, or an array, in Python."""
    if isinstance(x, np.ndarray):
        if x.size > MAX_ELEMENTS:
            raise CompileError(
                f"source writes constants of up to {MAX_ELEMENTS:,} elements, and here is one of shape {x.shape}: make it a "
                "Tensor, so that it is an argument of the text"
            )
        return f"np.array({_literal(x.tolist())}, np.{x.dtype if x.dtype.kind != 'b' else 'bool_'})"
    if isinstance(x, np.dtype):
        return f"np.{x.name}"
    if isinstance(x, list):
        return f"[{', '.join(map(_literal, x))}]"
    if isinstance(x, tuple):
        return _tuple([*map(_literal, x)])
    return repr(x) if not isinstance(x, float) or math.isfinite(x) else f"np.{x}".replace("np.-", "-np.")


def _javascript(op: Primitive) -> str | None:
    of_c = op.c if op.c and "{" in op.c else f"Math.{op.c}" if op.c in MATH else None  # a choice is spelled as in C
    return op.javascript or of_c or _infix(op)


_OF_C = re.compile(r"\w+").findall("""
asm auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef typeof union unsigned void volatile while alignas
alignof bool constexpr false nullptr static_assert thread_local true typeof_unqual
linux unix i386 math_errhandling in out main abs
copysign drem exp2 exp10 fdim finite fma fmax fmin frexp gamma ilogb isfinite isinf isnan isnormal j0 j1 jn ldexp
lgamma llrint llround logb lrint lround modf nan nearbyint nextafter nexttoward remainder remquo rint round scalb
scalbln scalbn signbit signgam significand tgamma trunc y0 y1 yn
""")  # its keywords, and what <math.h> and compilers define


_OF_JAVASCRIPT = re.compile(r"\w+").findall("""
arguments async await break case catch class const continue debugger default delete do else enum eval export extends false
finally for function get if implements import in instanceof interface let new null of package private protected public
return set static super switch this throw true try typeof undefined var void while with yield
Array Error Float64Array Infinity Math NaN Number Object document inputs location n outputs steps strides top window
""")  # its keywords, what a text or a page reads, and what a page refuses to redefine


class _Writer(ABC):
    """Writes one text: the walk over a program is here, its statements are the languages'."""

    mark: ClassVar[str] = "#"  # of a comment
    note: ClassVar[str]
    special: ClassVar[tuple[str, str]]  # inf and nan
    reserved: ClassVar[frozenset[str]]
    failure: ClassVar[str] = "no path that was recorded holds for these inputs: record one with inputs like them"
    reuses: ClassVar[bool] = False  # names of what is no longer needed
    statement: ClassVar[str] = "{name} = {value}"
    escapes: ClassVar[tuple[str, str]] = ("\0", "")  # what must not stand in a comment, and what stands there instead
    # What leaves a path, or notes that it does not hold: of a condition that must be true, and of one that must be false.
    guards: ClassVar[tuple[str, str]]

    def __init__(self, programs: Sequence[Program], name: str, calls: Mapping[Primitive, str]) -> None:
        if not isinstance(name, str) or not self.allows(name) or name in self.reserved:
            raise ValueError(f"{shown(name)} cannot name the function in this language: take another, such as 'kernel'")
        self.programs, self.name = programs, name
        self.arity = {x.op: len(x.args) for program in programs for x in program.code if x.op is not None}
        self.calls = {op: calls.get(op, "") for op in self.arity if self.lacks(op)}
        for op, call in self.calls.items():
            if not call and op.scalar is None:
                raise CompileError(
                    f"source has no word for {op} of arrays in this language: it would take other operations"
                )
            if not call:
                raise CompileError(
                    f"{op.name} is not made of operations that source can write: name a function that computes it, "
                    f"with calls={{{op.name}: ...}}, or write {op.name} with ag functions of numbers"
                )
        self.expressions = {op: self.calls.get(op) or self.spelling(op) for op in self.arity}
        self.taken = {*self.reserved, name, *calls.values()}
        self.inputs = list(self.identifiers(instruction.label or "x" for instruction in programs[0].inputs))
        self.paths = [f"_path_{i}" for i in range(len(programs))] if len(programs) > 1 or programs[0].guards else []

    # ---- Names and comments

    def allows(self, name: str) -> bool:
        """Whether this may be a name, unless it is reserved; an underscore begins our own."""
        return name.isidentifier() and name[0] != "_" and unicodedata.normalize("NFKC", name) == name

    def identifiers(self, labels: Iterable[str]) -> Iterator[str]:
        """A name for each label, as like to it as can be."""
        again: Counter[str] = Counter()
        for label in labels:
            if not self.allows(label):
                label = re.sub(r"\W", "_", label, flags=re.ASCII).strip("_")
            if not self.allows(label):
                label = f"x_{label}" if label else "x"
            name = label
            while name in self.taken:
                again[label] += 1
                name = f"{label}_{again[label]}"
            self.taken.add(name)
            yield name

    def header(self) -> Iterator[str]:
        total = sum(map(len, self.programs))
        paths = f" on {len(self.paths)} paths" if len(self.paths) > 1 else ""
        operations = "one operation" if total == 1 else f"{total:,} operations"
        yield f"{self.mark} {self.name}: {operations}{paths}, recorded and written out by chainrule."
        yield f"{self.mark} {self.note.format(name=self.name)}"  # labels come below: Python reads a coding in line 2
        for title, instructions in (("Inputs", self.programs[0].inputs), ("Outputs", self.programs[0].outputs)):
            labels = [
                _harmless(x.label or str(place)).replace(*self.escapes) for place, x in enumerate(instructions[:20])
            ]
            more = f", ... ({len(instructions):,} in all)" if len(instructions) > 20 else ""
            yield f"{self.mark} {title}: {', '.join(labels) or 'none'}{more}"

    def constant(self, value: float) -> str:
        inf, nan = self.special
        if math.isfinite(value):
            return repr(float(value))
        return nan if value != value else inf if value > 0.0 else f"-{inf}"

    # ---- The walk

    def body(self, program: Program) -> tuple[list[str], list[str]]:
        """The statements of a program, and what its outputs are called in them."""
        lines: list[str] = []
        names = dict(zip(program.inputs, self.inputs, strict=True))
        guards: dict[Instruction, dict[bool, None]] = {}
        for guard in program.guards:
            guards.setdefault(guard.condition, {})[guard.outcome] = None
        last = _last_uses(program) if self.reuses else {}
        free: list[str] = []
        fresh = filterfalse(self.taken.__contains__, map("v{}".format, count()))
        for step, instruction in enumerate(program.code):
            op, args = instruction.op, instruction.args
            if op is None:
                names[instruction] = self.constant(instruction.value)
                continue
            nonzero = op is e.div and type(args[1].value) is float and args[1].value != 0.0  # Python does not raise
            expression = _applied("{0} / {1}" if nonzero else self.expressions[op], [*map(names.__getitem__, args)])
            if last:
                free += [names[arg] for arg in dict.fromkeys(args) if last.get(arg) == step]
            name = names[instruction] = free.pop() if free else next(fresh)
            kind = "int" if instruction.type == "bool" else "double"
            statement = self.statement.format(name=name, value=expression, kind=kind)
            remark = _remark(instruction.label, instruction.line, instruction.derived).replace(*self.escapes)
            lines.append(f"    {statement:<38}  {self.mark} {remark}" if remark else f"    {statement}")
            lines += [f"    {self.guards[not outcome].format(name)}" for outcome in guards.get(instruction, ())]
            if last.get(instruction) == step:
                free.append(name)
        return lines, [names[output] for output in program.outputs]

    # ---- A language's own

    @abstractmethod
    def text(self) -> Iterator[str]:
        """All lines."""

    def lacks(self, op: Primitive) -> bool:
        """Whether the language has no word for an operation."""
        return is_opaque(op)

    @abstractmethod
    def spelling(self, op: Primitive) -> str:
        """An operation in this language."""


class _Python(_Writer):
    note = "Of floats, as IEEE 754 has them: inf or nan where Python's math would raise."
    special = ("math.inf", "math.nan")
    reserved = frozenset({*keyword.kwlist, *dir(builtins), "math"})
    guards = ("if not {}: return None", "if {}: return None")

    def text(self) -> Iterator[str]:
        yield from self.header()
        yield "import math"
        for op in self.arity:
            if op.otherwise and op not in self.calls:
                args = [*"xy"[: self.arity[op]]]
                yield f"\n\ndef _{op.name}({', '.join(args)}):\n    try:\n        return {_applied(_python(op), args)}"
                yield f"    except (ArithmeticError, ValueError):\n        return {op.otherwise}"
        parameters = ", ".join(self.inputs)
        for name, program in zip(self.paths or [self.name], self.programs, strict=True):
            lines, results = self.body(program)
            yield from [f"\n\ndef {name}({parameters}):", *lines, f"    return {', '.join(results) or '()'}"]
        if self.paths:
            yield f"\n\ndef {self.name}({parameters}):"
            yield f"    for _path in {_tuple(self.paths)}:\n        _outputs = _path({parameters})"
            yield "        if _outputs is not None:\n            return _outputs"
            yield f"    raise ValueError({f'{self.name}: {self.failure}'!r})"

    def spelling(self, op: Primitive) -> str:
        if not op.otherwise:
            return _python(op)
        return f"{{0}} / {{1}} if {{1}} else _{op.name}({{0}}, {{1}})" if op is e.div else f"_{op.name}"


class _NumPy(_Writer):
    note = "Of floats, or arrays that broadcast. A name is used again when its array is no longer needed."
    special = ("np.inf", "np.nan")
    reserved = frozenset({*keyword.kwlist, *dir(builtins), "np"})
    guards = ("_holds = _holds & {}", "_holds = _holds & np.logical_not({})")
    reuses = True

    def text(self) -> Iterator[str]:
        yield from self.header()
        yield "import numpy as np"
        for op in self.arity:
            text = "" if op in self.calls else _numpy(op)
            module, dot, name = text.rpartition(".")
            if dot and not module.startswith("np") and "{" not in text:
                yield f"\ntry:\n    from {module} import {name} as _{op.name}\nexcept ImportError:\n    import math\n"
                yield f"    _{op.name} = np.vectorize({_python(op)}, otypes=[float])"
        parameters = ", ".join(self.inputs)
        for path, program in zip(self.paths, self.programs, strict=False):
            lines, results = self.body(program)
            yield from [f"\n\ndef {path}({parameters}):", "    _holds = np.True_", *lines]
            yield f"    return _holds, {_tuple(results)}"
        yield f'\n\n@np.errstate(all="ignore")\ndef {self.name}({parameters}):'
        for name, instruction in zip(self.inputs, self.programs[0].inputs, strict=True):
            yield f"    {name} = np.asarray({name}, {_dtype(instruction)})"
        if self.paths:
            yield f"    _done, _chosen = np.False_, None\n    for _path in {_tuple(self.paths)}:"
            yield f"        _holds, _outputs = _path({parameters})\n        if _chosen is not None:"
            yield "            _outputs = tuple(np.where(_done, _x, _y) for _x, _y in zip(_chosen, _outputs))"
            yield "        _done, _chosen = _done | _holds, _outputs\n        if np.all(_done):"
            yield f"            return _chosen{'[0]' if len(self.programs[0].outputs) == 1 else ''}"
            yield f"    raise ValueError({f'{self.name}: {self.failure}'!r})"
        else:
            lines, results = self.body(self.programs[0])
            for place, output in enumerate(self.programs[0].outputs):
                if output.dtype in ("f16", "f32"):
                    results[place] = f"np.asarray({results[place]}, {_dtype(output)})"
            yield from [*lines, f"    return {', '.join(results) or '()'}"]

    def spelling(self, op: Primitive) -> str:
        text = _numpy(op)
        return text if "{" in text or text.startswith("np.") else f"_{op.name}"

    def lacks(self, op: Primitive) -> bool:
        found = op.numpy is not None or (op.scalar is None and any(hasattr(x, op.name) for x in (np, np.linalg)))
        return is_opaque(op) and not found

    def constant(self, value: Any) -> str:
        return _literal(value) if isinstance(value, np.ndarray) else super().constant(value)


class _C(_Writer):
    mark = "//"
    note = "Compile: cc -O2 -ffp-contract=off -shared -fPIC {name}.c -o {name}.so -lm"
    special = ("INFINITY", "NAN")
    reserved = frozenset(_OF_C) | {op.c for op in e.ELEMENTWISE.values() if op.c}
    statement = "const {kind} {name} = {value};"
    guards = ("if (!{}) return 1;", "if ({}) return 1;")

    def allows(self, name: str) -> bool:
        macro = len(name) > 1 and name.isupper()
        return super().allows(name) and name.isascii() and not macro

    def text(self) -> Iterator[str]:
        yield from self.header()
        yield "#include <math.h>\n"
        for op, call in self.calls.items():
            yield f"double {call}({', '.join(['double'] * self.arity[op])});\n"
        for name, program in zip(self.paths or [self.name], self.programs, strict=True):
            yield f"{'static ' if self.paths else ''}int {name}(const double *in, double *out) {{"
            used = {*program.outputs, *(arg for instruction in program.code for arg in instruction.args)}
            reads = [i for i, instruction in enumerate(program.inputs) if instruction in used]
            yield from (f"    const double {self.inputs[i]} = in[{i}];" for i in reads)
            lines, results = self.body(program)
            yield from lines
            yield from (f"    out[{o}] = {result};" for o, result in enumerate(results))
            yield from ["    (void)in;"] * (not reads) + ["    (void)out;"] * (not results)
            yield "    return 0;\n}\n"
        if self.paths:
            tried = " && ".join(f"{path}(in, out)" for path in self.paths)
            yield f"int {self.name}(const double *in, double *out) {{\n    return {tried};  // 1: none holds\n}}\n"
        n, m = len(self.inputs), len(self.programs[0].outputs)
        yield f"int {self.name}_batch(long n, const double *const *in, const long *stride, double *const *out) {{"
        yield f"    double x[{max(n, 1)}] = {{0}}, y[{max(m, 1)}];\n    for (long k = 0; k < n; k++) {{"
        yield f"        for (int i = 0; i < {n}; i++) x[i] = in[i][k * stride[i]];"
        yield f"        if ({self.name}(x, y)) return 1;\n        for (int o = 0; o < {m}; o++) out[o][k] = y[o];"
        yield "    }\n    return 0;\n}"

    def spelling(self, op: Primitive) -> str:
        return op.c or _infix(op)  # type: ignore[return-value]  # or else it is opaque


class _JavaScript(_Writer):
    mark = "//"
    note = "Of numbers; {name}_batch(n, inputs, strides, outputs, steps) of arrays. For a page, a worker or Node.js."
    special = ("Infinity", "NaN")
    reserved = frozenset(_OF_JAVASCRIPT)
    escapes = ("<", "_")  # in a page, "</script" and "<!--" count within a comment too
    statement = "const {name} = {value};"
    guards = ("if (!{}) return null;", "if ({}) return null;")

    def __init__(self, programs: Sequence[Program], name: str, calls: Mapping[Primitive, str]) -> None:
        super().__init__(programs, name, calls)
        if len(self.inputs) > MAX_PARAMETERS:
            raise CompileError(
                f"source writes JavaScript for up to {MAX_PARAMETERS:,} inputs, more than which V8 refuses, and here are "
                f"{len(self.inputs):,}: write parts of the program, or take 'c'"
            )
        self.paths = [f"_{name}{path}" for path in self.paths]  # all texts of a page share their names

    def allows(self, name: str) -> bool:
        return super().allows(name) and max(name) < "\u0530"  # letters that every engine knows

    def text(self) -> Iterator[str]:
        yield from self.header()
        helpers = [text for expression in self.expressions.values() for text in HELPERS.get(expression, ())]
        yield from dict.fromkeys(helpers)
        parameters = ", ".join(self.inputs)
        for name, program in zip(self.paths or [self.name], self.programs, strict=True):
            lines, results = self.body(program)
            yield from [
                f"function {name}({parameters}) {{",
                '    "use strict";',
                *lines,
                f"    return {_array(results)};\n}}",
            ]
        if self.paths:
            tried = " ?? ".join(f"{path}({parameters})" for path in self.paths)
            yield f"function {self.name}({parameters}) {{\n    const found = {tried};"
            yield f"    if (found === null) throw new Error({f'{self.name}: {self.failure}'!r});\n    return found;\n}}"
        yield from self.batch()

    def batch(self) -> Iterator[str]:
        """The loop: the same statements once more, for a call would make an object of each number."""
        yield f'function {self.name}_batch(n, inputs, strides, outputs, steps) {{\n    "use strict";'
        yield from (f"    const _x{i} = inputs[{i}], _s{i} = strides[{i}];" for i in range(len(self.inputs)))
        many = len(self.programs[0].outputs)
        yield from (f"    const _y{o} = outputs[{o}], _t{o} = steps[{o}];" for o in range(many))
        yield "    for (let _k = 0; _k < n; _k++) {"
        yield from (f"        const {name} = _x{i}[_k * _s{i}];" for i, name in enumerate(self.inputs))
        if self.paths:
            call = f"{self.name}({', '.join(self.inputs)})"
            yield f"        const _found = {call if many != 1 else f'[{call}]'};"
            results = [f"_found[{o}]" for o in range(many)]
        else:
            lines, results = self.body(self.programs[0])
            yield from (f"    {line.partition(self.mark)[0].rstrip()}" for line in lines)
        yield from (f"        _y{o}[_k * _t{o}] = {result};" for o, result in enumerate(results))
        yield "    }\n}"

    def lacks(self, op: Primitive) -> bool:
        return _javascript(op) is None

    def spelling(self, op: Primitive) -> str:
        return _javascript(op) or ""


_WRITERS: dict[str, type[_Writer]] = {"python": _Python, "numpy": _NumPy, "c": _C, "javascript": _JavaScript}


def _array(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


def _applied(expression: str, args: Sequence[str]) -> str:
    return expression.format(*args, args=", ".join(args)) if "{" in expression else f"{expression}({', '.join(args)})"


def _dtype(instruction: Instruction) -> str:
    return "float" if instruction.dtype == "f64" else f"np.float{instruction.dtype[1:]}"


def _last_uses(program: Program) -> dict[Instruction, int]:
    """Of each operation that is no result, the place in the code after which it is not needed."""
    last: dict[Instruction, int] = {}
    for step, instruction in enumerate(program.code):
        if instruction.op is not None:
            last[instruction] = step
            last.update(dict.fromkeys([arg for arg in instruction.args if arg.op is not None], step))
    for output in program.outputs:
        last.pop(output, None)
    return last


@lru_cache
def _remark(label: str | None, line: Line | None, derived: bool) -> str:
    """For the end of a line: the label, and which line of the user's code asked for it."""
    parts = [_harmless(label)] if label else []
    if line:
        parts.append(f"{'derivative of ' if derived else ''}{_harmless(short_line(line))}")
    return ", ".join(parts)


def _harmless(text: str) -> str:
    """What may stand in a comment of any language: nothing that ends it, goes on after it, or cannot be seen."""
    text = re.sub(r"[*\\?]", "_", text)
    return text if text.isprintable() else "".join([char if char.isprintable() else "_" for char in text])


def _tuple(names: list[str]) -> str:
    return f"({', '.join(names)}{',' * (len(names) == 1)})"
