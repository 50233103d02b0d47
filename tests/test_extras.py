"""Optional packages may be missing: all that does not need them works, and the rest says what to install."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Every package that pyproject.toml leaves to an extra, and what comes with those.
OPTIONAL = [
    "llvmlite",
    "pygraphviz",
    "tqdm",
    "matplotlib",
    "safetensors",
    "sklearn",
    "scipy",
    "joblib",
    "dask",
    "distributed",
    "torch",
    "jax",
    "pandas",
    "PIL",
]

START = """
import sys
from importlib.machinery import PathFinder
class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, *more):
        return None if name.partition(".")[0] in {blocked!r} else super().find_spec(name, *more)
sys.meta_path[:] = [Without if finder is PathFinder else finder for finder in sys.meta_path]
import numpy as np
import autograd as ag, nn
"""

WITHOUT_ALL = """
import warnings
assert ag.hessian(lambda x: (ag.erf(x) ** 2).sum())(np.ones(2)).shape == (2, 2)
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    kernel = ag.compile(ag.grad(lambda x: ag.erf(x) * x))
    assert abs(kernel(0.5) - ag.grad(lambda x: ag.erf(x) * x)(0.5)) < 1e-15
    assert kernel(np.ones(3)).shape == (3,)
assert ["pip install llvmlite" in str(warning.message) for warning in told] == [True], told
assert "def " in kernel.source("python") and "double" in kernel.source("c")
assert "digraph" in ag.draw(ag.Value(2.0) * 3.0).source
assert ag.explain(ag.Value(2.0) * 3.0)
assert ag.gradcheck(lambda x: ag.sin(x), 1.0)
x, y = nn.moons(60, rng=0)
model = nn.Sequential(nn.Linear(2, 8, rng=0), nn.Tanh(), nn.Linear(8, 2, rng=1))
history = nn.fit(
    model, (x, y), loss=nn.CrossEntropyLoss(), optimizer=nn.Adam(model.parameters(), lr=0.01), epochs=2, metrics={"accuracy": nn.accuracy}
)
assert "Linear" in str(nn.summary.summarize(model, (60, 2))) and len(nn.predict(model, x)) == 60
print("fine")
"""

# What needs a package, and the command that the error names.
NEEDS = {
    "llvmlite": ("ag.compile(lambda x: x, backend='native')", "pip install llvmlite"),
    "pygraphviz": ("import shutil; shutil.which = lambda *_: None; ag.render(ag.Value(2.0) * 3.0, 'out.svg')", "pip install pygraphviz"),
    "tqdm": ("nn.fit(MODEL, DATA, loss=nn.MSELoss(), optimizer=nn.SGD(MODEL.parameters(), lr=0.1), epochs=1, callbacks=[nn.ProgressBar()])", "pip install tqdm"),
    "matplotlib": ("nn.plots.image_sheet(np.ones((2, 4, 4)), 'out.png')", "pip install matplotlib"),
    "safetensors": ("nn.save('out.safetensors', MODEL)", "pip install safetensors"),
    "sklearn": ("nn.digits()", "pip install scikit-learn"),
    "sklearn.": ("nn.estimators", "pip install scikit-learn"),
    "scipy": ("nn.LBFGS(MODEL.parameters()).step(lambda: MODEL(DATA[0]).sum())", "pip install scipy"),
}  # fmt: skip


def run(blocked, program, folder):
    return subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + START.format(blocked=blocked) + program,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_without_anything_optional_all_that_does_not_need_it_works(tmp_path):
    done = run(OPTIONAL, WITHOUT_ALL, tmp_path)
    assert done.stdout == "fine\n", done.stderr


def test_what_needs_a_package_that_is_missing_says_how_to_install_it(tmp_path):
    program = f"MODEL, DATA = nn.Linear(2, 1, rng=0), (np.ones((4, 2)), np.ones((4, 1)))\nfor name, (call, command) in {NEEDS!r}.items():"
    program += """
    try:
        exec(call)
    except (ImportError, ag.GraphvizError) as error:
        assert command in str(error).splitlines()[0], (call, error)
        print(name)
"""
    done = run(OPTIONAL, program, tmp_path)
    assert done.stdout.split() == [*NEEDS], done.stderr


def test_every_extra_is_among_what_is_blocked_here():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    names = {"scikit-learn": "sklearn"}
    extras = tomllib.loads(text)["project"]["optional-dependencies"]
    for extra in ("native", "draw", "train", "sklearn", "dask"):
        for requirement in extras[extra]:
            name = requirement.partition(">")[0]
            assert names.get(name, name) in OPTIONAL
