"""The processor that is compiled for: this one, or what the environment says."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the levels are x86-64's")

PROGRAM = """
import numpy as np
import autograd as ag
from autograd.compiler import libm
import llvmlite.binding as llvm
llvm.get_host_cpu_name = llvm.get_host_cpu_features = None  # this one's are not asked for
x = np.linspace(0.1, 2.0, 1001)
found = ag.compile(lambda x: ag.exp(x) * x + ag.sqrt(x), backend="native")(x)
np.testing.assert_allclose(found, np.exp(x) * x + np.sqrt(x), rtol=1e-15)
print(libm.WIDTH)
"""


def run(cpu):
    environment = {**os.environ, "CHAINRULE_CPU": cpu}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=Path(__file__).parents[3],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_machine_code_keeps_to_the_processor_that_the_environment_names():
    done = run("x86-64")
    assert done.stdout == "2\n", done.stderr


def test_another_processor_is_refused_with_those_that_there_are():
    done = run("pentium")
    assert "the environment variable CHAINRULE_CPU is 'pentium'" in done.stderr
    assert "'x86-64-v3'" in done.stderr
