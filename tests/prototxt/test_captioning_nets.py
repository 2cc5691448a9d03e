"""Captioning at the paper's scale: every variant builds, with the paper's shapes, and deploys."""
from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.language.decoder import Decoder
from caffe_lrcn.net.filter import filter_layers, make_state
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import NetDef, parse_net, read_net, read_solver

FOLDER = Path(__file__).parents[2] / "prototxt" / "captioning"
ZOO = FOLDER.parent / "zoo"
FILES = sorted(FOLDER.glob("*.prototxt"))
SOLVERS = {path.name.removesuffix("_solver.prototxt"): path for path in FILES
           if path.name.endswith("_solver.prototxt")}
# training net -> (side of its pictures, its picture half, the convnet of the zoo)
NETS = {"lrcn.prototxt": (227, "caffenet.deploy.prototxt", "caffenet"),
        "lrcn.vgg.prototxt": (224, "vgg16.deploy.prototxt", "vgg16")}
WORDS, UNITS, STEPS, PICTURES = 8801, 1000, 20, 2
# An LSTM's x to gates, bias, [static to gates,] h to gates; an RNN's also h to o and its bias.
LSTM = [(4 * UNITS, UNITS), (4 * UNITS,), (4 * UNITS, UNITS)]
LSTM_IMAGE = [*LSTM[:2], (4 * UNITS, UNITS), LSTM[2]]
RNN = [(UNITS, UNITS), (UNITS,), (UNITS, UNITS), (UNITS, UNITS), (UNITS,)]
RNN_IMAGE = [*RNN[:2], (UNITS, UNITS), *RNN[2:]]
EMBED, PREDICT = [(WORDS, UNITS)], [(WORDS, UNITS), (WORDS,)]
# stages -> parameter shapes of the layers above fc8
VARIANTS = {
    ("unfactored", "1-layer"): {"embedding": EMBED, "lstm1": LSTM_IMAGE, "predict": PREDICT},
    ("unfactored", "2-layer"): {"embedding": EMBED, "lstm1": LSTM_IMAGE, "lstm2": LSTM,
                                "predict": PREDICT},
    ("factored", "2-layer"): {"embedding": EMBED, "lstm1": LSTM, "lstm2": LSTM_IMAGE,
                              "predict": PREDICT},
    ("unfactored", "1-layer", "rnn"): {"embedding": EMBED, "rnn1": RNN_IMAGE, "predict": PREDICT},
    ("unfactored", "2-layer", "rnn"): {"embedding": EMBED, "rnn1": RNN_IMAGE, "rnn2": RNN,
                                       "predict": PREDICT},
    ("factored", "2-layer", "rnn"): {"embedding": EMBED, "rnn1": RNN, "rnn2": RNN_IMAGE,
                                     "predict": PREDICT},
    ("nic",): {"embedding": [(WORDS, 512)], "image_embedding": [(512, 1000), (512,)],
               "lstm1": [(2048, 512), (2048,), (2048, 512)],
               "predict": [(WORDS, 512), (WORDS,)]},
    ("m-rnn",): {"embedding": [(WORDS, 128)], "embedding2": [(256, 128), (256,)],
                 "rnn1": [(256, 256), (256,), (256, 256), (256, 256), (256,)],
                 "word_part": [(512, 256)], "recurrent_part": [(512, 256)],
                 "image_part": [(512, 1000), (512,)], "predict": [(WORDS, 512), (WORDS,)]},
}
ALL = [(file, stages) for file in NETS for stages in VARIANTS]


def kept(file: str, phase: int, stages: tuple[str, ...]) -> list[caffe_pb2.LayerParameter]:
    layers = read_net(FOLDER / file).layers
    state = make_state(phase, 0, stages, caffe_pb2.NetState())
    return [layer.param for layer in filter_layers(layers, state)]


def fed_by_inputs(definition: NetDef, side: int) -> NetDef:
    """Put Input layers in the place of data layers, which need files."""
    words = (STEPS, PICTURES)
    shapes = {"cont_sentence": words, "input_sentence": words, "target_sentence": words}
    if side:
        shapes |= {"data": (PICTURES, 3, side, side), "label": (PICTURES,)}
    text = "".join(f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ '
                   f'{" ".join(f"dim: {size}" for size in shape)} }} }} }}\n'
                   for name, shape in shapes.items())
    definition.layers = parse_net(text).layers + [
        layer for layer in definition.layers if "Data" not in layer.param.type]
    return definition


