"""One picture gives the same pixels in training and in every command."""
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from caffe_lrcn.backends import get_backend
from caffe_lrcn.cli.main import main
from caffe_lrcn.language.decoder import Decoder
from caffe_lrcn.language.hypothesis import Hypothesis
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.caffe_pb2 import TEST
from caffe_lrcn.proto.text import parse_net, read_net

ROOT = Path(__file__).parents[3]
STATED = ("transform_param { crop_size: 9 scale: 0.5 mean_value: 104 mean_value: 117 "
          "mean_value: 123 }")
SIZE = "new_height: 11 new_width: 14"
# A net whose features are the pixels, and one that takes them; the second is never run here.
PIXELS = f"""layer {{ name: "data" type: "Input" top: "data"
  input_param {{ shape {{ dim: 2 dim: 3 dim: 9 dim: 9 }} }} {STATED}
  image_data_param {{ {SIZE} }} }}
layer {{ name: "pixels" type: "Flatten" bottom: "data" top: "pixels" }}"""
WORDS = """input: "cont_sentence" input_shape { dim: 1 dim: 10 }
input: "input_sentence" input_shape { dim: 1 dim: 10 }
input: "image_features" input_shape { dim: 10 dim: 243 }
layer { name: "embedding" type: "Embed" bottom: "input_sentence" top: "embedded" embed_param {
  input_dim: 5 num_output: 4 bias_term: false } }
layer { name: "lstm1" type: "LSTM" bottom: "embedded" bottom: "cont_sentence"
  bottom: "image_features" top: "lstm1" recurrent_param { num_output: 4 } }
layer { name: "predict" type: "InnerProduct" bottom: "lstm1" top: "predict"
  inner_product_param { num_output: 5 axis: 2 } }"""


@pytest.fixture
def there(coco, monkeypatch):
    """The working folder, with both nets, their weights and a vocabulary."""
    monkeypatch.chdir(coco)
    for name, text in (("pixels", PIXELS), ("words", WORDS)):
        Path(f"{name}.prototxt").write_text(text)
        Net(parse_net(text), get_backend("cpu"), phase=TEST).save(f"{name}.caffemodel")
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    Image.fromarray(noise).save("pictures/red.jpg")
    Path("vocabulary.txt").write_text("<unk>\na\nsquare\nred\n")
    return coco


def trained_on(picture):
    """Return what an ImageData layer makes of a picture."""
    Path("list.txt").write_text(f"{picture} 0\n")
    net = Net(parse_net('layer { name: "data" type: "ImageData" top: "data" top: "label" '
                        f'{STATED} image_data_param {{ source: "list.txt" batch_size: 1 {SIZE} }} '
                        '}'), get_backend("cpu"), phase=TEST)
    net.forward()
    found = net.blobs["data"].host_data.copy()
    net.close()
    return found


def features(net, *flags):
    """Return the features of red.jpg that the command writes."""
    assert main(["features", "pictures/red.jpg", "--net", net, "--out", "f.npy", "--cpu",
                 *flags]) == 0
    return np.load("f.npy")


def captioned(monkeypatch, image_net, *flags):
    """Return the features of red.jpg that the captioner gets."""
    taken = []

    def greedy(self, given, max_length):
        taken.append(given)
        return [[Hypothesis([0], 0.0)] for _ in given]

    with monkeypatch.context() as patch:
        patch.setattr(Decoder, "greedy", greedy)
        assert main(["caption", "pictures/red.jpg", "--cpu", "--image-net", image_net,
                     "--vocabulary", "vocabulary.txt", *flags]) == 0
    return taken[0]


def test_training_features_and_captions_see_the_same(there, monkeypatch, caplog):
    wanted = trained_on("pictures/red.jpg").reshape(1, -1)
    assert wanted.std() > 1
    for spelling in ("pixels.prototxt", "./pixels.prototxt", os.path.abspath("pixels.prototxt")):
        np.testing.assert_array_equal(
            features(spelling, "--weights", "pixels.caffemodel"), wanted)
        np.testing.assert_array_equal(
            captioned(monkeypatch, spelling, "--image-weights", "pixels.caffemodel", "--net",
                      "words.prototxt", "--weights", "words.caffemodel"), wanted)
    assert "assumed" not in caplog.text
    # The nearest neighbour of a picture is the picture: distance 0 in these features.
    Path("red.json").write_text('{"images": [{"id": 1, "file_name": "red.jpg"}], "annotations": '
                                '[{"image_id": 1, "caption": "red"}]}')
    assert main(["neighbours", "--features", "f.npy", "--queries", "f.npy", "--captions",
                 "red.json", "--query-captions", "red.json"]) == 0


@pytest.mark.parametrize("flags", [("--resize", "20"), ("--mean", "1,2,3")])
def test_flags_are_stronger_than_the_definition(there, monkeypatch, flags):
    weights = ("--weights", "pixels.caffemodel")
    found = features("pixels.prototxt", *weights, *flags)
    assert (found != features("pixels.prototxt", *weights)).any()
    np.testing.assert_array_equal(found, captioned(
        monkeypatch, "pixels.prototxt", "--image-weights", "pixels.caffemodel", "--net",
        "words.prototxt", "--weights", "words.caffemodel", *flags))


def test_the_default_nets_under_any_spelling(there, monkeypatch):
    backend = get_backend("cpu")
    for name in ("lrcn_image_deploy", "lrcn_word_deploy"):
        Net(read_net(ROOT / f"prototxt/{name}.prototxt"), backend, phase=TEST).save(
            f"{name}.caffemodel")
    Path("prototxt").symlink_to(ROOT / "prototxt")
    relative = "prototxt/lrcn_image_deploy.prototxt"
    found = [features(net, "--weights", "lrcn_image_deploy.caffemodel")
             for net in (relative, f"./{relative}", str(ROOT / relative))]
    found += [captioned(monkeypatch, net, "--image-weights", "lrcn_image_deploy.caffemodel",
                        "--weights", "lrcn_word_deploy.caffemodel")
              for net in (relative, f"./{relative}")]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_what_is_assumed_is_said_once(there, caplog):
    Path("pixels.prototxt").write_text(PIXELS.replace(STATED, "").replace(
        f"image_data_param {{ {SIZE} }}", ""))
    features("pixels.prototxt", "--weights", "pixels.caffemodel")
    assert caplog.text.count("assumed: resized to 10 x 10 pixels") == 1


def test_a_picture_that_does_not_fit(there, capsys):
    Path("pixels.prototxt").write_text(PIXELS.replace("crop_size: 9", "").replace(SIZE, ""))
    assert main(["features", "pictures/red.jpg", "--net", "pixels.prototxt", "--weights",
                 "pixels.caffemodel", "--out", "f.npy", "--cpu"]) == 1
    assert "does not fit the net's input (got (3, 30, 40), wanted (3, 9, 9))" in \
        capsys.readouterr().err
