"""Running nets: losses, gradients through aliases, sharing, weights, state."""
import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import CaffeError, WeightsError
from caffe_lrcn.layer_types.base import Settings
from caffe_lrcn.net.net import Net
from caffe_lrcn.net.weights import load_into
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_net

DATA = """
layer { name: "x" type: "DummyData" top: "x" dummy_data_param {
  shape { dim: 4 dim: 3 dim: 2 } data_filler { type: "gaussian" } } }
layer { name: "t" type: "DummyData" top: "t" dummy_data_param {
  shape { dim: 4 dim: 5 } data_filler { type: "gaussian" } } }
"""
IP = 'inner_product_param { num_output: 5 weight_filler { type: "xavier" } }'
LOSS = 'layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "l" %s }'
SIMPLE = DATA + f'layer {{ name: "ip" type: "InnerProduct" bottom: "x" top: "y" {IP} }}'


def make(text, dtype=np.float64, phase=0, **options):
    return Net(parse_net(text, "n.prototxt"), get_backend("cpu", dtype), phase=phase, **options)


def numeric_gradient(net, blob, index, step=1e-5):
    values = blob.host_data.reshape(-1)
    kept, losses = values[index], []
    start = next(i for i, layer in enumerate(net.layers) if layer.blobs)  # the data stay the same
    for sign in (1, -1):
        values[index] = kept + sign * step
        losses.append(net.forward(start))
    values[index] = kept
    return (losses[0] - losses[1]) / (2 * step)


@pytest.mark.parametrize("middle", [
    'layer { name: "f" type: "Flatten" bottom: "x" top: "h" }',
    'layer { name: "f" type: "Reshape" bottom: "x" top: "h" reshape_param { shape { dim: 4 '
    'dim: -1 } } }',
    'layer { name: "r1" type: "ReLU" bottom: "x" top: "r" } layer { name: "c" type: "Concat" '
    'bottom: "r" top: "h" }',
    'layer { name: "a" type: "TanH" bottom: "x" top: "a" } layer { name: "b" type: "Sigmoid" '
    'bottom: "x" top: "b" } layer { name: "e" type: "Eltwise" bottom: "a" bottom: "b" top: "h" }',
])
def test_gradients_pass_through_aliases_and_splits(middle):
    first = ('layer { name: "w" type: "InnerProduct" bottom: "x" top: "x2" inner_product_param '
             '{ axis: -1 num_output: 2 weight_filler { type: "gaussian" } } }')
    text = (DATA + first + middle.replace('"x"', '"x2"')
            + f'layer {{ name: "ip" type: "InnerProduct" bottom: "h" top: "y" {IP} }}'
            + LOSS % "loss_weight: 3")
    net = make(text)
    net.forward()
    net.clear_param_diffs()
    net.backward()
    for name in ("w", "ip"):
        blob = net.params[name][0]
        assert blob.host_diff.reshape(-1)[1] == pytest.approx(
            numeric_gradient(net, blob, 1), rel=1e-6)


def test_the_loss_is_weighted_and_visible_in_the_diff():
    net = make(SIMPLE + LOSS % "loss_weight: 2.5")
    loss = net.forward()
    assert loss == pytest.approx(2.5 * float(net.blobs["l"].host_data))
    assert float(net.blobs["l"].host_diff) == 2.5
    net.blobs["l"].host_diff[...] = 5
    assert net.forward(2) == pytest.approx(5 * float(net.blobs["l"].host_data))


def test_a_loss_that_another_layer_reads_gets_both_gradients():
    text = SIMPLE + LOSS % "" + ('layer { name: "p" type: "Power" bottom: "l" top: "q" '
                                 'loss_weight: 1 power_param { scale: 2 } }')
    net = make(text)
    net.forward()
    net.clear_param_diffs()
    net.backward()
    blob = net.params["ip"][0]
    total = blob.host_diff.reshape(-1)[0]
    assert total == pytest.approx(numeric_gradient(net, blob, 0), rel=1e-6)
    # CAFFE-QUIRK: the reference lets the consumer's gradient overwrite the weight of 1.
    strict = make(text, settings=Settings(strict=True))
    strict.forward()
    strict.clear_param_diffs()
    strict.backward()
    assert strict.params["ip"][0].host_diff.reshape(-1)[0] == pytest.approx(total * 2 / 3)


def test_shared_parameters_accumulate_both_gradients():
    shared = (f'layer {{ name: "a" type: "InnerProduct" bottom: "x" top: "y" '
              f'param {{ name: "w" }} param {{ name: "b" }} {IP} }}'
              f'layer {{ name: "b" type: "InnerProduct" bottom: "x" top: "z" '
              f'param {{ name: "w" }} param {{ name: "b" }} {IP} }}')
    text = DATA + shared + LOSS % "" + LOSS.replace('"y"', '"z"').replace('"loss"', '"loss2"'
                                                                      ).replace('"l"', '"l2"') % ""
    net = make(text)
    assert len(net.learnable_params) == 2
    net.forward()
    net.clear_param_diffs()
    net.backward()
    blob = net.params["b"][0]
    assert blob.host_diff.reshape(-1)[3] == pytest.approx(numeric_gradient(net, blob, 3), rel=1e-6)


