"""Files are replaced whole or not at all, whoever else writes, whatever the disk says, and whenever the process dies."""

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import nn
from nn import files
from nn.files import FolderLock

pytest.importorskip("safetensors")

ROOT = Path(__file__).parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="signals, forks and modes are POSIX's")


def python(program, **settings):
    return subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings
    )


# ---- One file


@posix
def test_the_umask_says_who_may_read_it(tmp_path):
    for umask, mode in ((0o022, 0o644), (0o077, 0o600), (0o002, 0o664)):
        before = os.umask(umask)
        try:
            nn.save(tmp_path / str(umask), nn.Tanh())
        finally:
            os.umask(before)
        assert stat.S_IMODE(os.stat(tmp_path / str(umask)).st_mode) == mode


@posix
def test_a_killed_save_leaves_one_file_which_the_next_sweeps_up(tmp_path):
    path = tmp_path / "a"
    nn.save(path, nn.Tanh(), epoch=1)
    program = f"""
import os, signal, sys, nn
from pathlib import Path
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
nn.save({str(path)!r}, nn.Linear(100, 100), epoch=2)
"""
    for _ in range(2):
        process = python(program)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert sorted(os.listdir(tmp_path)) == [".a.tmp", "a"]
        assert nn.load(path, nn.Tanh()) == {"epoch": 1}
    nn.save(path, nn.Tanh(), epoch=3)
    assert os.listdir(tmp_path) == ["a"]
    assert nn.load(path, nn.Tanh()) == {"epoch": 3}


def test_threads_that_save_to_one_path_all_succeed_and_leave_one_of_theirs(tmp_path):
    path, errors = tmp_path / "a", []
    models = [nn.Linear(40, 40, rng=seed) for seed in range(4)]

    def work(seed):
        try:
            for _ in range(5):
                nn.save(path, models[seed], seed=seed)
                other = nn.Linear(40, 40)
                found = nn.load(path, other)["seed"]
                np.testing.assert_array_equal(other.weight.data, models[found].weight.data)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert os.listdir(tmp_path) == ["a"]


def test_processes_that_write_to_one_path_take_turns(tmp_path):
    program = f"""
import sys
from pathlib import Path
from nn.files import write_whole
for i in range(15):
    write_whole(Path({str(tmp_path / "a")!r}), sys.argv[1].encode() * 50_000)
"""
    processes = [
        subprocess.Popen([sys.executable, "-c", program, letter], cwd=ROOT, stderr=subprocess.PIPE) for letter in "abc"
    ]
    seen = set()
    while any(process.poll() is None for process in processes):
        if (tmp_path / "a").exists():
            content = (tmp_path / "a").read_bytes()
            assert len(content) == 50_000
            assert len(set(content)) == 1
            seen.add(content[:1])
        time.sleep(0.002)
    assert [process.communicate()[1] for process in processes] == [b"", b"", b""]
    assert seen
    assert os.listdir(tmp_path) == ["a"]


@posix
def test_a_full_disk_says_which_file_and_how_much_and_leaves_the_last_one(tmp_path):
    """A limit on the size of files stands for the disk: it stops a write in its middle too."""
    import resource

    path = tmp_path / "a"
    nn.save(path, nn.Tanh(), epoch=1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match=r"[\d,]{6,} bytes could not be written .*last good file .* stands") as caught:
            nn.save(path, nn.Linear(100, 100), epoch=2)
        with pytest.raises(OSError, match=r"nothing was left"):
            nn.save(tmp_path / "b", nn.Linear(100, 100), epoch=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.errno == errno.EFBIG
    assert caught.value.filename == str(path)
    assert os.listdir(tmp_path) == ["a"]
    assert nn.load(path, nn.Tanh()) == {"epoch": 1}


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_whatever_fails_leaves_the_last_file_and_no_other(tmp_path, monkeypatch, call, number):
    path = tmp_path / "a"
    nn.save(path, nn.Tanh(), epoch=1)

    def fail(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, call, fail)
    with pytest.raises(OSError, match="last good file of this name stands") as caught:
        nn.save(path, nn.Tanh(), epoch=2)
    monkeypatch.undo()
    assert caught.value.errno == number
    assert os.listdir(tmp_path) == ["a"]
    assert nn.load(path, nn.Tanh()) == {"epoch": 1}


def test_a_folder_that_is_not_there_or_is_a_file_or_stands_for_the_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        nn.save(tmp_path / "none" / "a", nn.Tanh())
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="could not be written"):
        nn.save(tmp_path / "file" / "a", nn.Tanh())
    with pytest.raises(IsADirectoryError, match="and a file is to be written: name one"):
        nn.save(tmp_path, nn.Tanh())
    with pytest.raises(OSError, match=r"directory|not a regular|denied"):
        nn.load(tmp_path, nn.Tanh())
    assert os.listdir(tmp_path) == ["file"]


