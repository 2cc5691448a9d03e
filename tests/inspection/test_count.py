"""Parameters, multiply-adds and activations, against numbers counted by hand or published."""
from __future__ import annotations

import pytest

from caffe_lrcn.inspection.count import count, total
from caffe_lrcn.inspection.look import look_at
from caffe_lrcn.net.filter import make_state
from caffe_lrcn.proto.text import parse_net


def _input(name: str, *dims: int) -> str:
    shape = " ".join(f"dim: {size}" for size in dims)
    return (f'layer {{ name: "{name}" type: "Input" top: "{name}" '
            f"input_param {{ shape {{ {shape} }} }} }}\n")


def _cost(text: str):
    look = look_at(parse_net(text), make_state(1))
    assert not look.problems
    return count(look.steps)[-1]


@pytest.mark.parametrize(("shape", "layer", "parameters", "multiply_adds"), [
    ((2, 4, 9, 7), 'type: "Convolution" convolution_param { num_output: 6 kernel_size: 3 '
     "group: 2 }", 6 * 2 * 9 + 6, 2 * 6 * 7 * 5 * 2 * 9),
    ((2, 4, 3, 3), 'type: "Deconvolution" convolution_param { num_output: 6 kernel_size: 2 '
     "bias_term: false }", 4 * 6 * 4, 2 * 4 * 9 * 6 * 4),
    ((5, 3, 8), 'type: "InnerProduct" inner_product_param { num_output: 7 axis: 2 }',
     7 * 8 + 7, 5 * 3 * 8 * 7),
    ((5, 3), 'type: "Embed" embed_param { num_output: 7 input_dim: 9 bias_term: false }', 63, 0),
    ((2, 4, 3, 3), 'type: "LRN" lrn_param { local_size: 5 }', 0, 2 * 4 * 9 * 5),
    ((2, 4, 3, 3), 'type: "Scale" scale_param { }', 4, 2 * 4 * 9),
])
def test_costs_of_a_layer(shape, layer, parameters, multiply_adds):
    cost = _cost(_input("x", *shape) + f'layer {{ name: "l" bottom: "x" top: "l" {layer} }}')
    assert (cost.parameters, cost.multiply_adds) == (parameters, multiply_adds)


@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("RNN", 1), ("GRU", 3)])
def test_recurrent_layers_by_step_and_stream(kind, gates):
    steps, streams, size, static, units = 6, 3, 5, 7, 4
    text = _input("x", steps, streams, size) + _input("c", steps, streams) + _input(
        "s", streams, static)
    text += (f'layer {{ name: "l" type: "{kind}" bottom: "x" bottom: "c" %s top: "h" '
             f"recurrent_param {{ num_output: {units} }} }}")
    plain, with_static = _cost(text % ""), _cost(text % 'bottom: "s"')
    extra = units * units if kind == "RNN" else 0  # its output matrix
    assert plain.multiply_adds == steps * streams * (gates * units * (size + units) + extra)
    assert with_static.multiply_adds == plain.multiply_adds + streams * gates * units * static
    assert with_static.parameters - plain.parameters == gates * units * static


def test_shared_parameters_count_once():
    layer = ('layer {{ name: "{0}" type: "InnerProduct" bottom: "x" top: "{0}" '
             'param {{ name: "w" }} inner_product_param {{ num_output: 3 bias_term: false }} }}\n')
    look = look_at(parse_net(_input("x", 2, 5) + layer.format("a") + layer.format("b")),
                   make_state(1))
    assert [cost.parameters for cost in count(look.steps)] == [0, 15, 0]


def test_activations_count_memory_once():
    text = _input("x", 2, 3, 4, 5) + '''
layer { name: "r" type: "ReLU" bottom: "x" top: "x" }
layer { name: "f" type: "Flatten" bottom: "x" top: "f" }
layer { name: "t" type: "TanH" bottom: "f" top: "t" }
'''
    look = look_at(parse_net(text), make_state(1))
    assert [cost.activations for cost in count(look.steps)] == [480, 0, 0, 480]
    assert total(count(look.steps))["activations"] == 960