def built(definition: NetDef, phase: int, stages: tuple[str, ...] = ()) -> Net:
    """Build a net whose parameters take no memory; their fillers are only checked."""
    return Net(definition, get_backend("shapes"), phase=phase, stages=stages)


def trained(file: str, stages: tuple[str, ...], phase: int = caffe_pb2.TRAIN) -> Net:
    side = NETS[file][0] if file in NETS else 0
    return built(fed_by_inputs(read_net(FOLDER / file), side), phase, stages)


def shapes(net: Net) -> dict[str, list[tuple[int, ...]]]:
    return {name: [blob.shape for blob in blobs] for name, blobs in net.params.items()}


@pytest.mark.parametrize(("file", "stages"), ALL)
def test_shapes(file, stages):
    net = trained(file, stages)
    convnet = shapes(built(read_net(FOLDER / NETS[file][1]), caffe_pb2.TEST))
    assert shapes(net) == convnet | VARIANTS[stages]
    assert net.blobs["fc8"].shape == (PICTURES, 1000)
    assert net.blobs["predict"].shape == (STEPS, PICTURES, WORDS)
    assert net.outputs == ["cross_entropy_loss"]
    assert net.blob_loss_weights["cross_entropy_loss"] == 20


@pytest.mark.parametrize("stages", VARIANTS)
def test_the_word_half_takes_the_trained_layers(stages):
    file = {"nic": "nic_word_to_preds", "m-rnn": "m_rnn_word_to_preds"}.get(
        stages[0], "lrcn_word_to_preds")
    net = built(read_net(FOLDER / f"{file}.deploy.prototxt"), caffe_pb2.TEST,
                stages if file.startswith("lrcn") else ())
    assert shapes(net) == VARIANTS[stages]
    assert sorted(net.inputs) == ["cont_sentence", "image_features", "input_sentence"]
    assert net.outputs == ["probs"] and net.blobs["probs"].shape == (1, 1000, WORDS)


def test_the_word_half_without_stages_is_two_layers_factored():
    file = "lrcn_word_to_preds.deploy.prototxt"
    assert kept(file, caffe_pb2.TEST, ()) == kept(file, caffe_pb2.TEST, ("factored", "2-layer"))


@pytest.mark.parametrize("deployed, zoo", [net[1:] for net in NETS.values()])
def test_the_picture_half_takes_the_zoo_s_weights(deployed, zoo):
    published = shapes(built(read_net(ZOO / zoo / "deploy.prototxt"), caffe_pb2.TEST))
    net = built(read_net(FOLDER / deployed), caffe_pb2.TEST)
    assert shapes(net) == published
    assert net.outputs == ["fc8"]


@pytest.mark.parametrize("stages", [(), ("embed-drop",), ("embed-drop", "lstm-drop")], ids=len)
def test_language_model(stages):
    net = trained("lstm_lm.prototxt", stages)
    assert {name for name in net.layer_names if name.endswith("drop")} == set(stages)
    assert shapes(net) == {"embedding": EMBED, "lstm1": LSTM, "predict": PREDICT}
    deployed = built(read_net(FOLDER / "lstm_lm.deploy.prototxt"), caffe_pb2.TEST)
    assert shapes(deployed) == shapes(net)
    assert deployed.blobs["probs"].shape == (1, 1, WORDS)


def test_lrcn_takes_the_language_model_s_layers():
    model, captioner = (shapes(trained(*net)) for net in (
        ("lstm_lm.prototxt", ()), ("lrcn.prototxt", ("factored", "2-layer"))))
    assert model.items() <= captioner.items()


@pytest.mark.parametrize(("file", "stages"), ALL)
def test_tests_add_the_accuracy(file, stages):
    names = {phase: [layer.name for layer in kept(file, phase, (*stages, *extra))]
             for phase, extra in ((caffe_pb2.TRAIN, ()), (caffe_pb2.TEST, ("test-on-val",)))}
    assert names[caffe_pb2.TEST] == [*names[caffe_pb2.TRAIN], "accuracy"]
    assert len(set(names[caffe_pb2.TRAIN])) == len(names[caffe_pb2.TRAIN])