@posix
def test_what_is_no_regular_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        nn.load(tmp_path / "pipe", nn.Tanh())
    with pytest.raises(OSError, match="not a regular file"):
        nn.load("/dev/null", nn.Tanh())


@posix
def test_a_link_goes_on_pointing_to_the_file(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far" / "a")
    for epoch in (1, 2):
        nn.save(tmp_path / "link", nn.Tanh(), epoch=epoch)
        assert (tmp_path / "link").is_symlink()
        assert nn.load(tmp_path / "far" / "a", nn.Tanh()) == {"epoch": epoch}
    assert os.listdir(tmp_path / "far") == ["a"]


def test_names_are_taken_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "./b", "naïve ∂.safetensors", "~", ".hidden", "a" * 200):
        nn.save(name, nn.Tanh(), name=name)
        assert nn.load(tmp_path / name, nn.Tanh()) == {"name": name}


# ---- One folder


def fit(folder, epochs=2, callbacks=(), resume=True, seed=0):
    X, y = nn.moons(20, rng=0)
    model = nn.Linear(2, 2, rng=seed)
    before = model.state_dict()
    settings = {"loss": nn.CrossEntropyLoss(), "optimizer": nn.Adam(model.parameters()), "epochs": epochs, "rng": 0}
    try:
        return nn.fit(model, (X, y), callbacks=[*callbacks, nn.Checkpoint(folder, every=1, resume=resume)], **settings)
    except BlockingIOError:
        for name, array in model.state_dict().items():
            np.testing.assert_array_equal(array, before[name])
        raise


class Meanwhile(nn.Callback):
    """Does something once, after the first step."""

    def __init__(self, do):
        self.do = do

    def on_step(self, training):
        if training.step == 1:
            self.do()


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


@pytest.mark.parametrize("resume", [True, False])
def test_a_second_training_in_a_folder_raises_before_its_first_step_and_the_first_goes_on(tmp_path, resume):
    def second():
        before = contents(tmp_path)
        with pytest.raises(BlockingIOError, match="this process, in another call of fit, is training in this folder"):
            fit(tmp_path, resume=resume, seed=1)
        with pytest.raises(BlockingIOError):
            fit(tmp_path / ".." / tmp_path.name, resume=resume, seed=1)
        assert contents(tmp_path) == before

    history = fit(tmp_path, callbacks=[Meanwhile(second)])
    assert len(history) == 2
    assert sorted(os.listdir(tmp_path)) == ["best.safetensors", "last.safetensors"]
    assert len(fit(tmp_path, epochs=3, callbacks=[Meanwhile(second)])) == 3  # one after the other they may


def test_so_does_one_in_a_thread_and_one_by_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    errors = []

    def second():
        def work():
            try:
                fit(tmp_path / "link")
            except OSError as error:
                errors.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    fit(tmp_path / "real", callbacks=[Meanwhile(second)])
    assert [type(error) for error in errors] == [BlockingIOError]


def test_two_checkpoints_of_one_training_need_two_folders(tmp_path):
    with pytest.raises(BlockingIOError):
        fit(tmp_path, callbacks=[nn.Checkpoint(tmp_path)])
    fit(tmp_path / "a", callbacks=[nn.Checkpoint(tmp_path / "b")])


