"""``caffe-lrcn caption`` end to end, on nets too small to know anything."""
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.cli.main import main
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import read_net

PICTURES = """
layer { name: "data" type: "Input" top: "data" input_param {
  shape { dim: 1 dim: 3 dim: 12 dim: 12 } } }
layer { name: "fc8" type: "InnerProduct" bottom: "data" top: "fc8" inner_product_param {
  num_output: 3 weight_filler { type: "gaussian" std: 0.001 } } }
"""
# The bias of `predict` makes every word 3 ("square"), whatever the picture.
WORDS = """
layer { name: "cont_sentence" type: "Input" top: "cont_sentence" input_param {
  shape { dim: 1 dim: 1 } } }
layer { name: "input_sentence" type: "Input" top: "input_sentence" input_param {
  shape { dim: 1 dim: 1 } } }
layer { name: "image_features" type: "Input" top: "image_features" input_param {
  shape { dim: 1 dim: 3 } } }
layer { name: "embedding" type: "Embed" bottom: "input_sentence" top: "embedded" embed_param {
  input_dim: 5 num_output: 4 bias_term: false } }
layer { name: "lstm1" type: "LSTM" bottom: "embedded" bottom: "cont_sentence"
  bottom: "image_features" top: "lstm1" recurrent_param { num_output: 4 } }
layer { name: "predict" type: "InnerProduct" bottom: "lstm1" top: "predict"
  inner_product_param { num_output: 5 axis: 2 } }
layer { name: "probs" type: "Softmax" bottom: "predict" top: "probs" softmax_param { axis: 2 } }
"""


@pytest.fixture
def trained(tmp_path):
    """Flags that name two small nets, their weights and a vocabulary."""
    flags = []
    for flag, text in (("image-net", PICTURES), ("net", WORDS)):
        path = tmp_path / f"{flag}.prototxt"
        path.write_text(text)
        net = Net(read_net(path), get_backend("cpu"), phase=caffe_pb2.TEST)
        if flag == "net":
            net.params["predict"][1].host_data[3] = 1
        weights = tmp_path / f"{flag}.caffemodel"
        net.save(str(weights))
        flags += [f"--{flag}", str(path)]
    (tmp_path / "vocabulary.txt").write_text("<unk>\na\nsquare\nred\n")
    return [*flags, "--weights", str(tmp_path / "net.caffemodel"), "--image-weights",
            str(tmp_path / "image-net.caffemodel"), "--vocabulary",
            str(tmp_path / "vocabulary.txt")]


def test_prints_a_caption_for_each_picture(coco, trained, capsys):
    paths = [str(coco / "pictures" / name) for name in ("red.jpg", "blue picture.png")]
    assert main(["caption", *paths, *trained, "--max-length", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{path}: Square square..." for path in paths]


@pytest.mark.parametrize("flags, message", [
    (["--mean", "1,2"], "--mean takes three numbers"),
    (["--resize", "11"], "resized to less than the net's input"),
    (["--max-length", "0"], "max_length must be 1 or more"),
    (["--net", "none.prototxt"], "none.prototxt"),
])
def test_wrong_usage(coco, trained, capsys, flags, message):
    assert main(["caption", str(coco / "pictures" / "red.jpg"), *trained, *flags]) == 1
    assert message in capsys.readouterr().err


def test_missing_picture_is_named(trained, capsys):
    assert main(["caption", "nowhere.jpg", *trained]) == 1
    assert "nowhere.jpg" in capsys.readouterr().err


def test_vocabulary_of_another_net(coco, trained, tmp_path, capsys):
    (tmp_path / "vocabulary.txt").write_text("<unk>\na\nb\nc\nd\n")
    assert main(["caption", str(coco / "pictures" / "red.jpg"), *trained]) == 1
    assert "more words than the net (got 6 ids, wanted at most 5)" in capsys.readouterr().err


def test_weights_that_lack_a_layer(coco, trained, capsys):
    at = trained.index("--image-weights")
    swapped = trained[:at] + trained[at + 2:]
    assert main(["caption", str(coco / "pictures" / "red.jpg"), *swapped]) == 1
    assert "the weights lack layers of the net (got no fc8" in capsys.readouterr().err
