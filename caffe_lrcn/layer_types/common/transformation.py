"""What pictures go through: reading it from a definition, and warnings about neglected fields.

A training net says it in the ``transform_param`` and ``image_data_param`` of its ImageData layer.
The Input layer of a deployed net may carry the same two messages, which Caffe ignores there.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ... import glog
from ...errors import DataError
from ...paths import resolve
from ...proto.blob_proto import read_blob_proto
from ...proto.caffe_pb2 import LayerParameter
from ...proto.text import LayerDef
from ...sources.preprocessing import Preprocessing
from ...sources.transform import Transform, from_param
from ..base import Layer

#: Fields of the data layers' own messages that only the oldest definitions used.
LEGACY = ("scale", "mean_file", "crop_size", "mirror")


def is_stated(param: LayerParameter) -> bool:
    """Tell whether a layer says what pictures go through."""
    return param.HasField("transform_param") or param.HasField("image_data_param")


def read_preprocessing(definition: LayerDef, phase: int, strict: bool = False) -> Preprocessing:
    """Return what the ``transform_param`` and ``image_data_param`` of a layer say, its mean read.

    Args:
        definition: an ImageData layer, or an Input layer that carries its messages.
        phase: TRAIN or TEST.
        strict: reproduce the original's neglect of flow in picture files.

    Raises:
        DataError: only one side of a size is given; or as ``read_transform`` raises it.
    """
    return Preprocessing(
        _transform(definition, phase, strict),
        paired_size(definition, "image_data_param", "new_height", "new_width"),
        paired_size(definition, "image_data_param", "min_height", "min_width"),
        definition.param.image_data_param.is_color)


def read_transform(layer: Layer) -> Transform:
    """Return the transform that a layer's ``transform_param`` describes, its mean read.

    Raises:
        DataError: the mean file is missing or damaged, or there are two means.
    """
    return _transform(LayerDef(layer.param, layer.context.place), layer.phase,
                      layer.context.settings.strict)


def read_mean(path: str) -> np.ndarray:
    """Return the (C, H, W) mean picture of a binary BlobProto file.

    Raises:
        DataError: the file is missing or holds no single picture.
    """
    mean = np.asarray(read_blob_proto(path), np.float32)
    if mean.ndim == 4 and mean.shape[0] == 1:
        mean = mean[0]
    if mean.ndim != 3:
        raise DataError("the mean file holds no picture", where=path, got=f"shape {mean.shape}",
                        wanted="(channels, height, width)")
    return mean


def warn_about_neglected(layer: Layer, message: str, fields: Iterable[str], remedy: str) -> None:
    """Warn of each field that is given in a message of the layer's and has no effect there."""
    for field in fields:
        if getattr(layer.param, message).HasField(field):
            glog.warning("%s: layer '%s': %s has no effect in %s; %s",
                         layer.context.place.at(message, field), layer.name, field, message,
                         remedy)


def _transform(definition: LayerDef, phase: int, strict: bool) -> Transform:
    given, mean = definition.param.transform_param, None
    if given.mean_file and not given.mean_value:
        mean = read_mean(resolve(given.mean_file, definition.place.file))
    try:
        found = from_param(given, phase, mean)
    except DataError as error:
        error.where = definition.place.at("transform_param")
        error.layer = definition.param.name
        raise
    # CAFFE-QUIRK: the activity branch does not invert flow in pictures of files, and in records
    # of databases only where they are raw.
    return replace(found, encoded_flow=not strict)


def paired_size(definition: LayerDef, message: str, height: str,
                width: str) -> tuple[int, int] | None:
    """Return the size that two fields of a message give; None where neither does.

    Raises:
        DataError: only one of them is given.
    """
    given = getattr(definition.param, message)
    size = getattr(given, height), getattr(given, width)
    if bool(size[0]) != bool(size[1]):
        raise DataError(f"{height} and {width} go together", layer=definition.param.name,
                        where=definition.place.at(message),
                        got=f"{height} {size[0]}, {width} {size[1]}", wanted="both or neither")
    return size if size[0] else None
