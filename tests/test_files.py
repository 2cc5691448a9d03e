"""Files: HDF5 on a disk that fills up; files that appear when they are whole."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from caffe_lrcn.errors import DataError, UsageError
from caffe_lrcn.files import new_file, new_hdf5, replacing

# In a process of its own: a plain h5py file may crash it, and the limit would stay.
_FULL = """
import resource, signal, sys
import numpy as np
from caffe_lrcn.files import new_hdf5
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


def test_the_error_names_path_cause_and_remedy(tmp_path):
    with (pytest.raises(UsageError) as raised,
          replacing(tmp_path / "no" / "a", UsageError, "the chart", "Make the folder") as name,
          open(name, "wb")):
        pass
    assert str(raised.value) == (f"{tmp_path}/no/a: the chart cannot be written: No such file or "
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
