"""Second pass: give every consumer of a blob a copy of its own, so that gradients can be summed.

Source: Caffe's split insertion; the names are Caffe's, since they appear in saved weights.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice

from ..errors import NetError
from ..hints import nearest
from ..layer_types import TYPES, layer_class
from ..proto import caffe_pb2
from ..proto.text import LayerDef
from .collect import OnError, fail

# So many wrong names are compared with so many others: a net may have a hundred thousand blobs.
COMPARED_NAMES = 100
_COMPARED_WITH = 300

# (index of a layer, index of one of its tops)
TopRef = tuple[int, int]


class UnknownBottom(NetError):
    """A layer reads the blob ``blob``, which no layer before it makes."""

    blob = ""


def insert_splits(layers: list[LayerDef], on_error: OnError = fail) -> list[LayerDef]:
    """Return ``layers`` with a Split after each top that has several consumers.

    A non-zero ``loss_weight`` counts as a consumer and moves to the first output of the Split. A
    layer that keeps no other has the field no more; a loss keeps a 0, for without the field its
    weight is 1.
    ``on_error`` gets an UnknownBottom for each bottom that no earlier layer makes; if it returns,
    the bottom stays as it is.
    """
    sources, uses = _trace(layers, on_error)
    next_output = Counter({ref: int(_weight(layers, ref) != 0) for ref in uses})
    result: list[LayerDef] = []
    for index, layer in enumerate(layers):
        param = caffe_pb2.LayerParameter()
        param.CopyFrom(layer.param)
        for position, blob in enumerate(param.bottom):
            ref = sources.get((index, position))
            if ref and uses[ref] > 1:
                param.bottom[position] = split_blob_name(
                    _producer(layers, ref), blob, ref[1], next_output[ref])
                next_output[ref] += 1
        result.append(LayerDef(param, layer.place))
        for top in range(len(param.top)):
            ref = (index, top)
            if uses[ref] > 1:
                weight = _weight(layers, ref)
                if weight:
                    param.loss_weight[top] = 0
                result.append(LayerDef(_split(layers, ref, uses[ref], weight), layer.place,
                                       inserted=True))
        if any(layer.param.loss_weight) and not any(param.loss_weight) and not _is_loss(param):
            param.ClearField("loss_weight")
    return result


def split_layer_name(layer: str, blob: str, top: int) -> str:
    """Return the name of the Split for top number ``top`` of ``layer``."""
    return f"{blob}_{layer}_{top}_split"


def split_blob_name(layer: str, blob: str, top: int, output: int) -> str:
    """Return the name of output number ``output`` of that Split."""
    return f"{split_layer_name(layer, blob, top)}_{output}"


def unknown_bottom(layer: LayerDef, position: int, known: Iterable[str]) -> UnknownBottom:
    """Return the error for a bottom that no earlier layer makes.

    Args:
        layer, position: who reads it.
        known: names of blobs, some of which are compared with it.
    """
    blob = layer.param.bottom[position]
    close = nearest(blob, islice(known, _COMPARED_WITH))
    remedy = (f"Did you mean '{close[0]}'?" if close else
              "A layer above must name it as a top, in this phase and with these stages.")
    error = UnknownBottom(f"unknown bottom blob '{blob}' (bottom {position})",
                          where=layer.place.at("bottom", position), layer=layer.param.name,
                          remedy=remedy)
    error.blob = blob
    return error


def _trace(layers: list[LayerDef], on_error: OnError) -> tuple[dict[tuple[int, int], TopRef],
                                                               Counter[TopRef]]:
    latest: dict[str, TopRef] = {}
    sources: dict[tuple[int, int], TopRef] = {}
    uses: Counter[TopRef] = Counter()
    unknown = 0
    for index, layer in enumerate(layers):
        for position, blob in enumerate(layer.param.bottom):
            if blob not in latest:
                unknown += 1
                known = reversed(latest) if unknown <= COMPARED_NAMES else ()
                on_error(unknown_bottom(layer, position, known))
                continue
            sources[index, position] = latest[blob]
            uses[latest[blob]] += 1
        for top, blob in enumerate(layer.param.top):
            latest[blob] = (index, top)
            uses[index, top] += int(_weight(layers, (index, top)) != 0)
    return sources, uses


def _producer(layers: list[LayerDef], ref: TopRef) -> str:
    return layers[ref[0]].param.name


def _is_loss(param: caffe_pb2.LayerParameter) -> bool:
    return param.type in TYPES and layer_class(param.type).is_loss


def _weight(layers: list[LayerDef], ref: TopRef) -> float:
    weights = layers[ref[0]].param.loss_weight
    return weights[ref[1]] if ref[1] < len(weights) else 0.0


def _split(layers: list[LayerDef], ref: TopRef, outputs: int,
           weight: float) -> caffe_pb2.LayerParameter:
    layer, blob = _producer(layers, ref), layers[ref[0]].param.top[ref[1]]
    split = caffe_pb2.LayerParameter(name=split_layer_name(layer, blob, ref[1]), type="Split",
                                     bottom=[blob])
    for output in range(outputs):
        split.top.append(split_blob_name(layer, blob, ref[1], output))
        if weight:
            split.loss_weight.append(weight if output == 0 else 0)
    return split
