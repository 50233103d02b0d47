"""`python -m demos.pictures neuron` draws one of README's pictures anew, without a name all of them."""

from __future__ import annotations

import sys
from pathlib import Path

import autograd as ag
from demos.pictures.drawings import PICTURES

FOLDER = Path(__file__).parent


def main(names: list[str]) -> int:
    for name in names or PICTURES:
        if name not in PICTURES:
            print(f"there is no picture {name!r}; there are: {', '.join(PICTURES)}", file=sys.stderr)
            return 2
        ag.render(PICTURES[name](), FOLDER / f"{name}.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
