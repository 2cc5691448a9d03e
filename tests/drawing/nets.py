"""Nets to draw: modules of parallel branches, and a recurrent net with long arrows."""
from __future__ import annotations

from caffe_lrcn.proto.text import parse_net


def _conv(name: str, bottom: str) -> str:
    return (f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" '
            "convolution_param { num_output: 8 kernel_size: 1 } }\n"
            f'layer {{ name: "relu_{name}" type: "ReLU" bottom: "{name}" top: "{name}" }}\n')


def inception_like(modules: int):
    """Return the layers of a chain of modules of four branches, each with a side loss."""
    text = 'layer { name: "data" type: "Data" top: "data" top: "label" }\n'
    blob = "data"
    for index in range(modules):
        name = f"m{index}"
        text += _conv(f"{name}/1x1", blob)
        text += _conv(f"{name}/reduce", blob) + _conv(f"{name}/3x3", f"{name}/reduce")
        text += (f'layer {{ name: "{name}/pool" type: "Pooling" bottom: "{blob}" '
                 f'top: "{name}/pool" pooling_param {{ kernel_size: 3 }} }}\n')
        text += (f'layer {{ name: "{name}/out" type: "Concat" bottom: "{name}/1x1" '
                 f'bottom: "{name}/3x3" bottom: "{name}/pool" bottom: "{blob}" '
                 f'top: "{name}/out" }}\n')
        blob = f"{name}/out"
        text += (f'layer {{ name: "{name}/loss" type: "SoftmaxWithLoss" bottom: "{blob}" '
                 f'bottom: "label" top: "{name}/loss" }}\n')
    return [layer.param for layer in parse_net(text).layers]


def recurrent():
    """Return the layers of a small captioner."""
    return [layer.param for layer in parse_net('''
layer { name: "words" type: "HDF5Data" top: "cont" top: "input" top: "target" }
layer { name: "picture" type: "Input" top: "picture" }
layer { name: "scaled" type: "Power" bottom: "picture" top: "picture" }
layer { name: "fc" type: "InnerProduct" bottom: "picture" top: "fc"
  inner_product_param { num_output: 256 } }
layer { name: "drop" type: "Dropout" bottom: "fc" top: "fc" }
layer { name: "embed" type: "Embed" bottom: "input" top: "embedded" }
layer { name: "lstm1" type: "LSTM" bottom: "embedded" bottom: "cont" top: "lstm1"
  recurrent_param { num_output: 16 } }
layer { name: "lstm2" type: "LSTM" bottom: "lstm1" bottom: "cont" bottom: "fc" top: "lstm2"
  recurrent_param { num_output: 16 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "lstm2" bottom: "target" top: "loss" }
''').layers]


def shapes(canvas, kind):
    """Return the shapes of a kind on a canvas."""
    return [shape for shape in canvas.shapes if isinstance(shape, kind)]
