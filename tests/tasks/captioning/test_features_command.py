"""``caffe-lrcn features``."""
import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import DataError
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_net
from caffe_lrcn.tasks.captioning.pictures import read_features
from tests.sources.test_preprocessing import preprocess

NET = """layer { name: "data" type: "Input" top: "data"
                 input_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } } }
         layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc" inner_product_param {
                 num_output: 4 weight_filler { type: "xavier" } } }"""


@pytest.fixture
def net(tmp_path):
    (tmp_path / "net.prototxt").write_text(NET)
    net = Net(parse_net(NET), get_backend("cpu"), phase=caffe_pb2.TEST, seed=1)
    net.save(str(tmp_path / "w.caffemodel"))
    return net


def features(folder, *flags):
    return main(["features", "--net", str(folder / "net.prototxt"), "--weights",
                 str(folder / "w.caffemodel"), "--out", str(folder / "f.npy"), "--cpu", *flags])


def test_rows_are_the_pictures_in_order(coco, net):
    pictures = [str(coco / "pictures" / name) for name in ("red.jpg", "blue picture.png")]
    (coco / "list.txt").write_text(f"{pictures[1]}\n{pictures[0]}\n")
    assert features(coco, pictures[0], "--images", str(coco / "list.txt"), "--resize", "10",
                    "--mean", "1,2,3") == 0
    found = read_features(coco / "f.npy", 3)
    weight, bias = (blob.host_data for blob in net.params["fc"])
    wanted = [preprocess(path, 8, 10, (1, 2, 3)).ravel() @ weight.T + bias
              for path in (pictures[0], pictures[1], pictures[0])]
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-3)
    with pytest.raises(DataError, match="not as many features as pictures"):
        read_features(coco / "f.npy", 2)


def test_rows_are_the_pictures_of_a_folder(coco, net, capsys):
    assert features(coco, str(coco / "pictures")) == 0
    one = read_features(coco / "f.npy", 2)
    assert features(coco, *(str(coco / "pictures" / name)
                            for name in ("blue picture.png", "red.jpg"))) == 0
    assert (read_features(coco / "f.npy", 2) == one).all()
    assert "pictures: 2 pictures" in capsys.readouterr().err


@pytest.mark.parametrize("flags, message", [
    ([], "pictures are missing"), (["x.jpg", "--mean", "1,2"], "three numbers"),
    (["gone.jpg"], "gone.jpg")])
def test_errors(coco, net, capsys, flags, message):
    assert features(coco, *flags) == 1
    assert message in capsys.readouterr().err
    assert not (coco / "f.npy").exists()


@pytest.mark.parametrize("array, message", [
    (np.ones(3), "no rows"), (np.array(["a"]), "not an array of numbers")])
def test_files_that_hold_no_features(tmp_path, array, message):
    np.save(tmp_path / "f.npy", array)
    with pytest.raises(DataError, match=message):
        read_features(tmp_path / "f.npy", 3)
