"""Formulas: operations in the notation of Python and of LaTeX, from their records."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Sequence
from functools import reduce
from operator import mul
from typing import Any, ClassVar

from autograd.arguments import assignments
from autograd.graph import Node, Primitive, Slope

# How tightly an expression holds together: what is looser than its place needs parentheses.
ANYTHING, COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(7)
BINDING = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "@": PRODUCT, "**": POWER}

# Compiled when first used, for they would be a twentieth of the time that an import takes.
_PLACE = r"\{(\d)\}"
_CLOSED = r"(\{|\||\(|floor|ceil)\s*$", r"\s*(\}|\\r)"


class Formula(Node):
    """An expression in Python, which operations make longer: rules that are run on some are printed.

    >>> from autograd.elementwise import tanh
    >>> x = Formula("x")
    >>> print(3.0 * tanh(x) + 1.0, (x + 1.0) * x, -(x - x))
    3 * tanh(x) + 1 (x + 1) * x -(x - x)
    """

    __slots__ = ("binding", "text")
    parentheses: ClassVar[str] = "({})"
    negated: ClassVar[int] = SIGN  # what may stand after a minus

    def __init__(self, text: str, binding: int = ATOM) -> None:
        self.text = text
        self.binding = binding

    @classmethod
    def of(cls, x: Any) -> Formula:
        """`x`, a formula or a number, as a formula."""
        return x if isinstance(x, Formula) else cls.number(float(x))

    @classmethod
    def number(cls, x: float) -> Formula:
        """A number, as short as it can be told from others."""
        text = f"{x:.6g}"
        return cls(text, SIGN if text[0] == "-" else ATOM)

    @classmethod
    def applied(cls, op: Primitive, args: Sequence[Any]) -> Formula:
        """`op` of `args`, by its record."""
        formulas = [cls.of(arg) for arg in args]
        if op.infix is None:
            return cls(f"{op.name}({', '.join(x.text for x in formulas)})")
        return cls.filled(op.infix, formulas) if "{" in op.infix else cls.joined(op.infix, *formulas)

    @classmethod
    def joined(cls, sign: str, x: Any, y: Any) -> Formula:
        """Two operands with the sign of an operator between them."""
        binding = BINDING.get(sign, COMPARISON)
        left, right = cls.of(x), cls.of(y)
        power = sign == "**"
        return cls(f"{left.within(binding + power)} {sign} {right.within(SIGN if power else binding + 1)}", binding)

    @classmethod
    def filled(cls, template: str, args: Sequence[Formula]) -> Formula:
        """A template with formulas for {0} and {1}, in parentheses where its text around them does not hold them."""

        def fill(place: re.Match[str]) -> str:
            before, after = template[: place.start()], template[place.end() :]
            if after.startswith(("^", "**", "²", "ᵀ")):
                least = ATOM
            elif "begin" in template or (re.search(_CLOSED[0], before) and re.match(_CLOSED[1], after)):
                least = ANYTHING
            else:
                least = cls.negated if before.endswith("-") else PRODUCT
            return args[int(place[1])].within(least).replace("{", "{{").replace("}", "}}")

        text = re.sub(_PLACE, fill, template).format()
        return cls(text, _binding(template))

    def within(self, least: int) -> str:
        """The text, for a place that takes what is at least so tight."""
        return self.text if self.binding >= least else self.parentheses.format(self.text)

    @classmethod
    def _record(cls, op: Primitive, args: tuple[Any, ...]) -> Formula:
        return cls.applied(op, args)

    def _unary(self, op: Primitive) -> Formula:
        return self.applied(op, [self])

    # fmt: off
    def __str__(self) -> str: return self.text
    def __add__(self, other: Any) -> Formula: return self.joined("+", self, other)
    def __radd__(self, other: Any) -> Formula: return self.joined("+", other, self)
    def __sub__(self, other: Any) -> Formula: return self.joined("-", self, other)
    def __rsub__(self, other: Any) -> Formula: return self.joined("-", other, self)
    def __mul__(self, other: Any) -> Formula: return self.joined("*", self, other)
    def __rmul__(self, other: Any) -> Formula: return self.joined("*", other, self)
    def __truediv__(self, other: Any) -> Formula: return self.joined("/", self, other)
    def __rtruediv__(self, other: Any) -> Formula: return self.joined("/", other, self)
    def __pow__(self, other: Any) -> Formula: return self.joined("**", self, other)
    def __rpow__(self, other: Any) -> Formula: return self.joined("**", other, self)
    def __neg__(self) -> Formula: return self.filled("-{0}", [self])
    def __abs__(self) -> Formula: return type(self)(f"abs({self.text})")
    def __gt__(self, other: Any) -> Formula: return self.joined(">", self, other)
    def __ge__(self, other: Any) -> Formula: return self.joined(">=", self, other)
    def __lt__(self, other: Any) -> Formula: return self.joined("<", self, other)
    def __le__(self, other: Any) -> Formula: return self.joined("<=", self, other)
    def __eq__(self, other: object) -> Formula: return self.joined("==", self, other)  # type: ignore[override]
    def __ne__(self, other: object) -> Formula: return self.joined("!=", self, other)  # type: ignore[override]
    # fmt: on
    __hash__ = Node.__hash__


def _binding(template: str) -> int:
    """How tightly a template holds together: by the weakest sign that is not within its parentheses."""
    bare = template.replace("{{", "{").replace("}}", "}")
    if "begin" in bare:
        return ANYTHING
    while bare != (bare := re.sub(r"\{[^{}]*\}|\\left.((?!\\left).)*?\\right.|\([^()]*\)", "", bare)):
        pass
    if bare.startswith("-"):
        return SIGN
    if " + " in bare or " - " in bare:
        return SUM
    return PRODUCT if "mod" in bare or "frac" in bare else POWER if "^" in bare or "**" in bare else ATOM


class TextFormula(Formula):
    """An expression in plain text, as one writes it on paper: powers are raised, masks are in brackets.

    >>> from autograd.elementwise import relu
    >>> z, x = TextFormula("z"), TextFormula("x")
    >>> print(1.0 - z * z, "|", 3.0 * x**2.0, "|", z * (x > 0.0))
    1 - z² | 3 * x² | z * [x > 0]
    """

    __slots__ = ()

    @classmethod
    def applied(cls, op: Primitive, args: Sequence[Any]) -> Formula:
        formulas = [cls.of(arg) for arg in args]
        if op.plain:
            return cls.filled(op.plain, formulas)
        if op.infix:
            return super().applied(op, formulas)
        return cls(f"{op.name}({', '.join([*(x.text for x in formulas), *assignments(op.settings)])})")

    @classmethod
    def joined(cls, sign: str, x: Any, y: Any) -> Formula:
        left, right = cls.of(x), cls.of(y)
        if sign == "*" and (unit := {"1", "-1"}.intersection((left.text, right.text))):
            other = right if left.text in unit else left
            return other if "1" in unit else -other
        if sign == "+" and "0" in (left.text, right.text):
            return right if left.text == "0" else left
        if sign == "*" and left.text == right.text:
            return cls(f"{left.within(ATOM)}²", POWER)
        if sign == "**" and right.text.isdecimal():
            return left if right.text == "1" else cls(f"{left.within(ATOM)}{right.text.translate(_RAISED)}", POWER)
        if sign == "@":
            return cls(f"{left.within(PRODUCT)} {right.within(POWER)}", PRODUCT)
        return super().joined(sign, left, right)

    def within(self, least: int) -> str:
        return f"[{self.text}]" if self.binding == COMPARISON < least else super().within(least)


_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

# ---- LaTeX

_SIGNS = {"==": "=", "!=": r"\ne", ">=": r"\ge", "<=": r"\le", "//": r"\mathbin{//}"}
_GREEK = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi
omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega""".split()  # noqa: SIM905  # an alphabet


