"""Deployed nets: their trained weights, and what pictures go through on their way in."""
from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from .. import glog
from ..backends import Backend
from ..errors import ShapeError, UsageError, WeightsError
from ..layer_types.common.transformation import is_stated, read_preprocessing
from ..proto import caffe_pb2
from ..proto.text import LayerDef, NetDef, read_net
from ..sources.preprocessing import Preprocessing
from ..sources.transform import Transform
from .filter import check_stages
from .net import Net
from .weights import load_into

#: What LRCN subtracts from blue, green and red.
MEAN = (104.0, 117.0, 123.0)


def load_trained(prototxt: str | os.PathLike[str], weights: str | os.PathLike[str],
                 stages: Iterable[str], backend: Backend) -> Net:
    """Return a TEST net with all its weights.

    Raises:
        UsageError: no rule of the net names one of the stages.
        WeightsError: a layer has no weights in the file, or they do not fit.
    """
    definition, stages = read_net(prototxt), tuple(stages)
    check_stages(definition.layers, stages, prototxt)
    net = Net(definition, backend, phase=caffe_pb2.TEST, stages=stages)
    report = load_into(net, os.fspath(weights))
    if report.missing:
        raise WeightsError("the weights lack layers of the net", where=weights,
                           got=f"no {', '.join(report.missing)}", wanted=f"those of {prototxt}",
                           remedy="Use the weights of a net of this variant (see --stage).")
    return net


def input_preprocessing(net: Net, resize: int | None = None,
                        mean: Sequence[float] | None = None) -> Preprocessing:
    """Return what pictures go through before the first input of a net, (N, C, H, W).

    It is what the input's layer states in ``transform_param`` and ``image_data_param``, as an
    ImageData layer would. Where it states nothing, what the published captioners do is assumed,
    with a warning: an input of 227 pixels shows the centre of a picture of 256, and ``MEAN`` is
    subtracted.

    Args:
        net: a net whose first input takes pictures.
        resize: side to which pictures are resized before their centre is cut out, instead.
        mean: blue, green, red, instead.

    Raises:
        DataError: what is stated cannot be done, or its mean cannot be read.
        ShapeError: the input does not take such pictures.
        UsageError: ``resize`` is less than the input's side.
    """
    name = net.inputs[0]
    node = next(node for node in net.nodes if name in node.top_names)
    definition, shape = LayerDef(node.layer.param, node.place), net.blobs[name].shape
    stated = is_stated(definition.param)
    if len(shape) != 4 or (resize or not stated) and shape[2] != shape[3]:
        raise ShapeError("the picture net does not take square colour pictures",
                         where=definition.place, got=shape, wanted="(N, 3, S, S)")
    side = shape[3]
    found = (read_preprocessing(definition, caffe_pb2.TEST) if stated else
             _assumed(definition, side, resize, mean))
    if resize is not None:
        found = _resized(found, resize, side)
    if mean is not None:
        found = replace(found, transform=replace(found.transform,
                                                 mean=np.array(mean, np.float32)))
    if found.shape() not in (None, shape[1:]):
        raise ShapeError("the pictures do not fit the net's input", where=definition.place,
                         layer=definition.param.name, got=found.shape(), wanted=shape[1:])
    return found


def _resized(found: Preprocessing, resize: int, side: int) -> Preprocessing:
    """Return ``found`` with pictures resized to ``resize`` before their centre is cut out."""
    if resize < side:
        raise UsageError("pictures are resized to less than the net's input", got=resize,
                         wanted=f"at least {side}")
    return replace(found, new_size=(resize, resize),
                   transform=replace(found.transform, crop_size=side))


def stated_preprocessing(definition: NetDef) -> Preprocessing | None:
    """Return what the first Input layer of a definition states; None if it states nothing.

    Raises:
        DataError: what is stated makes no sense, or its mean cannot be read.
    """
    layer = next((layer for layer in definition.layers if layer.param.type == "Input"), None)
    if layer is None or not is_stated(layer.param):
        return None
    return read_preprocessing(layer, caffe_pb2.TEST)


def _assumed(definition: LayerDef, side: int, resize: int | None,
             mean: Sequence[float] | None) -> Preprocessing:
    """Return what is assumed of a layer that states nothing, and say so."""
    full = side * 256 // 227
    assumed = []
    if resize is None:
        assumed.append(f"resized to {full} x {full} pixels, of which the centre counts (--resize)")
    if mean is None:
        assumed.append("less 104, 117, 123 in blue, green, red (--mean)")
    if assumed:
        glog.warning("%s: layer '%s' does not say how pictures are prepared (transform_param, "
                     "image_data_param); assumed: %s", definition.place, definition.param.name,
                     "; ".join(assumed))
    return Preprocessing(Transform(crop_size=side, mean=np.array(MEAN, np.float32),
                                   phase=caffe_pb2.TEST), (full, full))
