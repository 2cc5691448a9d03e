"""Two-dimensional float32 convolution by oneDNN, in the layouts that it prefers.

The primitives choose their layouts (tag ``any``): on plain arrays they run several times slower,
which costs more than reordering each array. Weights are reordered in every call, because nothing
tells whether they have changed since the last one.
"""
from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ...specs import ConvSpec
from . import constants as c
from .loader import Library
from .primitives import Chain, Operand, PrimitiveDesc, attributes, descriptor, dims


class DnnlConv:
    """One convolution at one bottom shape; the methods are those of the plain version.

    Descriptors are made at once, so that an unsupported geometry shows here (``DnnlError``);
    kernels come with the first call of each direction, so that a net that only runs
    forward does not pay for the others.
    """

    def __init__(self, lib: Library, spec: ConvSpec, x_shape: tuple[int, ...],
                 backend: Any) -> None:
        self._lib = lib
        images, channels, group = x_shape[0], x_shape[1], spec.group
        weights = (spec.num_output, channels // group, *spec.kernel)
        if group > 1:
            weights = (group, spec.num_output // group, *weights[1:])
        self._shapes = {"x": tuple(x_shape), "w": weights, "b": (spec.num_output,),
                        "y": (images, spec.num_output, *spec.output_size(tuple(x_shape[2:])))}
        tags = {"x": c.TAG_ABCD, "w": c.TAG_ABCDE if group > 1 else c.TAG_ABCD, "b": c.TAG_A,
                "y": c.TAG_ABCD}
        self._plain = {name: descriptor(lib, shape, tags[name])
                       for name, shape in self._shapes.items()}
        self._scratch = backend.scratch
        self._no_bias = backend.zeros(spec.num_output)
        self._bias_sum = backend.zeros(spec.num_output)
        self._forward_desc, self._data_desc, self._weights_desc = self._describe(spec, backend)

    def forward(self, x: np.ndarray, w: np.ndarray, b: np.ndarray | None, y: np.ndarray) -> None:
        """Compute ``y = w * x (+ b)`` (cross-correlation)."""
        with self._scratch.frame():
            self._forward.run(x, w, self._no_bias if b is None else b, y)

    def backward_data(self, dy: np.ndarray, w: np.ndarray, dx: np.ndarray) -> None:
        """Overwrite ``dx`` with the gradient of the bottom."""
        with self._scratch.frame():
            self._backward_data.run(dy, w, dx)

    def backward_weights(self, x: np.ndarray, dy: np.ndarray, dw: np.ndarray) -> None:
        """Add the gradient of the weights to ``dw``."""
        with self._scratch.frame():
            self._backward_weights.run(x, dy, dw)

    def backward_bias(self, dy: np.ndarray, db: np.ndarray) -> None:
        """Add the gradient of the bias, ``dy`` summed over images and positions, to ``db``."""
        np.sum(dy, axis=(0, 2, 3), out=self._bias_sum)
        db += self._bias_sum

    def _describe(self, spec: ConvSpec, backend: Any) -> list[PrimitiveDesc]:
        lib, free = self._lib, {name: descriptor(self._lib, shape, c.TAG_ANY)
                                for name, shape in self._shapes.items()}
        x, w, b, y = (free[name].value for name in "xwby")
        size = self._shapes["x"][2:]
        after = [total - n - p for total, n, p in
                 zip(spec.padded_size(size), size, spec.pad, strict=True)]
        # oneDNN counts the gaps between taps: 0 is an ordinary kernel.
        geometry = (dims(spec.stride), dims([d - 1 for d in spec.dilation]),
                    dims(spec.pad), dims(after))
        quick = attributes(lib, bf16=backend.math == "bf16")
        exact = attributes(lib)  # bf16 gains nothing on weight gradients
        name, direct = "dnnl_convolution_{}_primitive_desc_create", c.CONVOLUTION_DIRECT
        forward = PrimitiveDesc(lib, name.format("forward"), lib.engine, c.FORWARD_TRAINING,
                                direct, x, w, b, y, *geometry, quick.value)
        data = PrimitiveDesc(lib, name.format("backward_data"), lib.engine, direct, x, w, y,
                             *geometry, forward.value, quick.value)
        weights = PrimitiveDesc(lib, name.format("backward_weights"), lib.engine, direct, x, w,
                                None, y, *geometry, forward.value, exact.value)
        return [forward, data, weights]

    def _operand(self, desc: PrimitiveDesc, arg: int, name: str, **role: bool) -> Operand:
        layout = desc.layout(c.QUERY_OF_ARG[arg])
        return Operand(self._lib, self._plain[name], layout, self._scratch, **role)

    @functools.cached_property
    def _forward(self) -> Chain:
        desc = self._forward_desc
        bias = Operand(self._lib, self._plain["b"], self._plain["b"].value, self._scratch)
        return Chain(self._lib, desc, {
            c.ARG_SRC: self._operand(desc, c.ARG_SRC, "x"),
            c.ARG_WEIGHTS: self._operand(desc, c.ARG_WEIGHTS, "w"),
            c.ARG_BIAS: bias,
            c.ARG_DST: self._operand(desc, c.ARG_DST, "y", output=True)})

    @functools.cached_property
    def _backward_data(self) -> Chain:
        desc = self._data_desc
        return Chain(self._lib, desc, {
            c.ARG_DIFF_DST: self._operand(desc, c.ARG_DIFF_DST, "y"),
            c.ARG_WEIGHTS: self._operand(desc, c.ARG_WEIGHTS, "w"),
            c.ARG_DIFF_SRC: self._operand(desc, c.ARG_DIFF_SRC, "x", output=True)})

    @functools.cached_property
    def _backward_weights(self) -> Chain:
        desc = self._weights_desc
        return Chain(self._lib, desc, {
            c.ARG_SRC: self._operand(desc, c.ARG_SRC, "x"),
            c.ARG_DIFF_DST: self._operand(desc, c.ARG_DIFF_DST, "y"),
            c.ARG_DIFF_WEIGHTS: self._operand(desc, c.ARG_DIFF_WEIGHTS, "w", output=True,
                                              add=True)})