class LatexFormula(Formula):
    """An expression in LaTeX.

    >>> from autograd.elementwise import tanh
    >>> x = LatexFormula.letter("x_1")
    >>> print(tanh(x * 3.0) / (x + 1.0))
    \\frac{\\tanh\\left(3 x_{1}\\right)}{x_{1} + 1}
    """

    __slots__ = ()
    parentheses: ClassVar[str] = r"\left({}\right)"
    negated: ClassVar[int] = PRODUCT

    @classmethod
    def number(cls, x: float) -> Formula:
        """A number, exactly."""
        if not math.isfinite(x):
            return cls(r"\mathrm{nan}") if x != x else cls(r"\infty") if x > 0.0 else cls(r"-\infty", SIGN)
        digits, _, exponent = repr(float(x)).removesuffix(".0").partition("e")
        if exponent:
            power = f"10^{{{int(exponent)}}}"
            return cls(power, POWER) if digits == "1" else cls(rf"{digits} \cdot {power}", PRODUCT)
        return cls(digits, SIGN if digits[0] == "-" else ATOM)

    @classmethod
    def letter(cls, label: str) -> LatexFormula:
        """A label: one letter, Greek ones by their names, or a word; with a subscript if there are digits at its end."""
        stem, digits = re.fullmatch(r"(.*?)(?:_?(\d+))?", label, re.DOTALL).groups()  # type: ignore[union-attr]  # it fits all
        if not stem:
            stem, digits = label, ""
        if stem in _GREEK:
            stem = f"\\{stem}"
        elif not (len(stem) == 1 and stem.isalpha()):
            stem = _word(stem)
        return cls(f"{stem}_{{{digits}}}" if digits else stem)

    @classmethod
    def applied(cls, op: Primitive, args: Sequence[Any]) -> Formula:
        formulas = [cls.of(arg) for arg in args]
        if op.latex and "{" in op.latex and op.variadic is None:
            return cls.filled(op.latex, formulas)
        if op.infix:
            return super().applied(op, formulas)
        if op.variadic and op.body and not op.latex:
            return cls.of(op.body(*formulas))
        given = ", ".join([*(x.text for x in formulas), *map(_word, assignments(op.settings))])
        if op.latex and "{" in op.latex:
            return cls.filled(op.latex, [cls(given)])
        return cls(rf"{op.latex or _word(op.name, 'operatorname')}\left({given}\right)")

    @classmethod
    def joined(cls, sign: str, x: Any, y: Any) -> Formula:
        left, right = cls.of(x), cls.of(y)
        binding = BINDING.get(sign, COMPARISON)
        if sign == "/":
            return cls(rf"\frac{{{left.text}}}{{{right.text}}}", PRODUCT)
        if sign == "**":
            return cls(rf"{left.within(ATOM)}^{{{right.text}}}", POWER)
        if (neutral := {"*": "1", "+": "0"}.get(sign)) in (left.text, right.text):
            return right if left.text == neutral else left
        if sign == "*" and right.text == "-1":
            return -left
        if sign == "*" and left.text == right.text:
            return cls(rf"{left.within(ATOM)}^{{2}}", POWER)
        if sign == "*" and _is_number(right) and not _is_number(left):
            left, right = right, left
        first, second = left.within(binding), right.within(binding if sign in "+*" else binding + 1)
        if sign == "+" and second[0] == "-":
            return cls(f"{first} - {second[1:]}", binding)
        if second[0] == "-":
            second = cls.parentheses.format(second)
        if sign in "*@":
            return cls(rf"{first} \cdot {second}" if second[0].isdigit() else f"{first} {second}", binding)
        return cls(f"{first} {_SIGNS.get(sign, sign)} {second}", binding)

    def __abs__(self) -> Formula:
        return self.filled(r"\left|{0}\right|", [self])


