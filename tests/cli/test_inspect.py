"""The command that shows what is in a file of weights."""
from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.cli import main as cli
from caffe_lrcn.net.net import Net
from caffe_lrcn.net.rebuild import rebuild_net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.dialects import DIALECTS, OLD
from caffe_lrcn.proto.text import parse_net
from caffe_lrcn.proto.weights_io import read_weights, write_blob_proto, write_weights
from tests.proto.test_dialects import LAYOUTS
from tests.proto.test_dialects import net as dialect_net
from tests.proto.weight_bytes import GOLDEN, blob

SOLVERS = GOLDEN / "solvers"
FORKED = """
name: "forked" force_backward: false
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "h" type: "InnerProduct" bottom: "x" top: "h" loss_weight: 0.5
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "a" type: "TanH" bottom: "h" top: "a" }
layer { name: "b" type: "Eltwise" bottom: "h" bottom: "a" bottom: "x" top: "b" }
layer { name: "mine_split" type: "Split" bottom: "b" top: "mine_split_0" top: "mine_split_1" }
"""


def shown(capsys, *words: str) -> str:
    assert cli.main(["inspect", *map(str, words)]) == 0
    return capsys.readouterr().out


def parsed(capsys, path) -> dict:
    return json.loads(shown(capsys, path, "--json"))


# -- weights -------------------------------------------------------------------------------


def test_weights_of_the_recurrent_branch(capsys):
    text = shown(capsys, GOLDEN / "legacy" / "era_recurrent.caffemodel")
    assert "mini_lrcn" in text and "recurrent (LRCN), recurrent-v4" in text
    rows = {tuple(line.split()[:3]): line.split() for line in text.splitlines()}
    assert rows["conv1", "Convolution", "0"][3:11] == [
        "6", "x", "3", "x", "3", "x", "3", "162"]
    assert ("relu1", "ReLU", "-") in rows
    assert text.endswith("16 layers, 6 with parameters; 14 arrays, 1,803 values, 0 NaN\n")
    body = text.split("\n\n")[1].splitlines()
    column = body[0].index("blob")
    assert all(line[column - 2:column] == "  " for line in body), "the columns are aligned"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_dialect_is_named(layout, tmp_path, capsys):
    path = tmp_path / "w.caffemodel"
    path.write_bytes(dialect_net(*layout))
    found = parsed(capsys, path)
    assert found["dialect"] in {entry.name for entry in DIALECTS
                                if (entry.embed, entry.reshape, entry.recurrent) == layout}
    net = caffe_pb2.NetParameter()
    net.CopyFrom(parse_net(shown(capsys, path, "--prototxt", "-")).param)
    assert net.layer[2].recurrent_param.num_output == 5


@pytest.mark.parametrize("form", ["V0", "V1"])
def test_old_generations(form, tmp_path, capsys):
    net = caffe_pb2.NetParameter(name="old")
    layer = net.layers.add(bottom=["x"], top=["y"])
    if form == "V0":
        layer.layer.name, layer.layer.type, layer.layer.num_output = "fc", "innerproduct", 2
        layer.layer.blobs.append(blob([1.0, 2.0], num=1, channels=1, height=1, width=2))
    else:
        layer.name, layer.type = "fc", caffe_pb2.V1LayerParameter.INNER_PRODUCT
        layer.inner_product_param.num_output = 2
        layer.blobs.append(blob([1.0, 2.0], num=1, channels=1, height=1, width=2))
    path = tmp_path / "w.caffemodel"
    path.write_bytes(net.SerializeToString())
    found = parsed(capsys, path)
    assert found["dialect"] == OLD
    (row,) = found["arrays"]
    assert (row["layer"], row["type"], row["shape"]) == ("fc", "InnerProduct", [1, 1, 1, 2])
    assert "num_output: 2" in shown(capsys, path, "--prototxt", "-")


def test_json_has_every_number_and_no_bare_nan(tmp_path, capsys):
    path = tmp_path / "w.caffemodel"
    write_weights(path, "n", [(caffe_pb2.LayerParameter(name="a", type="X"),
                               [np.array([np.nan, np.inf, 0, 2], np.float32)],
                               [np.ones(4, np.float32)])])
    found = parsed(capsys, path)
    data, diff = found["arrays"]
    assert (data["count"], data["nans"], data["zeros"], data["max"], data["std"]) == (
        4, 1, 1, "inf", "nan")
    assert data["zero_share"] == 0.25 and data["dtype"] == "float32"
    assert (diff["blob"], diff["mean"]) == ("0 diff", 1)
    assert found["totals"] == {"layers": 1, "layers with parameters": 1, "arrays": 1,
                               "values": 4, "NaN": 1}


