"""Batches prepared ahead by a thread or by processes: order, errors, ends."""
from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources import processes
from caffe_lrcn.sources.base import Random
from caffe_lrcn.sources.batcher import BatchSpec
from caffe_lrcn.sources.listing import read_picture_list
from caffe_lrcn.sources.orders import Epochs
from caffe_lrcn.sources.prefetch import Prefetcher, ThreadProducer
from caffe_lrcn.sources.processes import ProcessProducer
from caffe_lrcn.sources.records.images import ImageRecords
from caffe_lrcn.sources.transform import Transform

from .pictures import write_pictures
from .scripted import ScriptedSource, ScriptedSpec

needs_processes = pytest.mark.skipif(not hasattr(os, "memfd_create"),
                                     reason="no anonymous shared memory")
anyhow = pytest.mark.parametrize("workers", [0, pytest.param(2, marks=needs_processes)])


@pytest.fixture
def open_prefetcher():
    """Make prefetchers that are closed after the test."""
    opened = []

    def make(spec, record=0, workers=0, depth=3):
        opened.append(Prefetcher(spec, {"record": record}, shapes=spec.open().shapes(),
                                 depth=depth, workers=workers))
        return opened[-1]

    yield make
    for prefetcher in opened:
        prefetcher.close()


def take(prefetcher, count):
    return [[array.copy() for array in prefetcher.next().arrays] for _ in range(count)]


