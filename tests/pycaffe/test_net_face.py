"""``caffe.Net``: construction, names, passes, weights, low-level calls."""
from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest

import caffe_lrcn as caffe
from caffe_lrcn.errors import DataError, ShapeError, UsageError
from tests.pycaffe.nets import LINEAR, MEMORY, MLP, write

DATA = np.random.default_rng(1).normal(size=(4, 3)).astype("f4")
LABEL = np.array([0, 1, 1, 0], "f4")


@pytest.fixture
def train(tmp_path):
    return caffe.Net(write(tmp_path, MLP), caffe.TRAIN)


@pytest.fixture
def linear(tmp_path):
    return caffe.Net(write(tmp_path, LINEAR), caffe.TEST)


def test_the_new_and_the_old_form_of_the_constructor(tmp_path, train):
    path, weights = write(tmp_path, MLP), str(tmp_path / "w.caffemodel")
    train.save(weights)
    new = caffe.Net(path, caffe.TEST, weights=weights)
    with pytest.warns(DeprecationWarning, match="old form"):
        old = caffe.Net(path, weights, caffe.TEST)
    for net in (new, old, caffe.Net(path, caffe.TEST, 0, ["a"], weights)):
        assert net.outputs == ["label", "prob"]
        np.testing.assert_array_equal(net.params["fc"][0].data, train.params["fc"][0].data)


def test_files_that_cannot_be_read_and_missing_phases(tmp_path):
    with pytest.raises(RuntimeError, match="no such file"):
        caffe.Net(str(tmp_path / "none.prototxt"), caffe.TEST)
    with pytest.raises(RuntimeError, match="none.caffemodel"):
        caffe.Net(write(tmp_path, MLP), caffe.TEST, weights=str(tmp_path / "none.caffemodel"))
    with pytest.raises(TypeError, match="a phase"):
        caffe.Net(write(tmp_path, MLP))


def test_level_and_stages_select_layers(tmp_path):
    text = LINEAR + """
layer { name: "a" type: "ReLU" bottom: "fc" top: "a" include { stage: "extra" min_level: 2 } }"""
    path = write(tmp_path, text)
    assert caffe.Net(path, caffe.TEST, level=2, stages=["extra"]).outputs == ["a"]
    assert caffe.Net(path, caffe.TEST, stages=["extra"]).outputs == ["fc"]


def test_names_of_blobs_layers_and_parameters(train):
    assert list(train.blobs) == ["data", "label", "fc", "score", "loss"]
    assert isinstance(train.blobs, OrderedDict) and train.blobs is train.blobs
    assert train.inputs == ["data", "label"] and train.outputs == ["loss"]
    assert list(train.layer_dict) == ["data", "fc", "relu", "score", "loss"]
    assert [layer.type for layer in train.layers][1:3] == ["InnerProduct", "ReLU"]
    assert train.layer_dict["fc"] is train.layers[1]
    assert list(train.params) == ["fc", "score"]
    assert [blob.shape for blob in train.params["fc"]] == [(5, 3), (5,)]
    assert train.top_names["relu"] == train.bottom_names["relu"] == ["fc"]
    assert train.bottom_names["loss"] == ["score", "label"]
    assert train.blob_loss_weights == OrderedDict(data=0, label=0, fc=0, score=0, loss=1)


def test_split_blobs_are_listed_and_automatic_ones_collapse(tmp_path):
    # CAFFE-QUIRK: blobs of one name collapse.
    text = LINEAR + """
layer { name: "l1" type: "EuclideanLoss" bottom: "fc" bottom: "data" }
layer { name: "l2" type: "EuclideanLoss" bottom: "fc" bottom: "data" }
"""
    net = caffe.Net(write(tmp_path, text.replace("num_output: 2", "num_output: 3")), caffe.TEST)
    assert "fc_fc_0_split_1" in net.blobs and "fc_fc_0_split" in net.layer_dict
    assert list(net.blobs).count("(automatic)") == 1
    assert net._blob_names.count("(automatic)") == 2 and len(net._blobs) == len(net.blobs) + 1


def test_forward_takes_inputs_and_returns_live_views(linear):
    # CAFFE-QUIRK: what forward returns changes with the next pass.
    out = linear.forward(blobs=["data"], data=DATA)
    assert set(out) == {"fc", "data"}
    weight, bias = (blob.data for blob in linear.params["fc"])
    first = DATA @ weight.T + bias
    np.testing.assert_allclose(out["fc"], first, rtol=1e-5)
    linear.forward(data=2 * DATA)
    np.testing.assert_allclose(out["fc"], 2 * first, rtol=1e-5)


