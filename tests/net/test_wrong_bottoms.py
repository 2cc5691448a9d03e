"""Errors about a layer's bottoms: which axis, and which layers made them."""
from __future__ import annotations

import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import CaffeError, ShapeError
from caffe_lrcn.inspection.check import check_file
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net


def blob(name: str, *dims: int) -> str:
    shape = " ".join(f"dim: {dim}" for dim in dims)
    shape = f"input_param {{ shape {{ {shape} }} }}" if dims else ""
    return f'layer {{ name: "{name}_in" type: "Input" top: "{name}" {shape} }}\n'


def refusal(text: str, kind: type[CaffeError] = ShapeError) -> str:
    with pytest.raises(kind) as caught:
        Net(parse_net(text, "f"), get_backend("cpu"), phase=1)
    return str(caught.value)


A, B = blob("a", 2, 3, 4, 5), blob("b", 2, 3, 6, 5)
BOTTOMS = 'bottom: "a" bottom: "b" top: "c"'


@pytest.mark.parametrize("text, parts", [
    (f'{A}{B}layer {{ name: "c" type: "Concat" {BOTTOMS} }}',
     ["f:3:", "bottoms 0 and 1 differ on axis 2; only axis 1", "got (2, 3, 6, 5)",
      "wanted (2, any, 4, 5)", "Bottom 0, 'a' (2, 3, 4, 5), comes from layer 'a_in' at f:1:1",
      "Bottom 1, 'b' (2, 3, 6, 5), comes from layer 'b_in' at f:2:1"]),
    (f'{A}{blob("b", 2, 3)}layer {{ name: "c" type: "Concat" {BOTTOMS} }}',
     ["differ in the number of axes"]),
    (f'{A}{blob("b", 3, 3, 6, 5)}layer {{ name: "c" type: "Eltwise" {BOTTOMS} }}',
     ["bottoms 0 and 1 differ on axes 0, 2 (", "'a_in' at f:1:1", "'b_in' at f:2:1"]),
    (f'{A}{B}layer {{ name: "l" type: "EuclideanLoss" bottom: "a" bottom: "b" top: "l" }}',
     ["Bottom 1, 'b' (2, 3, 6, 5), comes from layer 'b_in' at f:2:1"]),
])
def test_the_bottoms_that_differ_are_told(text, parts):
    message = refusal(text)
    assert all(part in message for part in parts)


def test_of_many_bottoms_only_the_two_that_differ_are_told():
    more = "".join(blob(f"x{i}", 2, 3, 4, 5) for i in range(5))
    message = refusal(f'{A}{more}{B}layer {{ name: "e" type: "Eltwise" bottom: "a" '
                      + "".join(f'bottom: "x{i}" ' for i in range(5)) + 'bottom: "b" top: "e" }')
    assert "bottoms 0 and 6" in message and message.count("comes from") == 2


def test_a_blob_that_is_split_and_written_over_comes_from_its_last_writer():
    message = refusal(f'{A}{B}layer {{ name: "r" type: "ReLU" bottom: "b" top: "b" }}\n'
                      'layer { name: "s" type: "Softmax" bottom: "b" top: "s" }\n'
                      f'layer {{ name: "c" type: "Eltwise" {BOTTOMS} }}')
    assert "Bottom 1, 'b' (2, 3, 6, 5), comes from layer 'r' at f:3:1" in message


READER = """layer { name: "ip" type: "InnerProduct" bottom: "a" top: "ip"
                    inner_product_param { num_output: 2 } }"""


def test_an_input_without_a_shape_is_named():
    message = refusal(blob("a") + READER)
    assert "Input 'a_in' at f:1:1 has no shape: write input_param { shape { dim: … } }" in message


def test_check_says_so_too_unless_the_shape_is_given(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(blob("a") + READER)
    told = [problem.line() for problem in check_file(str(path)).problems]
    assert len(told) == 1 and "this Input has no shape" in told[0] and "--shape a=…" in told[0]
    assert not check_file(str(path), shapes={"a": (1, 3)}).problems


def test_layers_of_one_name_that_exclude_each_other_say_so(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(A + "".join(
        f'layer {{ name: "r" type: "ReLU" bottom: "a" top: "a" include {{ stage: "{stage}" }} }}\n'
        for stage in "st"))
    told = [problem.line() for problem in check_file(str(path), stages=["s", "t"]).problems]
    assert len(told) == 1 and "Each is there for its own stages, s and t" in told[0]
