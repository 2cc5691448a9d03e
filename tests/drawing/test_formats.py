"""SVG, PNG and characters show every box and every text; pycaffe's names work."""
from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import pytest
from PIL import Image, ImageColor

from caffe_lrcn.cli.main import main
from caffe_lrcn.drawing.boxes import _tracks, as_boxes
from caffe_lrcn.drawing.canvas import Box, Canvas, Text
from caffe_lrcn.drawing.graph import build_graph
from caffe_lrcn.drawing.picture import make_picture
from caffe_lrcn.drawing.png import as_image
from caffe_lrcn.drawing.render import render
from caffe_lrcn.errors import UsageError
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_net
from caffe_lrcn.pycaffe import draw
from tests.drawing.nets import inception_like, recurrent, shapes

_SVG = "{http://www.w3.org/2000/svg}"

_NET = '''name: "a & b"
layer { name: "d" type: "Data" top: "d" top: "label" data_param { batch_size: 7 }
  include { phase: TRAIN } }
layer { name: "<c>" type: "Convolution" bottom: "d" top: "c"
  convolution_param { num_output: 96 kernel_size: 3 } }
layer { name: "r" type: "ReLU" bottom: "c" top: "c" }
layer { name: "p" type: "Pooling" bottom: "c" top: "p" pooling_param { kernel_size: 2 } }
layer { name: "acc" type: "Accuracy" bottom: "p" bottom: "label" top: "acc"
  include { phase: TEST } }
'''


def _net() -> caffe_pb2.NetParameter:
    return parse_net(_NET).param


def test_svg_has_every_box_text_and_arrow():
    graph = build_graph("a & b", recurrent())
    tree = ElementTree.fromstring(render(graph, "svg"))
    texts = [element.text for element in tree.iter(f"{_SVG}text")]
    assert {line for node in graph.nodes for cell in node.cells for line in cell.lines} <= set(
        texts)
    assert {"x", "cont", "static", "256"} <= set(texts)
    assert tree.find(f"{_SVG}title").text == "a & b"
    assert len(list(tree.iter(f"{_SVG}polygon"))) == sum(len(n.cells) for n in graph.nodes)
    assert len(list(tree.iter(f"{_SVG}path"))) == len(graph.edges) + 1  # and the arrow's head


def test_png_shows_the_colours_where_the_boxes_are():
    graph = build_graph("n", inception_like(2))
    image = Image.open(io.BytesIO(render(graph, "png")))
    picture = make_picture(graph)
    assert image.size == (2 * picture.width, 2 * picture.height)
    for box in shapes(picture, Box):
        x = round(2 * (min(x for x, _ in box.corners) + 5))
        y = round(2 * sum(y for _, y in box.corners) / len(box.corners))
        assert image.convert("RGB").getpixel((x, y)) == ImageColor.getrgb(box.color)


@pytest.mark.parametrize("layers", [recurrent(), inception_like(3)], ids=["recurrent", "inception"])
@pytest.mark.parametrize("compact", [True, False])
def test_characters_show_every_name_and_an_arrow_for_every_edge(layers, compact):
    graph = build_graph("n", layers, compact=compact)
    text = as_boxes(graph)
    for node in graph.nodes:
        for cell in node.cells:
            assert " ".join(cell.lines[:2]) in text
    assert text.count("▼") == len(graph.edges)
    assert text.count("┌") >= sum(not node.is_blob for node in graph.nodes)


def test_characters_of_a_small_net():
    layers = parse_net('''
layer { name: "x" type: "Input" top: "x" }
layer { name: "a" type: "ReLU" bottom: "x" top: "a" }
layer { name: "b" type: "TanH" bottom: "x" top: "b" }
layer { name: "s" type: "Eltwise" bottom: "a" bottom: "b" top: "s" }
''').layers
    graph = build_graph("n", [layer.param for layer in layers], compact=True)
    assert as_boxes(graph) == _DIAMOND


_DIAMOND = '''\
┌───────────┐
│ x (Input) │
└───────────┘
      ├───────────────┐
      ▼               ▼
┌───────────┐   ┌───────────┐
│  a (ReLU) │   │  b (TanH) │
└───────────┘   └───────────┘
      │ ┌─────────────┘
      ▼ ▼
┌─────────────┐
│ s (Eltwise) │
└─────────────┘
'''