def _is_number(x: Formula) -> bool:
    return re.fullmatch(r"-?[\d.]*( \\cdot )?(10\^\{-?\d+\})?", x.text) is not None


def _word(text: str, style: str = "mathrm") -> str:
    return rf"\{style}{{{''.join(map(_harmless, text))}}}"


def _harmless(char: str) -> str:
    if char in "_&%#${}":
        return f"\\{char}"
    if char in "\\^~":
        return r"\_"
    return r"\ " if char.isspace() or not char.isprintable() else char


# ---- What a record says of itself


def parameters(op: Primitive) -> list[str]:
    """The names of an elementwise operation's inputs, as its slopes have them."""
    for slope in op.rules:
        if isinstance(slope, Slope) and slope.constant is None:
            return [*inspect.signature(slope.function).parameters][1:]
    return [*"xyuv"[: len(op.rules)]]


def slopes(op: Primitive) -> list[str]:
    """The slopes of an elementwise operation as text, in terms of its inputs and its output z.

    >>> from autograd.elementwise import div, relu, tanh
    >>> slopes(tanh), slopes(div), slopes(relu)
    (['1 - z * z'], ['1 / y', '-z / y'], ['[x > 0]'])
    """
    found = [slope_formula(rule, [Formula("z"), *map(Formula, parameters(op))]) for rule in op.rules]
    return [f"[{x}]" if x.binding == COMPARISON else str(x) for x in found]


def slope_formula(slope: Any, names: Sequence[Any], kind: type[Formula] = Formula) -> Formula:
    """A slope in terms of the output and the inputs, whose `names` are formulas of that `kind`, or numbers."""
    if slope is None:
        return kind.of(0.0)
    found: Any = slope.constant if slope.constant is not None else slope.function(*names)
    if slope.kind == "divisor":
        found = 1.0 / kind.of(found)
    elif slope.kind == "fraction":
        found = kind.of(reduce(mul, found[:-1])) / found[-1]
    elif slope.kind == "factors":
        found = reduce(mul, found)
    return kind.of(found)


def described(op: Primitive) -> tuple[str, inspect.Signature]:
    """What `help` shows of an elementwise operation, and its signature."""
    names = parameters(op)
    formula = Formula.applied(op, list(map(Formula, names)))
    words = op.doc or f"`{op.name}`"
    lines = [f"{op.name}({', '.join(names)})", "", f"{words[0].upper()}{words[1:]}, element by element.", ""]
    lines.append(f"    z = {formula}")
    lines += [f"    dz/d{name} = {slope}" for name, slope in zip(names, slopes(op), strict=True)]
    lines += ["", "Of floats, arrays, Values and Tensors, which broadcast."]
    if op.hint != inspect.signature(Primitive).parameters["hint"].default:
        lines.append(f"Where a result is not finite: {op.hint}.")
    kind = inspect.Parameter.POSITIONAL_ONLY
    return "\n".join(lines), inspect.Signature([inspect.Parameter(name, kind) for name in names])
