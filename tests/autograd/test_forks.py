"""A process forked while other threads record, compile, run or draw keeps working without them."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import autograd as ag
from autograd import forks, modes
from autograd.compiler import locks, native

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")

# Each program is a process of its own: what hangs there hangs nobody else. A child that hangs is ended by its alarm.
START = """
import os, signal, sys, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.12 on, a fork among threads gives one
import numpy as np
import autograd as ag

def forked(work):
    # Whether a forked process does `work` in time, without an exception.
    child = os.fork()
    if not child:
        signal.alarm(20)
        try:
            work()
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

def chain(length, shift):
    def f(x):
        y = x
        for _ in range(length):
            y = ag.sin(y) * 0.5 + x + shift
        return y
    return f

def start(work):
    threading.Thread(target=work, daemon=True).start()

def again_and_again(work):
    def loop():
        n = 0
        while True:
            work(n)
            n += 1
    start(loop)
"""

PROGRAMS = {
    "another thread compiles for the first time": """
start(lambda: ag.compile(chain(1000, 0.0))(0.5))
for n in range(6):
    time.sleep(0.004 * n)
    assert forked(lambda: ag.compile(chain(2, 1.0))(0.5))
""",
    "other threads compile": """
for shift in (0.0, 0.5):
    again_and_again(lambda n: ag.compile(chain(300, shift + n))(0.5))
for n in range(8):
    time.sleep(0.01 * n)
    assert forked(lambda: ag.compile(chain(2, -1.0))(0.5))
""",
    "other threads drop what they compiled": """
again_and_again(lambda n: [ag.compile(chain(1, m + n))(0.5) for m in range(3)])
for n in range(12):
    time.sleep(0.003 * n)
    assert forked(lambda: ag.compile(chain(2, -1.0))(0.5))
""",
    "another thread makes the kernel that is called": """
entered = threading.Event()
def slow(x):
    entered.set()
    time.sleep(0.5)
    return x * 3.0
kernel = ag.compile(slow)
start(lambda: kernel(1.0))
entered.wait()
assert forked(lambda: kernel(2.0) == 6.0 or 1 / 0)
""",
    "another thread records another path of the kernel that is called": """
entered = threading.Event()
def slow(x):
    if x > 0.0:
        return x * 3.0
    entered.set()
    time.sleep(0.5)
    return x * 5.0
kernel = ag.compile(slow)
kernel(1.0)
start(lambda: kernel(-1.0))
entered.wait()
assert forked(lambda: kernel(-2.0) == -10.0 or 1 / 0)
""",
    "another thread lowers another program": """
kernel, entered = ag.compile(chain(2, 0.0)), threading.Event()
from autograd.compiler import executable
lower = executable.lower
def slow(*args):
    entered.set()
    time.sleep(0.5)
    return lower(*args)
executable.lower = slow
start(lambda: ag.compile(chain(3, 0.0))(0.5))
entered.wait()
executable.lower = lower
assert forked(lambda: kernel(0.5))
""",
    "another thread runs the kernel that is called, itself over threads": """
from autograd.compiler import native
native.OPERATIONS_PER_THREAD = 1000
kernel = ag.compile(chain(20, 0.0), threads=4)
x = np.linspace(0, 1, 20_000)
expected = kernel(x)
again_and_again(lambda n: kernel(x))
for n in range(8):
    time.sleep(0.002 * n)
    assert forked(lambda: np.testing.assert_array_equal(kernel(x), expected))
""",
    "a kernel is there, and multiprocessing forks": """
import multiprocessing
kernel = ag.compile(ag.value_and_grad(chain(5, 0.0)))
numbers = [n / 7 for n in range(20)]
expected = list(map(kernel, numbers))
def work(x):
    return kernel(x)
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(work, numbers) == expected
""",
    "a thread forks, of itself": """
again_and_again(lambda n: ag.compile(chain(300, float(n)))(0.5))
time.sleep(0.1)
found = []
def work():
    found.append(forked(lambda: ag.compile(chain(2, -1.0))(0.5)))
for _ in range(4):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
assert found == [True] * 4
""",
    "the function that is recorded forks": """
inner = []
def f(x):
    if not inner:
        inner.append(forked(lambda: ag.compile(chain(2, 0.0))(0.5)))
    return x * 2.0
