"""The whole chain on a tiny setting: data, picture net, captioner, captions, page."""
import json
import re
import shutil
from pathlib import Path

import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.tasks.toy.embedded import Embedded
from caffe_lrcn.tasks.toy.page import curve, read_curve

TINY = ["demo", "--images", "40", "--convnet-iterations", "2", "--iterations", "3"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which the demonstration has run."""
    path = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        assert main(TINY) == 0
    return path


def test_the_page_holds_pictures_captions_scores_and_curves(folder):
    page = (folder / "out/demo/index.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 4  # two of each test split
    assert "CIDEr-D" in page and "unseen combinations" in page
    assert page.count("<polyline") >= 1
    assert not re.search(r"<script|https?://", page)
    scores = json.loads((folder / "out/demo/scores.json").read_text())
    assert set(scores) == {"seen combinations", "unseen combinations"}


def test_run_again_it_does_only_what_is_missing(folder, monkeypatch, capfd):
    monkeypatch.chdir(folder)
    weights = folder / "out/lrcn_iter_3.caffemodel"
    before = weights.stat().st_mtime_ns
    (folder / "out/demo/index.html").unlink()
    assert main(TINY) == 0
    assert weights.stat().st_mtime_ns == before
    assert (folder / "out/demo/index.html").exists()
    assert "there already" in capfd.readouterr().err


def test_the_same_seed_gives_the_same_weights(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(TINY) == 0
    for name in ("data/convnet.caffemodel", "out/lrcn_iter_3.caffemodel"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_training_makes_what_is_missing_first(folder, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    made = []
    for name in ("make_captions", "make_convnet"):
        monkeypatch.setattr(Embedded, name, lambda self, name=name: made.append(name))
    assert main(["train", "--cpu", "--solver", "prototxt/lrcn_solver.prototxt",
                 "--set", "max_iter=1"]) == 1  # the stand-ins make nothing
    assert sorted(set(made)) == ["make_captions", "make_convnet"]
    capfd.readouterr()


def test_ones_own_data_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from caffe_lrcn.paths import resolve
    from caffe_lrcn.proto.text import read_solver
    Path("data/captions/buffer_32/mine").mkdir(parents=True)
    Path("data/convnet.caffemodel").touch()
    Embedded().make_missing(read_solver(resolve("prototxt/lrcn_solver.prototxt")))
    assert {path.name for path in Path("data").iterdir()} == {"captions", "convnet.caffemodel"}
    assert list(Path("data/captions/buffer_32").iterdir()) == [Path("data/captions/buffer_32/mine")]


@pytest.mark.parametrize("left", ["nothing", "a vocabulary", "part of the first split",
                                  "part of the second split"])
def test_streams_whose_making_was_interrupted_are_completed(folder, tmp_path, monkeypatch, left):
    from caffe_lrcn.paths import resolve
    from caffe_lrcn.proto.text import read_solver
    monkeypatch.chdir(tmp_path)
    shutil.copytree(folder / "data", "data")
    splits = Path("data/captions/buffer_32")
    want = {path: path.read_bytes() for path in sorted(splits.glob("*/*.txt"))}
    assert len(want) == 6
    for name in ("val", "train")[:1 if left.endswith("second split") else 2]:
        split = splits / f"{name}_aligned_20_batches"
        (split / "hdf5_chunk_list.txt").unlink()
        split.rename(f"{split}.partial")
        if not left.startswith("part") or (name == "val" and left.endswith("first split")):
            shutil.rmtree(f"{split}.partial")
    if left == "nothing":
        Path("data/captions/vocabulary.txt").unlink()
    Embedded(40).make_missing(read_solver(resolve("prototxt/lrcn_solver.prototxt")))
    assert {path: path.read_bytes() for path in sorted(splits.glob("*/*"))
            if path.suffix == ".txt"} == want
    assert not list(splits.glob("*.partial"))


def test_curves_come_from_the_training_log(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("iteration,net,lr,mean_loss,loss,accuracy\n0,train,1,5,2.5,\n"
                   "10,test 0,1,4,2,0.5\n20,train,1,3,1.5,\n")
    assert read_curve(log, "train", "loss") == [(0, 2.5), (20, 1.5)]
    assert read_curve(log, "test 0", "accuracy") == [(10, 0.5)]
    drawing = curve("loss over time", read_curve(log, "train", "loss"))
    assert ">loss over time<" in drawing and ">20<" in drawing and curve("loss", []) == ""
    assert curve("nothing", []) == ""


def test_a_stopped_training_ends_the_command_and_the_same_command_goes_on(
        folder, tmp_path, monkeypatch, capfd):
    from caffe_lrcn.solver.signals import Action, SignalActions
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(SignalActions, "__call__", lambda self: Action.STOP)
        assert main(TINY) == 130
    assert "The same command as before goes on" in capfd.readouterr().err
    assert not (tmp_path / "data/convnet.caffemodel").exists()
    assert main(TINY) == 0
    for name in ("data/convnet.caffemodel", "out/lrcn_iter_3.caffemodel"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_a_lost_picture_net_comes_from_its_whole_snapshot_again(
        folder, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    weights = Path("data/convnet.caffemodel")
    want = weights.read_bytes()
    weights.unlink()
    assert main(TINY) == 0
    assert weights.read_bytes() == want
    assert "incomplete snapshot" not in capfd.readouterr().err


def test_a_shorter_training_after_a_longer_one_starts_anew(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    assert main([*TINY[:-1], "2"]) == 0
    assert Path("out/lrcn_iter_2.caffemodel").exists()
