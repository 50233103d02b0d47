"""Common to all tests: the settings of Hypothesis, a seeded generator, and the tests that are run `once`."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from tests.browser import browser, open_page  # noqa: F401  # fixtures

# The same examples on every run, so that a red test is red for everybody. `HYPOTHESIS_PROFILE=long` looks for new ones.
settings.register_profile(
    "default",
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.register_profile(
    "long", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

ONCE = (
    "tests/demos/",
    "tests/mutants/",
    "tests/test_readme.py",
    "tests/nn/datasets/test_images.py",
)  # and what is marked by itself


@pytest.hookimpl(tryfirst=True)  # before what is not asked for is left out
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        pages = "browser" in getattr(item, "fixturenames", ())
        if pages or Path(item.path).relative_to(config.rootpath).as_posix().startswith(ONCE):
            item.add_marker(pytest.mark.once)


@pytest.fixture
def rng():
    return np.random.default_rng(0)
