"""A steady step reads one thing back from the device: the scalars, once after the forward pass."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.backends import Backend, get_backend
from caffe_lrcn.backends.scalars import BAD_LABEL, NOT_FINITE, Scalars
from caffe_lrcn.errors import LabelError
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net
from tests.harness.compiler import needs_compiler

pytestmark = needs_compiler
FILL = 'weight_filler { type: "uniform" min: -0.1 max: 0.1 }'


def ip(name, bottom, units, axis=1):
    return (f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" '
            f'inner_product_param {{ num_output: {units} axis: {axis} {FILL} }} }}')


def lstm(name, bottom):
    return (f'layer {{ name: "{name}" type: "LSTM" bottom: "{bottom}" bottom: "cont" '
            f'top: "{name}" recurrent_param {{ num_output: 5 {FILL} }} }}')


def conv(name, bottom, units, group=1):
    return (f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" '
            f'convolution_param {{ num_output: {units} kernel_size: 3 group: {group} {FILL} }} }}'
            f'layer {{ name: "relu_{name}" type: "ReLU" bottom: "{name}" top: "{name}" }}')


def ends(bottom, axis):
    return (f'layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "{bottom}" bottom: "label" '
            f'top: "loss" softmax_param {{ axis: {axis} }} loss_param {{ ignore_label: -1 }} }}'
            f'layer {{ name: "accuracy" type: "Accuracy" bottom: "{bottom}" bottom: "label" '
            f'top: "accuracy" accuracy_param {{ axis: {axis} ignore_label: -1 }} }}')


def inputs(**shapes):
    tops = " ".join(f'top: "{name}"' for name in shapes)
    dims = " ".join(f"shape {{ {' '.join(f'dim: {n}' for n in shape)} }}"
                    for shape in shapes.values())
    return f'layer {{ name: "in" type: "Input" {tops} input_param {{ {dims} }} }}'


POOL = ('layer { name: "pool" type: "Pooling" bottom: "c1" top: "pool" '
        'pooling_param { kernel_size: 3 stride: 2 } }')
NETS = {
    "language": inputs(word=(4, 3), cont=(4, 3), label=(4, 3))
    + 'layer { name: "embed" type: "Embed" bottom: "word" top: "embed" '
      f'embed_param {{ bias_term: false input_dim: 7 num_output: 5 {FILL} }} }}'
    + lstm("lstm1", "embed") + lstm("lstm2", "lstm1") + ip("fc", "lstm2", 7, 2) + ends("fc", 2),
    "caffenet": inputs(data=(2, 3, 15, 15), label=(2,)) + conv("c1", "data", 4) + POOL
    + 'layer { name: "norm" type: "LRN" bottom: "pool" top: "norm" lrn_param { local_size: 3 } }'
    + conv("c2", "norm", 4, 2) + ip("fc6", "c2", 6)
    + 'layer { name: "drop" type: "Dropout" bottom: "fc6" top: "fc6" }'
    + ip("fc8", "fc6", 5) + ends("fc8", 1),
    "activity": inputs(data=(8, 3, 9, 9), cont=(4, 2), label=(4, 2)) + conv("c1", "data", 4)
    + POOL + ip("fc6", "pool", 6)
    + 'layer { name: "steps" type: "Reshape" bottom: "fc6" top: "steps" '
      'reshape_param { shape { dim: 4 dim: 2 dim: 6 } } }'
    + lstm("lstm1", "steps") + ip("fc8", "lstm1", 5, 2) + ends("fc8", 2),
}


@pytest.fixture
def reads(monkeypatch):
    """Names of what brings a value of a backend's array to the host, in order."""
    found = []

    def counted(name):
        def method(self, *args):
            found.append(name)
            return getattr(np.asarray(self), name)(*args)
        return method

    class Watched(np.ndarray):
        def __array_wrap__(self, array, context=None, return_scalar=False):
            return array.view(Watched)

    for name in ("__bool__", "__float__", "__int__", "__index__", "item", "tolist"):
        setattr(Watched, name, counted(name))
    zeros, download, read = Backend.zeros, Backend.download, Scalars.read
    monkeypatch.setattr(Backend, "zeros", lambda self, *args: zeros(self, *args).view(Watched))
    monkeypatch.setattr(Backend, "download", lambda self, array: (
        found.append("download"), np.asarray(download(self, array)))[1])

    def read_scalars(self):
        before = len(found)
        reading = read(self)
        assert found[before:] == ["download"]
        found[before:] = ["scalars"]
        return reading
    monkeypatch.setattr(Scalars, "read", read_scalars)
    return found


