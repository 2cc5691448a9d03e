"""What stands in a drawing: texts and colours of layers, numbers at edges.

Source: Caffe's draw.py.
"""
from __future__ import annotations

from collections.abc import Sequence

from ..layer_types.common.window import read_window
from ..proto import caffe_pb2

BLOB_COLOR = "#E0E0E0"
IN_PLACE_COLOR = "#90EE90"
_DEFAULT_COLOR = "#6495ED"
_COLORS = {"Convolution": "#FF5050", "Deconvolution": "#FF5050", "Pooling": "#FF9900",
           "InnerProduct": "#CC33FF"}
# Type -> the message with its window.
_WINDOWS = {"Convolution": "convolution_param", "Deconvolution": "convolution_param",
            "Pooling": "pooling_param"}
_INPUTS = ("x", "cont")
_RECURRENT = ("LSTM", "GRU", "RNN")
# Type -> the message with its num_output.
_OUTPUTS = {"Convolution": "convolution_param", "Deconvolution": "convolution_param",
            "InnerProduct": "inner_product_param", "Embed": "embed_param",
            "LSTM": "recurrent_param", "GRU": "recurrent_param", "RNN": "recurrent_param"}


def color_of(layer_type: str) -> str:
    """Return the colour of a layer type."""
    return _COLORS.get(layer_type, _DEFAULT_COLOR)


def outputs_of(layer: caffe_pb2.LayerParameter) -> str:
    """Return what is written at a layer's outgoing edges: channels or batch size; often empty."""
    if layer.type == "Data":
        return f"Batch {layer.data_param.batch_size}"
    message = _OUTPUTS.get(layer.type)
    return str(getattr(layer, message).num_output) if message else ""


def layer_lines(layer: caffe_pb2.LayerParameter, display_lrm: bool = False) -> list[str]:
    """Return the lines in a layer's box: name, type, window, and rate multipliers if wanted."""
    kind = layer.type
    if kind == "Pooling":
        kind = f"{pooling_types()[layer.pooling_param.pool]} Pooling"
    lines = [layer.name, f"({kind})"]
    window = window_of(layer)
    if window:
        lines.append(window)
    if display_lrm and learning_rates(layer):
        lines.append(f"lr mult: {', '.join(f'{rate:g}' for rate in learning_rates(layer))}")
    return lines


def window_of(layer: caffe_pb2.LayerParameter) -> str:
    """Return kernel, stride and padding of a convolution or a pooling in words."""
    if layer.type == "Pooling" and layer.pooling_param.global_pooling:
        return "global"
    field = _WINDOWS.get(layer.type)
    if not field:
        return ""
    window = read_window(getattr(layer, field))
    return (f"kernel {_size(window.kernel, 1)}, stride {_size(window.stride, 1)}, "
            f"pad {_size(window.pad, 0)}")


def _size(sizes: Sequence[int], default: int) -> str:
    sizes = sizes or [default]
    return "x".join(map(str, sizes)) if len(set(sizes)) > 1 else str(sizes[0])


def learning_rates(layer: caffe_pb2.LayerParameter) -> list[float]:
    """Return the learning rate multipliers that a layer's ``param`` entries give."""
    return [spec.lr_mult for spec in layer.param]


def bottom_role(layer: caffe_pb2.LayerParameter, position: int) -> str:
    """Return what a bottom is to a recurrent layer; empty for other layers."""
    if layer.type not in _RECURRENT:
        return ""
    if position < len(_INPUTS):
        return _INPUTS[position]
    exposed = 0
    if layer.recurrent_param.expose_hidden:
        exposed = 2 if layer.type == "LSTM" else 1
    first_state = len(layer.bottom) - exposed
    return "static" if position < first_state else ("h0", "c0")[position - first_state]


def pooling_types() -> dict[int, str]:
    """Return the names of the pooling methods by number."""
    return {value: name for name, value in caffe_pb2.PoolingParameter.PoolMethod.items()}