kernel = ag.compile(f)
assert kernel(2.0) == 4.0
assert inner == [True]
""",
    "the function that is recorded forks, and both go on": """
def f(x):
    f.child = os.fork()
    if not f.child:
        signal.alarm(20)
    return x * 2.0
kernel = ag.compile(f)
right = kernel(2.0) == 4.0 and kernel(3.0) == 6.0
if not f.child:
    os._exit(0 if right else 1)
assert right and os.waitpid(f.child, 0)[1] == 0
""",
    "another thread is within no_grad": """
from autograd import modes
within, done = threading.Event(), threading.Event()
def wait():
    with ag.no_grad():
        within.set()
        done.wait()
start(wait)
within.wait()
def child():
    assert modes.in_use == 0
    with ag.no_grad():
        assert (ag.Value(2.0) * 2.0).op is None
    assert modes.in_use == 0
assert forked(child)
assert modes.in_use == 1
with ag.no_grad():
    def child():
        assert (ag.Value(2.0) * 2.0).op is None
        assert modes.in_use == 1
    assert forked(child)
done.set()
""",
    "other threads go in and out of no_grad": """
def work(n):
    with ag.no_grad():
        pass
again_and_again(work)
def child():
    with ag.no_grad():
        pass
assert all(forked(child) for _ in range(60))
""",
    "a thread has the modes of another": """
import contextvars
with ag.no_grad():
    context = contextvars.copy_context()
    def child():
        assert (ag.Value(2.0) * 2.0).op is None
    found = []
    thread = threading.Thread(target=lambda: context.run(lambda: found.append(forked(child))))
    thread.start()
    thread.join()
assert found == [True]
""",
}


@pytest.mark.parametrize("when", PROGRAMS)
def test_a_process_works_on_that_was_forked_while(when):
    done = subprocess.run(
        [sys.executable, "-c", START + PROGRAMS[when]],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


# ---- The same without a fork: which locks are held, and what is made anew


def test_llvm_is_called_and_left_under_the_lock_that_a_fork_waits_for(monkeypatch):
    pytest.importorskip("llvmlite")
    held = []

    class Module(native.CompiledModule):
        def __init__(self, text):
            held.append(forks.using_llvm._is_owned())
            super().__init__(text)
            self._engine = Engine()

    class Engine:
        def get_function_address(self, name):
            held.append(forks.using_llvm._is_owned())
            return 1

        def __del__(self):
            held.append(forks.using_llvm._is_owned())

    monkeypatch.setattr(native, "CompiledModule", Module)
    native.load(
        "define void @prologue(ptr %w) {\n ret void\n}\ndefine i64 @run(i64 %i, i64 %n, ptr %w) {\n ret i64 0\n}\n"
    ).function("run", None)
    assert held == [True, True, True]


def test_what_is_imported_late_is_so_under_the_lock_that_a_fork_waits_for(monkeypatch):
    held = []
    monkeypatch.setattr(ag, "import_module", lambda name: held.append(forks.importing._is_owned()) or locks)
    monkeypatch.delitem(vars(ag), "compile", raising=False)
    with pytest.raises(AttributeError):
        _ = ag.compile
    assert held == [True]


def test_a_lock_that_a_lost_thread_held_is_made_anew():
    owner = locks.Locked()
    holder = threading.Thread(target=owner._lock.acquire)
    holder.start()
    holder.join()
    assert not owner._lock.acquire(blocking=False)
    locks._renew()
    assert owner._lock.acquire(blocking=False)


def test_modes_of_lost_threads_do_not_count(monkeypatch):
    within, done = threading.Event(), threading.Event()

    def wait():
        with ag.no_grad():
            within.set()
            done.wait()

    holder = threading.Thread(target=wait)
    holder.start()
    within.wait()
    try:
        assert modes.in_use == 1
        with monkeypatch.context() as patch:
            patch.setattr(modes, "in_use", modes.in_use)
            patch.setattr(modes, "_lock", modes._lock)
            modes._fork()
            assert modes.in_use == 0
            with ag.no_grad():
                modes._fork()
                assert modes.in_use == 1
    finally:
        done.set()
        holder.join()