@pytest.mark.parametrize("name", NETS)
def test_a_step_reads_the_scalars_once(name, reads):
    net = Net(parse_net(NETS[name]), get_backend("cuda-host"), phase=0)
    rng = np.random.default_rng(0)
    for blob in (net.blobs[name] for name in net.inputs):
        blob.host_data[...] = rng.integers(0, 5, blob.shape)
    net.forward()
    net.backward()
    reads.clear()
    loss = net.forward()
    assert reads == ["scalars"] and loss > 0
    net.run_forward()
    net.backward()
    assert reads == ["scalars"]
    assert np.abs(net.learnable_params[0].read_diff()).max() > 0


def test_the_counter_sees_reads(reads):
    array = get_backend("cuda-host").zeros(3)
    float(array.sum()), bool((array > 0).any()), array[:1].tolist()
    assert reads == ["__float__", "__bool__", "tolist"]


def test_a_bad_label_is_named_after_the_pass(any_backend):
    net = Net(parse_net(NETS["language"], "n.prototxt"), any_backend, phase=0)
    net.blobs["word"].host_data[2, 1] = 7
    net.blobs["label"].host_data[1, 2] = 9
    with pytest.raises(LabelError, match="layer 'embed': an index lies outside the table .got 7"):
        net.forward()
    net.blobs["word"].host_data[2, 1] = 6
    with pytest.raises(LabelError, match=r"layer 'loss': .*number 5 of .*\(4, 3\).*got 9.*0 to 6"):
        net.forward()


def test_a_bad_label_of_an_earlier_pass_is_an_error_too(any_backend):
    net = Net(parse_net(NETS["language"]), any_backend, phase=0)
    net.blobs["label"].host_data[1, 2] = 9
    if any_backend.name == "cpu":  # where looking at the status costs nothing
        with pytest.raises(LabelError, match="layer 'loss': .*got 9"):
            net.run_forward()
        return
    net.run_forward()
    net.backward()  # the bad label counts for nothing
    assert np.isfinite(net.params["fc"][0].read_diff()).all()
    net.blobs["label"].host_data[1, 2] = 0
    net.run_forward()
    with pytest.raises(LabelError, match="overwritten since.*iter_size"):
        net.check_status(net.scalars.read().status)
    assert net.forward() > 0


def test_on_a_cpu_no_layer_works_on_what_another_one_refused(backend):
    net, ran = Net(parse_net(NETS["language"]), backend, phase=0), []
    net.after_forward.append(ran.append)
    net.blobs["word"].host_data[2, 1] = 7
    with pytest.raises(LabelError, match="layer 'embed'"):
        net.forward()
    assert ran == list(range(net.layer_names.index("embed")))


def test_a_run_begins_with_a_clear_status(any_backend):
    net = Net(parse_net(NETS["language"]), any_backend, phase=0)
    net.scalars.status[...] |= BAD_LABEL | NOT_FINITE  # of a run that an exception ended
    assert net.forward() > 0


def test_layers_that_did_not_run_are_not_asked(any_backend):
    net = Net(parse_net(NETS["language"]), any_backend, phase=0)
    net.blobs["label"].host_data[1, 2] = 9
    net.forward(end=net.layer_names.index("embed"))
    net.blobs["word"].host_data[2, 1] = 7
    with pytest.raises(LabelError, match="layer 'embed'"):
        net.forward(end=net.layer_names.index("embed"))
