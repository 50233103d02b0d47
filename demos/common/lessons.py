"""All demos one after the other, and the page that shows them: text, code, what was printed, and pictures."""

from __future__ import annotations

import ast
import base64
import io
import keyword
import os
import re
import subprocess
import sys
import time
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from autograd.drawing.html import html_page
from demos.common.options import Options

# From one slope to networks that read digits; a demo that is not named comes after these.
READING = """slope expression backprop line perceptron minibatch optimizers initialisation moons inspect playground
three_or_seven digits overfitting search mnist greeks orbit""".split()  # noqa: SIM905  # a table to be read
EMBEDDED = {".png": "image/png", ".gif": "image/gif", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Lesson:
    """A demo that was run: its file, what it printed and wrote, and, if it failed, what it said of that."""

    name: str
    source: str
    printed: str
    error: str = ""
    files: tuple[Path, ...] = ()

    @property
    def text(self) -> str:
        return ast.get_docstring(ast.parse(self.source)) or ""

    @property
    def code(self) -> str:
        """The source without its docstring, which is the text."""
        first = ast.parse(self.source).body[:1]
        is_text = first and isinstance(first[0], ast.Expr) and isinstance(first[0].value, ast.Constant)
        return "\n".join(self.source.splitlines()[first[0].end_lineno if is_text else 0 :]).strip()

    @property
    def finding(self) -> str:
        found = re.search(r"^Finding: (.+)$", self.printed, re.MULTILINE)
        return found[1] if found else ""


def in_reading_order(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: READING.index(name) if name in READING else len(READING))


def run_all(names: Iterable[str], options: Options, page: Path | None) -> int:
    """Run the demos, print a line about each, write the page if one is asked for; 1 if a demo failed, else 0."""
    lessons = []
    for name in in_reading_order(names):
        began = time.perf_counter()
        lesson = run_one(name, options)
        lessons.append(lesson)
        end = lesson.error.strip().rpartition("\n")[2]
        print(
            f"{name} ({time.perf_counter() - began:.0f} s): {f'FAILED: {end}' if end else lesson.finding}", flush=True
        )
    if page is not None:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(lessons_page(lessons, page.parent), encoding="utf-8")
        print(f"Page: {page}")
    return int(any(lesson.error for lesson in lessons))


def run_one(name: str, options: Options) -> Lesson:
    """Run a demo in a process of its own, so that none hinders another."""
    command = [sys.executable, "-m", "demos", name, f"--seed={options.seed}", f"--out={options.out}"]
    done = subprocess.run(
        command + ["--quick"] * options.quick, capture_output=True, encoding="utf-8", errors="replace",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    files = [Path(path) for path in re.findall(r"^(?:Picture|Page): (.+)$", done.stdout, re.MULTILINE)]
    source = Path(__file__).parents[1].joinpath(f"{name}.py").read_text(encoding="utf-8")
    error = (done.stderr or f"it ended with status {done.returncode}") if done.returncode else ""
    return Lesson(name, source, done.stdout, error, tuple(path for path in files if path.exists()))


# ---- The page


def lessons_page(lessons: list[Lesson], folder: Path) -> str:
    """The text of the page, which is to lie in `folder`: pictures are in it, other pages that demos wrote are linked."""
    links = "".join(f'<li><a href="#{escape(one.name)}">{escape(one.name)}</a></li>' for one in lessons)
    body = [
        "<main><h1>Lessons</h1>",
        "<p>Every demo, from a slope to networks that read digits: what it shows, its code, what it printed, and its "
        "pictures. <code>python -m demos NAME</code> runs one.</p>",
        f'<nav aria-label="Lessons"><ol>{links}</ol></nav>',
        *(section(lesson, folder) for lesson in lessons),
        "</main>",
    ]
    return html_page("Lessons", "\n".join(body), STYLE, "", None, images=True)


def section(lesson: Lesson, folder: Path) -> str:
    name = escape(lesson.name)
    first, _, rest = lesson.text.partition("\n\n")
    printed = re.sub(r"^(?:Picture|Page): .+\n?", "", lesson.printed, flags=re.MULTILINE).strip("\n")
    code = lesson.code
    parts = [
        f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{name}</h2>',
        f'<p class="first">{inline(first)}</p>{"".join(paragraphs(rest))}',
        f"<details><summary>Code: {len(code.splitlines())} lines of demos/{name}.py</summary>"
        f'<pre tabindex="0"><code>{coloured(code)}</code></pre></details>',
    ]
    if printed:
        parts.append(f'<h3>What it prints</h3><pre tabindex="0">{escape(printed)}</pre>')
    if lesson.error:
        parts.append(f'<h3>It failed</h3><pre tabindex="0" class="error">{escape(lesson.error.strip())}</pre>')
    parts += [shown(path, captions(lesson.text), folder) for path in chosen(lesson.files)]
    return "".join(parts) + "</section>"


def paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a docstring as HTML; lines that begin with a dash or a number are a list."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        plain, *items = re.split(r"(?:^|\n)(?:- |\d+\. )", paragraph)
        if plain:
            yield f"<p>{inline(plain)}</p>"
        if items:
            tag = "ul" if re.search(r"^- ", paragraph, re.MULTILINE) else "ol"
            yield f"<{tag}>{''.join(f'<li>{inline(item)}</li>' for item in items)}</{tag}>"


def inline(text: str) -> str:
    """A text of one line, with what stands between backquotes as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(" ".join(text.split())))


def coloured(code: str) -> str:
    """Python as HTML, with keywords, strings and comments marked."""
    lines, out, at = code.splitlines(keepends=True), [], (1, 0)

    def between(start: tuple[int, int], end: tuple[int, int]) -> str:
        rows = lines[start[0] - 1 : end[0]]
        if not rows:
            return ""
        rows[-1] = rows[-1][: end[1]] if end[0] <= len(lines) else rows[-1]
        rows[0] = rows[0][start[1] :]
        return escape("".join(rows))

    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        kind = {tokenize.COMMENT: "comment", tokenize.STRING: "string"}.get(token.type)
        if token.type == tokenize.NAME and keyword.iskeyword(token.string):
            kind = "keyword"
        if kind:
            out += [between(at, token.start), f'<span class="{kind}">{between(token.start, token.end)}</span>']
            at = token.end
    return "".join(out) + between(at, (len(lines) + 1, 0))


def captions(text: str) -> dict[str, str]:
    """What a docstring says of each file: "Writes a.png: the loss; b.svg and b.png: the weights.\""""
    found = re.findall(r"([\w-]+\.\w+)(?:\s+and\s+[\w-]*\.\w+)?:\s([^;.]+)", text)
    return {name: " ".join(said.split()) for name, said in found}


def chosen(files: Iterable[Path]) -> list[Path]:
    """Of a picture in several formats the one that can be enlarged."""
    drawn = {path.stem for path in files if path.suffix == ".svg"}
    return [path for path in files if path.suffix != ".png" or path.stem not in drawn]


def shown(path: Path, said: dict[str, str], folder: Path) -> str:
    caption = said.get(path.name, "")
    words = escape(f"{path.name}: {caption}" if caption else path.name)
    if path.suffix not in EMBEDDED:
        address = quote(Path(os.path.relpath(path, folder)).as_posix())
        return f'<p><a href="{escape(address)}">{words}</a></p>'
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    film = ' class="film"' if path.suffix == ".gif" else ""
    alt = escape(caption or f"The picture {path.name}")
    return (
        f'<figure{film}><img src="data:{EMBEDDED[path.suffix]};base64,{data}" alt="{alt}">'
        f"<figcaption>{words}</figcaption></figure>"
    )


STYLE = """
main { max-width: 62rem; margin: 0 auto; padding: 1rem; }
h1 { margin: 0.5rem 0; }
h2 { margin: 0 0 0.25rem; font-size: 1.5rem; }
h3 { margin: 1.25rem 0 0.25rem; font-size: 1rem; }
nav ol { display: flex; flex-wrap: wrap; gap: 0.25rem 2rem; padding-left: 1.5rem; }
section { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: 1.5rem; overflow-wrap: break-word; }
p, li { max-width: 46rem; }
.first { font-weight: bold; margin-top: 0; }
pre {
  background: var(--panel); border: 1px solid var(--faint); border-radius: 6px; padding: 0.75rem; margin: 0.25rem 0;
  overflow-x: auto; font-size: 0.85rem; line-height: 1.4; tab-size: 4;
}
pre.error { border-color: var(--bad); color: var(--bad); }
pre code { font-size: inherit; }
summary { cursor: pointer; color: var(--accent); padding: 0.25rem 0; }
.keyword { color: var(--accent); }
.string { color: var(--good); }
.comment { color: var(--muted); }
figure { margin: 1rem 0; }
figure img { display: block; max-width: 100%; height: auto; max-height: 90vh; background: white; border-radius: 6px; }
figcaption { color: var(--muted); font-size: 0.9rem; margin-top: 0.25rem; }
@media (prefers-reduced-motion: reduce) { .film { display: none; } }
"""
