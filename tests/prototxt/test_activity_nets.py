"""Activity recognition at the paper's scale: shapes, settings, weights that fit, deployed nets."""
from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.net.filter import filter_layers, make_state
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import NetDef, parse_net, read_net, read_solver

FOLDER = Path(__file__).parents[2] / "prototxt" / "activity"
SOLVERS = {path.name.removesuffix("_solver.prototxt"): path
           for path in FOLDER.glob("*_solver.prototxt")}
TRUNK = {"conv1": [(96, 3, 7, 7), (96,)], "conv2": [(384, 48, 5, 5), (384,)],
         "conv3": [(512, 384, 3, 3), (512,)], "conv4": [(512, 256, 3, 3), (512,)],
         "conv5": [(384, 256, 3, 3), (384,)], "fc6": [(4096, 13_824), (4096,)]}
FC7 = {"fc7": [(4096, 4096), (4096,)]}
CLASSES, STEPS, VIDEOS = 101, 16, 24
VARIANTS = list(product((256, 512, 1024), ("fc6", "fc7"), ("RGB", "flow")))


def kept(file: str, phase: int, *stages: str) -> list[caffe_pb2.LayerParameter]:
    state = make_state(phase, 0, stages, caffe_pb2.NetState())
    return [layer.param for layer in filter_layers(read_net(FOLDER / file).layers, state)]


def built(definition: NetDef, phase: int, *stages: str) -> Net:
    """Build a net whose parameters take no memory; their fillers are only checked."""
    return Net(definition, get_backend("shapes"), phase=phase, stages=stages)


def trained(file: str, *stages: str, steps: int = STEPS, videos: int = VIDEOS) -> Net:
    """Build a training net with Input layers in the place of data layers, which need files."""
    pictures = steps * videos
    shapes = {"data": (pictures, 3, 227, 227), "label": (steps, videos),
              "clip_markers": (steps, videos)}
    if "train_val" in file:
        shapes = {"data": (pictures, 3, 227, 227), "label": (pictures,)}
    text = "".join(f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ '
                   f'{" ".join(f"dim: {size}" for size in shape)} }} }} }}\n'
                   for name, shape in shapes.items())
    definition = read_net(FOLDER / file)
    definition.layers = parse_net(text).layers + [
        layer for layer in definition.layers if "Data" not in layer.param.type]
    return built(definition, caffe_pb2.TRAIN, *stages)


def deployed(file: str, *stages: str) -> Net:
    return built(read_net(FOLDER / f"{file}.deploy.prototxt"), caffe_pb2.TEST, *stages)


def shapes(net: Net) -> dict[str, list[tuple[int, ...]]]:
    return {name: [blob.shape for blob in blobs] for name, blobs in net.params.items()}


def values(net: Net) -> int:
    return sum(blob.count for blobs in net.params.values() for blob in blobs)


def lstm(units: int, layer: str) -> dict[str, list[tuple[int, ...]]]:
    return TRUNK | (FC7 if layer == "fc7" else {}) | {
        "lstm1": [(4 * units, 4096), (4 * units,), (4 * units, units)],
        "fc8-final": [(CLASSES, units), (CLASSES,)]}


@pytest.mark.parametrize("units, layer, modality", VARIANTS)
def test_lrcn(units, layer, modality):
    net = trained("lrcn.prototxt", modality, layer, f"units{units}")
    assert shapes(net) == lstm(units, layer)
    assert net.blobs["reshape"].shape == (STEPS, VIDEOS, 4096)
    assert net.blobs["fc8-final"].shape == (STEPS, VIDEOS, CLASSES)
    assert sorted(net.outputs) == ["accuracy", "loss"]
    assert net.blob_loss_weights["loss"] == 1
    assert shapes(deployed("lrcn", modality, layer, f"units{units}")) == shapes(net)


def test_values_are_as_many_as_in_the_published_weights():
    assert values(trained("lrcn.prototxt", "RGB")) == 65_421_285
    assert values(deployed("lrcn")) == 65_421_285
    assert values(trained("single_frame.prototxt", "RGB")) == 78_132_965
    assert values(deployed("single_frame")) == 78_132_965


