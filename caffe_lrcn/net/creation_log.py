"""Log lines about a net: its definition, its layers in order, who needs a gradient, its outputs.

Source: Caffe's net initialisation.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..proto import caffe_pb2
from ..proto.text import format_text

if TYPE_CHECKING:
    from ..proto.text import LayerDef, NetDef
    from .build import Node
    from .net import Net

_BYTES = 4  # of a float32, the type that Caffe's figures are for


def filtered_text(definition: NetDef, layers: Sequence[LayerDef],
                  state: caffe_pb2.NetState) -> str:
    """Return what Caffe logs before it builds: state and layers whose rules hold, as prototxt."""
    param = caffe_pb2.NetParameter()
    param.CopyFrom(definition.param)
    del param.layer[:]
    param.state.CopyFrom(state)
    for layer in layers:
        param.layer.add().CopyFrom(layer.param)
        param.layer[-1].ClearField("blobs")
    return f"Initializing net from parameters: \n{format_text(param)}"


def creation_lines(net: Net) -> Iterator[str]:
    """Yield what Caffe logs about a net: layers, gradients from last to first, outputs.

    ``Memory required for data`` counts the elements of all tops so far, aliases included.
    """
    elements = 0
    for node in net.nodes:
        elements += sum(blob.count for blob in node.top)
        yield from _layer_lines(node)
        yield f"Memory required for data: {_BYTES * elements}"
    for node in reversed(net.nodes):
        needs = "needs" if node.needs_backward else "does not need"
        yield f"{node.layer.name} {needs} backward computation."
    for output in net.outputs:
        yield f"This network produces output {output}"
    yield "Network initialization done."


def _layer_lines(node: Node) -> Iterator[str]:
    name = node.layer.name
    yield f"Creating Layer {name}"
    for bottom in node.bottom_names:
        yield f"{name} <- {bottom}"
    for number, top in enumerate(node.top_names):
        in_place = number < len(node.bottom) and node.bottom[number] is node.top[number]
        yield f"{name} -> {top}{' (in-place)' if in_place else ''}"
    for blob, weight in zip(node.top, node.loss_weights, strict=True):
        yield "Top shape: " + " ".join([*map(str, blob.shape), f"({blob.count})"])
        if weight:
            yield f"    with loss weight {weight:g}"