def data_threads():
    return [thread for thread in threading.enumerate() if thread.name == "caffe_lrcn data"]


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def soon(condition, seconds=20):
    """Wait until a condition holds; tell whether it did."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


@dataclass(frozen=True)
class Spec(ScriptedSpec):
    """Opens a source of a given class in this process."""

    source: type = None
    held: list = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    locked: threading.Event = field(default_factory=threading.Event)
    waiting: threading.Event = field(default_factory=threading.Event)

    def open(self):
        return self.source(self)


@anyhow
@pytest.mark.parametrize("depth", [0, 1, 4])
def test_batches_come_in_order(open_prefetcher, workers, depth):
    prefetcher = open_prefetcher(ScriptedSpec(), 5, workers, depth)
    for record in range(5, 17):
        first, second = prefetcher.next().arrays
        assert first.tolist() == [record, record + 1] and second.tolist() == [[record]]
        assert prefetcher.cursor == {"record": record + 1}


@anyhow
def test_nothing_starts_before_the_first_batch(open_prefetcher, workers):
    prefetcher = open_prefetcher(ScriptedSpec({0: "data error"}), workers=workers)
    assert prefetcher._producer is None and not data_threads()


def pictures_spec(folder):
    path, _ = write_pictures(folder, [(6, 8)] * 5)
    reader = partial(ImageRecords, read_picture_list(path), beside=(path,))
    return BatchSpec(reader, Epochs(5, shuffle=True), 3, Random(1, 0, "data"),
                     Transform(mirror=True, crop_size=4))


@needs_processes
def test_same_bits_for_any_number_of_workers(open_prefetcher, tmp_path):
    spec = pictures_spec(tmp_path)
    runs = [take(open_prefetcher(spec, 7, workers), 9) for workers in (0, 1, 2, 3)]
    for run in runs[1:]:
        for batch, want in zip(run, runs[0], strict=True):
            for array, array_wanted in zip(batch, want, strict=True):
                np.testing.assert_array_equal(array, array_wanted)


@anyhow
def test_an_error_comes_when_its_batch_is_due(open_prefetcher, workers):
    prefetcher = open_prefetcher(ScriptedSpec({3: "data error"}), workers=workers)
    take(prefetcher, 3)
    for _ in range(2):  # and again when asked again
        with pytest.raises(DataError) as caught:
            prefetcher.next()
        assert str(caught.value) == "list.txt:3: no such picture. Look for it."
        assert prefetcher.cursor == {"record": 3}


def test_a_bug_in_the_thread_is_raised_as_it_is(open_prefetcher):
    with pytest.raises(ZeroDivisionError):
        open_prefetcher(ScriptedSpec({0: "bug"})).next()


@needs_processes
@pytest.mark.parametrize("act, message", [("bug", "Traceback[^$]*ZeroDivisionError: a bug"),
                                          ("unpicklable", "odd"), ("exit", "exit status 3")])
def test_what_goes_wrong_in_a_worker_is_told(open_prefetcher, act, message):
    prefetcher = open_prefetcher(ScriptedSpec({2: act}), workers=2)
    with pytest.raises(DataError, match=message):
        take(prefetcher, 3)  # that a worker is gone may be noticed before its batch is due


@needs_processes
def test_a_killed_worker_is_an_error_and_no_hang(open_prefetcher):
    prefetcher = open_prefetcher(ScriptedSpec({1: "hang"}), workers=2)
    prefetcher.next()
    os.kill(prefetcher._producer.pids[1], signal.SIGKILL)
    with pytest.raises(DataError, match="killed by signal 9"):
        prefetcher.next()


@needs_processes
def test_idle_workers_that_were_killed_are_noticed(open_prefetcher):
    prefetcher = open_prefetcher(ScriptedSpec(), workers=1)
    prefetcher.next()
    os.kill(prefetcher._producer.pids[0], signal.SIGKILL)
    with pytest.raises(DataError, match="killed by signal 9"):
        take(prefetcher, 20)


@needs_processes
def test_workers_ignore_interrupts(open_prefetcher):
    prefetcher = open_prefetcher(ScriptedSpec(), workers=2)
    prefetcher.next()
    for pid in prefetcher._producer.pids:
        os.kill(pid, signal.SIGINT)
    assert take(prefetcher, 8)[-1][1].tolist() == [[8]]


@needs_processes
def test_batches_larger_than_expected_get_through(open_prefetcher):
    prefetcher = open_prefetcher(ScriptedSpec({2: "large", 5: "large"}), workers=2)
    sizes = [batch[0].size for batch in take(prefetcher, 8)]
    assert sizes == [2, 2, 1000, 2, 2, 1000, 2, 2]


@needs_processes
@needs_processes
@pytest.mark.parametrize("on_path", [False, True])
def test_a_worker_takes_no_module_for_one_of_pythons(open_prefetcher, tmp_path, monkeypatch,
                                                     on_path):
    for name in ("random", "numpy", "signal", "pickle", "PIL", "h5py", "typing", "google",
                 "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("import os\nos._exit(77)\n")
    monkeypatch.chdir(tmp_path)
    if on_path:  # what the main process has loaded by now, it has from the right place
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])
    assert len(take(open_prefetcher(pictures_spec(tmp_path), workers=1), 2)) == 2


@needs_processes
def test_a_worker_finds_a_users_reader(open_prefetcher, tmp_path, monkeypatch):
    (tmp_path / "users_reader.py").write_text(
        "from caffe_lrcn.sources.records.images import ImageRecords\n"
        "class Mine(ImageRecords):\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import users_reader
    spec = pictures_spec(tmp_path)
    mine = partial(users_reader.Mine, *spec.reader.args, **spec.reader.keywords)
    assert len(take(open_prefetcher(replace(spec, reader=mine), workers=1), 2)) == 2


def test_python_m_takes_no_file_of_the_working_folder(tmp_path):
    for name in ("random", "numpy", "argparse", "google"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(77)\n")
    done = subprocess.run(
        [sys.executable, "-m", "caffe_lrcn", "summary",
         "prototxt/lrcn_word_deploy.prototxt"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(Path(processes.__file__).parents[2])},
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_output_of_a_worker_does_no_harm(open_prefetcher):
    assert len(take(open_prefetcher(ScriptedSpec({1: "print"}), workers=1), 4)) == 4


def test_a_thread_serves_where_there_is_no_shared_memory(open_prefetcher, monkeypatch, caplog):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(processes.os, "posix_fallocate", full, raising=False)
    prefetcher = open_prefetcher(ScriptedSpec(), workers=2)
    assert take(prefetcher, 3)[2][1].tolist() == [[2]]
    assert isinstance(prefetcher._producer, ThreadProducer)
    assert "by a thread, not by processes" in caplog.text


def test_a_thread_uses_its_arrays_again(open_prefetcher):
    prefetcher = open_prefetcher(ScriptedSpec(), depth=2)
    seen = [prefetcher.next().arrays[0] for _ in range(20)]  # kept, so that ids are not reused
    # One in use, two ready, one in the making.
    assert len({id(array) for array in seen}) <= 4


@anyhow
def test_close_leaves_nothing_behind(open_prefetcher, workers):
    files = len(os.listdir("/proc/self/fd")) if workers else 0
    prefetcher = open_prefetcher(ScriptedSpec({4: "hang"} if workers else {}), workers=workers)
    take(prefetcher, 2)
    pids = prefetcher._producer.pids if workers else []
    prefetcher.close()
    gc.collect()
    assert not data_threads() and not any(map(is_running, pids))
    assert (len(os.listdir("/proc/self/fd")) if workers else 0) == files
    assert take(prefetcher, 1)[0][1].tolist() == [[2]], "it goes on at the cursor"


@anyhow
def test_a_forgotten_prefetcher_ends(workers):
    prefetcher = Prefetcher(ScriptedSpec(), {"record": 0}, shapes=[(2,), (1, 1)], depth=2,
                            workers=workers)
    prefetcher.next()
    pids = prefetcher._producer.pids if workers else []
    del prefetcher
    gc.collect()  # only signals; the end follows soon
    assert soon(lambda: not data_threads() and not any(map(is_running, pids)))


class ForgetfulSource(ScriptedSource):
    """Drops, in the data thread, what is held, and has a lock meanwhile, as HDF5 has one."""

    def batch(self, cursor, allocate=None):
        with self.spec.lock:
            self.spec.locked.set()
            self.spec.waiting.wait()
            self.spec.held.clear()
            gc.collect()
        return super().batch(cursor, allocate)


class WaitingSource(ScriptedSource):
    """Wants that lock for its second batch."""

    def batch(self, cursor, allocate=None):
        if cursor["record"]:
            self.spec.locked.wait()
            self.spec.waiting.set()
            with self.spec.lock:
                pass
        return super().batch(cursor, allocate)


def test_what_is_dropped_in_a_data_thread_does_not_hold_it_up():
    spec = Spec(source=ForgetfulSource)
    spec.held.append(Prefetcher(replace(spec, source=WaitingSource, held=[]), {"record": 0},
                                shapes=[(2,), (1, 1)], depth=2, workers=0))
    spec.held[0].next()
    spec.held[0].net = spec.held[0]  # a cycle, as nets have them
    one = Prefetcher(spec, {"record": 0}, shapes=[(2,), (1, 1)], depth=1, workers=0)
    got = []
    taker = threading.Thread(target=lambda: got.append(one.next()), daemon=True)
    taker.start()
    taker.join(20)
    assert got, "the data thread waits for another one, which waits for the lock"
    one.close()
    assert soon(lambda: not data_threads())


@needs_processes
def test_dropped_workers_are_not_waited_for(monkeypatch):
    producer = ProcessProducer(ScriptedSpec(), {"record": 0}, [(2,), (1, 1)], 2, 1)
    producer.next()
    monkeypatch.setattr(subprocess.Popen, "wait", None)
    pid = producer.pids[0]
    del producer
    gc.collect()
    assert soon(lambda: not is_running(pid))


PROGRAM = """
import os, sys
from caffe_lrcn.sources.orders import Epochs
from caffe_lrcn.sources.prefetch import Prefetcher
from tests.sources.scripted import ScriptedSpec
prefetcher = Prefetcher(ScriptedSpec(), {"record": 0}, shapes=[(2,), (1, 1)], depth=4,
                        workers=int(sys.argv[1]))
