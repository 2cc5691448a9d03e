"""What data layers share about ``transform_param``: reading it, and warnings about neglect."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ... import glog
from ...errors import DataError
from ...paths import resolve
from ...proto.blob_proto import read_blob_proto
from ...sources import transform
from ..base import Layer

#: Fields of the data layers' own messages that only the oldest definitions used.
LEGACY = ("scale", "mean_file", "crop_size", "mirror")


def read_transform(layer: Layer) -> transform.Transform:
    """Return the transform that a layer's ``transform_param`` describes, its mean read.

    Raises:
        DataError: the mean file is missing or damaged, or there are two means.
    """
    given, mean = layer.param.transform_param, None
    if given.mean_file and not given.mean_value:
        mean = read_mean(resolve(given.mean_file, layer.context.place.file))
    try:
        found = transform.from_param(given, layer.phase, mean)
    except DataError as error:
        error.where, error.layer = layer.context.place.at("transform_param"), layer.name
        raise
    # CAFFE-QUIRK: the activity branch does not invert flow in pictures of files, and in records
    # of databases only where they are raw.
    return replace(found, encoded_flow=not layer.context.settings.strict)


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
