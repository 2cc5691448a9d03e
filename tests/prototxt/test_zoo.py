"""The zoo: every net builds, with the shapes and the number of parameters that are published."""
from __future__ import annotations

from pathlib import Path

import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.net.filter import filter_layers, make_state
from caffe_lrcn.net.net import Net
from caffe_lrcn.paths import resolve
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import NetDef, parse_net, read_net, read_solver
from caffe_lrcn.solver.policies import advance_step, learning_rate

ZOO = Path(__file__).parents[2] / "prototxt" / "zoo"
FILES = sorted(ZOO.glob("*/*.prototxt"))
SOLVERS = [path for path in FILES if "solver" in path.name]
TRAINING = [path for path in FILES if path.name.startswith("train_val")]
# net -> its output and the output's shape, and the number of its parameters
DEPLOYED = {
    "alexnet": ("prob", (10, 1000), 60_965_224),
    "caffenet": ("prob", (10, 1000), 60_965_224),
    "cifar10_full": ("prob", (1, 10), 89_578),
    "cifar10_quick": ("prob", (1, 10), 145_578),
    "flickr_style": ("prob", (10, 20), 56_950_164),
    "googlenet": ("prob", (10, 1000), 6_998_552),
    "lenet": ("prob", (64, 10), 431_080),
    "rcnn": ("fc-rcnn", (10, 200), 57_687_624),
    "siamese": ("feat", (100, 2), 431_102),
    "vgg16": ("prob", (10, 1000), 138_357_544),
}
# training net -> the number of its parameters
TRAINED = {
    "alexnet/train_val": 60_965_224,
    "caffenet/train_val": 60_965_224,
    "cifar10_full/train_val": 89_578,
    "cifar10_full/train_val_sigmoid": 89_578,
    # No bias before BatchNorm, which has two sums for each map and the number of summands.
    "cifar10_full/train_val_sigmoid_bn": 89_578 - 128 + 2 * 128 + 3,
    "cifar10_quick/train_val": 145_578,
    "flickr_style/train_val": 56_950_164,
    "googlenet/train_val": 13_378_280,
    "lenet/train_val": 431_080,
    "mnist_autoencoder/train_val": 2_837_314,
    "siamese/train_val": 431_102,
}
PICTURES = {"alexnet": (3, 227, 227), "caffenet": (3, 227, 227), "flickr_style": (3, 227, 227),
            "googlenet": (3, 224, 224), "cifar10_full": (3, 32, 32), "cifar10_quick": (3, 32, 32),
            "lenet": (1, 28, 28), "mnist_autoencoder": (1, 28, 28), "siamese": (2, 28, 28)}


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def built(definition: NetDef, phase: int) -> Net:
    """Build a net whose parameters take no memory; their fillers are only checked."""
    return Net(definition, get_backend("shapes"), phase=phase)


def count(net: Net) -> int:
    """Return the number of values in parameters, each shared one once."""
    return sum(blob.count for blob in net.learnable_params)


def fed_by_inputs(definition: NetDef, picture: tuple[int, ...]) -> NetDef:
    """Put Input layers in the place of data layers, which need files."""
    tops = next(list(layer.param.top) for layer in definition.layers if "Data" in layer.param.type)
    shapes = [(2, *picture), (2,)][:len(tops)]
    text = "".join(f'layer {{ name: "{top}" type: "Input" top: "{top}" input_param {{ shape {{ '
                   f'{" ".join(f"dim: {size}" for size in shape)} }} }} }}\n'
                   for top, shape in zip(tops, shapes, strict=True))
    definition.layers = parse_net(text).layers + [
        layer for layer in definition.layers if "Data" not in layer.param.type]
    return definition


@pytest.mark.parametrize("name", sorted(DEPLOYED))
def test_deployed(name):
    output, shape, parameters = DEPLOYED[name]
    net = built(read_net(ZOO / name / "deploy.prototxt"), caffe_pb2.TEST)
    assert net.outputs == [output]
    assert net.blobs[output].shape == shape
    assert count(net) == parameters


