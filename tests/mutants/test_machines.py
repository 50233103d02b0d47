"""What hung in forked processes, put back."""

import pytest

import autograd
from autograd import modes
from autograd.compiler import locks, native
from tests.autograd import test_forks
from tests.mutation import Mutant, check


def within_patches(test):
    """The test, given a monkeypatch of its own."""

    def run():
        with pytest.MonkeyPatch.context() as monkeypatch:
            test(monkeypatch)

    return run


under_llvm = within_patches(test_forks.test_llvm_is_called_and_left_under_the_lock_that_a_fork_waits_for)
MUTANTS = [
    Mutant("LLVM at work while another thread forks", native.load, "with using_llvm:", "if True:", under_llvm),
    Mutant(
        "LLVM asked for a function while another thread forks",
        native.CompiledModule.function,
        "with using_llvm:",
        "if True:",
        under_llvm,
    ),
    Mutant(
        "LLVM tidying while another thread forks",
        native.CompiledModule.__del__,
        "with using_llvm:",
        "if True:",
        under_llvm,
    ),
    Mutant(
        "an import amidst a fork",
        autograd.__getattr__,
        "with _importing:",
        "if True:",
        within_patches(test_forks.test_what_is_imported_late_is_so_under_the_lock_that_a_fork_waits_for),
    ),
    Mutant(
        "locks that nobody lets go",
        locks._renew,
        "owner._lock = threading.RLock()",
        "pass",
        test_forks.test_a_lock_that_a_lost_thread_held_is_made_anew,
    ),
    Mutant(
        "modes of threads that are not there",
        modes._fork,
        "in_use = _own.modes or",
        "in_use = in_use or",
        within_patches(test_forks.test_modes_of_lost_threads_do_not_count),
    ),
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_an_error_put_back_is_seen(mutant):
    check(mutant)
