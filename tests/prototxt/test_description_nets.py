"""S2VT and mean pooling: the published sizes, stages and schedules, and deploy nets that agree."""
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import CaffeError
from caffe_lrcn.net.filter import filter_layers, make_state
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import NetDef, parse_net, read_net, read_solver

FOLDER = Path(__file__).parents[2] / "prototxt" / "description"
OWN = ("s2vt", "movie_s2vt", "poolmean")
FILES = sorted(path for path in FOLDER.rglob("*.prototxt") if path.name.startswith(OWN))
VARIANTS = [("factored", "2-layer"), ("unfactored", "1-layer"), ("unfactored", "2-layer")]
DROPS = {"dropFc7": "dropFc7", "dropEn": "drop_input_en", "dropLstm1": "drop_lstm1",
         "dropLstm2": "drop_lstm2"}
WORDS = 46168


def fed(path: Path, shapes: dict[str, tuple[int, ...]]) -> NetDef:
    """Return a definition with Input layers in the place of its data layers."""
    definition = read_net(path)
    inputs = "".join(f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ '
                     f'{" ".join(f"dim: {size}" for size in shape)} }} }} }}\n'
                     for name, shape in shapes.items())
    definition.layers = parse_net(inputs).layers + [
        layer for layer in definition.layers if "Data" not in layer.param.type]
    return definition


