"""Weights of another net: renamed layers, shapes that differ, frozen layers."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import UsageError, WeightsError
from caffe_lrcn.layer_types.base import TRAIN, Settings
from caffe_lrcn.net.freeze import frozen_layers
from caffe_lrcn.net.net import Net
from caffe_lrcn.net.transfer import Rename, Transfer, parse_renames
from caffe_lrcn.proto.text import parse_net

NET = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "a1" type: "InnerProduct" bottom: "x" top: "a1" param { lr_mult: 2 }
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "a2" type: "InnerProduct" bottom: "a1" top: "a2"
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "top" type: "InnerProduct" bottom: "a2" top: "top"
  inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "Reduction" bottom: "top" top: "loss" loss_weight: 1 }
"""


def make(backend, text=NET, seed=1, **settings) -> Net:
    return Net(parse_net(text, "n.prototxt"), backend, phase=TRAIN, seed=seed,
               settings=Settings(**settings))


@pytest.fixture
def source(backend, tmp_path) -> tuple[Net, str]:
    net = make(backend, seed=1)
    net.save(str(tmp_path / "w.caffemodel"))
    return net, str(tmp_path / "w.caffemodel")


def same(one: Net, name: str, other: Net, other_name: str) -> bool:
    return all(np.array_equal(a.read_data(), b.read_data()) for a, b in
               zip(one.params[name], other.params[other_name], strict=True))


def test_renamed_layers(backend, source):
    net, path = source
    other = make(backend, NET.replace('"a1"', '"b_1"').replace('"a2"', '"b_2"'), seed=2)
    transfer = Transfer(parse_renames(["a*=b_*"]))
    report = other.copy_trained_layers_from(path, transfer)
    transfer.check(other, [report])
    assert report.loaded == ["b_1", "b_2", "top"] and not report.missing + report.unused
    assert same(net, "a1", other, "b_1") and same(net, "a2", other, "b_2")


def test_a_rename_goes_before_a_layer_of_that_name(backend, source):
    net, path = source
    other = make(backend, seed=2)
    report = other.copy_trained_layers_from(path, Transfer((Rename("top", "a2"),), True))
    assert report.skipped == ["layer 'a2': parameter 0 has another shape in the file "
                              "(file (5, 4), net (4, 4))"]
    assert report.unused == ["a2"] and report.missing == ["a2", "top"]


def test_a_rename_that_fits_nothing(backend, source):
    net, path = source
    for text in ("a3=a1", "a1=b1", "b*=a*"):
        transfer = Transfer(parse_renames([text]))
        with pytest.raises(WeightsError) as error:
            transfer.check(net, [net.copy_trained_layers_from(path, transfer)])
        assert text in str(error.value) and "a1, a2, top" in str(error.value)


@pytest.mark.parametrize("text", ["a", "=a", "a=", "a*=b", "a=b*", "a**=b**", ""])
def test_what_is_no_rename(text):
    with pytest.raises(UsageError, match="a rename takes"):
        parse_renames([text])


@pytest.mark.parametrize(("rename", "name", "new"), [
    ("a=b", "a", "b"), ("a=b", "aa", None), ("a*=*", "ab", "b"), ("*_x=y_*", "1_x", "y_1"),
    ("ab*ba=*", "aba", None), ("*=vgg_*", "c", "vgg_c")])
def test_patterns(rename, name, new):
    assert parse_renames([rename])[0].apply(name) == new


def test_mismatches_are_refused_or_listed(backend, source):
    net, path = source
    text = NET.replace("num_output: 5", "num_output: 6")
    with pytest.raises(WeightsError, match="another shape"):
        make(backend, text).copy_trained_layers_from(path)
    other = make(backend, text, seed=2)
    before = other.params["top"][0].read_data().copy()
    report = other.copy_trained_layers_from(path, Transfer(ignore_mismatch=True))
    assert report.loaded == ["a1", "a2"] and report.missing == ["top"]
    assert report.lines()[-1] == ("    left out: layer 'top': parameter 0 has another shape in the "
                                  "file (file (5, 4), net (6, 4))")
    assert same(net, "a1", other, "a1")
    assert np.array_equal(other.params["top"][0].read_data(), before)
    text = NET.replace("num_output: 5", "bias_term: false num_output: 5")
    report = make(backend, text).copy_trained_layers_from(path, Transfer(ignore_mismatch=True))
    assert "another number of parameters" in report.skipped[0]


def test_frozen_layers_get_no_gradient(backend):
    definition = parse_net(NET, "n.prototxt")
    frozen = Net(definition, backend, phase=TRAIN, settings=Settings(frozen=("a*",)))
    free = Net(definition, backend, phase=TRAIN)  # the definition itself stays as it is
    assert frozen_layers(frozen) == ["a1", "a2"]
    assert frozen.param_lr == [0, 0, 0, 0, 1, 1] and free.param_lr == [2, 1, 1, 1, 1, 1]
    assert [node.layer.name for node in frozen.nodes if node.needs_backward] == ["top", "loss"]
    frozen.blobs["x"].host_data[...] = 1
    frozen.forward_backward()
    norms = {name: sum(float(np.abs(blob.read_diff()).sum()) for blob in blobs)
             for name, blobs in frozen.params.items()}
    assert norms["a1"] == norms["a2"] == 0 < norms["top"]


def test_a_pattern_that_matches_nothing(backend):
    for pattern in ("conv*", "x", "A1"):
        with pytest.raises(UsageError, match="a1, a2, top"):
            frozen_layers(make(backend, frozen=("a1", pattern)))
