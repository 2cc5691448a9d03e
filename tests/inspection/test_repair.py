"""Reading past errors: every wrong field is told once, and the rest is read."""
from __future__ import annotations

import pytest

from caffe_lrcn.inspection import repair as repair_module
from caffe_lrcn.inspection.repair import is_solver, repair
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_net

_TEXT = '''name: "n"
layer { name: "a" type: "ReLU" bottom: "x" top: "a" relu_paramm { negative_slope: 1 } }
layer {
  name: "b" type: "Pooling"
  pooling_param { pool: MAXX kernel_size: "three" stride: 2 }
}
layer { name: "c" type: "ReLU" type: "TanH" top: ["u" "v"] }
'''


def _repair(text: str):
    return repair(text, caffe_pb2.NetParameter(), "f")


def test_tells_every_wrong_field_with_its_place_and_layer():
    repaired = _repair(_TEXT.replace('"u" "v"', '"u", "v"'))
    assert [problem.where for problem in repaired.problems] == [
        "f:2:53", "f:5:25", "f:5:43", "f:7:32"]
    assert [problem.text.split(":")[0] for problem in repaired.problems] == [
        "layer 'a'", "layer 'b'", "layer 'b'", "layer 'c'"]
    assert repaired.damaged == {"f:2:1", "f:3:1", "f:7:1"}
    net = parse_net(repaired.text, "f")
    assert net.layers[1].param.pooling_param.stride == 2
    assert net.layers[2].param.type == "ReLU" and list(net.layers[2].param.top) == ["u", "v"]
    assert net.layers[2].place.at() == "f:7:1"


@pytest.mark.parametrize("text", ['layer { name: "a" ', 'layer { name "a" }', "}", "layer: 3 }",
                                  'layer { type: "R }', "layer { top: ", "layer { a: }"])
def test_ends_where_the_syntax_ends(text):
    repaired = _repair(text)
    assert repaired.problems and len(repaired.problems) <= 2


def test_a_sound_text_stays_as_it_is():
    repaired = _repair('layer { name: "a" type: "ReLU" }')
    assert repaired.text == 'layer { name: "a" type: "ReLU" }'
    assert not repaired.problems and not repaired.damaged


def test_a_scalar_for_a_message():
    repaired = _repair('layer { name: "a" relu_param: 3 type: "ReLU" }')
    assert len(repaired.problems) == 1 and repaired.text is not None
    assert parse_net(repaired.text).layers[0].param.type == "ReLU"


def test_a_string_that_is_not_closed_takes_the_rest_of_its_line():
    repaired = _repair('layer { type: "R }\n name: "a" }\nlayer { name: "b" }\n')
    assert len(repaired.problems) == 1 and "not closed" in repaired.problems[0].text
    assert [layer.param.name for layer in parse_net(repaired.text).layers] == ["a", "b"]


def test_separators_and_lists_go_with_their_field():
    repaired = _repair('layer { a: 1, name: "a", shape { } ; reshape_param { shape { dim: ["x", '
                       '[2]] axiss: 2 } } }')
    assert len(repaired.problems) == 4 and repaired.text is not None
    assert parse_net(repaired.text).layers[0].param.name == "a"


def test_tells_solvers_from_nets():
    assert is_solver('base_lr: 1 net: "x"')
    assert not is_solver('name: "n" layer { }') and not is_solver("")


def test_a_text_with_many_errors_is_read_twice(monkeypatch):
    scans = []
    scan = repair_module.Scanner.scan
    monkeypatch.setattr(repair_module.Scanner, "scan",
                        lambda self, message: scans.append(1) or scan(self, message))
    layer = 'layer { name: "a\\377" relu_param { slope: 1 } clip_param { min: 1 } }\n'
    repaired = _repair(layer * 50)
    assert len(repaired.problems) == 150 and len(scans) == 2
