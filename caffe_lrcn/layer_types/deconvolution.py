"""Deconvolution: the transpose of a convolution, which enlarges pictures."""
from __future__ import annotations

from typing import Any

from ..backends.specs import ConvSpec
from ..blob import Blob
from ..errors import ShapeError
from .convolution import Convolution


class Deconvolution(Convolution):
    """Add ``x`` times a filter to the top at each position: Convolution with its passes swapped.

    Bottoms: lead + (C,) + spatial with the channels at ``axis``, all of one shape; tops, one a
    bottom: lead + (num_output,) + ``s (in - 1) + d (k - 1) + 1 - 2 p``. Parameters:
    W (C, num_output/group) + kernel, b (num_output,) if bias_term. ``engine`` and
    ``force_nd_im2col`` are accepted and change nothing. Source: Caffe's deconv_layer; Zeiler et
    al., "Deconvolutional networks".
    """

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Spread each bottom over its top."""
        for x, y in zip(bottom, top, strict=True):
            out = self.folded(y.data)
            self.plan.backward_data(self.folded(x.data), self.blobs[0].data, out)
            if self.spec.bias:
                view = self._by_channel(y.data)
                self.backend.elementwise.bias_add(view, self.blobs[1].data, view)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        """Compute the gradients of weights, bias and bottoms."""
        for x, y, wanted in zip(bottom, top, propagate_down, strict=True):
            dy = self.folded(y.diff)
            if self.spec.bias and self.wants_param_diff(1):
                self.backend.elementwise.sum_to_channels(self._by_channel(y.diff),
                                                         self.blobs[1].diff, self.backend.scratch)
            if self.wants_param_diff(0):
                self.plan.backward_weights(dy, self.folded(x.data), self.blobs[0].diff)
            if wanted:
                self.plan.forward(dy, self.blobs[0].data, None, self.folded(x.diff))

    def multiply_adds(self, bottom: list[Blob], top: list[Blob]) -> int:
        """Count the whole kernel for each element of the bottoms."""
        return sum(blob.count for blob in bottom) * self.blobs[0].count_range(1)

    def weight_shape(self) -> tuple[int, ...]:
        """Return the shape of W: that of the convolution from top to bottom."""
        return (self.channels, self.spec.num_output // self.spec.group, *self.spec.kernel)

    def output_size(self, spatial: tuple[int, ...]) -> tuple[int, ...]:
        """Return the sizes of the tops' spatial axes.

        Raises:
            ShapeError: the padding, which is cut off here, leaves nothing, or there is no input.
        """
        spec = self.spec
        sizes = tuple(s * (n - 1) + d * (k - 1) + 1 - 2 * p for n, k, s, p, d in
                      zip(spatial, spec.kernel, spec.stride, spec.pad, spec.dilation, strict=True))
        if 0 in spatial:
            raise self.error(ShapeError, "the input is empty", got=spatial,
                             wanted="sizes of at least 1")
        if any(size < 1 for size in sizes):
            raise self.error(ShapeError, "the padding cuts the whole top off", got=f"size {sizes}",
                             wanted="at least 1", at=("convolution_param",),
                             remedy="Pad less, or feed larger inputs.")
        return sizes

    def make_plan(self, shape: tuple[int, ...], sizes: tuple[int, ...]) -> Any:
        """Return the plan of the convolution that leads from the tops to the bottoms."""
        spec = self.spec
        mirrored = ConvSpec(self.channels, spec.kernel, spec.stride, spec.pad, spec.dilation,
                            group=spec.group, bias=False)
        return self.backend.conv.plan(mirrored, (shape[0], spec.num_output, *sizes), self.backend)

    def _by_channel(self, array: Any) -> Any:
        inner = 1
        for size in array.shape[self.axis + 1:]:
            inner *= size
        return array.reshape(self.lead, self.spec.num_output, inner)
