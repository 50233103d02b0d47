"""A search on a Dask cluster loses a worker on the way and still ends right."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("dask")
pytest.importorskip("distributed")

# A program of its own: the cluster's processes import it anew, and its warnings are not ours.
PROGRAM = """
import os, signal, sys, threading, time
import joblib, numpy as np
from dask.distributed import Client, LocalCluster
from sklearn.model_selection import GridSearchCV
import nn
from nn.estimators import NetClassifier

def search():
    grid = {"lr": [1e-6, 1e-3, 1e-2], "hidden_layer_sizes": [(8,), (16,)]}
    return GridSearchCV(NetClassifier(epochs=60, random_state=0), grid, cv=3)

if __name__ == "__main__":
    X, y = nn.moons(200, rng=0)
    alone = search().fit(X, y)
    folder = sys.argv[1]
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, local_directory=folder)
        as cluster,
        Client(cluster) as client,
    ):
        workers = client.run(os.getpid)
        print("workers", len(workers), flush=True)

        def kill_one():
            while True:  # as soon as one is at work, and some of the work is done
                busy = [address for address, tasks in client.processing().items() if tasks]
                done = client.run_on_scheduler(lambda dask_scheduler: sum(
                    state.nbytes >= 0 and state.metrics.get("task_counts", {}).get("memory", 0)
                    for state in dask_scheduler.workers.values()
                ))
                if busy and done:
                    os.kill(workers[busy[0]], signal.SIGKILL)
                    print("killed", flush=True)
                    return
                time.sleep(0.02)

        killer = threading.Thread(target=kill_one, daemon=True)
        killer.start()
        with joblib.parallel_backend("dask"):
            together = search().fit(X, y)
        killer.join(1)
        print("alive", len(set(client.run(os.getpid).values()) & set(workers.values())), flush=True)
    scores = [found.cv_results_["mean_test_score"] for found in (alone, together)]
    np.testing.assert_allclose(*scores)
    assert alone.best_params_ == together.best_params_
    print("right", together.best_score_ > 0.9)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_a_search_survives_the_death_of_a_worker(tmp_path):
    script = tmp_path / "search.py"
    script.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["workers 2", "killed", "alive 1", "right True"]
