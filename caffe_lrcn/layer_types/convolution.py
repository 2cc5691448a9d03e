"""Convolution over any number of spatial axes."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..errors import PrototxtError, ShapeError
from .base import Arity, Layer
from .common.checks import axis_of, require_positive
from .common.window import check_fit, conv_spec, warn_of_overhang


class Convolution(Layer):
    """Cross-correlate each bottom with num_output filters, with zero padding.

    Bottoms: lead + (C,) + spatial with the channels at ``axis``, all of one shape; tops, one a
    bottom: lead + (num_output,) + ``floor((in + 2p - (d(k-1)+1)) / s) + 1``. Parameters:
    W (num_output, C/group) + kernel, b (num_output,) if bias_term. ``engine`` and
    ``force_nd_im2col`` are accepted and change nothing. Source: Caffe's conv_layer and
    base_conv_layer.
    """

    bottoms, tops, same_count = Arity(1), Arity(1), True
    allows_in_place = False
    plan: Any = None

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Check the definition, fix the channels and make the parameters."""
        param = self.param.convolution_param
        self.axis = axis_of(self, bottom[0], param.axis, "convolution_param", "axis")
        self.channels, spatial = bottom[0].shape[self.axis], bottom[0].shape[self.axis + 1:]
        require_positive(self, "convolution_param", "num_output")
        if param.group == 0:
            raise self.error(PrototxtError, "group must be positive", got=0,
                             at=("convolution_param", "group"))
        for what, count, kind in (("num_output", param.num_output, PrototxtError),
                                  ("channels", self.channels, ShapeError)):
            if count % param.group:
                raise self.error(kind, f"{what} must be a multiple of group", got=count,
                                 wanted=f"a multiple of {param.group}",
                                 at=("convolution_param", "group"))
        self.spec = conv_spec(self, len(spatial), param.num_output)
        self._planned: tuple[int, ...] = ()
        self._make_params(param)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Set the tops' shapes.

        Raises:
            ShapeError: bottoms of several shapes, changed channels, or a picture smaller than
                the kernel.
        """
        shape = bottom[0].shape
        for blob in bottom[1:]:
            if blob.shape != shape:
                raise self.error(ShapeError, "all inputs must have one shape", got=blob.shape,
                                 wanted=shape)
        spatial = shape[self.axis + 1:]
        if len(spatial) != len(self.spec.kernel) or shape[self.axis] != self.channels:
            raise self.error(ShapeError, "the input does not fit the weights", got=shape,
                             wanted=f"{self.channels} channels at axis {self.axis} and "
                                    f"{len(self.spec.kernel)} spatial axes")
        sizes = self.output_size(spatial)
        for blob in top:
            blob.reshape(*shape[:self.axis], self.spec.num_output, *sizes)
        if shape != self._planned:
            self._planned = shape
            self.lead = bottom[0].count_range(0, self.axis)
            self.plan = self.make_plan((self.lead, *shape[self.axis:]), sizes)

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Convolve each bottom into its top."""
        bias = self.blobs[1].data if self.spec.bias else None
        for x, y in zip(bottom, top, strict=True):
            self.plan.forward(self.folded(x.data), self.blobs[0].data, bias,
                               self.folded(y.data))

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        """Compute the gradients of weights, bias and bottoms."""
        for x, y, wanted in zip(bottom, top, propagate_down, strict=True):
            dy = self.folded(y.diff)
            if self.spec.bias and self.wants_param_diff(1):
                self.plan.backward_bias(dy, self.blobs[1].diff)
            if self.wants_param_diff(0):
                self.plan.backward_weights(self.folded(x.data), dy, self.blobs[0].diff)
            if wanted:
                self.plan.backward_data(dy, self.blobs[0].data, self.folded(x.diff))

    def multiply_adds(self, bottom: list[Blob], top: list[Blob]) -> int:
        """Count the whole kernel for each element of the tops, padding included."""
        return sum(blob.count for blob in top) * self.blobs[0].count_range(1)

    # What Deconvolution does the other way round --------------------------------------------

    def weight_shape(self) -> tuple[int, ...]:
        """Return the shape of W."""
        return (self.spec.num_output, self.channels // self.spec.group, *self.spec.kernel)

    def output_size(self, spatial: tuple[int, ...]) -> tuple[int, ...]:
        """Return the sizes of the tops' spatial axes.

        Raises:
            ShapeError: the kernel does not fit into the padded input.
        """
        check_fit(self, self.spec, spatial)
        return self.spec.output_size(spatial)

    def make_plan(self, shape: tuple[int, ...], sizes: tuple[int, ...]) -> Any:
        """Return the plan for bottoms (lead, C) + spatial whose tops have these sizes."""
        warn_of_overhang(self, self.spec, shape[2:])
        return self.backend.conv.plan(self.spec, shape, self.backend)

    # Help -----------------------------------------------------------------------------------

    def folded(self, array: Any) -> Any:
        """Return the array with all axes before the channels folded into one."""
        return array.reshape(self.lead, *array.shape[self.axis:])

    def _make_params(self, param: Any) -> None:
        shapes = [self.weight_shape()]
        fillers = [param.weight_filler]
        if param.bias_term:
            shapes.append((param.num_output,))
            fillers.append(param.bias_filler)
        if len(self.param.blobs) not in (0, len(shapes)):
            raise self.error(PrototxtError, "wrong number of blobs given in the definition",
                             got=len(self.param.blobs), wanted=len(shapes), at=("blobs",))
        for given, shape in zip(self.param.blobs, shapes, strict=False):
            if given.HasField("shape") and tuple(given.shape.dim) != shape:
                raise self.error(ShapeError, "a blob given in the definition has another shape",
                                 got=tuple(given.shape.dim), wanted=shape, at=("blobs",))
        for shape, filler_param in zip(shapes, fillers, strict=True):
            self.add_param(shape, filler_param)