def test_lines_that_would_run_into_each_other_get_rows_in_order():
    # From column 0 to 4, and from 4 to 8: the second must turn away above the first.
    rows = _tracks({0: {4}, 4: {8}})
    assert rows[4] < rows[0]
    assert _tracks({0: {0}, 4: {4}}) == {}
    assert _tracks({0: {2}, 10: {12}}) == {0: 0, 10: 0}
    assert sorted(_tracks({0: {4}, 4: {0}}).values()) == [0, 1]  # in a ring one must give way


def test_unknown_formats():
    graph = build_graph("n", recurrent())
    with pytest.raises(UsageError, match="unknown format"):
        render(graph, "docx")
    with pytest.raises(UsageError, match="unknown rankdir"):
        render(graph, "svg", "UP")
    assert render(graph, "jpg")[:2] == b"\xff\xd8"


# pycaffe's names --------------------------------------------------------------------------------


def test_pycaffe_helpers():
    data, conv, relu, pool, _ = _net().layer
    assert draw.get_pooling_types_dict() == {0: "MAX", 1: "AVE", 2: "STOCHASTIC"}
    assert [draw.get_edge_label(layer) for layer in (data, conv, relu)] == [
        "Batch 7", "96", '""']
    assert draw.get_layer_label(pool, "TB") == "p (MAX Pooling) kernel 2, stride 1, pad 0"
    assert draw.get_layer_label(relu, "LR") == r"r\n(ReLU)"
    assert draw.get_layer_lr_mult(conv) == [1.0] and draw.get_layer_lr_mult(relu) == 0
    colors = [draw.choose_color_by_layertype(kind) for kind in
              ("Convolution", "Deconvolution", "Pooling", "InnerProduct", "LSTM")]
    assert colors == ["#FF5050", "#FF5050", "#FF9900", "#CC33FF", "#6495ED"]


def _drawn(phase: int | None) -> set[str]:
    graph = draw.get_pydot_graph(_net(), "LR", phase=phase).graph
    return {node.cells[0].lines[0] for node in graph.nodes if not node.is_blob}


def test_pycaffe_phase_filter():
    assert _drawn(None) == {"d", "<c>", "p", "acc"}
    assert _drawn(caffe_pb2.TRAIN) == {"d", "<c>", "p"}
    assert _drawn(caffe_pb2.TEST) == {"<c>", "p", "acc"}


def test_pycaffe_rule_without_a_phase_is_one_for_train():
    """CAFFE-QUIRK: such a rule's phase is the field's default."""
    net = parse_net('layer { name: "a" type: "ReLU" bottom: "x" top: "a" include { min_level: 9 } }'
                    ).param
    for phase, count in ((caffe_pb2.TRAIN, 3), (caffe_pb2.TEST, 0)):
        assert len(draw.get_pydot_graph(net, "LR", phase=phase).graph.nodes) == count


def test_pycaffe_files(tmp_path):
    draw.draw_net_to_file(_net(), str(tmp_path / "n.png"), "TB")
    wide = Image.open(io.BytesIO(draw.draw_net(_net(), "LR")))
    with Image.open(tmp_path / "n.png") as tall:
        assert wide.width > wide.height and tall.height > tall.width
    assert draw.draw_net(_net(), "LR", "svg").startswith(b"<svg")


# The command ------------------------------------------------------------------------------------


def test_the_command(tmp_path, capsys):
    net = tmp_path / "n.prototxt"
    net.write_text(_NET)
    assert main(["draw", str(net), "-"]) == 0
    shown = capsys.readouterr().out
    assert "acc (Accuracy)" in shown and "d (Data)" not in shown
    assert main(["draw", str(net), "-", "--phase", "TRAIN", "--all_blobs"]) == 0
    shown = capsys.readouterr().out
    assert "d (Data)" in shown and "acc (Accuracy)" not in shown and "(p)" in shown
    for name in ("n.svg", "n.png", "n.txt"):
        assert main(["draw", str(net), str(tmp_path / name), "--phase", "ALL"]) == 0
        assert (tmp_path / name).stat().st_size > 500
    assert main(["draw", str(net), str(tmp_path / "made" / "here" / "n.svg")]) == 0
    assert (tmp_path / "made" / "here" / "n.svg").exists()
    assert main(["draw", str(net), str(tmp_path / "n.odd")]) == 1


def test_a_huge_picture_is_made_smaller(monkeypatch):
    monkeypatch.setattr("caffe_lrcn.drawing.png._LIMIT", 10_000)
    image = as_image(Canvas(400, 100, 2, shapes=[Box(((0, 0), (400, 0), (400, 100), (0, 100)),
                                                     "#ff0000"), Text((200, 50), "a", 12)]))
    assert image.size == (200, 50) and image.getpixel((10, 10)) == (255, 0, 0)