@pytest.mark.parametrize("path", TRAINING, ids=name_of)
@pytest.mark.parametrize("phase", [caffe_pb2.TRAIN, caffe_pb2.TEST], ids=["train", "test"])
def test_trained(path, phase):
    definition = fed_by_inputs(read_net(path), PICTURES[path.parent.name])
    net = built(definition, phase)
    assert count(net) == TRAINED[name_of(path)]
    assert all(blob.shape == () for name, blob in net.blobs.items() if name in net.outputs)
    assert any(weight for weight in net.blob_loss_weights.values())


def test_every_net_is_counted():
    assert {path.parent.name for path in FILES if path.name == "deploy.prototxt"} == set(DEPLOYED)
    assert set(map(name_of, TRAINING)) == set(TRAINED)


@pytest.mark.parametrize("name", sorted(set(DEPLOYED) & set(PICTURES)))
def test_the_deployed_net_takes_the_weights_of_the_trained_one(name):
    def learnt(file):
        return {(layer.param.name, layer.param.convolution_param.num_output
                 or layer.param.inner_product_param.num_output)
                for layer in read_net(ZOO / name / file).layers
                if layer.param.type in ("Convolution", "InnerProduct")}

    trained, deployed = learnt("train_val.prototxt"), learnt("deploy.prototxt")
    extra = {layer for layer, _ in trained - deployed}
    assert deployed <= trained
    assert all(layer.startswith(("loss1/", "loss2/")) or layer.endswith("_p") for layer in extra)


@pytest.mark.parametrize("path", TRAINING, ids=name_of)
def test_each_phase_reads_data_once(path):
    definition = read_net(path)
    stages = {stage for layer in definition.layers for rule in layer.param.include
              for stage in rule.stage}
    for phase, stage in [(caffe_pb2.TRAIN, ())] + [(caffe_pb2.TEST, (s,)) for s in stages or ("",)]:
        state = make_state(phase, 0, stage, caffe_pb2.NetState())
        names = [layer.param.type for layer in filter_layers(definition.layers, state)]
        assert sum("Data" in name for name in names) == 1


@pytest.mark.parametrize("path", SOLVERS, ids=name_of)
def test_solvers(path):
    param = read_solver(path).param
    definition = read_net(resolve(param.net, str(path)))
    known = {stage for layer in definition.layers for rule in layer.param.include
             for stage in rule.stage}
    assert known == {stage for state in param.test_state for stage in state.stage}
    assert len(param.test_iter) == max(1, len(param.test_state))
    assert param.max_iter > 0 and param.snapshot_prefix.startswith("out/")


# The rate after some iterations says whether base_lr, policy, gamma, steps and power fit together.
@pytest.mark.parametrize(("name", "iteration", "rate"), [
    ("alexnet/solver", 250_000, 0.01 * 0.1**2),
    ("caffenet/solver", 99_999, 0.01),
    ("cifar10_full/sigmoid_solver", 50_000, 0.001),
    ("cifar10_full/solver_lr2", 69_000, 0.00001),
    ("cifar10_quick/solver_lr1", 4_500, 0.0001),
    ("flickr_style/solver", 40_000, 0.001 * 0.1**2),
    ("googlenet/quick_solver", 1_800_000, 0.005),
    ("googlenet/solver", 640_000, 0.01 * 0.96**2),
    ("lenet/adam_solver", 9_000, 0.001),
    ("lenet/multistep_solver", 8_500, 0.01 * 0.9**3),
    ("lenet/solver", 10_000, 0.01 * 2**-0.75),
    ("mnist_autoencoder/nesterov_solver", 20_000, 0.0001),
    ("siamese/solver", 30_000, 0.01 * 4**-0.75),
])
def test_rates(name, iteration, rate):
    param = read_solver(ZOO / f"{name}.prototxt").param
    step = 0
    for _ in range(len(param.stepvalue) or 1):
        step = advance_step(param, iteration, step)
    assert learning_rate(param, iteration, step) == pytest.approx(rate, rel=1e-6)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_begins_with_a_comment(path):
    assert path.read_text().startswith("# ")
    assert max(map(len, path.read_text().splitlines())) <= 100


def test_siamese_twins_share_every_parameter():
    definition = fed_by_inputs(read_net(ZOO / "siamese" / "train_val.prototxt"), (2, 28, 28))
    net = built(definition, caffe_pb2.TRAIN)
    for name in ("conv1", "conv2", "ip1", "ip2", "feat"):
        for mine, twin in zip(net.params[name], net.params[name + "_p"], strict=True):
            assert mine.shares_data_with(twin)
