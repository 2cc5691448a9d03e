"""Fillers: initial values of parameters, drawn on the host so that every device starts alike.

Source: Caffe's fillers.
"""
from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from .errors import PrototxtError
from .hints import did_you_mean, nearest
from .proto.places import Place

_FAN_OUT, _AVERAGE = 1, 2


def fill(param: Any, shape: tuple[int, ...], rng: np.random.Generator,
         place: Place | None = None, strict: bool = False) -> np.ndarray:
    """Return an array of ``shape`` filled as a FillerParameter says.

    Args:
        param: the FillerParameter.
        shape: shape of the parameter; axis 0 is the output axis.
        rng: where random fillers draw from.
        place: of the layer in its prototxt, for errors.
        strict: refuse a gaussian filler whose std is 0, as Caffe does.

    Raises:
        PrototxtError: unknown type, or values that the type cannot use.
    """
    try:
        return _fill(param, shape, rng, strict)
    except PrototxtError as error:
        error.where = place.at() if place else None
        raise


def _fill(param: Any, shape: tuple[int, ...], rng: np.random.Generator,
          strict: bool) -> np.ndarray:
    make = _FILLERS.get(param.type)
    if make is None:
        raise PrototxtError("unknown filler", got=repr(param.type), wanted=", ".join(_FILLERS),
                            remedy=did_you_mean(nearest(param.type, _FILLERS)))
    if math.prod(shape) == 0:
        raise PrototxtError("a filler needs a blob with elements", got=shape)
    if param.sparse != -1 and param.type != "gaussian":
        raise PrototxtError("sparse works with the gaussian filler only", got=param.type)
    return make(param, shape, rng, strict)


def check(param: Any, shape: tuple[int, ...], place: Place | None = None,
          strict: bool = False) -> None:
    """Raise what ``fill`` would raise, without the work.

    Args:
        param, shape, place, strict: as for ``fill``.
    """
    # No filler asks how long the first two axes are, and in large layers these are the long ones.
    small = (*(min(size, 2) for size in shape[:2]), *shape[2:])
    fill(param, small, _any_numbers(), place, strict)


@cache
def _any_numbers() -> np.random.Generator:
    """Return random numbers of which nobody keeps one."""
    return np.random.default_rng(0)


def from_blob_proto(blob: Any) -> np.ndarray:
    """Return the values of a BlobProto message as an array with its shape.

    Raises:
        PrototxtError: the number of values does not match the shape.
    """
    values = np.array(blob.double_data or blob.data)
    legacy = any(blob.HasField(name) for name in ("num", "channels", "height", "width"))
    shape = ((blob.num, blob.channels, blob.height, blob.width) if legacy
             else tuple(blob.shape.dim))
    if math.prod(shape) != values.size:
        raise PrototxtError("a blob's values do not match its shape", got=f"{values.size} values",
                            wanted=f"{math.prod(shape)} for {shape}")
    return values.reshape(shape)


def _fan(param: Any, shape: tuple[int, ...]) -> float:
    # CAFFE-QUIRK: fans come from axes 0 and 1 whatever they mean, so they are swapped for a
    # transposed InnerProduct and for Embed.
    count = math.prod(shape)
    fan_in = count / _outputs(param, shape)
    fan_out = count / shape[1] if len(shape) > 1 else count
    if param.variance_norm == _AVERAGE:
        return (fan_in + fan_out) / 2
    return fan_out if param.variance_norm == _FAN_OUT else fan_in


def _outputs(param: Any, shape: tuple[int, ...]) -> int:
    """Return the size of axis 0, which several types divide by."""
    if not shape:
        raise PrototxtError(f"the filler {param.type} needs a blob with axes", got=shape,
                            wanted="at least one axis",
                            remedy="Fill a single number with constant, uniform or gaussian.")
    return shape[0]


def _constant(param, shape, rng, strict):
    return np.full(shape, param.value)


def _uniform(param, shape, rng, strict):
    if param.min > param.max:
        raise PrototxtError("uniform filler: min is above max", got=(param.min, param.max))
    return rng.uniform(param.min, param.max, shape)


def _gaussian(param, shape, rng, strict):
    if param.std < 0 or (strict and param.std == 0):
        raise PrototxtError("gaussian filler: std must be positive", got=param.std)
    values = rng.normal(param.mean, param.std, shape) if param.std else np.full(shape, param.mean)
    if param.sparse >= 0:
        values *= rng.random(shape) < param.sparse / _outputs(param, shape)
    return values


def _positive_unitball(param, shape, rng, strict):
    rows = rng.random((_outputs(param, shape), math.prod(shape[1:])))
    return (rows / rows.sum(axis=1, keepdims=True)).reshape(shape)


def _xavier(param, shape, rng, strict):
    bound = math.sqrt(3 / _fan(param, shape))
    return rng.uniform(-bound, bound, shape)


def _msra(param, shape, rng, strict):
    return rng.normal(0, math.sqrt(2 / _fan(param, shape)), shape)


def _bilinear(param, shape, rng, strict):
    if len(shape) != 4 or shape[2] != shape[3]:
        raise PrototxtError("bilinear filler: the blob must have four axes and square kernels",
                            got=shape)
    width = shape[3]
    factor = math.ceil(width / 2)
    centre = (width - 1) / (2 * factor)
    ramp = 1 - np.abs(np.arange(width) / factor - centre)
    return np.broadcast_to(np.outer(ramp, ramp), shape)


_FILLERS = {
    "constant": _constant,
    "uniform": _uniform,
    "gaussian": _gaussian,
    "positive_unitball": _positive_unitball,
    "xavier": _xavier,
    "msra": _msra,
    "bilinear": _bilinear,
}