def test_forward_broadcasts_and_checks_inputs(linear):
    linear.forward(data=np.ones((4, 1)))
    np.testing.assert_array_equal(linear.blobs["data"].data, 1)
    with pytest.raises(Exception, match="do not match the net's input"):
        linear.forward(image=DATA)
    with pytest.raises(ShapeError, match="'data' is not batch sized"):
        linear.forward(data=DATA[:3])
    with pytest.raises(ShapeError, match="'data' does not fit"):
        linear.forward(data=np.zeros((4, 2)))
    with pytest.raises(ValueError, match="no such layer"):
        linear.forward(end="nowhere")


def test_forward_from_and_to_a_layer(train):
    train.blobs["data"].data[...] = DATA
    out = train.forward(end="fc")
    assert list(out) == ["fc"] and (out["fc"] < 0).any()
    out = train.forward(start="relu", end="score")
    assert list(out) == ["score"] and (train.blobs["fc"].data >= 0).all()
    assert train.blobs["loss"].data == 0


def test_backward_takes_diffs_and_returns_those_of_the_inputs(linear):
    linear.forward(data=DATA)
    diff = np.arange(8, dtype="f4").reshape(4, 2)
    grads = linear.backward(diffs=["fc"], fc=diff)
    np.testing.assert_array_equal(grads["fc"], diff)
    np.testing.assert_allclose(grads["data"], diff @ linear.params["fc"][0].data, rtol=1e-5)
    np.testing.assert_allclose(linear.params["fc"][0].diff, diff.T @ DATA, rtol=1e-5)
    with pytest.raises(Exception, match="do not match the net's output"):
        linear.backward(data=diff)
    with pytest.raises(ShapeError, match="'fc' is not batch sized"):
        linear.backward(fc=diff[:2])


def test_backward_from_and_to_a_layer(train):
    train.forward(data=DATA, label=LABEL)
    grads = train.backward(end="score")
    assert list(grads) == ["fc"] and np.abs(grads["fc"]).sum() > 0
    assert not train.params["fc"][0].diff.any()
    train.backward(start="relu")
    assert train.params["fc"][0].diff.any()


