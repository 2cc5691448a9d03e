"""pycaffe's ``caffe.draw``: pictures of nets, without Graphviz and pydot.

Source: Caffe's python/caffe/draw.py.
"""
from __future__ import annotations

from typing import Any

from ..drawing import labels
from ..drawing.graph import Graph, build_graph
from ..drawing.render import extension_of, render, save
from ..errors import UsageError
from ..proto import caffe_pb2
from ..proto.text import net_from_message

__all__ = ["NetDrawing", "choose_color_by_layertype", "draw_net", "draw_net_to_file",
           "get_edge_label", "get_layer_label", "get_layer_lr_mult", "get_pooling_types_dict",
           "get_pydot_graph"]

_NO_LABEL = '""'


class NetDrawing:
    """What ``get_pydot_graph`` returns: a graph that can be written in several formats."""

    def __init__(self, graph: Graph, rankdir: str) -> None:
        self.graph, self.rankdir = graph, rankdir

    def create(self, prog: Any = None, format: str = "png") -> bytes:
        """Return the picture as the bytes of a file; ``prog`` is not used."""
        return render(self.graph, format, self.rankdir)


def get_pooling_types_dict() -> dict[int, str]:
    """Return the names of the pooling methods by number."""
    return labels.pooling_types()


def get_edge_label(layer: caffe_pb2.LayerParameter) -> str:
    """Return the text at a layer's outgoing edges: channels or batch size, or two quotes."""
    return labels.outputs_of(layer) or _NO_LABEL


def get_layer_lr_mult(layer: caffe_pb2.LayerParameter) -> list[float] | float:
    """Return the learning rate multipliers of a layer with weights; 1 where none are given."""
    if layer.type not in ("Convolution", "Deconvolution", "InnerProduct"):
        return 0
    return labels.learning_rates(layer) or [1.0]


def get_layer_label(layer: caffe_pb2.LayerParameter, rankdir: str,
                    display_lrm: bool = False) -> str:
    """Return the text in a layer's box, its lines joined as Graphviz wants them.

    Args:
        layer: the layer.
        rankdir: ``TB`` and ``BT`` put all on one line.
        display_lrm: add the learning rate multipliers.
    """
    separator = " " if rankdir in ("TB", "BT") else r"\n"
    return separator.join(labels.layer_lines(layer, display_lrm))


def choose_color_by_layertype(layertype: str) -> str:
    """Return the colour of a layer type as ``#RRGGBB``."""
    return labels.color_of(layertype)


def get_pydot_graph(caffe_net: caffe_pb2.NetParameter, rankdir: str, label_edges: bool = True,
                    phase: int | None = None, display_lrm: bool = False) -> NetDrawing:
    """Return the drawing of a net; it has ``create`` like pydot's graphs.

    Args:
        caffe_net: the definition.
        rankdir: where arrows point: ``TB``, ``LR``, ``BT`` or ``RL``.
        label_edges: write channels and batch sizes at arrows.
        phase: leave out layers of the other phase; levels and stages are not looked at.
        display_lrm: write learning rate multipliers into the boxes.

    Raises:
        UsageError: a layer has include and exclude rules, and ``phase`` is given.
    """
    definition = net_from_message(caffe_net, "the net to draw")
    layers = [layer.param for layer in definition.layers
              if phase is None or _belongs(layer.param, phase)]
    return NetDrawing(build_graph(caffe_net.name, layers, label_edges=label_edges,
                                  display_lrm=display_lrm), rankdir)


def draw_net(caffe_net: caffe_pb2.NetParameter, rankdir: str, ext: str = "png",
             phase: int | None = None, display_lrm: bool = False) -> bytes:
    """Return a picture of a net as the bytes of a file; see ``get_pydot_graph``."""
    drawing = get_pydot_graph(caffe_net, rankdir, phase=phase, display_lrm=display_lrm)
    return drawing.create(format=ext)


def draw_net_to_file(caffe_net: caffe_pb2.NetParameter, filename: str, rankdir: str = "LR",
                     phase: int | None = None, display_lrm: bool = False) -> None:
    """Write a picture of a net; the file's extension says the format.

    Raises:
        UsageError: an unknown format.
        DataError: the file cannot be written.
    """
    save(filename, draw_net(caffe_net, rankdir, extension_of(filename), phase, display_lrm))


def _belongs(layer: caffe_pb2.LayerParameter, phase: int) -> bool:
    if layer.include and layer.exclude:
        raise UsageError("include rules and exclude rules exclude each other", layer=layer.name)
    # CAFFE-QUIRK: a rule without a phase counts as one for TRAIN, the field's default.
    if layer.include:
        return any(rule.phase == phase for rule in layer.include)
    return not any(rule.phase == phase for rule in layer.exclude)