def test_hdf5_weights_show_what_they_have(capsys, tmp_path):
    path = SOLVERS / "sgd_hdf5_iter_6.caffemodel.h5"
    text = shown(capsys, path)
    assert "weights, HDF5" in text and "16 layers, 6 with parameters" in text
    assert " type " not in text, "a column without entries is left out"
    assert cli.main(["inspect", str(path), "--prototxt", str(tmp_path / "o")]) == 1
    assert "no definitions" in capsys.readouterr().err


# -- definitions ---------------------------------------------------------------------------


def test_the_definition_comes_back_without_inserted_splits(tmp_path, capsys):
    net = Net(parse_net(FORKED), get_backend("cpu", np.float32), phase=0)
    path, out = tmp_path / "w.caffemodel", tmp_path / "net.prototxt"
    net.save(str(path))
    text = shown(capsys, path, "--prototxt", out)
    assert "1 array" in text or "2 arrays" in text
    wanted = parse_net(FORKED).param
    wanted.ClearField("force_backward")  # weights do not hold it
    assert parse_net(out.read_text()).param == wanted
    again = Net(parse_net(out.read_text()), get_backend("cpu", np.float32), phase=0)
    assert again.layer_names == net.layer_names
    assert again.copy_trained_layers_from(str(path)).missing == []


def test_splits_survive_where_a_name_only_looks_inserted(tmp_path):
    net = caffe_pb2.NetParameter()
    net.layer.add(name="h", type="TanH", top=["h"])
    net.layer.add(name="h_h_0_split", type="Split", bottom=["h"], top=["other", "h_h_0_split_1"])
    path = tmp_path / "w.caffemodel"
    path.write_bytes(net.SerializeToString())
    assert rebuild_net(read_weights(path)) == net


@pytest.mark.parametrize(("phases", "kept"), [([0, 0], False), ([0, 1], True)])
def test_a_phase_that_all_layers_share_is_no_part_of_the_definition(phases, kept, tmp_path):
    net = caffe_pb2.NetParameter()
    for index, phase in enumerate(phases):
        net.layer.add(name=f"l{index}", type="ReLU", phase=phase)
    path = tmp_path / "w.caffemodel"
    path.write_bytes(net.SerializeToString())
    assert [layer.HasField("phase") for layer in rebuild_net(read_weights(path)).layer] == [
        kept, kept]


# -- other files ---------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "count"), [("adam_iter_6.solverstate", 28),
                                             ("sgd_hdf5_iter_6.solverstate.h5", 14)])
def test_solver_states(name, count, capsys):
    found = parsed(capsys, SOLVERS / name)
    assert found["iter"] == 6 and found["learned_net"].startswith(name.split("_iter")[0])
    assert len(found["arrays"]) == found["totals"]["arrays"] == count
    assert found["arrays"][0]["shape"] == [6, 3, 3, 3]
    assert cli.main(["inspect", str(SOLVERS / name), "--prototxt", "-"]) == 1
    assert "only weights contain a definition" in capsys.readouterr().err


def test_image_means(capsys, tmp_path):
    found = parsed(capsys, GOLDEN / "data" / "mean.binaryproto")
    assert found["arrays"][0]["shape"] == [1, 3, 32, 40]
    assert found["channel means"] == pytest.approx([125.9016, 155.1355, 152.2762])
    write_blob_proto(tmp_path / "vector.binaryproto", np.ones(3, np.float32))
    assert "channel means" not in parsed(capsys, tmp_path / "vector.binaryproto")


@pytest.mark.parametrize(("name", "part"), [
    ("legacy/v1.prototxt", "looks like a definition"), ("data/cat.jpg", "JPEG"),
    ("nothing", "no such file"), ("data", "folder")])
def test_other_files_are_refused(name, part, capsys):
    assert cli.main(["inspect", str(GOLDEN / name)]) == 1
    assert part in capsys.readouterr().err


def test_an_unwritable_definition(capsys, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    out = tmp_path / "file" / "n.prototxt"
    path = GOLDEN / "legacy" / "era_recurrent.caffemodel"
    assert cli.main(["inspect", str(path), "--prototxt", str(out)]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_damaged_hdf5(capsys, tmp_path):
    path = tmp_path / "w.h5"
    shutil.copy(SOLVERS / "sgd_hdf5_iter_6.caffemodel.h5", path)
    path.write_bytes(path.read_bytes()[:3000])
    assert cli.main(["inspect", str(path)]) == 1
    assert "damaged, truncated" in capsys.readouterr().err
