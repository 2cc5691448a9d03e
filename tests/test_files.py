"""HDF5 files on a disk that fills up."""
from __future__ import annotations

import subprocess
import sys

import h5py
import numpy as np
import pytest

from caffe_lrcn.files import new_hdf5

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
