"""Converters of MNIST, CIFAR-10 and picture files; extract_features; summarize."""
from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from caffe_lrcn.backends import get_backend
from caffe_lrcn.caffe_tools.convert_mnist_data import read_mnist
from caffe_lrcn.caffe_tools.extract_features import extract_features
from caffe_lrcn.caffe_tools.resize_and_crop_images import square_opencv
from caffe_lrcn.errors import DataError, NetError, UsageError
from caffe_lrcn.inspection.layer_table import layer_table
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_net
from caffe_lrcn.sources.datum import datum_to_array, parse_datum
from caffe_lrcn.sources.records.database import open_database
from tests.caffe_tools.scripts import ROOT, run

pytest.importorskip("lmdb")


def records(path):
    database = open_database(str(path), "LMDB")
    found = dict(database.find(index) for index in range(database.count))
    database.close()
    return {key.decode(): parse_datum(content) for key, content in found.items()}


# -- MNIST ---------------------------------------------------------------------------------


@pytest.fixture
def mnist(tmp_path):
    """Six digits of 2 x 3 pixels in two classes; returns the two files and the pictures."""
    pictures = np.random.default_rng(3).integers(0, 256, (6, 2, 3), np.uint8)
    (tmp_path / "images").write_bytes(struct.pack(">4I", 2051, 6, 2, 3) + pictures.tobytes())
    (tmp_path / "labels").write_bytes(struct.pack(">2I", 2049, 6) + bytes([0, 1, 0, 1, 0, 1]))
    return tmp_path / "images", tmp_path / "labels", pictures


def test_mnist(mnist, tmp_path):
    images, labels, pictures = mnist
    assert run("convert_mnist_data", images, labels, tmp_path / "db") == 0
    found = records(tmp_path / "db")
    assert list(found) == [f"{index:08d}" for index in range(6)]
    assert [datum.label for datum in found.values()] == [0, 1, 0, 1, 0, 1]
    for datum, picture in zip(found.values(), pictures, strict=True):
        assert np.array_equal(datum_to_array(datum), picture[None])


def test_mnist_pairs(mnist, tmp_path):
    images, labels, pictures = mnist
    assert run("convert_mnist_siamese_data", "-backend=lmdb", images, labels, tmp_path / "db") == 0
    found = records(tmp_path / "db")
    assert list(found) == [f"{index:08d}" for index in range(6)]
    places = {picture.tobytes(): index for index, picture in enumerate(pictures)}
    for datum in found.values():
        first, second = (places[plane.tobytes()] for plane in datum_to_array(datum))
        assert datum.label == (first % 2 == second % 2)
    assert {datum.label for datum in found.values()} == {0, 1}


@pytest.mark.parametrize(("content", "told"), [
    (b"", "not an idx file"), (b"\x1f\x8b\x08 packed twelve bytes", "gunzip"),
    (struct.pack(">4I", 2051, 7, 2, 3) + bytes(36), "damaged"),
    (struct.pack(">4I", 2051, 5, 2, 3) + bytes(30), "do not belong together"),
    (struct.pack(">4I", 2051, 2**31, 2**31, 2**31), "damaged"),
])
def test_damaged_mnist(mnist, content, told):
    images, labels, _ = mnist
    images.write_bytes(content)
    with pytest.raises(DataError, match=told):
        read_mnist(str(images), str(labels))


def test_missing_file(mnist, tmp_path, capsys):
    assert run("convert_mnist_data", tmp_path / "none", mnist[1], tmp_path / "db") == 1
    assert "cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "db").exists()


# -- CIFAR-10 ------------------------------------------------------------------------------


@pytest.fixture
def cifar(tmp_path):
    """Two pictures in each of the six files."""
    rng = np.random.default_rng(5)
    for name in [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]:
        rows = rng.integers(0, 256, (2, 3073), np.uint8)
        rows[:, 0] %= 10
        (tmp_path / f"{name}.bin").write_bytes(rows.tobytes())
    return tmp_path


def test_cifar(cifar):
    assert run("convert_cifar_data", cifar, cifar, "lmdb") == 0
    train, test = (records(cifar / f"cifar10_{part}_lmdb") for part in ("train", "test"))
    assert list(train) == [f"{index:05d}" for index in range(10)]
    assert len(test) == 2
    second = (cifar / "data_batch_2.bin").read_bytes()
    datum = train["00003"]
    assert bytes([datum.label]) + datum_to_array(datum).tobytes() == second[3073:]


def test_missing_cifar_file_leaves_no_database(cifar, capsys):
    (cifar / "test_batch.bin").write_bytes(b"123")
    assert run("convert_cifar_data", cifar, cifar, "lmdb") == 1
    assert "binary version" in capsys.readouterr().err
    assert not (cifar / "cifar10_train_lmdb").exists()


def test_unknown_kind_of_database(cifar, capsys):
    assert run("convert_cifar_data", cifar, cifar, "sqlite") == 1
    assert "lmdb or leveldb" in capsys.readouterr().err


# -- square pictures -----------------------------------------------------------------------


