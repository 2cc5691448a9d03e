"""Boxes and arrows that a net becomes."""
from __future__ import annotations

from caffe_lrcn.drawing.graph import build_graph
from caffe_lrcn.drawing.labels import BLOB_COLOR, IN_PLACE_COLOR, bottom_role, layer_lines
from caffe_lrcn.proto.text import parse_net
from tests.drawing.nets import inception_like, recurrent


def _layers(text: str):
    return [layer.param for layer in parse_net(text).layers]


def _names(graph) -> list[str]:
    return [node.cells[0].lines[0] for node in graph.nodes]


def _arrows(graph) -> set[tuple[str, str]]:
    names = _names(graph)
    return {(names[edge.source], names[edge.target]) for edge in graph.edges}


def test_layers_in_place_are_cells_of_the_box_above():
    graph = build_graph("n", recurrent(), compact=True)
    boxes = {node.cells[0].lines[0]: node for node in graph.nodes}
    assert [cell.lines[0] for cell in boxes["fc"].cells] == ["fc", "drop"]
    assert [cell.color for cell in boxes["fc"].cells] == ["#CC33FF", IN_PLACE_COLOR]
    assert [cell.lines[0] for cell in boxes["picture"].cells] == ["picture", "scaled"]


def test_a_compact_graph_shows_blobs_whose_names_say_something():
    graph = build_graph("n", recurrent(), compact=True)
    blobs = {node.cells[0].lines[0] for node in graph.nodes if node.is_blob}
    assert blobs == {"cont", "input", "target", "embedded"}
    full = build_graph("n", recurrent())
    assert {node.cells[0].lines[0] for node in full.nodes if node.is_blob} == blobs | {
        "picture", "fc", "lstm1", "lstm2", "loss"}
    assert all(node.cells[0].color == BLOB_COLOR for node in full.nodes if node.is_blob)


def test_recurrent_layers_have_all_their_bottoms():
    graph = build_graph("n", recurrent(), compact=True)
    names = _names(graph)
    arriving = {(names[edge.source], edge.role) for edge in graph.edges
                if names[edge.target] == "lstm2"}
    assert arriving == {("lstm1", "x"), ("cont", "cont"), ("fc", "static")}


def test_exposed_states_have_their_roles():
    layer, = _layers('layer { name: "l" type: "LSTM" bottom: "x" bottom: "c" bottom: "s" '
                     'bottom: "h" bottom: "m" recurrent_param { expose_hidden: true } }')
    assert [bottom_role(layer, i) for i in range(5)] == ["x", "cont", "static", "h0", "c0"]


def test_no_arrow_is_lost_and_all_go_forward():
    layers = inception_like(3)
    graph = build_graph("n", layers)
    arrows = _arrows(graph)
    for layer in layers:
        if layer.type != "ReLU":
            assert {(blob, layer.name) for blob in layer.bottom} <= arrows
            assert {(layer.name, blob) for blob in layer.top} <= arrows
    assert all(edge.source < edge.target for edge in graph.edges)


def test_a_blob_that_nobody_makes_and_one_that_changes_with_two_bottoms():
    graph = build_graph("n", _layers('''
layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "b" top: "a" }
layer { name: "next" type: "ReLU" bottom: "a" top: "r" }
'''))
    assert _names(graph) == ["sum", "a", "b", "a", "next", "r"]
    assert all(graph.nodes[edge.source] is not graph.nodes[edge.target] for edge in graph.edges)
    assert [(edge.source, edge.target) for edge in graph.edges] == [
        (1, 0), (2, 0), (0, 3), (3, 4), (4, 5)]


def test_lines_of_windows():
    conv, pool, all_ = _layers('''
layer { name: "c" type: "Convolution" convolution_param { kernel_h: 3 kernel_w: 5 stride: 2 }
  param { lr_mult: 1 } param { lr_mult: 0.5 } }
layer { name: "p" type: "Pooling" pooling_param { pool: AVE kernel_size: 3 pad: 1 } }
layer { name: "g" type: "Pooling" pooling_param { global_pooling: true } }
''')
    assert layer_lines(conv) == ["c", "(Convolution)", "kernel 3x5, stride 2, pad 0"]
    assert layer_lines(conv, display_lrm=True)[-1] == "lr mult: 1, 0.5"
    assert layer_lines(pool) == ["p", "(AVE Pooling)", "kernel 3, stride 1, pad 1"]
    assert layer_lines(all_)[-1] == "global"
