"""A search for the best network and learning rate: the winner on validation digits is tested, once.

Training finds the weights of a network. The number of its neurons and its learning rate must be chosen: a template is one
such choice. Templates must not be compared by the training digits (the largest network wins, as it memorizes them), nor
by the test digits: the best of many is also the luckiest on the digits of the comparison, so that its accuracy there is
too optimistic. Hence three sets: training, validation and test. The test digits are used once, for the winner only, and
give its true accuracy.

With --dask, as `python -m demos.search --dask`, scikit-learn searches the same templates by cross-validation on two
worker processes of this computer; it would do the same on a cluster.

Writes search.png: the accuracy of every template on the validation digits. With --dask, none.
"""

from __future__ import annotations

import itertools
import sys
from importlib import import_module
from itertools import pairwise, product
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle

import nn
from demos.common.options import Options
from demos.common.pictures import INK, VERMILLION, panels, save
from demos.common.progress import progress
from demos.common.typing import Array

Pair = tuple[Array, Array]
Hidden = tuple[int, ...]  # the numbers of neurons, layer by layer

HIDDEN: list[Hidden] = [(4,), (16,), (64,), (256,), (64, 64)]
RATES = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]


def run(options: Options) -> None:
    hidden, rates = (HIDDEN[1:3], RATES[1:4]) if options.quick else (HIDDEN, RATES)
    epochs = 3 if options.quick else 15
    train, valid, test = nn.train_valid_test_split(*nn.digits(), valid=0.2, test=0.2, rng=options.seed)
    print(f"{len(hidden)} × {len(rates)} templates, the best by validation first")
    print(f"{len(train[1])} digits to learn from, {len(valid[1])} to choose by, {len(test[1])} to test the winner on\n")

    models, right = {}, {}
    for sizes, rate in progress(list(product(hidden, rates)), "search"):
        models[sizes, rate] = model = learn(sizes, rate, train, epochs, options.seed)
        right[sizes, rate] = nn.accuracy(nn.predict(model, valid[0]), valid[1])

    best = max(right, key=lambda template: right[template])
    for template in sorted(right, key=lambda template: -right[template])[:5]:
        print(f"{right[template]:7.2%}  {named(template[0])}, rate {template[1]:g}")
    tested = nn.accuracy(nn.predict(models[best], test[0]), test[1])
    print(
        f"\nFinding: of {len(right)} templates {named(best[0])} at rate {best[1]:g} is the best by validation, with "
        f"{right[best]:.2%}; the test says {tested:.2%}."
    )
    draw(options, hidden, rates, right, best, tested)


def learn(hidden: Hidden, rate: float, train: Pair, epochs: int, seed: int) -> nn.Sequential:
    """A network built and trained by the template. All use the same seed, so that only templates differ."""
    rng = np.random.default_rng(seed)
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise((64, *hidden)):
        layers += [nn.Linear(inputs, outputs, rng=rng), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(hidden[-1], 10, rng=rng))
    optimizer = nn.Adam(model.parameters(), lr=rate)
    nn.fit(model, train, loss=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=epochs, rng=rng)
    return model


def named(hidden: Hidden) -> str:
    return " + ".join(map(str, hidden)) + " neurons"


def draw(
    options: Options,
    hidden: list[Hidden],
    rates: list[float],
    right: dict[tuple[Hidden, float], float],
    best: tuple[Hidden, float],
    tested: float,
) -> None:
    """A square for each template, the darker the more mistakes: a shade for each factor, or the best would look alike."""
    figure, axes = panels(1, height=6.0)
    table = np.array([[right[sizes, rate] for rate in rates] for sizes in hidden])
    shades = -np.log(np.maximum(1.0 - table, 0.01))
    shades = (shades - shades.min()) / max(np.ptp(shades), 1e-9)
    axes.imshow(shades, cmap="Blues_r", vmin=-0.3, vmax=1.15, aspect="auto")
    for i, j in np.ndindex(table.shape):
        colour = "white" if shades[i, j] < 0.2 else INK
        axes.text(j, i, f"{table[i, j]:.1%}", ha="center", va="center", color=colour)
    at = rates.index(best[1]) - 0.46, hidden.index(best[0]) - 0.46
    axes.add_patch(Rectangle(at, 0.92, 0.92, fill=False, edgecolor=VERMILLION, linewidth=4))
    axes.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
    axes.set_yticks(range(len(hidden)), [" + ".join(map(str, sizes)) for sizes in hidden])
    axes.set(xlabel="learning rate", ylabel="hidden neurons")
    axes.set_title(
        f"Accuracy on the digits to choose by (darker: more mistakes); framed: the best, {tested:.1%} in the test"
    )
    axes.tick_params(length=0)
    save(figure, options.out / "search.png")


# ---- The same with scikit-learn and Dask


def search_with_dask() -> None:
    """Five-fold cross-validation in place of one part to choose by: each template is trained five times, on other parts."""
    distributed, joblib = needed("distributed"), needed("joblib")
    selection = needed("sklearn.model_selection")
    from nn.estimators import NetClassifier  # it needs scikit-learn, and this is the only place that does

    images, labels = nn.digits()
    X, X_test, y, y_test = selection.train_test_split(images, labels, test_size=0.2, stratify=labels, random_state=0)
    splits = list(selection.StratifiedKFold(5).split(X, y))
    search = selection.GridSearchCV(
        NetClassifier(epochs=15, dtype="float32", random_state=0),
        {"hidden_layer_sizes": HIDDEN, "lr": RATES},
        cv=splits,
    )
    # One thread each, as the two workers use all cores anyway. No dashboard: it is not used, and would need a port.
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        # Every worker gets a copy of all arrays, so that none is lost if a worker dies. Dask's active memory manager
        # would drop all copies but one within seconds.
        client.amm.stop()
        with joblib.parallel_backend("dask", scatter=[X, y, *itertools.chain(*splits)]):
            search.fit(X, y)
    chosen = search.best_params_
    print(
        f"Finding: of {len(search.cv_results_['params'])} templates, in two processes, {named(chosen['hidden_layer_sizes'])} at "
        f"rate {chosen['lr']:g} is the best by cross-validation, with {search.best_score_:.2%}; the test says "
        f"{search.score(X_test, y_test):.2%}."
    )


def needed(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise SystemExit(
            f"python -m demos.search --dask: it needs {error.name}, which is not installed: pip install -e '.[demos,dask]'"
        ) from None


if __name__ == "__main__":  # worker processes import this file, and must not search themselves
    if sys.argv[1:] != ["--dask"]:
        raise SystemExit("python -m demos.search takes --dask alone; without it, the demo is python -m demos search")
    search_with_dask()
