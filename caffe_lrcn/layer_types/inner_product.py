"""InnerProduct: the fully connected layer."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..errors import ShapeError
from .base import Layer
from .common.checks import axis_of, require_positive


class InnerProduct(Layer):
    """Compute ``top = bottom W^T + b`` over the axes from ``axis`` on, flattened to K values.

    Top: the axes before ``axis`` plus (num_output,). Parameters: W (num_output, K), or
    (K, num_output) with ``transpose``; b (num_output,) if bias_term. K is fixed at setup.
    Source: Caffe's inner_product_layer.
    """

    allows_in_place = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Check the definition, fix K and make the parameters."""
        param = self.param.inner_product_param
        self.units, self.transpose = param.num_output, param.transpose
        require_positive(self, "inner_product_param", "num_output")
        self.inputs = bottom[0].count_range(self._axis(bottom))
        shape = (self.inputs, self.units) if self.transpose else (self.units, self.inputs)
        self.add_param(shape, param.weight_filler)
        if param.bias_term:
            self.add_param((self.units,), param.bias_filler)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Set the top's shape.

        Raises:
            ShapeError: K is not what it was at setup.
        """
        axis = self._axis(bottom)
        if bottom[0].count_range(axis) != self.inputs:
            raise self.error(ShapeError, "the input's size does not fit the weights",
                             got=bottom[0].shape,
                             wanted=f"{self.inputs} elements from axis {axis} on",
                             remedy="Keep the size of pictures and features, or rebuild the net.")
        top[0].reshape(*bottom[0].shape[:axis], self.units)

    def multiply_adds(self, bottom: list[Blob], top: list[Blob]) -> int:
        """Count each weight once a row."""
        return top[0].count // self.units * self.blobs[0].count

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Multiply by the weights and add the bias."""
        y = top[0].data.reshape(-1, self.units)
        self.backend.blas.gemm(self._rows(bottom[0].data), self.blobs[0].data, y,
                               self.backend.scratch, trans_b=not self.transpose)
        if len(self.blobs) > 1:
            y = y[:, :, None]
            self.backend.elementwise.bias_add(y, self.blobs[1].data, y)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        """Compute the gradients of the weights, the bias and the bottom."""
        gemm, scratch, w = self.backend.blas.gemm, self.backend.scratch, self.blobs[0]
        dy, x = top[0].diff.reshape(-1, self.units), self._rows(bottom[0].data)
        if self.wants_param_diff(0):
            left, right = (x, dy) if self.transpose else (dy, x)
            gemm(left, right, w.diff, scratch, trans_a=True, accumulate=True)
        if len(self.blobs) > 1 and self.wants_param_diff(1):
            self.backend.elementwise.sum_to_channels(dy[:, :, None], self.blobs[1].diff,
                                                     scratch)
        if propagate_down[0]:
            gemm(dy, w.data, self._rows(bottom[0].diff), scratch, trans_b=self.transpose)

    def _rows(self, array: Any) -> Any:
        return array.reshape(-1, self.inputs)

    def _axis(self, bottom: list[Blob]) -> int:
        return axis_of(self, bottom[0], self.param.inner_product_param.axis,
                       "inner_product_param", "axis")
