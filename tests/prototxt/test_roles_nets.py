"""The definitions of Figure 5: shapes, weights that fit, small ones that differ in size alone."""
import re
from pathlib import Path

import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_net, read_net, read_solver
from caffe_lrcn.tasks.description.describe import DEPLOY
from caffe_lrcn.tasks.description.sized_nets import NETS, sized

FOLDER = Path(__file__).parents[2] / "prototxt" / "description"
#: What the definitions of the paper's size say.
WORDS, STATES, STREAMS, STEPS, ROWS, UNITS = 2000, 300, 100, 20, 23, 1000
TRAINED = {"a": ("encoder_decoder.prototxt", ()), "b": ("decoder.prototxt", ("max",)),
           "c": ("decoder.prototxt", ("prob",))}
LSTM = 4 * UNITS
COMMON = {"embedding": [(WORDS, UNITS)], "lstm2": [(LSTM, UNITS), (LSTM,), (LSTM, UNITS)],
          "predict": [(WORDS, UNITS), (WORDS,)]}
WEIGHTS = {
    "a": {"slot_embedding": [(STATES, UNITS)], "encoder": [(LSTM, UNITS), (LSTM,), (LSTM, UNITS)],
          "lstm1": [(LSTM, 2 * UNITS), (LSTM,), (LSTM, UNITS)]},
    "b": {"lstm1": [(LSTM, UNITS), (LSTM,), (LSTM, STATES), (LSTM, UNITS)]}}
WEIGHTS["c"] = WEIGHTS["b"]


def built(architecture, phase):
    """Return a training net without memory, fed by inputs of the data's shapes."""
    file, stages = TRAINED[architecture]
    definition = read_net(FOLDER / file)
    rows = (ROWS if architecture == "a" else STEPS, STREAMS)
    shapes = dict.fromkeys(("cont_sentence", "input_sentence", "target_sentence"), rows)
    shapes |= (dict.fromkeys(("cont_slots", "input_slots", "hand_over"), rows)
               if architecture == "a" else {"roles": (STREAMS, STATES)})
    inputs = "".join(f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ '
                     f'dim: {shape[0]} dim: {shape[1]} }} }} }}\n'
                     for name, shape in shapes.items())
    definition.layers = parse_net(inputs).layers + [
        layer for layer in definition.layers if layer.param.type != "HDF5Data"]
    return Net(definition, get_backend("shapes"), phase=phase, stages=stages)


def shapes_of(net):
    return {name: [blob.shape for blob in blobs] for name, blobs in net.params.items()}


@pytest.mark.parametrize("phase", [caffe_pb2.TRAIN, caffe_pb2.TEST], ids=["train", "test"])
@pytest.mark.parametrize("architecture", TRAINED)
def test_shapes(architecture, phase):
    net = built(architecture, phase)
    assert shapes_of(net) == COMMON | WEIGHTS[architecture]
    assert net.blob_loss_weights["cross_entropy_loss"] == 20
    assert ("accuracy" in net.outputs) == (phase == caffe_pb2.TEST)


@pytest.mark.parametrize("architecture", TRAINED)
def test_deploy_nets_take_the_trained_weights(architecture):
    net = Net(read_net(FOLDER / DEPLOY[architecture]), get_backend("shapes"), phase=caffe_pb2.TEST)
    assert shapes_of(net) == COMMON | WEIGHTS[architecture]
    assert net.outputs == ["probs"] and net.blobs["probs"].shape[2] == WORDS


@pytest.mark.parametrize("architecture", TRAINED)
def test_each_net_reads_what_its_architecture_takes(architecture):
    file, stages = TRAINED[architecture]
    for split, phase in (("train", caffe_pb2.TRAIN), ("val", caffe_pb2.TEST)):
        state = caffe_pb2.NetState(phase=phase, stage=stages)
        read = [layer.param for layer in read_net(FOLDER / file).layers
                if layer.param.type == "HDF5Data" and layer.param.include[0].phase == phase
                and set(layer.param.include[0].stage) <= set(state.stage)]
        kinds = {Path(param.hdf5_data_param.source).name: param.hdf5_data_param.batch_size
                 for param in read}
        assert kinds == {"a": {"symbols.txt": ROWS},
                         "b": {"max.txt": STREAMS, "hdf5_chunk_list.txt": STEPS},
                         "c": {"prob.txt": STREAMS, "hdf5_chunk_list.txt": STEPS}}[architecture]
        assert all(f"/{split}_aligned_" in param.hdf5_data_param.source for param in read)


@pytest.mark.parametrize("name", NETS)
def test_small_ones_differ_in_numbers_and_first_weights(name):
    if name.endswith("_solver.prototxt"):
        paper, small = (read_solver(folder / name).param for folder in (FOLDER, FOLDER / "small"))
        for field in ("net", "train_state", "test_state", "momentum", "clip_gradients"):
            assert getattr(paper, field) == getattr(small, field)
        return
    numbers = {"words": 1, "states": 1, "units": 1, "streams": 1}
    texts = [re.sub(r"(?m)^#.*\n", "", sized((folder / name).read_text(), numbers))
             for folder in (FOLDER, FOLDER / "small")]
    assert texts[0].replace('"uniform" min: -0.08 max: 0.08', '"xavier"') == texts[1]
    head = re.match(r"(?:#.*\n)+", (FOLDER / "small" / name).read_text())[0]
    assert "How it differs from the paper's" in head


@pytest.mark.parametrize("name", NETS)
def test_every_number_of_the_data_has_a_mark(name):
    """With other numbers at the marks none of the old ones is left."""
    numbers = {"words": 7771, "states": 7772, "streams": 7773, "steps": 7774, "rows": 7775,
               "units": 7776}
    layers = [line for line in sized((FOLDER / name).read_text(), numbers).splitlines()
              if not line.startswith("#") and "Input" not in line]
    for number in (WORDS, STATES, ROWS, UNITS):
        assert not any(re.search(rf"\b(dim|num_output|batch_size): {number}\b", line)
                       for line in layers), (name, number)


def test_the_schedule_is_that_of_lrcn_2u():
    wanted = read_solver(FOLDER.parent / "captioning" / "lrcn.unfactored_solver.prototxt").param
    for name in NETS:
        if name.endswith("_solver.prototxt"):
            param = read_solver(FOLDER / name).param
            for field in ("base_lr", "lr_policy", "gamma", "stepsize", "max_iter", "momentum",
                          "weight_decay", "clip_gradients"):
                assert getattr(param, field) == getattr(wanted, field), (name, field)


def test_first_weights_are_lrcn_s():
    text = (FOLDER / "encoder_decoder.prototxt").read_text()
    assert set(re.findall(r"weight_filler \{(.*?)\}", text)) == {
        ' type: "uniform" min: -0.08 max: 0.08 '}
