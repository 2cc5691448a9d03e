"""The small definitions: every variant builds, deploys with the same weights, and says what it is.
"""
from itertools import chain
from pathlib import Path

import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.net.filter import filter_layers, make_state
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_net, read_net, read_solver

FOLDER = Path(__file__).parents[2] / "prototxt"
VARIANTS = [stages + unit for stages in (("factored", "2-layer"), ("unfactored", "1-layer"),
                                         ("unfactored", "2-layer")) for unit in ((), ("rnn",))]


def layers(file, phase, stages):
    definition = read_net(FOLDER / file)
    return [layer.param for layer in
            filter_layers(definition.layers, make_state(phase, 0, stages, caffe_pb2.NetState()))]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.prototxt")), ids=lambda path: path.name)
def test_begins_with_a_comment_that_compares_with_the_paper(path):
    comment = "".join(line for line in path.read_text().splitlines(True) if line.startswith("#"))
    assert path.read_text().startswith("#") and "How it differs from the paper's" in comment


@pytest.mark.parametrize("stages", VARIANTS, ids="-".join)
def test_training_and_test_nets_have_the_same_learnt_layers(stages):
    found = [[layer.name for layer in layers("lrcn.prototxt", phase, stages + extra)]
             for phase, extra in ((caffe_pb2.TRAIN, ()), (caffe_pb2.TRAIN, ("freeze-convnet",)),
                                  (caffe_pb2.TEST, ("test-on-train",)),
                                  (caffe_pb2.TEST, ("test-on-val",)))]
    assert found[0] == found[1]
    assert found[2] == found[3] == [*found[0], "accuracy"]
    assert len(set(found[0])) == len(found[0])


@pytest.mark.parametrize("stages", VARIANTS, ids="-".join)
def test_picture_goes_where_the_variant_says(stages):
    reads = [layer.name for layer in layers("lrcn.prototxt", caffe_pb2.TRAIN, stages)
             if "image_features" in layer.bottom]
    unit = "rnn" if "rnn" in stages else "lstm"
    assert reads == [f"{unit}{2 if 'factored' in stages else 1}"]


def test_frozen_convnet_learns_only_above_fc7():
    learning = {layer.name for layer in
                layers("lrcn.prototxt", caffe_pb2.TRAIN, ("factored", "2-layer", "freeze-convnet"))
                if any(param.lr_mult for param in layer.param)}
    assert learning == {"fc8", "predict"}


@pytest.mark.parametrize("stages", VARIANTS, ids="-".join)
def test_deploy_nets_take_the_training_net_s_weights(stages, tmp_path):
    backend = get_backend("cpu")
    # Data layers need files; inputs of the same shapes stand in for them.
    text = "".join(f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ '
                   f'{" ".join(f"dim: {size}" for size in shape)} }} }} }}\n'
                   for name, shape in (("data", (2, 3, 64, 64)), ("label", (2,)),
                                       ("cont_sentence", (4, 2)), ("input_sentence", (4, 2)),
                                       ("target_sentence", (4, 2))))
    definition = read_net(FOLDER / "lrcn.prototxt")
    definition.layers = parse_net(text).layers + [
        layer for layer in definition.layers if "Data" not in layer.param.type]
    trained = Net(definition, backend, phase=caffe_pb2.TRAIN, stages=stages)
    trained.save(str(tmp_path / "w.caffemodel"))
    used = []
    for half, variant in (("image", ()), ("word", stages)):
        definition = read_net(FOLDER / f"lrcn_{half}_deploy.prototxt")
        net = Net(definition, backend, phase=caffe_pb2.TEST, stages=variant)
        report = net.copy_trained_layers_from(str(tmp_path / "w.caffemodel"))
        assert not report.missing
        used += report.loaded
    assert sorted(used) == sorted(trained.params)


def test_deploy_without_stages_is_the_default_job():
    default = layers("lrcn_word_deploy.prototxt", caffe_pb2.TEST, ())
    factored = layers("lrcn_word_deploy.prototxt", caffe_pb2.TEST, ("factored", "2-layer"))
    assert default == factored


@pytest.mark.parametrize("stages", [(), ("embed-drop",), ("lstm-drop", "embed-drop")], ids=len)
def test_language_model(stages):
    names = [layer.name for layer in
             layers("language_model.prototxt", caffe_pb2.TRAIN, stages)]
    assert {name for name in names if name.endswith("drop")} == set(stages)
    assert names[0] == "sentences" and names[-1] == "cross_entropy_loss"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*_solver.prototxt")),
                         ids=lambda path: path.name)
def test_solvers_name_nets_beside_them_and_stages_they_know(path):
    param = read_solver(path).param
    definition = read_net(FOLDER / param.net)
    rules = [rule for layer in definition.param.layer
             for rule in chain(layer.include, layer.exclude)]
    known = {stage for rule in rules for stage in chain(rule.stage, rule.not_stage)}
    assert set(param.train_state.stage) <= known
    assert len(param.test_iter) == max(1, len(param.test_state))
    for state in param.test_state:
        assert set(state.stage) <= known
        assert any(stage.startswith("test-on-") for stage in state.stage)
