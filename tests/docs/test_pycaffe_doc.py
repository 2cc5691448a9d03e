"""docs/pycaffe.md names everything that scripts can use."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

import caffe_lrcn as caffe
from caffe_lrcn import io
from caffe_lrcn.pycaffe import coord_map, net_spec

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "pycaffe.md").read_text(encoding="utf-8")
QUOTED = " ".join(re.findall(r"`([^`\n]+)`", TEXT))


@pytest.mark.parametrize("names", [
    caffe.__all__, io.__all__, net_spec.__all__, caffe.pycaffe.__all__,
    [n for n, v in vars(coord_map).items() if getattr(v, "__module__", "") == coord_map.__name__
     and n[0] != "_"],
    [n for n in dir(caffe.Net) if n[0] != "_" and n != "from_engine"],
    [n for n in dir(caffe.SGDSolver) if n[0] != "_" and n != "rule"],
    [n for n in dir(caffe.io.Transformer) if n[0] != "_"],
], ids=["caffe", "io", "net_spec", "pycaffe", "coord_map", "Net", "Solver", "Transformer"])
def test_every_name_is_there(names):
    assert len(names) > 5
    assert [name for name in names if not re.search(rf"\b{name}\b", QUOTED)] == []


def test_the_example_of_recurrent_states_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names = {}
    exec(compile(example, "pycaffe.md", "exec"), names)
    state = names["net"].recurrent_state()["lstm"]
    assert all((state[name] == values).all() for name, values in names["state"]["lstm"].items())
