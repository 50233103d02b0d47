"""Print, as constraints for pip, the lowest versions that pyproject.toml declares for use and for tests."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = project["optional-dependencies"]


def needs(requirements):
    """The requirements, with those of our own extras in their place."""
    for requirement in requirements:
        own = re.match(r"chainrule\[([\w,]+)\]", requirement)
        if own:
            yield from needs(requirement for extra in own[1].split(",") for requirement in extras[extra])
        else:
            yield requirement


for requirement in needs([*project["dependencies"], *extras["test"]]):
    name, version = re.match(r"([\w.-]+)>=([\w.]+)", requirement).groups()
    print(f"{name}=={version}")