@pytest.mark.parametrize("hook", ["on_begin", "on_step", "on_epoch_end", "on_end", "on_error"])
def test_a_training_that_fails_lets_go_of_its_folder(tmp_path, hook):
    class Fails(nn.Callback):
        def on_step(self, training):
            if hook == "on_error":
                raise KeyError

    def fail(self, training):
        raise ZeroDivisionError

    setattr(Fails, hook, fail)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fit(tmp_path, callbacks=[Fails()], resume=False)
    assert ".lock" not in os.listdir(tmp_path)


TRAINER = """
import os, sys, time
sys.path.insert(0, {root!r})
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: time.sleep(1))  # a child on a busy machine
import nn
from tests.nn.test_files import Meanwhile, fit
def pause():
    {fork}
    print("training", flush=True)
    time.sleep(60)
from pathlib import Path
fit(Path({folder!r}), callbacks=[Meanwhile(pause)])
"""


@posix
@pytest.mark.parametrize("fork", ["pass", "os.fork() or (os.close(1), os.close(2))"], ids=["alone", "with a child"])
def test_another_process_is_named_and_when_it_is_killed_its_folder_is_free(tmp_path, fork):
    process = python(TRAINER.format(root=str(ROOT), folder=str(tmp_path), fork=fork), start_new_session=True)
    try:
        assert process.stdout.readline() == "training\n", process.stderr.read()
        before = contents(tmp_path)
        with pytest.raises(BlockingIOError, match=f"process {process.pid} of .* is training in this folder"):
            fit(tmp_path)
        assert contents(tmp_path) == before
        process.kill()  # the child, where there is one, lives on
        process.wait()
        assert len(fit(tmp_path)) == 2
    finally:
        os.killpg(process.pid, signal.SIGKILL) if fork != "pass" else process.kill()
        process.communicate()


@posix
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")  # Python 3.12, of any fork
def test_a_forked_child_neither_has_the_lock_nor_takes_it_away(tmp_path):
    lock = FolderLock(tmp_path)
    if (child := os.fork()) == 0:
        lock.release()
        lock.keep()
        try:
            FolderLock(tmp_path)
        except BlockingIOError:
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    with pytest.raises(BlockingIOError):
        FolderLock(tmp_path)
    lock.release()
    FolderLock(tmp_path).release()


def test_reading_every_file_of_the_folder_does_not_open_it_to_others(tmp_path):
    lock = FolderLock(tmp_path)
    for path in tmp_path.iterdir():
        path.read_bytes()
    with pytest.raises(BlockingIOError):
        FolderLock(tmp_path)
    lock.release()


def test_a_lock_that_somebody_deleted_is_taken_again_or_given_up(tmp_path):
    lock = FolderLock(tmp_path)
    (tmp_path / ".lock").unlink()
    lock.keep()
    with pytest.raises(BlockingIOError):
        FolderLock(tmp_path)
    (tmp_path / ".lock").unlink()
    other = FolderLock(tmp_path)
    with pytest.raises(BlockingIOError):
        lock.keep()
    lock.release()
    other.keep()
    other.release()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_where_there_are_no_locks_a_warning_says_so_and_saving_goes_on(tmp_path, monkeypatch, number):
    def no_locks(descriptor, wait):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files, "_lock", no_locks)
    with pytest.warns(RuntimeWarning, match="has no locks"):
        fit(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["best.safetensors", "last.safetensors"]


def test_a_relative_folder_stays_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    fit("runs", callbacks=[Meanwhile(lambda: os.chdir("elsewhere"))])
    assert sorted(os.listdir(tmp_path / "runs")) == ["best.safetensors", "last.safetensors"]
    assert os.listdir(tmp_path / "elsewhere") == []


def test_a_file_in_place_of_the_folder_is_an_os_error(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(NotADirectoryError, match="Checkpoint writes into a folder"):
        fit(tmp_path / "a")


def test_a_folder_that_vanishes_ends_training_with_an_error_that_says_so(tmp_path):
    def vanish():
        os.rename(tmp_path / "a", tmp_path / "b")

    with pytest.raises(FileNotFoundError, match=r"[\d,]+ bytes could not be written, for there is no folder .*a "):
        fit(tmp_path / "a", callbacks=[Meanwhile(vanish)])
    assert not (tmp_path / "a").exists()