def test_square_pictures(tmp_path, capsys):
    (tmp_path / "in" / "below").mkdir(parents=True)
    Image.new("RGB", (30, 20), (200, 10, 5)).save(tmp_path / "in" / "wide.png")
    Image.new("L", (5, 9), 77).save(tmp_path / "in" / "below" / "high.png")
    for library in ("opencv", "PIL"):
        out = tmp_path / library
        assert run("resize_and_crop_images", f"--input_folder={tmp_path / 'in'}", "--image_lib",
                   library, f"--output_folder={out}", "--output_side_length=8") == 0
        for name, colour in (("wide.png", (200, 10, 5)), ("below/high.png", (77, 77, 77))):
            with Image.open(out / name) as picture:
                assert picture.size == (8, 8)
                assert picture.getcolors() == [(64, colour)]


@pytest.mark.parametrize("size", [(30, 20), (20, 30), (21, 20), (20, 20), (7, 31)])
def test_squares_show_the_middle(tmp_path, size):
    """A ramp along the long side: its middle has the mean value."""
    width, height = size
    ramp = np.linspace(0, 255, max(size)).astype(np.uint8)
    pixels = np.broadcast_to(ramp if width >= height else ramp[:, None], (height, width))
    Image.fromarray(np.ascontiguousarray(pixels)).save(tmp_path / "p.png")
    square = np.asarray(square_opencv(str(tmp_path / "p.png"), 10), float)
    assert square.shape == (10, 10, 3)
    assert square.mean() == pytest.approx(127, abs=10)


def test_listed_pictures_and_bad_ones(tmp_path, capsys):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "list").write_text("a.png\nnone.png\n")
    assert run("resize_and_crop_images", f"--input_folder={tmp_path}", f"--input={tmp_path}/list",
               f"--output_folder={tmp_path}/out") == 1
    captured = capsys.readouterr()
    assert "1 pictures written" in captured.out and "none.png" in captured.err
    assert (tmp_path / "out" / "a.png").exists()


# -- extract_features ----------------------------------------------------------------------


NET = """layer { name: "d" type: "DummyData" top: "data"
  dummy_data_param { shape { dim: 2 dim: 1 dim: 2 dim: 3 } data_filler { value: 0.5 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 4 weight_filler { type: "uniform" } } }
"""


def test_extract_features(tmp_path):
    (tmp_path / "net").write_text(NET)
    net = Net(parse_net(NET), get_backend("cpu"), phase=caffe_pb2.TEST, seed=9)
    net.forward()
    net.save(str(tmp_path / "weights"))
    assert run("extract_features", tmp_path / "weights", tmp_path / "net", "ip,data",
               f"{tmp_path}/a,{tmp_path}/b", 3, "lmdb", "CPU") == 0
    vectors, pictures = records(tmp_path / "a"), records(tmp_path / "b")
    assert list(vectors) == list(pictures) == [f"{index:010d}" for index in range(6)]
    for datum in vectors.values():
        assert np.array_equal(datum_to_array(datum)[:, 0, 0], net.blobs["ip"].host_data[0])
    assert all(np.array_equal(datum_to_array(datum), np.full((1, 2, 3), 0.5))
               for datum in pictures.values())


@pytest.mark.parametrize(("blobs", "error", "told"), [
    (["ipp"], NetError, "Did you mean 'ip'"), (["ip", "data"], UsageError, "1 databases")])
def test_wrong_requests_make_no_database(tmp_path, blobs, error, told):
    net = Net(parse_net(NET), get_backend("cpu"), phase=caffe_pb2.TEST)
    with pytest.raises(error, match=told):
        extract_features(net, blobs, [str(tmp_path / "a")], 1)
    assert not (tmp_path / "a").exists()


def test_too_few_arguments(capsys):
    with pytest.raises(SystemExit) as left:
        run("extract_features", "weights", "net")
    assert left.value.code == 1


# -- summarize -----------------------------------------------------------------------------


def test_summary_of_caffenet(capsys):
    path = ROOT / "prototxt" / "zoo" / "caffenet" / "train_val.prototxt"
    assert run("summarize", path) == 0
    lines = {line.split()[0]: " ".join(line.split()) for line in capsys.readouterr().out.split("\n")
             if line}
    assert lines["conv1"] == "conv1 Convolution x1, x2 Dx0 data → conv1 11/4 96"
    assert lines["conv2"] == "conv2 Convolution x1, x2 Dx0 norm1 → conv2 5+2 256/2"
    assert lines["pool5"] == "pool5 Pooling conv5 → pool5 MAX 3/2"
    assert lines["fc6"] == "fc6 InnerProduct x1, x2 Dx0 pool5 → fc6 4096"
    assert lines["drop7"] == "drop7 Dropout fc7 → fc7 0.5"


def test_summary_cuts_long_cells_and_colours_columns():
    layers = parse_net('layer { name: "abcdef" type: "Pooling" bottom: "x" top: "y" pooling_param '
                       '{ kernel_h: 2 kernel_w: 3 } param { name: "shared" } }').param.layer
    plain = layer_table(layers, max_width=4)
    assert "abc…" in plain and "abcd" not in plain and "\x1b" not in plain
    assert "MAX 2x3" in layer_table(layers) and "shared" in layer_table(layers)
    assert "\x1b[36mabcdef" in layer_table(layers, colour=True)


def test_summary_wants_a_width(capsys):
    with pytest.raises(SystemExit):
        run("summarize", "x", "-w", "0")
