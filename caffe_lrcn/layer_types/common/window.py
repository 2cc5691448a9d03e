"""The one reader of kernel, stride, padding and dilation, as definitions spell them."""
from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from ... import glog
from ...backends.specs import ConvSpec
from ...errors import PrototxtError, ShapeError
from ...proto.caffe_pb2 import ConvolutionParameter, PoolingParameter
from ..base import Layer

if TYPE_CHECKING:
    Param = ConvolutionParameter | PoolingParameter


@dataclass(frozen=True)
class Window:
    """A window that slides over pictures: one value for all spatial axes, or one per axis.

    What the definition does not give is empty.
    """

    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    pad: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()


_DEFAULTS = Window((), (1,), (0,), (1,))
_LEAST = Window((1,), (1,), (0,), (1,))
# Name -> the field for all axes, and those for height and width.
_FIELDS = {"kernel": ("kernel_size", "kernel_h", "kernel_w"),
           "stride": ("stride", "stride_h", "stride_w"),
           "pad": ("pad", "pad_h", "pad_w"), "dilation": ("dilation",)}


def read_window(param: Param) -> Window:
    """Return what a message says, right or wrong; a missing half is 0."""
    return Window(*(_written(param, *fields) for fields in _FIELDS.values()))


def resolve_window(layer: Layer, param: Param, field: str, axes: int) -> Window:
    """Return the window with defaults and one value per spatial axis.

    Args:
        layer: gives the place for errors.
        param, field: the message, and what it is called in the layer's definition.
        axes: number of spatial axes; may be 0.

    Raises:
        PrototxtError: two forms of one quantity, or a missing half.
        ShapeError: a number of values that does not fit the axes.
    """
    values = []
    written, defaults = astuple(read_window(param)), astuple(_DEFAULTS)
    for (both, *halves), given, default in zip(_FIELDS.values(), written, defaults, strict=True):
        _check_form(layer, param, field, axes, both, halves)
        value = given or default
        value = value * axes if len(value) == 1 else value
        if value and len(value) != axes:
            raise layer.error(ShapeError, f"{both} has the wrong number of values",
                              got=len(value), wanted=f"1, or {axes}: one per spatial axis",
                              at=(field, both, 0))
        values.append(value)
    return Window(*values)


def conv_spec(layer: Layer, axes: int, num_output: int = 0) -> ConvSpec:
    """Return the geometry that the layer's ``convolution_param`` gives; see ``resolve_window``.

    Raises:
        PrototxtError: also for a missing kernel, and a zero where a positive number is needed.
    """
    param, field = layer.param.convolution_param, "convolution_param"
    window = resolve_window(layer, param, field, axes)
    if axes and not window.kernel:
        raise layer.error(PrototxtError, "kernel_size is missing", at=(field,),
                          remedy="Give kernel_size, or kernel_h and kernel_w.")
    for (both, *_), values, (least,) in zip(_FIELDS.values(), astuple(window), astuple(_LEAST),
                                            strict=True):
        if any(value < least for value in values):
            raise layer.error(PrototxtError, f"{both} must be at least {least}", got=values,
                              at=(field,))
    return ConvSpec(num_output, *astuple(window), group=param.group, bias=param.bias_term)


def check_fit(layer: Layer, spec: ConvSpec, spatial: tuple[int, ...]) -> None:
    """Check that a convolution over ``spatial`` axes leaves something.

    Raises:
        ShapeError: the kernel sticks out of the padded input by its stride or more, or the input
            is empty.
    """
    if any(size < 1 for size in (*spec.output_size(spatial), *spatial)):
        raise layer.error(ShapeError, "the kernel is larger than the padded input", got=spatial,
                          wanted=f"at least {spec.kernel} with padding {spec.pad}",
                          remedy="Feed larger inputs, or pad more.")


def warn_of_overhang(layer: Layer, spec: ConvSpec, spatial: tuple[int, ...]) -> None:
    """Log a warning if the kernel is larger than the padded input, which then gets more zeros."""
    padded = tuple(n + 2 * p for n, p in zip(spatial, spec.pad, strict=True))
    if spec.padded_size(spatial) != padded:
        glog.warning("%s: layer '%s': the kernel %s is larger than the padded input %s; what it "
                     "covers beyond counts as zeros, as in Caffe", layer.context.place.at(),
                     layer.name, spec.kernel, padded)


def _written(param: Param, both: str, *halves: str) -> tuple[int, ...]:
    if any(param.HasField(half) for half in halves):
        return tuple(getattr(param, half) for half in halves)
    value = getattr(param, both, ())  # pooling has no dilation
    if isinstance(value, int):
        return (value,) if param.HasField(both) else ()
    return tuple(value)


def _check_form(layer: Layer, param: Param, field: str, axes: int, both: str,
                halves: list[str]) -> None:
    """Check that a quantity is given once: for all axes, or for height and width."""
    given = [half for half in halves if param.HasField(half)]
    if not given:
        return
    place, forms = (field, given[0]), f"give {both}, or {' and '.join(halves)}"
    if axes != 2:
        raise layer.error(ShapeError, f"{given[0]} needs two spatial axes", got=axes, wanted=2,
                          at=place, remedy=f"Use {both}, one value per spatial axis.")
    if getattr(param, both) and (field == "convolution_param" or param.HasField(both)):
        raise layer.error(PrototxtError, f"{given[0]} and {both} exclude each other: {forms}",
                          at=place)
    # CAFFE-QUIRK, mended: Caffe takes the missing half of a convolution's kernel or stride as 0
    # and then divides by it. Its half of a padding is 0, but pooling takes none.
    if len(given) == 1 and (both != "pad" or field != "convolution_param"):
        missing = halves[1 - halves.index(given[0])]
        raise layer.error(PrototxtError, f"{given[0]} is given without {missing}: {forms}",
                          at=place)