def test_the_same_seed_gives_the_same_weights_and_data():
    nets = [make(SIMPLE + LOSS % "", seed=seed) for seed in (7, 7, 8)]
    losses = [net.forward() for net in nets]
    assert losses[0] == losses[1] != losses[2]


def test_weights_go_through_both_formats(tmp_path):
    net, other = make(SIMPLE, np.float32), make(SIMPLE, np.float32, seed=9)
    for save, name in ((net.save, "w.caffemodel"), (net.save_hdf5, "w.caffemodel.h5")):
        save(str(tmp_path / name))
        other.params["ip"][0].host_data[...] = 0
        report = other.copy_trained_layers_from(str(tmp_path / name))
        assert report.loaded == ["ip"] and not report.missing and not report.unused
        for mine, theirs in zip(net.params["ip"], other.params["ip"], strict=True):
            np.testing.assert_array_equal(mine.host_data, theirs.host_data)


def test_weights_of_another_net_are_refused_with_both_shapes(tmp_path):
    path = str(tmp_path / "w.caffemodel")
    make(SIMPLE.replace("num_output: 5", "num_output: 6")).save(path)
    net = make(SIMPLE)
    before = net.params["ip"][0].host_data.copy()
    with pytest.raises(WeightsError, match=r"layer 'ip'.*got \(6, 6\), wanted \(5, 6\).*[Rr]ename"):
        net.copy_trained_layers_from(path)
    np.testing.assert_array_equal(net.params["ip"][0].host_data, before)


def test_the_report_names_missing_and_unused_layers(tmp_path):
    path = str(tmp_path / "w.caffemodel")
    make(SIMPLE.replace('name: "ip"', 'name: "old"')).save(path)
    report = load_into(make(SIMPLE), path)
    assert (report.loaded, report.missing, report.unused) == ([], ["ip"], ["old"])
    assert "ip" in report.lines()[1] and "old" in report.lines()[2]


def test_weights_of_another_net_are_refused(tmp_path):
    path = str(tmp_path / "w.caffemodel")
    make(SIMPLE.replace('name: "ip"', 'name: "old"')).save(path)
    with pytest.raises(WeightsError, match="no layer of the net .*got old, wanted ip.*Give the"):
        make(SIMPLE).copy_trained_layers_from(path)
    make(DATA).copy_trained_layers_from(path)  # a net without parameters lacks nothing


def test_shared_nets_follow_each_other():
    net, other = make(SIMPLE), make(SIMPLE, phase=1)
    other.share_trained_layers_with(net)
    net.params["ip"][0].host_data[...] = 3
    assert (other.params["ip"][0].host_data == 3).all()


def test_the_first_bad_blob_is_named():
    net = make(SIMPLE + LOSS % "")
    net.forward()
    assert net.first_bad_blob() is None
    net.params["ip"][1].host_data[2] = np.nan
    net.forward()
    assert net.first_bad_blob() == ("ip", "param 1", "data")


def test_errors_of_layers_name_place_and_layer():
    text = SIMPLE + '\nlayer { name: "bad" type: "EuclideanLoss" bottom: "y" bottom: "x" }'
    with pytest.raises(CaffeError, match=r"n\.prototxt:\d+:\d+: layer 'bad'"):
        make(text)


def test_callbacks_run_around_every_layer():
    net, seen = make(SIMPLE + LOSS % ""), []
    net.before_forward.append(lambda index: seen.append(("before", index)))
    net.after_backward.append(lambda index: seen.append(("after", index)))
    net.forward()
    net.backward()
    assert seen == [("before", i) for i in range(4)] + [("after", i) for i in (3, 2, 1, 0)]


def test_building_is_logged_as_in_caffe(caplog):
    caplog.set_level("INFO", "caffe_lrcn")
    make(SIMPLE + 'layer { name: "r" type: "ReLU" bottom: "y" top: "y" }'
         + LOSS % "loss_weight: 3", dtype=np.float32)
    definition, *lines = [record.getMessage() for record in caplog.records]
    assert definition.startswith("Initializing net from parameters: \n")
    param = parse_net(definition.partition("\n")[2]).param
    assert param.state.phase == caffe_pb2.TRAIN
    assert [layer.name for layer in param.layer] == ["x", "t", "ip", "r", "loss"]
    assert lines == [
        "Creating Layer x", "x -> x", "Top shape: 4 3 2 (24)", "Memory required for data: 96",
        "Creating Layer t", "t -> t", "Top shape: 4 5 (20)", "Memory required for data: 176",
        "Creating Layer ip", "ip <- x", "ip -> y", "Top shape: 4 5 (20)",
        "Memory required for data: 256",
        "Creating Layer r", "r <- y", "r -> y (in-place)", "Top shape: 4 5 (20)",
        "Memory required for data: 336",
        "Creating Layer loss", "loss <- y", "loss <- t", "loss -> l", "Top shape: (1)",
        "    with loss weight 3", "Memory required for data: 340",
        "loss needs backward computation.", "r needs backward computation.",
        "ip needs backward computation.", "t does not need backward computation.",
        "x does not need backward computation.", "This network produces output l",
        "Network initialization done."]
