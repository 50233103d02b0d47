"""Programs as formulas, in LaTeX."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from autograd import elementwise as e
from autograd.compiler.lowering import MASKS, PLAIN
from autograd.compiler.program import Instruction, Program, number
from autograd.formulas import Formula, LatexFormula

SMALL = 24  # operations of which one formula is made
WIDE = 80  # characters after which a step gets a name


def latex(programs: Sequence[Program]) -> str:
    """Formulas of the outputs of a program, in terms of its inputs' labels: one for a small program with one output, else aligned
    equations, one for each step that is used more than once, or long, or has a label. Of several paths of one function each
    begins with its conditions.

    >>> from autograd import elementwise as e
    >>> x, y = Instruction(None, label="x"), Instruction(None, label="sigma")
    >>> product = Instruction(e.mul, (x, y), label="area")
    >>> print(latex([Program([x, y], [product], [product])]))
    \\mathrm{area} = x \\sigma
    """
    return "\n".join(_Equations(program).text() for program in programs)


class _Equations:
    """The equations of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.names: dict[Instruction, Formula] = {}
        self.lines: list[str] = []
        self.taken: Counter[str] = Counter()
        self.count = 0
        for place, instruction in enumerate(program.inputs):
            self.names[instruction] = self.name(instruction.label or f"x{place}")

    def name(self, label: str) -> Formula:
        """A letter for a label, numbered where there is one already."""
        made = LatexFormula.letter(" ".join(label.split()))
        self.taken[made.text] += 1
        again = self.taken[made.text]
        return made if again == 1 else LatexFormula(f"{{{made.text}}}^{{({again})}}")

    def text(self) -> str:
        program, outputs = self.program, [*dict.fromkeys(self.program.outputs)]
        uses = Counter(arg for x in program.code for arg in x.args)
        size: dict[Instruction, int] = {}
        for x in program.code:
            size[x] = 0 if x.op is None else 1 + sum(size.get(arg, 0) for arg in x.args)
        small = len(outputs) == 1 and size.get(outputs[0], 0) <= SMALL and not program.guards
        for x in program.code:
            if x.op is None or x.op in MASKS:
                self.names[x] = self.constant(x) if x.op is None else LatexFormula.number(1.0)
                continue
            op = e.square if PLAIN.get(x.op, x.op) is e.mul and x.args[0] is x.args[1] else PLAIN.get(x.op, x.op)
            formula = LatexFormula.applied(op, [self.names[arg] for arg in x.args])
            is_new = all(formula is not self.names[arg] for arg in x.args) or x in outputs
            if not small and is_new and (uses[x] > 1 or x.label or x in outputs or len(formula.text) > WIDE):
                formula = self.equation(x.label, formula)
            self.names[x] = formula
        if small:
            text = self.names[outputs[0]].text
            return f"{self.name(outputs[0].label).text} = {text}" if outputs[0].label and size.get(outputs[0]) else text
        for x in outputs:
            if x.op is None:
                self.equation(None, self.names[x])
        guards = [
            ("{}" if guard.outcome else r"\neg \left({}\right)").format(self.names[guard.condition].text)
            for guard in program.guards
        ]
        body = " \\\\\n".join(self.lines)
        conditions = r" \wedge ".join(guards)
        where = rf"\text{{if }} {conditions}: \quad " if guards else ""
        return f"{where}\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def equation(self, label: str | None, formula: Formula) -> Formula:
        """An equation for a step, and the name that it gets."""
        self.count += not label
        name = self.name(label or f"v{self.count}")
        self.lines.append(f"  {name.text} &= {formula.text}")
        return name

    def constant(self, instruction: Instruction) -> Formula:
        if instruction.shape:
            return LatexFormula.letter(number(instruction.value))
        return LatexFormula.number(float(instruction.value))