def test_without_stages_lrcn_is_fc6_with_256_units():
    assert kept("lrcn.prototxt", caffe_pb2.TRAIN, "RGB") == kept(
        "lrcn.prototxt", caffe_pb2.TRAIN, "RGB", "fc6", "units256")
    assert kept("lrcn.deploy.prototxt", caffe_pb2.TEST) == kept(
        "lrcn.deploy.prototxt", caffe_pb2.TEST, "RGB", "fc6", "units256")


def test_other_numbers_of_steps_and_videos_fit():
    """T and N stand in the data layers alone."""
    net = trained("lrcn.prototxt", "flow", steps=5, videos=2)
    assert net.blobs["fc8-final"].shape == (5, 2, CLASSES)
    net = deployed("lrcn")
    for shape, blob in (((12, 3, 227, 227), "data"), ((4, 3), "clip_markers")):
        net.blobs[blob].reshape(*shape)
    net.reshape()
    assert net.blobs["probs"].shape == (4, 3, CLASSES)


def test_deployed_nets():
    net = deployed("lrcn")
    assert sorted(net.inputs) == ["clip_markers", "data"] and net.outputs == ["probs"]
    assert net.blobs["probs"].shape == (16, 1, CLASSES)
    net = deployed("single_frame")
    assert net.inputs == ["data"] and net.outputs == ["probs"]
    assert net.blobs["probs"].shape == (16, CLASSES)
    for file, stages in product(("lrcn", "single_frame"), ((), ("RGB",), ("flow",))):
        given = kept(f"{file}.deploy.prototxt", caffe_pb2.TEST, *stages)[0]
        transform = given.transform_param
        assert (transform.crop_size, transform.flow) == (227, stages == ("flow",))
        assert list(transform.mean_value) == pytest.approx(
            [128] if transform.flow else [103.939, 116.779, 123.68])
        assert (given.image_data_param.new_height, given.image_data_param.new_width) == (240, 320)


def test_each_net_starts_from_the_one_before():
    hybrid = shapes(trained("hybrid.train_val.prototxt", steps=1))
    assert hybrid == TRUNK | FC7 | {"fc8": [(1000, 4096), (1000,)]}
    single = shapes(trained("single_frame.prototxt", "RGB"))
    assert single == TRUNK | FC7 | {"fc8-ucf": [(CLASSES, 4096), (CLASSES,)]}
    assert (TRUNK | FC7).items() <= shapes(trained("lrcn.prototxt", "RGB", "fc7")).items()
    chain = {"single_frame.RGB": "hybrid", "single_frame.flow": "hybrid",
             "lrcn.RGB": "single_frame.RGB", "lrcn.flow": "single_frame.flow"}
    for name, before in chain.items():
        first = read_solver(SOLVERS[before]).param
        assert list(read_solver(SOLVERS[name]).param.weights) == [
            f"{first.snapshot_prefix}_iter_{first.max_iter}.caffemodel"]


@pytest.mark.parametrize("kind", ["hybrid", "caffenet"])
def test_the_convnets_read_lists_of_pictures(kind):
    file = f"{kind}.train_val.prototxt"
    assert values(trained(file, steps=1)) == {"hybrid": 81_816_168, "caffenet": 60_965_224}[kind]
    for phase, name in ((caffe_pb2.TRAIN, "train"), (caffe_pb2.TEST, "val")):
        data = kept(file, phase)[0]
        assert data.image_data_param.source == f"data/ilsvrc12/{name}.txt"
        assert data.transform_param.mirror == data.image_data_param.shuffle == (name == "train")


@pytest.mark.parametrize("file, dropouts", [
    ("single_frame.prototxt", {"drop6": 0.5, "drop7": 0.5}),
    ("lrcn.prototxt", {"drop6": 0.9, "drop-lstm": 0.5})])
