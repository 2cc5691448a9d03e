"""Files: HDF5 on a disk that fills up; files that appear when they are whole."""
from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from caffe_lrcn import files, glog
from caffe_lrcn.errors import DataError, SnapshotError, UsageError
from caffe_lrcn.files import check_output, new_file, new_folder, replacing, temporary
from caffe_lrcn.hdf5_files import new_hdf5
from caffe_lrcn.solver.csv_log import CsvLog

# In a process of its own: a plain h5py file may crash it, and the limit would stay.
_FULL = """
import resource, signal, sys
import numpy as np
from caffe_lrcn.hdf5_files import new_hdf5
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    with new_hdf5(sys.argv[1]) as file:
        group = file.create_group("data")
        for number in range(20):
            group[str(number)] = np.ones((10, 10), np.float32)
except OSError as error:
    print(error.strerror)
"""


def test_values_read_back(tmp_path):
    values = np.arange(100_000, dtype=np.float32).reshape(100, 1000)
    with new_hdf5(tmp_path / "a.h5") as file:
        file["group/values"] = values
    with h5py.File(tmp_path / "a.h5") as file:
        assert np.array_equal(file["group/values"][:], values)


@pytest.mark.parametrize("limit", [0, 100, 1000, 5000, 9000])
def test_a_full_disk_is_one_error(tmp_path, limit):
    run = subprocess.run([sys.executable, "-c", _FULL, tmp_path / "a.h5", str(limit)],
                         capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "File too large\n", "")


def test_a_folder_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError), new_hdf5(tmp_path / "no" / "a.h5"):
        pass


# -- files that appear when they are whole -------------------------------------------------


