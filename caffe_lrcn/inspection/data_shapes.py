"""Shapes of what data layers make, as far as their definitions tell them."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from ..net.collect import Shape
from ..proto.text import LayerDef
from ..sources.records.clips import SMALLEST

RECURRENT = ("LSTM", "GRU", "RNN")
#: Data layer -> the message with its batch_size.
_MESSAGES = {"Data": "data_param", "ImageData": "image_data_param",
             "VideoData": "video_data_param", "WindowData": "window_data_param",
             "HDF5Data": "hdf5_data_param"}
_COLOR = 3


@dataclass(frozen=True)
class Guess:
    """Shapes of a data layer's tops; None where nothing is known.

    Args:
        shapes: one a top.
        assumption: what had to be assumed, in words; empty if the definition says it all.
    """

    shapes: list[Shape | None]
    assumption: str = ""


def needs_data(layer: LayerDef) -> bool:
    """Tell whether a layer of this type looks at data when it is set up."""
    return layer.param.type in _MESSAGES


def guess_shapes(layer: LayerDef, net: Sequence[LayerDef]) -> Guess:
    """Return what the definition of a data layer tells about its tops.

    Args:
        layer: a layer of which ``needs_data`` is true.
        net: all layers, since what reads a top tells of its axes.
    """
    if layer.param.type == "HDF5Data":
        return _streams(layer, net)
    size, assumption = _picture(layer)
    labels: Shape = (_batch_size(layer),)
    if layer.param.type == "VideoData":
        labels = layer.param.video_data_param.clip_length, *labels
    picture = (prod(labels), *size) if size else None
    return Guess([picture, labels, labels][:len(layer.param.top)], assumption)


def _batch_size(layer: LayerDef) -> int:
    return getattr(layer.param, _MESSAGES[layer.param.type]).batch_size


def _picture(layer: LayerDef) -> tuple[Shape | None, str]:
    """Return (C, H, W), or None, and what is assumed for it."""
    transform, channels, assumption = layer.param.transform_param, _COLOR, ""
    if layer.param.type == "ImageData":
        channels = _COLOR if layer.param.image_data_param.is_color else 1
    elif layer.param.type == "Data" and transform.force_gray:
        channels = 1
    elif layer.param.type == "Data" and not transform.force_color and len(
            transform.mean_value) != _COLOR:
        assumption = "3 channels"
    if transform.crop_size:
        return (channels, transform.crop_size, transform.crop_size), assumption
    if layer.param.type in ("ImageData", "VideoData"):
        given = getattr(layer.param, _MESSAGES[layer.param.type])
        if given.new_height and given.new_width:
            return (channels, given.new_height, given.new_width), assumption
    if layer.param.type == "VideoData":
        return (channels, *SMALLEST), f"frames of {SMALLEST[0]} x {SMALLEST[1]}"
    return None, ""


def _streams(layer: LayerDef, net: Sequence[LayerDef]) -> Guess:
    """Return (T, N) for the tops that a recurrent net reads as words, targets or cont."""
    tops = list(layer.param.top)
    readers = [(other.param.type, position, blob) for other in net
               for position, blob in enumerate(other.param.bottom)]
    if not any(kind in RECURRENT and position == 1 and blob in tops
               for kind, position, blob in readers):
        return Guess([None] * len(tops))
    steps = _batch_size(layer)
    others = {_batch_size(other) for other in net
              if needs_data(other) and other.param.type != "HDF5Data"}
    streams = others.pop() if len(others) == 1 else 1
    shapes: list[Shape | None] = []
    for top in tops:
        indices = any(blob == top and _reads_indices(kind, position)
                      for kind, position, blob in readers)
        shapes.append((steps, streams) if indices else None)
    return Guess(shapes, f"{steps} time steps (its batch_size) of {streams} "
                         f"{'stream' if streams == 1 else 'streams'}")


def _reads_indices(kind: str, position: int) -> bool:
    """Tell whether this bottom of such a layer takes one number for a step and stream."""
    return (kind in ("Embed", "Silence") or position == 1 and
            (kind in RECURRENT or kind.endswith("Loss") or kind == "Accuracy"))