def streams(steps: int, count: int, **more: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return dict.fromkeys(("cont_sentence", "input_sentence", "target_sentence"),
                         (steps, count)) | more


def s2vt(stages, phase=caffe_pb2.TRAIN, steps=80, count=2, file="s2vt.prototxt", width=4096) -> Net:
    shapes = streams(steps, count, stage_indicator=(steps, count), frame_fc7=(steps, count, width))
    return Net(fed(FOLDER / file, shapes), get_backend("shapes"), phase=phase, stages=stages)


def poolmean(stages, phase=caffe_pb2.TRAIN, file="poolmean.prototxt", width=4096) -> Net:
    shapes = streams(20, 3, mean_fc7=(3, width))
    return Net(fed(FOLDER / file, shapes), get_backend("shapes"), phase=phase, stages=stages)


def shapes(net: Net) -> dict[str, list[tuple[int, ...]]]:
    return {name: [blob.shape for blob in blobs] for name, blobs in net.params.items()}


def values(net: Net, *without: str) -> int:
    return sum(blob.count for name, blobs in net.params.items() if name not in without
               for blob in blobs)


def deployed(file: str, stages=()) -> Net:
    return Net(read_net(FOLDER / file), get_backend("shapes"), phase=caffe_pb2.TEST, stages=stages)


def test_s2vt_has_the_published_size():
    net = s2vt(("factored", "2-layer"))
    assert values(net) == 87_358_668
    assert shapes(net) == {
        "embed_encoder": [(500, 4096), (500,)], "embedding": [(WORDS, 500)],
        "lstm1": [(4000, 500), (4000,), (4000, 1000)],
        "lstm2": [(4000, 1501), (4000,), (4000, 1000)], "predict": [(WORDS, 1000), (WORDS,)]}
    assert net.blobs["predict"].shape == (80, 2, WORDS)
    assert net.outputs == ["cross_entropy_loss"]
    assert net.blob_loss_weights["cross_entropy_loss"] == 20


@pytest.mark.parametrize(("stages", "lstm1", "lstm2"), [
    (VARIANTS[0], 500, 1501), (VARIANTS[1], 1001, None), (VARIANTS[2], 1001, 1000)])
def test_s2vt_variants(stages, lstm1, lstm2):
    found = shapes(s2vt(stages))
    assert found["lstm1"][0] == (4000, lstm1)
    assert (found["lstm2"][0] == (4000, lstm2)) if lstm2 else "lstm2" not in found
    assert found["predict"][0] == (WORDS, 1000)
    assert found == shapes(deployed("s2vt.words_to_preds.deploy.prototxt", stages))


def test_the_deploy_net_is_the_factored_one_for_one_video():
    net = deployed("s2vt.words_to_preds.deploy.prototxt")
    assert {name: net.blobs[name].shape for name in net.inputs} == {
        "frames_fc7": (1, 4096), "cont_sentence": (1, 1), "input_sentence": (1, 1),
        "stage_indicator": (1, 1)}
    assert net.outputs == ["probs"] and net.blobs["probs"].shape == (1, 1, WORDS)
    assert shapes(net) == shapes(s2vt(VARIANTS[0]))


@pytest.mark.parametrize("stages", VARIANTS)
@pytest.mark.parametrize("drops", [*[(drop,) for drop in DROPS], tuple(DROPS)], ids="-".join)
def test_drops_are_where_the_stages_say(stages, drops):
    if "1-layer" in stages and "dropLstm2" in drops:
        pytest.skip("there is no second layer")
    net = s2vt((*stages, *drops))
    names = [name for name in net.layer_names if name in DROPS.values()]
    assert names == [DROPS[drop] for drop in drops]
    # What is above reads the layer after its dropout, which works in place.
    order = list(net.layer_names)
    for drop, reader in (("dropLstm1", "lstm2" if "2-layer" in stages else "predict"),
                         ("dropLstm2", "predict")):
        if drop in drops:
            assert order.index(DROPS[drop]) < order.index(reader)


@pytest.mark.parametrize(("stages", "layer", "why"), [
    (("unfactored", "1-layer", "dropLstm2"), "drop_lstm2", "stage '2-layer' is not set"),
    (("factored", "1-layer"), "cross_entropy_loss", "stage 'unfactored' is not set"),
    (("2-layer",), "predict", "stage 'factored' is not set")])
def test_stages_that_do_not_go_together(stages, layer, why):
    with pytest.raises(CaffeError) as error:
        s2vt(stages)
    assert f"layer '{layer}': unknown bottom blob" in str(error.value) and why in str(error.value)


def test_from_pixels_has_the_published_size():
    rows = {name: (24, 1) for name in streams(0, 0)}
    whole = fed(FOLDER / "s2vt_e2e.prototxt", rows | {
        "stage_indicator": (24, 1), "inv_stage_indicator": (24, 1), "data": (24, 3, 227, 227),
        "label": (24,)})
    net = Net(whole, get_backend("shapes"), phase=caffe_pb2.TRAIN,
              stages=("freeze-convnet", "factored", "2-layer"))
    trunk = [f"conv{i}" for i in range(1, 6)] + ["fc6", "fc7"]
    assert values(net, *trunk) == 36_964_094
    assert net.blobs["embedded_frames"].shape == (3, 8, 500)
    assert net.blobs["targets"].shape == net.blobs["cont"].shape == (3, 8)
    assert "drop6" in net.layer_names and "drop7" not in net.layer_names
    assert shapes(deployed("s2vt_e2e.words_to_preds.deploy.prototxt")) == {
        name: found for name, found in shapes(net).items() if name not in trunk}


def test_fusion_has_the_published_size():
    net = s2vt(("factored", "2-layer"), file="s2vt_fusion.prototxt")
    assert values(net) == 194_220_665
    assert shapes(net)["deep_fusion_predict"] == [(72701, 2048), (72701,)]
    assert shapes(net) == shapes(deployed("s2vt_fusion.words_to_preds.deploy.prototxt"))
    with pytest.raises(CaffeError, match="stage '2-layer' is not set"):
        s2vt(("factored",), file="s2vt_fusion.prototxt")


@pytest.mark.parametrize(("more", "words", "frames"), [
    ((), 0, [1, 2]), (("tune_embed",), 0.1, [1, 2]), (("fix_imembed",), 0, [0, 0])])
def test_what_fusion_learns(more, words, frames):
    rates = {layer.name: [param.lr_mult for param in layer.param] for layer in
             kept("s2vt_fusion.prototxt", caffe_pb2.TRAIN, ("factored", "2-layer", *more))}
    assert rates["embedding"] == pytest.approx([words]) and rates["img_embedding"] == frames
    assert rates["lstm_lm"] == [0, 0, 0] and rates["deep_fusion_predict"] == [1, 2]
    assert rates["lstm1"] == rates["lstm2"] == []


def small_e2e(stages: tuple[str, ...], given: dict[str, np.ndarray]) -> Net:
    """Return the net from pixels with fc7 as an input, small, after a forward pass."""
    definition = fed(FOLDER / "s2vt_e2e.prototxt", {name: a.shape for name, a in given.items()})
    names = [layer.param.name for layer in definition.layers]
    first = min(names.index(name) for name in ("conv1",))
    after = names.index("slice_cont")
    definition.layers = [layer for layer in definition.layers[:first]
                         if "silence" not in layer.param.name] + definition.layers[after:]
    for layer in definition.layers:
        param = layer.param
        if param.type == "LSTM":
            param.recurrent_param.num_output = 6
        if param.type == "InnerProduct":
            param.inner_product_param.num_output = 20 if param.name == "predict" else 5
        if param.type == "Embed":
            param.embed_param.num_output, param.embed_param.input_dim = 5, 20
    net = Net(definition, get_backend("cpu"), phase=caffe_pb2.TRAIN, stages=stages, seed=3)
    for name, array in given.items():
        net.blobs[name].host_data[...] = array
    for blob in net.learnable_params:
        blob.host_data[...] *= 4
    net.forward()
    return net


def test_both_layouts_from_pixels_say_the_same():
    """Sequence after sequence, sliced, is what has time first already; padding is gated."""
    random = np.random.default_rng(0)
    steps, count = 5, 8
    by_time = {"input_sentence": random.integers(0, 20, (steps, count)),
               "target_sentence": random.integers(0, 20, (steps, count)),
               "cont_sentence": np.ones((steps, count)),
               "stage_indicator": np.ones((steps, count)),
               "inv_stage_indicator": np.zeros((steps, count))}
    by_time["cont_sentence"][0] = 0
    by_time["stage_indicator"][:3], by_time["inv_stage_indicator"][:3] = 0, 1
    fc7 = random.normal(size=(steps, count, 7))
    stages = ("factored", "2-layer", "freeze-convnet")
    first = small_e2e((*stages, "videos"), by_time | {"fc7": fc7.reshape(-1, 7)})
    by_rows = {name: values.T.reshape(-1, 1) for name, values in by_time.items()}
    gated = fc7.copy()
    gated[3:] += 10  # rows of words: the gate makes zeros of them
    second = small_e2e(stages, by_rows | {"fc7": gated.transpose(1, 0, 2).reshape(-1, 7)})
    for name in ("predict", "cross_entropy_loss"):
        np.testing.assert_allclose(second.blobs[name].host_data, first.blobs[name].host_data,
                                   atol=1e-5)
    assert not second.blobs["frame_fc7"].host_data.reshape(count, steps, 7)[:, 3:].any()


def test_frozen_convnet():
    rates = {frozen: {layer.name: [param.lr_mult for param in layer.param]
                      for layer in kept("s2vt_e2e.prototxt", caffe_pb2.TRAIN,
                                        ("factored", "2-layer", *["freeze-convnet"] * frozen))
                      if layer.name.startswith(("conv", "fc")) and layer.param}
             for frozen in (True, False)}
    assert {tuple(found) for found in rates[True].values()} == {(0, 0)}
    assert all(found == pytest.approx([0.1, 0.2]) for found in rates[False].values())
    assert len(rates[True]) == len(rates[False]) == 7


@pytest.mark.parametrize("stages", VARIANTS)
def test_poolmean(stages):
    net = poolmean(stages)
    found = shapes(net)
    if stages == VARIANTS[0]:
        assert values(net) == 57_592_594
    with_video = "lstm2" if "factored" in stages else "lstm1"
    assert found[with_video][2] == (4000, 4096)
    assert [name for name, blobs in found.items() if len(blobs) == 4] == [with_video]
    assert ("lstm2" in found) == ("2-layer" in stages)
    assert net.outputs == ["softmax_loss"] and net.blob_loss_weights["softmax_loss"] == 20
    assert found == shapes(deployed("poolmean.words_to_preds.deploy.prototxt", stages))


@pytest.mark.parametrize("stages", VARIANTS)
def test_small_nets_deploy(stages):
    assert shapes(s2vt(stages, steps=30, file="small/s2vt.prototxt", width=64)) == shapes(
        deployed("small/s2vt.words_to_preds.deploy.prototxt", stages))
    assert shapes(poolmean(stages, file="small/poolmean.prototxt", width=64)) == shapes(
        deployed("small/poolmean.words_to_preds.deploy.prototxt", stages))


def kept(file: str, phase: int, stages: tuple[str, ...]) -> list[caffe_pb2.LayerParameter]:
    state = make_state(phase, 0, stages, caffe_pb2.NetState())
    return [layer.param for layer in filter_layers(read_net(FOLDER / file).layers, state)]


# solver -> type, base_lr, stepsize, max_iter, iter_size, snapshot, test_iter
SCHEDULES = {
    "s2vt": ("SGD", 0.01, 20000, 25000, 1, 1000, 25),
    "movie_s2vt": ("Adam", 0.0001, 0, 65000, 1, 10000, 50),
    "s2vt_e2e": ("SGD", 0.01, 20000, 40000, 2, 1000, 25),
    "poolmean": ("SGD", 0.01, 20000, 60000, 1, 1000, 25),
    "s2vt_fusion": ("SGD", 0.002, 7000, 30000, 1, 2000, 100),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_solvers(name):
    param = read_solver(FOLDER / f"{name}_solver.prototxt").param
    kind, rate, step, end, iter_size, snapshot, tests = SCHEDULES[name]
    assert (param.type or "SGD", param.stepsize, param.max_iter, param.iter_size, param.snapshot,
            list(param.test_iter)) == (kind, step, end, iter_size, snapshot, [tests, tests])
    assert param.base_lr == pytest.approx(rate)
    assert (param.clip_gradients, param.display, param.average_loss, param.random_seed,
            param.test_interval) == (10, 1, 100, 1701, 1000)
    assert param.weight_decay == pytest.approx(0.0002 if name == "s2vt_fusion" else 0)
    assert param.momentum == pytest.approx(0.9)
    drops = [stage for stage in param.train_state.stage if stage.startswith("drop")]
    assert drops == (list(DROPS) if name == "movie_s2vt" else [])
    assert not any(stage.startswith("drop") for state in param.test_state for stage in state.stage)
    assert param.snapshot_prefix == f"out/description/{name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_begins_with_a_comment(path):
    assert path.read_text().startswith("# ")
    assert max(map(len, path.read_text().splitlines())) <= 100