def test_a_file_is_replaced_when_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with new_file(path, DataError, "the list") as stream:
        stream.write("née\n")
        assert path.read_text() == "old"
    assert path.read_bytes() == "née\n".encode()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_was_there_stays_if_writing_fails(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises((DataError, KeyboardInterrupt)), new_file(path, DataError, "x") as stream:
        stream.write("new")
        raise error
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_made(tmp_path):
    with new_file(tmp_path / "new" / "folder" / "a.txt", DataError, "the list") as stream:
        stream.write("x")
    assert (tmp_path / "new" / "folder" / "a.txt").read_text() == "x"
    check_output(tmp_path / "other" / "a.txt", DataError, "the list")
    assert (tmp_path / "other").is_dir() and not (tmp_path / "other" / "a.txt").exists()


def test_what_cannot_be_written_is_found_before_the_work(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path, cause in ((tmp_path, "Is a directory"), (tmp_path / "file" / "a", "Not a directory")):
        with pytest.raises(DataError, match=cause):
            check_output(path, DataError, "the list")


def test_the_error_names_path_cause_and_remedy(tmp_path):
    (tmp_path / "no").write_bytes(b"")
    with (pytest.raises(UsageError) as raised,
          replacing(tmp_path / "no" / "a", UsageError, "the chart", "Make the folder") as name,
          open(name, "wb")):
        pass
    assert str(raised.value) == (f"{tmp_path}/no/a: the chart cannot be written: Not a "
                                 "directory. Make the folder.")


def test_an_error_of_the_package_stays_as_it_is(tmp_path):
    with pytest.raises(DataError, match="^mine$"), new_file(tmp_path / "a", UsageError, "x"):
        raise DataError("mine")


def test_links_and_devices_stay_what_they_are(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with new_file(tmp_path / "link", DataError, "x", "wb") as stream:
        stream.write(b"1")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_bytes() == b"1"
    with new_file("/dev/null", DataError, "x") as stream:
        stream.write("1")
    assert Path("/dev/null").is_char_device()


# -- links that somebody planted, disks that are full ----------------------------------------


def test_a_planted_temporary_is_not_followed(tmp_path):
    (tmp_path / "mine").write_text("mine")
    Path(temporary(str(tmp_path / "a"))).symlink_to(tmp_path / "mine")
    with new_file(tmp_path / "a", DataError, "x") as stream:
        stream.write("new")
    assert (tmp_path / "mine").read_text() == "mine" and (tmp_path / "a").read_text() == "new"
    assert not (tmp_path / "a").is_symlink()


def test_a_link_of_somebody_else_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "a").symlink_to(tmp_path / "mine")
    with glog.into_file(str(tmp_path / "a"), anew=False):  # a link of ours may be meant
        pass
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    monkeypatch.setattr(os, "stat", lambda path, stat=os.stat, **options: SimpleNamespace(
        st_uid=os.getuid() + 2, st_mode=stat(path, **options).st_mode))
    for kind, write in (
            (DataError, lambda: new_file(tmp_path / "a", DataError, "the page")),
            (SnapshotError, lambda: glog.into_file(str(tmp_path / "a"), anew=False))):
        with pytest.raises(kind, match="a: the .* cannot be written: this is a link that another "
                                       "user made"), write():
            pass
    assert (tmp_path / "mine").read_text() == "mine"


def test_logs_do_not_follow_links(tmp_path, monkeypatch):
    (tmp_path / "mine").write_text("mine")
    monkeypatch.setattr(time, "strftime", lambda *_: "now")
    (tmp_path / f"caffe-lrcn.INFO.now.{os.getpid()}").symlink_to(tmp_path / "mine")
    handler = glog._file_handler(str(tmp_path))
    handler.emit(logging.makeLogRecord({"msg": "a", "levelname": "INFO"}))
    handler.close()
    assert (tmp_path / f"caffe-lrcn.INFO.now.{os.getpid()}.1").read_text().endswith("a\n")
    (tmp_path / "log.csv").symlink_to(tmp_path / "none")
    log = CsvLog(str(tmp_path / "log.csv"), [("loss", 1)])
    log.write(1, "train", 0.1, 0.5, [])
    log.close()
    assert (tmp_path / "mine").read_text() == "mine" and not (tmp_path / "none").exists()


def test_a_full_disk_is_named_though_numpy_does_not(tmp_path):
    program = _FULL.replace("hdf5_files", "files").replace("new_hdf5", "new_file").replace("""
    with new_file(sys.argv[1]) as file:
        group = file.create_group("data")
        for number in range(20):
            group[str(number)] = np.ones((10, 10), np.float32)
except OSError as error:
    print(error.strerror)""", """
    with new_file(sys.argv[1], DataError, "the features", "wb") as file:
        np.save(file, np.ones(9999))
except DataError as error:
    print(error)""").replace("import resource", "from caffe_lrcn.errors import DataError\n"
                             "import resource", 1)
    run = subprocess.run([sys.executable, "-c", program, tmp_path / "a.npy", "5000"],
                         capture_output=True, text=True, check=True)
    assert "the features cannot be written: " in run.stdout
    assert "the disk may be full" in run.stdout or "File too large" in run.stdout
    assert not list(tmp_path.iterdir())


def _windows(monkeypatch, opened, waited=258, error=0):
    """Let ``files`` meet a kernel32 that answers so."""
    closed = []

    class Function:
        def __init__(self, answer):
            self.answer = answer

        def __call__(self, *args):
            return self.answer(*args)

    class Kernel:
        OpenProcess = Function(lambda rights, inherit, process: opened)
        WaitForSingleObject = Function(lambda handle, limit: waited)
        CloseHandle = Function(closed.append)

    monkeypatch.setattr(signal, "CTRL_C_EVENT", 0, raising=False)
    monkeypatch.setattr(os, "kill", None)
    monkeypatch.setattr(ctypes, "WinDLL", lambda name, use_last_error: Kernel, raising=False)
    monkeypatch.setattr(ctypes, "get_last_error", lambda: error, raising=False)
    return closed


@pytest.mark.parametrize("answers, running", [
    ({"opened": 8}, True), ({"opened": 8, "waited": 0}, False), ({"opened": None}, False),
    ({"opened": None, "error": 5}, True)])
def test_windows_is_asked_otherwise_whether_a_process_runs(answers, running, monkeypatch):
    closed = _windows(monkeypatch, **answers)
    assert files.is_running(4) is running
    assert closed == ([8] if answers["opened"] else [])


def test_a_process_that_runs_and_one_that_does_not():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert files.is_running(child.pid) and files.is_running(1)
    child.communicate(b"\n")
    assert not files.is_running(child.pid)
    assert files.is_running(10 ** 30)  # no process has this number: it was not we who wrote it


def test_folders_are_not_synced_where_they_cannot_be_opened(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "O_DIRECTORY")
    monkeypatch.setattr(os, "open", None)
    files.sync(str(tmp_path))


# -- folders that appear when they are whole -----------------------------------------------

def test_a_new_folder_takes_the_place_of_the_old_one(tmp_path):
    out = tmp_path / "a" / "b"
    for name in ("first", "second"):
        with new_folder(out, DataError, "the data") as folder:
            assert not list(folder.iterdir())
            (folder / name).touch()
    assert [path.name for path in out.iterdir()] == ["second"]
    assert os.listdir(tmp_path / "a") == ["b"]


def test_a_folder_that_cannot_be_filled_leaves_the_old_one(tmp_path):
    out = tmp_path / "b"
    with new_folder(out, DataError, "the data") as folder:
        (folder / "first").touch()
    with pytest.raises(DataError, match="the data cannot be written: No space left"), \
            new_folder(out, DataError, "the data") as folder:
        (folder / "half").touch()
        raise OSError(28, "No space left on device")
    assert os.listdir(tmp_path) == ["b"] and os.listdir(out) == ["first"]


def test_what_an_interruption_leaves_is_removed_by_the_next_try(tmp_path):
    out = tmp_path / "b"
    with pytest.raises(KeyboardInterrupt), new_folder(out, DataError, "the data") as folder:
        (folder / "half").touch()
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == ["b.partial"]
    with new_folder(out, DataError, "the data"):
        pass
    assert os.listdir(tmp_path) == ["b"] and not os.listdir(out)