prefetcher.next()
if prefetcher._workers:
    print(*prefetcher._producer.pids, flush=True)
if sys.argv[2] == "wait":
    sys.stdin.read()
"""


def run_program(workers, what):
    """Start PROGRAM in the folder that holds ``tests``."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return subprocess.Popen([sys.executable, "-W", "error", "-c", PROGRAM, str(workers), what],
                            cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


@anyhow
def test_exit_without_close_is_clean(workers):
    output, errors = run_program(workers, "exit").communicate(timeout=60)
    assert errors == ""
    assert not any(is_running(int(pid)) for pid in output.split())


@needs_processes
def test_workers_leave_when_the_main_process_is_killed():
    with run_program(2, "wait") as program:
        pids = [int(pid) for pid in program.stdout.readline().split()]
        assert len(pids) == 2 and all(map(is_running, pids))
        program.kill()
        program.wait()
        deadline = threading.Event()
        for _ in range(200):
            if not any(map(is_running, pids)):
                break
            deadline.wait(0.05)
    assert not any(map(is_running, pids))


@needs_processes
def test_worker_memory_has_no_name():
    before = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
    producer = ProcessProducer(ScriptedSpec(), {"record": 0}, [(2,), (1, 1)], 2, 1)
    producer.next()
    after = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
    os.kill(producer.pids[0], signal.SIGKILL)
    producer.close()
    assert after == before