def test_forward_all_in_batches(linear):
    many = np.random.default_rng(2).normal(size=(10, 3)).astype("f4")
    out = linear.forward_all(blobs=["data"], data=many)
    weight, bias = (blob.data for blob in linear.params["fc"])
    np.testing.assert_allclose(out["fc"], many @ weight.T + bias, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(out["data"], many)
    with pytest.raises(UsageError, match="no arrays"):
        linear.forward_all()


def test_batches_are_filled_up_with_zeros(linear):
    many = np.ones((6, 3), "f4")
    first, second = linear._batch({"data": many})
    np.testing.assert_array_equal(first["data"], 1)
    np.testing.assert_array_equal(second["data"].sum(1), [3, 3, 0, 0])
    with pytest.raises(UsageError, match="differ in their number"):
        next(linear._batch({"data": many, "other": many[:2]}))


def test_forward_all_refuses_outputs_without_rows(train, tmp_path):
    with pytest.raises(ShapeError, match="'loss' are not samples"):
        train.forward_all(data=DATA, label=LABEL)
    text = LINEAR + """layer { name: "t" type: "Reshape" bottom: "fc" top: "t"
        reshape_param { shape { dim: 2 dim: -1 } } }"""
    with pytest.raises(ShapeError, match="'t' are not samples.*multiple of 4 samples instead of 6"):
        caffe.Net(write(tmp_path, text), caffe.TEST).forward_all(data=np.ones((6, 3), "f4"))


def test_forward_all_joins_outputs_of_steps_and_streams(tmp_path):
    """Two clips of 3 steps and 2 streams; the original scripts for videos read this."""
    text = """layer { name: "data" type: "Input" top: "data" input_param {
          shape { dim: 6 dim: 4 } } }
        layer { name: "r" type: "Reshape" bottom: "data" top: "r"
          reshape_param { shape { dim: 3 dim: 2 dim: 4 } } }"""
    data = np.arange(48, dtype="f4").reshape(12, 4)
    out = caffe.Net(write(tmp_path, text), caffe.TEST).forward_all(data=data)
    np.testing.assert_array_equal(out["r"], data.reshape(6, 2, 4))
    # An output may have more rows than samples, too.
    net = caffe.Net(write(tmp_path, text.replace("dim: 3 dim: 2 dim: 4", "dim: 24")), caffe.TEST)
    np.testing.assert_array_equal(net.forward_all(data=data)["r"], data.ravel())


def test_forward_backward_all(linear):
    many = np.random.default_rng(2).normal(size=(6, 3)).astype("f4")
    diff = np.random.default_rng(3).normal(size=(6, 2)).astype("f4")
    outs, grads = linear.forward_backward_all(diffs=["fc"], data=many, fc=diff)
    weight = linear.params["fc"][0].data
    assert outs["fc"].shape == (6, 2)
    np.testing.assert_allclose(grads["data"], diff @ weight, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(grads["fc"], diff)
    with pytest.raises(UsageError, match="no such inputs and outputs"):
        linear.forward_backward_all(data=many, score=diff)


@pytest.mark.parametrize("labels", [np.arange(4, dtype="f4"),
                                    np.arange(4, dtype="f4").reshape(4, 1, 1, 1)])
def test_arrays_as_input(tmp_path, labels):
    net = caffe.Net(write(tmp_path, MEMORY), caffe.TEST)
    data = np.arange(24, dtype="f4").reshape(4, 3, 1, 2)
    net.set_input_arrays(data, labels)
    for rows in (slice(0, 2), slice(2, 4), slice(0, 2)):
        out = net.forward(blobs=["label"])
        np.testing.assert_array_equal(out["copy"], 2 * data[rows])
        np.testing.assert_array_equal(out["label"].ravel(), labels.ravel()[rows])


def test_arrays_as_input_are_checked(tmp_path, linear):
    data, labels = np.zeros((4, 3, 1, 2), "f4"), np.zeros(4, "f4")
    with pytest.raises(RuntimeError, match="first layer is a MemoryData"):
        linear.set_input_arrays(data, labels)
    net = caffe.Net(write(tmp_path, MEMORY), caffe.TEST)
    for bad in (data.astype("f8"), data[..., ::-1], data[0]):
        with pytest.raises(UsageError, match="C-contiguous float32"):
            net.set_input_arrays(bad, labels)
    with pytest.raises(DataError, match="one label for each"):
        net.set_input_arrays(data, labels[:2])
    with pytest.raises(DataError, match="whole batches"):
        net._set_input_arrays(data[:3], labels[:3])


def test_reshape_goes_through_the_net(linear):
    linear.blobs["data"].reshape(7, 3)
    linear.reshape()
    assert linear.blobs["fc"].shape == (7, 2)


def test_parameter_diffs_are_cleared(linear):
    linear.params["fc"][0].diff[...] = 1
    linear.clear_param_diffs()
    assert not linear.params["fc"][0].diff.any()


@pytest.mark.parametrize("form", ["save", "save_hdf5"])
def test_weights_go_to_a_file_and_back(tmp_path, linear, form):
    path = str(tmp_path / "w.caffemodel.h5") if form == "save_hdf5" else str(tmp_path / "w")
    getattr(linear, form)(path)
    kept = linear.params["fc"][0].data.copy()
    for load in ("copy_from", "load_hdf5") if form == "save_hdf5" else ("copy_from",):
        linear.params["fc"][0].data[...] = 0
        getattr(linear, load)(path)
        np.testing.assert_array_equal(linear.params["fc"][0].data, kept)


def test_share_with_another_net(tmp_path, linear):
    other = caffe.Net(write(tmp_path, LINEAR), caffe.TEST)
    linear.share_with(other)
    other.params["fc"][1].data[...] = 5
    np.testing.assert_array_equal(linear.params["fc"][1].data, 5)


def test_callbacks_get_layer_numbers(train):
    seen = []
    train.before_forward(lambda layer: seen.append(("bf", layer)))
    train.after_forward(lambda layer: seen.append(("af", layer)))
    train.before_backward(lambda layer: seen.append(("bb", layer)))
    train.after_backward(lambda layer: seen.append(("ab", layer)))
    train._forward(1, 2)
    train._backward(2, 1)
    assert seen == [("bf", 1), ("af", 1), ("bf", 2), ("af", 2),
                    ("bb", 2), ("ab", 2), ("bb", 1), ("ab", 1)]


def test_low_level_names(train):
    train.blobs["data"].data[...], train.blobs["label"].data[...] = DATA, LABEL
    loss = train._forward(0, 4)
    assert loss == pytest.approx(float(train.blobs["loss"].data)) and loss > 0
    assert train._layer_names == ["data", "fc", "relu", "score", "loss"]
    assert train._inputs == [0, 1] and train._outputs == [4]
    assert train._bottom_ids(4) == [3, 1] and train._top_ids(2) == train._bottom_ids(2) == [2]
    assert train._blob_loss_weights == [0, 0, 0, 0, 1]
    assert [blob.shape for blob in train._blobs][2:] == [(4, 5), (4, 2), ()]
