"""How coordinates of one blob map to another's, to crop blobs into alignment.

A map is ``(axis, scale, shift)``: coordinate ``c`` of the top is ``scale * c + shift`` of the
bottom; the axis is the one before the first spatial axis, or None where coordinates stay.

Source: python/caffe/coord_map.py.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..layer_types.common.window import read_window
from ..proto.caffe_pb2 import ConvolutionParameter, PoolingParameter
from .assign import assign_proto
from .net_spec import Function, Top, layers

__all__ = ["AxisMismatchException", "PASS_THROUGH_LAYERS", "UndefinedMapException", "compose",
           "conv_params", "coord_map", "coord_map_from_to", "crop", "crop_params", "inverse"]

Map = tuple[int | None, Any, Any]

PASS_THROUGH_LAYERS = (
    "AbsVal", "BatchNorm", "Bias", "BNLL", "Dropout", "Eltwise", "ELU", "Log", "LRN", "Exp",
    "MVN", "Power", "ReLU", "PReLU", "Scale", "Sigmoid", "Split", "TanH", "Threshold")
_IDENTITY: Map = (None, 1, 0)


class UndefinedMapException(Exception):
    """A layer type that keeps no fixed relation between coordinates."""


class AxisMismatchException(Exception):
    """Two maps of different axes that cannot be put together."""


def conv_params(fn: Function) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Return (axis, stride, kernel size with dilation, pad) of a layer that slides a window.

    Raises:
        AssertionError: the layer uses the fields kernel_h, kernel_w and so on. CAFFE-QUIRK: these
            have no map.
    """
    pooling = fn.type_name == "Pooling"
    given = fn.params.get("pooling_param" if pooling else "convolution_param", fn.params)
    param = PoolingParameter() if pooling else ConvolutionParameter()
    for key in given:
        if key in param.DESCRIPTOR.fields_by_name:
            assign_proto(param, key, given[key])
    for name in ("kernel", "stride", "pad"):
        if param.HasField(f"{name}_h") or param.HasField(f"{name}_w"):
            raise AssertionError(f"coordinates of {fn.type_name} with {name}_h or {name}_w have "
                                 f"no map: write {name}")
    window = read_window(param)
    kernel, stride, pad, dilation = (np.array(sizes[0] if len(sizes) == 1 else sizes) for sizes in (
        window.kernel, window.stride or (1,), window.pad or (0,), window.dilation or (1,)))
    return getattr(param, "axis", 1), stride, (kernel - 1) * dilation + 1, pad


def crop_params(fn: Function) -> tuple[int, np.ndarray]:
    """Return (axis, offset) of a Crop."""
    given = fn.params.get("crop_param", fn.params)
    return given.get("axis", 2), np.array(given.get("offset", 0))


def coord_map(fn: Function) -> Map:
    """Return the map of a layer.

    With stride s, padding p and (dilated) kernel k: Convolution, Pooling and Im2col have
    ``(1 / s, (p - (k - 1) / 2) / s)``, Deconvolution ``(s, (k - 1) / 2 - p)``, Crop
    ``(1, -offset)``.

    Raises:
        UndefinedMapException: the type has no map.
    """
    if fn.type_name in ("Convolution", "Pooling", "Im2col"):
        axis, stride, size, pad = conv_params(fn)
        return axis, 1 / stride, (pad - (size - 1) / 2) / stride
    if fn.type_name == "Deconvolution":
        axis, stride, size, pad = conv_params(fn)
        return axis, stride, (size - 1) / 2 - pad
    if fn.type_name in PASS_THROUGH_LAYERS:
        return _IDENTITY
    if fn.type_name == "Crop":
        axis, offset = crop_params(fn)
        return axis - 1, 1, -offset
    raise UndefinedMapException(fn.type_name)


def compose(base_map: Map, next_map: Map) -> Map:
    """Return the map that applies ``next_map``, then ``base_map``: (a1 a2, a1 b2 + b1).

    Raises:
        AxisMismatchException: the maps are of different axes.
    """
    (axis1, scale1, shift1), (axis2, scale2, shift2) = base_map, next_map
    if None not in (axis1, axis2) and axis1 != axis2:
        raise AxisMismatchException(f"axes {axis1} and {axis2}")
    return axis2 if axis1 is None else axis1, scale1 * scale2, scale1 * shift2 + shift1


def inverse(coord_map: Map) -> Map:
    """Return the map from bottom to top: (1 / a, -b / a)."""
    axis, scale, shift = coord_map
    return axis, 1 / scale, -shift / scale


def coord_map_from_to(top_from: Top, top_to: Top) -> Map:
    """Return the map between two tops through the first blob that both come from.

    Raises:
        RuntimeError: no such blob is reached through layers that have a map.
    """
    from_maps = dict(_ancestors(top_from))
    for top, to_map in _ancestors(top_to):
        if top in from_maps:
            return compose(to_map, inverse(from_maps[top]))
    raise RuntimeError("the blobs do not come from a common blob through layers that keep "
                       "coordinates")


def _ancestors(top: Top) -> Iterator[tuple[Top, Map]]:
    """Yield the top and the blobs that it comes from, each with the map to it, near ones first."""
    pending: deque[tuple[Top, Map]] = deque([(top, _IDENTITY)])
    while pending:
        top, total = pending.popleft()
        yield top, total
        bottoms = top.fn.inputs
        if top.fn.type_name == "Crop":
            bottoms = bottoms[:1]  # the other one only lends its size
        try:
            pending.extend((bottom, compose(total, coord_map(top.fn))) for bottom in bottoms)
        except UndefinedMapException:
            pass


def crop(top_from: Top, top_to: Top) -> Top:
    """Return a Crop of ``top_from`` to the size of ``top_to``, aligned with it.

    Raises:
        AssertionError: the scales differ, ``top_to`` reaches outside, or the offset is not an
            integer.
        RuntimeError: the blobs have no common origin.
    """
    axis, scale, shift = coord_map_from_to(top_from, top_to)
    if not np.all(np.asarray(scale) == 1):
        raise AssertionError(f"the blobs differ in scale: {scale}")
    if not np.all(np.asarray(shift) <= 0):
        raise AssertionError(f"the crop would reach outside (shift {shift}): pad the blob")
    if not np.all(np.round(shift) == shift):
        raise AssertionError(f"the offset is not an integer: {shift}")
    offset = (-np.round(np.atleast_1d(shift))).astype(int).tolist()
    first_spatial = 2 if axis is None else axis + 1
    return layers.Crop(top_from, top_to, crop_param={"axis": first_spatial, "offset": offset})
