"""draw_net.py: the old flags reach the drawing."""
from __future__ import annotations

import pytest
from PIL import Image

from tests.caffe_tools.scripts import ROOT, run

LENET = ROOT / "prototxt" / "zoo" / "lenet" / "train_val.prototxt"


@pytest.mark.parametrize(("flags", "accuracy"), [
    ([], True), (["--phase", "TEST"], True), (["--phase", "TRAIN"], False)])
def test_phases(tmp_path, capsys, flags, accuracy):
    assert run("draw_net", LENET, tmp_path / "net.svg", *flags) == 0
    drawn = (tmp_path / "net.svg").read_text()
    assert "conv1" in drawn and ("accuracy" in drawn) == accuracy
    assert capsys.readouterr().out == f"Drawing net to {tmp_path}/net.svg\n"


def test_learning_rate_multipliers(tmp_path):
    for flags in ([], ["--display_lrm"]):
        assert run("draw_net", LENET, tmp_path / f"{len(flags)}.svg", *flags) == 0
    assert (tmp_path / "0.svg").read_text() != (tmp_path / "1.svg").read_text()


def test_directions(tmp_path):
    sizes = {}
    for direction in ("LR", "TB"):
        assert run("draw_net", LENET, tmp_path / "net.png", "--rankdir", direction) == 0
        with Image.open(tmp_path / "net.png") as picture:
            sizes[direction] = picture.size
    assert sizes["LR"][0] > sizes["LR"][1] and sizes["TB"][0] < sizes["TB"][1]


@pytest.mark.parametrize("name", ["net.nothing", "file/net.svg"])
def test_pictures_that_cannot_be_written(tmp_path, capsys, name):
    (tmp_path / "file").write_bytes(b"")
    assert run("draw_net", LENET, tmp_path / name) == 1
    assert capsys.readouterr().err.startswith("error: ")
