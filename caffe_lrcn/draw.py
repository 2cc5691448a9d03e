"""pycaffe's ``caffe.draw``."""
from __future__ import annotations

from .pycaffe.draw import (
    NetDrawing,
    choose_color_by_layertype,
    draw_net,
    draw_net_to_file,
    get_edge_label,
    get_layer_label,
    get_layer_lr_mult,
    get_pooling_types_dict,
    get_pydot_graph,
)

__all__ = ["NetDrawing", "choose_color_by_layertype", "draw_net", "draw_net_to_file",
           "get_edge_label", "get_layer_label", "get_layer_lr_mult", "get_pooling_types_dict",
           "get_pydot_graph"]
