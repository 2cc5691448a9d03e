"""Scripts and Python layers on a GPU (a stand-in for one): host and device copies stay in step."""
from __future__ import annotations

import numpy as np
import pytest

import caffe_lrcn as caffe
from caffe_lrcn.backends import get_backend
from caffe_lrcn.blob import Blob
from tests.backends import fake_cupy
from tests.harness.compiler import needs_compiler
from tests.pycaffe.nets import LINEAR, write

pytestmark = needs_compiler

TEXT = LINEAR + """
layer { name: "times" type: "Python" bottom: "fc" top: "times"
  python_param { module: "tests.pycaffe.user_layers" layer: "Multiply" param_str: "3" } }
layer { name: "fc2" type: "InnerProduct" bottom: "times" top: "fc2"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
"""


@pytest.fixture
def gpu(monkeypatch):
    fake_cupy.install(monkeypatch)
    caffe.set_mode_gpu()
    yield
    caffe.set_mode_cpu()


def run(path, seed=1):
    caffe.set_random_seed(seed)
    try:
        net = caffe.Net(path, caffe.TRAIN)
    finally:
        caffe.pycaffe.modes._modes.seed = None
    results = []
    for round_ in range(2):
        net.blobs["data"].data[...] = np.arange(12).reshape(4, 3) + round_
        net.params["fc"][1].data[...] = round_
        out = net.forward()["fc2"].copy()
        grads = net.backward(fc2=np.ones((4, 2)))
        results += [out, net.blobs["times"].data.copy(), grads["data"].copy(),
                    net.params["fc2"][0].diff.copy()]
    return net, results


def test_looking_at_a_blob_leaves_the_device_copy_the_newest(gpu):
    blob = Blob(get_backend("gpu:0"), (2, 3))
    blob.data[...] = np.ones((2, 3), np.float32)
    assert (blob.read_data() == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        blob.read_data()[0] = 2
    blob.data[...] = np.full((2, 3), 3, np.float32)
    assert (blob.read_data() == 3).all()


def test_looking_at_a_blob_shows_what_a_script_wrote(gpu):
    blob = Blob(get_backend("gpu:0"), (2,))
    view = blob.host_diff
    view[...] = [1, 2]
    assert blob.read_diff().tolist() == [1, 2]
    view[0] = 5
    assert blob.read_diff().tolist() == [5, 2] and blob.diff.tolist() == [5, 2]


def test_on_a_gpu_everybody_sees_the_newest_values(tmp_path, gpu):
    path = write(tmp_path, TEXT)
    net, on_gpu = run(path)
    assert net._engine.backend.is_gpu
    caffe.set_mode_cpu()
    net, on_cpu = run(path)
    assert not net._engine.backend.is_gpu
    for got, want in zip(on_gpu, on_cpu, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    assert np.abs(on_cpu[0] - on_cpu[4]).min() > 0