def test_settings_of_layers(file, dropouts):
    layers = {layer.name: layer for layer in kept(file, caffe_pb2.TRAIN, "RGB")}
    last = "fc8-ucf" if file.startswith("single") else "fc8-final"
    assert {name: layer.dropout_param.dropout_ratio for name, layer in layers.items()
            if layer.type == "Dropout"} == pytest.approx(dropouts)
    for name, layer in layers.items():
        if layer.type in ("Convolution", "InnerProduct"):
            param = (layer.convolution_param if layer.type == "Convolution"
                     else layer.inner_product_param)
            assert [(item.lr_mult, item.decay_mult) for item in layer.param] == (
                [(10, 1), (20, 0)] if name == last else [(1, 1), (2, 0)])
            assert (param.weight_filler.type, param.bias_filler.type) == ("gaussian", "constant")
            assert param.weight_filler.std == pytest.approx(0.01)
            assert param.bias_filler.value == pytest.approx(0 if name == last else 0.1)
        elif layer.type == "LRN":
            assert (layer.lrn_param.local_size, layer.lrn_param.beta) == (5, 0.75)
            assert layer.lrn_param.alpha == pytest.approx(1e-4)
    if "lstm1" in layers:
        recurrent = layers["lstm1"].recurrent_param
        assert recurrent.weight_filler.type == "uniform" and not layers["lstm1"].param
        assert (recurrent.weight_filler.min, recurrent.weight_filler.max) == pytest.approx(
            (-0.01, 0.01))
        assert recurrent.bias_filler.value == 0


@pytest.mark.parametrize("file, clip, batches", [("single_frame", 1, (128, 128)),
                                                 ("lrcn", 16, (24, 3))])
@pytest.mark.parametrize("modality", ["RGB", "flow"])
def test_data(file, clip, batches, modality):
    mean = [128] if modality == "flow" else [103.939, 116.779, 123.68]
    for phase, batch, stages in zip((caffe_pb2.TRAIN, caffe_pb2.TEST), batches,
                                    ((), ("test-on-test",)), strict=True):
        data = kept(f"{file}.prototxt", phase, modality, *stages)[0]
        given, training = data.video_data_param, phase == caffe_pb2.TRAIN
        assert (given.clip_length, given.batch_size, given.shuffle) == (clip, batch, training)
        assert given.source == f"data/ucf101/{'train' if training else 'test'}1.txt"
        assert given.root_folder == f"data/ucf101/{'flow' if modality == 'flow' else 'frames'}"
        assert given.modality == (modality == "flow") and not given.faithful
        assert (data.transform_param.crop_size, data.transform_param.mirror) == (227, training)
        assert list(data.transform_param.mean_value) == pytest.approx(mean)


# name -> stages, stepsize, max_iter, clip_gradients, test_iter, average_loss
SCHEDULES = {
    "single_frame.RGB": (["RGB"], 3000, 5000, -1, 75, 1),
    "single_frame.flow": (["flow"], 20000, 50000, -1, 75, 1),
    "lrcn.RGB": (["RGB", "fc6", "units256"], 10000, 30000, 5, 100, 1000),
    "lrcn.flow": (["flow", "fc6", "units1024"], 20000, 70000, 15, 100, 1000),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name):
    param = read_solver(SOLVERS[name]).param
    stages, stepsize, max_iter, clip, tests, average = SCHEDULES[name]
    assert list(param.train_state.stage) == stages
    assert [list(state.stage) for state in param.test_state] == [[*stages, "test-on-test"]]
    assert (param.stepsize, param.max_iter, param.clip_gradients) == (stepsize, max_iter, clip)
    assert (list(param.test_iter), param.average_loss) == ([tests], average)
    assert (param.lr_policy, param.gamma, param.base_lr) == ("step", pytest.approx(0.1),
                                                             pytest.approx(0.001))
    assert (param.momentum, param.weight_decay) == (pytest.approx(0.9), pytest.approx(0.005))
    assert (param.display, param.snapshot, param.random_seed) == (20, 5000, 1701)
    assert (param.type, param.test_interval) == ("SGD", 100)


def test_each_solver_says_how_to_run_it():
    assert set(SOLVERS) == {*SCHEDULES, "hybrid", "caffenet"}
    prefixes = [read_solver(path).param.snapshot_prefix for path in SOLVERS.values()]
    assert len(set(prefixes)) == len(prefixes)
    for path in SOLVERS.values():
        assert f"\n#   caffe-lrcn train --solver prototxt/activity/{path.name}\n" in (
            path.read_text())
        assert (FOLDER / read_solver(path).param.net).exists()
