"""HDF5Output: what the file holds after one pass and after several."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import DataError, ShapeError
from caffe_lrcn.layer_types.base import Settings
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net
from tests.harness.layers import make_layer

LAYER = ('layer { name: "o" type: "HDF5Output" bottom: "x" bottom: "y"\n'
         '  hdf5_output_param { file_name: "out.h5" } }')
X, Y = np.random.default_rng(1).normal(size=(3, 2, 4)), np.arange(3.0)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written():
    with h5py.File("out.h5") as file:
        assert sorted(file) in ([], ["data", "label"])
        return [file[name][...] for name in file]


def test_blobs_get_four_axes(any_backend):
    case = make_layer(LAYER, [X, Y], backend=any_backend)
    case.forward()
    case.layer.close()
    data, label = written()
    assert data.dtype == label.dtype == any_backend.dtype
    np.testing.assert_allclose(data, X[..., None], rtol=1e-6)
    np.testing.assert_array_equal(label, Y.reshape(3, 1, 1, 1))


def test_every_pass_appends_and_reaches_the_file():
    case = make_layer(LAYER, [X, Y])
    for count in (1, 2, 3):
        case.bottom[0].host_data[...] = X * count
        case.forward()
    shutil.copy("out.h5", "copy.h5")  # the file is still open
    with h5py.File("copy.h5") as file:
        np.testing.assert_array_equal(file["data"][..., 0], np.concatenate([X, 2 * X, 3 * X]))
        assert file["label"][...].ravel().tolist() == [0, 1, 2] * 3
    case.layer.close()


def test_batches_may_differ_in_size_but_not_in_shape():
    case = make_layer(LAYER, [X, Y])
    case.forward()
    case.bottom[0].reshape(1, 2, 4)
    case.bottom[1].reshape(1)
    case.forward()
    case.bottom[0].reshape(1, 4, 2)
    with pytest.raises(DataError, match="layer 'o': samples of 'data' changed their shape"):
        case.forward()
    case.layer.close()
    assert [len(values) for values in written()] == [4, 4]


def test_strict_writes_once():
    # CAFFE-QUIRK
    case = make_layer(LAYER, [X, Y], settings=Settings(strict=True))
    case.forward()
    with pytest.raises(DataError, match="layer 'o': dataset 'data' exists already"):
        case.forward()
    case.layer.close()
    assert [len(values) for values in written()] == [3, 3]


def test_the_file_is_made_anew(folder):
    (folder / "out.h5").write_text("something else")
    make_layer(LAYER, [X, Y]).layer.close()
    assert written() == []


@pytest.mark.parametrize("x, y, message", [
    (X, Y[:2], "differ in their number of samples .got 2, wanted 3"),
    (X[:, :, :, None, None], Y, r"up to four axes .got \(3, 2, 4, 1, 1\)")])
def test_shapes_that_do_not_fit(x, y, message):
    with pytest.raises(ShapeError, match=message):
        make_layer(LAYER, [x, y])


@pytest.mark.parametrize("name, message", [
    ("none/out.h5", "2:23: layer 'o': the file 'none/out.h5' cannot be made"),
    ("", "no file_name is given")])
def test_files_that_cannot_be_made(name, message):
    with pytest.raises(DataError, match=message):
        make_layer(LAYER.replace("out.h5", name), [X, Y])


def test_in_a_net_that_learns():
    net = Net(parse_net("""
        layer { name: "d" type: "DummyData" top: "x" top: "y"
                dummy_data_param { shape { dim: 3 dim: 2 } shape { dim: 3 dim: 2 }
                                   data_filler { type: "constant" value: 1 } } }
        layer { name: "i" type: "InnerProduct" bottom: "x" top: "z"
                inner_product_param { num_output: 2 weight_filler { type: "gaussian" } } }
        layer { name: "o" type: "HDF5Output" bottom: "z" bottom: "y"
                hdf5_output_param { file_name: "out.h5" } }
        layer { name: "l" type: "EuclideanLoss" bottom: "z" bottom: "y" }
    """, "test.prototxt"), get_backend("cpu"), phase=0, seed=1)
    for _ in range(2):
        net.clear_param_diffs()
        net.forward()
        net.backward()
    want = net.blobs["z"].host_data - net.blobs["y"].host_data
    np.testing.assert_allclose(net.params["i"][1].host_diff, want.sum(0) / 3, rtol=1e-5)
    net.close()
    assert written()[0].shape == (6, 2, 1, 1)


# In a process of its own: where h5py writes by itself, a full disk crashes it.
_FULL = """
import resource, signal
from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import DataError
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net
net = Net(parse_net('''
layer { name: "d" type: "DummyData" top: "x" top: "y"
        dummy_data_param { shape { dim: 100 dim: 100 } shape { dim: 100 } } }
layer { name: "o" type: "HDF5Output" bottom: "x" bottom: "y"
        hdf5_output_param { file_name: "out.h5" } }'''), get_backend("cpu"), phase=1)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    for _ in range(9):
        net.forward()
except DataError as error:
    print(error)
net.close()
"""


def test_a_full_disk_is_one_error():
    run = subprocess.run([sys.executable, "-c", _FULL], capture_output=True, text=True,
                         env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert "layer 'o': cannot write to 'out.h5' (got [Errno 27] File too large)" in run.stdout
