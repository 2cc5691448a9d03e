"""``caffe-lrcn describe`` from features, and from videos through a convnet."""
import json
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.cli.main import main
from caffe_lrcn.language.vocabulary import Vocabulary
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_net, read_net
from tests.sources.clips import noisy, write_frames

SMALL = Path(__file__).parents[3] / "prototxt" / "description" / "small"
COUNTS = {"v1": 4, "v2": 1, "v3": 9}
CONVNET = """layer { name: "data" type: "Input" top: "data"
                     input_param { shape { dim: 3 dim: 3 dim: 8 dim: 8 } } }
             layer { name: "fc7" type: "InnerProduct" bottom: "data" top: "fc7"
                     inner_product_param { num_output: 64 weight_filler { type: "xavier" } } }"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Write features, a vocabulary and random weights; work in their folder."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    Path("f.csv").write_text("".join(
        f"{video}_{n}," + ",".join(map(repr, map(float, random.normal(size=64)))) + "\n"
        for video, count in COUNTS.items() for n in range(count)))
    Vocabulary([f"w{i}" for i in range(298)]).write("vocabulary.txt")
    for name in ("s2vt", "poolmean"):
        net = Net(read_net(SMALL / f"{name}.words_to_preds.deploy.prototxt"), get_backend("cpu"),
                  phase=caffe_pb2.TEST)
        for blobs in net.params.values():
            for blob in blobs:
                blob.host_data[...] = random.normal(size=blob.shape) / 4
        net.save(f"{name}.caffemodel")
    return tmp_path


def describe(*words: str, net: str = "s2vt") -> int:
    return main(["describe", "--cpu", "--net", str(SMALL / f"{net}.words_to_preds.deploy.prototxt"),
                 "--weights", f"{net}.caffemodel", "--vocabulary", "vocabulary.txt", *words])


@pytest.mark.parametrize("net", ["s2vt", "poolmean"])
@pytest.mark.parametrize("search", [["greedy"], ["beam", "--beam-size", "3", "--top", "2"],
                                    ["sample", "--samples", "3"]], ids=" ".join)
def test_text_results_and_page(files, capsys, net, search):
    assert describe("--features", "f.csv", "--strategy", *search, "--max-length", "6", "--json",
                    "r.json", "--html", "p.html", net=net) == 0
    said = [line.split(": ", 1) for line in capsys.readouterr().out.splitlines()
            if not line.startswith("  ")]
    assert [name for name, _ in said] == list(COUNTS)
    assert json.loads(Path("r.json").read_text()) == [
        {"image_id": name, "caption": text} for name, text in said]
    assert all(name in Path("p.html").read_text() for name in COUNTS)


def test_scores_against_sentence_files(files, capsys):
    assert describe("--features", "f.csv", "--only", "list.txt") == 1
    Path("list.txt").write_text("v3\nv1\n")
    capsys.readouterr()
    assert describe("--features", "f.csv", "--only", "list.txt", "--max-length", "5", "--json",
                    "r.json") == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["v3", "v1"]
    results = json.loads(Path("r.json").read_text())
    Path("ref.txt").write_text("".join(f"{video}\tw1 w2\n" for video in COUNTS))
    for entry in results:  # an empty sentence could not be scored
        entry["caption"] = entry["caption"] or "w1"
    Path("r.json").write_text(json.dumps(results))
    assert main(["evaluate", "r.json", "ref.txt"]) == 0
    assert "2 pictures, 2 references" in capsys.readouterr().out


def test_parts_of_the_videos_draw_other_numbers(files, capsys, monkeypatch):
    from caffe_lrcn.tasks.description import describe_videos
    Path("f.csv").write_text("".join(
        Path("f.csv").read_text().splitlines(True)[0].replace("v1", f"v{i}") for i in range(4)))
    monkeypatch.setattr(describe_videos, "_BATCH", 1)
    assert describe("--features", "f.csv", "--strategy", "sample", "--samples", "1") == 0
    assert len({line.split(": ")[1] for line in capsys.readouterr().out.splitlines()}) == 4


def test_videos_through_a_convnet_are_their_features(files, capsys):
    Path("c.prototxt").write_text(CONVNET)
    Net(parse_net(CONVNET), get_backend("cpu"), phase=caffe_pb2.TEST, seed=1).save("c.caffemodel")
    for number, (video, count) in enumerate(COUNTS.items()):
        write_frames(Path("frames") / video, noisy(number, count, 8, 8), "rgb")
    sizes = ["--stride", "2", "--resize", "8", "--mean", "100,100,100"]
    assert describe("frames", "--image-net", "c.prototxt", "--image-weights", "c.caffemodel",
                    "--html", "p.html", *sizes) == 0
    at_once = capsys.readouterr().out
    assert Path("p.html").read_text().count("data:image/webp") == 3
    assert main(["features", "--videos", "frames", "--net", "c.prototxt", "--weights",
                 "c.caffemodel", "--cpu", "--out", "f.h5", *sizes]) == 0
    capsys.readouterr()
    assert describe("--features", "f.h5") == 0
    assert capsys.readouterr().out == at_once


def test_long_videos_are_told(files, capsys):
    assert describe("--features", "f.csv", "--timesteps", "8") == 0
    said = capsys.readouterr()
    assert "warning: 1 videos have more frames than the 8 steps of the training, the first v3 (9)" \
        in said.err
    assert describe("--features", "f.csv", "--timesteps", "8", net="poolmean") == 0
    assert "warning" not in capsys.readouterr().err


@pytest.mark.parametrize("words, message", [
    (["--features", "f.csv", "--architecture", "a"], "--architecture is of use only with --roles"),
    (["f.csv"], "videos need a convnet"),
    (["--features", "f.csv", "--image-net", "x", "--image-weights", "y"], "videos need a convnet"),
    (["--features", "f.csv", "--first-video", "1"], "have names already"),
    (["--features", "gone.csv"], "gone.csv: the features cannot be read")])
def test_wrong_use(files, words, message, capsys):
    assert describe(*words) == 1
    assert message in capsys.readouterr().err


def test_features_of_another_width_and_words_of_another_net(files, capsys):
    Path("f.csv").write_text("v1_1,1,2,3\n")
    assert describe("--features", "f.csv") == 1
    assert "f.csv: the features do not fit the net (got 3 numbers a frame, wanted 64)" \
        in capsys.readouterr().err
    Vocabulary(["a"]).write("vocabulary.txt")
    assert describe("--features", "f.csv") == 1
    assert "fewer words than the net" in capsys.readouterr().err


def test_weights_of_another_vocabulary(files, capsys):
    """Weights know the words of the streams that they have learnt."""
    assert main(["data", "video-captions", "--features", "f.csv", "--sentences", "s.txt", "--out",
                 "d", "--streams", "16", "--timesteps", "30"]) == 1
    Path("s.txt").write_text("v1\ta man\nv2\ta dog\n")
    assert main(["data", "video-captions", "--features", "f.csv", "--sentences", "s.txt", "--out",
                 "data/clips", "--streams", "16", "--timesteps", "30", "--split", "train"]) == 0
    assert main(["train", "--solver", str(SMALL / "s2vt_solver.prototxt"), "--cpu", "--set",
                 "max_iter=1", "--set", "snapshot_prefix=out/x", "--set", "test_interval=0"]) == 0
    capsys.readouterr()
    flags = ["describe", "--cpu", "--net", str(SMALL / "s2vt.words_to_preds.deploy.prototxt"),
             "--weights", "out/x_iter_1.caffemodel", "--features", "f.csv"]
    assert main([*flags, "--vocabulary", "vocabulary.txt"]) == 1
    assert "were trained with another vocabulary" in capsys.readouterr().err
    assert main([*flags, "--vocabulary", "data/clips/vocabulary.txt", "--partial-vocabulary"]) == 0
