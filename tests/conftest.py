"""What every test shares: how hard Hypothesis looks, and a seeded generator."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

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


@pytest.fixture
def rng():
    return np.random.default_rng(0)
