"""Kernel, stride, padding and dilation as ConvolutionParameter spells them."""
from __future__ import annotations

from typing import Any

from ..base import Layer


def read_geometry(layer: Layer, param: Any, axes: int) -> dict[str, tuple[int, ...]]:
    """Return ``kernel``, ``stride``, ``pad`` and ``dilation``, one entry a spatial axis.

    Each is given as a list of one value or one a spatial axis; for two axes, kernel, stride and
    pad may have the form ``*_h``/``*_w`` instead.

    Args:
        layer: gives the place for errors.
        param: the ConvolutionParameter.
        axes: number of spatial axes; may be 0.

    Raises:
        ShapeError: both forms, a missing half, a wrong number of values, or a zero where the
            arithmetic needs a positive number.
    """
    return {"kernel": _read(layer, param, axes, "kernel_size", "kernel", None, 1),
            "stride": _read(layer, param, axes, "stride", "stride", 1, 1),
            "pad": _read(layer, param, axes, "pad", "pad", 0, 0),
            "dilation": _read(layer, param, axes, "dilation", None, 1, 1)}


def _read(layer: Layer, param: Any, axes: int, listed: str, halves: str | None,
          default: int | None, least: int) -> tuple[int, ...]:
    """Read one quantity; ``default`` None means that it must be given."""
    values = _halves(layer, param, axes, listed, halves) if halves else None
    if values is None:
        values = tuple(getattr(param, listed))
        if not values and default is None and axes:
            raise layer.error(f"{listed} is missing", at=("convolution_param",),
                              remedy=f"Give {listed}, or {halves}_h and {halves}_w.")
        if not values:
            values = (default or 0,)
        if len(values) == 1:
            values *= axes
        if len(values) != axes:
            raise layer.error(f"{listed} has the wrong number of values", got=len(values),
                              wanted=f"1, or {axes}: one a spatial axis",
                              at=("convolution_param", listed, 0))
    if any(value < least for value in values):
        raise layer.error(f"{listed} must be at least {least}", got=values,
                          at=("convolution_param",))
    return values


def _halves(layer: Layer, param: Any, axes: int, listed: str,
            name: str) -> tuple[int, ...] | None:
    """Return (h, w) if that form is used, else None."""
    fields = (f"{name}_h", f"{name}_w")
    given = [field for field in fields if param.HasField(field)]
    if not given:
        return None
    place = ("convolution_param", given[0])
    if axes != 2:
        raise layer.error(f"{given[0]} needs two spatial axes", got=axes, wanted=2, at=place,
                          remedy=f"Use {listed}, one value a spatial axis.")
    if getattr(param, listed):
        raise layer.error(f"{given[0]} and {listed} exclude each other", at=place,
                          remedy="Remove one of them.")
    if len(given) == 1 and name != "pad":
        missing = fields[1 - fields.index(given[0])]
        # CAFFE-QUIRK, mended: Caffe takes the missing half as 0 and then divides by it.
        raise layer.error(f"{given[0]} is given without {missing}", at=place,
                          remedy=f"Give both, or {listed}.")
    return tuple(getattr(param, field) for field in fields)