@pytest.mark.parametrize("file", NETS)
def test_rates(file):
    def rates(extra):
        return {layer.name: [param.lr_mult for param in layer.param]
                for layer in kept(file, caffe_pb2.TRAIN, ("factored", "2-layer", *extra))
                if layer.param}

    frozen, learning = rates(("freeze-convnet",)), rates(())
    assert frozen.pop("predict") == learning.pop("predict") == [1, 2]
    assert frozen.pop("fc8") == learning["fc8"] == pytest.approx([0.1, 0.2])
    assert set(map(tuple, frozen.values())) == {(0, 0)}
    assert all(rate == pytest.approx([0.1, 0.2]) for rate in learning.values())
    assert len(learning) == {"lrcn.prototxt": 8, "lrcn.vgg.prototxt": 16}[file]


def sources(file: str, phase: int, stages: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return (folder, batch size) of the pictures and (folder, steps) of the words."""
    return [(str(Path(param.source).parent), param.batch_size)
            for layer in kept(file, phase, stages) if "Data" in layer.type
            for param in [layer.image_data_param if layer.type == "ImageData"
                          else layer.hdf5_data_param]]


@pytest.mark.parametrize("file", NETS)
@pytest.mark.parametrize("data_set", ["coco", "flickr30k"])
@pytest.mark.parametrize("frozen", [True, False])
def test_pictures_and_words_are_of_one_split(file, data_set, frozen):
    extra = ("freeze-convnet",) * frozen + ("flickr30k",) * (data_set == "flickr30k")
    streams = 100 if frozen or file == "lrcn.prototxt" else 50

    def folder(split, streams):
        path = f"data/{data_set}/buffer_{streams}/{split}_aligned_20_batches"
        return [(path, streams), (path, STEPS)]

    assert sources(file, caffe_pb2.TRAIN, extra) == folder("train", streams)
    if data_set == "coco":
        assert sources(file, caffe_pb2.TRAIN, (*extra, "trainval")) == folder("trainval", streams)
    for split in ("train", "val"):
        assert sources(file, caffe_pb2.TEST, (*extra, f"test-on-{split}")) == folder(
            split, 100 if file == "lrcn.prototxt" else 50)


# name -> base_lr, stepsize, max_iter, clip_gradients, snapshot, test nets, iter_size
SCHEDULES = {
    "lstm_lm": (0.1, 20000, 110000, 10, 5000, 2, 1),
    "lrcn": (0.01, 20000, 110000, 10, 5000, 2, 1),
    "lrcn.single_layer": (0.01, 20000, 110000, 10, 5000, 2, 1),
    "lrcn.unfactored": (0.01, 20000, 110000, 10, 5000, 2, 1),
    "lrcn.rnn": (0.01, 20000, 110000, 10, 5000, 2, 1),
    "lrcn.from_lm": (0.01, 20000, 110000, 10, 5000, 2, 1),
    "lrcn.vgg": (0.01, 20000, 110000, 10, 5000, 0, 1),
    "lrcn.flickr30k": (0.01, 20000, 110000, 10, 5000, 2, 1),
    "lrcn_finetune": (0.001, 20000, 50000, 25, 5000, 2, 1),
    "lrcn_finetune.single_layer": (0.001, 20000, 50000, 25, 5000, 2, 1),
    "lrcn_finetune.unfactored": (0.001, 20000, 50000, 25, 5000, 2, 1),
    "lrcn_finetune.flickr30k": (0.001, 20000, 50000, 25, 5000, 2, 1),
    "lrcn_finetune.trainval": (0.001, 40000, 100000, 25, 5000, 1, 1),
    "lrcn_finetune.vgg": (0.001, 20000, 50000, 25, 2500, 0, 2),
    "lrcn_finetune.vgg.trainval": (0.001, 40000, 100000, 25, 5000, 0, 2),
    "nic": (0.01, 20000, 110000, 10, 5000, 2, 1),
    "m_rnn": (0.01, 20000, 110000, 10, 5000, 2, 1),
}


@pytest.mark.parametrize("name", SOLVERS)
def test_solvers(name):
    param = read_solver(SOLVERS[name]).param
    rate, step, end, clip, snapshot, tests, iter_size = SCHEDULES[name]
    assert param.base_lr == pytest.approx(rate)
    assert (param.stepsize, param.max_iter, param.clip_gradients, param.snapshot,
            param.iter_size) == (step, end, clip, snapshot, iter_size)
    assert (param.lr_policy, param.gamma, param.weight_decay, param.random_seed, param.display,
            param.average_loss) == ("step", 0.5, 0, 1701, 1, 100)
    assert param.momentum == pytest.approx(0.9)
    assert list(param.test_iter) == [25] * tests and len(param.test_state) == tests
    assert param.snapshot_prefix == f"out/captioning/{name.replace('.', '_')}"


def test_every_schedule_is_checked():
    assert SOLVERS.keys() == SCHEDULES.keys()


@pytest.mark.parametrize("name", SOLVERS)
def test_solvers_choose_one_data_set_and_one_variant(name):
    param = read_solver(SOLVERS[name]).param
    states = [(caffe_pb2.TRAIN, param.train_state)] + [(caffe_pb2.TEST, state)
                                                      for state in param.test_state]
    for phase, state in states:
        types = [layer.type for layer in kept(param.net, phase, tuple(state.stage))]
        assert types.count("HDF5Data") == 1
        assert types.count("ImageData") == (param.net != "lstm_lm.prototxt")
    assert ("freeze-convnet" in param.train_state.stage) == (
        not name.startswith(("lrcn_finetune", "lstm_lm")))
    assert ("trainval" in param.train_state.stage) == name.endswith("trainval")
    assert ("flickr30k" in param.train_state.stage) == name.endswith("flickr30k")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_begins_with_a_comment(path):
    assert path.read_text().startswith("# ")
    assert max(map(len, path.read_text().splitlines())) <= 100


def small(file: str, keep: str, steps: int, rows: int) -> NetDef:
    """Return the sequence model of a file with all sizes small, from features and words on."""
    text = (FOLDER / file).read_text()
    for number, size in ((8801, 30), (1000, 7), (512, 6), (256, 5), (128, 4)):
        for field in ("num_output", "input_dim", "dim"):
            text = re.sub(rf"\b{field}: {number}\b", f"{field}: {size}", text)
    text = text.replace("tiles: 20", f"tiles: {steps}")
    words = f"shape {{ dim: {steps} dim: {rows} }}"
    inputs = "".join(f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ {shape} '
                     f'}} }}\n' for name, shape in (
                         ("cont_sentence", words), ("input_sentence", words),
                         (keep, f"shape {{ dim: {rows} dim: 7 }}")))
    definition = parse_net(text)
    names = [layer.param.name for layer in definition.layers]
    end = names.index("cross_entropy_loss") if "cross_entropy_loss" in names else None
    definition.layers = parse_net(inputs).layers + definition.layers[names.index("embedding"):end]
    return definition


@pytest.mark.parametrize("stages", VARIANTS)
def test_step_by_step_is_the_whole_sentence(stages, tmp_path):
    """The word half says, one word at a time, what the training net says of whole captions."""
    rows, steps = 3, 5
    whole = Net(small("lrcn.prototxt", "fc8", steps, rows), get_backend("cpu"),
                phase=caffe_pb2.TRAIN, stages=stages, seed=1)
    for blob in whole.learnable_params:
        blob.host_data[...] *= 6  # else the pictures hardly matter
    weights = tmp_path / "w.caffemodel"
    whole.save(str(weights))
    file = {"nic": "nic_word_to_preds", "m-rnn": "m_rnn_word_to_preds"}.get(
        stages[0], "lrcn_word_to_preds")
    (tmp_path / "deploy.prototxt").write_text(str(small(
        f"{file}.deploy.prototxt", "image_features", 1, rows).param))
    random = np.random.default_rng(2)
    features = random.normal(size=(rows, 7))
    captions = [[4, 9, 29, 2], [5, 1, 3, 4], [8, 8, 8, 8]]
    whole.blobs["fc8"].host_data[...] = features
    whole.blobs["cont_sentence"].host_data[...] = np.array([0] + [1] * 4)[:, None]
    whole.blobs["input_sentence"].host_data[...] = np.array([[0, *ids] for ids in captions]).T
    whole.forward()
    scores = whole.blobs["predict"].host_data.astype(np.float64)
    log_probs = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    wanted = [sum(log_probs[t, row, word] for t, word in enumerate([*ids, 0]))
              for row, ids in enumerate(captions)]
    decoder = Decoder(tmp_path / "deploy.prototxt", weights, stages=stages
                      if file.startswith("lrcn") else ())
    scored = decoder.score(features, [[*ids, 0] for ids in captions])
    assert [sum(row) for row in scored] == pytest.approx(wanted, abs=1e-4)
    assert np.ptp(log_probs[0], axis=0).max() > 1e-2
