"""`python -m demos` lists the demos, `python -m demos NAME` runs one, `python -m demos all` runs them all."""

from __future__ import annotations

import argparse
import ast
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from demos.common.options import Options

OURS = ("autograd", "nn", "demos")
INSTALLED_AS = {"sklearn": "scikit-learn"}
ALL = "all"  # in place of a name
ALL_TEXT = """Every demo, each in a process of its own.

With --page, one page of HTML with all lessons: text, code, what was printed, and pictures. It needs no network."""


def lessons() -> dict[str, str]:
    """The docstring of every demo, by name: of each file in this folder.

    The files are read, not imported, so that a list needs nothing installed, and a new demo is just a new file.
    """
    files = sorted(path for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("__"))
    return {path.stem: ast.get_docstring(_parsed(path.stem)) or "" for path in files}


def own_options(name: str) -> dict[str, str]:
    """The options that the demo `name` has beside those of all, with their help: its OPTIONS, read and not imported."""
    for line in _parsed(name).body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "OPTIONS":
            return dict(ast.literal_eval(line.value))
    return {}


def main(arguments: Sequence[str] | None = None) -> int:
    """List the demos or run one, and return the exit status."""
    found = lessons()
    parser = _parser()
    given, rest = parser.parse_known_args(arguments)
    if given.name is None:
        if rest:
            parser.error(f"{' '.join(rest)} is no option of all demos: give the NAME of the one that has it")
        if given.help:
            print(parser.format_help())
        _list(found)
        return 0
    if given.page and given.name != ALL:
        return _complain(f"--page is of `python -m demos {ALL}` alone, got it with {given.name!r}", 2)
    if given.name not in (*found, ALL):
        near = get_close_matches(given.name, found, 1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        return _complain(f"there is no demo {given.name!r}{meant}; there are: {', '.join(found)}", 2)
    own = {} if given.name == ALL else own_options(given.name)
    known = {f"--{option}": option for option in ("seed", "out", "quick", *own)}
    wrong = [word for word in rest if word not in known]
    if wrong:
        return _complain(f"{given.name} does not take {' '.join(wrong)}; its options: {', '.join(known)}", 2)
    if given.help:
        _describe(parser, given.name, found.get(given.name, ALL_TEXT), own)
        return 0
    try:
        given.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return _complain(f"cannot use {str(given.out)!r} for the pictures ({error.strerror}): give another --out", 2)
    options = Options(given.seed, given.out, given.quick, frozenset(known[word] for word in rest))
    try:
        if given.name == ALL:
            return int(import_module("demos.common.lessons").run_all(found, options, given.page))
        import_module(f"demos.{given.name}").run(options)
    except ImportError as error:
        package = _missing(error)
        if package is None:
            raise
        return _complain(f"{given.name} needs {package}, which is not installed: pip install {package}", 1)
    except KeyboardInterrupt:
        return _complain("stopped", 130)
    return 0


def _parsed(name: str) -> ast.Module:
    return ast.parse(Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m demos", description="Run a demo, or list them all.", add_help=False, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("name", nargs="?", metavar="NAME", help="the demo to run")
    parser.add_argument("-h", "--help", action="store_true", help="say what NAME shows, and stop")
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="for all that is random (default: 0)")
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="folder for pictures (default: out)"
    )
    parser.add_argument("--quick", action="store_true", help="do as little work as shows that it runs")
    parser.add_argument("--page", type=Path, metavar="FILE", help=f"with `{ALL}`: write all lessons to one page")
    return parser


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0, got {text!r}")
    return int(text)


def _list(found: dict[str, str]) -> None:
    width = max(map(len, found))
    print("Demos: run one with `python -m demos NAME`, read about it with `python -m demos NAME --help`;")
    print(f"{ALL} of them, and a page with every lesson: `python -m demos {ALL} --page out/lessons.html`.\n")
    for name, text in found.items():
        print(f"  {name:<{width}}  {text.partition(chr(10))[0]}")


def _describe(parser: argparse.ArgumentParser, name: str, text: str, own: dict[str, str]) -> None:
    for option, meaning in own.items():
        parser.add_argument(f"--{option}", action="store_true", help=meaning)
    page = " [--page FILE]" if name == ALL else ""
    parser.usage = f"python -m demos {name} [--seed N] [--out DIR] [--quick]{page}{''.join(f' [--{o}]' for o in own)}"
    parser.description = text
    print(parser.format_help())


def _missing(error: BaseException | None) -> str | None:
    """The package whose absence caused `error`, if that was the cause."""
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and error.name:
            package = error.name.partition(".")[0]
            return None if package in OURS else INSTALLED_AS.get(package, package)
        error = error.__cause__
    return None


def _complain(message: str, status: int) -> int:
    print(f"python -m demos: {message}", file=sys.stderr)
    return status


def _run() -> int:
    """`main`, which ends in silence where the output is not read to its end, as by `head`."""
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # so that Python's last flush does not complain too
        return 1
    return status


if __name__ == "__main__":
    sys.exit(_run())
