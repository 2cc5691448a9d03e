"""`summary` on the project's own nets, and what it says where shapes are missing."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.cli.summary import short

_NETS = Path(__file__).parents[2] / "prototxt"


def test_the_language_model(capsys):
    path = str(_NETS / "language_model.prototxt")
    shapes = ["--shape", "input_sentence=20,50", "--shape", "cont_sentence=20,50",
              "--shape", "target_sentence=20,50"]
    assert main(["summary", path, "--stage", "test-on-val", "--json", *shapes]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = {row["layer"]: row for row in found["layers"]}
    assert rows["predict"]["outputs"][0][:2] == [20, 50]
    assert found["totals"]["parameters"] == sum(row["parameters"] for row in rows.values()) > 0
    assert (found["phase"], found["stages"]) == ("TEST", ["test-on-val"])


def test_the_table_and_the_totals(tmp_path, capsys):
    path = tmp_path / "net.prototxt"
    path.write_text('''name: "small"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 10 dim: 200 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
  inner_product_param { num_output: 50 } }
''')
    assert main(["summary", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "small (TEST), 2 layers"
    assert lines[4].split() == ["ip", "InnerProduct", "10", "x", "50", "10.1", "k", "100", "k",
                                "2", "kB"]
    assert "parameters     10,050 (40.2 kB)" in lines
    assert "multiply-adds  100,000 a forward pass" in lines


def test_an_unknown_shape_is_told(tmp_path, capsys):
    path = tmp_path / "net.prototxt"
    path.write_text('''
layer { name: "d" type: "HDF5Data" top: "x" hdf5_data_param { source: "none" batch_size: 4 } }
layer { name: "r" type: "ReLU" bottom: "x" top: "r" }
''')
    assert main(["summary", str(path)]) == 0
    captured = capsys.readouterr()
    assert "say it with --shape x=" in captured.err and "?" in captured.out
    assert main(["summary", str(path), "--shape", "x=4,9"]) == 0
    assert "4 x 9" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "text"), [
    (0, "0"), (999, "999"), (999.6, "1 k"), (1500, "1.5 k"), (15_470_264_320, "15.5 G")])
def test_short_numbers(number, text):
    assert short(number) == text
