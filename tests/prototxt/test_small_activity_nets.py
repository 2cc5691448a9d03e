"""The nets for generated clips: variants, deployed nets, the chain, what they read."""
from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.net.filter import filter_layers, make_state
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_net, read_net, read_solver
from caffe_lrcn.tasks.toy_actions.dataset import Extent
from caffe_lrcn.tasks.toy_actions.motions import CLASSES
from caffe_lrcn.tasks.toy_actions.systems import SYSTEMS

FOLDER = Path(__file__).parents[2] / "prototxt" / "activity" / "small"
CROP, COUNT = 56, len(CLASSES)


def kept(file: str, phase: int, *stages: str) -> list[caffe_pb2.LayerParameter]:
    state = make_state(phase, 0, stages, caffe_pb2.NetState())
    return [layer.param for layer in filter_layers(read_net(FOLDER / file).layers, state)]


def trained(kind: str, *stages: str, steps: int = 8, clips: int = 2) -> Net:
    """Build a training net with Input layers in the place of data layers, which need files."""
    text = f'''layer {{ name: "in" type: "Input" top: "data" top: "label" top: "clip_markers"
        input_param {{ shape {{ dim: {steps * clips} dim: 3 dim: {CROP} dim: {CROP} }}
        shape {{ dim: {steps} dim: {clips} }} shape {{ dim: {steps} dim: {clips} }} }} }}'''
    definition = read_net(FOLDER / f"{kind}.prototxt")
    definition.layers = parse_net(text).layers + [
        layer for layer in definition.layers if layer.param.type != "VideoData"]
    return Net(definition, get_backend("shapes"), phase=caffe_pb2.TRAIN, stages=stages)


def deployed(kind: str, *stages: str) -> Net:
    return Net(read_net(FOLDER / f"{kind}.deploy.prototxt"), get_backend("shapes"),
               phase=caffe_pb2.TEST, stages=stages)


def shapes(net: Net) -> dict[str, list[tuple[int, ...]]]:
    return {name: [blob.shape for blob in blobs] for name, blobs in net.params.items()}


@pytest.mark.parametrize("units, layer, modality", list(product(
    (64, 128, 256), ("fc6", "fc7"), ("RGB", "flow"))))
def test_lrcn(units, layer, modality):
    net = trained("lrcn", modality, layer, f"units{units}")
    assert net.blobs["lstm1"].shape == (8, 2, units)
    assert net.blobs["fc8-final"].shape == (8, 2, COUNT)
    assert ("fc7" in net.blobs) == (layer == "fc7")
    output = deployed("lrcn", modality, layer, f"units{units}")
    assert shapes(output) == shapes(net) and output.outputs == ["probs"]
    assert output.blobs["probs"].shape == (8, 1, COUNT)


def test_the_defaults_are_fc6_and_128_units():
    assert kept("lrcn.deploy.prototxt", caffe_pb2.TEST) == kept(
        "lrcn.deploy.prototxt", caffe_pb2.TEST, "RGB", "fc6", "units128")
    assert kept("lrcn.prototxt", caffe_pb2.TRAIN, "flow") == kept(
        "lrcn.prototxt", caffe_pb2.TRAIN, "flow", "fc6", "units128")


@pytest.mark.parametrize("layer", ["fc6", "fc7"])
def test_the_chain(layer):
    """LRCN takes all layers of the single-frame net but the last one, and its solver says so."""
    single, lrcn = shapes(trained("single_frame", "RGB")), shapes(trained("lrcn", "RGB", layer))
    common = set(single) - {"fc8-ucf"} - ({"fc7", "bn7", "scale7"} if layer == "fc6" else set())
    assert set(lrcn) - common == {"lstm1", "fc8-final"}
    assert all(lrcn[name] == single[name] for name in common)
    assert shapes(deployed("single_frame")) == single
    for modality in ("RGB", "flow"):
        first, second = (read_solver(FOLDER / f"{kind}.{modality}_solver.prototxt").param
                         for kind in ("single_frame", "lrcn"))
        assert not first.weights and list(second.weights) == [
            f"{first.snapshot_prefix}_iter_{first.max_iter}.caffemodel"]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_what_they_read(system):
    extent = Extent()
    for phase, part, clips in ((caffe_pb2.TRAIN, "train", 0),
                               (caffe_pb2.TEST, "test", extent.test_groups * COUNT)):
        data = kept(f"{system.kind}.prototxt", phase, system.modality)[0]
        given = data.video_data_param
        assert given.source == f"data/actions/{part}1.txt"
        assert given.root_folder == system.frames.as_posix()
        assert given.modality == (system.modality == "flow")
        # A mirrored clip may belong to another class.
        assert not data.transform_param.mirror and data.transform_param.crop_size == CROP
        length = 8 - (system.modality == "flow") if system.kind == "lrcn" else 1
        assert given.clip_length == length
        if clips:  # a test looks at each clip once
            param = read_solver(FOLDER.parents[2] / system.solver).param
            assert given.batch_size * param.test_iter[0] == clips
        shown = kept(f"{system.kind}.deploy.prototxt", caffe_pb2.TEST, system.modality)[0]
        transform = shown.transform_param
        assert transform.flow == (system.modality == "flow")
        transform.ClearField("flow")
        assert transform == data.transform_param
        assert (shown.image_data_param.new_height, shown.image_data_param.new_width) == (
            given.new_height, given.new_width) == (extent.side, extent.side)


def test_each_solver_says_how_to_run_it():
    solvers = sorted(FOLDER.glob("*_solver.prototxt"))
    assert [path.name for path in solvers] == sorted(
        Path(system.solver).name for system in SYSTEMS)
    for path in solvers:
        assert f"\n#   caffe-lrcn train --solver prototxt/activity/small/{path.name}\n" in (
            path.read_text())
